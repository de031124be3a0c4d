//! Verifies the intent of a request: whoever owns the callback must want what was asked in its name (section 5.3).

use std::time::Duration;

use bytes::Bytes;
use ring::rand::{SecureRandom, SystemRandom};

use super::Parts;
use crate::fetch::FetchError;
use crate::fetch::call::{Call, Said};
use crate::model::filing::Request;
use crate::model::time::Time;
use crate::model::websub::{Delivered, Subscription, Topic};
use crate::websub::Wish;
use crate::websub::intent::{self, ANSWER_BYTES};
use crate::websub::request::{Asked, Mode};

/// Time for one question to a callback.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Pauses before a callback that could not be reached, or had a fault of its own, is asked again. An answer is final.
const AGAIN: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

/// What came of a request.
#[derive(Debug)]
pub enum Verified {
    /// Confirmed, recorded and in force.
    Subscribed {
        /// Host of the callback.
        host: String,
        /// Its number.
        number: u64,
        /// The subscription.
        subscription: Box<Subscription>,
        /// What it has.
        has: Delivered,
    },
    /// The one with this number ended as asked for.
    Ended(u64),
    /// Not confirmed, refused, or there was nothing to end.
    Nothing,
}

/// Sees a request to its end.
pub async fn verify(parts: Parts, wish: Wish, full: Option<&'static str>) -> Verified {
    let Wish { asked, topic } = wish;
    let (topic, version) = match (topic, full) {
        (Ok(found), None) => found,
        (Ok(found), Some(_)) if asked.mode == Mode::Unsubscribe => found,
        (Ok(_), Some(why)) => {
            deny(&parts, &asked, why).await;
            return Verified::Nothing;
        }
        (Err(why), _) => {
            deny(&parts, &asked, &why).await;
            return Verified::Nothing;
        }
    };
    if !confirmed(&parts, &asked).await {
        return Verified::Nothing;
    }
    let done = match asked.mode {
        Mode::Subscribe => subscribe(&parts, &asked, topic, version).await,
        Mode::Unsubscribe => unsubscribe(&parts, &asked, topic).await,
    };
    match done {
        Ok(Some(verified)) => verified,
        Ok(None) => Verified::Nothing,
        Err(error) => {
            tracing::warn!(host = asked.host, %error, "a confirmed subscription could not be recorded: the subscriber is told");
            deny(&parts, &asked, "this hub cannot keep subscriptions at the moment: try again later").await;
            Verified::Nothing
        }
    }
}

/// Whether the callback confirms.
async fn confirmed(parts: &Parts, asked: &Asked) -> bool {
    let mut random = [0; 24];
    if SystemRandom::new().fill(&mut random).is_err() {
        tracing::error!("the system gives no random numbers: no subscription can be verified");
        return false;
    }
    let challenge = intent::hex(&random);
    let seconds = (asked.lease / Time::SECOND).to_string();
    let mut fields =
        vec![("hub.mode", asked.mode.word()), ("hub.topic", asked.topic.as_str()), ("hub.challenge", &challenge)];
    if asked.mode == Mode::Subscribe {
        fields.push(("hub.lease_seconds", &seconds));
    }
    let address = intent::address(&asked.callback, &fields);
    for pause in AGAIN.map(Some).into_iter().chain([None]) {
        let answer = get(parts, &address).await;
        match &answer {
            Ok(said) if said.status < 500 => {
                let confirmed = intent::confirms(said.status, &said.body, &challenge);
                tracing::debug!(
                    host = asked.host,
                    mode = asked.mode.word(),
                    status = said.status,
                    confirmed,
                    "verified"
                );
                return confirmed;
            }
            Ok(said) => tracing::debug!(host = asked.host, status = said.status, "not verified yet"),
            // Asking again changes nothing.
            Err(error @ (FetchError::Refused { .. } | FetchError::Address { .. } | FetchError::Port { .. })) => {
                tracing::debug!(host = asked.host, %error, "a callback is not asked");
                return false;
            }
            Err(error) => tracing::debug!(host = asked.host, %error, "not verified yet"),
        }
        let Some(pause) = pause else { break };
        tokio::time::sleep(pause).await;
    }
    false
}

/// Tells a callback that its subscription is refused, and why (section 5.2). Its answer is of no interest.
async fn deny(parts: &Parts, asked: &Asked, why: &str) {
    tracing::debug!(host = asked.host, why, "a subscription is denied");
    let fields = [("hub.mode", "denied"), ("hub.topic", asked.topic.as_str()), ("hub.reason", why)];
    if let Err(error) = get(parts, &intent::address(&asked.callback, &fields)).await {
        tracing::debug!(host = asked.host, %error, "a callback could not be told");
    }
}

async fn get(parts: &Parts, url: &str) -> Result<Said, FetchError> {
    let call = Call { url, body: None::<Bytes>, headers: &[], timeout: TIMEOUT, keep: ANSWER_BYTES };
    (parts.fetcher)().call(call).await
}

async fn subscribe(parts: &Parts, asked: &Asked, topic: Topic, version: u64) -> Result<Option<Verified>, String> {
    let (parts, asked) = (parts.clone(), asked.clone());
    blocking(move || {
        let at = (parts.clock)();
        let subscription = Subscription {
            topic: topic.clone(),
            callback: asked.callback.clone(),
            secret: asked.secret,
            until: at.plus(asked.lease),
            since: at,
            from: version,
        };
        (parts.file)(&Request::Subscribe { at, subscription }, true)?;
        let made = parts.store.view().subscription(&topic, &asked.callback).map_err(|error| error.to_string())?;
        Ok(made.map(|(number, subscription, has)| Verified::Subscribed {
            host: asked.host,
            number,
            subscription: Box::new(subscription),
            has,
        }))
    })
    .await
}

async fn unsubscribe(parts: &Parts, asked: &Asked, topic: Topic) -> Result<Option<Verified>, String> {
    let (parts, asked) = (parts.clone(), asked.clone());
    blocking(move || {
        let known = parts.store.view().subscription(&topic, &asked.callback).map_err(|error| error.to_string())?;
        let Some((number, ..)) = known else { return Ok(None) };
        (parts.file)(&Request::Unsubscribe { at: (parts.clock)(), numbers: vec![number] }, true)?;
        Ok(Some(Verified::Ended(number)))
    })
    .await
}

async fn blocking<T: Send + 'static>(job: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(job).await.map_err(|error| error.to_string())?
}
