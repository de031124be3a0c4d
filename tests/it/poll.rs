//! Rounds against a real origin: what is filed, what is remembered, and what a publisher gets to see of us.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use citydesk::clock::Clock;
use citydesk::editor::{Editor, Standing};
use citydesk::fetch::Fetcher;
use citydesk::journal::{Journal, Log, LogError};
use citydesk::model::book::{Entry, State};
use citydesk::model::codec::decode;
use citydesk::model::filing::{Filing, Wire};
use citydesk::model::id::SourceId;
use citydesk::model::item::Item;
use citydesk::model::position::Position;
use citydesk::model::setting::{Fetch, Network};
use citydesk::model::source::{Kind, Rank, Republish, Source, SourceRules};
use citydesk::model::time::Time;
use citydesk::poll::draft::Sheet;
use citydesk::poll::{Outcome, Poller, Round, Trouble, article};
use citydesk::schedule::{self, Schedule};
use citydesk::store::Store;

use crate::origin::{Origin, Reply};

/// 2026-11-23T02:00:00Z.
pub const NOW: i64 = 1_795_399_200_000;

pub fn source(id: &str, kind: Kind) -> Source {
    Source {
        timeout: 5_000,
        ..Source::new(
            SourceRules {
                id: SourceId::new(id).unwrap(),
                name: id.to_owned(),
                rank: Rank::Media,
                republish: Republish::Summary,
                join: true,
                keep: 180 * Time::DAY,
                zone: "Asia/Shanghai".to_owned(),
                ..SourceRules::default()
            },
            kind,
        )
    }
}

