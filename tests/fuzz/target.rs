//! What is fuzzed: one function for each way in which bytes of strangers come in. A target fails by panicking.
//!
//! libFuzzer drives them through `targets/`, the ordinary tests through `tests/fuzz.rs`. Each asserts what must hold for any
//! input, beside that nothing panics: no answer may be larger than a record of the journal takes, nothing that runs may come
//! out of the sanitiser, what was written must be read back.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each driver uses its part; a target fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::Path;

use citydesk::config;
use citydesk::journal::file::{FileLog, Options};
use citydesk::journal::{Log as _, LogError};
use citydesk::model::codec::encode;
use citydesk::model::filing::Wire;
use citydesk::model::id::{ItemKey, SourceId};
use citydesk::model::item::{Document, Item, Raw};
use citydesk::model::markup::{Attributes, Token, Tokens};
use citydesk::model::position::Position;
use citydesk::model::source::{JsonPattern, Kind, ListPattern, Source, SourceRules};
use citydesk::model::time::Time;
use citydesk::normalise::{self, Siblings};
use citydesk::parse::{self, Fetched};
use citydesk::query::Query;

/// One target.
pub type Target = fn(&[u8]);

/// All of them, by the name of their binary and of their folder of seeds.
pub const TARGETS: [(&str, Target); 12] = [
    ("article", article),
    ("charset", charset),
    ("dates", dates),
    ("feed", feed),
    ("frames", frames),
    ("html", html),
    ("json", json),
    ("opml", opml),
    ("page", page),
    ("query", query),
    ("settings", settings),
    ("sitemap", sitemap),
];

/// 2026-11-23 12:00 in Shanghai: when everything was polled.
const AT: Time = Time::from_seconds(1_795_406_400);
/// Where it came from.
const URL: &str = "https://news.example/a/feed.xml";

fn source(kind: Kind) -> Source {
    Source::new(
        SourceRules { id: SourceId::new("fuzz").unwrap(), zone: "Europe/Berlin".into(), ..SourceRules::default() },
        kind,
    )
}

fn fetched(body: &[u8]) -> Fetched<'_> {
    Fetched { body, content_type: None, url: URL, at: AT }
}

/// Reads a document the whole way, as a poll does.
fn read(source: &Source, body: &[u8]) {
    if let Ok(document) = parse::parse(source, &fetched(body)) {
        items(source, &document);
    }
}

/// Every item as it would go on the wire: complete, safe, and small enough.
fn items(source: &Source, document: &Document) {
    let siblings = Siblings::of(document);
    let identities = normalise::identities(document, source, URL);
    assert_eq!(identities.len(), document.items.len());
    for (raw, (key, hash)) in document.items.iter().zip(identities) {
        let item = normalise::item(raw, key, hash, source, URL, AT, &siblings);
        safe(&item.html);
        for address in [Some(&item.link), item.image.as_ref()].into_iter().flatten() {
            assert!(address.is_empty() || address.starts_with("http"), "an address of another kind: {address}");
        }
        assert!(
            item.published.as_ref().is_none_or(|claim| claim.at.utc().timestamp_millis() == claim.at.0),
            "no date at all"
        );
        assert!(item.title.chars().count() <= 300 && item.summary.chars().count() <= Item::SUMMARY);
        // A body may fill its bound; the few other fields are far from it.
        let record = encode(&Wire::Item(Box::new(item))).len();
        assert!(record <= 2 * Item::LARGEST, "{record} bytes on the wire");
    }
}

/// A list of feeds: every address is one that can be asked.
fn opml(data: &[u8]) {
    let Ok(list) = parse::opml(data) else { return };
    for one in &list.feeds {
        assert!(one.feed.starts_with("http"), "an address of another kind: {}", one.feed);
    }
}

