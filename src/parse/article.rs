//! Article pages: headline, date, source, byline, keywords, picture and text of one article.
//!
//! What a page states in its head (the meta tags of governments' pages, Open Graph, JSON-LD) comes first, then the places of a
//! preset, then the usual names of elements, then the lines around the headline. The text is where the source's selector says,
//! or where most of the text is (Mozilla's Readability).

use super::guard::guarded;
use super::page::{NEXT, Selector};
use super::preset::{self, Preset, READABLE};
use super::{Fetched, ParseError, caps, charset, dates, literal};
use crate::model::fold::fold;
use crate::model::item::{Credit, Raw, Stamp};
use crate::model::markup::{self, Bounds};
use crate::model::time::{Time, Trust};
use chrono_tz::Tz;
use dom_query::{Document, NodeRef};
use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;
use url::Url;

/// Shortest text of an article, in characters: less is a caption or a notice that something failed.
const SHORTEST: usize = 15;

/// So many characters before the text are searched for date and source.
const AROUND: usize = 400;

/// Most JSON-LD blocks of a page that are looked at.
const BLOCKS: usize = 20;

/// Most headings of a page that are looked at.
const HEADINGS: usize = 20;

/// Longest name of a column, in characters.
const COLUMN: usize = 8;

/// Longest headline, in characters.
const TITLE: usize = 200;

/// What an article page tells.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Article {
    /// Headline, as text.
    pub title: Option<String>,
    /// Headings of the page: one of them completes a headline that a list has cut.
    pub headings: Vec<String>,
    /// Whether the headline is what the page itself declares as its article's (`ArticleTitle`).
    pub stated: bool,
    /// Date of publication.
    pub published: Option<Stamp>,
    /// Who it is from by what the page states outside its header's labels: 来源.
    pub credits: Vec<String>,
    /// Lines between headline and text, and lines under the text: date, source, byline, editor.
    pub header: Vec<String>,
    /// See `header`.
    pub footer: Vec<String>,
    /// Bylines.
    pub authors: Vec<String>,
    /// Keywords.
    pub tags: Vec<String>,
    /// The text, as HTML, with links as sent.
    pub html: Option<String>,
    /// Picture that the page offers for previews.
    pub image: Option<String>,
    /// Language.
    pub language: Option<String>,
    /// Where the page says that the article goes on, absolute. [`continues`] tells whether it does.
    pub next: Option<String>,
    /// What relative links of the text are relative to.
    pub base: String,
    /// The selector found nothing, and the text was found by its density instead.
    pub instead: bool,
    /// Character set and why.
    pub charset: String,
    /// What was wrong with it.
    pub complaints: Vec<String>,
}

/// Reads an article page. `how` is a selector or the name of a preset, `encoding` what the source's block says.
pub(super) fn read(how: &str, fetched: &Fetched<'_>, encoding: Option<&str>, zone: Tz) -> Result<Article, ParseError> {
    if fetched.body.len() > caps::DOCUMENT {
        return Err(ParseError::TooLarge { bytes: fetched.body.len(), most: caps::DOCUMENT });
    }
    let preset = preset::preset(how);
    let selectors: Vec<&str> = preset.map_or_else(|| vec![how], |preset| preset.text.to_vec());
    let selectors =
        selectors.into_iter().map(Selector::new).collect::<Result<Vec<_>, _>>().map_err(ParseError::Pattern)?;
    // The article's own character set; the one of feeds.toml where its own leaves damage.
    let mut decoded = charset::decode(fetched.body, fetched.content_type, None);
    if encoding.is_some() && decoded.text.contains('\u{fffd}') {
        decoded = charset::decode(fetched.body, fetched.content_type, encoding);
    }
    if decoded.text.trim().is_empty() {
        return Err(ParseError::Empty);
    }
    let bounded = markup::bounded(&decoded.text, Bounds::PAGE, &mut |_| true);
    let page = Document::from(bounded.html.as_str());
    let here = Url::parse(fetched.url).ok();
    let host = here.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned();
    let base = page.base_uri().and_then(|href| here.as_ref()?.join(href.trim()).ok()).or(here);
    let mut article = Article {
        base: base.map_or_else(|| fetched.url.to_owned(), String::from),
        charset: decoded.why,
        complaints: decoded.complaints,
        ..Article::default()
    };
    article.complaints.extend(bounded.hits);
    article.html = selectors.iter().find_map(|selector| text_at(&page, selector));
    if article.html.is_none() {
        article.html = densest(&page).or_else(|| readable(&bounded.html));
        article.instead = article.html.is_some() && preset.is_none();
        if preset.is_none() {
            let found = if article.instead { "the text was found by its density instead" } else { "no text was found" };
            article.complaints.push(format!("`body = \"{how}\"` finds nothing on the page: {found}"));
        } else if article.html.is_none() {
            article.complaints.push("the page holds no text that could be found".to_owned());
        }
    }
    let facts = Facts::of(&page, &decoded.text);
    let lines = Lines::of(&page, article.html.as_deref());
    let reading = Reading { page: &page, facts: &facts, preset, host, lines, zone, at: fetched.at };
    article.language = page.select_single("html").attr("lang").and_then(|lang| some(&lang));
    (article.title, article.stated) = reading.title();
    article.headings = reading.lines.headings.iter().map(|(_, heading)| heading.clone()).take(HEADINGS).collect();
    let around = reading.around(article.title.as_deref());
    article.published = reading.date(around);
    article.credits = reading.credits(around);
    (article.header, article.footer) = (reading.header(around), reading.footer());
    article.authors = reading.authors(&article.credits);
    if article.credits.is_empty() {
        // A byline that is no person's.
        article.credits.extend(facts.desk.clone().filter(|desk| !facts.site().any(|site| site == desk)));
    }
    article.tags = reading.tags(article.title.as_deref());
    article.html = article.html.map(|html| tidy(&html));
    article.image = reading.image();
    article.next = reading.next(fetched.url);
    Ok(article)
}

