//! Bytes to text: which character set, and why, in words.
//!
//! The order: what the source's block says; a byte order mark; what the document declares; the HTTP header, where
//! ISO-8859-1 and ASCII count as absent (servers send them by default, whatever the document is in); a guess. What is sound
//! UTF-8 with enough characters beyond ASCII is UTF-8, whatever it is called. If the first choice leaves characters that
//! cannot be, the others are tried; where only some pieces of the document are in another set (an aggregator that glues
//! texts together), those pieces alone are read in it. In a set of one byte a character every byte is something: there the
//! words decide.

mod label;
mod pages;
mod wide;
mod words;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, UTF_8};
use label::{Charset, charset};
use std::cell::LazyCell;

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

/// So many bytes of sound multi-byte sequences of UTF-8 occur in no other set by chance.
const SURELY_UTF8: usize = 6;

/// Characters beyond ASCII that stand together in the languages of windows-1252 and its neighbours, in tenths: fewer than
/// this on average. In Cyrillic, Greek or Chinese text whole words are beyond ASCII.
const ALONE: usize = 25;

/// Decodes; never fails.
pub(super) fn decode(body: &[u8], content_type: Option<&str>, forced: Option<&str>) -> Decoded {
    let mut complaints = Vec::new();
    if let Some(label) = forced {
        if let Some(charset) = charset(label) {
            let text = match charset {
                Charset::Standard(encoding) => encoding.decode_with_bom_removal(body).0.into_owned(),
                charset => run(charset, body).0,
            };
            return Decoded { text, why: format!("{} (set in feeds.toml)", charset.name()), complaints };
        }
        complaints.push(format!("the character set `{label}` of feeds.toml is unknown: detected instead"));
    }
    let plain = |charset: Charset, text: String, why: &str, complaints: Vec<String>| Decoded {
        text,
        why: format!("{} ({why})", charset.name()),
        complaints,
    };
    if let Some(charset) = wide::mark(body) {
        return plain(charset, run(charset, &body[4..]).0, "byte order mark", complaints);
    }
    let mut body = body;
    if let Some((encoding, length)) = Encoding::for_bom(body) {
        let charset = Charset::Standard(encoding);
        let (text, damaged) = run(charset, &body[length..]);
        if damaged == 0 || encoding != UTF_8 {
            return plain(charset, text, "byte order mark", complaints);
        }
        body = &body[length..];
    }
    if let Some(charset) = wide::unmarked(body) {
        let why = if charset.is_wide() { "its bytes between zeroes" } else { "its bytes are EBCDIC" };
        return plain(charset, run(charset, body).0, why, complaints);
    }
    let claims = claims(body, content_type, &mut complaints);
    let first = claims.first().map(|(charset, why)| (*charset, why.as_str()));
    let utf8 = Charset::Standard(UTF_8);
    if let Some(charset) = wide::escaped(body) {
        let (text, damaged) = run(charset, body);
        if damaged == 0 {
            if let Some((said, why)) = first.filter(|(said, _)| *said != charset) {
                complaints.push(format!("{why}, but it is not in {}: read as {}", said.name(), charset.name()));
            }
            return plain(charset, text, "its escape sequences", complaints);
        }
    }
    if let Ok(text) = std::str::from_utf8(body) {
        match first {
            None => return plain(utf8, text.to_owned(), "no declaration", complaints),
            Some((charset, why)) if charset == utf8 => return plain(utf8, text.to_owned(), why, complaints),
            Some((charset, why)) if weight(text) >= SURELY_UTF8 => {
                complaints.push(format!("{why}, but it is not in {}: read as utf-8", charset.name()));
                return plain(utf8, text.to_owned(), "found out", complaints);
            }
            Some(_) => {}
        }
    }
    foreign(body, claims, complaints)
}

/// What document and server say, in the order in which they are believed.
fn claims(body: &[u8], content_type: Option<&str>, complaints: &mut Vec<String>) -> Vec<(Charset, String)> {
    let mut claims: Vec<(Charset, String)> = Vec::new();
    // A document that can be read as bytes is in no UTF-16, whatever it says.
    let bytes = |found: Charset| if found.is_wide() { Charset::Standard(UTF_8) } else { found };
    if let Some(label) = declared(body) {
        match charset(&label) {
            Some(found) => claims.push((bytes(found), format!("declared in the document as {label}"))),
            None => complaints.push(format!("the document declares an unknown character set, `{label}`")),
        }
    }
    if let Some(label) = content_type.and_then(header)
        && let Some(found) = charset(label).map(bytes)
        && !is_default(label)
        && !claims.iter().any(|(known, _)| *known == found)
    {
        claims.push((found, format!("HTTP header says {label}")));
    }
    claims
}

