//! `citydesk try TARGET`: what citydesk would make of an address, a file or a source of feeds.toml, and what a query would
//! match in the store. Files nothing.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::account::Field;
use super::exit::Exit;
use super::probe::{self, Probe, Wish};
use super::{locate, say};
use crate::app::preview::{self, Preview};
use crate::app::rules;
use crate::clock;
use crate::desk;
use crate::fetch::{Fetcher, user_agent};
use crate::model::place::Places;
use crate::model::setting::Settings;
use crate::model::time::Time;
use crate::place::Gazetteer;
use crate::poll::parsers::Parsers;

/// Items shown to people; `--json` has all.
const SHOWN: usize = 10;

/// Characters of a value shown to people.
const VALUE: usize = 100;

/// Articles fetched, of a source that wants them.
const ARTICLES: usize = 3;

/// Asks, reads, judges and shows.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, path: &Path, target: &str, json: bool) -> Exit {
    let config = if path.exists() { crate::config::load(path) } else { crate::config::load_text(path, String::new()) };
    let settings = match config {
        Ok(loaded) => loaded.settings,
        Err(failed) => {
            for problem in &failed.problems {
                eprintln!("{}", problem.line());
            }
            return Exit::Config.failed("feeds.toml cannot be used: `citydesk check` shows more");
        }
    };
    let known = settings.sources.iter().find(|source| source.id().as_str() == target).cloned();
    let wish = Wish { articles: ARTICLES, account: true, open: known.is_none() };
    let source = match known.map_or_else(|| probe::bare(target, &settings.site.zone).map(Arc::new), Ok) {
        Ok(source) => source,
        Err(error) if is_address(target) => {
            return Exit::Data
                .failed(format!("`{target}` is no source id, no address and no file that can be read ({error})"));
        }
        Err(_) => return query(runtime, &settings, target, json),
    };
    let clock = clock::system();
    let fetcher = match Fetcher::new(&settings.fetch, user_agent(&settings.site), clock.clone()) {
        Ok(fetcher) => fetcher,
        Err(error) => return Exit::Config.failed(error),
    };
    let rules = rules(&settings);
    let parsers = match Parsers::new(1) {
        Ok(parsers) => parsers,
        Err(error) => return Exit::Unavailable.failed(format!("no thread to read on: {error}")),
    };
    let probe = match runtime.block_on(probe::ask(&source, &fetcher, &parsers, &rules, &clock, wish)) {
        Ok(probe) => probe,
        Err(error) => return Exit::Unavailable.failed(format!("{}: {error}", source.kind.address())),
    };
    // Files are read one by one, and what none of them can be read as is said in the complaints.
    let exit = if probe.document.format.is_empty() { Exit::Data } else { Exit::Fine };
    if json { say::out(format!("{}\n", machine(&probe)), exit) } else { say::out(people(&probe), exit) }
}

/// Whether it can only be meant as an address or a path.
fn is_address(target: &str) -> bool {
    let path = target.contains('/') && !target.contains(char::is_whitespace) && !target.contains('"');
    path || Path::new(target).exists()
}

/// What a query would match in the store, asking the running daemon if there is one.
fn query(runtime: &tokio::runtime::Runtime, settings: &Settings, text: &str, json: bool) -> Exit {
    let gazetteer = Gazetteer::build(&settings.cities).unwrap_or_else(|_| Gazetteer::builtin());
    let wrong = match desk::rules::compile(text, &gazetteer) {
        Ok((_, unresolved)) => unresolved.into_iter().next(),
        Err(error) => Some(error),
    };
    if let Some(error) = wrong {
        // The query stands under the message, so that the column can be seen and not only counted.
        let mark = " ".repeat(width(text, error.column));
        return Exit::Data.failed(format!("in the query, {error}\n  {text}\n  {mark}^"));
    }
    // A mistyped source id or file is a query, too.
    let bare = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let nothing = || {
        let why = format!("`{text}` is no source id, no address and no file, and as a query it matches nothing");
        Exit::Data.failed(why)
    };
    if bare && !settings.store.exists() {
        return nothing();
    }
    let target = format!("/try?q={}", utf8_percent_encode(text, NON_ALPHANUMERIC));
    let mut bytes = Vec::new();
    let mut own = None;
    let done = locate::ask_or_open(
        runtime,
        &settings.store,
        &target,
        |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        },
        |folder| {
            let seen = preview::collect(&folder.store, &folder.journal, text, clock::system()());
            own = Some(seen.map_err(|error| Exit::Data.failed(error))?);
            Ok(())
        },
    );
    if let Err(exit) = done {
        return exit;
    }
    let seen: Preview = match own.map_or_else(|| serde_json::from_slice(&bytes), Ok) {
        Ok(seen) => seen,
        Err(error) => {
            return Exit::Unavailable.failed(format!("the running citydesk answers in another version: {error}"));
        }
    };
    if seen.hits == 0 && bare {
        return nothing();
    }
    if json {
        say::out(serde_json::to_string_pretty(&seen).unwrap_or_default() + "\n", Exit::Fine)
    } else {
        say::out(seen, Exit::Fine)
    }
}

