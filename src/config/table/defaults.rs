//! `[defaults]`: what every source is unless it says otherwise. These keys are a source's keys as well.

use crate::config::duration::{Duration, Range};
use crate::config::key::{Entry, Fields, Key, Table};
use crate::config::kind::{Choice, Count, Flag};
use crate::config::name::Zone;
use crate::config::reading::Reading;
use crate::config::table::expect::{Expected, Part};
use crate::model::source::{Expect, Rank, Republish};
use crate::model::time::Time;

/// Shortest time between two polls of one source, in milliseconds: anything shorter is no good guest.
const SHORTEST_EVERY: i64 = Time::SECOND;
/// Longest time between two polls.
const LONGEST_EVERY: i64 = 90 * Time::DAY;
/// Longest time a text can be kept: a hundred years.
const LONGEST_KEEP: i64 = 36_500 * Time::DAY;
/// Longest time one request can take.
const LONGEST_TIMEOUT: i64 = 10 * Time::MINUTE;
/// Most old items of a new source that can enter the feeds.
const MOST_BACKFILL: u32 = 1_000;

/// Time between polls.
pub(in crate::config) const EVERY: Key<(i64, i64)> = Key {
    name: "every",
    doc: "Time between polls: adaptive between the two; one value pins it.",
    default: "\"2m..12h\"",
    kind: &Range(Duration { least: SHORTEST_EVERY, most: LONGEST_EVERY }),
};
/// Zone of dates.
pub(in crate::config) const ZONE: Key<String> = Key {
    name: "zone",
    doc: "Time zone of dates that state none, and for display.",
    default: "\"Asia/Shanghai\"",
    kind: &Zone,
};
/// What is expected.
pub(in crate::config) const EXPECT: Key<Part> = Key {
    name: "expect",
    doc: "What a source should bring; otherwise it counts as silent, not as fine.",
    default: "{ items = 1, newest = \"3d\" }",
    kind: &Expected,
};
/// How much is passed on.
pub(in crate::config) const REPUBLISH: Key<Republish> = Key {
    name: "republish",
    doc: "How much of its text we pass on: title, summary or full.",
    default: "\"summary\"",
    kind: &Choice(&[("title", Republish::Title), ("summary", Republish::Summary), ("full", Republish::Full)]),
};
/// How long texts are kept.
pub(in crate::config) const KEEP: Key<i64> = Key {
    name: "keep",
    doc: "How long texts are kept, counted from arrival; titles, links, dates and ids stay for good.",
    default: "\"180d\"",
    kind: &Duration { least: Time::DAY, most: LONGEST_KEEP },
};
/// Old items that enter.
pub(in crate::config) const BACKFILL: Key<u32> = Key {
    name: "backfill",
    doc: "How many old items of a newly added source enter the feeds; all enter the store.",
    default: "0",
    kind: &Count { least: 0, most: MOST_BACKFILL },
};
/// Whose copy is shown.
pub(in crate::config) const RANK: Key<Rank> = Key {
    name: "rank",
    doc: "Whose copy of a story is shown: origin before media before reprint.",
    default: "\"media\"",
    kind: &Choice(&[("origin", Rank::Origin), ("media", Rank::Media), ("reprint", Rank::Reprint)]),
};
/// Whether items are joined.
pub(in crate::config) const JOIN: Key<bool> = Key {
    name: "join",
    doc: "false: items are never joined with those of other sources.",
    default: "true",
    kind: &Flag,
};
/// Time of a request.
pub(in crate::config) const TIMEOUT: Key<i64> = Key {
    name: "timeout",
    doc: "Longest time of one request, whole.",
    default: "\"30s\"",
    kind: &Duration { least: Time::SECOND, most: LONGEST_TIMEOUT },
};

/// The register of its keys.
pub(in crate::config) const TABLE: Table = Table {
    name: "defaults",
    many: false,
    doc: "What every source is unless it says otherwise.",
    keys: &[&EVERY as &dyn Entry, &ZONE, &EXPECT, &REPUBLISH, &KEEP, &BACKFILL, &RANK, &JOIN, &TIMEOUT],
};

/// What every source is unless it says otherwise.
pub(in crate::config) struct Defaults {
    /// Shortest and longest time between polls.
    pub every: (i64, i64),
    /// IANA name.
    pub zone: String,
    /// What it should bring.
    pub expect: Expect,
    /// How much is passed on.
    pub republish: Republish,
    /// Milliseconds.
    pub keep: i64,
    /// Items.
    pub backfill: u32,
    /// Whose copy is shown.
    pub rank: Rank,
    /// Whether its items may be joined.
    pub join: bool,
    /// Milliseconds.
    pub timeout: i64,
}

/// Reads it.
pub(in crate::config) fn read(fields: &Fields<'_>, reading: &mut Reading) -> Defaults {
    let declared = crate::config::key::default(&EXPECT, reading).unwrap_or_default();
    let declared = declared.over(&Expect { items: 0, newest: 0 });
    Defaults {
        every: fields.or_default(&EVERY, reading),
        zone: fields.or_default(&ZONE, reading),
        expect: fields.get(&EXPECT, reading).unwrap_or_default().over(&declared),
        republish: fields.or_default(&REPUBLISH, reading),
        keep: fields.or_default(&KEEP, reading),
        backfill: fields.or_default(&BACKFILL, reading),
        rank: fields.or_default(&RANK, reading),
        join: fields.or_default(&JOIN, reading),
        timeout: fields.or_default(&TIMEOUT, reading),
    }
}
