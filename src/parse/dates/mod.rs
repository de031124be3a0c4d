//! Dates in every form that sources were seen to use, read in the source's zone, with the method in words.
//!
//! One file per custom, its examples beside it: [`iso`] (ISO 8601, W3CDTF, RFC 3339), [`numbers`] (`2026/10/04`,
//! `2022年08月23日10:38`, `10-04`, `10:38`), [`words`] (RFC 822, asctime, long forms, with the months of sixty languages),
//! [`ago`] (昨天, 3小时前, "2 hours ago"), [`spans`] (3 órával ezelőtt), [`weekday`] (周三 10:38), [`unix`]; [`chinese`], [`japanese`] and [`korean`] write what is peculiar to them over
//! into the common form; [`short`] has what is a date only in a field for dates; [`zone`] has the names of zones.

mod ago;
mod chinese;
mod cursor;
mod iso;
mod japanese;
mod korean;
mod numbers;
mod short;
mod spans;
mod unix;
mod weekday;
mod words;
mod zone;

use crate::model::time::{Claim, Time, Trust};
use chrono::{
    Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike, Weekday,
};
use chrono_tz::Tz;
use cursor::Cursor;
use zone::Zone;

/// Longest text looked at, in characters: a date with its weekday, zone and label is shorter.
const LONGEST: usize = 120;

/// How far ahead of the poll a date without year or day may lie before it is taken for last year's or yesterday's.
const GRACE: i64 = 10 * Time::MINUTE;

/// Years that are of the Buddhist calendar: Gregorian ones are never so late.
const BUDDHIST: std::ops::Range<i32> = 2_513..2_700;

/// Labels that stand before a date on pages, after folding of widths.
const LABELS: [&str; 25] = [
    "发布时间",
    "发稿时间",
    "发文日期",
    "发文时间",
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
    "입력",
    "수정",
    "公開日時",
    "published on",
    "published at",
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
    let beyond = !text.is_ascii();
    let native = if beyond { korean::folded(text).or_else(|| japanese::folded(text)) } else { None };
    let text = native.as_deref().map_or(text, str::trim);
    let digits = if beyond { chinese::folded(text) } else { None };
    let text = digits.as_deref().map_or(text, str::trim);
    let plain =
        |text| unix::read(text).or_else(|| iso::read(text, zone, at)).or_else(|| numbers::read(text, None, zone, at));
    ago::read(text, zone, at)
        .or_else(|| plain(text))
        .or_else(|| behind_weekday(text, zone, at))
        .or_else(|| words::read(text, zone, at))
        .or_else(|| weekday::read(text, zone, at))
        .or_else(|| spans::read(text, zone, at))
}

/// [`read`] for a field that holds nothing but a date, where `2003` and `031231` are dates as well.
#[must_use]
pub fn field(text: &str, zone: Tz, at: Time) -> Option<Claim> {
    short::read(text, zone, at)
        .or_else(|| read(text, zone, at))
        .or_else(|| weekday::field(plain(text).as_str(), zone, at))
}

/// A date without words for the day, from the parts of an address: local midnight of that day, [`Trust::Low`].
#[must_use]
pub fn of_day(year: i32, month: u32, day: u32, zone: Tz, method: &str) -> Option<Claim> {
    let parts = Parts { year: Some(year), month, day, form: "", ..Parts::default() };
    let mut claim = parts.claim(zone, Time(i64::MAX))?;
    method.clone_into(&mut claim.method);
    Some(claim)
}

/// Digits of other scripts to ASCII's, full-width letters and punctuation to half width, dashes and blanks to their plain
/// form, marks of direction out, the ends trimmed.
fn plain(text: &str) -> String {
    let fold = |c: char| {
        Some(match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            '\u{3000}' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\t' | '\n' | '\r' => ' ',
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '\u{2236}' => ':',
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}' => return None,
            c if c.is_ascii() => c,
            c => digit(c).unwrap_or(c),
        })
    };
    let folded: String = text.trim_start().chars().filter_map(fold).take(LONGEST).collect();
    folded.trim_matches(|c: char| c == ' ' || "[]()【】〔〕|\"'“”".contains(c)).to_owned()
}

