//! Raw item to item: text, links, times, attribution.
//!
//! [`identify`] first, for every item of every poll, and cheap: which item it is, and whether it is still as it was. Only a
//! new or changed one goes through [`item`]: [`address`] makes links absolute; [`policy`] sanitises HTML once; [`text`] makes
//! plain text; [`credit`] takes the chain of attribution out of it; [`moment`] judges dates; [`name`] cleans bylines and tags.

mod address;
mod credit;
mod identity;
mod moment;
mod name;
mod policy;
mod text;

pub use address::canonical;
pub use identity::{identify, identities};
pub use moment::Siblings;

use crate::model::id::ItemKey;
use crate::model::item::{Enclosure, Item, Raw};
use crate::model::source::{Kind, Source};
use crate::model::time::Time;
use std::cmp::Reverse;

/// Longest plain text kept, in bytes: with the HTML it must fit into one record of the wire ([`Item::LARGEST`]).
const TEXT: usize = 80 * 1024;

/// Longest headline, in characters; what is longer is a text without a headline.
const TITLE: usize = 300;

/// The item, clean and complete.
#[must_use]
pub fn item(raw: &Raw, key: ItemKey, hash: u64, source: &Source, url: &str, at: Time, siblings: &Siblings) -> Item {
    let mut complaints = Vec::new();
    let bases = address::Bases::new(raw.base.as_deref(), url);
    let link = address::of(raw, &bases).unwrap_or_default();
    // A link that several items of the document share is evidence of nothing.
    let canonical = if link.is_empty() || siblings.share(raw) { String::new() } else { address::canonical(&link) };

    let content = raw.content.as_deref().map(|html| policy::clean(html, &bases));
    let summary = raw.summary.as_deref().map(|html| policy::clean(html, &bases));
    let plain = |clean: &Option<policy::Clean>| clean.as_ref().map(|c| text::plain(&c.html)).unwrap_or_default();
    let (content_text, summary_text) = (plain(&content), plain(&summary));
    for clean in [&content, &summary].into_iter().flatten() {
        complaints.extend(clean.hits.iter().cloned());
    }
    // A description longer than a summary may be is the text itself; a content that holds only a picture is none.
    let whole = content_text.chars().count() >= summary_text.chars().count() && !content_text.is_empty();
    let first_image = [&content, &summary].into_iter().flatten().find_map(|clean| clean.image.clone());
    let html = match (whole, content, summary) {
        (false, _, Some(summary)) if summary_text.chars().count() > Item::SUMMARY => summary.html,
        (_, Some(content), _) => content.html,
        _ => String::new(),
    };
    let full = if whole { content_text } else { summary_text.clone() };

    let place = if matches!(source.kind, Kind::Page { .. } | Kind::Api { .. }) { "list" } else { "feed" };
    let mut credits = credit::stated(raw.credit.as_deref(), place);
    let mut full = credit::take(&full, &mut credits);
    if full.len() > TEXT {
        full.truncate(full.floor_char_boundary(TEXT));
        complaints.push(format!("the text is longer than {TEXT} bytes: cut"));
    }
    let short = if summary_text.is_empty() { full.clone() } else { credit::take(&summary_text, &mut credits) };

    let mut title = raw.title.as_deref().map(text::headline).unwrap_or_default();
    if title.is_empty() {
        title = text::first_sentence(&full);
        complaints.push("no headline: the first sentence of the text stands in".to_owned());
    } else if title.chars().count() > TITLE {
        title = text::cut(&title, TITLE);
        complaints.push(format!("the headline is longer than {TITLE} characters: cut"));
    }

    let published = moment::judge(raw, source, &link, at, siblings, &mut complaints);
    let image = raw.image.as_deref().and_then(|image| bases.absolute(image)).or(first_image);
    let enclosure = raw.enclosure.as_ref().filter(|e| e.length > 0).and_then(|enclosure| {
        Some(Enclosure {
            url: bases.absolute(&enclosure.url)?,
            kind: enclosure.kind.trim().to_owned(),
            length: enclosure.length,
        })
    });
    Item {
        source: source.id().clone(),
        key,
        hash,
        link,
        canonical,
        title,
        summary: text::cut(&text::line(&text::without_tail(&short)), Item::SUMMARY),
        html,
        text: full,
        published,
        seen: at,
        authors: name::authors(&raw.authors),
        credits,
        tags: name::tags(&raw.tags),
        image,
        enclosure,
        point: raw.point,
        language: raw.language.as_deref().or(siblings.language()).and_then(name::language),
        complaints: bounded(complaints),
    }
}

/// Most complaints of one item that are kept: they go on the wire.
const COMPLAINTS: usize = 8;

fn bounded(mut complaints: Vec<String>) -> Vec<String> {
    complaints.sort_by_key(|complaint| Reverse(complaint.starts_with("dated")));
    complaints.dedup();
    complaints.truncate(COMPLAINTS);
    complaints
}
