//! What a reload would do: sources that come, go or are read in another way, and the feeds that gain or lose stories by
//! changed rules. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::desk::{Rewind, Rules, ShelfError};
use crate::editor::{Reading, past};
use crate::journal::Journal;
use crate::model::edit::Edit;
use crate::model::edition::EditionId;
use crate::model::id::StoryNo;
use crate::model::setting::{InForce, Setting, Settings};
use crate::model::tag::Tag;
use crate::place::Gazetteer;
use crate::press;
use crate::store::{Store, StoreError};

/// So many feeds are listed for people.
const LISTED: usize = 40;

/// What a reload would do.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// Ids of sources that are new.
    pub added: Vec<String>,
    /// Ids of sources whose block is gone: their items and their feed stay.
    pub retired: Vec<String>,
    /// Ids of sources whose documents will be read in another way (address, selectors, filters, zone): their next filing
    /// is a baseline, and changed text in it is no edit.
    pub read_anew: Vec<String>,
    /// Ids of sources of which something else changed that feeds show (name, rank, cities, tags, how much is republished).
    pub described: Vec<String>,
    /// Other parts of the file that changed.
    pub parts: Vec<String>,
    /// Past stories that get other cities or provinces.
    pub moved: u64,
    /// Past stories that get other tags.
    pub retagged: u64,
    /// Feeds that gain or lose past stories, by address. Every other feed keeps its bytes.
    pub feeds: BTreeMap<String, Change>,
}

/// What becomes of a feed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The change brings it into being: it begins with these stories.
    pub new: bool,
    /// Past stories that join. Those of a feed that exists join its archive, never its window: nobody sees old news as new.
    pub gains: u64,
    /// Stories that leave, silently.
    pub loses: u64,
}

/// Why it cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A past story cannot be read.
    #[error("{}", .0.0)]
    Shelf(ShelfError),
}

/// Compares settings with those in force.
///
/// # Errors
/// [`DiffError`] if the past cannot be read.
pub fn collect(store: &Store, journal: &Journal, settings: &Settings) -> Result<Diff, DiffError> {
    let (old, new) = (store.view().settings(), Arc::new(settings.recorded()));
    let mut diff = Diff::default();
    for source in &settings.sources {
        let key = format!("source/{}", source.id());
        let id = source.id().to_string();
        let head = store.view().source(source.id())?;
        if !old.contains_key(&key) {
            diff.added.push(id);
        } else if head.is_some_and(|head| head.reading != 0 && head.reading != source.reading()) {
            diff.read_anew.push(id);
        } else if old.get(&key) != new.get(&key) {
            diff.described.push(id);
        }
    }
    for key in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let (before, after) = (old.get(key), new.get(key));
        match key.split_once('/') {
            Some(("source", id)) if after.is_none() => diff.retired.push(id.to_owned()),
            Some(("source", _)) => {}
            Some((_, id)) if before != after => diff.parts.push(format!("[[feed]] {id}")),
            None if before != after => {
                diff.parts.push(if key == "tags" { "[[tag]]".to_owned() } else { format!("[{key}]") });
            }
            _ => {}
        }
    }
    stories(store, journal, &old, &new, &mut diff)?;
    Ok(diff)
}

/// What becomes of past stories.
fn stories(
    store: &Store,
    journal: &Journal,
    old: &Arc<InForce>,
    new: &Arc<InForce>,
    diff: &mut Diff,
) -> Result<(), DiffError> {
    let (before, _) = Rules::new(old, None);
    let (after, _) = Rules::new(new, Some(&before));
    let newborn = newborn(store, new)?;
    let Some(rewind) = Rewind::between(&before, &after, newborn.clone()) else { return Ok(()) };
    let gazetteer: &Gazetteer = after.gazetteer();
    let path = |edition: &EditionId| press::feed(edition, "rss", gazetteer);
    for edition in &newborn {
        diff.feeds.insert(path(edition), Change { new: true, ..Change::default() });
    }
    let last = store.view().meta().stories;
    let ask = |first, last| {
        // A fresh look each time: the editor goes on writing meanwhile.
        let draft = store.draft();
        let shelf = Reading::new(&draft, journal);
        let mut edits = Vec::new();
        for no in first..=last {
            if let Some(story) = draft.story_once(StoryNo(no))? {
                edits.extend(rewind.story(story, &shelf).map_err(DiffError::Shelf)?);
            }
        }
        Ok::<_, DiffError>(edits)
    };
    past::each([1, last], ask, |_, edits| {
        for edit in edits {
            let (joins, leaves) = match edit {
                Edit::Judge { .. } => {
                    diff.moved += 1;
                    continue;
                }
                Edit::Retag { .. } => {
                    diff.retagged += 1;
                    continue;
                }
                Edit::Refile { joins, leaves, .. } => (joins, leaves),
                Edit::Enter { editions, .. } => (editions, Vec::new()),
                _ => continue,
            };
            for edition in &joins {
                diff.feeds.entry(path(edition)).or_default().gains += 1;
            }
            for edition in &leaves {
                diff.feeds.entry(path(edition)).or_default().loses += 1;
            }
        }
        Ok(true)
    })?;
    Ok(())
}

/// Editions of saved feeds and tags that have never been.
fn newborn(store: &Store, new: &InForce) -> Result<BTreeSet<EditionId>, StoreError> {
    let view = store.view();
    let mut newborn = BTreeSet::new();
    for setting in new.values() {
        let editions = match setting {
            Setting::Feed(feed) => vec![EditionId::Saved(feed.id.clone())],
            Setting::Tags(rules) => {
                rules.iter().filter_map(|rule| Tag::new(&rule.id)).map(|tag| EditionId::Tag(tag.id)).collect()
            }
            _ => Vec::new(),
        };
        for edition in editions {
            if view.edition(&edition)?.is_none() {
                newborn.insert(edition);
            }
        }
    }
    Ok(newborn)
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return writeln!(f, "nothing would change");
        }
        let sources = [
            ("added", "", &self.added),
            ("retired", ": items and feeds stay", &self.retired),
            ("read anew", ": what its next poll finds changed is no edit", &self.read_anew),
            ("changed", "", &self.described),
        ];
        for (what, remark, ids) in sources {
            for id in ids {
                writeln!(f, "source {id} {what}{remark}")?;
            }
        }
        for part in &self.parts {
            writeln!(f, "{part} changed")?;
        }
        if self.moved + self.retagged > 0 {
            writeln!(f, "past stories: {} get other cities, {} other tags", self.moved, self.retagged)?;
        }
        for (path, change) in self.feeds.iter().take(LISTED) {
            let Change { new, gains, loses } = change;
            if *new {
                writeln!(f, "{path} is new and begins with {gains} past stories")?;
            } else {
                writeln!(f, "{path} gains {gains} past stories in its archive and loses {loses}")?;
            }
        }
        if self.feeds.len() > LISTED {
            writeln!(f, "and {} more feeds: `citydesk diff --json` lists them all", self.feeds.len() - LISTED)?;
        }
        Ok(())
    }
}
