//! `citydesk once`: polls every due source once, applies, exits; with `--output` also writes the desk as a static site.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::exit::Exit;
use super::{locate, say};
use crate::app::Desk;
use crate::app::folder::Folder;
use crate::app::site::{self, SiteError, Written};
use crate::clock;
use crate::model::book::State;
use crate::poll::{Outcome, Round};
use crate::schedule;

/// What is asked of a single round.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Ask sources that are not due, too.
    pub all: bool,
    /// Write every feed, page and list below this folder.
    pub output: Option<&'a Path>,
    /// Print the outcome as JSON.
    pub json: bool,
}

/// One round over all sources. Sources that failed are listed; they don't fail the command.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, path: &Path, options: Options<'_>) -> Exit {
    let loaded = match locate::load(path) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let settings = loaded.settings;
    let folder = match Folder::open(&settings.store, true, |_| ()) {
        Ok(folder) => folder,
        Err(error) => return Exit::from(&error).failed(error),
    };
    let sources = settings.sources.clone();
    let per_host = settings.fetch.per_host;
    let mut desk = match Desk::start(folder, settings, clock::system(), Box::new(|_| ())) {
        Ok(desk) => desk,
        Err(error) => return Exit::from(&error).failed(error),
    };
    if desk.unrecorded.load(Ordering::Relaxed) {
        return Exit::Io.failed(format!(
            "the disk of {} has too little room (at least {} MB stay free), so feeds.toml is not in force: make room, then \
             do it again; nothing is lost",
            desk.settings.load().store.display(),
            crate::journal::WIRE_RESERVE >> 20
        ));
    }
    let bar = super::probe::bar(sources.len() as u64, "sources");
    let told = {
        let bar = bar.clone();
        Arc::new(move |_: &Round| bar.inc(1))
    };
    let rounds = runtime.block_on(schedule::once(&desk.poller, &sources, per_host, options.all, told));
    bar.finish_and_clear();
    let rounds = match rounds {
        Ok(rounds) => rounds,
        Err(error) => return Exit::Io.failed(format!("no thread for polling: {error}")),
    };
    if let Err(error) = desk.settle() {
        return Exit::from(&error).failed(error);
    }
    let written = options.output.map(|folder| {
        let bar = super::probe::spinner("the site is written");
        let written = runtime.block_on(site::write(&desk, folder));
        bar.finish_and_clear();
        written
    });
    desk.stop();
    let said = say::out(report(&rounds, sources.len(), &desk, options.json), Exit::Fine);
    match written {
        Some(Err(error @ SiteError::Io { .. })) => Exit::CannotCreate.failed(error),
        Some(Err(error)) => Exit::Io.failed(error),
        Some(Ok(Written { files, changed, removed })) => {
            eprintln!("{files} files of the site, {changed} new or changed, {removed} removed");
            said
        }
        None => said,
    }
}

fn report(rounds: &[Round], sources: usize, desk: &Desk, json: bool) -> String {
    let meta = desk.store.view().meta().clone();
    if json {
        let rounds: Vec<_> = rounds
            .iter()
            .map(|round| {
                json!({
                    "source": round.source.as_str(),
                    "state": round.state.word(),
                    "sentence": round.sentence,
                    "reason": desk.poller.book(&round.source).map(|book| book.reason).unwrap_or_default(),
                    "status": round.status,
                    "listed": round.listed,
                    "filed": round.filed,
                    "failed": round.failed(),
                    "complaints": round.complaints,
                })
            })
            .collect();
        return format!("{}\n", json!({ "rounds": rounds, "stories": meta.stories, "copies": meta.copies }));
    }
    let filed: u32 = rounds.iter().map(|round| round.filed).sum();
    let quiet = rounds.iter().filter(|r| matches!(r.outcome, Outcome::NotModified | Outcome::Unchanged)).count();
    let failed: Vec<_> = rounds.iter().filter(|round| round.failed()).collect();
    // A source that answered and gave nothing, or less than is expected of it, is as worth a look as one that failed.
    let silent: Vec<_> = rounds.iter().filter(|round| !round.failed() && round.state == State::Silent).collect();
    let hushed = if silent.is_empty() { String::new() } else { format!(", {} silent", silent.len()) };
    let rest = if rounds.len() < sources { " (the rest is not due; --all asks all)" } else { "" };
    let mut text = format!(
        "{} of {sources} sources asked{rest}: {filed} items new or changed, {quiet} unchanged, {} failed{hushed}; {} stories of {} copies\n",
        rounds.len(),
        failed.len(),
        meta.stories - meta.retired,
        meta.copies
    );
    for round in failed {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {}: {}", round.source, round.sentence);
    }
    for round in silent {
        let reason = desk.poller.book(&round.source).map(|book| book.reason).unwrap_or_default();
        let wrong = round.complaints.first().map(|complaint| format!("; {complaint}")).unwrap_or_default();
        let _ = writeln!(text, "  {}: silent: {reason}{wrong}", round.source);
    }
    text
}
