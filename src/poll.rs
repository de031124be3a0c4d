//! One source's round: ask, read, file what is new, remember.
//!
//! The order is what keeps an item from being lost: items and their closing filing are synced on the wire before the
//! validators that vouch for them are noted, so that no "not modified" ever answers for something that was not kept.

pub mod article;
pub mod conclude;
pub mod draft;
pub mod folder;
pub mod lead;
pub mod pace;
pub mod parsers;
pub mod reach;
mod sieve;
pub mod signs;
pub mod subscriber;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;

use crate::clock::Clock;
use crate::fetch::seat::{Seat, Seats};
use crate::fetch::{Answer, Ask, FetchError, Fetcher, Obedience, robots};
use crate::journal::{Log, LogError};
use crate::model::book::{Change, Entry, Held, Signs, State, Validators};
use crate::model::codec::encode;
use crate::model::filing::{Filing, Wire};
use crate::model::id::{SourceId, hash64};
use crate::model::item::Item;
use crate::model::position::Position;
use crate::model::source::{Kind, Source};
use crate::model::time::Time;
use crate::parse::ParseError;
use crate::store::{Store, StoreError};
use crate::websub::link::{self, Offer};

use conclude::{Came, Read, Seen};
use draft::{Reading, Sheet};
use pace::Said;
use parsers::{Parsers, Unread};
use reach::{Missing, Reach};
use subscriber::Gates;

/// Items of one document that are looked at. A closing filing names each by its position, and must stay small enough
/// for a message of a replicated log.
pub const ITEMS: usize = 20_000;
/// Complaints kept of one document.
pub const COMPLAINTS: usize = 40;
/// Encoded bytes handed to the wire in one append.
const BATCH: usize = 4 << 20;
/// Rounds that are at work with a document at once: what bounds memory. Beside them others wait for their answers.
pub const AT_WORK: usize = 32;
/// Bytes of bodies that stopped coming half way, beside those at work: their rounds have no seat until more comes.
const STALLED: usize = 32 << 20;
/// Records that are remembered to be on the wire.
const SEEN: usize = 200_000;
/// A date may lie so far ahead of our clock and still count as the newest one.
const AHEAD: i64 = Time::DAY;

/// Why a round brought nothing readable.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// An answer that is no document.
    #[error("{}", status(*.0))]
    Status(u16),
    /// The files of a `files` source.
    #[error("{0}")]
    Folder(String),
    /// Reading panicked or hung.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// The document is not what the source says it is.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It is no document, but a page that asks for a password.
    #[error("it answers with a page that asks for a password, it wants a login now ({0})")]
    Login(ParseError),
    /// The wire took nothing. The answer was dropped and is asked for again.
    #[error("what came could not be kept: {0}")]
    Wire(#[from] LogError),
    /// The store could not be asked what is known.
    #[error("what came could not be compared with what is known: {0}")]
    Store(#[from] StoreError),
    /// A hub delivered before the source was polled in the way in which it is read now.
    #[error(
        "the source has to be polled first: how it is read has changed, and a delivery shows a part of its list alone"
    )]
    Unpolled,
    /// What the document leads to is missing.
    #[error("what it leads to cannot be read: {0}")]
    Missing(#[from] Missing),
    /// A task of ours died.
    #[error("the round itself failed ({0}): this is a mistake in citydesk, please report it")]
    Round(String),
}

impl Trouble {
    /// A short word for metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Fetch(error) | Self::Missing(Missing::Fetch(error)) => error.kind(),
            Self::Status(_) => "status",
            Self::Folder(_) => "files",
            Self::Unread(_) => "reader",
            Self::Parse(_) | Self::Login(_) | Self::Missing(Missing::Parse(_)) => "document",
            Self::Missing(_) => "leads",
            Self::Unpolled => "unpolled",
            Self::Wire(LogError::Full { .. }) => "disk",
            Self::Wire(_) => "wire",
            Self::Store(_) => "store",
            Self::Round(_) => "round",
        }
    }

    /// Whether it is our trouble, not the source's: then the source keeps its state.
    #[must_use]
    pub const fn ours(&self) -> bool {
        matches!(self, Self::Wire(_) | Self::Store(_) | Self::Round(_) | Self::Unread(Unread::Busy) | Self::Unpolled)
    }
}

