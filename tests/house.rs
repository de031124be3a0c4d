//! The plan of the house, kept by a test: which room may import which, which crates a room keeps to itself, and what
//! nobody does. It checks directions, never sizes. A failure names file and line and says what to do.
//!
//! The tables below *are* the rules: a change of the plan is a change of a table, in the open.

#![allow(clippy::unwrap_used, reason = "a test that cannot read the sources should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `src/`, lowest first: a room may import what its row names. `*` stands for every row above it.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("clock", &["model"]),
    ("failpoint", &[]),
    ("query", &["model"]),
    ("place", &["model"]),
    ("parse", &["model"]),
    ("normalise", &["model"]),
    ("render", &["model"]),
    ("websub", &["model"]),
    ("desk", &["model", "place", "query"]),
    ("config", &["model", "query", "place", "parse"]),
    ("fetch", &["model", "clock"]),
    ("journal", &["model", "failpoint"]),
    ("store", &["model", "failpoint"]),
    ("search", &["model", "query"]),
    ("press", &["model", "store", "render", "place"]),
    ("hub", &["model", "press", "store", "fetch", "render", "websub", "clock"]),
    ("serve", &["model", "press", "store", "query", "search", "place", "render", "websub", "clock"]),
    ("alert", &["model", "query"]),
    ("poll", &["model", "fetch", "parse", "normalise", "journal", "store", "query", "websub", "clock"]),
    ("schedule", &["model", "fetch", "parse", "normalise", "journal", "store", "websub", "poll", "clock"]),
    ("editor", &["model", "desk", "store", "journal", "place", "query", "clock", "failpoint"]),
    ("control", &["*"]),
    ("app", &["*"]),
    ("cli", &["*"]),
    ("main", &["cli"]),
];

/// Pure rooms: values in, values out.
const PURE: &[&str] = &["model", "query", "place", "parse", "normalise", "render", "websub", "desk"];

/// What pure rooms never name: IO, time, tasks, logging.
const NOT_PURE: &[&str] = &[
    "tokio",
    "hyper",
    "hyper_util",
    "http_body_util",
    "tracing",
    "std::fs",
    "std::process",
    "std::env",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Crates (or parts of crates) that only these rooms name, so that each can be changed in one place.
const KEPT: &[(&str, &[&str])] = &[
    ("sled", &["store"]),
    ("tantivy", &["search"]),
    ("feed_rs", &["parse"]),
    ("dom_query", &["parse"]),
    ("dom_smoothie", &["parse"]),
    ("chardetng", &["parse"]),
    ("ammonia", &["normalise"]),
    ("aho_corasick", &["place", "query"]),
    ("similar", &["model"]),
    ("rss", &["render"]),
    ("quick_xml", &["parse", "render"]),
    ("web_atoms", &["model"]), // the table of character references, which parse and normalise share
    ("toml", &["config"]),
    ("toml_edit", &["config"]),
    ("annotate_snippets", &["config"]),
    ("ring", &["websub", "hub", "poll"]), // signatures, and what nobody may guess
    ("rustls", &["fetch"]),
    ("tokio_rustls", &["fetch"]),
    ("robotxt", &["fetch"]),
    ("hyper::client", &["fetch", "control", "cli"]),
    ("hyper_util::client", &["fetch", "control"]),
    ("hyper::server", &["serve", "control", "cli"]),
    ("hyper_util::server", &["serve", "control", "cli"]),
    ("askama", &["serve"]),
    ("notify", &["config"]),
    ("clap", &["cli", "main"]),
    ("indicatif", &["cli"]),
];

/// Names that say nothing: a file called so is probably two things with better names.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "manager", "managers", "common", "misc", "shared"];

/// One path as written in the source (`crate::store::Store`), with its line.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    line: usize,
    path: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Colons,
    Mark(char),
}

