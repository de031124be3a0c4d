//! Pages for people: each is a template and the code that fills it.

pub mod edition;
pub mod front;
pub mod paper;
pub mod problem;
pub mod river;
pub mod search;
pub mod sources;
pub mod story;

use std::sync::{Arc, LazyLock};

use bytes::Bytes;

use super::directory::Directory;
use super::link;
use super::moment::Dial;
use super::words::Words;
use crate::model::edition::EditionId;
use crate::model::id::{SourceId, hash64};
use crate::model::place::Placed;
use crate::model::setting::{Settings, Site};
use crate::model::tag::Tag;
use crate::model::time::Time;
use crate::place::Gazetteer;
use crate::store::view::View;

/// The style sheet.
pub const STYLE: &str = include_str!("style.css");
/// The script of the copy buttons; pages work without it.
pub const SCRIPT: &str = include_str!("copy.js");
/// The icon.
pub const ICON: &str = include_str!("favicon.svg");

/// Address of the style sheet: a changed one has another, so browsers may keep it for good.
pub static STYLE_PATH: LazyLock<String> =
    LazyLock::new(|| format!("/assets/style.{:016x}.css", hash64(&[STYLE.as_bytes()])));
/// Address of the script, likewise.
pub static SCRIPT_PATH: LazyLock<String> =
    LazyLock::new(|| format!("/assets/copy.{:016x}.js", hash64(&[SCRIPT.as_bytes()])));

/// An embedded file at this path: its type and bytes.
#[must_use]
pub fn asset(path: &str) -> Option<(&'static str, Bytes)> {
    if path == *STYLE_PATH {
        return Some(("text/css; charset=utf-8", Bytes::from_static(STYLE.as_bytes())));
    }
    if path == *SCRIPT_PATH {
        return Some(("text/javascript; charset=utf-8", Bytes::from_static(SCRIPT.as_bytes())));
    }
    // Browsers look at the type and not at the name: the old address gives the same picture.
    let icon = path == "/favicon.svg" || path == "/favicon.ico";
    icon.then(|| ("image/svg+xml", Bytes::from_static(ICON.as_bytes())))
}

/// What every page is made from.
pub struct Desk<'a> {
    /// A whole version of the store.
    pub view: &'a View<'a>,
    /// What there is to choose from.
    pub directory: Arc<Directory>,
    /// feeds.toml as it is in force.
    pub settings: &'a Settings,
    /// Places.
    pub gazetteer: &'a Gazetteer,
    /// The language of the words around the news.
    pub words: &'static Words,
    /// Writes times.
    pub dial: Dial,
    /// Path before our own.
    pub root: String,
    /// Whether pages become files: then no link needs a program behind it.
    pub fixed: bool,
    /// Whether the archive can be searched here.
    pub searches: bool,
}

impl<'a> Desk<'a> {
    /// For one request.
    #[must_use]
    pub fn new(
        view: &'a View<'a>,
        directory: Arc<Directory>,
        settings: &'a Settings,
        gazetteer: &'a Gazetteer,
        now: Time,
    ) -> Self {
        let words = super::words::of(&settings.site.language);
        let dial = Dial::new(&settings.site.zone, words, now);
        let root = link::prefix(&settings.site.public_url).to_owned();
        Self { view, directory, settings, gazetteer, words, dial, root, fixed: false, searches: false }
    }

