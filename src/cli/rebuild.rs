//! `citydesk rebuild`: makes the store again from the ledger: same stories, guids, dates and order.

use std::path::Path;

use super::exit::Exit;
use super::{locate, say};
use crate::app::folder::{Folder, FolderError};
use crate::control::{self, ControlError};

/// Makes the store again beside the one in place and swaps them.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path) -> Exit {
    let store = match locate::store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let running = runtime.block_on(control::ask(&store, http::Method::GET, "/fingerprint", |_| Ok(())));
    match running {
        Err(ControlError::Nobody(_)) => {}
        Err(error) => return Exit::from(&error).failed(error),
        Ok(_) => {
            return Exit::Unavailable.failed(format!(
                "a citydesk runs on {}: stop it, then run this again (it repairs a broken store by itself at its next start)",
                store.display()
            ));
        }
    }
    let bar = super::probe::spinner("ledger records applied");
    match Folder::rebuild(&store, |count| bar.set_position(count)) {
        Ok(rebuilt) => {
            bar.finish_and_clear();
            let before = match &rebuilt.old {
                Some(old) if *old == rebuilt.new => "the same as before",
                Some(_) => "not the same as before: the old one was damaged or of another version",
                None => "there was none that could be read before",
            };
            let records = rebuilt.records;
            let text =
                format!("store made again from {records} ledger records: {before}\nfingerprint {}\n", rebuilt.new);
            say::out(text, Exit::Fine)
        }
        Err(error @ FolderError::None(_)) => Exit::Unavailable.failed(error),
        Err(error) => Exit::from(&error).failed(error),
    }
}
