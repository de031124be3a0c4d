//! Texts that were encoded twice on their way, read once more: `GroÃŸe`, `鏂伴椈`, `ÐœÐ¾ÑÐºÐ²Ð°`.
//!
//! Some program between the author and the feed took the bytes of one character set for another's and wrote them out again.
//! The bytes are still there: going the way back and finding sound text in the other set proves it, since text that was
//! meant as it stands does not come out sound. Nothing is changed where one character does not fit.

use crate::model::item::{Document, Raw};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, KOI8_R, MACINTOSH, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251,
    WINDOWS_1252, WINDOWS_1253,
};
use std::sync::LazyLock;

/// So many bytes must come out sound in a text of Chinese characters before it is taken for twice encoded.
const CHINESE: usize = 9;

/// So many characters beyond ASCII must stand together before they are taken for the bytes of Chinese ones.
const TOGETHER: usize = 4;

/// So many characters go the way back to GB 18030 at a time: most texts are told by the first few.
const PIECE: usize = 8;

/// Fewer bytes than this do not tell the set they are in.
const TELLING: usize = 16;

/// The bytes of another set stand together in whole words, those of accented letters alone: in tenths, how many on average.
const WORDS: usize = 25;

/// Sets of one byte a character that UTF-8 was taken for, by how often it was seen; windows-1252 stands for itself.
const SINGLE: [&Encoding; 5] = [WINDOWS_1251, WINDOWS_1250, MACINTOSH, WINDOWS_1253, KOI8_R];

/// The characters of their bytes from 80 on, and of code page 850.
static TABLES: LazyLock<Vec<Vec<char>>> = LazyLock::new(|| {
    let bytes: Vec<u8> = (0x80..=0xff).collect();
    let mut tables: Vec<Vec<char>> =
        SINGLE.iter().map(|set| set.decode_without_bom_handling(&bytes).0.chars().collect()).collect();
    tables.extend(super::charset::page("cp850", &bytes).map(|text| text.chars().collect()));
    tables
});

/// No set of one byte a character has letters from here on.
const BEYOND_SINGLE: char = '\u{2600}';

/// Reads the texts of a document once more where they were encoded twice, and says so.
pub(super) fn mend(document: &mut Document) {
    let mut mended = 0_usize;
    let mut seen = Seen { set: foreign(document), table: None };
    // What one text proves, the second pass believes of shorter ones.
    for pass in 0..2 {
        if pass == 0 || seen.table.is_some() {
            mended += read(document, &mut seen);
        }
    }
    if mended > 0 {
        document.complaints.push(format!("{mended} texts were encoded twice: read once more"));
    }
}

/// What the texts of a document have shown so far.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    /// The set whose bytes were taken for windows-1252.
    set: Option<&'static Encoding>,
    /// Which of the tables UTF-8 was taken for.
    table: Option<usize>,
}

/// Reads the texts of a document once more; answers how many came out otherwise.
fn read(document: &mut Document, seen: &mut Seen) -> usize {
    let mut mended = 0;
    let mut read = |text: &mut String| {
        if let Some(better) = again(text, seen) {
            *text = better;
            mended += 1;
        }
    };
    if let Some(title) = &mut document.title {
        read(title);
    }
    for raw in &mut document.items {
        let Raw { title, summary, content, credit, credits, authors, tags, .. } = raw;
        [title, summary, content, credit].into_iter().flatten().for_each(&mut read);
        authors.iter_mut().chain(tags).for_each(&mut read);
        credits.iter_mut().map(|credit| &mut credit.name).for_each(&mut read);
    }
    mended
}

/// The set of several bytes or another script whose bytes were taken for windows-1252, if the texts of the document look so.
fn foreign(document: &Document) -> Option<&'static Encoding> {
    let mut bytes = Vec::new();
    let mut runs = 0_usize;
    let mut beyond = 0_usize;
    let texts = document.items.iter().flat_map(|raw| [&raw.title, &raw.summary]).flatten().chain(&document.title);
    for text in texts.filter(|text| text.bytes().any(|byte| matches!(byte, 0xc2 | 0xc3))) {
        let mut before = false;
        for c in text.chars() {
            let byte = if c.is_ascii() { u8::try_from(c).ok() } else { byte(c) };
            let byte = byte?;
            beyond += usize::from(!c.is_ascii());
            runs += usize::from(!c.is_ascii() && !before);
            before = !c.is_ascii();
            bytes.push(byte);
        }
        bytes.push(b'\n');
    }
    if beyond < TELLING || beyond * 10 < runs * WORDS || std::str::from_utf8(&bytes).is_ok() {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes, true);
    let found = detector.guess(None, Utf8Detection::Deny);
    let found = if found == GBK { GB18030 } else { found };
    let known = [GB18030, BIG5, EUC_JP, EUC_KR, SHIFT_JIS, WINDOWS_1251, WINDOWS_1253];
    known.contains(&found).then_some(found).filter(|set| {
        // Half a character at the end of a piece is no reason to doubt the others.
        let (text, _) = set.decode_without_bom_handling(&bytes);
        text.matches(char::REPLACEMENT_CHARACTER).count() * 20 <= beyond
    })
}

