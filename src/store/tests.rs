//! Killed between any two batches of a commit, however often, and replayed in other steps: the same store.

use super::layout::{Block, Head, entries_prefix, unpack};
use super::*;
use std::collections::BTreeSet;

use crate::model::edit::{Body, Cause, Edit, Progress};
use crate::model::edition::{EditionId, Order};
use crate::model::id::{Guid, ItemKey, StoryNo};
use crate::model::place::{Code, Places};
use crate::model::push::Stage;
use crate::model::setting::{Publish, SavedFeed, Site, TagRule};
use crate::model::story::{Copy, Emission, Sharer, Sharing, Story};
use crate::model::tag::Tag;
use crate::model::time::Time;
use crate::model::websub::{Delivered, Mark, Secret, Subscription, Topic};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

/// What the generator must know of a story to decide only what an editor would.
#[derive(Default)]
struct Told {
    no: u64,
    copies: u64,
    emitted: bool,
    stood: Vec<EditionId>,
    over: bool,
    retired_into: Option<usize>,
    spiked: bool,
}

/// Makes ledgers that an editor might have written.
struct Author {
    dice: Dice,
    now: i64,
    told: Vec<Told>,
    spikes: bool,
}

impl Author {
    fn editions() -> Vec<EditionId> {
        vec![
            EditionId::All,
            EditionId::City(Code(411_000)),
            EditionId::City(Code(410_100)),
            EditionId::Province(Code(410_000)),
            EditionId::Tag("教育".into()),
            EditionId::Source(SourceId::new("a").unwrap()),
            EditionId::Saved("s".into()),
        ]
    }

    fn copy(&mut self, no: u64, copy: u64) -> Box<Copy> {
        Box::new(Copy {
            source: SourceId::new(["a", "b", "c"][self.dice.roll(3) as usize]).unwrap(),
            key: ItemKey::guid(&format!("{no}-{copy}")),
            hash: self.dice.roll(9),
            canonical: format!("x.example/{}", self.dice.roll(6)),
            title: ["许昌出台稳外贸十条措施", "焦作市民健身步道建成", "郑州新增两条公交线路"]
                [self.dice.roll(3) as usize]
                .into(),
            ..Copy::default()
        })
    }

    fn emission(&mut self) -> Box<Emission> {
        let tags =
            if self.dice.one_in(2) { vec![Tag { id: "教育".into(), name: "教育".into() }] } else { Vec::new() };
        Box::new(Emission { title: self.dice.roll(99).to_string(), tags, ..Emission::default() })
    }

    /// The story enters some of the editions it never stood in.
    fn enter(&mut self, index: usize, edits: &mut Vec<Edit>) {
        // As in a store's first day: many enter below the newest.
        let at = Time(self.now - if self.dice.one_in(2) { self.dice.roll(90_000) as i64 } else { 0 });
        let sides = 1 + self.dice.roll(3);
        let mut editions = Self::editions();
        editions.retain(|edition| {
            (*edition == EditionId::All || self.dice.one_in(sides)) && !self.told[index].stood.contains(edition)
        });
        if !editions.is_empty() {
            self.told[index].stood.extend(editions.iter().cloned());
            edits.push(Edit::Enter { story: StoryNo(self.told[index].no), at, editions });
        }
    }

    fn open(&mut self, edits: &mut Vec<Edit>) {
        let no = self.told.len() as u64 + 1;
        let copy = self.copy(no, 0);
        let guid = Guid::mint(&copy.source, &copy.key, 0);
        edits.push(Edit::Open { story: StoryNo(no), guid, copy });
        self.told.push(Told { no, copies: 1, ..Told::default() });
        if !self.dice.one_in(5) {
            self.print(no as usize - 1, Cause::First, edits);
        }
    }

