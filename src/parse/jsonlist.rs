//! JSON lists: where the items are and what their fields are called, the source says by dotted paths.

use super::{ParseError, caps, dates, literal};
use crate::model::item::{Document, Raw, Stamp};
use crate::model::source::JsonPattern;
use crate::model::time::Time;
use chrono_tz::Tz;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Most keys that a complaint names.
const NAMED: usize = 12;

/// Longest text of one field, in bytes.
const TEXT: usize = 1 << 20;

/// Reads an answer.
pub(super) fn read(text: &str, pattern: &JsonPattern, zone: Tz, at: Time) -> Result<Document, ParseError> {
    let (value, complaint) = literal::read(text).map_err(|found| ParseError::NotJson { found })?;
    let mut document = Document { format: "JSON list".to_owned(), ..Document::default() };
    document.complaints.extend(complaint);
    let entries = match list(&value, &pattern.items) {
        Ok(entries) => entries,
        Err(lost) => {
            document.complaints.push(lost);
            return Ok(document);
        }
    };
    if entries.len() > caps::ITEMS {
        document.complaints.push(format!("more than {} items: the rest was not read", caps::ITEMS));
    }
    let entries = &entries[..entries.len().min(caps::ITEMS)];
    let mut lacking: BTreeMap<&str, Lack> = BTreeMap::new();
    let mut empty = 0;
    for entry in entries {
        let mut field = |name: &'static str, path: Option<&str>, read: fn(&Value) -> Option<String>| {
            let path = path?;
            let value = first(entry, path);
            let found = value.as_ref().and_then(read);
            if found.is_none() {
                let lack = lacking.entry(name).or_default();
                path.clone_into(&mut lack.path);
                lack.count += 1;
                // There is something, but it is no text: it says how to go on.
                lack.there = lack.there.take().or_else(|| value.filter(Value::is_object).as_ref().map(kind));
            }
            found
        };
        let title = field("title", Some(&pattern.title), words);
        let date = field("date", pattern.date.as_deref(), moment);
        let summary = field("summary", pattern.summary.as_deref(), words);
        let credit = field("credit", pattern.credit.as_deref(), words);
        let link = address(entry, &pattern.link);
        if link.is_none() {
            let lack = lacking.entry("link").or_default();
            pattern.link.clone_into(&mut lack.path);
            lack.count += 1;
        }
        if title.is_none() && link.is_none() {
            empty += 1;
            continue;
        }
        let published = date.map(|raw| Stamp { claim: dates::read(&raw, zone, at), raw });
        if let Some(stamp) = published.as_ref().filter(|stamp| stamp.claim.is_none()) {
            document.complaints.push(format!("no date: {}", stamp.raw.chars().take(60).collect::<String>()));
        }
        document.items.push(Raw { link, title, summary, published, credit, ..Raw::default() });
    }
    let keys = entries.iter().find_map(Value::as_object).map(|entry| named(entry.keys())).unwrap_or_default();
    let of = entries.len();
    for (name, Lack { path, count, there }) in lacking {
        match there {
            Some(there) => document.complaints.push(format!("`{name} = \"{path}\"` leads to no text: it {there}")),
            None if count == of => {
                document.complaints.push(format!("`{name} = \"{path}\"` is in no item; an item has {keys}"));
            }
            None if matches!(name, "title" | "link") => {
                document.complaints.push(format!("`{name} = \"{path}\"` is missing in {count} of {of} items"));
            }
            None => {}
        }
    }
    if empty > 0 {
        document.complaints.push(format!("{empty} items have neither title nor link: left out"));
    }
    super::gather(&mut document.complaints);
    Ok(document)
}

/// A field that items lack.
#[derive(Debug, Default)]
struct Lack {
    path: String,
    count: usize,
    /// What is there instead, as the end of a sentence.
    there: Option<String>,
}

/// The steps of a path: `data.rows`, `data[0].rows`, `$.rows`; none for the document itself (`$`, `.`).
fn steps(path: &str) -> Vec<&str> {
    let path = path.trim();
    let path = path.strip_prefix('$').unwrap_or(path);
    path.split(['.', '[', ']'])
        .map(|step| step.trim().trim_matches(['"', '\'']))
        .filter(|step| !step.is_empty())
        .collect()
}

/// Where a path leads.
enum Way {
    /// To these values; several where it went through a list or a `*`.
    To(Vec<Value>),
    /// Nowhere: how far it came, and what is there.
    Lost(String, String),
}

