//! The words that many queries look for, found in one pass over a text.
//!
//! Twenty rules of three words each would search a text sixty times. One automaton over all words (Aho and Corasick 1975)
//! reads it once and remembers which of them it met; the queries are then answered from that.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};

use super::Query;
use super::term::Test;
use super::text::spaced;

/// All words and phrases of some queries, ready to be looked for at once.
#[derive(Debug, Default)]
pub struct Needles {
    /// Number of each word, in the form of [`spaced`].
    numbers: BTreeMap<String, u32>,
    automaton: Option<AhoCorasick>,
}

impl Needles {
    /// Of these queries. Whatever else is asked of a text later is searched for by itself.
    #[must_use]
    pub fn of<'q>(queries: impl IntoIterator<Item = &'q Query>) -> Self {
        let mut numbers = BTreeMap::new();
        for query in queries {
            query.root.each(&mut |term| {
                if let Test::Text(needle) | Test::Title(needle) = &term.test {
                    numbers.insert(needle.folded.clone(), 0);
                }
            });
        }
        for (number, slot) in numbers.values_mut().enumerate() {
            *slot = number as u32;
        }
        // Where it cannot be built (too many words for its memory), each word is searched for by itself.
        let build = || AhoCorasick::builder().match_kind(MatchKind::Standard).build(numbers.keys()).ok();
        let automaton = if numbers.is_empty() { None } else { build() };
        Self { numbers, automaton }
    }

    /// Which of them stand in a text in the form of [`spaced`].
    fn found(&self, spaced: &str) -> Vec<bool> {
        let mut found = vec![false; self.numbers.len()];
        for hit in self.automaton.iter().flat_map(|automaton| automaton.find_overlapping_iter(spaced)) {
            found[hit.pattern().as_usize()] = true;
        }
        found
    }
}

/// A text in the form in which it is searched, made once however many queries and subjects look at it.
#[derive(Debug, Default)]
pub struct Searched<'n> {
    spaced: String,
    found: Option<(&'n Needles, Vec<bool>)>,
}

impl<'n> Searched<'n> {
    /// Of a text; words that stand among `needles` are found at once.
    #[must_use]
    pub fn new(text: &str, needles: Option<&'n Needles>) -> Self {
        let spaced = spaced(text);
        let needles = needles.filter(|needles| needles.automaton.is_some());
        let found = needles.map(|needles| (needles, needles.found(&spaced)));
        Self { spaced, found }
    }

    /// Whether a word or phrase, in the form of [`spaced`], stands in it.
    pub(super) fn contains(&self, needle: &str) -> bool {
        let known = self.found.as_ref().and_then(|(needles, found)| {
            needles.numbers.get(needle).and_then(|number| found.get(*number as usize)).copied()
        });
        known.unwrap_or_else(|| self.spaced.contains(needle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Folded, Subject};

    #[test]
    fn at_once_or_one_by_one_the_answers_are_the_same() {
        let texts = [
            "许昌市公布义务教育阶段“双减”实施办法，中考 3,000 人",
            "G30高速 Foo-bar 连霍高速许昌段 30 日通车",
            "foo barista 教育 育",
            "",
        ];
        let queries = [
            "双减",
            "义务教育 OR 教育",
            "教育 -义务",
            "title:高速",
            "高速 许昌",
            "foo bar",
            "\"foo bar\"",
            "30",
            "bar",
            "育",
            "中考 -驾驶",
            "title:双减 OR 人",
            "3000",
            "title:连霍 教育",
            "-title:高速 中考",
            "copies>=2 人",
        ];
        let queries: Vec<Query> = queries.iter().map(|text| text.parse().unwrap()).collect();
        // Words that no automaton knows are searched for, too.
        for known in [&queries[..], &queries[..5], &[]] {
            let needles = Needles::of(known);
            for text in texts {
                let subject = Subject { title: text, text, ..Subject::default() };
                let alone = Folded::new(subject);
                let searched = Searched::new(text, Some(&needles));
                let together = Folded::over(subject, &searched, Some(&needles));
                for query in &queries {
                    let answer = query.holds(&alone, None);
                    assert_eq!(answer, query.holds(&together, None), "{query} in {text}");
                    assert!(query.holds_without_text(&alone, None).is_none_or(|known| known == answer), "{query}");
                }
            }
        }
    }
}
