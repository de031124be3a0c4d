//! robots.txt (RFC 9309): what a site lets programs read, remembered for each host.
//!
//! [`Rules`] is what one file says to us, plain data; [`Memory`] keeps the files of the hosts asked lately. Who asks for
//! them and obeys is `super`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use robotxt::{BYTE_LIMIT, Robots};
use url::{Position, Url};

use crate::model::time::Time;

/// Our name in robots.txt.
pub const AGENT: &str = "citydesk";
/// Longest wait for a robots.txt, redirects included.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes that are read of a file; the rest is left (RFC 9309 section 2.5 wants at least 500 KiB).
pub const LONGEST: u64 = BYTE_LIMIT as u64;
/// How long a file is believed (RFC 9309 section 2.4), unless its server says less …
pub const LIFE: i64 = Time::DAY;
/// … but never less than this.
pub const LEAST_LIFE: i64 = Time::HOUR;
/// How long it is believed that a file cannot be had, before it is asked for again.
pub const UNREACHABLE_LIFE: i64 = 5 * Time::MINUTE;
/// When a file could not be had for so long, its absence counts as leave (RFC 9309 section 2.3.1.4: "for example, 30
/// days").
pub const GIVEN_UP: i64 = 30 * Time::DAY;
/// Longest `Crawl-delay` that is kept: it stands in no standard, and some ask for hours.
pub const DELAY_MOST: Duration = Duration::from_secs(30);
/// Hosts remembered.
pub const HOSTS: usize = 4096;
/// Bytes of all remembered files together.
pub const BYTES: usize = 8 << 20;

/// The bounds are looked at with each so many new hosts.
const LOOK: usize = 16;

/// What one robots.txt says to us.
#[derive(Debug, Clone)]
pub struct Rules {
    robots: Robots,
    /// As sent, for the number of a rule's line.
    text: Vec<u8>,
    /// Why it cannot be had.
    missing: Option<String>,
}

impl Rules {
    /// Of a file that was read.
    pub fn read(text: &[u8]) -> Self {
        Self { robots: Robots::parse(text, AGENT), text: text[..text.len().min(BYTE_LIMIT)].to_vec(), missing: None }
    }

    /// Of a host that has no such file: everything may be read.
    pub fn none() -> Self {
        Self { robots: Robots::allow_all(), text: Vec::new(), missing: None }
    }

    /// Of a host whose file cannot be had, in words: nothing may be read.
    pub fn missing(why: String) -> Self {
        Self { robots: Robots::disallow_all(), text: Vec::new(), missing: Some(why) }
    }

    /// Why the file cannot be had, if it cannot.
    pub fn unreachable(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// The rule that forbids an address: its line, and what stands there. `None` if it may be read.
    pub fn forbids(&self, url: &Url) -> Option<String> {
        if self.robots.is_url_allowed(url) {
            return None;
        }
        let path = &url[Position::BeforePath..Position::AfterQuery];
        let rule = self.robots.matching_rule(path)?;
        let whom = self.robots.user_agent();
        // The first beginning of the file that holds the rule ends with its line. What comes later adds rules and takes none
        // away, once it is settled to whom they are said.
        let ends: Vec<usize> =
            self.text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|it| it.0).collect();
        let lacks = |end: &usize| !Robots::parse(&self.text[..*end], whom).rules().contains(rule);
        let line = ends.partition_point(lacks) + 1;
        let written = self.text.split(|byte| *byte == b'\n').nth(line - 1).unwrap_or_default();
        let written = String::from_utf8_lossy(written).trim().chars().take(200).collect::<String>();
        Some(format!("line {line}, \"{written}\""))
    }

    /// Pause that it wants between two requests, capped.
    pub fn delay(&self) -> Duration {
        self.robots.crawl_delay().unwrap_or_default().min(DELAY_MOST)
    }
}

/// What is known of one host.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its rules.
    pub rules: Arc<Rules>,
    /// When they were asked for.
    pub at: Time,
    /// How long they are believed.
    pub life: i64,
}

impl Known {
    /// Whether it need not be asked for again; not if the clock was set back behind it.
    pub fn fresh(&self, now: Time) -> bool {
        (0..self.life).contains(&now.since(self.at))
    }
}

/// One host: asked for its rules by one at a time.
#[derive(Debug, Default)]
pub struct Host {
    /// What is known; the lock is held while it is asked for.
    pub known: tokio::sync::Mutex<Option<Known>>,
    /// When a page of it was asked for last, for `Crawl-delay`.
    pub last: Mutex<Option<Time>>,
}

/// The robots.txt of the hosts asked lately.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<String, Arc<Host>>>);

impl Memory {
    /// The place of the host of an address: scheme and port belong to it (RFC 9309 section 2.3).
    pub fn host(&self, url: &Url) -> Arc<Host> {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = &url[..Position::BeforePath];
        if let Some(host) = hosts.get(name) {
            return Arc::clone(host);
        }
        if hosts.len().is_multiple_of(LOOK) {
            shrink(&mut hosts);
        }
        Arc::clone(hosts.entry(name.to_owned()).or_default())
    }
}

