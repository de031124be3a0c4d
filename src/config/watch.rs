//! Notices when the configuration on disk says something else than before.
//!
//! The folders are watched, not the files: editors write beside a file and rename, and Kubernetes swaps a `..data` link
//! in the folder. What counts is the content, once it has been still for a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::Origin;

/// The content must be the same for so long before it counts: a save is several writes.
const STILL: Duration = Duration::from_millis(300);
/// So many times a file that keeps changing is waited for; then what stands there counts.
const ROUNDS: usize = 20;

/// Why the configuration can't be watched.
#[derive(Debug, thiserror::Error)]
#[error("can't watch {folder} for changes ({why}): reload with SIGHUP instead")]
pub struct WatchError {
    folder: String,
    why: notify::Error,
}

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watch {
    sender: Sender<Message>,
    origin: Arc<Mutex<Origin>>,
}

#[derive(Debug)]
enum Message {
    /// Something happened in a folder.
    Stirred,
    /// Other files are to be watched.
    Other,
    /// The end.
    Stop,
}

impl Watch {
    /// Watches the files of this configuration and calls `changed`, from a thread of its own, whenever their content is
    /// another one: also when an included file appears or goes.
    ///
    /// # Errors
    /// [`WatchError`] if the folder of the first file can't be watched.
    pub fn start(origin: Origin, changed: impl Fn() + Send + 'static) -> Result<Self, WatchError> {
        let (sender, receiver) = channel();
        let stirred = sender.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading the files is an event of its own: it must not wake us again.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                // The receiver is gone only when the watch has ended.
                let _ = stirred.send(Message::Stirred);
            }
        });
        let first = folders(&origin).into_iter().next().unwrap_or_default();
        let error = |why| WatchError { folder: first.display().to_string(), why };
        let mut nest = Nest { watcher: watcher.map_err(error)?, folders: BTreeMap::new() };
        nest.settle(&origin).map_err(error)?;
        let last = content(&origin);
        let origin = Arc::new(Mutex::new(origin));
        let shared = Arc::clone(&origin);
        let work = move || work(&receiver, &mut nest, &shared, last, &changed);
        let started = thread::Builder::new().name("config-watch".to_owned()).spawn(work);
        started.map_err(|why| error(notify::Error::io(why)))?;
        Ok(Self { sender, origin })
    }

    /// Watches other files from now on: what an applied or refused configuration was read from.
    pub fn follow(&self, origin: Origin) {
        *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = origin;
        // The receiver lives as long as the watch.
        let _ = self.sender.send(Message::Other);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // A thread that is gone already needs no word.
        let _ = self.sender.send(Message::Stop);
    }
}

/// What is watched, folder by folder, with the identity the folder had.
struct Nest {
    watcher: RecommendedWatcher,
    folders: BTreeMap<PathBuf, Option<PathBuf>>,
}

impl Nest {
    /// Watches the folders of these files, and no others. A folder that is another one than before under its old name
    /// (a swapped link, a folder made anew) is watched anew. The error is about the first file's folder.
    fn settle(&mut self, origin: &Origin) -> notify::Result<()> {
        let wanted = folders(origin);
        let gone: Vec<PathBuf> = self.folders.keys().filter(|folder| !wanted.contains(folder)).cloned().collect();
        for folder in gone {
            self.folders.remove(&folder);
            // It may be gone from the disk as well.
            let _ = self.watcher.unwatch(&folder);
        }
        let mut outcome = Ok(());
        for (nth, folder) in wanted.iter().enumerate() {
            let real = folder.canonicalize().ok();
            if real.is_some() && self.folders.get(folder) == Some(&real) {
                continue;
            }
            if self.folders.remove(folder).is_some() {
                let _ = self.watcher.unwatch(folder);
            }
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.folders.insert(folder.clone(), real);
                }
                Err(error) if nth == 0 => outcome = Err(error),
                Err(_) => {}
            }
        }
        outcome
    }
}

fn work(
    receiver: &Receiver<Message>,
    nest: &mut Nest,
    origin: &Mutex<Origin>,
    mut last: BTreeMap<PathBuf, u64>,
    changed: &dyn Fn(),
) {
    let now = |origin: &Mutex<Origin>| origin.lock().unwrap_or_else(PoisonError::into_inner).clone();
    while let Ok(message) = receiver.recv() {
        let mut other = match message {
            Message::Stirred => false,
            Message::Other => true,
            Message::Stop => return,
        };
        let mut here = content(&now(origin));
        for _ in 0..ROUNDS {
            thread::sleep(STILL);
            while let Ok(message) = receiver.try_recv() {
                match message {
                    Message::Stirred => {}
                    Message::Other => other = true,
                    Message::Stop => return,
                }
            }
            let again = content(&now(origin));
            let still = again == here;
            here = again;
            if still {
                break;
            }
        }
        // The first file's folder may be gone for a moment; the next event, if any, finds it again.
        let _ = nest.settle(&now(origin));
        let differs = if other { differs_where_known(&last, &here) } else { last != here };
        last = here;
        if differs {
            changed();
        }
    }
}

