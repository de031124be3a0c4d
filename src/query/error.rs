//! What is wrong with a query, where, and what to write instead.

use super::term::PlaceKind;

/// A mistake in a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message} ({hint})")]
pub struct QueryError {
    /// Where it begins, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl QueryError {
    /// An error of these parts.
    pub(super) fn new(column: usize, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { column, message: message.into(), hint: hint.into() }
    }

    /// A place name that the gazetteer does not know, or not as one place.
    pub(super) fn unknown_place(kind: PlaceKind, name: &str, column: usize) -> Self {
        let word = kind.word();
        Self::new(
            column,
            format!("no single {word} is called \"{name}\""),
            format!("write its full name or its code, as {}", kind.example()),
        )
    }
}

/// The one of `known` that `given` was probably meant to be: at most two keystrokes away, and not most of the word.
pub(super) fn nearest<'k>(given: &str, known: &[&'k str]) -> Option<&'k str> {
    let given = given.to_lowercase();
    known
        .iter()
        .map(|name| (strsim::osa_distance(&given, name), *name))
        .filter(|(distance, name)| *distance <= 2 && *distance * 2 <= name.len())
        .min()
        .map(|(_, name)| name)
}
