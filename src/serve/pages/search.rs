//! The page of a search: the box, what is wrong with what stands in it, what is found, and how to go on getting it.

use askama::Template;

use super::river::{River, STORIES, cursor};
use super::{Chrome, Desk};
use crate::model::edition::EditionId;
use crate::model::id::hash64;
use crate::model::time::Time;
use crate::query::{Query, QueryError};
use crate::search::{Page, Tally};
use crate::serve::link;
use crate::serve::reply::Unmade;

/// Height of the bars, and width of each with the gap behind it.
const HEIGHT: u64 = 40;
const WIDTH: usize = 8;

/// What came of a search.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing was asked.
    Nothing,
    /// The query is wrong.
    Mistake(QueryError),
    /// It was searched.
    Found(Box<Found>),
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The query as it was understood.
    pub query: Query,
    /// This page of hits.
    pub page: Page,
    /// How many there are.
    pub tally: Tally,
    /// Where the days begin that the tally counts; and where the last one ends.
    pub edges: Vec<Time>,
    /// Whether it is a page of older hits.
    pub older: bool,
    /// Whether there was an index.
    pub indexed: bool,
}

/// A mistake, with the place in the query where it begins.
#[derive(Debug)]
struct Mistake {
    column: String,
    before: String,
    from: String,
    message: String,
    hint: String,
}

/// Hits per day as bars, and in numbers.
#[derive(Debug)]
struct Spark {
    sentence: String,
    width: usize,
    bars: Vec<Bar>,
    days: Vec<Day>,
}

#[derive(Debug)]
struct Bar {
    x: usize,
    y: u64,
    height: u64,
}

#[derive(Debug)]
struct Day {
    datetime: String,
    label: String,
    count: u64,
}

#[derive(Template)]
#[template(path = "search.html")]
struct Search {
    chrome: Chrome,
    mistake: Option<Mistake>,
    found: Option<Shown>,
}

/// What is shown of what was found.
#[derive(Debug)]
struct Shown {
    count: String,
    notes: Vec<&'static str>,
    spark: Option<Spark>,
    river: River,
    newer: Option<String>,
    block: Result<String, &'static str>,
}

impl Desk<'_> {
    /// `/search`.
    ///
    /// # Errors
    /// [`Unmade`] if the template fails.
    pub fn search(&self, text: &str, outcome: Outcome) -> Result<String, Unmade> {
        let words = &self.words.search;
        let title = if text.is_empty() { words.title.to_owned() } else { text.to_owned() };
        let mut chrome = self.chrome("search", Some(&title), &EditionId::All);
        chrome.noindex = true;
        text.clone_into(&mut chrome.sought);
        let (mut mistake, mut found) = (None, None);
        match outcome {
            Outcome::Nothing => {}
            Outcome::Mistake(error) => {
                let at = error.column.saturating_sub(1);
                mistake = Some(Mistake {
                    column: (words.column)(error.column),
                    before: text.chars().take(at).collect(),
                    from: text.chars().skip(at).collect(),
                    message: error.message,
                    hint: error.hint,
                });
            }
            Outcome::Found(of) => {
                let query = of.query.to_string();
                chrome.feed_title.clone_from(&query);
                chrome.feed_address = format!("{}/feeds/search.rss?q={}", self.base(), link::segment(&query));
                found = Some(self.found(&of, &query));
            }
        }
        Ok(Search { chrome, mistake, found }.render()?)
    }

    fn found(&self, of: &Found, query: &str) -> Shown {
        let words = &self.words.search;
        let path = format!("/search?q={}", link::segment(query));
        let mut river = self.marked(&of.page.hits, STORIES, "", &of.query.sought());
        river.older = of.page.next.map(|order| format!("{}{path}&before={}", self.root, cursor(order)));
        let count = match (of.tally.exact, of.tally.cut) {
            (true, _) => (self.words.stories)(of.tally.stories),
            (false, true) => (words.at_least)(of.tally.stories),
            (false, false) => (words.about)(of.tally.stories),
        };
        let mut notes = Vec::new();
        if !of.indexed {
            notes.push(words.unindexed);
        }
        if of.page.cut {
            notes.push(words.cut);
        }
        Shown {
            count,
            notes,
            spark: (of.tally.stories > 0 && of.indexed).then(|| self.spark(of)),
            river,
            newer: of.older.then(|| format!("{}{path}", self.root)),
            block: match of.query.relative() {
                Some(_) => Err(words.relative),
                None => Ok(block(query)),
            },
        }
    }

    fn spark(&self, of: &Found) -> Spark {
        let counts = &of.tally.spans;
        let most = counts.iter().copied().max().unwrap_or_default();
        let bar = |(index, count): (usize, &u64)| {
            // What is there is seen: a bar has at least one unit.
            let height = (count * HEIGHT).div_ceil(most.max(1));
            Bar { x: index * WIDTH, y: HEIGHT - height, height }
        };
        let days = counts.iter().zip(&of.edges).map(|(count, begin)| {
            let (datetime, label) = self.dial.day(*begin);
            Day { datetime, label, count: *count }
        });
        let last = counts.last().copied().unwrap_or_default();
        Spark {
            sentence: (self.words.search.days)(counts.len(), counts.iter().sum(), most, last),
            width: counts.len() * WIDTH,
            bars: counts.iter().enumerate().filter(|(_, count)| **count > 0).map(bar).collect(),
            days: days.filter(|day| day.count > 0).collect::<Vec<_>>().into_iter().rev().collect(),
        }
    }
}

/// The block of feeds.toml that makes of a search a feed of its own.
fn block(query: &str) -> String {
    let id = format!("search-{:08x}", hash64(&[query.as_bytes()]) as u32);
    format!("[[feed]]\nid    = \"{id}\"\ntitle = {}\nwhen  = {}\n", quoted(query), quoted(query))
}

/// A string of TOML: literal where it can be, since queries are full of quotes.
fn quoted(text: &str) -> String {
    if text.contains('\'') || text.chars().any(char::is_control) {
        // What JSON escapes TOML reads.
        return serde_json::Value::String(text.to_owned()).to_string();
    }
    format!("'{text}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_says_the_query() {
        for query in ["city:许昌 \"双减\"", "it's \"so\" \\ good"] {
            let table: toml::Table = block(query).parse().unwrap();
            let feed = &table["feed"].as_array().unwrap()[0];
            assert_eq!(feed["when"].as_str(), Some(query));
            assert!(crate::model::id::SourceId::new(feed["id"].as_str().unwrap()).is_some());
        }
    }
}
