//! Our subscriptions to hubs that deliver the news of sources (WebSub): asked for where a document names a hub, renewed
//! before their lease ends, and what is delivered filed as what is polled.
//!
//! A hub is told an address that nobody else knows and a secret to sign with. Only what we asked for is confirmed, and
//! what is not signed is dropped. Polling goes on at a tenth of its pace, and at its own as soon as it finds news that was
//! not delivered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use url::{Url, form_urlencoded};

use super::draft::Sheet;
use super::{Poller, Round, pace};
use crate::clock::Clock;
use crate::fetch::call::Call;
use crate::model::id::SourceId;
use crate::model::push::{Push, Stage};
use crate::model::setting::Settings;
use crate::model::source::{Kind, Source};
use crate::model::time::Time;
use crate::model::websub::{self, Secret};
use crate::store::Store;
use crate::websub::link::Offer;
use crate::websub::mailbox::{Delivery, Mailbox, Question, Taken};
use crate::websub::signature;

/// Lease that is asked for, in seconds: ten days.
const LEASE: &str = "864000";
/// A lease that the hub does not name, in milliseconds.
const LEASE_USUAL: i64 = 10 * Time::DAY;
/// Longest lease that is believed, in milliseconds.
const LEASE_MOST: i64 = 90 * Time::DAY;
/// Time for one request to a hub.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Redirects of a hub that are followed.
const REDIRECTS: usize = 3;
/// Deliveries that are read at once, of all sources.
const AT_ONCE: usize = 32;
/// Bytes of deliveries that wait to be read; beyond it hubs are asked to come back.
const WAITING: usize = 64 << 20;
/// A hub is told so often that its deliveries are not wanted any more, if it does not answer.
const FAREWELLS: u32 = 2;
/// How often leases are looked at.
pub const SWEEP: Duration = Duration::from_mins(1);
/// What a hub is sent.
const FORM: (HeaderName, HeaderValue) = (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));

/// Told what came of each delivery to us, in a word.
pub type Told = Arc<dyn Fn(&'static str) + Send + Sync>;

/// Has a source polled in so many milliseconds, if it is not due before.
pub type Bell = Arc<dyn Fn(SourceId, i64) + Send + Sync>;

/// Our side of all subscriptions.
pub struct Subscriber {
    poller: Arc<Poller>,
    store: Arc<Store>,
    settings: Arc<ArcSwap<Settings>>,
    clock: Clock,
    told: Told,
    bell: OnceLock<Bell>,
    runtime: Handle,
    /// Held while an entry is read and written.
    book: Mutex<()>,
    turns: Arc<Semaphore>,
    waiting: Mutex<usize>,
}

impl std::fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscriber").finish_non_exhaustive()
    }
}

impl Subscriber {
    /// Files by this poller; what is delivered is read on the runtime that this is called on.
    #[must_use]
    pub fn new(
        poller: Arc<Poller>,
        store: Arc<Store>,
        settings: Arc<ArcSwap<Settings>>,
        clock: Clock,
        told: Told,
    ) -> Arc<Self> {
        let (turns, runtime) = (Arc::new(Semaphore::new(AT_ONCE)), Handle::current());
        let (book, waiting, bell) = (Mutex::new(()), Mutex::new(0), OnceLock::new());
        Arc::new(Self { poller, store, settings, clock, told, bell, runtime, book, turns, waiting })
    }

    /// From now on what could not be taken from a delivery is polled by this schedule, before its turn; and at once what
    /// was delivered and not filed when citydesk ended.
    pub fn polls_by(&self, bell: Bell) {
        // There is one schedule.
        let _ = self.bell.set(bell);
        let missed: Vec<_> = match self.store.pushes() {
            Ok(all) => all.into_iter().filter(|(_, push)| push.stage == Stage::Active && push.missed).collect(),
            Err(_) => Vec::new(), // Told by every sweep.
        };
        let now = (self.clock)();
        for (id, _) in &missed {
            if let Some(source) = self.source(id) {
                self.poll(&source, pace::first(now, id, missed.len()).since(now));
            }
        }
    }

    /// Has a source asked in so many milliseconds; never twice within the shortest time between its polls.
    fn poll(&self, source: &Source, wait: i64) {
        let Some(bell) = self.bell.get() else { return };
        let asked = self.poller.book(source.id()).and_then(|book| book.last_asked);
        let spared = asked.map_or(0, |asked| asked.plus(source.every.0).since((self.clock)()));
        bell(source.id().clone(), wait.max(spared).max(0));
    }

