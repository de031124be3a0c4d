//! Bytes to text: which character set, and why, in words.
//!
//! The order: what the source's block says; a byte order mark; what the document declares; the HTTP header, where
//! ISO-8859-1 and ASCII count as absent (servers send them by default, whatever the document is in); a guess. If the first
//! choice leaves characters that cannot be, the others are tried and the one that leaves fewest is taken.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

/// A document as text.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The text, without a byte order mark.
    pub text: String,
    /// The character set and why: "gb18030 (declared in the document as gb2312)".
    pub why: String,
    /// What was wrong.
    pub complaints: Vec<String>,
}

/// How far into a document a declaration is looked for (WHATWG HTML 13.2.3.2 has 1024; real pages put scripts before it).
const PRESCAN: usize = 4096;

/// How much of a document the guess looks at.
const GUESSED: usize = 256 * 1024;

/// Decodes; never fails.
pub(super) fn decode(body: &[u8], content_type: Option<&str>, forced: Option<&str>) -> Decoded {
    let mut complaints = Vec::new();
    if let Some(label) = forced {
        if let Some(encoding) = encoding(label) {
            let text = encoding.decode_with_bom_removal(body).0.into_owned();
            return Decoded { text, why: format!("{} (set in feeds.toml)", name(encoding)), complaints };
        }
        complaints.push(format!("the character set `{label}` of feeds.toml is unknown: detected instead"));
    }
    if let Some((encoding, length)) = Encoding::for_bom(body) {
        let (text, damaged) = run(encoding, &body[length..]);
        if damaged == 0 || encoding != UTF_8 {
            return Decoded { text, why: format!("{} (byte order mark)", name(encoding)), complaints };
        }
    }
    if let Some(encoding) = wide(body) {
        let (text, _) = run(encoding, body);
        return Decoded { text, why: format!("{} (every second byte is zero)", name(encoding)), complaints };
    }
    let mut candidates: Vec<(&'static Encoding, String)> = Vec::new();
    if let Some(label) = declared(body) {
        match encoding(&label) {
            // A document that can be read as bytes is in no UTF-16, whatever it says.
            Some(found) if found == UTF_16LE || found == UTF_16BE => candidates.push((UTF_8, declares(&label))),
            Some(found) => candidates.push((found, declares(&label))),
            None => complaints.push(format!("the document declares an unknown character set, `{label}`")),
        }
    }
    if let Some(label) = content_type.and_then(header)
        && let Some(found) = encoding(label)
        && !is_default(label)
    {
        candidates.push((found, format!("HTTP header says {label}")));
    }
    let sure = candidates.len();
    let guess = guess(body);
    for (encoding, why) in [(UTF_8, "no declaration"), (guess, "guessed"), (GB18030, "tried")] {
        if !candidates.iter().any(|(known, _)| *known == encoding) {
            candidates.push((encoding, why.to_owned()));
        }
    }
    let mut best: Option<(usize, &'static Encoding, String, String)> = None;
    for (i, (encoding, why)) in candidates.iter().enumerate() {
        let (text, damaged) = run(encoding, body);
        // Without a declaration, UTF-8 that is not damaged is UTF-8; damaged, the guess stands.
        if best.as_ref().is_none_or(|(least, ..)| damaged < *least) {
            best = Some((damaged, encoding, why.clone(), text));
        }
        if damaged == 0 || (damaged <= tolerated(body) && i < sure) {
            break;
        }
    }
    let (damaged, encoding, why, text) = best.unwrap_or_else(|| (0, UTF_8, "no declaration".to_owned(), String::new()));
    if damaged > 0 {
        complaints.push(format!("{damaged} characters could not be decoded as {}", name(encoding)));
    }
    if let Some((first, said)) = candidates.first().filter(|(first, _)| sure > 0 && *first != encoding) {
        complaints.push(format!("{said}, but it is not in {}: read as {}", name(first), name(encoding)));
    }
    Decoded { text, why: format!("{} ({why})", name(encoding)), complaints }
}

fn declares(label: &str) -> String {
    format!("declared in the document as {label}")
}

/// So many characters may be damaged (cut in the middle, a stray byte) before another character set is tried.
fn tolerated(body: &[u8]) -> usize {
    2 + body.len() / 20_000
}

/// Decodes and counts replacement characters that the bytes do not spell themselves.
fn run(encoding: &'static Encoding, body: &[u8]) -> (String, usize) {
    let (text, had_errors) = encoding.decode_without_bom_handling(body);
    let damaged = if had_errors { text.matches('\u{fffd}').count() } else { 0 };
    (text.into_owned(), damaged)
}

/// By its label. `gb2312` and `gbk` are read as gb18030, which holds them both and is what their pages are in.
fn encoding(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().trim_matches(['"', '\'']);
    let found = Encoding::for_label(label.as_bytes()).or_else(|| match label.to_ascii_lowercase().as_str() {
        "utf8mb4" | "utf-8n" | "unicode" => Some(UTF_8),
        "gb_18030" | "gb" | "cp936" | "gb18030-2000" => Some(GB18030),
        _ => None,
    })?;
    Some(if found == GBK { GB18030 } else { found })
}

fn name(encoding: &'static Encoding) -> String {
    encoding.name().to_ascii_lowercase()
}

/// Labels that servers send without knowing.
fn is_default(label: &str) -> bool {
    let label = label.trim_matches(['"', '\'']).to_ascii_lowercase();
    matches!(label.as_str(), "iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" | "us-ascii" | "ascii")
}

/// The `charset` parameter of a `Content-Type` (RFC 9110 section 8.3.1).
fn header(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    })
}

