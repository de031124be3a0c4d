//! What a person at the keyboard meets: a feeds.toml mended while the daemon runs, and how commands end.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::process::{Command, Output};

use crate::daemon::Desk;
use crate::origin::{Origin, Reply};

const FEED: &str = "<rss version='2.0'><channel><title>t</title><item><title>许昌一条新闻</title>\
                    <link>http://a.example/1</link><guid>1</guid></item></channel></rss>";

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_mistake_is_named_and_a_refused_address_is_asked_once_it_is_allowed() {
    let origin = Origin::start();
    origin.serve("/a.xml", Reply::ok(FEED));
    let desk = Desk::new("");
    let feeds = desk.folder().join("feeds.toml");
    // No id: a warning, which stands before any error.
    let source = format!("[[source]]\nfeed = \"{}\"\n", origin.url("/a.xml"));
    let strict = fs::read_to_string(&feeds).unwrap().replace("allow_private", "# allow_private") + &source;
    fs::write(&feeds, &strict).unwrap();
    let mut daemon = desk.serve();
    daemon.until("the address is refused", |daemon| {
        String::from_utf8_lossy(&daemon.get("/sources").body).contains("allow_private")
    });
    assert_eq!(origin.total(), 0);

    let mut broken = fs::read_to_string(&feeds).unwrap();
    writeln!(broken, "feeed = \"x\"").unwrap();
    fs::write(&feeds, &broken).unwrap();
    daemon.until("the mistake is told", |daemon| {
        let said = String::from_utf8_lossy(&daemon.get("/readyz").body).into_owned();
        said.contains("unknown key `feeed`") && !said.contains("warning")
    });
    let reload = desk.run(&["reload"]);
    assert_eq!(reload.status.code(), Some(78), "{}", stderr(&reload));

    fs::write(&feeds, strict.replace("# allow_private", "allow_private")).unwrap();
    daemon.until("the allowed address is asked, out of turn", |daemon| {
        String::from_utf8_lossy(&daemon.get("/feeds/all.rss").body).contains("许昌一条新闻")
    });
    let reload = desk.run(&["reload"]);
    let said = String::from_utf8_lossy(&reload.stdout).into_owned();
    assert_eq!(reload.status.code(), Some(0), "{}", stderr(&reload));
    assert!(said.contains("warning: this source has no `id`"), "{said}");

    // Without its file the daemon goes on, and commands still reach it.
    fs::remove_file(&feeds).unwrap();
    for (command, code) in [("reload", 78), ("stats", 0), ("export", 0)] {
        let output = desk.run(&[command]);
        assert_eq!(output.status.code(), Some(code), "{command}: {}", stderr(&output));
        assert!(stderr(&output).contains("the file can't be read"), "{command}: {}", stderr(&output));
    }
    assert_eq!(desk.run(&["health"]).status.code(), Some(0), "whoever looks after it does not kill it");
    assert!(fs::metadata(desk.data().join("control.sock")).unwrap().file_type().is_socket());
}

