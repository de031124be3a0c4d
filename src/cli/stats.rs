//! `citydesk stats`: sources by state, sizes, lag.

use std::path::Path;

use super::exit::Exit;
use super::{locate, say};
use crate::app::folder::SEARCH;
use crate::app::stats::{self, Stats};
use crate::search::Standing;

/// Prints the figures, asking the running daemon if there is one.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path, json: bool) -> Exit {
    let store = match locate::store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let mut bytes = Vec::new();
    let mut own = None;
    let done = locate::ask_or_open(
        runtime,
        &store,
        "/stats",
        |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        },
        |folder| {
            let sources = crate::config::load(config).map(|loaded| loaded.settings.sources).unwrap_or_default();
            let progress = folder.store.view().meta().progress;
            let states = stats::States::read(&folder.store, &sources);
            let decided = progress.record.seq + 1;
            let search = Standing::on_disk(&store.join(SEARCH));
            own = Some(stats::collect(&folder.store, &folder.journal, &states, decided, search));
            Ok(())
        },
    );
    if let Err(exit) = done {
        return exit;
    }
    let stats: Stats = match own.map_or_else(|| serde_json::from_slice(&bytes), Ok) {
        Ok(stats) => stats,
        Err(error) => {
            return Exit::Unavailable.failed(format!("the running citydesk answers in another version: {error}"));
        }
    };
    if json {
        say::out(serde_json::to_string_pretty(&stats).unwrap_or_default() + "\n", Exit::Fine)
    } else {
        say::out(stats, Exit::Fine)
    }
}
