//! Decides whether a conditional request is answered with the content or with 304.
//!
//! The order is that of RFC 9110 section 13.2.2, for the two methods we answer (GET and HEAD):
//!
//! 1. `If-Match`, `If-Unmodified-Since`: passed over. They guard changes; nothing can be changed here, and a 412 would
//!    break the promise that a feed answers 200 or 304 and nothing else.
//! 2. `If-None-Match` is there: 304 if it is `*` or names our entity tag by *weak* comparison (a proxy that compresses
//!    marks our tag with `W/`); otherwise the content, whatever `If-Modified-Since` says.
//! 3. `If-Modified-Since` is there and is a date: 304 if we have not changed since; dates are compared as times, in
//!    seconds, so that a client that writes the same moment otherwise gets its 304.
//! 4. Otherwise the content.

use chrono::{DateTime, NaiveDateTime};
use http::HeaderMap;
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};

/// What to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// 200 with the content.
    Send,
    /// 304 without.
    NotModified,
}

/// Decides for a GET or HEAD. `etag` with its quotes (and `W/`, if it is weak); `modified` in seconds since 1970.
#[must_use]
pub fn decide(headers: &HeaderMap, etag: &str, modified: Option<i64>) -> Decision {
    if headers.contains_key(IF_NONE_MATCH) {
        let ours = opaque(etag);
        let named = headers.get_all(IF_NONE_MATCH).iter().any(|line| names(line.as_bytes(), ours.as_bytes()));
        return if named { Decision::NotModified } else { Decision::Send };
    }
    let since = headers.get(IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok()).and_then(date);
    match (since, modified) {
        (Some(since), Some(modified)) if modified <= since => Decision::NotModified,
        _ => Decision::Send,
    }
}

/// The tag without its weakness: `W/"a"` and `"a"` are alike in a weak comparison (RFC 9110 section 8.8.3.2).
fn opaque(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}

/// Whether a line of `If-None-Match` names the tag. A tag may hold commas and bytes beyond ASCII, so the line is read
/// tag by tag; junk between tags is passed over.
fn names(line: &[u8], ours: &[u8]) -> bool {
    let mut rest = line.trim_ascii();
    if rest == b"*" {
        return true;
    }
    while let Some(open) = rest.iter().position(|b| *b == b'"') {
        let Some(length) = rest[open + 1..].iter().position(|b| *b == b'"') else { return false };
        let end = open + length + 2;
        if &rest[open..end] == ours {
            return true;
        }
        rest = &rest[end..];
    }
    false
}

/// Reads an HTTP date in any of the three forms of RFC 9110 section 5.6.7, as seconds since 1970.
fn date(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(date.timestamp());
    }
    let obsolete = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    obsolete
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|date| date.and_utc().timestamp())
}

/// Writes seconds since 1970 as an HTTP date (IMF-fixdate).
#[must_use]
pub fn http_date(seconds: i64) -> String {
    let date = DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH);
    date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::Decision::{NotModified, Send};
    use super::*;

    /// Header lines: names and values.
    type Lines = &'static [(&'static str, &'static str)];

    /// Mon, 23 Nov 2026 01:42:00 GMT.
    const MODIFIED: i64 = 1_795_398_120;

    #[test]
    fn the_order_of_rfc_9110() {
        const EXACT: &str = "Mon, 23 Nov 2026 01:42:00 GMT";
        const BEFORE: &str = "Mon, 23 Nov 2026 01:41:59 GMT";
        let table: &[(&str, Lines, Decision)] = &[
            ("nothing asked", &[], Send),
            ("the same tag", &[("if-none-match", "\"a,b\"")], NotModified),
            ("weak against strong", &[("if-none-match", "W/\"a,b\"")], NotModified),
            ("another tag", &[("if-none-match", "\"a\"")], Send),
            ("without its quotes it is no tag", &[("if-none-match", "a,b")], Send),
            ("a list, last", &[("if-none-match", "\"x\", W/\"y\" ,\"a,b\"")], NotModified),
            ("a list without blanks", &[("if-none-match", "\"x\",\"a,b\"")], NotModified),
            ("a list without ours", &[("if-none-match", "\"x\", \"a\", \"b\"")], Send),
            ("two lines", &[("if-none-match", "\"x\""), ("if-none-match", "\"a,b\"")], NotModified),
            ("an open quote", &[("if-none-match", "\"a,b")], Send),
            ("empty", &[("if-none-match", "")], Send),
            ("any", &[("if-none-match", "*")], NotModified),
            ("any, with blanks", &[("if-none-match", " * ")], NotModified),
            ("a tag beyond ASCII beside ours", &[("if-none-match", "\"许昌\", \"a,b\"")], NotModified),
            ("the same date", &[("if-modified-since", EXACT)], NotModified),
            ("a later date", &[("if-modified-since", "Mon, 23 Nov 2026 01:42:01 GMT")], NotModified),
            ("an earlier date", &[("if-modified-since", BEFORE)], Send),
            ("a very old date", &[("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")], Send),
            ("the same moment elsewhere", &[("if-modified-since", "Mon, 23 Nov 2026 09:42:00 +0800")], NotModified),
            ("RFC 850", &[("if-modified-since", "Monday, 23-Nov-26 01:42:00 GMT")], NotModified),
            ("RFC 850, earlier", &[("if-modified-since", "Monday, 23-Nov-26 01:41:00 GMT")], Send),
            ("asctime", &[("if-modified-since", "Mon Nov 23 01:42:00 2026")], NotModified),
            ("asctime, one-digit day", &[("if-modified-since", "Wed Nov  4 01:42:00 2026")], Send),
            ("no date", &[("if-modified-since", "yesterday")], Send),
            ("a tag that differs beats a date", &[("if-none-match", "\"x\""), ("if-modified-since", EXACT)], Send),
            (
                "a tag that agrees beats a date",
                &[("if-none-match", "\"a,b\""), ("if-modified-since", BEFORE)],
                NotModified,
            ),
            ("an empty tag line beats a date", &[("if-none-match", ""), ("if-modified-since", EXACT)], Send),
            ("If-Match is passed over", &[("if-match", "\"x\"")], Send),
            (
                "If-Unmodified-Since is passed over",
                &[("if-unmodified-since", BEFORE), ("if-none-match", "\"a,b\"")],
                NotModified,
            ),
        ];
        for (name, lines, expected) in table {
            let mut headers = HeaderMap::new();
            for (key, value) in *lines {
                let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
                headers.append(http::HeaderName::from_bytes(key.as_bytes()).unwrap(), value);
            }
            assert_eq!(decide(&headers, "\"a,b\"", Some(MODIFIED)), *expected, "{name}");
        }
    }

    #[test]
    fn a_date_is_worth_nothing_where_we_state_none() {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MODIFIED_SINCE, http::HeaderValue::from_static("Mon, 23 Nov 2026 01:42:00 GMT"));
        assert_eq!(decide(&headers, "\"a\"", None), Send);
    }

    #[test]
    fn our_dates_are_read_back() {
        for seconds in [0, MODIFIED, 951_782_399, 4_102_444_800] {
            assert_eq!(date(&http_date(seconds)), Some(seconds));
        }
        assert_eq!(http_date(MODIFIED), "Mon, 23 Nov 2026 01:42:00 GMT");
    }
}
