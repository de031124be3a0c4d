//! What is concluded from a look at a source: how it is doing and why, when it is asked next, and whether "not modified" is
//! believed. Plain functions of what was seen and of the poll book, with the time handed in: the daemon and the simulated
//! fleet run the same code.

use crate::model::book::{Change, Entry, Signs, State, Validators};
use crate::model::rhythm::Rates;
use crate::model::source::{Kind, Source};
use crate::model::time::Time;
use crate::model::why::{Lost, Quiet, Why};

use super::pace::{self, Pace, Said};

/// A rhythm is believed after so many items …
const KNOWN_ITEMS: u64 = 20;
/// … and so long a watch.
const KNOWN_TIME: i64 = 12 * Time::DAY;
/// Before that, after so long a watch …
const HALF_KNOWN: i64 = 3 * Time::DAY;
/// … it is believed when so many per cent of that are missing: it may not have shown its quiet days yet.
const HALF_SURE: i64 = 125;
/// Until it has shown a whole weekend, which may be empty, so many per cent must be missing of all days …
const UNSURE: i64 = 200;
/// … or so many of working days alone.
const WORKING: i64 = 150;
/// So long a source must have been watched before its days are known to be alike, or not.
const A_WEEK: i64 = 7 * Time::DAY;
/// So many items in thousandths must be missing before a source that brings one a week is late: by chance alone that
/// happens once in some 400 such lulls …
const MISSING: i64 = 6_000;
/// … and so many more with each doubling of its pace: who has more lulls has longer ones by chance.
const MISSING_MORE: i64 = 700;
/// A lull must be so much longer than any before, in per cent.
const LONGER: i64 = 150;
/// So many "not modified" in a row before they are doubted.
const DOUBTFUL: u32 = 2;
/// Enough to doubt by, though not to judge by.
const GLIMPSE: i64 = 6 * Time::HOUR;
/// Doubted at most so often …
pub const DOUBT: i64 = 7 * Time::DAY;
/// … but when a whole list may have scrolled by since, or the source is about to be called late.
pub const DOUBT_WINDOW: i64 = 6 * Time::HOUR;
/// A list may have scrolled by when that takes no more than so many standard deviations above what is expected. Of 10,000
/// sources some 200 lie: with four, one whole list in some weeks of theirs was lost.
const DEVIATIONS: i64 = 5;
/// So many items, in thousandths, may be missing before it is doubted, of a server that was never seen to send news after a "not modified".
const UNPROVEN: i64 = 3_000;
/// How old the newest item must be for it to be told, in per cent of what is expected, where the rhythm does not say so.
const OLD: i64 = 133;
/// Failures in a row that make it certain: a network fails now and then.
const CERTAIN: u32 = 3;
/// Validators that lied are not sent for so long.
pub const LIARS: i64 = 30 * Time::DAY;
/// How often the address in feeds.toml itself is asked, of a source that moved for good.
pub const WRITTEN: i64 = 7 * Time::DAY;
/// First shortest interval of a source whose answers are not readable; it doubles from answer to answer.
const UNREADABLE: i64 = 15 * Time::MINUTE;

/// What a readable document showed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Read {
    /// Items in it.
    pub listed: u32,
    /// Of these unknown.
    pub unknown: u32,
    /// New or changed, and filed.
    pub filed: u32,
    /// The newest believable date.
    pub newest: Option<Time>,
    /// Dates of the unknown ones, where they have any.
    pub moments: Vec<Time>,
    /// What was odd about it.
    pub signs: Signs,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// A readable document.
    Read(Read),
    /// 304, files that nobody touched.
    NotModified,
    /// The same bytes as last time.
    Same,
    /// No readable answer.
    Failed {
        /// HTTP status, 0 if there was none.
        status: u16,
        /// What failed, in a word.
        kind: &'static str,
        /// Whether it is our own trouble, not the source's.
        ours: bool,
        /// What happened, in a sentence.
        reason: String,
    },
}

/// What was seen of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When it was asked.
    pub asked: Time,
    /// When the answer was there.
    pub at: Time,
    /// Whether it was asked without conditions although there were validators.
    pub doubted: bool,
    /// What came.
    pub came: Came,
    /// What the server said about when to come back. `fresh` only if the answer had it; `ttl` and `skip` are taken from
    /// documents alone.
    pub said: Said,
}

/// What local time of a source is ahead of UTC, in milliseconds.
#[must_use]
pub fn east(source: &Source, now: Time) -> i64 {
    use chrono::Offset as _;
    let zone: chrono_tz::Tz = source.rules.zone.parse().unwrap_or(chrono_tz::UTC);
    let offset = chrono::TimeZone::offset_from_utc_datetime(&zone, &now.utc().naive_utc()).fix();
    i64::from(offset.local_minus_utc()) * Time::SECOND
}

/// `every` as it is for this kind of source.
#[must_use]
pub fn every(source: &Source) -> (i64, i64) {
    match &source.kind {
        // Looking at a folder costs nothing: always at the quick end.
        Kind::Files(_) => (source.every.0, source.every.0),
        _ => source.every,
    }
}

