//! That the index finds what the evaluator says, no more and no less, whatever changed since it was written.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use tempfile::TempDir;

use super::work::Hand;
use super::*;
use crate::model::edition::EditionId;
use crate::model::id::{ItemKey, SourceId};
use crate::model::place::{Code, Placed, Places};
use crate::model::source::Rank;
use crate::model::story::{Copy, Emission, Entered};
use crate::model::tag::Tag;
use crate::query::PlaceKind;

/// 2026-11-10 12:00 UTC.
const NOW: Time = Time(1_794_312_000_000);

/// Numbers by chance, the same for the same seed (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % sides
    }

    fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.roll(words.len())]
    }
}

/// What texts are made of: few enough that they meet, with all that folding and spacing do.
const WORDS: &[&str] = &[
    "许昌",
    "許昌",
    "昌许",
    "双减",
    "减",
    "学校",
    "校",
    "教育",
    "年",
    "月",
    "，",
    "。",
    " ",
    "——",
    "foo",
    "Foo",
    "bar",
    "G30",
    "Ｇ30",
    "3.5",
    "3·5",
    "12,345",
    "2026",
    "Straße",
    "cafe\u{301}",
    "許\u{200b}昌",
    "뉴스",
    "한국",
    "ข่าว",
    "\n",
];

/// An archive in memory; each change is a ledger record.
struct World {
    stories: Mutex<BTreeMap<StoryNo, Story>>,
    items: Mutex<BTreeMap<u64, Item>>,
    ledger: Mutex<Vec<Vec<StoryNo>>>,
    /// What tells this ledger from another.
    sum: u32,
    room: AtomicBool,
}

impl World {
    fn new(sum: u32) -> Arc<Self> {
        let ledger = Mutex::new(vec![Vec::new()]);
        Arc::new(Self { stories: Mutex::default(), items: Mutex::default(), ledger, sum, room: AtomicBool::new(true) })
    }

    fn put(&self, story: Story) {
        let no = story.no;
        self.stories.lock().unwrap().insert(no, story);
        self.ledger.lock().unwrap().push(vec![no]);
    }

    fn text(&self, dice: &mut Dice) -> Position {
        let words = |dice: &mut Dice, most| -> String {
            (0..dice.roll(most)).map(|_| dice.pick(WORDS)).collect::<Vec<_>>().join(dice.pick(&["", "", " "]))
        };
        let item = Item { summary: words(dice, 6), text: words(dice, 30), ..Item::default() };
        let mut items = self.items.lock().unwrap();
        let seq = items.len() as u64 + 1;
        items.insert(seq, item);
        Position { seq, sum: 0 }
    }

