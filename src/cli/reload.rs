//! `citydesk reload`: the running daemon reads feeds.toml again; waits for the outcome and prints it.

use std::path::Path;

use http::{Method, StatusCode};

use super::exit::Exit;
use super::{locate, say};
use crate::control;

/// Asks for a reload.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path) -> Exit {
    let store = match locate::store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let mut said = Vec::new();
    let status = runtime.block_on(control::ask(&store, Method::POST, "/reload", |piece| {
        said.extend_from_slice(piece);
        Ok(())
    }));
    let said = if said.is_empty() { String::new() } else { format!("{}\n", String::from_utf8_lossy(&said)) };
    let printed = say::out(said, Exit::Fine);
    match status {
        Ok(StatusCode::OK) => printed,
        Ok(StatusCode::UNPROCESSABLE_ENTITY) => {
            Exit::Config.failed("not applied: the settings of before stay in force")
        }
        Ok(status) => Exit::Unavailable.failed(format!("the running citydesk answered {status}")),
        Err(error) => Exit::from(&error).failed(error),
    }
}
