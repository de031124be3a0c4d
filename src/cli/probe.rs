//! Asking a source without filing anything: what `try` shows whole and `check` in a line.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::account::{Field, Known, account};
use crate::clock::Clock;
use crate::desk::Rules;
use crate::fetch::{Ask, Fetcher, Obedience, robots};
use crate::model::item::{Document, Item};
use crate::model::place::Places;
use crate::model::source::{Kind, Source};
use crate::model::time::Time;
use crate::normalise::{self, Siblings};
use crate::parse::{self, Fetched};
use crate::place::Look;
use crate::poll::draft::{self, Sheet};
use crate::poll::lead;
use crate::poll::parsers::Parsers;
use crate::poll::reach::Reach;

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

/// What is wanted of a probe.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// So many articles, of a source that wants them.
    pub articles: usize,
    /// An account of each item.
    pub account: bool,
    /// What is no feed may be a sitemap or a list page: nothing is known of the address but itself.
    pub open: bool,
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
    /// Where each item's fields came from, if that was wanted; in the order of the items.
    pub accounts: Vec<Vec<Field>>,
    /// What it was read as: the key of feeds.toml.
    pub kind: &'static str,
    /// What came of the articles that were asked for, a sentence each.
    pub articles: Vec<String>,
    /// Milliseconds it took.
    pub took: i64,
}

impl Probe {
    /// As what it was read, and by which of the readers.
    #[must_use]
    pub fn path(&self) -> String {
        let complaints = &self.document.complaints;
        let other = ["read by the tolerant parser", "read by feed-rs alone"];
        let read = match self.kind {
            "page" => "by its structure",
            "api" => "by paths",
            "sitemap" => "as a sitemap",
            _ if self.document.format.starts_with("JSON") => "as JSON",
            _ if complaints.iter().any(|complaint| complaint.contains(other[0])) => "by the tolerant parser alone",
            _ if complaints.iter().any(|complaint| complaint.contains(other[1])) => "by feed-rs alone",
            _ => "by feed-rs and the tolerant parser",
        };
        format!("`{}`, {read}", self.kind)
    }
}

/// Asks a source once, unconditionally, and reads what comes, child sitemaps and the articles of the first few items
/// included. The validators of a desk would not do: they answer for the block as it was when its answer was read, and "not
/// modified" says nothing of whether a selector that was just changed finds the list, nor whether the server tells the truth.
///
/// # Errors
/// A sentence: what failed and what to do.
pub async fn ask(
    source: &Source,
    fetcher: &Fetcher,
    parsers: &Parsers,
    rules: &Rules,
    clock: &Clock,
    wish: Wish,
) -> Result<Probe, String> {
    let started = clock();
    if let Kind::Files(pattern) = &source.kind {
        return files(source, pattern, rules, started, wish);
    }
    let asked = Ask {
        url: source.kind.address(),
        headers: &source.how.headers,
        validators: None,
        timeout: Duration::from_millis(source.timeout.max(1).unsigned_abs()),
        proxy: source.how.proxy.as_deref(),
        ca: source.how.ca.as_deref(),
        post: match &source.kind {
            Kind::Api { post, .. } if !post.is_empty() => Some(post),
            _ => None,
        },
        robots: match &source.kind {
            Kind::Page { .. } | Kind::Sitemap(_) => Obedience::Obey,
            _ => Obedience::Free,
        },
        seat: None,
    };
    let answer = fetcher.get(asked).await.map_err(|error| error.to_string())?;
    if !(200..300).contains(&answer.status) {
        return Err(format!("the site answers {}", answer.status));
    }
    let now = clock();
    let (status, took, url) = (answer.status, now.since(started), answer.url.clone());
    let sheet = Sheet { url: answer.url, body: answer.body, content_type: answer.content_type };
    let mut source = source.clone();
    let mut others = if wish.open { others(&source) } else { Vec::new() }.into_iter();
    let mut refused = None;
    let mut read = loop {
        let (wanted, one) = (source.clone(), sheet.clone());
        let read = parsers.run(move || draft::read(&wanted, &[one], now)).await.map_err(|error| error.to_string())?;
        let guessed = wish.open && matches!(source.kind, Kind::Page { .. });
        match (read, others.next()) {
            (Ok(read), _) if !guessed || read.documents.iter().any(|(_, it)| !it.items.is_empty()) => break read,
            (read, Some(kind)) => {
                // What the first reading says is what the address most looks like.
                refused = refused.or_else(|| read.err().map(|error| error.to_string()));
                source.kind = kind;
            }
            (Err(error), None) => return Err(refused.unwrap_or_else(|| error.to_string())),
            (Ok(_), None) => return Err(refused.unwrap_or_else(|| "no list of articles was found on it".to_owned())),
        }
    };
    let source = &source;
    let robots = Obedience::Obey;
    if wish.open && matches!(source.kind, Kind::Page { .. } | Kind::Sitemap(_)) {
        // It was asked for by hand, as if it were a feed; as this it would not be polled.
        let asked = Ask { robots, ..Ask::new(&url, robots::TIMEOUT) };
        if let Err(error) = fetcher.may_read(asked).await {
            read.complaints.insert(0, format!("it would not be polled: {error}"));
        }
    }
    let reach =
        Reach { fetcher: Arc::new(fetcher.clone()), parsers, source: Arc::new(source.clone()), robots, seat: None };
    if read.documents.iter().any(|(_, document)| !document.children.is_empty()) {
        lead::children(&reach, &mut read, now).await.map_err(|error| error.to_string())?;
    }
    let mut probe = Probe { status, url, took, kind: source.kind.name(), ..Probe::default() };
    for (at, (url, mut document)) in read.documents.into_iter().enumerate() {
        let places = if wish.account && at == 0 {
            parse::trace(source, &sheet.fetched(now), &document.items)
        } else {
            vec![parse::Places::new(); document.items.len()]
        };
        let language = document.language.clone();
        let identities = normalise::identities(&document, source, &url);
        let siblings = Siblings::of(&document);
        let items = std::mem::take(&mut document.items).into_iter().zip(identities).zip(places);
        for ((mut raw, (key, hash)), places) in items {
            let listed = raw.clone();
            let mut item = normalise::item(&raw, key, hash, source, &url, now, &siblings);
            let how = draft::article_of(source, &raw)
                .filter(|_| probe.articles.len() < wish.articles && !item.link.is_empty());
            if let Some(how) = how {
                let told = match reach.article(&how, &item.link, now).await {
                    Ok(article) => {
                        let told = article.complaints.join("; ");
                        article.complete(&mut raw, &item.link);
                        item = normalise::item(&raw, item.key, item.hash, source, &url, now, &siblings);
                        let length = item.text.chars().count();
                        if told.is_empty() { format!("{length} characters of text") } else { told }
                    }
                    Err(error) => error.to_string(),
                };
                probe.articles.push(format!("{}: {told}", item.link));
            }
            if wish.account {
                let language = language.as_deref();
                let known = Known { source, listed: &listed, raw: &raw, places: &places, language, item: &item };
                probe.accounts.push(account(&known));
            }
            let places = placed(&item, source, rules);
            probe.items.push((item, places));
        }
        if probe.document.format.is_empty() || (probe.document.title.is_none() && document.title.is_some()) {
            let complaints = std::mem::take(&mut probe.document.complaints);
            document.complaints.splice(0..0, complaints);
            if !probe.document.format.is_empty() {
                document.format = std::mem::take(&mut probe.document.format);
            }
            probe.document = document;
        } else {
            probe.document.complaints.append(&mut document.complaints);
        }
    }
    probe.document.complaints.splice(0..0, read.complaints);
    Ok(probe)
}