    fn print(&mut self, index: usize, cause: Cause, edits: &mut Vec<Edit>) {
        let story = StoryNo(self.told[index].no);
        let shown = self.dice.roll(self.told[index].copies) as u32;
        edits.push(Edit::Judge { story, shown, places: Places::default(), tags: Vec::new() });
        self.told[index].emitted = true;
        edits.push(Edit::Emit { story, emission: self.emission(), cause });
        if cause != Cause::First && self.dice.one_in(2) {
            let mut editions = self.told[index].stood.clone();
            editions.retain(|edition| *edition != EditionId::All && self.dice.one_in(3));
            if !editions.is_empty() {
                edits.push(Edit::Leave { story, editions });
            }
        }
        self.enter(index, edits);
    }

    /// A changed rule moves a story.
    fn refile(&mut self, index: usize, edits: &mut Vec<Edit>) {
        let told = &mut self.told[index];
        if !told.emitted {
            return;
        }
        let mut editions = Self::editions();
        editions.retain(|edition| *edition != EditionId::All && self.dice.one_in(3));
        let leaves: Vec<EditionId> = editions.iter().filter(|_| self.dice.one_in(2)).cloned().collect();
        let joins: Vec<EditionId> = editions.into_iter().filter(|edition| !leaves.contains(edition)).collect();
        let fresh: Vec<_> = joins.iter().filter(|edition| !told.stood.contains(edition)).cloned().collect();
        told.stood.extend(fresh);
        let at = Time(self.now - self.dice.roll(9_000_000) as i64);
        edits.push(Edit::Refile { story: StoryNo(told.no), at, joins, leaves });
    }

    /// Some copies go to a new story, or to one that was retired into this one.
    fn split(&mut self, index: usize, edits: &mut Vec<Edit>) {
        let back = (0..self.told.len()).find(|other| self.told[*other].retired_into == Some(index));
        let to = back.unwrap_or(self.told.len());
        let no = to as u64 + 1;
        let copies = vec![*self.copy(self.told[index].no, 0), *self.copy(no, 7)];
        let guid = Guid::mint(&copies[1].source, &copies[1].key, 0);
        if back.is_none() {
            self.told.push(Told { no, ..Told::default() });
        }
        let told = &mut self.told[to];
        (told.copies, told.over, told.retired_into) = (2, false, None);
        edits.push(Edit::Split {
            from: StoryNo(self.told[index].no),
            left: 0,
            to: StoryNo(no),
            guid,
            fresh: back.is_none(),
            copies,
            shown: 1,
            absorbed: Vec::new(),
        });
        if !self.told[to].emitted {
            self.print(to, Cause::First, edits);
        }
    }

