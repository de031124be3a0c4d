//! RSS and Atom: feed-rs behind a guard, and the tolerant reader beside it and in its place.

use super::guard::guarded;
use super::repair::{self, Repaired};
use super::{ParseError, caps, dates, jsonfeed, tolerant};
use crate::model::item::{Document, Enclosure, Raw, Stamp};
use crate::model::markup;
use crate::model::time::{Claim, Time, Trust};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use feed_rs::model::{Entry, Feed, FeedType};
use std::collections::BTreeMap;

/// What feed-rs is told to use as the id of an entry that has none, instead of one it makes up.
const NO_ID: &str = "\u{1}";

/// Reads a feed.
pub(super) fn read(text: &str, url: &str, zone: Tz, at: Time) -> Result<Document, ParseError> {
    if text.len() > caps::DOCUMENT {
        return Err(ParseError::TooLarge { bytes: text.len(), most: caps::DOCUMENT });
    }
    let mut document = match repair::root(text) {
        Ok(start) if !text.trim_start().starts_with('{') => xml(repair::repair(text, start), url, zone, at),
        Ok(start) => jsonfeed::read(text).or_else(|_| Ok(xml(repair::repair(text, start), url, zone, at)))?,
        // JSON, perhaps behind a comment or a call.
        Err(found) => match text.find(['{', '<']).filter(|at| text[*at..].starts_with('{')) {
            Some(start) => jsonfeed::read(&text[start..])?,
            None => return Err(ParseError::NotFeed { found }),
        },
    };
    for raw in &mut document.items {
        for stamp in [raw.published.as_mut(), raw.updated.as_mut()].into_iter().flatten() {
            stamp.claim = stamp.claim.take().or_else(|| dates::field(&stamp.raw, zone, at));
            if stamp.claim.is_none() {
                document.complaints.push(format!("no date: {}", stamp.raw.chars().take(60).collect::<String>()));
            }
        }
    }
    super::gather(&mut document.complaints);
    Ok(document)
}

fn xml(repaired: Repaired, url: &str, zone: Tz, at: Time) -> Document {
    let mut document = tolerant::read(&repaired, url);
    document.complaints.splice(0..0, repaired.complaints.iter().cloned());
    // feed-rs meets the same dates: each is read once.
    let mut known = BTreeMap::new();
    for raw in &mut document.items {
        for stamp in [raw.published.as_mut(), raw.updated.as_mut()].into_iter().flatten() {
            stamp.claim = dates::field(&stamp.raw, zone, at);
            known.insert(stamp.raw.clone(), stamp.claim.as_ref().map(|claim| claim.at.utc()));
        }
    }
    match strict(&repaired.xml, known, zone, at) {
        Ok(feed) if feed.entries.len() == document.items.len() => merge(&mut document, feed),
        // An item that only one of them sees: the one that sees more is right.
        Ok(feed) if feed.entries.len() < document.items.len() => {
            let (less, more) = (feed.entries.len(), document.items.len());
            document.complaints.push(format!("feed-rs found {less} of {more} items: read by the tolerant parser"));
        }
        Ok(feed) => {
            let (less, more) = (document.items.len(), feed.entries.len());
            document
                .complaints
                .push(format!("the tolerant parser found {less} of {more} items: read by feed-rs alone"));
            document.items = feed.entries.into_iter().map(|entry| raw(entry, &feed.feed_type)).collect();
        }
        Err(why) => document.complaints.push(format!("feed-rs refused it ({why}): read by the tolerant parser")),
    }
    document
}

/// feed-rs, with our dates and without its ids. A fresh parser each time: it keeps state between documents.
fn strict(xml: &str, known: BTreeMap<String, Option<DateTime<Utc>>>, zone: Tz, at: Time) -> Result<Feed, String> {
    let parser = feed_rs::parser::Builder::new()
        .id_generator(|_, _, _| NO_ID.to_owned())
        .timestamp_parser(move |text| match known.get(text.trim()) {
            Some(known) => *known,
            None => dates::field(text, zone, at).map(|claim| claim.at.utc()),
        })
        .sanitize_content(false)
        .build();
    guarded(|| parser.parse(xml.as_bytes()))
        .map_err(|panic| format!("panic: {panic}"))?
        .map_err(|error| error.to_string())
}

