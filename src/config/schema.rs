//! The JSON Schema of feeds.toml, for editors, made from the register of keys.

use serde_json::{Map, Value, json};

use super::key::Table;
use super::table;

/// The schema of the whole file (JSON Schema draft 7, which the TOML plug-ins of editors understand).
#[must_use]
pub fn schema() -> String {
    let mut schema = table(&table::root::TABLE, &[]);
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        object.insert("title".to_owned(), json!("feeds.toml"));
    }
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema of one table.
pub(super) fn table(table: &Table, required: &[&str]) -> Value {
    let mut properties = Map::new();
    for key in table.keys {
        let mut schema = key.schema();
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".to_owned(), json!(key.doc()));
            if let Some(default) = written(key.default()) {
                object.insert("default".to_owned(), default);
            }
        }
        properties.insert(key.name().to_owned(), schema);
    }
    let mut schema = json!({
        "type": "object",
        "description": table.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if let Some(object) = schema.as_object_mut() {
        if !required.is_empty() {
            object.insert("required".to_owned(), json!(required));
        }
        if table.name == table::source::TABLE.name {
            let one = table::source::KINDS.map(|kind| json!({ "required": [kind] }));
            object.insert("oneOf".to_owned(), json!(one));
        }
    }
    schema
}

/// A default as JSON; `None` if there is none.
fn written(default: &str) -> Option<Value> {
    let document: toml::Table = toml::from_str(&format!("it = {default}")).ok()?;
    serde_json::to_value(document.get("it")?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_the_schema_with_a_line_of_explanation() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let source = &schema["properties"]["source"]["items"];
        assert_eq!(source["properties"]["every"]["default"], "2m..12h");
        assert_eq!(source["properties"]["list"]["anyOf"][0]["anyOf"][0]["required"][0], "item");
        for table in table::ALL {
            assert!(!table.doc.is_empty(), "{}", table.name);
            for key in table.keys {
                assert!(!key.doc().is_empty(), "{}.{}", table.name, key.name());
                let count = table.keys.iter().filter(|other| other.name() == key.name()).count();
                assert_eq!(count, 1, "{}.{} is declared once", table.name, key.name());
            }
        }
    }
}
