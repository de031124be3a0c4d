//! What the desk costs an item beside reading it, and whether that grows with the store.
//!
//! `cargo bench --bench desk` fills one store to 10,000, 100,000 and 1,000,000 items and measures at each of them
//! (`CITYDESK_STORIES` sets another end; a million takes some minutes). Each stage tells what reading an item costs on the
//! same day (parse and normalise; feed-rs alone beside it), what the desk's decision costs, what the whole editor costs,
//! how many stories were looked at, memory, disk, and how long a restart takes until it is ready.
//!
//! The desk's cost is `desk::decide` alone, with ten tag rules and five saved feeds in force: what it looks up in the
//! store and the journal counts, what is done with its edits does not. The digest is of these edits: where only the cost
//! of a judgement changed, it stays.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a benchmark that cannot go on should stop")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use citydesk::desk::{self, Case, Rules, Shelf, ShelfError};
use citydesk::editor::{Editor, Reading, Recent, Standing, replay};
use citydesk::journal::Journal;
use citydesk::model::codec::encode;
use citydesk::model::filing::{Filing, Request, Wire};
use citydesk::model::id::{Guid, ItemKey, SourceId, StoryNo, hash64};
use citydesk::model::item::Item;
use citydesk::model::position::Position;
use citydesk::model::setting::{Cities, Publish, SavedFeed, Setting, Site, TagRule};
use citydesk::model::story::{Copy, Sharing, Story};
use citydesk::model::time::Time;
use citydesk::normalise::{self, Siblings};
use citydesk::parse::{self, Fetched};
use citydesk::store::Store;
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;

mod corpus;

/// The program's own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

use corpus::POLLED;
use corpus::varied::{Piece, SOURCES, piece};

/// Items of one filing.
const FILED: usize = 20;
/// Filings decided in one step.
const GROUP: usize = 25;
/// Items measured at each stage.
const MEASURED: usize = 2_000;
/// Between two filings: ten thousand items a day.
const BETWEEN: i64 = Time::DAY / 10_000 * FILED as i64;

/// Time that this thread was on a processor: on a busy machine the clock tells something else. Asking for it costs a few
/// tenths of a microsecond, so that it can stand around one decision.
fn worked() -> Duration {
    spent(ClockId::ThreadCPUTime)
}

/// The same of all threads of this process: the store writes behind the editor's back.
fn worked_by_all() -> Duration {
    spent(ClockId::ProcessCPUTime)
}

fn spent(clock: ClockId) -> Duration {
    clock_gettime(clock).try_into().unwrap_or_default()
}

fn micros(time: Duration, items: usize) -> f64 {
    time.as_secs_f64() * 1e6 / items as f64
}

/// Memory that is resident, in MB.
fn resident() -> u64 {
    let told = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1_024
}

fn item(piece: &Piece, number: u64, at: Time) -> Item {
    let summary = piece.text.chars().take(Item::SUMMARY).collect();
    Item {
        source: corpus::source(piece.source).id().clone(),
        key: ItemKey::guid(&number.to_string()),
        hash: number,
        link: format!("https://news{}.example/{number}.html", piece.source),
        canonical: format!("news{}.example/{number}.html", piece.source),
        title: piece.title.clone(),
        summary,
        text: piece.text.clone(),
        seen: at,
        ..Item::default()
    }
}

/// What the desk asks, counted.
struct Counted<'a, 's> {
    shelf: Reading<'a, 's>,
    stories: Cell<u64>,
    texts: Cell<u64>,
}

impl Shelf for Counted<'_, '_> {
    fn known(&self, source: &SourceId, key: &ItemKey) -> Result<Option<(StoryNo, u64)>, ShelfError> {
        self.shelf.known(source, key)
    }
    fn story(&self, no: StoryNo) -> Result<Option<Story>, ShelfError> {
        self.shelf.story(no)
    }
    fn card(&self, no: StoryNo) -> Result<Option<Story>, ShelfError> {
        self.stories.set(self.stories.get() + 1);
        self.shelf.card(no)
    }
    fn sharing(&self, copy: &Copy) -> Result<Sharing, ShelfError> {
        self.shelf.sharing(copy)
    }
    fn next_story(&self) -> StoryNo {
        self.shelf.next_story()
    }
    fn minted(&self, guid: Guid) -> Result<bool, ShelfError> {
        self.shelf.minted(guid)
    }
    fn item(&self, at: Position) -> Option<Item> {
        self.shelf.item(at)
    }
    fn text(&self, at: Position) -> Option<String> {
        self.texts.set(self.texts.get() + 1);
        self.shelf.text(at)
    }
}

