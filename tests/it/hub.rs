//! The WebSub hub, by the cases that the test suite of the recommendation has for hubs (100 to 106 of websub.rocks), made
//! anew from its text; and what it promises beyond: nothing forgotten by a kill, nobody held up by a slow callback.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use citydesk::model::websub::Secret;
use citydesk::websub::signature;

use crate::callback::{Callback, Came, Consent};
use crate::daemon::{Daemon, Desk};
use crate::origin::{Origin, Reply};

/// A source whose list grows on demand.
struct News {
    origin: Origin,
    told: Vec<String>,
}

/// Headlines that are nobody else's copy: no two have a word in common.
fn headline(number: usize) -> String {
    const WORDS: [&str; 20] = [
        "梧桐", "春晖", "供水", "青年", "码头", "机床", "菜市", "医院", "车站", "图书", "剪纸", "园林", "骑手", "测绘",
        "钟表", "银杏", "夜校", "石碑", "合唱", "地图",
    ];
    let mut n = number * 7_919 + 13;
    let mut words = String::new();
    for _ in 0..6 {
        words.push_str(WORDS[n % 20]);
        n = n / 20 + number * 31 + 7;
    }
    format!("第{number}号{words}")
}

impl News {
    fn new(stories: usize) -> Self {
        let mut news = Self { origin: Origin::start(), told: Vec::new() };
        for _ in 0..stories {
            news.told.push(headline(news.told.len()));
        }
        news.publish();
        news
    }

    fn tell(&mut self) -> String {
        let title = headline(self.told.len());
        self.told.push(title.clone());
        self.publish();
        title
    }

    fn publish(&self) {
        let mut xml = "<rss version=\"2.0\"><channel><title>晚报</title><link>http://a.example</link>".to_owned();
        for (number, title) in self.told.iter().enumerate().rev().take(60) {
            let _ = write!(
                xml,
                "<item><title>{title}</title><link>http://a.example/{number}</link><guid isPermaLink=\"false\">g{number}\
                 </guid><description>{title}。</description></item>"
            );
        }
        self.origin.serve("/rss", Reply::ok(xml + "</channel></rss>").header("Content-Type", "application/rss+xml"));
    }

    fn feeds(&self) -> String {
        format!("[[source]]\nid = \"s\"\nfeed = \"{}\"\nevery = \"1s\"\nbackfill = 100\n", self.origin.url("/rss"))
    }
}

/// Posts a form to the hub: status and text of the answer.
fn post(desk: &Desk, fields: &[(&str, &str)]) -> (u16, String) {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    send(desk, "application/x-www-form-urlencoded", &form)
}

fn send(desk: &Desk, kind: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(desk.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST /hub HTTP/1.1\r\nHost: desk\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), text.to_owned())
}

fn topic(desk: &Desk, path: &str) -> String {
    format!("http://{}{path}", desk.address())
}

fn subscribe(desk: &Desk, callback: &str, topic: &str, more: &[(&str, &str)]) {
    let mut fields = vec![("hub.mode", "subscribe"), ("hub.callback", callback), ("hub.topic", topic)];
    fields.extend(more);
    assert_eq!(post(desk, &fields).0, 202);
}

fn metric(daemon: &Daemon, name: &str) -> u64 {
    let text = String::from_utf8(daemon.get("/metrics").body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |value| value.trim().parse::<f64>().unwrap() as u64)
}

/// Waits until so many subscriptions are in force.
fn wait_for(daemon: &mut Daemon, count: u64) {
    daemon.until("the subscriptions are in force", |daemon| metric(daemon, "citydesk_websub_subscriptions") == count);
}

fn text(came: &Came) -> String {
    String::from_utf8(came.body.clone()).unwrap()
}

fn settled(daemon: &mut Daemon, news: &News) {
    let last = news.told.last().unwrap().clone();
    daemon.until("everything is published", |daemon| {
        String::from_utf8(daemon.get("/feeds/all.rss").body).unwrap().contains(&last)
    });
}

