//! What speaks for a decision and what against it, as facts: put into words where somebody reads them. `Display` says
//! them in English, for commands and JSON; pages have words of their own.

use std::fmt;

use minicbor::{Decode, Encode};

use super::id::SourceId;

/// Why two copies are one story.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Likeness {
    /// It has the address of another copy, and a headline like its.
    #[n(0)]
    Address {
        /// Whose copy.
        #[n(0)]
        with: SourceId,
    },
    /// Headline and text are those of another copy, but for digits.
    #[n(1)]
    Copied {
        /// Whose copy.
        #[n(0)]
        with: SourceId,
    },
    /// It has the address of another copy, another headline, and a related text.
    #[n(2)]
    Related,
    /// Headlines and texts were compared with the copy shown.
    #[n(3)]
    Compared {
        /// How the headlines stand to each other.
        #[n(0)]
        headline: Headlines,
        /// How much of the shorter text stands in the longer, per mille; `None` if one side has no text to compare.
        #[n(1)]
        contained: Option<u16>,
        /// Whether it counts because both are of the same day.
        #[n(2)]
        day: bool,
    },
    /// An editor said so.
    #[n(4)]
    ByHand,
    /// It came with another story, when an item was surely a copy of both.
    #[n(5)]
    Through {
        /// Whose item.
        #[n(0)]
        with: SourceId,
    },
}

/// How two headlines stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Headlines {
    /// Equal when folded.
    #[n(0)]
    Equal,
    /// One is the beginning of the other.
    #[n(1)]
    Cut,
    /// They are different.
    #[n(2)]
    Other,
    /// One stands inside the other.
    #[n(3)]
    Part,
    /// One has a character or two more.
    #[n(4)]
    Lost,
    /// One stretch of them differs.
    #[n(5)]
    Reworded,
    /// Other words, with the same city and the same figures.
    #[n(6)]
    Figures,
}

impl fmt::Display for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { with } => write!(f, "same address as the copy of {with}"),
            Self::Copied { with } => write!(f, "same headline and text as the copy of {with}"),
            Self::Related => f.write_str("same address, related text"),
            Self::ByHand => f.write_str("joined by an editor"),
            Self::Through { with } => write!(f, "the copy of {with} is one of both stories"),
            Self::Compared { headline, contained, day } => {
                f.write_str(match headline {
                    Headlines::Equal => "equal headline",
                    Headlines::Cut => "headline cut from the other",
                    Headlines::Other => "another headline",
                    Headlines::Part => "headline part of the other",
                    Headlines::Lost => "headline with a character or two more or less",
                    Headlines::Reworded => "headline with a word exchanged",
                    Headlines::Figures => "another headline with the same city and figures",
                })?;
                if *day {
                    f.write_str(" on the same day")?;
                }
                match contained {
                    Some(contained) => write!(f, ", {} % of the shorter text in the longer", contained / 10),
                    None => f.write_str(", no text to compare"),
                }
            }
        }
    }
}

/// Why two copies that look alike are not one story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Veto {
    /// An editor split them.
    ByHand,
    /// An editor took the story out: what belongs to it is only seen.
    Spiked,
    /// A source of theirs has `join = false`.
    Alone(SourceId),
    /// They share an address, and neither headline nor text: a page that is used again and again.
    Page,
    /// Neither headlines nor texts are alike; how much of the shorter text stands in the longer, per mille.
    Unlike(Option<u16>),
    /// The story holds another item of the same source already: what a source gives twice are two items.
    Repeated(SourceId),
    /// So many days lie between them.
    Days(u32),
    /// Their headlines name different cities.
    Cities,
    /// They name no city, and their sources serve different ones.
    Served,
    /// Fewer of the shorter text's numbers stand in the longer than a copy's would.
    Numbers,
    /// There is but the headline to go by, and that comes back with other stories.
    Recurring,
    /// The headlines have nothing in common, and the shorter text stands in the midst of a long one.
    Digest,
}

impl fmt::Display for Veto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByHand => f.write_str("an editor split them: they stay apart"),
            Self::Spiked => f.write_str("an editor took the story out"),
            Self::Alone(source) => write!(f, "{source} has join = false"),
            Self::Page => f.write_str("same address, but neither headline nor text are alike"),
            Self::Unlike(Some(contained)) => {
                write!(f, "not enough alike: {} % of the shorter text in the longer", contained / 10)
            }
            Self::Unlike(None) => f.write_str("not enough alike: there is no text to compare"),
            Self::Repeated(source) => {
                write!(f, "the story holds another item of {source}: a source repeats its headline")
            }
            Self::Days(days) => write!(f, "{days} days lie between them"),
            Self::Cities => f.write_str("the headlines name different cities"),
            Self::Served => f.write_str("the sources serve different cities and the texts are not alike"),
            Self::Numbers => f.write_str("the numbers contradict"),
            Self::Recurring => f.write_str("only the headline is alike, and it comes back with other stories"),
            Self::Digest => f.write_str("the shorter text stands in the midst of a digest"),
        }
    }
}

