//! Wiring, reload, shutdown order.
//!
//! A [`Desk`] is everything that runs without a network socket of its own: folder, editor, poller. `once` uses it as it
//! is; [`serve()`] adds the schedule, the HTTP server, the control socket and the watch on feeds.toml.
//!
//! Order of a start: lock, journal, store (replayed), editor, settings recorded, then the sockets: who can connect gets
//! an answer. Order of a stop: no new rounds, running ones end, sockets drain, the editor finishes its step and flushes.

pub mod archive;
pub mod backup;
pub mod diff;
pub mod export;
pub mod find;
pub mod folder;
pub mod hand;
pub mod moves;
pub mod preview;
pub mod site;
mod skew;
pub mod stats;
pub mod why;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{Method, StatusCode};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::clock::Clock;
use crate::config::{self, Loaded};
use crate::control::{self, Asked, Pieces};
use crate::desk::Rules;
use crate::editor::{Announce, Editor, Standing, Tally};
use crate::fetch::{Fetcher, user_agent};
use crate::hub::{self, Hub};
use crate::journal::{Journal, LogError, WIRE_RESERVE};
use crate::model::book::State;
use crate::model::codec::encode;
use crate::model::filing::{Request, Wire};
use crate::model::id::SourceId;
use crate::model::setting::{InForce, Settings, difference, parts};
use crate::model::source::Source;
use crate::model::websub;
use crate::place::Gazetteer;
use crate::poll::subscriber::{self, Subscriber};
use crate::poll::{Outcome, Poller, Round};
use crate::press::Press;
use crate::schedule::{Roll, Schedule};
use crate::search::Search;
use crate::serve::health::Status;
use crate::serve::metrics::Metrics;
use crate::serve::{self, Front};
use crate::store::Store;

use find::FindError;
use folder::{Folder, FolderError};
use hand::Refused;
use why::Inquiry;

/// Why the program cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The journal.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The editor gave up.
    #[error("{0}")]
    Editor(String),
    /// The address to listen on.
    #[error("cannot listen on {0}: {1}; is another program there? change [server] listen")]
    Listen(SocketAddr, std::io::Error),
    /// Whatever else the system refuses.
    #[error("{0}: {1}")]
    System(&'static str, String),
}

/// Names of the feeds asked for last, in the folder of the store. Its loss costs nothing.
const WARM: &str = "warm";
/// Encoded settings in one wire record.
const SETTINGS_PART: usize = 128 * 1024;
/// Keys of settings that are gone, in one wire record: a key has at most 71 bytes.
const GONE_PART: usize = 1_500;
/// So long, in milliseconds, a disk that had room is taken to have some.
const ROOM_KEPT: i64 = 250;
/// The editor may be so many wire records behind before no new round begins.
const BEHIND: u64 = 20_000;
/// What is told of settings that could not be recorded.
const NO_ROOM: &str =
    "not applied: the disk is full, so what was recorded before is in force; it is applied as soon as there is room";
/// Everything must be over so long after SIGTERM; a second signal ends it at once.
pub const DRAIN: Duration = Duration::from_secs(10);

/// A desk without sockets.
pub struct Desk {
    /// The store.
    pub store: Arc<Store>,
    /// The journal.
    pub journal: Journal,
    /// feeds.toml in force.
    pub settings: Arc<ArcSwap<Settings>>,
    /// The gazetteer in force.
    pub gazetteer: Arc<ArcSwap<Gazetteer>>,
    /// Where the editor stands.
    pub standing: Arc<Standing>,
    /// Makes rounds.
    pub poller: Arc<Poller>,
    /// What time it is.
    pub clock: Clock,
    /// Set while the disk is full.
    pub full: Arc<AtomicBool>,
    /// Set while the settings in feeds.toml could not be recorded since the start, for want of room: what was recorded
    /// before is in force, nothing is polled, and what is published is served.
    pub unrecorded: Arc<AtomicBool>,
    editor: Option<JoinHandle<()>>,
    _folder: Folder,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("journal", &self.journal).finish_non_exhaustive()
    }
}

fn fetcher(settings: &Settings, clock: &Clock) -> Result<Fetcher, AppError> {
    Fetcher::new(&settings.fetch, user_agent(&settings.site), Arc::clone(clock))
        .map_err(|error| AppError::System("[fetch] in feeds.toml cannot be used", error.to_string()))
}

fn gazetteer(settings: &Settings) -> Arc<Gazetteer> {
    Gazetteer::build(&settings.cities).unwrap_or_else(|_| Gazetteer::builtin())
}

