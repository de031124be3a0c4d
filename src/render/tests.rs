//! Golden editions (`tests/editions/`), and that whatever a story holds, strict parsers read it back.
//!
//! After a change that means to change bytes: `CITYDESK_BLESS=1 cargo test --lib render::`, then read the difference.

use std::path::Path;

use proptest::prelude::*;

use super::opml::Outline;
use super::*;
use crate::model::id::{ItemKey, SourceId};
use crate::model::item::{Document, Enclosure, Item, Raw};
use crate::model::place::{Code, Placed, Point};
use crate::model::source::{Kind, Republish, Source, SourceRules};
use crate::model::tag::Tag;
use crate::normalise;
use crate::parse::{self, Fetched};

const NOON: Time = Time(1_794_110_400_000);

fn source(id: &str) -> SourceId {
    SourceId::new(id).expect("an id")
}

fn city(code: u32, name: &str) -> Placed {
    Placed { code: Code(code), name: name.to_owned(), score: 900, evidence: vec![], counties: vec![], point: None }
}

fn tag(name: &str) -> Tag {
    Tag { id: name.to_lowercase(), name: name.to_owned() }
}

fn entry(number: u32, title: &str, summary: &str) -> Entry {
    let id = source("xuchang-gov");
    Entry {
        guid: Guid::mint(&id, &ItemKey::guid(&number.to_string()), 0),
        emission: Emission {
            title: title.to_owned(),
            link: format!("https://news.example/a/{number}.html?id={number}&from=list"),
            summary: summary.to_owned(),
            creator: "许昌晨报 · 王小明".to_owned(),
            source: id,
            source_name: "许昌市人民政府".to_owned(),
            published: NOON.plus(-i64::from(number) * Time::HOUR),
            offset: 480,
            cities: vec![city(411_000, "许昌市")],
            tags: vec![tag("教育")],
            ..Emission::default()
        },
        html: None,
        source_feed: "https://desk.example/feeds/source/xuchang-gov.rss".to_owned(),
        ..Entry::default()
    }
}

fn channel(id: &str, title: &str, entries: Vec<Entry>) -> Channel {
    Channel {
        id: id.to_owned(),
        title: title.to_owned(),
        home: format!("https://desk.example/{id}"),
        address: format!("https://desk.example/feeds/{id}.rss"),
        description: "许昌的新闻，各来源的同一篇只出现一次。".to_owned(),
        language: "zh-CN".to_owned(),
        modified: NOON,
        ttl: 15,
        public_url: "https://desk.example".to_owned(),
        entries,
        ..Channel::default()
    }
}

fn plain() -> Channel {
    let mut rich = entry(1, "许昌新增三所小学 明年秋季招生", "记者8日获悉，三所学校主体已经完工，可提供学位4,200个。");
    rich.emission.image = Some("https://news.example/i/1.jpg".to_owned());
    rich.emission.point = Some(Point { latitude: 34_035_771, longitude: 113_852_454 });
    rich.emission.cities.push(city(410_100, "郑州市"));
    rich.emission.tags.push(tag("民生"));
    rich.emission.rights = Some("© 许昌晨报 & 友".to_owned());
    rich.emission.related =
        vec!["https://portal.example/1?a=1&b=许昌".to_owned(), rich.emission.link.clone(), "javascript:x".to_owned()];
    rich.emission.language = Some("ZH".to_owned());
    let mut edited = entry(2, "许昌至郑州城际公交下月调价", "");
    edited.emission.updated = Some(NOON.plus(30 * Time::MINUTE));
    edited.emission.republish = Republish::Title;
    let mut foreign = entry(3, "Xuchang opens a wig museum", "The museum shows 300 years of the trade.");
    foreign.emission.language = Some("en".to_owned());
    foreign.emission.offset = 0;
    foreign.emission.link = String::new();
    let image = Some("https://desk.example/image/city/xuchang.png".to_owned());
    Channel { image, ..channel("city/xuchang", "许昌 · 河南城市新闻", vec![rich, edited, foreign]) }
}

