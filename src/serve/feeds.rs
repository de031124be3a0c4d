//! Feeds: 200 or 304 for any that exists or ever did, 404 for names that never were, and nothing else.
//!
//! A reader that gets any other status punishes us for hours or days (some stop updating the feed for good). So a feed
//! that is not printed yet waits, one that can't be printed closes the connection, and nothing is called unknown before
//! the ledger is applied.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG,
    HeaderName, LAST_MODIFIED, LINK, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use super::address::Address;
use super::conditional::{self, Decision};
use super::encoding::{self, Coding};
use super::pages::river;
use super::pages::{Chip, Desk};
use super::reply::{self, Dropped, Reply, Unmade};
use super::{Asked, Front, link, lookup, visitor, words};
use crate::model::edition::EditionId;
use crate::press::{Form, Part, PressError, Printed, Stamps};
use crate::render::{self, Format, image};

/// How long a cache may hand out the last answer while we can't be reached, in seconds (RFC 5861 section 4).
const STALE_IF_ERROR: u32 = 86_400;
/// Waits between tries to print a feed; after the last one the connection is closed.
const TRIES: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];
/// Methods that feeds answer.
pub const METHODS: &str = "GET, HEAD, OPTIONS";

/// Answers a request for a feed.
///
/// # Errors
/// [`Dropped`] if it can't be printed.
pub async fn answer(front: &Arc<Front>, asked: Asked<'_>, address: Address) -> Result<Reply, Dropped> {
    match *asked.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Ok(preflight()),
        _ => return Ok(reply::not_allowed(METHODS)),
    }
    // Waiting takes a place in a queue that everybody shares: not for every request.
    if !front.status.is_ready() {
        Box::pin(front.status.when_ready()).await;
    }
    let wanted = {
        let gazetteer = front.gazetteer.load();
        let view = front.store.view();
        lookup::edition(&view, &gazetteer, &address.wanted).map_err(|error| Dropped(error.to_string()))?
    };
    let edition = match wanted {
        Ok(edition) => edition,
        // What is rarely done is put aside: a stream of HTTP/2 keeps the room of all of this until its answer is read.
        Err(missing) => return Ok(Box::pin(unknown(front, asked, address.extension, missing)).await),
    };
    if address.extension == "png" {
        return Ok(picture(asked.headers, &edition));
    }
    // Every extension that an address can have is that of a format.
    let Some(format) = render::format(address.extension) else {
        return Err(Dropped(format!("no format is called {}", address.extension)));
    };
    if visitor::person(asked.headers, asked.query) {
        return Ok(Box::pin(for_people(front, asked.headers, edition)).await);
    }
    let part = match address.archive {
        Some(page) => Part::Archive(page),
        None => part(asked.query, || front.settings.load().publish.items),
    };
    let Some(printed) = printed(front, &edition, part, format).await? else {
        let words = words::of(&front.settings.load().site.language);
        let mut reply = reply::line(StatusCode::NOT_FOUND, format!("{}\n", words.problem.not_found));
        open(reply.headers_mut());
        return Ok(reply);
    };
    send(asked.headers, &printed, Some((front.clock)().seconds())).await
}

/// Which part of a feed a query asks for. What it cannot mean counts as absent: a feed is never refused for it.
pub(super) fn part(query: Option<&str>, items: impl FnOnce() -> u32) -> Part {
    let Some(query) = query else { return Part::Window };
    let limit = query.split('&').find_map(|part| part.strip_prefix("limit=")?.parse::<i64>().ok());
    let limit = limit.map(|limit| limit.clamp(1, Part::MOST as i64) as usize);
    match (river::before(Some(query)), limit) {
        (Some(before), limit) => Part::Before(before, limit.unwrap_or_else(|| (items() as usize).clamp(1, Part::MOST))),
        (None, Some(limit)) => Part::Newest(limit),
        (None, None) => Part::Window,
    }
}

/// The picture of a feed: its own for good.
fn picture(asked: &HeaderMap, edition: &EditionId) -> Reply {
    let bytes = image::png(&edition.key());
    let etag = format!("\"{:032x}\"", crate::model::id::hash128(&[&bytes]));
    let mut reply = match conditional::decide(asked, &etag, None) {
        Decision::NotModified => reply::not_modified(),
        Decision::Send => reply::plain(StatusCode::OK, image::MEDIA_TYPE, bytes),
    };
    let headers = reply.headers_mut();
    headers.insert(ETAG, reply::value(&etag));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=604800"));
    open(headers);
    reply
}

