//! The folder of a desk (`[store] path`): its lock, its journal, its store.
//!
//! ```text
//! data/lock            one process at a time; taken before anything else, it covers the whole folder
//! data/wire, ledger    the journal: the truth
//! data/store           the view in sled: derived, made again when broken
//! data/store.new       a store being made again
//! data/store.next      a store made again beside a running daemon, taken at the next start
//! data/store.broken-1  a store that was moved aside, to be looked at or deleted
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::editor::{self, EditorError};
use crate::journal::{Journal, LogError};
use crate::store::{Store, StoreError};

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Nothing there, and the command does not make one.
    #[error(
        "there is no store in {0}: `citydesk serve` or `citydesk once` makes one; look at [store] path in feeds.toml"
    )]
    None(PathBuf),
    /// It cannot be made or opened.
    #[error("cannot use {path}: {error}")]
    Io {
        /// Which path.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// Another process holds it.
    #[error("{path} is held by another citydesk (process {process}): ask it, or stop it first")]
    Held {
        /// The folder.
        path: PathBuf,
        /// The process, as it wrote itself down.
        process: String,
    },
    /// The journal cannot be read: the one thing that cannot be made again.
    #[error(transparent)]
    Journal(#[from] LogError),
    /// The store cannot be made, not even anew.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger cannot be replayed.
    #[error(transparent)]
    Replay(#[from] EditorError),
}

/// A desk's folder, held by this process.
#[derive(Debug)]
pub struct Folder {
    /// The journal.
    pub journal: Journal,
    /// The store, brought up to the ledger's end.
    pub store: Arc<Store>,
    /// Why the store was made again, if it was.
    pub remade: Option<String>,
    /// Held until dropped.
    _lock: File,
}

/// Takes the lock of a folder; the process writes itself down in it.
fn lock(path: &Path) -> Result<File, FolderError> {
    let io = |error| FolderError::Io { path: path.to_owned(), error };
    let mut file =
        OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path.join("lock")).map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // Who it is helps, but that it is locked is the answer.
            let _ = file.read_to_string(&mut process);
            let process = if process.trim().is_empty() { "unknown".to_owned() } else { process.trim().to_owned() };
            return Err(FolderError::Held { path: path.to_owned(), process });
        }
        Err(TryLockError::Error(error)) => return Err(io(error)),
    }
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(io)?;
    Ok(file)
}

impl Folder {
    /// Opens a folder: lock, journal, store, replay. `create` makes what is missing (serve, once, demo and restore do).
    /// `progress` is called with the number of ledger records replayed.
    ///
    /// # Errors
    /// [`FolderError`] says what to do.
    pub fn open(path: &Path, create: bool, mut progress: impl FnMut(u64)) -> Result<Self, FolderError> {
        let io = |error| FolderError::Io { path: path.to_owned(), error };
        if create {
            std::fs::create_dir_all(path).map_err(io)?;
        } else if !path.join("ledger").is_dir() {
            return Err(FolderError::None(path.to_owned()));
        }
        let lock = lock(path)?;
        let journal = Journal::open(path)?;
        let place = path.join("store");
        let next = path.join("store.next");
        if next.exists() {
            aside(&place)?;
            std::fs::rename(&next, &place).map_err(io)?;
        }
        let (store, remade) = match Self::view(&place, &journal, &mut progress) {
            Ok(store) => (store, None),
            Err(FolderError::Store(error)) => (Self::remake(&place, &journal, &mut progress)?, Some(error.to_string())),
            Err(FolderError::Replay(error @ (EditorError::Foreign(_) | EditorError::Store(_)))) => {
                (Self::remake(&place, &journal, &mut progress)?, Some(error.to_string()))
            }
            Err(error) => return Err(error),
        };
        Ok(Self { journal, store: Arc::new(store), remade, _lock: lock })
    }

    fn view(place: &Path, journal: &Journal, progress: &mut dyn FnMut(u64)) -> Result<Store, FolderError> {
        let store = Store::open(place)?;
        editor::replay(journal, &store, progress)?;
        Ok(store)
    }

