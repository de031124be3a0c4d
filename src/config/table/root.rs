//! The top of the file: its tables, and the files it includes.

use serde_json::json;

use crate::config::key::{Entry, Key, Kind, Table, Value};
use crate::config::kind::{self, Many};
use crate::config::reading::Reading;
use crate::config::schema;
use crate::config::table;

/// The pattern of an included file, as written: it is resolved where it is read.
struct Include;

impl Kind<String> for Include {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = kind::text(value, reading)?;
        if text.is_empty() {
            reading.expected(value, "a path", "such as \"feeds.d/*.toml\"");
            return None;
        }
        if let Err(error) = glob::Pattern::new(text) {
            let message = format!("`{}` is no valid pattern: {}", value.key, error.msg);
            reading.error(
                value.sheet,
                value.sheet.inside(value.span, error.pos),
                message,
                "* ? [ab] and ** are wildcards",
            );
            return None;
        }
        Some(text.to_owned())
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// Files to be read as if they stood at the end of this one.
pub(in crate::config) const INCLUDE: Key<Vec<String>> = Key {
    name: "include",
    doc: "Further files, such as [\"feeds.d/*.toml\"], relative to this one.",
    default: "[]",
    kind: &Many(Include),
};

/// A table as a key of the file.
struct Header(&'static Table, &'static [&'static str]);

impl Entry for Header {
    fn name(&self) -> &'static str {
        self.0.name
    }
    fn doc(&self) -> &'static str {
        self.0.doc
    }
    fn default(&self) -> &'static str {
        ""
    }
    fn schema(&self) -> serde_json::Value {
        let one = schema::table(self.0, self.1);
        if self.0.many { json!({ "type": "array", "items": one }) } else { one }
    }
}

/// The register of the file's own keys.
pub(in crate::config) const TABLE: Table = Table {
    name: "",
    many: false,
    doc: "feeds.toml: whom citydesk asks, and what it makes of the answers.",
    keys: &[
        &INCLUDE as &dyn Entry,
        &Header(&table::site::TABLE, &[]),
        &Header(&table::server::TABLE, &[]),
        &Header(&table::store::TABLE, &[]),
        &Header(&table::defaults::TABLE, &[]),
        &Header(&table::fetch::TABLE, &[]),
        &Header(&table::source::TABLE, &[]),
        &Header(&table::cities::TABLE, &[]),
        &Header(&table::tag::TABLE, &["id", "when"]),
        &Header(&table::feed::TABLE, &["id", "when"]),
        &Header(&table::alert::TABLE, &["id", "when", "to"]),
        &Header(&table::publish::TABLE, &[]),
    ],
};
