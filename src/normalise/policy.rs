//! The one policy of what HTML from outside may hold: a whitelist, links absolute, nothing that runs or tracks.
//!
//! A text goes through it in three steps. The bounded scan of [`markup`] drops every element and attribute that is not
//! listed here, so that nothing else ever becomes a tree, and makes addresses whole. ammonia builds the tree as a browser
//! would and writes it back: what cannot be told apart from text is text. Where tags nest as they are written, [`direct`]
//! writes the same without a tree. Last, characters that XML forbids go. Cleaning
//! what is clean changes nothing.

use super::address::Bases;
use super::direct;
use super::film;
use super::picture::{self, Pictures};
use crate::model::markup::{self, Bounds, Element, TWIN, Token, Tokens};
use ammonia::{Builder, UrlRelative};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Most HTML kept of one text, in bytes: with the plain text it must fit into one record of the wire.
const HTML: usize = 120 * 1024;

/// Bounds of one text before it becomes a tree.
const BOUNDS: Bounds = Bounds { bytes: HTML, ..Bounds::TEXT };

/// Most often a text is cleaned again, because cleaning uncovered markup that had been escaped, or made it too long.
const ROUNDS: usize = 4;

/// Elements that may stay. What is left out loses its tag and keeps its text.
const ELEMENTS: &str = "a abbr address article aside audio b bdi bdo blockquote br caption cite code col colgroup dd del \
    details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li mark ol p pre q rp rt \
    ruby s samp section small source strong sub summary sup table tbody td tfoot th thead time tr u ul var video wbr";

/// Elements written as others that mean the same: the old ones of HTML 3 and 4, and those that only keep blocks apart.
const RENAMED: [(&str, &str); 16] = [
    ("acronym", "abbr"),
    ("center", "div"),
    ("dialog", "div"),
    ("dir", "ul"),
    ("fieldset", "div"),
    ("form", "div"),
    ("hgroup", "div"),
    ("legend", "div"),
    ("listing", "pre"),
    ("main", "div"),
    ("marquee", "div"),
    ("menu", "ul"),
    ("nav", "div"),
    ("search", "div"),
    ("strike", "s"),
    ("tt", "code"),
];

/// Attributes that may stay, by element; `*` stands for every one.
const ATTRIBUTES: [(&str, &str); 17] = [
    ("*", "dir lang"),
    ("a", "href title"),
    ("abbr", "title"),
    ("audio", "src controls"),
    ("col", "span"),
    ("colgroup", "span"),
    ("del", "datetime"),
    ("dfn", "title"),
    ("img", "src alt title width height"),
    ("ins", "datetime"),
    ("li", "value"),
    ("ol", "start reversed type"),
    ("source", "src type"),
    ("td", "colspan rowspan"),
    ("th", "colspan rowspan"),
    ("time", "datetime"),
    ("video", "src poster controls width height"),
];

/// Elements beside the listed ones that show that a text is HTML.
const OTHER_MARKUP: [&str; 10] =
    ["span", "font", "html", "body", "head", "embed", "iframe", "object", "picture", "big"];

/// [`ATTRIBUTES`] in words, those of every element among each one's.
static ALLOWED: LazyLock<Vec<(&str, Vec<&str>)>> = LazyLock::new(|| {
    let every = ATTRIBUTES[0].1;
    ATTRIBUTES.iter().map(|(name, own)| (*name, own.split(' ').chain(every.split(' ')).collect())).collect()
});

static KEPT: LazyLock<HashSet<&str>> = LazyLock::new(|| ELEMENTS.split_whitespace().collect());

/// The sanitiser. Changing anything here changes what readers are shown: raise `READING_VERSION` with it.
static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let words = |names: &'static str| names.split_whitespace().collect::<HashSet<_>>();
    let mut builder = Builder::empty();
    builder
        .tags(words(ELEMENTS))
        .generic_attributes(words(ATTRIBUTES[0].1))
        .tag_attributes(ATTRIBUTES[1..].iter().map(|(element, names)| (*element, words(names))).collect())
        .url_schemes(["http", "https", "mailto", "tel", "data"].into())
        .url_relative(UrlRelative::Deny)
        // `data:` is for pictures alone, and only for those that cannot be documents.
        .attribute_filter(|element, attribute, value| {
            let data = value.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("data:"));
            let allowed = !data || (element, attribute) == ("img", "src") && picture::is_data(value);
            allowed.then_some(Cow::Borrowed(value))
        })
        .link_rel(Some("noopener noreferrer"))
        .strip_comments(true);
    builder
});

