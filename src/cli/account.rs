//! An account of an item: each of its fields, what stood in the document, where, and what was done with it.

use std::collections::BTreeMap;

use crate::model::item::{Credit, Item, Raw};
use crate::model::markup::{Token, Tokens, decode};
use crate::model::source::{Kind, Source};
use crate::normalise;
use crate::parse::Places;

/// One field of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name: `title`, `link`, …
    pub name: &'static str,
    /// What it is now; empty if there is nothing.
    pub value: String,
    /// Where it came from, in words.
    pub from: String,
    /// What was done with it on the way, in words; empty if nothing.
    pub done: Vec<String>,
}

/// What an account is made of.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The source.
    pub source: &'a Source,
    /// The item as the list or feed tells it.
    pub listed: &'a Raw,
    /// And with what its article adds; the same if none was read.
    pub raw: &'a Raw,
    /// Where the fields of `listed` stand.
    pub places: &'a Places,
    /// Language of the document.
    pub language: Option<&'a str>,
    /// The item as it would be filed.
    pub item: &'a Item,
}

/// Every field, in the order in which people ask.
#[must_use]
pub fn account(known: &Known<'_>) -> Vec<Field> {
    let Known { raw, item, .. } = *known;
    let field = |name, value: &str, from: String, done| Field { name, value: value.to_owned(), from, done };
    let mut fields = vec![
        field("title", &item.title, title(known), cleaned(raw.title.as_deref(), &item.title)),
        field("link", &item.link, link(known), moved(raw, item)),
        field("published", &published(item), date(known), Vec::new()),
        field("summary", &item.summary, summary(known), Vec::new()),
        field("text", &item.text, text(known), stripped(known)),
        field("key", &item.key.0, key(known), Vec::new()),
    ];
    let lists: [(&str, &[String], &str); 2] = [("authors", &item.authors, "author"), ("tags", &item.tags, "tag")];
    for (name, values, place) in lists {
        let article =
            if name == "authors" { known.listed.authors != raw.authors } else { known.listed.tags != raw.tags };
        let from = if article { "the article".to_owned() } else { stands(known, place) };
        fields.push(field(name, &values.join(", "), from, Vec::new()));
    }
    let names = |credits: &[Credit]| {
        credits.iter().map(|credit| format!("{} ({})", credit.name, credit.place)).collect::<Vec<_>>().join(", ")
    };
    fields.push(field("credits", &names(&item.credits), credits(known), Vec::new()));
    let image = item.image.as_deref().unwrap_or_default();
    let own = raw.image.is_some() && known.listed.image == raw.image;
    let picture = match (&raw.image, own) {
        (Some(_), true) => stands(known, "image"),
        (Some(_), false) => "the article".to_owned(),
        (None, _) => "the first picture of the text".to_owned(),
    };
    fields.push(field("image", image, picture, Vec::new()));
    let enclosure = item.enclosure.as_ref().map(|it| format!("{} ({}, {} bytes)", it.url, it.kind, it.length));
    fields.push(field("enclosure", &enclosure.unwrap_or_default(), stands(known, "enclosure"), Vec::new()));
    let language = item.language.as_deref().unwrap_or_default();
    let of = match (&raw.language, known.language) {
        (Some(_), _) => stands(known, "language"),
        (None, Some(_)) => "the whole document".to_owned(),
        _ => String::new(),
    };
    fields.push(field("language", language, of, Vec::new()));
    let point = item.point.map(|point| format!("{point:?}")).unwrap_or_default();
    fields.push(field("point", &point, "georss or geo of the item".to_owned(), Vec::new()));
    fields.retain(|field| !field.value.is_empty() || matches!(field.name, "title" | "link" | "published" | "text"));
    for field in &mut fields {
        if field.value.is_empty() {
            "nowhere".clone_into(&mut field.from);
        }
    }
    fields
}

