//! The ledger: what was decided. Facts, for good, written by the editor alone; the store is a fold of them.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use super::edition::{EditionId, Order};
use super::id::{Guid, ItemKey, SourceId, StoryNo};
use super::place::Places;
use super::position::Position;
use super::setting::Setting;
use super::story::{Copy, Emission};
use super::tag::Tag;
use super::time::Time;
use super::websub::{Mark, Subscription};

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Edit {
    /// A new story, opened by this copy.
    #[n(0)]
    Open {
        /// Its number: the next one.
        #[n(0)]
        story: StoryNo,
        /// Its guid.
        #[n(1)]
        guid: Guid,
        /// Its first copy.
        #[n(2)]
        copy: Box<Copy>,
    },
    /// Another copy of a story.
    #[n(1)]
    Join {
        /// Which story.
        #[n(0)]
        story: StoryNo,
        /// The copy, with the reason in `joined`.
        #[n(1)]
        copy: Box<Copy>,
    },
    /// A known copy changed: its facts are replaced (same source and key).
    #[n(2)]
    Revise {
        /// Which story.
        #[n(0)]
        story: StoryNo,
        /// The copy as it is now.
        #[n(1)]
        copy: Box<Copy>,
    },
    /// A known item changed as sent, but it is no edit. Without it the old hash stays and every poll files it again.
    #[n(3)]
    See {
        /// Which story.
        #[n(0)]
        story: StoryNo,
        /// Whose item.
        #[n(1)]
        source: SourceId,
        /// Which item.
        #[n(2)]
        key: ItemKey,
        /// Its hash now.
        #[n(3)]
        hash: u64,
    },
    /// What the desk thinks the story is about, and whose copy is shown.
    #[n(4)]
    Judge {
        /// Which story.
        #[n(0)]
        story: StoryNo,
        /// Index of the copy shown.
        #[n(1)]
        shown: u32,
        /// Cities and provinces.
        #[n(2)]
        places: Places,
        /// Tags.
        #[n(3)]
        tags: Vec<Tag>,
    },
    /// What the feeds print from now on. The first one makes the story public.
    #[n(5)]
    Emit {
        /// Which story.
        #[n(0)]
        story: StoryNo,
        /// Every printed field but the full text.
        #[n(1)]
        emission: Box<Emission>,
        /// Why it is printed anew.
        #[n(2)]
        cause: Cause,
    },
    /// The story enters these editions.
    #[n(6)]
    Enter {
        /// Which story.
        #[n(0)]
        story: StoryNo,
        /// Time that orders it there.
        #[n(1)]
        at: Time,
        /// Which editions.
        #[n(2)]
        editions: Vec<EditionId>,
    },
    /// The story leaves the window of these editions; it stays in their archives.
    #[n(7)]
    Leave {
        /// Which story.
        #[n(0)]
        story: StoryNo,
        /// Which editions.
        #[n(1)]
        editions: Vec<EditionId>,
    },
    /// Two stories turned out to be one: this guid keeps its places and takes no new ones; its copies go to `into`.
    #[n(8)]
    Retire {
        /// Whose guid is retired.
        #[n(0)]
        story: StoryNo,
        /// Which story goes on.
        #[n(1)]
        into: StoryNo,
        /// Its copies, whole, each with the reason that joins it: replay reads no other story than the one it changes.
        #[n(2)]
        copies: Vec<Copy>,
        /// Stories retired into it before.
        #[n(3)]
        absorbed: Vec<StoryNo>,
        /// Stories that an editor split from it.
        #[n(4)]
        apart: Vec<StoryNo>,
    },
    /// Taken out of everything by an editor.
    #[n(9)]
    Spike {
        /// Which story.
        #[n(0)]
        story: StoryNo,
    },
    /// A filing was decided to its end.
    #[n(10)]
    Filed {
        /// Whose.
        #[n(0)]
        source: SourceId,
        /// The closing record.
        #[n(1)]
        filing: Position,
        /// How it was read.
        #[n(2)]
        reading: u64,
        /// When the answer was complete.
        #[n(3)]
        at: Time,
        /// How many items it brought.
        #[n(4)]
        items: u32,
        /// Title of the document, if it states one.
        #[n(5)]
        title: Option<String>,
        /// The page that the document names as its own.
        #[n(6)]
        home: Option<String>,
        /// How many items the document showed, known ones included.
        #[n(7)]
        listed: u32,
        /// The publisher's tags on its items, and on how many of them each stood, most first: what a source puts on
        /// everything says nothing.
        #[cbor(n(8), default)]
        tags: Vec<(String, u32)>,
    },
    /// A run of 100 entries of an edition is full: one page of its archive (RFC 5005 section 4). Where a changed rule began
    /// the archive anew, and where archives began at all, the last run of what stood there then may be short.
    #[n(11)]
    Run {
        /// Which edition.
        #[n(0)]
        edition: EditionId,
        /// Number of the run, from 1.
        #[n(1)]
        number: u32,
        /// Its newest entry. The oldest is the one after the run before.
        #[n(2)]
        through: Order,
        /// Generation of the edition that it belongs to.
        #[cbor(n(3), default)]
        generation: u32,
    },
    /// A story turned out to be two: these copies go to another one, and the desk never makes them one again.
    #[n(12)]
    Split {
        /// Which story they leave.
        #[n(0)]
        from: StoryNo,
        /// Index of the copy that it shows then.
        #[n(1)]
        left: u32,
        /// Where they go: a new number, or that of a retired story which takes its guid and its places back.
        #[n(2)]
        to: StoryNo,
        /// Its guid.
        #[n(3)]
        guid: Guid,
        /// Whether it is a new one.
        #[n(4)]
        fresh: bool,
        /// The copies, whole: replay may find that they have left already.
        #[n(5)]
        copies: Vec<Copy>,
        /// Index of the copy that it shows.
        #[n(6)]
        shown: u32,
        /// Retired stories that belong to it from here on.
        #[n(7)]
        absorbed: Vec<StoryNo>,
    },
    /// A changed `[[tag]]` rule gave the story other tags. What is printed of it stays.
    #[n(13)]
    Retag {
        /// Which story.
        #[n(0)]
        story: StoryNo,
        /// Its tags from here on.
        #[n(1)]
        tags: Vec<Tag>,
    },
    /// A changed rule moved the story: it joins archive and pages of some editions, never their windows, and leaves
    /// others altogether.
    #[n(14)]
    Refile {
        /// Which story.
        #[n(0)]
        story: StoryNo,
        /// Time that orders it there.
        #[n(1)]
        at: Time,
        /// Editions that it joins.
        #[n(2)]
        joins: Vec<EditionId>,
        /// Editions that it leaves.
        #[n(3)]
        leaves: Vec<EditionId>,
    },
    /// A store's first hours are over: archives begin. What stood in the editions then has been archived, if it was a hundred
    /// entries, whole: the last run of each may be short, or their windows would have to reach back for the rest.
    #[n(15)]
    Archives,
    /// A story that an editor took out is back: in the archives where it stood, on the pages of these editions, in no
    /// window.
    #[n(20)]
    Reinstate {
        /// Which story; those retired into it come with it.
        #[n(0)]
        story: StoryNo,
        /// Editions it stood in whose pages show it again.
        #[n(1)]
        editions: Vec<EditionId>,
    },
}

