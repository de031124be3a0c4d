//! Reading: a whole version of everything, for as long as the view lives.

use std::iter::Peekable;
use std::sync::{Arc, RwLockReadGuard};

use super::keys::Kind;
use super::layout::{self, Block, Head, Known, Meta, Run, Sharers, SourceHead, Volume, unpack};
use super::{Result, Shared, Store};
use crate::model::edition::{EditionId, Order, Version};
use crate::model::id::{Guid, ItemKey, SourceId, StoryNo};
use crate::model::setting::InForce;
use crate::model::story::{Entered, Sharer, Story};
use crate::model::time::Time;
use crate::model::websub::{Delivered, Subscription, Topic};

/// A consistent read. Holds a lock that the writer waits for: keep it short, and never over an await.
#[derive(Debug)]
pub struct View<'s> {
    store: &'s Store,
    shared: RwLockReadGuard<'s, Shared>,
}

/// Which entries stand in the window of an edition, asked newest first: so many at least, and all within 48 hours before
/// the newest one, at most max(items, 1000); never beyond the older edge once reached; and back to the newest complete
/// run, so that a walk through the archive misses nothing.
#[derive(Debug)]
pub struct Cut {
    items: usize,
    floor: Option<Order>,
    run: Option<Order>,
    newest: Option<Order>,
    taken: usize,
    /// What the window was when `items` grew: until when it counts, and its cut.
    narrower: Vec<(Time, Self)>,
}

impl Cut {
    /// All entries within this time before the newest one.
    pub const SPAN: i64 = 48 * Time::HOUR;
    /// But so many at most, unless `items` asks for more.
    pub const MOST: usize = 1000;

    /// For one edition.
    #[must_use]
    pub fn new(head: &Head, items: u32) -> Self {
        let items = (items as usize).max(1);
        let (floor, run) = (head.floor, head.run.map(|(_, through)| through));
        Self { items, floor, run, newest: None, taken: 0, narrower: Vec::new() }
    }

    /// For an edition that is computed: no edge of its own is recorded, so the edges it had when `items` grew are found
    /// again.
    fn computed(items: u32, widened: &[(Time, u32)]) -> Self {
        let plain = |items| Self::new(&Head::default(), items);
        let narrower = widened.iter().map(|(at, items)| (*at, plain(*items))).collect();
        Self { narrower, ..plain(items) }
    }

    /// Whether this entry, the next older one, is in the window; the first "no" ends it.
    pub fn keeps(&mut self, order: Order) -> bool {
        let newest = *self.newest.get_or_insert(order);
        if self.floor.is_some_and(|floor| order < floor) {
            return false;
        }
        if !self.narrower.iter_mut().all(|(until, cut)| order.at > *until || cut.keeps(order)) {
            return false;
        }
        let recent = newest.at.since(order.at) <= Self::SPAN;
        // A source may bring thousands at once: they are archived with the next entry, and no window takes them all.
        let unarchived = self.run.is_some_and(|run| order > run);
        let keep = self.taken < self.items || ((recent || unarchived) && self.taken < Self::MOST);
        self.taken += usize::from(keep);
        keep
    }
}

impl<'s> View<'s> {
    pub(super) const fn new(store: &'s Store, shared: RwLockReadGuard<'s, Shared>) -> Self {
        Self { store, shared }
    }

