//! `citydesk check`: every problem of feeds.toml, with line and hint; then, unless `--offline`, each source is asked and
//! judged.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::exit::Exit;
use super::probe::{self, Probe, Wish};
use super::{locate, say};
use crate::clock;
use crate::config::{self, Failed, Loaded, Pending, Problem, Severity};
use crate::fetch::{Fetcher, user_agent};
use crate::model::source::Source;
use crate::model::time::Time;
use crate::poll::parsers::Parsers;

/// One article of each source is asked.
const ONE: Wish = Wish { articles: 1, account: false, open: false };

/// Exit code: the configuration is wrong (sysexits.h, EX_CONFIG).
const CONFIG: u8 = 78;

/// Reads the file and says what is wrong, without asking any source: what to print, and the exit code.
#[must_use]
pub fn offline(config: &Path, json: bool) -> (String, u8) {
    report(&config.display().to_string(), &config::load(config), json)
}

/// What to say about a configuration that was read, and the exit code.
#[must_use]
pub fn report(name: &str, outcome: &Result<Loaded, Failed>, json: bool) -> (String, u8) {
    let (problems, pending) = match outcome {
        Ok(loaded) => (&loaded.problems, &loaded.pending),
        Err(failed) => (&failed.problems, &failed.pending),
    };
    let code = if outcome.is_ok() { 0 } else { CONFIG };
    let text = if json { machine(outcome, problems, pending) } else { people(name, outcome, problems, pending) };
    (text, code)
}

