//! The judgement, pure: same story? whose copy wins? which tags? -> edits.
//!
//! One item at a time, in the order of the wire. What the desk must know of the past is handed in by the [`Shelf`]; what
//! it decides goes out as [`Edit`]s, which the editor writes to the ledger. Deciding happens once: replay never comes
//! here.
//!
//! An item is one of four things, asked in this order:
//!
//! 1. **Known and unchanged** (same source, same key, same hash as sent): nothing.
//! 2. **Known and changed**: an edit if headline or text differ beyond digits (a read counter is no edit), printed anew
//!    if it is the copy shown, at most five times; otherwise only seen. After our own reading of the source changed,
//!    nothing is an edit. A guid that comes back with another headline, link and text names another article: go to 3.
//! 3. **A copy of a story we have** ([`same`]): joined. The XML of a story already emitted does not change by it, unless
//!    what was emitted was cut or damaged and this copy is whole (a correction, at most two a story; where the second only
//!    mended words, a third).
//! 4. **A new story**: opened, and emitted unless it is held back.
//!
//! **Held back** are the items of a source's first filing beyond its `backfill`, and, after its reading changed, unknown
//! items that are not dated after its last filing: they fill the store, not the feeds. A story held back is emitted when
//! a copy arrives that is not. In a store's first 24 hours everything enters, ordered by min(arrival, trusted
//! publication), so that a new desk looks like a newspaper and not like its poll order.

pub mod archive;
pub mod arrival;
pub mod correct;
pub mod damage;
pub mod emission;
pub mod enter;
pub mod headline;
pub mod merge;
pub mod rewind;
pub mod rules;
pub mod same;
pub mod shown;
pub mod tags;
pub mod words;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::model::codec::encode;
use crate::model::edit::{Cause, Edit};
use crate::model::edition::EditionId;
use crate::model::fold::letters;
use crate::model::id::{Guid, ItemKey, SourceId, StoryNo};
use crate::model::item::Item;
use crate::model::position::Position;
use crate::model::story::{Copy, Emission, Sharing, Story};
use crate::model::time::Time;
use crate::place::Look;
use crate::query::Searched;

pub use arrival::Arrival;
pub use rewind::Rewind;
pub use rules::Rules;
use shown::Mending;

/// The past could not be read. Nothing is decided without it.
#[derive(Debug, thiserror::Error)]
#[error("what was decided before cannot be read: {0}")]
pub struct ShelfError(pub String);

/// What the desk asks of the past.
pub trait Shelf {
    /// The story and the last hash of a known item.
    fn known(&self, source: &SourceId, key: &ItemKey) -> Result<Option<(StoryNo, u64)>, ShelfError>;
    /// A story.
    fn story(&self, no: StoryNo) -> Result<Option<Story>, ShelfError>;
    /// Of a story what an item is compared with ([`Story::card`]): asked for far more often than the rest of it.
    fn card(&self, no: StoryNo) -> Result<Option<Story>, ShelfError> {
        self.story(no)
    }
    /// Stories that share keys with a copy: of those filed lately, and of older ones that share its link or three keys.
    fn sharing(&self, copy: &Copy) -> Result<Sharing, ShelfError>;
    /// Number the next story gets.
    fn next_story(&self) -> StoryNo;
    /// Whether a guid was ever minted.
    fn minted(&self, guid: Guid) -> Result<bool, ShelfError>;
    /// An item as it came in; `None` if its text is gone.
    fn item(&self, at: Position) -> Option<Item>;
    /// The text of one; `None` if it is gone. Asked for far more often than the rest of it.
    fn text(&self, at: Position) -> Option<String> {
        self.item(at).map(|item| item.text)
    }
}

/// An item to be decided, with the circumstances of its arrival.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The item.
    pub item: &'a Item,
    /// Where it stands on the wire.
    pub wire: Position,
    /// Record time.
    pub at: Time,
    /// Whether the store's first 24 hours are not over.
    pub opening: bool,
    /// Whether it is held back from the feeds if it is new.
    pub held: bool,
    /// Whether its source is read in another way than before: changed text is no edit.
    pub baseline: bool,
    /// Tags that its source puts on everything, by folded id.
    pub noise: &'a BTreeSet<String>,
}

