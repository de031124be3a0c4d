//! `citydesk import FILE`: the feeds of an OPML list as `[[source]]` blocks, to paste or append to feeds.toml.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::exit::Exit;
use super::{locate, name, say};
use crate::config::Block;
use crate::normalise::canonical;
use crate::parse;

/// Prints the blocks. Feeds that feeds.toml has already are left out and told.
#[must_use]
pub fn run(config: &Path, file: &Path) -> Exit {
    let body = match std::fs::read(file) {
        Ok(body) => body,
        Err(error) => return Exit::Data.failed(format!("{} cannot be read: {error}", file.display())),
    };
    let list = match parse::opml(&body) {
        Ok(list) => list,
        Err(error) => return Exit::Data.failed(format!("{}: {error}", file.display())),
    };
    let (mut ids, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    if config.exists() {
        match locate::load(config) {
            Ok(loaded) => {
                for source in &loaded.settings.sources {
                    ids.insert(source.id().as_str().to_owned());
                    addresses.insert(canonical(source.kind.address()));
                }
            }
            Err(exit) => return exit,
        }
    }
    let mut out = String::new();
    let (mut new, mut known) = (0, 0);
    for feed in &list.feeds {
        if !addresses.insert(canonical(&feed.feed)) {
            known += 1;
            continue;
        }
        new += 1;
        let block = Block::default()
            .text("id", &id(&feed.feed, &mut ids))
            .maybe("name", feed.name.as_deref())
            .text("feed", &feed.feed)
            .texts("tags", &feed.folders);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}", block.into_text());
    }
    for complaint in &list.complaints {
        eprintln!("{complaint}");
    }
    eprintln!(
        "{new} sources to paste into {}; {known} are known already, {} left out",
        config.display(),
        list.complaints.len()
    );
    say::out(out, Exit::Fine)
}

/// An id made of the host, that nobody has yet.
fn id(address: &str, taken: &mut BTreeSet<String>) -> String {
    let host = url::Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let found = name::free(&host, "", |id| taken.contains(id));
    taken.insert(found.clone());
    found
}
