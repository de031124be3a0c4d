//! Whom to ask when: one queue of due times, one task, and no task for a source that rests.
//!
//! [`Queue`] decides and is plain data; [`Schedule`] is the task around it, and [`once`] the same for a single pass.
//! One slow site delays only itself: a source whose host is busy waits beside the queue, not in a round.

mod roll;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinSet};
use url::Url;

use crate::model::book::{Entry, State};
use crate::model::id::{SourceId, hash64};
use crate::model::source::{Kind, Source};
use crate::model::time::Time;
use crate::poll::{Outcome, Poller, Round, pace};

pub use roll::Roll;

/// Rounds at once, over all hosts, that began [`LATELY`]. How many hold a document is bounded by [`crate::poll::AT_WORK`].
pub const IN_FLIGHT: usize = 128;
/// A round that takes longer waits for its server: while nobody waits for a seat it makes room for another …
const LATELY: i64 = 3 * Time::SECOND;
/// … as long as all rounds are no more than this: what bounds sockets.
pub const IN_FLIGHT_MOST: usize = 3 * IN_FLIGHT;
/// Sources that come due within so many milliseconds are asked together: to wake up for each costs more than to ask it.
const TICK: i64 = 100;
/// Longest sleep: a clock that was set is noticed within it.
const NAP: i64 = 30 * Time::SECOND;
/// Sleep while the editor is behind.
const BRAKE_NAP: i64 = 200;
/// Pause of all polling after the disk was full.
const DISK_PAUSE: i64 = 30 * Time::SECOND;
/// A clock that went back by less than this was only adjusted.
const SET_BACK: i64 = 10 * Time::SECOND;
/// Commands that may wait for the task.
const COMMANDS: usize = 16;

/// One source in the queue.
#[derive(Debug, Clone)]
struct Seat {
    source: Arc<Source>,
    host: Option<Arc<str>>,
    due: Time,
    state: State,
    /// Its round runs.
    running: bool,
}

/// A round that runs.
#[derive(Debug)]
struct Running {
    host: Option<Arc<str>>,
    /// The source as it is asked.
    source: Arc<Source>,
    /// Its seat, while it has one.
    at: Option<usize>,
    /// The source is wanted again before the round says so.
    again: bool,
}

