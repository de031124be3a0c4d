//! Which editions a story belongs to, and when it enters them.

use super::{Case, Rules};
use crate::model::edit::Edit;
use crate::model::edition::EditionId;
use crate::model::id::SourceId;
use crate::model::story::Story;
use crate::model::time::{Time, Trust};
use crate::query::Folded;
pub use crate::query::sources;

/// Recorded editions that a story belongs to: everything, its cities, provinces and tags as printed, the sources of its
/// copies (but for those held back: they fill the store), and saved feeds. City with tag is computed when asked.
fn of(rules: &Rules, story: &Story, text: &str) -> Vec<EditionId> {
    let Some(emission) = &story.emission else { return Vec::new() };
    let mut editions = vec![EditionId::All];
    editions.extend(emission.cities.iter().map(|placed| EditionId::City(placed.code)));
    editions.extend(emission.provinces.iter().map(|placed| EditionId::Province(placed.code)));
    editions.extend(emission.tags.iter().map(|tag| EditionId::Tag(tag.id.clone())));
    let news = story.copies.iter().filter(|copy| !copy.held);
    editions.extend(news.map(|copy| EditionId::Source(copy.source.clone())));
    editions.extend(saved(rules, story, text).into_iter().map(EditionId::Saved));
    editions.sort_unstable();
    editions.dedup();
    editions
}

/// Ids of the saved feeds whose query an emitted story matches, asked about what is printed, its `text`, and what it is
/// judged to be about.
#[must_use]
pub fn saved(rules: &Rules, story: &Story, text: &str) -> Vec<String> {
    if story.emission.is_none() || rules.feeds().is_empty() {
        return Vec::new();
    }
    let sources = sources(story);
    let subject = subject(story, text, &sources);
    let matching = rules.feeds().iter().filter(|(_, query)| query.holds(&subject, None));
    matching.map(|(id, _)| id.clone()).collect()
}

/// What a query is asked about a story, by one of its texts.
#[must_use]
pub fn subject<'a>(story: &'a Story, text: &'a str, sources: &'a [SourceId]) -> Folded<'a> {
    Folded::of(story, text, sources, None)
}

fn text(case: &Case<'_>) -> String {
    format!("{}\n{}\n{}", case.item.title, case.item.summary, case.item.text)
}

/// Editions that the story stood in and still belongs to, `text` being what it says.
#[must_use]
pub fn stood(rules: &Rules, story: &Story, text: &str) -> Vec<EditionId> {
    let mut editions = of(rules, story, text);
    editions.retain(|edition| story.entries.iter().any(|entered| entered.edition == *edition));
    editions
}

/// Editions that the story belongs to and never stood in, less the `barred` ones. The time of entry is the record's; in a store's first hours
/// min(arrival, trusted publication).
#[must_use]
pub fn further(rules: &Rules, case: &Case<'_>, story: &Story, barred: &[EditionId]) -> Option<Edit> {
    let mut editions = of(rules, story, &text(case));
    let stood = |edition: &EditionId| story.entries.iter().any(|entered| entered.edition == *edition);
    editions.retain(|edition| !stood(edition) && !barred.contains(edition));
    if editions.is_empty() {
        return None;
    }
    let at = if case.opening { case.at.min(trusted(story).unwrap_or(case.at)) } else { case.at };
    Some(Edit::Enter { story: story.no, at, editions })
}

/// Editions whose window the story leaves because a correction moved it elsewhere. It stays in their archives. What it
/// holds by its sources and by being news at all it never leaves.
#[must_use]
pub fn leaving(rules: &Rules, story: &Story) -> Option<Edit> {
    let now = of(rules, story, "");
    let bound =
        |edition: &EditionId| matches!(edition, EditionId::City(_) | EditionId::Province(_) | EditionId::Tag(_));
    let standing = story.entries.iter().filter(|entered| !entered.left && bound(&entered.edition));
    let editions: Vec<_> = standing.map(|entered| entered.edition.clone()).filter(|e| !now.contains(e)).collect();
    (!editions.is_empty()).then_some(Edit::Leave { story: story.no, editions })
}

/// Feeds of sources whose copies the story holds no more: it leaves their windows.
#[must_use]
pub fn without(story: &Story) -> Option<Edit> {
    let gone = story.entries.iter().filter(|entered| !entered.left).map(|entered| &entered.edition).filter(
        |edition| matches!(edition, EditionId::Source(id) if story.copies.iter().all(|copy| copy.source != *id)),
    );
    let editions: Vec<_> = gone.cloned().collect();
    (!editions.is_empty()).then_some(Edit::Leave { story: story.no, editions })
}

/// The story's trusted publication. A day without a time counts as its end, or everything of today would stand below.
fn trusted(story: &Story) -> Option<Time> {
    let claims = story.copies.iter().filter_map(|copy| copy.published.as_ref());
    let shown = story.shown().and_then(|copy| copy.published.as_ref());
    match shown.or_else(|| claims.min_by_key(|claim| claim.at)) {
        Some(claim) if claim.trust == Trust::Full => Some(claim.at),
        Some(claim) if claim.trust == Trust::Low => Some(claim.at.plus(Time::DAY - 1)),
        _ => None,
    }
}
