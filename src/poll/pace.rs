//! When to ask again: the decisions of polling as plain functions.
//!
//! Three wishes, and the earliest of them counts: *fresh*, often where and when news comes ([`SPACING`]); *whole*, a list is
//! looked at again before more than half of it can have changed ([`OVERLAP`]); *wary*, after an answer that was nearly all
//! new the time is halved until answers overlap again ([`CROWDED`]). All within the source's `every`; then what the server
//! said may put it off: hints within `every`, what it asks by `Retry-After`, `skipHours` and `skipDays` beyond.

use crate::model::book::Skip;
use crate::model::id::{SourceId, hash64};
use crate::model::rhythm::Rates;
use crate::model::time::Time;

/// Interval of a source that brings one item an hour. With the square root of its rate it becomes shorter: so a given
/// number of requests buys the least delay.
pub const SPACING: i64 = 23 * Time::MINUTE;
/// Of the list as it is now so much may have changed (in per cent) when it is looked at again: then 33 to 67 per cent of an
/// answer are known, give or take what chance does.
pub const OVERLAP: i64 = 50;
/// More unknown items than this share of an answer (in per cent): items may have scrolled away unseen.
pub const CROWDED: u64 = 67;
/// A source whose hub delivers is asked so many times more seldom.
pub const PUSHED: i64 = 10;
/// Longest wait that a server can ask for by `Retry-After`.
pub const RETRY_MOST: i64 = Time::DAY;
/// Longest spread on top of it, so that sources that were put off together do not come back together.
pub const RETRY_SPREAD: i64 = 10 * Time::MINUTE;
/// Over which time the sources of a host come back after it wanted quiet.
pub const APART: i64 = 5 * Time::MINUTE;
/// Longest wait for the end of skipped hours and days: a weekend and a night.
pub const SKIP_MOST: i64 = 3 * Time::DAY;
/// Failures are followed by at least this pause before the first doubling.
pub const BACK_OFF: i64 = Time::MINUTE;
/// Failures are asked again at least so often, unless `every` says seldom anyway. Up to here the pause doubles, beyond it
/// grows by half: an outage of hours is not followed by as many hours in which the source answers and nobody asks.
pub const BACK_OFF_MOST: i64 = Time::HOUR;
/// A server that forbids (403) is left alone at least so long; it may have done so because of us.
pub const FORBIDDEN: i64 = Time::HOUR;
/// A server that is asked too often (429) and says no time is left alone at least so long.
pub const TOO_MANY: i64 = 15 * Time::MINUTE;
/// Something odd is looked at again after this, before it is told.
pub const SECOND_LOOK: i64 = 10 * Time::MINUTE;
/// First polls of more sources than this at once are spread.
pub const AT_ONCE: usize = 50;
/// Over which time first polls are spread at least …
pub const SPREAD: i64 = Time::MINUTE;
/// … by so much a source, in milliseconds …
pub const SPREAD_EACH: i64 = 20;
/// … and at most.
pub const SPREAD_MOST: i64 = Time::HOUR;
/// What the wish for freshness is counted in: one whole wish.
const WHOLE: i64 = 1_000_000;

/// What the server said about when to come back, in milliseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// `Cache-Control`, `Expires`: nothing new before that. Obeyed within `every`.
    pub fresh: i64,
    /// `ttl`, `sy:update*` in the document. Obeyed within `every`.
    pub ttl: i64,
    /// `skipHours` and `skipDays` in the document. Obeyed beyond `every`, up to [`SKIP_MOST`], unless `every` is pinned.
    pub skip: Skip,
    /// `Retry-After`: obeyed beyond `every`, up to [`RETRY_MOST`].
    pub retry_after: Option<i64>,
    /// Items wait for their articles: asked again after this, whatever else is said.
    pub held: Option<i64>,
}

/// All that decides when a source that answers is asked again.
#[derive(Debug, Clone)]
pub struct Pace<'a> {
    /// Shortest and longest interval, in milliseconds.
    pub every: (i64, i64),
    /// What is to be expected.
    pub rates: &'a Rates,
    /// Items that its list shows; 0 if it shows none.
    pub window: u32,
    /// See [`crate::model::book::Entry::haste`].
    pub haste: i64,
    /// See [`crate::model::book::Entry::floor`].
    pub floor: i64,
    /// Whether its hub delivers.
    pub pushed: bool,
    /// What the server said.
    pub said: Said,
}