/// The text that was meant; `None` if it is this one.
fn again(text: &str, seen: &mut Seen) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let signs = Signs::of(text);
    if signs.latin {
        if let Some(read) = twice_in_latin(text) {
            return Some(read);
        }
        if let Some(set) = seen.set {
            return in_latin(text, set).or_else(|| controls(text));
        }
    }
    if let Some((table, read)) = twice_in_single(text, seen.table) {
        seen.table = Some(table);
        return Some(read);
    }
    if signs.latin {
        return chinese_in_latin(text).or_else(|| controls(text));
    }
    if signs.chinese {
        return twice_in_chinese(text);
    }
    if signs.letters { letters_in_chinese(text) } else { None }
}

/// What the bytes of a text tell at a glance.
#[derive(Debug, Default, Clone, Copy)]
struct Signs {
    /// Characters from 80 to FF.
    latin: bool,
    /// What the commonest bytes of Chinese punctuation and particles become in GBK: 锛, 銆, 鐨, 涓, rare in themselves.
    chinese: bool,
    /// What о, а, α, ו and ا become in GBK, or a single Chinese character in a word of Latin letters: Gr枚脽te, annonc茅.
    letters: bool,
}

impl Signs {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut signs = Self::default();
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                0xc2 | 0xc3 => {
                    signs.latin = true;
                    return signs;
                }
                0xe4..=0xe9 => {
                    match bytes.get(at + 1..at + 3).unwrap_or_default() {
                        [0x94, 0x9b] | [0x90, 0xa8] | [0x8a, 0x86] if *byte == 0xe9 => signs.chinese = true,
                        [0xb6, 0x93] if *byte == 0xe6 => signs.chinese = true,
                        [0x8a, 0xaf] | [0xae, 0x9c] if *byte == 0xe8 => signs.letters = true,
                        [0x82, 0xaa] if *byte == 0xe9 => signs.letters = true,
                        [0xbc, 0xaa] | [0xb8, 0x95] if *byte == 0xe4 => signs.letters = true,
                        _ => {}
                    }
                    let before = at > 0 && bytes[at - 1].is_ascii_lowercase();
                    signs.letters |= before && bytes.get(at + 3).is_none_or(u8::is_ascii);
                }
                _ => {}
            }
        }
        signs
    }
}

/// A character as the byte of windows-1252 that it was; characters of ISO-8859-1 that windows-1252 has not stand for themselves.
fn byte(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ 0x80..=0xff => u8::try_from(code).ok(),
        0x100..=0x2122 => {
            let mut buffer = [0; 4];
            let (bytes, _, lost) = WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
            if lost { None } else { bytes.first().copied() }
        }
        _ => None,
    }
}

/// A text in two: up to its first character beyond ASCII, and from there.
fn past_ascii(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !byte.is_ascii()).unwrap_or(text.len()))
}

/// UTF-8 that was taken for windows-1252. Every character from there must take part; others (a curly quote that was put in
/// later is from there, too) may stand beside it.
fn twice_in_latin(text: &str) -> Option<String> {
    let (begin, text) = past_ascii(text);
    let mut out = String::with_capacity(begin.len() + text.len());
    out.push_str(begin);
    let mut bytes = Vec::new();
    let mut proven = false;
    let mut doubtful = false;
    let mut flush = |bytes: &mut Vec<u8>, out: &mut String| {
        proven |= bytes.len() > 1 && *bytes != [0xc3, 0xa0];
        out.push_str(std::str::from_utf8(bytes).ok()?);
        bytes.clear();
        Some(())
    };
    for c in text.chars() {
        match byte(c) {
            Some(byte) => bytes.push(byte),
            // The second byte of `à` is a blank in windows-1252, which is often made a plain one.
            None if c == ' ' && bytes.last() == Some(&0xc3) => {
                doubtful = true;
                bytes.push(0xa0);
            }
            None => {
                if !bytes.is_empty() {
                    flush(&mut bytes, &mut out)?;
                }
                out.push(c);
            }
        }
    }
    flush(&mut bytes, &mut out)?;
    (proven || !doubtful).then_some(out)
}

