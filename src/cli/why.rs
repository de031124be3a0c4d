//! `citydesk why`: explains a story, or what two stories have to do with each other.

use std::path::Path;
use std::sync::Arc;

use http::{Method, StatusCode};

use super::exit::Exit;
use super::{locate, say};
use crate::app::find::FindError;
use crate::app::folder::Folder;
use crate::app::why::{Asked, Inquiry};
use crate::control::{self, ControlError};

/// Prints the explanation, asking the running daemon if there is one.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path, story: String, with: Option<String>, json: bool) -> Exit {
    let asked = &Asked { story, with, json };
    let store = match locate::store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let mut said = Vec::new();
    let answer = runtime.block_on(control::ask(&store, Method::GET, &asked.target(), |piece| {
        said.extend_from_slice(piece);
        Ok(())
    }));
    let said = String::from_utf8_lossy(&said);
    match answer {
        Ok(StatusCode::OK) => say::out(said, Exit::Fine),
        Ok(StatusCode::UNPROCESSABLE_ENTITY) => Exit::Data.failed(said),
        Ok(_) => Exit::Unavailable.failed(said),
        Err(ControlError::Nobody(_)) => match Folder::open(&store, false, |_| ()) {
            Ok(folder) => {
                let inquiry = Inquiry::new(Arc::clone(&folder.store), folder.journal.clone());
                match inquiry.answer(&locate::gazetteer(config), asked) {
                    Ok(told) => say::out(told, Exit::Fine),
                    Err(error @ FindError::Store(_)) => Exit::Io.failed(error),
                    Err(error) => Exit::Data.failed(error),
                }
            }
            Err(error) => Exit::from(&error).failed(error),
        },
        Err(error) => Exit::from(&error).failed(error),
    }
}
