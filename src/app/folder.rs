//! The folder of a desk (`[store] path`): its lock, its journal, its store.
//!
//! ```text
//! data/lock            one process at a time; taken before anything else, it covers the whole folder
//! data/wire, ledger    the journal: the truth
//! data/store           the view in sled: derived, made again when broken
//! data/store.new       a store being made again
//! data/store.next      a store made again beside a running daemon, taken at the next start
//! data/search          the search index: derived, made again when broken
//! data/restoring       a journal being restored from a backup
//! data/store.broken-1  a store that was moved aside, to be looked at or deleted
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backup::{self, BackupError, Count};
use crate::editor::{self, EditorError};
use crate::journal::{Journal, LogError};
use crate::store::{Store, StoreError};

/// Name of the search index in the folder.
pub const SEARCH: &str = "search";

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
    /// There is a desk already.
    #[error(
        "there is a desk in {0} already: move it away first (`mv {0} {0}.old`), so that nothing is lost by a mistake"
    )]
    Taken(PathBuf),
    /// A restore did not come to its end.
    #[error("a restore into {0} broke off: do it again, or delete {0}/restoring to begin with an empty desk")]
    Half(PathBuf),
    /// It cannot be restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
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
        if path.join("restoring").exists() && !path.join("ledger").exists() {
            return Err(FolderError::Half(path.to_owned()));
        }
        let journal = Journal::open(path)?;
        let place = path.join("store");
        let next = path.join("store.next");
        if next.exists() {
            aside(&place)?;
            std::fs::rename(&next, &place).map_err(io)?;
        }
        let (store, remade) = match Self::view(&place, &journal, &mut progress) {
            Ok(store) => (store, None),
            // A store that only lacks room must not be made a second time beside itself.
            Err(
                error @ (FolderError::Store(StoreError::Full)
                | FolderError::Replay(EditorError::Store(StoreError::Full))),
            ) => {
                return Err(error);
            }
            Err(FolderError::Store(error)) => (Self::remake(&place, &journal, &mut progress)?, Some(error.to_string())),
            Err(FolderError::Replay(error @ (EditorError::Foreign(_) | EditorError::Store(_)))) => {
                (Self::remake(&place, &journal, &mut progress)?, Some(error.to_string()))
            }
            Err(error) => return Err(error),
        };
        Ok(Self { journal, store: Arc::new(store), remade, _lock: lock })
    }

    /// Makes a desk from a backup, where there is none. `progress` is told the records read. Until everything is read,
    /// checked and on the disk there is no desk, whenever it is killed; and then it can simply be done again.
    ///
    /// # Errors
    /// [`FolderError::Taken`] if there is a desk; [`FolderError::Backup`] if the backup is worth nothing.
    pub fn restore(path: &Path, from: impl std::io::Read, progress: impl FnMut(u64)) -> Result<Count, FolderError> {
        let io = |error| FolderError::Io { path: path.to_owned(), error };
        std::fs::create_dir_all(path).map_err(io)?;
        let lock = lock(path)?;
        let (wire, ledger, apart) = (path.join("wire"), path.join("ledger"), path.join("restoring"));
        // A restore that was killed between the two renames left a wire without a ledger.
        let resumed = apart.exists() && !ledger.exists();
        if ledger.exists() || (wire.exists() && !resumed) {
            return Err(FolderError::Taken(path.to_owned()));
        }
        for old in [&apart, &wire] {
            if old.exists() {
                std::fs::remove_dir_all(old).map_err(io)?;
            }
        }
        let journal = Journal::open(&apart)?;
        let count = backup::read(from, &journal, progress)?;
        drop(journal);
        aside(&path.join("store"))?;
        for (from, to) in [("wire", &wire), ("ledger", &ledger)] {
            std::fs::rename(apart.join(from), to).map_err(io)?;
            File::open(path).and_then(|folder| folder.sync_all()).map_err(io)?;
        }
        std::fs::remove_dir(&apart).map_err(io)?;
        drop(lock);
        // Made now, so that a desk that cannot be is told here and not by the next start.
        Self::open(path, false, |_| ())?;
        Ok(count)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::codec::encode;
    use crate::model::edit::{Body, Edit, Progress, Record};
    use crate::model::edition::EditionId;
    use crate::model::id::{Guid, ItemKey, SourceId, StoryNo, hash64};
    use crate::model::story::Copy;
    use crate::model::time::Time;

    /// A folder with a ledger of some thousand stories, and its store.
    fn made(path: &Path) -> String {
        let folder = Folder::open(path, true, |_| ()).unwrap();
        for number in 0..40 {
            let mut edits = Vec::new();
            for no in number * 30 + 1..=number * 30 + 30 {
                let (story, key) = (StoryNo(no), ItemKey::guid(&no.to_string()));
                let guid = Guid::mint(&SourceId::default(), &key, 0);
                let title = format!("许昌市第{no}条线路今日开通运营");
                let copy = Box::new(Copy { key, title, ..Copy::default() });
                edits.push(Edit::Open { story, guid, copy });
                edits.push(Edit::Enter { story, at: Time(no as i64), editions: vec![EditionId::All] });
            }
            let record = Record { at: Time(number as i64), progress: Progress::default(), body: Body::Edits(edits) };
            folder.journal.ledger.append(None, &[&encode(&record)]).unwrap();
        }
        folder.journal.ledger.sync().unwrap();
        editor::replay(&folder.journal, &folder.store, |_| ()).unwrap();
        folder.store.flush().unwrap();
        folder.store.fingerprint().unwrap()
    }

    fn spoil(path: &Path, dice: &mut u64) -> String {
        let mut roll = |sides: u64| {
            *dice = hash64(&[&dice.to_le_bytes()]);
            *dice % sides
        };
        let mut files: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.is_file());
        files.sort();
        let file = &files[roll(files.len() as u64) as usize];
        let mut bytes = std::fs::read(file).unwrap();
        let at = roll(bytes.len() as u64) as usize;
        let what = roll(4);
        match what {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << roll(8),
            2 => bytes[at..].iter_mut().take(4096).for_each(|byte| *byte = 0),
            _ => bytes[at..].iter_mut().take(64).for_each(|byte| *byte = roll(256) as u8),
        }
        std::fs::write(file, bytes).unwrap();
        format!("{what} at {at} of {}", file.display())
    }

    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &to);
            } else {
                std::fs::copy(&path, &to).unwrap();
            }
        }
    }

    #[test]
    fn a_store_spoilt_anywhere_is_used_or_made_again() {
        let original = tempfile::tempdir().unwrap();
        let print = made(original.path());
        let mut dice = 1;
        let mut remade = 0;
        for _ in 0..std::env::var("CITYDESK_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(12) {
            let spoilt = tempfile::tempdir().unwrap();
            copy(original.path(), spoilt.path());
            let what = spoil(&spoilt.path().join("store"), &mut dice);
            let folder = Folder::open(spoilt.path(), false, |_| ());
            let folder = folder.unwrap_or_else(|error| panic!("{what}: {error}"));
            remade += u32::from(folder.remade.is_some());
            assert_eq!(folder.store.fingerprint().unwrap(), print, "{what}");
        }
        assert!(remade > 0);
    }
}