    /// Where the fold stands, and what it counted.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.shared.meta
    }

    /// Settings in force, as recorded.
    #[must_use]
    pub fn settings(&self) -> Arc<InForce> {
        Arc::clone(&self.shared.settings)
    }

    /// A story by its number.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn story(&self, no: StoryNo) -> Result<Option<Story>> {
        self.store.trees.stories.get(layout::story_key(no))?.map(|bytes| Ok(unpack(&bytes)?.1)).transpose()
    }

    /// The newest volume.
    fn last(&self) -> Volume {
        Volume::of(StoryNo(self.shared.meta.stories))
    }

    /// A story by its guid.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn by_guid(&self, guid: Guid) -> Result<Option<Story>> {
        let found = self.store.keys.in_volumes(Kind::Guids, guid.0.as_u128(), self.last()).next().transpose()?;
        let Some((_, bytes)) = found else { return Ok(None) };
        let no = (*bytes).try_into().map(u64::from_be_bytes).unwrap_or_default();
        self.story(StoryNo(no))
    }

    /// All subscriptions to our feeds, by number, and what each has of its feed.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn subscriptions(&self) -> Result<Vec<(u64, Subscription, Delivered)>> {
        let mut all = Vec::new();
        for pair in self.store.trees.subscriptions.scan_prefix([0]) {
            let (key, value) = pair?;
            let number = key.get(1..).and_then(|key| key.try_into().ok()).map(u64::from_be_bytes).unwrap_or_default();
            all.push((number, unpack(&value)?.1, self.delivered(number)?.unwrap_or_default()));
        }
        Ok(all)
    }

    /// A subscription to a feed of ours by its identity: its number, and what it has.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn subscription(&self, topic: &Topic, callback: &str) -> Result<Option<(u64, Subscription, Delivered)>> {
        let key = layout::subscriber_key(&Subscription::key(topic, callback));
        let Some(number) = self.store.trees.subscriptions.get(key)? else { return Ok(None) };
        let number: u64 = unpack(&number)?.1;
        let Some(bytes) = self.store.trees.subscriptions.get(layout::subscription_key(number))? else {
            return Ok(None);
        };
        Ok(Some((number, unpack(&bytes)?.1, self.delivered(number)?.unwrap_or_default())))
    }

    /// What a subscription has of its feed, by its number.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn delivered(&self, number: u64) -> Result<Option<Delivered>> {
        let bytes = self.store.trees.delivered.get(number.to_be_bytes())?;
        bytes.map(|bytes| Ok(unpack(&bytes)?.1)).transpose()
    }

    /// Stories with a copy of this canonical link.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn sharing_link(&self, canonical: &str) -> Result<Vec<StoryNo>> {
        let Some(key) = super::draft::link_key(canonical) else { return Ok(Vec::new()) };
        let mut stories = Vec::new();
        for found in self.store.keys.in_volumes(Kind::Urls, key.into(), self.last()) {
            let sharers: Sharers = unpack(&found?.1)?.1;
            stories.splice(0..0, sharers.stories.iter().map(|sharer| sharer.no));
            if stories.len() >= Sharer::MOST {
                break;
            }
        }
        Ok(stories)
    }

    /// What is known of an item.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn known(&self, source: &SourceId, key: &ItemKey) -> Result<Option<Known>> {
        let key = layout::item_key(source, key);
        let found = self.store.keys.in_volumes(Kind::Items, key, self.last()).next().transpose()?;
        found.map(|(_, bytes)| Ok(unpack(&bytes)?.1)).transpose()
    }

    /// Stories from number `from` on, in order of opening.
    pub fn stories(&self, from: StoryNo) -> impl Iterator<Item = Result<Story>> + '_ {
        let pairs = self.store.trees.stories.range(layout::story_key(from)..);
        pairs.map(|pair| Ok(unpack(&pair?.1)?.1))
    }

    /// An edition's head, its version raised to that of the settings it prints; `None` if nothing ever entered it.
    /// A city-and-tag edition has the later version of its two editions.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn edition(&self, edition: &EditionId) -> Result<Option<Head>> {
        if let EditionId::CityTag(city, tag) = edition {
            let (city, tag) = (self.edition(&EditionId::City(*city))?, self.edition(&EditionId::Tag(tag.clone()))?);
            let (Some(city), Some(tag)) = (city, tag) else { return Ok(None) };
            let version = Version {
                seq: city.version.seq.max(tag.version.seq),
                modified: city.version.modified.max(tag.version.modified),
            };
            let grown = Version {
                seq: city.grown.seq.max(tag.grown.seq),
                modified: city.grown.modified.max(tag.grown.modified),
            };
            return Ok(Some(Head { version, grown, name: tag.name, ..Head::default() }));
        }
        let Some(bytes) = self.store.trees.editions.get(edition.key())? else { return Ok(None) };
        let mut head: Head = unpack(&bytes)?.1;
        head.version = self.printed(head.version);
        Ok(Some(head))
    }

    /// Version of an edition that holds nothing yet.
    #[must_use]
    pub fn empty(&self) -> Version {
        self.shared.meta.settings
    }

    fn printed(&self, version: Version) -> Version {
        let settings = self.shared.meta.settings;
        Version { seq: version.seq.max(settings.seq), modified: version.modified.max(settings.modified) }
    }

    /// All editions that anything ever entered, by key.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn editions(&self) -> Result<Vec<(EditionId, Head)>> {
        let mut all = Vec::new();
        for pair in &self.store.trees.editions {
            let (key, value) = pair?;
            if let Some(edition) = std::str::from_utf8(&key).ok().and_then(EditionId::parse) {
                let mut head: Head = unpack(&value)?.1;
                head.version = self.printed(head.version);
                all.push((edition, head));
            }
        }
        Ok(all)
    }

    /// Spelling of a known tag, by its folded id.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn tag(&self, id: &str) -> Result<Option<String>> {
        let head = self.edition(&EditionId::Tag(id.to_owned()))?;
        Ok(head.map(|head| head.name.unwrap_or_else(|| id.to_owned())))
    }

    /// What the feed of an edition shows, newest first.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn window(&self, edition: &EditionId) -> Result<Vec<(Order, Story)>> {
        let Some(head) = self.edition(edition)? else { return Ok(Vec::new()) };
        if self.coming(edition, &head)? {
            return Ok(Vec::new());
        }
        let meta = &self.shared.meta;
        let mut cut = match edition {
            EditionId::CityTag(..) => Cut::computed(meta.items, &meta.widened),
            _ => Cut::new(&head, meta.items),
        };
        self.walk(edition, None, Shown::Window, |order| cut.keeps(order), usize::MAX)
    }

    /// Whether an edition is new and its first generation not complete.
    fn coming(&self, edition: &EditionId, head: &Head) -> Result<bool> {
        if let EditionId::CityTag(_, tag) = edition {
            let tag = EditionId::Tag(tag.clone());
            return self.edition(&tag)?.map_or(Ok(false), |head| self.coming(&tag, &head));
        }
        Ok(head.born > 0 && head.generation == 0)
    }

    /// Up to `limit` stories of an edition older than `before`, newest first, without regard to its window.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn page(&self, edition: &EditionId, before: Option<Order>, limit: usize) -> Result<Vec<(Order, Story)>> {
        self.walk(edition, before, Shown::Pages, |_| true, limit)
    }

    /// The newest page of an edition's archive: the `n` of its address. `None` while there is none.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn newest_run(&self, edition: &EditionId) -> Result<Option<u64>> {
        let Some(head) = self.edition(edition)? else { return Ok(None) };
        if self.coming(edition, &head)? {
            return Ok(None);
        }
        Ok(head.run.filter(|(number, _)| *number > 0).map(|(number, _)| address(head.generation, number)))
    }

    /// The page of an edition's archive at address `n`; `None` if there never was one. A page of a former generation is
    /// answered with the one that holds its newest entry now.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn archive(&self, edition: &EditionId, n: u64) -> Result<Option<Archive>> {
        let Some(head) = self.edition(edition)? else { return Ok(None) };
        if matches!(edition, EditionId::CityTag(..)) || self.coming(edition, &head)? {
            return Ok(None);
        }
        let (generation, number) = ((n / GENERATION) as u32, (n % GENERATION) as u32);
        if generation > head.generation {
            return Ok(None);
        }
        let Some(asked) = self.run(edition, generation, number)? else { return Ok(None) };
        let last = head.run.map_or(0, |(number, _)| number);
        let number = if generation == head.generation {
            if number > last {
                return Ok(None);
            }
            number
        } else {
            self.run_holding(edition, head.generation, last, asked.through)?
        };
        let (run, above) = match number {
            // The archive began anew and is empty.
            0 => (Run { through: Order { at: Time(i64::MIN), story: 0 }, ..asked }, None),
            _ => (
                self.run(edition, head.generation, number)?.unwrap_or(asked),
                self.run(edition, head.generation, number - 1)?.map(|run| run.through),
            ),
        };
        let mut version = self.printed(run.version);
        let mut printed = |other: Version| {
            version = Version { seq: version.seq.max(other.seq), modified: version.modified.max(other.modified) };
        };
        printed(head.named);
        let within = |order: Order| above.is_none_or(|above| order > above);
        let upto = Order { at: run.through.at, story: run.through.story.saturating_add(1) };
        let mut stories = Vec::new();
        for order in self.orders(edition, Some(upto), Shown::Pages) {
            let order = order?;
            if !within(order) {
                break;
            }
            let Some(story) = self.story(StoryNo(order.story))? else { continue };
            printed(story.printed);
            if story.entries.iter().any(|entered| entered.edition == *edition && entered.archived(head.switched)) {
                stories.push((order, story));
            }
        }
        // Who took something out of it changed it.
        for order in self.list(layout::out_prefix(edition), Some(upto)) {
            let order = order?;
            if !within(order) {
                break;
            }
            if let Some(story) = self.story(StoryNo(order.story))? {
                printed(story.printed);
            }
        }
        Ok(Some(Archive {
            n: address(head.generation, number.max(1)),
            previous: (number > 1).then(|| address(head.generation, number - 1)),
            version,
            stories,
        }))
    }

    fn run(&self, edition: &EditionId, generation: u32, number: u32) -> Result<Option<Run>> {
        let bytes = self.store.trees.entries.get(layout::run_key(edition, generation, number))?;
        bytes.map(|bytes| Ok(unpack(&bytes)?.1)).transpose()
    }

    /// Number of the run, of so many, that holds an entry: the first one that reaches it, else the last.
    fn run_holding(&self, edition: &EditionId, generation: u32, last: u32, order: Order) -> Result<u32> {
        let (mut low, mut high) = (1.min(last), last);
        while low < high {
            let middle = low + (high - low) / 2;
            let reaches = self.run(edition, generation, middle)?.is_some_and(|run| run.through >= order);
            if reaches {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    /// The newest entries of an edition's feed, beyond its window if need be: `limit`, less those of them that left since.
    /// None comes back in the place of one that did.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn newest(&self, edition: &EditionId, limit: usize) -> Result<Vec<(Order, Story)>> {
        let Some(head) = self.edition(edition)? else { return Ok(Vec::new()) };
        if self.coming(edition, &head)? {
            return Ok(Vec::new());
        }
        let mut taken = 0;
        let counts = |_| {
            taken += 1;
            taken <= limit
        };
        self.walk(edition, None, Shown::Newest, counts, usize::MAX)
    }

    /// So many entries of both editions are looked at for a city-and-tag edition; what lies deeper is not in it.
    const COMPUTED: usize = 5_000;

    fn walk(
        &self,
        edition: &EditionId,
        before: Option<Order>,
        shown: Shown,
        mut keeps: impl FnMut(Order) -> bool,
        limit: usize,
    ) -> Result<Vec<(Order, Story)>> {
        let mut found = Vec::new();
        if let EditionId::CityTag(city, tag) = edition {
            let (city, tag) = (EditionId::City(*city), EditionId::Tag(tag.clone()));
            // No edge of it is recorded, so what was spiked has to count.
            let listed = if shown == Shown::Window { Shown::Newest } else { shown };
            let (mut one, mut other) = (self.orders(&city, before, listed), self.orders(&tag, before, listed));
            let (mut first, mut second) = (one.next().transpose()?, other.next().transpose()?);
            for _ in 0..Self::COMPUTED {
                // The newest first, of whichever it is; a story that entered both at once is met once.
                let Some(order) = first.max(second) else { break };
                if first == Some(order) {
                    first = one.next().transpose()?;
                }
                if second == Some(order) {
                    second = other.next().transpose()?;
                }
                let Some(story) = self.story(StoryNo(order.story))? else { continue };
                let entered = |id: &EditionId| story.entries.iter().find(|entered| entered.edition == *id);
                let (Some(mine), Some(theirs)) = (entered(&city), entered(&tag)) else { continue };
                // Its order is the later of its two entries: at the earlier one it was met already.
                if mine.at.max(theirs.at) != order.at || (shown != Shown::Pages && (mine.late || theirs.late)) {
                    continue;
                }
                if found.len() >= limit || !keeps(order) {
                    break;
                }
                // What left counts and is not shown, or another would come back in its place.
                if shown.has(mine) && shown.has(theirs) {
                    found.push((order, story));
                }
            }
            return Ok(found);
        }
        for order in self.orders(edition, before, shown) {
            let order = order?;
            if shown != Shown::Newest && (found.len() >= limit || !keeps(order)) {
                break;
            }
            let Some(story) = self.story(StoryNo(order.story))? else { continue };
            let entered = story.entries.iter().find(|entered| entered.edition == *edition);
            if shown == Shown::Newest {
                // What a changed rule brought never stood in the feed: spiked, it takes nobody's place.
                if entered.is_some_and(|entered| entered.late) {
                    continue;
                }
                if found.len() >= limit || !keeps(order) {
                    break;
                }
            }
            if entered.is_none_or(|entered| shown.has(entered)) {
                found.push((order, story));
            }
        }
        Ok(found)
    }

    /// The entries of an edition older than `before`, newest first; for its pages those that a changed rule brought, too,
    /// and where entries are counted those that were spiked.
    fn orders(&self, edition: &EditionId, before: Option<Order>, shown: Shown) -> Listed {
        let aside = match shown {
            Shown::Window => None,
            Shown::Newest => Some(layout::out_prefix(edition)),
            Shown::Pages => Some(layout::late_prefix(edition)),
        };
        let aside = aside.map(|prefix| self.list(prefix, before).peekable());
        Listed { entered: self.list(layout::entries_prefix(edition), before).peekable(), aside }
    }

    fn list(&self, prefix: Vec<u8>, before: Option<Order>) -> Orders {
        let from = before.map_or_else(|| prefix.clone(), |before| layout::entry_key(&prefix, before));
        let pairs = self.store.trees.entries.range(from..);
        Orders { pairs, prefix, before, block: Vec::new().into_iter() }
    }

    /// A source, as far as the fold knows it.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn source(&self, id: &SourceId) -> Result<Option<SourceHead>> {
        self.store.trees.sources.get(id.as_str())?.map(|bytes| Ok(unpack(&bytes)?.1)).transpose()
    }

    /// What polling remembers of a source; no part of the fold.
    #[must_use]
    pub fn book(&self, id: &SourceId) -> Option<crate::model::book::Entry> {
        self.store.book(id)
    }

    /// What is remembered of the hub that delivers a source's news; no part of the fold.
    #[must_use]
    pub fn push(&self, id: &SourceId) -> Option<crate::model::push::Push> {
        self.store.push(id)
    }

    /// All sources that ever filed, retired ones included, by id.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn sources(&self) -> Result<Vec<(SourceId, SourceHead)>> {
        let mut all = Vec::new();
        for pair in &self.store.trees.sources {
            let (key, value) = pair?;
            if let Some(id) = std::str::from_utf8(&key).ok().and_then(SourceId::new) {
                all.push((id, unpack(&value)?.1));
            }
        }
        Ok(all)
    }
}