/// A document that is not simply UTF-8.
fn foreign(body: &[u8], candidates: Vec<(Charset, String)>, mut complaints: Vec<String>) -> Decoded {
    let sure = candidates.len();
    // Costs more than decoding: asked only where it decides.
    let guess = LazyCell::new(|| Charset::Standard(guess(body)));
    let mut best: Option<(usize, Charset, String, String)> = None;
    for i in 0..sure + 3 {
        let (charset, why) = match candidates.get(i) {
            Some((charset, why)) => (*charset, why.clone()),
            None if i == sure => (Charset::Standard(UTF_8), "no declaration".to_owned()),
            None if i == sure + 1 => (*guess, "guessed".to_owned()),
            None => (Charset::Standard(GB18030), "tried".to_owned()),
        };
        if i >= sure && candidates.iter().any(|(known, _)| *known == charset) {
            continue;
        }
        let western = i < sure && matches!(charset, Charset::Standard(encoding) if is_western(encoding));
        if western && !letters_stand_alone(body) && charset != *guess {
            continue;
        }
        let (text, damaged) = run(charset, body);
        let better = best.as_ref().is_none_or(|(least, ..)| damaged < *least);
        // A set that most pieces are in is the right one; the others are looked at one by one.
        if damaged > 0 && i < sure.max(1) && charset.is_piecewise() && is_mostly(charset, body) {
            let (text, damaged) = piecewise(charset, *guess, body, &mut complaints);
            best = Some((damaged, charset, why, text));
            break;
        }
        if better {
            best = Some((damaged, charset, why, text));
        }
        if damaged == 0 {
            break;
        }
    }
    let utf8 = Charset::Standard(UTF_8);
    let (damaged, mut charset, mut why, mut text) =
        best.unwrap_or_else(|| (0, utf8, "no declaration".to_owned(), String::from_utf8_lossy(body).into_owned()));
    if damaged == 0
        && charset.is_single()
        && !is_sound(utf8, body)
        && let Some((better, words)) = words::better(&text, letters_stand_alone(body), |charset| run(charset, body))
    {
        (charset, text) = (better, words);
        "its words".clone_into(&mut why);
    }
    if damaged > 0 {
        complaints.push(format!("{damaged} characters could not be decoded as {}", charset.name()));
    }
    if let Some((first, said)) = candidates.first().filter(|(first, _)| sure > 0 && *first != charset) {
        complaints.push(format!("{said}, but it is not in {}: read as {}", first.name(), charset.name()));
    }
    Decoded { text, why: format!("{} ({why})", charset.name()), complaints }
}

/// Bytes that belong to characters of several bytes, as far as anyone wants to know.
fn weight(text: &str) -> usize {
    let mut weight = 0;
    for byte in text.bytes() {
        // Lead bytes of two and of three and more; three prove more than their length.
        weight += match byte {
            0xc2..=0xdf => 1,
            0xe0..=0xff => 3,
            _ => 0,
        };
        if weight >= SURELY_UTF8 {
            break;
        }
    }
    weight
}

/// Whether the bytes beyond ASCII stand mostly alone, as accented letters do.
fn letters_stand_alone(body: &[u8]) -> bool {
    let (mut bytes, mut runs) = (0_usize, 0_usize);
    let mut before = false;
    for byte in body.iter().take(GUESSED) {
        let beyond = *byte >= 0x80;
        bytes += usize::from(beyond);
        runs += usize::from(beyond && !before);
        before = beyond;
    }
    bytes * 10 < runs * ALONE || bytes < 8
}

