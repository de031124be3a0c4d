//! The daemon as a WebSub subscriber, by the cases that the test suite of the recommendation has for subscribers: discovery
//! and its precedence, redirects, verification of what was asked and of what was not, signatures; and how polling and
//! delivery go together.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use ring::hmac;

use crate::callback::{Callback, Came};
use crate::daemon::{Daemon, Desk};
use crate::origin::{Origin, Reply};

const HEADLINES: [&str; 8] = [
    "梧桐路小学添了新校舍",
    "春晖里社区办起合唱团",
    "城北供水厂检修完毕",
    "青年公园南门改建通车",
    "东湖码头恢复夜航",
    "老机床厂宿舍加装电梯",
    "西关菜市场迁入新址",
    "人民医院分院开诊",
];

/// A feed of these headlines, newest first, with further elements in its head.
fn feed(numbers: impl DoubleEndedIterator<Item = usize>, head: &str) -> String {
    let mut xml = format!(
        "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel><title>晚报</title>\
         <link>http://a.example</link>{head}"
    );
    for number in numbers.rev() {
        let title = HEADLINES[number];
        let _ = write!(
            xml,
            "<item><title>{title}</title><link>http://a.example/{number}</link><guid isPermaLink=\"false\">g{number}</guid>\
             <description>{title}。</description></item>"
        );
    }
    xml + "</channel></rss>"
}

fn rss(xml: String) -> Reply {
    Reply::ok(xml).header("Content-Type", "application/rss+xml")
}

fn source(id: &str, url: &str) -> String {
    format!("[[source]]\nid = \"{id}\"\nfeed = \"{url}\"\nevery = \"1s\"\nbackfill = 100\n")
}

/// What we asked a hub.
struct Asked(BTreeMap<String, String>);

impl Asked {
    fn read(came: &Came) -> Self {
        Self(url::form_urlencoded::parse(&came.body).into_owned().collect())
    }

    fn field(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Asks our callback; status and body of the answer.
    fn verify(&self, mode: &str, topic: &str) -> (u16, String) {
        let fields =
            [("hub.mode", mode), ("hub.topic", topic), ("hub.challenge", "c 1"), ("hub.lease_seconds", "3600")];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        send("GET", &format!("{}?{query}", self.field("hub.callback")), &[], b"")
    }

    /// Delivers to our callback, signed as this header says.
    fn deliver(&self, body: &str, signature: Option<String>) -> u16 {
        let mut headers = vec![("Content-Type", "application/rss+xml".to_owned())];
        headers.extend(signature.map(|signature| ("X-Hub-Signature", signature)));
        send("POST", self.field("hub.callback"), &headers, body.as_bytes()).0
    }

    fn sign(&self, method: &str, body: &str) -> String {
        let algorithm = match method {
            "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            "sha256" => hmac::HMAC_SHA256,
            "sha384" => hmac::HMAC_SHA384,
            _ => hmac::HMAC_SHA512,
        };
        let tag = hmac::sign(&hmac::Key::new(algorithm, self.field("hub.secret").as_bytes()), body.as_bytes());
        let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{method}={digits}")
    }
}

fn send(method: &str, address: &str, headers: &[(&str, String)], body: &[u8]) -> (u16, String) {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), text.to_owned())
}

fn text(daemon: &Daemon, path: &str) -> String {
    String::from_utf8(daemon.get(path).body).unwrap()
}

fn published(daemon: &mut Daemon, number: usize) {
    daemon.until("it is published", |daemon| text(daemon, "/feeds/all.rss").contains(HEADLINES[number]));
}

/// Waits until the page of the source says something, or says it no more: its list is some seconds old.
fn shows(daemon: &mut Daemon, word: &str, shown: bool) {
    daemon.until(&format!("{word}: {shown}"), |daemon| text(daemon, "/sources/s").contains(word) == shown);
}

