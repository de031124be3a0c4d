//! Search in a real desk: found at once, with the index and before there is one, over kill and rebuild.

use std::fmt::Write as _;

use crate::daemon::{Daemon, Desk};
use crate::origin::{Origin, Reply};

const STORIES: usize = 120;

fn document(stories: usize) -> String {
    let mut items = String::new();
    for no in (1..=stories).rev() {
        let text =
            format!("许昌市第{no}号公告：供水管网检修，期间部分小区降压供水。Notice number{no} of the water works.");
        let _ = write!(
            items,
            "<item><title>公告{no}：{} 检修</title><link>http://a.example/{no}</link><guid>g{no}</guid>\
             <description>{text}</description></item>",
            if no.is_multiple_of(2) { "停水" } else { "停电" }
        );
    }
    format!("<rss version='2.0'><channel><title>t</title>{items}</channel></rss>")
}

fn hits(daemon: &Daemon, query: &str) -> usize {
    let (mut total, mut path) = (0, format!("/feeds/search.json?limit=50&q={query}"));
    loop {
        let answer = daemon.get(&path);
        assert_eq!(answer.status, 200);
        let feed: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        total += feed["items"].as_array().unwrap().len();
        let Some(next) = feed["next_url"].as_str() else { return total };
        path = format!("/feeds/{}", next.split("/feeds/").nth(1).unwrap());
    }
}

#[test]
fn what_was_just_filed_is_found_with_the_index_and_without() {
    let origin = Origin::start();
    origin.serve("/a.xml", Reply::ok(document(STORIES)));
    let desk = Desk::new(&format!("[[source]]\nid = \"a\"\nevery = \"1s\"\nfeed = \"{}\"\n", origin.url("/a.xml")));
    let mut daemon = desk.serve();
    daemon.until("the stories are there", |daemon| hits(daemon, "%E5%85%AC%E5%91%8A") == STORIES);
    let standing = || -> serde_json::Value {
        let told = desk.run(&["stats", "--json"]);
        serde_json::from_slice::<serde_json::Value>(&told.stdout).unwrap()["search"].clone()
    };
    daemon.until("they are written", |_| standing()["stories"] == STORIES && standing()["waiting"] == 0);
    // 停水: every second one. A word, a phrase, a negation.
    assert_eq!(hits(&daemon, "%E5%81%9C%E6%B0%B4"), STORIES / 2);
    assert_eq!(hits(&daemon, "number7"), 1);
    assert_eq!(hits(&daemon, "%22water%20works%22%20-%E5%81%9C%E6%B0%B4"), STORIES / 2);
    assert_eq!(hits(&daemon, "number"), 0);

    // New stories are found the moment they are filed; nothing waits for a commit.
    origin.serve("/a.xml", Reply::ok(document(STORIES + 5)));
    daemon.until("the new ones are there", |daemon| hits(daemon, "%E5%85%AC%E5%91%8A") == STORIES + 5);

    // Killed, and its index broken: found at once, and made again.
    daemon.kill();
    for file in std::fs::read_dir(desk.data().join("search")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "idx" || extension == "fast" || extension == "term") {
            std::fs::write(path, b"broken").unwrap();
        }
    }
    let mut daemon = desk.serve();
    assert_eq!(hits(&daemon, "%E5%81%9C%E7%94%B5"), (STORIES + 5).div_ceil(2));
    daemon.until("the index is whole again", |_| standing()["stories"] == STORIES + 5);
    assert_eq!(hits(&daemon, "%E5%81%9C%E7%94%B5"), (STORIES + 5).div_ceil(2));

    // An editor takes one out: gone at once.
    let page = String::from_utf8(daemon.get("/feeds/search.rss?q=number9").body).unwrap();
    let guid = page.split("urn:uuid:").nth(1).unwrap()[..36].to_owned();
    assert_eq!(desk.run(&["spike", &guid]).status.code(), Some(0));
    assert_eq!(hits(&daemon, "number9"), 0);

    let (status, _) = daemon.stop();
    assert_eq!(status.code(), Some(0));
    let told = desk.run(&["doctor", "--json"]);
    let found: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let search = found.as_array().unwrap().iter().find(|finding| finding["what"] == "search").unwrap();
    assert!(search["sentence"].as_str().unwrap().contains(" stories, "), "{search}");
}