/// What an address may be that is no feed.
fn others(source: &Source) -> Vec<Kind> {
    let url = source.kind.address().to_owned();
    vec![Kind::Sitemap(url.clone()), Kind::Page { url, list: Vec::new(), links: None }]
}

fn placed(item: &Item, source: &Source, rules: &Rules) -> Places {
    rules.placer().place(&Look {
        title: &item.title,
        text: &item.text,
        tags: &item.tags,
        credits: &item.credits,
        prior: &source.rules.cities,
        link: &item.link,
    })
}

fn files(source: &Source, pattern: &str, rules: &Rules, at: Time, wish: Wish) -> Result<Probe, String> {
    let found = crate::poll::folder::read(pattern, FILE)?;
    let mut all = Probe { kind: source.kind.name(), ..Probe::default() };
    for sheet in found.sheets {
        let name = sheet.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let url = format!("file:///{name}");
        let mut one = read(source, &sheet.body, None, &url, rules, at, wish);
        if wish.open && one.is_err() {
            let others = others(source).into_iter().map(|kind| Source { kind, ..source.clone() });
            let other = others.map(|source| read(&source, &sheet.body, None, &url, rules, at, wish));
            let found = other.into_iter().flatten().find(|one| !one.items.is_empty());
            one = found.map_or(one, Ok);
        }
        match one {
            Ok(one) => {
                all.kind = one.kind;
                all.items.extend(one.items);
                all.accounts.extend(one.accounts);
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
    wish: Wish,
) -> Result<Probe, String> {
    let fetched = Fetched { body, content_type, url, at };
    let document = guarded(source, &fetched)?;
    let siblings = Siblings::of(&document);
    let identities = normalise::identities(&document, source, url);
    let items = document.items.iter().zip(identities).map(|(raw, (key, hash))| {
        let item = normalise::item(raw, key, hash, source, url, at, &siblings);
        let places = placed(&item, source, rules);
        (item, places)
    });
    let items: Vec<(Item, Places)> = items.collect();
    let mut accounts = Vec::new();
    if wish.account {
        let places = parse::trace(source, &fetched, &document.items);
        for ((raw, places), (item, _)) in document.items.iter().zip(&places).zip(&items) {
            let language = document.language.as_deref();
            accounts.push(account(&Known { source, listed: raw, raw, places, language, item }));
        }
    }
    Ok(Probe { url: url.to_owned(), document, items, accounts, kind: source.kind.name(), ..Probe::default() })
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
    let source = loaded.settings.sources.into_iter().next().ok_or_else(|| "no source".to_owned())?;
    Ok(Arc::unwrap_or_clone(source))
}
