//! Rounds that go beyond one document: articles, child sitemaps, next pages, lists in JSON.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use citydesk::model::book::{State, Validators};
use citydesk::model::item::Item;
use citydesk::model::source::{How, JsonPattern, Kind, ListPattern, Source, SourceRules};
use citydesk::model::time::Time;
use citydesk::poll::Outcome;
use citydesk::poll::article::{ARTICLES, HOLD, PAGES, PAUSE, TRIES};
use citydesk::poll::lead::CHILDREN;

use crate::origin::{Origin, Reply};
use crate::poll::{Desk, source};

/// A list page of these articles, in the order given.
fn list(numbers: &[u32]) -> String {
    let mut html =
        String::from("<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>许昌要闻</title></head><body><ul>");
    for n in numbers {
        let _ =
            write!(html, "<li><a href=\"/a/{n}.html\">许昌市第{n}座口袋公园今日建成</a><span>2026-11-22</span></li>");
    }
    html + "</ul></body></html>"
}

fn article(n: u32) -> String {
    format!(
        "<html><head><meta charset=\"utf-8\"><title>许昌市第{n}座口袋公园今日建成_样报</title>\
         <meta name=\"PubDate\" content=\"2026-11-22 16:{n:02}\"><meta name=\"ContentSource\" content=\"莲城样报\">\
         <meta name=\"keywords\" content=\"公园,绿化\"></head><body><h1>许昌市第{n}座口袋公园今日建成</h1>\
         <div class=\"txt\"><p>第{n}座口袋公园位于清潩河畔，占地三千平方米，栽种乔木四十株。</p>\
         <p><img src=\"../p/{n}.jpg\">公园全天开放。</p></div></body></html>"
    )
}

fn page(origin: &Origin, path: &str) -> Source {
    let pattern = ListPattern { item: "li".to_owned(), date: Some("span".to_owned()), ..ListPattern::default() };
    let kind = Kind::Page { url: origin.url(path), list: vec![pattern], links: None };
    Source { how: How { body: Some(".txt".to_owned()), ..How::default() }.into(), ..source("page", kind) }
}

fn serve_articles(origin: &Origin, numbers: std::ops::RangeInclusive<u32>) {
    for n in numbers {
        origin.serve(&format!("/a/{n}.html"), Reply::ok(article(n)));
    }
}

/// All items filed so far.
fn filed(desk: &Desk) -> Vec<Item> {
    desk.filings().into_iter().flat_map(|(_, items)| items).collect()
}

#[tokio::test]
async fn an_article_is_fetched_once_for_a_new_item_before_it_is_filed() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = page(&origin, "/list");
    origin.serve("/list", Reply::ok(list(&[2, 1])).etag("\"1\""));
    serve_articles(&origin, 1..=3);

    let first = desk.round(&source).await;
    assert_eq!((first.outcome, first.state), (Outcome::New(2), State::Ok), "{first:?}");
    let items = filed(&desk);
    assert_eq!(items[0].title, "许昌市第2座口袋公园今日建成");
    assert_eq!(items[0].text, "第2座口袋公园位于清潩河畔，占地三千平方米，栽种乔木四十株。\n公园全天开放。");
    assert_eq!(items[0].credits[0].name, "莲城样报");
    assert_eq!(items[0].tags, ["公园", "绿化"]);
    assert_eq!(items[0].image.as_deref(), Some(&*origin.url("/p/2.jpg")), "relative to the article");
    let claim = items[0].published.as_ref().unwrap();
    assert_eq!(claim.at.at_offset(480).format("%m-%d %H:%M").to_string(), "11-22 16:02", "the page knows the minute");
    assert_eq!(items[0].complaints, Vec::<String>::new());
    desk.decide();

    // Nothing new: 304, and no article is asked for.
    assert_eq!(desk.round(&source).await.outcome, Outcome::NotModified);
    // One more: only its article is.
    origin.serve("/list", Reply::ok(list(&[3, 2, 1])));
    assert_eq!(desk.round(&source).await.outcome, Outcome::New(1));
    assert_eq!([1, 2, 3].map(|n| origin.hits(&format!("/a/{n}.html"))), [1, 1, 1]);
    assert_eq!(origin.busiest(), 1, "one request at a time to one host");
}