/// A page of an archive.
#[derive(Debug, Clone)]
pub struct Archive {
    /// The end of its address.
    pub n: u64,
    /// That of the next older page.
    pub previous: Option<u64>,
    /// Changes only when something that it prints did.
    pub version: Version,
    /// Newest first.
    pub stories: Vec<(Order, Story)>,
}

/// Pages of one generation have addresses below this one and above the multiples of it.
const GENERATION: u64 = 10_000_000;

/// A page's address: a number, so that every reader can make a file name of it, that no page of another generation has.
const fn address(generation: u32, number: u32) -> u64 {
    generation as u64 * GENERATION + number as u64
}

/// For whom an edition is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Its feed.
    Window,
    /// So many of its newest entries.
    Newest,
    /// Its pages.
    Pages,
}

impl Shown {
    const fn has(self, entered: &Entered) -> bool {
        match self {
            Self::Window | Self::Newest => !entered.left,
            Self::Pages => entered.shown(),
        }
    }
}

/// Entries of one edition, those brought by a changed rule, or spiked, among them in their order.
struct Listed {
    entered: Peekable<Orders>,
    aside: Option<Peekable<Orders>>,
}

impl Iterator for Listed {
    type Item = Result<Order>;

    fn next(&mut self) -> Option<Result<Order>> {
        let Some(aside) = &mut self.aside else { return self.entered.next() };
        match (self.entered.peek(), aside.peek()) {
            (Some(Ok(entered)), Some(Ok(order))) if order > entered => aside.next(),
            (None, Some(_)) => aside.next(),
            _ => self.entered.next(),
        }
    }
}

/// Entries of one edition, read block by block.
struct Orders {
    pairs: sled::Iter,
    prefix: Vec<u8>,
    before: Option<Order>,
    block: std::vec::IntoIter<Order>,
}

impl Orders {
    fn block(&mut self) -> Option<Result<Block>> {
        let (key, value) = match self.pairs.next()? {
            Ok(pair) => pair,
            Err(error) => return Some(Err(error.into())),
        };
        key.starts_with(&self.prefix).then(|| Ok(unpack::<Block>(&value)?.1))
    }
}

impl Iterator for Orders {
    type Item = Result<Order>;

    fn next(&mut self) -> Option<Result<Order>> {
        loop {
            let before = self.before;
            if let Some(order) = self.block.by_ref().find(|order| before.is_none_or(|before| *order < before)) {
                return Some(Ok(order));
            }
            match self.block()? {
                Ok(block) => self.block = block.entries.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
