//! The form in which texts are searched: folded, with a space on either side of every run of words.
//!
//! In scripts written without spaces (Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese) a text is found anywhere, so
//! nothing stands between their characters; punctuation and spaces between them vanish. In other scripts only whole
//! words count, so each word, digits included, is set off by single spaces: `G30高速 Foo-bar` becomes ` g30 高速 foo bar `.
//! A needle in the same form is then found by plain substring search and can neither begin nor end inside a word.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

use crate::model::fold::{fold_into, folded, push_plain};

/// What a character does to the run it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Part of a run without word boundaries.
    Flowing,
    /// Part of a word.
    Word,
    /// Belongs to the character before it.
    Mark,
    /// Invisible: as if it were not there.
    Nothing,
    /// Ends a run.
    Gap,
}

/// The searched form of a text. Empty if there is nothing in it that folding keeps.
#[must_use]
pub fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut folded = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        // Most of a Chinese text: no ideograph changes what stands beside it, and none is a part of a number.
        let (ideographs, behind) = rest.split_at(rest.find(|c| !is_ideograph(c)).unwrap_or(rest.len()));
        push_plain(ideographs, usize::MAX, &mut out);
        let (others, next) = behind.split_at(behind.find(is_ideograph).unwrap_or(behind.len()));
        runs::<false>(others, |run, _, kind| {
            fold_into(run, &mut folded);
            if !folded.is_empty() {
                close(&mut out, &folded, kind);
            }
        });
        rest = next;
    }
    out
}

/// Whether a character is one of the ideographs that texts are written in.
const fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

