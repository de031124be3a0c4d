//! Folding: the form in which texts are compared. Width, case, traditional to simplified; punctuation and spaces out;
//! digits and decimal marks kept alike.
//!
//! The form decides identities (a tag, a headline, a query word), so it never changes within a store's life: every rule
//! below is fixed, and the table of characters is checked in.
//!
//! - Width: full-width and half-width forms (U+FF00 to U+FFEF) become the ordinary ones; compatibility ideographs and
//!   Kangxi radicals, which look alike, become the ideograph. Nothing else of NFKC: ① and ㎡ are not 1 and m2.
//! - Composition: a combining mark joins the letter before it where Unicode has one letter for both, else it goes.
//! - Case: lower. Script: each traditional character becomes its simplified form, whatever stands beside it.
//! - Everything that is neither letter nor number goes, except a decimal mark: exactly one of `. · • ・ ‧` or one
//!   space between two ASCII digits is kept, always as `.`, so that 146.9, 146．9 and 146 9 (a copy that lost its
//!   points) are one number, and 3·15 and 3.15 one date. A comma or colon between digits goes: 1,234 is 1234.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::char::{compose, decompose_compatible};

/// Pairs of characters, joined; `#` begins a comment line.
const TRADITIONAL: &str = include_str!("fold/traditional.txt");

/// First code point covered by [`SIMPLIFIED`]: the first of CJK extension A.
const FIRST: u32 = 0x3400;
/// Last code point covered by [`SIMPLIFIED`]: the last of the CJK unified ideographs.
const LAST: u32 = 0x9FFF;

/// Simplified form by code point less [`FIRST`].
static SIMPLIFIED: LazyLock<Vec<char>> = LazyLock::new(|| {
    let mut table: Vec<char> = (FIRST..=LAST).map(|code| char::from_u32(code).unwrap_or('\u{FFFD}')).collect();
    for pair in TRADITIONAL.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace) {
        let mut letters = pair.chars();
        if let (Some(old), Some(new)) = (letters.next(), letters.next())
            && let Some(slot) = (old as u32).checked_sub(FIRST).and_then(|at| table.get_mut(at as usize))
        {
            *slot = new;
        }
    }
    table
});

/// Simplified forms that are characters of the traditional script as well (they stand in Big5): 后, 里, 台.
const BOTH: &str = "\
    万与丑丰么了于云仆价优伙体余佛佣俊修借僵儿克党冢冬凄准凌几凶出划刮制千升卜占即卷厂厘只台吁吃合吊同后向吨听呆周咨咸咽哄唇\
    喂噪回困圣坏埼复夸奸姜娘宁家尸局岩岭岳峰巨布帘席干并幸庄床庵异弦彩征御忏志念怀怜恤惊愈愿戚才扎扑托扣扰折拐挂挨挲挽捆据搜\
    教斗旋旗既昆晒暗曲朱朴机杆杠杯杰松板极构柜查栖栗核梁棋棱欲气污沄沈沾泄泛泞注洁洒洼涂涌淀游溯漓灶炖熏玩璇瓮症痒痴皂真矩确\
    离私秋种秘筑篱粽糊糖系累网羡群肮肴胄胜胡腊腌膻致舍芸苔苹范茧荐蒏蒙蓑蔂蔑虫虮虱蚕蚝蜡蝎表触谷赶跖踊辟适逾郁酸采里雇雕霉面\
    飧\
";

/// By code point less [`FIRST`]: whether the character is used in one script alone, and whether in the traditional one.
static SCRIPT: LazyLock<Vec<Option<bool>>> = LazyLock::new(|| {
    let pairs = TRADITIONAL.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
    // Simplified forms that the traditional script does not use.
    let only: HashSet<char> = pairs.filter_map(|pair| pair.chars().nth(1)).filter(|new| !BOTH.contains(*new)).collect();
    let script = |code| match char::from_u32(code) {
        Some(letter) if simplified(letter) != letter => Some(true),
        Some(letter) if only.contains(&letter) => Some(false),
        _ => None,
    };
    (FIRST..=LAST).map(script).collect()
});

/// Whether a character is used in the traditional script alone (true) or in the simplified one alone (false).
#[must_use]
pub fn traditional(letter: char) -> Option<bool> {
    SCRIPT.get((letter as u32).wrapping_sub(FIRST) as usize).copied().flatten()
}

/// Folds a text for comparison; see the head of this file for the rule. `fold(fold(x)) == fold(x)`.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

/// The characters of a folded text.
#[must_use]
pub fn letters(text: &str) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(text.len() / 3 + 1);
    write(text, |letter, _| {
        put(&mut out, letter);
    });
    out
}

/// As [`fold`], into a string that is used again and again; what stood in it goes.
pub fn fold_into(text: &str, out: &mut String) {
    out.clear();
    write(text, |letter, _| push(out, letter));
}