/// What a status other than 2xx means for the operator.
fn status(code: u16) -> String {
    let meaning = match code {
        304 => "says \"not modified\" although nothing was asked conditionally",
        401 | 407 => "wants a login; put it into `headers` or the address",
        403 => "refuses us; write to the site, or look whether it wants to be asked less often",
        404 => "there is nothing at this address; has the feed moved?",
        410 => "the feed is gone for good and is not asked any more",
        429 => "asks us to come back later",
        503 => "is overloaded or closed for a while",
        400..=499 => "does not like the request",
        500..=599 => "has a fault of its own",
        _ => "is not an answer with a document",
    };
    format!("the server answers {code}: {meaning}")
}

/// What came of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// So many items were filed, new and changed ones.
    New(u32),
    /// A document without anything new.
    Nothing,
    /// Byte for byte the document of last time.
    Unchanged,
    /// 304, or files that nobody touched.
    NotModified,
    /// A status that is no success.
    Http(u16),
    /// Anything else; the word is [`Trouble::kind`].
    Failed(&'static str),
}

impl Outcome {
    /// A short word for metrics; a failure by what failed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New(_) => "new",
            Self::Nothing => "nothing",
            Self::Unchanged => "unchanged",
            Self::NotModified => "not_modified",
            Self::Http(_) => "status",
            Self::Failed(kind) => kind,
        }
    }
}

/// A round's report, for the log, for `once` and for metrics.
#[derive(Debug, Clone)]
pub struct Round {
    /// Who was asked.
    pub source: SourceId,
    /// What came of it.
    pub outcome: Outcome,
    /// The same in words.
    pub sentence: String,
    /// How the source is doing now.
    pub state: State,
    /// Items in the document (of last time, if it was not sent again).
    pub listed: u32,
    /// Items filed.
    pub filed: u32,
    /// Items kept away by `drop` and `only`.
    pub dropped: u32,
    /// The closing filing, if there was anything to file.
    pub filing: Option<Position>,
    /// When it is asked next.
    pub due: Time,
    /// HTTP status, 0 if there was none.
    pub status: u16,
    /// Bytes of the body on the wire.
    pub bytes: u64,
    /// Milliseconds from asking to the last note.
    pub took: i64,
    /// What the server's clock said less ours, in milliseconds.
    pub skew: Option<i64>,
    /// What was wrong with the document.
    pub complaints: Vec<String>,
    /// A change of state that is certain.
    pub change: Option<Change>,
    /// The server wants its host left alone until then (429 or 503 with `Retry-After`).
    pub quiet: Option<Time>,
    /// The hub that the answer or its document names.
    pub offer: Offer,
    /// It showed news although a hub delivers them.
    pub missed: bool,
}

impl Round {
    /// Whether the source did not answer, or not readably.
    #[must_use]
    pub const fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Http(_) | Outcome::Failed(_))
    }
}

/// Told that something new is synced on the wire.
pub type Nudge = Arc<dyn Fn() + Send + Sync>;

/// Makes rounds. Shared by all of them.
pub struct Poller {
    fetcher: ArcSwap<Fetcher>,
    wire: Arc<dyn Log>,
    store: Arc<Store>,
    clock: Clock,
    parsers: Parsers,
    nudge: Nudge,
    file_max: u64,
    gates: Gates,
    seats: Seats,
    /// Checksums of records that were found on the wire, by number.
    seen: Mutex<HashMap<u64, u32>>,
}

impl std::fmt::Debug for Poller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poller").field("parsers", &self.parsers).finish_non_exhaustive()
    }
}

/// What a readable answer brought, with everything it leads to.
struct Brought {
    reading: Reading,
    /// Items that wait or are not wanted, for the poll book.
    held: Vec<Held>,
    /// Milliseconds until what waits is looked at again; none if nothing waits.
    pause: Option<i64>,
    /// Nothing is filed in this round.
    postponed: bool,
    /// Whether "not modified" of the document speaks for everything it leads to.
    vouched: bool,
}

