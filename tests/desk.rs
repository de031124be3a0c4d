//! Items in, editions out: every tape of `tests/desk/` is played through the real journal, desk, editor and store.
//!
//! A tape is a text. What stands after `show` is what the feed shows, newest first; `UPDATE_EXPECT=1 cargo test --test
//! desk` writes it anew. Beside what the tape expects, a forgetful reader looks at every feed after every line: nothing
//! it has lost from sight may come back, nothing may change without `updated`, nothing may stand twice; and what changes
//! has a later `Last-Modified`, which never falls. It looks at the feeds of city and tag too. At the end the store is made
//! again from the ledger, and must be the same.
//!
//! ```text
//! source ID [name=N] [rank=origin|media|reprint] [city=411000,…] [backfill=N] [republish=title|summary|full] [join=no]
//! feed ID QUERY            a saved feed              tag NAME QUERY       a tag rule
//! untag NAME               a tag rule is removed
//! alias NAME CODE          another name for a city   unalias NAME         it is removed
//! items N                  size of the window        retire ID            a source's block is removed
//! drop ID                  a saved feed is removed   title NAME           the desk's title
//! + 3h                     time passes (s m h d)     restart              the process is killed and started again
//! lose wire                the wire's folder is lost, then as `restart`
//! torn SOURCE              items without their closing record, then as `restart`: the process died between them
//! file SOURCE [reading=N]  one poll, newest item first:
//!   KEY | headline | text | pub=-2h link=https://… tags=a,b credit=名
//! says #N                  what a story prints: headline, summary, creator, date
//! about #N                 its cities and tags as judged last
//! page EDITION             what its pages show
//! show EDITION             what its feed shows:
//!   #story headline [copies] (updated)
//! renewed                  which feeds have another version than at the `renewed` before
//! why #N                   the copies of a story, and why they were joined
//! join #N #M               an editor: they are one        split #N SOURCE/KEY …   these copies are another story
//! spike #N                 an editor: away with it          reinstate #N                  that was a mistake
//! ```

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[path = "desk/damaged.rs"]
mod damaged;
#[path = "desk/likeness.rs"]
mod likeness;
#[path = "desk/splits.rs"]
mod splits;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use citydesk::editor::{self, Editor, Standing};
use citydesk::journal::Journal;
use citydesk::model::codec::encode;
use citydesk::model::edition::EditionId;
use citydesk::model::filing::{Correction, Filing, Request, Wire};
use citydesk::model::id::{ItemKey, SourceId, StoryNo, hash64};
use citydesk::model::item::{Credit, Item};
use citydesk::model::place::Code;
use citydesk::model::setting::{Cities, InForce, Publish, SavedFeed, Setting, Site, TagRule, difference};
use citydesk::model::source::{Rank, Republish, SourceRules};
use citydesk::model::time::{Claim, Time, Trust};
use citydesk::store::Store;

struct Desk {
    folder: tempfile::TempDir,
    journal: Journal,
    store: Arc<Store>,
    now: Time,
    settings: InForce,
    sent: InForce,
    tags: Vec<TagRule>,
    reader: Reader,
    editor: Option<Editor>,
}

