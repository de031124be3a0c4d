//! Reading feeds.toml and the files it includes, table by table, into [`Settings`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::disk::{self, Unreadable};
use super::key::{self, Fields, Table, Value};
use super::kind;
use super::pending;
use super::reading::Reading;
use super::sheet::{Sheet, Span};
use super::table;
use super::toml_words;
use super::{Failed, Loaded, Origin, Problem};
use crate::model::codec;
use crate::model::setting::{Setting, Settings};
use crate::model::tag::Tag;

/// Largest file, in bytes: a hundred thousand sources fit in.
const LARGEST: u64 = 100_000_000;
/// Most files that can be included.
const MOST_FILES: usize = 10_000;

/// Reads a configuration.
///
/// # Errors
/// [`Failed`] with every problem at once; also when the file can't be read.
pub fn load(path: &Path) -> Result<Loaded, Failed> {
    match disk::read(path, LARGEST) {
        Ok(text) => load_text(path, text),
        Err(error) => {
            // Where a store is unless the file says otherwise: a running daemon can be asked there.
            let store = folder(path).join("data");
            let origin = Origin { files: vec![absolute(path)], includes: Vec::new() };
            Err(failed(refused(path, &error), origin, store))
        }
    }
}

/// The complaint about a file that could not be read.
fn refused(path: &Path, error: &Unreadable) -> Reading {
    let mut reading = Reading::new(folder(path));
    let hint = match error {
        Unreadable::Refused(error) if error.kind() == std::io::ErrorKind::NotFound => {
            "name another file with --config, or run `citydesk` in an empty folder to get one to start from"
        }
        Unreadable::NotText(_) => "save it in UTF-8",
        _ => "",
    };
    let (sheet, span) = unread(path.display().to_string(), 0, error);
    reading.error(&sheet, span, format!("the file {error}"), hint);
    reading
}

/// The file and those it includes, as texts.
pub(super) struct Opened {
    /// Each with its absolute path, the first one first.
    pub sheets: Vec<(PathBuf, Sheet)>,
    /// What is wrong with the TOML itself.
    pub reading: Reading,
}

/// Opens a configuration without reading its tables.
///
/// # Errors
/// Why the first file cannot be read.
pub(super) fn open(path: &Path) -> Result<Opened, Vec<Problem>> {
    let text = disk::read(path, LARGEST).map_err(|error| refused(path, &error).done().0)?;
    let mut reading = Reading::new(folder(path));
    let mut first = Sheet::new(path.display().to_string(), 0, text);
    mark_broken(&mut first, &mut reading);
    let mut origin = Origin { files: vec![absolute(path)], includes: Vec::new() };
    let mut sheets = included(path, &first.parse().0, &first, &mut origin, &mut reading);
    for sheet in &mut sheets {
        mark_broken(sheet, &mut reading);
    }
    sheets.insert(0, first);
    // What could not be read has no sheet; then there is a complaint, and nobody looks at the paths.
    Ok(Opened { sheets: origin.files.into_iter().zip(sheets).collect(), reading })
}

/// Reads a configuration of which the first file's text is at hand; `path` is its name, and its folder is where paths
/// begin.
///
/// # Errors
/// [`Failed`] with every problem at once.
pub fn load_text(path: &Path, text: String) -> Result<Loaded, Failed> {
    let mut reading = Reading::new(folder(path));
    let mut first = Sheet::new(path.display().to_string(), 0, text);
    mark_broken(&mut first, &mut reading);
    let (document, _) = first.parse();
    let mut origin = Origin { files: vec![absolute(path)], includes: Vec::new() };
    let mut sheets = included(path, &document, &first, &mut origin, &mut reading);
    for sheet in &mut sheets {
        mark_broken(sheet, &mut reading);
    }
    let documents: Vec<_> = sheets.iter().map(|sheet| (sheet, sheet.parse().0)).collect();
    let mut desk = Headers::default();
    desk.collect(&first, &document, &mut reading);
    for (sheet, document) in &documents {
        desk.collect(sheet, document, &mut reading);
    }
    let settings = settings(&mut desk, &first, &mut origin, &mut reading);
    let store = settings.store.clone();
    let (problems, pending) = reading.done();
    if problems.iter().any(|problem| problem.severity == super::Severity::Error) {
        return Err(Failed { problems, pending, origin, store });
    }
    Ok(Loaded { settings, problems, pending, origin })
}

