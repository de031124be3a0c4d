//! Two stories turn out to be one, when an item is surely a copy of both.
//!
//! Surely: by its address or all its words; or the two do not contradict each other, in their cities, their numbers, what
//! their texts share, and in being two items of one source.
//!
//! The story *emitted first* keeps its guid; one never emitted never wins. The other's guid is retired: it stays where it
//! is in its last form and enters nothing more.

use super::same::{Match, contradiction};
use super::{Shelf, ShelfError, going_on};
use crate::model::edit::Edit;
use crate::model::edition::EditionId;
use crate::model::evidence::Likeness;
use crate::model::id::{SourceId, StoryNo};
use crate::model::story::{Copy, Story};

/// Below this an item joins one story and proves nothing of another; per mille.
const SURE: u16 = 800;

/// What came of it.
#[derive(Debug)]
pub struct Merged {
    /// The story that goes on, with the copies of those retired into it.
    pub story: Story,
    /// The retirements.
    pub edits: Vec<Edit>,
}

/// Retires what an item of `source` proves to be the same as the story it belongs to. What an editor split stays apart.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read.
pub fn merge(story: Story, source: &SourceId, also: &[Match], shelf: &dyn Shelf) -> Result<Merged, ShelfError> {
    let mut merged = Merged { story, edits: Vec::new() };
    for found in also.iter().filter(|found| found.score >= SURE) {
        let Some(other) = going_on(shelf, found.story)? else { continue };
        if other.no == merged.story.no || other.spiked || merged.story.spiked || other.kept_apart(&merged.story) {
            continue;
        }
        let proven = matches!(found.why, Likeness::Address { .. } | Likeness::Copied { .. } | Likeness::Related);
        if !proven && contradiction(&merged.story, &other, shelf).is_some() {
            continue;
        }
        let (winner, edit) = unite(merged.story, other, &Likeness::Through { with: source.clone() }, found.score);
        merged.edits.push(edit);
        merged.story = winner;
    }
    Ok(merged)
}

/// Makes two stories one: which goes on, as it is then, and the retirement of the other.
pub(super) fn unite(one: Story, other: Story, why: &Likeness, score: u16) -> (Story, Edit) {
    let (mut winner, loser) = if precedence(&other) < precedence(&one) { (other, one) } else { (one, other) };
    let joined = |copy: Copy| match copy.joined {
        Some(_) => copy,
        None => Copy { joined: Some(why.clone()), score, ..copy },
    };
    let copies: Vec<Copy> = loser.copies.into_iter().map(joined).collect();
    winner.copies.extend(copies.iter().cloned());
    winner.absorbed.extend(loser.absorbed.iter().copied());
    winner.apart.extend(loser.apart.iter().copied());
    let edit = Edit::Retire { story: loser.no, into: winner.no, copies, absorbed: loser.absorbed, apart: loser.apart };
    winner.absorbed.push(loser.no);
    (winner, edit)
}

/// Editions that ever held a story retired into this one, however indirectly: it never enters them, or a reader would
/// see old news as new.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read.
pub fn barred(story: &Story, shelf: &dyn Shelf) -> Result<Vec<EditionId>, ShelfError> {
    let mut editions = Vec::new();
    for no in &story.absorbed {
        let entries = shelf.story(*no)?.map(|absorbed| absorbed.entries).unwrap_or_default();
        editions.extend(entries.into_iter().map(|entered| entered.edition));
    }
    Ok(editions)
}

/// Who keeps its guid: emitted before never emitted, emitted earlier before later, then the older.
pub(super) fn precedence(story: &Story) -> (bool, Option<i64>, StoryNo) {
    (story.emission.is_none(), story.emission.as_ref().map(|emission| emission.first.0), story.no)
}
