//! The fields of the index, the terms that texts are cut into, and a story as a document.
//!
//! A text in its searched form ([`crate::query::text::spaced`]) is a row of units: words, and single characters where a
//! script has no word boundaries. A word is a term. A character makes a term with the one behind it, a bigram, and one by
//! itself at either edge of its run. Positions count units, so a needle is a phrase whose terms cover all of its units: found
//! where the evaluator finds it and nowhere else. Single characters inside a run have a field of their own, without positions.

use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager};
use tantivy::{TantivyDocument, Term};

use crate::model::edition::Order;
use crate::model::id::StoryNo;
use crate::model::item::Item;
use crate::model::place::{Code, Placed};
use crate::model::position::Position;
use crate::model::source::Rank;
use crate::model::story::Story;
use crate::query::text::{is_flowing, spaced};

use super::subject;

/// What the index is made by: raised whenever the same story may make another document. Folding has its own rule, to never
/// change within a store's life.
pub(super) const VERSION: u32 = 1;

/// Names of our tokenizers.
const UNITS: &str = "units";
const LETTERS: &str = "letters";

/// Longest word that becomes a term, in bytes: a query is shorter.
const WORD: usize = 4_000;

/// The fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// Number of the story.
    pub no: Field,
    /// Time of its entry into the feed of everything, in milliseconds: with the number, its order.
    pub at: Field,
    /// Publication, in milliseconds.
    pub published: Field,
    /// Number of copies.
    pub copies: Field,
    /// Its texts, each with headline and summary.
    pub text: Field,
    /// Its headline.
    pub title: Field,
    /// Characters of its texts, of scripts without word boundaries.
    pub letters: Field,
    /// The same of its headline.
    pub title_letters: Field,
    /// Places, tags, sources, rank, languages: [`Fact`].
    pub facts: Field,
}

/// The schema.
pub(super) fn schema() -> (Schema, Fields) {
    let text = |tokenizer: &str, option: IndexRecordOption| {
        let indexing =
            TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(option).set_fieldnorms(false);
        TextOptions::default().set_indexing_options(indexing)
    };
    let mut schema = Schema::builder();
    let fields = Fields {
        no: schema.add_u64_field("no", INDEXED | FAST),
        at: schema.add_i64_field("at", FAST),
        published: schema.add_i64_field("published", FAST),
        copies: schema.add_u64_field("copies", FAST),
        text: schema.add_text_field("text", text(UNITS, IndexRecordOption::WithFreqsAndPositions)),
        title: schema.add_text_field("title", text(UNITS, IndexRecordOption::WithFreqsAndPositions)),
        letters: schema.add_text_field("letters", text(LETTERS, IndexRecordOption::Basic)),
        title_letters: schema.add_text_field("title_letters", text(LETTERS, IndexRecordOption::Basic)),
        facts: schema.add_text_field("facts", text("raw", IndexRecordOption::Basic)),
    };
    (schema.build(), fields)
}

/// Our tokenizers, under their names.
pub(super) fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::default();
    manager.register(UNITS, Units);
    manager.register(LETTERS, Letters);
    manager
}