/// GBK that was taken for ISO-8859-1: whole words of accented letters, which no language has.
fn chinese_in_latin(text: &str) -> Option<String> {
    let (begin, text) = past_ascii(text);
    let mut out = String::with_capacity(begin.len() + text.len());
    out.push_str(begin);
    let mut bytes = Vec::new();
    let mut found = false;
    let mut flush = |bytes: &mut Vec<u8>, out: &mut String| {
        if bytes.is_empty() {
            return Some(());
        }
        // Characters of GB 2312 only: both bytes above A0, as nearly all are in any Chinese text.
        let plain = bytes.len().is_multiple_of(2) && bytes.iter().all(|byte| *byte >= 0xa1);
        let read = GB18030.decode_without_bom_handling_and_without_replacement(bytes).filter(|_| plain)?;
        found |= bytes.len() >= TOGETHER;
        out.push_str(&read);
        bytes.clear();
        Some(())
    };
    for c in text.chars() {
        if let '\u{80}'..='\u{ff}' = c {
            bytes.push(u8::try_from(u32::from(c)).ok()?);
        } else {
            flush(&mut bytes, &mut out)?;
            out.push(c);
        }
    }
    flush(&mut bytes, &mut out)?;
    found.then_some(out)
}

/// Bytes of this set that were taken for windows-1252.
fn in_latin(text: &str, set: &'static Encoding) -> Option<String> {
    let bytes = text.chars().map(|c| if c.is_ascii() { u8::try_from(c).ok() } else { byte(c) });
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    set.decode_without_bom_handling_and_without_replacement(&bytes).map(std::borrow::Cow::into_owned)
}

/// UTF-8 that was taken for a set of one byte a character: РњРѕСЃРєРІР° (Москва), ĂĽ (ü), √º (ü), ├╝ (ü). All characters beyond
/// ASCII must take part. Answers which table it was.
fn twice_in_single(text: &str, proven: Option<usize>) -> Option<(usize, String)> {
    let mut behind = past_ascii(text).1.chars();
    let first = behind.next()?;
    let second = behind.next().filter(|c| !c.is_ascii());
    if first >= BEYOND_SINGLE && !('\u{f8ff}'..='\u{fb02}').contains(&first) {
        return None;
    }
    TABLES.iter().enumerate().find_map(|(at, table)| {
        let byte = |c: char| table.iter().position(|known| *known == c).and_then(|at| u8::try_from(at + 0x80).ok());
        // Most texts are done with their first character.
        byte(first).filter(|byte| (0xc2..=0xf4).contains(byte))?;
        second.and_then(byte).filter(|byte| *byte < 0xc0)?;
        let bytes = text.chars().map(|c| if c.is_ascii() { u8::try_from(c).ok() } else { byte(c) });
        let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
        let read = std::str::from_utf8(&bytes).ok()?;
        // One pair may be a capital before a quotation mark.
        let enough = proven == Some(at) || read.chars().filter(|c| !c.is_ascii()).count() > 1;
        enough.then(|| (at, read.to_owned()))
    })
}

/// The bytes of a text in GB 18030, if they are UTF-8; a last character may have lost some. Nearly every text that was meant
/// as it stands is told by its first characters, and the way back costs far more than all else that a text is asked.
fn utf_8_in_chinese(text: &str) -> Option<Vec<u8>> {
    let (begin, mut rest) = past_ascii(text);
    let mut bytes = begin.as_bytes().to_vec();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.char_indices().nth(PIECE).map_or(rest.len(), |(at, _)| at));
        let (read, _, lost) = GB18030.encode(piece);
        if lost {
            return None;
        }
        // A character that goes on in the next piece is looked at once more with it.
        let from = bytes.iter().rposition(|byte| !(0x80..0xc0).contains(byte)).unwrap_or(0);
        bytes.extend_from_slice(&read);
        if std::str::from_utf8(&bytes[from..]).is_err_and(|error| error.error_len().is_some()) {
            return None;
        }
        rest = behind;
    }
    Some(bytes)
}

/// UTF-8 of another script that was taken for GBK. What comes out must be letters of alphabets alone.
fn letters_in_chinese(text: &str) -> Option<String> {
    let bytes = utf_8_in_chinese(text)?;
    let read = std::str::from_utf8(&bytes).ok()?;
    let mut letters = 0;
    let alphabet =
        |c: char| c < '\u{700}' && c.is_alphabetic() || matches!(c, '\u{2010}'..='\u{20ac}' | '\u{a0}'..='\u{bf}');
    let sound = read.chars().filter(|c| !c.is_ascii()).all(|c| {
        letters += 1;
        alphabet(c)
    });
    (sound && letters > 2).then(|| read.to_owned())
}

/// Control characters from 80 to 9F are what windows-1252 has there: an editor wrote its bytes as numbers.
fn controls(text: &str) -> Option<String> {
    let control = |c: char| matches!(c, '\u{80}'..='\u{9f}');
    text.contains(control).then(|| {
        let read = |c: char| {
            let bytes = u8::try_from(u32::from(c)).ok().filter(|_| control(c));
            let text = bytes.and_then(|byte| WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next());
            text.unwrap_or(c)
        };
        text.chars().map(read).collect()
    })
}

