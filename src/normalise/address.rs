//! Addresses: absolute for print, canonical for identity.

use crate::model::item::Raw;
use url::Url;

/// What relative addresses of an item are relative to.
#[derive(Debug)]
pub(super) struct Bases(Option<Url>);

impl Bases {
    /// `xml:base` (RFC 4287 section 2), itself relative to the address of the document.
    pub(super) fn new(base: Option<&str>, document: &str) -> Self {
        let document = Url::parse(document).ok();
        let base = base.and_then(|base| match &document {
            Some(document) => document.join(base.trim()).ok(),
            None => Url::parse(base.trim()).ok(),
        });
        Self(base.filter(|base| matches!(base.scheme(), "http" | "https")).or(document))
    }

    /// An absolute http address, blanks and line breaks inside it removed; `None` if it is none.
    pub(super) fn absolute(&self, address: &str) -> Option<String> {
        self.url(address).map(String::from)
    }

    fn url(&self, address: &str) -> Option<Url> {
        let address = address.trim();
        if address.is_empty() {
            return None;
        }
        let url = match &self.0 {
            Some(base) => base.join(address).ok()?,
            None => Url::parse(address).ok()?,
        };
        (matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())).then_some(url)
    }
}

/// Link of an item: its own, else its guid where that is an address or a path.
pub(super) fn of(raw: &Raw, bases: &Bases) -> Option<String> {
    let own = raw.link.as_deref().and_then(|link| bases.absolute(link));
    own.or_else(|| {
        let guid = raw.guid.as_deref()?.trim();
        let scheme = guid.split_once("://").map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
        let path = guid.starts_with('/') && !guid.contains(char::is_whitespace);
        let address = path || matches!(scheme.as_str(), "http" | "https");
        if address { bases.absolute(guid) } else { None }
    })
}

/// Parameters that follow a reader and change nothing of the article.
const TRACKING: [&str; 34] = [
    "spm",
    "from",
    "fbclid",
    "gclid",
    "dclid",
    "gbraid",
    "wbraid",
    "msclkid",
    "yclid",
    "twclid",
    "igshid",
    "mc_cid",
    "mc_eid",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "mkt_tok",
    "ref_src",
    "ref_url",
    "cmpid",
    "ncid",
    "icid",
    "scm",
    "share_token",
    "sharer_shareid",
    "sharer_sharetime",
    "isappinstalled",
    "nsukey",
    "wfr",
    "vd_source",
    "at_medium",
    "at_campaign",
    "ocid",
];

/// Beginnings of such parameters.
const TRACKING_FAMILIES: [&str; 4] = ["utm_", "pk_", "mtm_", "hmsr"];

/// First labels of hosts that serve the same articles in another layout.
const LAYOUTS: [&str; 5] = ["www.", "m.", "wap.", "3g.", "mobile."];

/// The form in which two addresses of one article are equal: no scheme, no `www.` or `m.`, no tracking parameters, no
/// default port, no slash at the end, no fragment but `#!` and `#/` routes. Evidence of identity, never printed.
#[must_use]
pub fn canonical(address: &str) -> String {
    let Ok(url) = Url::parse(address.trim()) else {
        return address.trim().to_owned();
    };
    let mut host = url.host_str().unwrap_or_default().trim_end_matches('.');
    while let Some(rest) = LAYOUTS.iter().find_map(|layout| host.strip_prefix(layout)).filter(|rest| rest.contains('.'))
    {
        host = rest;
    }
    let mut out = String::with_capacity(address.len());
    out.push_str(host);
    if let Some(port) = url.port().filter(|port| !matches!(port, 80 | 443)) {
        out.push(':');
        out.push_str(&port.to_string());
    }
    let path = url.path();
    let session = path.to_ascii_lowercase().find(";jsessionid=");
    out.push_str(path[..session.unwrap_or(path.len())].trim_end_matches('/'));
    let mut mark = '?';
    for pair in url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let key = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        if !TRACKING.contains(&key.as_str()) && !TRACKING_FAMILIES.iter().any(|family| key.starts_with(family)) {
            out.push(mark);
            out.push_str(pair);
            mark = '&';
        }
    }
    if let Some(route) = url.fragment().filter(|fragment| fragment.starts_with(['!', '/'])) {
        out.push('#');
        out.push_str(route);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_addresses_of_one_article_are_equal() {
        for (address, expected) in [
            ("http://www.news.example/a/1/", "news.example/a/1"),
            ("https://m.news.example:443/a/1?utm_source=x&id=2&spm=3#top", "news.example/a/1?id=2"),
            ("https://wap.news.example/a/1?from=timeline&isappinstalled=0", "news.example/a/1"),
            ("https://news.example:8080/", "news.example:8080"),
            ("https://m.example/a", "m.example/a"),
            ("https://NEWS.example/A/B.html;jsessionid=77?x=1", "news.example/A/B.html?x=1"),
            ("https://app.example/#!/story/5", "app.example#!/story/5"),
            ("https://www.m.news.example/中", "news.example/%E4%B8%AD"),
            ("not an address", "not an address"),
        ] {
            assert_eq!(canonical(address), expected);
        }
    }

    #[test]
    fn links_are_absolute_or_nothing() {
        let bases = Bases::new(Some("/sub/"), "https://news.example/feeds/one.xml");
        for (address, expected) in [
            ("a.html", Some("https://news.example/sub/a.html")),
            (" //cdn.example/x\n ", Some("https://cdn.example/x")),
            ("javascript:alert(1)", None),
            ("", None),
            ("data:text/html,x", None),
        ] {
            assert_eq!(bases.absolute(address).as_deref(), expected);
        }
    }
}
