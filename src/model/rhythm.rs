//! When a source brings news: what was learned of it, hour of the week by hour of the week.
//!
//! Counts fade, so that a rhythm that changes is forgotten within a month or two. An hour of which little is known is
//! believed to be like the same hour of other working days (or of the weekend), and that like the source as a whole.

use minicbor::{Decode, Encode};

use super::time::Time;

/// Hours of a week.
pub const SLOTS: usize = 168;
/// Milliseconds of a week.
const WEEK: i64 = 7 * Time::DAY;
/// Longest time that one look is taken to speak of: what lies further back was not seen.
pub const SIGHT: i64 = 14 * Time::DAY;
/// So much of a lull is not learned before it is over: what is to be expected, and so how much is missing, is told by what
/// was known when it began. And a server that says "not modified" for ever teaches nobody that nothing is to be expected.
const HELD: i64 = WEEK;
/// Parts of an item that counts are kept in.
const PARTS: i64 = 8;
/// What a week's fading leaves, in eighths.
const KEPT: i64 = 7;
/// So many weeks of its own an hour of the week needs to count as much as the same hour of its kind of day.
const OWN_WEEKS: i64 = 3;
/// So many hours of its own an hour of the day needs to count as much as the source as a whole.
const OWN_HOURS: i64 = 2;
/// Items that appear within so long of each other were put online together …
const TOGETHER: i64 = 2 * Time::MINUTE;
/// … unless, where much is brought, that is more than this part of the usual time between two.
const CLOSE: i64 = 4;
/// Before anything is known: so many thousandths of an item an hour …
const PRIOR: i64 = 1_000;
/// … as if it had been watched for so long.
const PRIOR_TIME: i64 = 2 * Time::HOUR;

/// What was learned of a source's hours.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Rhythm {
    /// Two bytes an hour of the (local) week, Monday first: eighths of items seen, fading. Empty before the first.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    slots: Vec<u8>,
    /// How long it was watched, in milliseconds, fading alike.
    #[n(1)]
    watched: i64,
    /// Number of the week that was faded last.
    #[n(2)]
    week: i64,
    /// Learned up to here.
    #[n(3)]
    seen: Time,
    /// When the last item appeared.
    #[n(4)]
    last: Option<Time>,
    /// The longest lull, in thousandths of items that were expected in it, fading.
    #[n(5)]
    lull: i64,
    /// Items that taught this, in all.
    #[n(6)]
    items: u64,
    /// Items of which it is known how they came, in thousandths, fading …
    #[n(7)]
    #[cbor(default)]
    came: i64,
    /// … and how often any came, in thousandths, fading alike.
    #[n(8)]
    #[cbor(default)]
    arrivals: i64,
    /// Since what was learned last, nothing new was shown up to here.
    #[n(9)]
    #[cbor(default)]
    quiet: Time,
}

impl Rhythm {
    /// Items that taught this, in all.
    #[must_use]
    pub const fn items(&self) -> u64 {
        self.items
    }

    /// How long the source was watched, in milliseconds; what was long ago counts less.
    #[must_use]
    pub const fn watched(&self) -> i64 {
        self.watched
    }

    /// When the last item appeared, as far as is known.
    #[must_use]
    pub const fn last(&self) -> Option<Time> {
        self.last
    }

    /// The longest lull so far, in thousandths of items that were expected in it.
    #[must_use]
    pub const fn lull(&self) -> i64 {
        self.lull
    }

    /// How many items come at a time, in thousandths; one, while little is known. Some editors put a day's work online at
    /// once: of two sources with as many items a week the one that brings them in heaps has the longer lulls by chance.
    #[must_use]
    pub const fn heap(&self) -> i64 {
        if self.arrivals < 1_000 {
            return 1_000;
        }
        let heap = self.came.saturating_mul(1_000) / self.arrivals;
        if heap < 1_000 { 1_000 } else { heap }
    }

    /// Whether what was watched covers a whole weekend. Before, nobody knows that it is not empty.
    #[must_use]
    pub fn weekend(&self, east: i64) -> bool {
        let begin = self.seen.plus(-self.watched);
        let hours = slot(begin, east) as i64;
        // To the Monday after the first Saturday that begins within it.
        let monday = if hours <= 5 * 24 { WEEK } else { 2 * WEEK } - hours * Time::HOUR;
        self.watched >= monday
    }