/// The printed feed: at once if it stands ready, else printed away from the threads that answer. `None` if there is no
/// such page of its archive.
async fn printed(
    front: &Arc<Front>,
    edition: &EditionId,
    part: Part,
    format: &'static dyn Format,
) -> Result<Option<Arc<Printed>>, Dropped> {
    let ready = if part == Part::Window { front.press.ready(edition, format) } else { Ok(None) };
    match ready {
        Ok(Some(printed)) => Ok(Some(printed)),
        Ok(None) => Box::pin(print(front, edition, part, format, None)).await,
        Err(error) => Box::pin(print(front, edition, part, format, Some(error))).await,
    }
}

/// Prints it away from the threads that answer, again after a failure.
async fn print(
    front: &Arc<Front>,
    edition: &EditionId,
    part: Part,
    format: &'static dyn Format,
    mut failure: Option<PressError>,
) -> Result<Option<Arc<Printed>>, Dropped> {
    for wait in std::iter::once(Duration::ZERO).chain(TRIES) {
        if let Some(error) = &failure {
            tracing::warn!(edition = edition.key(), %error, "a feed cannot be printed; trying again");
            tokio::time::sleep(wait).await;
        }
        let (press, edition) = (Arc::clone(&front.press), edition.clone());
        match tokio::task::spawn_blocking(move || press.part(&edition, part, format)).await {
            Ok(Ok(printed)) => return Ok(printed),
            Ok(Err(error)) => failure = Some(error),
            Err(died) => return Err(Dropped(died.to_string())),
        }
    }
    Err(Dropped(failure.unwrap_or(PressError::Unready).to_string()))
}

/// 200 with the feed, or 304. `now` in seconds since 1970; without it no date is said.
///
/// # Errors
/// [`Dropped`] if it cannot be compressed.
pub(super) async fn send(asked: &HeaderMap, printed: &Arc<Printed>, now: Option<i64>) -> Result<Reply, Dropped> {
    let coding = encoding::choose(asked, &[Coding::Identity, Coding::Gzip, Coding::Zstd, Coding::Brotli]);
    let stamps = printed.stamps.get_or_init(|| {
        let codings = [Coding::Identity, Coding::Gzip, Coding::Zstd, Coding::Brotli];
        let etags = codings.map(|coding| printed.etag_for(coding.name()));
        let heads = codings.map(|coding| head(printed, &etags[coding as usize]));
        Stamps { etags, heads }
    });
    let etag = &stamps.etags[coding as usize];
    // A date ahead of our own clock is neither said nor believed (RFC 9110 section 8.8.2.1).
    let modified = now.map(|now| (printed.modified, now)).filter(|(modified, now)| modified <= now);
    let modified = modified.map(|(modified, _)| modified);
    let mut headers = stamps.heads[coding as usize].clone();
    if modified.is_none() {
        headers.remove(LAST_MODIFIED);
    }
    let mut reply = match conditional::decide(asked, etag, modified) {
        Decision::NotModified => reply::not_modified(),
        Decision::Send => {
            let form = match coding {
                Coding::Identity => None,
                Coding::Gzip => Some(Form::Gzip),
                Coding::Zstd => Some(Form::Zstd),
                Coding::Brotli => Some(Form::Brotli),
            };
            let body = match form {
                None => printed.bytes.clone(),
                Some(form) => {
                    if let Some(body) = printed.form(form) {
                        body
                    } else {
                        let printed = Arc::clone(printed);
                        let made = tokio::task::spawn_blocking(move || printed.formed(form)).await;
                        made.map_err(|died| Dropped(died.to_string()))?
                    }
                }
            };
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(printed.media_type));
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            if let Some(name) = coding.name() {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
            }
            Response::new(Full::new(body))
        }
    };
    *reply.headers_mut() = headers;
    Ok(reply)
}

