//! `[store]`: where everything is kept.

use std::path::PathBuf;

use crate::config::key::{Entry, Fields, Key, Table};
use crate::config::kind::File;
use crate::config::reading::Reading;

const PATH: Key<PathBuf> =
    Key { name: "path", doc: "Folder of journal and store, relative to feeds.toml.", default: "\"data\"", kind: &File };

/// The register of its keys.
pub(in crate::config) const TABLE: Table =
    Table { name: "store", many: false, doc: "Where everything is kept.", keys: &[&PATH as &dyn Entry] };

/// Reads it.
pub(in crate::config) fn read(fields: &Fields<'_>, reading: &mut Reading) -> PathBuf {
    fields.or_default(&PATH, reading)
}
