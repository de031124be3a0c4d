//! Whether the daemon lives, whether it is ready, and what is wrong with it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use http::StatusCode;
use tokio::sync::watch;

use super::reply::{self, Reply};

/// What the daemon says of itself in public.
#[derive(Debug)]
pub struct Status {
    ready: watch::Sender<bool>,
    complaints: Mutex<BTreeMap<&'static str, String>>,
}

impl Default for Status {
    fn default() -> Self {
        Self { ready: watch::Sender::new(false), complaints: Mutex::default() }
    }
}

impl Status {
    /// Not ready, nothing to complain of.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says that the store is open and the ledger applied (or not any more). Feeds wait for it.
    pub fn set_ready(&self, ready: bool) {
        self.ready.send_replace(ready);
    }

    /// Whether the store is open and the ledger applied.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Waits until it is.
    pub async fn when_ready(&self) {
        // The sender lives as long as `self`: there is no error to speak of.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// Sets what is wrong with one part ("feeds.toml", "disk", "clock") in a sentence, or that nothing is.
    pub fn complain(&self, part: &'static str, sentence: Option<String>) {
        let mut complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        match sentence {
            Some(sentence) => complaints.insert(part, sentence),
            None => complaints.remove(part),
        };
    }

    /// What is wrong, by part.
    #[must_use]
    pub fn complaints(&self) -> Vec<(&'static str, String)> {
        let complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        complaints.iter().map(|(part, sentence)| (*part, sentence.clone())).collect()
    }
}

/// `/healthz`: the process answers.
#[must_use]
pub fn alive() -> Reply {
    reply::line(StatusCode::OK, "ok\n")
}

/// `/readyz`: 200 once feeds can be answered, else 503; what is wrong stands below, a line a part. A complaint does not
/// make us unready: feeds are still served, and taking us out of rotation would help nobody.
#[must_use]
pub fn readiness(status: &Status) -> Reply {
    let ready = status.is_ready();
    let mut text = if ready { "ready\n" } else { "not ready: the ledger is still being applied\n" }.to_owned();
    for (part, sentence) in status.complaints() {
        let _ = writeln!(text, "{part}: {sentence}");
    }
    let mut answer = reply::line(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text);
    if !ready {
        // Whole seconds, never a date and never 0: several clients misread those.
        answer.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("2"));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn readiness_follows_the_ledger_and_not_the_complaints() {
        let status = Status::new();
        assert_eq!(readiness(&status).status(), StatusCode::SERVICE_UNAVAILABLE);
        status.set_ready(true);
        status.when_ready().await;
        status.complain("feeds.toml", Some("feeds.toml:3:1: error: unknown key".to_owned()));
        assert_eq!(readiness(&status).status(), StatusCode::OK);
        assert_eq!(status.complaints(), [("feeds.toml", "feeds.toml:3:1: error: unknown key".to_owned())]);
        status.complain("feeds.toml", None);
        assert!(status.complaints().is_empty());
    }
}
