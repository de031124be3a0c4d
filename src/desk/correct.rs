//! What an editor decides by hand: two stories are one, one is two, one is taken out. The desk makes edits of it by the
//! rules that hold for its own decisions, and never goes against it afterwards.
//!
//! * **Join**: the story emitted first keeps its guid, as when an item proves two stories to be one ([`super::merge`]).
//! * **Split**: the part with the copy that a guid was first shown by keeps that guid, or takes it back with its places if
//!   it was retired; otherwise the part gets a fresh guid, and arrives at the split. What was printed changes only where
//!   the copy it was printed from has gone: then the next best copy is printed, as a correction.
//! * **Spike**: the story leaves every feed, with the guids retired into it. What turns out to be a copy of it later is
//!   only seen.
//! * **Reinstate**: a spike was a mistake. The story is back in archives and on pages, where it stood; in no window.
//!
//! An order that does not fit any more when its turn comes (the copies have gone elsewhere, the story is out already)
//! decides nothing.

use std::collections::BTreeSet;

use super::same::Match;
use super::{Asked, Case, Rules, Shelf, ShelfError, enter, going_on, judge, merge, publish, rewritten, shown, tags};
use crate::model::edit::{Cause, Edit};
use crate::model::evidence::Likeness;
use crate::model::id::{Guid, ItemKey, SourceId, StoryNo};
use crate::model::item::Item;
use crate::model::story::{Copy, Story};
use crate::model::time::Time;

/// An editor's correction concerns one story; what its sources put on everything is not asked.
static NOTHING: BTreeSet<String> = BTreeSet::new();

/// When a correction is decided.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Record time.
    pub at: Time,
    /// Whether the store's first 24 hours are not over.
    pub opening: bool,
}

/// Makes these stories one.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read: nothing is decided then.
pub fn join(rules: &Rules, when: Moment, stories: &[StoryNo], shelf: &dyn Shelf) -> Result<Vec<Edit>, ShelfError> {
    let mut edits = Vec::new();
    let mut united: Option<Story> = None;
    // Whose guid goes on comes first: each of the others moves its copies once.
    let mut all: Vec<Story> = Vec::new();
    for no in stories {
        all.extend(going_on(shelf, *no)?.filter(|story| !story.spiked));
    }
    all.sort_by_key(merge::precedence);
    for story in all {
        united = Some(match united {
            Some(kept) if kept.no == story.no || kept.absorbed.contains(&story.no) => kept,
            Some(kept) => {
                let (winner, edit) = merge::unite(kept, story, &Likeness::ByHand, 1_000);
                edits.push(edit);
                winner
            }
            None => story,
        });
    }
    let Some(mut story) = united.filter(|_| !edits.is_empty()) else { return Ok(edits) };
    if story.emission.is_none() {
        return Ok(edits);
    }
    // However often an editor says so.
    let mended = restored(rules, when, &mut story, shelf)?;
    if mended.is_empty() {
        let item = item(&story, shelf);
        let barred = merge::barred(&story, shelf)?;
        edits.extend(enter::further(rules, &case(rules, &item, when, &story), &story, &barred));
    }
    edits.extend(mended);
    Ok(edits)
}

/// As when a whole copy arrives by itself: what was printed cut or damaged is corrected by a copy that the story came to
/// hold.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read: nothing is decided then.
pub(super) fn restored(
    rules: &Rules,
    when: Moment,
    story: &mut Story,
    shelf: &dyn Shelf,
) -> Result<Vec<Edit>, ShelfError> {
    let Some(emission) = &story.emission else { return Ok(Vec::new()) };
    let mends = |index: &usize| {
        let copy = &story.copies[*index];
        let text = shelf.text(copy.wire).unwrap_or_default();
        !copy.held && shown::mends(rules, emission, story, copy, &text, shelf) == Some(shown::Mending::Shown)
    };
    let Some(better) = (0..story.copies.len()).find(mends) else { return Ok(Vec::new()) };
    story.shown = better as u32;
    anew(rules, when, story, shelf)
}

