//! The fetcher against a misbehaving origin: a table of what servers do, and what must come of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use citydesk::clock;
use citydesk::fetch::{Ask, FetchError, Fetcher, LARGE, Obedience, Phase, RATE, WATCH};
use citydesk::model::book::Validators;
use citydesk::model::setting::{Fetch, Network};
use citydesk::model::source::Secret;

use crate::origin::{Origin, Reply, pack};

const AGENT: &str = "citydesk/test (+http://127.0.0.1/about)";
const LIMIT: Duration = Duration::from_secs(5);

fn settings(allow: &[&str]) -> Fetch {
    Fetch {
        per_host: 1,
        body_max: 1 << 20,
        allow_private: allow.iter().map(|network| Network::parse(network).unwrap()).collect(),
        proxy: None,
    }
}

fn fetcher() -> Fetcher {
    Fetcher::new(&settings(&["127.0.0.0/8"]), AGENT.to_owned(), clock::system()).unwrap()
}

type Check = fn(&FetchError) -> bool;

#[tokio::test]
async fn misbehaviour_is_told_and_never_waited_for() {
    let origin = Origin::start();
    let long = "x".repeat(100_000);
    // Which of the two bounds is met first depends on the pieces in which it comes.
    let bomb: Check = |e| matches!(e, FetchError::TooLarge { .. } | FetchError::Bomb { .. });
    let table: Vec<(&str, Reply, Check)> = vec![
        ("cut", Reply::ok(long.clone()).cut(1000), |e| matches!(e, FetchError::Cut { .. })),
        ("short", Reply::ok("abc").header("Content-Length", "10"), |e| matches!(e, FetchError::Cut { .. })),
        ("slam", Reply::slam(), |e| matches!(e, FetchError::Cut { .. })),
        ("large", Reply::ok(vec![b'x'; 2 << 20]), |e| matches!(e, FetchError::TooLarge { .. })),
        ("endless body", Reply::endless_body(), |e| matches!(e, FetchError::TooLarge { .. })),
        ("endless head", Reply::endless_head(), |e| matches!(e, FetchError::Head { .. })),
        ("gzip bomb", Reply::bomb(64), bomb),
        ("deflate bomb", Reply::ok(vec![b' '; 64 << 20]).packed("deflate"), bomb),
        ("brotli bomb", Reply::ok(vec![b' '; 64 << 20]).packed("br"), bomb),
        ("zstd bomb", Reply::ok(vec![b' '; 64 << 20]).packed("zstd"), bomb),
        (
            "many bombs",
            Reply::ok(pack("gzip", &vec![b' '; 500 << 10]).repeat(9)).header("Content-Encoding", "gzip"),
            bomb,
        ),
        ("1xx flood", Reply::flood("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), |e| {
            matches!(e, FetchError::Interim { .. })
        }),
        ("many lines", Reply::raw(format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(300))), |e| {
            matches!(e, FetchError::Head { .. })
        }),
        (
            "chunk lie",
            Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\nabc\r\n0\r\n\r\n"),
            |e| matches!(e, FetchError::Cut { .. }),
        ),
        ("no chunk", Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nabc\r\n0\r\n\r\n"), |e| {
            matches!(e, FetchError::Cut { .. })
        }),
        ("endless extension", Reply::flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "x"), |e| {
            matches!(e, FetchError::Cut { .. })
        }),
        (
            "endless trailer",
            Reply::flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n"),
            |e| matches!(e, FetchError::Cut { .. }),
        ),
        ("two lengths", Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), |e| {
            matches!(e, FetchError::Protocol { .. })
        }),
        ("length is no number", Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab"), |e| {
            matches!(e, FetchError::Protocol { .. })
        }),
        ("other host same port", Reply::redirect(302, &origin.url("/").replace("127.0.0.1", "127.0.0.2")), |e| {
            matches!(e, FetchError::Port { .. })
        }),
        ("two step circle", Reply::redirect(302, "/two-step-circle?1"), |e| matches!(e, FetchError::Loop { .. })),
        ("nested", Reply::ok("x").header("Content-Encoding", "gzip, gzip"), |e| {
            matches!(e, FetchError::Encoding { .. })
        }),
        ("unknown", Reply::ok("x").header("Content-Encoding", "exi"), |e| matches!(e, FetchError::Encoding { .. })),
        ("torn gzip", Reply::ok(long).gzip().cut(60), |e| matches!(e, FetchError::Cut { .. })),
        ("not http", Reply::raw("SSH-2.0-OpenSSH_9.2\r\n"), |e| matches!(e, FetchError::Protocol { .. })),
        ("circle", Reply::redirect(302, "/circle"), |e| matches!(e, FetchError::Loop { .. })),
        ("nowhere", Reply::status(301, ""), |e| matches!(e, FetchError::Nowhere { status: 301, .. })),
        ("file", Reply::redirect(302, "file:///etc/passwd"), |e| matches!(e, FetchError::Nowhere { .. })),
        ("private", Reply::redirect(302, "http://10.0.0.1/"), |e| matches!(e, FetchError::Refused { .. })),
        ("metadata", Reply::redirect(302, "http://169.254.169.254/latest"), |e| {
            matches!(e, FetchError::Refused { .. })
        }),
        ("decimal", Reply::redirect(302, "http://167772161/"), |e| matches!(e, FetchError::Refused { .. })),
        ("mapped", Reply::redirect(302, "http://[::ffff:127.0.0.1]/"), |e| matches!(e, FetchError::Refused { .. })),
        ("port", Reply::redirect(302, "http://127.0.0.1:22/"), |e| matches!(e, FetchError::Port { port: 22, .. })),
    ];
    let fetcher = fetcher();
    for (name, reply, check) in table {
        let path = format!("/{}", name.replace(' ', "-"));
        origin.serve(&path, reply);
        let error = fetcher.get(Ask::new(&origin.url(&path), LIMIT)).await.expect_err(name);
        assert!(check(&error), "{name}: {error:?}");
        assert!(error.to_string().len() > 20, "{name}: {error}");
    }
}

