//! Our own reader of RSS 0.9x, 1.0, 2.0 and Atom 0.3, 1.0: whatever can be found, wherever it stands.
//!
//! It reads every document beside feed-rs, which loses fields (RSS `source`, GeoRSS, `dc:subject`, `isPermaLink`, `xml:base`,
//! the dates as written), and alone where feed-rs refuses one. Element names are compared without regard to case; prefixes
//! by the namespace they stand for, or at face value where none is declared.

use super::caps;
use super::repair::Repaired;
use crate::model::item::{Credit, Document, Enclosure, Raw, Stamp};
use crate::model::markup::{Attributes, decode};
use crate::model::place::Point;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use url::Url;

/// Elements whose text may be markup: what stands inside them is kept as text, tags and all.
const TEXTS: [&str; 18] = [
    "title",
    "description",
    "summary",
    "content",
    "content:encoded",
    "subtitle",
    "tagline",
    "dc:title",
    "dc:description",
    "media:description",
    "itunes:summary",
    "xhtml:body",
    "body",
    "full-text",
    "fullitem",
    "abstract",
    "encoded",
    "excerpt:encoded",
];

/// Elements that hold fields of something else than the item: a title in them is not the item's.
const OTHERS: [&str; 9] = [
    "source",
    "author",
    "contributor",
    "textinput",
    "media:content",
    "media:group",
    "itunes:owner",
    "atom:author",
    "atom:contributor",
];

/// Rank of a field that stands deeper in the item than it should, in an element that means nothing here.
const DEEP: u8 = 20;

/// So many letters more make a text whose beginning stands elsewhere worth having.
const TEASER: usize = 10;

/// Rank of what a picture is called: better than nothing.
const PICTURE: u8 = 40;

/// Namespaces by a piece of their address, in the order they are tried, and the prefix used here.
const NAMESPACES: [(&str, &str); 28] = [
    ("purl.org/dc/elements", "dc"),
    ("purl.org/dc/terms", "dcterms"),
    ("purl.org/rss/1.0/modules/content", "content"),
    ("purl.org/rss/1.0/modules/syndication", "sy"),
    ("purl.org/rss/1.0/modules", "module"),
    ("search.yahoo.com/mrss", "media"),
    ("search.yahoo.com/rss", "media"),
    ("rssboard.org/media-rss", "media"),
    ("itunes.com", "itunes"),
    ("georss.org", "georss"),
    ("opengis.net/gml", "gml"),
    ("w3.org/2003/01/geo", "geo"),
    ("1999/02/22-rdf-syntax", "rdf"),
    ("1999/xhtml", "xhtml"),
    ("2005/Atom", "atom"),
    ("purl.org/atom", "atom"),
    ("feedburner", "feedburner"),
    ("wordpress.org/export/1.2/excerpt", "excerpt"),
    ("webfeeds.org", "webfeeds"),
    ("prismstandard.org", "prism"),
    ("purl.org/rss/1.0/", ""),
    ("purl.org/net/rss1.1", ""),
    ("my.netscape.com", ""),
    ("channel.netscape.com", ""),
    ("backend.userland.com/rss", ""),
    ("blogs.law.harvard.edu/tech/rss", ""),
    ("cyber.law.harvard.edu/rss", ""),
    ("rssboard.org/rss", ""),
];

