//! Same journal, same decisions: however the wire is cut into steps, and wherever the editor dies in between; and whole
//! copies find each other in whatever order their sources are polled.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use citydesk::editor::{self, Editor, Standing};
use citydesk::journal::Journal;
use citydesk::model::codec::{decode, encode};
use citydesk::model::edit::{Body, Edit, Record};
use citydesk::model::filing::{Filing, Wire};
use citydesk::model::id::{ItemKey, SourceId, StoryNo, hash64};
use citydesk::model::item::Item;
use citydesk::model::story::Story;
use citydesk::model::time::Time;
use citydesk::store::Store;

/// Numbers that look random and are the same in every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const CITIES: [&str; 4] = ["许昌", "焦作", "郑州", "洛阳"];
const THINGS: [&str; 5] = ["护城河夜游航线", "图书馆新馆", "体育公园南门", "社区书房", "汽车客运站"];
const DEEDS: [&str; 3] = ["周五起恢复开放", "月底前完成改造", "新增两处便民窗口"];
const SOURCES: [&str; 5] = ["gov", "paper", "portal", "repost", "radio"];

/// Headline and text of an invented story.
fn story(n: u64) -> (String, String) {
    let (city, thing, deed) = (CITIES[(n % 4) as usize], THINGS[(n / 4 % 5) as usize], DEEDS[(n / 20 % 3) as usize]);
    let title = format!("{city}{thing}{deed} 市民可网上预约");
    let text = format!(
        "{city}{thing}{deed}，每天分{}个时段，每个时段限{}人，{city}市民凭身份证登记，老人和孩子有志愿者陪同。负责人说，去年\
         全年接待{}人次，今年还要再添{}处停车位，{}路公交车直达门口，遇雨雪天气另行通知。",
        3 + n % 5,
        40 + n * 7 % 60,
        1_200 + n * 37,
        10 + n * 3 % 40,
        2 + n % 9
    );
    (title, text)
}

/// A filing: whose, and its items, each a story and what happened to it on the way.
type Poll = (usize, Vec<(u64, u64)>);

fn polls(dice: &mut Dice, whole: bool) -> Vec<Poll> {
    let one = |dice: &mut Dice| {
        let items = (0..=dice.roll(4)).map(|_| (dice.roll(24), if whole { 0 } else { dice.roll(6) })).collect();
        (dice.roll(5) as usize, items)
    };
    (0..18).map(|_| one(dice)).collect()
}

fn item(source: &SourceId, (n, damage): (u64, u64), at: Time) -> Item {
    let (mut title, mut text) = story(n);
    match damage {
        1 => text = text.replace('人', ""),
        2 => text = text.chars().take(60).chain("...".chars()).collect(),
        3 => text.clear(),
        4 => title = format!("关注｜{title}"),
        5 => text = text.replacen('。', "。【扫码关注样城网】", 1),
        _ => {}
    }
    Item {
        source: source.clone(),
        key: ItemKey::guid(&format!("{n}")),
        hash: hash64(&[title.as_bytes(), text.as_bytes()]),
        link: format!("https://{source}.example/{n}"),
        canonical: format!("{source}.example/{n}"),
        title,
        text,
        seen: at,
        ..Item::default()
    }
}

