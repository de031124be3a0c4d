//! Addresses: absolute and the publisher's own for print, canonical for identity.

use super::rules;
use crate::model::item::Raw;
use std::borrow::Cow;
use std::fmt::Write as _;
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

    /// The address of a page as it is printed: absolute, the publisher's own, without what follows readers.
    pub(super) fn page(&self, address: &str) -> Option<String> {
        self.url(address).map(|url| String::from(printed(url)))
    }

    fn url(&self, address: &str) -> Option<Url> {
        let address = whole(address.trim());
        if address.is_empty() {
            return None;
        }
        let url = match &self.0 {
            Some(base) => base.join(&address).ok()?,
            None => Url::parse(&address).ok()?,
        };
        (matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())).then_some(url)
    }
}

/// Slips of those who write addresses: no scheme before `www.`, or two of them.
fn whole(address: &str) -> Cow<'_, str> {
    let lower = |length: usize| address.get(..length).unwrap_or_default().to_ascii_lowercase();
    if lower(4) == "www." {
        return Cow::Owned(format!("//{address}"));
    }
    for scheme in ["http://", "https://"] {
        if lower(scheme.len()) == scheme
            && let Some(rest) = address.get(scheme.len()..)
            && (rest.starts_with("http://") || rest.starts_with("https://"))
        {
            return Cow::Borrowed(rest);
        }
    }
    Cow::Borrowed(address)
}

/// Link of an item: its own, else its guid where that is an address or a path.
pub(super) fn of(raw: &Raw, bases: &Bases) -> Option<Url> {
    let page = |address: &str| bases.url(address).map(printed);
    let own = raw.link.as_deref().and_then(page);
    own.or_else(|| {
        let guid = raw.guid.as_deref()?.trim();
        let scheme = guid.split_once("://").map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
        let path = guid.starts_with('/') && !guid.contains(char::is_whitespace);
        let address = path || matches!(scheme.as_str(), "http" | "https");
        if address { page(guid) } else { None }
    })
}

/// An address without what follows readers: led on to the publisher's own, no tracking parameters, no session. What is
/// left is left as it was written.
fn printed(url: Url) -> Url {
    let mut url = rules::unwrapped(url);
    let host = url.host_str().unwrap_or_default().to_owned();
    if let Some(path) = without_session(url.path()) {
        url.set_path(&path);
    }
    if let Some(query) = url.query().map(str::to_owned) {
        let kept: Vec<&str> = query.split('&').filter(|pair| rules::is_printed(&host, pair)).collect();
        let kept = kept.join("&");
        if kept.len() < query.len() {
            url.set_query(Some(kept.as_str()).filter(|kept| !kept.is_empty()));
        }
    }
    if let Some(fragment) = url.fragment().map(str::to_owned) {
        // Parameters that were moved behind the `#`; the rest leads to a place in the page.
        let tracks = fragment.split('&').all(|pair| !rules::is_printed(&host, pair)) || fragment == "rss";
        if tracks {
            url.set_fragment(None);
        }
    }
    url
}

/// A path without the id of a session, if it has one: `;jsessionid=…` (Java Servlet 7.1.3), `(S(…))` (ASP.NET).
fn without_session(path: &str) -> Option<String> {
    if !path.contains([';', '(']) {
        return None;
    }
    let lower = path.to_ascii_lowercase();
    let parameter = [";jsessionid=", ";phpsessid=", ";sid=", ";sessionid="].iter().find_map(|name| lower.find(name));
    if let Some(at) = parameter {
        let end = path[at..].find('/').map_or(path.len(), |end| at + end);
        return Some(format!("{}{}", &path[..at], &path[end..]));
    }
    let at = lower.find("/(s(")?;
    let end = at + lower[at..].find("))/")?;
    let id = &path[at + 4..end];
    id.bytes().all(|b| b.is_ascii_alphanumeric()).then(|| format!("{}{}", &path[..at], &path[end + 2..]))
}

/// First labels of hosts that serve the same articles in another layout.
const LAYOUTS: [&str; 9] = ["www.", "m.", "wap.", "3g.", "mobile.", "h5.", "touch.", "amp.", "mobi."];

/// First folders that hold the same articles in another layout, if what follows has a number.
const FOLDERS: [&str; 4] = ["/amp/", "/wap/", "/mobile/", "/h5/"];

