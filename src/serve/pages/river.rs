//! The river: stories newest first, under their days.

use super::{Chip, Desk};
use crate::model::edition::{EditionId, Order};
use crate::model::item::Item;
use crate::model::story::Story;
use crate::query::Sought;
use crate::query::text::spans;
use crate::serve::link;

/// Stories on one page.
pub const STORIES: usize = 50;
/// Chips of tags on one line; a story may carry dozens.
const TAGS: usize = 5;
/// Chips of cities on one line.
const CITIES: usize = 4;

/// Stories under their days, and where it goes on.
#[derive(Debug, Clone, Default)]
pub struct River {
    /// Days, newest first.
    pub days: Vec<Day>,
    /// Address of the next page.
    pub older: Option<String>,
}

/// The stories of one day.
#[derive(Debug, Clone)]
pub struct Day {
    /// For machines.
    pub datetime: String,
    /// For people.
    pub label: String,
    /// The stories.
    pub lines: Vec<Line>,
}

/// One story.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its time for machines.
    pub datetime: String,
    /// And for people.
    pub time: String,
    /// Headline, in pieces.
    pub title: Vec<Piece>,
    /// Where the headline leads: to the publisher, or to our page if it has no link.
    pub href: String,
    /// Whether that is the publisher.
    pub outside: bool,
    /// Its language, where it is not the site's.
    pub lang: Option<String>,
    /// Summary, in pieces; none where only the headline may be passed on.
    pub summary: Vec<Piece>,
    /// Name of the source.
    pub source: String,
    /// Page of the source.
    pub source_href: String,
    /// Other sources that carry it.
    pub also: Option<Also>,
    /// Page of the story.
    pub story_href: String,
    /// Its cities.
    pub cities: Vec<Chip>,
    /// Its tags.
    pub tags: Vec<Chip>,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it says.
    pub text: String,
    /// Whether it is what was looked for.
    pub hit: bool,
}

/// A text in pieces, cut where one of the needles stands (each in its searched form).
fn pieces(text: &str, needles: &[&str]) -> Vec<Piece> {
    if text.is_empty() {
        return Vec::new();
    }
    let (mut pieces, mut from) = (Vec::new(), 0);
    let spans = if needles.is_empty() { Vec::new() } else { spans(text, needles) };
    for span in spans {
        if from < span.start {
            pieces.push(Piece { text: text[from..span.start].to_owned(), hit: false });
        }
        from = span.end;
        pieces.push(Piece { text: text[span].to_owned(), hit: true });
    }
    if from < text.len() {
        pieces.push(Piece { text: text[from..].to_owned(), hit: false });
    }
    pieces
}

/// The other sources that carry a story.
#[derive(Debug, Clone)]
pub struct Also {
    /// "and 3 others".
    pub text: String,
    /// Their names.
    pub names: String,
}

impl Desk<'_> {
    /// The river of stories of an edition; `path` is the page's own, for the link to older ones.
    #[must_use]
    pub fn river(&self, stories: &[(Order, Story)], limit: usize, path: &str) -> River {
        self.marked(stories, limit, path, &[])
    }

    /// The same, with what was looked for marked.
    #[must_use]
    pub fn marked(&self, stories: &[(Order, Story)], limit: usize, path: &str, sought: &[Sought<'_>]) -> River {
        let titles: Vec<&str> = sought.iter().map(|sought| sought.folded).collect();
        let texts: Vec<&str> = sought.iter().filter(|sought| !sought.title).map(|sought| sought.folded).collect();
        let mut days: Vec<Day> = Vec::new();
        for (order, story) in stories.iter().take(limit) {
            let Some(line) = self.line(story, &titles, &texts) else { continue };
            // Days follow the order of arrival, as the feed does; a story found late stands under the day it came.
            let (datetime, label) = self.dial.day(order.at);
            match days.last_mut() {
                Some(day) if day.datetime == datetime => day.lines.push(line),
                _ => days.push(Day { datetime, label, lines: vec![line] }),
            }
        }
        let last = stories.get(limit.wrapping_sub(1)).filter(|_| stories.len() > limit && !self.fixed);
        let older = last.map(|(order, _)| format!("{}{path}?before={}", self.root, cursor(*order)));
        River { days, older }
    }

    fn line(&self, story: &Story, titles: &[&str], texts: &[&str]) -> Option<Line> {
        let emission = story.emission.as_ref()?;
        let published = self.dial.moment(emission.published);
        let story_href = format!("{}{}", self.root, link::story(story.guid));
        let outside = link::outside(&emission.link);
        let source = EditionId::Source(emission.source.clone());
        let mut others: Vec<_> = story.copies.iter().map(|copy| &copy.source).collect();
        others.sort();
        others.dedup();
        others.retain(|source| **source != emission.source);
        let also = (!others.is_empty()).then(|| Also {
            text: (self.words.also)(others.len()),
            names: others.iter().map(|id| self.source_name(id)).collect::<Vec<_>>().join("、"),
        });
        Some(Line {
            datetime: published.datetime,
            time: published.clock,
            title: pieces(&emission.title, titles),
            outside: outside.is_some(),
            href: outside.unwrap_or_else(|| story_href.clone()),
            lang: emission.language.clone(),
            summary: pieces(&emission.summary.chars().take(Item::SUMMARY).collect::<String>(), texts),
            source: emission.source_name.clone(),
            source_href: format!("{}{}", self.root, link::page(&source, self.gazetteer)),
            also,
            story_href,
            // As the desk judges today: a changed rule is seen here at once, while feeds print what they printed.
            cities: self.cities(story.places.cities.get(..CITIES).unwrap_or(&story.places.cities)),
            tags: self.tags(story.tags.get(..TAGS).unwrap_or(&story.tags)),
        })
    }
}

pub use crate::press::cursor;

/// The inverse of [`cursor`]; what can't be read counts as absent.
#[must_use]
pub fn before(query: Option<&str>) -> Option<Order> {
    let value = query?.split('&').find_map(|part| part.strip_prefix("before="))?;
    let (at, story) = value.split_once('-')?;
    Some(Order { at: crate::model::time::Time(at.parse().ok()?), story: story.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Time;

    #[test]
    fn cursors_are_read_back_and_bad_ones_passed_over() {
        let order = Order { at: Time(1_795_398_120_123), story: 77 };
        assert_eq!(before(Some(&format!("x=1&before={}", cursor(order)))), Some(order));
        for bad in [None, Some(""), Some("before="), Some("before=1"), Some("before=a-b"), Some("before=1-2-3")] {
            assert_eq!(before(bad), None, "{bad:?}");
        }
    }
}
