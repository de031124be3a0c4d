//! List pages: items by selectors, by a pattern of their links, or by a guess at the largest group of similar links.

use super::{ParseError, dates};
use crate::model::item::{Document, Raw, Stamp};
use crate::model::markup::{self, Bounds};
use crate::model::source::ListPattern;
use crate::model::time::Time;
use chrono_tz::Tz;
use dom_query::{Matcher, NodeRef, Selection};
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;
use std::collections::BTreeMap;
use url::Url;

/// Shortest text of a link that can be a headline, in characters: shorter ones are 更多, a page number, a column's name.
pub(super) const SHORTEST_HEADLINE: usize = 4;

/// So many characters of a link's text count nothing in the guess: navigation has many links and short texts.
pub(super) const NAVIGATION: usize = 6;

/// Fewest links that make a group worth guessing at.
const SMALLEST_GROUP: usize = 3;

/// Most items of one page.
const ITEMS: usize = 1_000;

/// Largest compiled link pattern, in bytes: matching stays linear, compiling must too.
const PATTERN: usize = 1 << 20;

/// A CSS selector, perhaps with the attribute that is wanted instead of the text: `sel`, `sel@attribute`, `@attribute`.
pub(super) struct Selector {
    matcher: Option<Matcher>,
    attribute: Option<String>,
}

impl Selector {
    /// Checks and compiles; the error says what is wrong with it.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        // An attribute at the end; an `@` elsewhere is part of a value.
        let (selector, attribute) = match text.rsplit_once('@') {
            Some((selector, attribute))
                if !attribute.is_empty()
                    && attribute.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:".contains(&b)) =>
            {
                (selector.trim(), Some(attribute.to_ascii_lowercase()))
            }
            _ => (text.trim(), None),
        };
        if selector.is_empty() {
            return match attribute {
                Some(_) => Ok(Self { matcher: None, attribute }),
                None => Err("the selector is empty".to_owned()),
            };
        }
        let matcher = Matcher::new(selector).map_err(|_| format!("`{selector}` is no CSS selector"))?;
        Ok(Self { matcher: Some(matcher), attribute })
    }

    /// The first match inside an element, or the element itself.
    fn find<'a>(&self, element: &NodeRef<'a>) -> Option<NodeRef<'a>> {
        match &self.matcher {
            None => Some(*element),
            Some(matcher) => Selection::from(*element).select_single_matcher(matcher).nodes().first().copied(),
        }
    }

    /// See `find`.
    pub(super) fn first<'a>(&self, element: &NodeRef<'a>) -> Option<NodeRef<'a>> {
        self.find(element)
    }

    /// Every match on a page, in document order.
    pub(super) fn all<'a>(&self, page: &'a dom_query::Document) -> Vec<NodeRef<'a>> {
        self.matcher.as_ref().map(|matcher| page.select_matcher(matcher).nodes().to_vec()).unwrap_or_default()
    }

    /// The attribute that is wanted instead of the text.
    pub(super) fn attribute(&self) -> Option<&str> {
        self.attribute.as_deref()
    }

    /// The text or attribute of an element that it found.
    pub(super) fn value(&self, node: &NodeRef<'_>) -> Option<String> {
        match &self.attribute {
            Some(attribute) => node.attr(attribute).map(|value| single(&value)),
            None => some(&single(&node.text())),
        }
    }

    /// The text or attribute of the first match.
    fn text(&self, element: &NodeRef<'_>) -> Option<String> {
        let node = self.find(element)?;
        let text = match &self.attribute {
            Some(attribute) => node.attr(attribute)?.to_string(),
            None => headline(&node),
        };
        some(&text)
    }
}

/// Checks and compiles a link pattern.
pub(super) fn link_pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(PATTERN).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        // The library draws a picture of several lines; its last line says what is wrong.
        other => {
            let text = other.to_string();
            text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned()
        }
    })
}

