//! What it costs to print an edition of 60 entries, and to compress it.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that cannot go on should stop")]

use std::io::Write as _;

use citydesk::model::id::{Guid, ItemKey};
use citydesk::model::story::Emission;
use citydesk::model::time::Time;
use citydesk::render::{Channel, Entry, FORMATS};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod corpus;

const ENTRIES: usize = 60;

fn entry(number: usize) -> Entry {
    let source = corpus::source(number % 20);
    let (title, text, tag) = corpus::story(number as u64);
    let link = format!("http://127.0.0.1/{number}.html");
    Entry {
        guid: Guid::mint(source.id(), &ItemKey::guid(&number.to_string()), 0),
        emission: Emission {
            title,
            link,
            summary: text.chars().take(300).collect(),
            creator: source.rules.name.clone(),
            source: source.rules.id.clone(),
            source_name: source.rules.name.clone(),
            published: corpus::POLLED.plus(-(number as i64) * Time::MINUTE),
            offset: 480,
            first: corpus::POLLED,
            tags: citydesk::model::tag::Tag::new(tag).into_iter().collect(),
            ..Emission::default()
        },
        html: number.is_multiple_of(3).then(|| format!("<p>{text}</p>")),
        source_feed: format!("http://127.0.0.1:8080/feeds/source/{}.rss", source.id()),
        ..Entry::default()
    }
}

fn render(c: &mut Criterion) {
    let channel = Channel {
        title: "许昌市新闻".into(),
        home: "http://127.0.0.1:8080/city/xuchang".into(),
        address: "http://127.0.0.1:8080/feeds/city/xuchang.rss".into(),
        description: "许昌市的新闻".into(),
        language: "zh-CN".into(),
        modified: corpus::POLLED,
        ttl: 5,
        public_url: "http://127.0.0.1:8080".into(),
        entries: (0..ENTRIES).map(entry).collect(),
        ..Channel::default()
    };
    let mut group = c.benchmark_group("render 60 entries");
    group.throughput(Throughput::Elements(ENTRIES as u64));
    for format in FORMATS {
        let bytes = format.render(&channel);
        assert!(bytes.len() > ENTRIES * 500, "{} printed {} bytes", format.name(), bytes.len());
        group.bench_function(format.name(), |b| b.iter(|| format.render(&channel)));
        group.bench_function(format!("{}, gzip -6", format.name()), |b| {
            b.iter(|| {
                let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
                packer.write_all(&bytes).unwrap();
                packer.finish().unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, render);
criterion_main!(benches);
