//! Identities: of sources, of items within a source, of stories.

use minicbor::{Decode, Encode};
use uuid::Uuid;

/// The `id` of a `[[source]]`: identity for good; address and name may change, this may not.
///
/// Lower-case ASCII letters, digits, `-`, `_` and `.`, 1 to 64 characters, beginning with a letter or digit: it stands
/// in addresses (`/feeds/source/{id}.rss`) and in keys.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct SourceId(#[n(0)] String);

impl SourceId {
    /// Checks and wraps; `None` if the shape is wrong.
    #[must_use]
    pub fn new(id: &str) -> Option<Self> {
        let ok = (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
            && id.as_bytes()[0].is_ascii_alphanumeric();
        ok.then(|| Self(id.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SourceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What makes an item the same item when its source shows it again. Ours, never the parser's: feed-rs invents a random
/// id for an item with neither guid nor link.
///
/// `guid:…` as sent (of an address without its scheme), else `link:…` (canonical), else `day:…` (folded headline and claimed day), else `text:…` (folded
/// headline and hash of the text). Never the day of polling: a listed item would be new every morning.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct ItemKey(#[n(0)] pub String);

impl ItemKey {
    /// Longest key kept as it is; a longer one is replaced by its hash.
    pub const LONGEST: usize = 512;

    /// From a guid as sent (trimmed). Of one that is an address the scheme does not count: sites move from http to https.
    #[must_use]
    pub fn guid(guid: &str) -> Self {
        let guid = guid.trim();
        let bare = guid.strip_prefix("https:").or_else(|| guid.strip_prefix("http:"));
        Self::short("guid", bare.filter(|rest| rest.starts_with("//")).unwrap_or(guid))
    }

    /// What stands in it: the guid, of an address with the scheme that the item's link has, or what stands for a guid.
    #[must_use]
    pub fn sent(&self, link: &str) -> String {
        let (kind, rest) = self.0.split_once(':').unwrap_or(("", &self.0));
        let scheme = if link.starts_with("http:") { "http:" } else { "https:" };
        if kind == "guid" && rest.starts_with("//") { format!("{scheme}{rest}") } else { rest.to_owned() }
    }

    /// Whether this is the guid meant, as it was sent or as it is told.
    #[must_use]
    pub fn is_meant(&self, text: &str) -> bool {
        *self == Self::guid(text) || self.0 == text || self.0.split_once(':').is_some_and(|(_, rest)| rest == text)
    }

    /// From a canonical link.
    #[must_use]
    pub fn link(link: &str) -> Self {
        Self::short("link", link)
    }

    /// From a folded headline and the day it claims (`2026-11-23`).
    #[must_use]
    pub fn day(folded_title: &str, day: &str) -> Self {
        Self::short("day", &format!("{day} {folded_title}"))
    }

    /// From a folded headline and text, for an item that has no guid, no link and no date.
    #[must_use]
    pub fn text(folded_title: &str, folded_text: &str) -> Self {
        Self::short("text", &format!("{:032x} {folded_title}", hash128(&[folded_text.as_bytes()])))
    }

    fn short(kind: &str, rest: &str) -> Self {
        let key = format!("{kind}:{rest}");
        if key.len() <= Self::LONGEST {
            Self(key)
        } else {
            Self(format!("{kind}:#{:032x}", hash128(&[rest.as_bytes()])))
        }
    }
}

/// A story's number in order of opening, from 1. Ours alone: outside, a story is known by its guid.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct StoryNo(#[n(0)] pub u64);

/// A story's guid, minted once and never changed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub Uuid);

impl Guid {
    /// The namespace of our version 5 UUIDs (RFC 9562 section 5.5). Never to be changed: every guid hangs on it.
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f0c_2d1e_9a57_4c1b_8e3d_51c6_0d7e_a4b2);

    /// The guid of a story opened by this item. `used` counts earlier stories opened by the same source and key.
    #[must_use]
    pub fn mint(source: &SourceId, key: &ItemKey, used: u32) -> Self {
        let name = match used {
            0 => format!("{source}\n{}", key.0),
            _ => format!("{source}\n{}\n{used}", key.0),
        };
        Self(Uuid::new_v5(&Self::NAMESPACE, name.as_bytes()))
    }

    /// The identity of a desk, by the place and time of its first ledger record: another desk has another, and it
    /// survives rebuild, restore and a change of address.
    #[must_use]
    pub fn desk(first: super::position::Position, at: super::time::Time) -> Self {
        let name = format!("desk\n{}\n{}\n{}", first.seq, first.sum, at.0);
        Self(Uuid::new_v5(&Self::NAMESPACE, name.as_bytes()))
    }

    /// As printed in feeds: `urn:uuid:…` (RFC 9562 section 4).
    #[must_use]
    pub fn urn(self) -> String {
        self.0.urn().to_string()
    }

    /// From the form in an address (`/story/{uuid}`) or a `urn:uuid:…`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(Self)
    }
}

impl std::fmt::Display for Guid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<C> Encode<C> for Guid {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(self.0.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Guid {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Uuid::from_slice(d.bytes()?).map(Self).map_err(|_| minicbor::decode::Error::message("a guid has 16 bytes"))
    }
}

/// A 64-bit hash of these parts, stable for good (XXH3 with seed 0, parts framed by their length). For index keys.
#[must_use]
pub fn hash64(parts: &[&[u8]]) -> u64 {
    framed(parts, xxhash_rust::xxh3::xxh3_64)
}

/// A 128-bit hash of these parts, stable for good (XXH3 with seed 0, parts framed by their length). For identities.
#[must_use]
pub fn hash128(parts: &[&[u8]]) -> u128 {
    framed(parts, xxhash_rust::xxh3::xxh3_128)
}

fn framed<T>(parts: &[&[u8]], hash: impl Fn(&[u8]) -> T) -> T {
    // Most are short: for them no memory is asked for.
    let mut short = [0; 256];
    let mut long = Vec::new();
    let length: usize = parts.iter().map(|part| part.len() + 8).sum();
    let all = if let Some(all) = short.get_mut(..length) {
        all
    } else {
        long.resize(length, 0);
        &mut long[..]
    };
    let mut rest = &mut *all;
    for part in parts {
        let (frame, after) = rest.split_at_mut(8);
        frame.copy_from_slice(&(part.len() as u64).to_le_bytes());
        let (place, after) = after.split_at_mut(part.len());
        place.copy_from_slice(part);
        rest = after;
    }
    hash(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_framed_by_their_length() {
        // Around the length up to which no memory is asked for.
        for length in [0, 1, 7, 239, 240, 241, 300, 5_000] {
            let long = vec![b'x'; length];
            let framed = [&(length as u64).to_le_bytes()[..], &long, &1_u64.to_le_bytes(), b"y"].concat();
            assert_eq!(hash64(&[&long, b"y"]), xxhash_rust::xxh3::xxh3_64(&framed), "{length}");
            assert_eq!(hash128(&[&long, b"y"]), xxhash_rust::xxh3::xxh3_128(&framed), "{length}");
        }
    }

    #[test]
    fn a_guid_that_is_an_address_is_told_as_one_and_found_by_it() {
        for (sent, link, told) in [
            ("https://news.example/?p=4", "https://news.example/4", "https://news.example/?p=4"),
            ("http://news.example/?p=4", "http://news.example/4", "http://news.example/?p=4"),
            (" https://news.example/4 ", "", "https://news.example/4"),
            ("n-1", "http://news.example/4", "n-1"),
            ("http:7", "", "http:7"),
        ] {
            let key = ItemKey::guid(sent);
            assert_eq!(key.sent(link), told, "{sent}");
            assert!(key.is_meant(told) && key.is_meant(sent) && key.is_meant(&key.0), "{sent}");
            assert!(!key.is_meant("news.example") && !key.is_meant(""), "{sent}");
        }
        assert_eq!(ItemKey::guid("http://a.example/1"), ItemKey::guid("https://a.example/1"));
        assert_eq!(ItemKey::link("news.example/4").sent("https://news.example/4"), "news.example/4");
    }
}
