//! The view in sled: a fold of the ledger, and the only place that names sled.
//!
//! Same ledger, same store. The store is derived and may be lost at any time: it is made again. So it is flushed by time,
//! not by record; the ledger's sync is the acknowledgement. What makes a kill at any moment harmless:
//!
//! * One writer. A [`draft::Draft`] gathers what one or more ledger records change, and [`Store::commit`] writes it, the
//!   position applied last. Replay after a kill applies the records behind that position again.
//! * Every value that is read before it is written carries the ledger record that wrote it, and replay passes over values
//!   at or beyond the record at hand. Without it, a half-applied record would count and enter twice.
//! * What belongs together (an edition's blocks) goes in one batch; no batch has more than about 500 keys, above which
//!   sled 0.34's memory runs away; nothing is ever iterated backwards, which panics inside sled.
//!
//! Readers take a [`view::View`]: it holds a read lock for its short life, so that they see whole versions only.

pub mod draft;
mod keys;
pub mod layout;
mod sieve;
#[cfg(test)]
mod tests;
pub mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard};

use crate::model::book;
use crate::model::codec;
use crate::model::edit::Record;
use crate::model::id::{SourceId, StoryNo};
use crate::model::position::Position;
use crate::model::push::Push;
use crate::model::setting::{InForce, Setting};

use keys::Keys;
use layout::{Meta, Trees, Volume};

/// The store failed. It is derived: when in doubt it is moved aside and made again from the ledger.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// sled could not open the folder or gave up while working.
    #[error(
        "the store in {path} cannot be used: {reason}. It is derived: `citydesk rebuild` makes it again from the ledger"
    )]
    Engine {
        /// The folder.
        path: PathBuf,
        /// sled's words.
        reason: String,
    },
    /// No room on the disk. Nothing is wrong with what is there.
    #[error("no room left on the disk of the store: make room and start again; what is in the ledger is not lost")]
    Full,
    /// A value is not what it should be.
    #[error("the store holds a damaged value ({0}). It is derived: `citydesk rebuild` makes it again from the ledger")]
    Damaged(String),
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => Self::Full,
            error => Self::Damaged(error.to_string()),
        }
    }
}

impl From<codec::Undecodable> for StoreError {
    fn from(error: codec::Undecodable) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// Result of everything here.
pub type Result<T> = std::result::Result<T, StoreError>;

/// What changes at a commit and readers must see whole.
#[derive(Debug)]
struct Shared {
    meta: Meta,
    settings: Arc<InForce>,
}

/// The view in sled.
#[derive(Debug)]
pub struct Store {
    db: sled::Db,
    trees: Trees,
    /// What stories are found by.
    keys: Arc<Keys>,
    path: PathBuf,
    /// Whether the poll book has anything of hubs: of most desks it has nothing, and no poll looks for it.
    hubs: AtomicBool,
    shared: RwLock<Shared>,
    /// Held while anything of the fold is written, and by who must see it stand still for longer than readers can wait.
    writing: Mutex<()>,
}

impl Store {
    /// sled's page cache, in bytes on disk: in memory they take some four times as much. Records are small and texts stand on
    /// the wire, so more brings little.
    const CACHE: u64 = 16 * 1024 * 1024;
    /// How often sled writes out by itself, in milliseconds.
    const FLUSH: u64 = 500;
    /// How often a store that is still locked is tried again, a hundredth of a second apart.
    const PATIENCE: u32 = 100;
    /// So many volumes are not asked one by one.
    const MANY: Volume = Volume(4);
    /// Most keys in one batch on a tree (see the module's head).
    const BATCH: usize = 480;