/// Files that a server gives for the folder they stand in.
const INDEX: [&str; 10] = [
    "/index.html",
    "/index.htm",
    "/index.shtml",
    "/index.jhtml",
    "/index.php",
    "/index.asp",
    "/index.aspx",
    "/index.jsp",
    "/default.htm",
    "/default.aspx",
];

/// The form in which two addresses of one article are equal. Evidence of identity, never printed.
///
/// No scheme, no user, no `www.` or `m.`, no default port; host in lower case and Punycode; the path percent-encoded as
/// RFC 3986 (6.2.2) has it, without doubled or final slashes, the file of a folder, a session's id or the mark of an AMP twin;
/// of the query only what tells articles apart (`rules.txt`), sorted; no fragment but `#!` and `#/` routes.
#[must_use]
pub fn canonical(address: &str) -> String {
    match Url::parse(address.trim()) {
        Ok(url) => canonical_of(url),
        Err(_) => address.trim().to_owned(),
    }
}

/// [`canonical`] of an address that was parsed.
pub(super) fn canonical_of(url: Url) -> String {
    if url.cannot_be_a_base() {
        return url.into();
    }
    let url = rules::unwrapped(url);
    let mut host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let whole_host = host;
    while let Some(rest) = LAYOUTS.iter().find_map(|layout| host.strip_prefix(layout)).filter(|rest| rest.contains('.'))
    {
        host = rest;
    }
    let mut out = String::with_capacity(url.as_str().len());
    out.push_str(host);
    if let Some(port) = url.port().filter(|port| !matches!(port, 80 | 443)) {
        // Writing to a String cannot fail.
        let _ = write!(out, ":{port}");
    }
    let counted = url.query().unwrap_or_default().split('&').map(|pair| pair.trim_end_matches('='));
    let counted = counted.filter(|pair| !pair.is_empty());
    let counted = counted.filter(|pair| rules::is_counted(whole_host, pair));
    let mut counted: Vec<String> = counted.map(|pair| encoded(&pair.replace('+', "%20"))).collect();
    out.push_str(&path(url.path(), url.query().is_none() || counted.is_empty()));
    counted.sort();
    for (i, pair) in counted.iter().enumerate() {
        out.push(if i == 0 { '?' } else { '&' });
        out.push_str(pair);
    }
    if let Some(route) = url.fragment().filter(|fragment| fragment.starts_with(['!', '/'])) {
        out.push('#');
        out.push_str(route);
    }
    out
}

/// The path in its canonical form.
fn path(written: &str, alone: bool) -> String {
    let mut path = encoded(&without_session(written).unwrap_or_else(|| written.to_owned()));
    // An address inside the path has two slashes of its own.
    while path.contains("//") && !path.contains(":/") {
        path = path.replace("//", "/");
    }
    for folder in FOLDERS {
        if let Some(rest) = path.strip_prefix(folder).filter(|rest| rest.bytes().any(|b| b.is_ascii_digit())) {
            path = format!("/{rest}");
            break;
        }
    }
    let mut path = path.trim_end_matches('/');
    path = path.strip_suffix("/amp").filter(|rest| !rest.is_empty()).unwrap_or(path);
    let amp = path.strip_suffix(".amp.html").map(|rest| format!("{rest}.html"));
    let amp = amp.or_else(|| path.strip_suffix(".amp").map(str::to_owned));
    let path = amp.as_deref().unwrap_or(path);
    // With a query an index is a program, and the query names the article.
    let folder = INDEX.iter().filter(|_| alone).find_map(|index| {
        let at = path.len().checked_sub(index.len())?;
        path.get(at..).filter(|end| end.eq_ignore_ascii_case(index)).map(|_| &path[..at])
    });
    let path = folder.unwrap_or(path);
    // Behind what stood at the end more may stand, and what looked like an address inside the path may have gone with it.
    let slashes = path.ends_with('/') || (path.contains("//") && !path.contains(":/"));
    if slashes { self::path(path, alone) } else { path.to_owned() }
}