fn walk(value: &Value, steps: &[&str], come: &str) -> Way {
    let Some((step, rest)) = steps.split_first() else { return Way::To(vec![value.clone()]) };
    let further = |name: &str| if come.is_empty() { name.to_owned() } else { format!("{come}.{name}") };
    match value {
        Value::Object(map) if *step == "*" => many(map.values(), rest, &further("*")),
        Value::Array(list) if *step == "*" => many(list.iter(), rest, &further("*")),
        Value::Object(map) => {
            if let Some(value) = map.get(*step) {
                return walk(value, rest, &further(step));
            }
            // A key that itself holds a dot.
            for end in (2..=steps.len()).rev() {
                let key = steps[..end].join(".");
                if let Some(value) = map.get(&key) {
                    return walk(value, &steps[end..], &further(&key));
                }
            }
            Way::Lost(come.to_owned(), format!("has {}", named(map.keys())))
        }
        Value::Array(list) => match step.parse::<usize>() {
            Ok(place) => match list.get(place) {
                Some(value) => walk(value, rest, &further(step)),
                None => Way::Lost(come.to_owned(), format!("is a list of {}", list.len())),
            },
            // A name on a list: of each of its elements.
            Err(_) => many(list.iter(), steps, come),
        },
        // JSON inside a text, as some frameworks wrap their answers.
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => match serde_json::from_str(text) {
            Ok(inner) => walk(&inner, steps, come),
            Err(_) => Way::Lost(come.to_owned(), kind(value)),
        },
        other => Way::Lost(come.to_owned(), kind(other)),
    }
}

fn many<'a>(values: impl Iterator<Item = &'a Value>, steps: &[&str], come: &str) -> Way {
    let mut found = Vec::new();
    let mut lost = None;
    for value in values {
        match walk(value, steps, come) {
            Way::To(values) => found.extend(values),
            way @ Way::Lost(..) => lost = lost.or(Some(way)),
        }
    }
    match lost {
        Some(lost) if found.is_empty() => lost,
        _ => Way::To(found),
    }
}

/// The items at a path, or a sentence about where it ends and what is there.
fn list(value: &Value, path: &str) -> Result<Vec<Value>, String> {
    let found = match walk(value, &steps(path), "") {
        Way::To(found) => found,
        Way::Lost(come, there) => {
            let place = if come.is_empty() { "the answer".to_owned() } else { format!("`{come}`") };
            return Err(format!("`items = \"{path}\"` leads nowhere: {place} {there}"));
        }
    };
    let mut entries = Vec::new();
    let mut other = None;
    for value in found {
        match value {
            Value::Array(list) => entries.extend(list),
            // Items by their id.
            Value::Object(map) if !map.is_empty() && map.values().all(Value::is_object) => {
                entries.extend(map.into_iter().map(|(_, value)| value));
            }
            Value::String(text) if text.trim_start().starts_with('[') => {
                if let Ok(Value::Array(list)) = serde_json::from_str(&text) {
                    entries.extend(list);
                }
            }
            value => other = other.or(Some(kind(&value))),
        }
    }
    match other {
        Some(other) if entries.is_empty() => Err(format!("`items = \"{path}\"` leads to no list: it {other}")),
        _ => Ok(entries),
    }
}

/// What a value is, as the end of a sentence.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "is null".to_owned(),
        Value::Bool(_) => "is true or false".to_owned(),
        Value::Number(_) => "is a number".to_owned(),
        Value::String(_) => "is a text".to_owned(),
        Value::Array(list) => format!("is a list of {}", list.len()),
        Value::Object(map) => format!("has {}", named(map.keys())),
    }
}

fn named<'a>(keys: impl Iterator<Item = &'a String>) -> String {
    let keys: BTreeSet<&str> = keys.map(String::as_str).collect();
    if keys.is_empty() {
        return "nothing in it".to_owned();
    }
    let more = keys.len().saturating_sub(NAMED);
    let shown: Vec<&str> = keys.into_iter().take(NAMED).collect();
    let shown = shown.join(", ");
    if more > 0 { format!("{shown} and {more} keys more") } else { shown }
}

/// The first value at a path inside an item.
fn first(entry: &Value, path: &str) -> Option<Value> {
    match walk(entry, &steps(path), "") {
        Way::To(found) => found.into_iter().next(),
        Way::Lost(..) => None,
    }
}

/// A value as text: of a list its texts.
fn words(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(list) => list.iter().filter_map(words).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Object(_) => return None,
    };
    let end = text.floor_char_boundary(text.len().min(TEXT));
    (!text.is_empty()).then(|| text[..end].to_owned())
}

/// A date as text that [`dates`] reads: Unix seconds, milliseconds and finer, `/Date(…)/`, `{"time": …}`.
fn moment(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => {
            let whole = number.as_i64().or_else(|| number.as_f64().map(|number| number as i64))?;
            // Microseconds and nanoseconds.
            let digits = whole.to_string().len();
            let whole = whole / 10_i64.pow(u32::try_from(digits.saturating_sub(13)).unwrap_or(0));
            Some(whole.to_string())
        }
        Value::String(text) => {
            let text = text.trim();
            let inside = text.strip_prefix("/Date(").and_then(|rest| rest.split(')').next());
            match inside {
                Some(inside) => Some(inside.split(['+', '-']).find(|part| !part.is_empty())?.to_owned()),
                None => (!text.is_empty()).then(|| text.to_owned()),
            }
        }
        Value::Object(map) => {
            ["time", "$date", "seconds", "epochSecond", "date"].iter().find_map(|key| map.get(*key)).and_then(moment)
        }
        Value::Array(list) => parts(list),
        Value::Null | Value::Bool(_) => None,
    }
}