    fn count(&self, slot: usize) -> i64 {
        match self.slots.get(slot * 2..slot * 2 + 2) {
            Some(&[low, high]) => i64::from(u16::from_le_bytes([low, high])),
            _ => 0,
        }
    }

    fn put(&mut self, slot: usize, count: i64) {
        if self.slots.is_empty() {
            self.slots = vec![0; SLOTS * 2];
        }
        let bytes = u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes();
        if let Some(place) = self.slots.get_mut(slot * 2..slot * 2 + 2) {
            place.copy_from_slice(&bytes);
        }
    }

    /// Learns from a look at the source: `new` items appeared since the last look, dated `moments` where they are dated.
    /// `east` is what local time is ahead of UTC, in milliseconds. The first look learns from the dates alone: a list that
    /// shows two days tells of two days.
    pub fn learn(&mut self, at: Time, new: u32, moments: &[Time], east: i64) {
        let begin = at.plus(-SIGHT);
        let from = if self.seen == Time::default() {
            // One old item that stays on top for ever says nothing of the hours between.
            moments.iter().copied().filter(|moment| *moment <= at && *moment > begin).min().map(|oldest| {
                let older = moments.iter().any(|moment| *moment <= begin);
                if older { begin } else { oldest }
            })
        } else {
            Some(self.seen.max(begin))
        };
        let first = self.seen == Time::default();
        if new == 0 && !first {
            self.quiet = self.quiet.max(at);
            if let Some(from) = from.filter(|from| *from < at.plus(-HELD)) {
                self.seen = at.plus(-HELD);
                self.fade(self.seen);
                self.watched = self.watched.saturating_add(self.seen.since(from));
            }
            return;
        }
        self.seen = self.seen.max(at);
        let Some(from) = from.filter(|from| *from < at) else { return };
        // What has no date came after the last look.
        let since = self.quiet.max(from);
        let seen = moments.iter().filter(|moment| **moment > from.plus(-1) && **moment <= at).take(new as usize);
        let mut seen: Vec<Time> = seen.copied().collect();
        seen.sort_unstable();
        self.fade(at);
        if new > 0 && !first && self.watched >= WEEK / 2 {
            // By what was known before: what came after a lull does not make it shorter.
            self.lulls(seen.first().copied().unwrap_or_else(|| at.plus(since.since(at) / 2)), &seen, east);
        }
        if new > 0 {
            self.heaps(since, at, &seen, if first { 0 } else { i64::from(new) - seen.len() as i64 }, east);
        }
        self.watched = self.watched.saturating_add(at.since(from));
        let (mut counted, mut last) = (0, None);
        let mut count = |rhythm: &mut Self, moment: Time| {
            let slot = slot(moment, east);
            rhythm.put(slot, rhythm.count(slot).saturating_add(PARTS));
            last = last.max(Some(moment));
        };
        for moment in &seen {
            count(self, *moment);
            counted += 1;
        }
        let rest = if first { 0 } else { i64::from(new).saturating_sub(counted) };
        // Without a date an item may have come at any time since the last look.
        let most = rest.min(SLOTS as i64);
        for nth in 0..most {
            count(self, since.plus(at.since(since) / most * nth + at.since(since) / most / 2));
        }
        self.items = self.items.saturating_add(counted.max(0).unsigned_abs() + rest.unsigned_abs());
        self.last = self.last.max(last);
        if first && self.watched >= WEEK / 2 {
            self.last = self.last.or_else(|| seen.first().copied());
            if let Some(oldest) = seen.first() {
                self.lulls(*oldest, &seen, east);
            }
        }
    }

    /// Takes note of how many come at a time: `seen` by their dates, and `undated` ones some time between two looks.
    fn heaps(&mut self, from: Time, at: Time, seen: &[Time], undated: i64, east: i64) {
        let rates = self.rates(east);
        let mut before: Option<Time> = None;
        for moment in seen {
            let close = (Time::HOUR * 1_000 / rates.at(*moment).max(1) / CLOSE).min(TOGETHER);
            if before.is_none_or(|before| moment.since(before) > close) {
                self.arrivals += 1_000;
            }
            before = Some(*moment);
        }
        self.came += seen.len() as i64 * 1_000;
        if undated > 0 {
            // As many arrivals as were to be expected, at most one for each.
            self.came += undated * 1_000;
            self.arrivals += rates.expected(from, at).clamp(1_000, undated * 1_000);
        }
    }

