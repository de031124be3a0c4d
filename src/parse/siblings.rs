//! Lists of articles on a page that nobody described: repeated siblings with links, headlines and dates.
//!
//! Links are grouped by the innermost element that is repeated beside its like. For each group the selectors are written that
//! a person would write, tried on the page, and judged by what they find: the text of the headlines beyond what the name of
//! a column has, and how many have a date. The shape of addresses, with the date in it, is offered beside them.

use super::page::{self, Page};
use crate::model::item::Raw;
use crate::model::source::ListPattern;
use dom_query::{NodeId, NodeRef};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// Fewest items that make a list.
const FEWEST: usize = 3;

/// Most lists that are offered.
const MOST: usize = 3;

/// Most groups that are tried, the largest.
const TRIED: usize = 24;

/// How far above a link its list entry may be.
const CLIMB: usize = 5;

/// How far above an entry something with a name may be.
const REACH: usize = 4;

/// Most entries that are looked at to find where title and date are.
const SAMPLE: usize = 12;

/// Longest text that is a date, in characters.
const DATE: usize = 40;

/// What a date counts in a list, in characters of a headline.
const WORTH: usize = 8;

/// Shortest word of an address that may be a code, in characters.
const CODE: usize = 8;

/// Most letters before a number that are a word of their own (`content77`).
const WORD: usize = 7;

/// Classes that tell entries apart instead of holding them together.
const PASSING: [&str; 16] = [
    "active", "on", "cur", "current", "first", "last", "odd", "even", "hover", "selected", "clear", "clearfix", "cf",
    "fl", "fr", "hide",
];

/// How a list may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// By selectors; `None` if it is by addresses.
    pub list: Option<ListPattern>,
    /// By the shape of addresses: a regular expression, perhaps with the groups `y`, `m`, `d`.
    pub links: Option<String>,
    /// Items it finds on the page.
    pub items: usize,
    /// Of these with a date.
    pub dated: usize,
}

