//! "Which cities is this about?": the judgement on one item.
//!
//! Deterministic and explained; weights are integers, per mille:
//!
//! 1. Texts are brought to their plain form (width, case, script), positions kept.
//! 2. Names are matched leftmost, longest: full, short, former, configured. Longer phrases in which a name is no place
//!    are matched by the same automaton, so they win.
//! 3. A short name is dropped where it is part of a road, company or township, or stands behind a surname.
//! 4. A name right behind another one is read inside it (河南三门峡, 北京朝阳, 许昌襄城). Else a city goes before counties.
//!    Weak names, and names that several units bear, wait: they go to the unit whose city, else source, else province is
//!    otherwise named; if that leaves none or several, they are dropped and told.
//! 5. Each name gives weight to its city: by zone, form, repetition; less for a dateline of a national agency, for an
//!    origin or destination, inside 《》. The source's city is a prior: it adds, but never against a named place.
//! 6. Cities of at least [`ENOUGH`] and at least [`SHARE`] of the best are the story's; more than [`NATIONAL`]: none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::gazetteer::{Form, Gazetteer, Unit};
use super::surface::{Mark, Search, Surface, is_han, lies_in};
use super::words::WORDS;
use crate::model::fold::plain;
use crate::model::item::Credit;
use crate::model::place::{Code, Level, Placed, Places};

/// Score that a city needs, in thousandths.
pub const ENOUGH: i64 = 1_000;
/// Share of the best score that a further city needs, per mille.
pub const SHARE: i64 = 550;
/// More cities than this make an item national: it is about none of them.
pub const NATIONAL: usize = 5;
/// Characters of text that are looked at: the lede decides, what comes after it says little.
pub const TEXT_MAX: usize = 600;
/// Tags and credits that are looked at, each.
pub const LABELS_MAX: usize = 16;
/// Reasons kept per place, and drops kept per item.
pub const REASONS_MAX: usize = 8;

/// What the placer looks at: one item.
#[derive(Debug, Default, Clone, Copy)]
pub struct Look<'a> {
    /// Headline.
    pub title: &'a str,
    /// Text, as far as there is any; its beginning counts.
    pub text: &'a str,
    /// The source's own tags.
    pub tags: &'a [String],
    /// Who is credited.
    pub credits: &'a [Credit],
    /// Cities (or provinces) that the source usually writes about: a prior, not a verdict.
    pub prior: &'a [Code],
    /// Address of the article.
    pub link: &'a str,
}

/// Where a name stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Zone {
    Title,
    Lede,
    Text,
    Rest,
    Tag,
    Credit,
}

impl Zone {
    /// Weight of a short name there, in thousandths.
    const fn weight(self) -> i64 {
        match self {
            Self::Title => 3_000,
            Self::Lede => 1_600,
            Self::Text => 1_000,
            Self::Rest => 300,
            Self::Tag => 2_000,
            Self::Credit => 500,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Title => "headline",
            Self::Lede => "lede",
            Self::Text | Self::Rest => "text",
            Self::Tag => "tag",
            Self::Credit => "credit",
        }
    }
}

/// Characters at the beginning of the text that count as lede, and as text.
const LEDE: usize = 40;
const BODY: usize = 200;
/// Factors, per mille.
const FULL: i64 = 1_300;
const INSIDE: i64 = 1_200;
const REPEAT: i64 = 300;
const PASSING: i64 = 300;
const DATELINE: i64 = 250;
const QUOTED: i64 = 300;
/// What the source's own city gets, and what 我市 adds.
const PRIOR: i64 = 1_200;
const OURS: i64 = 1_000;

/// A name found.
#[derive(Debug, Clone)]
struct Hit {
    zone: Zone,
    surface: u32,
    /// Which text of the item, so that neighbours are told from strangers.
    place: usize,
    start: usize,
    end: usize,
    /// The unit it is read as.
    chosen: Option<Code>,
    /// Read inside the name before it.
    inside: bool,
    /// Product of the factors that lessen it, per mille, and the words for them.
    factor: i64,
    why: Vec<&'static str>,
    /// In full.
    full: bool,
}