/// Nothing in sanitised HTML runs, loads what we do not load, or leaves its place.
fn safe(html: &str) {
    for token in Tokens::new(html) {
        let Token::Open { name, attributes } = token else { continue };
        let known = "a abbr address article aside audio b bdi bdo blockquote br caption cite code col colgroup dd del \
                     details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li \
                     mark ol p pre q rp rt ruby s samp section small source strong sub summary sup table tbody td \
                     tfoot th thead time tr u ul var video wbr";
        assert!(known.split_whitespace().any(|tag| tag == name), "an element that is not allowed: <{name}>");
        for (key, value) in Attributes::new(attributes) {
            assert!(!key.starts_with("on") && key != "style", "an attribute that runs: {key}");
            if matches!(key.as_ref(), "href" | "src" | "poster") {
                let kinds = ["http://", "https://", "mailto:", "tel:"];
                let picture = name == "img" && key == "src" && value.starts_with("data:image/");
                assert!(
                    picture || kinds.iter().any(|kind| value.starts_with(kind)),
                    "an address of another kind: {value}"
                );
            }
        }
    }
    let lower = html.to_ascii_lowercase();
    for tag in ["<script", "<style", "<iframe", "<object", "<form", "<svg", "<math", "<!--"] {
        assert!(!lower.contains(tag), "{tag} is left");
    }
}

/// A document of any kind.
pub fn document(kind: Kind, body: &[u8]) {
    read(&source(kind), body);
}

/// A feed: RSS, Atom, RDF, CDF or JSON.
pub fn feed(data: &[u8]) {
    read(&source(Kind::Feed(String::new())), data);
}

/// A list page: by selectors, by a pattern of links, by a preset's guess.
pub fn page(data: &[u8]) {
    let pattern = ListPattern {
        item: "li, tr, .row".into(),
        title: Some("a".into()),
        link: Some("a@href".into()),
        date: Some("span, td:nth-of-type(2)".into()),
        credit: Some("em".into()),
        summary: None,
        fallback: false,
    };
    let links = Some(r"/(?<y>\d{4})/(?<m>\d\d)-?(?<d>\d\d)/".to_owned());
    for (list, links) in [(vec![pattern], None), (vec![], links), (vec![], None)] {
        read(&source(Kind::Page { url: String::new(), list, links }), data);
    }
}

/// The page of an article: by a selector, by a preset, by what looks like the text.
pub fn article(data: &[u8]) {
    for how in [".content, article", "gov-cn", "readable"] {
        let source = source(Kind::Feed(String::new()));
        if let Ok(article) = parse::article(how, &source, &fetched(data)) {
            let mut raw = Raw { title: Some("许昌…".into()), ..Raw::default() };
            article.complete(&mut raw, URL);
            items(&source, &Document { items: vec![raw], ..Document::default() });
        }
    }
}

/// A list in JSON.
pub fn json(data: &[u8]) {
    for items in ["data.rows", "$", "list"] {
        let json = JsonPattern {
            items: items.into(),
            title: "title".into(),
            link: "https://news.example/{id}.html".into(),
            date: Some("date".into()),
            summary: Some("intro.0".into()),
            credit: Some("org".into()),
        };
        read(&source(Kind::Api { url: String::new(), post: BTreeMap::default(), json: Box::new(json) }), data);
    }
}

/// A sitemap or an index of them.
pub fn sitemap(data: &[u8]) {
    read(&source(Kind::Sitemap(String::new())), data);
}

/// Bytes in whatever character set; the first byte chooses what server and operator say of it.
pub fn charset(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let labels = ["", "utf-8", "gb2312", "Big5", "Shift_JIS", "iso-8859-1", "utf-16", "windows-1251", "euc-kr", "x"];
    let label = labels[usize::from(*first) % labels.len()];
    let header = format!("text/html; charset={label}");
    let mut source = source(Kind::Feed(String::new()));
    if *first >= 128 {
        std::sync::Arc::make_mut(&mut source.how).encoding = Some(label.to_owned()).filter(|label| !label.is_empty());
    }
    let content_type = Some(header.as_str()).filter(|_| !label.is_empty());
    let _ = parse::parse(&source, &Fetched { content_type, ..fetched(body) });
    source.kind = Kind::Page { url: String::new(), list: vec![], links: None };
    let _ = parse::parse(&source, &Fetched { content_type, ..fetched(body) });
}

