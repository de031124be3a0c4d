//! Our callbacks as a subscriber: what hubs ask and deliver there (sections 5.3 and 7).

use std::sync::Arc;

use bytes::Bytes;
use url::form_urlencoded;

/// What a hub asks a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Whether this is what we want.
    Verify {
        /// To be delivered to no more.
        leaving: bool,
        /// The topic.
        topic: String,
        /// To be sent back.
        challenge: String,
        /// Seconds of the lease.
        lease: Option<i64>,
    },
    /// It does not do what we wanted.
    Denied {
        /// The topic.
        topic: String,
        /// Why, in its words.
        reason: String,
    },
}

/// Reads the query of a question; `None` if it is none.
#[must_use]
pub fn question(query: &str) -> Option<Question> {
    let field = |name: &str| {
        let mut fields = form_urlencoded::parse(query.as_bytes());
        fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let topic = field("hub.topic")?;
    match field("hub.mode")?.as_str() {
        "denied" => {
            let reason = field("hub.reason").unwrap_or_default();
            let reason = reason.chars().filter(|c| !c.is_control()).take(200).collect();
            Some(Question::Denied { topic, reason })
        }
        mode @ ("subscribe" | "unsubscribe") => Some(Question::Verify {
            leaving: mode == "unsubscribe",
            topic,
            challenge: field("hub.challenge").filter(|challenge| !challenge.is_empty())?,
            lease: field("hub.lease_seconds").and_then(|seconds| seconds.trim().parse().ok()),
        }),
        _ => None,
    }
}

/// What a hub delivers.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The content.
    pub body: Bytes,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// `X-Hub-Signature` as sent.
    pub signature: Option<String>,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is taken, or dropped without a word.
    Taken,
    /// There is too much to do: later.
    Busy,
    /// The subscription is over.
    Over,
    /// There is no such callback.
    Unknown,
}

/// Whoever answers at our callbacks.
pub trait Mailbox: Send + Sync {
    /// Whether there is such a callback.
    fn knows(&self, source: &str, token: &str) -> bool;

    /// Answers a question: what is sent back with a success; `None` if it is not what we want.
    fn asked(&self, source: &str, token: &str, question: &Question) -> Option<String>;

    /// Takes a delivery; returns before it is read.
    fn take(self: Arc<Self>, source: &str, token: &str, delivery: Delivery) -> Taken;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_of_hubs() {
        let verify = |leaving, lease| Question::Verify {
            leaving,
            topic: "https://a.example/?x=1".to_owned(),
            challenge: "c&c".to_owned(),
            lease,
        };
        let topic = "hub.topic=https%3A%2F%2Fa.example%2F%3Fx%3D1&hub.challenge=c%26c";
        for (query, expected) in [
            (format!("hub.mode=subscribe&{topic}&hub.lease_seconds=60"), Some(verify(false, Some(60)))),
            (format!("own=1&hub.mode=subscribe&{topic}&hub.lease_seconds=x"), Some(verify(false, None))),
            (format!("hub.mode=unsubscribe&{topic}"), Some(verify(true, None))),
            ("hub.mode=subscribe&hub.topic=x".to_owned(), None),
            ("hub.mode=subscribe&hub.topic=x&hub.challenge=".to_owned(), None),
            ("hub.mode=publish&hub.topic=x&hub.challenge=c".to_owned(), None),
            ("hub.challenge=c".to_owned(), None),
        ] {
            assert_eq!(question(&query), expected, "{query}");
        }
        let denied = Question::Denied { topic: "x".to_owned(), reason: "no\u{fffd}".to_owned() };
        assert_eq!(question("hub.mode=denied&hub.topic=x&hub.reason=no%FF%0A"), Some(denied));
    }
}
