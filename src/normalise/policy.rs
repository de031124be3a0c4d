//! The one policy of what HTML from outside may hold: a whitelist, links absolute, nothing that runs or tracks.

use super::address::Bases;
use crate::model::markup::{self, Bounds, Element, Token, Tokens};
use ammonia::Builder;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Most HTML kept of one text, in bytes: with the plain text it must fit into one record of the wire.
const HTML: usize = 120 * 1024;

/// Bounds of one text before it becomes a tree.
const BOUNDS: Bounds = Bounds { bytes: HTML, ..Bounds::TEXT };

/// Elements that may stay. What is left out loses its tag and keeps its text.
const ELEMENTS: [&str; 45] = [
    "a",
    "abbr",
    "article",
    "audio",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "section",
    "source",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tr",
    "ul",
    "video",
];

/// Further elements of tables.
const TABLE: [&str; 5] = ["th", "thead", "tfoot", "small", "u"];

/// The sanitiser. Changing anything here changes what readers are shown: raise `READING_VERSION` with it.
static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    let attributes: HashMap<&str, HashSet<&str>> = [
        ("a", &["href", "title"][..]),
        ("abbr", &["title"]),
        ("audio", &["src", "controls"]),
        ("img", &["src", "alt", "title", "width", "height"]),
        ("ol", &["start"]),
        ("source", &["src", "type"]),
        ("td", &["colspan", "rowspan"]),
        ("th", &["colspan", "rowspan"]),
        ("video", &["src", "poster", "controls", "width", "height"]),
    ]
    .into_iter()
    .map(|(element, names)| (element, names.iter().copied().collect()))
    .collect();
    builder
        .tags(ELEMENTS.into_iter().chain(TABLE).collect())
        .tag_attributes(attributes)
        .url_schemes(["http", "https", "mailto", "tel"].into())
        .link_rel(Some("noopener noreferrer"))
        .strip_comments(true);
    builder
});

/// A text after cleaning.
#[derive(Debug, Default)]
pub(super) struct Clean {
    /// Well-formed HTML.
    pub html: String,
    /// Its first picture, absolute.
    pub image: Option<String>,
    /// What was wrong, in words.
    pub hits: Vec<String>,
}

/// Attributes in which pages keep the address of a picture until it is scrolled to.
const LAZY: [&str; 9] = [
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-actualsrc",
    "data-echo",
    "data-url",
    "data-original-src",
    "_src",
    "file",
];

/// Pieces of addresses of placeholders that stand where a lazily loaded picture will be.
const PLACEHOLDERS: [&str; 7] = ["blank.", "spacer", "placeholder", "loading.", "grey.", "lazyload", "transparent."];

/// Pieces of addresses of pictures that only count readers.
const TRACKERS: [&str; 9] = [
    "feedburner.com/~r/",
    "feedsportal.com",
    "pixel.wp.com",
    "stats.wordpress.com",
    "doubleclick.net",
    "google-analytics.com",
    "/pixel.gif",
    "hm.baidu.com",
    "cnzz.com",
];

/// Sanitises a text that may be HTML, plain, or escaped once too often.
pub(super) fn clean(raw: &str, bases: &Bases) -> Clean {
    let prepared = prepare(raw);
    let mut image = None;
    let bounded = markup::bounded(&prepared, BOUNDS, &mut |element| change(element, bases, &mut image));
    let mut hits = bounded.hits;
    let mut html = SANITISER.clean(&bounded.html).to_string();
    if html.len() > 2 * HTML {
        // Open formatting is written again in every block: what a text costs may multiply.
        html = SANITISER.clean(&markup::escape(&super::text::plain(&bounded.html))).to_string();
        hits.push("its markup grows when it is made well-formed: only its text was kept".to_owned());
    }
    Clean { html, image, hits }
}

/// Text without any markup gets paragraphs; markup that was escaped twice is decoded once more.
fn prepare(raw: &str) -> std::borrow::Cow<'_, str> {
    use std::borrow::Cow;
    if has_markup(raw) {
        return Cow::Borrowed(raw);
    }
    if raw.contains("&lt;") {
        let decoded = markup::decode(raw);
        if has_markup(&decoded) {
            return Cow::Owned(decoded.into_owned());
        }
    }
    let mut paragraphs = raw.split('\n').map(str::trim).filter(|line| !line.is_empty());
    match (paragraphs.next(), paragraphs.next()) {
        (Some(first), Some(second)) => {
            Cow::Owned([first, second].into_iter().chain(paragraphs).map(|line| format!("<p>{line}</p>")).collect())
        }
        _ => Cow::Borrowed(raw),
    }
}

/// Whether there is a tag that HTML knows.
fn has_markup(text: &str) -> bool {
    text.contains('<')
        && Tokens::new(text).any(|token| match token {
            Token::Open { name, .. } | Token::Close(name) => {
                let name = name.to_ascii_lowercase();
                ELEMENTS.contains(&name.as_str())
                    || TABLE.contains(&name.as_str())
                    || matches!(
                        name.as_str(),
                        "span" | "font" | "center" | "html" | "body" | "embed" | "header" | "main"
                    )
            }
            Token::Text(_) => false,
        })
}

