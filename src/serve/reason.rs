//! Evidence put into the words of a page: in Chinese here, in English as the facts say it themselves.

use super::account::Tagged;
use super::words::Words;
use crate::model::evidence::{Discard, Dropped, Headlines, Likeness, Note, Sign, Veto, Zone, thousandths};
use crate::model::id::SourceId;

fn chinese(words: &Words) -> bool {
    words.lang.starts_with("zh")
}

/// Why two copies are one story. `name` tells a source's name.
#[must_use]
pub fn likeness(words: &Words, why: &Likeness, name: &dyn Fn(&SourceId) -> String) -> String {
    if !chinese(words) {
        return match why {
            Likeness::Address { with } => format!("same address as the copy of {}", name(with)),
            Likeness::Copied { with } => format!("same headline and text as the copy of {}", name(with)),
            Likeness::Through { with } => format!("the copy of {} is one of both stories", name(with)),
            other => other.to_string(),
        };
    }
    match why {
        Likeness::Address { with } => format!("网址与“{}”的一篇相同，标题相近", name(with)),
        Likeness::Copied { with } => format!("标题和正文与“{}”的一篇相同（数字除外）", name(with)),
        Likeness::Related => "网址相同，正文相近".to_owned(),
        Likeness::ByHand => "由编辑合并".to_owned(),
        Likeness::Through { with } => format!("“{}”的一篇同时属于两条新闻，因此合并", name(with)),
        Likeness::Compared { headline, contained, day } => {
            let titles = match headline {
                Headlines::Equal => "标题相同",
                Headlines::Cut => "标题是另一标题的截断",
                Headlines::Other => "标题不同",
                Headlines::Part => "标题是另一标题的一部分",
                Headlines::Lost => "标题只差一两个字",
                Headlines::Reworded => "标题只换了一处说法",
                Headlines::Figures => "标题不同，但城市和数字一致",
            };
            let day = if *day { "，同一天发布" } else { "" };
            match contained {
                Some(contained) => format!("{titles}{day}，较短正文有 {}% 见于较长正文", contained / 10),
                None => format!("{titles}{day}，没有正文可比"),
            }
        }
    }
}

/// Why two stories are not one.
#[must_use]
pub fn veto(words: &Words, why: &Veto, name: &dyn Fn(&SourceId) -> String) -> String {
    if !chinese(words) {
        return match why {
            Veto::Alone(source) => format!("{} has join = false", name(source)),
            Veto::Repeated(source) => format!("the story holds another item of {} already", name(source)),
            other => other.to_string(),
        };
    }
    match why {
        Veto::ByHand => "编辑已将两者分开，不再合并".to_owned(),
        Veto::Spiked => "该条已被编辑撤下".to_owned(),
        Veto::Alone(source) => format!("信源“{}”设置为不合并", name(source)),
        Veto::Page => "网址相同，但标题和正文都不相近".to_owned(),
        Veto::Unlike(Some(contained)) => format!("相似不足：较短正文只有 {}% 见于较长正文", contained / 10),
        Veto::Unlike(None) => "相似不足：没有正文可比".to_owned(),
        Veto::Repeated(source) => format!("该条已有“{}”的另一篇", name(source)),
        Veto::Days(days) => format!("相隔 {days} 天"),
        Veto::Cities => "标题说的是不同城市".to_owned(),
        Veto::Served => "两家信源属于不同城市，正文也不相近".to_owned(),
        Veto::Numbers => "数字互相矛盾".to_owned(),
        Veto::Recurring => "只有标题可比，而这个标题反复出现".to_owned(),
        Veto::Digest => "标题无关，只是较短正文出现在一篇长文中".to_owned(),
    }
}

