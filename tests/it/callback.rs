//! A WebSub subscriber on loopback that can misbehave: it answers verifications, takes deliveries, and keeps all of it.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How it answers a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    /// With the challenge.
    Yes,
    /// With this status.
    No(u16),
    /// 200, with something else.
    Wrong,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Came {
    /// When it was whole.
    pub at: Instant,
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Fields of the query, decoded.
    pub query: BTreeMap<String, String>,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: Vec<u8>,
}

#[allow(dead_code, reason = "a box of tools: not every test takes each")]
impl Came {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// A field of the query, or nothing.
    pub fn field(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

#[derive(Debug)]
struct Book {
    came: Vec<Came>,
    consent: BTreeMap<String, Consent>,
    /// Statuses of the next deliveries to a path, then 200.
    statuses: BTreeMap<String, VecDeque<u16>>,
    /// Deliveries to these paths are not answered.
    hang: Vec<String>,
}

/// The subscriber. It stops when dropped.
#[derive(Debug)]
pub struct Callback {
    address: SocketAddr,
    book: Arc<(Mutex<Book>, Condvar)>,
    stop: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

#[allow(dead_code, reason = "a box of tools: not every test takes each")]
impl Callback {
    /// Listens on a free port of 127.0.0.1, and confirms everything.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let book = Book { came: Vec::new(), consent: BTreeMap::new(), statuses: BTreeMap::new(), hang: Vec::new() };
        let book = Arc::new((Mutex::new(book), Condvar::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopping) = (Arc::clone(&book), Arc::clone(&stop));
        let listening = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    break;
                }
                let (book, stopping) = (Arc::clone(&shared), Arc::clone(&stopping));
                thread::spawn(move || serve(stream?, &book, &stopping));
            }
        });
        Self { address, book, stop, listening: Some(listening) }
    }

    /// Address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on this path answers verifications so.
    pub fn consent(&self, path: &str, consent: Consent) {
        self.book.0.lock().unwrap().consent.insert(path.to_owned(), consent);
    }

    /// The next deliveries to this path are answered with these statuses.
    pub fn answers(&self, path: &str, statuses: &[u16]) {
        self.book.0.lock().unwrap().statuses.insert(path.to_owned(), statuses.iter().copied().collect());
    }

    /// Deliveries to this path are never answered.
    pub fn hang(&self, path: &str) {
        self.book.0.lock().unwrap().hang.push(path.to_owned());
    }

    /// What came by this method at this path so far.
    pub fn came(&self, method: &str, path: &str) -> Vec<Came> {
        select(&self.book.0.lock().unwrap().came, method, path)
    }

    /// Waits until so many requests of this kind have come.
    pub fn wait(&self, method: &str, path: &str, count: usize) -> Vec<Came> {
        let begun = Instant::now();
        let mut book = self.book.0.lock().unwrap();
        loop {
            let found = select(&book.came, method, path);
            if found.len() >= count {
                return found;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(50),
                "waited in vain for {count} {method} {path}: {:?}",
                book.came
            );
            book = self.book.1.wait_timeout(book, Duration::from_millis(200)).unwrap().0;
        }
    }
}

fn select(came: &[Came], method: &str, path: &str) -> Vec<Came> {
    came.iter().filter(|it| it.method == method && bare(&it.target) == path).cloned().collect()
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

fn bare(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

/// Answers one connection, request after request.
fn serve(stream: TcpStream, book: &(Mutex<Book>, Condvar), stop: &AtomicBool) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(came) = read(&mut reader)? {
        let path = bare(&came.target).to_owned();
        let (status, body, hang) = {
            let mut book = book.0.lock().unwrap();
            let consent = book.consent.get(&path).cloned().unwrap_or(Consent::Yes);
            let delivery = came.method == "POST";
            let (status, body) = match consent {
                _ if delivery => {
                    (book.statuses.get_mut(&path).and_then(VecDeque::pop_front).unwrap_or(200), String::new())
                }
                Consent::Yes => (200, came.field("hub.challenge").to_owned()),
                Consent::No(status) => (status, came.field("hub.challenge").to_owned()),
                Consent::Wrong => (200, "something else".to_owned()),
            };
            let hang = delivery && book.hang.contains(&path);
            book.came.push(came);
            (status, body, hang)
        };
        book.1.notify_all();
        while hang && !stop.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(20));
        }
        let location = if (300..400).contains(&status) { "Location: /elsewhere\r\n" } else { "" };
        write!(writer, "HTTP/1.1 {status} So\r\n{location}Content-Length: {}\r\n\r\n{body}", body.len())?;
    }
    Ok(())
}

fn read(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Came>> {
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
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_usize);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Ok(Some(Came { at: Instant::now(), method, target, query, headers, body }))
}
