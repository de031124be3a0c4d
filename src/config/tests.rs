//! Files under `tests/config`, each with what is said of it beside it; and what no file may do.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{Failed, Loaded, Problem, STARTER, load, load_text};
use crate::model::setting::Settings;
use crate::model::source::{Kind, Secret, Source};

/// Parts a file of many cases.
const CASE: &str = "#### ";

/// What is said of one configuration: its problems in full, else what it says.
fn told(outcome: &Result<Loaded, Failed>) -> String {
    let (problems, pending) = match outcome {
        Ok(loaded) => (&loaded.problems, &loaded.pending),
        Err(failed) => (&failed.problems, &failed.pending),
    };
    let mut text: String = problems.iter().map(super::Problem::block).collect();
    for pending in pending {
        writeln!(text, "pending {} at {}", pending.key, pending.place).unwrap();
    }
    match outcome {
        Ok(loaded) => text.push_str(&outline(&loaded.settings)),
        Err(_) => text.push_str("refused\n"),
    }
    // The folder of the repository is another one on every machine.
    text.replace(env!("CARGO_MANIFEST_DIR"), "")
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().concat()
}

fn outline(settings: &Settings) -> String {
    let mut text = String::new();
    let Settings { site, server, fetch, publish, cities, .. } = settings;
    let contact = site.contact.as_deref().unwrap_or("-");
    writeln!(text, "site {} {} {} {contact} {}", site.title, site.language, site.public_url, site.zone).unwrap();
    let proxies = server.trusted_proxies.len();
    writeln!(text, "server {} proxies {proxies}, store {}", server.listen, settings.store.display()).unwrap();
    let proxy = fetch.proxy.as_deref().unwrap_or("-");
    let private = joined(fetch.allow_private.iter().map(|net| format!(" {}/{}", net.address, net.prefix)));
    writeln!(text, "fetch {} at once, {} bytes, proxy {proxy}, private{private}", fetch.per_host, fetch.body_max)
        .unwrap();
    for source in &settings.sources {
        source_outline(&mut text, source);
    }
    let cover = joined(cities.cover.iter().map(|code| format!(" {code}")));
    let alias = joined(cities.alias.iter().map(|(name, code)| format!(" {name}={code}")));
    let slug = joined(cities.slug.iter().map(|(code, slug)| format!(" {code}={slug}")));
    writeln!(text, "cities{cover}, alias{alias}, slug{slug}, gazetteers {}", cities.gazetteer.len()).unwrap();
    for tag in &settings.tags {
        writeln!(text, "tag {} when {}", tag.id, tag.when).unwrap();
    }
    for feed in &settings.feeds {
        writeln!(text, "feed {} ({}) when {}", feed.id, feed.title, feed.when).unwrap();
    }
    for alert in &settings.alerts {
        let to = joined(alert.to.iter().map(|(channel, secret)| format!(" {channel}={}", hidden(secret))));
        writeln!(text, "alert {} when {} to{to} after {}ms", alert.id, alert.when, alert.digest).unwrap();
    }
    writeln!(text, "publish {} hub {}", publish.items, publish.hub).unwrap();
    text
}

fn source_outline(text: &mut String, source: &Source) {
    let rules = &source.rules;
    writeln!(text, "source {} ({}) {} {}", rules.id, rules.name, source.kind.name(), source.kind.address()).unwrap();
    match &source.kind {
        Kind::Page { list, links, .. } => {
            for list in list {
                let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
                let parts = [&list.title, &list.link, &list.date, &list.credit, &list.summary].map(part).join(" | ");
                writeln!(text, "  list {} | {parts}", list.item).unwrap();
            }
            if let Some(links) = links {
                writeln!(text, "  links {links}").unwrap();
            }
        }
        Kind::Api { post, json, .. } => {
            writeln!(text, "  json {} | {} | {} | {:?}, post {post:?}", json.items, json.title, json.link, json.date)
                .unwrap();
        }
        Kind::Feed(_) | Kind::Sitemap(_) | Kind::Files(_) => {}
    }
    let cities = joined(rules.cities.iter().map(|code| format!(" {code}")));
    let headers = joined(source.how.headers.iter().map(|(name, value)| format!(" {name}={}", hidden(value))));
    let (from, to) = source.every;
    writeln!(
        text,
        "  every {from}..{to} zone {} expect {} in {} timeout {} keep {} backfill {}",
        rules.zone, source.expect.items, source.expect.newest, source.timeout, rules.keep, rules.backfill
    )
    .unwrap();
    writeln!(
        text,
        "  {:?} {:?} join {} tags {:?}, cities{cities}, headers{headers}",
        rules.rank, rules.republish, rules.join, rules.tags
    )
    .unwrap();
    let rest = [&source.how.encoding, &source.how.drop, &source.how.only, &source.how.body, &source.how.proxy];
    if rest.iter().any(|it| it.is_some()) || source.how.ca.is_some() {
        writeln!(text, "  {rest:?} ca {:?}", source.how.ca).unwrap();
    }
}

fn hidden(secret: &Secret) -> String {
    match secret {
        Secret::Plain(_) => "plain".to_owned(),
        Secret::Env(name) => format!("env:{name}"),
        Secret::File(path) => format!("file:{}", path.display()),
    }
}