/// Makes these copies another story than the rest.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read: nothing is decided then.
pub fn split(
    rules: &Rules,
    when: Moment,
    no: StoryNo,
    copies: &[(SourceId, ItemKey)],
    shelf: &dyn Shelf,
) -> Result<Vec<Edit>, ShelfError> {
    let Some(story) = going_on(shelf, no)?.filter(|story| !story.spiked) else { return Ok(Vec::new()) };
    let named = |copy: &Copy| copies.iter().any(|(source, key)| copy.source == *source && copy.key == *key);
    // Whichever part was named: the one that the guid hangs on stays, the other goes.
    let turned = story.copies.iter().any(|copy| story.began_with(copy) && named(copy));
    let goes = |copy: &Copy| named(copy) != turned;
    let lost = story.shown().is_none_or(goes);
    let printed = story.shown().cloned().unwrap_or_default();
    let (mut moved, left): (Vec<Copy>, Vec<Copy>) = story.copies.iter().cloned().partition(|copy| goes(copy));
    if moved.is_empty() || left.is_empty() {
        return Ok(Vec::new());
    }
    // Parts that were taken from a copy that goes go with it.
    let repairs = story.emission.iter().flat_map(|emission| &emission.repairs);
    let lost = lost || repairs.clone().any(|repair| moved.iter().any(|copy| copy.source == repair.from));
    if let Some(first) = moved.first_mut() {
        (first.joined, first.score) = (None, 0);
    }
    let mut back = Vec::new();
    for no in &story.absorbed {
        let retired = shelf.story(*no)?;
        back.extend(retired.filter(|retired| moved.iter().any(|copy| retired.began_with(copy))));
    }
    back.sort_by_key(merge::precedence);
    let absorbed: Vec<StoryNo> = back.iter().skip(1).map(|retired| retired.no).collect();
    let fresh = back.is_empty();
    let retired = back.into_iter().next();
    // Where the copy that it was printed from went with it, nothing of it is printed anew.
    let stands = retired.as_ref().and_then(|retired| place(&moved, retired.shown()?));
    let renewed = stands.is_none();
    let shown = stands.unwrap_or_else(|| shown::best(rules, &moved)) as u32;
    let mut other = if let Some(retired) = retired {
        retired
    } else {
        let guid = fresh_guid(&moved[0], shelf)?;
        Story { no: shelf.next_story(), guid, opened: when.at, ..Story::default() }
    };
    (other.retired_into, other.shown) = (None, shown);
    (other.copies, other.absorbed) = (moved, absorbed.clone());
    let mut kept = story;
    kept.absorbed.retain(|no| *no != other.no && !absorbed.contains(no));
    kept.shown = place(&left, &printed).unwrap_or_else(|| shown::best(rules, &left)) as u32;
    kept.copies = left;
    let mut edits = vec![Edit::Split {
        from: kept.no,
        left: kept.shown,
        to: other.no,
        guid: other.guid,
        fresh,
        copies: other.copies.clone(),
        shown: other.shown,
        absorbed,
    }];
    edits.extend(enter::without(&kept));
    if lost {
        edits.extend(anew(rules, when, &mut kept, shelf)?);
    }
    if renewed || other.emission.is_none() {
        edits.extend(anew(rules, when, &mut other, shelf)?);
    } else {
        let item = item(&other, shelf);
        let barred = merge::barred(&other, shelf)?;
        edits.extend(enter::without(&other));
        edits.extend(enter::further(rules, &case(rules, &item, when, &other), &other, &barred));
    }
    Ok(edits)
}

/// Takes a story out of everything.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read: nothing is decided then.
pub fn spike(no: StoryNo, shelf: &dyn Shelf) -> Result<Vec<Edit>, ShelfError> {
    let story = going_on(shelf, no)?.filter(|story| !story.spiked);
    Ok(story.map(|story| Edit::Spike { story: story.no }).into_iter().collect())
}

/// Brings back a story that was taken out by mistake: to the archives and pages it stood in, under its guid and date. No
/// window shows it again, or readers that have forgotten it would take it for news.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read: nothing is decided then.
pub fn reinstate(rules: &Rules, no: StoryNo, shelf: &dyn Shelf) -> Result<Vec<Edit>, ShelfError> {
    let Some(story) = going_on(shelf, no)?.filter(|story| story.spiked) else { return Ok(Vec::new()) };
    let item = item(&story, shelf);
    let mut editions = enter::stood(rules, &story, &tags::searched(rules, &item));
    // Those retired into it stand where they stood.
    for no in &story.absorbed {
        let entries = shelf.story(*no)?.map(|retired| retired.entries).unwrap_or_default();
        editions.extend(entries.into_iter().map(|entered| entered.edition));
    }
    editions.sort_unstable();
    editions.dedup();
    Ok(vec![Edit::Reinstate { story: story.no, editions }])
}

