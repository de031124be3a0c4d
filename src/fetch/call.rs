//! A message to an address that a stranger named: guarded as every request, and nothing of ours goes with it.
//!
//! Unlike [`Fetcher::get`], `${NAME}` in the address stands for itself, no redirect is followed, and of the answer only its
//! status and its first bytes are looked at.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request};
use tokio::time::timeout;

use super::address::Target;
use super::{Answered, FetchError, Fetcher, INTERIM, Phase, Use, answered, hint, told};

/// One message.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// Where to.
    pub url: &'a str,
    /// Its body: makes it a POST.
    pub body: Option<Bytes>,
    /// Headers beside our name.
    pub headers: &'a [(HeaderName, HeaderValue)],
    /// For all of it.
    pub timeout: Duration,
    /// Bytes of the answer's body that are kept; the rest is not read.
    pub keep: usize,
}

/// What was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Status.
    pub status: u16,
    /// First bytes of the body.
    pub body: Vec<u8>,
    /// `Retry-After`, in milliseconds from now.
    pub retry_after: Option<i64>,
    /// `Location`, as sent.
    pub location: Option<String>,
}

impl Fetcher {
    /// Makes one call.
    ///
    /// # Errors
    /// [`FetchError`], if there is no answer. A bad status is an answer.
    pub async fn call(&self, call: Call<'_>) -> Result<Said, FetchError> {
        let target =
            Target::read(call.url).map_err(|why| FetchError::Address { address: "of the callback".to_owned(), why })?;
        let (host, seconds) = (target.host().to_owned(), call.timeout.as_secs());
        timeout(call.timeout, self.exchange(call, target)).await.unwrap_or(Err(FetchError::Timeout {
            host,
            phase: Phase::Whole,
            seconds,
        }))
    }

    async fn exchange(&self, call: Call<'_>, target: Target) -> Result<Said, FetchError> {
        let host = target.host().to_owned();
        if !matches!(target.port(), 80 | 443 | 1_024..) {
            return Err(FetchError::Port { host, port: target.port() });
        }
        let (client, proxy) = self.client(None, None)?;
        if proxy.is_some() {
            // The proxy looks the name up for itself: what it may lead to is judged here first.
            let name = host.trim_start_matches('[').trim_end_matches(']');
            self.dialer(None).look_up(name, target.port()).await?;
        }
        let posting = call.body.is_some();
        let mut request = Request::new(Full::new(call.body.unwrap_or_default()));
        *request.method_mut() = if posting { Method::POST } else { Method::GET };
        *request.uri_mut() = target.uri.clone();
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, self.0.user_agent.clone());
        for (name, value) in call.headers {
            headers.append(name.clone(), value.clone());
        }
        if let Some(credentials) = proxy.filter(|_| target.url.scheme() == "http").and_then(|it| it.credentials())
            && let Ok(value) = HeaderValue::from_str(&credentials)
        {
            headers.insert(header::PROXY_AUTHORIZATION, value);
        }
        // Counted as every use, or the connection is taken for one that nobody needs, and cut in the middle of it.
        let mut use_of = Use::new(&mut request);
        let response = match answered(&client, request, &mut use_of).await {
            Answered::Head(response) => response,
            Answered::Error(error) => return Err(told(&host, &error)),
            Answered::Interim => return Err(FetchError::Interim { host, most: INTERIM }),
        };
        use_of.allow(call.keep as i64);
        let retry_after = hint::retry_after(response.headers(), (self.0.clock)());
        let location = response.headers().get(header::LOCATION);
        let location = location.and_then(|location| location.to_str().ok()).map(str::to_owned);
        let mut said = Said { status: response.status().as_u16(), body: Vec::new(), retry_after, location };
        let mut body = response.into_body();
        while said.body.len() < call.keep {
            match body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        said.body.extend_from_slice(&data[..data.len().min(call.keep - said.body.len())]);
                    }
                }
                Some(Err(_)) => break,
                None => {
                    use_of.fine();
                    break;
                }
            }
        }
        Ok(said)
    }
}