impl Desk {
    /// Starts the editor on an open folder and records the settings, unless the disk has no room for them
    /// ([`Desk::unrecorded`]). `announce` is called after every commit.
    ///
    /// # Errors
    /// [`AppError`].
    pub fn start(folder: Folder, settings: Settings, clock: Clock, announce: Announce) -> Result<Self, AppError> {
        if let Some(reason) = &folder.remade {
            tracing::warn!(
                reason,
                "the store could not be used and was made again from the ledger; the old one stands beside it as store.broken-N"
            );
        }
        let standing = Arc::new(Standing::default());
        let full = Arc::new(AtomicBool::new(false));
        let editor = Editor::new(
            folder.journal.clone(),
            Arc::clone(&folder.store),
            Arc::clone(&standing),
            Arc::clone(&full),
            announce,
        );
        let editor = std::thread::Builder::new()
            .name("editor".into())
            .spawn(move || editor.run())
            .map_err(|error| AppError::System("no thread for the editor", error.to_string()))?;
        let nudge = {
            let standing = Arc::clone(&standing);
            Arc::new(move || standing.nudge())
        };
        let poller = Poller::new(
            fetcher(&settings, &clock)?,
            Arc::clone(&folder.journal.wire),
            Arc::clone(&folder.store),
            Arc::clone(&clock),
            settings.fetch.body_max,
            nudge,
        )
        .map_err(|error| AppError::System("no threads for parsing", error.to_string()))?;
        let desk = Self {
            store: Arc::clone(&folder.store),
            journal: folder.journal.clone(),
            gazetteer: Arc::new(ArcSwap::new(gazetteer(&settings))),
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            standing,
            poller: Arc::new(poller),
            clock,
            full,
            unrecorded: Arc::default(),
            editor: Some(editor),
            _folder: folder,
        };
        let mut settings = Settings::clone(&desk.settings.load());
        match desk.record(&settings) {
            Err(AppError::Log(LogError::Full { .. })) => desk.unrecorded.store(true, Ordering::Relaxed),
            recorded => recorded?,
        }
        settings.share(&[], &desk.store.view().settings());
        desk.settings.store(Arc::new(settings));
        Ok(desk)
    }

    /// Has the settings recorded that can change a published byte, and waits until they are in force.
    ///
    /// # Errors
    /// [`AppError`] if journal or editor refuse: the old settings stay in force then.
    pub fn record(&self, settings: &Settings) -> Result<(), AppError> {
        self.recorder().record(&settings.recorded())
    }