    /// Takes note of the lulls between the last item, the next one and those that came with it.
    fn lulls(&mut self, next: Time, seen: &[Time], east: i64) {
        let rates = self.rates(east);
        let mut before = self.last.unwrap_or(next);
        for moment in std::iter::once(next).chain(seen.iter().copied()) {
            self.lull = self.lull.max(rates.expected(before, moment));
            before = moment;
        }
    }

    /// Lets go of what was long ago.
    fn fade(&mut self, at: Time) {
        let week = at.0.div_euclid(WEEK);
        if self.week == 0 || week < self.week {
            self.week = week;
        }
        for _ in 0..(week - self.week).min(40) {
            self.watched = self.watched / 8 * KEPT;
            self.lull = self.lull * KEPT / 8;
            (self.came, self.arrivals) = (self.came * KEPT / 8, self.arrivals * KEPT / 8);
            if !self.slots.is_empty() {
                for slot in 0..SLOTS {
                    let count = self.count(slot);
                    self.put(slot, count * KEPT / 8);
                }
            }
        }
        self.week = week;
    }

    /// What is to be expected, hour by hour.
    #[must_use]
    pub fn rates(&self, east: i64) -> Rates {
        let mut counts = [0_i64; SLOTS];
        for (count, bytes) in counts.iter_mut().zip(self.slots.chunks_exact(2)) {
            *count = i64::from(u16::from_le_bytes([bytes[0], bytes[1]]));
        }
        let mut kinds = [[0_i64; 24]; 2];
        for (slot, count) in counts.iter().enumerate() {
            kinds[kind(slot)][slot % 24] += count;
        }
        let milli = 1_000 / PARTS;
        let all: i64 = counts.iter().sum();
        let whole = (all * milli * Time::HOUR + PRIOR * PRIOR_TIME) / (self.watched + PRIOR_TIME);
        // Most hours of most sources brought nothing of their own: those of one kind and time of day are alike.
        let mut quiet = kinds;
        for (days, (kind, quiet)) in [5, 2].into_iter().zip(kinds.iter_mut().zip(&mut quiet)) {
            for (rate, quiet) in kind.iter_mut().zip(quiet) {
                *rate = blend(*rate * milli, self.watched * days, whole, OWN_HOURS);
                *quiet = blend(0, self.watched, *rate, OWN_WEEKS);
            }
        }
        let mut rates = [0_i64; SLOTS];
        for (slot, (rate, count)) in rates.iter_mut().zip(counts).enumerate() {
            let (kind, hour) = (kind(slot), slot % 24);
            *rate = match count {
                0 => quiet[kind][hour],
                _ => blend(count * milli, self.watched, kinds[kind][hour], OWN_WEEKS),
            };
        }
        Rates { rates, east }
    }
}

/// The rate of an hour of the week that was watched for so many milliseconds of weeks and brought so much; what is alike
/// counts like `weeks` more, but never for more than one item: where much is expected, one hour without anything says much.
fn blend(brought: i64, watched: i64, alike: i64, weeks: i64) -> i64 {
    let mass = (alike * weeks).min(1_000);
    let time = if alike > 0 { mass * (WEEK / 1_000) / alike } else { weeks * (WEEK / 1_000) };
    (brought + mass) * (WEEK / 1_000) / (watched / 1_000 + time).max(1)
}

/// The hour of the local week, Monday first. 1970-01-01 was a Thursday.
fn slot(at: Time, east: i64) -> usize {
    let hours = at.plus(east).0.div_euclid(Time::HOUR) + 3 * 24;
    hours.rem_euclid(SLOTS as i64).unsigned_abs() as usize
}

/// Working day or weekend.
const fn kind(slot: usize) -> usize {
    if slot / 24 >= 5 { 1 } else { 0 }
}

/// What is to be expected of each hour of the week: thousandths of items an hour.
#[derive(Debug, Clone)]
pub struct Rates {
    rates: [i64; SLOTS],
    east: i64,
}

impl Rates {
    /// In the hour of this moment.
    #[must_use]
    pub fn at(&self, moment: Time) -> i64 {
        self.rates[slot(moment, self.east)]
    }

