//! A fleet of publishers in virtual time, asked by the real queue, pace and judgement of the daemon: only the network and the
//! reading of healthy lists are played. What a broken publisher sends is a real document, read by the real reader.
//!
//! Everything hangs on one seed.

#![allow(dead_code, reason = "the test and the benchmark use their parts")]
#![allow(clippy::unwrap_used, reason = "a simulation that cannot go on should stop")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use citydesk::model::book::{Entry, Signs, Skip, State, Validators};
use citydesk::model::id::SourceId;
use citydesk::model::source::{Expect, Kind, ListPattern, Source, SourceRules};
use citydesk::model::time::Time;
use citydesk::poll::conclude::{self, Came, Read, Seen};
use citydesk::poll::draft::{self, Sheet};
use citydesk::poll::pace::Said;
use citydesk::poll::signs::{self, Marks};
use citydesk::schedule::Queue;

const M: i64 = Time::MINUTE;
const H: i64 = Time::HOUR;
const D: i64 = Time::DAY;
/// Monday 2026-10-05, 00:00 in China.
pub const START: Time = Time(1_791_129_600_000);
/// What lists show at the start happened since then.
const BEFORE: i64 = 35 * D;
/// With whom we are compared: a reader that asks everybody so often.
const FIXED: i64 = 15 * M;
const EVERY: (i64, i64) = (2 * M, 12 * H);
/// China is so far ahead of UTC.
const EAST: i64 = 8 * H;

/// Numbers by chance, the same for the same seed (xorshift64*, Vigna 2016).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self((seed ^ 0x51_7cc1_b727_220a).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// From 0 up to 1.
    fn share(&mut self) -> f64 {
        self.next() as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.share()
    }

    fn chance(&mut self, share: f64) -> bool {
        self.share() < share
    }

    /// How many of what happens so often on average (Knuth).
    fn poisson(&mut self, mean: f64) -> u32 {
        let (bound, mut product, mut count) = ((-mean).exp(), self.share(), 0);
        while product > bound && count < 1_000 {
            product *= self.share();
            count += 1;
        }
        count
    }
}

/// What a server does with validators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vouches {
    Honestly,
    /// It sends none.
    Not,
    /// Another one with every answer.
    Anew,
    /// Since then it answers every conditional request with 304.
    Falsely(Time),
}

/// What breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    Layout,
    Login,
    LoginFeed,
    Mojibake,
    Future,
    Certificate,
    Name,
    NotFound,
    Server,
    Emptied,
    Frozen,
    Gone,
}

pub const FAULTS: [Fault; 12] = [
    Fault::Layout,
    Fault::Login,
    Fault::LoginFeed,
    Fault::Mojibake,
    Fault::Future,
    Fault::Certificate,
    Fault::Name,
    Fault::NotFound,
    Fault::Server,
    Fault::Emptied,
    Fault::Frozen,
    Fault::Gone,
];

struct Publisher {
    source: Arc<Source>,
    /// When its items appear, in order; those before the start included.
    items: Vec<Time>,
    /// Items seen so far: all before this index are known or missed.
    seen: Vec<bool>,
    window: usize,
    dated: bool,
    vouches: Vouches,
    fresh: i64,
    ttl: i64,
    skip: Skip,
    outages: Vec<(Time, Time)>,
    /// It asks to be left alone: from when on it does, for how long, with which status; filled in when it was first said.
    quiets: Vec<(Time, i64, u16, Option<Time>)>,
    moved: Option<Time>,
    fault: Option<(Fault, Time)>,
    /// Items that it would have brought, had it not frozen.
    withheld: usize,
    /// What the fault looks like when read.
    broken: Option<Came>,
    book: Entry,
    /// How many items the list had brought when it was last read: what the validator stands for.
    vouched: usize,
    gap: i64,
}

