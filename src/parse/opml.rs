//! OPML: a list of feeds as readers and planets export it (OPML 2.0, section "Subscription lists").

use std::collections::BTreeSet;

use super::{ParseError, caps, charset};
use crate::model::markup::{Attributes, Token, Tokens, decode};

/// A feed of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Address of the feed (`xmlUrl`).
    pub feed: String,
    /// What the list calls it (`title`, else `text`).
    pub name: Option<String>,
    /// The folders it stands in, outermost first, and its own `category`.
    pub folders: Vec<String>,
}

/// What an OPML file lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscriptions {
    /// The feeds, in the order of the list; one that stands in it twice is told once.
    pub feeds: Vec<Subscription>,
    /// What was wrong with entries, in words.
    pub complaints: Vec<String>,
}

/// Entries that are read: far more than anybody subscribes to.
pub const ENTRIES: usize = 100_000;
/// Folders that an entry may stand in: what is deeper is in the outermost of them.
pub const DEPTH: usize = 32;

/// Reads an OPML file. Broken XML is no hindrance: tags are read as they come.
///
/// # Errors
/// [`ParseError`] if it is empty, too large, or holds no `outline`.
pub fn opml(body: &[u8]) -> Result<Subscriptions, ParseError> {
    if body.len() > caps::DOCUMENT {
        return Err(ParseError::TooLarge { bytes: body.len(), most: caps::DOCUMENT });
    }
    let text = charset::decode(body, None, None).text;
    if text.trim().is_empty() {
        return Err(ParseError::Empty);
    }
    let mut found = Subscriptions::default();
    let mut known: BTreeSet<String> = BTreeSet::new();
    // For each open outline, the name it gives to what stands in it, if it is a folder.
    let mut open: Vec<Option<String>> = Vec::new();
    let mut entries = 0;
    for token in Tokens::new(&text) {
        match token {
            Token::Open { name, attributes } if name.eq_ignore_ascii_case("outline") => {
                entries += 1;
                if entries > ENTRIES {
                    found.complaints.push(format!("only the first {ENTRIES} entries were read"));
                    break;
                }
                let entry = Entry::of(attributes);
                let name = entry.title.or(entry.text);
                let folder = if let Some(address) = entry.feed {
                    let folders = open.iter().flatten().cloned().chain(entry.categories).collect();
                    found.take(address, name, folders, &mut known);
                    None
                } else {
                    name
                };
                if !attributes.trim_end().ends_with('/') && open.len() < DEPTH {
                    open.push(folder);
                }
            }
            Token::Close(name) if name.eq_ignore_ascii_case("outline") => {
                open.pop();
            }
            _ => {}
        }
    }
    if entries == 0 {
        return Err(ParseError::NotFeed { found: "no OPML: nothing in it is an outline".to_owned() });
    }
    Ok(found)
}

impl Subscriptions {
    fn take(&mut self, address: String, name: Option<String>, folders: Vec<String>, known: &mut BTreeSet<String>) {
        let called = name.as_deref().unwrap_or("without a name").to_owned();
        // A scheme of subscriptions, made up by readers of old, stands for http.
        let bare = ["feed://", "feed:"].iter().find_map(|scheme| address.strip_prefix(scheme));
        let feed = match bare {
            Some(rest) if rest.starts_with("http") => rest.to_owned(),
            Some(rest) => format!("http://{rest}"),
            None => address,
        };
        let url = url::Url::parse(&feed).ok();
        let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) else {
            return self.complaints.push(format!("{called}: `{feed}` is no address of a feed"));
        };
        let feed = String::from(url);
        if known.insert(feed.clone()) {
            self.feeds.push(Subscription { feed, name, folders });
        } else {
            self.complaints.push(format!("{called}: {feed} stands in the list twice"));
        }
    }
}

/// The attributes of an `outline` that matter.
#[derive(Debug, Default)]
struct Entry {
    feed: Option<String>,
    title: Option<String>,
    text: Option<String>,
    categories: Vec<String>,
}