/// Whether a file that was watched before has another content: files that are watched only now were just read.
fn differs_where_known(last: &BTreeMap<PathBuf, u64>, here: &BTreeMap<PathBuf, u64>) -> bool {
    last.iter().any(|(path, hash)| here.get(path).is_some_and(|other| other != hash))
}

/// The folders that hold the files, the first file's first: as named, and where links lead.
fn folders(origin: &Origin) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut add = |folder: Option<&Path>| {
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.map(Path::to_path_buf).filter(|folder| !folders.contains(folder)) {
            folders.push(folder);
        }
    };
    for file in &origin.files {
        add(file.parent());
        add(file.canonicalize().ok().as_deref().and_then(Path::parent));
    }
    for pattern in &origin.includes {
        let fixed: PathBuf =
            Path::new(pattern).parent().into_iter().flat_map(Path::components).take_while(plain).collect();
        add(Some(&fixed).filter(|folder| folder.is_dir()).map(PathBuf::as_path));
    }
    folders
}

/// Whether a part of a pattern has no wildcard.
fn plain(part: &std::path::Component<'_>) -> bool {
    !part.as_os_str().to_string_lossy().contains(['*', '?', '['])
}

/// What stands in the files now: a hash each; a file that can't be read is left out.
fn content(origin: &Origin) -> BTreeMap<PathBuf, u64> {
    let mut files: BTreeSet<PathBuf> = origin.files.iter().cloned().collect();
    for pattern in &origin.includes {
        files.extend(glob::glob(pattern).into_iter().flatten().filter_map(Result::ok));
    }
    let hash = |path: &PathBuf| std::fs::read(path).ok().map(|bytes| xxhash_rust::xxh3::xxh3_64(&bytes));
    files.into_iter().filter_map(|path| hash(&path).map(|hash| (path, hash))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::mpsc;

    /// Long enough for a slow machine.
    const SOON: Duration = Duration::from_secs(20);
    /// Longer than a save takes to be noticed.
    const QUIET: Duration = Duration::from_millis(1_200);

    fn watch(origin: Origin) -> (Watch, mpsc::Receiver<()>) {
        let (sender, receiver) = mpsc::channel();
        let watch = Watch::start(origin, move || sender.send(()).unwrap()).unwrap();
        (watch, receiver)
    }

    #[test]
    fn a_save_in_place_and_a_save_by_renaming_are_noticed_once_and_a_touch_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("feeds.toml");
        fs::write(&file, "a").unwrap();
        let (_watch, changed) = watch(Origin { files: vec![file.clone()], includes: Vec::new() });
        fs::write(&file, "b").unwrap();
        changed.recv_timeout(SOON).unwrap();
        fs::write(folder.path().join("new"), "c").unwrap();
        fs::rename(folder.path().join("new"), &file).unwrap();
        changed.recv_timeout(SOON).unwrap();
        fs::write(&file, "c").unwrap();
        fs::write(folder.path().join("other"), "x").unwrap();
        assert!(changed.recv_timeout(QUIET).is_err(), "the same content is no change");
        fs::remove_file(&file).unwrap();
        changed.recv_timeout(SOON).unwrap();
        fs::write(&file, "d").unwrap();
        changed.recv_timeout(SOON).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_swapped_link_of_a_mounted_folder_is_noticed_every_time() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (version, text) in [("..1", "a"), ("..2", "b"), ("..3", "c")] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("feeds.toml"), text).unwrap();
        }
        symlink("..1", at("..data")).unwrap();
        symlink("..data/feeds.toml", at("feeds.toml")).unwrap();
        let (_watch, changed) = watch(Origin { files: vec![at("feeds.toml")], includes: Vec::new() });
        for (version, old) in [("..2", "..1"), ("..3", "..2")] {
            symlink(version, at("..data_tmp")).unwrap();
            fs::rename(at("..data_tmp"), at("..data")).unwrap();
            fs::remove_dir_all(at(old)).unwrap();
            changed.recv_timeout(SOON).unwrap();
        }
    }

    #[test]
    fn a_new_included_file_is_noticed_and_following_other_files_is_no_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("feeds.toml");
        fs::write(&file, "a").unwrap();
        fs::create_dir(folder.path().join("feeds.d")).unwrap();
        let (watch, changed) = watch(Origin { files: vec![file.clone()], includes: Vec::new() });
        let pattern = folder.path().join("feeds.d/*.toml").display().to_string();
        watch.follow(Origin { files: vec![file], includes: vec![pattern] });
        assert!(changed.recv_timeout(QUIET).is_err(), "nothing has changed");
        fs::write(folder.path().join("feeds.d/a.toml"), "x").unwrap();
        changed.recv_timeout(SOON).unwrap();
    }
}