/// Reads a repaired document that came from this address. Dates are left as written; a complaint says where it broke off.
pub(super) fn read(repaired: &Repaired, url: &str) -> Document {
    let atom = matches!(repaired.root.as_str(), "feed" | "entry");
    let old_atom = atom && repaired.version.as_deref() == Some("0.3");
    let mut reading = Reading { atom, old_atom, url: Url::parse(url).ok(), ..Reading::default() };
    if let Some(prefix) = repaired.prefix.as_ref().filter(|_| matches!(repaired.root.as_str(), "rss" | "channel")) {
        reading.prefixes.insert(prefix.clone(), "");
    }
    let mut reader = Reader::from_str(&repaired.xml);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => reading.start(&start),
            Ok(Event::Empty(start)) => {
                reading.start(&start);
                reading.end();
            }
            Ok(Event::End(_)) => reading.end(),
            Ok(Event::Text(text)) => reading.text(&text),
            Ok(Event::CData(text)) => reading.text(&text),
            Ok(Event::GeneralRef(name)) => reading.text(&decode(&format!("&{};", &*name))),
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                reading.document.complaints.push(format!("the document could be read only in part: {error}"));
                break;
            }
        }
        if reading.document.items.len() >= caps::ITEMS {
            reading.document.complaints.push(format!("more than {} items: the rest was not read", caps::ITEMS));
            break;
        }
    }
    let mut document = reading.document;
    document.format = format(&repaired.root, repaired.version.as_deref(), reading.old_atom, reading.cdf);
    document.link = document.link.or(reading.feed_id);
    // `ttl` says it in the words of RSS itself.
    document.ttl = document.ttl.or_else(|| reading.pace.0.map(|minutes| (minutes / reading.pace.1.max(1)).max(1)));
    // RFC 4287 section 4.2.1: an entry without author has the feed's.
    if atom && !reading.feed_authors.is_empty() {
        for raw in document.items.iter_mut().filter(|raw| raw.authors.is_empty()) {
            raw.authors.clone_from(&reading.feed_authors);
        }
    }
    document
}

fn format(root: &str, version: Option<&str>, old_atom: bool, cdf: bool) -> String {
    match root {
        "rss" => match version.map(str::trim).filter(|v| !v.is_empty()) {
            Some(version) => format!("RSS {version}"),
            None => "RSS without version".to_owned(),
        },
        "rdf" => "RSS 1.0".to_owned(),
        "channel" if cdf => "CDF".to_owned(),
        "channel" => "RSS without root".to_owned(),
        _ if old_atom => "Atom 0.3".to_owned(),
        _ => "Atom 1.0".to_owned(),
    }
}

/// An open element.
#[derive(Debug, Default)]
struct Frame {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Frame {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name)?;
        Some(found.1.trim()).filter(|value| !value.is_empty())
    }
}

#[derive(Debug, Default)]
struct Reading {
    document: Document,
    /// Where the document came from.
    url: Option<Url>,
    atom: bool,
    old_atom: bool,
    /// Items have their address in an attribute, as in the Channel Definition Format.
    cdf: bool,
    /// Some element has an `xml:base`.
    based: bool,
    feed_authors: Vec<String>,
    feed_id: Option<String>,
    /// `sy:updatePeriod` in minutes, and how often in it.
    pace: (Option<u32>, u32),
    prefixes: BTreeMap<String, &'static str>,
    frames: Vec<Frame>,
    /// Index of the frame whose text takes everything inside it, and whether that is XHTML.
    construct: Option<(usize, bool)>,
    /// Depth of the item's frame, and the item.
    item: Option<(usize, Raw)>,
    found: Found,
}

/// What is found of an item before it is known which of it counts.
#[derive(Debug, Default)]
struct Found {
    /// By preference, smaller first.
    links: Vec<(u8, String)>,
    images: Vec<(u8, String)>,
    enclosures: Vec<(u8, Enclosure)>,
    published: Vec<(u8, String)>,
    updated: Vec<(u8, String)>,
    contents: Vec<(u8, String)>,
    summaries: Vec<(u8, String)>,
    titles: Vec<(u8, String)>,
    credits: Vec<(u8, String)>,
    fallback_authors: Vec<String>,
    content_base: Option<String>,
    summary_base: Option<String>,
    about: Option<String>,
    latitude: Option<String>,
    longitude: Option<String>,
}

/// The first of the best rank.
fn first(found: Vec<(u8, String)>) -> Option<String> {
    found.into_iter().min_by_key(|(rank, _)| *rank).map(|(_, value)| value)
}

/// The last of the best rank: of two dates the later one corrects the earlier.
fn last(found: Vec<(u8, String)>) -> Option<String> {
    found.into_iter().rev().min_by_key(|(rank, _)| *rank).map(|(_, value)| value)
}

