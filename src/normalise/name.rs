//! Names: bylines, tags, languages.

use crate::model::fold::fold;

/// Most bylines and tags of one item.
const MOST: usize = 20;

/// Longest byline and tag, in characters: a longer one is a sentence.
const LONGEST: usize = 40;

/// Longest byline of several people, in characters.
const LONGEST_LIST: usize = 200;

/// What stands between the names of several people.
const BETWEEN: [&str; 7] = [", ", " and ", " und ", " et ", " y ", " e ", "，"];

/// Labels before a name.
const LABELS: [&str; 12] =
    ["作者", "本报记者", "记者", "通讯员", "责任编辑", "编辑", "文", "撰文", "来源", "by ", "By ", "BY "];

/// Names of nobody.
const NOBODY: [&str; 9] = ["admin", "administrator", "unknown", "none", "null", "webmaster", "佚名", "匿名", "管理员"];

/// Bylines as names: labels, addresses and roles out, each once.
pub(super) fn authors(raw: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in raw {
        let text = super::text::headline(line);
        for part in text.split([';', '；', '、', '|']) {
            let name = person(part);
            let most = if BETWEEN.iter().any(|between| name.contains(between)) { LONGEST_LIST } else { LONGEST };
            let fits = !name.is_empty() && name.chars().count() <= most;
            if fits && !NOBODY.contains(&name.to_lowercase().as_str()) && !found.contains(&name) && found.len() < MOST {
                found.push(name);
            }
        }
    }
    found
}

/// `a@b.example (Name)`, `Name <a@b.example>`, `作者：名`: the name.
fn person(text: &str) -> String {
    let mut text = text.trim();
    for label in LABELS {
        if let Some(rest) = text.strip_prefix(label) {
            let bare = rest.trim_start_matches([':', '：', '/', ' ', '\u{3000}']);
            // Without a mark behind it the label may be part of the name (文天祥).
            if bare.len() < rest.len() || label.ends_with(' ') {
                text = bare;
            }
        }
    }
    let mut name = text.to_owned();
    if text.contains('@') {
        if let (Some(open), Some(close)) = (text.find(['(', '（']), text.rfind([')', '）']))
            && let Some(inside) = text.get(open..close)
            && !inside.contains('@')
        {
            inside.trim_start_matches(['(', '（']).clone_into(&mut name);
        } else {
            name = text.split_whitespace().filter(|word| !word.contains('@')).collect::<Vec<_>>().join(" ");
        }
    }
    if name.contains("://") {
        return String::new();
    }
    bare(&name, "<>,，:：-–—/«»").to_owned()
}

/// Brackets in pairs.
const BRACKETS: [(char, char); 6] = [('(', ')'), ('（', '）'), ('[', ']'), ('【', '】'), ('《', '》'), ('<', '>')];

/// A text without these marks, blanks and brackets at its ends; a bracket whose partner stands inside stays (`Deaths (Fatalities)`).
fn bare<'t>(text: &'t str, marks: &str) -> &'t str {
    let mut text = text;
    loop {
        let shorter = text.trim_matches(|c: char| c.is_whitespace() || marks.contains(c));
        let shorter = BRACKETS.iter().fold(shorter, |text, (open, close)| {
            let alone = |c: char, partner: char| text.ends_with(c) && !text.contains(partner);
            let around = text.strip_prefix(*open).and_then(|rest| rest.strip_suffix(*close));
            match around.filter(|inside| !inside.contains([*open, *close])) {
                Some(inside) => inside,
                None if alone(*close, *open) || alone(*open, *close) => text.trim_end_matches([*open, *close]),
                None if text.starts_with(*open) && !text.contains(*close) => text.trim_start_matches(*open),
                None => text.trim_start_matches(*close).trim_end_matches(*open),
            }
        });
        if shorter.len() == text.len() {
            return text;
        }
        text = shorter;
    }
}

/// Tags: lists taken apart, each spelling once.
pub(super) fn tags(raw: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut folded: Vec<String> = Vec::new();
    for line in raw {
        let text = super::text::headline(line);
        for part in parts(&text) {
            // Chinese keywords are also divided by blanks; names of other scripts contain them.
            let latin = part.chars().any(|c| c.is_ascii_alphabetic());
            let pieces: Vec<&str> =
                if latin || !part.chars().any(is_han) { vec![part] } else { part.split_whitespace().collect() };
            for piece in pieces {
                let tag = bare(piece, "\"'“”‘’:：").trim_start_matches('#');
                // #外贸#, but C#.
                let tag = if piece.trim_start().starts_with('#') { tag.trim_end_matches('#') } else { tag };
                let known = fold(tag);
                let number = tag.chars().all(|c| c.is_ascii_digit());
                let fits = !known.is_empty() && !number && !tag.contains("://") && tag.chars().count() <= LONGEST;
                if fits && !folded.contains(&known) && found.len() < MOST {
                    folded.push(known);
                    found.push(tag.to_owned());
                }
            }
        }
    }
    found
}

