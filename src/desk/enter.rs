//! Which editions a story belongs to, and when it enters them.

use std::cell::OnceCell;

use super::{Asked, Rules};
use crate::model::edit::Edit;
use crate::model::edition::EditionId;
use crate::model::story::Story;
use crate::model::time::{Time, Trust};
pub use crate::query::sources;
use crate::query::{Folded, Query, Searched, Subject};

/// Recorded editions that a story belongs to: everything, its cities, provinces and tags as printed, the sources of its
/// copies (but for those held back: they fill the store), and saved feeds. City with tag is computed when asked.
fn of<'t>(rules: &Rules, story: &Story, text: impl Fn() -> &'t Searched<'t>) -> Vec<EditionId> {
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
/// judged to be about. The text is made ready only where an answer hangs on it.
fn saved<'t>(rules: &Rules, story: &Story, text: impl Fn() -> &'t Searched<'t>) -> Vec<String> {
    if story.emission.is_none() || rules.feeds().is_empty() {
        return Vec::new();
    }
    let sources = sources(story);
    let subject = Subject::of(story, "", &sources, None);
    let textless = Folded::new(subject);
    let whole = OnceCell::new();
    let matches = |query: &Query| {
        let whole = || whole.get_or_init(|| Folded::over(subject, text(), Some(rules.needles())));
        query.holds_without_text(&textless, None).unwrap_or_else(|| query.holds(whole(), None))
    };
    rules.feeds().iter().filter(|(_, query)| matches(query)).map(|(id, _)| id.clone()).collect()
}

/// Editions that the story stood in and still belongs to, `text` being what it says.
#[must_use]
pub fn stood(rules: &Rules, story: &Story, text: &Searched<'_>) -> Vec<EditionId> {
    let mut editions = of(rules, story, || text);
    editions.retain(|edition| story.entries.iter().any(|entered| entered.edition == *edition));
    editions
}

/// Editions that the story belongs to and never stood in, less the `barred` ones. The time of entry is the record's; in a store's first hours
/// min(arrival, trusted publication).
#[must_use]
pub fn further(rules: &Rules, case: &Asked<'_>, story: &Story, barred: &[EditionId]) -> Option<Edit> {
    let mut editions = of(rules, story, || case.text());
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
    let text = Searched::default();
    let now = of(rules, story, || &text);
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