/// What both read. Where both have a field the tolerant reading stands, although they agree wherever feed-rs has one: so an
/// item keeps its hash on the day another element makes feed-rs refuse the document. feed-rs fills what was not found.
fn merge(document: &mut Document, feed: Feed) {
    let kind = feed.feed_type;
    document.title = document.title.take().or_else(|| feed.title.map(|title| title.content));
    document.language = document.language.take().or(feed.language);
    document.ttl = document.ttl.take().or(feed.ttl);
    document.image = document.image.take().or_else(|| feed.logo.or(feed.icon).map(|image| image.uri));
    for (found, entry) in document.items.iter_mut().zip(feed.entries) {
        let tolerant = std::mem::take(found);
        let strict = raw(entry, &kind);
        *found = Raw {
            guid: tolerant.guid,
            permalink: tolerant.permalink,
            link: tolerant.link.or(strict.link),
            base: tolerant.base,
            title: tolerant.title.or(strict.title),
            summary: tolerant.summary.or(strict.summary),
            content: tolerant.content.or(strict.content),
            published: tolerant.published.or(strict.published),
            updated: tolerant.updated,
            authors: if tolerant.authors.is_empty() { strict.authors } else { tolerant.authors },
            tags: if tolerant.tags.len() < strict.tags.len() { strict.tags } else { tolerant.tags },
            credit: tolerant.credit.or(strict.credit),
            credits: tolerant.credits,
            header: Vec::new(),
            footer: Vec::new(),
            language: tolerant.language.or(strict.language),
            image: tolerant.image.or(strict.image),
            enclosure: tolerant.enclosure.or(strict.enclosure),
            point: tolerant.point,
            rights: tolerant.rights,
        };
    }
}

/// An entry of feed-rs as a raw item.
fn raw(entry: Entry, kind: &FeedType) -> Raw {
    let text = |text: feed_rs::model::Text| {
        let plain = *kind == FeedType::Atom && text.content_type.as_str() == "text/plain";
        some(if plain { markup::escape(&text.content) } else { text.content })
    };
    let link = entry
        .links
        .iter()
        .find(|link| link.target.is_none() && link.rel.as_deref().is_none_or(|rel| rel == "alternate"));
    let media = entry.media.iter().flat_map(|object| &object.content);
    let picture = media.clone().find(|content| {
        content.content_type.as_ref().is_some_and(|kind| kind.as_str().starts_with("image/")) && content.url.is_some()
    });
    let thumbnail = entry.media.iter().flat_map(|object| &object.thumbnails).next();
    let enclosure = media.clone().find_map(|content| {
        Some(Enclosure {
            url: content.url.as_ref()?.to_string(),
            kind: content.content_type.as_ref()?.to_string(),
            length: content.size.unwrap_or_default(),
        })
    });
    Raw {
        guid: Some(entry.id).filter(|id| id != NO_ID && !id.is_empty()),
        permalink: *kind == FeedType::RSS2,
        link: link.map(|link| link.href.clone()),
        base: entry.base,
        title: entry.title.and_then(text),
        summary: entry.summary.and_then(text),
        content: entry.content.and_then(|content| {
            let plain = *kind == FeedType::Atom && content.content_type.as_str() == "text/plain";
            let readable = content.content_type.as_str().starts_with("text/")
                || content.content_type.as_str().ends_with("xhtml+xml");
            let body = content.body.filter(|_| readable)?;
            some(if plain { markup::escape(&body) } else { body })
        }),
        published: entry.published.map(stamp),
        updated: None,
        authors: entry.authors.into_iter().filter_map(|person| person.name.or(person.email)).collect(),
        tags: entry.categories.into_iter().map(|category| category.label.unwrap_or(category.term)).collect(),
        credit: entry.source,
        credits: Vec::new(),
        header: Vec::new(),
        footer: Vec::new(),
        language: entry.language,
        image: picture
            .and_then(|p| p.url.as_ref())
            .map(ToString::to_string)
            .or_else(|| thumbnail.map(|t| t.image.uri.clone())),
        enclosure,
        point: None,
        rights: entry.rights.map(|rights| rights.content),
    }
}

fn some(text: String) -> Option<String> {
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// A date that only feed-rs found.
fn stamp(at: chrono::DateTime<chrono::Utc>) -> Stamp {
    let claim = Claim { at: at.into(), offset: 0, trust: Trust::Full, method: "read by feed-rs".to_owned() };
    Stamp { raw: at.to_rfc3339(), claim: Some(claim) }
}