/// The pieces of a list; a name with a single comma is one (`Trump, Donald J`, `Arts, Culture and Entertainment`).
fn parts(text: &str) -> Vec<&str> {
    let name = text.matches(',').count() == 1
        && text.contains(", ")
        && text.starts_with(char::is_uppercase)
        && !text.contains([';', '|'])
        && !text.chars().any(is_han);
    if name { vec![text] } else { text.split([',', ';', '、', '，', '；', '|', '\n']).collect() }
}

pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// A language tag in the usual case (RFC 5646 section 2.1.1); `None` if it is none, or if a text says otherwise: templates
/// in English say `en` of Chinese texts.
pub(super) fn language(raw: &str, text: &str) -> Option<String> {
    let han = text.chars().take(400).filter(|c| is_han(*c)).count();
    let primary = raw.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    if han > 40 && matches!(primary.as_str(), "en" | "de" | "fr" | "es" | "pt" | "ru" | "it") {
        return None;
    }
    let raw = raw.trim().replace('_', "-");
    let mut parts = raw.split('-');
    let first = parts.next().filter(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()))?;
    let mut tag = first.to_ascii_lowercase();
    for part in parts.take(3) {
        if part.is_empty() {
            return None;
        }
        if part.len() > 8 || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
            break;
        }
        tag.push('-');
        match part.len() {
            2 => tag.push_str(&part.to_ascii_uppercase()),
            4 => {
                tag.push_str(&part[..1].to_ascii_uppercase());
                tag.push_str(&part[1..].to_ascii_lowercase());
            }
            _ => tag.push_str(&part.to_ascii_lowercase()),
        }
    }
    Some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn bylines_are_names() {
        assert_eq!(
            authors(&owned(&[
                "info@x.example （莲城日报）",
                "desk@x.example (Jane Roe)",
                "Jane Roe <jane@x.example>",
                "作者：张三；李四",
                "记者 王五",
                "文天祥",
                "Jane Roe, John Doe, Mary Major and Richard Miles of the Lotus Daily",
                "hidden (someone)",
                "only@x.example",
                "admin",
                "",
            ])),
            [
                "莲城日报",
                "Jane Roe",
                "张三",
                "李四",
                "王五",
                "文天祥",
                "Jane Roe, John Doe, Mary Major and Richard Miles of the Lotus Daily",
                "hidden (someone)"
            ]
        );
    }

    #[test]
    fn tags_are_taken_apart() {
        assert_eq!(
            tags(&owned(&[
                "教育,双减；校外培训、 教育 ",
                "许昌 就业",
                "Local News",
                "#外贸#",
                "C#",
                "Deaths (Fatalities)",
                "[城建]",
                "Roe, Jane",
                "one, two",
                "One, Two, Three",
                "https://x.example/c",
                "2026"
            ])),
            [
                "教育",
                "双减",
                "校外培训",
                "许昌",
                "就业",
                "Local News",
                "外贸",
                "C#",
                "Deaths (Fatalities)",
                "城建",
                "Roe, Jane",
                "one",
                "two",
                "Three"
            ]
        );
    }

    #[test]
    fn a_language_that_the_text_is_not_in_is_none() {
        let chinese = "莲城市今冬供热提前三天，供热企业已完成管网注水。".repeat(3);
        assert_eq!(language("en", &chinese), None);
        assert_eq!(language("zh-CN", &chinese).as_deref(), Some("zh-CN"));
        assert_eq!(language("ja", &chinese).as_deref(), Some("ja"));
        assert_eq!(language("en", "Lotus City opens an evening school.").as_deref(), Some("en"));
    }

    #[test]
    fn languages_are_spelt_one_way() {
        for (raw, expected) in [
            ("zh_cn", Some("zh-CN")),
            ("ZH-hans-cn", Some("zh-Hans-CN")),
            ("en", Some("en")),
            ("rss-", None),
            ("", None),
        ] {
            assert_eq!(language(raw, "").as_deref(), expected);
        }
    }
}
