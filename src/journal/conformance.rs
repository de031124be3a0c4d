//! What every back-end of [`Log`] must do: one suite, run against each.

use std::sync::Arc;

use super::{Log, LogError, RECORD_MOST};
use crate::model::position::Position;

/// Opens the log of this name: the same one again, if it was opened and dropped before.
pub(super) type Factory<'f> = &'f dyn Fn(&str) -> Arc<dyn Log>;

/// The whole suite.
pub(super) fn suite(open: Factory<'_>) {
    empty(&*open("empty"));
    order(&*open("order"));
    only_synced(&*open("only-synced"));
    expected(&*open("expected"));
    wrong_sum(&*open("wrong-sum"));
    too_large(&*open("too-large"));
    reading_in_parts(&*open("parts"));
    reopen(open);
    together(open("together"));
}

fn record(n: u64) -> Vec<u8> {
    // Of many lengths, some compressible, one empty.
    match n % 4 {
        0 => Vec::new(),
        1 => format!("记录 {n}").into_bytes(),
        2 => "郑州许昌芜湖".repeat(n as usize % 60).into_bytes(),
        _ => (0..n * 7 % 3_000).map(|k| (k.wrapping_mul(n).wrapping_mul(0x9e37_79b9) >> 13) as u8).collect(),
    }
}

fn append(log: &dyn Log, numbers: std::ops::Range<u64>) -> Vec<Position> {
    let records: Vec<_> = numbers.map(record).collect();
    let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    log.append(None, &slices).unwrap()
}

fn all(log: &dyn Log) -> Vec<(Position, Vec<u8>)> {
    log.read(1, usize::MAX).unwrap()
}

fn empty(log: &dyn Log) {
    assert_eq!((log.first(), log.next(), log.synced()), (1, 1, 1));
    assert!(all(log).is_empty());
    assert!(log.append(None, &[]).unwrap().is_empty());
    assert_eq!(log.sync().unwrap(), 1);
    assert_eq!(log.get(Position { seq: 0, sum: 0 }).unwrap(), None);
    assert_eq!(log.get(Position { seq: 1, sum: 0 }).unwrap(), None);
}

fn order(log: &dyn Log) {
    let mut positions = Vec::new();
    for batch in [1..2, 2..3, 3..40, 40..41, 41..200] {
        positions.extend(append(log, batch));
        log.sync().unwrap();
    }
    let seqs: Vec<u64> = positions.iter().map(|p| p.seq).collect();
    assert_eq!(seqs, (1..200).collect::<Vec<_>>());
    let read = all(log);
    assert_eq!(read.iter().map(|(at, _)| *at).collect::<Vec<_>>(), positions);
    for (at, bytes) in read {
        assert_eq!(bytes, record(at.seq));
        assert_eq!(at.sum, crc32fast::hash(&bytes));
        assert_eq!(log.get(at).unwrap().as_ref(), Some(&bytes));
        assert!(log.holds(at).unwrap());
    }
    assert!(log.bytes() > 0);
}

fn only_synced(log: &dyn Log) {
    append(log, 1..4);
    assert_eq!(log.sync().unwrap(), 4);
    let unsafe_yet = append(log, 4..6);
    assert_eq!((log.synced(), log.next()), (4, 6));
    assert_eq!(all(log).len(), 3);
    assert!(log.read(4, 1_000).unwrap().is_empty());
    assert_eq!(log.get(unsafe_yet[0]).unwrap(), None);
    assert!(!log.holds(unsafe_yet[0]).unwrap());
    assert_eq!(log.sync().unwrap(), 6);
    assert_eq!(log.synced(), 6);
    assert_eq!(all(log).len(), 5);
    assert!(log.get(unsafe_yet[0]).unwrap().is_some());
}

