//! Connects: looks the name up, asks the guard about each address, connects only to one that passed, and agrees on
//! encryption.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::clock::Clock;

use super::error::{FetchError, Phase};
use super::guard::Guard;
use super::lookup::Names;
use super::proxy::Proxy;

/// Longest attempt to connect, all addresses of a host together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// Longest agreement on encryption.
pub const TLS_TIMEOUT: Duration = Duration::from_secs(8);
/// How often a connection is looked at whether anybody still uses it. One that nobody uses is cut: a peer that never
/// lets go must not keep a socket and a task of ours for ever.
const LEASH: Duration = Duration::from_mins(1);
/// Bytes that may come until the head of an answer is there, certificates included: four times the largest head.
pub const HEAD_ALLOWANCE: i64 = 256 * 1024;
/// Addresses of one host that are tried.
const ADDRESSES: usize = 6;
/// Head start of each address before the next one is tried beside it (RFC 8305 section 5).
const HEAD_START: Duration = Duration::from_millis(250);

type Boxed = Box<dyn std::error::Error + Send + Sync>;
type Future<T> = Pin<Box<dyn std::future::Future<Output = Result<T, Boxed>> + Send>>;

/// How a connection came about, and what it is used for.
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
    /// Requests that use it now.
    pub users: AtomicUsize,
    /// So many bytes may still come before it is cut: what is sent beside answers, or in their wrapping, is bounded, too.
    pub allowance: AtomicI64,
    /// Whether more came, and it was cut.
    pub flooded: AtomicBool,
    /// Who is at the other end.
    pub remote: Option<SocketAddr>,
}

/// Counts one connection as open while it lives.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes TCP connections to addresses that the guard lets pass.
#[derive(Clone)]
pub struct Dialer {
    pub(super) guard: Arc<Guard>,
    pub(super) names: Arc<Names>,
    pub(super) clock: Clock,
    pub(super) proxy: Option<Arc<Proxy>>,
    /// Connections that are open now, of all clients.
    pub(super) open: Arc<AtomicUsize>,
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
            return Ok(self.line(stream, contact, false));
        };
        // A proxy looks names up itself; a literal can be judged here.
        if let Ok(address) = host.parse::<IpAddr>() {
            self.judge(&host, address)?;
        }
        let started = (self.clock)();
        let open = async {
            let found = self.names.find(&proxy.host, &self.clock).await?;
            let addresses: Vec<SocketAddr> = found.into_iter().map(|it| SocketAddr::new(it, proxy.port)).collect();
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
        Ok(self.line(stream, contact, proxied))
    }

    fn line(&self, stream: TcpStream, contact: Contact, proxied: bool) -> Line {
        contact.allowance.store(HEAD_ALLOWANCE, Ordering::Relaxed);
        let (contact, leash) = (Arc::new(contact), Box::pin(sleep(LEASH)));
        Line { stream, contact, proxied, leash, _open: Open::new(&self.open) }
    }

    /// The addresses of a host that may be connected to, at most [`ADDRESSES`].
    pub(super) async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, FetchError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            self.judge(host, address)?;
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = self.names.find(host, &self.clock).await?;
        let mut refusal = None;
        let mut allowed = Vec::new();
        for address in found {
            match self.judge(host, address) {
                Ok(()) => allowed.push(SocketAddr::new(address, port)),
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

/// Connects to the first address that answers, each a little after the one before.
async fn connect(host: &str, addresses: &[SocketAddr]) -> Result<TcpStream, FetchError> {
    let race = async {
        if let [address] = addresses {
            let refused = |error: std::io::Error| FetchError::Connect { host: host.to_owned(), why: error.to_string() };
            return TcpStream::connect(address).await.map_err(refused);
        }
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

/// The dialer with encryption on top.
#[derive(Clone)]
pub struct Connector {
    pub(super) dialer: Dialer,
    pub(super) tls: TlsConnector,
}

impl Connector {
    async fn connect(self, uri: Uri) -> Result<Stream, FetchError> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let secure = uri.scheme_str() == Some("https");
        let clock = Arc::clone(&self.dialer.clock);
        let line = self.dialer.dial(uri).await?;
        if !secure {
            return Ok(Stream::Plain(line));
        }
        let wrong = |why: String| FetchError::Tls { host: host.clone(), why };
        // A name may be written with the dot of the root behind it; in certificates it never is.
        let name = ServerName::try_from(host.trim_end_matches('.').to_owned()).map_err(|it| wrong(it.to_string()))?;
        let started = clock();
        let agreed = timeout(TLS_TIMEOUT, self.tls.connect(name, line)).await;
        let stream = agreed.map_err(|_| late(&host, Phase::Tls, TLS_TIMEOUT))?.map_err(|it| wrong(it.to_string()))?;
        stream.get_ref().0.contact.tls.store(clock().since(started), Ordering::Relaxed);
        Ok(Stream::Secure(Box::new(stream)))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Boxed;
    type Future = Future<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Boxed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(uri).await.map(TokioIo::new).map_err(Into::into) })
    }
}

/// A TCP connection that knows how it came about.
pub struct Line {
    stream: TcpStream,
    contact: Arc<Contact>,
    /// To an HTTP proxy that wants the whole address in the request line (RFC 9112 section 3.2.2).
    proxied: bool,
    leash: Pin<Box<Sleep>>,
    _open: Open,
}

impl Line {
    /// Cuts a connection that nobody uses any more.
    fn tug(&mut self, cx: &mut Context<'_>) -> std::io::Result<()> {
        while self.leash.as_mut().poll(cx).is_ready() {
            if self.contact.users.load(Ordering::Relaxed) == 0 {
                return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "nobody uses it any more"));
            }
            self.leash.set(sleep(LEASH));
        }
        Ok(())
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        self.tug(cx)?;
        let before = to.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, to);
        let came = (to.filled().len() - before) as i64;
        if self.contact.allowance.fetch_sub(came, Ordering::Relaxed) < came {
            self.contact.flooded.store(true, Ordering::Relaxed);
            return Poll::Ready(Err(std::io::Error::other("it sends more than an answer has")));
        }
        read
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.tug(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A connection, encrypted or not.
pub enum Stream {
    /// `http`.
    Plain(Line),
    /// `https`.
    Secure(Box<TlsStream<Line>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self {
            Self::Plain(line) => Connected::new().proxy(line.proxied).extra(Arc::clone(&line.contact)),
            Self::Secure(stream) => {
                let (line, session) = stream.get_ref();
                let connected = Connected::new().extra(Arc::clone(&line.contact));
                if session.alpn_protocol() == Some(b"h2") { connected.negotiated_h2() } else { connected }
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(line) => Pin::new(line).poll_read(cx, to),
            Self::Secure(stream) => Pin::new(stream).poll_read(cx, to),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(line) => Pin::new(line).poll_write(cx, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(line) => Pin::new(line).poll_flush(cx),
            Self::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(line) => Pin::new(line).poll_shutdown(cx),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
