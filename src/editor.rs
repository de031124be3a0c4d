//! The one writer: journal -> desk -> store -> announce.
//!
//! A plain thread, because it blocks on the disk and there is one of it. It decides only what is synced on the wire;
//! its decisions are synced in the ledger before the store shows them; what it did not get to before a kill it finds
//! again by the progress that stands in every ledger record. Order of a step:
//!
//! 1. read synced wire records behind the progress;
//! 2. decide them one after the other against a draft of the store;
//! 3. append the decisions to the ledger, expecting its head to be where it was left, and sync: acknowledged;
//! 4. commit the draft to the store, position last: visible;
//! 5. announce.
//!
//! A kill between 3 and 4 is mended at the next start by replaying the ledger, which asks nobody again.

pub mod past;
mod recent;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::desk::{self, Arrival, Case, Rewind, Rules, Shelf, ShelfError, arrival::Past};
use crate::journal::{Journal, Log, LogError};
use crate::model::codec;
use crate::model::edit::{Body, Cause, Edit, Progress, Record};
use crate::model::edition::EditionId;
use crate::model::filing::{Correction, Filing, Request, Wire};
use crate::model::id::{Guid, ItemKey, SourceId, StoryNo};
use crate::model::item::Item;
use crate::model::noise;
use crate::model::position::{Position, Texts};
use crate::model::setting::InForce;
use crate::model::source::SourceRules;
use crate::model::story::{Copy, Sharing, Story};
use crate::model::time::Time;
use crate::model::websub::Subscription;
use crate::store::draft::Draft;
use crate::store::{Store, StoreError};

pub use recent::Recent;

/// Why the editor cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// The journal failed.
    #[error("journal: {0}")]
    Log(#[from] LogError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record is not one of ours, or of a later citydesk.
    #[error("{log} record {seq}: {reason}")]
    Record {
        /// Which log.
        log: &'static str,
        /// Its number.
        seq: u64,
        /// What is wrong.
        reason: String,
    },
    /// The store is ahead of the ledger, or stands on another one.
    #[error(
        "the store was made from another ledger than the one beside it (its record {0} is not there): it must be made again"
    )]
    Foreign(u64),
}

impl From<ShelfError> for EditorError {
    fn from(error: ShelfError) -> Self {
        Self::Store(StoreError::Damaged(error.0))
    }
}

/// Result of everything here.
pub type Result<T> = std::result::Result<T, EditorError>;

/// Wire bytes read at a time.
const READ: usize = 4 << 20;
/// Decisions of one ledger record, in encoded bytes: below [`Record::LARGEST`] by what one more item may add.
const FULL: usize = 160 * 1024;
/// Ledger bytes after which a step commits: readers wait for a commit, and what it changes stands in memory until then.
const COMMIT: usize = 512 * 1024;
/// Encoded bytes of items kept in memory between being read and being closed by their filing. The oldest go first: their
/// filing may never come. What is not there is read again.
const WAITING: usize = 32 << 20;

/// How often it is asked whether keys can be looked up.
const FINDING: Duration = Duration::from_millis(20);

/// What is told to whoever waits: how far the wire is decided, and that something became visible.
#[derive(Debug, Default)]
pub struct Standing {
    state: Mutex<Told>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone)]
struct Told {
    /// Wire records below this number are decided and visible.
    decided: u64,
    /// New records may be there to be read.
    nudged: bool,
    stop: bool,
    failed: Option<String>,
}

impl Standing {
    fn lock(&self) -> std::sync::MutexGuard<'_, Told> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the wire has new synced records.
    pub fn nudge(&self) {
        self.lock().nudged = true;
        self.changed.notify_all();
    }

    /// Asks the editor to stop after its current step.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    /// First wire record not decided yet.
    #[must_use]
    pub fn decided(&self) -> u64 {
        self.lock().decided
    }

    /// Why the editor stopped, if it failed.
    #[must_use]
    pub fn failed(&self) -> Option<String> {
        self.lock().failed.clone()
    }

    /// Waits until every wire record below `seq` is decided and visible, or the editor failed or stopped.
    ///
    /// # Errors
    /// The editor's failure in words.
    pub fn wait(&self, seq: u64) -> std::result::Result<(), String> {
        self.wait_unless(seq, &AtomicBool::new(false)).map(drop)
    }

    /// Waits like [`Standing::wait`], but no longer than the disk has room: false, if `full` was set before it was done.
    ///
    /// # Errors
    /// The editor's failure in words.
    pub fn wait_unless(&self, seq: u64, full: &AtomicBool) -> std::result::Result<bool, String> {
        let mut told = self.lock();
        while told.decided < seq {
            if full.load(Ordering::Relaxed) {
                return Ok(false);
            }
            if let Some(failed) = &told.failed {
                return Err(failed.clone());
            }
            if told.stop {
                return Err("the editor was stopped before it was done".to_owned());
            }
            told = self.changed.wait(told).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(true)
    }
}

/// Tells whoever waits that the editor panicked: nobody may wait for it for ever.
struct Ended(Arc<Standing>);

impl Drop for Ended {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let why = "the editor panicked: this is a mistake in citydesk, please report it. A restart goes on behind \
                       what was decided last";
            self.0.lock().failed.get_or_insert_with(|| why.to_owned());
            self.0.changed.notify_all();
        }
    }
}

/// How many decisions of each kind a step made.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Stories opened.
    pub opened: u64,
    /// Copies joined.
    pub joined: u64,
    /// Stories printed anew: edits and corrections.
    pub corrected: u64,
    /// Items seen again without being an edit.
    pub seen: u64,
}

impl Tally {
    fn count(&mut self, edit: &Edit) {
        match edit {
            Edit::Open { .. } => self.opened += 1,
            Edit::Join { .. } => self.joined += 1,
            Edit::Emit { cause: Cause::Edited | Cause::Corrected, .. } => self.corrected += 1,
            Edit::See { .. } => self.seen += 1,
            _ => {}
        }
    }

    /// Takes what another counted.
    fn add(&mut self, other: Self) {
        self.opened += other.opened;
        self.joined += other.joined;
        self.corrected += other.corrected;
        self.seen += other.seen;
    }
}

/// Called after every commit with what was decided.
pub type Announce = Box<dyn Fn(&Tally) + Send>;

/// The one writer of ledger and store.
pub struct Editor {
    journal: Journal,
    store: Arc<Store>,
    rules: Rules,
    standing: Arc<Standing>,
    /// Next wire record to read.
    cursor: u64,
    /// Items read whose filing has not come yet.
    waiting: Waiting,
    /// Texts of those decided last.
    recent: Recent,
    announce: Announce,
    /// What was decided and is not committed: a step that fails decides it again.
    tally: Tally,
    /// What was committed and not announced.
    committed: Tally,
    /// Whether the disk is full: shown by `/readyz`.
    full: Arc<AtomicBool>,
    /// [`FULL`] and [`COMMIT`].
    limits: [usize; 2],
    /// Where the wire goes on, if it is not the one that the ledger knows; to be recorded.
    moved: Option<Progress>,
}

impl std::fmt::Debug for Editor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Editor").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

/// Items waiting for their filing, at most [`WAITING`] bytes of them.
#[derive(Default)]
struct Waiting {
    items: BTreeMap<u64, (usize, Item)>,
    bytes: usize,
}

impl Waiting {
    fn put(&mut self, seq: u64, bytes: usize, item: Item) {
        self.bytes += bytes;
        if let Some((old, _)) = self.items.insert(seq, (bytes, item)) {
            self.bytes -= old;
        }
        while self.bytes > WAITING {
            let Some((_, (bytes, _))) = self.items.pop_first() else { break };
            self.bytes -= bytes;
        }
    }

    fn take(&mut self, seq: u64) -> Option<Item> {
        let (bytes, item) = self.items.remove(&seq)?;
        self.bytes -= bytes;
        Some(item)
    }
}