/// The due times of all sources.
#[derive(Debug, Default)]
pub struct Queue {
    seats: Vec<Seat>,
    /// Hash of the id and seat, in order: found without a look at the sources themselves, which lie all over the memory.
    places: Vec<(u32, u32)>,
    /// Due time and seat. An entry whose time is not its seat's any more is passed over.
    heap: BinaryHeap<Reverse<(Time, usize)>>,
    /// Rounds that run; they may outlive their seat.
    running: HashMap<SourceId, Running>,
    busy: BTreeMap<Arc<str>, usize>,
    /// Due, but their host is busy.
    waiting: BTreeMap<Arc<str>, VecDeque<usize>>,
    /// Hosts that want to be left alone, and until when.
    quiet: BTreeMap<Arc<str>, Time>,
    per_host: usize,
    roll: Arc<Roll>,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self { per_host: 1, ..Self::default() }
    }

    /// How many sources are in each state.
    #[must_use]
    pub fn roll(&self) -> Arc<Roll> {
        Arc::clone(&self.roll)
    }

    /// Takes these sources in place of the former. Who stays keeps its due time; who is new gets it from the poll book;
    /// who is in neither, or should have been asked while nobody did, is asked now, or a little later if there are many
    /// such (`spread`). A source that is read in another way than at its last poll is asked now: its owner has just changed
    /// it and wants to see.
    pub fn reload(
        &mut self,
        sources: Vec<Arc<Source>>,
        per_host: u32,
        book: &dyn Fn(&SourceId) -> Option<Entry>,
        now: Time,
        spread: bool,
    ) {
        let former = std::mem::take(&mut self.seats);
        let places = std::mem::take(&mut self.places);
        let seat_of = |id: &SourceId| find(&former, &places, id).and_then(|at| former.get(at));
        let mut fresh = Vec::new();
        let mut taken = BTreeSet::new();
        let mut hosts: BTreeSet<Arc<str>> = BTreeSet::new();
        for source in &sources {
            if !taken.insert(source.id()) {
                continue; // An id names one source; feeds.toml has been checked for it.
            }
            let host = host(source).map(|host| {
                // Many sources on one host name it once.
                hosts.get(&host).cloned().unwrap_or_else(|| {
                    hosts.insert(Arc::clone(&host));
                    host
                })
            });
            let seat = match seat_of(source.id()) {
                Some(seat) if seat.source == *source => Seat { host, source: Arc::clone(source), ..seat.clone() },
                _ => {
                    let entry = book(source.id());
                    if let (Some(host), Some(until)) = (&host, entry.as_ref().and_then(|entry| quiet(entry, now))) {
                        self.quiet.insert(Arc::clone(host), until);
                    }
                    let due = entry.as_ref().and_then(|entry| remembered(entry, source, now));
                    if due.is_none_or(|due| due < now) {
                        fresh.push(self.seats.len());
                    }
                    let state = entry.map_or(State::New, |entry| entry.state);
                    Seat { host, due: due.unwrap_or(now), source: Arc::clone(source), state, running: false }
                }
            };
            self.seats.push(seat);
        }
        drop(taken);
        if spread {
            for &place in &fresh {
                let seat = &mut self.seats[place];
                seat.due = seat.due.max(pace::first(now, seat.source.id(), fresh.len()));
            }
        }
        drop((former, places));
        self.per_host = per_host.max(1) as usize;
        self.waiting.clear();
        self.places = self.seats.iter().zip(0..).map(|(seat, at)| (key(seat.source.id()), at)).collect();
        self.places.sort_unstable();
        self.roll.call(self.seats.iter().map(|seat| (seat.source.id(), seat.state)));
        self.seats.iter_mut().for_each(|seat| seat.running = false);
        for (id, running) in &mut self.running {
            running.at = find(&self.seats, &self.places, id);
            if let Some(seat) = running.at.and_then(|at| self.seats.get_mut(at)) {
                seat.running = true;
            }
        }
        self.heap = heap(&self.seats);
    }

    /// The next source whose time has come and whose host is free; its round counts as running from now on.
    pub fn next(&mut self, now: Time) -> Option<Arc<Source>> {
        while let Some(&Reverse((due, at))) = self.heap.peek() {
            if due > now {
                return None;
            }
            self.heap.pop();
            let seat = &mut self.seats[at];
            if seat.due != due || seat.running {
                continue;
            }
            if let Some(host) = &seat.host {
                if let Some(until) = self.quiet.get(host).copied() {
                    if now < until {
                        seat.due = until.plus(pace::apart(seat.source.id()));
                        self.heap.push(Reverse((seat.due, at)));
                        continue;
                    }
                    self.quiet.remove(host);
                }
                let busy = self.busy.entry(Arc::clone(host)).or_default();
                if *busy >= self.per_host {
                    self.waiting.entry(Arc::clone(host)).or_default().push_back(at);
                    continue;
                }
                *busy += 1;
            }
            seat.running = true;
            let (host, source) = (seat.host.clone(), Arc::clone(&seat.source));
            let running = Running { host, source, at: Some(at), again: false };
            self.running.insert(seat.source.id().clone(), running);
            return Some(Arc::clone(&seat.source));
        }
        None
    }

    /// A round is over; the source is due again then, or before if it was asked for or changed while the round ran.
    pub fn done(&mut self, source: &SourceId, due: Time) {
        let Some(running) = self.running.remove(source) else { return };
        let Running { host, source: asked, at, again } = running;
        if let Some(host) = host {
            if let Some(busy) = self.busy.get_mut(&host) {
                *busy = busy.saturating_sub(1);
                if *busy == 0 {
                    self.busy.remove(&host);
                }
            }
            if let Some(waiting) = self.waiting.get_mut(&host) {
                if let Some(at) = waiting.pop_front() {
                    self.heap.push(Reverse((self.seats[at].due, at)));
                }
                if waiting.is_empty() {
                    self.waiting.remove(&host);
                }
            }
        }
        // Not on the list any more.
        let Some((at, seat)) = at.and_then(|at| Some((at, self.seats.get_mut(at)?))) else { return };
        let changed = |now: &Arc<Source>| {
            !Arc::ptr_eq(now, &asked) && (now.reading() != asked.reading() || now.every != asked.every)
        };
        seat.due = if again || changed(&seat.source) { seat.due.min(due) } else { due };
        seat.running = false;
        self.heap.push(Reverse((seat.due, at)));
    }

    /// Makes a source due at this time, if it is not earlier. One whose round runs is asked again after it: what is
    /// wanted may be newer than what the round was told.
    pub fn ask(&mut self, source: &SourceId, due: Time) {
        let Some(at) = self.place(source) else { return };
        match self.running.get_mut(source) {
            Some(running) => {
                let before = std::mem::replace(&mut running.again, true);
                let seat = &mut self.seats[at];
                seat.due = if before { seat.due.min(due) } else { due };
            }
            None if due < self.seats[at].due => self.set(source, due),
            None => {}
        }
    }

    /// What the round of a source said of its state, and of its host (429 and 503 are said by a host, not by an address).
    pub fn learn(&mut self, source: &SourceId, state: State, quiet: Option<Time>) {
        let Some(at) = self.place(source) else { return };
        let before = std::mem::replace(&mut self.seats[at].state, state);
        self.roll.change(source, before, state);
        if let (Some(host), Some(until)) = (&self.seats[at].host, quiet) {
            self.quiet.insert(Arc::clone(host), until);
        }
    }

    /// Moves a source's due time. Unknown sources are passed over.
    pub fn set(&mut self, source: &SourceId, due: Time) {
        let Some(at) = self.place(source) else { return };
        let seat = &mut self.seats[at];
        seat.due = due;
        if !seat.running {
            self.heap.push(Reverse((due, at)));
        }
    }

    /// The seat of a source.
    fn place(&self, source: &SourceId) -> Option<usize> {
        self.running.get(source).map_or_else(|| find(&self.seats, &self.places, source), |running| running.at)
    }

    /// Milliseconds until the next source is due, if any will be.
    pub fn wait(&mut self, now: Time) -> Option<i64> {
        while let Some(&Reverse((due, at))) = self.heap.peek() {
            let seat = &self.seats[at];
            if seat.due == due && !seat.running {
                return Some(due.since(now).max(0));
            }
            self.heap.pop();
        }
        None
    }

    /// The clock was set back: whoever would wait beyond its horizon is asked now, or a little later if they are many.
    pub fn set_back(&mut self, now: Time) {
        let far = |seat: &&mut Seat| seat.due < Time(i64::MAX) && seat.due.since(now) > horizon(&seat.source);
        let many = self.seats.iter_mut().filter(far).count();
        for seat in self.seats.iter_mut().filter(far) {
            seat.due = pace::first(now, seat.source.id(), many);
        }
        self.heap = heap(&self.seats);
        self.waiting.clear();
    }

    /// Sources in all, rounds that run.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.seats.len(), self.running.len())
    }
}