fn full() -> Channel {
    let mut whole = entry(1, "Market opens", "The market opened on Monday.");
    whole.emission.republish = Republish::Full;
    whole.emission.source_name = "Tom & Daughters \"Press\"".to_owned();
    whole.emission.creator = whole.emission.source_name.clone();
    whole.source_feed = "https://press.example/feed?x=1&y=2".to_owned();
    whole.html = Some(
        "<p>The market opened on <b>Monday</b>.</p>\n<p><a href=\"https://press.example/\">More</a></p>".to_owned(),
    );
    let file =
        |length| Enclosure { url: "https://press.example/a.mp3".to_owned(), kind: "audio/mpeg".to_owned(), length };
    whole.emission.enclosure = Some(file(123_456));
    let mut unknown = entry(2, "Market to open", "On Monday.");
    unknown.emission.enclosure = Some(file(0));
    unknown.emission.offset = -330;
    Channel {
        language: "en".to_owned(),
        hub: Some("https://desk.example/hub".to_owned()),
        next: Some("https://desk.example/feeds/all.rss?before=1&limit=2".to_owned()),
        ..channel("all", "Desk", vec![whole, unknown])
    }
}

fn hostile() -> Channel {
    let mut entries = vec![
        entry(
            1,
            "]]> <![CDATA[ <script>alert(1)</script> & &amp; &lt;b&gt;",
            "]]></description><script>alert(\"1\")</script> & co",
        ),
        entry(
            2,
            "\u{0}\u{b}\u{c}\u{1b}\u{fffe}\u{ffff}\u{1ffff}控制\u{7f}字符\t\r\n换行",
            "\u{0}\u{b}摘要\r\n第二行\u{fffe}",
        ),
        entry(3, "😀👨‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿 \u{202e}العربية עברית\u{202c} e\u{301}\u{302}\u{303}", "\u{feff}\u{202e}右至左"),
        entry(4, &"长".repeat(2_000), &"摘".repeat(300)),
        entry(5, "<", "&"),
        entry(6, "", "a & b && c &# &#0; &#x0; &nbsp; &bogus;"),
    ];
    entries[0].html = Some("<p>]]> and <![CDATA[ and & and \u{b}&amp;]]&gt;</p>]]>".to_owned());
    entries[1].emission.creator = "王\u{0}小\u{b}明 <&>\"'".to_owned();
    entries[1].emission.link = "https://news.example/?a=1&b=\"<>'\u{1}\n".to_owned();
    entries[1].emission.tags = vec![tag("a]]>b\u{2}"), tag("<b>")];
    entries[1].emission.image = Some("https://news.example/\u{3}i.jpg?a&b\"".to_owned());
    entries[4].emission.link = " JavaScript:alert(1)".to_owned();
    entries[4].source_feed = "data:text/html,x".to_owned();
    entries[5].html = Some("<p>a</p>".to_owned());
    entries[5].emission.link = "//news.example/a".to_owned();
    entries[2].emission.source_name = "\u{202e}源\u{fffe}".to_owned();
    entries[2].source_feed = "https://desk.example/feeds/source/a&b\u{0}.rss".to_owned();
    channel("tag/]]><&\"'\u{b}", "标签 ]]> <&\"' \u{b}\u{fffe}", entries)
}

#[test]
fn golden_editions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/editions");
    let empty = channel("city/aba", "阿坝 · 河南城市新闻", vec![]);
    let archive = Channel {
        prev_archive: Some("https://desk.example/feeds/all/archive/6.rss".to_owned()),
        current: Some("https://desk.example/feeds/all.rss".to_owned()),
        ..channel("all/archive/7", "Desk", vec![entry(1, "Market opens", "The market opened on Monday.")])
    };
    let all = [("plain", plain()), ("full", full()), ("hostile", hostile()), ("empty", empty), ("archive", archive)];
    for (name, channel) in all {
        for format in FORMATS {
            let bytes = format.render(&channel);
            assert_eq!(bytes, format.render(&channel.clone()), "{name}: twice the same");
            let path = folder.join(format!("{name}.{}", format.extension()));
            if std::env::var_os("CITYDESK_BLESS").is_some() {
                std::fs::write(&path, &bytes).expect("the golden file can be written");
            }
            let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let printed = String::from_utf8(bytes).expect("UTF-8");
            assert!(printed == golden, "{} is not what is printed now:\n{printed}", path.display());
        }
    }
}