/// Where a field of the document stands, as that document names it.
fn stands(known: &Known<'_>, field: &'static str) -> String {
    if let Some(place) = known.places.get(field) {
        return place.clone();
    }
    let Kind::Page { list, links, .. } = &known.source.kind else { return "the item".to_owned() };
    let Some(pattern) = list.first() else {
        return match (field, links) {
            ("link", Some(links)) => format!("a link that fits `links = '{links}'`"),
            ("link", None) => "a link of the largest group of similar ones (guessed)".to_owned(),
            ("title", _) => "the text of the link".to_owned(),
            _ => "beside the link".to_owned(),
        };
    };
    let selector = match field {
        "title" => &pattern.title,
        "link" => &pattern.link,
        "published" => &pattern.date,
        "credit" => &pattern.credit,
        "summary" => &pattern.summary,
        _ => &None,
    };
    let of = if list.len() > 1 { format!(" (one of {} patterns)", list.len()) } else { String::new() };
    match selector {
        Some(selector) => format!("`{selector}` in `{}`{of}", pattern.item),
        None => format!("the link in `{}`{of}", pattern.item),
    }
}

fn title(known: &Known<'_>) -> String {
    match (&known.listed.title, &known.raw.title) {
        (_, None) => "the first sentence of the text".to_owned(),
        (listed, raw) if listed != raw => "the article".to_owned(),
        _ => stands(known, "title"),
    }
}

fn link(known: &Known<'_>) -> String {
    if known.listed.link.is_some() { stands(known, "link") } else { stands(known, "guid") }
}

fn published(item: &Item) -> String {
    let claim = item.published.as_ref();
    claim.map(|claim| claim.at.at_offset(claim.offset).format("%Y-%m-%d %H:%M:%S %:z").to_string()).unwrap_or_default()
}

fn date(known: &Known<'_>) -> String {
    let Some(claim) = &known.item.published else { return String::new() };
    let (listed, raw) = (known.listed, known.raw);
    let (place, written) = match (&raw.published, &raw.updated) {
        (Some(stamp), _) if listed.published.as_ref() != Some(stamp) => ("the article".to_owned(), stamp.raw.as_str()),
        (Some(stamp), _) => (stands(known, "published"), stamp.raw.as_str()),
        (None, Some(stamp)) => (stands(known, "updated"), stamp.raw.as_str()),
        (None, None) => return claim.method.clone(),
    };
    // What the method says of the address or of first seen goes before what the document says.
    let trust = match claim.trust {
        crate::model::time::Trust::Full => "",
        crate::model::time::Trust::Low => "; low trust",
        crate::model::time::Trust::None => "; not believed",
    };
    format!("{place}: “{}” ({}{trust})", written.trim(), claim.method)
}

fn summary(known: &Known<'_>) -> String {
    let (raw, article) = (known.raw, known.listed.content != known.raw.content);
    match (&raw.summary, &raw.content) {
        (Some(_), _) => stands(known, "summary"),
        (None, Some(_)) if article => "the beginning of the article".to_owned(),
        (None, Some(_)) => format!("the beginning of {}", stands(known, "content")),
        (None, None) => String::new(),
    }
}

fn text(known: &Known<'_>) -> String {
    let (listed, raw) = (known.listed, known.raw);
    match (&raw.content, &raw.summary) {
        (Some(_), _) if listed.content != raw.content => {
            let how = known.source.how.body.as_deref().unwrap_or("readable");
            format!("the article, by `body = \"{how}\"`")
        }
        (Some(_), _) => stands(known, "content"),
        (None, Some(_)) => stands(known, "summary"),
        (None, None) => String::new(),
    }
}

fn key(known: &Known<'_>) -> String {
    match known.item.key.0.split(':').next().unwrap_or_default() {
        "guid" => stands(known, "guid"),
        "link" => "the link in its canonical form".to_owned(),
        "day" => "the headline and the day it claims".to_owned(),
        _ => "the headline and the text".to_owned(),
    }
}

