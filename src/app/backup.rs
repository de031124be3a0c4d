//! A desk in one file: its ledger, then its wire, record by record, as they can be appended to an empty journal.
//!
//! ```text
//! citydesk backup 1\n          what this is, readable with `head -1`
//! zstd frame, checksummed:     pieces, each behind its length (u32, little endian)
//!   head                       when, and how many records of each log follow
//!   record*                    the ledger's first, then the wire's
//!   end                        a file that broke off has none
//! ```
//!
//! The ledger comes first: it refers to the wire, and the wire goes on growing while it is copied. What the wire holds
//! beyond it is decided again after a restore, as after a kill. Store and poll book are left out: the first is made again
//! from the ledger, the second costs one unconditional request a source.

use std::io::{self, Read, Write};

use minicbor::{Decode, Encode};

use crate::journal::{Journal, Log, LogError, RECORD_MOST};
use crate::model::codec::{decode, encode};
use crate::model::time::Time;

/// First line of the file.
const MAGIC: &[u8] = b"citydesk backup 1\n";

/// zstd level: the records are compressed one by one already in the journal, here they help one another.
const LEVEL: i32 = 3;

/// Bytes read from a log at once.
const BATCH: usize = 4 << 20;

/// Longest piece: a record and the little around it.
const PIECE: usize = RECORD_MOST + 64;

/// Which log a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
enum Which {
    #[n(0)]
    Ledger,
    #[n(1)]
    Wire,
}

