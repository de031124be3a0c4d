//! Which documents may match a query, and which match by each of their texts.
//!
//! A document holds all texts of a story, and a story matches by any one of them. So what the terms say is exact for a story
//! with one text; with several, terms found together may stand in different ones, and a term that is excluded may stand in
//! another one than the rest. Hence two readings: documents of which *some* text may match, never too few; and those of which
//! *each* text matches, never too many. Under a `-` one turns into the other. The first is what is looked up.

use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{PhraseQuery, Query, RangeQuery, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use crate::query::{Part, speaks};

use super::schema::{Fact, Fields, Lookup, lookup};

/// Which of a document's texts are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    /// At least one of them may match.
    Some,
    /// Each of them matches.
    Each,
}

impl Texts {
    const fn other(self) -> Self {
        match self {
            Self::Some => Self::Each,
            Self::Each => Self::Some,
        }
    }
}

/// Documents that are wanted.
#[derive(Debug)]
pub(super) enum Wanted {
    /// All of them.
    Everything,
    /// None.
    Nothing,
    /// Those of a term, a phrase, a range.
    Those(Box<dyn Query>),
    /// Those in each of the first and in none of the second.
    All(Vec<Wanted>, Vec<Wanted>),
    /// Those in one of these.
    Any(Vec<Wanted>),
}

impl Wanted {
    /// Terms, phrases and ranges to be read: what a document costs at most.
    pub fn leaves(&self) -> u64 {
        match self {
            Self::Everything | Self::Nothing => 1,
            Self::Those(_) => 2,
            Self::All(with, without) => with.iter().chain(without).map(Self::leaves).sum(),
            Self::Any(parts) => parts.iter().map(Self::leaves).sum(),
        }
    }
}

/// Makes of a query what is looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan<'a> {
    pub fields: &'a Fields,
    /// Language of the stories that state none.
    pub language: &'a str,
}

