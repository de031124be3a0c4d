//! The placer's own word lists: weak names, blocked phrases, agencies, countries abroad, what stands before and behind.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use crate::model::fold::plain;
use crate::model::place::Code;
use crate::model::spread::BySpread;

/// The lists; the head of each section says what it is for.
const TEXT: &str = include_str!("words.txt");

/// Places without a code of their own, by the unit they lie in; the head says what is listed.
const LANDMARKS: &str = include_str!("landmarks.txt");

/// The landmarks: code of the unit, name.
pub(super) fn landmarks() -> impl Iterator<Item = (Code, &'static str)> {
    LANDMARKS.lines().filter(|line| !line.starts_with('#')).flat_map(|line| {
        let mut parts = line.split_whitespace();
        let code = parts.next().and_then(|code| code.parse().ok()).map(Code);
        parts.filter_map(move |name| Some((code?, name)))
    })
}

/// Words that are looked for at one place of a text, by their first character.
#[derive(Debug, Default)]
pub(super) struct Ahead(HashMap<char, Vec<String>, BySpread>);

impl Ahead {
    /// Those that a text begins with.
    pub fn of<'w>(&'w self, text: &str) -> impl Iterator<Item = &'w str> {
        let words = text.chars().next().and_then(|first| self.0.get(&first));
        words.into_iter().flatten().map(String::as_str).filter(move |word| text.starts_with(word))
    }

    /// Whether a text begins with one.
    pub fn begins(&self, text: &str) -> bool {
        self.of(text).next().is_some()
    }
}

impl Extend<String> for Ahead {
    fn extend<I: IntoIterator<Item = String>>(&mut self, words: I) {
        for word in words {
            if let Some(first) = word.chars().next() {
                self.0.entry(first).or_default().push(word);
            }
        }
    }
}

/// The lists by section, in the plain form in which texts are searched.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Short names that need support.
    pub weak: BTreeSet<String>,
    /// Phrases in which a name is no place.
    pub block: Vec<String>,
    /// Agencies and national media.
    pub agency: Vec<String>,
    /// Countries and regions abroad.
    pub abroad: Vec<String>,
    /// What behind a short name makes it part of a road or company.
    pub behind: Ahead,
    /// What begins like one of `behind` and is not.
    pub allowed: Ahead,
    /// What before a name makes it an origin or destination.
    pub before: Vec<String>,
    /// What behind a name makes it an origin or destination.
    pub origin: Ahead,
    /// What behind a name at the beginning of a sentence tells that it is a place.
    pub happens: Ahead,
    /// What behind a name is somebody from there.
    pub people: Ahead,
    /// Weak names that are a kind of place by themselves.
    pub generic: BTreeSet<String>,
}

/// The built-in lists, read once.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words::default();
    let mut section = "";
    for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            continue;
        }
        let all = line.split_whitespace().map(|word| word.chars().map(plain).collect::<String>());
        match section {
            "weak" => words.weak.extend(all),
            "block" => words.block.extend(all),
            "agency" => words.agency.extend(all),
            "abroad" => words.abroad.extend(all),
            "behind" => words.behind.extend(all),
            "allowed" => words.allowed.extend(all),
            "before" => words.before.extend(all),
            "origin" => words.origin.extend(all),
            "happens" => words.happens.extend(all),
            "people" => words.people.extend(all),
            "generic" => words.generic.extend(all),
            _ => {}
        }
    }
    words
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_landmark_lies_in_a_unit() {
        let gazetteer = super::super::Gazetteer::builtin();
        let mut seen = BTreeSet::new();
        for (code, name) in landmarks() {
            assert!(gazetteer.unit(code).is_some(), "{code}: {name}");
            assert!(seen.insert(name), "{name} stands twice");
            assert!(name.chars().count() >= 2, "{name}");
        }
        assert!(seen.len() > 400);
    }

    #[test]
    fn every_section_is_read() {
        let known = [
            "[weak]",
            "[block]",
            "[agency]",
            "[abroad]",
            "[behind]",
            "[allowed]",
            "[before]",
            "[origin]",
            "[happens]",
            "[generic]",
            "[people]",
        ];
        for line in TEXT.lines().filter(|line| line.starts_with('[')) {
            assert!(known.contains(&line), "{line}");
        }
        for list in [&WORDS.block, &WORDS.agency, &WORDS.abroad, &WORDS.before] {
            assert!(!list.is_empty());
        }
        assert!(WORDS.weak.contains("和平") && WORDS.generic.contains("南部"));
        for (list, text) in [
            (&WORDS.behind, "路上"),
            (&WORDS.allowed, "路上"),
            (&WORDS.origin, "方向"),
            (&WORDS.happens, "发生火灾"),
            (&WORDS.people, "小伙"),
        ] {
            assert!(list.begins(text) && !list.begins("") && !list.begins("丨"), "{text}");
        }
        assert_eq!(WORDS.people.of("小伙子在").count(), 2);
    }
}
