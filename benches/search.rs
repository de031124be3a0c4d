//! What searching costs: bytes and processor time of the index per story, and how long queries take, over 100,000 stories of
//! 2 KB of text each in a real store (`CITYDESK_STORIES` sets another number).
//!
//! `cargo bench --bench search` files the stories first, which takes some minutes; then it prints figures, once each.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a benchmark that cannot go on should stop")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use citydesk::app::archive::Archive;
use citydesk::editor::{Editor, Standing};
use citydesk::journal::Journal;
use citydesk::model::codec::encode;
use citydesk::model::filing::{Filing, Request, Wire};
use citydesk::model::id::{ItemKey, hash64};
use citydesk::model::item::Item;
use citydesk::model::setting::{Cities, Publish, Setting, Site};
use citydesk::model::time::Time;
use citydesk::query::Query;
use citydesk::search::{Ask, Search};
use citydesk::store::Store;
use tempfile::TempDir;

mod corpus;

use corpus::POLLED;

/// Items of one filing.
const FILED: u64 = 50;
/// How often each query is asked.
const ROUNDS: usize = 40;

/// Kinds of queries.
const QUERIES: &[(&str, &str)] = &[
    ("common", "公交"),
    ("common, two words", "供暖 灌溉"),
    ("one character", "校"),
    ("phrase", "\"老旧小区供暖管网\""),
    ("phrase with numbers", "\"共投入100万元\""),
    ("rare", "稀有词"),
    ("absent", "没有这个词语"),
    ("absent pair", "稀有词 title:门诊 title:停车"),
    ("negated", "公交 -供暖"),
    ("only negated", "-公交 -供暖"),
    ("filter", "tag:教育 after:30d"),
    ("title", "title:公交 OR title:非遗"),
];

/// Memory of this process now, in kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Processor time of this process, in milliseconds.
fn worked() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let of = |index: usize| rest.split_whitespace().nth(index).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    (of(11) + of(12)) * 10
}

fn main() {
    let stories: u64 = match std::env::var("CITYDESK_STORIES").ok().and_then(|text| text.parse().ok()) {
        Some(number) => number,
        None if corpus::measuring() => 100_000,
        None => 200,
    };
    let folder = TempDir::new().unwrap();
    let journal = Journal::open(&folder.path().join("journal")).unwrap();
    let store = Arc::new(Store::open(&folder.path().join("store")).unwrap());
    let mut editor = Editor::new(
        journal.clone(),
        Arc::clone(&store),
        Arc::new(Standing::default()),
        Arc::default(),
        Box::new(|_| ()),
    );
    let mut source = corpus::source(1);
    Arc::make_mut(&mut source.rules).join = false;
    let set = vec![
        Setting::from(Site {
            title: "河南城市新闻".into(),
            language: "zh-CN".into(),
            public_url: "http://127.0.0.1:8080".into(),
            contact: None,
            zone: "Asia/Shanghai".into(),
        }),
        Setting::from(Publish { items: 60, hub: "none".into() }),
        Setting::from(Cities::default()),
        Setting::Source(source.rules.clone()),
    ];
    let request = Wire::Request(Request::Settings { at: POLLED, set, gone: Vec::new(), closes: true });
    journal.wire.append(None, &[&encode(&request)]).unwrap();
    let begun = Instant::now();
    for from in (0..stories).step_by(FILED as usize) {
        let at = POLLED.plus(from as i64 * Time::MINUTE);
        let items: Vec<Vec<u8>> = (from..from + FILED)
            .map(|number| {
                let (title, text, tag) = corpus::story(number);
                let rare = if number.is_multiple_of(5_000) { "稀有词" } else { "" };
                // Every story its own: what is measured is not the search for copies.
                let text = format!("{text}{rare}{}", hash64(&[&number.to_le_bytes()]));
                encode(&Wire::Item(Box::new(Item {
                    source: source.id().clone(),
                    key: ItemKey::guid(&number.to_string()),
                    hash: number,
                    link: format!("https://news.example/{number}"),
                    canonical: format!("news.example/{number}"),
                    title: format!("{title}（{number}）"),
                    summary: text.chars().take(Item::SUMMARY).collect(),
                    text,
                    seen: at,
                    tags: vec![tag.to_owned()],
                    ..Item::default()
                })))
            })
            .collect();
        let items = journal.wire.append(None, &items.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
        let filing = Filing {
            source: source.id().clone(),
            at,
            listed: items.len() as u32,
            items,
            reading: source.reading(),
            ..Filing::default()
        };
        journal.wire.append(None, &[&encode(&Wire::Filing(filing))]).unwrap();
    }
    journal.wire.sync().unwrap();
    while editor.step().unwrap() {}
    println!("{stories} stories filed in {:.0} s", begun.elapsed().as_secs_f64());

    let archive = Archive::new(Arc::clone(&store), journal.clone());
    let search = Arc::new(Search::new(Arc::new(archive), &folder.path().join("search")));
    let (before, cpu, begun) = (resident(), worked(), Instant::now());
    let worker = {
        let search = Arc::clone(&search);
        std::thread::spawn(move || search.work())
    };
    let mut most = before;
    while !search.is_indexed() || search.standing().waiting > 0 {
        std::thread::sleep(Duration::from_millis(20));
        most = most.max(resident());
    }
    let standing = search.standing();
    println!(
        "index: {} stories, {} bytes a story, {} µs of processor a story, {:.0} s; memory {} MB before, {} MB at most, {} MB then",
        standing.stories,
        standing.bytes / standing.stories.max(1),
        (worked() - cpu) * 1_000 / standing.stories.max(1),
        begun.elapsed().as_secs_f64(),
        before / 1024,
        most / 1024,
        resident() / 1024,
    );
    let now = POLLED.plus(stories as i64 * Time::MINUTE);
    println!(
        "{:20} {:>9} {:>9} {:>9} {:>7} {:>8} {:>9}",
        "first page of 50", "p50 µs", "p99 µs", "tally µs", "hits", "looked", "all"
    );
    for (name, text) in QUERIES {
        let query = Query::parse(text).unwrap();
        let ask = Ask { query: &query, before: None, limit: 50, now, language: "zh-CN" };
        let mut took: Vec<u128> = Vec::new();
        let mut page = search.page(&ask).unwrap();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            page = search.page(&ask).unwrap();
            took.push(begun.elapsed().as_micros());
        }
        took.sort_unstable();
        let begun = Instant::now();
        let tally = search.tally(&ask, &[POLLED, now]).unwrap();
        let counted = begun.elapsed().as_micros();
        println!(
            "{name:20} {:>9} {:>9} {:>9} {:>7} {:>8} {:>9}{}",
            took[took.len() / 2],
            took[took.len() - 1],
            counted,
            page.hits.len(),
            page.looked,
            tally.stories,
            if page.cut { " cut" } else { "" }
        );
    }
    println!("memory after the searches: {} MB", resident() / 1024);
    search.stop();
    search.nudge();
    worker.join().unwrap();
}
