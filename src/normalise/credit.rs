//! The chain of attribution: who is named as the source, in the feed, at the head and at the foot of a text.

use crate::model::item::Credit;

/// Labels of the one a text is from. Longer ones first.
const LABELS: [&str; 12] = [
    "文章来源",
    "信息来源",
    "新闻来源",
    "稿件来源",
    "内容来源",
    "本文来源",
    "转载自",
    "摘编自",
    "稿源",
    "转自",
    "来源",
    "Source",
];

/// Labels of other things that stand on the same line.
const OTHERS: [&str; 16] = [
    "作者",
    "记者",
    "编辑",
    "责任编辑",
    "责编",
    "时间",
    "发布时间",
    "发布日期",
    "日期",
    "浏览",
    "点击",
    "阅读",
    "字体",
    "字号",
    "分享",
    "审核",
];

/// How many lines at the head and at the foot are looked at.
const LINES: usize = 3;

/// Longest line that is nothing but attribution, in characters.
const LONGEST_LINE: usize = 120;

/// Longest name, in characters.
const LONGEST_NAME: usize = 30;

/// Agencies and papers that sign with a dateline: 新华社郑州11月23日电.
const AGENCIES: [&str; 12] = [
    "新华社",
    "中新社",
    "中新网",
    "人民网",
    "央视网",
    "央广网",
    "光明网",
    "中国新闻网",
    "新华网",
    "法新社",
    "路透社",
    "大河网",
];

/// What the feed or list states.
pub(super) fn stated(raw: Option<&str>, place: &str) -> Vec<Credit> {
    let Some(raw) = raw else { return Vec::new() };
    let text = super::text::headline(raw);
    let name = labelled(&text).map_or(text.as_str(), |(_, name, _)| name);
    let name = clean(name);
    if name.is_empty() { Vec::new() } else { vec![Credit { name, place: place.to_owned() }] }
}

/// Takes lines of attribution out of a text and adds them to the chain, nearest first: head before foot.
pub(super) fn take(text: &str, credits: &mut Vec<Credit>) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut add = |name: &str, place: &str| {
        let name = clean(name);
        if !name.is_empty() && !credits.iter().any(|known| known.name == name) {
            credits.push(Credit { name, place: place.to_owned() });
        }
    };
    let mut at = 0;
    while at < lines.len().min(LINES) {
        let line = lines[at].trim();
        match labelled(line).filter(|_| !line.starts_with(['（', '(', '【', '['])) {
            Some((_, name, alone)) => {
                add(name, "head");
                if alone {
                    lines.remove(at);
                    continue;
                }
            }
            // A headline or a date may stand before it, a sentence may not.
            None if is_meta(line) || (at == 0 && lines.len() > 2 && !line.contains('。')) => {}
            None => break,
        }
        at += 1;
    }
    if let Some(agency) = lines.first().and_then(|line| dateline(line)) {
        add(agency, "dateline");
    }
    let mut foot = lines.len();
    let mut looked = 0;
    while foot > 0 && looked < LINES {
        foot -= 1;
        looked += 1;
        if let Some((_, name, true)) = labelled(lines[foot]) {
            add(name, "foot");
            lines.remove(foot);
        } else if let Some((rest, name)) = bracketed(lines[foot]) {
            add(name, "foot");
            if rest.is_empty() {
                lines.remove(foot);
            } else {
                lines[foot] = rest;
            }
        }
    }
    lines.join("\n")
}

/// A label with its name anywhere on a short line: what stands before, the name, and whether the line is nothing else.
fn labelled(line: &str) -> Option<(&str, &str, bool)> {
    let line = line.trim();
    if line.chars().count() > LONGEST_LINE {
        return None;
    }
    for label in LABELS {
        let Some(begin) = line.find(label) else { continue };
        let rest = line[begin + label.len()..].trim_start();
        let Some(rest) = rest.strip_prefix([':', '：']) else { continue };
        let rest = rest.trim_start();
        let before = line[..begin].trim();
        let end = rest.find(|c: char| c.is_whitespace() || "|｜）)】]；;".contains(c)).unwrap_or(rest.len());
        let mut name = &rest[..end];
        for other in OTHERS {
            if let Some(cut) = name.find(other).filter(|cut| *cut > 0 && name[*cut..].contains([':', '：'])) {
                name = &name[..cut];
            }
        }
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains('。') {
            return None;
        }
        let after = &rest[name.len()..];
        let alone = is_meta(before) && is_meta(after);
        // In the middle of a sentence "来源：" is no attribution.
        return (alone || before.is_empty()).then_some((before, name, alone));
    }
    None
}

