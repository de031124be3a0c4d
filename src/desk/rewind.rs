//! What a changed rule makes of the past: other tags and cities for stories, other editions for them.
//!
//! Only what changed is asked again, so that nothing else moves behind a subscriber's back: `[[tag]]` rules and
//! `[[feed]]` queries that are new, gone or different, those that ask about places where a story's places changed, the
//! places of stories that a changed `[cities]` judges otherwise than the former one did, and the stories shown in the copy
//! of a source whose `city` or `tags` are others now. What is printed of a story stays: guid, dates, every field.
//!
//! A story that comes to match joins archive and pages of the edition, never the window of one that existed: a
//! subscriber would see old news as new. An edition that the change brought into being takes past stories at the places
//! they have in the feed of everything. What matches no more leaves, silently.
//!
//! What becomes of a story depends on it and on what was printed of others, never on what the change makes of others: so
//! many can be asked about at once, in any order. Texts are read only where something asks for them.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{Rules, Shelf, ShelfError, enter, merge, tags};
use crate::model::edit::Edit;
use crate::model::edition::EditionId;
use crate::model::fold::fold;
use crate::model::id::SourceId;
use crate::model::item::Item;
use crate::model::place::Places;
use crate::model::setting::Cities;
use crate::model::source::SourceRules;
use crate::model::story::{Entered, Story};
use crate::model::tag::Tag;
use crate::place::Look;
use crate::query::{Folded, Needles, Query, Searched, Subject};

/// A change of rules, ready to be applied to one story after the other.
#[derive(Debug)]
pub struct Rewind<'r> {
    old: &'r Rules,
    new: &'r Rules,
    /// Ids of tags whose rules are new, gone or different.
    tags: BTreeSet<String>,
    /// Ids of saved feeds whose query is new or different.
    feeds: BTreeSet<String>,
    /// Whether, and of which stories, places are asked again.
    places: Asked,
    /// Sources with other tags or cities.
    sources: BTreeMap<&'r SourceId, Described>,
    /// Editions that the change brought into being.
    newborn: BTreeSet<EditionId>,
    /// Words of the queries that may be asked.
    needles: Needles,
}

/// Which stories are asked about again.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// None.
    None,
    /// Those in which one of these names occurs, folded.
    Naming(BTreeSet<String>),
    /// All.
    All,
}

/// What of a source's block gives its stories tags and cities, and changed.
#[derive(Debug, Default)]
struct Described {
    /// Folded ids of tags that it gave or gives, but not both.
    tags: BTreeSet<String>,
    /// Whether its cities are others.
    cities: bool,
}

/// The text of a story as printed, read and folded when first asked for.
struct Reading<'s> {
    shelf: &'s dyn Shelf,
    wire: Option<crate::model::position::Position>,
    item: OnceCell<Option<Item>>,
    text: OnceCell<Searched<'s>>,
    needles: &'s Needles,
}

impl<'s> Reading<'s> {
    fn item(&self) -> Option<&Item> {
        self.item.get_or_init(|| self.wire.and_then(|wire| self.shelf.item(wire))).as_ref()
    }

    /// Headline, summary and body; the head as printed where they are gone.
    fn text(&self, story: &Story) -> &Searched<'s> {
        self.text.get_or_init(|| {
            let text = self.item().map_or_else(|| head(story), tags::text);
            Searched::new(&text, Some(self.needles))
        })
    }
}

impl<'r> Rewind<'r> {
    /// From the former rules to those in force; `None` if the past stays as it is.
    #[must_use]
    pub fn between(old: &'r Rules, new: &'r Rules, newborn: BTreeSet<EditionId>) -> Option<Self> {
        let tags = differing(old.tags().iter().map(by_id), new.tags().iter().map(by_id));
        let mut feeds = differing(old.feeds().iter().map(by_name), new.feeds().iter().map(by_name));
        // A feed whose block is gone keeps what it holds: its address answers for ever.
        feeds.retain(|id| new.feeds().iter().any(|(known, _)| known == id));
        let places = asked(old.cities(), new.cities());
        let sources = described(old, new);
        let idle = tags.is_empty() && feeds.is_empty() && places == Asked::None && newborn.is_empty();
        if idle && sources.is_empty() {
            return None;
        }
        let needles = Needles::of(new.tags().iter().map(|(_, query)| query).chain(new.feeds().iter().map(|(_, q)| q)));
        Some(Self { old, new, tags, feeds, places, sources, newborn, needles })
    }