/// Reads every event of a document, strictly: names match, entities are known, characters are allowed.
fn strictly(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    if let Some(bad) = text.chars().find(|&character| !xml::is_fit(character)) {
        panic!("{bad:?} in the document");
    }
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut depth = 0_i32;
    loop {
        use quick_xml::events::Event;
        match reader.read_event().unwrap_or_else(|error| panic!("{error} at {}", reader.buffer_position())) {
            Event::Eof => break,
            Event::Start(start) => {
                depth += 1;
                attributes(&start);
            }
            Event::Empty(start) => attributes(&start),
            Event::End(_) => depth -= 1,
            Event::GeneralRef(name) => {
                let known = name.is_char_ref() || matches!(&*name, "amp" | "lt" | "gt" | "quot" | "apos");
                assert!(known, "{name:?} is no entity of XML");
            }
            _ => {}
        }
    }
    assert_eq!(depth, 0, "everything is closed");
}

fn attributes(start: &quick_xml::events::BytesStart<'_>) {
    for attribute in start.attributes() {
        let attribute = attribute.unwrap_or_else(|error| panic!("{error} in {start:?}"));
        assert!(!attribute.value.contains('<'), "{attribute:?}");
    }
}

fn one_line(text: &str) -> String {
    xml::line(text).trim().to_owned()
}

/// Prints the channel and reads it back: nothing of it is lost but characters that XML cannot hold.
fn survives(channel: &Channel) {
    let bytes = rss::Rss.render(channel);
    strictly(&bytes);
    let read = ::rss::Channel::read_from(&bytes[..]).expect("our RSS reads back");
    assert_eq!(read.title().trim(), one_line(&channel.title));
    assert_eq!(read.items().len(), channel.entries.len());
    assert!(read.validation_problems().is_empty(), "{:?}", read.validation_problems());
    for (item, entry) in read.items().iter().zip(&channel.entries) {
        let emission = &entry.emission;
        assert_eq!(item.title().unwrap_or_default().trim(), one_line(&emission.title));
        assert_eq!(item.guid().map(|guid| (guid.value(), guid.is_permalink())), Some((&*entry.guid.urn(), false)));
        assert_eq!(item.link().map(str::to_owned), xml::address(&emission.link));
        assert_eq!(item.pub_date(), Some(&*date::rfc2822(emission.published, emission.offset)));
        let described = item.description().unwrap_or_default();
        assert!(!described.contains('<') && !described.contains('>'), "no markup in {described}");
        let unescaped =
            described.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        assert_eq!(unescaped.trim(), xml::clean(emission.summary.trim()).trim());
        let content = item.content().unwrap_or_default();
        match entry.html.as_deref().map(str::trim).filter(|html| !html.is_empty()) {
            Some(html) => assert!(content.contains(xml::clean(html).trim()), "{content} has lost {html}"),
            None => assert_eq!(content, ""),
        }
        let creator = item.dublin_core_ext().and_then(|dc| dc.creators().first()).map_or("", String::as_str);
        assert_eq!(creator.trim(), one_line(&emission.creator));
    }
}

