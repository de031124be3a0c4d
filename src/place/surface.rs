//! The search for every name and signal word, and what it finds in a text.
//!
//! All words are found by their first two characters: a table of bits, small enough to stay near at hand, tells of nearly
//! every place of a text that none begins there. Where one may, those that begin so are compared, the longest first. An
//! automaton over the thousands of words goes through too much memory to be as fast.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::gazetteer::{Form, Gazetteer, Unit};
use super::lexicon::Lexicon;
use super::words::{Words, landmarks};
use crate::model::fold::plain;
use crate::model::place::{Code, Level};
use crate::model::spread::BySpread;

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
    /// Whether only counties inside cities bear it.
    pub county: bool,
    /// Whether only such counties bear it that are no cities themselves.
    pub rural: bool,
}

/// What a match is.
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

/// The words with their marks.
#[derive(Debug)]
pub(super) struct Search {
    words: Beginnings,
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
            let mut units = bearers.iter().filter_map(|(_, code)| gazetteer.unit(*code));
            let county = units.clone().all(|unit| unit.level == Level::County);
            let rural = county && !units.any(Unit::is_city);
            surfaces.push(Surface { text, written, bearers, weak, county, rural });
        }
        Self { words: Beginnings::of(marks), surfaces, index, lexicon }
    }

    /// The next shorter name at the beginning of this one: 广州 of 广州市.
    pub fn shorter(&self, text: &str) -> Option<u32> {
        let ends = text.char_indices().skip(2).map(|(at, _)| at).collect::<Vec<_>>();
        ends.iter().rev().find_map(|end| self.index.get(&text[..*end]).copied())
    }

    /// The first thing at or behind `from` in a text in plain form: start, end, what. Leftmost, then longest.
    pub fn next(&self, text: &str, mut from: usize) -> Option<(usize, usize, Mark)> {
        loop {
            let (start, end, mark) = self.words.next(text, from)?;
            // A name in letters is a whole word; the s of a genitive may follow (Hessens Finanzminister).
            let letter =
                |letter: Option<char>| letter.is_some_and(|letter| !is_han(letter) && letter.is_alphanumeric());
            let mut after = text[end..].chars();
            let cut = letter(text[..start].chars().next_back()) && letter(text[start..].chars().next())
                || letter(text[..end].chars().next_back())
                    && letter(after.next())
                    && !(text[end..].starts_with('s') && !letter(after.next()) && end - start >= GENITIVE);
            if !cut {
                return Some((start, end, mark));
            }
            from = after_first(text, start);
        }
    }
}

/// The boundary behind the character at `at`.
pub(super) fn after_first(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
}

/// Words by their first two characters.
#[derive(Debug, Default)]
struct Beginnings {
    /// A bit for each pair that begins a word, at a place that many pairs share.
    bits: Vec<u64>,
    /// Which of the words begin with a pair; a word of one character stands under it and [`NONE`].
    pairs: HashMap<u64, Range<u32>, BySpread>,
    /// Those that begin alike beside each other, the longest first.
    words: Vec<(String, Mark)>,
    /// Whether a word of one character is among them.
    single: bool,
}

/// In the place of a second character.
const NONE: char = '\0';

impl Beginnings {
    /// Places for bits: a power of two, several for each word.
    const PLACES: u32 = 17;

    fn of(marks: BTreeMap<String, Mark>) -> Self {
        let mut grouped: BTreeMap<(char, char), Vec<(String, Mark)>> = BTreeMap::new();
        for (word, mark) in marks {
            let mut letters = word.chars();
            if let Some(first) = letters.next() {
                grouped.entry((first, letters.next().unwrap_or(NONE))).or_default().push((word, mark));
            }
        }
        let mut all = Self { bits: vec![0; (1 << Self::PLACES) / 64], ..Self::default() };
        for ((first, second), mut words) in grouped {
            words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
            let from = all.words.len() as u32;
            all.words.extend(words);
            all.pairs.insert(pair(first, second), from..all.words.len() as u32);
            all.single |= second == NONE;
            let place = Self::place(first, second);
            all.bits[place / 64] |= 1 << (place % 64);
        }
        all
    }

    fn place(first: char, second: char) -> usize {
        let mixed = (first as u32).wrapping_mul(0x9e37_79b1) ^ (second as u32).wrapping_mul(0x85eb_ca6b);
        (mixed >> (u32::BITS - Self::PLACES)) as usize
    }

    /// The longest of the words that begin with this pair and stand at the beginning of `rest`.
    fn at(&self, rest: &str, first: char, second: char) -> Option<&(String, Mark)> {
        let place = Self::place(first, second);
        if self.bits[place / 64] >> (place % 64) & 1 == 0 {
            return None;
        }
        let Range { start, end } = self.pairs.get(&pair(first, second))?.clone();
        self.words[start as usize..end as usize].iter().find(|(word, _)| rest.starts_with(word.as_str()))
    }

    /// The first word at or behind `from`, and the longest of those that begin there: start, end, what.
    fn next(&self, text: &str, from: usize) -> Option<(usize, usize, Mark)> {
        let mut letters = text[from..].char_indices();
        let (mut at, mut first) = letters.next()?;
        loop {
            let following = letters.next();
            let second = following.map_or(NONE, |(_, letter)| letter);
            let rest = &text[from + at..];
            let single = || if self.single { self.at(rest, first, NONE) } else { None };
            if let Some((word, mark)) = self.at(rest, first, second).or_else(single) {
                return Some((from + at, from + at + word.len(), *mark));
            }
            (at, first) = following?;
        }
    }
}

/// Two characters as a number.
fn pair(first: char, second: char) -> u64 {
    u64::from(first as u32) << 32 | u64::from(second as u32)
}

/// Whether the character belongs to a script written without spaces.
pub(super) const fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether `unit` lies in the unit of this code, or is it.
pub(super) fn lies_in(unit: &Unit, outer: Code) -> bool {
    unit.code == outer || unit.city == Some(outer) || unit.province == outer
}

#[cfg(test)]
mod tests {
    use aho_corasick::{AhoCorasick, MatchKind};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_found_is_what_an_automaton_finds(
            words in proptest::collection::btree_set("[甲乙丙a𠀀]{1,4}", 0..12),
            text in "[甲乙丙丁ab𠀀]{0,40}",
        ) {
            let mark = |index: usize| Mark::Name(index as u32);
            let marks = words.iter().enumerate().map(|(index, word)| (word.clone(), mark(index)));
            let all = Beginnings::of(marks.collect());
            let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&words).unwrap();
            let expected: Vec<_> = automaton
                .find_iter(&text)
                .map(|found| (found.start(), found.end(), mark(found.pattern().as_usize())))
                .collect();
            let mut from = 0;
            let found: Vec<_> = std::iter::from_fn(|| {
                let found = all.next(&text, from)?;
                from = found.1;
                Some(found)
            })
            .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