    fn edits(&mut self) -> Vec<Edit> {
        let mut edits = Vec::new();
        for _ in 0..=self.dice.roll(6) {
            if let Some(index) = self.told.iter().position(|told| told.spiked).filter(|_| self.dice.one_in(6)) {
                let mut editions = self.told[index].stood.clone();
                editions.retain(|_| !self.dice.one_in(3));
                edits.push(Edit::Reinstate { story: StoryNo(self.told[index].no), editions });
                (self.told[index].over, self.told[index].spiked) = (false, false);
                continue;
            }
            let alive: Vec<usize> = (0..self.told.len()).filter(|i| !self.told[*i].over).collect();
            if alive.len() < 4 || self.dice.one_in(2) {
                self.open(&mut edits);
                continue;
            }
            let index = alive[self.dice.roll(alive.len() as u64) as usize];
            let story = StoryNo(self.told[index].no);
            match self.dice.roll(16) {
                12..=14 => self.refile(index, &mut edits),
                15 => {
                    let tags = vec![Tag { id: "教育".into(), name: "教育".into() }];
                    edits.push(Edit::Retag { story, tags });
                }
                0..=3 => {
                    let copy = self.copy(story.0, self.told[index].copies);
                    self.told[index].copies += 1;
                    edits.push(Edit::Join { story, copy });
                    if !self.told[index].emitted {
                        self.print(index, Cause::First, &mut edits);
                    }
                }
                4..=5 => {
                    let copy = self.copy(story.0, 0);
                    edits.push(Edit::Revise { story, copy });
                    if self.told[index].emitted {
                        self.print(index, Cause::Edited, &mut edits);
                    }
                }
                6..=7 => {
                    let Copy { source, key, hash, .. } = *self.copy(story.0, 0);
                    edits.push(Edit::See { story, source, key, hash });
                }
                8 => {
                    let other = alive[self.dice.roll(alive.len() as u64) as usize];
                    if other != index {
                        let retired = StoryNo(self.told[other].no);
                        let copies = (0..self.told[other].copies).map(|copy| *self.copy(retired.0, copy)).collect();
                        edits.push(Edit::Retire {
                            story: retired,
                            into: story,
                            copies,
                            absorbed: Vec::new(),
                            apart: Vec::new(),
                        });
                        self.told[other].over = true;
                        self.told[other].retired_into = Some(index);
                        self.told[index].copies += self.told[other].copies;
                    }
                }
                10 => self.split(index, &mut edits),
                9 if self.spikes => {
                    edits.push(Edit::Spike { story });
                    (self.told[index].over, self.told[index].spiked) = (true, true);
                }
                _ => {
                    let editions = Self::editions();
                    let edition = editions[self.dice.roll(7) as usize].clone();
                    let through = Order { at: Time(self.now), story: story.0 };
                    if self.told.iter().any(|told| told.stood.contains(&edition)) {
                        edits.push(Edit::Run { edition, number: 1, through, generation: 0 });
                    }
                }
            }
        }
        edits.push(Edit::Filed {
            source: SourceId::new(["a", "b", "c"][self.dice.roll(3) as usize]).unwrap(),
            filing: Position::default(),
            reading: self.dice.roll(2),
            at: Time(self.now),
            items: 3,
            title: self.dice.one_in(2).then(|| "t".into()),
            home: None,
            listed: self.dice.roll(2) as u32,
            tags: vec![("站".into(), 3), (format!("t{}", self.dice.roll(40)), 1)],
        });
        edits
    }

    fn settings(&mut self) -> Body {
        let mut set = Vec::new();
        if self.dice.one_in(2) {
            set.push(Setting::from(Publish { items: 1 + self.dice.roll(90) as u32, hub: "none".into() }));
        }
        if self.dice.one_in(2) {
            let title = self.dice.roll(3).to_string();
            set.push(Setting::from(Site {
                title,
                language: String::new(),
                public_url: String::new(),
                contact: None,
                zone: String::new(),
            }));
        }
        let id = self.dice.roll(3).to_string();
        let mut gone = Vec::new();
        if self.dice.one_in(2) {
            set.push(Setting::from(SavedFeed { id, title: String::new(), when: String::new() }));
        } else {
            gone.push(format!("feed/{id}"));
        }
        if self.dice.one_in(2) {
            let rule = |id: u64| TagRule { id: format!("规则{id}"), when: id.to_string() };
            set.push(Setting::Tags((0..self.dice.roll(3)).map(rule).collect()));
        }
        Body::Settings { set, gone, closes: !self.dice.one_in(2) }
    }

    fn record(&mut self) -> Record {
        self.now += self.dice.roll(3_000) as i64;
        let body = match self.dice.roll(14) {
            0..=1 => self.settings(),
            12 => {
                let extension = ["rss", "atom"][self.dice.roll(2) as usize].to_owned();
                let number = 1 + self.dice.roll(6);
                let subscription = Subscription {
                    topic: Topic { edition: EditionId::All, extension },
                    callback: number.to_string(),
                    secret: None,
                    until: Time(self.now + self.dice.roll(9_000) as i64),
                    since: Time(self.now),
                    from: self.dice.roll(50),
                };
                Body::Subscription { number, subscription }
            }
            13 if self.dice.one_in(2) => Body::Unsubscribed(vec![1 + self.dice.roll(6), 1 + self.dice.roll(6)]),
            13 => {
                let what = Delivered { version: self.dice.roll(90), content: self.dice.roll(9) };
                Body::Delivered(vec![Mark { what, to: (0..self.dice.roll(7)).collect() }])
            }
            2 => {
                let editions = Self::editions();
                Body::Switch { edition: editions[self.dice.roll(7) as usize].clone(), generation: 1 }
            }
            _ => Body::Edits(self.edits()),
        };
        Record { at: Time(self.now), progress: Progress::default(), body }
    }
}