fn change(element: &mut Element<'_>, bases: &Bases, image: &mut Option<String>) -> bool {
    match element.name.as_ref() {
        "img" => {
            let source = element.get("src").map(std::borrow::Cow::into_owned).unwrap_or_default();
            let empty =
                source.is_empty() || source.starts_with("data:") || PLACEHOLDERS.iter().any(|p| source.contains(p));
            let lazy = LAZY.iter().find_map(|name| element.get(name).filter(|value| looks_like_address(value)));
            let set = || element.get("srcset").or_else(|| element.get("data-srcset")).and_then(|set| first_of(&set));
            let address = match lazy {
                Some(lazy) if empty => Some(lazy.into_owned()),
                _ if empty => set(),
                _ => Some(source),
            };
            let Some(address) = address.and_then(|address| bases.absolute(&address)) else { return false };
            let tiny = ["width", "height"].iter().any(|side| {
                element.get(side).is_some_and(|size| matches!(size.trim().trim_end_matches("px"), "0" | "1" | "2"))
            });
            if tiny || TRACKERS.iter().any(|tracker| address.contains(tracker)) {
                return false;
            }
            image.get_or_insert_with(|| address.clone());
            element.attributes.retain(|(name, _)| name != "srcset");
            element.set("src", &address);
        }
        "a" => {
            if let Some(href) = element.get("href").map(std::borrow::Cow::into_owned) {
                let other = href.starts_with("mailto:") || href.starts_with("tel:");
                if !other {
                    match bases.absolute(&href) {
                        Some(address) => element.set("href", &address),
                        None => element.attributes.retain(|(name, _)| name != "href"),
                    }
                }
            }
        }
        "audio" | "video" | "source" => {
            for name in ["src", "poster"] {
                if let Some(value) = element.get(name).map(std::borrow::Cow::into_owned) {
                    match bases.absolute(&value) {
                        Some(address) => element.set(name, &address),
                        None => element.attributes.retain(|(known, _)| known != name),
                    }
                }
            }
        }
        _ => {}
    }
    true
}

fn looks_like_address(value: &str) -> bool {
    value.contains(['/', '.']) && !value.starts_with("data:") && !value.contains(char::is_whitespace)
}

/// First address of a `srcset`.
fn first_of(set: &str) -> Option<String> {
    set.split_whitespace().next().map(|address| address.trim_end_matches(',').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(raw: &str) -> String {
        clean(raw, &Bases::new(None, "https://news.example/a/1.html")).html
    }

    #[test]
    fn nothing_that_runs_or_tracks_stays() {
        for (raw, expected) in [
            ("<p onclick=x>1</p><script>alert(1)</script>", "<p>1</p>"),
            ("<a href=' javascript:alert(1)'>1</a>", "<a rel=\"noopener noreferrer\">1</a>"),
            ("<a href=\"jav&#x09;ascript:alert(1)\">1</a>", "<a rel=\"noopener noreferrer\">1</a>"),
            ("<iframe src=x></iframe><form><input>1</form>", "1"),
            ("<p>1</p><img src=/p.gif width=1 height=1>", "<p>1</p>"),
            ("<svg><a href=x>1</a></svg>2", "2"),
            ("<style>p{}</style><p style='x'>1", "<p>1</p>"),
            ("<img src=x onerror=alert(1)>", "<img src=\"https://news.example/a/x\">"),
            ("<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", ""),
            ("<div><table><td></div>\"><img src='\"'>", ""),
        ] {
            let found = html(raw);
            assert!(!found.contains("alert") && !found.contains("onerror"), "{found}");
            if !expected.is_empty() {
                assert_eq!(found, expected, "{raw}");
            }
        }
    }

    #[test]
    fn links_and_lazy_pictures_become_whole() {
        for (raw, expected) in [
            ("<a href=2.html>1</a>", "<a href=\"https://news.example/a/2.html\" rel=\"noopener noreferrer\">1</a>"),
            (
                "<img data-src=//cdn.example/1.jpg src=data:image/gif;base64,R0>",
                "<img src=\"https://cdn.example/1.jpg\">",
            ),
            ("<img src=/img/blank.gif data-original=/1.jpg>", "<img src=\"https://news.example/1.jpg\">"),
            ("<img src=/1.jpg data-src=/2.jpg>", "<img src=\"https://news.example/1.jpg\">"),
            ("<img srcset='/1.jpg 1x, /2.jpg 2x'>", "<img src=\"https://news.example/1.jpg\">"),
        ] {
            assert_eq!(html(raw), expected);
        }
    }

    #[test]
    fn plain_and_doubly_escaped_texts_become_html() {
        assert_eq!(html("一\n\n二 < 三 &amp; 四"), "<p>一</p><p>二 &lt; 三 &amp; 四</p>");
        assert_eq!(html("&lt;p&gt;一&lt;/p&gt;"), "<p>一</p>");
        assert_eq!(html("if a &lt; b"), "if a &lt; b");
    }

    #[test]
    fn fifty_thousand_nested_elements_cost_little() {
        let begin = "<div>".repeat(50_000) + "text";
        assert!(html(&begin).contains("text"));
    }
}
