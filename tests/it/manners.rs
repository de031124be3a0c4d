//! The manners that site owners hold readers to (Rachel Kroll's list of feed reader behaviour), each line a row: what the
//! publisher's side sees of us.

use std::sync::Arc;

use citydesk::model::book::State;
use citydesk::model::source::{How, Kind, ListPattern, Source};
use citydesk::model::time::Time;
use citydesk::poll::Outcome;
use citydesk::schedule;

use crate::daemon;
use crate::origin::{Asked, Origin, Reply};
use crate::poll::{Desk, source};

const M: i64 = Time::MINUTE;
const H: i64 = Time::HOUR;

fn feed(number: u32) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>许昌新闻</title><link>https://news.example/</link><item><guid>n{number}</guid>\
         <title>许昌市第{number}座口袋公园今日建成</title><link>https://news.example/{number}.html</link>\
         <pubDate>Sun, 22 Nov 2026 {:02}:00:00 +0800</pubDate></item></channel></rss>",
        number % 24
    )
}

/// A source that may be asked every two minutes to twelve hours.
fn asked_at(origin: &Origin, path: &str) -> Source {
    Source { every: (2 * M, 12 * H), ..source("manners", Kind::Feed(origin.url(path))) }
}

fn conditions(asked: &Asked) -> (Option<&str>, Option<&str>) {
    (asked.header("if-none-match"), asked.header("if-modified-since"))
}

/// Lines 001 to 016: validators go back as they came, as a pair, whatever happens in between, and are never made up.
#[tokio::test]
async fn validators_go_back_as_they_came_whatever_happens_in_between() {
    let pairs = [
        (Some("\"686897696a7c876b7e\""), Some("Sat, 21 Nov 2026 19:43:31 GMT")),
        (Some("W/\"weak, with comma\""), None),
        (Some("no quotes at all"), Some("Sat, 21 Nov 2026 19:43:31 GMT")),
        (Some("\"\""), None),
        (Some("\"a-gzip\""), Some("2026-11-21 19:43")),
        (None, Some("Saturday, 21-Nov-26 19:43:31 GMT")),
        (None, Some("Thu, 01 Jan 1970 00:00:00 GMT")),
        (None, None),
    ];
    for (etag, modified) in pairs {
        let origin = Origin::start();
        let mut desk = Desk::new();
        let source = asked_at(&origin, "/feed");
        let mut good = Reply::ok(feed(1)).blind();
        for (name, value) in [("ETag", etag), ("Last-Modified", modified)] {
            if let Some(value) = value {
                good = good.header(name, value);
            }
        }
        origin.serve("/feed", good.clone());
        desk.round(&source).await;
        desk.decide();
        let between = [
            ("nothing", good.clone()),
            ("429", Reply::status(429, "").header("ETag", "\"of the refusal\"")),
            ("503", Reply::status(503, "").header("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")),
            ("no feed", Reply::ok("<html><body>maintenance</body></html>").header("ETag", "\"of the page\"")),
            ("a cut", Reply::ok(feed(2)).header("ETag", "\"of the cut\"").cut(20)),
            ("a slam", Reply::slam()),
        ];
        for (what, reply) in between {
            origin.serve("/feed", reply);
            desk.round(&source).await;
            // The next one: after a restart, too.
            desk = desk.restart();
            origin.serve("/feed", good.clone());
            desk.round(&source).await;
            let asked = origin.asked("/feed");
            let last = asked.last().unwrap();
            assert_eq!(conditions(last), (etag, modified), "after {what}");
        }
        assert_eq!(conditions(&origin.asked("/feed")[0]), (None, None), "never made up");
        // They are a pair: of a new answer that has one of them the other is not kept.
        if etag.is_some() && modified.is_some() {
            origin.serve("/feed", Reply::ok(feed(3)).header("ETag", "\"new\""));
            desk.round(&source).await;
            desk.round(&source).await;
            assert_eq!(conditions(origin.asked("/feed").last().unwrap()), (Some("\"new\""), None));
        }
    }
}

