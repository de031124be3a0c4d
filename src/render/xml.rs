//! Texts made fit for XML. The `rss` crate writes what it is given: one control character in one title would make the
//! whole feed ill-formed, and strict readers stop at it.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether XML 1.0 allows the character (section 2.2, `Char`) and does not discourage it (the same section's list:
/// DEL, the C1 controls but for next line, noncharacters).
#[must_use]
pub const fn is_fit(character: char) -> bool {
    let code = character as u32;
    matches!(character, '\t' | '\n' | '\r' | '\u{85}' | '\u{20}'..='\u{7e}' | '\u{a0}'..)
        && code & 0xfffe != 0xfffe
        && !(code >= 0xfdd0 && code <= 0xfdef)
}

/// The text without characters unfit for XML, its line ends as XML reads them (section 2.11: all become LF).
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|character| character != '\r' && is_fit(character)) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(text.chars().filter(|&character| is_fit(character)).collect())
}

/// The text on one line: tabs and line ends become spaces, for titles, names and addresses.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    if text.chars().all(|character| is_fit(character) && !is_break(character)) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", " ");
    let one = |character| if is_break(character) { ' ' } else { character };
    Cow::Owned(text.chars().filter(|&character| is_fit(character)).map(one).collect())
}

const fn is_break(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// A link that may be printed: of the web, so that nothing a source sends, such as `javascript:`, runs in a reader; and
/// without the ASCII characters that stand in no address (RFC 3986 section 2), which are written in per cent.
#[must_use]
pub fn address(text: &str) -> Option<String> {
    let text = line(text);
    let text = text.trim();
    let web = ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && text.len() > scheme.len()
    });
    if !web {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{:02X}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    Some(out)
}

/// Plain text as HTML, for element content and double-quoted attributes. (`&apos;` is left out: HTML 4 has no such entity.)
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::{address, clean, is_fit, line};

    #[test]
    fn what_is_left() {
        for (text, cleaned, lined) in [
            ("", "", ""),
            ("许昌 a\tb", "许昌 a\tb", "许昌 a b"),
            ("a\u{b}b\u{0}\u{1b}c", "abc", "abc"),
            ("a\r\nb\rc\nd", "a\nb\nc\nd", "a b c d"),
            ("a\u{fffe}\u{ffff}\u{1fffe}b\u{fdd0}", "ab", "ab"),
            ("a\u{7f}\u{9f}b", "ab", "ab"),
            ("👨\u{200d}👩 \u{202e}רטל", "👨\u{200d}👩 \u{202e}רטל", "👨\u{200d}👩 \u{202e}רטל"),
            ("a\u{2028}b", "a\u{2028}b", "a b"),
        ] {
            assert_eq!((clean(text).as_ref(), line(text).as_ref()), (cleaned, lined), "{text:?}");
        }
        assert!(is_fit('\u{fffd}') && is_fit('\u{10fffd}') && is_fit('\u{e000}'));
    }

    #[test]
    fn only_addresses_of_the_web_are_printed() {
        for (text, expected) in [
            (" https://a.example/b?c=d&e#f ", Some("https://a.example/b?c=d&e#f")),
            ("HTTP://a.example/新闻", Some("HTTP://a.example/新闻")),
            ("http://a.example/a b\"<>\u{1}\n|%20", Some("http://a.example/a%20b%22%3C%3E%20%7C%20")),
            ("javascript:alert(1)", None),
            ("java\nscript:alert('https://')", None),
            ("data:text/html,https://", None),
            ("//a.example/", None),
            ("https://", None),
            ("h", None),
            ("新闻https://a", None),
            ("", None),
        ] {
            assert_eq!(address(text).as_deref(), expected, "{text}");
        }
    }
}