struct Room {
    folder: tempfile::TempDir,
    journal: Journal,
    store: Arc<Store>,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        let store = Arc::new(Store::open(&folder.path().join("store")).unwrap());
        Self { folder, journal, store }
    }

    fn editor(&self) -> Editor {
        let (standing, full) = (Arc::new(Standing::default()), Arc::new(AtomicBool::new(false)));
        Editor::new(self.journal.clone(), Arc::clone(&self.store), standing, full, Box::new(|_| ()))
    }

    fn file(&self, polls: &[Poll], from: usize) {
        for (number, (source, items)) in polls.iter().enumerate() {
            let at = Time(1_790_000_000_000 + (from + number) as i64 * Time::HOUR);
            let source = SourceId::new(SOURCES[*source]).unwrap();
            // A document lists an item once.
            let mut listed: Vec<(u64, u64)> = Vec::new();
            for one in items {
                if !listed.iter().any(|(n, _)| n == &one.0) {
                    listed.push(*one);
                }
            }
            let wire = &self.journal.wire;
            let records: Vec<Vec<u8>> =
                listed.iter().map(|one| encode(&Wire::Item(Box::new(item(&source, *one, at))))).collect();
            let items = wire.append(None, &records.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
            let listed = items.len() as u32;
            let filing = Filing { source, at, items, listed, ..Filing::default() };
            wire.append(None, &[&encode(&Wire::Filing(filing))]).unwrap();
        }
        self.journal.wire.sync().unwrap();
    }

    /// The process dies and is started again.
    fn restart(&mut self) {
        let nothing = tempfile::tempdir().unwrap();
        self.store = Arc::new(Store::open(nothing.path()).unwrap());
        self.journal = Journal::open(nothing.path()).unwrap();
        self.journal = Journal::open(self.folder.path()).unwrap();
        self.store = Arc::new(Store::open(&self.folder.path().join("store")).unwrap());
        editor::replay(&self.journal, &self.store, |_| ()).unwrap();
    }

    fn decided(&self) -> (Vec<Edit>, Vec<Story>) {
        let records = self.journal.ledger.read(1, usize::MAX).unwrap();
        let edits = records.iter().flat_map(|(_, bytes)| match decode::<Record>(bytes).unwrap().body {
            Body::Edits(edits) => edits,
            _ => Vec::new(),
        });
        // Which record a version stems from depends on how they were cut; what it says does not.
        let view = self.store.view();
        let stories = view.stories(StoryNo(1)).map(|story| {
            let mut story = story.unwrap();
            story.printed = Story::default().printed;
            story
        });
        (edits.collect(), stories.collect())
    }
}

fn whole(polls: &[Poll]) -> Room {
    let room = Room::new();
    room.file(polls, 0);
    let mut editor = room.editor();
    while editor.step().unwrap() {}
    drop(editor);
    room
}

#[test]
fn the_same_wire_is_decided_alike_in_any_steps_and_over_any_restarts() {
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let polls = polls(&mut dice, false);
        let expected = whole(&polls).decided();
        assert!(expected.1.iter().any(|story| story.copies.len() > 2), "seed {seed} joins nothing");
        let mut room = Room::new();
        let mut from = 0;
        while from < polls.len() {
            let to = (from + 1 + dice.roll(5) as usize).min(polls.len());
            room.file(&polls[from..to], from);
            let mut editor = room.editor();
            for _ in 0..dice.roll(4) {
                editor.step().unwrap();
            }
            drop(editor);
            if dice.roll(3) == 0 {
                room.restart();
            }
            from = to;
        }
        let mut editor = room.editor();
        while editor.step().unwrap() {}
        drop(editor);
        let (edits, stories) = room.decided();
        assert_eq!(edits, expected.0, "seed {seed}");
        assert_eq!(stories, expected.1, "seed {seed}");
    }
}

#[test]
fn whole_copies_find_each_other_in_any_order_of_polling() {
    for seed in 0..4 {
        let mut dice = Dice(seed + 100);
        let mut polls = polls(&mut dice, true);
        let clusters = |room: &Room| -> BTreeSet<BTreeSet<String>> {
            let stories = room.decided().1.into_iter().filter(|story| story.retired_into.is_none());
            let named = |story: Story| story.copies.iter().map(|copy| copy.link.clone()).collect();
            stories.map(named).collect()
        };
        let expected = clusters(&whole(&polls));
        for cluster in &expected {
            let told: BTreeSet<&str> = cluster.iter().filter_map(|link| link.rsplit('/').next()).collect();
            assert_eq!(told.len(), 1, "seed {seed}: {cluster:?} are look-alikes");
        }
        for _ in 0..3 {
            for at in (1..polls.len()).rev() {
                polls.swap(at, dice.roll(at as u64 + 1) as usize);
            }
            assert_eq!(clusters(&whole(&polls)), expected, "seed {seed}");
        }
    }
}
