//! The query language: one parser and one evaluator for `[[tag]]`, `[[feed]]`, `[[alert]]`, `drop`, `only`, the search
//! box and the API.
//!
//! Words and `"phrases"` side by side must all match; `-` excludes; `OR` chooses between its two
//! neighbours, as in the search engines people know: `a OR b -c` excludes `c` from both; parentheses group. Fields: `title: city: province: tag: source: rank: lang:
//! after: before:` and `copies>=N`. CJK text is found anywhere, other scripts by whole words ([`text`]).

mod date;
mod display;
mod error;
mod lex;
mod matching;
mod needles;
mod parse;
mod part;
mod term;
pub mod text;

pub use error::QueryError;
pub use matching::{Folded, Subject, sources};
pub use needles::{Needles, Searched};
pub use part::{Part, Sought};
pub use term::{PlaceKind, PlaceTerm};

use crate::model::place::Code;
use term::{Node, Test};

/// A parsed query. Equal queries ask the same: columns and spelling of operators don't count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    root: Node,
}

/// What of a subject a query looks at: what it does not look at cannot change its answer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Asks {
    /// The body, not the headline alone.
    pub text: bool,
    /// Its places: the first such term, and its column from 1.
    pub place: Option<(PlaceKind, usize)>,
    /// Its tags.
    pub tags: bool,
}

impl Query {
    /// Longest query, in characters.
    pub const LONGEST: usize = 1_000;
    /// Deepest nesting of parentheses.
    pub const DEEPEST: usize = 32;
    /// Most terms (words, phrases, fields).
    pub const TERMS: usize = 200;

    /// Parses a query.
    ///
    /// # Errors
    /// [`QueryError`] with the column of the first mistake; also when a limit is exceeded.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse::parse(text).map(|root| Self { root })
    }

    /// Resolves the names in `city:` and `province:` to codes. `name` answers `None` for a name that is unknown or means
    /// several places; each such term is reported with its column and from then on matches nothing by code (it still
    /// compares names).
    pub fn resolve(&mut self, name: &mut dyn FnMut(PlaceTerm<'_>) -> Option<Code>) -> Vec<QueryError> {
        let mut errors = Vec::new();
        self.root.each_mut(&mut |term| {
            if let Test::Place(place) = &mut term.test {
                let asked = PlaceTerm { name: &place.name, kind: place.kind, column: term.column.0 };
                place.code = name(asked);
                if place.code.is_none() {
                    errors.push(QueryError::unknown_place(place.kind, &place.name, term.column.0));
                }
            }
        });
        errors
    }

    /// Column of the first relative date (`after:3d`), from 1: an error wherever the result is recorded for good.
    #[must_use]
    pub fn relative(&self) -> Option<usize> {
        let mut column = None;
        self.root.each(&mut |term| {
            if let Test::After(date) | Test::Before(date) = &term.test
                && date.relative()
            {
                column = column.or(Some(term.column.0));
            }
        });
        column
    }

    /// What of a subject the query looks at.
    #[must_use]
    pub fn asks(&self) -> Asks {
        let mut asks = Asks::default();
        self.root.each(&mut |term| match &term.test {
            Test::Text(_) => asks.text = true,
            Test::Place(place) => {
                asks.place = asks.place.or(Some((place.kind, term.column.0)));
            }
            Test::Tag(..) => asks.tags = true,
            _ => {}
        });
        asks
    }

    /// Whether the subject matches. `now` is what relative dates count from; without it they match nothing.
    #[must_use]
    pub fn matches(&self, subject: &Subject<'_>, now: Option<crate::model::time::Time>) -> bool {
        self.holds(&Folded::new(*subject), now)
    }

    /// As [`Query::matches`], for asking many queries about one subject: its text is folded once.
    #[must_use]
    pub fn holds(&self, subject: &Folded<'_>, now: Option<crate::model::time::Time>) -> bool {
        matching::holds(&self.root, subject, now)
    }

    /// As [`Query::holds`], without a look at the subject's text: `None` if the answer hangs on it. Texts are costly to
    /// fetch, and `city:` or `after:` says no of most stories.
    #[must_use]
    pub fn holds_without_text(&self, subject: &Folded<'_>, now: Option<crate::model::time::Time>) -> Option<bool> {
        matching::known(&self.root, subject, now)
    }
}

impl std::str::FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        Self::parse(text)
    }
}

/// Whether a language (a BCP 47 tag) is the one asked for with `lang:`, or a variety of it.
#[must_use]
pub fn speaks(language: &str, wanted: &str) -> bool {
    matching::speaks(language, wanted)
}

#[cfg(test)]
mod tests;