/// Lines 020 to 024: what an answer says of its freshness counts, whatever its status; a 429 slows us down in any case.
#[tokio::test]
async fn what_an_answer_says_about_time_counts_whatever_its_status() {
    let two_hours = |reply: Reply| reply.header("Cache-Control", "public, max-age=7200");
    let ok = |text: String| Reply::ok(text).etag("\"1\"");
    let with = |element: &str| ok(feed(1).replace("<item>", &format!("{element}<item>")));
    // (what, first answer, second answer, the least pause after the second)
    let table: Vec<(&str, Reply, Reply, i64)> = vec![
        ("max-age on 200", ok(feed(1)), two_hours(Reply::ok(feed(2))), 2 * H),
        ("Expires on 200", ok(feed(1)), Reply::ok(feed(2)).header("Expires", "Mon, 23 Nov 2026 04:00:00 GMT"), 2 * H),
        ("max-age on 503", ok(feed(1)), two_hours(Reply::status(503, "")), 2 * H),
        ("max-age on 404", ok(feed(1)), two_hours(Reply::status(404, "")), 2 * H),
        ("max-age on 304", ok(feed(1)), two_hours(ok(feed(1))), 2 * H),
        ("max-age of a 200 over a 304", two_hours(ok(feed(1))), ok(feed(1)), 2 * H),
        ("max-age on 429", ok(feed(1)), two_hours(Reply::status(429, "")), 2 * H),
        ("two days on 429", ok(feed(1)), Reply::status(429, "").header("Cache-Control", "max-age=172800"), 24 * H),
        ("Retry-After on 429", ok(feed(1)), Reply::status(429, "").header("Retry-After", "10800"), 3 * H),
        ("Retry-After on 503", ok(feed(1)), Reply::status(503, "").header("Retry-After", "10800"), 3 * H),
        ("429 without a word", ok(feed(1)), Reply::status(429, ""), 15 * M),
        ("403", ok(feed(1)), Reply::status(403, ""), H),
        ("ttl over a 304", with("<ttl>180</ttl>"), with("<ttl>180</ttl>"), 3 * H),
        (
            "sy:updatePeriod",
            ok(feed(1)),
            Reply::ok(feed(2).replace(
                "<channel>",
                "<channel xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\"><sy:updatePeriod>daily</sy:updatePeriod>\
                 <sy:updateFrequency>6</sy:updateFrequency>",
            )),
            4 * H,
        ),
        (
            "skipHours",
            ok(feed(1)),
            // It is two o'clock GMT.
            Reply::ok(feed(2).replace("<channel>", "<channel><skipHours><hour>2</hour><hour>3</hour><hour>4</hour></skipHours>")),
            3 * H,
        ),
        (
            "skipDays",
            ok(feed(1)),
            // It is Monday.
            Reply::ok(feed(2).replace("<channel>", "<channel><skipDays><day>Monday</day></skipDays>")),
            22 * H,
        ),
    ];
    for (what, first, second, least) in table {
        let origin = Origin::start();
        let mut desk = Desk::new();
        let source = asked_at(&origin, "/feed");
        origin.serve("/feed", first);
        desk.round(&source).await;
        desk.decide();
        origin.serve("/feed", second);
        let round = desk.round(&source).await;
        let wait = round.due.since(Time(crate::poll::NOW));
        assert!(wait >= least, "{what}: {} minutes", wait / M);
        // Until then it is not asked, after a restart neither.
        let desk = desk.restart();
        let all = [Arc::new(source.clone())];
        assert!(schedule::once(&desk.poller, &all, 1, false, Arc::new(|_| {})).await.unwrap().is_empty(), "{what}");
        assert_eq!(origin.hits("/feed"), 2, "{what}");
    }
}