/// Tags and saved feeds as a desk has them, by words of which a text in ten has one.
fn queries() -> Vec<Setting> {
    let word = |number: usize| corpus::varied::word_of(1_000 + number);
    let rule = |tag: usize| TagRule {
        id: format!("题{tag}"),
        when: format!("{} OR {} OR {}", word(tag * 3), word(tag * 3 + 1), word(tag * 3 + 2)),
    };
    let asked = [
        format!("city:许昌 ({} OR {})", word(40), word(41)),
        format!("title:{} OR {} OR title:气象台", word(42), word(43)),
        format!("{} {} -{}", word(44), word(45), word(46)),
        format!("copies>=2 {}", word(47)),
        "tag:题1 OR tag:题2 OR 统计局".to_owned(),
    ];
    let feeds = asked.into_iter().enumerate().map(|(feed, when)| SavedFeed {
        id: format!("feed-{feed}"),
        title: format!("专题{feed}"),
        when,
    });
    std::iter::once(Setting::Tags((0..10).map(rule).collect())).chain(feeds.map(Setting::from)).collect()
}

struct House {
    journal: Journal,
    store: Arc<Store>,
    editor: Editor,
    /// Texts filed last, as the editor has them.
    recent: Recent,
    folder: TempDir,
    filed: u64,
    now: Time,
}

