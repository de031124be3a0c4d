//! JSON Feed 1.1 (<https://www.jsonfeed.org/version/1.1/>), with what only programs read under `_citydesk`.

use serde_json::{Map, Value, json};

use super::{Channel, Entry, Format, Told, date, enclosure, foreign, whole_text, xml};
use crate::model::evidence::Sign;
use crate::model::place::{Placed, Point};

/// JSON Feed 1.1.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "JSON Feed 1.1"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn media_type(&self) -> &'static str {
        "application/feed+json; charset=utf-8"
    }

    fn grows(&self) -> bool {
        true
    }

    fn render(&self, channel: &Channel) -> Vec<u8> {
        let document = json!({
            "version": "https://jsonfeed.org/version/1.1",
            "title": line(&channel.title),
            "home_page_url": line(&channel.home),
            "feed_url": line(&channel.address),
            "description": line(&channel.description),
            "next_url": channel.next.as_deref().or(channel.prev_archive.as_deref()).map(line),
            "icon": channel.image.as_deref().map(line),
            "language": line(&channel.language),
            "hubs": channel.hub.as_deref().map(|hub| json!([{ "type": "WebSub", "url": line(hub) }])),
            "items": channel.entries.iter().map(|entry| item(channel, entry)).collect::<Vec<_>>(),
        });
        let mut bytes = without_nulls(document).to_string().into_bytes();
        bytes.push(b'\n');
        bytes
    }
}

fn item(channel: &Channel, entry: &Entry) -> Value {
    let emission = &entry.emission;
    let html = whole_text(channel, entry);
    let summary = Some(xml::clean(emission.summary.trim()).into_owned()).filter(|summary| !summary.is_empty());
    // One of the two contents must be there: without whole text it is the summary, else the headline.
    let text = html.is_none().then(|| summary.clone().unwrap_or_else(|| line(&emission.title)));
    let attachments = enclosure(emission).map(
        |enclosure| json!([{ "url": enclosure.url, "mime_type": enclosure.kind, "size_in_bytes": enclosure.length }]),
    );
    let creator = if emission.creator.trim().is_empty() { &emission.source_name } else { &emission.creator };
    let tags = emission.cities.iter().map(|placed| &placed.name).chain(emission.tags.iter().map(|tag| &tag.name));
    json!({
        "id": entry.guid.urn(),
        "url": xml::address(&emission.link),
        "title": line(&emission.title),
        "content_html": html,
        "content_text": text,
        "summary": summary,
        "image": emission.image.as_deref().and_then(xml::address),
        "date_published": date::rfc3339(emission.published, emission.offset),
        "date_modified": emission.updated.map(|at| date::rfc3339(at, emission.offset)),
        "authors": [{ "name": line(creator) }],
        "tags": tags.map(|name| line(name)).collect::<Vec<_>>(),
        "language": foreign(channel, entry).map(line),
        "attachments": attachments,
        "_citydesk": {
            "story": entry.guid.to_string(),
            "sources": sources(entry),
            "places": emission.cities.iter().chain(&emission.provinces).map(place).collect::<Vec<_>>(),
            "versions": { "edits": entry.versions.0, "corrections": entry.versions.1 },
            "joins": joins(entry),
            "cities": emission.cities.iter().map(place).collect::<Vec<_>>(),
            "provinces": emission.provinces.iter().map(place).collect::<Vec<_>>(),
            "point": emission.point.map(Point::georss),
            "repairs": (!emission.repairs.is_empty())
                .then(|| emission.mended().iter().map(|mended| line(&mended.to_string())).collect::<Vec<_>>()),
        },
    })
}

/// Who carries it: every copy, or the one shown where nothing may grow any more.
fn sources(entry: &Entry) -> Vec<Value> {
    let emission = &entry.emission;
    if entry.copies.is_empty() {
        return vec![json!({
            "id": emission.source.as_str(),
            "name": line(&emission.source_name),
            "feed": xml::address(&entry.source_feed),
            "shown": true,
        })];
    }
    let source = |told: &Told| {
        json!({
            "id": told.source,
            "name": line(&told.name),
            "feed": told.shown.then(|| xml::address(&entry.source_feed)),
            "title": line(&told.title),
            "url": xml::address(&told.link),
            "first_seen": date::rfc3339(told.seen, emission.offset),
            "published": told.published.map(|at| date::rfc3339(at, emission.offset)),
            "rank": told.rank,
            "shown": told.shown,
        })
    };
    entry.copies.iter().map(source).collect()
}

/// Why copies were joined.
fn joins(entry: &Entry) -> Vec<Value> {
    let joined = entry.copies.iter().filter_map(|told| Some((told, told.joined.as_ref()?)));
    joined
        .map(|(told, (why, score))| {
            json!({ "source": told.source, "why": line(why), "score": f64::from(*score) / 1000.0 })
        })
        .collect()
}

/// How a place was found, in a word for programs.
pub(super) fn method(placed: &Placed) -> &'static str {
    match placed.evidence.first() {
        Some(Sign::Named { .. }) => "named",
        Some(Sign::Ours { .. }) => "ours",
        Some(Sign::Prior { .. } | Sign::Unnamed { .. }) => "source",
        _ => "other",
    }
}

fn place(placed: &Placed) -> Value {
    json!({
        "code": placed.code.to_string(),
        "name": line(&placed.name),
        "score": f64::from(placed.score) / 1000.0,
        "method": method(placed),
        "evidence": placed.evidence.iter().map(|sign| line(&sign.to_string())).collect::<Vec<_>>(),
    })
}

fn line(text: &str) -> String {
    xml::line(text).trim().to_owned()
}

/// What is not known is left out: readers choke on null.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