fn credits(known: &Known<'_>) -> String {
    match (&known.listed.credit, &known.raw.credit) {
        (Some(_), _) => format!("{}, and lines of the text", stands(known, "credit")),
        (None, Some(_)) => "the article, and lines of its text".to_owned(),
        (None, None) => "lines of the text, cut out of it".to_owned(),
    }
}

/// What was done with a headline.
fn cleaned(raw: Option<&str>, title: &str) -> Vec<String> {
    let Some(raw) = raw else { return Vec::new() };
    let raw = raw.trim();
    let mut done = Vec::new();
    if raw.contains('<') {
        done.push("markup out".to_owned());
    }
    let once = decode(raw);
    if decode(&once) != once && !title.contains(once.as_ref()) {
        done.push("references decoded again: they were escaped twice".to_owned());
    } else if raw.contains('&') && raw != title {
        done.push("references decoded".to_owned());
    }
    if title.ends_with('…') && !raw.ends_with('…') {
        done.push("cut".to_owned());
    }
    done
}

/// What was done with a link.
fn moved(raw: &Raw, item: &Item) -> Vec<String> {
    let written = raw.link.as_deref().or(raw.guid.as_deref()).unwrap_or_default().trim();
    let mut done = Vec::new();
    if !item.link.is_empty() && written != item.link {
        if written.contains("://") {
            done.push(format!("written as {written}"));
        } else {
            let base = raw.base.as_deref().map(|base| format!(", against the base {base}")).unwrap_or_default();
            done.push(format!("made absolute from {written}{base}"));
        }
    }
    if item.canonical.is_empty() && !item.link.is_empty() {
        done.push("no evidence of identity: other items share it".to_owned());
    } else if !item.link.is_empty() {
        done.push(format!("compared as {}", item.canonical));
    }
    done
}

