//! Documents that are made to cost: as large as a poll lets through by default, and nothing but what some reader of feeds,
//! pages or JSON is known to stumble over. What each may cost is a bound that the tests hold and the benchmark measures.
#![allow(dead_code, reason = "the tests and the benchmark use their parts")]

use std::collections::BTreeMap;

use citydesk::model::source::{JsonPattern, Kind, ListPattern};

/// What a poll lets through by default, in bytes (`body_max`).
pub const BODY: usize = 10 << 20;

/// A document and what it is read as.
pub struct Hostile {
    /// What is done to the reader.
    pub name: &'static str,
    /// What it is read as.
    pub kind: Kind,
    /// The document.
    pub body: Vec<u8>,
}

fn feed() -> Kind {
    Kind::Feed(String::new())
}

fn page() -> Kind {
    let list = ListPattern {
        item: "div li, ul > li:nth-of-type(2n+1), li:not(.a) ~ li".into(),
        title: Some("a:last-of-type".into()),
        link: Some("a@href".into()),
        date: Some("span:nth-last-of-type(1)".into()),
        ..ListPattern::default()
    };
    Kind::Page { url: String::new(), list: vec![list], links: None }
}

fn api() -> Kind {
    let json = JsonPattern {
        items: "a.b".into(),
        title: "t".into(),
        link: "https://x.example/{id}".into(),
        date: Some("d".into()),
        summary: None,
        credit: None,
    };
    Kind::Api { url: String::new(), post: BTreeMap::default(), json: Box::new(json) }
}

/// So many repetitions of a piece as fit, between a beginning and an end.
fn filled(begin: &str, piece: &str, end: &str, most: usize) -> Vec<u8> {
    let times = most.saturating_sub(begin.len() + end.len()) / piece.len();
    format!("{begin}{}{end}", piece.repeat(times)).into_bytes()
}

/// In an item's title, its text and so on.
fn item(field: &str, piece: &str, size: usize) -> Vec<u8> {
    let begin = format!("<rss version=\"2.0\"><channel><item><title>t</title><link>/1</link><{field}>");
    filled(&begin, piece, &format!("</{field}></item></channel></rss>"), size)
}

fn laughs(levels: usize) -> Vec<u8> {
    let mut text = "<!DOCTYPE rss [<!ENTITY l0 'ha'>".to_owned();
    for level in 1..levels {
        text.push_str(&format!("<!ENTITY l{level} '{}'>", format!("&l{};", level - 1).repeat(10)));
    }
    text.push_str("]><rss><channel><item><link>/1</link><title>");
    text.push_str(&format!("&l{};", levels - 1).repeat(1_000));
    text.push_str("</title></item></channel></rss>");
    text.into_bytes()
}

