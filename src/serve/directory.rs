//! What there is to choose from: cities, provinces, tags, saved searches and sources, with their numbers. Made from the
//! store now and then, because it looks at everything; what a page lists beside the news may be some seconds old.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::book::State;
use crate::model::edition::EditionId;
use crate::model::id::SourceId;
use crate::model::place::Code;
use crate::model::position::Position;
use crate::model::setting::{InForce, Setting};
use crate::model::tag::Tag;
use crate::place::Gazetteer;
use crate::store::{Store, StoreError};

/// A directory is good for so long at least.
const FRESH: Duration = Duration::from_secs(3);
/// And for so many times as long as it took to make: looking at everything may cost a twentieth of one processor.
const DUTY: u32 = 20;

/// A unit with its stories.
#[derive(Debug, Clone)]
pub struct Place {
    /// Which.
    pub code: Code,
    /// Without its kind: 许昌.
    pub name: String,
    /// Stories in its feed.
    pub stories: u64,
}

/// A tag, or a saved search, with its stories.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Folded id of a tag, id of a saved search.
    pub id: String,
    /// As it is shown.
    pub name: String,
    /// Stories in its feed.
    pub stories: u64,
    /// Whether a `[[tag]]` names it.
    pub configured: bool,
}

/// A source. A hundred thousand of them are kept, so what only its own page tells is looked up there.
#[derive(Debug, Clone)]
pub struct Source {
    /// Which.
    pub id: SourceId,
    /// Name for people.
    pub name: String,
    /// Its state; `None` once it is retired.
    pub state: Option<State>,
    /// Items it brought in all.
    pub items: u64,
}

impl Source {
    /// Most trouble first.
    const fn trouble(&self) -> u8 {
        match self.state {
            Some(State::Broken) => 0,
            Some(State::Gone) => 1,
            Some(State::Silent) => 2,
            Some(State::Late) => 3,
            Some(State::New) => 4,
            Some(State::Ok) => 5,
            None => 6,
        }
    }
}

/// Everything there is to choose from.
#[derive(Debug, Default)]
pub struct Directory {
    /// Covered cities and those with stories, most stories first, then by code.
    pub cities: Vec<Place>,
    /// Provinces of those, most stories first.
    pub provinces: Vec<Place>,
    /// Tags that a rule names or a story carries: most stories first, then by id.
    pub tags: Vec<Subject>,
    /// Saved searches, in order of id.
    pub saved: Vec<Subject>,
    /// Sources, most trouble first, then by id.
    pub sources: Vec<Source>,
    /// Where each stands among them, in order of id.
    places: Vec<u32>,
    /// Position of the ledger it was made from.
    pub applied: Position,
}

impl Directory {
    /// The source with this id.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<&Source> {
        let at = self.places.binary_search_by(|at| self.sources[*at as usize].id.cmp(id)).ok()?;
        self.sources.get(self.places[at] as usize)
    }

    /// All of them in order of id.
    pub fn sources_by_id(&self) -> impl Iterator<Item = &Source> {
        self.places.iter().map(|at| &self.sources[*at as usize])
    }
}

/// A [`Directory`] kept for a while.
#[derive(Debug, Default)]
pub struct Kept {
    last: Mutex<Option<(Instant, Duration, Arc<Directory>)>>,
}

impl Kept {
    /// The directory as it stands, or a few seconds ago. Reads the store: not to be called where nothing may block.
    ///
    /// # Errors
    /// [`crate::store::StoreError`] if sled fails.
    pub fn get(&self, store: &Store, gazetteer: &Gazetteer) -> Result<Arc<Directory>, StoreError> {
        // Held while it is made: whoever asks meanwhile wants the same one.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, took, directory)) = &*last
            && made.elapsed() < FRESH.max(*took * DUTY)
        {
            return Ok(Arc::clone(directory));
        }
        let begun = Instant::now();
        let directory = Arc::new(make(store, gazetteer)?);
        *last = Some((Instant::now(), begun.elapsed(), Arc::clone(&directory)));
        Ok(directory)
    }
}