/// Reads a page.
pub(super) fn read(
    html: &str,
    list: &[ListPattern],
    links: Option<&str>,
    url: &str,
    zone: Tz,
    at: Time,
) -> Result<Document, ParseError> {
    // Compiled before the page is looked at, so that a wrong selector is told whatever the page holds.
    let patterns = list.iter().map(Compiled::new).collect::<Result<Vec<_>, _>>().map_err(ParseError::Pattern)?;
    let regex = links.map(link_pattern).transpose().map_err(ParseError::Pattern)?;
    let bounded = markup::bounded(&with_records(html), Bounds::PAGE, &mut |_| true);
    let mut document = Document { format: "list page".to_owned(), complaints: bounded.hits, ..Document::default() };
    let page = dom_query::Document::from(bounded.html);
    let here = Url::parse(url).ok();
    let base = page.base_uri().and_then(|href| match &here {
        Some(here) => here.join(href.trim()).ok(),
        None => Url::parse(href.trim()).ok(),
    });
    let reading = Reading { base: base.or(here), zone, at };
    document.title =
        page.select_single("title").nodes().first().map(|title| single(&title.text())).and_then(|t| some(&t));
    document.language = page.select_single("html").attr("lang").and_then(|lang| some(&lang));
    document.link = Some(url.to_owned());
    document.image =
        page.select_single("link[rel~=icon]").attr("href").and_then(|href| reading.absolute(&href)).map(String::from);
    let mut found = Vec::new();
    let mut places = BTreeMap::new();
    let mut idle: Vec<String> = Vec::new();
    // Whether the pattern at hand, or one of its preset before it, found anything.
    let mut fits = false;
    for (i, (pattern, written)) in patterns.iter().zip(list).enumerate() {
        fits &= written.fallback;
        if fits {
            continue;
        }
        fits = reading.by_selectors(&page, pattern, &mut found, &mut places);
        if !fits && list.get(i + 1).is_none_or(|next| !next.fallback) {
            idle.push(format!("`{}`", written.item));
        }
    }
    if !found.is_empty() && !idle.is_empty() {
        document.complaints.push(format!("no item on the page fits {}", idle.join(", ")));
    }
    if found.is_empty()
        && let Some(regex) = &regex
    {
        if !patterns.is_empty() {
            document.complaints.push("no list pattern found anything: read by the link pattern".to_owned());
        }
        found = reading.by_links(&page, |address| regex.is_match(address).then(|| reading.date_of(regex, address)));
    }
    if patterns.is_empty() && regex.is_none() {
        found = reading.by_guess(&page);
        "list page (guessed)".clone_into(&mut document.format);
        if found.is_empty() {
            found = reading.by_state(html);
        }
        if found.is_empty() {
            found = reading.by_headings(&page);
        }
    }
    if found.is_empty() {
        document.complaints.push(if patterns.is_empty() && regex.is_none() {
            "no group of similar links was found: give `list` or `links`".to_owned()
        } else {
            "nothing on the page fits the patterns of the source".to_owned()
        });
    }
    document.next = reading.next(&page, url).or_else(|| scripted_next(html, url));
    if found.len() > ITEMS {
        found.truncate(ITEMS);
        document.complaints.push(format!("more than {ITEMS} items: the rest was not read"));
    }
    document.items = found;
    super::gather(&mut document.complaints);
    Ok(document)
}

/// The next page where a script draws the links to it: `createPageHTML(50, 0, "index", "html")`, as one site builder for
/// governments writes it: how many pages, the number of this one from 0, name and extension; the pages behind the first are
/// `index_1.html`, `index_2.html` and so on.
fn scripted_next(html: &str, url: &str) -> Option<String> {
    let (_, call) = html.split_once("createPageHTML(").filter(|(before, _)| !before.ends_with("function "))?;
    let arguments: Vec<&str> =
        call.split_once(')')?.0.split(',').map(|part| part.trim().trim_matches(['"', '\''])).collect();
    let numbers: Vec<u32> = arguments.iter().filter_map(|part| part.parse().ok()).collect();
    let words: Vec<&str> = arguments.into_iter().filter(|part| part.parse::<u32>().is_err()).collect();
    let ([.., count, now], [.., name, extension]) = (numbers.as_slice(), words.as_slice()) else { return None };
    let plain = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if now + 1 >= *count || !plain(name) || !plain(extension) {
        return None;
    }
    Url::parse(url).ok()?.join(&format!("{name}_{}.{extension}", now + 1)).ok().map(String::from)
}

/// A page that keeps its list in a script, as records of HTML (`<datastore>…<record><![CDATA[…]]></record>`, for its own
/// paging by JavaScript): with the records as part of the page.
fn with_records(html: &str) -> Cow<'_, str> {
    if !html.contains("<datastore") && !html.contains("<recordset") {
        return Cow::Borrowed(html);
    }
    let mut records = String::new();
    let mut rest = html;
    while let Some((_, behind)) = rest.split_once("<record>") {
        let (record, behind) = behind.split_once("</record>").unwrap_or((behind, ""));
        let record = record.trim();
        let inner = record.strip_prefix("<![CDATA[").map_or(record, |inner| inner.trim_end_matches("]]>"));
        records.push_str(inner);
        records.push('\n');
        rest = behind;
    }
    Cow::Owned(format!("{html}\n<ul class=\"datastore\">{records}</ul>"))
}

