//! An editor's corrections by the commands: beside a daemon, without one, and with a daemon that dies at every point.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;

use crate::daemon::{Daemon, Desk};
use crate::origin::{Origin, Reply};
use crate::rebuild::fingerprint;

const NIGHT: &str = "停航半年的游船周五重新下水，市民和游客可以在网上购票，逢雨停航，码头同步换上新的照明和防滑地面。";
const RIVER: &str = "许昌护城河夜游航线周五复航，票价三十元，全程四十分钟，每晚七点到九点半发船，沿途设三处停靠点。";

fn feed(items: &[(&str, &str, &str)]) -> Reply {
    let items: String = items
        .iter()
        .map(|(key, title, text)| {
            format!(
                "<item><title>{title}</title><link>http://news.example/{key}</link><guid isPermaLink=\"false\">{key}</guid>\
                 <description>{text}</description></item>"
            )
        })
        .collect();
    Reply::ok(format!("<rss version='2.0'><channel><title>t</title>{items}</channel></rss>"))
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn ok(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}{}", out(output), String::from_utf8_lossy(&output.stderr));
    out(output)
}

fn stories(desk: &Desk) -> Vec<Value> {
    ok(&desk.run(&["export"])).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The story with a copy of this guid, if it is not retired or taken out.
fn with(desk: &Desk, key: &str) -> Option<Value> {
    let has = |story: &Value| story["copies"].as_array().unwrap().iter().any(|copy| copy["guid"] == key);
    let mut found: Vec<Value> = stories(desk).into_iter().filter(has).collect();
    assert!(found.len() < 2, "{found:?}");
    found.pop()
}

fn guids(daemon: &Daemon, path: &str) -> BTreeSet<String> {
    let answer = daemon.get(path);
    assert_eq!(answer.status, 200, "{path}");
    let body = String::from_utf8(answer.body).unwrap();
    let guids = body.split("<guid isPermaLink=\"false\">").skip(1);
    let guids: Vec<String> = guids.map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
    let set: BTreeSet<String> = guids.iter().cloned().collect();
    assert_eq!(set.len(), guids.len(), "a guid stands twice in {path}");
    set
}

fn id(story: &Value) -> String {
    story["id"].as_str().unwrap().to_owned()
}

struct World {
    origin: Origin,
    desk: Desk,
}

impl World {
    fn new() -> Self {
        let origin = Origin::start();
        origin.serve("/a.xml", feed(&[("a", "许昌护城河夜游航线复航", RIVER)]));
        origin.serve("/b.xml", feed(&[("b", "许昌夜游船又开了 市民可网上购票", NIGHT)]));
        let source =
            |id: &str| format!("[[source]]\nid = \"{id}\"\nfeed = \"{}\"\n", origin.url(&format!("/{id}.xml")));
        let first = format!("[defaults]\nevery = \"1d\"\n{}", source("a"));
        let desk = Desk::new(&first);
        ok(&desk.run(&["once"]));
        // Polled later, so emitted later: the guid of `a` goes on.
        desk.config(&(first + &source("b")));
        ok(&desk.run(&["once"]));
        Self { origin, desk }
    }
}

#[test]
fn stories_are_joined_split_and_taken_out_and_stay_so() {
    let World { origin, desk } = World::new();
    let (a, b) = (id(&with(&desk, "a").unwrap()), id(&with(&desk, "b").unwrap()));
    assert_ne!(a, b);
    // Without a daemon.
    let said = ok(&desk.run(&["join", &a, "http://news.example/b"]));
    assert!(said.contains("2 copies of") && said.contains("retired"), "{said}");
    let joined = with(&desk, "b").unwrap();
    assert_eq!((id(&joined), joined["copies"].as_array().unwrap().len()), (id(&with(&desk, "a").unwrap()), 2));
    let kept = id(&joined);
    // The same items again, one of them edited, by the feed and by a daemon.
    origin.serve("/b.xml", feed(&[("b", "许昌夜游船又开了 市民可网上购票退票", NIGHT)]));
    ok(&desk.run(&["once", "--all"]));
    assert_eq!(id(&with(&desk, "b").unwrap()), kept);
    let daemon = desk.serve();
    let before = guids(&daemon, "/feeds/all.rss");
    assert_eq!(before, [&a, &b].map(|id| format!("urn:uuid:{id}")).into());
    let said = ok(&desk.run(&["split", &format!("http://127.0.0.1/story/{kept}"), "b"]));
    assert!(said.contains(&a) && said.contains(&b), "{said}");
    assert_eq!((id(&with(&desk, "a").unwrap()), id(&with(&desk, "b").unwrap())), (a.clone(), b.clone()));
    let split = with(&desk, "b").unwrap();
    assert_eq!(guids(&daemon, "/feeds/all.rss"), before);
    // What does not fit is refused in words, and changes nothing.
    for (arguments, part) in [
        (["split", &a], "one copy only"),
        (["spike", "http://news.example/nothing"], "no story is known"),
        (["split", "urn:uuid:00000000-0000-4000-8000-000000000000"], "no story is known"),
    ] {
        let refused = desk.run(&arguments);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(65), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    // What is so already is no failure: a command that was cut off can be repeated.
    assert!(ok(&desk.run(&["join", &a, "http://news.example/a"])).contains("one story already"));
    assert!(ok(&desk.run(&["split", &a, "b"])).contains("two stories already"));
    assert_eq!(desk.run(&["join", &a]).status.code(), Some(64));
    let said = ok(&desk.run(&["spike", &b]));
    assert!(said.contains("taken out of everything"), "{said}");
    assert!(ok(&desk.run(&["spike", &b])).contains("taken out already"));
    assert_eq!(guids(&daemon, "/feeds/all.rss"), [format!("urn:uuid:{a}")].into());
    let gone = daemon.get(&format!("/story/{b}"));
    let page = String::from_utf8(gone.body).unwrap();
    assert!(gone.status == 410 && page.contains("已被编辑撤下") && !page.contains("夜游"), "{page}");
    daemon.kill();
    // A new source brings a copy of it, and the old one sends it again: it stays away.
    origin.serve("/c.xml", feed(&[("c", "许昌夜游船又开了 市民可网上购票", NIGHT)]));
    origin.serve(
        "/b.xml",
        feed(&[("b", "许昌夜游船又开了 市民可网上购票", NIGHT), ("b2", "许昌东湖栈道月底开放", RIVER)]),
    );
    let more = format!("[[source]]\nid = \"c\"\nfeed = \"{}\"\nbackfill = 9\n", origin.url("/c.xml"));
    let feeds = std::fs::read_to_string(desk.folder().join("feeds.toml")).unwrap();
    std::fs::write(desk.folder().join("feeds.toml"), feeds + &more).unwrap();
    ok(&desk.run(&["once", "--all"]));
    assert!(with(&desk, "b").is_none() && with(&desk, "c").is_none());
    let print = fingerprint(&desk);
    ok(&desk.run(&["rebuild"]));
    assert_eq!(fingerprint(&desk), print);
    assert!(with(&desk, "b").is_none());
    // It was a mistake: the story is back under its guid and date, on its page and in its archives, and in no feed.
    let said = ok(&desk.run(&["spike", "--undo", &b]));
    assert!(said.contains("back on pages"), "{said}");
    assert!(ok(&desk.run(&["spike", "--undo", &b])).contains("not taken out"));
    let back = with(&desk, "b").unwrap();
    assert_eq!((id(&back), back["published"].clone()), (b.clone(), split["published"].clone()));
    let daemon = desk.serve();
    let shown = guids(&daemon, "/feeds/all.rss");
    assert!(!shown.contains(&format!("urn:uuid:{b}")) && shown.contains(&format!("urn:uuid:{a}")), "{shown:?}");
    assert_eq!(daemon.get(&format!("/story/{b}")).status, 200);
    assert!(String::from_utf8(daemon.get("/").body).unwrap().contains(&b));
    daemon.kill();
    let print = fingerprint(&desk);
    ok(&desk.run(&["rebuild"]));
    assert_eq!(fingerprint(&desk), print);
    assert_eq!(id(&with(&desk, "b").unwrap()), b);
}

#[test]
fn a_correction_survives_a_daemon_that_dies_at_any_point() {
    let World { desk, .. } = World::new();
    let (a, b) = (id(&with(&desk, "a").unwrap()), id(&with(&desk, "b").unwrap()));
    let whole: BTreeSet<String> = [&a, &b].map(|id| format!("urn:uuid:{id}")).into();
    let points =
        ["wire-appended", "wire-synced", "ledger-appended", "ledger-synced", "store-tree-applied:2", "store-applied"];
    for point in points {
        for command in [["join", &a, &b], ["split", &a, "b"]] {
            let mut daemon = desk.start(Some(point));
            daemon.wait_ready();
            let output = desk.run(&command);
            assert_eq!(output.status.code(), Some(69), "{point} {command:?}: {}", out(&output));
            // Its socket closes before its lock is free.
            daemon.kill();
            let daemon = desk.serve();
            // Asked again, it is done now, or was.
            ok(&desk.run(&command));
            let (one, other) = (with(&desk, "a").unwrap(), with(&desk, "b").unwrap());
            assert_eq!(id(&one), a, "{point} {command:?}");
            assert_eq!(id(&other), if command[0] == "join" { a.clone() } else { b.clone() }, "{point} {command:?}");
            assert_eq!(guids(&daemon, "/feeds/all.rss"), whole, "{point} {command:?}");
            // Stopped, not killed: else the next start may have records to replay, and the point is met there.
            assert!(daemon.stop().0.success(), "{point} {command:?}");
        }
    }
    let print = fingerprint(&desk);
    ok(&desk.run(&["rebuild"]));
    assert_eq!(fingerprint(&desk), print);
}
