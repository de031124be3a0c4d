//! Where sources have moved for good: what `check` shows and `fmt` writes.

use crate::config::Moved;
use crate::model::id::SourceId;
use crate::model::time::Time;
use crate::store::Store;

/// The sources of which 301 or 308 have led to another address for a week, in order of id.
#[must_use]
pub fn collect(store: &Store, now: Time) -> Vec<Moved> {
    let moved = |source: SourceId, book: crate::model::book::Entry| {
        let to = book.settled(now)?.to_owned();
        let since = book.moved.as_ref().map_or(now, |(_, since)| *since).0;
        Some(Moved { source: source.to_string(), to, since })
    };
    store.books().filter_map(|(source, book)| moved(source, book)).collect()
}
