//! `fmt`: feeds.toml as a tidy person writes it, and the addresses that sources have moved to.
//!
//! Comments, the order of everything and the insides of values stay as they are. What changes is the space around them: a
//! key begins its line, one space stands on both sides of `=` (unless the keys of a group are aligned: then they stay so),
//! at most two empty lines stand anywhere and at least one above a header, and the file ends with a line break. A file
//! that is no TOML is not touched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml_edit::{ArrayOfTables, Decor, Document, DocumentMut, InlineTable, Item, KeyMut, RawString, Table, Value};
use unicode_width::UnicodeWidthStr;

use super::load::{self, Opened};
use super::name;
use super::problem::Problem;
use super::reading::Reading;
use super::sheet::{Sheet, Span};
use super::table;
use crate::model::id::SourceId;
use crate::model::time::Time;

/// Empty lines that may follow each other.
const EMPTY_LINES: usize = 2;

/// Where a source has moved for good.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Moved {
    /// Which source.
    pub source: String,
    /// The new address.
    pub to: String,
    /// Since when 301 or 308 lead there: milliseconds since 1970.
    pub since: i64,
}

/// A file as it is and as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tidied {
    /// Where it is.
    pub file: PathBuf,
    /// As named on the command line; an included file by its own path.
    pub name: String,
    /// As it is.
    pub before: String,
    /// As it should be.
    pub after: String,
    /// Addresses that the second has new, or that should be looked at, each with its place in the first.
    pub moved: Vec<Problem>,
}

/// feeds.toml and the files it includes, tidied, with the addresses that were learned.
///
/// # Errors
/// What is no TOML, or cannot be read: then nothing is to be written.
pub fn format(path: &Path, moved: &[Moved]) -> Result<Vec<Tidied>, Vec<Problem>> {
    let Opened { sheets, reading, .. } = load::open(path)?;
    if reading.wrong() {
        return Err(reading.done().0);
    }
    let learned: BTreeMap<&str, &Moved> = moved.iter().map(|moved| (moved.source.as_str(), moved)).collect();
    let mut all = Vec::new();
    let polled = addresses(&sheets);
    for (file, sheet) in sheets {
        let text = sheet.text.replace("\r\n", "\n");
        let Ok(document) = Document::parse(text.as_str()) else {
            // The two readers of TOML are of one house; should they ever differ, the file stays as it is.
            continue;
        };
        let mut reading = Reading::new(PathBuf::new());
        let edits = edits(&sheet, document.as_table(), &learned, &polled, &mut reading);
        let mut document = document.into_mut();
        for (nth, key, to) in edits {
            let block = document.get_mut("source").and_then(Item::as_array_of_tables_mut);
            let value = block.and_then(|all| all.get_mut(nth)).and_then(|block| block.get_mut(key));
            if let Some(value) = value.and_then(Item::as_value_mut) {
                readdress(value, &to);
            }
        }
        tidy(&mut document);
        let after = document.to_string();
        let (before, moved) = (sheet.text.clone(), reading.done().0);
        all.push(Tidied { file, name: sheet.name, before, after, moved });
    }
    Ok(all)
}

/// What `check` says of addresses that were learned, each at its place.
#[must_use]
pub fn moves(path: &Path, moved: &[Moved]) -> Vec<Problem> {
    if moved.is_empty() {
        return Vec::new();
    }
    let Ok(Opened { sheets, .. }) = load::open(path) else { return Vec::new() };
    let learned: BTreeMap<&str, &Moved> = moved.iter().map(|moved| (moved.source.as_str(), moved)).collect();
    let polled = addresses(&sheets);
    let mut reading = Reading::new(PathBuf::new());
    for (_, sheet) in &sheets {
        if let Ok(document) = Document::parse(sheet.text.as_str()) {
            edits(sheet, document.as_table(), &learned, &polled, &mut reading);
        }
    }
    reading.done().0
}

/// A block's id and address, as written; no address that holds a secret, and no files.
fn written(block: &Table) -> Option<(SourceId, &'static str, &str)> {
    let text = |key: &str| block.get(key).and_then(Item::as_str);
    let (key, address) = table::source::KINDS.iter().find_map(|kind| Some((*kind, text(kind)?)))?;
    if key == "files" || address.contains("${") {
        return None;
    }
    let id = text("id").map_or_else(|| Some(name::made(address)), SourceId::new)?;
    Some((id, key, address))
}

