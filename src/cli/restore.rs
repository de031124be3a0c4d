//! `citydesk restore FILE`: the desk of a backup, with the same stories, ids and feeds.

use std::fs::File;
use std::path::Path;

use super::exit::Exit;
use super::{locate, probe, say};
use crate::app::folder::{Folder, FolderError};

/// Makes the desk where `[store] path` says. There must be none yet, so that a typing error costs nothing.
#[must_use]
pub fn run(config: &Path, file: &Path) -> Exit {
    let store = if config.exists() {
        match locate::load(config) {
            Ok(loaded) => loaded.settings.store,
            Err(exit) => return exit,
        }
    } else {
        let message =
            format!("there is no {}: restore feeds.toml first, it says where the desk goes", config.display());
        return Exit::Config.failed(message);
    };
    let from = match File::open(file) {
        Ok(from) => from,
        Err(error) => return Exit::Data.failed(format!("{} cannot be read: {error}", file.display())),
    };
    let bar = probe::spinner("records");
    let restored = Folder::restore(&store, from, |count| bar.set_position(count));
    bar.finish_and_clear();
    match restored {
        Ok(count) => {
            let at = count.at.utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            let text = format!(
                "{} is the desk of {at} again: {} ledger and {} wire records. `citydesk serve` goes on from there; every \
                 source is asked once without validators.\n",
                store.display(),
                count.ledger,
                count.wire
            );
            say::out(text, Exit::Fine)
        }
        Err(FolderError::Backup(error)) => Exit::Data.failed(format!("{}: {error}", file.display())),
        Err(error) => Exit::from(&error).failed(error),
    }
}