/// A feed of these headlines: number n is of hour n.
fn feed(numbers: &[u32]) -> String {
    let mut items = String::new();
    for n in numbers {
        let hour = n % 24;
        let _ = write!(
            items,
            "<item><guid isPermaLink=\"false\">item-{n}</guid><title>许昌市第{n}所学校今日开工建设</title>\
             <link>https://news.example/{n}.html</link><pubDate>Sun, 22 Nov 2026 {hour:02}:00:00 +0800</pubDate>\
             <description>这是第{n}条消息的正文，讲的是一所新学校。</description></item>"
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel><title>许昌新闻</title>\
         <link>https://news.example/</link><description>d</description>{items}</channel></rss>"
    )
}

/// A log that counts how often it is looked into.
struct Counted(Arc<dyn Log>, Arc<AtomicUsize>);

impl Counted {
    fn look(&self) -> &dyn Log {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.as_ref()
    }
}

impl Log for Counted {
    fn append(&self, expected: Option<u64>, records: &[&[u8]]) -> Result<Vec<Position>, LogError> {
        self.0.append(expected, records)
    }

    fn sync(&self) -> Result<u64, LogError> {
        self.0.sync()
    }

    fn synced(&self) -> u64 {
        self.0.synced()
    }

    fn next(&self) -> u64 {
        self.0.next()
    }

    fn first(&self) -> u64 {
        self.0.first()
    }

    fn read(&self, from: u64, most_bytes: usize) -> Result<Vec<(Position, Vec<u8>)>, LogError> {
        self.look().read(from, most_bytes)
    }

    fn get(&self, at: Position) -> Result<Option<Vec<u8>>, LogError> {
        self.look().get(at)
    }

    fn holds(&self, at: Position) -> Result<bool, LogError> {
        self.look().holds(at)
    }

    fn room(&self) -> Option<u64> {
        self.0.room()
    }

    fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}

pub struct Desk {
    journal: Journal,
    store: Arc<Store>,
    pub poller: Arc<Poller>,
    now: Arc<AtomicI64>,
    nudges: Arc<AtomicUsize>,
    /// How often the rounds looked into the wire.
    looks: Arc<AtomicUsize>,
    editor: Editor,
    _dir: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::open(dir)
    }

    pub fn open(dir: tempfile::TempDir) -> Self {
        let journal = Journal::open(dir.path()).unwrap();
        let store = Arc::new(Store::open(&dir.path().join("store")).unwrap());
        let now = Arc::new(AtomicI64::new(NOW));
        let ticking = Arc::clone(&now);
        let clock: Clock = Arc::new(move || Time(ticking.load(Ordering::SeqCst)));
        let settings = Fetch {
            per_host: 1,
            body_max: 1 << 20,
            allow_private: vec![Network::parse("127.0.0.0/8").unwrap()],
            proxy: None,
        };
        let fetcher = Fetcher::new(&settings, "citydesk/test".to_owned(), Arc::clone(&clock)).unwrap();
        let nudges = Arc::new(AtomicUsize::new(0));
        let nudged = Arc::clone(&nudges);
        let nudge = Arc::new(move || {
            nudged.fetch_add(1, Ordering::SeqCst);
        });
        let looks = Arc::new(AtomicUsize::new(0));
        let wire = Arc::new(Counted(Arc::clone(&journal.wire), Arc::clone(&looks)));
        let poller = Poller::new(fetcher, wire, Arc::clone(&store), clock, settings.body_max, nudge).unwrap();
        let editor = Editor::new(
            journal.clone(),
            Arc::clone(&store),
            Arc::new(Standing::default()),
            Arc::new(AtomicBool::new(false)),
            Box::new(|_| {}),
        );
        Self { journal, store, poller: Arc::new(poller), now, nudges, looks, editor, _dir: dir }
    }

    /// Stops and starts again in the same folder, at the same moment.
    pub fn restart(self) -> Self {
        let now = self.now.load(Ordering::SeqCst);
        let Self { _dir: dir, journal, store, poller, editor, .. } = self;
        drop((editor, poller, store, journal));
        let desk = Self::open(dir);
        desk.now.store(now, Ordering::SeqCst);
        desk
    }

    pub async fn round(&self, source: &Source) -> Round {
        self.poller.round(&Arc::new(source.clone())).await
    }

    async fn deliver(&self, source: &Source, body: String) -> Result<(u32, Option<i64>), Trouble> {
        let sheet = Sheet { url: source.kind.address().to_owned(), body: body.into(), content_type: None };
        self.poller.delivered(&Arc::new(source.clone()), sheet).await
    }

    pub fn decide(&mut self) {
        while self.editor.step().unwrap() {}
    }

    pub fn pass(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
    }

    pub fn book(&self, source: &Source) -> Entry {
        self.store.book(source.id()).unwrap()
    }

    /// Everything filed so far, with its items.
    pub fn filings(&self) -> Vec<(Filing, Vec<Item>)> {
        let records = self.journal.wire.read(1, usize::MAX).unwrap();
        let filings = records.iter().filter_map(|(_, bytes)| match decode::<Wire>(bytes).unwrap() {
            Wire::Filing(filing) => Some(filing),
            _ => None,
        });
        filings
            .map(|filing| {
                let items = filing.items.iter().map(|at| {
                    let bytes = self.journal.wire.get(*at).unwrap().unwrap();
                    match decode::<Wire>(&bytes).unwrap() {
                        Wire::Item(item) => *item,
                        other => panic!("{other:?}"),
                    }
                });
                let items = items.collect();
                (filing, items)
            })
            .collect()
    }
}

#[tokio::test]
async fn a_round_files_what_is_new_and_nothing_else() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = source("xuchang", Kind::Feed(origin.url("/feed")));
    origin.serve("/feed", Reply::ok(feed(&[3, 2, 1])).etag("\"1\"").modified("Sun, 22 Nov 2026 00:00:00 GMT"));

    let first = desk.round(&source).await;
    assert_eq!(
        (first.outcome, first.listed, first.filed, first.state),
        (Outcome::New(3), 3, 3, State::Ok),
        "{first:?}"
    );
    let filings = desk.filings();
    assert_eq!(filings.len(), 1);
    let (filing, items) = &filings[0];
    assert_eq!((filing.listed, filing.reading, filing.at), (3, source.reading(), Time(NOW)));
    assert_eq!(filing.title.as_deref(), Some("许昌新闻"));
    let titles: Vec<&str> = items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles, [3, 2, 1].map(|n| format!("许昌市第{n}所学校今日开工建设")), "in the order of the document");
    assert_eq!(desk.nudges.load(Ordering::SeqCst), 1);
    assert_eq!(Some(desk.book(&source).vouched), first.filing);
    desk.decide();

    // Asked conditionally, with what was sent.
    let second = desk.round(&source).await;
    assert_eq!((second.outcome, second.status), (Outcome::NotModified, 304));
    let asked = origin.asked("/feed").remove(1);
    assert_eq!(asked.header("if-none-match"), Some("\"1\""));
    assert_eq!(asked.header("if-modified-since"), Some("Sun, 22 Nov 2026 00:00:00 GMT"));

    // The same bytes again, under another tag.
    origin.serve("/feed", Reply::ok(feed(&[3, 2, 1])).etag("\"2\""));
    assert_eq!(desk.round(&source).await.outcome, Outcome::Unchanged);
    assert_eq!(desk.book(&source).validators.etag.as_deref(), Some("\"2\""));
    assert_eq!(desk.book(&source).validators.last_modified, None, "they are a pair");

    // Other bytes, the same items.
    origin.serve("/feed", Reply::ok(feed(&[3, 2, 1]) + "<!-- made in 7 ms -->").etag("\"3\""));
    assert_eq!(desk.round(&source).await.outcome, Outcome::Nothing);
    assert_eq!(desk.filings().len(), 1, "nothing to tell, nothing filed");
    assert_eq!(Some(desk.book(&source).vouched), first.filing);

    origin.serve("/feed", Reply::ok(feed(&[4, 4, 3, 2])).etag("\"4\""));
    let last = desk.round(&source).await;
    assert_eq!((last.outcome, last.listed), (Outcome::New(1), 4));
    assert_eq!(last.complaints, ["items that stand in the document more than once: 1"]);
    let (filing, items) = desk.filings().pop().unwrap();
    assert_eq!((filing.items.len(), filing.listed), (1, 4));
    assert_eq!(items[0].title, "许昌市第4所学校今日开工建设");
}