/// Whether an address is that of a further page of the article at the first one, and which: the same address but for a number
/// behind the name of the file (`17.html`, `17_2.html`), at the end of the path (`/a/17/2`) or in a parameter (`?page=2`).
/// Links called 下一页 lead to the next article as often.
#[must_use]
pub fn continues(first: &str, next: &str) -> Option<u32> {
    let (first, next) = (Url::parse(first).ok()?, Url::parse(next).ok()?);
    if first.host_str() != next.host_str() || first.port_or_known_default() != next.port_or_known_default() {
        return None;
    }
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| (1..=MOST_PAGES).contains(number));
    if first.path() == next.path() {
        let pairs = |url: &Url| -> BTreeMap<String, String> {
            url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
        };
        let (mut before, mut after) = (pairs(&first), pairs(&next));
        let name = after.keys().find(|name| PAGE_NAMES.contains(&name.to_ascii_lowercase().as_str())).cloned()?;
        let page = number(&after.remove(&name)?)?;
        before.remove(&name);
        return (before == after).then_some(page);
    }
    if first.query() != next.query() {
        return None;
    }
    let (before, after) = (first.path().trim_end_matches('/'), next.path().trim_end_matches('/'));
    if let Some(page) = after.strip_prefix(before).and_then(|rest| number(rest.strip_prefix('/')?)) {
        return Some(page);
    }
    let (stem, extension) =
        before.rsplit_once('.').filter(|(_, extension)| !extension.contains('/')).unwrap_or((before, ""));
    let rest = after.strip_prefix(stem)?;
    let rest = if extension.is_empty() { rest } else { rest.strip_suffix(extension)?.strip_suffix('.')? };
    number(rest.strip_prefix(['_', '-']).or_else(|| rest.strip_prefix("/"))?)
}

/// Highest number of a page of an article that is believed: `17_20261123.html` is another article.
const MOST_PAGES: u32 = 99;

/// Names of the parameter that counts the pages of an article.
const PAGE_NAMES: [&str; 5] = ["page", "p", "pn", "pageno", "paged"];

impl Article {
    /// Completes an item of a list with what its page tells; `link` is where the page was asked. What the list has stays,
    /// but for a headline that is cut or that the page itself declares otherwise, and for a date that knows no time of day.
    pub fn complete(self, raw: &mut Raw, link: &str) {
        let listed = raw.title.as_deref().map(|title| markup::decode(title).trim().to_owned()).unwrap_or_default();
        let whole = |stem: String| {
            self.title.iter().chain(&self.headings).find(|title| fold(title).starts_with(&stem)).cloned()
        };
        let title = match stem(&listed) {
            _ if listed.is_empty() || self.stated => self.title.clone(),
            Some(stem) => whole(stem),
            None => None,
        };
        if let Some(title) = title {
            raw.title = Some(markup::escape(&title));
        }
        let trust = |stamp: &Option<Stamp>| {
            stamp.as_ref().and_then(|stamp| stamp.claim.as_ref()).map(|claim| claim.trust).unwrap_or_default()
        };
        if trust(&self.published) >= trust(&raw.published) && self.published.is_some() {
            raw.published = self.published;
        }
        let credits = self.credits.into_iter().map(|name| Credit { name, place: "page".to_owned() });
        raw.credits.extend(credits);
        (raw.header, raw.footer) = (self.header, self.footer);
        for author in self.authors {
            if !raw.authors.contains(&author) {
                raw.authors.push(author);
            }
        }
        raw.tags.extend(self.tags);
        if self.html.is_some() {
            // A teaser that was cut says less than the beginning of the text.
            raw.summary = raw.summary.take().filter(|summary| stem(summary).is_none());
            raw.content = self.html;
        }
        raw.image = raw.image.take().or(self.image);
        raw.language = raw.language.take().or(self.language);
        // The links of the text are those of the page.
        raw.link = Some(link.to_owned());
        raw.base = Some(self.base);
    }
}

impl Article {
    /// Adds the text of a further page of this article, its relative links as that page means them.
    pub fn append(&mut self, html: &str, base: &str) {
        let folder = |base: &str| Url::parse(base).ok().and_then(|base| base.join(".").ok());
        let whole = self.html.get_or_insert_default();
        match (folder(&self.base), Url::parse(base)) {
            (Some(mine), Ok(theirs)) if folder(base).as_ref() != Some(&mine) => {
                let absolute = markup::bounded(html, Bounds::PAGE, &mut |element| {
                    for name in ["src", "href", "data-src", "data-original", "poster"] {
                        if let Some(url) = element.get(name).and_then(|link| theirs.join(link.trim()).ok()) {
                            element.set(name, url.as_str());
                        }
                    }
                    true
                });
                whole.push_str(&absolute.html);
            }
            _ => whole.push_str(html),
        }
    }
}

/// The folded beginning of a text that was cut; `None` if it was not.
fn stem(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches("更多").trim_end();
    let bare = text.trim_end_matches(['.', '…', '．', '⋯']);
    let cut = text.len() - bare.len() >= 2;
    cut.then(|| fold(bare))
}

/// What a page states about itself outside its text.
#[derive(Debug, Default)]
struct Facts {
    /// Meta tags by name, property or itemprop in lower case; the first that is not empty.
    metas: BTreeMap<String, String>,
    /// All `article:tag`.
    tags: Vec<String>,
    headline: Option<String>,
    published: Option<String>,
    authors: Vec<String>,
    /// An organisation that is stated as the author.
    desk: Option<String>,
    image: Option<String>,
}

impl Facts {
    fn of(page: &Document, html: &str) -> Self {
        let mut facts = Self::default();
        for meta in page.select("meta").nodes() {
            let name = ["name", "property", "itemprop", "http-equiv"].iter().find_map(|key| meta.attr(key));
            let Some((name, content)) = name.zip(meta.attr("content").or_else(|| meta.attr("value"))) else { continue };
            let (name, content) = (name.trim().to_ascii_lowercase(), single(&content));
            if content.is_empty() {
                continue;
            }
            if name == "article:tag" {
                facts.tags.push(content.clone());
            }
            facts.metas.entry(name).or_insert(content);
        }
        facts.linked_data(html);
        facts
    }

    /// JSON-LD of an article (schema.org: NewsArticle, Article, BlogPosting, …).
    fn linked_data(&mut self, html: &str) {
        let mut rest = html;
        for _ in 0..BLOCKS {
            let Some(at) = rest.find("application/ld+json") else { return };
            let Some((_, behind)) = rest[at..].split_once('>') else { return };
            let end = behind.find("</script").unwrap_or(behind.len());
            if let Ok((value, _)) = literal::read(&behind[..end]) {
                self.linked(&value, 0);
            }
            rest = &behind[end..];
        }
    }