impl Entry {
    fn of(attributes: &str) -> Self {
        let mut entry = Self::default();
        for (key, value) in Attributes::new(attributes) {
            let value = decode(&value).split_whitespace().collect::<Vec<_>>().join(" ");
            if value.is_empty() {
                continue;
            }
            match key.as_ref() {
                "xmlurl" => entry.feed = Some(value),
                "title" => entry.title = Some(value),
                "text" => entry.text = Some(value),
                "category" => {
                    let parts = value.split(',').flat_map(|path| path.split('/'));
                    entry.categories =
                        parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
                }
                _ => {}
            }
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &[u8]) -> Vec<String> {
        let list = opml(text).unwrap();
        let feeds = list
            .feeds
            .into_iter()
            .map(|one| format!("{} | {} | {}", one.feed, one.name.unwrap_or_default(), one.folders.join(" > ")));
        feeds.chain(list.complaints).collect()
    }

    #[test]
    fn lists_are_read_however_readers_write_them() {
        let table: [(&str, &[&str]); 8] = [
            (
                "<opml version=\"2.0\"><body><outline text='河南'><outline text='许昌' title='许昌&amp;发布' xmlUrl='https://x.example/rss?a=1&amp;b=2'/></outline>\
                 <outline text='Other' xmlUrl='http://o.example/' category='/News/Local,town'/></body></opml>",
                &[
                    "https://x.example/rss?a=1&b=2 | 许昌&发布 | 河南",
                    "http://o.example/ | Other | News > Local > town",
                ],
            ),
            // Folders are closed by end tags; entries may be, too.
            (
                "<opml><outline title='A'><outline xmlurl='https://a.example/1'></outline><outline XMLURL=\"https://a.example/2\" /></outline><outline xmlUrl='https://b.example/'/>",
                &["https://a.example/1 |  | A", "https://a.example/2 |  | A", "https://b.example/ |  | "],
            ),
            // Bare ampersands, a cut end, a declaration before it.
            (
                "<?xml version=\"1.0\"?><!-- x --><opml><body><outline text=\"A & B\" xmlUrl=\"https://a.example/?x=1&y=2\"/><outline text=\"cut",
                &["https://a.example/?x=1&y=2 | A & B | "],
            ),
            (
                "<outline xmlUrl='feed://a.example/rss'/><outline xmlUrl='feed:https://b.example/rss'/>",
                &["http://a.example/rss |  | ", "https://b.example/rss |  | "],
            ),
            ("<outline text='M' xmlUrl='mailto:x@y.example'/>", &["M: `mailto:x@y.example` is no address of a feed"]),
            ("<outline xmlUrl='HTTP://A.example/R ss'/>", &["http://a.example/R%20ss |  | "]),
            (
                "<outline text='M' xmlUrl='https://a.example/'/><outline text='N' xmlUrl='https://a.example/'/>",
                &["https://a.example/ | M | ", "N: https://a.example/ stands in the list twice"],
            ),
            ("<outline text='an empty folder'/>", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(told(text.as_bytes()), expected, "{text}");
        }
        let (gbk, _, _) = encoding_rs::GBK.encode(
            "<?xml version='1.0' encoding='gb2312'?><opml><outline text='焦作日报' xmlUrl='https://j.example/'/></opml>",
        );
        assert_eq!(told(&gbk), ["https://j.example/ | 焦作日报 | "]);
    }

    #[test]
    fn what_is_no_list_is_told() {
        assert_eq!(opml(b" \n"), Err(ParseError::Empty));
        assert!(matches!(opml(b"<rss/>"), Err(ParseError::NotFeed { .. })));
        let deep = "<outline text='x'>".repeat(200_000);
        let list = opml(deep.as_bytes()).unwrap();
        assert_eq!(list.complaints.len(), 1);
    }
}
