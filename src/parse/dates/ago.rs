//! Dates told from the reader's now: 刚刚, 5分钟前, 3小时前, 昨天 10:38, "2 hours ago", "yesterday".

use super::{Clock, Cursor, Parts, local};
use crate::model::time::{Claim, Time, Trust};
use chrono::{Datelike, Days, Offset, TimeZone};
use chrono_tz::Tz;

/// Words for a day, and how many days back it is. Longer ones first.
const DAYS: [(&str, u64); 26] = [
    ("大前天", 3),
    ("今天", 0),
    ("今日", 0),
    ("昨天", 1),
    ("昨日", 1),
    ("前天", 2),
    ("today", 0),
    ("yesterday", 1),
    ("heute", 0),
    ("vorgestern", 2),
    ("gestern", 1),
    ("aujourd’hui", 0),
    ("aujourd'hui", 0),
    ("avant-hier", 2),
    ("hier", 1),
    ("hoy", 0),
    ("ayer", 1),
    ("anteayer", 2),
    ("hoje", 0),
    ("ontem", 1),
    ("сегодня", 0),
    ("вчера", 1),
    ("позавчера", 2),
    ("Сегодня", 0),
    ("Вчера", 1),
    ("Позавчера", 2),
];

/// Words between a day and the time.
const AT: [&str; 8] = ["at ", "um ", "à ", "a las ", "às ", "в ", ", ", "· "];

/// Units, in milliseconds, longer names before those they begin with.
const UNITS: [(&str, i64); 54] = [
    ("秒", Time::SECOND),
    ("分钟", Time::MINUTE),
    ("分鐘", Time::MINUTE),
    ("分", Time::MINUTE),
    ("个小时", Time::HOUR),
    ("小时", Time::HOUR),
    ("小時", Time::HOUR),
    ("天", Time::DAY),
    ("日", Time::DAY),
    ("个星期", 7 * Time::DAY),
    ("周", 7 * Time::DAY),
    ("个月", 30 * Time::DAY),
    ("年", 365 * Time::DAY),
    ("second", Time::SECOND),
    ("sec", Time::SECOND),
    ("minute", Time::MINUTE),
    ("min", Time::MINUTE),
    ("hour", Time::HOUR),
    ("hr", Time::HOUR),
    ("day", Time::DAY),
    ("week", 7 * Time::DAY),
    ("month", 30 * Time::DAY),
    ("year", 365 * Time::DAY),
    ("Sekunde", Time::SECOND),
    ("Stunde", Time::HOUR),
    ("Std", Time::HOUR),
    ("Tag", Time::DAY),
    ("Woche", 7 * Time::DAY),
    ("Monat", 30 * Time::DAY),
    ("heure", Time::HOUR),
    ("jour", Time::DAY),
    ("semaine", 7 * Time::DAY),
    ("mois", 30 * Time::DAY),
    ("segundo", Time::SECOND),
    ("minuto", Time::MINUTE),
    ("hora", Time::HOUR),
    ("día", Time::DAY),
    ("dia", Time::DAY),
    ("semana", 7 * Time::DAY),
    ("mes", 30 * Time::DAY),
    ("mês", 30 * Time::DAY),
    ("секунд", Time::SECOND),
    ("минут", Time::MINUTE),
    ("мин", Time::MINUTE),
    ("час", Time::HOUR),
    ("день", Time::DAY),
    ("дня", Time::DAY),
    ("дней", Time::DAY),
    ("недел", 7 * Time::DAY),
    ("месяц", 30 * Time::DAY),
    ("h", Time::HOUR),
    ("d", Time::DAY),
    ("mon", 30 * Time::DAY),
    ("m", Time::MINUTE),
];

/// Words before and behind a span that is counted back.
const BEFORE: [&str; 6] = ["vor ", "il y a ", "hace ", "há ", "about ", "約"];
const BEHIND: [&str; 6] = ["前", "以前", "之前", "ago", "atrás", "назад"];

/// Numbers in words.
const COUNTS: [(&str, i64); 9] =
    [("半", 0), ("an ", 1), ("a ", 1), ("one ", 1), ("einer ", 1), ("einem ", 1), ("une ", 1), ("una ", 1), ("un ", 1)];