/// All whose rounds do not run.
fn heap(seats: &[Seat]) -> BinaryHeap<Reverse<(Time, usize)>> {
    let rest = seats.iter().enumerate().filter(|(_, seat)| !seat.running);
    rest.map(|(at, seat)| Reverse((seat.due, at))).collect()
}

/// The seat of a source.
fn find(seats: &[Seat], places: &[(u32, u32)], source: &SourceId) -> Option<usize> {
    let key = key(source);
    let alike = places.get(places.partition_point(|(other, _)| *other < key)..)?;
    let mut alike = alike.iter().take_while(|(other, _)| *other == key).map(|(_, at)| *at as usize);
    alike.find(|at| seats[*at].source.id() == source)
}

/// By which seats are found.
fn key(source: &SourceId) -> u32 {
    hash64(&[source.as_str().as_bytes()]) as u32
}

/// Until when the host of a source wants to be left alone, as the poll book has it.
fn quiet(entry: &Entry, now: Time) -> Option<Time> {
    let until = entry.retry_after.filter(|_| matches!(entry.status, 429 | 503))?;
    (until > now && until.since(now) <= pace::RETRY_MOST).then_some(until)
}

/// No due time lies further ahead than this, but for a source that is gone for good. One that does was worked out under
/// a clock that has been set back since.
fn horizon(source: &Source) -> i64 {
    source.every.1.max(pace::RETRY_MOST).max(pace::SKIP_MOST).saturating_mul(5) / 4
}

/// The due time that the poll book has for a source, if it still holds for it.
fn remembered(entry: &Entry, source: &Source, now: Time) -> Option<Time> {
    let gone = entry.state == State::Gone;
    if entry.reading != source.reading() || (!gone && entry.due.since(now) > horizon(source)) {
        return None;
    }
    let patient = entry.failures > 0 || entry.retry_after.is_some() || gone;
    match entry.last_asked {
        // `every` may have become shorter since.
        Some(asked) if !patient && !entry.skip.skips(now) => Some(entry.due.min(asked.plus(source.every.1))),
        _ => Some(entry.due),
    }
}

/// The host that a source is asked at; none for files.
fn host(source: &Source) -> Option<Arc<str>> {
    match &source.kind {
        Kind::Files(_) => None,
        kind => {
            let url = Url::parse(kind.address()).ok();
            Some(Arc::from(url.as_ref().and_then(Url::host_str).unwrap_or_else(|| kind.address())))
        }
    }
}