/// What speaks for a place.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Sign {
    /// A name of it stood somewhere.
    #[n(0)]
    Named {
        /// Where.
        #[n(0)]
        zone: Zone,
        /// As it stood there.
        #[n(1)]
        name: String,
        /// The unit it was read as, where the name does not say it.
        #[n(2)]
        unit: Option<String>,
        /// What it weighs, in thousandths.
        #[n(3)]
        weight: u32,
        /// What made it weigh more or less.
        #[n(4)]
        notes: Vec<Note>,
    },
    /// 我市, 全市, 我省 or the like: the source's own city or province.
    #[n(1)]
    Ours {
        /// A province.
        #[n(0)]
        province: bool,
        /// What it weighs, in thousandths.
        #[n(1)]
        weight: u32,
    },
    /// The source usually writes about it, and it is named.
    #[n(2)]
    Prior {
        /// What it weighs, in thousandths.
        #[n(0)]
        weight: u32,
    },
    /// No place is named, so it is the source's own.
    #[n(3)]
    Unnamed {
        /// A province.
        #[n(0)]
        province: bool,
        /// What it weighs, in thousandths.
        #[n(1)]
        weight: u32,
    },
    /// A chosen city lies in it.
    #[n(4)]
    Holds(#[n(0)] String),
}

/// Where a name stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Zone {
    /// The headline.
    #[n(0)]
    Title,
    /// The beginning of the text.
    #[n(1)]
    Lede,
    /// The text near its beginning.
    #[n(2)]
    Text,
    /// The rest of the text.
    #[n(3)]
    Rest,
    /// A tag of the publisher.
    #[n(4)]
    Tag,
    /// Who is credited.
    #[n(5)]
    Credit,
}

/// What made a name weigh more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Note {
    /// The name stood in full.
    #[n(0)]
    Full,
    /// It was read inside the name before it.
    #[n(1)]
    Inside,
    /// It stands in the dateline of an agency.
    #[n(2)]
    Dateline,
    /// It is an origin or a destination.
    #[n(3)]
    Passing,
    /// It stands in the title of a work.
    #[n(4)]
    Quoted,
    /// It was named before.
    #[n(5)]
    Again,
}

impl Zone {
    const fn word(self) -> &'static str {
        match self {
            Self::Title => "headline",
            Self::Lede => "lede",
            Self::Text | Self::Rest => "text",
            Self::Tag => "tag",
            Self::Credit => "credit",
        }
    }
}

impl Note {
    const fn word(self) -> &'static str {
        match self {
            Self::Full => "in full",
            Self::Inside => "inside the name before",
            Self::Dateline => "dateline of an agency",
            Self::Passing => "origin or destination",
            Self::Quoted => "in a title of a work",
            Self::Again => "again",
        }
    }
}

/// Thousandths as a decimal with two places: 3900 is 3.90.
#[must_use]
pub fn thousandths(value: u32) -> String {
    format!("{}.{:02}", value / 1_000, value % 1_000 / 10)
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = |province: &bool| if *province { "province" } else { "city" };
        match self {
            Self::Named { zone, name, unit, weight, notes } => {
                write!(f, "{}: {name}", zone.word())?;
                if let Some(unit) = unit {
                    write!(f, " ({unit})")?;
                }
                write!(f, " +{}", thousandths(*weight))?;
                notes.iter().try_for_each(|note| write!(f, ", {}", note.word()))
            }
            Self::Ours { province, weight } => {
                let words = if *province { "我省, 全省" } else { "我市, 全市" };
                write!(f, "{words} or the like: its source's {} +{}", kind(province), thousandths(*weight))
            }
            Self::Prior { weight } => write!(f, "source's city +{}", thousandths(*weight)),
            Self::Unnamed { province, weight } => {
                write!(f, "names no place: its source's {} +{}", kind(province), thousandths(*weight))
            }
            Self::Holds(city) => write!(f, "{city} lies in it"),
        }
    }
}

/// A name that was seen and not counted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Dropped {
    /// As it stood; empty where it is about several.
    #[n(0)]
    pub name: String,
    /// Why.
    #[n(1)]
    pub why: Discard,
}

/// Why a name was not counted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Discard {
    /// It is a phrase that names no place.
    #[n(0)]
    Phrase,
    /// It was cut out of other words.
    #[n(1)]
    Cut,
    /// It is also a common word, and nothing else speaks for the place.
    #[n(2)]
    Common,
    /// Several places are called so.
    #[n(3)]
    Several,
    /// It is part of the name of a road, company or paper.
    #[n(4)]
    Part,
    /// A town or village is called so.
    #[n(5)]
    Township,
    /// It stands behind a surname.
    #[n(6)]
    Surname,
    /// It weighs too little.
    #[n(7)]
    Little {
        /// What it weighs, in thousandths.
        #[n(0)]
        weight: u32,
        /// What the best one weighs, or what is needed, in thousandths.
        #[n(1)]
        best: u32,
    },
    /// So many cities: a story of a province or the whole country.
    #[n(8)]
    National(#[n(0)] u32),
    /// `[cities] cover` leaves it out.
    #[n(9)]
    Uncovered,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, why } = self;
        match why {
            Discard::Phrase => write!(f, "{name}: no place in this phrase"),
            Discard::Cut => write!(f, "{name}: cut out of other words"),
            Discard::Common => write!(f, "{name}: also a common word, and nothing else speaks for the place"),
            Discard::Several => write!(f, "{name}: several places of this name"),
            Discard::Part => write!(f, "{name}: part of the name of a road, company or paper"),
            Discard::Township => write!(f, "{name}: a town or village of the same name"),
            Discard::Surname => write!(f, "{name}: behind a surname"),
            Discard::Little { weight, best } => {
                write!(f, "{name}: named in passing ({} of {})", thousandths(*weight), thousandths(*best))
            }
            Discard::National(cities) => write!(f, "{cities} cities: too many to be about any of them"),
            Discard::Uncovered => write!(f, "{name}: not covered here"),
        }
    }
}
