//! Connects: looks the name up, asks the guard about each address, and connects only to one that passed.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower_service::Service;

use crate::clock::Clock;

use super::error::{FetchError, Phase};
use super::guard::Guard;
use super::proxy::Proxy;

/// Longest look-up of a name.
pub const DNS_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest attempt to connect, all addresses of a host together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// Longest agreement on encryption.
pub const TLS_TIMEOUT: Duration = Duration::from_secs(8);
/// Addresses of one host that are tried.
const ADDRESSES: usize = 6;
/// Head start of each address before the next one is tried beside it (RFC 8305 section 5).
const HEAD_START: Duration = Duration::from_millis(250);

type Boxed = Box<dyn std::error::Error + Send + Sync>;
type Future<T> = Pin<Box<dyn std::future::Future<Output = Result<T, Boxed>> + Send>>;

/// How a connection came about.
#[derive(Debug, Default)]
pub struct Contact {
    /// Milliseconds for the look-up.
    pub dns: AtomicI64,
    /// Milliseconds for TCP.
    pub connect: AtomicI64,
    /// Milliseconds for TLS.
    pub tls: AtomicI64,
    /// Whether a request has used it before.
    pub used: AtomicBool,
    /// Who is at the other end.
    pub remote: Option<SocketAddr>,
}

/// Makes TCP connections to addresses that the guard lets pass.
#[derive(Clone)]
pub struct Dialer {
    pub(super) guard: Arc<Guard>,
    pub(super) clock: Clock,
    pub(super) proxy: Option<Arc<Proxy>>,
}

impl Dialer {
    async fn dial(self, uri: Uri) -> Result<Line, FetchError> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let Some(proxy) = self.proxy.clone() else {
            let started = (self.clock)();
            let addresses = self.look_up(&host, port).await?;
            let found = (self.clock)();
            let stream = connect(&host, &addresses).await?;
            let contact = Contact {
                dns: AtomicI64::new(found.since(started)),
                connect: AtomicI64::new((self.clock)().since(found)),
                remote: stream.peer_addr().ok(),
                ..Contact::default()
            };
            return Ok(Line { stream: TokioIo::new(stream), contact: Arc::new(contact), proxied: false });
        };
        // A proxy looks names up itself; a literal can be judged here.
        if let Ok(address) = host.parse::<IpAddr>() {
            self.judge(&host, address)?;
        }
        let started = (self.clock)();
        let open = async {
            let addresses = system_look_up(&proxy.host, proxy.port).await?;
            let mut stream = connect(&proxy.host, &addresses).await?;
            let proxied = proxy.lead(&mut stream, &host, port, secure).await?;
            Ok::<_, FetchError>((stream, proxied))
        };
        let (stream, proxied) = timeout(CONNECT_TIMEOUT, open)
            .await
            .unwrap_or_else(|_| Err(late(&proxy.host, Phase::Connect, CONNECT_TIMEOUT)))
            .map_err(|error| match error {
                error @ FetchError::Proxy { .. } => error,
                other => FetchError::Proxy { proxy: proxy.shown(), host: host.clone(), why: other.to_string() },
            })?;
        let contact = Contact {
            connect: AtomicI64::new((self.clock)().since(started)),
            remote: stream.peer_addr().ok(),
            ..Contact::default()
        };
        Ok(Line { stream: TokioIo::new(stream), contact: Arc::new(contact), proxied })
    }

    /// The addresses of a host that may be connected to, at most [`ADDRESSES`].
    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, FetchError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            self.judge(host, address)?;
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = system_look_up(host, port).await?;
        let mut refusal = None;
        let mut allowed = Vec::new();
        for address in found {
            match self.judge(host, address.ip()) {
                Ok(()) => allowed.push(address),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match refusal {
            Some(error) if allowed.is_empty() => Err(error),
            _ => {
                allowed.truncate(ADDRESSES);
                Ok(allowed)
            }
        }
    }

    fn judge(&self, host: &str, address: IpAddr) -> Result<(), FetchError> {
        self.guard.verdict(address).map_err(|what| FetchError::Refused {
            host: host.to_owned(),
            address,
            prefix: if address.is_ipv4() { 32 } else { 128 },
            what,
        })
    }
}

