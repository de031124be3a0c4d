//! What a subscriber's reader calls unread: a tape of answers goes through the real poller, editor and press, and the
//! identity rules of a dozen readers look at what is published after each step.
//!
//! An unread item is **spurious** unless it is a story, or a real edit of one, that some source told for the first time in
//! this step and that this reader has not had in this feed. Of ours there must be none. The same answers passed through
//! as they are, which is what most aggregators do, show that the tape can tell.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use citydesk::app::Desk;
use citydesk::app::folder::Folder;
use citydesk::clock::Clock;
use citydesk::config;
use citydesk::model::edition::EditionId;
use citydesk::model::place::Code;
use citydesk::model::time::Time;
use citydesk::poll::Outcome;
use citydesk::press::Press;
use citydesk::render::rss::Rss;

use crate::origin::{Origin, Reply};

/// 2026-11-02T00:00:00Z.
const BEGIN: i64 = 1_793_577_600_000;

/// An item as a reader gets it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Got {
    guid: Option<String>,
    link: String,
    title: String,
    date: String,
    author: String,
    content: String,
    tags: String,
}

/// How a reader tells items apart, and what makes a known one unread again.
struct Reader {
    name: &'static str,
    /// What an item is known by, in the feed of this address.
    key: fn(&str, &Got) -> Vec<String>,
    /// What must stay as it is.
    content: fn(&Got) -> String,
    /// Whether one list of items serves all feeds of a user.
    shared: bool,
    /// Days after which an item that left the feed is forgotten.
    forgets: Option<i64>,
}

fn id(item: &Got) -> String {
    item.guid.clone().unwrap_or_else(|| item.link.clone())
}

fn bare(link: &str) -> String {
    let rest = link.split("://").nth(1).unwrap_or(link);
    rest.split_once('/').map_or(rest, |(_, path)| path).to_owned()
}

/// The table: key, what counts as a change, from the sources and documents of each.
const READERS: &[Reader] = &[
    // A guid that stands twice in a document would get the link mixed in; ours never does, and the naive one is not
    // charged for it.
    Reader { name: "Miniflux", key: |_, i| vec![id(i)], content: |_| String::new(), shared: false, forgets: None },
    // Set to mark changed articles as unread.
    Reader {
        name: "FreshRSS",
        key: |_, i| vec![id(i)],
        content: |i| [&*i.link, &i.title, &i.author, &i.content, &i.tags].join("\n"),
        shared: false,
        forgets: None,
    },
    Reader { name: "CommaFeed", key: |_, i| vec![id(i)], content: |_| String::new(), shared: false, forgets: None },
    Reader {
        name: "tt-rss",
        key: |_, i| vec![id(i)],
        content: |i| [&*i.link, &i.title, &i.author, &i.content, &i.tags, &i.date].join("\n"),
        shared: true,
        forgets: None,
    },
    // Two keys, the second without scheme and host: known by either.
    Reader {
        name: "Feedbin",
        key: |feed, i| vec![format!("{feed} {}", id(i)), format!("{feed} {}", bare(&id(i)))],
        content: |_| String::new(),
        shared: false,
        forgets: None,
    },
    Reader { name: "NetNewsWire", key: |_, i| vec![id(i)], content: |_| String::new(), shared: false, forgets: None },
    Reader { name: "newsboat", key: |_, i| vec![id(i)], content: |_| String::new(), shared: false, forgets: None },
    Reader {
        name: "yarr",
        key: |feed, i| vec![format!("{feed} {}", id(i))],
        content: |_| String::new(),
        shared: false,
        forgets: None,
    },
    // Unless it is told not to.
    Reader {
        name: "RSS Guard",
        key: |_, i| vec![id(i)],
        content: |i| [&*i.date, &i.title, &i.content].join("\n"),
        shared: false,
        forgets: None,
    },
    // Told to skip equal titles and links.
    Reader {
        name: "Feeder",
        key: |_, i| vec![id(i), i.title.clone(), i.link.clone()],
        content: |_| String::new(),
        shared: false,
        forgets: None,
    },
    Reader { name: "Feedly", key: |_, i| vec![id(i)], content: |_| String::new(), shared: false, forgets: None },
    Reader {
        name: "Thunderbird",
        key: |_, i| vec![id(i)],
        content: |_| String::new(),
        shared: false,
        forgets: Some(1),
    },
];

