//! HTTP out: one guarded, capped, conditional request.
//!
//! [`Fetcher::get`] is all of it. The way of a request: secrets are put into the address ([`address`], `secret`), a slot
//! of the host is awaited (`slot`), robots.txt is obeyed where it must be ([`robots`]), the name is looked up (`lookup`)
//! and each address judged ([`guard`], `connect`), redirects are followed by hand, with the cookies of the chain
//! (`cookie`), and the body is unpacked under caps ([`unpack`]).

pub mod address;
pub mod call;
mod connect;
mod cookie;
mod error;
pub mod guard;
pub mod hint;
mod lookup;
mod proxy;
pub mod robots;
pub mod seat;
mod secret;
mod slot;
pub mod unpack;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::pem::PemObject;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;

use crate::clock::Clock;
use crate::model::book::Validators;
use crate::model::setting::{self, Site};
use crate::model::source::Secret;
use crate::model::time::Time;

use address::{Mask, Target};
use connect::{Connector, Contact, Dialer, HEAD_ALLOWANCE};
use cookie::Jar;
pub use error::{FetchError, Phase};
use guard::Guard;
use lookup::Names;
use proxy::Proxy;
use seat::Seat;
use slot::Slots;
use unpack::{Encoding, Trouble, Unpacker};

/// Redirects followed for one request.
pub const REDIRECTS: usize = 5;
/// Largest head of an answer over HTTP/1, and largest header list over HTTP/2, in bytes.
pub const HEAD_BYTES: usize = 64 * 1024;
/// Most lines in the head of an answer.
pub const HEAD_LINES: usize = 200;
/// `Link` headers of an answer that are looked at.
pub const LINKS: usize = 16;
/// Longest wait for the head of an answer, connecting included, unless the source's `timeout` is so long that five
/// sixths of it are longer: who raises it has a site that is slow to answer.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(25);
/// Most interim answers (1xx) before an answer: RFC 9110 section 15.2 sets no bound, and nobody sends more than two.
pub const INTERIM: usize = 16;
/// A body must come at so many bytes a second …
pub const RATE: u64 = 200;
/// … over each such span: a source may be slow, but not hold a place among those that are asked for nothing.
pub const WATCH: Duration = Duration::from_secs(15);
/// A body that brought nothing for so long has stalled: its seat is given up until more comes, and from then on whenever
/// nothing is there at once.
pub const LULL: Duration = Duration::from_millis(100);
/// A body beyond so many bytes is a large one …
pub const LARGE: usize = 2 << 20;
/// … of which so many are held at once, until they are read and let go of: what bounds the memory of bodies. Others wait,
/// each at the cost of its own time.
pub const LARGE_AT_ONCE: usize = 2;
/// How long an idle connection is kept for the next request to the same host.
const IDLE: Duration = Duration::from_secs(15);
/// While more connections than this are open, in use or idle, none is kept after its answer.
const KEPT: usize = 64;
/// Certificate authorities of single sources and proxies for which a client is kept.
const CLIENTS: usize = 64;

