//! Which of a source's items an item is, and whether it is still as it was.

use super::address::{Bases, canonical_of, of};
use crate::model::fold::fold;
use crate::model::id::{ItemKey, hash64};
use crate::model::item::{Document, Raw};
use crate::model::source::Source;
use std::collections::BTreeMap;

/// Which of the source's items this is, and its hash as sent. Cheap: nothing is cleaned.
///
/// The key is its guid, else its canonical link, else its folded headline with the day it claims, else with its text. Of a
/// guid that is an address the scheme does not count: sites move from http to https, and their items stay the same.
#[must_use]
pub fn identify(raw: &Raw, source: &Source, url: &str) -> (ItemKey, u64) {
    let link = link(raw, url);
    (key(raw, source, &link, true, true), hash(raw, &link))
}

/// [`identify`] for every item of a document, knowing that a guid or link which stands on several items with other
/// headlines identifies none of them. Prefer this.
#[must_use]
pub fn identities(document: &Document, source: &Source, url: &str) -> Vec<(ItemKey, u64)> {
    // Hardly any item has a base of its own.
    let shared_base = Bases::new(None, url);
    let link_of = |raw: &Raw| match raw.base {
        None => link_from(raw, &shared_base),
        Some(_) => link(raw, url),
    };
    let links: Vec<String> = document.items.iter().map(link_of).collect();
    let guids = repeated(document.items.iter().map(|raw| (raw.guid.as_deref().unwrap_or_default(), raw)));
    let shared = repeated(links.iter().map(String::as_str).zip(&document.items));
    let unique = |known: &BTreeMap<&str, bool>, value: &str| !known.get(value).copied().unwrap_or_default();
    document
        .items
        .iter()
        .zip(&links)
        .map(|(raw, link)| {
            let guid = unique(&guids, raw.guid.as_deref().unwrap_or_default());
            (key(raw, source, link, guid, unique(&shared, link)), hash(raw, link))
        })
        .collect()
}

/// Values that stand on several items with different headlines.
fn repeated<'a>(values: impl Iterator<Item = (&'a str, &'a Raw)>) -> BTreeMap<&'a str, bool> {
    let mut titles: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    let mut found: BTreeMap<&str, bool> = BTreeMap::new();
    for (value, raw) in values.filter(|(value, _)| !value.is_empty()) {
        let title = raw.title.as_deref();
        if titles.get(value).is_some_and(|known| *known != title) {
            found.insert(value, true);
        }
        titles.entry(value).or_insert(title);
    }
    found
}

/// Canonical link; empty if there is none or it is only a site's front page.
fn link(raw: &Raw, url: &str) -> String {
    link_from(raw, &Bases::new(raw.base.as_deref(), url))
}

fn link_from(raw: &Raw, bases: &Bases) -> String {
    let Some(link) = of(raw, bases) else {
        return String::new();
    };
    let link = canonical_of(link);
    if link.contains(['/', '?', '#']) { link } else { String::new() }
}

fn key(raw: &Raw, source: &Source, link: &str, use_guid: bool, use_link: bool) -> ItemKey {
    if let Some(guid) = raw.guid.as_deref().map(str::trim).filter(|guid| use_guid && !guid.is_empty()) {
        return ItemKey::guid(guid);
    }
    if use_link && !link.is_empty() {
        return ItemKey::link(link);
    }
    let title = fold(raw.title.as_deref().unwrap_or_default());
    let stamp = raw.published.as_ref().or(raw.updated.as_ref());
    if let Some(claim) = stamp.and_then(|stamp| stamp.claim.as_ref()).filter(|_| !title.is_empty()) {
        // The day in the source's zone: the offset as written may change with the season.
        let zone: chrono_tz::Tz = source.rules.zone.parse().unwrap_or(chrono_tz::UTC);
        return ItemKey::day(&title, &claim.at.utc().with_timezone(&zone).format("%Y-%m-%d").to_string());
    }
    let text = raw.content.as_deref().or(raw.summary.as_deref()).unwrap_or_default();
    ItemKey::text(&title, &fold(text))
}