/// Sets of the Latin script: every byte is some letter in them, so nothing shows that a label is wrong.
fn is_western(encoding: &'static Encoding) -> bool {
    use encoding_rs::{
        ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_10, ISO_8859_13, ISO_8859_14, ISO_8859_15, ISO_8859_16, MACINTOSH,
        WINDOWS_1250, WINDOWS_1252, WINDOWS_1254, WINDOWS_1257, WINDOWS_1258,
    };
    [
        WINDOWS_1252,
        WINDOWS_1250,
        WINDOWS_1254,
        WINDOWS_1257,
        WINDOWS_1258,
        ISO_8859_2,
        ISO_8859_3,
        ISO_8859_4,
        ISO_8859_10,
        ISO_8859_13,
        ISO_8859_14,
        ISO_8859_15,
        ISO_8859_16,
        MACINTOSH,
    ]
    .contains(&encoding)
}

/// The pieces of a document between its tags that have bytes beyond ASCII, tags included.
fn pieces(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split_inclusive(|byte| matches!(byte, b'<' | b'>'))
}

/// Whether most pieces with bytes beyond ASCII are sound in this set.
fn is_mostly(charset: Charset, body: &[u8]) -> bool {
    let (mut sound, mut all) = (0_usize, 0_usize);
    for piece in pieces(body).filter(|piece| !piece.is_ascii()) {
        all += 1;
        sound += usize::from(is_sound(charset, piece));
    }
    sound * 2 >= all && sound > 0
}

/// Whether a piece is in this set, if perhaps cut in the middle of a character or with a stray byte.
fn is_sound(charset: Charset, piece: &[u8]) -> bool {
    if charset == Charset::Standard(UTF_8) {
        let (mut sound, mut broken) = (0, 0);
        for chunk in piece.utf8_chunks() {
            sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
            broken += usize::from(!chunk.invalid().is_empty());
        }
        return sound >= broken;
    }
    let (text, damaged) = run(charset, piece);
    damaged == 0 || std::str::from_utf8(piece).is_err() && text.chars().filter(|c| !c.is_ascii()).count() > 10 * damaged
}

/// Each piece in the document's set, or, where it is not in it, in UTF-8 or the one that is guessed for such pieces.
fn piecewise(main: Charset, guessed: Charset, body: &[u8], complaints: &mut Vec<String>) -> (String, usize) {
    let odd: Vec<&[u8]> = pieces(body).filter(|piece| !piece.is_ascii() && !is_sound(main, piece)).collect();
    let others = [Charset::Standard(UTF_8), Charset::Standard(guess(&odd.concat())), guessed];
    let mut text = String::with_capacity(body.len() + body.len() / 8);
    let (mut damaged, mut foreign) = (0, 0);
    for piece in pieces(body) {
        if let Ok(ascii) = std::str::from_utf8(piece)
            && (piece.is_ascii() || main == Charset::Standard(UTF_8))
        {
            text.push_str(ascii);
            continue;
        }
        let mut read = run(main, piece);
        if read.1 > 0
            && main == Charset::Standard(UTF_8)
            && let Some(patched) = patched(piece)
        {
            text.push_str(&patched);
            foreign += 1;
            continue;
        }
        if read.1 > 0 && !is_sound(main, piece) {
            let other = others.iter().filter(|other| **other != main).map(|other| run(*other, piece));
            if let Some(better) = other.min_by_key(|(_, damaged)| *damaged).filter(|better| better.1 < read.1) {
                read = better;
                foreign += 1;
            }
        }
        text.push_str(&read.0);
        damaged += read.1;
    }
    if foreign > 0 {
        complaints.push(format!("{foreign} pieces of the document are in another character set: read so"));
    }
    (text, damaged)
}

/// A piece of UTF-8 with single letters of windows-1252 between ASCII; `None` if it is something else, such as Chinese text
/// cut in the middle of a character.
fn patched(piece: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(piece.len() + 8);
    let mut chunks = piece.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        if chunk.valid().chars().any(|c| c > '\u{7ff}' && !('\u{2000}'..'\u{2200}').contains(&c)) {
            return None;
        }
        text.push_str(chunk.valid());
        let alone = chunk.invalid().len() <= 1
            && chunk.valid().bytes().next_back().is_none_or(|before| before.is_ascii())
            && chunks.peek().is_none_or(|next| next.valid().bytes().next().is_some_and(|after| after.is_ascii()));
        if !chunk.invalid().is_empty() {
            text.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
            if !alone {
                return None;
            }
        }
    }
    Some(text)
}

