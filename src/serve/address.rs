//! Reads the path of a feed: which one is wanted, by the names as asked for, and in which format.

use percent_encoding::percent_decode_str;

/// The feed wanted, by the names that stand in its address; nothing is looked up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// `/feeds/all`.
    All,
    /// `/feeds/city/{name}`.
    City(String),
    /// `/feeds/province/{name}`.
    Province(String),
    /// `/feeds/tag/{name}`.
    Tag(String),
    /// `/feeds/city/{name}/tag/{name}`.
    CityTag(String, String),
    /// `/feeds/source/{id}`.
    Source(String),
    /// `/feeds/saved/{id}`.
    Saved(String),
}

/// A feed's address, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Which feed.
    pub wanted: Wanted,
    /// `rss`, `atom` or `json`; an address without an extension is read as RSS. `png` is the feed's picture.
    pub extension: &'static str,
    /// A page of its archive.
    pub archive: Option<u64>,
}

/// Extensions that may stand at the end, and the format each means.
const EXTENSIONS: &[(&str, &str)] =
    &[(".rss", "rss"), (".atom", "atom"), (".json", "json"), (".xml", "rss"), (".png", "png")];

/// Addresses at the root that feed finders guess, answered with everything. A redirect would not do: some of them
/// discard it.
const ALIASES: &[(&str, &str)] = &[
    ("/feed", "rss"),
    ("/feed/", "rss"),
    ("/feed.xml", "rss"),
    ("/feed.rss", "rss"),
    ("/rss", "rss"),
    ("/rss/", "rss"),
    ("/rss.xml", "rss"),
    ("/rss/feed.xml", "rss"),
    ("/index.xml", "rss"),
    ("/index.rss", "rss"),
    ("/atom.xml", "atom"),
    ("/feed.atom", "atom"),
    ("/feed.json", "json"),
];

/// Addresses at the root that are answered with everything.
pub fn aliases() -> impl Iterator<Item = &'static str> {
    ALIASES.iter().map(|(alias, _)| *alias)
}

/// Reads a path (percent-encoded, without query, without the prefix of `public_url`). `None` if it is no feed's.
#[must_use]
pub fn read(path: &str) -> Option<Address> {
    if let Some((_, extension)) = ALIASES.iter().find(|(alias, _)| *alias == path) {
        return Some(Address { wanted: Wanted::All, extension, archive: None });
    }
    let path = path.strip_prefix("/feeds/")?;
    if let Some((path, page)) = path.rsplit_once("/archive/")
        && let Some((page, extension)) = archived(page)
    {
        let address = named(path)?;
        return Some(Address { extension, archive: Some(page), ..address });
    }
    named(path)
}

/// A page of an archive: its number and format.
fn archived(page: &str) -> Option<(u64, &'static str)> {
    let (page, extension) = page.split_once('.').unwrap_or((page, "rss"));
    let (_, format) = EXTENSIONS.iter().find(|(suffix, _)| suffix[1..].eq_ignore_ascii_case(extension))?;
    let digits = !page.is_empty() && page.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| page.parse().ok())?.map(|page| (page, *format))
}

/// What stands behind `/feeds/`.
fn named(path: &str) -> Option<Address> {
    // Segments are cut before they are decoded: `%2F` is part of a name. A tag may hold a slash all the same, since
    // proxies decode it: everything behind `tag/` is the tag.
    let (kind, rest) = path.split_once('/').unwrap_or((path, ""));
    let (wanted, extension) = match kind {
        "city" => match rest.split_once("/tag/") {
            Some((city, tag)) => {
                let (tag, extension) = name(tag)?;
                (Wanted::CityTag(decoded(city)?, tag), extension)
            }
            None => whole(rest).map(|(name, extension)| (Wanted::City(name), extension))?,
        },
        "province" => whole(rest).map(|(name, extension)| (Wanted::Province(name), extension))?,
        "tag" => name(rest).map(|(name, extension)| (Wanted::Tag(name), extension))?,
        "source" => whole(rest).map(|(name, extension)| (Wanted::Source(name), extension))?,
        "saved" => whole(rest).map(|(name, extension)| (Wanted::Saved(name), extension))?,
        _ if rest.is_empty() => match name(kind)? {
            (all, extension) if all == "all" => (Wanted::All, extension),
            _ => return None,
        },
        _ => return None,
    };
    Some(Address { wanted, extension, archive: None })
}

/// One segment and nothing behind it but perhaps a slash.
fn whole(rest: &str) -> Option<(String, &'static str)> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains('/') { None } else { name(rest) }
}

