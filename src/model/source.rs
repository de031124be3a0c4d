//! A source: what is polled, and how.

use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::id::SourceId;
use super::place::Code;
use super::time::Time;

/// Whose copy is shown when several tell one story: the first hand before the media before the reprint.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Rank {
    /// Reposts what others wrote.
    #[n(0)]
    Reprint,
    /// Writes itself.
    #[default]
    #[n(1)]
    Media,
    /// Is the one the news is from: a government, a court, a company.
    #[n(2)]
    Origin,
}

/// How much of a source's text we pass on.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Republish {
    /// Headline and link.
    #[n(0)]
    Title,
    /// And a summary of at most 300 characters.
    #[default]
    #[n(1)]
    Summary,
    /// And the whole text.
    #[n(2)]
    Full,
}

/// What of a source can change a byte that we publish. Recorded in the ledger when it changes.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SourceRules {
    /// Identity.
    #[n(0)]
    pub id: SourceId,
    /// Name for people; the id if none was given.
    #[n(1)]
    pub name: String,
    /// The source's own feed address, if it has one (`<source url>` is always a feed).
    #[n(2)]
    pub feed: Option<String>,
    /// Cities it writes about: a prior, not a verdict.
    #[n(3)]
    pub cities: Vec<Code>,
    /// Tags of everything it sends, as spelt in feeds.toml.
    #[n(4)]
    pub tags: Vec<String>,
    /// Whose copy is shown.
    #[n(5)]
    pub rank: Rank,
    /// How much of its text we pass on.
    #[n(6)]
    pub republish: Republish,
    /// Whether its items may be joined with other sources'.
    #[n(7)]
    pub join: bool,
    /// How many old items of its first filing enter the feeds.
    #[n(8)]
    pub backfill: u32,
    /// How long its texts are kept, in milliseconds from arrival.
    #[n(9)]
    pub keep: i64,
    /// IANA name of the zone for dates that state none, and for display.
    #[n(10)]
    pub zone: String,
}

/// A value that must not be printed: its name, not itself. Resolved when a request is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// Written in the file.
    Plain(String),
    /// Value of an environment variable.
    Env(String),
    /// Contents of a file, without its final line break.
    File(PathBuf),
}

/// How to find items on a list page by CSS selectors. A selector may end in `@attribute`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ListPattern {
    /// The element of one item.
    pub item: String,
    /// Inside it; the link's text if none is given.
    pub title: Option<String>,
    /// Inside it; the item itself or its first `a` if none is given.
    pub link: Option<String>,
    /// Inside it.
    pub date: Option<String>,
    /// Inside it: the 来源 column.
    pub credit: Option<String>,
    /// Inside it.
    pub summary: Option<String>,
    /// Only where the patterns before it found nothing: the further templates of a preset. Other patterns each find a part
    /// of the page.
    pub fallback: bool,
}

/// How to read a JSON list: dotted paths, and a link with `{placeholders}`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct JsonPattern {
    /// Path to the array.
    pub items: String,
    /// Path inside an item.
    pub title: String,
    /// Path inside an item, or an address with `{path}` placeholders.
    pub link: String,
    /// Path inside an item.
    pub date: Option<String>,
    /// Path inside an item.
    pub summary: Option<String>,
    /// Path inside an item.
    pub credit: Option<String>,
}

/// What is polled. The key in feeds.toml names the kind. Addresses may hold `${NAME}` for a secret in the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// RSS, Atom or JSON Feed at an address.
    Feed(String),
    /// A list page read by selectors (`list`), by link pattern (`links`), or by the standard guess.
    Page {
        /// Address of the page.
        url: String,
        /// Selector patterns, in turn.
        list: Vec<ListPattern>,
        /// Regular expression on absolute addresses; groups `y m d` give the date.
        links: Option<String>,
    },
    /// A JSON list.
    Api {
        /// Address.
        url: String,
        /// Form fields for POST; GET if there are none.
        post: BTreeMap<String, String>,
        /// Where the items are; boxed, since a desk of very many sources has hardly any of this kind.
        json: Box<JsonPattern>,
    },
    /// A news sitemap or plain sitemap.
    Sitemap(String),
    /// Feeds from disk: an absolute glob.
    Files(String),
}

impl Kind {
    /// The address or glob.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Feed(url)
            | Self::Sitemap(url)
            | Self::Files(url)
            | Self::Page { url, .. }
            | Self::Api { url, .. } => url,
        }
    }

    /// The key of feeds.toml.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Feed(_) => "feed",
            Self::Page { .. } => "page",
            Self::Api { .. } => "api",
            Self::Sitemap(_) => "sitemap",
            Self::Files(_) => "files",
        }
    }
}