#[tokio::test]
async fn what_a_hub_delivers_is_no_baseline() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let mut source = source("xuchang", Kind::Feed(origin.url("/feed")));
    origin.serve("/feed", Reply::ok(feed(&[2, 1])));
    assert!(matches!(desk.deliver(&source, feed(&[3])).await, Err(Trouble::Unpolled)), "never polled");
    desk.round(&source).await;
    assert!(matches!(desk.deliver(&source, feed(&[3])).await, Ok((1, None))), "polled, and not decided yet");
    desk.decide();
    let filed = desk.filings().len();
    // Read in another way: if one delivery were the baseline, all the rest of the list would be news.
    Arc::make_mut(&mut source.how).drop = Some("title:第9所".to_owned());
    assert!(matches!(desk.deliver(&source, feed(&[4])).await, Err(Trouble::Unpolled)));
    assert_eq!(desk.filings().len(), filed);
    desk.round(&source).await;
    desk.decide();
    assert!(matches!(desk.deliver(&source, feed(&[4])).await, Ok((1, None))));
}

#[tokio::test]
async fn what_a_hub_delivers_waits_for_its_article_no_longer_than_what_is_polled() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let mut source = source("xuchang", Kind::Feed(origin.url("/feed")));
    Arc::make_mut(&mut source.how).body = Some("readable".to_owned());
    let listed = |numbers: &[u32]| feed(numbers).replace("https://news.example/", &origin.url("/"));
    let text = "这是学校的消息，全文在这里。".repeat(30);
    let page =
        |n: u32| Reply::ok(format!("<html><body><h1>第{n}所学校</h1><article><p>{text}</p></article></body></html>"));
    for n in 1..=3 {
        origin.serve(&format!("/{n}.html"), page(n));
    }
    origin.serve("/feed", Reply::ok(listed(&[2, 1])));
    desk.round(&source).await;
    desk.decide();
    origin.serve("/3.html", Reply::status(500, ""));
    let delivered = desk.deliver(&source, listed(&[3])).await.unwrap();
    assert_eq!(delivered, (0, Some(article::PAUSE)));
    assert_eq!(desk.book(&source).held.len(), 1);
    // The poll that this asks for brings it, and does not count as one that found what the hub had missed.
    origin.serve("/3.html", page(3));
    origin.serve("/feed", Reply::ok(listed(&[3, 2, 1])));
    desk.pass(article::PAUSE);
    assert_eq!(desk.round(&source).await.outcome, Outcome::New(1));
    assert!(desk.book(&source).held.is_empty());
}

#[tokio::test]
async fn an_item_that_changed_is_filed_again() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = source("xuchang", Kind::Feed(origin.url("/feed")));
    origin.serve("/feed", Reply::ok(feed(&[2, 1])));
    desk.round(&source).await;
    desk.decide();
    origin.serve("/feed", Reply::ok(feed(&[2, 1]).replace("第2条消息的正文", "第2条消息的更正")));
    assert_eq!(desk.round(&source).await.outcome, Outcome::New(1));
    let (_, items) = desk.filings().pop().unwrap();
    assert!(items[0].text.contains("更正"), "{:?}", items[0]);
}