fn ledger(seed: u64, records: u64) -> Vec<(Position, Record)> {
    let mut author =
        Author { dice: Dice(seed), now: 1_790_000_000_000, told: Vec::new(), spikes: seed.is_multiple_of(2) };
    let all = (1..=records).map(|seq| {
        let record = author.record();
        (Position { seq, sum: crc32fast::hash(&codec::encode(&record)) }, record)
    });
    all.collect()
}

fn contents(store: &Store) -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let pairs = store.trees.folded().into_iter().flat_map(|(name, tree)| {
        tree.iter().map(move |pair| {
            let (key, value) = pair.unwrap();
            (name, key.to_vec(), value.to_vec())
        })
    });
    let mut all: Vec<_> = pairs.collect();
    store.keys.each(|at, value| all.push(("keys", format!("{at:?}").into_bytes(), value.to_vec()))).unwrap();
    all
}

/// What the blocks hold must be what the heads and the stories say.
fn sound(store: &Store, what: &str) {
    for pair in &store.trees.editions {
        let (key, value) = pair.unwrap();
        let edition = EditionId::parse(std::str::from_utf8(&key).unwrap()).unwrap();
        let head: Head = unpack(&value).unwrap().1;
        let list = |prefix: Vec<u8>| {
            let mut orders = Vec::new();
            for pair in store.trees.entries.scan_prefix(prefix) {
                let block: Block = unpack(&pair.unwrap().1).unwrap().1;
                assert!(block.entries.len() <= layout::BLOCK, "{what}");
                orders.extend(block.entries);
            }
            assert!(orders.is_sorted_by(|a, b| a > b), "{what}: {edition:?} is not in order");
            orders
        };
        let (entered, late) = (list(entries_prefix(&edition)), list(layout::late_prefix(&edition)));
        let mut gone = list(layout::gone_prefix(&edition));
        let mut told = [Vec::new(), Vec::new()];
        let mut told_gone = Vec::new();
        let mut shown = 0;
        let view = store.view();
        for story in view.stories(StoryNo(1)) {
            let story = story.unwrap();
            for it in story.entries.iter().filter(|it| it.edition == edition && !story.spiked) {
                let order = Order { at: it.at, story: story.no.0 };
                told[usize::from(it.late)].push(order);
                told_gone.extend((it.gone > 0).then_some(order));
                shown += u64::from(it.shown());
            }
            gone.retain(|order| order.story != story.no.0 || !story.spiked);
        }
        for orders in &mut told {
            orders.sort_by(|a, b| b.cmp(a));
        }
        assert_eq!([entered, late], told, "{what}: {edition:?} holds others than the stories say");
        told_gone.sort_by(|a, b| b.cmp(a));
        assert_eq!(gone, told_gone, "{what}: of {edition:?} others have gone than the stories say");
        assert_eq!(head.entries, shown, "{what}: {edition:?} is counted wrong");
    }
    for story in store.view().stories(StoryNo(1)) {
        let story = story.unwrap();
        let card = store.trees.cards.get(layout::story_key(story.no)).unwrap().unwrap();
        assert_eq!(unpack::<Story>(&card).unwrap().1, story.card(), "{what}: the card is another story's");
    }
    let (mut all, mut once) = (0, BTreeSet::new());
    let mut items = |at: keys::Key| {
        all += 1;
        once.insert(at.hash);
    };
    store
        .keys
        .each(|at, _| {
            if at.kind == keys::Kind::Items {
                items(at);
            }
        })
        .unwrap();
    assert_eq!(once.len(), all, "{what}: an item stands in one volume");
}