#[test]
fn the_cases_of_the_test_suite_for_hubs() {
    let mut news = News::new(3);
    let desk = Desk::new(&news.feeds());
    let mut daemon = desk.serve();
    settled(&mut daemon, &news);
    let callback = Callback::start();
    let all = topic(&desk, "/feeds/all.rss");

    // 100: a typical request, with a secret. 101: without one. 102: with fields that nobody knows, and a query in the
    // callback. 105, 106: content that is no HTML, in other types.
    let secret = Secret("a secret of the subscriber".to_owned());
    let signed = [("hub.secret", secret.0.as_str()), ("hub.lease_seconds", "86400")];
    subscribe(&desk, &callback.url("/100"), &all, &signed);
    subscribe(&desk, &callback.url("/101"), &all, &[]);
    subscribe(&desk, &callback.url("/102?id=7&hub.mode=mine"), &all, &[("foo", "bar"), ("hub.verify", "sync")]);
    // An alias of the feed, and the other formats.
    subscribe(&desk, &callback.url("/105"), &topic(&desk, "/atom.xml"), &[]);
    subscribe(&desk, &callback.url("/106"), &topic(&desk, "/feeds/all.json"), &[]);
    let mut challenges = BTreeSet::new();
    for (path, lease) in [("/100", "86400"), ("/101", "864000"), ("/102", "864000")] {
        let asked = callback.wait("GET", path, 1).remove(0);
        assert_eq!((asked.field("hub.topic"), asked.field("hub.lease_seconds")), (all.as_str(), lease), "{path}");
        assert!(asked.field("hub.challenge").len() >= 32 && challenges.insert(asked.field("hub.challenge").to_owned()));
    }
    assert_eq!(callback.came("GET", "/100")[0].field("hub.mode"), "subscribe");
    assert!(callback.came("GET", "/102")[0].target.starts_with("/102?id=7&hub.mode=mine&hub.mode=subscribe&"));
    wait_for(&mut daemon, 5);
    assert!(callback.came("POST", "/100").is_empty(), "nothing new yet");

    let title = news.tell();
    for (path, address, kind) in [
        ("/100", "/feeds/all.rss", "application/rss+xml; charset=utf-8"),
        ("/101", "/feeds/all.rss", "application/rss+xml; charset=utf-8"),
        ("/102", "/feeds/all.rss", "application/rss+xml; charset=utf-8"),
        ("/105", "/feeds/all.atom", "application/atom+xml; charset=utf-8"),
        ("/106", "/feeds/all.json", "application/feed+json; charset=utf-8"),
    ] {
        let came = callback.wait("POST", path, 1).remove(0);
        let link = format!("<{}>; rel=\"hub\", <{}>; rel=\"self\"", topic(&desk, "/hub"), topic(&desk, address));
        assert_eq!((came.header("content-type"), came.header("link")), (kind, link.as_str()), "{path}");
        assert_eq!(came.body, daemon.get(address).body, "{path}: the whole feed, as it is");
        assert!(text(&came).contains(&title), "{path}");
        let signature = came.headers.get("x-hub-signature").map(String::as_str);
        if path == "/100" {
            assert!(signature.unwrap().starts_with("sha256="));
            assert_eq!(signature::verify(signature, &secret, &came.body), Ok(()));
            assert!(signature::verify(signature, &Secret("another".to_owned()), &came.body).is_err());
        } else {
            assert_eq!(signature, None, "{path}");
        }
    }
    assert_eq!(callback.came("POST", "/102")[0].target, "/102?id=7&hub.mode=mine");

    // 103: asked for again before the lease ends, with another secret: still one subscription.
    let other = Secret("another secret".to_owned());
    subscribe(&desk, &callback.url("/100"), &all, &[("hub.secret", &other.0)]);
    assert_eq!(callback.wait("GET", "/100", 2)[1].field("hub.lease_seconds"), "864000");
    daemon.until("the renewal is recorded", |_| {
        let log = std::fs::read_to_string(desk.folder().join("daemon.log")).unwrap();
        assert!(!log.contains(&secret.0) && !log.contains(&other.0), "a secret stands in the log");
        true
    });
    std::thread::sleep(Duration::from_millis(500));
    news.tell();
    let came = callback.wait("POST", "/100", 2).remove(1);
    assert_eq!(signature::verify(Some(came.header("x-hub-signature")), &other, &came.body), Ok(()));
    assert_eq!(metric(&daemon, "citydesk_websub_subscriptions"), 5);

    // 104: unsubscribed. First somebody else tries, and the callback says no.
    callback.consent("/100", Consent::No(404));
    let leave = [("hub.mode", "unsubscribe"), ("hub.callback", &callback.url("/100")), ("hub.topic", &all)];
    assert_eq!(post(&desk, &leave).0, 202);
    let asked = callback.wait("GET", "/100", 3).remove(2);
    assert_eq!((asked.field("hub.mode"), asked.field("hub.topic")), ("unsubscribe", all.as_str()));
    callback.consent("/100", Consent::Yes);
    news.tell();
    callback.wait("POST", "/100", 3);
    assert_eq!(post(&desk, &leave).0, 202);
    callback.wait("GET", "/100", 4);
    wait_for(&mut daemon, 4);
    let told = news.tell();
    while !callback.came("POST", "/101").iter().any(|came| text(came).contains(&told)) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(callback.came("POST", "/100").iter().all(|came| !text(came).contains(&told)));
    assert!(metric(&daemon, "citydesk_websub_deliveries_total{outcome=\"ok\"}") >= 12);
}

