//! Dates in numbers: ISO 8601 and its profiles, `2026/10/04`, `2022年08月23日10:38`, `10-04`, `10:38`.

use super::{Clock, Cursor, Parts, Weekday, weekday, words};
use crate::model::time::{Claim, Time};
use chrono_tz::Tz;

/// What a date of ISO 8601 is called in the method.
pub(super) const ISO: &str = "ISO 8601";

const SWAPPED: &str = "day and month could be swapped";

/// Reads it; `None` if it does not begin with a number or is no date. The weekday is what stands before it.
pub(super) fn read(text: &str, day: Option<Weekday>, tz: Tz, at: Time) -> Option<Claim> {
    let mut cursor = Cursor::new(text);
    let start = cursor.clone();
    let (first, digits) = cursor.number()?;
    let mut parts = match digits {
        8 | 10 | 12 | 14 => run(first, digits)?,
        1 | 2 => match cursor.peek()? {
            ':' | '时' | '点' => {
                cursor = start;
                let time = cursor.clock()?;
                let zone = cursor.zone();
                // The date may stand behind: `10:38 23.11.2026`.
                let rest = cursor.rest.trim_start_matches(|c: char| " ,;|-".contains(c));
                if rest.contains(|c: char| c.is_ascii_digit()) {
                    let mut cursor = Cursor::new(rest);
                    let mut parts = date(&mut cursor, day, tz)?;
                    (parts.time, parts.zone) = (Some(time), zone.or_else(|| cursor.zone()));
                    return parts.claim(tz, at);
                }
                return Parts { time: Some(time), zone, form: "time of day", ..Parts::default() }.claim(tz, at);
            }
            _ => {
                cursor = start;
                date(&mut cursor, day, tz)?
            }
        },
        4 => {
            cursor = start;
            date(&mut cursor, day, tz)?
        }
        _ => return None,
    };
    if parts.time.is_none() {
        time(&mut cursor, &mut parts);
    } else {
        parts.zone = cursor.zone();
    }
    // `02.01.2006 -0700`, but `2013-01-27-01` is something else.
    if parts.time.is_none() && cursor.rest.starts_with(' ') {
        parts.zone = cursor.zone();
    }
    parts.claim(tz, at)
}

/// A day in numbers.
fn date(cursor: &mut Cursor<'_>, day: Option<Weekday>, tz: Tz) -> Option<Parts> {
    let (first, digits) = cursor.number()?;
    cursor.blanks();
    let first = u32::try_from(first).ok()?;
    match (digits, cursor.peek()?) {
        (4, _) => year_first(cursor, i32::try_from(first).ok()?),
        // 19年4月20日
        (2, '年') => year_first(cursor, short_year(first)),
        (1 | 2, '月') => month_first(cursor, first),
        (1 | 2, '-' | '/' | '.') => short_first(cursor, first, day, tz),
        _ => None,
    }
}

/// A year of two digits: from 70 on of the last century.
fn short_year(year: u32) -> i32 {
    let year = year as i32;
    if year < 70 { 2000 + year } else { 1900 + year }
}

