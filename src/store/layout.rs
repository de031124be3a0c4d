//! Keys and values, drawn above the code that builds them.
//!
//! | tree | key | value |
//! | --- | --- | --- |
//! | `meta` | `meta` | [`Meta`]: position applied, counters |
//! | `stories` | number, 8 bytes big-endian | `Story` |
//! | `cards` | number, 8 bytes big-endian | the story's card: what an item is compared with ([`crate::model::story::Story::card`]) |
//! | `runs` | number, 8 bytes big-endian | groups of a kind and volume: what one commit says that stories are found by |
//! | `keys` | kind, volume, first bits of the hash, 2 bytes | what runs said before, in order of the hashes |
//! | `editions` | edition's key | [`Head`] |
//! | `entries` | edition's key, 0, *inverted* order of the block's oldest entry, 16 bytes | [`Block`] of up to 64, newest first |
//! | `entries` | `late/`, edition's key, 0, inverted order | [`Block`] of those that a changed rule brought: on pages and in the archive |
//! | `entries` | `gone/`, edition's key, 0, inverted order | [`Block`] of those that a changed rule took out of the archive |
//! | `entries` | `out/`, edition's key, 0, inverted order | [`Block`] of those that an editor took out |
//! | `entries` | `run/`, edition's key, 0, generation, number, 4 bytes each | [`Run`]: a page of the archive |
//! | `sources` | source id | [`SourceHead`] |
//! | `settings` | setting's key | `Setting` |
//! | `settings` | `before/` and setting's key | `Option<Setting>`: a rule as it was before the last change; `None` was not |
//! | `settings` | `waiting/` and setting's key | `Option<Setting>`: part of a change that is not complete; `None` is gone |
//! | `subscriptions` | 0 and number, 8 bytes big-endian | `Subscription` to a feed of ours |
//! | `subscriptions` | 1 and hash of topic and callback, 16 bytes | its number |
//! | `subscriptions` | 2 | the number after the last one given |
//! | `delivered` | number, 8 bytes big-endian | `Delivered`: what the subscription has of its feed |
//! | `book` | source id | `book::Entry`; no part of the fold |
//! | `book` | `push/` and source id | `Push`: the hub that delivers its news; no part of the fold |
//!
//! In these two, stories are found by:
//!
//! | kind | hash | value |
//! | --- | --- | --- |
//! | guids | guid, 16 bytes | story number, 8 bytes |
//! | items | hash of source and item key, 16 bytes | [`Known`] |
//! | urls | hash of the canonical link, 8 bytes | [`Sharers`]: stories that have it |
//! | headlines | hash of the folded headline's beginning, of a shingle of it, or of its city and figures, 8 bytes | [`Sharers`] |
//! | texts | one of the smallest hashes of a text's shingles, 8 bytes | [`Sharers`] |
//!
//! A [`Volume`] is so many stories in order of their numbers; what they are found by stands together. Hashes fall anywhere: without volumes each new
//! item would read a dozen pages all over a store of any size; with them they fall among the newest stories', which are
//! [at hand](super::keys). Which volumes hold a hash is told by the [sieve](super::sieve).
//!
//! A value is: layout version (1 byte), ledger record that wrote it (8 bytes little-endian), then CBOR. Orders are
//! inverted so that the newest comes first and one always reads forward. A block holds the orders from its key's (the
//! oldest) up to the next newer block's; the key does not move when newer entries join it.

use minicbor::{Decode, Encode};

use super::{Result, StoreError};
use crate::model::codec;
use crate::model::edit::Progress;
use crate::model::edition::{EditionId, Order, Version};
use crate::model::id::{Guid, ItemKey, SourceId, StoryNo, hash128};
use crate::model::position::Position;
use crate::model::story::Sharer;
use crate::model::time::Time;

/// Version of keys and values, and of the folding that index keys are made by. Another one means: make the store again.
pub const VERSION: u8 = 9;

/// The only key of `meta`.
pub const META: &[u8] = b"meta";

/// Most entries in a block: one key per 64 entries keeps sled's memory and disk in bounds.
pub const BLOCK: usize = 64;