/// What we can unpack.
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("gzip, br, zstd, deflate");
/// What we would like, feeds before pages. Everything is accepted: many servers call a feed text/html.
const ACCEPT: HeaderValue = HeaderValue::from_static(
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, \
     application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.7, */*;q=0.5",
);

/// The name under which we ask: program, version, a page about us, and whom to write to.
#[must_use]
pub fn user_agent(site: &Site) -> String {
    let about = format!("+{}/about", site.public_url);
    let contact = site.contact.as_deref().map(|it| it.strip_prefix("mailto:").unwrap_or(it));
    let comment = contact.map_or_else(|| about.clone(), |contact| format!("{about}; {contact}"));
    format!("citydesk/{} ({comment})", env!("CARGO_PKG_VERSION"))
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Address as in feeds.toml, perhaps with `${NAME}`.
    pub url: &'a str,
    /// Further headers; they go to this host only.
    pub headers: &'a [(String, Secret)],
    /// Validators of the last answer: asks for changes only.
    pub validators: Option<&'a Validators>,
    /// For all of it, redirects included.
    pub timeout: Duration,
    /// Proxy of the source; `[fetch] proxy` if none.
    pub proxy: Option<&'a str>,
    /// File of the certificate authority that alone may vouch for this host. It vouches for no other one.
    pub ca: Option<&'a Path>,
    /// Form fields: makes it a POST.
    pub post: Option<&'a BTreeMap<String, String>>,
    /// Whether robots.txt counts.
    pub robots: Obedience,
    /// Given up while an answer is awaited, and while nothing comes of its body.
    pub seat: Option<&'a Seat>,
}

/// Whether robots.txt counts for a request.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Obedience {
    /// No: a feed is there to be fetched by programs.
    #[default]
    Free,
    /// Yes, on every hop.
    Obey,
    /// Yes, but where it has not been to be had for [`robots::GIVEN_UP`] there is none.
    Lapsed,
}

impl<'a> Ask<'a> {
    /// A plain GET.
    #[must_use]
    pub const fn new(url: &'a str, timeout: Duration) -> Self {
        Self {
            url,
            headers: &[],
            validators: None,
            timeout,
            proxy: None,
            ca: None,
            post: None,
            robots: Obedience::Free,
            seat: None,
        }
    }
}

/// One redirect on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// Where it led, secrets by name.
    pub to: String,
}

/// Where the time went, in milliseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// Looking up the name; 0 on a kept connection.
    pub dns: i64,
    /// Connecting; 0 on a kept connection.
    pub connect: i64,
    /// Agreeing on encryption; 0 on a kept connection.
    pub tls: i64,
    /// From the last hop's request to the head of its answer, connecting included.
    pub first_byte: i64,
    /// All of it, waiting for a slot included.
    pub whole: i64,
    /// Who answered.
    pub remote: Option<std::net::SocketAddr>,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Status of the last hop.
    pub status: u16,
    /// Address of the last hop, secrets by name: what relative links are resolved against.
    pub url: String,
    /// Redirects followed.
    pub hops: Vec<Hop>,
    /// 304 to a conditional request: what we have is still right.
    pub not_modified: bool,
    /// As sent with this answer, verbatim.
    pub validators: Validators,
    /// Unpacked and capped; empty unless the status is 2xx.
    pub body: Bytes,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// Milliseconds that it stays fresh by `Cache-Control` or `Expires`.
    pub fresh: Option<i64>,
    /// `Retry-After`, in milliseconds from now.
    pub retry_after: Option<i64>,
    /// `Date`.
    pub date: Option<Time>,
    /// `Link`, as sent, [`LINKS`] of them at most.
    pub links: Vec<String>,
    /// Bytes of the body on the wire.
    pub transferred: u64,
    /// Where the time went.
    pub timings: Timings,
}

/// A setting of `[fetch]` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The User-Agent cannot stand in a header.
    #[error("the User-Agent \"{0}\" cannot be sent: public_url and contact must be plain ASCII")]
    UserAgent(String),
    /// The proxy's address.
    #[error("the proxy cannot be used: {0}")]
    Proxy(String),
    /// TLS could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Boxed, since asking for rules is a request like any other, and those wait for rules.
type Asking<'a> = Pin<Box<dyn Future<Output = Result<(robots::Rules, i64), FetchError>> + Send + 'a>>;
type Way = (Option<PathBuf>, Option<String>);
type Http = Client<Connector, Full<Bytes>>;
type Made = (Http, Option<Arc<Proxy>>);

struct Shared {
    clock: Clock,
    user_agent: HeaderValue,
    body_max: u64,
    per_host: usize,
    guard: Arc<Guard>,
    proxy: Option<String>,
    slots: Slots,
    names: Arc<Names>,
    large: Arc<Semaphore>,
    robots: robots::Memory,
    /// Connections that are open now.
    open: Arc<AtomicUsize>,
    /// One client for each pair of certificate authority and proxy; most desks have one.
    clients: Mutex<BTreeMap<Way, Made>>,
}

/// Makes requests. Cheap to clone; clones share connections and slots.
#[derive(Clone)]
pub struct Fetcher(Arc<Shared>);

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("body_max", &self.0.body_max).finish_non_exhaustive()
    }
}

impl Fetcher {
    /// With these settings, under this name.
    ///
    /// # Errors
    /// [`Unusable`], if a setting makes every request impossible.
    pub fn new(settings: &setting::Fetch, user_agent: String, clock: Clock) -> Result<Self, Unusable> {
        let name = HeaderValue::from_str(&user_agent).map_err(|_| Unusable::UserAgent(user_agent))?;
        let fetcher = Self(Arc::new(Shared {
            clock,
            user_agent: name,
            body_max: settings.body_max,
            per_host: settings.per_host.max(1) as usize,
            guard: Arc::new(Guard::new(&settings.allow_private)),
            proxy: settings.proxy.clone().filter(|proxy| !proxy.is_empty()),
            slots: Slots::new(settings.per_host),
            names: Arc::new(Names::new()),
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
            robots: robots::Memory::default(),
            open: Arc::default(),
            clients: Mutex::new(BTreeMap::new()),
        }));
        let made = fetcher.make(None, fetcher.0.proxy.as_deref()).map_err(|error| match error {
            FetchError::Address { why, .. } => Unusable::Proxy(why),
            other => Unusable::Tls(other.to_string()),
        })?;
        let way = (None, fetcher.0.proxy.clone());
        fetcher.0.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(way, made);
        Ok(fetcher)
    }

    /// Makes one request.
    ///
    /// # Errors
    /// [`FetchError`], if there is no whole answer. A bad status is an answer.
    pub async fn get(&self, ask: Ask<'_>) -> Result<Answer, FetchError> {
        self.request(ask, None).await
    }

    /// Makes one request. With `enough`, so many bytes of the body do, and the rest is left.
    async fn request(&self, ask: Ask<'_>, enough: Option<u64>) -> Result<Answer, FetchError> {
        let started = (self.0.clock)();
        if let Some(seat) = ask.seat {
            seat.leave();
        }
        let (address, mask) = address::expand(ask.url)?;
        let target = Target::read(&address)
            .map_err(|why| FetchError::Address { address: ask.url.to_owned(), why: mask.hide(&why) })?;
        let mut own = HeaderMap::new();
        for (name, value) in ask.headers {
            let wrong = |why: &str| FetchError::Secret { name: name.clone(), why: why.to_owned() };
            let value = secret::resolve(value).await?;
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("this is no name of a header"))?;
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| wrong("its value cannot stand in a header: one line of text"))?;
            value.set_sensitive(true);
            own.append(header, value);
        }
        let mut permit = None;
        self.admit(&ask, &target, &mut permit).await?;
        let host = target.host().to_owned();
        // Boxed, as what follows is large and rarely all of it is needed: it is moved with every step outside.
        let travel = Box::pin(self.travel(&ask, target, own, &mask, permit, enough));
        let mut answer = timeout(ask.timeout, travel).await.unwrap_or_else(|_| {
            Err(FetchError::Timeout { host, phase: Phase::Whole, seconds: ask.timeout.as_secs() })
        })?;
        answer.timings.whole = (self.0.clock)().since(started);
        Ok(answer)
    }

    /// Whether robots.txt lets us read an address; for what was asked for by hand and would be polled later.
    ///
    /// # Errors
    /// [`FetchError::Forbidden`] with the rule; whatever keeps its robots.txt from us.
    pub async fn may_read(&self, ask: Ask<'_>) -> Result<(), FetchError> {
        let (address, mask) = address::expand(ask.url)?;
        let target = Target::read(&address)
            .map_err(|why| FetchError::Address { address: ask.url.to_owned(), why: mask.hide(&why) })?;
        let host = self.0.robots.host(&target.url);
        self.rules(&ask, &target, &host).await.map(|_| ())
    }

    /// Waits until a host may be asked: its rules are known and allow it, and one of its slots is free. A slot that is held
    /// already is kept, unless the rules have to be asked for first.
    async fn admit(
        &self,
        ask: &Ask<'_>,
        target: &Target,
        permit: &mut Option<OwnedSemaphorePermit>,
    ) -> Result<(), FetchError> {
        if ask.robots == Obedience::Free {
            if permit.is_none() {
                *permit = self.0.slots.take(target.host()).await;
            }
            return Ok(());
        }
        let host = self.0.robots.host(&target.url);
        let now = (self.0.clock)();
        let known = host.known.try_lock().is_ok_and(|known| known.as_ref().is_some_and(|it| it.fresh(now)));
        if !known {
            drop(permit.take());
        }
        let rules = self.rules(ask, target, &host).await?;
        if permit.is_none() {
            *permit = self.0.slots.take(target.host()).await;
        }
        let delay = rules.delay();
        let last = *host.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.filter(|_| !delay.is_zero()) {
            let gone = Duration::from_millis((self.0.clock)().since(last).max(0).unsigned_abs());
            sleep(delay.saturating_sub(gone)).await;
        }
        *host.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((self.0.clock)());
        Ok(())
    }

    /// The rules of a host, if they allow this address.
    async fn rules(
        &self,
        ask: &Ask<'_>,
        target: &Target,
        host: &robots::Host,
    ) -> Result<Arc<robots::Rules>, FetchError> {
        let mut known = host.known.lock().await;
        let now = (self.0.clock)();
        if known.as_ref().is_none_or(|known| !known.fresh(now)) {
            let (rules, life) = self.ask_rules(ask, target).await?;
            // What was allowed yesterday still is while it cannot be asked for anew (RFC 9309 section 2.4).
            let former = known.take().filter(|_| rules.unreachable().is_some()).map(|known| known.rules);
            let rules = former.unwrap_or_else(|| Arc::new(rules));
            *known = Some(robots::Known { rules, at: now, life });
        }
        let rules = known.as_ref().map_or_else(|| Arc::new(robots::Rules::none()), |known| Arc::clone(&known.rules));
        drop(known);
        let host = target.host().to_owned();
        if let Some(why) = rules.unreachable() {
            if ask.robots == Obedience::Lapsed {
                return Ok(rules);
            }
            let (why, days) = (why.to_owned(), robots::GIVEN_UP / Time::DAY);
            return Err(FetchError::Rules { host, why, days });
        }
        if let Some(rule) = rules.forbids(&target.url) {
            let path = target.url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
            return Err(FetchError::Forbidden { host, path: shortened(&path), rule });
        }
        Ok(rules)
    }

    /// Asks a host for its robots.txt. What would keep us from the page as well is an error; all else is a rule.
    fn ask_rules<'a>(&'a self, ask: &'a Ask<'_>, target: &'a Target) -> Asking<'a> {
        Box::pin(async move { self.ask_rules_now(ask, target).await })
    }

    async fn ask_rules_now(&self, ask: &Ask<'_>, target: &Target) -> Result<(robots::Rules, i64), FetchError> {
        let url = target.url.join("/robots.txt").map_or_else(|_| target.url.to_string(), String::from);
        // `${NAME}` stands for a secret in feeds.toml, and nowhere else.
        let url = url.replace("${", "$%7B");
        let asked =
            Ask { proxy: ask.proxy, ca: ask.ca, seat: ask.seat, ..Ask::new(&url, robots::TIMEOUT.min(ask.timeout)) };
        let missing = |why: String| Ok((robots::Rules::missing(why), robots::UNREACHABLE_LIFE));
        match self.request(asked, Some(robots::LONGEST)).await {
            Ok(answer) => match answer.status {
                200..=299 => {
                    let life = answer.fresh.map_or(robots::LIFE, |it| it.clamp(robots::LEAST_LIFE, robots::LIFE));
                    Ok((robots::Rules::read(&answer.body), life))
                }
                // RFC 9309 section 2.3.1.3; a 3xx that leads nowhere among them.
                300..=499 => Ok((robots::Rules::none(), robots::LIFE)),
                status => missing(format!("its robots.txt is answered with {status}")),
            },
            Err(FetchError::Redirects { .. } | FetchError::Loop { .. } | FetchError::Nowhere { .. }) => {
                Ok((robots::Rules::none(), robots::LIFE))
            }
            Err(
                error @ (FetchError::Dns { .. }
                | FetchError::Refused { .. }
                | FetchError::Connect { .. }
                | FetchError::Tls { .. }
                | FetchError::Proxy { .. }
                | FetchError::Secret { .. }
                | FetchError::Timeout { phase: Phase::Dns | Phase::Connect | Phase::Tls, .. }),
            ) => Err(error),
            Err(error) => missing(format!("of its robots.txt: {error}")),
        }
    }

    async fn travel(
        &self,
        ask: &Ask<'_>,
        first: Target,
        own: HeaderMap,
        mask: &Mask,
        mut permit: Option<OwnedSemaphorePermit>,
        enough: Option<u64>,
    ) -> Result<Answer, FetchError> {
        let form =
            ask.post.map(|fields| url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish());
        let mut posting = form.is_some();
        let mut trusted = true;
        let mut again = true;
        let first = Arc::new(first);
        let mut target = Arc::clone(&first);
        let mut hops = Vec::new();
        let mut jar = Jar::default();
        let mut seen = BTreeSet::new();
        loop {
            let at_home = target.host() == first.host();
            let (client, proxy) = self.client(ask.ca.filter(|_| at_home), ask.proxy)?;
            let body = if posting { form.clone().unwrap_or_default() } else { String::new() };
            let mut request = Request::new(Full::new(Bytes::from(body)));
            *request.method_mut() = if posting { Method::POST } else { Method::GET };
            *request.uri_mut() = target.uri.clone();
            self.dress(request.headers_mut(), ask, &target, trusted.then_some(&own), posting);
            bring(request.headers_mut(), jar.bring(&target));
            if let Some(credentials) = proxy.filter(|_| target.url.scheme() == "http").and_then(|it| it.credentials())
                && let Ok(value) = HeaderValue::from_str(&credentials)
            {
                request.headers_mut().insert(header::PROXY_AUTHORIZATION, value);
            }
            if let Some(seat) = ask.seat {
                seat.leave();
            }
            let asked = (self.0.clock)();
            let mut use_of = Use::new(&mut request);
            let patience = HEAD_TIMEOUT.max(ask.timeout * 5 / 6);
            let response = match timeout(patience, answered(&client, request, &mut use_of)).await {
                Ok(Answered::Head(response)) => response,
                Ok(Answered::Error(_)) if use_of.flooded() => {
                    let (host, most) = (target.host().to_owned(), HEAD_ALLOWANCE.unsigned_abs());
                    return Err(FetchError::Flood { host, most });
                }
                Ok(Answered::Error(error)) => {
                    let error = told(target.host(), &error);
                    // A kept connection that the server closed just now says nothing of the server (RFC 9110 section 9.2.2).
                    if again && !posting && matches!(error, FetchError::Cut { .. }) && use_of.kept() {
                        again = false;
                        continue;
                    }
                    return Err(error);
                }
                Ok(Answered::Interim) => {
                    return Err(FetchError::Interim { host: target.host().to_owned(), most: INTERIM });
                }
                Err(_) => {
                    let (host, seconds) = (target.host().to_owned(), patience.as_secs());
                    return Err(FetchError::Timeout { host, phase: Phase::FirstByte, seconds });
                }
            };
            let first_byte = (self.0.clock)().since(asked);
            if response.headers().len() > HEAD_LINES {
                let host = target.host().to_owned();
                return Err(FetchError::Head { host, most: HEAD_BYTES, count: HEAD_LINES });
            }
            if self.0.open.load(Ordering::Relaxed) > KEPT {
                use_of.poison();
            }
            let status = response.status();
            if !is_redirect(status) {
                if let Some(seat) = ask.seat {
                    seat.take().await;
                }
                use_of.allow(body_allowance(self.0.body_max));
                let (head, body) = response.into_parts();
                let answer = self.heard(&head, ask.validators.is_some());
                let received = if status.is_success() {
                    Box::pin(self.receive(answer, &head.headers, body, &target, enough, ask.seat)).await
                } else {
                    Ok(answer)
                };
                if received.is_err() && use_of.flooded() {
                    let (host, most) = (target.host().to_owned(), body_allowance(self.0.body_max).unsigned_abs());
                    return Err(FetchError::Flood { host, most });
                }
                let mut answer = received?;
                use_of.fine();
                answer.url = mask.hide(target.url.as_str());
                answer.hops = hops;
                answer.timings.first_byte = first_byte;
                return Ok(answer);
            }
            if let Some(contact) = response.extensions().get::<Arc<Contact>>() {
                contact.used.store(true, Ordering::Relaxed);
            }
            let at = mask.hide(target.url.as_str());
            let nowhere = |why: String| FetchError::Nowhere { at: at.clone(), status: status.as_u16(), why };
            let location = response.headers().get(header::LOCATION);
            let location = location.ok_or_else(|| nowhere("there is no Location".to_owned()))?;
            let next = target.follow(&readable(location.as_bytes())).map_err(|why| nowhere(mask.hide(&why)))?;
            // RFC 9110 sections 15.4.2 to 15.4.4: what was posted is not posted again, except where the status says so.
            if posting && !matches!(status.as_u16(), 307 | 308) {
                posting = false;
            }
            trusted = trusted && first.trusts(&next);
            if posting && !trusted {
                return Err(nowhere("it wants the form sent to another host; write that address".to_owned()));
            }
            jar.take(response.headers(), &target);
            use_of.fine();
            drop((response, use_of));
            let to = mask.hide(next.url.as_str());
            hops.push(Hop { status: status.as_u16(), to: to.clone() });
            if hops.len() == 1 {
                seen.insert((first.uri.to_string(), None));
            }
            // The same address with another cookie is another request.
            if !seen.insert((next.uri.to_string(), jar.bring(&next).map(|it| it.as_bytes().to_vec()))) {
                return Err(FetchError::Loop { at: to });
            }
            if hops.len() > REDIRECTS {
                return Err(FetchError::Redirects { most: REDIRECTS, at: to });
            }
            let open = next.host() == first.host() && next.port() == first.port();
            if !open && !matches!(next.port(), 80 | 443) {
                return Err(FetchError::Port { host: next.host().to_owned(), port: next.port() });
            }
            if next.host() != target.host() {
                drop(permit.take());
            }
            self.admit(ask, &next, &mut permit).await?;
            target = Arc::new(next);
        }
    }

    fn dress(&self, head: &mut HeaderMap, ask: &Ask<'_>, target: &Target, own: Option<&HeaderMap>, posting: bool) {
        head.insert(header::USER_AGENT, self.0.user_agent.clone());
        head.insert(header::ACCEPT, ACCEPT);
        head.insert(header::ACCEPT_ENCODING, ACCEPT_ENCODING);
        if posting {
            head.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        let (etag, modified) = ask.validators.map_or((None, None), |it| (it.etag.as_ref(), it.last_modified.as_ref()));
        for (name, value) in [(header::IF_NONE_MATCH, etag), (header::IF_MODIFIED_SINCE, modified)] {
            // A validator that cannot be sent back verbatim is not sent at all.
            if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
                head.insert(name, value);
            }
        }
        if let Some(own) = own {
            if let Some(login) = &target.login
                && let Ok(mut value) = HeaderValue::from_str(&format!("Basic {}", base64(login.as_bytes())))
            {
                value.set_sensitive(true);
                head.insert(header::AUTHORIZATION, value);
            }
            for name in own.keys() {
                head.remove(name);
            }
            for (name, value) in own {
                head.append(name.clone(), value.clone());
            }
        }
    }

    /// What the head of an answer says.
    fn heard(&self, head: &http::response::Parts, conditional: bool) -> Answer {
        let now = (self.0.clock)();
        let text = |name: HeaderName| {
            head.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let mut answer = Answer {
            status: head.status.as_u16(),
            not_modified: conditional && head.status == StatusCode::NOT_MODIFIED,
            validators: Validators { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) },
            content_type: text(header::CONTENT_TYPE),
            fresh: hint::fresh(&head.headers, now),
            retry_after: hint::retry_after(&head.headers, now),
            date: hint::stated(&head.headers),
            links: head
                .headers
                .get_all(header::LINK)
                .iter()
                .take(LINKS)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect(),
            ..Answer::default()
        };
        if let Some(contact) = head.extensions.get::<Arc<Contact>>() {
            answer.timings.remote = contact.remote;
            if !contact.used.swap(true, Ordering::Relaxed) {
                answer.timings.dns = contact.dns.load(Ordering::Relaxed);
                answer.timings.connect = contact.connect.load(Ordering::Relaxed);
                answer.timings.tls = contact.tls.load(Ordering::Relaxed);
            }
        }
        answer
    }

    async fn receive(
        &self,
        mut answer: Answer,
        head: &HeaderMap,
        mut body: Incoming,
        target: &Target,
        enough: Option<u64>,
        seat: Option<&Seat>,
    ) -> Result<Answer, FetchError> {
        let host = target.host().to_owned();
        let packed = head
            .get_all(header::CONTENT_ENCODING)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect::<Vec<_>>()
            .join(",");
        let Some(encoding) = Encoding::read(&packed) else {
            return Err(FetchError::Encoding { host, encoding: packed });
        };
        let most = enough.unwrap_or(self.0.body_max);
        let length = head.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if enough.is_none() && length.is_some_and(|length| length > most) {
            return Err(FetchError::TooLarge { host, most });
        }
        let mut unpacker = Unpacker::new(encoding, most);
        let trouble = |trouble: Trouble| match trouble {
            Trouble::TooLarge => FetchError::TooLarge { host: host.clone(), most },
            Trouble::Bomb => FetchError::Bomb { host: host.clone(), ratio: unpack::RATIO },
            Trouble::Broken(why) => FetchError::Unpack { host: host.clone(), why },
        };
        let watch = sleep(WATCH);
        tokio::pin!(watch);
        let mut watched = 0;
        let mut place = None;
        let mut patience = LULL;
        let lull = sleep(patience);
        tokio::pin!(lull);
        let mut paused = false;
        loop {
            let frame = tokio::select! {
                biased;
                () = &mut watch => {
                    if answer.transferred - watched < RATE * WATCH.as_secs() {
                        return Err(FetchError::Slow { host, least: RATE, seconds: WATCH.as_secs() });
                    }
                    watched = answer.transferred;
                    watch.set(sleep(WATCH));
                    continue;
                }
                frame = body.frame() => frame,
                // Who has a place keeps its seat: those who wait for a place may have all the others.
                () = &mut lull, if !paused && seat.is_some() && place.is_none() => {
                    paused = seat.is_some_and(|seat| seat.pause(unpacker.weight()));
                    patience = if paused { Duration::ZERO } else { LULL };
                    lull.as_mut().reset(Instant::now() + patience);
                    continue;
                }
            };
            if let Some(seat) = seat {
                if paused {
                    // The wait for a seat is ours, not the server's.
                    let waiting = Instant::now();
                    seat.take().await;
                    let end = watch.deadline();
                    watch.as_mut().reset(end + waiting.elapsed());
                    paused = false;
                }
                lull.as_mut().reset(Instant::now() + patience);
            }
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|error| FetchError::Cut { host: host.clone(), why: chain(&error) })?;
            if let Some(data) = frame.data_ref() {
                answer.transferred += data.len() as u64;
                match unpacker.push(data) {
                    Err(Trouble::TooLarge) if enough.is_some() => {
                        answer.body = Bytes::from(unpacker.so_far());
                        return Ok(answer);
                    }
                    pushed => pushed.map_err(trouble)?,
                }
                if place.is_none() && unpacker.unpacked() > LARGE {
                    place = Arc::clone(&self.0.large).acquire_owned().await.ok();
                    watched = answer.transferred;
                    watch.set(sleep(WATCH));
                }
            }
        }
        let body = unpacker.finish().map_err(trouble)?;
        answer.body = match place {
            Some(place) => Bytes::from_owner(Large { body, _place: place }),
            None => Bytes::from(body),
        };
        Ok(answer)
    }

    fn client(&self, ca: Option<&Path>, proxy: Option<&str>) -> Result<Made, FetchError> {
        let proxy = proxy.filter(|proxy| !proxy.is_empty()).or(self.0.proxy.as_deref());
        let way = (ca.map(Path::to_path_buf), proxy.map(str::to_owned));
        let known = |way| self.0.clients.lock().unwrap_or_else(PoisonError::into_inner).get(way).cloned();
        if let Some(made) = known(&way) {
            return Ok(made);
        }
        let made = self.make(ca, proxy)?;
        let mut clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= CLIENTS {
            // Those in use go on; whoever comes back makes a new one.
            clients.clear();
        }
        clients.insert(way, made.clone());
        Ok(made)
    }

    fn dialer(&self, proxy: Option<Arc<Proxy>>) -> Dialer {
        Dialer {
            guard: Arc::clone(&self.0.guard),
            names: Arc::clone(&self.0.names),
            clock: Arc::clone(&self.0.clock),
            proxy,
            open: Arc::clone(&self.0.open),
        }
    }

    fn make(&self, ca: Option<&Path>, proxy: Option<&str>) -> Result<Made, FetchError> {
        let proxy = proxy
            .map(|written| {
                let (expanded, mask) = address::expand(written)?;
                let wrong =
                    |why: String| FetchError::Address { address: "of the proxy".to_owned(), why: mask.hide(&why) };
                Proxy::read(&expanded).map_err(wrong)
            })
            .transpose()?
            .map(Arc::new);
        let tls = encryption(ca)?;
        let connector = Connector { dialer: self.dialer(proxy.clone()), tls: TlsConnector::from(Arc::new(tls)) };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(self.0.per_host)
            .http1_max_buf_size(HEAD_BYTES)
            .http1_max_headers(HEAD_LINES)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
            .http2_max_header_list_size(HEAD_BYTES as u32)
            .build(connector);
        Ok((client, proxy))
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// A path for a message.
fn shortened(path: &str) -> String {
    const LONGEST: usize = 200;
    let mut out: String = path.chars().take(LONGEST).collect();
    if out.len() < path.len() {
        out.push('…');
    }
    out
}

/// Bytes that may come on a connection for the sake of a body, with all its wrapping: pieces may be small, but not all of
/// one byte.
fn body_allowance(body_max: u64) -> i64 {
    i64::try_from(body_max.saturating_mul(2)).unwrap_or(i64::MAX / 2).saturating_add(HEAD_ALLOWANCE)
}

/// `Location` as text: bytes in another character set than UTF-8 are meant as they stand.
fn readable(location: &[u8]) -> String {
    std::str::from_utf8(location).map_or_else(
        |_| {
            let escaped =
                |byte: &u8| if byte.is_ascii() { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
            location.iter().map(escaped).collect()
        },
        str::to_owned,
    )
}

/// Adds the cookies of the chain to what the operator may have written.
fn bring(head: &mut HeaderMap, cookies: Option<HeaderValue>) {
    let Some(cookies) = cookies else { return };
    let joined = head.get(header::COOKIE).map(|own| [own.as_bytes(), b"; ", cookies.as_bytes()].concat());
    let value = joined.and_then(|joined| HeaderValue::from_bytes(&joined).ok()).unwrap_or(cookies);
    head.insert(header::COOKIE, value);
}

/// A large body, with its place among those that are held at once.
struct Large {
    body: Vec<u8>,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// The use of a connection by one request. Unless it ends well, the connection is not kept: with HTTP/2 the next request
/// would land on one that hangs.
struct Use {
    captured: CaptureConnection,
    contact: Option<Arc<Contact>>,
    interim: Arc<Notify>,
    well: bool,
}

impl Use {
    fn new(request: &mut Request<Full<Bytes>>) -> Self {
        let interim = Arc::new(Notify::new());
        let (told, count) = (Arc::clone(&interim), AtomicUsize::new(0));
        hyper::ext::on_informational(request, move |_| {
            if count.fetch_add(1, Ordering::Relaxed) >= INTERIM {
                told.notify_one();
            }
        });
        Self { captured: capture_connection(request), contact: None, interim, well: false }
    }

    /// The connection was chosen.
    async fn begin(&mut self) {
        let mut extras = http::Extensions::new();
        if let Some(connected) = self.captured.wait_for_connection_metadata().await.as_ref() {
            connected.get_extras(&mut extras);
        }
        self.contact = extras.get::<Arc<Contact>>().cloned();
        if let Some(contact) = &self.contact
            && contact.users.fetch_add(1, Ordering::Relaxed) == 0
        {
            contact.allowance.store(HEAD_ALLOWANCE, Ordering::Relaxed);
        }
    }

    /// From now on so many bytes may come, on top of what others on the same connection are allowed.
    fn allow(&self, bytes: i64) {
        if let Some(contact) = &self.contact {
            contact.allowance.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Whether more bytes came than were allowed.
    fn flooded(&self) -> bool {
        self.contact.as_ref().is_some_and(|contact| contact.flooded.load(Ordering::Relaxed))
    }

    /// Whether an earlier request has used the connection.
    fn kept(&self) -> bool {
        self.contact.as_ref().is_some_and(|contact| contact.used.load(Ordering::Relaxed))
    }

    fn poison(&self) {
        if let Some(connected) = self.captured.connection_metadata().as_ref() {
            connected.poison();
        }
    }

    fn fine(&mut self) {
        self.well = true;
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        if !self.well {
            self.poison();
        }
        if let Some(contact) = &self.contact {
            contact.users.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

enum Answered {
    Head(Response<Incoming>),
    Error(hyper_util::client::legacy::Error),
    /// More than [`INTERIM`] interim answers.
    Interim,
}

/// The head of the answer.
async fn answered(client: &Http, request: Request<Full<Bytes>>, use_of: &mut Use) -> Answered {
    let interim = Arc::clone(&use_of.interim);
    let answer = client.request(request);
    tokio::pin!(answer);
    let mut begun = false;
    loop {
        let result = tokio::select! {
            biased;
            () = interim.notified() => return Answered::Interim,
            () = use_of.begin(), if !begun => {
                begun = true;
                continue;
            }
            result = &mut answer => result,
        };
        if !begun && use_of.captured.connection_metadata().is_some() {
            // An answer may be there in the same moment as its connection.
            use_of.begin().await;
        }
        return result.map_or_else(Answered::Error, Answered::Head);
    }
}

/// TLS with the certificate authorities of the web, or with the one that the source names and no other.
fn encryption(ca: Option<&Path>) -> Result<rustls::ClientConfig, FetchError> {
    let wrong = |why: String| FetchError::Tls { host: "a host".to_owned(), why };
    let mut roots = rustls::RootCertStore::empty();
    if let Some(ca) = ca {
        let unreadable = |why: String| FetchError::Secret { name: ca.display().to_string(), why };
        let certificates = rustls::pki_types::CertificateDer::pem_file_iter(ca)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unreadable(error.to_string()))?;
        if certificates.is_empty() {
            return Err(unreadable("there is no certificate in it (PEM)".to_owned()));
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        }
    } else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The client's error as one of ours.
fn told(host: &str, error: &hyper_util::client::legacy::Error) -> FetchError {
    let host = host.to_owned();
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(ours) = cause.downcast_ref::<FetchError>() {
            return ours.clone();
        }
        if let Some(theirs) = cause.downcast_ref::<hyper::Error>() {
            return if theirs.is_parse_too_large() {
                FetchError::Head { host, most: HEAD_BYTES, count: HEAD_LINES }
            } else if theirs.is_incomplete_message() || theirs.is_closed() || theirs.is_canceled() {
                FetchError::Cut { host, why: chain(theirs) }
            } else {
                FetchError::Protocol { host, why: chain(theirs) }
            };
        }
        next = cause.source();
    }
    FetchError::Cut { host, why: chain(error) }
}

/// An error and its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// Base 64 (RFC 4648 section 4), for Basic authentication.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..group.len()].copy_from_slice(group);
        let number = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= group.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_64_as_in_the_rfc() {
        for (plain, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn we_say_who_we_are() {
        let mut site = Site {
            title: String::new(),
            language: "zh-CN".to_owned(),
            public_url: "https://news.example.org".to_owned(),
            contact: Some("mailto:desk@example.org".to_owned()),
            zone: "Asia/Shanghai".to_owned(),
        };
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!("citydesk/{version} (+https://news.example.org/about; desk@example.org)");
        assert_eq!(user_agent(&site), expected);
        site.contact = None;
        assert_eq!(user_agent(&site), format!("citydesk/{version} (+https://news.example.org/about)"));
    }
}
