//! Where in a document the fields of its items stand: looked up afterwards, for a person who asks.
//!
//! Reading itself keeps no such notes. Each value is looked for among the elements and attributes (of JSON: the members) of
//! the item that has most of the values; white space and escaping do not count.

use super::{Fetched, caps, charset};
use crate::model::item::Raw;
use crate::model::markup::decode;
use crate::model::source::Source;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeMap;

/// Deepest nesting inside an item that is looked at.
const DEPTH: usize = 16;

/// Most values of one item that are looked at.
const VALUES: usize = 400;

/// Most items that are looked at.
const ITEMS: usize = 2_000;

/// Elements that are items, by local name.
const ENTRIES: [&str; 4] = ["item", "entry", "url", "channel-item"];

/// Fields, and the last names of the places that are theirs where another place has the same value.
const OWN: [(&str, &str); 12] = [
    ("guid", "guid"),
    ("guid", "id"),
    ("guid", "about"),
    ("link", "link"),
    ("link", "href"),
    ("link", "url"),
    ("link", "loc"),
    ("title", "title"),
    ("published", "pubDate"),
    ("published", "published"),
    ("summary", "description"),
    ("summary", "summary"),
];

/// The last name of a place, without its prefix.
fn last(place: &str) -> &str {
    place.rsplit(['/', '@', ':', '.']).next().unwrap_or_default()
}

/// Where the fields of one item stand, by the name of the field: `title`, `link`, `guid`, `published`, `updated`, `summary`,
/// `content`, `author`, `tag`, `credit`, `language`, `image`, `enclosure`.
pub type Places = BTreeMap<&'static str, String>;

/// One item of the document: its values, each with its place.
type Entry = Vec<(String, String)>;

/// Where the fields of these items stand, in their order; empty for what is not found.
pub(super) fn trace(source: &Source, fetched: &Fetched<'_>, items: &[Raw]) -> Vec<Places> {
    if fetched.body.len() > caps::DOCUMENT {
        return vec![Places::new(); items.len()];
    }
    let decoded = charset::decode(fetched.body, fetched.content_type, source.how.encoding.as_deref());
    let text = decoded.text.trim_start_matches('\u{feff}').trim_start();
    let entries = if text.starts_with(['{', '[']) { json(text) } else { xml(text) };
    items.iter().enumerate().map(|(at, raw)| places(raw, at, &entries)).collect()
}

fn places(raw: &Raw, at: usize, entries: &[Entry]) -> Places {
    let fields = fields(raw);
    let found = |entry: &Entry| -> Places {
        let mut places = Places::new();
        for (name, value) in &fields {
            // Of several places with one value, the one that is named like the field.
            let mut all = entry.iter().filter(|(known, _)| known == value).map(|(_, place)| place);
            let named = all.clone().find(|place| OWN.contains(&(*name, last(place))));
            let place = named.or_else(|| all.next());
            if let Some(place) = place {
                places.entry(name).or_insert_with(|| place.clone());
            }
        }
        places
    };
    // The item at the same place first: of equals it wins.
    let own = entries.get(at).map(found).unwrap_or_default();
    if own.contains_key("title") && own.contains_key("link") {
        return own;
    }
    entries.iter().map(found).fold(own, |best, other| if other.len() > best.len() { other } else { best })
}

/// The values of an item, squeezed.
fn fields(raw: &Raw) -> Vec<(&'static str, String)> {
    let stamp = |stamp: &Option<crate::model::item::Stamp>| stamp.as_ref().map(|stamp| stamp.raw.clone());
    let mut fields: Vec<(&'static str, Option<String>)> = vec![
        ("title", raw.title.clone()),
        ("link", raw.link.clone()),
        ("guid", raw.guid.clone()),
        ("published", stamp(&raw.published)),
        ("updated", stamp(&raw.updated)),
        ("summary", raw.summary.clone()),
        ("content", raw.content.clone()),
        ("credit", raw.credit.clone()),
        ("language", raw.language.clone()),
        ("image", raw.image.clone()),
        ("enclosure", raw.enclosure.as_ref().map(|enclosure| enclosure.url.clone())),
    ];
    fields.extend(raw.authors.iter().map(|author| ("author", Some(author.clone()))));
    fields.extend(raw.tags.iter().map(|tag| ("tag", Some(tag.clone()))));
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name, squeezed(&value?))));
    fields.filter(|(_, value)| !value.is_empty()).collect()
}