/// What else the texts said.
#[derive(Debug, Default)]
struct Signals {
    abroad: bool,
    our_city: bool,
    our_province: bool,
}

/// Finds the cities of an item. Made once; cheap to share.
#[derive(Debug)]
pub struct Placer {
    gazetteer: Arc<Gazetteer>,
    search: Search,
}

impl Placer {
    /// A placer over this gazetteer.
    #[must_use]
    pub fn new(gazetteer: Arc<Gazetteer>) -> Self {
        let search = Search::new(&gazetteer, &WORDS);
        Self { gazetteer, search }
    }

    /// The gazetteer it was made of.
    #[must_use]
    pub fn gazetteer(&self) -> &Arc<Gazetteer> {
        &self.gazetteer
    }

    /// The cities and provinces that the item is about, covered ones only, with the reasons.
    #[must_use]
    pub fn place(&self, look: &Look<'_>) -> Places {
        let mut work = Work { placer: self, hits: Vec::new(), signals: Signals::default(), dropped: Vec::new() };
        work.scan_text(Zone::Title, 0, look.title, usize::MAX);
        work.scan_text(Zone::Text, 1, look.text, TEXT_MAX);
        for (index, tag) in look.tags.iter().take(LABELS_MAX).enumerate() {
            work.scan_text(Zone::Tag, 2 + index, tag, TEXT_MAX);
        }
        for (index, credit) in look.credits.iter().take(LABELS_MAX).enumerate() {
            work.scan_text(Zone::Credit, 2 + LABELS_MAX + index, &credit.name, TEXT_MAX);
        }
        let prior: Vec<&Unit> = look.prior.iter().filter_map(|code| self.gazetteer.unit(*code)).collect();
        work.resolve(&prior);
        work.decide(&prior)
    }

    fn surface(&self, hit: &Hit) -> Option<&Surface> {
        self.search.surfaces.get(hit.surface as usize)
    }
}

/// One judgement in the making.
struct Work<'a> {
    placer: &'a Placer,
    hits: Vec<Hit>,
    signals: Signals,
    dropped: Vec<String>,
}

impl<'a> Work<'a> {
    fn drop_name(&mut self, name: &str, why: &str) {
        let line = format!("{name}: {why}");
        if self.dropped.len() < REASONS_MAX && !self.dropped.contains(&line) {
            self.dropped.push(line);
        }
    }

