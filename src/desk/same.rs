//! Same story?
//!
//! Candidates are stories that share a key with the item: its canonical link, the beginning of its folded headline, or
//! one of the smallest hashes of its text's shingles.
//! So the cost of an item does not grow with the archive. Of each candidate, the copy shown is compared, not any
//! member: chains would creep from one story to the next.
//!
//! Evidence, strongest first:
//!
//! * the same canonical link, and headlines or texts that are related (a link that stands under another headline *and*
//!   another text is the site's front page, or an address used again: no identity);
//! * headlines equal or one cut from the other, and one text contained in the other: at least 400 of 1,000 of the
//!   shingles of the *shorter* one stand in the longer (containment, not Jaccard: a cut copy breaks Jaccard). A shingle
//!   is three characters of Chinese, Japanese or Korean, nine of other scripts: three letters stand in any long text;
//! * another headline, but 500 of 1,000 of the shorter text's shingles in the longer: retitled, or a part of it;
//! * headlines equal or cut, of a weight of at least ten, where one side has no text to compare;
//! * equal headlines of a weight of at least twelve on the same day in different sources, whatever the texts: each has
//!   its own lead.
//!
//! Vetoes, without which look-alikes merge:
//!
//! * the dates are more than ten days apart (unless the texts are contained by 850 of 1,000);
//! * the story already holds another item of this source (a headline that a source repeats is a daily bulletin), unless
//!   the headlines are alike, the texts contained by 850 of 1,000, and the numbers the same;
//! * the numbers contradict: fewer than 700 of 1,000 of the numbers of the shorter text stand in the longer;
//! * the headlines name different cities, or neither names one and the sources serve different cities and the texts are
//!   not contained;
//! * either source has `join = false`, unless both are the same.
//!
//! Known misses: retold stories, and translations.

use std::collections::HashSet;

use super::headline::{Alike, alike, length, numbers};
use super::{Case, Rules, Shelf, ShelfError};
use crate::model::evidence::{Headlines, Likeness, Veto};
use crate::model::fold::fold;
use crate::model::id::StoryNo;
use crate::model::place::Code;
use crate::model::shingle::{SHORTEST as TEXT, containment, weight};
use crate::model::story::{Copy, Story};
use crate::model::time::{Time, Trust};
use crate::place::Look;

/// A story that the item is a copy of, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which story.
    pub story: StoryNo,
    /// How sure, 0 to 1000.
    pub score: u16,
    /// What speaks for it.
    pub why: Likeness,
}

/// Copies of one story are dated at most so far apart.
const WINDOW: i64 = 10 * Time::DAY;
/// Containment that makes two texts one, headlines being alike; per mille.
const CONTAINED: u32 = 400;
/// Containment that makes two texts one under other headlines; per mille.
const CONTAINED_ALONE: u32 = 500;
/// Containment that outweighs the window; per mille.
const CONTAINED_ANYWAY: u32 = 850;
/// Numbers of the shorter text that must stand in the longer; per mille.
const NUMBERS: u32 = 700;
/// An equal headline of so much weight is the same story on the same day.
const LONG_HEADLINE: usize = 12;
/// So much of a text is compared, in folded characters.
pub(super) const COMPARED: usize = 8_000;

/// The stories this item is a copy of, surest first; the older one first where they are as sure.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read.
pub fn find(rules: &Rules, case: &Case<'_>, copy: &Copy, shelf: &dyn Shelf) -> Result<Vec<Match>, ShelfError> {
    let item = case.item;
    let mut candidates = shelf.sharing_link(&copy.canonical)?;
    candidates.extend(shelf.sharing_headline(&copy.title)?);
    candidates.extend(shelf.sharing_text(&copy.sketch)?);
    candidates.sort_unstable();
    candidates.dedup();
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let own = Side::of(rules, copy, &item.text);
    let mut found = Vec::new();
    for no in candidates {
        let Some(story) = super::going_on(shelf, no)? else { continue };
        if found.iter().any(|m: &Match| m.story == story.no) {
            continue;
        }
        if let Ok((score, why)) = compare(rules, &own, &story, shelf) {
            found.push(Match { story: story.no, score, why });
        }
    }
    found.sort_by_key(|m| (std::cmp::Reverse(m.score), m.story));
    Ok(found)
}