    fn recorder(&self) -> Recorder {
        Recorder {
            store: Arc::clone(&self.store),
            journal: self.journal.clone(),
            standing: Arc::clone(&self.standing),
            full: Arc::clone(&self.full),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Waits until everything filed so far is decided and visible.
    ///
    /// # Errors
    /// [`AppError::Editor`] if the editor gave up.
    pub fn settle(&self) -> Result<(), AppError> {
        self.standing.wait(self.journal.wire.synced()).map_err(AppError::Editor)
    }

    /// Stops the editor after its step and flushes the store.
    pub fn stop(&mut self) {
        self.standing.stop();
        if let Some(editor) = self.editor.take()
            && editor.join().is_err()
        {
            tracing::error!("the editor ended by a panic; what it had acknowledged stands in the ledger");
        }
    }
}

/// Has settings recorded, on whatever thread.
struct Recorder {
    store: Arc<Store>,
    journal: Journal,
    standing: Arc<Standing>,
    full: Arc<AtomicBool>,
    clock: Clock,
}

impl Recorder {
    /// Waits until the wire is decided up to here, or the disk is full.
    fn wait(&self, seq: u64) -> Result<(), AppError> {
        let whole = self.standing.wait_unless(seq, &self.full).map_err(AppError::Editor)?;
        if whole { Ok(()) } else { Err(LogError::Full { folder: "ledger".into() }.into()) }
    }

    fn record(&self, settings: &InForce) -> Result<(), AppError> {
        // What an interrupted start left on the wire is decided first, or the difference would be taken twice.
        self.standing.nudge();
        self.wait(self.journal.wire.synced())?;
        let (set, gone) = difference(&self.store.view().settings(), settings);
        if set.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let at = (self.clock)();
        let gone = gone.chunks(GONE_PART).map(|gone| (Vec::new(), gone.to_vec()));
        let set = parts(set, SETTINGS_PART).into_iter().map(|set| (set, Vec::new()));
        let parts: Vec<_> = gone.chain(set).collect();
        let last = parts.len() - 1;
        let records = parts.into_iter().enumerate().map(|(index, (set, gone))| {
            encode(&Wire::Request(Request::Settings { at, set, gone, closes: index == last }))
        });
        let records: Vec<Vec<u8>> = records.collect();
        let bytes: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        let positions = self.journal.wire.append(None, &bytes)?;
        self.journal.wire.sync()?;
        self.standing.nudge();
        let end = positions.last().map_or(0, |position| position.seq + 1);
        self.wait(end)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A running daemon, as far as commands and signals reach it.
struct Daemon {
    desk: Desk,
    config: PathBuf,
    status: Arc<Status>,
    schedule: Schedule,
    metrics: Arc<Metrics>,
    subscriber: Arc<Subscriber>,
    /// Set while feeds.toml waits for room on the disk: then it is read again.
    waits: AtomicBool,
}

/// What a reload did, in words, one line each; or why it did nothing.
type Reloaded = Result<Vec<String>, Vec<String>>;

impl Daemon {
    /// Records the settings, on a thread of its own: the editor may be busy for long, and a stop must be heard meanwhile.
    async fn record(&self, settings: &Settings) -> Result<Fetcher, AppError> {
        let fetcher = fetcher(settings, &self.desk.clock)?;
        let (recorder, recorded) = (self.desk.recorder(), settings.recorded());
        let done = tokio::task::spawn_blocking(move || recorder.record(&recorded)).await;
        done.map_err(|error| AppError::System("the settings were not recorded", error.to_string()))??;
        Ok(fetcher)
    }

    /// Reads feeds.toml again and applies it, or says what is wrong and changes nothing.
    async fn reload(&self, watch: Option<&config::watch::Watch>) -> Reloaded {
        // A long file takes its time, and a stop must be heard meanwhile.
        let config = self.config.clone();
        let loaded = match tokio::task::spawn_blocking(move || config::load(&config)).await {
            Ok(loaded) => loaded,
            Err(error) => return Err(vec![format!("feeds.toml was not read: {error}")]),
        };
        if let Some(watch) = watch {
            // Also of a broken file: what it includes may be where it is mended.
            watch.follow(loaded.as_ref().map_or_else(|failed| failed.origin.clone(), |loaded| loaded.origin.clone()));
        }
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(failed) => {
                let lines: Vec<String> = failed.problems.iter().map(config::Problem::line).collect();
                failed.problems.iter().for_each(log);
                tracing::error!("feeds.toml was not applied: the settings of before stay in force until it is mended");
                let first = failed.first_error().map(config::Problem::line).unwrap_or_default();
                self.status.complain("feeds.toml", Some(format!("not applied: {first}")));
                return Err(lines);
            }
        };
        loaded.problems.iter().for_each(log);
        let warnings: Vec<String> = loaded.problems.iter().map(config::Problem::line).collect();
        let old = self.desk.settings.load_full();
        let mut told = changes(&old, &loaded.settings);
        let mut settings = loaded.settings;
        if settings.store != old.store || settings.server != old.server {
            told.push("[store] and [server] change with a restart only; until then the old ones stay".to_owned());
            settings.store.clone_from(&old.store);
            settings.server.clone_from(&old.server);
        }
        let new = match self.record(&settings).await {
            Ok(new) => new,
            Err(error) => {
                let waits = matches!(error, AppError::Log(LogError::Full { .. }));
                self.waits.store(waits, Ordering::Relaxed);
                let why = if waits { NO_ROOM.to_owned() } else { format!("not applied: {error}") };
                self.status.complain("feeds.toml", Some(why));
                return Err(vec![error.to_string()]);
            }
        };
        self.desk.unrecorded.store(false, Ordering::Relaxed);
        if settings.fetch != old.fetch || settings.site != old.site {
            // A new one knows no robots.txt, no name and no open connection: only where it would ask in another way.
            self.desk.poller.fetch_with(new);
        }
        settings.share(&old.sources, &self.desk.store.view().settings());
        self.desk.gazetteer.store(gazetteer(&settings));
        self.schedule.reload(settings.sources.clone(), settings.fetch.per_host).await;
        if settings.fetch != old.fetch {
            // What [fetch] forbade may be allowed now, and its owner wants to see: who failed is asked again at once.
            let failing = |source: &&Arc<Source>| {
                let entry = self.desk.store.book(source.id()).unwrap_or_default();
                entry.failures > 0 && entry.retry_after.is_none() && entry.state != State::Gone
            };
            for source in settings.sources.iter().filter(failing) {
                self.schedule.ask(source.id().clone()).await;
            }
        }
        self.desk.settings.store(Arc::new(settings));
        // Hubs of sources that are read no more are told, and all of them of a callback that moved.
        self.subscriber.sweep();
        self.status.complain("feeds.toml", None);
        if told.is_empty() {
            told.push("nothing changed".to_owned());
        }
        tracing::info!("feeds.toml applied: {}", told.join("; "));
        told.extend(warnings);
        Ok(told)
    }
}

/// A problem of feeds.toml in the log.
fn log(problem: &config::Problem) {
    let config::Problem { file, line, column, message, hint, .. } = problem;
    match problem.severity {
        config::Severity::Error => tracing::error!(%file, line, column, %hint, "{message}"),
        config::Severity::Warning => tracing::warn!(%file, line, column, %hint, "{message}"),
    }
}

fn by_id(settings: &Settings) -> BTreeMap<&SourceId, &Source> {
    settings.sources.iter().map(|source| (source.id(), &**source)).collect()
}

/// So many sources are named that were added, changed or retired; of more only the number is told.
const NAMED: usize = 100;

/// What a change of settings does, in words.
#[must_use]
pub fn changes(old: &Settings, new: &Settings) -> Vec<String> {
    let mut told = Vec::new();
    let (before, after) = (by_id(old), by_id(new));
    for source in &new.sources {
        match before.get(source.id()) {
            None => told.push(format!("source {} added", source.id())),
            Some(before) if *before != &**source => told.push(format!("source {} changed", source.id())),
            Some(_) => {}
        }
    }
    for source in old.sources.iter().filter(|source| !after.contains_key(source.id())) {
        told.push(format!("source {} retired: its items and its feed stay", source.id()));
    }
    if told.len() > NAMED {
        let more = told.len() - NAMED;
        told.truncate(NAMED);
        told.push(format!("and {more} sources more; `citydesk diff` before a save names all"));
    }
    let parts = [
        ("[site]", old.site != new.site),
        ("[fetch]", old.fetch != new.fetch),
        ("[cities]", old.cities != new.cities),
        ("[[tag]]", old.tags != new.tags),
        ("[[feed]]", old.feeds != new.feeds),
        ("[[alert]]", old.alerts != new.alerts),
        ("[publish]", old.publish != new.publish),
    ];
    told.extend(parts.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| format!("{name} changed")));
    told
}

/// Runs a daemon until a signal stops it. `open` opens its folder, which may take long: the ledger is replayed. `ready`
/// is told the address it listens on, when feeds can be asked for. A stop before that ends the process at once: every
/// step of a start may be cut off.
///
/// # Errors
/// [`AppError`] if it cannot start. A drained stop is no error.
pub async fn serve(
    config: &Path,
    loaded: Loaded,
    open: impl FnOnce() -> Result<Folder, FolderError> + Send + 'static,
    clock: Clock,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), AppError> {
    // Caught before anything is opened: a stop during a long replay is an ordinary stop, and a reload does not kill.
    let mut hangup = signals(SignalKind::hangup())?;
    let mut user = signals(SignalKind::user_defined1())?;
    let mut terminate = signals(SignalKind::terminate())?;
    let mut interrupt = signals(SignalKind::interrupt())?;
    let settings = loaded.settings;
    let metrics = Arc::new(Metrics::new());
    let status = Arc::new(Status::new());
    let listen = settings.server.listen;
    let place = settings.store.clone();
    let per_host = settings.fetch.per_host;
    let indexed: Arc<OnceLock<Arc<Search>>> = Arc::default();
    let committed = Arc::new(Notify::new());
    let announce: Announce = {
        let (metrics, indexed, committed) = (Arc::clone(&metrics), Arc::clone(&indexed), Arc::clone(&committed));
        Box::new(move |tally: &Tally| {
            committed.notify_one();
            if let Some(search) = indexed.get() {
                search.nudge();
            }
            let counts =
                [("open", tally.opened), ("join", tally.joined), ("correct", tally.corrected), ("see", tally.seen)];
            for (decision, count) in counts {
                metrics.decided(decision, count);
            }
        })
    };
    let starting = {
        let clock = Arc::clone(&clock);
        tokio::task::spawn_blocking(move || Desk::start(open()?, settings, clock, announce))
    };
    let mut desk = tokio::select! {
        started = starting => started.map_err(|error| AppError::System("the start failed", error.to_string()))??,
        _ = terminate.recv() => stopped_early(),
        _ = interrupt.recv() => stopped_early(),
    };
    let listener = TcpListener::bind(listen).await.map_err(|error| AppError::Listen(listen, error))?;
    let address = listener.local_addr().map_err(|error| AppError::Listen(listen, error))?;

    let brake = {
        let (journal, standing) = (desk.journal.clone(), Arc::clone(&desk.standing));
        let (full, clock, seen) = (Arc::clone(&desk.full), Arc::clone(&clock), AtomicI64::new(i64::MIN));
        let unrecorded = Arc::clone(&desk.unrecorded);
        Arc::new(move || {
            let behind = journal.wire.synced().saturating_sub(standing.decided());
            // The wire looks before it takes anything; to ask the disk before every round costs more than it spares.
            let look = || {
                let now = clock().0;
                let room = (0..ROOM_KEPT).contains(&now.saturating_sub(seen.load(Ordering::Relaxed)));
                if !room && !journal.is_full() {
                    seen.store(now, Ordering::Relaxed);
                    return false;
                }
                !room
            };
            full.load(Ordering::Relaxed) || unrecorded.load(Ordering::Relaxed) || behind > BEHIND || look()
        })
    };
    let subscriber = {
        let (poller, store, settings) = (Arc::clone(&desk.poller), Arc::clone(&desk.store), Arc::clone(&desk.settings));
        let metrics = Arc::clone(&metrics);
        Subscriber::new(poller, store, settings, Arc::clone(&clock), Arc::new(move |word| metrics.pushed(word)))
    };
    let told = {
        let (metrics, status, subscriber) = (Arc::clone(&metrics), Arc::clone(&status), Arc::clone(&subscriber));
        let skews = skew::Skews::default();
        Arc::new(move |round: &Round| {
            tell(round, &metrics, &status, &skews);
            subscriber.heard(round);
        })
    };
    let renewing = {
        let subscriber = Arc::clone(&subscriber);
        tokio::spawn(async move {
            let mut sweeps = tokio::time::interval(subscriber::SWEEP);
            loop {
                sweeps.tick().await;
                subscriber.sweep();
            }
        })
    };
    let all = desk.settings.load().sources.clone();
    let schedule = Schedule::start(Arc::clone(&desk.poller), all, per_host, brake, told)
        .map_err(|error| AppError::System("no thread for polling", error.to_string()))?;
    let bell = schedule.bell();
    subscriber.polls_by(Arc::new(move |source, wait| {
        let bell = bell.clone();
        tokio::spawn(async move { bell.ring(source, wait).await });
    }));
    watch(&desk, &metrics);
    let archive = archive::Archive::new(Arc::clone(&desk.store), desk.journal.clone());
    let search = Arc::new(Search::new(Arc::new(archive), &place.join(folder::SEARCH)));
    let search = indexed.get_or_init(|| search);
    let index = indexer(search, &metrics)?;

    let press = Arc::new(Press::new(Arc::clone(&desk.store), Arc::new(desk.journal.clone())));
    let (renders, weight) = (Arc::clone(&press), Arc::clone(&press));
    metrics
        .watch("press_renders", "Feeds and parts of feeds printed since the start", move || renders.renders() as f64);
    metrics.watch("press_bytes", "Memory of what is printed and kept", move || weight.weight() as f64);
    metrics.watch("press_limit_bytes", "Most memory for what is printed", || Press::MOST as f64);
    let warm = place.join(WARM);
    if let Ok(list) = std::fs::read_to_string(&warm) {
        let press = Arc::clone(&press);
        // Beside everything else: nobody waits for it.
        tokio::task::spawn_blocking(move || {
            let printed = press.warm(&list);
            tracing::debug!(printed, "the feeds asked for last stand ready");
        });
    }
    let printer = Arc::clone(&press);
    let front = Front::new(
        press,
        Arc::clone(&desk.store),
        Arc::clone(&desk.settings),
        Arc::clone(&desk.gazetteer),
        Arc::clone(&clock),
        Arc::clone(&metrics),
        Arc::clone(&status),
    );
    let inquiry = Arc::new(Inquiry::new(Arc::clone(&desk.store), desk.journal.clone()));
    let hub = hub(&desk, Arc::clone(&printer), &metrics, committed);
    let front = front.with_neighbours(inquiry.neighbours()).with_hub(hub.door()).with_search(Arc::clone(search));
    let front = Arc::new(front.with_mailbox(Arc::clone(&subscriber) as _));
    let (close, closed) = oneshot::channel::<()>();
    let server = tokio::spawn(serve::run(listener, front, async {
        // A dropped sender closes as well.
        let _ = closed.await;
    }));
    let (wake, mut woken) = mpsc::channel::<oneshot::Sender<Reloaded>>(8);
    let saved = {
        let wake = wake.clone();
        move || {
            // Full means that a reload is waiting already; it reads what was saved now too.
            let _ = wake.try_send(oneshot::channel().0);
        }
    };
    let watch = config::watch::Watch::start(loaded.origin, saved);
    if let Err(error) = &watch {
        tracing::warn!(%error, "feeds.toml is not watched: after a change, send SIGHUP or run `citydesk reload`");
    }
    let control = control(&place, &desk, search, &inquiry, (schedule.roll(), Arc::clone(&status)), wake.clone());
    status.set_ready(true);
    tracing::info!(%address, sources = desk.settings.load().sources.len(), "ready");
    ready(address);

    let waits = desk.unrecorded.load(Ordering::Relaxed);
    if waits {
        tracing::error!("feeds.toml was {NO_ROOM}");
        status.complain("feeds.toml", Some(NO_ROOM.to_owned()));
    }
    let waits = AtomicBool::new(waits);
    let daemon = Daemon { desk, config: config.to_owned(), status, schedule, metrics, subscriber, waits };
    let mut glance = tokio::time::interval(Duration::from_secs(5));
    loop {
        let reply = tokio::select! {
            _ = hangup.recv() => None,
            _ = user.recv() => None,
            Some(reply) = woken.recv() => Some(reply),
            _ = glance.tick() => {
                // Once: what else is wrong with feeds.toml by then is told, and a save applies it.
                if daemon.glance() || !daemon.waits.swap(false, Ordering::Relaxed) {
                    continue;
                }
                None
            }
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        };
        let outcome = tokio::select! {
            outcome = daemon.reload(watch.as_ref().ok()) => outcome,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        };
        if let Some(reply) = reply {
            // Nobody waits for a reload that a save caused.
            let _ = reply.send(outcome);
        }
    }
    search.stop();
    tracing::info!("stopping: running rounds and answers end, at most 10 seconds; a second signal stops at once");
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stopped_at_once()
    });
    renewing.abort();
    let drain = async {
        drop(close);
        let (left, _, ()) = tokio::join!(daemon.schedule.stop(DRAIN / 2), server, hub.stop(DRAIN / 2));
        if left > 0 {
            tracing::warn!(rounds = left, "rounds were cut off; their sources are asked again at the next start");
        }
    };
    tokio::select! {
        () = drain => {}
        () = tokio::time::sleep(DRAIN * 4 / 5) => tracing::warn!("not everything ended in time"),
    }
    if let Ok(control) = control {
        control.abort();
    }
    if let Err(error) = std::fs::write(&warm, printer.asked()) {
        tracing::debug!(%error, "the next start prints feeds when they are asked for");
    }
    desk = daemon.desk;
    tokio::task::block_in_place(|| {
        desk.stop();
        if index.join().is_err() {
            tracing::error!("the thread of the search index ended by a panic; the index is derived");
        }
    });
    tracing::info!("stopped");
    Ok(())
}

