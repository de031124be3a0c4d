//! What ledger records change, gathered in memory over what the store holds.
//!
//! The editor decides item after item against a draft, so that the second of two items sees what was decided of the
//! first, appends the decisions to the ledger, and commits. Replay runs the very same code with records read back.

use std::cell::RefCell;
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::keys::{Entry, Key, Kind};
use super::layout::{self, BLOCK, Block, Head, Known, Meta, Run, Sharers, SourceHead, Tree, Volume, pack, unpack};
use super::sieve::Sifted;
use super::{Result, Store, StoreError};
use crate::model::codec;
use crate::model::edit::{Body, Cause, Edit, Progress, Record};
use crate::model::edition::{EditionId, Order, Version};
use crate::model::fold::fold;
use crate::model::headline::bare;
use crate::model::id::{Guid, ItemKey, SourceId, StoryNo, hash64};
use crate::model::noise;
use crate::model::position::Position;
use crate::model::setting::{InForce, Setting};
use crate::model::shingle;
use crate::model::story::{Copy, Emission, Entered, Sharer, Sharing, Story};
use crate::model::tag::Tag;
use crate::model::time::Time;
use crate::model::websub::{Delivered, Mark, Subscription};

/// A value read from the store or made here, with the record that wrote it.
#[derive(Debug, Clone)]
struct Held<T> {
    by: u64,
    /// Changed by this draft.
    fresh: bool,
    value: T,
}

/// Stories that share a key as they stand in the store; `None` if it holds none.
type Shared = Option<Held<Sharers>>;

/// Changes ready to be written: per tree, groups of keys that belong into one batch.
#[derive(Debug)]
pub struct Changes {
    pub(super) trees: Vec<(Tree, Vec<Group>)>,
    /// What stories are found by, in order.
    pub(super) keys: Vec<Entry>,
    pub(super) meta: Meta,
    pub(super) settings: Arc<InForce>,
}

/// Keys that go into one batch, or not at all.
pub(super) type Group = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Changes of one or more ledger records over a store.
#[derive(Debug)]
pub struct Draft<'s> {
    store: &'s Store,
    meta: Meta,
    settings: Arc<InForce>,
    stories: BTreeMap<StoryNo, Held<Story>>,
    guids: BTreeMap<Guid, StoryNo>,
    /// Each with the volume that it stands in: that of the story it was first filed under.
    items: BTreeMap<u128, (Volume, Known)>,
    urls: BTreeMap<(u64, Volume), Held<Sharers>>,
    headlines: BTreeMap<(u64, Volume), Held<Sharers>>,
    texts: BTreeMap<(u64, Volume), Held<Sharers>>,
    /// What was read of these three, and not changed: what a new item is looked up by, it is then filed under.
    shared: RefCell<BTreeMap<(Kind, u64, Volume), Shared>>,
    /// Stories read, and not changed.
    read: RefCell<BTreeMap<StoryNo, Held<Story>>>,
    /// Cards read.
    cards: RefCell<BTreeMap<StoryNo, Story>>,
    /// Stories whose card changed.
    carded: BTreeSet<StoryNo>,
    editions: BTreeMap<EditionId, Held<Head>>,
    blocks: BTreeMap<EditionId, BTreeMap<Vec<u8>, Held<Option<Block>>>>,
    /// Key of the newest block of a list, by its prefix; that block stands among `blocks`. Nearly every entry goes there,
    /// and need not look for its place in the store.
    newest: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Runs recorded, by key, with the record that did.
    runs: BTreeMap<Vec<u8>, (u64, Run)>,
    sources: BTreeMap<SourceId, Held<SourceHead>>,
    parts: BTreeMap<String, Option<Setting>>,
    /// Subscriptions by number; `None` is one that ended.
    subscriptions: BTreeMap<u64, Option<Subscription>>,
    /// Numbers of subscriptions by identity; `None` is one that ended.
    subscribers: BTreeMap<[u8; 16], Option<u64>>,
    /// The number that the next subscription gets, if one was given here.
    next_subscription: Option<u64>,
    /// What subscriptions have; `None` is one that ended.
    delivered: BTreeMap<u64, Option<Delivered>>,
    /// Rules as they were before the change of settings gathered here, with the record that changed them.
    former: Option<BTreeMap<String, (u64, Option<Setting>)>>,
    /// Keys of rules as they were before an earlier change.
    forgotten: Vec<String>,
    /// Whether the settings gathered are in force, or wait for the rest of their change.
    closed: bool,
    /// What stands in this draft already: nothing, records of other kinds, or settings.
    gathered: Gathered,
    seq: u64,
    at: Time,
}

/// What a draft holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gathered {
    Nothing,
    Others,
    Settings,
}

impl<'s> Draft<'s> {
    pub(super) fn new(store: &'s Store, meta: Meta, settings: Arc<InForce>) -> Self {
        Self {
            store,
            seq: meta.applied.seq,
            at: meta.at,
            meta,
            settings,
            stories: BTreeMap::new(),
            guids: BTreeMap::new(),
            items: BTreeMap::new(),
            urls: BTreeMap::new(),
            headlines: BTreeMap::new(),
            texts: BTreeMap::new(),
            shared: RefCell::default(),
            read: RefCell::default(),
            cards: RefCell::default(),
            carded: BTreeSet::new(),
            editions: BTreeMap::new(),
            blocks: BTreeMap::new(),
            newest: BTreeMap::new(),
            runs: BTreeMap::new(),
            sources: BTreeMap::new(),
            parts: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            subscribers: BTreeMap::new(),
            next_subscription: None,
            delivered: BTreeMap::new(),
            former: None,
            forgotten: Vec::new(),
            closed: false,
            gathered: Gathered::Nothing,
        }
    }

    /// Whether this record may be gathered too. Settings stand in a commit of their own: their values carry no record
    /// that wrote them, so replay of a half-applied commit could not tell those of one change from those of the next.
    #[must_use]
    pub fn admits(&self, body: &Body) -> bool {
        match self.gathered {
            Gathered::Nothing => true,
            Gathered::Others => !matches!(body, Body::Settings { .. }),
            Gathered::Settings => false,
        }
    }

    /// Begins ledger record `seq` of time `at`: edits applied from here on count as its.
    pub fn begin(&mut self, seq: u64, at: Time) {
        if self.gathered == Gathered::Nothing {
            self.gathered = Gathered::Others;
        }
        self.seq = seq;
        self.at = at;
        if self.meta.first == Time::default() {
            self.meta.first = at;
        }
    }

    /// Ends the record begun: from here on the store counts as applied up to it.
    pub fn end(&mut self, at: Position, progress: Progress) {
        if self.meta.desk == Guid::default() {
            self.meta.desk = Guid::desk(at, self.at);
        }
        self.meta.applied = at;
        self.meta.at = self.at;
        // Counted by records and not taken from the heads: replay passes over heads that a kill left written, and would
        // never learn of theirs.
        self.meta.modified = self.at.seconds().max(self.meta.modified + 1);
        self.meta.progress = progress;
    }

    /// Applies a whole record, as replay does.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read or the record names what does not exist.
    pub fn record(&mut self, at: Position, record: &Record) -> Result<()> {
        self.begin(at.seq, record.at);
        self.body(&record.body)?;
        self.end(at, record.progress);
        Ok(())
    }

