//! `citydesk spike`: a story is taken out of everything; `--undo`: it was a mistake.

use std::path::Path;

use super::correct;
use super::exit::Exit;
use crate::app::hand::Wanted;

/// Has the stories taken out, or brought back, and says so.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path, stories: Vec<String>, undo: bool) -> Exit {
    let wanted = if undo { Wanted::Reinstate(stories) } else { Wanted::Spike(stories) };
    correct::run(runtime, config, &wanted)
}
