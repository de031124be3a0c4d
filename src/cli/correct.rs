//! What `join`, `split` and `spike` share: the running daemon is asked; where none runs, the folder is opened.

use std::path::Path;

use http::{Method, StatusCode};

use super::exit::Exit;
use super::{locate, say};
use crate::app::folder::Folder;
use crate::app::hand::{self, Refused, Wanted};
use crate::clock;
use crate::control::{self, ControlError};

/// Has a correction made, and prints what came of it.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path, wanted: &Wanted) -> Exit {
    let store = match locate::store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let mut said = Vec::new();
    let answer = runtime.block_on(control::ask(&store, Method::POST, &wanted.target(), |piece| {
        said.extend_from_slice(piece);
        Ok(())
    }));
    let said = String::from_utf8_lossy(&said);
    match answer {
        Ok(StatusCode::OK) => say::out(said, Exit::Fine),
        Ok(StatusCode::UNPROCESSABLE_ENTITY) => Exit::Data.failed(said),
        Ok(_) => Exit::Unavailable.failed(said),
        Err(ControlError::Nobody(_)) => match Folder::open(&store, false, |_| ()) {
            Ok(folder) => match hand::alone(&folder, clock::system()(), wanted) {
                Ok(told) => say::out(told, Exit::Fine),
                Err(error @ Refused::Wrong(_)) => Exit::Data.failed(error),
                Err(error) => Exit::Io.failed(error),
            },
            Err(error) => Exit::from(&error).failed(error),
        },
        Err(error) => Exit::from(&error).failed(error),
    }
}
