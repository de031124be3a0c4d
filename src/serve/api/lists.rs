//! Cities, tags and sources: what there is to ask for, in an order that stays.

use std::sync::Arc;

use serde_json::{Value, json};

use super::problem::Problem;
use super::{Parameters, json};
use crate::model::book::State;
use crate::model::edition::EditionId;
use crate::serve::pages::Desk;
use crate::serve::reply::{Reply, Unmade};
use crate::serve::{Asked, Front, link};

/// Which list.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Covered cities and those with stories, by code.
    Cities,
    /// Tags that a `[[tag]]` names or a story carries, by id.
    Tags,
    /// Sources, retired ones included, by id.
    Sources,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Cities => "cities",
            Self::Tags => "tags",
            Self::Sources => "sources",
        }
    }
}

/// `/api/v1/cities`, `/api/v1/tags`, `/api/v1/sources`.
pub async fn list(front: &Arc<Front>, asked: Asked<'_>, kind: Kind) -> Result<Reply, Problem> {
    let parameters = Parameters::read(asked.query, &["limit", "cursor"])?;
    let limit = parameters.limit()?;
    let after = parameters.get("cursor").map(str::to_owned);
    front.allow(asked.caller)?;
    let (entries, more, base) = front
        .made(move |desk| {
            let mut all = match kind {
                Kind::Cities => cities(desk),
                Kind::Tags => tags(desk),
                Kind::Sources => sources(desk, after.as_deref(), limit + 1)?,
            };
            all.retain(|(key, _)| after.as_ref().is_none_or(|after| key > after));
            all.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            let more = all.len() > limit;
            all.truncate(limit);
            Ok((all, more, desk.base().to_owned()))
        })
        .await?;
    let cursor = entries.last().map(|(key, _)| key.clone()).filter(|_| more);
    let path = format!("/api/v1/{}", kind.name());
    let next = cursor.as_deref().map(|cursor| parameters.next(&base, &path, cursor));
    let values: Vec<Value> = entries.into_iter().map(|(_, value)| value).collect();
    let mut body = json!({ "cursor": cursor, "next": next });
    body[kind.name()] = values.into();
    Ok(json(asked.headers, &body, next.as_deref()))
}

/// The addresses of an edition's feed and page.
fn addresses(desk: &Desk<'_>, edition: &EditionId) -> (String, String) {
    let base = desk.base();
    let feed = format!("{base}{}", link::feed(edition, "rss", desk.gazetteer));
    (feed, format!("{base}{}", link::page(edition, desk.gazetteer)))
}

fn cities(desk: &Desk<'_>) -> Vec<(String, Value)> {
    let city = |place: &crate::serve::directory::Place| {
        let unit = desk.gazetteer.unit(place.code);
        let province = unit.and_then(|unit| desk.gazetteer.unit(unit.province));
        let (feed, page) = addresses(desk, &EditionId::City(place.code));
        let value = json!({
            "code": place.code.to_string(),
            "name": unit.map_or_else(|| place.name.clone(), |unit| unit.name.clone()),
            "short": place.name,
            "slug": unit.map(|unit| unit.slug.as_str()),
            "province": province.map(|province| json!({
                "code": province.code.to_string(),
                "name": province.name,
                "slug": province.slug,
            })),
            "stories": place.stories,
            "feed": feed,
            "page": page,
        });
        (place.code.to_string(), value)
    };
    desk.directory.cities.iter().map(city).collect()
}

fn tags(desk: &Desk<'_>) -> Vec<(String, Value)> {
    let tag = |tag: &crate::serve::directory::Subject| {
        let (feed, page) = addresses(desk, &EditionId::Tag(tag.id.clone()));
        let value = json!({
            "id": tag.id,
            "name": tag.name,
            "stories": tag.stories,
            "configured": tag.configured,
            "feed": feed,
            "page": page,
        });
        (tag.id.clone(), value)
    };
    desk.directory.tags.iter().map(tag).collect()
}

/// So many sources behind one: there may be a hundred thousand.
fn sources(desk: &Desk<'_>, after: Option<&str>, most: usize) -> Result<Vec<(String, Value)>, Unmade> {
    let source = |source: &crate::serve::directory::Source| {
        let home = desk.view.source(&source.id)?.and_then(|head| head.home);
        let (feed, page) = addresses(desk, &EditionId::Source(source.id.clone()));
        let value = json!({
            "id": source.id.as_str(),
            "name": source.name,
            "state": source.state.map_or("retired", State::word),
            "items": source.items,
            "home": home.as_deref().and_then(link::outside),
            "feed": feed,
            "page": page,
        });
        Ok((source.id.to_string(), value))
    };
    let behind = desk.directory.sources_by_id().filter(|source| after.is_none_or(|after| source.id.as_str() > after));
    behind.take(most).map(source).collect()
}