/// Source text without comments, strings, character literals and `#[cfg(test)] mod … { }`; lines stay where they are.
fn bare(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let blank = |out: &mut String, c: char| out.push(if c == '\n' { '\n' } else { ' ' });
    while at < chars.len() {
        let rest = &chars[at..];
        let word_before = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
        let length = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => comment(rest),
            ['"', ..] => quoted(rest, 1),
            ['b' | 'c', '"', ..] if !word_before => quoted(rest, 2),
            ['r', '"' | '#', ..] if !word_before => raw(rest, 1),
            ['b' | 'c', 'r', '"' | '#', ..] if !word_before => raw(rest, 2),
            ['\'', '\\', ..] => 2 + rest[3..].iter().position(|c| *c == '\'').map_or(1, |end| end + 2),
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        if length == 0 {
            out.push(chars[at]);
            at += 1;
        }
        for c in &chars[at..(at + length).min(chars.len())] {
            blank(&mut out, *c);
        }
        at += length;
    }
    without_tests(&out)
}

/// Length of a block comment, nested ones included.
fn comment(rest: &[char]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length of a string that opens before `from`.
fn quoted(rest: &[char], from: usize) -> usize {
    let mut at = from;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// Length of a raw string whose `r` stands before `from`; 0 for a raw identifier.
fn raw(rest: &[char], from: usize) -> usize {
    let hashes = rest[from..].iter().take_while(|c| **c == '#').count();
    if rest.get(from + hashes) != Some(&'"') {
        return 0;
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let from = from + hashes + 1;
    rest[from..].windows(close.len()).position(|w| w == close).map_or(rest.len(), |end| from + end + close.len())
}

/// Blanks `#[cfg(test)] mod name { … }` (and `#[cfg(all(test, …))]`): tests may name what they like.
fn without_tests(text: &str) -> String {
    let mut out = text.to_owned();
    while let Some(start) = ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|mark| out.find(mark)).min() {
        let open = out[start..].find(['{', ';']).map_or(out.len(), |at| start + at);
        let mut depth = 0_i32;
        let end = out[open..]
            .char_indices()
            .find_map(|(at, c)| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                (depth == 0).then_some(open + at + 1)
            })
            .unwrap_or(out.len());
        let blanked: String = out[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blanked);
    }
    out
}

fn tokens(bare: &str) -> Vec<(usize, Token)> {
    let chars: Vec<char> = bare.chars().collect();
    let (mut at, mut line) = (0, 1);
    let mut out = Vec::new();
    while at < chars.len() {
        let c = chars[at];
        if c.is_alphabetic() || c == '_' {
            let end = at + chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
            out.push((line, Token::Word(chars[at..end].iter().collect())));
            at = end;
            continue;
        }
        line += usize::from(c == '\n');
        if c == ':' && chars.get(at + 1) == Some(&':') {
            out.push((line, Token::Colons));
            at += 2;
            continue;
        }
        if !c.is_whitespace() {
            out.push((line, Token::Mark(c)));
        }
        at += 1;
    }
    out
}

/// Every path of a file, groups (`use crate::{a, b::{c, d}}`) taken apart.
fn named(text: &str) -> Vec<Named> {
    let tokens = tokens(&bare(text));
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Token::Word(_) = &tokens[at].1 else {
            at += 1;
            continue;
        };
        let back = |steps: usize| at.checked_sub(steps).map(|at| &tokens[at].1);
        let before = back(1);
        let inside = match before {
            // `name::x`, `<T>::x`; but `-> ::x` and a bare `::x` begin at a crate.
            Some(Token::Colons) => match back(2) {
                Some(Token::Word(_)) => true,
                Some(Token::Mark('>')) => back(3) != Some(&Token::Mark('-')),
                _ => false,
            },
            Some(Token::Mark('.')) => true,
            _ => false,
        };
        let used = matches!(before, Some(Token::Word(word)) if word == "use");
        let pathy = matches!(tokens.get(at + 1), Some((_, Token::Colons)));
        if inside || !(pathy || used) {
            at += 1;
            continue;
        }
        at = tree(&tokens, at, &[], &mut out);
    }
    out
}