/// `every` made sane: at least a second, and no shorter at the end than at the beginning.
#[must_use]
pub fn bounds(every: (i64, i64)) -> (i64, i64) {
    let least = every.0.max(Time::SECOND);
    (least, every.1.max(least))
}

impl Pace<'_> {
    /// When a source that answered is asked next.
    #[must_use]
    pub fn next(&self, now: Time, source: &SourceId) -> Time {
        let (least, most) = bounds(self.every);
        let mut wait = self.wish(now, least, most);
        if self.haste > 0 {
            wait = wait.min(self.haste);
        }
        if least < most {
            // Sources with one rhythm do not come in one second.
            wait -= draw(source, &[&now.0.to_le_bytes()], wait / 16);
        }
        let wait = wait.max(self.floor).clamp(least, most);
        self.put_off(now, source, wait)
    }

    /// After what the server said.
    fn put_off(&self, now: Time, source: &SourceId, wait: i64) -> Time {
        let (least, most) = bounds(self.every);
        let hint = self.said.fresh.max(self.said.ttl).min(most);
        let wait = wait.max(hint);
        let wait = self.said.held.map_or(wait, |held| wait.min(held.max(Time::SECOND)));
        let due = now.plus(wait);
        let pinned = least == most || self.said.held.is_some();
        let due = due.max(now.plus(retry(source, now, self.said.retry_after)));
        if pinned { due } else { skipped(now, due, source, self.said.skip) }
    }

    /// How long freshness and wholeness can wait.
    fn wish(&self, now: Time, least: i64, most: i64) -> i64 {
        if least == most {
            return most;
        }
        let slow = if self.pushed { PUSHED } else { 1 };
        let whole = if self.window < 2 { i64::MAX } else { i64::from(self.window) * 1_000 * OVERLAP / 100 };
        let end = now.plus(most);
        let (mut at, mut wished, mut changed) = (now, 0, 0);
        while at < end {
            let edge = self.rates.edge(at).min(end);
            let (rate, span) = (self.rates.at(at), edge.since(at));
            let spacing = spacing(rate, most).saturating_mul(slow);
            let fresh = (WHOLE - wished).saturating_mul(spacing / 1_000) / (WHOLE / 1_000);
            let full = if rate > 0 { (whole - changed).saturating_mul(Time::HOUR) / rate } else { i64::MAX };
            let need = fresh.min(full).max(0);
            if need <= span {
                return at.plus(need).since(now);
            }
            wished += (span * (WHOLE / 1_000) / (spacing / 1_000).max(1)).max(0);
            changed += rate * span / Time::HOUR;
            at = edge;
        }
        most
    }
}

/// After the hours and days in which nobody is to ask.
fn skipped(now: Time, due: Time, source: &SourceId, skip: Skip) -> Time {
    let open = skip.after(due);
    // Not all of them in the first second.
    if open > due { open.plus(draw(source, &[b"skip"], APART)).min(now.plus(SKIP_MOST)).max(due) } else { due }
}

/// The interval that suits a rate, in thousandths of items an hour.
fn spacing(rate: i64, most: i64) -> i64 {
    let root = (rate.max(0).unsigned_abs() * 1_000).isqrt();
    match i64::try_from(root) {
        Ok(root) if root > 0 => (SPACING * 1_000 / root).clamp(Time::SECOND, most.max(Time::SECOND)),
        _ => most,
    }
}

/// When a source is asked again that brought no readable answer, for the nth time in a row.
#[must_use]
pub fn failed(now: Time, source: &SourceId, every: (i64, i64), failures: u32, status: u16, said: Said) -> Time {
    let (least, most) = bounds(every);
    let wait = back_off(source, least, most, failures);
    let wait = match status {
        403 => wait.max(FORBIDDEN),
        429 if said.retry_after.is_none() => wait.max(TOO_MANY),
        _ => wait,
    };
    // What a refusal says of its own freshness is when another answer can be expected.
    let fresh = said.fresh.min(if matches!(status, 429 | 503) { RETRY_MOST } else { most });
    let due = now.plus(wait.max(fresh).max(retry(source, now, said.retry_after)));
    if least == most { due } else { skipped(now, due, source, said.skip) }
}