/// What one reader remembers of the feeds it is subscribed to.
#[derive(Default)]
struct Memory {
    /// By feed (one for all where the list is shared): key, content, day it was seen last.
    known: BTreeMap<(String, String), (String, i64)>,
    /// Story and revision that it had in a feed.
    had: BTreeSet<(String, Telling)>,
    spurious: Vec<String>,
    fine: usize,
}

/// A story, and how often its publisher really edited it.
type Telling = (u32, u32);

/// What an item is about: `第37号` and perhaps `修订1`.
fn telling(item: &Got) -> Telling {
    let number = |mark: &str| -> Option<u32> {
        let rest = item.title.split(mark).nth(1)?;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    };
    (number("第").unwrap_or_default(), number("修订").unwrap_or_default())
}

impl Memory {
    /// Looks at a feed on a day. `news` is what was told for the first time in this step; `None` while subscribing.
    fn look(
        &mut self,
        reader: &Reader,
        feed: &str,
        items: &[Got],
        day: i64,
        news: Option<&BTreeSet<Telling>>,
        step: &str,
    ) {
        let place = if reader.shared { "" } else { feed };
        for item in items {
            let keys = (reader.key)(feed, item);
            let content = (reader.content)(item);
            let known = keys.iter().find_map(|key| self.known.get(&(place.to_owned(), key.clone())));
            let unread = known.is_none_or(|(before, _)| *before != content);
            for key in keys {
                self.known.insert((place.to_owned(), key), (content.clone(), day));
            }
            let told = telling(item);
            let new = self.had.insert((place.to_owned(), told));
            match news {
                Some(news) if unread && new && news.contains(&told) => self.fine += 1,
                Some(_) if unread => self.spurious.push(format!("{step}: {} in {feed}", item.title)),
                _ => {}
            }
        }
        if let Some(days) = reader.forgets {
            self.known.retain(|(of, _), (_, seen)| of != place || day - *seen <= days);
        }
    }
}

/// An item of a source, as the tape tells it.
#[derive(Debug, Clone)]
struct Told {
    number: u32,
    edits: u32,
    at: i64,
}

/// A source of the tape and its habits, which change.
#[derive(Debug, Clone)]
struct Voice {
    id: &'static str,
    told: Vec<Told>,
    guids: &'static str,
    site: &'static str,
    clicks: u32,
    backwards: bool,
}

const PLACES: [&str; 3] = ["许昌", "焦作", "南阳"];
const WHAT: [&str; 6] = [
    "中考体育测试安排公布",
    "新增三条公交线路",
    "老旧小区改造开工",
    "护城河夜游航线开航",
    "图书馆延长开放时间",
    "秋粮收购工作启动",
];

fn title(told: &Told) -> String {
    let edit = if told.edits > 0 { format!("（修订{}）", told.edits) } else { String::new() };
    let (place, what) = (PLACES[told.number as usize % 3], WHAT[told.number as usize % 6]);
    format!("{place}{what}：第{}号公告{edit}", told.number)
}

fn text(told: &Told) -> String {
    let n = u64::from(told.number);
    let mut text = format!("第{n}号公告全文。");
    for part in 0..6 {
        // Another text for every story, the same for all who tell it.
        let word = |step: u64| {
            ["办理", "时间", "地点", "街道", "居民", "项目", "窗口", "安排"][((n * 7 + part * 3 + step) % 8) as usize]
        };
        let _ = write!(
            text,
            "{}{}{}由{}号单位负责{}，{}另行通知。",
            word(0),
            word(1),
            word(2),
            n * 13 + part,
            word(3),
            word(5)
        );
    }
    if told.edits > 0 {
        let _ = write!(text, "编者按：原稿有误，现更正办理地点为新址，此前预约仍然有效，第{}次更正。", told.edits);
    }
    text
}

impl Voice {
    fn new(id: &'static str) -> Self {
        Self { id, told: Vec::new(), guids: "", site: "http://news.example", clicks: 0, backwards: false }
    }

