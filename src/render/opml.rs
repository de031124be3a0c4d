//! OPML 2.0 (<http://opml.org/spec2.opml>): lists of feeds that readers import or follow.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::{date, xml};
use crate::model::time::Time;

/// Media type with charset. Readers know `text/x-opml`; browsers would only offer to save it, so it is sent as XML.
pub const MEDIA_TYPE: &str = "text/xml; charset=utf-8";

/// One line of a list: a feed, or a group of lines.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Name for people.
    pub text: String,
    /// Address of the feed; `None` makes it a group.
    pub feed: Option<String>,
    /// Page that belongs to the feed.
    pub home: Option<String>,
    /// What it is, in a sentence.
    pub description: Option<String>,
    /// Lines of the group.
    pub inside: Vec<Outline>,
}

impl Outline {
    /// Deepest group printed; what lies deeper is left out.
    pub const DEEPEST: usize = 8;

    /// A group.
    #[must_use]
    pub fn group(text: impl Into<String>, inside: Vec<Self>) -> Self {
        Self { text: text.into(), inside, ..Self::default() }
    }

    /// A feed with its page.
    #[must_use]
    pub fn feed(text: impl Into<String>, feed: impl Into<String>, home: Option<String>) -> Self {
        Self { text: text.into(), feed: Some(feed.into()), home, ..Self::default() }
    }
}

/// The document. `modified` is the last change of the list; left out where none is known.
#[must_use]
pub fn render(title: &str, modified: Option<Time>, outlines: &[Outline]) -> Vec<u8> {
    match write(title, modified, outlines) {
        Ok(mut bytes) => {
            bytes.push(b'\n');
            bytes
        }
        // Writing to a Vec cannot fail, and the writer has no other error.
        Err(error) => unreachable!("rendering to memory failed: {error}"),
    }
}

type Xml = Writer<Vec<u8>>;

fn write(title: &str, modified: Option<Time>, outlines: &[Outline]) -> std::io::Result<Vec<u8>> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 1);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    xml.write_event(Event::Start(BytesStart::new("opml").with_attributes([("version", "2.0")])))?;
    xml.write_event(Event::Start(BytesStart::new("head")))?;
    text(&mut xml, "title", title)?;
    if let Some(modified) = modified {
        text(&mut xml, "dateModified", &date::rfc2822(modified, 0))?;
    }
    text(&mut xml, "docs", "http://opml.org/spec2.opml")?;
    xml.write_event(Event::End(BytesEnd::new("head")))?;
    xml.write_event(Event::Start(BytesStart::new("body")))?;
    for one in outlines {
        outline(&mut xml, one, Outline::DEEPEST)?;
    }
    xml.write_event(Event::End(BytesEnd::new("body")))?;
    xml.write_event(Event::End(BytesEnd::new("opml")))?;
    Ok(xml.into_inner())
}

fn text(xml: &mut Xml, name: &str, value: &str) -> std::io::Result<()> {
    xml.write_event(Event::Start(BytesStart::new(name)))?;
    xml.write_event(Event::Text(BytesText::new(&xml::line(value))))?;
    xml.write_event(Event::End(BytesEnd::new(name)))
}

fn outline(xml: &mut Xml, outline: &Outline, depth: usize) -> std::io::Result<()> {
    let name = xml::line(&outline.text);
    let mut start = BytesStart::new("outline");
    if outline.feed.is_some() {
        start.push_attribute(("type", "rss"));
    }
    // Both: readers differ in which of the two they show.
    start.push_attribute(("text", name.as_ref()));
    start.push_attribute(("title", name.as_ref()));
    for (key, value) in [("xmlUrl", &outline.feed), ("htmlUrl", &outline.home), ("description", &outline.description)] {
        if let Some(value) = value {
            start.push_attribute((key, xml::line(value).as_ref()));
        }
    }
    if outline.inside.is_empty() || depth == 0 {
        return xml.write_event(Event::Empty(start));
    }
    xml.write_event(Event::Start(start))?;
    for one in &outline.inside {
        self::outline(xml, one, depth - 1)?;
    }
    xml.write_event(Event::End(BytesEnd::new("outline")))
}