/// `Retry-After`, capped and spread; never less than was asked for, up to the cap.
fn retry(source: &SourceId, now: Time, retry_after: Option<i64>) -> i64 {
    retry_after.filter(|wait| *wait > 0).map_or(0, |wait| {
        let wait = wait.min(RETRY_MOST);
        wait + draw(source, &[b"retry", &now.0.to_le_bytes()], (wait / 10).min(RETRY_SPREAD))
    })
}

/// How long after the quiet of its host a source is asked: one by one.
#[must_use]
pub fn apart(source: &SourceId) -> i64 {
    draw(source, &[b"apart"], APART)
}

/// Grows with each failure, up to a cap, and spreads, so that sources that failed together do not come back together: up
/// to a fifth more, at the cap up to a fifth less. The spread is drawn from the source's name, not by lot: a test and a
/// restart find the same.
fn back_off(source: &SourceId, least: i64, most: i64, failures: u32) -> i64 {
    let cap = most.max(BACK_OFF_MOST);
    let mut wait = least.max(BACK_OFF).saturating_mul(2);
    for _ in 1..failures {
        if wait >= cap {
            break;
        }
        wait = if wait < BACK_OFF_MOST { wait * 2 } else { wait.saturating_mul(3) / 2 };
    }
    let wait = wait.min(cap);
    let spread = draw(source, &[&failures.to_le_bytes()], wait / 5);
    if wait.saturating_add(spread) > cap { cap - spread } else { wait + spread }
}

/// A number from 0 to `most`, always the same for the same source and occasion.
fn draw(source: &SourceId, occasion: &[&[u8]], most: i64) -> i64 {
    let parts: Vec<&[u8]> = [source.as_str().as_bytes()].into_iter().chain(occasion.iter().copied()).collect();
    let share = i64::try_from(hash64(&parts) % 1_001).unwrap_or(0);
    most.max(0) / 1_000 * share
}

/// Over which time the first polls of so many sources are spread.
#[must_use]
pub fn spread(many: usize) -> i64 {
    (SPREAD_EACH.saturating_mul(i64::try_from(many).unwrap_or(i64::MAX))).clamp(SPREAD, SPREAD_MOST)
}