/// Prints an item in every format and reads it with our own reader, whole: parsed, cleaned, dated.
fn comes_back(item: &Item, whole: bool) {
    let mut entry = entry(1, &item.title, &item.summary);
    entry.emission.link.clone_from(&item.link);
    entry.emission.creator = "许昌晨报".to_owned();
    entry.emission.image.clone_from(&item.image);
    entry.emission.enclosure.clone_from(&item.enclosure);
    entry.emission.point = item.point;
    entry.emission.language.clone_from(&item.language);
    entry.emission.rights.clone_from(&item.rights);
    entry.emission.cities = vec![];
    entry.emission.tags = item.tags.iter().filter_map(|tag| Tag::new(tag)).collect();
    entry.html = (whole && !item.html.is_empty()).then(|| item.html.clone());
    let printed = channel("all", "Desk", vec![entry.clone()]);
    let rules = SourceRules { id: source("reader"), zone: "Asia/Shanghai".to_owned(), ..SourceRules::default() };
    let reader = Source::new(rules, Kind::Feed("https://desk.example/feeds/all.rss".to_owned()));
    for format in FORMATS {
        let bytes = format.render(&printed);
        let at = NOON.plus(Time::DAY);
        let fetched = Fetched {
            body: &bytes,
            content_type: Some(format.media_type()),
            url: "https://desk.example/feeds/all",
            at,
        };
        let read = parse::parse(&reader, &fetched).unwrap_or_else(|error| panic!("{}: {error}", format.name()));
        assert_eq!((read.title.as_deref(), read.items.len()), (Some("Desk"), 1), "{}", format.name());
        // Some Latin pairs look like text that was encoded twice, and are mended.
        if read.complaints.iter().any(|complaint| complaint.contains("encoded twice")) {
            continue;
        }
        assert_eq!(read.complaints, Vec::<String>::new(), "{}", format.name());
        let raw = &read.items[0];
        assert_eq!(raw.guid.as_deref(), Some(&*entry.guid.urn()), "{}", format.name());
        let siblings = normalise::Siblings::of(&read);
        let again = normalise::item(raw, item.key.clone(), item.hash, &reader, fetched.url, at, &siblings);
        let shown = |item: &Item| {
            let (link, image) = (xml::address(&item.link), item.image.as_deref().and_then(xml::address));
            let tags: Vec<String> = item.tags.iter().map(|tag| one_line(tag)).collect();
            (link, xml::clean(&item.summary).trim().to_owned(), image, item.enclosure.clone(), tags)
        };
        assert_eq!(shown(&again), shown(item), "{}: {}", format.name(), String::from_utf8_lossy(&bytes));
        // In a headline of RSS readers look for markup and for what is left of it: what only looks so is a matter of taste.
        if format.extension() != "rss" || !item.title.contains(['<', ']']) {
            assert_eq!(again.title, one_line(&item.title), "{}", format.name());
        }
        let dated = again.published.map(|claim| (claim.at, claim.offset));
        assert_eq!(dated, Some((entry.emission.published, entry.emission.offset)), "{}", format.name());
        assert_eq!(again.authors, ["许昌晨报"], "{}", format.name());
        if format.extension() != "json" {
            assert_eq!(again.point, item.point, "{}", format.name());
        }
        if let Some(html) = &entry.html {
            // The closing line that names the publisher is taken for what it is.
            assert_eq!(again.html, xml::clean(html), "{}", format.name());
        }
    }
}

/// What an item becomes that a source sends: as the desk would print it.
fn cleaned(raw: &Raw) -> Item {
    let rules = SourceRules { id: source("xuchang-gov"), zone: "Asia/Shanghai".to_owned(), ..SourceRules::default() };
    let sender = Source::new(rules, Kind::Feed("https://news.example/rss.xml".to_owned()));
    let siblings = normalise::Siblings::of(&Document::default());
    normalise::item(raw, ItemKey::guid("1"), 0, &sender, "https://news.example/rss.xml", NOON, &siblings)
}

trait Problems {
    fn validation_problems(&self) -> Vec<String>;
}

impl Problems for ::rss::Channel {
    /// What the validators of the trade complain about and the reader above does not see.
    fn validation_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for item in self.items() {
            if item.content().is_some() && item.description().is_none() {
                problems.push("content:encoded without description".to_owned());
            }
            if item.author().is_some() {
                problems.push("author must be an e-mail address".to_owned());
            }
            if item.enclosure().is_some_and(|enclosure| enclosure.length().parse::<u64>().unwrap_or(0) == 0) {
                problems.push("enclosure without a length".to_owned());
            }
            if item.source().is_some_and(|source| source.url().is_empty()) {
                problems.push("source without an address".to_owned());
            }
        }
        if self.image().is_some_and(|image| image.link() != self.link() || image.title() != self.title()) {
            problems.push("the image has another title or link than the channel".to_owned());
        }
        problems
    }
}

#[test]
fn what_is_golden_reads_back() {
    for channel in [plain(), full(), hostile(), channel("all", "空", vec![])] {
        survives(&channel);
    }
}