/// The lists of a page, the likeliest first.
pub(super) fn lists(page: &Page) -> Vec<Guess> {
    let mut groups: BTreeMap<String, Vec<NodeRef<'_>>> = BTreeMap::new();
    let mut counts: BTreeMap<(NodeId, String), usize> = BTreeMap::new();
    let anchors: Vec<NodeRef<'_>> = page.document.select("a[href]").nodes().to_vec();
    let articles = |anchor: &NodeRef<'_>| {
        let url = anchor.attr("href").and_then(|href| page.absolute(&href));
        url.is_some_and(|url| url.path().len() > 1 || url.query().is_some())
    };
    let anchors: Vec<NodeRef<'_>> = anchors.into_iter().filter(articles).collect();
    let mut levels: Vec<Vec<(NodeRef<'_>, (NodeId, String))>> = Vec::new();
    let mut seen = BTreeSet::new();
    for anchor in &anchors {
        let mut level = Vec::new();
        for element in std::iter::once(*anchor).chain(anchor.ancestors_it(Some(CLIMB))) {
            let Some(parent) = element.parent() else { break };
            if element.has_name("body") || element.has_name("html") {
                break;
            }
            let key = (index(&parent), described(&element));
            if seen.insert(index(&element)) {
                *counts.entry(key.clone()).or_default() += 1;
            }
            level.push((element, key));
        }
        levels.push(level);
    }
    for level in levels {
        let repeated = level.into_iter().find(|(_, key)| counts.get(key).is_some_and(|count| *count >= FEWEST));
        let Some((element, (_, own))) = repeated else { continue };
        let Some(selector) = placed(&element, &own) else { continue };
        let group = groups.entry(selector).or_default();
        if group.last().is_none_or(|last| index(last) != index(&element)) {
            group.push(element);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().filter(|(_, group)| group.len() >= FEWEST).collect();
    groups.sort_by_key(|(_, group)| Reverse(group.len()));
    groups.truncate(TRIED);
    let mut found: Vec<(usize, Guess, Vec<Raw>)> = Vec::new();
    for (selector, group) in groups {
        let pattern = pattern(page, selector, &group);
        let items = page.by_pattern(&pattern).unwrap_or_default();
        if let Some((weight, dated)) = weighed(&items) {
            found.push((weight, Guess { list: Some(pattern), links: None, items: items.len(), dated }, items));
        }
    }
    if let Some(links) = by_addresses(page, &anchors) {
        let items = page.by_address(&links).unwrap_or_default();
        if let Some((weight, dated)) = weighed(&items) {
            found.push((weight, Guess { list: None, links: Some(links), items: items.len(), dated }, items));
        }
    }
    // What has dates goes before what has none. Addresses know nothing of where a headline ends: their texts count half.
    found.sort_by_key(|(weight, guess, _)| {
        let weight = if guess.list.is_some() { *weight } else { *weight / 2 };
        (guess.dated * 2 < guess.items, Reverse(weight))
    });
    // A list that finds what a better one finds is no other list; a way to read it by address is.
    let mut kept: Vec<(Guess, Vec<Raw>)> = Vec::new();
    for (_, guess, items) in found {
        let same = |(other, known): &(Guess, Vec<Raw>)| {
            let shared = items.iter().filter(|item| known.iter().any(|known| known.link == item.link)).count();
            guess.list.is_some() == other.list.is_some() && 2 * shared > items.len()
        };
        if !kept.iter().any(same) && kept.len() < MOST {
            kept.push((guess, items));
        }
    }
    kept.into_iter().map(|(guess, _)| guess).collect()
}

/// What a list is worth, and how many of its items have a date; `None` if it is no list of articles.
fn weighed(items: &[Raw]) -> Option<(usize, usize)> {
    let dated = items.iter().filter(|raw| raw.published.as_ref().is_some_and(|stamp| stamp.claim.is_some())).count();
    let length = |raw: &Raw| raw.title.as_ref().map_or(0, |title| title.chars().count().min(40));
    let text: usize = items.iter().map(|raw| length(raw).saturating_sub(page::NAVIGATION)).sum();
    (items.len() >= FEWEST && (dated * 2 >= items.len() || text >= 3 * items.len()))
        .then_some((text + WORTH * dated, dated))
}

fn index(node: &NodeRef<'_>) -> NodeId {
    node.id
}

/// Name and lasting class of an element, as a selector.
fn described(element: &NodeRef<'_>) -> String {
    let name = element.node_name().map(|name| name.to_string()).unwrap_or_default();
    match class(element) {
        Some(class) => format!("{name}.{class}"),
        None => name,
    }
}

/// The first class that holds elements together.
fn class(element: &NodeRef<'_>) -> Option<String> {
    let classes = element.class()?;
    let lasting =
        |class: &&str| is_name(class) && !PASSING.contains(class) && !class.ends_with(|c: char| c.is_ascii_digit());
    classes.split_whitespace().find(lasting).map(str::to_owned)
}

/// Whether a name can stand in a selector as it is.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The selector of an entry: itself, below the nearest element that has a name.
fn placed(element: &NodeRef<'_>, own: &str) -> Option<String> {
    let mut between = String::new();
    for (i, above) in element.ancestors_it(Some(REACH)).enumerate() {
        let id = above.id_attr().filter(|id| is_name(id) && !id.bytes().any(|b| b.is_ascii_digit()));
        let named = id.map(|id| format!("#{id}")).or_else(|| class(&above).map(|_| described(&above)));
        let Some(named) = named else {
            if above.has_name("body") || above.has_name("html") {
                break;
            }
            if i == 0 {
                between = format!("{} > ", described(&above));
            }
            continue;
        };
        return Some(if i == 0 { format!("{named} > {own}") } else { format!("{named} {between}{own}") });
    }
    // Nothing above has a name: the entry must have one itself, or stand in a list.
    let list = ["ul ", "ol ", "tbody ", "dl "].iter().any(|list| between.starts_with(list));
    (own.contains('.') || list).then(|| format!("{between}{own}"))
}

/// Where in the entries of a group headline and date are.
fn pattern(page: &Page, item: String, group: &[NodeRef<'_>]) -> ListPattern {
    let sample = &group[..group.len().min(SAMPLE)];
    let date = best(sample, dates(page, sample), |entry, selector| {
        let found = entry_text(entry, selector);
        found.is_some_and(|text| page.is_date(&text))
    });
    let link = best(sample, links(sample), |entry, selector| {
        let longest = longest(entry).map(|anchor| index(&anchor));
        entry_first(entry, selector).map(|found| index(&found)) == longest
    });
    let title = best(sample, titles(sample), |entry, selector| entry_text(entry, selector).is_some());
    let title = title.or_else(|| link.clone());
    ListPattern { item, title, link, date, ..ListPattern::default() }
}

/// The first of these selectors that is right for the most entries, and for at least half of them.
fn best(sample: &[NodeRef<'_>], selectors: Vec<String>, right: impl Fn(&NodeRef<'_>, &str) -> bool) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    for selector in selectors {
        let count = sample.iter().filter(|entry| right(entry, &selector)).count();
        if count * 2 >= sample.len() && best.as_ref().is_none_or(|(most, _)| count > *most) {
            best = Some((count, selector));
        }
    }
    best.map(|(_, selector)| selector)
}

fn entry_first<'a>(entry: &NodeRef<'a>, selector: &str) -> Option<NodeRef<'a>> {
    page::Selector::new(selector).ok()?.first(entry)
}

