//! `citydesk doctor`: looks at what a desk stands on (feeds.toml, disk, clock, journal, store, address) and says what to do.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::exit::Exit;
use super::{probe, say};
use crate::app::folder::{Folder, FolderError, SEARCH};
use crate::app::stats::Stats;
use crate::clock;
use crate::config::{self, Loaded};
use crate::control::{self, ControlError};
use crate::journal::Log;
use crate::model::codec::decode;
use crate::model::edit::Record;
use crate::model::time::Time;
use crate::model::websub;
use crate::search::Standing;

/// Less room than this on the disk is worth a word, in bytes: some weeks of news.
const ROOM: u64 = 1 << 30;

/// Fewer open files than this are too few for the default number of connections beside the store.
const FILES: u64 = 4_096;

/// So much older than the newest record the clock may be, in milliseconds: records carry times of the same clock.
const BACK: i64 = Time::MINUTE;

/// Bytes of a log read at once.
const BATCH: usize = 4 << 20;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Ok,
    Warning,
    Wrong,
}

/// One look.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    health: Health,
    sentence: String,
    /// What to do; empty if nothing.
    advice: String,
    #[serde(skip)]
    exit: Exit,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let health = match self.health {
            Health::Ok => "ok",
            Health::Warning => "warning",
            Health::Wrong => "WRONG",
        };
        writeln!(f, "{health:8} {:10} {}", self.what, self.sentence)?;
        if self.advice.is_empty() { Ok(()) } else { writeln!(f, "{:19} {}", "", self.advice) }
    }
}

fn ok(what: &'static str, sentence: impl Into<String>) -> Finding {
    Finding { what, health: Health::Ok, sentence: sentence.into(), advice: String::new(), exit: Exit::Fine }
}

fn warning(what: &'static str, sentence: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { what, health: Health::Warning, sentence: sentence.into(), advice: advice.into(), exit: Exit::Fine }
}

fn wrong(what: &'static str, exit: Exit, sentence: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { what, health: Health::Wrong, sentence: sentence.into(), advice: advice.into(), exit }
}

/// Looks at everything and prints what it finds. The exit code is that of the first thing that is wrong.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, file: &Path, json: bool) -> Exit {
    let mut found = Vec::new();
    let loaded = settings(file, &mut found);
    let store = loaded.as_ref().map(|loaded| loaded.settings.store.clone()).or_else(|| match config::load(file) {
        Err(failed) if failed.store.exists() => Some(failed.store),
        _ => None,
    });
    let now = clock::system()();
    let mut running = false;
    if let Some(store) = &store {
        disk(store, &mut found);
        running = desk(runtime, store, now, &mut found);
    }
    if let Some(loaded) = &loaded {
        address(runtime, loaded, running, &mut found);
    }
    let zones = chrono_tz::IANA_TZDB_VERSION;
    found.push(ok("zones", format!("time zone data {zones}, inside the program")));
    files(&mut found);
    found.push(ok("cluster", "none: one machine"));

    let exit = found.iter().map(|finding| finding.exit).find(|exit| *exit != Exit::Fine).unwrap_or(Exit::Fine);
    if json {
        say::out(serde_json::to_string_pretty(&found).unwrap_or_default() + "\n", exit)
    } else {
        say::out(found.iter().map(ToString::to_string).collect::<String>(), exit)
    }
}

fn settings(file: &Path, found: &mut Vec<Finding>) -> Option<Loaded> {
    let see = format!("`citydesk --config {} check --offline` shows each with its line", file.display());
    if !file.exists() {
        let advice = "`citydesk serve` in this folder writes one to begin with".to_owned();
        found.push(wrong("feeds.toml", Exit::Config, format!("there is no {}", file.display()), advice));
        return None;
    }
    match config::load(file) {
        Ok(loaded) => {
            let sources = loaded.settings.sources.len();
            found.push(match (loaded.problems.len(), sources) {
                (0, 0) => warning("feeds.toml", "no source", "`citydesk add URL` proposes some"),
                (0, _) => ok("feeds.toml", format!("sources: {sources}")),
                (problems, _) => warning("feeds.toml", format!("sources: {sources}, warnings: {problems}"), see),
            });
            Some(loaded)
        }
        Err(failed) => {
            let errors = format!("{} wrong; a running citydesk keeps the last good one", failed.problems.len());
            found.push(wrong("feeds.toml", Exit::Config, errors, see));
            None
        }
    }
}