/// Starts the thread that looks after the search index.
fn indexer(search: &Arc<Search>, metrics: &Arc<Metrics>) -> Result<JoinHandle<()>, AppError> {
    let of = Arc::clone(search);
    metrics.watch("search_index_bytes", "Bytes of the search index on disk", move || of.standing().bytes as f64);
    let of = Arc::clone(search);
    metrics.watch("search_waiting_stories", "Stories changed since the search index was committed", move || {
        of.standing().waiting as f64
    });
    let search = Arc::clone(search);
    std::thread::Builder::new()
        .name("search".into())
        .spawn(move || search.work())
        .map_err(|error| AppError::System("no thread for the search index", error.to_string()))
}

/// Ends the process: what a start does may be cut off anywhere, and is done again by the next one.
fn stopped_early() -> ! {
    tracing::info!("stopped while starting: the next start goes on where this one was");
    std::process::exit(0)
}

/// Ends the process: whatever a stop has still to do is done, or not needed, at the next start. What was filed and decided is
/// synced before anybody sees it, so nothing is lost; rounds that were running are asked again.
fn stopped_at_once() -> ! {
    tracing::warn!("a second signal: stopped at once; the next start replays what the store has not kept yet");
    std::process::exit(0)
}

fn signals(kind: SignalKind) -> Result<tokio::signal::unix::Signal, AppError> {
    signal(kind).map_err(|error| AppError::System("signals cannot be caught", error.to_string()))
}