/// Reads one path or use tree from `at`; gives where it ended.
fn tree(tokens: &[(usize, Token)], mut at: usize, stem: &[String], out: &mut Vec<Named>) -> usize {
    let line = tokens.get(at).map_or(0, |(line, _)| *line);
    let mut path = stem.to_vec();
    loop {
        match tokens.get(at).map(|(_, token)| token) {
            Some(Token::Word(word)) => path.push(word.clone()),
            Some(Token::Mark('{')) if !path.is_empty() => {
                at += 1;
                while !matches!(tokens.get(at), None | Some((_, Token::Mark('}')))) {
                    let next = tree(tokens, at, &path, out);
                    at = next.max(at + 1);
                }
                return at + 1;
            }
            _ => break,
        }
        at += 1;
        if !matches!(tokens.get(at), Some((_, Token::Colons))) {
            break;
        }
        at += 1;
    }
    if !path.is_empty() && path.len() > stem.len() {
        out.push(Named { line, path });
    }
    at
}

/// The module a file is: `src/model/item.rs` is `[model, item]`, `src/model/mod.rs` is `[model]`.
fn module(file: &str) -> Vec<String> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    if inner == "lib" { Vec::new() } else { inner.split('/').map(str::to_owned).collect() }
}

/// The room of ours that a path leads to from a file, if it leaves the file's own.
fn room_of<'a>(path: &'a [String], module: &[String]) -> Option<&'a str> {
    let first = path.first()?.as_str();
    match first {
        "crate" | "citydesk" => path.get(1).map(String::as_str),
        "super" => {
            let ups = path.iter().take_while(|word| *word == "super").count();
            (ups == module.len()).then(|| path.get(ups).map(String::as_str)).flatten()
        }
        _ => None,
    }
}

/// Whether `path` begins with the crate or part of a crate `what` (`hyper::client`).
fn begins(path: &[String], what: &str) -> bool {
    let mut words = path.iter();
    what.split("::").all(|part| words.next().is_some_and(|word| word == part))
}

fn may_import(room: &str) -> BTreeSet<&'static str> {
    let row = ROOMS.iter().position(|(name, _)| *name == room);
    let Some(row) = row else { return BTreeSet::new() };
    let mut may = BTreeSet::from([ROOMS[row].0]);
    for import in ROOMS[row].1 {
        match *import {
            "*" => may.extend(ROOMS[..row].iter().map(|(name, _)| *name)),
            import => may.extend([import]),
        }
    }
    may
}

/// What is wrong with one file, as `file:line: sentence`.
fn complaints(file: &str, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let module = module(file);
    let stem = Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if !text.starts_with("//!") {
        out.push(format!("{file}:1: the first line of a file is a `//!` line that says its job in one sentence"));
    }
    if EMPTY_NAMES.contains(&stem.as_str()) {
        out.push(format!("{file}:1: `{stem}` says nothing: it is probably two things with better names"));
    }
    let room = module.first().map_or("lib", String::as_str);
    if room == "lib" || stem == "tests" {
        return out;
    }
    if !ROOMS.iter().any(|(name, _)| *name == room) {
        out.push(format!("{file}:1: the room `{room}` is not in the plan: give it a row in ROOMS (tests/house.rs)"));
        return out;
    }
    let may = may_import(room);
    let is_room = |name: &str| ROOMS.iter().any(|(room, _)| *room == name);
    for Named { line, path } in named(text) {
        let shown = path.join("::");
        if let Some(other) = room_of(&path, &module)
            && is_room(other)
            && !may.contains(other)
        {
            let allowed: Vec<&str> = may.iter().copied().filter(|name| *name != room).collect();
            out.push(format!(
                "{file}:{line}: `{room}` may not import `{other}` ({shown}): it may import {}. \
                 Hand the value in from above, or move the thing where both may see it",
                if allowed.is_empty() { "nothing of ours".to_owned() } else { allowed.join(", ") }
            ));
        }
        if PURE.contains(&room)
            && let Some(what) = NOT_PURE.iter().find(|what| begins(&path, what))
        {
            out.push(format!(
                "{file}:{line}: `{room}` is pure and may not name `{what}` ({shown}): values in, values out; \
                 IO, time, tasks and logging belong to the shell around it"
            ));
        }
        if let Some((what, rooms)) = KEPT.iter().find(|(what, rooms)| begins(&path, what) && !rooms.contains(&room)) {
            out.push(format!("{file}:{line}: `{what}` is named only in {} ({shown}): ask there", rooms.join(" and ")));
        }
        let asks_time = path.last().is_some_and(|word| word == "now")
            && path.iter().any(|word| matches!(word.as_str(), "SystemTime" | "Utc" | "Local"));
        if asks_time && room != "clock" {
            out.push(format!("{file}:{line}: only src/clock.rs asks the time ({shown}): take a Clock, or a Time"));
        }
    }
    out
}

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn every_file_keeps_to_the_plan() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&top.join("src"), &mut files);
    assert!(files.len() > 20, "only {} files found under src/", files.len());
    let mut out = String::new();
    for path in &files {
        let name = path.strip_prefix(top).unwrap().to_string_lossy().replace('\\', "/");
        for complaint in complaints(&name, &fs::read_to_string(path).unwrap()) {
            writeln!(out, "{complaint}").unwrap();
        }
    }
    assert!(out.is_empty(), "the plan of the house is broken:\n{out}");
}

