//! JSON Feed 1.0 and 1.1, leniently: numeric ids, missing title or version, one author or many.

use super::ParseError;
use super::{caps, literal};
use crate::model::item::{Document, Enclosure, Raw, Stamp};
use crate::model::markup;
use serde_json::Value;

/// Reads it. Nesting is bounded by serde_json (128).
pub(super) fn read(text: &str) -> Result<Document, ParseError> {
    let (feed, complaint) = literal::read(text).map_err(|found| ParseError::NotFeed { found })?;
    // One that breaks off before its first item is finished is no feed without news.
    let nothing = feed.get("items").and_then(Value::as_array).is_some_and(Vec::is_empty);
    if let Some(why) = complaint.as_ref().filter(|_| nothing) {
        return Err(ParseError::NotFeed { found: format!("it looks like JSON, but {why}") });
    }
    let Some(items) = feed.get("items").and_then(Value::as_array) else {
        return Err(ParseError::NotFeed { found: "it is JSON without a list of `items`".to_owned() });
    };
    let mut document = Document {
        format: match string(&feed, "version").and_then(|v| v.rsplit('/').next().map(str::to_owned)) {
            Some(version) if !version.is_empty() => format!("JSON Feed {version}"),
            _ => "JSON Feed without version".to_owned(),
        },
        title: string(&feed, "title"),
        link: string(&feed, "home_page_url"),
        image: string(&feed, "icon").or_else(|| string(&feed, "favicon")),
        language: string(&feed, "language"),
        complaints: complaint.map(|why| why.replacen("it ", "the document ", 1)).into_iter().collect(),
        topic: string(&feed, "feed_url"),
        hub: feed.get("hubs").and_then(Value::as_array).and_then(|hubs| string(hubs.first()?, "url")),
        ..Document::default()
    };
    let authors = authors(&feed);
    for item in items.iter().take(caps::ITEMS) {
        if item.is_object() {
            document.items.push(raw(item, &authors));
        } else {
            document.complaints.push("an item is no object: left out".to_owned());
        }
    }
    if items.len() > caps::ITEMS {
        document.complaints.push(format!("more than {} items: the rest was not read", caps::ITEMS));
    }
    Ok(document)
}

fn raw(item: &Value, feed_authors: &[String]) -> Raw {
    let plain = string(item, "content_text").map(|text| paragraphs(&text));
    let attachment = item.get("attachments").and_then(Value::as_array).and_then(|all| all.first());
    let authors = authors(item);
    Raw {
        guid: string(item, "id"),
        permalink: false,
        link: string(item, "url").or_else(|| string(item, "external_url")),
        title: string(item, "title").map(|title| markup::escape(&title)),
        summary: string(item, "summary").map(|summary| markup::escape(&summary)),
        content: string(item, "content_html").or(plain),
        published: stamp(item, "date_published"),
        updated: stamp(item, "date_modified"),
        authors: if authors.is_empty() { feed_authors.to_vec() } else { authors },
        tags: match item.get("tags") {
            Some(Value::Array(all)) => all.iter().filter_map(text).collect(),
            one => one.and_then(text).into_iter().collect(),
        },
        language: string(item, "language"),
        image: string(item, "image").or_else(|| string(item, "banner_image")),
        enclosure: attachment.and_then(|attachment| {
            Some(Enclosure {
                url: string(attachment, "url")?,
                kind: string(attachment, "mime_type").unwrap_or_default(),
                length: attachment.get("size_in_bytes").and_then(Value::as_u64).unwrap_or_default(),
            })
        }),
        ..Raw::default()
    }
}

/// A string, or a number as one.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn string(of: &Value, key: &str) -> Option<String> {
    text(of.get(key)?)
}

fn stamp(item: &Value, key: &str) -> Option<Stamp> {
    string(item, key).map(|raw| Stamp { raw, claim: None })
}

/// `authors` of 1.1, `author` of 1.0; an object with a name or just a name.
fn authors(of: &Value) -> Vec<String> {
    let many = of.get("authors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let one = of.get("author").into_iter();
    many.iter().chain(one).filter_map(|author| string(author, "name").or_else(|| text(author))).collect()
}

fn paragraphs(text: &str) -> String {
    let lines = text.split('\n').map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("<p>{}</p>", markup::escape(line))).collect()
}