/// Who is polled at which address.
fn addresses(sheets: &[(PathBuf, Sheet)]) -> BTreeMap<String, SourceId> {
    let mut all = BTreeMap::new();
    for (_, sheet) in sheets {
        let Ok(document) = Document::parse(sheet.text.as_str()) else { continue };
        for block in document.get("source").and_then(Item::as_array_of_tables).iter().flat_map(|all| all.iter()) {
            if let Some((id, _, address)) = written(block) {
                all.insert(address.to_owned(), id);
            }
        }
    }
    all
}

/// The addresses that are to be written anew: block, key, address. Each is told in `reading`.
fn edits(
    sheet: &Sheet,
    root: &Table,
    learned: &BTreeMap<&str, &Moved>,
    polled: &BTreeMap<String, SourceId>,
    reading: &mut Reading,
) -> Vec<(usize, &'static str, String)> {
    let mut edits = Vec::new();
    let none = ArrayOfTables::new();
    let blocks = root.get("source").and_then(Item::as_array_of_tables).unwrap_or(&none);
    for (nth, block) in blocks.iter().enumerate() {
        let Some((id, key, address)) = written(block) else { continue };
        let Some(Moved { to, since, .. }) = learned.get(id.as_str()).filter(|moved| moved.to != address) else {
            continue;
        };
        let span = block.get(key).and_then(Item::span).map_or_else(Span::default, Span::from);
        let day = Time(*since).utc().format("%Y-%m-%d");
        if let Some(other) = polled.get(to).filter(|other| **other != id) {
            let message = format!("source {id} has moved to the address of source {other}, since {day}");
            reading.warning(sheet, span, message, "one of the two is enough: remove this block");
            continue;
        }
        let message = format!("source {id} has moved for good: its server leads to {to} since {day}");
        let hint =
            "`citydesk fmt` shows the edit, `citydesk fmt --write` makes it; until then it is asked there all the same";
        reading.warning(sheet, span, message, hint);
        edits.push((nth, key, to.clone()));
    }
    edits
}

/// Another address, with the comment behind it as it was.
fn readdress(value: &mut Value, to: &str) {
    let mut decor = value.decor().clone();
    let width = |value: &mut Value| {
        value.decor_mut().clear();
        value.to_string().width() as isize
    };
    let before = width(value);
    *value = Value::from(to);
    let suffix = behind(text(decor.suffix()), width(value) - before);
    decor.set_suffix(suffix);
    *value.decor_mut() = decor;
}

/// Sets the space around everything.
fn tidy(document: &mut DocumentMut) {
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    table(document.as_table_mut());
    let rest = above(&format!("{trailing}\n"), false);
    let rest = rest.trim_end_matches('\n');
    let rest = if document.as_table().is_empty() { rest.trim_start_matches('\n') } else { rest };
    document.set_trailing(if rest.is_empty() { String::new() } else { format!("{rest}\n") });
    top(document.as_table_mut());
}

/// Takes away the empty lines at the very top of a document, which stand above its first key or header.
fn top(root: &mut Table) {
    let strip = |decor: &mut Decor| {
        let prefix = decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
        let prefix = prefix.trim_start_matches('\n').to_owned();
        decor.set_prefix(prefix);
    };
    let first_key = root.iter().find(|(_, item)| item.is_value()).map(|(key, _)| key.to_owned());
    if let Some(mut key) = first_key.and_then(|key| root.key_mut(&key)) {
        strip(key.leaf_decor_mut());
        return;
    }
    if let Some(table) = first_table(root) {
        strip(table.decor_mut());
    }
}

/// The table whose header stands first.
fn first_table(root: &mut Table) -> Option<&mut Table> {
    let mut all: Vec<&mut Table> = Vec::new();
    for (_, item) in root.iter_mut() {
        match item {
            Item::Table(table) => all.push(table),
            Item::ArrayOfTables(many) => all.extend(many.iter_mut().next()),
            _ => {}
        }
    }
    all.into_iter().min_by_key(|table| table.position())
}