#[test]
fn what_stands_in_many_volumes_is_found_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let source = SourceId::new("a").unwrap();
    let stories = Volume::STORIES * 20 + 3;
    let copy = |key: u64, no: u64| Copy {
        source: source.clone(),
        key: ItemKey::guid(&key.to_string()),
        canonical: format!("x.example/{}", no % 7),
        title: format!("许昌出台稳外贸十条措施{no}"),
        sketch: vec![no % 5, 1_000 + no, 10_000 + no / 2, 20_000 + no],
        named: vec![Code(411_000)],
        ..Copy::default()
    };
    for no in 1..=stories {
        let mut draft = store.draft();
        let guid = Guid::mint(&source, &ItemKey::guid(&no.to_string()), 0);
        let open = Edit::Open { story: StoryNo(no), guid, copy: Box::new(copy(no, no)) };
        let mut edits = vec![open];
        if no == stories {
            // An item of the oldest volume is filed under the newest story, then again under the oldest.
            for story in [no, 1] {
                edits.push(Edit::Join { story: StoryNo(story), copy: Box::new(copy(3, 3)) });
            }
        }
        let record = Record { at: Time(no as i64), progress: Progress::default(), body: Body::Edits(edits) };
        draft.record(Position { seq: no, sum: 0 }, &record).unwrap();
        store.commit(draft.finish()).unwrap();
    }
    for opened_again in [false, true] {
        if opened_again {
            drop(store);
            store = Store::open(folder.path()).unwrap();
            assert!(store.draft().by_guid(Guid::default()).unwrap().is_none());
            store.keys.wait();
        }
        let (draft, view) = (store.draft(), store.view());
        let numbers = |sharers: Vec<Sharer>| sharers.iter().map(|sharer| sharer.no.0).collect::<Vec<_>>();
        let near = (stories / Volume::STORIES - u64::from(Volume::NEAR) + 1) * Volume::STORIES;
        let newest: Vec<u64> = (near..=stories).rev().filter(|no| no % 5 == 2).take(Sharer::MOST).collect();
        // By a text alone: the same title would be a further key.
        let text = |sketch: &[u64]| {
            let copy = Copy { sketch: sketch.to_vec(), ..Copy::default() };
            draft.sharing(&copy).unwrap().text.into_iter().map(numbers).collect::<Vec<_>>()
        };
        assert_eq!(text(&[2, 1_000_000]), [newest, vec![]]);
        assert_eq!(text(&[1_000 + near]), [[near]]);
        assert_eq!(text(&[1_000 + near - 1]), [[0; 0]], "a piece of a text of long ago alone");
        assert_eq!(text(&[1_000 + 9, 10_000 + 4]), [[0; 0]; 2], "two");
        // Story 8 shares the second of these alone.
        assert_eq!(text(&[1_000 + 9, 10_000 + 4, 20_000 + 9]), [[9], [9], [9]]);
        let Sharing { link, headline, .. } = draft.sharing(&copy(0, stories)).unwrap();
        assert_eq!(numbers(headline[0].clone()), (1..=stories).rev().take(Sharer::MOST).collect::<Vec<_>>());
        assert_eq!(numbers(link).len(), Sharer::MOST);
        let links = view.sharing_link("x.example/3").unwrap();
        assert!(links.len() >= Sharer::MOST && links.contains(&StoryNo(stories)), "{links:?}");
        assert!(!links.contains(&StoryNo(10)), "the oldest are forgotten: {links:?}");
        assert_eq!(view.known(&source, &ItemKey::guid("3")).unwrap().unwrap().story, StoryNo(1));
        assert_eq!(view.known(&source, &ItemKey::guid("40")).unwrap().unwrap().story, StoryNo(40));
        assert!(view.known(&source, &ItemKey::guid("0")).unwrap().is_none());
        let guid = Guid::mint(&source, &ItemKey::guid("5"), 0);
        assert_eq!(view.by_guid(guid).unwrap().unwrap().no, StoryNo(5));
        drop(view);
        sound(&store, "many volumes");
    }
}