#[tokio::test]
async fn a_first_answer_is_filed_even_if_it_is_empty() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = source("quiet", Kind::Feed(origin.url("/feed")));
    origin.serve("/feed", Reply::ok(feed(&[])).etag("\"1\""));
    let first = desk.round(&source).await;
    assert!(first.filing.is_some(), "{first:?}");
    assert_eq!((first.state, first.filed), (State::Silent, 0));
    assert!(desk.book(&source).reason.contains("0 items"), "{}", desk.book(&source).reason);
    origin.serve("/feed", Reply::ok(feed(&[]) + " "));
    desk.round(&source).await;
    assert_eq!(desk.filings().len(), 1, "once, although the editor has not decided it yet");
    desk.decide();
    assert!(desk.store.view().source(source.id()).unwrap().is_some());
}

#[tokio::test]
async fn validators_answer_only_for_what_was_kept_and_read_in_this_way() {
    let origin = Origin::start();
    let desk = Desk::new();
    let mut source = source("xuchang", Kind::Feed(origin.url("/feed")));
    origin.serve("/feed", Reply::ok(feed(&[2, 1])).etag("\"1\""));
    desk.round(&source).await;

    // Another reading: whole, and read although the bytes are the same.
    Arc::make_mut(&mut source.how).drop = Some("title:第1所".to_owned());
    let read = desk.round(&source).await;
    assert_eq!((read.status, read.outcome, read.dropped), (200, Outcome::New(1), 1));
    assert_eq!(origin.asked("/feed")[1].header("if-none-match"), None);

    // A poll book that points to another wire, as after a restore: whole again.
    let mut book = desk.book(&source);
    book.vouched.sum ^= 1;
    desk.store.note(source.id(), &book).unwrap();
    assert_eq!(desk.round(&source).await.status, 200);
    assert_eq!(origin.asked("/feed")[2].header("if-none-match"), None);
    assert_eq!(desk.round(&source).await.status, 304);
}

/// A hundred thousand sources that mostly answer "not modified" would be as many reads from the disk.
#[tokio::test]
async fn a_poll_that_brings_nothing_reads_no_journal() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = source("xuchang", Kind::Feed(origin.url("/feed")));
    origin.serve("/feed", Reply::ok(feed(&[2, 1])).etag("\"1\""));
    desk.round(&source).await;
    desk.decide();
    // What its validators vouch for is looked for once after a start.
    for restart in [false, true] {
        if restart {
            desk = desk.restart();
        }
        for _ in 0..4 {
            assert_eq!(desk.round(&source).await.filed, 0);
            assert_eq!(desk.looks.load(Ordering::SeqCst), 1, "restarted: {restart}");
        }
    }
    assert!(origin.asked("/feed").iter().filter(|asked| asked.header("if-none-match").is_some()).count() > 4);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_vouches_for_nothing() {
    let origin = Origin::start();
    let desk = Desk::new();
    let source = source("xuchang", Kind::Feed(origin.url("/feed")));
    origin.serve("/feed", Reply::ok("").etag("\"1\""));
    let round = desk.round(&source).await;
    assert_eq!((round.outcome, round.state), (Outcome::Failed("document"), State::Broken), "{round:?}");
    origin.serve("/feed", Reply::ok(feed(&[1])).etag("\"1\""));
    assert_eq!(desk.round(&source).await.outcome, Outcome::New(1));
    assert_eq!(origin.asked("/feed")[1].header("if-none-match"), None);
}

