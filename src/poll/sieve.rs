//! `drop` and `only`: queries that decide whether an item is filed at all.

use crate::model::item::Item;
use crate::model::source::Source;
use crate::model::tag::Tag;
use crate::query::{Query, Subject};

/// The two queries of a source, parsed.
#[derive(Debug, Default)]
pub struct Sieve {
    drop: Option<Query>,
    only: Option<Query>,
}

impl Sieve {
    /// Of a source. A query that does not parse lets everything pass and is complained of: feeds.toml was checked, so it
    /// can only come from elsewhere, and nothing is lost over it.
    #[must_use]
    pub fn of(source: &Source, complaints: &mut Vec<String>) -> Self {
        let mut query = |key: &str, text: Option<&String>| match Query::parse(text?) {
            Ok(query) => Some(query),
            Err(error) => {
                complaints.push(format!("`{key}` is not in force: {}", error.message));
                None
            }
        };
        Self { drop: query("drop", source.how.drop.as_ref()), only: query("only", source.how.only.as_ref()) }
    }

    /// Whether the item is filed. Places are not known yet: `city:` and `province:` match nothing here.
    #[must_use]
    pub fn keeps(&self, item: &Item, source: &Source) -> bool {
        !self.drops(item, source) && self.only.as_ref().is_none_or(|only| holds(only, item, source))
    }

    /// Whether `drop` refuses the item, whatever `only` says.
    #[must_use]
    pub fn drops(&self, item: &Item, source: &Source) -> bool {
        self.drop.as_ref().is_some_and(|drop| holds(drop, item, source))
    }
}

fn holds(query: &Query, item: &Item, source: &Source) -> bool {
    let tags: Vec<Tag> = item.tags.iter().chain(&source.rules.tags).filter_map(|tag| Tag::new(tag)).collect();
    let text = format!("{}\n{}\n{}", item.title, item.summary, item.text);
    let sources = [item.source.clone()];
    let subject = Subject {
        title: &item.title,
        text: &text,
        cities: &[],
        provinces: &[],
        tags: &tags,
        sources: &sources,
        rank: source.rules.rank,
        language: item.language.as_deref(),
        published: item.published.as_ref().map_or(item.seen, |claim| claim.at),
        copies: 1,
    };
    query.matches(&subject, Some(item.seen))
}