    /// What becomes of one story.
    ///
    /// # Errors
    /// [`ShelfError`] if the past cannot be read.
    pub fn story(&self, mut story: Story, shelf: &dyn Shelf) -> Result<Vec<Edit>, ShelfError> {
        if story.spiked {
            return Ok(Vec::new());
        }
        let printed = story.emission.as_ref().map(|emission| emission.text).or(story.shown().map(|copy| copy.wire));
        let reading =
            Reading { shelf, wire: printed, item: OnceCell::new(), text: OnceCell::new(), needles: &self.needles };
        let (mut joins, mut leaves, mut edits) = (Vec::new(), Vec::new(), Vec::new());
        let places = self.places(&story, &reading);
        let elsewhere = places.is_some();
        if let Some(places) = places {
            moved(&story.places, &places, &mut joins, &mut leaves);
            story.places = places;
        }
        let tags = self.tags(&story, &reading, elsewhere);
        let retagged = tags != story.tags;
        if retagged {
            let lacks = |tags: &[Tag], id: &str| tags.iter().all(|tag| tag.id != id);
            let of = |tag: &Tag| EditionId::Tag(tag.id.clone());
            joins.extend(tags.iter().filter(|tag| lacks(&story.tags, &tag.id)).map(of));
            leaves.extend(story.tags.iter().filter(|tag| lacks(&tags, &tag.id)).map(of));
            story.tags = tags;
        }
        if elsewhere {
            let (places, tags) = (story.places.clone(), story.tags.clone());
            edits.push(Edit::Judge { story: story.no, shown: story.shown, places, tags });
        } else if retagged {
            edits.push(Edit::Retag { story: story.no, tags: story.tags.clone() });
        }
        if story.emission.is_none() {
            return Ok(edits);
        }
        self.saved(&story, &reading, [elsewhere, retagged], &mut joins, &mut leaves);
        if !joins.is_empty() || !leaves.is_empty() {
            edits.extend(self.entries(&story, joins, leaves, shelf)?);
        }
        Ok(edits)
    }

    /// Its places, if the change judges them otherwise.
    fn places(&self, story: &Story, reading: &Reading<'_>) -> Option<Places> {
        // The copy printed may be another one than that which is shown: its headline and text are what is judged.
        let served = story.copies.iter().any(|copy| self.sources.get(&copy.source).is_some_and(|source| source.cities));
        if self.places == Asked::None && !served {
            return None;
        }
        let item = reading.item()?;
        let served = served && self.sources.get(&item.source).is_some_and(|source| source.cities);
        let named = match &self.places {
            Asked::None => false,
            Asked::Naming(names) => {
                let credits = item.credits.iter().map(|credit| credit.name.as_str());
                let parts = [item.title.as_str(), &item.text].into_iter().chain(credits);
                let parts = parts.chain(item.tags.iter().map(String::as_str));
                let text = fold(&parts.collect::<Vec<_>>().join("\n"));
                names.iter().any(|name| text.contains(name))
            }
            Asked::All => true,
        };
        if !named && !served {
            return None;
        }
        let place = |rules: &Rules| {
            let prior = rules.source(&item.source).map(|source| source.cities.as_slice()).unwrap_or_default();
            rules.placer().place(&Look {
                title: &item.title,
                text: &item.text,
                tags: &item.tags,
                credits: &item.credits,
                prior,
                link: &item.link,
            })
        };
        // What the former rules say now and not what they said then: a later placer must not move what the change does
        // not concern.
        let places = place(self.new);
        (places != place(self.old) && places != story.places).then_some(places)
    }

    /// Its tags under the rules in force, as far as they changed.
    fn tags(&self, story: &Story, reading: &Reading<'_>, elsewhere: bool) -> Vec<Tag> {
        let mut known = story.tags.clone();
        let asks =
            |(tag, query): &(Tag, Query)| self.tags.contains(&tag.id) || elsewhere && query.asks().place.is_some();
        let mut asked: BTreeSet<&str> =
            self.new.tags().iter().filter(|rule| asks(rule)).map(|(tag, _)| tag.id.as_str()).collect();
        asked.extend(self.tags.iter().map(String::as_str));
        let shown = story.shown();
        let described = shown.and_then(|copy| self.sources.get(&copy.source));
        asked.extend(described.iter().flat_map(|source| &source.tags).map(String::as_str));
        if asked.is_empty() {
            return known;
        }
        let item = reading.item();
        let own = item.map(tags::own).unwrap_or_default();
        let sources = enter::sources(story);
        // One subject for all rules: its text is folded once.
        let subject = tags::subject(story, item, "", &own, &sources, self.new);
        let subject = Folded::over(subject, reading.text(story), Some(&self.needles));
        let holds = |rules: &Rules, id: &str| {
            rules.tags().iter().any(|(tag, query)| tag.id == id && query.holds(&subject, None))
        };
        let source = shown.and_then(|copy| self.new.source(&copy.source));
        let from_source: Vec<Tag> = source.iter().flat_map(|s| &s.tags).filter_map(|name| Tag::new(name)).collect();
        for id in asked {
            let has = known.iter().any(|tag| tag.id == id);
            let given = from_source.iter().find(|tag| tag.id == id);
            let now_given = given.filter(|_| described.is_some_and(|source| source.tags.contains(id)));
            if holds(self.new, id) {
                if !has {
                    self.add(&mut known, id);
                }
            } else if let Some(tag) = now_given {
                if !has {
                    add_given(&mut known, tag, &from_source, |id| holds(self.new, id));
                }
            } else if has
                && given.is_none()
                && own.iter().all(|tag| tag.id != id)
                && (item.is_some() || holds(self.old, id) || self.gave(story, id))
            {
                // Of a text that is gone only the headline can be asked: what the former rule does not explain stays.
                known.retain(|tag| tag.id != id);
            }
        }
        known
    }

