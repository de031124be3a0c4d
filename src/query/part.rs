//! A query as a tree of what it asks, for whoever looks up what may match before it is asked.

use crate::model::id::SourceId;
use crate::model::place::Code;
use crate::model::source::Rank;
use crate::model::time::Time;

use super::Query;
use super::term::{Comparison, Node, PlaceKind, Test};

/// A part of a query. Texts are in the form of [`super::text::spaced`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'q> {
    /// Each of them.
    All(Vec<Part<'q>>),
    /// One of them.
    Any(Vec<Part<'q>>),
    /// Not it.
    Not(Box<Part<'q>>),
    /// Somewhere in headline, summary or body.
    Text(&'q str),
    /// In the headline.
    Title(&'q str),
    /// About this city, or a county in it; `None`: a name that was not resolved.
    City(Option<Code>),
    /// About this province; `None`: a name that was not resolved.
    Province(Option<Code>),
    /// Carries the tag of this folded id.
    Tag(&'q str),
    /// A copy came from this source.
    Source(&'q SourceId),
    /// The shown copy's source has this rank.
    Rank(Rank),
    /// In this language or a variety of it, in lower case.
    Language(&'q str),
    /// Published at or after; `None`: never.
    After(Option<Time>),
    /// Published before; `None`: never.
    Before(Option<Time>),
    /// So many copies at least, and at most.
    Copies(u32, u32),
    /// Nothing.
    Nothing,
}

/// A text that a query looks for, in the form of [`super::text::spaced`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sought<'q> {
    /// The text.
    pub folded: &'q str,
    /// Whether in the headline alone.
    pub title: bool,
}

impl Query {
    /// What it asks; relative dates count from `now`.
    #[must_use]
    pub fn parts(&self, now: Option<Time>) -> Part<'_> {
        part(&self.root, now)
    }

    /// The texts whose presence makes it match, in the order written: what stands under a minus is not among them.
    #[must_use]
    pub fn sought(&self) -> Vec<Sought<'_>> {
        let mut found = Vec::new();
        sought(&self.root, true, &mut found);
        found
    }
}

fn part(node: &Node, now: Option<Time>) -> Part<'_> {
    match node {
        Node::All(parts) => Part::All(parts.iter().map(|node| part(node, now)).collect()),
        Node::Any(parts) => Part::Any(parts.iter().map(|node| part(node, now)).collect()),
        Node::Not(node) => Part::Not(Box::new(part(node, now))),
        Node::Term(term) => match &term.test {
            Test::Text(needle) => Part::Text(&needle.folded),
            Test::Title(needle) => Part::Title(&needle.folded),
            Test::Place(place) => match place.kind {
                PlaceKind::City => Part::City(place.code),
                PlaceKind::Province => Part::Province(place.code),
            },
            Test::Tag(_, id) => Part::Tag(id),
            Test::Source(id) => Part::Source(id),
            Test::Rank(rank) => Part::Rank(*rank),
            Test::Language(tag) => Part::Language(tag),
            Test::After(date) => Part::After(date.moment(now)),
            Test::Before(date) => Part::Before(date.moment(now)),
            Test::Copies(comparison, number) => match (comparison, *number) {
                (Comparison::AtLeast, number) => Part::Copies(number, u32::MAX),
                (Comparison::More, u32::MAX) | (Comparison::Less, 0) => Part::Nothing,
                (Comparison::More, number) => Part::Copies(number + 1, u32::MAX),
                (Comparison::Equal, number) => Part::Copies(number, number),
                (Comparison::AtMost, number) => Part::Copies(0, number),
                (Comparison::Less, number) => Part::Copies(0, number - 1),
            },
        },
    }
}

fn sought<'q>(node: &'q Node, wanted: bool, found: &mut Vec<Sought<'q>>) {
    match node {
        Node::All(parts) | Node::Any(parts) => parts.iter().for_each(|part| sought(part, wanted, found)),
        Node::Not(part) => sought(part, !wanted, found),
        Node::Term(term) if wanted => match &term.test {
            Test::Text(needle) => found.push(Sought { folded: &needle.folded, title: false }),
            Test::Title(needle) => found.push(Sought { folded: &needle.folded, title: true }),
            _ => {}
        },
        Node::Term(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_query_asks() {
        let query = Query::parse("双减 OR foo -(tag:教育 title:甲) copies<3 after:1d").unwrap();
        let expected = Part::All(vec![
            Part::Any(vec![Part::Text("双减"), Part::Text(" foo ")]),
            Part::Not(Box::new(Part::All(vec![Part::Tag("教育"), Part::Title("甲")]))),
            Part::Copies(0, 2),
            Part::After(Some(Time(0))),
        ]);
        assert_eq!(query.parts(Some(Time(Time::DAY))), expected);
        let sought: Vec<_> = query.sought().into_iter().map(|sought| sought.folded).collect();
        assert_eq!(sought, ["双减", " foo "]);
        let twice = Query::parse("-(甲 -title:乙)").unwrap();
        assert_eq!(twice.sought(), [Sought { folded: "乙", title: true }]);
        assert_eq!(Query::parse("copies<0").unwrap().parts(None), Part::Nothing);
    }
}