    /// Opens the store in `path`, or makes an empty one.
    ///
    /// # Errors
    /// [`StoreError`] if sled cannot open it, or its values are of another make: move it aside and rebuild.
    pub fn open(path: &Path) -> Result<Self> {
        let engine = |reason: String| StoreError::Engine { path: path.to_owned(), reason };
        // sled 0.34 panics on some damaged folders instead of failing.
        let open = || {
            std::panic::catch_unwind(|| {
                sled::Config::new().path(path).cache_capacity(Self::CACHE).flush_every_ms(Some(Self::FLUSH)).open()
            })
            .map_err(|_| engine("sled panicked while opening it".to_owned()))
        };
        let mut opened = open()?;
        for _ in 0..Self::PATIENCE {
            // One that this process dropped a moment ago still lets go of its lock.
            let held = |error: &std::io::Error| {
                error.kind() == std::io::ErrorKind::WouldBlock || error.to_string().contains("acquire lock")
            };
            if !matches!(&opened, Err(sled::Error::Io(error)) if held(error)) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
            opened = open()?;
        }
        let db = opened.map_err(|error| match StoreError::from(error) {
            StoreError::Damaged(reason) => engine(reason),
            other => other,
        })?;
        let trees = Trees::open(&db)?;
        let hubs = AtomicBool::new(trees.book.scan_prefix(layout::PUSH).next().is_some());
        let meta = match trees.meta.get(layout::META)? {
            Some(bytes) => layout::unpack::<Meta>(&bytes)?.1,
            None => Meta { layout: layout::VERSION, ..Meta::default() },
        };
        let keys = Keys::open(&db, Volume::of(StoryNo(meta.stories + 1)))?;
        let shared = RwLock::new(Shared { meta, settings: Arc::default() });
        let mut store = Self { db, trees, keys, path: path.to_owned(), hubs, shared, writing: Mutex::new(()) };
        let settings = Arc::new(store.settings()?);
        store.shared.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).settings = settings;
        Ok(store)
    }

    /// Settings in force, as they stand in their tree.
    fn settings(&self) -> Result<InForce> {
        let mut settings = InForce::new();
        for pair in &self.trees.settings {
            let (key, value) = pair?;
            if ![layout::WAITING, layout::BEFORE].iter().any(|other| key.starts_with(other.as_bytes())) {
                let setting: Setting = layout::unpack(&value)?.1;
                settings.insert(String::from_utf8_lossy(&key).into_owned(), setting);
            }
        }
        Ok(settings)
    }

    /// Parts of a change of settings that is not complete; `None` is one that goes.
    fn waiting_settings(&self) -> Result<BTreeMap<String, Option<Setting>>> {
        let mut waiting = BTreeMap::new();
        for pair in self.trees.settings.scan_prefix(layout::WAITING) {
            let (key, value) = pair?;
            let key = String::from_utf8_lossy(&key[layout::WAITING.len()..]).into_owned();
            waiting.insert(key, layout::unpack(&value)?.1);
        }
        Ok(waiting)
    }

    /// Rules as they were before the last change of settings, each with the ledger record that changed it; `None` is one
    /// that was not there.
    fn former_rules(&self) -> Result<BTreeMap<String, (u64, Option<Setting>)>> {
        let mut former = BTreeMap::new();
        for pair in self.trees.settings.scan_prefix(layout::BEFORE) {
            let (key, value) = pair?;
            let key = String::from_utf8_lossy(&key[layout::BEFORE.len()..]).into_owned();
            former.insert(key, layout::unpack(&value)?);
        }
        Ok(former)
    }