#[tokio::test]
async fn failures_are_told_backed_off_and_forgotten() {
    let origin = Origin::start();
    let desk = Desk::new();
    let source = source("xuchang", Kind::Feed(origin.url("/feed")));
    origin.serve("/feed", Reply::ok(feed(&[1])).etag("\"1\""));
    desk.round(&source).await;
    let table = [
        (Reply::status(404, ""), Outcome::Http(404), State::Broken, 4 * Time::MINUTE),
        (Reply::status(500, ""), Outcome::Http(500), State::Broken, 8 * Time::MINUTE),
        (Reply::status(429, "").header("Retry-After", "7200"), Outcome::Http(429), State::Broken, 2 * Time::HOUR),
        (Reply::slam(), Outcome::Failed("cut"), State::Broken, 32 * Time::MINUTE),
        (Reply::redirect(302, "http://10.1.1.1/"), Outcome::Failed("refused"), State::Broken, 64 * Time::MINUTE),
    ];
    for (reply, outcome, state, least) in table {
        origin.serve("/feed", reply);
        let round = desk.round(&source).await;
        assert_eq!((round.outcome, round.state), (outcome, state), "{round:?}");
        let wait = round.due.since(Time(NOW));
        assert!((least..=least + least / 5).contains(&wait), "{outcome:?}: {wait}");
        assert!(round.failed() && round.sentence.len() > 30, "{}", round.sentence);
    }
    assert_eq!(desk.book(&source).failures, 5);
    origin.serve("/feed", Reply::ok(feed(&[1])).etag("\"1\""));
    let back = desk.round(&source).await;
    assert_eq!((back.outcome, back.state), (Outcome::NotModified, State::Ok), "the validators outlived the failures");
    assert_eq!((desk.book(&source).failures, desk.book(&source).reason.as_str()), (0, ""));

    origin.serve("/feed", Reply::status(410, ""));
    let gone = desk.round(&source).await;
    assert_eq!((gone.outcome, gone.state, gone.due), (Outcome::Http(410), State::Gone, Time(i64::MAX)));
}

#[tokio::test]
async fn a_source_that_only_repeats_itself_is_silent() {
    let origin = Origin::start();
    let desk = Desk::new();
    let source = source("xuchang", Kind::Feed(origin.url("/feed")));
    origin.serve("/feed", Reply::ok(feed(&[1])).etag("\"1\""));
    assert_eq!(desk.round(&source).await.state, State::Ok);
    desk.pass(4 * Time::DAY);
    let later = desk.round(&source).await;
    assert_eq!((later.outcome, later.state), (Outcome::NotModified, State::Silent));
    assert!(desk.book(&source).reason.contains("2026-11-21"), "{}", desk.book(&source).reason);
}

#[tokio::test]
async fn files_are_read_when_they_change() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::new();
    let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).unwrap();
    let glob = |dir: &Path| dir.join("*.xml").display().to_string();
    let source = source("dropbox", Kind::Files(glob(dir.path())));
    assert_eq!(desk.round(&source).await.outcome, Outcome::Failed("files"));
    write("a.xml", feed(&[1]));
    write("b.xml", feed(&[3, 2]));
    assert_eq!(desk.round(&source).await.outcome, Outcome::New(3));
    desk.decide();
    assert_eq!(desk.round(&source).await.outcome, Outcome::NotModified);
    write("b.xml", feed(&[4, 3, 2]));
    write("c.xml", "this is no feed".to_owned());
    let round = desk.round(&source).await;
    assert_eq!(round.outcome, Outcome::New(1));
    assert!(round.complaints.iter().any(|complaint| complaint.starts_with("c.xml: ")), "{:?}", round.complaints);
    assert_eq!(round.due, Time(NOW + 2 * Time::MINUTE), "a folder costs nothing: always at the quick end");
    assert_eq!(desk.filings().last().unwrap().1.len(), 1);
}

#[tokio::test]
async fn once_asks_each_due_source_once() {
    let origin = Origin::start();
    let desk = Desk::new();
    let sources: Vec<Arc<Source>> =
        (0..5).map(|n| Arc::new(source(&format!("s{n}"), Kind::Feed(origin.url(&format!("/{n}")))))).collect();
    for n in 0..4 {
        origin.serve(&format!("/{n}"), Reply::ok(feed(&[n])).etag("\"1\""));
    }
    let rounds = schedule::once(&desk.poller, &sources, 1, false, Arc::new(|_| {})).await.unwrap();
    let ids: Vec<&str> = rounds.iter().map(|round| round.source.as_str()).collect();
    assert_eq!(ids, ["s0", "s1", "s2", "s3", "s4"]);
    assert_eq!(rounds.iter().filter(|round| round.failed()).count(), 1);
    assert_eq!((origin.total(), origin.busiest()), (5, 1));
    assert!(
        schedule::once(&desk.poller, &sources, 1, false, Arc::new(|_| {})).await.unwrap().is_empty(),
        "nobody is due"
    );
    assert_eq!(schedule::once(&desk.poller, &sources, 1, true, Arc::new(|_| {})).await.unwrap().len(), 5);
}

