//! What is counted, for Prometheus: no label is unbounded, and none names a feed; each source has its own series at an
//! address of their own, while they are few.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::reply::{self, Reply};
use crate::model::book::{self, Entry};
use crate::model::time::Time;

/// Above so many sources `/metrics/sources` is off: each is half a dozen time series to whoever stores them.
pub const SOURCES: usize = 2_000;
/// The word under which feeds are counted.
pub const FEED: &str = "feed";
/// Upper bounds of the buckets of an answer's time, in seconds.
const ANSWER_SECONDS: [f64; 9] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];
/// Upper bounds of the buckets of a fetch's time, in seconds.
const FETCH_SECONDS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    code: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decision {
    decision: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

/// Reads a number when somebody looks.
type Reading = Box<dyn Fn() -> f64 + Send + Sync>;

/// The counters. Rooms that may not know this one are handed closures over its methods.
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<Answered, Counter>,
    /// The counters of feeds answered with 200 and 304, and their times: nearly all there is to count, found at once.
    feeds: (Counter, Counter, Histogram),
    durations: Family<Route, Histogram>,
    dropped: Counter,
    fetches: Family<Outcome, Counter>,
    fetch_duration: Histogram,
    received: Counter,
    items: Family<Decision, Counter>,
    deliveries: Family<Outcome, Counter>,
    received_pushes: Family<Outcome, Counter>,
    sources: Family<State, Gauge>,
    turns: Family<State, Counter>,
    watched: Mutex<Vec<(Gauge<f64, AtomicU64>, Reading)>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("citydesk_build", "The program that runs", version);
        let requests = Family::<Answered, Counter>::default();
        registry.register("citydesk_http_requests", "Requests answered", requests.clone());
        let durations = Family::<Route, Histogram>::new_with_constructor(|| Histogram::new(ANSWER_SECONDS));
        registry.register(
            "citydesk_http_request_duration_seconds",
            "From request head to answer head",
            durations.clone(),
        );
        let feed = |code| requests.get_or_create_owned(&Answered { route: FEED, code });
        let feeds = (feed(200), feed(304), durations.get_or_create_owned(&Route { route: FEED }));
        let dropped = Counter::default();
        registry.register("citydesk_http_dropped", "Connections closed without an answer", dropped.clone());
        let fetches = Family::<Outcome, Counter>::default();
        registry.register("citydesk_fetches", "Polls of sources by what came of them", fetches.clone());
        let fetch_duration = Histogram::new(FETCH_SECONDS);
        registry.register(
            "citydesk_fetch_duration_seconds",
            "One poll, from asking to the whole answer",
            fetch_duration.clone(),
        );
        let received = Counter::default();
        registry.register("citydesk_fetch_received_bytes", "Bytes received from sources", received.clone());
        let items = Family::<Decision, Counter>::default();
        registry.register("citydesk_items", "Items by what was decided about them", items.clone());
        let deliveries = Family::<Outcome, Counter>::default();
        registry.register(
            "citydesk_websub_deliveries",
            "Deliveries to WebSub subscribers, and pings to another hub, by what came of them",
            deliveries.clone(),
        );
        let received_pushes = Family::<Outcome, Counter>::default();
        registry.register(
            "citydesk_websub_received",
            "Deliveries by the hubs of sources, by what came of them",
            received_pushes.clone(),
        );
        let sources = Family::<State, Gauge>::default();
        registry.register("citydesk_sources", "Sources by state", sources.clone());
        let turns = Family::<State, Counter>::default();
        registry.register(
            "citydesk_source_changes",
            "Sources that came into a state, once it was certain",
            turns.clone(),
        );
        Self {
            registry: Mutex::new(registry),
            requests,
            feeds,
            durations,
            dropped,
            fetches,
            fetch_duration,
            received,
            items,
            deliveries,
            received_pushes,
            sources,
            turns,
            watched: Mutex::default(),
        }
    }

    /// Counts an answer. `route` is one of a few words; never a path.
    pub fn answered(&self, route: &'static str, code: StatusCode, time: Duration) {
        let (sent, unchanged, times) = &self.feeds;
        let counter = match code {
            StatusCode::OK => Some(sent),
            StatusCode::NOT_MODIFIED => Some(unchanged),
            _ => None,
        };
        if let Some(counter) = counter.filter(|_| route == FEED) {
            counter.inc();
            times.observe(time.as_secs_f64());
            return;
        }
        self.requests.get_or_create(&Answered { route, code: u32::from(code.as_u16()) }).inc();
        self.durations.get_or_create(&Route { route }).observe(time.as_secs_f64());
    }

    /// Counts a certain change of a source's state.
    pub fn turned(&self, to: &'static str) {
        self.turns.get_or_create(&State { state: to }).inc();
    }

    /// Counts a connection closed without an answer.
    pub fn dropped(&self) {
        self.dropped.inc();
    }

    /// Counts a poll: `new`, `unchanged`, `not_modified`, `http` (a status that is no success), or what failed, by
    /// [`crate::poll::Trouble::kind`]; how long it took; bytes received.
    pub fn fetched(&self, outcome: &'static str, time: Duration, bytes: u64) {
        self.fetches.get_or_create(&Outcome { outcome }).inc();
        self.fetch_duration.observe(time.as_secs_f64());
        self.received.inc_by(bytes);
    }

    /// Counts items by what was decided: `open`, `join`, `correct` or `see`.
    pub fn decided(&self, decision: &'static str, items: u64) {
        self.items.get_or_create(&Decision { decision }).inc_by(items);
    }

    /// Counts a delivery of our hub by what came of it: `ok`, `same` (nothing to send), `gone`, `status`, `timeout`, `refused`,
    /// `connection`, `print`; or a ping to another hub: `ping`, `ping_failed`.
    pub fn delivered(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts a delivery by a source's hub: `filed`, `nothing`, `unsigned`, `unreadable` or `retired`.
    pub fn pushed(&self, outcome: &'static str) {
        self.received_pushes.get_or_create(&Outcome { outcome }).inc();
    }

    /// Sets how many sources are in each state; a state that is not named holds none.
    pub fn sources(&self, states: &BTreeMap<&'static str, i64>) {
        self.sources.clear();
        for (state, sources) in states {
            self.sources.get_or_create(&State { state }).set(*sources);
        }
    }

    /// Adds a number that is read each time somebody looks: sizes, positions, times. `name` with its unit; `citydesk_`
    /// is put before it.
    pub fn watch(&self, name: &str, help: &'static str, reading: impl Fn() -> f64 + Send + Sync + 'static) {
        self.watch_as(format!("citydesk_{name}"), help, reading);
    }

    fn watch_as(&self, name: String, help: &'static str, reading: impl Fn() -> f64 + Send + Sync + 'static) {
        let gauge = Gauge::<f64, AtomicU64>::default();
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register(name, help, gauge.clone());
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).push((gauge, Box::new(reading)));
    }

    /// `/metrics`.
    #[must_use]
    pub fn page(&self) -> Reply {
        for (gauge, reading) in self.watched.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            gauge.set(reading());
        }
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if encode(&mut text, &registry).is_err() {
            return reply::line(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be written\n");
        }
        self::text(text)
    }

    /// Adds what the system says of the process, by the names that every exporter uses. Linux only.
    pub fn watch_process(&self) {
        let status = |key: &'static str| {
            move || {
                let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
                kilobytes(&text, key).unwrap_or(0.0) * 1_024.0
            }
        };
        self.watch_as("process_resident_memory_bytes".to_owned(), "Memory held", status("VmRSS:"));
        self.watch_as("process_resident_memory_peak_bytes".to_owned(), "Most memory ever held", status("VmHWM:"));
        self.watch_as("process_open_fds".to_owned(), "Open files", || {
            std::fs::read_dir("/proc/self/fd").map_or(0.0, |entries| entries.count() as f64)
        });
    }
}

