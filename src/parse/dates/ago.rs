//! Dates told from the reader's now: 刚刚, 5分钟前, 3小时前, 昨天 10:38, "2 hours ago", "yesterday".

use super::{Clock, Cursor, Parts, local};
use crate::model::time::{Claim, Time, Trust};
use chrono::{Datelike, Days, Offset, TimeZone};
use chrono_tz::Tz;

/// Words for a day in lower case, and how many days back it is. Longer ones before those they begin with.
const DAYS: [(&str, u64); 70] = [
    ("大前天", 3),
    ("今天", 0),
    ("今日", 0),
    ("本日", 0),
    ("昨天", 1),
    ("昨日", 1),
    ("前天", 2),
    ("前日", 2),
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
    ("anteayer", 2),
    ("ayer", 1),
    ("hoje", 0),
    ("anteontem", 2),
    ("ontem", 1),
    ("oggi", 0),
    ("l'altro ieri", 2),
    ("ieri", 1),
    ("сегодня", 0),
    ("позавчера", 2),
    ("вчера", 1),
    ("сьогодні", 0),
    ("позавчора", 2),
    ("вчора", 1),
    ("σήμερα", 0),
    ("προχθές", 2),
    ("χθες", 1),
    ("χτες", 1),
    ("tegnapelőtt", 2),
    ("tegnap", 1),
    ("ma", 0),
    ("vandaag", 0),
    ("eergisteren", 2),
    ("gisteren", 1),
    ("dzisiaj", 0),
    ("dziś", 0),
    ("przedwczoraj", 2),
    ("wczoraj", 1),
    ("dnes", 0),
    ("předevčírem", 2),
    ("včera", 1),
    ("bugün", 0),
    ("dün", 1),
    ("idag", 0),
    ("i dag", 0),
    ("igår", 1),
    ("i går", 1),
    ("tänään", 0),
    ("eilen", 1),
    ("azi", 0),
    ("astăzi", 0),
    ("днес", 0),
    ("hôm nay", 0),
    ("hôm qua", 1),
    ("hari ini", 0),
    ("kemarin", 1),
    ("วันนี้", 0),
    ("เมื่อวาน", 1),
    ("اليوم", 0),
    ("أمس", 1),
    ("היום", 0),
    ("אתמול", 1),
];

/// Days that say which half of them is meant, and the same in two words.
const HALVES: [(&str, &str); 10] = [
    ("昨晚", "昨天晚上"),
    ("昨夜", "昨天晚上"),
    ("昨早", "昨天早上"),
    ("昨晨", "昨天早上"),
    ("今晚", "今天晚上"),
    ("今夜", "今天晚上"),
    ("今早", "今天早上"),
    ("今晨", "今天早上"),
    ("前晚", "前天晚上"),
    ("前夜", "前天晚上"),
];

/// Words between a day and the time.
const AT: [&str; 20] = [
    "at ",
    "um ",
    "à ",
    "a las ",
    "às ",
    "в ",
    "alle ",
    "στις ",
    "о ",
    "om ",
    "o ",
    "w ",
    "ve ",
    "kl. ",
    "kl ",
    "klo ",
    "klockan ",
    "saat ",
    "jam ",
    "lúc ",
];