fn disk(store: &Path, found: &mut Vec<Finding>) {
    // The folder may not be there yet: then it is about the one in which it will be made.
    let Some(there) = store.ancestors().find(|folder| folder.exists()) else { return };
    match rustix::fs::statvfs(if there.as_os_str().is_empty() { Path::new(".") } else { there }) {
        Ok(disk) => {
            let (free, all) = (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize);
            let sentence = format!("{:.1} GB free of {:.1} GB", free as f64 / 1e9, all as f64 / 1e9);
            let advice = "make room: without any, polling stops until there is some (feeds are served on)";
            found.push(match free {
                0 => wrong("disk", Exit::Io, sentence, advice),
                1..ROOM => warning("disk", sentence, advice),
                _ => ok("disk", sentence),
            });
        }
        Err(error) => found.push(wrong("disk", Exit::Io, format!("{}: {error}", there.display()), "")),
    }
}

/// The desk's folder, by asking its daemon or by reading it. Whether a daemon runs.
fn desk(runtime: &tokio::runtime::Runtime, store: &Path, now: Time, found: &mut Vec<Finding>) -> bool {
    let mut said = Vec::new();
    let asked = runtime.block_on(control::ask(store, http::Method::GET, "/stats", |piece| {
        said.extend_from_slice(piece);
        Ok(())
    }));
    match asked {
        Err(ControlError::Nobody(_)) => {}
        Err(error) => {
            found.push(wrong("daemon", Exit::Unavailable, error.to_string(), "look at its log"));
            return true;
        }
        Ok(_) => {
            let finding = match serde_json::from_slice::<Stats>(&said) {
                Ok(stats) => {
                    let states: Vec<String> = stats.sources.iter().map(|(state, n)| format!("{n} {state}")).collect();
                    let sentence =
                        format!("runs; {} stories, {} records behind; {}", stats.stories, stats.lag, states.join(", "));
                    let index = index(&stats.search);
                    for (part, sentence) in &stats.complaints {
                        let (what, advice) = match part.as_str() {
                            "clock" => ("clock", "`timedatectl set-ntp true`"),
                            "disk" => ("disk", "make room"),
                            _ => ("daemon", "look at its log"),
                        };
                        found.push(warning(what, format!("{part}: {sentence}"), advice));
                    }
                    let daemon = if stats.troubles.is_empty() {
                        ok("daemon", sentence)
                    } else {
                        warning("daemon", sentence, "`citydesk stats` names the sources in trouble")
                    };
                    found.push(daemon);
                    index
                }
                Err(error) => {
                    let sentence = format!("another version than this program runs here: {error}");
                    warning("daemon", sentence, "restart it to have one version")
                }
            };
            found.push(finding);
            let advice = "stop it to have journal and store read whole";
            found.push(ok("journal", format!("held by the daemon: not read here ({advice})")));
            return true;
        }
    }
    if !store.exists() {
        found.push(ok("desk", format!("{}: none yet; `citydesk serve` makes it", store.display())));
        return false;
    }
    let bar = probe::spinner("records read");
    match Folder::open(store, false, |count| bar.set_position(count)) {
        Ok(folder) => {
            let newest = log("ledger", &*folder.journal.ledger, &bar, found, |bytes| {
                decode::<Record>(bytes).map(|record| record.at).map_err(|error| error.to_string())
            });
            log("wire", &*folder.journal.wire, &bar, found, |_| Ok(Time::default()));
            let stories = folder.store.view().meta().stories;
            found.push(match &folder.remade {
                None => ok("store", format!("{stories} stories")),
                Some(why) => {
                    let sentence = format!("could not be used ({why}), and was made again: {stories} stories");
                    warning("store", sentence, "the old one stands beside it as store.broken-N; delete it")
                }
            });
            found.push(index(&Standing::on_disk(&store.join(SEARCH))));
            found.push(if now.since(newest) < -BACK {
                let newest = newest.utc().to_rfc3339();
                let sentence = format!("{} now, but the newest record is of {newest}", now.utc().to_rfc3339());
                wrong("clock", Exit::Unavailable, sentence, "set the clock (timedatectl set-ntp true), then start")
            } else {
                ok("clock", format!("{}", now.utc().format("%Y-%m-%d %H:%M:%S UTC")))
            });
        }
        Err(error @ FolderError::None(_)) => found.push(ok("desk", error.to_string())),
        Err(error) => {
            let exit = Exit::from(&error);
            found.push(wrong("desk", exit, error.to_string(), "`citydesk restore` brings a backup back"));
        }
    }
    bar.finish_and_clear();
    false
}