/// Columns on a terminal before the character at `column`: an ideograph takes two.
fn width(text: &str, column: usize) -> usize {
    text.chars().take(column.saturating_sub(1)).map(|c| if c as u32 >= 0x2e80 { 2 } else { 1 }).sum()
}

/// Evidence in words.
fn list<T: ToString>(evidence: &[T]) -> Vec<String> {
    evidence.iter().map(ToString::to_string).collect()
}

fn places(places: &Places) -> String {
    let names: Vec<_> = places.cities.iter().chain(&places.provinces).map(|placed| placed.name.as_str()).collect();
    if names.is_empty() { "no place".to_owned() } else { names.join(" ") }
}

fn people(probe: &Probe) -> String {
    let mut out = String::new();
    let document = &probe.document;
    // Writing to a String cannot fail.
    let _ = writeln!(out, "address   {}", probe.url);
    if !document.format.is_empty() {
        let _ = writeln!(out, "read as   {} ({})", document.format, probe.path());
        let _ = writeln!(out, "charset   {}", document.charset);
    }
    if let Some(title) = &document.title {
        let _ = writeln!(out, "title     {title}");
    }
    let _ = writeln!(out, "items     {}", probe.items.len());
    for article in &probe.articles {
        let _ = writeln!(out, "article   {article}");
    }
    for complaint in &document.complaints {
        let _ = writeln!(out, "complaint {complaint}");
    }
    for (at, (item, found)) in probe.items.iter().take(SHOWN).enumerate() {
        let _ = writeln!(out, "\n{}", item.title);
        for field in probe.accounts.get(at).into_iter().flatten() {
            tell(&mut out, field);
        }
        let _ = writeln!(out, "  {:<10} {}", "places", places(found));
        for placed in &found.cities {
            let _ = writeln!(out, "    {} {}: {}", placed.name, placed.score, list(&placed.evidence).join("; "));
        }
        for hand in &item.hands {
            let _ = writeln!(out, "  {:<10} {} ({})", hand.role.word(), hand.name, hand.place);
        }
        if let Some(former) = &item.former {
            let _ = writeln!(out, "  {:<10} {former}", "before");
        }
        for complaint in &item.complaints {
            let _ = writeln!(out, "  complaint  {complaint}");
        }
    }
    if probe.items.len() > SHOWN {
        let _ = writeln!(out, "\n… and {} more (--json shows all)", probe.items.len() - SHOWN);
    }
    out
}

/// A field in two lines: what it is, and where it came from.
fn tell(out: &mut String, field: &Field) {
    let line: String = field.value.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().take(VALUE).collect();
    let length = line.chars().count();
    if length > VALUE {
        let _ = write!(shown, "… ({length} characters)");
    }
    let done = field.done.iter().map(|done| format!("; {done}")).collect::<String>();
    let _ = writeln!(out, "  {:<10} {}", field.name, if shown.is_empty() { "-" } else { &shown });
    let _ = writeln!(out, "  {:<10} from {}{done}", "", field.from);
}

fn rfc3339(at: Time, offset: i16) -> String {
    at.at_offset(offset).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn machine(probe: &Probe) -> serde_json::Value {
    let items = probe.items.iter().enumerate().map(|(at, (item, found))| {
        let fields = probe.accounts.get(at).into_iter().flatten();
        let fields = fields.map(|field| {
            (field.name.to_owned(), json!({ "value": field.value, "from": field.from, "done": field.done }))
        });
        json!({
            "fields": fields.collect::<serde_json::Map<_, _>>(),
            "html": item.html,
            "text": item.text,
            "image": item.image,
            "language": item.language,
            "canonical": item.canonical,
            "key": item.key.0,
            "title": item.title,
            "link": item.link,
            "published": item.published.as_ref().map(|claim| rfc3339(claim.at, claim.offset)),
            "date_method": item.published.as_ref().map(|claim| claim.method.as_str()),
            "summary": item.summary,
            "authors": item.authors,
            "tags": item.tags,
            "credits": item.credits.iter().map(|credit| json!({ "name": credit.name, "place": credit.place })).collect::<Vec<_>>(),
            "hands": item.hands.iter().map(|hand| json!({
                "name": hand.name, "role": hand.role.word(), "place": hand.place,
            })).collect::<Vec<_>>(),
            "former": item.former,
            "cities": found.cities.iter().map(|placed| json!({
                "code": placed.code.to_string(), "name": placed.name,
                "score": f64::from(placed.score) / 1000.0, "evidence": list(&placed.evidence),
            })).collect::<Vec<_>>(),
            "provinces": found.provinces.iter().map(|placed| placed.code.to_string()).collect::<Vec<_>>(),
            "dropped": list(&found.dropped),
            "complaints": item.complaints,
        })
    });
    json!({
        "url": probe.url,
        "status": probe.status,
        "kind": probe.kind,
        "read": probe.path(),
        "format": probe.document.format,
        "charset": probe.document.charset,
        "title": probe.document.title,
        "articles": probe.articles,
        "complaints": probe.document.complaints,
        "items": items.collect::<Vec<_>>(),
    })
}
