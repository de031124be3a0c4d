//! Zones as they are written beside a time: offsets, and the names of zones in the sense of the source that uses them.

use super::{Cursor, in_zone};
use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::{OffsetName, Tz};

/// A zone as written.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    /// Minutes east of UTC.
    East(i16),
    /// An abbreviation, in upper case.
    Name(String),
    /// A place of the tz database, with its own rules.
    Place(Tz),
}

/// Offsets of abbreviations in minutes east of UTC. One that several zones share stands here with its most common
/// meaning; the source's own zone is asked first. RFC 822 section 5.1 has the American ones, the tz database the others.
const NAMES: [(&str, i16); 62] = [
    ("UTC", 0),
    ("GMT", 0),
    ("UT", 0),
    ("Z", 0),
    ("WET", 0),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
    ("AST", -240),
    ("ADT", -180),
    ("NST", -210),
    ("NDT", -150),
    ("ART", -180),
    ("BRT", -180),
    ("CLT", -240),
    ("COT", -300),
    ("PET", -300),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("MET", 60),
    ("MEST", 120),
    ("MEZ", 60),
    ("MESZ", 120),
    ("EET", 120),
    ("EEST", 180),
    ("SAST", 120),
    ("CAT", 120),
    ("WAT", 60),
    ("EAT", 180),
    ("MSK", 180),
    ("MSD", 240),
    ("TRT", 180),
    ("IDT", 180),
    ("GST", 240),
    ("PKT", 300),
    ("UZT", 300),
    ("IST", 330),
    ("NPT", 345),
    ("ICT", 420),
    ("WIB", 420),
    ("BJT", 480),
    ("HKT", 480),
    ("SGT", 480),
    ("MYT", 480),
    ("PHT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
];

/// Names that mean a place's clock, whatever the season: American broadcasters write `8:00 ET`.
const PLACES: [(&str, Tz); 5] = [
    ("ET", Tz::America__New_York),
    ("CT", Tz::America__Chicago),
    ("MT", Tz::America__Denver),
    ("PT", Tz::America__Los_Angeles),
    ("AT", Tz::America__Halifax),
];

/// Names in several words, as Windows has them, and their minutes east of UTC; in lower case.
const LONG_NAMES: [(&str, i16); 16] = [
    ("china standard time", 480),
    ("taipei standard time", 480),
    ("beijing time", 480),
    ("hong kong time", 480),
    ("singapore standard time", 480),
    ("tokyo standard time", 540),
    ("japan standard time", 540),
    ("korea standard time", 540),
    ("india standard time", 330),
    ("coordinated universal time", 0),
    ("greenwich mean time", 0),
    ("central european time", 60),
    ("eastern standard time", -300),
    ("eastern daylight time", -240),
    ("pacific standard time", -480),
    ("pacific daylight time", -420),
];

impl Zone {
    /// A name; `None` if it is none that is known.
    pub(super) fn named(word: &str) -> Option<Self> {
        let word = word.to_ascii_uppercase();
        if let Some((_, place)) = PLACES.iter().find(|(name, _)| *name == word) {
            return Some(Self::Place(*place));
        }
        // RFC 2822 section 4.3: the military letters were defined wrongly in RFC 822 and all count as UTC.
        if word.len() == 1 && word.as_bytes()[0].is_ascii_uppercase() && word != "J" {
            return (word != "T").then_some(Self::East(0));
        }
        NAMES.iter().any(|(name, _)| *name == word).then_some(Self::Name(word))
    }

    /// The place whose clock it is.
    pub(super) fn place(&self) -> Option<Tz> {
        if let Self::Place(place) = self { Some(*place) } else { None }
    }

    /// Minutes east of UTC at this local time, in the sense of a source in `tz`.
    pub(super) fn minutes(&self, naive: NaiveDateTime, tz: Tz) -> Option<i16> {
        let name = match self {
            Self::East(minutes) => return Some(*minutes),
            Self::Name(name) => name.as_str(),
            Self::Place(_) => return None,
        };
        // The source's own abbreviation, now or half a year away (a feed that says CET in summer means its own clock then).
        let here = |naive: NaiveDateTime| {
            let placed = in_zone(naive, tz)?;
            let there = tz.offset_from_utc_datetime(&placed.moment.utc().naive_utc());
            (there.abbreviation() == Some(name)).then_some(placed.offset)
        };
        if let Some(offset) = here(naive).or_else(|| here(naive.checked_add_days(chrono::Days::new(182))?)) {
            return Some(offset);
        }
        if name == "CST" && tz.name().starts_with("Asia/") {
            return Some(480); // China Standard Time: never Chicago for an Asian source
        }
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, minutes)| *minutes)
    }
}

impl Cursor<'_> {
    /// A zone after a time: `Z`, `+08:00`, `+0800`, `+8`, `GMT+8`, `CST`, 北京时间.
    pub(super) fn zone(&mut self) -> Option<Zone> {
        let mut ahead = self.clone();
        ahead.blanks();
        ahead.one("(");
        // `10:38:00:-0700`
        if ahead.rest.starts_with(":-") || ahead.rest.starts_with(":+") {
            ahead.one(":");
        }
        if ahead.text("北京时间") {
            *self = ahead;
            return Some(Zone::East(480));
        }
        if let Some((_, minutes)) = LONG_NAMES.iter().find(|(name, _)| ahead.text(name)) {
            *self = ahead;
            return Some(Zone::East(*minutes));
        }
        // A name of the tz database: Asia/Shanghai, Etc/GMT.
        let end = ahead.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "/_+-".contains(c)));
        let name = &ahead.rest[..end.unwrap_or(ahead.rest.len())];
        if name.contains('/')
            && let Ok(place) = name.parse()
        {
            self.rest = &ahead.rest[name.len()..];
            return Some(Zone::Place(place));
        }
        let word = ahead.word();
        if !word.is_empty() && !word.is_ascii() {
            return (word.to_lowercase() == "мск").then(|| {
                *self = ahead;
                Zone::East(180)
            });
        }
        let name = if word.is_empty() { None } else { Some(Zone::named(word)?) };
        let utc = matches!(word.to_ascii_uppercase().as_str(), "" | "UTC" | "GMT" | "UT");
        let mut offset = ahead.clone();
        if utc
            && let Some(sign) = offset.one("+-")
            && let Some(minutes) = offset.offset()
        {
            *self = offset;
            return Some(Zone::East(if sign == '-' { -minutes } else { minutes }));
        }
        if name.is_some() {
            *self = ahead;
        }
        name
    }

    /// Hours and minutes of an offset, at most 14 hours (the largest in use).
    fn offset(&mut self) -> Option<i16> {
        let (value, digits) = self.number()?;
        let value = i16::try_from(value).ok()?;
        let (hours, minutes) = match digits {
            1 | 2 => {
                let mut ahead = self.clone();
                match ahead.one(":").and_then(|_| ahead.short()) {
                    Some(minutes) => {
                        *self = ahead;
                        (value, i16::try_from(minutes).ok()?)
                    }
                    None => (value, 0),
                }
            }
            3 | 4 => (value / 100, value % 100),
            _ => return None,
        };
        (hours <= 14 && minutes < 60).then_some(hours * 60 + minutes)
    }
}