#[test]
fn what_is_refused_and_what_is_denied() {
    let news = News::new(2);
    let desk = Desk::new(&news.feeds());
    let mut daemon = desk.serve();
    settled(&mut daemon, &news);
    let callback = Callback::start();
    let all = topic(&desk, "/feeds/all.rss");
    // Malformed: said at once.
    for (fields, word) in [
        (vec![], "hub.mode"),
        (vec![("hub.mode", "subscribe"), ("hub.topic", all.as_str())], "hub.callback"),
        (vec![("hub.mode", "subscribe"), ("hub.topic", all.as_str()), ("hub.callback", "ftp://x/")], "hub.callback"),
        (vec![("hub.mode", "subscribe"), ("hub.callback", "http://a.example/")], "hub.topic"),
        (vec![("hub.mode", "publish"), ("hub.url", all.as_str())], "knows by itself"),
    ] {
        let (status, said) = post(&desk, &fields);
        assert!(status == 400 && said.contains(word), "{status} {said}");
    }
    assert_eq!(send(&desk, "application/json", "{}").0, 415);
    assert_eq!(send(&desk, "application/x-www-form-urlencoded", &"x".repeat(20_000)).0, 413);
    assert_eq!(daemon.get("/hub").status, 200);
    // Topics that are none: the callback is told why.
    for (path, address) in [
        ("/a", "https://elsewhere.example/feeds/all.rss".to_owned()),
        ("/b", topic(&desk, "/feeds/city/nowhere.rss")),
        ("/c", topic(&desk, "/feeds/all.rss?limit=3")),
        ("/d", topic(&desk, "/feeds/all/archive/1.rss")),
        ("/e", topic(&desk, "/city/xuchang")),
    ] {
        subscribe(&desk, &callback.url(path), &address, &[]);
        let told = callback.wait("GET", path, 1).remove(0);
        assert_eq!((told.field("hub.mode"), told.field("hub.topic")), ("denied", address.as_str()), "{path}");
        assert!(told.field("hub.reason").len() > 10 && told.field("hub.challenge").is_empty(), "{path}");
    }
    // Callbacks that do not confirm.
    for (path, consent) in
        [("/f", Consent::No(404)), ("/g", Consent::Wrong), ("/h", Consent::No(302)), ("/i", Consent::No(410))]
    {
        callback.consent(path, consent);
        subscribe(&desk, &callback.url(path), &all, &[]);
        callback.wait("GET", path, 1);
    }
    assert!(callback.came("GET", "/elsewhere").is_empty(), "redirects are not followed");
    subscribe(&desk, &callback.url("/z"), &all, &[]);
    wait_for(&mut daemon, 1);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(metric(&daemon, "citydesk_websub_subscriptions"), 1);
}

