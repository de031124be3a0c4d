//! Sitemaps: news sitemaps, plain ones, indexes of them, lists of addresses in plain text.
//!
//! The protocol (sitemaps.org) knows `loc` and `lastmod`; Google's news extension adds headline, date, keywords and language,
//! its image and video extensions pictures. A plain entry has no headline: the last words of an address are none, so its item
//! has none either, and whoever polls it fetches the article.

use super::{ParseError, dates, feed, repair};
use crate::model::item::{Child, Document, Raw, Stamp};
use crate::model::markup::decode;
use crate::model::time::Time;
use chrono_tz::Tz;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Most entries of one sitemap that are kept, the newest: the protocol allows 50,000, most of them years old.
const ENTRIES: usize = 2_000;

/// Most entries that are looked at.
const LOOKED_AT: usize = 200_000;

/// Elements that hold others, deepest kept.
const DEPTH: usize = 16;

/// Longest text of one element, in bytes.
const TEXT: usize = 64 * 1024;

/// Roots of the protocol, in lower case.
const ROOTS: [&str; 2] = ["<urlset", "<sitemapindex"];

/// Words in the address of a child sitemap that holds articles.
const NEWS: [&str; 5] = ["news", "post", "article", "story", "content"];

/// Words in the address of a child sitemap that holds none.
const OTHER: [&str; 9] = ["image", "video", "tag", "categor", "author", "page-", "product", "topic", "archive"];

/// Reads a sitemap that came from this address. Dates without a zone are read in `zone`.
pub(super) fn read(text: &str, url: &str, zone: Tz, at: Time) -> Result<Document, ParseError> {
    let Some((start, index)) = root(text) else {
        if let Some(document) = lines(text) {
            return Ok(document);
        }
        // The protocol lets a feed stand in for a sitemap.
        return match repair::root(text) {
            Ok(_) => feed::read(text, url, zone, at),
            Err(found) => Err(ParseError::NotSitemap { found }),
        };
    };
    let mut reading = Reading { zone: Some(zone), at, ..Reading::default() };
    reading.run(&text[start..]);
    let mut document = reading.document;
    let headlines = document.items.iter().any(|raw| raw.title.is_some());
    let format = match (index, headlines) {
        (true, _) => "sitemap index",
        (false, true) => "news sitemap",
        (false, false) => "sitemap",
    };
    format.clone_into(&mut document.format);
    if index {
        rank(&mut document.children);
    }
    newest_first(&mut document);
    super::gather(&mut document.complaints);
    Ok(document)
}

/// Where the root begins, and whether it is that of an index. A prefix (`<sm:urlset`) is allowed.
fn root(text: &str) -> Option<(usize, bool)> {
    let head = text.len().min(64 * 1024);
    let head = &text[..text.floor_char_boundary(head)];
    let lower = head.to_ascii_lowercase();
    for (i, name) in ROOTS.iter().enumerate() {
        let bare = lower.find(name);
        let prefixed = lower.find(&format!(":{}", &name[1..])).and_then(|at| lower[..at].rfind('<'));
        if let Some(at) = bare.or(prefixed) {
            return Some((at, i == 1));
        }
    }
    None
}

/// A list of addresses, one a line (sitemaps.org, "text file").
fn lines(text: &str) -> Option<Document> {
    let mut document = Document { format: "sitemap in plain text".to_owned(), ..Document::default() };
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !(line.starts_with("http://") || line.starts_with("https://")) || line.contains(char::is_whitespace) {
            return None;
        }
        document.items.push(Raw { link: Some(line.to_owned()), ..Raw::default() });
    }
    newest_first(&mut document);
    (!document.items.is_empty()).then_some(document)
}

/// The newest entries first, each address once, and no more of them than are kept. What has no date keeps its place behind.
fn newest_first(document: &mut Document) {
    let mut seen = BTreeSet::new();
    document.items.retain(|raw| raw.link.as_ref().is_none_or(|link| seen.insert(link.clone())));
    let date = |raw: &Raw| {
        let stamp = raw.published.as_ref().or(raw.updated.as_ref());
        stamp.and_then(|stamp| stamp.claim.as_ref()).map(|claim| claim.at)
    };
    document.items.sort_by_key(|raw| Reverse(date(raw)));
    if document.items.len() > ENTRIES {
        document.complaints.push(format!("{} entries: only the newest {ENTRIES} are looked at", document.items.len()));
        document.items.truncate(ENTRIES);
    }
}

