//! What a query would match of the stories in the store: count, days, newest headlines. Nothing is changed by asking.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::desk::rules;
use crate::editor::past;
use crate::journal::Journal;
use crate::model::id::StoryNo;
use crate::model::position::Texts as _;
use crate::model::setting::{InForce, Setting};
use crate::model::story::Story;
use crate::model::time::Time;
use crate::place::Gazetteer;
use crate::search;
use crate::store::{Store, StoreError};

/// Newest stories shown.
const SHOWN: usize = 10;

/// What a query matches.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The query as it was understood.
    pub query: String,
    /// Stories that were asked about: all that go on, those held back from the feeds included.
    pub stories: u64,
    /// How many of them match.
    pub hits: u64,
    /// How many of the hits are held back from the feeds.
    pub held: u64,
    /// Hits by day of publication, in the desk's zone.
    pub days: BTreeMap<String, u64>,
    /// The newest hits, newest first.
    pub newest: Vec<Hit>,
}

/// A story that matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Its guid, as in `/story/{guid}`.
    pub id: String,
    /// Headline.
    pub title: String,
    /// When it was published, RFC 3339.
    pub published: String,
    /// Names of its cities.
    pub cities: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// Why a query could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The query is wrong; with the column.
    #[error("{0}")]
    Query(#[from] crate::query::QueryError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks `text` about every story of the store. `now` is what relative dates count from.
///
/// # Errors
/// [`PreviewError`]: a place that the gazetteer does not know is a mistake in the query, too.
pub fn collect(store: &Store, journal: &Journal, text: &str, now: Time) -> Result<Preview, PreviewError> {
    let settings = store.view().settings();
    let (query, unresolved) = rules::compile(text, &gazetteer(&settings))?;
    if let Some(error) = unresolved.into_iter().next() {
        return Err(error.into());
    }
    let (zone, language) = (zone(&settings), language(&settings));
    let day = |at: Time| at.utc().with_timezone(&zone);
    let mut preview = Preview { query: query.to_string(), ..Preview::default() };
    let mut newest: Vec<(Time, Story)> = Vec::new();
    let last = store.view().meta().stories;
    let ask = |first, last: u64| {
        let most = (last + 1 - first) as usize;
        let stories: Vec<Story> = store.view().stories(StoryNo(first)).take(most).collect::<Result<_, _>>()?;
        let goes_on = |story: &Story| story.retired_into.is_none() && !story.spiked && story.no.0 <= last;
        let stories: Vec<Story> = stories.into_iter().filter(goes_on).collect();
        let asked = stories.len() as u64;
        let hits = stories
            .into_iter()
            .filter(|story| search::matches(&query, story, &|position| journal.item(position), Some(now), &language))
            .collect::<Vec<_>>();
        Ok::<_, StoreError>((asked, hits))
    };
    past::each([1, last], ask, |_, (asked, hits)| {
        preview.stories += asked;
        for story in hits {
            preview.hits += 1;
            preview.held += u64::from(story.emission.is_none());
            let at = story.published();
            *preview.days.entry(day(at).format("%Y-%m-%d").to_string()).or_default() += 1;
            newest.push((at, story));
        }
        if newest.len() >= SHOWN * 20 {
            keep_newest(&mut newest);
        }
        Ok(true)
    })?;
    keep_newest(&mut newest);
    preview.newest = newest
        .into_iter()
        .map(|(at, story)| Hit {
            id: story.guid.to_string(),
            title: title(&story).to_owned(),
            published: day(at).to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            cities: story.places.cities.iter().map(|placed| placed.name.clone()).collect(),
            tags: story.tags.iter().map(|tag| tag.name.clone()).collect(),
        })
        .collect();
    Ok(preview)
}

fn keep_newest(stories: &mut Vec<(Time, Story)>) {
    stories.sort_by_key(|(at, story)| std::cmp::Reverse((*at, story.no)));
    stories.truncate(SHOWN);
}

fn title(story: &Story) -> &str {
    let printed = story.emission.as_ref().map(|emission| &emission.title);
    printed.or(story.shown().map(|copy| &copy.title)).map_or("", String::as_str)
}

fn gazetteer(settings: &InForce) -> std::sync::Arc<Gazetteer> {
    match settings.get("cities") {
        Some(Setting::Cities(cities)) => Gazetteer::build(cities).unwrap_or_else(|_| Gazetteer::builtin()),
        _ => Gazetteer::builtin(),
    }
}

fn zone(settings: &InForce) -> chrono_tz::Tz {
    let zone = match settings.get("site") {
        Some(Setting::Site(site)) => site.zone.parse().ok(),
        _ => None,
    };
    zone.unwrap_or(chrono_tz::UTC)
}

fn language(settings: &InForce) -> String {
    match settings.get("site") {
        Some(Setting::Site(site)) => site.language.clone(),
        _ => String::new(),
    }
}

impl std::fmt::Display for Preview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "query   {}", self.query)?;
        let held =
            if self.held > 0 { format!(", {} of them held back from the feeds", self.held) } else { String::new() };
        writeln!(f, "hits    {} of {} stories{held}", self.hits, self.stories)?;
        for (day, count) in self.days.iter().rev().take(DAYS) {
            writeln!(f, "        {day}  {count}")?;
        }
        if self.days.len() > DAYS {
            writeln!(f, "        and {} earlier days (--json shows all)", self.days.len() - DAYS)?;
        }
        for hit in &self.newest {
            writeln!(f, "\n{}", hit.title)?;
            let about: Vec<&str> = hit.cities.iter().chain(&hit.tags).map(String::as_str).collect();
            writeln!(f, "  {}  {}", hit.published, about.join(" "))?;
        }
        Ok(())
    }
}

/// Days shown to people.
const DAYS: usize = 14;