    /// A round ended: the source may have named a hub, or shown news that its hub did not deliver.
    pub fn heard(self: &Arc<Self>, round: &Round) {
        if round.missed {
            self.change(&round.source, None, |push| {
                push.missed = true;
                "a poll found news that the hub did not deliver".clone_into(&mut push.trouble);
            });
        }
        let Offer { hub: Some(hub), topic: Some(topic) } = &round.offer else { return };
        let Some(source) = self.source(&round.source) else { return };
        let now = (self.clock)();
        let known = self.store.push(&round.source);
        let same = known.as_ref().is_some_and(|push| push.hub == *hub && push.topic == *topic);
        if same || !matches!(source.kind, Kind::Feed(_)) || !self.can_be_reached() {
            return;
        }
        if Url::parse(hub).is_err() || Url::parse(topic).is_err() {
            return;
        }
        let Some((token, secret)) = secrets() else { return };
        let push = Push {
            hub: hub.clone(),
            topic: topic.clone(),
            callback: self.callback(&round.source, &token),
            token,
            secret,
            stage: Stage::Asked,
            pending: None,
            since: None,
            renewed: None,
            until: None,
            last: None,
            deliveries: 0,
            missed: false,
            failures: 0,
            trouble: String::new(),
        };
        tracing::info!(source = %round.source, hub, "the source names a hub: subscribing");
        let _whole = self.whole();
        self.note(&round.source, Some(&Push { pending: Some(now), ..push.clone() }));
        self.runtime.spawn(Arc::clone(self).ask(round.source.clone(), push));
    }

    /// Renews what ends soon, asks again where nothing came back, and leaves where a source is not read any more. Blocking
    /// but for the requests.
    pub fn sweep(self: &Arc<Self>) {
        let now = (self.clock)();
        let all = match self.store.pushes() {
            Ok(all) => all,
            Err(error) => {
                tracing::warn!(%error, "subscriptions to hubs cannot be read: leases are not renewed");
                return;
            }
        };
        for (id, push) in all {
            let wanted = self.source(&id).is_some_and(|source| matches!(source.kind, Kind::Feed(_)));
            let leaving = push.stage == Stage::Leaving;
            // Wanted again, it is begun anew by the next poll; and a hub that does not answer to a farewell is left without.
            if leaving && (wanted || push.pending.is_none() || push.failures > FAREWELLS) {
                let _whole = self.whole();
                self.note(&id, None);
                continue;
            }
            let callback = self.callback(&id, &push.token);
            let due = push.is_due(now) || callback != push.callback || (!wanted && !leaving);
            if !due || (wanted && !self.can_be_reached()) {
                continue;
            }
            let mut asked = push;
            if !wanted && !leaving {
                (asked.stage, asked.failures) = (Stage::Leaving, 0);
            } else if asked.pending.is_some() {
                asked.failures = asked.failures.saturating_add(1);
                if asked.trouble.is_empty() {
                    "the hub did not come back to our request".clone_into(&mut asked.trouble);
                }
            }
            (asked.pending, asked.callback) = (Some(now), callback);
            {
                let _whole = self.whole();
                self.note(&id, Some(&asked));
            }
            self.runtime.spawn(Arc::clone(self).ask(id, asked));
        }
    }

    /// Sends one request to a hub, redirected or not.
    async fn ask(self: Arc<Self>, id: SourceId, push: Push) {
        let mode = if push.stage == Stage::Leaving { "unsubscribe" } else { "subscribe" };
        let form = {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("hub.mode", mode).append_pair("hub.topic", &push.topic);
            form.append_pair("hub.callback", &push.callback);
            if mode == "subscribe" {
                form.append_pair("hub.secret", &push.secret.0).append_pair("hub.lease_seconds", LEASE);
            }
            Bytes::from(form.finish())
        };
        let mut hub = push.hub.clone();
        let mut trouble = format!("the hub redirects more than {REDIRECTS} times");
        for _ in 0..=REDIRECTS {
            if !self.may_be_asked(&hub, &id) {
                trouble =
                    format!("{hub} is on a port of its own, and only 80 and 443 are asked where a document leads us");
                break;
            }
            let call = Call { url: &hub, body: Some(form.clone()), headers: &[FORM], timeout: TIMEOUT, keep: 300 };
            let said = match self.poller.fetcher().call(call).await {
                Ok(said) => said,
                Err(error) => {
                    trouble = error.to_string();
                    break;
                }
            };
            match said.status {
                200..=299 => {
                    tracing::debug!(source = %id, mode, "the hub took our request");
                    return;
                }
                301 | 302 | 307 | 308 => {
                    let next = said.location.and_then(|to| Url::parse(&hub).ok()?.join(&to).ok());
                    let Some(next) = next else {
                        trouble = format!("the hub answers {} without saying where to go", said.status);
                        break;
                    };
                    hub = next.into();
                }
                status => {
                    let text = String::from_utf8_lossy(&said.body);
                    let text: String = text.chars().filter(|c| !c.is_control()).take(120).collect();
                    trouble = format!("the hub answers {status} to our request: {text}");
                    break;
                }
            }
        }
        tracing::info!(source = %id, hub = push.hub, mode, trouble, "the hub did not take our request; it is asked again later");
        self.change(&id, Some(&push.token), |push| push.trouble = trouble);
    }