/// What was taken out of a text: elements that the policy has no place for, lines that name the source, and what was beyond
/// a bound.
fn stripped(known: &Known<'_>) -> Vec<String> {
    let (raw, item) = (known.raw, known.item);
    let Some(written) = raw.content.as_deref().or(raw.summary.as_deref()) else { return Vec::new() };
    let mut done = Vec::new();
    let mut out: BTreeMap<String, usize> = BTreeMap::new();
    for name in ["script", "style", "iframe", "form", "svg", "object", "noscript"] {
        let count = written.to_ascii_lowercase().matches(&format!("<{name}")).count();
        if count > 0 {
            out.insert(name.to_owned(), count);
        }
    }
    let pictures = |html: &str| {
        Tokens::new(html)
            .filter(|token| matches!(token, Token::Open { name, .. } if name.eq_ignore_ascii_case("img")))
            .count()
    };
    let (before, after) = (pictures(written), pictures(&item.html));
    if before > after && !item.html.is_empty() {
        out.insert("img".to_owned(), before - after);
    }
    if !out.is_empty() {
        let names: Vec<String> = out.iter().map(|(name, count)| format!("{count} {name}")).collect();
        done.push(format!("taken out: {}", names.join(", ")));
    }
    let lines: usize = normalise::plain(written).chars().count();
    let kept = item.text.chars().count();
    if kept < lines {
        done.push(format!("{} of {lines} characters cut: lines of attribution, or beyond a bound", lines - kept));
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Time;
    use crate::parse::{self, Fetched};

    /// 2026-11-23 12:00 in Shanghai.
    const AT: Time = Time::from_seconds(1_795_406_400);

    fn told(kind: &str, body: &str) -> BTreeMap<&'static str, (String, Vec<String>)> {
        let text = format!("[[source]]\nid = \"t\"\n{kind}\n");
        let loaded = crate::config::load_text(std::path::Path::new("feeds.toml"), text);
        let source = &loaded.unwrap_or_else(|failed| panic!("{:?}", failed.problems)).settings.sources[0];
        let fetched =
            Fetched { body: body.as_bytes(), content_type: None, url: "https://news.example/f/one.xml", at: AT };
        let document = parse::parse(source, &fetched).unwrap();
        let places = parse::trace(source, &fetched, &document.items);
        let (key, hash) = normalise::identities(&document, source, fetched.url).remove(0);
        let siblings = normalise::Siblings::of(&document);
        let raw = &document.items[0];
        let item = normalise::item(raw, key, hash, source, fetched.url, AT, &siblings);
        let known = Known { source, listed: raw, raw, places: &places[0], language: None, item: &item };
        account(&known).into_iter().map(|field| (field.name, (field.from, field.done))).collect()
    }

    #[test]
    fn each_field_of_a_feed_tells_its_element() {
        let fields = told(
            "feed = \"https://news.example/f/one.xml\"",
            "<rss version='2.0'><channel><item><title>A &amp;amp;amp; B</title><link>/1.html?utm_source=rss</link>\
             <guid isPermaLink='false'>/1.html?utm_source=rss</guid><dc:date>2026-11-22T10:00:00+08:00</dc:date>\
             <description>Short.</description><content:encoded><![CDATA[<p>来源：许昌日报</p><p>Long text of it.</p>\
             <script>x()</script>]]></content:encoded><category>教育</category>\
             <media:group><media:content url='/a.jpg' medium='image'/></media:group></item></channel></rss>",
        );
        let from = |name: &str| fields[name].0.as_str();
        assert_eq!(from("title"), "title");
        assert_eq!(fields["title"].1, ["references decoded again: they were escaped twice"]);
        assert_eq!(from("link"), "link");
        assert_eq!(fields["link"].1, ["made absolute from /1.html?utm_source=rss", "compared as news.example/1.html"]);
        assert!(from("published").starts_with("dc:date: “2026-11-22T10:00:00+08:00”"), "{}", from("published"));
        assert_eq!((from("summary"), from("text"), from("key")), ("description", "content:encoded", "guid"));
        assert_eq!((from("tags"), from("image")), ("category", "media:group/media:content@url"));
        assert!(fields["text"].1.iter().any(|done| done == "taken out: 1 script"), "{:?}", fields["text"].1);
        assert!(fields["text"].1.iter().any(|done| done.contains("lines of attribution")), "{:?}", fields["text"].1);
    }

    #[test]
    fn each_field_of_json_and_of_a_page_tells_its_member_and_selector() {
        let fields = told(
            "feed = \"https://news.example/f.json\"",
            "{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"x\",\"items\":[{\"id\":7,\"url\":\"/7\",\
             \"title\":\"Seven\",\"content_html\":\"<p>Text of it.</p>\",\"date_published\":\"2026-11-22T10:00:00Z\",\
             \"authors\":[{\"name\":\"A. Writer\"}]}]}",
        );
        assert_eq!(fields["title"].0, "title");
        assert_eq!(fields["text"].0, "content_html");
        assert_eq!(fields["authors"].0, "authors[].name");
        assert!(fields["published"].0.starts_with("date_published"), "{}", fields["published"].0);
        let fields = told(
            "page = \"https://news.example/\"\nlist = { item = \"li\", date = \"span\" }",
            "<ul><li><a href=/1.html>梧桐路小学办起周末合唱团</a><span>11-22</span></ul>",
        );
        assert_eq!(fields["title"].0, "the link in `li`");
        assert!(fields["published"].0.starts_with("`span` in `li`: “11-22”"), "{}", fields["published"].0);
        let fields = told(
            r"page = 'https://news.example/'
links = '/(?<y>\d{4})(?<m>\d\d)(?<d>\d\d)/'",
            "<p><a href=/20261122/1.html>梧桐路小学办起周末合唱团</a>",
        );
        assert!(fields["link"].0.starts_with("a link that fits"), "{}", fields["link"].0);
    }
}