/// UTF-8 that was taken for GBK. A last character may have lost a byte.
fn twice_in_chinese(text: &str) -> Option<String> {
    let bytes = utf_8_in_chinese(text.trim_end_matches(char::REPLACEMENT_CHARACTER))?;
    let beyond = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    if beyond < CHINESE {
        return None;
    }
    match std::str::from_utf8(&bytes) {
        Ok(read) => Some(read.to_owned()),
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok().map(str::to_owned)
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_twice_is_read_once_more() {
        for (text, expected) in [
            ("GroÃŸe FlÃ¼chtlingskrise, dÃ©partements, Ã  bientÃ´t", "Große Flüchtlingskrise, départements, à bientôt"),
            ("Â£30 million", "£30 million"),
            ("ÐœÐ¾Ñ\u{81}ÐºÐ²Ð°", "Москва"),
            ("We\u{e2}\u{20ac}\u{2122}ve", "We’ve"),
            ("è®¸æ˜Œå¸‚", "许昌市"),
            ("许昌 GroÃŸe", "许昌 Große"),
            ("ÐíË½ÊÐ½ÌÓý ok", "许私市教育 ok"),
            ("don\u{92}t", "don’t"),
            ("鏂伴椈锛氳鏄屽競涓惧姙鎷涜仒浼�", "-"),
            ("РњРѕСЃРєРІР°: РјСЌСЂ", "Москва: мэр"),
            ("GrĂ¶Ăźte StraĂźe", "Größte Straße"),
            ("Gr√∂√üte Baustelle", "Größte Baustelle"),
            ("d├®voil├®s", "dévoilés"),
            ("Gr枚脽te", "-"),
            ("Gr枚脽te Stra脽e", "Größte Straße"),
            ("袦芯褋泻胁邪: 屑褝褉", "Москва: мэр"),
        ] {
            assert_eq!(again(text, &mut Seen::default()).as_deref().unwrap_or("-"), expected, "{text}");
        }
    }

    #[test]
    fn signs_are_the_characters_they_are_said_to_be() {
        for sign in ["锛", "銆", "鐨", "涓"] {
            assert!(Signs::of(sign).chinese, "{sign}");
        }
        for sign in ["芯", "邪", "伪", "讜", "丕", "annonc茅", "Gr枚te"] {
            assert!(Signs::of(sign).letters && !Signs::of(sign).chinese, "{sign}");
        }
        assert!(Signs::of("许昌ü").latin);
        assert!(!Signs::of("K歌 iPhone手机").letters);
    }

    #[test]
    fn utf_8_in_gbk_comes_back() {
        let text = "许昌市的教育，有新闻。";
        let (broken, _, _) = GB18030.decode(text.as_bytes());
        // The last byte may be lost: it had no partner.
        assert!(
            text.starts_with(again(&broken, &mut Seen::default()).unwrap().trim_end_matches(['。', '\u{fffd}'])),
            "{broken}"
        );
    }

    #[test]
    fn bytes_of_other_sets_that_were_taken_for_latin() {
        for (set, text) in [
            (BIG5, "臺北市政府公布新措施，颱風接近"),
            (EUC_JP, "東京都で新しい条例が施行される"),
            (SHIFT_JIS, "カタカナとひらがなの見出しと条例"),
            (EUC_KR, "서울시 새로운 정책을 발표했다"),
            (WINDOWS_1251, "Жители города обсуждают новый проект"),
            (WINDOWS_1253, "Ο δήμαρχος παρουσίασε το σχέδιο"),
            (GB18030, "许昌市召开教育工作会议，市民出行更方便"),
        ] {
            let (bytes, ..) = set.encode(text);
            let (broken, _) = WINDOWS_1252.decode_without_bom_handling(&bytes);
            let raw = Raw { title: Some(broken.clone().into_owned()), ..Raw::default() };
            let mut document = Document { items: vec![raw], ..Document::default() };
            mend(&mut document);
            assert_eq!(document.items[0].title.as_deref(), Some(text), "{}: {broken}", set.name());
        }
    }

    #[test]
    fn what_was_meant_so_stays() {
        for text in [
            "Große Straße, “Zitat” – naïve café",
            "CAMPEÃ” DO MUNDO: SÃO PAULO",
            "许昌市举办招聘会，现场来了许多人。",
            "Ärger über Öl",
            "ÄÖÜ",
            "10 € – 20 £",
            "一锛，銆，涓",
            "testing Ã entity",
            "MINUNATĂ” și atât",
            "Рік і РЄ",
            "芯片与芯材",
            "K歌a和MP3",
            "Η Αθήνα ΆΡΗΣ",
            "plain",
        ] {
            assert_eq!(again(text, &mut Seen::default()), None, "{text}");
        }
    }
}
