//! Who asks: the address that counts, where a proxy stands between.

use std::net::IpAddr;

use http::HeaderMap;

use crate::model::setting::Network;

/// The address of whoever asks: that of the connection, or where a trusted proxy holds it, the last address that the proxy
/// names and that is not one of theirs. `X-Forwarded-For` before `Forwarded` (RFC 7239); what anybody else writes into
/// them counts for nothing.
#[must_use]
pub fn address(headers: &HeaderMap, peer: IpAddr, trusted: &[Network]) -> IpAddr {
    let known = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if trusted.is_empty() || !known(peer) {
        return peer;
    }
    let lines = |name: &str| {
        let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
        lines.join(",")
    };
    let named = lines("x-forwarded-for");
    let hops: Vec<Option<IpAddr>> = if named.trim().is_empty() {
        let named = lines("forwarded");
        named.split(',').filter(|hop| !hop.trim().is_empty()).map(forwarded).collect()
    } else {
        named.split(',').map(|hop| node(hop.trim())).collect()
    };
    let mut last = peer;
    for hop in hops.into_iter().rev() {
        // What cannot be read was written by nobody who is trusted: the last hop known stands.
        let Some(hop) = hop else { return last };
        last = hop.to_canonical();
        if !known(last) {
            return last;
        }
    }
    last
}

/// The `for` of one element of `Forwarded`.
fn forwarded(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    node(value.trim().trim_matches('"'))
}

/// An address with or without a port, IPv6 in brackets or bare.
fn node(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok();
    }
    text.parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_counts() {
        type Lines = &'static [(&'static str, &'static str)];
        let trusted = ["10.0.0.0/8", "::1"].map(|text| Network::parse(text).unwrap());
        let table: &[(&str, Lines, &str)] = &[
            ("203.0.113.7", &[("x-forwarded-for", "198.51.100.1")], "203.0.113.7"),
            ("10.1.1.1", &[], "10.1.1.1"),
            ("10.1.1.1", &[("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
            ("10.1.1.1", &[("x-forwarded-for", "6.6.6.6, 198.51.100.1, 10.2.2.2")], "198.51.100.1"),
            ("10.1.1.1", &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "198.51.100.1:4711")], "198.51.100.1"),
            ("10.1.1.1", &[("x-forwarded-for", "6.6.6.6, junk, 10.2.2.2")], "10.2.2.2"),
            ("10.1.1.1", &[("x-forwarded-for", "2001:db8::5")], "2001:db8::5"),
            ("::1", &[("forwarded", "for=6.6.6.6, for=\"[2001:db8::7]:99\";proto=https")], "2001:db8::7"),
            ("::1", &[("forwarded", "proto=https;For=198.51.100.9")], "198.51.100.9"),
            ("::1", &[("forwarded", "for=unknown")], "::1"),
        ];
        for (peer, lines, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in *lines {
                headers.append(*name, http::HeaderValue::from_str(value).unwrap());
            }
            let found = address(&headers, peer.parse().unwrap(), &trusted);
            assert_eq!(found.to_string(), *expected, "{peer} {lines:?}");
        }
    }
}