/// The characters of a folded text, and for each the byte offset in the original of the character it came from.
#[must_use]
pub fn placed(text: &str) -> (Vec<char>, Vec<u32>) {
    let most = text.len() / 3 + 1;
    let (mut out, mut at): (Vec<char>, Vec<u32>) = (Vec::with_capacity(most), Vec::with_capacity(most));
    write(text, |letter, from| {
        if put(&mut out, letter) {
            at.push(from as u32);
        }
    });
    (out, at)
}

/// A folded text that remembers where each of its bytes came from.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Folded {
    /// As [`fold`] gives it.
    pub text: String,
    /// For each byte of `text`, the byte offset in the original of the character it came from; one more entry at the
    /// end, the length of the original.
    pub at: Vec<u32>,
}

/// Folds a text and keeps an index back into it, for explanations that quote the original.
#[must_use]
pub fn folded(text: &str) -> Folded {
    let mut out = Folded { text: String::with_capacity(text.len()), at: Vec::with_capacity(text.len() + 1) };
    write(text, |letter, from| {
        push(&mut out.text, letter);
        out.at.resize(out.text.len(), from as u32);
    });
    out.at.push(text.len() as u32);
    out
}

/// One character in its plain form: ordinary width, lower case, simplified. Punctuation and spaces stay what they are;
/// one character always gives one, so that positions are kept.
#[must_use]
pub fn plain(letter: char) -> char {
    match letter {
        '\0'..='\x7F' => letter.to_ascii_lowercase(),
        '\u{3400}'..='\u{9FFF}' => simplified(letter),
        // Quotation marks, dashes and Chinese punctuation, without looking them up.
        '\u{2010}'..='\u{2027}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' => letter,
        _ if is_variant(letter) => {
            let mut first = letter;
            decompose_compatible(letter, |part| first = part);
            if ('\u{3400}'..='\u{9FFF}').contains(&first) { simplified(first) } else { lower(first) }
        }
        _ => lower(letter),
    }
}

/// Appends a text in its plain form, at most so many of its characters. Nearly all are plain as they are: what stands
/// between two others is taken as a whole.
pub fn push_plain(text: &str, most: usize, out: &mut String) {
    let (mut taken, mut reached) = (0, 0);
    for (at, letter) in text.char_indices().take(most) {
        reached = at + letter.len_utf8();
        let plain = plain(letter);
        if plain != letter {
            out.push_str(&text[taken..at]);
            out.push(plain);
            taken = reached;
        }
    }
    out.push_str(&text[taken..reached]);
}

/// Whether the character is a wide, narrow or look-alike form of another one.
const fn is_variant(letter: char) -> bool {
    matches!(letter, '\u{FF00}'..='\u{FFEF}' | '\u{F900}'..='\u{FAFF}' | '\u{2F00}'..='\u{2FDF}' | '\u{2F800}'..='\u{2FA1F}' | '\u{3000}')
}

/// Punctuation of most Chinese texts: what goes, without looking up what it is. No decimal mark is among it.
const fn is_punctuation(letter: char) -> bool {
    matches!(letter, '\u{2013}'..='\u{201F}' | '\u{2026}' | '\u{3001}' | '\u{3002}' | '\u{3008}'..='\u{3011}'
        | '\u{FF01}'..='\u{FF0D}' | '\u{FF1A}'..='\u{FF20}')
}

fn simplified(letter: char) -> char {
    SIMPLIFIED.get((letter as u32).wrapping_sub(FIRST) as usize).copied().unwrap_or(letter)
}

/// Lower case where that is one character.
fn lower(letter: char) -> char {
    let mut all = letter.to_lowercase();
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        _ => letter,
    }
}

/// Appends a letter, or joins a combining mark to the letter before it; whether there is one more.
fn put(out: &mut Vec<char>, letter: char) -> bool {
    let more = !is_mark(letter);
    if more {
        out.push(letter);
    } else if let Some(before) = out.last_mut() {
        *before = compose(*before, letter).unwrap_or(*before);
    }
    more
}

/// The same in a string.
fn push(out: &mut String, letter: char) {
    if !is_mark(letter) {
        out.push(letter);
    } else if let Some(before) = out.pop() {
        out.push(compose(before, letter).unwrap_or(before));
    }
}

/// Combining marks that occur beside letters of composed scripts, and the voicing marks of kana.
const fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{0300}'..='\u{036F}' | '\u{3099}' | '\u{309A}')
}

