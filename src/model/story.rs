//! A story: what we publish, made of one or more copies.

use minicbor::{Decode, Encode};

use super::edition::{EditionId, Version};
use super::evidence::Likeness;
use super::id::{Guid, ItemKey, SourceId, StoryNo};
use super::item::{Credit, Enclosure};
use super::place::{Code, Placed, Places, Point};
use super::position::Position;
use super::source::{Rank, Republish};
use super::tag::Tag;
use super::time::{Claim, Time, Trust};

/// One source's copy of a story: the facts kept for good. Its text stands on the wire while it is kept.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Copy {
    /// Whose it is.
    #[n(0)]
    pub source: SourceId,
    /// Which of the source's items.
    #[n(1)]
    pub key: ItemKey,
    /// Hash of the item as sent.
    #[n(2)]
    pub hash: u64,
    /// Hash of folded headline and text without digits: what must change before it counts as edited.
    #[n(3)]
    pub gist: u64,
    /// Link to the article.
    #[n(4)]
    pub link: String,
    /// Canonical form of the link.
    #[n(5)]
    pub canonical: String,
    /// Headline.
    #[n(6)]
    pub title: String,
    /// Publication date as claimed.
    #[n(7)]
    pub published: Option<Claim>,
    /// When we first saw it.
    #[n(8)]
    pub seen: Time,
    /// Chain of attribution.
    #[n(9)]
    pub credits: Vec<Credit>,
    /// Where its item stands on the wire.
    #[n(10)]
    pub wire: Position,
    /// Characters of text it came with.
    #[n(11)]
    pub length: u32,
    /// Rank of its source when it arrived.
    #[n(12)]
    pub rank: Rank,
    /// Why it was joined to the story; `None` on the first copy.
    #[n(13)]
    pub joined: Option<Likeness>,
    /// How sure the join is, 0 to 1000.
    #[n(14)]
    pub score: u16,
    /// Whether it was held back from the feeds (first filing of its source).
    #[n(15)]
    pub held: bool,
    /// Signs of damage it shows: a cut headline, lost characters.
    #[n(16)]
    pub damage: u8,
    /// The smallest hashes of its text's shingles ([`super::shingle::sketch`]): by them copies under other headlines
    /// find each other.
    #[cbor(n(17), default)]
    pub sketch: Vec<u64>,
    /// Cities that its headline names.
    #[cbor(n(18), default)]
    pub named: Vec<Code>,
}

/// A story that shares a key with an item: of its link, headline or text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Sharer {
    /// Which one.
    #[n(0)]
    pub no: StoryNo,
    /// The one city that the headlines of all its copies with this key name; `None` if they name none or several.
    #[cbor(n(1), default)]
    pub named: Option<Code>,
}

impl Sharer {
    /// So many are known under one key, so that the cost of an item does not grow with the archive.
    pub const MOST: usize = 24;
    /// What so many have is no sign by itself, and a story of long ago is not found by what so many of late have.
    pub const FEW: usize = 8;
    /// So many keys a story of long ago must share, if not a link: a copy has most of them, a stranger one or two.
    pub const OLD: usize = 3;
}

/// Stories that share keys with a copy: for each key, the newest first, at most [`Sharer::MOST`].
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// They have a copy of its canonical link.
    pub link: Vec<Sharer>,
    /// Their headline begins alike; then, for each, they share a piece of it, or tell of the same city and figures.
    pub headline: Vec<Vec<Sharer>>,
    /// For each of the smallest hashes of its text: it is among theirs.
    pub text: Vec<Vec<Sharer>>,
}

/// What of a printed story was taken from another copy than the one shown, because that one was cut or damaged. The
/// original stays with its copy.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Repair {
    /// Which part.
    #[n(0)]
    pub part: Part,
    /// From whose copy.
    #[n(1)]
    pub from: SourceId,
}

/// A part of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Part {
    /// The headline.
    #[n(0)]
    Headline,
    /// Text and summary.
    #[n(1)]
    Text,
}

/// A part of what is printed that was mended, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended<'a> {
    /// Which part.
    pub part: Part,
    /// From whose copy, whole; of several, word by word where they agree.
    pub from: Vec<&'a SourceId>,
}