    fn linked(&mut self, value: &Value, depth: usize) {
        if depth > 4 {
            return;
        }
        match value {
            Value::Array(list) => list.iter().for_each(|value| self.linked(value, depth + 1)),
            Value::Object(map) => {
                let kinds = map.get("@type").map(ToString::to_string).unwrap_or_default();
                let article = ["Article", "BlogPosting", "Report", "WebPage"].iter().any(|kind| kinds.contains(kind))
                    || map.get("@context").is_some_and(|context| context.to_string().contains("cambrian")); // Baidu's own
                let text = |key: &str| map.get(key).and_then(Value::as_str).and_then(some);
                if article {
                    self.headline = self.headline.take().or_else(|| text("headline")).or_else(|| text("title"));
                    self.published =
                        self.published.take().or_else(|| text("datePublished")).or_else(|| text("pubDate"));
                    let people = |key: &str| match map.get(key) {
                        Some(Value::Array(list)) => list.iter().filter_map(name).collect(),
                        Some(one) => name(one).into_iter().collect::<Vec<_>>(),
                        None => Vec::new(),
                    };
                    let desk = |value: &Value| {
                        value.get("@type").is_some_and(|kind| kind.to_string().contains("Organization"))
                    };
                    match map.get("author") {
                        Some(one) if desk(one) => self.desk = self.desk.take().or_else(|| name(one)),
                        _ => self.authors.extend(people("author")),
                    }
                    self.image = self.image.take().or_else(|| picture(map.get("image").or_else(|| map.get("images"))?));
                }
                for key in ["@graph", "mainEntity", "mainEntityOfPage"] {
                    if let Some(inner) = map.get(key) {
                        self.linked(inner, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn meta(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.metas.get(*name)).map(String::as_str)
    }

    /// Names of the site itself.
    fn site(&self) -> impl Iterator<Item = &str> {
        ["sitename", "og:site_name", "application-name", "columnname"].iter().filter_map(|name| self.meta(&[name]))
    }
}

fn name(value: &Value) -> Option<String> {
    some(value.as_str().or_else(|| value.get("name")?.as_str())?)
}

fn picture(value: &Value) -> Option<String> {
    match value {
        Value::String(address) => some(address),
        Value::Array(list) => picture(list.first()?),
        Value::Object(map) => picture(map.get("url")?),
        _ => None,
    }
}

/// The page's text, a line for each piece of it.
#[derive(Debug, Default)]
struct Lines<'a> {
    text: String,
    /// Where the article's text begins in it; its length if it is not there.
    article: usize,
    /// Where it ends.
    end: usize,
    /// Headings and where they stand.
    headings: Vec<(usize, String)>,
    /// Pieces of text and where they stand.
    nodes: Vec<(usize, NodeRef<'a>)>,
}

impl<'a> Lines<'a> {
    fn of(page: &'a Document, html: Option<&str>) -> Self {
        let mut lines = Self::default();
        for node in page.select("body").nodes().iter().flat_map(NodeRef::descendants_it) {
            if node.is_text() {
                let text = single(&node.text());
                if !text.is_empty() {
                    lines.nodes.push((lines.text.len(), node));
                    lines.text.push_str(&text);
                    lines.text.push('\n');
                }
            } else if ["h1", "h2", "h3", "h4", "h5"].iter().any(|name| node.has_name(name)) {
                lines.headings.extend(some(&node.text()).map(|heading| (lines.text.len(), heading)));
            }
        }
        let first = html.and_then(|html| {
            let article = Document::fragment(html);
            let root = article.root();
            let nodes = root.descendants_it().filter(NodeRef::is_text).map(|node| single(&node.text()));
            let mut pieces = nodes.filter(|text| text.chars().count() >= SHORTEST);
            let first = pieces.next()?;
            let last = pieces.last().unwrap_or_else(|| first.clone());
            Some((first, last))
        });
        let (first, last) = first.unzip();
        // The last time: a page may show its first sentence above as a summary.
        lines.article = first.and_then(|first| lines.text.rfind(&first)).unwrap_or(lines.text.len());
        lines.end = last.and_then(|last| Some(lines.text.rfind(&last)? + last.len())).unwrap_or(lines.text.len());
        lines.end = lines.end.max(lines.article);
        lines
    }

    /// The line before the text that is a title but for the name of a column before or behind it.
    fn part(&self, title: &str) -> Option<String> {
        let whole = title.chars().count();
        let divided = |rest: &str, end: bool| {
            if rest.chars().nth(COLUMN + 2).is_some() {
                return false;
            }
            let next = if end { rest.chars().next() } else { rest.chars().next_back() };
            next.is_some_and(|c| c.is_whitespace() || "_-|—–:：·".contains(c))
        };
        let end = self.text.floor_char_boundary((self.article + AROUND).min(self.text.len()));
        let lines = self.text[..end].lines().filter(|line| {
            let length = line.chars().count();
            let part = line.chars().nth(7).is_some() && length < whole && 10 * length >= 6 * whole;
            part && (title.strip_prefix(line).is_some_and(|rest| divided(rest, true))
                || title.strip_suffix(line).is_some_and(|rest| divided(rest, false)))
        });
        lines.max_by_key(|line| line.len()).map(str::to_owned)
    }

    /// The heading that stands nearest before the text.
    fn heading(&self) -> Option<&str> {
        let before =
            self.headings.iter().rev().find(|(at, heading)| *at < self.article && heading.chars().count() >= 6);
        before.filter(|_| self.article < self.text.len()).map(|(_, heading)| heading.as_str())
    }
}

struct Reading<'a> {
    page: &'a Document,
    facts: &'a Facts,
    preset: Option<&'a Preset>,
    host: String,
    lines: Lines<'a>,
    zone: Tz,
    at: Time,
}

/// Elements that hold dates on many sites, besides `time`.
const DATES: [&str; 16] = [
    "#pubtime_baidu",
    "#pubDate",
    "#pubdate",
    "#publish_time",
    "#artical_time",
    "[itemprop=datePublished]",
    ".pubtime",
    ".pub-time",
    ".pubdate",
    ".publish-time",
    ".publish_time",
    ".article-time",
    ".art-time",
    ".post-date",
    ".date",
    ".time",
];

/// Elements that name the source on many sites.
const CREDITS: [&str; 8] =
    ["#source_baidu", "#media_name", ".source", ".article-source", ".art-source", ".ly", ".laiyuan", ".media_name"];

/// Meta tags with the date of publication, in lower case.
const DATE_METAS: [&str; 19] = [
    "pubdate",
    "article:published_time",
    "publishdate",
    "publish_date",
    "publish-date",
    "publishtime",
    "published_time",
    "publication_date",
    "og:published_time",
    "og:release_date",
    "weibo: article:create_at",
    "weibo:article:create_at",
    "datepublished",
    "bytedance:published_time",
    "dc.date",
    "dcterms.date",
    "firstpublishedtime",
    "_pubtime",
    "dateupdate",
];

/// A date in running text: a year, perhaps a time of day.
static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let day = r"(?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?";
    Regex::new(&format!(r"{day}(?:[ \t\u{{3000}}\u{{a0}}T]*\d{{1,2}}[:：时]\d{{1,2}}(?:[:：分]\d{{1,2}})?)?")).ok()
});

/// A date in running text that says what it is.
static LABELLED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let date = DATE.as_ref().map(Regex::as_str).unwrap_or_default();
    Regex::new(&format!(r"(?:发布|发表|发稿|成文|發布|時間|时间|日期)[^\d\n]{{0,6}}\s*{date}")).ok()
});