/// The child sitemaps likeliest to hold news first: those that changed last; without dates by the words of their address,
/// then the first and the last in turn, since either end may be the new one.
fn rank(children: &mut Vec<Child>) {
    let words = |child: &Child| {
        let name = child.url.to_ascii_lowercase();
        let name = name.splitn(4, '/').nth(3).unwrap_or(&name).to_owned();
        i32::from(NEWS.iter().any(|word| name.contains(word)))
            - 2 * i32::from(OTHER.iter().any(|word| name.contains(word)))
    };
    let count = children.len();
    let mut ranked: Vec<_> = std::mem::take(children).into_iter().enumerate().collect();
    ranked.sort_by_key(|(i, child)| {
        (Reverse(words(child) >= 0), Reverse(child.changed), Reverse(words(child)), (*i).min(count - 1 - i), *i)
    });
    children.extend(ranked.into_iter().map(|(_, child)| child));
}

#[derive(Debug, Default)]
struct Reading {
    zone: Option<Tz>,
    at: Time,
    document: Document,
    /// Open elements that hold others, by local name.
    stack: Vec<String>,
    /// Text of the innermost element.
    text: String,
    entry: Option<Raw>,
    child: Option<Child>,
}

/// Elements that hold others.
const HOLDERS: [&str; 8] = ["urlset", "sitemapindex", "url", "sitemap", "news", "publication", "image", "video"];

impl Reading {
    fn run(&mut self, xml: &str) {
        let mut reader = Reader::from_str(xml);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        loop {
            match reader.read_event() {
                Ok(Event::Start(start)) => self.start(&local(&start)),
                Ok(Event::Empty(_)) => self.text.clear(),
                Ok(Event::End(end)) => self.end(&lower(end.local_name().as_ref())),
                Ok(Event::Text(text)) => self.push(&text),
                Ok(Event::CData(text)) => self.push(&text),
                Ok(Event::GeneralRef(name)) => self.push(&decode(&format!("&{};", &*name))),
                Ok(Event::Eof) => break,
                Ok(_) => {}
                Err(error) => {
                    self.document.complaints.push(format!("the sitemap could be read only in part: {error}"));
                    // The entry it broke off in is not whole.
                    (self.entry, self.child) = (None, None);
                    break;
                }
            }
            if self.document.items.len() >= LOOKED_AT || self.document.children.len() >= LOOKED_AT {
                self.document.complaints.push(format!("more than {LOOKED_AT} entries: the rest was not read"));
                break;
            }
        }
        if self.entry.is_some() || self.child.is_some() {
            self.document.complaints.push("the sitemap breaks off: its last entry was left out".to_owned());
        }
    }

    fn push(&mut self, text: &str) {
        let room = TEXT.saturating_sub(self.text.len());
        self.text.push_str(&text[..text.floor_char_boundary(text.len().min(room))]);
    }

    fn start(&mut self, name: &str) {
        self.text.clear();
        match name {
            "url" => {
                self.close_entry(); // One that was never closed.
                self.entry = Some(Raw::default());
                self.stack.truncate(1);
            }
            "sitemap" => {
                self.close_child();
                self.child = Some(Child::default());
                self.stack.truncate(1);
            }
            _ => {}
        }
        if HOLDERS.contains(&name) && self.stack.len() < DEPTH {
            self.stack.push(name.to_owned());
        }
    }

    fn end(&mut self, name: &str) {
        if HOLDERS.contains(&name) {
            if let Some(at) = self.stack.iter().rposition(|open| open == name) {
                self.stack.truncate(at);
            }
            match name {
                "url" => self.close_entry(),
                "sitemap" => self.close_child(),
                _ => {}
            }
        } else {
            let text = std::mem::take(&mut self.text);
            let text = text.trim();
            if !text.is_empty() {
                self.field(name, text);
            }
        }
        self.text.clear();
    }

