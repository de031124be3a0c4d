//! The address rule: which addresses a request may connect to.
//!
//! Only global unicast addresses. Everything else needs a word of the operator (`[fetch] allow_private`): a source, or
//! a redirect by it, must not be able to make us ask a machine behind our own firewall. The rule is applied to the
//! address that is connected to, not to the name, so that no resolver and no way of writing an address gets around it.

use std::net::IpAddr;

use crate::model::setting::Network;

/// A range that is not public: its network, and what it is for.
type Range = (&'static str, &'static str);

/// IPv4 ranges that are not global unicast, from the IANA IPv4 Special-Purpose Address Registry (RFC 6890 and the RFCs
/// named) and the multicast and reserved blocks.
const PRIVATE_V4: &[Range] = &[
    ("0.0.0.0/8", "\"this network\" (RFC 791)"),
    ("10.0.0.0/8", "a private network (RFC 1918)"),
    ("100.64.0.0/10", "a provider's shared address space (RFC 6598)"),
    ("127.0.0.0/8", "this machine itself (RFC 1122)"),
    ("169.254.0.0/16", "link-local (RFC 3927)"),
    ("172.16.0.0/12", "a private network (RFC 1918)"),
    ("192.0.0.0/24", "reserved for protocols (RFC 6890)"),
    ("192.0.2.0/24", "for documentation (RFC 5737)"),
    ("192.31.196.0/24", "reserved for AS112 (RFC 7535)"),
    ("192.52.193.0/24", "reserved for multicast tunnels (RFC 7450)"),
    ("192.88.99.0/24", "a 6to4 relay (RFC 7526)"),
    ("192.168.0.0/16", "a private network (RFC 1918)"),
    ("192.175.48.0/24", "reserved for AS112 (RFC 7534)"),
    ("198.18.0.0/15", "for benchmarks (RFC 2544)"),
    ("198.51.100.0/24", "for documentation (RFC 5737)"),
    ("203.0.113.0/24", "for documentation (RFC 5737)"),
    ("224.0.0.0/4", "multicast (RFC 5771)"),
    ("240.0.0.0/4", "reserved (RFC 1112)"),
];

/// IPv6 ranges that are not global unicast, from the IANA IPv6 Special-Purpose Address Registry. The first match names
/// the reason; whatever lies outside 2000::/3 is refused by the last line of [`Guard::verdict`] anyway. Ranges that carry an
/// IPv4 address inside (mapped, NAT64, 6to4, Teredo) are refused whole: they are ways around the IPv4 table.
const PRIVATE_V6: &[Range] = &[
    ("::/128", "the unspecified address (RFC 4291)"),
    ("::1/128", "this machine itself (RFC 4291)"),
    ("::ffff:0:0/96", "an IPv4 address in IPv6 clothes (RFC 4291)"),
    ("::/96", "an IPv4 address in IPv6 clothes (RFC 4291)"),
    ("64:ff9b::/96", "NAT64 (RFC 6052)"),
    ("64:ff9b:1::/48", "local NAT64 (RFC 8215)"),
    ("100::/64", "discarded (RFC 6666)"),
    ("2001::/32", "Teredo (RFC 4380)"),
    ("2001:db8::/32", "for documentation (RFC 3849)"),
    ("2001::/23", "reserved for protocols (RFC 2928)"),
    ("2002::/16", "6to4 (RFC 3056)"),
    ("2620:4f:8000::/48", "reserved for AS112 (RFC 7534)"),
    ("3fff::/20", "for documentation (RFC 9637)"),
    ("fc00::/7", "a private network (RFC 4193)"),
    ("fe80::/10", "link-local (RFC 4291)"),
    ("fec0::/10", "site-local (RFC 3879)"),
    ("ff00::/8", "multicast (RFC 4291)"),
];

/// The addresses that may be connected to.
#[derive(Debug, Clone)]
pub struct Guard {
    refused: Vec<(Network, &'static str)>,
    allowed: Vec<Network>,
}

impl Guard {
    /// The rule, with the operator's exceptions.
    #[must_use]
    pub fn new(allowed: &[Network]) -> Self {
        let refused = PRIVATE_V4
            .iter()
            .chain(PRIVATE_V6)
            .filter_map(|(network, what)| Some((Network::parse(network)?, *what)))
            .collect();
        Self { refused, allowed: allowed.to_vec() }
    }

    /// `Ok` if this address may be connected to; else what it is, in words.
    pub fn verdict(&self, address: IpAddr) -> Result<(), &'static str> {
        if self.allowed.iter().any(|network| network.contains(address)) {
            return Ok(());
        }
        if let Some((_, what)) = self.refused.iter().find(|(network, _)| network.contains(address)) {
            return Err(what);
        }
        match address {
            // RFC 4291 section 2.4 and the IANA registry: 2000::/3 is all that is given out as global unicast.
            IpAddr::V6(it) if it.segments()[0] & 0xe000 != 0x2000 => Err("outside the public IPv6 space (RFC 4291)"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_of_the_tables_is_a_network() {
        assert_eq!(Guard::new(&[]).refused.len(), PRIVATE_V4.len() + PRIVATE_V6.len());
    }

    #[test]
    fn only_public_addresses_pass() {
        let guard = Guard::new(&[]);
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "114.114.114.114",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2000::1",
            "2001:200::1",
            "2400:3200::1",
            "2606:4700:4700::1111",
            "2001:da8::1",
            "3ffe::1",
        ];
        for address in public {
            assert_eq!(guard.verdict(address.parse().unwrap()), Ok(()), "{address} is public");
        }
        let private = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.170",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.168.1.1",
            "192.175.48.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "2620:4f:8000::1",
            "3fff::1",
            "5f00::1",
            "4000::1",
            "8000::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in private {
            assert!(guard.verdict(address.parse().unwrap()).is_err(), "{address} is not public");
        }
    }

    #[test]
    fn the_operator_opens_exactly_what_is_named() {
        let guard = Guard::new(&["127.0.0.0/8", "fd00::/8", "10.1.2.3"].map(|n| Network::parse(n).unwrap()));
        for (address, open) in [
            ("127.0.0.1", true),
            ("fd12::1", true),
            ("10.1.2.3", true),
            ("10.1.2.4", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("fc00::1", false),
        ] {
            assert_eq!(guard.verdict(address.parse().unwrap()).is_ok(), open, "{address}");
        }
    }
}