#[test]
fn how_commands_end_tells_what_was_wrong() {
    let desk = Desk::new("");
    let folder = desk.folder();
    fs::write(folder.join("text.md"), "# not a feed <br>\n").unwrap();
    fs::write(folder.join("feed.xml"), FEED).unwrap();
    let mut wrong = Vec::new();
    let mut expect = |arguments: &[&str], code: i32| {
        let output = desk.run(arguments);
        if output.status.code() != Some(code) {
            wrong.push(format!("{arguments:?}: {} instead of {code}: {}", output.status, stderr(&output)));
        }
    };
    expect(&["check", "--offline"], 0);
    expect(&["check", "nobody"], 64);
    expect(&["check", "nobody", "--offline"], 64);
    expect(&["try", "feed.xml"], 0);
    expect(&["try", "text.md"], 65);
    expect(&["try", "nothing"], 65);
    expect(&["stats"], 69);
    expect(&["reload"], 69);
    expect(&["health"], 69);
    expect(&["rebuild"], 69);
    expect(&["once", "--output", "feed.xml"], 73);
    expect(&["once"], 0);
    expect(&["stats"], 0);
    expect(&["nonsense"], 64);
    let secret = "[[source]]\nid = \"s\"\nfeed = \"http://u:swordfish@127.0.0.1:9/x\"\n\
                  [[source]]\nid = \"p\"\npage = \"http://127.0.0.1:9/\"\nlinks = '/a/'\n";
    desk.config(secret);
    let opml = String::from_utf8(desk.run(&["export", "--format", "opml"]).stdout).unwrap();
    assert!(opml.contains("/feeds/source/s.rss") && opml.contains("/feeds/source/p.rss"), "{opml}");
    assert!(!opml.contains("swordfish"), "{opml}");
    fs::remove_file(folder.join("feeds.toml")).unwrap();
    fs::rename(desk.data(), folder.join("elsewhere")).unwrap();
    for command in ["check", "once", "stats", "export", "reload", "rebuild"] {
        expect(&[command], 78);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A slip in --config makes no new folder.
    let slip = folder.join("nowhere/feeds.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_citydesk")).arg("--config").arg(&slip).output().unwrap();
    assert_eq!(output.status.code(), Some(73), "{}", stderr(&output));
    assert!(!folder.join("nowhere").exists());
}