#[tokio::test]
async fn an_item_waits_for_its_article_and_survives_a_restart() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = page(&origin, "/list");
    origin.serve("/list", Reply::ok(list(&[1])).etag("\"1\""));
    serve_articles(&origin, 1..=1);
    desk.round(&source).await;
    desk.decide();

    origin.serve("/list", Reply::ok(list(&[2, 1])).etag("\"2\""));
    origin.serve("/a/2.html", Reply::status(404, "not yet"));
    let held = desk.round(&source).await;
    assert_eq!((held.outcome, held.filed), (Outcome::Nothing, 0), "{held:?}");
    assert_eq!(held.sentence, "1 of 2 items wait for their articles");
    assert!(held.complaints.iter().any(|complaint| complaint.contains("the server answers 404")), "{held:?}");
    let book = desk.book(&source);
    assert_eq!((book.validators.clone(), book.body), (Validators::default(), 0), "it must be met again");
    assert_eq!(book.due, Time(crate::poll::NOW + PAUSE));

    let mut desk = desk.restart();
    desk.pass(PAUSE);
    origin.serve("/a/2.html", Reply::ok(article(2)));
    let there = desk.round(&source).await;
    assert_eq!(there.outcome, Outcome::New(1), "{there:?}");
    desk.decide();
    let items = filed(&desk);
    assert!(items[1].text.starts_with("第2座口袋公园"), "{items:?}");
    assert!(items[1].complaints.is_empty());
    assert_eq!(desk.book(&source).held, []);
    // Now its validators count again.
    assert_eq!(desk.round(&source).await.outcome, Outcome::NotModified);
    assert_eq!((origin.hits("/a/1.html"), origin.hits("/a/2.html")), (1, 2));
}

#[tokio::test]
async fn after_three_tries_or_ten_minutes_an_item_is_filed_as_it_is() {
    for (pause, rounds) in [(PAUSE, TRIES), (HOLD + 1, 2)] {
        let origin = Origin::start();
        let mut desk = Desk::new();
        let source = page(&origin, "/list");
        origin.serve("/list", Reply::ok(list(&[1])));
        serve_articles(&origin, 1..=1);
        desk.round(&source).await;
        desk.decide();
        origin.serve("/list", Reply::ok(list(&[2, 1])));
        for round in 1..=rounds {
            let outcome = desk.round(&source).await.outcome;
            assert_eq!(outcome == Outcome::New(1), round == rounds, "round {round} of {rounds}");
            desk.pass(pause);
        }
        desk.decide();
        let items = filed(&desk);
        assert_eq!(items[1].title, "许昌市第2座口袋公园今日建成");
        assert_eq!(items[1].text, "");
        assert!(items[1].complaints.iter().any(|complaint| complaint.contains("404")), "{:?}", items[1].complaints);
        assert_eq!(desk.round(&source).await.outcome, Outcome::Unchanged);
        assert_eq!(origin.hits("/a/2.html"), rounds as usize);
    }
}

#[tokio::test]
async fn a_first_filing_waits_as_a_whole_where_the_site_does_not_answer_and_is_still_a_first() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = page(&origin, "/list");
    origin.serve("/list", Reply::ok(list(&[5, 4, 3, 2, 1])));
    for n in 1..=5 {
        origin.serve(&format!("/a/{n}.html"), Reply::status(503, "").header("Retry-After", "300"));
    }
    let first = desk.round(&source).await;
    assert_eq!((first.outcome, first.filing), (Outcome::Nothing, None), "{first:?}");
    assert_eq!(first.sentence, "5 items wait until articles can be had");
    assert_eq!(origin.total(), 1 + 1 + 3, "robots.txt, the list, and three refusals in a row are enough");
    assert_eq!(first.due, Time(crate::poll::NOW + 300_000), "the server said when");

    desk.pass(300_000);
    serve_articles(&origin, 1..=5);
    assert_eq!(desk.round(&source).await.outcome, Outcome::New(5));
    assert_eq!(desk.filings().len(), 1);
    desk.decide();

    // One dead article does not hold a first filing up.
    let other = Source {
        rules: SourceRules {
            id: citydesk::model::id::SourceId::new("other").unwrap(),
            ..SourceRules::clone(&source.rules)
        }
        .into(),
        ..source.clone()
    };
    origin.serve("/a/3.html", Reply::status(404, ""));
    let round = desk.round(&other).await;
    assert_eq!(round.outcome, Outcome::New(5), "{round:?}");
    let (_, items) = desk.filings().remove(1);
    assert_eq!(items.iter().filter(|item| item.text.is_empty()).count(), 1);
}

