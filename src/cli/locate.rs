//! Where feeds.toml is, and whether a daemon runs on its store.

use std::path::{Path, PathBuf};

use http::{Method, StatusCode};

use super::exit::Exit;
use crate::app::folder::Folder;
use crate::app::moves;
use crate::clock;
use crate::config::{self, Loaded, Moved};
use crate::control::{self, ControlError};
use crate::place::Gazetteer;

/// The file named on the command line, else `./feeds.toml`, else `/etc/citydesk/feeds.toml`.
#[must_use]
pub fn config(named: Option<PathBuf>) -> PathBuf {
    let here = PathBuf::from("feeds.toml");
    let system = PathBuf::from("/etc/citydesk/feeds.toml");
    named.unwrap_or_else(|| if !here.exists() && system.exists() { system } else { here })
}

/// Reads feeds.toml; prints what is wrong with it.
///
/// # Errors
/// [`Exit::Config`], said.
pub fn load(path: &Path) -> Result<Loaded, Exit> {
    match config::load(path) {
        Ok(loaded) => {
            for problem in &loaded.problems {
                eprintln!("{}", problem.line());
            }
            Ok(loaded)
        }
        Err(failed) => {
            for problem in &failed.problems {
                eprintln!("{}", problem.block());
            }
            Err(Exit::Config.failed(format!("{} cannot be used; `citydesk check` shows this again", path.display())))
        }
    }
}

/// The store of a feeds.toml, however broken the rest of it is: a command needs no more to reach a daemon. What is
/// broken is said in a line on stderr.
///
/// # Errors
/// [`Exit::Config`], said, if the file cannot even be read and nothing is where its store would be.
pub fn store(path: &Path) -> Result<PathBuf, Exit> {
    match config::load(path) {
        Ok(loaded) => Ok(loaded.settings.store),
        Err(failed) => {
            let there = failed.store.exists();
            if let Some(problem) = failed.first_error() {
                eprintln!("{}", if there { problem.line() } else { problem.block() });
            }
            if there { Ok(failed.store) } else { Err(Exit::Config) }
        }
    }
}

/// Asks the daemon of this store; if none runs, opens the folder and hands it to `alone`.
///
/// # Errors
/// How the command ends, said.
pub fn ask_or_open(
    runtime: &tokio::runtime::Runtime,
    store: &Path,
    target: &str,
    mut take: impl FnMut(&[u8]) -> std::io::Result<()>,
    alone: impl FnOnce(Folder) -> Result<(), Exit>,
) -> Result<(), Exit> {
    match runtime.block_on(control::ask(store, Method::GET, target, &mut take)) {
        Ok(StatusCode::OK) => Ok(()),
        Ok(status) => Err(Exit::Unavailable.failed(format!("the running citydesk refused {target}: {status}"))),
        Err(ControlError::Nobody(_)) => match Folder::open(store, false, |_| ()) {
            Ok(folder) => alone(folder),
            Err(error) => Err(Exit::from(&error).failed(error)),
        },
        // Who closes a pipe early has enough.
        Err(ControlError::Taken(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Exit::Io),
        Err(error) => Err(Exit::from(&error).failed(error)),
    }
}

/// Where sources have moved for good, as the running daemon knows it, or the store where none runs. Without either
/// nothing is known, and that is no failure.
#[must_use]
pub fn moved(runtime: &tokio::runtime::Runtime, store: &Path) -> Vec<Moved> {
    let mut bytes = Vec::new();
    let take = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    match runtime.block_on(control::ask(store, Method::GET, "/moves", take)) {
        Ok(StatusCode::OK) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(ControlError::Nobody(_)) if store.exists() => Folder::open(store, false, |_| ())
            .map_or_else(|_| Vec::new(), |folder| moves::collect(&folder.store, (clock::system())())),
        _ => Vec::new(),
    }
}

/// The gazetteer of a feeds.toml, or the built-in one if the file cannot be read.
#[must_use]
pub fn gazetteer(path: &Path) -> std::sync::Arc<Gazetteer> {
    let loaded = config::load(path).ok();
    loaded.and_then(|l| Gazetteer::build(&l.settings.cities).ok()).unwrap_or_else(Gazetteer::builtin)
}
