//! The page of one edition, and the page for people at a feed's own address.

use askama::Template;

use super::river::{River, STORIES, before};
use super::{Chip, Chrome, Desk, List};
use crate::model::edition::EditionId;
use crate::serve::link;
use crate::serve::reply::Unmade;

/// Items on the page at a feed's address.
const NEWEST: usize = 15;
/// Cities, or tags, beside the news.
const LISTED: usize = 40;

#[derive(Template)]
#[template(path = "edition.html")]
struct Edition {
    chrome: Chrome,
    name: String,
    standfirst: String,
    up: Option<Chip>,
    river: River,
    newer: Option<String>,
    lists: Vec<List>,
}

#[derive(Template)]
#[template(path = "feed.html")]
struct Feed {
    chrome: Chrome,
    name: String,
    page: String,
    river: River,
}

impl Desk<'_> {
    /// `/city/…`, `/province/…`, `/tag/…`, `/saved/…`: the stories of one edition.
    ///
    /// # Errors
    /// [`Unmade`] if the store fails.
    pub fn edition(&self, edition: &EditionId, query: Option<&str>) -> Result<String, Unmade> {
        let before = before(query);
        let stories = self.view.page(edition, before, STORIES + 1)?;
        let path = link::page(edition, self.gazetteer);
        let mut name = self.name(edition);
        if let EditionId::City(code) | EditionId::Province(code) = edition
            && let Some(unit) = self.gazetteer.unit(*code)
        {
            name.clone_from(&unit.name);
        }
        let page = Edition {
            chrome: self.chrome("", Some(&name), edition),
            standfirst: self.standfirst(edition)?,
            up: self.up(edition),
            river: self.river(&stories, STORIES, &path),
            newer: before.map(|_| format!("{}{path}", self.root)),
            lists: self.lists(LISTED),
            name,
        };
        Ok(page.render()?)
    }

    /// The page that a person gets at a feed's address.
    ///
    /// # Errors
    /// [`Unmade`] if the store fails.
    pub fn feed(&self, edition: &EditionId) -> Result<String, Unmade> {
        let stories = self.view.page(edition, None, NEWEST)?;
        let name = self.name(edition);
        let mut chrome = self.chrome("", Some(&name), edition);
        chrome.noindex = true;
        let page = Feed {
            page: format!("{}{}", self.root, link::page(edition, self.gazetteer)),
            river: self.river(&stories, NEWEST, ""),
            name: chrome.feed_title.clone(),
            chrome,
        };
        Ok(page.render()?)
    }

    fn standfirst(&self, edition: &EditionId) -> Result<String, Unmade> {
        // Of a city-and-tag edition nobody counts the entries.
        if matches!(edition, EditionId::CityTag(..)) {
            return Ok(String::new());
        }
        let entries = self.view.edition(edition)?.map_or(0, |head| head.entries);
        Ok((self.words.stories)(entries))
    }

    fn up(&self, edition: &EditionId) -> Option<Chip> {
        let parent = match edition {
            EditionId::City(code) => {
                let province = self.gazetteer.unit(*code)?.province;
                if province == *code {
                    return None;
                }
                EditionId::Province(province)
            }
            EditionId::CityTag(code, _) => EditionId::City(*code),
            _ => return None,
        };
        let name = self.name(&parent);
        Some(self.chip(&parent, name, None))
    }
}