/// One side of a comparison.
struct Side<'a> {
    copy: &'a Copy,
    text: Vec<char>,
    day: i64,
    cities: Vec<Code>,
}

impl<'a> Side<'a> {
    fn of(rules: &Rules, copy: &'a Copy, text: &str) -> Self {
        let look = Look { title: &copy.title, text: "", tags: &[], credits: &[], prior: &[], link: "" };
        let cities = rules.placer().place(&look).cities.iter().map(|placed| placed.code).collect();
        Self {
            copy,
            text: fold(text).chars().take(COMPARED).collect(),
            day: date(copy).0.div_euclid(Time::DAY),
            cities,
        }
    }
}

fn date(copy: &Copy) -> Time {
    let believed = copy.published.as_ref().filter(|claim| claim.trust > Trust::None);
    believed.map_or(copy.seen, |claim| claim.at)
}

/// Whether the copy shown of one story is a copy of the other, either way: the surer answer.
///
/// # Errors
/// What speaks against it.
pub fn between(rules: &Rules, one: &Story, other: &Story, shelf: &dyn Shelf) -> Result<(u16, Likeness), Veto> {
    let ask = |own: &Story, story: &Story| {
        let copy = own.shown().ok_or(Veto::Unlike(None))?;
        let text = shelf.item(copy.wire).map(|item| item.text).unwrap_or_default();
        compare(rules, &Side::of(rules, copy, &text), story, shelf)
    };
    match (ask(one, other), ask(other, one)) {
        (Ok(one), Ok(other)) => Ok(if other.0 > one.0 { other } else { one }),
        (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
        (Err(veto), Err(_)) => Err(veto),
    }
}

fn compare(rules: &Rules, own: &Side<'_>, story: &Story, shelf: &dyn Shelf) -> Result<(u16, Likeness), Veto> {
    let copy = own.copy;
    let theirs = story.shown().ok_or(Veto::Unlike(None))?;
    let alone = |copy: &Copy| rules.source(&copy.source).is_some_and(|source| !source.join);
    let repeated = story.copies.iter().any(|c| c.source == copy.source);
    // A source that stays alone may still rewrite its guids: its own items it may meet again.
    if alone(copy) && !repeated {
        return Err(Veto::Alone(copy.source.clone()));
    }
    if alone(theirs) && theirs.source != copy.source {
        return Err(Veto::Alone(theirs.source.clone()));
    }
    let gist = story.copies.iter().any(|c| c.gist == copy.gist);
    let linked = !copy.canonical.is_empty() && story.copies.iter().any(|c| c.canonical == copy.canonical);
    let titles = alike(&copy.title, &theirs.title);
    if linked && titles.is_some() {
        return Ok((1000, Likeness::Address { with: theirs.source.clone() }));
    }
    let text = shelf.item(theirs.wire).map(|item| item.text).unwrap_or_default();
    let other = Side::of(rules, theirs, &text);
    let contained = containment(&own.text, &other.text);
    let told = contained.map(|c| c as u16);
    // The gist leaves digits out: a read counter is no edit, but last month's bulletin has other numbers.
    if gist && titles.is_some() && weight(&own.text) >= TEXT && agree(&own.text, &other.text) {
        return Ok((980, Likeness::Copied { with: theirs.source.clone() }));
    }
    // A source's own address used for another item again and again is a page, not an article.
    let copied = contained.is_some_and(|c| c >= CONTAINED_ANYWAY) && agree(&own.text, &other.text);
    if linked {
        let related = contained.is_some_and(|c| c >= CONTAINED && !repeated) || copied;
        return if related { Ok((950, Likeness::Related)) } else { Err(Veto::Page) };
    }
    let enough = contained.is_some_and(|c| c >= if titles.is_some() { CONTAINED } else { CONTAINED_ALONE });
    // A source that gives two headlines means two items: what they share is what it writes under everything.
    if titles.is_none() && !enough {
        return Err(Veto::Unlike(told));
    }
    if titles.is_none() && repeated {
        return Err(Veto::Repeated(copy.source.clone()));
    }
    // One copy dated late must not push the others out.
    let apart = story.copies.iter().map(|other| date(copy).since(date(other)).abs()).min().unwrap_or_default();
    if apart > WINDOW && contained.is_none_or(|c| c < CONTAINED_ANYWAY) {
        return Err(Veto::Days((apart / Time::DAY) as u32));
    }
    if repeated && !copied {
        return Err(Veto::Repeated(copy.source.clone()));
    }
    let elsewhere = |a: &[Code], b: &[Code]| !a.is_empty() && !b.is_empty() && !a.iter().any(|code| b.contains(code));
    if elsewhere(&own.cities, &other.cities) {
        return Err(Veto::Cities);
    }
    if own.cities.is_empty() && other.cities.is_empty() && !enough {
        let serves = |copy: &Copy| rules.source(&copy.source).map(|s| s.cities.clone()).unwrap_or_default();
        if elsewhere(&serves(copy), &serves(theirs)) {
            return Err(Veto::Served);
        }
    }
    if contradict(&own.text, &other.text) {
        return Err(Veto::Numbers);
    }
    let headline = match titles {
        Some(Alike::Equal) => Headlines::Equal,
        Some(_) => Headlines::Cut,
        None => Headlines::Other,
    };
    let length = length(&copy.title).min(length(&theirs.title));
    let compared = |day: bool| Likeness::Compared { headline, contained: told, day };
    match contained {
        Some(c) if enough => Ok((700 + (c / 4) as u16, compared(false))),
        None if titles.is_some() && length >= super::headline::SHORTEST => Ok((800, compared(false))),
        Some(_) if titles == Some(Alike::Equal) && length >= LONG_HEADLINE && own.day.abs_diff(other.day) <= 1 => {
            Ok((700, compared(true)))
        }
        _ => Err(Veto::Unlike(told)),
    }
}

/// Whether a known key stands for another article now: headline, address and text are all other ones.
#[must_use]
pub fn reused(case: &Case<'_>, old: &Copy, new: &Copy, shelf: &dyn Shelf) -> bool {
    let elsewhere = !old.canonical.is_empty() && !new.canonical.is_empty() && old.canonical != new.canonical;
    if !elsewhere || alike(&old.title, &new.title).is_some() {
        return false;
    }
    let text = |text: &str| fold(text).chars().take(COMPARED).collect::<Vec<_>>();
    let before = shelf.item(old.wire).map(|item| text(&item.text)).unwrap_or_default();
    containment(&before, &text(&case.item.text)).is_none_or(|contained| contained < CONTAINED)
}

/// Whether every number of the shorter text stands in the longer, as often; the last one may be cut.
fn agree(one: &[char], other: &[char]) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let (short, long): (String, String) = (short.iter().collect(), long.iter().collect());
    let (mine, mut theirs) = (numbers(&short), numbers(&long));
    let last = mine.len().saturating_sub(1);
    mine.iter().enumerate().all(|(index, number)| {
        let cut = index == last && short.ends_with(*number);
        let same = |their: &&str| their == number || (cut && their.starts_with(*number));
        let found = theirs.iter().position(same);
        found.map(|index| theirs.swap_remove(index)).is_some()
    })
}

/// Whether the numbers of the shorter text are missing from the longer. Fewer than three tell nothing.
fn contradict(one: &[char], other: &[char]) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let (short, long): (String, String) = (short.iter().collect(), long.iter().collect());
    let mine = numbers(&short);
    if mine.len() < 3 {
        return false;
    }
    let theirs: HashSet<&str> = numbers(&long).into_iter().collect();
    if theirs.is_empty() {
        return false;
    }
    let shared = mine.iter().filter(|number| theirs.contains(*number)).count();
    ((shared * 1000 / mine.len()) as u32) < NUMBERS
}