/// A piece of the file.
#[derive(Debug, Encode, Decode)]
enum Piece {
    #[n(0)]
    Head(#[n(0)] Count),
    #[n(1)]
    Record {
        #[n(0)]
        of: Which,
        #[n(1)]
        seq: u64,
        #[cbor(n(2), with = "minicbor::bytes")]
        bytes: Vec<u8>,
    },
    #[n(2)]
    End,
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Count {
    /// When it was made.
    #[n(0)]
    pub at: Time,
    /// Records of the ledger.
    #[n(1)]
    pub ledger: u64,
    /// Records of the wire.
    #[n(2)]
    pub wire: u64,
}

/// Why a backup could not be made or read back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be read or written.
    #[error("the backup: {0}")]
    Io(#[from] io::Error),
    /// Something else, or a backup of a later version.
    #[error("this is no backup that this citydesk can read: it does not begin with `citydesk backup 1`")]
    Foreign,
    /// It broke off, or bytes were changed.
    #[error("the backup is damaged ({0}): nothing was restored; take another one")]
    Damaged(String),
    /// A log refused.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Writes a backup of a journal that may be growing. `progress` is told the records written.
///
/// # Errors
/// [`BackupError::Io`] if `out` refuses, [`BackupError::Log`] if a log cannot be read.
pub fn write(
    journal: &Journal,
    at: Time,
    out: impl Write,
    mut progress: impl FnMut(u64),
) -> Result<Count, BackupError> {
    let logs = [(Which::Ledger, &journal.ledger), (Which::Wire, &journal.wire)];
    // The ledger's end is taken before the wire's: whatever it refers to is within.
    let ends = logs.map(|(_, log)| log.synced());
    let [ledger, wire] = [0, 1].map(|n: usize| ends[n] - logs[n].1.first());
    let count = Count { at, ledger, wire };
    let mut out = out;
    out.write_all(MAGIC)?;
    let mut out = zstd::Encoder::new(out, LEVEL)?;
    out.include_checksum(true)?;
    put(&mut out, &Piece::Head(count))?;
    let mut done = 0;
    for ((of, log), end) in logs.into_iter().zip(ends) {
        let mut from = log.first();
        while from < end {
            let records = log.read(from, BATCH)?;
            let Some((last, _)) = records.last() else { break };
            from = last.seq + 1;
            for (position, bytes) in records.into_iter().filter(|(position, _)| position.seq < end) {
                put(&mut out, &Piece::Record { of, seq: position.seq, bytes })?;
                done += 1;
                progress(done);
            }
        }
    }
    put(&mut out, &Piece::End)?;
    out.finish()?.flush()?;
    Ok(count)
}

fn put(out: &mut impl Write, piece: &Piece) -> io::Result<()> {
    let bytes = encode(piece);
    out.write_all(&(bytes.len() as u32).to_le_bytes())?;
    out.write_all(&bytes)
}

fn get(from: &mut impl Read) -> Result<Piece, BackupError> {
    let broken = |error: io::Error| BackupError::Damaged(error.to_string());
    let mut length = [0; 4];
    from.read_exact(&mut length).map_err(broken)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > PIECE {
        return Err(BackupError::Damaged(format!("a record of {length} bytes")));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).map_err(broken)?;
    decode(&bytes).map_err(|error| BackupError::Damaged(error.to_string()))
}

/// Reads a backup to its end and checks it.
///
/// # Errors
/// [`BackupError`]; [`BackupError::Damaged`] also if the file ends early.
pub fn verify(from: impl Read) -> Result<Count, BackupError> {
    walk(from, |_, _, _| Ok(()))
}

/// Appends a backup to an empty journal and syncs it. `progress` is told the records read. If it fails, what was
/// appended is worth nothing: the caller throws the journal away.
///
/// # Errors
/// [`BackupError`].
pub fn read(from: impl Read, journal: &Journal, mut progress: impl FnMut(u64)) -> Result<Count, BackupError> {
    let (mut ledger, mut wire) = (Held::new(&*journal.ledger), Held::new(&*journal.wire));
    let mut done = 0;
    let count = walk(from, |of, seq, bytes| {
        done += 1;
        progress(done);
        match of {
            Which::Ledger => ledger.take(seq, bytes),
            Which::Wire => wire.take(seq, bytes),
        }
    })?;
    ledger.finish()?;
    wire.finish()?;
    Ok(count)
}

/// Hands out every record of a backup, in order, and checks that nothing is missing and nothing was changed.
fn walk(
    from: impl Read,
    mut take: impl FnMut(Which, u64, Vec<u8>) -> Result<(), BackupError>,
) -> Result<Count, BackupError> {
    let mut from = io::BufReader::new(from);
    let mut magic = [0; MAGIC.len()];
    if from.read_exact(&mut magic).is_err() || magic != MAGIC {
        return Err(BackupError::Foreign);
    }
    let mut from = zstd::Decoder::with_buffer(from)?;
    let Piece::Head(count) = get(&mut from)? else {
        return Err(BackupError::Damaged("it does not say what it holds".to_owned()));
    };
    let (mut ledger, mut wire) = (0, 0);
    loop {
        match get(&mut from)? {
            Piece::Record { of, seq, bytes } => {
                *(if of == Which::Ledger { &mut ledger } else { &mut wire }) += 1;
                take(of, seq, bytes)?;
            }
            Piece::End => break,
            Piece::Head(_) => return Err(BackupError::Damaged("it begins twice".to_owned())),
        }
    }
    // zstd tells a wrong checksum at the end of its frame.
    let rest = io::copy(&mut from, &mut io::sink()).map_err(|error| BackupError::Damaged(error.to_string()))?;
    if (ledger, wire) != (count.ledger, count.wire) || rest != 0 {
        let due = format!("{} and {}", count.ledger, count.wire);
        return Err(BackupError::Damaged(format!("{ledger} and {wire} records instead of {due}")));
    }
    Ok(count)
}

/// Records on their way into a log.
struct Held<'a> {
    log: &'a dyn Log,
    waiting: Vec<Vec<u8>>,
    bytes: usize,
}

impl<'a> Held<'a> {
    fn new(log: &'a dyn Log) -> Self {
        Self { log, waiting: Vec::new(), bytes: 0 }
    }

    fn take(&mut self, seq: u64, bytes: Vec<u8>) -> Result<(), BackupError> {
        let due = self.log.next() + self.waiting.len() as u64;
        // Other records refer to this one by its number.
        if seq != due {
            return Err(BackupError::Damaged(format!("record {seq} where {due} is due")));
        }
        self.bytes += bytes.len();
        self.waiting.push(bytes);
        if self.bytes >= BATCH { self.append() } else { Ok(()) }
    }

    fn append(&mut self) -> Result<(), BackupError> {
        let records: Vec<&[u8]> = self.waiting.iter().map(Vec::as_slice).collect();
        if !records.is_empty() {
            self.log.append(Some(self.log.next()), &records)?;
        }
        self.waiting.clear();
        self.bytes = 0;
        Ok(())
    }

    fn finish(mut self) -> Result<(), BackupError> {
        self.append()?;
        self.log.sync()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(folder: &std::path::Path, records: u64) -> Journal {
        let journal = Journal::open(folder).unwrap();
        for n in 0..records {
            let text = format!("许昌市第{n}条 {}", "文".repeat(n as usize % 700));
            journal.wire.append(None, &[text.as_bytes(), b""]).unwrap();
            journal.ledger.append(None, &[text.as_bytes()]).unwrap();
        }
        journal.wire.sync().unwrap();
        journal.ledger.sync().unwrap();
        journal
    }

    fn all(log: &dyn Log) -> Vec<(crate::model::position::Position, Vec<u8>)> {
        let mut found = Vec::new();
        while let Some(more) = Some(log.read(found.len() as u64 + 1, BATCH).unwrap()).filter(|more| !more.is_empty()) {
            found.extend(more);
        }
        found
    }

    #[test]
    fn what_is_read_back_is_what_was_written_at_the_same_positions() {
        for records in [0, 1, 3_000] {
            let [old, new] = [0, 1].map(|_| tempfile::tempdir().unwrap());
            let before = journal(old.path(), records);
            let mut file = Vec::new();
            let count = write(&before, Time(7), &mut file, |_| ()).unwrap();
            assert_eq!(count, Count { at: Time(7), ledger: records, wire: 2 * records });
            let after = Journal::open(new.path()).unwrap();
            assert_eq!(read(&*file, &after, |_| ()).unwrap(), count);
            assert_eq!(all(&*before.ledger), all(&*after.ledger));
            assert_eq!(all(&*before.wire), all(&*after.wire));
        }
    }

    #[test]
    fn a_backup_that_broke_off_or_was_changed_is_refused() {
        let old = tempfile::tempdir().unwrap();
        let mut file = Vec::new();
        write(&journal(old.path(), 300), Time(7), &mut file, |_| ()).unwrap();
        let refused = |file: &[u8]| {
            let new = tempfile::tempdir().unwrap();
            read(file, &Journal::open(new.path()).unwrap(), |_| ()).unwrap_err()
        };
        for cut in [0, 5, MAGIC.len(), MAGIC.len() + 3, file.len() / 2, file.len() - 5, file.len() - 1] {
            let error = refused(&file[..cut]);
            assert!(matches!(error, BackupError::Damaged(_) | BackupError::Foreign), "{cut}: {error}");
        }
        for at in (MAGIC.len()..file.len()).step_by(97) {
            let mut changed = file.clone();
            changed[at] ^= 0x10;
            let error = refused(&changed);
            assert!(matches!(error, BackupError::Damaged(_) | BackupError::Io(_)), "{at}: {error}");
        }
        assert!(matches!(refused(b"PK\x03\x04 a zip file, say"), BackupError::Foreign));
    }
}
