//! Everything that a source can do to us, at once: the daemon lives, the others are on time, memory stays small, and each
//! source's page says what is wrong.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, Desk};
use crate::frames::{Frames, Trick};
use crate::origin::{Origin, Reply, pack};

/// Longest wait for all of them: each is given up within the `timeout` below, but a machine may be busy.
const PATIENCE: Duration = Duration::from_mins(4);
/// First requests of so many new sources are not spread, the good ones of the test among them.
const AT_ONCE: usize = 40;
/// Memory may grow by so many KiB.
const GROWTH: u64 = 64 << 10;

const FEED: &str = "<rss version='2.0'><channel><title>t</title><item><title>许昌市一座图书馆今日开馆迎客</title>\
                    <link>http://a.example/1</link><guid>1</guid></item></channel></rss>";

/// A source, what serves it, and words that its page must show.
struct Case {
    id: &'static str,
    block: String,
    words: &'static str,
}

/// Lives as long as the test.
#[derive(Default)]
struct Origins {
    plain: Vec<Origin>,
    frames: Vec<Frames>,
    cases: Vec<Case>,
}

impl Origins {
    /// A feed on a host of its own.
    fn feed(&mut self, id: &'static str, reply: Reply, words: &'static str) {
        let origin = self.site();
        origin.serve("/feed", reply);
        let block = format!("feed = \"{}\"\n", origin.url("/feed"));
        self.plain.push(origin);
        self.cases.push(Case { id, block, words });
    }

    fn page(&mut self, id: &'static str, robots: Reply, page: Reply, words: &'static str) {
        let origin = self.site();
        origin.serve("/robots.txt", robots);
        origin.serve("/page", page);
        let block = format!("page = \"{}\"\n", origin.url("/page"));
        self.plain.push(origin);
        self.cases.push(Case { id, block, words });
    }

    fn site(&self) -> Origin {
        Origin::start_at(&format!("127.0.1.{}", self.plain.len() + 1))
    }

    fn trick(&mut self, id: &'static str, trick: Trick, words: &'static str) {
        let frames = Frames::start(trick);
        let url = frames.url("/feed");
        let block = if trick == Trick::NoWindow {
            format!(
                "api = \"{url}\"\npost = {{ q = \"1\" }}\njson = {{ items = \"x\", title = \"t\", link = \"l\" }}\n"
            )
        } else {
            format!("feed = \"{url}\"\n")
        };
        self.frames.push(frames);
        self.cases.push(Case { id, block: block + &authority(), words });
    }

    fn certified(&mut self, id: &'static str, certificate: &[u8], words: &'static str) {
        let origin = Origin::start_certified(certificate);
        origin.serve("/feed", Reply::ok(FEED));
        let block = format!("feed = \"{}\"\n{}", origin.url("/feed"), authority());
        self.plain.push(origin);
        self.cases.push(Case { id, block, words });
    }
}

fn authority() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls/authority.pem");
    format!("ca = \"{}\"\n", file.display())
}