#[tokio::test]
async fn a_changed_item_keeps_its_text() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = page(&origin, "/list");
    origin.serve("/list", Reply::ok(list(&[1])));
    serve_articles(&origin, 1..=1);
    desk.round(&source).await;
    desk.decide();
    origin.serve("/list", Reply::ok(list(&[1]).replace("今日建成", "昨日建成")));
    assert_eq!(desk.round(&source).await.outcome, Outcome::New(1));
    let items = filed(&desk);
    assert_eq!((items[1].title.as_str(), items[1].text.is_empty()), ("许昌市第1座口袋公园昨日建成", false));
}

#[tokio::test]
async fn what_drop_refuses_is_not_fetched_and_what_only_refuses_not_again() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let mut source = page(&origin, "/list");
    Arc::make_mut(&mut source.how).drop = Some("title:\"第1座\"".to_owned());
    Arc::make_mut(&mut source.how).only = Some("\"第3座口袋公园位于\"".to_owned());
    origin.serve("/list", Reply::ok(list(&[3, 2, 1])));
    serve_articles(&origin, 1..=4);
    let first = desk.round(&source).await;
    assert_eq!((first.filed, first.dropped), (1, 2), "{first:?}");
    desk.decide();
    origin.serve("/list", Reply::ok(list(&[4, 3, 2, 1])));
    let second = desk.round(&source).await;
    assert_eq!((second.filed, second.state), (0, State::Ok), "{second:?}");
    assert_eq!([1, 2, 3, 4].map(|n| origin.hits(&format!("/a/{n}.html"))), [0, 1, 1, 1]);
}

#[tokio::test]
async fn a_page_in_another_character_set_than_its_list_is_read_in_its_own() {
    let origin = Origin::start();
    let desk = Desk::new();
    let source = page(&origin, "/list");
    let (gbk, ..) = encoding_rs::GBK.encode(
        "<meta charset=\"gb2312\"><h1>许昌</h1><div class=\"txt\">许昌市水平测试平台今日启用，全市三十所学校接入。</div>",
    );
    origin.serve("/list", Reply::ok(list(&[1])).header("Content-Type", "text/html; charset=utf-8"));
    origin.serve("/a/1.html", Reply::ok(gbk.into_owned()).header("Content-Type", "text/html; charset=ISO-8859-1"));
    desk.round(&source).await;
    assert_eq!(filed(&desk)[0].text, "许昌市水平测试平台今日启用，全市三十所学校接入。");
}

#[tokio::test]
async fn an_article_that_is_no_page_is_not_asked_for_again() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = page(&origin, "/list");
    origin.serve("/list", Reply::ok(list(&[])));
    desk.round(&source).await;
    desk.decide();
    origin.serve("/list", Reply::ok(list(&[3, 2, 1])));
    origin.serve("/a/1.html", Reply::ok("%PDF-1.7").header("Content-Type", "application/pdf"));
    origin.serve("/a/2.html", Reply::redirect(302, "/"));
    origin.serve("/", Reply::ok(article(9)));
    let elsewhere = Origin::start();
    origin.serve("/a/3.html", Reply::redirect(302, &elsewhere.url("/x")));
    let round = desk.round(&source).await;
    assert_eq!(round.filed, 1, "{round:?}");
    let items = filed(&desk);
    assert!(items[0].complaints.iter().any(|complaint| complaint.contains("application/pdf")));
    assert!(round.complaints.iter().any(|complaint| complaint.contains("2 items wait")), "{round:?}");
    assert_eq!(elsewhere.total(), 0, "a redirect opens no port");
}

#[tokio::test]
async fn an_address_that_a_list_names_gets_no_secrets_and_opens_no_port() {
    let origin = Origin::start();
    let other = Origin::start();
    let desk = Desk::new();
    let mut source = page(&origin, "/list");
    let key = ("X-Key".to_owned(), citydesk::model::source::Secret::Plain("word".to_owned()));
    Arc::make_mut(&mut source.how).headers = vec![key];
    let html = format!(
        "<li><a href=\"/a/1.html?k=${{PATH}}\">许昌市第一条消息在此</a></li><li><a href=\"{}\">许昌市第二条消息在此</a></li>",
        other.url("/a/2.html")
    );
    origin.serve("/list", Reply::ok(html));
    serve_articles(&origin, 1..=1);
    assert_eq!(desk.round(&source).await.filed, 2);
    let asked = origin.asked("/a/1.html").remove(0);
    assert_eq!(asked.target, "/a/1.html?k=$%7BPATH}");
    assert_eq!(asked.header("x-key"), Some("word"), "on its own host");
    assert_eq!(other.total(), 0);
}