/// Whether polling should hold back now: the editor is too far behind.
pub type Brake = Arc<dyn Fn() -> bool + Send + Sync>;
/// Told of every round.
pub type Told = Arc<dyn Fn(&Round) + Send + Sync>;

enum Command {
    Reload(Vec<Arc<Source>>, u32),
    /// Asks a source so many milliseconds from now, if it is not due before.
    Ask(SourceId, i64),
    Stop(Duration, oneshot::Sender<usize>),
}

/// The thread that polls. Dropping this ends it, with the rounds that run.
#[derive(Debug)]
pub struct Schedule {
    commands: mpsc::Sender<Command>,
    roll: Arc<Roll>,
}

/// Runs a job on a thread of its own, named `polls`, with all that it spawns. A round is many short steps, each woken by
/// another: on one thread they cost half of what they do where they are handed from thread to thread. What takes time
/// (reading documents, filing) has other threads.
fn apart<T: Send + 'static>(job: impl Future<Output = T> + Send + 'static) -> std::io::Result<oneshot::Receiver<T>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (sender, done) = oneshot::channel();
    let work = move || {
        let done = runtime.block_on(job);
        runtime.shutdown_background();
        // Nobody may be waiting any more.
        let _ = sender.send(done);
    };
    std::thread::Builder::new().name("polls".to_owned()).spawn(work)?;
    Ok(done)
}

impl Schedule {
    /// Begins to poll these sources, at most `per_host` at once at one host.
    ///
    /// # Errors
    /// If the system gives us no thread.
    pub fn start(
        poller: Arc<Poller>,
        sources: Vec<Arc<Source>>,
        per_host: u32,
        brake: Brake,
        told: Told,
    ) -> std::io::Result<Self> {
        let (commands, orders) = mpsc::channel(COMMANDS);
        let mut queue = Queue::new();
        queue.reload(sources, per_host, &|id| poller.book(id), (poller.clock())(), true);
        let keeper = Keeper { poller, queue, brake, told, rounds: JoinSet::new(), asked: HashMap::new(), paused: None };
        let roll = keeper.queue.roll();
        apart(keeper.keep(orders))?;
        Ok(Self { commands, roll })
    }

    /// How many sources are in each state.
    #[must_use]
    pub fn roll(&self) -> Arc<Roll> {
        Arc::clone(&self.roll)
    }

    /// Takes these sources in place of the former; rounds that run go on.
    pub async fn reload(&self, sources: Vec<Arc<Source>>, per_host: u32) {
        self.order(Command::Reload(sources, per_host)).await;
    }

    /// Makes a source due now.
    pub async fn ask(&self, source: SourceId) {
        self.order(Command::Ask(source, 0)).await;
    }

    /// Asks sources out of turn, for as long as this polls.
    #[must_use]
    pub fn bell(&self) -> Bell {
        Bell(self.commands.downgrade())
    }

    /// Starts no more rounds and waits for those that run, at most so long. Returns how many were cut off: nothing is
    /// lost by that, since their answers are asked for again.
    pub async fn stop(self, deadline: Duration) -> usize {
        let (answer, cut) = oneshot::channel();
        self.order(Command::Stop(deadline, answer)).await;
        cut.await.unwrap_or(0)
    }

    async fn order(&self, command: Command) {
        if self.commands.send(command).await.is_err() {
            tracing::error!("the polling task is gone; restart citydesk");
        }
    }
}

/// Makes sources due before their time.
#[derive(Debug, Clone)]
pub struct Bell(mpsc::WeakSender<Command>);

impl Bell {
    /// Makes a source due so many milliseconds from now, if it is not due before.
    pub async fn ring(&self, source: SourceId, wait: i64) {
        let Some(commands) = self.0.upgrade() else { return };
        // While citydesk stops nobody is asked; the next start asks by the poll book.
        let _ = commands.send(Command::Ask(source, wait)).await;
    }
}

struct Keeper {
    poller: Arc<Poller>,
    queue: Queue,
    brake: Brake,
    told: Told,
    rounds: JoinSet<Round>,
    /// Whose they are, and when they began.
    asked: HashMap<Id, (SourceId, Time)>,
    paused: Option<Time>,
}

