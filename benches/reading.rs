//! What reading a document costs beside feed-rs alone: CPU time of our whole chain, as a ratio in one run.
//!
//! `cargo bench --bench reading` reads the feeds among our own fixtures; `READING=FOLDER cargo bench --bench reading` those of
//! a folder. Both sides read every document in turn, round after round, and the medians are compared: CPU time of this
//! thread, so that other work on the machine changes little. The chain is `parse::parse` (character set, repair, our reader and
//! feed-rs), `normalise::identities`, and `normalise::item` (sanitiser included) for every item. The last line says
//! everything in one row of numbers for programs: see `benches/beside-feedparser`. `cargo bench --bench reading -- hostile`
//! reads documents that are made to cost, and says what each did cost.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a benchmark that cannot go on should stop")]

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

use citydesk::model::codec::encode;
use citydesk::model::id::hash64;
use citydesk::model::item::{Document, Item};
use citydesk::model::source::Source;
use citydesk::normalise::{self, Siblings};
use citydesk::parse::{self, Fetched};

mod corpus;
#[path = "../tests/fuzz/hostile.rs"]
mod hostile;

/// The program's own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Rounds of which the medians are taken.
const ROUNDS: usize = 7;
/// Documents are read again within a round until it takes about so long: short ones cannot be timed.
const ROUND: u64 = 2_000_000_000;
/// Where relative links lead.
const URL: &str = "https://bench.example/feed.xml";
/// So many of the documents that are dearest beside feed-rs are named.
const NAMED: usize = 8;

/// CPU nanoseconds of this thread (Linux, in ticks of some milliseconds); elsewhere those that passed.
#[derive(Debug, Clone, Copy)]
struct Stopwatch {
    begun: Instant,
    /// By the clock on the wall: what is short cannot be counted in ticks.
    wall: bool,
}

impl Stopwatch {
    fn now(&self) -> u64 {
        let spent = || std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok();
        let spent = if self.wall { None } else { spent() };
        spent.unwrap_or_else(|| self.begun.elapsed().as_nanos() as u64)
    }

    fn of<T>(&self, work: impl FnOnce() -> T) -> (u64, T) {
        let begun = self.now();
        let made = work();
        (self.now() - begun, made)
    }
}

fn feeds(folder: &Path, into: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if path.is_dir() {
            // Pages, lists and sitemaps are nothing that feed-rs could read.
            if !["api", "article", "page", "sitemap"].iter().any(|other| path.ends_with(other)) {
                feeds(&path, into);
            }
        } else if ["xml", "rss", "atom", "rdf", "json"].contains(&kind) {
            into.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
}

fn documents() -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    match std::env::var_os("READING") {
        Some(folder) => feeds(Path::new(&folder), &mut found),
        None => ["tests/wire", "samples"].iter().for_each(|folder| feeds(Path::new(folder), &mut found)),
    }
    found.sort();
    found
}

/// feed-rs as it comes, behind the guard that it needs; the number of entries.
fn alone(document: &[u8]) -> Option<usize> {
    let parser = feed_rs::parser::Builder::new().build();
    let feed = catch_unwind(AssertUnwindSafe(|| parser.parse(document))).ok()?.ok()?;
    Some(black_box(feed).entries.len())
}

fn read(source: &Source, body: &[u8]) -> Option<Document> {
    parse::parse(source, &Fetched { body, content_type: None, url: URL, at: corpus::POLLED }).ok()
}

fn clean(source: &Source, document: &Document, into: &mut dyn FnMut(Item)) {
    let siblings = Siblings::of(document);
    let identities = normalise::identities(document, source, URL);
    for (raw, (key, hash)) in document.items.iter().zip(identities) {
        into(normalise::item(raw, key, hash, source, URL, corpus::POLLED, &siblings));
    }
}

/// CPU nanoseconds of one reading of everything.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    alone: u64,
    parse: u64,
    normalise: u64,
}

fn median(mut of: Vec<u64>) -> u64 {
    of.sort_unstable();
    of[of.len() / 2]
}

/// Medians of a few rounds over these documents, each dropped before the next as a poll does.
fn measure(documents: &[(PathBuf, Vec<u8>)], source: &Source, watch: &Stopwatch, rounds: usize, least: u64) -> Cost {
    let once = |times: usize| {
        let mut cost = Cost::default();
        for _ in 0..times {
            for (_, body) in documents {
                cost.alone += watch.of(|| alone(body)).0;
                let (parse, document) = watch.of(|| read(source, body));
                cost.parse += parse;
                let clean = || document.iter().for_each(|it| clean(source, it, &mut |item| drop(black_box(item))));
                cost.normalise += watch.of(clean).0;
            }
        }
        let each = times as u64;
        Cost { alone: cost.alone / each, parse: cost.parse / each, normalise: cost.normalise / each }
    };
    let first = once(1);
    let times = (least / (first.alone + first.parse + first.normalise).max(1)).clamp(1, 10_000) as usize;
    let costs: Vec<Cost> = (0..rounds).map(|_| once(times)).collect();
    let by = |field: fn(&Cost) -> u64| median(costs.iter().map(field).collect());
    Cost { alone: by(|c| c.alone), parse: by(|c| c.parse), normalise: by(|c| c.normalise) }
}

