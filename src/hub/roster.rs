//! Who is subscribed to what, what is due to whom, and whose turn it is: plain decisions, with the time handed in.
//!
//! One delivery at a time goes to a subscription, of the newest version: what changes meanwhile is due when that one has
//! ended. Hosts take turns, each with few deliveries at once. Subscriptions that failed last time have a lane of their
//! own, so that callbacks that hang keep nobody waiting whose callback does not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::model::time::Time;
use crate::model::websub::{Delivered, Subscription, Topic};

/// Subscriptions at most, in all: at some 500 bytes each they take 5 MB.
pub const SUBSCRIPTIONS: usize = 10_000;
/// Of these to callbacks of one host ([`share`]): a hosted reader may want every feed we have.
pub const PER_HOST: usize = 4_000;
/// Deliveries at once, of those whose last one went well and of those whose last one failed.
pub const AT_ONCE: [usize; 2] = [48, 16];
/// Of these to one host.
pub const AT_ONCE_PER_HOST: [usize; 2] = [8, 2];
/// Wait after a first failure, in milliseconds; it doubles from failure to failure …
pub const BACK_OFF: i64 = 10 * Time::SECOND;
/// … up to this.
pub const BACK_OFF_MOST: i64 = Time::HOUR;
/// So long a delivery is tried again. Then the callback is left alone until there is a newer version, and asked once for
/// each, at most every [`BACK_OFF_MOST`], until its lease ends.
pub const TRYING: i64 = Time::DAY;

/// What countries sell domains below.
const BELOW_COUNTRIES: [&str; 12] = ["ac", "co", "com", "edu", "go", "gob", "gov", "mil", "ne", "net", "or", "org"];

/// Whose share a host (with its port, if it is not the usual one) counts to: who has a domain has any number of names below it,
/// and who has one IPv6 address has a network of 64 bits. Names count by their last two labels, or three where the last two are
/// a country's (`co.uk`, `com.cn`). Strangers below one name, as with builders of sites, have one share together; it is large.
pub fn share(host: &str) -> String {
    if let Some((address, port)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address.parse::<Ipv6Addr>().map_or_else(
            |_| host.to_owned(),
            |address| {
                let [a, b, c, d, ..] = address.segments();
                format!("[{a:x}:{b:x}:{c:x}:{d:x}::]{port}")
            },
        );
    }
    let name = host.split(':').next().unwrap_or_default();
    if name.parse::<Ipv4Addr>().is_ok() {
        return host.to_owned();
    }
    let mut labels = name.rsplit('.');
    let country = labels.next().is_some_and(|last| last.len() == 2);
    let country = country && labels.next().is_some_and(|label| BELOW_COUNTRIES.contains(&label));
    let cut = name.rmatch_indices('.').nth(if country { 2 } else { 1 });
    host.get(cut.map_or(0, |(at, _)| at + 1)..).unwrap_or(host).to_owned()
}

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has the newest version.
    Idle,
    /// It waits for its turn in a lane.
    Queued(usize),
    /// A delivery is under way, in a lane.
    Running(usize),
    /// It failed, and is tried again at this time.
    Waiting(Time),
    /// It failed for a day: the next version is tried.
    Spent,
}

#[derive(Debug)]
struct Held {
    subscription: Subscription,
    host: String,
    has: Delivered,
    /// Newest version of its feed.
    wanted: u64,
    stage: Stage,
    failures: u32,
    /// Since when it fails.
    failing: Option<Time>,
    tried: Time,
}

#[derive(Debug, Default)]
struct Host {
    queues: [VecDeque<u64>; 2],
    running: [usize; 2],
    subscriptions: usize,
}

/// A delivery to be made.
#[derive(Debug, Clone)]
pub struct Job {
    /// Which subscription.
    pub number: u64,
    /// As it is.
    pub subscription: Subscription,
    /// What it has.
    pub has: Delivered,
}

/// What came of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has this now.
    Done(Delivered),
    /// The callback wants nothing any more (410).
    Gone,
    /// It did not take it; it may have said when to come back, in milliseconds.
    Failed(Option<i64>),
}

