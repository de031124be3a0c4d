//! How items are found on pages and in JSON: selectors, link patterns, paths.

use std::collections::BTreeMap;

use serde_json::json;

use super::key::{Entry, Fields, Key, Kind, Table, Value};
use super::kind::{self, Text};
use super::near;
use super::reading::Reading;
use crate::model::source::{JsonPattern, ListPattern};
use crate::parse;

/// Longest selector, path or pattern, in characters.
const LONGEST: usize = 1_000;

/// A CSS selector, which may end in `@attribute`.
struct Selector;

impl Kind<String> for Selector {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = Text(LONGEST).read(value, reading)?;
        if let Err(error) = parse::selector(&text) {
            let message = format!("`{}` is no selector: {error}", value.key);
            reading.error(
                value.sheet,
                value.span,
                message,
                "a CSS selector such as \".list li a\", \"@href\" behind it takes an attribute",
            );
            return None;
        }
        Some(text)
    }

    fn schema(&self) -> serde_json::Value {
        Text(LONGEST).schema()
    }
}

/// Where an article's text is.
pub(super) struct Body;

impl Kind<String> for Body {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = value.text().unwrap_or_default();
        if let Some(preset) = parse::preset(text) {
            return Some(preset.name.to_owned());
        }
        // A single word is a selector too, of an element of that name: `article`, but not `readible`.
        let word = text.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
        if let Some(near) = near::to(text, parse::PRESETS.iter().map(|preset| preset.name)).filter(|_| word) {
            let message = format!("`{}` knows no preset \"{text}\"", value.key);
            reading.error(value.sheet, value.span, message, format!("did you mean \"{near}\"?"));
            return None;
        }
        Selector.read(value, reading)
    }

    fn schema(&self) -> serde_json::Value {
        Selector.schema()
    }
}

/// A regular expression on the addresses of a page's links.
pub(super) struct Links;

impl Kind<String> for Links {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = Text(LONGEST).read(value, reading)?;
        if let Err(error) = parse::pattern(&text) {
            let hint = "a regular expression in single quotes; (?<y>…) (?<m>…) (?<d>…) give the date";
            reading.error(value.sheet, value.span, format!("`{}` is no pattern: {error}", value.key), hint);
            return None;
        }
        Some(text)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "format": "regex", "minLength": 1 })
    }
}

const ITEM: Key<String> = Key { name: "item", doc: "selector of one item", default: "", kind: &Selector };
const TITLE: Key<String> =
    Key { name: "title", doc: "inside the item; else the text of its link", default: "", kind: &Selector };
const LINK: Key<String> =
    Key { name: "link", doc: "inside the item; else the item itself or its first link", default: "", kind: &Selector };
const DATE: Key<String> = Key { name: "date", doc: "inside the item", default: "", kind: &Selector };
const CREDIT: Key<String> =
    Key { name: "credit", doc: "inside the item: who is named as the source", default: "", kind: &Selector };
const SUMMARY: Key<String> = Key { name: "summary", doc: "inside the item", default: "", kind: &Selector };

/// The table of one list pattern.
pub(super) const LIST: Table = Table {
    name: "source.list",
    many: false,
    doc: "How to find the items of a page.",
    keys: &[&ITEM as &dyn Entry, &TITLE, &LINK, &DATE, &CREDIT, &SUMMARY],
};

/// One list pattern or several; each finds a part of the page.
pub(super) struct Lists;

impl Kind<Vec<ListPattern>> for Lists {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<Vec<ListPattern>> {
        let mut lists = Vec::new();
        for value in value.elements() {
            if let Some(name) = value.text() {
                let patterns = parse::preset(name).map(parse::Preset::lists).unwrap_or_default();
                if patterns.is_empty() {
                    let known = parse::PRESETS.iter().filter(|preset| !preset.lists().is_empty());
                    let known = known.map(|preset| preset.name).collect::<Vec<_>>().join(", ");
                    let message = format!("`{}` knows no preset \"{name}\"", value.key);
                    reading.error(value.sheet, value.span, message, format!("a pattern, or one of: {known}"));
                }
                lists.extend(patterns);
                continue;
            }
            if !value.node.is_table() {
                reading.expected(value, "a list pattern", "{ item = \".list li\", title = \"a\", date = \"span\" }");
                continue;
            }
            let Some(fields) = Fields::open(&LIST, value, reading) else { continue };
            let item = fields.required(&ITEM, reading);
            let pattern = ListPattern {
                item: item.unwrap_or_default(),
                title: fields.get(&TITLE, reading),
                link: fields.get(&LINK, reading),
                date: fields.get(&DATE, reading),
                credit: fields.get(&CREDIT, reading),
                summary: fields.get(&SUMMARY, reading),
                fallback: false,
            };
            lists.push(pattern);
        }
        Some(lists)
    }