/// What came of a run.
#[derive(Debug, Default, Clone)]
pub struct Figures {
    pub sources: usize,
    pub days: i64,
    pub requests: u64,
    pub fixed_requests: u64,
    pub items: u64,
    /// Items listed longer than the longest interval, and never seen.
    pub missed: u64,
    /// Items never seen at all.
    pub scrolled: u64,
    /// Half of the items were seen after so many seconds.
    pub median: u32,
    pub ninety: u32,
    pub fixed_median: u32,
    /// Requests before the moment that a server had asked for.
    pub early: u64,
    /// Requests in skipped hours.
    pub skipped: u64,
    pub could: u64,
    pub conditional: u64,
    pub faults: usize,
    pub told: usize,
    /// Time from fault to telling, in hundredths of the mean gap between the items of its publisher: the median.
    pub told_after: i64,
    /// The same in minutes, by kind of fault.
    pub told_by: BTreeMap<Fault, Vec<i64>>,
    pub false_alarms: usize,
    pub alarms: BTreeMap<&'static str, usize>,
    pub source_weeks: i64,
    /// Most requests in one second.
    pub burst: u64,
    /// Bytes of a poll book, encoded: the median.
    pub book: usize,
    /// What went wrong, one sentence each: items missed, faults untold, false alarms.
    pub stories: Vec<String>,
}

impl Figures {
    /// In words.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let share = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
        let mut line = |what: &str, value: String| writeln!(text, "{what:58} {value}").unwrap();
        line("sources, days", format!("{}, {}", self.sources, self.days));
        line("items", self.items.to_string());
        line("items missed, listed longer than the longest interval", self.missed.to_string());
        line("items never seen, however short they were listed", self.scrolled.to_string());
        line(
            "requests, and of those of asking every 15 minutes",
            format!("{} ({:.1} %)", self.requests, share(self.requests, self.fixed_requests)),
        );
        line("delay: median, nine of ten (seconds)", format!("{}, {}", self.median, self.ninety));
        line("delay of asking every 15 minutes: median (seconds)", self.fixed_median.to_string());
        line("requests inside a Retry-After", self.early.to_string());
        line("requests in skipped hours and days", self.skipped.to_string());
        line(
            "conditional, of requests with validators at hand",
            format!("{:.2} % of {}", share(self.conditional, self.could), self.could),
        );
        line("faults told", format!("{} of {}", self.told, self.faults));
        line("told after, in mean gaps between items (median)", format!("{:.2}", self.told_after as f64 / 100.0));
        line(
            "false alarms, for each 100 source-weeks",
            format!(
                "{} ({:.2})",
                self.false_alarms,
                100.0 * self.false_alarms as f64 / self.source_weeks.max(1) as f64
            ),
        );
        line("  by state", format!("{:?}", self.alarms));
        line("most requests in one second", self.burst.to_string());
        line("poll book of a source, encoded (median bytes)", self.book.to_string());
        for (fault, minutes) in &self.told_by {
            line(&format!("  {fault:?} told after (minutes)"), format!("{minutes:?}"));
        }
        for story in &self.stories {
            writeln!(text, "  {story}").unwrap();
        }
        text
    }
}

/// Items an hour, as a share of the day's mean, by local hour: bursts at half past seven and at five.
fn hourly(minute: i64, night: f64) -> f64 {
    let minute = minute.rem_euclid(24 * 60) as f64;
    let bump = |at: f64, wide: f64| (-((minute - at) / wide).powi(2)).exp();
    let day = if (420.0..1_320.0).contains(&minute) { 1.0 } else { night };
    day + 8.0 * bump(450.0, 25.0) + 6.0 * bump(1_020.0, 30.0)
}

fn publish(dice: &mut Dice, daily: f64, weekend: f64, night: f64, days: i64) -> Vec<Time> {
    const STEP: i64 = 15;
    let mean: f64 = (0..24 * 60 / STEP).map(|n| hourly(n * STEP, night)).sum::<f64>() / (24 * 60 / STEP) as f64;
    let batches = if dice.chance(0.3) { 3.0 } else { 1.0 };
    let mut items = Vec::new();
    for step in 0..(BEFORE / M + days * 24 * 60) / STEP {
        let at = START.plus(-BEFORE + step * STEP * M);
        let minutes = step * STEP;
        let day = (minutes / (24 * 60)) % 7;
        let week = if day >= 5 { weekend } else { (7.0 - 2.0 * weekend) / 5.0 };
        let expected = daily * week * hourly(minutes, night) / mean * STEP as f64 / (24.0 * 60.0);
        for _ in 0..dice.poisson(expected / batches) {
            let moment = at.plus((dice.share() * (STEP * M) as f64) as i64);
            // Some editors put several online at once.
            let many = if batches > 1.0 { 1 + dice.next() % 5 } else { 1 };
            items.extend((0..many).map(|nth| moment.plus(nth as i64 * 1_000)));
        }
    }
    if items.first().is_none_or(|first| *first > START) {
        items.push(START.plus(-3 * D));
    }
    items.sort_unstable();
    items
}

