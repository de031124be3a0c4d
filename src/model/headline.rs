//! Headlines without their ornaments: what stands in front of or behind the words in one copy and not in the other.

use super::shingle::weight;

/// Heaviest ornament: a column (（财经·国际）), a label (关注｜), a site (_三门峡网, - Aller Gazette).
const HEAVIEST: usize = 12;

/// What a headline says in brackets at its end about pictures: 图, 组图, 视频. Anything else there (上, 之二) may tell two
/// items apart.
const NOTES: &[&str] =
    &["图", "组图", "多图", "图文", "高清图", "高清组图", "附图", "视频", "附视频", "图集", "photos", "video"];

/// The headline without leading columns in brackets, a leading label before `｜`, a medium's name before `：`, a note on
/// pictures at its end, and a trailing site name behind `_`, `|`, ` - ` or `-`. What is left is never less than what was
/// taken.
#[must_use]
pub fn bare(title: &str) -> &str {
    let mut rest = title.trim();
    // Most headlines have none, and no sign that an ornament begins or ends with.
    let sign = |c| matches!(c, '（' | '(' | '【' | '[' | '［' | '｜' | '|' | '丨' | '：' | ':' | '_' | '-' | '—');
    if !rest.contains(sign) {
        return rest;
    }
    loop {
        let next = front(rest).or_else(|| back(rest)).map(str::trim);
        match next {
            Some(next) if next.chars().count() * 2 >= rest.chars().count() => rest = next,
            _ => return rest,
        }
    }
}

/// Whether a site's or another medium's name stands at the headline: no words of the article. A column, a label or a note
/// on pictures is the publisher's own.
#[must_use]
pub fn signed(title: &str) -> bool {
    let title = title.trim();
    let before = title.split_once(['：', ':']).is_some_and(|(medium, _)| is_medium(medium));
    before || site(title).is_some_and(|rest| rest.chars().count() * 2 >= title.chars().count())
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
    if let Some((label, rest)) = title.split_once(['｜', '|', '丨']) {
        return (short(label) && label.chars().count() <= 4).then_some(rest);
    }
    let (medium, rest) = title.split_once(['：', ':'])?;
    is_medium(medium).then_some(rest)
}

/// Whether a name is a medium's by its form: 焦作网, 中国网河南, 许昌日报, 新华社. 美媒 and 专家 are none.
fn is_medium(name: &str) -> bool {
    let name = name.trim();
    short(name)
        && name.chars().count() >= 3
        && name.chars().all(char::is_alphanumeric)
        && (name.contains('网')
            || name.ends_with(['报', '社', '台'])
            || name.ends_with("在线")
            || name.ends_with("客户端"))
}

fn back(title: &str) -> Option<&str> {
    for (open, close) in [('（', '）'), ('(', ')'), ('【', '】'), ('[', ']')] {
        if let Some((rest, note)) = title.strip_suffix(close).and_then(|inside| inside.rsplit_once(open)) {
            return NOTES.contains(&note.trim().to_lowercase().as_str()).then_some(rest);
        }
    }
    site(title)
}

fn site(title: &str) -> Option<&str> {
    if let Some((rest, site)) = title.rsplit_once(['_', '|', '｜', '丨']).or_else(|| title.rsplit_once(" - ")) {
        return short(site).then_some(rest);
    }
    let (rest, site) = title.rsplit_once(['-', '—'])?;
    is_medium(site).then_some(rest.trim_end_matches('—'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_medium_signs_at_either_end() {
        for title in ["许昌外贸连续三年增长_三门峡网", "样报网：许昌外贸连续三年增长"] {
            assert!(signed(title), "{title}");
        }
        for title in [
            "关注｜许昌外贸连续三年增长",
            "许昌外贸连续三年增长(图)",
            "（经济）许昌外贸连续三年增长",
            "专家：许昌外贸连续三年增长",
        ] {
            assert!(!signed(title), "{title}");
        }
    }

    #[test]
    fn ornaments_go_and_words_stay() {
        for (title, expected) in [
            ("（财经·国际）许昌外贸连续三年增长", "许昌外贸连续三年增长"),
            ("关注｜许昌外贸连续三年增长_三门峡网", "许昌外贸连续三年增长"),
            ("【快讯】(许昌)许昌外贸连续三年增长", "许昌外贸连续三年增长"),
            ("Council approves the new bridge - Aller Gazette", "Council approves the new bridge"),
            ("许昌（建安区）供暖", "许昌（建安区）供暖"),
            ("样报网：许昌外贸连续三年增长(组图)", "许昌外贸连续三年增长"),
            ("许昌外贸连续三年增长-样报网许昌", "许昌外贸连续三年增长"),
            ("许昌外贸连续三年增长——样城日报", "许昌外贸连续三年增长"),
            ("专家：许昌外贸连续三年增长（上）", "专家：许昌外贸连续三年增长（上）"),
            ("郑州-许昌市域铁路今天加密班次", "郑州-许昌市域铁路今天加密班次"),
            ("（图）暖", "（图）暖"),
            ("", ""),
        ] {
            assert_eq!(bare(title), expected);
        }
    }
}