/// A text after cleaning.
#[derive(Debug, Default)]
pub(super) struct Clean {
    /// Well-formed HTML: every element closed, no character that XML forbids.
    pub html: String,
    /// Its first picture, absolute.
    pub image: Option<String>,
    /// What was wrong, in words.
    pub hits: Vec<String>,
}

/// Sanitises a text that may be HTML, plain, or escaped once too often.
pub(super) fn clean(raw: &str, bases: &Bases) -> Clean {
    let raw = without_forbidden(raw);
    if is_plain(&raw) {
        return Clean { html: raw.into_owned(), ..Clean::default() };
    }
    let mut done = Clean::default();
    let mut text = prepare(&raw);
    for _ in 0..ROUNDS {
        once(&text, bases, BOUNDS, &mut done);
        match prepare(&done.html) {
            Cow::Owned(again) => text = Cow::Owned(again),
            Cow::Borrowed(_) => return done,
        }
    }
    // Escaped more often than anyone means: it is shown as it is, and markup around it keeps it so.
    done.html = format!("<p>{}</p>", SANITISER.clean(&markup::escape(&super::text::plain(&done.html))));
    done
}

/// One cleaning of prepared HTML.
fn once(text: &str, bases: &Bases, mut bounds: Bounds, done: &mut Clean) {
    for round in 0..ROUNDS {
        let mut pictures = Pictures::default();
        let bounded = markup::bounded(text, bounds, &mut |element| change(element, bases, &mut pictures));
        let html = match direct::clean(&bounded.html) {
            Some(html) => {
                debug_assert_eq!(html, by_tree(&bounded.html), "both ways must agree: {}", bounded.html);
                html
            }
            None => by_tree(&bounded.html),
        };
        for hit in bounded.hits {
            if !done.hits.contains(&hit) {
                done.hits.push(hit);
            }
        }
        if html.len() <= HTML {
            done.html = html;
            done.image = done.image.take().or(pictures.first);
            return;
        }
        // Open formatting is written again in every block, and `&` as `&amp;`: what a text costs may multiply.
        if round == 0 {
            done.hits.push("its markup grows when it is made well-formed: less of it was kept".to_owned());
        }
        bounds.bytes = bounds.bytes / 2 * HTML / html.len();
    }
    let mut plain = super::text::plain(text);
    plain.truncate(plain.floor_char_boundary(HTML / 8));
    done.html = format!("<p>{}</p>", SANITISER.clean(&markup::escape(&plain)));
}

/// Sanitised with a tree.
fn by_tree(bounded: &str) -> String {
    let html = settled(SANITISER.clean(bounded).to_string());
    without_first_breaks(without_forbidden(&html).into_owned())
}

/// Whether a text is HTML as it stands, without any tag or reference.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let special = |(at, byte): (usize, &u8)| match byte {
        b'<' | b'>' | b'&' | b'\r' | b'\n' => true,
        0xc2 => bytes.get(at + 1) == Some(&0xa0),
        _ => false,
    };
    text.len() <= HTML && !bytes.iter().enumerate().any(special)
}

/// Whether a character that [`without_forbidden`] takes out is in a text. Told by the first bytes.
fn is_forbidden(text: &str) -> bool {
    let bytes = text.as_bytes();
    let suspect = |byte: u8| byte < 0x20 || matches!(byte, 0x7f | 0xc2 | 0xe2 | 0xef);
    let forbidden = |at: usize| match bytes.get(at) {
        Some(b'\t' | b'\n' | b'\r') => false,
        Some(0..0x20 | 0x7f) => true,
        Some(0xc2) => bytes.get(at + 1).is_some_and(|next| *next < 0xa0),
        Some(0xe2) => matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xad | 0xae])),
        Some(0xef) => matches!(bytes.get(at + 1..at + 3), Some([0xbb, 0xbf] | [0xbf, 0xbe | 0xbf])),
        _ => false,
    };
    let piece = |(number, piece): (usize, &[u8])| {
        // All at once: most pieces have none.
        piece.iter().fold(false, |any, byte| any | suspect(*byte))
            && (number * PIECE..number * PIECE + piece.len()).any(forbidden)
    };
    bytes.chunks(PIECE).enumerate().any(piece)
}

/// So many bytes are looked at together.
const PIECE: usize = 16;

