//! The settings of feeds.toml: all of them ([`Settings`]), and those that can change a published byte, cut into parts
//! that the ledger records when they change ([`Setting`]).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::codec;
use super::source::{How, Secret, Source, SourceRules};

/// `[site]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Site {
    /// Title of the desk.
    #[n(0)]
    pub title: String,
    /// Language of the published feeds (BCP 47).
    #[n(1)]
    pub language: String,
    /// Every address we print is made from it, without a slash at the end; ids are not, so it may change.
    #[n(2)]
    pub public_url: String,
    /// Stands in our User-Agent.
    #[n(3)]
    pub contact: Option<String>,
    /// IANA name of the zone in which pages show times (`[defaults] zone`).
    #[n(4)]
    pub zone: String,
}

/// `[publish]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Publish {
    /// Window: so many newest entries at least.
    #[n(0)]
    pub items: u32,
    /// `builtin`, `none`, or the address of another hub.
    #[n(1)]
    pub hub: String,
}

/// `[cities]`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Cities {
    /// Codes of the units whose cities are assigned and listed; empty = everywhere.
    #[n(0)]
    pub cover: Vec<super::place::Code>,
    /// Another name for a city: name, code.
    #[n(1)]
    pub alias: Vec<(String, super::place::Code)>,
    /// Slugs that override: code, slug.
    #[n(2)]
    pub slug: Vec<(super::place::Code, String)>,
    /// Contents of further gazetteer files, in the order named.
    #[n(3)]
    pub gazetteer: Vec<String>,
}

/// `[[tag]]`: stories that match `when` carry the tag.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TagRule {
    /// The tag, as spelt.
    #[n(0)]
    pub id: String,
    /// A query.
    #[n(1)]
    pub when: String,
}

/// `[[feed]]`: a saved search, published under `/feeds/saved/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SavedFeed {
    /// Identity, in the shape of a source's id.
    #[n(0)]
    pub id: String,
    /// Title of the feed.
    #[n(1)]
    pub title: String,
    /// A query.
    #[n(2)]
    pub when: String,
}

/// `[[alert]]`. Accepted and checked; not in force yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Identity.
    pub id: String,
    /// A query.
    pub when: String,
    /// Channel (`webhook slack feishu dingtalk wecom email`) and its address.
    pub to: Vec<(String, Secret)>,
    /// Milliseconds to gather before sending; 0 sends at once.
    pub digest: i64,
}

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where we listen.
    pub listen: SocketAddr,
    /// CIDRs whose `X-Forwarded-For` / `Forwarded` counts.
    pub trusted_proxies: Vec<Network>,
}

/// A CIDR: address and prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Any address in it.
    pub address: std::net::IpAddr,
    /// Bits that count.
    pub prefix: u8,
}