    fn document(&self) -> String {
        let mut items: Vec<String> = self
            .told
            .iter()
            .map(|told| {
                let link = format!("{}/{}/{}.html", self.site, self.id, told.number);
                let guid = format!("{}{}-{}", self.guids, self.id, told.number);
                let date = Time(told.at).utc().to_rfc2822();
                format!(
                    "<item><title>{}</title><link>{link}</link><guid isPermaLink=\"false\">{guid}</guid>\
                     <pubDate>{date}</pubDate><category>公告</category><description>{}阅读{}次</description></item>",
                    title(told),
                    text(told),
                    self.clicks
                )
            })
            .collect();
        if self.backwards {
            items.reverse();
        }
        format!("<rss version=\"2.0\"><channel><title>{}</title>{}</channel></rss>", self.id, items.concat())
    }
}

/// Items of an RSS document; none if it is something else.
fn read(document: &[u8]) -> Vec<Got> {
    let Ok(channel) = rss::Channel::read_from(document) else { return Vec::new() };
    let item = |item: rss::Item| Got {
        guid: item.guid().map(|guid| guid.value().to_owned()),
        link: item.link().unwrap_or_default().to_owned(),
        title: item.title().unwrap_or_default().to_owned(),
        date: item.pub_date().unwrap_or_default().to_owned(),
        author: item.dublin_core_ext().map(|dc| dc.creators().join(",")).unwrap_or_default(),
        content: item.content().or(item.description()).unwrap_or_default().to_owned(),
        tags: item.categories().iter().map(rss::Category::name).collect::<Vec<_>>().join(","),
    };
    channel.into_items().into_iter().map(item).collect()
}

/// Everything: origin, desk, readers.
struct Bench {
    origin: Origin,
    folder: tempfile::TempDir,
    desk: Option<Desk>,
    now: Arc<AtomicI64>,
    voices: Vec<Voice>,
    /// Answers other than the document.
    failing: BTreeMap<&'static str, Reply>,
    rules: String,
    site: &'static str,
    listed: BTreeSet<&'static str>,
    next: u32,
    /// What was told before this step.
    known: BTreeSet<Telling>,
    /// What a new source brings that happened before it came.
    old: BTreeSet<Telling>,
    ours: Vec<Memory>,
    naive: Vec<Memory>,
}

impl Bench {
    fn new() -> Self {
        let memories = || READERS.iter().map(|_| Memory::default()).collect();
        Self {
            origin: Origin::start(),
            folder: tempfile::tempdir().unwrap(),
            desk: None,
            now: Arc::new(AtomicI64::new(BEGIN)),
            voices: ["gov", "paper", "portal"].into_iter().map(Voice::new).collect(),
            failing: BTreeMap::new(),
            rules: "[[tag]]\nid = \"考试\"\nwhen = '中考'\n[[feed]]\nid = \"traffic\"\nwhen = '公交'\n".into(),
            site: "http://127.0.0.1:8080",
            listed: ["gov", "paper", "portal"].into(),
            next: 1,
            known: BTreeSet::new(),
            old: BTreeSet::new(),
            ours: memories(),
            naive: memories(),
        }
    }

    fn voice(&mut self, id: &str) -> &mut Voice {
        self.voices.iter_mut().find(|voice| voice.id == id).unwrap()
    }

    /// A story happens; these tell it.
    fn news(&mut self, who: &[&str]) {
        let (number, at) = (self.next, self.now.load(Ordering::SeqCst) - 10 * Time::MINUTE);
        self.next += 1;
        for id in who {
            self.voice(id).told.insert(0, Told { number, edits: 0, at });
        }
    }

    fn settings(&self) -> citydesk::model::setting::Settings {
        let mut text = format!("[site]\npublic_url = \"{}\"\n[fetch]\nallow_private = [\"127.0.0.0/8\"]\n", self.site);
        text += &self.rules;
        for id in &self.listed {
            let _ = write!(text, "[[source]]\nid = \"{id}\"\nfeed = \"{}\"\n", self.origin.url(&format!("/{id}.xml")));
        }
        config::load_text(&self.folder.path().join("feeds.toml"), text).unwrap().settings
    }