/// What speaks for a place.
#[must_use]
pub fn sign(words: &Words, sign: &Sign) -> String {
    if !chinese(words) {
        return sign.to_string();
    }
    let kind = |province: bool| if province { "省" } else { "市" };
    match sign {
        Sign::Named { zone, name, unit, weight, notes } => {
            let zone = match zone {
                Zone::Title => "标题",
                Zone::Lede => "导语",
                Zone::Text | Zone::Rest => "正文",
                Zone::Tag => "标签",
                Zone::Credit => "来源",
            };
            let unit = unit.as_ref().map(|unit| format!("（{unit}）")).unwrap_or_default();
            let notes: Vec<&str> = notes.iter().map(|it| note(*it)).collect();
            let notes = if notes.is_empty() { String::new() } else { format!("，{}", notes.join("，")) };
            format!("{zone}：{name}{unit} +{}{notes}", thousandths(*weight))
        }
        Sign::Ours { province, weight } => {
            let said = if *province { "我省、全省" } else { "我市、全市" };
            format!("“{said}”等指信源所属的{} +{}", kind(*province), thousandths(*weight))
        }
        Sign::Prior { weight } => format!("信源所属城市 +{}", thousandths(*weight)),
        Sign::Unnamed { province, weight } => {
            format!("没有提到地名，按信源所属的{} +{}", kind(*province), thousandths(*weight))
        }
        Sign::Holds(city) => format!("包含{city}"),
    }
}

const fn note(note: Note) -> &'static str {
    match note {
        Note::Full => "全称",
        Note::Inside => "紧接上一级地名",
        Note::Dateline => "通讯社电头",
        Note::Passing => "出发地或目的地",
        Note::Quoted => "在书名号内",
        Note::Again => "重复出现",
    }
}

/// Why a name was not counted.
#[must_use]
pub fn dropped(words: &Words, dropped: &Dropped) -> String {
    if !chinese(words) {
        return dropped.to_string();
    }
    let Dropped { name, why } = dropped;
    match why {
        Discard::Phrase => format!("{name}：这个词语不表示地点"),
        Discard::Cut => format!("{name}：只是其他词语的一部分"),
        Discard::Common => format!("{name}：也是常用词，没有其他依据"),
        Discard::Several => format!("{name}：同名地点不止一处"),
        Discard::Part => format!("{name}：道路、公司或报刊名称的一部分"),
        Discard::Township => format!("{name}：同名的乡镇或村庄"),
        Discard::Surname => format!("{name}：前面是姓氏"),
        Discard::Little { weight, best } => {
            format!("{name}：只是顺带提到（{}，最高 {}）", thousandths(*weight), thousandths(*best))
        }
        Discard::National(cities) => format!("提到 {cities} 座城市，属于全国性新闻"),
        Discard::Uncovered => format!("{name}：不在本站收录范围"),
    }
}

/// What speaks for a tag.
#[must_use]
pub fn tagged(words: &Words, tagged: &Tagged) -> String {
    let zh = chinese(words);
    let mut why = Vec::new();
    if let Some(rule) = &tagged.rule {
        why.push(if zh { format!("标签规则：{rule}") } else { format!("tag rule: {rule}") });
    }
    if tagged.source {
        why.push(if zh { "信源的固定标签" } else { "on everything of its source" }.to_owned());
    }
    if tagged.publisher {
        why.push(if zh { "发布者给出的分类或关键词" } else { "category or keyword of the publisher" }.to_owned());
    }
    if why.is_empty() {
        // Rules change; what was printed stays.
        why.push(if zh { "当时的规则或分类" } else { "by the rules or categories of then" }.to_owned());
    }
    why.join(if zh { "；" } else { "; " })
}

/// Where in a text somebody is credited.
#[must_use]
pub fn position(words: &Words, place: &str) -> &'static str {
    let zh = chinese(words);
    match place {
        "feed" if zh => "订阅源注明",
        "list" if zh => "列表页注明",
        "page" if zh => "网页注明",
        "head" if zh => "文首",
        "foot" if zh => "文末",
        "dateline" if zh => "电头",
        "feed" => "in the feed",
        "list" => "on the list page",
        "page" => "on the page",
        "head" => "above the text",
        "foot" => "below the text",
        "dateline" => "in the dateline",
        _ => "",
    }
}