/// The other formats hold the same: ids, headlines, links and dates as a foreign parser reads them.
#[test]
fn the_other_formats_say_the_same() {
    for channel in [plain(), full(), hostile(), channel("all", "空", vec![])] {
        let bytes = atom::Atom.render(&channel);
        strictly(&bytes);
        for bytes in [bytes, json::Json.render(&channel)] {
            let read = feed_rs::parser::parse(&bytes[..]).expect("a feed");
            assert_eq!(read.entries.len(), channel.entries.len());
            assert_eq!(read.title.map(|title| title.content), Some(one_line(&channel.title)));
            for (read, entry) in read.entries.iter().zip(&channel.entries) {
                assert_eq!(read.id, entry.guid.urn());
                let title = read.title.as_ref().map_or("", |title| title.content.as_str());
                assert_eq!(title.trim(), one_line(&entry.emission.title));
                assert_eq!(read.published.map(Time::from), Some(entry.emission.published));
                if let Some(link) = xml::address(&entry.emission.link) {
                    let link = url::Url::parse(&link).expect("an address").to_string();
                    assert!(read.links.iter().any(|read| read.href == link), "{link} in {:?}", read.links);
                }
                assert_eq!(read.authors.len(), 1);
            }
        }
        let json: serde_json::Value = serde_json::from_slice(&json::Json.render(&channel)).expect("JSON");
        for item in json["items"].as_array().expect("items") {
            assert!(item["content_html"].is_string() != item["content_text"].is_string(), "one content: {item}");
        }
    }
}

/// What each reader needs, as the golden files cannot say why.
#[test]
fn what_readers_need() {
    let text = String::from_utf8(rss::Rss.render(&plain())).expect("UTF-8");
    for needed in [
        "<link>https://desk.example/city/xuchang</link>",
        "<atom:link href=\"https://desk.example/feeds/city/xuchang.rss\" rel=\"self\" type=\"application/rss+xml\"/>",
        "<pubDate>Sun, 08 Nov 2026 11:00:00 +0800</pubDate>",
        "<lastBuildDate>Sun, 08 Nov 2026 04:00:00 +0000</lastBuildDate>",
        "<category domain=\"https://desk.example/ns/city\">许昌市</category>",
        "<category domain=\"https://desk.example/ns/tag\">民生</category>",
        "<georss:point>34.035771 113.852454</georss:point>",
        "<atom:updated>2026-11-08T12:30:00+08:00</atom:updated>",
        "<dc:language>en</dc:language>",
        "<generator>citydesk</generator>",
        "<source url=\"https://desk.example/feeds/source/xuchang-gov.rss\">许昌市人民政府</source>",
    ] {
        assert!(text.contains(needed), "{needed} is missing:\n{text}");
    }
    assert_eq!(text.matches("<atom:updated>").count(), 1, "only after a real edit");
    assert!(!text.contains("rel=\"hub\"") && !text.contains("<author>") && !text.contains("dc:date"));
    let text = String::from_utf8(rss::Rss.render(&full())).expect("UTF-8");
    assert!(
        text.contains("<enclosure url=\"https://press.example/a.mp3\" length=\"123456\" type=\"audio/mpeg\"/>"),
        "{text}"
    );
    assert_eq!(text.matches("<enclosure").count(), 1, "none without a length");
    assert!(
        text.contains("<p>Source: <a href=\"https://news.example/a/1.html?id=1&amp;from=list\">Tom &amp; Daughters"),
        "{text}"
    );
}

#[test]
fn lists_of_feeds() {
    let outlines = [
        Outline::group(
            "河南省 <&>\u{b}",
            vec![Outline::feed(
                "许昌",
                "https://desk.example/feeds/city/xuchang.rss?a=1&b=2",
                Some("https://desk.example/city/xuchang".to_owned()),
            )],
        ),
        Outline {
            description: Some("\"全部\"".to_owned()),
            ..Outline::feed("全部", "https://desk.example/feeds/all.rss", None)
        },
        Outline::group("空", vec![]),
    ];
    let bytes = opml::render("河南城市新闻 ]]>", Some(NOON), &outlines);
    strictly(&bytes);
    let expected = r#"<?xml version="1.0" encoding="utf-8"?>
<opml version="2.0">
 <head>
  <title>河南城市新闻 ]]&gt;</title>
  <dateModified>Sun, 08 Nov 2026 04:00:00 +0000</dateModified>
  <docs>http://opml.org/spec2.opml</docs>
 </head>
 <body>
  <outline text="河南省 &lt;&amp;&gt;" title="河南省 &lt;&amp;&gt;">
   <outline type="rss" text="许昌" title="许昌" xmlUrl="https://desk.example/feeds/city/xuchang.rss?a=1&amp;b=2" htmlUrl="https://desk.example/city/xuchang"/>
  </outline>
  <outline type="rss" text="全部" title="全部" xmlUrl="https://desk.example/feeds/all.rss" description="&quot;全部&quot;"/>
  <outline text="空" title="空"/>
 </body>