#[tokio::test]
async fn too_many_new_items_are_spread_over_rounds() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = page(&origin, "/list");
    origin.serve("/list", Reply::ok(list(&[1])));
    let last = ARTICLES as u32 + 6;
    serve_articles(&origin, 1..=last);
    desk.round(&source).await;
    desk.decide();
    origin.serve("/list", Reply::ok(list(&(1..=last).rev().collect::<Vec<_>>())));
    assert_eq!(desk.round(&source).await.filed, ARTICLES as u32);
    desk.decide();
    assert_eq!(desk.round(&source).await.filed, 5);
    assert!(filed(&desk).iter().all(|item| !item.text.is_empty()));
}

fn sitemap(entries: &[(&str, &str)]) -> String {
    let entries: String = entries
        .iter()
        .map(|(loc, lastmod)| match *lastmod {
            "" => format!("<url><loc>{loc}</loc></url>"),
            lastmod => format!("<url><loc>{loc}</loc><lastmod>{lastmod}</lastmod></url>"),
        })
        .collect();
    format!("<?xml version=\"1.0\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{entries}</urlset>")
}

#[tokio::test]
async fn the_newest_children_of_an_index_are_read_packed_or_not() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = source("map", Kind::Sitemap(origin.url("/index.xml")));
    let child = |n: usize, day: usize| {
        let name = if n == 1 { "/s1.xml.gz".to_owned() } else { format!("/s{n}.xml") };
        format!("<sitemap><loc>{name}</loc><lastmod>2026-11-{day:02}</lastmod></sitemap>")
    };
    let index = |day: usize| {
        let children: String = (1..=CHILDREN + 2).map(|n| child(n, day - n)).collect();
        format!("<sitemapindex>{children}</sitemapindex>")
    };
    let news = |n: usize| {
        format!(
            "<urlset><url><loc>/n/{n}.html</loc><news:news><news:title>焦作第{n}号快讯发布</news:title>\
             <news:publication_date>2026-11-22T0{n}:00:00+08:00</news:publication_date></news:news></url></urlset>"
        )
    };
    for n in 2..=CHILDREN + 2 {
        origin.serve(&format!("/s{n}.xml"), Reply::ok(news(n)));
    }
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(news(1).as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    origin.serve("/s1.xml.gz", Reply::ok(packed).header("Content-Type", "application/x-gzip"));
    origin.serve("/index.xml", Reply::ok(index(23)).etag("\"1\""));

    let round = desk.round(&source).await;
    assert_eq!((round.outcome, round.listed), (Outcome::New(CHILDREN as u32), CHILDREN as u32), "{round:?}");
    let titles: Vec<String> = filed(&desk).into_iter().map(|item| item.title).collect();
    assert_eq!(titles, (1..=CHILDREN).map(|n| format!("焦作第{n}号快讯发布")).collect::<Vec<_>>());
    assert_eq!(filed(&desk)[0].link, origin.url("/n/1.html"));
    desk.decide();
    // The index states when each child changed: while it is the same, so are they.
    assert_eq!(desk.round(&source).await.outcome, Outcome::NotModified);
    // A child that fails: the others stand, and the index vouches for nothing.
    origin.serve("/index.xml", Reply::ok(index(24)).etag("\"2\""));
    origin.serve("/s2.xml", Reply::status(500, ""));
    let round = desk.round(&source).await;
    assert!(
        round.complaints.iter().any(|complaint| complaint.contains("/s2.xml: the server answers 500")),
        "{round:?}"
    );
    assert_eq!(desk.book(&source).validators, Validators::default());
    // None is there: that is a failure.
    for n in 3..=CHILDREN {
        origin.serve(&format!("/s{n}.xml"), Reply::status(500, ""));
    }
    origin.serve("/s1.xml.gz", Reply::status(500, ""));
    let round = desk.round(&source).await;
    assert_eq!(round.state, State::Broken, "{round:?}");
}

