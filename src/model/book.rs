//! The poll book: what polling remembers of each source. Outside the journal and outside the store's equality; its loss
//! costs one unconditional poll per source (`ledger.md` 1).

use minicbor::{Decode, Encode};

use super::position::Position;
use super::rhythm::Rhythm;
use super::time::Time;
use super::why::Why;

/// HTTP validators (RFC 9110 section 8.8), kept verbatim and as a pair.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Validators {
    /// `ETag` as sent, quotes and `W/` included.
    #[n(0)]
    pub etag: Option<String>,
    /// `Last-Modified` as sent.
    #[n(1)]
    pub last_modified: Option<String>,
}

/// How a source is doing.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum State {
    /// Not asked yet.
    #[default]
    #[n(0)]
    New,
    /// Answers, and brings what is expected.
    #[n(1)]
    Ok,
    /// Answers, but its newest item is older than its rhythm.
    #[n(2)]
    Late,
    /// Answers, but brings less than `expect`.
    #[n(3)]
    Silent,
    /// Does not answer, or what it answers cannot be read.
    #[n(4)]
    Broken,
    /// Says that it is gone (410).
    #[n(5)]
    Gone,
}

impl State {
    /// The word used on pages, in `stats` and in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Silent => "silent",
            Self::Broken => "broken",
            Self::Gone => "gone",
        }
    }
}

/// An item that was met on a list and not filed yet: its article is awaited, or it was found not to be wanted.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Held {
    /// Hash of its key.
    #[n(0)]
    pub key: u64,
    /// Its hash as listed: a changed one is looked at anew.
    #[n(1)]
    pub hash: u64,
    /// When it was met first.
    #[n(2)]
    pub first: Time,
    /// How often its article was asked for in vain.
    #[n(3)]
    pub tries: u32,
    /// Its article came, and it is not filed: `only` or `drop` of its source, or no headline anywhere.
    #[n(4)]
    pub settled: bool,
}

/// What is remembered of one source between polls.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// When to ask next.
    #[n(0)]
    pub due: Time,
    /// Time between polls now, in milliseconds.
    #[n(1)]
    pub interval: i64,
    /// Validators of the last whole answer.
    #[n(2)]
    pub validators: Validators,
    /// The last record on the wire that these validators vouch for. If it is not there any more, the next poll is
    /// unconditional.
    #[n(3)]
    pub vouched: Position,
    /// The reading under which that answer was read; a changed one drops the validators.
    #[n(4)]
    pub reading: u64,
    /// Hash of the last body: an equal one needs no parsing.
    #[n(5)]
    pub body: u64,
    /// State.
    #[n(6)]
    pub state: State,
    /// Why, in a sentence.
    #[n(7)]
    pub reason: String,
    /// Last time an answer came that could be read (304 included).
    #[n(8)]
    pub last_good: Option<Time>,
    /// Last time a new item came.
    #[n(9)]
    pub last_new: Option<Time>,
    /// Last time it was asked.
    #[n(10)]
    pub last_asked: Option<Time>,
    /// HTTP status of the last answer; 0 if none came.
    #[n(11)]
    pub status: u16,
    /// Failures in a row.
    #[n(12)]
    pub failures: u32,
    /// Items in the last readable answer.
    #[n(13)]
    pub listed: u32,
    /// Newest believable date in it.
    #[n(14)]
    pub newest: Option<Time>,
    /// Format of the last readable answer ("RSS 2.0").
    #[n(15)]
    pub format: String,
    /// Its character set and why.
    #[n(16)]
    pub charset: String,
    /// What was wrong with the last answer, one sentence each.
    #[n(17)]
    pub complaints: Vec<String>,
    /// Where 301 or 308 pointed, and since when.
    #[n(18)]
    pub moved: Option<(String, Time)>,
    /// `Cache-Control`/`Expires` of the last answer that had them, as milliseconds: nothing new before that.
    #[n(19)]
    pub hint: i64,
    /// Not to be asked before this: `Retry-After`.
    #[n(20)]
    pub retry_after: Option<Time>,
    /// Items of the last answer that are not filed yet, or not to be filed.
    #[n(21)]
    #[cbor(default)]
    pub held: Vec<Held>,
    /// When it brings news.
    #[n(22)]
    #[cbor(default)]
    pub rhythm: Rhythm,
    /// Longest interval, in milliseconds, after an answer that was nearly all new: items may have scrolled away. 0 if
    /// there is no such worry.
    #[n(23)]
    #[cbor(default)]
    pub haste: i64,
    /// Shortest interval, in milliseconds, after the server told us to come less often, or while nothing can be read of
    /// what it sends.
    #[n(24)]
    #[cbor(default)]
    pub floor: i64,
    /// `ttl` or `sy:update*` of the last document, as milliseconds.
    #[n(25)]
    #[cbor(default)]
    pub ttl: i64,
    /// `skipHours` and `skipDays` of the last document.
    #[n(26)]
    #[cbor(default)]
    pub skip: Skip,
    /// What was odd about the last document.
    #[n(27)]
    #[cbor(default)]
    pub signs: Signs,
    /// Items that its document usually shows; 0 before the first.
    #[n(28)]
    #[cbor(default)]
    pub usual: u32,
    /// In this state since then.
    #[n(29)]
    pub since: Option<Time>,
    /// The state that was told last. A new one is told when it is certain.
    #[n(30)]
    #[cbor(default)]
    pub told: State,
    /// Rounds in a row that ended in trouble.
    #[n(31)]
    #[cbor(default)]
    pub troubled: u32,
    /// "Not modified" in a row.
    #[n(32)]
    #[cbor(default)]
    pub unmodified: u32,
    /// Last time that "not modified" was doubted: asked without conditions although there were validators.
    #[n(33)]
    pub doubted: Option<Time>,
    /// Its validators were found to lie: they are not sent before this.
    #[n(34)]
    pub lies: Option<Time>,
    /// Answers in a row that led to where it moved.
    #[n(35)]
    #[cbor(default)]
    pub moves: u32,
    /// Last time that the address in feeds.toml itself was asked.
    #[n(36)]
    pub written: Option<Time>,
    /// A hub delivers its news until then: it is polled at a tenth of the pace.
    #[n(37)]
    pub pushed: Option<Time>,
    /// After "not modified" it has sent news when asked conditionally: its validators are worth something.
    #[n(38)]
    #[cbor(default)]
    pub proven: bool,
    /// Since when the robots.txt of its host could not be had, so that it was not asked itself.
    #[n(40)]
    pub unruled: Option<Time>,
    /// Why it is in its state, as facts; `reason` says it in a sentence.
    #[n(50)]
    pub why: Option<Why>,
}

