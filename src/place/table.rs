//! Reads a gazetteer: the built-in table of China, and further files for regions that are not built in.
//!
//! A gazetteer file is UTF-8 text, one unit a line, fields parted by tabs, empty fields at the end left out:
//!
//! ```text
//! # code  level  name  short  slugs  latitude  longitude  other names
//! 392410000  province  神奈川県  神奈川  kanagawa
//! 392410100  city      横浜市    横浜    yokohama  35.4437  139.638  Yokohama
//! 392410101  county    鶴見区    鶴見
//! -          phrase    鶴見線
//! ```
//!
//! - `code`: a number whose last six digits are two of province, two of city, two of county (`00` above its level);
//!   what stands before them tells countries apart (ISO 3166-1 numeric is a good choice). Six digits alone are China's.
//! - `level`: `province`, `municipality` (province and city in one), `city`, `county`. A city needs its province in the
//!   same file or before it; a county needs its city (same digits, last two `00`) or its municipality.
//! - `short`: the name without its kind; empty if it is the same.
//! - `slugs`: parted by commas, the first is the address, the others answer too; lower-case ASCII letters, digits and `-`.
//!   Provinces, municipalities and cities need one. One that is in use gets `-` and the province's slug behind it.
//! - `latitude`, `longitude`: WGS 84, degrees; both or none.
//! - `other names`: former and other usual names, parted by commas.
//! - `~` before the short name or one of the other names: it is a common word too, or borne by places elsewhere, so it
//!   counts only where its city, its province or the source speaks for it.
//! - A line of code `-` and level `phrase` holds words in which a name is no place.
//! - Empty lines and lines that begin with `#` are passed over.

use crate::model::place::{Code, Level, Point};

/// Longest gazetteer file read, in bytes: several times the whole of China.
pub const FILE_MAX: usize = 4 << 20;

/// A mistake in a gazetteer, with the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message} ({hint})")]
pub struct GazetteerError {
    /// Index of the file among `[cities] gazetteer`; their number if the mistake is in `[cities]` itself.
    pub file: usize,
    /// Line, from 1; 0 if the mistake is in no line of a file.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// One line of a gazetteer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Line, from 1.
    pub line: usize,
    pub code: Code,
    pub level: Level,
    /// Whether it is province and city in one.
    pub municipality: bool,
    pub name: String,
    pub short: String,
    pub slugs: Vec<String>,
    pub point: Option<Point>,
    pub others: Vec<String>,
    /// Which of the names need support.
    pub weak: Vec<String>,
}

/// What a gazetteer file says.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The units.
    pub rows: Vec<Row>,
    /// Phrases in which a name is no place.
    pub phrases: Vec<String>,
    /// What is wrong, in order of line.
    pub errors: Vec<GazetteerError>,
}

/// Reads all lines of `text`; `file` goes into the errors.
pub(super) fn read(text: &str, file: usize) -> Table {
    let mut table = Table::default();
    if text.len() > FILE_MAX {
        let message = format!("the file has {} bytes, more than {FILE_MAX}", text.len());
        table.errors.push(GazetteerError { file, line: 0, message, hint: "part it, one file a region".to_owned() });
        return table;
    }
    for (index, line) in text.trim_start_matches('\u{FEFF}').lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let read = match line.split_once('\t') {
            Some((code, rest)) if code.trim() == "-" => phrase(rest).map(|phrase| table.phrases.push(phrase)),
            _ => row(line, index + 1).map(|row| table.rows.push(row)),
        };
        if let Err((message, hint)) = read {
            table.errors.push(GazetteerError { file, line: index + 1, message, hint: hint.to_owned() });
        }
    }
    table
}

