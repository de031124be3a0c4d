//! `expect = { … }`: what a source should bring; otherwise it counts as silent, not as fine.

use crate::config::duration::Duration;
use crate::config::key::{Entry, Fields, Key, Kind, Table, Value};
use crate::config::kind::Count;
use crate::config::reading::Reading;
use crate::config::schema;
use crate::model::source::Expect;
use crate::model::time::Time;

/// Most items one answer can be expected to have.
const MOST_ITEMS: u32 = 10_000;
/// Oldest newest item that can be expected: archives on disk are old.
const OLDEST: i64 = 36_500 * Time::DAY;

const ITEMS: Key<u32> = Key {
    name: "items",
    doc: "At least so many items in an answer.",
    default: "1",
    kind: &Count { least: 0, most: MOST_ITEMS },
};
const NEWEST: Key<i64> = Key {
    name: "newest",
    doc: "The newest at most so old.",
    default: "\"3d\"",
    kind: &Duration { least: Time::MINUTE, most: OLDEST },
};

/// The register of its keys.
pub(in crate::config) const TABLE: Table = Table {
    name: "source.expect",
    many: false,
    doc: "What a source should bring; otherwise it counts as silent.",
    keys: &[&ITEMS as &dyn Entry, &NEWEST],
};

/// What is expected, as far as it is written.
#[derive(Debug, Default, Clone, Copy)]
pub(in crate::config) struct Part {
    items: Option<u32>,
    newest: Option<i64>,
}

impl Part {
    /// With what is not written taken from `other`.
    pub(in crate::config) fn over(self, other: &Expect) -> Expect {
        Expect { items: self.items.unwrap_or(other.items), newest: self.newest.unwrap_or(other.newest) }
    }
}

/// Reads `{ items = 1, newest = "3d" }`.
pub(in crate::config) struct Expected;

impl Kind<Part> for Expected {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<Part> {
        if !value.node.is_table() {
            reading.expected(value, "a table", "{ items = 1, newest = \"3d\" }");
            return None;
        }
        let fields = Fields::open(&TABLE, value, reading)?;
        Some(Part { items: fields.get(&ITEMS, reading), newest: fields.get(&NEWEST, reading) })
    }

    fn schema(&self) -> serde_json::Value {
        schema::table(&TABLE, &[])
    }
}
