//! Headlines without their ornaments: what stands in front of or behind the words in one copy and not in the other.

use super::shingle::weight;

/// Heaviest ornament: a column (（财经·国际）), a label (关注｜), a site (_三门峡网, - Aller Gazette).
const HEAVIEST: usize = 12;

/// The headline without leading columns in brackets, a leading label before `｜`, and a trailing site name behind `_`,
/// `|` or ` - `. What is left is never less than what was taken.
#[must_use]
pub fn bare(title: &str) -> &str {
    let mut rest = title.trim();
    loop {
        let next = front(rest).or_else(|| back(rest)).map(str::trim);
        match next {
            Some(next) if next.chars().count() * 2 >= rest.chars().count() => rest = next,
            _ => return rest,
        }
    }
}

fn short(ornament: &str) -> bool {
    let letters: Vec<char> = ornament.trim().chars().collect();
    !letters.is_empty() && weight(&letters) <= HEAVIEST
}

fn front(title: &str) -> Option<&str> {
    for (open, close) in [('（', '）'), ('(', ')'), ('【', '】'), ('[', ']'), ('［', '］')] {
        if let Some((column, rest)) = title.strip_prefix(open).and_then(|inside| inside.split_once(close)) {
            return short(column).then_some(rest);
        }
    }
    let (label, rest) = title.split_once(['｜', '|', '丨'])?;
    (short(label) && label.chars().count() <= 4).then_some(rest)
}

fn back(title: &str) -> Option<&str> {
    let (rest, site) = title.rsplit_once(['_', '|', '｜', '丨']).or_else(|| title.rsplit_once(" - "))?;
    short(site).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ornaments_go_and_words_stay() {
        for (title, expected) in [
            ("（财经·国际）许昌外贸连续三年增长", "许昌外贸连续三年增长"),
            ("关注｜许昌外贸连续三年增长_三门峡网", "许昌外贸连续三年增长"),
            ("【快讯】(许昌)许昌外贸连续三年增长", "许昌外贸连续三年增长"),
            ("Council approves the new bridge - Aller Gazette", "Council approves the new bridge"),
            ("许昌（建安区）供暖", "许昌（建安区）供暖"),
            ("（图）暖", "（图）暖"),
            ("", ""),
        ] {
            assert_eq!(bare(title), expected);
        }
    }
}
