//! One delivery: the whole feed, as it is now, to one callback (section 7).

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderName, HeaderValue};
use url::Url;

use super::Parts;
use super::roster::{Job, Outcome};
use crate::fetch::FetchError;
use crate::fetch::call::Call;
use crate::model::id::hash64;
use crate::model::websub::Delivered;
use crate::press::Printed;
use crate::render;
use crate::websub::signature;

/// Time for one delivery, connecting included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Name of the signature's header.
const SIGNATURE: HeaderName = HeaderName::from_static(signature::HEADER);

/// What came of a delivery.
#[derive(Debug, Clone, Copy)]
pub struct Came {
    /// For the roster.
    pub outcome: Outcome,
    /// For the metrics.
    pub word: &'static str,
}

/// Host of a callback, and its port if it is not the usual one.
pub fn host(callback: &str) -> String {
    let Ok(url) = Url::parse(callback) else { return String::new() };
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    match url.port_or_known_default() {
        None | Some(80 | 443) => host.to_owned(),
        Some(port) => format!("{host}:{port}"),
    }
}

/// Delivers the newest version.
pub async fn deliver(parts: &Parts, job: Job) -> Came {
    let Some(format) = render::format(&job.subscription.topic.extension) else {
        // Written by a later citydesk; it lives on until its lease ends.
        return Came { outcome: Outcome::Failed(None), word: "format" };
    };
    let (press, edition) = (Arc::clone(&parts.press), job.subscription.topic.edition.clone());
    let printed = match tokio::task::spawn_blocking(move || press.print(&edition, format)).await {
        Ok(Ok(printed)) => printed,
        Ok(Err(error)) => {
            tracing::warn!(%error, "a feed cannot be printed to be delivered");
            return Came { outcome: Outcome::Failed(None), word: "print" };
        }
        Err(died) => {
            tracing::error!(%died, "a feed cannot be printed to be delivered");
            return Came { outcome: Outcome::Failed(None), word: "print" };
        }
    };
    let has = Delivered { version: printed.version.seq, content: hash64(&[&printed.bytes]).max(1) };
    if has.content == job.has.content {
        return Came { outcome: Outcome::Done(has), word: "same" };
    }
    let headers = headers(parts, &job, &printed);
    let body = Some(printed.bytes.clone());
    let call = Call { url: &job.subscription.callback, body, headers: &headers, timeout: TIMEOUT, keep: 0 };
    let said = (parts.fetcher)().call(call).await;
    let host = host(&job.subscription.callback);
    match said {
        Ok(said) if (200..300).contains(&said.status) => Came { outcome: Outcome::Done(has), word: "ok" },
        Ok(said) if said.status == 410 => {
            tracing::info!(host, "a callback is gone (410): its subscription ends");
            Came { outcome: Outcome::Gone, word: "gone" }
        }
        Ok(said) => {
            tracing::debug!(host, status = said.status, "a delivery was not taken");
            Came { outcome: Outcome::Failed(said.retry_after), word: "status" }
        }
        Err(error) => {
            tracing::debug!(host, %error, "a delivery failed");
            let word = match error {
                FetchError::Timeout { .. } => "timeout",
                FetchError::Refused { .. } => "refused",
                _ => "connection",
            };
            Came { outcome: Outcome::Failed(None), word }
        }
    }
}

fn headers(parts: &Parts, job: &Job, printed: &Printed) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static(printed.media_type))];
    // Section 7: both are said with every delivery, though the hub may not be announced.
    let settings = parts.settings.load();
    let ours = || format!("{}{}", settings.site.public_url.trim_end_matches('/'), crate::model::websub::PATH);
    let hub = printed.hub.clone().unwrap_or_else(ours);
    let link = format!("<{hub}>; rel=\"hub\", <{}>; rel=\"self\"", printed.address);
    headers.extend(HeaderValue::from_str(&link).map(|link| (LINK, link)));
    if let Some(secret) = &job.subscription.secret {
        let signature = HeaderValue::from_str(&signature::sign(secret, &printed.bytes));
        headers.extend(signature.map(|signature| (SIGNATURE, signature)));
    }
    headers
}