    /// The end of the hour of this moment.
    #[must_use]
    pub const fn edge(&self, moment: Time) -> Time {
        let local = moment.plus(self.east);
        Time((local.0.div_euclid(Time::HOUR) + 1) * Time::HOUR).plus(-self.east)
    }

    /// What local time is ahead of UTC, in milliseconds.
    #[must_use]
    pub const fn east(&self) -> i64 {
        self.east
    }

    /// Items expected between two moments, in thousandths.
    #[must_use]
    pub fn expected(&self, from: Time, to: Time) -> i64 {
        if to <= from {
            return 0;
        }
        // Whole weeks at once.
        let weeks = to.since(from) / WEEK;
        let mut sum = self.rates.iter().sum::<i64>().saturating_mul(weeks);
        let mut at = from.plus(weeks * WEEK);
        while at < to {
            let end = self.edge(at).min(to);
            sum = sum.saturating_add(self.at(at) * end.since(at) / Time::HOUR);
            at = end;
        }
        sum
    }

    /// The same, without weekends.
    #[must_use]
    pub fn working(&self) -> Self {
        let mut rates = self.rates;
        rates.iter_mut().enumerate().filter(|(slot, _)| kind(*slot) == 1).for_each(|(_, rate)| *rate = 0);
        Self { rates, east: self.east }
    }

    /// Items expected on the busiest day of the week, in thousandths.
    #[must_use]
    pub fn busiest(&self) -> i64 {
        self.rates.chunks(24).map(|day| day.iter().sum()).max().unwrap_or(0)
    }

