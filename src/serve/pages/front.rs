//! The front page: everything, newest first, and what there is to choose from.

use askama::Template;

use super::river::{River, STORIES, before};
use super::{Chrome, Desk, List};
use crate::model::edition::EditionId;
use crate::serve::reply::Unmade;

/// So many cities, tags and provinces stand beside the news.
const LISTED: usize = 60;

#[derive(Template)]
#[template(path = "front.html")]
struct Front {
    chrome: Chrome,
    river: River,
    newer: Option<String>,
    lists: Vec<List>,
}

impl Desk<'_> {
    /// `/`.
    ///
    /// # Errors
    /// [`Unmade`] if the store fails.
    pub fn front(&self, query: Option<&str>) -> Result<String, Unmade> {
        let edition = EditionId::All;
        let before = before(query);
        let stories = self.view.page(&edition, before, STORIES + 1)?;
        let page = Front {
            chrome: self.chrome("front", None, &edition),
            river: self.river(&stories, STORIES, "/"),
            newer: before.map(|_| format!("{}/", self.root)),
            lists: self.lists(LISTED),
        };
        Ok(page.render()?)
    }
}