    /// Applies the body of a record.
    ///
    /// # Errors
    /// As [`Draft::record`].
    pub fn body(&mut self, body: &Body) -> Result<()> {
        match body {
            Body::Edits(edits) => edits.iter().try_for_each(|edit| self.edit(edit)),
            Body::Settings { set, gone, closes } => self.set(set, gone, *closes),
            Body::Switch { edition, generation } => {
                let seq = self.seq;
                let Some(head) = self.head_mut(edition)? else { return Ok(()) };
                // What an existing edition prints does not change by what joins or left its archive, but for the address
                // of the archive.
                let appears = head.generation == 0 && head.born > 0;
                let number = |run: Option<(u32, Order)>| run.map_or(0, |(number, _)| number);
                let moves = number(head.run) > 0 || number(head.coming) > 0;
                (head.generation, head.altered, head.edge, head.switched) = (*generation, 0, None, seq);
                head.run = head.coming.take();
                head.since = 0;
                if appears || moves { self.bump(edition, seq) } else { Ok(()) }
            }
            Body::Subscription { number, subscription } => self.subscribed(*number, subscription),
            Body::Delivered(marks) => self.delivered(marks),
            Body::Unsubscribed(numbers) => numbers.iter().try_for_each(|number| self.unsubscribed(*number)),
            // Texts leave the disk by the journal's hand; facts stay.
            Body::Expire { .. } | Body::Tick => Ok(()),
        }
    }

    /// Applies one edit.
    ///
    /// # Errors
    /// As [`Draft::record`].
    pub fn edit(&mut self, edit: &Edit) -> Result<()> {
        match edit {
            Edit::Open { story, guid, copy } => {
                self.meta.stories += 1;
                self.meta.copies += 1;
                self.guids.insert(*guid, *story);
                self.index(*story, copy)?;
                let fresh = Story {
                    no: *story,
                    guid: *guid,
                    opened: self.at,
                    copies: vec![(**copy).clone()],
                    ..Story::default()
                };
                self.stories.insert(*story, Held { by: self.seq, fresh: true, value: fresh });
                self.carded.insert(*story);
                Ok(())
            }
            Edit::Join { story, copy } => {
                self.meta.copies += 1;
                self.index(*story, copy)?;
                self.carded.insert(*story);
                self.with_story(*story, |story| story.copies.push((**copy).clone()))?;
                self.grow(*story)
            }
            Edit::Revise { story, copy } => {
                self.index(*story, copy)?;
                self.carded.insert(*story);
                self.with_story(*story, |story| {
                    for known in &mut story.copies {
                        if known.source == copy.source && known.key == copy.key {
                            *known = (**copy).clone();
                        }
                    }
                })?;
                self.grow(*story)
            }
            Edit::See { story, source, key, hash } => {
                self.know(source, key, Known { story: *story, hash: *hash })?;
                self.with_story(*story, |story| {
                    for known in &mut story.copies {
                        if known.source == *source && known.key == *key {
                            known.hash = *hash;
                        }
                    }
                })
            }
            Edit::Judge { story, shown, places, tags } => {
                self.carded.insert(*story);
                self.with_story(*story, |story| {
                    story.shown = *shown;
                    story.places = places.clone();
                    story.tags.clone_from(tags);
                })
            }
            Edit::Emit { story, emission, cause } => self.emit(*story, emission, *cause),
            Edit::Enter { story, at, editions } => self.enter(*story, *at, editions),
            Edit::Leave { story, editions } => self.leave(*story, editions),
            Edit::Retag { story, tags } => self.with_story(*story, |story| story.tags.clone_from(tags)),
            Edit::Refile { story, at, joins, leaves } => self.refile(*story, *at, joins, leaves),
            Edit::Retire { .. } => self.retire(edit),
            Edit::Split { .. } => self.split(edit),
            Edit::Spike { story } => self.spike(*story),
            Edit::Reinstate { story, editions } => self.reinstate(*story, editions),
            Edit::Filed { source, reading, at, items, title, home, listed, tags, .. } => {
                let seq = self.seq;
                let held = self.source_mut(source)?;
                if !held.fresh && held.by >= seq {
                    return Ok(());
                }
                (held.by, held.fresh) = (seq, true);
                let head = &mut held.value;
                if head.filings == 0 {
                    head.first = *at;
                }
                head.filings += 1;
                head.last = *at;
                head.items += u64::from(*items);
                if *listed > 0 || head.reading == 0 {
                    head.reading = *reading;
                }
                (head.counted, head.tags) = noise::count((head.counted, &head.tags), (*items, tags));
                head.title = title.clone().or_else(|| head.title.take());
                head.home = home.clone().or_else(|| head.home.take());
                Ok(())
            }
            Edit::Run { edition, number, through, generation } => {
                let seq = self.seq;
                let version = Version { seq, modified: self.at.seconds() };
                let run = Run { through: *through, version };
                self.runs.insert(layout::run_key(edition, *generation, *number), (seq, run));
                let Some(head) = self.head_mut(edition)? else { return Ok(()) };
                if *generation > head.generation {
                    head.coming = Some((*number, *through));
                    return Ok(());
                }
                // Counted roughly: it only says when it is worth looking for a full run.
                head.since = head.since.saturating_sub(RUN);
                head.run = Some((*number, *through));
                // The feed names its newest archive.
                self.bump(edition, seq)
            }
            Edit::Archives => {
                self.meta.archives = true;
                Ok(())
            }
        }
    }

    // ---- subscriptions to our feeds: plain puts, so that replay ends with what was written last ----

    fn subscribed(&mut self, number: u64, subscription: &Subscription) -> Result<()> {
        let known = self.subscription(number)?.is_some();
        let identity = Subscription::key(&subscription.topic, &subscription.callback);
        self.subscribers.insert(identity, Some(number));
        self.subscriptions.insert(number, Some(subscription.clone()));
        if !known {
            let from = Delivered { version: subscription.from, content: 0 };
            self.delivered.insert(number, Some(from));
        }
        self.next_subscription = Some(self.free_subscription()?.max(number + 1));
        Ok(())
    }

    fn unsubscribed(&mut self, number: u64) -> Result<()> {
        if let Some(subscription) = self.subscription(number)? {
            let identity = Subscription::key(&subscription.topic, &subscription.callback);
            self.subscribers.insert(identity, None);
        }
        self.subscriptions.insert(number, None);
        self.delivered.insert(number, None);
        Ok(())
    }

    fn delivered(&mut self, marks: &[Mark]) -> Result<()> {
        for mark in marks {
            for number in &mark.to {
                // One that ended meanwhile has nothing.
                if *number == Mark::OUTSIDE || self.subscription(*number)?.is_some() {
                    self.delivered.insert(*number, Some(mark.what));
                }
            }
        }
        Ok(())
    }