#[test]
fn the_plan_itself_holds_together() {
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    assert_eq!(rooms.len(), ROOMS.len(), "a room has two rows");
    let listed = ROOMS.iter().flat_map(|(_, may)| *may).chain(PURE).chain(KEPT.iter().flat_map(|(_, rooms)| *rooms));
    for name in listed.filter(|name| **name != "*") {
        assert!(rooms.contains_key(name), "`{name}` is no room");
    }
    // Modules of the library and rows of the plan are the same.
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let modules: BTreeSet<&str> = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let planned: BTreeSet<&str> = rooms.keys().copied().filter(|room| *room != "main").collect();
    assert_eq!(modules, planned, "src/lib.rs and ROOMS name different rooms");
    // Nobody imports in a circle.
    for room in rooms.keys() {
        let (mut seen, mut next) = (BTreeSet::new(), vec![*room]);
        while let Some(at) = next.pop() {
            for below in may_import(at).into_iter().filter(|below| *below != at) {
                assert_ne!(below, *room, "`{room}` imports itself by way of `{at}`");
                if seen.insert(below) {
                    next.push(below);
                }
            }
        }
    }
    // The crates named here exist; a renamed dependency would switch its rule off unseen.
    let cargo = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let cargo: toml::Table = cargo.parse().unwrap();
    let dependencies: BTreeSet<String> =
        cargo["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect();
    for (what, _) in KEPT {
        let name = what.split("::").next().unwrap();
        assert!(dependencies.contains(name), "KEPT names `{name}`, which is no dependency in Cargo.toml");
    }
}

/// What stands between marks in Markdown: fenced blocks, targets of links, lines that open a heading.
fn outline(text: &str) -> (Vec<&str>, Vec<&str>, Vec<usize>) {
    let blocks = text.split("```").skip(1).step_by(2).collect();
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    let links = prose.iter().flat_map(|part| part.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    let headings = prose.iter().flat_map(|part| part.lines());
    let headings = headings.map(|line| line.chars().take_while(|c| *c == '#').count()).filter(|depth| *depth > 0);
    (blocks, links.collect(), headings.collect())
}

#[test]
fn both_readmes_show_the_same_and_no_link_is_dead() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(top.join(name)).unwrap();
    let (english, chinese) = (read("README.md"), read("README.zh-CN.md"));
    let ((blocks, links, headings), other) = (outline(&english), outline(&chinese));
    assert!(blocks.len() > 4 && links.len() > 10 && headings.len() > 5);
    assert_eq!(blocks, other.0, "code blocks of the READMEs differ");
    assert_eq!(headings, other.2, "headings of the READMEs differ");
    let rest = |links: &[&str]| -> BTreeSet<String> {
        links.iter().filter(|link| !link.starts_with("README")).map(|link| (*link).to_owned()).collect()
    };
    assert_eq!(rest(&links), rest(&other.1), "links of the READMEs differ");
    for name in ["README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        for link in outline(&read(name)).1 {
            let file = link.split('#').next().unwrap();
            let outside = link.contains("://") || file.is_empty();
            assert!(outside || top.join(file).exists(), "{name} links to {link}, which is not there");
        }
    }
}