/// Texts of the link to the next page of a list.
pub(super) const NEXT: [&str; 12] = [
    "下一页",
    "下页",
    "后一页",
    "下一頁",
    "下頁",
    "下一页>",
    "下一页»",
    "next",
    "next page",
    "next »",
    "older posts",
    "次へ",
];

struct Compiled {
    item: Selector,
    title: Option<Selector>,
    link: Option<Selector>,
    date: Option<Selector>,
    credit: Option<Selector>,
    summary: Option<Selector>,
}

impl Compiled {
    fn new(pattern: &ListPattern) -> Result<Self, String> {
        let optional = |text: &Option<String>| text.as_deref().map(Selector::new).transpose();
        Ok(Self {
            item: Selector::new(&pattern.item)?,
            title: optional(&pattern.title)?,
            link: optional(&pattern.link)?,
            date: optional(&pattern.date)?,
            credit: optional(&pattern.credit)?,
            summary: optional(&pattern.summary)?,
        })
    }
}

struct Reading {
    base: Option<Url>,
    zone: Tz,
    at: Time,
}

/// A page at hand, to be tried with patterns that nobody wrote yet.
pub(super) struct Page {
    /// Its tree.
    pub document: dom_query::Document,
    reading: Reading,
}

impl Page {
    /// Of bounded HTML.
    pub(super) fn new(html: &str, url: &str, zone: Tz, at: Time) -> Self {
        let document = dom_query::Document::from(html);
        let here = Url::parse(url).ok();
        let base = document.base_uri().and_then(|href| here.as_ref()?.join(href.trim()).ok());
        Self { document, reading: Reading { base: base.or(here), zone, at } }
    }

    /// See [`Reading::absolute`].
    pub(super) fn absolute(&self, href: &str) -> Option<Url> {
        self.reading.absolute(href)
    }

    /// Its title.
    pub(super) fn title(&self) -> Option<String> {
        self.document.select_single("title").nodes().first().and_then(|title| some(&single(&title.text())))
    }

    /// A meta tag by its name or property, in any case.
    pub(super) fn meta(&self, name: &str) -> Option<String> {
        let metas = self.document.select("meta[content]");
        let meta = metas.nodes().iter().find(|meta| {
            ["name", "property"].iter().any(|key| meta.attr(key).is_some_and(|known| known.eq_ignore_ascii_case(name)))
        })?;
        meta.attr("content").and_then(|content| some(&single(&content)))
    }

    /// Whether a short text is a date.
    pub(super) fn is_date(&self, text: &str) -> bool {
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let told = digits >= 3 || ["天", "前", "昨", "ago"].iter().any(|word| text.contains(word));
        told && dates::read(text, self.reading.zone, self.reading.at).is_some()
    }

    /// What a pattern finds.
    pub(super) fn by_pattern(&self, pattern: &ListPattern) -> Result<Vec<Raw>, String> {
        let mut items = Vec::new();
        self.reading.by_selectors(&self.document, &Compiled::new(pattern)?, &mut items, &mut BTreeMap::new());
        Ok(items)
    }

    /// What a pattern of addresses finds.
    pub(super) fn by_address(&self, pattern: &str) -> Result<Vec<Raw>, String> {
        let regex = link_pattern(pattern)?;
        let wanted = |address: &str| regex.is_match(address).then(|| self.reading.date_of(&regex, address));
        Ok(self.reading.by_links(&self.document, wanted))
    }
}

impl Reading {
    /// An address as the page means it; `None` for what leads to no article.
    fn absolute(&self, href: &str) -> Option<Url> {
        let href: String = href.trim().chars().filter(|c| !matches!(c, '\n' | '\r' | '\t')).collect();
        if href.is_empty() || href.starts_with('#') {
            return None;
        }
        let mut url = match &self.base {
            Some(base) => base.join(&href).ok()?,
            None => Url::parse(&href).ok()?,
        };
        if !matches!(url.scheme(), "http" | "https") {
            return None; // javascript, mailto, tel
        }
        if !url.fragment().is_some_and(|fragment| fragment.starts_with('!') || fragment.starts_with('/')) {
            url.set_fragment(None);
        }
        Some(url)
    }