impl Edit {
    /// The stories that it changes; two where copies move between them.
    #[must_use]
    pub fn stories(&self) -> [Option<StoryNo>; 2] {
        match self {
            Self::Open { story, .. }
            | Self::Join { story, .. }
            | Self::Revise { story, .. }
            | Self::See { story, .. }
            | Self::Judge { story, .. }
            | Self::Emit { story, .. }
            | Self::Enter { story, .. }
            | Self::Leave { story, .. }
            | Self::Spike { story }
            | Self::Reinstate { story, .. }
            | Self::Retag { story, .. }
            | Self::Refile { story, .. } => [Some(*story), None],
            Self::Retire { story, into, .. } => [Some(*story), Some(*into)],
            Self::Split { from, to, .. } => [Some(*from), Some(*to)],
            Self::Filed { .. } | Self::Run { .. } | Self::Archives => [None, None],
        }
    }
}

/// Why something is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Cause {
    /// For the first time.
    #[n(0)]
    First,
    /// The publisher of the shown copy edited it.
    #[n(1)]
    Edited,
    /// What was emitted was cut or damaged, and a whole copy came.
    #[n(2)]
    Corrected,
    // 3 was a cause that nothing ever wrote; it stays unused.
}

/// How far the wire has been decided: up to and with this item of this record.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Progress {
    /// The filing (or request) on the wire.
    #[n(0)]
    pub record: Position,
    /// Items of it decided so far.
    #[n(1)]
    pub items: u32,
    /// Whether it is decided to its end.
    #[n(2)]
    pub whole: bool,
}