/// A case, with the item's text as queries search it: made ready when first asked for, once for tag rules and saved feeds.
#[derive(Debug)]
pub struct Asked<'a> {
    case: Case<'a>,
    rules: &'a Rules,
    text: OnceCell<Searched<'a>>,
}

impl<'a> Asked<'a> {
    const fn of(rules: &'a Rules, case: Case<'a>) -> Self {
        Self { case, rules, text: OnceCell::new() }
    }

    fn text(&self) -> &Searched<'a> {
        self.text.get_or_init(|| tags::searched(self.rules, self.case.item))
    }
}

impl<'a> std::ops::Deref for Asked<'a> {
    type Target = Case<'a>;

    fn deref(&self) -> &Case<'a> {
        &self.case
    }
}

/// So many real edits of a publisher are printed; what comes after is only seen.
pub const EDITS: u8 = 5;
/// So many corrections by a better copy are printed; one more where the last one only mended words.
pub const CORRECTIONS: u8 = 2;
/// So many copies of a story are kept; further ones are only seen.
pub const COPIES: usize = 64;
/// So many bytes of them, encoded: a retirement or a split writes copies whole, into one record of the ledger
/// ([`Record::LARGEST`](crate::model::edit::Record::LARGEST)), and an editor's correction may hold one beside the other.
pub const COPIES_BYTES: usize = 96 * 1024;

/// Decides one item.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read: nothing is decided then.
pub fn decide(rules: &Rules, case: &Case<'_>, shelf: &dyn Shelf) -> Result<Vec<Edit>, ShelfError> {
    let case = &Asked::of(rules, *case);
    let item = case.item;
    if let Some((no, hash)) = shelf.known(&item.source, &item.key)? {
        if hash == item.hash {
            return Ok(Vec::new());
        }
        return changed(rules, case, shelf, no);
    }
    // Once for all that looks at it.
    let folded = letters(&item.text);
    let copy = shown::copy(rules, case, &folded);
    unknown(rules, case, shelf, copy, folded)
}

fn unknown(
    rules: &Rules,
    case: &Asked<'_>,
    shelf: &dyn Shelf,
    copy: Copy,
    folded: Vec<char>,
) -> Result<Vec<Edit>, ShelfError> {
    let found = correct::own_first(same::find(rules, &copy, folded, shelf)?, &copy, shelf)?;
    let Some(best) = found.first() else { return open(rules, case, shelf, copy) };
    let Some(story) = going_on(shelf, best.story)? else { return open(rules, case, shelf, copy) };
    let merge::Merged { mut story, mut edits } = merge::merge(story, &copy.source, &found[1..], shelf)?;
    if !edits.is_empty() && !case.held && story.corrections < CORRECTIONS {
        let when = correct::Moment { at: case.at, opening: case.opening };
        let mended = correct::restored(rules, when, &mut story, shelf)?;
        story.corrections += u8::from(!mended.is_empty());
        edits.extend(mended);
    }
    // The same source's own item under a new key (it rewrote its guids), or one copy too many: no further copy.
    let own = rewritten(&story, &copy);
    if story.spiked || full(&story.copies, &copy) || own.is_some() {
        let no = story.no;
        edits.push(Edit::See { story: no, source: copy.source.clone(), key: copy.key.clone(), hash: copy.hash });
        let differs = |index: &usize| !story.spiked && !case.baseline && story.copies[*index].gist != copy.gist;
        if let Some(index) = own.filter(differs) {
            let renewed = Copy { key: story.copies[index].key.clone(), ..copy };
            edits.extend(revise(rules, case, shelf, story, index, renewed)?);
        }
        return Ok(edits);
    }
    let copy = Copy { joined: Some(best.why.clone()), score: best.score, ..copy };
    edits.extend(join(rules, case, shelf, story, copy)?);
    Ok(edits)
}

/// Whether a story has no room for a further copy.
fn full(copies: &[Copy], further: &Copy) -> bool {
    // Most stories have few copies: those are not weighed.
    const FEW: usize = 8;
    let weight = || copies.iter().chain([further]).map(|copy| encode(copy).len()).sum::<usize>();
    copies.len() >= COPIES || copies.len() >= FEW && weight() > COPIES_BYTES
}