    /// Whether the former block of the shown copy's source gave this tag, and no publisher did as far as is known.
    fn gave(&self, story: &Story, id: &str) -> bool {
        let former = story.shown().and_then(|copy| self.old.source(&copy.source));
        former.is_some_and(|source| source.tags.iter().filter_map(|name| Tag::new(name)).any(|tag| tag.id == id))
    }

    /// Puts a tag where the order of the rules has it: before those of later rules and of publishers.
    fn add(&self, known: &mut Vec<Tag>, id: &str) {
        let rank = |id: &str| self.new.tags().iter().position(|(tag, _)| tag.id == id);
        let Some(own) = rank(id).filter(|_| known.len() < tags::MOST) else { return };
        let place = known.iter().position(|tag| rank(&tag.id).is_none_or(|rank| rank > own)).unwrap_or(known.len());
        known.insert(place, self.new.tags()[own].0.clone());
    }

    /// Saved feeds that it joins and leaves.
    fn saved(
        &self,
        story: &Story,
        reading: &Reading<'_>,
        [elsewhere, retagged]: [bool; 2],
        joins: &mut Vec<EditionId>,
        leaves: &mut Vec<EditionId>,
    ) {
        let sources = enter::sources(story);
        let others: OnceCell<Vec<Searched<'_>>> = OnceCell::new();
        let subject = Subject::of(story, "", &sources, None);
        let textless = Folded::new(subject);
        for (id, query) in self.new.feeds() {
            let asks = query.asks();
            let follows = elsewhere && asks.place.is_some() || retagged && asks.tags;
            if !self.feeds.contains(id) && !follows {
                continue;
            }
            let holds = |text: &Searched<'_>| query.holds(&Folded::over(subject, text, Some(&self.needles)), None);
            let known = query.holds_without_text(&textless, None);
            // It belongs there by any of its copies, as it would have when that one arrived.
            let matches = known.unwrap_or_else(|| {
                holds(reading.text(story)) || others.get_or_init(|| self.others(story, reading)).iter().any(holds)
            });
            let edition = EditionId::Saved(id.clone());
            let stands = story.entries.iter().any(|entered| entered.edition == edition && entered.shown());
            match (matches, stands) {
                (true, false) => joins.push(edition),
                // Nobody knows any more what stood in a text that is gone.
                (false, true) if known.is_some() || reading.item().is_some() => leaves.push(edition),
                _ => {}
            }
        }
    }