/// All of them; `size` is what most are made to fill.
pub fn documents(size: usize) -> Vec<Hostile> {
    let deep = |tag: &str, size: usize| tag.repeat(size / tag.len());
    let mut all = Vec::new();
    let mut add = |name: &'static str, kind: Kind, body: Vec<u8>| all.push(Hostile { name, kind, body });
    let rss = "<rss version=\"2.0\"><channel><item><title>t</title><link>/1</link>";
    add("elements nested without end", feed(), format!("{rss}{}", deep("<media:group>", size)).into_bytes());
    add("elements that all begin an item", feed(), filled("<rss><channel>", "<item>", "", size));
    add("items of nothing", feed(), filled("<rss><channel>", "<item/>", "</channel></rss>", size));
    add(
        "items of one letter",
        feed(),
        filled("<rss><channel>", "<item><title>a</title></item>", "</channel></rss>", size),
    );
    add(
        "an attribute as large as the document",
        feed(),
        filled("<rss><channel><item a=\"", "x", "\"></item></channel></rss>", size),
    );
    let attributes: String = (0..size / 12).map(|n| format!(" a{n}=\"{n}\"")).collect();
    add("an element of attributes", feed(), format!("{rss}<a{attributes}/></item></channel></rss>").into_bytes());
    let spaces: String = (0..size / 24).map(|n| format!(" xmlns:a{n}=\"http://{n}/\"")).collect();
    add(
        "an element of namespaces",
        feed(),
        format!("<rss{spaces}><channel><item><title>t</title></item></channel></rss>").into_bytes(),
    );
    add("entities that hold entities", feed(), laughs(12));
    add("ampersands", feed(), item("title", "&", size));
    add("references", feed(), item("title", "&amp;", size));
    add("references without an end", feed(), item("title", "&#x", size));
    add("less-than signs", feed(), item("title", "<", size));
    add("comments without an end", feed(), item("title", "<!--", size));
    add("declarations without an end", feed(), item("title", "<!", size));
    add("sections without an end", feed(), item("description", "<![CDATA[", size));
    add("instructions", feed(), filled("<rss>", "<?xml ?>", "</rss>", size));
    add(
        "feeds behind feeds",
        feed(),
        filled("", "<rss><channel><item><title>a</title></item></channel></rss>", "", size),
    );
    add("addresses in a byline", feed(), item("author", "a@b（", size));
    add("a date of digits", feed(), item("pubDate", "9", size));
    add("a date of words", feed(), item("pubDate", "Mon, 1 ", size));
    add("a date of colons", feed(), item("pubDate", "1:", size));
    add("divisions nested in a text", feed(), item("description", "&lt;div&gt;", size));
    add("formatting nested in a text", feed(), item("description", "&lt;b&gt;&lt;i x=1&gt;&lt;font size=2&gt;", size));
    add("tables nested in a text", feed(), item("description", "&lt;table&gt;&lt;td&gt;", size));
    add("links nested in a text", feed(), item("description", "&lt;a href=x&gt;&lt;p&gt;", size));
    add("pictures", feed(), item("description", "&lt;img src=a&gt;", size));
    add("a text of blanks", feed(), item("description", " \u{3000}", size));
    add("a text of lines", feed(), item("description", "a&lt;br&gt;", size));
    add("a text of labels", feed(), item("description", "来源：甲 ", size));
    add("a text of brackets", feed(), item("description", "（来源：【", size));
    add("a headline of tags that were escaped", feed(), item("title", "&amp;lt;b&amp;gt;x&amp;lt;/b&amp;gt;", size));
    add("a headline of references", feed(), item("title", "&amp;amp;amp;", size));
    add("joined characters", feed(), item("description", "a\u{301}\u{200d}", size));
    add(
        "categories",
        feed(),
        filled("<rss><channel><item><title>t</title>", "<category>a;b、c</category>", "</item></channel></rss>", size),
    );
    add("elements nested in a page", page(), deep("<div><ul><li>", size).into_bytes());
    add("rows of a page", page(), filled("<ul>", "<li><a href=/1>a</a><span>1-1</span>", "</ul>", size));
    add("cells nested in a page", page(), deep("<table><tr><td>", size).into_bytes());
    add("formatting nested in a page", page(), deep("<b><font size=1><p>", size).into_bytes());
    add("lists nested in JSON", api(), deep("[", size).into_bytes());
    add("objects nested in JSON", api(), deep("{\"a\":", size).into_bytes());
    add("rows of JSON", api(), filled("{\"a\":{\"b\":[", "{\"t\":\"a\",\"id\":1},", "{}]}}", size));
    add("escapes of JSON", api(), filled("{\"a\":{\"b\":[{\"t\":\"", "\\ud83d", "\"}]}}", size));
    add("items of a JSON feed", feed(), filled("{\"version\":\"\",\"items\":[", "{\"id\":1},", "{}]}", size));
    add(
        "addresses of a sitemap",
        Kind::Sitemap(String::new()),
        filled("<urlset>", "<url><loc>http://a/1</loc></url>", "</urlset>", size),
    );
    add("elements nested in a sitemap", Kind::Sitemap(String::new()), deep("<url><loc>", size).into_bytes());
    add(
        "bytes of no character set",
        feed(),
        filled("<rss><channel><item><title>", "\u{80}", "</title></item></channel></rss>", size)
            .into_iter()
            .filter(|byte| *byte != 0xc2)
            .collect(),
    );
    add("zeroes", feed(), vec![0; size]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let blank = vec![b' '; 1 << 20];
    for _ in 0..200 {
        // Writing to memory cannot fail.
        let _ = std::io::Write::write_all(&mut packed, &blank);
    }
    add("200 MB of blanks, packed", Kind::Sitemap(String::new()), packed.finish().unwrap_or_default());
    all
}
