//! The origin of the demo: one small web server on loopback that plays five sources from the tape.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::manner::{SOURCES, Source};
use super::tape::Tape;
use crate::clock::Clock;
use crate::model::id::hash64;
use crate::model::time::Time;

/// Pause after a failed accept.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a request's head may take.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// What the origin serves from.
#[derive(Clone)]
pub struct Played {
    /// The stories.
    pub tape: Arc<Tape>,
    /// The moment at which the tape was started.
    pub start: Time,
    /// Tells how far it has run.
    pub clock: Clock,
    /// Address of the origin, without a slash at the end.
    pub base: String,
}

impl Played {
    /// Starts the tape now, for an origin at `address`.
    pub fn new(address: SocketAddr, clock: Clock) -> Result<Self, serde_json::Error> {
        let tape = Arc::new(Tape::builtin()?);
        Ok(Self { tape, start: clock(), clock, base: format!("http://{address}") })
    }

    /// The answer to a path: type and bytes.
    fn answer(&self, path: &str) -> Option<(&'static str, Vec<u8>)> {
        let now = (self.clock)();
        let (id, document) = path.strip_prefix('/')?.split_once('/')?;
        let source = Source::find(id)?;
        let items = self.tape.shown(source.id, self.start, now);
        if document == source.document {
            return Some((source.content_type, source.print(&self.base, &items)));
        }
        let item = items.iter().find(|item| source.path(item) == path)?;
        Some(source.page(item))
    }

    fn reply(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            return response;
        }
        let Some((content_type, bytes)) = self.answer(request.uri().path()) else {
            *response.status_mut() = StatusCode::NOT_FOUND;
            *response.body_mut() = Full::from(self.contents());
            return response;
        };
        let etag = format!("\"{:016x}\"", hash64(&[&bytes]));
        let known =
            request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
        if let Ok(etag) = http::HeaderValue::from_str(&etag) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
        *response.body_mut() = Full::from(bytes);
        response
    }

    /// What there is, for somebody who looks around.
    fn contents(&self) -> String {
        let lines =
            SOURCES.iter().map(|source| format!("{}/{}/{}  {}\n", self.base, source.id, source.document, source.name));
        format!("The origin of the demo plays five invented sources:\n\n{}", lines.collect::<String>())
    }
}

/// Serves until the task is dropped.
pub async fn serve(listener: TcpListener, played: Played) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let played = played.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let reply = played.reply(&request);
                async move { Ok::<_, Infallible>(reply) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME);
            // A client that hangs up early is no news here.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