    /// The texts of the copies beside the one printed; none where that one is gone.
    fn others(&self, story: &Story, reading: &Reading<'_>) -> Vec<Searched<'_>> {
        if reading.item().is_none() {
            return Vec::new();
        }
        let others = story.copies.iter().map(|copy| copy.wire).filter(|wire| Some(*wire) != reading.wire);
        let items = others.filter_map(|wire| reading.shelf.item(wire));
        items.map(|item| Searched::new(&tags::text(&item), Some(&self.needles))).collect()
    }

    /// The edits by which it joins and leaves editions.
    fn entries(
        &self,
        story: &Story,
        mut joins: Vec<EditionId>,
        mut leaves: Vec<EditionId>,
        shelf: &dyn Shelf,
    ) -> Result<Vec<Edit>, ShelfError> {
        let stands = |edition: &EditionId| story.entries.iter().find(|entered| entered.edition == *edition);
        leaves.retain(|edition| stands(edition).is_some_and(Entered::shown));
        joins.retain(|edition| !stands(edition).is_some_and(Entered::shown));
        // A retired story keeps its places and takes no new ones; nor does the one that goes on for it where it stands.
        if story.retired_into.is_some() {
            joins.clear();
        } else if !joins.is_empty() && !story.absorbed.is_empty() {
            let barred = merge::barred(story, shelf)?;
            joins.retain(|edition| !barred.contains(edition));
        }
        let Some(at) = stands(&EditionId::All).map(|entered| entered.at) else { return Ok(Vec::new()) };
        let fresh = |edition: &EditionId| self.newborn.contains(edition) && stands(edition).is_none();
        let (enters, mut joins): (Vec<_>, Vec<_>) = joins.into_iter().partition(fresh);
        joins.sort_unstable();
        leaves.sort_unstable();
        let mut edits = Vec::new();
        if !joins.is_empty() || !leaves.is_empty() {
            edits.push(Edit::Refile { story: story.no, at, joins, leaves });
        }
        if !enters.is_empty() {
            edits.push(Edit::Enter { story: story.no, at, editions: enters });
        }
        Ok(edits)
    }
}

fn by_id((tag, query): &(Tag, Query)) -> (&str, &Query) {
    (&tag.id, query)
}

fn by_name((id, query): &(String, Query)) -> (&str, &Query) {
    (id, query)
}

/// Ids whose queries are not the same on both sides.
fn differing<'q>(
    old: impl Iterator<Item = (&'q str, &'q Query)>,
    new: impl Iterator<Item = (&'q str, &'q Query)>,
) -> BTreeSet<String> {
    fn gather<'q>(rules: impl Iterator<Item = (&'q str, &'q Query)>) -> BTreeMap<&'q str, Vec<&'q Query>> {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        for (id, query) in rules {
            all.entry(id).or_default().push(query);
        }
        all
    }
    let (old, new) = (gather(old), gather(new));
    let ids = old.keys().chain(new.keys()).filter(|id| old.get(*id) != new.get(*id));
    ids.map(|id| (*id).to_owned()).collect()
}

/// Whose places a change of `[cities]` may concern. Slugs stand in addresses only.
fn asked(old: &Cities, new: &Cities) -> Asked {
    if old.cover != new.cover || old.gazetteer != new.gazetteer {
        return Asked::All;
    }
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (old.alias.iter().collect(), new.alias.iter().collect());
    let names: BTreeSet<String> = old.symmetric_difference(&new).map(|(name, _)| fold(name)).collect();
    if names.is_empty() { Asked::None } else { Asked::Naming(names) }
}

/// Sources that stand in both, with other tags or cities. A source that is gone keeps its stories as they are; so does
/// one that comes back.
fn described<'r>(old: &Rules, new: &'r Rules) -> BTreeMap<&'r SourceId, Described> {
    let ids = |source: &SourceRules| -> BTreeSet<String> {
        source.tags.iter().filter_map(|name| Tag::new(name)).map(|tag| tag.id).collect()
    };
    let mut described = BTreeMap::new();
    for source in new.sources() {
        let Some(before) = old.source(&source.id) else { continue };
        let tags = if before.tags == source.tags {
            BTreeSet::new()
        } else {
            ids(before).symmetric_difference(&ids(source)).cloned().collect()
        };
        let cities = before.cities != source.cities;
        if cities || !tags.is_empty() {
            described.insert(&source.id, Described { tags, cities });
        }
    }
    described
}

/// Puts a tag of the source where it stands among the source's: behind those of rules, before the publisher's.
fn add_given(known: &mut Vec<Tag>, tag: &Tag, given: &[Tag], ruled: impl Fn(&str) -> bool) {
    if known.len() >= tags::MOST {
        return;
    }
    let rank = |id: &str| given.iter().position(|given| given.id == id);
    let own = rank(&tag.id);
    let before = |other: &Tag| ruled(&other.id) || rank(&other.id).is_some_and(|rank| Some(rank) < own);
    let place = known.iter().rposition(before).map_or(0, |last| last + 1);
    known.insert(place, tag.clone());
}

/// Editions of places that differ between two judgements.
fn moved(from: &Places, to: &Places, joins: &mut Vec<EditionId>, leaves: &mut Vec<EditionId>) {
    let all = |places: &Places| -> Vec<EditionId> {
        let cities = places.cities.iter().map(|placed| EditionId::City(placed.code));
        cities.chain(places.provinces.iter().map(|placed| EditionId::Province(placed.code))).collect()
    };
    let (before, after) = (all(from), all(to));
    joins.extend(after.iter().filter(|edition| !before.contains(edition)).cloned());
    leaves.extend(before.iter().filter(|edition| !after.contains(edition)).cloned());
}

/// What is left to ask about a story whose text is gone.
fn head(story: &Story) -> String {
    match &story.emission {
        Some(emission) => format!("{}\n{}", emission.title, emission.summary),
        None => story.shown().map(|copy| copy.title.clone()).unwrap_or_default(),
    }
}
