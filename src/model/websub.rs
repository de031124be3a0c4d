//! WebSub (W3C Recommendation of 23 January 2018): what is kept of the subscriptions to our feeds, and which hub they name.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use minicbor::{Decode, Encode};
use url::{Host, Url};

use super::edition::EditionId;
use super::id::hash128;
use super::time::Time;

/// A secret that signatures are made with. It is kept, since they need it, and never shown: not by `{:?}` either.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Secret(#[n(0)] pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// One of our feeds: an edition in a format. Its address may change with `[site]` and `[cities]`; this does not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Topic {
    /// Which edition.
    #[n(0)]
    pub edition: EditionId,
    /// Extension of the format.
    #[n(1)]
    pub extension: String,
}

/// Somebody wants a feed delivered. Topic and callback together are its identity (section 5.1 of the recommendation).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Subscription {
    /// What is delivered.
    #[n(0)]
    pub topic: Topic,
    /// Where to.
    #[n(1)]
    pub callback: String,
    /// Signs what is delivered.
    #[n(2)]
    pub secret: Option<Secret>,
    /// When its lease ends.
    #[n(3)]
    pub until: Time,
    /// When it was confirmed last.
    #[n(4)]
    pub since: Time,
    /// Version of the feed (its ledger record) when it was asked for: what comes after it is delivered.
    #[n(5)]
    pub from: u64,
}

impl Subscription {
    /// Key of its identity.
    #[must_use]
    pub fn key(topic: &Topic, callback: &str) -> [u8; 16] {
        hash128(&[topic.edition.key().as_bytes(), topic.extension.as_bytes(), callback.as_bytes()]).to_be_bytes()
    }
}

/// What a subscription has of its feed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Delivered {
    /// Version of the feed: the ledger record that made it.
    #[n(0)]
    pub version: u64,
    /// Hash of the document; 0 while none was delivered. A new version whose document is the same one is not sent.
    #[n(1)]
    pub content: u64,
}

/// Deliveries of one document, made to many.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Mark {
    /// What was delivered.
    #[n(0)]
    pub what: Delivered,
    /// Numbers of the subscriptions that have it; [`Mark::OUTSIDE`] is another hub that was told.
    #[n(1)]
    pub to: Vec<u64>,
}

impl Mark {
    /// The hub that `[publish] hub` names by its address: told of all versions up to this one.
    pub const OUTSIDE: u64 = 0;
}

/// The value of `[publish] hub` for the hub built in.
pub const BUILTIN: &str = "builtin";

/// Path of the hub built in, behind `public_url`.
pub const PATH: &str = "/hub";

/// The hub that feeds name: ours where everybody can reach it, another one by its address, or none.
#[must_use]
pub fn announced(hub: &str, public_url: &str) -> Option<String> {
    match hub {
        "none" | "" => None,
        BUILTIN => {
            unreachable_by_all(public_url).is_none().then(|| format!("{}{PATH}", public_url.trim_end_matches('/')))
        }
        other => Some(other.to_owned()),
    }
}

/// Names that lead to nobody outside, with everything below them (RFC 6761, RFC 6762, RFC 8375, and ICANN's `internal`).
const INSIDE: [&str; 7] = ["localhost", "local", "internal", "home.arpa", "test", "invalid", "lan"];

/// Why a hub at this address would be a promise that cannot be kept: readers that are told of a hub stop polling. `None`
/// if it is public https.
#[must_use]
pub fn unreachable_by_all(public_url: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(public_url) else { return Some("it is no address") };
    let inside = match url.host() {
        None => return Some("it has no host"),
        Some(Host::Ipv4(it)) => is_inside_v4(it),
        Some(Host::Ipv6(it)) => is_inside_v6(it),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let below = |zone: &str| name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
            !name.contains('.') || INSIDE.iter().any(|zone| below(zone))
        }
    };
    if inside {
        return Some("others cannot reach it");
    }
    (url.scheme() != "https").then_some("it is not https, so anybody on the way could answer for it")
}

fn is_inside_v4(it: Ipv4Addr) -> bool {
    let shared = it.octets()[0] == 100 && it.octets()[1] & 0xc0 == 64;
    it.is_loopback() || it.is_private() || it.is_link_local() || it.is_unspecified() || it.is_documentation() || shared
}

fn is_inside_v6(it: Ipv6Addr) -> bool {
    it.segments()[0] & 0xe000 != 0x2000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_is_named_where_everybody_can_reach_it() {
        for (hub, public_url, expected) in [
            ("builtin", "https://news.example.org", Some("https://news.example.org/hub")),
            ("builtin", "https://news.example.org:8443/henan/", Some("https://news.example.org:8443/henan/hub")),
            ("builtin", "https://8.8.8.8", Some("https://8.8.8.8/hub")),
            ("builtin", "http://news.example.org", None),
            ("builtin", "https://127.0.0.1:8080", None),
            ("builtin", "https://10.1.2.3", None),
            ("builtin", "https://100.100.1.1", None),
            ("builtin", "https://[::1]", None),
            ("builtin", "https://[fd00::1]", None),
            ("builtin", "https://localhost", None),
            ("builtin", "https://desk.local", None),
            ("builtin", "https://desk.home.arpa.", None),
            ("builtin", "https://desk", None),
            ("builtin", "https://notlocal.example.org", Some("https://notlocal.example.org/hub")),
            ("builtin", "news", None),
            ("none", "https://news.example.org", None),
            ("https://hub.example/", "http://127.0.0.1", Some("https://hub.example/")),
        ] {
            assert_eq!(announced(hub, public_url).as_deref(), expected, "{hub} at {public_url}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let topic = Topic { edition: EditionId::All, extension: "rss".to_owned() };
        let subscription = Subscription {
            topic: topic.clone(),
            callback: "https://reader.example/cb".to_owned(),
            secret: Some(Secret("rosebud".to_owned())),
            until: Time(1),
            since: Time(0),
            from: 7,
        };
        assert!(!format!("{subscription:?}").contains("rosebud"));
        let other = Topic { extension: "atom".to_owned(), ..topic.clone() };
        assert_ne!(Subscription::key(&topic, "https://a.example"), Subscription::key(&other, "https://a.example"));
    }
}
