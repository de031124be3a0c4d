//! The archive as search sees it: stories of the store, texts of the wire, and which of them the ledger changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::journal::{Journal, WIRE_RESERVE};
use crate::model::codec::decode;
use crate::model::edit::Record;
use crate::model::edition::{EditionId, Order};
use crate::model::id::{Guid, StoryNo};
use crate::model::item::Item;
use crate::model::position::{Position, Texts as _};
use crate::model::story::Story;
use crate::search::{Result, SearchError};
use crate::store::Store;

/// Ledger bytes read at a time.
const READ: usize = 4 << 20;

/// Store and journal of a desk.
#[derive(Debug)]
pub struct Archive {
    store: Arc<Store>,
    journal: Journal,
}

impl Archive {
    /// Over these.
    #[must_use]
    pub const fn new(store: Arc<Store>, journal: Journal) -> Self {
        Self { store, journal }
    }
}

fn unreadable(error: impl std::fmt::Display) -> SearchError {
    SearchError::Archive(error.to_string())
}

impl crate::search::Archive for Archive {
    fn desk(&self) -> Guid {
        self.store.view().meta().desk
    }

    fn applied(&self) -> Position {
        self.store.view().meta().applied
    }

    fn holds(&self, at: Position) -> bool {
        matches!(self.journal.ledger.get(at), Ok(Some(_)))
    }

    fn story(&self, no: StoryNo) -> Result<Option<Story>> {
        self.store.view().story(no).map_err(unreadable)
    }

    fn stories(&self, from: StoryNo, most: usize) -> Result<Vec<Story>> {
        self.store.view().stories(from).take(most).collect::<std::result::Result<_, _>>().map_err(unreadable)
    }

    fn newest(&self, before: Option<Order>, most: usize) -> Result<Vec<(Order, Story)>> {
        self.store.view().page(&EditionId::All, before, most).map_err(unreadable)
    }

    fn changed(&self, after: Position) -> Result<(Vec<StoryNo>, Position)> {
        let applied = self.applied();
        let (mut stories, mut from) = (BTreeSet::new(), after.seq + 1);
        while from <= applied.seq {
            let records = self.journal.ledger.read(from, READ).map_err(unreadable)?;
            let Some((last, _)) = records.last() else { break };
            from = last.seq + 1;
            for (position, bytes) in &records {
                if position.seq > applied.seq {
                    break;
                }
                let record: Record = decode(bytes).map_err(unreadable)?;
                stories.extend(record.body.stories());
            }
        }
        Ok((stories.into_iter().collect(), applied))
    }

    fn item(&self, at: Position) -> Option<Item> {
        self.journal.item(at)
    }

    fn has_room(&self) -> bool {
        // What the wire leaves free, and as much again: an index is nothing that polling may wait for.
        self.journal.wire.room().is_none_or(|room| room > 2 * WIRE_RESERVE)
    }
}