/// A date as a source writes it.
pub fn dates(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for zone in [chrono_tz::Asia::Shanghai, chrono_tz::America::Sao_Paulo, chrono_tz::Europe::Dublin] {
        for claim in [parse::dates::read(&text, zone, AT), parse::dates::field(&text, zone, AT)].into_iter().flatten() {
            // What is claimed can be printed.
            let _ = claim.at.at_offset(claim.offset).to_rfc3339();
            let _ = claim.at.utc().to_rfc2822();
        }
    }
}

/// A text of an item on its way through the sanitiser.
pub fn html(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let source = source(Kind::Feed(String::new()));
    let raw = Raw { title: Some(text.clone()), content: Some(text), link: Some("/a/1.html".into()), ..Raw::default() };
    let item = normalise::item(&raw, ItemKey::guid("1"), 0, &source, URL, AT, &Siblings::default());
    safe(&item.html);
    // What is clean stays as it is, or a second hand would change what a first one passed.
    let again = Raw { content: Some(item.html.clone()), ..raw };
    safe(&normalise::item(&again, ItemKey::guid("1"), 0, &source, URL, AT, &Siblings::default()).html);
}

/// A query as somebody types it: what it is printed as asks the same.
pub fn query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Query::parse(&text) {
        Ok(query) => {
            let printed = query.to_string();
            assert_eq!(Query::parse(&printed).as_ref(), Ok(&query), "{printed}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A feeds.toml. What it names on the disk is not looked at.
pub fn settings(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if ["include", "gazetteer"].iter().any(|key| text.contains(key)) || text.contains("\\u") {
        return;
    }
    let problems = match config::load_text(Path::new("/nowhere/feeds.toml"), text.into_owned()) {
        Ok(loaded) => loaded.problems,
        Err(failed) => failed.problems,
    };
    for problem in problems {
        assert!(!problem.block().is_empty());
    }
}

/// The bytes of a segment of the journal, after its header: a torn tail is cut, damage is named, nothing is invented.
pub fn frames(data: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = FileLog::open(folder.path(), Options::default()).unwrap();
    let records: [&[u8]; 3] = [b"one", &b"two ".repeat(200), b""];
    let positions = log.append(None, &records).unwrap();
    log.sync().unwrap();
    drop(log);
    let path = folder.path().join(format!("{:020}.log", 1));
    let mut bytes = std::fs::read(&path).unwrap();
    // The first two bytes say where the input goes, the third whether it stands in place of what was there.
    let at = data.first_chunk::<2>().map_or(bytes.len(), |at| usize::from(u16::from_le_bytes(*at)) % (bytes.len() + 1));
    let input = data.get(3..).unwrap_or_default();
    if data.get(2).is_some_and(|how| how % 2 == 0) {
        let end = (at + input.len()).min(bytes.len());
        bytes.splice(at..end, input.iter().copied());
    } else {
        bytes.truncate(at);
        bytes.extend_from_slice(input);
    }
    std::fs::write(&path, &bytes).unwrap();
    match FileLog::open(folder.path(), Options::default()) {
        Ok((log, opened)) => {
            assert!(opened.cut_bytes <= bytes.len() as u64);
            let whole = log.read(1, 1 << 20).unwrap_or_default();
            for (at, record) in &whole {
                assert_eq!(log.get(*at).unwrap().as_deref(), Some(record.as_slice()));
            }
            // A record that is still there is the one that was written.
            for (at, record) in positions.iter().zip(records) {
                if let Ok(Some(found)) = log.get(*at) {
                    assert_eq!(found, record);
                }
            }
            assert!(log.get(Position { seq: u64::MAX, sum: 0 }).is_ok_and(|found| found.is_none()));
            log.append(None, &[b"next"]).unwrap();
        }
        Err(LogError::Damaged { .. } | LogError::Version { .. } | LogError::Io { .. }) => {}
        Err(other) => panic!("an error that opening does not know: {other}"),
    }
}