    fn start(&mut self) {
        let data = self.folder.path().join("data");
        let ticking = Arc::clone(&self.now);
        let clock: Clock = Arc::new(move || Time(ticking.load(Ordering::SeqCst)));
        let folder = Folder::open(&data, true, |_| ()).unwrap();
        self.desk = Some(Desk::start(folder, self.settings(), clock, Box::new(|_| ())).unwrap());
    }

    /// So many hours pass, everyone is asked, and every reader looks.
    fn step(&mut self, runtime: &tokio::runtime::Runtime, what: &str, hours: i64) {
        self.now.fetch_add(hours * Time::HOUR, Ordering::SeqCst);
        let settings = self.settings();
        let desk = self.desk.as_ref().unwrap();
        desk.record(&settings).unwrap();
        let mut passed = Vec::new();
        let mut told = BTreeSet::new();
        for voice in &self.voices {
            let document = voice.document();
            let failing = self.failing.get(voice.id);
            self.origin
                .serve(&format!("/{}.xml", voice.id), failing.cloned().unwrap_or_else(|| Reply::ok(document.as_str())));
            if failing.is_none() && self.listed.contains(voice.id) {
                told.extend(read(document.as_bytes()).iter().map(telling));
                passed.extend(read(document.as_bytes()));
            }
        }
        for source in &settings.sources {
            let round = runtime.block_on(desk.poller.round(source));
            assert!(!matches!(round.outcome, Outcome::Failed("panic")), "{what}: {round:?}");
        }
        desk.settle().unwrap();
        let news: BTreeSet<Telling> =
            told.iter().filter(|t| !self.known.contains(t) && !self.old.contains(t)).copied().collect();
        self.known.extend(told);
        let subscribing = what == "subscribe";
        let news = (!subscribing).then_some(&news);
        let press = Press::new(Arc::clone(&desk.store), Arc::new(desk.journal.clone()));
        let day = self.now.load(Ordering::SeqCst) / Time::DAY;
        let feeds = [
            EditionId::All,
            EditionId::City(Code(411_000)),
            EditionId::Province(Code(410_000)),
            EditionId::Tag("考试".into()),
            EditionId::Tag("公告".into()),
            EditionId::Saved("traffic".into()),
        ];
        for edition in feeds {
            let document = press.print(&edition, &Rss).unwrap();
            let items = read(&document.bytes);
            for (reader, memory) in READERS.iter().zip(&mut self.ours) {
                memory.look(reader, &edition.key(), &items, day, news, what);
            }
        }
        // Nothing is lost either: what was told is there for everyone.
        for (reader, memory) in READERS.iter().zip(&self.ours) {
            let all = if reader.shared { String::new() } else { EditionId::All.key() };
            let missing: Vec<_> = news
                .iter()
                .copied()
                .flatten()
                .filter(|telling| !memory.had.contains(&(all.clone(), **telling)))
                .collect();
            assert!(missing.is_empty(), "{what}: {} lacks {missing:?}", reader.name);
        }
        for (reader, memory) in READERS.iter().zip(&mut self.naive) {
            memory.look(reader, "all", &passed, day, news, what);
        }
    }
}