impl std::fmt::Display for Mended<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = match self.part {
            Part::Headline => "headline",
            Part::Text => "text",
        };
        match self.from.as_slice() {
            [one] => write!(f, "{part} from the copy of {one}: its own was cut or damaged"),
            several => {
                let names: Vec<&str> = several.iter().map(|source| source.as_str()).collect();
                write!(f, "{part} word by word where the copies of {} agree: its own was damaged", names.join(", "))
            }
        }
    }
}

/// What a feed prints of a story, but for the full text: a fact, recorded when it was emitted and never derived again.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Emission {
    /// Headline.
    #[n(0)]
    pub title: String,
    /// Link to the shown copy.
    #[n(1)]
    pub link: String,
    /// Summary; empty where the source's terms allow the headline only.
    #[n(2)]
    pub summary: String,
    /// "producer · author", or the producer alone.
    #[n(3)]
    pub creator: String,
    /// Polled source of the shown copy.
    #[n(4)]
    pub source: SourceId,
    /// Its name then.
    #[n(5)]
    pub source_name: String,
    /// Its own feed address, if it has one.
    #[n(6)]
    pub source_feed: Option<String>,
    /// Picture.
    #[n(7)]
    pub image: Option<String>,
    /// Enclosure with a real length.
    #[n(8)]
    pub enclosure: Option<Enclosure>,
    /// Where it happened: the publisher's point, else the best city's.
    #[n(9)]
    pub point: Option<Point>,
    /// Publication if trusted, else first seen; pinned at first emission.
    #[n(10)]
    pub published: Time,
    /// Minutes east of UTC in which `published` is printed.
    #[n(11)]
    pub offset: i16,
    /// Set only by a real edit or a correction.
    #[n(12)]
    pub updated: Option<Time>,
    /// Cities printed as categories, by full name, with code.
    #[n(13)]
    pub cities: Vec<Placed>,
    /// Provinces of the story then.
    #[n(14)]
    pub provinces: Vec<Placed>,
    /// Tags printed as categories.
    #[n(15)]
    pub tags: Vec<Tag>,
    /// How much of the text may be passed on (the strictest of the copies it was made from).
    #[n(16)]
    pub republish: Republish,
    /// Where the full text stands on the wire (printed only with [`Republish::Full`], while it is kept).
    #[n(17)]
    pub text: Position,
    /// Language, where it differs from the desk's.
    #[n(18)]
    pub language: Option<String>,
    /// When it was first emitted.
    #[n(19)]
    pub first: Time,
    /// Parts that were taken from other copies.
    #[cbor(n(20), default)]
    pub repairs: Vec<Repair>,
    /// What its publisher says of the rights in it.
    #[cbor(n(40), default)]
    pub rights: Option<String>,
    /// Pages of the other copies that were known when it was first emitted; those that come later change nothing.
    #[cbor(n(41), default)]
    pub related: Vec<String>,
}

impl Emission {
    /// The parts that were mended, headline first.
    #[must_use]
    pub fn mended(&self) -> Vec<Mended<'_>> {
        let by = |part: Part| {
            let of = self.repairs.iter().filter(move |repair| repair.part == part);
            Mended { part, from: of.map(|repair| &repair.from).collect() }
        };
        [Part::Headline, Part::Text].map(by).into_iter().filter(|mended| !mended.from.is_empty()).collect()
    }
}

/// A story as the store keeps it: the fold of its edits.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Story {
    /// Number in order of opening.
    #[n(0)]
    pub no: StoryNo,
    /// Identity outside.
    #[n(1)]
    pub guid: Guid,
    /// When it was opened (record time).
    #[n(2)]
    pub opened: Time,
    /// Its copies in order of arrival.
    #[n(3)]
    pub copies: Vec<Copy>,
    /// Index into `copies` of the one shown.
    #[n(4)]
    pub shown: u32,
    /// What the feeds print; `None` while it is held back.
    #[n(5)]
    pub emission: Option<Emission>,
    /// Where it is about, as judged last.
    #[n(6)]
    pub places: Places,
    /// Tags, as judged last.
    #[n(7)]
    pub tags: Vec<Tag>,
    /// Recorded editions that hold it or ever held it.
    #[n(8)]
    pub entries: Vec<Entered>,
    /// Real edits by the publisher that were emitted (at most five).
    #[n(9)]
    pub edits: u8,
    /// Corrections by a better copy that were emitted (at most two, or three: see the desk).
    #[n(10)]
    pub corrections: u8,
    /// The story this one was retired into.
    #[n(11)]
    pub retired_into: Option<StoryNo>,
    /// Stories retired into this one, however indirectly.
    #[n(12)]
    pub absorbed: Vec<StoryNo>,
    /// Taken out by an editor.
    #[n(13)]
    pub spiked: bool,
    /// The copy that was shown when it was first emitted: its guid goes where this one goes.
    #[n(14)]
    pub began: Option<(SourceId, ItemKey)>,
    /// Stories that an editor split from it: the desk never makes them one again.
    #[cbor(n(15), default)]
    pub apart: Vec<StoryNo>,
    /// When what is printed of it last changed: emitted, emitted anew, taken out.
    #[cbor(n(16), default)]
    pub printed: Version,
}

