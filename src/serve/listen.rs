//! Accepts connections, bounds them, and lets them end in peace when the daemon stops.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZero;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use super::parts::Parts;
use super::patience::Patience;
use super::reply::{Dropped, Reply};
use super::seat::{Seat, Seats};
use crate::model::setting::Network;

/// How long a client may take from connecting to its first whole request head, and over HTTP/1.1 for each later head
/// (which also bounds how long a connection stays open unused).
const HEADER_TIME: Duration = Duration::from_secs(10);
/// How long an HTTP/2 connection stays open unused: setting one up costs more.
const UNUSED: Duration = Duration::from_mins(3);
/// Largest request head in bytes; hyper answers 431 beyond it.
const HEADER_BYTES: usize = 32 * 1024;
/// Largest header list of an HTTP/2 request, in bytes as RFC 9113 section 6.5.2 counts them.
const HEADER_LIST: u32 = 16 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// How often a silent HTTP/2 connection is asked whether it lives.
const PING: Duration = Duration::from_secs(20);
/// How long a client may take no byte of an answer before it is cut.
const STALL: Duration = Duration::from_secs(30);
/// Connections at once where the process may open files enough.
const CONNECTIONS: usize = 4_096;
/// Files left for everything but connections.
const RESERVED_FILES: usize = 256;
/// How long connections may take to end once we stop: below the ten seconds after which a service manager is told that
/// we hang.
const DRAIN: Duration = Duration::from_secs(8);
/// Threads of one core's runtime that print feeds and make pages; what comes beyond waits its turn.
const PRINTERS: usize = 32;
/// How soon another connection is asked to leave while there is no room for the next one.
const CROWDED: Duration = Duration::from_millis(20);
/// Waits after a failed accept: doubled from the first to the last. Out of file descriptors, the next try fails too.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// Bounds of one listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections in all. When it is reached we accept no more: the kernel queues, and nobody sees an error.
    pub connections: usize,
    /// Connections of one address (of one /64 for IPv6). Beyond it they are closed at once.
    pub per_address: usize,
    /// Addresses to which `per_address` does not apply: proxies, behind which everybody has one address. Loopback never
    /// counts.
    pub exempt: Vec<Network>,
}

impl Limits {
    /// As many as the process may open files for, at most [`CONNECTIONS`]; an address may hold half of them.
    #[must_use]
    pub fn for_this_process(exempt: Vec<Network>) -> Self {
        let files =
            std::fs::read_to_string("/proc/self/limits").ok().and_then(|text| soft_files(&text)).unwrap_or(1_024);
        let connections = files.saturating_sub(RESERVED_FILES).clamp(64, CONNECTIONS);
        Self { connections, per_address: connections / 2, exempt }
    }
}

/// The soft limit of open files in the text of `/proc/self/limits`.
fn soft_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Serves until `shutdown` is over, then accepts nothing more and waits for running answers, at most [`DRAIN`].
///
/// Connections are answered by threads of their own, one for every two cores, each with its own runtime: a connection never
/// changes its thread, which costs less than sharing them, and no poll or reading of a document stands before an answer. One
/// thread that always finds something to do answers with less work than two that wait in between, and what they hand away
/// (printing, packing, pages) has the other cores.
pub async fn run<H, F>(listener: TcpListener, limits: Limits, handler: H, shutdown: impl Future<Output = ()>)
where
    H: Fn(http::Request<Incoming>, IpAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Reply, Dropped>> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(limits.connections));
    let seats = Seats::default();
    let callers = Arc::new(Callers::default());
    let mut shutdown = pin!(shutdown);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut workers: Vec<Worker> =
        (0..cores.div_ceil(2)).filter_map(|number| Worker::start(number, handler.clone())).collect();
    if workers.is_empty() {
        tracing::error!("no thread can be started to answer requests: is the machine out of memory?");
        return;
    }
    let mut turn = 0;
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &slots, &seats) => accepted,
        };
        let Some((stream, address, slot)) = accepted else { break };
        let Some(caller) = callers.admit(address, &limits) else {
            tracing::debug!(%address, "closed at once: too many connections from one address");
            continue;
        };
        // It is registered anew where it is answered.
        let Ok(stream) = stream.into_std() else { continue };
        turn = (turn + 1) % workers.len();
        // Fails only if that thread died; then the connection is closed.
        let _ = workers[turn].connections.send(Accepted {
            stream,
            address,
            seat: seats.take(),
            held: Box::new((slot, caller)),
        });
    }

    drop(listener);
    let ended: Vec<_> = workers
        .drain(..)
        .map(|worker| {
            drop(worker.connections);
            worker.ended
        })
        .collect();
    let mut left = 0;
    for ended in ended {
        // Each waits at most [`DRAIN`], all at the same time.
        left += ended.await.unwrap_or_default();
    }
    if left > 0 {
        tracing::warn!(connections = left, "stopped although answers were still being read");
    }
}