/// What the operator expects of a source; otherwise it counts as silent, not as fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// At least so many items in an answer.
    pub items: u32,
    /// The newest at most so old, in milliseconds.
    pub newest: i64,
}

/// A source as feeds.toml has it, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What of it can change a published byte; shared with the settings in force.
    pub rules: Arc<SourceRules>,
    /// What is polled.
    pub kind: Kind,
    /// Shortest and longest time between polls, in milliseconds; equal if pinned.
    pub every: (i64, i64),
    /// What it should bring.
    pub expect: Expect,
    /// One request, whole, in milliseconds.
    pub timeout: i64,
    /// How it is asked and read, where that is said; one for all sources that are alike in it.
    pub how: Arc<How>,
}

/// How a source is asked and read, beside its address. Most sources say nothing of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct How {
    /// Request headers.
    pub headers: Vec<(String, Secret)>,
    /// Character set, where detection is wrong.
    pub encoding: Option<String>,
    /// Query: items never filed.
    pub drop: Option<String>,
    /// Query: only these items are filed.
    pub only: Option<String>,
    /// Where an article's text is: a selector, `gov-cn` or `readable`.
    pub body: Option<String>,
    /// http or socks5 proxy.
    pub proxy: Option<String>,
    /// Certificate authority to trust for this source alone.
    pub ca: Option<PathBuf>,
}

impl Source {
    /// A source with the defaults of feeds.toml for all that is not said.
    #[must_use]
    pub fn new(rules: impl Into<Arc<SourceRules>>, kind: Kind) -> Self {
        Self {
            rules: rules.into(),
            kind,
            every: (2 * Time::MINUTE, 12 * Time::HOUR),
            expect: Expect { items: 1, newest: 3 * Time::DAY },
            timeout: 30 * Time::SECOND,
            how: Arc::default(),
        }
    }

    /// The identity.
    #[must_use]
    pub fn id(&self) -> &SourceId {
        &self.rules.id
    }

    /// Hash of everything that decides what a document of this source yields, and of the version of the reading code:
    /// the filing's *reading* (`ledger.md` 3.1).
    #[must_use]
    pub fn reading(&self) -> u64 {
        // Worked out at every poll, and of most sources the same plain text is had without all that formatting.
        let mut what = String::with_capacity(192);
        let _ = writeln!(what, "{READING_VERSION}");
        match &self.kind {
            Kind::Feed(url) if plain(url) => what.extend(["Feed(\"", url, "\")"]),
            kind => {
                // Writing to a String cannot fail.
                let _ = write!(what, "{kind:?}");
            }
        }
        for part in [&self.how.encoding, &self.how.drop, &self.how.only, &self.how.body] {
            match part {
                None => what.push_str("\nNone"),
                Some(part) => {
                    let _ = write!(what, "\nSome({part:?})");
                }
            }
        }
        if plain(&self.rules.zone) {
            what.extend(["\n\"", &self.rules.zone, "\""]);
        } else {
            let _ = write!(what, "\n{:?}", self.rules.zone);
        }
        super::id::hash64(&[what.as_bytes()])
    }
}

/// Whether a text stands between quotes as it is.
fn plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

/// Version of the reading code (`parse` and `normalise`): raised whenever the same document may yield other items.
pub const READING_VERSION: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded in every filing: it must stay what it was.
    #[test]
    fn a_reading_is_the_hash_of_what_decides_it() {
        let source =
            |kind| Source::new(SourceRules { zone: "Asia/Shanghai".to_owned(), ..SourceRules::default() }, kind);
        let feed = |url: &str| source(Kind::Feed(url.to_owned()));
        let odd = Some("title:\"许昌\" 'x' \\".to_owned());
        for source in [
            feed("https://a.example/rss.xml?a=1&b=2"),
            feed("https://a.example/新闻.xml"),
            feed("https://a.example/\"\\'\u{7f}"),
            source(Kind::Files("/srv/x/*.xml".to_owned())),
            Source {
                how: How { drop: odd.clone(), only: odd.clone(), body: odd, ..How::default() }.into(),
                ..feed("https://a.example/")
            },
            Source {
                rules: SourceRules { zone: "\"".to_owned(), ..SourceRules::default() }.into(),
                how: How { encoding: Some("gbk".to_owned()), ..How::default() }.into(),
                ..source(Kind::Page { url: "https://a.example/".to_owned(), list: Vec::new(), links: None })
            },
        ] {
            let how = &source.how;
            let what = format!(
                "{READING_VERSION}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
                source.kind, how.encoding, how.drop, how.only, how.body, source.rules.zone
            );
            assert_eq!(source.reading(), crate::model::id::hash64(&[what.as_bytes()]), "{what}");
        }
    }
}