/// Whether a source with validators is to be asked without them: by its rhythm something should be there, and all it says
/// is "not modified". Some servers say so for ever.
#[must_use]
pub fn doubts(source: &Source, book: &Entry, now: Time) -> bool {
    if book.lies.is_some_and(|until| now < until) {
        return true;
    }
    if matches!(source.kind, Kind::Files(_)) || book.unmodified < DOUBTFUL {
        return false;
    }
    let doubted = book.doubted.map_or(i64::MAX, |before| now.since(before));
    let rates = book.rhythm.rates(east(source, now));
    // When it was certain last that nothing is missing. The next look may come too late.
    if let Some(whole) = book.last_new.max(book.doubted).or(book.rhythm.last())
        && now.since(whole) + book.interval > every(source).1.max(DOUBT_WINDOW)
        && fleeting(book, &rates)
    {
        return true;
    }
    if let Some(last) = book.rhythm.last() {
        let since = rates.expected(last.max(book.doubted.unwrap_or(last)), now);
        // A quiet that a doubt has confirmed is believed for as long again.
        let believed = book.doubted.map_or(0, |before| before.since(last));
        let unproven = !book.proven && since >= UNPROVEN && doubted >= believed;
        if doubted >= DOUBT_WINDOW && (unproven || scrolled(book, since)) {
            return true;
        }
        if book.rhythm.items() >= KNOWN_ITEMS / 2 && book.rhythm.watched() >= GLIMPSE {
            // A request is soon made, a word to whoever is on call is not: half of what makes it late is enough.
            let overdue = since >= bound(book, &rates) / 2;
            return (doubted >= DOUBT && overdue) || (doubted >= DOUBT_WINDOW && turns_late(book, now, &rates));
        }
    }
    // Of unknown rhythm: nothing for as long as the longest interval.
    let quiet = book.last_new.map_or(0, |last| now.since(last));
    quiet >= source.every.1.max(12 * Time::HOUR)
        && doubted >= if book.rhythm.items() == 0 || fruitful(book) { DOUBT_WINDOW } else { DOUBT }
}

/// Whether it would be called late now and was not before.
fn turns_late(book: &Entry, now: Time, rates: &Rates) -> bool {
    book.state != State::Late && lull(book, now, rates).is_some_and(|lull| lull.share >= 100)
}

/// Whether nothing may be left of the list where so many items, in thousandths, are expected: [`DEVIATIONS`] above the mean,
/// and one heap more.
fn scrolled(book: &Entry, expected: i64) -> bool {
    let heap = book.rhythm.heap();
    let expected = expected.saturating_mul(1_000) / heap;
    let deviation = i64::try_from((expected.max(0).unsigned_abs() * 1_000).isqrt()).unwrap_or(i64::MAX);
    let list = i64::from(book.listed).saturating_mul(1_000_000) / heap;
    book.listed > 1 && expected.saturating_add(deviation.saturating_mul(DEVIATIONS)).saturating_add(1_000) >= list
}

/// Whether one busy day may leave nothing of the list: then nobody who asks twice a day may believe that it is the same list
/// for longer than that. Of a source that was watched for less than a week, only its Sunday may be known: what is expected of
/// a week may come on one day.
fn fleeting(book: &Entry, rates: &Rates) -> bool {
    scrolled(book, if young(book) { rates.weekly() } else { rates.busiest() })
}

/// Whether the last doubt found news. One may have come in that moment; so it is worth another look, not a verdict.
fn fruitful(book: &Entry) -> bool {
    book.doubted.is_some() && book.last_new >= book.doubted
}

/// Whether it was not watched for a whole week yet.
fn young(book: &Entry) -> bool {
    book.rhythm.watched() < A_WEEK
}

/// How many items must be missing, in thousandths, to make a source late.
fn bound(book: &Entry, rates: &Rates) -> i64 {
    // What comes in heaps is missing in heaps.
    let heap = book.rhythm.heap();
    let weekly = (rates.weekly() / heap).max(1).unsigned_abs();
    let chance = (MISSING + MISSING_MORE * i64::from(weekly.ilog2())).saturating_mul(heap) / 1_000;
    chance.max(book.rhythm.lull().saturating_mul(LONGER) / 100)
}

/// A time without news.
struct Lull {
    /// Items that should have come in it, in thousandths.
    missing: i64,
    /// In per cent of what makes the source late.
    share: i64,
}

/// How long nothing has come. `None` while the rhythm is not known.
fn lull(book: &Entry, now: Time, rates: &Rates) -> Option<Lull> {
    let rhythm = &book.rhythm;
    if rhythm.items() < KNOWN_ITEMS || rhythm.watched() < HALF_KNOWN {
        return None;
    }
    let last = rhythm.last()?;
    let missing = rates.expected(last, now);
    let bound = bound(book, rates).max(1);
    let share = |missing: i64, surely: i64| missing.saturating_mul(10_000) / bound.saturating_mul(surely).max(1);
    let share = if !rhythm.weekend(rates.east()) {
        share(missing, UNSURE).max(share(rates.working().expected(last, now), WORKING))
    } else if rhythm.watched() < KNOWN_TIME {
        share(missing, HALF_SURE)
    } else {
        share(missing, 100)
    };
    Some(Lull { missing, share })
}