impl Plan<'_> {
    /// Documents that may match.
    pub fn wanted(&self, part: &Part<'_>) -> Wanted {
        self.of(part, Texts::Some)
    }

    /// The same, but of those with one text (or with several) alone.
    pub fn wanted_with(&self, part: &Part<'_>, single: bool) -> Wanted {
        let wanted = self.of(part, Texts::Some);
        let one = self.fact(Fact::Single);
        if single { Wanted::All(vec![wanted, one], Vec::new()) } else { Wanted::All(vec![wanted], vec![one]) }
    }

    /// Whether all names of places in it are resolved; else only the evaluator, which compares names, can say.
    pub fn is_resolved(part: &Part<'_>) -> bool {
        match part {
            Part::All(parts) | Part::Any(parts) => parts.iter().all(Self::is_resolved),
            Part::Not(part) => Self::is_resolved(part),
            Part::City(code) | Part::Province(code) => code.is_some(),
            _ => true,
        }
    }

    /// Whether what may match does match, whatever the documents.
    pub fn is_exact(part: &Part<'_>) -> bool {
        // One text that is looked for, or several of which one will do, and none excluded.
        fn texts(part: &Part<'_>) -> Option<bool> {
            match part {
                Part::Text(_) => Some(true),
                Part::Not(part) => (texts(part) == Some(false)).then_some(false),
                Part::All(parts) => {
                    let each: Option<Vec<bool>> = parts.iter().map(texts).collect();
                    let with = each?.into_iter().filter(|with| *with).count();
                    (with <= 1).then_some(with == 1)
                }
                Part::Any(parts) => {
                    let each: Option<Vec<bool>> = parts.iter().map(texts).collect();
                    Some(each?.into_iter().any(|with| with))
                }
                _ => Some(false),
            }
        }
        texts(part).is_some()
    }

    fn of(&self, part: &Part<'_>, texts: Texts) -> Wanted {
        match part {
            Part::All(parts) => {
                let (mut with, mut without) = (Vec::new(), Vec::new());
                for part in parts {
                    match part {
                        Part::Not(part) => without.push(self.of(part, texts.other())),
                        part => with.push(self.of(part, texts)),
                    }
                }
                all(with, without)
            }
            Part::Any(parts) => {
                let mut some = Vec::new();
                for part in parts {
                    match self.of(part, texts) {
                        Wanted::Everything => return Wanted::Everything,
                        Wanted::Nothing => {}
                        wanted => some.push(wanted),
                    }
                }
                match some.len() {
                    0 => Wanted::Nothing,
                    1 => some.remove(0),
                    _ => Wanted::Any(some),
                }
            }
            Part::Not(part) => all(Vec::new(), vec![self.of(part, texts.other())]),
            Part::Text(needle) => {
                let sought = sought(needle, self.fields.text, self.fields.letters);
                match texts {
                    Texts::Some => sought,
                    Texts::Each => all(vec![sought, self.fact(Fact::Single)], Vec::new()),
                }
            }
            Part::Title(needle) => sought(needle, self.fields.title, self.fields.title_letters),
            Part::City(Some(code)) => self.fact(Fact::City(*code)),
            Part::Province(Some(code)) => self.fact(Fact::Province(*code)),
            // The evaluator compares names then.
            Part::City(None) | Part::Province(None) => match texts {
                Texts::Some => Wanted::Everything,
                Texts::Each => Wanted::Nothing,
            },
            Part::Tag(id) => self.fact(Fact::Tag(id)),
            Part::Source(id) => self.fact(Fact::Source(id.as_str())),
            Part::Rank(rank) => self.fact(Fact::Rank(*rank)),
            Part::Language(wanted) => {
                let stated = self.fact(Fact::Language(wanted));
                if speaks(self.language, wanted) { Wanted::Any(vec![stated, self.fact(Fact::Native)]) } else { stated }
            }
            Part::After(Some(moment)) => {
                let least = Term::from_field_i64(self.fields.published, moment.0);
                Wanted::Those(Box::new(RangeQuery::new(Bound::Included(least), Bound::Unbounded)))
            }
            Part::Before(Some(moment)) => {
                let most = Term::from_field_i64(self.fields.published, moment.0);
                Wanted::Those(Box::new(RangeQuery::new(Bound::Unbounded, Bound::Excluded(most))))
            }
            Part::After(None) | Part::Before(None) | Part::Nothing => Wanted::Nothing,
            Part::Copies(0, u32::MAX) => Wanted::Everything,
            Part::Copies(least, most) => {
                let term = |number: u32| Term::from_field_u64(self.fields.copies, u64::from(number));
                Wanted::Those(Box::new(RangeQuery::new(Bound::Included(term(*least)), Bound::Included(term(*most)))))
            }
        }
    }

    fn fact(&self, fact: Fact<'_>) -> Wanted {
        Wanted::Those(term(Term::from_field_text(self.fields.facts, &fact.term())))
    }
}

fn all(with: Vec<Wanted>, without: Vec<Wanted>) -> Wanted {
    let nothing = with.iter().any(|wanted| matches!(wanted, Wanted::Nothing))
        || without.iter().any(|wanted| matches!(wanted, Wanted::Everything));
    if nothing {
        return Wanted::Nothing;
    }
    let mut with: Vec<_> = with.into_iter().filter(|wanted| !matches!(wanted, Wanted::Everything)).collect();
    let without: Vec<_> = without.into_iter().filter(|wanted| !matches!(wanted, Wanted::Nothing)).collect();
    match (with.len(), without.is_empty()) {
        (0, true) => Wanted::Everything,
        (1, true) => with.remove(0),
        _ => Wanted::All(with, without),
    }
}

/// Documents that hold a needle.
fn sought(needle: &str, text: Field, letters: Field) -> Wanted {
    match lookup(needle) {
        None => Wanted::Everything,
        Some(Lookup::Letter(letter)) => Wanted::Those(term(Term::from_field_text(letters, &letter))),
        Some(Lookup::Terms(terms)) => {
            let mut terms: Vec<(usize, Term)> =
                terms.into_iter().map(|(at, term)| (at, Term::from_field_text(text, &term))).collect();
            match terms.len() {
                1 => terms.pop().map_or(Wanted::Everything, |(_, only)| Wanted::Those(term(only))),
                _ => Wanted::Those(Box::new(PhraseQuery::new_with_offset(terms))),
            }
        }
    }
}

fn term(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}