impl House {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let (journal, store, editor) = open(&folder);
        let mut house = Self { journal, store, editor, recent: Recent::default(), folder, filed: 0, now: POLLED };
        let fixed = [
            Setting::from(Site {
                title: "河南城市新闻".into(),
                language: "zh-CN".into(),
                public_url: "http://127.0.0.1:8080".into(),
                contact: None,
                zone: "Asia/Shanghai".into(),
            }),
            Setting::from(Publish { items: 60, hub: "none".into() }),
            Setting::from(Cities::default()),
        ];
        let sources = (0..SOURCES).map(|number| Setting::Source(corpus::source(number).rules.clone()));
        let set = fixed.into_iter().chain(sources).chain(queries()).collect();
        let request = Wire::Request(Request::Settings { at: POLLED, set, gone: Vec::new(), closes: true });
        house.journal.wire.append(None, &[&encode(&request)]).unwrap();
        house.decide();
        house
    }

    /// Has everything on the wire decided; how long the clock says, this thread worked, and all worked.
    fn decide(&mut self) -> [Duration; 3] {
        self.journal.wire.sync().unwrap();
        let (begun, own, all) = (Instant::now(), worked(), worked_by_all());
        while self.editor.step().unwrap() {}
        [begun.elapsed(), worked().saturating_sub(own), worked_by_all().saturating_sub(all)]
    }

    /// The pieces that come next, as filings of one source each.
    fn filings(&self, items: usize) -> Vec<Vec<Item>> {
        let mut filings = Vec::new();
        for number in (0..items).step_by(FILED) {
            let from = self.filed + number as u64;
            let at = self.now.plus(BETWEEN * (number / FILED) as i64);
            let mut filing: Vec<Item> =
                (from..from + FILED as u64).map(|number| item(&piece(number), number, at)).collect();
            let mut pieces: std::collections::BTreeMap<SourceId, Vec<Item>> = std::collections::BTreeMap::new();
            for item in filing.drain(..) {
                pieces.entry(item.source.clone()).or_default().push(item);
            }
            filings.extend(pieces.into_values());
        }
        filings
    }

    fn file(&mut self, items: usize) {
        for filing in self.filings(items) {
            let records: Vec<Vec<u8>> = filing.iter().map(|item| encode(&Wire::Item(Box::new(item.clone())))).collect();
            let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
            let positions = self.journal.wire.append(None, &records).unwrap();
            let (source, at) = (filing[0].source.clone(), filing[0].seen);
            for (item, position) in filing.into_iter().zip(&positions) {
                self.recent.put(*position, item.text);
            }
            let listed = positions.len() as u32;
            let filing = Filing { source, at, items: positions, listed, reading: 1, ..Filing::default() };
            self.journal.wire.append(None, &[&encode(&Wire::Filing(filing))]).unwrap();
        }
        self.filed += items as u64;
        self.now = self.now.plus(BETWEEN * (items / FILED) as i64);
    }

    /// Lets the desk alone decide what comes next, of which nothing is kept: time, stories and texts looked at, and a digest
    /// of the edits.
    fn judge(&mut self) -> ([Duration; 2], [u64; 2], u64) {
        let rules = Rules::new(&self.store.view().settings(), None).0;
        let noise = BTreeSet::new();
        let (mut wall, mut work, mut looked, mut digest) = (Duration::ZERO, Duration::ZERO, [0, 0], 0);
        let mut draft = self.store.draft();
        let mut wire = u64::MAX / 2;
        for (filing, seq) in self.filings(MEASURED).into_iter().zip(self.journal.ledger.next()..) {
            draft.begin(seq, filing[0].seen);
            for item in filing {
                wire += 1;
                let wire = Position { seq: wire, sum: 0 };
                let case = Case {
                    item: &item,
                    wire,
                    at: item.seen,
                    opening: false,
                    held: false,
                    baseline: false,
                    noise: &noise,
                };
                let shelf = Counted {
                    shelf: Reading::beside(&draft, &self.journal, &self.recent),
                    stories: Cell::default(),
                    texts: Cell::default(),
                };
                let (begun, before) = (Instant::now(), worked());
                let edits = desk::decide(&rules, &case, &shelf).unwrap();
                work += worked().saturating_sub(before);
                wall += begun.elapsed();
                looked[0] += shelf.stories.get();
                looked[1] += shelf.texts.get();
                for edit in &edits {
                    digest = hash64(&[&u64::to_le_bytes(digest), &encode(edit)]);
                    draft.edit(edit).unwrap();
                }
                self.recent.put(wire, item.text);
            }
        }
        ([wall, work], looked, digest)
    }

    /// Stops and opens everything again: how long until it could go on.
    fn restart(self) -> (Self, Duration) {
        let Self { journal, store, editor, recent, folder, filed, now } = self;
        store.flush().unwrap();
        drop((journal, store, editor));
        let begun = Instant::now();
        let (journal, store, editor) = open(&folder);
        let taken = begun.elapsed();
        (Self { journal, store, editor, recent, folder, filed, now }, taken)
    }
}

fn open(folder: &TempDir) -> (Journal, Arc<Store>, Editor) {
    let journal = Journal::open(&folder.path().join("journal")).unwrap();
    let store = Arc::new(Store::open(&folder.path().join("store")).unwrap());
    replay(&journal, &store, |_| ()).unwrap();
    let (log, shared) = (journal.clone(), Arc::clone(&store));
    let editor = Editor::new(log, shared, Arc::new(Standing::default()), Arc::default(), Box::new(|_| ()));
    (journal, store, editor)
}