/// A source in running text.
static CREDIT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:来源于|来源|來源|稿源|转自|转载自|出处)\s*[:：]\s*([^\s:：|｜]{2,30})").ok());

impl Reading<'_> {
    /// The first of these selectors that finds text.
    fn at(&self, selectors: &[&str]) -> Option<String> {
        selectors.iter().find_map(|selector| {
            let selector = Selector::new(selector).ok()?;
            selector.all(self.page).iter().find_map(|node| some(&selector.value(node)?))
        })
    }

    /// The headline, and whether the page declares it as its article's.
    fn title(&self) -> (Option<String>, bool) {
        let fits = |title: &str| {
            let length = title.chars().count();
            (2..=TITLE).contains(&length) && !self.facts.site().any(|site| site == title)
        };
        let declared = || self.facts.meta(&["articletitle"]).map(str::to_owned).filter(|title| fits(title));
        if self.preset.is_none_or(|preset| preset.name != READABLE)
            && let Some(title) = declared()
        {
            return (Some(title), true);
        }
        let tag = self.page.select_single("title").nodes().first().map(|title| single(&title.text()));
        let tag = tag.unwrap_or_default();
        let known = fold(&tag);
        let headings: Vec<String> = self.lines.headings.iter().map(|(_, heading)| heading.clone()).collect();
        let og = self.facts.meta(&["og:title", "twitter:title", "title"]).map(str::to_owned);
        let own = self.preset.and_then(|preset| self.at(preset.title));
        let candidates = [own, declared(), self.facts.headline.clone(), og];
        // A heading that the window's title repeats is the headline; without one, what the page calls itself.
        let repeated = headings.iter().filter(|h| h.chars().count() >= 6);
        let repeated = repeated.filter(|h| {
            let folded = fold(h);
            known.starts_with(&folded) || (h.chars().count() > COLUMN && known.contains(&folded))
        });
        let repeated = repeated.max_by_key(|h| h.chars().count()).cloned();
        let named = candidates.into_iter().flatten().map(|title| self.without_site(&single(&title)));
        let title = named.clone().find(|title| fits(title) && headings.contains(title)).or(repeated);
        let title = title.or_else(|| {
            let title = named.clone().find(|title| fits(title) && title.chars().count() >= 6);
            title.map(|title| self.lines.part(&title).unwrap_or(title))
        });
        let tag = Some(self.without_site(&tag)).filter(|title| fits(title));
        let tag = tag.map(|title| self.lines.part(&title).unwrap_or(title));
        // A window that is called 新闻动态 is named after a column.
        let title = title.or_else(|| tag.clone().filter(|title| title.chars().count() >= COLUMN));
        let title = title.or_else(|| self.lines.heading().map(str::to_owned).filter(|title| fits(title)));
        (title.or(tag).or_else(|| headings.into_iter().find(|title| fits(title))), false)
    }

    /// A title without the names of site and column behind it: `标题_栏目_网站`, `Title - Site`.
    fn without_site(&self, title: &str) -> String {
        let mut title = title.trim();
        loop {
            let ends = ["_", "|", "--", " - ", " – ", " — ", "——", "-"].iter().filter_map(|mark| {
                let at = title.rfind(mark)?;
                let (head, tail) = (title[..at].trim(), title[at + mark.len()..].trim());
                let site = self.facts.site().any(|site| site == tail);
                let (long, short) = (head.chars().count(), tail.chars().count());
                // A hyphen alone may belong to the headline (1-2月): only a name of a site stands behind it.
                let named = ["网", "报", "網", "社", "在线", "频道", "官网", "新闻", ".cn", ".com", "网站", "纪检"]
                    .iter()
                    .any(|end| tail.ends_with(end));
                let fits = match *mark {
                    "-" | "——" => site || named,
                    _ => site || named || (short < long && short <= 20),
                };
                (fits && long >= 4).then_some(at)
            });
            let Some(at) = ends.max() else { return title.to_owned() };
            title = title[..at].trim_end_matches(['_', '|', '-', '–', '—', ' ']).trim();
        }
    }

    /// What stands between the headline and the text, where date and source usually are; else the lines before the text,
    /// or those after the headline, or the beginning of the page. And whether the headline was found.
    fn around(&self, title: Option<&str>) -> (&str, bool) {
        let Lines { text, article, .. } = &self.lines;
        let whole = title;
        let head = title.map(|title| title.chars().take(10).collect::<String>()).filter(|head| head.len() > 6);
        let title = head.as_deref().and_then(|head| text[..*article].rfind(head).or_else(|| text.find(head)));
        let known = *article < text.len();
        let end_of = |from: usize| text[from..].find('\n').map_or(text.len(), |end| from + end);
        let begin = match title {
            Some(title) if title < *article => title,
            // The text was taken with the headline that stands above it.
            Some(at) if whole.is_some_and(|whole| text.get(at..end_of(at)) == Some(whole)) => {
                let end = text.floor_char_boundary((end_of(at) + AROUND).min(text.len()));
                return (&text[at..end], true);
            }
            _ if known => text.floor_char_boundary(article.saturating_sub(3 * AROUND)),
            title => title.unwrap_or(0),
        };
        let end = text.floor_char_boundary((if known { *article } else { text.len() }).min(begin + 6 * AROUND));
        (&text[begin..end.max(begin)], title.is_some())
    }

    fn stamp(&self, text: &str) -> Option<Stamp> {
        let text = single(text);
        let inside = DATE.as_ref().and_then(|date| date.find(&text)).filter(|_| !iso(&text));
        let text = inside.map_or_else(|| text.clone(), |inside| inside.as_str().replace('：', ":"));
        let claim = dates::read(&text, self.zone, self.at)?;
        // What is not yet is no date of publication.
        (claim.at.since(self.at) <= Time::DAY)
            .then(|| Stamp { raw: text.chars().take(60).collect(), claim: Some(claim) })
    }

    /// The first date that is known to the minute; else the first at all.
    fn date(&self, (around, located): (&str, bool)) -> Option<Stamp> {
        let metas = DATE_METAS.iter().filter_map(|name| self.facts.metas.get(*name).cloned());
        let preset = self.preset.and_then(|preset| self.at(preset.date));
        let linked = self.facts.published.clone();
        let times = self.page.select("time");
        let times = times.nodes().iter().filter(|time| !in_a_list(time)).take(3).filter_map(|time| {
            time.attr("datetime").map(|value| value.to_string()).or_else(|| Some(time.text().to_string()))
        });
        let places: Vec<String> = DATES.iter().filter_map(|selector| self.at(&[*selector])).collect();
        let found = |regex: &'static LazyLock<Option<Regex>>, text: &str| -> Vec<String> {
            let found =
                regex.as_ref().map(|regex| regex.find_iter(text).take(8).map(|it| it.as_str().to_owned()).collect());
            found.unwrap_or_default()
        };
        let labelled = found(&LABELLED, around);
        let lines = found(&DATE, around);
        let elsewhere = found(&LABELLED, &self.lines.text);
        let all = preset.into_iter().chain(metas).chain(linked).chain(labelled);
        // Without a headline before it, what stands before the text may be anything.
        let (before, behind) = if located { (Vec::new(), elsewhere) } else { (elsewhere, Vec::new()) };
        let all = all.chain(before).chain(lines).chain(places.clone());
        let mut first: Option<Stamp> = None;
        let with_year = |text: &String| DATE.as_ref().is_some_and(|date| date.is_match(text)) || iso(text);
        for stamp in all.chain(times).chain(behind).filter(with_year).filter_map(|text| self.stamp(&text)) {
            let Some(claim) = &stamp.claim else { continue };
            let known = first.as_ref().and_then(|first| first.claim.as_ref());
            // A time of day on another day is another date: of a comment, of an update.
            let near = known.is_none_or(|known| (0..Time::DAY).contains(&claim.at.since(known.at)));
            if claim.trust == Trust::Full && near {
                return Some(stamp);
            }
            first = first.or(Some(stamp));
        }
        // 11-23 10:38, 3小时前
        first.or_else(|| places.iter().find_map(|text| self.stamp(text)))
    }

    /// Whom the page names as the source: every one that its meta tags and its preset's place name; else what stands in the
    /// usual places, or unlabelled beside the date.
    fn credits(&self, (around, located): (&str, bool)) -> Vec<String> {
        let preset = self.preset.and_then(|preset| self.at(preset.credit));
        let metas = ["contentsource", "source", "article:source", "mediaid", "copyright-source"];
        let metas = metas.iter().filter_map(|name| self.facts.metas.get(*name).cloned());
        let mut found: Vec<String> = Vec::new();
        for name in preset.into_iter().chain(metas).filter_map(|text| source_name(&text)) {
            if !found.contains(&name) {
                found.push(name);
            }
        }
        let labelled = || source_name(CREDIT.as_ref()?.captures(around)?.get(1)?.as_str());
        let places = || {
            let places = CREDITS.iter().filter_map(|selector| Selector::new(selector).ok());
            places.flat_map(|selector| {
                let nodes = selector.all(self.page);
                let own = nodes.into_iter().filter(|node| !in_a_list(node) && !in_other(node));
                own.filter_map(|node| source_name(&selector.value(&node)?)).collect::<Vec<_>>()
            })
        };
        // What the header labels is read with the rest of its lines.
        if found.is_empty() && (!located || labelled().is_none()) {
            let unlabelled = || if located { beside_date(around) } else { None };
            found.extend(labelled().or_else(|| places().next()).or_else(unlabelled));
        }
        found
    }

    /// The lines between headline and text.
    fn header(&self, (around, located): (&str, bool)) -> Vec<String> {
        let known = self.lines.article < self.lines.text.len();
        if !located || !known { Vec::new() } else { joined(around.lines().skip(1)) }
    }

    /// The first lines under the text.
    fn footer(&self) -> Vec<String> {
        let other = |node: &NodeRef<'_>| {
            node.ancestors_it(Some(6)).any(|above| {
                ["class", "id"].iter().filter_map(|key| above.attr(key)).any(|names| {
                    let names = names.to_ascii_lowercase();
                    ["comment", "recommend", "relat", "sidebar", "hot"].iter().any(|word| names.contains(word))
                })
            })
        };
        let from = self.lines.nodes.partition_point(|(at, _)| *at < self.lines.end);
        let under = self.lines.nodes[from..].iter().take(2 * BESIDE).filter(|(_, node)| !other(node));
        let under = under.filter_map(|(at, _)| self.lines.text.get(*at..)?.lines().next());
        joined(under)
    }

    fn authors(&self, credits: &[String]) -> Vec<String> {
        let metas = ["author", "article:author", "dc.creator", "byl"];
        let metas = metas.iter().filter_map(|name| self.facts.metas.get(*name).cloned());
        let places = self.at(&["#author_baidu", "[itemprop=author]", "a[rel=author]"]);
        let all = self.facts.authors.iter().cloned().chain(metas).chain(places);
        let mut found: Vec<String> = Vec::new();
        for author in all {
            let itself = self.facts.site().any(|site| site.contains(&author))
                || self.host.contains(&author.to_ascii_lowercase())
                || credits.contains(&author);
            let fits = author.chars().any(char::is_alphabetic) && !author.contains("://") && !author.contains('@');
            if fits && !itself && author.chars().count() <= 40 && !found.contains(&author) {
                found.push(author);
            }
        }
        found
    }

    fn tags(&self, title: Option<&str>) -> Vec<String> {
        let known = title.map(fold).unwrap_or_default();
        let metas = ["keywords", "news_keywords", "keyword"].iter().filter_map(|name| self.facts.metas.get(*name));
        let all = self.facts.tags.iter().chain(metas.take(1));
        // Some put the headline there, some the name of the site.
        let fits = |text: &&String| {
            let folded = fold(text);
            folded != known && !self.facts.site().any(|site| site == text.as_str())
        };
        all.filter(fits).cloned().collect()
    }

    /// Where the page says that the article goes on: `rel=next`, or a link that is called 下一页.
    fn next(&self, url: &str) -> Option<String> {
        let here = Url::parse(url).ok()?;
        let base = self.page.base_uri().and_then(|href| here.join(href.trim()).ok()).unwrap_or_else(|| here.clone());
        let stated = self.page.select("link[rel~=next], a[rel~=next]");
        let named = self.page.select("a[href]");
        let named = named.nodes().iter().filter(|anchor| {
            let text = single(&anchor.text()).to_lowercase();
            text.chars().count() <= 12 && NEXT.contains(&text.trim_matches(|c: char| "[]<>›»→（）() ".contains(c)))
        });
        let all = stated.nodes().iter().chain(named).filter_map(|anchor| base.join(anchor.attr("href")?.trim()).ok());
        let other = |next: &Url| matches!(next.scheme(), "http" | "https") && next.as_str() != here.as_str();
        let named = all.into_iter().filter(other).find(|next| same_article(&here, next));
        // 【1】【2】【3】
        let numbered = || {
            let anchors = self.page.select("a[href]");
            let numbers = anchors.nodes().iter().filter(|anchor| {
                let text = single(&anchor.text());
                let number = text.trim_matches(|c: char| "[]【】()（）第页 ".contains(c));
                number.len() <= 2 && number.parse::<u32>().is_ok()
            });
            let pages = numbers.filter_map(|anchor| base.join(anchor.attr("href")?.trim()).ok()).filter(other);
            let pages = pages.filter(|next| same_article(&here, next));
            let now = ending(&here);
            pages
                .filter_map(|next| Some((continues(here.as_str(), next.as_str()).or_else(|| ending(&next))?, next)))
                .filter(|(page, next)| {
                    continues(here.as_str(), next.as_str()).is_some() || now.is_some_and(|now| now + 1 == *page)
                })
                .min_by_key(|(page, _)| *page)
                .map(|(_, next)| next)
        };
        named.or_else(numbered).map(|mut next| {
            next.set_fragment(None);
            next.into()
        })
    }

    fn image(&self) -> Option<String> {
        let offered = self.facts.image.as_deref().or_else(|| self.facts.meta(&["og:image", "twitter:image"]))?;
        let lower = offered.to_ascii_lowercase();
        // A site's own mark says nothing of the article.
        let mark = ["logo", "default", "share", "favicon", "icon", "space.gif", "blank."]
            .iter()
            .any(|word| lower.contains(word));
        (!mark).then(|| offered.to_owned())
    }
}