fn entry_text(entry: &NodeRef<'_>, selector: &str) -> Option<String> {
    let text = entry_first(entry, selector)?.text().split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// Selectors that may find the date: of every element whose whole text is one.
fn dates(page: &Page, sample: &[NodeRef<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in sample {
        let leaves = entry.descendants_it().filter(NodeRef::is_element);
        for node in leaves {
            let text = node.text().split_whitespace().collect::<Vec<_>>().join(" ");
            if text.chars().count() > DATE || !page.is_date(&text) {
                continue;
            }
            let own = described(&node);
            let name = node.node_name().map(|name| name.to_string()).unwrap_or_default();
            let parent = node.parent().filter(|parent| index(parent) != index(entry));
            let above = parent.and_then(|parent| class(&parent).map(|_| described(&parent)));
            for selector in
                [Some(own), above.map(|above| format!("{above} {name}")), Some(format!("{name}:last-of-type"))]
            {
                found.extend(selector.filter(|selector| !found.contains(selector)));
            }
        }
    }
    found
}

/// The link of an entry that has the longest text.
fn longest<'a>(entry: &NodeRef<'a>) -> Option<NodeRef<'a>> {
    let anchors = entry.descendants_it().filter(|node| node.has_name("a") && node.has_attr("href"));
    anchors
        .map(|anchor| (anchor.text().trim().chars().count(), anchor))
        .fold(None, |best, (length, anchor)| match best {
            Some((most, _)) if most >= length => best,
            _ => Some((length, anchor)),
        })
        .map(|(_, anchor)| anchor)
}

/// Selectors of the link that carries the headline, where an entry has several.
fn links(sample: &[NodeRef<'_>]) -> Vec<String> {
    let several = |entry: &NodeRef<'_>| {
        entry.descendants_it().filter(|node| node.has_name("a") && node.has_attr("href")).take(2).count() > 1
    };
    if !sample.iter().any(several) {
        return Vec::new();
    }
    let mut found: Vec<String> = Vec::new();
    for anchor in sample.iter().filter_map(longest) {
        let heading = anchor.ancestors_it(Some(2)).find(|node| {
            ["h1", "h2", "h3", "h4", "h5", "h6"].iter().any(|name| node.has_name(name)) || class(node).is_some()
        });
        let heading = heading.map(|node| format!("{} a", described(&node)));
        for selector in [class(&anchor).map(|_| described(&anchor)), heading, Some("a".to_owned())] {
            found.extend(selector.filter(|selector| !found.contains(selector)));
        }
    }
    found
}