    /// A subscription by its number.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn subscription(&self, number: u64) -> Result<Option<Subscription>> {
        if let Some(held) = self.subscriptions.get(&number) {
            return Ok(held.clone());
        }
        let bytes = self.store.trees.subscriptions.get(layout::subscription_key(number))?;
        bytes.map(|bytes| Ok(unpack(&bytes)?.1)).transpose()
    }

    /// Number of the subscription with this identity ([`Subscription::key`]).
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn subscriber(&self, identity: &[u8; 16]) -> Result<Option<u64>> {
        if let Some(held) = self.subscribers.get(identity) {
            return Ok(*held);
        }
        let bytes = self.store.trees.subscriptions.get(layout::subscriber_key(identity))?;
        bytes.map(|bytes| Ok(unpack(&bytes)?.1)).transpose()
    }

    /// The number that the next subscription gets.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn free_subscription(&self) -> Result<u64> {
        if let Some(next) = self.next_subscription {
            return Ok(next);
        }
        let bytes = self.store.trees.subscriptions.get(layout::NEXT_SUBSCRIPTION)?;
        bytes.map_or(Ok(1), |bytes| Ok(unpack(&bytes)?.1))
    }

    // ---- reading, as decided so far ----

    /// Number the next story gets.
    #[must_use]
    pub fn next_story(&self) -> StoryNo {
        StoryNo(self.meta.stories + 1)
    }

    /// Whether this guid was ever minted.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn minted(&self, guid: Guid) -> Result<bool> {
        Ok(self.by_guid(guid)?.is_some())
    }

    /// What is known of an item.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn known(&self, source: &SourceId, key: &ItemKey) -> Result<Option<Known>> {
        Ok(self.item(layout::item_key(source, key))?.map(|(_, known)| known))
    }

    fn item(&self, key: u128) -> Result<Option<(Volume, Known)>> {
        if let Some(held) = self.items.get(&key) {
            return Ok(Some(*held));
        }
        let found = self.store.keys.in_volumes(Kind::Items, key, self.volume()).next().transpose()?;
        found.map(|(volume, bytes)| Ok((volume, unpack(&bytes)?.1))).transpose()
    }

    /// The newest volume.
    fn volume(&self) -> Volume {
        Volume::of(self.next_story())
    }

    /// A story.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn story(&self, no: StoryNo) -> Result<Option<Story>> {
        if let Some(held) = self.stories.get(&no) {
            return Ok(Some(held.value.clone()));
        }
        if let Some(held) = self.read.borrow().get(&no) {
            return Ok(Some(held.value.clone()));
        }
        let Some(held) = load::<Story>(self.store, Tree::Stories, &layout::story_key(no))? else { return Ok(None) };
        let story = held.value.clone();
        let mut read = self.read.borrow_mut();
        if read.len() >= READ {
            read.clear();
        }
        read.insert(no, held);
        Ok(Some(story))
    }

    /// The card of a story ([`Story::card`]).
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn card(&self, no: StoryNo) -> Result<Option<Story>> {
        if let Some(held) = self.stories.get(&no) {
            return Ok(Some(held.value.card()));
        }
        if let Some(card) = self.cards.borrow().get(&no) {
            return Ok(Some(card.clone()));
        }
        let Some(held) = load::<Story>(self.store, Tree::Cards, &layout::story_key(no))? else { return Ok(None) };
        let mut cards = self.cards.borrow_mut();
        if cards.len() >= READ {
            cards.clear();
        }
        cards.insert(no, held.value.clone());
        Ok(Some(held.value))
    }

    /// A story that is asked for once: nothing is remembered of it.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn story_once(&self, no: StoryNo) -> Result<Option<Story>> {
        if let Some(held) = self.stories.get(&no) {
            return Ok(Some(held.value.clone()));
        }
        self.store.trees.stories.get(layout::story_key(no))?.map(|bytes| Ok(unpack(&bytes)?.1)).transpose()
    }

    /// Number of the story with this guid.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn by_guid(&self, guid: Guid) -> Result<Option<StoryNo>> {
        if let Some(no) = self.guids.get(&guid) {
            return Ok(Some(*no));
        }
        let found = self.store.keys.in_volumes(Kind::Guids, guid.0.as_u128(), self.volume()).next().transpose()?;
        Ok(found.and_then(|(_, bytes)| (*bytes).try_into().ok()).map(|bytes| StoryNo(u64::from_be_bytes(bytes))))
    }

    /// Stories that share keys with a copy: of the near volumes, and further back those that share its link or
    /// [`Sharer::OLD`] keys.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn sharing(&self, copy: &Copy) -> Result<Sharing> {
        let link = link_key(&copy.canonical).map(|key| (Kind::Urls, key));
        let headline = headline_keys(copy).into_iter().map(|key| (Kind::Headlines, key));
        let text = copy.sketch.iter().map(|hash| (Kind::Texts, *hash));
        let keys: Vec<(Kind, u64)> = link.into_iter().chain(headline).chain(text).collect();
        let near = self.volume().near();
        let mut shared: Vec<Vec<Sharer>> = Vec::with_capacity(keys.len());
        let mut far: BTreeMap<Volume, Vec<usize>> = BTreeMap::new();
        for (index, ((kind, key), volumes)) in keys.iter().zip(self.volumes(&keys)).enumerate() {
            let (mut found, mut volumes) = (Vec::new(), volumes.into_iter().peekable());
            let reach = |volume: &Volume| *kind == Kind::Urls || *volume >= near;
            while let Some(volume) = volumes.next_if(|volume| found.len() < Sharer::MOST && reach(volume)) {
                self.sharers(*kind, *key, volume, &mut found)?;
            }
            if found.len() < Sharer::FEW {
                volumes.for_each(|volume| far.entry(volume).or_default().push(index));
            }
            found.truncate(Sharer::MOST);
            shared.push(found);
        }
        // Stories of long ago; of so many, those further back are of a series.
        let mut older: BTreeSet<StoryNo> = BTreeSet::new();
        for (volume, indices) in far.iter().rev().filter(|(_, indices)| indices.len() >= Sharer::OLD) {
            if older.len() >= Sharer::FEW {
                break;
            }
            let mut there: Vec<Vec<Sharer>> = vec![Vec::new(); keys.len()];
            for index in indices {
                let (kind, key) = keys[*index];
                self.sharers(kind, key, *volume, &mut there[*index])?;
            }
            let keys_of = |no: StoryNo| there.iter().filter(|of| of.iter().any(|sharer| sharer.no == no)).count();
            for (found, there) in shared.iter_mut().zip(&there) {
                let more = there.iter().filter(|sharer| keys_of(sharer.no) >= Sharer::OLD);
                let more = more.take(Sharer::MOST - found.len());
                for sharer in more {
                    older.insert(sharer.no);
                    found.push(*sharer);
                }
            }
        }
        let text = shared.split_off(keys.len() - copy.sketch.len());
        let headline = shared.split_off(usize::from(link.is_some()));
        Ok(Sharing { link: shared.pop().unwrap_or_default(), headline, text })
    }

    /// A source.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn source(&self, id: &SourceId) -> Result<Option<SourceHead>> {
        if let Some(held) = self.sources.get(id) {
            return Ok(Some(held.value.clone()));
        }
        self.store.trees.sources.get(id.as_str())?.map(|bytes| Ok(unpack(&bytes)?.1)).transpose()
    }

    /// An edition's head; `None` if nothing ever entered it.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn head(&self, edition: &EditionId) -> Result<Option<Head>> {
        if let Some(held) = self.editions.get(edition) {
            return Ok(Some(held.value.clone()));
        }
        self.store.trees.editions.get(edition.key())?.map(|bytes| Ok(unpack(&bytes)?.1)).transpose()
    }

    /// All entries of an edition newer than `after`, newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn entries_after(&self, edition: &EditionId, after: Option<Order>) -> Result<Vec<Order>> {
        self.listed(edition, &layout::entries_prefix(edition), after)
    }

    fn listed(&self, edition: &EditionId, prefix: &[u8], after: Option<Order>) -> Result<Vec<Order>> {
        let mut all = Vec::new();
        let mut from = prefix.to_vec();
        while let Some((key, held)) = self.block_at(edition, prefix, &from)? {
            for order in &held.entries {
                if after.is_some_and(|after| *order <= after) {
                    return Ok(all);
                }
                all.push(*order);
            }
            from = key;
            from.push(0);
        }
        Ok(all)
    }

    /// Orders of what stands in an edition's archive once its next generation is visible, newest first, as far as they
    /// are older than `before`: what changed rules took out is not among them, what they brought is.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn archived(&self, edition: &EditionId, before: Time) -> Result<Vec<Order>> {
        let mut orders = self.listed(edition, &layout::entries_prefix(edition), None)?;
        orders.extend(self.listed(edition, &layout::late_prefix(edition), None)?);
        let gone: BTreeSet<Order> = self.listed(edition, &layout::gone_prefix(edition), None)?.into_iter().collect();
        orders.retain(|order| order.at < before && !gone.contains(order));
        orders.sort_unstable_by(|a, b| b.cmp(a));
        Ok(orders)
    }

    /// Editions that anything ever entered, as committed.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn editions(&self) -> Result<Vec<(EditionId, Head)>> {
        let mut all = Vec::new();
        for pair in &self.store.trees.editions {
            let (key, value) = pair?;
            if let Some(edition) = std::str::from_utf8(&key).ok().and_then(EditionId::parse) {
                all.push((edition, unpack(&value)?.1));
            }
        }
        Ok(all)
    }

    /// Whether archives have begun.
    #[must_use]
    pub const fn archives(&self) -> bool {
        self.meta.archives
    }

    /// Record time of the ledger's first record; the default if there is none.
    #[must_use]
    pub const fn first(&self) -> Time {
        self.meta.first
    }

    /// Time of the record at hand.
    #[must_use]
    pub const fn at(&self) -> Time {
        self.at
    }

    /// How far the wire is decided.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        self.meta.progress
    }

    /// Settings as they were before the last change, as far as it changed rules: `[[tag]]`, `[[feed]]`, `[cities]`, and
    /// `tags` and `city` of sources.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn before(&self) -> Result<InForce> {
        let former = match &self.former {
            Some(former) => former.clone(),
            None => self.store.former_rules()?,
        };
        let mut before = (*self.settings).clone();
        for (key, (_, setting)) in former {
            match setting {
                Some(setting) => before.insert(key, setting),
                None => before.remove(&key),
            };
        }
        Ok(before)
    }

    /// Editions that came into being by the last change of settings.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn newborn(&self) -> Result<BTreeSet<EditionId>> {
        let saved = self.settings.keys().filter_map(|key| key.strip_prefix("feed/")).map(str::to_owned);
        let all = saved.map(EditionId::Saved).chain(tags(self.settings.get("tags")).map(EditionId::Tag));
        let mut newborn = BTreeSet::new();
        for edition in all {
            if self.head(&edition)?.is_some_and(|head| head.born == self.meta.change) {
                newborn.insert(edition);
            }
        }
        Ok(newborn)
    }

    /// Editions whose next generation is to become visible, with its number: those that the last change of settings
    /// bore, and those whose past it changed. What this draft gathered does not count yet.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn altered(&self) -> Result<Vec<(EditionId, u32)>> {
        let change = self.meta.change;
        let mut altered = Vec::new();
        for pair in &self.store.trees.editions {
            let (key, value) = pair?;
            let Some(edition) = std::str::from_utf8(&key).ok().and_then(EditionId::parse) else { continue };
            let head: Head = unpack(&value)?.1;
            if head.altered == change || (head.born == change && head.generation == 0) {
                altered.push((edition, head.generation + 1));
            }
        }
        Ok(altered)
    }

    /// Settings in force.
    #[must_use]
    pub fn settings(&self) -> &Arc<InForce> {
        &self.settings
    }

    // ---- folding ----

    fn index(&mut self, story: StoryNo, copy: &Copy) -> Result<()> {
        self.know(&copy.source, &copy.key, Known { story, hash: copy.hash })?;
        let sharer = Sharer { no: story, named: copy.named.first().copied().filter(|_| copy.named.len() == 1) };
        if let Some(key) = link_key(&copy.canonical) {
            self.share(Kind::Urls, key, sharer)?;
        }
        for key in headline_keys(copy) {
            self.share(Kind::Headlines, key, sharer)?;
        }
        for hash in &copy.sketch {
            self.share(Kind::Texts, *hash, sharer)?;
        }
        Ok(())
    }

    /// An item that is filed again stays in its volume, whatever story it belongs to now: it is found there first.
    fn know(&mut self, source: &SourceId, key: &ItemKey, known: Known) -> Result<()> {
        let key = layout::item_key(source, key);
        let volume = self.item(key)?.map_or_else(|| Volume::of(known.story), |(volume, _)| volume);
        self.items.insert(key, (volume, known));
        Ok(())
    }

    fn share(&mut self, kind: Kind, key: u64, sharer: Sharer) -> Result<()> {
        let (seq, store, volume) = (self.seq, self.store, Volume::of(sharer.no));
        let map = match kind {
            Kind::Urls => &mut self.urls,
            Kind::Texts => &mut self.texts,
            _ => &mut self.headlines,
        };
        let held = match map.entry((key, volume)) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                let read = self.shared.get_mut().remove(&(kind, key, volume));
                let known = read.map_or_else(|| sharers(store, kind, key, volume), Ok)?;
                slot.insert(known.unwrap_or_default())
            }
        };
        if !held.fresh && held.by >= seq {
            return Ok(());
        }
        let stories = &mut held.value.stories;
        match stories.iter_mut().find(|known| known.no == sharer.no) {
            Some(known) if known.named == sharer.named || known.named.is_none() => return Ok(()),
            Some(known) => known.named = None,
            None => stories.push(sharer),
        }
        if stories.len() > Sharer::MOST {
            stories.remove(0);
        }
        (held.by, held.fresh) = (seq, true);
        Ok(())
    }

    /// For each key, the volumes that may hold it, as changed so far, newest first.
    fn volumes(&self, keys: &[(Kind, u64)]) -> Vec<Vec<Volume>> {
        let sifted: Vec<Sifted> = keys.iter().map(|(kind, key)| Sifted::of(*kind, &key.to_be_bytes())).collect();
        let mut all = self.store.keys.sieve.volumes_of(&sifted, self.volume());
        for ((kind, key), volumes) in keys.iter().zip(&mut all) {
            let before = volumes.len();
            for ((_, volume), _) in self.keyed(*kind).range((*key, Volume(0))..=(*key, Volume(u16::MAX))) {
                if !volumes.contains(volume) {
                    volumes.push(*volume);
                }
            }
            if volumes.len() > before {
                volumes.sort_unstable_by(|one, other| other.cmp(one));
            }
        }
        all
    }

    /// What was changed of a kind of shared keys.
    const fn keyed(&self, kind: Kind) -> &BTreeMap<(u64, Volume), Held<Sharers>> {
        match kind {
            Kind::Urls => &self.urls,
            Kind::Texts => &self.texts,
            _ => &self.headlines,
        }
    }

    /// Adds the stories of a volume that share a key, newest first.
    fn sharers(&self, kind: Kind, key: u64, volume: Volume, found: &mut Vec<Sharer>) -> Result<()> {
        if let Some(held) = self.keyed(kind).get(&(key, volume)) {
            found.extend(held.value.stories.iter().rev());
            return Ok(());
        }
        let mut shared = self.shared.borrow_mut();
        if shared.len() >= READ {
            shared.clear();
        }
        let read = match shared.entry((kind, key, volume)) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => slot.insert(sharers(self.store, kind, key, volume)?),
        };
        found.extend(read.iter().flat_map(|held| held.value.stories.iter().rev()));
        Ok(())
    }

    /// Changes a story, unless the change is already in it (replay).
    fn with_story(&mut self, no: StoryNo, change: impl FnOnce(&mut Story)) -> Result<()> {
        let seq = self.seq;
        let held = match self.stories.entry(no) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                let read = self.read.get_mut().remove(&no).map(Some);
                let found = read.map_or_else(|| load(self.store, Tree::Stories, &layout::story_key(no)), Ok)?;
                slot.insert(found.ok_or_else(|| StoreError::Damaged(format!("no story {}", no.0)))?)
            }
        };
        if held.fresh || held.by < seq {
            (held.by, held.fresh) = (seq, true);
            change(&mut held.value);
        }
        Ok(())
    }

    fn source_mut(&mut self, id: &SourceId) -> Result<&mut Held<SourceHead>> {
        Ok(match self.sources.entry(id.clone()) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                slot.insert(load(self.store, Tree::Sources, id.as_str().as_bytes())?.unwrap_or_default())
            }
        })
    }

    /// An edition's head to be changed; `None` if the change is already in it (replay).
    fn head_mut(&mut self, edition: &EditionId) -> Result<Option<&mut Head>> {
        let seq = self.seq;
        let held = match self.editions.entry(edition.clone()) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                slot.insert(load(self.store, Tree::Editions, edition.key().as_bytes())?.unwrap_or_default())
            }
        };
        if !held.fresh && held.by >= seq {
            return Ok(None);
        }
        (held.by, held.fresh) = (seq, true);
        Ok(Some(&mut held.value))
    }

    /// A new version of an edition, once per record: its `Last-Modified` rises by at least a second and never falls.
    fn bump(&mut self, edition: &EditionId, seq: u64) -> Result<()> {
        let (now, settings) = (self.at.seconds(), self.meta.settings.modified);
        let Some(head) = self.head_mut(edition)? else { return Ok(()) };
        if head.version.seq < seq {
            let modified = now.max(head.version.modified.max(settings) + 1);
            head.version = Version { seq, modified };
        }
        Ok(())
    }

    /// Something joined a story that only programs read of: each edition that shows it has another form for them.
    fn grow(&mut self, no: StoryNo) -> Result<()> {
        let Some(story) = self.story(no)?.filter(|story| story.emission.is_some()) else { return Ok(()) };
        let (seq, now) = (self.seq, self.at.seconds());
        for entered in story.entries.iter().filter(|entered| !entered.left) {
            let Some(head) = self.head_mut(&entered.edition)? else { continue };
            if head.grown.seq < seq {
                head.grown = Version { seq, modified: now.max(head.grown.modified + 1) };
            }
        }
        Ok(())
    }

    fn emit(&mut self, no: StoryNo, emission: &Emission, cause: Cause) -> Result<()> {
        let (seq, now) = (self.seq, self.at.seconds());
        self.with_story(no, |story| {
            story.printed = Version { seq, modified: now.max(story.printed.modified + 1) };
            story.emission = Some(emission.clone());
            if cause == Cause::First {
                story.began = story.shown().map(|copy| (copy.source.clone(), copy.key.clone()));
            }
            match cause {
                Cause::Edited => story.edits = story.edits.saturating_add(1),
                Cause::Corrected => story.corrections = story.corrections.saturating_add(1),
                Cause::First => {}
            }
        })?;
        self.meta.emitted += u64::from(cause == Cause::First);
        let entries = self.stories.get(&no).into_iter().flat_map(|held| &held.value.entries);
        let stands: Vec<EditionId> = entries.filter(|e| !e.left).map(|e| e.edition.clone()).collect();
        stands.iter().try_for_each(|edition| self.bump(edition, seq))
    }

    /// A tag as the story spells it: as it is printed, else as it was judged.
    fn spelling(&self, no: StoryNo, id: &str) -> Option<String> {
        let story = &self.stories.get(&no)?.value;
        let printed = story.emission.iter().flat_map(|e| &e.tags);
        printed.chain(&story.tags).find(|tag| tag.id == id).map(|tag| tag.name.clone())
    }

    /// An edition is entered once: the desk never repeats an entry, so counting needs no look at what is there.
    fn enter(&mut self, no: StoryNo, at: Time, editions: &[EditionId]) -> Result<()> {
        self.with_story(no, |story| {
            let entered = |edition: &EditionId| Entered {
                edition: edition.clone(),
                at,
                left: false,
                paged: false,
                late: false,
                since: 0,
                gone: 0,
            };
            story.entries.extend(editions.iter().map(entered));
        })?;
        let seq = self.seq;
        for edition in editions {
            let prefix = layout::entries_prefix(edition);
            self.insert(edition, &prefix, Order { at, story: no.0 })?;
            let name = if let EditionId::Tag(id) = edition { self.spelling(no, id) } else { None };
            if let Some(head) = self.head_mut(edition)? {
                head.entries += 1;
                head.since += 1;
                if head.name.is_none() {
                    head.name = name;
                }
            }
            self.bump(edition, seq)?;
        }
        Ok(())
    }

    fn leave(&mut self, no: StoryNo, editions: &[EditionId]) -> Result<()> {
        let seq = self.seq;
        let story = self.story(no)?.unwrap_or_default();
        for edition in editions {
            self.uncount(&story, edition)?;
            self.bump(edition, seq)?;
        }
        // Its entry stays where it is: the window's edge does not move.
        self.with_story(no, |story| {
            for entered in story.entries.iter_mut().filter(|entered| editions.contains(&entered.edition)) {
                (entered.left, entered.paged) = (true, false);
            }
        })
    }

    /// Counts a story out of an edition, if it is shown there.
    fn uncount(&mut self, story: &Story, edition: &EditionId) -> Result<()> {
        if story.entries.iter().any(|entered| entered.edition == *edition && entered.shown())
            && let Some(head) = self.head_mut(edition)?
        {
            head.entries = head.entries.saturating_sub(1);
        }
        Ok(())
    }

    /// By a changed rule: leaving is silent, joining is for archive and pages only. What is printed changes only where an
    /// entry leaves the window.
    fn refile(&mut self, no: StoryNo, at: Time, joins: &[EditionId], leaves: &[EditionId]) -> Result<()> {
        let story = self.story(no)?.unwrap_or_default();
        let stood = |edition: &EditionId| story.entries.iter().find(|entered| entered.edition == *edition);
        let seq = self.seq;
        for edition in joins.iter().chain(leaves) {
            self.alter(edition)?;
        }
        for edition in leaves {
            let Some(entered) = stood(edition) else { continue };
            let order = Order { at: entered.at, story: no.0 };
            self.insert(edition, &layout::gone_prefix(edition), order)?;
            if !entered.shown() {
                continue;
            }
            self.uncount(&story, edition)?;
            let Some(head) = self.head_mut(edition)? else { continue };
            if !entered.left && head.edge.is_some_and(|edge| order >= edge) {
                self.bump(edition, seq)?;
            }
        }
        for edition in joins {
            if let Some(entered) = stood(edition) {
                // Whatever the story says: replay may find it written already, and the list it is taken from not.
                let order = Order { at: entered.at, story: no.0 };
                self.remove(edition, &layout::gone_prefix(edition), order)?;
            } else {
                self.insert(edition, &layout::late_prefix(edition), Order { at, story: no.0 })?;
            }
            if stood(edition).is_some_and(Entered::shown) {
                continue;
            }
            let Some(head) = self.head_mut(edition)? else { continue };
            head.entries += 1;
            if let (EditionId::Tag(id), None) = (edition, &head.name) {
                head.name = story.tags.iter().find(|tag| tag.id == *id).map(|tag| tag.name.clone());
            }
        }
        self.with_story(no, |story| {
            for entered in &mut story.entries {
                if leaves.contains(&entered.edition) {
                    (entered.left, entered.paged, entered.gone) = (true, false, seq);
                }
            }
            for edition in joins {
                match story.entries.iter_mut().find(|entered| entered.edition == *edition) {
                    Some(entered) => {
                        entered.paged = entered.left;
                        if entered.gone > 0 {
                            (entered.since, entered.gone) = (seq, 0);
                        }
                    }
                    None => story.entries.push(Entered {
                        edition: edition.clone(),
                        at,
                        left: true,
                        paged: true,
                        late: true,
                        since: seq,
                        gone: 0,
                    }),
                }
            }
        })
    }

    /// A change of settings reaches the past of an edition: it will have another generation.
    fn alter(&mut self, edition: &EditionId) -> Result<()> {
        let change = self.meta.change;
        if self.head(edition)?.is_some_and(|head| head.altered == change) {
            return Ok(());
        }
        let edge = self.window_edge(edition)?;
        if let Some(head) = self.head_mut(edition)? {
            (head.altered, head.edge) = (change, edge);
        }
        Ok(())
    }

    fn retire(&mut self, edit: &Edit) -> Result<()> {
        let Edit::Retire { story: no, into, copies, absorbed, apart } = edit else { return Ok(()) };
        self.meta.retired += 1;
        for copy in copies {
            self.index(*into, copy)?;
        }
        self.carded.extend([no, into]);
        self.with_story(*no, |story| story.retired_into = Some(*into))?;
        self.with_story(*into, |story| {
            story.copies.extend(copies.iter().cloned());
            let absorbed: BTreeSet<_> = story.absorbed.iter().chain(absorbed).chain([no]).copied().collect();
            let apart: BTreeSet<_> = story.apart.iter().chain(apart).copied().collect();
            // What an editor makes one again is not apart any more.
            story.apart = apart.into_iter().filter(|no| no != into && !absorbed.contains(no)).collect();
            story.absorbed = absorbed.into_iter().collect();
        })
    }

    fn split(&mut self, edit: &Edit) -> Result<()> {
        let Edit::Split { from, left, to, guid, fresh, copies, shown, absorbed } = edit else { return Ok(()) };
        for copy in copies {
            self.index(*to, copy)?;
        }
        self.carded.extend([from, to]);
        self.carded.extend(absorbed);
        self.with_story(*from, |story| {
            story.copies.retain(|own| !copies.iter().any(|copy| copy.source == own.source && copy.key == own.key));
            story.shown = *left;
            story.absorbed.retain(|no| no != to && !absorbed.contains(no));
            story.apart.push(*to);
        })?;
        if *fresh {
            self.meta.stories += 1;
            self.guids.insert(*guid, *to);
            let story = Story { no: *to, guid: *guid, opened: self.at, ..Story::default() };
            self.stories.insert(*to, Held { by: self.seq, fresh: true, value: story });
        } else {
            self.meta.retired = self.meta.retired.saturating_sub(1);
        }
        self.with_story(*to, |story| {
            story.copies.clone_from(copies);
            story.shown = *shown;
            story.retired_into = None;
            story.absorbed.clone_from(absorbed);
            story.apart.push(*from);
        })?;
        absorbed.iter().try_for_each(|no| self.with_story(*no, |story| story.retired_into = Some(*to)))
    }

    fn spike(&mut self, no: StoryNo) -> Result<()> {
        let Some(story) = self.story(no)? else { return Ok(()) };
        let seq = self.seq;
        // A spike takes the guids retired into the story along.
        for each in story.absorbed.iter().copied().chain([no]) {
            let Some(story) = self.story(each)? else { continue };
            for entered in &story.entries {
                self.hold_edge(&entered.edition)?;
                let list = if entered.late { layout::late_prefix } else { layout::entries_prefix };
                let order = Order { at: entered.at, story: each.0 };
                self.remove(&entered.edition, &list(&entered.edition), order)?;
                self.insert(&entered.edition, &layout::out_prefix(&entered.edition), order)?;
                self.uncount(&story, &entered.edition)?;
                self.bump(&entered.edition, seq)?;
            }
            let now = self.at.seconds();
            self.with_story(each, |story| {
                story.spiked = true;
                story.printed = Version { seq, modified: now.max(story.printed.modified + 1) };
                for entered in &mut story.entries {
                    (entered.left, entered.paged) = (true, false);
                }
            })?;
        }
        Ok(())
    }

    /// The inverse of a spike, but for the windows: what came back there would be news to a reader that forgot it.
    fn reinstate(&mut self, no: StoryNo, editions: &[EditionId]) -> Result<()> {
        let Some(story) = self.story(no)? else { return Ok(()) };
        let seq = self.seq;
        for each in story.absorbed.iter().copied().chain([no]) {
            let Some(story) = self.story(each)? else { continue };
            for entered in &story.entries {
                let list = if entered.late { layout::late_prefix } else { layout::entries_prefix };
                let order = Order { at: entered.at, story: each.0 };
                self.remove(&entered.edition, &layout::out_prefix(&entered.edition), order)?;
                self.insert(&entered.edition, &list(&entered.edition), order)?;
                if editions.contains(&entered.edition)
                    && !entered.shown()
                    && let Some(head) = self.head_mut(&entered.edition)?
                {
                    head.entries += 1;
                }
                // It counts again: what stands at the window's older edge may leave.
                self.bump(&entered.edition, seq)?;
            }
            let now = self.at.seconds();
            self.with_story(each, |story| {
                story.spiked = false;
                story.printed = Version { seq, modified: now.max(story.printed.modified + 1) };
                for entered in &mut story.entries {
                    (entered.left, entered.paged) = (true, editions.contains(&entered.edition));
                }
            })?;
        }
        Ok(())
    }

    fn set(&mut self, set: &[Setting], gone: &[String], closes: bool) -> Result<()> {
        debug_assert!(self.parts.is_empty(), "settings stand in a commit of their own");
        (self.gathered, self.closed) = (Gathered::Settings, closes);
        if closes {
            self.parts = self.store.waiting_settings()?;
        }
        self.parts.extend(set.iter().map(|setting| (setting.key(), Some(setting.clone()))));
        self.parts.extend(gone.iter().map(|key| (key.clone(), None)));
        if !closes {
            return Ok(());
        }
        let mut all = self.store.settings()?;
        for (key, part) in &self.parts {
            match part {
                Some(setting) => all.insert(key.clone(), setting.clone()),
                None => all.remove(key),
            };
        }
        let former = self.formerly()?;
        // One that a kill left written by this very change is none of an earlier one, although its part waits no more.
        let earlier = self.store.former_rules()?.into_iter().filter(|(_, (by, _))| *by != self.seq);
        self.forgotten = earlier.map(|(key, _)| key).filter(|key| !former.contains_key(key)).collect();
        self.former = Some(former);
        let items = match all.get("publish") {
            Some(Setting::Publish(publish)) => publish.items,
            _ => 0,
        };
        if items != self.meta.items {
            // The window's older edge never moves back, however `items` grows.
            let mut editions: BTreeSet<EditionId> = self.editions.keys().cloned().collect();
            for key in self.store.trees.editions.iter().keys() {
                editions.extend(std::str::from_utf8(&key?).ok().and_then(EditionId::parse));
            }
            editions.iter().try_for_each(|edition| self.hold_edge(edition))?;
            if items > self.meta.items && self.meta.items > 0 {
                // One that was wider then says nothing more.
                let before = self.meta.items;
                self.meta.widened.retain(|(_, items)| *items < before);
                self.meta.widened.push((self.at, before));
            }
            self.meta.items = items;
        }
        let print = hash64(&[codec::encode(&printed(&all)).as_slice()]);
        if print != self.meta.printed {
            let modified = self.at.seconds().max(self.meta.modified + 1);
            self.meta.settings = Version { seq: self.seq, modified };
            self.meta.printed = print;
        }
        self.meta.change = self.seq;
        // A feed is called by its title or its source's name: only that one is printed anew.
        let named = self.parts.keys().filter_map(|key| match key.split_once('/')? {
            ("feed", id) => Some(EditionId::Saved(id.to_owned())),
            ("source", id) => SourceId::new(id).map(EditionId::Source),
            _ => None,
        });
        for edition in named.collect::<Vec<_>>() {
            if self.head(&edition)?.is_some() {
                self.bump(&edition, self.seq)?;
                if let Some(head) = self.head_mut(&edition)? {
                    head.named = head.version;
                }
            }
        }
        // A saved feed exists from the moment it is in force, stories or not: only then is it new.
        for id in all.keys().filter_map(|key| key.strip_prefix("feed/")) {
            let edition = EditionId::Saved(id.to_owned());
            if self.head(&edition)?.is_none() {
                self.bear(&edition)?;
            }
        }
        // So does a tag from the moment a rule names it.
        for id in tags(all.get("tags")) {
            let edition = EditionId::Tag(id);
            if self.head(&edition)?.is_none() {
                self.bear(&edition)?;
            }
        }
        self.settings = Arc::new(all);
        Ok(())
    }

    /// An edition comes into being by the settings at hand. There is nothing to wait for where there are no stories.
    fn bear(&mut self, edition: &EditionId) -> Result<()> {
        let (seq, generation) = (self.seq, u32::from(self.meta.stories == 0));
        if let Some(head) = self.head_mut(edition)? {
            (head.born, head.generation) = (seq, generation);
        }
        self.bump(edition, seq)
    }

    /// Rules that the settings gathered change, as they were before.
    fn formerly(&self) -> Result<BTreeMap<String, (u64, Option<Setting>)>> {
        let (stored, known) = (self.store.settings()?, self.store.former_rules()?);
        let mut former = BTreeMap::new();
        for (key, part) in &self.parts {
            let source = key.starts_with("source/");
            if !(source || key == "tags" || key == "cities" || key.starts_with("feed/")) {
                continue;
            }
            // A kill may have left the new one written: then the former one is, too.
            let before = match known.get(key) {
                Some((by, before)) if *by == self.seq => before.clone(),
                _ => stored.get(key).cloned(),
            };
            let differs = match (&before, part) {
                // Of a source only what its stories are judged by; one that is new or gone changes nothing of the past.
                (Some(Setting::Source(before)), Some(Setting::Source(part))) => {
                    before.tags != part.tags || before.cities != part.cities
                }
                _ => !source && before != *part,
            };
            if differs {
                former.insert(key.clone(), (self.seq, before));
            }
        }
        Ok(former)
    }

    /// Records the older edge of an edition's window before an entry is taken out of it, or it grows.
    fn hold_edge(&mut self, edition: &EditionId) -> Result<()> {
        let edge = self.window_edge(edition)?;
        if let (Some(edge), Some(head)) = (edge, self.head_mut(edition)?) {
            head.floor = head.floor.max(Some(edge));
        }
        Ok(())
    }

    /// Oldest entry of an edition's window.
    fn window_edge(&self, edition: &EditionId) -> Result<Option<Order>> {
        let Some(head) = self.head(edition)? else { return Ok(None) };
        let mut edge = None;
        let mut cut = super::view::Cut::new(&head, self.meta.items);
        let prefix = layout::entries_prefix(edition);
        let mut from = prefix.clone();
        'blocks: while let Some((key, block)) = self.block_at(edition, &prefix, &from)? {
            for order in &block.entries {
                if !cut.keeps(*order) {
                    break 'blocks;
                }
                edge = Some(*order);
            }
            from = key;
            from.push(0);
        }
        Ok(edge)
    }

    /// First block at or behind `from`, as changed so far.
    fn block_at(&self, edition: &EditionId, prefix: &[u8], from: &[u8]) -> Result<Option<(Vec<u8>, Block)>> {
        let changed = self.blocks.get(edition);
        let mut here = changed.and_then(|blocks| {
            let mut blocks = blocks.range(from.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
            blocks.find(|(_, held)| held.value.is_some())
        });
        let mut stored = self.store.trees.entries.range(from.to_vec()..);
        loop {
            let next = stored.next().transpose()?.filter(|(key, _)| key.starts_with(prefix));
            let Some((key, bytes)) = next else { break };
            if changed.is_some_and(|blocks| blocks.contains_key(&*key)) {
                continue;
            }
            if here.as_ref().is_some_and(|(mine, _)| mine.as_slice() < &*key) {
                break;
            }
            return Ok(Some((key.to_vec(), unpack::<Block>(&bytes)?.1)));
        }
        Ok(here.take().and_then(|(key, held)| held.value.clone().map(|block| (key.clone(), block))))
    }

    /// The block to be changed; `None` if the change is already in it (replay).
    fn block_mut(&mut self, edition: &EditionId, key: &[u8]) -> Result<Option<&mut Held<Option<Block>>>> {
        let seq = self.seq;
        let store = self.store;
        let blocks = self.blocks.entry(edition.clone()).or_default();
        let held = match blocks.entry(key.to_vec()) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                let found = load::<Block>(store, Tree::Entries, key)?;
                slot.insert(match found {
                    Some(held) => Held { by: held.by, fresh: held.fresh, value: Some(held.value) },
                    None => Held { by: 0, fresh: false, value: None },
                })
            }
        };
        if !held.fresh && held.by >= seq {
            return Ok(None);
        }
        (held.by, held.fresh) = (seq, true);
        Ok(Some(held))
    }

    /// Puts an entry into its edition; false if it is there already.
    fn insert(&mut self, edition: &EditionId, prefix: &[u8], order: Order) -> Result<bool> {
        let own = layout::entry_key(prefix, order);
        let Some((key, block)) = self.block_of(edition, prefix, &own)? else {
            return self.start_block(edition, &own, order);
        };
        if block.entries.contains(&order) {
            return Ok(false);
        }
        let newest = block.entries.first().is_none_or(|newest| order > *newest);
        if block.entries.len() >= BLOCK && newest {
            // The usual case, arrival in order: the full block stays as it is, a new one begins.
            if self.newest.get(prefix) == Some(&key) {
                self.newest.insert(prefix.to_vec(), own.clone());
            }
            return self.start_block(edition, &own, order);
        }
        let mut entries = block.entries;
        let place = entries.partition_point(|entry| *entry > order);
        entries.insert(place, order);
        if entries.len() <= BLOCK {
            let Some(held) = self.block_mut(edition, &key)? else { return Ok(false) };
            held.value = Some(Block { entries });
            return Ok(true);
        }
        self.newest.remove(prefix);
        let older = entries.split_off(entries.len() / 2);
        let Some(held) = self.block_mut(edition, &key)? else { return Ok(false) };
        held.value = Some(Block { entries: older });
        let oldest = entries.last().copied().unwrap_or(order);
        if let Some(held) = self.block_mut(edition, &layout::entry_key(prefix, oldest))? {
            held.value = Some(Block { entries });
        }
        Ok(true)
    }

    /// The block that an entry of this key belongs to: the first at or behind it.
    fn block_of(&mut self, edition: &EditionId, prefix: &[u8], own: &[u8]) -> Result<Option<(Vec<u8>, Block)>> {
        if !self.newest.contains_key(prefix) {
            let Some((key, block)) = self.block_at(edition, prefix, prefix)? else { return Ok(None) };
            self.newest.insert(prefix.to_vec(), key.clone());
            if own <= key.as_slice() {
                return Ok(Some((key, block)));
            }
        }
        let newest = self.newest.get(prefix).filter(|newest| own <= newest.as_slice());
        let Some(key) = newest else { return self.block_at(edition, prefix, own) };
        let held = self.blocks.get(edition).and_then(|blocks| blocks.get(key));
        match held.and_then(|held| held.value.as_ref()) {
            Some(block) => Ok(Some((key.clone(), block.clone()))),
            None => self.block_at(edition, prefix, own),
        }
    }

    fn start_block(&mut self, edition: &EditionId, key: &[u8], order: Order) -> Result<bool> {
        let Some(held) = self.block_mut(edition, key)? else { return Ok(false) };
        held.value = Some(Block { entries: vec![order] });
        Ok(true)
    }

    fn remove(&mut self, edition: &EditionId, prefix: &[u8], order: Order) -> Result<bool> {
        let own = layout::entry_key(prefix, order);
        let Some((key, mut block)) = self.block_at(edition, prefix, &own)? else { return Ok(false) };
        let before = block.entries.len();
        block.entries.retain(|entry| *entry != order);
        if block.entries.len() == before {
            return Ok(false);
        }
        if block.entries.is_empty() {
            self.newest.remove(prefix);
        }
        let Some(held) = self.block_mut(edition, &key)? else { return Ok(false) };
        held.value = (!block.entries.is_empty()).then_some(block);
        Ok(true)
    }

    /// The changes, encoded.
    #[must_use]
    pub fn finish(self) -> Changes {
        let one = |key: Vec<u8>, value: Vec<u8>| vec![(key, Some(value))];
        // Heads are worked out from entries and stories, entries from entries, stories from themselves. Written in this
        // order, whatever a kill leaves unwritten is worked out again from what is unwritten too.
        let mut trees: Vec<(Tree, Vec<Group>)> = Vec::new();
        let editions = self.editions.into_iter().filter(|(_, held)| held.fresh);
        trees.push((
            Tree::Editions,
            editions.map(|(id, held)| one(id.key().into_bytes(), pack(held.by, &held.value))).collect(),
        ));
        let entries = self.blocks.into_values().map(|blocks| {
            let fresh = blocks.into_iter().filter(|(_, held)| held.fresh);
            fresh.map(|(key, held)| (key, held.value.map(|block| pack(held.by, &block)))).collect::<Group>()
        });
        let runs = self.runs.into_iter().map(|(key, (by, run))| one(key, pack(by, &run)));
        trees.push((Tree::Entries, entries.filter(|group| !group.is_empty()).chain(runs).collect()));
        // Cards before the stories that they are made of, and without their record: replay makes them again.
        let cards = self.carded.iter().filter_map(|no| Some((no, self.stories.get(no)?)));
        let cards = cards.map(|(no, held)| one(layout::story_key(*no).to_vec(), pack(0, &held.value.card())));
        trees.push((Tree::Cards, cards.collect()));
        let stories = self.stories.into_iter().filter(|(_, held)| held.fresh);
        trees.push((
            Tree::Stories,
            stories.map(|(no, held)| one(layout::story_key(no).to_vec(), pack(held.by, &held.value))).collect(),
        ));
        // Plain puts need no guard: replay ends with the newest value whatever it began with. Nothing varies by the
        // record that wrote them, or a store replayed in other steps would differ.
        let at = |kind, volume, hash| Key { kind, volume, hash };
        let guids = self.guids.into_iter();
        let guids =
            guids.map(|(guid, no)| (at(Kind::Guids, Volume::of(no), guid.0.as_u128()), layout::story_key(no).to_vec()));
        let items = self.items.into_iter();
        let items = items.map(|(key, (volume, known))| (at(Kind::Items, volume, key), pack(0, &known)));
        let mut keys: Vec<Entry> = guids.chain(items).collect();
        for (kind, map) in [(Kind::Urls, self.urls), (Kind::Headlines, self.headlines), (Kind::Texts, self.texts)] {
            let fresh = map.into_iter().filter(|(_, held)| held.fresh);
            keys.extend(fresh.map(|((key, volume), held)| (at(kind, volume, key.into()), pack(held.by, &held.value))));
        }
        keys.sort_unstable_by_key(|(at, _)| *at);
        let sources = self.sources.into_iter().filter(|(_, held)| held.fresh);
        trees.push((
            Tree::Sources,
            sources.map(|(id, held)| one(id.as_str().as_bytes().to_vec(), pack(held.by, &held.value))).collect(),
        ));
        // What subscriptions have before the subscriptions: one that replay knows already has something.
        let delivered = self.delivered.into_iter();
        let delivered = delivered.map(|(number, it)| vec![(number.to_be_bytes().to_vec(), it.map(|it| pack(0, &it)))]);
        trees.push((Tree::Delivered, delivered.collect()));
        let identities = self.subscribers.into_iter();
        let identities =
            identities.map(|(it, number)| vec![(layout::subscriber_key(&it), number.map(|it| pack(0, &it)))]);
        let subscriptions = self.subscriptions.into_iter();
        let subscriptions =
            subscriptions.map(|(number, it)| vec![(layout::subscription_key(number), it.map(|it| pack(0, &it)))]);
        let next = self.next_subscription.map(|next| one(layout::NEXT_SUBSCRIPTION.to_vec(), pack(0, &next)));
        trees.push((Tree::Subscriptions, identities.chain(subscriptions).chain(next).collect()));
        let mut former = self.former.unwrap_or_default();
        let parts = self.parts.into_iter().map(|(key, part)| {
            let waiting = layout::waiting_key(&key);
            if self.closed {
                // In one batch: a change that a kill cut in two finds each part still waiting, or in force already.
                let mut group = vec![(key.clone().into_bytes(), part.map(|part| pack(0, &part))), (waiting, None)];
                if let Some((by, before)) = former.remove(&key) {
                    group.push((layout::before_key(&key), Some(pack(by, &before))));
                }
                group
            } else {
                vec![(waiting, Some(pack(0, &part)))]
            }
        });
        let forgotten = self.forgotten.into_iter().map(|key| vec![(layout::before_key(&key), None)]);
        trees.push((Tree::Settings, parts.collect::<Vec<_>>().into_iter().chain(forgotten).collect()));
        Changes { trees, keys, meta: self.meta, settings: self.settings }
    }
}

