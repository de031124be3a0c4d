//! Headlines compared: equal, or one cut from the other.

use crate::model::fold::fold;
use crate::model::headline::bare;
use crate::model::shingle::weight;

/// A headline that begins another must weigh so much: sites cut at 22 to 26 characters, and anything shorter than ten
/// begins too many headlines.
pub const SHORTEST: usize = 10;

fn weighs(folded: &str) -> usize {
    let letters: Vec<char> = folded.chars().collect();
    weight(&letters)
}

/// Weight of a headline.
#[must_use]
pub fn length(title: &str) -> usize {
    weighs(&fold(bare(title)))
}

/// How two headlines are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alike {
    /// Equal when folded.
    Equal,
    /// The first is the beginning of the second.
    Cut,
    /// The second is the beginning of the first.
    CutOther,
}

/// Compares two headlines; `None` if they are not alike. A beginning never ends before or inside a number: 一季度增长6 may
/// go on as 6.5% or 65%.
#[must_use]
pub fn alike(one: &str, other: &str) -> Option<Alike> {
    let (one, other) = (fold(&without_ellipsis(bare(one))), fold(&without_ellipsis(bare(other))));
    if one.is_empty() || other.is_empty() {
        return None;
    }
    if one == other {
        return Some(Alike::Equal);
    }
    let cut = |short: &str, long: &str| {
        let rest = long.strip_prefix(short)?;
        let before_number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        (weighs(short) >= SHORTEST && !before_number).then_some(())
    };
    if cut(&one, &other).is_some() {
        return Some(Alike::Cut);
    }
    cut(&other, &one).map(|()| Alike::CutOther)
}

/// What list pages write behind a cut teaser.
const MORE: &[&str] = &["更多", "详细", "详情", "查看全文", "阅读全文", "全文"];

/// Whether a headline or a text shows that it was cut: `…`, `...更多`, `...[详细]`.
#[must_use]
pub fn is_cut(title: &str) -> bool {
    let bracket = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '【' | '】' | '>' | '»');
    let title = title.trim_end_matches(bracket);
    let title = MORE.iter().find_map(|more| title.strip_suffix(more)).unwrap_or(title).trim_end_matches(bracket);
    title.ends_with('…') || title.ends_with("...") || title.ends_with("。。。")
}

fn without_ellipsis(title: &str) -> String {
    title.trim_end().trim_end_matches(['…', '.', '。']).to_owned()
}

/// Numbers of a text: runs of digits with their decimal marks, as folding leaves them.
#[must_use]
pub fn numbers(folded: &str) -> Vec<&str> {
    let mark = |c: char| !(c.is_ascii_digit() || c == '.');
    folded.split(mark).map(|run| run.trim_matches('.')).filter(|run| !run.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_texts_are_known_by_their_end() {
        for cut in [
            "许昌出台稳外贸…",
            "展线长126米,由41位画师...更多",
            "展线长126米...[详细]",
            "一句话。。。",
            "一句话… 查看全文 »",
        ] {
            assert!(is_cut(cut), "{cut}");
        }
        for whole in ["许昌出台稳外贸十条措施", "欲知更多", "以下为全文", "（完）", "票价9.5元。"]
        {
            assert!(!is_cut(whole), "{whole}");
        }
    }

    const CASES: &[(&str, &str, Option<Alike>)] = &[
        ("许昌出台稳外贸十条措施", "许昌：出台“稳外贸”十条措施！", Some(Alike::Equal)),
        ("许昌出台稳外贸十条措施", "許昌出臺穩外貿十條措施", Some(Alike::Equal)),
        ("许昌市出台稳外贸十条措施助企...", "许昌市出台稳外贸十条措施助企业渡难关", Some(Alike::Cut)),
        ("许昌市出台稳外贸十条措施助企业渡难关", "许昌市出台稳外贸十条措施", Some(Alike::CutOther)),
        ("许昌出台措施", "许昌出台措施稳外贸", None),
        ("焦作市一季度外贸进出口总值增长6", "焦作市一季度外贸进出口总值增长6.5%", None),
        ("焦作市一季度外贸进出口总值增长", "焦作市一季度外贸进出口总值增长65%", None),
        ("许昌召开双减工作推进会议通报情况", "焦作召开双减工作推进会议通报情况", None),
        ("（经济）许昌出台稳外贸十条措施", "关注｜许昌出台稳外贸十条措施_样网", Some(Alike::Equal)),
        ("", "", None),
        (
            "Council approves new bridge over the Aller in Celle",
            "Council approves new bridge over…",
            Some(Alike::CutOther),
        ),
        ("Council approves", "Council approves new bridge over the Aller", None),
    ];

    #[test]
    fn headlines_are_compared() {
        for (one, other, expected) in CASES {
            assert_eq!(alike(one, other), *expected, "{one} / {other}");
        }
    }

    #[test]
    fn numbers_keep_their_decimals() {
        assert_eq!(numbers(&fold("总值146 9亿元，增长6.5%，共1,200家。")), ["146.9", "6.5", "1200"]);
    }
}
