//! Documents in, items out: every file of `tests/wire/` against the reading that stands beside it.
//!
//! `NAME.xml`, `.html`, `.json`, `.txt` or `.gz` is the document, `NAME.toml` (if it needs one) how it was fetched and what its
//! source says, `NAME.expect` what is made of it. A folder has one kind of document; those in `article/` are pages of articles. `UPDATE_EXPECT=1 cargo test --test documents` writes the expectations anew: look at the
//! difference before you commit it.

// A fixture that cannot be read is a failed test.
#![allow(clippy::unwrap_used)]

use citydesk::model::book::Skip;
use citydesk::model::id::SourceId;
use citydesk::model::item::{Document, Item, Raw, Stamp};
use citydesk::model::source::{JsonPattern, Kind, ListPattern, Rank, Republish, Source, SourceRules};
use citydesk::model::time::{Claim, Time, Trust};
use citydesk::{normalise, parse};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// 2026-11-23 12:00 in Shanghai: when every fixture was polled.
const AT: Time = Time::from_seconds(1_795_406_400);

fn source(kind: Kind) -> Source {
    Source::new(
        SourceRules {
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
    )
}

/// What a fixture's `.toml` may say.
#[derive(Default)]
struct Setting {
    url: Option<String>,
    content_type: Option<String>,
    kind: Option<Kind>,
    zone: Option<String>,
    encoding: Option<String>,
    body: Option<String>,
    listed: Raw,
}

fn setting(path: &Path) -> Setting {
    let Ok(text) = std::fs::read_to_string(path.with_extension("toml")) else { return Setting::default() };
    let table: toml::Table = text.parse().unwrap();
    let string = |table: &toml::Table, key: &str| table.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    for key in table.keys() {
        assert!(
            ["url", "content_type", "zone", "encoding", "list", "links", "json", "body", "listed"]
                .contains(&key.as_str()),
            "{}: {key}",
            path.display()
        );
    }
    let pattern = |table: &toml::Table| ListPattern {
        item: string(table, "item").unwrap(),
        title: string(table, "title"),
        link: string(table, "link"),
        date: string(table, "date"),
        credit: string(table, "credit"),
        summary: string(table, "summary"),
        fallback: false,
    };
    let list = match table.get("list") {
        Some(toml::Value::String(name)) => parse::preset(name).unwrap().lists(),
        Some(toml::Value::Table(one)) => vec![pattern(one)],
        Some(toml::Value::Array(many)) => many.iter().map(|one| pattern(one.as_table().unwrap())).collect(),
        _ => vec![],
    };
    let page = table.contains_key("list") || table.contains_key("links");
    let json = table.get("json").and_then(toml::Value::as_table).map(|json| JsonPattern {
        items: string(json, "items").unwrap(),
        title: string(json, "title").unwrap(),
        link: string(json, "link").unwrap(),
        date: string(json, "date"),
        summary: string(json, "summary"),
        credit: string(json, "credit"),
    });
    let api = json.map(|json| Kind::Api { url: String::new(), post: BTreeMap::new(), json: Box::new(json) });
    let listed = table.get("listed").and_then(toml::Value::as_table).map(|listed| Raw {
        title: string(listed, "title"),
        summary: string(listed, "summary"),
        credit: string(listed, "credit"),
        published: string(listed, "date")
            .map(|raw| Stamp { claim: parse::dates::read(&raw, chrono_tz::Asia::Shanghai, AT), raw }),
        ..Raw::default()
    });
    Setting {
        body: string(&table, "body"),
        listed: listed.unwrap_or_default(),
        url: string(&table, "url"),
        content_type: string(&table, "content_type"),
        kind: page.then(|| Kind::Page { url: String::new(), list, links: string(&table, "links") }).or(api),
        zone: string(&table, "zone"),
        encoding: string(&table, "encoding"),
    }
}

/// Reads a document as the poll would.
fn read(path: &Path, body: &[u8]) -> Result<(Document, Vec<Item>), String> {
    let setting = setting(path);
    let page = path.extension().is_some_and(|e| e == "html");
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let guess = || match folder.as_str() {
        "sitemap" => Kind::Sitemap(String::new()),
        _ if page => Kind::Page { url: String::new(), list: vec![], links: None },
        _ => Kind::Feed(String::new()),
    };
    let mut source = source(setting.kind.unwrap_or_else(guess));
    if let Some(zone) = setting.zone {
        Arc::make_mut(&mut source.rules).zone = zone;
    }
    Arc::make_mut(&mut source.how).encoding = setting.encoding;
    let url = setting.url.unwrap_or_else(|| "https://news.example/feeds/one.xml".to_owned());
    let fetched = parse::Fetched { body, content_type: setting.content_type.as_deref(), url: &url, at: AT };
    let document = if folder == "article" {
        let article = parse::article(setting.body.as_deref().unwrap(), &source, &fetched);
        let mut article = article.map_err(|error| error.to_string())?;
        let (charset, complaints) = (article.charset.clone(), std::mem::take(&mut article.complaints));
        let mut raw = setting.listed;
        article.complete(&mut raw, &url);
        Document { format: "article".to_owned(), charset, complaints, items: vec![raw], ..Document::default() }
    } else {
        parse::parse(&source, &fetched).map_err(|error| error.to_string())?
    };
    let siblings = normalise::Siblings::of(&document);
    let keys = normalise::identities(&document, &source, &url);
    let items = document.items.iter().zip(keys);
    let items = items.map(|(raw, (key, hash))| normalise::item(raw, key, hash, &source, &url, AT, &siblings)).collect();
    Ok((document, items))
}

fn date(claim: Option<&Claim>) -> String {
    let Some(claim) = claim else { return "none".to_owned() };
    let trust = match claim.trust {
        Trust::None => "not believed",
        Trust::Low => "low trust",
        Trust::Full => "full trust",
    };
    let at = claim.at.at_offset(claim.offset).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    format!("{at}, {trust} ({})", claim.method)
}

/// The reading of a document in a form made for looking at differences: what is empty is not shown.
fn shown(read: &Result<(Document, Vec<Item>), String>) -> String {
    let mut out = String::new();
    let (document, items) = match read {
        Ok(read) => read,
        Err(error) => return format!("refused: {error}\n"),
    };
    let mut line = |key: &str, value: &str| {
        if !value.is_empty() {
            writeln!(out, "{key}: {}", value.replace('\n', "\n    ")).unwrap();
        }
    };
    let optional = |value: &Option<String>| value.clone().unwrap_or_default();
    line("format", &document.format);
    line("charset", &document.charset);
    line("title", &optional(&document.title));
    line("link", &optional(&document.link));
    line("image", &optional(&document.image));
    line("language", &optional(&document.language));
    line("hub", &optional(&document.hub));
    line("ttl", &document.ttl.map(|ttl| ttl.to_string()).unwrap_or_default());
    if document.skip != Skip::default() {
        line("skip", &format!("hours {:024b}, days {:07b}", document.skip.hours, document.skip.days));
    }
    for child in &document.children {
        let changed = child.changed.map(|at| at.at_offset(480).to_rfc3339()).unwrap_or_default();
        line("child", &format!("{} {changed}", child.url));
    }
    line("next", &optional(&document.next));
    for complaint in &document.complaints {
        line("complaint", complaint);
    }
    for (i, item) in items.iter().enumerate() {
        line("\nitem", &(i + 1).to_string());
        line("key", &item.key.0);
        line("title", &item.title);
        line("link", &item.link);
        line("canonical", &item.canonical);
        line("published", &date(item.published.as_ref()));
        line("authors", &item.authors.join(" | "));
        let credits: Vec<String> = item.credits.iter().map(|c| format!("{} ({})", c.name, c.place)).collect();
        line("credits", &credits.join(" | "));
        let hands: Vec<String> =
            item.hands.iter().map(|h| format!("{} {} ({})", h.role.word(), h.name, h.place)).collect();
        line("hands", &hands.join(" | "));
        line("former", &optional(&item.former));
        line("tags", &item.tags.join(" | "));
        line("image", &optional(&item.image));
        let enclosure = item.enclosure.as_ref().map(|e| format!("{} {} {}", e.url, e.kind, e.length));
        line("enclosure", &enclosure.unwrap_or_default());
        line("point", &item.point.map(citydesk::model::place::Point::georss).unwrap_or_default());
        line("language", &optional(&item.language));
        line("summary", &item.summary);
        line("text", if item.text == item.summary { "" } else { &item.text });
        line("html", &item.html);
        for complaint in &item.complaints {
            line("complaint", complaint);
        }
    }
    out
}

/// Every fixture, sorted.
fn fixtures() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for kind in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire")).unwrap() {
        for file in std::fs::read_dir(kind.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| ["xml", "html", "json", "txt", "gz"].iter().any(|known| e == *known)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_fixture_reads_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    let fixtures = fixtures();
    assert!(fixtures.len() >= 40, "only {} fixtures were found", fixtures.len());
    for path in fixtures {
        let found = shown(&read(&path, &std::fs::read(&path).unwrap()));
        let expect = path.with_extension("expect");
        if update {
            std::fs::write(&expect, found).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&expect).unwrap_or_default();
        if found != expected {
            let differs = found.lines().zip(expected.lines()).find(|(a, b)| a != b);
            let (a, b) = differs.unwrap_or(("its length", "another length"));
            wrong.push(format!("{}\n  found    {a}\n  expected {b}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A document that feed-rs accepts today it may refuse tomorrow, for one bad element of another item: that must not make
/// its items look new or edited. So each feed is read again with an element that feed-rs refuses.
#[test]
fn which_reader_read_it_changes_no_item() {
    let mut compared = 0;
    for path in fixtures().iter().filter(|path| path.extension().is_some_and(|e| e == "xml")) {
        let body = std::fs::read(path).unwrap();
        let Ok((document, items)) = read(path, &body) else { continue };
        let Ok(text) = String::from_utf8(body) else { continue };
        let poisoned = if document.format.starts_with("Atom") {
            text.replacen("<entry>", "<rights type=\"nonsense\">x</rights><entry>", 1)
        } else {
            let person = "<p:person xmlns:p=\"https://podcastindex.org/namespace/1.0\" role=\"nonsense\">x</p:person>";
            text.replacen("<item>", &format!("{person}<item>"), 1)
        };
        if poisoned == text {
            continue;
        }
        let (document, again) = read(path, poisoned.as_bytes()).unwrap();
        if !document.complaints.iter().any(|complaint| complaint.contains("feed-rs refused")) {
            continue;
        }
        compared += 1;
        for (one, other) in items.iter().zip(&again) {
            assert_eq!(one.key, other.key, "{}", path.display());
            assert_eq!(one.hash, other.hash, "{}: {} {other:#?} {one:#?}", path.display(), one.title);
            assert_eq!((&one.title, &one.text), (&other.title, &other.text), "{}", path.display());
        }
        assert_eq!(items.len(), again.len(), "{}", path.display());
    }
    assert!(compared >= 15, "only {compared} feeds could be compared");
}

/// 1,500 nested `media:group` (40 kB) abort the process inside feed-rs on a stack of 2 MiB, if they get there.
#[test]
fn nested_groups_do_not_overflow_the_stack() {
    let xml = format!(
        "<rss version=\"2.0\" xmlns:media=\"http://search.yahoo.com/mrss/\"><channel><item><title>许昌新闻</title>\
         <link>/1</link>{}{}</item><item><title>焦作新闻</title></item></channel></rss>",
        "<media:group>".repeat(1_500),
        "</media:group>".repeat(1_500)
    );
    let small = std::thread::Builder::new().stack_size(2 << 20);
    let read = small.spawn(move || read(Path::new("nested.xml"), xml.as_bytes())).unwrap().join().unwrap();
    let (document, items) = read.unwrap();
    assert_eq!(items.iter().map(|item| item.title.as_str()).collect::<Vec<_>>(), ["许昌新闻", "焦作新闻"]);
    assert!(document.complaints[0].contains("nested deeper than 256"), "{:?}", document.complaints);
}

#[test]
fn nested_divs_are_flattened_on_pages_and_in_texts() {
    let deep = format!("{}<a href=\"/2026/1123/1.html\">许昌市举办招聘会</a>", "<div>".repeat(50_000));
    let (document, items) = read(Path::new("deep.html"), deep.repeat(3).as_bytes()).unwrap();
    assert!(document.complaints.iter().any(|c| c.contains("nested deeper")), "{:?}", document.complaints);
    assert!(items.is_empty());
    let xml = format!(
        "<rss><channel><item><title>t</title><description><![CDATA[{deep}]]></description></item></channel></rss>"
    );
    let (_, items) = read(Path::new("deep.xml"), xml.as_bytes()).unwrap();
    assert_eq!(items[0].text, "许昌市举办招聘会");
}

/// Constructs whose end is looked for again and again would cost the square of their number.
#[test]
fn hostile_repetition_costs_linear_time() {
    for piece in [
        "<a x ",
        "<!--",
        "<![CDATA[",
        "<!",
        "<?",
        "</a ",
        "<a b='",
        "&#",
        "<item>",
        "<![CDATA[</item></t>",
        "<!DOCTYPE [",
        "<svg>",
        "<script>",
        "<a href=\"",
        "<b><p>",
        "<table><td>",
        "@名",
        "<title>",
    ] {
        for (name, begin) in [("x.xml", "<rss><channel><item><author>"), ("x.html", "<html><body>")] {
            let text = format!("{begin}{}>", piece.repeat(40_000));
            let begin = std::time::Instant::now();
            let _ = read(Path::new(name), text.as_bytes());
            let took = begin.elapsed();
            assert!(took < std::time::Duration::from_secs(20), "{name} {piece}: {took:?}");
        }
    }
}

/// Finding an article's text looks at every element, its ancestors and its text: a page may not make that the square of it.
#[test]
fn hostile_articles_cost_little() {
    let source = source(Kind::Page { url: String::new(), list: vec![], links: None });
    for piece in [
        "<div>",
        "<div><p>许昌市，焦作市。</p>",
        "<p>许昌市，焦作市。",
        "<span><span>许昌，",
        "<a href=/1>许昌市，焦作市。</a>",
        "<h1>许昌市召开会议",
        "<td>许昌，</td>",
        "2026-11-23 来源：",
        "<time>2026-11-23</time>",
        "<meta name=a content=b>",
        "<script type=\"application/ld+json\">{",
        "<ul><li>",
        "发布时间：",
        "<br>许昌，",
        "<b><p>许昌，",
    ] {
        for how in ["readable", "p"] {
            let html = format!("<html><head><title>许昌市召开会议_样报</title></head><body>{}", piece.repeat(20_000));
            let fetched =
                parse::Fetched { body: html.as_bytes(), content_type: None, url: "https://n.example/1", at: AT };
            let begin = std::time::Instant::now();
            let _ = parse::article(how, &source, &fetched);
            let took = begin.elapsed();
            assert!(took < std::time::Duration::from_secs(20), "{how} {piece}: {took:?}");
        }
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
        let at = AT;
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

/// `CITYDESK_PAGES=folder cargo test --test documents -- --ignored --nocapture pages`: how a folder of article pages reads.
#[test]
#[ignore = "reads a folder that the environment names"]
fn pages() {
    let Ok(folder) = std::env::var("CITYDESK_PAGES") else { return };
    let how = std::env::var("CITYDESK_BODY").unwrap_or_else(|_| "readable".to_owned());
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let source = source(Kind::Page { url: String::new(), list: vec![], links: None });
    for path in &files {
        let body = std::fs::read(path).unwrap();
        let fetched = parse::Fetched { body: &body, content_type: None, url: "https://news.example/a/1.html", at: AT };
        let begin = std::time::Instant::now();
        let article = parse::article(&how, &source, &fetched);
        let took = begin.elapsed();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        println!("== {name} in {took:?}");
        let article = match article {
            Ok(article) => article,
            Err(error) => {
                println!("   {error}");
                continue;
            }
        };
        let text: String = article.html.clone().unwrap_or_default();
        println!("   title   {:?}{}", article.title, if article.stated { " (stated)" } else { "" });
        println!("   date    {}", date(article.published.as_ref().and_then(|stamp| stamp.claim.as_ref())));
        println!("   credit  {:?}  authors {:?}", article.credits, article.authors);
        println!("   tags    {:?}", article.tags);
        println!("   image   {:?}", article.image);
        let mut raw = citydesk::model::item::Raw::default();
        article.clone().complete(&mut raw, "https://news.example/a/1.html");
        let (key, hash) = normalise::identify(&raw, &source, "https://news.example/");
        let siblings = normalise::Siblings::default();
        let item = normalise::item(&raw, key, hash, &source, "https://news.example/", AT, &siblings);
        let count = item.text.chars().count();
        let head: String = item.text.chars().take(70).collect();
        let tail: String = item.text.chars().skip(count.saturating_sub(60)).collect();
        println!("   text    {count} of {} html: {:?} … {:?}", text.len(), head, tail);
        println!("   credits {:?}", item.credits.iter().map(|c| format!("{}@{}", c.name, c.place)).collect::<Vec<_>>());
        println!("   {:?}", article.complaints);
    }
}