/// What the document says of itself: `<?xml … encoding="…"?>`, `<meta charset=…>`, `<meta http-equiv … charset=…>`.
fn declared(body: &[u8]) -> Option<String> {
    let head: String = body.iter().take(PRESCAN).map(|b| if b.is_ascii() { *b as char } else { ' ' }).collect();
    let lower = head.to_ascii_lowercase();
    if let Some(at) = lower.find("<?xml") {
        let end = lower[at..].find("?>").map_or(lower.len(), |i| at + i);
        if let Some(label) = value_after(&lower[at..end], "encoding") {
            return Some(label);
        }
    }
    let mut from = 0;
    while let Some(at) = lower[from..].find("<meta").map(|i| from + i) {
        let end = lower[at..].find('>').map_or(lower.len(), |i| at + i);
        if let Some(label) = value_after(&lower[at..end], "charset") {
            return Some(label);
        }
        from = end;
    }
    None
}

/// The value after `key=`.
fn value_after(text: &str, key: &str) -> Option<String> {
    let rest = text[text.find(key)? + key.len()..].trim_start().strip_prefix('=')?.trim_start();
    let value: String = rest
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'))
        .collect();
    (!value.is_empty()).then_some(value)
}

/// UTF-16 without a byte order mark: markup whose every second byte is zero.
fn wide(body: &[u8]) -> Option<&'static Encoding> {
    match body.get(..4)? {
        [b'<', 0, _, 0] => Some(UTF_16LE),
        [0, b'<', 0, _] => Some(UTF_16BE),
        _ => None,
    }
}

fn guess(body: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&body[..body.len().min(GUESSED)], body.len() <= GUESSED);
    let found = detector.guess(None, Utf8Detection::Allow);
    if found == GBK { GB18030 } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "许昌市水平测试平台公平竞争，郑州市人民政府";

    fn gbk() -> Vec<u8> {
        GB18030.encode(TEXT).0.into_owned()
    }

    fn with(head: &str, body: &[u8]) -> Vec<u8> {
        [head.as_bytes(), body].concat()
    }

    #[test]
    fn the_order_is_mark_declaration_header_guess() {
        let meta = "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=gb2312\">";
        for (body, header, why) in [
            (with("\u{feff}<?xml encoding=\"gbk\"?>", TEXT.as_bytes()), None, "utf-8 (byte order mark)"),
            (with(meta, &gbk()), Some("text/html; charset=ISO-8859-1"), "gb18030 (declared in the document as gb2312)"),
            (with("<?xml version='1.0' encoding='GBK'?>", &gbk()), None, "gb18030 (declared in the document as gbk)"),
            (with("<p>", &gbk()), Some("text/html;charset=\"GBK\""), "gb18030 (HTTP header says GBK)"),
            (with("<p>", &gbk()), Some("text/html; charset=us-ascii"), "gb18030 (guessed)"),
            (with("<p>", TEXT.as_bytes()), Some("text/html; charset=iso-8859-1"), "utf-8 (no declaration)"),
        ] {
            let decoded = decode(&body, header, None);
            assert!(decoded.text.ends_with(TEXT), "{why}: {}", decoded.text);
            assert_eq!(decoded.why, why);
            assert_eq!(decoded.complaints, Vec::<String>::new(), "{why}");
        }
    }

    #[test]
    fn a_wrong_declaration_is_found_out() {
        let decoded = decode(&with("<?xml encoding='utf-8'?>", &gbk()), None, None);
        assert!(decoded.text.ends_with(TEXT));
        assert_eq!(decoded.complaints, ["declared in the document as utf-8, but it is not in utf-8: read as gb18030"]);
    }

    #[test]
    fn a_stray_byte_does_not_change_the_character_set() {
        let mut body = with("<?xml encoding='utf-8'?>", TEXT.as_bytes());
        body.push(0xb5);
        let decoded = decode(&body, None, None);
        assert!(decoded.text.contains(TEXT));
        assert_eq!(decoded.complaints, ["1 characters could not be decoded as utf-8"]);
    }

    #[test]
    fn utf_16_is_read_with_and_without_a_mark() {
        let text = format!("<rss>{TEXT}</rss>");
        for mark in [vec![], vec![0xff, 0xfe]] {
            let mut body: Vec<u8> = mark;
            body.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
            assert_eq!(decode(&body, Some("text/xml; charset=utf-8"), None).text, text);
        }
    }

    #[test]
    fn the_file_of_settings_has_the_last_word() {
        let decoded = decode(&with("<?xml encoding='utf-8'?>", &gbk()), None, Some("gb2312"));
        assert!(decoded.text.ends_with(TEXT));
        assert_eq!(decoded.why, "gb18030 (set in feeds.toml)");
    }
}