/// Selectors of a headline that stands inside a link with other things: a heading, or what calls itself a title.
fn titles(sample: &[NodeRef<'_>]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for entry in sample {
        let anchor = if entry.has_name("a") { Some(*entry) } else { longest(entry) };
        let Some(anchor) = anchor else { continue };
        let whole = anchor.text().split_whitespace().collect::<String>().chars().count();
        for node in anchor.descendants_it().filter(NodeRef::is_element) {
            let text = node.text().split_whitespace().collect::<String>().chars().count();
            let heading = ["h1", "h2", "h3", "h4", "h5", "h6"].iter().any(|name| node.has_name(name));
            let called = class(&node).is_some_and(|class| {
                let class = class.to_ascii_lowercase();
                ["title", "tit", "headline", "bt"].iter().any(|word| class.contains(word))
            });
            let selector = described(&node);
            if (heading || called) && text >= page::SHORTEST_HEADLINE && text < whole && !found.contains(&selector) {
                found.push(selector);
            }
        }
    }
    found
}

/// The shape of the addresses of the most, and most wordy, links, as a regular expression.
fn by_addresses(page: &Page, anchors: &[NodeRef<'_>]) -> Option<String> {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for anchor in anchors {
        let Some(url) = anchor.attr("href").and_then(|href| page.absolute(&href)) else { continue };
        let length = anchor.text().trim().chars().count().min(40);
        if url.query().is_some() || length < page::SHORTEST_HEADLINE {
            continue;
        }
        if let Some(shape) = expression(&url) {
            *groups.entry(shape.clone()).or_default() += length.saturating_sub(page::NAVIGATION);
            *counts.entry(shape).or_default() += 1;
        }
    }
    groups.retain(|shape, _| counts.get(shape).is_some_and(|count| *count >= FEWEST));
    groups.into_iter().max_by_key(|(_, weight)| *weight).map(|(shape, _)| shape)
}

/// The path of an address as a regular expression: a date as `y`, `m`, `d`, other numbers as any number.
fn expression(url: &Url) -> Option<String> {
    let path = url.path();
    if !path.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut out = String::new();
    let mut rest = path;
    let mut dated = false;
    let last = path.rfind('/').unwrap_or_default();
    while !rest.is_empty() {
        if !dated && let Some((length, date)) = date_at(rest) {
            out.push_str(date);
            rest = &rest[length..];
            dated = true;
            continue;
        }
        let run = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        if path.len() - rest.len() > last && is_code(&rest[..run]) {
            out.push_str("\\w+");
            rest = &rest[run..];
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            out.push_str("\\d+");
            rest = &rest[digits..];
            continue;
        }
        // Up to the next digit, or the next word of the last part.
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let word = rest[..end].rfind(|c: char| !c.is_alphanumeric()).map_or(0, |mark| mark + 1);
        let end = if word > 0 && word < end { word } else { end };
        // Outside brackets a hyphen is only a hyphen.
        out.push_str(&regex::escape(&rest[..end]).replace("\\-", "-"));
        rest = &rest[end..];
    }
    Some(format!("{out}$"))
}

/// Whether a word of an address is letters and digits without order, and tells nothing: `iihnzahi2345678`.
fn is_code(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let number = word.trim_start_matches(|c: char| c.is_ascii_alphabetic()).bytes().all(|b| b.is_ascii_digit());
    let dated = (0..word.len()).any(|at| word.is_char_boundary(at) && date_at(&word[at..]).is_some());
    word.len() >= CODE && digits > 0 && digits < word.len() && !dated && !(number && word.len() - digits <= WORD)
}

