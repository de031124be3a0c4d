//! `[server]`: where we listen.

use std::net::{Ipv4Addr, SocketAddr};

use crate::config::address::{Cidr, Listen};
use crate::config::key::{self, Entry, Fields, Key, Table};
use crate::config::kind::Many;
use crate::config::reading::Reading;
use crate::model::setting::{Network, Server};

const LISTEN: Key<SocketAddr> =
    Key { name: "listen", doc: "Address and port.", default: "\"127.0.0.1:8080\"", kind: &Listen };
const TRUSTED_PROXIES: Key<Vec<Network>> = Key {
    name: "trusted_proxies",
    doc: "Networks whose X-Forwarded-For / Forwarded counts.",
    default: "[]",
    kind: &Many(Cidr),
};

/// The register of its keys.
pub(in crate::config) const TABLE: Table =
    Table { name: "server", many: false, doc: "Where we listen.", keys: &[&LISTEN as &dyn Entry, &TRUSTED_PROXIES] };

/// Reads it.
pub(in crate::config) fn read(fields: &Fields<'_>, reading: &mut Reading) -> Server {
    let listen = fields.get(&LISTEN, reading).or_else(|| key::default(&LISTEN, reading));
    Server {
        listen: listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        trusted_proxies: fields.or_default(&TRUSTED_PROXIES, reading),
    }
}