/// Units, in milliseconds, longer names before those they begin with.
const UNITS: [(&str, i64); 60] = [
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
    ("星期", 7 * Time::DAY),
    ("個星期", 7 * Time::DAY),
    ("周", 7 * Time::DAY),
    ("週", 7 * Time::DAY),
    ("个月", 30 * Time::DAY),
    ("個月", 30 * Time::DAY),
    ("个半小时", 3 * Time::HOUR / 2),
    ("個小時", Time::HOUR),
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
const BEFORE: [&str; 5] = ["vor ", "il y a ", "hace ", "há ", "約"];
const BEHIND: [&str; 6] = ["前", "以前", "之前", "ago", "atrás", "назад"];

/// Words that make a number less certain.
const ABOUT: [&str; 5] = ["about ", "大约", "约", "將近", "近"];

/// Numbers in words.
const COUNTS: [(&str, i64); 12] = [
    ("半", 0),
    ("an ", 1),
    ("a ", 1),
    ("one ", 1),
    ("einer ", 1),
    ("einem ", 1),
    ("une ", 1),
    ("una ", 1),
    ("uma ", 1),
    ("um ", 1),
    ("un ", 1),
    ("un'", 1),
];

/// Numbers that nobody counted: three, as good as any.
const FEW: [&str; 10] = ["几", "幾", "数", "數", "a few ", "several ", "some ", "few ", "x ", "quelques "];

/// Words between two spans that are added up.
const AND: [&str; 8] = ["and ", "und ", "et ", "y ", "e ", "и ", "又", "零"];

/// Words for now.
const NOW: [&str; 14] = [
    "刚刚",
    "刚才",
    "剛剛",
    "剛才",
    "刚刚前",
    "just now",
    "now",
    "moments ago",
    "a moment ago",
    "只今",
    "только что",
    "gerade eben",
    "à l'instant",
    "ahora mismo",
];

/// Reads it; `None` if it is not told so.
pub(super) fn read(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    if !text.starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    if NOW.iter().any(|now| text.eq_ignore_ascii_case(now)) {
        return Some(back(0, tz, at, Trust::Full));
    }
    if !text.starts_with(|c: char| c.is_ascii_digit())
        && let Some(claim) = day(text, tz, at)
    {
        return Some(claim);
    }
    let mut cursor = Cursor::new(text);
    let mut told = BEFORE.iter().any(|word| cursor.text(word));
    let about = ABOUT.iter().any(|word| cursor.text(word));
    let mut span = 0_i64;
    let mut smallest = i64::MAX;
    let mut few = false;
    loop {
        let (part, unit, vague) = part(&mut cursor)?;
        span = span.checked_add(part)?;
        few |= vague;
        // `2 hours, 5 minutes`: each unit smaller than the one before.
        if unit >= smallest {
            return None;
        }
        smallest = unit;
        let mut ahead = cursor.clone();
        while ahead.one(" ,").is_some() {}
        let _ = AND.iter().any(|word| ahead.text(word));
        if self::part(&mut ahead.clone()).is_none() {
            break;
        }
        cursor = ahead;
    }
    cursor.blanks();
    told |= BEHIND.iter().any(|word| cursor.text(word));
    // `3年前的许昌` is a headline.
    if !told || cursor.peek().is_some_and(char::is_alphanumeric) {
        return None;
    }
    cursor.blanks();
    let _ = AT.iter().any(|word| cursor.text(word));
    let mut claim = self::span(span, smallest, cursor.clock(), tz, at)?;
    if about || few {
        claim.trust = Trust::Low;
    }
    Some(claim)
}

/// A day by its word, with a time or nothing behind it.
fn day(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    let half = HALVES.iter().find_map(|(word, long)| Some(format!("{long}{}", text.strip_prefix(word)?)));
    let lower = half.unwrap_or_else(|| text.to_lowercase());
    let (name, days) = DAYS.iter().find(|(name, _)| lower.starts_with(name))?;
    // `今日新闻` is a headline: behind the word there is a time or nothing.
    let mut cursor = Cursor::new(&lower[name.len()..]);
    if name.is_ascii() && cursor.peek().is_some_and(char::is_alphanumeric) {
        return None; // the beginning of a word: `market`
    }
    while cursor.one(" ,·").is_some() {}
    let _ = AT.iter().any(|word| cursor.text(word));
    cursor.blanks();
    let clock = cursor.clock();
    // 昨天晚上
    let halved = ["晚上", "早上"].contains(&cursor.rest);
    (clock.is_some() || cursor.rest.is_empty() || halved).then(|| on_day(*days, clock, tz, at)).flatten()
}

/// A number with its unit: the span, the unit, and whether nobody counted it.
fn part(cursor: &mut Cursor<'_>) -> Option<(i64, i64, bool)> {
    let few = FEW.iter().any(|word| cursor.text(word));
    let count = if few { Some(3) } else { cursor.number().map(|(count, _)| count) };
    let count = count.or_else(|| COUNTS.iter().find(|(word, _)| cursor.text(word)).map(|(_, count)| *count))?;
    // `2.5 hours`: tenths.
    let mut ahead = cursor.clone();
    let tenths =
        ahead.one(".,").and_then(|_| ahead.number()).filter(|(_, digits)| *digits == 1).map(|(tenths, _)| tenths);
    if tenths.is_some() {
        *cursor = ahead;
    }
    cursor.blanks();
    let (name, unit) = UNITS.iter().find(|(name, _)| cursor.text(name))?;
    // Plurals and cases.
    if !name.chars().any(|c| c > '\u{2e80}') {
        cursor.word();
        cursor.one(".");
    }
    let part = tenths.unwrap_or_default() * unit / 10;
    let span = if count == 0 && part == 0 { unit / 2 } else { count.checked_mul(*unit)?.checked_add(part)? };
    Some((span, *unit, few))
}

/// A span before the poll, told in this unit as the smallest; of days, with a time of day if there is one.
pub(super) fn span(span: i64, unit: i64, clock: Option<Clock>, tz: Tz, at: Time) -> Option<Claim> {
    if !(0..10_000 * Time::DAY).contains(&span) {
        return None;
    }
    if unit >= Time::DAY {
        return on_day(u64::try_from(span / Time::DAY).ok()?, clock, tz, at);
    }
    Some(back(span, tz, at, if unit < Time::HOUR { Trust::Full } else { Trust::Low }))
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
             1小时30分钟前                         => 2026-11-23T10:30:00+08:00
             1天2小时前                           => ~2026-11-22T10:00:00+08:00
             2 hours and 5 minutes ago            => 2026-11-23T09:55:00+08:00
             1 hour, 5 minutes ago                => 2026-11-23T10:55:00+08:00
             1d 1h ago                            => ~2026-11-22T11:00:00+08:00
             几分钟前                             => ~2026-11-23T11:57:00+08:00
             数小时前                             => ~2026-11-23T09:00:00+08:00
             a few minutes ago                    => ~2026-11-23T11:57:00+08:00
             x days ago                           => ~2026-11-20T00:00:00+08:00
             约3小时前                            => ~2026-11-23T09:00:00+08:00
             昨晚8点                              => 2026-11-22T20:00:00+08:00
             今早8点15分                          => 2026-11-23T08:15:00+08:00
             昨晚                                 => ~2026-11-22T00:00:00+08:00
             今晚新闻                             => -
             χθες 10:38                           => 2026-11-22T10:38:00+08:00
             tegnap 10:38                         => 2026-11-22T10:38:00+08:00
             ieri alle 10:38                      => 2026-11-22T10:38:00+08:00
             i går kl. 10:38                      => 2026-11-22T10:38:00+08:00
             マ                                   => -
             market                               => -
             1 週前                               => ~2026-11-16T00:00:00+08:00
             1個月前                              => ~2026-10-24T00:00:00+08:00
             2小时后                              => -
             in 2 hours                           => -
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