/// A source whose server has said for a week that it moved: `check` names the line, `fmt` shows the edit and makes it.
#[test]
fn a_source_that_moved_is_shown_and_written() {
    let desk = Desk::new("# ours\n[[source]]\nid=\"a\"\nfeed = \"http://127.0.0.1:9/old\" # tried in May\n");
    assert_eq!(desk.run(&["once"]).status.code(), Some(0));
    let feeds = desk.folder().join("feeds.toml");
    let before = fs::read_to_string(&feeds).unwrap();
    let nothing = desk.run(&["fmt"]);
    assert!(!String::from_utf8_lossy(&nothing.stdout).contains("/new"));
    {
        let folder = citydesk::app::folder::Folder::open(&desk.data(), false, |_| ()).unwrap();
        let id = citydesk::model::id::SourceId::new("a").unwrap();
        let since = citydesk::model::time::Time(1_700_000_000_000);
        let mut book = folder.store.book(&id).unwrap();
        (book.moved, book.moves) = (Some(("http://127.0.0.1:9/new".to_owned(), since)), 9);
        folder.store.note(&id, &book).unwrap();
        folder.store.flush().unwrap();
    }
    let check = desk.run(&["check"]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    let line = before.lines().position(|line| line.contains("/old")).unwrap() + 1;
    assert!(said.contains(&format!("feeds.toml:{line}:8: warning: source a has moved for good")), "{said}");
    let shown = desk.run(&["fmt"]);
    let diff = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(shown.status.code(), Some(0), "{}", stderr(&shown));
    assert!(diff.contains("-feed = \"http://127.0.0.1:9/old\" # tried in May\n"), "{diff}");
    assert!(diff.contains("+feed = \"http://127.0.0.1:9/new\" # tried in May\n"), "{diff}");
    assert_eq!(fs::read_to_string(&feeds).unwrap(), before, "shown is not written");
    let written = desk.run(&["fmt", "--write"]);
    assert_eq!(written.status.code(), Some(0), "{}", stderr(&written));
    let after = fs::read_to_string(&feeds).unwrap();
    assert!(
        after.contains("# ours\n[[source]]\nid = \"a\"\nfeed = \"http://127.0.0.1:9/new\" # tried in May\n"),
        "{after}"
    );
    assert!(!String::from_utf8_lossy(&desk.run(&["check"]).stdout).contains("has moved"));
    fs::write(&feeds, "[[source]\n").unwrap();
    assert_eq!(desk.run(&["fmt", "--write"]).status.code(), Some(78));
    assert_eq!(fs::read_to_string(&feeds).unwrap(), "[[source]\n");
}

#[test]
fn a_query_is_previewed_with_and_without_a_daemon() {
    let desk = Desk::new("[[source]]\nid = \"a\"\nfiles = \"a.xml\"\n");
    let items: String = ["许昌开通新公交线路", "许昌中考报名开始", "焦作中考安排公布"]
        .iter()
        .enumerate()
        .map(|(n, title)| {
            format!(
                "<item><title>{title}</title><guid>{n}</guid><pubDate>Mon, 0{} Nov 2026 08:00:00 +0800</pubDate></item>",
                n + 1
            )
        })
        .collect();
    fs::write(desk.folder().join("a.xml"), format!("<rss version='2.0'><channel>{items}</channel></rss>")).unwrap();
    assert_eq!(desk.run(&["try", "中考"]).status.code(), Some(69), "there is no store yet");
    assert_eq!(desk.run(&["once"]).status.code(), Some(0));
    let alone = desk.run(&["try", "--json", "中考 OR city:许昌市"]);
    let seen: serde_json::Value = serde_json::from_slice(&alone.stdout).unwrap();
    assert_eq!((&seen["hits"], &seen["stories"]), (&3.into(), &3.into()), "{seen}");
    assert_eq!(seen["newest"][0]["title"], "焦作中考安排公布");
    assert_eq!(seen["days"]["2026-11-02"], 1);
    let people = desk.run(&["try", "-许昌"]);
    let said = String::from_utf8_lossy(&people.stdout).into_owned();
    assert!(said.contains("hits    1 of 3 stories") && said.contains("焦作中考安排公布"), "{said}");
    let daemon = desk.serve();
    assert_eq!(desk.run(&["try", "--json", "中考 OR city:许昌市"]).stdout, alone.stdout);
    for (wrong, column) in [("许昌 (中考", "column 4"), ("中考 city:亚特兰蒂斯", "column 4"), ("\"中考", "column 1")]
    {
        let refused = desk.run(&["try", wrong]);
        assert_eq!(refused.status.code(), Some(65), "{wrong}");
        assert!(stderr(&refused).contains(column), "{wrong}: {}", stderr(&refused));
    }
    assert_eq!(desk.run(&["try", "mistyped-id"]).status.code(), Some(65));
    drop(daemon);
}

#[test]
fn once_lists_sources_that_answer_but_give_nothing() {
    let origin = Origin::start();
    origin.serve("/full.xml", Reply::ok(FEED));
    origin.serve("/empty.xml", Reply::ok("<rss version='2.0'><channel><title>t</title></channel></rss>"));
    let desk = Desk::new(&format!(
        "[[source]]\nid = \"full\"\nfeed = \"{}\"\n[[source]]\nid = \"empty\"\nfeed = \"{}\"\n\
         [[source]]\nid = \"gone\"\nfeed = \"{}\"\n",
        origin.url("/full.xml"),
        origin.url("/empty.xml"),
        origin.url("/none.xml")
    ));
    let output = desk.run(&["once"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(said.contains("1 failed, 1 silent"), "{said}");
    assert!(said.contains("  empty: silent: it shows 0 items, at least 1 are expected"), "{said}");
    assert!(said.contains("  gone: ") && !said.contains("  full: "), "{said}");
}

#[test]
fn try_reads_pages_and_sitemaps_and_tells_where_fields_stand() {
    let origin = Origin::start();
    let items: String = (1..5)
        .map(|i| format!("<li><a href='/x/{i}.html'>梧桐路小学办起周末合唱团之{i}</a><span>2026-11-2{i}</span></li>"))
        .collect();
    origin.serve("/list/", Reply::ok(format!("<html><title>要闻</title><ul>{items}</ul></html>")));
    origin.serve("/map.xml", Reply::ok("<urlset><url><loc>http://a.example/1</loc></url></urlset>"));
    origin.serve("/feed.xml", Reply::ok(FEED));
    origin.serve("/text", Reply::ok("nothing that can be read"));
    let desk = Desk::new("");
    for (path, kind, from) in
        [("/list/", "page", "link"), ("/map.xml", "sitemap", "loc"), ("/feed.xml", "feed", "link")]
    {
        let output = desk.run(&["try", &origin.url(path), "--json"]);
        assert_eq!(output.status.code(), Some(0), "{path}: {}", stderr(&output));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["kind"], kind, "{told:#}");
        let link = told["items"][0]["fields"]["link"]["from"].as_str().unwrap_or_default();
        assert!(link.contains(from), "{path}: {told:#}");
    }
    assert_eq!(desk.run(&["try", &origin.url("/text")]).status.code(), Some(69));
}

#[test]
fn a_diff_tells_what_a_reload_then_does() {
    let source = |id: &str| format!("[[source]]\nid = \"{id}\"\nfiles = \"{id}.xml\"\n");
    let items: String = ["许昌开通新公交线路", "许昌中考报名开始", "焦作中考安排公布"]
        .iter()
        .enumerate()
        .map(|(n, title)| format!("<item><title>{title}</title><guid>{n}</guid></item>"))
        .collect();
    let before = format!(
        "{}{}[[tag]]\nid = \"教育\"\nwhen = '公交'\n[[feed]]\nid = \"buses\"\ntitle = \"公交\"\nwhen = '公交'\n",
        source("a"),
        source("b")
    );
    let after = format!(
        "{}{}[[tag]]\nid = \"教育\"\nwhen = '中考'\n[[feed]]\nid = \"buses\"\ntitle = \"公交\"\nwhen = '公交'\n\
         [[feed]]\nid = \"exams\"\ntitle = \"中考\"\nwhen = '中考'\n",
        source("a"),
        source("c")
    );
    let desk = Desk::new(&before);
    for (id, items) in [("a", &*items), ("b", ""), ("c", "")] {
        let document = format!("<rss version='2.0'><channel><title>{id}</title>{items}</channel></rss>");
        fs::write(desk.folder().join(format!("{id}.xml")), document).unwrap();
    }
    assert_eq!(desk.run(&["once"]).status.code(), Some(0));
    let same = desk.run(&["diff"]);
    assert_eq!((same.status.code(), &*same.stdout), (Some(0), &b"nothing would change\n"[..]), "{}", stderr(&same));

    // Asked about another file than the one in force: a saved one would be applied at once.
    desk.config(&after);
    let next = desk.folder().join("next.toml");
    fs::rename(desk.folder().join("feeds.toml"), &next).unwrap();
    desk.config(&before);
    let diff = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_citydesk"));
        let output = command.arg("--config").arg(&next).args(["diff", "--json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let told = diff();
    assert_eq!(told["added"], serde_json::json!(["c"]), "{told}");
    assert_eq!(told["retired"], serde_json::json!(["b"]), "{told}");
    assert_eq!(told["retagged"], 3, "{told}");
    let feeds = serde_json::json!({
        "/feeds/saved/exams.rss": { "new": true, "gains": 2, "loses": 0 },
        "/feeds/tag/%E6%95%99%E8%82%B2.rss": { "new": false, "gains": 2, "loses": 1 },
    });
    assert_eq!(told["feeds"], feeds, "{told}");

    let mut daemon = desk.serve();
    assert_eq!(diff(), told, "with a daemon");
    let entries = |daemon: &crate::daemon::Daemon, path: &str| {
        String::from_utf8_lossy(&daemon.get(path).body).matches("<item>").count()
    };
    let buses = daemon.get("/feeds/saved/buses.rss").body;
    assert_eq!(entries(&daemon, "/feeds/tag/教育.rss"), 1);
    desk.config(&after);
    assert!(desk.run(&["reload"]).status.success());
    daemon.until("the new feed has its stories", |daemon| entries(daemon, "/feeds/saved/exams.rss") == 2);
    // What joined stands in its archive and on its page, not in the window.
    assert_eq!(entries(&daemon, "/feeds/tag/教育.rss"), 0);
    assert_eq!(daemon.get("/feeds/saved/buses.rss").body, buses);
    let done = desk.run(&["diff"]);
    assert_eq!(String::from_utf8_lossy(&done.stdout), "nothing would change\n");
}