/// Where the wire goes on, if the record decided last is not on it any more: then it is another wire, lost and begun
/// anew, or restored. `None` if it is the one that the ledger knows.
///
/// A wire that ends before that record was restored from an older one: what stands on it is decided. One that goes on
/// beyond it is another's, and everything on it is asked about; what is known already says so.
fn moved(wire: &dyn Log, progress: Progress) -> std::result::Result<Option<Progress>, LogError> {
    let decided = progress.record;
    if decided.seq < wire.first() && decided.seq < wire.next() || wire.get(decided)?.is_some() {
        return Ok(None);
    }
    let next = if wire.next() <= decided.seq { wire.next() } else { wire.first() };
    let before = next.saturating_sub(1);
    let last = if before < wire.first() { None } else { wire.read(before, 1)?.into_iter().next() };
    let record = last.map_or(Position { seq: before, sum: 0 }, |(position, _)| position);
    Ok(Some(Progress { record, items: 0, whole: true }))
}

/// Brings the store up to the ledger's end: replay. Nothing is decided again. Calls `step` with the number of records
/// applied so far, for progress.
///
/// # Errors
/// [`EditorError::Foreign`] if the store does not belong to this ledger (make it again); else as the parts fail.
pub fn replay(journal: &Journal, store: &Store, step: impl FnMut(u64)) -> Result<u64> {
    replay_through(journal, store, u64::MAX, step)
}

/// As [`replay`], but no further than ledger record `last`.
///
/// # Errors
/// As [`replay`].
pub fn replay_through(journal: &Journal, store: &Store, last: u64, mut step: impl FnMut(u64)) -> Result<u64> {
    let applied = store.view().meta().applied;
    if applied.seq > 0 && journal.ledger.get(applied)?.is_none() {
        return Err(EditorError::Foreign(applied.seq));
    }
    let mut from = applied.seq + 1;
    let mut count = 0;
    loop {
        let mut records = journal.ledger.read(from, READ)?;
        records.retain(|(position, _)| position.seq <= last);
        if records.is_empty() {
            return Ok(count);
        }
        let mut draft = store.draft();
        for (position, bytes) in &records {
            let record: Record = decode("ledger", *position, bytes)?;
            if !draft.admits(&record.body) {
                store.commit(draft.finish())?;
                draft = store.draft();
            }
            draft.record(*position, &record)?;
            count += 1;
            from = position.seq + 1;
        }
        store.commit(draft.finish())?;
        step(count);
    }
}

fn decode<'b, T: minicbor::Decode<'b, ()>>(log: &'static str, at: Position, bytes: &'b [u8]) -> Result<T> {
    codec::decode(bytes).map_err(|error| EditorError::Record { log, seq: at.seq, reason: error.to_string() })
}

impl Editor {
    /// An editor over a store that [`replay`] has brought up to date. `announce` is called after every commit.
    #[must_use]
    pub fn new(
        journal: Journal,
        store: Arc<Store>,
        standing: Arc<Standing>,
        full: Arc<AtomicBool>,
        announce: Announce,
    ) -> Self {
        let (settings, progress) = {
            let view = store.view();
            (view.settings(), view.meta().progress)
        };
        // A wire that cannot be read stops the first step, and says why.
        let moved = moved(journal.wire.as_ref(), progress).unwrap_or_default();
        if let Some(moved) = moved {
            tracing::warn!(
                decided = progress.record.seq,
                next = moved.record.seq + 1,
                "the wire is not the one that was decided last: it was lost or restored. Stories stay, texts that stood on \
                 it are gone, and what comes from now on is decided"
            );
        }
        let progress = moved.unwrap_or(progress);
        let cursor = if progress.whole { progress.record.seq + 1 } else { progress.record.seq.max(1) };
        standing.lock().decided = cursor;
        let rules = rules(&settings, None);
        Self {
            journal,
            store,
            rules,
            standing,
            cursor,
            waiting: Waiting::default(),
            recent: Recent::default(),
            announce,
            tally: Tally::default(),
            committed: Tally::default(),
            full,
            limits: [FULL, COMMIT],
            moved,
        }
    }

    /// Works until told to stop. On an error it says so in [`Standing`] and ends: what is decided stays.
    pub fn run(mut self) {
        let _ended = Ended(Arc::clone(&self.standing));
        loop {
            match self.step() {
                Ok(true) => self.full.store(false, Ordering::Relaxed),
                Ok(false) => {
                    self.full.store(false, Ordering::Relaxed);
                    let mut told = self.standing.lock();
                    while !told.nudged && !told.stop {
                        told = self.standing.changed.wait(told).unwrap_or_else(PoisonError::into_inner);
                    }
                    told.nudged = false;
                }
                Err(EditorError::Log(LogError::Full { folder })) => {
                    if !self.full.swap(true, Ordering::Relaxed) {
                        tracing::error!(folder = %folder.display(), "disk full: nothing new is decided until there is room; serving goes on");
                        // Under the lock, or whoever is about to wait would not hear it.
                        let _told = self.standing.lock();
                        self.standing.changed.notify_all();
                    }
                    std::thread::sleep(Duration::from_secs(2));
                }
                Err(error) => {
                    tracing::error!(%error, "the editor stopped: what is published stays, nothing new enters until a restart");
                    let mut told = self.standing.lock();
                    told.failed = Some(error.to_string());
                    self.standing.changed.notify_all();
                    return;
                }
            }
            if self.standing.lock().stop {
                if let Err(error) = self.store.flush() {
                    tracing::warn!(%error, "the store was not flushed; it is brought up from the ledger at the next start");
                }
                self.standing.changed.notify_all();
                return;
            }
        }
    }

    /// Decides what is on the wire now; false if there was nothing.
    ///
    /// # Errors
    /// [`EditorError`]; what the step did not commit is not visible, and is decided by the next one.
    pub fn step(&mut self) -> Result<bool> {
        let (store, journal) = (Arc::clone(&self.store), self.journal.clone());
        let mut batch = Batch::new(&store, &journal, self.limits);
        self.tally = Tally::default();
        if let Some(progress) = self.moved {
            let at = batch.draft.at();
            batch.draft.begin(batch.next, at);
            batch.push(Record { at, progress, body: Body::Tick });
            batch.commit()?;
            self.moved = None;
        }
        let records = match journal.wire.read(self.cursor, READ) {
            Err(LogError::Gone { first, .. }) => {
                self.cursor = first;
                return Ok(true);
            }
            other => other?,
        };
        if records.is_empty() {
            return Ok(false);
        }
        // Seconds after the start of a large desk; deciding without would take longer.
        while !self.store.finds() && !self.stopped() {
            std::thread::sleep(FINDING);
        }
        let mut cursor = self.cursor;
        for (position, bytes) in &records {
            let begun = Some(batch.draft.progress()).filter(|begun| begun.record == *position && !begun.whole);
            let wire = decode::<Wire>("wire", *position, bytes)?;
            match &wire {
                Wire::Item(_) => {}
                Wire::Filing(filing) => self.archives(&mut batch, *position, filing.at)?,
                Wire::Request(request) => self.archives(&mut batch, *position, request.at())?,
            }
            match wire {
                Wire::Item(item) => self.waiting.put(position.seq, bytes.len(), *item),
                Wire::Filing(filing) => {
                    self.filing(&mut batch, *position, &filing, begun.map_or(0, |begun| begun.items as usize))?;
                }
                Wire::Request(request) => self.request(&mut batch, *position, request, begun)?,
            }
            let progress = batch.draft.progress();
            if progress.record == *position && !progress.whole {
                // Asked to stop in the middle of it: the next start goes on there.
                self.commit(&mut batch, position.seq)?;
                return Ok(true);
            }
            cursor = position.seq + 1;
            let stopped = !batch.records.is_empty() && self.stopped();
            if batch.heavy() || stopped {
                self.commit(&mut batch, cursor)?;
            }
            if stopped {
                return Ok(true);
            }
        }
        self.commit(&mut batch, cursor)?;
        (self.announce)(&std::mem::take(&mut self.committed));
        Ok(true)
    }