/// A date at the beginning of a part of a path: its length, and the expression for its kind.
fn date_at(rest: &str) -> Option<(usize, &'static str)> {
    let digits = |from: usize, count: usize| {
        let part = rest.get(from..from + count)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u32>().ok())?
    };
    let ends = |at: usize| !rest.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let fits = |year: Option<u32>, month: Option<u32>, day: Option<u32>| {
        year.is_some_and(|y| (1990..2100).contains(&y))
            && month.is_some_and(|m| (1..=12).contains(&m))
            && day.is_some_and(|d| (1..=31).contains(&d))
    };
    let mark = |at: usize| rest.as_bytes().get(at).copied().unwrap_or_default();
    let year = digits(0, 4);
    if matches!(mark(4), b'/' | b'-') && fits(year, digits(5, 2), digits(8, 2)) && ends(10) {
        return match (mark(4), mark(7)) {
            (b'/', b'/') => Some((10, r"(?<y>\d{4})/(?<m>\d\d)/(?<d>\d\d)")),
            (b'-', b'-') => Some((10, r"(?<y>\d{4})-(?<m>\d\d)-(?<d>\d\d)")),
            (b'/', b'-') => Some((10, r"(?<y>\d{4})/(?<m>\d\d)-(?<d>\d\d)")),
            (b'-', b'/') => Some((10, r"(?<y>\d{4})-(?<m>\d\d)/(?<d>\d\d)")),
            _ => None,
        };
    }
    if mark(4) == b'/' && fits(year, digits(5, 2), digits(7, 2)) && ends(9) {
        return Some((9, r"(?<y>\d{4})/(?<m>\d\d)(?<d>\d\d)"));
    }
    if mark(6) == b'/' && fits(year, digits(4, 2), digits(7, 2)) && ends(9) {
        return Some((9, r"(?<y>\d{4})(?<m>\d\d)/(?<d>\d\d)"));
    }
    (fits(year, digits(4, 2), digits(6, 2)) && ends(8)).then_some((8, r"(?<y>\d{4})(?<m>\d\d)(?<d>\d\d)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Time;

    /// 2026-11-23 12:00 in Shanghai.
    const AT: Time = Time::from_seconds(1_795_406_400);

    fn guesses(html: &str) -> Vec<Guess> {
        lists(&Page::new(html, "https://news.example/list/", chrono_tz::Asia::Shanghai, AT))
    }

    fn words(guess: &Guess) -> String {
        match (&guess.list, &guess.links) {
            (Some(list), _) => {
                let part = |name: &str, value: &Option<String>| {
                    value.as_ref().map(|value| format!(" {name}={value}")).unwrap_or_default()
                };
                let (title, link, date) =
                    (part("title", &list.title), part("link", &list.link), part("date", &list.date));
                format!("{}{title}{link}{date}: {}/{}", list.item, guess.dated, guess.items)
            }
            (_, links) => format!("{}: {}/{}", links.as_deref().unwrap_or_default(), guess.dated, guess.items),
        }
    }

    const HEADLINES: [&str; 4] =
        ["梧桐路小学办起周末合唱团", "东湖码头修好停摆的大钟", "柳树巷图书馆开办免费夜校", "西关菜市场种下一片银杏"];

    fn entries(make: impl Fn(usize, &str) -> String) -> String {
        HEADLINES.iter().enumerate().map(|(i, title)| make(i + 1, title)).collect()
    }

    #[test]
    fn lists_are_found_by_their_structure() {
        let menu =
            "<ul class=menu><li><a href=/a/>首页新闻</a><li><a href=/b/>要闻动态</a><li><a href=/c/>政务公开</a></ul>";
        let first = |html: String| guesses(&format!("{menu}{html}")).first().map(words).unwrap_or_default();
        assert_eq!(
            first(format!(
                "<ul class=list>{}</ul>",
                entries(|i, t| format!("<li><a href=/x/{i}.html>{t}</a><span>11-2{i}</span>"))
            )),
            "ul.list > li date=span: 4/4"
        );
        assert_eq!(
            first(format!(
                "<div id=news>{}</div>",
                entries(|i, t| format!(
                    "<div class='item odd'><a href=/x/{i}.html><img src=/{i}.jpg></a><a class=cat href=/c/>要闻</a>\
                     <h3><a href=/x/{i}.html>{t}</a></h3><p class=info><em>来源：日报</em><i>2026-11-2{i} 10:00</i></p></div>"
                ))
            )),
            "#news > div.item title=h3 a link=h3 a date=i: 4/4"
        );
        assert_eq!(
            first(format!(
                "<div class=box>{}</div>",
                entries(|i, t| format!(
                    "<a href=/x/{i}.html class=card><h4>{t}</h4><p>{t}的经过。</p><time>2026年11月2{i}日</time></a>"
                ))
            )),
            "div.box > a.card title=h4 date=time: 4/4"
        );
        assert_eq!(
            first(format!(
                "<table><tr><th>标题<th>日期{}</table>",
                entries(|i, t| format!("<tr><td>{i}<td><a href=/x/{i}.html>{t}</a><td>2026-11-2{i}"))
            )),
            "tbody > tr date=td:last-of-type: 4/4"
        );
    }

    #[test]
    fn addresses_tell_their_shape_and_date() {
        for (path, expected) in [
            ("/2026/11-23/77.html", r"/(?<y>\d{4})/(?<m>\d\d)-(?<d>\d\d)/\d+\.html$"),
            ("/n1/2026/1123/c222-77.html", r"/n\d+/(?<y>\d{4})/(?<m>\d\d)(?<d>\d\d)/c\d+-\d+\.html$"),
            ("/art/2026/11/23/art_33_77.html", r"/art/(?<y>\d{4})/(?<m>\d\d)/(?<d>\d\d)/art_\d+_\d+\.html$"),
            ("/content/202611/23/c99.html", r"/content/(?<y>\d{4})(?<m>\d\d)/(?<d>\d\d)/c\d+\.html$"),
            ("/a/20261123/77", r"/a/(?<y>\d{4})(?<m>\d\d)(?<d>\d\d)/\d+$"),
            ("/t20261123_77.htm", r"/t(?<y>\d{4})(?<m>\d\d)(?<d>\d\d)_\d+\.htm$"),
            ("/p/202699/1", r"/p/\d+/\d+$"),
            ("/s/2026-11-23/doc-iihnzahi2345678.shtml", r"/s/(?<y>\d{4})-(?<m>\d\d)-(?<d>\d\d)/doc-\w+\.shtml$"),
            ("/20261123/3fa85f6457174562b3fc.html", r"/(?<y>\d{4})(?<m>\d\d)(?<d>\d\d)/\w+\.html$"),
            ("/news/content77123.html", r"/news/content\d+\.html$"),
        ] {
            let url = Url::parse(&format!("https://news.example{path}")).unwrap();
            let found = expression(&url).unwrap();
            assert_eq!(found, expected, "{path}");
            assert!(page::link_pattern(&found).unwrap().is_match(path), "{path}");
        }
        assert_eq!(expression(&Url::parse("https://news.example/about/").unwrap()), None);
    }

    #[test]
    fn a_list_is_offered_by_its_addresses_too() {
        let html = entries(|i, t| format!("<p><b>{i}</b><a href=/2026/11-2{i}/77{i}.html>{t}</a></p>"));
        let found = guesses(&format!("<div class=a>{html}</div>"));
        let said: Vec<String> = found.iter().map(words).collect();
        assert!(said.contains(&r"/(?<y>\d{4})/(?<m>\d\d)-(?<d>\d\d)/\d+\.html$: 4/4".to_owned()), "{said:?}");
        assert_eq!(guesses("<p>nothing <a href=/1>here</a>"), []);
    }
}
