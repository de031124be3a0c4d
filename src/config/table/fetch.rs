//! `[fetch]`: how we ask.

use crate::config::address::{Cidr, Proxy};
use crate::config::key::{Entry, Fields, Key, Table};
use crate::config::kind::{Count, Many};
use crate::config::reading::Reading;
use crate::config::size::Size;
use crate::model::setting::{Fetch, Network};

/// Most requests at once to one host: more is an attack.
const MOST_PER_HOST: u32 = 16;
/// Smallest bound of a body.
const LEAST_BODY: u64 = 10_000;
/// Largest bound of a body: it is held in memory.
const MOST_BODY: u64 = 200_000_000;

const PER_HOST: Key<u32> = Key {
    name: "per_host",
    doc: "Requests at once to one host.",
    default: "1",
    kind: &Count { least: 1, most: MOST_PER_HOST },
};
const BODY_MAX: Key<u64> = Key {
    name: "body_max",
    doc: "Largest answer, after decompression.",
    default: "\"10MB\"",
    kind: &Size { least: LEAST_BODY, most: MOST_BODY },
};
const ALLOW_PRIVATE: Key<Vec<Network>> = Key {
    name: "allow_private",
    doc: "Networks that sources may resolve to although they are not public.",
    default: "[]",
    kind: &Many(Cidr),
};
const PROXY: Key<Option<String>> = Key {
    name: "proxy",
    doc: "http or socks5 proxy, also per source. It finds names itself: it has to refuse those that lead inside.",
    default: "\"\"",
    kind: &Proxy,
};

/// The register of its keys.
pub(in crate::config) const TABLE: Table = Table {
    name: "fetch",
    many: false,
    doc: "How we ask.",
    keys: &[&PER_HOST as &dyn Entry, &BODY_MAX, &ALLOW_PRIVATE, &PROXY],
};

/// Reads it.
pub(in crate::config) fn read(fields: &Fields<'_>, reading: &mut Reading) -> Fetch {
    Fetch {
        per_host: fields.or_default(&PER_HOST, reading),
        body_max: fields.or_default(&BODY_MAX, reading),
        allow_private: fields.or_default(&ALLOW_PRIVATE, reading),
        proxy: fields.or_default(&PROXY, reading),
    }
}
