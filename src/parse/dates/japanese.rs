//! Japanese dates: 2026年10月4日（日）午後3時5分, 令和8年10月4日, 3時間前, 昨日.
//!
//! Written over into the Chinese form, which the other readers know.

/// Eras and the year before their first (令和元年 is 2019).
const ERAS: [(&str, i32); 4] = [("令和", 2018), ("平成", 1988), ("昭和", 1925), ("大正", 1911)];

/// Words and their Chinese counterparts, longer ones first. Only what cannot stand in a Chinese date.
const WORDS: [(&str, &str); 12] = [
    ("午前", "上午"),
    ("午後", "下午"),
    ("時間前", "小时前"),
    ("日前", "天前"),
    ("か月前", "个月前"),
    ("ヶ月前", "个月前"),
    ("カ月前", "个月前"),
    ("週間前", "周前"),
    ("時", "时"),
    ("一昨日", "前天"),
    ("おととい", "前天"),
    ("たった今", "刚刚"),
];

/// The text in the Chinese form; `None` if nothing of it is Japanese.
pub(super) fn folded(text: &str) -> Option<String> {
    let era = ERAS.iter().find_map(|(era, before)| Some((text.find(era)?, era, before)));
    let word = WORDS.iter().any(|(word, _)| text.contains(word));
    let weekday = ["曜", "(日)", "(月)", "(火)", "(水)", "(木)", "(金)", "(土)"].iter().any(|day| text.contains(day));
    if era.is_none() && !word && !weekday {
        return None;
    }
    let mut out = text.to_owned();
    if let Some((begin, era, before)) = era {
        let rest = &text[begin + era.len()..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (year, rest) = match rest.strip_prefix('元') {
            Some(rest) => (1, rest),
            None => (rest[..digits].parse().ok().filter(|year| (1..100).contains(year))?, &rest[digits..]),
        };
        out = format!("{}{rest}", year + before);
    }
    for day in ["日", "月", "火", "水", "木", "金", "土"] {
        for form in [format!("({day}曜日)"), format!("({day})"), format!("{day}曜日"), format!("{day}曜")] {
            out = out.replace(&form, " ");
        }
    }
    for (word, chinese) in WORDS {
        out = out.replace(word, chinese);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #[test]
    fn japanese_dates() {
        super::super::tests::check(
            "2026年10月4日（日）午後3時5分     => 2026-10-04T15:05:00+09:00
             2026年10月4日 日曜日 10:38     => 2026-10-04T10:38:00+09:00
             2026年10月4日（日曜）          => ~2026-10-04T00:00:00+09:00
             令和8年10月4日                => ~2026-10-04T00:00:00+09:00
             令和元年5月1日 10時            => 2019-05-01T10:00:00+09:00
             平成30年12月31日 23時59分59秒  => 2018-12-31T23:59:59+09:00
             2026/10/04(日) 10:38         => 2026-10-04T10:38:00+09:00
             3時間前                       => ~2026-11-23T10:00:00+09:00
             5分前                         => 2026-11-23T12:55:00+09:00
             昨日 10:38                    => 2026-11-22T10:38:00+09:00",
            chrono_tz::Asia::Tokyo,
        );
    }
}