/// A fact about a story, as a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact<'a> {
    /// About a city, or a county in it.
    City(Code),
    /// About a province.
    Province(Code),
    /// Carries a tag, by its id.
    Tag(&'a str),
    /// A copy came from a source.
    Source(&'a str),
    /// Rank of the shown copy's source.
    Rank(Rank),
    /// In a language or a variety of it, in lower case.
    Language(&'a str),
    /// States no language.
    Native,
    /// Has one text, so that what is not in the index is not in it.
    Single,
}

impl Fact<'_> {
    pub fn term(self) -> String {
        match self {
            Self::City(code) => format!("c{code}"),
            Self::Province(code) => format!("p{code}"),
            Self::Tag(id) => format!("t{id}"),
            Self::Source(id) => format!("s{id}"),
            Self::Rank(Rank::Origin) => "ro".to_owned(),
            Self::Rank(Rank::Media) => "rm".to_owned(),
            Self::Rank(Rank::Reprint) => "rr".to_owned(),
            Self::Language(tag) => format!("l{tag}"),
            Self::Native => "n".to_owned(),
            Self::Single => "1".to_owned(),
        }
    }
}

fn facts(story: &Story, texts: usize) -> Vec<String> {
    let places = |placed: &[Placed], fact: fn(Code) -> Fact<'static>| -> Vec<String> {
        let codes =
            placed.iter().flat_map(|placed| std::iter::once(placed.code).chain(placed.counties.iter().copied()));
        codes.map(|code| fact(code).term()).collect()
    };
    let mut facts = places(&story.places.cities, Fact::City);
    facts.extend(places(&story.places.provinces, Fact::Province));
    facts.extend(story.tags.iter().map(|tag| Fact::Tag(&tag.id).term()));
    facts.extend(story.copies.iter().map(|copy| Fact::Source(copy.source.as_str()).term()));
    facts.push(Fact::Rank(story.shown().map(|copy| copy.rank).unwrap_or_default()).term());
    match story.emission.as_ref().and_then(|printed| printed.language.as_deref()) {
        Some(language) => {
            let language = language.to_ascii_lowercase().replace('_', "-");
            let ends = language.match_indices('-').map(|(at, _)| at).chain([language.len()]);
            facts.extend(ends.map(|end| Fact::Language(&language[..end]).term()));
        }
        None => facts.push(Fact::Native.term()),
    }
    if texts <= 1 {
        facts.push(Fact::Single.term());
    }
    facts.sort_unstable();
    facts.dedup();
    facts
}

/// A story as a document. Reads its texts.
pub(super) fn document(
    fields: &Fields,
    story: &Story,
    order: Order,
    item: &dyn Fn(Position) -> Option<Item>,
) -> TantivyDocument {
    let mut texts: Vec<String> = Vec::new();
    for text in subject::texts(story, item) {
        let text = spaced(&text);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let title = spaced(subject::title(story));
    let mut document = TantivyDocument::new();
    document.add_u64(fields.no, story.no.0);
    document.add_i64(fields.at, order.at.0);
    document.add_i64(fields.published, story.published().0);
    document.add_u64(fields.copies, story.copies.len() as u64);
    for fact in facts(story, texts.len()) {
        document.add_text(fields.facts, fact);
    }
    document.add_text(fields.letters, letters(texts.iter().map(String::as_str)));
    document.add_text(fields.title_letters, letters([title.as_str()].into_iter()));
    for text in texts {
        document.add_text(fields.text, text);
    }
    document.add_text(fields.title, title);
    document
}

/// Each character of scripts without word boundaries, once.
fn letters<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut letters: Vec<char> = texts.flat_map(str::chars).filter(|letter| is_flowing(*letter)).collect();
    letters.sort_unstable();
    letters.dedup();
    letters.into_iter().collect()
}

/// The term that names a story.
pub(super) fn number(fields: &Fields, no: StoryNo) -> Term {
    Term::from_field_u64(fields.no, no.0)
}

/// How a needle is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lookup {
    /// One character, anywhere.
    Letter(String),
    /// Terms with their places, which cover the needle; one or more.
    Terms(Vec<(usize, String)>),
}

/// The terms of a needle in its searched form. `None`: there is nothing in it.
pub(super) fn lookup(needle: &str) -> Option<Lookup> {
    let (mut terms, mut unit) = (Vec::new(), 0);
    let (opens, closes) = (needle.starts_with(' '), needle.ends_with(' '));
    let pieces: Vec<&str> = needle.split(' ').filter(|piece| !piece.is_empty()).collect();
    for piece in &pieces {
        if !piece.starts_with(is_flowing) {
            terms.push((unit, (*piece).to_owned()));
            unit += 1;
            continue;
        }
        let letters: Vec<char> = piece.chars().collect();
        if let [letter] = letters.as_slice() {
            // At an edge of its run if there is anything beside it.
            if pieces.len() == 1 && !opens && !closes {
                return Some(Lookup::Letter(letter.to_string()));
            }
            terms.push((unit, letter.to_string()));
            unit += 1;
            continue;
        }
        let last = letters.len() - 2;
        let places = (0..last).step_by(2).chain([last]);
        terms.extend(places.map(|at| (unit + at, letters[at..at + 2].iter().collect())));
        unit += letters.len();
    }
    (!terms.is_empty()).then_some(Lookup::Terms(terms))
}

/// Cuts a text in its searched form into terms.
#[derive(Clone)]
struct Units;

impl Tokenizer for Units {
    type TokenStream<'a> = UnitStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> UnitStream<'a> {
        UnitStream { text, at: 0, first: true, edge: false, unit: 0, token: Token::default() }
    }
}

