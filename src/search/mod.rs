//! Search in the archive: the full-text index, derived, and the one way in which stories are looked for.
//!
//! What matches is what the one evaluator of [`crate::query`] says, asked about a story's texts ([`subject`]). The index only
//! names who may match ([`plan`]): terms of the folded text, bigrams where a script has no word boundaries and words elsewhere
//! ([`schema`]), so no dictionary decides what can be found. Each hit is verified. Stories that the index does not hold as they
//! are now, changed since its last commit, are asked about directly: what the store shows can be found at once.
//!
//! The index is kept by one thread behind the editor ([`Search::work`]): it reads which stories ledger records changed, writes
//! them in batches, and keeps the position it stands at in its own commit. A missing, foreign or broken index is made again
//! in the background; until it is whole, searches go through the newest stories one by one, within their bounds.
//!
//! Every search is bounded by what it may look at, never by time, so that the same search over the same archive gives the
//! same answer; one that reaches a bound says so, and its cursor goes on from there.

mod index;
mod plan;
mod rows;
mod scan;
mod schema;
mod subject;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::edition::Order;
use crate::model::id::{Guid, StoryNo};
use crate::model::item::Item;
use crate::model::position::Position;
use crate::model::story::Story;
use crate::model::time::Time;
use crate::query::Query;

pub use subject::{matches, order};

/// The archive that is searched. Implemented above, by whoever has store and journal.
pub trait Archive: Send + Sync {
    /// Identity of the desk.
    fn desk(&self) -> Guid;

    /// Last ledger record that the stories show.
    fn applied(&self) -> Position;

    /// Whether the ledger has this record, and not another one at its number.
    fn holds(&self, at: Position) -> bool;

    /// A story.
    ///
    /// # Errors
    /// [`SearchError::Archive`].
    fn story(&self, no: StoryNo) -> Result<Option<Story>>;

    /// So many stories at most from this number on, in order of their numbers.
    ///
    /// # Errors
    /// [`SearchError::Archive`].
    fn stories(&self, from: StoryNo, most: usize) -> Result<Vec<Story>>;

    /// So many published stories at most, older than `before`, newest first.
    ///
    /// # Errors
    /// [`SearchError::Archive`].
    fn newest(&self, before: Option<Order>, most: usize) -> Result<Vec<(Order, Story)>>;

    /// Which stories the ledger records behind this one changed, as far as they are applied, and the last such record.
    ///
    /// # Errors
    /// [`SearchError::Archive`].
    fn changed(&self, after: Position) -> Result<(Vec<StoryNo>, Position)>;

    /// An item on the wire; `None` if its text is gone.
    fn item(&self, at: Position) -> Option<Item>;

    /// Whether there is room on the disk for an index to grow.
    fn has_room(&self) -> bool;
}

/// Why a search, or the index, failed.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The archive could not be read.
    #[error("{0}")]
    Archive(String),
    /// The index failed. It is derived, and made again.
    #[error("the search index cannot be used: {0}; it is made again by itself")]
    Index(String),
}

impl From<tantivy::TantivyError> for SearchError {
    fn from(error: tantivy::TantivyError) -> Self {
        Self::Index(error.to_string())
    }
}

impl From<std::io::Error> for SearchError {
    fn from(error: std::io::Error) -> Self {
        Self::Index(error.to_string())
    }
}

/// Result of everything here.
pub type Result<T> = std::result::Result<T, SearchError>;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What to look for; names of places resolved.
    pub query: &'a Query,
    /// Only what is older than this.
    pub before: Option<Order>,
    /// So many hits at most.
    pub limit: usize,
    /// What relative dates count from.
    pub now: Time,
    /// Language of the stories that state none: the desk's own.
    pub language: &'a str,
}

/// Hits, newest first.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Page {
    /// The hits.
    pub hits: Vec<(Order, Story)>,
    /// Where to go on: ask again for what is older than this. `None`: there is nothing more.
    pub next: Option<Order>,
    /// Stories looked at, each verified.
    pub looked: u64,
    /// Whether a bound was reached before the page was full: then there may be more hits behind `next`.
    pub cut: bool,
}

/// How many stories match, and when they were published.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub stories: u64,
    /// Whether that is all of them, each one sure; else it is about so many, or at least so many where `cut` says.
    pub exact: bool,
    /// Whether a bound was reached: there are more.
    pub cut: bool,
    /// How many were published between each two of the moments asked for.
    pub spans: Vec<u64>,
}

/// Where the index stands.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Ledger record that it is committed at; 0 while it is being made.
    pub seq: u64,
    /// Stories in it.
    pub stories: u64,
    /// Stories changed since, asked about one by one.
    pub waiting: usize,
    /// Bytes on disk.
    pub bytes: u64,
    /// Why there is none at the moment, if there is none.
    pub absent: Option<String>,
}

impl Standing {
    /// Of the index that lies in a folder, while nobody searches in it.
    #[must_use]
    pub fn on_disk(folder: &Path) -> Self {
        let bytes = index::bytes(folder);
        let absent = |why: String| Self { bytes, absent: Some(why), ..Self::default() };
        match index::Shelf::open(folder) {
            Ok(None) => absent("there is none: `citydesk serve` makes it".to_owned()),
            Ok(Some((_, stamp))) if stamp.next().is_some() => {
                absent("it is half made: `citydesk serve` goes on".to_owned())
            }
            Ok(Some((shelf, stamp))) => {
                Self { seq: stamp.position.seq, stories: shelf.stories(), waiting: 0, bytes, absent: None }
            }
            Err(error) => absent(error.to_string()),
        }
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let megabytes = self.bytes as f64 / 1e6;
        if let Some(why) = &self.absent {
            return write!(f, "no index, so stories are searched one by one: {why}");
        }
        write!(f, "{} stories, {megabytes:.1} MB, at ledger record {}", self.stories, self.seq)?;
        if self.waiting > 0 { write!(f, ", {} changed since", self.waiting) } else { Ok(()) }
    }
}

