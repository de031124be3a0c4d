//! A web server on loopback that can misbehave in every way that servers do; it counts and keeps what it was asked.
//!
//! Plain threads and sockets: nothing between a test and the bytes on the wire. Every answer closes its connection.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How an answer is sent.
#[derive(Debug, Clone)]
enum Manner {
    /// Properly.
    Proper,
    /// So many bytes at a time, with pauses.
    Drip(usize, Duration),
    /// The connection ends after so many bytes of the body; `Content-Length` says there is more.
    Cut(usize),
    /// These bytes, whatever they are, and the end.
    Raw(Vec<u8>),
    /// These bytes, and then those over and over, for ever.
    Flood(Vec<u8>, Vec<u8>),
    /// Nothing, for ever.
    Hang,
    /// The connection is closed at once.
    Slam,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    manner: Manner,
    blind: bool,
}

#[allow(dead_code, reason = "a box of tools: not every test takes each")]
impl Reply {
    /// Any status, with a body.
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), manner: Manner::Proper, blind: false }
    }

    /// 200 with a body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    /// A redirect.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::status(status, "").header("Location", to)
    }

    /// Exactly these bytes on the wire, then the end.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::ok("").manner(Manner::Raw(bytes.into()))
    }

    /// A gzip bomb of so many megabytes of blanks.
    pub fn bomb(megabytes: usize) -> Self {
        Self::ok(vec![b' '; megabytes << 20]).gzip()
    }

    /// These bytes, and then those over and over, for ever.
    pub fn flood(first: impl Into<Vec<u8>>, over: impl Into<Vec<u8>>) -> Self {
        Self::ok("").manner(Manner::Flood(first.into(), over.into()))
    }

    /// A head that never ends.
    pub fn endless_head() -> Self {
        let line = "X-More: and more and more and more and more and more and more\r\n";
        Self::flood("HTTP/1.1 200 OK\r\n", line)
    }

    /// A body that never ends.
    pub fn endless_body() -> Self {
        Self::flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "10\r\n<item>more</item\r\n")
    }

    /// No answer, and no end of the connection either.
    pub fn hang() -> Self {
        Self::ok("").manner(Manner::Hang)
    }

    /// The connection is accepted and closed.
    pub fn slam() -> Self {
        Self::ok("").manner(Manner::Slam)
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With an `ETag`, which is honoured (as is `Last-Modified`): a matching conditional request gets a 304.
    pub fn etag(self, tag: &str) -> Self {
        self.header("ETag", tag)
    }

    /// With a `Last-Modified`.
    pub fn modified(self, date: &str) -> Self {
        self.header("Last-Modified", date)
    }

    /// Does not look at conditions: always the whole answer.
    pub fn blind(mut self) -> Self {
        self.blind = true;
        self
    }

    /// Packed as gzip, and said so.
    pub fn gzip(self) -> Self {
        self.packed("gzip")
    }

    /// Packed in one of the encodings of HTTP, and said so.
    pub fn packed(mut self, encoding: &str) -> Self {
        self.body = pack(encoding, &self.body);
        self.header("Content-Encoding", encoding)
    }

    /// So many bytes of the body at a time, with a pause after each.
    pub fn drip(self, bytes: usize, pause: Duration) -> Self {
        self.manner(Manner::Drip(bytes, pause))
    }

    /// Only so many bytes of the body, then the end.
    pub fn cut(self, after: usize) -> Self {
        self.manner(Manner::Cut(after))
    }

    fn manner(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A body in one of the encodings of HTTP.
pub fn pack(encoding: &str, body: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::best();
    match encoding {
        "gzip" => {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), level);
            packer.write_all(body).unwrap();
            packer.finish().unwrap()
        }
        "deflate" => {
            let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), level);
            packer.write_all(body).unwrap();
            packer.finish().unwrap()
        }
        "br" => {
            let mut packer = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
            packer.write_all(body).unwrap();
            packer.into_inner()
        }
        "zstd" => zstd::encode_all(body, 3).unwrap(),
        other => panic!("{other} is no encoding"),
    }
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `GET`.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: Vec<u8>,
}

#[allow(dead_code, reason = "a box of tools: not every test takes each")]
impl Asked {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

#[derive(Debug, Default)]
struct Book {
    replies: BTreeMap<String, VecDeque<Reply>>,
    asked: Vec<Asked>,
    /// Requests being answered now, and the most there ever were.
    busy: usize,
    busiest: usize,
}

/// The server. It stops when dropped.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    encrypted: bool,
    book: Arc<Mutex<Book>>,
    stop: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

#[allow(dead_code, reason = "a box of tools: not every test takes each")]
impl Origin {
    /// Listens on a free port of 127.0.0.1. Every path is a 404 until it is served.
    pub fn start() -> Self {
        Self::listen("127.0.0.1", None)
    }

    /// The same at another address of the loopback network: another host.
    pub fn start_at(address: &str) -> Self {
        Self::listen(address, None)
    }

    /// The same with encryption, by the certificate in `tests/it/tls`.
    pub fn start_encrypted() -> Self {
        Self::listen("127.0.0.1", Some(Arc::new(encryption(include_bytes!("tls/certificate.pem")))))
    }

    /// The same, by another certificate with the key in `tests/it/tls`.
    pub fn start_certified(certificate: &[u8]) -> Self {
        Self::listen("127.0.0.1", Some(Arc::new(encryption(certificate))))
    }