/// Notes in the poll book what was seen, judges how the source is doing, and plans when it is asked next. Returns what is to
/// be told, if its state changed and that is certain.
pub fn conclude(source: &Source, book: &mut Entry, seen: Seen) -> Option<Change> {
    let Seen { asked, at, doubted, came, mut said } = seen;
    let elapsed = book.last_asked.map(|before| asked.since(before).max(0));
    book.last_asked = Some(asked);
    if doubted && !matches!(came, Came::Failed { .. }) {
        // What was not answered dispels no doubt.
        book.doubted = Some(at);
    }
    let every = every(source);
    let (least, most) = pace::bounds(every);
    let east = east(source, at);
    let before = book.state;
    if let Came::Failed { status, kind, ours, reason } = came {
        // Our own trouble is not held against the source, nor does it make us wait longer each time.
        let failures = if ours { 1 } else { book.failures.saturating_add(1) };
        book.retry_after = said.retry_after.map(|wait| at.plus(wait.min(pace::RETRY_MOST)));
        said.skip = book.skip;
        book.due = pace::failed(at, source.id(), every, failures, status, said);
        if !ours {
            book.failures = failures;
            book.troubled = book.troubled.saturating_add(1);
            (book.why, book.reason) = (Some(Why::Failed { kind: kind.to_owned(), status }), reason);
            book.state = if status == 410 { State::Gone } else { State::Broken };
            if matches!(status, 403 | 429) {
                // It will be asked less often from now on, also once it answers again.
                book.floor = book.floor.max(book.interval).max(least).saturating_mul(2).min(most);
            }
        }
        if status == 410 {
            book.due = Time(i64::MAX);
        }
        book.interval = if book.interval > 0 { book.interval } else { book.due.since(at).clamp(least, most) };
        let certain = book.troubled >= if matches!(status, 401 | 403 | 404) { 2 } else { CERTAIN };
        return told(book, before, at, certain);
    }
    let before_good = book.last_good;
    let first = before_good.is_none();
    (book.failures, book.retry_after, book.last_good) = (0, None, Some(at));
    match came {
        Came::Read(read) => {
            if doubted && !first && book.unmodified > 0 && lied(&read, before_good) {
                book.lies = Some(at.plus(LIARS));
            }
            if !doubted && read.unknown > 0 && book.unmodified > 0 {
                book.proven = true;
            }
            if book.lies.is_some_and(|until| at < until) {
                book.proven = false;
                book.validators = Validators::default();
            }
            book.unmodified = 0;
            book.hint = said.fresh;
            (book.ttl, book.skip) = (said.ttl, said.skip);
            learn(book, &read, at, east, first, elapsed, (least, most));
        }
        unchanged => {
            if unchanged == Came::NotModified {
                book.unmodified = book.unmodified.saturating_add(1);
                // RFC 9111 section 4.3.4: what a 304 says of freshness counts; what it does not repeat still holds.
                book.hint = if said.fresh > 0 { said.fresh } else { book.hint };
            } else {
                book.unmodified = 0;
                book.hint = said.fresh;
            }
            book.rhythm.learn(at, 0, &[], east);
            relax(book, most);
        }
    }
    (said.fresh, said.ttl, said.skip) = (book.hint, book.ttl, book.skip);
    let rates = book.rhythm.rates(east);
    (book.state, book.why) = judge(source, book, at, &rates);
    // Before a source is called late because it says "not modified", that is doubted.
    let doubt = book.state == State::Late && doubts(source, book, at);
    if doubt {
        (book.state, book.why) = (State::Ok, None);
    }
    book.reason = book.why.as_ref().map(Why::to_string).unwrap_or_default();
    let few = book.listed < source.expect.items;
    let odd = book.state == State::Broken || (book.state == State::Silent && few);
    if book.state > State::Ok {
        book.troubled = book.troubled.saturating_add(1);
    } else {
        book.troubled = 0;
    }
    // What cannot be read is asked for ever more seldom; who told us to come less often is believed for a while.
    book.floor = if odd && book.troubled > 1 {
        book.floor.max(UNREADABLE / 2).saturating_mul(2).min(most)
    } else if odd || book.floor <= least {
        0
    } else {
        book.floor * 7 / 8
    };
    let haste = if doubt || (odd && book.troubled == 1) { least.max(pace::SECOND_LOOK) } else { book.haste };
    let pushed = book.pushed.filter(|until| at < *until);
    let pace = Pace { every, rates: &rates, window: book.listed, haste, floor: book.floor, pushed: false, said };
    book.due = pace.next(at, source.id());
    if let Some(until) = pushed {
        // When the hub is believed no longer, the wait is over as well.
        let slow = Pace { pushed: true, ..pace }.next(at, source.id());
        book.due = slow.min(book.due.max(until));
    }
    book.interval = book.due.since(at);
    let certain = match book.state {
        // A weekend may be longer than what is expected; a lull by the rhythm is certain.
        State::Silent if !few && book.signs == Signs::default() => {
            let newest = book.newest.or(book.last_new).unwrap_or(at);
            let late = lull(book, at, &rates).is_some_and(|lull| lull.share >= 50);
            late || at.since(newest) * 100 >= source.expect.newest.saturating_mul(OLD)
        }
        State::Silent | State::Broken => book.troubled > 1,
        _ => true,
    };
    told(book, before, at, certain)
}

/// Notes in the poll book what a hub delivered. Its list may be a part of the whole: it says when there is news, and nothing
/// of how the source itself is doing or when it is asked next.
pub fn delivered(source: &Source, book: &mut Entry, read: &Read, at: Time) {
    book.rhythm.learn(at, read.unknown, &read.moments, east(source, at));
    book.newest = book.newest.max(read.newest);
    if read.filed > 0 {
        book.last_new = Some(at);
    }
}

/// Whether there was news when "not modified" was said last: by its dates, or because there is so much of it.
fn lied(read: &Read, before: Option<Time>) -> bool {
    let old = |moment: &&Time| before.is_some_and(|before| **moment < before.plus(-Time::MINUTE));
    if read.moments.is_empty() {
        read.unknown > 1 && read.unknown * 4 >= read.listed
    } else {
        read.moments.iter().filter(old).count() > 1
    }
}

/// Learns from a document.
fn learn(
    book: &mut Entry,
    read: &Read,
    at: Time,
    east: i64,
    first: bool,
    elapsed: Option<i64>,
    (least, most): (i64, i64),
) {
    book.rhythm.learn(at, read.unknown, &read.moments, east);
    let crowded = u64::from(read.unknown) * 100 > pace::CROWDED * u64::from(read.listed);
    if !first && read.listed > 1 && crowded {
        let elapsed = elapsed.unwrap_or(most).clamp(least, most);
        let before = if book.haste > 0 { book.haste } else { most };
        book.haste = (elapsed / 2).min(before).max(least);
    } else if u64::from(read.unknown) * 100 <= (100 - pace::CROWDED) * u64::from(read.listed) {
        relax(book, most);
    }
    (book.listed, book.newest, book.signs) = (read.listed, read.newest, read.signs);
    if read.listed > 0 {
        // Three quarters of what it was: one short list is no new habit.
        book.usual = if book.usual == 0 { read.listed } else { (book.usual * 3 + read.listed).div_ceil(4) };
    }
    if read.filed > 0 {
        book.last_new = Some(at);
    }
}