    /// A story by chance, in place of the one with this number.
    fn story(&self, no: u64, dice: &mut Dice) -> Story {
        let placed = |code, name: &str, counties: &[u32]| Placed {
            code: Code(code),
            name: name.to_owned(),
            score: 900,
            evidence: Vec::new(),
            counties: counties.iter().copied().map(Code).collect(),
            point: None,
        };
        let mut places = Places::default();
        if dice.roll(2) == 0 {
            places.cities.push(placed(411_000, "许昌市", if dice.roll(2) == 0 { &[411_082] } else { &[] }));
            places.provinces.push(placed(410_000, "河南省", &[]));
        }
        if dice.roll(4) == 0 {
            places.cities.push(placed(410_100, "郑州市", &[]));
        }
        let tags = ["教育", "交通", "Schools"].into_iter().filter(|_| dice.roll(3) == 0).filter_map(Tag::new).collect();
        let copies: Vec<Copy> = (0..=if dice.roll(3) == 0 { dice.roll(4) } else { 0 })
            .map(|copy| Copy {
                source: SourceId::new(dice.pick(&["dahe", "xuchang-gov", "portal"])).unwrap(),
                key: ItemKey::guid(&format!("{no}-{copy}")),
                rank: [Rank::Origin, Rank::Media, Rank::Reprint][dice.roll(3)],
                wire: self.text(dice),
                ..Copy::default()
            })
            .collect();
        let title = (0..=dice.roll(5)).map(|_| dice.pick(WORDS)).collect::<String>();
        let published = NOW.plus(-(dice.roll(40) as i64) * 6 * Time::HOUR);
        let shown = dice.roll(copies.len());
        let language = [None, None, Some("en-GB".to_owned()), Some("zh_Hant_TW".to_owned())][dice.roll(4)].clone();
        let emission = Emission {
            title,
            published,
            language,
            text: copies[shown].wire,
            summary: "印出的摘要".to_owned(),
            ..Emission::default()
        };
        let entered = Entered {
            edition: EditionId::All,
            at: NOW.plus((no as i64 - 100) * Time::MINUTE - (dice.roll(3) as i64) * Time::HOUR),
            left: false,
            paged: false,
            late: false,
            since: 0,
            gone: 0,
        };
        let former = self.stories.lock().unwrap().get(&StoryNo(no)).and_then(|story| story.entries.first().cloned());
        Story {
            no: StoryNo(no),
            shown: shown as u32,
            copies,
            emission: (dice.roll(12) != 0).then_some(emission),
            places,
            tags,
            entries: vec![former.unwrap_or(entered)],
            spiked: dice.roll(15) == 0,
            retired_into: (dice.roll(15) == 0).then_some(StoryNo(1)),
            ..Story::default()
        }
    }

    /// What a plain look at every story finds, newest first.
    fn scan(&self, query: &Query) -> Vec<Order> {
        let stories = self.stories.lock().unwrap();
        let item = |at| self.item(at);
        let matching = stories.values().filter(|story| matches(query, story, &item, Some(NOW), "zh-CN"));
        let mut found: Vec<Order> = matching.filter_map(order).collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        found
    }
}

impl Archive for World {
    fn desk(&self) -> Guid {
        Guid::default()
    }

    fn applied(&self) -> Position {
        Position { seq: self.ledger.lock().unwrap().len() as u64, sum: self.sum }
    }

    fn holds(&self, at: Position) -> bool {
        at.sum == self.sum && at.seq <= self.applied().seq
    }

    fn story(&self, no: StoryNo) -> Result<Option<Story>> {
        Ok(self.stories.lock().unwrap().get(&no).cloned())
    }

    fn stories(&self, from: StoryNo, most: usize) -> Result<Vec<Story>> {
        Ok(self.stories.lock().unwrap().range(from..).take(most).map(|(_, story)| story.clone()).collect())
    }

    fn newest(&self, before: Option<Order>, most: usize) -> Result<Vec<(Order, Story)>> {
        let stories = self.stories.lock().unwrap();
        let mut all: Vec<_> = stories.values().filter_map(|story| Some((order(story)?, story.clone()))).collect();
        all.retain(|(order, _)| before.is_none_or(|before| *order < before));
        all.sort_unstable_by_key(|(order, _)| std::cmp::Reverse(*order));
        all.truncate(most);
        Ok(all)
    }

    fn changed(&self, after: Position) -> Result<(Vec<StoryNo>, Position)> {
        let stories = self.ledger.lock().unwrap().iter().skip(after.seq as usize).flatten().copied().collect();
        Ok((stories, self.applied()))
    }

    fn item(&self, at: Position) -> Option<Item> {
        self.items.lock().unwrap().get(&at.seq).cloned()
    }

    fn has_room(&self) -> bool {
        self.room.load(Ordering::Relaxed)
    }
}

/// A search over a world, with its thread's work done by hand.
struct Bench {
    search: Search,
    hand: Option<Hand>,
    folder: TempDir,
}

impl Bench {
    fn over(world: Arc<World>, folder: TempDir) -> Self {
        let mut search = Search::new(world, &folder.path().join("search"));
        search.soon = Duration::ZERO;
        Self { search, hand: None, folder }
    }