/// The folder that paths are relative to.
fn folder(path: &Path) -> PathBuf {
    absolute(path).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

fn failed(reading: Reading, origin: Origin, store: PathBuf) -> Failed {
    let (problems, pending) = reading.done();
    Failed { problems, pending, origin, store }
}

/// A sheet to point at in a file that could not be read: the place of the first byte that is no text.
fn unread(name: String, index: usize, error: &Unreadable) -> (Sheet, Span) {
    let text = match error {
        Unreadable::NotText(good) => String::from_utf8_lossy(good).into_owned(),
        _ => String::new(),
    };
    let end = text.len();
    (Sheet::new(name, index, text), Span { start: end, end })
}

/// Reports what is wrong with the TOML itself and remembers those lines.
fn mark_broken(sheet: &mut Sheet, reading: &mut Reading) {
    let (_, broken) = sheet.parse();
    for error in broken {
        let source = sheet.source(sheet.line(error.span.start));
        let (message, hint) = toml_words::of(&error.message, sheet.raw(error.span), source);
        reading.broken(sheet, error.span, message, hint);
        let line = sheet.line(error.span.start);
        sheet.broken.insert(line);
    }
}

/// The included files, in the order of `include` and then of their names.
fn included(
    path: &Path,
    document: &DeTable<'_>,
    sheet: &Sheet,
    origin: &mut Origin,
    reading: &mut Reading,
) -> Vec<Sheet> {
    let pairs = key::pairs(document, sheet);
    let Some((_, value)) = pairs.into_iter().find(|(_, value)| value.key == table::root::INCLUDE.name) else {
        return Vec::new();
    };
    let shown = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let mut sheets = Vec::new();
    for element in value.elements() {
        let Some(patterns) = table::root::INCLUDE.kind.read(element, reading) else { continue };
        for pattern in patterns {
            origin.includes.push(kind::rooted(&reading.folder, &pattern));
            let files = matches(&kind::rooted(&shown, &pattern));
            let wild = pattern.contains(['*', '?', '[']);
            if files.is_empty() && wild {
                reading.warning(sheet, element.span, "no file matches this pattern", "paths are relative to this file");
            }
            let files = if files.is_empty() && !wild { vec![shown.join(&pattern)] } else { files };
            for file in files {
                let place = absolute(&file);
                if origin.files.contains(&place) {
                    continue;
                }
                if sheets.len() >= MOST_FILES {
                    let message = format!("more than {MOST_FILES} files are included");
                    reading.error(sheet, element.span, message, "join some of them");
                    return sheets;
                }
                origin.files.push(place);
                let (name, index) = (file.display().to_string(), sheets.len() + 1);
                match disk::read(&file, LARGEST) {
                    Ok(text) => sheets.push(Sheet::new(name, index, text)),
                    Err(error @ Unreadable::NotText(_)) => {
                        let (unread, span) = unread(name, index, &error);
                        reading.error(&unread, span, format!("the file {error}"), "save it in UTF-8");
                    }
                    Err(error) => {
                        let hint = "paths are relative to this file";
                        reading.error(sheet, element.span, format!("the included file {name} {error}"), hint);
                    }
                }
            }
        }
    }
    sheets
}

/// Files that match, by name.
fn matches(pattern: &str) -> Vec<PathBuf> {
    let Ok(paths) = glob::glob(pattern) else { return Vec::new() };
    let mut files: Vec<PathBuf> = paths.filter_map(Result::ok).filter(|path| !path.is_dir()).collect();
    files.sort();
    files
}

/// All tables of all files.
#[derive(Default)]
struct Headers<'a> {
    single: BTreeMap<&'static str, Fields<'a>>,
    many: BTreeMap<&'static str, Vec<Fields<'a>>>,
}

impl<'a> Headers<'a> {
    /// Takes the tables of one file.
    fn collect(&mut self, sheet: &'a Sheet, document: &'a DeTable<'a>, reading: &mut Reading) {
        for (span, value) in key::pairs(document, sheet) {
            if value.key == table::root::INCLUDE.name {
                if sheet.index > 0 {
                    let message = "an included file can't include others";
                    reading.error(sheet, span, message, "name them in the first file");
                }
                continue;
            }
            let known = |name: &str| table::ALL.iter().find(|table| table.name == name && !name.is_empty());
            // A misspelt header's keys are checked as well, as those of the table it was probably meant to be.
            let table =
                known(value.key).or_else(|| key::unknown(&table::root::TABLE, span, value, reading).and_then(known));
            match table {
                Some(table) if table.many => self.block(table, span, value, reading),
                Some(table) => self.one(table, span, value, reading),
                None => {}
            }
        }
    }

    /// A table that stands once.
    fn one(&mut self, table: &'static Table, span: Span, value: Value<'a>, reading: &mut Reading) {
        let value = match value.node {
            DeValue::Array(list) if list.iter().any(|item| item.get_ref().is_table()) => {
                let message = format!("[{}] stands once", table.name);
                reading.error(value.sheet, span, message, format!("write [{}] with single brackets", table.name));
                let Some(first) = value.elements().into_iter().next() else { return };
                first
            }
            _ => value,
        };
        if let Some(first) = self.single.get(table.name) {
            let place = first.sheet.place(first.span);
            let message = format!("[{}] stands already in {}:{}", table.name, first.sheet.name, place.line);
            reading.error(value.sheet, span, message, "keep one of them");
            return;
        }
        if !value.node.is_table() {
            let name = table.name;
            reading.expected(value, "a table", format!("write [{name}] on a line of its own and its keys below"));
            return;
        }
        if let Some(fields) = Fields::open(table, value, reading) {
            self.single.insert(table.name, fields);
        }
    }