#[test]
fn a_broken_plan_is_seen() {
    // (file, text after the first line, part of the one complaint expected; none if it is fine)
    let cases: &[(&str, &str, Option<&str>)] = &[
        ("src/desk/join.rs", "use crate::store::Store;", Some("desk/join.rs:2: `desk` may not import `store`")),
        ("src/desk/join.rs", "use crate::model::item::Item;", None),
        (
            "src/desk/join.rs",
            "use crate::{model::item::Item, query::Query,\n serve::Front};",
            Some(":3: `desk` may not"),
        ),
        ("src/desk/join.rs", "use super::super::store::Store;", Some("`desk` may not import `store`")),
        ("src/desk/mod.rs", "use super::store::Store;", Some("`desk` may not import `store`")),
        ("src/desk/mod.rs", "use super::model::store::Store;", None),
        ("src/desk/join.rs", "use super::store;", None),
        ("src/desk/join.rs", "fn f() { let x = crate::fetch::get(1); }", Some("`desk` may not import `fetch`")),
        ("src/desk/join.rs", "// crate::store is not named here", None),
        ("src/desk/join.rs", "const A: &str = \"crate::store::Store\"; const B: &str = r#\"crate::store\"#;", None),
        ("src/desk/join.rs", "#[cfg(test)]\nmod tests { use crate::store::Store; fn f() {} }", None),
        (
            "src/desk/join.rs",
            "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::store::Store;",
            Some(":4: `desk` may not import `store`"),
        ),
        ("src/render/rss.rs", "use tokio::task;", Some("`render` is pure and may not name `tokio`")),
        ("src/query/mod.rs", "fn f() { std::fs::read(\"x\"); }", Some("`query` is pure and may not name `std::fs`")),
        ("src/serve/live.rs", "use sled::Db;", Some("`sled` is named only in store")),
        ("src/serve/live.rs", "fn f() -> ::sled::Result<()> { }", Some("`sled` is named only in store")),
        ("src/store/mod.rs", "use sled::{Db, Tree};", None),
        ("src/store/mod.rs", "use crate::desk::decide;", Some("`store` may not import `desk`")),
        (
            "src/serve/mod.rs",
            "use hyper::client::conn;",
            Some("`hyper::client` is named only in fetch and control and cli"),
        ),
        ("src/serve/mod.rs", "use hyper::{server::conn, Method};", None),
        ("src/editor.rs", "fn f() { chrono::Utc::now(); }", Some("only src/clock.rs asks the time")),
        ("src/clock.rs", "fn f() { chrono::Utc::now(); }", None),
        ("src/main.rs", "use citydesk::store::Store;", Some("`main` may not import `store`")),
        ("src/main.rs", "fn main() { citydesk::cli::run() }", None),
        ("src/app.rs", "use crate::cli::demo;", Some("`app` may not import `cli`")),
        ("src/desk/utils.rs", "", Some("`utils` says nothing")),
        ("src/cellar/mod.rs", "", Some("the room `cellar` is not in the plan")),
        ("src/desk/join.rs", "fn f<'a>(x: &'a str) -> char { '\\'' } // '\nuse crate::store::S;", Some(":3: `desk`")),
    ];
    for (file, text, expected) in cases {
        let found = complaints(file, &format!("//! A file.\n{text}\n"));
        match expected {
            None => assert!(found.is_empty(), "{file} with {text:?}: {found:?}"),
            Some(part) => {
                assert_eq!(found.len(), 1, "{file} with {text:?}: {found:?}");
                assert!(found[0].contains(part), "{file} with {text:?}: {found:?}");
            }
        }
    }
    assert!(complaints("src/desk/join.rs", "fn f() {}\n")[0].contains("first line"));
}