#[test]
fn no_reader_sees_anything_twice() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut bench = Bench::new();
    for _ in 0..12 {
        bench.news(&["gov", "paper"]);
        bench.news(&["paper"]);
        bench.news(&["gov", "portal"]);
    }
    bench.start();
    bench.step(&runtime, "subscribe", 0);
    bench.news(&["gov"]);
    bench.step(&runtime, "news of the first day", 5);
    // Beyond the first day.
    bench.news(&["gov", "paper"]);
    bench.step(&runtime, "news", 48);
    bench.voice("gov").guids = "urn:new:";
    bench.step(&runtime, "guids are rewritten", 3);
    bench.voice("paper").site = "https://news.example";
    bench.step(&runtime, "http becomes https", 3);
    bench.voice("paper").site = "https://www.news.example";
    bench.step(&runtime, "another host", 3);
    bench.voice("portal").backwards = true;
    bench.step(&runtime, "another order", 3);
    for voice in &mut bench.voices {
        voice.clicks += 17;
    }
    bench.step(&runtime, "a counter in the text", 3);
    bench.voice("gov").told[0].edits = 1;
    bench.step(&runtime, "a real edit", 3);
    bench.failing.insert("gov", Reply::status(500, ""));
    bench.news(&["paper"]);
    bench.step(&runtime, "an error", 12);
    bench.step(&runtime, "the error lasts", 36);
    bench.failing.clear();
    bench.news(&["gov"]);
    bench.step(&runtime, "the error ends", 12);
    bench.failing.insert("paper", Reply::ok("<rss version=\"2.0\"><channel><title>x</title></channel></rss>"));
    bench.step(&runtime, "an empty answer", 30);
    bench.failing.insert("paper", Reply::ok("<!doctype html><title>Wartung</title><p>We are back soon."));
    bench.step(&runtime, "a page instead of a feed", 30);
    bench.failing.clear();
    bench.step(&runtime, "everything is back", 6);
    // Copies come late, and with them the tags and text of another.
    let old: Vec<Told> = bench.voice("gov").told.iter().take(8).cloned().collect();
    bench.voice("portal").told.splice(0..0, old);
    bench.step(&runtime, "others repeat it", 6);
    // Another source, with stories of its own from before it came and copies of what we know.
    let mut late = Voice::new("late");
    let at = bench.now.load(Ordering::SeqCst);
    for back in 1..=20 {
        late.told.push(Told { number: bench.next, edits: 0, at: at - back * 7 * Time::HOUR });
        bench.old.insert((bench.next, 0));
        bench.next += 1;
    }
    late.told.extend(bench.voice("paper").told.iter().take(5).cloned().collect::<Vec<_>>());
    bench.voices.push(late);
    bench.listed.insert("late");
    bench.step(&runtime, "a new source", 6);
    bench.news(&["late"]);
    bench.step(&runtime, "its first news", 6);
    bench.rules =
        "[[tag]]\nid = \"考试\"\nwhen = '中考 OR 图书馆'\n[[feed]]\nid = \"traffic\"\nwhen = '公交 OR 航线'\n\
                   [cities]\nalias = { \"护城河\" = \"许昌市\" }\n"
            .into();
    bench.step(&runtime, "wider rules", 3);
    bench.rules = "[[tag]]\nid = \"考试\"\nwhen = '图书馆'\n[[feed]]\nid = \"traffic\"\nwhen = '航线'\n".into();
    bench.step(&runtime, "narrower rules", 3);
    bench.rules = "[[tag]]\nid = \"考试\"\nwhen = '中考 OR 图书馆'\n[[feed]]\nid = \"traffic\"\nwhen = '公交'\n".into();
    bench.step(&runtime, "rules of before", 30);
    // Purged: its block goes, its validators too; then it is imported again.
    bench.listed.remove("gov");
    bench.step(&runtime, "a source is removed", 30);
    bench.desk.as_ref().unwrap().store.clear_book().unwrap();
    bench.listed.insert("gov");
    bench.step(&runtime, "and imported again", 30);
    bench.desk = None;
    bench.start();
    bench.step(&runtime, "a restart", 1);
    bench.desk = None;
    std::fs::remove_dir_all(bench.folder.path().join("data/store")).unwrap();
    bench.start();
    bench.step(&runtime, "a rebuild", 1);
    bench.site = "https://news.example.org/henan";
    bench.step(&runtime, "another public address", 3);
    bench.news(&["gov", "paper", "portal", "late"]);
    bench.step(&runtime, "news at the end", 3);

    let mut baseline = 0;
    for ((reader, ours), naive) in READERS.iter().zip(&bench.ours).zip(&bench.naive) {
        println!(
            "{:12} {:3} spurious of ours, {:4} passed through; {} were news",
            reader.name,
            ours.spurious.len(),
            naive.spurious.len(),
            ours.fine
        );
        assert!(!naive.spurious.is_empty(), "{}: the tape shows nothing", reader.name);
        assert!(ours.fine > 6, "{}: news arrive", reader.name);
        baseline += naive.spurious.len();
    }
    println!("passed through: {baseline} spurious unread items in all");
    let spurious: Vec<_> = READERS
        .iter()
        .zip(&bench.ours)
        .flat_map(|(reader, m)| m.spurious.iter().map(move |s| format!("{} {s}", reader.name)))
        .collect();
    assert!(spurious.is_empty(), "{}", spurious.join("\n"));
}
