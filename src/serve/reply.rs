//! What we answer with: whole bodies, their headers, and the rare answer that is none.

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use std::io::Write;

use super::conditional::{self, Decision};
use super::encoding::{self, Coding};
use crate::model::id::hash128;

/// Body of an answer.
pub type Body = Full<Bytes>;

/// An answer.
pub type Reply = Response<Body>;

/// No answer at all: the connection is closed. Only for a feed that cannot be printed now: readers forgive a broken
/// connection, and punish an error status for hours or days.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer: {0}")]
pub struct Dropped(pub String);

/// Pages run no script but ours, load nothing from elsewhere and can't be framed.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Bodies below this many bytes are not compressed: the packet is the same.
const WORTH_COMPRESSING: usize = 1_024;

/// A header value; one that can't be sent is left out by being empty.
#[must_use]
pub fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// A header value of a text that was made for it.
#[must_use]
pub fn text(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// An answer of this status with a body of this type.
#[must_use]
pub fn plain(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// A line of text that must not be kept: health, readiness.
#[must_use]
pub fn line(status: StatusCode, text: impl Into<String>) -> Reply {
    let mut reply = plain(status, "text/plain; charset=utf-8", text.into());
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// 405 with the methods that are allowed.
#[must_use]
pub fn not_allowed(allowed: &'static str) -> Reply {
    let text = format!("This address answers {allowed} only.\n");
    let mut reply = line(StatusCode::METHOD_NOT_ALLOWED, text);
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    reply
}

/// A document whose bytes are made anew for each request: compressed if wanted, with a tag from its content so that a
/// client that has it gets 304. The tag is weak: the compressed form has the same.
#[must_use]
pub fn made(asked: &HeaderMap, kind: &'static str, cache: &'static str, body: Vec<u8>) -> Reply {
    let etag = format!("W/\"{:032x}\"", hash128(&[&body]));
    let mut reply = match conditional::decide(asked, &etag, None) {
        Decision::NotModified => not_modified(),
        Decision::Send => packed(asked, StatusCode::OK, kind, body),
    };
    let headers = reply.headers_mut();
    headers.insert(ETAG, value(&etag));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    reply
}

/// 304 without headers: those that the 200 would have carried are the caller's to add (RFC 9110 section 15.4.5).
#[must_use]
pub fn not_modified() -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::NOT_MODIFIED;
    reply
}

/// A page: asked for again each time, with the headers that keep it from harm.
#[must_use]
pub fn page(asked: &HeaderMap, html: String) -> Reply {
    guarded(made(asked, "text/html; charset=utf-8", "no-cache", html.into_bytes()))
}

/// A page that is no lasting content: another status than 200, or a page that no cache may keep (`cache` says).
#[must_use]
pub fn notice(asked: &HeaderMap, status: StatusCode, cache: &'static str, html: String) -> Reply {
    let mut reply = guarded(packed(asked, status, "text/html; charset=utf-8", html.into_bytes()));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    reply
}

fn packed(asked: &HeaderMap, status: StatusCode, kind: &'static str, body: Vec<u8>) -> Reply {
    let coding = encoding::choose(asked, &[Coding::Identity, Coding::Gzip]);
    if coding == Coding::Gzip
        && body.len() >= WORTH_COMPRESSING
        && let Some(small) = gzip(&body)
    {
        let mut reply = plain(status, kind, small);
        reply.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return reply;
    }
    plain(status, kind, body)
}

/// Compresses what is sent once: fast rather than small.
fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 3), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// Adds the headers that keep a page from harm.
fn guarded(mut reply: Reply) -> Reply {
    let headers = reply.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    reply
}

/// The answer to HEAD: the same headers, the length that GET would have, no body (RFC 9110 section 9.3.2).
#[must_use]
pub fn beheaded(mut reply: Reply) -> Reply {
    use hyper::body::Body as _;
    let length = reply.body().size_hint().exact();
    if let Some(length) = length.filter(|_| reply.status() != StatusCode::NOT_MODIFIED) {
        reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    *reply.body_mut() = Full::default();
    reply
}

/// A page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Unmade {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// A template failed.
    #[error("a page could not be written: {0}")]
    Template(#[from] askama::Error),
    /// The task that made it died.
    #[error("the task that made a page died: {0}")]
    Task(#[from] tokio::task::JoinError),
}