/// Everything that was read as one number: a change that makes reading faster leaves it as it is.
fn fingerprint(documents: &[(PathBuf, Vec<u8>)], source: &Source) -> u64 {
    let mut sums = Vec::new();
    for document in documents.iter().filter_map(|(_, body)| read(source, body)) {
        let said = format!("{:?}{:?}{:?}", document.title, document.charset, document.complaints);
        sums.push(hash64(&[said.as_bytes()]).to_le_bytes());
        clean(source, &document, &mut |item| sums.push(hash64(&[&encode(&item)]).to_le_bytes()));
    }
    hash64(&[&sums.concat()])
}

/// Most memory that the process ever held, in kilobytes (Linux); told anew after each call.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// Reads the documents that are made to cost, on a stack as the poll's readers have, and says what each did cost.
fn hostile(size: usize) {
    println!("milliseconds and megabytes (above the document's own), of documents of {} MB:", size >> 20);
    let mut worst = (0, 0);
    for hostile::Hostile { name, kind, body } in hostile::documents(size) {
        let source = Source { kind, ..corpus::source(0) };
        let watch = Stopwatch { begun: Instant::now(), wall: false };
        peak();
        let before = peak();
        let (parse, document) = watch.of(|| read(&source, &body));
        let items = document.as_ref().map_or(0, |document| document.items.len());
        let normalise = document.map_or(0, |document| watch.of(|| clean(&source, &document, &mut drop)).0);
        let memory = peak().saturating_sub(before) / 1_024;
        worst = (worst.0.max(parse + normalise), worst.1.max(memory));
        let [parse, normalise] = [parse, normalise].map(|time| time / 1_000_000);
        println!("  {name:44} parse {parse:6} normalise {normalise:6} memory {memory:5}  ({items} items)");
    }
    println!("worst: {} ms, {} MB", worst.0 / 1_000_000, worst.1);
}

fn main() {
    if std::env::args().any(|argument| argument == "hostile") {
        let thread = std::thread::Builder::new().stack_size(citydesk::poll::parsers::STACK);
        thread.spawn(|| hostile(hostile::BODY)).unwrap().join().unwrap();
        return;
    }
    let measuring = corpus::measuring();
    // What a panic of feed-rs says is of no interest here.
    std::panic::set_hook(Box::new(|_| ()));
    let watch = Stopwatch { begun: Instant::now(), wall: false };
    let source = corpus::source(0);
    let mut documents = documents();
    assert!(!documents.is_empty(), "no document to read");
    if !measuring {
        documents.truncate(5);
    }
    let (rounds, least) = if measuring { (ROUNDS, ROUND) } else { (1, 1) };
    let bytes: usize = documents.iter().map(|(_, body)| body.len()).sum();
    let theirs: usize = documents.iter().filter_map(|(_, body)| alone(body)).sum();
    let refused = documents.iter().filter(|(_, body)| alone(body).is_none()).count();
    let items: usize = documents.iter().filter_map(|(_, body)| read(&source, body)).map(|it| it.items.len()).sum();
    println!("what was read: {:016x}", fingerprint(&documents, &source));
    let Cost { alone, parse, normalise } = measure(&documents, &source, &watch, rounds, least);

    let each = |time: u64| time as f64 / 1e3 / items.max(1) as f64;
    let beside = |time: u64| time as f64 / alone as f64;
    println!("{} documents, {bytes} bytes, {items} items; CPU time of one reading of all of them", documents.len());
    println!("  feed-rs alone  {:9.2} ms  ({theirs} items, {refused} documents refused)", alone as f64 / 1e6);
    for (name, time) in [("parse", parse), ("normalise", normalise), ("whole chain", parse + normalise)] {
        let ms = time as f64 / 1e6;
        println!("  {name:13}  {ms:9.2} ms  {:7.1} µs an item  {:5.2} times feed-rs", each(time), beside(time));
    }
    if measuring && std::env::var_os("READING").is_some() {
        let wall = Stopwatch { wall: true, ..watch };
        let mut dearest: Vec<(f64, Cost, &Path)> = documents
            .iter()
            .map(|document| {
                let cost = measure(std::slice::from_ref(document), &source, &wall, 3, 1);
                ((cost.parse + cost.normalise) as f64 / cost.alone.max(1) as f64, cost, document.0.as_path())
            })
            .collect();
        dearest.sort_by_key(|(_, cost, _)| std::cmp::Reverse((cost.parse + cost.normalise).saturating_sub(cost.alone)));
        println!("dearest documents (µs by the clock):");
        for (ratio, Cost { alone, parse, normalise }, path) in dearest.iter().take(NAMED) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let [alone, parse, normalise] = [alone, parse, normalise].map(|time| time / 1_000);
            println!("  {name}: feed-rs {alone}, parse {parse}, normalise {normalise}: {ratio:.1} times");
        }
    }
    println!("reading: documents {} items {items} feed-rs-ns {alone} chain-ns {}", documents.len(), parse + normalise);
}
