//! Tells another hub, named by `[publish] hub`, which of our feeds changed: the publisher's `hub.mode=publish`, which the
//! recommendation leaves to hub and publisher, as the public hubs have it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use tokio::task::JoinSet;
use tokio::time::Instant;
use url::form_urlencoded::Serializer;

use super::{Parts, RECORD};
use crate::fetch::call::Call;
use crate::model::filing::Request;
use crate::model::websub::{BUILTIN, Delivered, Mark};
use crate::render::FORMATS;

/// Changes are gathered for so long: a story enters several feeds, and stories come in groups.
const GATHER: Duration = Duration::from_millis(500);
/// Addresses in one ping.
const ADDRESSES: usize = 100;
/// Time for one ping.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Wait after a ping that failed; it doubles …
const BACK_OFF: Duration = Duration::from_secs(10);
/// … up to this.
const BACK_OFF_MOST: Duration = Duration::from_hours(1);

/// What a ping is.
const FORM: (HeaderName, HeaderValue) = (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));

/// Pings to another hub. One at a time, of everything that changed since the last one that was taken.
pub struct Pings {
    /// The last ledger record that the hub knows of.
    told: u64,
    running: JoinSet<Option<u64>>,
    /// Something changed, and a ping may begin then.
    due: Option<Instant>,
    failures: u32,
    parts: Parts,
}

impl Pings {
    /// Goes on where the last one ended; a hub that is new here is told of what changes from now on.
    pub fn new(parts: &Parts) -> Self {
        let view = parts.store.view();
        let now = view.meta().applied.seq;
        let told = view.delivered(Mark::OUTSIDE).ok().flatten().map_or(now, |told| told.version);
        drop(view);
        Self { told, running: JoinSet::new(), due: Some(Instant::now()), failures: 0, parts: parts.clone() }
    }

    /// Something changed.
    pub fn look(&mut self, parts: &Parts) {
        if outside(parts).is_none() {
            // Whoever is named later is told of what changes then.
            self.told = parts.store.view().meta().applied.seq;
            self.due = None;
        } else if self.due.is_none() {
            self.due = Some(Instant::now() + GATHER);
        }
    }

    /// Begins a ping when it is time, and waits for the end of the one that is under way; for ever if there is none.
    pub async fn ended(&mut self) -> Option<()> {
        if self.running.is_empty()
            && let Some(hub) = outside(&self.parts)
        {
            match self.due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
            self.due = None;
            self.running.spawn(ping(self.parts.clone(), hub, self.told));
        }
        let ended = match self.running.join_next().await {
            Some(ended) => ended.ok().flatten(),
            None => std::future::pending().await,
        };
        if let Some(told) = ended {
            (self.told, self.failures) = (told, 0);
        } else {
            let wait = BACK_OFF.saturating_mul(1 << self.failures.min(12)).min(BACK_OFF_MOST);
            self.failures = self.failures.saturating_add(1);
            self.due = Some(Instant::now() + wait);
        }
        Some(())
    }
}

/// The other hub, if there is one.
fn outside(parts: &Parts) -> Option<String> {
    let settings = parts.settings.load();
    let hub = settings.publish.hub.as_str();
    (!matches!(hub, BUILTIN | "none" | "")).then(|| hub.to_owned())
}

/// Tells a hub of every feed that has a version beyond this ledger record. What it knows then; `None` if it did not take it.
async fn ping(parts: Parts, hub: String, told: u64) -> Option<u64> {
    let (store, press) = (Arc::clone(&parts.store), Arc::clone(&parts.press));
    let changed = tokio::task::spawn_blocking(move || {
        let (now, editions) = {
            let view = store.view();
            (view.meta().applied.seq, view.editions()?)
        };
        let mut addresses = Vec::new();
        for (edition, _) in editions {
            for format in FORMATS {
                if press.version(&edition, *format)?.seq > told {
                    addresses.extend(press.address(&edition, *format));
                }
            }
        }
        Ok::<_, crate::press::PressError>((now, addresses))
    });
    let (now, addresses) = match changed.await {
        Ok(Ok(changed)) => changed,
        Ok(Err(error)) => {
            tracing::warn!(%error, "it cannot be told what changed");
            return None;
        }
        Err(_) => return None,
    };
    for group in addresses.chunks(ADDRESSES) {
        let body = Some(Bytes::from(form(group)));
        let call = Call { url: &hub, body, headers: &[FORM], timeout: TIMEOUT, keep: 0 };
        let (word, why) = match (parts.fetcher)().call(call).await {
            Ok(said) if (200..300).contains(&said.status) => ("ping", None),
            Ok(said) => ("ping_failed", Some(format!("it answers {}", said.status))),
            Err(error) => ("ping_failed", Some(error.to_string())),
        };
        (parts.told)(word);
        if let Some(why) = why {
            tracing::warn!(hub, why, "the hub that [publish] hub names was not told what changed; it is tried again");
            return None;
        }
    }
    if !addresses.is_empty() {
        let (at, what) = ((parts.clock)(), Delivered { version: now, content: 0 });
        let request = Request::Delivered { at, marks: vec![Mark { what, to: vec![Mark::OUTSIDE] }] };
        let file = Arc::clone(&parts.file);
        // Unrecorded, the hub is told again after a restart.
        let _ = tokio::task::spawn_blocking(move || file(&request, false)).await;
        tokio::time::sleep(RECORD).await;
    }
    Some(now)
}

/// A ping as public hubs understand it.
fn form(addresses: &[String]) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("hub.mode", "publish");
    form.extend_pairs(addresses.iter().map(|address| ("hub.url", address)));
    form.finish()
}