/// Without white space, references decoded until none is left (at most three times).
fn squeezed(text: &str) -> String {
    let mut text: String = text.split_whitespace().collect();
    for _ in 0..3 {
        let decoded = decode(&text).into_owned();
        if decoded == text {
            break;
        }
        text = decoded.split_whitespace().collect();
    }
    text
}

/// Items of RSS, Atom, RDF and sitemaps, as far as the document can be followed.
fn xml(text: &str) -> Vec<Entry> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut entries: Vec<Entry> = Vec::new();
    let mut entry: Option<Entry> = None;
    // Open elements inside the item: name and text so far.
    let mut open: Vec<(String, String)> = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => begin(&start, false, &mut entry, &mut open),
            Ok(Event::Empty(start)) => begin(&start, true, &mut entry, &mut open),
            Ok(Event::Text(piece)) => add(&mut open, &piece),
            Ok(Event::GeneralRef(piece)) => add(&mut open, &format!("&{};", &*piece)),
            Ok(Event::CData(piece)) => add(&mut open, &piece),
            Ok(Event::End(end)) => {
                let name = end.name().as_ref().to_owned();
                if is_entry(&name) {
                    entries.extend(entry.take());
                    open.clear();
                } else if let (Some(entry), Some((_, text))) = (&mut entry, open.last()) {
                    let value = squeezed(text);
                    if !value.is_empty() && entry.len() < VALUES {
                        entry.push((value, path(&open)));
                    }
                    open.pop();
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
        if entries.len() >= ITEMS {
            break;
        }
    }
    entries.extend(entry);
    entries
}

fn is_entry(name: &str) -> bool {
    let local = name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
    ENTRIES.contains(&local.as_str())
}

fn begin(start: &BytesStart<'_>, empty: bool, entry: &mut Option<Entry>, open: &mut Vec<(String, String)>) {
    let name = start.name().as_ref().to_owned();
    if is_entry(&name) {
        if !empty {
            *entry = Some(Entry::new());
            open.clear();
        }
        return;
    }
    let Some(entry) = entry else { return };
    if open.len() >= DEPTH {
        return;
    }
    open.push((name, String::new()));
    for attribute in start.attributes().with_checks(false).flatten() {
        let value = squeezed(&attribute.value);
        if !value.is_empty() && entry.len() < VALUES {
            entry.push((value, format!("{}@{}", path(open), attribute.key.as_ref())));
        }
    }
    if empty {
        open.pop();
    }
}

fn path(open: &[(String, String)]) -> String {
    open.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("/")
}

fn add(open: &mut [(String, String)], text: &str) {
    if let Some((_, known)) = open.last_mut() {
        known.push_str(text);
    }
}

/// Items of a JSON document: of every array of objects, each object.
fn json(text: &str) -> Vec<Entry> {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else { return Vec::new() };
    let mut entries = Vec::new();
    arrays(&value, 0, &mut entries);
    entries
}

fn arrays(value: &serde_json::Value, depth: usize, entries: &mut Vec<Entry>) {
    use serde_json::Value;
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Array(values) => {
            for value in values.iter().filter(|value| value.is_object()).take(ITEMS.saturating_sub(entries.len())) {
                let mut entry = Entry::new();
                members(value, "", 0, &mut entry);
                entries.push(entry);
            }
        }
        Value::Object(members) => members.values().for_each(|value| arrays(value, depth + 1, entries)),
        _ => {}
    }
}

fn members(value: &serde_json::Value, path: &str, depth: usize, entry: &mut Entry) {
    use serde_json::Value;
    if depth > DEPTH || entry.len() >= VALUES {
        return;
    }
    match value {
        Value::Object(all) => {
            for (name, value) in all {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                members(value, &path, depth + 1, entry);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| members(value, &format!("{path}[]"), depth + 1, entry)),
        Value::String(text) => entry.push((squeezed(text), path.to_owned())),
        Value::Number(number) => entry.push((number.to_string(), path.to_owned())),
        Value::Bool(_) | Value::Null => {}
    }
}