/// Phrases of how a date was read.
const PHRASES: &[(&str, &str)] = &[
    ("RFC 822", "标准邮件日期"),
    ("ISO 8601", "标准日期"),
    ("numeric date", "数字日期"),
    ("date in words", "文字日期"),
    ("digits", "连写的数字日期"),
    ("time of day", "只有时刻"),
    ("the latest such time of day", "取最近的这个时刻"),
    ("weekday: the latest such day", "星期几，取最近的一天"),
    ("Unix time in seconds", "时间戳（秒）"),
    ("Unix time in milliseconds", "时间戳（毫秒）"),
    ("Unix time in microseconds", "时间戳（微秒）"),
    ("Buddhist year", "佛历年份"),
    ("day and month could be swapped", "日和月可能颠倒"),
    ("clocks were put back then: the first of the two", "当时拨慢了时钟，取较早的一个"),
    ("clocks were put forward then", "当时拨快了时钟"),
    ("there was no such time: an hour later", "没有这个时刻，顺延一小时"),
    ("a little ahead of our clock", "比本机时钟略快"),
    ("counted back from the day of the poll", "从抓取当天倒推"),
    ("day only", "只有日期"),
    ("no year: the latest such day", "没有年份，取最近的一天"),
    ("from the address", "取自网址"),
    ("counted back from the poll", "从抓取时间倒推"),
    ("date of the last change", "最后修改时间"),
    ("its zone not believed", "时区不可信"),
    ("read by feed-rs", "按订阅源标准读取"),
];

/// How a date was read, phrase by phrase; what has no words in the page's language stands as it is.
#[must_use]
pub fn method(words: &Words, method: &str) -> String {
    if !chinese(words) {
        return method.to_owned();
    }
    let phrase = |part: &str| {
        let known = PHRASES.iter().find(|(english, _)| *english == part).map(|(_, chinese)| (*chinese).to_owned());
        let zone = || Some(format!("没有时区，按 {}", part.strip_prefix("no zone: ")?.strip_suffix(" assumed")?));
        let shared = || {
            let count = part.strip_prefix("shared by ")?.strip_suffix(" items: an import time")?;
            Some(format!("与 {count} 条相同，像是导入时间"))
        };
        known.or_else(zone).or_else(shared).unwrap_or_else(|| part.to_owned())
    };
    method.split(", ").map(phrase).collect::<Vec<_>>().join("，")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::words;

    #[test]
    fn chinese_pages_say_it_in_chinese() {
        let (zh, en) = (words::of("zh-CN"), words::of("en"));
        let name = |id: &SourceId| format!("{id} 日报");
        let with = SourceId::new("xc").unwrap();
        let both = |why: &Likeness| (likeness(zh, why, &name), likeness(en, why, &name));
        assert_eq!(
            both(&Likeness::Address { with: with.clone() }),
            ("网址与“xc 日报”的一篇相同，标题相近".to_owned(), "same address as the copy of xc 日报".to_owned())
        );
        let compared = Likeness::Compared { headline: Headlines::Cut, contained: Some(934), day: true };
        assert_eq!(both(&compared).0, "标题是另一标题的截断，同一天发布，较短正文有 93% 见于较长正文");
        assert_eq!(veto(zh, &Veto::Days(12), &name), "相隔 12 天");
        assert_eq!(veto(en, &Veto::Alone(with), &name), "xc 日报 has join = false");
        let named = Sign::Named {
            zone: Zone::Title,
            name: "禹州".to_owned(),
            unit: Some("禹州市".to_owned()),
            weight: 1_080,
            notes: vec![Note::Inside, Note::Again],
        };
        assert_eq!(sign(zh, &named), "标题：禹州（禹州市） +1.08，紧接上一级地名，重复出现");
        assert_eq!(sign(en, &named), "headline: 禹州 (禹州市) +1.08, inside the name before, again");
        let cut = Dropped { name: "长春".to_owned(), why: Discard::Cut };
        assert_eq!(dropped(zh, &cut), "长春：只是其他词语的一部分");
        let date = "ISO 8601, no zone: Asia/Shanghai assumed, shared by 9 items: an import time, 另注";
        assert_eq!(method(zh, date), "标准日期，没有时区，按 Asia/Shanghai，与 9 条相同，像是导入时间，另注");
        assert_eq!(method(en, date), date);
    }
}