/// The copy of a story that this item of the same source is, by its address, under whatever key.
fn rewritten(story: &Story, copy: &Copy) -> Option<usize> {
    let same = |c: &Copy| c.source == copy.source && !copy.canonical.is_empty() && c.canonical == copy.canonical;
    story.copies.iter().position(same)
}

/// The story that goes on for this one: the one it was retired into, or itself.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read.
pub fn going_on(shelf: &dyn Shelf, no: StoryNo) -> Result<Option<Story>, ShelfError> {
    follow(shelf, no, |no| shelf.story(no))
}

/// The same for its card.
fn going_on_card(shelf: &dyn Shelf, no: StoryNo) -> Result<Option<Story>, ShelfError> {
    follow(shelf, no, |no| shelf.card(no))
}

fn follow(
    shelf: &dyn Shelf,
    no: StoryNo,
    read: impl Fn(StoryNo) -> Result<Option<Story>, ShelfError>,
) -> Result<Option<Story>, ShelfError> {
    let mut story = read(no)?;
    // A chain is never longer than there are stories; the bound only keeps a damaged store from turning in a circle.
    for _ in 0..shelf.next_story().0 {
        match story.as_ref().and_then(|story| story.retired_into) {
            Some(into) => story = read(into)?,
            None => break,
        }
    }
    Ok(story)
}

fn open(rules: &Rules, case: &Asked<'_>, shelf: &dyn Shelf, copy: Copy) -> Result<Vec<Edit>, ShelfError> {
    let no = shelf.next_story();
    let guid = correct::fresh_guid(&copy, shelf)?;
    let mut story = Story { no, guid, opened: case.at, copies: vec![copy.clone()], ..Story::default() };
    let mut edits = vec![Edit::Open { story: no, guid, copy: Box::new(copy) }];
    edits.push(judge(rules, case, &mut story));
    if !case.held {
        edits.extend(publish(rules, case, &mut story, Cause::First, &[]));
    }
    Ok(edits)
}

fn join(
    rules: &Rules,
    case: &Asked<'_>,
    shelf: &dyn Shelf,
    mut story: Story,
    copy: Copy,
) -> Result<Vec<Edit>, ShelfError> {
    let barred = merge::barred(&story, shelf)?;
    let mut edits = vec![Edit::Join { story: story.no, copy: Box::new(copy.clone()) }];
    story.copies.push(copy);
    let newest = story.copies.len() - 1;
    match &story.emission {
        // An item that is no news by itself makes no news of another: its source is new, or is read in another way.
        Some(_) if case.held => {}
        None => {
            // It is news by this copy, so this copy is printed. Held back, the best one stands for it; the judgement is
            // made on the copy shown, and only the item at hand is at hand.
            let stands = !case.held || shown::best(rules, &story.copies) == newest;
            if stands {
                story.shown = newest as u32;
                edits.push(judge(rules, case, &mut story));
            }
            if !case.held {
                edits.extend(publish(rules, case, &mut story, Cause::First, &barred));
            }
        }
        Some(emission) => {
            let open = story.corrections < CORRECTIONS;
            // Words mended from several copies must not keep out a whole one.
            let mending = if open || (story.corrections == CORRECTIONS && !emission.repairs.is_empty()) {
                shown::mends(rules, emission, &story, &story.copies[newest], &case.item.text, shelf)
            } else {
                None
            };
            match mending {
                Some(Mending::Shown) => {
                    story.shown = newest as u32;
                    edits.push(judge(rules, case, &mut story));
                    edits.extend(publish(rules, case, &mut story, Cause::Corrected, &barred));
                }
                Some(Mending::Text) => {
                    let emission = emission::repaired(case, &story);
                    edits.extend(print(rules, case, &mut story, emission, Cause::Corrected, &barred));
                }
                // No copy is whole, but together they may be.
                None => match open.then(|| shown::worded(rules, emission, &story, shelf)).flatten() {
                    Some(worded) => {
                        let emission = emission::reworded(case, emission, worded);
                        edits.extend(print(rules, case, &mut story, emission, Cause::Corrected, &barred));
                    }
                    // What is emitted stays as it is; the story may enter further editions by its new copy.
                    None => edits.extend(enter::further(rules, case, &story, &barred)),
                },
            }
        }
    }
    Ok(edits)
}

