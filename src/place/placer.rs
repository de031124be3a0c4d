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
//!    origin or destination, for whom somebody teaches or works for, inside 《》, and as an example of what is done all over
//!    the country. The source's city is a prior: it adds, but never against a named place.
//!    A name in letters is a whole word written with a capital; in such texts four characters say as much as one of Chinese.
//! 6. Cities of at least [`ENOUGH`] and at least [`SHARE`] of the best are the story's; more than [`NATIONAL`]: none.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::gazetteer::{Form, Gazetteer, Unit};
use super::surface::{Mark, Search, Surface, after_first, is_han, lies_in};
use super::words::WORDS;
use crate::model::evidence::{Discard, Dropped, Note, Sign, Zone};
use crate::model::fold::push_plain;
use crate::model::item::Credit;
use crate::model::place::{Code, Level, Placed, Places};

/// Score that a city needs, in thousandths.
pub const ENOUGH: i64 = 1_000;
/// Share of the best score that a further city needs, per mille.
pub const SHARE: i64 = 550;
/// More cities than this make an item national: it is about none of them.
pub const NATIONAL: usize = 5;
/// Characters of a headline, tag or credit that are looked at.
pub const TITLE_MAX: usize = 300;
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
    /// Address of the article: its host may speak for a city.
    pub link: &'a str,
}

