//! `[[feed]]`: a saved search, published as a feed.

use crate::config::key::{Entry, Fields, Key, Table};
use crate::config::kind::NAME;
use crate::config::name::Id;
use crate::config::reading::Reading;
use crate::config::search::Search;
use crate::model::id::SourceId;
use crate::model::setting::SavedFeed;

const ID: Key<SourceId> = Key { name: "id", doc: "Stands in its address: /feeds/saved/{id}.", default: "", kind: &Id };
const TITLE: Key<String> = Key { name: "title", doc: "Title of the feed; else its id.", default: "", kind: &NAME };
const WHEN: Key<String> =
    Key { name: "when", doc: "Query: what enters.", default: "", kind: &Search { relative: false, places: true } };

/// The register of its keys.
pub(in crate::config) const TABLE: Table = Table {
    name: "feed",
    many: true,
    doc: "A saved search, published as a feed; all, city, province, tag and source feeds exist without being listed.",
    keys: &[&ID as &dyn Entry, &TITLE, &WHEN],
};

/// Reads one.
pub(in crate::config) fn read(fields: &Fields<'_>, reading: &mut Reading) -> SavedFeed {
    let id = fields.required(&ID, reading).unwrap_or_default().to_string();
    let title = fields.get(&TITLE, reading).unwrap_or_else(|| id.clone());
    SavedFeed { title, when: fields.required(&WHEN, reading).unwrap_or_default(), id }
}
