//! `add`: what a site offers is found, told, and written into feeds.toml.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::daemon::Desk;
use crate::origin::{Origin, Reply};

const HEADLINES: [&str; 6] = [
    "梧桐路小学办起周末合唱团",
    "东湖码头修好停摆的大钟",
    "柳树巷图书馆开办免费夜校",
    "西关菜市场种下一片银杏",
    "春晖里社区绘制步行地图",
    "青年公园南门组织旧物交换",
];

fn page(head: &str) -> String {
    let mut list = String::new();
    for (i, title) in HEADLINES.iter().enumerate() {
        let _ = write!(list, "<li><a href='/2026/11-2{i}/7{i}.html'>{title}</a><span>2026-11-2{i}</span></li>");
    }
    format!(
        "<html><head><title>要闻_许昌日报网</title>{head}</head><body><ul class=menu><li><a href=/a/>首页</a><li>\
         <a href=/b/>政务</a><li><a href=/c/>教育</a></ul><ul class=newslist>{list}</ul></body></html>"
    )
}

fn feed() -> String {
    let mut items = String::new();
    for (i, title) in HEADLINES.iter().enumerate() {
        let _ = write!(
            items,
            "<item><title>{title}</title><link>/2026/11-2{i}/7{i}.html</link><pubDate>2{i} Nov 2026 10:00:00 +0800</pubDate></item>"
        );
    }
    format!("<rss version='2.0'><channel><title>许昌日报 &amp; 要闻</title>{items}</channel></rss>")
}

fn sitemap(origin: &Origin) -> String {
    let url = origin.url("/2026/11-20/70.html");
    format!(
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'>\
         <url><loc>{url}</loc><news:news><news:publication_date>2026-11-20T10:00:00+08:00</news:publication_date>\
         <news:title>{}</news:title></news:news></url></urlset>",
        HEADLINES[0]
    )
}

fn article() -> String {
    let text = "<p>许昌市的居民说，这件事让大家都很高兴，他们希望以后还能常常看到这样的新闻。</p>".repeat(6);
    format!(
        "<html><head><title>{0}</title></head><body><h1>{0}</h1><div class=text>{text}</div></body></html>",
        HEADLINES[0]
    )
}