/// Decodes and counts replacement characters that the bytes do not spell themselves.
fn run(charset: Charset, body: &[u8]) -> (String, usize) {
    match charset {
        Charset::Standard(encoding) => {
            let (text, had_errors) = encoding.decode_without_bom_handling(body);
            let damaged = if had_errors { text.matches(char::REPLACEMENT_CHARACTER).count() } else { 0 };
            (text.into_owned(), damaged)
        }
        Charset::Page(page) => page.decode(body),
        Charset::Quad { big } => wide::quads(body, big),
        Charset::Shifted { of } => wide::shifted(body, of),
    }
}

/// Bytes in a code page by its name, as characters.
pub(super) fn page(name: &str, bytes: &[u8]) -> Option<String> {
    pages::Page::of(name).map(|page| page.decode(bytes).0)
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
    let head = body.iter().take(PRESCAN).map(|b| if b.is_ascii() { b.to_ascii_lowercase() } else { b' ' });
    let lower = String::from_utf8(head.collect()).unwrap_or_default();
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
    fn sound_utf_8_is_utf_8_whatever_it_is_called() {
        for label in ["gb2312", "iso-8859-1", "big5", "windows-1251", "utf-16"] {
            let decoded = decode(&with(&format!("<?xml encoding='{label}'?>"), TEXT.as_bytes()), None, None);
            assert!(decoded.text.ends_with(TEXT), "{label}: {decoded:?}");
        }
        // Too little to be sure: what is declared stands, and the texts are looked at once more later.
        let decoded = decode(&with("<?xml encoding='iso-8859-1'?>", "é".as_bytes()), None, None);
        assert!(decoded.text.ends_with("Ã©"));
    }

    #[test]
    fn text_of_another_script_is_not_in_a_latin_set() {
        let decoded = decode(&with("<?xml encoding='iso-8859-1'?><t>", &gbk()), None, None);
        assert!(decoded.text.ends_with(TEXT), "{decoded:?}");
        assert_eq!(
            decoded.complaints,
            ["declared in the document as iso-8859-1, but it is not in windows-1252: read as gb18030"]
        );
        let latin =
            encoding_rs::WINDOWS_1252.encode("<t>Zażółć? Größe, übermäßig, naïveté, Ångström</t>").0.into_owned();
        let decoded = decode(&with("<?xml encoding='iso-8859-1'?>", &latin), None, None);
        assert!(decoded.text.contains("übermäßig"), "{decoded:?}");
        assert_eq!(decoded.complaints, Vec::<String>::new());
    }

    #[test]
    fn one_piece_in_another_set_does_not_spoil_the_others() {
        let piece = |text: &[u8]| [b"<t>", text, b"</t>"].concat();
        let mixed = [
            &with("<?xml encoding='utf-8'?>", b"")[..],
            &piece(TEXT.as_bytes()),
            &piece(&gbk()),
            &piece(TEXT.as_bytes()),
        ];
        let decoded = decode(&mixed.concat(), None, None);
        assert_eq!(decoded.text.matches(TEXT).count(), 3, "{decoded:?}");
        assert_eq!(decoded.complaints, ["1 pieces of the document are in another character set: read so"]);
        let head = with("<?xml encoding='gbk'?>", b"");
        let mixed = [&head[..], &piece(&gbk()), &piece("许昌市的水平测".as_bytes()), &piece(&gbk())];
        let decoded = decode(&mixed.concat(), None, None);
        assert_eq!(decoded.text.matches(TEXT).count(), 2, "{decoded:?}");
        assert!(decoded.text.contains("许昌市的水平测"), "{decoded:?}");
    }

    #[test]
    fn a_refused_label_does_not_empty_the_document() {
        let decoded = decode(&with("<?xml encoding='iso-2022-cn'?>", TEXT.as_bytes()), None, None);
        assert!(decoded.text.ends_with(TEXT), "{decoded:?}");
    }

    #[test]
    fn the_file_of_settings_has_the_last_word() {
        let decoded = decode(&with("<?xml encoding='utf-8'?>", &gbk()), None, Some("gb2312"));
        assert!(decoded.text.ends_with(TEXT));
        assert_eq!(decoded.why, "gb18030 (set in feeds.toml)");
    }
}