#[test]
fn hubs_are_found_and_topics_are_what_documents_say() {
    let (origin, hub) = (Origin::start(), Callback::start());
    let at = |path: &str| hub.url(path);
    let link = |rel: &str, href: &str| format!("<atom:link rel=\"{rel}\" href=\"{href}\"/>");
    let topic = "https://topic.example/feed";
    // 100: in headers. 102, 103: in the document. 104: the headers go first. 200: another self than what is polled.
    origin.serve(
        "/header",
        rss(feed(0..1, "")).header("Link", &format!("<{}>; rel=\"hub\", <{topic}?100>; rel=\"self\"", at("/100"))),
    );
    let atom = format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>t</title><id>urn:x</id><updated>2026-11-01T00:00:00Z</updated>\
         <link rel=\"hub\" href=\"{}\"/><link rel=\"self\" href=\"{topic}?102\"/><entry><id>urn:1</id>\
         <title>{}</title><updated>2026-11-01T00:00:00Z</updated><link href=\"http://a.example/9\"/></entry></feed>",
        at("/102"),
        HEADLINES[1]
    );
    origin.serve("/atom", Reply::ok(atom).header("Content-Type", "application/atom+xml"));
    let document = link("hub", &at("/103")) + &link("self", &format!("{topic}?103"));
    origin.serve("/rss", rss(feed(2..3, &document)));
    let both = link("hub", &at("/wrong")) + &link("self", "https://wrong.example/");
    origin.serve(
        "/both",
        rss(feed(3..4, &both))
            .header("Link", &format!("<{}>; rel=hub", at("/104")))
            .header("Link", &format!("<{topic}?104>; rel=self")),
    );
    let json = format!(
        "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"t\",\"feed_url\":\"{topic}?106\",\
         \"hubs\":[{{\"type\":\"WebSub\",\"url\":\"{}\"}}],\"items\":[{{\"id\":\"1\",\"title\":\"{}\",\"url\":\"http://a.example/8\"}}]}}",
        at("/106"),
        HEADLINES[4]
    );
    origin.serve("/json", Reply::ok(json).header("Content-Type", "application/feed+json"));
    // 201, 202: the address that is polled redirects.
    origin.serve("/found", Reply::redirect(302, &origin.url("/there")));
    origin.serve("/there", rss(feed(5..6, &(link("hub", &at("/201")) + &link("self", &format!("{topic}?201"))))));
    // 203, 204: the hub redirects.
    origin.serve("/moved", rss(feed(6..7, &(link("hub", &at("/203")) + &link("self", &format!("{topic}?203"))))));
    hub.answers("/203", &[302]);
    // Without a self it is the address that was asked.
    origin.serve("/bare", rss(feed(7..8, &link("hub", &at("/bare")))));
    let paths = ["/header", "/atom", "/rss", "/both", "/json", "/found", "/moved", "/bare"];
    let feeds: String = paths.iter().map(|path| source(&path[1..], &origin.url(path))).collect();
    let desk = Desk::new(&feeds);
    let daemon = desk.serve();
    let bare = origin.url("/bare");
    let mut callbacks = Vec::new();
    for (path, id, expected) in [
        ("/100", "header", format!("{topic}?100")),
        ("/102", "atom", format!("{topic}?102")),
        ("/103", "rss", format!("{topic}?103")),
        ("/104", "both", format!("{topic}?104")),
        ("/106", "json", format!("{topic}?106")),
        ("/201", "found", format!("{topic}?201")),
        ("/elsewhere", "moved", format!("{topic}?203")),
        ("/bare", "bare", bare),
    ] {
        let asked = Asked::read(&hub.wait("POST", path, 1)[0]);
        assert_eq!((asked.field("hub.mode"), asked.field("hub.topic")), ("subscribe", expected.as_str()), "{path}");
        let callback = asked.field("hub.callback").to_owned();
        let begin = format!("http://{}/websub/{id}/", desk.address());
        assert!(callback.strip_prefix(&begin).is_some_and(|token| token.len() >= 32), "{callback}");
        assert!((32..200).contains(&asked.field("hub.secret").len()), "{path}");
        callbacks.push(callback.clone());
        callbacks.push(asked.field("hub.secret").to_owned());
        assert_eq!(asked.verify("subscribe", &expected), (200, "c 1".to_owned()), "{path}");
    }
    assert!(hub.came("POST", "/wrong").is_empty());
    callbacks.sort();
    callbacks.dedup();
    assert_eq!(callbacks.len(), 16, "each has a callback and a secret of its own");
    drop(daemon);
}

