//! Bytes to raw items: feeds, list pages; character sets, repair, dates.

mod caps;
mod charset;
pub mod dates;
mod repair;

use crate::model::item::Document;
use crate::model::source::Source;
use crate::model::time::Time;
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
    /// The kind of source is not read yet.
    #[error("sources of the kind `{0}` are not read yet")]
    NotYet(&'static str),
}

/// Reads a document of this source.
pub fn parse(source: &Source, fetched: &Fetched<'_>) -> Result<Document, ParseError> {
    let _ = fetched;
    Err(ParseError::NotYet(source.kind.name()))
}

/// Checks a CSS selector as feeds.toml has it (`sel` or `sel@attribute`); the error says what is wrong with it.
pub fn selector(text: &str) -> Result<(), String> {
    let _ = text;
    Ok(())
}

/// Checks a link pattern (a regular expression; groups `y`, `m`, `d` give the date); the error says what is wrong.
pub fn pattern(text: &str) -> Result<(), String> {
    regex::Regex::new(text).map(|_| ()).map_err(|error| error.to_string())
}
