//! Values that are never printed: `{ env = "X" }` and `{ file = "…" }` keep their names and are resolved when used.

use serde_json::json;

use super::address;
use super::key::{Kind, Value};
use super::name;
use super::reading::Reading;
use crate::model::source::Secret;

/// A plain text, `{ env = "X" }` or `{ file = "…" }`.
pub(super) struct Hidden;

const HINT: &str = "a text, { env = \"NAME\" } or { file = \"path\" }";

impl Kind<Secret> for Hidden {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<Secret> {
        if let Some(text) = value.text() {
            return Some(Secret::Plain(text.to_owned()));
        }
        let pairs = value.pairs().unwrap_or_default();
        let [(span, inner)] = pairs.as_slice() else {
            reading.error(value.sheet, value.span, format!("`{}` is no text and no secret", value.key), HINT);
            return None;
        };
        match (inner.key, inner.text()) {
            ("env", Some(text)) if address::variable(text) => Some(Secret::Env(text.to_owned())),
            ("env", _) => {
                reading.expected(*inner, "the name of an environment variable", "letters, digits and _");
                None
            }
            ("file", Some(text)) if !text.is_empty() => Some(Secret::File(reading.path(text))),
            ("file", _) => {
                reading.expected(*inner, "a path", "relative to the folder of feeds.toml");
                None
            }
            (other, _) => {
                reading.error(value.sheet, *span, format!("unknown key `{other}` in a secret"), HINT);
                None
            }
        }
    }

    fn schema(&self) -> serde_json::Value {
        let one = |name: &str| json!({ "type": "object", "properties": { name: { "type": "string" } }, "required": [name], "additionalProperties": false });
        json!({ "anyOf": [{ "type": "string" }, one("env"), one("file")] })
    }
}

/// Headers of a request.
pub(super) struct Headers;

/// Headers that the request itself needs: a source must not set them.
const OURS: [&str; 9] = [
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "if-modified-since",
    "if-none-match",
    "te",
    "transfer-encoding",
    "upgrade",
];

impl Kind<Vec<(String, Secret)>> for Headers {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<Vec<(String, Secret)>> {
        let Some(pairs) = value.pairs() else {
            reading.expected(value, "a table of headers", "{ \"X-Key\" = { env = \"MY_KEY\" } }");
            return None;
        };
        let mut headers = Vec::new();
        for (span, value) in pairs {
            let key = value.key;
            if !name::header(key) {
                reading.error(value.sheet, span, format!("`{key}` is no name of a header"), "letters, digits and -");
                continue;
            }
            if OURS.contains(&key.to_ascii_lowercase().as_str()) {
                reading.error(
                    value.sheet,
                    span,
                    format!("the header `{key}` is set by citydesk itself"),
                    "leave it out",
                );
                continue;
            }
            let Some(secret) = Hidden.read(value, reading) else { continue };
            if let Secret::Plain(text) = &secret
                && text.chars().any(char::is_control)
            {
                let message = format!("the value of `{key}` has a line break or control character");
                reading.error(value.sheet, value.span, message, "one line only");
                continue;
            }
            headers.push((key.to_owned(), secret));
        }
        Some(headers)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "object", "additionalProperties": Hidden.schema() })
    }
}
