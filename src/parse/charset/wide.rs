//! Documents whose characters take several bytes, or seven bits: UTF-16 and UTF-32 without a mark, EBCDIC, HZ.

use super::label::Charset;
use super::pages::Page;
use encoding_rs::{EUC_KR, Encoding, GB18030, ISO_2022_JP, UTF_16BE, UTF_16LE};

/// How far into a document its first character is looked for: blanks before the markup are rarely more.
const BLANKS: usize = 64;

/// The byte order mark of UTF-32 (Unicode 16.0, table 2-4), and its length. It begins like that of UTF-16.
pub(super) fn mark(body: &[u8]) -> Option<Charset> {
    match body.get(..4)? {
        [0, 0, 0xfe, 0xff] => Some(Charset::Quad { big: true }),
        // Two zeroes behind the mark of UTF-16 would be the character NUL, with which no document begins.
        [0xff, 0xfe, 0, 0] => Some(Charset::Quad { big: false }),
        _ => None,
    }
}

/// Wide characters without a mark (XML 1.0 appendix F): where the zeroes stand beside the first character that is no blank.
pub(super) fn unmarked(body: &[u8]) -> Option<Charset> {
    let begins = |c: u8| matches!(c, b'<' | b'{' | b'[');
    let blank = |c: u8| matches!(c, b' ' | b'\t' | b'\r' | b'\n');
    // `<?xm`, `<rss`, `<feed`, `<!DO`, `<html` in EBCDIC, in which ASCII's `<` is a control character.
    let marks: [&[u8]; 5] = [
        &[0x6f, 0xa7, 0x94],
        &[0x99, 0xa2, 0xa2],
        &[0x86, 0x85, 0x85, 0x84],
        &[0x5a, 0xc4, 0xd6],
        &[0x88, 0xa3, 0x94, 0x93],
    ];
    if let Some(rest) = body.strip_prefix(&[0x4c])
        && marks.iter().any(|mark| rest.starts_with(mark))
    {
        return ebcdic(body).map(Charset::Page);
    }
    if body.len() < 4 || !body[..4].contains(&0) {
        return None;
    }
    let head = &body[..body.len().min(BLANKS)];
    let first = |size: usize, read: fn(&[u8]) -> Option<(u8, Charset)>| {
        head.chunks_exact(size).find(|unit| read(unit).is_none_or(|(c, _)| !blank(c))).and_then(read)
    };
    first(4, quad).or_else(|| first(2, pair)).filter(|(c, _)| begins(*c)).map(|(_, charset)| charset)
}

/// So many stretches of HZ are no chance.
const STRETCHES: usize = 3;

/// Sets of seven bits that show themselves in the text: ISO-2022-JP and ISO-2022-KR by their escape sequences, which no XML and
/// no JSON may hold; HZ by stretches that hold two bytes a character.
pub(super) fn escaped(body: &[u8]) -> Option<Charset> {
    if !body.is_ascii() {
        return None;
    }
    let has = |piece: &[u8]| body.windows(piece.len()).any(|window| window == piece);
    if body.contains(&0x1b) {
        return if has(b"\x1b$)C") {
            Some(Charset::Shifted { of: EUC_KR })
        } else if has(b"\x1b$") {
            Some(Charset::Standard(ISO_2022_JP))
        } else {
            None
        };
    }
    let mut stretches = 0_usize;
    let mut rest = body;
    while let Some(begin) = rest.windows(2).position(|pair| pair == b"~{") {
        let inside = &rest[begin + 2..];
        let end = inside.windows(2).position(|pair| pair == b"~}")?;
        let pair = |pair: &[u8]| matches!(pair, [0x21..=0x77, 0x21..=0x7e]);
        let sound = end > 0 && inside[..end].chunks(2).all(pair);
        if !sound {
            return None;
        }
        stretches += 1;
        rest = &inside[end + 2..];
    }
    (stretches >= STRETCHES).then_some(Charset::Shifted { of: GB18030 })
}

/// An ASCII character in four bytes.
fn quad(unit: &[u8]) -> Option<(u8, Charset)> {
    match unit {
        [c, 0, 0, 0] => Some((*c, Charset::Quad { big: false })),
        [0, 0, 0, c] => Some((*c, Charset::Quad { big: true })),
        _ => None,
    }
}

/// An ASCII character in two bytes.
fn pair(unit: &[u8]) -> Option<(u8, Charset)> {
    match unit {
        [c, 0] => Some((*c, Charset::Standard(UTF_16LE))),
        [0, c] => Some((*c, Charset::Standard(UTF_16BE))),
        _ => None,
    }
}

/// Which of the mainframes' pages: what the declaration says, which reads alike in all of them.
fn ebcdic(body: &[u8]) -> Option<Page> {
    let common = Page::of("cp037")?;
    let head = common.decode(&body[..body.len().min(200)]).0;
    let label = head.split_once("encoding=").and_then(|(_, rest)| rest.get(1..)?.split(['"', '\'', '?']).next());
    let squashed: String =
        label.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    Page::of(&squashed).filter(|page| page.is_ebcdic()).or(Some(common))
}