/// Lines 030 to 037: one request when a source is new, an article once, one thing at a time of one server.
#[tokio::test]
async fn nothing_is_asked_twice_and_one_server_is_asked_one_thing_at_a_time() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    for n in 0..8 {
        origin.serve(&format!("/{n}"), Reply::ok(feed(n)).etag("\"1\""));
    }
    let many: Vec<Arc<Source>> =
        (0..8).map(|n| Arc::new(source(&format!("s{n}"), Kind::Feed(origin.url(&format!("/{n}")))))).collect();
    schedule::once(&desk.poller, &many, 1, false, Arc::new(|_| {})).await.unwrap();
    assert_eq!((origin.total(), origin.busiest()), (8, 1));

    let origin = Origin::start();
    let list = "<ul><li><a href=\"/a/1.html\">许昌市第一座口袋公园今日建成</a></ul>";
    origin.serve("/list", Reply::ok(list));
    origin.serve(
        "/a/1.html",
        Reply::ok("<div class=txt><p>公园位于清潩河畔，占地三千平方米，栽种乔木四十株。</p></div>"),
    );
    let pattern = ListPattern { item: "li".to_owned(), ..ListPattern::default() };
    let kind = Kind::Page { url: origin.url("/list"), list: vec![pattern], links: None };
    let page = Source { how: How { body: Some(".txt".to_owned()), ..How::default() }.into(), ..source("page", kind) };
    for turn in 0..3 {
        origin.serve("/list", Reply::ok(format!("{list}<!-- {turn} -->")));
        desk.round(&page).await;
        desk.decide();
    }
    assert_eq!((origin.hits("/a/1.html"), origin.hits("/robots.txt"), origin.hits("/list")), (1, 1, 3));
}

/// Lines 050 to 090 and 140: a plain GET of the address as written, by a name that says who we are.
#[tokio::test]
async fn a_request_is_plain_honest_and_of_the_address_as_written() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let target = "/feed.xml?b=2&a=%7e1&&empty=&utm_source=x&c='|";
    let source = asked_at(&origin, target);
    let first = Reply::ok(feed(1)).etag("\"1\"").header("Set-Cookie", "id=7; Path=/");
    origin.serve(target, first);
    desk.round(&source).await;
    desk.decide();
    desk.round(&source).await;
    let asked = origin.asked("/feed.xml");
    assert_eq!(asked.len(), 2);
    for (turn, asked) in asked.iter().enumerate() {
        assert_eq!((asked.method.as_str(), asked.target.as_str(), asked.body.len()), ("GET", target, 0));
        let names: Vec<&str> = asked.headers.keys().map(String::as_str).collect();
        // No cookie, no Referer, nothing that busts a cache.
        let expected: &[&str] = if turn == 0 {
            &["accept", "accept-encoding", "host", "user-agent"]
        } else {
            &["accept", "accept-encoding", "host", "if-none-match", "user-agent"]
        };
        assert_eq!(names, expected);
        assert!(asked.header("accept-encoding").unwrap().contains("gzip"), "compression is asked for");
    }
    // The name itself is that of the daemon.
    let desk = daemon::Desk::new("contact = \"mailto:desk@example.org\"\n");
    let toml = std::fs::read_to_string(desk.folder().join("feeds.toml")).unwrap();
    let toml = toml
        .replace("contact = \"mailto:desk@example.org\"\n", "")
        .replace("[site]\n", "[site]\ncontact = \"mailto:desk@example.org\"\n");
    std::fs::write(
        desk.folder().join("feeds.toml"),
        format!("{toml}[[source]]\nfeed = \"{}\"\n", origin.url("/named")),
    )
    .unwrap();
    let before = format!("citydesk/{} (+http://{}/about; desk@example.org)", env!("CARGO_PKG_VERSION"), desk.address());
    desk.run(&["once"]);
    assert_eq!(origin.asked("/named")[0].header("user-agent"), Some(before.as_str()));
}

/// Lines 070 and 080: a request without conditions is rare where there is something to be conditional about.
#[tokio::test]
async fn unconditional_requests_are_rare() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = asked_at(&origin, "/feed");
    origin.serve("/feed", Reply::ok(feed(1)).etag("\"1\"").modified("Sat, 21 Nov 2026 19:43:31 GMT"));
    for _ in 0..28 {
        let round = desk.round(&source).await;
        desk.decide();
        desk.pass(round.due.since(Time(crate::poll::NOW)).clamp(6 * H, 12 * H));
    }
    let asked = origin.asked("/feed");
    let bare = asked.iter().filter(|asked| conditions(asked) == (None, None)).count();
    // The first, and at most one a week in which "not modified" is doubted; some more while nothing is known of its rhythm.
    assert!(bare <= 4, "{bare} of {} without conditions", asked.len());
}

