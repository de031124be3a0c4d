//! `citydesk rebuild`: makes the store again from the ledger: same stories, guids, dates and order. Beside a running
//! daemon it is made apart and compared; if it differs, the next start takes it.

use std::path::Path;

use super::exit::Exit;
use super::{locate, say};
use crate::app::folder::{Folder, FolderError, Rebuilt};
use crate::control::{self, ControlError};

/// Makes the store again beside the one in place and swaps them.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path) -> Exit {
    let store = match locate::store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let mut said = Vec::new();
    let running = runtime.block_on(control::ask(&store, http::Method::POST, "/rebuild", |piece| {
        said.extend_from_slice(piece);
        Ok(())
    }));
    match running {
        Err(ControlError::Nobody(_)) => {}
        Err(error) => return Exit::from(&error).failed(error),
        Ok(http::StatusCode::OK) => {
            return match serde_json::from_slice::<Rebuilt>(&said) {
                Ok(rebuilt) => tell(&rebuilt, "it is taken at the next start"),
                Err(error) => Exit::Unavailable.failed(format!("the running citydesk is of another version: {error}")),
            };
        }
        Ok(_) => return Exit::Io.failed(String::from_utf8_lossy(&said)),
    }
    let bar = super::probe::spinner("ledger records applied");
    match Folder::rebuild(&store, |count| bar.set_position(count)) {
        Ok(rebuilt) => {
            bar.finish_and_clear();
            tell(&rebuilt, "the new one is in place")
        }
        Err(error @ FolderError::None(_)) => Exit::Unavailable.failed(error),
        Err(error) => Exit::from(&error).failed(error),
    }
}

/// Says what came of it, and where a store that differs is.
fn tell(rebuilt: &Rebuilt, taken: &str) -> Exit {
    let before = match &rebuilt.old {
        Some(_) if rebuilt.same() => "the same as before".to_owned(),
        Some(_) => format!("not the same as before, which was damaged or of another version: {taken}"),
        None => "there was none that could be read before".to_owned(),
    };
    let text =
        format!("store made again from {} ledger records: {before}\nfingerprint {}\n", rebuilt.records, rebuilt.new);
    say::out(text, Exit::Fine)
}