#[tokio::test]
async fn a_plain_sitemap_brings_what_changed_since_it_was_first_read() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = source("map", Kind::Sitemap(origin.url("/sitemap.xml")));
    serve_articles(&origin, 1..=4);
    for n in 1..=4 {
        let html = article(n).replace("class=\"txt\"", "class=\"x\"");
        let html =
            html.replace("公园全天开放。", &"公园全天开放，附近居民可以步行前往，周边设有停车位二十个。".repeat(4));
        origin.serve(&format!("/a/{n}.html"), Reply::ok(html));
    }
    origin
        .serve("/sitemap.xml", Reply::ok(sitemap(&[("/", "2026-11-22"), ("/a/1.html", "2026-11-22T10:00:00+08:00")])));
    let first = desk.round(&source).await;
    assert_eq!(first.outcome, Outcome::New(1), "{first:?}");
    let items = filed(&desk);
    assert_eq!(items[0].title, "许昌市第1座口袋公园今日建成", "the headline is that of the page, not of its address");
    assert!(items[0].text.contains("清潩河畔"));
    desk.decide();

    desk.pass(3_600_000);
    origin.serve(
        "/sitemap.xml",
        Reply::ok(sitemap(&[
            ("/a/4.html", "2026-11-23"),
            ("/a/3.html", "2026-11-23T10:30:00+08:00"),
            ("/a/2.html", "2026-10-01"),
            ("/a/1.html", "2026-11-23T10:30:00+08:00"),
        ])),
    );
    let second = desk.round(&source).await;
    assert_eq!(second.outcome, Outcome::New(2), "{second:?}");
    assert_eq!([1, 2, 3, 4].map(|n| origin.hits(&format!("/a/{n}.html"))), [1, 0, 1, 1]);
    assert!(second.complaints.iter().any(|complaint| complaint.contains("older than the source")), "{second:?}");
}

#[tokio::test]
async fn a_list_in_json_is_asked_by_form_and_never_conditionally() {
    let origin = Origin::start();
    let desk = Desk::new();
    let json = JsonPattern {
        items: "data.rows".to_owned(),
        title: "t".to_owned(),
        link: "/a/{id}.html".to_owned(),
        date: Some("pub".to_owned()),
        ..JsonPattern::default()
    };
    let post = [("page".to_owned(), "1".to_owned()), ("channel".to_owned(), "要闻".to_owned())].into();
    let source = source("api", Kind::Api { url: origin.url("/list.json"), post, json: Box::new(json) });
    let answer = "cb({\"data\":{\"rows\":[{\"id\":1,\"t\":\"许昌高铁公交专线开通\",\"pub\":1795399200000}]}})";
    origin.serve("/list.json", Reply::ok(answer).etag("\"1\""));
    assert_eq!(desk.round(&source).await.outcome, Outcome::New(1));
    let asked = origin.asked("/list.json").remove(0);
    assert_eq!((asked.method.as_str(), asked.body.as_slice()), ("POST", &b"channel=%E8%A6%81%E9%97%BB&page=1"[..]));
    let item = filed(&desk).remove(0);
    assert_eq!(item.link, origin.url("/a/1.html"));
    assert_eq!(item.published.unwrap().at, Time(1_795_399_200_000));
    assert_eq!(desk.round(&source).await.outcome, Outcome::Unchanged);
    assert_eq!(origin.asked("/list.json").remove(1).header("if-none-match"), None);
}