/// A reader that forgets an id as soon as it leaves the feed, as some do after a day.
#[derive(Default)]
struct Reader {
    seen: BTreeMap<String, BTreeMap<String, String>>,
    lost: BTreeMap<String, BTreeSet<String>>,
    versions: BTreeMap<String, (u64, i64)>,
    /// As of the last `renewed`.
    told: BTreeMap<String, (u64, i64)>,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        let store = Arc::new(Store::open(&folder.path().join("store")).unwrap());
        let site = Site {
            title: "t".into(),
            language: "zh-CN".into(),
            public_url: "http://127.0.0.1".into(),
            contact: None,
            zone: "Asia/Shanghai".into(),
        };
        let settings = [
            Setting::from(site),
            Setting::from(Publish { items: 60, hub: "none".into() }),
            Setting::from(Cities::default()),
        ];
        Self {
            folder,
            journal,
            store,
            now: Time::from_seconds(1_790_000_000),
            settings: settings.into_iter().map(|setting| (setting.key(), setting)).collect(),
            sent: InForce::new(),
            tags: Vec::new(),
            reader: Reader::default(),
            editor: None,
        }
    }

    fn wire(&self, record: &Wire) -> citydesk::model::position::Position {
        self.journal.wire.append(None, &[&encode(record)]).unwrap()[0]
    }

    fn decide(&mut self) {
        self.journal.wire.sync().unwrap();
        let (journal, store) = (self.journal.clone(), Arc::clone(&self.store));
        let editor = self.editor.get_or_insert_with(|| {
            let (standing, full) = (Arc::new(Standing::default()), Arc::new(AtomicBool::new(false)));
            Editor::new(journal, store, standing, full, Box::new(|_| ()))
        });
        while editor.step().unwrap() {}
    }

    /// Sources `s0`, `s1` and so on, of one rank.
    fn sources(&mut self, count: usize) {
        for source in 0..count {
            let rules = SourceRules {
                id: SourceId::new(&format!("s{source}")).unwrap(),
                name: format!("s{source}"),
                rank: Rank::Media,
                join: true,
                keep: 180 * Time::DAY,
                zone: "Asia/Shanghai".into(),
                ..SourceRules::default()
            };
            self.settings.insert(format!("source/s{source}"), Setting::Source(rules.into()));
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.settings.insert("tags".into(), Setting::Tags(self.tags.clone()));
        let (set, gone) = difference(&self.sent, &self.settings);
        if !set.is_empty() || !gone.is_empty() {
            self.wire(&Wire::Request(Request::Settings { at: self.now, set, gone, closes: true }));
            self.sent = self.settings.clone();
        }
        self.decide();
    }

    fn restart(&mut self, lose: Option<&str>) {
        self.editor = None;
        let place = self.folder.path().join("store");
        let nothing = tempfile::tempdir().unwrap();
        self.store = Arc::new(Store::open(nothing.path()).unwrap());
        self.journal = Journal::open(nothing.path()).unwrap();
        if let Some(lose) = lose {
            std::fs::remove_dir_all(self.folder.path().join(lose)).unwrap();
        }
        self.journal = Journal::open(self.folder.path()).unwrap();
        self.store = Arc::new(Store::open(&place).unwrap());
        editor::replay(&self.journal, &self.store, |_| ()).unwrap();
        // As a start does: what stands on the wire is decided before anyone files anew.
        self.decide();
    }

    fn look(&mut self, line: &str) {
        let view = self.store.view();
        let mut editions: Vec<EditionId> = view.editions().unwrap().into_iter().map(|(edition, _)| edition).collect();
        for at in 0..editions.len() {
            let EditionId::City(city) = editions[at] else { continue };
            let tags: Vec<_> =
                editions.iter().filter_map(|e| if let EditionId::Tag(tag) = e { Some(tag) } else { None }).collect();
            let both: Vec<_> = tags.into_iter().map(|tag| EditionId::CityTag(city, tag.clone())).collect();
            editions.extend(both);
        }
        for edition in editions {
            let name = edition.key();
            let now: BTreeMap<String, String> = view
                .window(&edition)
                .unwrap()
                .into_iter()
                .map(|(_, story)| {
                    let printed = story.emission.clone().unwrap();
                    (story.guid.urn(), format!("{printed:?}"))
                })
                .collect();
            assert_eq!(now.len(), view.window(&edition).unwrap().len(), "{line}: a guid stands twice in {name}");
            let version = view.edition(&edition).unwrap().unwrap().version;
            let version = (version.seq, version.modified);
            let first = !self.reader.versions.contains_key(&name);
            let former = self.reader.versions.insert(name.clone(), version).unwrap_or_default();
            let before = self.reader.seen.insert(name.clone(), now.clone()).unwrap_or_default();
            let changed = !first && before != now;
            assert!(version >= former && version.1 >= former.1, "{line}: Last-Modified of {name} falls");
            assert!(!changed || version.1 > former.1, "{line}: {name} changes, its Last-Modified stays");
            let lost = self.reader.lost.entry(name.clone()).or_default();
            lost.extend(before.keys().filter(|guid| !now.contains_key(*guid)).cloned());
            for (guid, text) in &now {
                assert!(!lost.contains(guid), "{line}: {guid} came back into {name} as unread");
                if let Some(old) = before.get(guid).filter(|old| *old != text) {
                    let updated = |text: &str| text.split("updated: ").nth(1).map(|t| t[..30.min(t.len())].to_owned());
                    assert_ne!(updated(old), updated(text), "{line}: {guid} in {name} changed without `updated`");
                }
            }
        }
    }

    fn show(&self, edition: &str) -> String {
        let view = self.store.view();
        let mut out = String::new();
        for (_, story) in view.window(&EditionId::parse(edition).unwrap()).unwrap() {
            let emission = story.emission.as_ref().unwrap();
            let copies: Vec<_> =
                story.copies.iter().map(|c| format!("{}/{}", c.source, c.key.0.trim_start_matches("guid:"))).collect();
            let updated = if emission.updated.is_some() { " (updated)" } else { "" };
            let _ = writeln!(out, "  #{} {} [{}]{updated}", story.no.0, emission.title, copies.join(" "));
        }
        out
    }

    fn page(&self, edition: &str) -> String {
        let stories = self.store.view().page(&EditionId::parse(edition).unwrap(), None, usize::MAX).unwrap();
        stories
            .iter()
            .map(|(_, story)| format!("  #{} {}\n", story.no.0, story.emission.as_ref().unwrap().title))
            .collect()
    }

    fn about(&self, no: u64) -> String {
        let story = self.store.view().story(StoryNo(no)).unwrap().unwrap_or_default();
        let cities = story.places.cities.iter().map(|placed| placed.name.clone());
        let about: Vec<_> = cities.chain(story.tags.iter().map(|tag| format!("#{}", tag.name))).collect();
        format!("  {}\n", if about.is_empty() { "nothing".to_owned() } else { about.join(" ") })
    }

    fn says(&self, no: u64) -> String {
        let story = self.store.view().story(StoryNo(no)).unwrap().unwrap_or_default();
        let Some(said) = story.emission else { return "  nothing\n".into() };
        let date = said.published.at_offset(said.offset).to_rfc3339();
        format!("  {} | {} | {} | {date}\n", said.title, said.summary, said.creator)
    }

    fn correct(&self, word: &str, rest: &str) {
        let guid = |word: &str| {
            let no = StoryNo(word.trim_start_matches('#').parse().unwrap());
            self.store.view().story(no).unwrap().unwrap().guid
        };
        let words: Vec<&str> = rest.split(' ').collect();
        let correction = match word {
            "join" => Correction::Join { stories: words.iter().map(|word| guid(word)).collect() },
            "spike" => Correction::Spike { story: guid(words[0]) },
            "reinstate" => Correction::Reinstate { story: guid(words[0]) },
            _ => {
                let copies = words[1..].iter().map(|word| word.split_once('/').unwrap());
                let copies = copies.map(|(source, key)| (SourceId::new(source).unwrap(), ItemKey::guid(key)));
                Correction::Split { story: guid(words[0]), copies: copies.collect() }
            }
        };
        self.wire(&Wire::Request(Request::Correct { at: self.now, correction }));
    }

    fn why(&self, no: u64) -> String {
        let Some(story) = self.store.view().story(StoryNo(no)).unwrap() else { return "  none\n".into() };
        let mut out = String::new();
        for (index, copy) in story.copies.iter().enumerate() {
            let shown = if index == story.shown as usize { " shown" } else { "" };
            let joined = copy.joined.as_ref().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(out, "  {} {} {joined}{shown}", copy.source, copy.score);
        }
        if let Some(into) = story.retired_into {
            let _ = writeln!(out, "  retired into #{}", into.0);
        }
        if story.spiked {
            out.push_str("  spiked\n");
        }
        out
    }
}