/// The search index. It is derived: without it searches are slow, and nothing is lost.
fn index(standing: &Standing) -> Finding {
    match &standing.absent {
        None => ok("search", standing.to_string()),
        Some(_) => warning("search", standing.to_string(), "it is made by a running citydesk, in the background"),
    }
}

/// Reads every record of a log; the newest time in it.
fn log(
    what: &'static str,
    log: &dyn Log,
    bar: &indicatif::ProgressBar,
    found: &mut Vec<Finding>,
    look: impl Fn(&[u8]) -> Result<Time, String>,
) -> Time {
    let (mut from, mut count, mut newest) = (log.first(), 0_u64, Time::default());
    loop {
        let records = match log.read(from, BATCH) {
            Ok(records) => records,
            Err(error) => {
                found.push(wrong(what, Exit::Io, error.to_string(), "`citydesk restore` brings a backup back"));
                return newest;
            }
        };
        let Some((last, _)) = records.last() else { break };
        from = last.seq + 1;
        for (position, bytes) in &records {
            match look(bytes) {
                Ok(at) => newest = newest.max(at),
                Err(error) => {
                    let sentence = format!("record {}: {error}", position.seq);
                    found.push(wrong(what, Exit::Io, sentence, "is this program older than the desk?"));
                    return newest;
                }
            }
        }
        count += records.len() as u64;
        bar.inc(records.len() as u64);
    }
    found.push(ok(what, format!("{count} records, {:.1} MB, every checksum right", log.bytes() as f64 / 1e6)));
    newest
}

fn address(runtime: &tokio::runtime::Runtime, loaded: &Loaded, running: bool, found: &mut Vec<Finding>) {
    let listen = loaded.settings.server.listen;
    let asked = match listen {
        SocketAddr::V4(at) if at.ip().is_unspecified() => format!("127.0.0.1:{}", at.port()),
        SocketAddr::V6(at) if at.ip().is_unspecified() => format!("[::1]:{}", at.port()),
        at => at.to_string(),
    };
    if running {
        let ready = runtime
            .block_on(async { tokio::time::timeout(Duration::from_secs(3), control::ready(&asked)).await })
            .unwrap_or_else(|_| Err("does not answer within 3 s".to_owned()));
        found.push(match ready {
            Ok(()) => ok("address", format!("http://{listen} is ready")),
            Err(why) => wrong("address", Exit::Unavailable, format!("http://{asked}/readyz: {why}"), "look at its log"),
        });
    } else {
        found.push(match TcpListener::bind(listen) {
            Ok(_) => ok("address", format!("{listen} is free")),
            Err(error) => {
                let advice = "another program has it, or it may not be used: change [server] listen";
                wrong("address", Exit::Unavailable, format!("{listen}: {error}"), advice)
            }
        });
    }
    let public = &loaded.settings.site.public_url;
    let loopback = ["//127.", "//localhost", "//[::1]"].iter().any(|host| public.contains(host));
    if loopback && !listen.ip().is_loopback() {
        let sentence = format!("every printed address begins with {public}, which only this machine can reach");
        found.push(warning("public_url", sentence, "set [site] public_url to the address that readers use"));
    }
    hub(&loaded.settings.publish.hub, public, found);
}

fn hub(hub: &str, public_url: &str, found: &mut Vec<Finding>) {
    found.push(match (websub::announced(hub, public_url), websub::unreachable_by_all(public_url)) {
        (Some(address), _) => ok("hub", format!("feeds name {address}")),
        (None, Some(why)) if hub == websub::BUILTIN => {
            let sentence = format!("works, but feeds do not name it: public_url is {public_url}, {why}");
            ok("hub", sentence + "; at a public https address readers would be told of news at once")
        }
        (None, _) => ok("hub", "none"),
    });
}

fn files(found: &mut Vec<Finding>) {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    found.push(match limit {
        Some(limit) if limit < FILES => {
            let advice = "raise it: LimitNOFILE= in the systemd unit, or `ulimit -n 65536` before the start";
            warning("files", format!("at most {limit} open files"), advice)
        }
        Some(limit) => ok("files", format!("at most {limit} open files")),
        None => ok("files", "any number of open files"),
    });
}