/// An answer in the text format of OpenMetrics 1.0.
#[must_use]
pub fn text(text: String) -> Reply {
    reply::plain(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text)
}

/// A source as it is measured.
#[derive(Debug)]
pub struct OfSource<'a> {
    /// Its id.
    pub id: &'a str,
    /// Items it brought in all.
    pub items: u64,
    /// What polling remembers of it.
    pub book: Entry,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Standing {
    source: String,
    state: &'static str,
}

/// `/metrics/sources`: each source by its name. A place of its own, for not every scrape needs it.
#[must_use]
pub fn sources<'a>(all: impl Iterator<Item = OfSource<'a>>) -> String {
    let mut registry = Registry::default();
    let gauge = Family::<Named, Gauge<f64, AtomicU64>>::default;
    let (up, last_new, last_good, next) = (gauge(), gauge(), gauge(), gauge());
    let states = Family::<Standing, Gauge>::default();
    let items = Family::<Named, Counter>::default();
    for OfSource { id, items: count, book } in all {
        let named = || Named { source: id.to_owned() };
        let moment = |family: &Family<Named, Gauge<f64, AtomicU64>>, at: Option<Time>| {
            if let Some(at) = at.filter(|at| at.0 > 0 && at.0 < i64::MAX) {
                family.get_or_create(&named()).set(at.0 as f64 / 1e3);
            }
        };
        up.get_or_create(&named()).set(if matches!(book.state, book::State::Broken | book::State::Gone) {
            0.0
        } else {
            1.0
        });
        states.get_or_create(&Standing { source: id.to_owned(), state: book.state.word() }).set(1);
        items.get_or_create(&named()).inc_by(count);
        moment(&last_new, book.last_new);
        moment(&last_good, book.last_good);
        moment(&next, Some(book.due));
    }
    registry.register("citydesk_source_up", "Whether the source answers readably", up);
    registry.register("citydesk_source_state", "1 with the state that the source is in", states);
    registry.register("citydesk_source_items", "Items that the source brought", items);
    registry.register("citydesk_source_last_new_timestamp_seconds", "When the last new item came", last_new);
    registry.register("citydesk_source_last_good_timestamp_seconds", "When it answered readably last", last_good);
    registry.register("citydesk_source_next_poll_timestamp_seconds", "When it is asked next", next);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = encode(&mut text, &registry);
    text
}