    /// Whether hubs can reach us: by public https, or by an address that `[fetch]` trusts.
    fn can_be_reached(&self) -> bool {
        let settings = self.settings.load();
        let public = settings.site.public_url.as_str();
        if websub::unreachable_by_all(public).is_none() {
            return true;
        }
        let host = Url::parse(public).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        self.is_trusted(&host)
    }

    /// Whether a host is an address that `[fetch] allow_private` names.
    fn is_trusted(&self, host: &str) -> bool {
        let settings = self.settings.load();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        address.is_ok_and(|at| settings.fetch.allow_private.iter().any(|network| network.contains(at)))
    }

    /// Whether a hub is at a port where hubs are: a document may lead us anywhere. As with redirects, the address of the
    /// source in feeds.toml opens its own port, and so does `[fetch] allow_private`.
    fn may_be_asked(&self, hub: &str, source: &SourceId) -> bool {
        let place = |url: &str| {
            let url = Url::parse(url).ok()?;
            Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
        };
        let Some((host, port)) = place(hub) else { return false };
        let own = || {
            let source = self.source(source);
            source.and_then(|source| place(source.kind.address())).is_some_and(|own| own == (host.clone(), port))
        };
        matches!(port, 80 | 443) || own() || self.is_trusted(&host)
    }

    fn callback(&self, source: &SourceId, token: &str) -> String {
        let settings = self.settings.load();
        format!("{}/websub/{source}/{token}", settings.site.public_url.trim_end_matches('/'))
    }

    fn source(&self, id: &SourceId) -> Option<Arc<Source>> {
        let settings = self.settings.load();
        settings.sources.iter().find(|source| source.id() == id).cloned()
    }

    fn whole(&self) -> MutexGuard<'_, ()> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, id: &SourceId, push: Option<&Push>) {
        if let Err(error) = self.store.note_push(id, push) {
            tracing::error!(source = %id, %error, "the poll book could not be written");
        }
    }

    /// Changes the entry of a source, if there is one (with this token).
    fn change(&self, id: &SourceId, token: Option<&str>, change: impl FnOnce(&mut Push)) -> Option<Push> {
        let _whole = self.whole();
        let mut push = self.store.push(id).filter(|push| token.is_none_or(|token| token == push.token))?;
        change(&mut push);
        self.note(id, Some(&push));
        Some(push)
    }

    fn known(&self, source: &str, token: &str) -> Option<(SourceId, Push)> {
        let id = SourceId::new(source)?;
        let push = self.store.push(&id)?;
        // Compared as hashes: how long it takes says nothing of where they differ.
        let hash = |text: &str| crate::model::id::hash128(&[text.as_bytes()]);
        (hash(&push.token) == hash(token)).then_some((id, push))
    }

    /// Files a delivery.
    async fn file(self: Arc<Self>, id: SourceId, push: Push, delivery: Delivery) {
        let bytes = delivery.body.len();
        let word = match self.source(&id) {
            None => "retired",
            Some(source) => {
                let _turn = self.turns.acquire().await;
                let sheet = Sheet { url: push.topic.clone(), body: delivery.body, content_type: delivery.content_type };
                let taken = self.poller.delivered(&source, sheet).await;
                let now = (self.clock)();
                let changed = self.change(&id, Some(&push.token), |push| match &taken {
                    Ok(_) => {
                        (push.last, push.missed) = (Some(now), false);
                        push.deliveries += 1;
                        push.trouble.clear();
                    }
                    Err(trouble) => {
                        // What cannot be read has to be polled, and is not met at a tenth of the pace.
                        push.missed = true;
                        push.trouble = format!("what the hub delivered could not be read: {trouble}");
                    }
                });
                match &taken {
                    Ok((_, Some(pause))) => self.poll(&source, *pause),
                    Ok((_, None)) => {}
                    Err(_) => self.poll(&source, 0),
                }
                match (taken, changed) {
                    (Ok((0, _)), _) => "nothing",
                    (Ok((filed, _)), _) => {
                        tracing::info!(source = %id, filed, "delivered by its hub");
                        "filed"
                    }
                    (Err(trouble), _) => {
                        tracing::warn!(source = %id, %trouble, "what the hub delivered could not be read");
                        "unreadable"
                    }
                }
            }
        };
        (self.told)(word);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = waiting.saturating_sub(bytes);
    }
}