    /// Finds the names of one text; `zone` is that of its beginning for a title, tag or credit.
    fn scan_text(&mut self, zone: Zone, place: usize, text: &str, most: usize) {
        let text: String = text.chars().take(most).map(plain).collect();
        let nth = |count: usize| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
        let (lede, body) = if zone == Zone::Text { (nth(LEDE), nth(BODY)) } else { (0, 0) };
        let search = &self.placer.search;
        let mut agency: Option<usize> = None;
        for (start, end, mark) in search.find(&text) {
            let index = match mark {
                Mark::Name(index) => index,
                Mark::Agency => {
                    agency = Some(end);
                    continue;
                }
                Mark::Abroad => {
                    self.signals.abroad |= zone == Zone::Title || start < lede;
                    continue;
                }
                Mark::OurCity => {
                    self.signals.our_city = true;
                    continue;
                }
                Mark::OurProvince => {
                    self.signals.our_province = true;
                    continue;
                }
                Mark::Block => {
                    if zone != Zone::Credit {
                        self.drop_name(&text[start..end], "no place in this phrase");
                    }
                    continue;
                }
            };
            let Some(surface) = search.surfaces.get(index as usize) else { continue };
            let (before, after) = (&text[..start], &text[end..]);
            let beside = self.hits.last().is_some_and(|last| last.place == place && is_joint(&text[last.end..start]));
            let full = surface.bearers.first().is_some_and(|(form, _)| *form == Form::Full)
                && !(surface.text.ends_with('市') && after.starts_with('场'))
                && !(surface.text.ends_with('区') && after.starts_with(['域', '间']));
            if !full {
                if let Some(why) = no_place(before, after, surface, self.placer, beside) {
                    if zone != Zone::Credit {
                        self.drop_name(&surface.text, why);
                        continue;
                    }
                }
            }
            let zone = match zone {
                Zone::Text if start < lede => Zone::Lede,
                Zone::Text if start >= body => Zone::Rest,
                other => other,
            };
            let mut hit = Hit {
                zone,
                surface: index,
                place,
                start,
                end,
                chosen: None,
                inside: false,
                factor: 1_000,
                why: Vec::new(),
                full,
            };
            let mut lessen = |factor: i64, why: &'static str| {
                hit.factor = hit.factor * factor / 1_000;
                hit.why.push(why);
            };
            if is_dateline(&text, start, end, agency) {
                lessen(DATELINE, "dateline of an agency");
            }
            if WORDS.before.iter().any(|word| before.ends_with(word.as_str()))
                || WORDS.origin.iter().any(|word| after.starts_with(word.as_str()))
            {
                lessen(PASSING, "origin or destination");
            }
            if before.matches('《').count() > before.matches('》').count() {
                lessen(QUOTED, "in a title of a work");
            }
            self.hits.push(hit);
        }
    }

    fn unit(&self, code: Code) -> Option<&'a Unit> {
        self.placer.gazetteer.unit(code)
    }

    /// Gives each hit the unit it means.
    fn resolve(&mut self, prior: &[&Unit]) {
        let placer = self.placer;
        let gazetteer = &placer.gazetteer;
        // First what is certain by itself or by its neighbour.
        for index in 0..self.hits.len() {
            let Some(surface) = placer.surface(&self.hits[index]) else { continue };
            let beside = index.checked_sub(1).map(|before| &self.hits[before]).filter(|before| {
                before.place == self.hits[index].place && self.hits[index].start <= before.end + '\u{3000}'.len_utf8()
            });
            let outer = beside.and_then(|hit| hit.chosen);
            let bearers: Vec<&Unit> = surface.bearers.iter().filter_map(|(_, code)| gazetteer.unit(*code)).collect();
            if let Some(outer) = outer {
                let within: Vec<&&Unit> =
                    bearers.iter().filter(|unit| unit.code != outer && lies_in(unit, outer)).collect();
                let best = within.iter().map(|unit| unit.level).min();
                if let [one] = within.iter().filter(|unit| Some(unit.level) == best).collect::<Vec<_>>().as_slice() {
                    self.hits[index].chosen = Some(one.code);
                    self.hits[index].inside = true;
                    continue;
                }
            }
            if surface.weak && !self.hits[index].full {
                continue;
            }
            self.hits[index].chosen = plain_reading(&surface.bearers, gazetteer);
        }
        // Then what waits, by what was found.
        let mut cities: BTreeSet<Code> = BTreeSet::new();
        let mut provinces: BTreeSet<Code> = BTreeSet::new();
        for unit in self.hits.iter().filter_map(|hit| hit.chosen).filter_map(|code| gazetteer.unit(code)) {
            provinces.insert(unit.province);
            cities.extend(unit.city);
        }
        for index in 0..self.hits.len() {
            let Some(surface) = placer.surface(&self.hits[index]).filter(|_| self.hits[index].chosen.is_none()) else {
                continue;
            };
            let weak = surface.weak && !self.hits[index].full;
            let bearers: Vec<&Unit> = surface.bearers.iter().filter_map(|(_, code)| gazetteer.unit(*code)).collect();
            let by_city = |unit: &&&Unit| unit.city.is_some_and(|city| cities.contains(&city));
            let by_prior = |unit: &&&Unit| prior.iter().any(|own| lies_in(unit, own.code) || unit.code == own.province);
            let by_province = |unit: &&&Unit| !weak && provinces.contains(&unit.province);
            let one = [
                bearers.iter().filter(by_city).collect::<Vec<_>>(),
                bearers.iter().filter(by_prior).collect(),
                bearers.iter().filter(by_province).collect(),
            ];
            let chosen = one.iter().find(|all| !all.is_empty()).and_then(|all| {
                // Of a city and a county of the same name in it, the city.
                let best = all.iter().map(|unit| unit.level).min();
                let top: Vec<_> = all.iter().filter(|unit| Some(unit.level) == best).collect();
                if let [one] = top.as_slice() { Some(one.code) } else { None }
            });
            if chosen.is_some() {
                self.hits[index].chosen = chosen;
            } else {
                let why = if weak {
                    "also a common word, and nothing else speaks for the place"
                } else {
                    "several places of this name"
                };
                let name = surface.text.clone();
                self.drop_name(&name, why);
            }
        }
    }

    /// Adds up and decides.
    fn decide(mut self, prior: &[&Unit]) -> Places {
        let placer = self.placer;
        let mut cities: BTreeMap<Code, Tally> = BTreeMap::new();
        let mut provinces: BTreeMap<Code, Tally> = BTreeMap::new();
        for index in 0..self.hits.len() {
            let hit = &self.hits[index];
            let (Some(surface), Some(unit)) = (placer.surface(hit), hit.chosen.and_then(|code| self.unit(code))) else {
                continue;
            };
            // A province right before its city is part of the city's name.
            let follows = self
                .hits
                .get(index + 1)
                .filter(|next| next.inside && next.place == hit.place && next.start <= hit.end + 3);
            if unit.city.is_none() && follows.is_some() {
                provinces.entry(unit.code).or_default().named = true;
                continue;
            }
            let tally = match unit.city {
                Some(city) => cities.entry(city).or_default(),
                None => provinces.entry(unit.code).or_default(),
            };
            let kind = if hit.zone == Zone::Lede || hit.zone == Zone::Rest { Zone::Text } else { hit.zone };
            let mut weight = hit.zone.weight() * hit.factor / 1_000;
            let mut why = hit.why.clone();
            if hit.full {
                weight = weight * FULL / 1_000;
                why.insert(0, "in full");
            }
            if hit.inside {
                weight = weight * INSIDE / 1_000;
                why.insert(0, "inside the name before");
            }
            if tally.zones.contains(&kind) {
                weight = weight * REPEAT / 1_000;
                why.push("again");
            }
            tally.zones.insert(kind);
            tally.named = true;
            if unit.level == Level::County && unit.city != Some(unit.code) && !tally.counties.contains(&unit.code) {
                tally.counties.push(unit.code);
            }
            let name = if unit.city.is_some_and(|city| city != unit.code) || surface.text != unit.short && !hit.full {
                format!("{} ({})", surface.text, unit.name)
            } else {
                surface.text.clone()
            };
            let behind = if why.is_empty() { String::new() } else { format!(", {}", why.join(", ")) };
            tally.add(weight, format!("{}: {name} +{}{behind}", hit.zone.word(), thousandths(weight)));
        }
        self.add_prior(prior, &mut cities, &mut provinces);
        self.choose(cities, provinces)
    }

    /// The source's own city: supports what is named, stands in where nothing is, never speaks against a named place.
    fn add_prior(
        &mut self,
        prior: &[&Unit],
        cities: &mut BTreeMap<Code, Tally>,
        provinces: &mut BTreeMap<Code, Tally>,
    ) {
        let own: BTreeSet<Code> = prior.iter().filter_map(|unit| unit.city).collect();
        let own_provinces: BTreeSet<Code> = prior.iter().map(|unit| unit.province).collect();
        let strong = |tally: &Tally| tally.score >= ENOUGH;
        let elsewhere = cities.iter().any(|(code, tally)| !own.contains(code) && strong(tally));
        let provincial = provinces.values().any(strong);
        for city in &own {
            let named = cities.get(city).is_some_and(|tally| tally.named);
            if named {
                cities.entry(*city).or_default().add(PRIOR, format!("source's city +{}", thousandths(PRIOR)));
            } else if !elsewhere && !provincial && !self.signals.abroad {
                let words = if self.signals.our_city {
                    "the item says 我市 or the like: its source's city"
                } else {
                    "names no place: its source's city"
                };
                cities.entry(*city).or_default().add(PRIOR, format!("{words} +{}", thousandths(PRIOR)));
            } else if self.signals.our_city && own.len() == 1 {
                cities
                    .entry(*city)
                    .or_default()
                    .add(OURS, format!("我市, 全市 or the like: its source's city +{}", thousandths(OURS)));
            }
        }
        let own_alone = own.is_empty()
            && !elsewhere
            && !provincial
            && !self.signals.abroad
            && cities.values().all(|tally| !strong(tally));
        for province in &own_provinces {
            if self.signals.our_province {
                provinces
                    .entry(*province)
                    .or_default()
                    .add(OURS, format!("我省, 全省 or the like: its source's province +{}", thousandths(OURS)));
            } else if own_alone {
                provinces
                    .entry(*province)
                    .or_default()
                    .add(PRIOR, format!("names no place: its source's province +{}", thousandths(PRIOR)));
            }
        }
    }

    fn choose(mut self, cities: BTreeMap<Code, Tally>, provinces: BTreeMap<Code, Tally>) -> Places {
        let gazetteer = &self.placer.gazetteer;
        let best = cities.values().map(|tally| tally.score).max().unwrap_or(0);
        let mut chosen: Vec<(Code, Tally)> = Vec::new();
        let mut left: Vec<(Code, i64)> = Vec::new();
        for (code, tally) in cities {
            if tally.score >= ENOUGH && tally.score * 1_000 >= best * SHARE {
                chosen.push((code, tally));
            } else {
                left.push((code, tally.score));
            }
        }
        for (code, score) in left {
            let name = gazetteer.unit(code).map_or("", |unit| unit.short.as_str()).to_owned();
            self.drop_name(
                &name,
                &format!("named in passing ({} of {})", thousandths(score), thousandths(best.max(ENOUGH))),
            );
        }
        if chosen.len() > NATIONAL {
            self.drop_name(&format!("{} cities", chosen.len()), "too many: a national story");
            chosen.clear();
        }
        chosen.sort_by_key(|(code, tally)| (-tally.score, *code));
        let mut totals: BTreeMap<Code, Tally> =
            provinces.into_iter().filter(|(_, tally)| tally.score >= ENOUGH).collect();
        let most = totals.values().map(|tally| tally.score).max().unwrap_or(0).max(best);
        totals.retain(|_, tally| tally.score * 1_000 >= most * SHARE);
        for (code, tally) in &chosen {
            let Some(unit) = gazetteer.unit(*code) else { continue };
            let total = totals.entry(unit.province).or_default();
            total.score = total.score.max(tally.score);
            if unit.province != *code {
                total.reasons.push(format!("{} lies in it", unit.short));
            } else if total.reasons.is_empty() {
                total.reasons.clone_from(&tally.reasons);
            }
        }
        let mut all: Vec<(Code, Tally)> = totals.into_iter().collect();
        all.sort_by_key(|(code, tally)| (-tally.score, *code));
        let finish = |all: Vec<(Code, Tally)>| -> Vec<Placed> {
            all.into_iter().filter_map(|(code, tally)| gazetteer.unit(code).map(|unit| tally.placed(unit))).collect()
        };
        let (mut cities, mut provinces) = (finish(chosen), finish(all));
        let uncovered: Vec<String> =
            cities.iter().filter(|placed| !gazetteer.covered(placed.code)).map(|placed| placed.name.clone()).collect();
        for name in uncovered {
            self.drop_name(&name, "not covered here");
        }
        cities.retain(|placed| gazetteer.covered(placed.code));
        provinces.retain(|placed| gazetteer.covered(placed.code));
        Places { cities, provinces, dropped: self.dropped }
    }
}

