//! Mends a damaged headline or text word by word, where two other copies or more agree.
//!
//! Often no copy is whole: one lost a character wherever it stood, the next another one, the third is cut. Where most of
//! them have the same words in the place of a damage, those words are put there. Only damage is mended: a character or two
//! that are gone, letters that a word lost (*ofce*, the ligature was never drawn), characters nobody could read, a decimal
//! point, an insertion. What may have been meant stays: other words, other numbers, a sentence more or less.

use std::collections::BTreeMap;
use std::ops::Range;

use super::damage;
use crate::model::diff::{Change, changes};
use crate::model::fold::{fold, plain};

/// So many other copies must have the same words.
pub(super) const AGREEING: usize = 2;
/// So many characters of a text without spaces may be lost in one place.
const LOST: usize = 2;
/// So many letters may a word have lost.
const LETTERS: usize = 4;

/// A text mended, and which of the others gave words to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// The text.
    pub text: String,
    /// Indices of the others whose words stand in it, in order.
    pub by: Vec<usize>,
}

/// Mends a text by what other copies have in its place, at least two of them, and more than have it as it stands; `title`
/// is the headline above it. `None` if there is nothing to mend.
#[must_use]
pub fn mended<T: AsRef<str>>(text: &str, others: impl ExactSizeIterator<Item = T>, title: &str) -> Option<Mended> {
    let is_damage =
        |change: &Change| is_damage(&text[change.at.clone()], &change.words, &text[..change.at.start], title);
    let mut all: Vec<Vec<Change>> = Vec::with_capacity(others.len());
    // Most texts have nothing to mend: once too few are left to agree in anything, the rest is not looked at.
    let mut may_agree = others.len();
    for other in others {
        if may_agree < AGREEING {
            return None;
        }
        let changes = changes(text, other.as_ref());
        may_agree -= usize::from(!changes.iter().any(is_damage));
        all.push(changes);
    }
    if may_agree < AGREEING {
        return None;
    }
    let key = |change: &Change| (change.at.start, change.at.end, change.words.chars().map(plain).collect::<String>());
    let mut votes: BTreeMap<(usize, usize, String), (&Change, Vec<usize>)> = BTreeMap::new();
    for (index, changes) in all.iter().enumerate() {
        for change in changes {
            votes.entry(key(change)).or_insert((change, Vec::new())).1.push(index);
        }
    }
    let touches = |one: &Range<usize>, other: &Range<usize>| one.start <= other.end && other.start <= one.end;
    let mut chosen: Vec<(&Change, Vec<usize>)> = Vec::new();
    for (change, by) in votes.into_values() {
        // Who has nothing else there has it as it stands, as this text itself does.
        let as_it_stands = all.iter().filter(|changes| !changes.iter().any(|other| touches(&other.at, &change.at)));
        let clear = chosen.last().is_none_or(|(last, _)| last.at.end < change.at.start || last.at.end == 0);
        if by.len() >= AGREEING && by.len() > as_it_stands.count() + 1 && clear && is_damage(change) {
            chosen.push((change, by));
        }
    }
    let mut by: Vec<usize> = chosen.iter().flat_map(|(_, by)| by.iter().copied()).collect();
    by.sort_unstable();
    by.dedup();
    let mut text = text.to_owned();
    for (change, _) in chosen.iter().rev() {
        text.replace_range(change.at.clone(), &change.words);
    }
    (!by.is_empty()).then_some(Mended { text, by })
}

/// Whether having `mine` where others have `theirs` is a damage.
fn is_damage(mine: &str, theirs: &str, before: &str, title: &str) -> bool {
    let digits = |text: &str| text.chars().map(plain).filter(char::is_ascii_digit).collect::<String>();
    if digits(mine) != digits(theirs) {
        return false;
    }
    let (gone, come) = (mine.trim(), theirs.trim());
    if gone.is_empty() {
        let point = come == "." && before.ends_with(|c: char| c.is_ascii_digit());
        return point || (!come.is_empty() && come.chars().count() <= LOST && come.chars().all(damage::is_han));
    }
    if come.is_empty() {
        return damage::is_insertion(mine, title);
    }
    if damage::is_unreadable(gone) || gone.chars().all(|c| matches!(c, '?' | '？' | '□' | '■' | '〓' | '\u{fffd}'))
    {
        return !damage::is_unreadable(come) && come.chars().any(char::is_alphabetic);
    }
    lost_letters(gone, come)
}