/// The number of the page at the end of an address.
static ENDING: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[_/-](?:\d{1,2})(\.\w+)?/?$|([?&](?i:page|p|pn|pageno|paged)=)(?:\d{1,2})").ok());

/// Which page of an article an address says it is, if it ends as those of further pages do.
fn ending(url: &Url) -> Option<u32> {
    let found = ENDING.as_ref()?.find(url.as_str())?.as_str();
    let digits: String = found.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Whether two addresses can be pages of one article: they differ in a short number alone.
fn same_article(here: &Url, next: &Url) -> bool {
    let bare = |url: &Url| {
        let mut url = url.clone();
        url.set_fragment(None);
        url
    };
    let (here, next) = (bare(here), bare(next));
    if continues(here.as_str(), next.as_str()).is_some() {
        return true;
    }
    // From the second page to the third.
    let shape = |url: &Url| -> Option<String> {
        let regex = ENDING.as_ref()?;
        let text = url.as_str();
        regex.is_match(text).then(|| regex.replace(text, "$1$2").into_owned())
    };
    shape(&here).is_some_and(|here| shape(&next).as_ref() == Some(&here))
}

/// Whether a text is a whole date of ISO 8601 or RFC 822, which may state a zone.
fn iso(text: &str) -> bool {
    let text = text.trim();
    let begins = text.len() >= 16 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit) && text.contains('T');
    begins || text.split(' ').any(|word| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit())) && text.is_ascii()
}