fn changed(rules: &Rules, case: &Asked<'_>, shelf: &dyn Shelf, no: StoryNo) -> Result<Vec<Edit>, ShelfError> {
    let item = case.item;
    let folded = letters(&item.text);
    let copy = shown::copy(rules, case, &folded);
    let Some(story) = going_on(shelf, no)? else { return open(rules, case, shelf, copy) };
    let story = correct::part(story, &copy, shelf)?;
    let exact = story.copies.iter().position(|c| c.source == item.source && c.key == item.key);
    // It may stand there under the key it had before its source rewrote its guids.
    let same = exact.or_else(|| rewritten(&story, &copy));
    let own = || story.copies.iter().position(|c| c.source == item.source);
    let index = same.or_else(own).filter(|_| !story.spiked && !case.baseline);
    let see = Edit::See { story: story.no, source: item.source.clone(), key: item.key.clone(), hash: item.hash };
    let Some(index) = index else { return Ok(vec![see]) };
    let old = &story.copies[index];
    if same::reused(case, old, &copy, shelf) {
        return unknown(rules, case, shelf, copy, folded);
    }
    // One that was only seen, the story being full, has no copy: another article of its source is not revised by it.
    let alone = story.copies.iter().filter(|c| c.source == item.source).count() == 1;
    let unsure = same.is_none() && (!alone || full(&story.copies, &copy));
    if unsure || old.gist == copy.gist {
        return Ok(vec![see]);
    }
    let mut edits = if exact.is_some() { Vec::new() } else { vec![see] };
    let renewed = Copy { key: old.key.clone(), ..copy };
    edits.extend(revise(rules, case, shelf, story, index, renewed)?);
    Ok(edits)
}

/// A copy was really edited by its publisher.
fn revise(
    rules: &Rules,
    case: &Asked<'_>,
    shelf: &dyn Shelf,
    mut story: Story,
    index: usize,
    copy: Copy,
) -> Result<Vec<Edit>, ShelfError> {
    let old = &story.copies[index];
    let copy = Copy {
        seen: old.seen,
        joined: old.joined.clone(),
        score: old.score,
        held: old.held,
        // A date may be added or moved by an edit; the first claim stays what the story was published with.
        published: old.published.clone().or(copy.published),
        ..copy
    };
    let mut edits = vec![Edit::Revise { story: story.no, copy: Box::new(copy.clone()) }];
    story.copies[index] = copy;
    if index == story.shown as usize {
        if story.emission.is_none() {
            edits.push(judge(rules, case, &mut story));
        } else if story.edits < EDITS {
            edits.push(judge(rules, case, &mut story));
            let barred = merge::barred(&story, shelf)?;
            edits.extend(publish(rules, case, &mut story, Cause::Edited, &barred));
        }
    }
    Ok(edits)
}

/// Where and about what: by the item at hand, which is the copy shown.
fn judge(rules: &Rules, case: &Asked<'_>, story: &mut Story) -> Edit {
    let item = case.item;
    let prior = rules.source(&item.source).map(|source| source.cities.as_slice()).unwrap_or_default();
    story.places = rules.placer().place(&Look {
        title: &item.title,
        text: &item.text,
        tags: &item.tags,
        credits: &item.credits,
        prior,
        link: &item.link,
    });
    story.tags = tags::of(rules, case, story);
    Edit::Judge { story: story.no, shown: story.shown, places: story.places.clone(), tags: story.tags.clone() }
}

/// Prints the story by the item at hand, and lets it enter the editions it belongs to.
fn publish(rules: &Rules, case: &Asked<'_>, story: &mut Story, cause: Cause, barred: &[EditionId]) -> Vec<Edit> {
    let emission = emission::compose(rules, case, story, cause);
    print(rules, case, story, emission, cause, barred)
}

fn print(
    rules: &Rules,
    case: &Asked<'_>,
    story: &mut Story,
    emission: Emission,
    cause: Cause,
    barred: &[EditionId],
) -> Vec<Edit> {
    story.emission = Some(emission.clone());
    let mut edits = vec![Edit::Emit { story: story.no, emission: Box::new(emission), cause }];
    if cause != Cause::First {
        edits.extend(enter::leaving(rules, story));
    }
    edits.extend(enter::further(rules, case, story, barred));
    edits
}
