//! A small world of news on a loopback origin, and a witness who remembers every answer the daemon ever gave.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use citydesk::clock;
use citydesk::model::id::hash64;
use citydesk::model::time::Time;

use crate::origin::{Origin, Reply};

/// How many sources there are.
pub const SOURCES: usize = 6;

/// How many different stories there are: more than that many half minutes lie between the first and now.
const STORIES: u64 = 900;

/// The feeds that are looked at.
pub fn paths() -> Vec<String> {
    let fixed = ["/feeds/all.rss", "/feeds/city/xuchang.rss", "/feeds/province/henan.rss"];
    let own = (0..SOURCES).map(|source| format!("/feeds/source/s{source}.rss"));
    fixed.into_iter().map(str::to_owned).chain(own).collect()
}

/// Numbers by chance, the same for the same seed (xorshift64*, Vigna 2016).
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// What happened, and who reports it.
#[derive(Debug)]
pub struct World {
    origin: Origin,
    dice: Dice,
    begun: Time,
    /// Stories each source lists, newest first, with a number of readers that changes from poll to poll.
    lists: Vec<Vec<(u64, u64)>>,
    told: u64,
}

impl World {
    /// A world in which every source begins with so many stories.
    pub fn new(seed: u64, each: usize) -> Self {
        Self::begin(seed, (0..each * SOURCES).map(|n| n % SOURCES))
    }

    /// A world in which one source begins with so many stories, and the others with one.
    pub fn crowded(seed: u64, many: usize) -> Self {
        Self::begin(seed, (1..SOURCES).chain((0..many).map(|_| 0)))
    }

    fn begin(seed: u64, reports: impl Iterator<Item = usize>) -> Self {
        let begun = (clock::system())().plus(-8 * Time::HOUR);
        let mut world =
            Self { origin: Origin::start(), dice: Dice::new(seed), begun, lists: vec![Vec::new(); SOURCES], told: 0 };
        for source in reports {
            world.report(source);
        }
        world.publish();
        world
    }

    /// The `[defaults]`, `[publish]` and `[[source]]` of its sources.
    pub fn feeds(&self) -> String {
        let mut toml = String::from("[defaults]\nevery = \"1s\"\n[publish]\nitems = 500\n");
        for source in 0..SOURCES {
            let _ = write!(toml, "[[source]]\nid = \"s{source}\"\nfeed = \"{}\"\n", self.origin.url(&path(source)));
        }
        toml
    }

    /// Some time passes: perhaps a story happens, or is copied by another source, or is read.
    pub fn tick(&mut self) {
        let source = self.dice.roll(SOURCES as u64) as usize;
        match self.dice.roll(10) {
            0 | 1 => self.report(source),
            // A copy of another source's newest story.
            2 => {
                let other = (source + 1 + self.dice.roll(SOURCES as u64 - 1) as usize) % SOURCES;
                if let Some((story, _)) = self.lists[other].first().copied()
                    && self.lists[source].iter().all(|(it, _)| *it != story)
                {
                    self.lists[source].insert(0, (story, 1));
                }
            }
            // Somebody reads an old one: its bytes change, its content does not.
            3..=5 => {
                let at = self.dice.roll(self.lists[source].len() as u64) as usize;
                self.lists[source][at].1 += 1;
            }
            _ => return,
        }
        self.publish();
    }

    fn report(&mut self, source: usize) {
        assert!(self.told < STORIES, "this world has no more stories to tell");
        self.lists[source].insert(0, (self.told, 1));
        self.told += 1;
    }

    /// Titles of everything that happened.
    pub fn titles(&self) -> BTreeSet<String> {
        (0..self.told).map(title).collect()
    }

    fn publish(&self) {
        for (source, list) in self.lists.iter().enumerate() {
            let mut xml = format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\"><channel><title>来源{source}</title>\
                 <link>{}</link><description>一个来源</description>\n",
                self.origin.url("/")
            );
            for (story, readers) in list {
                let date = self.begun.plus(*story as i64 * Time::MINUTE / 2).utc().to_rfc2822();
                let link = self.origin.url(&format!("/s{source}/{story}.html"));
                let _ = writeln!(
                    xml,
                    "<item><title>{0}</title><link>{link}</link><guid isPermaLink=\"false\">s{source}-{story}</guid>\
                     <pubDate>{date}</pubDate><description>{0}。{1}阅读{readers}次。</description></item>",
                    title(*story),
                    body(*story)
                );
            }
            xml.push_str("</channel></rss>\n");
            let tag = format!("\"{:016x}\"", hash64(&[xml.as_bytes()]));
            self.origin.serve(&path(source), Reply::ok(xml).etag(&tag).header("Content-Type", "application/rss+xml"));
        }
    }
}