/// Reads it; `None` if it is not told so.
pub(super) fn read(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    if ["刚刚", "刚才", "just now", "now", "只今"].iter().any(|now| text.eq_ignore_ascii_case(now)) {
        return Some(back(0, tz, at, Trust::Full));
    }
    let mut cursor = Cursor::new(text);
    for (name, days) in DAYS {
        // `今日新闻` is a headline: behind the word there is a time or nothing.
        let mut ahead = cursor.clone();
        if ahead.text(name) {
            ahead.blanks();
            let _ = AT.iter().any(|word| ahead.text(word));
            ahead.blanks();
            let clock = ahead.clock();
            return (clock.is_some() || ahead.rest.is_empty()).then(|| on_day(days, clock, tz, at)).flatten();
        }
    }
    let mut told = BEFORE.iter().any(|word| cursor.text(word));
    let _ = cursor.text("about ");
    let count = cursor.number().map(|(count, _)| count);
    let count = count.or_else(|| COUNTS.iter().find(|(word, _)| cursor.text(word)).map(|(_, count)| *count))?;
    // `2.5 hours`: tenths.
    let mut ahead = cursor.clone();
    let tenths =
        ahead.one(".,").and_then(|_| ahead.number()).filter(|(_, digits)| *digits == 1).map(|(tenths, _)| tenths);
    if tenths.is_some() {
        cursor = ahead;
    }
    cursor.blanks();
    let (name, unit) = UNITS.iter().find(|(name, _)| cursor.text(name))?;
    // Plurals and cases.
    if !name.chars().any(|c| c > '\u{2e80}') {
        cursor.word();
        cursor.one(".");
    }
    cursor.blanks();
    told |= BEHIND.iter().any(|word| cursor.text(word));
    // `3年前的许昌` is a headline.
    if !told || cursor.peek().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let part = tenths.unwrap_or_default() * unit / 10;
    let span = if count == 0 && part == 0 { unit / 2 } else { count.checked_mul(*unit)?.checked_add(part)? };
    if *unit >= Time::DAY {
        let days = u64::try_from(span / Time::DAY).ok().filter(|days| *days < 10_000)?;
        cursor.blanks();
        let _ = AT.iter().any(|word| cursor.text(word));
        return on_day(days, cursor.clock(), tz, at);
    }
    let trust = if *unit < Time::HOUR { Trust::Full } else { Trust::Low };
    Some(back(Some(span).filter(|span| (0..10_000 * Time::DAY).contains(span))?, tz, at, trust))
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

#[cfg(test)]
mod tests {
    #[test]
    fn dates_told_from_now() {
        super::super::tests::check(
            "刚刚                                 => 2026-11-23T12:00:00+08:00
             5分钟前                              => 2026-11-23T11:55:00+08:00
             半小时前                             => ~2026-11-23T11:30:00+08:00
             3小时前                              => ~2026-11-23T09:00:00+08:00
             3 小时前                             => ~2026-11-23T09:00:00+08:00
             2天前                                => ~2026-11-21T00:00:00+08:00
             两天前                               => ~2026-11-21T00:00:00+08:00
             1个月前                              => ~2026-10-24T00:00:00+08:00
             昨天 10:38                           => 2026-11-22T10:38:00+08:00
             昨天                                 => ~2026-11-22T00:00:00+08:00
             前天08:00                            => 2026-11-21T08:00:00+08:00
             今天 10:38                           => 2026-11-23T10:38:00+08:00
             今日新闻                             => -
             2 hours ago                          => ~2026-11-23T10:00:00+08:00
             an hour ago                          => ~2026-11-23T11:00:00+08:00
             about 3 hrs ago                      => ~2026-11-23T09:00:00+08:00
             5m ago                               => 2026-11-23T11:55:00+08:00
             1mon ago                             => ~2026-10-24T00:00:00+08:00
             2.5 hours ago                        => ~2026-11-23T09:30:00+08:00
             1 day ago at 2:05 PM                 => 2026-11-22T14:05:00+08:00
             3年前的许昌                          => -
             3小时前 来源：莲城日报                => ~2026-11-23T09:00:00+08:00
             3h ago                               => ~2026-11-23T09:00:00+08:00
             yesterday                            => ~2026-11-22T00:00:00+08:00
             Yesterday at 10:38 pm                => 2026-11-22T22:38:00+08:00
             vor 3 Stunden                        => ~2026-11-23T09:00:00+08:00
             il y a 5 minutes                     => 2026-11-23T11:55:00+08:00
             hace 2 días                          => ~2026-11-21T00:00:00+08:00
             há 3 horas                           => ~2026-11-23T09:00:00+08:00
             3 часа назад                         => ~2026-11-23T09:00:00+08:00
             вчера в 10:38                        => 2026-11-22T10:38:00+08:00
             3 hours                              => -
             0小时前                              => ~2026-11-23T11:30:00+08:00",
            chrono_tz::Asia::Shanghai,
        );
    }
}