/// The time of day and zone after a date.
pub(super) fn time(cursor: &mut Cursor<'_>, parts: &mut Parts) {
    let compact = matches!(cursor.peek(), Some('T' | 't'));
    while cursor.one(" Tt,;|").is_some() {}
    // `03/30/2020 - 19:19`
    if cursor.rest.starts_with("- ") {
        cursor.rest = cursor.rest[1..].trim_start();
    }
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
    parts.time = cursor.clock().or_else(|| {
        // One short word may stand between: um, à, klo, u.
        let mut ahead = cursor.clone();
        let word = ahead.word();
        ahead.one(".");
        ahead.blanks();
        let clock = if word.chars().count() <= 4 { ahead.clock() } else { None };
        clock.inspect(|_| *cursor = ahead)
    });
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

/// `20220823`, `2022082310`, `202208231038`, `20220823103835`.
fn run(value: i64, digits: usize) -> Option<Parts> {
    let mut value = value;
    let mut take = |size: i64| {
        let part = value % size;
        value /= size;
        u32::try_from(part).ok()
    };
    let second = if digits == 14 { take(100)? } else { 0 };
    let time = if digits >= 10 {
        let minute = if digits >= 12 { take(100)? } else { 0 };
        Some(Clock { hour: take(100)?, minute, second, milli: 0 })
    } else {
        None
    };
    let day = take(100)?;
    let month = take(100)?;
    let year = i32::try_from(value).ok()?;
    Some(Parts { year: Some(year), month, day, time, form: "digits", ..Parts::default() })
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
    if mark == '年' {
        cursor.blanks();
    }
    cursor.one(if mark == '.' { "." } else { "日号" });
    if mark == '-' && cursor.peek().is_none_or(|c| "Tt".contains(c)) {
        parts.form = ISO;
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

/// `10-04`, `04/10/2026`, `04.10.2026`, `26-10-04`, `10/2026`.
fn short_first(cursor: &mut Cursor<'_>, first: u32, weekday: Option<Weekday>, tz: Tz) -> Option<Parts> {
    let mark = cursor.one("-/.")?;
    cursor.blanks();
    let form = "numeric date";
    let (second, digits) = cursor.number()?;
    if digits == 4 && mark != '.' && (1990..2100).contains(&second) {
        let (year, doubt) = (i32::try_from(second).ok(), Some("month only"));
        return Some(Parts { year, month: first, day: 1, form, doubt, ..Parts::default() });
    }
    let second = u32::try_from(second).ok().filter(|_| digits <= 2)?;
    let mut ahead = cursor.clone();
    ahead.blanks();
    let third = ahead.one("-/.").filter(|c| *c == mark).and_then(|_| {
        ahead.blanks();
        ahead.number()
    });
    let Some((third, digits)) = third else {
        // `12-14 June`: two days of a month that follows.
        let mut ahead = cursor.clone();
        ahead.one(".");
        ahead.blanks();
        let word = ahead.word();
        // `2.5 hours`: a number.
        if words::month(word).is_some() || (mark == '.' && word.starts_with(|c: char| c.is_ascii_alphabetic())) {
            return None;
        }
        // Lists of Asia and America put the month first, others write the day first with a point.
        let name = tz.name();
        let asian = name.starts_with("Asia/") || name.starts_with("America/") || name == "UTC";
        let day_first = first > 12 || (mark == '.' && second <= 12 && !asian);
        let (month, day) = if day_first { (second, first) } else { (first, second) };
        return Some(Parts { month, day, form, ..Parts::default() });
    };
    *cursor = ahead;
    let third_day = u32::try_from(third).ok()?;
    if digits == 2 && mark == '-' {
        // Nobody writes day-month-year with hyphens and two digits where lists have this form (26-10-04).
        return Some(Parts { year: Some(short_year(first)), month: second, day: third_day, form, ..Parts::default() });
    }
    let year = match digits {
        4 => i32::try_from(third).ok()?,
        2 => short_year(third_day),
        _ => return None,
    };
    let american = tz.name().starts_with("America/");
    let fits = |month, day| weekday.is_some_and(|weekday| weekday::fits(weekday, year, month, day));
    let (month, day, doubt) = match (first, second) {
        (13.., _) => (second, first, None),
        (_, 13..) => (first, second, None),
        _ if mark == '.' || first == second => (second, first, None),
        _ if fits(first, second) != fits(second, first) => {
            if fits(first, second) {
                (first, second, None)
            } else {
                (second, first, None)
            }
        }
        _ if american => (first, second, Some(SWAPPED)),
        _ => (second, first, Some(SWAPPED)),
    };
    Some(Parts { year: Some(year), month, day, form, doubt, ..Parts::default() })
}