fn people(name: &str, outcome: &Result<Loaded, Failed>, problems: &[Problem], pending: &[Pending]) -> String {
    let mut text = String::new();
    for problem in problems {
        text.push_str(&problem.block());
        text.push('\n');
    }
    if !pending.is_empty() {
        text.push_str("accepted and checked, but not in force yet:\n");
        let width = pending.iter().map(|pending| pending.key.chars().count()).max().unwrap_or(0);
        for pending in pending {
            // Writing to a String can't fail.
            let _ = writeln!(text, "  {:width$}  {}", pending.key, pending.place);
        }
        text.push('\n');
    }
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let found = match (errors, warnings) {
        (0, 0) => "no problems".to_owned(),
        (0, warnings) => counted(warnings, "warning"),
        (errors, 0) => counted(errors, "error"),
        (errors, warnings) => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    let rest = outcome.as_ref().map_or_else(|_| "it is not used as it stands".to_owned(), contents);
    let _ = writeln!(text, "{name}: {found}; {rest}");
    text
}

/// `7 sources (5 feed, 2 page), 1 tag`.
fn contents(loaded: &Loaded) -> String {
    let settings = &loaded.settings;
    let mut kinds = std::collections::BTreeMap::<&str, usize>::new();
    for source in &settings.sources {
        *kinds.entry(source.kind.name()).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let mut parts = vec![counted(settings.sources.len(), "source")];
    if !kinds.is_empty() {
        parts[0] = format!("{} ({})", parts[0], kinds.join(", "));
    }
    let others = [(settings.tags.len(), "tag"), (settings.feeds.len(), "saved feed"), (settings.alerts.len(), "alert")];
    parts.extend(others.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(count, what)));
    parts.join(", ")
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn machine(outcome: &Result<Loaded, Failed>, problems: &[Problem], pending: &[Pending]) -> String {
    let mut report = json!({ "ok": outcome.is_ok(), "problems": problems, "pending": pending });
    if let (Ok(loaded), Some(report)) = (outcome, report.as_object_mut()) {
        let settings = &loaded.settings;
        let counts = json!({
            "sources": settings.sources.len(),
            "tags": settings.tags.len(),
            "feeds": settings.feeds.len(),
            "alerts": settings.alerts.len(),
        });
        report.insert("counts".to_owned(), counts);
    }
    format!("{report}\n")
}

/// So many sources are asked at once.
const AT_ONCE: usize = 16;

/// Reports on the file, then on each source (or on the one named). 78 if the file is wrong, 69 if only a source failed.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, path: &Path, id: Option<&str>, offline: bool, json: bool) -> Exit {
    let mut outcome = config::load(path);
    if let (Ok(loaded), false) = (&mut outcome, offline) {
        let moved = locate::moved(runtime, &loaded.settings.store);
        loaded.problems.extend(config::moves(path, &moved));
    }
    let (text, code) = report(&path.display().to_string(), &outcome, json);
    let Ok(Loaded { settings, .. }) = outcome else {
        return say::out(text, if code == CONFIG { Exit::Config } else { Exit::Fine });
    };
    let sources: Vec<Arc<Source>> =
        settings.sources.iter().filter(|source| id.is_none_or(|id| source.id().as_str() == id)).cloned().collect();
    if let (Some(id), true) = (id, sources.is_empty()) {
        let _ = say::out(text, Exit::Fine);
        return Exit::Usage.failed(format!("no source `{id}` in {}", path.display()));
    }
    if offline {
        return say::out(text, if code == CONFIG { Exit::Config } else { Exit::Fine });
    }
    let clock = clock::system();
    let fetcher = match Fetcher::new(&settings.fetch, user_agent(&settings.site), clock.clone()) {
        Ok(fetcher) => fetcher,
        Err(error) => return Exit::Config.failed(error),
    };
    let parsers = match Parsers::fitting() {
        Ok(parsers) => Arc::new(parsers),
        Err(error) => return Exit::Unavailable.failed(format!("no threads to read on: {error}")),
    };
    let rules = Arc::new(crate::app::rules(&settings));
    let bar = probe::bar(sources.len() as u64, "sources");
    let verdicts = runtime.block_on(async {
        let slots = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
        let asked: Vec<_> = sources
            .iter()
            .map(|source| {
                let (source, fetcher, rules) = (Arc::clone(source), fetcher.clone(), Arc::clone(&rules));
                let (clock, slots, bar) = (clock.clone(), Arc::clone(&slots), bar.clone());
                let parsers = Arc::clone(&parsers);
                tokio::spawn(async move {
                    let _slot = slots.acquire_owned().await;
                    let verdict = probe::ask(&source, &fetcher, &parsers, &rules, &clock, ONE).await;
                    bar.inc(1);
                    judge(&source, verdict, clock())
                })
            })
            .collect();
        let mut verdicts = Vec::new();
        for task in asked {
            verdicts.extend(task.await);
        }
        verdicts
    });
    bar.finish_and_clear();
    let mut verdicts = verdicts;
    led_to_one(&sources, &mut verdicts);
    let failed = verdicts.iter().filter(|verdict| verdict.failed).count();
    let exit = if failed > 0 { Exit::Unavailable } else { Exit::Fine };
    if json {
        let mut report: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        report["sources"] = serde_json::to_value(&verdicts).unwrap_or_default();
        say::out(format!("{report}\n"), exit)
    } else {
        let verdicts: String = verdicts.iter().map(Verdict::people).collect();
        say::out(text + &verdicts, exit)
    }
}

/// Says so of sources that redirects lead to the address of another one: it would be asked twice for the same.
fn led_to_one(sources: &[Arc<Source>], verdicts: &mut [Verdict]) {
    let mut known = std::collections::BTreeMap::<String, String>::new();
    let written = |id: &str| sources.iter().find(|source| source.id().as_str() == id).map(|it| it.kind.address());
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.address.starts_with("http")) {
        match known.get(&verdict.address) {
            Some(other) if written(&verdict.id) != written(other) => verdict.complaints.push(format!(
                "it is led to {}, where `{other}` is answered as well: one of the two is enough",
                verdict.address
            )),
            Some(_) => {}
            None => drop(known.insert(verdict.address.clone(), verdict.id.clone())),
        }
    }
}

/// What was found out about a source.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// Which source.
    pub id: String,
    /// Whether it could not be asked or read, or brings less than expected.
    pub failed: bool,
    /// The judgement in a sentence.
    pub sentence: String,
    /// The address that answered, at the end of all redirects.
    pub address: String,
    /// Character set and why.
    pub charset: String,
    /// As what it was read, and by which of the readers.
    pub path: String,
    /// Items.
    pub items: usize,
    /// Newest date, with its zone.
    pub newest: Option<String>,
    /// How many items have each field.
    pub filled: std::collections::BTreeMap<&'static str, usize>,
    /// How many items are about each city.
    pub cities: std::collections::BTreeMap<String, usize>,
    /// What came of an article, where the source fetches them.
    pub articles: Vec<String>,
    /// What was wrong with the document.
    pub complaints: Vec<String>,
}

