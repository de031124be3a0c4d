//! A text read from left to right, and times of day in it.

use super::Clock;

/// The text that is left.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// A run of digits: its value and how many.
    pub(super) fn number(&mut self) -> Option<(i64, usize)> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 18 {
            return None;
        }
        let value = self.rest[..digits].parse().ok()?;
        self.rest = &self.rest[digits..];
        Some((value, digits))
    }

    /// A run of one or two digits, or three that begin with a zero (`2003-012-31`, as a calendar service wrote).
    pub(super) fn short(&mut self) -> Option<u32> {
        let mut ahead = self.clone();
        let padded = ahead.rest.starts_with('0');
        let (value, digits) = ahead.number()?;
        if digits > 3 || (digits == 3 && !padded) {
            return None;
        }
        *self = ahead;
        u32::try_from(value).ok()
    }

    pub(super) fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes one of these characters.
    pub(super) fn one(&mut self, of: &str) -> Option<char> {
        let c = self.peek().filter(|c| of.contains(*c))?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Takes this text, in any case of its ASCII letters.
    pub(super) fn text(&mut self, expected: &str) -> bool {
        let found = self.rest.get(..expected.len()).is_some_and(|head| head.eq_ignore_ascii_case(expected));
        if found {
            self.rest = &self.rest[expected.len()..];
        }
        found
    }

    /// A run of letters.
    pub(super) fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_alphabetic()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// A time of day: `10:38`, `1:39:11.0`, `10时38分`, `上午10点38分`, `10:38 pm`, `10h38`.
    pub(super) fn clock(&mut self) -> Option<Clock> {
        let mut ahead = self.clone();
        let before = ahead.half();
        ahead.blanks();
        let hour = ahead.short()?;
        ahead.blanks();
        let Some(mark) = ahead.one(":时点hH") else {
            // `8 pm`
            let later = matches!(ahead.half().filter(|_| hour <= 12)?, Half::Later);
            *self = ahead;
            return Some(Clock { hour: hour % 12 + if later { 12 } else { 0 }, ..Clock::default() });
        };
        if matches!(mark, 'h' | 'H') && ahead.peek().is_some_and(char::is_alphabetic) {
            return None; // the beginning of a word
        }
        let mut clock = Clock { hour, ..Clock::default() };
        ahead.blanks();
        match ahead.short() {
            Some(minute) => clock.minute = minute,
            None if mark != ':' => {}
            None => return None,
        }
        let mut seconds = ahead.clone();
        if seconds.one(":分").is_some() {
            seconds.blanks();
            if let Some(second) = seconds.short() {
                clock.second = second;
                // Some write the fraction behind a further colon.
                let mut fraction = seconds.clone();
                let mark = fraction.one(".,:");
                if let (Some(mark), Some((value, digits))) = (mark, fraction.number())
                    // `10:00:00,2021` ends in a year.
                    && !(mark == ',' && digits == 4 && (1990..2100).contains(&value))
                {
                    clock.milli = millis(value, digits);
                    seconds = fraction;
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
            ("早晨", Half::Earlier),
            ("清晨", Half::Earlier),
            ("下午", Half::Later),
            ("傍晚", Half::Later),
            ("晚上", Half::Later),
            ("晚间", Half::Later),
            ("晚", Half::Later),
            ("中午", Half::Noon),
            ("a.m.", Half::Earlier),
            ("p.m.", Half::Later),
            ("a. m.", Half::Earlier),
            ("p. m.", Half::Later),
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
