//! `citydesk add URL`: what a site offers, tried, with the blocks of feeds.toml that would read it.
//!
//! In this order: the address itself, if it is a feed or sitemap; feeds that the page names; feeds at the usual places; the
//! sitemaps that robots.txt names, or those at the usual places; lists on the page. What cannot be read, or holds nothing, is
//! not proposed; what was tried is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use url::Url;

use super::exit::Exit;
use super::probe::{self, Probe, Wish};
use super::{locate, name, say};
use crate::app::rules;
use crate::clock::{self, Clock};
use crate::config::{self, Block};
use crate::desk::Rules;
use crate::fetch::{Answer, Ask, Fetcher, Obedience, user_agent};
use crate::model::place::Level;
use crate::model::setting::Settings;
use crate::model::source::Source;
use crate::model::time::{Time, Trust};
use crate::normalise;
use crate::parse::{self, Fetched, Offers};
use crate::place::{Found, Gazetteer, Look};
use crate::poll::parsers::Parsers;

/// Headlines shown of each proposal.
const SAMPLES: usize = 5;

/// Most addresses that are tried, the page itself included: a site is a host, not a target.
const ASKED: usize = 24;

/// Most feeds that are proposed.
const FEEDS: usize = 4;

/// Longest name of a place that the name of a site may begin with, in characters.
const LONGEST_NAME: usize = 11;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where feeds stand on sites that do not name them, below the page's folder and below the root …
const FEED_PATHS: [&str; 8] =
    ["feed", "rss.xml", "feed.xml", "atom.xml", "index.xml", "rss", "feed.json", "rss/rss.xml"];
/// … of which so many are asked for: an address that nobody named is a guess, and the last resort.
const GUESSES: usize = 5;

/// Where sitemaps stand on sites whose robots.txt names none; those for news first.
const SITEMAP_PATHS: [&str; 5] =
    ["/news-sitemap.xml", "/sitemap-news.xml", "/sitemap_news.xml", "/sitemap.xml", "/sitemap_index.xml"];

/// Zones of the countries that have one, by the end of a host.
const ZONES: [(&str, &str); 26] = [
    ("at", "Europe/Vienna"),
    ("be", "Europe/Brussels"),
    ("ch", "Europe/Zurich"),
    ("cn", "Asia/Shanghai"),
    ("cz", "Europe/Prague"),
    ("de", "Europe/Berlin"),
    ("dk", "Europe/Copenhagen"),
    ("fi", "Europe/Helsinki"),
    ("fr", "Europe/Paris"),
    ("gr", "Europe/Athens"),
    ("hk", "Asia/Hong_Kong"),
    ("hu", "Europe/Budapest"),
    ("ie", "Europe/Dublin"),
    ("in", "Asia/Kolkata"),
    ("it", "Europe/Rome"),
    ("jp", "Asia/Tokyo"),
    ("kr", "Asia/Seoul"),
    ("mo", "Asia/Macau"),
    ("nl", "Europe/Amsterdam"),
    ("no", "Europe/Oslo"),
    ("pl", "Europe/Warsaw"),
    ("se", "Europe/Stockholm"),
    ("sg", "Asia/Singapore"),
    ("tw", "Asia/Taipei"),
    ("uk", "Europe/London"),
    ("vn", "Asia/Ho_Chi_Minh"),
];

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Append the proposal of this number, from 1, to feeds.toml.
    pub write: Option<usize>,
    /// Print JSON.
    pub json: bool,
}

/// Something of the site that can be read.
#[derive(Debug, Clone)]
struct Proposal {
    /// The key of feeds.toml that names it.
    kind: &'static str,
    url: String,
    /// How it was found, in words.
    how: String,
    format: String,
    charset: String,
    items: usize,
    dated: usize,
    newest: Option<String>,
    samples: Vec<String>,
    /// What came of the page of its first article, if it needs one.
    article: Option<String>,
    id: String,
    block: String,
}

/// What is known of the site as a whole.
#[derive(Debug, Default)]
struct Site {
    name: String,
    host: String,
    city: Option<String>,
    zone: Option<&'static str>,
    government: bool,
}