/// What reading costs on the same items: parse and normalise by us, and feed-rs alone, in µs of work an item.
fn reading(from: u64) -> [f64; 2] {
    const DOCUMENTS: u64 = 40;
    const LISTED: u64 = 30;
    let documents: Vec<(citydesk::model::source::Source, String, Vec<u8>)> = (0..DOCUMENTS)
        .map(|document| {
            let source = corpus::source(document as usize);
            let url = source.kind.address().to_owned();
            let mut xml =
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\"><channel><title>来源</title>\
                           <link>http://127.0.0.1/</link><description>示例</description>\n"
                    .to_owned();
            for number in from + document * LISTED..from + (document + 1) * LISTED {
                let piece = piece(number);
                let date = POLLED.utc().to_rfc2822();
                let _ = writeln!(
                    xml,
                    "<item><title>{}</title><link>http://127.0.0.1/{number}.html</link><guid \
                     isPermaLink=\"false\">{number}</guid><pubDate>{date}</pubDate><category>民生</category>\
                     <description><![CDATA[<p>{}</p>]]></description></item>",
                    piece.title,
                    piece.text.replace('。', "。</p><p>")
                );
            }
            xml.push_str("</channel></rss>\n");
            (source, url, xml.into_bytes())
        })
        .collect();
    let items = (DOCUMENTS * LISTED) as usize;
    let mut best = [f64::MAX; 2];
    for _ in 0..if corpus::measuring() { 5 } else { 1 } {
        let before = worked();
        for (source, url, body) in &documents {
            let fetched = Fetched { body, content_type: Some("application/rss+xml"), url, at: POLLED };
            let document = parse::parse(source, &fetched).unwrap();
            let siblings = Siblings::of(&document);
            let identities = normalise::identities(&document, source, url);
            for (raw, (key, hash)) in document.items.iter().zip(identities) {
                std::hint::black_box(normalise::item(raw, key, hash, source, url, POLLED, &siblings));
            }
        }
        best[0] = best[0].min(micros(worked().saturating_sub(before), items));
        let before = worked();
        for (_, _, body) in &documents {
            std::hint::black_box(feed_rs::parser::parse(body.as_slice()).unwrap());
        }
        best[1] = best[1].min(micros(worked().saturating_sub(before), items));
    }
    best
}

fn main() {
    let most: u64 = match std::env::var("CITYDESK_STORIES").ok().and_then(|text| text.parse().ok()) {
        Some(number) => number,
        None if corpus::measuring() => 1_000_000,
        None => 1_000,
    };
    let mut stages: Vec<u64> = [10_000, 100_000, 1_000_000].into_iter().filter(|stage| *stage < most).collect();
    stages.push(most);
    let mut house = House::new();
    let mut first: Option<[f64; 2]> = None;
    for stage in stages {
        let begun = Instant::now();
        while house.filed < stage {
            house.file((FILED * GROUP).min((stage - house.filed) as usize));
            house.decide();
        }
        println!("{stage} items filed and decided, {:.0} s since the stage before", begun.elapsed().as_secs_f64());
        let [read, yardstick] = reading(house.filed);
        let ([wall, work], looked, digest) = house.judge();
        let desk = micros(work, MEASURED);
        println!("  read      {read:.1} µs an item to parse and normalise (feed-rs alone parses in {yardstick:.0})");
        println!(
            "  desk      {desk:.1} µs an item ({:.1} by the clock): {:.2} times reading; {:.2} stories and {:.2} texts \
             looked at; digest {digest:016x}",
            micros(wall, MEASURED),
            desk / read,
            looked[0] as f64 / MEASURED as f64,
            looked[1] as f64 / MEASURED as f64
        );
        let mut taken = [Duration::ZERO; 3];
        for _ in 0..MEASURED / (FILED * GROUP) {
            house.file(FILED * GROUP);
            for (sum, part) in taken.iter_mut().zip(house.decide()) {
                *sum += part;
            }
        }
        let measured = MEASURED / (FILED * GROUP) * FILED * GROUP;
        let [clock, own, all] = taken.map(|taken| micros(taken, measured));
        println!(
            "  editor    {own:.0} µs an item ({clock:.0} by the clock, {all:.0} with what the store does behind it)"
        );
        let base = *first.get_or_insert([desk, own]);
        println!("  growth    desk {:.2}, editor {:.2} times the first stage", desk / base[0], own / base[1]);
        let memory = resident();
        let ([wire, ledger], stories) =
            ([house.journal.wire.bytes(), house.journal.ledger.bytes()], house.store.view().meta().stories);
        let store = house.store.bytes();
        let (reopened, taken) = house.restart();
        house = reopened;
        println!("  memory    {memory} MB resident; restart until ready {:.2} s", taken.as_secs_f64());
        println!(
            "  disk      {stories} stories: wire {} MB, ledger {} MB, store {} MB",
            wire >> 20,
            ledger >> 20,
            store >> 20
        );
    }
}