impl Daemon {
    /// Looks after what shows only over time: sources by state, a full disk, an editor that gave up. True while the disk is
    /// full.
    fn glance(&self) -> bool {
        self.metrics.sources(&self.schedule.roll().counts());
        let full = self.desk.full.load(Ordering::Relaxed) || self.desk.journal.is_full();
        let told = self.status.complaints().iter().any(|(part, _)| *part == "disk");
        let sentence = format!(
            "less than {} MB free: polling stops and serving goes on until there is room, then it goes on by itself",
            WIRE_RESERVE >> 20
        );
        match (full, told) {
            (true, false) => {
                // Pages tell everybody; what lies where is for the log alone.
                let place = &self.desk.settings.load().store;
                tracing::error!(folder = %place.display(), "disk: {sentence}; {}", spare(place));
            }
            (false, true) => tracing::info!("disk: there is room again, polling goes on"),
            _ => {}
        }
        self.status.complain("disk", full.then_some(sentence));
        self.status.complain("editor", self.desk.standing.failed());
        full
    }
}

/// What may be deleted in a folder to make room: stores that were moved aside. All else there is in use.
fn spare(place: &Path) -> String {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with("store.broken-"));
    names.sort_unstable();
    if names.is_empty() {
        return "nothing in the folder may be deleted: make room elsewhere on that disk".to_owned();
    }
    format!("in the folder {} may be deleted and nothing else", names.join(", "))
}

