//! When to ask again: the decisions of polling as plain functions.
//!
//! Often enough that nothing scrolls away unseen, seldom enough to be a good guest; always within the source's `every`,
//! except that a failing or overloaded server is left alone for longer.

use crate::model::id::{SourceId, hash64};
use crate::model::time::Time;

/// First interval of a source, where `every` allows it.
pub const START: i64 = 15 * Time::MINUTE;
/// Longest wait that a server can ask for by `Retry-After`.
pub const RETRY_MOST: i64 = Time::DAY;
/// Failures are followed by at least this pause before the first doubling.
pub const BACK_OFF: i64 = Time::MINUTE;
/// Failures are asked again at least so often, unless `every` says seldom anyway.
pub const BACK_OFF_MOST: i64 = Time::HOUR;
/// More unknown items than this share of an answer (in per cent): items may have scrolled away unseen.
pub const CROWDED: u64 = 67;
/// First polls of more sources than this at once are spread.
pub const AT_ONCE: usize = 50;
/// Over which time first polls are spread.
pub const SPREAD: i64 = Time::MINUTE;

/// What came of a poll, as far as pace is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// The first readable answer.
    First,
    /// A readable answer with so many items, of which so many were unknown.
    Items {
        /// In the answer.
        listed: u32,
        /// Unknown before.
        unknown: u32,
    },
    /// Nothing new, or nothing at all to read (304).
    Nothing,
    /// No readable answer; so many times in a row by now.
    Failure(u32),
    /// 410: it will not come back.
    Gone,
}

/// What the server said about when to come back, in milliseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// `Cache-Control`, `Expires`, `ttl`: nothing new before that. Obeyed within `every`.
    pub fresh: i64,
    /// `Retry-After`: obeyed beyond `every`, up to [`RETRY_MOST`].
    pub retry_after: Option<i64>,
    /// Items wait for their articles: asked again after this, whatever else is said.
    pub held: Option<i64>,
}

/// The next interval and the next due time. `interval` is the one so far, 0 if there was none.
#[must_use]
pub fn next(now: Time, source: &SourceId, every: (i64, i64), interval: i64, came: Came, said: Said) -> (i64, Time) {
    let (least, most) = (every.0.max(Time::SECOND), every.1.max(every.0).max(Time::SECOND));
    let before = if interval > 0 { interval } else { START };
    let interval = match came {
        Came::Items { listed, unknown } if u64::from(unknown) * 100 > CROWDED * u64::from(listed) => before / 2,
        Came::Nothing => before.saturating_mul(3) / 2,
        Came::First | Came::Items { .. } | Came::Failure(_) | Came::Gone => before,
    }
    .clamp(least, most);
    let wait = match came {
        Came::Gone => return (interval, Time(i64::MAX)),
        Came::Failure(failures) => back_off(source, least, most, failures),
        _ => interval.max(said.fresh.min(most)),
    };
    let wait = said.held.map_or(wait, |held| wait.min(held.max(Time::SECOND)));
    let wait = wait.max(said.retry_after.map_or(0, |retry| retry.min(RETRY_MOST)));
    (interval, now.plus(wait))
}

/// Doubles with each failure, up to a cap, and spreads up to a fifth more, so that sources that failed together do not
/// come back together. The spread is drawn from the source's name, not by lot: a test and a restart find the same.
fn back_off(source: &SourceId, least: i64, most: i64, failures: u32) -> i64 {
    let cap = most.max(BACK_OFF_MOST);
    let wait = least.max(BACK_OFF).saturating_mul(1 << failures.clamp(1, 30)).min(cap);
    let draw = hash64(&[source.as_str().as_bytes(), &failures.to_le_bytes()]) % 201;
    wait.saturating_add(wait / 1000 * i64::try_from(draw).unwrap_or(0))
}

