//! Reading: a whole version of everything, for as long as the view lives.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLockReadGuard};

use super::layout::{self, Block, Head, Known, Meta, SourceHead, unpack};
use super::{Result, Shared, Store};
use crate::model::edition::{EditionId, Order, Version};
use crate::model::id::{Guid, ItemKey, SourceId, StoryNo};
use crate::model::setting::InForce;
use crate::model::story::Story;
use crate::model::time::Time;

/// A consistent read. Holds a lock that the writer waits for: keep it short, and never over an await.
#[derive(Debug)]
pub struct View<'s> {
    store: &'s Store,
    shared: RwLockReadGuard<'s, Shared>,
}

/// Which entries stand in the window of an edition, asked newest first: so many at least, and all within 48 hours before
/// the newest one, at most max(items, 1000); never beyond the older edge once reached; and always back to the newest
/// complete run, so that a walk through the archive misses nothing.
#[derive(Debug)]
pub struct Cut {
    items: usize,
    floor: Option<Order>,
    run: Option<Order>,
    newest: Option<Order>,
    taken: usize,
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
        Self { items, floor: head.floor, run: head.run.map(|(_, through)| through), newest: None, taken: 0 }
    }

    /// Whether this entry, the next older one, is in the window; the first "no" ends it.
    pub fn keeps(&mut self, order: Order) -> bool {
        let newest = *self.newest.get_or_insert(order);
        if self.floor.is_some_and(|floor| order < floor) {
            return false;
        }
        let recent = newest.at.since(order.at) <= Self::SPAN && self.taken < Self::MOST.max(self.items);
        let unarchived = self.run.is_some_and(|run| order > run) && self.taken < Self::MOST.max(self.items);
        let keep = self.taken < self.items || recent || unarchived;
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

    /// A story by its guid.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn by_guid(&self, guid: Guid) -> Result<Option<Story>> {
        let Some(bytes) = self.store.trees.guids.get(guid.0.as_bytes())? else { return Ok(None) };
        let no = (*bytes).try_into().map(u64::from_be_bytes).unwrap_or_default();
        self.story(StoryNo(no))
    }

    /// What is known of an item.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn known(&self, source: &SourceId, key: &ItemKey) -> Result<Option<Known>> {
        let bytes = self.store.trees.items.get(layout::item_key(source, key))?;
        bytes.map(|bytes| Ok(unpack(&bytes)?.1)).transpose()
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
            return Ok(Some(Head { version, name: tag.name, ..Head::default() }));
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
        let mut cut = Cut::new(&head, self.shared.meta.items);
        self.walk(edition, None, |order| cut.keeps(order), usize::MAX)
    }

    /// Up to `limit` stories of an edition older than `before`, newest first, without regard to its window.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn page(&self, edition: &EditionId, before: Option<Order>, limit: usize) -> Result<Vec<(Order, Story)>> {
        self.walk(edition, before, |_| true, limit)
    }

    /// So many entries of the larger edition are looked at for a city-and-tag edition.
    const COMPUTED: usize = 5_000;

    fn walk(
        &self,
        edition: &EditionId,
        before: Option<Order>,
        mut keeps: impl FnMut(Order) -> bool,
        limit: usize,
    ) -> Result<Vec<(Order, Story)>> {
        let mut found = Vec::new();
        if let EditionId::CityTag(city, tag) = edition {
            // Order = the later of its two entries, so the union of both newest stretches must be looked at.
            let (city, tag) = (EditionId::City(*city), EditionId::Tag(tag.clone()));
            let mut orders = BTreeSet::new();
            for (one, other) in [(&city, &tag), (&tag, &city)] {
                self.orders(one, None, |order| {
                    orders.len() < Self::COMPUTED && {
                        let story = self.story(StoryNo(order.story)).ok().flatten();
                        let entry = |id: &EditionId| {
                            story
                                .as_ref()
                                .and_then(|s| s.entries.iter().find(|e| e.edition == *id && !e.left))
                                .map(|e| e.at)
                        };
                        if let (Some(at), Some(second)) = (entry(one), entry(other)) {
                            orders.insert(Order { at: at.max(second), story: order.story });
                        }
                        true
                    }
                })?;
            }
            for order in orders.into_iter().rev() {
                if before.is_some_and(|before| order >= before) {
                    continue;
                }
                if found.len() >= limit || !keeps(order) {
                    break;
                }
                if let Some(story) = self.story(StoryNo(order.story))? {
                    found.push((order, story));
                }
            }
            return Ok(found);
        }
        let mut wanted = Vec::new();
        self.orders(edition, before, |order| {
            let more = wanted.len() < limit && keeps(order);
            if more {
                wanted.push(order);
            }
            more
        })?;
        for order in wanted {
            let Some(story) = self.story(StoryNo(order.story))? else { continue };
            if !story.entries.iter().any(|entered| entered.edition == *edition && entered.left) {
                found.push((order, story));
            }
        }
        Ok(found)
    }

    /// Hands the entries of an edition older than `before` to `take`, newest first, until it says no.
    fn orders(&self, edition: &EditionId, before: Option<Order>, mut take: impl FnMut(Order) -> bool) -> Result<()> {
        let prefix = layout::entries_prefix(edition);
        let from = before.map_or_else(|| prefix.clone(), |before| layout::entry_key(&prefix, before));
        for pair in self.store.trees.entries.range(from..) {
            let (key, value) = pair?;
            if !key.starts_with(&prefix) {
                break;
            }
            let block: Block = unpack(&value)?.1;
            for order in block.entries {
                if before.is_some_and(|before| order >= before) {
                    continue;
                }
                if !take(order) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A source, as far as the fold knows it.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn source(&self, id: &SourceId) -> Result<Option<SourceHead>> {
        self.store.trees.sources.get(id.as_str())?.map(|bytes| Ok(unpack(&bytes)?.1)).transpose()
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
