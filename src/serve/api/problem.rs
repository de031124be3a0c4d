//! What is wrong with a request, in the form of RFC 9457.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::query::QueryError;
use crate::serve::reply::{self, Reply, Unmade};
use crate::serve::searching::Unsearched;

/// A problem.
#[derive(Debug)]
pub struct Problem {
    /// The end of its type.
    kind: &'static str,
    status: StatusCode,
    detail: String,
    /// Where in the query, in characters from 1; and what to write instead.
    place: Option<(usize, String)>,
    /// Seconds to wait.
    wait: Option<u64>,
}

impl Problem {
    /// Of this kind.
    pub fn new(kind: &'static str, status: StatusCode, detail: impl Into<String>) -> Self {
        Self { kind, status, detail: detail.into(), place: None, wait: None }
    }

    /// The answer that says so.
    pub fn reply(&self) -> Reply {
        let title = match self.kind {
            "query" => "The query is wrong",
            "parameter" => "A parameter is wrong",
            "method" => "Method not allowed",
            "address" => "Address too long",
            "gone" => "Taken out",
            "too-many" => "Too many requests",
            "unavailable" => "Not available now",
            _ => "Not found",
        };
        let mut body = json!({
            "type": format!("urn:citydesk:problem:{}", self.kind),
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some((column, hint)) = &self.place {
            body["column"] = (*column).into();
            body["hint"] = hint.as_str().into();
        }
        let mut reply = reply::line(self.status, format!("{body}\n"));
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.wait {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait));
        }
        reply
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let problem = Self::new("query", StatusCode::BAD_REQUEST, error.message);
        Self { place: Some((error.column, error.hint)), ..problem }
    }
}

impl From<Unsearched> for Problem {
    fn from(error: Unsearched) -> Self {
        let (status, wait) = error.status();
        if let Unsearched::Failed(why) = &error {
            tracing::error!(why, "a search failed");
        }
        let (kind, detail) = match &error {
            Unsearched::TooMany(_) => ("too-many", error.to_string()),
            Unsearched::Busy => ("unavailable", error.to_string()),
            Unsearched::Failed(_) => ("unavailable", "the archive cannot be read now".to_owned()),
        };
        Self { wait: Some(wait), ..Self::new(kind, status, detail) }
    }
}

impl From<Unmade> for Problem {
    fn from(error: Unmade) -> Self {
        Unsearched::Failed(error.to_string()).into()
    }
}