fn judge(source: &Source, probe: Result<Probe, String>, now: Time) -> Verdict {
    let mut verdict = Verdict {
        id: source.id().to_string(),
        failed: true,
        sentence: String::new(),
        address: String::new(),
        charset: String::new(),
        path: String::new(),
        items: 0,
        newest: None,
        filled: std::collections::BTreeMap::new(),
        cities: std::collections::BTreeMap::new(),
        articles: Vec::new(),
        complaints: Vec::new(),
    };
    let probe = match probe {
        Ok(probe) => probe,
        Err(error) => {
            verdict.sentence = error;
            return verdict;
        }
    };
    verdict.path = probe.path();
    verdict.address = probe.url;
    verdict.charset = probe.document.charset;
    verdict.items = probe.items.len();
    verdict.articles = probe.articles;
    verdict.complaints = probe.document.complaints;
    let newest = probe.items.iter().filter_map(|(item, _)| item.published.as_ref()).max_by_key(|claim| claim.at);
    verdict.newest = newest.map(|claim| claim.at.at_offset(claim.offset).format("%Y-%m-%d %H:%M %:z").to_string());
    for (item, places) in &probe.items {
        let fields = [
            ("title", !item.title.is_empty()),
            ("link", !item.link.is_empty()),
            ("date", item.published.is_some()),
            ("text", !item.text.is_empty()),
            ("image", item.image.is_some()),
            ("credit", !item.credits.is_empty()),
            ("tags", !item.tags.is_empty()),
        ];
        for (field, there) in fields {
            *verdict.filled.entry(field).or_default() += usize::from(there);
        }
        for placed in &places.cities {
            *verdict.cities.entry(placed.name.clone()).or_default() += 1;
        }
    }
    let status = if probe.status == 0 { String::new() } else { format!("{} in {} ms, ", probe.status, probe.took) };
    let format = &probe.document.format;
    let expected = source.expect.items as usize;
    let old = newest.is_some_and(|claim| now.since(claim.at) > source.expect.newest);
    (verdict.failed, verdict.sentence) = if verdict.items < expected {
        (true, format!("{status}{format}: {} items, {expected} expected: has it changed?", verdict.items))
    } else if old {
        (true, format!("{status}{format}: the newest of {} items is older than expected", verdict.items))
    } else {
        (false, format!("{status}{format}: {} items", verdict.items))
    };
    verdict
}

impl Verdict {
    fn people(&self) -> String {
        let mut text = format!("{} {}: {}\n", if self.failed { "FAIL" } else { "ok  " }, self.id, self.sentence);
        if self.items > 0 {
            let filled: Vec<_> = self.filled.iter().map(|(field, count)| format!("{field} {count}")).collect();
            let mut cities: Vec<_> = self.cities.iter().collect();
            cities.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
            let cities: Vec<_> = cities.iter().take(6).map(|(name, count)| format!("{name} {count}")).collect();
            let newest = self.newest.as_deref().unwrap_or("none has a date");
            // Writing to a String can't fail.
            let _ = writeln!(text, "     newest {newest}; charset {}; read as {}", self.charset, self.path);
            let _ = writeln!(text, "     of {} items have: {}", self.items, filled.join(", "));
            let _ = writeln!(
                text,
                "     cities: {}",
                if cities.is_empty() { "none".to_owned() } else { cities.join(", ") }
            );
        }
        for article in &self.articles {
            let _ = writeln!(text, "     article {article}");
        }
        for complaint in &self.complaints {
            let _ = writeln!(text, "     {complaint}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_file_is_78_and_a_good_one_0() {
        let wrong = config::load_text(Path::new("feeds.toml"), "[[source]]\nfede = \"https://x.example/\"\n".into());
        let (text, code) = report("feeds.toml", &wrong, false);
        assert_eq!(code, 78);
        assert!(text.starts_with("feeds.toml:2:1: error: unknown key `fede` in [[source]]\n"), "{text}");
        assert!(text.ends_with("feeds.toml: 1 error; it is not used as it stands\n"), "{text}");

        let good = config::load_text(Path::new("feeds.toml"), "[[source]]\nfeed = \"https://x.example/\"\n".into());
        let (text, code) = report("feeds.toml", &good, false);
        assert_eq!(code, 0);
        assert!(text.ends_with("feeds.toml: 1 warning; 1 source (1 feed)\n"), "{text}");
        let (text, _) = report("feeds.toml", &good, true);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["problems"][0]["line"], 1);
        assert_eq!(value["counts"]["sources"], 1);
    }
}