#[test]
fn what_a_hub_delivers_is_filed_as_what_is_polled() {
    let (origin, hub) = (Origin::start(), Callback::start());
    let topic = origin.url("/rss");
    let head =
        format!("<atom:link rel=\"hub\" href=\"{}\"/><atom:link rel=\"self\" href=\"{topic}\"/>", hub.url("/hub"));
    origin.serve("/rss", rss(feed(0..1, &head)).etag("\"1\""));
    let desk = Desk::new(&source("s", &topic));
    let mut daemon = desk.serve();
    published(&mut daemon, 0);
    let asked = Asked::read(&hub.wait("POST", "/hub", 1)[0]);

    // 205: only what we asked for is confirmed, and only where.
    assert_eq!(asked.verify("subscribe", "https://other.example/").0, 404);
    assert_eq!(asked.verify("unsubscribe", &topic).0, 404);
    assert_eq!(asked.deliver("x", None), 410, "nothing was confirmed yet");
    let elsewhere = format!("http://{}/websub/s/{}", desk.address(), "0".repeat(32));
    assert_eq!(
        send("GET", &format!("{elsewhere}?hub.mode=subscribe&hub.topic={topic}&hub.challenge=c"), &[], b"").0,
        404
    );
    assert_eq!(send("POST", &elsewhere, &[], b"x").0, 404);
    assert_eq!(asked.verify("subscribe", &topic), (200, "c 1".to_owned()));
    assert_eq!(asked.verify("subscribe", &topic).0, 404, "once");
    shows(&mut daemon, "推送始于", true);
    shows(&mut daemon, "推送到期", true);
    shows(&mut daemon, "最近一次推送", false);

    // 300: delivered. What is not signed by the secret is taken with a success, and dropped.
    let part = feed(1..2, "");
    let other = Asked(BTreeMap::from([("hub.secret".to_owned(), "another".to_owned())]));
    for signature in [None, Some(other.sign("sha256", &part)), Some("sha256=00".to_owned()), Some("md5=00".to_owned())]
    {
        assert_eq!(asked.deliver(&part, signature), 202);
    }
    shows(&mut daemon, "推送问题", true);
    std::thread::sleep(Duration::from_millis(700));
    assert!(!text(&daemon, "/feeds/all.rss").contains(HEADLINES[1]));
    for (number, method) in [(1, "sha1"), (2, "sha256"), (3, "sha384"), (4, "sha512")] {
        // A part of the list, as some hubs deliver it.
        let body = feed(number..=number, "");
        assert_eq!(asked.deliver(&body, Some(asked.sign(method, &body))), 202, "{method}");
        published(&mut daemon, number);
    }
    shows(&mut daemon, "最近一次推送", true);
    shows(&mut daemon, "推送问题", false);
    // The poll that comes after finds nothing new, and nothing stands twice.
    origin.serve("/rss", rss(feed(0..5, &head)).etag("\"2\""));
    let before = origin.hits("/rss");
    daemon.until("it is polled", |_| origin.hits("/rss") > before + 1);
    let all = text(&daemon, "/feeds/all.rss");
    assert_eq!(all.matches("<item>").count(), 5, "{all}");
    std::thread::sleep(Duration::from_secs(3));
    shows(&mut daemon, "推送问题", false);

    // A poll that finds news first: the hub is not relied on until it delivers again.
    origin.serve("/rss", rss(feed(0..6, &head)).etag("\"3\""));
    published(&mut daemon, 5);
    shows(&mut daemon, "推送问题", true);
    let body = feed(5..7, "");
    assert_eq!(asked.deliver(&body, Some(asked.sign("sha256", &body))), 202);
    published(&mut daemon, 6);
    shows(&mut daemon, "推送问题", false);

    // It outlives a kill, and ends with the source.
    daemon.kill();
    let mut daemon = desk.serve();
    let body = feed(7..8, "");
    assert_eq!(asked.deliver(&body, Some(asked.sign("sha256", &body))), 202);
    published(&mut daemon, 7);
    let log = std::fs::read_to_string(desk.folder().join("daemon.log")).unwrap();
    assert!(
        !log.contains(asked.field("hub.secret")) && !text(&daemon, "/sources/s").contains(asked.field("hub.secret"))
    );
    desk.config("");
    assert!(desk.run(&["reload"]).status.success());
    let leaving = hub.wait("POST", "/hub", 2);
    let leaving =
        Asked::read(leaving.iter().find(|came| Asked::read(came).field("hub.mode") == "unsubscribe").unwrap());
    assert_eq!(leaving.field("hub.callback"), asked.field("hub.callback"));
    assert_eq!(leaving.verify("unsubscribe", &topic), (200, "c 1".to_owned()));
    assert_eq!(asked.deliver("x", None), 404);
}