/// What was met on the way to a source, whatever came of it.
#[derive(Default)]
struct Walk {
    said: Said,
    /// Asked without conditions although there were validators.
    doubted: bool,
    /// The hub that the answer or its document names.
    offer: Offer,
}

/// What the asking brought.
enum Got {
    NotModified(Answer),
    Documents(Vec<Sheet>, Answer, Vec<String>),
}

impl Poller {
    /// With everything a round needs. `file_max` bounds one file of a `files` source, in bytes.
    ///
    /// # Errors
    /// If the system gives us no threads to read on.
    pub fn new(
        fetcher: Fetcher,
        wire: Arc<dyn Log>,
        store: Arc<Store>,
        clock: Clock,
        file_max: u64,
        nudge: Nudge,
    ) -> std::io::Result<Self> {
        let parsers = Parsers::fitting()?;
        Ok(Self {
            fetcher: ArcSwap::from_pointee(fetcher),
            wire,
            store,
            clock,
            parsers,
            nudge,
            file_max,
            gates: Gates::default(),
            seats: Seats::new(AT_WORK, STALLED),
            seen: Mutex::default(),
        })
    }

    /// From now on requests are made by this fetcher: `[fetch]` changed.
    pub fn fetch_with(&self, fetcher: Fetcher) {
        self.fetcher.store(Arc::new(fetcher));
    }

    /// Makes requests by the `[fetch]` in force.
    #[must_use]
    pub fn fetcher(&self) -> Arc<Fetcher> {
        self.fetcher.load_full()
    }

