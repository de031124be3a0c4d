//! Atom 1.0 (RFC 4287) with the GeoRSS and Media RSS modules.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::{Channel, Entry, Format, GENERATOR, date, enclosure, foreign, namespace, whole_text, xml};
use crate::model::id::{hash64, hash128};
use crate::model::time::Time;

/// Atom 1.0.
#[derive(Debug, Clone, Copy)]
pub struct Atom;

/// Media type of Atom, without charset, as links state it.
const MEDIA_TYPE: &str = "application/atom+xml";

impl Format for Atom {
    fn name(&self) -> &'static str {
        "Atom 1.0"
    }

    fn extension(&self) -> &'static str {
        "atom"
    }

    fn media_type(&self) -> &'static str {
        "application/atom+xml; charset=utf-8"
    }

    fn render(&self, channel: &Channel) -> Vec<u8> {
        let mut document = Document(Writer::new_with_indent(Vec::with_capacity(4096), b' ', 1));
        match document.feed(channel) {
            Ok(()) => {
                let mut bytes = document.0.into_inner();
                bytes.push(b'\n');
                bytes
            }
            // Writing to a Vec cannot fail, and the writer has no other error.
            Err(error) => unreachable!("rendering to memory failed: {error}"),
        }
    }
}

type Result = std::io::Result<()>;

/// A document being written.
struct Document(Writer<Vec<u8>>);

impl Document {
    fn feed(&mut self, channel: &Channel) -> Result {
        self.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
        let attributes = [
            ("xmlns", "http://www.w3.org/2005/Atom"),
            ("xmlns:fh", "http://purl.org/syndication/history/1.0"),
            ("xmlns:georss", "http://www.georss.org/georss"),
            ("xmlns:media", "http://search.yahoo.com/mrss/"),
            ("xml:lang", &channel.language),
        ];
        self.open("feed", &attributes)?;
        // An id that no address is part of: the desk's may change (RFC 4287 section 4.2.6 forbids the id to).
        let id = uuid::Builder::from_custom_bytes(hash128(&[b"edition", channel.id.as_bytes()]).to_be_bytes());
        self.text("id", &id.into_uuid().urn().to_string())?;
        self.text("title", &channel.title)?;
        self.text("subtitle", &channel.description)?;
        self.text("updated", &date::rfc3339(channel.modified, 0))?;
        self.author(&channel.title)?;
        self.link("self", &channel.address, Some(MEDIA_TYPE))?;
        self.link("alternate", &channel.home, Some("text/html"))?;
        if let Some(hub) = &channel.hub {
            self.link("hub", hub, None)?;
        }
        for (rel, href) in
            [("next", &channel.next), ("prev-archive", &channel.prev_archive), ("current", &channel.current)]
        {
            if let Some(href) = href {
                self.link(rel, href, Some(MEDIA_TYPE))?;
            }
        }
        if channel.current.is_some() {
            self.empty("fh:archive", &[])?;
        }
        // Square, as an icon is and a logo is not (section 4.2.5).
        if let Some(image) = &channel.image {
            self.text("icon", image)?;
        }
        self.text("generator", GENERATOR)?;
        for entry in &channel.entries {
            self.entry(channel, entry)?;
        }
        self.close("feed")
    }