    /// `[site]`.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.settings.site
    }

    /// Where all our addresses begin, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> &str {
        self.site().public_url.trim_end_matches('/')
    }

    /// The frame of a page: `here` is its place in the navigation, `title` what it is about (the front page has none),
    /// `edition` the one feed it advertises.
    #[must_use]
    pub fn chrome(&self, here: &'static str, title: Option<&str>, edition: &EditionId) -> Chrome {
        let site = &self.site().title;
        let named = |name: &str| if name == site { site.clone() } else { format!("{name} · {site}") };
        let feed_title = match edition {
            EditionId::All => site.clone(),
            other => named(&self.name(other)),
        };
        Chrome {
            words: self.words,
            lang: self.site().language.clone(),
            site: site.clone(),
            title: title.map_or_else(|| site.clone(), named),
            here,
            feed_title,
            feed_address: format!("{}{}", self.base(), link::feed(edition, "rss", self.gazetteer)),
            root: self.root.clone(),
            zone: self.dial.zone(),
            style: &STYLE_PATH,
            script: &SCRIPT_PATH,
            noindex: false,
            searches: self.searches,
            sought: String::new(),
        }
    }

    /// An edition's name for people, without the site's title.
    #[must_use]
    pub fn name(&self, edition: &EditionId) -> String {
        let unit = |code: &crate::model::place::Code| {
            self.gazetteer.unit(*code).map_or_else(|| code.to_string(), |unit| unit.short.clone())
        };
        let tag = |id: &String| {
            let listed = self.directory.tags.iter().find(|tag| tag.id == *id);
            listed.map_or_else(|| id.clone(), |tag| tag.name.clone())
        };
        match edition {
            EditionId::All => self.words.everything.to_owned(),
            EditionId::City(code) | EditionId::Province(code) => unit(code),
            EditionId::Tag(id) => tag(id),
            EditionId::CityTag(code, id) => format!("{} · {}", unit(code), tag(id)),
            EditionId::Source(id) => self.source_name(id),
            EditionId::Saved(id) => {
                let listed = self.directory.saved.iter().find(|saved| saved.id == *id);
                listed.map_or_else(|| id.clone(), |saved| saved.name.clone())
            }
        }
    }

    /// A source's name.
    #[must_use]
    pub fn source_name(&self, id: &SourceId) -> String {
        self.directory.source(id).map_or_else(|| id.to_string(), |source| source.name.clone())
    }

    /// Link to an edition's page, named.
    #[must_use]
    pub fn chip(&self, edition: &EditionId, name: String, stories: Option<u64>) -> Chip {
        let href = format!("{}{}", self.root, link::page(edition, self.gazetteer));
        Chip { name, href, count: stories.filter(|stories| *stories > 0) }
    }

    /// Links to the pages of cities.
    #[must_use]
    pub fn cities(&self, placed: &[Placed]) -> Vec<Chip> {
        let short = |placed: &Placed| {
            self.gazetteer.unit(placed.code).map_or_else(|| placed.name.clone(), |unit| unit.short.clone())
        };
        placed.iter().map(|placed| self.chip(&EditionId::City(placed.code), short(placed), None)).collect()
    }

    /// Links to the pages of tags.
    #[must_use]
    pub fn tags(&self, tags: &[Tag]) -> Vec<Chip> {
        tags.iter().map(|tag| self.chip(&EditionId::Tag(tag.id.clone()), tag.name.clone(), None)).collect()
    }

    /// The lists beside the news: cities, provinces, tags, saved searches; so many of each at most.
    #[must_use]
    pub fn lists(&self, most: usize) -> Vec<List> {
        let directory = &self.directory;
        let cities: Vec<Chip> = directory
            .cities
            .iter()
            .take(most)
            .map(|place| self.chip(&EditionId::City(place.code), place.name.clone(), Some(place.stories)))
            .collect();
        let provinces = directory
            .provinces
            .iter()
            .take(most)
            .map(|place| self.chip(&EditionId::Province(place.code), place.name.clone(), Some(place.stories)))
            .collect();
        let tags = directory
            .tags
            .iter()
            .take(most)
            .map(|tag| self.chip(&EditionId::Tag(tag.id.clone()), tag.name.clone(), Some(tag.stories)))
            .collect();
        let saved = directory
            .saved
            .iter()
            .map(|saved| self.chip(&EditionId::Saved(saved.id.clone()), saved.name.clone(), Some(saved.stories)))
            .collect();
        let words = self.words;
        let lists = [(words.cities, cities), (words.saved, saved), (words.tags, tags), (words.provinces, provinces)];
        lists.into_iter().filter(|(_, chips)| !chips.is_empty()).map(|(title, chips)| List { title, chips }).collect()
    }
}

/// The frame around a page.
#[derive(Debug, Clone)]
pub struct Chrome {
    /// Words around the news.
    pub words: &'static Words,
    /// Language of the page.
    pub lang: String,
    /// Title of the desk.
    pub site: String,
    /// Title of the page.
    pub title: String,
    /// Which entry of the navigation it is; empty if none.
    pub here: &'static str,
    /// Title of the feed that the page advertises.
    pub feed_title: String,
    /// Its address, whole.
    pub feed_address: String,
    /// Path before our own.
    pub root: String,
    /// Name of the zone of the times.
    pub zone: &'static str,
    /// Path of the style sheet.
    pub style: &'static str,
    /// Path of the script.
    pub script: &'static str,
    /// Whether search engines should leave it out.
    pub noindex: bool,
    /// Whether the archive can be searched: then each page has the box.
    pub searches: bool,
    /// What stands in the box.
    pub sought: String,
}

/// A named link, perhaps with a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// Its text.
    pub name: String,
    /// Where it leads.
    pub href: String,
    /// Number of stories there.
    pub count: Option<u64>,
}

/// A list of links under a heading.
#[derive(Debug, Clone)]
pub struct List {
    /// The heading.
    pub title: &'static str,
    /// The links.
    pub chips: Vec<Chip>,
}
