//! The WebSub hub for our own feeds: who subscribed gets each new version delivered.
//!
//! A request ([`crate::websub::request`]) is taken by `serve` and handed in by [`Hub::door`]; its intent is verified beside
//! everything else (`verify`), and what is confirmed becomes a request on the wire, so that the editor makes it a
//! fact: subscriptions outlive restarts and move with a backup. After each commit the hub looks which feeds have a new
//! version ([`roster`]) and delivers it ([`deliver`]). What was delivered is recorded in groups: who dies between a delivery
//! and its record makes that one again, and no other.
//!
//! Where `[publish] hub` names another hub, that one is told instead (`ping`).

pub mod deliver;
mod ping;
pub mod roster;
mod verify;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::clock::Clock;
use crate::fetch::Fetcher;
use crate::model::filing::Request;
use crate::model::setting::Settings;
use crate::model::time::Time;
use crate::model::websub::{Delivered, Mark, Topic};
use crate::press::Press;
use crate::store::Store;
use crate::websub::{Door, Wish};

use roster::{Outcome, Roster};
use verify::Verified;

/// Requests that are taken before the first of them is verified: beyond it the hub says that it is busy.
const WISHES: usize = 256;
/// Of these for callbacks of one host.
const WISHES_PER_HOST: usize = 32;
/// Verifications at once.
const VERIFYING: usize = 16;
/// Deliveries are recorded this long after they were made at the latest: who dies in between makes them again.
const RECORD: Duration = Duration::from_secs(3);
/// But so many are recorded at once; a record of the ledger has at most 256 KB.
const RECORD_MOST: usize = 4_000;
/// Ended subscriptions in one record.
const ENDED_MOST: usize = 10_000;
/// Wait before something is tried again that failed on our side.
const PAUSE: Duration = Duration::from_secs(5);

/// Has a request decided: appends it to the wire, synced. With `true`, returns once it is decided and visible. Blocking.
pub type File = Arc<dyn Fn(&Request, bool) -> Result<(), String> + Send + Sync>;

/// What the hub works with.
#[derive(Clone)]
pub struct Parts {
    /// Subscriptions and versions.
    pub store: Arc<Store>,
    /// Prints what is delivered.
    pub press: Arc<Press>,
    /// feeds.toml in force.
    pub settings: Arc<ArcSwap<Settings>>,
    /// Requests by the `[fetch]` in force.
    pub fetcher: Arc<dyn Fn() -> Arc<Fetcher> + Send + Sync>,
    /// Has requests decided.
    pub file: File,
    /// What time it is.
    pub clock: Clock,
    /// Told what came of each delivery, in a word.
    pub told: Arc<dyn Fn(&'static str) + Send + Sync>,
    /// Notified after every commit.
    pub changed: Arc<Notify>,
}

/// Requests that wait, by host.
#[derive(Debug, Default)]
struct Waiting(Mutex<(usize, BTreeMap<String, usize>)>);

/// The place of one of them, given back when it is dropped.
#[derive(Debug)]
struct Place {
    of: Arc<Waiting>,
    host: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of.leave(&self.host);
    }
}

impl Waiting {
    /// A place for one more.
    fn enter(self: &Arc<Self>, host: &str) -> Option<Place> {
        let host = roster::share(host);
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_host = waiting.1.get(&host).copied().unwrap_or_default();
        if waiting.0 >= WISHES || of_host >= WISHES_PER_HOST {
            return None;
        }
        waiting.0 += 1;
        waiting.1.insert(host.clone(), of_host + 1);
        Some(Place { of: Arc::clone(self), host })
    }

    /// A place is given back.
    fn leave(&self, host: &str) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.0 = waiting.0.saturating_sub(1);
        match waiting.1.get_mut(host) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(waiting.1.remove(host)),
        }
    }
}

/// A running hub.
pub struct Hub {
    wishes: mpsc::Sender<(Wish, Place)>,
    waiting: Arc<Waiting>,
    count: Arc<AtomicU64>,
    stop: oneshot::Sender<Duration>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("subscriptions", &self.count).finish_non_exhaustive()
    }
}

