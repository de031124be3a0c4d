//! Dates with the month as a word: RFC 822 and 2822 with their common errors, asctime, long forms of several languages.

use super::{Clock, Cursor, Parts, zone::Zone};
use crate::model::time::{Claim, Time};
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The names of months in some sixty languages, full and short, in lower case: a line a month. `generate.py` beside it says
/// from where.
const MONTHS: &str = include_str!("months.txt");

static NAMES: LazyLock<BTreeMap<&str, u32>> = LazyLock::new(|| {
    (1..).zip(MONTHS.lines()).flat_map(|(month, line)| line.split(' ').map(move |name| (name, month))).collect()
});

/// English names, of which any beginning of three letters is understood.
const ENGLISH: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Vietnamese numbers its months: 23 tháng 11, 2026.
const NUMBERED: [&str; 3] = ["tháng", "thang", "thg"];

/// Words before a time that has a point in it: kl. 10.38 (Danish, Norwegian, Swedish), klo 10.38 (Finnish).
const CLOCK: [&str; 3] = ["kl", "klo", "klokken"];

/// Reads it; `None` if no month is named, or neither day nor year.
pub(super) fn read(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    let mut cursor = Cursor::new(text);
    let mut parts = Parts { form: "date in words", ..Parts::default() };
    let mut words = 0;
    // `2 ago 2026` is August in Italian; `2 ago` is English.
    let ago = text.len() >= 3 && text.get(text.len() - 3..).is_some_and(|end| end.eq_ignore_ascii_case("ago"));
    // Offsets have four digits, too.
    let whole_year = text
        .as_bytes()
        .windows(4)
        .any(|four| matches!(four, [b'1', b'9', ..] | [b'2', b'0' | b'5', ..]) && four.iter().all(u8::is_ascii_digit));
    // The first word may be a weekday that is spelt like a month (French and Spanish Tuesday, mar.).
    let mut first_is_month = false;
    while let Some(c) = cursor.peek() {
        if c.is_ascii_digit() {
            if parts.time.is_none()
                && let Some(clock) = cursor.clock().or_else(|| dotted(&mut cursor, " uhr"))
            {
                parts.time = Some(clock);
                continue;
            }
            number(&mut cursor, &mut parts, whole_year)?;
        } else if c.is_alphabetic() {
            let mut ahead = cursor.clone();
            let word = cursor.word();
            words += 1;
            let month = month(word).filter(|_| !(ago && cursor.rest.is_empty()));
            let month = month.filter(|_| parts.month == 0 || (first_is_month && parts.time.is_none()));
            if let Some(month) = month {
                first_is_month = words == 1 && parts.day == 0;
                parts.month = month;
            } else if parts.month == 0 && NUMBERED.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                cursor.blanks();
                parts.month = cursor.short()?;
            } else if parts.time.is_none() && CLOCK.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                cursor.one(".");
                cursor.blanks();
                parts.time = cursor.clock().or_else(|| dotted(&mut cursor, ""));
            } else if parts.zone.is_none()
                && (parts.time.is_some() || (parts.year.is_some() && is_last(word, cursor.rest)))
            {
                parts.zone = ahead.zone().inspect(|_| cursor = ahead);
            } else if words == 1 && parts.day == 0 {
                // A weekday, which must not contradict anything: half of them are wrong anyway.
                parts.form = "RFC 822";
            }
        } else if "+-".contains(c) && parts.time.is_some() && parts.zone.is_none() {
            let mut ahead = cursor.clone();
            if let Some(zone @ Zone::East(_)) = ahead.zone() {
                parts.zone = Some(zone);
                cursor = ahead;
            } else {
                cursor.rest = &cursor.rest[1..];
            }
        } else {
            cursor.rest = &cursor.rest[c.len_utf8()..];
        }
    }
    if parts.day == 0 && parts.year.is_some() && parts.time.is_none() {
        parts.day = 1;
        parts.doubt = Some("month only");
    }
    (parts.month > 0 && parts.day > 0).then_some(())?;
    parts.claim(tz, at)
}