/// What speaks for one place.
#[derive(Debug, Default, Clone)]
struct Tally {
    score: i64,
    reasons: Vec<String>,
    zones: BTreeSet<Zone>,
    counties: Vec<Code>,
    /// Named in the item, not only by its source.
    named: bool,
}

impl Tally {
    fn add(&mut self, weight: i64, reason: String) {
        self.score += weight;
        if self.reasons.len() < REASONS_MAX {
            self.reasons.push(reason);
        }
    }

    fn placed(self, unit: &Unit) -> Placed {
        // From 0 to 1000, half at 1.2: more than one sign takes it beyond.
        let score = (self.score * 1_000 / (self.score + 1_200).max(1)).clamp(0, 1_000) as u16;
        Placed {
            code: unit.code,
            name: unit.name.clone(),
            score,
            evidence: self.reasons,
            counties: self.counties,
            point: unit.point,
        }
    }
}

/// The reading of a name by itself: the one unit that bears it, or the one city; a province before a city of its name.
fn plain_reading(bearers: &[(Form, Code)], gazetteer: &Gazetteer) -> Option<Code> {
    let best = bearers.first().map(|(form, _)| *form)?;
    // A former or short name does not compete with a full one.
    let units: Vec<&Unit> = bearers
        .iter()
        .filter(|(form, _)| *form == best || best != Form::Full)
        .filter_map(|(_, code)| gazetteer.unit(*code))
        .collect();
    let top = units.iter().map(|unit| unit.level).min()?;
    match units.iter().filter(|unit| unit.level == top).collect::<Vec<_>>().as_slice() {
        [one] => Some(one.code),
        _ => None,
    }
}

