//! Why a source is in trouble, as facts: in English in its `Display`, in other languages where it is shown.

use std::fmt;

use minicbor::{Decode, Encode};

use super::time::Time;

/// Why a source is in the state it is in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Why {
    /// It answers with a page that asks for a password.
    #[n(0)]
    Login,
    /// It shows fewer items than are expected.
    #[n(1)]
    Few {
        /// Items shown.
        #[n(0)]
        listed: u32,
        /// Items expected at least.
        #[n(1)]
        expected: u32,
    },
    /// It shows no items any more.
    #[n(2)]
    Empty {
        /// Where they were.
        #[n(0)]
        lost: Lost,
        /// How many there usually were.
        #[n(1)]
        usual: u32,
    },
    /// Most headlines are mojibake.
    #[n(3)]
    Garbled {
        /// Items shown.
        #[n(0)]
        listed: u32,
        /// The character set it was read in; empty if that is not known.
        #[n(1)]
        charset: String,
    },
    /// All dates lie in the future.
    #[n(4)]
    Future {
        /// Items shown.
        #[n(0)]
        listed: u32,
    },
    /// Nothing new for longer than feeds.toml expects.
    #[n(5)]
    Old {
        /// The newest date; where there are none, when something new appeared last.
        #[n(0)]
        newest: Time,
        /// Whether it is a date.
        #[n(1)]
        dated: bool,
        /// What is expected, in milliseconds.
        #[n(2)]
        expected: i64,
        /// Whose silence it is.
        #[n(3)]
        quiet: Quiet,
        /// Items shown.
        #[n(4)]
        listed: u32,
    },
    /// Nothing new although by its rhythm something was due.
    #[n(6)]
    Late {
        /// When something new appeared last.
        #[n(0)]
        last: Time,
        /// Items to be expected since.
        #[n(1)]
        missing: u64,
        /// Whose silence it is.
        #[n(2)]
        quiet: Quiet,
        /// Items shown.
        #[n(3)]
        listed: u32,
    },
    /// No readable answer; the sentence stands in the poll book.
    #[n(7)]
    Failed {
        /// What failed, in a word.
        #[n(0)]
        kind: String,
        /// HTTP status, 0 if there was none.
        #[n(1)]
        status: u16,
    },
}

/// Where items were that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Lost {
    /// `list` found them.
    #[n(0)]
    List,
    /// `links` fitted them.
    #[n(1)]
    Links,
    /// They were found without either.
    #[n(2)]
    Guessed,
    /// `json` found them.
    #[n(3)]
    Json,
    /// They stood in the publisher's own list.
    #[n(4)]
    Publisher,
    /// They stood in files.
    #[n(5)]
    Files,
}

/// Whose silence it is, as far as that shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Quiet {
    /// The publisher's: the list is the same even when asked for without conditions.
    #[n(0)]
    Confirmed,
    /// The server says "not modified".
    #[n(1)]
    Claimed,
    /// The publisher's, or ours: what we read of a page may not be where the news is.
    #[n(2)]
    Page,
    /// The publisher's: the list is as before.
    #[n(3)]
    Publisher,
}

/// A moment, for people on call anywhere.
fn moment(at: Time) -> String {
    at.utc().format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A span as feeds.toml has it.
fn span(milliseconds: i64) -> String {
    [(Time::DAY, "d"), (Time::HOUR, "h"), (Time::MINUTE, "m")]
        .iter()
        .find(|(unit, _)| milliseconds >= *unit && milliseconds % unit == 0)
        .map_or_else(
            || format!("{}s", milliseconds / Time::SECOND),
            |(unit, letter)| format!("{}{letter}", milliseconds / unit),
        )
}

impl Quiet {
    fn of(self, listed: u32) -> String {
        match self {
            Self::Confirmed => format!(
                "its {listed} items are the same even when asked for without conditions, so the publisher is quiet"
            ),
            Self::Claimed => format!("the server says \"not modified\" of its {listed} items"),
            Self::Page => format!(
                "it still shows its {listed} items, so the publisher is quiet, or what we read of it is no longer where \
                 its news is"
            ),
            Self::Publisher => format!("it answers with its {listed} items as before, so the publisher is quiet"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login => f.write_str("it answers with a page that asks for a password: it wants a login now"),
            Self::Few { listed, expected } => {
                write!(f, "it shows {listed} items, at least {expected} are expected: has its layout changed?")
            }
            Self::Empty { lost, usual } => match lost {
                Lost::List => write!(
                    f,
                    "the page answers, but `list` finds nothing on it where it found {usual} items: its layout has \
                     changed, our selectors no longer fit"
                ),
                Lost::Links => write!(
                    f,
                    "the page answers, but `links` fits none of its addresses where it fitted {usual}: the site has \
                     changed them"
                ),
                Lost::Guessed => write!(
                    f,
                    "the page answers, but no list is found on it where there were {usual} items: its layout has changed"
                ),
                Lost::Json => write!(
                    f,
                    "it answers, but `json` finds nothing in it where it found {usual} items: its form has changed"
                ),
                Lost::Publisher => write!(
                    f,
                    "it answers, but shows no items where there were {usual}: the publisher's own list is empty"
                ),
                Lost::Files => write!(f, "the files show no items where there were {usual}"),
            },
            Self::Garbled { listed, charset } => {
                let charset = if charset.is_empty() { "its character set" } else { charset };
                write!(
                    f,
                    "most of its {listed} headlines are mojibake, read as {charset}: set `encoding` if the site will not \
                     mend it"
                )
            }
            Self::Future { listed } => write!(
                f,
                "all dates of its {listed} items lie in the future: its clock or the form of its dates is wrong"
            ),
            Self::Old { newest, dated, expected, quiet, listed } => {
                let what = if *dated { "its newest item is of" } else { "nothing new appeared on it since" };
                let (newest, expected, quiet) = (moment(*newest), span(*expected), quiet.of(*listed));
                write!(f, "{what} {newest}, older than the {expected} expected: {quiet}")
            }
            Self::Late { last, missing, quiet, listed } => write!(
                f,
                "nothing new since {}, although by its rhythm about {missing} items were to be expected by now: {}",
                moment(*last),
                quiet.of(*listed)
            ),
            Self::Failed { kind, status: 0 } => write!(f, "no readable answer ({kind})"),
            Self::Failed { status, .. } => write!(f, "the server answers {status}"),
        }
    }
}