/// Hash of what a reader would see changed. Blanks do not count, nor do what servers turn over without an edit: picture
/// addresses, tracking parameters, the date of the last change, dates told from now (昨天, 10:38).
fn hash(raw: &Raw, link: &str) -> u64 {
    let mut parts: Vec<Vec<u8>> = vec![link.as_bytes().to_vec()];
    let date = raw.published.as_ref().map(|stamp| stamp.raw.as_str()).filter(|date| states_year(date));
    for text in [raw.title.as_deref(), raw.summary.as_deref(), raw.content.as_deref(), raw.credit.as_deref(), date] {
        parts.push(without_blanks(text.unwrap_or_default()));
    }
    for list in [&raw.authors, &raw.tags] {
        parts.push(without_blanks(&list.join("\u{1f}")));
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    hash64(&parts)
}

/// Whether four digits stand together: a date with its year.
fn states_year(date: &str) -> bool {
    let mut run = 0;
    date.bytes().any(|b| {
        run = if b.is_ascii_digit() { run + 1 } else { 0 };
        run >= 4
    })
}

fn without_blanks(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let (pieces, rest) = text.as_bytes().as_chunks::<32>();
    for piece in pieces {
        // All at once: Chinese text hardly has a blank.
        if piece.iter().copied().fold(u8::MAX, u8::min) <= b' ' {
            let mut kept = [0; 32];
            let mut count = 0;
            for byte in piece {
                // A blank is written over by what follows: cheaper than to ask of each.
                kept[count & 31] = *byte;
                count += usize::from(!byte.is_ascii_whitespace());
            }
            out.extend_from_slice(&kept[..count]);
        } else {
            out.extend_from_slice(piece);
        }
    }
    out.extend(rest.iter().filter(|byte| !byte.is_ascii_whitespace()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::moment::tests::source;

    const URL: &str = "https://news.example/feed.xml";

    fn raw(guid: &str, link: &str, title: &str) -> Raw {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Raw { guid: some(guid), link: some(link), title: some(title), ..Raw::default() }
    }

    fn keys(items: Vec<Raw>) -> Vec<String> {
        let document = Document { items, ..Document::default() };
        identities(&document, &source(), URL).into_iter().map(|(key, _)| key.0).collect()
    }

    #[test]
    fn guid_then_link_then_headline() {
        assert_eq!(
            keys(vec![
                raw(" n-1 ", "/a/1", "一"),
                raw("", "/a/2?utm_source=rss", "二"),
                raw("", "https://news.example/", "三"),
                raw("https://news.example/?p=4", "", "四"),
            ]),
            [
                "guid:n-1",
                "link:news.example/a/2",
                "text:2c0a8a99dc147d5445c3b49d035665b2 三",
                "guid://news.example/?p=4"
            ]
        );
    }

    #[test]
    fn a_guid_or_link_on_several_items_identifies_none_of_them() {
        assert_eq!(
            keys(vec![raw("g", "/a/1", "一"), raw("g", "/a/2", "二"), raw("h", "/a/3", "三"), raw("h", "/a/3", "三")]),
            ["link:news.example/a/1", "link:news.example/a/2", "guid:h", "guid:h"]
        );
    }

    #[test]
    fn moving_to_https_and_new_blanks_change_nothing() {
        let before = raw("http://news.example/1", "http://news.example/1", "标题 一");
        let after = raw("https://news.example/1", "https://www.news.example/1?spm=9", "标题  一\n");
        assert_eq!(identify(&before, &source(), URL), identify(&after, &source(), URL));
        let edited = raw("https://news.example/1", "https://news.example/1", "标题 二");
        assert_ne!(identify(&before, &source(), URL).1, identify(&edited, &source(), URL).1);
    }
}