fn publisher(seed: u64, number: usize, days: i64) -> Publisher {
    let mut dice = Dice::new(seed.wrapping_mul(1_000_003) + number as u64);
    let (daily, window) = match dice.share() {
        x if x < 0.06 => (dice.between(100.0, 300.0), dice.between(30.0, 100.0)),
        x if x < 0.32 => (dice.between(20.0, 60.0), dice.between(15.0, 60.0)),
        x if x < 0.72 => (dice.between(3.0, 12.0), dice.between(10.0, 30.0)),
        _ => (dice.between(0.3, 2.0), dice.between(10.0, 20.0)),
    };
    let office = dice.chance(0.4);
    let (weekend, night) = if office { (0.08, 0.002) } else { (dice.between(0.4, 1.0), 0.06) };
    let items = publish(&mut dice, daily, weekend, night, days);
    let gap = (D as f64 / daily) as i64;
    let page = dice.chance(0.4);
    let url = format!("https://p{number}.example/list");
    let kind = if page {
        let list = vec![ListPattern { item: ".list li a".to_owned(), ..ListPattern::default() }];
        Kind::Page { url, list, links: None }
    } else {
        Kind::Feed(url)
    };
    // Who has a slow source says so.
    let newest = (3 * D).max(gap * 24);
    let source = Arc::new(Source {
        rules: SourceRules {
            id: SourceId::new(&format!("p{number}")).unwrap(),
            zone: "Asia/Shanghai".to_owned(),
            ..SourceRules::default()
        }
        .into(),
        kind,
        every: EVERY,
        expect: Expect { items: 1, newest },
        timeout: 30_000,
        how: Arc::default(),
    });
    let some = |dice: &mut Dice| START.plus((dice.share() * (days * D) as f64) as i64);
    let vouches = match dice.share() {
        x if x < 0.70 => Vouches::Honestly,
        x if x < 0.85 => Vouches::Not,
        x if x < 0.98 => Vouches::Anew,
        _ => Vouches::Falsely(some(&mut dice)),
    };
    let fresh = match dice.share() {
        x if x < 0.25 => dice.between(60.0, 900.0) as i64 * 1_000,
        x if x < 0.30 => H,
        _ => 0,
    };
    // What a well-known program for weblogs says by itself.
    let ttl = if !page && dice.chance(0.2) { H } else { 0 };
    let skip = if !page && office && dice.chance(0.2) {
        // From 0 to 6 in China.
        Skip { hours: 0b11_1111 << 16, days: 0 }
    } else {
        Skip::default()
    };
    let mut outages = Vec::new();
    if dice.chance(0.5) {
        let from = some(&mut dice);
        outages.push((from, from.plus(dice.between(20.0, 480.0) as i64 * M)));
    }
    let mut quiets = Vec::new();
    if dice.chance(0.06) {
        for _ in 0..3 {
            let status = if dice.chance(0.5) { 429 } else { 503 };
            quiets.push((some(&mut dice), dice.between(10.0, 1_800.0) as i64 * M, status, None));
        }
    }
    let moved = dice.chance(0.05).then(|| some(&mut dice));
    let dated = !page || dice.chance(0.7);
    let seen = vec![false; items.len()];
    let window = window as usize;
    let book = Entry { reading: source.reading(), ..Entry::default() };
    Publisher {
        source,
        items,
        seen,
        window,
        dated,
        vouches,
        fresh,
        ttl,
        skip,
        outages,
        quiets,
        moved,
        fault: None,
        withheld: 0,
        broken: None,
        book,
        vouched: usize::MAX,
        gap,
    }
}