/// A line `VmRSS:   1234 kB` of `/proc/self/status`.
fn kilobytes(status: &str, key: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a body made here a line before")]
    fn the_names_of_the_contract() {
        use http_body_util::BodyExt as _;
        let metrics = Metrics::new();
        metrics.answered("feed", StatusCode::NOT_MODIFIED, Duration::from_micros(80));
        metrics.fetched("not_modified", Duration::from_millis(30), 120);
        metrics.decided("join", 3);
        metrics.sources(&BTreeMap::from([("ok", 7)]));
        metrics.dropped();
        metrics.delivered("ok");
        metrics.watch("websub_subscriptions", "Subscriptions to our feeds", || 3.0);
        metrics.turned("broken");
        metrics.watch("journal_bytes", "Bytes of the journal on disk", || 42.0);
        metrics.watch_process();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let body = runtime.block_on(metrics.page().into_body().collect()).unwrap().to_bytes();
        let text = std::str::from_utf8(&body).unwrap();
        for line in [
            "citydesk_build_info{version=",
            "citydesk_http_requests_total{route=\"feed\",code=\"304\"} 1\n",
            "citydesk_http_request_duration_seconds_count{route=\"feed\"} 1\n",
            "citydesk_fetches_total{outcome=\"not_modified\"} 1\n",
            "citydesk_fetch_received_bytes_total 120\n",
            "citydesk_items_total{decision=\"join\"} 3\n",
            "citydesk_sources{state=\"ok\"} 7\n",
            "citydesk_websub_deliveries_total{outcome=\"ok\"} 1\n",
            "citydesk_websub_subscriptions 3",
            "citydesk_source_changes_total{state=\"broken\"} 1\n",
            "citydesk_journal_bytes 42",
            "process_resident_memory_bytes ",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }

    #[test]
    fn each_source_has_its_series() {
        let book = Entry { last_new: Some(Time(1_795_392_000_500)), due: Time(i64::MAX), ..Entry::default() };
        let broken = Entry { state: book::State::Broken, ..book.clone() };
        let all = [("a", 7, book), ("b", 0, broken)].map(|(id, items, book)| OfSource { id, items, book });
        let text = sources(all.into_iter());
        for line in [
            "citydesk_source_up{source=\"a\"} 1.0\n",
            "citydesk_source_up{source=\"b\"} 0.0\n",
            "citydesk_source_state{source=\"b\",state=\"broken\"} 1\n",
            "citydesk_source_items_total{source=\"a\"} 7\n",
            "citydesk_source_last_new_timestamp_seconds{source=\"a\"} 1795392000.5\n",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert!(!text.contains("next_poll_timestamp_seconds{"), "who is gone is not asked\n{text}");
    }
}
