//! What a wrong set of one byte a character does to words: in none of these sets is a byte impossible, so only the words tell.
//!
//! `og³osi³`, `annoncŽ`, `Gr”áte`, `объЯвил`: a sign between two letters, a capital behind a small letter, letters of two scripts in
//! one word. Where many words look so, the set is tried in which the fewest do.

use super::label::Charset;
use super::pages::Page;
use encoding_rs::{
    ISO_8859_2, MACINTOSH, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1257,
    X_MAC_CYRILLIC,
};

/// How much of a text is looked at, in characters.
const LOOKED_AT: usize = 64 * 1024;

/// Fewer odd places than this are typing errors.
const FEWEST: usize = 3;

/// So many characters beyond ASCII to one odd place are too many for a wrong set; where all letters are beyond ASCII, so many.
const SHARE: usize = 6;
const SHARE_OF_ALL: usize = 60;

/// Signs that stand between letters in many languages.
const BETWEEN: &str = "’‘ʼ´·‧‑\u{ad}–—…\u{200c}\u{200d}";

/// Signs of fractions and powers, before which no letter stands behind.
const POWERS: &str = "¹³¼½¾";

/// The sets that are tried, the commonest first: of alphabets whose letters all stand beyond ASCII, or of Latin ones.
fn others(all: bool) -> Vec<Charset> {
    let standard = if all {
        vec![WINDOWS_1251, WINDOWS_1253, X_MAC_CYRILLIC]
    } else {
        vec![WINDOWS_1250, ISO_8859_2, WINDOWS_1254, WINDOWS_1257, WINDOWS_1252, MACINTOSH]
    };
    let pages: &[&str] = if all { &["cp737"] } else { &["cp850", "cp852", "cp437", "maccentraleurope"] };
    let pages = pages.iter().filter_map(|name| Page::of(name)).map(Charset::Page);
    standard.into_iter().map(Charset::Standard).chain(pages).collect()
}

/// The set in which the words of a document look like words, where they do not in this one; `None` if they do. `alone`: the
/// letters beyond ASCII stand mostly alone.
pub(super) fn better(
    text: &str,
    alone: bool,
    decode: impl Fn(Charset) -> (String, usize),
) -> Option<(Charset, String)> {
    let (odd, beyond) = oddness(text);
    let share = if alone { SHARE } else { SHARE_OF_ALL };
    if odd < FEWEST || odd * share < beyond {
        return None;
    }
    let mut best: Option<(usize, Charset, String)> = None;
    for charset in others(!alone) {
        let (text, damaged) = decode(charset);
        let (now, _) = oddness(&text);
        if damaged == 0 && now * 3 < odd && best.as_ref().is_none_or(|(least, ..)| now < *least) {
            best = Some((now, charset, text));
        }
    }
    best.map(|(_, charset, text)| (charset, text))
}

/// The scripts whose letters do not stand in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Other,
}

fn script(c: char) -> Script {
    match c {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
        '\u{400}'..='\u{52f}' => Script::Cyrillic,
        _ => Script::Other,
    }
}

/// Odd places in words, and characters beyond ASCII.
fn oddness(text: &str) -> (usize, usize) {
    let (mut odd, mut beyond) = (0, 0);
    let mut before = ' ';
    let mut chars = text.chars().take(LOOKED_AT).peekable();
    while let Some(c) = chars.next() {
        let behind = chars.peek().copied().unwrap_or(' ');
        if !c.is_ascii() {
            beyond += 1;
            if c.is_alphabetic() {
                let mixed =
                    |other: char| other.is_alphabetic() && script(other) != script(c) && script(other) != Script::Other;
                let capital = c.is_uppercase() && before.is_lowercase();
                odd += usize::from(script(c) != Script::Other && (capital || mixed(before) || mixed(behind)));
            // Marks and punctuation of other scripts belong there.
            } else if !BETWEEN.contains(c)
                && matches!(c, '\u{80}'..='\u{bf}' | '\u{d7}' | '\u{f7}' | '\u{2c0}'..='\u{2ff}' | '\u{2000}'..='\u{25ff}')
            {
                let inside = before.is_alphabetic() && behind.is_alphabetic();
                odd += usize::from(c.is_control() || inside || (POWERS.contains(c) && behind.is_alphabetic()));
            }
        }
        before = c;
    }
    (odd, beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_a_wrong_set_look_odd() {
        for (text, odd) in [
            ("Prezydent og³osi³ nowe wybory", 1),
            ("Le maire a annoncŽ des mesures", 1),
            ("dŽvoilŽs", 2),
            ("Gr”áte Baustelle", 1),
            ("объЯвил", 1),
            ("GrФбte", 2),
            ("¾luté", 1),
        ] {
            assert_eq!(oddness(text).0, odd, "{text}");
        }
    }

    #[test]
    fn words_in_the_right_set_do_not() {
        for text in [
            "Größte Straße, „Zitat“ – naïve café, 30 m², km³, 20 °C, l’école, col·legi, ¿Dónde?, ¡Mañana!",
            "Москва: «мэр» объявил — №5",
            "İstanbul’da GÜNEŞLİ günler",
            "Η Αθήνα, Θεσσαλονίκη",
            "許昌市 news 今日",
        ] {
            assert_eq!(oddness(text).0, 0, "{text}");
        }
    }
}
