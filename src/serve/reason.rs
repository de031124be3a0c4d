//! Evidence put into the words of a page: in Chinese here, in English as the facts say it themselves.

use super::account::Tagged;
use super::words::Words;
use crate::model::book::Entry;
use crate::model::evidence::{Discard, Dropped, Headlines, Likeness, Note, Sign, Veto, Zone, thousandths};
use crate::model::id::SourceId;
use crate::model::time::Time;
use crate::model::why::{Lost, Quiet, Why};

fn chinese(words: &Words) -> bool {
    words.lang.starts_with("zh")
}

/// Why a source is in trouble. `time` writes a moment.
#[must_use]
pub fn trouble(words: &Words, book: &Entry, time: &dyn Fn(Time) -> String) -> String {
    let Some(why) = book.why.as_ref().filter(|_| chinese(words)) else { return book.reason.clone() };
    let quiet = |quiet: Quiet, listed: u32| match quiet {
        Quiet::Confirmed => format!("不带条件重新抓取，{listed} 条内容仍然相同，应是发布方没有更新"),
        Quiet::Claimed => format!("服务器称 {listed} 条内容“未修改”（304）"),
        Quiet::Page => format!("页面上仍是原有的 {listed} 条，可能是发布方没有更新，也可能新闻已改到页面别处"),
        Quiet::Publisher => format!("照常返回原有的 {listed} 条，应是发布方没有更新"),
    };
    match why {
        Why::Login => "返回的是登录页面：现在需要登录".to_owned(),
        Why::Few { listed, expected } => format!("只有 {listed} 条，预期至少 {expected} 条：页面结构是否变了？"),
        Why::Empty { lost, usual } => match lost {
            Lost::List => {
                format!("页面可以打开，但 list 什么也找不到（平时 {usual} 条）：页面结构变了，选择器不再适用")
            }
            Lost::Links => format!("页面可以打开，但没有一个网址符合 links（平时 {usual} 条）：网址规则变了"),
            Lost::Guessed => format!("页面可以打开，但找不到列表（平时 {usual} 条）：页面结构变了"),
            Lost::Json => format!("有返回，但 json 什么也找不到（平时 {usual} 条）：数据格式变了"),
            Lost::Publisher => format!("有返回，但一条也没有（平时 {usual} 条）：发布方的列表是空的"),
            Lost::Files => format!("文件里一条也没有（平时 {usual} 条）"),
        },
        Why::Garbled { listed, charset } => {
            let charset = if charset.is_empty() { String::new() } else { format!("，按 {charset} 解码") };
            format!("{listed} 条中大多数标题是乱码{charset}：若网站不修正，请设置 encoding")
        }
        Why::Future { listed } => format!("{listed} 条的日期全在未来：对方时钟或日期格式有误"),
        Why::Old { newest, dated, expected, quiet: whose, listed } => {
            let what = if *dated { "最新一条的时间是" } else { "最后一次出现新内容是" };
            let expected = (words.source.span)(expected / Time::SECOND);
            format!("{what} {}，超过预期的 {expected}：{}", time(*newest), quiet(*whose, *listed))
        }
        Why::Late { last, missing, quiet: whose, listed } => {
            format!("自 {} 起没有新内容，按其规律此时应有约 {missing} 条：{}", time(*last), quiet(*whose, *listed))
        }
        Why::Failed { status, kind } => failed(*status, kind).map_or_else(
            || format!("抓取失败：{}", book.reason),
            |said| {
                if *status > 0 {
                    format!("服务器返回 {status}：{said}")
                } else {
                    format!("{said}。{}", book.reason)
                }
            },
        ),
    }
}

/// What a status or a failure means; none for what is rare.
fn failed(status: u16, kind: &str) -> Option<&'static str> {
    Some(match (status, kind) {
        (401 | 407, _) => "需要登录；请写入 headers 或网址",
        (403, _) => "拒绝我们访问；请联系网站，或看看是否抓取过于频繁",
        (404, _) => "该网址没有内容；订阅源是否搬了家？",
        (410, _) => "订阅源已永久取消，不再抓取",
        (429, _) => "要求我们稍后再来",
        (503, _) => "服务器过载或暂时关闭",
        (400..=499, _) => "不接受这个请求",
        (500..=599, _) => "服务器自身出错",
        (0, "dns") => "域名无法解析",
        (0, "connect") => "无法连接",
        (0, "tls") => "无法建立安全连接（证书或加密）",
        (0, "timeout" | "slow") => "等待超时",
        (0, "refused") => "地址不是公网地址，已拒绝",
        (0, "robots") => "robots.txt 不允许抓取",
        (0, "redirects" | "loop" | "nowhere") => "重定向有误",
        (0, "large" | "bomb") => "内容过大",
        (0, "cut") => "传输中断",
        (0, "document") => "内容无法读取",
        (0, "files") => "文件无法读取",
        _ => return None,
    })
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

    #[test]
    fn the_trouble_of_a_source_in_two_languages() {
        let late = Why::Late { last: Time(0), missing: 12, quiet: Quiet::Confirmed, listed: 20 };
        let old = Why::Old { newest: Time(0), dated: true, expected: 3 * Time::DAY, quiet: Quiet::Page, listed: 9 };
        let lost = Why::Empty { lost: Lost::List, usual: 20 };
        let failed = |status, kind: &str| Why::Failed { status, kind: kind.to_owned() };
        for (why, english, chinese) in [
            (late, "about 12 items were to be expected", "按其规律此时应有约 12 条：不带条件重新抓取"),
            (old, "older than the 3d expected", "超过预期的 72 小时：页面上仍是原有的 9 条"),
            (lost, "`list` finds nothing", "list 什么也找不到（平时 20 条）"),
            (failed(404, "status"), "answers 404", "服务器返回 404：该网址没有内容"),
            (failed(0, "tls"), "no readable answer (tls)", "无法建立安全连接（证书或加密）。no readable answer (tls)"),
            (failed(0, "strange"), "(strange)", "抓取失败：no readable answer (strange)"),
        ] {
            let book = Entry { reason: why.to_string(), why: Some(why), ..Entry::default() };
            let time = |_: Time| "那天".to_owned();
            let said = |language: &str| trouble(words::of(language), &book, &time);
            assert!(said("en").contains(english), "{}", said("en"));
            assert!(said("zh-CN").contains(chinese), "{}", said("zh-CN"));
        }
    }
}