#[tokio::test]
async fn slow_servers_cost_their_own_time_only() {
    let origin = Origin::start();
    origin.serve("/hang", Reply::hang());
    origin.serve("/drip", Reply::ok("x".repeat(1000)).drip(1, Duration::from_millis(50)));
    let fetcher = fetcher();
    for path in ["/hang", "/drip"] {
        let error = fetcher.get(Ask::new(&origin.url(path), Duration::from_millis(300))).await.expect_err(path);
        assert!(matches!(error, FetchError::Timeout { phase: Phase::Whole, .. }), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn who_hardly_sends_is_given_up_before_the_whole_time_is_over() {
    let origin = Origin::start();
    origin.serve("/drip", Reply::ok("x".repeat(100_000)).drip(1, Duration::from_millis(100)));
    let begun = std::time::Instant::now();
    let error = fetcher().get(Ask::new(&origin.url("/drip"), Duration::from_mins(10))).await.expect_err("a drip");
    let slow = FetchError::Slow { host: "127.0.0.1".to_owned(), least: RATE, seconds: WATCH.as_secs() };
    assert_eq!(error, slow);
    assert!(begun.elapsed() < Duration::from_mins(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_agrees_on_no_encryption_costs_the_time_for_that_alone() {
    // It accepts, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    let error = fetcher().get(Ask::new(&url, Duration::from_mins(10))).await.expect_err("silence");
    assert!(matches!(error, FetchError::Timeout { phase: Phase::Tls, seconds: 8, .. }), "{error:?}");
}

#[tokio::test]
async fn cookies_live_as_long_as_one_chain_of_redirects() {
    let origin = Origin::start();
    // A site that sets a cookie and redirects to itself until it comes back.
    let first = Reply::redirect(302, "/list").header("Set-Cookie", "pass=1; Path=/; HttpOnly");
    origin.serve("/list", first.clone());
    origin.then("/list", Reply::ok("news"));
    let fetcher = fetcher();
    let url = origin.url("/list");
    let answer = fetcher.get(Ask::new(&url, LIMIT)).await.unwrap();
    assert_eq!((&answer.body[..], answer.hops.len()), (&b"news"[..], 1));
    let own = [("Cookie".to_owned(), Secret::Plain("mine=2".to_owned()))];
    origin.serve("/list", first.clone());
    origin.then("/list", Reply::ok("news"));
    fetcher.get(Ask { headers: &own, ..Ask::new(&url, LIMIT) }).await.unwrap();
    let brought: Vec<_> = origin.asked("/list").iter().map(|it| it.header("cookie").map(str::to_owned)).collect();
    let expected = [None, Some("pass=1"), Some("mine=2"), Some("mine=2; pass=1")].map(|it| it.map(str::to_owned));
    assert_eq!(brought, expected, "the second poll starts without");
    // Who sets it over and over goes in a circle.
    origin.serve("/list", first);
    let error = fetcher.get(Ask::new(&url, LIMIT)).await.expect_err("a circle");
    assert!(matches!(error, FetchError::Loop { .. }), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_no_failure() {
    use std::io::{Read as _, Write as _};
    // Keeps the connection after the first answer, takes the second request, and goes away; then a new one is answered.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut head = [0; 4096];
        let (mut first, _) = listener.accept().unwrap();
        assert!(first.read(&mut head).unwrap() > 0);
        first.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none").unwrap();
        assert!(first.read(&mut head).unwrap() > 0);
        drop(first);
        let (mut second, _) = listener.accept().unwrap();
        assert!(second.read(&mut head).unwrap() > 0);
        second.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntwo").unwrap();
    });
    let fetcher = fetcher();
    assert_eq!(fetcher.get(Ask::new(&url, LIMIT)).await.unwrap().body, "one");
    assert_eq!(fetcher.get(Ask::new(&url, LIMIT)).await.unwrap().body, "two");
    server.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_larger_than_a_head_may_be_is_whole_however_quick_its_server_is() {
    let origin = Origin::start();
    let body = "x".repeat(900_000);
    origin.serve("/feed", Reply::ok(body.clone()));
    let fetcher = fetcher();
    for _ in 0..60 {
        let answer = fetcher.get(Ask::new(&origin.url("/feed"), LIMIT * 6)).await.unwrap();
        assert_eq!(answer.body.len(), body.len());
    }
}

#[tokio::test]
async fn of_large_bodies_two_are_held_until_they_are_let_go_of() {
    let origin = Origin::start();
    origin.serve("/large", Reply::ok("x".repeat(LARGE + 1)));
    origin.serve("/small", Reply::ok("x"));
    let settings = Fetch { body_max: 10 << 20, ..settings(&["127.0.0.0/8"]) };
    let fetcher = Fetcher::new(&settings, AGENT.to_owned(), clock::system()).unwrap();
    let (large, small) = (origin.url("/large"), origin.url("/small"));
    let held = [
        fetcher.get(Ask::new(&large, LIMIT * 6)).await.unwrap(),
        fetcher.get(Ask::new(&large, LIMIT * 6)).await.unwrap(),
    ];
    let third = fetcher.get(Ask::new(&large, Duration::from_millis(700))).await;
    assert!(matches!(third, Err(FetchError::Timeout { .. })), "{third:?}");
    assert!(fetcher.get(Ask::new(&small, LIMIT)).await.is_ok());
    let [first, second] = held;
    drop(first);
    assert!(fetcher.get(Ask::new(&large, LIMIT * 6)).await.is_ok());
    assert_eq!(second.body.len(), LARGE + 1);
}

#[tokio::test]
async fn robots_txt_is_obeyed_on_every_hop_where_it_counts() {
    let (origin, other) = (Origin::start(), Origin::start_at("127.0.0.5"));
    origin.serve("/robots.txt", Reply::ok("User-agent: *\nDisallow: /private\nDisallow: /list?page=2\n"));
    for path in ["/private/1", "/public", "/list"] {
        origin.serve(path, Reply::ok("x"));
    }
    origin.serve("/led", Reply::redirect(302, "/private/1"));
    let fetcher = fetcher();
    for (path, may) in
        [("/public", true), ("/private/1", false), ("/led", false), ("/list?page=2", false), ("/list", true)]
    {
        let url = origin.url(path);
        let obeying = fetcher.get(Ask { robots: Obedience::Obey, ..Ask::new(&url, LIMIT) }).await;
        match obeying {
            Ok(answer) => assert!(may && answer.body == "x", "{path}"),
            Err(error) => {
                assert!(!may && matches!(error, FetchError::Forbidden { .. }), "{path}: {error:?}");
                assert!(error.to_string().contains("line "), "{error}");
            }
        }
        assert_eq!(fetcher.get(Ask::new(&url, LIMIT)).await.unwrap().body, "x", "{path}: a feed is free");
    }
    assert_eq!(origin.hits("/robots.txt"), 1, "asked once");
    let asked = origin.asked("/robots.txt").remove(0);
    assert_eq!((asked.method.as_str(), asked.header("user-agent")), ("GET", Some(AGENT)));

    // (what robots.txt answers, whether the page may be read, and whether it is if there was none for a month)
    let table: Vec<(&str, Reply, bool, bool)> = vec![
        ("missing", Reply::status(404, ""), true, true),
        ("locked", Reply::status(403, ""), true, true),
        ("down", Reply::status(503, ""), false, true),
        ("cut", Reply::ok("User-agent: *\n").cut(3), false, true),
        ("circle", Reply::redirect(302, "/robots.txt"), true, true),
        ("led", Reply::redirect(301, &origin.url("/robots.txt")), true, true),
        ("page", Reply::ok("<html>Disallow: /</html>").header("Content-Type", "text/html"), true, true),
        ("ours", Reply::ok("User-agent: citydesk\nDisallow: /\n\nUser-agent: *\nDisallow:\n"), false, false),
    ];
    drop(other);
    for (number, (name, reply, may, later)) in table.into_iter().enumerate() {
        let site = Origin::start_at(&format!("127.0.0.{}", 20 + number));
        let redirected = name == "led";
        site.serve("/robots.txt", reply);
        site.serve("/page", Reply::ok("x"));
        let url = site.url("/page");
        let now = fetcher.get(Ask { robots: Obedience::Obey, ..Ask::new(&url, LIMIT) }).await;
        if redirected {
            // Its robots.txt lies on another port, where no redirect may lead.
            assert!(now.is_err(), "{name}: {now:?}");
            continue;
        }
        assert_eq!(now.is_ok(), may, "{name}: {now:?}");
        let lapsed = fetcher.get(Ask { robots: Obedience::Lapsed, ..Ask::new(&url, LIMIT) }).await;
        assert_eq!(lapsed.is_ok(), later, "{name}: {lapsed:?}");
        assert_eq!(site.hits("/page"), usize::from(may) + usize::from(later), "{name}: what is forbidden is not asked");
    }
}

#[tokio::test]
async fn a_crawl_delay_lies_between_two_pages() {
    let origin = Origin::start();
    origin.serve("/robots.txt", Reply::ok("User-agent: *\nCrawl-delay: 0.7\n"));
    origin.serve("/page", Reply::ok("x"));
    let fetcher = fetcher();
    let url = origin.url("/page");
    let begun = std::time::Instant::now();
    for _ in 0..3 {
        fetcher.get(Ask { robots: Obedience::Obey, ..Ask::new(&url, LIMIT) }).await.unwrap();
    }
    assert!(begun.elapsed() >= Duration::from_millis(1_390), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn private_addresses_are_refused_before_a_byte_is_sent() {
    let origin = Origin::start();
    origin.serve("/", Reply::ok("secret"));
    let port = origin.address().port();
    let shut = Fetcher::new(&settings(&[]), AGENT.to_owned(), clock::system()).unwrap();
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "localhost",
        "localhost.",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "①②⑦.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "0.0.0.0",
        "0",
    ] {
        let error = shut.get(Ask::new(&format!("http://{host}:{port}/"), LIMIT)).await.expect_err(host);
        assert!(matches!(error, FetchError::Refused { .. }), "{host}: {error:?}");
    }
    assert_eq!(origin.total(), 0);
}

#[tokio::test]
async fn statuses_are_answers() {
    let origin = Origin::start();
    let fetcher = fetcher();
    for status in [204_u16, 400, 403, 404, 410, 429, 500, 503] {
        let path = format!("/{status}");
        origin.serve(&path, Reply::status(status, "").header("Retry-After", "120"));
        let answer = fetcher.get(Ask::new(&origin.url(&path), LIMIT)).await.unwrap();
        assert_eq!((answer.status, answer.retry_after), (status, Some(120_000)));
    }
}

#[tokio::test]
async fn a_request_is_honest_plain_and_as_written() {
    let origin = Origin::start();
    origin.serve("/feed", Reply::ok("x").header("Date", "Sun, 06 Nov 1994 08:49:37 GMT"));
    let answer = fetcher().get(Ask::new(&origin.url("/feed?b=2&a=%7e1&&c='|"), LIMIT)).await.unwrap();
    assert_eq!(answer.body, "x");
    assert_eq!(answer.date.unwrap().seconds(), 784_111_777);
    let asked = origin.asked("/feed").remove(0);
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("GET", "/feed?b=2&a=%7e1&&c='|"));
    let names: Vec<&str> = asked.headers.keys().map(String::as_str).collect();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
    assert_eq!(asked.header("user-agent"), Some(AGENT));
}

#[tokio::test]
async fn validators_go_back_verbatim() {
    let origin = Origin::start();
    // A weak tag with odd characters, and a date that is none: whatever was sent is sent back.
    let (etag, modified) = ("W/\"a b,c-gzip\"", "yesterday at noon");
    origin.serve("/feed", Reply::ok("x").etag(etag).modified(modified).gzip());
    let fetcher = fetcher();
    let url = origin.url("/feed");
    let first = fetcher.get(Ask::new(&url, LIMIT)).await.unwrap();
    assert!(!first.not_modified);
    let kept = Validators { etag: Some(etag.to_owned()), last_modified: Some(modified.to_owned()) };
    assert_eq!(first.validators, kept);
    let second = fetcher.get(Ask { validators: Some(&kept), ..Ask::new(&url, LIMIT) }).await.unwrap();
    let asked = origin.asked("/feed").remove(1);
    assert_eq!((asked.header("if-none-match"), asked.header("if-modified-since")), (Some(etag), Some(modified)));
    // The comma tears the tag apart for a naive server; the condition by date is not looked at then.
    assert_eq!(second.status, 200);
    origin.serve("/feed", Reply::ok("x").etag("\"1\""));
    let kept = Validators { etag: Some("\"1\"".to_owned()), last_modified: None };
    let third = fetcher.get(Ask { validators: Some(&kept), ..Ask::new(&url, LIMIT) }).await.unwrap();
    assert!(third.not_modified && third.body.is_empty());
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_no_answer() {
    let origin = Origin::start();
    origin.serve("/feed", Reply::status(304, ""));
    let answer = fetcher().get(Ask::new(&origin.url("/feed"), LIMIT)).await.unwrap();
    assert_eq!((answer.status, answer.not_modified), (304, false));
}

#[tokio::test]
async fn redirects_are_followed_by_hand_and_recorded() {
    let origin = Origin::start();
    for (n, status) in [301, 302, 303, 307, 308].into_iter().enumerate() {
        origin.serve(&format!("/{n}"), Reply::redirect(status, &format!("{}?x=a b", n + 1)));
    }
    origin.serve("/5", Reply::ok("there"));
    let answer = fetcher().get(Ask::new(&origin.url("/0"), LIMIT)).await.unwrap();
    assert_eq!(answer.body, "there");
    assert_eq!(answer.url, origin.url("/5?x=a%20b"));
    assert_eq!(answer.hops.iter().map(|hop| hop.status).collect::<Vec<_>>(), [301, 302, 303, 307, 308]);
    origin.serve("/start", Reply::redirect(302, "/0"));
    let error = fetcher().get(Ask::new(&origin.url("/start"), LIMIT)).await.expect_err("six redirects");
    assert!(matches!(error, FetchError::Redirects { .. }), "{error:?}");
}

#[tokio::test]
async fn secrets_are_sent_to_their_host_and_shown_to_nobody() {
    let (origin, other) = (Origin::start(), Origin::start());
    // The only secret in the environment that a test can rely on without setting one.
    let secret = std::env::var("PATH").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    std::fs::write(&file, "from a file\n").unwrap();
    let headers = [
        ("X-Env".to_owned(), Secret::Env("PATH".to_owned())),
        ("X-File".to_owned(), Secret::File(file)),
        ("User-Agent".to_owned(), Secret::Plain("asked to be called so".to_owned())),
    ];
    let far = other.url("/far").replace("127.0.0.1", "127.0.0.2");
    origin.serve("/here", Reply::redirect(302, "/near"));
    origin.serve("/near", Reply::ok("x"));
    let fetcher = fetcher();
    let url = origin.url("/here?key=${PATH}").replace("http://", "http://me:pass%20word@");
    let answer = fetcher.get(Ask { headers: &headers, ..Ask::new(&url, LIMIT) }).await.unwrap();
    assert!(!format!("{answer:?}").contains(&secret));
    assert!(origin.asked("/here")[0].target.contains(&secret));
    for path in ["/here", "/near"] {
        let asked = origin.asked(path).remove(0);
        assert_eq!(asked.header("x-env"), Some(secret.as_str()), "{path}");
        assert_eq!(asked.header("x-file"), Some("from a file"), "{path}");
        assert_eq!(asked.header("user-agent"), Some("asked to be called so"), "{path}");
    }
    assert_eq!(origin.asked("/here")[0].header("authorization"), Some("Basic bWU6cGFzcyB3b3Jk"));
    // 127.0.0.2 is another host; nothing listens there on that port on some systems, and nothing may be sent anyway.
    origin.serve("/away", Reply::redirect(302, &far));
    let _ = fetcher.get(Ask { headers: &headers, ..Ask::new(&origin.url("/away"), LIMIT) }).await;
    assert!(other.asked("/far").iter().all(|asked| asked.header("x-env").is_none()));

    let missing = fetcher.get(Ask::new("http://127.0.0.1/${NO_SUCH_SECRET_IS_SET}", LIMIT)).await.expect_err("missing");
    assert!(missing.to_string().contains("NO_SUCH_SECRET_IS_SET"), "{missing}");
    let bad = fetcher.get(Ask::new("ftp://127.0.0.1/${PATH}", LIMIT)).await.expect_err("ftp");
    assert!(!bad.to_string().contains(&secret), "{bad}");
}

#[tokio::test]
async fn a_form_is_posted_once() {
    let origin = Origin::start();
    origin.serve("/list", Reply::redirect(303, "/result"));
    origin.serve("/result", Reply::ok("[]"));
    let form = BTreeMap::from([("page".to_owned(), "1".to_owned()), ("q".to_owned(), "要闻 &".to_owned())]);
    fetcher().get(Ask { post: Some(&form), ..Ask::new(&origin.url("/list"), LIMIT) }).await.unwrap();
    let (posted, got) = (origin.asked("/list").remove(0), origin.asked("/result").remove(0));
    assert_eq!((posted.method.as_str(), got.method.as_str()), ("POST", "GET"));
    assert_eq!(posted.body, b"page=1&q=%E8%A6%81%E9%97%BB+%26");
    assert!(got.body.is_empty());
}

#[tokio::test]
async fn one_host_is_asked_one_thing_at_a_time() {
    let origin = Origin::start();
    origin.serve("/", Reply::ok("slow").drip(1, Duration::from_millis(20)));
    let fetcher = fetcher();
    let url = origin.url("/");
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (fetcher, url) = (fetcher.clone(), url.clone());
        all.spawn(async move { fetcher.get(Ask::new(&url, LIMIT)).await.unwrap().status });
    }
    assert_eq!(all.join_all().await, [200; 4]);
    assert_eq!(origin.busiest(), 1);
}

#[tokio::test]
async fn an_http_proxy_gets_the_whole_address() {
    let proxy = Origin::start();
    let url = "http://far.example/feed?x=1";
    proxy.serve(url, Reply::ok("by proxy"));
    let way = proxy.url("").replace("http://", "http://me:word@");
    let answer = fetcher().get(Ask { proxy: Some(&way), ..Ask::new(url, LIMIT) }).await.unwrap();
    assert_eq!(answer.body, "by proxy");
    let asked = proxy.asked(url).remove(0);
    assert_eq!((asked.target.as_str(), asked.header("proxy-authorization")), (url, Some("Basic bWU6d29yZA==")));
    let refused = fetcher().get(Ask { proxy: Some(&way), ..Ask::new("http://10.0.0.1/", LIMIT) }).await;
    assert!(matches!(refused, Err(FetchError::Refused { .. })), "a literal is judged before the proxy is asked");
}

#[tokio::test]
async fn encryption_is_checked_and_an_own_authority_can_be_named() {
    let origin = Origin::start_encrypted();
    origin.serve("/feed", Reply::ok("safe").etag("\"1\""));
    let fetcher = fetcher();
    let url = origin.url("/feed");
    let error = fetcher.get(Ask::new(&url, LIMIT)).await.expect_err("unknown authority");
    assert!(matches!(error, FetchError::Tls { .. }), "{error:?}");
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls/authority.pem");
    let answer = fetcher.get(Ask { ca: Some(&ca), ..Ask::new(&url, LIMIT) }).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"safe"[..]));
    assert!(answer.timings.remote.is_some());
    let named = url.replace("127.0.0.1", "127.0.0.3");
    let error = fetcher.get(Ask { ca: Some(&ca), ..Ask::new(&named, LIMIT) }).await.expect_err("another name");
    assert!(matches!(error, FetchError::Tls { .. } | FetchError::Connect { .. }), "{error:?}");
    let missing = Path::new("/nowhere/ca.pem");
    let error = fetcher.get(Ask { ca: Some(missing), ..Ask::new(&url, LIMIT) }).await.expect_err("no file");
    assert!(matches!(error, FetchError::Secret { .. }), "{error:?}");
    // Its own authority vouches for that host alone, and there it alone does.
    for (fault, certificate) in [
        ("expired", &include_bytes!("tls/expired.pem")[..]),
        ("for another name", include_bytes!("tls/other.pem")),
        ("signed by itself", include_bytes!("tls/self.pem")),
    ] {
        let faulty = Origin::start_certified(certificate);
        faulty.serve("/", Reply::ok("x"));
        let error = fetcher.get(Ask { ca: Some(&ca), ..Ask::new(&faulty.url("/"), LIMIT) }).await.expect_err(fault);
        assert!(matches!(error, FetchError::Tls { .. }), "{fault}: {error:?}");
        assert_eq!(faulty.total(), 0, "{fault}: nothing is asked over a connection that is not secure");
    }
    // Plain HTTP to a port that speaks TLS, and the other way round.
    let plain = fetcher.get(Ask::new(&url.replace("https", "http"), LIMIT)).await.expect_err("plain");
    assert!(matches!(plain, FetchError::Cut { .. } | FetchError::Protocol { .. }), "{plain:?}");
    let other = Origin::start();
    let error = fetcher.get(Ask::new(&other.url("/").replace("http", "https"), LIMIT)).await.expect_err("no TLS");
    assert!(matches!(error, FetchError::Tls { .. }), "{error:?}");
}