/// Percent-encoding in its normal form (RFC 3986 6.2.2.1 and 2): capital digits, and none for what needs none.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let digits = rest.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some((digits, byte)) = digits.and_then(|digits| Some((digits, u8::from_str_radix(digits, 16).ok()?)))
        else {
            out.push('%');
            rest = &rest[at + 1..];
            continue;
        };
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&digits.to_ascii_uppercase());
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of addresses: those of one group are one article, those of two groups are two.
    const ADDRESSES: &str = include_str!("../../tests/links/identity.txt");

    /// Addresses as sources write them, and as they are printed.
    const PRINTED: &str = include_str!("../../tests/links/printed.txt");

    #[test]
    fn addresses_of_one_article_are_equal_and_those_of_two_are_not() {
        let mut wrong = Vec::new();
        let mut known: Vec<(String, &str)> = Vec::new();
        for group in ADDRESSES.split("\n\n") {
            let addresses: Vec<&str> =
                group.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
            let Some((first, rest)) = addresses.split_first() else { continue };
            let form = canonical(first);
            for other in rest {
                if canonical(other) != form {
                    wrong.push(format!("{other}: {} is not {form}", canonical(other)));
                }
            }
            if let Some((_, twin)) = known.iter().find(|(one, _)| *one == form) {
                wrong.push(format!("{first} and {twin} are two articles, not {form}"));
            }
            known.push((form, first));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(known.len() > 30, "{}", known.len());
    }

    #[test]
    fn a_canonical_form_stays_what_it_is() {
        for line in ADDRESSES.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let form = canonical(line);
            assert_eq!(canonical(&format!("http://{form}")), form, "{line}");
        }
    }

    #[test]
    fn what_is_printed_is_the_publishers_own() {
        for line in PRINTED.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (written, expected) = line.split_once(" -> ").expect(line);
            let bases = Bases::new(Some("/sub/"), "https://news.example/feeds/one.xml");
            let found = bases.page(written);
            assert_eq!(found.as_deref().unwrap_or("nothing"), expected, "{written}");
            if let Some(found) = found {
                assert_eq!(bases.page(&found).as_ref(), Some(&found), "printed again: {written}");
            }
        }
    }

    #[test]
    fn bases_may_be_relative_too() {
        for (base, document, expected) in [
            (Some("sub/"), "https://news.example/feeds/one.xml", "https://news.example/feeds/sub/1.html"),
            (Some("//cdn.example/a/"), "https://news.example/feeds/one.xml", "https://cdn.example/a/1.html"),
            (Some("file:///etc/"), "https://news.example/feeds/one.xml", "https://news.example/feeds/1.html"),
            (Some("javascript:x"), "https://news.example/feeds/one.xml", "https://news.example/feeds/1.html"),
            (None, "https://news.example/feeds/", "https://news.example/feeds/1.html"),
        ] {
            assert_eq!(Bases::new(base, document).absolute("1.html").as_deref(), Some(expected), "{base:?}");
        }
    }

    #[test]
    fn what_is_empty_in_a_query_is_no_part_of_the_form() {
        for (address, form) in [
            ("https://www.a.example/?=#", "a.example"),
            ("https://www.a.example/?a==&=&b=", "a.example?a&b"),
            ("https://www.a.example/?a=%3D", "a.example?a=%3D"),
        ] {
            assert_eq!(canonical(address), form, "{address}");
            assert_eq!(canonical(&format!("http://{form}")), form, "{address}");
        }
    }

    #[test]
    fn a_form_of_a_form_is_the_same() {
        for (address, form) in [
            ("https://www.a.example//:/index.html", "a.example/:"),
            ("https://www.a.example//amp/1:/index.html", "a.example/1:"),
            ("https://www.a.example/://amp", "a.example/:"),
            ("https://www.a.example/x//http://b.example/1", "a.example/x//http://b.example/1"),
        ] {
            assert_eq!(canonical(address), form, "{address}");
            assert_eq!(canonical(&format!("http://{form}")), form, "{address}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]
        #[test]
        fn any_address_has_one_form_and_is_printed_once(
            begin in proptest::sample::select(vec!["https://www.a.example/", "http://a.example/x;", "//a.example?", "?", "", "/amp/1"]),
            middle in ".{0,12}",
            end in proptest::sample::select(vec!["", "/amp", "?utm_source=1", "#utm_source=1", "/(s(a))/", ";jsessionid=1", "%e8%41", "/index.html"]),
        ) {
            let written = format!("{begin}{middle}{end}");
            let bases = Bases::new(None, "https://news.example/feeds/one.xml");
            if let Some(page) = bases.page(&written) {
                proptest::prop_assert_eq!(bases.page(&page), Some(page.clone()), "printed again: {}", written);
                let form = canonical(&page);
                proptest::prop_assert_eq!(canonical(&format!("http://{form}")), form, "of {}", page);
            }
            let _ = canonical(&written);
        }
    }
}