    /// Items expected in a week, in thousandths.
    #[must_use]
    pub fn weekly(&self) -> i64 {
        self.rates.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday 2026-11-23, 00:00 in China.
    const MONDAY: Time = Time(1_795_363_200_000);
    const EAST: i64 = 8 * Time::HOUR;

    fn hour(hours: i64) -> Time {
        MONDAY.plus(hours * Time::HOUR)
    }

    #[test]
    fn hours_of_the_local_week() {
        for (at, expected) in [(hour(0), 0), (hour(7), 7), (hour(24 * 6 + 23), 167), (hour(168), 0), (hour(-1), 167)] {
            assert_eq!(slot(at, EAST), expected);
        }
    }

    #[test]
    fn nothing_known_is_one_an_hour() {
        let rates = Rhythm::default().rates(EAST);
        assert_eq!(rates.at(MONDAY), PRIOR);
        assert_eq!(rates.expected(MONDAY, hour(2)), 2 * PRIOR);
    }

    #[test]
    fn a_first_list_teaches_by_its_dates() {
        let mut rhythm = Rhythm::default();
        let moments: Vec<Time> = (0..40).map(|n| hour(-n)).collect();
        rhythm.learn(MONDAY, 40, &moments, EAST);
        let rate = rhythm.rates(EAST).weekly() / 168;
        assert!((800..1_200).contains(&rate), "{rate}");
        // An item of years ago does not make it a slow source.
        let mut other = Rhythm::default();
        let moments: Vec<Time> = (0..40).map(|n| hour(-n)).chain([hour(-20_000)]).collect();
        other.learn(MONDAY, 41, &moments, EAST);
        assert!(other.rates(EAST).weekly() / 168 > 100, "forty in two weeks at least");
    }

    #[test]
    fn bursts_nights_and_weekends_are_learned() {
        let mut rhythm = Rhythm::default();
        rhythm.learn(MONDAY, 0, &[hour(-1)], EAST);
        for day in 0..28_i64 {
            let weekend = day % 7 >= 5;
            for at in 1..=24 {
                let now = hour(day * 24 + at);
                let new = if !weekend && at == 8 { 10 } else { 0 };
                rhythm.learn(now, new, &[], EAST);
            }
        }
        let rates = rhythm.rates(EAST);
        let (burst, night, weekend) = (rates.at(hour(7)), rates.at(hour(3)), rates.at(hour(24 * 5 + 7)));
        assert!(burst > 7_000 && burst < 11_000, "{burst}");
        assert!(night < 100, "{night}");
        assert!(weekend < 1_000, "{weekend}");
        assert_eq!(rates.expected(hour(0), hour(168)), rates.weekly());
        let days = (0..7).map(|day| rates.expected(hour(day * 24), hour(day * 24 + 24)));
        assert_eq!(days.max(), Some(rates.busiest()));
        assert!((40_000..60_000).contains(&rates.weekly()), "{}", rates.weekly());
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut rhythm = Rhythm::default();
        rhythm.learn(MONDAY, 0, &[hour(-1)], EAST);
        for n in 1..=168 {
            rhythm.learn(hour(n), 1, &[], EAST);
        }
        let before = rhythm.rates(EAST).weekly();
        for n in (180..24 * 7 * 16).step_by(12) {
            rhythm.learn(hour(n), 0, &[], EAST);
        }
        let after = rhythm.rates(EAST).weekly();
        assert!(before > 140_000 && after < before / 8, "{before} {after}");
    }

    #[test]
    fn a_lull_teaches_nothing_before_it_is_over() {
        let mut rhythm = Rhythm::default();
        rhythm.learn(MONDAY, 0, &[hour(-1)], EAST);
        for n in 1..=300 {
            rhythm.learn(hour(n), 1, &[], EAST);
        }
        let before = (rhythm.rates(EAST).weekly(), rhythm.watched());
        for n in 301..=300 + 7 * 24 {
            rhythm.learn(hour(n), 0, &[], EAST);
        }
        assert_eq!((rhythm.rates(EAST).weekly(), rhythm.watched()), before);
        let mut dead = rhythm.clone();
        dead.learn(hour(300 + 10 * 24), 0, &[], EAST);
        assert!(dead.rates(EAST).weekly() < before.0, "what lasts longer than a week does");
        // What has no date came after the last look at which it was not there.
        let (at, slot) = (hour(300 + 7 * 24 + 1), (300 + 7 * 24) % 168);
        let count = rhythm.count(slot);
        rhythm.learn(at, 1, &[], EAST);
        assert!(rhythm.count(slot) > count);
        let watched = before.1 / 8 * KEPT + (7 * 24 + 1) * Time::HOUR;
        assert_eq!(rhythm.watched(), watched, "a week later, now it was watched all the time");
    }

    #[test]
    fn a_weekend_is_known_when_it_was_watched_whole() {
        for (from, to, known) in [
            (0, 7 * 24, true),
            (0, 7 * 24 - 1, false),
            (5 * 24, 7 * 24, true),
            (5 * 24 + 1, 8 * 24, false),
            (6 * 24, 14 * 24, true),
        ] {
            // Within one of the weeks by which counts fade, which begin on Thursdays.
            let rhythm = Rhythm { seen: hour(to), watched: (to - from) * Time::HOUR, ..Rhythm::default() };
            assert_eq!(rhythm.weekend(EAST), known, "{from} to {to}");
        }
    }

    #[test]
    fn the_longest_lull_is_kept_in_mind() {
        let mut rhythm = Rhythm::default();
        rhythm.learn(MONDAY, 0, &[hour(-1)], EAST);
        for n in 1..=200 {
            rhythm.learn(hour(n), 1, &[], EAST);
        }
        assert!(rhythm.lull() < 2_500, "{}", rhythm.lull());
        for n in 201..=212 {
            rhythm.learn(hour(n), 0, &[], EAST);
        }
        rhythm.learn(hour(213), 1, &[], EAST);
        assert!((9_000..14_000).contains(&rhythm.lull()), "{}", rhythm.lull());
    }

    #[test]
    fn what_comes_in_heaps_is_known_to() {
        let begin = Time(1_795_392_000_000);
        // Four at a time each six hours, or one each hour and a half; dated or not.
        let heap = |gap: i64, many: u32, dated: bool| {
            let mut rhythm = Rhythm::default();
            rhythm.learn(begin, 1, &[begin], 0);
            for nth in 1..=28 * 24 * Time::HOUR / gap {
                let at = begin.plus(nth * gap);
                let moments: Vec<Time> = (0..many).map(|n| at.plus(-i64::from(n) * Time::SECOND)).collect();
                rhythm.learn(at.plus(Time::MINUTE), many, if dated { &moments } else { &[] }, 0);
            }
            rhythm.heap()
        };
        for dated in [true, false] {
            assert!((3_500..=4_000).contains(&heap(6 * Time::HOUR, 4, true)), "{}", heap(6 * Time::HOUR, 4, true));
            assert!((1_000..1_300).contains(&heap(90 * Time::MINUTE, 1, dated)));
        }
        assert!(heap(6 * Time::HOUR, 4, false) <= 4_000);
        assert_eq!(Rhythm::default().heap(), 1_000);
    }
}