fn path(source: usize) -> String {
    format!("/s{source}.xml")
}

const WHERE: [&str; 10] = [
    "梧桐路小学",
    "春晖里社区",
    "城北供水厂",
    "青年公园南门",
    "东湖码头",
    "老机床厂宿舍",
    "西关菜市场",
    "人民医院分院",
    "高铁站前广场",
    "柳树巷图书馆",
];
const WHO: [&str; 10] = [
    "退休教师",
    "志愿消防员",
    "公交司机",
    "民间剪纸艺人",
    "社区医生",
    "园林工人",
    "外卖骑手",
    "测绘队员",
    "返乡大学生",
    "修表匠",
];
const WHAT: [&str; 10] = [
    "拾到钱包归还失主",
    "办起周末合唱团",
    "绘制步行地图",
    "修好停摆的大钟",
    "捐出全部藏书",
    "种下一片银杏",
    "开办免费夜校",
    "救起落水儿童",
    "发现古代石碑",
    "组织旧物交换",
];

/// Story `number`'s headline: no two are alike, nor do they begin alike for long.
fn title(number: u64) -> String {
    let (a, b, c) = ((number % 10) as usize, (number / 10 % 10) as usize, (number / 100 % 10) as usize);
    format!("{}{}{}", WHERE[a], WHO[(a + b) % 10], WHAT[(a + b + c) % 10])
}

/// Story `number`'s text: of words that no other one has, so that none contains another.
fn body(number: u64) -> String {
    let mut dice = Dice::new(number + 1);
    let mut text = String::from("许昌市的居民说：");
    for _ in 0..24 {
        let word: String = (0..7).map(|_| char::from(b'a' + dice.roll(26) as u8)).collect();
        let _ = write!(text, "{word} ");
    }
    text + "大家都很高兴。"
}

/// An entry as a subscriber saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    guid: String,
    title: String,
    link: String,
    date: String,
    summary: String,
}

/// Remembers what subscribers saw, and objects when an answer contradicts it.
#[derive(Debug, Default)]
pub struct Witness {
    /// Guids of each feed as last seen, newest first.
    feeds: BTreeMap<String, Vec<String>>,
    /// What each guid was, in whichever feed.
    stories: BTreeMap<String, Entry>,
}

impl Witness {
    /// Reads an answer of the feed at `path`.
    pub fn read(&mut self, path: &str, body: &[u8]) {
        let channel = rss::Channel::read_from(body).unwrap_or_else(|error| panic!("{path} is no feed: {error}"));
        let entries: Vec<Entry> = channel
            .items()
            .iter()
            .map(|item| Entry {
                guid: item.guid().map(|it| it.value().to_owned()).unwrap(),
                title: item.title().unwrap().to_owned(),
                link: item.link().unwrap().to_owned(),
                date: item.pub_date().unwrap().to_owned(),
                summary: item.description().unwrap_or_default().to_owned(),
            })
            .collect();
        let once = |what: &str, of: fn(&Entry) -> &str| {
            let mut seen = BTreeSet::new();
            for entry in &entries {
                assert!(seen.insert(of(entry)), "{path}: the {what} {:?} stands there twice", of(entry));
            }
        };
        once("guid", |entry| &entry.guid);
        once("story", |entry| &entry.title);
        for entry in &entries {
            let was = self.stories.entry(entry.guid.clone()).or_insert_with(|| entry.clone());
            assert_eq!(was, entry, "{path}: an entry is not what it was");
        }
        let now: Vec<String> = entries.into_iter().map(|entry| entry.guid).collect();
        let before = self.feeds.entry(path.to_owned()).or_default();
        let known: BTreeSet<&String> = before.iter().collect();
        let kept: Vec<&String> = now.iter().filter(|guid| known.contains(guid)).collect();
        assert_eq!(kept, before.iter().collect::<Vec<_>>(), "{path}: old entries vanished or changed their order");
        *before = now;
    }

    /// Titles of everything ever seen.
    pub fn titles(&self) -> BTreeSet<String> {
        self.stories.values().map(|entry| entry.title.clone()).collect()
    }
}
