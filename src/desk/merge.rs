//! Two stories turn out to be one, when an item is surely a copy of both.
//!
//! Surely: by its address or all its words; or the two do not contradict each other, in their cities, their numbers, what
//! their texts share, and in being two items of one source.
//!
//! The story *emitted first* keeps its guid; one never emitted never wins. The other's guid is retired: it stays where it
//! is in its last form and enters nothing more.

use super::same::{Match, contradiction};
use super::{Shelf, ShelfError, going_on};
use crate::model::codec::encode;
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
        // One record holds it all; what is left proves itself by the next copy.
        if merged.edits.iter().map(|edit| encode(edit).len()).sum::<usize>() > super::COPIES_BYTES {
            break;
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
    // As many as there is room for; the rest stays with the guid that is retired, and is only seen from here on.
    let mut copies: Vec<Copy> = Vec::new();
    for copy in loser.copies.into_iter().map(joined) {
        if !super::full(&winner.copies, &copy) {
            winner.copies.push(copy.clone());
            copies.push(copy);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::{COPIES, COPIES_BYTES};
    use crate::model::edit::{Body, Progress, Record};
    use crate::model::id::ItemKey;
    use crate::model::story::Emission;
    use crate::model::time::Time;

    fn story(no: u64, copies: u64, link: usize) -> Story {
        let copy = |copy: u64| Copy {
            source: SourceId::new(&format!("s{copy}")).unwrap(),
            key: ItemKey::guid(&format!("{no}-{copy}")),
            link: "x".repeat(link),
            ..Copy::default()
        };
        let emission = Emission { first: Time(no as i64), ..Emission::default() };
        Story { no: StoryNo(no), copies: (0..copies).map(copy).collect(), emission: Some(emission), ..Story::default() }
    }

    #[test]
    fn a_retirement_fits_into_one_record_of_the_ledger() {
        for (mine, theirs, link) in [(3, 400, 2_000), (60, 60, 40), (400, 400, 8_000)] {
            let (one, other) = (story(1, mine, link), story(2, theirs, link));
            let (winner, edit) = unite(one, other, &Likeness::ByHand, 1_000);
            let Edit::Retire { copies, .. } = &edit else { panic!("{edit:?}") };
            let moved = copies.len();
            assert_eq!(winner.copies.len() as u64, mine + moved as u64);
            assert!(moved == 0 || winner.copies.len() <= COPIES, "{moved} of {theirs}");
            assert!(mine > 60 || moved > 0, "{mine} + {theirs}");
            let record = Record { at: Time(0), progress: Progress::default(), body: Body::Edits(vec![edit]) };
            assert!(encode(&record).len() < COPIES_BYTES + 1_000 && COPIES_BYTES * 2 < Record::LARGEST);
        }
    }
}
