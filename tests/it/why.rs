//! "Why?" is answered: by the command beside a daemon and without one, and on the story's page in both languages.

use serde_json::Value;

use crate::daemon::Desk;
use crate::origin::{Origin, Reply};

const WHOLE: &str = "许昌护城河夜游航线周五复航，票价三十元，全程四十分钟，每晚七点到九点半发船，沿途设三处停靠点，首日迎客三千一百二十六人次。\
                     市文旅部门表示，码头已同步换上新的照明和防滑地面，并增设急救站。";
const CUT: &str = "许昌护城河夜游航线周五复航，票价三十元，全程四十分钟，加微信领红包，每晚七点到九点半发船，沿途设三处停靠点，\
                   首日迎客三千一百二十六人次。";

fn feed(items: &str) -> Reply {
    Reply::ok(format!("<rss version='2.0'><channel><title>t</title>{items}</channel></rss>"))
}

fn item(address: &str, title: &str, text: &str, more: &str) -> String {
    format!(
        "<item><title>{title}</title><link>{address}</link><guid isPermaLink=\"false\">{address}</guid>\
         <description>{text}</description>{more}</item>"
    )
}

#[test]
fn a_story_is_explained() {
    let origin = Origin::start();
    let title = "许昌护城河夜游航线复航 首日迎客三千人次";
    origin.serve(
        "/daily.xml",
        feed(
            &(item(
                "http://daily.example/1",
                title,
                WHOLE,
                "<pubDate>Mon, 23 Nov 2026 09:42:00 +0800</pubDate><category>文旅</category><source url='http://x.example/'>许昌晨报</source>",
            ) + &item("http://daily.example/2", "许昌新增12条公交线路", "许昌新增12条公交线路，全程46公里，设站88处，首班6点。", "")),
        ),
    );
    origin.serve("/portal.xml", feed(""));
    let config = |republish: &str| {
        format!(
            "[defaults]\nevery = \"1d\"\nrepublish = \"{republish}\"\n[[tag]]\nid = \"交通\"\nwhen = '\"公交\" OR \"航线\"'\n\
             [[source]]\nid = \"daily\"\nname = \"许昌日报\"\nfeed = \"{}\"\ntags = [\"地方\"]\n\
             [[source]]\nid = \"portal\"\nrank = \"reprint\"\nfeed = \"{}\"\n",
            origin.url("/daily.xml"),
            origin.url("/portal.xml")
        )
    };
    let desk = Desk::new("");
    let write = |language: &str, republish: &str| {
        desk.config(&config(republish));
        let path = desk.folder().join("feeds.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen("[site]\n", &format!("[site]\nlanguage = \"{language}\"\n"), 1)).unwrap();
    };
    write("zh-CN", "summary");
    let run = |arguments: &[&str]| {
        let output = desk.run(arguments);
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let (code, said) = run(&["once"]);
    assert_eq!(code, Some(0), "{said}");
    origin.serve(
        "/portal.xml",
        feed(
            &(item("http://portal.example/1", title, CUT, "<pubDate>2026-11-23</pubDate>")
                + &item(
                    "http://portal.example/2",
                    "许昌新增15条公交线路",
                    "许昌新增15条公交线路，全程52公里，设站97处，首班5点。",
                    "",
                )),
        ),
    );
    let (code, said) = run(&["once", "--all"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, alone) = run(&["why", "http://www.portal.example/1?utm_source=x"]);
    assert_eq!(code, Some(0), "{alone}");
    for part in [
        "as claimed by daily (RFC 822), full trust",
        "shown",
        "seen first",
        "credits  许昌晨报 (in the feed)",
        "joined   equal headline",
        "{+加微信领红包，+}",
        "市文旅部门表示",
        "headline: 许昌 +3.00",
        "交通: tag rule: \"公交\" OR \"航线\"",
        "地方: on everything of its source",
        "文旅: category or keyword of the publisher",
        "/feeds/city/xuchang.rss since ",
    ] {
        assert!(alone.contains(part), "{part}:\n{alone}");
    }
    // Beside a daemon it is the same answer.
    let daemon = desk.serve();
    assert_eq!(run(&["why", "http://portal.example/1"]), (Some(0), alone));
    let json = |arguments: &[&str]| serde_json::from_str::<Value>(&run(arguments).1).unwrap();
    let told = json(&["why", "http://portal.example/1", "--json"]);
    let id = told["id"].as_str().unwrap().to_owned();
    assert_eq!(json(&["why", &id, "--json"]), told);
    assert_eq!(json(&["why", &format!("urn:uuid:{id}"), "--json"]), told);
    let copies = told["copies"].as_array().unwrap();
    assert_eq!(copies.len(), 2);
    let portal = copies.iter().find(|copy| copy["source"] == "portal").unwrap();
    assert!(portal["joined"]["score"].as_f64().unwrap() > 0.5, "{portal}");
    assert_eq!(
        (&portal["claim"]["trust"], portal["changed"]["text"]["added"].as_u64()),
        (&Value::from("low"), Some(7))
    );
    assert_eq!(told["cities"][0]["code"], "411000");
    assert!(told["feeds"].as_array().unwrap().iter().any(|feed| feed["feed"] == "/feeds/source/portal.rss"), "{told}");
    assert!(told["tags"].as_array().unwrap().iter().any(|tag| tag["name"] == "文旅"), "{told}");
    // Two of them: one story, or what speaks against it.
    let pair = json(&["why", "http://daily.example/1", "http://portal.example/1", "--json"]);
    assert_eq!(pair["same"], true, "{pair}");
    let pair = json(&["why", "http://daily.example/2", "http://portal.example/2", "--json"]);
    assert!(pair["same"] == false && pair["veto"].is_string(), "{pair}");
    assert!(run(&["why", "http://daily.example/2"]).1.contains("not joined: "));
    assert_eq!(run(&["why", "http://nobody.example/1"]).0, Some(65));
    assert_eq!(run(&["why"]).0, Some(64));
    // The page, in Chinese and in English; no more of a text than its terms allow.
    let page = |daemon: &crate::daemon::Daemon| String::from_utf8(daemon.get(&format!("/story/{id}")).body).unwrap();
    let chinese = page(&daemon);
    for part in [
        "标题相同",
        "<ins>加微信领红包，</ins>",
        "<del>",
        "可信度低",
        "标题：许昌 +3.00",
        "收录此条的订阅",
        "标签规则",
        "按“许昌日报”标称的时间",
        "许昌晨报 (订阅源注明)",
    ] {
        assert!(chinese.contains(part), "{part}:\n{chinese}");
    }
    assert!(!chinese.contains("headline") && !chinese.contains("equal"), "{chinese}");
    assert!(daemon.stop().0.success());
    write("en", "title");
    let daemon = desk.serve();
    let english = page(&daemon);
    for part in [
        "equal headline",
        "headline: 许昌 +3.00",
        "Feeds that hold it",
        "low trust",
        "As 许昌日报 claims it",
        "characters, added 7",
    ] {
        assert!(english.contains(part), "{part}:\n{english}");
    }
    assert!(!english.contains("加微信领红包") && !english.contains("<del>"), "{english}");
}
