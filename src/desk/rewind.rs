//! What a changed rule makes of the past: other tags and cities for stories, other editions for them.
//!
//! Only what changed is asked again, so that nothing else moves behind a subscriber's back: `[[tag]]` rules and
//! `[[feed]]` queries that are new, gone or different, those that ask about places where a story's places changed, and
//! the places of stories that a changed `[cities]` judges otherwise than the former one did. What is printed of a story
//! stays: guid, dates, every field.
//!
//! A story that comes to match joins archive and pages of the edition, never the window of one that existed: a
//! subscriber would see old news as new. An edition that the change brought into being takes past stories at the places
//! they have in the feed of everything. What matches no more leaves, silently.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{Rules, Shelf, ShelfError, enter, merge, tags};
use crate::model::edit::Edit;
use crate::model::edition::EditionId;
use crate::model::fold::fold;
use crate::model::item::Item;
use crate::model::place::Places;
use crate::model::setting::Cities;
use crate::model::story::{Entered, Story};
use crate::model::tag::Tag;
use crate::place::Look;
use crate::query::{Folded, Query};

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
    /// Editions that the change brought into being.
    newborn: BTreeSet<EditionId>,
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

impl<'r> Rewind<'r> {
    /// From the former rules to those in force; `None` if the past stays as it is.
    #[must_use]
    pub fn between(old: &'r Rules, new: &'r Rules, newborn: BTreeSet<EditionId>) -> Option<Self> {
        let tags = differing(old.tags().iter().map(by_id), new.tags().iter().map(by_id));
        let mut feeds = differing(old.feeds().iter().map(by_name), new.feeds().iter().map(by_name));
        // A feed whose block is gone keeps what it holds: its address answers for ever.
        feeds.retain(|id| new.feeds().iter().any(|(known, _)| known == id));
        let places = asked(old.cities(), new.cities());
        let idle = tags.is_empty() && feeds.is_empty() && places == Asked::None && newborn.is_empty();
        (!idle).then_some(Self { old, new, tags, feeds, places, newborn })
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
        let item = printed.and_then(|wire| shelf.item(wire));
        let (mut joins, mut leaves, mut edits) = (Vec::new(), Vec::new(), Vec::new());
        let places = item.as_ref().and_then(|item| self.places(&story, item));
        let elsewhere = places.is_some();
        if let Some(places) = places {
            moved(&story.places, &places, &mut joins, &mut leaves);
            story.places = places;
        }
        let tags = self.tags(&story, item.as_ref(), elsewhere);
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
        self.saved(&story, item.as_ref(), shelf, [elsewhere, retagged], &mut joins, &mut leaves);
        edits.extend(self.entries(&story, joins, leaves, shelf)?);
        Ok(edits)
    }

    /// Its places, if the change judges them otherwise.
    fn places(&self, story: &Story, item: &Item) -> Option<Places> {
        match &self.places {
            Asked::None => return None,
            Asked::Naming(names) => {
                let credits = item.credits.iter().map(|credit| credit.name.as_str());
                let parts = [item.title.as_str(), &item.text].into_iter().chain(credits);
                let parts = parts.chain(item.tags.iter().map(String::as_str));
                let text = fold(&parts.collect::<Vec<_>>().join("\n"));
                if !names.iter().any(|name| text.contains(name)) {
                    return None;
                }
            }
            Asked::All => {}
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
    fn tags(&self, story: &Story, item: Option<&Item>, elsewhere: bool) -> Vec<Tag> {
        let mut known = story.tags.clone();
        let asks =
            |(tag, query): &(Tag, Query)| self.tags.contains(&tag.id) || elsewhere && query.asks().place.is_some();
        let asked: BTreeSet<&str> =
            self.new.tags().iter().filter(|rule| asks(rule)).map(|(tag, _)| tag.id.as_str()).collect();
        let gone = self.tags.iter().map(String::as_str);
        let asked: BTreeSet<&str> = asked.into_iter().chain(gone).collect();
        if asked.is_empty() {
            return known;
        }
        let own = item.map(tags::own).unwrap_or_default();
        let body = item.map_or_else(|| head(story), tags::text);
        let sources = enter::sources(story);
        // One subject for all rules: its text is folded once.
        let subject = tags::subject(story, item, &body, &own, &sources, self.new);
        let holds = |rules: &Rules, id: &str| {
            rules.tags().iter().any(|(tag, query)| tag.id == id && query.holds(&subject, None))
        };
        let source = story.shown().and_then(|copy| self.new.source(&copy.source));
        for id in asked {
            let has = known.iter().any(|tag| tag.id == id);
            let given = || {
                let from_source = source.map(|source| source.tags.as_slice()).unwrap_or_default();
                own.iter().any(|tag| tag.id == id) || from_source.iter().filter_map(|t| Tag::new(t)).any(|t| t.id == id)
            };
            if holds(self.new, id) {
                if !has && known.len() < tags::MOST {
                    self.add(&mut known, id);
                }
            } else if has && !given() && (item.is_some() || holds(self.old, id)) {
                // Of a text that is gone only the headline can be asked: what the former rule does not explain stays.
                known.retain(|tag| tag.id != id);
            }
        }
        known
    }

    /// Puts a tag where the order of the rules has it: before those of later rules and of publishers.
    fn add(&self, known: &mut Vec<Tag>, id: &str) {
        let rank = |id: &str| self.new.tags().iter().position(|(tag, _)| tag.id == id);
        let Some(own) = rank(id) else { return };
        let place = known.iter().position(|tag| rank(&tag.id).is_none_or(|rank| rank > own)).unwrap_or(known.len());
        known.insert(place, self.new.tags()[own].0.clone());
    }

    /// Saved feeds that it joins and leaves.
    fn saved(
        &self,
        story: &Story,
        item: Option<&Item>,
        shelf: &dyn Shelf,
        [elsewhere, retagged]: [bool; 2],
        joins: &mut Vec<EditionId>,
        leaves: &mut Vec<EditionId>,
    ) {
        let sources = enter::sources(story);
        let texts = OnceCell::new();
        let mut subjects: Option<Vec<Folded<'_>>> = None;
        for (id, query) in self.new.feeds() {
            let asks = query.asks();
            let follows = elsewhere && asks.place.is_some() || retagged && asks.tags;
            if !self.feeds.contains(id) && !follows {
                continue;
            }
            // It belongs there by any of its copies, as it would have when that one arrived.
            let subjects = subjects.get_or_insert_with(|| {
                let texts = texts.get_or_init(|| bodies(story, item, shelf));
                texts.iter().map(|text| enter::subject(story, text, &sources)).collect()
            });
            let matches = subjects.iter().any(|subject| query.holds(subject, None));
            let edition = EditionId::Saved(id.clone());
            let stands = story.entries.iter().any(|entered| entered.edition == edition && entered.shown());
            match (matches, stands) {
                (true, false) => joins.push(edition),
                // Nobody knows any more what stood in a text that is gone.
                (false, true) if item.is_some() || !asks.text => leaves.push(edition),
                _ => {}
            }
        }
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

/// Headline and text of every copy, the one printed first.
fn bodies(story: &Story, printed: Option<&Item>, shelf: &dyn Shelf) -> Vec<String> {
    let Some(printed) = printed else { return vec![head(story)] };
    let at = story.emission.as_ref().map(|emission| emission.text);
    let others = story.copies.iter().map(|copy| copy.wire).filter(|wire| Some(*wire) != at);
    let others: Vec<String> = others.filter_map(|wire| shelf.item(wire)).map(|item| tags::text(&item)).collect();
    std::iter::once(tags::text(printed)).chain(others).collect()
}