/// Without the characters that XML 1.0 (section 2.2) forbids, the other controls, and the two that make text read backwards.
fn without_forbidden(text: &str) -> Cow<'_, str> {
    let forbidden = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
            || matches!(c, '\u{202d}' | '\u{202e}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    if is_forbidden(text) { Cow::Owned(text.replace(forbidden, "")) } else { Cow::Borrowed(text) }
}

/// HTML that reads as it was written. What stands in a table but in no cell is moved out of it (WHATWG HTML 13.2.6.1, "foster
/// parenting"), and headings are moved out of what they began in, perhaps to where they could not have been written: then
/// it is read once more, or the table given up.
fn settled(mut html: String) -> String {
    if !html.contains("<table") && !has_nested_heading(&html) {
        return html;
    }
    for _ in 0..ROUNDS {
        let again = SANITISER.clean(&html).to_string();
        if again == html {
            return html;
        }
        html = again;
    }
    let cells = ["table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption", "colgroup", "col"];
    let flat = markup::bounded(&html, BOUNDS, &mut |element| !cells.contains(&element.name.as_ref()));
    SANITISER.clean(&flat.html).to_string()
}

fn has_nested_heading(html: &str) -> bool {
    let mut inside = false;
    html.split('<').any(|piece| match piece.as_bytes() {
        [b'h', b'1'..=b'6', ..] => std::mem::replace(&mut inside, true),
        [b'/', b'h', b'1'..=b'6', ..] => {
            inside = false;
            false
        }
        _ => false,
    })
}

/// A line break behind `<pre>` is not shown (WHATWG HTML 13.2.6.4.7): it goes, so that reading again takes no other.
fn without_first_breaks(mut html: String) -> String {
    while html.contains("<pre>\n") {
        html = html.replace("<pre>\n", "<pre>");
    }
    html
}

/// What stands behind the head of a whole page.
fn body(raw: &str) -> &str {
    let begin = raw.trim_start();
    let begin = begin[..begin.floor_char_boundary(9)].to_ascii_lowercase();
    if !["<html", "<head", "<!doctype", "<?xml"].iter().any(|root| begin.starts_with(root)) {
        return raw;
    }
    let head = raw
        .match_indices("</")
        .find(|(at, _)| raw.get(*at..at + 7).is_some_and(|tag| tag.eq_ignore_ascii_case("</head>")));
    head.map_or(raw, |(at, _)| &raw[at + 7..])
}

/// Text without any markup gets paragraphs; markup that was escaped twice is decoded once more.
fn prepare(raw: &str) -> Cow<'_, str> {
    let raw = body(raw);
    if has_markup(raw) {
        return Cow::Borrowed(raw);
    }
    if raw.contains("&lt;") || raw.contains("&#") {
        let decoded = markup::decode(raw);
        if has_markup(&decoded) {
            return Cow::Owned(without_forbidden(&decoded).into_owned());
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
                let name = markup::lower(name);
                KEPT.contains(&*name) || OTHER_MARKUP.contains(&&*name) || RENAMED.iter().any(|(old, _)| *old == name)
            }
            Token::Text(_) => false,
        })
}

/// Makes an element what the policy wants; false drops its tag.
fn change(element: &mut Element<'_>, bases: &Bases, pictures: &mut Pictures) -> bool {
    if let Some((_, now)) = RENAMED.iter().find(|(old, _)| *old == element.name) {
        element.name = Cow::Borrowed(now);
    }
    let stays = match element.name.as_ref() {
        "img" => pictures.picture(element, bases),
        "source" if pictures.source(element) => false,
        "iframe" | "embed" | "object" => {
            element.instead = film::link(element, bases);
            return element.instead.is_some();
        }
        "a" => {
            let href = element.get("href").and_then(|href| link(&href, bases));
            href.map(|href| element.set("href", &href)).is_some()
        }
        "audio" | "video" | "source" => {
            for name in ["src", "poster"] {
                if let Some(value) = element.get(name).map(Cow::into_owned) {
                    match bases.absolute(&value) {
                        Some(address) => element.set(name, &address),
                        None => element.attributes.retain(|(known, _)| known != name),
                    }
                }
            }
            if element.name != "source" {
                element.set("controls", "");
            }
            true
        }
        name => KEPT.contains(name),
    };
    if element.attributes.is_empty() {
        return stays;
    }
    let name = element.name.as_ref();
    let allowed = ALLOWED.iter().find(|(known, _)| *known == name).or(ALLOWED.first());
    element.attributes.retain(|(attribute, _)| {
        attribute != TWIN && allowed.is_some_and(|(_, names)| names.contains(&attribute.as_ref()))
    });
    stays
}

