//! Stories: those that a query finds, newest first, and one by its id.

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;

use super::problem::Problem;
use super::{Parameters, json};
use crate::model::edition::Order;
use crate::model::id::Guid;
use crate::model::place::Code;
use crate::model::story::Story;
use crate::model::time::Time;
use crate::place::Gazetteer;
use crate::press::cursor;
use crate::query::Query;
use crate::render::story::told;
use crate::search::{Ask, Search};
use crate::serve::reply::Reply;
use crate::serve::searching::compile;
use crate::serve::{Asked, Front, link};

/// What finds everything.
const EVERYTHING: &str = "copies>=0";

/// `/api/v1/stories`.
pub async fn list(front: &Arc<Front>, search: &Arc<Search>, asked: Asked<'_>) -> Result<Reply, Problem> {
    let parameters = Parameters::read(asked.query, &["q", "limit", "cursor"])?;
    let limit = parameters.limit()?;
    let before = match parameters.get("cursor") {
        None => None,
        Some(text) => Some(place(text).ok_or_else(|| {
            Problem::new(
                "parameter",
                StatusCode::BAD_REQUEST,
                "`cursor` is one that an answer's `cursor` or `next` gave",
            )
        })?),
    };
    let query = match parameters.get("q") {
        None => Query::parse(EVERYTHING)?,
        Some(text) => match compile(text, &front.gazetteer.load())? {
            (_, Some(unknown)) => return Err(unknown.into()),
            (query, None) => query,
        },
    };
    front.allow(asked.caller)?;
    let found = front
        .searched(search, move |front, search| {
            let settings = front.settings.load_full();
            let now = Time((front.clock)().0.div_euclid(Time::MINUTE) * Time::MINUTE);
            let ask = Ask { query: &query, before, limit, now, language: &settings.site.language };
            let page = search.page(&ask)?;
            let (base, gazetteer) = (base(front), front.gazetteer.load_full());
            let stories: Vec<_> = page.hits.iter().map(|(_, story)| one_of(story, &base, &gazetteer)).collect();
            Ok((stories, page.next, page.cut, base))
        })
        .await?;
    let (stories, next, cut, base) = found;
    let next = next.map(cursor);
    let address = next.as_deref().map(|next| parameters.next(&base, "/api/v1/stories", next));
    let body = json!({
        "stories": stories,
        "cursor": next,
        "next": address,
        // Whether all that the page could hold was looked for: not where a bound was reached before it was full.
        "complete": !cut,
    });
    Ok(json(asked.headers, &body, address.as_deref()))
}

/// `/api/v1/stories/{id}`.
pub async fn one(front: &Arc<Front>, asked: Asked<'_>, id: &str) -> Result<Reply, Problem> {
    Parameters::read(asked.query, &[])?;
    let nothing = || Problem::new("not-found", StatusCode::NOT_FOUND, "there is no story of this id");
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
    let guid = Guid::parse(id.strip_prefix("urn:uuid:").unwrap_or(&id)).ok_or_else(nothing)?;
    let of = Arc::clone(front);
    let story = front.made(move |desk| Ok(desk.view.by_guid(guid)?)).await?.ok_or_else(nothing)?;
    if story.spiked {
        return Err(Problem::new("gone", StatusCode::GONE, "an editor took this story out"));
    }
    let value = one_of(&story, &base(&of), &of.gazetteer.load());
    Ok(json(asked.headers, &value, None))
}

fn one_of(story: &Story, base: &str, gazetteer: &Gazetteer) -> serde_json::Value {
    let slug = |code: Code| gazetteer.unit(code).map(|unit| unit.slug.clone());
    told(story, &slug, &format!("{base}{}", link::story(story.guid)))
}

fn base(front: &Front) -> String {
    front.settings.load().site.public_url.trim_end_matches('/').to_owned()
}

/// The place that a cursor names.
fn place(text: &str) -> Option<Order> {
    let (at, story) = text.rsplit_once('-')?;
    let order = Order { at: Time(at.parse().ok()?), story: story.parse().ok()? };
    // One way to write each.
    (cursor(order) == text).then_some(order)
}
