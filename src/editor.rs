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

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::desk::{self, Arrival, Case, Rules, Shelf, ShelfError, arrival::Past};
use crate::journal::{Journal, LogError};
use crate::model::codec;
use crate::model::edit::{Body, Cause, Edit, Progress, Record};
use crate::model::edition::EditionId;
use crate::model::filing::{Filing, Request, Wire};
use crate::model::id::{Guid, ItemKey, SourceId, StoryNo};
use crate::model::item::Item;
use crate::model::position::{Position, Texts};
use crate::model::setting::InForce;
use crate::model::source::SourceRules;
use crate::model::story::Story;
use crate::model::time::Time;
use crate::store::draft::Draft;
use crate::store::{Store, StoreError};

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
/// Items kept in memory between being read and being closed by their filing; what does not fit is read again.
const WAITING: usize = 4_096;

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
        let mut told = self.lock();
        while told.decided < seq {
            if let Some(failed) = &told.failed {
                return Err(failed.clone());
            }
            if told.stop {
                return Err("the editor was stopped before it was done".to_owned());
            }
            told = self.changed.wait(told).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
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
    waiting: BTreeMap<u64, Item>,
    announce: Announce,
    /// What the step at hand decided.
    tally: Tally,
    /// Whether the disk is full: shown by `/readyz`.
    full: Arc<AtomicBool>,
    /// The request that a kill interrupted half-way, if the last step before it was one.
    resumed: Option<Position>,
}

impl std::fmt::Debug for Editor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Editor").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

/// Brings the store up to the ledger's end: replay. Nothing is decided again. Calls `step` with the number of records
/// applied so far, for progress.
///
/// # Errors
/// [`EditorError::Foreign`] if the store does not belong to this ledger (make it again); else as the parts fail.
pub fn replay(journal: &Journal, store: &Store, mut step: impl FnMut(u64)) -> Result<u64> {
    let applied = store.view().meta().applied;
    if applied.seq > 0 && journal.ledger.get(applied)?.is_none() {
        return Err(EditorError::Foreign(applied.seq));
    }
    let mut from = applied.seq + 1;
    let mut count = 0;
    loop {
        let records = journal.ledger.read(from, READ)?;
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
        let cursor = if progress.whole { progress.record.seq + 1 } else { progress.record.seq.max(1) };
        standing.lock().decided = cursor;
        let rules = rules(&settings, None);
        let resumed = (!progress.whole).then_some(progress.record);
        Self {
            journal,
            store,
            rules,
            standing,
            cursor,
            waiting: BTreeMap::new(),
            announce,
            tally: Tally::default(),
            full,
            resumed,
        }
    }

    /// Works until told to stop. On an error it says so in [`Standing`] and ends: what is decided stays.
    pub fn run(mut self) {
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
    /// [`EditorError`]; nothing of the step is visible then.
    pub fn step(&mut self) -> Result<bool> {
        let read = self.journal.wire.read(self.cursor, READ);
        let records = match read {
            Err(LogError::Gone { first, .. }) => {
                self.cursor = first;
                return Ok(true);
            }
            other => other?,
        };
        if records.is_empty() {
            return Ok(false);
        }
        let store = Arc::clone(&self.store);
        let journal = self.journal.clone();
        let draft = store.draft();
        let resume = draft.progress();
        let mut batch =
            Batch { next: journal.ledger.next(), draft, journal: &journal, records: Vec::new(), positions: Vec::new() };
        let mut cursor = self.cursor;
        for (position, bytes) in &records {
            match decode::<Wire>("wire", *position, bytes)? {
                Wire::Item(item) => {
                    if self.waiting.len() < WAITING {
                        self.waiting.insert(position.seq, *item);
                    }
                }
                Wire::Filing(filing) => {
                    let done = if resume.record == *position && !resume.whole { resume.items as usize } else { 0 };
                    self.filing(&mut batch, *position, &filing, done)?;
                }
                Wire::Request(request) => self.request(&mut batch, *position, request)?,
            }
            cursor = position.seq + 1;
        }
        batch.write()?;
        let Batch { draft, .. } = batch;
        store.commit(draft.finish())?;
        self.cursor = cursor;
        self.standing.lock().decided = cursor;
        self.standing.changed.notify_all();
        (self.announce)(&std::mem::take(&mut self.tally));
        Ok(true)
    }

    /// Decides a filing from item number `done` on: oldest first, since documents list the newest first.
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
        let mut edits = batch.begin(at);
        let before = self.tally.clone();
        for (index, wire) in filing.items.iter().enumerate().rev().skip(done) {
            let item = match self.waiting.remove(&wire.seq) {
                Some(item) => Some(item),
                None => self.journal.item(*wire),
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
            };
            let decided = desk::decide(&self.rules, &case, &Reading { draft: &batch.draft, journal: &self.journal })?;
            for edit in decided {
                self.tally.count(&edit);
                batch.take(&mut edits, edit, arrival.opening)?;
            }
            if edits.bytes >= FULL {
                let items = (filing.items.len() - index) as u32;
                batch.end(edits, Progress { record: position, items, whole: false });
                edits = batch.begin(at);
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
        };
        batch.take(&mut edits, filed, arrival.opening)?;
        batch.end(edits, Progress { record: position, items: filing.items.len() as u32, whole: true });
        let (opened, joined) = (self.tally.opened - before.opened, self.tally.joined - before.joined);
        tracing::debug!(source = %filing.source, items = filing.items.len(), opened, joined, "filing decided");
        Ok(())
    }

    fn request(&mut self, batch: &mut Batch<'_>, position: Position, request: Request) -> Result<()> {
        match request {
            Request::Settings { at, set, gone, closes } => {
                let at = at.max(batch.draft.at());
                // Whole only when the new feeds are filled: a kill between the records finds the request again.
                batch.whole(
                    at,
                    Body::Settings { set, gone, closes },
                    Progress { record: position, items: 0, whole: !closes },
                )?;
                if closes {
                    self.rules = rules(batch.draft.settings(), Some(&self.rules));
                    self.fill(batch, position, at)?;
                }
            }
        }
        Ok(())
    }

    /// Past stories enter the saved feeds that are new.
    fn fill(&self, batch: &mut Batch<'_>, position: Position, at: Time) -> Result<()> {
        let resumed = self.resumed == Some(position);
        let settings = batch.draft.settings_version();
        let mut new = Vec::new();
        for (id, _) in self.rules.feeds() {
            let head = batch.draft.head(&EditionId::Saved(id.clone()))?;
            if head.is_none_or(|head| resumed && head.version.seq >= settings) {
                new.push(id.clone());
            }
        }
        let mut edits = batch.begin(at);
        let last = if new.is_empty() { 0 } else { batch.draft.next_story().0 };
        for no in 1..last {
            let Some(story) = batch.draft.story(StoryNo(no))? else { continue };
            let Some(emission) = story.emission.as_ref().filter(|_| !story.spiked) else { continue };
            let item = self.journal.item(emission.text);
            let body = item.as_ref().map_or("", |item| item.text.as_str());
            let text = format!("{}\n{}\n{body}", emission.title, emission.summary);
            if let Some(edit) = desk::enter::anew(&self.rules, &story, &text, &new) {
                batch.take(&mut edits, edit, true)?;
            }
            if edits.bytes >= FULL {
                batch.end(edits, Progress { record: position, items: 0, whole: false });
                edits = batch.begin(at);
            }
        }
        batch.end(edits, Progress { record: position, items: 0, whole: true });
        Ok(())
    }
}

fn rules(settings: &InForce, before: Option<&Rules>) -> Rules {
    let (rules, complaints) = Rules::new(settings, before);
    for complaint in complaints {
        tracing::warn!(%complaint, "a recorded setting cannot be used and is left out: look at feeds.toml with `citydesk check`");
    }
    rules
}

/// Decisions gathered for one record.
struct Gathered {
    at: Time,
    edits: Vec<Edit>,
    bytes: usize,
}

/// Records decided, and the draft they are applied to.
struct Batch<'s> {
    next: u64,
    draft: Draft<'s>,
    journal: &'s Journal,
    records: Vec<Vec<u8>>,
    positions: Vec<Position>,
}