    fn stopped(&self) -> bool {
        self.standing.lock().stop
    }

    /// Makes what was decided a fact, and visible. `cursor` is the first wire record not decided with it.
    fn commit(&mut self, batch: &mut Batch<'_>, cursor: u64) -> Result<()> {
        batch.commit()?;
        self.committed.add(std::mem::take(&mut self.tally));
        self.cursor = cursor;
        self.standing.lock().decided = cursor;
        self.standing.changed.notify_all();
        Ok(())
    }

    /// Once a store's first hours are over, archives begin: what stands in each edition of a hundred entries is archived
    /// whole, before anything later is decided. A kill in the middle leaves editions without a run, with which the next start goes on.
    fn archives(&mut self, batch: &mut Batch<'_>, position: Position, at: Time) -> Result<()> {
        let at = at.max(batch.draft.at());
        let first = batch.draft.first();
        if batch.draft.archives() || first == Time::default() || at.since(first) < Arrival::OPENING {
            return Ok(());
        }
        // What is gathered becomes visible first: editions are listed as committed.
        let cursor = self.cursor.max(position.seq);
        self.commit(batch, cursor)?;
        let progress = batch.draft.progress();
        let mut edits = batch.begin(at, progress);
        for (edition, head) in batch.draft.editions()? {
            if head.run.is_some() {
                continue;
            }
            let entries = batch.draft.archived(&edition, at)?;
            if entries.len() < desk::archive::RUN {
                continue;
            }
            for (number, through) in desk::archive::whole(&entries) {
                let generation = head.generation;
                let run = Edit::Run { edition: edition.clone(), number, through, generation };
                batch.take(&mut edits, run, true)?;
            }
            if edits.bytes >= batch.limits[0] {
                batch.end(edits);
                if batch.heavy() {
                    self.commit(batch, cursor)?;
                }
                edits = batch.begin(at, progress);
            }
        }
        batch.take(&mut edits, Edit::Archives, true)?;
        batch.end(edits);
        self.commit(batch, cursor)?;
        tracing::info!("the first day is over: archives begin");
        Ok(())
    }

    /// Decides a filing from item number `done` on: oldest first, since documents list the newest first. Asked to stop,
    /// it ends with the record at hand.
    fn filing(&mut self, batch: &mut Batch<'_>, position: Position, filing: &Filing, done: usize) -> Result<()> {
        let at = filing.at.max(batch.draft.at());
        let past = batch.draft.source(&filing.source)?.map(|head| Past {
            items: head.items,
            reading: head.reading,
            last: head.last,
        });
        let backfill = self.rules.source(&filing.source).map_or(0, |source: &SourceRules| source.backfill);
        let first = batch.draft.first();
        let arrival = Arrival::of(filing, past, backfill, at, first);
        let so_far = |items: usize| Progress { record: position, items: items as u32, whole: false };
        // What it puts on everything is known of the filing at hand, too: of a first one nothing else is.
        let tags = self.tags_of(filing)?;
        let noise = {
            let head = batch.draft.source(&filing.source)?.unwrap_or_default();
            let (items, tags) = noise::count((head.counted, &head.tags), (filing.items.len() as u32, &tags));
            noise::noise(items, &tags)
        };
        let mut edits = batch.begin(at, so_far(done));
        let before = self.tally.clone();
        for (index, wire) in filing.items.iter().enumerate().rev().skip(done) {
            let item = match self.waiting.take(wire.seq) {
                Some(item) => Some(item),
                None => self.item(*wire)?,
            };
            // Taken down, or its text has expired before it was decided: there is nothing to decide about.
            let Some(item) = item else { continue };
            let case = Case {
                item: &item,
                wire: *wire,
                at,
                opening: arrival.opening,
                held: arrival.holds(&item, index),
                baseline: arrival.baseline,
                noise: &noise,
            };
            let shelf = Reading::beside(&batch.draft, &self.journal, &self.recent);
            let decided = desk::decide(&self.rules, &case, &shelf)?;
            self.recent.put(*wire, item.text);
            for edit in decided {
                self.tally.count(&edit);
                batch.take(&mut edits, edit, arrival.opening)?;
            }
            edits.progress = so_far(filing.items.len() - index);
            if edits.bytes >= batch.limits[0] {
                batch.end(edits);
                if self.stopped() {
                    return Ok(());
                }
                if batch.heavy() {
                    self.commit(batch, position.seq)?;
                }
                edits = batch.begin(at, so_far(filing.items.len() - index));
            }
        }
        let filed = Edit::Filed {
            source: filing.source.clone(),
            filing: position,
            reading: filing.reading,
            at: filing.at,
            items: filing.items.len() as u32,
            title: filing.title.clone(),
            home: filing.home.clone(),
            listed: filing.listed,
            tags,
        };
        batch.take(&mut edits, filed, arrival.opening)?;
        edits.progress = Progress { record: position, items: filing.items.len() as u32, whole: true };
        batch.end(edits);
        let (opened, joined) = (self.tally.opened - before.opened, self.tally.joined - before.joined);
        tracing::debug!(source = %filing.source, items = filing.items.len(), opened, joined, "filing decided");
        Ok(())
    }

    /// The publisher's tags on the items of a filing, and how many carry each.
    fn tags_of(&self, filing: &Filing) -> Result<Vec<(String, u32)>> {
        let mut all: Vec<BTreeSet<String>> = Vec::with_capacity(filing.items.len());
        for wire in &filing.items {
            let ids = |item: &Item| desk::tags::own(item).into_iter().map(|tag| tag.id).collect();
            let known = self.waiting.items.get(&wire.seq).map(|(_, item)| ids(item));
            all.push(match known {
                Some(ids) => ids,
                None => self.item(*wire)?.as_ref().map(ids).unwrap_or_default(),
            });
        }
        Ok(noise::tally(all.iter()))
    }

    /// An item of the wire; `None` if it is gone. One that cannot be read now is not passed over.
    fn item(&self, at: Position) -> Result<Option<Item>> {
        let Some(bytes) = self.journal.wire.get(at)? else { return Ok(None) };
        Ok(match decode::<Wire>("wire", at, &bytes)? {
            Wire::Item(item) => Some(*item),
            Wire::Filing(_) | Wire::Request(_) => None,
        })
    }

    /// Decides a request. `begun` is how far it was decided before a kill.
    fn request(
        &mut self,
        batch: &mut Batch<'_>,
        position: Position,
        request: Request,
        begun: Option<Progress>,
    ) -> Result<()> {
        match request {
            Request::Settings { at, set, gone, closes } => {
                let at = at.max(batch.draft.at());
                let former = if begun.is_none() {
                    // Settings stand in a commit of their own.
                    self.commit(batch, position.seq)?;
                    batch.draft.begin(batch.next, at);
                    let body = Body::Settings { set, gone, closes };
                    batch.draft.body(&body)?;
                    let new = closes.then(|| rules(batch.draft.settings(), Some(&self.rules)));
                    let whole = match &new {
                        Some(new) if batch.draft.next_story() > StoryNo(1) => {
                            Rewind::between(&self.rules, new, batch.draft.newborn()?).is_none()
                        }
                        _ => true,
                    };
                    batch.push(Record { at, progress: Progress { record: position, items: 0, whole }, body });
                    self.commit(batch, if whole { position.seq + 1 } else { position.seq })?;
                    let former = new.map(|new| std::mem::replace(&mut self.rules, new));
                    match former {
                        Some(former) if !whole => former,
                        _ => return Ok(()),
                    }
                } else {
                    Rules::new(&Arc::new(batch.draft.before()?), Some(&self.rules)).0
                };
                self.rewind(batch, position, at, &former, begun.map_or(0, |begun| begun.items))
            }
            Request::Correct { at, correction } => self.correct(batch, position, at, &correction),
            Request::Subscribe { at, subscription } => {
                let identity = Subscription::key(&subscription.topic, &subscription.callback);
                let number = match batch.draft.subscriber(&identity)? {
                    Some(number) => number,
                    None => batch.draft.free_subscription()?,
                };
                batch.whole(position, at, Body::Subscription { number, subscription })
            }
            Request::Unsubscribe { at, numbers } => batch.whole(position, at, Body::Unsubscribed(numbers)),
            Request::Delivered { at, marks } => batch.whole(position, at, Body::Delivered(marks)),
        }
    }