fn span(text: &str) -> i64 {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (number, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "s" => Time::SECOND,
        "m" => Time::MINUTE,
        "h" => Time::HOUR,
        "d" => Time::DAY,
        other => panic!("no unit {other}"),
    };
    sign * number.trim().parse::<i64>().unwrap() * unit
}

fn options(text: &str) -> BTreeMap<&str, &str> {
    text.split_whitespace().filter_map(|pair| pair.split_once('=')).collect()
}

fn item(source: &str, line: &str, now: Time) -> Item {
    let mut parts = line.split('|').map(str::trim);
    let (key, title, text) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap_or(""));
    let options = options(parts.next().unwrap_or(""));
    let link = options.get("link").map(ToString::to_string).unwrap_or_default();
    let published = options.get("pub").map(|ago| Claim {
        at: now.plus(span(ago)),
        offset: 480,
        trust: Trust::Full,
        method: "tape".into(),
    });
    let list = |name: &str| options.get(name).map(|v| v.split(',').map(str::to_owned).collect()).unwrap_or_default();
    let credits: Vec<String> = list("credit");
    Item {
        source: SourceId::new(source).unwrap(),
        key: ItemKey::guid(key),
        hash: hash64(&[line.as_bytes()]),
        canonical: link.trim_start_matches("https://").trim_start_matches("http://").to_owned(),
        link,
        title: title.into(),
        summary: text.chars().take(Item::SUMMARY).collect(),
        text: text.into(),
        published,
        seen: now,
        credits: credits.into_iter().map(|name| Credit { name, place: "head".into() }).collect(),
        tags: list("tags"),
        ..Item::default()
    }
}