fn hostile() -> Origins {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let blanks = vec![b' '; 96 << 20];
    let long = "x".repeat(200_000);
    let mut all = Origins::default();
    // Bodies that break off, lie about their length, or do not end.
    all.feed("cut", Reply::ok(long.clone()).cut(1_000), "broke off");
    all.feed("short", Reply::ok("abc").header("Content-Length", "10"), "broke off");
    all.feed("slam", Reply::slam(), "broke off");
    all.feed("large", Reply::ok(vec![b'x'; 12 << 20]), "body_max");
    all.feed("endless-body", Reply::endless_body(), "body_max");
    all.feed("huge-length", Reply::ok("x").header("Content-Length", "99999999999999"), "body_max");
    all.feed("two-lengths", Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "HTTP");
    all.feed("chunk-lie", Reply::raw(format!("{chunked}ffffff\r\nabc\r\n0\r\n\r\n")), "broke off");
    all.feed("no-chunk", Reply::raw(format!("{chunked}abc\r\n0\r\n\r\n")), "broke off");
    all.feed("endless-size", Reply::flood(chunked, "0"), "without coming to an answer");
    all.feed("endless-extension", Reply::flood(format!("{chunked}1;"), "x"), "broke off");
    all.feed("endless-trailer", Reply::flood(format!("{chunked}0\r\n"), "X: y\r\n"), "broke off");
    // Time.
    all.feed("drip", Reply::ok(long.clone()).drip(1, Duration::from_millis(100)), "200 bytes a second");
    all.feed("hang", Reply::hang(), "took longer than");
    // Heads.
    all.feed("endless-head", Reply::endless_head(), "head of the answer");
    all.feed("interim", Reply::flood("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), "interim answers");
    all.feed("ssh", Reply::raw("SSH-2.0-OpenSSH_9.2\r\n"), "does not speak HTTP");
    // What is packed.
    for (id, encoding) in [("gzip", "gzip"), ("deflate", "deflate"), ("brotli", "br"), ("zstandard", "zstd")] {
        all.feed(id, Reply::ok(pack(encoding, &blanks)).header("Content-Encoding", encoding), "decompression bomb");
    }
    let members = pack("gzip", &blanks[..500 << 10]).repeat(400);
    all.feed("members", Reply::ok(members).header("Content-Encoding", "gzip"), "decompression bomb");
    all.feed("matryoshka", Reply::ok("x").header("Content-Encoding", "gzip, gzip"), "packs its answer");
    all.feed("torn", Reply::ok(long.clone()).gzip().header("X", "y").cut(60), "broke off");
    all.feed("not-packed", Reply::ok("\x1f\u{8b}rubbish").header("Content-Encoding", "br"), "does not unpack");
    // Redirects.
    all.feed("circle", Reply::redirect(302, "/feed"), "in a circle");
    all.feed("cookie-circle", Reply::redirect(302, "/feed").header("Set-Cookie", "a=1; Path=/"), "in a circle");
    all.feed("nowhere", Reply::status(301, ""), "without saying where");
    all.feed("to-a-file", Reply::redirect(302, "file:///etc/passwd"), "without saying where");
    all.feed("to-the-network", Reply::redirect(302, "http://192.168.0.1/"), "not public");
    all.feed("to-the-cloud", Reply::redirect(302, "http://169.254.169.254/latest/meta-data/"), "not public");
    all.feed("to-mapped", Reply::redirect(302, "http://[::ffff:10.0.0.1]/"), "not public");
    all.feed("to-decimal", Reply::redirect(302, "http://167772161/"), "not public");
    all.feed("to-ssh", Reply::redirect(302, "http://127.0.0.1:22/"), "ports 80 and 443 only");
    let origin = all.site();
    for step in 0..9 {
        origin.serve(&format!("/{step}"), Reply::redirect(302, &format!("/{}", step + 1)));
    }
    all.cases.push(Case {
        id: "nine-steps",
        block: format!("feed = \"{}\"\n", origin.url("/0")),
        words: "more than 5 redirects",
    });
    all.plain.push(origin);
    // Documents.
    let mut laughs = String::from("<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY a \"ha\">");
    for (inner, outer) in
        ["a", "b", "c", "d", "e", "f", "g", "h", "i"].iter().zip(["b", "c", "d", "e", "f", "g", "h", "i", "j"])
    {
        let _ = write!(laughs, "<!ENTITY {outer} \"{}\">", format!("&{inner};").repeat(10));
    }
    laughs
        .push_str("]><rss version='2.0'><channel><title>&j;</title><description>&j;&j;</description></channel></rss>");
    all.feed("laughs", Reply::ok(laughs), "0 items");
    all.feed("nested", Reply::ok(format!("<rss><channel>{}", "<media:group>".repeat(60_000))), "0 items");
    // robots.txt.
    all.page("forbidden", Reply::ok("User-agent: *\nDisallow: /page\n"), Reply::ok(""), "line 2");
    all.page("ruleless", Reply::status(503, ""), Reply::ok(""), "robots.txt is answered with 503");
    all.page("endless-rules", Reply::endless_body(), Reply::ok("<html></html>"), "list|0 items|nothing");
    let divs = Reply::ok(format!("<html><body>{}", "<div>".repeat(200_000)));
    all.page("divs", Reply::status(404, ""), divs, "");
    // Encryption.
    all.certified("expired", include_bytes!("tls/expired.pem"), "no secure connection");
    all.certified("other-name", include_bytes!("tls/other.pem"), "no secure connection");
    all.certified("self-signed", include_bytes!("tls/self.pem"), "no secure connection");
    for (id, trick, words) in [
        ("tls-silence", Trick::Silence, "agreeing on encryption"),
        ("tls-hangup", Trick::Hangup, "no secure connection"),
        ("tls-plain", Trick::PlainText, "no secure connection"),
        // HTTP/2.
        ("h2-stall", Trick::Stall, "took longer than"),
        ("h2-no-window", Trick::NoWindow, "took longer than"),
        ("h2-pings", Trick::Pings, "without coming to an answer|HTTP|broke off"),
        ("h2-settings", Trick::Settings, "without coming to an answer|HTTP|broke off"),
        ("h2-resets", Trick::Resets, "without coming to an answer|HTTP|broke off"),
        ("h2-continuations", Trick::Continuations, "without coming to an answer|HTTP|broke off|head of the answer"),
        ("h2-hpack", Trick::Hpack, "without coming to an answer|HTTP|broke off|head of the answer"),
        ("h2-huge-head", Trick::HugeHead, "without coming to an answer|HTTP|broke off|head of the answer"),
        ("h2-interim", Trick::Interim, "without coming to an answer"),
        ("h2-empty-data", Trick::EmptyData, "without coming to an answer|given up|HTTP|broke off"),
        ("h2-overflow", Trick::Overflow, "body_max|without coming to an answer|HTTP|broke off"),
        ("h2-promises", Trick::Promises, "without coming to an answer|HTTP|broke off"),
        ("h2-goaway", Trick::Goaway, "HTTP|broke off"),
        ("h2-garbage", Trick::Garbage, "without coming to an answer|HTTP|broke off"),
    ] {
        all.trick(id, trick, words);
    }
    all
}

/// Three good sources are asked every second beside more than there are rounds at once, each on a host of its own that hangs
/// at `path`.
fn others_are_asked_beside(path: &str, hang: impl Fn(&Origin) -> String) {
    const HANGING: usize = citydesk::schedule::IN_FLIGHT + citydesk::poll::AT_WORK;
    let good: Vec<Origin> = (1..=3).map(|n| Origin::start_at(&format!("127.0.4.{n}"))).collect();
    let mut feeds = String::from("[defaults]\nevery = \"1s\"\ntimeout = \"40s\"\n");
    for (n, origin) in good.iter().enumerate() {
        origin.serve("/feed", Reply::ok(FEED));
        let _ = write!(feeds, "[[source]]\nid = \"good-{n}\"\nfeed = \"{}\"\n", origin.url("/feed"));
    }
    let hanging: Vec<Origin> = (1..=HANGING).map(|n| Origin::start_at(&format!("127.0.3.{n}"))).collect();
    let desk = Desk::new("");
    let file = desk.folder().join("feeds.toml");
    let tables = std::fs::read_to_string(&file).unwrap();
    // Bit by bit: the first requests of more than fifty new sources are spread.
    let mut daemon = None;
    let mut asked = 0;
    for part in hanging.chunks(AT_ONCE) {
        for origin in part {
            let block = hang(origin);
            let _ = write!(feeds, "[[source]]\nid = \"hanging-{}\"\n{block}", feeds.len());
        }
        std::fs::write(&file, tables.clone() + &feeds).unwrap();
        daemon.get_or_insert_with(|| desk.serve());
        // Where they hold up each other, not all of them are asked; that is for the good ones to show.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) && part.iter().any(|origin| origin.hits(path) == 0) {
            std::thread::sleep(Duration::from_millis(50));
        }
        asked += part.iter().filter(|origin| origin.hits(path) > 0).count();
    }
    let mut daemon = daemon.unwrap();
    let hits: Vec<usize> = good.iter().map(|origin| origin.hits("/feed")).collect();
    std::thread::sleep(Duration::from_secs(10));
    for (origin, before) in good.iter().zip(hits) {
        let times = origin.hits("/feed") - before;
        assert!(
            times >= 3,
            "beside {asked} of {HANGING} that hang, a good source was asked {times} times in ten seconds"
        );
    }
    assert_eq!(asked, HANGING, "nor do those that hang hold up each other");
    assert!(daemon.ended().is_none(), "the daemon died\n{}", daemon.tail());
    let (status, _) = daemon.stop();
    assert!(status.success(), "{status}");
}

/// They take a request and never answer.
#[test]
fn servers_that_hang_keep_nobody_else_waiting() {
    others_are_asked_beside("/feed", |origin| {
        origin.serve("/feed", Reply::hang());
        format!("feed = \"{}\"\n", origin.url("/feed"))
    });
}

/// Their answers begin, and then nothing more comes of them, or hardly anything.
#[test]
fn bodies_that_hang_keep_nobody_else_waiting() {
    others_are_asked_beside("/feed", |origin| {
        let port = origin.address().port();
        // What drips, drips more than what is given up for its slowness.
        let (bytes, pause) =
            if port % 2 == 0 { (100, Duration::from_hours(1)) } else { (300, Duration::from_millis(300)) };
        origin.serve("/feed", Reply::ok(FEED.repeat(1_000)).drip(bytes, pause));
        format!("feed = \"{}\"\n", origin.url("/feed"))
    });
}

/// Their lists are there at once, and the pages of their articles never.
#[test]
fn articles_that_hang_keep_nobody_else_waiting() {
    others_are_asked_beside("/a/1", |origin| {
        let items: String = (1..=9)
            .map(|n| {
                let link = origin.url(&format!("/a/{n}"));
                origin.serve(&format!("/a/{n}"), Reply::hang());
                format!("<item><title>许昌市第{n}座图书馆今日开馆迎客</title><link>{link}</link></item>")
            })
            .collect();
        let feed = format!("<rss version='2.0'><channel><title>t</title>{items}</channel></rss>");
        origin.serve("/feed", Reply::ok(feed));
        format!("feed = \"{}\"\nbody = \"readable\"\n", origin.url("/feed"))
    });
}

/// Resident memory of a process now and at its highest, in KiB.
fn memory(daemon: &Daemon) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (of("VmRSS:"), of("VmHWM:"))
}

