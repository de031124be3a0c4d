//! Headlines compared: equal, one cut from the other, one inside the other, or a word apart.
//!
//! Compared are the words alone (columns, labels, site names and notes on pictures are no part of them), folded. A
//! headline that is a part of another must weigh at least [`SHORTEST`], and never ends or begins beside a number: 一季度
//! 增长6 may go on as 6.5 % or 65 %. Headlines that differ in a stretch, however little, must tell the same numbers.

use crate::model::fold::fold;
use crate::model::headline::bare;
use crate::model::shingle::{dense, weight};

/// A headline that is a part of another must weigh so much: sites cut at 22 to 26 characters, and anything shorter than
/// ten begins too many headlines.
pub const SHORTEST: usize = 10;

/// Weight of what may be lost from a headline, and of a stretch exchanged in it.
const STRETCH: usize = 3;
/// Part of the headline that must be the same around a stretch that differs, per mille.
const SAME: usize = 700;

/// How two headlines are alike; the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alike {
    /// Equal when folded.
    Equal,
    /// The first is the beginning of the second.
    Cut,
    /// The second is the beginning of the first.
    CutOther,
    /// One stands inside the other, or ends it.
    Part,
    /// One has a character or two that the other lost.
    Lost,
    /// One stretch is another in each.
    Reworded,
}

/// A headline made ready for comparing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headline {
    letters: Vec<char>,
    folded: String,
    /// What it weighs.
    pub weight: usize,
}

impl Headline {
    /// Of a headline as printed.
    #[must_use]
    pub fn of(title: &str) -> Self {
        let folded = fold(without_ellipsis(bare(title)));
        let letters: Vec<char> = folded.chars().collect();
        let weight = weight(&letters);
        Self { letters, folded, weight }
    }

    /// Numbers it tells.
    #[must_use]
    pub fn numbers(&self) -> Vec<&str> {
        numbers(&self.folded)
    }

    /// Whether it is the same when folded.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        !self.folded.is_empty() && self.folded == other.folded
    }

    /// How this headline is like another; `None` if it is not.
    #[must_use]
    pub fn alike(&self, other: &Self) -> Option<Alike> {
        if self.letters.is_empty() || other.letters.is_empty() {
            return None;
        }
        if self.folded == other.folded {
            return Some(Alike::Equal);
        }
        if self.letters.len() <= other.letters.len() {
            self.within(other).map(|begins| if begins { Alike::Cut } else { Alike::Part })
        } else {
            other.within(self).map(|begins| if begins { Alike::CutOther } else { Alike::Part })
        }
        .or_else(|| self.nearly(other))
    }

    /// Whether this one stands in the other without cutting a number, and whether at its beginning.
    fn within(&self, other: &Self) -> Option<bool> {
        if self.weight < SHORTEST {
            return None;
        }
        let (at, _) = other.folded.match_indices(&self.folded).next()?;
        let digit = |c: char| c.is_ascii_digit() || c == '.';
        let (before, behind) = (&other.folded[..at], &other.folded[at + self.folded.len()..]);
        // 19日沪指…: a number that ends with its own unit before the headline is not cut by it.
        let cut = behind.starts_with(digit) || (before.ends_with(digit) && self.folded.starts_with(digit));
        (!cut).then_some(at == 0)
    }

    /// Whether the two differ in one stretch only.
    fn nearly(&self, other: &Self) -> Option<Alike> {
        let (one, two) = (&self.letters, &other.letters);
        let ahead = one.iter().zip(two).take_while(|(a, b)| a == b).count();
        let rest = one.len().min(two.len()) - ahead;
        let behind = one.iter().rev().zip(two.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
        let (mine, theirs) = (&one[ahead..one.len() - behind], &two[ahead..two.len() - behind]);
        let same = one.len() - mine.len();
        let enough = same * 1000 >= one.len().max(two.len()) * SAME;
        if !enough || self.numbers() != other.numbers() || weight(mine) > STRETCH || weight(theirs) > STRETCH {
            return None;
        }
        Some(if mine.is_empty() || theirs.is_empty() { Alike::Lost } else { Alike::Reworded })
    }

    /// How much of the shorter headline's pairs of characters (words, in other scripts) stand in the other, per mille.
    #[must_use]
    pub fn shared(&self, other: &Self) -> usize {
        let (short, long) = if self.letters.len() <= other.letters.len() { (self, other) } else { (other, self) };
        let width = if short.letters.iter().filter(|c| dense(**c)).count() * 2 > short.letters.len() { 2 } else { 5 };
        let all = short.letters.windows(width).count();
        let found = short.letters.windows(width).filter(|pair| long.letters.windows(width).any(|p| p == *pair)).count();
        (found * 1000).checked_div(all).unwrap_or(0)
    }
}

/// Compares two headlines as printed; `None` if they are not alike.
#[must_use]
pub fn alike(one: &str, other: &str) -> Option<Alike> {
    Headline::of(one).alike(&Headline::of(other))
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

fn without_ellipsis(title: &str) -> &str {
    title.trim_end().trim_end_matches(['…', '.', '。'])
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
        ("许昌召开双减工作推进会议通报情况", "焦作召开双减工作推进会议通报情况", Some(Alike::Reworded)),
        ("（经济）许昌出台稳外贸十条措施", "关注｜许昌出台稳外贸十条措施_样网", Some(Alike::Equal)),
        ("许昌市出台稳外贸十条措施助企业渡难关", "许昌市出稳外贸十条措施助企业渡难关", Some(Alike::Lost)),
        ("焦作网：市图书馆新馆周六起试开放限流", "市图书馆新馆周六起试开放限流", Some(Alike::Equal)),
        ("雨中的坚守 许昌环卫工人清早抢通积水路段", "许昌环卫工人清早抢通积水路段", Some(Alike::Part)),
        ("5日许昌外贸企业座谈会召开共商出海", "许昌外贸企业座谈会召开共商出海", Some(Alike::Part)),
        ("许昌外贸十条措施惠及120家企业", "许昌外贸十条措施惠及210家企业", None),
        ("许昌出台外贸措施", "许昌谈论稳岗办法", None),
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
    fn what_two_headlines_share_is_counted() {
        let shared = |one: &str, other: &str| Headline::of(one).shared(&Headline::of(other));
        assert_eq!(shared("小货车与商务车相撞", "小货车与商务车相撞致1死7伤"), 1000);
        assert!(shared("许昌稳外贸", "焦作双减") < 100);
    }

    #[test]
    fn numbers_keep_their_decimals() {
        assert_eq!(numbers(&fold("总值146 9亿元，增长6.5%，共1,200家。")), ["146.9", "6.5", "1200"]);
    }
}
