//! Which tags? `[[tag]]` rules in the order of the file, then the source's own tags from feeds.toml, then the publisher's
//! categories and keywords in its order; variants that fold together are one.
//!
//! Of the publisher's three kinds are none: what its software writes where nobody chose anything, the name of the source
//! itself, and what it puts on everything ([`crate::model::noise`]).

use super::{Asked, Rules};
use crate::model::id::SourceId;
use crate::model::item::Item;
use crate::model::story::Story;
use crate::model::tag::Tag;
use crate::query::{Folded, Searched, Subject};

/// So many tags a story carries at most.
pub const MOST: usize = 12;

/// What publishing software writes where nobody chose a category, folded: WordPress in English, Chinese, German, French,
/// Spanish and Portuguese; Typecho and others in Chinese.
const UNCHOSEN: &[&str] =
    &["uncategorized", "uncategorised", "未分类", "默认分类", "allgemein", "nonclassé", "sincategoría", "semcategoria"];

/// Tags of a story by the item at hand, in a stable order.
#[must_use]
pub fn of(rules: &Rules, case: &Asked<'_>, story: &Story) -> Vec<Tag> {
    let (item, noise) = (case.item, case.noise);
    let mut tags: Vec<Tag> = Vec::new();
    let mut add = |tag: Tag| {
        if tags.len() < MOST && !tags.iter().any(|known| known.id == tag.id) {
            tags.push(tag);
        }
    };
    let own = own(item);
    if !rules.tags().is_empty() {
        let sources: Vec<_> = story.copies.iter().map(|copy| copy.source.clone()).collect();
        let subject = subject(story, Some(item), "", &own, &sources, rules);
        let subject = Folded::over(subject, case.text(), Some(rules.needles()));
        for (tag, query) in rules.tags() {
            if query.holds(&subject, None) {
                add(tag.clone());
            }
        }
    }
    let source = rules.source(&item.source);
    let from_source = source.map(|source| source.tags.as_slice()).unwrap_or_default();
    let name = source.and_then(|source| Tag::new(&source.name));
    let says = |tag: &Tag| !noise.contains(&tag.id) && name.as_ref().is_none_or(|name| name.id != tag.id);
    from_source.iter().filter_map(|name| Tag::new(name)).chain(own.into_iter().filter(says)).for_each(add);
    tags
}

/// The publisher's own tags, what nobody chose left out.
#[must_use]
pub fn own(item: &Item) -> Vec<Tag> {
    let chosen = |tag: &Tag| !UNCHOSEN.contains(&tag.id.as_str());
    item.tags.iter().filter_map(|name| Tag::new(name)).filter(chosen).collect()
}

/// What a query looks for words in. A summary that is but the beginning of the text is in it already.
#[must_use]
pub fn text(item: &Item) -> String {
    let summary = if item.text.starts_with(&item.summary) { "" } else { &item.summary };
    [item.title.as_str(), summary, &item.text].join("\n")
}

/// The same, with the words found in it that the queries of these rules look for.
#[must_use]
pub fn searched<'r>(rules: &'r Rules, item: &Item) -> Searched<'r> {
    Searched::new(&text(item), Some(rules.needles()))
}

/// What a `[[tag]]` rule is asked about: the item shown, or what is known of the story where its text is gone.
#[must_use]
pub fn subject<'a>(
    story: &'a Story,
    item: Option<&'a Item>,
    text: &'a str,
    own: &'a [Tag],
    sources: &'a [SourceId],
    rules: &Rules,
) -> Subject<'a> {
    let shown = story.shown();
    let title = item.map(|item| item.title.as_str()).or(shown.map(|copy| copy.title.as_str())).unwrap_or_default();
    let source = item.map(|item| &item.source).or(shown.map(|copy| &copy.source));
    Subject {
        title,
        text,
        cities: &story.places.cities,
        provinces: &story.places.provinces,
        tags: own,
        sources,
        rank: source.and_then(|source| rules.source(source)).map(|source| source.rank).unwrap_or_default(),
        language: item.and_then(|item| item.language.as_deref()),
        published: story.published(),
        copies: story.copies.len() as u32,
    }
}
