//! Bytes to raw items: feeds, list pages; character sets, repair, dates.
//!
//! The way of a document: [`charset`] makes it text; [`repair`] makes a feed well-formed within the bounds of [`caps`];
//! [`feed`] has feed-rs and the [`tolerant`] reader read it, or [`jsonfeed`]; [`page`] reads a list page ([`state`] the data in its scripts), [`jsonlist`] a list
//! in JSON, [`sitemap`] a sitemap, [`article`](mod@article) the page of one article. [`preset`](mod@preset)
//! knows site builders by name; [`opml`](mod@opml) reads lists of feeds; [`offer`] and [`siblings`] find what a site has to read, [`trace`](mod@trace) where the fields of an item
//! stand. [`dates`] reads every date. A document
//! yields what can be found in it; everything that was wrong is a complaint beside the items.

mod article;
mod caps;
mod charset;
pub mod dates;
mod feed;
mod guard;
mod jsonfeed;
mod jsonlist;
mod literal;
mod mend;
mod offer;
mod opml;
mod page;
mod preset;
mod repair;
mod siblings;
mod sitemap;
mod state;
mod tolerant;
mod trace;

pub use article::{Article, continues};
pub use offer::{Named, Offers};
pub use opml::{Subscription, Subscriptions, opml};
pub use preset::{PRESETS, Preset, preset};
pub use siblings::Guess;
pub use trace::Places;

use crate::model::item::Document;
use crate::model::source::{Kind, Source};
use crate::model::time::Time;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read as _;
use thiserror::Error;

/// What was fetched, as far as reading needs it.
#[derive(Debug, Clone, Copy)]
pub struct Fetched<'a> {
    /// The body, decompressed.
    pub body: &'a [u8],
    /// The `Content-Type` header as sent.
    pub content_type: Option<&'a str>,
    /// Final address, after redirects: what relative links are relative to.
    pub url: &'a str,
    /// When the poll ended: dates such as `10-04` or `3小时前` are completed to the latest moment before it.
    pub at: Time,
}

/// Why a document yields nothing at all. Anything less is a complaint beside the items.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseError {
    /// Nothing but blanks came.
    #[error("the answer is empty")]
    Empty,
    /// The document is larger than we read.
    #[error("the document has {bytes} bytes, more than the {most} that are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        most: usize,
    },
    /// It is no feed.
    #[error("no feed: {found}")]
    NotFeed {
        /// What it looks like instead.
        found: String,
    },
    /// A selector or pattern of the source is wrong.
    #[error("{0}")]
    Pattern(String),
    /// It is no JSON.
    #[error("no JSON: {found}")]
    NotJson {
        /// What it looks like instead.
        found: String,
    },
    /// It is no sitemap.
    #[error("no sitemap: {found}")]
    NotSitemap {
        /// What it looks like instead.
        found: String,
    },
    /// It is packed, and does not unpack.
    #[error("it is packed with gzip and cannot be unpacked: {0}")]
    Packed(String),
}

/// Reads a document of this source.
pub fn parse(source: &Source, fetched: &Fetched<'_>) -> Result<Document, ParseError> {
    if fetched.body.len() > caps::DOCUMENT {
        return Err(ParseError::TooLarge { bytes: fetched.body.len(), most: caps::DOCUMENT });
    }
    let unpacked = unpacked(fetched.body)?;
    let decoded = charset::decode(&unpacked, fetched.content_type, source.how.encoding.as_deref());
    if decoded.text.trim_matches(|c: char| c.is_whitespace() || c == '\0').is_empty() {
        return Err(ParseError::Empty);
    }
    let zone = source.rules.zone.parse().unwrap_or(chrono_tz::UTC);
    let mut document = match &source.kind {
        Kind::Feed(_) | Kind::Files(_) => feed::read(&decoded.text, fetched.url, zone, fetched.at)?,
        Kind::Page { list, links, .. } => {
            page::read(&decoded.text, list, links.as_deref(), fetched.url, zone, fetched.at)?
        }
        Kind::Api { json, .. } => jsonlist::read(&decoded.text, json, zone, fetched.at)?,
        Kind::Sitemap(_) => sitemap::read(&decoded.text, fetched.url, zone, fetched.at)?,
    };
    mend::mend(&mut document);
    document.charset = decoded.why;
    document.complaints.splice(0..0, decoded.complaints);
    Ok(document)
}

/// Reads the page of an article; `how` is a selector or the name of a preset.
///
/// # Errors
/// If nothing can be read at all. What is missing on the page is missing in the result, with a complaint.
pub fn article(how: &str, source: &Source, fetched: &Fetched<'_>) -> Result<Article, ParseError> {
    let zone = source.rules.zone.parse().unwrap_or(chrono_tz::UTC);
    article::read(how, fetched, source.how.encoding.as_deref(), zone)
}

/// What a page offers to who would read its site: feeds that it names, lists of articles found by their structure.
///
/// # Errors
/// If nothing can be read at all.
pub fn offers(fetched: &Fetched<'_>, zone: chrono_tz::Tz) -> Result<Offers, ParseError> {
    offer::read(fetched, zone)
}

/// Where in a document the fields of its items stand: looked up afterwards, for a person who asks.
#[must_use]
pub fn trace(source: &Source, fetched: &Fetched<'_>, items: &[crate::model::item::Raw]) -> Vec<Places> {
    match unpacked(fetched.body) {
        Ok(body) => trace::trace(source, &Fetched { body: &body, ..*fetched }, items),
        Err(_) => vec![Places::new(); items.len()],
    }
}

/// A body that is a gzip file in itself (`sitemap.xml.gz`), unpacked; any other as it is.
fn unpacked(body: &[u8]) -> Result<Cow<'_, [u8]>, ParseError> {
    if !body.starts_with(&[0x1f, 0x8b, 0x08]) {
        return Ok(Cow::Borrowed(body));
    }
    let mut out = Vec::new();
    let mut packed = flate2::read::MultiGzDecoder::new(body).take(caps::DOCUMENT as u64 + 1);
    let result = packed.read_to_end(&mut out);
    if out.len() > caps::DOCUMENT {
        return Err(ParseError::TooLarge { bytes: out.len(), most: caps::DOCUMENT });
    }
    match result {
        // What came before it broke off is as good as any other document that breaks off.
        Err(error) if out.is_empty() => Err(ParseError::Packed(error.to_string())),
        _ => Ok(Cow::Owned(out)),
    }
}

/// Checks a CSS selector as feeds.toml has it (`sel` or `sel@attribute`); the error says what is wrong with it.
pub fn selector(text: &str) -> Result<(), String> {
    page::Selector::new(text).map(|_| ())
}

/// Checks a link pattern (a regular expression; groups `y`, `m`, `d` give the date); the error says what is wrong.
pub fn pattern(text: &str) -> Result<(), String> {
    page::link_pattern(text).map(|_| ())
}

/// Most complaints of one document that are kept.
const COMPLAINTS: usize = 30;

/// Says the same thing once, with its count, and no more than can be read.
fn gather(complaints: &mut Vec<String>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for complaint in complaints.iter() {
        *counts.entry(complaint).or_default() += 1;
    }
    let mut said: Vec<String> = Vec::new();
    for complaint in complaints.iter() {
        if let Some(count) = counts.remove(complaint.as_str()) {
            said.push(if count > 1 { format!("{complaint} ({count} times)") } else { complaint.clone() });
        }
    }
    if said.len() > COMPLAINTS {
        let more = said.len() - COMPLAINTS;
        said.truncate(COMPLAINTS);
        said.push(format!("and {more} complaints more"));
    }
    *complaints = said;
}