impl Reading {
    fn start(&mut self, start: &BytesStart<'_>) {
        let written = &*start.name().into_inner().to_owned();
        if let Some((at, _)) = self.construct {
            // Markup inside a text: kept as it stands.
            let raw = start.attributes_raw();
            if let Some(frame) = self.frames.get_mut(at) {
                frame.text.push('<');
                frame.text.push_str(written.rsplit(':').next().unwrap_or(written));
                frame.text.push_str(raw);
                frame.text.push('>');
            }
            self.frames.push(Frame { name: written.to_owned(), ..Frame::default() });
            return;
        }
        let mut attributes = Vec::new();
        let mut own = None;
        for (key, value) in Attributes::new(start.attributes_raw()) {
            let value = decode(&value).into_owned();
            if key.starts_with("xmlns") {
                let known = NAMESPACES.iter().find(|(piece, _)| value.contains(piece)).map(|(_, prefix)| *prefix);
                match (key.strip_prefix("xmlns:"), known) {
                    (Some(prefix), Some(known)) => {
                        self.prefixes.insert(prefix.to_owned(), known);
                    }
                    (None, known) => own = known.filter(|_| !self.frames.is_empty()),
                    _ => {}
                }
            }
            self.based |= key == "xml:base";
            attributes.push((key.into_owned(), value));
        }
        let mut name = self.canonical(written);
        // An element that brings its own vocabulary.
        if let Some(prefix) = own.filter(|prefix| !(prefix.is_empty() || self.atom && *prefix == "atom"))
            && !written.contains(':')
        {
            name = format!("{prefix}:{name}");
        }
        let inside = self.item.is_some();
        let get = |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if matches!(name.as_str(), "item" | "entry") && !inside {
            let mut raw = Raw { permalink: true, ..Raw::default() };
            raw.base = self.base(&attributes);
            raw.language = get("xml:lang").map(str::to_owned);
            if let Some(about) = get("rdf:about") {
                self.found.links.push((10, self.resolved(&attributes, about)));
                self.found.about = Some(about.to_owned());
            }
            if let Some(href) = get("href") {
                self.cdf = true;
                self.found.links.push((1, self.resolved(&attributes, href)));
            }
            if let Some(modified) = get("lastmod") {
                self.found.updated.push((1, modified.to_owned()));
            }
            self.item = Some((self.frames.len(), raw));
        } else if TEXTS.contains(&name.as_str()) {
            let xhtml = name == "xhtml:body"
                || (self.atom
                    && (get("type").is_some_and(|kind| kind == "xhtml" || kind.ends_with("xml"))
                        || get("mode") == Some("xml")));
            self.construct = Some((self.frames.len(), xhtml));
        }
        self.frames.push(Frame { name, attributes, text: String::new() });
    }

    /// The name in lower case with the prefix used here.
    fn canonical(&self, written: &str) -> String {
        let Some((prefix, local)) = written.split_once(':') else {
            return written.to_ascii_lowercase();
        };
        let local = local.to_ascii_lowercase();
        let lower = prefix.to_ascii_lowercase();
        let prefix = self.prefixes.get(&lower).copied().unwrap_or(&lower);
        if matches!(prefix, "" | "rss" | "yandex") || (prefix == "atom" && self.atom) {
            local
        } else {
            format!("{prefix}:{local}")
        }
    }

    /// `xml:base` in force for an element with these attributes, absolute where the document's own address is known
    /// (RFC 3986 section 5.1); `None` if there is none.
    fn base(&self, attributes: &[(String, String)]) -> Option<String> {
        if !self.based {
            return None;
        }
        let own = attributes.iter().find(|(key, _)| key == "xml:base").map(|(_, value)| value.trim());
        let outer = self.frames.iter().filter_map(|frame| frame.get("xml:base"));
        let mut base: Option<String> = None;
        for next in outer.chain(own).filter(|next| !next.is_empty()) {
            let before = base.as_deref().and_then(|base| Url::parse(base).ok());
            let joined = before.as_ref().or(self.url.as_ref()).and_then(|before| before.join(next).ok());
            base = Some(joined.map_or_else(|| next.to_owned(), String::from));
        }
        base
    }

    /// An address in an element with these attributes, absolute where an `xml:base` is in force.
    fn resolved(&self, attributes: &[(String, String)], address: &str) -> String {
        let base = self.base(attributes).and_then(|base| Url::parse(&base).ok());
        base.and_then(|base| base.join(address.trim()).ok()).map_or_else(|| address.to_owned(), String::from)
    }

