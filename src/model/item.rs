//! An item: one entry of a source, as it came in. A [`Raw`] is what a parser found; an [`Item`] is clean and complete
//! and goes on the wire.

use minicbor::{Decode, Encode};

use super::book::Skip;
use super::id::{ItemKey, SourceId};
use super::place::Point;
use super::time::{Claim, Time};

/// What a parser found in the document: texts as sent (decoded to Unicode, nothing cleaned), links unresolved.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Raw {
    /// The publisher's id as sent: RSS `guid`, Atom `id`, JSON Feed `id`. Never one that a library invented.
    pub guid: Option<String>,
    /// Whether `guid` claims to be an address (RSS `isPermaLink`, default true).
    pub permalink: bool,
    /// Link to the article, perhaps relative to `base`.
    pub link: Option<String>,
    /// `xml:base` in force at the item, perhaps relative to the document.
    pub base: Option<String>,
    /// Headline, perhaps with markup or doubly escaped entities.
    pub title: Option<String>,
    /// Summary or description, perhaps HTML.
    pub summary: Option<String>,
    /// Whole text, perhaps HTML.
    pub content: Option<String>,
    /// Publication date.
    pub published: Option<Stamp>,
    /// Date of the last change.
    pub updated: Option<Stamp>,
    /// Bylines as written.
    pub authors: Vec<String>,
    /// Categories, keywords, `dc:subject`.
    pub tags: Vec<String>,
    /// Who the document says it has this from: RSS `source`, `dc:source`, the 来源 column of a list page.
    pub credit: Option<String>,
    /// Whom it names besides, outermost first: `dc:source` beside `source`, the article's page beside its list.
    pub credits: Vec<Credit>,
    /// Lines between headline and text on its article's page: date, source, byline.
    pub header: Vec<String>,
    /// Lines under the text on its article's page.
    pub footer: Vec<String>,
    /// BCP 47 language of the item, where it states one.
    pub language: Option<String>,
    /// First picture offered.
    pub image: Option<String>,
    /// First enclosure.
    pub enclosure: Option<Enclosure>,
    /// `georss:point` or `geo:lat`/`geo:long`.
    pub point: Option<Point>,
    /// `rights`, `dc:rights` or `copyright` of the item.
    pub rights: Option<String>,
}

/// A date in a document: as written, and as understood.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// As written.
    pub raw: String,
    /// As read by `parse::dates` in the source's zone; `None` if it is no date.
    pub claim: Option<Claim>,
}

/// A whole document as a parser understood it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is: "RSS 2.0", "Atom 1.0", "JSON Feed 1.1", "list page".
    pub format: String,
    /// The character set used and why, in words: "gb18030 (declared in the document as gb2312)".
    pub charset: String,
    /// Title of the feed or page.
    pub title: Option<String>,
    /// Page that the feed belongs to.
    pub link: Option<String>,
    /// The feed's own icon or image.
    pub image: Option<String>,
    /// Language of the document.
    pub language: Option<String>,
    /// What it says of the rights in its items.
    pub rights: Option<String>,
    /// The hub that the document announces (WebSub section 4).
    pub hub: Option<String>,
    /// The document's own address as it states it: the topic of its hub.
    pub topic: Option<String>,
    /// Minutes between polls that the publisher asks for (`ttl`, `sy:updatePeriod`).
    pub ttl: Option<u32>,
    /// Hours and days in which nobody is to ask (`skipHours`, `skipDays`).
    pub skip: Skip,
    /// Child sitemaps of a sitemap index, the likeliest to hold news first.
    pub children: Vec<Child>,
    /// The next page of a list, with older items; absolute.
    pub next: Option<String>,
    /// Items in document order.
    pub items: Vec<Raw>,
    /// What was wrong with it, one sentence each; the good items stand beside.
    pub complaints: Vec<String>,
}

/// A document that another one points to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its address as sent, perhaps relative to the document.
    pub url: String,
    /// When it changed last, if the document says so.
    pub changed: Option<Time>,
}

/// A media file of an item. Printed only with a real length.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Enclosure {
    /// Absolute address.
    #[n(0)]
    pub url: String,
    /// Media type, as `image/jpeg`.
    #[n(1)]
    pub kind: String,
    /// Length in bytes; 0 if unknown.
    #[n(2)]
    pub length: u64,
}

