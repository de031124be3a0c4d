//! What of a story is searched: its headline as printed, the texts of its copies, and what it is judged to be about.

use crate::model::edition::{EditionId, Order};
use crate::model::item::Item;
use crate::model::position::Position;
use crate::model::story::Story;
use crate::model::time::Time;
use crate::query::{Folded, Query, sources};

/// Texts of a story that are searched: the printed one, and those of the first copies. A story that a hundred sources carry
/// says the same in nearly all of them.
pub(super) const TEXTS: usize = 16;

/// Where a story stands among all that can be found, newest first: its place in the feed of everything. `None` if it cannot
/// be found: held back, retired into another, taken out.
#[must_use]
pub fn order(story: &Story) -> Option<Order> {
    if story.emission.is_none() || story.retired_into.is_some() || story.spiked {
        return None;
    }
    let entered = story.entries.iter().find(|entered| entered.edition == EditionId::All)?;
    entered.shown().then_some(Order { at: entered.at, story: story.no.0 })
}

/// Its headline as printed, or as shown while it is held back.
pub(super) fn title(story: &Story) -> &str {
    let printed = story.emission.as_ref().map(|emission| &emission.title);
    printed.or(story.shown().map(|copy| &copy.title)).map_or("", String::as_str)
}

/// Where its texts stand: the printed one first.
fn wires(story: &Story) -> Vec<Position> {
    let printed = story.emission.as_ref().map(|emission| emission.text).or(story.shown().map(|copy| copy.wire));
    let mut wires: Vec<Position> = printed.into_iter().collect();
    for copy in &story.copies {
        if wires.len() < TEXTS && !wires.contains(&copy.wire) {
            wires.push(copy.wire);
        }
    }
    wires
}

/// Each of its texts, headline and summary included, the printed one first; of one that is gone, what is printed.
pub(super) fn texts<'s>(
    story: &'s Story,
    item: &'s dyn Fn(Position) -> Option<Item>,
) -> impl Iterator<Item = String> + 's {
    let title = title(story);
    wires(story).into_iter().enumerate().filter_map(move |(index, wire)| match item(wire) {
        Some(item) => Some(format!("{title}\n{}\n{}", item.summary, item.text)),
        None if index == 0 => {
            let summary = story.emission.as_ref().map_or("", |emission| emission.summary.as_str());
            Some(format!("{title}\n{summary}\n"))
        }
        None => None,
    })
}

/// Whether a story is what a query asks for, by any of its texts. `language` is that of stories that state none.
#[must_use]
pub fn matches(
    query: &Query,
    story: &Story,
    item: &dyn Fn(Position) -> Option<Item>,
    now: Option<Time>,
    language: &str,
) -> bool {
    let sources = sources(story);
    // Most stories are told apart by their head: texts are costly to fetch.
    let known = query.holds_without_text(&Folded::of(story, "", &sources, Some(language)), now);
    let holds = |text: &str| query.holds(&Folded::of(story, text, &sources, Some(language)), now);
    known.unwrap_or_else(|| texts(story, item).any(|text| holds(&text)))
}
