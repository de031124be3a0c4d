//! Our own reader of RSS 0.9x, 1.0, 2.0 and Atom 0.3, 1.0: whatever can be found, wherever it stands.
//!
//! It reads every document beside feed-rs, which loses fields (RSS `source`, GeoRSS, `dc:subject`, `isPermaLink`, `xml:base`,
//! the dates as written), and alone where feed-rs refuses one. Element names are compared without regard to case; prefixes
//! by the namespace they stand for, or at face value where none is declared.

use super::caps;
use super::repair::Repaired;
use crate::model::item::{Document, Enclosure, Raw, Stamp};
use crate::model::markup::{Attributes, decode};
use crate::model::place::Point;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Elements whose text may be markup: what stands inside them is kept as text, tags and all.
const TEXTS: [&str; 13] = [
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
    "full-text",
];

/// Namespaces by a piece of their address, in the order they are tried, and the prefix used here.
const NAMESPACES: [(&str, &str); 16] = [
    ("purl.org/dc/elements", "dc"),
    ("purl.org/dc/terms", "dcterms"),
    ("purl.org/rss/1.0/modules/content", "content"),
    ("purl.org/rss/1.0/modules/syndication", "sy"),
    ("purl.org/rss/1.0/modules", "module"),
    ("search.yahoo.com/mrss", "media"),
    ("itunes.com", "itunes"),
    ("georss.org", "georss"),
    ("opengis.net/gml", "gml"),
    ("w3.org/2003/01/geo", "geo"),
    ("1999/02/22-rdf-syntax", "rdf"),
    ("1999/xhtml", "xhtml"),
    ("2005/Atom", "atom"),
    ("purl.org/atom", "atom"),
    ("purl.org/rss/1.0/", ""),
    ("my.netscape.com/rdf", ""),
];

/// Reads a repaired document. Dates are left as written; a complaint says where it broke off.
pub(super) fn read(repaired: &Repaired) -> Document {
    let atom = matches!(repaired.root.as_str(), "feed" | "entry");
    let old_atom = atom && repaired.version.as_deref() == Some("0.3");
    let mut reading = Reading { atom, old_atom, ..Reading::default() };
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
    document.format = format(&repaired.root, repaired.version.as_deref(), reading.old_atom);
    document
}