/// Folded ids of the tags that rules name.
fn tags(setting: Option<&Setting>) -> impl Iterator<Item = String> + '_ {
    let rules = match setting {
        Some(Setting::Tags(rules)) => rules.as_slice(),
        _ => &[],
    };
    rules.iter().filter_map(|rule| Tag::new(&rule.id)).map(|tag| tag.id)
}

/// So many values that were read are kept at hand, of each kind; then they are read anew.
const READ: usize = 1_024;

/// Entries in one page of an archive (RFC 5005 section 4).
pub const RUN: u32 = 100;

/// How many folded characters of a headline make its key, where most are Chinese, Japanese or Korean; twice as many
/// letters. Cut headlines agree in them.
pub const BEGINNING: usize = 10;

pub(super) fn link_key(canonical: &str) -> Option<u64> {
    (!canonical.is_empty()).then(|| hash64(&[canonical.as_bytes()]))
}

/// Keys of a headline: its beginning; the smallest hashes of its shingles, for one that begins otherwise or has a word
/// exchanged; the first city it names with its figures, if it tells two or more.
fn headline_keys(copy: &Copy) -> Vec<u64> {
    let folded: Vec<char> = fold(bare(&copy.title)).chars().collect();
    let ascii = folded.iter().take(BEGINNING).filter(|c| c.is_ascii()).count();
    let length = if ascii * 2 > BEGINNING { BEGINNING * 2 } else { BEGINNING };
    let beginning: String = folded.iter().take(length).collect();
    if beginning.is_empty() {
        return Vec::new();
    }
    let mut keys = vec![hash64(&[beginning.as_bytes()])];
    keys.extend(shingle::headline(&folded));
    let whole: String = folded.iter().collect();
    let mut figures: Vec<&str> =
        whole.split(|c: char| !(c.is_ascii_digit() || c == '.')).filter(|f| !f.is_empty()).collect();
    if let (Some(city), 2..) = (copy.named.first(), figures.len()) {
        figures.sort_unstable();
        keys.push(hash64(&[&city.0.to_le_bytes(), figures.join(" ").as_bytes()]));
    }
    keys
}