/// A text as the name of a source, without its label and brackets; `None` if it can be none.
fn source_name(text: &str) -> Option<String> {
    let labelled = CREDIT.as_ref().and_then(|credit| Some(credit.captures(text)?.get(1)?.as_str()));
    let name = labelled.unwrap_or(text).trim_matches(|c: char| c.is_whitespace() || ":：|｜⋅·•-".contains(c));
    let inside = name.strip_prefix(['（', '(', '【', '[']).map(|name| name.trim_end_matches(['）', ')', '】', ']']));
    let name = inside.unwrap_or(name);
    // Numbers are ids, dates are dates.
    let fits = (2..=30).contains(&name.chars().count())
        && !name.contains([':', '：'])
        && name.chars().any(char::is_alphabetic)
        && DATE.as_ref().is_none_or(|date| !date.is_match(name));
    fits.then(|| name.to_owned())
}

/// Ends of names of papers, sites and desks.
const MEDIA: [&str; 16] = [
    "网",
    "報",
    "报",
    "社",
    "台",
    "刊",
    "在线",
    "新闻",
    "之家",
    "发布",
    "频道",
    "客户端",
    "快訊",
    "快讯",
    "杂志",
    "观察",
];

/// A name without a label beside the date: behind it on its line, or alone between headline and date, or under the date if
/// it ends as names of papers do.
fn beside_date(around: &str) -> Option<String> {
    let first = ["原创", "转载", "首发", "独家", "置顶"];
    let lines: Vec<&str> = around.lines().filter(|line| !first.contains(line)).take(12).collect();
    let dated = |line: &str| DATE.as_ref().is_some_and(|date| date.is_match(line)) || line.starts_with("发布时间");
    let at = lines.iter().skip(1).position(|line| dated(line))? + 1;
    let short = |text: &str| {
        let text = text.split(['[', '【', '(', '（', '／', '/']).next().unwrap_or_default().trim();
        let button = [
            "字号", "字体", "打印", "分享", "评论", "收藏", "浏览", "阅读", "关注", "正文", "原创", "首页", "作者",
            "编辑",
        ];
        let fits = (2..=16).contains(&text.chars().count())
            && text.chars().any(char::is_alphabetic)
            && !text.contains(['。', '，', '！', '？', '：', ':', '>', '|', '“', '、'])
            && !button.iter().any(|word| text.contains(word))
            && DATE.as_ref().is_none_or(|date| !date.is_match(text));
        fits.then(|| text.to_owned())
    };
    let media = |name: &String| MEDIA.iter().any(|end| name.ends_with(end)) && name.chars().count() >= 3;
    let behind = DATE.as_ref().and_then(|date| short(&lines.get(at)?[date.find(lines.get(at)?)?.end()..]));
    let above =
        if at == 2 { short(lines.get(1)?) } else { lines.get(at - 1).and_then(|line| short(line)).filter(media) };
    let under = || lines.get(at + 1).and_then(|line| short(line)).filter(media);
    behind.or(above).or_else(under)
}

/// Most lines above and under a text that are handed on.
const BESIDE: usize = 12;

/// Lines, each label (来源：) with the element that holds its value.
fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in lines.take(BESIDE) {
        match out.last_mut() {
            Some(last) if last.ends_with([':', '：']) => last.push_str(line),
            _ => out.push(line.to_owned()),
        }
    }
    out.retain(|line| line.chars().count() <= AROUND / 2);
    out
}

/// Whether an element stands in a container of other things.
fn in_other(node: &NodeRef<'_>) -> bool {
    std::iter::once(*node).chain(node.ancestors_it(Some(8))).any(|node| is_other(&node))
}

/// Most blocks at the end of a text that are looked at.
const TAIL: usize = 40;

/// Longest text of a hidden box, in characters.
const HIDDEN: usize = 200;

/// Most nodes of a block of links between the pages of an article.
const PAGER_NODES: usize = 80;

/// Words of links between the pages of an article.
const PAGER: [&str; 16] = [
    "上一页",
    "下一页",
    "上页",
    "下页",
    "首页",
    "尾页",
    "末页",
    "第一页",
    "最后一页",
    "余下全文",
    "全文",
    "previous",
    "next",
    "prev",
    "page",
    "pages",
];

