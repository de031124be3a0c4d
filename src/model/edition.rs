//! Editions: the feeds we publish.

use minicbor::{Decode, Encode};

use super::id::SourceId;
use super::place::Code;
use super::time::Time;

/// Which edition. The text form ([`EditionId::key`]) is what the journal and the store keep.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EditionId {
    /// Everything.
    All,
    /// One city.
    City(Code),
    /// One province.
    Province(Code),
    /// One tag, by its folded id.
    Tag(String),
    /// One source, cleaned up.
    Source(SourceId),
    /// A `[[feed]]`, by its id.
    Saved(String),
    /// City and tag both; computed when asked, never recorded (`ledger.md` 1).
    CityTag(Code, String),
}

impl EditionId {
    /// Text form: `all`, `city/411000`, `province/410000`, `tag/教育`, `source/dahe`, `saved/henan-schools`,
    /// `city/411000/tag/教育`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::City(code) => format!("city/{code}"),
            Self::Province(code) => format!("province/{code}"),
            Self::Tag(id) => format!("tag/{id}"),
            Self::Source(id) => format!("source/{id}"),
            Self::Saved(id) => format!("saved/{id}"),
            Self::CityTag(code, tag) => format!("city/{code}/tag/{tag}"),
        }
    }

    /// The inverse of [`EditionId::key`].
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        let code = |text: &str| text.parse().ok().map(Code);
        if key == "all" {
            return Some(Self::All);
        }
        let (kind, rest) = key.split_once('/')?;
        match kind {
            "city" => match rest.split_once("/tag/") {
                Some((city, tag)) => Some(Self::CityTag(code(city)?, tag.to_owned())),
                None => Some(Self::City(code(rest)?)),
            },
            "province" => Some(Self::Province(code(rest)?)),
            "tag" => Some(Self::Tag(rest.to_owned())),
            "source" => SourceId::new(rest).map(Self::Source),
            "saved" => Some(Self::Saved(rest.to_owned())),
            _ => None,
        }
    }
}

impl<C> Encode<C> for EditionId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.key())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for EditionId {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::parse(d.str()?).ok_or_else(|| minicbor::decode::Error::message("no such kind of edition"))
    }
}

/// Where an entry stands inside an edition: newest first. Entry time, then story number: order of arrival.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Order {
    /// When it entered; in a store's first 24 hours min(arrival, trusted publication).
    #[n(0)]
    pub at: Time,
    /// The story's number.
    #[n(1)]
    pub story: u64,
}

/// A version of an edition: it changes when, and only when, what the edition prints may have changed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Version {
    /// Ledger record that made it.
    #[n(0)]
    pub seq: u64,
    /// `Last-Modified`, whole seconds since 1970: max(record time, the former version's + 1).
    #[n(1)]
    pub modified: i64,
}