    fn new(world: Arc<World>) -> Self {
        Self::over(world, TempDir::new().unwrap())
    }

    /// Until there is nothing to do.
    fn settle(&mut self) {
        while self.search.step(&mut self.hand).unwrap().is_some() {}
    }

    /// All hits, page by page.
    fn found(&self, query: &Query, limit: usize) -> Vec<Order> {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let ask = Ask { query, before, limit, now: NOW, language: "zh-CN" };
            let page = self.search.page(&ask).unwrap();
            assert!(page.hits.len() <= limit);
            found.extend(page.hits.iter().map(|(order, _)| *order));
            if page.next.is_none() {
                return found;
            }
            before = page.next;
        }
    }

    fn tally(&self, query: &Query) -> Tally {
        let ask = Ask { query, before: None, limit: 1, now: NOW, language: "zh-CN" };
        self.search.tally(&ask, &[NOW.plus(-5 * Time::DAY), NOW.plus(-Time::DAY), NOW.plus(Time::DAY)]).unwrap()
    }
}

fn parsed(text: &str) -> Option<Query> {
    let mut query = Query::parse(text).ok()?;
    let unresolved = query.resolve(&mut |term| match (term.kind, term.name) {
        (PlaceKind::City, "许昌") => Some(Code(411_000)),
        (PlaceKind::City, "长葛") => Some(Code(411_082)),
        (PlaceKind::Province, "河南") => Some(Code(410_000)),
        _ => None,
    });
    drop(unresolved);
    Some(query)
}

/// A query by chance.
fn asked(dice: &mut Dice, depth: usize) -> String {
    let mut parts = Vec::new();
    for _ in 0..=dice.roll(3) {
        let minus = if dice.roll(4) == 0 { "-" } else { "" };
        let term = match dice.roll(16) {
            0..=4 => dice
                .pick(&["许昌", "减", "年", "foo", "bar", "校教", "2026年", "3.5", "뉴스", "昌双", "café", "12345"])
                .to_owned(),
            5 | 6 => format!("\"{}{}{}\"", dice.pick(WORDS), dice.pick(WORDS), dice.pick(WORDS)).replace('\n', " "),
            7 => format!("title:{}", dice.pick(&["许昌", "foo", "校", "\"减 foo\"", "G30"])),
            8 => dice.pick(&["city:许昌", "city:长葛", "city:郑州市", "province:河南"]).to_owned(),
            9 => dice.pick(&["tag:教育", "tag:schools", "source:dahe", "source:portal"]).to_owned(),
            10 => dice.pick(&["rank:origin", "rank:media", "rank:reprint"]).to_owned(),
            11 => dice.pick(&["lang:zh", "lang:en", "lang:zh-hant", "lang:de"]).to_owned(),
            12 => dice.pick(&["after:3d", "before:2026-11-08", "after:2026-11-01", "before:12h"]).to_owned(),
            13 => dice.pick(&["copies>=2", "copies<2", "copies=3", "copies>0"]).to_owned(),
            _ if depth > 0 => format!("({})", asked(dice, depth - 1)),
            _ => "学校".to_owned(),
        };
        parts.push(format!("{minus}{term}"));
        if dice.roll(3) == 0 {
            parts.push("OR".to_owned());
            parts.push(dice.pick(&["教育", "foo", "-许昌", "tag:交通", "月"]).to_owned());
        }
    }
    parts.join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_what_the_evaluator_says(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let world = World::new(7);
        for no in 1..=60 {
            world.put(world.story(no, &mut dice));
        }
        let mut bench = Bench::new(Arc::clone(&world));
        prop_assert!(!bench.search.is_indexed());
        let mut tried = 0;
        for round in 0..4 {
            if round > 0 {
                // What was written stays behind what happens then: new stories, changed ones, texts that are gone.
                bench.settle();
                prop_assert!(bench.search.is_indexed());
                for _ in 0..round * 4 {
                    let no = 1 + dice.roll(70) as u64;
                    world.put(world.story(no, &mut dice));
                }
            }
            for _ in 0..40 {
                let text = asked(&mut dice, 2);
                let Some(query) = parsed(&text) else { continue };
                tried += 1;
                let expected = world.scan(&query);
                let found = bench.found(&query, 1 + dice.roll(20));
                prop_assert_eq!(&found, &expected, "{} (round {})", text, round);
                let tally = bench.tally(&query);
                prop_assert!(!tally.exact || tally.stories == expected.len() as u64, "{}: {:?}", text, tally);
                prop_assert!(tally.exact, "{}: {:?}", text, tally);
            }
        }
        prop_assert!(tried > 100, "only {} queries could be parsed", tried);
    }
}

