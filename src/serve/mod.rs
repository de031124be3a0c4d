//! HTTP in: accept, route, reply; pages for people.
//!
//! The way of a request: [`listen`] accepts it, [`Front::answer`] looks at its path. A feed ([`address`], [`feeds`]) is
//! answered before anything else is looked at; then the small fixed addresses ([`health`], [`metrics`], [`outline`]); then
//! the pages ([`pages`]). [`conditional`] and [`encoding`] decide how much of an answer is sent.

pub mod account;
pub mod address;
pub mod allowance;
pub mod api;
pub mod callback;
pub mod caller;
pub mod conditional;
pub mod directory;
pub mod encoding;
pub mod feeds;
pub mod health;
pub mod hub;
pub mod intake;
pub mod link;
pub mod listen;
pub mod lookup;
pub mod metrics;
pub mod moment;
pub mod outline;
pub mod pages;
mod parts;
mod patience;
pub mod reason;
pub mod reply;
mod route;
pub mod searching;
mod seat;
#[cfg(test)]
mod tests;
pub mod visitor;
pub mod words;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use http::header::{CACHE_CONTROL, HeaderName, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::model::id::Guid;
use crate::model::setting::Settings;
use crate::model::story::Story;
use crate::place::Gazetteer;
use crate::press::Press;
use crate::search::Search;
use crate::store::Store;
use crate::websub::Door;
use crate::websub::mailbox::Mailbox;
use account::{Account, Neighbours};
use allowance::Allowance;
use directory::Kept;
use health::Status;
use metrics::Metrics;
use pages::Desk;
use reply::{Dropped, Reply, Unmade};

/// Longest path and query, in bytes; 414 beyond it. A tag of 64 Chinese characters takes 576.
const LONGEST: usize = 4_096;
/// Every answer has a number of its own, which stands in the log too.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What answers are made from.
pub struct Front {
    /// Prints feeds.
    pub press: Arc<Press>,
    /// The store, read only.
    pub store: Arc<Store>,
    /// feeds.toml as it is in force.
    pub settings: Arc<ArcSwap<Settings>>,
    /// The gazetteer in force.
    pub gazetteer: Arc<ArcSwap<Gazetteer>>,
    /// For headers and pages; never for what a feed says.
    pub clock: Clock,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Whether we are ready, and what is wrong.
    pub status: Arc<Status>,
    neighbours: Neighbours,
    /// Where requests to our hub are handed in.
    door: Option<Door>,
    /// Who answers at our callbacks.
    mailbox: Option<Arc<dyn Mailbox>>,
    /// Searches in the archive; without it there is no search.
    search: Option<Arc<Search>>,
    /// How many more searches each address may have.
    allowance: Allowance,
    /// Turns to search.
    searches: Arc<Semaphore>,
    directory: Kept,
    /// Requests so far, and the second in which we began: together they name a request.
    asked: AtomicU64,
    began: i64,
    /// Whether answers become files: then nothing leads to an address that needs a program behind it.
    fixed: bool,
}

/// Serves until `shutdown` is over, then lets running answers end.
pub async fn run(listener: TcpListener, front: Arc<Front>, shutdown: impl Future<Output = ()>) {
    let limits = listen::Limits::for_this_process(front.settings.load().server.trusted_proxies.clone());
    let handler = move |request, address| {
        let front = Arc::clone(&front);
        async move {
            let request = intake::take(&front, request).await;
            front.answer(&request, address).await
        }
    };
    listen::run(listener, limits, handler, shutdown).await;
}

/// What of a request is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path without the prefix of `public_url`, percent-encoded as it came.
    pub path: &'a str,
    /// What stands behind the question mark.
    pub query: Option<&'a str>,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// Whose request it is.
    pub caller: IpAddr,
}

/// A page and its status.
#[derive(Debug)]
struct Shown {
    status: StatusCode,
    html: String,
}