/// Whether two names with this between them stand beside each other.
fn is_joint(between: &str) -> bool {
    matches!(between, "" | " " | "·" | "-" | "\u{3000}")
}

/// Common surnames, where none is also a preposition or the end of a common word before a place.
const SURNAMES: &str = "王李张刘陈杨赵黄周吴徐孙胡朱林何郭马罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范姚谭廖邹熊陆郝孔崔邱秦顾侯邵孟段雷钱汤尹黎武贺赖龚";

/// Why a short name is no place here, if so.
fn no_place(before: &str, after: &str, surface: &Surface, placer: &Placer, beside: bool) -> Option<&'static str> {
    let words = &*WORDS;
    if words.behind.iter().any(|word| after.starts_with(word.as_str()))
        && !words.allowed.iter().any(|word| after.starts_with(word.as_str()))
    {
        return Some("part of the name of a road, company or paper");
    }
    let county = surface.bearers.iter().all(|(_, code)| {
        placer.gazetteer.unit(*code).is_some_and(|unit| unit.level == Level::County && !unit.is_city())
    });
    if (county || surface.weak) && !beside {
        if after.starts_with(['镇', '乡', '村', '屯', '庄']) {
            return Some("a town or village of the same name");
        }
        let mut letters = before.chars().rev();
        if surface.text.chars().count() == 2
            && letters.next().is_some_and(|letter| SURNAMES.contains(letter))
            && !letters.next().is_some_and(|letter| is_han(letter) && SURNAMES.contains(letter))
        {
            return Some("behind a surname");
        }
    }
    None
}

/// Whether the name is where an agency's reporter sits: 新华社郑州8月3日电, 郑州8月3日电.
fn is_dateline(text: &str, start: usize, end: usize, agency: Option<usize>) -> bool {
    let rest = text[end..]
        .trim_start_matches(|letter: char| letter.is_ascii_digit() || matches!(letter, '月' | '日' | ' ' | '市'));
    let by_agency = agency.is_some_and(|at| at <= start && text[at..start].chars().count() <= 2);
    if rest.starts_with('电') {
        text[end..].chars().next().is_some_and(|next| next.is_ascii_digit()) || by_agency
    } else {
        by_agency && rest.starts_with(['讯', '(', '/'])
    }
}

/// Thousandths as a decimal with two places: 3900 is 3.90.
fn thousandths(value: i64) -> String {
    format!("{}.{:02}", value / 1_000, value % 1_000 / 10)
}