    fn entry(&mut self, channel: &Channel, entry: &Entry) -> Result {
        let emission = &entry.emission;
        match foreign(channel, entry) {
            Some(language) => self.open("entry", &[("xml:lang", language)])?,
            None => self.open("entry", &[])?,
        }
        self.text("id", &entry.guid.urn())?;
        self.text("title", &emission.title)?;
        let link = xml::address(&emission.link);
        if let Some(link) = &link {
            self.link("alternate", link, None)?;
        }
        let source_feed = xml::address(&entry.source_feed);
        if let Some(feed) = &source_feed {
            self.link("via", feed, None)?;
        }
        for other in
            emission.related.iter().filter_map(|other| xml::address(other)).filter(|other| link.as_ref() != Some(other))
        {
            self.link("related", &other, None)?;
        }
        if let Some(enclosure) = enclosure(emission) {
            let (url, kind, length) = (&enclosure.url, &enclosure.kind, enclosure.length.to_string());
            self.empty("link", &[("rel", "enclosure"), ("href", url), ("type", kind), ("length", &length)])?;
        }
        self.text("published", &date::rfc3339(emission.published, emission.offset))?;
        self.text("updated", &updated(entry))?;
        let creator = if emission.creator.trim().is_empty() { &emission.source_name } else { &emission.creator };
        self.author(creator)?;
        let (city, tag) = (namespace(channel, "city"), namespace(channel, "tag"));
        for placed in &emission.cities {
            let code = placed.code.to_string();
            self.empty("category", &[("term", &code), ("scheme", &city), ("label", &placed.name)])?;
        }
        for tagged in &emission.tags {
            self.empty("category", &[("term", &tagged.id), ("scheme", &tag), ("label", &tagged.name)])?;
        }
        let (summary, whole) = (xml::clean(emission.summary.trim()), whole_text(channel, entry));
        let headline = xml::line(&emission.title);
        // Validators miss a text in an entry that has none; where no more may be passed on, it is the headline.
        let summary = if summary.is_empty() && whole.is_none() { headline.trim() } else { &summary };
        if !summary.is_empty() {
            // An entry without a link must have content (section 4.1.2).
            let name = if link.is_none() && whole.is_none() { "content" } else { "summary" };
            self.block(name, &[("type", "text")], summary)?;
        } else if link.is_none() && whole.is_none() {
            self.empty("content", &[("type", "text")])?;
        }
        if let Some(html) = &whole {
            self.block("content", &[("type", "html")], html)?;
        }
        if let Some(rights) = &emission.rights {
            self.text("rights", rights)?;
        }
        if let Some(feed) = &source_feed {
            self.open("source", &[])?;
            self.text("id", feed)?;
            self.text("title", &emission.source_name)?;
            // It stood there when we read it: the latest time known of it that never changes.
            let read = if emission.first == Time::default() { emission.published } else { emission.first };
            self.text("updated", &date::rfc3339(read, emission.offset))?;
            self.author(&emission.source_name)?;
            self.link("self", feed, None)?;
            // A feed of ours has a page of ours.
            if let Some(id) = source_page(channel, feed) {
                self.link("alternate", &id, Some("text/html"))?;
            }
            self.close("source")?;
        }
        if let Some(point) = emission.point {
            self.text("georss:point", &point.georss())?;
        }
        if let Some(picture) = emission.image.as_deref().and_then(xml::address) {
            self.empty("media:thumbnail", &[("url", &picture)])?;
        }
        self.close("entry")
    }

    fn author(&mut self, name: &str) -> Result {
        self.open("author", &[])?;
        self.text("name", name)?;
        self.close("author")
    }

    fn link(&mut self, rel: &str, href: &str, kind: Option<&str>) -> Result {
        let mut attributes = vec![("rel", rel), ("href", href)];
        attributes.extend(kind.map(|kind| ("type", kind)));
        self.empty("link", &attributes)
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> Result {
        self.0.write_event(Event::Start(start(name, attributes)))
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> Result {
        self.0.write_event(Event::Empty(start(name, attributes)))
    }

    fn close(&mut self, name: &str) -> Result {
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    /// An element with one line of text.
    fn text(&mut self, name: &str, text: &str) -> Result {
        self.block(name, &[], xml::line(text).trim())
    }

    /// An element with text that is fit already.
    fn block(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) -> Result {
        self.open(name, attributes)?;
        self.0.write_event(Event::Text(BytesText::new(text)))?;
        self.close(name)
    }
}

/// When an entry was last changed. To validators two entries with one `updated` are suspect, and sources date by the
/// minute: below the second, which no source states, each entry has a fraction of its own, for good.
fn updated(entry: &Entry) -> String {
    let emission = &entry.emission;
    let stamp = date::rfc3339(emission.updated.unwrap_or(emission.published), emission.offset);
    let fraction = hash64(&[b"updated", entry.guid.urn().as_bytes()]) % 1_000_000;
    match stamp.split_at_checked("2026-11-08T12:00:00".len()) {
        Some((time, zone)) => format!("{time}.{fraction:06}{zone}"),
        None => stamp,
    }
}

/// The page that belongs to a feed of ours of one source.
fn source_page(channel: &Channel, feed: &str) -> Option<String> {
    let ours = xml::address(&format!("{}/feeds/source/", channel.public_url))?;
    let id = feed.strip_prefix(&ours)?.strip_suffix(".rss")?;
    xml::address(&format!("{}/sources/{id}", channel.public_url))
}

fn start<'n>(name: &'n str, attributes: &[(&str, &str)]) -> BytesStart<'n> {
    let mut start = BytesStart::new(name);
    for (key, value) in attributes {
        start.push_attribute((*key, xml::line(value).trim()));
    }
    start
}