/// When a source that is not in the poll book, or should have been asked long ago, is asked first, as one of `many` such
/// sources.
#[must_use]
pub fn first(now: Time, source: &SourceId, many: usize) -> Time {
    if many <= AT_ONCE {
        return now;
    }
    let draw = hash64(&[b"first", source.as_str().as_bytes()]) % spread(many).unsigned_abs();
    now.plus(i64::try_from(draw).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rhythm::Rhythm;

    /// Monday 2026-11-23, 02:00 GMT.
    const NOW: Time = Time(1_795_399_200_000);
    const M: i64 = Time::MINUTE;
    const H: i64 = Time::HOUR;

    fn id() -> SourceId {
        SourceId::new("dahe").unwrap()
    }

    /// A source that brought an item each `gap`, over four weeks, without dates.
    fn steady(gap: i64) -> Rates {
        let mut rhythm = Rhythm::default();
        let begin = NOW.plus(-28 * Time::DAY);
        rhythm.learn(begin, 1, &[begin], 0);
        let mut at = begin;
        while at.plus(gap) <= NOW {
            at = at.plus(gap);
            rhythm.learn(at, 1, &[], 0);
        }
        rhythm.rates(0)
    }

    fn pace(rates: &Rates) -> Pace<'_> {
        let said = Said::default();
        Pace { every: (2 * M, 12 * H), rates, window: 20, haste: 0, floor: 0, pushed: false, said }
    }

    fn wait(pace: &Pace<'_>) -> i64 {
        pace.next(NOW, &id()).since(NOW)
    }

    #[test]
    fn the_more_a_source_brings_the_oftener_it_is_asked() {
        for (gap, from, to) in [(10 * M, 9, 11), (61 * M, 22, 26), (247 * M, 40, 60), (25 * H, 100, 180)] {
            let rates = steady(gap);
            let wait = wait(&pace(&rates));
            assert!((from * M..=to * M).contains(&wait), "{gap}: {wait}");
        }
    }

    #[test]
    fn a_list_is_looked_at_before_half_of_it_can_have_changed() {
        // Six an hour: fresh would be ten minutes; of a list of 20 the half is there after 100.
        let rates = steady(10 * M);
        let slow = Pace { pushed: true, window: 40, ..pace(&rates) };
        let short = Pace { window: 4, ..slow.clone() };
        assert!((85 * M..110 * M).contains(&wait(&slow)), "a tenth of the pace: {}", wait(&slow));
        assert!((16 * M..24 * M).contains(&wait(&short)), "half of four: {}", wait(&short));
    }

    #[test]
    fn every_bounds_it() {
        let rates = steady(10 * M);
        for (every, expected) in [((5 * M, 5 * M), 5 * M), ((H, 12 * H), H), ((Time::SECOND, 2 * M), 2 * M)] {
            let wait = wait(&Pace { every, ..pace(&rates) });
            assert!((expected - expected / 16..=expected).contains(&wait) && wait >= every.0, "{every:?} {wait}");
        }
        let idle = Rhythm::default();
        let mut idle_now = idle;
        idle_now.learn(NOW.plus(-40 * Time::DAY), 0, &[NOW.plus(-41 * Time::DAY)], 0);
        for day in (1..40).rev() {
            idle_now.learn(NOW.plus(-day * Time::DAY), 0, &[], 0);
        }
        let rates = idle_now.rates(0);
        assert!((3 * H..=12 * H).contains(&wait(&pace(&rates))), "{}", wait(&pace(&rates)));
    }

    #[test]
    fn what_the_server_says_counts() {
        let rates = steady(H);
        let plain = pace(&rates);
        let said = |fresh, ttl, retry_after| Said { fresh, ttl, retry_after, ..Said::default() };
        for (every, said, from, to) in [
            ((2 * M, 12 * H), said(2 * H, 0, None), 2 * H, 2 * H),
            ((2 * M, 12 * H), said(0, 3 * H, None), 3 * H, 3 * H),
            ((2 * M, 12 * H), said(99 * H, 0, None), 12 * H, 12 * H),
            // Pinned by the operator, who may have talked to the site.
            ((5 * M, 5 * M), said(2 * H, 2 * H, None), 5 * M, 5 * M),
            ((5 * M, 5 * M), said(0, 0, Some(3 * H)), 3 * H, 3 * H + RETRY_SPREAD),
            ((2 * M, 12 * H), said(0, 0, Some(20 * H)), 20 * H, 20 * H + RETRY_SPREAD),
            ((2 * M, 12 * H), said(0, 0, Some(88 * H)), 24 * H, 24 * H + RETRY_SPREAD),
        ] {
            let wait = wait(&Pace { every, said, ..plain.clone() });
            assert!((from..=to).contains(&wait), "{every:?} {said:?}: {wait}");
        }
        // It is 02:00 GMT on a Monday, an item is due each hour.
        let skip = Skip { hours: 0b1_1111 << 2, days: 0 };
        let night = wait(&Pace { said: Said { skip, ..Said::default() }, ..plain.clone() });
        assert!((5 * H..5 * H + 6 * M).contains(&night), "{night}");
        let monday = Skip { hours: 0, days: 1 };
        let day = wait(&Pace { said: Said { skip: monday, ..Said::default() }, ..plain.clone() });
        assert!((22 * H..22 * H + 6 * M).contains(&day), "beyond `every`: {day}");
        let pinned = Pace { every: (H, H), said: Said { skip: monday, ..Said::default() }, ..plain.clone() };
        assert_eq!(wait(&pinned), H);
        // Articles that wait are worth a look out of turn.
        let held = Said { fresh: 9 * H, held: Some(2 * M), ..Said::default() };
        assert_eq!(wait(&Pace { said: held, ..plain }), 2 * M);
    }

    #[test]
    fn a_crowded_list_is_hurried_and_a_server_that_was_asked_too_often_spared() {
        let rates = steady(H);
        let hurried = wait(&Pace { haste: 4 * M, ..pace(&rates) });
        assert!((3 * M..=4 * M).contains(&hurried), "{hurried}");
        assert_eq!(wait(&Pace { floor: 2 * H, haste: 4 * M, ..pace(&rates) }), 2 * H);
    }

    #[test]
    fn failures_back_off() {
        for (every, failures, status, least, most) in [
            ((2 * M, 12 * H), 1, 500, 4 * M, 4 * M * 6 / 5),
            ((2 * M, 12 * H), 2, 0, 8 * M, 8 * M * 6 / 5),
            ((2 * M, 12 * H), 5, 404, 64 * M, 64 * M * 6 / 5),
            ((2 * M, 12 * H), 6, 500, 96 * M, 96 * M * 6 / 5),
            ((2 * M, 12 * H), 11, 500, 12 * H * 4 / 5, 12 * H),
            ((2 * M, 12 * H), u32::MAX, 500, 12 * H * 4 / 5, 12 * H),
            ((2 * M, 12 * H), 1, 403, H, H),
            ((2 * M, 12 * H), 1, 429, 15 * M, 15 * M),
            ((2 * M, 12 * H), 1, 503, 4 * M, 4 * M * 6 / 5),
            ((Time::SECOND, Time::SECOND), 1, 500, 2 * M, 2 * M * 6 / 5),
            ((5 * M, 5 * M), 4, 500, H * 4 / 5, H),
            ((24 * H, 24 * H), 1, 500, 24 * H * 4 / 5, 24 * H),
        ] {
            let due = failed(NOW, &id(), every, failures, status, Said::default());
            let waited = due.since(NOW);
            assert!((least..=most).contains(&waited), "{every:?} {failures} {status}: {waited}");
            assert_eq!(failed(NOW, &id(), every, failures, status, Said::default()), due, "no lot is drawn");
        }
        let spread: std::collections::BTreeSet<_> = (0..20)
            .map(|n| SourceId::new(&format!("s{n}")).unwrap())
            .map(|id| failed(NOW, &id, (M, H), 1, 500, Said::default()))
            .collect();
        assert!(spread.len() > 10, "sources that fail together come back apart");
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let said = |fresh, retry_after| Said { fresh, retry_after, ..Said::default() };
        for (status, said, from, to) in [
            (503, said(0, Some(2 * H)), 2 * H, 2 * H + RETRY_SPREAD),
            (429, said(0, Some(99 * H)), 24 * H, 24 * H + RETRY_SPREAD),
            (429, said(0, Some(0)), 4 * M, 5 * M),
            // A 429 whose Cache-Control says two days, and nothing else.
            (429, said(48 * H, None), 24 * H, 24 * H),
            (503, said(20 * H, None), 20 * H, 20 * H),
            (404, said(48 * H, None), 12 * H, 12 * H),
        ] {
            let wait = failed(NOW, &id(), (2 * M, 12 * H), 1, status, said).since(NOW);
            assert!((from..=to).contains(&wait), "{status} {said:?}: {wait}");
        }
        let both: std::collections::BTreeSet<_> = (0..20)
            .map(|n| SourceId::new(&format!("s{n}")).unwrap())
            .map(|id| failed(NOW, &id, (M, H), 1, 429, said(0, Some(H))))
            .collect();
        assert!(both.len() > 10 && both.iter().all(|due| due.since(NOW) >= H), "spread, and never too early");
    }

    #[test]
    fn few_sources_start_at_once_and_many_spread() {
        assert_eq!(first(NOW, &id(), AT_ONCE), NOW);
        for (many, over) in [(1_000, M), (10_000, 200 * Time::SECOND), (100_000, 2_000 * Time::SECOND), (1_000_000, H)]
        {
            assert_eq!(spread(many), over);
        }
        let ids = (0..1000).map(|n| SourceId::new(&format!("s{n}")).unwrap());
        let waits: Vec<i64> = ids.map(|id| first(NOW, &id, 1000).since(NOW)).collect();
        assert!(waits.iter().all(|wait| (0..SPREAD).contains(wait)));
        for half in [0..SPREAD / 2, SPREAD / 2..SPREAD] {
            assert!(waits.iter().filter(|wait| half.contains(wait)).count() > 400);
        }
    }
}
