//! Korean dates: 2004년 05월 28일  01:31:15, 2004-05-25 오후 11:23:17, 3시간 전, 어제.
//!
//! Written over into the Chinese form, which the other readers know.

/// Words and their Chinese counterparts, longer ones first.
const WORDS: [(&str, &str); 28] = [
    ("월요일", " "),
    ("화요일", " "),
    ("수요일", " "),
    ("목요일", " "),
    ("금요일", " "),
    ("토요일", " "),
    ("일요일", " "),
    ("(월)", " "),
    ("(화)", " "),
    ("(수)", " "),
    ("(목)", " "),
    ("(금)", " "),
    ("(토)", " "),
    ("(일)", " "),
    ("개월", "个月"),
    ("주일", "周"),
    ("오전", "上午"),
    ("오후", "下午"),
    ("시간 전", "小时前"),
    ("시간전", "小时前"),
    ("방금", "刚刚"),
    ("어제", "昨天"),
    ("오늘", "今天"),
    ("그제", "前天"),
    (" 전", "前"),
    ("전", "前"),
    ("년", "年"),
    ("월", "月"),
];

/// Units that are single syllables of many words: only behind a digit.
const UNITS: [(char, char); 5] = [('주', '周'), ('일', '日'), ('시', '时'), ('분', '分'), ('초', '秒')];

/// The text in the Chinese form; `None` if nothing of it is Korean.
pub(super) fn folded(text: &str) -> Option<String> {
    if !text.contains(|c: char| ('\u{ac00}'..='\u{d7a3}').contains(&c)) {
        return None;
    }
    let mut out = text.to_owned();
    for (word, chinese) in WORDS {
        out = out.replace(word, chinese);
    }
    let mut before = ' ';
    let unit = |c: char| {
        let known = UNITS.iter().find(|(unit, _)| *unit == c && before.is_ascii_digit()).map(|(_, chinese)| *chinese);
        before = c;
        known.unwrap_or(c)
    };
    let out: String = out.chars().map(unit).collect();
    // A number of days is 天 where it is counted back.
    Some(out.replace("日前", "天前"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn korean_dates() {
        super::super::tests::check(
            "2004년 05월 28일  01:31:15       => 2004-05-28T01:31:15+09:00
             2004-05-25 오후 11:23:17        => 2004-05-25T23:23:17+09:00
             2026년 10월 4일 (일) 오전 10시 38분 => 2026-10-04T10:38:00+09:00
             2026년 10월 4일 일요일            => ~2026-10-04T00:00:00+09:00
             10월 4일 10:38                  => 2026-10-04T10:38:00+09:00
             입력 2026.10.04. 오후 3:05       => 2026-10-04T15:05:00+09:00
             3시간 전                        => ~2026-11-23T10:00:00+09:00
             5분 전                          => 2026-11-23T12:55:00+09:00
             2일 전                          => ~2026-11-21T00:00:00+09:00
             2주 전                          => ~2026-11-09T00:00:00+09:00
             1주일 전                        => ~2026-11-16T00:00:00+09:00
             1개월 전                        => ~2026-10-24T00:00:00+09:00
             어제 10:38                      => 2026-11-22T10:38:00+09:00",
            chrono_tz::Asia::Seoul,
        );
    }
}
