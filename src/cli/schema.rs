//! `citydesk schema`: a JSON Schema of feeds.toml, for editors.

use super::exit::Exit;
use super::say;

/// Prints it.
#[must_use]
pub fn run() -> Exit {
    say::out(crate::config::schema() + "\n", Exit::Fine)
}
