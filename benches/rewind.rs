//! What a changed rule costs: so many stories in the store, twenty rules changed at once, until the past follows them.
//!
//! `cargo bench --bench rewind` measures once each, over 100,000 stories of 2 KB of text each (`CITYDESK_STORIES` sets
//! another number): it takes some minutes to file them first.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a benchmark that cannot go on should stop")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use citydesk::editor::{Editor, Standing};
use citydesk::journal::Journal;
use citydesk::model::codec::encode;
use citydesk::model::edition::EditionId;
use citydesk::model::filing::{Filing, Request, Wire};
use citydesk::model::id::{ItemKey, hash64};
use citydesk::model::item::Item;
use citydesk::model::place::Code;
use citydesk::model::setting::{Cities, Publish, SavedFeed, Setting, Site, TagRule};
use citydesk::model::source::Source;
use citydesk::model::time::Time;
use citydesk::store::Store;
use tempfile::TempDir;

mod corpus;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use corpus::POLLED;

/// Rules changed at once.
const RULES: usize = 20;
/// Items of one filing.
const FILED: u64 = 50;

/// Words of the invented stories, so that rules hold for some of them.
const WORDS: [&str; RULES] = [
    "教育", "公交", "企业", "项目", "医院", "学校", "市民", "建设", "展览", "中考", "旅游", "交通", "会议", "农业",
    "文化", "投资", "公园", "社区", "招生", "就业",
];

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

    /// Has everything on the wire decided; how long it took, and how much of that the processor worked for it.
    fn decide(&mut self) -> [Duration; 2] {
        self.journal.wire.sync().unwrap();
        let (begun, worked) = (Instant::now(), worked());
        while self.editor.step().unwrap() {}
        [begun.elapsed(), worked_since(worked)]
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
                let (title, text, tag) = corpus::story(number);
                // Every story its own: what is measured is not the search for copies.
                let text = format!("{text}{}", hash64(&[&number.to_le_bytes()]));
                let item = Item {
                    source: source.id().clone(),
                    key: ItemKey::guid(&number.to_string()),
                    hash: number,
                    link: format!("https://news.example/{number}"),
                    canonical: format!("news.example/{number}"),
                    title: format!("{title}（{number}）"),
                    summary: text.chars().take(Item::SUMMARY).collect(),
                    text,
                    seen: self.now,
                    tags: vec![tag.to_owned()],
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

/// Time that this thread was on a processor: on a busy machine the clock tells something else. Nothing where the system
/// does not say.
fn worked() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(told.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or_default())
}

fn worked_since(before: Duration) -> Duration {
    worked().saturating_sub(before)
}

fn main() {
    let stories: u64 = match std::env::var("CITYDESK_STORIES").ok().and_then(|text| text.parse().ok()) {
        Some(number) => number,
        None if corpus::measuring() => 100_000,
        None => 200,
    };
    let mut desk = Desk::new();
    let site = Setting::Site(Site {
        title: "河南城市新闻".into(),
        language: "zh-CN".into(),
        public_url: "http://127.0.0.1:8080".into(),
        contact: None,
        zone: "Asia/Shanghai".into(),
    });
    let mut source = corpus::source(1);
    source.rules.join = false;
    let publish = Setting::Publish(Publish { items: 60, hub: "none".into() });
    let cities = |alias| Setting::Cities(Cities { alias, ..Cities::default() });
    desk.set(vec![site, publish, cities(Vec::new()), Setting::Source(source.rules.clone())]);
    for from in (0..stories).step_by(FILED as usize) {
        desk.file(&source, from);
    }
    let [filed, worked] = desk.decide();
    let stories = desk.store.view().meta().stories;
    println!("{stories} stories filed in {:.1} s ({:.1} s of work)", filed.as_secs_f64(), worked.as_secs_f64());

    let tags = |second: &str| {
        let rule = |word: &&str| TagRule { id: (*word).into(), when: format!("{word} {second}") };
        Setting::Tags(WORDS.iter().map(rule).collect())
    };
    let feeds = |second: &str| -> Vec<Setting> {
        let feed = |(number, word): (usize, &&str)| {
            let id = format!("feed-{number}");
            Setting::Feed(SavedFeed { id, title: (*word).into(), when: format!("{word} {second}") })
        };
        WORDS.iter().enumerate().map(feed).collect()
    };
    let names =
        || WORDS.iter().zip(0..).map(|(word, n)| (format!("{word}新城"), Code(410_100 + n % 15 * 100))).collect();
    let changes: [(&str, Vec<Setting>); 5] = [
        ("20 new [[tag]] rules", vec![tags("市")]),
        ("20 changed [[tag]] rules", vec![tags("-教育")]),
        ("20 new [[feed]] queries", feeds("OR 没有这样的词")),
        ("20 changed [[feed]] queries", feeds("-市民")),
        ("20 new aliases of cities", vec![cities(names())]),
    ];
    for (what, set) in changes {
        let before = desk.journal.ledger.bytes();
        let [taken, worked] = desk.set(set);
        let held = WORDS.iter().map(|word| EditionId::Tag((*word).into()));
        let held: u64 = held.filter_map(|tag| desk.store.view().edition(&tag).unwrap()).map(|head| head.entries).sum();
        println!(
            "{what}: {:.1} s ({:.1} s of work), {:.0} µs a story, {} kB of ledger, {held} entries in feeds of tags",
            taken.as_secs_f64(),
            worked.as_secs_f64(),
            worked.as_secs_f64() * 1e6 / stories as f64,
            (desk.journal.ledger.bytes() - before) / 1000,
        );
    }
}