    /// The page that follows this one in a list: `rel=next`, or a link that is called so, on the same host.
    fn next(&self, page: &dom_query::Document, url: &str) -> Option<String> {
        let here = Url::parse(url).ok()?;
        let stated = page.select("link[rel~=next], a[rel~=next]");
        let named = page.select("a[href]");
        let named = named.nodes().iter().filter(|anchor| {
            let text = single(&anchor.text()).to_lowercase();
            text.chars().count() <= 20 && NEXT.contains(&text.trim_matches(|c: char| "[]<>›»→ ".contains(c)))
        });
        let stated = stated.nodes().iter().chain(named).find_map(|anchor| {
            let next = self.absolute(&anchor.attr("href")?)?;
            (next.host_str() == here.host_str() && next.as_str() != here.as_str()).then_some(next)
        });
        stated.or_else(|| self.numbered(page, &here)).map(String::from)
    }

    /// The next page by its number: among links that are called by the numbers of pages, the one behind this page's.
    fn numbered(&self, page: &dom_query::Document, here: &Url) -> Option<Url> {
        let number = |anchor: &NodeRef<'_>| {
            let text = single(&anchor.text());
            let text = text.trim_matches(|c: char| "[]<>‹› 第页".contains(c)).to_owned();
            (text.len() <= 3).then(|| text.parse::<u32>().ok()).flatten()
        };
        let mut pages: BTreeMap<u32, Url> = BTreeMap::new();
        for anchor in page.select("a[href]").nodes() {
            if let Some(number) = number(anchor)
                && let Some(url) = anchor.attr("href").and_then(|href| self.absolute(&href))
                && url.host_str() == here.host_str()
            {
                pages.entry(number).or_insert(url);
            }
        }
        let now = pages.iter().find(|(_, url)| url.as_str() == here.as_str()).map_or(1, |(number, _)| *number);
        // A single number is a day, a rank, an edition.
        let run = pages.contains_key(&(now + 2)) || (now > 1 && pages.contains_key(&(now - 1)));
        pages.remove(&(now + 1)).filter(|url| run && url.as_str() != here.as_str())
    }

    /// Adds what a pattern finds; whether it found anything, even if it was there already.
    fn by_selectors(
        &self,
        page: &dom_query::Document,
        pattern: &Compiled,
        items: &mut Vec<Raw>,
        places: &mut BTreeMap<String, usize>,
    ) -> bool {
        let Some(matcher) = &pattern.item.matcher else { return false };
        let mut met = false;
        for element in &page.select_matcher(matcher) {
            let Some(element) = element.nodes().first().copied() else { continue };
            let anchor = match &pattern.link {
                Some(link) => link.find(&element),
                None if element.has_name("a") => Some(element),
                None => first_link(&element),
            };
            let attribute = pattern.link.as_ref().and_then(|link| link.attribute.as_deref()).unwrap_or("href");
            let href = anchor.as_ref().and_then(|a| a.attr(attribute));
            let link = href.as_ref().and_then(|href| self.absolute(href));
            if href.is_some() && link.is_none() {
                continue; // it leads to no article: a script, a mail address
            }
            let title = match &pattern.title {
                Some(title) => title.text(&element).map(|text| whole(&text, anchor.as_ref())),
                None => anchor.as_ref().map(headline).and_then(|t| some(&t)),
            };
            let Some(title) = title.filter(|title| title.chars().count() >= SHORTEST_HEADLINE) else { continue };
            let date = pattern.date.as_ref().and_then(|date| date.text(&element));
            let raw = Raw {
                link: link.map(String::from),
                title: Some(markup::escape(&title)),
                published: date.map(|raw| Stamp { claim: dates::read(&raw, self.zone, self.at), raw }),
                credit: pattern.credit.as_ref().and_then(|credit| credit.text(&element)),
                summary: pattern
                    .summary
                    .as_ref()
                    .and_then(|summary| summary.text(&element))
                    .map(|s| markup::escape(&s)),
                ..Raw::default()
            };
            // The same article twice (a picture and a headline): one item, with what each of them has.
            add(raw, items, places);
            met = true;
        }
        met
    }

    /// Every link whose address is wanted; `wanted` answers with the date that the address tells, if any.
    fn by_links(&self, page: &dom_query::Document, wanted: impl Fn(&str) -> Option<Option<Stamp>>) -> Vec<Raw> {
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut items: Vec<Raw> = Vec::new();
        for anchor in page.select("a[href]").nodes() {
            let Some(url) = anchor.attr("href").and_then(|href| self.absolute(&href)) else { continue };
            let Some(date) = wanted(url.as_str()) else { continue };
            let title = headline(anchor);
            if title.chars().count() < SHORTEST_HEADLINE {
                continue;
            }
            let raw = Raw {
                link: Some(url.into()),
                title: Some(markup::escape(&title)),
                published: date.or_else(|| self.date_beside(anchor)),
                ..Raw::default()
            };
            add(raw, &mut items, &mut places);
        }
        items
    }

    /// The date in the groups `y`, `m`, `d` of a link pattern.
    fn date_of(&self, regex: &Regex, address: &str) -> Option<Stamp> {
        let groups = regex.captures(address)?;
        let number = |name| groups.name(name).and_then(|group| group.as_str().parse::<u32>().ok());
        let year = number("y")?;
        let year = i32::try_from(if year < 100 { 2000 + year } else { year }).ok()?;
        let (month, day) = (number("m")?, number("d")?);
        let claim = dates::of_day(year, month, day, self.zone, "from the address, day only")?;
        Some(Stamp { raw: format!("{year:04}-{month:02}-{day:02}"), claim: Some(claim) })
    }

    /// A date that stands in the same list entry as a link.
    fn date_beside(&self, anchor: &NodeRef<'_>) -> Option<Stamp> {
        let entry = anchor
            .ancestors_it(Some(3))
            .find(|node| node.has_name("li") || node.has_name("tr") || node.has_name("dd"))?;
        entry.descendants_it().filter(|node| matches_date_element(node)).find_map(|node| {
            let raw = some(&single(&node.text()))?;
            let claim = dates::read(&raw, self.zone, self.at).filter(|_| raw.chars().count() <= 40)?;
            Some(Stamp { raw, claim: Some(claim) })
        })
    }

    /// The items that the page keeps as data in a script.
    fn by_state(&self, html: &str) -> Vec<Raw> {
        let (mut places, mut items) = (BTreeMap::new(), Vec::new());
        for mut raw in super::state::lists(html, self.zone, self.at) {
            raw.link = raw.link.as_deref().and_then(|link| self.absolute(link)).map(String::from);
            if raw.link.is_some() {
                add(raw, &mut items, &mut places);
            }
        }
        items
    }

    /// Links in the headings of a page with few articles.
    fn by_headings(&self, page: &dom_query::Document) -> Vec<Raw> {
        let (mut places, mut items) = (BTreeMap::new(), Vec::new());
        for anchor in page
            .select("article h1 a[href], article h2 a[href], article h3 a[href], main h2 a[href], main h3 a[href]")
            .nodes()
        {
            let Some(url) = anchor.attr("href").and_then(|href| self.absolute(&href)) else { continue };
            let title = headline(anchor);
            if title.chars().count() >= SHORTEST_HEADLINE && url.path().len() > 1 {
                let raw = Raw { link: Some(url.into()), title: Some(markup::escape(&title)), ..Raw::default() };
                add(raw, &mut items, &mut places);
            }
        }
        items
    }

    /// The group of links that look most like a list of articles: same place in the page, same shape of address.
    fn by_guess(&self, page: &dom_query::Document) -> Vec<Raw> {
        let mut groups: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for anchor in page.select("a[href]").nodes() {
            let Some(url) = anchor.attr("href").and_then(|href| self.absolute(&href)) else { continue };
            let length = headline(anchor).chars().count();
            if length < SHORTEST_HEADLINE || !url.path().bytes().any(|b| b.is_ascii_digit()) {
                continue;
            }
            let length = length.min(40).saturating_sub(NAVIGATION);
            let known = seen.entry(url.to_string()).or_default();
            if *known >= length {
                continue;
            }
            let group = groups.entry(shape(&url)).or_default();
            group.0 += usize::from(*known == 0); // an address counts once, with its longest text
            group.1 += length - *known;
            *known = length;
        }
        // The weight of a group is the text of its headlines beyond what a name of a column has.
        let best =
            groups.into_iter().filter(|(_, (links, _))| *links >= SMALLEST_GROUP).max_by_key(|(_, (_, text))| *text);
        let Some((best, _)) = best else { return Vec::new() };
        self.by_links(page, |address| (shape(&Url::parse(address).ok()?) == best).then_some(None))
    }
}

