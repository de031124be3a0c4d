//! The poll book: what polling remembers of each source. Outside the journal and outside the store's equality; its loss
//! costs one unconditional poll per source (`ledger.md` 1).

use minicbor::{Decode, Encode};

use super::position::Position;
use super::time::Time;

/// HTTP validators (RFC 9110 section 8.8), kept verbatim and as a pair.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Validators {
    /// `ETag` as sent, quotes and `W/` included.
    #[n(0)]
    pub etag: Option<String>,
    /// `Last-Modified` as sent.
    #[n(1)]
    pub last_modified: Option<String>,
}

/// How a source is doing.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum State {
    /// Not asked yet.
    #[default]
    #[n(0)]
    New,
    /// Answers, and brings what is expected.
    #[n(1)]
    Ok,
    /// Answers, but its newest item is older than its rhythm.
    #[n(2)]
    Late,
    /// Answers, but brings less than `expect`.
    #[n(3)]
    Silent,
    /// Does not answer, or what it answers cannot be read.
    #[n(4)]
    Broken,
    /// Says that it is gone (410).
    #[n(5)]
    Gone,
}

impl State {
    /// The word used on pages, in `stats` and in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Silent => "silent",
            Self::Broken => "broken",
            Self::Gone => "gone",
        }
    }
}

/// An item that was met on a list and not filed yet: its article is awaited, or it was found not to be wanted.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Held {
    /// Hash of its key.
    #[n(0)]
    pub key: u64,
    /// Its hash as listed: a changed one is looked at anew.
    #[n(1)]
    pub hash: u64,
    /// When it was met first.
    #[n(2)]
    pub first: Time,
    /// How often its article was asked for in vain.
    #[n(3)]
    pub tries: u32,
    /// Its article came, and it is not filed: `only` or `drop` of its source, or no headline anywhere.
    #[n(4)]
    pub settled: bool,
}

/// What is remembered of one source between polls.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// When to ask next.
    #[n(0)]
    pub due: Time,
    /// Time between polls now, in milliseconds.
    #[n(1)]
    pub interval: i64,
    /// Validators of the last whole answer.
    #[n(2)]
    pub validators: Validators,
    /// The last record on the wire that these validators vouch for. If it is not there any more, the next poll is
    /// unconditional.
    #[n(3)]
    pub vouched: Position,
    /// The reading under which that answer was read; a changed one drops the validators.
    #[n(4)]
    pub reading: u64,
    /// Hash of the last body: an equal one needs no parsing.
    #[n(5)]
    pub body: u64,
    /// State.
    #[n(6)]
    pub state: State,
    /// Why, in a sentence.
    #[n(7)]
    pub reason: String,
    /// Last time an answer came that could be read (304 included).
    #[n(8)]
    pub last_good: Option<Time>,
    /// Last time a new item came.
    #[n(9)]
    pub last_new: Option<Time>,
    /// Last time it was asked.
    #[n(10)]
    pub last_asked: Option<Time>,
    /// HTTP status of the last answer; 0 if none came.
    #[n(11)]
    pub status: u16,
    /// Failures in a row.
    #[n(12)]
    pub failures: u32,
    /// Items in the last readable answer.
    #[n(13)]
    pub listed: u32,
    /// Newest believable date in it.
    #[n(14)]
    pub newest: Option<Time>,
    /// Format of the last readable answer ("RSS 2.0").
    #[n(15)]
    pub format: String,
    /// Its character set and why.
    #[n(16)]
    pub charset: String,
    /// What was wrong with the last answer, one sentence each.
    #[n(17)]
    pub complaints: Vec<String>,
    /// Where 301 or 308 pointed, and since when.
    #[n(18)]
    pub moved: Option<(String, Time)>,
    /// `Cache-Control`/`Expires`/`ttl` as milliseconds: not to be asked before that.
    #[n(19)]
    pub hint: i64,
    /// Not to be asked before this: `Retry-After`.
    #[n(20)]
    pub retry_after: Option<Time>,
    /// Items of the last answer that are not filed yet, or not to be filed.
    #[n(21)]
    #[cbor(default)]
    pub held: Vec<Held>,
}