/// Judges a story by the copy it shows now, and prints it: for the first time unless all its copies are held back, else
/// as a correction.
fn anew(rules: &Rules, when: Moment, story: &mut Story, shelf: &dyn Shelf) -> Result<Vec<Edit>, ShelfError> {
    let barred = merge::barred(story, shelf)?;
    let item = item(story, shelf);
    let copies = story.clone();
    let case = case(rules, &item, when, &copies);
    let mut edits = vec![judge(rules, &case, story)];
    if story.emission.is_some() {
        edits.extend(publish(rules, &case, story, Cause::Corrected, &barred));
    } else if story.copies.iter().any(|copy| !copy.held) {
        edits.extend(publish(rules, &case, story, Cause::First, &barred));
    }
    Ok(edits)
}

/// The item of the copy shown; of one whose text is gone, the facts that were kept.
fn item(story: &Story, shelf: &dyn Shelf) -> Item {
    let Some(copy) = story.shown() else { return Item::default() };
    shelf.item(copy.wire).unwrap_or_else(|| Item {
        source: copy.source.clone(),
        key: copy.key.clone(),
        hash: copy.hash,
        link: copy.link.clone(),
        canonical: copy.canonical.clone(),
        title: copy.title.clone(),
        published: copy.published.clone(),
        seen: copy.seen,
        credits: copy.credits.clone(),
        ..Item::default()
    })
}

fn case<'a>(rules: &'a Rules, item: &'a Item, when: Moment, story: &Story) -> Asked<'a> {
    let wire = story.shown().map(|copy| copy.wire).unwrap_or_default();
    let case = Case { item, wire, at: when.at, opening: when.opening, held: false, baseline: false, noise: &NOTHING };
    Asked::of(rules, case)
}

fn place(copies: &[Copy], wanted: &Copy) -> Option<usize> {
    copies.iter().position(|copy| copy.source == wanted.source && copy.key == wanted.key)
}

/// A guid that was never used, by the first copy of a part.
pub(super) fn fresh_guid(first: &Copy, shelf: &dyn Shelf) -> Result<Guid, ShelfError> {
    let mut used = 0;
    loop {
        let guid = Guid::mint(&first.source, &first.key, used);
        if !shelf.minted(guid)? {
            return Ok(guid);
        }
        used += 1;
    }
}

/// Of stories that an editor split, an item that its source sends under another key goes to the part that holds it, and
/// not to the one that is older.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read.
pub(super) fn own_first(mut found: Vec<Match>, copy: &Copy, shelf: &dyn Shelf) -> Result<Vec<Match>, ShelfError> {
    let Some(best) = found.first() else { return Ok(found) };
    let Some(best) = going_on(shelf, best.story)?.filter(|story| !story.apart.is_empty()) else { return Ok(found) };
    let holds = |story: &Story| {
        let same = |own: &Copy| own.source == copy.source && own.gist == copy.gist;
        rewritten(story, copy).is_some() || story.copies.iter().any(same)
    };
    for index in 1..found.len() {
        let other = going_on(shelf, found[index].story)?;
        if other.is_some_and(|other| other.kept_apart(&best) && holds(&other) && !holds(&best)) {
            let own = found.remove(index);
            found.insert(0, own);
            break;
        }
    }
    Ok(found)
}

/// The part of a split story that a known item belongs to: it may stand there under a key that the item had before its
/// source rewrote its guids.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read.
pub(super) fn part(story: Story, copy: &Copy, shelf: &dyn Shelf) -> Result<Story, ShelfError> {
    if story.apart.is_empty() || place(&story.copies, copy).is_some() || rewritten(&story, copy).is_some() {
        return Ok(story);
    }
    for no in &story.apart {
        if let Some(other) = going_on(shelf, *no)?.filter(|other| rewritten(other, copy).is_some()) {
            return Ok(other);
        }
    }
    Ok(story)
}