/// Adds an item, or to the item that is the same article what this mention of it has.
fn add(raw: Raw, items: &mut Vec<Raw>, places: &mut BTreeMap<String, usize>) {
    let Some(link) = raw.link.as_deref().map(one) else {
        items.push(raw);
        return;
    };
    if let Some(known) = places.get(&link).and_then(|place| items.get_mut(*place)) {
        complete(known, raw);
    } else {
        places.insert(link, items.len());
        items.push(raw);
    }
}

/// One form for the addresses by which a page links an article twice: http and https, with and without `www.` or `m.`, a
/// slash at the end, a parameter that says from where.
fn one(link: &str) -> String {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (mut host, rest) = rest.split_at(host);
    for layout in ["www.", "m.", "wap.", "3g.", "mobile."] {
        host = host.strip_prefix(layout).filter(|host| host.contains('.')).unwrap_or(host);
    }
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let from = |pair: &&str| {
        !pair.is_empty() && !["from=", "spm=", "utm_", "ref="].iter().any(|begin| pair.starts_with(begin))
    };
    let query: Vec<&str> = query.split('&').filter(from).collect();
    format!("{host}{}?{}", path.trim_end_matches('/'), query.join("&"))
}

/// Adds to an item what another mention of it has.
fn complete(known: &mut Raw, other: Raw) {
    let length = |raw: &Raw| raw.title.as_ref().map_or(0, |title| title.chars().count());
    if length(&other) > length(known) {
        known.title = other.title;
    }
    known.published = known.published.take().or(other.published);
    known.credit = known.credit.take().or(other.credit);
    known.summary = known.summary.take().or(other.summary);
}