#[test]
fn pages_go_on_while_stories_arrive() {
    let (world, mut dice) = (World::new(1), Dice::new(3));
    let plain = |world: &World, no: u64, dice: &mut Dice| loop {
        let story = world.story(no, dice);
        if order(&story).is_some() {
            world.put(story);
            return;
        }
    };
    for no in 1..=50 {
        plain(&world, no, &mut dice);
    }
    let mut bench = Bench::new(Arc::clone(&world));
    bench.settle();
    let query = parsed("copies>0").unwrap();
    let expected = world.scan(&query);
    assert_eq!(expected.len(), 50);
    let (mut found, mut before) = (Vec::new(), None);
    for step in 0.. {
        let page = bench.search.page(&Ask { query: &query, before, limit: 7, now: NOW, language: "zh" }).unwrap();
        found.extend(page.hits.iter().map(|(order, _)| *order));
        // New ones, written or not.
        plain(&world, 1_000 + step, &mut dice);
        if step % 2 == 0 {
            bench.settle();
        }
        let Some(next) = page.next else { break };
        before = Some(next);
    }
    assert_eq!(found, expected);
}

#[test]
fn a_foreign_broken_or_missing_index_is_made_again() {
    let (world, mut dice) = (World::new(1), Dice::new(9));
    for no in 1..=300 {
        world.put(world.story(no, &mut dice));
    }
    let mut bench = Bench::new(Arc::clone(&world));
    let query = parsed("许昌 -foo").unwrap();
    let expected = world.scan(&query);
    assert!(expected.len() > 10);
    assert_eq!(bench.found(&query, 20), expected, "without an index");
    bench.settle();
    assert_eq!(bench.found(&query, 20), expected);
    let standing = bench.search.standing();
    assert_eq!((standing.seq, standing.waiting, standing.absent), (301, 0, None));
    assert!(standing.bytes > 1_000 && standing.stories > 200);

    // Opened again, it stands where it stood; what was recorded meanwhile is found before it is written.
    for no in 301..=310 {
        world.put(world.story(no, &mut dice));
    }
    let folder = bench.folder;
    bench = Bench::over(Arc::clone(&world), folder);
    assert!(bench.search.step(&mut bench.hand).unwrap().is_some());
    assert!(bench.search.is_indexed());
    assert_eq!(bench.search.standing().seq, 301);
    assert_eq!(bench.found(&query, 20), world.scan(&query));
    bench.settle();
    assert_eq!(bench.search.standing().seq, 311);

    // Another ledger: not one story of the former one is found.
    let other = World::new(2);
    for no in 1..=400 {
        other.put(other.story(no, &mut dice));
    }
    let folder = bench.folder;
    bench = Bench::over(Arc::clone(&other), folder);
    bench.settle();
    assert_eq!(bench.found(&query, 20), other.scan(&query));

    // Broken files: found without them, and made again.
    for file in std::fs::read_dir(bench.folder.path().join("search")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "term" || extension == "idx" || extension == "fast") {
            std::fs::write(path, b"broken").unwrap();
        }
    }
    let folder = bench.folder;
    bench = Bench::over(Arc::clone(&other), folder);
    let search = Arc::new(std::mem::replace(&mut bench.search, Search::new(world, std::path::Path::new("none"))));
    let worker = {
        let search = Arc::clone(&search);
        std::thread::spawn(move || search.work())
    };
    let ask = Ask { query: &query, before: None, limit: 500, now: NOW, language: "zh-CN" };
    let orders = || search.page(&ask).unwrap().hits.iter().map(|(order, _)| *order).collect::<Vec<_>>();
    for _ in 0..600 {
        assert_eq!(orders(), other.scan(&query));
        if search.is_indexed() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(search.is_indexed(), "{:?}", search.standing());
    search.stop();
    search.nudge();
    worker.join().unwrap();
}