impl Front {
    /// Puts together what answers are made from.
    #[must_use]
    pub fn new(
        press: Arc<Press>,
        store: Arc<Store>,
        settings: Arc<ArcSwap<Settings>>,
        gazetteer: Arc<ArcSwap<Gazetteer>>,
        clock: Clock,
        metrics: Arc<Metrics>,
        status: Arc<Status>,
    ) -> Self {
        let neighbours: Neighbours = Arc::new(|_| Vec::new());
        let began = clock().seconds();
        Self {
            asked: AtomicU64::new(0),
            began,
            press,
            store,
            settings,
            gazetteer,
            clock,
            metrics,
            status,
            neighbours,
            door: None,
            mailbox: None,
            search: None,
            allowance: Allowance::default(),
            searches: Arc::new(Semaphore::new(searching::AT_ONCE)),
            directory: Kept::default(),
            fixed: false,
        }
    }

    /// For answers that become files.
    #[must_use]
    pub fn fixed(self) -> Self {
        Self { fixed: true, ..self }
    }

    /// With somebody who tells what came near a story; without, its page says nothing of it.
    #[must_use]
    pub fn with_neighbours(self, neighbours: Neighbours) -> Self {
        Self { neighbours, ..self }
    }

    /// With a hub; without, `/hub` says that there is none.
    #[must_use]
    pub fn with_hub(self, door: Door) -> Self {
        Self { door: Some(door), ..self }
    }

    /// With callbacks for the hubs of sources; without, nothing stands there.
    #[must_use]
    pub fn with_mailbox(self, mailbox: Arc<dyn Mailbox>) -> Self {
        Self { mailbox: Some(mailbox), ..self }
    }

    /// With somebody who searches; without, there is no search.
    #[must_use]
    pub fn with_search(self, search: Arc<Search>) -> Self {
        Self { search: Some(search), ..self }
    }

