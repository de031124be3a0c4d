//! `citydesk diff`: what a reload of feeds.toml would do.

use std::path::Path;

use super::exit::Exit;
use super::{locate, say};
use crate::app::diff::{self, Diff};

/// Prints it, asking the running daemon if there is one.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path, json: bool) -> Exit {
    let loaded = match locate::load(config) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let file = match std::path::absolute(config) {
        Ok(file) => file.to_string_lossy().into_owned(),
        Err(error) => return Exit::Config.failed(format!("{}: {error}", config.display())),
    };
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("file", &file).finish();
    let (mut bytes, mut own) = (Vec::new(), None);
    let take = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    let done = locate::ask_or_open(runtime, &loaded.settings.store, &format!("/diff?{query}"), take, |folder| {
        match diff::collect(&folder.store, &folder.journal, &loaded.settings) {
            Ok(diff) => {
                own = Some(diff);
                Ok(())
            }
            Err(error) => Err(Exit::Io.failed(error)),
        }
    });
    if let Err(exit) = done {
        if !bytes.is_empty() {
            eprintln!("{}", String::from_utf8_lossy(&bytes));
        }
        return exit;
    }
    let diff: Diff = match own.map_or_else(|| serde_json::from_slice(&bytes), Ok) {
        Ok(diff) => diff,
        Err(error) => {
            return Exit::Unavailable.failed(format!("the running citydesk answers in another version: {error}"));
        }
    };
    if json {
        say::out(serde_json::to_string_pretty(&diff).unwrap_or_default() + "\n", Exit::Fine)
    } else {
        say::out(diff, Exit::Fine)
    }
}