/// A document of a publisher that broke, as the reader takes it.
fn broken(source: &Source, fault: Fault, at: Time, listed: usize) -> Came {
    let failed = |reason: String| Came::Failed { status: 0, kind: "connect", ours: false, reason };
    let titles: Vec<String> = (0..listed).map(|n| format!("许昌市第{n}所学校今日开工建设")).collect();
    let feed = |titles: &[String], date: &str| {
        let items: String = titles
            .iter()
            .enumerate()
            .map(|(n, title)| {
                format!(
                    "<item><title>{title}</title><link>https://x.example/{n}</link><pubDate>{date}</pubDate></item>"
                )
            })
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel><title>x</title>{items}</channel></rss>"
        )
    };
    let page = |titles: &[String], class: &str| {
        let items: String =
            titles.iter().enumerate().map(|(n, title)| format!("<li><a href=\"/{n}.html\">{title}</a></li>")).collect();
        format!("<html><head><meta charset=\"utf-8\"></head><body><ul class=\"{class}\">{items}</ul></body></html>")
    };
    let is_page = matches!(source.kind, Kind::Page { .. });
    let body: Vec<u8> = match fault {
        Fault::Layout => page(&titles, "news-cards").into_bytes(),
        Fault::Login | Fault::LoginFeed => {
            "<html><body><form action=\"/login\"><input name=\"u\"><input type=\"password\" \
             name=\"p\"></form><a href=\"/help\">忘记密码了怎么办</a></body></html>"
                .as_bytes()
                .to_vec()
        }
        Fault::Mojibake => {
            // UTF-8 that a gateway took for Windows-1252 and made UTF-8 once more, losing what has no letter there.
            let wrong: Vec<String> = titles
                .iter()
                .map(|title| {
                    title.bytes().map(|byte| if byte.is_ascii() { char::from(byte) } else { '\u{fffd}' }).collect()
                })
                .collect();
            if is_page { page(&wrong, "list") } else { feed(&wrong, "Mon, 05 Oct 2026 08:00:00 +0800") }.into_bytes()
        }
        Fault::Future => feed(&titles, &at.plus(400 * D).utc().to_rfc2822()).into_bytes(),
        Fault::Emptied => feed(&[], "").into_bytes(),
        Fault::Certificate => return failed("no secure connection to x.example: certificate expired".to_owned()),
        Fault::Name => return failed("the name x.example cannot be looked up: no such name".to_owned()),
        Fault::NotFound => {
            return Came::Failed {
                status: 404,
                kind: "status",
                ours: false,
                reason: "the server answers 404".to_owned(),
            };
        }
        Fault::Server => {
            return Came::Failed {
                status: 502,
                kind: "status",
                ours: false,
                reason: "the server answers 502".to_owned(),
            };
        }
        Fault::Gone => {
            return Came::Failed {
                status: 410,
                kind: "status",
                ours: false,
                reason: "the server answers 410".to_owned(),
            };
        }
        Fault::Frozen => return Came::Same,
    };
    let sheets = [Sheet { url: "https://x.example/list".to_owned(), body: Bytes::from(body), content_type: None }];
    let login = signs::login(&[], &sheets);
    match draft::read(source, &sheets, at) {
        Err(error) => failed(error.to_string()),
        Ok(read) => {
            let mut marks = Marks::default();
            let items: Vec<_> = read.documents.iter().flat_map(|(_, document)| &document.items).collect();
            for item in &items {
                let claim = item.published.as_ref().and_then(|stamp| stamp.claim.as_ref());
                marks.see(item.title.as_deref(), claim.map(|claim| claim.at), at);
            }
            let listed = items.len() as u32;
            let signs = marks.signs().with(Signs::LOGIN, login);
            Came::Read(Read { listed, unknown: listed, filed: listed, newest: None, moments: Vec::new(), signs })
        }
    }
}

/// What a fault can befall.
fn befalls(fault: Fault, publisher: &Publisher) -> bool {
    let page = matches!(publisher.source.kind, Kind::Page { .. });
    match fault {
        Fault::Layout | Fault::Login => page,
        Fault::LoginFeed | Fault::Emptied | Fault::Future => !page,
        _ => true,
    }
}

/// A moment as it is read in China.
fn local(at: Time) -> String {
    at.plus(EAST).utc().format("%a %d %H:%M").to_string()
}