    /// Decides an editor's correction. All of it stands in one record: a kill must not leave a story split and its other
    /// part nowhere.
    fn correct(&mut self, batch: &mut Batch<'_>, position: Position, at: Time, correction: &Correction) -> Result<()> {
        let at = at.max(batch.draft.at());
        let first = batch.draft.first();
        let opening = first == Time::default() || at.since(first) < Arrival::OPENING;
        let progress = Progress { record: position, items: 0, whole: true };
        let mut edits = batch.begin(at, progress);
        let decided = {
            let shelf = Reading::beside(&batch.draft, &self.journal, &self.recent);
            let when = desk::correct::Moment { at, opening };
            let number = |guid: &Guid| batch.draft.by_guid(*guid);
            match correction {
                Correction::Join { stories } => {
                    let numbers = stories.iter().filter_map(|guid| number(guid).transpose());
                    desk::correct::join(
                        &self.rules,
                        when,
                        &numbers.collect::<std::result::Result<Vec<_>, _>>()?,
                        &shelf,
                    )?
                }
                Correction::Split { story, copies } => match number(story)? {
                    Some(no) => desk::correct::split(&self.rules, when, no, copies, &shelf)?,
                    None => Vec::new(),
                },
                Correction::Spike { story } => match number(story)? {
                    Some(no) => desk::correct::spike(no, &shelf)?,
                    None => Vec::new(),
                },
                Correction::Reinstate { story } => match number(story)? {
                    Some(no) => desk::correct::reinstate(&self.rules, no, &shelf)?,
                    None => Vec::new(),
                },
            }
        };
        tracing::info!(edits = decided.len(), ?correction, "a correction was decided");
        let mut entered = Vec::new();
        for edit in decided {
            self.tally.count(&edit);
            if let Edit::Enter { editions, .. } = &edit {
                entered.extend(editions.iter().filter(|_| !opening).cloned());
            }
            batch.take(&mut edits, edit, true)?;
        }
        batch.end(edits);
        let mut runs = batch.begin(at, progress);
        for edition in entered {
            batch.archive(&mut runs, &edition)?;
        }
        if !runs.edits.is_empty() {
            batch.end(runs);
        }
        Ok(())
    }

    /// Changed rules are applied to past stories, from the one after number `done` on; then the editions that they
    /// changed come into their next generation. In bounded steps: asked to stop, it ends with the stories at hand.
    fn rewind(&mut self, batch: &mut Batch<'_>, position: Position, at: Time, former: &Rules, done: u32) -> Result<()> {
        let so_far = |done: u64| Progress { record: position, items: done as u32, whole: false };
        let last = batch.draft.next_story().0 - 1;
        if let Some(rewind) = Rewind::between(former, &self.rules, batch.draft.newborn()?) {
            let (store, journal) = (batch.store, batch.journal);
            let mut edits = batch.begin(at, so_far(done.into()));
            let ask = |first, last| {
                let draft = store.draft();
                let shelf = Reading::new(&draft, journal);
                let mut answers: Vec<(u64, Vec<Edit>)> = Vec::new();
                for no in first..=last {
                    let Some(story) = draft.story_once(StoryNo(no))? else { continue };
                    let decided = rewind.story(story, &shelf)?;
                    if !decided.is_empty() {
                        answers.push((no, decided));
                    }
                }
                Ok::<_, EditorError>(answers)
            };
            let whole = past::each([u64::from(done) + 1, last], ask, |first, answers| {
                if self.stopped() {
                    edits.progress = so_far(first - 1);
                    return Ok(false);
                }
                for (no, decided) in answers {
                    for edit in decided {
                        batch.take(&mut edits, edit, true)?;
                    }
                    if edits.bytes >= batch.limits[0] {
                        edits.progress = so_far(no);
                        if self.stopped() {
                            return Ok(false);
                        }
                        batch.end(std::mem::take(&mut edits));
                        if batch.heavy() {
                            batch.commit()?;
                        }
                        edits = batch.begin(at, so_far(no));
                    }
                }
                Ok(true)
            })?;
            if !whole {
                batch.end(edits);
                return Ok(());
            }
            if !edits.edits.is_empty() {
                edits.progress = so_far(last);
                batch.end(edits);
            }
            batch.commit()?;
        }
        let mut changed = 0;
        for (edition, generation) in batch.draft.altered()? {
            changed += 1;
            batch.generation(&edition, generation, at, so_far(last))?;
            batch.draft.begin(batch.next, at);
            let body = Body::Switch { edition, generation };
            batch.draft.body(&body)?;
            batch.push(Record { at, progress: so_far(last), body });
        }
        let mut edits = batch.begin(at, so_far(last));
        edits.progress.whole = true;
        batch.end(edits);
        tracing::info!(stories = last, editions = changed, "changed rules were applied to the past");
        Ok(())
    }
}

fn rules(settings: &Arc<InForce>, before: Option<&Rules>) -> Rules {
    let (rules, complaints) = Rules::new(settings, before);
    for complaint in complaints {
        tracing::warn!(%complaint, "a recorded setting cannot be used and is left out: look at feeds.toml with `citydesk check`");
    }
    rules
}

/// Decisions gathered for one record.
#[derive(Default)]
struct Gathered {
    at: Time,
    edits: Vec<Edit>,
    bytes: usize,
    /// How far the wire is decided with them.
    progress: Progress,
}

/// Records decided, and the draft they are applied to.
struct Batch<'s> {
    next: u64,
    draft: Draft<'s>,
    store: &'s Store,
    journal: &'s Journal,
    records: Vec<Vec<u8>>,
    positions: Vec<Position>,
    /// Bytes of the records.
    bytes: usize,
    /// [`FULL`] and [`COMMIT`].
    limits: [usize; 2],
    /// Editions whose archive was looked after at this record time.
    archived: (Time, BTreeSet<EditionId>),
}

impl<'s> Batch<'s> {
    fn new(store: &'s Store, journal: &'s Journal, limits: [usize; 2]) -> Self {
        Self {
            next: journal.ledger.next(),
            draft: store.draft(),
            store,
            journal,
            records: Vec::new(),
            positions: Vec::new(),
            bytes: 0,
            limits,
            archived: (Time::default(), BTreeSet::new()),
        }
    }

    /// Whether it is time to commit.
    const fn heavy(&self) -> bool {
        self.bytes >= self.limits[1]
    }

    fn begin(&mut self, at: Time, progress: Progress) -> Gathered {
        self.draft.begin(self.next, at);
        Gathered { at, edits: Vec::new(), bytes: 0, progress }
    }

    fn take(&mut self, edits: &mut Gathered, edit: Edit, opening: bool) -> Result<()> {
        self.draft.edit(&edit)?;
        let entered = match &edit {
            Edit::Enter { editions, .. } if !opening => editions.clone(),
            _ => Vec::new(),
        };
        edits.bytes += codec::encode(&edit).len();
        edits.edits.push(edit);
        for edition in entered {
            self.archive(edits, &edition)?;
        }
        Ok(())
    }