    /// A consistent read. Short-lived: the writer waits for it.
    #[must_use]
    pub fn view(&self) -> view::View<'_> {
        view::View::new(self, self.read())
    }

    /// Begins to gather the changes of ledger records.
    #[must_use]
    pub fn draft(&self) -> draft::Draft<'_> {
        let shared = self.read();
        draft::Draft::new(self, shared.meta.clone(), Arc::clone(&shared.settings))
    }

    /// Applies one ledger record at once: replay.
    ///
    /// # Errors
    /// [`StoreError`] if sled fails.
    pub fn apply(&self, at: Position, record: &Record) -> Result<()> {
        let mut draft = self.draft();
        draft.record(at, record)?;
        self.commit(draft.finish())
    }

    /// Writes what a draft gathered; readers see all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError`] if sled fails: the store must be opened anew then.
    pub fn commit(&self, changes: draft::Changes) -> Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut shared = self.shared.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (tree, batches) in self.writes(changes.trees, &changes.keys, Self::BATCH) {
            for (index, batch) in batches.into_iter().enumerate() {
                if index > 0 {
                    crate::failpoint::hit("store-half-applied");
                }
                tree.apply_batch(batch)?;
            }
            crate::failpoint::hit("store-tree-applied");
        }
        self.keys.put(&changes.keys);
        self.trees.meta.insert(layout::META, layout::pack(changes.meta.applied.seq, &changes.meta))?;
        crate::failpoint::hit("store-applied");
        shared.meta = changes.meta;
        shared.settings = changes.settings;
        drop(shared);
        self.keys.tidy()
    }

    /// What a commit writes: batches by tree, in this order, each with at most so many keys.
    fn writes<'s>(
        &'s self,
        trees: Vec<(layout::Tree, Vec<draft::Group>)>,
        keys: &'s [keys::Entry],
        most: usize,
    ) -> impl Iterator<Item = (&'s sled::Tree, Vec<sled::Batch>)> {
        let trees = trees.into_iter().map(move |(tree, groups)| (self.trees.get(tree), batches(groups, most)));
        trees.chain(std::iter::once_with(|| self.keys.run(keys)))
    }

    /// Whether keys can be looked up as well as they ever will: of many volumes, a thread reads the keys first.
    #[must_use]
    pub fn finds(&self) -> bool {
        Volume::of(StoryNo(self.read().meta.stories)) < Self::MANY || !self.keys.is_reading()
    }

    /// Makes everything written durable. Blocking; never called by two threads at once.
    ///
    /// # Errors
    /// [`StoreError`] if the disk refuses.
    pub fn flush(&self) -> Result<()> {
        self.db.flush()?;
        Ok(())
    }

    /// What polling remembers of a source. An unreadable entry counts as none: its loss costs one poll.
    #[must_use]
    pub fn book(&self, source: &SourceId) -> Option<book::Entry> {
        let bytes = self.trees.book.get(source.as_str()).ok()??;
        codec::decode(&bytes).ok()
    }

    /// What polling remembers of all sources, in order of id; what cannot be read is passed over.
    pub fn books(&self) -> impl Iterator<Item = (SourceId, book::Entry)> + '_ {
        self.trees.book.iter().filter_map(|pair| {
            let (id, bytes) = pair.ok()?;
            Some((SourceId::new(std::str::from_utf8(&id).ok()?)?, codec::decode(&bytes).ok()?))
        })
    }

    /// How all sources are doing that polling remembers, in order of id.
    pub fn states(&self) -> impl Iterator<Item = (SourceId, book::State)> + '_ {
        self.trees.book.iter().filter_map(|pair| {
            let (id, bytes) = pair.ok()?;
            let glance: book::Glance = codec::decode(&bytes).ok()?;
            Some((SourceId::new(std::str::from_utf8(&id).ok()?)?, glance.state))
        })
    }

    /// Remembers something of a source for the next poll. Outside the ledger: last write wins, and its loss is harmless.
    ///
    /// # Errors
    /// [`StoreError`] if sled fails.
    pub fn note(&self, source: &SourceId, entry: &book::Entry) -> Result<()> {
        self.trees.book.insert(source.as_str(), codec::encode(entry))?;
        Ok(())
    }

    /// What is remembered of the hub that delivers a source's news. An unreadable entry counts as none.
    #[must_use]
    pub fn push(&self, source: &SourceId) -> Option<Push> {
        if !self.hubs.load(Ordering::Relaxed) {
            return None;
        }
        let bytes = self.trees.book.get(layout::push_key(source)).ok()??;
        codec::decode(&bytes).ok()
    }

    /// Remembers something of the hub that delivers a source's news, or forgets it.
    ///
    /// # Errors
    /// [`StoreError`] if sled fails.
    pub fn note_push(&self, source: &SourceId, push: Option<&Push>) -> Result<()> {
        let key = layout::push_key(source);
        match push {
            Some(push) => {
                self.hubs.store(true, Ordering::Relaxed);
                self.trees.book.insert(key, codec::encode(push))?
            }
            None => self.trees.book.remove(key)?,
        };
        Ok(())
    }

    /// Every hub that delivers, or was asked to, by source.
    ///
    /// # Errors
    /// [`StoreError`] if sled fails.
    pub fn pushes(&self) -> Result<Vec<(SourceId, Push)>> {
        let mut all = Vec::new();
        for pair in self.trees.book.scan_prefix(layout::PUSH) {
            let (key, value) = pair?;
            let source = std::str::from_utf8(&key[layout::PUSH.len()..]).ok().and_then(SourceId::new);
            all.extend(source.zip(codec::decode(&value).ok()));
        }
        Ok(all)
    }

    /// Takes over what polling remembers from another store.
    ///
    /// # Errors
    /// [`StoreError`] if sled fails.
    pub fn take_book(&self, other: &Self) -> Result<()> {
        for pair in &other.trees.book {
            let (key, value) = pair?;
            if key.starts_with(layout::PUSH.as_bytes()) {
                self.hubs.store(true, Ordering::Relaxed);
            }
            self.trees.book.insert(key, value)?;
        }
        Ok(())
    }

    /// Forgets all poll books, so that every source is asked anew, unconditionally.
    ///
    /// # Errors
    /// [`StoreError`] if sled fails.
    pub fn clear_book(&self) -> Result<()> {
        self.trees.book.clear()?;
        Ok(())
    }

    /// Hash of every tree that is a fold of the ledger: two stores of one ledger and one binary have the same.
    ///
    /// # Errors
    /// [`StoreError`] if sled fails.
    pub fn fingerprint(&self) -> Result<String> {
        Ok(self.standing()?.1)
    }

    /// The position applied, and the fingerprint at it. The writer waits meanwhile, readers do not.
    ///
    /// # Errors
    /// [`StoreError`] if sled fails.
    pub fn standing(&self) -> Result<(Position, String)> {
        let _still = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let applied = self.read().meta.applied;
        let mut hash = blake3::Hasher::new();
        for (name, tree) in self.trees.folded() {
            hash.update(name.as_bytes());
            for pair in tree {
                let (key, value) = pair?;
                for part in [&key, &value] {
                    hash.update(&(part.len() as u64).to_le_bytes());
                    hash.update(part);
                }
            }
        }
        // What they say, not how they stand: that hangs on how many records a commit took.
        self.keys.each(|key, value| {
            hash.update(&[key.kind as u8]);
            hash.update(&key.volume.0.to_le_bytes());
            hash.update(&key.hash.to_le_bytes());
            hash.update(&(value.len() as u64).to_le_bytes());
            hash.update(value);
        })?;
        Ok((applied, hash.finalize().to_hex().to_string()))
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.db.size_on_disk().unwrap_or(0)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self) -> RwLockReadGuard<'_, Shared> {
        self.shared.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.keys.end();
    }
}

/// Groups of keys, as many to a batch as `most` allows; a group is never torn.
fn batches(groups: Vec<draft::Group>, most: usize) -> Vec<sled::Batch> {
    let (mut batches, mut batch, mut keys) = (Vec::new(), sled::Batch::default(), 0);
    for group in groups {
        if keys > 0 && keys + group.len() > most {
            batches.push(std::mem::take(&mut batch));
            keys = 0;
        }
        keys += group.len();
        for (key, value) in group {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
    }
    if keys > 0 {
        batches.push(batch);
    }
    batches
}
