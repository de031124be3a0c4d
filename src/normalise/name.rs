//! Names: bylines, tags, languages.

use crate::model::fold::fold;

/// Most bylines and tags of one item.
const MOST: usize = 20;

/// Longest byline and tag, in characters: a longer one is a sentence.
const LONGEST: usize = 40;

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
            let fits = !name.is_empty() && name.chars().count() <= LONGEST;
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
    name.trim_matches(|c: char| c.is_whitespace() || "<>()（）,，:：-–—/«»".contains(c)).to_owned()
}

/// Tags: lists taken apart, each spelling once.
pub(super) fn tags(raw: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut folded: Vec<String> = Vec::new();
    for line in raw {
        let text = super::text::headline(line);
        for part in text.split([',', ';', '、', '，', '；', '|', '\n']) {
            // Chinese keywords are also divided by blanks; names of other scripts contain them.
            let latin = part.chars().any(|c| c.is_ascii_alphabetic());
            let pieces: Vec<&str> =
                if latin || !part.chars().any(is_han) { vec![part] } else { part.split_whitespace().collect() };
            for piece in pieces {
                let tag =
                    piece.trim_matches(|c: char| c.is_whitespace() || "#\"'“”‘’[]【】《》<>()（）:：".contains(c));
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

pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// A language tag in the usual case (RFC 5646 section 2.1.1); `None` if it is none.
pub(super) fn language(raw: &str) -> Option<String> {
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
                "only@x.example",
                "admin",
                "",
            ])),
            ["莲城日报", "Jane Roe", "张三", "李四", "王五", "文天祥"]
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
                "https://x.example/c",
                "2026"
            ])),
            ["教育", "双减", "校外培训", "许昌", "就业", "Local News", "外贸"]
        );
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
            assert_eq!(language(raw).as_deref(), expected);
        }
    }
}