    /// A block of which there can be many.
    fn block(&mut self, table: &'static Table, span: Span, value: Value<'a>, reading: &mut Reading) {
        if pending::is("", value) {
            reading.later(value.sheet, span, table.title());
        }
        let name = table.name;
        if value.node.is_table() {
            let message = format!("[{name}] has one bracket too few");
            reading.error(value.sheet, span, message, format!("write [[{name}]]: there can be many"));
        } else if !value.node.is_array() {
            let hint = format!("write [[{name}]] on a line of its own above `{name} = …`");
            reading.expected(value, "a block", hint);
            return;
        }
        for element in value.elements() {
            let fields = Fields::open(table, element, reading);
            self.many.entry(name).or_default().extend(fields);
        }
    }

    fn take(&mut self, table: &'static Table) -> Vec<Fields<'a>> {
        self.many.remove(table.name).unwrap_or_default()
    }
}

/// Reads all tables, in an order in which each finds what it needs.
fn settings<'a>(headers: &mut Headers<'a>, first: &'a Sheet, origin: &mut Origin, reading: &mut Reading) -> Settings {
    let mut single =
        |table: &'static Table| headers.single.remove(table.name).unwrap_or_else(|| Fields::absent(table, first));
    let (site, server, store) =
        (single(&table::site::TABLE), single(&table::server::TABLE), single(&table::store::TABLE));
    let (defaults, fetch) = (single(&table::defaults::TABLE), single(&table::fetch::TABLE));
    let (cities, publish) = (single(&table::cities::TABLE), single(&table::publish::TABLE));
    let gazetteer = table::cities::gazetteer(&cities, reading);
    origin.files.extend(gazetteer.iter().map(|file| file.path.clone()));
    let cities = table::cities::read(&cities, &gazetteer, reading);
    let defaults = table::defaults::read(&defaults, reading);
    let server = table::server::read(&server, reading);
    let site = table::site::read(&site, &defaults.zone, server.listen, reading);
    let mut sources = Vec::new();
    for fields in headers.take(&table::source::TABLE) {
        if let Some(source) = table::source::read(&fields, &defaults, reading) {
            sources.push((fields, source));
        }
    }
    table::source::doubles(&sources, reading);
    if sources.is_empty() && !reading.wrong() {
        let hint = "[[source]] and below it feed = \"https://…\"; `citydesk try URL` shows first what it brings";
        reading.warning(first, Span::default(), "there is no source: nothing will be asked", hint);
    }
    let tags = headers.take(&table::tag::TABLE);
    let first_tag = tags.first().map(|fields| (fields.sheet, fields.span));
    let tags = blocks(tags, table::tag::read, |tag| Tag::new(&tag.id).map(|tag| tag.id).unwrap_or_default(), reading);
    if let Some((sheet, span)) = first_tag {
        bounded(&Setting::Tags(tags.clone()), "the [[tag]] rules", sheet, span, reading);
    }
    let feeds = blocks(headers.take(&table::feed::TABLE), table::feed::read, |feed| feed.id.clone(), reading);
    let alerts = blocks(headers.take(&table::alert::TABLE), table::alert::read, |alert| alert.id.clone(), reading);
    Settings {
        site,
        server,
        store: table::store::read(&store, reading),
        fetch: table::fetch::read(&fetch, reading),
        sources: sources.into_iter().map(|(_, source)| Arc::new(source)).collect(),
        cities,
        tags,
        feeds,
        alerts,
        publish: table::publish::read(&publish, reading),
    }
}

/// Complains of a part of the settings that is too large to be recorded as one.
pub(super) fn bounded(part: &Setting, what: &str, sheet: &Sheet, span: Span, reading: &mut Reading) {
    let bytes = codec::encode(part).len();
    if bytes > Setting::LARGEST {
        let message = format!("{what} take {bytes} bytes, more than the {} that can be recorded", Setting::LARGEST);
        reading.error(sheet, span, message, "shorten their queries, or leave some out");
    }
}

/// Reads blocks of one kind and complains about identities that stand twice.
fn blocks<T>(
    all: Vec<Fields<'_>>,
    read: fn(&Fields<'_>, &mut Reading) -> T,
    identity: fn(&T) -> String,
    reading: &mut Reading,
) -> Vec<T> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut blocks = Vec::new();
    for fields in all {
        let block = read(&fields, reading);
        let place = format!("{}:{}", fields.sheet.name, fields.sheet.place(fields.value_span("id")).line);
        let id = identity(&block);
        if let Some(first) = seen.get(&id).filter(|_| !id.is_empty()) {
            let message = format!("this id is taken by the block at {first}");
            reading.error(fields.sheet, fields.value_span("id"), message, "every block needs an id of its own");
        } else {
            seen.insert(id, place);
        }
        blocks.push(block);
    }
    blocks
}