#[tokio::test]
async fn older_pages_of_a_list_in_json_are_asked_for_a_backfill_and_only_once() {
    let rows = |numbers: &[u32]| {
        let rows: Vec<String> = numbers
            .iter()
            .map(|n| format!("{{\"id\":{n},\"t\":\"许昌市第{n}座口袋公园今日建成\",\"u\":\"/a/{n}.html\"}}"))
            .collect();
        format!("{{\"rows\":[{}]}}", rows.join(","))
    };
    let json = || JsonPattern {
        items: "rows".to_owned(),
        title: "t".to_owned(),
        link: "u".to_owned(),
        ..JsonPattern::default()
    };
    let origin = Origin::start();
    let mut desk = Desk::new();
    let kind = Kind::Api { url: origin.url("/list?size=3&pageNo=1"), post: [].into(), json: json().into() };
    let mut api = source("api", kind);
    Arc::make_mut(&mut api.rules).backfill = 7;
    origin.serve("/list?size=3&pageNo=1", Reply::ok(rows(&[9, 8, 7])));
    origin.serve("/list?size=3&pageNo=2", Reply::ok(rows(&[7, 6, 5])));
    origin.serve("/list?size=3&pageNo=3", Reply::ok(rows(&[4, 3, 2])));
    let round = desk.round(&api).await;
    assert_eq!(round.filed, 7, "{round:?}");
    desk.decide();
    origin.serve("/list?size=3&pageNo=1", Reply::ok(rows(&[10, 9, 8])));
    assert_eq!(desk.round(&api).await.filed, 1);
    let hits = [1, 2, 3, 4].map(|n| origin.hits(&format!("/list?size=3&pageNo={n}")));
    assert_eq!(hits, [2, 1, 1, 0], "only the first round goes back");

    // By form; a page that fails ends it, and what came before stands.
    let post = [("pno".to_owned(), "1".to_owned())].into();
    let mut form = source("form", Kind::Api { url: origin.url("/form"), post, json: json().into() });
    Arc::make_mut(&mut form.rules).backfill = 20;
    origin.serve("/form", Reply::ok(rows(&[3, 2])));
    origin.then("/form", Reply::ok(rows(&[1])));
    origin.then("/form", Reply::status(500, ""));
    let round = desk.round(&form).await;
    assert_eq!(round.filed, 3, "{round:?}");
    let bodies: Vec<String> =
        origin.asked("/form").iter().map(|asked| String::from_utf8_lossy(&asked.body).into_owned()).collect();
    assert_eq!(bodies, ["pno=1", "pno=2", "pno=3"]);
    assert!(
        round.complaints.iter().any(|complaint| complaint.contains("pno = 3: the server answers 500")),
        "{round:?}"
    );
}

/// Page `page` of `pages` of an article.
fn article_page(page: u32, pages: u32, file: &str) -> String {
    let next = if page < pages { format!("<a href=\"{file}_{}.html\">下一页</a>", page + 1) } else { String::new() };
    article(page)
        .replace("公园全天开放。</p></div>", &format!("公园全天开放。</p></div><div class=\"pages\">{next}</div>"))
}

#[tokio::test]
async fn an_article_of_several_pages_is_put_together() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = page(&origin, "/list");
    origin.serve("/list", Reply::ok(list(&[1])));
    origin.serve("/a/1.html", Reply::ok(article_page(1, 3, "1")));
    origin.serve("/a/1_2.html", Reply::ok(article_page(2, 3, "1")));
    // The last one leads on to another article.
    origin.serve(
        "/a/1_3.html",
        Reply::ok(article_page(3, 3, "1").replace("</body>", "<a rel=\"next\" href=\"2.html\">下一页</a></body>")),
    );
    let round = desk.round(&source).await;
    assert_eq!(round.filed, 1, "{round:?}");
    desk.decide();
    let item = filed(&desk).remove(0);
    let begins: Vec<String> = item.text.lines().step_by(2).map(|line| line.chars().take(7).collect()).collect();
    assert_eq!(begins, ["第1座口袋公园", "第2座口袋公园", "第3座口袋公园"], "{}", item.text);
    assert_eq!(item.link, origin.url("/a/1.html"));
    assert_eq!(origin.hits("/a/2.html"), 0);

    // A page that is not there yet: the item waits for it, and is filed with what there is in the end.
    origin.serve("/list", Reply::ok(list(&[5, 1])));
    origin.serve("/a/5.html", Reply::ok(article_page(1, 2, "5")));
    let held = desk.round(&source).await;
    assert_eq!((held.filed, held.sentence.as_str()), (0, "1 of 2 items wait for their articles"), "{held:?}");
    for _ in 1..TRIES {
        desk.pass(PAUSE);
        desk.round(&source).await;
    }
    let item = filed(&desk).remove(1);
    assert!(item.text.starts_with("第1座口袋公园"), "{item:?}");
    assert!(item.complaints.iter().any(|complaint| complaint.contains("/a/5_2.html")), "{:?}", item.complaints);
}

