//! What one reading of the configuration gathers: problems, keys not in force yet, and what names are looked up in.

use std::path::{Path, PathBuf};

use super::Pending;
use super::city::Names;
use super::key::Value;
use super::problem::{Problem, Severity};
use super::sheet::{Place, Sheet, Span};

/// Gathers while tables are read.
pub(super) struct Reading {
    /// The folder of the first file, absolute: paths are relative to it.
    pub folder: PathBuf,
    /// Names of places.
    pub names: Names,
    problems: Vec<(usize, Problem)>,
    pending: Vec<(usize, usize, Pending)>,
}

impl Reading {
    /// Begins.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, names: Names::default(), problems: Vec::new(), pending: Vec::new() }
    }

    /// Something that makes the configuration unusable.
    pub fn error(&mut self, sheet: &Sheet, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Error, sheet, span, message.into(), hint.into());
    }

    /// Something the operator should know.
    pub fn warning(&mut self, sheet: &Sheet, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Warning, sheet, span, message.into(), hint.into());
    }

    /// An error that something is not there. Not reported where the TOML itself is broken: it may well be there.
    pub fn missing(&mut self, sheet: &Sheet, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        if sheet.broken.is_empty() {
            self.error(sheet, span, message, hint);
        }
    }

    /// A value is not of the kind it must be.
    pub fn expected(&mut self, value: Value<'_>, what: &str, hint: impl Into<String>) {
        let message = format!("`{}` must be {what}, not {}", value.key, value.described());
        self.error(value.sheet, value.span, message, hint);
    }

    /// A key that is accepted although its feature is not built yet.
    pub fn later(&mut self, sheet: &Sheet, span: Span, key: String) {
        let place = sheet.place(span);
        let text = format!("{}:{}:{}", sheet.name, place.line, place.column);
        self.pending.push((sheet.index, span.start, Pending { key, place: text }));
    }

    /// Whether there was an error.
    pub fn wrong(&self) -> bool {
        self.problems.iter().any(|(_, problem)| problem.severity == Severity::Error)
    }

    /// A path of the configuration, absolute.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.join(Path::new(path))
    }

    /// All problems and all pending keys, by file and line.
    pub fn done(mut self) -> (Vec<Problem>, Vec<Pending>) {
        self.problems
            .sort_by(|(a, p), (b, q)| (a, p.line, p.column, p.severity).cmp(&(b, q.line, q.column, q.severity)));
        self.problems.dedup();
        self.pending.sort_by_key(|(sheet, at, _)| (*sheet, *at));
        let problems = self.problems.into_iter().map(|(_, problem)| problem).collect();
        (problems, self.pending.into_iter().map(|(_, _, pending)| pending).collect())
    }

    /// A mistake in the TOML itself.
    pub fn broken(&mut self, sheet: &Sheet, span: Span, message: String, hint: String) {
        self.push(Severity::Error, sheet, sheet.place(span), message, hint);
    }

    fn add(&mut self, severity: Severity, sheet: &Sheet, span: Span, message: String, hint: String) {
        let place = sheet.place(span);
        if !sheet.broken.contains(&place.line) {
            self.push(severity, sheet, place, message, hint);
        }
    }

    fn push(&mut self, severity: Severity, sheet: &Sheet, place: Place, message: String, hint: String) {
        let (file, source_line) = (sheet.name.clone(), sheet.source(place.line).to_owned());
        let Place { line, column, width } = place;
        self.problems.push((sheet.index, Problem { severity, file, line, column, width, message, hint, source_line }));
    }
}