impl Network {
    /// From `10.0.0.0/8`, `::1/128` or a bare address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix): (std::net::IpAddr, Option<u8>) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse().ok()?, Some(prefix.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(most);
        (prefix <= most).then_some(Self { address, prefix })
    }

    /// Whether `address` lies in it. IPv4 and IPv6 never match each other.
    #[must_use]
    pub fn contains(&self, address: std::net::IpAddr) -> bool {
        use std::net::IpAddr::{V4, V6};
        match (self.address, address) {
            (V4(net), V4(it)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                net.to_bits() & mask == it.to_bits() & mask
            }
            (V6(net), V6(it)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                net.to_bits() & mask == it.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// `[fetch]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Requests at once to one host.
    pub per_host: u32,
    /// Largest body after decompression, in bytes.
    pub body_max: u64,
    /// CIDRs that sources may resolve to although they are not public.
    pub allow_private: Vec<Network>,
    /// http or socks5 proxy.
    pub proxy: Option<String>,
}

/// All of feeds.toml, checked, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `[site]`.
    pub site: Site,
    /// `[server]`.
    pub server: Server,
    /// `[store] path`, absolute.
    pub store: PathBuf,
    /// `[fetch]`.
    pub fetch: Fetch,
    /// `[[source]]`, in the order of the file.
    pub sources: Vec<Arc<Source>>,
    /// `[cities]`.
    pub cities: Cities,
    /// `[[tag]]`.
    pub tags: Vec<TagRule>,
    /// `[[feed]]`.
    pub feeds: Vec<SavedFeed>,
    /// `[[alert]]`.
    pub alerts: Vec<Alert>,
    /// `[publish]`.
    pub publish: Publish,
}

/// One part of the settings that can change a published byte. Parts are recorded in the ledger when they change, so
/// that a file of 100,000 sources does not cost a record of 10 MB for one edited line. All but sources are few, and boxed:
/// they would make each source as large as the largest of them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Setting {
    /// `[site]`.
    #[n(0)]
    Site(#[n(0)] Box<Site>),
    /// `[publish]`.
    #[n(1)]
    Publish(#[n(0)] Box<Publish>),
    /// `[cities]`.
    #[n(2)]
    Cities(#[n(0)] Box<Cities>),
    /// All `[[tag]]`s: their order matters.
    #[n(3)]
    Tags(#[n(0)] Vec<TagRule>),
    /// A `[[feed]]`.
    #[n(4)]
    Feed(#[n(0)] Box<SavedFeed>),
    /// A `[[source]]`.
    #[n(5)]
    Source(#[cbor(n(0), with = "codec::shared")] Arc<SourceRules>),
}

impl From<Site> for Setting {
    fn from(site: Site) -> Self {
        Self::Site(Box::new(site))
    }
}

impl From<Publish> for Setting {
    fn from(publish: Publish) -> Self {
        Self::Publish(Box::new(publish))
    }
}

impl From<Cities> for Setting {
    fn from(cities: Cities) -> Self {
        Self::Cities(Box::new(cities))
    }
}

impl From<SavedFeed> for Setting {
    fn from(feed: SavedFeed) -> Self {
        Self::Feed(Box::new(feed))
    }
}

/// Ways in which sources are asked that are held once each.
const WAYS: usize = 64;

impl Setting {
    /// Largest encoded part, in bytes: it is never cut, and a record of the journal has at most a million.
    pub const LARGEST: usize = 900_000;

    /// Identity of the part: `site`, `publish`, `cities`, `tags`, `feed/{id}`, `source/{id}`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Site(_) => "site".to_owned(),
            Self::Publish(_) => "publish".to_owned(),
            Self::Cities(_) => "cities".to_owned(),
            Self::Tags(_) => "tags".to_owned(),
            Self::Feed(feed) => format!("feed/{}", feed.id),
            Self::Source(source) => format!("source/{}", source.id),
        }
    }
}

/// The recorded settings in force, by key.
pub type InForce = BTreeMap<String, Setting>;

/// The rules in force of a source, by its id; `None` of one that is retired.
#[must_use]
pub fn source<'s>(settings: &'s InForce, id: &str) -> Option<&'s Arc<SourceRules>> {
    match settings.get(&format!("source/{id}")) {
        Some(Setting::Source(rules)) => Some(rules),
        _ => None,
    }
}

impl Settings {
    /// The parts that can change a published byte.
    #[must_use]
    pub fn recorded(&self) -> InForce {
        let fixed = [
            Setting::from(self.site.clone()),
            Setting::from(self.publish.clone()),
            Setting::from(self.cities.clone()),
            Setting::Tags(self.tags.clone()),
        ];
        fixed
            .into_iter()
            .chain(self.feeds.iter().cloned().map(Setting::from))
            .chain(self.sources.iter().map(|source| Setting::Source(Arc::clone(&source.rules))))
            .map(|setting| (setting.key(), setting))
            .collect()
    }

    /// Keeps in memory once what is known already: the rules of every source are those in force, and a source that is as it
    /// was `before`, with the same rules, is that one. The others are made anew, in one row: they were made between the pieces
    /// of a document that is gone.
    pub fn share(&mut self, before: &[Arc<Source>], in_force: &InForce) {
        let before: BTreeMap<_, _> = before.iter().map(|source| (source.id(), source)).collect();
        // A desk has few ways to ask; the first of them says nothing.
        let mut ways = vec![Arc::<How>::default()];
        let mut shared = |new: &Arc<Source>| {
            let rules = source(in_force, new.id().as_str()).filter(|rules| **rules == new.rules).unwrap_or(&new.rules);
            match before.get(new.id()) {
                Some(&same) if same == new && Arc::ptr_eq(&same.rules, rules) => Arc::clone(same),
                _ => {
                    let alike = ways.iter().find(|how| **how == new.how).cloned();
                    let how = alike.unwrap_or_else(|| {
                        if ways.len() < WAYS {
                            ways.push(Arc::clone(&new.how));
                        }
                        Arc::clone(&new.how)
                    });
                    Arc::new(Source { rules: Arc::clone(rules), how, ..Source::clone(new) })
                }
            }
        };
        self.sources = self.sources.iter().map(&mut shared).collect();
    }
}

/// What must be recorded to get from `old` to `new`: settings new or changed, and keys gone.
#[must_use]
pub fn difference(old: &InForce, new: &InForce) -> (Vec<Setting>, Vec<String>) {
    let set = new.iter().filter(|(key, setting)| old.get(*key) != Some(*setting)).map(|(_, s)| s.clone()).collect();
    let gone = old.keys().filter(|key| !new.contains_key(*key)).cloned().collect();
    (set, gone)
}

/// Cuts a change into parts whose encoded size stays below `limit` bytes each (one setting is never cut).
#[must_use]
pub fn parts(set: Vec<Setting>, limit: usize) -> Vec<Vec<Setting>> {
    let mut parts: Vec<Vec<Setting>> = vec![Vec::new()];
    let mut size = 0;
    for setting in set {
        let bytes = codec::encode(&setting).len();
        if size + bytes > limit && size > 0 {
            parts.push(Vec::new());
            size = 0;
        }
        size += bytes;
        if let Some(last) = parts.last_mut() {
            last.push(setting);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::SourceId;
    use crate::model::source::Kind;

    #[test]
    fn what_is_known_stands_in_memory_once() {
        let source = |id: &str, name: &str| {
            let rules = SourceRules { id: SourceId::new(id).unwrap(), name: name.into(), ..SourceRules::default() };
            Arc::new(Source::new(rules, Kind::Feed(format!("http://{id}.example/"))))
        };
        let loaded = crate::config::load_text(std::path::Path::new("feeds.toml"), String::new()).unwrap().settings;
        let settings = |names: [&str; 2]| Settings {
            sources: vec![source("a", names[0]), source("b", names[1])],
            ..loaded.clone()
        };
        let mut first = settings(["A", "B"]);
        let in_force = settings(["A", "B"]).recorded();
        first.share(&[], &in_force);
        let mut second = settings(["A", "C"]);
        let shared = |(key, setting): (String, Setting)| {
            let same = in_force.get(&key).filter(|same| **same == setting).cloned();
            (key, same.unwrap_or(setting))
        };
        let renamed = second.recorded().into_iter().map(shared).collect();
        second.share(&first.sources, &renamed);
        let rules = |settings: &Settings, at: usize| Arc::clone(&settings.sources[at].rules);
        assert!(Arc::ptr_eq(&rules(&first, 1), super::source(&in_force, "b").unwrap()));
        assert!(Arc::ptr_eq(&first.sources[0], &second.sources[0]), "as it was");
        assert!(Arc::ptr_eq(&first.sources[0].how, &first.sources[1].how), "alike");
        assert_eq!((rules(&second, 1).name.as_str(), rules(&first, 1).name.as_str()), ("C", "B"));
    }
}
