//! A corpus made from a seed: feeds of invented Chinese news, the same bytes on every run and machine.
#![allow(dead_code, reason = "each benchmark uses its part")]

use std::fmt::Write as _;

use citydesk::model::id::SourceId;
use citydesk::model::source::{Kind, Rank, Republish, Source, SourceRules};
use citydesk::model::time::Time;

pub mod varied;

/// Whether this is `cargo bench`. Otherwise (`cargo test --benches`) everything runs once, and on little.
#[must_use]
pub fn measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Feeds of the whole corpus.
pub const FEEDS: usize = 500;
/// Items of a feed.
pub const ITEMS: usize = 30;
/// Bytes of an item's text, about.
const TEXT: usize = 2_000;
/// When the corpus is polled: 2026-11-20 08:00 UTC.
pub const POLLED: Time = Time(1_795_161_600_000);

/// One source and the document it serves.
pub struct Feed {
    /// The source.
    pub source: Source,
    /// Where the document lies.
    pub url: String,
    /// The document.
    pub xml: Vec<u8>,
}

/// A generator of numbers: xorshift64* (Vigna 2016), the same everywhere.
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

const PLACES: &[&str] = &[
    "许昌市",
    "郑州市",
    "芜湖市",
    "焦作市",
    "洛阳市",
    "开封市",
    "新乡市",
    "安阳市",
    "南阳市",
    "信阳市",
    "周口市",
    "商丘市",
];
const WHO: &[&str] = &[
    "市教育局",
    "市交通运输局",
    "市水利局",
    "市文化馆",
    "市气象台",
    "市人民医院",
    "高新区管委会",
    "市图书馆",
    "市供水公司",
    "市园林中心",
];
const DOES: &[&str] =
    &["公布", "启动", "完成", "调整", "延长", "验收", "征集", "开放", "改造", "扩建", "检查", "通报", "试行", "推进"];
const WHAT: &[&str] = &[
    "十二所学校的新建工程",
    "夜间公交线路",
    "老旧小区供暖管网",
    "秋季灌溉计划",
    "社区食堂名单",
    "免费停车时段",
    "河道清淤项目",
    "青少年科普活动",
    "门诊预约办法",
    "非遗展览",
    "人才公寓申请条件",
    "乡村道路养护安排",
];
const THEN: &[&str] = &[
    "居民可以到街道服务点提出意见",
    "有关负责人介绍了下一步安排",
    "预计明年春季投入使用",
    "施工期间过往车辆须绕行",
    "首批名额在三天内约满",
    "沿线商户表示支持",
    "具体时间以现场公告为准",
    "工作人员逐户上门登记",
];
const TAGS: &[&str] = &["教育", "交通", "民生", "文化", "卫生", "天气", "城建", "农业"];

/// One invented story: title, text, tag. The same number gives the same story.
#[must_use]
pub fn story(number: u64) -> (String, String, &'static str) {
    let mut dice = Dice::new(number + 77);
    let title =
        format!("{}{}{}{}（第{}期）", dice.pick(PLACES), dice.pick(WHO), dice.pick(DOES), dice.pick(WHAT), number + 1);
    let mut text = format!("本报讯 {title}。");
    while text.len() < TEXT {
        let _ = write!(
            text,
            "{}{}{}{}，共投入{}万元，{}。",
            dice.pick(PLACES),
            dice.pick(WHO),
            dice.pick(DOES),
            dice.pick(WHAT),
            dice.roll(9_000) + 100,
            dice.pick(THEN)
        );
    }
    let tag = dice.pick(TAGS);
    (title, text, tag)
}

/// A source of the corpus.
#[must_use]
pub fn source(number: usize) -> Source {
    let id = SourceId::new(&format!("bench-{number}")).unwrap();
    let url = format!("http://127.0.0.1/{number}.xml");
    Source::new(
        SourceRules {
            id,
            name: format!("来源{number}"),
            feed: Some(url.clone()),
            rank: [Rank::Origin, Rank::Media, Rank::Reprint][number % 3],
            republish: Republish::Summary,
            join: true,
            keep: 180 * Time::DAY,
            zone: "Asia/Shanghai".into(),
            ..SourceRules::default()
        },
        Kind::Feed(url),
    )
}

/// The document of a source: `items` stories, one in five of them a copy of one that the source before has too.
#[must_use]
pub fn document(number: usize, items: usize) -> Vec<u8> {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\"><channel><title>来源{number}</title>\
         <link>http://127.0.0.1/{number}/</link><description>示例</description>\n"
    );
    for item in 0..items {
        let from = if item % 5 == 0 { number.saturating_sub(1) } else { number };
        let (title, text, tag) = story((from * 1_000 + item) as u64);
        let (head, tail) = text.split_at(text.char_indices().nth(200).map_or(0, |(at, _)| at));
        let date = POLLED.plus(-((item * 17 + from % 7) as i64) * Time::MINUTE).utc().to_rfc2822();
        let _ = writeln!(
            xml,
            "<item><title>{title}</title><link>http://127.0.0.1/{number}/{item}.html</link>\
             <guid isPermaLink=\"false\">{number}-{item}</guid><pubDate>{date}</pubDate><category>{tag}</category>\
             <description><![CDATA[<p>{head}</p><p>{tail}</p>]]></description></item>"
        );
    }
    xml.push_str("</channel></rss>\n");
    xml.into_bytes()
}

/// The corpus: all of it when measuring, three feeds of five items when testing.
#[must_use]
pub fn corpus() -> Vec<Feed> {
    let (feeds, items) = if measuring() { (FEEDS, ITEMS) } else { (3, 5) };
    (0..feeds)
        .map(|number| {
            let source = source(number);
            Feed { url: source.kind.address().to_owned(), source, xml: document(number, items) }
        })
        .collect()
}