    fn field(&mut self, name: &str, text: &str) {
        let holder = self.stack.last().map_or("", String::as_str);
        if holder == "sitemap" {
            let Some(child) = &mut self.child else { return };
            match name {
                "loc" => text.clone_into(&mut child.url),
                "lastmod" => child.changed = self.zone.and_then(|zone| Some(dates::read(text, zone, self.at)?.at)),
                _ => {}
            }
            return;
        }
        let stamp =
            || Some(Stamp { raw: text.to_owned(), claim: self.zone.and_then(|z| dates::read(text, z, self.at)) });
        let Some(entry) = &mut self.entry else { return };
        let first = |slot: &mut Option<String>| {
            slot.get_or_insert_with(|| text.to_owned());
        };
        match (holder, name) {
            ("url", "loc") => first(&mut entry.link),
            ("url", "lastmod") => entry.updated = stamp(),
            ("url" | "news" | "video", "title") => first(&mut entry.title),
            ("news" | "video" | "url", "publication_date") => entry.published = stamp(),
            ("news" | "url", "keywords") | ("video", "tag" | "category") => entry.tags.push(text.to_owned()),
            ("video", "description") => first(&mut entry.summary),
            ("image", "loc") | ("video", "thumbnail_loc") => first(&mut entry.image),
            ("publication" | "news", "language") => first(&mut entry.language),
            ("publication", "name") => {
                self.document.title.get_or_insert_with(|| text.to_owned());
            }
            _ => {}
        }
    }

    fn close_entry(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        let Some(link) = entry.link.as_deref() else {
            self.document.complaints.push("an entry without an address: left out".to_owned());
            return;
        };
        for stamp in [&entry.published, &entry.updated].into_iter().flatten() {
            if stamp.claim.is_none() {
                let raw: String = stamp.raw.chars().take(60).collect();
                self.document.complaints.push(format!("no date: {raw}"));
            }
        }
        // The front page stands in most sitemaps; it is no article.
        let path = link.split_once("://").map_or(link, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
        let path = path.trim_matches('/');
        if entry.title.is_some() || !path.is_empty() {
            self.document.items.push(entry);
        }
    }

    fn close_child(&mut self) {
        self.document.children.extend(self.child.take().filter(|child| !child.url.is_empty()));
    }
}

fn local(start: &BytesStart<'_>) -> String {
    lower(start.local_name().as_ref())
}

fn lower(name: impl AsRef<str>) -> String {
    name.as_ref().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Time = Time::from_seconds(1_795_406_400);

    fn read(text: &str) -> Result<Document, ParseError> {
        super::read(text, "https://news.example/sitemap.xml", chrono_tz::Asia::Shanghai, AT)
    }

    #[test]
    fn the_children_of_an_index_are_ranked() {
        let index = |children: &[(&str, &str)]| {
            let entries: String = children
                .iter()
                .map(|(name, changed)| {
                    let changed =
                        if changed.is_empty() { String::new() } else { format!("<lastmod>{changed}</lastmod>") };
                    format!("<sitemap><loc>https://n.example/{name}.xml</loc>{changed}</sitemap>")
                })
                .collect();
            let document = read(&format!("<sitemapindex>{entries}</sitemapindex>")).unwrap();
            let name = |child: &Child| child.url.rsplit('/').next().unwrap().trim_end_matches(".xml").to_owned();
            document.children.iter().map(name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(index(&[("a", "2026-11-01"), ("b", "2026-11-23"), ("c", "2026-11-20")]), "b c a");
        assert_eq!(index(&[("s1", ""), ("s2", ""), ("s3", ""), ("s4", "")]), "s1 s4 s2 s3");
        assert_eq!(index(&[("page-tags", "2026-11-23"), ("posts", "2026-11-22")]), "posts page-tags");
        assert_eq!(index(&[("images", ""), ("pages", ""), ("news", "")]), "news pages images");
    }

    #[test]
    fn what_is_no_sitemap_is_told() {
        for (text, part) in [("<html><body>404</body></html>", "an HTML page"), ("hello", "neither XML nor JSON")] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_large_sitemap_keeps_its_newest_entries() {
        let mut text = "<urlset>".to_owned();
        for n in 0..ENTRIES + 10 {
            let day = 1 + n % 20;
            text.push_str(&format!("<url><loc>https://n.example/{n}</loc><lastmod>2026-10-{day:02}</lastmod></url>"));
        }
        let document = read(&text).unwrap();
        assert_eq!(document.items.len(), ENTRIES);
        assert_eq!(document.items[0].updated.as_ref().unwrap().raw, "2026-10-20");
        assert!(document.complaints.iter().any(|complaint| complaint.contains("only the newest")));
    }
}
