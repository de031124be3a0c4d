//! `citydesk check`: every problem of feeds.toml, with line and hint.

use std::fmt::Write;
use std::path::Path;

use serde_json::json;

use crate::config::{self, Failed, Loaded, Pending, Problem, Severity};

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
