//! Forms so short that they are dates only where a date is due: in a field for dates, not somewhere on a page.
//!
//! ISO 8601:1988 and 2000 allowed years of two digits and what follows left out; feeds of the first years of RSS used it.

use super::{Parts, numbers};
use crate::model::time::{Claim, Time};
use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

/// Years of two digits from here on are of the last century.
const PIVOT: i32 = 70;

/// Reads it; `None` if it is none of these.
pub(super) fn read(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    let text = text.trim();
    let bare = text.strip_prefix('-').unwrap_or(text);
    let digits: String = bare.chars().filter(|c| *c != '-').collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) || bare.matches('-').count() > 1 {
        return None;
    }
    // `5-2020` has a month first.
    if bare.contains('-') && !(text.starts_with('-') && bare.len() == 5) {
        return None;
    }
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u32>().ok();
    let short =
        |digits: u32| i32::try_from(digits).ok().map(|year| if year < PIVOT { 2000 + year } else { 1900 + year });
    let (year, month, day, doubt) = match (digits.len(), text.starts_with('-')) {
        // 2003
        (4, false) if bare.len() == 4 => (i32::try_from(number(0, 4)?).ok()?, 1, 1, Some("year only")),
        // -0312, -03-12
        (4, true) => (short(number(0, 2)?)?, number(2, 4)?, 1, Some("month only")),
        // 03335: the year and the day in it
        (5, false) => {
            let date = NaiveDate::from_yo_opt(short(number(0, 2)?)?, number(2, 5)?)?;
            (date.year(), date.month(), date.day(), None)
        }
        // 202610, else 031231
        (6, false) => match (number(0, 4)?, number(4, 6)?) {
            (year @ 1970..=2100, month @ 1..=12) => (i32::try_from(year).ok()?, month, 1, Some("month only")),
            _ => (short(number(0, 2)?)?, number(2, 4)?, number(4, 6)?, None),
        },
        _ => return None,
    };
    if !(1970..=2100).contains(&year) {
        return None;
    }
    Parts { year: Some(year), month, day, form: numbers::ISO, doubt, ..Parts::default() }.claim(tz, at)
}

#[cfg(test)]
mod tests {
    #[test]
    fn short_forms_of_the_first_years() {
        super::super::tests::check_field(
            "2003                           => ~2003-01-01T00:00:00Z
             -0312                          => ~2003-12-01T00:00:00Z
             -03-12                         => ~2003-12-01T00:00:00Z
             031231                         => ~2003-12-31T00:00:00Z
             03-12-31                       => ~2003-12-31T00:00:00Z
             5-2020                         => ~2020-05-01T00:00:00Z
             03335                          => ~2003-12-01T00:00:00Z
             202610                         => ~2026-10-01T00:00:00Z
             22013                          => ~2022-01-13T00:00:00Z
             22399                          => -
             013                            => -
             0001                           => -
             9999                           => -",
            chrono_tz::UTC,
        );
    }
}
