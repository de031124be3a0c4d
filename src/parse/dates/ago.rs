//! Dates told from the reader's now: 刚刚, 5分钟前, 3小时前, 昨天 10:38, "2 hours ago", "yesterday".

use super::{Clock, Cursor, Parts, local};
use crate::model::time::{Claim, Time, Trust};
use chrono::{Datelike, Days, Offset, TimeZone};
use chrono_tz::Tz;

/// Words for a day, and how many days back it is.
const DAYS: [(&str, u64); 6] = [("今天", 0), ("今日", 0), ("昨天", 1), ("昨日", 1), ("前天", 2), ("yesterday", 1)];

/// Units, in milliseconds, and whether the unit is fine enough to be believed to the minute.
const UNITS: [(&str, i64); 14] = [
    ("秒", Time::SECOND),
    ("分钟", Time::MINUTE),
    ("分", Time::MINUTE),
    ("个小时", Time::HOUR),
    ("小时", Time::HOUR),
    ("天", Time::DAY),
    ("日", Time::DAY),
    ("周", 7 * Time::DAY),
    ("second", Time::SECOND),
    ("minute", Time::MINUTE),
    ("min", Time::MINUTE),
    ("hour", Time::HOUR),
    ("day", Time::DAY),
    ("week", 7 * Time::DAY),
];

/// Reads it; `None` if it is not told so.
pub(super) fn read(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    if ["刚刚", "刚才", "just now"].iter().any(|now| text.eq_ignore_ascii_case(now)) {
        return Some(back(0, tz, at, Trust::Full));
    }
    let mut cursor = Cursor::new(text);
    for (name, days) in DAYS {
        if cursor.text(name) {
            cursor.blanks();
            cursor.text("at ");
            let clock = cursor.clock();
            return on_day(days, clock, tz, at);
        }
    }
    let (count, _) = cursor.number()?;
    cursor.blanks();
    let (_, unit) = UNITS.iter().find(|(name, _)| cursor.text(name))?;
    cursor.one("sS");
    cursor.blanks();
    if !(cursor.text("前") || cursor.text("以前") || cursor.text("ago")) {
        return None;
    }
    if *unit >= Time::DAY {
        let days = u64::try_from(count.checked_mul(*unit)? / Time::DAY).ok().filter(|days| *days < 10_000)?;
        return on_day(days, None, tz, at);
    }
    let trust = if *unit < Time::HOUR { Trust::Full } else { Trust::Low };
    Some(back(count.checked_mul(*unit).filter(|span| *span < 10_000 * Time::DAY)?, tz, at, trust))
}

/// So many milliseconds before the poll.
fn back(span: i64, tz: Tz, at: Time, trust: Trust) -> Claim {
    let moment = at.plus(-span);
    let offset = tz.offset_from_utc_datetime(&moment.utc().naive_utc()).fix().local_minus_utc() / 60;
    Claim {
        at: moment,
        offset: i16::try_from(offset).unwrap_or_default(),
        trust,
        method: "counted back from the poll".into(),
    }
}

/// So many days before the poll's, at this time of day.
fn on_day(days: u64, time: Option<Clock>, tz: Tz, at: Time) -> Option<Claim> {
    let date = local(tz, at)?.date().checked_sub_days(Days::new(days))?;
    let form = "counted back from the day of the poll";
    Parts { year: Some(date.year()), month: date.month(), day: date.day(), time, form, ..Parts::default() }
        .claim(tz, at)
}
