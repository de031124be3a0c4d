//! What polling remembers of a hub that delivers a source's news: part of the poll book, in an entry of its own, since
//! deliveries come while the source is polled. Its loss costs one subscription anew.

use minicbor::{Decode, Encode};

use super::time::Time;
use super::websub::Secret;

/// Where our subscription stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Stage {
    /// Asked for; the hub has not verified it yet.
    #[default]
    #[n(0)]
    Asked,
    /// Verified.
    #[n(1)]
    Active,
    /// The hub said no.
    #[n(2)]
    Refused,
    /// Not wanted any more: the hub is being told.
    #[n(3)]
    Leaving,
}

/// Our subscription to a source's feed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Push {
    /// The hub.
    #[n(0)]
    pub hub: String,
    /// The topic, as the source names it.
    #[n(1)]
    pub topic: String,
    /// The last segment of our callback: nobody but the hub knows it.
    #[n(2)]
    pub token: String,
    /// Signs what the hub delivers.
    #[n(3)]
    pub secret: Secret,
    /// The callback as the hub knows it.
    #[n(4)]
    pub callback: String,
    /// Where it stands.
    #[n(5)]
    pub stage: Stage,
    /// We asked then, and the hub has not come back to it yet.
    #[n(6)]
    pub pending: Option<Time>,
    /// Verified first then.
    #[n(7)]
    pub since: Option<Time>,
    /// Verified last then.
    #[n(8)]
    pub renewed: Option<Time>,
    /// The lease ends then.
    #[n(9)]
    pub until: Option<Time>,
    /// The last good delivery.
    #[n(10)]
    pub last: Option<Time>,
    /// Good deliveries.
    #[n(11)]
    pub deliveries: u64,
    /// A poll has found news that it did not deliver, and nothing has come since: it is not relied on.
    #[n(12)]
    pub missed: bool,
    /// Times in a row that it was asked in vain.
    #[n(13)]
    pub failures: u32,
    /// What went wrong last, in a sentence; empty if nothing.
    #[n(14)]
    pub trouble: String,
}

impl Push {
    /// An answer of the hub is expected for so long after we asked.
    pub const PENDING: i64 = Time::DAY;
    /// First wait before a hub that did not come back, or refused, is asked again; it doubles …
    pub const AGAIN: i64 = Time::HOUR;
    /// … up to this.
    pub const AGAIN_MOST: i64 = Time::DAY;
    /// A lease is renewed when this share of it is left, in per cent.
    pub const RENEW: i64 = 25;

    /// Until when it can be relied on to deliver; `None` if it cannot.
    #[must_use]
    pub fn delivers(&self, now: Time) -> Option<Time> {
        self.until.filter(|until| self.stage == Stage::Active && !self.missed && now < *until)
    }

    /// Whether a verification of this kind is what we asked for: ours alone, and not long ago.
    #[must_use]
    pub fn expects(&self, leaving: bool, topic: &str, now: Time) -> bool {
        let asked = self.pending.is_some_and(|asked| now.since(asked) < Self::PENDING);
        asked && topic == self.topic && leaving == (self.stage == Stage::Leaving)
    }

    /// Whether it is time to ask the hub: for a longer lease, or once more.
    #[must_use]
    pub fn is_due(&self, now: Time) -> bool {
        let wait = Self::AGAIN.saturating_mul(1 << self.failures.min(8)).min(Self::AGAIN_MOST);
        if let Some(asked) = self.pending {
            return now.since(asked) >= wait;
        }
        match (self.stage, self.until, self.renewed) {
            (Stage::Active, Some(until), Some(renewed)) => {
                until.since(now) * 100 <= until.since(renewed).max(1) * Self::RENEW
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(stage: Stage) -> Push {
        Push {
            hub: "https://hub.example/".to_owned(),
            topic: "https://a.example/feed".to_owned(),
            token: "t".to_owned(),
            secret: Secret("s".to_owned()),
            callback: "https://d.example/websub/a/t".to_owned(),
            stage,
            pending: None,
            since: Some(Time(0)),
            renewed: Some(Time(0)),
            until: Some(Time(10 * Time::DAY)),
            last: None,
            deliveries: 0,
            missed: false,
            failures: 0,
            trouble: String::new(),
        }
    }

    #[test]
    fn a_lease_is_renewed_before_it_ends_and_a_silent_hub_asked_again() {
        let day = |n: i64| Time(n * Time::DAY);
        let active = push(Stage::Active);
        assert!(!active.is_due(day(7)) && active.is_due(day(8)) && active.is_due(day(11)));
        let asked = Push { pending: Some(day(8)), ..active.clone() };
        assert!(!asked.is_due(day(8).plus(Time::HOUR - 1)) && asked.is_due(day(8).plus(Time::HOUR)));
        let again = Push { failures: 3, ..asked };
        assert!(!again.is_due(day(8).plus(7 * Time::HOUR)) && again.is_due(day(8).plus(8 * Time::HOUR)));
        let often = Push { failures: 90, ..again };
        assert!(often.is_due(day(9)));
    }

    #[test]
    fn only_what_we_asked_for_is_expected() {
        let now = Time(Time::DAY);
        let topic = "https://a.example/feed";
        let asked = Push { pending: Some(now), ..push(Stage::Asked) };
        assert!(asked.expects(false, topic, now.plus(Time::HOUR)));
        assert!(!asked.expects(true, topic, now) && !asked.expects(false, "https://b.example/", now));
        assert!(!asked.expects(false, topic, now.plus(Push::PENDING)));
        assert!(!push(Stage::Active).expects(false, topic, now));
        let leaving = Push { pending: Some(now), ..push(Stage::Leaving) };
        assert!(leaving.expects(true, topic, now) && !leaving.expects(false, topic, now));
    }

    #[test]
    fn it_is_relied_on_while_it_delivers() {
        let active = push(Stage::Active);
        assert_eq!(active.delivers(Time(1)), Some(Time(10 * Time::DAY)));
        assert_eq!(active.delivers(Time(10 * Time::DAY)), None);
        assert_eq!(Push { missed: true, ..active }.delivers(Time(1)), None);
        assert_eq!(push(Stage::Leaving).delivers(Time(1)), None);
    }
}
