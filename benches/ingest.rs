//! What an item costs on its way in, step by step: read, normalise, journal, judge, write to the store.
//!
//! `cargo bench --bench ingest` measures on 500 feeds of 30 items with 2 KB of text each; time per element is time per
//! item. The steps are measured apart, each on what the steps before it made.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a benchmark that cannot go on should stop")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use citydesk::desk::{self, Case, Rules};
use citydesk::editor::{Editor, Reading, Recent, Standing, replay};
use citydesk::journal::Journal;
use citydesk::model::codec::encode;
use citydesk::model::filing::{Filing, Request, Wire};
use citydesk::model::id::ItemKey;
use citydesk::model::item::{Document, Item};
use citydesk::model::position::Position;
use citydesk::model::setting::{Cities, Publish, Setting, Site};
use citydesk::model::time::Time;
use citydesk::normalise::{self, Siblings};
use citydesk::parse::{self, Fetched};
use citydesk::store::Store;
use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;

mod corpus;

/// The program's own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

use corpus::{Feed, POLLED};

/// Filings that are synced together, as concurrent pollers do.
const GROUP: usize = 16;

fn read(feed: &Feed) -> Document {
    let fetched = Fetched { body: &feed.xml, content_type: Some("application/rss+xml"), url: &feed.url, at: POLLED };
    parse::parse(&feed.source, &fetched).unwrap()
}

fn clean(feed: &Feed, document: &Document) -> Vec<Item> {
    let siblings = Siblings::of(document);
    let identities = normalise::identities(document, &feed.source, &feed.url);
    let item = |(raw, (key, hash)): (_, (ItemKey, u64))| {
        normalise::item(raw, key, hash, &feed.source, &feed.url, POLLED, &siblings)
    };
    document.items.iter().zip(identities).map(item).collect()
}

/// Puts a filing with its items on the wire.
fn file(journal: &Journal, feed: &Feed, items: &[Item]) {
    let records: Vec<Vec<u8>> = items.iter().map(|item| encode(&Wire::Item(Box::new(item.clone())))).collect();
    let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    let filing = Filing {
        source: feed.source.id().clone(),
        at: POLLED,
        items: journal.wire.append(None, &records).unwrap(),
        listed: items.len() as u32,
        reading: feed.source.reading(),
        ..Filing::default()
    };
    journal.wire.append(None, &[&encode(&Wire::Filing(filing))]).unwrap();
}

fn settings(journal: &Journal, feeds: &[Feed]) {
    let fixed = [
        Setting::from(Site {
            title: "河南城市新闻".into(),
            language: "zh-CN".into(),
            public_url: "http://127.0.0.1:8080".into(),
            contact: None,
            zone: "Asia/Shanghai".into(),
        }),
        Setting::from(Publish { items: 60, hub: "none".into() }),
        Setting::from(Cities::default()),
        Setting::Tags(Vec::new()),
    ];
    let set = fixed.into_iter().chain(feeds.iter().map(|feed| Setting::Source(feed.source.rules.clone()))).collect();
    let at = POLLED.plus(-Time::HOUR);
    let request = Wire::Request(Request::Settings { at, set, gone: Vec::new(), closes: true });
    journal.wire.append(None, &[&encode(&request)]).unwrap();
}

/// A journal and store in a folder, and what is on the wire to be decided.
struct House {
    journal: Journal,
    store: Arc<Store>,
    _folder: TempDir,
}

impl House {
    fn new(feeds: &[Feed], items: &[Vec<Item>]) -> Self {
        let folder = TempDir::new().unwrap();
        let journal = Journal::open(&folder.path().join("journal")).unwrap();
        let store = Arc::new(Store::open(&folder.path().join("store")).unwrap());
        settings(&journal, feeds);
        for (feed, items) in feeds.iter().zip(items) {
            file(&journal, feed, items);
        }
        journal.wire.sync().unwrap();
        Self { journal, store, _folder: folder }
    }

    /// Decides everything.
    fn decide(&self) {
        let standing = Arc::new(Standing::default());
        let (journal, store) = (self.journal.clone(), Arc::clone(&self.store));
        let mut editor = Editor::new(journal, store, standing, Arc::default(), Box::new(|_| ()));
        while editor.step().unwrap() {}
    }
}

