//! Dates in every form that sources were seen to use, read in the source's zone, with the method in words.
//!
//! One file per custom: [`numbers`] (ISO 8601, `2026/10/04`, `2022年08月23日10:38`, `10-04`, `10:38`, Unix time), [`words`]
//! (RFC 822, asctime, long forms of several languages), [`ago`] (昨天, 3小时前, "2 hours ago"); [`zone`] has the names of zones.

mod ago;
mod numbers;
mod words;
mod zone;

use crate::model::time::{Claim, Time, Trust};
use chrono::{Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;
use zone::Zone;

/// Longest text looked at, in characters: a date with its weekday, zone and label is shorter.
const LONGEST: usize = 120;

/// How far ahead of the poll a date without year or day may lie before it is taken for last year's or yesterday's.
const GRACE: i64 = 10 * Time::MINUTE;

/// Labels that stand before a date on pages, after folding of widths.
const LABELS: [&str; 18] = [
    "发布时间",
    "发布日期",
    "发表时间",
    "发表于",
    "发布于",
    "更新时间",
    "更新日期",
    "更新于",
    "成文日期",
    "生成日期",
    "时间",
    "日期",
    "published on",
    "published",
    "updated",
    "posted on",
    "posted",
    "date",
];

/// Reads a date; one without a zone is read in `zone`, one without a year or day is the latest before `at`.
///
/// A day without a time of day has [`Trust::Low`], as has a date whose day and month could be swapped. `None` if it is
/// no date.
#[must_use]
pub fn read(text: &str, zone: Tz, at: Time) -> Option<Claim> {
    let text = plain(text);
    let text = without_label(&text);
    ago::read(text, zone, at).or_else(|| numbers::read(text, zone, at)).or_else(|| words::read(text, zone, at))
}

/// A date without words for the day, from the parts of an address: local midnight of that day, [`Trust::Low`].
#[must_use]
pub fn of_day(year: i32, month: u32, day: u32, zone: Tz, method: &str) -> Option<Claim> {
    let parts = Parts { year: Some(year), month, day, form: "", ..Parts::default() };
    let mut claim = parts.claim(zone, Time(i64::MAX))?;
    method.clone_into(&mut claim.method);
    Some(claim)
}

/// Full-width digits, letters and punctuation to half width, dashes and blanks to their plain form, the ends trimmed.
fn plain(text: &str) -> String {
    let folded: String = text
        .chars()
        .take(LONGEST)
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            '\u{3000}' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\t' | '\n' | '\r' => ' ',
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '\u{2236}' => ':',
            _ => c,
        })
        .collect();
    folded.trim_matches(|c: char| c == ' ' || "[]()【】〔〕|\"'“”".contains(c)).to_owned()
}

fn without_label(text: &str) -> &str {
    for label in LABELS {
        if text.get(..label.len()).is_some_and(|head| head.eq_ignore_ascii_case(label)) {
            return text[label.len()..].trim_start_matches([' ', ':']);
        }
    }
    text
}

/// What was found of a date, before it is placed in time.
#[derive(Debug, Default, Clone)]
struct Parts {
    /// `None`: the year that makes it the latest before the poll.
    year: Option<i32>,
    /// 0 with `day` 0: a time alone.
    month: u32,
    day: u32,
    /// `None`: only the day is known.
    time: Option<Clock>,
    zone: Option<Zone>,
    /// The form, in words.
    form: &'static str,
    /// What makes it less certain, in words.
    doubt: Option<&'static str>,
}

/// A time of day as written: 24:00 and a leap second may stand here.
#[derive(Debug, Default, Clone, Copy)]
struct Clock {
    hour: u32,
    minute: u32,
    second: u32,
    milli: u32,
}

impl Clock {
    /// The time, and whether it belongs to the next day: ISO 8601:2004 4.2.3 has 24:00 as the end of a day.
    fn settle(self) -> Option<(NaiveTime, bool)> {
        let next = self.hour == 24;
        let hour = if next { 0 } else { self.hour };
        // A leap second (RFC 3339 section 5.6) is the second before it: a poll cannot tell them apart.
        let time = NaiveTime::from_hms_milli_opt(hour, self.minute, self.second.min(59), self.milli.min(999))?;
        (self.second <= 60).then_some((time, next))
    }
}