    fn listen(address: &str, encryption: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let book = Arc::new(Mutex::new(Book::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopping) = (Arc::clone(&book), Arc::clone(&stop));
        let encrypted = encryption.is_some();
        let listening = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    break;
                }
                let (book, stopping, encryption) = (Arc::clone(&shared), Arc::clone(&stopping), encryption.clone());
                // A client that goes away in the middle is no failure of the test.
                thread::spawn(move || answer(wrap(stream?, encryption)?, &book, &stopping));
            }
        });
        Self { address, encrypted, book, stop, listening: Some(listening) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The absolute address of a path.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.encrypted { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    /// From now on this path (with its query, if it has one) answers so.
    pub fn serve(&self, path: &str, reply: Reply) {
        self.book.lock().unwrap().replies.insert(path.to_owned(), VecDeque::from([reply]));
    }

    /// After what it answers now, once, this path answers so.
    pub fn then(&self, path: &str, reply: Reply) {
        self.book.lock().unwrap().replies.entry(path.to_owned()).or_default().push_back(reply);
    }

    /// How often a path was asked.
    pub fn hits(&self, path: &str) -> usize {
        self.asked(path).len()
    }

    /// What a path was asked, in order.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        let book = self.book.lock().unwrap();
        book.asked.iter().filter(|it| it.target == path || without_query(&it.target) == path).cloned().collect()
    }

    /// Requests in all.
    pub fn total(&self) -> usize {
        self.book.lock().unwrap().asked.len()
    }

    /// The most requests that were being answered at one moment.
    pub fn busiest(&self) -> usize {
        self.book.lock().unwrap().busiest
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

/// TLS of a server with this certificate (PEM) and the key in `tests/it/tls`.
pub fn encryption(certificate: &[u8]) -> ServerConfig {
    let chain = CertificateDer::pem_slice_iter(certificate).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

fn without_query(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

type Line = Box<dyn Stream>;

fn wrap(stream: TcpStream, encryption: Option<Arc<ServerConfig>>) -> std::io::Result<Line> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_nodelay(true)?;
    Ok(match encryption {
        None => Box::new(stream),
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
            Box::new(StreamOwned::new(connection, stream))
        }
    })
}

fn answer(line: Line, book: &Mutex<Book>, stop: &AtomicBool) -> std::io::Result<()> {
    let mut reader = BufReader::new(line);
    let Some(asked) = read(&mut reader)? else { return Ok(()) };
    let stream = reader.get_mut();
    let reply = {
        let mut book = book.lock().unwrap();
        book.busy += 1;
        book.busiest = book.busiest.max(book.busy);
        let target =
            if book.replies.contains_key(&asked.target) { asked.target.as_str() } else { without_query(&asked.target) };
        let reply = book.replies.get_mut(target).and_then(|queue| match queue.len() {
            0 | 1 => queue.front().cloned(),
            _ => queue.pop_front(),
        });
        book.asked.push(asked.clone());
        reply.unwrap_or_else(|| Reply::status(404, "nothing here"))
    };
    let mut leave = Some(|| book.lock().unwrap().busy -= 1);
    // Before the client can know that the answer is whole, or its next request would seem to overlap.
    let result = send(stream, &asked, &reply, stop, &mut || {
        if let Some(leave) = leave.take() {
            leave();
        }
    });
    if let Some(leave) = leave {
        leave();
    }
    result
}

fn read(reader: &mut BufReader<Line>) -> std::io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_u64);
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    Ok(Some(Asked { method, target, headers, body }))
}

fn unchanged(asked: &Asked, reply: &Reply) -> bool {
    if reply.blind || reply.status != 200 {
        return false;
    }
    match (asked.header("if-none-match"), asked.header("if-modified-since")) {
        // RFC 9110 section 13.2.2: If-None-Match goes first, and then the date is not looked at.
        (Some(tags), _) => reply.value("ETag").is_some_and(|etag| tags.split(',').any(|tag| tag.trim() == etag)),
        (None, Some(date)) => reply.value("Last-Modified") == Some(date),
        (None, None) => false,
    }
}

fn send(
    stream: &mut Line,
    asked: &Asked,
    reply: &Reply,
    stop: &AtomicBool,
    last: &mut dyn FnMut(),
) -> std::io::Result<()> {
    match &reply.manner {
        Manner::Raw(bytes) => return stream.write_all(bytes),
        Manner::Slam => return Ok(()),
        Manner::Hang => {
            while !stop.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(20));
            }
            return Ok(());
        }
        Manner::Flood(first, over) => {
            stream.write_all(first)?;
            // Large pieces: a flood that trickles is none.
            let over = over.repeat((64 << 10) / over.len().max(1) + 1);
            while !stop.load(Ordering::SeqCst) {
                stream.write_all(&over)?;
            }
            return Ok(());
        }
        Manner::Proper | Manner::Drip(..) | Manner::Cut(_) => {}
    }
    let unchanged = unchanged(asked, reply);
    let status = if unchanged { 304 } else { reply.status };
    let mut head = format!("HTTP/1.1 {status} Because\r\nConnection: close\r\n");
    if !unchanged && reply.value("Content-Length").is_none() {
        let _ = write!(head, "Content-Length: {}\r\n", reply.body.len());
    }
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    if unchanged || asked.method == "HEAD" {
        return Ok(());
    }
    match reply.manner {
        Manner::Drip(bytes, pause) => {
            let mut pieces = reply.body.chunks(bytes.max(1)).peekable();
            while let Some(piece) = pieces.next() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                if pieces.peek().is_none() {
                    last();
                }
                stream.write_all(piece)?;
                thread::sleep(pause);
            }
            Ok(())
        }
        Manner::Cut(after) => stream.write_all(&reply.body[..after.min(reply.body.len())]),
        _ => stream.write_all(&reply.body),
    }
}