/// The digit that a digit of another script stands for: Arabic, Persian, Indian scripts, Thai.
fn digit(c: char) -> Option<char> {
    const ZEROES: [u32; 13] =
        [0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0];
    let zero = ZEROES.into_iter().find(|zero| (*zero..*zero + 10).contains(&u32::from(c)))?;
    char::from_digit(u32::from(c) - zero, 10)
}

/// What follows a weekday: `Fri, 2006/09/15`, `週二 2026-10-04`, `Sat, 11 04 2020`. It tells day from month where both could
/// be either; otherwise it does not matter: half of them are wrong.
fn behind_weekday(text: &str, zone: Tz, at: Time) -> Option<Claim> {
    let rest = text.trim_start_matches(char::is_alphabetic);
    let word = &text[..text.len() - rest.len()];
    let rest = rest.trim_start_matches(['.', ',', ' ']);
    if word.is_empty() || words::month(word).is_some() || !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let weekday = weekday::named(word);
    let joined = joined(rest);
    let rest = joined.as_deref().unwrap_or(rest);
    // Behind a word there must be a day: a time alone would lack the day that the word may name.
    if !rest.contains(['-', '/', '.', '年', '月']) {
        return None;
    }
    iso::read(rest, zone, at).or_else(|| numbers::read(rest, weekday, zone, at))
}

/// `11 04 2020 08:51` with its day in one piece: `11/04/2020 08:51`.
fn joined(text: &str) -> Option<String> {
    let mut parts = text.splitn(4, ' ');
    let (day, month, year, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    let number = |part: &str, most: usize| part.len() <= most && part.bytes().all(|byte| byte.is_ascii_digit());
    (number(day, 2) && number(month, 2) && number(year, 4) && year.len() == 4)
        .then(|| format!("{day}/{month}/{year} {rest}"))
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
            self.on(today, tz).filter(|c| c.moment.since(at) <= GRACE).or_else(|| self.on(today.pred_opt()?, tz))
        } else if let Some(year) = self.year {
            // Thailand counts from the Buddha's death: 2569 is 2026.
            let thai = BUDDHIST.contains(&year);
            if thai {
                method.push_str(", Buddhist year");
            }
            let year = if thai { year - 543 } else { year };
            self.on(NaiveDate::from_ymd_opt(year, self.month, self.day)?, tz)
        } else {
            method.push_str(", no year: the latest such day");
            let year = local(tz, at)?.year();
            // Eight years back: the distance of two 29 Februaries around 1900 and 2100.
            (0..=8)
                .filter_map(|back| NaiveDate::from_ymd_opt(year - back, self.month, self.day))
                .filter_map(|date| self.on(date, tz))
                .find(|c| c.moment.since(at) <= GRACE)
        };
        let Placed { moment, offset, named, note } = claim?;
        if !(1900..=2200).contains(&moment.utc().year()) {
            return None;
        }
        if self.time.is_none() {
            method.push_str(", day only");
        } else if !named {
            method.push_str(", no zone: ");
            method.push_str(tz.name());
            method.push_str(" assumed");
        }
        for remark in [note, self.doubt].into_iter().flatten() {
            method.push_str(", ");
            method.push_str(remark);
        }
        let trust = if self.time.is_some() && self.doubt.is_none() { Trust::Full } else { Trust::Low };
        Some(Claim { at: moment, offset, trust, method })
    }

    /// On this day.
    fn on(&self, date: NaiveDate, tz: Tz) -> Option<Placed> {
        let (time, next) = self.time.unwrap_or_default().settle()?;
        let date = if next { date.checked_add_days(Days::new(1))? } else { date };
        let naive = date.and_time(time);
        if let Some(minutes) = self.zone.as_ref().and_then(|zone| zone.minutes(naive, tz)) {
            let moment = Time(naive.and_utc().timestamp_millis()).plus(-i64::from(minutes) * Time::MINUTE);
            return Some(Placed { moment, offset: minutes, named: true, note: None });
        }
        let zone = self.zone.as_ref().and_then(Zone::place);
        let placed = in_zone(naive, zone.unwrap_or(tz))?;
        Some(Placed { named: zone.is_some(), ..placed })
    }
}