/// The hub for our own feeds.
fn hub(desk: &Desk, press: Arc<Press>, metrics: &Arc<Metrics>, changed: Arc<Notify>) -> Hub {
    let (journal, standing) = (desk.journal.clone(), Arc::clone(&desk.standing));
    let file = move |request: &Request, wait: bool| {
        let record = encode(&Wire::Request(request.clone()));
        let positions = journal.wire.append(None, &[&record]).map_err(|error| error.to_string())?;
        journal.wire.sync().map_err(|error| error.to_string())?;
        standing.nudge();
        let end = positions.last().map_or(0, |position| position.seq + 1);
        if wait { standing.wait(end) } else { Ok(()) }
    };
    let poller = Arc::clone(&desk.poller);
    let told = {
        let metrics = Arc::clone(metrics);
        Arc::new(move |outcome| metrics.delivered(outcome))
    };
    let hub = Hub::start(hub::Parts {
        store: Arc::clone(&desk.store),
        press,
        settings: Arc::clone(&desk.settings),
        fetcher: Arc::new(move || poller.fetcher()),
        file: Arc::new(file),
        clock: Arc::clone(&desk.clock),
        told,
        changed,
    });
    metrics.watch("websub_subscriptions", "Subscriptions to our feeds", hub.count());
    let settings = desk.settings.load();
    if settings.publish.hub == websub::BUILTIN
        && let Some(why) = websub::unreachable_by_all(&settings.site.public_url)
    {
        tracing::info!(
            public_url = settings.site.public_url,
            "feeds name no hub: {why}. With [site] public_url at a public https address, readers that know WebSub are told \
             of news at once"
        );
    }
    hub
}

fn watch(desk: &Desk, metrics: &Arc<Metrics>) {
    metrics.watch_process();
    let store = Arc::clone(&desk.store);
    metrics.watch("store_bytes", "Bytes of the store on disk", move || store.bytes() as f64);
    let journal = desk.journal.clone();
    metrics.watch("journal_bytes", "Bytes of wire and ledger on disk", move || {
        (journal.wire.bytes() + journal.ledger.bytes()) as f64
    });
    let (wire, standing) = (Arc::clone(&desk.journal.wire), Arc::clone(&desk.standing));
    metrics.watch("apply_lag_records", "Wire records synced and not yet decided", move || {
        wire.synced().saturating_sub(standing.decided()) as f64
    });
    let store = Arc::clone(&desk.store);
    metrics.watch("stories", "Stories opened", move || store.view().meta().stories as f64);
}

