//! feeds.toml to checked values, all problems at once.
//!
//! [`load()`] reads the file and what it includes; every table has its own file under `table/`, and every key is declared
//! once in a register there, from which the hints for unknown keys and the JSON [`schema()`] come. Secrets stay names.

mod address;
mod block;
mod city;
mod disk;
mod duration;
mod format;
mod key;
mod kind;
mod load;
mod name;
mod near;
mod pattern;
mod pending;
mod problem;
mod reading;
mod schema;
mod search;
mod secret;
mod sheet;
mod size;
mod table;
mod toml_words;
pub mod watch;

use std::path::PathBuf;

pub use block::Block;
pub use format::{Moved, Tidied, format, moves};
pub use load::{load, load_text};
pub use problem::{Problem, Severity};
pub use schema::schema;

use crate::model::setting::Settings;

/// The commented file that a first start writes. Its samples are beside it, inside the binary.
pub const STARTER: &str = include_str!("starter.toml");

/// A key that is accepted and checked although its feature is not in force yet.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Pending {
    /// `source.body`.
    pub key: String,
    /// `feeds.toml:12:1`.
    pub place: String,
}

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The checked values, defaults filled in.
    pub settings: Settings,
    /// Warnings.
    pub problems: Vec<Problem>,
    /// Keys whose feature is not in force yet.
    pub pending: Vec<Pending>,
    /// What was read, to be watched.
    pub origin: Origin,
}

/// A configuration that can't be used.
#[derive(Debug, Clone)]
pub struct Failed {
    /// Errors and warnings, by file and line.
    pub problems: Vec<Problem>,
    /// Keys whose feature is not in force yet.
    pub pending: Vec<Pending>,
    /// What was read, to be watched.
    pub origin: Origin,
    /// `[store] path`, absolute, where that much could be read, else the default: a command needs it to reach a running
    /// daemon.
    pub store: PathBuf,
}

impl Failed {
    /// The first problem that is an error: the warnings before it keep nothing from being used.
    #[must_use]
    pub fn first_error(&self) -> Option<&Problem> {
        self.problems.iter().find(|problem| problem.severity == Severity::Error)
    }
}

/// Where a configuration came from.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Origin {
    /// All files read or asked for, the first one first, absolute.
    pub files: Vec<PathBuf>,
    /// Patterns of included files, absolute: a new file may come to match.
    pub includes: Vec<String>,
}

#[cfg(test)]
mod tests;