/// What is wrong, and the hint.
type Wrong = (String, &'static str);

/// What stands behind the `-` of a phrase.
fn phrase(rest: &str) -> Result<String, Wrong> {
    const SHAPE: &str = "-, phrase, and the words in which a name is no place, parted by tabs";
    match rest.split_once('\t').map(|(level, words)| (level.trim(), words.trim())) {
        Some(("phrase", words)) if !crate::model::fold::fold(words).is_empty() => Ok(words.to_owned()),
        Some(("phrase", _)) | None => Err(("the phrase is empty".to_owned(), SHAPE)),
        Some((other, _)) => Err((format!("`-` is no code of a {other}"), SHAPE)),
    }
}

fn row(line: &str, number: usize) -> Result<Row, Wrong> {
    const SHAPE: &str = "fields, parted by tabs: code, level, name, short, slugs, latitude, longitude, other names";
    let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
    if fields.len() < 3 || fields.len() > 8 {
        return Err((format!("{} fields where 3 to 8 are expected", fields.len()), SHAPE));
    }
    let field = |at: usize| fields.get(at).copied().unwrap_or("");
    let list = |at: usize| -> Vec<String> {
        field(at).split(',').map(str::trim).filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect()
    };
    let code = field(0)
        .parse::<u32>()
        .ok()
        .filter(|code| field(0).len() >= 6 && code / 10_000 > 0)
        .ok_or_else(|| (format!("`{}` is no code", field(0)), "at least six digits, as 411000"))?;
    let (level, municipality) = match field(1) {
        "province" => (Level::Province, false),
        "municipality" => (Level::Province, true),
        "city" => (Level::City, false),
        "county" => (Level::County, false),
        other => return Err((format!("`{other}` is no level"), "province, municipality, city or county")),
    };
    let fits = match level {
        Level::Province => code % 10_000 == 0,
        Level::City => code % 10_000 != 0,
        Level::County => code % 100 != 0,
    };
    if !fits {
        let hint = "a province's code ends in 0000, a county's does not end in 00";
        return Err((format!("code {code} does not fit level {}", field(1)), hint));
    }
    let mut weak = Vec::new();
    let mut marked = |name: &str| {
        let bare = name.strip_prefix('~').map(str::trim_start);
        weak.extend(bare.map(ToOwned::to_owned));
        bare.unwrap_or(name).to_owned()
    };
    let name = field(2).to_owned();
    if crate::model::fold::fold(&name).is_empty() {
        return Err(("the name is empty".to_owned(), SHAPE));
    }
    let slugs = list(4);
    if level != Level::County && slugs.is_empty() {
        return Err((format!("{name} has no slug"), "its address: lower-case letters, digits and -, as xuchang"));
    }
    if let Some(slug) = slugs.iter().find(|slug| !is_slug(slug)) {
        return Err((format!("`{slug}` is no slug"), "lower-case ASCII letters, digits and -, a letter first"));
    }
    let point = match (field(5), field(6)) {
        ("", "") => None,
        (latitude, longitude) => {
            let (Some(latitude), Some(longitude)) = (degrees(latitude, 90), degrees(longitude, 180)) else {
                let hint = "degrees, both or none, as 34.03 and 113.86";
                return Err((format!("`{latitude}`, `{longitude}` is no point"), hint));
            };
            Some(Point { latitude, longitude })
        }
    };
    let short = if field(3).is_empty() { name.clone() } else { marked(field(3)) };
    let others = list(7).iter().map(|other| marked(other)).collect();
    Ok(Row { line: number, code: Code(code), level, municipality, name, short, slugs, point, others, weak })
}

/// Whether this can stand in an address as it is.
pub(super) fn is_slug(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Degrees as millionths, without floats: the same on every machine.
fn degrees(text: &str, most: i32) -> Option<i32> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || whole.len() > 3 || part.len() > 6 || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    {
        return None;
    }
    let millionths = whole.parse::<i32>().ok()? * 1_000_000 + format!("{part:0<6}").parse::<i32>().ok()?;
    (millionths <= most * 1_000_000).then_some(sign * millionths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_with_line_and_hint() {
        let table = [
            ("41", "3 to 8"),
            ("abc\tcity\t某市", "no code"),
            ("12345\tcity\t某市", "no code"),
            ("410000\tstate\t某省", "no level"),
            ("410001\tprovince\t某省\t\tx", "does not fit"),
            ("410000\tcounty\t某县", "does not fit"),
            ("410100\tcity\t、\t\tx", "empty"),
            ("410100\tcity\t某市", "no slug"),
            ("410100\tcity\t某市\t\tMou", "no slug"),
            ("410100\tcity\t某市\t\tmou\t91\t10", "no point"),
            ("410100\tcity\t某市\t\tmou\t31", "no point"),
            ("410100\tcity\t某市\t\tmou\t3.1.2\t4", "no point"),
            ("-\tphrase", "empty"),
            ("-\tphrase\t ", "empty"),
            ("-\tcity\t某市\t\tmou", "no code of a city"),
        ];
        for (line, expected) in table {
            let Table { rows, phrases, errors } = read(&format!("# head\n\n{line}\n"), 7);
            assert!(rows.is_empty() && phrases.is_empty(), "{line}");
            assert_eq!((errors[0].file, errors[0].line), (7, 3), "{line}");
            assert!(errors[0].message.contains(expected), "{line}: {}", errors[0]);
            assert!(!errors[0].hint.is_empty(), "{line}");
        }
        assert_eq!(read(&"#".repeat(FILE_MAX + 1), 0).errors.len(), 1);
    }

    #[test]
    fn a_good_line_is_read_whole() {
        let line = "\u{FEFF}392410100\tcity\t横浜市\t横浜\tyokohama,hama\t35.4437\t-139.638\tYokohama, ~ハマ\n";
        let Table { rows, phrases, errors } = read(&format!("{line}-\tphrase\t横浜家系\n"), 0);
        assert!(errors.is_empty());
        assert_eq!(phrases, ["横浜家系"]);
        assert_eq!(rows[0].weak, ["ハマ"]);
        assert_eq!(rows[0].point, Some(Point { latitude: 35_443_700, longitude: -139_638_000 }));
        assert_eq!(rows[0].slugs, ["yokohama", "hama"]);
        assert_eq!(rows[0].others, ["Yokohama", "ハマ"]);
        assert_eq!(rows[0].short, "横浜");
    }
}
