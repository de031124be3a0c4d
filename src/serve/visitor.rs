//! Tells a person's browser from a program, where the two get different answers at one address.

use http::HeaderMap;
use http::header::{ACCEPT, UPGRADE_INSECURE_REQUESTS};

/// Whether this is a browser's own navigation to a feed: such a visitor gets a page about the feed.
///
/// `Sec-Fetch-Dest: document` says it where the browser sends it (https and loopback); over plain http to a name it
/// does not, and `Upgrade-Insecure-Requests: 1` with an `Accept` that *starts* with text/html says it. Never `Accept`
/// alone: feed readers send text/html too. `?raw` asks for the feed itself.
#[must_use]
pub fn person(headers: &HeaderMap, query: Option<&str>) -> bool {
    if query.is_some_and(|query| query.split('&').any(|part| part == "raw" || part.starts_with("raw="))) {
        return false;
    }
    match headers.get("sec-fetch-dest") {
        Some(dest) => dest == "document",
        None => headers.get(UPGRADE_INSECURE_REQUESTS).is_some_and(|value| value == "1") && accepts_first_html(headers),
    }
}

/// Whether a complaint is better sent as a page than as text.
#[must_use]
pub fn reads_pages(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

fn accepts_first_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| {
        let first = accept.split([',', ';']).next().unwrap_or("");
        first.trim().eq_ignore_ascii_case("text/html")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Header lines: names and values.
    type Lines = &'static [(&'static str, &'static str)];

    #[test]
    fn who_asks() {
        const CHROME: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let table: &[(&str, Lines, Option<&str>, bool)] = &[
            ("navigation over https", &[("sec-fetch-dest", "document"), ("accept", CHROME)], None, true),
            ("the raw feed", &[("sec-fetch-dest", "document")], Some("raw"), false),
            ("the raw feed with more", &[("sec-fetch-dest", "document")], Some("limit=5&raw=1"), false),
            ("another parameter", &[("sec-fetch-dest", "document")], Some("draw=1"), true),
            ("fetch() of a script", &[("sec-fetch-dest", "empty"), ("accept", CHROME)], None, false),
            (
                "a frame",
                &[("sec-fetch-dest", "iframe"), ("upgrade-insecure-requests", "1"), ("accept", CHROME)],
                None,
                false,
            ),
            ("navigation over http", &[("upgrade-insecure-requests", "1"), ("accept", CHROME)], None, true),
            ("a reader that asks for a page as well", &[("accept", CHROME)], None, false),
            (
                "a reader that prefers feeds",
                &[("upgrade-insecure-requests", "1"), ("accept", "application/rss+xml, text/html")],
                None,
                false,
            ),
            ("no headers", &[], None, false),
        ];
        for (name, lines, query, expected) in table {
            let mut headers = HeaderMap::new();
            for (key, value) in *lines {
                headers.insert(*key, http::HeaderValue::from_static(value));
            }
            assert_eq!(person(&headers, *query), *expected, "{name}");
        }
    }
}
