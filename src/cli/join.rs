//! `citydesk join`: stories that the desk sees as several are one.

use std::path::Path;

use super::correct;
use super::exit::Exit;
use crate::app::hand::Wanted;

/// Has the stories joined, and prints which guid goes on.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path, stories: Vec<String>) -> Exit {
    correct::run(runtime, config, &Wanted::Join(stories))
}