impl Publisher {
    /// Who it is.
    fn portrait(&self) -> String {
        let kind = if matches!(self.source.kind, Kind::Page { .. }) { "page" } else { "feed" };
        let span = |(from, to): &(Time, Time)| format!("{} to {}", local(*from), local(*to));
        format!(
            "{}: {kind}, a gap of {} min, {} on its list, dated {}, vouches {:?}, fresh {} min, ttl {} min, skips {:06x}, \
             down {:?}, quiet {:?}, fault {:?}",
            self.source.id().as_str(),
            self.gap / M,
            self.window,
            self.dated,
            self.vouches,
            self.fresh / M,
            self.ttl / M,
            self.skip.hours,
            self.outages.iter().map(span).collect::<Vec<_>>(),
            self.quiets.iter().filter_map(|(from, _, _, to)| Some(span(&(*from, (*to)?)))).collect::<Vec<_>>(),
            self.fault.map(|(fault, since)| format!("{fault:?} since {}", local(since))),
        )
    }
}

/// Runs a fleet. Every round of the source of this number, if any, is printed.
#[must_use]
pub fn run(seed: u64, sources: usize, days: i64, faults: usize, watched: Option<usize>) -> Figures {
    let mut fleet: Vec<Publisher> = (0..sources).map(|number| publisher(seed, number, days)).collect();
    let mut dice = Dice::new(seed ^ 0xfau64);
    let mut given = 0;
    while given < faults {
        let fault = FAULTS[given % FAULTS.len()];
        let victim = &mut fleet[(dice.next() % sources as u64) as usize];
        if victim.fault.is_none() && befalls(fault, victim) && victim.quiets.is_empty() {
            // In the middle of the run, at any hour.
            let at = START.plus((dice.between(0.5, 0.7) * (days * D) as f64) as i64);
            victim.fault = Some((fault, at));
            victim.outages.clear();
            if fault == Fault::Frozen {
                let keep = victim.items.partition_point(|item| *item < at);
                victim.withheld = victim.items.len() - keep;
                victim.items.truncate(keep);
                victim.seen.truncate(keep);
            }
            given += 1;
        }
    }
    let places: BTreeMap<SourceId, usize> =
        fleet.iter().enumerate().map(|(at, publisher)| (publisher.source.id().clone(), at)).collect();
    let all: Vec<Arc<Source>> = fleet.iter().map(|publisher| Arc::clone(&publisher.source)).collect();
    let end = START.plus(days * D);
    let mut figures = Figures { sources, days, faults, source_weeks: sources as i64 * days / 7, ..Figures::default() };
    let mut delays: Vec<u32> = Vec::new();
    let mut told: BTreeMap<usize, Time> = BTreeMap::new();
    let mut queue = Queue::new();
    queue.reload(all.clone(), 1, &|_| None, START, true);
    let mut now = START;
    // In the middle the daemon stops for half an hour; what it knows then is what its poll books say.
    let mut stop = Some(START.plus(days * D / 2));
    let (mut second, mut burst) = (0, 0_u64);
    while now < end {
        if stop.is_some_and(|stop| now >= stop) {
            stop = None;
            now = now.plus(30 * M);
            queue = Queue::new();
            queue.reload(all.clone(), 1, &|id| places.get(id).map(|at| fleet[*at].book.clone()), now, true);
        }
        while let Some(source) = queue.next(now) {
            let at = places[source.id()];
            let publisher = &mut fleet[at];
            if now.seconds() != second {
                (second, burst) = (now.seconds(), 0);
            }
            burst += 1;
            figures.burst = figures.burst.max(burst);
            let news = delays.len();
            let change = ask(publisher, now, &mut dice, &mut figures, &mut delays);
            if watched == Some(at) {
                let book = &publisher.book;
                println!(
                    "{} status {} news {} unmodified {} doubted {} {} haste {} floor {} next {} {}",
                    local(now),
                    book.status,
                    delays.len() - news,
                    book.unmodified,
                    book.doubted == Some(now),
                    book.state.word(),
                    book.haste / M,
                    book.floor / M,
                    local(book.due),
                    change.as_ref().map(|change| change.reason.as_str()).unwrap_or_default()
                );
            }
            if let Some(change) = change.filter(|change| change.to > State::Ok) {
                let struck = publisher.fault.filter(|(_, since)| *since <= now);
                if struck.is_some() {
                    told.entry(at).or_insert(now);
                } else {
                    let out = publisher.outages.iter().any(|(from, to)| *from <= now && now < to.plus(H));
                    let quiet =
                        publisher.quiets.iter().any(|(from, wait, ..)| *from <= now && now < from.plus(2 * D + wait));
                    if !(out || (quiet && change.to == State::Broken)) {
                        figures.false_alarms += 1;
                        let (when, who) = (local(now), publisher.portrait());
                        figures.stories.push(format!("false alarm {when}: {} ({who})", change.reason));
                        *figures.alarms.entry(change.to.word()).or_default() += 1;
                    }
                }
            }
            let (state, due) = (publisher.book.state, publisher.book.due);
            let host = publisher.book.retry_after.filter(|_| matches!(publisher.book.status, 429 | 503));
            queue.learn(source.id(), state, host);
            queue.done(source.id(), due);
        }
        now = now.plus(queue.wait(now).unwrap_or(H).clamp(1, H));
    }
    settle(&mut fleet, end, &mut figures, delays, &told);
    figures
}