fn format(root: &str, version: Option<&str>, old_atom: bool) -> String {
    match root {
        "rss" => match version.map(str::trim).filter(|v| !v.is_empty()) {
            Some(version) => format!("RSS {version}"),
            None => "RSS without version".to_owned(),
        },
        "rdf" => "RSS 1.0".to_owned(),
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
    atom: bool,
    old_atom: bool,
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
    published: Vec<(u8, String)>,
    updated: Vec<(u8, String)>,
    contents: Vec<(u8, String)>,
    summaries: Vec<(u8, String)>,
    titles: Vec<(u8, String)>,
    credits: Vec<(u8, String)>,
    fallback_authors: Vec<String>,
    content_base: Option<String>,
    latitude: Option<String>,
    longitude: Option<String>,
}

fn first(mut found: Vec<(u8, String)>) -> Option<String> {
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().next().map(|(_, value)| value)
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
        for (key, value) in Attributes::new(start.attributes_raw()) {
            let value = decode(&value).into_owned();
            if let Some(prefix) = key.strip_prefix("xmlns:") {
                let known = NAMESPACES.iter().find(|(piece, _)| value.contains(piece));
                if let Some((_, canonical)) = known {
                    self.prefixes.insert(prefix.to_owned(), canonical);
                }
            }
            attributes.push((key.into_owned(), value));
        }
        let name = self.canonical(written);
        let inside = self.item.is_some();
        if matches!(name.as_str(), "item" | "entry") && !inside {
            let mut raw = Raw { permalink: true, ..Raw::default() };
            raw.base = self.base(&attributes);
            raw.language = attributes.iter().find(|(key, _)| key == "xml:lang").map(|(_, value)| value.clone());
            if let Some((_, about)) = attributes.iter().find(|(key, _)| key == "rdf:about") {
                self.found.links.push((9, about.clone()));
            }
            self.item = Some((self.frames.len(), raw));
        } else if TEXTS.contains(&name.as_str()) {
            let kind = attributes.iter().find(|(key, _)| key == "type").map(|(_, value)| value.as_str());
            let mode = attributes.iter().find(|(key, _)| key == "mode").map(|(_, value)| value.as_str());
            let xhtml = name == "xhtml:body"
                || (self.atom
                    && (kind == Some("xhtml") || kind.is_some_and(|k| k.ends_with("xml")) || mode == Some("xml")));
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

    /// `xml:base` in force for an element with these attributes.
    fn base(&self, attributes: &[(String, String)]) -> Option<String> {
        let own = attributes.iter().find(|(key, _)| key == "xml:base").map(|(_, value)| value.trim().to_owned());
        let outer = self.frames.iter().filter_map(|frame| frame.get("xml:base"));
        let mut base: Option<String> = None;
        for next in outer.map(str::to_owned).chain(own) {
            let joined = base.as_deref().and_then(|base| url::Url::parse(base).ok()?.join(&next).ok());
            base = Some(joined.map_or(next, String::from));
        }
        base.filter(|base| !base.is_empty())
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
                self.field(&mut raw, &frame, depth == at + 1);
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
        let html = matches!(kind, "html" | "text/html" | "xhtml") || kind.ends_with("xml") || self.old_atom;
        if html {
            without_wrapper(frame.text.trim()).to_owned()
        } else if kind == "text" || kind.starts_with("text/") || frame.name != "content" {
            let mut out = String::with_capacity(frame.text.len());
            escape(&frame.text, &mut out);
            out
        } else {
            String::new() // base64 of something that is no text
        }
    }

    /// A field of an item. `direct`: it stands in the item itself and not deeper.
    fn field(&mut self, raw: &mut Raw, frame: &Frame, direct: bool) {
        let text = frame.text.trim();
        let parent = self.frames.last().map_or("", |frame| frame.name.as_str());
        let found = &mut self.found;
        let put = |list: &mut Vec<(u8, String)>, rank: u8, value: &str| {
            if !value.trim().is_empty() {
                list.push((rank, value.trim().to_owned()));
            }
        };
        match (frame.name.as_str(), direct) {
            ("title", true) => put(&mut found.titles, 0, text),
            ("dc:title", true) => put(&mut found.titles, 1, text),
            ("media:title", _) => put(&mut found.titles, 2, text),
            ("title", false) if parent == "source" => put(&mut found.credits, 2, text),
            ("guid", true) => {
                raw.permalink = !frame.get("ispermalink").is_some_and(|value| value.eq_ignore_ascii_case("false"));
                raw.guid = Some(text.to_owned()).filter(|guid| !guid.is_empty());
            }
            ("id", true) => {
                raw.permalink = false;
                raw.guid = raw.guid.take().or_else(|| Some(text.to_owned())).filter(|guid| !guid.is_empty());
            }
            ("link" | "atom:link", true) => {
                if let Some(href) = frame.get("href") {
                    let kind = frame.get("type").unwrap_or_default();
                    match frame.get("rel").unwrap_or("alternate") {
                        "alternate" if kind.is_empty() || kind.contains("html") => put(&mut found.links, 1, href),
                        "alternate" => put(&mut found.links, 3, href),
                        "self" => put(&mut found.links, 8, href),
                        "enclosure" => enclosure(raw, found, href, kind, frame.get("length")),
                        _ => {}
                    }
                } else {
                    put(&mut found.links, 0, text);
                }
            }
            ("pubdate", true) => put(&mut found.published, 0, text),
            ("published" | "issued" | "atom:published", true) => put(&mut found.published, 1, text),
            ("dc:date", true) => put(&mut found.published, 2, text),
            ("dcterms:issued" | "dcterms:created" | "created" | "date", true) => put(&mut found.published, 3, text),
            ("updated" | "modified" | "atom:updated" | "dcterms:modified", true) => put(&mut found.updated, 0, text),
            ("description" | "summary", true) => put(&mut found.summaries, 0, text),
            ("dc:description", true) => put(&mut found.summaries, 1, text),
            ("itunes:summary", true) => put(&mut found.summaries, 2, text),
            ("media:description", _) => put(&mut found.summaries, 3, text),
            ("content:encoded", true) => put(&mut found.contents, 0, text),
            ("content", true) if frame.get("src").is_none() => {
                put(&mut found.contents, 1, text);
                found.content_base = frame.get("xml:base").map(str::to_owned);
            }
            ("full-text" | "xhtml:body", true) => put(&mut found.contents, 2, text),
            ("author", true) | ("dc:creator" | "dc:contributor", _) => raw.authors.extend(some(text)),
            ("name", false) if parent == "author" => raw.authors.extend(some(text)),
            ("itunes:author", true) => found.fallback_authors.extend(some(text)),
            ("category", true) => {
                let term = frame.get("label").or_else(|| frame.get("term"));
                raw.tags.extend(some(if text.is_empty() { term.unwrap_or_default() } else { text }));
            }
            ("dc:subject" | "media:keywords" | "itunes:keywords", _) => raw.tags.extend(some(text)),
            ("source", true) if !self.atom => put(&mut found.credits, 0, text),
            ("dc:source", true) if !text.contains("://") => put(&mut found.credits, 1, text),
            ("dc:language", true) => raw.language = some(text).or_else(|| raw.language.take()),
            ("enclosure", true) => {
                let kind = frame.get("type").unwrap_or_default();
                if let Some(url) = frame.get("url").or_else(|| frame.get("href")) {
                    enclosure(raw, found, url, kind, frame.get("length"));
                }
            }
            ("media:content", _) => {
                let kind = frame.get("type").unwrap_or_default();
                if let Some(url) = frame.get("url") {
                    let medium = frame.get("medium").unwrap_or_default();
                    if medium == "image" || kind.starts_with("image/") || (kind.is_empty() && is_picture(url)) {
                        put(&mut found.images, 0, url);
                    } else if !kind.is_empty() && raw.enclosure.is_none() {
                        enclosure(raw, found, url, kind, frame.get("filesize"));
                    }
                }
            }
            ("media:thumbnail", _) => put(&mut found.images, 1, frame.get("url").unwrap_or(text)),
            ("itunes:image", true) => put(&mut found.images, 3, frame.get("href").unwrap_or_default()),
            ("image", true) => put(&mut found.images, 4, text),
            ("url", false) if parent == "image" => put(&mut found.images, 4, text),
            ("georss:point" | "gml:pos", _) => raw.point = raw.point.or_else(|| point(text)),
            ("geo:lat", _) => found.latitude = some(text),
            ("geo:long" | "geo:lon", _) => found.longitude = some(text),
            _ => {}
        }
    }

    fn finish(&mut self, mut raw: Raw) {
        let found = std::mem::take(&mut self.found);
        raw.title = first(found.titles);
        raw.link = first(found.links);
        // The content's own base is not the link's: it counts where the link needs none.
        let absolute = raw.link.as_ref().is_some_and(|link| link.contains("://"));
        raw.base = raw.base.take().or(found.content_base.filter(|_| absolute));
        raw.summary = first(found.summaries);
        raw.content = first(found.contents);
        raw.credit = first(found.credits);
        raw.image = first(found.images);
        raw.published = first(found.published).map(stamp);
        raw.updated = first(found.updated).map(stamp);
        if raw.authors.is_empty() {
            raw.authors = found.fallback_authors;
        }
        if let (None, Some(latitude), Some(longitude)) = (raw.point, found.latitude, found.longitude) {
            raw.point = point(&format!("{latitude} {longitude}"));
        }
        self.document.items.push(raw);
    }

    fn feed_field(&mut self, frame: &Frame) {
        let text = frame.text.trim();
        let parent = self.frames.last().map_or("", |frame| frame.name.as_str());
        let top = matches!(parent, "channel" | "feed" | "rdf:rdf" | "rss");
        let document = &mut self.document;
        match frame.name.as_str() {
            "title" if top && document.title.is_none() => document.title = some(text),
            "link" | "atom:link" if top => {
                let href = frame.get("href");
                match (href, frame.get("rel").unwrap_or("alternate")) {
                    (Some(href), "hub") if document.hub.is_none() => document.hub = some(href),
                    (Some(href), "alternate") if document.link.is_none() => document.link = some(href),
                    (None, _) if document.link.is_none() => document.link = some(text),
                    _ => {}
                }
            }
            "url" if parent == "image" && document.image.is_none() => document.image = some(text),
            "logo" | "icon" if top && document.image.is_none() => document.image = some(text),
            "itunes:image" if top && document.image.is_none() => document.image = frame.get("href").map(str::to_owned),
            "language" | "dc:language" if top && document.language.is_none() => document.language = some(text),
            "ttl" if top => document.ttl = text.parse().ok(),
            "sy:updateperiod" if top && document.ttl.is_none() => document.ttl = period(text),
            "sy:updatefrequency" if top => {
                let times = text.parse::<u32>().ok().filter(|times| *times > 1);
                if let (Some(ttl), Some(times)) = (document.ttl, times) {
                    document.ttl = Some((ttl / times).max(1));
                }
            }
            "feed" | "rss" | "rdf:rdf" if document.language.is_none() => {
                document.language = frame.get("xml:lang").map(str::to_owned);
            }
            _ => {}
        }
    }
}

/// Without the `div` that stands around XHTML and is no part of it (RFC 4287 section 3.1.1.3).
fn without_wrapper(text: &str) -> &str {
    let inside = text.strip_prefix("<div").and_then(|rest| rest.strip_suffix("</div>"));
    let inside = inside.filter(|rest| rest.starts_with([' ', '>']) && rest.contains("1999/xhtml"));
    inside.and_then(|rest| rest.split_once('>')).map_or(text, |(_, inside)| inside)
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

fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn stamp(raw: String) -> Stamp {
    Stamp { raw, claim: None }
}

fn enclosure(raw: &mut Raw, found: &mut Found, url: &str, kind: &str, length: Option<&str>) {
    if kind.starts_with("image/") || (kind.is_empty() && is_picture(url)) {
        found.images.push((2, url.to_owned()));
    }
    if raw.enclosure.is_none() {
        let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or_default();
        raw.enclosure = Some(Enclosure { url: url.to_owned(), kind: kind.to_owned(), length });
    }
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