impl Page {
    /// Most stories verified for one page: each costs a look into the store and the reading of its texts.
    pub const LOOKED: u64 = 1_000;
    /// Most hits on one page.
    pub const MOST: usize = 500;
}

/// A story changed since the last commit: its place in the order as it is now (`None`: it can not be found any more), and the
/// ledger record at which that was known.
#[derive(Debug, Clone, Copy)]
struct Pending {
    order: Option<Order>,
    seq: u64,
}

#[derive(Default)]
struct State {
    /// The index as last committed, while there is one that is whole.
    shelf: Option<Arc<index::Snapshot>>,
    /// Stories that it does not hold as they are.
    pending: Arc<BTreeMap<StoryNo, Pending>>,
    /// Ledger record up to which `pending` is known.
    noted: Position,
    /// Why there is no index.
    absent: Option<String>,
    /// The editor announced something, or a stop.
    nudged: bool,
    stop: bool,
    /// A search found the index broken.
    broken: Option<String>,
}

/// The search over one archive.
pub struct Search {
    archive: Arc<dyn Archive>,
    folder: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
    /// Held while `pending` is brought up to date: one reads the ledger, the others wait for it.
    noting: Mutex<()>,
    /// What changed is written after so long, however little it is.
    soon: Duration,
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Search {
    /// A search over this archive; its index stands in `folder`, and is looked after by [`Search::work`]. Without that it
    /// works all the same, story by story.
    #[must_use]
    pub fn new(archive: Arc<dyn Archive>, folder: &Path) -> Self {
        let state = State { absent: Some("it has not been opened yet".to_owned()), ..State::default() };
        Self {
            archive,
            folder: folder.to_owned(),
            state: Mutex::new(state),
            changed: Condvar::new(),
            noting: Mutex::new(()),
            soon: work::SOON,
        }
    }

    /// The newest hits. Blocking: reads index, store and texts.
    ///
    /// # Errors
    /// [`SearchError::Archive`] if the store cannot be read. A broken index is no error: it is searched without.
    pub fn page(&self, ask: &Ask<'_>) -> Result<Page> {
        self.tried(|held| scan::page(self.archive.as_ref(), held, ask))
    }

    /// How many stories match, and how many of them were published between each two of `edges`, which ascend. Blocking.
    ///
    /// # Errors
    /// As [`Search::page`].
    pub fn tally(&self, ask: &Ask<'_>, edges: &[Time]) -> Result<Tally> {
        self.tried(|held| scan::tally(self.archive.as_ref(), held, ask, edges))
    }

    /// Whether there is an index to search in.
    #[must_use]
    pub fn is_indexed(&self) -> bool {
        self.lock().shelf.is_some()
    }

    /// Where the index stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let (shelf, waiting, absent) = {
            let state = self.lock();
            (state.shelf.clone(), state.pending.len(), state.absent.clone())
        };
        Standing {
            seq: shelf.as_ref().map_or(0, |shelf| shelf.stamp.position.seq),
            stories: shelf.as_ref().map_or(0, |shelf| shelf.stories()),
            waiting,
            bytes: index::bytes(&self.folder),
            absent: if shelf.is_some() { None } else { absent },
        }
    }

    /// With the index, or without where it fails: then it is made again.
    fn tried<T>(&self, search: impl Fn(Option<&scan::Held>) -> Result<T>) -> Result<T> {
        match self.held()? {
            None => search(None),
            Some(held) => match search(Some(&held)) {
                Err(SearchError::Index(why)) => {
                    self.lock().broken = Some(why);
                    self.changed.notify_all();
                    search(None)
                }
                other => other,
            },
        }
    }

    /// The index and what changed since, as of now.
    fn held(&self) -> Result<Option<scan::Held>> {
        if self.lock().shelf.is_none() {
            return Ok(None);
        }
        self.note()?;
        let state = self.lock();
        let held =
            |shelf: &Arc<index::Snapshot>| scan::Held { shelf: Arc::clone(shelf), pending: Arc::clone(&state.pending) };
        Ok(state.shelf.as_ref().map(held))
    }

    /// Notes which stories changed since it was noted last.
    fn note(&self) -> Result<()> {
        let _only = self.noting.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = self.lock().noted;
        if self.archive.applied().seq <= noted.seq {
            return Ok(());
        }
        let (changed, through) = self.since(noted)?;
        let mut state = self.lock();
        // Made anew meanwhile: what was noted belongs to the former one.
        if state.noted == noted {
            Arc::make_mut(&mut state.pending).extend(changed);
            state.noted = through;
        }
        Ok(())
    }

    /// The stories changed behind a ledger record, and the last record looked at.
    fn since(&self, position: Position) -> Result<(Vec<(StoryNo, Pending)>, Position)> {
        let (stories, through) = self.archive.changed(position)?;
        let mut changed = Vec::with_capacity(stories.len());
        for no in stories {
            let order = self.archive.story(no)?.as_ref().and_then(order);
            changed.push((no, Pending { order, seq: through.seq }));
        }
        Ok((changed, through))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