/// Lines 100 to 106: what is no feed is refused with what it looks like, and no address is guessed.
#[tokio::test]
async fn what_is_no_feed_is_refused_and_no_address_is_guessed() {
    let page = "<html><head><title>首页</title><link rel=alternate type='application/rss+xml' href='/real.xml'></head>\
                <body>欢迎</body></html>";
    for (what, reply, says) in [
        ("a page", Reply::ok(page).header("Content-Type", "text/html"), "it is an HTML page"),
        (
            "a page that calls itself a feed",
            Reply::ok(page).header("Content-Type", "application/rss+xml"),
            "it is an HTML page",
        ),
        (
            "a picture",
            Reply::ok(&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..]).header("Content-Type", "image/png"),
            "it is a picture",
        ),
        ("nothing", Reply::ok(""), "the answer is empty"),
        (
            "JSON that is no feed",
            Reply::ok("{\"error\": 7}").header("Content-Type", "application/json"),
            "it is JSON without a list",
        ),
    ] {
        let origin = Origin::start();
        let desk = Desk::new();
        origin.serve("/feed", reply);
        let source = asked_at(&origin, "/feed");
        let round = desk.round(&source).await;
        assert_eq!((round.outcome, round.state), (Outcome::Failed("document"), State::Broken), "{what}: {round:?}");
        assert!(round.sentence.contains(says), "{what}: {}", round.sentence);
        assert_eq!(origin.total(), 1, "{what}: one request, of the address as written");
    }
}