#[tokio::test]
async fn the_schedule_polls_obeys_its_brake_reloads_and_stops() {
    let origin = Origin::start();
    let desk = Desk::new();
    let source = |id: &str| Arc::new(source(id, Kind::Feed(origin.url(&format!("/{id}")))));
    for id in ["a", "b", "c"] {
        origin.serve(&format!("/{id}"), Reply::ok(feed(&[1])));
    }
    let braked = Arc::new(AtomicBool::new(true));
    let brake = Arc::clone(&braked);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let schedule = Schedule::start(
        Arc::clone(&desk.poller),
        vec![source("a"), source("b")],
        1,
        Arc::new(move || brake.load(Ordering::SeqCst)),
        Arc::new(move |round: &Round| drop(tell.send(round.source.to_string()))),
    )
    .unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(origin.total(), 0, "the editor is behind");
    braked.store(false, Ordering::SeqCst);
    assert_eq!([told.recv().await.unwrap(), told.recv().await.unwrap()], ["a", "b"]);
    schedule.reload(vec![source("b"), source("c")], 1).await;
    assert_eq!(told.recv().await.unwrap(), "c");
    schedule.ask(SourceId::new("b").unwrap()).await;
    assert_eq!(told.recv().await.unwrap(), "b");
    assert_eq!([origin.hits("/a"), origin.hits("/b"), origin.hits("/c")], [1, 2, 1]);
    origin.serve("/c", Reply::hang());
    schedule.ask(SourceId::new("c").unwrap()).await;
    while origin.hits("/c") < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(schedule.stop(Duration::from_millis(100)).await, 1, "one round was cut off");
}

/// The editor decides nothing for a while, as on a disk that is slow: polling stops after what is under way, so that what
/// waits stays bounded; and it goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_editor_that_falls_behind_holds_polling_up_and_nothing_is_lost() {
    const SOURCES: usize = 600;
    const BEHIND: u64 = 20;
    let origin = Origin::start();
    let mut desk = Desk::new();
    let sources: Vec<Arc<Source>> = (0..SOURCES)
        .map(|n| {
            origin.serve(&format!("/{n}"), Reply::ok(feed(&[n as u32])));
            Arc::new(source(&format!("s{n}"), Kind::Feed(origin.url(&format!("/{n}")))))
        })
        .collect();
    let decided = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let naps = Arc::new(AtomicUsize::new(0));
    let brake = {
        let (wire, decided, naps) = (Arc::clone(&desk.journal.wire), Arc::clone(&decided), Arc::clone(&naps));
        Arc::new(move || {
            let behind = wire.synced().saturating_sub(decided.load(Ordering::SeqCst)) > BEHIND;
            if behind {
                naps.fetch_add(1, Ordering::SeqCst);
            }
            behind
        })
    };
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let told_of = Arc::new(move |round: &Round| tell.send(round.filed).unwrap_or_default());
    // All at once, so that it is the brake that holds them up.
    desk.pass(Time::HOUR);
    let schedule = Schedule::start(Arc::clone(&desk.poller), sources, 64, brake, told_of).unwrap();
    desk.pass(Time::HOUR);
    let mut rounds = 0;
    let mut stops = 0;
    while rounds < SOURCES {
        let before = naps.load(Ordering::SeqCst);
        // Until it has rested several times: what was under way is over.
        while naps.load(Ordering::SeqCst) < before + 8 && rounds < SOURCES {
            if let Ok(filed) = tokio::time::timeout(Duration::from_millis(20), told.recv()).await {
                assert_eq!(filed, Some(1));
                rounds += 1;
            }
        }
        let waiting = desk.journal.wire.synced() - decided.load(Ordering::SeqCst);
        let most = BEHIND + 2 * (schedule::IN_FLIGHT as u64 + 1);
        assert!(waiting <= most, "{waiting} records wait, at most {most} may");
        stops += usize::from(rounds < SOURCES);
        desk.decide();
        decided.store(desk.journal.wire.synced(), Ordering::SeqCst);
    }
    assert!(stops >= 2, "it never had to wait");
    assert_eq!(schedule.stop(Duration::from_secs(5)).await, 0);
    assert_eq!(desk.filings().len(), SOURCES);
    assert_eq!(origin.total(), SOURCES, "and nobody was asked twice");
}
