//! Dates with the month as a word: RFC 822 and 2822 with their common errors, asctime, long forms of several languages.

use super::{Cursor, Parts, zone::Zone};
use crate::model::time::{Claim, Time};
use chrono_tz::Tz;

/// Beginnings of month names in lower case, longer ones before those they begin with. English, German, French, Spanish,
/// Portuguese, Italian, Dutch, Russian.
const MONTHS: [(&str, u32); 52] = [
    ("jan", 1),
    ("ene", 1),
    ("gen", 1),
    ("янв", 1),
    ("feb", 2),
    ("fév", 2),
    ("fev", 2),
    ("фев", 2),
    ("mar", 3),
    ("mär", 3),
    ("maer", 3),
    ("mrz", 3),
    ("mrt", 3),
    ("мар", 3),
    ("apr", 4),
    ("avr", 4),
    ("abr", 4),
    ("апр", 4),
    ("may", 5),
    ("mai", 5),
    ("mag", 5),
    ("mei", 5),
    ("май", 5),
    ("мая", 5),
    ("jun", 6),
    ("juin", 6),
    ("giu", 6),
    ("июн", 6),
    ("jul", 7),
    ("juil", 7),
    ("lug", 7),
    ("июл", 7),
    ("aug", 8),
    ("aoû", 8),
    ("aou", 8),
    ("ago", 8),
    ("авг", 8),
    ("sep", 9),
    ("set", 9),
    ("сен", 9),
    ("oct", 10),
    ("okt", 10),
    ("ott", 10),
    ("out", 10),
    ("окт", 10),
    ("nov", 11),
    ("ноя", 11),
    ("dec", 12),
    ("déc", 12),
    ("dez", 12),
    ("dic", 12),
    ("дек", 12),
];

/// Longest month name, in characters; a longer word that begins like one is something else.
const LONGEST_MONTH: usize = 10;

/// Reads it; `None` if no month is named or no day.
pub(super) fn read(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    let mut cursor = Cursor::new(text);
    let mut parts = Parts { form: "date in words", ..Parts::default() };
    let mut words = 0;
    while let Some(c) = cursor.peek() {
        if c.is_ascii_digit() {
            if parts.time.is_none()
                && let Some(clock) = cursor.clock()
            {
                parts.time = Some(clock);
                continue;
            }
            number(&mut cursor, &mut parts)?;
        } else if c.is_alphabetic() {
            let mut ahead = cursor.clone();
            let word = cursor.word();
            words += 1;
            if parts.month == 0
                && let Some(month) = month(word)
            {
                parts.month = month;
            } else if parts.time.is_some() && parts.zone.is_none() {
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
    (parts.month > 0 && parts.day > 0).then_some(())?;
    parts.claim(tz, at)
}

/// A day or a year. RFC 2822 section 4.3: a year of two digits below 50 is of this century, one of three counts from 1900.
fn number(cursor: &mut Cursor<'_>, parts: &mut Parts) -> Option<()> {
    let (value, digits) = cursor.number()?;
    let value = i32::try_from(value).ok()?;
    match digits {
        1 | 2 if parts.day == 0 => parts.day = value as u32,
        4 if parts.year.is_none() => parts.year = Some(value),
        2 if parts.year.is_none() => parts.year = Some(if value < 50 { 2000 + value } else { 1900 + value }),
        3 if parts.year.is_none() => parts.year = Some(1900 + value),
        _ => {}
    }
    Some(())
}

fn month(word: &str) -> Option<u32> {
    if word.chars().count() > LONGEST_MONTH {
        return None;
    }
    let word = word.to_lowercase();
    MONTHS.iter().find(|(start, _)| word.starts_with(start)).map(|(_, month)| *month)
}