#[test]
fn one_address_that_is_not_public_is_not_asked() {
    let news = News::new(2);
    let desk = Desk::new("");
    // As a desk on the web has it: its source is a file, and nothing private is allowed.
    let toml = format!(
        "[site]\npublic_url = \"http://{0}\"\n[server]\nlisten = \"{0}\"\n[store]\npath = \"data\"\n[[source]]\nid = \"s\"\n\
         files = \"*.xml\"\n",
        desk.address()
    );
    std::fs::write(desk.folder().join("feeds.toml"), toml).unwrap();
    std::fs::write(desk.folder().join("a.xml"), "<rss version=\"2.0\"><channel><title>t</title></channel></rss>")
        .unwrap();
    drop(news);
    let daemon = desk.serve();
    let callback = Callback::start();
    subscribe(&desk, &callback.url("/a"), &topic(&desk, "/feeds/all.rss"), &[]);
    subscribe(&desk, &callback.url("/b"), "https://unknown.example/", &[]);
    std::thread::sleep(Duration::from_secs(1));
    assert!(callback.came("GET", "/a").is_empty() && callback.came("GET", "/b").is_empty());
    assert_eq!(metric(&daemon, "citydesk_websub_subscriptions"), 0);
}

#[test]
fn killed_between_a_story_and_its_delivery_it_delivers_after_the_restart() {
    let mut news = News::new(2);
    let desk = Desk::new(&news.feeds());
    let mut daemon = desk.serve();
    settled(&mut daemon, &news);
    let callback = Callback::start();
    let all = topic(&desk, "/feeds/all.rss");
    for path in ["/well", "/slow", "/failing", "/gone"] {
        subscribe(&desk, &callback.url(path), &all, &[("hub.secret", "s")]);
    }
    wait_for(&mut daemon, 4);
    // One has its delivery, one hangs in it, one refuses it, one is gone.
    callback.hang("/slow");
    callback.answers("/failing", &[500; 40]);
    callback.answers("/gone", &[410]);
    let title = news.tell();
    for path in ["/well", "/slow", "/failing", "/gone"] {
        callback.wait("POST", path, 1);
    }
    wait_for(&mut daemon, 3);
    // Recorded within some seconds.
    std::thread::sleep(Duration::from_secs(5));
    daemon.kill();
    let came = callback.came("POST", "/well").len();
    callback.answers("/failing", &[]);
    let mut daemon = desk.serve();
    wait_for(&mut daemon, 3);
    let slow = callback.came("POST", "/slow").len();
    assert!(text(&callback.wait("POST", "/slow", slow.max(2)).remove(1)).contains(&title), "not forgotten");
    let failing = callback.came("POST", "/failing").len();
    assert!(text(callback.wait("POST", "/failing", failing.max(2)).last().unwrap()).contains(&title));
    assert_eq!(callback.came("POST", "/well").len(), came, "not repeated wholesale");
    assert_eq!(callback.came("POST", "/gone").len(), 1);
    // And it goes on, with the secret that was kept.
    let title = news.tell();
    let came = callback.wait("POST", "/well", came + 1).pop().unwrap();
    assert!(text(&came).contains(&title));
    let signed = signature::verify(Some(came.header("x-hub-signature")), &Secret("s".to_owned()), &came.body);
    assert_eq!(signed, Ok(()));

    // Subscriptions move with a backup.
    let backup = desk.run(&["backup", "desk.backup"]);
    assert!(backup.status.success());
    assert!(!String::from_utf8_lossy(&backup.stdout).contains("hub"));
    daemon.kill();
    std::fs::rename(desk.data(), desk.folder().join("before")).unwrap();
    assert!(desk.run(&["restore", "desk.backup"]).status.success());
    let rebuild = desk.run(&["rebuild"]);
    assert!(String::from_utf8_lossy(&rebuild.stdout).contains("the same as before"));
    let mut daemon = desk.serve();
    wait_for(&mut daemon, 3);
    let title = news.tell();
    while !callback.came("POST", "/well").iter().any(|came| text(came).contains(&title)) {
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(daemon);
}

#[test]
fn another_hub_is_told_what_changed() {
    let mut news = News::new(2);
    let hub = Callback::start();
    let publish = format!("[publish]\nhub = \"{}\"\n", hub.url("/"));
    let desk = Desk::new(&format!("{publish}{}", news.feeds()));
    let mut daemon = desk.serve();
    settled(&mut daemon, &news);
    let link = daemon.get("/feeds/all.rss").headers["link"].clone();
    assert!(link.starts_with(&format!("<{}>; rel=\"hub\"", hub.url("/"))), "{link}");
    hub.answers("/", &[503]);
    let begun = hub.came("POST", "/").len();
    let title = news.tell();
    settled(&mut daemon, &news);
    let told = |hub: &Callback| {
        let came = hub.came("POST", "/");
        let forms = came
            .iter()
            .skip(begun)
            .map(|came| url::form_urlencoded::parse(&came.body).into_owned().collect::<Vec<(String, String)>>());
        forms.flatten().collect::<Vec<_>>()
    };
    let wanted = ("hub.url".to_owned(), topic(&desk, "/feeds/all.rss"));
    daemon.until("the hub is told", |_| told(&hub).iter().filter(|field| **field == wanted).count() >= 2);
    let fields = told(&hub);
    assert_eq!(fields[0], ("hub.mode".to_owned(), "publish".to_owned()), "{title}");
    for path in ["/feeds/all.atom", "/feeds/all.json", "/feeds/source/s.rss"] {
        assert!(fields.contains(&("hub.url".to_owned(), topic(&desk, path))), "{path}");
    }
    assert!(!fields.contains(&("hub.url".to_owned(), topic(&desk, "/feeds/city/zhengzhou.rss"))), "it did not change");
    assert!(metric(&daemon, "citydesk_websub_deliveries_total{outcome=\"ping\"}") >= 1);
}

#[test]
fn a_story_is_with_its_subscribers_soon_whoever_hangs() {
    let stories: usize = std::env::var("CITYDESK_STORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let mut news = News::new(2);
    let desk = Desk::new(&news.feeds());
    let mut daemon = desk.serve();
    settled(&mut daemon, &news);
    let callback = Callback::start();
    let all = topic(&desk, "/feeds/all.rss");
    let hanging: Vec<String> = (0..4).map(|n| format!("/hang{n}")).collect();
    for path in &hanging {
        callback.hang(path);
        subscribe(&desk, &callback.url(path), &all, &[]);
    }
    subscribe(&desk, &callback.url("/well"), &all, &[("hub.secret", "s")]);
    wait_for(&mut daemon, 5);
    let mut times = Vec::new();
    for _ in 0..stories {
        let before = news.origin.hits("/rss");
        let title = news.tell();
        // The poll that answers with the story: seen within milliseconds of its answer.
        let mut polled = None;
        let begun = Instant::now();
        loop {
            if polled.is_none() && news.origin.hits("/rss") > before {
                polled = Some(Instant::now());
            }
            let delivered =
                callback.came("POST", "/well").iter().find(|came| text(came).contains(&title)).map(|it| it.at);
            if let Some(at) = delivered {
                times.push(at.saturating_duration_since(polled.unwrap_or(at)));
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(50), "{title} was not delivered\n{}", daemon.tail());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_millis();
    println!(
        "from the poll's answer to the subscriber, {} stories, {} callbacks hanging: p50 {} ms, p95 {} ms, max {} ms",
        times.len(),
        hanging.len(),
        at(50),
        at(95),
        at(100)
    );
    // A day's hanging callbacks cost ten seconds each: whoever waited for one would be later than this.
    assert!(at(50) < 5_000, "{times:?}");
}