impl Story {
    /// Whether its guid hangs on this copy: the first one shown, or the one it was opened by while it shows none.
    #[must_use]
    pub fn began_with(&self, copy: &Copy) -> bool {
        let first = || self.copies.first().is_some_and(|first| first.source == copy.source && first.key == copy.key);
        self.began.as_ref().map_or_else(first, |(source, key)| copy.source == *source && copy.key == *key)
    }

    /// Whether an editor split these two, or stories that became part of them.
    #[must_use]
    pub fn kept_apart(&self, other: &Self) -> bool {
        let split =
            |one: &Self, other: &Self| one.apart.iter().any(|no| *no == other.no || other.absorbed.contains(no));
        split(self, other) || split(other, self)
    }

    /// Of the story only what an item is compared with: a tenth of it, for many are looked at and few are met.
    #[must_use]
    pub fn card(&self) -> Self {
        let card = |copy: &Copy| Copy {
            source: copy.source.clone(),
            gist: copy.gist,
            canonical: copy.canonical.clone(),
            title: copy.title.clone(),
            published: copy.published.as_ref().map(|claim| Claim { method: String::new(), ..*claim }),
            seen: copy.seen,
            wire: copy.wire,
            length: copy.length,
            damage: copy.damage,
            sketch: copy.sketch.clone(),
            named: copy.named.clone(),
            ..Copy::default()
        };
        Self {
            no: self.no,
            copies: self.copies.iter().map(card).collect(),
            shown: self.shown,
            retired_into: self.retired_into,
            ..Self::default()
        }
    }

    /// The copy shown.
    #[must_use]
    pub fn shown(&self) -> Option<&Copy> {
        self.copies.get(self.shown as usize)
    }

    /// The publication date for people: pinned when emitted, else the best claim, else first seen.
    #[must_use]
    pub fn published(&self) -> Time {
        match (&self.emission, self.shown()) {
            (Some(emission), _) => emission.published,
            (None, Some(copy)) => {
                let believed = copy.published.as_ref().filter(|claim| claim.trust > Trust::None);
                believed.map_or(copy.seen, |claim| claim.at.min(copy.seen))
            }
            (None, None) => self.opened,
        }
    }
}

/// That a story stands in an edition.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Entered {
    /// Which edition.
    #[n(0)]
    pub edition: EditionId,
    /// Its place in the order.
    #[n(1)]
    pub at: Time,
    /// Whether it stands in the window no more, or never did. It stays in the list: what an edition ever held is never
    /// new there.
    #[n(2)]
    pub left: bool,
    /// Whether it stands on the pages although it is not in the window: a changed rule brought it, or brought it back.
    #[cbor(n(3), default)]
    pub paged: bool,
    /// Whether a changed rule brought it first: it never stood in the window, and its order stands apart.
    #[cbor(n(4), default)]
    pub late: bool,
    /// Ledger record of the changed rule that brought it into the archive; 0 if it stood there from the beginning.
    #[cbor(n(5), default)]
    pub since: u64,
    /// Ledger record of the changed rule that took it out of the archive; 0 if none did.
    #[cbor(n(6), default)]
    pub gone: u64,
}

impl Entered {
    /// Whether it stands in the archive of the generation that ledger record `switched` made visible. What a correction
    /// took out of the window stays; what changed rules do counts from the next generation on.
    #[must_use]
    pub const fn archived(&self, switched: u64) -> bool {
        self.since <= switched && (self.gone == 0 || self.gone > switched)
    }

    /// Whether the edition's pages show it.
    #[must_use]
    pub const fn shown(&self) -> bool {
        !self.left || self.paged
    }
}