#[test]
fn killed_between_any_two_batches_and_replayed_it_is_the_same_store() {
    let seeds = std::env::var("CITYDESK_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    for seed in 0..seeds {
        let ledger = ledger(seed, 90);
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let undisturbed = Store::open(folders[0].path()).unwrap();
        for (position, record) in &ledger {
            undisturbed.apply(*position, record).unwrap();
        }
        sound(&undisturbed, "undisturbed");
        let mut store = Store::open(folders[1].path()).unwrap();
        let mut dice = Dice(seed + 1_000);
        let mut kills = 0;
        loop {
            let applied = store.view().meta().applied.seq as usize;
            if applied == ledger.len() {
                break;
            }
            let sides = if dice.one_in(4) { 40 } else { 6 };
            let steps = 1 + dice.roll(sides) as usize;
            let mut draft = store.draft();
            for (position, record) in ledger[applied..].iter().take(steps) {
                if !draft.admits(&record.body) {
                    break;
                }
                draft.record(*position, record).unwrap();
            }
            let changes = draft.finish();
            if kills > 60 || dice.one_in(3) {
                store.commit(changes).unwrap();
            } else {
                kills += 1;
                let most = 1 + dice.roll(7) as usize;
                let writes = store.writes(changes.trees, &changes.keys, most);
                let all: Vec<_> =
                    writes.flat_map(|(tree, batches)| batches.into_iter().map(move |batch| (tree, batch))).collect();
                let through = dice.roll(all.len() as u64 + 1) as usize;
                for (tree, batch) in all.into_iter().take(through) {
                    tree.apply_batch(batch).unwrap();
                }
                if dice.one_in(4) {
                    // Or while runs are merged.
                    let mut left = dice.roll(6);
                    let cut = |tree: &sled::Tree, batch| {
                        left = left.saturating_sub(1);
                        if left > 0 { Ok(tree.apply_batch(batch)?) } else { Ok(()) }
                    };
                    store.keys.merge(1, cut).unwrap();
                }
                // What the process had in memory is gone with it.
                store.keys.end();
                let last = Volume::of(StoryNo(store.view().meta().stories + 1));
                store.keys = Keys::open(&store.db, last).unwrap();
            }
            if dice.one_in(8) {
                drop(store);
                store = Store::open(folders[1].path()).unwrap();
            }
        }
        sound(&store, "killed");
        let (mine, theirs) = (contents(&store), contents(&undisturbed));
        for (one, other) in mine.iter().zip(&theirs) {
            assert_eq!(
                (one.0, String::from_utf8_lossy(&one.1), &one.2),
                (other.0, String::from_utf8_lossy(&other.1), &other.2),
                "seed {seed}"
            );
        }
        assert_eq!(mine.len(), theirs.len(), "seed {seed}");
        assert_eq!(store.fingerprint().unwrap(), undisturbed.fingerprint().unwrap());
    }
}

fn site(title: &str) -> Setting {
    let (language, public_url, zone) = (String::new(), String::new(), String::new());
    Setting::from(Site { title: title.into(), language, public_url, contact: None, zone })
}

fn change(seq: u64, set: Vec<Setting>, closes: bool) -> (Position, Record) {
    let body = Body::Settings { set, gone: Vec::new(), closes };
    (Position { seq, sum: 0 }, Record { at: Time(seq as i64 * 1_000), progress: Progress::default(), body })
}

#[test]
fn part_of_a_change_is_in_force_only_with_the_rest_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let publish = |items| Setting::from(Publish { items, hub: "none".into() });
    let records = [
        change(1, vec![site("before"), publish(60)], true),
        change(2, vec![site("after")], false),
        change(3, vec![publish(30)], true),
    ];
    for (index, (position, record)) in records.iter().enumerate() {
        let store = Store::open(folder.path()).unwrap();
        let title = |store: &Store| match store.view().settings().get("site") {
            Some(Setting::Site(site)) => site.title.clone(),
            _ => String::new(),
        };
        assert_eq!(title(&store), ["", "before", "before"][index], "after a restart");
        let version = store.view().empty();
        store.apply(*position, record).unwrap();
        assert_eq!(title(&store), ["before", "before", "after"][index]);
        assert_eq!(store.view().empty() == version, index == 1, "only what is in force makes a version");
        assert_eq!(store.view().settings().len(), 2);
    }
}

