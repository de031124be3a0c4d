//! `[[tag]]`: stories that match a query carry the tag.

use crate::config::key::{Entry, Fields, Key, Table};
use crate::config::name::TagName;
use crate::config::reading::Reading;
use crate::config::search::Search;
use crate::model::setting::TagRule;

const ID: Key<String> = Key { name: "id", doc: "The tag, as spelt.", default: "", kind: &TagName };
const WHEN: Key<String> =
    Key { name: "when", doc: "Query: what carries it.", default: "", kind: &Search { relative: false, places: true } };

/// The register of its keys.
pub(in crate::config) const TABLE: Table = Table {
    name: "tag",
    many: true,
    doc: "Stories that match a query carry the tag.",
    keys: &[&ID as &dyn Entry, &WHEN],
};

/// Reads one.
pub(in crate::config) fn read(fields: &Fields<'_>, reading: &mut Reading) -> TagRule {
    let id = fields.required(&ID, reading).unwrap_or_default();
    TagRule { id, when: fields.required(&WHEN, reading).unwrap_or_default() }
}