fn expected(log: &dyn Log) {
    assert_eq!(log.append(Some(1), &[b"a", b"b"]).unwrap().len(), 2);
    for wrong in [1, 2, 4] {
        match log.append(Some(wrong), &[b"c"]) {
            Err(LogError::Expected { next: 3 }) => {}
            other => panic!("expected {wrong}: {other:?}"),
        }
    }
    assert_eq!(log.next(), 3, "nothing of a refused append is kept");
    assert_eq!(log.append(Some(3), &[b"c"]).unwrap()[0].seq, 3);
}

fn wrong_sum(log: &dyn Log) {
    let at = append(log, 1..8)[5];
    log.sync().unwrap();
    assert!(log.get(at).unwrap().is_some());
    assert!(log.holds(at).unwrap());
    for wrong in [
        Position { sum: at.sum ^ 1, ..at },
        Position { seq: at.seq + 1, ..at },
        Position { seq: 99, ..at },
        Position::default(),
    ] {
        assert_eq!(log.get(wrong).unwrap(), None);
        assert!(!log.holds(wrong).unwrap(), "{wrong:?}");
    }
}

fn too_large(log: &dyn Log) {
    let large = vec![7; RECORD_MOST + 1];
    assert!(matches!(log.append(None, &[b"small", &large]), Err(LogError::Large { .. })));
    assert_eq!(log.next(), 1, "nothing of a refused append is kept");
    let largest: Vec<u8> = (0..RECORD_MOST as u64).map(|k| (k.wrapping_mul(0x9e37_79b9) >> 11) as u8).collect();
    let at = log.append(None, &[&largest]).unwrap()[0];
    log.sync().unwrap();
    assert_eq!(log.get(at).unwrap(), Some(largest));
}

fn reading_in_parts(log: &dyn Log) {
    append(log, 1..120);
    log.sync().unwrap();
    for most in [0, 1, 500, 5_000] {
        let mut from = 1;
        let mut seen = 0;
        loop {
            let part = log.read(from, most).unwrap();
            let Some((last, _)) = part.last() else { break };
            let bytes: usize = part.iter().map(|(_, r)| r.len()).sum();
            assert!(part.len() == 1 || bytes <= most, "{bytes} bytes where {most} were asked for");
            from = last.seq + 1;
            seen += part.len();
        }
        assert_eq!(seen, 119);
    }
}

fn reopen(open: Factory<'_>) {
    let mut positions = Vec::new();
    for round in 0..6 {
        let log = open("reopen");
        assert_eq!(log.next(), 1 + positions.len() as u64);
        assert_eq!(log.synced(), log.next(), "what is there after opening is durable");
        assert_eq!(all(&*log).iter().map(|(at, _)| *at).collect::<Vec<_>>(), positions);
        positions.extend(append(&*log, 1..20 + round));
        log.sync().unwrap();
    }
}

fn together(log: Arc<dyn Log>) {
    const WRITERS: u64 = 6;
    const ROUNDS: u64 = 40;
    let threads: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                for round in 0..ROUNDS {
                    let pair = [format!("{writer} {round} a"), format!("{writer} {round} b")];
                    let at = log.append(None, &[pair[0].as_bytes(), pair[1].as_bytes()]).unwrap();
                    assert_eq!(at[0].seq + 1, at[1].seq, "the records of one append stand side by side");
                    assert!(log.sync().unwrap() > at[1].seq);
                    assert!(log.synced() > at[1].seq);
                    assert_eq!(log.get(at[0]).unwrap().as_deref(), Some(pair[0].as_bytes()));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let texts: Vec<String> = all(&*log).into_iter().map(|(_, r)| String::from_utf8(r).unwrap()).collect();
    assert_eq!(texts.len() as u64, WRITERS * ROUNDS * 2);
    for writer in 0..WRITERS {
        let mine: Vec<_> = texts.iter().filter(|t| t.starts_with(&format!("{writer} "))).cloned().collect();
        let due: Vec<_> = (0..ROUNDS).flat_map(|r| [format!("{writer} {r} a"), format!("{writer} {r} b")]).collect();
        assert_eq!(mine, due, "what one writer appended stays in its order");
    }
}