/// Where the fold stands, and what it counted.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Meta {
    /// [`VERSION`] it was written with.
    #[n(0)]
    pub layout: u8,
    /// Last ledger record applied.
    #[n(1)]
    pub applied: Position,
    /// How far the wire is decided.
    #[n(2)]
    pub progress: Progress,
    /// Record time of that record.
    #[n(3)]
    pub at: Time,
    /// Record time of the ledger's first record: the store's first 24 hours are counted from it.
    #[n(4)]
    pub first: Time,
    /// Stories opened.
    #[n(5)]
    pub stories: u64,
    /// Copies filed, first ones included.
    #[n(6)]
    pub copies: u64,
    /// Stories emitted.
    #[n(7)]
    pub emitted: u64,
    /// At least the largest `Last-Modified` given to any edition: it rises by a second with every record.
    #[n(8)]
    pub modified: i64,
    /// Version of the settings as far as they are printed.
    #[n(9)]
    pub settings: Version,
    /// Hash of the settings as far as they are printed; compared here and not with the settings tree, which may already
    /// hold what a half-applied record wrote.
    #[n(11)]
    pub printed: u64,
    /// `[publish] items` in force.
    #[n(12)]
    pub items: u32,
    /// Identity of the desk, made of its first ledger record: the ids of its feeds hang on it and on no address.
    #[n(13)]
    pub desk: Guid,
    /// Stories retired into others.
    #[n(10)]
    pub retired: u64,
    /// Ledger record that completed the last change of settings.
    #[n(14)]
    pub change: u64,
    /// Whether archives have begun: the first hours are over.
    #[cbor(n(15), default)]
    pub archives: bool,
    /// When `[publish] items` grew, and from how many: no computed window reaches back further than it did then.
    #[cbor(n(16), default)]
    pub widened: Vec<(Time, u32)>,
}

/// What is known of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Known {
    /// The story it belongs to.
    #[n(0)]
    pub story: StoryNo,
    /// Its hash as sent.
    #[n(1)]
    pub hash: u64,
}

/// Stories of a volume that share a key, newest last, at most [`Sharer::MOST`]: the oldest are forgotten first.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Sharers {
    /// The stories.
    #[n(0)]
    pub stories: Vec<Sharer>,
}

/// Stories whose numbers follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Volume(pub u16);

impl Volume {
    /// So many stories: what they are found by takes some 6 MB. Tests fill several.
    pub const STORIES: u64 = if cfg!(test) { 16 } else { 1 << 14 };
    /// So many of the newest are near: what was filed further back is found by its link, or by several keys at once.
    pub const NEAR: u16 = 4;

    /// The one that a story stands in.
    #[must_use]
    pub fn of(story: StoryNo) -> Self {
        Self(u16::try_from(story.0 / Self::STORIES).unwrap_or(u16::MAX))
    }

    /// The oldest one that is near this one.
    #[must_use]
    pub const fn near(self) -> Self {
        Self(self.0.saturating_sub(Self::NEAR - 1))
    }
}

/// An edition as far as the fold knows it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// Version of what it prints.
    #[n(0)]
    pub version: Version,
    /// Stories that its pages show.
    #[n(1)]
    pub entries: u64,
    /// Spelling of a tag as its first story carried it.
    #[n(2)]
    pub name: Option<String>,
    /// The window never reaches back beyond this, whatever leaves and however it grows.
    #[n(3)]
    pub floor: Option<Order>,
    /// Newest entry of the last complete run of 100, and its number.
    #[n(4)]
    pub run: Option<(u32, Order)>,
    /// Entries since that run.
    #[n(5)]
    pub since: u32,
    /// Which generation is visible.
    #[n(6)]
    pub generation: u32,
    /// Settings by which a saved feed, or a rule's tag, came into being: their ledger record. It shows nothing before its
    /// first generation is complete.
    #[n(7)]
    pub born: u64,
    /// Settings that changed its past, while its next generation is not complete: their ledger record.
    #[cbor(n(8), default)]
    pub altered: u64,
    /// Oldest entry of its window when they did: what leaves below it changes nothing that is printed.
    #[cbor(n(9), default)]
    pub edge: Option<Order>,
    /// Version of what only programs read in it: copies that joined, and the like.
    #[cbor(n(10), default)]
    pub grown: Version,
    /// Runs of the next generation as far as they are recorded: number and newest entry of the last.
    #[cbor(n(11), default)]
    pub coming: Option<(u32, Order)>,
    /// Ledger record that made its generation visible.
    #[cbor(n(12), default)]
    pub switched: u64,
    /// Version of its name: archive pages print it too.
    #[cbor(n(13), default)]
    pub named: Version,
}

