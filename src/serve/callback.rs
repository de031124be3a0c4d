//! `/websub/{source}/{token}`: our callbacks, where hubs verify what we asked of them and deliver the news of sources.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode};

use super::intake::Received;
use super::reply::{self, Reply};
use super::{Asked, Front};
use crate::websub::mailbox::{Delivery, Taken, question};
use crate::websub::signature;

/// How long a hub should wait when there is too much to do, in seconds.
const BUSY: HeaderValue = HeaderValue::from_static("60");

/// Source and token of a callback's path.
pub fn read(path: &str) -> Option<(&str, &str)> {
    let (source, token) = path.strip_prefix("/websub/")?.split_once('/')?;
    (!source.is_empty() && !token.is_empty() && !token.contains('/')).then_some((source, token))
}

/// Answers a hub.
pub fn answer(front: &Arc<Front>, asked: Asked<'_>, source: &str, token: &str, received: Option<&Received>) -> Reply {
    let nothing = || reply::line(StatusCode::NOT_FOUND, "Nothing was asked for here.\n");
    let Some(mailbox) = &front.mailbox else { return nothing() };
    match *asked.method {
        Method::GET => {
            let question = question(asked.query.unwrap_or_default());
            match question.and_then(|question| mailbox.asked(source, token, &question)) {
                Some(challenge) => reply::line(StatusCode::OK, challenge),
                None => nothing(),
            }
        }
        Method::POST => {
            let body = match received {
                Some(Received(Ok(body))) => body.clone(),
                Some(Received(Err(status))) => return reply::line(*status, "This is more than is taken here.\n"),
                None => return nothing(),
            };
            let text =
                |name: HeaderName| asked.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let signature = text(HeaderName::from_static(signature::HEADER));
            let delivery = Delivery { body, content_type: text(CONTENT_TYPE), signature };
            match Arc::clone(mailbox).take(source, token, delivery) {
                Taken::Taken => reply::line(StatusCode::ACCEPTED, ""),
                Taken::Over => reply::line(StatusCode::GONE, "This subscription is over.\n"),
                Taken::Unknown => nothing(),
                Taken::Busy => {
                    let mut reply = reply::line(StatusCode::SERVICE_UNAVAILABLE, "Too much at once.\n");
                    reply.headers_mut().insert(RETRY_AFTER, BUSY);
                    reply
                }
            }
        }
        _ => reply::not_allowed("GET, POST"),
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn paths_of_callbacks() {
        for (path, expected) in [
            ("/websub/dahe/0123", Some(("dahe", "0123"))),
            ("/websub/dahe", None),
            ("/websub/dahe/", None),
            ("/websub//x", None),
            ("/websub/dahe/x/y", None),
            ("/hub", None),
        ] {
            assert_eq!(read(path), expected, "{path}");
        }
    }
}