#[test]
fn a_page_is_full_although_some_have_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (city, tag) = (EditionId::City(Code(411_000)), EditionId::Tag("t".into()));
    let mut author = Author { dice: Dice(1), now: 0, told: Vec::new(), spikes: false };
    let mut edits = Vec::new();
    for no in 1..=6 {
        let copy = author.copy(no, 0);
        let guid = Guid::mint(&copy.source, &copy.key, 0);
        edits.push(Edit::Open { story: StoryNo(no), guid, copy });
        // The tag comes first for some and later for others: the later entry decides where both meet.
        let editions = if no == 2 { vec![city.clone()] } else { vec![city.clone(), tag.clone()] };
        edits.push(Edit::Enter { story: StoryNo(no), at: Time(no as i64), editions });
    }
    edits.push(Edit::Enter { story: StoryNo(2), at: Time(9), editions: vec![tag.clone()] });
    edits.push(Edit::Leave { story: StoryNo(5), editions: vec![city.clone()] });
    let record = Record { at: Time(10), progress: Progress::default(), body: Body::Edits(edits) };
    store.apply(Position { seq: 1, sum: 0 }, &record).unwrap();
    let view = store.view();
    let page = |edition: &EditionId, before: Option<Order>, limit| -> Vec<u64> {
        view.page(edition, before, limit).unwrap().into_iter().map(|(order, _)| order.story).collect()
    };
    assert_eq!(page(&city, None, 3), [6, 4, 3]);
    assert_eq!(page(&city, Some(Order { at: Time(6), story: 6 }), 3), [4, 3, 2]);
    let both = EditionId::CityTag(Code(411_000), "t".into());
    assert_eq!(page(&both, None, 3), [2, 6, 4]);
    assert_eq!(page(&both, Some(Order { at: Time(4), story: 4 }), 9), [3, 1]);
    assert_eq!(page(&both, Some(Order { at: Time(9), story: 2 }), 9), [6, 4, 3, 1]);
    assert_eq!(page(&both, None, 9), [2, 6, 4, 3, 1]);
}

/// A desk of three editions: a story of every number to 12 stands in one city, and of every third under one tag as well.
fn twelve(items: u32) -> (tempfile::TempDir, Store, impl FnMut(&Store, Vec<Edit>)) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut author = Author { dice: Dice(1), now: 0, told: Vec::new(), spikes: false };
    publish(&store, 1, 1, items);
    let mut seq = 1;
    let mut apply = move |store: &Store, edits: Vec<Edit>| {
        seq += 1;
        let record = Record { at: Time(Time::DAY * 60), progress: Progress::default(), body: Body::Edits(edits) };
        store.apply(Position { seq, sum: 0 }, &record).unwrap();
    };
    for no in 1..=12 {
        let copy = author.copy(no, 0);
        let guid = Guid::mint(&copy.source, &copy.key, 0);
        let mut editions = vec![EditionId::City(Code(411_000))];
        editions.extend((no % 3 == 0).then(|| EditionId::Tag("t".into())));
        let (story, at) = (StoryNo(no), Time(Time::DAY * 3 * no as i64));
        apply(&store, vec![Edit::Open { story, guid, copy }, Edit::Enter { story, at, editions }]);
    }
    (folder, store, apply)
}

fn publish(store: &Store, seq: u64, at: i64, items: u32) {
    let set = vec![Setting::from(Publish { items, hub: String::new() })];
    let body = Body::Settings { set, gone: Vec::new(), closes: true };
    let record = Record { at: Time(Time::DAY * at), progress: Progress::default(), body };
    store.apply(Position { seq, sum: 0 }, &record).unwrap();
}

