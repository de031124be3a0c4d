//! `citydesk export`: the archive as JSON Lines or CSV, the sources as OPML.

use std::io::Write as _;
use std::path::Path;

use super::exit::Exit;
use super::{locate, say};
use crate::app::export::{self, Form};
use crate::model::edition::EditionId;
use crate::place::Gazetteer;
use crate::press;
use crate::render::opml;

/// Writes the archive to stdout, asking the running daemon if there is one.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path, format: &str) -> Exit {
    if format == "opml" {
        return sources(config);
    }
    let Some(form) = Form::parse(format) else {
        return Exit::Usage.failed(format!("no format `{format}`: jsonl, csv or opml"));
    };
    let store = match locate::store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let stdout = std::io::stdout();
    let mut closed = false;
    let take = |piece: &[u8]| {
        let written = stdout.lock().write_all(piece);
        closed = written.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe);
        written
    };
    let target = format!("/export?format={format}");
    let done = locate::ask_or_open(runtime, &store, &target, take, |folder| {
        let gazetteer = locate::gazetteer(config);
        let mut out = std::io::BufWriter::new(stdout.lock());
        let written = export::write(&folder.store, &gazetteer, form, &mut out).and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Exit::Io.failed(error)),
            _ => Ok(()),
        }
    });
    match done {
        Err(exit) if !closed => exit,
        // Whoever read has enough, as `head` does.
        _ => Exit::Fine,
    }
}

/// The sources of feeds.toml as OPML 2.0: their own feed, or ours of what has none or must not be told.
fn sources(config: &Path) -> Exit {
    let loaded = match locate::load(config) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let settings = loaded.settings;
    let gazetteer = Gazetteer::build(&settings.cities).unwrap_or_else(|_| Gazetteer::builtin());
    let outlines = settings.sources.iter().map(|source| {
        let ours = || {
            let path = press::feed(&EditionId::Source(source.id().clone()), "rss", &gazetteer);
            format!("{}{path}", settings.site.public_url)
        };
        // The recorded address and not the one that is asked: nothing secret stands in it.
        opml::Outline::feed(&source.rules.name, source.rules.feed.clone().unwrap_or_else(ours), None)
    });
    let outlines: Vec<_> = outlines.collect();
    let document = opml::render(&settings.site.title, None, &outlines);
    say::out(String::from_utf8_lossy(&document), Exit::Fine)
}