/// Where in a text the needles stand (each in the form of [`spaced`]): ranges of bytes, in order, none touching another.
#[must_use]
pub fn spans(text: &str, needles: &[&str]) -> Vec<Range<usize>> {
    let mut out = String::with_capacity(text.len() + 8);
    // For each byte of `out`, where the character that it came from begins.
    let mut at: Vec<usize> = Vec::with_capacity(text.len() + 8);
    runs::<true>(text, |run, begins, kind| {
        let folded = folded(run);
        if folded.text.is_empty() {
            return;
        }
        let before = out.len();
        close(&mut out, &folded.text, kind);
        let begin = |byte: u32| begins.get(byte as usize).copied().unwrap_or_default();
        let lead = usize::from(out[before..].starts_with(' '));
        at.resize(before + lead, begins.first().copied().unwrap_or_default());
        at.extend(folded.at[..folded.text.len()].iter().map(|byte| begin(*byte)));
        at.resize(out.len(), begins.last().copied().unwrap_or_default());
    });
    let mut found = Vec::new();
    for needle in needles.iter().filter(|needle| !needle.trim().is_empty()) {
        let (skip, length) = (needle.len() - needle.trim_start().len(), needle.trim().len());
        for (from, _) in out.match_indices(needle) {
            let (first, last) = (at[from + skip], at[from + skip + length - 1]);
            let end = last + text[last..].chars().next().map_or(0, char::len_utf8);
            found.push(first..end);
        }
    }
    found.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in found {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Calls `each` with every run of a text: its characters, where in the text each of its bytes came from (with `PLACES`), and
/// what it is.
fn runs<const PLACES: bool>(text: &str, mut each: impl FnMut(&str, &[usize], Class)) {
    let (mut run, mut begins) = (String::new(), Vec::new());
    let mut kind = Class::Gap;
    let mut previous = '\0';
    let mut characters = text.char_indices();
    while let Some((from, character)) = characters.next() {
        let inside = is_digit(previous) && inside_number(character, characters.as_str().chars());
        previous = character;
        let class = if inside { Class::Word } else { class(character) };
        match class {
            Class::Nothing => continue,
            Class::Mark if kind == Class::Gap => continue,
            Class::Mark => {}
            Class::Gap | Class::Flowing | Class::Word => {
                if class != kind {
                    if !run.is_empty() {
                        each(&run, &begins, kind);
                    }
                    run.clear();
                    begins.clear();
                    kind = class;
                }
                if class == Class::Gap {
                    continue;
                }
            }
        }
        run.push(character);
        if PLACES {
            begins.resize(run.len(), from);
        }
    }
    if !run.is_empty() {
        each(&run, &begins, kind);
    }
}

fn close(out: &mut String, folded: &str, kind: Class) {
    if kind == Class::Word {
        if !out.ends_with(' ') {
            out.push(' ');
        }
        out.push_str(folded);
        out.push(' ');
    } else {
        out.push_str(folded);
    }
}

/// Whether a character of the searched form stands in a script without word boundaries, where any part of a run is found.
#[must_use]
pub fn is_flowing(character: char) -> bool {
    flows(character)
}

fn is_digit(character: char) -> bool {
    matches!(character, '0'..='9' | '０'..='９')
}

/// Whether a mark after a digit belongs to the number: a decimal mark (the ones that folding keeps) before a digit, or a
/// comma before exactly three. A comma elsewhere parts two numbers, as in `3,4`.
fn inside_number(mark: char, mut rest: impl Iterator<Item = char>) -> bool {
    match mark {
        '.' | '．' | '·' | '•' | '・' | '‧' => rest.next().is_some_and(is_digit),
        ',' | '，' => rest.take(4).take_while(|&next| is_digit(next)).count() == 3,
        _ => false,
    }
}

fn class(character: char) -> Class {
    match character {
        '0'..='9' | 'a'..='z' | 'A'..='Z' => Class::Word,
        // Most of a Chinese text, without looking it up: ideographs, and common punctuation.
        _ if is_ideograph(character) => Class::Flowing,
        '\0'..='\u{7f}'
        | '\u{2010}'..='\u{2027}'
        | '\u{3000}'..='\u{3003}'
        | '\u{3008}'..='\u{3011}'
        | '\u{ff01}'..='\u{ff0f}'
        | '\u{ff1a}'..='\u{ff20}' => Class::Gap,
        // Soft hyphen, zero-width and direction marks, word joiner, byte order mark, variation selectors.
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}' => Class::Nothing,
        _ if is_combining_mark(character) => Class::Mark,
        _ if !character.is_alphanumeric() => Class::Gap,
        _ if flows(character) => Class::Flowing,
        _ => Class::Word,
    }
}

/// Scripts that do not set words apart by spaces, by their blocks in Unicode 16 (Korean does, but attaches particles to
/// its words, so it is searched like the others).
fn flows(character: char) -> bool {
    matches!(character,
        '\u{0e00}'..='\u{0eff}'     // Thai, Lao
        | '\u{1000}'..='\u{109f}'   // Burmese
        | '\u{1100}'..='\u{11ff}'   // Hangul Jamo
        | '\u{1780}'..='\u{17ff}'   // Khmer
        | '\u{2e80}'..='\u{2fdf}'   // CJK radicals
        | '\u{3005}'..='\u{3007}'   // 々 〆 〇
        | '\u{3021}'..='\u{312f}'   // Suzhou numerals, kana, bopomofo
        | '\u{3130}'..='\u{318f}'   // Hangul compatibility Jamo
        | '\u{31a0}'..='\u{31ff}'   // bopomofo and kana extended
        | '\u{3400}'..='\u{4dbf}'   // extension A
        | '\u{4e00}'..='\u{9fff}'   // unified ideographs
        | '\u{a960}'..='\u{a97f}'   // Hangul Jamo extended A
        | '\u{ac00}'..='\u{d7ff}'   // Hangul
        | '\u{f900}'..='\u{faff}'   // compatibility ideographs
        | '\u{ff66}'..='\u{ffdc}'   // half-width kana and Hangul
        | '\u{1aff0}'..='\u{1b16f}' // kana supplement
        | '\u{20000}'..='\u{3ffff}' // extensions B and later
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{close, fold_into, runs, spaced, spans};

    proptest! {
        #[test]
        fn ideographs_are_put_as_every_other_run_is(
            text in proptest::collection::vec(proptest::sample::select(vec![
                "许", "昌", "許", "\u{3400}", "\u{4dc0}", "か", "ガ", "ｶ", "\u{ff9e}", "\u{3099}", "\u{301}", "e", "Foo", "1", "２", ",",
                "，", ".", "·", "。", " ", "\u{200b}", "\u{ad}", "한", "ไ", "123", "𠀀", "々", "〇", "①", "\u{fe0f}",
            ]), 0..24),
        ) {
            let text = text.concat();
            let (mut plainly, mut folded) = (String::new(), String::new());
            runs::<false>(&text, |run, _, kind| {
                fold_into(run, &mut folded);
                if !folded.is_empty() {
                    close(&mut plainly, &folded, kind);
                }
            });
            prop_assert_eq!(spaced(&text), plainly);
        }
    }

    #[test]
    fn where_needles_stand() {
        for (text, needles, expected) in [
            ("許昌，召開會議", vec!["昌召"], vec!["昌，召"]),
            ("Foo-Bar opens, foo", vec![" foo "], vec!["Foo", "foo"]),
            ("Ｇ３０高速 G30", vec![" g30 "], vec!["Ｇ３０", "G30"]),
            ("甲乙甲乙", vec!["甲乙", "乙甲"], vec!["甲乙甲乙"]),
            ("12,345 人", vec![" 12345 人"], vec!["12,345 人"]),
            ("cafe\u{301} x", vec![" caf\u{e9} "], vec!["cafe\u{301}"]),
            ("food", vec![" foo "], vec![]),
            ("…", vec![""], vec![]),
        ] {
            let found: Vec<&str> = spans(text, &needles).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, expected, "{needles:?} in {text}");
        }
    }

    #[test]
    fn forms() {
        for (text, expected) in [
            ("", ""),
            ("！!…", ""),
            ("河南 许昌", "河南许昌"),
            ("河南，许昌：", "河南许昌"),
            ("G30高速", " g30 高速"),
            ("G30高速 Foo-bar", " g30 高速 foo bar "),
            ("2026年5月", " 2026 年 5 月"),
            ("foo\u{ad}bar", " foobar "),
            ("许\u{200b}昌", "许昌"),
            ("Ｇ３０高速", " g30 高速"),
            ("許昌", "许昌"),
            ("12,345 3,4", " 12345 3 4 "),
            ("5．8 3·15 1.", " 5.8 3.15 1 "),
            ("cafe\u{301}", " café "),
            ("한국 뉴스", "한국뉴스"),
            ("Привет, мир", " привет мир "),
        ] {
            assert_eq!(spaced(text), expected, "{text}");
        }
    }
}
