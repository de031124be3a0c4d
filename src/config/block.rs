//! Writing a `[[source]]` block as a person would: one flat block, values in TOML's plainest form.

use crate::model::source::ListPattern;
use std::fmt::Write as _;

/// A block under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block(String);

impl Default for Block {
    fn default() -> Self {
        Self("[[source]]\n".to_owned())
    }
}

impl Block {
    /// Adds a text.
    #[must_use]
    pub fn text(mut self, key: &str, value: &str) -> Self {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{key} = {}", quoted(value));
        self
    }

    /// The table of defaults with nothing but a zone, to stand before a block.
    #[must_use]
    pub fn defaults(zone: &str) -> String {
        format!("[defaults]\nzone = {}\n", quoted(zone))
    }

    /// Adds a text if there is one.
    #[must_use]
    pub fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    /// Adds a list of texts, unless it is empty.
    #[must_use]
    pub fn texts(mut self, key: &str, values: &[String]) -> Self {
        if !values.is_empty() {
            let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
            let _ = writeln!(self.0, "{key} = [{}]", values.join(", "));
        }
        self
    }

    /// Adds `list`, as an inline table.
    #[must_use]
    pub fn list(mut self, pattern: &ListPattern) -> Self {
        let parts = [
            ("item", Some(&pattern.item)),
            ("title", pattern.title.as_ref()),
            ("link", pattern.link.as_ref()),
            ("date", pattern.date.as_ref()),
            ("credit", pattern.credit.as_ref()),
            ("summary", pattern.summary.as_ref()),
        ];
        let parts: Vec<String> =
            parts.into_iter().filter_map(|(key, value)| Some(format!("{key} = {}", quoted(value?)))).collect();
        let _ = writeln!(self.0, "list = {{ {} }}", parts.join(", "));
        self
    }

    /// The block, with a line break at its end.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

/// A string of TOML 1.0: as it is between apostrophes where it has backslashes or quotes, else basic with escapes.
fn quoted(value: &str) -> String {
    let literal = value.contains(['\\', '"']) && !value.contains('\'') && !value.contains(char::is_control);
    if literal {
        return format!("'{value}'");
    }
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_in_a_block_is_read_back() {
        for value in ["许昌", "a\"b", r"\d{4}", "it's \\ \"x\"", "a\nb\u{7f}\u{85}", "", "'", "${X}"] {
            let block =
                Block::default().text("id", "x").text("name", value).text("feed", "https://a.example/").into_text();
            let table: toml::Table = block.parse().unwrap();
            assert_eq!(table["source"][0]["name"].as_str(), Some(value), "{block}");
        }
        let pattern = ListPattern { item: "ul > li".into(), date: Some("span".into()), ..ListPattern::default() };
        assert_eq!(
            Block::default().list(&pattern).into_text(),
            "[[source]]\nlist = { item = \"ul > li\", date = \"span\" }\n"
        );
    }
}