    /// Whether another round would find a seat.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.seats.free() > 0
    }

    /// The clock of the rounds.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What is remembered of a source.
    #[must_use]
    pub fn book(&self, source: &SourceId) -> Option<Entry> {
        self.store.book(source)
    }

    /// Asks a source once, whether it is due or not, files what is new and notes what was learned.
    pub async fn round(self: &Arc<Self>, source: &Arc<Source>) -> Round {
        let _gate = self.gates.enter(source.id()).await;
        let started = (self.clock)();
        let mut book = self.open_book(source);
        let mut round = Round {
            source: source.id().clone(),
            outcome: Outcome::Nothing,
            sentence: String::new(),
            state: book.state,
            listed: 0,
            filed: 0,
            dropped: 0,
            filing: None,
            due: book.due,
            status: 0,
            bytes: 0,
            took: 0,
            skew: None,
            complaints: Vec::new(),
            change: None,
            quiet: None,
            offer: Offer::default(),
            missed: false,
        };
        let waiting = book.held.iter().filter(|held| !held.settled).count();
        let seat = self.seats.seat();
        let (result, walk) = self.walk(source, &mut book, &mut round, &seat).await;
        let now = (self.clock)();
        let came = match result {
            Ok(came) => came,
            Err(trouble) => {
                round.sentence = trouble.to_string();
                round.outcome = match &trouble {
                    Trouble::Status(status) => Outcome::Http(*status),
                    other => Outcome::Failed(other.kind()),
                };
                let status = if let Trouble::Status(status) = &trouble { *status } else { 0 };
                Came::Failed { status, kind: trouble.kind(), ours: trouble.ours(), reason: round.sentence.clone() }
            }
        };
        book.status = round.status;
        let Walk { said, doubted, offer } = walk;
        // A hub that delivers spares polls, until one of them shows that it does not.
        let delivered = self.store.push(source.id()).and_then(|push| push.delivers(now));
        // What waited for its article may have been delivered before.
        round.missed = delivered.is_some() && matches!(&came, Came::Read(read) if read.unknown as usize > waiting);
        book.pushed = delivered.filter(|_| !round.missed);
        round.offer = offer;
        round.change = conclude::conclude(source, &mut book, Seen { asked: started, at: now, doubted, came, said });
        round.quiet = book.retry_after.filter(|_| matches!(round.status, 429 | 503));
        if let Err(error) = self.store.note(source.id(), &book) {
            tracing::error!(source = %source.id(), "the poll book could not be written: {error}");
        }
        (round.state, round.due, round.listed) = (book.state, book.due, book.listed);
        round.took = (self.clock)().since(started);
        tell(&round);
        round
    }

    /// The poll book of a source, without whatever cannot be trusted any more.
    fn open_book(&self, source: &Source) -> Entry {
        let mut book = self.store.book(source.id()).unwrap_or_default();
        // What the wire kept long enough is gone by age; what is missing from the rest was lost.
        let kept = book.vouched.seq < self.wire.first() || self.holds(book.vouched);
        if !kept {
            book.vouched = Position::default();
        }
        // Validators answer for items read in this way and still on the wire. Anything else is asked for whole.
        let reading = source.reading();
        if !kept || book.reading != reading {
            (book.validators, book.body) = (Validators::default(), 0);
            book.reading = reading;
        }
        book
    }

    /// Whether a record is on the wire. What was there once is not asked for again: a wire loses nothing while it is open.
    fn holds(&self, at: Position) -> bool {
        if self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&at.seq) == Some(&at.sum) {
            return true;
        }
        let holds = self.wire.holds(at).unwrap_or(false);
        if holds {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.len() >= SEEN {
                seen.clear();
            }
            seen.insert(at.seq, at.sum);
        }
        holds
    }

    async fn walk(
        self: &Arc<Self>,
        source: &Arc<Source>,
        book: &mut Entry,
        round: &mut Round,
        seat: &Seat,
    ) -> (Result<Came, Trouble>, Walk) {
        let mut walk = Walk::default();
        let came = self.look(source, book, round, &mut walk, seat).await;
        (came, walk)
    }

    async fn look(
        self: &Arc<Self>,
        source: &Arc<Source>,
        book: &mut Entry,
        round: &mut Round,
        walk: &mut Walk,
        seat: &Seat,
    ) -> Result<Came, Trouble> {
        let got = match &source.kind {
            Kind::Files(pattern) => {
                seat.take().await;
                Box::pin(self.open_files(pattern, book)).await
            }
            _ => self.ask(source, book, round, walk, seat).await,
        };
        let (sheets, answer, complaints) = match got? {
            Got::NotModified(answer) => {
                // RFC 9110 section 15.4.5: a 304 may bring newer validators. They stay a pair.
                if answer.validators != Validators::default() {
                    book.validators = answer.validators;
                }
                round.outcome = Outcome::NotModified;
                "not modified".clone_into(&mut round.sentence);
                return Ok(Came::NotModified);
            }
            Got::Documents(sheets, answer, complaints) => (sheets, answer, complaints),
        };
        let parts: Vec<&[u8]> = sheets.iter().flat_map(|sheet| [sheet.url.as_bytes(), &sheet.body[..]]).collect();
        // 0 stands for "none yet".
        let body = hash64(&parts).max(1);
        if body == book.body {
            book.validators = answer.validators;
            round.outcome = Outcome::Unchanged;
            "the same document as last time".clone_into(&mut round.sentence);
            return Ok(Came::Same);
        }
        let at = (self.clock)();
        let fetched = (!answer.url.is_empty()).then(|| answer.url.clone());
        let login = signs::login(&answer.hops, &sheets);
        let brought =
            Box::pin(self.read(source, sheets, book, at, Some(seat))).await.map_err(|trouble| match trouble {
                Trouble::Parse(error) if login => Trouble::Login(error),
                other => other,
            })?;
        let Brought { mut reading, held, pause, postponed, vouched } = brought;
        reading.complaints.splice(0..0, complaints);
        reading.complaints.truncate(COMPLAINTS);
        if let Some(asked) = fetched {
            walk.offer = offered(std::mem::take(&mut walk.offer), std::mem::take(&mut reading.offer), &asked);
        }
        let minutes = i64::from(reading.ttl.unwrap_or(0));
        (walk.said.ttl, walk.said.skip) = (minutes.saturating_mul(Time::MINUTE), reading.skip);
        let (listed, unknown, filed) = (reading.listed, reading.unknown, reading.items.len() as u32);
        (round.dropped, round.filed) = (reading.dropped, filed);
        round.complaints.clone_from(&reading.complaints);
        let read = Read {
            listed,
            unknown,
            filed,
            newest: reading.newest,
            moments: std::mem::take(&mut reading.moments),
            // A login page has links, too; but none that we know.
            signs: reading.signs.with(Signs::LOGIN, login && (listed == 0 || (unknown == listed && book.usual > 0))),
        };
        let learned = (reading.format.clone(), reading.charset.clone());
        let filing = if postponed { None } else { Box::pin(self.file(source, reading, at, book.vouched)).await? };
        if let Some(filing) = filing {
            round.filing = Some(filing);
            book.vouched = filing;
            (self.nudge)();
        }
        // Only now: what these vouch for is synced. What waits is not: it is to be met again.
        let whole = pause.is_none() && vouched;
        (book.validators, book.body) = if whole { (answer.validators, body) } else { (Validators::default(), 0) };
        (book.held, walk.said.held) = (held, pause);
        (book.format, book.charset) = learned;
        book.complaints.clone_from(&round.complaints);
        if filed == 0 {
            round.sentence = match book.held.iter().filter(|held| !held.settled).count() {
                0 => format!("nothing new among {listed} items"),
                _ if postponed => format!("{listed} items wait until articles can be had"),
                waiting => format!("{waiting} of {listed} items wait for their articles"),
            };
        } else {
            round.outcome = Outcome::New(filed);
            round.sentence = format!("{filed} of {listed} items are new or changed");
        }
        Ok(Came::Read(read))
    }

    /// Files what a hub delivered: read, sifted and filed as what is polled. Returns how many items were new or changed,
    /// and in how many milliseconds the source is to be asked for those whose articles could not be had.
    ///
    /// # Errors
    /// [`Trouble`], if it cannot be read or kept; then a poll brings it.
    pub async fn delivered(
        self: &Arc<Self>,
        source: &Arc<Source>,
        sheet: Sheet,
    ) -> Result<(u32, Option<i64>), Trouble> {
        let _gate = self.gates.enter(source.id()).await;
        let mut book = self.open_book(source);
        let (poller, wanted, vouched) = (Arc::clone(self), Arc::clone(source), book.vouched);
        // What a part of the list shows is no baseline: the rest of it would be news at the next poll.
        let baseline = move || {
            let head = poller.store.view().source(wanted.id())?;
            Ok::<_, Trouble>(draft::is_baseline(&wanted, head.as_ref(), vouched))
        };
        if blocking(baseline).await?? {
            return Err(Trouble::Unpolled);
        }
        let at = (self.clock)();
        let Brought { reading, held, pause, postponed, .. } =
            Box::pin(self.read(source, vec![sheet], &book, at, None)).await?;
        let filed = if postponed { 0 } else { reading.items.len() as u32 };
        let read = Read {
            listed: reading.listed,
            unknown: reading.unknown,
            filed,
            newest: reading.newest,
            moments: reading.moments.clone(),
            signs: reading.signs,
        };
        let filing = if postponed { None } else { Box::pin(self.file(source, reading, at, book.vouched)).await? };
        if let Some(filing) = filing {
            book.vouched = filing;
            (self.nudge)();
        }
        // A delivery may show a part of the list alone: what waits of the rest goes on waiting.
        let kept =
            book.held.iter().filter(|old| held.iter().all(|new| new.key != old.key)).cloned().collect::<Vec<_>>();
        book.held = held.into_iter().chain(kept).collect();
        if pause.is_some() {
            // What waits for its article is to be met again.
            (book.validators, book.body) = (Validators::default(), 0);
        }
        conclude::delivered(source, &mut book, &read, at);
        self.store.note(source.id(), &book)?;
        Ok((filed, pause))
    }

    async fn ask(
        &self,
        source: &Source,
        book: &mut Entry,
        round: &mut Round,
        walk: &mut Walk,
        seat: &Seat,
    ) -> Result<Got, Trouble> {
        let post = match &source.kind {
            Kind::Api { post, .. } if !post.is_empty() => Some(post),
            _ => None,
        };
        let before = (self.clock)();
        // RFC 9110 section 13.1.2: of a POST there is nothing that could be unmodified.
        let validators = book.validators != Validators::default() && post.is_none();
        walk.doubted = validators && conclude::doubts(source, book, before);
        let (url, written) = conclude::address(source, book, before);
        let ask = Ask {
            url,
            headers: &source.how.headers,
            validators: (validators && !walk.doubted).then_some(&book.validators),
            timeout: Duration::from_millis(source.timeout.max(1).unsigned_abs()),
            proxy: source.how.proxy.as_deref(),
            ca: source.how.ca.as_deref(),
            post,
            robots: obedience(source, book, before),
            seat: Some(seat),
        };
        let fetcher = self.fetcher.load_full();
        let answer = fetcher.get(ask).await;
        let now = (self.clock)();
        match (&answer, ask.robots) {
            (Err(FetchError::Rules { .. }), _) => book.unruled = book.unruled.or(Some(now)),
            (Ok(_), Obedience::Obey) => book.unruled = None,
            _ => {}
        }
        let mut answer = answer?;
        (round.status, round.bytes) = (answer.status, answer.transferred);
        round.skew = answer.date.map(|date| date.since(now));
        walk.offer = link::read(answer.links.iter().map(String::as_str));
        walk.said.fresh = answer.fresh.unwrap_or(0);
        walk.said.retry_after = answer.retry_after.filter(|_| !(200..400).contains(&answer.status));
        let lasting = answer.hops.iter().take_while(|hop| matches!(hop.status, 301 | 308)).last();
        conclude::moved(book, lasting.map(|hop| hop.to.as_str()), written, now);
        if answer.not_modified {
            return Ok(Got::NotModified(answer));
        }
        if !(200..300).contains(&answer.status) {
            return Err(Trouble::Status(answer.status));
        }
        let sheet = Sheet {
            url: answer.url.clone(),
            body: std::mem::take(&mut answer.body),
            content_type: answer.content_type.take(),
        };
        Ok(Got::Documents(vec![sheet], answer, Vec::new()))
    }

    async fn open_files(self: &Arc<Self>, pattern: &str, book: &Entry) -> Result<Got, Trouble> {
        let (pattern, before, most) = (pattern.to_owned(), book.validators.etag.clone(), self.file_max);
        let open = move || {
            if before.is_some() && before == folder::look(&pattern).ok().map(|(mark, _)| mark) {
                return Ok(None);
            }
            folder::read(&pattern, most).map(Some)
        };
        let found = blocking(open).await?.map_err(Trouble::Folder)?;
        let Some(found) = found else {
            return Ok(Got::NotModified(Answer::default()));
        };
        let validators = Validators { etag: Some(found.mark), last_modified: None };
        let sheets = found.sheets.into_iter().map(|sheet| {
            // The name alone: a relative link must not lead into this machine's folders.
            let name = sheet.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Sheet { url: format!("file:///{name}"), body: Bytes::from(sheet.body), content_type: None }
        });
        Ok(Got::Documents(sheets.collect(), Answer { validators, ..Answer::default() }, found.complaints))
    }

    /// Reads the documents, asks for what they lead to, and makes items of what is new or changed.
    async fn read(
        self: &Arc<Self>,
        source: &Arc<Source>,
        sheets: Vec<Sheet>,
        book: &Entry,
        at: Time,
        seat: Option<&Seat>,
    ) -> Result<Brought, Trouble> {
        let lapsed = obedience(source, book, at) == Obedience::Lapsed;
        let robots = if lapsed { Obedience::Lapsed } else { Obedience::Obey };
        let fetcher = self.fetcher.load_full();
        let reach = Reach { fetcher, parsers: &self.parsers, source: Arc::clone(source), robots, seat };
        let wanted = Arc::clone(source);
        let mut read = self.parsers.run(move || draft::read(&wanted, &sheets, at)).await??;
        let mut vouched = true;
        if read.documents.iter().any(|(_, document)| !document.children.is_empty()) {
            vouched = lead::children(&reach, &mut read, at).await?;
        }
        let backfill = source.rules.backfill as usize;
        if matches!(source.kind, Kind::Page { .. } | Kind::Api { .. })
            && backfill > 0
            && self.is_new(source, book).await?
        {
            lead::older(&reach, &mut read, backfill, at).await;
        }
        let (store, wanted, told) = (Arc::clone(&self.store), Arc::clone(source), book.vouched);
        let mut sifted = self.parsers.run(move || draft::sift(&wanted, read, at, &store, told)).await??;
        let most = if sifted.baseline { article::ARTICLES.max(backfill) } else { article::ARTICLES };
        let (drafts, baseline) = (&mut sifted.drafts, sifted.baseline);
        let gathered = article::gather(&reach, drafts, baseline, &book.held, most, &self.clock).await;
        if gathered.postponed {
            sifted.drafts.clear();
        }
        let wanted = Arc::clone(source);
        let (mut reading, unwanted) = self.parsers.run(move || draft::finish(&wanted, sifted, at)).await?;
        let mut held = gathered.held;
        held.extend(unwanted.into_iter().map(|(key, hash)| Held { key, hash, first: at, tries: 0, settled: true }));
        reading.complaints.splice(0..0, gathered.complaints);
        let pause = held.iter().any(|held| !held.settled).then_some(gathered.pause);
        Ok(Brought { reading, held, pause, postponed: gathered.postponed, vouched })
    }

    /// Whether nothing was ever filed of a source.
    async fn is_new(self: &Arc<Self>, source: &Arc<Source>, book: &Entry) -> Result<bool, Trouble> {
        if book.vouched != Position::default() {
            return Ok(false);
        }
        let (poller, source) = (Arc::clone(self), Arc::clone(source));
        Ok(blocking(move || poller.store.view().source(source.id())).await??.is_none())
    }

    /// Items, then their closing filing, then the sync. Nothing, if there is nothing to tell.
    async fn file(
        self: &Arc<Self>,
        source: &Arc<Source>,
        reading: Reading,
        at: Time,
        vouched: Position,
    ) -> Result<Option<Position>, Trouble> {
        let (poller, source) = (Arc::clone(self), Arc::clone(source));
        let file = move || {
            let head = poller.store.view().source(source.id())?;
            // A first filing is told even if it is empty; and so is another reading, or the first news that it brings
            // would be taken for its baseline and held back.
            let untold = match &head {
                None => vouched == Position::default(),
                Some(head) => head.reading != source.reading() && reading.listed > 0,
            };
            if reading.items.is_empty() && !untold {
                return Ok(None);
            }
            let mut complaints = reading.complaints;
            let mut items = Vec::with_capacity(reading.items.len());
            let mut batch: Vec<Vec<u8>> = Vec::new();
            let mut size = 0;
            for item in reading.items {
                let Some(bytes) = fit(item) else {
                    complaints.push(format!(
                        "an item is larger than {} bytes even without its text: left out",
                        Item::LARGEST
                    ));
                    continue;
                };
                size += bytes.len();
                batch.push(bytes);
                if size > BATCH {
                    items.extend(append(poller.wire.as_ref(), &std::mem::take(&mut batch))?);
                    size = 0;
                }
            }
            items.extend(append(poller.wire.as_ref(), &batch)?);
            let filing = Wire::Filing(Filing {
                source: source.id().clone(),
                at,
                items,
                listed: reading.listed,
                reading: source.reading(),
                complaints,
                title: reading.title,
                home: reading.home,
            });
            let closing = append(poller.wire.as_ref(), &[encode(&filing)])?;
            poller.wire.sync()?;
            Ok(closing.last().copied())
        };
        blocking(file).await?
    }
}

