//! The tree of a parsed query and what each leaf asks.

use crate::model::id::SourceId;
use crate::model::place::Code;
use crate::model::source::Rank;

use super::date::Date;
use super::text;

/// A part of a query. Neither list holds its own kind, and each has at least two members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Term(Term),
}

/// A leaf, with where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    pub column: Column,
    pub test: Test,
}

/// A column, in characters from 1. All columns are equal: two queries that ask the same are the same query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column(pub usize);

impl PartialEq for Column {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Column {}

/// What a leaf asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    /// Somewhere in title, summary or body.
    Text(Needle),
    /// In the title.
    Title(Needle),
    /// About a city or province.
    Place(Place),
    /// Carries the tag: as written, and folded as tags are.
    Tag(String, String),
    /// A copy came from this source.
    Source(SourceId),
    /// The shown copy's source has this rank.
    Rank(Rank),
    /// In this language or a variety of it, in lower case.
    Language(String),
    /// Published at or after.
    After(Date),
    /// Published before.
    Before(Date),
    /// Number of copies.
    Copies(Comparison, u32),
}

/// A text to look for: as written (spaces single), and in the form of [`text::spaced`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needle {
    pub raw: String,
    pub folded: String,
}

impl Needle {
    /// `None` if folding leaves nothing of it.
    pub fn new(raw: &str) -> Option<Self> {
        let raw = raw.split_whitespace().collect::<Vec<_>>().join(" ");
        let folded = text::spaced(&raw);
        (!folded.is_empty()).then_some(Self { raw, folded })
    }
}

/// Whether a place was asked for as a city or as a province.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceKind {
    /// `city:`
    City,
    /// `province:`
    Province,
}

impl PlaceKind {
    /// The field's name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Province => "province",
        }
    }

    /// How a name may be written.
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::City => "city:许昌市 or city:411000",
            Self::Province => "province:河南省 or province:410000",
        }
    }
}

/// A place name in a query, to be resolved.
#[derive(Debug, Clone, Copy)]
pub struct PlaceTerm<'a> {
    /// As written.
    pub name: &'a str,
    /// In which field.
    pub kind: PlaceKind,
    /// Where the term begins, in characters from 1.
    pub column: usize,
}

/// A place asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub kind: PlaceKind,
    pub name: String,
    pub folded: String,
    pub code: Option<Code>,
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    AtLeast,
    More,
    Equal,
    AtMost,
    Less,
}

impl Comparison {
    pub const fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::More => ">",
            Self::Equal => "=",
            Self::AtMost => "<=",
            Self::Less => "<",
        }
    }

    pub const fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::AtLeast => left >= right,
            Self::More => left > right,
            Self::Equal => left == right,
            Self::AtMost => left <= right,
            Self::Less => left < right,
        }
    }
}

impl Node {
    /// Calls `visit` for every leaf, in the order written.
    pub fn each(&self, visit: &mut dyn FnMut(&Term)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each(visit)),
            Self::Not(part) => part.each(visit),
            Self::Term(term) => visit(term),
        }
    }

    /// As [`Node::each`], to change them.
    pub fn each_mut(&mut self, visit: &mut dyn FnMut(&mut Term)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().for_each(|part| part.each_mut(visit)),
            Self::Not(part) => part.each_mut(visit),
            Self::Term(term) => visit(term),
        }
    }
}

/// The word for a rank in feeds.toml and in `rank:`.
pub(super) const fn rank_word(rank: Rank) -> &'static str {
    match rank {
        Rank::Reprint => "reprint",
        Rank::Media => "media",
        Rank::Origin => "origin",
    }
}