    /// Records the runs of an archive that are full now. After a store's first hours they may be too many for one
    /// record: the entry stands last among the edits of its item, so a record may end between any two of them, and an
    /// item that is decided again after a kill is a known one.
    ///
    /// Only of what entered before this record time: a story opened earlier may still enter at this time, below one that
    /// has, and a page that is complete never changes.
    fn archive(&mut self, edits: &mut Gathered, edition: &EditionId) -> Result<()> {
        let Some(head) = self.draft.head(edition)? else { return Ok(()) };
        let at = edits.at;
        if (head.since as usize) < desk::archive::RUN || !self.draft.archives() {
            return Ok(());
        }
        if self.archived.0 != at {
            self.archived = (at, BTreeSet::new());
        }
        if !self.archived.1.insert(edition.clone()) {
            return Ok(());
        }
        let mut entries = self.draft.entries_after(edition, head.run.map(|(_, through)| through))?;
        entries.retain(|order| order.at < at);
        for (number, through) in desk::archive::full(head.run, &entries) {
            if edits.bytes >= self.limits[0] {
                let next = Gathered { at: edits.at, edits: Vec::new(), bytes: 0, progress: edits.progress };
                self.end(std::mem::replace(edits, next));
                self.draft.begin(self.next, edits.at);
            }
            let run = Edit::Run { edition: edition.clone(), number, through, generation: head.generation };
            self.draft.edit(&run)?;
            edits.bytes += codec::encode(&run).len();
            edits.edits.push(run);
        }
        Ok(())
    }

    /// Archives the next generation of an edition whole, from the run on that a kill left to be recorded.
    fn generation(&mut self, edition: &EditionId, generation: u32, at: Time, progress: Progress) -> Result<()> {
        if !self.draft.archives() {
            return Ok(());
        }
        let done = self.draft.head(edition)?.and_then(|head| head.coming).map_or(0, |(number, _)| number);
        let runs = desk::archive::whole(&self.draft.archived(edition, at)?);
        let mut edits = self.begin(at, progress);
        for (number, through) in runs.into_iter().skip(done as usize) {
            let run = Edit::Run { edition: edition.clone(), number, through, generation };
            self.take(&mut edits, run, true)?;
            if edits.bytes >= self.limits[0] {
                self.end(edits);
                edits = self.begin(at, progress);
            }
        }
        if !edits.edits.is_empty() {
            self.end(edits);
        }
        Ok(())
    }

    /// A request that is decided by one record.
    fn whole(&mut self, position: Position, at: Time, body: Body) -> Result<()> {
        if !self.draft.admits(&body) {
            self.commit()?;
        }
        let at = at.max(self.draft.at());
        self.draft.begin(self.next, at);
        self.draft.body(&body)?;
        self.push(Record { at, progress: Progress { record: position, items: 0, whole: true }, body });
        Ok(())
    }

    fn end(&mut self, edits: Gathered) {
        self.push(Record { at: edits.at, progress: edits.progress, body: Body::Edits(edits.edits) });
    }

    fn push(&mut self, record: Record) {
        let bytes = codec::encode(&record);
        let position = Position { seq: self.next, sum: crc32fast::hash(&bytes) };
        self.draft.end(position, record.progress);
        self.next += 1;
        self.bytes += bytes.len();
        self.records.push(bytes);
        self.positions.push(position);
    }

    /// Makes the records facts, and what they change visible.
    fn commit(&mut self) -> Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        self.write()?;
        let decided = std::mem::replace(&mut self.draft, self.store.draft());
        self.store.commit(decided.finish())?;
        self.draft = self.store.draft();
        (self.bytes, self.records, self.positions) = (0, Vec::new(), Vec::new());
        Ok(())
    }

    /// Appends and syncs all records: from here on they are facts.
    fn write(&self) -> Result<()> {
        let expected = self.next - self.records.len() as u64;
        let records: Vec<&[u8]> = self.records.iter().map(Vec::as_slice).collect();
        let positions = self.journal.ledger.append(Some(expected), &records)?;
        debug_assert_eq!(positions, self.positions, "the log and the editor count alike");
        self.journal.ledger.sync()?;
        Ok(())
    }
}

/// What the desk sees of the past: the draft, and texts on the wire.
#[derive(Debug)]
pub struct Reading<'a, 's> {
    draft: &'a Draft<'s>,
    journal: &'a Journal,
    recent: Option<&'a Recent>,
}

impl<'a, 's> Reading<'a, 's> {
    /// Over this draft: one that nothing was decided in shows the past as it stands.
    #[must_use]
    pub const fn new(draft: &'a Draft<'s>, journal: &'a Journal) -> Self {
        Self { draft, journal, recent: None }
    }

    /// The same, with texts that are at hand.
    #[must_use]
    pub const fn beside(draft: &'a Draft<'s>, journal: &'a Journal, recent: &'a Recent) -> Self {
        Self { draft, journal, recent: Some(recent) }
    }
}

fn shelf(error: StoreError) -> ShelfError {
    ShelfError(error.to_string())
}

impl Shelf for Reading<'_, '_> {
    fn known(&self, source: &SourceId, key: &ItemKey) -> std::result::Result<Option<(StoryNo, u64)>, ShelfError> {
        Ok(self.draft.known(source, key).map_err(shelf)?.map(|known| (known.story, known.hash)))
    }

    fn story(&self, no: StoryNo) -> std::result::Result<Option<Story>, ShelfError> {
        self.draft.story(no).map_err(shelf)
    }

    fn card(&self, no: StoryNo) -> std::result::Result<Option<Story>, ShelfError> {
        self.draft.card(no).map_err(shelf)
    }

    fn sharing(&self, copy: &Copy) -> std::result::Result<Sharing, ShelfError> {
        self.draft.sharing(copy).map_err(shelf)
    }

    fn next_story(&self) -> StoryNo {
        self.draft.next_story()
    }

    fn minted(&self, guid: Guid) -> std::result::Result<bool, ShelfError> {
        self.draft.minted(guid).map_err(shelf)
    }

    fn item(&self, at: Position) -> Option<Item> {
        self.journal.item(at)
    }