/// Whether a word ends a text and looks like the abbreviation of a zone: `26 Sep 2022 MST`.
fn is_last(word: &str, rest: &str) -> bool {
    rest.trim().is_empty() && (3..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// `10.38`, followed by this in any case.
fn dotted(cursor: &mut Cursor<'_>, behind: &str) -> Option<Clock> {
    let mut ahead = cursor.clone();
    let hour = ahead.short()?;
    ahead.one(".")?;
    let minute = ahead.short()?;
    let second = ahead.one(".").and_then(|_| ahead.short()).unwrap_or_default();
    (hour < 24 && minute < 60 && second < 60 && ahead.text(behind)).then_some(())?;
    *cursor = ahead;
    Some(Clock { hour, minute, second, milli: 0 })
}

/// A day or a year. RFC 2822 section 4.3: a year of two digits below 50 is of this century, one of three counts from 1900.
fn number(cursor: &mut Cursor<'_>, parts: &mut Parts, whole_year: bool) -> Option<()> {
    let (value, digits) = cursor.number()?;
    let value = i32::try_from(value).ok()?;
    match digits {
        1 | 2 if parts.day == 0 => parts.day = value as u32,
        4 if parts.year.is_none() => parts.year = Some(value),
        // `12-14 June 2021`: the first day counts, and the year is the number that looks like one.
        2 if parts.year.is_none() && !whole_year => {
            parts.year = Some(if value < 50 { 2000 + value } else { 1900 + value });
        }
        3 if parts.year.is_none() => parts.year = Some(1900 + value),
        _ => {}
    }
    Some(())
}

/// The month of this name.
pub(super) fn month(word: &str) -> Option<u32> {
    let lower = word.to_lowercase();
    NAMES.get(lower.as_str()).copied().or_else(|| {
        let english = |name: &&str| lower.len() >= 3 && name.starts_with(&lower);
        ENGLISH.iter().position(english).and_then(|at| u32::try_from(at + 1).ok())
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use chrono_tz::{Asia, Europe, UTC};

    #[test]
    fn rfc_822_and_what_is_made_of_it() {
        check(
            "Sun, 04 Oct 2026 01:39:11 +0800      => 2026-10-04T01:39:11+08:00
             Sun, 4 Oct 2026 01:39:11 GMT         => 2026-10-04T01:39:11Z
             Sun, 04 Oct 26 01:39 UT              => 2026-10-04T01:39:00Z
             Sun, 04 Oct 26 01:39:11 -0800        => 2026-10-04T01:39:11-08:00
             04 Oct 2026 01:39:11 EST             => 2026-10-04T01:39:11-05:00
             Sun, 04 Oct 2026 01:39:11 CST        => 2026-10-04T01:39:11+08:00
             Sun,04 Oct 2026 01:39:11 +08:00      => 2026-10-04T01:39:11+08:00
             Sun, 04 Oct, 2026 01:39:11 UTC       => 2026-10-04T01:39:11Z
             Sunday, 04 October 2026 01:39:11 MSK => 2026-10-04T01:39:11+03:00
             Sunday, 04-Oct-26 01:39:11 GMT       => 2026-10-04T01:39:11Z
             Wed, 04 Oct 2026 01:39:11 Z          => 2026-10-04T01:39:11Z
             Sun, 04 Oct 2026 24:00:00 GMT        => 2026-10-05T00:00:00Z
             Sun, 04 Oct 2026 01:39:60 GMT        => 2026-10-04T01:39:59Z
             Sun, 04 Oct 2026 01:39:11            => 2026-10-04T01:39:11+08:00
             Sun, 04 Oct 2026                     => ~2026-10-04T00:00:00+08:00
             Sun, 4 Oct 2026 1:3:5 GMT            => 2026-10-04T01:03:05Z
             Sun, 04 Oct 2026 01:39:11 Etc/GMT    => 2026-10-04T01:39:11Z
             Sun, 04 Oct 2026 01:39:11 Europe/Berlin => 2026-10-04T01:39:11+02:00
             Sun, 04 Oct 2026 01:39:11 GMT-01:01  => 2026-10-04T01:39:11-01:01
             Sun, 04 Oct 2026 01:39:11 ET         => 2026-10-04T01:39:11-04:00
             Sun, 04 Jan 2026 01:39:11 PT         => 2026-01-04T01:39:11-08:00
             4-Oct-2026 01:39:11 GMT+0800 (CST)   => 2026-10-04T01:39:11+08:00
             Sun Oct 04 2026 01:39:11 GMT+0800 (中国标准时间) => 2026-10-04T01:39:11+08:00
             Sun, 31 Feb 2026 01:39:11 GMT        => -
             Sun, 99 Jun 2026 12:00:00 GMT        => -
             Sun, 16 zzz 2026 11:47:32 GMT        => -",
            Asia::Shanghai,
        );
    }

    #[test]
    fn asctime_and_long_forms() {
        check(
            "Sun Oct  4 01:39:11 2026             => 2026-10-04T01:39:11+08:00
             Sun Oct  4 01:39:11 CST 2026         => 2026-10-04T01:39:11+08:00
             Sun Oct 04 01:39:11 +0000 2026       => 2026-10-04T01:39:11Z
             Thu Aug 30 2026 17:26:16 +0200       => 2026-08-30T17:26:16+02:00
             Monday, November 2, 2026 3:05 PM     => 2026-11-02T15:05:00+08:00
             November 2nd, 2026                   => ~2026-11-02T00:00:00+08:00
             2 Nov '26, 8 pm                      => 2026-11-02T20:00:00+08:00
             Oct 4, 2026 at 12:10 am              => 2026-10-04T00:10:00+08:00
             Octob. 4, 2026                       => ~2026-10-04T00:00:00+08:00
             October 2026                         => ~2026-10-01T00:00:00+08:00
             Posted on October 4, 2026            => ~2026-10-04T00:00:00+08:00
             market 5                             => -
             October                              => -",
            Asia::Shanghai,
        );
    }

    #[test]
    fn months_of_many_languages() {
        check(
            "Mo, 23. Nov. 2026, 10:38 Uhr         => 2026-11-23T10:38:00Z
             23. März 2026 um 10.38 Uhr           => 2026-03-23T10:38:00Z
             1. Jänner 2026                       => ~2026-01-01T00:00:00Z
             lun. 23 nov. 2026 à 10h38            => 2026-11-23T10:38:00Z
             mar., 3 nov. 2026 10:38              => 2026-11-03T10:38:00Z
             1er août 2026                        => ~2026-08-01T00:00:00Z
             23 fevrier 2026                      => ~2026-02-23T00:00:00Z
             2 de noviembre de 2026 a las 10:00   => 2026-11-02T10:00:00Z
             Seg, 02 Nov 2026 10:00:00 -0300      => 2026-11-02T10:00:00-03:00
             2 de março de 2026                   => ~2026-03-02T00:00:00Z
             2 novembre 2026, 10:00               => 2026-11-02T10:00:00Z
             2 ноября 2026 г., 10:00              => 2026-11-02T10:00:00Z
             Пн, 02 ноя 2026 10:00:00 +0300       => 2026-11-02T10:00:00+03:00
             2 листопада 2026                     => ~2026-11-02T00:00:00Z
             Κυρ, 11 Ιούλ 2004 12:00:00 EST       => 2004-07-11T12:00:00-05:00
             11 Ιουλίου 2026                      => ~2026-07-11T00:00:00Z
             2004-július-13T9:15-05:00            => 2004-07-13T09:15:00-05:00
             2026. november 2. 10:38              => 2026-11-02T10:38:00Z
             2 listopada 2026, 10:38              => 2026-11-02T10:38:00Z
             2. listopadu 2026 10.38              => ~2026-11-02T00:00:00Z
             2 Kasım 2026 10:38                   => 2026-11-02T10:38:00Z
             2. november 2026 kl. 10.38           => 2026-11-02T10:38:00Z
             2. marraskuuta 2026 klo 10.38        => 2026-11-02T10:38:00Z
             2 tháng 11, 2026 10:38               => 2026-11-02T10:38:00Z
             2 พฤศจิกายน 2569                      => ~2026-11-02T00:00:00Z
             ٢ نوفمبر ٢٠٢٦                         => ~2026-11-02T00:00:00Z",
            UTC,
        );
        check("2 ноября 2026, 10:00 МСК => 2026-11-02T10:00:00+03:00", Europe::Berlin);
    }
}
