//! `/hub`: takes requests to our WebSub hub, and finds the feed behind the topic that they name.

use std::sync::Arc;

use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use super::intake::Received;
use super::reply::{self, Reply};
use super::{Asked, Front, address, link, lookup, words};
use crate::model::websub::Topic;
use crate::press::PressError;
use crate::render;
use crate::store::StoreError;
use crate::websub::Wish;
use crate::websub::request::{self, FORM_BYTES};

/// What somebody who looks at the address is told.
const ABOUT: &str = "This is the WebSub hub of this site's feeds (https://www.w3.org/TR/websub/): subscribers post a form with \
                     hub.mode, hub.callback and hub.topic here.\n";
/// How long a subscriber should wait when the hub has too much to do, in seconds.
const BUSY: HeaderValue = HeaderValue::from_static("60");
/// What a topic is not.
const NO_TOPIC: &str = "this hub serves the feeds of this site alone, and this is none of them";

/// Answers a request.
pub async fn answer(front: &Arc<Front>, asked: Asked<'_>, received: Option<&Received>) -> Reply {
    match *asked.method {
        Method::POST => {}
        Method::GET | Method::HEAD => return reply::line(StatusCode::OK, ABOUT),
        Method::OPTIONS => {
            let mut reply = reply::line(StatusCode::NO_CONTENT, "");
            reply.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS, POST"));
            return reply;
        }
        _ => return reply::not_allowed("GET, HEAD, OPTIONS, POST"),
    }
    let Some(door) = &front.door else {
        return reply::line(StatusCode::NOT_FOUND, "There is no hub here.\n");
    };
    let form = match received {
        Some(Received(Ok(form))) => form,
        Some(Received(Err(status))) => {
            return reply::line(
                *status,
                format!("A form of at most {FORM_BYTES} bytes is expected, sent in one go.\n"),
            );
        }
        None => return reply::line(StatusCode::BAD_REQUEST, ABOUT),
    };
    if !is_form(asked.headers) {
        let text = "The form must be sent as application/x-www-form-urlencoded.\n";
        return reply::line(StatusCode::UNSUPPORTED_MEDIA_TYPE, text);
    }
    let asked = match request::read(form) {
        Ok(asked) => asked,
        Err(wrong) => return reply::line(StatusCode::BAD_REQUEST, format!("{wrong}.\n")),
    };
    front.status.when_ready().await;
    let topic = match topic(front, &asked.topic) {
        Ok(topic) => topic,
        Err(error) => return front.unmade(&error.into()),
    };
    if door(Wish { asked, topic }) {
        let text = "Accepted: the callback is asked whether it wants this.\n";
        return reply::line(StatusCode::ACCEPTED, text);
    }
    let mut reply = reply::line(StatusCode::SERVICE_UNAVAILABLE, "Too many requests wait for their verification.\n");
    reply.headers_mut().insert(RETRY_AFTER, BUSY);
    reply
}

/// Whether the body says that it is a form. One that says nothing is read as one.
fn is_form(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_none_or(|kind| {
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

/// The feed at an address of ours, in whatever spelling answers there, with its version now; or a sentence for the
/// subscriber.
fn topic(front: &Front, written: &str) -> Result<Result<(Topic, u64), String>, StoreError> {
    let settings = front.settings.load();
    let Some((path, query)) = ours(written, &settings.site.public_url) else { return Ok(Err(NO_TOPIC.to_owned())) };
    let short = link::without_prefix(&path, link::prefix(&settings.site.public_url));
    let Some(found) = address::read(short) else { return Ok(Err(NO_TOPIC.to_owned())) };
    let Some(format) = render::format(found.extension).filter(|_| found.archive.is_none()) else {
        return Ok(Err("pictures and pages of archives do not change: subscribe to the feed".to_owned()));
    };
    let part = query.split('&').any(|field| field.starts_with("limit=") || field.starts_with("before="));
    if part {
        return Ok(Err("this is a part of a feed: subscribe to the feed, without limit and before".to_owned()));
    }
    let edition = {
        let gazetteer = front.gazetteer.load();
        let view = front.store.view();
        lookup::edition(&view, &gazetteer, &found.wanted)?
    };
    let edition = match edition {
        Ok(edition) => edition,
        Err(missing) => return Ok(Err(missing.sentence(words::of("en")))),
    };
    let version = match front.press.version(&edition, format) {
        Ok(version) => version,
        Err(PressError::Store(error)) => return Err(error),
        Err(PressError::Unready) => return Ok(Err("this hub has just begun: try again".to_owned())),
    };
    Ok(Ok((Topic { edition, extension: found.extension.to_owned() }, version.seq)))
}

/// Path and query of an address below `public_url`, by http or https: whoever came by the one may know the other.
fn ours(written: &str, public_url: &str) -> Option<(String, String)> {
    let (asked, public) = (Url::parse(written).ok()?, Url::parse(public_url).ok()?);
    let web = |url: &Url| matches!(url.scheme(), "http" | "https");
    let port = |url: &Url| url.port_or_known_default().filter(|port| !matches!(port, 80 | 443));
    let same = web(&asked) && asked.host() == public.host() && port(&asked) == port(&public);
    same.then(|| (asked.path().to_owned(), asked.query().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_ours() {
        let public = "https://d.example/news";
        for (written, expected) in [
            ("https://d.example/news/feeds/all.rss", Some("/news/feeds/all.rss")),
            ("http://D.example:80/news/feeds/all.rss#top", Some("/news/feeds/all.rss")),
            ("https://d.example:443/news/feeds/city/许昌.rss", Some("/news/feeds/city/%E8%AE%B8%E6%98%8C.rss")),
            ("https://d.example:8443/news/feeds/all.rss", None),
            ("https://e.example/news/feeds/all.rss", None),
            ("ftp://d.example/news/feeds/all.rss", None),
            ("/feeds/all.rss", None),
        ] {
            assert_eq!(ours(written, public).map(|(path, _)| path).as_deref(), expected, "{written}");
        }
        assert!(ours("http://127.0.0.1:8080/x", "http://127.0.0.1:8080").is_some());
    }
}