impl Hub {
    /// Starts it: first with what was not delivered before the last stop.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let (wishes, asked) = mpsc::channel(WISHES);
        let (stop, stopped) = oneshot::channel();
        let (waiting, count) = (Arc::<Waiting>::default(), Arc::<AtomicU64>::default());
        let desk = Desk {
            pings: ping::Pings::new(&parts),
            parts,
            roster: Roster::default(),
            count: Arc::clone(&count),
            verifying: JoinSet::new(),
            delivering: JoinSet::new(),
            numbers: BTreeMap::new(),
            marks: BTreeMap::new(),
            marked: 0,
            oldest: None,
            ended: Vec::new(),
        };
        let task = tokio::spawn(desk.run(asked, stopped));
        Self { wishes, waiting, count, stop, task }
    }

    /// Where requests are handed in.
    #[must_use]
    pub fn door(&self) -> Door {
        let (wishes, waiting) = (self.wishes.clone(), Arc::clone(&self.waiting));
        Arc::new(move |wish: Wish| {
            let place = waiting.enter(&wish.asked.host);
            place.is_some_and(|place| wishes.try_send((wish, place)).is_ok())
        })
    }

    /// Reads how many subscriptions there are.
    pub fn count(&self) -> impl Fn() -> f64 + Send + Sync + 'static {
        let count = Arc::clone(&self.count);
        move || count.load(Ordering::Relaxed) as f64
    }

    /// Begins no more deliveries, lets running ones end for so long, and records what was delivered.
    pub async fn stop(self, patience: Duration) {
        // It may have ended already.
        let _ = self.stop.send(patience);
        if let Err(died) = self.task.await {
            tracing::error!(%died, "the hub died: this is a mistake in citydesk, please report it");
        }
    }
}

/// The hub at work.
struct Desk {
    parts: Parts,
    roster: Roster,
    pings: ping::Pings,
    count: Arc<AtomicU64>,
    verifying: JoinSet<Verified>,
    delivering: JoinSet<(u64, deliver::Came)>,
    /// Subscription of each delivery, for one that dies by a panic.
    numbers: BTreeMap<tokio::task::Id, u64>,
    /// Deliveries that are not recorded yet.
    marks: BTreeMap<Delivered, Vec<u64>>,
    marked: usize,
    /// When the oldest of them was made.
    oldest: Option<tokio::time::Instant>,
    /// Subscriptions that ended, not recorded yet.
    ended: Vec<u64>,
}