/// One round with a publisher.
fn ask(
    publisher: &mut Publisher,
    now: Time,
    dice: &mut Dice,
    figures: &mut Figures,
    delays: &mut Vec<u32>,
) -> Option<citydesk::model::book::Change> {
    let source = Arc::clone(&publisher.source);
    let book = &mut publisher.book;
    figures.requests += 1;
    figures.skipped += u64::from(publisher.skip.skips(now) && book.skip != Skip::default());
    let at_hand = book.validators != Validators::default();
    let doubted = at_hand && conclude::doubts(&source, book, now);
    let conditional = at_hand && !doubted;
    figures.could += u64::from(at_hand);
    figures.conditional += u64::from(conditional);
    let (_, written) = conclude::address(&source, book, now);
    let mut said = Said { fresh: publisher.fresh, ..Said::default() };
    let failed = |status: u16| Came::Failed {
        status,
        kind: "status",
        ours: false,
        reason: format!("the server answers {status}"),
    };
    let mut status = 200;
    let came = if let Some((from, wait, code, until)) =
        publisher.quiets.iter_mut().find(|(from, _, _, until)| *from <= now && until.is_none_or(|until| now < until))
    {
        // The cap on what it may ask for is a day.
        let first = until.is_none();
        figures.early += u64::from(!first);
        let end = *until.get_or_insert(now.plus((*wait).min(D)));
        let _ = from;
        said.retry_after = Some(if first { *wait } else { end.since(now) });
        status = *code;
        failed(*code)
    } else if publisher.outages.iter().any(|(from, to)| *from <= now && now < *to) || dice.chance(0.003) {
        status = if dice.chance(0.5) { 502 } else { 0 };
        failed(status)
    } else if let Some((fault, since)) =
        publisher.fault.filter(|(fault, since)| *since <= now && *fault != Fault::Frozen)
    {
        let listed = publisher.window.min(publisher.items.partition_point(|item| *item <= since));
        let came = publisher.broken.get_or_insert_with(|| broken(&source, fault, now, listed)).clone();
        match came {
            Came::Read(read) if book.signs == read.signs && book.listed == read.listed && book.state > State::Ok => {
                Came::Read(Read { unknown: 0, filed: 0, ..read })
            }
            Came::Failed { status: code, .. } => {
                status = code;
                came
            }
            came => came,
        }
    } else {
        if publisher.moved.is_some_and(|since| since <= now) && written {
            figures.requests += 1;
            conclude::moved(book, Some("https://new.example/list"), written, now);
        } else {
            conclude::moved(book, None, written, now);
        }
        let shown = publisher.items.partition_point(|item| *item <= now);
        let lies = matches!(publisher.vouches, Vouches::Falsely(since) if since <= now);
        let same = publisher.vouched == shown;
        if conditional && (lies || (same && publisher.vouches != Vouches::Anew)) {
            status = 304;
            Came::NotModified
        } else if same {
            Came::Same
        } else {
            let first = shown.saturating_sub(publisher.window);
            let known = &mut publisher.seen[first..shown];
            let unknown: Vec<usize> = (0..known.len()).filter(|at| !known[*at]).collect();
            for at in &unknown {
                known[*at] = true;
                let appeared = publisher.items[first + at];
                if appeared >= START {
                    delays.push((now.since(appeared) / 1_000) as u32);
                }
            }
            let moments = if publisher.dated {
                unknown.iter().map(|at| publisher.items[first + at]).collect()
            } else {
                Vec::new()
            };
            publisher.vouched = shown;
            book.validators = match publisher.vouches {
                Vouches::Not => Validators::default(),
                _ => Validators { etag: Some(format!("\"{shown:08x}-{:x}\"", now.0)), last_modified: None },
            };
            (said.ttl, said.skip) = (publisher.ttl, publisher.skip);
            let newest = (publisher.dated && shown > 0).then(|| publisher.items[shown - 1]);
            let (listed, unknown) = ((shown - first) as u32, unknown.len() as u32);
            Came::Read(Read { listed, unknown, filed: unknown, newest, moments, signs: Signs::default() })
        }
    };
    book.status = status;
    conclude::conclude(&source, book, Seen { asked: now, at: now, doubted, came, said })
}