/// The terms of a text, one after the other.
struct UnitStream<'a> {
    text: &'a str,
    /// Where the next unit begins.
    at: usize,
    /// Whether it is the first of its run.
    first: bool,
    /// Whether the term of the unit by itself was given, and its bigram is still to come.
    edge: bool,
    /// Number of the next unit.
    unit: usize,
    token: Token,
}

impl UnitStream<'_> {
    fn give(&mut self, from: usize, to: usize) {
        self.token.text.clear();
        self.token.text.push_str(&self.text[from..to]);
        self.token.offset_from = from;
        self.token.offset_to = to;
        self.token.position = self.unit;
        self.token.position_length = 1;
    }
}

impl TokenStream for UnitStream<'_> {
    fn advance(&mut self) -> bool {
        loop {
            let rest = &self.text[self.at..];
            let mut letters = rest.chars();
            let Some(letter) = letters.next() else { return false };
            if letter == ' ' {
                (self.at, self.first) = (self.at + 1, true);
                continue;
            }
            let from = self.at;
            if self.first && !is_flowing(letter) {
                let end = from + rest.find(' ').unwrap_or(rest.len());
                let short = end - from <= WORD;
                if short {
                    self.give(from, end);
                }
                (self.at, self.unit) = (end, self.unit + 1);
                if short {
                    return true;
                }
                continue;
            }
            let middle = from + letter.len_utf8();
            let next = letters.next().filter(|next| *next != ' ');
            if !self.edge && (self.first || next.is_none()) {
                self.give(from, middle);
                if next.is_some() {
                    // Its bigram comes next, at the same place.
                    self.edge = true;
                } else {
                    (self.at, self.first, self.unit) = (middle, false, self.unit + 1);
                }
                return true;
            }
            let end = middle + next.map_or(0, char::len_utf8);
            self.give(from, end);
            (self.at, self.first, self.edge, self.unit) = (middle, false, false, self.unit + 1);
            return true;
        }
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// Cuts a text into its characters.
#[derive(Clone)]
struct Letters;

impl Tokenizer for Letters {
    type TokenStream<'a> = LetterStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> LetterStream<'a> {
        LetterStream { letters: text.char_indices(), token: Token::default() }
    }
}

struct LetterStream<'a> {
    letters: std::str::CharIndices<'a>,
    token: Token,
}

impl TokenStream for LetterStream<'_> {
    fn advance(&mut self) -> bool {
        let Some((from, letter)) = self.letters.next() else { return false };
        self.token.text.clear();
        self.token.text.push(letter);
        self.token.offset_from = from;
        self.token.offset_to = from + letter.len_utf8();
        self.token.position = from;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_of_texts() {
        for (text, expected) in [
            ("", ""),
            ("许", "0许"),
            ("许昌", "0许 0许昌 1昌"),
            ("许昌市", "0许 0许昌 1昌市 2市"),
            (" g30 高速 foo bar ", "0g30 1高 1高速 2速 3foo 4bar"),
            (" 2026 年 5 月", "02026 1年 25 3月"),
        ] {
            let mut units = Units;
            let mut stream = units.token_stream(text);
            let mut terms = Vec::new();
            while stream.advance() {
                terms.push(format!("{}{}", stream.token().position, stream.token().text));
            }
            assert_eq!(terms.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn terms_of_needles() {
        let terms = |terms: &[(usize, &str)]| {
            Some(Lookup::Terms(terms.iter().map(|(at, term)| (*at, (*term).to_owned())).collect()))
        };
        assert_eq!(lookup("许"), Some(Lookup::Letter("许".to_owned())));
        assert_eq!(lookup("许昌"), terms(&[(0, "许昌")]));
        assert_eq!(lookup("许昌市"), terms(&[(0, "许昌"), (1, "昌市")]));
        assert_eq!(lookup("许昌市长"), terms(&[(0, "许昌"), (2, "市长")]));
        assert_eq!(lookup(" 2026 年"), terms(&[(0, "2026"), (1, "年")]));
        assert_eq!(lookup("高速 g30 "), terms(&[(0, "高速"), (2, "g30")]));
        assert_eq!(lookup(" foo "), terms(&[(0, "foo")]));
        assert_eq!(lookup(" "), None);
    }
}