impl Parts {
    /// Places it in time. `None` if there is no such day.
    fn claim(&self, tz: Tz, at: Time) -> Option<Claim> {
        let mut method = self.form.to_owned();
        let claim = if self.month == 0 {
            method.push_str(", the latest such time of day");
            let today = local(tz, at)?.date();
            self.on(today, tz).filter(|c| c.0.since(at) <= GRACE).or_else(|| self.on(today.pred_opt()?, tz))
        } else if let Some(year) = self.year {
            self.on(NaiveDate::from_ymd_opt(year, self.month, self.day)?, tz)
        } else {
            method.push_str(", no year: the latest such day");
            let year = local(tz, at)?.year();
            // Eight years back: the distance of two 29 Februaries around 1900 and 2100.
            (0..=8)
                .filter_map(|back| NaiveDate::from_ymd_opt(year - back, self.month, self.day))
                .filter_map(|date| self.on(date, tz))
                .find(|c| c.0.since(at) <= GRACE)
        };
        let (moment, offset, named) = claim?;
        if !(1970..=2200).contains(&moment.utc().year()) {
            return None;
        }
        if self.time.is_none() {
            method.push_str(", day only");
        } else if !named {
            method.push_str(", no zone: ");
            method.push_str(tz.name());
            method.push_str(" assumed");
        }
        if let Some(doubt) = self.doubt {
            method.push_str(", ");
            method.push_str(doubt);
        }
        let trust = if self.time.is_some() && self.doubt.is_none() { Trust::Full } else { Trust::Low };
        Some(Claim { at: moment, offset, trust, method })
    }

    /// On this day: the moment, its offset in minutes, and whether a zone was stated.
    fn on(&self, date: NaiveDate, tz: Tz) -> Option<(Time, i16, bool)> {
        let (time, next) = self.time.unwrap_or_default().settle()?;
        let date = if next { date.checked_add_days(Days::new(1))? } else { date };
        let naive = date.and_time(time);
        if let Some(minutes) = self.zone.as_ref().and_then(|zone| zone.minutes(naive, tz)) {
            let moment = Time(naive.and_utc().timestamp_millis()).plus(-i64::from(minutes) * Time::MINUTE);
            return Some((moment, minutes, true));
        }
        let (moment, offset) = in_zone(naive, tz)?;
        Some((moment, offset, false))
    }
}

/// A local time of a zone: the earlier one where clocks were put back, an hour later where the hour does not exist.
fn in_zone(naive: NaiveDateTime, tz: Tz) -> Option<(Time, i16)> {
    let local = match tz.from_local_datetime(&naive) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time,
        LocalResult::None => tz.from_local_datetime(&naive.checked_add_signed(TimeDelta::hours(1))?).earliest()?,
    };
    let offset = local.offset().fix().local_minus_utc() / 60;
    Some((Time(local.timestamp_millis()), i16::try_from(offset).ok()?))
}

/// The clock of a zone at a moment.
fn local(tz: Tz, at: Time) -> Option<NaiveDateTime> {
    let at = chrono::DateTime::from_timestamp_millis(at.0)?;
    at.with_timezone(&tz).naive_local().with_nanosecond(0)
}

