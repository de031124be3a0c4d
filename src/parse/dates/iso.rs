//! The rarer forms of ISO 8601: the day of the year (`2003-335`), the day of a week (`2003-W52-3`).
//!
//! Its ordinary form, W3CDTF and RFC 3339 are read with the other [`numbers`]: feeds mix them freely.

use super::{Cursor, Parts, numbers};
use crate::model::time::{Claim, Time};
use chrono::{Datelike, NaiveDate, Weekday};
use chrono_tz::Tz;

/// Reads it; `None` if it is neither.
pub(super) fn read(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    let mut cursor = Cursor::new(text);
    let (year, 4) = cursor.number()? else { return None };
    let year = i32::try_from(year).ok()?;
    cursor.one("-")?;
    let date = if cursor.one("Ww").is_some() {
        let (week, 2) = cursor.number()? else { return None };
        let day = cursor.one("-").and_then(|_| cursor.number()).map_or(1, |(day, _)| day);
        let day = Weekday::try_from(u8::try_from(day.checked_sub(1)?).ok()?).ok()?;
        NaiveDate::from_isoywd_opt(year, u32::try_from(week).ok()?, day)?
    } else {
        let (day, 3) = cursor.number()? else { return None };
        // `2003-012-31`: a month with a zero too many.
        if cursor.peek() == Some('-') {
            return None;
        }
        NaiveDate::from_yo_opt(year, u32::try_from(day).ok()?)?
    };
    let mut parts =
        Parts { year: Some(date.year()), month: date.month(), day: date.day(), form: numbers::ISO, ..Parts::default() };
    numbers::time(&mut cursor, &mut parts);
    parts.claim(tz, at)
}

#[cfg(test)]
mod tests {
    #[test]
    fn iso_8601_and_its_profiles() {
        super::super::tests::check(
            "2026-10-04T01:39:11Z                 => 2026-10-04T01:39:11Z
             2026-10-04t01:39:11.123456+08:00     => 2026-10-04T01:39:11.123+08:00
             2026-10-04T01:39:11,5Z               => 2026-10-04T01:39:11.500Z
             2026-10-04T01:39+0800                => 2026-10-04T01:39:00+08:00
             2026-10-04T01:39:11-05               => 2026-10-04T01:39:11-05:00
             2026-10-04T01:39:11+08:00[Asia/Shanghai] => 2026-10-04T01:39:11+08:00
             2026-11-02T10:00:00                  => 2026-11-02T10:00:00+08:00
             20261004T013911Z                     => 2026-10-04T01:39:11Z
             20261004013911+0900                  => 2026-10-04T01:39:11+09:00
             2026-10-04                           => ~2026-10-04T00:00:00+08:00
             2026-10                              => ~2026-10-01T00:00:00+08:00
             2003-012-31T10:14:55+00:00           => 2003-12-31T10:14:55Z
             2003-335                             => ~2003-12-01T00:00:00+08:00
             2003-335T10:00Z                      => 2003-12-01T10:00:00Z
             2003-W52-3                           => ~2003-12-24T00:00:00+08:00
             2003-W52                             => ~2003-12-22T00:00:00+08:00
             2026-13-04                           => -
             2026-02-30                           => -",
            chrono_tz::Asia::Shanghai,
        );
    }
}
