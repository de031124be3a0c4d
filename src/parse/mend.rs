//! Texts that were encoded twice on their way, read once more: `GroÃŸe`, `鏂伴椈`, `ÐœÐ¾ÑÐºÐ²Ð°`.
//!
//! Some program between the author and the feed took the bytes of one character set for another's and wrote them out again.
//! The bytes are still there: going the way back and finding sound text in the other set proves it, since text that was
//! meant as it stands does not come out sound. Nothing is changed where one character does not fit.

use crate::model::item::{Document, Raw};
use encoding_rs::{GB18030, WINDOWS_1252};

/// So many bytes must come out sound in a text of Chinese characters before it is taken for twice encoded.
const CHINESE: usize = 9;

/// So many characters beyond ASCII must stand together before they are taken for the bytes of Chinese ones.
const TOGETHER: usize = 4;

/// Reads the texts of a document once more where they were encoded twice, and says so.
pub(super) fn mend(document: &mut Document) {
    let mut mended = 0_usize;
    let mut read = |text: &mut String| {
        if let Some(better) = again(text) {
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
    if mended > 0 {
        document.complaints.push(format!("{mended} texts were encoded twice: read once more"));
    }
}

/// The text that was meant; `None` if it is this one.
fn again(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    // C2 and C3 begin the characters from 80 to FF; 锛, 銆, 鐨 and 涓 are what the commonest bytes of Chinese punctuation and
    // particles become in GBK, and rare in themselves.
    let bytes = text.as_bytes();
    let mut chinese = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            0xc2 | 0xc3 => return twice_in_latin(text).or_else(|| chinese_in_latin(text)).or_else(|| controls(text)),
            0xe6 | 0xe9 if !chinese => {
                let next = bytes.get(at..at + 3);
                chinese = ["锛", "銆", "鐨", "涓"].iter().any(|c| next == Some(c.as_bytes()));
            }
            _ => {}
        }
    }
    if chinese { twice_in_chinese(text) } else { None }
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

/// UTF-8 that was taken for windows-1252. Every character from there must take part; others (a curly quote that was put in
/// later is from there, too) may stand beside it.
fn twice_in_latin(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
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
                flush(&mut bytes, &mut out)?;
                out.push(c);
            }
        }
    }
    flush(&mut bytes, &mut out)?;
    (proven || !doubtful).then_some(out)
}

/// GBK that was taken for ISO-8859-1: whole words of accented letters, which no language has.
fn chinese_in_latin(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
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
    let (bytes, _, lost) = GB18030.encode(text.trim_end_matches(char::REPLACEMENT_CHARACTER));
    let beyond = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    if lost || beyond < CHINESE {
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
        ] {
            assert_eq!(again(text).as_deref().unwrap_or("-"), expected, "{text}");
        }
    }

    #[test]
    fn utf_8_in_gbk_comes_back() {
        let text = "许昌市的教育，有新闻。";
        let (broken, _, _) = GB18030.decode(text.as_bytes());
        // The last byte may be lost: it had no partner.
        assert!(text.starts_with(again(&broken).unwrap().trim_end_matches(['。', '\u{fffd}'])), "{broken}");
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
            "plain",
        ] {
            assert_eq!(again(text), None, "{text}");
        }
    }
}