fn tell(round: &Round, metrics: &Metrics, status: &Status, skews: &skew::Skews) {
    let outcome = match &round.outcome {
        Outcome::New(_) => "new",
        Outcome::Nothing | Outcome::Unchanged => "unchanged",
        Outcome::NotModified => "not_modified",
        Outcome::Http(_) => "http",
        Outcome::Failed(kind) => kind,
    };
    metrics.fetched(outcome, Duration::from_millis(round.took.max(0).unsigned_abs()), round.bytes);
    // Whoever wants to hear of sources in trouble (an alert to a robot, a mail) is told here: once for each change, when it
    // is certain.
    if let Some(change) = &round.change {
        metrics.turned(change.to.word());
    }
    if let Some(skew) = round.skew {
        let skew::Verdict { wrong, before } = skews.note(&round.source, skew);
        match &wrong {
            Some(sentence) if !before => tracing::error!("clock: {sentence}"),
            None if before => tracing::info!("clock: it agrees with the clocks of the sources again"),
            _ => {}
        }
        if before || wrong.is_some() {
            status.complain("clock", wrong);
        }
    }
}

/// Answers commands.
fn control(
    place: &Path,
    desk: &Desk,
    search: &Arc<Search>,
    inquiry: &Arc<Inquiry>,
    (roll, status): (Arc<Roll>, Arc<Status>),
    wake: mpsc::Sender<oneshot::Sender<Reloaded>>,
) -> std::io::Result<tokio::task::JoinHandle<()>> {
    let (store, journal) = (Arc::clone(&desk.store), desk.journal.clone());
    let standing = Arc::clone(&desk.standing);
    let (gazetteer, folder, clock) = (Arc::clone(&desk.gazetteer), place.to_owned(), Arc::clone(&desk.clock));
    let (inquiry, search) = (Arc::clone(inquiry), Arc::clone(search));
    let handler = move |asked: Asked| -> control::Answer {
        let (inquiry, roll, search) = (Arc::clone(&inquiry), Arc::clone(&roll), Arc::clone(&search));
        let status = Arc::clone(&status);
        let (folder, clock) = (folder.clone(), Arc::clone(&clock));
        let (store, journal, wake) = (Arc::clone(&store), journal.clone(), wake.clone());
        let (standing, gazetteer) = (Arc::clone(&standing), gazetteer.load_full());
        Box::pin(async move {
            match (asked.method, asked.path.as_str()) {
                (Method::GET, "/stats") => {
                    let states = stats::States::called(&roll);
                    let mut stats = stats::collect(&store, &journal, &states, standing.decided(), search.standing());
                    let complaints = status.complaints().into_iter();
                    stats.complaints = complaints.map(|(part, sentence)| (part.to_owned(), sentence)).collect();
                    (StatusCode::OK, Pieces::one(serde_json::to_vec(&stats).unwrap_or_default()))
                }
                (Method::GET, "/readyz") => {
                    let ready = if status.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
                    (ready, Pieces::one(Vec::new()))
                }
                (Method::GET, "/moves") => {
                    let now = clock();
                    let moved = tokio::task::spawn_blocking(move || moves::collect(&store, now)).await;
                    (StatusCode::OK, Pieces::one(serde_json::to_vec(&moved.unwrap_or_default()).unwrap_or_default()))
                }
                (Method::GET, "/export") => {
                    let form = asked.query.strip_prefix("format=").and_then(export::Form::parse);
                    let (sender, body) = Pieces::channel();
                    tokio::task::spawn_blocking(move || {
                        let form = form.unwrap_or(export::Form::Jsonl);
                        sent(sender, "export", |out| export::write(&store, &gazetteer, form, out));
                    });
                    (StatusCode::OK, body)
                }
                (Method::GET, "/backup") => {
                    let (sender, body) = Pieces::channel();
                    let now = clock();
                    tokio::task::spawn_blocking(move || {
                        sent(sender, "backup", |out| {
                            backup::write(&journal, now, out, |_| ()).map(|_| ()).map_err(std::io::Error::other)
                        });
                    });
                    (StatusCode::OK, body)
                }
                (Method::GET, "/diff") => {
                    let file = asked.query.strip_prefix("file=").unwrap_or_default();
                    let file =
                        percent_encoding::percent_decode_str(&file.replace('+', " ")).decode_utf8_lossy().into_owned();
                    let told = tokio::task::spawn_blocking(move || match config::load(Path::new(&file)) {
                        Ok(loaded) => {
                            diff::collect(&store, &journal, &loaded.settings).map_err(|error| error.to_string())
                        }
                        Err(_) => Err(format!("the running citydesk cannot use {file}: may its user read it?")),
                    });
                    match told.await {
                        Ok(Ok(diff)) => (StatusCode::OK, Pieces::one(serde_json::to_vec(&diff).unwrap_or_default())),
                        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, Pieces::one(error)),
                        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Pieces::one(error.to_string())),
                    }
                }
                (Method::GET, "/try") => {
                    let text = asked.query.strip_prefix("q=").unwrap_or_default();
                    let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
                    let now = clock();
                    let seen =
                        tokio::task::spawn_blocking(move || preview::collect(&store, &journal, &text, now)).await;
                    match seen {
                        Ok(Ok(seen)) => (StatusCode::OK, Pieces::one(serde_json::to_vec(&seen).unwrap_or_default())),
                        Ok(Err(error)) => (StatusCode::UNPROCESSABLE_ENTITY, Pieces::one(error.to_string())),
                        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Pieces::one(error.to_string())),
                    }
                }
                (Method::POST, "/rebuild") => {
                    let apart = move || Folder::apart(&folder, &journal, &store);
                    let rebuilt = tokio::task::spawn_blocking(apart).await;
                    match rebuilt {
                        Ok(Ok(rebuilt)) => {
                            (StatusCode::OK, Pieces::one(serde_json::to_vec(&rebuilt).unwrap_or_default()))
                        }
                        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, Pieces::one(error.to_string())),
                        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Pieces::one(error.to_string())),
                    }
                }
                (Method::GET, "/why") => {
                    let asked = why::Asked::parse(&asked.query);
                    // Reads texts and judges: not on a thread that answers others.
                    match tokio::task::spawn_blocking(move || inquiry.answer(&gazetteer, &asked)).await {
                        Ok(Ok(told)) => (StatusCode::OK, Pieces::one(told)),
                        Ok(Err(FindError::Store(error))) => {
                            (StatusCode::INTERNAL_SERVER_ERROR, Pieces::one(error.to_string()))
                        }
                        Ok(Err(error)) => (StatusCode::UNPROCESSABLE_ENTITY, Pieces::one(error.to_string())),
                        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Pieces::one(error.to_string())),
                    }
                }
                (Method::POST, "/join" | "/split" | "/spike" | "/reinstate") => {
                    let Some(wanted) = hand::Wanted::parse(&asked.path, &asked.query) else {
                        return (StatusCode::BAD_REQUEST, Pieces::one("no story is named"));
                    };
                    // Waits for the editor: not on a thread that answers others.
                    let corrected = tokio::task::spawn_blocking(move || {
                        hand::correct(&store, &journal, &standing, clock(), &wanted)
                    });
                    match corrected.await {
                        Ok(Ok(told)) => (StatusCode::OK, Pieces::one(told)),
                        Ok(Err(error @ Refused::Wrong(_))) => {
                            (StatusCode::UNPROCESSABLE_ENTITY, Pieces::one(error.to_string()))
                        }
                        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, Pieces::one(error.to_string())),
                        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Pieces::one(error.to_string())),
                    }
                }
                (Method::GET, "/fingerprint") => match store.fingerprint() {
                    Ok(print) => (StatusCode::OK, Pieces::one(print)),
                    Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Pieces::one(error.to_string())),
                },
                (Method::POST, "/reload") => {
                    let (reply, outcome) = oneshot::channel();
                    let asked = wake.send(reply).await.is_ok();
                    match outcome.await {
                        Ok(Ok(told)) if asked => (StatusCode::OK, Pieces::one(told.join("\n"))),
                        Ok(Err(problems)) => (StatusCode::UNPROCESSABLE_ENTITY, Pieces::one(problems.join("\n"))),
                        _ => (StatusCode::SERVICE_UNAVAILABLE, Pieces::one("the daemon is stopping")),
                    }
                }
                (method, path) => (StatusCode::NOT_FOUND, Pieces::one(format!("this citydesk cannot {method} {path}"))),
            }
        })
    };
    let control = control::listen(place, handler);
    if let Err(error) = &control {
        tracing::warn!(%error, "no control socket: commands cannot ask this daemon");
    }
    control
}

/// Hands pieces of an export on, waiting while the other side is slow.
struct Sent(mpsc::Sender<std::io::Result<bytes::Bytes>>);

/// Writes an answer of many pieces. One that cannot be written to its end must not look whole: its connection breaks.
fn sent(
    sender: mpsc::Sender<std::io::Result<bytes::Bytes>>,
    what: &str,
    write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) {
    let failed = sender.clone();
    let mut out = std::io::BufWriter::with_capacity(64 * 1024, Sent(sender));
    if let Err(error) = write(&mut out).and_then(|()| std::io::Write::flush(&mut out)) {
        // Where the one who asked went away, nobody is there to be told.
        if error.kind() != std::io::ErrorKind::BrokenPipe {
            tracing::warn!(%error, "the {what} could not be written to its end");
        }
        let _ = failed.blocking_send(Err(error));
    }
}

impl std::io::Write for Sent {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        let sent = self.0.blocking_send(Ok(bytes::Bytes::copy_from_slice(piece)));
        sent.map(|()| piece.len()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The rules as recorded, for commands that preview a judgement.
#[must_use]
pub fn rules(settings: &Settings) -> Rules {
    Rules::new(&Arc::new(settings.recorded()), None).0
}