/// The text of an article without the links between its pages, and without what only leads away from its end: links to
/// other articles with their headings, buttons. Attachments stay.
fn tidy(html: &str) -> String {
    let page = Document::from(html);
    let mut removed = false;
    // Boxes that open on a click. A whole text may be hidden until a script shows it: that stays.
    for node in page.select("[style]").nodes() {
        let style: String = node.attr("style").unwrap_or_default().split_whitespace().collect();
        let small = node.descendants_it().take(PAGER_NODES + 1).count() <= PAGER_NODES;
        if style.to_ascii_lowercase().contains("display:none") && small && node.text().chars().nth(HIDDEN).is_none() {
            node.remove_from_parent();
            removed = true;
        }
    }
    for node in page.select("div, p, ul, nav, center, section").nodes() {
        // Small ones alone: the text of each large one would be put together again and again.
        let inside: Vec<NodeRef<'_>> = node.descendants_it().take(PAGER_NODES + 1).collect();
        if inside.len() > PAGER_NODES || !inside.iter().any(|inner| inner.has_name("a")) {
            continue;
        }
        let text = single(&node.text()).to_lowercase();
        let words = text.split(|c: char| c.is_whitespace() || "|[]()（）<>«»‹›:：共第页/".contains(c));
        let mut words = words.filter(|word| !word.is_empty()).peekable();
        let pager = text.chars().nth(120).is_none()
            && words.peek().is_some()
            && words.all(|word| PAGER.contains(&word) || word.bytes().all(|b| b.is_ascii_digit()));
        if pager {
            node.remove_from_parent();
            removed = true;
        }
    }
    let mut tail = Tail { looked: 0, led: false, removed };
    for body in page.select("body").nodes() {
        tail.trim(*body);
    }
    let removed = tail.removed;
    if removed { page.select("body").inner_html().to_string() } else { html.to_owned() }
}

/// Elements that stand on lines of their own.
const BLOCK: [&str; 24] = [
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "dd",
    "dt",
    "dl",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "table",
    "tbody",
    "tr",
    "td",
    "section",
    "article",
    "nav",
    "blockquote",
    "center",
    "footer",
];

fn is_block(node: &NodeRef<'_>) -> bool {
    BLOCK.iter().any(|name| node.has_name(name))
}

/// The end of a text, from which is taken what only leads away.
struct Tail {
    looked: usize,
    /// Whether links were taken: what stands above them may be their heading.
    led: bool,
    removed: bool,
}

/// What came of the end of an element.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The text ends in it.
    Text,
    /// Only attribution is left in it: what stands before is looked at too.
    Credit,
    /// Nothing is left in it.
    Nothing,
}

impl Tail {
    /// Takes off the end of an element what leads away.
    fn trim(&mut self, node: NodeRef<'_>) -> End {
        let mut end = End::Nothing;
        let mut next = node.last_child();
        while let Some(last) = next {
            next = last.prev_sibling();
            let element = last.is_element();
            if (last.is_text() && last.text().trim().is_empty()) || last.has_name("br") || !(element || last.is_text())
            {
                continue;
            }
            self.looked += 1;
            if self.looked > TAIL {
                return End::Text;
            }
            if element && is_block(&last) && last.descendants_it().any(|inner| is_block(&inner)) {
                match self.trim(last) {
                    End::Text => return End::Text,
                    End::Credit => end = End::Credit,
                    End::Nothing => last.remove_from_parent(),
                }
                continue;
            }
            // A block without others in it, or everything beside each other up to one.
            let mut run = vec![last];
            if !(element && is_block(&last)) {
                let before = std::iter::successors(last.prev_sibling(), NodeRef::prev_sibling);
                run.extend(before.take_while(|node| !is_block(node) && !node.has_name("br")));
                next = run.last().and_then(NodeRef::prev_sibling);
            }
            let text = single(&run.iter().rev().map(|node| node.text().to_string()).collect::<Vec<_>>().join(" "));
            let signed = text.trim_start_matches(['(', '（', '[', '【', ' ']);
            if self.leads(&run, &text) {
                run.iter().for_each(NodeRef::remove_from_parent);
                (self.led, self.removed) = (self.led || !text.is_empty(), true);
            } else if text.chars().count() <= 60 && SIGNED.iter().any(|label| signed.starts_with(label)) {
                end = End::Credit;
            } else {
                return End::Text;
            }
        }
        end
    }

    /// Whether these say nothing but where to go on: links, the heading of links that were taken, a button.
    fn leads(&self, run: &[NodeRef<'_>], text: &str) -> bool {
        let within = |names: &[&str]| -> Vec<NodeRef<'_>> {
            let all = run.iter().flat_map(|node| std::iter::once(*node).chain(node.descendants_it()));
            all.filter(|inner| names.iter().any(|name| inner.has_name(name))).collect()
        };
        // An icon is no picture.
        let small = |node: &NodeRef<'_>| {
            ["width", "height"].iter().any(|side| {
                node.attr(side)
                    .and_then(|value| value.trim_end_matches("px").parse::<u32>().ok())
                    .is_some_and(|side| side <= ICON)
            })
        };
        if within(&["img", "video", "audio", "iframe"]).iter().any(|picture| !small(picture)) {
            return false;
        }
        let links = within(&["a"]);
        let linked: usize = links.iter().map(|link| single(&link.text()).chars().count()).sum();
        let length = text.chars().count();
        let attached = ["附件", "下载", "Download", "Attachment"].iter().any(|word| text.contains(word))
            || links.iter().filter_map(|link| link.attr("href")).any(|href| {
                let href = href.to_ascii_lowercase();
                FILES.iter().any(|end| href.ends_with(end))
            });
        // 此前报道：…, ●…
        let begins =
            text.starts_with(['●', '▶', '•', '■', '>', '◆']) || text.find(['：', ':']).is_some_and(|at| at <= 24);
        let share = if begins { 5 } else { 6 };
        let leads = !links.is_empty() && 10 * linked >= share * length && length <= 120 && !attached;
        let heading = self.led && length <= 14 && (text.ends_with([':', '：', '】']) || text.starts_with('【'));
        let bare: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
        let button = matches!(bare.as_str(), "纠错" | "分享" | "微信微博" | "微信" | "微博" | "收藏" | "点赞");
        text.is_empty() || leads || heading || button
    }
}

/// Widest icon, in pixels.
const ICON: u32 = 40;

/// Labels of attribution at the foot of a text, which stays for whoever reads it.
const SIGNED: [&str; 12] =
    ["责任编辑", "责编", "编辑", "責任編輯", "来源", "來源", "作者", "记者", "校对", "审核", "Editor", "Source"];

/// Ends of addresses of files: attachments of a notice belong to it.
const FILES: [&str; 10] = [".doc", ".docx", ".pdf", ".xls", ".xlsx", ".zip", ".rar", ".ppt", ".wps", ".ofd"];

/// Whether an element belongs to one of many entries: a date there is that of another article.
fn in_a_list(node: &NodeRef<'_>) -> bool {
    node.ancestors_it(Some(6)).any(|above| above.has_name("li") || above.has_name("aside"))
}

