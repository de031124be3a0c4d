//! Times as pages write them: in the site's zone, never "three minutes ago", so that a page says the same all day.

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;

use super::words::Words;
use crate::model::time::Time;

/// A time, written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// For machines: RFC 3339 to the minute, as HTML's `datetime` has it.
    pub datetime: String,
    /// 09:42.
    pub clock: String,
    /// 11月23日 09:42.
    pub moment: String,
}

/// Writes times in one zone and one language.
#[derive(Debug, Clone, Copy)]
pub struct Dial {
    zone: Tz,
    words: &'static Words,
    year: i32,
}

impl Dial {
    /// For this zone (an IANA name; an unknown one counts as UTC). Days of another year than that of `now` say their year.
    #[must_use]
    pub fn new(zone: &str, words: &'static Words, now: Time) -> Self {
        let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
        let year = now.utc().with_timezone(&zone).year();
        Self { zone, words, year }
    }

    /// Name of the zone.
    #[must_use]
    pub fn zone(&self) -> &'static str {
        self.zone.name()
    }

    /// A moment.
    #[must_use]
    pub fn moment(&self, at: Time) -> Moment {
        let local = self.local(at);
        let clock = format!("{:02}:{:02}", local.hour(), local.minute());
        let moment = if local.year() == self.year {
            (self.words.moment)(local.month(), local.day(), &clock)
        } else {
            format!("{:04}-{:02}-{:02} {clock}", local.year(), local.month(), local.day())
        };
        Moment { datetime: local.format("%Y-%m-%dT%H:%M%:z").to_string(), clock, moment }
    }

    /// The day of a time: for machines, and for people.
    #[must_use]
    pub fn day(&self, at: Time) -> (String, String) {
        let local = self.local(at);
        let weekday = self.words.weekdays[local.weekday().num_days_from_monday() as usize];
        let year = Some(local.year()).filter(|year| *year != self.year);
        (local.format("%Y-%m-%d").to_string(), (self.words.day)(year, local.month(), local.day(), weekday))
    }

    /// Where each of the last so many days began, that of `now` among them, oldest first; and where the next one begins.
    #[must_use]
    pub fn midnights(&self, now: Time, days: u32) -> Vec<Time> {
        let today = self.local(now).date_naive();
        let begin = |day: chrono::NaiveDate| {
            let midnight = day.and_time(chrono::NaiveTime::MIN);
            // Where clocks were put forward over midnight, the day begins an hour later.
            let local = midnight.and_local_timezone(self.zone).earliest();
            let local =
                local.or_else(|| (midnight + chrono::Duration::hours(1)).and_local_timezone(self.zone).earliest());
            Time(local.map_or(midnight.and_utc().timestamp_millis(), |local| local.timestamp_millis()))
        };
        let first = today - chrono::Days::new(u64::from(days.saturating_sub(1)));
        (0..=u64::from(days)).map(|day| begin(first + chrono::Days::new(day))).collect()
    }

    fn local(&self, at: Time) -> DateTime<Tz> {
        at.utc().with_timezone(&self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::words;

    #[test]
    fn days_begin_at_midnight() {
        let at = Time::from_seconds(1_795_398_120); // 2026-11-23 09:42 in Shanghai
        let dial = Dial::new("Asia/Shanghai", words::of("zh-CN"), at);
        let days: Vec<i64> = dial.midnights(at, 2).iter().map(|time| time.seconds()).collect();
        assert_eq!(days, [1_795_276_800, 1_795_363_200, 1_795_449_600]);
        // 2026-03-29: a day of 23 hours in Berlin.
        let at = Time::from_seconds(1_774_782_000);
        let spring = Dial::new("Europe/Berlin", words::of("en"), at).midnights(at, 1);
        assert_eq!(spring[1].since(spring[0]), 23 * Time::HOUR);
    }

    #[test]
    fn times_stand_in_the_zone_of_the_site() {
        let at = Time::from_seconds(1_795_398_120); // 2026-11-23T01:42:00Z, a Monday
        let dial = Dial::new("Asia/Shanghai", words::of("zh-CN"), at);
        let written = dial.moment(at);
        assert_eq!(written.datetime, "2026-11-23T09:42+08:00");
        assert_eq!((written.clock.as_str(), written.moment.as_str()), ("09:42", "11月23日 09:42"));
        assert_eq!(dial.day(at), ("2026-11-23".to_owned(), "11月23日 周一".to_owned()));
        let older = Time::from_seconds(1_735_689_600);
        assert_eq!(dial.day(older).1, "2025年1月1日 周三");
        assert_eq!(dial.moment(older).moment, "2025-01-01 08:00");
        let london = Dial::new("Europe/London", words::of("en"), at);
        assert_eq!(london.moment(at).moment, "23 Nov 01:42");
        assert_eq!(Dial::new("Mars/Base", words::of("en"), at).zone(), "UTC");
    }
}
