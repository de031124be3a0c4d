//! `/feeds.opml`: every feed we publish, grouped; `/sources.opml`: what we read.

use std::collections::BTreeMap;

use super::link;
use super::pages::Desk;
use super::reply::Unmade;
use crate::model::edition::EditionId;
use crate::model::id::SourceId;
use crate::model::place::Code;
use crate::model::setting::Setting;
use crate::render::opml::{self, Outline};

/// So many tags that no rule names are listed, the largest first.
const TAGS: usize = 200;

impl Desk<'_> {
    fn outline(&self, edition: &EditionId, name: String) -> Outline {
        let base = self.base();
        let page = format!("{base}{}", link::page(edition, self.gazetteer));
        Outline::feed(name, format!("{base}{}", link::feed(edition, "rss", self.gazetteer)), Some(page))
    }

    /// `/feeds.opml?province=…`: the province and its cities with stories.
    pub fn province_opml(&self, province: Code) -> String {
        let directory = &self.directory;
        let inside = |code: Code| self.gazetteer.unit(code).is_some_and(|unit| unit.province == province);
        let mut cities: Vec<_> = directory.cities.iter().filter(|p| p.stories > 0 && inside(p.code)).collect();
        cities.sort_by_key(|place| place.code);
        let name = self.name(&EditionId::Province(province));
        let mut outlines = vec![self.outline(&EditionId::Province(province), name.clone())];
        let cities = cities.into_iter().map(|p| self.outline(&EditionId::City(p.code), p.name.clone()));
        let cities: Vec<_> = cities.collect();
        if !cities.is_empty() {
            outlines.push(Outline::group(self.words.cities, cities));
        }
        document(&format!("{name} · {}", self.site().title), &outlines)
    }

    /// `/feeds.opml`: everything, cities with stories, provinces, tags (those of rules, and the largest others), saved
    /// searches, sources.
    ///
    /// # Errors
    /// None now; pages have one shape.
    pub fn feeds_opml(&self) -> Result<String, Unmade> {
        let (words, directory) = (self.words, &self.directory);
        let mut cities: Vec<_> = directory.cities.iter().filter(|place| place.stories > 0).collect();
        cities.sort_by_key(|place| place.code);
        let mut provinces: Vec<_> = directory.provinces.iter().collect();
        provinces.sort_by_key(|place| place.code);
        let (configured, others): (Vec<_>, Vec<_>) = directory.tags.iter().partition(|tag| tag.configured);
        let mut tags: Vec<_> = configured.into_iter().chain(others.into_iter().take(TAGS)).collect();
        // By id and not by size: readers follow this list, and it should not change with every story.
        tags.sort_by(|a, b| a.id.cmp(&b.id));
        let groups = [
            (
                words.cities,
                cities.into_iter().map(|p| self.outline(&EditionId::City(p.code), p.name.clone())).collect::<Vec<_>>(),
            ),
            (
                words.provinces,
                provinces.into_iter().map(|p| self.outline(&EditionId::Province(p.code), p.name.clone())).collect(),
            ),
            (
                words.tags,
                tags.into_iter().map(|tag| self.outline(&EditionId::Tag(tag.id.clone()), tag.name.clone())).collect(),
            ),
            (
                words.saved,
                directory.saved.iter().map(|s| self.outline(&EditionId::Saved(s.id.clone()), s.name.clone())).collect(),
            ),
            (
                words.sources,
                directory
                    .sources_by_id()
                    .map(|s| self.outline(&EditionId::Source(s.id.clone()), s.name.clone()))
                    .collect(),
            ),
        ];
        let all = std::iter::once(self.outline(&EditionId::All, self.site().title.clone()));
        let groups = groups.into_iter().filter(|(_, inside)| !inside.is_empty());
        let outlines: Vec<_> = all.chain(groups.map(|(name, inside)| Outline::group(name, inside))).collect();
        Ok(document(&self.site().title, &outlines))
    }

    /// `/sources.opml`: the sources that have a feed of their own by its address, the others by ours of them.
    ///
    /// # Errors
    /// [`Unmade`] if the store fails.
    pub fn sources_opml(&self) -> Result<String, Unmade> {
        let line = |id: &SourceId, name: &str, feed: Option<&String>, home: Option<&String>| {
            let ours = self.outline(&EditionId::Source(id.clone()), name.to_owned());
            match feed.and_then(|feed| link::outside(feed)) {
                Some(feed) => Outline::feed(name, feed, home.and_then(|home| link::outside(home))),
                None => ours,
            }
        };
        let homes: BTreeMap<SourceId, String> =
            self.view.sources()?.into_iter().filter_map(|(id, head)| Some((id, head.home?))).collect();
        // Their keys end with their ids, so they come in order.
        let settings = self.view.settings();
        let outlines: Vec<_> = settings
            .values()
            .filter_map(|setting| match setting {
                Setting::Source(rules) => Some(rules),
                _ => None,
            })
            .map(|rules| line(&rules.id, &rules.name, rules.feed.as_ref(), homes.get(&rules.id)))
            .collect();
        Ok(document(&format!("{} · {}", self.words.sources, self.site().title), &outlines))
    }
}

/// Without a date: the list is the same until something in it changes, and its entity tag says so.
fn document(title: &str, outlines: &[Outline]) -> String {
    String::from_utf8(opml::render(title, None, outlines)).unwrap_or_default()
}
