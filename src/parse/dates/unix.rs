//! Dates as programs count them: Unix seconds to nanoseconds, `/Date(1790000000123+0800)/` of .NET.

use super::Cursor;
use crate::model::time::{Claim, Time, Trust};

/// Unix seconds below this are no dates but counters: 1990-01-01.
const FIRST_SECOND: i64 = 631_152_000;
/// Unix seconds from here on are no dates: 2100-01-01.
const LAST_SECOND: i64 = 4_102_444_800;

/// From here on a number of ten digits may be a day with its hour: 1990010100, which as seconds is a day of 2033.
const FIRST_DAY: i64 = 1_990_010_100;

/// Reads it; `None` if it is not counted so.
pub(super) fn read(text: &str) -> Option<Claim> {
    let mut cursor = Cursor::new(text);
    let wrapped = cursor.text("/Date(") || cursor.text("Date(");
    cursor.one("@");
    let (value, digits) = cursor.number()?;
    if wrapped {
        // The offset behind it is only how the program shows it.
        cursor.one("+-").and_then(|_| cursor.number());
        cursor.one(")");
        cursor.one("/");
    } else if cursor.one(".").is_some() {
        cursor.number(); // a fraction of a second
    }
    if !cursor.rest.is_empty() {
        return None;
    }
    let (at, method) = match digits {
        // 2022082310 is an hour of 2022, not a second of 2034.
        10 if value >= FIRST_DAY && (1..=12).contains(&(value / 10_000 % 100)) && value % 100 < 24 => return None,
        9 | 10 => (Time::from_seconds(value), "Unix time in seconds"),
        12 | 13 => (Time(value), "Unix time in milliseconds"),
        16 => (Time(value / 1_000), "Unix time in microseconds"),
        _ => return None,
    };
    (FIRST_SECOND..LAST_SECOND).contains(&at.seconds()).then(|| Claim {
        at,
        offset: 0,
        trust: Trust::Full,
        method: method.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_as_programs_count_them() {
        super::super::tests::check(
            "1790000000                     => 2026-09-21T14:13:20Z
             1790000000.75                  => 2026-09-21T14:13:20Z
             @1790000000                    => 2026-09-21T14:13:20Z
             1790000000123                  => 2026-09-21T14:13:20.123Z
             1790000000123456               => 2026-09-21T14:13:20.123Z
             /Date(1790000000123)/          => 2026-09-21T14:13:20.123Z
             /Date(1790000000123+0800)/     => 2026-09-21T14:13:20.123Z
             2022082310                     => 2022-08-23T10:00:00+08:00
             179000000                      => -
             99999999999999999999           => -
             -62135596800                   => -",
            chrono_tz::Asia::Shanghai,
        );
    }
}