/// Calls `each` with every character of the folded text and the byte offset it came from.
fn write(text: &str, mut each: impl FnMut(char, usize)) {
    let table: &[char] = &SIMPLIFIED;
    // A decimal mark is held until the next character shows whether a digit follows.
    let mut digit = false;
    let mut held: Option<usize> = None;
    for (from, letter) in text.char_indices() {
        // Most characters of most texts.
        if let '\u{3400}'..='\u{9FFF}' = letter {
            (digit, held) = (false, None);
            each(table.get((letter as u32 - FIRST) as usize).copied().unwrap_or(letter), from);
            continue;
        }
        let plain = match letter {
            '\0'..='\x7F' => letter.to_ascii_lowercase(),
            _ if is_punctuation(letter) => {
                (digit, held) = (false, None);
                continue;
            }
            _ => self::plain(letter),
        };
        if plain.is_ascii_digit() {
            if let Some(mark) = held.take() {
                each('.', mark);
            }
            digit = true;
            each(plain, from);
            continue;
        }
        let mark = matches!(plain, '.' | ' ' | '\u{A0}' | '\u{B7}' | '\u{2022}' | '\u{2027}' | '\u{30FB}');
        held = (mark && digit).then_some(from);
        digit = false;
        if plain.is_ascii_lowercase() || is_mark(plain) || ('\u{3400}'..='\u{9FFF}').contains(&plain) {
            each(plain, from);
        } else if !plain.is_ascii() && plain.is_alphanumeric() {
            // Scripts whose lower case is more than one character, and narrow Hangul, take the long way.
            if is_variant(letter) { each(plain, from) } else { plain.to_lowercase().for_each(|part| each(part, from)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Original, folded.
    const TABLE: &[(&str, &str)] = &[
        ("", ""),
        ("許昌市召開會議", "许昌市召开会议"),
        ("臺灣 · 台湾", "台湾台湾"),
        ("ＡＢＣ１２３", "abc123"),
        ("“双减”，义务教育！", "双减义务教育"),
        ("146.9亿元", "146.9亿元"),
        ("146 9亿元", "146.9亿元"),
        ("１４６．９亿元", "146.9亿元"),
        ("146\u{3000}9", "146.9"),
        ("增长6 5%", "增长6.5"),
        ("146. 9", "1469"),
        ("146\n9", "1469"),
        ("1,234人", "1234人"),
        ("10:38", "1038"),
        ("3·15晚会", "3.15晚会"),
        ("3.15晚会", "3.15晚会"),
        ("完了。2026.", "完了2026"),
        (".5 a.b", "5ab"),
        ("第①条 30㎡", "第①条30"),
        ("〇一二", "〇一二"),
        ("Café CAFE\u{301}", "cafécafé"),
        ("ｶﾞｽ ガス", "ガスガス"),
        ("⽂\u{F9B5}", "文例"),
        ("看著 看着 答覆 答复", "看着看着答复答复"),
        ("ÄÖÜ ß Straße", "äöüßstraße"),
        ("Ελλάς МОСКВА", "ελλάςмосква"),
        ("\u{301}a", "a"),
        ("İ", "i"),
        ("👍好\u{200B}的\u{FEFF}", "好的"),
    ];

    #[test]
    fn folds_as_the_table_says() {
        for (original, expected) in TABLE {
            assert_eq!(fold(original), *expected, "{original:?}");
            assert_eq!(fold(expected), *expected, "folding twice changes {original:?}");
            assert_eq!(letters(original).into_iter().collect::<String>(), *expected, "{original:?}");
            let map = folded(original);
            let at = map.text.char_indices().map(|(byte, letter)| (letter, map.at[byte]));
            assert_eq!(placed(original), at.unzip(), "{original:?}");
            assert_eq!(map.text, *expected, "{original:?}");
            assert_eq!(map.at.len(), map.text.len() + 1, "{original:?}");
            for (byte, from) in map.at.iter().enumerate() {
                assert!(original.is_char_boundary(*from as usize), "{original:?} at {byte}");
            }
        }
    }

    #[test]
    fn the_table_of_characters_is_the_one_that_was_checked_in() {
        let pairs = TRADITIONAL.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
        for pair in pairs.clone() {
            let letters: Vec<char> = pair.chars().collect();
            assert_eq!(letters.len(), 2, "{pair}");
            assert_eq!(simplified(letters[0]), letters[1], "{pair}");
            assert_eq!(simplified(letters[1]), letters[1], "{pair}: a simplified form folds to something else");
        }
        assert_eq!(crate::model::id::hash64(&[TRADITIONAL.as_bytes()]), CHECKSUM, "a changed table changes identities");
        assert!(pairs.count() > 2_900);
    }

    #[test]
    fn punctuation_is_what_the_long_way_leaves_out() {
        for code in 0x80..0x1_0000_u32 {
            let Some(letter) = char::from_u32(code).filter(|letter| is_punctuation(*letter)) else { continue };
            let plain = plain(letter);
            assert!(!plain.is_alphanumeric() && !is_mark(plain), "{letter:?}");
            assert!(
                !matches!(plain, '.' | ' ' | '\u{A0}' | '\u{B7}' | '\u{2022}' | '\u{2027}' | '\u{30FB}'),
                "{letter:?}"
            );
        }
    }

    const CHECKSUM: u64 = 560_955_558_577_726_294;

    #[test]
    fn some_characters_tell_their_script() {
        for (letter, expected) in [('會', Some(true)), ('会', Some(false)), ('后', None), ('人', None), ('a', None)]
        {
            assert_eq!(traditional(letter), expected, "{letter}");
        }
    }

    #[test]
    fn an_index_leads_back_to_the_original() {
        let map = folded("「許昌」 146 9亿");
        let at = map.text.find("146.9").unwrap();
        assert_eq!(&"「許昌」 146 9亿"[map.at[at] as usize..], "146 9亿");
    }
}
