//! Lists that a page keeps as data in its scripts (`window.__NUXT__ = {…}`, `__NEXT_DATA__`), to be drawn by JavaScript.
//!
//! The list is the largest array of objects that have a headline and an address. What their fields are called is not said
//! anywhere; the names are the ones seen most.

use super::{dates, literal};
use crate::model::item::{Credit, Raw, Stamp};
use crate::model::markup;
use crate::model::time::Time;
use chrono_tz::Tz;
use serde_json::{Map, Value};

/// Most scripts of a page that are looked at.
const SCRIPTS: usize = 60;

/// Deepest nesting of the data that is searched.
const DEPTH: usize = 24;

/// Most values that are looked at.
const VALUES: usize = 200_000;

/// Shortest headline, in characters.
const HEADLINE: usize = 4;

const TITLES: [&str; 6] = ["title", "headline", "articleTitle", "newsTitle", "subject", "name"];
const LINKS: [&str; 12] = [
    "url",
    "link",
    "href",
    "permalink",
    "path",
    "articleUrl",
    "article_url",
    "shareUrl",
    "share_url",
    "linkurl",
    "newsUrl",
    "uri",
];
const DATES: [&str; 14] = [
    "publishedAt",
    "published_at",
    "publishTime",
    "publish_time",
    "pubDate",
    "pubTime",
    "pubtime",
    "datePublished",
    "published",
    "date",
    "time",
    "createdAt",
    "created_at",
    "showdate",
];
const SUMMARIES: [&str; 7] = ["excerpt", "description", "summary", "abstract", "digest", "desc", "intro"];
const SOURCES: [&str; 5] = ["source", "sourceName", "source_name", "mediaName", "media_name"];
const IMAGES: [&str; 7] = ["image", "thumbnailUrl", "thumbnail", "cover", "imageUrl", "image_url", "img"];

/// The items of the largest list in the scripts of a page; links as sent.
pub(super) fn lists(html: &str, zone: Tz, at: Time) -> Vec<Raw> {
    let mut best: Vec<Raw> = Vec::new();
    let mut rest = html;
    for _ in 0..SCRIPTS {
        let Some(start) = rest.find("<script") else { break };
        let Some((tag, behind)) = rest[start..].split_once('>') else { break };
        let end = behind.find("</script").unwrap_or(behind.len());
        let script = behind[..end].trim();
        rest = &behind[end..];
        if tag.contains("ld+json") {
            continue;
        }
        // Data, not code: JSON, or one value that is assigned.
        let assigned = script
            .strip_prefix("window")
            .or_else(|| script.strip_prefix("self"))
            .or_else(|| script.strip_prefix("var "));
        let assigned = assigned.and_then(|text| text.split_once('=')).map(|(_, value)| value.trim());
        let data = if tag.contains("json") { Some(script) } else { assigned };
        let Some(data) = data.filter(|data| data.starts_with(['{', '['])) else { continue };
        if let Ok((value, _)) = literal::read(data) {
            let mut looked = 0;
            search(&value, 0, &mut looked, &mut best, zone, at);
        }
    }
    best
}

fn search(value: &Value, depth: usize, looked: &mut usize, best: &mut Vec<Raw>, zone: Tz, at: Time) {
    *looked += 1;
    if depth > DEPTH || *looked > VALUES {
        return;
    }
    match value {
        Value::Array(list) => {
            let found: Vec<Raw> = list.iter().filter_map(|entry| item(entry.as_object()?, zone, at)).collect();
            if found.len() > best.len() && 2 * found.len() >= list.len() {
                *best = found;
            }
            for value in list {
                search(value, depth + 1, looked, best, zone, at);
            }
        }
        Value::Object(map) => {
            for value in map.values() {
                search(value, depth + 1, looked, best, zone, at);
            }
        }
        _ => {}
    }
}

fn item(entry: &Map<String, Value>, zone: Tz, at: Time) -> Option<Raw> {
    let text = |names: &[&str]| {
        names.iter().find_map(|name| {
            let text = match entry.get(*name)? {
                Value::String(text) => text.trim().to_owned(),
                Value::Number(number) => number.to_string(),
                Value::Object(inner) => inner.get("name").or_else(|| inner.get("url"))?.as_str()?.trim().to_owned(),
                _ => return None,
            };
            (!text.is_empty()).then_some(text)
        })
    };
    let title = text(&TITLES).filter(|title| title.chars().count() >= HEADLINE)?;
    // An address, not an id: it has a path.
    let link = text(&LINKS).filter(|link| link.contains('/') && !link.contains(char::is_whitespace))?;
    let published = text(&DATES).map(|raw| Stamp { claim: dates::read(&raw, zone, at), raw });
    let names = |value: &Value| value.as_str().or_else(|| value.get("name")?.as_str()).map(str::to_owned);
    let tags = ["categories", "tags", "keywords"].iter().filter_map(|name| entry.get(*name)?.as_array());
    Some(Raw {
        link: Some(link),
        title: Some(markup::escape(&title)),
        summary: text(&SUMMARIES),
        published: published.filter(|stamp| stamp.claim.is_some()),
        image: text(&IMAGES).filter(|image| image.contains('/')),
        credits: text(&SOURCES).map(|name| Credit { name, place: "list".to_owned() }).into_iter().collect(),
        tags: tags.flatten().filter_map(names).collect(),
        ..Raw::default()
    })
}
