//! `once --output`: the desk as files that any static host can serve.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::daemon::Desk;
use crate::world::World;

/// Every file below a folder, by its path in it, with the time it was last written.
fn tree(root: &Path) -> BTreeMap<String, SystemTime> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, path.metadata().unwrap().modified().unwrap());
            }
        }
    }
    found
}

/// The file that a plain host answers a path with.
fn answers(root: &Path, path: &str) -> Option<PathBuf> {
    let path = percent_encoding::percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy().into_owned();
    [root.join(&path), root.join(&path).join("index.html")].into_iter().find(|file| file.is_file())
}

fn once(desk: &Desk, folder: &str) -> String {
    let output = desk.run(&["once", "--all", "--output", folder]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_site_of_files_answers_what_the_daemon_answers_and_has_no_dead_links() {
    let link = regex::Regex::new(r#"(?:href|src|xmlUrl|url)="([^"]*)""#).unwrap();
    for prefix in ["", "/news"] {
        let mut world = World::new(101, 12);
        let desk = Desk::new(&world.feeds());
        let config = fs::read_to_string(desk.folder().join("feeds.toml")).unwrap();
        let base = format!("http://{}{prefix}", desk.address());
        let config = config.replacen(&format!("http://{}", desk.address()), &base, 1);
        fs::write(desk.folder().join("feeds.toml"), &config).unwrap();
        once(&desk, "site");
        let root = desk.folder().join("site");
        let files = tree(&root);
        for file in ["index.html", "404.html", "feeds/all.rss", "feeds/all.atom", "feeds/city/xuchang.json", "feed.xml"]
            .into_iter()
            .chain(["feeds.opml", "sources.opml", "sources/index.html", "city/xuchang/index.html"])
        {
            assert!(files.contains_key(file), "{file} is missing in {:?}", files.keys());
        }
        assert!(files.keys().any(|file| file.starts_with("story/")), "{:?}", files.keys());
        assert!(!files.keys().any(|file| file.ends_with(".new")), "{:?}", files.keys());

        for file in
            files.keys().filter(|file| !file.starts_with('.') && !file.ends_with(".svg") && !file.ends_with(".png"))
        {
            let text = fs::read_to_string(root.join(file)).unwrap();
            for found in link.captures_iter(&text) {
                let address = found[1].replace("&amp;", "&");
                let address =
                    address.strip_prefix(&format!("http://{}", desk.address())).unwrap_or(&address).to_owned();
                let Some(path) = address.strip_prefix(prefix).filter(|path| path.starts_with('/')) else { continue };
                // Namespaces of categories are names.
                let path = path.split('#').next().unwrap();
                assert!(path.starts_with("/ns/") || answers(&root, path).is_some(), "{file} leads to {address}");
            }
        }

        // What did not change is not written again; what changed is.
        world.tick();
        once(&desk, "site");
        let feeds = |files: &BTreeMap<String, SystemTime>| -> Vec<(String, SystemTime)> {
            let feeds = files.iter().filter(|(file, _)| file.starts_with("feeds/province"));
            feeds.map(|(file, at)| (file.clone(), *at)).collect()
        };
        while feeds(&tree(&root)) == feeds(&files) {
            world.tick();
            once(&desk, "site");
        }
        let again = tree(&root);
        once(&desk, "site");
        assert_eq!(feeds(&tree(&root)), feeds(&again), "nothing happened in between");

        let daemon = desk.serve();
        for file in again.keys().filter(|file| file.starts_with("feeds/")) {
            let path = format!("{prefix}/{}", percent_encoding::utf8_percent_encode(file, percent_encoding::CONTROLS));
            let answer = daemon.get(&path);
            assert_eq!(answer.status, 200, "{path}");
            if !file.contains("source/") {
                assert_eq!(answer.body, fs::read(root.join(file)).unwrap(), "{path}");
            }
        }
    }
}

#[test]
fn files_that_nobody_leads_to_go_and_those_of_others_stay() {
    let world = World::new(103, 2);
    let desk = Desk::new(&world.feeds());
    once(&desk, "site");
    let root = desk.folder().join("site");
    fs::write(root.join("CNAME"), "news.example").unwrap();
    fs::write(desk.folder().join("precious"), "x").unwrap();
    fs::create_dir_all(root.join("old/page")).unwrap();
    fs::write(root.join("old/page/index.html"), "x").unwrap();
    let list = root.join(".citydesk-files");
    let text = fs::read_to_string(&list).unwrap();
    fs::write(&list, format!("{text}old/page/index.html\n../precious\n/etc/hostname\n")).unwrap();
    let said = once(&desk, "site");
    assert!(said.contains("1 removed"), "{said}");
    assert!(!root.join("old/page").exists());
    assert!(root.join("CNAME").exists() && desk.folder().join("precious").exists());

    // A story's page stays after the story left every page that led to it, and goes with the story.
    let stories: Vec<String> = tree(&root).into_keys().filter(|file| file.starts_with("story/")).collect();
    let guid = stories[0].split('/').nth(1).unwrap();
    assert!(desk.run(&["spike", guid]).status.success());
    once(&desk, "site");
    let left: Vec<String> = tree(&root).into_keys().filter(|file| file.starts_with("story/")).collect();
    assert_eq!(left.len(), stories.len() - 1);
    assert!(!left.contains(&stories[0]));
}
