//! The register of keys: each is declared once, with its reader, its default and its one line of explanation; unknown
//! keys, the JSON Schema and the manual all come from it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use super::near;
use super::pending;
use super::reading::Reading;
use super::sheet::{Sheet, Span};
use super::table;

/// A value as it stands in a file.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    /// The key it belongs to.
    pub key: &'a str,
    /// The value.
    pub node: &'a DeValue<'a>,
    /// Where it stands.
    pub span: Span,
    /// In which file.
    pub sheet: &'a Sheet,
}

impl<'a> Value<'a> {
    /// What it is, for a message.
    pub fn described(&self) -> Cow<'static, str> {
        match self.node {
            DeValue::String(text) if text.is_empty() => "an empty text".into(),
            DeValue::String(text) if text.chars().count() <= SHOWN => format!("\"{text}\"").into(),
            DeValue::String(_) => "this text".into(),
            DeValue::Integer(number) => format!("the number {number}").into(),
            DeValue::Float(number) => format!("the number {}", number.as_str()).into(),
            DeValue::Boolean(flag) => format!("{flag}").into(),
            DeValue::Datetime(_) => "a date".into(),
            DeValue::Array(_) => "a list".into(),
            DeValue::Table(_) => "a table".into(),
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&'a str> {
        self.node.as_str()
    }

    /// The elements: of a list, or the one value itself.
    pub fn elements(self) -> Vec<Self> {
        match self.node {
            DeValue::Array(list) => {
                list.iter().map(|item| Self { node: item.get_ref(), span: item.span().into(), ..self }).collect()
            }
            _ => vec![self],
        }
    }

    /// The pairs of a table in the order of the file: span of the key, and the value under its key.
    pub fn pairs(self) -> Option<Vec<(Span, Self)>> {
        let table = self.node.as_table()?;
        Some(pairs(table, self.sheet))
    }

    /// Whether it is a table under a header of its own (`[source.headers]`) and not an inline one.
    fn under_header(&self) -> bool {
        let line = self.sheet.source(self.sheet.line(self.span.start)).trim_start();
        self.node.is_table() && line.starts_with('[') && !self.sheet.raw(self.span).starts_with('{')
    }
}

/// Longest text that a message repeats, in characters.
const SHOWN: usize = 40;

/// The pairs of a table in the order of the file.
pub(super) fn pairs<'a>(table: &'a DeTable<'a>, sheet: &'a Sheet) -> Vec<(Span, Value<'a>)> {
    let mut all: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let span = value.span().into();
            (key.span().into(), Value { key: key.get_ref().as_ref(), node: value.get_ref(), span, sheet })
        })
        .collect();
    all.sort_by_key(|(span, _): &(Span, Value<'_>)| *span);
    all
}

/// How a value of one kind is read.
pub(super) trait Kind<T>: Sync {
    /// The value, or `None` after a complaint.
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<T>;
    /// Its JSON Schema.
    fn schema(&self) -> serde_json::Value;
}

/// A key.
pub(super) struct Key<T: 'static> {
    /// As written.
    pub name: &'static str,
    /// One line for people.
    pub doc: &'static str,
    /// As it would be written; empty if there is none.
    pub default: &'static str,
    /// How it is read.
    pub kind: &'static dyn Kind<T>,
}

/// A key of any kind.
pub(super) trait Entry: Sync {
    /// As written.
    fn name(&self) -> &'static str;
    /// One line for people.
    fn doc(&self) -> &'static str;
    /// As it would be written; empty if there is none.
    fn default(&self) -> &'static str;
    /// Its JSON Schema.
    fn schema(&self) -> serde_json::Value;
}

impl<T> Entry for Key<T> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn doc(&self) -> &'static str {
        self.doc
    }
    fn default(&self) -> &'static str {
        self.default
    }
    fn schema(&self) -> serde_json::Value {
        self.kind.schema()
    }
}

/// A table: its header, its keys.
pub(super) struct Table {
    /// `site`; inner tables have a name in their path's shape (`source.expect`).
    pub name: &'static str,
    /// Whether there are many (`[[source]]`).
    pub many: bool,
    /// One line for people.
    pub doc: &'static str,
    /// Its keys, in the order of the manual.
    pub keys: &'static [&'static dyn Entry],
}

impl Table {
    /// As a message names it.
    pub fn title(&self) -> String {
        if self.many { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }

    /// Whether it knows this key.
    pub fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|known| known.name() == key)
    }
}

/// One table of a file, being read.
pub(super) struct Fields<'a> {
    /// Where its header stands.
    pub span: Span,
    /// In which file.
    pub sheet: &'a Sheet,
    table: &'static Table,
    found: BTreeMap<&'a str, (Span, Value<'a>)>,
    misspelt: BTreeSet<&'static str>,
}