    fn text(&mut self, text: &str) {
        match self.construct {
            Some((at, xhtml)) => {
                if let Some(frame) = self.frames.get_mut(at) {
                    if xhtml {
                        escape(text, &mut frame.text);
                    } else {
                        frame.text.push_str(text);
                    }
                }
            }
            None => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.text.push_str(text);
                }
            }
        }
    }

    fn end(&mut self) {
        let Some(mut frame) = self.frames.pop() else { return };
        let depth = self.frames.len();
        if let Some((at, _)) = self.construct {
            if at < depth {
                if let Some(open) = self.frames.get_mut(at) {
                    let local = frame.name.rsplit(':').next().unwrap_or_default();
                    let _ = write!(open.text, "</{local}>");
                }
                return;
            }
            self.construct = None;
            if self.atom && depth > 0 {
                frame.text = self.atom_text(&frame);
            }
        }
        match self.item.take() {
            Some((at, raw)) if at == depth => self.finish(raw),
            Some((at, mut raw)) => {
                let mut found = std::mem::take(&mut self.found);
                self.field(&mut raw, &mut found, &frame, depth == at + 1);
                self.found = found;
                self.item = Some((at, raw));
            }
            None => self.feed_field(&frame),
        }
    }

    /// The text of an Atom construct as HTML (RFC 4287 section 3.1).
    fn atom_text(&self, frame: &Frame) -> String {
        if frame.name.contains(':') {
            return frame.text.clone();
        }
        let kind = frame.get("type").unwrap_or("text");
        if frame.get("mode") == Some("base64")
            || !(kind.contains("text") || kind.contains("html") || kind.contains("xml"))
        {
            // Anything else is Base64 (RFC 4287 section 4.1.3.3), of a text, a picture or whatever.
            let readable = base64(&frame.text).and_then(|bytes| String::from_utf8(bytes).ok());
            return readable
                .unwrap_or_else(|| if frame.name == "content" { String::new() } else { frame.text.clone() });
        }
        let html = matches!(kind, "html" | "text/html" | "xhtml") || kind.ends_with("xml") || self.old_atom;
        if html {
            // That of the content may have a base of its own.
            let text = trimmed(&frame.text);
            if frame.name == "content" { text.to_owned() } else { without_wrapper(text).0.to_owned() }
        } else {
            let mut out = String::with_capacity(frame.text.len());
            escape(&frame.text, &mut out);
            out
        }
    }

    /// The base of a text that has its own, or whose wrapping `div` has one.
    fn own_base(&self, frame: &Frame, wrapper: Option<&str>) -> Option<String> {
        let written = frame.get("xml:base").is_some() || wrapper.is_some();
        let base = if written { self.base(&frame.attributes) } else { None };
        let inner = wrapper.map(|wrapper| match base.as_deref().and_then(|base| Url::parse(base).ok()) {
            Some(base) => base.join(wrapper).map_or_else(|_| wrapper.to_owned(), String::from),
            None => self.resolved(&[("xml:base".to_owned(), wrapper.to_owned())], ""),
        });
        inner.or(base)
    }

    /// A field of an item. `direct`: it stands in the item itself and not deeper.
    fn field(&self, raw: &mut Raw, found: &mut Found, frame: &Frame, direct: bool) {
        let text = trimmed(&frame.text);
        let parent = self.frames.last().map_or("", |frame| frame.name.as_str());
        let other = !direct && self.frames.iter().skip(1).any(|open| OTHERS.contains(&open.name.as_str()));
        let deep = match (direct, parent) {
            (true, _) => 0,
            (false, "image") => PICTURE,
            _ => DEEP,
        };
        let address = |value: &str| if self.based { self.resolved(&frame.attributes, value) } else { value.to_owned() };
        let put = |list: &mut Vec<(u8, String)>, rank: u8, value: &str| {
            if !value.trim().is_empty() {
                list.push((rank + deep, trimmed(value).to_owned()));
            }
        };
        let name = frame.name.as_str();
        // What belongs to something inside the item.
        if other && !name.contains(':') {
            match (name, parent) {
                ("title", "source") => put(&mut found.credits, 2, text),
                ("name", "author" | "atom:author") if !self.frames.iter().any(|open| open.name == "source") => {
                    raw.authors.extend(some(text));
                }
                ("email", "author") if raw.authors.is_empty() => found.fallback_authors.extend(some(text)),
                ("category", _) => raw.tags.extend(some(text)),
                _ => {}
            }
            return;
        }
        match name {
            "title" => put(&mut found.titles, 0, text),
            "dc:title" => put(&mut found.titles, 1, text),
            "media:title" => put(&mut found.titles, 2, text),
            "itunes:title" => put(&mut found.titles, 3, text),
            "guid" if raw.guid.is_none() => {
                raw.permalink = !frame.get("ispermalink").is_some_and(|value| value.eq_ignore_ascii_case("false"));
                raw.guid = Some(text.to_owned()).filter(|guid| !guid.is_empty());
            }
            "id" if direct => {
                raw.permalink = false;
                raw.guid = raw.guid.take().or_else(|| Some(text.to_owned())).filter(|guid| !guid.is_empty());
            }
            // The publisher's own address, where `link` leads over a counter.
            "feedburner:origlink" | "pheedo:origlink" => put(&mut found.links, 0, &address(text)),
            "link" | "atom:link" | "itunes:link" | "a" => {
                if let Some(href) = frame.get("href") {
                    let kind = frame.get("type").unwrap_or_default();
                    let href = &address(href);
                    match frame.get("rel").unwrap_or("alternate") {
                        "alternate" if kind.is_empty() || kind.contains("html") => put(&mut found.links, 2, href),
                        "alternate" => put(&mut found.links, 4, href),
                        "self" => put(&mut found.links, 9, href),
                        "enclosure" => enclosure(found, 0, href, kind, frame.get("length")),
                        "image" => found.images.push((3, href.to_owned())),
                        _ => {}
                    }
                } else if name != "a" && !text.is_empty() {
                    put(&mut found.links, 1, &address(text));
                }
            }
            "pubdate" => put(&mut found.published, 0, text),
            "published" | "atom:published" => put(&mut found.published, 1, text),
            "issued" => put(&mut found.published, 2, text),
            "dc:date" => put(&mut found.published, 3, text),
            "dcterms:issued" | "dcterms:created" | "dcterms:date" | "dc:issued" | "created" | "date" => {
                put(&mut found.published, 4, text);
            }
            "prism:publicationdate" | "pubtime" | "publishtime" | "publishdate" | "publicationdate" | "pub_date" => {
                put(&mut found.published, 5, text);
            }
            "updated" | "modified" | "atom:updated" | "dcterms:modified" => put(&mut found.updated, 0, text),
            "lastmod" | "lastbuilddate" | "lastmodified" => put(&mut found.updated, 2, text),
            "description" | "summary" | "abstract" => {
                found.summary_base = self.own_base(frame, None).or(found.summary_base.take());
                put(&mut found.summaries, 0, text);
            }
            "dc:description" | "dcterms:abstract" | "excerpt:encoded" => put(&mut found.summaries, 1, text),
            "itunes:summary" => put(&mut found.summaries, 2, text),
            "media:description" => put(&mut found.summaries, 3, text),
            "itunes:subtitle" => put(&mut found.summaries, 4, text),
            "content:encoded" | "encoded" => put(&mut found.contents, 0, text),
            "content" if frame.get("src").is_none() => {
                let (text, wrapper) = without_wrapper(text);
                found.content_base = self.own_base(frame, wrapper);
                put(&mut found.contents, 1, text);
            }
            "full-text" | "fullitem" | "body" | "xhtml:body" => put(&mut found.contents, 2, text),
            "author" | "dc:creator" | "dc:contributor" | "dc:author" | "creator" | "byline" => {
                raw.authors.extend(some(text));
            }
            "itunes:author" | "media:author" => found.fallback_authors.extend(some(text)),
            "category" | "media:category" => {
                // The label is for people, the term for programs.
                let named = frame.get("label").or_else(|| some_str(text)).or_else(|| frame.get("term"));
                raw.tags.extend(named.and_then(some));
            }
            "itunes:category" => raw.tags.extend(frame.get("text").and_then(some)),
            "dc:subject" | "dcterms:subject" | "subject" => raw.tags.extend(some(text)),
            // Lists; a name of a category may hold a comma.
            "media:keywords" | "itunes:keywords" | "keywords" | "keyword" | "tags" | "tag" => {
                raw.tags.extend(text.split([',', '，']).filter_map(some));
            }
            "source" if !self.atom => put(&mut found.credits, 0, text),
            "dc:source" | "dcterms:source" if !text.contains("://") => put(&mut found.credits, 1, text),
            "dc:language" => raw.language = some(text).or_else(|| raw.language.take()),
            "rights" | "dc:rights" | "copyright" | "media:copyright" if raw.rights.is_none() => raw.rights = some(text),
            "enclosure" => {
                let kind = frame.get("type").unwrap_or_default();
                if let Some(url) = frame.get("url").or_else(|| frame.get("href")) {
                    enclosure(found, 0, &address(url), kind, frame.get("length"));
                }
            }
            "media:content" => {
                let kind = frame.get("type").unwrap_or_default();
                if let Some(url) = frame.get("url") {
                    let url = &address(url);
                    let medium = frame.get("medium").unwrap_or_default();
                    if medium == "image" || kind.starts_with("image/") || (kind.is_empty() && is_picture(url)) {
                        found.images.push((0, url.to_owned()));
                    } else if !kind.is_empty() {
                        enclosure(found, 1, url, kind, frame.get("filesize"));
                    }
                }
            }
            "media:thumbnail" => {
                found.images.extend(some(frame.get("url").unwrap_or(text)).map(|url| (1, address(&url))));
            }
            "itunes:image" | "webfeeds:cover" => {
                let url = ["href", "image", "url"].into_iter().find_map(|name| frame.get(name));
                found.images.extend(url.map(|url| (3, address(url))));
            }
            "image" if direct => found.images.extend(some(text).map(|url| (4, address(&url)))),
            "url" if parent == "image" => found.images.extend(some(text).map(|url| (4, address(&url)))),
            "georss:point" | "gml:pos" => raw.point = raw.point.or_else(|| point(text)),
            "geo:lat" => found.latitude = some(text),
            "geo:long" | "geo:lon" => found.longitude = some(text),
            _ => {}
        }
    }

    fn finish(&mut self, mut raw: Raw) {
        let mut found = std::mem::take(&mut self.found);
        raw.title = first(found.titles);
        raw.link = first(found.links);
        raw.image = first(found.images);
        raw.enclosure = first_enclosure(found.enclosures);
        // The content's own base is not that of the link beside it.
        let base = if found.contents.is_empty() { found.summary_base } else { found.content_base };
        if let Some(base) = base {
            let document = self.url.as_ref();
            let absolute = |address: &mut String| {
                if let Some(url) = document.and_then(|document| document.join(address).ok()) {
                    *address = url.into();
                }
            };
            raw.link.iter_mut().chain(&mut raw.image).for_each(absolute);
            raw.enclosure.iter_mut().map(|enclosure| &mut enclosure.url).for_each(absolute);
            raw.base = Some(base);
        }
        // One that only repeats the link identifies no better than the link does.
        raw.guid = raw.guid.take().or_else(|| found.about.filter(|about| raw.link.as_ref() != Some(about)));
        raw.content = first(found.contents);
        // Of two descriptions the longer one is the text.
        let second = found.summaries.iter().filter(|(rank, _)| *rank == 0).nth(1).map(|(_, text)| text.clone());
        // A teaser in the description stands before the whole text in another field.
        let second = second.or_else(|| {
            let (_, teaser) = found.summaries.iter().min_by_key(|(rank, _)| *rank)?;
            let longest = found.summaries.iter().map(|(_, text)| text).max_by_key(|text| text.len())?;
            let whole = raw.content.is_none() && longest.len() > teaser.len() && is_teaser(teaser, longest);
            whole.then(|| longest.clone())
        });
        raw.summary = first(found.summaries);
        if let (None, Some(summary), Some(second)) = (&raw.content, &mut raw.summary, second) {
            let longer = second.len() > summary.len();
            raw.content = Some(if longer { second } else { std::mem::replace(summary, second) });
        }
        // `source` and `dc:source` may name two: the channel it was taken from, and where that has it from.
        found.credits.sort_by_key(|(rank, _)| *rank);
        let mut credits = found.credits.into_iter().map(|(_, name)| name);
        raw.credit = credits.next();
        raw.credits = credits.map(|name| Credit { name, place: "feed".to_owned() }).collect();
        raw.published = last(found.published).map(stamp);
        raw.updated = last(found.updated).map(stamp);
        if raw.authors.is_empty() {
            raw.authors = found.fallback_authors;
        }
        if let (None, Some(latitude), Some(longitude)) = (raw.point, found.latitude, found.longitude) {
            raw.point = point(&format!("{latitude} {longitude}"));
        }
        self.document.items.push(raw);
    }

    fn feed_field(&mut self, frame: &Frame) {
        let text = trimmed(&frame.text);
        match (frame.name.as_str(), self.frames.len()) {
            // The feed's own identity is often its page.
            ("id", 1) if text.starts_with("http://") || text.starts_with("https://") => self.feed_id = some(text),
            ("name", 2) if self.frames.last().is_some_and(|parent| parent.name == "author") => {
                self.feed_authors.extend(some(text));
            }
            ("sy:updateperiod", _) => self.pace.0 = period(text),
            ("sy:updatefrequency", _) => self.pace.1 = text.parse().unwrap_or(1),
            _ => {}
        }
        let mut document = std::mem::take(&mut self.document);
        self.about_feed(&mut document, frame);
        self.document = document;
    }

    fn about_feed(&mut self, document: &mut Document, frame: &Frame) {
        let text = trimmed(&frame.text);
        let parent = self.frames.last().map_or("", |frame| frame.name.as_str());
        let top = matches!(parent, "channel" | "feed" | "rdf:rdf" | "rss");
        let address = |value: &str| {
            let value = if self.based { self.resolved(&frame.attributes, value) } else { value.trim().to_owned() };
            let relative = self.url.as_ref().filter(|_| !value.contains("://"));
            relative.and_then(|url| url.join(&value).ok()).map_or(value, String::from)
        };
        match frame.name.as_str() {
            "title" | "dc:title" if top && document.title.is_none() => document.title = some(text),
            "link" | "atom:link" | "itunes:link" if top => {
                let href = frame.get("href");
                match (href, frame.get("rel").unwrap_or("alternate")) {
                    (Some(href), "hub") if document.hub.is_none() => document.hub = Some(address(href)),
                    (Some(href), "self") if document.topic.is_none() => document.topic = Some(address(href)),
                    (Some(href), "alternate") if document.link.is_none() => document.link = Some(address(href)),
                    (Some(href), "image") if document.image.is_none() => document.image = Some(address(href)),
                    (None, _) if document.link.is_none() => document.link = some(text).map(|link| address(&link)),
                    _ => {}
                }
            }
            "url" if parent == "image" && document.image.is_none() => {
                document.image = some(text).map(|url| address(&url));
            }
            "logo" | "icon" if top && document.image.is_none() => {
                document.image = some(text).map(|url| address(&url));
            }
            "itunes:image" if top && document.image.is_none() => {
                document.image = frame.get("href").or(frame.get("url")).map(address);
            }
            "language" | "dc:language" if top && document.language.is_none() => document.language = some(text),
            "rights" | "dc:rights" | "copyright" if top && document.rights.is_none() => document.rights = some(text),
            "ttl" if top => document.ttl = text.parse().ok(),
            "hour" if parent == "skiphours" => document.skip.hour(text),
            "day" if parent == "skipdays" => document.skip.day(text),
            "feed" | "rss" | "rdf:rdf" | "channel" => {
                if document.language.is_none() {
                    document.language = frame.get("xml:lang").map(str::to_owned);
                }
                if document.link.is_none() && frame.name == "channel" {
                    document.link = frame.get("href").map(address);
                }
            }
            _ => {}
        }
    }
}