/// Whether the words are those of the other, some with letters missing: `ofce` for `office`.
fn lost_letters(gone: &str, come: &str) -> bool {
    let (gone, come): (Vec<&str>, Vec<&str>) = (gone.split_whitespace().collect(), come.split_whitespace().collect());
    gone.len() == come.len()
        && gone.iter().zip(&come).all(|(gone, come)| {
            let (gone, come) = (fold(gone), fold(come));
            let mut letters = come.chars();
            let (short, long) = (gone.chars().count(), come.chars().count());
            // Half of the word must be left to know it by, and letters written without spaces are no word.
            long - long.min(short) <= LETTERS
                && short * 2 >= long
                && !come.chars().any(damage::is_han)
                && gone.chars().all(|letter| letters.any(|other| other == letter))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (what, text, others, mended; nothing where it stays)
    const CASES: &[(&str, &str, &[&str], &str)] = &[
        (
            "each lost another character",
            "全市推进公服务台建设，提高水。",
            &["全市推公平服务平台建设，提高水平。", "全市推进公平服务平台建设，提高水平。"],
            "全市推进公平服务平台建设，提高水平。",
        ),
        ("one alone proves nothing", "提高服务水。", &["提高服务水平。"], ""),
        ("two against two", "提高服务水。", &["提高服务水平。", "提高服务水平。", "提高服务水。"], ""),
        ("two that do not agree", "提高服务水。", &["提高服务水平。", "提高服务水准。"], ""),
        ("numbers may be news", "受伤五人，住院3人。", &["受伤五人，住院4人。", "受伤五人，住院4人。"], ""),
        ("other words may be meant", "市长会见客商。", &["市长接见客商。", "市长接见客商。"], ""),
        ("a sentence more may be an addition", "首班六点。", &["首班六点。末班十点。", "首班六点。末班十点。"], ""),
        ("a decimal point", "增长6 5%，", &["增长6.5%，", "增长6.5%，"], "增长6.5%，"),
        ("signs for bytes", "图书馆??开放", &["图书馆周末开放", "图书馆周末开放"], "图书馆周末开放"),
        (
            "an advertisement",
            "首班六点。【扫码关注样城网】末班十点。",
            &["首班六点。末班十点。", "首班六点。末班十点。"],
            "首班六点。末班十点。",
        ),
        (
            "ligatures",
            "The re brigade opened an ofce in the rst oor.",
            &[
                "The fire brigade opened an office in the first floor.",
                "The fire brigade opened an office in the first floor.",
            ],
            "The fire brigade opened an office in the first floor.",
        ),
        (
            "UTF-8 read as Latin-1",
            "Der Bürgermeister erÃ¶ffnete die Brücke.",
            &["Der Bürgermeister eröffnete die Brücke.", "Der Bürgermeister eröffnete die Brücke."],
            "Der Bürgermeister eröffnete die Brücke.",
        ),
        (
            "another word",
            "The mayor opened the bridge.",
            &["The mayor closed the bridge.", "The mayor closed the bridge."],
            "",
        ),
    ];

    #[test]
    fn words_are_put_where_most_have_them() {
        for (what, text, others, expected) in CASES {
            let mended = mended(text, others.iter(), "").map(|mended| mended.text).unwrap_or_default();
            assert_eq!(mended, *expected, "{what}");
        }
    }

    #[test]
    fn any_texts_are_borne() {
        for text in ["", " ", "。", "é", "𠀀𠀀", "a\u{301}b"] {
            for other in ["", "平", "éa", "𠀀平𠀀"] {
                let _ = mended(text, [other, other, text].iter(), text);
            }
        }
    }
}