fn late(host: &str, phase: Phase, limit: Duration) -> FetchError {
    FetchError::Timeout { host: host.to_owned(), phase, seconds: limit.as_secs() }
}

async fn system_look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, FetchError> {
    let trouble = |why: String| FetchError::Dns { host: host.to_owned(), why };
    let found = match timeout(DNS_TIMEOUT, tokio::net::lookup_host((host, port))).await {
        Err(_) => return Err(late(host, Phase::Dns, DNS_TIMEOUT)),
        Ok(Err(error)) => return Err(trouble(error.to_string())),
        Ok(Ok(found)) => found.collect::<Vec<_>>(),
    };
    if found.is_empty() { Err(trouble("it has no address".to_owned())) } else { Ok(found) }
}

/// Connects to the first address that answers, each a little after the one before.
async fn connect(host: &str, addresses: &[SocketAddr]) -> Result<TcpStream, FetchError> {
    let race = async {
        let mut attempts = JoinSet::new();
        for (place, address) in addresses.iter().copied().enumerate() {
            attempts.spawn(async move {
                tokio::time::sleep(HEAD_START * place as u32).await;
                TcpStream::connect(address).await
            });
        }
        let mut why = "it has no address".to_owned();
        while let Some(attempt) = attempts.join_next().await {
            match attempt {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => why = error.to_string(),
                Err(error) => why = error.to_string(),
            }
        }
        Err(FetchError::Connect { host: host.to_owned(), why })
    };
    let stream =
        timeout(CONNECT_TIMEOUT, race).await.unwrap_or_else(|_| Err(late(host, Phase::Connect, CONNECT_TIMEOUT)))?;
    // Small requests: waiting to fill a packet only costs time. A system that cannot is no reason to fail.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

impl Service<Uri> for Dialer {
    type Response = Line;
    type Error = Boxed;
    type Future = Future<Line>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Boxed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = self.clone();
        Box::pin(async move { dialer.dial(uri).await.map_err(Into::into) })
    }
}

/// The dialer with encryption on top, and its own time limit.
#[derive(Clone)]
pub struct Connector {
    pub(super) inner: HttpsConnector<Dialer>,
    pub(super) clock: Clock,
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Line>;
    type Error = Boxed;
    type Future = Future<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Boxed>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let host = uri.host().unwrap_or_default().to_owned();
        let clock = Arc::clone(&self.clock);
        let started = clock();
        let inner = self.inner.call(uri);
        Box::pin(async move {
            // Look-up and TCP have their own limits inside; what is left of this one is TLS.
            let stream = match timeout(DNS_TIMEOUT + CONNECT_TIMEOUT + TLS_TIMEOUT, inner).await {
                Err(_) => return Err(late(&host, Phase::Tls, TLS_TIMEOUT).into()),
                Ok(Err(error)) => {
                    let ours = error.downcast_ref::<FetchError>().cloned();
                    return Err(ours.unwrap_or_else(|| FetchError::Tls { host, why: error.to_string() }).into());
                }
                Ok(Ok(stream)) => stream,
            };
            if let MaybeHttpsStream::Https(_) = &stream {
                let mut extras = http::Extensions::new();
                stream.connected().get_extras(&mut extras);
                if let Some(contact) = extras.get::<Arc<Contact>>() {
                    let before = contact.dns.load(Ordering::Relaxed) + contact.connect.load(Ordering::Relaxed);
                    contact.tls.store(clock().since(started) - before, Ordering::Relaxed);
                }
            }
            Ok(stream)
        })
    }
}

/// A TCP connection that knows how it came about.
pub struct Line {
    stream: TokioIo<TcpStream>,
    contact: Arc<Contact>,
    /// To an HTTP proxy that wants the whole address in the request line (RFC 9112 section 3.2.2).
    proxied: bool,
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.proxied).extra(Arc::clone(&self.contact))
    }
}

impl Read for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