/// Looks at a site, prints what it offers, and appends a block where that is wanted.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, path: &Path, target: &str, options: Options) -> Exit {
    let exists = path.exists();
    let settings = if exists {
        match locate::load(path) {
            Ok(loaded) => loaded.settings,
            Err(exit) => return exit,
        }
    } else {
        match config::load_text(path, String::new()) {
            Ok(loaded) => loaded.settings,
            Err(_) => return Exit::Config.failed("no settings can be made without a feeds.toml"),
        }
    };
    // What people type has no scheme.
    let target = target.trim();
    let written = if target.contains("://") { target.to_owned() } else { format!("https://{target}") };
    let known = Url::parse(&written).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if known.is_none() {
        return Exit::Data.failed(format!("`{target}` is no address: give one such as https://www.example.org/news/"));
    }
    let clock = clock::system();
    let fetcher = match Fetcher::new(&settings.fetch, user_agent(&settings.site), clock.clone()) {
        Ok(fetcher) => fetcher,
        Err(error) => return Exit::Config.failed(error),
    };
    let parsers = match Parsers::new(1) {
        Ok(parsers) => parsers,
        Err(error) => return Exit::Unavailable.failed(format!("no thread to read on: {error}")),
    };
    let rules = rules(&settings);
    let search = Search {
        settings: &settings,
        fetcher: &fetcher,
        parsers: &parsers,
        rules: &rules,
        clock: &clock,
        asked: BTreeSet::new(),
        proposals: Vec::new(),
        tried: Vec::new(),
        site: Site::default(),
    };
    let found = match runtime.block_on(search.run(&written)) {
        Ok(found) => found,
        Err(error) => return Exit::Unavailable.failed(format!("{written}: {error}")),
    };
    let exit = if found.proposals.is_empty() { Exit::Data } else { Exit::Fine };
    let text = if options.json { format!("{}\n", machine(&found, &written)) } else { people(&found, &written) };
    let said = say::out(text, exit);
    if exit != Exit::Fine {
        return exit.failed("nothing that can be read was found; give the address of a page that lists articles");
    }
    match options.write {
        Some(number) if said == Exit::Fine => write(path, exists, &settings, &found, number),
        _ => said,
    }
}

/// What was found.
struct Search<'a> {
    settings: &'a Settings,
    fetcher: &'a Fetcher,
    parsers: &'a Parsers,
    rules: &'a Rules,
    clock: &'a Clock,
    /// Addresses already asked.
    asked: BTreeSet<String>,
    proposals: Vec<Proposal>,
    /// What was tried in vain, with the reason.
    tried: Vec<(String, String)>,
    site: Site,
}

