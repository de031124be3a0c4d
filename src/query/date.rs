//! Dates in `after:` and `before:`: a day in UTC, or so long ago.

use chrono::{Datelike, NaiveDate};

use crate::model::time::Time;

/// A moment asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Date {
    /// The beginning of this day in UTC.
    Day(NaiveDate),
    /// So many units before now.
    Ago(u32, Unit),
}

/// Unit of a relative date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Minutes,
    Hours,
    Days,
    Weeks,
}

impl Unit {
    const ALL: [Self; 4] = [Self::Minutes, Self::Hours, Self::Days, Self::Weeks];

    const fn letter(self) -> char {
        match self {
            Self::Minutes => 'm',
            Self::Hours => 'h',
            Self::Days => 'd',
            Self::Weeks => 'w',
        }
    }

    const fn milliseconds(self) -> i64 {
        match self {
            Self::Minutes => Time::MINUTE,
            Self::Hours => Time::HOUR,
            Self::Days => Time::DAY,
            Self::Weeks => 7 * Time::DAY,
        }
    }
}

impl Date {
    /// From `2026-11-01` (also `2026-11-1`), `3d`, `6h`, `30m` or `2w`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::day(text).or_else(|| Self::ago(text))
    }

    fn day(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |part: &str, least, most| {
            (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if parts.next().is_some() || !digits(year, 4, 4) || !digits(month, 1, 2) || !digits(day, 1, 2) {
            return None;
        }
        NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).map(Self::Day)
    }

    fn ago(text: &str) -> Option<Self> {
        let unit = Unit::ALL.into_iter().find(|unit| text.ends_with(unit.letter()))?;
        let count = &text[..text.len() - 1];
        // Four digits: 9999 weeks are more than anyone keeps, and nothing can overflow.
        let ok = (1..=4).contains(&count.len()) && count.bytes().all(|byte| byte.is_ascii_digit());
        if !ok {
            return None;
        }
        Some(Self::Ago(count.parse().ok()?, unit))
    }

    /// Whether it counts from now.
    pub const fn relative(self) -> bool {
        matches!(self, Self::Ago(..))
    }

    /// The moment; `None` for a relative date without a now.
    pub fn moment(self, now: Option<Time>) -> Option<Time> {
        match self {
            Self::Day(day) => Some(Time(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())),
            Self::Ago(count, unit) => Some(now?.plus(-(i64::from(count) * unit.milliseconds()))),
        }
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{:04}-{:02}-{:02}", day.year(), day.month(), day.day()),
            Self::Ago(count, unit) => write!(f, "{count}{}", unit.letter()),
        }
    }
}
