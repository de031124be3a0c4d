//! Addresses that we print: of pages, and of feeds.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::id::Guid;
// One truth: what a feed says of its own address is what pages link to.
pub use crate::press::{feed, page};

/// What is written as it is in one segment of a path: the unreserved characters of RFC 3986 section 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A name as one segment of a path.
#[must_use]
pub fn segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// The path that `public_url` puts before ours: `/news` for `https://example.org/news`, else empty.
#[must_use]
pub fn prefix(public_url: &str) -> &str {
    let rest = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    rest.find('/').map_or("", |at| rest[at..].trim_end_matches('/'))
}

/// A path without that prefix. Both forms are answered: some proxies take it off, some don't.
#[must_use]
pub fn without_prefix<'p>(path: &'p str, prefix: &str) -> &'p str {
    if prefix.is_empty() {
        return path;
    }
    match path.strip_prefix(prefix) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// Path of a story's page.
#[must_use]
pub fn story(guid: Guid) -> String {
    format!("/story/{guid}")
}

/// A publisher's address, if a browser may be sent there: http and https alone.
#[must_use]
pub fn outside(link: &str) -> Option<String> {
    let scheme = link.split_once("://")?.0;
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")).then(|| link.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::edition::EditionId;
    use crate::model::place::Code;
    use crate::place::Gazetteer;

    #[test]
    fn the_prefix_of_public_url() {
        for (url, expected) in [
            ("http://127.0.0.1:8080", ""),
            ("https://example.org/", ""),
            ("https://example.org/news", "/news"),
            ("https://example.org/a/b/", "/a/b"),
        ] {
            assert_eq!(prefix(url), expected, "{url}");
        }
        for (path, prefix, expected) in [
            ("/feeds/all.rss", "", "/feeds/all.rss"),
            ("/news/feeds/all.rss", "/news", "/feeds/all.rss"),
            ("/feeds/all.rss", "/news", "/feeds/all.rss"),
            ("/news", "/news", "/"),
            ("/news/", "/news", "/"),
            ("/newspaper", "/news", "/newspaper"),
        ] {
            assert_eq!(without_prefix(path, prefix), expected, "{path}");
        }
    }

    #[test]
    fn addresses() {
        let all = Gazetteer::builtin();
        let xuchang = Code(411_000);
        let table = [
            (EditionId::All, "/feeds/all.rss", "/"),
            (EditionId::City(xuchang), "/feeds/city/xuchang.rss", "/city/xuchang"),
            (EditionId::Province(Code(410_000)), "/feeds/province/henan.rss", "/province/henan"),
            (EditionId::Tag("教育".to_owned()), "/feeds/tag/%E6%95%99%E8%82%B2.rss", "/tag/%E6%95%99%E8%82%B2"),
            (
                EditionId::CityTag(xuchang, "a/b".to_owned()),
                "/feeds/city/xuchang/tag/a%2Fb.rss",
                "/city/xuchang/tag/a%2Fb",
            ),
            (EditionId::Saved("schools".to_owned()), "/feeds/saved/schools.rss", "/saved/schools"),
        ];
        for (id, path, people) in table {
            assert_eq!(feed(&id, "rss", &all), path);
            assert_eq!(page(&id, &all), people);
        }
    }

    #[test]
    fn only_the_web_is_linked() {
        assert!(outside("https://example.org/a").is_some());
        assert!(outside("HTTP://example.org/a").is_some());
        for bad in ["javascript:alert(1)//://", "data:text/html,x", "//example.org", "", "ftp://example.org/"] {
            assert_eq!(outside(bad), None, "{bad}");
        }
    }
}