/// All subscriptions.
#[derive(Debug, Default)]
pub struct Roster {
    subscriptions: BTreeMap<u64, Held>,
    topics: BTreeMap<Topic, BTreeSet<u64>>,
    hosts: BTreeMap<String, Host>,
    /// Hosts with something in the queue of each lane, the next one first.
    turns: [VecDeque<String>; 2],
    running: [usize; 2],
    /// When something is to be done, and about whom: tries and ends of leases.
    timers: BTreeSet<(Time, u64)>,
}

impl Roster {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.subscriptions.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.subscriptions.is_empty()
    }

    /// Deliveries under way.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.iter().sum()
    }

    /// Whether one more subscription to a callback of this host is taken, with `coming` that are being verified.
    ///
    /// # Errors
    /// The reason for a subscriber.
    pub fn admits(&self, host: &str, coming: usize) -> Result<(), &'static str> {
        if self.len() + coming >= SUBSCRIPTIONS {
            return Err("this hub has as many subscriptions as it can take");
        }
        if self.hosts.get(&share(host)).map_or(0, |host| host.subscriptions) + coming >= PER_HOST {
            return Err("this hub has as many subscriptions of your host as it takes");
        }
        Ok(())
    }

    /// Feeds that somebody is subscribed to.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.keys()
    }

    /// The subscription with this number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Subscription> {
        self.subscriptions.get(&number).map(|held| &held.subscription)
    }

    /// A subscription is confirmed, for the first time or again. One that is known keeps its place in the queue.
    pub fn put(&mut self, number: u64, host: &str, subscription: Subscription, has: Delivered) {
        let host = share(host);
        let until = subscription.until;
        if let Some(held) = self.subscriptions.get_mut(&number) {
            self.timers.remove(&(held.subscription.until, number));
            held.subscription = subscription;
        } else {
            self.topics.entry(subscription.topic.clone()).or_default().insert(number);
            self.hosts.entry(host.clone()).or_default().subscriptions += 1;
            let wanted = has.version;
            let (failures, failing, tried) = (0, None, Time(i64::MIN));
            let held = Held { subscription, host, has, wanted, stage: Stage::Idle, failures, failing, tried };
            self.subscriptions.insert(number, held);
        }
        self.timers.insert((until, number));
    }

    /// A subscription ended.
    pub fn remove(&mut self, number: u64) {
        let Some(held) = self.subscriptions.remove(&number) else { return };
        self.timers.remove(&(held.subscription.until, number));
        if let Stage::Waiting(at) = held.stage {
            self.timers.remove(&(at, number));
        }
        if let Some(numbers) = self.topics.get_mut(&held.subscription.topic) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.topics.remove(&held.subscription.topic);
            }
        }
        if let Some(host) = self.hosts.get_mut(&held.host) {
            host.subscriptions -= 1;
            if let Stage::Running(lane) = held.stage {
                host.running[lane] -= 1;
                self.running[lane] -= 1;
            }
            if host.subscriptions == 0 {
                self.hosts.remove(&held.host);
            }
        }
    }

    /// A feed has this version now.
    pub fn changed(&mut self, topic: &Topic, version: u64, now: Time) {
        let numbers: Vec<u64> = self.topics.get(topic).into_iter().flatten().copied().collect();
        for number in numbers {
            let Some(held) = self.subscriptions.get_mut(&number) else { continue };
            if version <= held.wanted {
                continue;
            }
            held.wanted = version;
            match held.stage {
                Stage::Idle => self.queue(number),
                Stage::Spent => {
                    let at = held.tried.plus(BACK_OFF_MOST).max(now);
                    held.stage = Stage::Waiting(at);
                    self.timers.insert((at, number));
                }
                Stage::Queued(_) | Stage::Running(_) | Stage::Waiting(_) => {}
            }
        }
    }

    /// What time itself brings: tries that are due are queued. Numbers of subscriptions whose lease has ended; they are no
    /// longer there.
    pub fn pass(&mut self, now: Time) -> Vec<u64> {
        let mut ended = Vec::new();
        while let Some((at, number)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, number));
            let Some(held) = self.subscriptions.get(&number) else { continue };
            if held.subscription.until <= now {
                self.remove(number);
                ended.push(number);
            } else if held.stage == Stage::Waiting(at) {
                self.queue(number);
            }
        }
        ended
    }

    /// When [`Roster::pass`] has something to do.
    #[must_use]
    pub fn next_time(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    fn queue(&mut self, number: u64) {
        let Some(held) = self.subscriptions.get_mut(&number) else { return };
        let lane = usize::from(held.failures > 0);
        held.stage = Stage::Queued(lane);
        let host = self.hosts.entry(held.host.clone()).or_default();
        if host.queues[lane].is_empty() {
            self.turns[lane].push_back(held.host.clone());
        }
        host.queues[lane].push_back(number);
    }

    /// The next delivery, if another one may begin.
    pub fn turn(&mut self) -> Option<Job> {
        (0..2).find_map(|lane| self.next_in(lane))
    }

    fn next_in(&mut self, lane: usize) -> Option<Job> {
        if self.running[lane] >= AT_ONCE[lane] {
            return None;
        }
        for _ in 0..self.turns[lane].len() {
            let name = self.turns[lane].pop_front()?;
            let Some(host) = self.hosts.get_mut(&name) else { continue };
            if host.running[lane] >= AT_ONCE_PER_HOST[lane] {
                self.turns[lane].push_back(name);
                continue;
            }
            let mut found = None;
            while let Some(number) = host.queues[lane].pop_front() {
                // One that ended meanwhile, or came into another lane, is passed over.
                if let Some(held) = self.subscriptions.get_mut(&number)
                    && held.stage == Stage::Queued(lane)
                {
                    held.stage = Stage::Running(lane);
                    host.running[lane] += 1;
                    self.running[lane] += 1;
                    found = Some(Job { number, subscription: held.subscription.clone(), has: held.has });
                    break;
                }
            }
            if !host.queues[lane].is_empty() {
                self.turns[lane].push_back(name);
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// What came of a delivery. True if the subscription ended by it.
    pub fn done(&mut self, number: u64, outcome: Outcome, now: Time) -> bool {
        let Some(held) = self.subscriptions.get_mut(&number) else { return false };
        if let Stage::Running(lane) = held.stage {
            self.running[lane] -= 1;
            if let Some(host) = self.hosts.get_mut(&held.host) {
                host.running[lane] -= 1;
            }
        }
        held.tried = now;
        match outcome {
            Outcome::Gone => {
                held.stage = Stage::Idle;
                self.remove(number);
                return true;
            }
            Outcome::Done(has) => {
                (held.failures, held.failing, held.has) = (0, None, has);
                held.wanted = held.wanted.max(has.version);
                held.stage = Stage::Idle;
                if held.wanted > has.version {
                    self.queue(number);
                }
            }
            Outcome::Failed(retry_after) => {
                held.failures = held.failures.saturating_add(1);
                let since = *held.failing.get_or_insert(now);
                if now.since(since) >= TRYING {
                    held.stage = Stage::Spent;
                } else {
                    let doubled = BACK_OFF.saturating_mul(1 << (held.failures - 1).min(16)).min(BACK_OFF_MOST);
                    let at = now.plus(doubled.max(retry_after.unwrap_or(0).min(BACK_OFF_MOST)));
                    held.stage = Stage::Waiting(at);
                    self.timers.insert((at, number));
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::edition::EditionId;

    fn topic() -> Topic {
        Topic { edition: EditionId::All, extension: "rss".to_owned() }
    }

    fn roster(subscriptions: &[(u64, &str)]) -> Roster {
        let mut roster = Roster::default();
        for (number, host) in subscriptions {
            let callback = format!("https://{host}/{number}");
            let (until, since) = (Time(10 * Time::DAY), Time(0));
            let subscription = Subscription { topic: topic(), callback, secret: None, until, since, from: 5 };
            roster.put(*number, host, subscription, Delivered { version: 5, content: 0 });
        }
        roster
    }

    fn numbers(roster: &mut Roster) -> Vec<u64> {
        std::iter::from_fn(|| roster.turn()).map(|job| job.number).collect()
    }

    const fn has(version: u64) -> Outcome {
        Outcome::Done(Delivered { version, content: 1 })
    }

    #[test]
    fn the_newest_version_is_delivered_once_to_each() {
        let mut roster = roster(&[(1, "a.example"), (2, "b.example")]);
        roster.changed(&topic(), 5, Time(0));
        assert!(numbers(&mut roster).is_empty(), "nothing new since they subscribed");
        roster.changed(&topic(), 6, Time(0));
        roster.changed(&topic(), 7, Time(0));
        assert_eq!(numbers(&mut roster), [1, 2]);
        // While they are under way the feed changes twice more: each gets one more delivery.
        roster.changed(&topic(), 8, Time(0));
        roster.changed(&topic(), 9, Time(0));
        assert!(numbers(&mut roster).is_empty(), "one at a time");
        roster.done(1, has(7), Time(1));
        // This one was printed after the last change already.
        roster.done(2, has(9), Time(1));
        assert_eq!(numbers(&mut roster), [1]);
        roster.done(1, has(9), Time(2));
        assert!(numbers(&mut roster).is_empty() && roster.running() == 0);
    }

    #[test]
    fn many_names_of_one_domain_have_one_share() {
        for (host, expected) in [
            ("reader.example", "reader.example"),
            ("a.b.reader.example", "reader.example"),
            ("x1.reader.example:8443", "reader.example:8443"),
            ("a.news.co.uk", "news.co.uk"),
            ("b.news.com.cn", "news.com.cn"),
            ("a.news.de", "news.de"),
            ("a.bbc.de", "bbc.de"),
            ("co.uk", "co.uk"),
            ("localhost:81", "localhost:81"),
            ("", ""),
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:8080", "192.0.2.7:8080"),
            ("[2001:db8:1:2:3:4:5:6]", "[2001:db8:1:2::]"),
            ("[2001:db8:1:2::9]:8443", "[2001:db8:1:2::]:8443"),
        ] {
            assert_eq!(share(host), expected, "{host}");
        }
        let names: Vec<String> = (1..=100).map(|number| format!("x{number}.many.example")).collect();
        let many: Vec<(u64, &str)> = (1..=100).zip(names.iter().map(String::as_str)).collect();
        let mut roster = roster(&many);
        roster.changed(&topic(), 6, Time(0));
        let first = numbers(&mut roster).len();
        assert_eq!(first, AT_ONCE_PER_HOST[0]);
    }

    #[test]
    fn hosts_take_turns_and_have_few_at_once() {
        let many: Vec<(u64, &str)> = (1..=100).map(|number| (number, "hosted.example")).collect();
        let mut roster = roster(&many);
        let small = roster_of_one();
        roster.put(500, "small.example", small, Delivered { version: 5, content: 0 });
        roster.changed(&topic(), 6, Time(0));
        let first = numbers(&mut roster);
        assert_eq!(first.len(), AT_ONCE_PER_HOST[0] + 1);
        assert_eq!(first[1], 500, "nobody waits behind a hundred others");
        roster.done(first[0], has(6), Time(1));
        assert_eq!(numbers(&mut roster).len(), 1);
    }

    fn roster_of_one() -> Subscription {
        Subscription {
            topic: topic(),
            callback: "https://small.example/".to_owned(),
            secret: None,
            until: Time(10 * Time::DAY),
            since: Time(0),
            from: 5,
        }
    }

    #[test]
    fn callbacks_that_fail_do_not_take_the_place_of_those_that_do_not() {
        let names: Vec<String> = (0..80).map(|n| format!("h{n}.example")).collect();
        let all: Vec<(u64, &str)> = names.iter().enumerate().map(|(n, name)| (n as u64 + 1, name.as_str())).collect();
        let mut roster = roster(&all);
        roster.changed(&topic(), 6, Time(0));
        let first = numbers(&mut roster);
        assert_eq!(first.len(), AT_ONCE[0]);
        for number in first {
            roster.done(number, Outcome::Failed(None), Time(1));
        }
        let rest = numbers(&mut roster);
        for number in rest {
            roster.done(number, has(6), Time(2));
        }
        roster.pass(Time(BACK_OFF + 1));
        assert_eq!(numbers(&mut roster).len(), AT_ONCE[1], "in their own lane");
        roster.changed(&topic(), 7, Time(BACK_OFF + 2));
        assert_eq!(numbers(&mut roster).len(), 32, "and everybody else at once");
    }

    #[test]
    fn failures_are_tried_again_for_a_day_ever_more_seldom() {
        let mut roster = roster(&[(1, "a.example")]);
        roster.changed(&topic(), 6, Time(0));
        let (mut now, mut tries) = (Time(0), Vec::new());
        while let Some(job) = roster.turn() {
            assert_eq!(job.has.version, 5);
            tries.push(now.0 / 1_000);
            roster.done(1, Outcome::Failed(None), now);
            if roster.next_time() == Some(Time(10 * Time::DAY)) {
                break;
            }
            now = roster.next_time().unwrap();
            assert!(roster.pass(now).is_empty());
        }
        assert_eq!(tries[..6], [0, 10, 30, 70, 150, 310]);
        assert!(tries.windows(2).all(|pair| pair[1] - pair[0] <= 3_600));
        assert!((24..40).contains(&tries.len()) && now.0 >= TRYING, "{tries:?}");
        // Then a new version is tried, and no more than one an hour.
        roster.changed(&topic(), 7, now.plus(1));
        assert_eq!(roster.next_time(), Some(now.plus(BACK_OFF_MOST)));
        roster.pass(now.plus(BACK_OFF_MOST));
        assert_eq!(numbers(&mut roster), [1]);
        roster.done(1, has(7), now.plus(BACK_OFF_MOST));
        roster.changed(&topic(), 8, now.plus(BACK_OFF_MOST));
        assert_eq!(numbers(&mut roster), [1], "who takes it is well again");
    }

    #[test]
    fn what_a_callback_says_about_when_to_come_back_counts() {
        let mut roster = roster(&[(1, "a.example")]);
        roster.changed(&topic(), 6, Time(0));
        roster.turn();
        roster.done(1, Outcome::Failed(Some(5 * Time::MINUTE)), Time(0));
        assert_eq!(roster.next_time(), Some(Time(5 * Time::MINUTE)));
    }

    #[test]
    fn leases_end_and_are_renewed() {
        let mut roster = roster(&[(1, "a.example"), (2, "a.example")]);
        let longer = Subscription { until: Time(20 * Time::DAY), ..roster.get(2).unwrap().clone() };
        roster.changed(&topic(), 6, Time(0));
        roster.put(2, "a.example", longer, Delivered::default());
        assert_eq!(roster.pass(Time(10 * Time::DAY)), [1]);
        assert_eq!((roster.len(), roster.next_time()), (1, Some(Time(20 * Time::DAY))));
        // What was queued for the one that ended is passed over.
        assert_eq!(numbers(&mut roster), [2]);
        assert!(roster.done(2, Outcome::Gone, Time(11 * Time::DAY)));
        assert!(roster.is_empty() && roster.running() == 0 && roster.topics().next().is_none());
        assert!(!roster.done(2, has(6), Time(12 * Time::DAY)), "a delivery that ends after its subscription");
    }

    #[test]
    fn there_is_room_for_so_many() {
        let full: Vec<(u64, &str)> = (1..=PER_HOST as u64).map(|number| (number, "a.example")).collect();
        let roster = roster(&full);
        assert!(roster.admits("a.example", 0).is_err() && roster.admits("b.example", 0).is_ok());
        assert!(roster.admits("b.example", SUBSCRIPTIONS - PER_HOST).is_err());
    }
}