/// A token and a secret that nobody can guess.
fn secrets() -> Option<(String, Secret)> {
    let (mut token, mut secret) = ([0; 16], [0; 32]);
    let random = SystemRandom::new();
    if random.fill(&mut token).is_err() || random.fill(&mut secret).is_err() {
        tracing::error!("the system gives no random numbers: no hub can be subscribed to");
        return None;
    }
    Some((crate::websub::intent::hex(&token), Secret(crate::websub::intent::hex(&secret))))
}

impl Mailbox for Subscriber {
    fn knows(&self, source: &str, token: &str) -> bool {
        self.known(source, token).is_some()
    }

    fn asked(&self, source: &str, token: &str, question: &Question) -> Option<String> {
        let (id, push) = self.known(source, token)?;
        let now = (self.clock)();
        match question {
            Question::Denied { topic, reason } => {
                if *topic != push.topic {
                    return None;
                }
                tracing::info!(source = %id, hub = push.hub, reason, "the hub refuses our subscription");
                self.change(&id, Some(token), |push| {
                    // Asked again, ever more seldom.
                    (push.stage, push.pending) = (Stage::Refused, Some(now));
                    push.failures = push.failures.saturating_add(4);
                    push.trouble = format!("the hub refuses our subscription: {reason}");
                });
                Some(String::new())
            }
            Question::Verify { leaving, topic, challenge, lease } => {
                if !push.expects(*leaving, topic, now) {
                    tracing::debug!(source = %id, "a verification that we did not ask for is refused");
                    return None;
                }
                if *leaving {
                    let _whole = self.whole();
                    self.note(&id, None);
                    return Some(challenge.clone());
                }
                let lease = lease.map_or(LEASE_USUAL, |seconds| seconds.saturating_mul(Time::SECOND));
                let until = now.plus(lease.clamp(Time::MINUTE, LEASE_MOST));
                self.change(&id, Some(token), |push| {
                    (push.stage, push.pending, push.failures) = (Stage::Active, None, 0);
                    (push.until, push.renewed) = (Some(until), Some(now));
                    push.since = push.since.or(Some(now));
                    push.trouble.clear();
                });
                tracing::info!(source = %id, hub = push.hub, until = %until.utc().to_rfc3339(), "the hub delivers its news");
                Some(challenge.clone())
            }
        }
    }

    fn take(self: Arc<Self>, source: &str, token: &str, delivery: Delivery) -> Taken {
        let Some((id, push)) = self.known(source, token) else { return Taken::Unknown };
        if push.stage != Stage::Active || push.until.is_none_or(|until| until <= (self.clock)()) {
            return Taken::Over;
        }
        if let Err(wrong) = signature::verify(delivery.signature.as_deref(), &push.secret, &delivery.body) {
            // Section 7.1: whoever sent it learns nothing from the answer.
            tracing::warn!(source = %id, "a delivery is dropped: {wrong}");
            self.change(&id, Some(token), |push| push.trouble = format!("a delivery was dropped: {wrong}"));
            (self.told)("unsigned");
            return Taken::Taken;
        }
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if *waiting + delivery.body.len() > WAITING {
                return Taken::Busy;
            }
            *waiting += delivery.body.len();
        }
        // Until it is filed: if citydesk ends before, the next start polls the source at once.
        self.change(&id, Some(token), |push| push.missed = true);
        let runtime = self.runtime.clone();
        runtime.spawn(self.file(id, push, delivery));
        Taken::Taken
    }
}

/// One at a time for each source: a round and a delivery both read and write its poll book.
#[derive(Debug, Default)]
pub struct Gates(Mutex<BTreeMap<SourceId, Arc<tokio::sync::Mutex<()>>>>);

impl Gates {
    /// Waits until nobody else is at this source.
    pub async fn enter(&self, source: &SourceId) -> tokio::sync::OwnedMutexGuard<()> {
        let gate = {
            let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Only this map holds it: nobody is inside or waits. A few at a time, so that none has to look at many.
            if gates.len() >= 512 {
                gates.retain(|_, gate| Arc::strong_count(gate) > 1);
            }
            Arc::clone(gates.entry(source.clone()).or_default())
        };
        gate.lock_owned().await
    }
}
