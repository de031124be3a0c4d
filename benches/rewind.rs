//! What a changed rule costs: so many stories in the store, twenty rules changed at once, until the past follows them; and
//! what a query costs that is tried on them.
//!
//! `cargo bench --bench rewind` measures once each, over 100,000 stories of some 2 KB of text each (`CITYDESK_STORIES` sets
//! another number): it takes a minute to file them first. Rules are measured that hold for some of a hundred stories each,
//! and such that hold for every other one, which nobody writes but which must not stop the desk either.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a benchmark that cannot go on should stop")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use citydesk::app::preview;
use citydesk::editor::{Editor, Standing};
use citydesk::journal::Journal;
use citydesk::model::codec::encode;
use citydesk::model::edition::EditionId;
use citydesk::model::filing::{Filing, Request, Wire};
use citydesk::model::id::ItemKey;
use citydesk::model::item::Item;
use citydesk::model::place::Code;
use citydesk::model::setting::{Cities, Publish, SavedFeed, Setting, Site, TagRule};
use citydesk::model::source::{Source, SourceRules};
use citydesk::model::time::Time;
use citydesk::store::Store;
use tempfile::TempDir;

mod corpus;

use corpus::{POLLED, varied};

/// The program's own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Rules changed at once.
const RULES: usize = 20;
/// Items of one filing.
const FILED: u64 = 50;

struct Desk {
    journal: Journal,
    store: Arc<Store>,
    editor: Editor,
    now: Time,
    _folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let journal = Journal::open(&folder.path().join("journal")).unwrap();
        let store = Arc::new(Store::open(&folder.path().join("store")).unwrap());
        let (shared, log) = (Arc::clone(&store), journal.clone());
        let editor = Editor::new(log, shared, Arc::new(Standing::default()), Arc::default(), Box::new(|_| ()));
        Self { journal, store, editor, now: POLLED, _folder: folder }
    }

    /// Has everything on the wire decided; how long it took, and how much of that the processors worked for it.
    fn decide(&mut self) -> [Duration; 2] {
        self.journal.wire.sync().unwrap();
        let (begun, before) = (Instant::now(), worked());
        while self.editor.step().unwrap() {}
        [begun.elapsed(), worked().saturating_sub(before)]
    }

    fn set(&mut self, set: Vec<Setting>) -> [Duration; 2] {
        self.now = self.now.plus(Time::DAY);
        let request = Wire::Request(Request::Settings { at: self.now, set, gone: Vec::new(), closes: true });
        self.journal.wire.append(None, &[&encode(&request)]).unwrap();
        self.decide()
    }

    fn file(&mut self, source: &Source, from: u64) {
        let items: Vec<Vec<u8>> = (from..from + FILED)
            .map(|number| {
                // Every story its own: what is measured is not the search for copies.
                let (title, text) = varied::own(number);
                let item = Item {
                    source: source.id().clone(),
                    key: ItemKey::guid(&number.to_string()),
                    hash: number,
                    link: format!("https://news.example/{number}"),
                    canonical: format!("news.example/{number}"),
                    title,
                    summary: text.chars().take(Item::SUMMARY).collect(),
                    text,
                    seen: self.now,
                    tags: vec!["民生".to_owned()],
                    ..Item::default()
                };
                encode(&Wire::Item(Box::new(item)))
            })
            .collect();
        let items = self.journal.wire.append(None, &items.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
        let filing = Filing {
            source: source.id().clone(),
            at: self.now,
            listed: items.len() as u32,
            items,
            reading: source.reading(),
            ..Filing::default()
        };
        self.journal.wire.append(None, &[&encode(&Wire::Filing(filing))]).unwrap();
    }
}

/// Time that this process was on processors: on a busy machine the clock tells something else. A thread that has ended
/// counts, too. Nothing where the system does not say; it counts in hundredths of a second.
fn worked() -> Duration {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = told.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Duration::from_millis(fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * 10)
}

