//! The automaton over every name and signal word, and what it finds in a text.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, BuildError, Input, MatchKind};

use super::gazetteer::{Form, Gazetteer, Unit};
use super::lexicon::Lexicon;
use super::words::{Words, landmarks};
use crate::model::fold::plain;
use crate::model::place::{Code, Level};

/// A name as it is searched, and who bears it.
#[derive(Debug, Clone)]
pub(super) struct Surface {
    /// In the plain form.
    pub text: String,
    /// As the gazetteer writes it.
    pub written: String,
    /// Who bears it, in which form, best form first, then by code.
    pub bearers: Vec<(Form, Code)>,
    /// Whether it is also a common word.
    pub weak: bool,
}

/// What a match of the automaton is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A name: index into the surfaces.
    Name(u32),
    /// A phrase in which a name is no place.
    Block,
    /// An agency or national medium.
    Agency,
    /// A country or region abroad.
    Abroad,
    /// 我市, 全市: the source's city.
    OurCity,
    /// 我省, 全省: the source's province.
    OurProvince,
}

/// Words by which a local publisher means its own city, and its own province.
const OURS: [(&str, Mark); 8] = [
    ("我市", Mark::OurCity),
    ("本市", Mark::OurCity),
    ("全市", Mark::OurCity),
    ("我县", Mark::OurCity),
    ("我区", Mark::OurCity),
    ("我省", Mark::OurProvince),
    ("全省", Mark::OurProvince),
    ("本省", Mark::OurProvince),
];

/// Shortest name in letters that takes the s of a genitive, in bytes: behind shorter ones it makes another word.
const GENITIVE: usize = 4;

/// The automaton (leftmost, longest) with its marks.
#[derive(Debug)]
pub(super) struct Search {
    automaton: Option<AhoCorasick>,
    marks: Vec<Mark>,
    pub surfaces: Vec<Surface>,
    /// Surface by its text.
    index: BTreeMap<String, u32>,
    pub lexicon: Lexicon,
}

impl Search {
    pub fn new(gazetteer: &Gazetteer, words: &Words) -> Self {
        let mut names: BTreeMap<String, (String, Vec<(Form, Code)>)> = BTreeMap::new();
        let mut lexicon = Lexicon::new();
        let mut weak: BTreeSet<String> = BTreeSet::new();
        for (form, name, unit) in gazetteer.names() {
            let text: String = name.chars().map(plain).collect();
            lexicon.add(&text, unit.level != Level::County);
            // One character alone is never a name; 区 and 旗 of one character are never called by it.
            if text.chars().count() >= 2 {
                if unit.weak.iter().any(|weak| weak == name) {
                    weak.insert(text.clone());
                }
                names.entry(text).or_insert_with(|| (name.to_owned(), Vec::new())).1.push((form, unit.code));
            }
        }
        for (code, name) in landmarks() {
            let text: String = name.chars().map(plain).collect();
            if let Some(unit) = gazetteer.unit(code) {
                lexicon.add(&text, unit.level != Level::County);
                names.entry(text).or_insert_with(|| (name.to_owned(), Vec::new())).1.push((Form::Landmark, code));
            }
        }
        let mut marks: BTreeMap<String, Mark> = BTreeMap::new();
        for (list, mark) in [(&words.block, Mark::Block), (&words.agency, Mark::Agency), (&words.abroad, Mark::Abroad)]
        {
            marks.extend(list.iter().map(|word| (word.clone(), mark)));
        }
        marks.extend(gazetteer.phrases().iter().map(|phrase| (phrase.chars().map(plain).collect(), Mark::Block)));
        marks.extend(OURS.iter().map(|(word, mark)| ((*word).to_owned(), *mark)));
        let mut surfaces = Vec::with_capacity(names.len());
        let mut index = BTreeMap::new();
        for (text, (written, mut bearers)) in names {
            bearers.sort_unstable();
            // A unit whose short name is its full name bears it once.
            bearers.dedup_by_key(|(_, code)| *code);
            let weak = words.weak.contains(&text) || weak.contains(&text);
            marks.insert(text.clone(), Mark::Name(surfaces.len() as u32));
            index.insert(text.clone(), surfaces.len() as u32);
            surfaces.push(Surface { text, written, bearers, weak });
        }
        let automaton = build(marks.keys()).ok();
        Self { automaton, marks: marks.into_values().collect(), surfaces, index, lexicon }
    }

    /// The next shorter name at the beginning of this one: 广州 of 广州市.
    pub fn shorter(&self, text: &str) -> Option<u32> {
        let ends = text.char_indices().skip(2).map(|(at, _)| at).collect::<Vec<_>>();
        ends.iter().rev().find_map(|end| self.index.get(&text[..*end]).copied())
    }

    /// The first thing at or behind `from` in a text in plain form: start, end, what. Leftmost, then longest.
    pub fn next(&self, text: &str, mut from: usize) -> Option<(usize, usize, Mark)> {
        let automaton = self.automaton.as_ref()?;
        loop {
            let found = automaton.find(Input::new(text).span(from..text.len()))?;
            let (start, end) = (found.start(), found.end());
            // A name in letters is a whole word; the s of a genitive may follow (Hessens Finanzminister).
            let letter =
                |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() && !is_han(letter));
            let mut after = text[end..].chars();
            let cut = letter(text[..start].chars().next_back()) && letter(text[start..].chars().next())
                || letter(text[..end].chars().next_back())
                    && letter(after.next())
                    && !(text[end..].starts_with('s') && !letter(after.next()) && end - start >= GENITIVE);
            if !cut {
                return Some((start, end, self.marks.get(found.pattern().as_usize()).copied()?));
            }
            from = after_first(text, start);
        }
    }
}

/// The boundary behind the character at `at`.
pub(super) fn after_first(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
}

/// Built over the surfaces once; several thousand short patterns are far below the crate's limits.
fn build<'a>(patterns: impl Iterator<Item = &'a String>) -> Result<AhoCorasick, BuildError> {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(patterns.map(String::as_bytes))
}

/// Whether the character belongs to a script written without spaces.
pub(super) const fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether `unit` lies in the unit of this code, or is it.
pub(super) fn lies_in(unit: &Unit, outer: Code) -> bool {
    unit.code == outer || unit.city == Some(outer) || unit.province == outer
}