/// One link of a chain of attribution: who is named, and where in the text.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Credit {
    /// The one named: 许昌日报.
    #[n(0)]
    pub name: String,
    /// Where it stood: "feed", "list", "page" (what the article's page states of itself), "head", "foot", "dateline".
    #[n(1)]
    pub place: String,
}

/// What somebody did for an article.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Wrote it: 记者, 作者.
    #[default]
    #[n(0)]
    Author,
    /// Sent it in from where it happened: 通讯员.
    #[n(1)]
    Correspondent,
    /// Took or drew its pictures: 摄.
    #[n(2)]
    Photographer,
    /// Edited, checked or released it: 责任编辑, 校对, 审核.
    #[n(3)]
    Editor,
}

impl Role {
    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Correspondent => "correspondent",
            Self::Photographer => "photographer",
            Self::Editor => "editor",
        }
    }
}

/// Somebody whom a text names as having worked on it, and where in the text.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Hand {
    /// The name.
    #[n(0)]
    pub name: String,
    /// What they did.
    #[n(1)]
    pub role: Role,
    /// Where it stood: "page", "head", "foot", "dateline".
    #[n(2)]
    pub place: String,
}

/// An item, clean and complete: the record of the wire.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Item {
    /// Who sent it.
    #[n(0)]
    pub source: SourceId,
    /// Which of the source's items it is.
    #[n(1)]
    pub key: ItemKey,
    /// Hash of the item as sent, before any cleaning: if it is the one we know, nothing needs to be looked at.
    #[n(2)]
    pub hash: u64,
    /// Absolute link to the article as it will be printed; empty if it has none.
    #[n(3)]
    pub link: String,
    /// Canonical form of the link (no scheme, no `www.`/`m.`, no tracking parameters): evidence of identity, never printed.
    #[n(4)]
    pub canonical: String,
    /// Headline as plain text: no markup, no control characters, spaces single.
    #[n(5)]
    pub title: String,
    /// Plain text, at most [`Item::SUMMARY`] characters, cut on a grapheme boundary.
    #[n(6)]
    pub summary: String,
    /// Whole text as sanitised HTML with absolute links; empty if only a summary came.
    #[n(7)]
    pub html: String,
    /// Whole text as plain text (of `html`, else the uncut summary): what the desk judges by.
    #[n(8)]
    pub text: String,
    /// Publication date as claimed.
    #[n(9)]
    pub published: Option<Claim>,
    /// When the poll that brought it ended, by our clock.
    #[n(10)]
    pub seen: Time,
    /// Bylines.
    #[n(11)]
    pub authors: Vec<String>,
    /// Chain of attribution, from the one who publishes (outermost) to the one it is from (innermost): what feed, list and
    /// page state, then the head of the text, its foot, the agency of its dateline. Who conflicts is kept beside whom.
    #[n(12)]
    pub credits: Vec<Credit>,
    /// The publisher's own categories and keywords.
    #[n(13)]
    pub tags: Vec<String>,
    /// First picture, absolute.
    #[n(14)]
    pub image: Option<String>,
    /// First enclosure with a known length.
    #[n(15)]
    pub enclosure: Option<Enclosure>,
    /// Where it happened, if the publisher says.
    #[n(16)]
    pub point: Option<Point>,
    /// BCP 47 language, where stated.
    #[n(17)]
    pub language: Option<String>,
    /// What was wrong with it, in words.
    #[n(18)]
    pub complaints: Vec<String>,
    /// Whom its text names as having worked on it.
    #[n(19)]
    #[cbor(default)]
    pub hands: Vec<Hand>,
    /// The headline it had where it comes from: 原标题.
    #[n(20)]
    pub former: Option<String>,
    /// What its publisher says of the rights in it, in a line.
    #[cbor(n(40), default)]
    pub rights: Option<String>,
}

impl Item {
    /// Longest summary, in characters (design 2.4).
    pub const SUMMARY: usize = 300;
    /// Largest encoded item on the wire, in bytes: a NATS message is at most 1 MiB (`ledger.md` 8).
    pub const LARGEST: usize = 256 * 1024;
}
