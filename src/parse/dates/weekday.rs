//! Weekdays, in some sixty languages: 周三 10:38, Monday 3pm, 上周五; and what the weekday beside a date tells of it.

use super::{Cursor, Parts, local};
use crate::model::time::{Claim, Time};
use chrono::{Datelike, Days, NaiveDate, Weekday};
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The names of weekdays, full and short, in lower case: a line a day from Monday on. `generate.py` says from where.
const WEEKDAYS: &str = include_str!("weekdays.txt");

static NAMES: LazyLock<BTreeMap<&str, Weekday>> = LazyLock::new(|| {
    let days = (0..7).filter_map(|day| Weekday::try_from(day).ok());
    days.zip(WEEKDAYS.lines()).flat_map(|(day, line)| line.split(' ').map(move |name| (name, day))).collect()
});

/// Words before a weekday of the week before this one, and of this one.
const LAST: [&str; 6] = ["last ", "上", "letzten ", "le ", "el ", "прошлый "];
const THIS: [&str; 3] = ["本", "这", "這"];

/// The weekday of this name.
pub(super) fn named(word: &str) -> Option<Weekday> {
    let lower = word.to_lowercase();
    NAMES.get(lower.as_str()).copied()
}

/// Whether this day is such a weekday.
pub(super) fn fits(weekday: Weekday, year: i32, month: u32, day: u32) -> bool {
    NaiveDate::from_ymd_opt(year, month, day).is_some_and(|date| date.weekday() == weekday)
}

/// Reads a weekday with a time of day as the latest such moment; `None` if it is anything else.
pub(super) fn read(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    let (mut parts, days, claim) = told(text, tz, at)?;
    parts.time?;
    claim.or_else(|| place(&mut parts, days + 7, tz, at))
}

/// The same in a field for dates, where a weekday alone is a date too.
pub(super) fn field(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    let (mut parts, days, claim) = told(text, tz, at)?;
    claim.or_else(|| place(&mut parts, days + 7, tz, at))
}

/// What is told, how many days back the weekday was last, and the claim for that day unless it lies ahead.
fn told(text: &str, tz: Tz, at: Time) -> Option<(Parts, u64, Option<Claim>)> {
    let mut cursor = Cursor::new(text);
    let last = LAST.iter().any(|word| cursor.text(word));
    let _ = THIS.iter().any(|word| cursor.text(word));
    let end = cursor.rest.find(|c: char| !c.is_alphabetic()).unwrap_or(cursor.rest.len());
    // 周三下午3点: the name ends where a half of the day begins.
    let word = &cursor.rest[..end];
    let ends = word.char_indices().map(|(at, c)| at + c.len_utf8());
    let (length, weekday) = ends.filter_map(|end| Some((end, named(&word[..end])?))).next_back()?;
    if length < end && word.is_ascii() {
        return None;
    }
    cursor.rest = &cursor.rest[length..];
    while cursor.one(" ,.").is_some() {}
    let _ = ["at ", "um ", "à ", "в ", "a las "].iter().any(|word| cursor.text(word));
    let time = cursor.clock();
    cursor.blanks();
    let _ = cursor.text("uhr");
    if !cursor.rest.is_empty() {
        return None;
    }
    let today = local(tz, at)?.date();
    let since_monday = |day: Weekday| u64::from(day.num_days_from_monday());
    let back = (since_monday(today.weekday()) + 7 - since_monday(weekday)) % 7;
    // 上周五: of the calendar's week before this one.
    let days = if last { since_monday(today.weekday()) + 7 - since_monday(weekday) } else { back };
    let mut parts = Parts { time, form: "weekday: the latest such day", ..Parts::default() };
    let claim = place(&mut parts, days, tz, at).filter(|claim| claim.at <= at);
    Some((parts, days, claim))
}

fn place(parts: &mut Parts, days: u64, tz: Tz, at: Time) -> Option<Claim> {
    let date = local(tz, at)?.date().checked_sub_days(Days::new(days))?;
    (parts.year, parts.month, parts.day) = (Some(date.year()), date.month(), date.day());
    parts.claim(tz, at)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_field};
    use chrono_tz::Asia;

    /// Polled on a Monday, at noon.
    #[test]
    fn the_latest_such_day() {
        check(
            "周三 10:38                           => 2026-11-18T10:38:00+08:00
             星期五下午3点                        => 2026-11-20T15:00:00+08:00
             周一 10:38                           => 2026-11-23T10:38:00+08:00
             周一 15:00                           => 2026-11-16T15:00:00+08:00
             上周五 10:00                         => 2026-11-20T10:00:00+08:00
             上周一 10:00                         => 2026-11-16T10:00:00+08:00
             Monday 3pm                           => 2026-11-16T15:00:00+08:00
             Thu 10:00                            => 2026-11-19T10:00:00+08:00
             Tuesday at 10:38 pm                  => 2026-11-17T22:38:00+08:00
             Sonntag, 10:38 Uhr                   => 2026-11-22T10:38:00+08:00
             Monday                               => -
             周三                                 => -
             周三新闻                             => -
             Monday morning                       => -",
            Asia::Shanghai,
        );
        check_field(
            "Wednesday                            => ~2026-11-18T00:00:00+08:00
             周一                                 => ~2026-11-23T00:00:00+08:00
             market                               => -",
            Asia::Shanghai,
        );
    }

    #[test]
    fn a_weekday_tells_day_from_month() {
        check(
            "Mon, 01/02/2006 - 15:04              => 2006-01-02T15:04:00+08:00
             Wed, 01/02/2006 - 15:04              => 2006-02-01T15:04:00+08:00
             Sat, 11 04 2020 08:51:49 +0100       => 2020-04-11T08:51:49+01:00
             Sunday, 01/02/2006 15:04             => ~2006-02-01T15:04:00+08:00",
            Asia::Shanghai,
        );
    }
}