/// Without the `div` that stands around XHTML and is no part of it (RFC 4287 section 3.1.1.3), and the base that it states.
fn without_wrapper(text: &str) -> (&str, Option<&str>) {
    let inside = text.strip_prefix("<div").and_then(|rest| rest.strip_suffix("</div>"));
    let inside = inside.filter(|rest| rest.starts_with([' ', '>']) && rest.contains("1999/xhtml"));
    let Some((attributes, inside)) = inside.and_then(|rest| rest.split_once('>')) else { return (text, None) };
    let base = attributes.split_once("xml:base=").and_then(|(_, rest)| {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest[1..].split_once(quote).map(|(base, _)| base)
    });
    (inside, base)
}

/// Base64 (RFC 4648 section 4), blanks in it passed over; `None` if it is none.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

/// `sy:updatePeriod` in minutes (RSS 1.0 syndication module).
fn period(text: &str) -> Option<u32> {
    Some(match text.to_ascii_lowercase().as_str() {
        "hourly" => 60,
        "daily" => 24 * 60,
        "weekly" => 7 * 24 * 60,
        "monthly" => 30 * 24 * 60,
        "yearly" => 365 * 24 * 60,
        _ => return None,
    })
}

fn some_str(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Without the blanks at its ends, but one: behind a letter beyond ASCII NEL and NBSP may be the last byte of a character that was
/// encoded twice.
fn trimmed(text: &str) -> &str {
    let text = text.trim_start();
    let bare = text.trim_end();
    let byte = ['\u{85}', '\u{a0}'].iter().find(|byte| text[bare.len()..].starts_with(**byte));
    match byte.filter(|_| bare.ends_with(|c: char| !c.is_ascii())) {
        Some(byte) => &text[..bare.len() + byte.len_utf8()],
        None => bare,
    }
}

fn some(text: &str) -> Option<String> {
    let text = trimmed(text);
    (!text.is_empty()).then(|| text.to_owned())
}

fn stamp(raw: String) -> Stamp {
    Stamp { raw, claim: None }
}

fn enclosure(found: &mut Found, rank: u8, url: &str, kind: &str, length: Option<&str>) {
    if kind.starts_with("image/") || (kind.is_empty() && is_picture(url)) {
        found.images.push((2, url.to_owned()));
    }
    let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or_default();
    found.enclosures.push((rank, Enclosure { url: url.to_owned(), kind: kind.to_owned(), length }));
}

/// The first of the best rank; a length that it lacks may stand at the same file elsewhere in the item.
fn first_enclosure(found: Vec<(u8, Enclosure)>) -> Option<Enclosure> {
    let at = found.iter().enumerate().min_by_key(|(_, (rank, _))| *rank)?.0;
    let again = found.iter().filter(|(_, other)| other.url == found[at].1.url).map(|(_, other)| other.length).max();
    let (_, mut best) = found.into_iter().nth(at)?;
    if best.length == 0 {
        best.length = again.unwrap_or_default();
    }
    Some(best)
}

/// The characters of a text without its tags and blanks.
fn letters(text: &str) -> impl Iterator<Item = char> {
    let mut inside = false;
    text.chars().filter(move |c| {
        inside = *c == '<' || (inside && *c != '>');
        !inside && *c != '>' && !c.is_whitespace()
    })
}

/// Whether a text is the beginning of a longer one, cut off: a teaser beside the text itself.
fn is_teaser(short: &str, long: &str) -> bool {
    let short: String = letters(short).collect();
    let short = short.strip_suffix("...").unwrap_or_else(|| short.trim_end_matches('…'));
    let mut long = letters(long);
    !short.is_empty() && short.chars().all(|c| long.next() == Some(c)) && long.count() > TEASER
}

/// Whether an address ends like a picture's.
fn is_picture(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    [".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"].iter().any(|end| path.ends_with(end))
}

/// `latitude longitude`, as GeoRSS Simple has it.
fn point(text: &str) -> Option<Point> {
    let mut numbers = text.split([' ', ',', '\n', '\t']).filter(|part| !part.is_empty());
    let latitude = millionths(numbers.next()?, 90)?;
    let longitude = millionths(numbers.next()?, 180)?;
    // Nothing happens at 0 0: it stands for "unknown".
    (latitude != 0 || longitude != 0).then_some(Point { latitude, longitude })
}

fn millionths(text: &str, most: i32) -> Option<i32> {
    let degrees: f64 = text.parse().ok()?;
    (degrees.abs() <= f64::from(most)).then(|| (degrees * 1e6).round() as i32)
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
}