/// UTF-32 as text, and how many units are no characters.
pub(super) fn quads(body: &[u8], big: bool) -> (String, usize) {
    let mut damaged = usize::from(!body.len().is_multiple_of(4));
    let units = body.chunks_exact(4).map(|unit| {
        let unit = [unit[0], unit[1], unit[2], unit[3]];
        char::from_u32(if big { u32::from_be_bytes(unit) } else { u32::from_le_bytes(unit) }).unwrap_or_else(|| {
            damaged += 1;
            char::REPLACEMENT_CHARACTER
        })
    });
    let text = units.filter(|c| *c != '\u{feff}').collect();
    (text, damaged)
}

/// HZ (`~{` begins two-byte characters, `~}` ends them, `~~` is a tilde, `~` at the end of a line joins lines) or ISO-2022-KR
/// (SO and SI), as text: the high bit that was taken off is put back.
pub(super) fn shifted(body: &[u8], of: &'static Encoding) -> (String, usize) {
    let korean = of == EUC_KR;
    let mut bytes = Vec::with_capacity(body.len());
    let mut double = false;
    let mut rest = body;
    while let Some(&first) = rest.first() {
        let took = match (korean, rest) {
            (true, [0x0e, ..]) => Some((true, 1)),
            (true, [0x0f, ..]) => Some((false, 1)),
            (true, [0x1b, b'$', b')', b'C', ..]) => Some((double, 4)),
            (false, [b'~', b'{', ..]) => Some((true, 2)),
            (false, [b'~', b'}', ..]) => Some((false, 2)),
            (false, [b'~', b'\n', ..]) if !double => Some((false, 2)),
            _ => None,
        };
        if let Some((now, length)) = took {
            double = now;
            rest = &rest[length..];
            continue;
        }
        // A line ends a stretch that was left open.
        double &= first != b'\n';
        bytes.push(if double && (0x21..=0x7e).contains(&first) { first | 0x80 } else { first });
        let tilde = !korean && !double && rest.starts_with(b"~~");
        rest = &rest[if tilde { 2 } else { 1 }..];
    }
    let (text, _) = of.decode_without_bom_handling(&bytes);
    let damaged = text.matches(char::REPLACEMENT_CHARACTER).count();
    (text.into_owned(), damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<rss>许昌 €1 𝄞</rss>";

    fn units(big: bool) -> Vec<u8> {
        let unit = |c: char| if big { (c as u32).to_be_bytes() } else { (c as u32).to_le_bytes() };
        TEXT.chars().flat_map(unit).collect()
    }

    #[test]
    fn four_bytes_a_character() {
        for big in [true, false] {
            let body = units(big);
            assert_eq!(unmarked(&body), Some(Charset::Quad { big }));
            assert_eq!(quads(&body, big), (TEXT.to_owned(), 0));
        }
        assert_eq!(mark(&[0, 0, 0xfe, 0xff, 0]), Some(Charset::Quad { big: true }));
        assert_eq!(mark(&[0xff, 0xfe, 0, 0]), Some(Charset::Quad { big: false }));
        assert_eq!(mark(&[0xff, 0xfe, b'<', 0]), None);
        assert_eq!(quads(&[0, 0, 0, b'a', 0, 0xff, 0, 0, 0], true), ("a\u{fffd}".to_owned(), 2));
    }

    #[test]
    fn two_bytes_a_character_behind_blanks() {
        let text = "\r\n {\"version\":\"名\"}";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(unmarked(&little), Some(Charset::Standard(UTF_16LE)));
        assert_eq!(unmarked(&big), Some(Charset::Standard(UTF_16BE)));
        assert_eq!(unmarked(b"<rss>\0\0"), None);
        assert_eq!(unmarked(b"\0\0\0\0\0\0\0\0"), None);
        assert_eq!(unmarked(b""), None);
    }

    #[test]
    fn sets_of_seven_bits_show_themselves() {
        let hz = b"<t>~{<:Ky2;~}</t><t>~{<:Ky~}</t><t>~{2;~}</t>".as_slice();
        let japanese = b"<t>\x1b$B<:\x1b(B</t>".as_slice();
        let korean = b"\x1b$)C<t>\x0e0!\x0f</t>".as_slice();
        for (body, name) in [
            (hz, "hz-gb-2312"),
            (japanese, "iso-2022-jp"),
            (korean, "iso-2022-kr"),
            (b"<t>~{a</t>".as_slice(), "-"),
            (b"<t>~{ x }</t> ~~{}".as_slice(), "-"),
            (b"<t>\x1b[1m</t>".as_slice(), "-"),
        ] {
            assert_eq!(escaped(body).map_or("-".to_owned(), Charset::name), name);
        }
    }

    #[test]
    fn mainframes_without_a_declaration() {
        let page = Page::of("cp037").unwrap();
        let body = [0x4c, 0x99, 0xa2, 0xa2, 0x6e];
        assert_eq!(unmarked(&body), Some(Charset::Page(page)));
        assert_eq!(run_page(page, &body), "<rss>");
    }

    fn run_page(page: Page, body: &[u8]) -> String {
        page.decode(body).0
    }

    #[test]
    fn seven_bits_with_shifts() {
        let hz = b"<t>~{<:Ky2;~}~~1~\n</t>";
        assert_eq!(shifted(hz, encoding_rs::GB18030).0, "<t>己所不~1</t>");
        let korean = b"\x1b$)C<t>\x0e0!\x0f1</t>";
        assert_eq!(shifted(korean, EUC_KR).0, "<t>가1</t>");
    }
}