/// Weight of a short name, in thousandths, by where it stood.
const fn weight(zone: Zone) -> i64 {
    match zone {
        Zone::Title => 3_000,
        Zone::Lede => 1_600,
        Zone::Text => 900,
        Zone::Rest => 300,
        Zone::Tag => 2_000,
        Zone::Credit => 500,
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
/// Where an agency's reporter sits, by what the agency has there: its head office, a bureau, or nothing, so that somebody
/// went there for the story; and for a match that is reported from elsewhere than the head office.
const HEAD_OFFICE: i64 = 60;
const BUREAU: i64 = 250;
const SENT: i64 = 1_000;
const MATCH: i64 = 650;
/// A landmark below the headline, and a name below a headline that tells of abroad alone.
const LANDMARK: i64 = 700;
const ABROAD: i64 = 500;
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
    /// Product of the factors that lessen it, per mille, and what they stand for.
    factor: i64,
    why: Vec<Note>,
    /// In full.
    full: bool,
    /// Where an agency's reporter sits.
    dateline: bool,
    /// The dispatch is about sports.
    sports: bool,
    /// At the end of its text.
    last: bool,
    /// It opens a sentence in which something happens there: 安康发生多起火灾.
    told: bool,
}

/// What else the texts said.
#[derive(Debug, Default)]
struct Signals {
    abroad: bool,
    /// So does the headline.
    abroad_title: bool,
    /// It opens by telling of all parts of the country: 各地.
    everywhere: bool,
    /// What 我市 and the like weigh, by where they stood; 0 if they did not.
    our_city: i64,
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
        work.scan_text(Zone::Title, 0, look.title, TITLE_MAX);
        work.scan_text(Zone::Text, 1, look.text, TEXT_MAX);
        for (index, tag) in look.tags.iter().take(LABELS_MAX).enumerate() {
            work.scan_text(Zone::Tag, 2 + index, tag, TITLE_MAX);
        }
        for (index, credit) in look.credits.iter().take(LABELS_MAX).enumerate() {
            work.scan_text(Zone::Credit, 2 + LABELS_MAX + index, &credit.name, TITLE_MAX);
        }
        let prior: Vec<&Unit> = look.prior.iter().filter_map(|code| self.gazetteer.unit(*code)).collect();
        let support = LazyCell::new(|| prior.iter().copied().chain(self.host_cities(look.link)).collect());
        work.resolve(&support);
        work.decide(&prior)
    }

    /// Cities whose address is a label of the link's host (`xuchang` in www.xuchang.gov.cn): support for a name that
    /// waits, never a verdict.
    fn host_cities(&self, link: &str) -> Vec<&Unit> {
        let host = link.split_once("://").map_or("", |(_, rest)| rest).split(['/', '?', '#', ':']).next().unwrap_or("");
        host.split('.').take(LABELS_MAX).filter_map(|label| self.gazetteer.city_of_slug(label)).collect()
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
    dropped: Vec<Dropped>,
}

impl<'a> Work<'a> {
    fn drop_name(&mut self, name: &str, why: Discard) {
        let dropped = Dropped { name: name.to_owned(), why };
        if self.dropped.len() < REASONS_MAX && !self.dropped.contains(&dropped) {
            self.dropped.push(dropped);
        }
    }

    /// Finds the names of one text; `zone` is that of its beginning for a title, tag or credit.
    fn scan_text(&mut self, zone: Zone, place: usize, text: &str, most: usize) {
        let width = width(text);
        let written = text;
        let text = plainly(written, most * width);
        let nth = |count: usize| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
        let (lede, body) = if zone == Zone::Text {
            let opening = text[..opening(&text)].chars().count();
            (nth(opening + LEDE * width), nth(opening + BODY * width))
        } else {
            (0, 0)
        };
        self.signals.everywhere |= zone == Zone::Text && tells_of_all(&text[..lede]);
        let search = &self.placer.search;
        let mut agency: Option<usize> = None;
        // Title marks open and closed up to the name looked at last.
        let (mut marked, mut opened, mut closed) = (0, 0, 0);
        let quotes = text.contains('《');
        let mut from = 0;
        while let Some((start, end, mark)) = search.next(&text, from) {
            from = end;
            let index = match mark {
                Mark::Name(index) => index,
                Mark::Agency => {
                    agency = Some(end);
                    continue;
                }
                Mark::Abroad => {
                    self.signals.abroad |= zone == Zone::Title || start < lede;
                    self.signals.abroad_title |= zone == Zone::Title;
                    continue;
                }
                Mark::OurCity => {
                    let weight = if zone == Zone::Title { 2 * OURS } else { OURS };
                    self.signals.our_city = self.signals.our_city.max(weight);
                    continue;
                }
                Mark::OurProvince => {
                    self.signals.our_province = true;
                    continue;
                }
                Mark::Block => {
                    // Told only where somebody might miss the place.
                    if !matches!(zone, Zone::Credit | Zone::Text) || zone == Zone::Text && start < lede {
                        self.drop_name(&text[start..end], Discard::Phrase);
                    }
                    continue;
                }
            };
            let before = &text[..start];
            let neighbour = self.hits.last().filter(|last| last.place == place && is_joint(&text[last.end..start]));
            let neighbour = neighbour.and_then(|last| search.surfaces.get(last.surface as usize));
            let beside = neighbour.is_some();
            // A name cut out of other words may hold a shorter one that is not: 广州市|委 is 广州|市委.
            let mut candidate = Some(index);
            let read = loop {
                let Some((index, surface)) =
                    candidate.and_then(|index| Some((index, search.surfaces.get(index as usize)?)))
                else {
                    break None;
                };
                let end = start + surface.text.len();
                if beside && end <= text.len() || search.lexicon.aligned(&text, start, end, !surface.county) {
                    break Some((index, surface, end));
                }
                candidate = search.shorter(&surface.text);
            };
            // A word in small letters is no name; tags are often written so.
            if zone != Zone::Tag && is_small(written, &text, start) {
                continue;
            }
            let Some((index, surface, end)) = read else {
                if zone != Zone::Text || start < lede {
                    self.drop_name(&text[start..end], Discard::Cut);
                }
                from = after_first(&text, start);
                continue;
            };
            from = end;
            let after = &text[end..];
            // 东区, 城区, 老城区: what every city has is no full name; 市场 and 区域 begin with one that is none here.
            let every = surface.weak && (surface.text.chars().count() == 2 || WORDS.generic.contains(&surface.text));
            let other = surface.text.ends_with('市') && after.starts_with('场')
                || surface.text.ends_with('区') && after.starts_with(['域', '间']);
            let in_full = surface.bearers.first().is_some_and(|(form, _)| *form == Form::Full);
            let full = in_full && !every && !other;
            if !full
                && zone != Zone::Credit
                && let Some(why) = no_place(before, after, surface, self.placer, neighbour)
            {
                self.drop_name(&surface.written, why);
                continue;
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
                dateline: false,
                sports: false,
                last: after.is_empty(),
                told: opens(before) && WORDS.happens.begins(after) && !WORDS.generic.contains(&surface.text),
            };
            hit.dateline = is_dateline(&text, start, end, agency);
            if hit.dateline {
                hit.sports = after.split('电').next().is_some_and(|dispatch| dispatch.ends_with("体育专"));
                hit.why.push(Note::Dateline);
            }
            let mut lessen = |factor: i64, why: Note| {
                hit.factor = hit.factor * factor / 1_000;
                hit.why.push(why);
            };
            if WORDS.before.iter().any(|word| before.ends_with(word.as_str()))
                || WORDS.origin.begins(after)
                || felt(before, after)
                || is_publisher(after)
                || lives_elsewhere(after)
                || (zone != Zone::Title && is_affiliation(&surface.text, after))
            {
                lessen(PASSING, Note::Passing);
            }
            if quotes {
                opened += text[marked..start].matches('《').count();
                closed += text[marked..start].matches('》').count();
                marked = start;
            }
            if opened > closed {
                lessen(QUOTED, Note::Quoted);
            }
            self.hits.push(hit);
        }
    }

    fn unit(&self, code: Code) -> Option<&'a Unit> {
        self.placer.gazetteer.unit(code)
    }

    /// Whether the name needs support: also a common word; or a county's short name in an item from abroad.
    fn is_weak(&self, hit: &Hit, surface: &Surface) -> bool {
        !hit.full && (surface.weak || self.signals.abroad && surface.text.chars().count() == 2 && surface.county)
    }

    /// The one of these units that holds what is named right behind the hit: 日照 in 日照东港.
    fn around_next(&self, index: usize, bearers: &[&Unit]) -> Option<Code> {
        let hit = &self.hits[index];
        let next = self.hits.get(index + 1).filter(|next| next.place == hit.place && next.start == hit.end)?;
        let inner = &self.placer.surface(next)?.bearers;
        let inner: Vec<&Unit> = inner.iter().filter_map(|(_, code)| self.unit(*code)).collect();
        let holds = |outer: &&&Unit| inner.iter().any(|unit| unit.code != outer.code && lies_in(unit, outer.code));
        match bearers.iter().filter(holds).collect::<Vec<_>>().as_slice() {
            [one] => Some(one.code),
            _ => None,
        }
    }

    /// Gives each hit the unit it means; support is looked for when one waits.
    fn resolve<'u>(&mut self, support: &LazyCell<Vec<&'u Unit>, impl FnOnce() -> Vec<&'u Unit>>) {
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
            // 台北市中山区: a district right behind a city that it does not lie in is another one of its name.
            let touching = beside.is_some_and(|hit| hit.end == self.hits[index].start);
            if outer.is_some() && touching && surface.county && surface.text.ends_with('区') {
                let name = surface.written.clone();
                self.hits[index].factor = 0;
                self.drop_name(&name, Discard::Several);
                continue;
            }
            let weak = self.is_weak(&self.hits[index], surface);
            self.hits[index].chosen = if weak { None } else { plain_reading(&surface.bearers, gazetteer) };
            if self.hits[index].chosen.is_none() {
                self.hits[index].chosen = self.around_next(index, &bearers);
            }
            if self.hits[index].chosen.is_none() && weak && self.hits[index].told {
                self.hits[index].chosen = plain_reading(&surface.bearers, gazetteer);
            }
        }
        // Then what waits, by what was found.
        let mut cities: BTreeSet<Code> = BTreeSet::new();
        let mut provinces: BTreeSet<Code> = BTreeSet::new();
        for unit in self.hits.iter().filter_map(|hit| hit.chosen).filter_map(|code| gazetteer.unit(code)) {
            provinces.insert(unit.province);
            cities.extend(unit.city);
        }
        for index in 0..self.hits.len() {
            let Some(surface) = placer
                .surface(&self.hits[index])
                .filter(|_| self.hits[index].chosen.is_none() && self.hits[index].factor > 0)
            else {
                continue;
            };
            let weak = self.is_weak(&self.hits[index], surface);
            let bearers: Vec<&Unit> = surface.bearers.iter().filter_map(|(_, code)| gazetteer.unit(*code)).collect();
            let by_city = |unit: &&&Unit| unit.city.is_some_and(|city| cities.contains(&city));
            let by_support =
                |unit: &&&Unit| support.iter().any(|own| lies_in(unit, own.code) || unit.code == own.province);
            let by_province = |unit: &&&Unit| !weak && provinces.contains(&unit.province);
            let one = [
                bearers.iter().filter(by_city).collect::<Vec<_>>(),
                bearers.iter().filter(by_support).collect(),
                bearers.iter().filter(by_province).collect(),
            ];
            let chosen = one.iter().find(|all| !all.is_empty()).and_then(|all| {
                // Of a city and a county of the same name in it, the city.
                let best = all.iter().map(|unit| unit.level).min();
                let top: Vec<_> = all.iter().filter(|unit| Some(unit.level) == best).collect();
                if let [one] = top.as_slice() { Some(one.code) } else { None }
            });
            let chosen = chosen.or_else(|| {
                // A district is rarely called by its short name alone; a county or county-level city is. At the end of a
                // text the name may have been cut, so nothing can be said.
                let rest: Vec<_> = bearers.iter().filter(|unit| !unit.name.ends_with('区')).collect();
                let whole = !weak && !self.hits[index].last;
                if let ([one], true) = (rest.as_slice(), whole) { Some(one.code) } else { None }
            });
            if chosen.is_some() {
                self.hits[index].chosen = chosen;
            } else {
                let why = if weak { Discard::Common } else { Discard::Several };
                // Common words are told only where somebody might miss the place.
                if !weak || !matches!(self.hits[index].zone, Zone::Text | Zone::Rest) {
                    let name = surface.written.clone();
                    self.drop_name(&name, why);
                }
            }
        }
    }

    /// Cities that are named outside a dateline so that they would do.
    fn reported(&self) -> BTreeSet<Code> {
        let named = self.hits.iter().filter(|hit| {
            let full = if hit.full { FULL } else { 1_000 };
            !hit.dateline && weight(hit.zone) * hit.factor / 1_000 * full / 1_000 >= ENOUGH
        });
        named.filter_map(|hit| self.unit(hit.chosen?)?.city).collect()
    }

    /// Adds up and decides.
    fn decide(mut self, prior: &[&Unit]) -> Places {
        let placer = self.placer;
        let at_home = self.hits.iter().any(|hit| hit.zone == Zone::Title && hit.chosen.is_some());
        let abroad = self.signals.abroad_title && !at_home;
        let everywhere = self.signals.everywhere && !at_home;
        let reported = self.reported();
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
            let mut weight = weight(hit.zone) * hit.factor / 1_000;
            let mut why = hit.why.clone();
            if hit.dateline {
                // A match is where its reporter is, unless the report names another place.
                let elsewhere = reported.iter().any(|city| Some(*city) != unit.city);
                let sat = dateline(unit, hit.sports && !elsewhere);
                weight = weight * sat / 1_000;
                tally.sat += if sat <= BUREAU { weight } else { 0 };
            }
            if kind == Zone::Text && surface.bearers.iter().all(|(form, _)| *form == Form::Landmark) {
                weight = weight * LANDMARK / 1_000;
            }
            if abroad && matches!(hit.zone, Zone::Text | Zone::Rest) {
                weight = weight * ABROAD / 1_000;
            }
            if everywhere && kind == Zone::Text {
                weight = weight * PASSING / 1_000;
            }
            if hit.full {
                weight = weight * FULL / 1_000;
                why.insert(0, Note::Full);
            }
            if hit.inside {
                weight = weight * INSIDE / 1_000;
                why.insert(0, Note::Inside);
            }
            if tally.zones.contains(&kind) {
                weight = weight * REPEAT / 1_000;
                why.push(Note::Again);
            }
            if !hit.dateline {
                tally.zones.insert(kind);
            }
            tally.named = true;
            if unit.level == Level::County && unit.city != Some(unit.code) && !tally.counties.contains(&unit.code) {
                tally.counties.push(unit.code);
            }
            let unclear = unit.city.is_some_and(|city| city != unit.code) || surface.written != unit.short && !hit.full;
            let sign = Sign::Named {
                zone: hit.zone,
                name: surface.written.clone(),
                unit: unclear.then(|| unit.name.clone()),
                weight: told(weight),
                notes: why,
            };
            tally.add(weight, sign);
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
            let ours = if own.len() == 1 { self.signals.our_city } else { 0 };
            let named = cities.get(city).is_some_and(|tally| tally.named) || ours > OURS;
            if ours > 0 {
                let sign = Sign::Ours { province: false, weight: told(ours) };
                cities.entry(*city).or_default().add(ours, sign);
            }
            if named {
                cities.entry(*city).or_default().add(PRIOR, Sign::Prior { weight: told(PRIOR) });
            } else if !elsewhere && !provincial && !self.signals.abroad {
                let sign = Sign::Unnamed { province: false, weight: told(PRIOR) };
                cities.entry(*city).or_default().add(PRIOR, sign);
            }
        }
        let own_alone = own.is_empty()
            && !elsewhere
            && !provincial
            && !self.signals.abroad
            && cities.values().all(|tally| !strong(tally));
        for province in &own_provinces {
            if self.signals.our_province {
                let sign = Sign::Ours { province: true, weight: told(OURS) };
                provinces.entry(*province).or_default().add(OURS, sign);
            } else if own_alone {
                let sign = Sign::Unnamed { province: true, weight: told(PRIOR) };
                provinces.entry(*province).or_default().add(PRIOR, sign);
            }
        }
    }

    fn choose(mut self, cities: BTreeMap<Code, Tally>, provinces: BTreeMap<Code, Tally>) -> Places {
        let gazetteer = &self.placer.gazetteer;
        let best = cities.values().map(|tally| tally.score).max().unwrap_or(0);
        let mut chosen: Vec<(Code, Tally)> = Vec::new();
        let mut left: Vec<(Code, i64)> = Vec::new();
        for (code, tally) in cities {
            // Where an agency sits adds to what is told, and is nothing told.
            if tally.score - tally.sat >= ENOUGH && tally.score * 1_000 >= best * SHARE {
                chosen.push((code, tally));
            } else {
                left.push((code, tally.score));
            }
        }
        for (code, score) in left {
            let name = gazetteer.unit(code).map_or("", |unit| unit.short.as_str()).to_owned();
            self.drop_name(&name, Discard::Little { weight: told(score), best: told(best.max(ENOUGH)) });
        }
        if chosen.len() > NATIONAL {
            self.drop_name("", Discard::National(chosen.len() as u32));
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
                total.reasons.push(Sign::Holds(unit.short.clone()));
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
            self.drop_name(&name, Discard::Uncovered);
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
    reasons: Vec<Sign>,
    zones: BTreeSet<Zone>,
    counties: Vec<Code>,
    /// Named in the item, not only by its source.
    named: bool,
    /// How much of it an agency's office there is worth.
    sat: i64,
}

impl Tally {
    fn add(&mut self, weight: i64, reason: Sign) {
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

/// What a dateline of a national agency says of this place: factor, per mille.
fn dateline(unit: &Unit, sports: bool) -> i64 {
    // Cities planned apart from their province have a bureau, as the capitals have, whose code ends so.
    const PLANNED: [u32; 5] = [210_200, 330_200, 350_200, 370_200, 440_300];
    const CHINA: std::ops::RangeInclusive<u32> = 110_000..=829_999;
    let city = unit.city.unwrap_or(unit.code).0;
    match city {
        110_000 => HEAD_OFFICE,
        _ if sports => MATCH,
        _ if !CHINA.contains(&city) || city % 10_000 <= 100 || PLANNED.contains(&city) => BUREAU,
        _ => SENT,
    }
}

/// Whether somebody from there is told of who is elsewhere: 北京小伙在成都.
fn lives_elsewhere(after: &str) -> bool {
    WORDS.people.of(after).any(|word| after[word.len()..].starts_with('在'))
}

/// Whether somebody is told of by where he teaches or learned: 样城大学教授, 样城大学毕业后.
fn is_affiliation(name: &str, after: &str) -> bool {
    const FAR: usize = 16;
    const HOUSES: [&str; 4] = ["大学", "学院", "研究院", "研究所"];
    const PEOPLE: [&str; 9] = ["教授", "院士", "研究员", "博士", "讲师", "学者", "校友", "毕业后", "毕业的"];
    let reach = after.char_indices().nth(FAR).map_or(after.len(), |(at, _)| at);
    let clause = after[..reach].split([',', '。', '、', ';', ' ', '\n']).next().unwrap_or_default();
    let house = HOUSES.iter().filter_map(|house| clause.find(house)).min();
    let from = if HOUSES.iter().any(|house| name.ends_with(house)) { Some(0) } else { house };
    from.is_some_and(|from| PEOPLE.iter().any(|people| clause[from..].contains(people)))
}

/// Whether a text opens by telling of the whole country: 各地, but not 全国各地 (where guests come from) or 全市各地.
fn tells_of_all(lede: &str) -> bool {
    lede.match_indices("各地").any(|(at, _)| !lede[..at].ends_with(is_han))
}

/// Whether somebody's title stands right before what may be a name: 市长黄陵.
fn is_titled(before: &str) -> bool {
    const TITLES: [&str; 24] = [
        "部长", "局长", "市长", "县长", "区长", "省长", "院长", "校长", "会长", "经理", "书记", "主任", "主席", "代表",
        "委员", "教授", "记者", "队长", "教练", "医生", "先生", "女士", "总裁", "律师",
    ];
    TITLES.iter().any(|title| before.ends_with(title))
}

/// Whether the first character of a county's name ends the title of somebody: 银行行长葛某.
fn ends_a_title(before: &str, name: &str) -> bool {
    const HEADS: &str = "行会社校院部处科厅局队团所站组馆台船机排连营班家";
    name.starts_with('长') && before.ends_with(|letter| HEADS.contains(letter))
}

/// Whether a paper follows that is at home there: 香港《南华早报》.
fn is_publisher(after: &str) -> bool {
    const LONG: usize = 12;
    let Some(paper) = after.strip_prefix('《') else { return false };
    let name: String = paper.chars().take(LONG).take_while(|letter| *letter != '》').collect();
    name.ends_with(['报', '刊'])
}

/// Whether a name with this before it opens a headline or a sentence; labels in brackets are no part of it.
fn opens(before: &str) -> bool {
    let before = before.trim_end();
    before.is_empty() || before.ends_with([')', ']', '】', '》', '。', ':', '|', '!', '?'])
}

/// Whether the place is where something came from that is felt elsewhere: 受四川地震影响.
fn felt(before: &str, after: &str) -> bool {
    const NEAR: usize = 6;
    const FAR: usize = 12;
    let under = before.chars().rev().take(NEAR).any(|letter| letter == '受');
    let reach = after.char_indices().nth(FAR).map_or(after.len(), |(at, _)| at);
    under && after[..reach].split(['，', ',', '。', ' ']).next().is_some_and(|clause| clause.contains("影响"))
}

/// Whether two names with this between them stand beside each other.
fn is_joint(between: &str) -> bool {
    matches!(between, "" | " " | "·" | "-" | "\u{3000}")
}

/// Common surnames, where none is also a preposition or the end of a common word before a place.
const SURNAMES: &str = "王李张刘陈杨赵黄周吴徐孙胡朱林何郭马罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范姚谭廖邹熊陆郝孔崔邱秦顾侯邵孟段雷钱汤尹黎武贺赖龚";

/// What makes a name in letters part of a road or square, in plain form: Kasseler Straße, Columbus Avenue.
const ROADS: [&str; 17] = [
    "straße",
    "strasse",
    "str.",
    "allee",
    "platz",
    "weg",
    "ring",
    "landstraße",
    "chaussee",
    "damm",
    "ufer",
    "street",
    "road",
    "avenue",
    "boulevard",
    "lane",
    "drive",
];

/// Why a short name is no place here, if so.
fn no_place(
    before: &str,
    after: &str,
    surface: &Surface,
    placer: &Placer,
    neighbour: Option<&Surface>,
) -> Option<Discard> {
    let words = &*WORDS;
    // Beside another name it is one itself if it lies in that: 盐池县惠安堡 is no 惠安.
    let unit = |code: &Code| placer.gazetteer.unit(*code);
    let beside = neighbour.is_some_and(|outer| {
        let outer = || outer.bearers.iter().map(|(_, code)| *code);
        surface.bearers.iter().filter_map(|(_, code)| unit(code)).any(|unit| outer().any(|code| lies_in(unit, code)))
    });
    if words.behind.begins(after) && !words.allowed.begins(after) {
        return Some(Discard::Part);
    }
    if ROADS.iter().any(|road| after.strip_prefix([' ', '-']).is_some_and(|after| after.starts_with(road))) {
        return Some(Discard::Part);
    }
    if (surface.rural || surface.weak) && !beside {
        if after.starts_with(['镇', '乡', '村', '屯', '庄', '堡', '寨']) {
            return Some(Discard::Township);
        }
        if surface.rural && ends_a_title(before, &surface.text) {
            return Some(Discard::Cut);
        }
        let name = surface.text.chars().next().is_some_and(|letter| SURNAMES.contains(letter));
        if surface.rural && name && surface.text.chars().count() == 2 && is_titled(before) {
            return Some(Discard::Cut);
        }
        let mut letters = before.chars().rev();
        if surface.text.chars().count() == 2
            && letters.next().is_some_and(|letter| SURNAMES.contains(letter))
            && !letters.next().is_some_and(|letter| is_han(letter) && SURNAMES.contains(letter))
        {
            return Some(Discard::Surname);
        }
    }
    None
}

/// Agencies that date a story from their own office, in plain form; others date it from where it happened.
const OFFICES: [&str; 7] = ["reuters", "afp", "ap", "bloomberg", "dpa-afx", "dow jones", "upi"];

/// Whether the name is where an agency's reporter sits: 新华社郑州8月3日电, 郑州8月3日电, FRANKFURT, Oct 3 (Reuters).
fn is_dateline(text: &str, start: usize, end: usize, agency: Option<usize>) -> bool {
    const BYLINE: usize = 40;
    // 电, 专电, 体育专电, 新媒体专电: what a wire calls its dispatch is short and ends so.
    const DISPATCH: usize = 6;
    if start == 0 && !text.starts_with(is_han) {
        let most = text[end..].char_indices().nth(BYLINE).map_or(text.len(), |(at, _)| end + at);
        let source = text[end..most].split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        return source.is_some_and(|(agency, _)| OFFICES.contains(&agency.trim()));
    }
    let dated = text[end..].trim_start_matches([' ', '市']);
    let rest = dated
        .trim_start_matches(|letter: char| letter.is_ascii_digit() || "〇一二三四五六七八九十月日年 ".contains(letter));
    let by_agency = agency.is_some_and(|at| at <= start && text[at..start].chars().count() <= 2);
    let wired = rest.chars().take(DISPATCH).take_while(|letter| is_han(*letter)).any(|letter| letter == '电');
    let told = ["讯", "(", "/", "消息", "信息"].iter().any(|word| rest.starts_with(word));
    (wired && (by_agency || rest.len() < dated.len())) || (by_agency && told)
}

/// The beginning of a text, so many characters, in the plain form.
fn plainly(written: &str, most: usize) -> String {
    let mut text = String::with_capacity(written.len().min(most * 3));
    push_plain(written, most, &mut text);
    text
}

/// How many characters of this text say as much as one of Chinese: four letters of an alphabet.
fn width(text: &str) -> usize {
    const LOOKED_AT: usize = 400;
    let (mut han, mut other) = (0, 0);
    for (seen, letter) in text.chars().take(LOOKED_AT).enumerate() {
        // An ideograph need not be looked up.
        let ideograph = matches!(letter, '\u{4E00}'..='\u{9FFF}');
        if ideograph || letter.is_alphabetic() {
            if ideograph || is_han(letter) { han += 1 } else { other += 1 }
        }
        // Whatever follows, letters cannot prevail any more.
        if 4 * han >= other + LOOKED_AT - seen {
            return 1;
        }
    }
    if other > 4 * han { 4 } else { 1 }
}

/// Whether the word at `start` of the plain form was written with a small letter.
fn is_small(written: &str, text: &str, start: usize) -> bool {
    text[start..].starts_with(char::is_lowercase)
        && written.chars().nth(text[..start].chars().count()).is_some_and(char::is_lowercase)
}

/// Where the story begins: behind 新华社郑州8月3日电(记者…) and its like.
fn opening(text: &str) -> usize {
    const HEAD: usize = 40;
    const BYLINE: usize = 40;
    let head = text.char_indices().nth(HEAD).map_or(text.len(), |(at, _)| at);
    let mark = text[..head].char_indices().find(|(at, letter)| {
        *letter == '讯' || *letter == '电' && text[..*at].ends_with(['日', '专', '合', '体', '社'])
    });
    let Some((at, letter)) = mark else { return 0 };
    let after = at + letter.len_utf8();
    let rest = &text[after..];
    let byline = rest.trim_start();
    let closing = byline.char_indices().take(BYLINE).find(|(_, letter)| *letter == ')');
    match closing {
        Some((close, _)) if byline.starts_with('(') => after + rest.len() - byline.len() + close + 1,
        _ => after,
    }
}

/// A weight as it is told: never below nothing.
fn told(weight: i64) -> u32 {
    u32::try_from(weight.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fold::plain;
    use crate::model::setting::Cities;

    /// Cases, and the further gazetteer they are about.
    const CASES: [(&str, Option<&str>); 2] = [
        (include_str!("../../tests/place/headlines.txt"), None),
        (include_str!("../../tests/place/hessen.txt"), Some(include_str!("../../samples/hessen/hessen.tsv"))),
    ];

    /// One paragraph of the file.
    #[derive(Debug, Default)]
    struct Case {
        title: String,
        text: String,
        tags: Vec<String>,
        credits: Vec<Credit>,
        prior: Vec<Code>,
        link: String,
        cover: Vec<Code>,
        expected: Vec<(String, String)>,
    }

    fn cases(text: &str) -> Vec<Case> {
        let mut cases = Vec::new();
        for paragraph in text.split("\n\n") {
            let mut case = Case::default();
            for line in paragraph.lines().filter(|line| !line.starts_with('#')) {
                let (key, value) = line.split_once(": ").expect(line);
                let codes = || value.split(' ').map(|code| Code(code.parse().expect(line))).collect::<Vec<_>>();
                match key {
                    "title" => case.title = value.to_owned(),
                    "text" => case.text = value.to_owned(),
                    "tag" => case.tags.push(value.to_owned()),
                    "credit" => case.credits.push(Credit { name: value.to_owned(), place: "feed".to_owned() }),
                    "link" => case.link = value.to_owned(),
                    "prior" => case.prior = codes(),
                    "cover" => case.cover = codes(),
                    "cities" | "provinces" | "dropped" => case.expected.push((key.to_owned(), value.to_owned())),
                    _ => panic!("{line}"),
                }
            }
            if !case.title.is_empty() {
                cases.push(case);
            }
        }
        cases
    }

    #[test]
    fn headlines_are_placed_as_expected() {
        let mut wrong = Vec::new();
        let mut placers: BTreeMap<(Vec<Code>, Option<&str>), Placer> = BTreeMap::new();
        let all =
            CASES.into_iter().flat_map(|(text, further)| cases(text).into_iter().map(move |case| (case, further)));
        for (case, further) in all {
            let placer = placers.entry((case.cover.clone(), further)).or_insert_with_key(|(cover, further)| {
                let gazetteer = further.iter().map(|text| (*text).to_owned()).collect();
                Placer::new(Gazetteer::build(&Cities { cover: cover.clone(), gazetteer, ..Cities::default() }).unwrap())
            });
            let gazetteer = Arc::clone(placer.gazetteer());
            let look = Look {
                title: &case.title,
                text: &case.text,
                tags: &case.tags,
                credits: &case.credits,
                prior: &case.prior,
                link: &case.link,
            };
            let places = placer.place(&look);
            let shorts = |placed: &[Placed]| {
                let names: Vec<&str> =
                    placed.iter().map(|one| gazetteer.unit(one.code).unwrap().short.as_str()).collect();
                if names.is_empty() { "-".to_owned() } else { names.join(" ") }
            };
            assert!(places.cities.iter().all(|placed| !placed.evidence.is_empty() && placed.score > 0), "{places:?}");
            for (key, value) in &case.expected {
                let good = match key.as_str() {
                    "cities" => shorts(&places.cities) == *value,
                    "provinces" => shorts(&places.provinces) == *value,
                    _ => places.dropped.iter().any(|dropped| dropped.to_string().contains(value.as_str())),
                };
                if !good {
                    wrong.push(format!("{}: expected {key} {value}, got {places:#?}", case.title));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn the_plain_form_is_that_of_the_characters() {
        for written in ["", "許昌市ＡＢＣ，臺灣Ä", "许昌市", "許", "𠀀a許"] {
            for most in 0..12 {
                let expected: String = written.chars().take(most).map(plain).collect();
                assert_eq!(plainly(written, most), expected, "{written} {most}");
            }
        }
    }

    #[test]
    fn any_text_is_borne() {
        let placer = Placer::new(Gazetteer::builtin());
        for text in [
            "",
            "\u{0}",
            "许",
            "市",
            "许昌\u{301}",
            &"北京".repeat(5_000),
            "🏙️许昌🏙️",
            "(((",
            "》》《《许昌",
            "新华社电",
            "ÅΩ İstanbul 许昌",
        ] {
            let tags = vec![text.to_owned(); 40];
            let look = Look { title: text, text, tags: &tags, prior: &[Code(0), Code(411_000)], ..Look::default() };
            let places = placer.place(&look);
            assert!(places.dropped.len() <= REASONS_MAX);
            assert_eq!(places, placer.place(&look));
        }
    }

    #[test]
    fn reasons_are_in_words() {
        let placer = Placer::new(Gazetteer::builtin());
        let places =
            placer.place(&Look { title: "许昌禹州钧瓷亮相", prior: &[Code(411_000)], ..Look::default() });
        assert_eq!(places.cities[0].counties, [Code(411_081)]);
        assert_eq!(
            places.cities[0].evidence.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "headline: 许昌 +3.00",
                "headline: 禹州 (禹州市) +1.08, inside the name before, again",
                "source's city +1.20"
            ]
        );
    }
}
