//! The API: stories, cities, tags and sources as JSON, with the query language of everything else.
//!
//! `openapi.json` beside this file is its contract, kept by hand; a test holds every answer against it. A parameter that is
//! not in it is refused with the nearest that is: a misspelt one must not quietly mean everything.

mod lists;
mod problem;
mod stories;

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, LINK,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use url::form_urlencoded;

use super::reply::{self, Reply};
use super::{Asked, Front, link};
use crate::search::Search;
use problem::Problem;

/// What it is: every path, parameter and answer.
const CONTRACT: &str = include_str!("openapi.json");
/// Methods that it answers.
const METHODS: &str = "GET, HEAD, OPTIONS";
/// Entries of one answer, if the caller does not say how many.
const USUAL: usize = 50;
/// Entries of one answer at most.
const MOST: usize = 500;

/// Whether a path belongs to the API.
#[must_use]
pub fn is_ours(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// Answers a request.
pub async fn answer(front: &Arc<Front>, search: &Arc<Search>, asked: Asked<'_>) -> Reply {
    let mut reply = match *asked.method {
        Method::GET | Method::HEAD => {
            front.status.when_ready().await;
            match route(front, search, asked).await {
                Ok(reply) => reply,
                Err(problem) => problem.reply(),
            }
        }
        Method::OPTIONS => preflight(),
        _ => {
            let detail = format!("this address answers {METHODS} only");
            let mut reply = Problem::new("method", StatusCode::METHOD_NOT_ALLOWED, detail).reply();
            reply.headers_mut().insert(ALLOW, HeaderValue::from_static(METHODS));
            reply
        }
    };
    let headers = reply.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag, Link, Retry-After, X-Request-Id"));
    reply
}

/// The answer to an address that is longer than this.
#[must_use]
pub fn too_long(longest: usize) -> Reply {
    let detail = format!("addresses have at most {longest} bytes here");
    let mut reply = Problem::new("address", StatusCode::URI_TOO_LONG, detail).reply();
    reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    reply
}

async fn route(front: &Arc<Front>, search: &Arc<Search>, asked: Asked<'_>) -> Result<Reply, Problem> {
    let path = asked.path.trim_end_matches('/');
    match path {
        "/api/openapi.json" => {
            Parameters::read(asked.query, &[])?;
            Ok(contract(front, asked.headers))
        }
        "/api/v1/stories" => stories::list(front, search, asked).await,
        "/api/v1/cities" => lists::list(front, asked, lists::Kind::Cities).await,
        "/api/v1/tags" => lists::list(front, asked, lists::Kind::Tags).await,
        "/api/v1/sources" => lists::list(front, asked, lists::Kind::Sources).await,
        _ => {
            if let Some(id) = path.strip_prefix("/api/v1/stories/").filter(|id| !id.contains('/')) {
                return stories::one(front, asked, id).await;
            }
            let detail = "nothing stands here: /api/openapi.json lists all addresses";
            Err(Problem::new("not-found", StatusCode::NOT_FOUND, detail))
        }
    }
}

/// The contract, with the address under which we stand.
fn contract(front: &Front, asked: &HeaderMap) -> Reply {
    let base = front.settings.load().site.public_url.trim_end_matches('/').to_owned();
    let mut contract: Value = serde_json::from_str(CONTRACT).unwrap_or_default();
    contract["servers"] = serde_json::json!([{ "url": base }]);
    contract["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    json(asked, &contract, None)
}

/// 200 with a value, or 304; with the address of the next page where there is one.
fn json(asked: &HeaderMap, value: &Value, next: Option<&str>) -> Reply {
    let mut body = serde_json::to_vec(value).unwrap_or_default();
    body.push(b'\n');
    let mut reply = reply::made(asked, "application/json", "no-cache", body);
    if let Some(next) = next {
        reply.headers_mut().insert(LINK, reply::value(&format!("<{next}>; rel=\"next\"")));
    }
    reply
}

fn preflight() -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    let headers = reply.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(METHODS));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("If-None-Match"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    reply
}

/// The parameters of a request, each known and given once.
struct Parameters<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Parameters<'a> {
    /// Reads what stands behind the question mark.
    fn read(query: Option<&'a str>, known: &[&str]) -> Result<Self, Problem> {
        let mut all: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if !known.contains(&&*name) {
                let near = known.iter().min_by_key(|known| strsim::osa_distance(known, &name));
                let hint = match near {
                    Some(near) if strsim::osa_distance(near, &name) <= 3 => format!("did you mean `{near}`?"),
                    Some(_) => format!("known are {}", known.join(", ")),
                    None => "this address takes none".to_owned(),
                };
                let detail = format!("there is no parameter `{name}`: {hint}");
                return Err(Problem::new("parameter", StatusCode::BAD_REQUEST, detail));
            }
            if all.iter().any(|(other, _)| *other == name) {
                let detail = format!("the parameter `{name}` is given more than once");
                return Err(Problem::new("parameter", StatusCode::BAD_REQUEST, detail));
            }
            all.push((name, value));
        }
        Ok(Self(all))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// How many entries are asked for.
    fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else { return Ok(USUAL) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(limit) if digits && (1..=MOST).contains(&limit) => Ok(limit),
            _ => {
                let detail = format!("`limit` is a whole number from 1 to {MOST}, not \"{text}\"");
                Err(Problem::new("parameter", StatusCode::BAD_REQUEST, detail))
            }
        }
    }

    /// The address of the page that begins behind `cursor`, other parameters as they are.
    fn next(&self, base: &str, path: &str, cursor: &str) -> String {
        let others = self.0.iter().filter(|(name, _)| name != "cursor");
        let mut parts: Vec<String> = others.map(|(name, value)| format!("{name}={}", link::segment(value))).collect();
        parts.push(format!("cursor={}", link::segment(cursor)));
        format!("{base}{path}?{}", parts.join("&"))
    }
}