/// The shape of an address: host, and path with every run of digits as `0`, of hexadecimal digits as `x`, and without its
/// last words.
fn shape(url: &Url) -> String {
    let mut shape = url.host_str().unwrap_or_default().trim_start_matches("www.").to_owned();
    let segments: Vec<&str> = url.path().split('/').filter(|segment| !segment.is_empty()).collect();
    for (i, segment) in segments.iter().enumerate() {
        shape.push('/');
        let last = i + 1 == segments.len();
        let hex =
            segment.len() >= 16 && segment.bytes().filter(u8::is_ascii_hexdigit).count() * 10 >= segment.len() * 7;
        let digits = segment.bytes().filter(u8::is_ascii_digit).count();
        if hex || (last && digits >= 3) {
            shape.push('x');
        } else if digits > 0 {
            let mut number = false;
            for c in segment.chars() {
                if !c.is_ascii_digit() {
                    shape.push(c);
                } else if !number {
                    shape.push('0');
                }
                number = c.is_ascii_digit();
            }
        } else {
            shape.push_str(segment);
        }
    }
    if let Some((key, _)) = url.query().and_then(|query| query.split_once('=')) {
        shape.push('?');
        shape.push_str(key);
    }
    shape
}

fn matches_date_element(node: &NodeRef<'_>) -> bool {
    ["span", "em", "i", "time", "td", "small", "p", "div", "font", "b"].iter().any(|name| node.has_name(name))
}

fn first_link<'a>(element: &NodeRef<'a>) -> Option<NodeRef<'a>> {
    let inside = element.descendants_it().find(|node| node.has_name("a") && node.has_attr("href"));
    inside.or_else(|| element.ancestors_it(Some(3)).find(|node| node.has_name("a")))
}

/// The text of a link as a headline: its text, or its `title` where the text is empty or was cut.
fn headline(node: &NodeRef<'_>) -> String {
    let text = single(&node.text());
    let text = if text.is_empty() { picture_text(node).unwrap_or_default() } else { text };
    whole(&text, Some(node))
}

fn picture_text(node: &NodeRef<'_>) -> Option<String> {
    node.descendants_it().find(|node| node.has_name("img")).and_then(|img| img.attr("alt")).map(|alt| single(&alt))
}

/// A headline that ends in dots was cut to fit its column; the link's `title` has it whole.
fn whole(text: &str, anchor: Option<&NodeRef<'_>>) -> String {
    let cut = text.is_empty() || ["...", "…", "．．．", ".."].iter().any(|end| text.ends_with(end));
    let title = if cut { anchor.and_then(|a| a.attr("title")).map(|title| single(&title)) } else { None };
    title
        .filter(|title| title.chars().count() >= text.trim_end_matches(['.', '…', '．']).chars().count())
        .unwrap_or_else(|| text.to_owned())
}

/// Blanks of every kind as single spaces.
fn single(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
