//! What a request costs: one feed of 60 entries asked of the real daemon over loopback, as it is, as gzip, and as a 304.
//!
//! Wall time swings with whatever else the machine does; the CPU time of the daemon per request, printed after each
//! run, holds still: compare that.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a benchmark that cannot go on should stop")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod corpus;
#[path = "../tests/it/daemon.rs"]
mod daemon;

const PATH: &str = "/feeds/all.rss";

/// A connection that is kept open.
struct Reader {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Reader {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), body: Vec::new() }
    }

    /// Sends a request; status and bytes of the body.
    fn ask(&mut self, request: &[u8]) -> (u16, usize) {
        self.stream.get_mut().write_all(request).unwrap();
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            assert!(self.stream.read_line(&mut line).unwrap() > 0, "the daemon closed the connection");
            if line == "\r\n" {
                break;
            }
            if status == 0 {
                status = line.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap();
            } else if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:")
                && status != 304
            {
                length = value.trim().parse().unwrap();
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).unwrap();
        (status, length)
    }
}

/// CPU time that a process has used, in microseconds: user and system time stand in /proc/PID/stat in hundredths of a
/// second (proc(5)).
fn cpu(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    fields.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum::<u64>() * 10_000
}

fn serve(c: &mut Criterion) {
    let entries = if corpus::measuring() { 60 } else { 5 };
    let desk = daemon::Desk::new("[[source]]\nid = \"bench\"\nfiles = \"bench.xml\"\n");
    std::fs::write(desk.folder().join("bench.xml"), corpus::document(0, entries)).unwrap();
    let mut daemon = desk.serve();
    daemon.until("the feed is full", |daemon| {
        daemon.get(PATH).body.windows(6).filter(|it| it == b"<item>").count() == entries
    });
    let etag = daemon.try_get(PATH, &[]).and_then(|it| it.headers.get("etag").cloned()).unwrap();

    let mut group = c.benchmark_group("serve 60 entries");
    group.throughput(Throughput::Elements(1));
    for (name, header, status) in [
        ("identity", "Accept-Encoding: identity".to_owned(), 200),
        ("gzip", "Accept-Encoding: gzip".to_owned(), 200),
        ("304", format!("If-None-Match: {etag}"), 304),
    ] {
        let request = format!("GET {PATH} HTTP/1.1\r\nHost: {}\r\n{header}\r\n\r\n", desk.address());
        let mut reader = Reader::new(desk.address());
        assert_eq!(reader.ask(request.as_bytes()).0, status, "{name}");
        let before = cpu(daemon.pid());
        let mut asked = 0_u64;
        group.bench_function(name, |b| {
            b.iter(|| {
                asked += 1;
                reader.ask(request.as_bytes())
            });
        });
        let used = cpu(daemon.pid()) - before;
        eprintln!("{name}: {asked} requests, {:.1} µs of the daemon's CPU each", used as f64 / asked as f64);
    }
    group.finish();
}

criterion_group!(benches, serve);
criterion_main!(benches);
