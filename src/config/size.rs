//! Sizes (`10MB`), in bytes; units count in thousands.

use serde_json::json;

use super::key::{Kind, Value};
use super::reading::Reading;

/// A size within bounds.
pub(super) struct Size {
    /// Least, in bytes.
    pub least: u64,
    /// Most, in bytes.
    pub most: u64,
}

/// Units, longest name first.
const UNITS: [(&str, u64); 4] = [("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("B", 1)];

impl Kind<u64> for Size {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<u64> {
        let Some(size) = value.text().and_then(parse) else {
            reading.expected(value, "a size", "a number and B, KB, MB or GB in quotes: \"10MB\"");
            return None;
        };
        let good = (self.least..=self.most).contains(&size);
        if !good {
            let message = format!("`{}` must be from {} to {}", value.key, show(self.least), show(self.most));
            reading.error(value.sheet, value.span, message, "");
        }
        good.then_some(size)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[0-9]+ ?(B|KB|MB|GB)$" })
    }
}

fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?.trim_end(), *unit)))?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<u64>().ok().filter(|_| digits)?.checked_mul(unit)
}

fn show(size: u64) -> String {
    let unit = UNITS.iter().rev().filter(|(_, unit)| *unit > 1).find(|(_, unit)| size.is_multiple_of(*unit));
    let (name, unit) = unit.copied().unwrap_or(("B", 1));
    format!("{}{name}", size / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, size) in [
            ("10MB", Some(10_000_000)),
            ("10 MB", Some(10_000_000)),
            ("1KB", Some(1_000)),
            ("7B", Some(7)),
            ("10", None),
            ("MB", None),
            ("-1MB", None),
            ("99999999999999999999GB", None),
        ] {
            assert_eq!(parse(text), size, "{text}");
        }
        assert_eq!(show(10_000_000), "10MB");
    }
}
