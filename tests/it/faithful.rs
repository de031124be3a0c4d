//! A feed that exists answers 200 or 304 and nothing else, whatever is done to the desk and however many ask.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::daemon::Desk;

const CLIENTS: usize = 8;
const FEEDS: [&str; 4] = [
    "/feeds/all.rss",
    "/feeds/city/xuchang.atom",
    "/feeds/source/desk.json",
    "/feeds/city/%E9%98%BF%E5%9D%9D.rss", // known, and empty
];

/// What came: statuses by feed, with and without the tag known of it, and how many connections ended without an answer.
#[derive(Debug, Default)]
struct Met {
    statuses: BTreeMap<(bool, u16), u64>,
    broken: u64,
}

/// One request over an open connection: the status and the tag.
fn ask(stream: &mut BufReader<TcpStream>, path: &str, etag: Option<&str>) -> std::io::Result<(u16, String)> {
    let known = etag.map(|etag| format!("if-none-match: {etag}\r\n")).unwrap_or_default();
    stream.get_mut().write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\n{known}\r\n").as_bytes())?;
    answer(stream)
}

/// The next answer of a connection: the status and the tag.
fn answer(stream: &mut BufReader<TcpStream>) -> std::io::Result<(u16, String)> {
    let (mut status, mut length, mut tag, mut line) = (0, 0, String::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        match text.split_once(": ") {
            None => status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap_or(0),
            Some((name, value)) if name.eq_ignore_ascii_case("etag") => value.clone_into(&mut tag),
            Some(_) => {}
        }
    }
    let mut body = vec![0; if status == 304 { 0 } else { length }];
    stream.read_exact(&mut body)?;
    Ok((status, tag))
}

fn connect(address: SocketAddr) -> std::io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(BufReader::new(stream))
}

/// Asks without a pause until told to stop: every feed with its tag, and now and then without.
fn client(address: SocketAddr, tags: &[String], stop: &AtomicBool) -> Met {
    let (mut met, mut stream, mut turn) = (Met::default(), None, 0_usize);
    while !stop.load(Ordering::Relaxed) {
        let Some(open) = stream.as_mut() else {
            // Refused while the daemon is not there: that is forgiven by every reader.
            stream = connect(address).ok();
            if stream.is_none() {
                std::thread::sleep(Duration::from_millis(20));
            }
            continue;
        };
        turn += 1;
        let known = !turn.is_multiple_of(50);
        let at = turn % FEEDS.len();
        if let Ok((status, _)) = ask(open, FEEDS[at], known.then_some(tags[at].as_str())) {
            *met.statuses.entry((known, status)).or_default() += 1;
        } else {
            met.broken += 1;
            stream = None;
        }
    }
    met
}

/// Two thousand requests from one address as fast as they can be sent, as of somebody who subscribes to every city at once:
/// none is refused, none is put off.
fn burst(address: SocketAddr, tags: &[String]) {
    const CONNECTIONS: usize = 20;
    const EACH: usize = 100;
    let begun = Instant::now();
    let readers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let tags = tags.to_vec();
            std::thread::spawn(move || {
                let mut stream = connect(address).unwrap();
                let mut all = String::new();
                for turn in 0..EACH {
                    let at = turn % FEEDS.len();
                    let known = if turn < EACH / 2 { tags[at].as_str() } else { "\"x\"" };
                    all += &format!("GET {} HTTP/1.1\r\nhost: a\r\nif-none-match: {known}\r\n\r\n", FEEDS[at]);
                }
                let mut sender = stream.get_ref().try_clone().unwrap();
                let sending = std::thread::spawn(move || sender.write_all(all.as_bytes()));
                let statuses: Vec<u16> = (0..EACH).map(|_| answer(&mut stream).unwrap().0).collect();
                sending.join().unwrap().unwrap();
                statuses
            })
        })
        .collect();
    for reader in readers {
        let statuses = reader.join().unwrap();
        assert!(statuses[..EACH / 2].iter().all(|status| *status == 304), "{statuses:?}");
        assert!(statuses[EACH / 2..].iter().all(|status| *status == 200), "{statuses:?}");
    }
    eprintln!("{} requests in {:?}", CONNECTIONS * EACH, begun.elapsed());
}