fn make(store: &Store, gazetteer: &Gazetteer) -> Result<Directory, StoreError> {
    let (settings, editions, known, applied) = {
        let view = store.view();
        (view.settings(), view.editions()?, view.sources()?, view.meta().applied)
    };
    let mut directory = Directory { applied, ..Directory::default() };
    let mut tags: BTreeMap<String, Subject> = configured_tags(&settings)
        .map(|tag| (tag.id.clone(), Subject { id: tag.id, name: tag.name, stories: 0, configured: true }))
        .collect();
    let mut saved: BTreeMap<String, Subject> = BTreeMap::new();
    for setting in settings.values() {
        if let Setting::Feed(feed) = setting {
            let subject = Subject { id: feed.id.clone(), name: feed.title.clone(), stories: 0, configured: true };
            saved.insert(feed.id.clone(), subject);
        }
    }
    let mut stories: BTreeMap<EditionId, u64> = BTreeMap::new();
    for (edition, head) in editions {
        match &edition {
            EditionId::Tag(id) => {
                let name = head.name.clone().unwrap_or_else(|| id.clone());
                let subject = Subject { id: id.clone(), name, stories: 0, configured: false };
                tags.entry(id.clone()).or_insert(subject).stories = head.entries;
            }
            EditionId::Saved(id) => {
                let subject = Subject { id: id.clone(), name: id.clone(), stories: 0, configured: false };
                saved.entry(id.clone()).or_insert(subject).stories = head.entries;
            }
            _ => {
                stories.insert(edition, head.entries);
            }
        }
    }
    let most_first = |a: &Subject, b: &Subject| b.stories.cmp(&a.stories).then_with(|| a.id.cmp(&b.id));
    directory.tags = tags.into_values().collect();
    directory.tags.sort_by(most_first);
    directory.saved = saved.into_values().collect();
    let count = |edition: EditionId| stories.get(&edition).copied().unwrap_or(0);
    let place = |unit: &crate::place::Unit, stories| Place { code: unit.code, name: unit.short.clone(), stories };
    let everywhere = matches!(settings.get("cities"), Some(Setting::Cities(cities)) if cities.cover.is_empty());
    for unit in gazetteer.cities() {
        let stories = count(EditionId::City(unit.code));
        if stories > 0 || (!everywhere && gazetteer.covered(unit.code)) {
            directory.cities.push(place(unit, stories));
        }
    }
    for unit in gazetteer.provinces() {
        let stories = count(EditionId::Province(unit.code));
        if stories > 0 {
            directory.provinces.push(place(unit, stories));
        }
    }
    directory.cities.sort_by(|a, b| b.stories.cmp(&a.stories).then(a.code.cmp(&b.code)));
    directory.provinces.sort_by(|a, b| b.stories.cmp(&a.stories).then(a.code.cmp(&b.code)));
    directory.sources = sources(store, &settings, known);
    let all = &directory.sources;
    directory.places = (0..u32::try_from(all.len()).unwrap_or(u32::MAX)).collect();
    directory.places.sort_unstable_by(|a, b| all[*a as usize].id.cmp(&all[*b as usize].id));
    Ok(directory)
}

/// Tags that a `[[tag]]` names, in the order of the file.
pub fn configured_tags(settings: &InForce) -> impl Iterator<Item = Tag> + '_ {
    let rules = match settings.get("tags") {
        Some(Setting::Tags(rules)) => rules.as_slice(),
        _ => &[],
    };
    rules.iter().filter_map(|rule| Tag::new(&rule.id))
}

fn sources(store: &Store, settings: &InForce, known: Vec<(SourceId, crate::store::layout::SourceHead)>) -> Vec<Source> {
    let mut all: BTreeMap<SourceId, Source> = BTreeMap::new();
    for setting in settings.values() {
        if let Setting::Source(rules) = setting {
            let (id, name) = (rules.id.clone(), rules.name.clone());
            all.insert(id.clone(), Source { id, name, state: Some(State::New), items: 0 });
        }
    }
    for (id, head) in known {
        let source = all.entry(id.clone()).or_insert_with(|| {
            let name = head.title.clone().unwrap_or_else(|| id.to_string());
            Source { id, name, state: None, items: 0 }
        });
        source.items = head.items;
    }
    for (id, known) in store.states() {
        if let Some(state) = all.get_mut(&id).and_then(|source| source.state.as_mut()) {
            *state = known;
        }
    }
    let mut all: Vec<Source> = all.into_values().collect();
    all.sort_by(|a, b| a.trouble().cmp(&b.trouble()).then_with(|| a.id.cmp(&b.id)));
    all
}