/// A page of an edition's archive: the entries behind the run before, up to this one's newest.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Run {
    /// Its newest entry.
    #[n(0)]
    pub through: Order,
    /// When it was complete.
    #[n(1)]
    pub version: Version,
}

/// Entries of an edition, newest first.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Block {
    /// At most [`BLOCK`].
    #[n(0)]
    pub entries: Vec<Order>,
}

/// A source as far as the fold knows it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SourceHead {
    /// First filing.
    #[n(0)]
    pub first: Time,
    /// Last filing.
    #[n(1)]
    pub last: Time,
    /// Filings decided.
    #[n(2)]
    pub filings: u64,
    /// How the last document that showed anything was read.
    #[n(3)]
    pub reading: u64,
    /// Items brought in all.
    #[n(4)]
    pub items: u64,
    /// Title of its document.
    #[n(5)]
    pub title: Option<String>,
    /// Page that its document names as its own.
    #[n(6)]
    pub home: Option<String>,
    /// How many items its tags were counted on: of late, older ones count half.
    #[cbor(n(7), default)]
    pub counted: u32,
    /// Its commonest tags by folded id, and on how many of those items each stood.
    #[cbor(n(8), default)]
    pub tags: Vec<(String, u32)>,
}

/// Which tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tree {
    /// Entries of editions.
    Entries,
    /// Stories.
    Stories,
    /// Their cards.
    Cards,
    /// Sources.
    Sources,
    /// Editions.
    Editions,
    /// Settings.
    Settings,
    /// Subscriptions to our feeds.
    Subscriptions,
    /// What they have of them.
    Delivered,
}

/// The trees, open.
#[derive(Debug)]
pub struct Trees {
    pub(super) meta: sled::Tree,
    pub(super) stories: sled::Tree,
    pub(super) cards: sled::Tree,
    pub(super) editions: sled::Tree,
    pub(super) entries: sled::Tree,
    pub(super) sources: sled::Tree,
    pub(super) settings: sled::Tree,
    pub(super) subscriptions: sled::Tree,
    pub(super) delivered: sled::Tree,
    pub(super) book: sled::Tree,
}

impl Trees {
    pub(super) fn open(db: &sled::Db) -> Result<Self> {
        Ok(Self {
            meta: db.open_tree("meta")?,
            stories: db.open_tree("stories")?,
            cards: db.open_tree("cards")?,
            editions: db.open_tree("editions")?,
            entries: db.open_tree("entries")?,
            sources: db.open_tree("sources")?,
            settings: db.open_tree("settings")?,
            subscriptions: db.open_tree("subscriptions")?,
            delivered: db.open_tree("delivered")?,
            book: db.open_tree("book")?,
        })
    }

    pub(super) const fn get(&self, tree: Tree) -> &sled::Tree {
        match tree {
            Tree::Entries => &self.entries,
            Tree::Stories => &self.stories,
            Tree::Cards => &self.cards,
            Tree::Sources => &self.sources,
            Tree::Editions => &self.editions,
            Tree::Settings => &self.settings,
            Tree::Subscriptions => &self.subscriptions,
            Tree::Delivered => &self.delivered,
        }
    }