fn sharers(store: &Store, kind: Kind, key: u64, volume: Volume) -> Result<Shared> {
    let Some(bytes) = store.keys.get(&Key { kind, volume, hash: key.into() })? else { return Ok(None) };
    let (by, value) = unpack(&bytes)?;
    Ok(Some(Held { by, fresh: false, value }))
}

fn load<T: for<'b> minicbor::Decode<'b, ()>>(store: &Store, tree: Tree, key: &[u8]) -> Result<Option<Held<T>>> {
    let Some(bytes) = store.trees.get(tree).get(key)? else { return Ok(None) };
    let (by, value) = unpack(&bytes)?;
    Ok(Some(Held { by, fresh: false, value }))
}

impl<T: Default> Default for Held<T> {
    fn default() -> Self {
        Self { by: 0, fresh: false, value: T::default() }
    }
}

/// What of the settings every edition prints: another one makes a new version of all of them.
fn printed(settings: &InForce) -> Vec<String> {
    let parts = settings.iter().filter_map(|(key, setting)| match setting {
        Setting::Site(site) => {
            Some([key, site.title.as_str(), &site.language, &site.public_url, &site.zone].join("\n"))
        }
        Setting::Publish(publish) => Some(format!("{key}\n{}\n{}", publish.items, publish.hub)),
        Setting::Cities(cities) => {
            // Slugs and names stand in addresses.
            let slugs = hash64(&[codec::encode(&cities.slug).as_slice()]);
            let names = hash64(&[codec::encode(&cities.gazetteer).as_slice()]);
            Some(format!("{key}\n{slugs}\n{names}"))
        }
        Setting::Tags(_) | Setting::Feed(_) | Setting::Source(_) => None,
    });
    parts.collect()
}
