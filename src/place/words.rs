//! The placer's own word lists: weak names, blocked phrases, agencies, countries abroad, what stands before and behind.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::model::fold::plain;
use crate::model::place::Code;

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
    pub behind: Vec<String>,
    /// What begins like one of `behind` and is not.
    pub allowed: Vec<String>,
    /// What before a name makes it an origin or destination.
    pub before: Vec<String>,
    /// What behind a name makes it an origin or destination.
    pub origin: Vec<String>,
    /// What behind a name at the beginning of a sentence tells that it is a place.
    pub happens: Vec<String>,
    /// What behind a name is somebody from there.
    pub people: Vec<String>,
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
        for list in
            [&WORDS.block, &WORDS.agency, &WORDS.abroad, &WORDS.behind, &WORDS.allowed, &WORDS.before, &WORDS.origin]
        {
            assert!(!list.is_empty());
        }
        assert!(WORDS.weak.contains("和平") && WORDS.generic.contains("南部") && !WORDS.happens.is_empty());
    }
}
