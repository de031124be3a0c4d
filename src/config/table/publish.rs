//! `[publish]`: what feeds look like.

use crate::config::address::Hub;
use crate::config::key::{Entry, Fields, Key, Table};
use crate::config::kind::Count;
use crate::config::reading::Reading;
use crate::model::setting::Publish;

/// Most entries of a live window.
const MOST_ITEMS: u32 = 1_000;

const ITEMS: Key<u32> = Key {
    name: "items",
    doc: "Window of a feed: this many newest entries, and all within 48 hours before the newest one.",
    default: "60",
    kind: &Count { least: 1, most: MOST_ITEMS },
};
const HUB: Key<String> =
    Key { name: "hub", doc: "builtin, none, or the address of another hub.", default: "\"builtin\"", kind: &Hub };

/// The register of its keys.
pub(in crate::config) const TABLE: Table =
    Table { name: "publish", many: false, doc: "What feeds look like.", keys: &[&ITEMS as &dyn Entry, &HUB] };

/// Reads it.
pub(in crate::config) fn read(fields: &Fields<'_>, reading: &mut Reading) -> Publish {
    Publish { items: fields.or_default(&ITEMS, reading), hub: fields.or_default(&HUB, reading) }
}