#[test]
fn what_leaves_brings_nothing_old_back() {
    let (city, both) = (EditionId::City(Code(411_000)), EditionId::CityTag(Code(411_000), "t".into()));
    let spike = |no| Edit::Spike { story: StoryNo(no) };
    let leave = |no| Edit::Leave { story: StoryNo(no), editions: vec![EditionId::City(Code(411_000))] };
    // What is taken out; then the five newest of the city, and the window of city and tag, of two entries.
    let cases = [
        (Vec::new(), vec![12, 11, 10, 9, 8], vec![12, 9]),
        (vec![spike(11)], vec![12, 10, 9, 8], vec![12, 9]),
        (vec![leave(11)], vec![12, 10, 9, 8], vec![12, 9]),
        (vec![spike(12)], vec![11, 10, 9, 8], vec![9]),
        (vec![spike(9), leave(8)], vec![12, 11, 10], vec![12]),
    ];
    for (taken, newest, window) in cases {
        let (_folder, store, mut apply) = twelve(2);
        apply(&store, taken.clone());
        let view = store.view();
        let told = |found: Vec<(Order, Story)>| found.iter().map(|(order, _)| order.story).collect::<Vec<_>>();
        assert_eq!(told(view.newest(&city, 5).unwrap()), newest, "{taken:?}");
        assert_eq!(told(view.window(&both).unwrap()), window, "{taken:?}");
    }
    // What stands in neither cuts neither; and a window that may be wider goes back no further than it did.
    let (_folder, store, mut apply) = twelve(3);
    apply(&store, vec![spike(11), spike(2)]);
    let told = |store: &Store| -> Vec<u64> {
        store.view().window(&both).unwrap().iter().map(|(order, _)| order.story).collect()
    };
    assert_eq!(told(&store), [12, 9, 6]);
    publish(&store, 50, 61, 60);
    assert_eq!(told(&store), [12, 9, 6]);
}

#[test]
fn thousands_at_once_are_no_window_of_thousands() {
    let run = Some((1, Order { at: Time(1), story: 1 }));
    for (head, items, expected) in [
        (layout::Head { run, ..Default::default() }, 60, view::Cut::MOST),
        (layout::Head { run, ..Default::default() }, 5_000, 5_000),
        (layout::Head::default(), 60, view::Cut::MOST),
    ] {
        let mut cut = view::Cut::new(&head, items);
        let kept = (2..=20_000).rev().take_while(|story| cut.keeps(Order { at: Time(9), story: *story }));
        assert_eq!(kept.count(), expected);
    }
}

#[test]
fn a_full_disk_is_no_damage() {
    let full = sled::Error::Io(std::io::Error::from_raw_os_error(28));
    assert!(matches!(StoreError::from(full), StoreError::Full));
    assert!(matches!(StoreError::from(sled::Error::Unsupported("x".into())), StoreError::Damaged(_)));
}

/// What it knows nothing of it does not look for: of most desks no source has a hub, and each poll would ask for one. The
/// entry that is put here behind its back is found by the next start alone.
#[test]
fn a_poll_book_without_hubs_is_asked_for_none() {
    let dir = tempfile::tempdir().unwrap();
    let source = SourceId::new("dahe").unwrap();
    let push = Push {
        hub: "https://hub.example/".to_owned(),
        topic: "https://dahe.example/feed".to_owned(),
        token: "t".to_owned(),
        secret: Secret("s".to_owned()),
        callback: "https://desk.example/websub/dahe/t".to_owned(),
        stage: Stage::Active,
        pending: None,
        since: None,
        renewed: None,
        until: None,
        last: None,
        deliveries: 0,
        missed: false,
        failures: 0,
        trouble: String::new(),
    };
    let place = |name: &str| dir.path().join(name);
    let store = Store::open(&place("a")).unwrap();
    store.trees.book.insert(layout::push_key(&source), codec::encode(&push)).unwrap();
    assert_eq!(store.push(&source), None);
    drop(store);
    let store = Store::open(&place("a")).unwrap();
    assert_eq!(store.push(&source), Some(push.clone()));
    // Nor is one missed that comes by another way.
    let other = Store::open(&place("b")).unwrap();
    other.take_book(&store).unwrap();
    assert_eq!(other.push(&source), Some(push.clone()));
    let new = Store::open(&place("c")).unwrap();
    new.note_push(&source, Some(&push)).unwrap();
    assert_eq!(new.push(&source), Some(push));
}