/// Sets the space in a table and in those below it.
fn table(table: &mut Table) {
    let mut group: Vec<String> = Vec::new();
    let mut groups: Vec<Vec<String>> = Vec::new();
    for (mut key, item) in table.iter_mut() {
        match item {
            Item::Value(value) if !value.as_inline_table().is_some_and(InlineTable::is_dotted) => {
                let prefix = above(text(key.leaf_decor().prefix()), false);
                if prefix.starts_with('\n') || prefix.contains("\n\n") {
                    groups.push(std::mem::take(&mut group));
                }
                group.push(key.get().to_owned());
                key.leaf_decor_mut().set_prefix(prefix);
            }
            // `a.b = 1` is a table in one line: it stays as it is written.
            Item::Value(_) => groups.push(std::mem::take(&mut group)),
            Item::Table(inner) if inner.is_dotted() => groups.push(std::mem::take(&mut group)),
            Item::Table(inner) => {
                header(&mut key, inner.decor_mut());
                self::table(inner);
            }
            Item::ArrayOfTables(many) => {
                for inner in many.iter_mut() {
                    header(&mut key, inner.decor_mut());
                    self::table(inner);
                }
            }
            Item::None => {}
        }
    }
    groups.push(group);
    for group in groups {
        align(table, &group);
    }
}

/// Space around a header.
fn header(key: &mut KeyMut<'_>, decor: &mut Decor) {
    key.leaf_decor_mut().clear();
    key.dotted_decor_mut().clear();
    let prefix = above(text(decor.prefix()), true);
    let suffix = behind(text(decor.suffix()), 0);
    decor.set_prefix(prefix);
    decor.set_suffix(suffix);
}

/// The keys of a group, one below the other.
fn align(table: &mut Table, group: &[String]) {
    let mut widest = 0;
    let mut aligned = false;
    for name in group {
        let Some(key) = table.key(name) else { continue };
        let gap = text(key.leaf_decor().suffix());
        widest = widest.max(key.display_repr().width());
        aligned |= gap.len() > 1;
    }
    for name in group {
        let Some((mut key, item)) = table.get_key_value_mut(name) else { continue };
        let gap = if aligned { widest - key.display_repr().width() + 1 } else { 1 };
        let before = text(key.leaf_decor().suffix()).len();
        key.leaf_decor_mut().set_suffix(" ".repeat(gap));
        let Item::Value(value) = item else { continue };
        let shift = (gap as isize - before as isize) + (1 - text(value.decor().prefix()).len() as isize);
        let suffix = behind(text(value.decor().suffix()), shift);
        value.decor_mut().set_prefix(" ");
        value.decor_mut().set_suffix(suffix);
    }
}

fn text(raw: Option<&RawString>) -> &str {
    raw.and_then(RawString::as_str).unwrap_or_default()
}

/// What stands above a key or header: comments and empty lines.
fn above(text: &str, header: bool) -> String {
    let mut out = String::new();
    let mut empty = 0;
    let mut parted = false;
    let lines: Vec<&str> = text.split('\n').collect();
    // What follows the last line break is the indent of the key.
    for line in &lines[..lines.len() - 1] {
        let line = line.trim();
        if line.is_empty() {
            (empty, parted) = (empty + 1, true);
            if empty <= EMPTY_LINES {
                out.push('\n');
            }
        } else {
            empty = 0;
            out.push_str(line);
            out.push('\n');
        }
    }
    // A remark right above a header belongs to it; one that an empty line parts from it, to what stands above.
    if header && !parted { format!("\n{out}") } else { out }
}

