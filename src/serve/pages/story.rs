//! The page of one story: who had it first, who followed, and why it stands where it stands.

use askama::Template;

use super::{Chip, Chrome, Desk};
use crate::model::edition::EditionId;
use crate::model::story::Story;
use crate::model::time::Trust;
use crate::serve::link;
use crate::serve::moment::Moment;
use crate::serve::reply::Unmade;

/// Copies listed on the page; the busiest story of a national agency has some hundreds.
const COPIES: usize = 300;

#[derive(Template)]
#[template(path = "story.html")]
struct Page {
    chrome: Chrome,
    title: String,
    story_lang: Option<String>,
    published: Option<Moment>,
    creator: String,
    cities: Vec<Chip>,
    tags: Vec<Chip>,
    notices: Vec<Chip>,
    summary: String,
    link: Option<String>,
    copies: Vec<Copy>,
    places: Vec<Place>,
    dropped: Vec<String>,
}

struct Copy {
    seen: Moment,
    claimed: Option<Moment>,
    doubted: bool,
    how_claimed: String,
    source: Chip,
    first: bool,
    shown: bool,
    credit: String,
    title: String,
    link: Option<String>,
    joined: String,
}

struct Place {
    chip: Chip,
    score: String,
    evidence: String,
}

impl Desk<'_> {
    /// `/story/{guid}`.
    ///
    /// # Errors
    /// [`Unmade`] if the store fails.
    pub fn story(&self, story: &Story) -> Result<String, Unmade> {
        let emission = story.emission.as_ref();
        let shown = story.shown();
        let title = emission.map(|e| &e.title).or_else(|| shown.map(|copy| &copy.title)).cloned().unwrap_or_default();
        let edition =
            emission.and_then(|e| e.cities.first()).map_or(EditionId::All, |placed| EditionId::City(placed.code));
        let mut chrome = self.chrome("", Some(&title), &edition);
        chrome.noindex = true;
        let address = emission.map_or_else(|| shown.map_or("", |copy| &copy.link), |e| &e.link);
        let page = Page {
            chrome,
            title,
            story_lang: emission.and_then(|e| e.language.clone()),
            published: Some(self.dial.moment(story.published())),
            creator: emission.map_or_else(
                || shown.map_or_else(String::new, |copy| self.source_name(&copy.source)),
                |e| e.creator.clone(),
            ),
            cities: self.cities(emission.map_or(&story.places.cities, |e| &e.cities)),
            tags: self.tags(emission.map_or(&story.tags, |e| &e.tags)),
            notices: self.notices(story)?,
            // What was never emitted, or was taken out, is not ours to pass on.
            summary: emission.filter(|_| !story.spiked).map_or_else(String::new, |e| e.summary.clone()),
            link: link::outside(address),
            copies: self.copies(story),
            places: self.places(story),
            dropped: story.places.dropped.iter().map(ToString::to_string).collect(),
        };
        Ok(page.render()?)
    }

    fn notices(&self, story: &Story) -> Result<Vec<Chip>, Unmade> {
        let mut notices = Vec::new();
        let mut say = |name: &str, href: String| notices.push(Chip { name: name.to_owned(), href, count: None });
        if story.spiked {
            say(self.words.spiked, String::new());
        } else if story.emission.is_none() {
            say(self.words.held, String::new());
        }
        if let Some(no) = story.retired_into
            && let Some(kept) = self.view.story(no)?
        {
            say(self.words.retired, format!("{}{}", self.root, link::story(kept.guid)));
        }
        Ok(notices)
    }

    fn copies(&self, story: &Story) -> Vec<Copy> {
        let first = story.copies.iter().map(|copy| copy.seen).min();
        let mut firsts = 0;
        let mut copies: Vec<Copy> = Vec::new();
        for (at, copy) in story.copies.iter().enumerate().take(COPIES) {
            let is_first = Some(copy.seen) == first && firsts == 0;
            firsts += usize::from(is_first);
            let claim = copy.published.as_ref();
            let source = self.source_name(&copy.source);
            // That it credits itself tells nobody anything.
            let credits = copy.credits.iter().map(|credit| credit.name.as_str()).filter(|name| *name != source);
            let credits: Vec<&str> = credits.collect();
            copies.push(Copy {
                seen: self.dial.moment(copy.seen),
                claimed: claim.map(|claim| self.dial.moment(claim.at)),
                doubted: claim.is_some_and(|claim| claim.trust != Trust::Full),
                how_claimed: claim.map_or_else(String::new, |claim| claim.method.clone()),
                source: self.chip(&EditionId::Source(copy.source.clone()), source.clone(), None),
                first: is_first,
                shown: at == story.shown as usize,
                credit: credits.join(" → "),
                title: copy.title.clone(),
                link: link::outside(&copy.link),
                joined: copy.joined.as_ref().map_or_else(String::new, |why| format!("{why} ({})", sure(copy.score))),
            });
        }
        copies
    }

    fn places(&self, story: &Story) -> Vec<Place> {
        let cities = story.places.cities.iter().map(|placed| (EditionId::City(placed.code), placed));
        let provinces = story.places.provinces.iter().map(|placed| (EditionId::Province(placed.code), placed));
        cities
            .chain(provinces)
            .filter(|(_, placed)| !placed.evidence.is_empty())
            .map(|(edition, placed)| Place {
                chip: self.chip(&edition, placed.name.clone(), None),
                score: sure(placed.score),
                evidence: placed.evidence.iter().map(ToString::to_string).collect::<Vec<_>>().join(" · "),
            })
            .collect()
    }
}

/// Thousandths as 0.93.
fn sure(thousandths: u16) -> String {
    let hundredths = (u32::from(thousandths.min(1_000)) + 5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::sure;

    #[test]
    fn thousandths_are_written_with_two_places() {
        for (score, text) in [(0, "0.00"), (4, "0.00"), (5, "0.01"), (934, "0.93"), (1_000, "1.00"), (2_000, "1.00")] {
            assert_eq!(sure(score), text);
        }
    }
}
