//! Whether a subject is what a query asks for.

use std::cell::OnceCell;

use crate::model::fold::fold;
use crate::model::id::SourceId;
use crate::model::place::{Code, Placed};
use crate::model::source::Rank;
use crate::model::story::Story;
use crate::model::tag::Tag;
use crate::model::time::Time;

use super::needles::{Needles, Searched};
use super::term::{Node, Place, PlaceKind, Test};

/// What a query is asked about: a story, or an item that may become one.
#[derive(Debug, Default, Clone, Copy)]
pub struct Subject<'a> {
    /// Headline, unfolded.
    pub title: &'a str,
    /// Headline, summary and body, unfolded.
    pub text: &'a str,
    /// Cities it is about.
    pub cities: &'a [Placed],
    /// Provinces it is about.
    pub provinces: &'a [Placed],
    /// Its tags.
    pub tags: &'a [Tag],
    /// Sources of its copies.
    pub sources: &'a [SourceId],
    /// Rank of the shown copy's source.
    pub rank: Rank,
    /// BCP 47 tag; the desk's own language where the item states none.
    pub language: Option<&'a str>,
    /// Publication; days in queries are UTC days.
    pub published: Time,
    /// How many copies it has.
    pub copies: u32,
}

impl<'a> Subject<'a> {
    /// A story as a query is asked about it: its headline as printed, a `text` of it (headline and summary included), and what
    /// it is judged to be about. `language` is that of a story that states none.
    #[must_use]
    pub fn of(story: &'a Story, text: &'a str, sources: &'a [SourceId], language: Option<&'a str>) -> Self {
        let emission = story.emission.as_ref();
        let shown = story.shown();
        Self {
            title: emission.map(|printed| &printed.title).or(shown.map(|copy| &copy.title)).map_or("", |title| title),
            text,
            cities: &story.places.cities,
            provinces: &story.places.provinces,
            tags: &story.tags,
            sources,
            rank: shown.map(|copy| copy.rank).unwrap_or_default(),
            language: emission.and_then(|printed| printed.language.as_deref()).or(language),
            published: story.published(),
            copies: story.copies.len() as u32,
        }
    }
}

/// A subject whose texts are folded when first needed, and once.
#[derive(Debug)]
pub struct Folded<'a> {
    subject: Subject<'a>,
    needles: Option<&'a Needles>,
    /// Its text, where it is made ready already.
    ready: Option<&'a Searched<'a>>,
    title: OnceCell<Searched<'a>>,
    text: OnceCell<Searched<'a>>,
}

impl<'a> Folded<'a> {
    /// Wraps a subject; nothing is folded yet.
    #[must_use]
    pub const fn new(subject: Subject<'a>) -> Self {
        Self { subject, needles: None, ready: None, title: OnceCell::new(), text: OnceCell::new() }
    }

    /// A story as a query is asked about it, by one of its texts; see [`Subject::of`].
    #[must_use]
    pub fn of(story: &'a Story, text: &'a str, sources: &'a [SourceId], language: Option<&'a str>) -> Self {
        Self::new(Subject::of(story, text, sources, language))
    }

    /// Wraps a subject whose text is made ready already; that of the subject is not looked at.
    #[must_use]
    pub const fn over(subject: Subject<'a>, text: &'a Searched<'a>, needles: Option<&'a Needles>) -> Self {
        Self { subject, needles, ready: Some(text), title: OnceCell::new(), text: OnceCell::new() }
    }

    fn title(&self) -> &Searched<'a> {
        self.title.get_or_init(|| Searched::new(self.subject.title, self.needles))
    }

    fn text(&self) -> &Searched<'a> {
        self.ready.unwrap_or_else(|| self.text.get_or_init(|| Searched::new(self.subject.text, self.needles)))
    }
}

/// The sources of a story's copies.
#[must_use]
pub fn sources(story: &Story) -> Vec<SourceId> {
    story.copies.iter().map(|copy| copy.source.clone()).collect()
}

pub(super) fn holds(node: &Node, subject: &Folded<'_>, now: Option<Time>) -> bool {
    match node {
        Node::All(parts) => parts.iter().all(|part| holds(part, subject, now)),
        Node::Any(parts) => parts.iter().any(|part| holds(part, subject, now)),
        Node::Not(part) => !holds(part, subject, now),
        Node::Term(term) => test(&term.test, subject, now),
    }
}

/// The answer as far as it does not hang on the subject's text; `None` if it does.
pub(super) fn known(node: &Node, subject: &Folded<'_>, now: Option<Time>) -> Option<bool> {
    let all = |parts: &[Node], wanted: bool| {
        let mut answer = Some(wanted);
        for part in parts {
            match known(part, subject, now) {
                Some(found) if found != wanted => return Some(found),
                Some(_) => {}
                None => answer = None,
            }
        }
        answer
    };
    match node {
        Node::All(parts) => all(parts, true),
        Node::Any(parts) => all(parts, false),
        Node::Not(part) => known(part, subject, now).map(|found| !found),
        Node::Term(term) if matches!(term.test, Test::Text(_)) => None,
        Node::Term(term) => Some(test(&term.test, subject, now)),
    }
}

fn test(test: &Test, folded: &Folded<'_>, now: Option<Time>) -> bool {
    let subject = &folded.subject;
    match test {
        Test::Text(needle) => folded.text().contains(&needle.folded),
        Test::Title(needle) => folded.title().contains(&needle.folded),
        Test::Place(place) => match place.kind {
            PlaceKind::City => subject.cities.iter().any(|placed| is_place(place, placed)),
            PlaceKind::Province => subject.provinces.iter().any(|placed| is_place(place, placed)),
        },
        Test::Tag(_, id) => subject.tags.iter().any(|tag| tag.id == *id),
        Test::Source(id) => subject.sources.contains(id),
        Test::Rank(rank) => subject.rank == *rank,
        Test::Language(wanted) => subject.language.is_some_and(|language| speaks(language, wanted)),
        Test::After(date) => date.moment(now).is_some_and(|moment| subject.published >= moment),
        Test::Before(date) => date.moment(now).is_some_and(|moment| subject.published < moment),
        Test::Copies(comparison, number) => comparison.holds(subject.copies, *number),
    }
}

/// By code where the name was resolved (a county named in the story counts), else by code as written or full name.
fn is_place(place: &Place, placed: &Placed) -> bool {
    let is = |code: Code| placed.code == code || placed.counties.contains(&code);
    match place.code {
        Some(code) => is(code),
        None => place.name.parse().is_ok_and(|number| is(Code(number))) || fold(&placed.name) == place.folded,
    }
}

/// RFC 4647 section 3.3.1: the range is the tag, or a prefix of it that ends before a hyphen.
pub(super) fn speaks(language: &str, wanted: &str) -> bool {
    let language = language.to_ascii_lowercase().replace('_', "-");
    language.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