impl Batch<'_> {
    fn begin(&mut self, at: Time) -> Gathered {
        self.draft.begin(self.next, at);
        Gathered { at, edits: Vec::new(), bytes: 0 }
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
            self.fill(edits, &edition)?;
        }
        Ok(())
    }

    /// Records the runs of an archive that are full now.
    fn fill(&mut self, edits: &mut Gathered, edition: &EditionId) -> Result<()> {
        let Some(head) = self.draft.head(edition)? else { return Ok(()) };
        if (head.since as usize) < desk::archive::RUN {
            return Ok(());
        }
        let entries = self.draft.entries_after(edition, head.run.map(|(_, through)| through))?;
        for (number, through) in desk::archive::full(head.run, &entries) {
            let run = Edit::Run { edition: edition.clone(), number, through };
            self.draft.edit(&run)?;
            edits.bytes += codec::encode(&run).len();
            edits.edits.push(run);
        }
        Ok(())
    }

    fn end(&mut self, edits: Gathered, progress: Progress) {
        self.push(Record { at: edits.at, progress, body: Body::Edits(edits.edits) });
    }

    fn whole(&mut self, at: Time, body: Body, progress: Progress) -> Result<()> {
        self.draft.begin(self.next, at);
        self.draft.body(&body)?;
        self.push(Record { at, progress, body });
        Ok(())
    }

    fn push(&mut self, record: Record) {
        let bytes = codec::encode(&record);
        let position = Position { seq: self.next, sum: crc32fast::hash(&bytes) };
        self.draft.end(position, record.progress);
        self.next += 1;
        self.records.push(bytes);
        self.positions.push(position);
    }

    /// Appends and syncs all records: from here on they are facts.
    fn write(&self) -> Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        let expected = self.next - self.records.len() as u64;
        let records: Vec<&[u8]> = self.records.iter().map(Vec::as_slice).collect();
        let positions = self.journal.ledger.append(Some(expected), &records)?;
        debug_assert_eq!(positions, self.positions, "the log and the editor count alike");
        self.journal.ledger.sync()?;
        Ok(())
    }
}

/// What the desk sees of the past: the draft, and texts on the wire.
struct Reading<'a, 's> {
    draft: &'a Draft<'s>,
    journal: &'a Journal,
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

    fn sharing_link(&self, canonical: &str) -> std::result::Result<Vec<StoryNo>, ShelfError> {
        self.draft.sharing_link(canonical).map_err(shelf)
    }

    fn sharing_headline(&self, title: &str) -> std::result::Result<Vec<StoryNo>, ShelfError> {
        self.draft.sharing_headline(title).map_err(shelf)
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
}