#[tokio::test]
async fn the_pages_of_an_article_are_bounded() {
    let origin = Origin::start();
    let desk = Desk::new();
    let source = page(&origin, "/list");
    origin.serve("/list", Reply::ok(list(&[1])));
    origin.serve("/a/1.html", Reply::ok(article_page(1, 90, "1")));
    for n in 2..=90 {
        origin.serve(&format!("/a/1_{n}.html"), Reply::ok(article_page(n, 90, "1")));
    }
    let round = desk.round(&source).await;
    assert_eq!((round.filed, origin.total()), (1, 2 + PAGES), "{round:?}");
    let item = filed(&desk).remove(0);
    assert!(item.complaints.iter().any(|complaint| complaint.contains("more than 12 pages")), "{:?}", item.complaints);
}

#[tokio::test]
async fn older_pages_are_asked_for_a_backfill_and_only_once() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let mut source = page(&origin, "/list");
    Arc::make_mut(&mut source.how).body = None;
    Arc::make_mut(&mut source.rules).backfill = 9;
    let next = |html: String, to: &str| html.replace("</ul>", &format!("</ul><a href=\"{to}\">下一页</a>"));
    origin.serve("/list", Reply::ok(next(list(&[6, 5, 4]), "/list?p=2")));
    origin.serve("/list?p=2", Reply::ok(next(list(&[4, 3, 2]), "/list?p=3")));
    // Beyond the last page this site shows the last again.
    origin.serve("/list?p=3", Reply::ok(next(list(&[4, 3, 2]), "/list?p=4")));
    assert_eq!(desk.round(&source).await.filed, 5);
    desk.decide();
    origin.serve("/list", Reply::ok(next(list(&[7, 6, 5]), "/list?p=2")));
    assert_eq!(desk.round(&source).await.filed, 1);
    assert_eq!(["/list?p=2", "/list?p=3", "/list?p=4"].map(|path| origin.hits(path)), [1, 1, 0]);
}

#[tokio::test]
async fn what_robots_txt_forbids_is_told_with_the_line_and_never_asked_for() {
    let origin = Origin::start();
    let mut desk = Desk::new();
    let source = page(&origin, "/list");
    origin.serve("/robots.txt", Reply::ok("# ours\nUser-agent: *\nDisallow: /list\n"));
    origin.serve("/list", Reply::ok(list(&[2, 1])));
    serve_articles(&origin, 1..=2);
    let round = desk.round(&source).await;
    assert_eq!((round.outcome, round.state), (Outcome::Failed("robots"), State::Broken), "{round:?}");
    assert!(round.sentence.contains("forbids /list to citydesk: line 3, \"Disallow: /list\""), "{}", round.sentence);
    assert_eq!((origin.hits("/list"), desk.book(&source).reason), (0, round.sentence));

    // The list is free, its articles are not: the items are told without them.
    let origin = Origin::start();
    let source = page(&origin, "/list");
    origin.serve("/robots.txt", Reply::ok("User-agent: citydesk\nDisallow: /a/\n"));
    origin.serve("/list", Reply::ok(list(&[2, 1])));
    serve_articles(&origin, 1..=2);
    let round = desk.round(&source).await;
    assert_eq!((round.filed, origin.hits("/a/1.html"), origin.hits("/a/2.html")), (2, 0, 0), "{round:?}");
    assert!(
        round.complaints.iter().any(|it| it.contains("articles are not read") && it.contains("line 2")),
        "{round:?}"
    );
    desk.decide();

    // Without an answer nothing is read; after a month of that everything may be (RFC 9309 section 2.3.1.4).
    let origin = Origin::start();
    let source = page(&origin, "/list");
    origin.serve("/robots.txt", Reply::status(503, ""));
    origin.serve("/list", Reply::ok(list(&[2, 1])));
    serve_articles(&origin, 1..=2);
    let round = desk.round(&source).await;
    assert_eq!((round.outcome, origin.hits("/list")), (Outcome::Failed("robots"), 0), "{round:?}");
    assert!(round.sentence.contains("503"), "{}", round.sentence);
    desk.pass(31 * Time::DAY);
    let round = desk.round(&source).await;
    assert_eq!((round.filed, origin.hits("/list")), (2, 1), "{round:?}");

    // A feed is there for programs.
    let source = Source { how: Arc::default(), ..crate::poll::source("feed", Kind::Feed(origin.url("/feed"))) };
    origin.serve("/robots.txt", Reply::ok("User-agent: *\nDisallow: /\n"));
    origin.serve("/feed", Reply::ok("<rss version=\"2.0\"><channel><title>x</title></channel></rss>"));
    desk.round(&source).await;
    assert_eq!(origin.hits("/feed"), 1);
}