/// `[2026, 11, 23, 10, 38]`: a date in parts, as Java writes it.
fn parts(list: &[Value]) -> Option<String> {
    let numbers: Vec<i64> = list.iter().map_while(Value::as_i64).collect();
    let [year, month, day, rest @ ..] = numbers.as_slice() else { return None };
    let mut out = format!("{year:04}-{month:02}-{day:02}");
    if let [hour, minute, ..] = rest {
        let second = rest.get(2).unwrap_or(&0);
        out.push_str(&format!(" {hour:02}:{minute:02}:{second:02}"));
    }
    Some(out)
}

/// The link of an item: the text at a path, or an address with `{path}` in it.
fn address(entry: &Value, template: &str) -> Option<String> {
    if !template.contains('{') {
        return first(entry, template).as_ref().and_then(words);
    }
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (path, behind) = after.split_once('}')?;
        out.push_str(before);
        let value = first(entry, path).as_ref().and_then(words)?;
        let query = out.contains('?');
        if out.is_empty() {
            out.push_str(&value); // The beginning of an address.
        } else {
            for c in value.chars() {
                match c {
                    ' ' | '#' | '?' => out.push_str(&format!("%{:02X}", c as u32)),
                    '&' | '+' | '=' | '%' if query => out.push_str(&format!("%{:02X}", c as u32)),
                    '/' if out.ends_with('/') => {} // "https://host/" and "/path"
                    c => out.push(c),
                }
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_lead_or_say_where_they_end() {
        let answer = json!({
            "code": 0,
            "data": { "total": 2, "rows": [{ "t": "一" }, { "t": "二" }], "a.b": [1], "groups": [{ "l": [1] }, { "l": [2, 3] }] },
            "d": "[{\"t\":\"三\"}]",
            "byid": { "7": { "t": "四" }, "9": { "t": "五" } },
        });
        for (path, found) in [
            ("data.rows", Ok(2)),
            ("$.data.rows", Ok(2)),
            ("data.a.b", Ok(1)),
            ("data.groups.l", Ok(3)),
            ("data.groups[1].l", Ok(2)),
            ("data.groups.*.l", Ok(3)),
            ("d", Ok(1)),
            ("byid", Ok(2)),
            ("rows", Err("`items = \"rows\"` leads nowhere: the answer has byid, code, d, data")),
            ("data.list", Err("`items = \"data.list\"` leads nowhere: `data` has a.b, groups, rows, total")),
            ("data.rows.5", Err("`items = \"data.rows.5\"` leads nowhere: `data.rows` is a list of 2")),
            ("code.x", Err("`items = \"code.x\"` leads nowhere: `code` is a number")),
            ("data.total", Err("`items = \"data.total\"` leads to no list: it is a number")),
        ] {
            let list = list(&answer, path).map(|entries| entries.len());
            assert_eq!(list.as_ref().map_err(String::as_str), found.as_ref().map_err(|e| &**e), "{path}");
        }
        assert_eq!(list(&json!([1, 2, 3]), "$").unwrap().len(), 3);
    }

    #[test]
    fn links_are_made_of_fields() {
        let entry = json!({ "id": 17, "url": "/a/17.html", "name": "a b&c", "o": { "path": "x/y" } });
        for (template, link) in [
            ("url", Some("/a/17.html")),
            ("https://n.example/a/{id}.html", Some("https://n.example/a/17.html")),
            ("https://n.example{url}", Some("https://n.example/a/17.html")),
            ("https://n.example/{url}", Some("https://n.example/a/17.html")),
            ("https://n.example/?n={name}&id={id}", Some("https://n.example/?n=a%20b%26c&id=17")),
            ("https://n.example/{o.path}", Some("https://n.example/x/y")),
            ("https://n.example/{gone}", None),
            ("gone", None),
        ] {
            assert_eq!(address(&entry, template).as_deref(), link, "{template}");
        }
    }

    #[test]
    fn dates_are_numbers_texts_and_objects() {
        let zone = chrono_tz::Asia::Shanghai;
        let at = Time::from_seconds(1_795_406_400);
        for value in [
            json!(1_795_399_200),
            json!(1_795_399_200_000_i64),
            json!(1_795_399_200_000_123_i64),
            json!(1_795_399_200.5),
            json!("1795399200"),
            json!("/Date(1795399200000+0800)/"),
            json!({ "time": 1_795_399_200_000_i64, "day": 23 }),
            json!("2026-11-23 10:00:00"),
            json!([2026, 11, 23, 10, 0]),
        ] {
            let claim = dates::read(&moment(&value).unwrap(), zone, at).unwrap();
            assert_eq!(claim.at.seconds(), 1_795_399_200, "{value}");
        }
    }
}