impl Search<'_> {
    async fn run(mut self, target: &str) -> Result<Self, String> {
        let bar = probe::spinner("addresses asked");
        self.asked.insert(target.to_owned());
        let answer = self.get(target).await?;
        let home = Url::parse(&answer.url).map_err(|error| error.to_string())?;
        self.asked.insert(answer.url.clone());
        let now = (self.clock)();
        let zone = self.settings.site.zone.parse().unwrap_or(chrono_tz::UTC);
        let fetched = |answer: &Answer| (answer.body.clone(), answer.content_type.clone(), answer.url.clone());
        let (body, content_type, url) = fetched(&answer);
        let offers = self
            .parsers
            .run(move || {
                parse::offers(&Fetched { body: &body, content_type: content_type.as_deref(), url: &url, at: now }, zone)
            })
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())?;
        self.site = self.know(&offers, &home);
        // The address itself may be what is looked for.
        for kind in ["feed", "sitemap"] {
            if self.proposals.is_empty()
                && let Ok(source) = self.source(kind, &answer.url, None)
            {
                self.propose_body(kind, source, &answer, now, "the address itself");
            }
        }
        if !self.proposals.is_empty() {
            return Ok(self);
        }
        for named in &offers.feeds {
            bar.inc(1);
            let place = if named.place == "link" { "named in the head of the page" } else { "linked on the page" };
            let how = named.title.as_ref().map_or_else(|| place.to_owned(), |title| format!("{place}: {title}"));
            if self.proposals.len() < FEEDS {
                self.propose("feed", &named.url, &how).await;
            }
        }
        if self.proposals.is_empty() {
            let folder = home.join("./").ok().filter(|folder| folder.path() != "/");
            let root = home.join("/").ok();
            let places: Vec<Url> = [folder, root].into_iter().flatten().collect();
            let paths = FEED_PATHS.iter().flat_map(|path| places.iter().filter_map(|base| base.join(path).ok()));
            for url in paths.take(GUESSES) {
                bar.inc(1);
                if self.proposals.is_empty() {
                    self.propose("feed", url.as_str(), "at a usual place").await;
                }
            }
        }
        self.sitemaps(&home, &bar).await;
        self.lists(&offers, &answer, now).await;
        bar.finish_and_clear();
        // News first: a plain sitemap has no headlines, and its articles must be fetched to know any.
        self.proposals.sort_by_key(|proposal| proposal.kind == "sitemap" && proposal.format != "news sitemap");
        Ok(self)
    }

    async fn get(&self, url: &str) -> Result<Answer, String> {
        let answer = self.fetcher.get(Ask::new(url, PATIENCE)).await.map_err(|error| error.to_string())?;
        if (200..300).contains(&answer.status) {
            Ok(answer)
        } else {
            Err(format!("the site answers {}", answer.status))
        }
    }

    /// Name, place, zone and kind of the site, as far as the page says.
    fn know(&self, offers: &Offers, home: &Url) -> Site {
        let host = home.host_str().unwrap_or_default().to_owned();
        let title = offers.title.as_deref().unwrap_or_default();
        // A title is often "column - site" or "site_column": the name of the site is at one of its ends.
        let parts: Vec<&str> = title.split(['|', '_', '-', '–', '—', '·', '>', '»']).map(str::trim).collect();
        let of_place = |part: &&&str| !self.cities(part).is_empty();
        let longest = parts.iter().filter(of_place).max_by_key(|part| part.chars().count());
        let name = offers.name.clone().or_else(|| longest.map(|part| (*part).to_owned()));
        let name = name.or_else(|| parts.last().map(|part| (*part).to_owned())).filter(|name| !name.is_empty());
        let gazetteer = self.rules.placer().gazetteer();
        let coded = offers.code.as_deref().and_then(|code| match gazetteer.find(code) {
            Found::One(unit) => unit.city.and_then(|city| gazetteer.unit(city)),
            _ => None,
        });
        let named = name.as_deref().map(|name| self.cities(name)).filter(|cities| cities.len() == 1);
        let titled = || Some(self.cities(title)).filter(|cities| cities.len() == 1);
        let city = coded.map(|unit| unit.name.clone()).or_else(|| named.or_else(titled).and_then(|mut it| it.pop()));
        let end = host.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let zone = ZONES.iter().find(|(country, _)| *country == end).map(|(_, zone)| *zone);
        Site {
            name: name.unwrap_or_else(|| host.clone()),
            city: city.filter(|city| is_covered(gazetteer, city)),
            zone: zone.filter(|zone| *zone != self.settings.site.zone),
            government: offers.government || host.contains(".gov.") || host.ends_with(".gov"),
            host,
        }
    }

    /// The cities that the name of a site is of: those it is about, or the one it begins with (许昌日报, 中国许昌,
    /// 河南许昌网).
    fn cities(&self, name: &str) -> Vec<String> {
        let look = Look { title: name, text: "", tags: &[], credits: &[], prior: &[], link: "" };
        let about: Vec<String> =
            self.rules.placer().place(&look).cities.into_iter().map(|placed| placed.name).collect();
        if !about.is_empty() {
            return about;
        }
        let gazetteer = self.rules.placer().gazetteer();
        let mut rest: Vec<char> = name.trim_start_matches("中国").chars().collect();
        // A province may stand before its city.
        for _ in 0..2 {
            let begin = (2..=rest.len().min(LONGEST_NAME)).rev().find_map(|length| {
                let name: String = rest[..length].iter().collect();
                match gazetteer.find(&name) {
                    Found::One(unit) if !name.is_ascii() => Some((length, unit)),
                    _ => None,
                }
            });
            match begin {
                Some((_, unit)) if unit.is_city() => return vec![unit.name.clone()],
                Some((length, unit)) if unit.level == Level::Province => drop(rest.drain(..length)),
                _ => break,
            }
        }
        Vec::new()
    }

    async fn sitemaps(&mut self, home: &Url, bar: &indicatif::ProgressBar) {
        let mut named: Vec<(String, String)> = Vec::new();
        if let Ok(robots) = home.join("/robots.txt")
            && let Ok(answer) = self.get(robots.as_str()).await
        {
            bar.inc(1);
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            for line in text.lines() {
                let (key, value) = line.split_once(':').unwrap_or_default();
                if key.trim().eq_ignore_ascii_case("sitemap")
                    && let Ok(url) = home.join(value.trim())
                {
                    named.push((url.into(), "named in robots.txt".to_owned()));
                }
            }
        }
        // Those for news first: they have headlines.
        named.sort_by_key(|(url, _)| !url.to_ascii_lowercase().contains("news"));
        if named.is_empty() {
            let usual = SITEMAP_PATHS.iter().filter_map(|path| home.join(path).ok());
            named.extend(usual.map(|url| (url.into(), "at a usual place".to_owned())));
        }
        let before = self.proposals.len();
        for (url, how) in named {
            bar.inc(1);
            if self.proposals.len() < before + 2 {
                self.propose("sitemap", &url, &how).await;
            }
        }
    }

    /// The lists of the page at hand; of the likeliest the first article is tried, too.
    async fn lists(&mut self, offers: &Offers, answer: &Answer, now: Time) {
        let body = if self.site.government { "gov-cn" } else { "readable" };
        if offers.lists.is_empty() {
            return;
        }
        let robots = Obedience::Obey;
        if let Err(error) = self.fetcher.may_read(Ask { robots, ..Ask::new(&answer.url, PATIENCE) }).await {
            return self.tried.push((answer.url.clone(), format!("its lists would not be polled: {error}")));
        }
        for guess in &offers.lists {
            let block = Block::default().text("id", "add").text("page", &answer.url);
            let block = match (&guess.list, &guess.links) {
                (Some(list), _) => block.list(list),
                (None, links) => block.maybe("links", links.as_deref()),
            };
            let how = if guess.list.is_some() { "a list on the page" } else { "addresses of one shape on the page" };
            let with = self.made(block.clone().text("body", body));
            let Ok(source) = with.or_else(|_| self.made(block)) else { continue };
            let before = self.proposals.len();
            self.propose_body("page", source.clone(), answer, now, how);
            let Some(proposal) = self.proposals.get_mut(before) else { continue };
            let first = read(&source, answer, self.rules, now)
                .ok()
                .and_then(|probe| probe.items.into_iter().map(|(item, _)| item.link).find(|link| !link.is_empty()));
            let Some(first) = first.filter(|_| before == 0 || self.asked.len() < ASKED) else { continue };
            let reach = crate::poll::reach::Reach {
                fetcher: std::sync::Arc::new(self.fetcher.clone()),
                parsers: self.parsers,
                source: std::sync::Arc::new(source.clone()),
                robots: Obedience::Obey,
                seat: None,
            };
            let article = reach.article(body, &first, now).await;
            self.asked.insert(first);
            let length = article
                .as_ref()
                .map_or(0, |article| article.html.as_deref().map_or(0, |html| normalise::plain(html).chars().count()));
            if length > 0 {
                proposal.article = Some(format!("its first article has {length} characters of text"));
                continue;
            }
            // No text there: the block does without.
            let why = article.err().map_or_else(|| "no text was found there".to_owned(), |error| error.to_string());
            proposal.article = Some(format!("its first article was not read ({why})"));
            let lines = proposal.block.lines().filter(|line| !line.starts_with("body = "));
            proposal.block = lines.map(|line| format!("{line}\n")).collect();
        }
    }

    /// Asks an address, and proposes it if it can be read.
    async fn propose(&mut self, kind: &'static str, url: &str, how: &str) {
        if self.asked.len() >= ASKED || !self.asked.insert(url.to_owned()) {
            return;
        }
        let source = match self.source(kind, url, None) {
            Ok(source) => source,
            Err(error) => return self.tried.push((url.to_owned(), error)),
        };
        match probe::ask(&source, self.fetcher, self.parsers, self.rules, self.clock, Wish::default()).await {
            // A redirect to something that is proposed already.
            Ok(probe) if self.proposals.iter().any(|known| known.url == probe.url) => {}
            Ok(probe) => self.keep(kind, &source, &probe, how),
            Err(error) => self.tried.push((url.to_owned(), error)),
        }
    }

    /// Proposes what an answer at hand is, if it can be read.
    fn propose_body(&mut self, kind: &'static str, source: Source, answer: &Answer, now: Time, how: &str) {
        if let Ok(probe) = read(&source, answer, self.rules, now) {
            self.keep(kind, &source, &probe, how);
        }
    }

    fn source(&self, kind: &str, url: &str, body: Option<&str>) -> Result<Source, String> {
        self.made(Block::default().text("id", "add").text(kind, url).maybe("body", body))
    }

    /// A source as the block says.
    fn made(&self, block: Block) -> Result<Source, String> {
        let defaults = Block::defaults(self.site.zone.unwrap_or(&self.settings.site.zone));
        let loaded = config::load_text(Path::new("feeds.toml"), defaults + &block.into_text());
        let loaded = loaded.map_err(|failed| failed.first_error().map(|p| p.message.clone()).unwrap_or_default())?;
        let source = loaded.settings.sources.into_iter().next().ok_or_else(|| "it makes no source".to_owned())?;
        Ok(Arc::unwrap_or_clone(source))
    }

    fn keep(&mut self, kind: &'static str, source: &Source, probe: &Probe, how: &str) {
        let sitemap = kind == "sitemap";
        let news = probe.document.format == "news sitemap";
        if probe.items.is_empty() || (sitemap && !probe.document.format.contains("sitemap")) {
            let why = if probe.items.is_empty() { "nothing stands in it" } else { "it is no sitemap" };
            return self.tried.push((probe.url.clone(), why.to_owned()));
        }
        let dates: Vec<_> = probe.items.iter().filter_map(|(item, _)| item.published.as_ref()).collect();
        let believed = dates.iter().filter(|claim| claim.trust > Trust::None).max_by_key(|claim| claim.at);
        let newest = believed.map(|claim| claim.at.at_offset(claim.offset).format("%Y-%m-%d %H:%M %:z").to_string());
        let headlines = probe
            .items
            .iter()
            .map(|(item, _)| if item.title.is_empty() { item.link.clone() } else { item.title.clone() });
        let id = self.id(kind);
        let name = match probe.document.title.as_deref().map(str::trim) {
            Some(title) if kind == "feed" && !title.is_empty() => normalise::headline(title),
            _ => self.site.name.clone(),
        };
        let block = Block::default().text("id", &id).text("name", &name);
        let block = match &source.kind {
            crate::model::source::Kind::Page { url, list, links } => {
                let block = block.text("page", url);
                match list.first() {
                    Some(list) => block.list(list),
                    None => block.maybe("links", links.as_deref()),
                }
            }
            _ => block.text(kind, if kind == "feed" { source.kind.address() } else { &probe.url }),
        };
        let block = block
            .maybe("body", source.how.body.as_deref().or((sitemap && !news).then_some("readable")))
            .maybe("city", self.site.city.as_deref())
            .maybe("zone", self.site.zone)
            .maybe("rank", self.site.government.then_some("origin"));
        self.proposals.push(Proposal {
            kind,
            url: probe.url.clone(),
            how: how.to_owned(),
            format: probe.document.format.clone(),
            charset: probe.document.charset.clone(),
            items: probe.items.len(),
            dated: dates.len(),
            newest,
            samples: headlines.take(SAMPLES).collect(),
            article: None,
            id,
            block: block.into_text(),
        });
    }

    /// An id that no source has, and no other proposal.
    fn id(&self, kind: &str) -> String {
        let suffix = if kind == "feed" { "" } else { kind };
        name::free(&self.site.host, suffix, |id| {
            self.settings.sources.iter().any(|source| source.id().as_str() == id)
                || self.proposals.iter().any(|proposal| proposal.id == id)
        })
    }

    /// The source of feeds.toml that reads an address already.
    fn known(&self, url: &str) -> Option<&Source> {
        let same = |source: &&Source| normalise::canonical(source.kind.address()) == normalise::canonical(url);
        self.settings.sources.iter().map(|source| &**source).find(same)
    }
}