/// The worry that items scroll away goes by and by.
fn relax(book: &mut Entry, most: i64) {
    if book.haste > 0 {
        book.haste = book.haste.saturating_mul(3) / 2;
        if book.haste >= most {
            book.haste = 0;
        }
    }
}

/// What is to be told of a change of state that is certain. That all is well again and that a source is gone always are.
fn told(book: &mut Entry, before: State, at: Time, certain: bool) -> Option<Change> {
    if book.state != before || book.since.is_none() {
        book.since = Some(at);
    }
    let certain = match book.state {
        State::New => false,
        State::Ok | State::Gone => true,
        _ => certain,
    };
    if !certain || book.state == book.told {
        return None;
    }
    let from = std::mem::replace(&mut book.told, book.state);
    // That a new source works is nothing to tell.
    (from != State::New || book.state != State::Ok).then(|| Change {
        from,
        to: book.state,
        reason: book.reason.clone(),
    })
}

/// How a source that answered is doing, by what is expected of it and by its rhythm, and why.
fn judge(source: &Source, book: &Entry, now: Time, rates: &Rates) -> (State, Option<Why>) {
    let (expect, listed) = (&source.expect, book.listed);
    if book.signs.has(Signs::LOGIN) {
        return (State::Broken, Some(Why::Login));
    }
    if listed < expect.items {
        return (State::Silent, Some(few(source, book)));
    }
    if book.signs.has(Signs::GARBLED) {
        return (State::Broken, Some(Why::Garbled { listed, charset: book.charset.clone() }));
    }
    let dated = !matches!(source.kind, Kind::Files(_));
    if dated && book.signs.has(Signs::FUTURE) {
        return (State::Silent, Some(Why::Future { listed }));
    }
    // Of a list without dates it is known when something new appeared on it.
    let newest = book.newest.or(book.last_new).filter(|_| dated && expect.newest > 0);
    if let Some(newest) = newest.filter(|newest| now.since(*newest) > expect.newest) {
        let (dated, expected) = (book.newest.is_some(), expect.newest);
        return (State::Silent, Some(Why::Old { newest, dated, expected, quiet: whose(source, book), listed }));
    }
    if let Some(lull) = lull(book, now, rates).filter(|lull| dated && lull.share >= 100) {
        let (last, missing) = (book.rhythm.last().unwrap_or(now), (lull.missing / 1_000).unsigned_abs());
        return (State::Late, Some(Why::Late { last, missing, quiet: whose(source, book), listed }));
    }
    (State::Ok, None)
}

/// Whether the publisher is quiet or something broke between it and us, as far as that shows.
fn whose(source: &Source, book: &Entry) -> Quiet {
    if book.unmodified > 0 {
        let doubted = book.doubted.is_some_and(|doubted| book.last_new.is_some_and(|last| doubted > last));
        return if doubted { Quiet::Confirmed } else { Quiet::Claimed };
    }
    match source.kind {
        Kind::Page { .. } | Kind::Api { .. } => Quiet::Page,
        _ => Quiet::Publisher,
    }
}

/// Why there are too few items.
fn few(source: &Source, book: &Entry) -> Why {
    let (listed, expected, usual) = (book.listed, source.expect.items, book.usual);
    if listed > 0 || usual == 0 {
        return Why::Few { listed, expected };
    }
    let lost = match &source.kind {
        Kind::Page { list, .. } if !list.is_empty() => Lost::List,
        Kind::Page { links: Some(_), .. } => Lost::Links,
        Kind::Page { .. } => Lost::Guessed,
        Kind::Api { .. } => Lost::Json,
        Kind::Feed(_) | Kind::Sitemap(_) => Lost::Publisher,
        Kind::Files(_) => Lost::Files,
    };
    Why::Empty { lost, usual }
}

/// Notes where 301 and 308 lead, since when and how often in a row; anything else on the way breaks the chain. `lasting` is
/// the last address of the permanent part of the way, `written` whether the address in feeds.toml itself was asked.
pub fn moved(book: &mut Entry, lasting: Option<&str>, written: bool, now: Time) {
    if !written {
        return; // The new address answers; whether the old one still leads there was not asked.
    }
    book.written = Some(now);
    let Some(to) = lasting else {
        (book.moved, book.moves) = (None, 0);
        return;
    };
    match &book.moved {
        Some((before, _)) if before == to => book.moves = book.moves.saturating_add(1),
        _ => (book.moved, book.moves) = (Some((to.to_owned(), now)), 1),
    }
}