    fn text(&self, at: Position) -> Option<String> {
        let known = self.recent.and_then(|recent| recent.get(at));
        known.map(str::to_owned).or_else(|| self.item(at).map(|item| item.text))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::model::codec::encode;
    use crate::model::edition::Order;
    use crate::model::place::Code;
    use crate::model::setting::{Cities, Publish, SavedFeed, Setting, TagRule};
    use crate::model::story::Copy;
    use crate::model::websub::{Delivered, Mark, Topic};

    struct Room {
        store: Arc<Store>,
        journal: Journal,
        _folder: tempfile::TempDir,
    }

    impl Room {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let journal = Journal::open(folder.path()).unwrap();
            let store = Arc::new(Store::open(&folder.path().join("store")).unwrap());
            Self { store, journal, _folder: folder }
        }

        fn editor(&self, announce: Announce) -> Editor {
            let (standing, full) = (Arc::new(Standing::default()), Arc::new(AtomicBool::new(false)));
            Editor::new(self.journal.clone(), Arc::clone(&self.store), standing, full, announce)
        }

        fn file(&self, titles: &[&str]) {
            let source = SourceId::new("a").unwrap();
            let item = |title: &&str| Item {
                source: source.clone(),
                key: ItemKey::guid(title),
                title: (*title).to_owned(),
                ..Item::default()
            };
            let wire = &self.journal.wire;
            let items = titles.iter().map(|title| encode(&Wire::Item(Box::new(item(title))))).collect::<Vec<_>>();
            let items = wire.append(None, &items.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
            let filing = Filing { source: source.clone(), at: Time(1_000), items, listed: 2, ..Filing::default() };
            wire.append(None, &[&encode(&Wire::Filing(filing))]).unwrap();
            wire.sync().unwrap();
        }
    }

    /// A log whose records cannot be read one at a time for a while (no file descriptor is left), or that takes none (the
    /// disk is full).
    struct Sulking {
        log: Arc<dyn Log>,
        sulks: AtomicU64,
        refuses: AtomicU64,
    }

    impl Sulking {
        fn over(log: &Arc<dyn Log>) -> Arc<Self> {
            Arc::new(Self { log: Arc::clone(log), sulks: AtomicU64::new(0), refuses: AtomicU64::new(0) })
        }
    }

    impl Log for Sulking {
        fn append(&self, expected: Option<u64>, records: &[&[u8]]) -> std::result::Result<Vec<Position>, LogError> {
            let left = self.refuses.load(Ordering::Relaxed);
            if left > 0 {
                self.refuses.store(left - 1, Ordering::Relaxed);
                return Err(LogError::Full { folder: "ledger".into() });
            }
            self.log.append(expected, records)
        }
        fn sync(&self) -> std::result::Result<u64, LogError> {
            self.log.sync()
        }
        fn synced(&self) -> u64 {
            self.log.synced()
        }
        fn next(&self) -> u64 {
            self.log.next()
        }
        fn first(&self) -> u64 {
            self.log.first()
        }
        fn read(&self, from: u64, most: usize) -> std::result::Result<Vec<(Position, Vec<u8>)>, LogError> {
            self.log.read(from, most)
        }
        fn get(&self, at: Position) -> std::result::Result<Option<Vec<u8>>, LogError> {
            let left = self.sulks.load(Ordering::Relaxed);
            if left > 0 {
                self.sulks.store(left - 1, Ordering::Relaxed);
                let source = std::io::Error::from_raw_os_error(24);
                return Err(LogError::Io { doing: "open", path: "wire".into(), source });
            }
            self.log.get(at)
        }
        fn room(&self) -> Option<u64> {
            self.log.room()
        }
        fn bytes(&self) -> u64 {
            self.log.bytes()
        }
    }

    #[test]
    fn an_item_that_cannot_be_read_now_is_decided_later() {
        let mut room = Room::new();
        let sulking = Sulking::over(&room.journal.wire);
        room.journal.wire = Arc::<Sulking>::clone(&sulking);
        room.file(&["许昌护城河夜游航线开航了", "焦作市民健身步道建成开放"]);
        let mut editor = room.editor(Box::new(|_| ()));
        // As after a restart in the middle of a filing: its items were read before, and are not at hand.
        editor.cursor = 3;
        sulking.sulks.store(1, Ordering::Relaxed);
        assert!(matches!(editor.step(), Err(EditorError::Log(LogError::Io { .. }))));
        assert_eq!(room.store.view().meta().stories, 0);
        while editor.step().unwrap() {}
        assert_eq!(room.store.view().meta().stories, 2);
    }

    #[test]
    fn what_a_full_disk_has_decided_again_is_counted_once() {
        let mut room = Room::new();
        let sulking = Sulking::over(&room.journal.ledger);
        room.journal.ledger = Arc::<Sulking>::clone(&sulking);
        room.file(&["许昌护城河夜游航线开航了", "焦作市民健身步道建成开放"]);
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        let mut editor = room.editor(Box::new(move |tally| {
            counted.fetch_add(tally.opened, Ordering::Relaxed);
        }));
        sulking.refuses.store(3, Ordering::Relaxed);
        for _ in 0..3 {
            assert!(matches!(editor.step(), Err(EditorError::Log(LogError::Full { .. }))));
        }
        while editor.step().unwrap() {}
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    fn records(log: &dyn Log) -> Vec<Vec<u8>> {
        log.read(1, usize::MAX).unwrap().into_iter().map(|(_, bytes)| bytes).collect()
    }

    fn settings(at: i64, feeds: &[(&str, &str)], closes: bool) -> Wire {
        let feed = |(id, when): &(&str, &str)| {
            Setting::from(SavedFeed { id: (*id).into(), title: (*id).into(), when: (*when).into() })
        };
        let mut set: Vec<Setting> = feeds.iter().map(feed).collect();
        set.push(Setting::from(Publish { items: 20 + at as u32 % 7, hub: "none".into() }));
        Wire::Request(Request::Settings { at: Time(at), set, gone: Vec::new(), closes })
    }

    /// The block of the source that everything here comes from.
    fn described(at: i64, tags: &[&str], cities: &[u32]) -> Wire {
        let source = SourceRules {
            id: SourceId::new("a").unwrap(),
            name: "样报".into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            cities: cities.iter().map(|code| Code(*code)).collect(),
            join: true,
            ..SourceRules::default()
        };
        let set = vec![Setting::Source(source.into())];
        Wire::Request(Request::Settings { at: Time(at), set, gone: Vec::new(), closes: true })
    }

    #[test]
    fn tags_and_cities_of_a_source_reach_its_past_stories() {
        let room = Room::new();
        let put = |record: &Wire| {
            room.journal.wire.append(None, &[&encode(record)]).unwrap();
            room.journal.wire.sync().unwrap();
        };
        let mut editor = room.editor(Box::new(|_| ()));
        let mut decide = || while editor.step().unwrap() {};
        put(&described(1, &["要闻"], &[]));
        room.file(&["展馆闭馆整修公告发布", "洛阳展馆延长开放时间", "步道建成开放迎客"]);
        // A rule gives a tag that the source gives, too.
        let rule = Setting::Tags(vec![TagRule { id: "展览".into(), when: "展馆".into() }]);
        put(&Wire::Request(Request::Settings { at: Time(1_500), set: vec![rule], gone: Vec::new(), closes: true }));
        decide();
        let luoyang = EditionId::City(Code(410_300));
        let wuhu = EditionId::City(Code(340_200));
        let told = |room: &Room| -> Vec<(Vec<String>, Vec<u32>)> {
            let view = room.store.view();
            let story = |story: Story| {
                let tags = story.tags.iter().map(|tag| tag.name.clone()).collect();
                (tags, story.places.cities.iter().map(|placed| placed.code.0).collect())
            };
            view.stories(StoryNo(1)).map(|found| story(found.unwrap())).collect()
        };
        let held =
            |room: &Room, edition: &EditionId| room.store.view().edition(edition).unwrap().map_or(0, |h| h.entries);
        let window = |room: &Room, edition: &EditionId| room.store.view().window(edition).unwrap().len();
        // Filed newest first: the last of the document is the first story.
        assert_eq!(
            told(&room),
            [
                (vec!["要闻".into()], vec![]),
                (vec!["展览".into(), "要闻".into()], vec![410_300]),
                (vec!["展览".into(), "要闻".into()], vec![]),
            ]
        );
        let before = room.store.view().edition(&EditionId::All).unwrap().unwrap().version;
        put(&described(2_000, &["政务", "展览"], &[340_200]));
        decide();
        assert_eq!(
            told(&room),
            [
                (vec!["政务".into(), "展览".into()], vec![340_200]),
                (vec!["展览".into(), "政务".into()], vec![410_300]),
                (vec!["展览".into(), "政务".into()], vec![340_200]),
            ],
            "a place that is named stands against the source's"
        );
        assert_eq!((held(&room, &wuhu), window(&room, &wuhu)), (2, 0), "pages and archive have them, no feed does");
        assert_eq!((held(&room, &luoyang), window(&room, &luoyang)), (1, 1));
        assert_eq!(held(&room, &EditionId::Tag("要闻".into())), 0);
        put(&described(3_000, &["政务"], &[]));
        decide();
        assert_eq!(
            told(&room),
            [
                (vec!["政务".into()], vec![]),
                (vec!["展览".into(), "政务".into()], vec![410_300]),
                (vec!["展览".into(), "政务".into()], vec![]),
            ],
            "the rule still gives its tag"
        );
        assert_eq!(held(&room, &wuhu), 0);
        let view = room.store.view();
        assert_eq!(view.edition(&EditionId::All).unwrap().unwrap().version, before, "the feed of everything stays");
        assert!(view.stories(StoryNo(1)).all(|story| story.unwrap().emission.unwrap().updated.is_none()));
    }

    #[test]
    fn cut_after_any_record_the_ledger_goes_on_as_it_would_have() {
        let limits = [600, 2_000];
        let wire = {
            let room = Room::new();
            let put = |record: &Wire| {
                room.journal.wire.append(None, &[&encode(record)]).unwrap();
            };
            put(&settings(1, &[("all", "许昌")], true));
            let titles: Vec<String> = (0..12).map(|n| format!("许昌市第{n}条线路今日开通运营")).collect();
            let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
            room.file(&titles[..8]);
            put(&settings(2, &[("lines", "线路")], false));
            put(&settings(3, &[("none", "洛阳")], true));
            room.file(&titles[2..]);
            put(&settings(Time::DAY * 3, &[], false));
            put(&settings(Time::DAY * 3, &[], true));
            let later: Vec<String> = (0..9).map(|n| format!("许昌市{n}号展馆闭馆整修公告发布")).collect();
            room.file(&later.iter().map(String::as_str).collect::<Vec<_>>());
            put(&settings(Time::DAY * 4, &[("halls", "展馆"), ("none", "线路")], true));
            let source = SourceId::new("a").unwrap();
            let key = |title: &str| ItemKey::guid(title);
            let guid = |title: &str| Guid::mint(&source, &key(title), 0);
            let correct = |correction| put(&Wire::Request(Request::Correct { at: Time(Time::DAY * 4), correction }));
            correct(Correction::Join { stories: vec![guid(titles[3]), guid(titles[9]), guid(&later[2])] });
            correct(Correction::Split { story: guid(titles[3]), copies: vec![(source.clone(), key(titles[9]))] });
            correct(Correction::Spike { story: guid(titles[3]) });
            correct(Correction::Join { stories: vec![guid(&later[4]), guid(titles[9])] });
            let rules = |at: i64, tags: &[(&str, &str)], alias: &[(&str, u32)]| {
                let tag = |(id, when): &(&str, &str)| TagRule { id: (*id).into(), when: (*when).into() };
                let alias = alias.iter().map(|(name, code)| ((*name).to_owned(), Code(*code))).collect();
                let cities = Setting::from(Cities { alias, ..Cities::default() });
                let set = vec![Setting::Tags(tags.iter().map(tag).collect()), cities];
                put(&Wire::Request(Request::Settings { at: Time(at), set, gone: Vec::new(), closes: true }));
            };
            rules(Time::DAY * 5, &[("展览", "展馆"), ("交通", "线路 -市第3条")], &[("线路", 410_300)]);
            rules(Time::DAY * 6, &[("展览", "线路 city:洛阳"), ("公告", "公告")], &[("线路", 410_300)]);
            rules(Time::DAY * 7, &[("展览", "展馆 OR city:平顶山")], &[("线路", 410_300)]);
            put(&settings(Time::DAY * 8, &[("halls", "tag:展览")], true));
            put(&described(Time::DAY * 8, &["政务", "展览"], &[410_300]));
            put(&described(Time::DAY * 8, &["展览"], &[340_200]));
            put(&described(Time::DAY * 8, &[], &[]));
            put(&settings(Time::DAY * 9, &[("some", "线路")], false));
            let subscribe = |at: i64, callback: &str, until: i64| {
                let topic = Topic { edition: EditionId::All, extension: "rss".to_owned() };
                let (callback, until, since) = (callback.to_owned(), Time(until), Time(at));
                let subscription = Subscription { topic, callback, secret: None, until, since, from: 7 };
                put(&Wire::Request(Request::Subscribe { at: Time(at), subscription }));
            };
            let day = |n: i64| n * Time::DAY;
            subscribe(day(10), "https://a.example", day(20));
            subscribe(day(10), "https://b.example", day(20));
            let marks = vec![Mark { what: Delivered { version: 9, content: 1 }, to: vec![1, 2, 77, Mark::OUTSIDE] }];
            put(&Wire::Request(Request::Delivered { at: Time(day(11)), marks }));
            subscribe(day(12), "https://a.example", day(30));
            put(&Wire::Request(Request::Unsubscribe { at: Time(day(13)), numbers: vec![2] }));
            subscribe(day(14), "https://b.example", day(30));
            room.journal.wire.sync().unwrap();
            records(room.journal.wire.as_ref())
        };
        let play = |ledger: &[Vec<u8>]| {
            let room = Room::new();
            for (log, records) in [(&room.journal.wire, &wire[..]), (&room.journal.ledger, ledger)] {
                log.append(None, &records.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
                log.sync().unwrap();
            }
            replay(&room.journal, &room.store, |_| ()).unwrap();
            let mut editor = room.editor(Box::new(|_| ()));
            editor.limits = limits;
            while editor.step().unwrap() {}
            let print = room.store.fingerprint().unwrap();
            let kept = room.store.view().subscriptions().unwrap();
            let kept: Vec<_> = kept.iter().map(|(number, it, has)| (*number, it.until.0 / Time::DAY, *has)).collect();
            // The renewed one has what it had; the one that came back has another number, and nothing.
            let has = |version, content| Delivered { version, content };
            assert_eq!(kept, [(1, 30, has(9, 1)), (3, 30, has(7, 0))]);
            assert_eq!(room.store.view().delivered(Mark::OUTSIDE).unwrap(), Some(has(9, 1)));
            assert_eq!(room.store.view().delivered(77).unwrap(), None, "there is no such subscription");
            (records(room.journal.ledger.as_ref()), print)
        };
        let (whole, print) = play(&[]);
        assert!(whole.len() > 15, "{}", whole.len());
        let decided = whole.iter().filter(|bytes| match codec::decode::<Record>(bytes).unwrap().body {
            Body::Edits(edits) => {
                edits.iter().any(|edit| matches!(edit, Edit::Split { .. } | Edit::Spike { .. } | Edit::Retire { .. }))
            }
            _ => false,
        });
        assert_eq!(decided.count(), 4);
        let refiled = whole.iter().filter(|bytes| match codec::decode::<Record>(bytes).unwrap().body {
            Body::Edits(edits) => edits.iter().any(|edit| matches!(edit, Edit::Refile { .. })),
            _ => false,
        });
        assert!(refiled.count() > 5);
        for cut in 0..whole.len() {
            let (ledger, other) = play(&whole[..cut]);
            assert!(ledger == whole, "cut after {cut} of {} records", whole.len());
            assert_eq!(other, print, "cut after {cut}");
        }
    }

    /// Files one item at this time: a story of its own, in the feeds of all and of its source.
    fn news(room: &Room, number: u64, at: Time) {
        let source = SourceId::new("a").unwrap();
        let title =
            format!("{number}号公告：{}", ["展馆", "线路", "步道", "医院", "学校"][number as usize % 5].repeat(3));
        let title = format!("{title}{}", fold_number(number));
        let item = Item { source: source.clone(), key: ItemKey::guid(&title), title, ..Item::default() };
        let wire = &room.journal.wire;
        let items = wire.append(None, &[&encode(&Wire::Item(Box::new(item)))]).unwrap();
        let filing = Filing { source, at, items, listed: 1, ..Filing::default() };
        wire.append(None, &[&encode(&Wire::Filing(filing))]).unwrap();
        wire.sync().unwrap();
    }

    /// A word that no other number has: stories that differ by figures alone may be one.
    fn fold_number(number: u64) -> String {
        let words: Vec<char> = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往".chars().collect();
        (0..6).map(|digit| words[(number / 3_u64.pow(digit) * 7 % 20) as usize]).collect()
    }

    fn archive(room: &Room, edition: &EditionId) -> Vec<(u64, Vec<Guid>)> {
        let view = room.store.view();
        let (mut at, mut pages) = (view.newest_run(edition).unwrap(), Vec::new());
        while let Some(n) = at {
            let page = view.archive(edition, n).unwrap().unwrap();
            pages.push((n, page.stories.iter().map(|(_, story)| story.guid).collect()));
            at = page.previous;
        }
        pages.reverse();
        pages
    }

    #[test]
    fn a_walk_through_the_archive_meets_every_story_once() {
        let room = Room::new();
        let mut editor = room.editor(Box::new(|_| ()));
        let all = EditionId::All;
        for number in 1..=250 {
            news(&room, number, Time(1_000 + number as i64));
        }
        while editor.step().unwrap() {}
        assert_eq!(archive(&room, &all), [], "in the first day there is no archive");
        let first = room.store.view().meta().stories;
        assert!(first > 200, "{first}");
        let mut before: Vec<(u64, Vec<Guid>)> = Vec::new();
        for number in 251..=600 {
            news(&room, number, Time(Time::DAY * 2 + number as i64 * Time::HOUR));
            while editor.step().unwrap() {}
            let pages = archive(&room, &all);
            assert_eq!(pages[..before.len()], before[..], "a page that is complete never changes");
            before = pages;
            if number % 50 > 0 {
                continue;
            }
            let mut met: BTreeSet<Guid> = BTreeSet::new();
            for (_, page) in &before {
                assert!(page.iter().all(|guid| met.insert(*guid)), "no guid stands in two pages");
            }
            let window = room.store.view().window(&all).unwrap();
            met.extend(window.iter().map(|(_, story)| story.guid));
            assert_eq!(met.len() as u64, room.store.view().meta().stories, "after {number}");
        }
        let sizes: Vec<usize> = before.iter().map(|(_, page)| page.len()).collect();
        let opening = sizes[..3].iter().sum::<usize>() as u64;
        assert!(opening == first && sizes[3..].iter().all(|size| *size == 100), "{sizes:?}");
        // What an editor takes out leaves its page, and the page is another version; the others stay as they are.
        let version = |n| room.store.view().archive(&all, n).unwrap().unwrap().version;
        let (old, other) = (version(2), version(1));
        let gone = before[1].1[7];
        let correction = Correction::Spike { story: gone };
        let asked = Wire::Request(Request::Correct { at: Time(Time::DAY * 90), correction });
        room.journal.wire.append(None, &[&encode(&asked)]).unwrap();
        room.journal.wire.sync().unwrap();
        while editor.step().unwrap() {}
        let pages = archive(&room, &all);
        assert!(
            !pages[1].1.contains(&gone) && pages[1].1.len() == 99 && pages[0] == before[0] && pages[2] == before[2]
        );
        assert!(version(2) > old && version(1) == other);
    }

    #[test]
    fn a_changed_rule_begins_the_archive_anew_under_new_addresses() {
        let room = Room::new();
        let put = |record: &Wire| {
            room.journal.wire.append(None, &[&encode(record)]).unwrap();
            room.journal.wire.sync().unwrap();
        };
        let mut editor = room.editor(Box::new(|_| ()));
        put(&settings(1, &[("some", "展馆")], true));
        for number in 1..=20 {
            news(&room, number, Time(1_000 + number as i64));
        }
        for number in 21..=1_100 {
            news(&room, number, Time(Time::DAY * 2 + number as i64 * Time::HOUR));
        }
        while editor.step().unwrap() {}
        let edition = EditionId::Saved("some".into());
        let before = archive(&room, &edition);
        let window = |room: &Room| -> Vec<Guid> {
            room.store.view().window(&edition).unwrap().iter().map(|(_, story)| story.guid).collect()
        };
        let shown = window(&room);
        assert!(before.len() >= 2, "{}", before.len());
        let at = Time::DAY * 60;
        put(&settings(at, &[("some", "线路 OR 展馆")], true));
        while editor.step().unwrap() {}
        let after = archive(&room, &edition);
        assert!(after.iter().all(|(n, _)| before.iter().all(|(old, _)| old != n)), "new addresses");
        let count = |pages: &[(u64, Vec<Guid>)]| pages.iter().map(|(_, page)| page.len()).sum::<usize>();
        assert!(count(&after) > count(&before) + 50);
        assert!(window(&room).iter().all(|guid| shown.contains(guid)), "the window gains nothing");
        let view = room.store.view();
        for (n, page) in &before {
            let answered = view.archive(&edition, *n).unwrap().expect("an old address answers");
            assert!(after.iter().any(|(n, _)| *n == answered.n), "with a new page");
            let newest = page.first().unwrap();
            assert!(answered.stories.iter().any(|(_, story)| story.guid == *newest));
        }
        let unique: BTreeSet<&Guid> = after.iter().flat_map(|(_, page)| page).collect();
        assert_eq!(unique.len(), count(&after));
        assert!(view.archive(&edition, 99).unwrap().is_none() && view.archive(&EditionId::All, 0).unwrap().is_none());
    }

    #[test]
    fn asked_to_stop_it_ends_in_the_middle_of_a_filing() {
        let room = Room::new();
        let titles: Vec<String> = (0..40).map(|n| format!("许昌市第{n}条线路今日开通运营")).collect();
        room.file(&titles.iter().map(String::as_str).collect::<Vec<_>>());
        let mut stopped = 0;
        while room.store.view().meta().progress.record.seq < 41 || !room.store.view().meta().progress.whole {
            let mut editor = room.editor(Box::new(|_| ()));
            editor.limits = [2_000, 1_000_000];
            editor.standing.stop();
            editor.step().unwrap();
            stopped += 1;
            let told = editor.standing.decided();
            assert_eq!(told > 41, room.store.view().meta().progress.whole);
        }
        assert!(stopped > 3, "{stopped}");
        assert_eq!(room.store.view().meta().stories, 40);
    }

    #[test]
    fn who_waits_for_an_editor_that_panics_is_told() {
        let room = Room::new();
        let editor = room.editor(Box::new(|_| panic!("as a mistake would")));
        let standing = Arc::clone(&editor.standing);
        room.file(&["许昌护城河夜游航线开航了"]);
        let thread = std::thread::spawn(move || editor.run());
        assert!(standing.wait(100).unwrap_err().contains("panicked"));
        assert!(thread.join().is_err());
    }

    #[test]
    fn the_runs_of_a_first_day_fill_more_than_one_record() {
        let room = Room::new();
        let mut batch = Batch::new(&room.store, &room.journal, [128, COMMIT]);
        let progress = Progress { record: Position { seq: 7, sum: 0 }, items: 3, whole: false };
        let mut edits = batch.begin(Time(1), progress);
        let editions = vec![EditionId::All];
        batch.take(&mut edits, Edit::Archives, true).unwrap();
        for no in 1..=2_500 {
            let (story, at) = (StoryNo(no), Time(no as i64));
            let key = ItemKey::guid(&no.to_string());
            let copy = Box::new(Copy { key: key.clone(), ..Copy::default() });
            let guid = Guid::mint(&SourceId::default(), &key, 0);
            batch.take(&mut edits, Edit::Open { story, guid, copy }, true).unwrap();
            if no == 2_500 {
                batch.end(edits);
                edits = batch.begin(Time(2_500), progress);
            }
            let enter = Edit::Enter { story, at, editions: editions.clone() };
            batch.take(&mut edits, enter, no < 2_500).unwrap();
        }
        batch.end(edits);
        let records: Vec<Record> = batch.records.iter().map(|bytes| codec::decode(bytes).unwrap()).collect();
        assert!(records.len() > 3, "{}", records.len());
        assert!(batch.records[1..].iter().all(|bytes| bytes.len() < 300));
        assert!(records.iter().all(|record| record.progress == progress));
        batch.commit().unwrap();
        let head = room.store.view().edition(&EditionId::All).unwrap().unwrap();
        // The newest one waits: others may still enter at its time.
        assert_eq!((head.run, head.since), (Some((24, Order { at: Time(2_400), story: 2_400 })), 100));
        let again = tempfile::tempdir().unwrap();
        let again = Store::open(again.path()).unwrap();
        replay(&room.journal, &again, |_| ()).unwrap();
        assert_eq!(again.fingerprint().unwrap(), room.store.fingerprint().unwrap());
    }

    #[test]
    fn items_that_no_filing_closes_make_room() {
        let mut waiting = Waiting::default();
        for seq in 0..100 {
            waiting.put(seq, WAITING / 10, Item::default());
            waiting.put(seq, WAITING / 10, Item::default());
        }
        assert_eq!(waiting.items.len(), 10);
        assert!(waiting.take(3).is_none() && waiting.take(99).is_some());
        assert_eq!(waiting.bytes, waiting.items.len() * (WAITING / 10));
    }
}