fn is_covered(gazetteer: &Gazetteer, city: &str) -> bool {
    matches!(gazetteer.find(city), Found::One(unit) if gazetteer.covered(unit.code))
}

fn read(source: &Source, answer: &Answer, rules: &Rules, now: Time) -> Result<Probe, String> {
    probe::read(source, &answer.body, answer.content_type.as_deref(), &answer.url, rules, now, Wish::default())
}

/// Lines of TOML: what is said about a proposal stands in comments, so that all of it can be pasted.
fn people(found: &Search<'_>, target: &str) -> String {
    let mut out = String::new();
    let count = found.proposals.len();
    // Writing to a String cannot fail.
    let _ = match count {
        0 => writeln!(out, "# {target}: nothing was found"),
        1 => writeln!(out, "# {target}: one thing to read"),
        _ => writeln!(out, "# {target}: {count} things to read, the likeliest first; one of them is enough"),
    };
    for (i, proposal) in found.proposals.iter().enumerate() {
        let _ = writeln!(out, "\n# {} of {count}: {}, {}", i + 1, proposal.format, proposal.how);
        let newest = proposal.newest.as_ref().map(|newest| format!(", the newest {newest}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "#   {} items, {} dated{newest}; charset {}",
            proposal.items, proposal.dated, proposal.charset
        );
        for sample in &proposal.samples {
            let _ = writeln!(out, "#   - {}", sample.replace(char::is_control, " "));
        }
        if let Some(article) = &proposal.article {
            let _ = writeln!(out, "#   {article}");
        }
        if let Some(known) = found.known(&proposal.url) {
            let _ = writeln!(out, "#   feeds.toml has it already: {}", known.id());
        }
        out.push_str(&proposal.block);
    }
    if count == 0 {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (url, why) in &found.tried {
            reasons.entry(why).or_default().push(url);
        }
        for (why, urls) in reasons {
            let more = if urls.len() > 1 { format!(" and {} more", urls.len() - 1) } else { String::new() };
            let _ = writeln!(out, "#   {}{more}: {why}", urls.first().copied().unwrap_or_default());
        }
    }
    out
}

fn machine(found: &Search<'_>, target: &str) -> serde_json::Value {
    let proposals = found.proposals.iter().map(|proposal| {
        json!({
            "kind": proposal.kind,
            "id": proposal.id,
            "url": proposal.url,
            "how": proposal.how,
            "format": proposal.format,
            "charset": proposal.charset,
            "items": proposal.items,
            "dated": proposal.dated,
            "newest": proposal.newest,
            "samples": proposal.samples,
            "article": proposal.article,
            "known": found.known(&proposal.url).map(|source| source.id().as_str()),
            "block": proposal.block,
        })
    });
    json!({
        "url": target,
        "name": found.site.name,
        "city": found.site.city,
        "zone": found.site.zone,
        "proposals": proposals.collect::<Vec<_>>(),
        "tried": found.tried.iter().map(|(url, why)| json!({ "url": url, "why": why })).collect::<Vec<_>>(),
    })
}

/// Appends a block. The file as it would be is read first: what would not be accepted is not written.
fn write(path: &Path, exists: bool, settings: &Settings, found: &Search<'_>, number: usize) -> Exit {
    let Some(proposal) = number.checked_sub(1).and_then(|at| found.proposals.get(at)) else {
        let count = found.proposals.len();
        return Exit::Usage.failed(format!("there is no proposal {number}: give --pick a number from 1 to {count}"));
    };
    if let Some(known) = found.known(&proposal.url) {
        return Exit::Data.failed(format!("{} has it already: source {}", path.display(), known.id()));
    }
    debug_assert!(!settings.sources.iter().any(|source| source.id().as_str() == proposal.id));
    // A link keeps being one: what it leads to is written.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut text = match if exists { std::fs::read_to_string(&target) } else { Ok(String::new()) } {
        Ok(text) => text,
        Err(error) => return Exit::Io.failed(format!("{} cannot be read: {error}", path.display())),
    };
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    text.push_str(&proposal.block);
    if let Err(failed) = config::load_text(path, text.clone()) {
        for problem in &failed.problems {
            eprintln!("{}", problem.block());
        }
        return Exit::Config.failed(format!("{} would be wrong with this block: nothing was written", path.display()));
    }
    if let Err(error) = super::write::whole(path, &text) {
        return Exit::CannotCreate.failed(format!("{} cannot be written: {error}", path.display()));
    }
    eprintln!("appended {} to {}; a running citydesk reads it within a second", proposal.id, path.display());
    Exit::Fine
}