impl Keeper {
    async fn keep(mut self, mut orders: mpsc::Receiver<Command>) {
        let mut before = (self.poller.clock())();
        loop {
            let now = (self.poller.clock())();
            if now.since(before) < -SET_BACK {
                tracing::warn!(
                    seconds = before.since(now) / Time::SECOND,
                    "the clock was set back; due times follow it"
                );
                self.queue.set_back(now);
            }
            before = now;
            let nap = self.begin(now);
            tokio::select! {
                Some(ended) = self.rounds.join_next_with_id() => self.end(ended),
                order = orders.recv() => match order {
                    Some(Command::Reload(sources, per_host)) => {
                        let poller = Arc::clone(&self.poller);
                        self.queue.reload(sources, per_host, &|id| poller.book(id), (poller.clock())(), true);
                    }
                    Some(Command::Ask(source, wait)) => self.queue.ask(&source, now.plus(wait)),
                    Some(Command::Stop(deadline, answer)) => {
                        let _ = answer.send(self.wind_down(deadline).await);
                        return;
                    }
                    None => return,
                },
                () = tokio::time::sleep(Duration::from_millis(nap.clamp(1, NAP).unsigned_abs())) => {}
            }
        }
    }

    /// Starts what may start; returns how long to sleep if nothing happens.
    fn begin(&mut self, now: Time) -> i64 {
        if let Some(until) = self.paused {
            if now < until {
                return until.since(now);
            }
            self.paused = None;
        }
        let tick = Time(now.0 - now.0.rem_euclid(TICK));
        loop {
            let full = self.full(now);
            if full > 0 {
                return full;
            }
            if (self.brake)() {
                return BRAKE_NAP;
            }
            let Some(source) = self.queue.next(tick) else { break };
            let (poller, id) = (Arc::clone(&self.poller), source.id().clone());
            let task = self.rounds.spawn(async move { poller.round(&source).await });
            self.asked.insert(task.id(), (id, now));
        }
        let ticks = |wait: i64| tick.plus((wait + TICK - 1) / TICK * TICK).since(now);
        self.queue.wait(tick).map_or(NAP, ticks)
    }

    /// Milliseconds until another round may begin, unless one ends before; 0 if one may now.
    fn full(&self, now: Time) -> i64 {
        if self.rounds.len() < IN_FLIGHT {
            return 0;
        }
        if self.rounds.len() >= IN_FLIGHT_MOST {
            return NAP;
        }
        let lately: Vec<i64> =
            self.asked.values().map(|(_, began)| now.since(*began)).filter(|age| (0..LATELY).contains(age)).collect();
        if lately.len() >= IN_FLIGHT || !self.poller.idle() {
            return lately.iter().max().map_or(LATELY, |oldest| LATELY - oldest);
        }
        0
    }

    fn end(&mut self, ended: Result<(Id, Round), tokio::task::JoinError>) {
        match ended {
            Ok((task, round)) => {
                self.asked.remove(&task);
                self.queue.learn(&round.source, round.state, round.quiet);
                self.queue.done(&round.source, round.due);
                if round.outcome == Outcome::Failed("disk") && self.paused.is_none() {
                    tracing::error!("polling pauses: {}", round.sentence);
                    self.paused = Some((self.poller.clock())().plus(DISK_PAUSE));
                }
                (self.told)(&round);
            }
            Err(error) => {
                let Some((source, _)) = self.asked.remove(&error.id()) else { return };
                tracing::error!(%source, "a round died, it is asked again in an hour; please report this: {error}");
                self.queue.done(&source, (self.poller.clock())().plus(pace::BACK_OFF_MOST));
            }
        }
    }

    async fn wind_down(&mut self, deadline: Duration) -> usize {
        let all = async {
            while let Some(ended) = self.rounds.join_next_with_id().await {
                self.end(ended);
            }
        };
        let _ = tokio::time::timeout(deadline, all).await;
        let left = self.rounds.len();
        self.rounds.shutdown().await;
        left
    }
}

/// Asks every due source once (with `all`: every source), and returns the rounds in the order of the sources.
///
/// # Errors
/// If the system gives us no thread.
pub async fn once(
    poller: &Arc<Poller>,
    sources: &[Arc<Source>],
    per_host: u32,
    all: bool,
    told: Told,
) -> std::io::Result<Vec<Round>> {
    let (poller, sources) = (Arc::clone(poller), sources.to_vec());
    let rounds = apart(async move { pass(&poller, &sources, per_host, all, told).await })?.await;
    rounds.map_err(|_| std::io::Error::other("the thread that polls ended by a panic"))
}