/// What stands behind a value or header on its line: nothing, or a comment, in its column where that can be.
fn behind(text: &str, shift: isize) -> String {
    let comment = text.trim();
    if comment.is_empty() {
        return String::new();
    }
    let gap = text.len() - text.trim_start().len();
    let gap = (gap as isize - shift).max(1).unsigned_abs();
    format!("{}{comment}", " ".repeat(gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str, moved: &[Moved]) -> (String, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feeds.toml");
        std::fs::write(&path, text).unwrap();
        let all = format(&path, moved).unwrap();
        let told =
            all[0].moved.iter().map(|problem| format!("{}:{}: {}", problem.line, problem.column, problem.message));
        let told = told.collect();
        let after = all.into_iter().next().unwrap().after;
        if moved.is_empty() {
            std::fs::write(&path, &after).unwrap();
            assert_eq!(format(&path, &[]).unwrap()[0].after, after, "once is enough");
        }
        (after, told)
    }

    #[test]
    fn space_changes_and_nothing_else() {
        for (before, after) in [
            ("", ""),
            ("\n\n# only remarks", "# only remarks\n"),
            (
                "\n\n  # head\n\n\n\n\n  [ site ]  # why\ntitle=\"x\"   \n\tlanguage    =   \"zh-CN\"\t# of feeds\n\n\n",
                "# head\n\n\n[site]  # why\ntitle    = \"x\"\nlanguage = \"zh-CN\"      # of feeds\n",
            ),
            // A group that is not aligned is not aligned by us.
            (
                "include=[]\n[[source]]\nid=\"a\"\nfeed = \"https://a.example/\"\n# right above\n[[source]]\nid = 'b'\n\
                 feed = \"https://b.example/\"\n# rank = \"origin\"\n\n[[source]]\nid = 'c'\nfeed = 'https://c.example/'",
                "include = []\n\n[[source]]\nid = \"a\"\nfeed = \"https://a.example/\"\n\n# right above\n[[source]]\nid = 'b'\n\
                 feed = \"https://b.example/\"\n# rank = \"origin\"\n\n[[source]]\nid = 'c'\nfeed = 'https://c.example/'\n",
            ),
            // Values stay as they are written, over as many lines as they take.
            (
                "[cities]\ncover = [ \"河南省\",   # all of it\n   \"芜湖市\" ]\nalias = {  \"莲城\"=\"许昌市\" }\n",
                "[cities]\ncover = [ \"河南省\",   # all of it\n   \"芜湖市\" ]\nalias = {  \"莲城\"=\"许昌市\" }\n",
            ),
            (
                "[[source]]\r\nid  = \"a\" # first\r\nwhen = \"\"\"\r\nx   = 1\r\n\"\"\"\r\n[source.headers]\r\n  X-Key={ env = \"K\" }\r\n",
                "[[source]]\nid   = \"a\" # first\nwhen = \"\"\"\nx   = 1\n\"\"\"\n\n[source.headers]\nX-Key = { env = \"K\" }\n",
            ),
            ("a.b = 1\na.c   =   2\n", "a.b = 1\na.c   =   2\n"),
        ] {
            assert_eq!(formatted(before, &[]).0, after, "{before}");
        }
    }

    #[test]
    fn our_own_files_are_tidy() {
        for text in [super::super::STARTER, include_str!("../../feeds.toml")] {
            assert_eq!(formatted(text, &[]).0, text);
        }
    }

    #[test]
    fn an_address_that_was_learned_is_written() {
        let text = "[[source]]\nid   = \"a\"\nfeed = \"http://a.example/rss\"       # the old one\n\n\
                    [[source]]\nid = 'b'\npage = 'https://b.example/?k=${KEY}'\n\n\
                    [[source]]\nfeed = \"https://c.example/rss\"\n\n\
                    [[source]]\nid = \"d\"\nfeed = \"https://d.example/\"\n";
        let moved =
            |source: &str, to: &str| Moved { source: source.to_owned(), to: to.to_owned(), since: 1_795_392_000_000 };
        let made = name::made("https://c.example/rss").to_string();
        let all = [
            moved("a", "https://a.example/rss.xml"),
            moved("b", "https://b.example/new"),
            moved(&made, "https://d.example/"),
            moved("gone", "https://x.example/"),
        ];
        let (after, told) = formatted(text, &all);
        assert_eq!(after, text.replace("\"http://a.example/rss\"       #", "\"https://a.example/rss.xml\"  #"));
        assert_eq!(
            told,
            [
                "3:8: source a has moved for good: its server leads to https://a.example/rss.xml since 2026-11-23"
                    .to_owned(),
                format!("10:8: source {made} has moved to the address of source d, since 2026-11-23"),
            ]
        );
    }

    #[test]
    fn what_is_no_toml_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feeds.toml");
        std::fs::write(&path, "include = [\"more.toml\"]\n").unwrap();
        std::fs::write(folder.path().join("more.toml"), "[[source]\n").unwrap();
        let problems = format(&path, &[]).unwrap_err();
        assert!(problems[0].file.ends_with("more.toml"), "{problems:?}");
        std::fs::remove_file(folder.path().join("more.toml")).unwrap();
        assert!(format(&path, &[]).is_err(), "nor anything beside a file that cannot be read");
    }
}
