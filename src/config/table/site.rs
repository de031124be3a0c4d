//! `[site]`: who we are.

use std::net::SocketAddr;

use crate::config::address::{Contact, Own};
use crate::config::key::{Entry, Fields, Key, Table};
use crate::config::kind::NAME;
use crate::config::name::Language;
use crate::config::reading::Reading;
use crate::model::setting::Site;

const TITLE: Key<String> = Key { name: "title", doc: "Title of the desk.", default: "\"citydesk\"", kind: &NAME };
const LANGUAGE: Key<String> =
    Key { name: "language", doc: "Language of the published feeds.", default: "\"zh-CN\"", kind: &Language };
const PUBLIC_URL: Key<String> = Key {
    name: "public_url",
    doc: "Every address we print is made from it; ids are not, so it may change. Else made from server.listen.",
    default: "",
    kind: &Own,
};
const CONTACT: Key<String> = Key {
    name: "contact",
    doc: "Goes into our User-Agent, so that a site can write to us.",
    default: "",
    kind: &Contact,
};

/// The register of its keys.
pub(in crate::config) const TABLE: Table = Table {
    name: "site",
    many: false,
    doc: "Who we are.",
    keys: &[&TITLE as &dyn Entry, &LANGUAGE, &PUBLIC_URL, &CONTACT],
};

/// Reads it. Without `public_url` our address is the one we listen on.
pub(in crate::config) fn read(fields: &Fields<'_>, zone: &str, listen: SocketAddr, reading: &mut Reading) -> Site {
    Site {
        title: fields.or_default(&TITLE, reading),
        language: fields.or_default(&LANGUAGE, reading),
        public_url: fields.get(&PUBLIC_URL, reading).unwrap_or_else(|| address(listen)),
        contact: fields.get(&CONTACT, reading),
        zone: zone.to_owned(),
    }
}

/// The address of this machine that reaches a listener: loopback where it listens on all addresses.
fn address(listen: SocketAddr) -> String {
    let mut listen = listen;
    if listen.ip().is_unspecified() {
        listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{listen}")
}
