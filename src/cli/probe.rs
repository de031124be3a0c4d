//! Asking a source without filing anything: what `try` shows whole and `check` in a line.

use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::clock::Clock;
use crate::desk::Rules;
use crate::fetch::{Ask, Fetcher};
use crate::model::item::{Document, Item};
use crate::model::place::Places;
use crate::model::source::{Kind, Source};
use crate::model::time::Time;
use crate::normalise::{self, Siblings};
use crate::parse::{self, Fetched};
use crate::place::Look;

/// Largest file read, in bytes.
const FILE: u64 = 64 << 20;

/// A progress bar on stderr: nothing unless it is a terminal, and nothing in the first two seconds.
#[must_use]
pub fn bar(length: u64, what: &str) -> ProgressBar {
    hushed(ProgressBar::new(length), &format!("{{bar:30}} {{pos}}/{{len}} {what} {{eta}}"))
}

/// A counter without an end in sight.
#[must_use]
pub fn spinner(what: &str) -> ProgressBar {
    hushed(ProgressBar::no_length(), &format!("{{spinner}} {{pos}} {what} {{elapsed}}"))
}

fn hushed(bar: ProgressBar, template: &str) -> ProgressBar {
    if std::env::var_os("CITYDESK_NO_PROGRESS").is_some() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What a source gave, and what we would make of it.
#[derive(Debug, Default)]
pub struct Probe {
    /// HTTP status; 0 for files.
    pub status: u16,
    /// Final address.
    pub url: String,
    /// The document.
    pub document: Document,
    /// Its items, clean, with the places we would give them.
    pub items: Vec<(Item, Places)>,
    /// Milliseconds it took.
    pub took: i64,
}

/// Asks a source once, unconditionally, and reads what comes.
///
/// # Errors
/// A sentence: what failed and what to do.
pub async fn ask(source: &Source, fetcher: &Fetcher, rules: &Rules, clock: &Clock) -> Result<Probe, String> {
    let started = clock();
    if let Kind::Files(pattern) = &source.kind {
        return files(source, pattern, rules, started);
    }
    let asked = Ask {
        url: source.kind.address(),
        headers: &source.headers,
        validators: None,
        timeout: Duration::from_millis(source.timeout.max(1).unsigned_abs()),
        proxy: source.proxy.as_deref(),
        ca: source.ca.as_deref(),
        post: match &source.kind {
            Kind::Api { post, .. } if !post.is_empty() => Some(post),
            _ => None,
        },
    };
    let answer = fetcher.get(asked).await.map_err(|error| error.to_string())?;
    if !(200..300).contains(&answer.status) {
        return Err(format!("the site answers {}", answer.status));
    }
    let now = clock();
    let mut probe = read(source, &answer.body, answer.content_type.as_deref(), &answer.url, rules, now)?;
    (probe.status, probe.took) = (answer.status, now.since(started));
    Ok(probe)
}

fn files(source: &Source, pattern: &str, rules: &Rules, at: Time) -> Result<Probe, String> {
    let found = crate::poll::folder::read(pattern, FILE)?;
    let mut all = Probe::default();
    for sheet in found.sheets {
        let name = sheet.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match read(source, &sheet.body, None, &format!("file:///{name}"), rules, at) {
            Ok(one) => {
                all.items.extend(one.items);
                let complaints = std::mem::take(&mut all.document.complaints);
                all.document = one.document;
                all.document.complaints.splice(0..0, complaints);
            }
            Err(error) => all.document.complaints.push(format!("{name}: {error}")),
        }
    }
    pattern.clone_into(&mut all.url);
    Ok(all)
}

/// Reads a document that is at hand.
///
/// # Errors
/// Why it cannot be read.
pub fn read(
    source: &Source,
    body: &[u8],
    content_type: Option<&str>,
    url: &str,
    rules: &Rules,
    at: Time,
) -> Result<Probe, String> {
    let document = guarded(source, &Fetched { body, content_type, url, at })?;
    let siblings = Siblings::of(&document);
    let identities = normalise::identities(&document, source, url);
    let items = document.items.iter().zip(identities).map(|(raw, (key, hash))| {
        let item = normalise::item(raw, key, hash, source, url, at, &siblings);
        let places = rules.placer().place(&Look {
            title: &item.title,
            text: &item.text,
            tags: &item.tags,
            credits: &item.credits,
            prior: &source.rules.cities,
            link: &item.link,
        });
        (item, places)
    });
    let items = items.collect();
    Ok(Probe { status: 0, url: url.to_owned(), document, items, took: 0 })
}

/// Parses on a thread with a stack for deep documents, so that a hostile one cannot take the command down.
fn guarded(source: &Source, fetched: &Fetched<'_>) -> Result<Document, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(16 << 20);
        let parsing = thread.spawn_scoped(scope, || parse::parse(source, fetched));
        match parsing.map_err(|error| error.to_string())?.join() {
            Ok(parsed) => parsed.map_err(|error| error.to_string()),
            Err(_) => Err("the parser gave up on this document".to_owned()),
        }
    })
}

/// A source for a bare address or file, with nothing known of it.
///
/// # Errors
/// What is wrong with the address.
pub fn bare(target: &str, zone: &str) -> Result<Source, String> {
    let (key, value) = if target.starts_with("http://") || target.starts_with("https://") {
        ("feed", target.to_owned())
    } else {
        let path = std::fs::canonicalize(target).map_err(|error| format!("{target}: {error}"))?;
        ("files", glob::Pattern::escape(&path.to_string_lossy()))
    };
    let text = format!("[defaults]\nzone = {zone:?}\n[[source]]\nid = \"try\"\n{key} = {value:?}\n");
    let loaded = crate::config::load_text(Path::new("feeds.toml"), text)
        .map_err(|failed| failed.problems.first().map(|p| p.message.clone()).unwrap_or_default())?;
    loaded.settings.sources.into_iter().next().ok_or_else(|| "no source".to_owned())
}
