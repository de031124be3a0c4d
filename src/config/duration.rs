//! Durations (`90s 15m 6h 30d`) and ranges of them (`2m..12h`), in milliseconds.

use serde_json::json;

use super::key::{Kind, Value};
use super::kind;
use super::reading::Reading;
use crate::model::time::Time;

/// What a duration looks like, for hints.
const SHAPE: &str = "a number and s, m, h or d in quotes: \"90s\", \"15m\", \"6h\", \"30d\"";

/// A duration within bounds.
pub(super) struct Duration {
    /// Least, in milliseconds.
    pub least: i64,
    /// Most, in milliseconds.
    pub most: i64,
}

impl Kind<i64> for Duration {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<i64> {
        if !value.node.is_str() {
            reading.expected(value, "a duration", SHAPE);
            return None;
        }
        let text = kind::text(value, reading)?;
        let Some(duration) = parse(text) else {
            reading.expected(value, "a duration", SHAPE);
            return None;
        };
        self.bounded(duration, value, reading)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[0-9]+(s|m|h|d)$" })
    }
}

impl Duration {
    fn bounded(&self, duration: i64, value: Value<'_>, reading: &mut Reading) -> Option<i64> {
        let good = (self.least..=self.most).contains(&duration);
        if !good {
            let (key, shown) = (value.key, show(duration));
            let message = format!("`{key}` must be from {} to {}, not {shown}", show(self.least), show(self.most));
            reading.error(value.sheet, value.span, message, "");
        }
        good.then_some(duration)
    }
}

/// Two durations, `least..most`, or one that stands for both.
pub(super) struct Range(pub Duration);

impl Kind<(i64, i64)> for Range {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<(i64, i64)> {
        const HINT: &str = "\"2m..12h\" adapts between the two, \"15m\" pins it; units are s, m, h and d";
        let Some(text) = value.text() else {
            reading.expected(value, "a range of durations", HINT);
            return None;
        };
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let (Some(from), Some(to)) = (parse(from), parse(to)) else {
            reading.expected(value, "a range of durations", HINT);
            return None;
        };
        if from > to {
            let message = format!("`{}` runs backwards: {} is longer than {}", value.key, show(from), show(to));
            reading.error(value.sheet, value.span, message, format!("write \"{}..{}\"", show(to), show(from)));
            return None;
        }
        let (from, to) = (self.0.bounded(from, value, reading)?, self.0.bounded(to, value, reading)?);
        Some((from, to))
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[0-9]+(s|m|h|d)([.][.][0-9]+(s|m|h|d))?$" })
    }
}

/// Milliseconds of `90s`, `15m`, `6h`, `30d`.
fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit = match text.chars().last()? {
        's' => Time::SECOND,
        'm' => Time::MINUTE,
        'h' => Time::HOUR,
        'd' => Time::DAY,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<i64>().ok().filter(|_| digits)?.checked_mul(unit)
}

/// As it would be written.
pub(super) fn show(milliseconds: i64) -> String {
    let units = [(Time::DAY, 'd'), (Time::HOUR, 'h'), (Time::MINUTE, 'm')];
    let unit = units.into_iter().find(|(unit, _)| milliseconds != 0 && milliseconds % unit == 0);
    let (unit, letter) = unit.unwrap_or((Time::SECOND, 's'));
    format!("{}{letter}", milliseconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_shown() {
        for (text, milliseconds) in [
            ("90s", Some(90_000)),
            ("15m", Some(900_000)),
            ("6h", Some(21_600_000)),
            ("30d", Some(2_592_000_000)),
            ("0s", Some(0)),
            ("15", None),
            ("m", None),
            ("-5m", None),
            ("+5m", None),
            ("1.5h", None),
            ("15分", None),
            ("", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(parse(text), milliseconds, "{text}");
        }
        for text in ["90s", "15m", "6h", "30d", "0s"] {
            assert_eq!(parse(text).map(show).as_deref(), Some(text));
        }
    }
}
