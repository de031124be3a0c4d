//! `citydesk spike`: a story is taken out of everything.

use std::path::Path;

use super::correct;
use super::exit::Exit;
use crate::app::hand::Wanted;

/// Has the stories taken out, and says so.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path, stories: Vec<String>) -> Exit {
    correct::run(runtime, config, &Wanted::Spike(stories))
}
