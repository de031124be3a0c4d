//! The plain kinds of value: texts, counts, flags, choices, lists, paths.

use std::path::PathBuf;

use serde_json::json;
use toml::de::DeValue;

use super::key::{Kind, Value};
use super::near;
use super::reading::Reading;

/// Text of one line, not empty, of at most so many characters.
pub(super) struct Text(pub usize);

/// Longest name or title, in characters: it stands on one line in readers.
pub(super) const NAME: Text = Text(200);

impl Kind<String> for Text {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = text(value, reading)?;
        let (sheet, key) = (value.sheet, value.key);
        if text.trim().is_empty() {
            reading.error(sheet, value.span, format!("`{key}` is empty"), "leave the key out to get its default");
        } else if text.chars().count() > self.0 {
            let message = format!("`{key}` is longer than {} characters", self.0);
            reading.error(sheet, value.span, message, "shorten it");
        } else if text.chars().any(char::is_control) {
            reading.error(sheet, value.span, format!("`{key}` has a line break or control character"), "one line only");
        } else {
            return Some(text.trim().to_owned());
        }
        None
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 1, "maxLength": self.0 })
    }
}

/// The text, or a complaint.
pub(super) fn text<'a>(value: Value<'a>, reading: &mut Reading) -> Option<&'a str> {
    let text = value.text();
    if text.is_none() {
        reading.expected(value, "a text in quotes", "");
    }
    text
}

/// A whole number within bounds.
pub(super) struct Count {
    /// Least.
    pub least: u32,
    /// Most.
    pub most: u32,
}

impl Kind<u32> for Count {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<u32> {
        let number = match value.node {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let Some(number) = number else {
            let quoted = value.text().is_some_and(|text| text.trim().parse::<u32>().is_ok());
            let hint = if quoted { "write the number without quotes" } else { "" };
            reading.expected(value, "a whole number", hint);
            return None;
        };
        let good = u32::try_from(number).ok().filter(|number| (self.least..=self.most).contains(number));
        if good.is_none() {
            let message = format!("`{}` must be from {} to {}, not {number}", value.key, self.least, self.most);
            reading.error(value.sheet, value.span, message, "");
        }
        good
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "integer", "minimum": self.least, "maximum": self.most })
    }
}

/// `true` or `false`.
pub(super) struct Flag;

impl Kind<bool> for Flag {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<bool> {
        let flag = value.node.as_bool();
        if flag.is_none() {
            reading.expected(value, "true or false", "without quotes");
        }
        flag
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "boolean" })
    }
}

/// One of these words.
pub(super) struct Choice<T: 'static>(pub &'static [(&'static str, T)]);

impl<T: Copy + Sync> Kind<T> for Choice<T> {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<T> {
        let text = text(value, reading)?;
        let found = self.0.iter().find(|(name, _)| *name == text).map(|(_, it)| *it);
        if found.is_none() {
            let names = self.0.iter().map(|(name, _)| *name);
            let all = names.clone().collect::<Vec<_>>().join(", ");
            let hint = match near::to(text, names) {
                Some(near) => format!("did you mean \"{near}\"? valid: {all}"),
                None => format!("valid: {all}"),
            };
            reading.error(value.sheet, value.span, format!("`{}` can't be {}", value.key, value.described()), hint);
        }
        found
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "enum": self.0.iter().map(|(name, _)| *name).collect::<Vec<_>>() })
    }
}

/// A list of values of one kind; a single one may stand without brackets.
pub(super) struct Many<K>(pub K);

impl<T, K: Kind<T>> Kind<Vec<T>> for Many<K> {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<Vec<T>> {
        let read: Vec<_> = value.elements().into_iter().map(|element| self.0.read(element, reading)).collect();
        read.into_iter().collect()
    }

    fn schema(&self) -> serde_json::Value {
        let one = self.0.schema();
        json!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// A path, relative to the folder of feeds.toml; becomes absolute.
pub(super) struct File;

impl Kind<PathBuf> for File {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<PathBuf> {
        let text = text(value, reading)?;
        if text.is_empty() || text.contains('\0') {
            reading.expected(value, "a path", "relative to the folder of feeds.toml");
            return None;
        }
        Some(reading.path(text))
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// File names with wildcards, relative to the folder of feeds.toml; becomes an absolute pattern.
pub(super) struct Glob;

impl Kind<String> for Glob {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = text(value, reading)?;
        if text.is_empty() {
            reading.expected(value, "a path", "such as \"samples/*.xml\", relative to the folder of feeds.toml");
            return None;
        }
        if let Err(error) = glob::Pattern::new(text) {
            let span = value.sheet.inside(value.span, error.pos);
            let message = format!("`{}` is no valid pattern: {}", value.key, error.msg);
            reading.error(value.sheet, span, message, "* ? [ab] and ** are wildcards");
            return None;
        }
        Some(rooted(&reading.folder, text))
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// A pattern below a folder whose own name is taken literally.
pub(super) fn rooted(folder: &std::path::Path, pattern: &str) -> String {
    if std::path::Path::new(pattern).is_absolute() || folder.as_os_str().is_empty() {
        return pattern.to_owned();
    }
    let folder = glob::Pattern::escape(&folder.to_string_lossy());
    format!("{}/{pattern}", folder.trim_end_matches('/'))
}
