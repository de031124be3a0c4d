//! Names to addresses: the system's resolver behind a small memory.
//!
//! The system's resolver knows what the operator set up (hosts file, split DNS, search list), but tells no lifetimes, so
//! that every answer is kept equally long and not long. What is kept are addresses, never verdicts: the guard looks at
//! each address whenever it is connected to.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::model::time::Time;

use super::error::{FetchError, Phase};

/// Longest look-up of a name, waiting for one's turn included.
pub const DNS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer is kept: a round's articles are on one host, and a moved site is found within a minute.
pub const LIFE: i64 = Time::MINUTE;
/// How long it is kept that a name has no address: what was mistyped is not asked for a hundred times in a round.
pub const FAILED_LIFE: i64 = 5 * Time::SECOND;
/// Names kept.
pub const NAMES: usize = 4096;
/// Addresses kept of one name.
const ADDRESSES: usize = 16;
/// Look-ups at once: each takes a thread, and one whose server is silent keeps it for half a minute, whoever has stopped
/// waiting.
const AT_ONCE: usize = 64;

type Found = Result<Vec<IpAddr>, String>;

/// The names looked up lately.
#[derive(Debug)]
pub struct Names {
    known: Mutex<BTreeMap<String, (Time, Found)>>,
    turns: Arc<Semaphore>,
}

impl Names {
    /// None yet.
    pub fn new() -> Self {
        Self { known: Mutex::default(), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The addresses of a name.
    ///
    /// # Errors
    /// [`FetchError::Dns`] or [`FetchError::Timeout`].
    pub async fn find(&self, host: &str, clock: &Clock) -> Result<Vec<IpAddr>, FetchError> {
        let told = |found: Found| found.map_err(|why| FetchError::Dns { host: host.to_owned(), why });
        if let Some(found) = self.recall(host, clock()) {
            return told(found);
        }
        let (turns, name) = (Arc::clone(&self.turns), host.to_owned());
        let look = async move {
            // The permit goes with the thread, which goes on when we have stopped waiting.
            let turn = turns.acquire_owned().await.ok();
            let found = tokio::task::spawn_blocking(move || {
                let found = system(&name);
                drop(turn);
                found
            });
            found.await.unwrap_or_else(|error| Err(error.to_string()))
        };
        let Ok(found) = timeout(DNS_TIMEOUT, look).await else {
            let (host, seconds) = (host.to_owned(), DNS_TIMEOUT.as_secs());
            return Err(FetchError::Timeout { host, phase: Phase::Dns, seconds });
        };
        self.keep(host, found.clone(), clock());
        told(found)
    }

    fn recall(&self, host: &str, now: Time) -> Option<Found> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(host).filter(|(at, found)| lives(*at, found, now)).map(|(_, found)| found.clone())
    }

    fn keep(&self, host: &str, found: Found, now: Time) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= NAMES && !known.contains_key(host) {
            known.retain(|_, (at, found)| lives(*at, found, now));
            let oldest = known.iter().min_by_key(|(_, (at, _))| *at).map(|(name, _)| name.clone());
            if let Some(oldest) = oldest.filter(|_| known.len() >= NAMES) {
                known.remove(&oldest);
            }
        }
        known.insert(host.to_owned(), (now, found));
    }
}

/// Whether what was found at one moment still counts; not if the clock was set back behind it.
fn lives(at: Time, found: &Found, now: Time) -> bool {
    let life = if found.is_ok() { LIFE } else { FAILED_LIFE };
    (0..life).contains(&now.since(at))
}

fn system(host: &str) -> Found {
    // RFC 6761 section 6.3: this name is this machine, and no server is to be asked about it.
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
    }
    let found = (host, 0).to_socket_addrs().map_err(|error| error.to_string())?;
    let mut addresses = Vec::new();
    for address in found.map(|address| address.ip()) {
        if !addresses.contains(&address) && addresses.len() < ADDRESSES {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err("it has no address".to_owned()) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_kept_for_a_while_and_within_bounds() {
        let names = Names::new();
        let start = Time(1_795_000_000_000);
        let here: Found = Ok(vec![IpAddr::from([192, 0, 2, 1])]);
        names.keep("a.example", here.clone(), start);
        names.keep("b.example", Err("no such name".to_owned()), start);
        for (host, after, kept) in [
            ("a.example", 0, true),
            ("a.example", LIFE - 1, true),
            ("a.example", LIFE, false),
            ("a.example", -1, false),
            ("b.example", FAILED_LIFE - 1, true),
            ("b.example", FAILED_LIFE, false),
            ("c.example", 0, false),
        ] {
            assert_eq!(names.recall(host, start.plus(after)).is_some(), kept, "{host} after {after} ms");
        }
        for n in 0..2 * NAMES as i64 {
            names.keep(&format!("{n}.example"), here.clone(), start.plus(n));
        }
        assert_eq!(names.known.lock().unwrap().len(), NAMES);
        assert!(names.recall(&format!("{}.example", 2 * NAMES - 1), start.plus(2 * NAMES as i64)).is_some());
    }
}