/// The state alone, of an [`Entry`] as it is stored: to look at very many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Decode)]
pub struct Glance {
    /// State.
    #[n(6)]
    pub state: State,
}

/// Hours and days in which the publisher wants nobody to ask (RSS 2.0, `skipHours` and `skipDays`), in GMT.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Skip {
    /// Bit n stands for the hour from n to n + 1.
    #[n(0)]
    pub hours: u32,
    /// Bit 0 stands for Monday.
    #[n(1)]
    pub days: u8,
}

impl Skip {
    /// Every hour of the day.
    const HOURS: u32 = (1 << 24) - 1;
    /// Every day of the week.
    const DAYS: u8 = (1 << 7) - 1;

    /// An hour as the document has it: 0 to 23; 24 means midnight, as in RSS 0.91.
    pub fn hour(&mut self, text: &str) {
        if let Some(hour) = text.trim().parse::<u32>().ok().filter(|hour| *hour <= 24) {
            self.hours |= 1 << (hour % 24);
        }
    }

    /// A day by its English name.
    pub fn day(&mut self, text: &str) {
        const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let text = text.trim().to_ascii_lowercase();
        if let Some(day) = NAMES.iter().position(|name| text.starts_with(name)) {
            self.days |= 1 << day;
        }
    }

    /// Whether this moment is to be skipped. Whoever skips every hour or every day cannot mean it.
    #[must_use]
    pub fn skips(self, at: Time) -> bool {
        let hours = at.0.div_euclid(Time::HOUR);
        // 1970-01-01 was a Thursday.
        let (hour, day) = (hours.rem_euclid(24), (hours.div_euclid(24) + 3).rem_euclid(7));
        (self.hours != Self::HOURS && self.hours >> hour & 1 == 1)
            || (self.days != Self::DAYS && self.days >> day & 1 == 1)
    }

    /// The first moment from this one on that is not to be skipped.
    #[must_use]
    pub fn after(self, at: Time) -> Time {
        let mut open = at;
        for _ in 0..7 * 24 {
            if !self.skips(open) {
                return open;
            }
            open = Time((open.0.div_euclid(Time::HOUR) + 1) * Time::HOUR);
        }
        at
    }
}

/// What was odd about a document, as bits.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Signs(#[n(0)] pub u8);

impl Signs {
    /// It asks for a password, and shows nothing that we know.
    pub const LOGIN: Self = Self(1);
    /// Most of its headlines are mojibake.
    pub const GARBLED: Self = Self(2);
    /// All its dates lie in the future.
    pub const FUTURE: Self = Self(4);

    /// Whether this one was seen.
    #[must_use]
    pub const fn has(self, sign: Self) -> bool {
        self.0 & sign.0 != 0
    }

