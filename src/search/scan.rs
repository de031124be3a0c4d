//! Goes through what may match, newest first, and asks the evaluator about each.
//!
//! Documents stand in blocks of which the newest order is known. Blocks are read in the order of their newest document, some at
//! a time and ever more, so that a search for something common reads the end of the archive, and one for something rare reads
//! all of it in a few steps. Whatever was found above the newest order of the blocks that are left is complete: it is handed on.

use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use tantivy::TERMINATED;

use crate::model::edition::Order;
use crate::model::id::StoryNo;
use crate::model::story::Story;
use crate::model::time::Time;

use super::index::{BLOCK, Block, Orders, Snapshot};
use super::plan::{Plan, Wanted};
use super::rows::Weighed;
use super::{Archive, Ask, Page, Pending, Result, Tally, matches, order};

/// Steps along the documents of terms that one search may make: well below a second's work.
const WORK: u64 = 20_000_000;

/// Blocks read in the first step; each further one reads twice as many.
const FIRST: usize = 4;

/// Documents that may match counted at most, for one tally.
const COUNTED: u64 = 200_000;

/// Stories verified at most, for one tally.
const VERIFIED: u64 = 300;

/// The index and what changed since.
pub(super) struct Held {
    pub shelf: Arc<Snapshot>,
    pub pending: Arc<BTreeMap<StoryNo, Pending>>,
}

/// The place just before this one, going down: a cursor from which this one is met again.
const fn above(order: Order) -> Order {
    Order { story: order.story.saturating_add(1), ..order }
}

/// A block still to be read.
#[derive(Debug, Clone, Copy)]
struct Unread {
    newest: Order,
    segment: usize,
    number: u32,
}

/// What a step brings.
enum Step {
    /// May match.
    Candidate(Order),
    /// There is more from here on, but too much was read.
    Exhausted(Order),
    /// There is nothing more.
    End,
}

/// Documents that may match, newest first.
struct Candidates<'h> {
    held: &'h Held,
    weighed: Weighed,
    before: Option<Order>,
    /// The newest last.
    unread: Vec<Unread>,
    found: BinaryHeap<Order>,
    step: usize,
    work: u64,
    leaves: u64,
}

impl<'h> Candidates<'h> {
    fn new(held: &'h Held, wanted: &Wanted, before: Option<Order>) -> Result<Self> {
        let weighed = Weighed::of(wanted, &held.shelf.searcher)?;
        let mut unread = Vec::new();
        for (segment, blocks) in held.shelf.blocks.iter().enumerate() {
            for (number, Block { newest, oldest }) in blocks.iter().enumerate() {
                if before.is_none_or(|before| *oldest < before) {
                    unread.push(Unread { newest: *newest, segment, number: number as u32 });
                }
            }
        }
        unread.sort_unstable_by_key(|block| (block.newest, block.segment, block.number));
        let leaves = wanted.leaves();
        Ok(Self { held, weighed, before, unread, found: BinaryHeap::new(), step: FIRST, work: 0, leaves })
    }

    fn next(&mut self) -> Result<Step> {
        loop {
            let left = self.unread.last().map(|block| block.newest);
            if let Some(top) = self.found.peek().copied()
                && left.is_none_or(|left| top > left)
            {
                self.found.pop();
                return Ok(Step::Candidate(top));
            }
            let Some(left) = left else { return Ok(Step::End) };
            if self.work >= WORK {
                return Ok(Step::Exhausted(left));
            }
            self.read()?;
        }
    }

