//! A story as one JSON object: in an export, and with its evidence in the API.

use serde_json::{Value, json};

use super::json::method;
use crate::model::place::{Code, Placed};
use crate::model::source::Rank;
use crate::model::story::{Copy, Story};
use crate::model::tag::Tag;
use crate::model::time::Time;

/// Gives a place's slug.
pub type Slug<'s> = &'s dyn Fn(Code) -> Option<String>;

/// RFC 3339 in the zone of this offset, in minutes east of UTC.
#[must_use]
pub fn rfc3339(at: Time, offset: i16) -> String {
    at.at_offset(offset).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Headline: as printed; as shown while it is held back.
#[must_use]
pub fn title(story: &Story) -> &str {
    match (&story.emission, story.shown()) {
        (Some(emission), _) => &emission.title,
        (None, Some(copy)) => &copy.title,
        (None, None) => "",
    }
}

/// Link to the publisher's page, likewise.
#[must_use]
pub fn url(story: &Story) -> &str {
    match (&story.emission, story.shown()) {
        (Some(emission), _) => &emission.link,
        (None, Some(copy)) => &copy.link,
        (None, None) => "",
    }
}

/// Minutes east of UTC in which its times are written.
#[must_use]
pub fn offset(story: &Story) -> i16 {
    match (&story.emission, story.shown()) {
        (Some(emission), _) => emission.offset,
        (None, Some(copy)) => copy.published.as_ref().map_or(0, |claim| claim.offset),
        (None, None) => 0,
    }
}

/// When the first of its copies was seen.
#[must_use]
pub fn first_seen(story: &Story) -> Time {
    story.copies.iter().map(|copy| copy.seen).min().unwrap_or(story.opened)
}

/// Where and about what, as judged today: what feeds print of it stands.
#[must_use]
pub fn about(story: &Story) -> (&[Placed], &[Placed], &[Tag]) {
    (&story.places.cities, &story.places.provinces, &story.tags)
}

fn place(placed: &Placed, slug: Slug<'_>) -> Value {
    json!({
        "code": placed.code.to_string(),
        "name": placed.name,
        "slug": slug(placed.code),
        "score": f64::from(placed.score) / 1000.0,
    })
}

fn copy(story: &Story, index: usize, copy: &Copy, offset: i16) -> Value {
    json!({
        "source": copy.source.as_str(),
        "guid": copy.key.sent(&copy.link),
        "url": copy.link,
        "title": copy.title,
        "published": copy.published.as_ref().map(|claim| rfc3339(claim.at, claim.offset)),
        "first_seen": rfc3339(copy.seen, offset),
        "shown": index == story.shown as usize,
    })
}

fn object(
    story: &Story,
    place: &dyn Fn(&Placed) -> Value,
    copy: &dyn Fn(usize, &Copy) -> Value,
) -> serde_json::Map<String, Value> {
    let offset = offset(story);
    let (cities, provinces, tags) = about(story);
    let object = json!({
        "id": story.guid.to_string(),
        "guid": story.guid.urn(),
        "title": title(story),
        "url": url(story),
        "published": rfc3339(story.published(), offset),
        "first_seen": rfc3339(first_seen(story), offset),
        "cities": cities.iter().map(place).collect::<Vec<_>>(),
        "provinces": provinces.iter().map(place).collect::<Vec<_>>(),
        "tags": tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>(),
        "copies": story.copies.iter().enumerate().map(|(index, one)| copy(index, one)).collect::<Vec<_>>(),
    });
    match object {
        Value::Object(map) => map,
        _ => serde_json::Map::new(),
    }
}

/// As it is exported.
#[must_use]
pub fn exported(story: &Story, slug: Slug<'_>) -> Value {
    let offset = offset(story);
    Value::Object(object(story, &|placed| place(placed, slug), &|index, one| copy(story, index, one, offset)))
}

/// As the API tells it: exported, with what is printed of it, and why it is one and here. `page` is the address of its page.
#[must_use]
pub fn told(story: &Story, slug: Slug<'_>, page: &str) -> Value {
    let offset = offset(story);
    let placed = |placed: &Placed| {
        let mut value = place(placed, slug);
        value["method"] = method(placed).into();
        value["evidence"] = placed.evidence.iter().map(ToString::to_string).collect();
        value
    };
    let copied = |index: usize, one: &Copy| {
        let mut value = copy(story, index, one, offset);
        value["rank"] = rank(one.rank).into();
        value["joined"] = one
            .joined
            .as_ref()
            .map_or(Value::Null, |why| json!({ "why": why.to_string(), "score": f64::from(one.score) / 1000.0 }));
        value
    };
    let mut object = object(story, &placed, &copied);
    let emission = story.emission.as_ref();
    let summary = emission.map(|printed| printed.summary.as_str()).filter(|summary| !summary.is_empty());
    let more = [
        ("summary", json!(summary)),
        ("image", json!(emission.and_then(|printed| printed.image.as_deref()))),
        ("language", json!(emission.and_then(|printed| printed.language.as_deref()))),
        ("creator", json!(emission.map(|printed| printed.creator.as_str()))),
        (
            "source",
            json!(emission.map(|printed| json!({ "id": printed.source.as_str(), "name": printed.source_name }))),
        ),
        ("updated", json!(emission.and_then(|printed| printed.updated).map(|at| rfc3339(at, offset)))),
        ("held", json!(emission.is_none())),
        ("retired", json!(story.retired_into.is_some())),
        ("page", json!(page)),
    ];
    object.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Value::Object(object)
}

/// The word for a rank.
const fn rank(rank: Rank) -> &'static str {
    match rank {
        Rank::Origin => "origin",
        Rank::Media => "media",
        Rank::Reprint => "reprint",
    }
}