/// Time that the desk alone takes for the corpus; what it decides is applied beside the stopwatch.
fn judge(feeds: &[Feed], items: &[Vec<Item>]) -> Duration {
    let house = House::new(feeds, &[]);
    house.decide();
    let rules = Rules::new(&house.store.view().settings(), None).0;
    let noise = std::collections::BTreeSet::new();
    let mut taken = Duration::ZERO;
    let mut recent = Recent::default();
    let mut wire = 1;
    for (seq, filing) in (house.journal.ledger.next()..).zip(items) {
        let mut draft = house.store.draft();
        draft.begin(seq, POLLED);
        for item in filing.iter().rev() {
            wire += 1;
            let case = Case {
                item,
                wire: Position { seq: wire, sum: 0 },
                at: POLLED,
                opening: true,
                held: false,
                baseline: false,
                noise: &noise,
            };
            let begun = Instant::now();
            let edits = desk::decide(&rules, &case, &Reading::beside(&draft, &house.journal, &recent)).unwrap();
            taken += begun.elapsed();
            recent.put(case.wire, item.text.clone());
            for edit in &edits {
                draft.edit(edit).unwrap();
            }
        }
        house.store.commit(draft.finish()).unwrap();
    }
    taken
}

fn ingest(c: &mut Criterion) {
    let feeds = corpus::corpus();
    let documents: Vec<Document> = feeds.iter().map(read).collect();
    let items: Vec<Vec<Item>> = feeds.iter().zip(&documents).map(|(feed, it)| clean(feed, it)).collect();
    let count: usize = items.iter().map(Vec::len).sum();
    assert_eq!(count, feeds.len() * if corpus::measuring() { corpus::ITEMS } else { 5 });

    let mut group = c.benchmark_group("ingest");
    group.throughput(Throughput::Elements(count as u64)).sample_size(10).sampling_mode(SamplingMode::Flat);

    group.bench_function("parse", |b| b.iter(|| feeds.iter().map(read).map(|it| it.items.len()).sum::<usize>()));

    group.bench_function("normalise", |b| {
        b.iter(|| feeds.iter().zip(&documents).map(|(feed, it)| black_box(clean(feed, it)).len()).sum::<usize>());
    });

    group.bench_function("journal", |b| {
        let empty = || {
            let folder = TempDir::new().unwrap();
            (Journal::open(folder.path()).unwrap(), folder)
        };
        b.iter_batched(
            empty,
            |(journal, folder)| {
                for (n, (feed, items)) in feeds.iter().zip(&items).enumerate() {
                    file(&journal, feed, items);
                    if n % GROUP == GROUP - 1 {
                        journal.wire.sync().unwrap();
                    }
                }
                journal.wire.sync().unwrap();
                (journal, folder)
            },
            BatchSize::PerIteration,
        );
    });

    group.bench_function("desk", |b| b.iter_custom(|rounds| (0..rounds).map(|_| judge(&feeds, &items)).sum()));

    group.bench_function("editor (reads the wire, judges, writes ledger and store)", |b| {
        b.iter_batched(
            || House::new(&feeds, &items),
            |house| {
                house.decide();
                house
            },
            BatchSize::PerIteration,
        );
    });

    let decided = House::new(&feeds, &items);
    decided.decide();
    let seen: u64 = decided.store.view().sources().unwrap().iter().map(|(_, head)| head.items).sum();
    assert_eq!(seen, count as u64);
    group.bench_function("store (applies the ledger)", |b| {
        let empty = || {
            let folder = TempDir::new().unwrap();
            (Store::open(folder.path()).unwrap(), folder)
        };
        b.iter_batched(
            empty,
            |(store, folder)| {
                replay(&decided.journal, &store, |_| ()).unwrap();
                (store, folder)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
    let wire = decided.journal.wire.bytes() as usize / count;
    let ledger = decided.journal.ledger.bytes() as usize / count;
    decided.store.flush().unwrap();
    let store = decided.store.bytes() as usize / count;
    eprintln!("bytes per item: wire {wire}, ledger {ledger}, store {store}");
}

criterion_group!(benches, ingest);
criterion_main!(benches);
