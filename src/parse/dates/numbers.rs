//! Dates in numbers: ISO 8601 and its profiles, `2026/10/04`, `2022年08月23日10:38`, `10-04`, `10:38`, Unix time.

use super::{Clock, Cursor, Parts};
use crate::model::time::{Claim, Time, Trust};
use chrono_tz::Tz;

/// Unix seconds below this are no dates but counters: 1990-01-01.
const FIRST_SECOND: i64 = 631_152_000;
/// Unix seconds from here on are no dates: 2100-01-01.
const LAST_SECOND: i64 = 4_102_444_800;

const SWAPPED: &str = "day and month could be swapped";

/// Reads it; `None` if it does not begin with a number or is no date.
pub(super) fn read(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    let mut cursor = Cursor::new(text);
    let start = cursor.clone();
    let (first, digits) = cursor.number()?;
    let mut parts = match digits {
        8 | 12 | 14 => run(first, digits)?,
        10 | 13 if cursor.rest.is_empty() => return unix(first, digits),
        4 => year_first(&mut cursor, i32::try_from(first).ok()?)?,
        1 | 2 => match cursor.peek()? {
            ':' | '时' | '点' => {
                cursor = start;
                let time = cursor.clock()?;
                let zone = cursor.zone();
                return Parts { time: Some(time), zone, form: "time of day", ..Parts::default() }.claim(tz, at);
            }
            '月' => month_first(&mut cursor, u32::try_from(first).ok()?)?,
            '-' | '/' | '.' => short_first(&mut cursor, u32::try_from(first).ok()?, tz)?,
            _ => return None,
        },
        _ => return None,
    };
    if parts.time.is_none() {
        time(&mut cursor, &mut parts);
    } else {
        parts.zone = cursor.zone();
    }
    parts.claim(tz, at)
}

/// The time of day and zone after a date.
fn time(cursor: &mut Cursor<'_>, parts: &mut Parts) {
    let compact = matches!(cursor.peek(), Some('T' | 't'));
    while cursor.one(" Tt,;|").is_some() {}
    weekday(cursor);
    cursor.blanks();
    if compact {
        let mut ahead = cursor.clone();
        if let Some((value, digits @ (4 | 6))) = ahead.number() {
            let value = u32::try_from(value).unwrap_or_default();
            let value = if digits == 4 { value * 100 } else { value };
            parts.time = Some(Clock {
                hour: value / 10_000,
                minute: value / 100 % 100,
                second: value % 100,
                ..Clock::default()
            });
            *cursor = ahead;
            parts.zone = cursor.zone();
            return;
        }
    }
    parts.time = cursor.clock();
    if parts.time.is_some() {
        parts.zone = cursor.zone();
    }
}

/// Passes over 星期二, （周二）.
fn weekday(cursor: &mut Cursor<'_>) {
    let mut ahead = cursor.clone();
    let bracket = ahead.one("(").is_some();
    if ahead.text("星期") || ahead.text("周") {
        ahead.one("一二三四五六日天末");
        if bracket {
            ahead.one(")");
        }
        *cursor = ahead;
    }
}

/// `20220823`, `202208231038`, `20220823103835`.
fn run(value: i64, digits: usize) -> Option<Parts> {
    let mut value = value;
    let mut take = |size: i64| {
        let part = value % size;
        value /= size;
        u32::try_from(part).ok()
    };
    let second = if digits == 14 { take(100)? } else { 0 };
    let time = if digits >= 12 {
        let minute = take(100)?;
        Some(Clock { hour: take(100)?, minute, second, milli: 0 })
    } else {
        None
    };
    let day = take(100)?;
    let month = take(100)?;
    let year = i32::try_from(value).ok()?;
    Some(Parts { year: Some(year), month, day, time, form: "digits", ..Parts::default() })
}

/// `1790000000`, `1790000000123`.
fn unix(value: i64, digits: usize) -> Option<Claim> {
    let (at, method) = if digits == 13 {
        (Time(value), "Unix time in milliseconds")
    } else {
        (Time::from_seconds(value), "Unix time in seconds")
    };
    (FIRST_SECOND..LAST_SECOND).contains(&at.seconds()).then(|| Claim {
        at,
        offset: 0,
        trust: Trust::Full,
        method: method.to_owned(),
    })
}

/// `2026-10-04…`, `2026/10/04…`, `2026年10月4日…`, `2026-10`.
fn year_first(cursor: &mut Cursor<'_>, year: i32) -> Option<Parts> {
    let mark = cursor.one("-/.年")?;
    cursor.blanks();
    let month = cursor.short()?;
    let mut parts = Parts { year: Some(year), month, day: 1, form: "numeric date", ..Parts::default() };
    cursor.blanks();
    if cursor.one("-/.月").is_none() {
        parts.doubt = Some("month only");
        return Some(parts);
    }
    cursor.blanks();
    parts.day = match cursor.short() {
        Some(day) => day,
        None if mark == '年' => {
            parts.doubt = Some("month only");
            1
        }
        None => return None,
    };
    cursor.one("日号");
    if mark == '-' && cursor.peek().is_none_or(|c| "Tt".contains(c)) {
        parts.form = "ISO 8601";
    }
    Some(parts)
}

/// `10月4日`.
fn month_first(cursor: &mut Cursor<'_>, month: u32) -> Option<Parts> {
    cursor.one("月")?;
    cursor.blanks();
    let day = cursor.short()?;
    cursor.one("日号");
    Some(Parts { month, day, form: "numeric date", ..Parts::default() })
}

/// `10-04`, `04/10/2026`, `04.10.2026`, `26-10-04`.
fn short_first(cursor: &mut Cursor<'_>, first: u32, tz: Tz) -> Option<Parts> {
    let mark = cursor.one("-/.")?;
    let second = cursor.short()?;
    let form = "numeric date";
    let mut ahead = cursor.clone();
    let third = ahead.one("-/.").filter(|c| *c == mark).and_then(|_| ahead.number());
    let Some((third, digits)) = third else {
        return Some(Parts { month: first, day: second, form, ..Parts::default() });
    };
    *cursor = ahead;
    let third_day = u32::try_from(third).ok()?;
    if digits == 2 && mark == '-' {
        // Nobody writes day-month-year with hyphens and two digits where lists have this form (26-10-04).
        return Some(Parts {
            year: Some(2000 + first as i32),
            month: second,
            day: third_day,
            form,
            ..Parts::default()
        });
    }
    let year = match digits {
        4 => i32::try_from(third).ok()?,
        2 => 2000 + i32::try_from(third).ok()?,
        _ => return None,
    };
    let american = tz.name().starts_with("America/");
    let (month, day, doubt) = match (first, second) {
        (13.., _) => (second, first, None),
        (_, 13..) => (first, second, None),
        _ if mark == '.' || first == second => (second, first, None),
        _ if american => (first, second, Some(SWAPPED)),
        _ => (second, first, Some(SWAPPED)),
    };
    Some(Parts { year: Some(year), month, day, form, doubt, ..Parts::default() })
}