#[test]
fn costs_are_bounded_and_the_cursor_goes_on() {
    let (world, mut dice) = (World::new(1), Dice::new(5));
    for no in 1..=2_300 {
        world.put(world.story(no, &mut dice));
    }
    let bench = Bench::new(Arc::clone(&world));
    // Without an index: story by story, so many at a time.
    let query = parsed("\"昌许foo昌许\" OR \"减bar减bar\"").unwrap();
    let first = bench.search.page(&Ask { query: &query, before: None, limit: 10, now: NOW, language: "zh" }).unwrap();
    assert!(first.cut && first.next.is_some() && first.looked == Page::LOOKED, "{first:?}");
    assert_eq!(bench.found(&query, 10), world.scan(&query));
    let tally = bench.tally(&query);
    assert!(tally.cut && !tally.exact);
}

#[test]
fn what_is_taken_out_leaves_the_files() {
    let (world, mut dice) = (World::new(1), Dice::new(11));
    for no in 1..=40 {
        world.put(Story { spiked: false, retired_into: None, ..world.story(no, &mut dice) });
    }
    let secret = "zebrafish";
    let mut story = Story { spiked: false, retired_into: None, ..world.story(20, &mut dice) };
    story.emission = Some(Emission { title: secret.to_owned(), ..Emission::default() });
    world.put(story.clone());
    let mut bench = Bench::new(Arc::clone(&world));
    bench.settle();
    let holds = |bench: &Bench| {
        let state = bench.search.lock();
        let shelf = state.shelf.as_ref().unwrap();
        shelf.searcher.segment_readers().iter().any(|segment| {
            let terms = segment.inverted_index(shelf.fields.title).unwrap();
            terms.terms().term_ord(secret.as_bytes()).unwrap().is_some()
        })
    };
    assert!(holds(&bench));
    story.spiked = true;
    world.put(story);
    bench.settle();
    assert_eq!(bench.found(&parsed(secret).unwrap(), 5), []);
    assert!(!holds(&bench), "its words still stand in the index");
    // The files of before go with the next commit.
    world.put(world.story(41, &mut dice));
    bench.settle();
    let state = bench.search.lock();
    let live: Vec<String> =
        state.shelf.as_ref().unwrap().searcher.segment_readers().iter().map(|s| s.segment_id().uuid_string()).collect();
    for file in std::fs::read_dir(bench.folder.path().join("search")).unwrap() {
        let name = file.unwrap().file_name().to_string_lossy().into_owned();
        let of = name.split('.').next().unwrap_or_default();
        assert!(of.len() != 32 || live.iter().any(|id| id == of), "{name} is left");
    }
}

#[test]
fn without_room_nothing_is_written_and_all_is_found() {
    let (world, mut dice) = (World::new(1), Dice::new(13));
    for no in 1..=40 {
        world.put(world.story(no, &mut dice));
    }
    world.room.store(false, Ordering::Relaxed);
    let mut bench = Bench::new(Arc::clone(&world));
    for _ in 0..3 {
        let wait = bench.search.step(&mut bench.hand).unwrap();
        assert!(wait.is_some());
    }
    assert!(!bench.search.is_indexed());
    let query = parsed("许昌").unwrap();
    assert_eq!(bench.found(&query, 50), world.scan(&query));
    world.room.store(true, Ordering::Relaxed);
    bench.settle();
    assert!(bench.search.is_indexed());
}