    /// With another one.
    #[must_use]
    pub const fn with(self, sign: Self, seen: bool) -> Self {
        if seen { Self(self.0 | sign.0) } else { self }
    }
}

/// A source changed its state, and that is certain: what whoever is on call wants to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What was told before.
    pub from: State,
    /// What it is now.
    pub to: State,
    /// Why, in a sentence.
    pub reason: String,
}

impl Entry {
    /// How long a permanent redirect must have been met before it is believed.
    pub const MOVED: i64 = 7 * Time::DAY;
    /// And how often at least.
    pub const MOVES: u32 = 5;

    /// Where the source has moved for good: 301 or 308 have led there for a week, whenever it was asked.
    #[must_use]
    pub fn settled(&self, now: Time) -> Option<&str> {
        let (to, since) = self.moved.as_ref()?;
        (self.moves >= Self::MOVES && now.since(*since) >= Self::MOVED).then_some(to.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday 2026-11-23, 00:00 GMT.
    const MONDAY: Time = Time(1_795_392_000_000);

    #[test]
    fn skipped_hours_and_days() {
        let mut skip = Skip::default();
        assert!(!skip.skips(MONDAY));
        for text in ["0", "1", " 2 ", "24", "25", "x", "-1"] {
            skip.hour(text);
        }
        assert_eq!(skip.hours, 0b111);
        assert!(skip.skips(MONDAY.plus(2 * Time::HOUR + 59 * Time::MINUTE)));
        assert_eq!(skip.after(MONDAY.plus(30 * Time::MINUTE)), MONDAY.plus(3 * Time::HOUR));
        for text in ["Saturday", "sunday", "Feiertag"] {
            skip.day(text);
        }
        let friday_night = MONDAY.plus(4 * Time::DAY + 23 * Time::HOUR);
        assert_eq!(skip.after(friday_night), friday_night, "Friday, 23 o'clock");
        assert_eq!(skip.after(friday_night.plus(Time::HOUR)), MONDAY.plus(7 * Time::DAY + 3 * Time::HOUR));
        // Who forbids every hour gets asked as if nothing were forbidden.
        let never = Skip { hours: Skip::HOURS, days: Skip::DAYS };
        assert_eq!(never.after(MONDAY), MONDAY);
    }

    #[test]
    fn a_move_is_believed_after_a_week_of_agreement() {
        let moved = Entry { moved: Some(("https://new.example/".to_owned(), MONDAY)), moves: 5, ..Entry::default() };
        for (entry, days, settled) in [
            (moved.clone(), 7, true),
            (moved.clone(), 6, false),
            (Entry { moves: 4, ..moved.clone() }, 30, false),
            (Entry { moved: None, ..moved }, 30, false),
        ] {
            assert_eq!(entry.settled(MONDAY.plus(days * Time::DAY)).is_some(), settled, "{entry:?} {days}");
        }
    }

    #[test]
    fn a_glance_sees_the_state() {
        let rhythm = Rhythm::default();
        let entry = Entry { state: State::Late, reason: "nothing new".to_owned(), rhythm, ..Entry::default() };
        let glance: Glance = super::super::codec::decode(&super::super::codec::encode(&entry)).unwrap();
        assert_eq!(glance.state, State::Late);
    }

    #[test]
    fn an_entry_of_a_former_version_can_be_read() {
        // What a citydesk wrote that knew nothing of rhythms: the fields up to 21.
        #[derive(Encode)]
        struct Former {
            #[n(0)]
            due: Time,
            #[n(1)]
            interval: i64,
            #[n(2)]
            validators: Validators,
            #[n(3)]
            vouched: Position,
            #[n(4)]
            reading: u64,
            #[n(5)]
            body: u64,
            #[n(6)]
            state: State,
            #[n(7)]
            reason: String,
            #[n(11)]
            status: u16,
            #[n(12)]
            failures: u32,
            #[n(13)]
            listed: u32,
            #[n(15)]
            format: String,
            #[n(16)]
            charset: String,
            #[n(17)]
            complaints: Vec<String>,
            #[n(19)]
            hint: i64,
        }
        let etag = Some("W/\"1\"".to_owned());
        let former = Former {
            due: MONDAY,
            interval: 5,
            validators: Validators { etag, last_modified: None },
            vouched: Position::default(),
            reading: 1,
            body: 2,
            state: State::Ok,
            reason: String::new(),
            status: 200,
            failures: 0,
            listed: 3,
            format: String::new(),
            charset: String::new(),
            complaints: Vec::new(),
            hint: 0,
        };
        let entry: Entry = super::super::codec::decode(&super::super::codec::encode(&former)).unwrap();
        assert_eq!((entry.validators, entry.listed), (former.validators, 3), "validators survive an upgrade");
    }
}
