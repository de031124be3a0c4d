//! `citydesk split`: some copies of a story are another story.

use std::path::Path;

use super::correct;
use super::exit::Exit;
use crate::app::hand::Wanted;

/// Has the copies split off, and prints both stories.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path, story: String, copies: Vec<String>) -> Exit {
    correct::run(runtime, config, &Wanted::Split(story, copies))
}
