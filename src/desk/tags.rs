//! Which tags? `[[tag]]` rules, then the source's own tags from feeds.toml, then the publisher's categories and keywords;
//! variants that fold together are one.

use super::Rules;
use crate::model::item::Item;
use crate::model::story::Story;
use crate::model::tag::Tag;
use crate::query::{Folded, Subject};

/// So many tags a story carries at most.
pub const MOST: usize = 12;

/// Tags of a story by the item at hand, in a stable order.
#[must_use]
pub fn of(rules: &Rules, item: &Item, story: &Story) -> Vec<Tag> {
    let mut tags: Vec<Tag> = Vec::new();
    let mut add = |tag: Tag| {
        if tags.len() < MOST && !tags.iter().any(|known| known.id == tag.id) {
            tags.push(tag);
        }
    };
    let source = rules.source(&item.source);
    if !rules.tags().is_empty() {
        let text = format!("{}\n{}\n{}", item.title, item.summary, item.text);
        let sources: Vec<_> = story.copies.iter().map(|copy| copy.source.clone()).collect();
        let own: Vec<Tag> = item.tags.iter().filter_map(|name| Tag::new(name)).collect();
        let subject = Folded::new(Subject {
            title: &item.title,
            text: &text,
            cities: &story.places.cities,
            provinces: &story.places.provinces,
            tags: &own,
            sources: &sources,
            rank: source.map(|source| source.rank).unwrap_or_default(),
            language: item.language.as_deref(),
            published: story.published(),
            copies: story.copies.len() as u32,
        });
        for (tag, query) in rules.tags() {
            if query.holds(&subject, None) {
                add(tag.clone());
            }
        }
    }
    let from_source = source.map(|source| source.tags.as_slice()).unwrap_or_default();
    from_source.iter().chain(&item.tags).filter_map(|name| Tag::new(name)).for_each(add);
    tags
}
