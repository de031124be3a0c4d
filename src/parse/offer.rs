//! What a page offers to who would read its site: feeds that it names, and lists of articles found by their structure.

use super::page::Page;
use super::siblings::{self, Guess};
use super::{Fetched, ParseError, caps, charset};
use crate::model::markup::{self, Bounds};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// Most feeds of a page that are told.
const FEEDS: usize = 12;

/// Media types of feeds (RFC 4287 section 7, RSS Advisory Board's autodiscovery, JSON Feed 1.1), and what servers call them.
const TYPES: [&str; 8] = [
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
    "application/x-rss+xml",
    "application/xml",
    "text/xml",
    "text/rss+xml",
];

/// Ends of addresses that feeds have.
const ENDS: [&str; 11] =
    [".rss", ".rdf", ".atom", "/rss", "/feed", "/atom", "/feeds", "rss.xml", "feed.xml", "atom.xml", "feed.json"];

/// Words of links to feeds, in lower case.
const WORDS: [&str; 6] = ["rss", "feed", "atom", "rss订阅", "订阅rss", "rss 2.0"];

/// What a page offers.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Offers {
    /// The page's title.
    pub title: Option<String>,
    /// What the site calls itself (`SiteName`, `og:site_name`).
    pub name: Option<String>,
    /// The first six digits of `SiteIDCode`: the place whose government's page it is (GB/T 2260).
    pub code: Option<String>,
    /// Whether it has the meta tags of government pages (国办发〔2017〕47号).
    pub government: bool,
    /// Feeds that the page names, the likeliest first.
    pub feeds: Vec<Named>,
    /// Lists of articles, the likeliest first.
    pub lists: Vec<Guess>,
}

/// A feed that a page names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Absolute.
    pub url: String,
    /// What the page calls it.
    pub title: Option<String>,
    /// Where on the page: "link" (in its head) or "a" (in its text).
    pub place: &'static str,
}

/// Looks at a page.
///
/// # Errors
/// If it is empty or too large.
pub(super) fn read(fetched: &Fetched<'_>, zone: Tz) -> Result<Offers, ParseError> {
    if fetched.body.len() > caps::DOCUMENT {
        return Err(ParseError::TooLarge { bytes: fetched.body.len(), most: caps::DOCUMENT });
    }
    let decoded = charset::decode(fetched.body, fetched.content_type, None);
    if decoded.text.trim().is_empty() {
        return Err(ParseError::Empty);
    }
    let html = markup::bounded(&decoded.text, Bounds::PAGE, &mut |_| true).html;
    let page = Page::new(&html, fetched.url, zone, fetched.at);
    let meta = |names: &[&str]| names.iter().find_map(|name| page.meta(name));
    let code = meta(&["SiteIDCode"]).and_then(|code| code.get(..6).map(str::to_owned));
    Ok(Offers {
        title: page.title(),
        name: meta(&["SiteName", "og:site_name", "application-name"]),
        government: code.is_some() || meta(&["SiteDomain", "ColumnName", "ColumnType"]).is_some(),
        code: code.filter(|code| code.bytes().all(|b| b.is_ascii_digit())),
        feeds: feeds(&page),
        lists: siblings::lists(&page),
    })
}

fn feeds(page: &Page) -> Vec<Named> {
    let mut seen = BTreeSet::new();
    let mut found: Vec<Named> = Vec::new();
    let mut add = |url: Option<url::Url>, title: Option<String>, place| {
        let Some(url) = url.map(String::from) else { return };
        if seen.insert(url.clone()) && found.len() < FEEDS {
            found.push(Named { url, title, place });
        }
    };
    for link in page.document.select("link[href]").nodes() {
        let value = |name: &str| link.attr(name).map(|value| value.trim().to_ascii_lowercase()).unwrap_or_default();
        let (rel, kind) = (value("rel"), value("type"));
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let rel: Vec<&str> = rel.split_whitespace().collect();
        let alternate = rel.contains(&"alternate") && TYPES.contains(&kind);
        if alternate && !rel.contains(&"stylesheet") || rel.contains(&"feed") {
            let title = link.attr("title").map(|title| title.trim().to_owned()).filter(|title| !title.is_empty());
            add(link.attr("href").and_then(|href| page.absolute(&href)), title, "link");
        }
    }
    for anchor in page.document.select("a[href]").nodes() {
        let Some(url) = anchor.attr("href").and_then(|href| page.absolute(&href)) else { continue };
        let path = url.path().trim_end_matches('/').to_ascii_lowercase();
        let text = anchor.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let words = WORDS.contains(&text.to_lowercase().as_str());
        if words || ENDS.iter().any(|end| path.ends_with(end)) {
            add(Some(url), Some(text).filter(|text| !text.is_empty()), "a");
        }
    }
    // Feeds of comments are feeds of something else.
    found.sort_by_key(|named| named.url.contains("comment") || named.title.as_deref().is_some_and(is_of_comments));
    found
}

fn is_of_comments(title: &str) -> bool {
    let title = title.to_lowercase();
    ["comment", "评论", "kommentar", "commentaire", "comentario"].iter().any(|word| title.contains(word))
}