</opml>
"#;
    assert_eq!(String::from_utf8(bytes).expect("UTF-8"), expected);
}

/// Text with everything that hurts: any character, controls often, markup often.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        (0_u32..0x20).prop_map(|code| char::from_u32(code).map_or_else(String::new, String::from)),
        proptest::sample::select(vec![
            "]]>",
            "]]",
            ">",
            "<",
            "&",
            "&amp;",
            "&#0;",
            "\r\n",
            " ",
            "许昌",
            "<![CDATA[",
            "\"",
            "'",
            "\u{fffe}",
            "-->",
            "<?"
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_story_holds_reads_back(
        texts in proptest::collection::vec(any_text(), 9),
        whole in any::<bool>(),
        at in 631_152_000_000_i64..4_102_444_800_000,
        offset in -720_i16..=840,
    ) {
        let mut one = entry(1, &texts[0], &texts[1]);
        one.emission.creator.clone_from(&texts[2]);
        one.emission.source_name.clone_from(&texts[3]);
        one.emission.tags = vec![tag(&texts[4])];
        one.emission.link = format!("https://a.example/{}", texts[5]);
        one.emission.image = Some(format!("http://a.example/{}", texts[6]));
        one.emission.published = Time(at);
        one.emission.offset = offset;
        one.source_feed = format!("https://a.example/{}", texts[7]);
        one.html = (whole && !one_line(&texts[1]).is_empty()).then(|| texts[8].clone());
        let mut all = channel("all", &texts[3], vec![one, entry(2, "b", "c")]);
        all.home.clone_from(&texts[5]);
        all.address.clone_from(&texts[6]);
        survives(&all);
        strictly(&atom::Atom.render(&all));
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&json::Json.render(&all)).is_ok());
        let list = opml::render(&texts[0], None, &[Outline::group(&texts[1], vec![Outline::feed(&texts[2], &texts[3], Some(texts[4].clone()))])]);
        strictly(&list);
    }

    /// Our own reader makes of what we print what was printed: a desk that reads another desk loses nothing.
    #[test]
    fn whatever_is_printed_our_own_reader_reads_the_same(
        texts in proptest::collection::vec(any_text(), 6),
        length in 0_u64..3,
        place in proptest::option::of((-90_000_000_i32..=90_000_000, -180_000_000_i32..=180_000_000)),
        whole in any::<bool>(),
    ) {
        // What XML cannot hold, or discourages, is lost; the test above knows what that is.
        let texts: Vec<String> = texts.iter().map(|text| xml::clean(text).into_owned()).collect();
        let item = cleaned(&Raw {
            title: Some(format!("许昌 {}", texts[0])),
            summary: Some(format!("正文 {}", markup(&texts[1]))),
            content: Some(format!("<p>正文 {}</p><p>{} 全文</p>", markup(&texts[1]), markup(&texts[2]))),
            link: Some(format!("https://news.example/a?b={}", texts[3])),
            image: Some(format!("https://news.example/{}.jpg", texts[4])),
            enclosure: Some(Enclosure { url: "https://news.example/a.mp3".to_owned(), kind: "audio/mpeg".to_owned(), length }),
            tags: vec![texts[5].chars().filter(|c| c.is_alphanumeric()).collect()],
            language: Some("en".to_owned()),
            point: place.map(|(latitude, longitude)| Point { latitude, longitude }),
            ..Raw::default()
        });
        comes_back(&item, whole);
    }
}

fn markup(text: &str) -> String {
    crate::model::markup::escape(text)
}
