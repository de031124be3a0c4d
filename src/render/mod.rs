//! Stories to bytes: one file a format. The same channel gives the same bytes, on any machine and after any upgrade that
//! does not mean to change them: no version, no clock, no order of a hash table.

pub mod atom;
pub mod date;
pub mod image;
pub mod json;
pub mod opml;
pub mod rss;
pub mod story;
pub mod xml;

#[cfg(test)]
mod tests;

use crate::model::id::Guid;
use crate::model::item::Enclosure;
use crate::model::story::Emission;
use crate::model::time::Time;

/// An edition as it is printed: everything the formats need, in values.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Channel {
    /// Identity that no address is part of: of the desk, then the edition's key.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// The page for people that shows this very edition.
    pub home: String,
    /// The feed's own address in the format being printed.
    pub address: String,
    /// What it is, in a sentence.
    pub description: String,
    /// BCP 47.
    pub language: String,
    /// Last change of this edition's content.
    pub modified: Time,
    /// Minutes a reader may wait before asking again.
    pub ttl: u32,
    /// WebSub hub, where one is announced.
    pub hub: Option<String>,
    /// Picture of the feed.
    pub image: Option<String>,
    /// Beginning of all our addresses, without a slash at the end.
    pub public_url: String,
    /// The next older page (RFC 5005 section 3), for a paged feed.
    pub next: Option<String>,
    /// The newest page of the archive, or for one of its pages the one before (RFC 5005 section 4).
    pub prev_archive: Option<String>,
    /// The feed itself: set on a page of its archive alone.
    pub current: Option<String>,
    /// Newest first.
    pub entries: Vec<Entry>,
}

/// A story as it is printed.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Entry {
    /// Identity.
    pub guid: Guid,
    /// What was emitted: a fact.
    pub emission: Emission,
    /// The whole text as sanitised HTML, where it may be passed on and is still kept.
    pub html: Option<String>,
    /// A feed of the shown copy's source: its own, or ours of it.
    pub source_feed: String,
    /// All copies, for a format that tells programs what grows; empty where nothing may change any more.
    pub copies: Vec<Told>,
    /// How often it was printed anew because its publisher edited it, and because a better copy came.
    pub versions: (u8, u8),
}

/// A copy, as programs are told of it.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Told {
    /// Its source's id.
    pub source: String,
    /// Its source's name.
    pub name: String,
    /// Its headline.
    pub title: String,
    /// Its page.
    pub link: String,
    /// When it was first seen.
    pub seen: Time,
    /// When it says that it was published.
    pub published: Option<Time>,
    /// Rank of its source.
    pub rank: &'static str,
    /// Whether it is the one that is printed.
    pub shown: bool,
    /// Why it was joined, and how sure that is in thousandths; none for the first.
    pub joined: Option<(String, u16)>,
}

/// A format that an edition is published in.
pub trait Format: std::fmt::Debug + Send + Sync {
    /// Name for people: `RSS 2.0`.
    fn name(&self) -> &'static str;

    /// What the address ends in, without the dot.
    fn extension(&self) -> &'static str;

    /// Media type with charset, as in `Content-Type`.
    fn media_type(&self) -> &'static str;

    /// Whether it tells what grows beside what is printed: copies that joined.
    fn grows(&self) -> bool {
        false
    }

    /// The document. Same channel, same bytes.
    fn render(&self, channel: &Channel) -> Vec<u8>;
}

/// Every format, the one that pages advertise first.
pub const FORMATS: &[&dyn Format] = &[&rss::Rss, &atom::Atom, &json::Json];

/// The format with this extension.
#[must_use]
pub fn format(extension: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().find(|format| format.extension() == extension).copied()
}

/// What we call ourselves in `generator`. Without a version: an upgrade must not change bytes.
const GENERATOR: &str = "citydesk";

/// Namespaces of categories, by what they name. A page stands at each address.
fn namespace(channel: &Channel, of: &str) -> String {
    format!("{}/ns/{of}", channel.public_url)
}

/// The item's language, where it is another than the channel's. `zh` beside `zh-CN` says less and not something else.
fn foreign<'e>(channel: &Channel, entry: &'e Entry) -> Option<&'e str> {
    let language = entry.emission.language.as_deref().map(str::trim).filter(|language| !language.is_empty())?;
    let (ours, theirs) = (channel.language.trim().to_ascii_lowercase(), language.to_ascii_lowercase());
    let (short, long) = if ours.len() < theirs.len() { (&ours, &theirs) } else { (&theirs, &ours) };
    let alike = long.strip_prefix(short.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    (!alike).then_some(language)
}

/// The enclosure, where it has a real length, with an address and a media type that may be printed.
fn enclosure(emission: &Emission) -> Option<Enclosure> {
    let enclosure = emission.enclosure.as_ref().filter(|enclosure| enclosure.length > 0)?;
    let kind = xml::line(&enclosure.kind).trim().to_ascii_lowercase();
    // Parameters (`; charset=…`) have no place there.
    let kind = kind.split(';').next().unwrap_or_default().trim_end();
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    let known = kind.split_once('/').is_some_and(|(kind, subtype)| word(kind) && word(subtype));
    let kind = if known { kind } else { "application/octet-stream" };
    Some(Enclosure { url: xml::address(&enclosure.url)?, kind: kind.to_owned(), length: enclosure.length })
}

/// The whole text with its closing line: who published it, and where.
fn whole_text(channel: &Channel, entry: &Entry) -> Option<String> {
    let html = entry.html.as_deref().map(str::trim).filter(|html| !html.is_empty())?;
    let name = xml::escape(&xml::line(&entry.emission.source_name)).into_owned();
    let label = if channel.language.to_ascii_lowercase().starts_with("zh") { "来源：" } else { "Source: " };
    let named = match xml::address(&entry.emission.link) {
        Some(link) => format!("<a href=\"{}\">{name}</a>", xml::escape(&link)),
        None => name,
    };
    Some(format!("{}\n<p>{label}{named}</p>", xml::clean(html)))
}
