//! The wire: what came in, in order. One record an item, then a closing filing; and requests by anyone but the editor.

use minicbor::{Decode, Encode};

use super::id::{Guid, ItemKey, SourceId};
use super::item::Item;
use super::position::Position;
use super::setting::Setting;
use super::time::Time;
use super::websub::{Mark, Subscription};

/// What one poll brought, closing the items before it. Items whose filing never came are ignored.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Filing {
    /// Who was polled.
    #[n(0)]
    pub source: SourceId,
    /// When the answer was complete, by our clock.
    #[n(1)]
    pub at: Time,
    /// Where its new and changed items stand on the wire, in document order.
    #[n(2)]
    pub items: Vec<Position>,
    /// How many items the document showed, known ones included.
    #[n(3)]
    pub listed: u32,
    /// How it was read: version of the reading code and hash of the keys of its block that decide what it yields. The
    /// first non-empty filing under another reading is a baseline (`ledger.md` 3.1).
    #[n(4)]
    pub reading: u64,
    /// What was wrong with the document, one sentence each.
    #[n(5)]
    pub complaints: Vec<String>,
    /// Title of the document, if it states one.
    #[n(6)]
    pub title: Option<String>,
    /// The page that the document names as its own, if it states one.
    #[n(7)]
    pub home: Option<String>,
}

/// What anyone but the editor wants decided.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Request {
    /// Settings that changed. `closes` is false while more of the same change follow.
    #[n(0)]
    Settings {
        /// By our clock.
        #[n(0)]
        at: Time,
        /// New and changed settings.
        #[n(1)]
        set: Vec<Setting>,
        /// Keys of settings that are gone.
        #[n(2)]
        gone: Vec<String>,
        /// Whether this part completes the change.
        #[n(3)]
        closes: bool,
    },
    /// An editor's correction.
    #[n(1)]
    Correct {
        /// By our clock.
        #[n(0)]
        at: Time,
        /// What is to be corrected.
        #[n(1)]
        correction: Correction,
    },
    /// Somebody's subscription to a feed of ours, confirmed: a new one, or a longer lease of a known one.
    #[n(5)]
    Subscribe {
        /// By our clock.
        #[n(0)]
        at: Time,
        /// The subscription.
        #[n(1)]
        subscription: Subscription,
    },
    /// Subscriptions that end: by their own wish, by their lease, or because the callback is gone.
    #[n(6)]
    Unsubscribe {
        /// By our clock.
        #[n(0)]
        at: Time,
        /// Their numbers.
        #[n(1)]
        numbers: Vec<u64>,
    },
    /// Documents were delivered.
    #[n(7)]
    Delivered {
        /// By our clock.
        #[n(0)]
        at: Time,
        /// What to whom.
        #[n(1)]
        marks: Vec<Mark>,
    },
}

impl Request {
    /// When it was made, by our clock.
    #[must_use]
    pub const fn at(&self) -> Time {
        match self {
            Self::Settings { at, .. }
            | Self::Correct { at, .. }
            | Self::Subscribe { at, .. }
            | Self::Unsubscribe { at, .. }
            | Self::Delivered { at, .. } => *at,
        }
    }
}

/// What an editor decides by hand. It names stories by guid and copies by source and key: both are for good, whatever
/// the desk decides between the request and its turn.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Correction {
    /// These stories are one.
    #[n(0)]
    Join {
        /// Two or more.
        #[n(0)]
        stories: Vec<Guid>,
    },
    /// These copies are another story than the rest.
    #[n(1)]
    Split {
        /// Of which story.
        #[n(0)]
        story: Guid,
        /// Which copies.
        #[n(1)]
        copies: Vec<(SourceId, ItemKey)>,
    },
    /// The story is taken out of everything.
    #[n(2)]
    Spike {
        /// Which story.
        #[n(0)]
        story: Guid,
    },
    /// The story was taken out by mistake: it is back on pages and in archives.
    #[n(3)]
    Reinstate {
        /// Which story.
        #[n(0)]
        story: Guid,
    },
}

/// One record of the wire.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Wire {
    /// An item, waiting for its filing.
    #[n(0)]
    Item(#[n(0)] Box<Item>),
    /// A filing, closing its items.
    #[n(1)]
    Filing(#[n(0)] Filing),
    /// A request.
    #[n(2)]
    Request(#[n(0)] Request),
}
