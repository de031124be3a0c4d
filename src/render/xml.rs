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

/// The text without characters unfit for XML, its line ends as XML reads them (section 2.11: all become LF; validators
/// warn of a next line, U+0085, as of any other C1 control).
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|character| !matches!(character, '\r' | '\u{85}') && is_fit(character)) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{85}'], "\n");
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

/// A link that may be printed: of the web, so that nothing a source sends, such as `javascript:`, runs in a reader; and an
/// address by the letter of RFC 3986, since RSS wants no other and validators call the rest an error: scheme and host small,
/// a path always, no port that goes without saying, and in per cent whatever may not stand there.
#[must_use]
pub fn address(text: &str) -> Option<String> {
    let text = line(text);
    let (scheme, rest) = text.trim().split_once("://")?;
    let (scheme, port) = if scheme.eq_ignore_ascii_case("https") {
        ("https", ":443")
    } else if scheme.eq_ignore_ascii_case("http") {
        ("http", ":80")
    } else {
        return None;
    };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
    let host = host.strip_suffix(port).or_else(|| host.strip_suffix(':')).unwrap_or(host);
    if host.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(scheme);
    out.push_str("://");
    if !user.is_empty() {
        encode(user, &mut out);
        out.push('@');
    }
    // The brackets of an IPv6 address stand in a host and nowhere else.
    match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((inside, port)) => {
            out.push('[');
            encode(&inside.to_ascii_lowercase(), &mut out);
            out.push(']');
            encode(port, &mut out);
        }
        None => encode(&host.to_ascii_lowercase(), &mut out),
    }
    if !rest.starts_with('/') {
        out.push('/');
    }
    encode(rest, &mut out);
    Some(out)
}

/// Writes part of an address: reserved and unreserved characters (RFC 3986 section 2) as they are, but for brackets; what is
/// in per cent already stays so, in capitals; everything else comes to be.
fn encode(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'%' => match bytes.get(at..at + 2) {
                Some([high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    out.extend(['%', high.to_ascii_uppercase() as char, low.to_ascii_uppercase() as char]);
                    at += 2;
                }
                _ => out.push_str("%25"),
            },
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(byte as char),
            byte if b"-._~:/?#@!$&'()*+,;=".contains(&byte) => out.push(byte as char),
            // Writing to a String cannot fail.
            other => drop(write!(out, "%{other:02X}")),
        }
    }
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
            ("a\u{85}b", "a\nb", "a b"),
        ] {
            assert_eq!((clean(text).as_ref(), line(text).as_ref()), (cleaned, lined), "{text:?}");
        }
        assert!(is_fit('\u{fffd}') && is_fit('\u{10fffd}') && is_fit('\u{e000}'));
    }

    #[test]
    fn only_addresses_of_the_web_are_printed() {
        for (text, expected) in [
            (" https://a.example/b?c=d&e#f ", Some("https://a.example/b?c=d&e#f")),
            ("HTTP://A.example/新闻", Some("http://a.example/%E6%96%B0%E9%97%BB")),
            ("https://a.example:443", Some("https://a.example/")),
            ("https://a.example:8443?q=[a]%e6%9x", Some("https://a.example:8443/?q=%5Ba%5D%E6%259x")),
            ("http://User:p\u{e4}ss@a.example:80/", Some("http://User:p%C3%A4ss@a.example/")),
            ("http://[2001:DB8::1]:8080/a[b]", Some("http://[2001:db8::1]:8080/a%5Bb%5D")),
            ("http://河南.example/100%", Some("http://%E6%B2%B3%E5%8D%97.example/100%25")),
            ("http://:80/", None),
            ("http:///a", None),
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