/// The headers that a feed has also where only they are sent (RFC 9110 section 15.4.5).
fn head(printed: &Printed, etag: &str) -> HeaderMap {
    // With room for what is added.
    let mut headers = HeaderMap::with_capacity(14);
    headers.insert(ETAG, reply::value(etag));
    headers.insert(LAST_MODIFIED, reply::value(&conditional::http_date(printed.modified)));
    let cache = format!("public, max-age={}, stale-if-error={STALE_IF_ERROR}", printed.max_age);
    headers.insert(CACHE_CONTROL, reply::value(&cache));
    // A browser's own navigation gets a page here. What else tells one (`Accept`, over plain http) is not named: every
    // reader sends another, and a cache that shows a person the feed does no harm.
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding, Sec-Fetch-Dest"));
    if let Some(hub) = &printed.hub {
        headers.insert(LINK, reply::value(&format!("<{hub}>; rel=\"hub\", <{}>; rel=\"self\"", printed.address)));
    }
    open(&mut headers);
    headers
}

/// Feeds may be read by scripts of any page: they hold nothing that is not public, and we set no cookies.
pub fn open(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag, Last-Modified, Link"));
}

/// What a browser asks before a script may send a conditional request (Fetch standard, CORS preflight).
#[must_use]
pub fn preflight() -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    let headers = reply.headers_mut();
    open(headers);
    headers.insert(http::header::ALLOW, HeaderValue::from_static(METHODS));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("If-None-Match, If-Modified-Since"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    reply
}

/// The page that a person gets at a feed's address. Never kept by any cache: it must not reach a reader.
async fn for_people(front: &Arc<Front>, asked: &HeaderMap, edition: EditionId) -> Reply {
    match front.made(move |desk| desk.feed(&edition)).await {
        Ok(html) => {
            let mut reply = reply::notice(asked, StatusCode::OK, "private, no-store", html);
            let headers = reply.headers_mut();
            headers.insert(VARY, HeaderValue::from_static("Sec-Fetch-Dest"));
            headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
            reply
        }
        Err(error) => front.unmade(&error),
    }
}

/// 404 for names that never were, with those that are near.
async fn unknown(front: &Arc<Front>, asked: Asked<'_>, extension: &'static str, missing: lookup::Missing) -> Reply {
    complain(front, asked, move |desk| {
        let near = missing.near(&desk.directory).iter().map(|near| feed_chip(desk, near, extension)).collect();
        (missing.sentence(desk.words), near)
    })
    .await
}

fn feed_chip(desk: &Desk<'_>, edition: &EditionId, extension: &str) -> Chip {
    let mut chip = desk.chip(edition, desk.name(edition), None);
    chip.href = format!("{}{}", desk.root, link::feed(edition, extension, desk.gazetteer));
    chip
}

/// A 404: as a page for browsers, as text for programs.
async fn complain<F>(front: &Arc<Front>, asked: Asked<'_>, what: F) -> Reply
where
    F: FnOnce(&Desk<'_>) -> (String, Vec<Chip>) + Send + 'static,
{
    let html = visitor::reads_pages(asked.headers);
    let made = front
        .made(move |desk| {
            let (sentence, near) = what(desk);
            if html { desk.problem(sentence, near) } else { Ok(text(desk, &sentence, &near)) }
        })
        .await;
    let mut reply = match made {
        Ok(page) if html => reply::notice(asked.headers, StatusCode::NOT_FOUND, "no-store", page),
        Ok(text) => reply::line(StatusCode::NOT_FOUND, text),
        Err(error) => {
            tracing::error!(%error, "no suggestions for an unknown feed");
            let words = words::of(&front.settings.load().site.language);
            reply::line(StatusCode::NOT_FOUND, format!("{}\n", words.problem.not_found))
        }
    };
    open(reply.headers_mut());
    reply
}

fn text(desk: &Desk<'_>, sentence: &str, near: &[Chip]) -> String {
    let mut text = format!("{sentence}\n");
    if !near.is_empty() {
        text.push_str(desk.words.problem.perhaps);
        text.push_str(":\n");
    }
    // The prefix stands in both.
    let base = desk.base().strip_suffix(&desk.root).unwrap_or_else(|| desk.base());
    for chip in near {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}  {base}{}", chip.name, chip.href);
    }
    text
}

/// Errors of pages, where a page is asked for at a feed's address.
impl From<Unmade> for Dropped {
    fn from(error: Unmade) -> Self {
        Self(error.to_string())
    }
}