#[test]
fn the_daemon_bears_everything_at_once_and_the_others_are_on_time() {
    let good: Vec<Origin> = (1..=3).map(|n| Origin::start_at(&format!("127.0.2.{n}"))).collect();
    let mut feeds = String::from("[defaults]\nevery = \"1s\"\ntimeout = \"20s\"\n");
    for (n, origin) in good.iter().enumerate() {
        origin.serve("/feed", Reply::ok(FEED.replace("许昌市一座", &format!("许昌市第{n}座"))));
        let _ = write!(feeds, "[[source]]\nid = \"good-{n}\"\nfeed = \"{}\"\n", origin.url("/feed"));
    }
    let desk = Desk::new("");
    // Reasons as they are written here: the pages of a desk in Chinese say them in Chinese.
    let file = desk.folder().join("feeds.toml");
    let tables = std::fs::read_to_string(&file).unwrap().replace("[site]\n", "[site]\nlanguage = \"en\"\n");
    std::fs::write(&file, tables.clone() + &feeds).unwrap();
    let mut daemon = desk.serve();
    daemon.until("the good ones are read", |_| good.iter().all(|origin| origin.hits("/feed") > 2));
    daemon.get("/feeds/all.rss");
    daemon.get("/sources");
    let (before, _) = memory(&daemon);

    let hostile = hostile();
    for Case { id, block, .. } in &hostile.cases {
        let _ = write!(feeds, "[[source]]\nid = \"{id}\"\n{block}");
    }
    let hits: Vec<usize> = good.iter().map(|origin| origin.hits("/feed")).collect();
    std::fs::write(&file, tables + &feeds).unwrap();
    let begun = Instant::now();
    let mut open: Vec<&Case> = hostile.cases.iter().collect();
    let mut gap = [(0, begun); 3];
    let mut longest = Duration::ZERO;
    while !open.is_empty() && begun.elapsed() < PATIENCE {
        assert!(daemon.ended().is_none(), "the daemon died\n{}", daemon.tail());
        open.retain(|case| {
            let page = daemon.get(&format!("/sources/{}?", case.id));
            let page = String::from_utf8_lossy(&page.body).into_owned();
            let Some((_, reason)) = page.split_once("<p class=\"standfirst\">") else { return true };
            let reason = reason.split("</p>").next().unwrap_or_default();
            let told = !reason.contains("state new")
                && (case.words.is_empty() || reason.contains("state broken") || reason.contains("state silent"));
            !(told && case.words.split('|').any(|words| reason.contains(words)))
        });
        for (origin, gap) in good.iter().zip(&mut gap) {
            let hits = origin.hits("/feed");
            if hits > gap.0 {
                *gap = (hits, Instant::now());
            }
            longest = longest.max(gap.1.elapsed());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let left: Vec<String> = open
        .iter()
        .map(|case| {
            let page = String::from_utf8_lossy(&daemon.get(&format!("/sources/{}", case.id)).body).into_owned();
            let reason = page
                .split_once("<p class=\"standfirst\">")
                .map(|(_, rest)| rest.split("</p>").next())
                .unwrap_or_default();
            format!("{}: {:?} instead of {:?}", case.id, reason.unwrap_or_default(), case.words)
        })
        .collect();
    let took = begun.elapsed();
    let (after, most) = memory(&daemon);
    println!(
        "{} hostile sources told within {took:.0?}; longest pause of a good one {longest:.1?}; memory {before} KiB before, \
         {after} KiB after, {most} KiB at most",
        hostile.cases.len()
    );
    assert!(left.is_empty(), "after {took:?} these pages do not say what is wrong:\n{}", left.join("\n"));
    // Each is due every second; a busy machine may take ten times as long, a blocked queue would not come at all.
    for (origin, before) in good.iter().zip(hits) {
        let asked = origin.hits("/feed") - before;
        assert!(asked as u64 >= took.as_secs() / 10, "a good source was asked {asked} times in {took:?}");
    }
    assert!(most.saturating_sub(before) < GROWTH, "memory grew from {before} KiB to {most} KiB");
    assert_eq!(daemon.get("/readyz").status, 200);
    let all = String::from_utf8_lossy(&daemon.get("/feeds/all.rss").body).into_owned();
    assert_eq!(all.matches("<item>").count(), 3);
    let (status, _) = daemon.stop();
    assert!(status.success(), "{status}");
}