fn play(path: &Path) -> String {
    let tape = std::fs::read_to_string(path).unwrap();
    let mut desk = Desk::new();
    let mut out = String::new();
    let mut lines = tape.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut block = Vec::new();
        while lines.peek().is_some_and(|line| line.starts_with("  ")) {
            block.extend(lines.next());
        }
        if word == "file" || word == "torn" {
            for line in &block {
                out.push_str(line);
                out.push('\n');
            }
        }
        match word {
            "" | "#" => continue,
            "source" => {
                let (id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                let options = options(rest);
                let rules = SourceRules {
                    id: SourceId::new(id).unwrap(),
                    name: options.get("name").map_or(id, |name| *name).into(),
                    cities: options
                        .get("city")
                        .map(|codes| codes.split(',').map(|code| Code(code.parse().unwrap())).collect())
                        .unwrap_or_default(),
                    rank: match options.get("rank") {
                        Some(&"origin") => Rank::Origin,
                        Some(&"reprint") => Rank::Reprint,
                        _ => Rank::Media,
                    },
                    republish: match options.get("republish") {
                        Some(&"title") => Republish::Title,
                        Some(&"full") => Republish::Full,
                        _ => Republish::Summary,
                    },
                    join: options.get("join") != Some(&"no"),
                    backfill: options.get("backfill").map_or(0, |n| n.parse().unwrap()),
                    keep: 180 * Time::DAY,
                    zone: "Asia/Shanghai".into(),
                    ..SourceRules::default()
                };
                desk.settings.insert(format!("source/{id}"), Setting::Source(rules.into()));
                desk.settle();
            }
            "retire" => {
                desk.settings.remove(&format!("source/{rest}"));
                desk.settle();
            }
            "feed" => {
                let (id, when) = rest.split_once(' ').unwrap();
                let feed = SavedFeed { id: id.into(), title: id.into(), when: when.into() };
                desk.settings.insert(format!("feed/{id}"), Setting::from(feed));
                desk.settle();
            }
            "tag" => {
                let (id, when) = rest.split_once(' ').unwrap();
                desk.tags.retain(|tag| tag.id != id);
                desk.tags.push(TagRule { id: id.into(), when: when.into() });
                desk.settle();
            }
            "untag" => {
                desk.tags.retain(|tag| tag.id != rest);
                desk.settle();
            }
            "alias" | "unalias" => {
                let (name, code) = rest.split_once(' ').unwrap_or((rest, "0"));
                let Some(Setting::Cities(cities)) = desk.settings.get_mut("cities") else { panic!("cities") };
                cities.alias.retain(|(known, _)| known != name);
                cities.alias.extend((word == "alias").then(|| (name.to_owned(), Code(code.parse().unwrap()))));
                desk.settle();
            }
            "items" => {
                let publish = Publish { items: rest.parse().unwrap(), hub: "none".into() };
                desk.settings.insert("publish".into(), Setting::from(publish));
                desk.settle();
            }
            "+" => desk.now = desk.now.plus(span(rest)),
            "restart" => desk.restart(None),
            "lose" => desk.restart(Some(rest)),
            "torn" => {
                for line in &block {
                    desk.wire(&Wire::Item(Box::new(item(rest, line.trim(), desk.now))));
                }
                desk.journal.wire.sync().unwrap();
                desk.restart(None);
            }
            "drop" => {
                desk.settings.remove(&format!("feed/{rest}"));
                desk.settle();
            }
            "title" => {
                let Some(Setting::Site(site)) = desk.settings.get_mut("site") else { panic!("a site") };
                site.title = rest.into();
                desk.settle();
            }
            "file" => {
                let (source, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                let items: Vec<Item> = block.iter().map(|line| item(source, line.trim(), desk.now)).collect();
                let positions =
                    items.iter().map(|item| desk.wire(&Wire::Item(Box::new(item.clone())))).collect::<Vec<_>>();
                let filing = Filing {
                    source: SourceId::new(source).unwrap(),
                    at: desk.now,
                    listed: items.len().max(1) as u32,
                    items: positions,
                    reading: options(rest).get("reading").map_or(1, |n| n.parse().unwrap()),
                    ..Filing::default()
                };
                desk.wire(&Wire::Filing(filing));
                desk.decide();
                desk.now = desk.now.plus(Time::SECOND);
            }
            "show" => out.push_str(&desk.show(rest)),
            "page" => out.push_str(&desk.page(rest)),
            "about" => out.push_str(&desk.about(rest.trim_start_matches('#').parse().unwrap())),
            "says" => out.push_str(&desk.says(rest.trim_start_matches('#').parse().unwrap())),
            "renewed" => {
                let now = desk.reader.versions.clone();
                let new = now.iter().filter(|(edition, version)| desk.reader.told.get(*edition) != Some(version));
                let new: Vec<&str> = new.map(|(edition, _)| edition.as_str()).collect();
                let _ = writeln!(out, "  {}", if new.is_empty() { "none".to_owned() } else { new.join(" ") });
                desk.reader.told = now;
            }
            "join" | "split" | "spike" | "reinstate" => {
                desk.correct(word, rest);
                desk.decide();
                desk.now = desk.now.plus(Time::SECOND);
            }
            "why" => out.push_str(&desk.why(rest.trim_start_matches('#').parse().unwrap())),
            other if other.starts_with('#') => continue,
            other => panic!("{}: no such line: {other}", path.display()),
        }
        desk.look(line);
    }
    let print = desk.store.fingerprint().unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let again = Store::open(fresh.path()).unwrap();
    editor::replay(&desk.journal, &again, |_| ()).unwrap();
    assert_eq!(print, again.fingerprint().unwrap(), "{}: the store made again differs", path.display());
    out
}

#[test]
fn tapes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/desk");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    paths.sort();
    assert!(!paths.is_empty());
    let mut wrong = Vec::new();
    for path in paths {
        let expected = std::fs::read_to_string(&path).unwrap();
        let got = play(&path);
        if got != expected {
            if std::env::var_os("UPDATE_EXPECT").is_some() {
                std::fs::write(&path, got).unwrap();
            } else {
                wrong.push(format!("{}:\n{}", path.display(), difference_of(&expected, &got)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn difference_of(expected: &str, got: &str) -> String {
    let pairs = expected.lines().zip(got.lines()).enumerate().find(|(_, (a, b))| a != b);
    pairs.map_or_else(
        || format!("{} lines expected, {} got", expected.lines().count(), got.lines().count()),
        |(n, (a, b))| format!("  line {}:\n  expected {a}\n  got      {b}", n + 1),
    )
}
