//! `[cities]`: which cities are assigned and listed, and what they are called.

use std::path::PathBuf;

use serde_json::json;

use crate::config::city::{self, Anywhere, City, Names};
use crate::config::disk;
use crate::config::key::{Entry, Fields, Key, Kind, Table, Value};
use crate::config::kind::{self, File, Many};
use crate::config::load;
use crate::config::name;
use crate::config::reading::Reading;
use crate::config::sheet::Sheet;
use crate::model::place::Code;
use crate::model::setting::{Cities, Setting};

/// Largest gazetteer file, in bytes: it is held in memory and in the ledger.
const LARGEST_GAZETTEER: u64 = 4 << 20;

/// Problems of gazetteer files are shown after those of all TOML files.
const GAZETTEERS: usize = usize::MAX / 2;

const COVER: Key<Vec<Code>> = Key {
    name: "cover",
    doc: "Which cities are assigned and listed: names or codes; empty = everywhere.",
    default: "[]",
    kind: &Many(Anywhere),
};
const ALIAS: Key<Vec<(String, Code)>> =
    Key { name: "alias", doc: "Other names of cities: { \"莲城\" = \"许昌市\" }.", default: "{}", kind: &Alias };
const SLUG: Key<Vec<(Code, String)>> = Key {
    name: "slug",
    doc: "Last parts of their addresses, only to override: { \"许昌市\" = \"xuchang\" }.",
    default: "{}",
    kind: &Slug,
};
const GAZETTEER: Key<Vec<PathBuf>> = Key {
    name: "gazetteer",
    doc: "Further gazetteer files, for regions that are not built in.",
    default: "[]",
    kind: &Many(File),
};

/// The register of its keys.
pub(in crate::config) const TABLE: Table = Table {
    name: "cities",
    many: false,
    doc: "Which cities are assigned and listed.",
    keys: &[&COVER as &dyn Entry, &ALIAS, &SLUG, &GAZETTEER],
};

/// Name = city.
struct Alias;

impl Kind<Vec<(String, Code)>> for Alias {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<Vec<(String, Code)>> {
        let Some(pairs) = value.pairs() else {
            reading.expected(value, "a table", "{ \"莲城\" = \"许昌市\" }");
            return None;
        };
        let mut aliases = Vec::new();
        for (span, value) in pairs {
            if value.key.trim().is_empty() {
                reading.error(value.sheet, span, "an empty name is no alias", "leave it out");
            } else if let Some(code) = City.read(value, reading) {
                aliases.push((value.key.trim().to_owned(), code));
            }
        }
        Some(aliases)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "object", "additionalProperties": { "type": "string" } })
    }
}

/// City = slug.
struct Slug;

impl Kind<Vec<(Code, String)>> for Slug {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<Vec<(Code, String)>> {
        let Some(pairs) = value.pairs() else {
            reading.expected(value, "a table", "{ \"许昌市\" = \"xuchang\" }");
            return None;
        };
        let mut slugs: Vec<(Code, String)> = Vec::new();
        for (span, value) in pairs {
            let code = city::code(value.key.trim(), Value { span, ..value }, reading);
            let Some(slug) = kind::text(value, reading) else { continue };
            if !name::slug(slug) {
                let message = format!("the slug of `{}` can't be {}", value.key, value.described());
                reading.error(value.sheet, value.span, message, "1 to 64 of a-z 0-9 -, such as \"xuchang\"");
            } else if slugs.iter().any(|(_, taken)| taken == slug) {
                reading.error(
                    value.sheet,
                    value.span,
                    format!("the slug \"{slug}\" is given twice"),
                    "slugs are addresses",
                );
            } else if let Some(code) = code {
                slugs.push((code, slug.to_owned()));
            }
        }
        Some(slugs)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "object", "additionalProperties": { "type": "string", "pattern": "^[a-z0-9-]{1,64}$" } })
    }
}

/// A further gazetteer file.
pub(in crate::config) struct Further {
    /// Where it is.
    pub path: PathBuf,
    /// As written.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// The further gazetteer files. Read before any name is looked up.
pub(in crate::config) fn gazetteer(fields: &Fields<'_>, reading: &mut Reading) -> Vec<Further> {
    let paths = fields.or_default(&GAZETTEER, reading);
    let Some(value) = fields.raw(GAZETTEER.name) else { return Vec::new() };
    let mut contents = Vec::new();
    for (path, element) in paths.into_iter().zip(value.elements()) {
        let name = element.text().unwrap_or_default().to_owned();
        match disk::read(&path, LARGEST_GAZETTEER) {
            Ok(text) => contents.push(Further { path, name, text }),
            Err(error) => {
                let hint = "paths are relative to the folder of feeds.toml";
                reading.error(element.sheet, element.span, format!("the gazetteer {name} {error}"), hint);
            }
        }
    }
    contents
}

/// Reads it; from then on names are looked up in what it gives.
pub(in crate::config) fn read(fields: &Fields<'_>, further: &[Further], reading: &mut Reading) -> Cities {
    let gazetteer = further.iter().map(|file| file.text.clone()).collect();
    let mut cities = Cities { gazetteer, ..Cities::default() };
    look_up(&cities, fields, further, reading);
    cities.cover = fields.or_default(&COVER, reading);
    cities.alias = fields.or_default(&ALIAS, reading);
    cities.slug = fields.or_default(&SLUG, reading);
    look_up(&cities, fields, further, reading);
    let key = if further.is_empty() { ALIAS.name } else { GAZETTEER.name };
    let span = fields.value_span(key);
    load::bounded(&Setting::from(cities.clone()), "[cities] and its gazetteer files", fields.sheet, span, reading);
    cities
}

/// Has names looked up in the gazetteer that these settings make; its mistakes are shown where they stand.
fn look_up(cities: &Cities, fields: &Fields<'_>, further: &[Further], reading: &mut Reading) {
    let errors = match Names::with(cities) {
        Ok(names) => {
            reading.names = names;
            return;
        }
        Err(errors) => errors,
    };
    for error in errors {
        if let Some(file) = further.get(error.file) {
            let sheet = Sheet::new(file.name.clone(), GAZETTEERS + error.file, file.text.clone());
            reading.error(&sheet, sheet.whole_line(error.line), error.message, error.hint);
        } else {
            let key = if fields.raw(SLUG.name).is_some() { SLUG.name } else { ALIAS.name };
            reading.error(fields.sheet, fields.value_span(key), error.message, error.hint);
        }
    }
}