    /// Moves what stands in the store's place aside and makes the store again from the ledger.
    fn remake(place: &Path, journal: &Journal, progress: &mut dyn FnMut(u64)) -> Result<Store, FolderError> {
        aside(place)?;
        Self::view(place, journal, progress)
    }

    /// Makes the store again apart from the one a daemon is using, and compares them at the same ledger record. If they
    /// are the same there is nothing to swap; if not, the new one is taken at the next start.
    ///
    /// # Errors
    /// [`FolderError`]; the store in use is not touched.
    pub fn apart(path: &Path, journal: &Journal, used: &Store) -> Result<Rebuilt, FolderError> {
        let io = |error| FolderError::Io { path: path.to_owned(), error };
        let (fresh, next) = (path.join("store.new"), path.join("store.next"));
        for old in [&fresh, &next] {
            if old.exists() {
                std::fs::remove_dir_all(old).map_err(io)?;
            }
        }
        let store = Store::open(&fresh)?;
        // Compared at the record where the daemon stands now, though it goes on writing.
        let (applied, old) = used.standing()?;
        let records = editor::replay_through(journal, &store, applied.seq, |_| ())?;
        let rebuilt = Rebuilt { records, new: store.fingerprint()?, old: Some(old) };
        if rebuilt.same() {
            drop(store);
            std::fs::remove_dir_all(&fresh).map_err(io)?;
        } else {
            store.take_book(used)?;
            store.flush()?;
            drop(store);
            std::fs::rename(&fresh, &next).map_err(io)?;
        }
        Ok(rebuilt)
    }

    /// Makes the store again beside the one in place, compares, and puts the new one there. Returns both fingerprints.
    ///
    /// # Errors
    /// [`FolderError`]; the old store is still in place then.
    pub fn rebuild(path: &Path, mut progress: impl FnMut(u64)) -> Result<Rebuilt, FolderError> {
        let io = |error| FolderError::Io { path: path.to_owned(), error };
        if !path.join("ledger").is_dir() {
            return Err(FolderError::None(path.to_owned()));
        }
        let lock = lock(path)?;
        let journal = Journal::open(path)?;
        let (place, fresh) = (path.join("store"), path.join("store.new"));
        if fresh.exists() {
            std::fs::remove_dir_all(&fresh).map_err(io)?;
        }
        let old = match Store::open(&place) {
            // Brought up first: a killed daemon's store may lag behind its ledger, which is no difference.
            Ok(store) => match editor::replay(&journal, &store, |_| ()) {
                Ok(_) => store.fingerprint().ok().map(|print| (print, store)),
                Err(_) => None,
            },
            Err(_) => None,
        };
        let store = Store::open(&fresh)?;
        let records = editor::replay(&journal, &store, &mut progress)?;
        if let Some((_, old)) = &old {
            // The poll book is no part of the fold; keeping it saves every source an unconditional request.
            store.take_book(old)?;
        }
        store.flush()?;
        let rebuilt = Rebuilt { records, new: store.fingerprint()?, old: old.as_ref().map(|(print, _)| print.clone()) };
        drop((store, old));
        if place.exists() {
            std::fs::remove_dir_all(&place).map_err(io)?;
        }
        std::fs::rename(&fresh, &place).map_err(io)?;
        drop(lock);
        Ok(rebuilt)
    }
}

/// Moves what stands in the store's place aside.
fn aside(place: &Path) -> Result<(), FolderError> {
    let free = (1..1000).map(|n| place.with_extension(format!("broken-{n}"))).find(|aside| !aside.exists());
    match free.filter(|_| place.exists()) {
        Some(aside) => std::fs::rename(place, aside).map_err(|error| FolderError::Io { path: place.to_owned(), error }),
        None => Ok(()),
    }
}

/// What came of a rebuild.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rebuilt {
    /// Ledger records replayed.
    pub records: u64,
    /// Fingerprint of the store now in place.
    pub new: String,
    /// Fingerprint of the one before, if it could be read.
    pub old: Option<String>,
}

impl Rebuilt {
    /// Whether the store was as it should be.
    #[must_use]
    pub fn same(&self) -> bool {
        self.old.as_ref() == Some(&self.new)
    }
}