async fn pass(poller: &Arc<Poller>, sources: &[Arc<Source>], per_host: u32, all: bool, told: Told) -> Vec<Round> {
    let start = (poller.clock())();
    let mut queue = Queue::new();
    let book = |id: &SourceId| if all { None } else { poller.book(id) };
    queue.reload(sources.to_vec(), per_host, &book, start, false);
    let order: BTreeMap<&SourceId, usize> = sources.iter().enumerate().map(|(at, source)| (source.id(), at)).collect();
    let mut rounds = JoinSet::new();
    let mut asked = HashMap::new();
    let mut done = Vec::new();
    loop {
        while rounds.len() < IN_FLIGHT {
            // What was due at the start: a source that wants to come again at once has had its turn.
            let Some(source) = queue.next(start) else { break };
            let (poller, id) = (Arc::clone(poller), source.id().clone());
            let task = rounds.spawn(async move { poller.round(&source).await });
            asked.insert(task.id(), id);
        }
        match rounds.join_next_with_id().await {
            Some(Ok((_, round))) => {
                queue.learn(&round.source, round.state, round.quiet);
                queue.done(&round.source, Time(i64::MAX));
                told(&round);
                done.push(round);
            }
            Some(Err(error)) => {
                if let Some(source) = asked.get(&error.id()) {
                    tracing::error!(%source, "a round died; please report this: {error}");
                    queue.done(source, Time(i64::MAX));
                }
            }
            None => break,
        }
    }
    done.sort_by_key(|round| order.get(&round.source).copied());
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::book::Skip;
    use crate::model::source::{Expect, SourceRules};

    const NOW: Time = Time(1_795_000_000_000);

    fn source(id: &str, address: &str) -> Arc<Source> {
        Arc::new(Source {
            rules: SourceRules { id: SourceId::new(id).unwrap(), ..SourceRules::default() }.into(),
            kind: Kind::Feed(address.to_owned()),
            every: (Time::MINUTE, Time::HOUR),
            expect: Expect { items: 1, newest: 0 },
            timeout: 1000,
            how: Arc::default(),
        })
    }

    fn noted(source: &Source, due: i64) -> Entry {
        let asked = Some(NOW.plus(-Time::MINUTE));
        Entry { due: NOW.plus(due), reading: source.reading(), last_asked: asked, ..Entry::default() }
    }

    fn started(queue: &mut Queue, now: Time) -> Vec<String> {
        std::iter::from_fn(|| queue.next(now)).map(|source| source.id().to_string()).collect()
    }

    #[test]
    fn the_poll_book_says_when() {
        let plain = source("a", "http://a.example/");
        for (entry, due) in [
            (noted(&plain, 10), Some(NOW.plus(10))),
            (noted(&plain, -10), Some(NOW.plus(-10))),
            // In the hours in which nobody is to ask `every` does not count.
            (
                Entry { skip: Skip { hours: 1 << 11, days: 0 }, ..noted(&plain, 9 * Time::HOUR) },
                Some(NOW.plus(9 * Time::HOUR)),
            ),
            // `every` was shortened to an hour: not later than an hour after the last poll.
            (noted(&plain, 9 * Time::HOUR), Some(NOW.plus(59 * Time::MINUTE))),
            (Entry { failures: 3, ..noted(&plain, 9 * Time::HOUR) }, Some(NOW.plus(9 * Time::HOUR))),
            (Entry { retry_after: Some(NOW), ..noted(&plain, 9 * Time::HOUR) }, Some(NOW.plus(9 * Time::HOUR))),
            (Entry { state: State::Gone, due: Time(i64::MAX), ..noted(&plain, 0) }, Some(Time(i64::MAX))),
            // Its address or selector changed: now.
            // Noted under a clock that was years ahead.
            (Entry { failures: 1, ..noted(&plain, 999 * Time::DAY) }, None),
            (Entry { reading: 7, ..noted(&plain, 10) }, None),
        ] {
            assert_eq!(remembered(&entry, &plain, NOW), due, "{entry:?}");
        }
    }

    #[test]
    fn due_sources_come_in_order_of_time() {
        let all: Vec<_> = ["a", "b", "c", "d"].map(|id| source(id, &format!("http://{id}.example/"))).into();
        let dues = BTreeMap::from([("a", 30), ("b", 10), ("c", 20)]);
        let book = |id: &SourceId| Some(noted(all.iter().find(|s| s.id() == id)?, *dues.get(id.as_str())?));
        let mut queue = Queue::new();
        queue.reload(all.clone(), 1, &book, NOW, true);
        assert_eq!(started(&mut queue, NOW), ["d"], "unknown to the book: now");
        assert_eq!(queue.wait(NOW), Some(10));
        assert_eq!(started(&mut queue, NOW.plus(25)), ["b", "c"]);
        queue.done(&SourceId::new("b").unwrap(), NOW.plus(26));
        assert_eq!(started(&mut queue, NOW.plus(40)), ["b", "a"]);
        assert_eq!((started(&mut queue, NOW.plus(40)).len(), queue.wait(NOW)), (0, None), "all run");
    }

    #[test]
    fn a_busy_host_holds_up_nobody_else() {
        let mut all: Vec<_> = (0..4).map(|n| source(&format!("slow{n}"), "http://slow.example/")).collect();
        all.push(source("quick", "http://quick.example/"));
        let mut queue = Queue::new();
        queue.reload(all, 2, &|_| None, NOW, true);
        assert_eq!(started(&mut queue, NOW), ["slow0", "slow1", "quick"]);
        assert_eq!(queue.wait(NOW), None, "who waits for a host does not keep the task awake");
        queue.done(&SourceId::new("slow1").unwrap(), NOW.plus(Time::HOUR));
        assert_eq!(started(&mut queue, NOW), ["slow2"]);
        queue.done(&SourceId::new("slow0").unwrap(), NOW);
        assert_eq!(started(&mut queue, NOW), ["slow0"], "due before slow3 in the order of seats");
        queue.done(&SourceId::new("slow2").unwrap(), NOW.plus(Time::HOUR));
        assert_eq!(started(&mut queue, NOW), ["slow3"]);
    }

    #[test]
    fn a_reload_loses_no_due_time_and_no_running_round() {
        let (a, b, c) =
            (source("a", "http://a.example/"), source("b", "http://b.example/"), source("c", "http://c.example/"));
        let mut queue = Queue::new();
        queue.reload(vec![a.clone(), b.clone()], 1, &|_| None, NOW, true);
        assert_eq!(started(&mut queue, NOW), ["a", "b"]);
        queue.done(b.id(), NOW.plus(500));
        // a still runs; b rests; c is new; then a is gone while it runs.
        queue.reload(vec![c.clone(), b.clone(), a.clone()], 1, &|_| None, NOW, true);
        assert_eq!(started(&mut queue, NOW), ["c"]);
        assert_eq!(queue.wait(NOW), Some(500));
        queue.reload(vec![b.clone()], 1, &|_| None, NOW, true);
        queue.done(a.id(), NOW);
        queue.done(c.id(), NOW);
        assert_eq!(started(&mut queue, NOW.plus(499)), Vec::<String>::new());
        // A changed address is asked at once, whatever was planned.
        queue.reload(vec![source("b", "http://other.example/")], 1, &|_| None, NOW, true);
        assert_eq!(started(&mut queue, NOW), ["b"]);
    }

    #[test]
    fn a_source_can_be_asked_out_of_turn() {
        let a = source("a", "http://a.example/");
        let mut queue = Queue::new();
        queue.reload(vec![a.clone()], 1, &|_| Some(noted(&a, 1000)), NOW, true);
        assert_eq!(started(&mut queue, NOW), Vec::<String>::new());
        queue.ask(a.id(), NOW.plus(2000));
        assert_eq!(queue.wait(NOW), Some(1000), "it is due before");
        queue.ask(a.id(), NOW);
        assert_eq!(started(&mut queue, NOW), ["a"]);
        queue.ask(a.id(), NOW);
        assert_eq!(started(&mut queue, NOW), Vec::<String>::new(), "it runs already");
        queue.done(a.id(), NOW.plus(Time::HOUR));
        assert_eq!(started(&mut queue, NOW), ["a"], "and after that it is asked");
        queue.done(a.id(), NOW.plus(Time::HOUR));
        assert_eq!(started(&mut queue, NOW), Vec::<String>::new());
    }

    #[test]
    fn a_block_that_is_saved_while_its_round_runs_is_asked_again_at_once() {
        let a = source("a", "http://a.example/");
        let mut faster = Source::clone(&a);
        faster.every = (Time::SECOND, Time::MINUTE);
        let mut named = Source::clone(&a);
        Arc::make_mut(&mut named.rules).name = "another".into();
        for (saved, again) in [
            (source("a", "http://other.example/"), true),
            (Arc::new(faster), true),
            (Arc::new(named), false),
            (a.clone(), false),
        ] {
            let mut queue = Queue::new();
            queue.reload(vec![a.clone()], 1, &|_| Some(noted(&a, -10)), NOW, false);
            assert_eq!(started(&mut queue, NOW), ["a"]);
            queue.reload(vec![saved.clone()], 1, &|_| Some(noted(&a, -10)), NOW, true);
            assert_eq!(started(&mut queue, NOW), Vec::<String>::new(), "its round runs");
            queue.done(a.id(), NOW.plus(Time::HOUR));
            assert_eq!(started(&mut queue, NOW).len(), usize::from(again), "{saved:?}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nobody() {
        let (a, b) = (source("a", "http://a.example/"), source("b", "http://b.example/"));
        let mut queue = Queue::new();
        queue.reload(vec![a.clone(), b.clone()], 1, &|_| None, NOW, true);
        assert_eq!(started(&mut queue, NOW).len(), 2);
        queue.done(a.id(), NOW.plus(Time::HOUR));
        queue.done(b.id(), Time(i64::MAX));
        let earlier = NOW.plus(-900 * Time::DAY);
        queue.set_back(earlier);
        assert_eq!(started(&mut queue, earlier), ["a"], "b is gone for good");
    }

    #[test]
    fn many_new_sources_are_spread() {
        let all: Vec<_> = (0..1000).map(|n| source(&format!("s{n}"), &format!("http://h{n}.example/"))).collect();
        let mut queue = Queue::new();
        queue.reload(all.clone(), 1, &|_| None, NOW, true);
        let first = started(&mut queue, NOW.plus(pace::SPREAD / 2)).len();
        assert!((300..700).contains(&first), "{first}");
        assert_eq!(first + started(&mut queue, NOW.plus(pace::SPREAD)).len(), 1000);
        let mut queue = Queue::new();
        queue.reload(all, 1, &|_| None, NOW, false);
        assert_eq!(started(&mut queue, NOW).len(), 1000);
    }

    #[test]
    fn a_start_after_a_long_pause_is_no_stampede() {
        let all: Vec<_> = (0..10_000).map(|n| source(&format!("s{n}"), &format!("http://h{n}.example/"))).collect();
        // A third was due while nobody asked, the rest is due within the hour.
        let book = |id: &SourceId| {
            let n: i64 = id.as_str()[1..].parse().ok()?;
            let due = if n % 3 == 0 { -Time::HOUR } else { n % 3_600 * Time::SECOND };
            Some(noted(&all[usize::try_from(n).ok()?], due))
        };
        let mut queue = Queue::new();
        queue.reload(all.clone(), 1, &book, NOW, true);
        let mut most = 0;
        for second in 0..3_600 {
            let begun = started(&mut queue, NOW.plus(second * Time::SECOND)).len();
            most = most.max(begun);
        }
        assert!(most < 120, "{most} in one second");
        assert_eq!(queue.counts(), (10_000, 10_000), "and within the hour everybody was asked");
    }

    #[test]
    fn a_host_that_asks_for_quiet_gets_it_from_all_its_sources() {
        let all: Vec<_> = (0..3).map(|n| source(&format!("s{n}"), "http://host.example/")).collect();
        let other = source("other", "http://other.example/");
        let mut queue = Queue::new();
        queue.reload([all.clone(), vec![other]].concat(), 1, &|_| None, NOW, false);
        assert_eq!(started(&mut queue, NOW), ["s0", "other"]);
        let until = NOW.plus(Time::HOUR);
        queue.learn(all[0].id(), State::Broken, Some(until));
        queue.done(all[0].id(), until);
        assert_eq!(started(&mut queue, NOW.plus(59 * Time::MINUTE)), Vec::<String>::new());
        assert!(!started(&mut queue, until.plus(pace::APART)).is_empty());
        // And so after a restart.
        let book = |id: &SourceId| {
            let told = *id == *all[0].id();
            let noted = noted(&all[0], if told { Time::HOUR } else { 0 });
            Some(if told { Entry { retry_after: Some(until), status: 429, failures: 1, ..noted } } else { noted })
        };
        let mut queue = Queue::new();
        queue.reload(all.clone(), 1, &book, NOW, true);
        assert_eq!(started(&mut queue, NOW.plus(59 * Time::MINUTE)), Vec::<String>::new());
        assert!(!started(&mut queue, until.plus(pace::APART)).is_empty());
    }

    #[test]
    fn states_are_counted() {
        let (a, b) = (source("a", "http://a.example/"), source("b", "http://b.example/"));
        let mut queue = Queue::new();
        let book = |id: &SourceId| (id == a.id()).then(|| Entry { state: State::Late, ..noted(&a, 10) });
        queue.reload(vec![a.clone(), b.clone()], 1, &book, NOW, true);
        assert_eq!(queue.roll().counts(), BTreeMap::from([("late", 1), ("new", 1)]));
        queue.learn(b.id(), State::Ok, None);
        assert_eq!(queue.roll().counts(), BTreeMap::from([("late", 1), ("ok", 1)]));
        queue.reload(vec![b.clone()], 1, &book, NOW, true);
        assert_eq!(queue.roll().counts(), BTreeMap::from([("ok", 1)]), "a reload keeps what is known");
    }
}