/// An address that a link may have: of a page, without what tracks; of a mailbox or a telephone.
fn link(href: &str, bases: &Bases) -> Option<String> {
    let href = href.trim();
    let scheme = href.split_once(':').map_or("", |(scheme, _)| scheme);
    if scheme.eq_ignore_ascii_case("mailto") || scheme.eq_ignore_ascii_case("tel") {
        return Some(href.to_owned());
    }
    bases.page(href)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A line in, a line out.
    const VECTORS: &str = include_str!("../../tests/markup/vectors.txt");

    fn html(raw: &str) -> String {
        clean(raw, &Bases::new(None, "https://news.example/a/1.html")).html
    }

    /// What is wrong with a cleaned text, whatever it was before.
    fn wrong(html: &str) -> Option<String> {
        if let Some(c) = html.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n')) {
            return Some(format!("a control character: {c:?}"));
        }
        let mut open: Vec<&str> = Vec::new();
        for token in strict(html) {
            match token {
                Strict::Open(name, attributes) => {
                    if !KEPT.contains(name) {
                        return Some(format!("the element {name}"));
                    }
                    let names = ATTRIBUTES.iter().find(|(known, _)| *known == name).map_or("", |(_, names)| names);
                    for (attribute, value) in attributes {
                        let listed = names.split(' ').chain(["dir", "lang", "rel"]).any(|known| known == attribute);
                        let value = markup::decode(value);
                        let address = matches!(attribute, "href" | "src" | "poster");
                        let fits = ["http://", "https://", "mailto:", "tel:"].iter().any(|s| value.starts_with(s))
                            || (attribute == "src" && name == "img" && picture::is_data(&value));
                        if !listed || (address && !fits) {
                            return Some(format!("{name} {attribute}={value}"));
                        }
                    }
                    if !markup::is_void(name) {
                        open.push(name);
                    }
                }
                Strict::Close(name) => {
                    if open.pop() != Some(name) {
                        return Some(format!("</{name}> closes something else"));
                    }
                }
            }
        }
        (!open.is_empty()).then(|| format!("left open: {open:?}"))
    }

    enum Strict<'a> {
        Open(&'a str, Vec<(&'a str, &'a str)>),
        Close(&'a str),
    }

    /// A reader that takes nothing but what the serialiser writes: `<name a=\"v\">`, `</name>`, no other `<` or `>` in texts.
    /// What it does not understand fails the test.
    fn strict(html: &str) -> Vec<Strict<'_>> {
        let mut out = Vec::new();
        for (i, piece) in html.split('<').enumerate() {
            let Some((tag, text)) = (if i == 0 { Some(("", piece)) } else { cut(piece) }) else {
                panic!("an open tag: {piece:?} in {html:?}");
            };
            assert!(!text.contains('>'), "a bare > in {html:?}");
            if i == 0 {
                continue;
            }
            if let Some(name) = tag.strip_prefix('/') {
                out.push(Strict::Close(name));
                continue;
            }
            let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
            let mut attributes = Vec::new();
            while !rest.is_empty() {
                let (attribute, behind) = rest.split_once("=\"").unwrap_or_else(|| panic!("{tag:?} in {html:?}"));
                let (value, behind) = behind.split_once('"').unwrap_or_else(|| panic!("{tag:?} in {html:?}"));
                attributes.push((attribute, value));
                rest = behind.trim_start();
            }
            out.push(Strict::Open(name, attributes));
        }
        out
    }

    /// The tag that a piece begins with, quoted values respected, and the text behind it.
    fn cut(piece: &str) -> Option<(&str, &str)> {
        let mut quoted = false;
        for (at, c) in piece.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => return Some((&piece[..at], &piece[at + 1..])),
                _ => {}
            }
        }
        None
    }

    /// `\n`, `\t`, `\u{…}` as the characters they stand for.
    fn unescaped(line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some((before, behind)) = rest.split_once('\\') {
            out.push_str(before);
            rest = match behind.as_bytes().first() {
                Some(b'n') => {
                    out.push('\n');
                    &behind[1..]
                }
                Some(b't') => {
                    out.push('\t');
                    &behind[1..]
                }
                _ => {
                    let (code, behind) = behind.strip_prefix("u{").and_then(|it| it.split_once('}')).unwrap();
                    out.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
                    behind
                }
            };
        }
        out + rest
    }

    #[test]
    fn each_vector_is_cleaned_as_the_file_says() {
        let update = std::env::var_os("UPDATE_EXPECT").is_some();
        let mut made = String::new();
        let mut failed = Vec::new();
        let mut lines = VECTORS.lines().peekable();
        while let Some(line) = lines.next() {
            made.push_str(line);
            made.push('\n');
            if line.is_empty() || line.starts_with("# ") {
                continue;
            }
            let expected = lines.next_if(|next| next.starts_with("= ") || *next == "=").unwrap_or_default();
            let raw = unescaped(line);
            let found = html(&raw);
            if let Some(wrong) = wrong(&found) {
                failed.push(format!("{line}: {wrong} in {found}"));
            }
            if html(&found) != found {
                failed.push(format!("{line}\n  once:  {found}\n  again: {}", html(&found)));
            }
            let found = format!("= {}", found.replace('\n', "\\n").replace('\u{200d}', "\\u{200d}"));
            made.push_str(found.trim_end());
            made.push('\n');
            if found.trim_end() != expected && !update {
                failed.push(format!("{line}\n  {found}\n  {expected}"));
            }
        }
        if update {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/markup/vectors.txt"), made).unwrap();
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }

    #[test]
    fn fifty_thousand_nested_elements_cost_little() {
        let begin = "<div>".repeat(50_000) + "text";
        assert!(html(&begin).contains("text"));
        for piece in ["<object><embed>", "<noscript><img src=/1.jpg>", "<iframe>", "<b><p>", "&lt;b&gt;", "<a href=/1>"]
        {
            let html = html(&piece.repeat(20_000));
            assert!(html.len() <= HTML, "{piece}: {}", html.len());
        }
    }

    #[test]
    fn a_text_that_grows_is_cut_and_stays_as_it_is() {
        let raw = format!("{}{}", "<b><i><u>".repeat(6), "<p>&".repeat(20_000));
        let found = clean(&raw, &Bases::new(None, "https://news.example/"));
        assert!(found.html.len() <= HTML && !found.hits.is_empty(), "{} {:?}", found.html.len(), found.hits);
        assert_eq!(wrong(&found.html), None);
        assert!(html(&found.html) == found.html);
    }

    /// Pieces of which hostile documents are made.
    fn piece() -> impl Strategy<Value = String> {
        let names = "a b i u em p div span table tr td th tbody caption ul li dl dd h1 pre form button select option textarea \
                     svg math mtext mglyph style script title noscript template iframe object embed img video source \
                     foreignObject annotation-xml desc font center xmp plaintext body html head frameset ruby rt br hr x-y";
        let names: Vec<&'static str> = names.split_whitespace().collect();
        let attributes = [
            "",
            " href=javascript:alert(1)",
            " href='/a'",
            " src=x onerror=alert(1)",
            " title=\"</style><img src=x>\"",
            " data-src='/1.jpg' class=lazy",
            " style=display:none",
            " srcset='/1.jpg 2x'",
            " a=\"",
            " b='",
            "/",
            " src=data:text/html,x",
            " width=1",
        ];
        let texts = [
            "<",
            ">",
            "&",
            "\"",
            "'",
            "&lt;",
            "&gt;",
            "&amp;lt;",
            "&#0;",
            "&#x3c;",
            "<!--",
            "-->",
            "--!>",
            "<![CDATA[",
            "]]>",
            "<?",
            "\n",
            "\n\n",
            "\u{0}",
            "\u{b}",
            " ",
            "text",
            "许昌",
            "</",
            "<p>",
            "&#10;",
            "\u{a0}",
            "\r\n",
        ];
        prop_oneof![
            3 => (proptest::sample::select(names.clone()), proptest::sample::select(attributes.to_vec()))
                .prop_map(|(name, attributes)| format!("<{name}{attributes}>")),
            2 => proptest::sample::select(names).prop_map(|name| format!("</{name}>")),
            3 => proptest::sample::select(texts.to_vec()).prop_map(str::to_owned),
            1 => any::<String>(),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        #[test]
        fn whatever_comes_is_clean_and_stays_as_it_is(pieces in proptest::collection::vec(piece(), 0..40)) {
            let raw = pieces.concat();
            let found = html(&raw);
            prop_assert_eq!(wrong(&found), None, "of {:?}: {}", raw, found);
            prop_assert_eq!(html(&found), found, "cleaned again, of {:?}", raw);
        }
    }
}