impl Desk {
    async fn run(mut self, mut asked: mpsc::Receiver<(Wish, Place)>, mut stopped: oneshot::Receiver<Duration>) {
        while let Err(error) = self.open().await {
            tracing::error!(%error, "the hub cannot read its subscriptions and tries again");
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                _ = &mut stopped => return,
            }
        }
        let changed = Arc::clone(&self.parts.changed);
        self.look().await;
        let patience = loop {
            self.begin();
            let wake = self.wake();
            tokio::select! {
                patience = &mut stopped => break patience.unwrap_or_default(),
                Some(ended) = self.delivering.join_next_with_id() => self.delivered(ended),
                Some(ended) = self.verifying.join_next() => self.verified(ended),
                () = changed.notified() => self.look().await,
                Some(()) = self.pings.ended() => {}
                Some((wish, place)) = asked.recv(), if self.verifying.len() < VERIFYING => self.verify(wish, place),
                () = tokio::time::sleep(wake) => self.pass(),
            }
            self.record().await;
        };
        let end = tokio::time::Instant::now() + patience;
        while let Ok(Some(ended)) = tokio::time::timeout_at(end, self.delivering.join_next_with_id()).await {
            self.delivered(ended);
        }
        self.oldest = self.oldest.and(tokio::time::Instant::now().checked_sub(RECORD));
        self.record().await;
    }

    /// Reads what is recorded.
    async fn open(&mut self) -> Result<(), String> {
        let store = Arc::clone(&self.parts.store);
        let read = tokio::task::spawn_blocking(move || store.view().subscriptions().map_err(|error| error.to_string()));
        for (number, subscription, has) in read.await.map_err(|error| error.to_string())?? {
            let host = deliver::host(&subscription.callback);
            self.roster.put(number, &host, subscription, has);
        }
        self.counted();
        if !self.roster.is_empty() {
            tracing::info!(subscriptions = self.roster.len(), "the hub delivers to its subscribers");
        }
        Ok(())
    }

    fn counted(&self) {
        self.count.store(self.roster.len() as u64, Ordering::Relaxed);
    }

    /// Looks which feeds have a new version.
    async fn look(&mut self) {
        self.pings.look(&self.parts);
        if self.roster.is_empty() {
            return;
        }
        let topics: Vec<Topic> = self.roster.topics().cloned().collect();
        let press = Arc::clone(&self.parts.press);
        let versions = tokio::task::spawn_blocking(move || {
            let version = |topic: Topic| {
                let format = crate::render::format(&topic.extension)?;
                let version = press.version(&topic.edition, format).ok()?;
                Some((topic, version.seq))
            };
            topics.into_iter().filter_map(version).collect::<Vec<_>>()
        });
        let now = (self.parts.clock)();
        for (topic, version) in versions.await.unwrap_or_default() {
            self.roster.changed(&topic, version, now);
        }
    }

    /// Begins what may begin.
    fn begin(&mut self) {
        while let Some(job) = self.roster.turn() {
            let (number, parts) = (job.number, self.parts.clone());
            let task = self.delivering.spawn(async move { (number, deliver::deliver(&parts, job).await) });
            self.numbers.insert(task.id(), number);
        }
    }

    fn delivered(&mut self, ended: Result<(tokio::task::Id, (u64, deliver::Came)), tokio::task::JoinError>) {
        let (id, number, came) = match ended {
            Ok((id, (number, came))) => (id, number, came),
            Err(died) => {
                tracing::error!(%died, "a delivery died: this is a mistake in citydesk, please report it");
                let Some(number) = self.numbers.get(&died.id()).copied() else { return };
                (died.id(), number, deliver::Came { outcome: Outcome::Failed(None), word: "died" })
            }
        };
        self.numbers.remove(&id);
        (self.parts.told)(came.word);
        if self.roster.done(number, came.outcome, (self.parts.clock)()) {
            self.ended.push(number);
            self.counted();
        } else if let Outcome::Done(has) = came.outcome {
            self.marks.entry(has).or_default().push(number);
            self.marked += 1;
            self.oldest.get_or_insert_with(tokio::time::Instant::now);
        }
    }

    fn verify(&mut self, wish: Wish, place: Place) {
        let known = match &wish.topic {
            Ok((topic, _)) => self.parts.store.view().subscription(topic, &wish.asked.callback).ok().flatten(),
            Err(_) => None,
        };
        let room = match known {
            Some(_) => Ok(()),
            None => self.roster.admits(&wish.asked.host, self.verifying.len()),
        };
        let parts = self.parts.clone();
        self.verifying.spawn(async move {
            let _place = place;
            verify::verify(parts, wish, room.err()).await
        });
    }

    fn verified(&mut self, ended: Result<Verified, tokio::task::JoinError>) {
        let verified = match ended {
            Ok(verified) => verified,
            Err(died) => {
                tracing::error!(%died, "a verification died: this is a mistake in citydesk, please report it");
                return;
            }
        };
        match verified {
            Verified::Subscribed { host, number, subscription, has } => {
                self.roster.put(number, &host, *subscription, has);
                // It may have changed while it was being verified.
                self.parts.changed.notify_one();
            }
            Verified::Ended(number) => self.roster.remove(number),
            Verified::Nothing => return,
        }
        self.counted();
    }

    /// What time brings.
    fn pass(&mut self) {
        let ended = self.roster.pass((self.parts.clock)());
        if !ended.is_empty() {
            tracing::debug!(leases = ended.len(), "leases of subscriptions ended");
            self.ended.extend(ended);
            self.counted();
        }
    }

    /// How long until something is to be done.
    fn wake(&self) -> Duration {
        let now: Time = (self.parts.clock)();
        let timer = self.roster.next_time().map(|at| Duration::from_millis(at.since(now).max(0).unsigned_abs()));
        let marks = self.oldest.map(|oldest| RECORD.saturating_sub(oldest.elapsed()));
        // A clock that is set back must not make us sleep for ever.
        [timer, marks].into_iter().flatten().min().unwrap_or(PAUSE * 12).min(PAUSE * 12)
    }

    /// Has recorded what was delivered and what ended, if it is time.
    async fn record(&mut self) {
        let due = self.marked >= RECORD_MOST || self.oldest.is_some_and(|oldest| oldest.elapsed() >= RECORD);
        if due {
            let marks: Vec<Mark> =
                std::mem::take(&mut self.marks).into_iter().map(|(what, to)| Mark { what, to }).collect();
            (self.marked, self.oldest) = (0, None);
            let at = (self.parts.clock)();
            if !self.file(Request::Delivered { at, marks: marks.clone() }).await {
                // Tried again with what comes; until then they would be made again after a restart, no worse.
                for Mark { what, to } in marks {
                    self.marked += to.len();
                    self.marks.entry(what).or_default().extend(to);
                }
                self.marked = self.marked.min(RECORD_MOST / 2);
                self.oldest = Some(tokio::time::Instant::now());
            }
        }
        if !self.ended.is_empty() {
            let numbers: Vec<u64> = self.ended.drain(..self.ended.len().min(ENDED_MOST)).collect();
            let at = (self.parts.clock)();
            // Unrecorded, it ends again after a restart: by its lease, or because the callback says so again.
            self.file(Request::Unsubscribe { at, numbers }).await;
        }
    }

    async fn file(&self, request: Request) -> bool {
        let file = Arc::clone(&self.parts.file);
        let filed = tokio::task::spawn_blocking(move || file(&request, false)).await;
        match filed {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the hub could not record what it did");
                false
            }
            Err(died) => {
                tracing::error!(%died, "the hub could not record what it did");
                false
            }
        }
    }
}
