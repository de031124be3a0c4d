//! Keeps the index: opened or made anew in the background, and written in batches behind the editor.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::model::id::StoryNo;
use crate::model::position::Position;
use crate::model::story::Story;

use super::index::{Shelf, Snapshot, Stamp};
use super::{Result, Search, SearchError, order, schema};

/// So many changed stories are written without waiting for more: each search asks the evaluator about those that wait.
const MANY: usize = 256;
/// And after so long, however few they are.
pub(super) const SOON: Duration = Duration::from_secs(5);
/// So many stories in one batch at most.
const BATCH: usize = 2_000;
/// While an index is being made, it is committed after so many stories: a kill costs no more than those.
const PART: usize = 20_000;
/// Stories read at once.
const AT_ONCE: usize = 200;
/// So long after a failure, or while the disk has no room, it is tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// What is at hand.
pub(super) struct Hand {
    pub shelf: Shelf,
    pub stamp: Stamp,
}

impl Search {
    /// Tells that ledger records were applied.
    pub fn nudge(&self) {
        self.lock().nudged = true;
        self.changed.notify_all();
    }

    /// Ends [`Search::work`] after its current step.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    /// Looks after the index until told to stop. Never fails: what it cannot do now it says, and tries again later.
    pub fn work(&self) {
        let mut hand: Option<Hand> = None;
        let mut failures = 0;
        while !self.lock().stop {
            let broken = self.lock().broken.take();
            // tantivy may panic where a file is not what it should be.
            let step = std::panic::catch_unwind(AssertUnwindSafe(|| match &broken {
                Some(why) => Err(SearchError::Index(why.clone())),
                None => self.step(&mut hand),
            }));
            if broken.is_some() {
                // A search could not read what was committed: no use in trying it again.
                failures = 1;
            }
            let failed = match step {
                Ok(Ok(wait)) => {
                    if wait.is_none() {
                        failures = 0;
                    }
                    self.rest(wait, wait != Some(AGAIN));
                    continue;
                }
                Ok(Err(error)) => error,
                Err(_) => SearchError::Index("a panic while it was used".to_owned()),
            };
            match &failed {
                SearchError::Archive(_) => tracing::warn!("search: {failed}; the index waits"),
                SearchError::Index(why) => {
                    failures += 1;
                    hand = None;
                    self.absent(why.clone());
                    tracing::error!(
                        why,
                        "search: the index failed; until it is mended stories are searched one by one"
                    );
                    if failures > 1
                        && let Err(error) = std::fs::remove_dir_all(&self.folder)
                        && error.kind() != std::io::ErrorKind::NotFound
                    {
                        tracing::warn!(%error, "search: the broken index cannot be removed");
                    }
                }
            }
            self.rest(Some(if failures > 1 { AGAIN } else { SOON }), false);
        }
    }

    /// One thing there is to do; how long to wait before the next, `None` until something happens.
    pub(super) fn step(&self, hand: &mut Option<Hand>) -> Result<Option<Duration>> {
        let Some(open) = hand else {
            let applied = self.archive.applied();
            if applied.seq == 0 {
                // Nothing is recorded yet: the desk has no identity.
                return Ok(Some(Duration::from_secs(1)));
            }
            *hand = Some(self.open(applied)?);
            return Ok(Some(Duration::ZERO));
        };
        if open.stamp.next().is_some() {
            return self.make(open);
        }
        self.note()?;
        let waiting = self.lock().pending.len();
        if waiting == 0 {
            return Ok(None);
        }
        if waiting < MANY {
            self.gather();
        }
        if !self.archive.has_room() {
            return Ok(Some(AGAIN));
        }
        self.write(open)?;
        Ok(Some(Duration::ZERO))
    }

    /// Opens what is there, or begins anew.
    fn open(&self, applied: Position) -> Result<Hand> {
        let desk = self.archive.desk();
        let mut reason = "there is none yet".to_owned();
        match Shelf::open(&self.folder) {
            Ok(None) => {}
            Ok(Some((mut shelf, stamp))) => {
                let known = stamp.position.seq <= applied.seq && self.archive.holds(stamp.position);
                if stamp.is_ours(desk) && known {
                    if stamp.next().is_none() {
                        self.serve(shelf.snapshot(stamp.clone())?)?;
                    } else {
                        self.absent("it is being made".to_owned());
                    }
                    return Ok(Hand { shelf, stamp });
                }
                "the one there is of another desk, ledger or version".clone_into(&mut reason);
            }
            Err(error) => reason = error.to_string(),
        }
        tracing::info!(
            reason,
            "search: the index is made in the background; until it is whole stories are searched one by one"
        );
        self.absent(format!("it is being made: {reason}"));
        let shelf = Shelf::make(&self.folder)?;
        Ok(Hand { shelf, stamp: Stamp::new(desk, applied, Some(StoryNo(1))) })
    }