/// Adds up what is known at the end.
fn settle(
    fleet: &mut [Publisher],
    end: Time,
    figures: &mut Figures,
    mut delays: Vec<u32>,
    told: &BTreeMap<usize, Time>,
) {
    let mut dice = Dice::new(7);
    let mut fixed: Vec<u32> = Vec::new();
    for publisher in fleet.iter() {
        let phase = (dice.share() * FIXED as f64) as i64;
        figures.fixed_requests += (end.since(START) / FIXED) as u64;
        let until = publisher.fault.map_or(end, |(_, since)| since);
        for (at, item) in publisher.items.iter().enumerate() {
            if *item < START || *item >= until {
                continue;
            }
            figures.items += 1;
            let steps = (item.since(START) - phase).div_euclid(FIXED) + 1;
            let mut met = START.plus(phase + steps * FIXED);
            while publisher.outages.iter().any(|(from, to)| *from <= met && met < *to) {
                met = met.plus(FIXED);
            }
            let gone = publisher.items.get(at + publisher.window).copied().unwrap_or(end).min(until);
            if met < gone {
                fixed.push((met.since(*item) / 1_000) as u32);
            }
            if publisher.seen[at] || (gone >= end && until == end) {
                continue;
            }
            figures.scrolled += 1;
            // How long it could be had: the list showed it, and the server neither failed nor wanted quiet.
            let mut open = gone.since(*item);
            let away = publisher.outages.iter().map(|(from, to)| (*from, *to));
            let quiet = publisher.quiets.iter().filter_map(|(from, _, _, until)| until.map(|until| (*from, until)));
            for (from, to) in away.chain(quiet) {
                open -= to.min(gone).since(from.max(*item)).max(0);
            }
            // Who wants nobody to ask for six hours has a longer longest interval.
            let longest = EVERY.1 + i64::from(publisher.skip.hours.count_ones()) * H;
            if open > longest {
                figures.missed += 1;
                let (from, to) = (local(*item), local(gone));
                figures.stories.push(format!("missed {from} to {to} ({})", publisher.portrait()));
            }
        }
    }
    let median = |list: &mut Vec<u32>, share: usize| {
        list.sort_unstable();
        list.get(list.len() * share / 100).copied().unwrap_or(0)
    };
    figures.median = median(&mut delays, 50);
    figures.ninety = median(&mut delays, 90);
    figures.fixed_median = median(&mut fixed, 50);
    let mut gaps: Vec<i64> = Vec::new();
    for (at, publisher) in fleet.iter().enumerate() {
        let Some((fault, since)) = publisher.fault else { continue };
        let entry = figures.told_by.entry(fault).or_default();
        if let Some(told) = told.get(&at) {
            figures.told += 1;
            gaps.push(told.since(since) * 100 / publisher.gap);
            entry.push(told.since(since) / M);
        } else {
            gaps.push(i64::MAX);
            entry.push(-1);
            figures.stories.push(format!("untold, {} items withheld ({})", publisher.withheld, publisher.portrait()));
        }
    }
    gaps.sort_unstable();
    figures.told_after = gaps.get(gaps.len() / 2).copied().unwrap_or(0);
    let mut books: Vec<usize> =
        fleet.iter().map(|publisher| citydesk::model::codec::encode(&publisher.book).len()).collect();
    books.sort_unstable();
    figures.book = books.get(books.len() / 2).copied().unwrap_or(0);
}
