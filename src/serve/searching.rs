//! Searches that addresses ask for: what is asked, within which bounds, and the feed of what is found.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use url::form_urlencoded;

use super::pages::river;
use super::pages::search::Outcome;
use super::reply::{self, Dropped, Reply};
use super::{Asked, Front, Shown, feeds, moment, visitor, words};
use crate::model::time::Time;
use crate::place::Gazetteer;
use crate::press::{Hits, Part, PressError, Searched};
use crate::query::{PlaceKind, Query, QueryError};
use crate::render;
use crate::search::{Ask, Search, SearchError};

/// Searches made at once; others wait for their turn.
pub const AT_ONCE: usize = 4;
/// Longest wait for a turn.
const TURN: Duration = Duration::from_secs(5);
/// Longest path and query of a search, in bytes: a query of 1,000 Chinese characters takes 9,000.
pub const LONGEST: usize = 12 * 1_024;
/// Days that the page of a search counts.
const DAYS: u32 = 30;

/// Why a search was not made.
#[derive(Debug, thiserror::Error)]
pub enum Unsearched {
    /// This address asked for too many; so many seconds to wait.
    #[error("too many searches from one address: wait {0} s")]
    TooMany(u64),
    /// No turn within [`TURN`].
    #[error("too many searches at once: try again in a few seconds")]
    Busy,
    /// The store failed.
    #[error("{0}")]
    Failed(String),
}

impl From<PressError> for Unsearched {
    fn from(error: PressError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<SearchError> for Unsearched {
    fn from(error: SearchError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Unsearched {
    /// Status, and seconds to wait.
    #[must_use]
    pub const fn status(&self) -> (StatusCode, u64) {
        match self {
            Self::TooMany(wait) => (StatusCode::TOO_MANY_REQUESTS, *wait),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, 5),
            Self::Failed(_) => (StatusCode::SERVICE_UNAVAILABLE, 30),
        }
    }

    /// A line of text that says so.
    fn line(&self) -> Reply {
        let (status, wait) = self.status();
        let mut reply = reply::line(status, format!("{self}.\n"));
        // Whole seconds, never a date: several clients misread those.
        reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait));
        reply
    }
}

/// A query, its names of places resolved; and the first that names no single place.
///
/// # Errors
/// [`QueryError`] with the column of the first mistake.
pub fn compile(text: &str, gazetteer: &Gazetteer) -> Result<(Query, Option<QueryError>), QueryError> {
    let mut query = Query::parse(text)?;
    let unknown = query.resolve(&mut |term| gazetteer.named(term.name, term.kind == PlaceKind::Province));
    Ok((query, unknown.into_iter().next()))
}

/// A parameter's value; the first, if there are several.
#[must_use]
pub fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The extension of a search's feed, if this is its address.
#[must_use]
pub fn address(path: &str) -> Option<&'static str> {
    let name = path.strip_prefix("/feeds/search")?;
    match name.trim_end_matches('/') {
        "" | ".rss" | ".xml" => Some("rss"),
        ".atom" => Some("atom"),
        ".json" => Some("json"),
        _ => None,
    }
}

impl Front {
    /// Takes one search from what the caller has left.
    ///
    /// # Errors
    /// [`Unsearched::TooMany`].
    pub fn allow(&self, caller: IpAddr) -> Result<(), Unsearched> {
        self.allowance.take(caller, (self.clock)()).map_err(Unsearched::TooMany)
    }

    /// Searches, away from the threads that answer, when its turn comes.
    ///
    /// # Errors
    /// [`Unsearched`].
    pub async fn searched<T, F>(self: &Arc<Self>, search: &Arc<Search>, find: F) -> Result<T, Unsearched>
    where
        F: FnOnce(&Self, &Search) -> Result<T, Unsearched> + Send + 'static,
        T: Send + 'static,
    {
        let turn = tokio::time::timeout(TURN, self.searches.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Unsearched::Busy) };
        let (front, search) = (Arc::clone(self), Arc::clone(search));
        let found = tokio::task::spawn_blocking(move || {
            let found = find(&front, &search);
            drop(turn);
            found
        });
        found.await.unwrap_or_else(|died| Err(Unsearched::Failed(died.to_string())))
    }
}

