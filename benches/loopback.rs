//! The other ends of the wire for the scripts beside this file: an origin with as many feeds as wanted, and a bare client to
//! be measured by.
//!
//! `origin PORT ITEMS` serves `/f/N` for every N, each with items and an entity tag of its own; `/new/PER_MILLE` gives one
//! more item to so many of a thousand feeds. `ask FILE ROUNDS [A_SECOND]` asks every address in a file, then again
//! conditionally so often, and prints the CPU time of such a request: at full speed, or so many a second, ten times a second
//! a tenth of them, since a client that mostly rests pays for every waking.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on should stop")]

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};

/// Requests at once.
const AT_ONCE: usize = 32;
/// Characters that texts are made of, from here on in Unicode: so many that no two texts are alike.
const FIRST: u32 = 0x4e00;
const CHARACTERS: u64 = 4_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match words.as_slice() {
        ["origin", port, items] => runtime.block_on(origin(port.parse().unwrap(), items.parse().unwrap())),
        ["ask", file, rounds] => runtime.block_on(ask(file, rounds.parse().unwrap(), None)),
        ["ask", file, rounds, pace] => {
            runtime.block_on(ask(file, rounds.parse().unwrap(), Some(pace.parse().unwrap())));
        }
        _ => println!("benches/beside-readers and benches/hundred-thousand use this"),
    }
}

/// A number by chance, the same for the same seed (splitmix64, Steele and others 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn words(state: &mut u64, count: usize) -> String {
    (0..count).filter_map(|_| char::from_u32(FIRST + (next(state) % CHARACTERS) as u32)).collect()
}

/// A feed whose newest items have the numbers below `newest`.
fn feed(number: u64, newest: u64, items: u64) -> String {
    let mut text = format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>来源{number}</title>");
    for nth in (newest.saturating_sub(items)..newest).rev() {
        let mut state = number << 20 | nth;
        let (title, body) = (words(&mut state, 16), words(&mut state, 80));
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "<item><guid isPermaLink=\"false\">{number}-{nth}</guid><title>{title}</title>\
             <link>http://127.0.0.1/{number}/{nth}.html</link><description>{body}。</description></item>"
        );
    }
    text + "</channel></rss>"
}

async fn origin(port: u16, items: u64) {
    let rounds: Arc<Vec<AtomicU64>> = Arc::new((0..1_000).map(|_| AtomicU64::new(0)).collect());
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await.unwrap();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let rounds = Arc::clone(&rounds);
        let answer = service_fn(move |request: Request<hyper::body::Incoming>| {
            let answer = answer(&request, &rounds, items);
            async move { Ok::<_, std::convert::Infallible>(answer) }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

fn answer(request: &Request<hyper::body::Incoming>, rounds: &[AtomicU64], items: u64) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if let Some(share) = path.strip_prefix("/new/").and_then(|share| share.parse().ok()) {
        rounds.iter().take(share).for_each(|round| {
            round.fetch_add(1, Ordering::Relaxed);
        });
    }
    let Some(number) = path.strip_prefix("/f/").and_then(|number| number.parse::<u64>().ok()) else {
        return Response::new(Full::default());
    };
    let newest = items + rounds[(number % 1_000) as usize].load(Ordering::Relaxed);
    let tag = format!("\"{number}-{newest}\"");
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|sent| sent.as_bytes() == tag.as_bytes());
    let reply = Response::builder().header(ETAG, tag).header(CONTENT_TYPE, "application/rss+xml");
    let reply = if known {
        reply.status(StatusCode::NOT_MODIFIED).body(Full::default())
    } else {
        reply.body(Full::from(feed(number, newest, items)))
    };
    reply.unwrap()
}

type Bare = Client<hyper_util::client::legacy::connect::HttpConnector, Empty<Bytes>>;

async fn one(client: Bare, url: Arc<str>, tag: Option<String>) -> (Arc<str>, Option<String>) {
    let mut request = Request::get(&*url);
    if let Some(tag) = &tag {
        request = request.header(IF_NONE_MATCH, tag);
    }
    let answer = client.request(request.body(Empty::new()).unwrap()).await.expect("the origin answers");
    assert_eq!(answer.status() == StatusCode::NOT_MODIFIED, tag.is_some(), "{url}");
    let sent = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    #[allow(clippy::disallowed_methods, reason = "the origin is ours")]
    answer.into_body().collect().await.expect("a whole body");
    (url, tag.or(sent))
}

/// CPU time of the one thread, in nanoseconds.
fn spent() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

async fn ask(file: &str, rounds: usize, pace: Option<usize>) {
    let list = std::fs::read_to_string(file).unwrap();
    let mut known: Vec<(Arc<str>, Option<String>)> =
        list.lines().filter(|line| !line.is_empty()).map(|line| (Arc::from(line), None)).collect();
    let client: Bare = Client::builder(TokioExecutor::new()).build_http();
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(100));
    let (mut begun, count) = (0, known.len() * rounds);
    for round in 0..=rounds {
        if round == 1 {
            begun = spent();
        }
        let mut waiting: VecDeque<_> = std::mem::take(&mut known).into();
        let (mut running, mut turn) = (tokio::task::JoinSet::new(), usize::MAX);
        while !waiting.is_empty() || !running.is_empty() {
            if let Some(pace) = pace.filter(|_| running.is_empty()) {
                tick.tick().await;
                turn = pace.div_ceil(10);
            }
            while running.len() < AT_ONCE
                && turn > 0
                && let Some((url, tag)) = waiting.pop_front()
            {
                turn -= 1;
                running.spawn(one(client.clone(), url, tag));
            }
            known.extend(running.join_next().await.map(|done| done.unwrap()));
        }
    }
    println!(
        "{count} conditional requests, {:.1} us of CPU each",
        (spent() - begun) as f64 / 1e3 / count.max(1) as f64
    );
}
