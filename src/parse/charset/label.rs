//! Labels of character sets, as documents and servers spell them.

use super::pages::Page;
use encoding_rs::{EUC_JP, EUC_KR, Encoding, GB18030, GBK, REPLACEMENT, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

/// A character set that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    /// One of WHATWG's.
    Standard(&'static Encoding),
    /// A code page beyond those.
    Page(Page),
    /// Four bytes a character, the highest first or last (UTF-32, UCS-4).
    Quad {
        /// The highest first.
        big: bool,
    },
    /// Seven bits, with marks around stretches of two bytes: HZ (RFC 1843) or ISO-2022-KR (RFC 1557).
    Shifted {
        /// The characters of the stretches: GB 2312 or KS X 1001.
        of: &'static Encoding,
    },
}

impl Charset {
    /// As it is shown.
    pub(super) fn name(self) -> String {
        match self {
            Self::Standard(encoding) => encoding.name().to_ascii_lowercase(),
            Self::Page(page) => page.name.to_owned(),
            Self::Quad { big: true } => "utf-32be".to_owned(),
            Self::Quad { big: false } => "utf-32le".to_owned(),
            Self::Shifted { of } if of == EUC_KR => "iso-2022-kr".to_owned(),
            Self::Shifted { .. } => "hz-gb-2312".to_owned(),
        }
    }

    /// Whether several bytes stand for a character: such a document cannot be read as bytes.
    pub(super) fn is_wide(self) -> bool {
        matches!(self, Self::Quad { .. }) || self == Self::Standard(UTF_16LE) || self == Self::Standard(UTF_16BE)
    }

    /// Whether one byte is one character, in ASCII as elsewhere: a table of the other 128.
    pub(super) fn is_single(self) -> bool {
        match self {
            Self::Standard(encoding) => encoding.is_single_byte(),
            Self::Page(page) => !page.is_ebcdic(),
            Self::Quad { .. } | Self::Shifted { .. } => false,
        }
    }

    /// Whether `<` and `>` are always what they are in ASCII, so that a document can be read piece by piece.
    pub(super) fn is_piecewise(self) -> bool {
        match self {
            Self::Standard(encoding) => encoding.is_ascii_compatible(),
            Self::Page(page) => !page.is_ebcdic(),
            Self::Quad { .. } | Self::Shifted { .. } => false,
        }
    }
}

/// By its label. `gb2312` and `gbk` are read as gb18030, which holds them both and is what their pages are in.
pub(super) fn charset(label: &str) -> Option<Charset> {
    let label = label.trim().trim_matches(['"', '\'']);
    // The standard has labels of sets it refuses to read; they are the replacement "encoding".
    if let Some(found) = Encoding::for_label(label.as_bytes()).filter(|found| *found != REPLACEMENT) {
        return Some(Charset::Standard(if found == GBK { GB18030 } else { found }));
    }
    let squashed: String =
        label.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(40).collect();
    standard(&squashed).or_else(|| Page::of(&squashed).map(Charset::Page))
}

/// Spellings of the standard's sets that the standard has not, in lower case, letters and digits only.
fn standard(label: &str) -> Option<Charset> {
    let found = match label {
        "utf" | "utf8" | "utf8n" | "utf8mb4" | "u8" | "cp65001" | "unicode" => UTF_8,
        "u16" | "utf16" | "ucs2" | "iso10646ucs2" | "csunicode" | "utf16le" | "unicodelittle" => UTF_16LE,
        "utf16be" | "unicodebig" => UTF_16BE,
        "gb" | "gb2312" | "gb231280" | "gbk" | "gb18030" | "gb180302000" | "gb180302005" | "gb180302022" | "cp936"
        | "936" | "ms936" | "euccn" | "eucgb2312cn" | "windows936" => GB18030,
        "cp950" | "950" | "ms950" | "big5eten" | "big5tw" | "big5hkscs" | "big52003" | "windows950" => {
            encoding_rs::BIG5
        }
        "sjis" | "shiftjis" | "cp932" | "932" | "ms932" | "mskanji" | "windows31j" | "windows932" | "shiftjis2004"
        | "sjis2004" | "shiftjisx0213" | "sjisx0213" => SHIFT_JIS,
        "eucjp" | "ujis" | "eucjis2004" | "eucjisx0213" | "eucjpms" | "cp51932" => EUC_JP,
        "euckr" | "cp949" | "949" | "ms949" | "uhc" | "ksc5601" | "ksx1001" | "ksc56011987" | "korean" => EUC_KR,
        "tis620" | "cp874" | "windows874" | "iso885911" | "thai" => encoding_rs::WINDOWS_874,
        "mac" | "macroman" | "macintosh" | "csmacintosh" => encoding_rs::MACINTOSH,
        "maccyrillic" | "macukrainian" => encoding_rs::X_MAC_CYRILLIC,
        "msansi" | "ansi" => encoding_rs::WINDOWS_1252,
        "mscyrl" => encoding_rs::WINDOWS_1251,
        "msee" => encoding_rs::WINDOWS_1250,
        "msgreek" => encoding_rs::WINDOWS_1253,
        "msturk" => encoding_rs::WINDOWS_1254,
        "mshebr" => encoding_rs::WINDOWS_1255,
        "msarab" => encoding_rs::WINDOWS_1256,
        "winbaltrim" => encoding_rs::WINDOWS_1257,
        "koi8" | "koi8r" => encoding_rs::KOI8_R,
        "koi8u" | "koi8ru" => encoding_rs::KOI8_U,
        "hz" | "hzgb" | "hzgb2312" => return Some(Charset::Shifted { of: GB18030 }),
        "iso2022kr" | "csiso2022kr" => return Some(Charset::Shifted { of: EUC_KR }),
        "u32" | "utf32" | "utf32be" | "ucs4" | "csucs4" | "iso10646ucs4" => return Some(Charset::Quad { big: true }),
        "utf32le" => return Some(Charset::Quad { big: false }),
        _ => return numbered(label).map(Charset::Standard),
    };
    Some(Charset::Standard(found))
}

/// `windows1251`, `win1251`, `cp1251`; `iso88592`, `88592`, `latin2`.
fn numbered(label: &str) -> Option<&'static Encoding> {
    let windows =
        ["windows", "win", "cp", "ansi", ""].iter().find_map(|prefix| label.strip_prefix(prefix)?.strip_prefix("125"));
    if let Some(digit) = windows.filter(|digit| digit.len() == 1) {
        return Encoding::for_label(format!("windows-125{digit}").as_bytes());
    }
    let part = ["iso8859", "8859"].iter().find_map(|prefix| label.strip_prefix(prefix))?;
    Encoding::for_label(format!("iso-8859-{part}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_known_in_many_spellings() {
        for (label, expected) in [
            ("GB_2312-80", "gb18030"),
            ("x-gbk", "gb18030"),
            ("\"UTF8\"", "utf-8"),
            ("utf-8mb4", "utf-8"),
            ("utf8mb4", "utf-8"),
            ("windows_1251", "windows-1251"),
            ("Win-1251", "windows-1251"),
            ("cp-1250", "windows-1250"),
            ("ISO_8859_2", "iso-8859-2"),
            ("iso8859_15", "iso-8859-15"),
            ("KOI8_R", "koi8-r"),
            ("ms949", "euc-kr"),
            ("hz-gb-2312", "hz-gb-2312"),
            ("ISO-2022-KR", "iso-2022-kr"),
            ("iso-2022-jp", "iso-2022-jp"),
            ("ISO-10646-UCS-4", "utf-32be"),
            ("IBM850", "cp850"),
            ("iso-2022-cn", "-"),
            ("replacement", "-"),
            ("klingon", "-"),
            ("", "-"),
        ] {
            assert_eq!(charset(label).map_or_else(|| "-".to_owned(), Charset::name), expected, "{label}");
        }
    }
}