/// Whether a piece of a line is only dates, labels and marks.
fn is_meta(text: &str) -> bool {
    let mut words =
        text.split(|c: char| c.is_whitespace() || "|｜（）()【】[]".contains(c)).filter(|word| !word.is_empty());
    words.all(|word| {
        OTHERS.iter().any(|label| word.starts_with(label))
            || word.chars().all(|c| c.is_ascii_digit() || "-/:.：年月日时分秒".contains(c))
    })
}

/// （来源：许昌日报） at the end of a line: what stands before, and the name.
fn bracketed(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end();
    let inner = line.strip_suffix(['）', ')', '】', ']'])?;
    let open = inner.rfind(['（', '(', '【', '['])?;
    let inside = inner[open..].trim_start_matches(['（', '(', '【', '[']);
    let (before, name, _) = labelled(inside)?;
    before.is_empty().then(|| (line[..open].trim_end(), name))
}

/// 新华社郑州11月23日电: the agency.
fn dateline(line: &str) -> Option<&'static str> {
    let start = line.trim_start_matches(|c: char| c.is_whitespace() || "【（(".contains(c));
    let agency = AGENCIES.into_iter().find(|agency| start.starts_with(agency))?;
    let head: String = start.chars().take(30).collect();
    (head.contains('电') || head.contains('讯')).then_some(agency)
}

fn clean(name: &str) -> String {
    let name = name.trim_matches(|c: char| c.is_whitespace() || "《》“”\"'：:，,。".contains(c));
    let long = name.chars().count() > LONGEST_NAME;
    if long || name.contains("://") { String::new() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> (String, Vec<String>) {
        let mut credits = Vec::new();
        let rest = take(text, &mut credits);
        (rest, credits.into_iter().map(|credit| format!("{}@{}", credit.name, credit.place)).collect())
    }

    #[test]
    fn the_chain_is_read_and_cut_out() {
        for (text, rest, credits) in [
            (
                "2026-11-23 10:38 来源：财经网 作者：张三\n正文。\n（来源：许昌市人民政府）",
                "正文。",
                vec!["财经网@head", "许昌市人民政府@foot"],
            ),
            ("正文一。\n正文二。（来源: 莲城日报）", "正文一。\n正文二。", vec!["莲城日报@foot"]),
            ("正文。（来源：莲城日报）", "正文。", vec!["莲城日报@foot"]),
            ("信息来源：市教育局\n正文", "正文", vec!["市教育局@head"]),
            ("正文\n稿源：莲城日报 编辑：李四", "正文", vec!["莲城日报@foot"]),
            (
                "新华社郑州11月23日电（记者 张三）正文。",
                "新华社郑州11月23日电（记者 张三）正文。",
                vec!["新华社@dateline"],
            ),
            ("水的来源：黄河与地下水，这里都有。", "水的来源：黄河与地下水，这里都有。", vec![]),
            ("来源：", "来源：", vec![]),
            ("", "", vec![]),
        ] {
            assert_eq!(taken(text), (rest.to_owned(), credits.into_iter().map(str::to_owned).collect()), "{text}");
        }
    }

    #[test]
    fn a_stated_credit_loses_its_label() {
        assert_eq!(stated(Some("来源：莲城日报"), "list")[0].name, "莲城日报");
        assert_eq!(stated(Some(" 莲城日报 "), "feed")[0].name, "莲城日报");
        assert!(stated(Some(""), "feed").is_empty());
    }
}