/// A text read from left to right.
#[derive(Debug, Clone)]
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// A run of digits: its value and how many.
    fn number(&mut self) -> Option<(i64, usize)> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 18 {
            return None;
        }
        let value = self.rest[..digits].parse().ok()?;
        self.rest = &self.rest[digits..];
        Some((value, digits))
    }

    /// A run of one or two digits.
    fn short(&mut self) -> Option<u32> {
        let mut ahead = self.clone();
        let (value, digits) = ahead.number()?;
        if digits > 2 {
            return None;
        }
        *self = ahead;
        u32::try_from(value).ok()
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes one of these characters.
    fn one(&mut self, of: &str) -> Option<char> {
        let c = self.peek().filter(|c| of.contains(*c))?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Takes this text, in any case of its ASCII letters.
    fn text(&mut self, expected: &str) -> bool {
        let found = self.rest.get(..expected.len()).is_some_and(|head| head.eq_ignore_ascii_case(expected));
        if found {
            self.rest = &self.rest[expected.len()..];
        }
        found
    }

    /// A run of letters.
    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_alphabetic()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// A time of day: `10:38`, `1:39:11.0`, `10时38分`, `上午10点38分`, `10:38 pm`.
    fn clock(&mut self) -> Option<Clock> {
        let mut ahead = self.clone();
        let before = ahead.half();
        ahead.blanks();
        let hour = ahead.short()?;
        let mark = ahead.one(":时点")?;
        let mut clock = Clock { hour, ..Clock::default() };
        ahead.blanks();
        match ahead.short() {
            Some(minute) => clock.minute = minute,
            None if mark != ':' => {}
            None => return None,
        }
        let mut seconds = ahead.clone();
        if seconds.one(":分").is_some() {
            if let Some(second) = seconds.short() {
                clock.second = second;
                if seconds.one(".,").is_some()
                    && let Some((value, digits)) = seconds.number()
                {
                    clock.milli = millis(value, digits);
                }
                seconds.one("秒");
            }
            ahead = seconds;
        }
        let mut after = ahead.clone();
        after.blanks();
        let half = before.or_else(|| after.half().inspect(|_| ahead = after));
        match half {
            Some(Half::Later) if clock.hour < 12 => clock.hour += 12,
            Some(Half::Earlier) if clock.hour == 12 => clock.hour = 0,
            _ => {}
        }
        if clock.hour > 24 || clock.minute > 59 || clock.second > 60 {
            return None;
        }
        *self = ahead;
        Some(clock)
    }

    /// A half of the day.
    fn half(&mut self) -> Option<Half> {
        for (text, half) in [
            ("上午", Half::Earlier),
            ("凌晨", Half::Earlier),
            ("早上", Half::Earlier),
            ("下午", Half::Later),
            ("晚上", Half::Later),
            ("中午", Half::Noon),
            ("a.m.", Half::Earlier),
            ("p.m.", Half::Later),
            ("am", Half::Earlier),
            ("pm", Half::Later),
        ] {
            if self.text(text) {
                return Some(half);
            }
        }
        None
    }
}

#[derive(Debug, Clone, Copy)]
enum Half {
    Earlier,
    Noon,
    Later,
}

/// The digits after a decimal mark as milliseconds.
fn millis(value: i64, digits: usize) -> u32 {
    let mut value = value;
    for _ in digits..3 {
        value *= 10;
    }
    for _ in 3..digits {
        value /= 10;
    }
    u32::try_from(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polled at 2026-11-23 12:00 in Shanghai.
    const AT: Time = Time::from_seconds(1_795_406_400);

    /// As `2026-10-04T01:39:11+08:00`, with `~` before it for low trust; `-` for no date.
    fn shown(text: &str, zone: Tz) -> String {
        read(text, zone, AT).map_or_else(
            || "-".to_owned(),
            |claim| {
                let mark = if claim.trust == Trust::Full { "" } else { "~" };
                format!(
                    "{mark}{}",
                    claim.at.at_offset(claim.offset).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
                )
            },
        )
    }

    /// Each line: what is written, what it means in Shanghai.
    const TABLE: &str = "
        # RFC 822 and 2822, and what is made of them
        Sun, 04 Oct 2026 01:39:11 +0800      => 2026-10-04T01:39:11+08:00
        Sun, 4 Oct 2026 01:39:11 GMT         => 2026-10-04T01:39:11Z
        Sun, 04 Oct 26 01:39 UT              => 2026-10-04T01:39:00Z
        04 Oct 2026 01:39:11 EST             => 2026-10-04T01:39:11-05:00
        Sun, 04 Oct 2026 01:39:11 CST        => 2026-10-04T01:39:11+08:00
        Sun,04 Oct 2026 01:39:11 +08:00      => 2026-10-04T01:39:11+08:00
        Sunday, 04 October 2026 01:39:11 MSK => 2026-10-04T01:39:11+03:00
        Wed, 04 Oct 2026 01:39:11 Z          => 2026-10-04T01:39:11Z
        Sun, 04 Oct 2026 24:00:00 GMT        => 2026-10-05T00:00:00Z
        Sun, 04 Oct 2026 01:39:60 GMT        => 2026-10-04T01:39:59Z
        Sun, 04 Oct 2026 01:39:11            => 2026-10-04T01:39:11+08:00
        Sun, 04 Oct 2026                     => ~2026-10-04T00:00:00+08:00
        4-Oct-2026 01:39:11 GMT+0800 (CST)   => 2026-10-04T01:39:11+08:00
        Sun, 31 Feb 2026 01:39:11 GMT        => -
        # asctime and long forms
        Sun Oct  4 01:39:11 2026             => 2026-10-04T01:39:11+08:00
        Sun Oct  4 01:39:11 CST 2026         => 2026-10-04T01:39:11+08:00
        Monday, November 2, 2026 3:05 PM     => 2026-11-02T15:05:00+08:00
        November 2nd, 2026                   => ~2026-11-02T00:00:00+08:00
        2 de noviembre de 2026 10:00         => 2026-11-02T10:00:00+08:00
        2 ноября 2026 10:00                  => 2026-11-02T10:00:00+08:00
        Oct 4, 2026 at 12:10 am              => 2026-10-04T00:10:00+08:00
        # ISO 8601, W3CDTF, RFC 3339
        2026-10-04T01:39:11Z                 => 2026-10-04T01:39:11Z
        2026-10-04t01:39:11.123456+08:00     => 2026-10-04T01:39:11.123+08:00
        2026-10-04T01:39+0800                => 2026-10-04T01:39:00+08:00
        2026-10-04T01:39:11-05               => 2026-10-04T01:39:11-05:00
        2026-11-02T10:00:00                  => 2026-11-02T10:00:00+08:00
        20261004T013911Z                     => 2026-10-04T01:39:11Z
        2026-10-04                           => ~2026-10-04T00:00:00+08:00
        2026-10                              => ~2026-10-01T00:00:00+08:00
        2026-13-04                           => -
        # as Chinese sites write them
        2026-10-04 01:39:11.0                => 2026-10-04T01:39:11+08:00
        2022-8-23 10:38:35                   => 2022-08-23T10:38:35+08:00
        2022年08月23日10:38                  => 2022-08-23T10:38:00+08:00
        2022年08月23日 10:38                 => 2022-08-23T10:38:00+08:00
        2022年8月23日 星期二 10时38分        => 2022-08-23T10:38:00+08:00
        2022年8月23日（星期二）下午3点05分   => 2022-08-23T15:05:00+08:00
        2022年8月23日                        => ~2022-08-23T00:00:00+08:00
        发布时间：２０２２－０８－２３　１０：３８ => 2022-08-23T10:38:00+08:00
        [2022-08-23]                         => ~2022-08-23T00:00:00+08:00
        2022/08/23 10:38                     => 2022-08-23T10:38:00+08:00
        2022.08.23                           => ~2022-08-23T00:00:00+08:00
        20220823103835                       => 2022-08-23T10:38:35+08:00
        20220823                             => ~2022-08-23T00:00:00+08:00
        2022-08-23 10:38　来源：莲城日报      => 2022-08-23T10:38:00+08:00
        2022-08-23 10:38 北京时间            => 2022-08-23T10:38:00+08:00
        # no year, no day: the latest before the poll
        10-04                                => ~2026-10-04T00:00:00+08:00
        12-04                                => ~2025-12-04T00:00:00+08:00
        11-23 11:59                          => 2026-11-23T11:59:00+08:00
        11-23 18:00                          => 2025-11-23T18:00:00+08:00
        10月4日 10:38                        => 2026-10-04T10:38:00+08:00
        02-29                                => ~2024-02-29T00:00:00+08:00
        10:38                                => 2026-11-23T10:38:00+08:00
        22:15                                => 2026-11-22T22:15:00+08:00
        # relative to the poll
        刚刚                                 => 2026-11-23T12:00:00+08:00
        5分钟前                              => 2026-11-23T11:55:00+08:00
        3小时前                              => ~2026-11-23T09:00:00+08:00
        3 小时前                             => ~2026-11-23T09:00:00+08:00
        2天前                                => ~2026-11-21T00:00:00+08:00
        昨天 10:38                           => 2026-11-22T10:38:00+08:00
        昨天                                 => ~2026-11-22T00:00:00+08:00
        前天08:00                            => 2026-11-21T08:00:00+08:00
        今天 10:38                           => 2026-11-23T10:38:00+08:00
        2 hours ago                          => ~2026-11-23T10:00:00+08:00
        yesterday                            => ~2026-11-22T00:00:00+08:00
        # Unix time
        1790000000                           => 2026-09-21T14:13:20Z
        1790000000123                        => 2026-09-21T14:13:20.123Z
        # day first, month first
        23/08/2022 10:38                     => 2022-08-23T10:38:00+08:00
        08/23/2022 10:38                     => 2022-08-23T10:38:00+08:00
        04/08/2022 10:38                     => ~2022-08-04T10:38:00+08:00
        23.08.2022, 10:38                    => 2022-08-23T10:38:00+08:00
        # no dates
        河南                                 => -
        0                                    => -
        123                                  => -
        2022                                 => -
        99999999999999999999                 => -
        -62135596800                         => -
    ";

    #[test]
    fn every_form_is_read() {
        let mut wrong = Vec::new();
        for line in TABLE.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (text, expected) = line.split_once("=>").unwrap();
            let found = shown(text, chrono_tz::Asia::Shanghai);
            if found != expected.trim() {
                wrong.push(format!("{}: {found}, not {}", text.trim(), expected.trim()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_zone_name_means_what_the_source_means() {
        use chrono_tz::{America, Asia, Europe};
        let cst = "Sun, 04 Oct 2026 01:39:11 CST";
        assert_eq!(shown(cst, Asia::Shanghai), "2026-10-04T01:39:11+08:00");
        assert_eq!(shown(cst, Asia::Tokyo), "2026-10-04T01:39:11+08:00");
        assert_eq!(shown(cst, America::New_York), "2026-10-04T01:39:11-06:00");
        assert_eq!(shown("Sun, 04 Oct 2026 01:39:11 IST", Asia::Kolkata), "2026-10-04T01:39:11+05:30");
        assert_eq!(shown("Sun, 04 Oct 2026 01:39:11 IST", Europe::Dublin), "2026-10-04T01:39:11+01:00");
        assert_eq!(shown("04/08/2022 10:38", America::New_York), "~2022-04-08T10:38:00-04:00");
    }

    #[test]
    fn an_hour_that_does_not_exist_is_the_next_and_one_that_occurs_twice_the_first() {
        use chrono_tz::Europe::Berlin;
        assert_eq!(shown("2026-03-29 02:30", Berlin), "2026-03-29T03:30:00+02:00");
        assert_eq!(shown("2026-10-25 02:30", Berlin), "2026-10-25T02:30:00+02:00");
    }

    #[test]
    fn the_method_says_how() {
        let claim = read("10-04", chrono_tz::Asia::Shanghai, AT).unwrap();
        assert_eq!(claim.method, "numeric date, no year: the latest such day, day only");
        let claim = read("2026-11-02T10:00:00", chrono_tz::Asia::Shanghai, AT).unwrap();
        assert_eq!(claim.method, "ISO 8601, no zone: Asia/Shanghai assumed");
    }

    #[test]
    fn nonsense_never_panics() {
        for text in [
            "年月日",
            "-",
            "+",
            "T",
            "::",
            "0000-00-00T00:00:00+99:99",
            "日前",
            "天前",
            "９９９９年９９月",
            "\u{1f600}2026-",
        ] {
            let _ = read(text, chrono_tz::Asia::Shanghai, AT);
            let _ = read(text, chrono_tz::Asia::Shanghai, Time(i64::MIN));
            let _ = read(text, chrono_tz::Asia::Shanghai, Time(i64::MAX));
        }
    }
}