fn json(desk: &Desk, arguments: &[&str]) -> Value {
    let output = desk.run(arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"))
}

#[test]
fn everything_a_site_offers_is_proposed_and_the_first_can_be_written() {
    let origin = Origin::start();
    let head = "<link rel=alternate type='application/rss+xml' title='要闻' href=/rss/news>\
                <link rel=alternate type='application/rss+xml' title='许昌日报网的评论' href=/comments/rss>";
    origin.serve("/news/", Reply::ok(page(head)).header("Content-Type", "text/html; charset=utf-8"));
    origin.serve("/rss/news", Reply::ok(feed()));
    origin.serve("/robots.txt", Reply::ok(format!("User-agent: *\nSitemap: {}\n", origin.url("/maps/news.xml"))));
    origin.serve("/maps/news.xml", Reply::ok(sitemap(&origin)));
    origin.serve("/2026/11-20/70.html", Reply::ok(article()).header("Content-Type", "text/html; charset=utf-8"));
    let desk = Desk::new("[cities]\ncover = [\"河南省\"]\n");
    let found = json(&desk, &["add", &origin.url("/news/"), "--json"]);
    let proposals = found["proposals"].as_array().unwrap();
    let kinds: Vec<_> =
        proposals.iter().map(|it| (it["kind"].as_str().unwrap(), it["items"].as_u64().unwrap())).collect();
    assert_eq!(kinds, [("feed", 6), ("sitemap", 1), ("page", 6), ("page", 6)], "{found:#}");
    assert_eq!(found["city"], "许昌市");
    assert_eq!(proposals[0]["samples"].as_array().unwrap().len(), 5);
    assert_eq!(proposals[0]["samples"][0], HEADLINES[0]);
    let block = proposals[2]["block"].as_str().unwrap();
    assert!(block.contains("list = { item = \"ul.newslist > li\", date = \"span\" }"), "{block}");
    assert!(block.contains("body = \"readable\""), "{block}");
    let block = proposals[3]["block"].as_str().unwrap();
    assert!(block.contains(r"links = '/(?<y>\d{4})/(?<m>\d\d)-(?<d>\d\d)/\d+\.html$'"), "{block}");

    // What people see can be pasted as it is.
    let shown = desk.run(&["add", &origin.url("/news/")]);
    assert_eq!(shown.status.code(), Some(0));
    let shown = String::from_utf8(shown.stdout).unwrap();
    let feeds = desk.folder().join("feeds.toml");
    let before = fs::read_to_string(&feeds).unwrap();
    fs::write(&feeds, format!("{before}\n{shown}")).unwrap();
    let check = desk.run(&["check", "--offline"]);
    assert_eq!(check.status.code(), Some(0), "{shown}\n{}", String::from_utf8_lossy(&check.stdout));
    assert!(shown.contains("1 of 4") && shown.contains("#   - 梧桐路小学"), "{shown}");

    // The first is written, once.
    fs::write(&feeds, before.trim_end()).unwrap();
    let written = desk.run(&["add", &origin.url("/news/"), "--write"]);
    assert_eq!(written.status.code(), Some(0), "{}", String::from_utf8_lossy(&written.stderr));
    let after = fs::read_to_string(&feeds).unwrap();
    assert!(after.starts_with(before.trim_end()) && after.contains("name = \"许昌日报 & 要闻\""), "{after}");
    assert!(after.contains("city = \"许昌市\"") && after.contains(&origin.url("/rss/news")), "{after}");
    let again = desk.run(&["add", &origin.url("/news/"), "--write"]);
    assert_eq!(again.status.code(), Some(65), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(fs::read_to_string(&feeds).unwrap(), after);
    let other = desk.run(&["add", &origin.url("/news/"), "--write", "--pick", "3"]);
    assert_eq!(other.status.code(), Some(0), "{}", String::from_utf8_lossy(&other.stderr));
    let once = desk.run(&["once"]);
    assert_eq!(once.status.code(), Some(0), "{}", String::from_utf8_lossy(&once.stderr));
    let exported = String::from_utf8(desk.run(&["export"]).stdout).unwrap();
    assert_eq!(exported.lines().count(), HEADLINES.len(), "{exported}");
}

#[test]
fn a_feed_is_proposed_by_its_own_address_and_at_usual_places() {
    let origin = Origin::start();
    origin.serve("/", Reply::ok("<html><title>x</title><p>nothing").header("Content-Type", "text/html"));
    origin.serve("/feed.xml", Reply::ok(feed()));
    origin.serve("/sitemap.xml", Reply::ok(sitemap(&origin)));
    let desk = Desk::new("");
    let found = json(&desk, &["add", &origin.url("/feed.xml"), "--json"]);
    let proposals = found["proposals"].as_array().unwrap();
    assert_eq!((proposals.len(), proposals[0]["kind"].as_str()), (1, Some("feed")), "{found:#}");
    let found = json(&desk, &["add", &origin.url("/"), "--json"]);
    let urls: Vec<_> = found["proposals"].as_array().unwrap().iter().map(|it| it["url"].as_str().unwrap()).collect();
    assert_eq!(urls, [origin.url("/feed.xml"), origin.url("/sitemap.xml")], "{found:#}");
    assert!(origin.total() < 30);
}

#[test]
fn the_page_of_a_government_says_whose_it_is() {
    let origin = Origin::start();
    let head = "<meta name=SiteName content=市政府门户网站><meta name=SiteIDCode content=4110000001>";
    origin.serve("/", Reply::ok(page(head)).header("Content-Type", "text/html; charset=utf-8"));
    origin.serve("/2026/11-20/70.html", Reply::ok(article()).header("Content-Type", "text/html; charset=utf-8"));
    let desk = Desk::new("");
    let found = json(&desk, &["add", &origin.url("/"), "--json"]);
    let block = found["proposals"][0]["block"].as_str().unwrap();
    assert!(block.contains("city = \"许昌市\"") && block.contains("rank = \"origin\""), "{block}");
    assert!(block.contains("name = \"市政府门户网站\"") && block.contains("body = \"gov-cn\""), "{block}");
}

#[test]
fn how_add_ends_tells_what_was_wrong() {
    let origin = Origin::start();
    origin.serve("/empty", Reply::ok("<html><p>nothing here").header("Content-Type", "text/html"));
    let desk = Desk::new("");
    for (arguments, code) in [
        (vec!["add", "not an address"], 65),
        (vec!["add", "ftp://a.example/"], 65),
        (vec!["add"], 64),
        (vec!["add", "http://127.0.0.1:9/"], 69),
    ] {
        let output = desk.run(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(desk.run(&["add", &origin.url("/gone")]).status.code(), Some(69));
    let nothing = desk.run(&["add", &origin.url("/empty"), "--write"]);
    assert_eq!(nothing.status.code(), Some(65));
    let before = fs::read_to_string(desk.folder().join("feeds.toml")).unwrap();
    origin.serve("/feed", Reply::ok(feed()));
    assert_eq!(desk.run(&["add", &origin.url("/feed"), "--write", "--pick", "7"]).status.code(), Some(64));
    assert_eq!(fs::read_to_string(desk.folder().join("feeds.toml")).unwrap(), before);
    // A private address is refused unless it is allowed.
    fs::write(desk.folder().join("feeds.toml"), "").unwrap();
    assert_eq!(desk.run(&["add", &origin.url("/feed")]).status.code(), Some(69));
}

#[test]
fn what_robots_txt_forbids_is_told_and_not_proposed() {
    let origin = Origin::start();
    origin.serve("/", Reply::ok(page("")));
    origin.serve("/robots.txt", Reply::ok("User-agent: *\nDisallow: /*.html$\nDisallow: /$\n"));
    let desk = Desk::new("");
    let found = desk.run(&["add", "--json", &origin.url("/")]);
    let text = String::from_utf8_lossy(&found.stdout).into_owned() + &String::from_utf8_lossy(&found.stderr);
    assert!(text.contains("would not be polled") && text.contains("line 3"), "{text}");
    assert_eq!(origin.hits("/2026/11-20/70.html"), 0);
    let tried = desk.run(&["try", &origin.url("/")]);
    let text = String::from_utf8_lossy(&tried.stdout).into_owned();
    assert!(text.contains("it would not be polled") && text.contains("line 3"), "{text}");
    desk.config(&format!("[[source]]\nid = \"list\"\npage = \"{}\"\n", origin.url("/")));
    let before = origin.hits("/");
    let checked = desk.run(&["check"]);
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(text.contains("forbids / to citydesk: line 3"), "{text}");
    assert_eq!(origin.hits("/"), before);
}