/// Pieces of class and id of containers that hold other things than the article.
const OTHERS: [&str; 14] = [
    "comment",
    "foot",
    "copyright",
    "sidebar",
    "recommend",
    "related",
    "relate",
    "nav",
    "menu",
    "disclaim",
    "share",
    "aside",
    "breadcrumb",
    "login",
];

/// Whether class or id of an element say that it holds something else.
fn is_other(node: &NodeRef<'_>) -> bool {
    ["class", "id"].iter().filter_map(|key| node.attr(key)).any(|names| {
        let names = names.to_ascii_lowercase();
        !node.has_name("body") && OTHERS.iter().any(|word| names.contains(word))
    })
}

/// The container that holds most of the page's running text as its own paragraphs, if that is clear; it is found more
/// sharply than by Readability, which takes neighbours in.
fn densest(page: &Document) -> Option<String> {
    let mut whole = 0;
    let mut best: Option<(usize, NodeRef<'_>)> = None;
    for node in page.select("body, div, article, section, td, main, span").nodes() {
        let mut own = 0;
        for child in node.children_it(false) {
            let running = child.is_text()
                || ["p", "b", "strong", "font", "h2", "h3", "h4", "blockquote"].iter().any(|name| child.has_name(name))
                || (child.has_name("span") && !node.has_name("span"));
            if running {
                let text = single(&child.text());
                // Sentences count; lists of links and names of columns have none.
                let links: usize = child
                    .descendants_it()
                    .filter(|inner| inner.has_name("a"))
                    .map(|link| single(&link.text()).chars().count())
                    .sum();
                let marks = text.contains(['，', '。', '；', '、', '！', '？', '：', ',', '.', '!', '?', '“']);
                if marks {
                    own += text.chars().count().saturating_sub(2 * links);
                }
            }
        }
        if own == 0 || std::iter::once(*node).chain(node.ancestors_it(Some(8))).any(|node| is_other(&node)) {
            continue;
        }
        whole += own;
        if !node.has_name("body") && own > best.as_ref().map_or(0, |(most, _)| *most) {
            best = Some((own, *node));
        }
    }
    let (own, node) = best?;
    (own >= CLEAR && own * 10 >= whole * 7).then(|| node.html().to_string())
}

/// Fewest characters of running text that make a container the article's.
const CLEAR: usize = 120;

/// The HTML of everything a selector finds, nothing twice; `None` if it holds too little text.
fn text_at(page: &Document, selector: &Selector) -> Option<String> {
    let mut html = String::new();
    let mut text = 0;
    let found = selector.all(page);
    let ids: HashSet<_> = found.iter().map(|node| node.id).collect(); // Asked, never walked.
    for node in &found {
        if node.ancestors_it(None).any(|above| ids.contains(&above.id)) {
            continue;
        }
        if selector.attribute().is_some() {
            let value = selector.value(node)?;
            text += value.chars().count();
            html.push_str(&format!("<p>{}</p>", markup::escape(&value)));
        } else {
            text += single(&node.text()).chars().count();
            html.push_str(&node.html());
        }
    }
    (text >= SHORTEST).then_some(html)
}

/// The part of a page with most of its text, by Mozilla's Readability.
fn readable(html: &str) -> Option<String> {
    let config = dom_smoothie::Config {
        max_elements_to_parse: Bounds::PAGE.elements,
        disable_json_ld: true,
        ..dom_smoothie::Config::default()
    };
    let found = guarded(|| {
        let mut reader = dom_smoothie::Readability::new(html, None, Some(config)).ok()?;
        let article = reader.parse().ok()?;
        let length = single(&article.text_content).chars().count();
        (length >= SHORTEST).then(|| article.content.to_string())
    });
    found.ok().flatten()
}

/// Blanks of every kind as single spaces.
fn single(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn some(text: &str) -> Option<String> {
    let text = single(text);
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_away_from_the_end_of_a_text_goes_and_attachments_stay() {
        for (html, expected) in [
            (
                "<div><p>正文。</p><p>此前报道：<a href='1'>莲城桥今日通车</a></p><div>\n<p>点击进入专题：</p>\n<p><a href='2'>莲城桥</a></p></div>\n</div>",
                "<div><p>正文。</p></div>",
            ),
            (
                "<div><p>正文。</p><div>\n【<a href='x'>纠错</a>】\n<div><div></div></div></div></div>",
                "<div><p>正文。</p></div>",
            ),
            (
                "<p>正文。</p><p>附件：<a href='1.doc'>名单</a></p>",
                "<p>正文。</p><p>附件：<a href='1.doc'>名单</a></p>",
            ),
            (
                "<p>正文见<a href='1'>这里的说明</a>，今天起施行。</p>",
                "<p>正文见<a href='1'>这里的说明</a>，今天起施行。</p>",
            ),
            (
                "<div><p>正文。</p><div class='page'><a>1</a> <a href='17_2.html'>2</a> <a href='17_2.html'>下一页</a></div></div>",
                "<div><p>正文。</p></div>",
            ),
            ("<p>正文。</p><p><img src='1.jpg'></p>", "<p>正文。</p><p><img src='1.jpg'></p>"),
        ] {
            let found = tidy(html).replace('\n', "");
            assert_eq!(found, expected.replace('\n', ""), "{html}");
        }
    }

    #[test]
    fn a_further_page_has_the_address_of_the_first_and_a_number() {
        for (first, next, page) in [
            ("https://n.example/a/17.html", "https://n.example/a/17_2.html", Some(2)),
            ("https://n.example/a/17.html", "https://n.example/a/17-2.html", Some(2)),
            ("https://n.example/a/t20261122_17.html", "https://n.example/a/t20261122_17_1.html", Some(1)),
            ("https://n.example/a/t20261122_17.html", "https://n.example/a/t20261122_18.html", None),
            ("https://n.example/a/17.html", "https://n.example/a/18.html", None),
            ("https://n.example/a/17.html", "https://n.example/a/17_20261123.html", None),
            ("https://n.example/a/17", "https://n.example/a/17/2", Some(2)),
            ("https://n.example/a/17/", "https://n.example/a/17/3/", Some(3)),
            ("https://n.example/a?id=17", "https://n.example/a?id=17&page=2", Some(2)),
            ("https://n.example/a?id=17", "https://n.example/a?id=18&page=2", None),
            ("https://n.example/a?id=17&page=1", "https://n.example/a?page=2&id=17", Some(2)),
            ("https://n.example/a/17.html", "https://other.example/a/17_2.html", None),
            ("https://n.example/a/1.html", "https://n.example/a/1_2.html?x=1", None),
        ] {
            assert_eq!(continues(first, next), page, "{first} {next}");
        }
    }
}