    fn schema(&self) -> serde_json::Value {
        let presets = parse::PRESETS.iter().filter(|preset| !preset.lists().is_empty());
        let presets: Vec<&str> = presets.map(|preset| preset.name).collect();
        let one = json!({ "anyOf": [super::schema::table(&LIST, &["item"]), { "enum": presets }] });
        json!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

const PATH: Text = Text(LONGEST);
const ITEMS: Key<String> = Key { name: "items", doc: "path to the list, such as data.rows", default: "", kind: &PATH };
const J_TITLE: Key<String> = Key { name: "title", doc: "path inside an item", default: "", kind: &PATH };
const J_LINK: Key<String> =
    Key { name: "link", doc: "path inside an item, or an address with {path} in it", default: "", kind: &Template };
const J_DATE: Key<String> = Key { name: "date", doc: "path inside an item", default: "", kind: &PATH };
const J_SUMMARY: Key<String> = Key { name: "summary", doc: "path inside an item", default: "", kind: &PATH };
const J_CREDIT: Key<String> = Key { name: "credit", doc: "path inside an item", default: "", kind: &PATH };

/// The table of a JSON pattern.
pub(super) const JSON: Table = Table {
    name: "source.json",
    many: false,
    doc: "Where the items of a JSON answer are.",
    keys: &[&ITEMS as &dyn Entry, &J_TITLE, &J_LINK, &J_DATE, &J_SUMMARY, &J_CREDIT],
};

/// A path or an address with `{path}` placeholders.
struct Template;

impl Kind<String> for Template {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = PATH.read(value, reading)?;
        let mut rest = text.as_str();
        let mut whole = true;
        while let Some(open) = rest.find(['{', '}']) {
            match rest[open..].strip_prefix('{').and_then(|inner| inner.split_once('}')) {
                Some((path, after)) if !path.is_empty() && !path.contains('{') => rest = after,
                _ => {
                    whole = false;
                    break;
                }
            }
        }
        if !whole {
            let message = format!("`{}` has a brace without its partner, or nothing between them", value.key);
            reading.error(value.sheet, value.span, message, "such as \"https://example.org/a/{id}\"");
            return None;
        }
        Some(text)
    }

    fn schema(&self) -> serde_json::Value {
        PATH.schema()
    }
}

/// The JSON pattern of a source.
pub(super) struct Json;

impl Kind<JsonPattern> for Json {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<JsonPattern> {
        let fields = Fields::open(&JSON, value, reading)?;
        let items = fields.required(&ITEMS, reading);
        let title = fields.required(&J_TITLE, reading);
        let link = fields.required(&J_LINK, reading);
        Some(JsonPattern {
            items: items.unwrap_or_default(),
            title: title.unwrap_or_default(),
            link: link.unwrap_or_default(),
            date: fields.get(&J_DATE, reading),
            summary: fields.get(&J_SUMMARY, reading),
            credit: fields.get(&J_CREDIT, reading),
        })
    }

    fn schema(&self) -> serde_json::Value {
        super::schema::table(&JSON, &["items", "title", "link"])
    }
}

/// Fields of a form.
pub(super) struct Form;

impl Kind<BTreeMap<String, String>> for Form {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<BTreeMap<String, String>> {
        let Some(pairs) = value.pairs() else {
            reading.expected(value, "a table of form fields", "{ page = \"1\" }");
            return None;
        };
        let mut form = BTreeMap::new();
        for (_, value) in pairs {
            if let Some(text) = kind::text(value, reading) {
                form.insert(value.key.to_owned(), text.to_owned());
            }
        }
        Some(form)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "object", "additionalProperties": { "type": "string" } })
    }
}