/// Whether robots.txt counts for a source's own address: for pages made for people and for lists of pages. A feed and an
/// API are there for programs.
fn obedience(source: &Source, book: &Entry, now: Time) -> Obedience {
    match source.kind {
        Kind::Page { .. } | Kind::Sitemap(_) => {
            let lapsed = book.unruled.is_some_and(|since| now.since(since) >= robots::GIVEN_UP);
            if lapsed { Obedience::Lapsed } else { Obedience::Obey }
        }
        Kind::Feed(_) | Kind::Api { .. } | Kind::Files(_) => Obedience::Free,
    }
}

/// The hub of an answer: its headers before its document. Addresses are made absolute; a document that does not state its
/// own has the one that was asked.
fn offered(headers: Offer, document: Offer, asked: &str) -> Offer {
    let Offer { hub, topic } = headers.or(document);
    let base = url::Url::parse(asked).ok();
    let absolute = |address: String| match &base {
        Some(base) => base.join(&address).map_or(address, String::from),
        None => address,
    };
    Offer { hub: hub.map(absolute), topic: Some(topic.map_or_else(|| asked.to_owned(), absolute)) }
}

/// Runs what blocks on a thread that may.
async fn blocking<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Result<T, Trouble> {
    tokio::task::spawn_blocking(job).await.map_err(|error| Trouble::Round(error.to_string()))
}