    /// Reads the next blocks.
    fn read(&mut self) -> Result<()> {
        // Whatever its terms, one step makes no more than a part of what is allowed.
        let most = WORK / 4 / (u64::from(BLOCK) * self.leaves);
        let step = self.step.min(most.max(1) as usize);
        let mut blocks = self.unread.split_off(self.unread.len().saturating_sub(step));
        self.step *= 2;
        blocks.sort_unstable_by_key(|block| (block.segment, block.number));
        for of in blocks.chunk_by(|one, other| one.segment == other.segment) {
            let reader = &self.held.shelf.searcher.segment_readers()[of[0].segment];
            let orders = Orders::of(reader)?;
            let mut rows = self.weighed.rows(reader)?;
            for block in of {
                let first = block.number * BLOCK;
                let end = reader.max_doc().min(first + BLOCK);
                let mut document = rows.seek(first, &mut self.work);
                while document < end {
                    let order = orders.get(document);
                    let wanted = self.before.is_none_or(|before| order < before)
                        && !reader.is_deleted(document)
                        && !self.held.pending.contains_key(&StoryNo(order.story));
                    if wanted {
                        self.found.push(order);
                    }
                    document = rows.seek(document + 1, &mut self.work);
                }
                if document == TERMINATED {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Where candidates come from.
enum Supply<'h> {
    /// The index, and what changed since: orders, the newest last.
    Held(Candidates<'h>, Vec<Order>, Option<Order>),
    /// Everything, one after the other: stories, the newest last.
    Walk(Vec<(Order, Story)>, Option<Order>, bool),
}

/// Stories read at once when going through everything.
const AT_ONCE: usize = 100;

impl<'h> Supply<'h> {
    fn new(held: Option<&'h Held>, ask: &Ask<'_>) -> Result<Self> {
        let Some(held) = held else { return Ok(Self::Walk(Vec::new(), ask.before, false)) };
        let plan = Plan { fields: &held.shelf.fields, language: ask.language };
        let wanted = plan.wanted(&ask.query.parts(Some(ask.now)));
        Ok(Self::Held(Candidates::new(held, &wanted, ask.before)?, changed(held, ask.before), None))
    }

    /// The next candidate, with its story where it is at hand.
    fn next(&mut self, archive: &dyn Archive) -> Result<(Step, Option<Story>)> {
        match self {
            Self::Held(candidates, changed, waiting) => {
                let step = match waiting.take() {
                    Some(order) => Step::Candidate(order),
                    None => candidates.next()?,
                };
                let indexed = match step {
                    Step::Candidate(order) | Step::Exhausted(order) => Some(order),
                    Step::End => None,
                };
                if let Some(order) = changed.last().copied().filter(|order| indexed.is_none_or(|other| *order > other))
                {
                    changed.pop();
                    if let Step::Candidate(order) = step {
                        *waiting = Some(order);
                    }
                    return Ok((Step::Candidate(order), None));
                }
                Ok((step, None))
            }
            Self::Walk(stories, before, ended) => {
                if stories.is_empty() && !*ended {
                    *stories = archive.newest(*before, AT_ONCE)?;
                    *ended = stories.len() < AT_ONCE;
                    *before = stories.last().map(|(order, _)| *order);
                    stories.reverse();
                }
                Ok(match stories.pop() {
                    Some((order, story)) => (Step::Candidate(order), Some(story)),
                    None => (Step::End, None),
                })
            }
        }
    }
}

/// What changed since the index was committed and can be found: the newest last.
fn changed(held: &Held, before: Option<Order>) -> Vec<Order> {
    let orders = held.pending.values().filter_map(|pending| pending.order);
    let mut orders: Vec<Order> = orders.filter(|order| before.is_none_or(|before| *order < before)).collect();
    orders.sort_unstable();
    orders
}

/// The story at this place, if it is still there and matches.
fn verified(archive: &dyn Archive, at: Order, story: Option<Story>, ask: &Ask<'_>) -> Result<Option<Story>> {
    let story = match story {
        Some(story) => Some(story),
        None => archive.story(StoryNo(at.story))?,
    };
    let Some(story) = story.filter(|story| order(story) == Some(at)) else { return Ok(None) };
    let item = |position| archive.item(position);
    Ok(matches(ask.query, &story, &item, Some(ask.now), ask.language).then_some(story))
}

/// One page of hits.
pub(super) fn page(archive: &dyn Archive, held: Option<&Held>, ask: &Ask<'_>) -> Result<Page> {
    let mut supply = Supply::new(held, ask)?;
    let limit = ask.limit.clamp(1, Page::MOST);
    let mut page = Page::default();
    loop {
        let (step, story) = supply.next(archive)?;
        match step {
            Step::End => return Ok(page),
            Step::Exhausted(left) => return Ok(Page { next: Some(above(left)), cut: page.hits.len() < limit, ..page }),
            Step::Candidate(at) if page.looked >= Page::LOOKED => {
                return Ok(Page { next: Some(above(at)), cut: page.hits.len() < limit, ..page });
            }
            Step::Candidate(at) => {
                page.looked += 1;
                let Some(story) = verified(archive, at, story, ask)? else { continue };
                if page.hits.len() == limit {
                    // One more than wanted: so there is a next page.
                    page.next = page.hits.last().map(|(order, _)| *order);
                    return Ok(page);
                }
                page.hits.push((at, story));
            }
        }
    }
}

/// How many match.
pub(super) fn tally(archive: &dyn Archive, held: Option<&Held>, ask: &Ask<'_>, edges: &[Time]) -> Result<Tally> {
    let mut tally = Tally { exact: true, spans: vec![0; edges.len().saturating_sub(1)], ..Tally::default() };
    let mut budget = VERIFIED;
    let Some(held) = held else {
        let mut supply = Supply::Walk(Vec::new(), ask.before, false);
        loop {
            match supply.next(archive)? {
                (Step::Candidate(at), story) if budget > 0 => {
                    budget -= 1;
                    if let Some(story) = verified(archive, at, story, ask)? {
                        count(&mut tally, story.published(), edges);
                    }
                }
                (Step::End, _) => return Ok(tally),
                _ => return Ok(Tally { cut: true, exact: false, ..tally }),
            }
        }
    };
    for at in changed(held, ask.before).into_iter().rev() {
        if budget == 0 {
            return Ok(Tally { cut: true, exact: false, ..tally });
        }
        budget -= 1;
        if let Some(story) = verified(archive, at, None, ask)? {
            count(&mut tally, story.published(), edges);
        }
    }
    let plan = Plan { fields: &held.shelf.fields, language: ask.language };
    let (part, mut work) = (ask.query.parts(Some(ask.now)), 0);
    let kinds = if !Plan::is_resolved(&part) {
        vec![(plan.wanted(&part), false)]
    } else if Plan::is_exact(&part) {
        vec![(plan.wanted(&part), true)]
    } else {
        vec![(plan.wanted_with(&part, true), true), (plan.wanted_with(&part, false), false)]
    };
    for (wanted, sure) in kinds {
        let weighed = Weighed::of(&wanted, &held.shelf.searcher)?;
        for reader in held.shelf.searcher.segment_readers() {
            let orders = Orders::of(reader)?;
            let published = reader.fast_fields().i64("published")?;
            let mut rows = weighed.rows(reader)?;
            let mut document = rows.seek(0, &mut work);
            while document != TERMINATED {
                let order = orders.get(document);
                let counts = !reader.is_deleted(document)
                    && ask.before.is_none_or(|before| order < before)
                    && !held.pending.contains_key(&StoryNo(order.story));
                let matching = if !counts || sure {
                    counts
                } else if budget > 0 {
                    budget -= 1;
                    verified(archive, order, None, ask)?.is_some()
                } else {
                    tally.exact = false;
                    true
                };
                if matching {
                    count(&mut tally, Time(published.first(document).unwrap_or_default()), edges);
                }
                if tally.stories >= COUNTED || work >= WORK {
                    return Ok(Tally { cut: true, exact: false, ..tally });
                }
                document = rows.seek(document + 1, &mut work);
            }
        }
    }
    Ok(tally)
}

fn count(tally: &mut Tally, published: Time, edges: &[Time]) {
    tally.stories += 1;
    let after = edges.partition_point(|edge| *edge <= published);
    if let Some(span) = after.checked_sub(1).and_then(|span| tally.spans.get_mut(span)) {
        *span += 1;
    }
}
