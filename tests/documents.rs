//! Documents in, items out: reads every file of a folder named by the environment.

use citydesk::model::id::SourceId;
use citydesk::model::source::{Expect, Kind, Rank, Republish, Source, SourceRules};
use citydesk::model::time::Time;
use citydesk::{normalise, parse};
use std::path::Path;

fn source(kind: Kind) -> Source {
    Source {
        rules: SourceRules {
            id: SourceId::new("test").unwrap(),
            name: "Test".into(),
            feed: None,
            cities: vec![],
            tags: vec![],
            rank: Rank::Media,
            republish: Republish::Full,
            join: true,
            backfill: 0,
            keep: 180 * Time::DAY,
            zone: "Asia/Shanghai".into(),
        },
        kind,
        every: (120_000, 43_200_000),
        expect: Expect { items: 1, newest: 3 * Time::DAY },
        timeout: 30_000,
        headers: vec![],
        encoding: None,
        drop: None,
        only: None,
        body: None,
        proxy: None,
        ca: None,
    }
}

/// `CITYDESK_DOCUMENTS=folder cargo test --test documents -- --ignored --nocapture folder`: how a folder of documents reads.
#[test]
#[ignore = "reads a folder that the environment names"]
fn folder() {
    let Ok(folder) = std::env::var("CITYDESK_DOCUMENTS") else { return };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut read, mut refused, mut items, mut bytes) = (0, 0, 0, 0);
    let mut parsing = std::time::Duration::ZERO;
    let mut identifying = std::time::Duration::ZERO;
    let mut cleaning = std::time::Duration::ZERO;
    for path in &files {
        let body = std::fs::read(path).unwrap();
        bytes += body.len();
        let kind = if path.extension().is_some_and(|e| e == "html") {
            Kind::Page { url: String::new(), list: vec![], links: None }
        } else {
            Kind::Feed(String::new())
        };
        let source = source(kind);
        let url = "https://news.example/feeds/one.xml";
        let at = Time::from_seconds(1_795_406_400);
        let fetched = parse::Fetched { body: &body, content_type: None, url, at };
        let begin = std::time::Instant::now();
        let parsed = parse::parse(&source, &fetched);
        parsing += begin.elapsed();
        let name = Path::new(path).file_name().unwrap().to_string_lossy().into_owned();
        match parsed {
            Ok(document) => {
                read += 1;
                items += document.items.len();
                let begin = std::time::Instant::now();
                let keys = normalise::identities(&document, &source, url);
                identifying += begin.elapsed();
                let begin = std::time::Instant::now();
                let siblings = normalise::Siblings::of(&document);
                let all: Vec<_> = document
                    .items
                    .iter()
                    .zip(keys)
                    .map(|(raw, (key, hash))| normalise::item(raw, key, hash, &source, url, at, &siblings))
                    .collect();
                cleaning += begin.elapsed();
                println!("{name}\t{}\t{}\t{}\t{:?}", document.format, document.charset, all.len(), document.complaints);
                if std::env::var("CITYDESK_SHOW").is_ok_and(|show| name.starts_with(&show)) {
                    for (raw, item) in document.items.iter().zip(&all) {
                        println!("{raw:#?}\n{item:#?}");
                    }
                }
            }
            Err(error) => {
                refused += 1;
                println!("{name}\tREFUSED\t{error}");
            }
        }
    }
    println!(
        "{} files, {bytes} bytes: {read} read, {refused} refused, {items} items; parsing {parsing:?}, identifying {identifying:?}, cleaning {cleaning:?}",
        files.len()
    );
}