/// Forgets the hosts asked longest ago until bounds are kept. Those being asked just now stay.
fn shrink(hosts: &mut BTreeMap<String, Arc<Host>>) {
    let mut idle: Vec<(Time, usize, String)> = Vec::new();
    let mut bytes = 0;
    for (name, host) in &*hosts {
        if let Ok(known) = host.known.try_lock()
            && Arc::strong_count(host) == 1
        {
            let (at, size) = known.as_ref().map_or((Time(0), 0), |known| (known.at, known.rules.text.len()));
            bytes += size;
            idle.push((at, size, name.clone()));
        }
    }
    if hosts.len() < HOSTS && bytes <= BYTES {
        return;
    }
    idle.sort();
    // A quarter at a time, so that this is done seldom.
    for (_, size, name) in idle {
        if hosts.len() <= HOSTS * 3 / 4 && bytes <= BYTES * 3 / 4 {
            return;
        }
        hosts.remove(&name);
        bytes -= size;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(text: &str, path: &str) -> Option<String> {
        Rules::read(text.as_bytes()).forbids(&Url::parse("https://a.example/").unwrap().join(path).unwrap())
    }

    #[test]
    fn a_refusal_names_the_line_that_says_so() {
        let both = "# rules\r\nUser-agent: BadBot\r\nDisallow: /news/\r\n\r\nUser-agent: *\r\nDisallow: /admin\r\nDisallow: \
                    /news/\r\n";
        let ours = "User-agent: *\nDisallow: /\n\nUser-agent: CityDesk\nAllow: /news/\nDisallow: /news/private # no\nDisallow: *.pdf$\n";
        let table = [
            (both, "/news/1.html", Some("line 7, \"Disallow: /news/\"")),
            (both, "/admin", Some("line 6, \"Disallow: /admin\"")),
            (both, "/other", None),
            (ours, "/news/1.html", None),
            (ours, "/other", None),
            (ours, "/news/private/1", Some("line 6, \"Disallow: /news/private # no\"")),
            (ours, "/x.pdf", Some("line 7, \"Disallow: *.pdf$\"")),
            (ours, "/x.pdf?y", None),
            ("User-agent: *\nDisallow: /", "/", Some("line 2, \"Disallow: /\"")),
            ("User-agent: *\nDisallow: /", "/robots.txt", None),
            ("User-agent: *\nDisallow:\n", "/a", None),
            ("User-agent: *\nDisallow: /新闻/\n", "/%E6%96%B0%E9%97%BB/1", Some("line 2, \"Disallow: /新闻/\"")),
            ("User-agent: *\nDisallow: /a\nAllow: /a\n", "/a", None),
            ("<html><body>404 Disallow: /</body></html>", "/a", None),
            ("", "/a", None),
        ];
        for (text, path, rule) in table {
            assert_eq!(forbidden(text, path).as_deref(), rule, "{path} under {text}");
        }
    }

    #[test]
    fn no_file_is_leave_and_a_file_that_cannot_be_had_is_none() {
        let url = Url::parse("https://a.example/a").unwrap();
        assert_eq!(Rules::none().forbids(&url), None);
        assert!(Rules::missing("503".to_owned()).forbids(&url).is_some());
    }

    #[test]
    fn a_crawl_delay_is_kept_within_reason() {
        for (text, seconds) in [("2", 2.0), ("0.5", 0.5), ("86400", 30.0), ("soon", 0.0), ("-1", 0.0), ("1e300", 0.0)] {
            let rules = Rules::read(format!("User-agent: *\nCrawl-delay: {text}\n").as_bytes());
            assert!((rules.delay().as_secs_f64() - seconds).abs() < 1e-9, "{text}: {:?}", rules.delay());
        }
    }

    #[test]
    fn memory_is_bounded_in_hosts_and_bytes() {
        let memory = Memory::default();
        let file = "User-agent: *\n".to_owned() + &"Disallow: /a\n".repeat(30_000);
        for n in 0..60_i64 {
            let host = memory.host(&Url::parse(&format!("https://{n}.example/")).unwrap());
            let rules = Arc::new(Rules::read(file.as_bytes()));
            *host.known.try_lock().unwrap() = Some(Known { rules, at: Time(n), life: LIFE });
        }
        assert!(memory.0.lock().unwrap().len() < 40, "{}", memory.0.lock().unwrap().len());
        assert!(memory.0.lock().unwrap().contains_key("https://59.example"), "the newest stays");
        for n in 0..3 * HOSTS {
            memory.host(&Url::parse(&format!("http://{n}.example:8080/x?y")).unwrap());
        }
        assert!(memory.0.lock().unwrap().len() <= HOSTS);
        assert!(memory.0.lock().unwrap().contains_key(&format!("http://{}.example:8080", 3 * HOSTS - 1)));
    }
}