/// The address to ask: where the source moved for good, unless a week has gone since the one in feeds.toml was asked, or the
/// new one has failed. What is secret in an address or in headers is never taken elsewhere.
#[must_use]
pub fn address<'a>(source: &'a Source, book: &'a Entry, now: Time) -> (&'a str, bool) {
    let written = source.kind.address();
    let open = source.how.headers.is_empty() && !written.contains("${") && !written.contains('@');
    let posts = matches!(&source.kind, Kind::Api { post, .. } if !post.is_empty());
    let lately = book.written.is_some_and(|before| now.since(before) < WRITTEN);
    match book.settled(now) {
        Some(to) if open && !posts && lately && book.failures == 0 => (to, false),
        _ => (written, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::book::Skip;
    use crate::model::id::SourceId;
    use crate::model::source::{Expect, How, ListPattern, SourceRules};

    /// Monday 2026-11-23, 00:00 GMT.
    const MONDAY: Time = Time(1_795_392_000_000);
    const M: i64 = Time::MINUTE;
    const H: i64 = Time::HOUR;

    fn source(kind: Kind) -> Source {
        Source {
            rules: SourceRules { id: SourceId::new("dahe").unwrap(), zone: "UTC".to_owned(), ..SourceRules::default() }
                .into(),
            kind,
            every: (2 * M, 12 * H),
            expect: Expect { items: 1, newest: 3 * Time::DAY },
            timeout: 1000,
            how: std::sync::Arc::default(),
        }
    }

    fn feed() -> Source {
        source(Kind::Feed("https://dahe.example/rss".to_owned()))
    }

    fn seen(at: Time, came: Came) -> Seen {
        Seen { asked: at, at, doubted: false, came, said: Said::default() }
    }

    fn read(listed: u32, unknown: u32, at: Time) -> Came {
        let moments = (0..unknown).map(|n| at.plus(-i64::from(n) * H)).collect();
        let newest = Some(at.plus(-M));
        Came::Read(Read { listed, unknown, filed: unknown, newest, moments, signs: Signs::default() })
    }

    /// The same without dates.
    fn undated(listed: u32, unknown: u32) -> Came {
        Came::Read(Read { listed, unknown, filed: unknown, ..Read::default() })
    }

    fn failed(status: u16) -> Came {
        Came::Failed { status, kind: "status", ours: false, reason: format!("the server answers {status}") }
    }

    /// A source that brought an item an hour for four weeks, its book as of the end.
    fn steady(source: &Source) -> (Entry, Time) {
        let mut book = Entry::default();
        for hour in 0..28 * 24 {
            let at = MONDAY.plus(hour * H);
            conclude(source, &mut book, seen(at, read(20, u32::from(hour > 0) + 19 * u32::from(hour == 0), at)));
        }
        (book, MONDAY.plus((28 * 24 - 1) * H))
    }

    #[test]
    fn a_good_source_is_ok_and_nothing_is_told() {
        let (book, last) = steady(&feed());
        assert_eq!((book.state, book.told, book.reason.as_str()), (State::Ok, State::Ok, ""));
        let wait = book.due.since(last);
        assert!((18 * M..26 * M).contains(&wait), "{wait}");
    }

    #[test]
    fn a_failure_is_told_when_it_is_certain() {
        let source = feed();
        let (mut book, last) = steady(&source);
        let at = |n: i64| last.plus(n * 10 * M);
        assert_eq!(conclude(&source, &mut book, seen(at(1), failed(500))), None, "once is chance");
        assert_eq!((book.state, book.failures), (State::Broken, 1));
        assert_eq!(conclude(&source, &mut book, seen(at(2), failed(0))), None, "and twice may be");
        let change = conclude(&source, &mut book, seen(at(3), failed(500))).unwrap();
        assert_eq!((change.from, change.to), (State::Ok, State::Broken));
        assert!(change.reason.contains("500"));
        assert_eq!(conclude(&source, &mut book, seen(at(3), failed(500))), None, "told once");
        let change = conclude(&source, &mut book, seen(at(4), read(20, 1, at(4)))).unwrap();
        assert_eq!((change.from, change.to), (State::Broken, State::Ok));
        // Once and gone again is not told at all.
        assert_eq!(conclude(&source, &mut book, seen(at(5), failed(500))), None);
        assert_eq!(conclude(&source, &mut book, seen(at(6), Came::NotModified)), None);
        // What is our own fault is not the source's.
        let ours = Came::Failed { status: 0, kind: "disk", ours: true, reason: "disk".to_owned() };
        assert_eq!(conclude(&source, &mut book, seen(at(7), ours)), None);
        assert_eq!((book.state, book.failures), (State::Ok, 0));
        // 410 is an end.
        let change = conclude(&source, &mut book, seen(at(8), failed(410))).unwrap();
        assert_eq!((change.to, book.due), (State::Gone, Time(i64::MAX)));
    }

    #[test]
    fn a_lull_is_told_by_the_rhythm() {
        let source = feed();
        let (mut book, last) = steady(&source);
        let mut told = None;
        for step in 1..=24 * 4 {
            let at = last.plus(step * 15 * M);
            let doubted = doubts(&source, &book, at);
            let came = if doubted { Came::Same } else { Came::NotModified };
            if let Some(change) = conclude(&source, &mut book, Seen { doubted, ..seen(at, came) }) {
                told = told.or(Some((at.since(last), change)));
            }
        }
        let (after, change) = told.unwrap();
        assert_eq!(change.to, State::Late);
        assert!((10 * H..18 * H).contains(&after), "{}", after / H);
        assert!(
            change.reason.contains("by its rhythm") && change.reason.contains("without conditions"),
            "{}",
            change.reason
        );
        assert_eq!(book.state, State::Late, "long before the three days that are expected at most");
        // An hour later it is well again.
        let at = last.plus(25 * H);
        let change = conclude(&source, &mut book, seen(at, read(20, 3, at))).unwrap();
        assert_eq!((change.from, change.to), (State::Late, State::Ok));
    }

    #[test]
    fn a_rhythm_of_days_is_believed_when_twice_as_much_is_missing() {
        let source = feed();
        let mut book = Entry::default();
        for hour in 0..5 * 24 {
            let at = MONDAY.plus(hour * H);
            conclude(&source, &mut book, seen(at, read(20, u32::from(hour > 0) + 19 * u32::from(hour == 0), at)));
        }
        let last = MONDAY.plus((5 * 24 - 1) * H);
        let late = (1..72).find(|hour| {
            let change = conclude(&source, &mut book, seen(last.plus(hour * H), Came::Same));
            change.is_some_and(|change| change.to == State::Late)
        });
        // After weeks it is told within 18 hours; of this Saturday nothing is known yet.
        assert!(late.is_some_and(|late| (18..60).contains(&late)), "{late:?}");
    }

    /// A list of pages without dates, whose server said "not modified" for ever from its first morning on. Each doubt found
    /// some news and no proof of a lie, and the next one came a week later: whole lists scrolled by.
    #[test]
    fn a_doubt_that_found_news_is_soon_followed_by_another() {
        let source = feed();
        let mut book = Entry::default();
        conclude(&source, &mut book, seen(MONDAY, undated(14, 14)));
        let mut doubted = Vec::new();
        for hour in 1..=48 {
            let at = MONDAY.plus(hour * H);
            let doubt = doubts(&source, &book, at);
            doubted.extend(doubt.then_some(hour));
            let came = if doubt { undated(14, 3) } else { Came::NotModified };
            conclude(&source, &mut book, Seen { doubted: doubt, ..seen(at, came) });
        }
        assert!(doubted.len() >= 3, "{doubted:?}");
    }

    /// A list of 26, an item each five hours, its server honest for three days and then saying "not modified" for ever. Each
    /// of these taught that less was to be expected, so less was missing, and the next doubt came ever later.
    #[test]
    fn not_modified_does_not_dispel_the_doubt_of_itself() {
        let source = feed();
        let mut book = Entry::default();
        let moments = (1..=26).map(|n| MONDAY.plus(-n * 5 * H)).collect();
        let first = Read { listed: 26, unknown: 26, filed: 26, newest: Some(MONDAY), moments, signs: Signs::default() };
        conclude(&source, &mut book, seen(MONDAY, Came::Read(first)));
        for hour in 1..=70 {
            let at = MONDAY.plus(hour * H);
            conclude(&source, &mut book, seen(at, if hour % 5 == 0 { read(26, 1, at) } else { Came::NotModified }));
        }
        assert!(book.proven, "it has told of news");
        book.doubted = Some(MONDAY.plus(70 * H));
        let doubt = (71..400).find(|hour| {
            let at = MONDAY.plus(hour * H);
            let doubt = doubts(&source, &book, at);
            conclude(&source, &mut book, seen(at, Came::NotModified));
            doubt
        });
        assert!(doubt.is_some_and(|doubt| doubt - 70 < 56), "{doubt:?}");
    }

    /// Its fifth day is its first Friday: that weekends may be empty says nothing of a working day.
    #[test]
    fn before_its_first_weekend_a_source_is_late_by_its_working_days() {
        let source = feed();
        let mut book = Entry::default();
        conclude(&source, &mut book, seen(MONDAY, undated(20, 20)));
        let mut late = Vec::new();
        for day in 0..5 {
            for half in 1..=48 {
                conclude(&source, &mut book, seen(MONDAY.plus(day * Time::DAY + half * H / 2), undated(20, 1)));
            }
            // From now on nothing more.
            let (last, mut book) = (MONDAY.plus((day + 1) * Time::DAY), book.clone());
            late.push((1..72).find(|hours| {
                let change = conclude(&source, &mut book, seen(last.plus(hours * H), Came::Same));
                change.is_some_and(|change| change.to == State::Late)
            }));
        }
        // The last of them may be a weekend.
        assert!(matches!(late[3..], [Some(..=16), Some(24..)]), "{late:?}");
    }

    /// A list of 50 that a doubt found nearly the same after the night, and that was gone at the next doubt: it came at the
    /// first look after the longest interval, not at the last one before.
    #[test]
    fn a_doubt_does_not_wait_for_the_longest_interval_to_be_over() {
        let source = feed();
        let mut book = Entry::default();
        conclude(&source, &mut book, seen(MONDAY, undated(50, 50)));
        for hour in 1..12 {
            conclude(&source, &mut book, seen(MONDAY.plus(hour * H), undated(50, 1)));
        }
        let whole = MONDAY.plus(11 * H);
        (book.proven, book.doubted) = (true, Some(whole));
        let mut at = whole;
        while !doubts(&source, &book, at) {
            at = at.plus(25 * M);
            conclude(&source, &mut book, seen(at, Came::NotModified));
            book.interval = 25 * M;
        }
        assert!((11 * H..=12 * H).contains(&at.since(whole)), "{} minutes", at.since(whole) / M);
    }

    #[test]
    fn not_modified_is_doubted_when_news_is_overdue_and_at_most_weekly() {
        let source = feed();
        let (mut book, last) = steady(&source);
        book.validators = Validators { etag: Some("\"1\"".to_owned()), last_modified: None };
        let mut unproven = book.clone();
        unproven.unmodified = 2;
        assert!(!doubts(&source, &unproven, last.plus(2 * H)) && doubts(&source, &unproven, last.plus(4 * H)));
        (book.proven, book.listed) = (true, 60);
        let mut times = Vec::new();
        for step in 1..=60 {
            let at = last.plus(step * H);
            let doubted = doubts(&source, &book, at);
            if doubted {
                times.push(step);
            }
            let came = if doubted { Came::Same } else { Came::NotModified };
            conclude(&source, &mut book, Seen { doubted, ..seen(at, came) });
        }
        // When half of what makes it late is missing, before it is called late, and then when the list may have scrolled by.
        assert!(matches!(times[..], [5..=8, 10..=16, 40..=60]), "{times:?}");
        book.listed = 10_000;
        assert!(!doubts(&source, &book, last.plus(6 * Time::DAY)), "at most weekly");
        assert!(book.reason.contains("even when asked for without conditions"), "{}", book.reason);
        assert!(doubts(&source, &book, last.plus(10 * Time::DAY)));
        // It lied: news was there.
        conclude(&source, &mut book, seen(last.plus(10 * Time::DAY - H), Came::NotModified));
        let at = last.plus(10 * Time::DAY);
        conclude(&source, &mut book, Seen { doubted: true, ..seen(at, read(20, 12, at)) });
        assert!(book.lies.is_some() && doubts(&source, &book, at.plus(H)), "its validators are not trusted any more");
        assert!(!doubts(&source, &book, at.plus(LIARS)));
    }

    #[test]
    fn a_doubt_that_is_not_answered_dispels_nothing() {
        let source = feed();
        let (mut book, last) = steady(&source);
        (book.unmodified, book.proven) = (2, true);
        let at = last.plus(13 * H);
        assert!(doubts(&source, &book, at));
        for (came, again) in [(failed(502), true), (failed(0), true), (Came::Same, false)] {
            conclude(&source, &mut book, Seen { doubted: true, ..seen(at, came.clone()) });
            book.unmodified = 2;
            assert_eq!(doubts(&source, &book, at.plus(H)), again, "{came:?}");
        }
    }

    /// A page without dates that brought nine items in its first two days, its server honest until then. The only doubt of
    /// that week fell into a night in which nothing had come.
    #[test]
    fn a_short_list_is_doubted_twice_a_day_before_its_rhythm_is_known() {
        let source = feed();
        let mut book = Entry::default();
        conclude(&source, &mut book, seen(MONDAY, undated(11, 11)));
        for hour in (4..44).step_by(5) {
            conclude(&source, &mut book, seen(MONDAY.plus(hour * H), undated(11, 1)));
        }
        let mut doubted = Vec::new();
        for hour in 44..44 + 72 {
            let at = MONDAY.plus(hour * H);
            let doubt = doubts(&source, &book, at);
            doubted.extend(doubt.then_some(hour));
            let came = if doubt { Came::Same } else { Came::NotModified };
            conclude(&source, &mut book, Seen { doubted: doubt, ..seen(at, came) });
        }
        assert!((5..=7).contains(&doubted.len()), "{doubted:?}");
    }

    /// Two items on each working day, and a list of nine: one busy day leaves nothing of it, whatever the mean of the week says.
    #[test]
    fn the_busiest_day_counts() {
        let source = feed();
        let mut book = Entry::default();
        conclude(&source, &mut book, seen(MONDAY, undated(9, 9)));
        for day in 0..28 {
            let office = day % 7 < 5;
            for hour in [9, 17, 23] {
                let at = MONDAY.plus(day * Time::DAY + hour * H);
                conclude(&source, &mut book, seen(at, undated(9, u32::from(office && hour < 23))));
            }
        }
        (book.unmodified, book.proven) = (2, true);
        let rates = book.rhythm.rates(0);
        assert!(
            !scrolled(&book, rates.weekly() / 7) && fleeting(&book, &rates),
            "{} {}",
            rates.weekly(),
            rates.busiest()
        );
    }

    #[test]
    fn an_unknown_rhythm_is_doubted_after_the_longest_interval() {
        let source = feed();
        let mut book = Entry::default();
        conclude(&source, &mut book, seen(MONDAY, undated(20, 20)));
        for n in 1..=4 {
            conclude(&source, &mut book, seen(MONDAY.plus(n * 2 * H), Came::NotModified));
        }
        assert!(!doubts(&source, &book, MONDAY.plus(11 * H)));
        assert!(doubts(&source, &book, MONDAY.plus(12 * H)));
    }

    #[test]
    fn whose_fault_an_empty_list_is() {
        let pattern = ListPattern { item: ".list a".to_owned(), ..ListPattern::default() };
        let page = |list, links| Kind::Page { url: "https://x.example/".to_owned(), list, links };
        for (kind, says) in [
            (page(vec![pattern], None), "`list` finds nothing on it where it found 20"),
            (page(Vec::new(), Some("x".to_owned())), "`links` fits none"),
            (page(Vec::new(), None), "no list is found"),
            (Kind::Feed("https://x.example/rss".to_owned()), "the publisher's own list is empty"),
        ] {
            let source = source(kind);
            let (mut book, last) = steady(&source);
            let at = last.plus(H);
            assert_eq!(conclude(&source, &mut book, seen(at, read(0, 0, at))), None, "seen once");
            assert_eq!(book.state, State::Silent);
            assert!(book.due.since(at) <= pace::SECOND_LOOK, "it is looked at again soon");
            let again = at.plus(10 * M);
            let change = conclude(&source, &mut book, seen(again, read(0, 0, again))).unwrap();
            assert!(change.to == State::Silent && change.reason.contains(says), "{}", change.reason);
            // And then ever more seldom.
            let mut at = again;
            for _ in 0..12 {
                at = book.due;
                conclude(&source, &mut book, seen(at, read(0, 0, at)));
            }
            assert!(book.due.since(at) > 2 * H, "{}", book.due.since(at));
        }
        let mut book = Entry::default();
        conclude(&feed(), &mut book, seen(MONDAY, read(0, 0, MONDAY)));
        assert!(book.reason.contains("0 items, at least 1"), "{}", book.reason);
    }

    #[test]
    fn signs_have_their_sentences() {
        let source = feed();
        for (signs, listed, state, says) in [
            (Signs::LOGIN, 0, State::Broken, "login"),
            (Signs::LOGIN, 5, State::Broken, "login"),
            (Signs::GARBLED, 20, State::Broken, "mojibake"),
            (Signs::FUTURE, 20, State::Silent, "in the future"),
        ] {
            let (mut book, last) = steady(&source);
            let odd = Came::Read(Read { listed, signs, newest: Some(last), ..Read::default() });
            conclude(&source, &mut book, seen(last.plus(H), odd.clone()));
            let change = conclude(&source, &mut book, seen(last.plus(2 * H), odd)).unwrap();
            assert!(change.to == state && change.reason.contains(says), "{}", change.reason);
        }
    }

    #[test]
    fn a_list_without_dates_falls_silent_too() {
        let source = feed();
        let mut book = Entry::default();
        conclude(&source, &mut book, seen(MONDAY, undated(20, 20)));
        conclude(&source, &mut book, seen(MONDAY.plus(Time::DAY), undated(20, 0)));
        assert_eq!(book.state, State::Ok);
        conclude(&source, &mut book, seen(MONDAY.plus(4 * Time::DAY), undated(20, 0)));
        assert_eq!(book.state, State::Silent);
        assert!(book.reason.contains("nothing new appeared"), "{}", book.reason);
    }

    #[test]
    fn hints_are_remembered_over_not_modified() {
        let source = feed();
        let (mut book, last) = steady(&source);
        let skip = Skip { hours: 1 << 20, days: 0 };
        let said = Said { fresh: H, ttl: 2 * H, skip, ..Said::default() };
        conclude(&source, &mut book, Seen { said, ..seen(last, read(20, 1, last)) });
        assert_eq!(book.due.since(last), 2 * H);
        let at = last.plus(2 * H);
        conclude(&source, &mut book, seen(at, Came::NotModified));
        assert_eq!((book.due.since(at), book.hint, book.skip), (2 * H, H, skip), "nothing is forgotten");
        // What a 304 says of freshness counts (RFC 9111 section 4.3.4).
        let said = Said { fresh: 5 * H, ..Said::default() };
        conclude(&source, &mut book, Seen { said, ..seen(at, Came::NotModified) });
        assert_eq!(book.due.since(at), 5 * H);
        // The next document has no such wish.
        let at = at.plus(5 * H);
        conclude(&source, &mut book, seen(at, read(20, 1, at)));
        assert!(book.due.since(at) < H, "{}", book.due.since(at));
    }

    #[test]
    fn a_refusal_is_remembered() {
        let source = feed();
        for status in [403, 429] {
            let (mut book, last) = steady(&source);
            let calm = book.interval;
            conclude(&source, &mut book, seen(last.plus(H), failed(status)));
            let at = last.plus(3 * H);
            conclude(&source, &mut book, seen(at, Came::NotModified));
            assert!(book.due.since(at) > calm * 3 / 2, "{status}: {} {calm}", book.due.since(at));
            let mut at = at;
            for _ in 0..30 {
                at = book.due;
                conclude(&source, &mut book, seen(at, read(20, 1, at)));
            }
            assert!(book.due.since(at) < calm * 3 / 2, "and forgiven by and by");
        }
    }

    #[test]
    fn a_list_that_was_nearly_all_new_is_hurried() {
        let source = feed();
        let (mut book, last) = steady(&source);
        let at = last.plus(20 * M);
        conclude(&source, &mut book, seen(at, read(20, 18, at)));
        assert!(book.due.since(at) <= 10 * M, "{}", book.due.since(at));
        let before = book.haste;
        conclude(&source, &mut book, seen(at.plus(10 * M), read(20, 1, at)));
        assert!(book.haste > before);
        // 14 of 20 is 70 per cent, 13 is 65: between 33 and 67 nothing changes.
        for (unknown, haste) in [(14, true), (13, false), (7, false)] {
            let (mut book, last) = steady(&source);
            conclude(&source, &mut book, seen(last.plus(H), read(20, unknown, last.plus(H))));
            assert_eq!(book.haste > 0, haste, "{unknown} of 20");
        }
    }

    #[test]
    fn a_lasting_move_is_remembered_and_then_followed() {
        let mut book = Entry::default();
        for (lasting, now, expected) in [
            (Some("b"), 1, Some(("b", 1, 1))),
            (Some("b"), 2, Some(("b", 1, 2))),
            (Some("d"), 3, Some(("d", 3, 1))),
            (None, 4, None),
        ] {
            moved(&mut book, lasting, true, Time(now));
            let found = book.moved.as_ref().map(|(to, since)| (to.as_str(), since.0, book.moves));
            assert_eq!(found, expected);
        }
        let source = feed();
        let new = "https://new.example/rss";
        for day in 0..=7 {
            moved(&mut book, Some(new), true, MONDAY.plus(day * Time::DAY));
        }
        let now = MONDAY.plus(7 * Time::DAY + H);
        assert_eq!(address(&source, &book, now), (new, false));
        moved(&mut book, None, false, now);
        assert_eq!(address(&source, &book, now), (new, false), "the new one redirects nowhere: that says nothing");
        assert_eq!(address(&source, &book, MONDAY.plus(14 * Time::DAY + H)).0, source.kind.address(), "once a week");
        assert_eq!(address(&source, &Entry { failures: 1, ..book.clone() }, now).0, source.kind.address());
        let mut secret = source.clone();
        let headers = vec![("X-Key".to_owned(), crate::model::source::Secret::Plain("k".to_owned()))];
        secret.how = How { headers, ..How::default() }.into();
        assert_eq!(address(&secret, &book, now).0, secret.kind.address(), "secrets stay where they belong");
    }

    #[test]
    fn a_hub_that_delivers_slows_polling_and_one_that_stops_does_not() {
        let (book, last) = steady(&feed());
        let wait = |pushed: Option<i64>| {
            let mut book = Entry { pushed: pushed.map(|until| last.plus(until)), ..book.clone() };
            let at = last.plus(20 * M);
            conclude(&feed(), &mut book, seen(at, Came::NotModified));
            book.due.since(at)
        };
        let plain = wait(None);
        assert!((18 * M..26 * M).contains(&plain), "{plain}");
        assert!(wait(Some(24 * H)) >= 8 * plain, "{}", wait(Some(24 * H)));
        assert_eq!(wait(Some(10 * M)), plain, "the lease is over");
        assert!(wait(Some(80 * M)) <= 60 * M, "asked when the lease ends: {}", wait(Some(80 * M)));
    }
}