/// A connection on its way to the thread that answers it.
struct Accepted {
    stream: std::net::TcpStream,
    address: IpAddr,
    seat: Arc<Seat>,
    /// Its places, given back when it ends.
    held: Box<dyn Send>,
}

/// A thread that answers.
struct Worker {
    connections: mpsc::UnboundedSender<Accepted>,
    /// How many connections were cut at the end.
    ended: oneshot::Receiver<usize>,
}

impl Worker {
    fn start<H, F>(number: usize, handler: H) -> Option<Self>
    where
        H: Fn(http::Request<Incoming>, IpAddr) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Reply, Dropped>> + Send + 'static,
    {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(PRINTERS).build().ok()?;
        // At most as many wait as there are slots.
        let (connections, accepted) = mpsc::unbounded_channel();
        let (sender, ended) = oneshot::channel();
        let work = move || {
            let left = runtime.block_on(work(accepted, handler));
            runtime.shutdown_background();
            // Nobody may be waiting any more.
            let _ = sender.send(left);
        };
        std::thread::Builder::new().name(format!("serve-{number}")).spawn(work).ok()?;
        Some(Self { connections, ended })
    }
}

/// Answers connections until no more can come; how many had to be cut.
async fn work<H, F>(mut accepted: mpsc::UnboundedReceiver<Accepted>, handler: H) -> usize
where
    H: Fn(http::Request<Incoming>, IpAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Reply, Dropped>> + Send + 'static,
{
    let mut http = auto::Builder::new(TokioExecutor::new());
    // Its own timer is set anew for every request, which costs as much as finding the answer: [`Seat::kept`] looks at a
    // clock once in a while instead.
    http.http1().header_read_timeout(None).max_buf_size(HEADER_BYTES);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_LIST);
    let graceful = GracefulShutdown::new();
    let mut running = JoinSet::new();
    while let Some(Accepted { stream, address, seat, held }) = accepted.recv().await {
        while running.try_join_next().is_some() {}
        let Ok(stream) = TcpStream::from_std(stream) else { continue };
        let io = TokioIo::new(Patience::new(stream, HEADER_TIME, STALL, Arc::clone(&seat)));
        let handler = handler.clone();
        let asked = Arc::clone(&seat);
        let service = service_fn(move |request: http::Request<Incoming>| {
            let streams = request.version() == http::Version::HTTP_2;
            let (asking, answer) = (asked.ask(streams), handler(request, address));
            async move {
                let answer = answer.await?;
                // Over HTTP/1.1 an answer is written at once, and a socket that takes none is noticed. Streams wait for the
                // client's leave, each on its own: whether it gives it is noticed by the parts that are taken.
                let asking = streams.then_some(asking);
                Ok::<_, Dropped>(answer.map(|body| Parts::new(body, asking)))
            }
        });
        let connection = graceful.watch(http.serve_connection(io, service).into_owned());
        running.spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%address, %error, "a connection ended early");
                },
                () = seat.leave() => tracing::debug!(%address, "an idle connection made room for another"),
                why = seat.kept(HEADER_TIME, UNUSED, STALL) => tracing::debug!(%address, why, "a connection was cut"),
            }
            drop(held);
        });
    }
    let drained = tokio::time::timeout(DRAIN, async {
        graceful.shutdown().await;
        while running.join_next().await.is_some() {}
    });
    let left = if drained.await.is_err() { running.len() } else { 0 };
    running.shutdown().await;
    left
}

