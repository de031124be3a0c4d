//! `citydesk reload`: the running daemon reads feeds.toml again; waits for the outcome and prints it.

use std::path::Path;

use http::{Method, StatusCode};

use super::exit::Exit;
use super::locate;
use crate::control;

/// Asks for a reload.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path) -> Exit {
    let mut said = Vec::new();
    let status = runtime.block_on(control::ask(&locate::store(config), Method::POST, "/reload", |piece| {
        said.extend_from_slice(piece);
        Ok(())
    }));
    println!("{}", String::from_utf8_lossy(&said));
    match status {
        Ok(StatusCode::OK) => Exit::Fine,
        Ok(StatusCode::UNPROCESSABLE_ENTITY) => {
            Exit::Config.failed("not applied: the settings of before stay in force")
        }
        Ok(status) => Exit::Unavailable.failed(format!("the running citydesk answered {status}")),
        Err(error) => Exit::from(&error).failed(error),
    }
}
