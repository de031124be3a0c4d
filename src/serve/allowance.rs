//! How often one address may have something costly done: a search. Never a feed that stands ready.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use crate::model::time::Time;

/// So many searches at once, after a time without any.
const BURST: i64 = 60;
/// From then on one in so many milliseconds: five a second, a tenth of one processor at most.
const EACH: i64 = 200;
/// Addresses remembered; whoever waited longest is forgotten first.
const REMEMBERED: usize = 20_000;

/// What each address has left. The generic cell rate algorithm: a time for each address at which all of its burst is there
/// again.
#[derive(Debug, Default)]
pub struct Allowance {
    spent: Mutex<BTreeMap<IpAddr, i64>>,
}

impl Allowance {
    /// Takes one search from what an address has left.
    ///
    /// # Errors
    /// How many seconds to wait, at least 1, if there is nothing left.
    pub fn take(&self, address: IpAddr, now: Time) -> Result<(), u64> {
        let address = network(address);
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = spent.get(&address).copied().unwrap_or_default().max(now.0) + EACH;
        let wait = whole - now.0 - BURST * EACH;
        if wait > 0 {
            return Err(u64::try_from(wait).unwrap_or_default().div_ceil(1_000).max(1));
        }
        if spent.len() >= REMEMBERED && !spent.contains_key(&address) {
            // Those that have all of their burst again need not be remembered.
            spent.retain(|_, whole| *whole > now.0);
            if spent.len() >= REMEMBERED {
                let first = spent.iter().min_by_key(|(_, whole)| **whole).map(|(address, _)| *address);
                first.and_then(|first| spent.remove(&first));
            }
        }
        spent.insert(address, whole);
        Ok(())
    }
}

/// Of IPv6 the first 64 bits: whoever has one address there has all of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_a_rate() {
        let allowance = Allowance::default();
        let (one, other): (IpAddr, IpAddr) = ("203.0.113.7".parse().unwrap(), "203.0.113.8".parse().unwrap());
        let start = Time(1_000_000);
        for _ in 0..BURST {
            assert_eq!(allowance.take(one, start), Ok(()));
        }
        assert_eq!(allowance.take(one, start), Err(1));
        assert_eq!(allowance.take(other, start), Ok(()));
        assert_eq!(allowance.take(one, start.plus(EACH)), Ok(()));
        assert_eq!(allowance.take(one, start.plus(EACH)), Err(1));
        for _ in 0..BURST {
            assert_eq!(allowance.take(one, start.plus(Time::HOUR)), Ok(()));
        }
        // One subscriber's network is one address.
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:203.0.113.7"), one);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let allowance = Allowance::default();
        for number in 0..REMEMBERED as u32 + 50 {
            let address = IpAddr::from(std::net::Ipv4Addr::from_bits(number));
            assert_eq!(allowance.take(address, Time(1_000)), Ok(()));
        }
        assert_eq!(allowance.spent.lock().unwrap().len(), REMEMBERED);
    }
}