    /// Writes the next part of an index that is being made.
    fn make(&self, hand: &mut Hand) -> Result<Option<Duration>> {
        if !self.archive.has_room() {
            return Ok(Some(AGAIN));
        }
        let (begun, from) = (Instant::now(), hand.stamp.next().unwrap_or(StoryNo(1)));
        let (next, ended) = (Cell::new(from), Cell::new(false));
        let failed = Cell::new(None);
        let item = |position| self.archive.item(position);
        let read = || -> Vec<Story> {
            if ended.get() || next.get().0 >= from.0 + PART as u64 || self.lock().stop {
                return Vec::new();
            }
            match self.archive.stories(next.get(), AT_ONCE) {
                Ok(stories) => {
                    match stories.last() {
                        Some(last) => next.set(StoryNo(last.no.0 + 1)),
                        None => ended.set(true),
                    }
                    stories
                }
                Err(error) => {
                    failed.set(Some(error));
                    Vec::new()
                }
            }
        };
        let stories = std::iter::repeat_with(read).take_while(|stories| !stories.is_empty()).flatten();
        let documents = stories.filter_map(|story| {
            let order = order(&story)?;
            Some((story.no, Some(schema::document(&hand.shelf.fields, &story, order, &item))))
        });
        let stamp = || {
            let error = failed.take();
            let fine = error.is_none();
            failed.set(error);
            let next = (!ended.get()).then(|| next.get());
            fine.then(|| Stamp::new(self.archive.desk(), hand.stamp.position, next))
        };
        let written = hand.shelf.write(documents, stamp, false)?;
        if let Some(error) = failed.take() {
            return Err(error);
        }
        if let Some(stamp) = written {
            hand.stamp = stamp;
        }
        if ended.get() {
            let snapshot = hand.shelf.snapshot(hand.stamp.clone())?;
            tracing::info!(stories = snapshot.stories(), last_part = ?begun.elapsed(), "search: the index is whole");
            self.serve(snapshot)?;
        }
        Ok(Some(Duration::ZERO))
    }

    /// Writes what waits.
    fn write(&self, hand: &mut Hand) -> Result<()> {
        let (waiting, noted): (Vec<StoryNo>, Position) = {
            let state = self.lock();
            (state.pending.keys().copied().take(BATCH + 1).collect(), state.noted)
        };
        let whole = waiting.len() <= BATCH;
        let (mut purge, mut documents) = (false, Vec::new());
        let item = |position| self.archive.item(position);
        for no in waiting.into_iter().take(BATCH) {
            let story = self.archive.story(no)?;
            purge |= story.as_ref().is_some_and(|story| story.spiked);
            let document = story.as_ref().and_then(|story| {
                let order = order(story)?;
                Some(schema::document(&hand.shelf.fields, story, order, &item))
            });
            documents.push((no, document));
        }
        // Stories are written as they are now, which may be later than what was noted; what changed since is written again.
        let position = if whole { noted } else { hand.stamp.position };
        let stamp = Stamp::new(self.archive.desk(), position, None);
        let written: Vec<StoryNo> = documents.iter().map(|(no, _)| *no).collect();
        hand.shelf.write(documents.into_iter(), || Some(stamp.clone()), purge)?;
        hand.stamp = stamp;
        let snapshot = Arc::new(hand.shelf.snapshot(hand.stamp.clone())?);
        let mut state = self.lock();
        state.shelf = Some(snapshot);
        let pending = Arc::make_mut(&mut state.pending);
        for no in written {
            if pending.get(&no).is_some_and(|pending| pending.seq <= noted.seq) {
                pending.remove(&no);
            }
        }
        Ok(())
    }

    /// Searches use this from now on, beside what changed since.
    fn serve(&self, snapshot: Snapshot) -> Result<()> {
        let (pending, noted) = self.since(snapshot.stamp.position)?;
        let mut state = self.lock();
        state.shelf = Some(Arc::new(snapshot));
        state.pending = Arc::new(pending.into_iter().collect());
        state.noted = noted;
        state.absent = None;
        Ok(())
    }

    fn absent(&self, why: String) {
        let mut state = self.lock();
        state.shelf = None;
        state.pending = Arc::default();
        state.absent = Some(why);
    }

    /// Waits for more to be written together.
    fn gather(&self) {
        let until = Instant::now() + self.soon;
        let mut state = self.lock();
        while !state.stop && state.pending.len() < MANY {
            let Some(left) = until.checked_duration_since(Instant::now()) else { return };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            if state.nudged {
                state.nudged = false;
                drop(state);
                // What cannot be read now is read by the next step.
                let _ = self.note();
                state = self.lock();
            }
        }
    }

    /// Waits for so long, or where `wakes` says until something happens.
    fn rest(&self, most: Option<Duration>, wakes: bool) {
        let until = most.map(|most| Instant::now() + most);
        let mut state = self.lock();
        while !state.stop && !(wakes && (state.nudged || state.broken.is_some())) {
            state = match until {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(until) => match until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                    None => break,
                    Some(left) => self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                },
            };
        }
        if wakes {
            state.nudged = false;
        }
    }
}