    /// A story and what is known of it. Texts are read and compared without holding the store.
    async fn account(self: &Arc<Self>, guid: Guid) -> Result<Option<(Story, Account)>, Unmade> {
        let front = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let Some(story) = front.store.view().by_guid(guid)? else { return Ok(None) };
            let settings = front.store.view().settings();
            let near = (front.neighbours)(&story);
            let account = Account::of(&story, &settings, front.press.texts().as_ref(), near);
            Ok(Some((story, account)))
        })
        .await?
    }

    /// Answers one request.
    ///
    /// # Errors
    /// [`Dropped`] where a broken connection is the best answer: a feed that can't be printed now.
    pub async fn answer<B>(self: &Arc<Self>, request: &Request<B>, address: IpAddr) -> Result<Reply, Dropped> {
        let begun = Instant::now();
        let id = self.asked.fetch_add(1, Ordering::Relaxed);
        let id = reply::text(format!("{:08x}-{id:x}", self.began));
        let shown = || id.to_str().unwrap_or_default();
        let (route, answered) = self.dispatch(request, address).await;
        let mut answered =
            answered.map(|reply| if request.method() == Method::HEAD { reply::beheaded(reply) } else { reply });
        let took = begun.elapsed();
        let caller = || caller::address(request.headers(), address, &self.settings.load().server.trusted_proxies);
        match &mut answered {
            Ok(reply) => {
                use hyper::body::Body as _;
                self.metrics.answered(route, reply.status(), took);
                reply.headers_mut().insert(REQUEST_ID, id.clone());
                if tracing::enabled!(target: "access", tracing::Level::INFO) {
                    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
                    tracing::info!(
                        target: "access",
                        id = shown(),
                        address = %caller(),
                        method = %request.method(),
                        uri = %request.uri(),
                        status = reply.status().as_u16(),
                        bytes = reply.body().size_hint().exact().unwrap_or_default(),
                        micros = took.as_micros() as u64,
                        agent = agent.unwrap_or_default(),
                    );
                }
            }
            Err(dropped) => {
                self.metrics.dropped();
                tracing::error!(id = shown(), address = %caller(), uri = %request.uri(), %dropped, "a feed could not be answered");
            }
        }
        answered
    }

    /// The answer, and the word under which it is counted.
    async fn dispatch<B>(
        self: &Arc<Self>,
        request: &Request<B>,
        address: IpAddr,
    ) -> (&'static str, Result<Reply, Dropped>) {
        let uri = request.uri();
        let (path, query) = (uri.path(), uri.query());
        let settings = self.settings.load();
        let short = link::without_prefix(path, link::prefix(&settings.site.public_url));
        // A known feed answers whatever stands behind its question mark.
        let feed = if path.len() > LONGEST { None } else { address::read(short) };
        let search = self.search.as_ref().filter(|_| route::searches(short));
        let longest = if search.is_some() { searching::LONGEST } else { LONGEST };
        if feed.is_none() && path.len() + query.map_or(0, str::len) > longest {
            if self.search.is_some() && api::is_ours(short) {
                return ("api", Ok(api::too_long(longest)));
            }
            return (
                "other",
                Ok(reply::line(StatusCode::URI_TOO_LONG, format!("Addresses have at most {longest} bytes here.\n"))),
            );
        }
        let caller = caller::address(request.headers(), address, &settings.server.trusted_proxies);
        let asked = Asked { method: request.method(), path: short, query, headers: request.headers(), caller };
        if let Some(address) = feed {
            return (metrics::FEED, feeds::answer(self, asked, address).await);
        }
        if short == crate::model::websub::PATH {
            return ("hub", Ok(Box::pin(hub::answer(self, asked, request.extensions().get())).await));
        }
        if let Some((source, token)) = callback::read(short) {
            return ("callback", Ok(callback::answer(self, asked, source, token, request.extensions().get())));
        }
        if let (Some(search), Some(extension)) = (search, searching::address(short)) {
            return ("search", searching::feed(self, search, asked, extension).await);
        }
        if let Some(search) = self.search.as_ref().filter(|_| api::is_ours(short)) {
            return ("api", Ok(api::answer(self, search, asked).await));
        }
        let (route, reply) = Box::pin(route::answer(self, asked)).await;
        (route, Ok(reply))
    }

    /// Makes something away from the threads that answer: it reads the store.
    async fn made<F, T>(self: &Arc<Self>, fill: F) -> Result<T, Unmade>
    where
        F: FnOnce(&Desk<'_>) -> Result<T, Unmade> + Send + 'static,
        T: Send + 'static,
    {
        let front = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let (settings, gazetteer) = (front.settings.load_full(), front.gazetteer.load_full());
            let directory = front.directory.get(&front.store, &gazetteer)?;
            let view = front.store.view();
            let desk = Desk::new(&view, directory, &settings, &gazetteer, (front.clock)());
            let searches = front.search.is_some() && !front.fixed;
            fill(&Desk { fixed: front.fixed, searches, ..desk })
        })
        .await?
    }

    /// A page, or the page that says that it can't be shown.
    async fn page<F>(self: &Arc<Self>, headers: &HeaderMap, fill: F) -> Reply
    where
        F: FnOnce(&Desk<'_>) -> Result<Shown, Unmade> + Send + 'static,
    {
        match self.made(fill).await {
            Ok(shown) if shown.status == StatusCode::OK => reply::page(headers, shown.html),
            Ok(shown) => reply::notice(headers, shown.status, "no-store", shown.html),
            Err(error) => self.unmade(&error),
        }
    }

    fn unmade(&self, error: &Unmade) -> Reply {
        tracing::error!(%error, "a page could not be made");
        let words = words::of(&self.settings.load().site.language);
        let text = format!("{}. {}\n", words.problem.broken, words.problem.try_again);
        let mut reply = reply::line(StatusCode::SERVICE_UNAVAILABLE, text);
        reply.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from_static("30"));
        reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        reply
    }
}