#[test]
fn what_a_hub_delivers_too_early_is_polled_at_once() {
    let (origin, hub) = (Origin::start(), Callback::start());
    let topic = origin.url("/rss");
    let head =
        format!("<atom:link rel=\"hub\" href=\"{}\"/><atom:link rel=\"self\" href=\"{topic}\"/>", hub.url("/hub"));
    origin.serve("/rss", rss(feed(0..4, &head)));
    let desk = Desk::new(&source("s", &topic));
    let mut daemon = desk.serve();
    published(&mut daemon, 0);
    let asked = Asked::read(&hub.wait("POST", "/hub", 1)[0]);
    assert_eq!(asked.verify("subscribe", &topic), (200, "c 1".to_owned()));
    // It is read in another way from now on, and the poll that would show how fails.
    origin.serve("/rss", Reply::status(500, ""));
    let before = origin.hits("/rss");
    desk.config(&format!("{}drop = 'title:大减价'\n", source("s", &topic)));
    assert!(desk.run(&["reload"]).status.success());
    daemon.until("a poll fails", |_| origin.hits("/rss") > before);
    let whole = feed(0..5, &head).replace("新校舍。</description>", "新校舍，下周启用。</description>");
    origin.serve("/rss", rss(whole));
    let part = feed(4..5, "");
    assert_eq!(asked.deliver(&part, Some(asked.sign("sha256", &part))), 202);
    // After a failure it would rest for two minutes.
    published(&mut daemon, 4);
    let all = text(&daemon, "/feeds/all.rss");
    assert!(!all.contains("下周启用"), "what the first poll shows under another reading is no edit");
}

#[test]
fn without_an_address_that_a_hub_can_reach_none_is_asked() {
    let (origin, hub) = (Origin::start(), Callback::start());
    let topic = origin.url("/rss");
    let head =
        format!("<atom:link rel=\"hub\" href=\"{}\"/><atom:link rel=\"self\" href=\"{topic}\"/>", hub.url("/hub"));
    origin.serve("/rss", rss(feed(0..1, &head)));
    let desk = Desk::new(&source("s", &topic));
    let file = desk.folder().join("feeds.toml");
    let toml = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, toml.replacen(&format!("http://{}", desk.address()), "http://desk.example", 1)).unwrap();
    let mut daemon = desk.serve();
    published(&mut daemon, 0);
    std::thread::sleep(Duration::from_millis(500));
    assert!(hub.came("POST", "/hub").is_empty());
    assert!(!text(&daemon, "/sources/s").contains("推送"));
}