    pub(super) const fn folded(&self) -> [(&'static str, &sled::Tree); 9] {
        [
            ("meta", &self.meta),
            ("stories", &self.stories),
            ("cards", &self.cards),
            ("editions", &self.editions),
            ("entries", &self.entries),
            ("sources", &self.sources),
            ("settings", &self.settings),
            ("subscriptions", &self.subscriptions),
            ("delivered", &self.delivered),
        ]
    }
}

/// A value with its version and the ledger record that wrote it.
pub fn pack<T: Encode<()>>(by: u64, value: &T) -> Vec<u8> {
    let body = codec::encode(value);
    let mut out = Vec::with_capacity(body.len() + 9);
    out.push(VERSION);
    out.extend_from_slice(&by.to_le_bytes());
    out.extend_from_slice(&body);
    out
}

/// The inverse of [`pack`].
///
/// # Errors
/// [`StoreError::Damaged`] if the bytes are of another make.
pub fn unpack<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<(u64, T)> {
    match bytes.split_at_checked(9) {
        Some(([VERSION, by @ ..], body)) => {
            let by = by.try_into().map(u64::from_le_bytes).unwrap_or_default();
            Ok((by, codec::decode(body)?))
        }
        Some(([version, ..], _)) => {
            Err(StoreError::Damaged(format!("written in layout {version}; this program uses {VERSION}")))
        }
        _ => Err(StoreError::Damaged("a value without its version".to_owned())),
    }
}

/// Key of a story.
#[must_use]
pub const fn story_key(no: StoryNo) -> [u8; 8] {
    no.0.to_be_bytes()
}

/// Key of an item.
#[must_use]
pub fn item_key(source: &SourceId, key: &ItemKey) -> u128 {
    hash128(&[source.as_str().as_bytes(), key.0.as_bytes()])
}

/// Before the keys of settings whose change is not complete. No setting's own key begins with it.
pub const WAITING: &str = "waiting/";

/// Key of a setting whose change is not complete.
#[must_use]
pub fn waiting_key(key: &str) -> Vec<u8> {
    [WAITING, key].concat().into_bytes()
}

/// Before the keys of rules as they were before the last change. No setting's own key begins with it.
pub const BEFORE: &str = "before/";

/// Key of a rule as it was before the last change.
#[must_use]
pub fn before_key(key: &str) -> Vec<u8> {
    [BEFORE, key].concat().into_bytes()
}

/// Key of the number that the next subscription gets.
pub const NEXT_SUBSCRIPTION: &[u8] = &[2];

/// Key of a subscription.
#[must_use]
pub fn subscription_key(number: u64) -> Vec<u8> {
    let mut key = vec![0];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Key of a subscription's identity.
#[must_use]
pub fn subscriber_key(identity: &[u8; 16]) -> Vec<u8> {
    let mut key = vec![1];
    key.extend_from_slice(identity);
    key
}

/// Before the keys of what the poll book has of hubs. No source's id holds a slash.
pub const PUSH: &str = "push/";

/// Key of what the poll book has of the hub of a source.
#[must_use]
pub fn push_key(source: &SourceId) -> Vec<u8> {
    [PUSH, source.as_str()].concat().into_bytes()
}

/// Prefix of the entries that a changed rule brought to an edition.
#[must_use]
pub fn late_prefix(edition: &EditionId) -> Vec<u8> {
    let mut key = format!("late/{}", edition.key()).into_bytes();
    key.push(0);
    key
}

/// Prefix of the entries that a changed rule took out of an edition's archive: the next generation goes without them.
#[must_use]
pub fn gone_prefix(edition: &EditionId) -> Vec<u8> {
    let mut key = format!("gone/{}", edition.key()).into_bytes();
    key.push(0);
    key
}

/// Prefix of the entries that an editor took out of an edition: the pages of its archive that held them have changed.
#[must_use]
pub fn out_prefix(edition: &EditionId) -> Vec<u8> {
    let mut key = format!("out/{}", edition.key()).into_bytes();
    key.push(0);
    key
}

/// Key of a run.
#[must_use]
pub fn run_key(edition: &EditionId, generation: u32, number: u32) -> Vec<u8> {
    let mut key = format!("run/{}", edition.key()).into_bytes();
    key.push(0);
    key.extend_from_slice(&generation.to_be_bytes());
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Prefix of an edition's entries.
#[must_use]
pub fn entries_prefix(edition: &EditionId) -> Vec<u8> {
    let mut key = edition.key().into_bytes();
    key.push(0);
    key
}

/// Key of the block whose oldest entry is `order`: the newest sorts first.
#[must_use]
pub fn entry_key(prefix: &[u8], order: Order) -> Vec<u8> {
    let mut key = Vec::with_capacity(prefix.len() + 16);
    key.extend_from_slice(prefix);
    // Flipping the sign bit makes signed times sort as unsigned ones; the complement makes the newest first.
    key.extend_from_slice(&(!((order.at.0 as u64) ^ (1 << 63))).to_be_bytes());
    key.extend_from_slice(&(!order.story).to_be_bytes());
    key
}