fn append(wire: &dyn Log, records: &[Vec<u8>]) -> Result<Vec<Position>, LogError> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    wire.append(None, &records)
}

/// Encodes an item as a record of the wire, its text cut where it is too large. `None` if it is too large without text.
fn fit(item: Item) -> Option<Vec<u8>> {
    let mut wire = Wire::Item(Box::new(item));
    let mut bytes = encode(&wire);
    let whole = bytes.len();
    while bytes.len() > Item::LARGEST
        && let Wire::Item(item) = &mut wire
    {
        // The markup goes first: half of it would be broken, and the plain text says the same.
        if item.html.is_empty() {
            if item.text.is_empty() {
                return None;
            }
            let room = item.text.len().saturating_sub(bytes.len() - Item::LARGEST);
            let room = (0..=room.min(item.text.len() - 1)).rev().find(|at| item.text.is_char_boundary(*at));
            item.text.truncate(room.unwrap_or(0));
        } else {
            item.html.clear();
            item.complaints
                .push(format!("it takes {whole} bytes, more than the {} we keep: its text was cut", Item::LARGEST));
        }
        bytes = encode(&wire);
    }
    Some(bytes)
}

/// One line per round that brought something or failed.
fn tell(round: &Round) {
    let Round { source, took, sentence, .. } = round;
    match round.outcome {
        Outcome::New(filed) => tracing::info!(%source, filed, listed = round.listed, took, "{sentence}"),
        Outcome::Http(status) => tracing::warn!(%source, status, took, "{sentence}"),
        Outcome::Failed(kind) => tracing::warn!(%source, kind, took, "{sentence}"),
        Outcome::Nothing | Outcome::Unchanged | Outcome::NotModified => tracing::debug!(%source, took, "{sentence}"),
    }
    match &round.change {
        Some(Change { from, to: State::Ok, .. }) => {
            tracing::warn!(%source, from = from.word(), to = "ok", "the source is well again");
        }
        Some(Change { from, to, reason }) => {
            tracing::warn!(%source, from = from.word(), to = to.word(), "the source is {}: {reason}", to.word());
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_item_is_cut_and_says_so() {
        let text = "长".repeat(100_000);
        let small = Item { text: "短".to_owned(), html: "<p>短</p>".to_owned(), ..Item::default() };
        for (item, html, cut) in [
            (small.clone(), true, false),
            (Item { html: text.clone(), ..small.clone() }, false, true),
            (Item { html: text.clone(), text: text.clone(), ..small.clone() }, false, true),
        ] {
            let bytes = fit(item).unwrap();
            assert!(bytes.len() <= Item::LARGEST, "{}", bytes.len());
            let Wire::Item(back) = crate::model::codec::decode(&bytes).unwrap() else { panic!("an item") };
            assert_eq!((!back.html.is_empty(), !back.complaints.is_empty()), (html, cut));
            assert!(back.text.len() > 200_000 || back.text == "短");
        }
        assert_eq!(fit(Item { title: text.repeat(3), ..Item::default() }), None);
    }
}