/// Answers a request for the feed of a search.
///
/// # Errors
/// [`Dropped`] if it cannot be printed.
pub async fn feed(
    front: &Arc<Front>,
    search: &Arc<Search>,
    asked: Asked<'_>,
    extension: &'static str,
) -> Result<Reply, Dropped> {
    match *asked.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Ok(feeds::preflight()),
        _ => return Ok(reply::not_allowed(feeds::METHODS)),
    }
    front.status.when_ready().await;
    let text = parameter(asked.query, "q").unwrap_or_default();
    if visitor::person(asked.headers, asked.query) {
        let mut reply = page(front, search, asked).await;
        let headers = reply.headers_mut();
        headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        headers.insert(http::header::VARY, HeaderValue::from_static("Sec-Fetch-Dest"));
        headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
        return Ok(reply);
    }
    // A place that the gazetteer does not know any more matches nothing, and its feed stays a feed.
    let query = match compile(&text, &front.gazetteer.load()) {
        Ok((query, _)) => query,
        Err(error) => {
            let mut reply = reply::line(StatusCode::BAD_REQUEST, format!("{error}\n"));
            feeds::open(reply.headers_mut());
            return Ok(reply);
        }
    };
    let Some(format) = render::format(extension) else {
        return Err(Dropped(format!("no format is called {extension}")));
    };
    let part = feeds::part(asked.query, || front.settings.load().publish.items);
    let now = (front.clock)();
    // What counts from now changes with every minute and not with every request.
    let minute = query.relative().map(|_| now.0.div_euclid(Time::MINUTE));
    let now = minute.map_or(now, |minute| Time(minute * Time::MINUTE));
    let canonical = query.to_string();
    let ready = front.press.searched_ready(&Searched { query: &canonical, part, minute }, format);
    let printed = if let Some(printed) = ready {
        Ok(printed)
    } else if let Err(too_many) = front.allow(asked.caller) {
        Err(too_many)
    } else {
        let find = move |front: &Front, search: &Search| {
            let settings = front.settings.load_full();
            let (before, limit) = match part {
                Part::Before(before, limit) => (Some(before), limit),
                Part::Newest(limit) => (None, limit),
                Part::Window | Part::Archive(_) => (None, (settings.publish.items as usize).clamp(1, Part::MOST)),
            };
            let ask = Ask { query: &query, before, limit, now, language: &settings.site.language };
            front.press.searched(&Searched { query: &canonical, part, minute }, format, || {
                let page = search.page(&ask)?;
                Ok(Hits { stories: page.hits, next: page.next, limit })
            })
        };
        front.searched(search, find).await
    };
    match printed {
        Ok(printed) => feeds::send(asked.headers, &printed, None).await,
        Err(Unsearched::Failed(why)) => Err(Dropped(why)),
        Err(unsearched) => {
            let mut reply = unsearched.line();
            feeds::open(reply.headers_mut());
            Ok(reply)
        }
    }
}

/// `/search`: the box, what is wrong with what stands in it, or what is found.
pub async fn page(front: &Arc<Front>, search: &Arc<Search>, asked: Asked<'_>) -> Reply {
    let text = parameter(asked.query, "q").map(|text| text.trim().to_owned()).unwrap_or_default();
    let compiled = match text.as_str() {
        "" => None,
        text => Some(compile(text, &front.gazetteer.load()).and_then(|(query, unknown)| match unknown {
            Some(error) => Err(error),
            None => Ok(query),
        })),
    };
    let (status, outcome) = match compiled {
        None => (StatusCode::OK, Outcome::Nothing),
        Some(Err(error)) => (StatusCode::BAD_REQUEST, Outcome::Mistake(error)),
        Some(Ok(query)) => {
            let before = river::before(asked.query);
            let found = match front.allow(asked.caller) {
                Err(too_many) => Err(too_many),
                Ok(()) => front.searched(search, move |front, search| found(front, search, query, before)).await,
            };
            match found {
                Ok(outcome) => (StatusCode::OK, outcome),
                Err(unsearched) => {
                    if let Unsearched::Failed(why) = &unsearched {
                        tracing::error!(why, "a search failed");
                    }
                    return unsearched.line();
                }
            }
        }
    };
    let shown = front.made(move |desk| Ok(Shown { status, html: desk.search(&text, outcome)? })).await;
    match shown {
        Ok(shown) if shown.status == StatusCode::OK => reply::page(asked.headers, shown.html),
        Ok(shown) => reply::notice(asked.headers, shown.status, "no-store", shown.html),
        Err(error) => front.unmade(&error),
    }
}

fn found(
    front: &Front,
    search: &Search,
    query: Query,
    before: Option<crate::model::edition::Order>,
) -> Result<Outcome, Unsearched> {
    let settings = front.settings.load_full();
    let now = Time((front.clock)().0.div_euclid(Time::MINUTE) * Time::MINUTE);
    let dial = moment::Dial::new(&settings.site.zone, words::of(&settings.site.language), now);
    let ask = Ask { query: &query, before, limit: river::STORIES, now, language: &settings.site.language };
    let page = search.page(&ask)?;
    let edges = dial.midnights(now, DAYS);
    let tally = search.tally(&Ask { before: None, ..ask }, &edges)?;
    Ok(Outcome::Found(Box::new(super::pages::search::Found {
        query,
        page,
        tally,
        edges,
        older: before.is_some(),
        indexed: search.is_indexed(),
    })))
}
