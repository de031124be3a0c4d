//! Takes the bodies of requests: of those few that have one that is looked at, and no more of it than that.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body;

use super::{Front, callback, link};
use crate::model::websub;
use crate::websub::request::FORM_BYTES;

/// Longest wait for a whole body.
const PATIENCE: Duration = Duration::from_secs(10);

/// A body as it came, in the extensions of its request; or the status that says why it did not.
#[derive(Debug, Clone)]
pub struct Received(pub Result<Bytes, StatusCode>);

/// Takes the body of a request that may have one. Of any other it is not read.
pub async fn take<B>(front: &Front, request: Request<B>) -> Request<()>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let (parts, body) = request.into_parts();
    let most = if parts.method == Method::POST { most(front, parts.uri.path()) } else { None };
    let mut request = Request::from_parts(parts, ());
    if let Some(most) = most {
        #[allow(clippy::disallowed_methods, reason = "bounded by Limited")]
        let collected = tokio::time::timeout(PATIENCE, Limited::new(body, most).collect()).await;
        let received = match collected {
            Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
            Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
            Ok(Ok(body)) => Ok(body.to_bytes()),
        };
        request.extensions_mut().insert(Received(received));
    }
    request
}

/// Most bytes that are taken at this path; `None` if no body is looked at there.
fn most(front: &Front, path: &str) -> Option<usize> {
    let settings = front.settings.load();
    let path = link::without_prefix(path, link::prefix(&settings.site.public_url));
    if path == websub::PATH {
        return Some(FORM_BYTES);
    }
    // Nobody makes us take a large body at an address that they have guessed.
    let (source, token) = callback::read(path)?;
    let known = front.mailbox.as_ref().is_some_and(|mailbox| mailbox.knows(source, token));
    known.then(|| usize::try_from(settings.fetch.body_max).unwrap_or(usize::MAX))
}
