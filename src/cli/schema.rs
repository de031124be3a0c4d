//! `citydesk schema`: a JSON Schema of feeds.toml, for editors.

use super::exit::Exit;

/// Prints it.
#[must_use]
pub fn run() -> Exit {
    println!("{}", crate::config::schema());
    Exit::Fine
}
