//! What the feeds print of a story: composed once from the copy shown, then a fact.

use chrono::{Offset, TimeZone};

use super::headline::{Alike, alike};
use super::shown::Worded;
use super::{Case, Rules};
use crate::model::edit::Cause;
use crate::model::id::SourceId;
use crate::model::source::Republish;
use crate::model::story::{Emission, Part, Repair, Story};
use crate::model::time::{Time, Trust};

/// A date of low trust (a day without a time, an import stamp) stands if it is older than this before first seen; a
/// fresher one says nothing that first seen does not say better.
const FRESH: i64 = 24 * Time::HOUR;

/// So many pages of other copies are printed with a story at most.
const RELATED: usize = 8;

/// Composes the emission from the item at hand, which is the story's copy shown. The date is pinned at first emission;
/// `updated` moves only by an edit or a correction.
#[must_use]
pub fn compose(rules: &Rules, case: &Case<'_>, story: &Story, cause: Cause) -> Emission {
    let item = case.item;
    let source = rules.source(&item.source);
    // Of a source whose block is gone nobody knows the terms any more.
    let republish = source.map_or(Republish::Title, |source| source.republish);
    let name = source.map_or_else(|| item.source.to_string(), |source| source.name.clone());
    let producer = item.credits.last().map_or(name.as_str(), |credit| credit.name.as_str());
    let author = item.authors.first().map(String::as_str).filter(|author| *author != producer && *author != name);
    // The story may have been seen before it was news: held back, by another copy.
    let seen = story.copies.iter().map(|copy| copy.seen).fold(item.seen, Time::min);
    let published = match &item.published {
        Some(claim) if claim.trust == Trust::Full => claim.at.min(item.seen),
        Some(claim) if claim.trust == Trust::Low && item.seen.since(claim.at) > FRESH => claim.at,
        _ => seen,
    };
    let offset = match &item.published {
        Some(claim) if claim.at == published => claim.offset,
        _ => source.map_or(0, |source| offset(&source.zone, published)),
    };
    let before = story.emission.as_ref();
    Emission {
        title: item.title.clone(),
        link: item.link.clone(),
        summary: if republish >= Republish::Summary { item.summary.clone() } else { String::new() },
        creator: author.map_or_else(|| producer.to_owned(), |author| format!("{producer} · {author}")),
        source: item.source.clone(),
        source_name: name,
        source_feed: source.and_then(|source| source.feed.clone()),
        image: item.image.clone(),
        enclosure: item.enclosure.clone(),
        point: item.point.or_else(|| story.places.cities.first().and_then(|placed| placed.point)),
        published: before.map_or(published, |before| before.published),
        offset: before.map_or(offset, |before| before.offset),
        updated: match cause {
            Cause::Edited | Cause::Corrected => Some(case.at),
            Cause::First => before.and_then(|before| before.updated),
        },
        cities: story.places.cities.clone(),
        provinces: story.places.provinces.clone(),
        tags: story.tags.clone(),
        republish,
        text: case.wire,
        language: item.language.clone(),
        first: before.map_or(case.at, |before| before.first),
        repairs: Vec::new(),
        rights: item.rights.clone(),
        related: before.map_or_else(|| related(story, &item.link), |before| before.related.clone()),
    }
}

/// Pages of the copies that a story has beside the one with this link, each once.
fn related(story: &Story, link: &str) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    for copy in story.copies.iter().filter(|copy| !copy.link.is_empty() && copy.link != link) {
        if links.len() < RELATED && !links.contains(&copy.link) {
            links.push(copy.link.clone());
        }
    }
    links
}

/// What is printed with its text taken from the item at hand, because that of the copy shown is cut or damaged; its
/// headline, too, if that was cut. The item's source allows as much of it as is printed.
#[must_use]
pub fn repaired(case: &Case<'_>, story: &Story) -> Emission {
    let printed = story.emission.clone().unwrap_or_default();
    let item = case.item;
    let from = |part| Repair { part, from: item.source.clone() };
    let mut repairs = vec![from(Part::Text)];
    let original = story.shown().map_or(printed.title.as_str(), |copy| copy.title.as_str());
    let title = if alike(original, &item.title) == Some(Alike::Cut) {
        repairs.insert(0, from(Part::Headline));
        item.title.clone()
    } else {
        original.to_owned()
    };
    let summary = if printed.republish >= Republish::Summary { item.summary.clone() } else { String::new() };
    Emission { title, summary, text: case.wire, updated: Some(case.at), repairs, ..printed }
}

/// What is printed, with its headline or summary mended word by word.
#[must_use]
pub fn reworded(case: &Case<'_>, printed: &Emission, worded: Worded) -> Emission {
    let from = |part, by: &[SourceId]| by.iter().map(|from| Repair { part, from: from.clone() }).collect::<Vec<_>>();
    let mut emission = Emission { updated: Some(case.at), ..printed.clone() };
    for (part, mended) in [(Part::Headline, worded.title), (Part::Text, worded.summary)] {
        let Some((words, by)) = mended else { continue };
        emission.repairs.retain(|repair| repair.part != part || !by.contains(&repair.from));
        emission.repairs.extend(from(part, &by));
        match part {
            Part::Headline => emission.title = words,
            Part::Text => emission.summary = words,
        }
    }
    emission
}

/// Minutes east of UTC of a zone at a time; 0 if the zone is unknown.
fn offset(zone: &str, at: Time) -> i16 {
    let zone: chrono_tz::Tz = zone.parse().unwrap_or(chrono_tz::UTC);
    let seconds = zone.offset_from_utc_datetime(&at.utc().naive_utc()).fix().local_minus_utc();
    (seconds / 60) as i16
}
