//! Common words, and whether a name found in a text is a word of it or is cut out of others (会长|春节 holds no 长春).

use std::collections::HashMap;

use crate::model::spread::BySpread;

/// The words; the head names the source and its licence.
const TEXT: &str = include_str!("lexicon/words.txt");

/// Longest word, in characters.
const WORD_MAX: usize = 4;
/// Characters looked at on either side of a name.
const SIDE: usize = 5;
/// Longest stretch looked at.
const WINDOW: usize = 2 * SIDE + WORD_MAX;
/// Cost of a single character that is not listed.
const RARE: u32 = 34;
/// A name counts as this common at least, by level.
const CITY: u32 = 30;
const COUNTY: u32 = 40;

/// A word as a number: up to four characters of sixteen bits; none for longer ones and rare planes.
fn packed(word: &str) -> Option<u64> {
    let mut key = 0;
    for (count, letter) in word.chars().enumerate() {
        if count == WORD_MAX || letter as u32 > 0xFFFF {
            return None;
        }
        key = key << 16 | u64::from(letter as u32);
    }
    Some(key)
}

/// Costs of the common words, and of the names of a gazetteer as words.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// Cost by packed word, and whether it is a name.
    words: HashMap<u64, (u32, bool), BySpread>,
}

impl Lexicon {
    pub fn new() -> Self {
        let mut words = HashMap::with_capacity_and_hasher(48_000, BySpread::default());
        for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
            let mut parts = line.split(' ');
            if let Some(cost) = parts.next().and_then(|cost| cost.parse().ok()) {
                words.extend(parts.filter_map(packed).map(|word| (word, (cost, false))));
            }
        }
        Self { words }
    }

    /// Makes a name known as a word, at least as common as names of its level are. Names of more than four characters
    /// need not be known: nothing competes with them.
    pub fn add(&mut self, name: &str, city: bool) {
        if let Some(word) = packed(name) {
            let floor = if city { CITY } else { COUNTY };
            let slot = self.words.entry(word).or_insert((floor, true));
            *slot = (slot.0.min(floor), true);
        }
    }

    /// Whether the cheapest way to part the surroundings into words has the name `text[start..end]` as a whole word, or
    /// at the beginning of a longer name (for a city: of any longer word, as 上海市委).
    pub fn aligned(&self, text: &str, start: usize, end: usize, city: bool) -> bool {
        let mut window = [0u64; WINDOW];
        let mut length = 0;
        let mut fill = |letter: char| {
            if let Some(slot) = window.get_mut(length) {
                // A character of a rare plane is no word of the list.
                *slot = if letter as u32 > 0xFFFF { 0 } else { u64::from(letter as u32) };
                length += 1;
            }
        };
        let name = text[start..end].chars().count();
        if name > WORD_MAX {
            return true;
        }
        let from = text[..start].char_indices().rev().nth(SIDE - 1).map_or(0, |(at, _)| at);
        text[from..end].chars().for_each(&mut fill);
        text[end..].chars().take(SIDE).for_each(&mut fill);
        let first = text[from..start].chars().count();
        let last = first + name;
        // Cheapest cost to each boundary: any way, and with the name whole.
        let (mut free, mut whole) = ([u32::MAX; WINDOW + 1], [u32::MAX; WINDOW + 1]);
        (free[0], whole[0]) = (0, 0);
        for begin in 0..length {
            let mut key = 0;
            for stop in begin + 1..=(begin + WORD_MAX).min(length) {
                key = key << 16 | window[stop - 1];
                let (cost, is_name) = match self.words.get(&key) {
                    Some(found) => *found,
                    None if stop == begin + 1 => (RARE, false),
                    None => continue,
                };
                free[stop] = free[stop].min(free[begin].saturating_add(cost));
                let outside = stop <= first || begin >= last;
                let holds = begin == first && (stop == last || stop > last && (city || is_name));
                if outside || holds {
                    whole[stop] = whole[stop].min(whole[begin].saturating_add(cost));
                }
            }
        }
        whole[length] <= free[length]
    }
}

#[cfg(test)]
mod tests {
    use super::super::Gazetteer;
    use super::*;
    use crate::model::place::Level;

    #[test]
    fn names_cut_out_of_words_are_seen() {
        let gazetteer = Gazetteer::builtin();
        let mut lexicon = Lexicon::new();
        for unit in gazetteer.units() {
            lexicon.add(&unit.name, unit.level != Level::County);
            lexicon.add(&unit.short, unit.level != Level::County);
        }
        for (text, name, expected) in [
            ("商会会长春节慰问", "长春", false),
            ("市长春节前慰问", "长春", false),
            ("吉林省长春市", "长春", true),
            ("长春节日气氛浓", "长春", true),
            ("孩子长大了", "子长", false),
            ("首都安保升级", "都安", false),
            ("整治多头收费", "治多", false),
            ("新干部报到", "新干", false),
            ("记者从江苏省获悉", "从江", false),
            ("沿海城市", "海城市", false),
            ("辽宁海城市", "海城市", true),
            ("玉器价值连城", "连城", false),
            ("奥巴马访问", "巴马", false),
            ("昆山一企业", "昆山", true),
            ("在义乌召开", "义乌", true),
            ("赴许昌调研", "许昌", true),
            ("许昌禹州钧瓷", "禹州", true),
        ] {
            let start = text.find(name).unwrap();
            assert_eq!(
                lexicon.aligned(text, start, start + name.len(), name == "长春" || name == "许昌"),
                expected,
                "{text} {name}"
            );
        }
    }
}
