//! `citydesk fmt`: shows how feeds.toml would be tidied, with the addresses that sources have moved to; `--write` does it.

use std::path::Path;

use super::exit::Exit;
use super::{locate, say, write};
use crate::config::{self, Severity};
use crate::model::diff::unified;

/// Prints the difference, or writes the files.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, path: &Path, apply: bool) -> Exit {
    let store = config::load(path).map_or_else(|failed| failed.store, |loaded| loaded.settings.store);
    let moved = locate::moved(runtime, &store);
    let files = match config::format(path, &moved) {
        Ok(files) => files,
        Err(problems) => {
            for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
                eprintln!("{}", problem.block());
            }
            return Exit::Config.failed(format!("{} is left as it is: it cannot be read as TOML", path.display()));
        }
    };
    for problem in files.iter().flat_map(|file| &file.moved) {
        eprintln!("{}", problem.line());
    }
    let changed: Vec<_> = files.iter().filter(|file| file.before != file.after).collect();
    if !apply {
        let diff: String = changed.iter().map(|file| unified(&file.name, &file.before, &file.after)).collect();
        if diff.is_empty() {
            eprintln!("{}: nothing to tidy", path.display());
        }
        return say::out(diff, Exit::Fine);
    }
    for file in &changed {
        if let Err(error) = write::whole(&file.file, &file.after) {
            return Exit::CannotCreate.failed(format!("{} cannot be written: {error}", file.name));
        }
        eprintln!("{}: written", file.name);
    }
    if changed.is_empty() {
        eprintln!("{}: nothing to tidy", path.display());
    }
    Exit::Fine
}