/// A date placed in time.
#[derive(Debug, Clone, Copy)]
struct Placed {
    moment: Time,
    /// Minutes east of UTC.
    offset: i16,
    /// Whether a zone was stated.
    named: bool,
    /// What had to be decided about the local time.
    note: Option<&'static str>,
}

/// A local time of a zone, by the rules that held there at that time: the earlier one where clocks were put back, an hour
/// later where the hour does not exist.
fn in_zone(naive: NaiveDateTime, tz: Tz) -> Option<Placed> {
    let (local, note) = match tz.from_local_datetime(&naive) {
        LocalResult::Single(time) => (time, None),
        LocalResult::Ambiguous(time, _) => (time, Some("clocks were put back then: the first of the two")),
        LocalResult::None => {
            let later = tz.from_local_datetime(&naive.checked_add_signed(TimeDelta::hours(1))?).earliest();
            (later?, Some("clocks were put forward then, there was no such time: an hour later"))
        }
    };
    let offset = i16::try_from(local.offset().fix().local_minus_utc() / 60).ok()?;
    Some(Placed { moment: Time(local.timestamp_millis()), offset, named: false, note })
}

/// The clock of a zone at a moment.
fn local(tz: Tz, at: Time) -> Option<NaiveDateTime> {
    let at = chrono::DateTime::from_timestamp_millis(at.0)?;
    at.with_timezone(&tz).naive_local().with_nanosecond(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polled at 2026-11-23 12:00 in Shanghai.
    const AT: Time = Time::from_seconds(1_795_406_400);

    /// As `2026-10-04T01:39:11+08:00`, with `~` before it for low trust; `-` for no date.
    fn written(claim: Option<Claim>) -> String {
        claim.map_or_else(
            || "-".to_owned(),
            |claim| {
                let mark = if claim.trust == Trust::Full { "" } else { "~" };
                let at = claim.at.at_offset(claim.offset).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
                format!("{mark}{at}")
            },
        )
    }

    fn shown(text: &str, zone: Tz) -> String {
        written(read(text, zone, AT))
    }

    fn compare(table: &str, read: impl Fn(&str) -> String) {
        let mut wrong = Vec::new();
        for line in table.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (text, expected) = line.split_once("=>").unwrap();
            let found = read(text.trim_end());
            if found != expected.trim() {
                wrong.push(format!("{}: {found}, not {}", text.trim(), expected.trim()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Each line: what is written, what it means in this zone.
    pub(super) fn check(table: &str, zone: Tz) {
        compare(table, |text| shown(text, zone));
    }

    /// The same in a field for dates.
    pub(super) fn check_field(table: &str, zone: Tz) {
        compare(table, |text| written(field(text, zone, AT)));
    }

    #[test]
    fn as_chinese_sites_write_them() {
        check(
            "2026-10-04 01:39:11.0                => 2026-10-04T01:39:11+08:00
             2022-8-23 10:38:35                   => 2022-08-23T10:38:35+08:00
             2022年08月23日10:38                  => 2022-08-23T10:38:00+08:00
             2022年08月23日 10:38                 => 2022-08-23T10:38:00+08:00
             2022年8月23日 星期二 10时38分        => 2022-08-23T10:38:00+08:00
             2022年8月23日（星期二）下午3点05分   => 2022-08-23T15:05:00+08:00
             2022年8月23日                        => ~2022-08-23T00:00:00+08:00
             发布时间：２０２２－０８－２３　１０：３８ => 2022-08-23T10:38:00+08:00
             [2022-08-23]                         => ~2022-08-23T00:00:00+08:00
             2022/08/23 10:38                     => 2022-08-23T10:38:00+08:00
             2022/8/23 下午 3:05:09               => 2022-08-23T15:05:09+08:00
             2022.08.23                           => ~2022-08-23T00:00:00+08:00
             20220823103835                       => 2022-08-23T10:38:35+08:00
             202208231038                         => 2022-08-23T10:38:00+08:00
             20220823                             => ~2022-08-23T00:00:00+08:00
             2022-08-23 10:38　来源：莲城日报      => 2022-08-23T10:38:00+08:00
             2022-08-23 10:38 北京时间            => 2022-08-23T10:38:00+08:00
             Fri, 2006/09/15 08:19:53 EDT         => 2006-09-15T08:19:53-04:00
             周二 2022-08-23 10:38                => 2022-08-23T10:38:00+08:00",
            chrono_tz::Asia::Shanghai,
        );
    }

    #[test]
    fn without_year_or_day_the_latest_before_the_poll() {
        check(
            "10-04                                => ~2026-10-04T00:00:00+08:00
             12-04                                => ~2025-12-04T00:00:00+08:00
             11-23 11:59                          => 2026-11-23T11:59:00+08:00
             11-23 18:00                          => 2025-11-23T18:00:00+08:00
             10月4日 10:38                        => 2026-10-04T10:38:00+08:00
             02-29                                => ~2024-02-29T00:00:00+08:00
             10:38                                => 2026-11-23T10:38:00+08:00
             22:15                                => 2026-11-22T22:15:00+08:00",
            chrono_tz::Asia::Shanghai,
        );
    }

    #[test]
    fn day_first_and_month_first() {
        check(
            "23/08/2022 10:38                     => 2022-08-23T10:38:00+08:00
             08/23/2022 10:38                     => 2022-08-23T10:38:00+08:00
             04/08/2022 10:38                     => ~2022-08-04T10:38:00+08:00
             3/3/94                               => ~1994-03-03T00:00:00+08:00
             11. 12. 2014, 08:45:39               => 2014-12-11T08:45:39+08:00
             18.10.14 um 22:56 Uhr                => 2014-10-18T22:56:00+08:00
             10:38 23.11.2026                     => 2026-11-23T10:38:00+08:00
             10:06am Dec 11, 2014                 => 2014-12-11T10:06:00+08:00
             29/02                                => ~2024-02-29T00:00:00+08:00
             05/2020                              => ~2020-05-01T00:00:00+08:00
             12-14 June 2021                      => ~2021-06-12T00:00:00+08:00
             Tue Jan 5 10:00:00,2021              => 2021-01-05T10:00:00+08:00
             2016 年 3 月 20 日 21 時 40 分        => 2016-03-20T21:40:00+08:00
             19年4月20日                          => ~2019-04-20T00:00:00+08:00
             1960-12-23                           => ~1960-12-23T00:00:00+08:00
             Mon 19:43                            => 2026-11-16T19:43:00+08:00
             2.5 hours                            => -
             23.08.2022, 10:38                    => 2022-08-23T10:38:00+08:00
             # no dates
             河南                                 => -
             0                                    => -
             123                                  => -
             2022                                 => -",
            chrono_tz::Asia::Shanghai,
        );
    }

    #[test]
    fn the_rules_of_the_time_hold() {
        use chrono_tz::{America, Asia, Europe};
        // China had summer time from 1986 to 1991; Moscow changed its offset in 2011 and 2014; New York its dates in 2007.
        check(
            "1988-07-01 12:00 => 1988-07-01T12:00:00+09:00\n1992-07-01 12:00 => 1992-07-01T12:00:00+08:00",
            Asia::Shanghai,
        );
        check(
            "2012-07-01 12:00 => 2012-07-01T12:00:00+04:00\n2015-07-01 12:00 => 2015-07-01T12:00:00+03:00",
            Europe::Moscow,
        );
        check(
            "2006-03-20 12:00 => 2006-03-20T12:00:00-05:00\n2007-03-20 12:00 => 2007-03-20T12:00:00-04:00",
            America::New_York,
        );
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
        let method = |text| read(text, Berlin, AT).unwrap().method;
        assert!(method("2026-03-29 02:30").contains("there was no such time: an hour later"));
        assert!(method("2026-10-25 02:30").contains("the first of the two"));
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