/// The next connection, once there is a slot for it. Errors of accept are waited out: they say that the machine is out
/// of something, or that a client left while it queued.
///
/// Where all are taken, one is asked to leave only when somebody waits: who is idle harms nobody before.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    seats: &Seats,
) -> Option<(TcpStream, IpAddr, impl Send + use<>)> {
    let mut wait = BACK_OFF.0;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Answers are written whole: nothing is gained by gathering small packets. A failure costs speed alone.
                let _: io::Result<()> = stream.set_nodelay(true);
                let slot = loop {
                    if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
                        break slot;
                    }
                    seats.make_room();
                    if let Ok(slot) = tokio::time::timeout(CROWDED, Arc::clone(slots).acquire_owned()).await {
                        break slot.ok()?;
                    }
                };
                return Some((stream, address.ip().to_canonical(), slot));
            }
            Err(error) if left(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection; trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(BACK_OFF.1);
            }
        }
    }
}

/// Whether an error of accept is about the one connection, and not about us.
fn left(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | ConnectionRefused | Interrupted)
}

/// How many connections each address holds.
#[derive(Debug, Default)]
struct Callers {
    // A plain mutex: it is held for one look-up and never over an await.
    held: Mutex<HashMap<IpAddr, usize>>,
}

impl Callers {
    /// A place for one more connection of this address, given back when dropped; `None` if it holds too many.
    fn admit(self: &Arc<Self>, address: IpAddr, limits: &Limits) -> Option<Caller> {
        if address.is_loopback() || limits.exempt.iter().any(|network| network.contains(address)) {
            return Some(Caller { of: None });
        }
        let network = network(address);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(network).or_default();
        if *count >= limits.per_address {
            return None;
        }
        *count += 1;
        Some(Caller { of: Some((Arc::clone(self), network)) })
    }
}

/// One connection's place among those of its address.
struct Caller {
    of: Option<(Arc<Callers>, IpAddr)>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        let Some((callers, network)) = &self.of else { return };
        let mut held = callers.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                held.remove(network);
            }
        }
    }
}

/// What counts as one address: IPv6 clients own a /64 each.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(it) => IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() & !u128::from(u64::MAX))),
    }
}

/// A handler that cannot fail fits where one that may drop the connection is asked for.
impl From<Infallible> for Dropped {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let callers = Arc::new(Callers::default());
        let exempt = vec![Network::parse("10.0.0.0/8").unwrap()];
        let limits = Limits { connections: 9, per_address: 2, exempt };
        let of = |text: &str| callers.admit(text.parse().unwrap(), &limits);
        let first = of("2001:db8::1");
        let second = of("2001:db8::2");
        assert!(first.is_some() && second.is_some());
        assert!(of("2001:db8::3").is_none(), "one /64 is one address");
        assert!(of("2001:db8:0:1::3").is_some());
        drop(first);
        assert!(of("2001:db8::3").is_some());
        let proxied: Vec<_> = (0..5).map(|_| of("10.1.2.3")).collect();
        assert!(proxied.iter().all(Option::is_some));
        drop((second, proxied));
        assert!(callers.held.lock().unwrap().is_empty());
    }

    #[test]
    fn the_limit_of_open_files_is_read() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             31338                31338                processes \n\
                    Max open files            1024                 524288               files     \n";
        assert_eq!(soft_files(text), Some(1_024));
        assert_eq!(soft_files("Max open files            unlimited            unlimited            files"), None);
    }
}