/// A name with its extension taken off.
fn name(rest: &str) -> Option<(String, &'static str)> {
    let decoded = decoded(rest)?;
    let cut = EXTENSIONS.iter().find_map(|(suffix, format)| {
        let at = decoded.len().checked_sub(suffix.len())?;
        let end = decoded.get(at..)?;
        (at > 0 && end.eq_ignore_ascii_case(suffix)).then_some((at, *format))
    });
    Some(match cut {
        Some((at, format)) => (decoded[..at].to_owned(), format),
        None => (decoded, "rss"),
    })
}

/// Percent-decoded, trimmed; `None` if it is empty or no UTF-8.
fn decoded(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Wanted::{All, City, CityTag, Province, Saved, Source, Tag};
    use super::*;

    #[test]
    fn paths_of_archives() {
        let tag = Tag("教育".to_owned());
        for (path, expected) in [
            ("/feeds/all/archive/3.rss", Some((All, "rss", Some(3)))),
            ("/feeds/city/xuchang/archive/10000001.atom", Some((City("xuchang".to_owned()), "atom", Some(10_000_001)))),
            ("/feeds/tag/%E6%95%99%E8%82%B2/archive/1", Some((tag, "rss", Some(1)))),
            ("/feeds/tag/archive/x.rss", Some((Tag("archive/x".to_owned()), "rss", None))),
            ("/feeds/all/archive/x.rss", None),
            ("/feeds/all/archive/99999999999999999999999.rss", None),
        ] {
            let expected = expected.map(|(wanted, extension, archive)| Address { wanted, extension, archive });
            assert_eq!(read(path), expected, "{path}");
        }
    }

    #[test]
    fn paths_of_feeds() {
        let s = str::to_owned;
        let table = [
            ("/feeds/all.rss", Some((All, "rss"))),
            ("/feeds/all", Some((All, "rss"))),
            ("/feeds/all.atom", Some((All, "atom"))),
            ("/feeds/ALL.rss", None),
            ("/feeds/all.rss/more", None),
            ("/feeds/", None),
            ("/feeds", None),
            ("/feeds/city/", None),
            ("/feeds/city/.rss", Some((City(s(".rss")), "rss"))),
            ("/feeds/city/xuchang.rss", Some((City(s("xuchang")), "rss"))),
            ("/feeds/city/xuchang.RSS", Some((City(s("xuchang")), "rss"))),
            ("/feeds/city/xuchang", Some((City(s("xuchang")), "rss"))),
            ("/feeds/city/xuchang/", Some((City(s("xuchang")), "rss"))),
            ("/feeds/city/xuchang.json", Some((City(s("xuchang")), "json"))),
            ("/feeds/city/%E8%AE%B8%E6%98%8C.rss", Some((City(s("许昌")), "rss"))),
            ("/feeds/city/许昌市.rss", Some((City(s("许昌市")), "rss"))),
            ("/feeds/city/%FF.rss", None),
            ("/feeds/city/411000.rss", Some((City(s("411000")), "rss"))),
            ("/feeds/city/xuchang/news.rss", None),
            ("/feeds/city/xuchang/tag/%E6%95%99%E8%82%B2.rss", Some((CityTag(s("xuchang"), s("教育")), "rss"))),
            ("/feeds/province/henan.rss", Some((Province(s("henan")), "rss"))),
            ("/feeds/tag/web2.0.rss", Some((Tag(s("web2.0")), "rss"))),
            ("/feeds/tag/web2.0", Some((Tag(s("web2.0")), "rss"))),
            ("/feeds/tag/a%2Fb.rss", Some((Tag(s("a/b")), "rss"))),
            ("/feeds/tag/a/b.rss", Some((Tag(s("a/b")), "rss"))),
            ("/feeds/tag/c++.rss", Some((Tag(s("c++")), "rss"))),
            ("/feeds/tag/%20.rss", Some((Tag(s(".rss")), "rss"))),
            ("/feeds/source/dahe.rss", Some((Source(s("dahe")), "rss"))),
            ("/feeds/source/news.dahe.cn.rss", Some((Source(s("news.dahe.cn")), "rss"))),
            ("/feeds/saved/henan-schools.rss", Some((Saved(s("henan-schools")), "rss"))),
            ("/feed", Some((All, "rss"))),
            ("/feed/", Some((All, "rss"))),
            ("/feed.xml", Some((All, "rss"))),
            ("/rss.xml", Some((All, "rss"))),
            ("/atom.xml", Some((All, "atom"))),
            ("/index.xml", Some((All, "rss"))),
            ("/feeds.opml", None),
            ("/", None),
        ];
        for (path, expected) in table {
            let expected = expected.map(|(wanted, extension)| Address { wanted, extension, archive: None });
            assert_eq!(read(path), expected, "{path}");
        }
    }
}
