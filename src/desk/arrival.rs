//! How a filing arrived: is it a source's first, is it read in another way, and which of its items are held back?

use crate::model::filing::Filing;
use crate::model::item::Item;
use crate::model::time::{Time, Trust};

/// What the fold knows of the source when its filing is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Items it ever brought.
    pub items: u64,
    /// How its last document that showed anything was read.
    pub reading: u64,
    /// Its last filing.
    pub last: Time,
}

/// The circumstances of one filing, the same for all of its items however many ledger records they fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Whether the store's first 24 hours are not over: everything enters.
    pub opening: bool,
    /// First filing that brings anything.
    pub first: bool,
    /// First filing under another reading: changed text is no edit.
    pub baseline: bool,
    last: Time,
    backfill: usize,
}

impl Arrival {
    /// A store's first hours, in which everything enters.
    pub const OPENING: i64 = 24 * Time::HOUR;

    /// Of this filing, decided at `at` in a store whose first record is of `first`.
    #[must_use]
    pub fn of(filing: &Filing, past: Option<Past>, backfill: u32, at: Time, first: Time) -> Self {
        let opening = first == Time::default() || at.since(first) < Self::OPENING;
        match past.filter(|past| past.items > 0) {
            None => Self {
                opening,
                first: true,
                baseline: false,
                last: past.map_or(Time::default(), |p| p.last),
                backfill: backfill as usize,
            },
            Some(past) => {
                Self { opening, first: false, baseline: past.reading != filing.reading, last: past.last, backfill: 0 }
            }
        }
    }

    /// Whether this item, if it is new to us, is held back. `rank` counts the filing's items from the newest, 0 first.
    #[must_use]
    pub fn holds(&self, item: &Item, rank: usize) -> bool {
        if self.opening {
            return false;
        }
        if self.first {
            return rank >= self.backfill;
        }
        let dated_after =
            item.published.as_ref().is_some_and(|claim| claim.trust > Trust::None && claim.at > self.last);
        self.baseline && !dated_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Claim;

    const DAY: i64 = Time::DAY;

    /// (what, past, opening day?, item dated (days), rank, held)
    #[allow(clippy::type_complexity, reason = "a table, read once, by the loop below")]
    const CASES: &[(&str, Option<(u64, u64, i64)>, i64, Option<i64>, usize, bool)] = &[
        ("a new desk takes everything", None, 0, Some(-9), 40, false),
        ("a source added later fills the store, not the feeds", None, 5, Some(5), 2, true),
        ("but for its backfill", None, 5, Some(5), 1, false),
        ("a first filing that was empty is none", Some((0, 7, 4)), 5, Some(5), 2, true),
        ("news of a known source enters", Some((9, 7, 4)), 5, Some(1), 50, false),
        ("undated news of a known source enters", Some((9, 7, 4)), 5, None, 50, false),
        ("read anew: what is older than the last filing is held", Some((9, 6, 4)), 5, Some(3), 0, true),
        ("read anew: what is newer enters", Some((9, 6, 4)), 6, Some(5), 9, false),
        ("read anew: undated is held", Some((9, 6, 4)), 6, None, 0, true),
    ];

    #[test]
    fn items_are_held_back() {
        for (what, past, day, dated, rank, held) in CASES {
            let filing = Filing { reading: 7, ..Filing::default() };
            let past = past.map(|(items, reading, last)| Past { items, reading, last: Time(1 + last * DAY) });
            let arrival = Arrival::of(&filing, past, 2, Time(1 + day * DAY), Time(1));
            let published = dated.map(|day| Claim {
                at: Time(1 + day * DAY),
                offset: 0,
                trust: Trust::Full,
                method: String::new(),
            });
            let item = Item { published, ..Item::default() };
            assert_eq!(arrival.holds(&item, *rank), *held, "{what}");
        }
    }
}