/// When a source that is not in the poll book is asked first, as one of `many` such sources.
#[must_use]
pub fn first(now: Time, source: &SourceId, many: usize) -> Time {
    if many <= AT_ONCE {
        return now;
    }
    let draw = hash64(&[b"first", source.as_str().as_bytes()]) % SPREAD.unsigned_abs();
    now.plus(i64::try_from(draw).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_795_000_000_000);
    const M: i64 = Time::MINUTE;
    const H: i64 = Time::HOUR;

    fn id() -> SourceId {
        SourceId::new("dahe").unwrap()
    }

    #[test]
    fn pace_follows_what_came() {
        let wide = (2 * M, 12 * H);
        let some = |listed, unknown| Came::Items { listed, unknown };
        for (every, interval, came, expected) in [
            (wide, 0, Came::First, START),
            ((2 * H, 12 * H), 0, Came::First, 2 * H),
            ((M, 5 * M), 0, Came::First, 5 * M),
            (wide, 60 * M, some(20, 14), 30 * M),
            (wide, 60 * M, some(20, 13), 60 * M),
            (wide, 60 * M, some(20, 1), 60 * M),
            (wide, 3 * M, some(20, 20), 2 * M),
            (wide, 60 * M, Came::Nothing, 90 * M),
            (wide, 11 * H, Came::Nothing, 12 * H),
            (wide, 60 * M, some(0, 0), 60 * M),
            ((5 * M, 5 * M), 60 * M, Came::Nothing, 5 * M),
            ((5 * M, 5 * M), 5 * M, some(9, 9), 5 * M),
        ] {
            let (next_interval, due) = next(NOW, &id(), every, interval, came, Said::default());
            assert_eq!((next_interval, due), (expected, NOW.plus(expected)), "{every:?} {interval} {came:?}");
        }
    }

    #[test]
    fn what_the_server_says_counts() {
        let wide = (2 * M, 12 * H);
        let said = |fresh, retry_after| Said { fresh, retry_after, held: None };
        for (every, came, said, wait) in [
            (wide, Came::Items { listed: 9, unknown: 1 }, said(2 * H, None), 2 * H),
            (wide, Came::Items { listed: 9, unknown: 1 }, said(10 * M, None), H),
            (wide, Came::Items { listed: 9, unknown: 1 }, said(99 * H, None), 12 * H),
            ((5 * M, 5 * M), Came::Nothing, said(2 * H, None), 5 * M),
            ((5 * M, 5 * M), Came::Failure(1), said(0, Some(3 * H)), 3 * H),
            (wide, Came::Failure(1), said(0, Some(99 * H)), 24 * H),
            (wide, Came::Nothing, said(0, Some(20 * H)), 20 * H),
        ] {
            let (_, due) = next(NOW, &id(), every, H, came, said);
            assert_eq!(due.since(NOW), wait, "{every:?} {came:?} {said:?}");
        }
        assert_eq!(next(NOW, &id(), wide, H, Came::Gone, said(0, None)), (H, Time(i64::MAX)));
    }

    #[test]
    fn failures_back_off_and_keep_the_interval() {
        for (every, failures, wait) in [
            ((2 * M, 12 * H), 1, 4 * M),
            ((2 * M, 12 * H), 2, 8 * M),
            ((2 * M, 12 * H), 5, 64 * M),
            ((2 * M, 12 * H), 9, 12 * H),
            ((2 * M, 12 * H), u32::MAX, 12 * H),
            ((Time::SECOND, Time::SECOND), 1, 2 * M),
            ((5 * M, 5 * M), 4, H),
            ((24 * H, 24 * H), 1, 24 * H),
        ] {
            let (interval, due) = next(NOW, &id(), every, H, Came::Failure(failures), Said::default());
            let waited = due.since(NOW);
            assert!((wait..=wait + wait / 5).contains(&waited), "{every:?} {failures}: {waited}");
            assert_eq!(interval, H.clamp(every.0, every.1));
            assert_eq!(next(NOW, &id(), every, H, Came::Failure(failures), Said::default()).1, due, "no lot is drawn");
        }
        let spread: std::collections::BTreeSet<_> = (0..20)
            .map(|n| SourceId::new(&format!("s{n}")).unwrap())
            .map(|id| next(NOW, &id, (M, H), M, Came::Failure(1), Said::default()).1)
            .collect();
        assert!(spread.len() > 10, "sources that fail together come back apart");
    }

    #[test]
    fn few_sources_start_at_once_and_many_spread() {
        assert_eq!(first(NOW, &id(), AT_ONCE), NOW);
        let ids = (0..1000).map(|n| SourceId::new(&format!("s{n}")).unwrap());
        let waits: Vec<i64> = ids.map(|id| first(NOW, &id, 1000).since(NOW)).collect();
        assert!(waits.iter().all(|wait| (0..SPREAD).contains(wait)));
        for half in [0..SPREAD / 2, SPREAD / 2..SPREAD] {
            assert!(waits.iter().filter(|wait| half.contains(wait)).count() > 400);
        }
    }
}