/// One record of the ledger, at most 256 KB encoded.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    /// Record time: the clock of whoever asked for the decision, never less than the record before.
    #[n(0)]
    pub at: Time,
    /// How far the wire is decided with this record.
    #[n(1)]
    pub progress: Progress,
    /// What was decided.
    #[n(2)]
    pub body: Body,
}

/// The kinds of ledger records.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Body {
    /// Decisions about items.
    #[n(0)]
    Edits(#[n(0)] Vec<Edit>),
    /// Settings in force from here on. They count when `closes` arrives.
    #[n(1)]
    Settings {
        /// New and changed.
        #[n(0)]
        set: Vec<Setting>,
        /// Keys of those gone.
        #[n(1)]
        gone: Vec<String>,
        /// Whether this part completes the change.
        #[n(2)]
        closes: bool,
    },
    /// A past rewritten by a changed rule: the edition's next generation becomes visible. A new edition shows nothing
    /// before.
    #[n(2)]
    Switch {
        /// Which edition.
        #[n(0)]
        edition: EditionId,
        /// Which generation.
        #[n(1)]
        generation: u32,
    },
    /// Texts that reached their `keep`: recorded before they leave the disk.
    #[n(3)]
    Expire {
        /// The copies whose text goes.
        #[n(0)]
        copies: Vec<(StoryNo, u32)>,
    },
    /// Time passed where time itself decides.
    #[n(4)]
    Tick,
    /// A subscription to a feed of ours, new or renewed (WebSub).
    #[n(5)]
    Subscription {
        /// Its number, from 1; that of an ended one is never given again.
        #[n(0)]
        number: u64,
        /// All of it, as it is now.
        #[n(1)]
        subscription: Subscription,
    },
    /// Documents were delivered to subscriptions.
    #[n(6)]
    Delivered(#[n(0)] Vec<Mark>),
    /// Subscriptions ended.
    #[n(7)]
    Unsubscribed(#[n(0)] Vec<u64>),
}

impl Body {
    /// The stories that it changes, each once, in order of their numbers.
    #[must_use]
    pub fn stories(&self) -> BTreeSet<StoryNo> {
        match self {
            Self::Edits(edits) => edits.iter().flat_map(Edit::stories).flatten().collect(),
            Self::Expire { copies } => copies.iter().map(|(story, _)| *story).collect(),
            Self::Settings { .. }
            | Self::Switch { .. }
            | Self::Tick
            | Self::Subscription { .. }
            | Self::Delivered(_)
            | Self::Unsubscribed(_) => BTreeSet::new(),
        }
    }
}

impl Record {
    /// Largest encoded record, in bytes (`ledger.md` 8).
    pub const LARGEST: usize = 256 * 1024;
}
