//! Where a record stands in a log.

use minicbor::{Decode, Encode};

use super::item::Item;

/// A record's place in a log, with the checksum of its bytes.
///
/// The checksum travels with every reference: logs restored under a live store reuse numbers, and a number alone would
/// then name another record (`ledger.md` 2.3).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Position {
    /// Number of the record in its log, from 1; 0 stands before the first record.
    #[n(0)]
    pub seq: u64,
    /// CRC-32 (IEEE) of the record's bytes as appended, before compression.
    #[n(1)]
    pub sum: u32,
}

/// Texts by their position on the wire. Press, store and serve read texts through this, wired by `app`.
pub trait Texts: Send + Sync {
    /// The item at this position; `None` if it was taken down, has expired, or the position names another record.
    fn item(&self, at: Position) -> Option<Item>;
}