/// What is said of every case of a file.
fn cases(text: &str) -> String {
    let mut all = String::new();
    for case in text.split(CASE).skip(1) {
        let (name, body) = case.split_once('\n').unwrap_or((case, ""));
        let said = told(&load_text(Path::new("feeds.toml"), body.to_owned()));
        writeln!(all, "{CASE}{name}\n{said}").unwrap();
    }
    all
}

/// With `CITYDESK_BLESS=1` the expectations are written anew: look at the difference before committing it.
fn compare(file: &Path, said: &str, failures: &mut Vec<String>) {
    let beside = file.with_extension("expect");
    if std::env::var_os("CITYDESK_BLESS").is_some() {
        std::fs::write(&beside, said).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&beside).unwrap_or_default();
    if expected != said {
        failures.push(format!("--- {}\n{said}", beside.display()));
    }
}

#[test]
fn what_cannot_be_recorded_as_one_is_told() {
    let rule = |n: usize| format!("[[tag]]\nid = \"t{n}\"\nwhen = '{}'\n", "许昌中考 ".repeat(180));
    let source = "[[source]]\nid = \"a\"\nfeed = \"https://a.example/rss\"\n";
    let text = |rules: usize| source.to_owned() + &(0..rules).map(rule).collect::<String>();
    assert!(load_text(Path::new("feeds.toml"), text(300)).is_ok());
    let failed = load_text(Path::new("feeds.toml"), text(400)).unwrap_err();
    let lines: Vec<String> = failed.problems.iter().map(Problem::line).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("feeds.toml:4:1: error: the [[tag]] rules take "), "{lines:?}");
}

#[test]
fn every_file_is_reported_as_the_expectation_beside_it_says() {
    let folder = Path::new("tests/config");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() >= 10, "the fixtures are gone");
    let mut failures = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let said = if text.starts_with(CASE) { cases(&text) } else { told(&load(&file)) };
        compare(&file, &said, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_starter_is_good() {
    let loaded = load_text(Path::new("feeds.toml"), STARTER.to_owned()).map_err(|failed| failed.problems).unwrap();
    assert_eq!(loaded.problems, []);
    assert_eq!(loaded.pending, []);
    assert!(loaded.settings.sources.iter().all(|source| matches!(source.kind, Kind::Files(_))));
}

#[test]
fn the_file_of_the_repository_is_good() {
    let loaded = load(Path::new("feeds.toml")).map_err(|failed| failed.problems).unwrap();
    assert_eq!(loaded.problems, []);
    assert!(loaded.settings.sources.len() >= 10);
}

#[test]
fn the_sample_of_another_region_is_good() {
    let loaded = load(Path::new("samples/hessen/feeds.toml")).map_err(|failed| failed.problems).unwrap();
    assert_eq!(loaded.problems, []);
    assert_eq!(loaded.pending, []);
    assert_eq!(loaded.settings.cities.cover, [crate::model::place::Code(276_060_000)]);
}

#[test]
fn an_address_with_a_secret_in_it_is_not_named_to_readers() {
    for (address, named) in [
        ("https://a.example/rss?siteId=1", true),
        ("https://a.example/@desk/rss", true),
        ("https://u:p@a.example/rss", false),
        ("https://token@a.example/rss", false),
        ("https://a.example/rss?key=${KEY}", false),
    ] {
        let text = format!("[[source]]\nid = \"a\"\nfeed = \"{address}\"\n");
        let loaded = super::load_text(Path::new("feeds.toml"), text).unwrap();
        let feed = loaded.settings.sources[0].rules.feed.as_deref();
        assert_eq!(feed, named.then_some(address));
    }
}

#[test]
fn a_file_that_is_not_there_or_no_text_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feeds.toml");
    let missing = load(&path).unwrap_err();
    assert!(missing.problems[0].line().contains("feeds.toml:1:1: error: the file can't be read"), "{missing:?}");
    std::fs::write(&path, b"[site]\ntitle = \"\xb0\xa1\"\n").unwrap();
    let gbk = load(&path).unwrap_err();
    assert!(gbk.problems[0].line().contains("feeds.toml:2:10: error: the file is not UTF-8"), "{gbk:?}");
}

/// A file with every key, for mutations.
const WHOLE: &str = include_str!("../../tests/config/whole.toml");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_file_makes_the_reader_panic(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..40, ".{0,6}|[\\[\\]{}=\"'#.\n\\\\$]{1,4}"), 1..6),
    ) {
        let mut text: Vec<char> = WHOLE.chars().collect();
        for (at, length, with) in cuts {
            let from = at.index(text.len());
            let to = (from + length).min(text.len());
            text.splice(from..to, with.chars());
        }
        let text: String = text.into_iter().collect();
        let outcome = load_text(Path::new("feeds.toml"), text);
        let problems = match &outcome { Ok(loaded) => &loaded.problems, Err(failed) => &failed.problems };
        for problem in problems {
            prop_assert!(problem.line >= 1 && problem.column >= 1 && problem.width >= 1);
            prop_assert!(problem.column <= problem.source_line.chars().count() + 1);
            prop_assert!(!problem.block().is_empty());
        }
        prop_assert!(outcome.is_ok() || !problems.is_empty());
    }
}
