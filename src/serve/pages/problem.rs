//! The page about an address that leads nowhere, with what may have been meant.

use askama::Template;

use super::{Chip, Chrome, Desk};
use crate::model::edition::EditionId;
use crate::serve::reply::Unmade;

#[derive(Template)]
#[template(path = "problem.html")]
struct Problem {
    chrome: Chrome,
    heading: &'static str,
    sentence: String,
    near: Vec<Chip>,
}

impl Desk<'_> {
    /// What is wrong, in a sentence, and links to what is near.
    ///
    /// # Errors
    /// [`Unmade`] if the template fails.
    pub fn problem(&self, sentence: String, near: Vec<Chip>) -> Result<String, Unmade> {
        let heading = self.words.problem.not_found;
        let mut chrome = self.chrome("", Some(heading), &EditionId::All);
        chrome.noindex = true;
        Ok(Problem { chrome, heading, sentence, near }.render()?)
    }
}