fn main() {
    let stories: u64 = match std::env::var("CITYDESK_STORIES").ok().and_then(|text| text.parse().ok()) {
        Some(number) => number,
        None if corpus::measuring() => 100_000,
        None => 200,
    };
    let mut desk = Desk::new();
    let site = Setting::from(Site {
        title: "河南城市新闻".into(),
        language: "zh-CN".into(),
        public_url: "http://127.0.0.1:8080".into(),
        contact: None,
        zone: "Asia/Shanghai".into(),
    });
    let mut source = corpus::source(1);
    Arc::make_mut(&mut source.rules).join = false;
    let publish = Setting::from(Publish { items: 60, hub: "none".into() });
    let cities = |alias| Setting::from(Cities { alias, ..Cities::default() });
    desk.set(vec![site, publish, cities(Vec::new()), Setting::Source(source.rules.clone())]);
    for from in (0..stories).step_by(FILED as usize) {
        desk.file(&source, from);
    }
    let [filed, work] = desk.decide();
    let stories = desk.store.view().meta().stories;
    println!("{stories} stories filed in {:.1} s ({:.1} s of work)", filed.as_secs_f64(), work.as_secs_f64());

    let tags = |from: usize, other: &str| {
        let rule =
            |n| TagRule { id: format!("标签{from}之{n}"), when: format!("{} {other}", varied::word_of(from + n)) };
        Setting::Tags((0..RULES).map(rule).collect())
    };
    let feeds = |from: usize, other: &str| -> Vec<Setting> {
        let feed = |n| {
            let when = format!("{} {other}", varied::word_of(from + n));
            Setting::from(SavedFeed { id: format!("feed-{from}-{n}"), title: "检索".into(), when })
        };
        (0..RULES).map(feed).collect()
    };
    // As rare as names are in the news, and such as stand in every other story.
    let (rare, common) = (1_200, 10);
    let names =
        (0..RULES).map(|n| (varied::word_of(rare + n).to_owned(), Code(410_100 + n as u32 % 15 * 100))).collect();
    let mut described = SourceRules::clone(&source.rules);
    described.tags = vec!["要闻".into()];
    let another = varied::word_of(40);
    let changes: [(&str, Vec<Setting>); 9] = [
        ("20 new [[tag]] rules", vec![tags(rare, "")]),
        ("20 changed [[tag]] rules", vec![tags(rare, &format!("-{another}"))]),
        ("20 new [[feed]] queries", feeds(rare, "")),
        ("20 changed [[feed]] queries", feeds(rare, &format!("-{another}"))),
        ("20 feeds of a city and a word", feeds(rare, "city:许昌")),
        ("20 new aliases of cities", vec![cities(names)]),
        ("a source's tag", vec![Setting::Source(described.into())]),
        ("20 new [[tag]] rules for every other story", vec![tags(common, "")]),
        ("20 changed [[tag]] rules for every other story", vec![tags(common, &format!("-{another}"))]),
    ];
    let held = |desk: &Desk| -> u64 {
        let view = desk.store.view();
        let editions = view.editions().unwrap().into_iter();
        let ruled = editions.filter(|(edition, _)| matches!(edition, EditionId::Tag(_) | EditionId::Saved(_)));
        ruled.map(|(_, head)| head.entries).sum()
    };
    for (what, set) in changes {
        let before = desk.journal.ledger.bytes();
        let [taken, work] = desk.set(set);
        println!(
            "{what}: {:.1} s ({:.1} s of work), {:.0} µs of work a story, {} kB of ledger, {} entries in feeds of tags \
             and searches",
            taken.as_secs_f64(),
            work.as_secs_f64(),
            work.as_secs_f64() * 1e6 / stories as f64,
            (desk.journal.ledger.bytes() - before) / 1000,
            held(&desk),
        );
    }
    for query in [another.to_owned(), format!("{another} city:许昌"), "tag:要闻 -city:许昌".to_owned()] {
        let (begun, before) = (Instant::now(), worked());
        let found = preview::collect(&desk.store, &desk.journal, &query, desk.now).unwrap();
        println!(
            "trying `{query}`: {} hits of {} stories in {:.2} s ({:.2} s of work)",
            found.hits,
            found.stories,
            begun.elapsed().as_secs_f64(),
            worked().saturating_sub(before).as_secs_f64()
        );
    }
}