/// Lines 102 to 106: feeds that a page names are taken, and where it names none a few usual places are tried, said aloud.
#[test]
fn feeds_are_looked_for_where_a_site_names_them() {
    let usual = ["/feed", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/rss", "/feed.json", "/rss/rss.xml"];
    let guessed = |origin: &Origin| {
        let places = usual.iter().flat_map(|path| [(*path).to_owned(), format!("/news{path}")]);
        places.map(|path| origin.hits(&path)).sum::<usize>()
    };
    let html = |head: &str| {
        let page = format!("<html><head><title>t</title>{head}</head><body><p>许昌</body></html>");
        Reply::ok(page).header("Content-Type", "text/html; charset=utf-8")
    };
    let desk = daemon::Desk::new("");
    let add = |origin: &Origin| {
        let found = desk.run(&["add", &origin.url("/news/"), "--json"]);
        String::from_utf8_lossy(&found.stdout).into_owned()
    };
    let origin = Origin::start();
    origin.serve("/news/", html("<link rel=alternate type='application/rss+xml' href='/named.xml'>"));
    origin.serve("/named.xml", Reply::ok(feed(1)));
    let found = add(&origin);
    assert!(found.contains("/named.xml"), "{found}");
    assert_eq!(guessed(&origin), 0, "the page names one");
    let origin = Origin::start();
    origin.serve("/news/", html(""));
    add(&origin);
    assert!((1..=5).contains(&guessed(&origin)), "{} guesses", guessed(&origin));
    origin.serve("/feed", Reply::ok(feed(1)));
    let found = add(&origin);
    assert!(found.contains("at a usual place"), "{found}");
}

/// Line 084, and whom to turn to: the page that the User-Agent names is there, and says what is asked for and how, and how to
/// be left out.
#[test]
fn the_page_that_the_user_agent_names_is_there() {
    for (language, says) in [
        ("en", ["conditional requests", "robots.txt", "left out or asked less often"]),
        ("zh", ["条件请求", "robots.txt", "不再被收录或调整频率"]),
    ] {
        let desk = daemon::Desk::new("");
        let file = desk.folder().join("feeds.toml");
        let toml = std::fs::read_to_string(&file).unwrap();
        let site = format!("[site]\nlanguage = \"{language}\"\ncontact = \"mailto:desk@example.org\"\n");
        std::fs::write(&file, toml.replace("[site]\n", &site)).unwrap();
        let daemon = desk.serve();
        let about = daemon.get("/about");
        let page = String::from_utf8_lossy(&about.body).into_owned();
        assert_eq!(about.status, 200);
        for says in says.into_iter().chain(["citydesk", "href=\"mailto:desk@example.org\""]) {
            assert!(page.contains(says), "{language}: {says}\n{page}");
        }
    }
}

/// Lines 110 to 120 and 130 to 135: every kind of trouble makes us come more and more seldom, and is told; 410 ends it.
#[tokio::test]
async fn every_kind_of_trouble_makes_us_come_more_seldom() {
    let origin = Origin::start();
    origin.serve("/403", Reply::status(403, ""));
    origin.serve("/404", Reply::status(404, ""));
    origin.serve("/500", Reply::status(500, ""));
    origin.serve("/503", Reply::status(503, ""));
    origin.serve("/page", Reply::ok("<html><body>welcome</body></html>"));
    origin.serve("/slam", Reply::slam());
    origin.serve("/circle", Reply::redirect(302, "/circle"));
    // Its certificate is of an authority that nobody knows.
    let encrypted = Origin::start_encrypted();
    let unknown = encrypted.url("/feed");
    // Nobody listens on port 1 of this machine, and nobody has this name (RFC 6761 section 6.4).
    let refused = "http://127.0.0.1:1/feed".to_owned();
    let nameless = "http://no-such-name.invalid/feed".to_owned();
    let paths = ["/403", "/404", "/500", "/503", "/page", "/slam", "/circle"].map(|path| origin.url(path));
    for url in paths.into_iter().chain([refused, nameless, unknown]) {
        let desk = Desk::new();
        let source = Source { every: (2 * M, 12 * H), ..source("trouble", Kind::Feed(url.clone())) };
        let mut before = 0;
        for turn in 0..6 {
            let round = desk.round(&source).await;
            let now = desk.book(&source).last_asked.unwrap();
            let wait = round.due.since(now);
            assert!(round.failed() && !desk.book(&source).reason.is_empty(), "{url}: {round:?}");
            // Up to a fifth is drawn, so that those who failed together do not come back together.
            assert!(
                wait >= before * 4 / 5 && wait >= 2 * M,
                "{url}, turn {turn}: {} after {} minutes",
                wait / M,
                before / M
            );
            before = wait;
            desk.pass(wait);
        }
        assert!(before >= 45 * M, "{url}: {} minutes after six failures", before / M);
        assert_eq!(desk.book(&source).state, State::Broken, "{url}");
    }
    let desk = Desk::new();
    origin.serve("/gone", Reply::status(410, ""));
    let gone = source("gone", Kind::Feed(origin.url("/gone")));
    let round = desk.round(&gone).await;
    assert_eq!((round.state, round.due), (State::Gone, Time(i64::MAX)));
    desk.pass(90 * Time::DAY);
    let desk = desk.restart();
    assert!(schedule::once(&desk.poller, &[Arc::new(gone)], 1, false, Arc::new(|_| {})).await.unwrap().is_empty());
    assert_eq!(origin.hits("/gone"), 1);
}

/// Lines 136 and 137: a permanent redirect is learned after a week, a temporary one never.
#[tokio::test]
async fn a_permanent_redirect_is_learned_and_a_temporary_one_is_not() {
    for (status, learned) in [(301, true), (308, true), (302, false), (303, false), (307, false)] {
        let origin = Origin::start();
        let mut desk = Desk::new();
        let source = asked_at(&origin, "/old");
        origin.serve("/old", Reply::redirect(status, "/new"));
        origin.serve("/new", Reply::ok(feed(1)).etag("\"1\""));
        for _ in 0..9 {
            desk.round(&source).await;
            desk.decide();
            desk.pass(Time::DAY);
        }
        let (old, new) = (origin.hits("/old"), origin.hits("/new"));
        assert_eq!(new, 9, "{status}");
        assert_eq!(old < new, learned, "{status}: the old address was asked {old} times");
        assert!(old >= 7, "{status}: not before a week has gone");
    }
}

/// The last of 137: two sources that redirects lead to one address are told.
#[test]
fn two_sources_that_are_led_to_one_address_are_told() {
    let origin = Origin::start();
    origin.serve("/a", Reply::redirect(301, "/c"));
    origin.serve("/b", Reply::redirect(301, "/c"));
    origin.serve("/c", Reply::ok(feed(1)));
    origin.serve("/d", Reply::ok(feed(1)));
    let blocks: String = ["a", "b", "d"]
        .map(|id| format!("[[source]]\nid = \"{id}\"\nfeed = \"{}\"\n", origin.url(&format!("/{id}"))))
        .concat();
    let desk = daemon::Desk::new(&blocks);
    let said = String::from_utf8_lossy(&desk.run(&["check"]).stdout).into_owned();
    assert_eq!(said.matches("one of the two is enough").count(), 1, "{said}");
    assert!(said.contains("where `a` is answered as well"), "{said}");
}
