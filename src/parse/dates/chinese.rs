//! Chinese dates in characters: 二〇二二年八月二十三日, 中华民国115年10月4日, 十月四日下午三时.
//!
//! Written over into digits; [`numbers`](super::numbers) reads them then.

/// First year of the Republic's calendar, less one: 民国115年 is 2026.
const REPUBLIC: i32 = 1911;

/// The text with its numerals as digits; `None` if there is nothing to write over.
pub(super) fn folded(text: &str) -> Option<String> {
    let dated = text.contains(['年', '月', '日', '号', '时', '点', '前']);
    let republic = text.contains("民国") || text.contains("民國");
    let numerals = dated && text.contains(is_numeral);
    // 時, 點, 號 are the traditional forms.
    let traditional = text.contains(['時', '點', '號']);
    if !(republic || numerals || traditional) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if is_numeral(c) {
            let end = rest.find(|c: char| !is_numeral(c)).unwrap_or(rest.len());
            // 星期二, 周二: the weekday stays.
            if out.ends_with(['期', '周', '拜']) {
                out.push_str(&rest[..end]);
            } else {
                out.push_str(&value(&rest[..end]).to_string());
            }
            rest = &rest[end..];
            continue;
        }
        out.push(match c {
            '時' => '时',
            '點' => '点',
            '號' => '号',
            c => c,
        });
        rest = &rest[c.len_utf8()..];
    }
    if republic {
        let begin = out.find("民国").or_else(|| out.find("民國"))?;
        let rest = out[begin + "民国".len()..].trim_start();
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let year = rest[..digits].parse::<i32>().ok().filter(|year| (1..=200).contains(year))?;
        out = format!("{}{}", year + REPUBLIC, &rest[digits..]);
    }
    Some(out)
}

fn is_numeral(c: char) -> bool {
    "〇○零一二三四五六七八九十两廿卅".contains(c)
}

/// 二〇二二 is 2022, 二十三 is 23, 廿三 is 23.
fn value(numeral: &str) -> u32 {
    let digit = |c: char| match c {
        '一' => 1,
        '二' | '两' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => 0,
    };
    let mut value: u32 = 0;
    let mut tens = false;
    for c in numeral.chars().take(9) {
        match c {
            '十' => {
                value = value.max(1) * 10;
                tens = true;
            }
            '廿' => (value, tens) = (20, true),
            '卅' => (value, tens) = (30, true),
            c if tens => {
                value += digit(c);
                tens = false;
            }
            c => value = value * 10 + digit(c),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_in_characters() {
        super::super::tests::check(
            "二〇二二年八月二十三日             => ~2022-08-23T00:00:00+08:00
             二○二二年八月廿三日               => ~2022-08-23T00:00:00+08:00
             二零二二年十月三十日十时三十八分     => 2022-10-30T10:38:00+08:00
             二〇二二年八月二十三日 星期二 下午三点 => 2022-08-23T15:00:00+08:00
             十月四日                         => ~2026-10-04T00:00:00+08:00
             中華民國115年10月4日              => ~2026-10-04T00:00:00+08:00
             民国一百年                       => -
             民國115年10月4日 上午10時38分      => 2026-10-04T10:38:00+08:00
             2022年8月23日上午10點38分         => 2022-08-23T10:38:00+08:00
             一月新闻                         => -",
            chrono_tz::Asia::Shanghai,
        );
    }
}