#[test]
fn restart_reload_broken_settings_rebuild_and_a_burst_show_readers_nothing_but_200_and_304() {
    let desk = Desk::new("[[source]]\nid = \"desk\"\nfiles = \"desk.xml\"\n");
    let item = |n: u32| {
        format!(
            "<item><guid>g{n}</guid><title>许昌市第{n}小学新校区今日启用</title><link>https://news.example/{n}</link>\
             <description>许昌市第{n}小学新校区今日启用，可提供学位{n}00个。</description></item>"
        )
    };
    let items: String = (1..30).map(item).collect();
    let document = format!("<rss version=\"2.0\"><channel><title>许昌</title>{items}</channel></rss>");
    fs::write(desk.folder().join("desk.xml"), document).unwrap();
    let mut daemon = desk.serve();
    daemon.until("the feed is full", |daemon| {
        String::from_utf8_lossy(&daemon.get(FEEDS[0]).body).matches("<item>").count() > 10
    });
    let mut stream = connect(desk.address()).unwrap();
    let tags: Vec<String> = FEEDS.iter().map(|path| ask(&mut stream, path, None).unwrap().1).collect();
    burst(desk.address(), &tags);
    let numbers = String::from_utf8_lossy(&daemon.get("/metrics").body).into_owned();
    let number = |name: &str| -> f64 {
        let line = numbers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} in {numbers}"))
    };
    assert!(
        number("citydesk_press_bytes") > 0.0 && number("citydesk_press_bytes") < number("citydesk_press_limit_bytes")
    );
    assert!(number("citydesk_press_renders") >= FEEDS.len() as f64);
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (address, tags, stop) = (desk.address(), tags.clone(), Arc::clone(&stop));
            std::thread::spawn(move || client(address, &tags, &stop))
        })
        .collect();
    let config = desk.folder().join("feeds.toml");
    let good = fs::read_to_string(&config).unwrap();
    let pause = || std::thread::sleep(Duration::from_millis(500));
    pause();
    fs::write(&config, format!("{good}\n# another line\n")).unwrap();
    assert_eq!(desk.run(&["reload"]).status.code(), Some(0), "{}", daemon.tail());
    fs::write(&config, "[[source]]\nfeed = [[[").unwrap();
    assert_ne!(desk.run(&["reload"]).status.code(), Some(0));
    pause();
    fs::write(&config, &good).unwrap();
    assert_eq!(desk.run(&["reload"]).status.code(), Some(0), "{}", daemon.tail());
    assert_eq!(desk.run(&["rebuild"]).status.code(), Some(0), "{}", daemon.tail());
    pause();
    assert!(daemon.stop().0.success());
    let daemon = desk.serve();
    pause();
    daemon.kill();
    assert_eq!(desk.run(&["rebuild"]).status.code(), Some(0));
    let daemon = desk.serve();
    pause();
    stop.store(true, Ordering::Relaxed);
    let mut all = Met::default();
    for client in clients {
        let met = client.join().unwrap();
        all.broken += met.broken;
        for (key, count) in met.statuses {
            *all.statuses.entry(key).or_default() += count;
        }
    }
    let asked: u64 = all.statuses.values().sum();
    eprintln!("{asked} requests in {:?}: {all:?}", begun.elapsed());
    let allowed = [(true, 304), (false, 200)];
    assert!(all.statuses.keys().all(|key| allowed.contains(key)), "who has it gets 304, who has not 200: {all:?}");
    assert!(asked > 2_000, "{all:?}");
    assert!(daemon.stop().0.success());
}