impl<'a> Fields<'a> {
    /// Takes a table and complains about keys it does not know. `None` (after a complaint) if it is no table.
    pub fn open(table: &'static Table, value: Value<'a>, reading: &mut Reading) -> Option<Self> {
        let Some(pairs) = value.pairs() else {
            reading.expected(value, "a table", "");
            return None;
        };
        let (mut found, mut misspelt) = (BTreeMap::new(), BTreeSet::new());
        for (span, value) in pairs {
            if !table.has(value.key) {
                misspelt.extend(unknown(table, span, value, reading));
                continue;
            }
            if table.many && value.under_header() {
                let key = value.key;
                let message = format!("`{key}` stands in a table of its own below {}", table.title());
                let hint = format!("write it on one line inside the block: {key} = {{ … }}");
                reading.error(value.sheet, value.span, message, hint);
            }
            if pending::is(table.name, value) {
                reading.later(value.sheet, span, format!("{}.{}", table.name, value.key));
            }
            found.insert(value.key, (span, value));
        }
        Some(Self { span: value.span, sheet: value.sheet, table, found, misspelt })
    }

    /// A table that the file leaves out.
    pub fn absent(table: &'static Table, sheet: &'a Sheet) -> Self {
        Self { span: Span::default(), sheet, table, found: BTreeMap::new(), misspelt: BTreeSet::new() }
    }

    /// The value of a key, if it is there and good.
    pub fn get<T>(&self, key: &Key<T>, reading: &mut Reading) -> Option<T> {
        debug_assert!(self.table.has(key.name), "{} is not declared in {}", key.name, self.table.title());
        let (_, value) = self.found.get(key.name)?;
        key.kind.read(*value, reading)
    }

    /// The value of a key, or its declared default.
    pub fn or_default<T: Default>(&self, key: &Key<T>, reading: &mut Reading) -> T {
        self.get(key, reading).or_else(|| default(key, reading)).unwrap_or_default()
    }

    /// The value of a key that must be there.
    pub fn required<T>(&self, key: &Key<T>, reading: &mut Reading) -> Option<T> {
        if !self.found.contains_key(key.name) && !self.misspelt(&[key.name]) {
            let message = format!("{} has no `{}`", self.table.title(), key.name);
            reading.missing(self.sheet, self.span, message, format!("add {} = …: {}", key.name, key.doc));
        }
        self.get(key, reading)
    }

    /// The value as it stands.
    pub fn raw(&self, key: &str) -> Option<Value<'a>> {
        self.found.get(key).map(|(_, value)| *value)
    }

    /// Where the key stands; the header if it does not.
    pub fn key_span(&self, key: &str) -> Span {
        self.found.get(key).map_or(self.span, |(span, _)| *span)
    }

    /// Where the value stands; the header if it does not.
    pub fn value_span(&self, key: &str) -> Span {
        self.found.get(key).map_or(self.span, |(_, value)| value.span)
    }

    /// Whether one of these keys is probably there under a name that is not known: that was complained about.
    pub fn misspelt(&self, keys: &[&'static str]) -> bool {
        keys.iter().any(|key| self.misspelt.contains(key))
    }

    /// Those of these keys that are there.
    pub fn present(&self, keys: &[&'static str]) -> Vec<&'static str> {
        keys.iter().copied().filter(|key| self.found.contains_key(key)).collect()
    }
}

/// The declared default of a key, read as if it stood in the file.
pub(super) fn default<T>(key: &Key<T>, reading: &mut Reading) -> Option<T> {
    if key.default.is_empty() {
        return None;
    }
    let sheet = Sheet::new(String::new(), 0, format!("{} = {}", key.name, key.default));
    let (document, _) = sheet.parse();
    let (_, value) = pairs(&document, &sheet).into_iter().next()?;
    key.kind.read(value, reading)
}

/// Complains about a key that this table does not know: the nearest one it knows, which is returned, or the table that
/// it belongs to.
pub(super) fn unknown(
    table: &'static Table,
    span: Span,
    value: Value<'_>,
    reading: &mut Reading,
) -> Option<&'static str> {
    let key = value.key;
    let known = table.keys.iter().map(|key| key.name());
    let elsewhere = |other: &&&Table| !other.name.is_empty() && other.name != table.name && other.has(key);
    let home = table::ALL.iter().find(elsewhere);
    let near = near::to(key, known.clone());
    let hint = match (home, near) {
        (_, Some(near)) => format!("did you mean `{near}`?"),
        (Some(home), None) if home.many => {
            let title = home.title();
            format!(
                "`{key}` belongs to {title}: a block ends where the next header begins, so move it up into its block"
            )
        }
        (Some(home), None) => format!("`{key}` belongs to {}", home.title()),
        (None, None) => format!("known here: {}", known.collect::<Vec<_>>().join(" ")),
    };
    let place = if table.name.is_empty() { String::new() } else { format!(" in {}", table.title()) };
    reading.error(value.sheet, span, format!("unknown key `{key}`{place}"), hint);
    near
}
