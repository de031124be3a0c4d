//! Whose copy is shown?
//!
//! Not the longest: in a study of damaged copies the longest was whole in half of the cases. First the rank of the
//! source; then whether it can be read to its end (no text, a cut one or an unreadable one is worth least); then whom the
//! other copies name as theirs (来源, or the agency of the dateline, of whom the last in the chain is the producer); then
//! fewest signs of damage ([`super::damage`]); then length; then who claims to have had it first.
//!
//! A story is printed by the copy that came first, and what was printed does not flutter: a better copy changes it only
//! where it was cut or damaged, by itself or beside the new copy, and only if the new copy is whole: it shows no sign of
//! damage by itself, and none beside what was printed. So a digest's or a reprint's additions never replace an article, and
//! the few corrections a story has are not spent on copies that need one themselves. A headline is damaged, too, when
//! two other sources agree in one that differs by a word or a character, and a text when two others that claim to be no
//! later agree in every word of another one. A copy of lower rank gives its text, and the copy shown stays. Where no copy is
//! whole, headline and summary are mended word by word ([`super::words`]).

use super::damage::{self, Body, Sign};
use super::headline::{Alike, alike, is_cut};
use super::same::{COMPARED, date};
use super::words::{AGREEING, mended};
use super::{Case, Rules, Shelf};
use crate::model::fold::fold;
use crate::model::headline::bare;
use crate::model::id::{SourceId, hash64};
use crate::model::place::Code;
use crate::model::shingle::sketch;
use crate::model::source::Republish;
use crate::model::story::{Copy, Emission, Story};
use crate::place::Look;

/// The facts of an item that are kept for good; `folded` is its text, folded.
#[must_use]
pub fn copy(rules: &Rules, case: &Case<'_>, folded: &[char]) -> Copy {
    let item = case.item;
    let essence = |c: &char| !c.is_ascii_digit() && *c != '.';
    let title: String = fold(&item.title).chars().filter(essence).collect();
    let mut text = String::with_capacity(item.text.len());
    text.extend(folded.iter().filter(|c| essence(c)));
    Copy {
        source: item.source.clone(),
        key: item.key.clone(),
        hash: item.hash,
        gist: hash64(&[title.as_bytes(), text.as_bytes()]),
        link: item.link.clone(),
        canonical: item.canonical.clone(),
        title: item.title.clone(),
        published: item.published.clone(),
        seen: item.seen,
        credits: item.credits.clone(),
        wire: case.wire,
        length: item.text.chars().count() as u32,
        rank: rules.source(&item.source).map(|source| source.rank).unwrap_or_default(),
        joined: None,
        score: 0,
        held: case.held,
        damage: damage(&item.title, &item.text, folded),
        named: cities(rules, &item.title),
        sketch: sketch(&folded[..folded.len().min(super::same::COMPARED)]),
    }
}

/// Cities that a headline names: look-alikes are told apart by them.
fn cities(rules: &Rules, title: &str) -> Vec<Code> {
    let look = Look { title, ..Look::default() };
    rules.placer().place(&look).cities.iter().map(|placed| placed.code).collect()
}

/// What a copy's damage weighs, by itself.
fn damage(title: &str, text: &str, folded: &[char]) -> u8 {
    damage::alone(title, text, folded).iter().map(Sign::weight).fold(0, u8::saturating_add)
}

/// Index of the copy to show.
#[must_use]
pub fn best(rules: &Rules, copies: &[Copy]) -> usize {
    let worth = |(index, copy): &(usize, &Copy)| {
        let fit = copy.damage < damage::SEVERE;
        let first = std::cmp::Reverse((date(copy), *index));
        (copy.rank, fit, named(rules, copy, copies), std::cmp::Reverse(copy.damage), copy.length, first)
    };
    copies.iter().enumerate().max_by_key(worth).map_or(0, |(index, _)| index)
}

/// How many of the others name this copy's source as the one the story is from.
fn named(rules: &Rules, copy: &Copy, copies: &[Copy]) -> usize {
    let Some(source) = rules.source(&copy.source) else { return 0 };
    let name = fold(&source.name);
    let of = |credit: &str| {
        let credit = fold(credit);
        credit == name
            || AGENCIES.iter().any(|names| names.contains(&credit.as_str()) && names.contains(&name.as_str()))
    };
    let naming =
        |other: &&Copy| other.source != copy.source && other.credits.last().is_some_and(|credit| of(&credit.name));
    copies.iter().filter(naming).count()
}

/// Names of one producer: as it signs, and as its site is called.
const AGENCIES: &[&[&str]] = &[
    &["新华社", "新华网", "新华通讯社"],
    &["中新社", "中新网", "中国新闻社", "中国新闻网"],
    &["人民日报", "人民网"],
    &["央视", "央视网", "央视新闻", "中央电视台", "中央广播电视总台"],
    &["光明日报", "光明网"],
    &["经济日报", "中国经济网"],
    &["中国青年报", "中青在线"],
];

/// What a copy that has come does for a story that was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mending {
    /// It is shown from now on.
    Shown,
    /// The copy shown stays, with the text of this one: its own was damaged.
    Text,
}

/// What a copy of the story with this text does for what was printed: something, if that was cut or damaged and this
/// copy is whole, by itself and beside what was printed.
#[must_use]
pub fn mends(
    rules: &Rules,
    emission: &Emission,
    story: &Story,
    copy: &Copy,
    text: &str,
    shelf: &dyn Shelf,
) -> Option<Mending> {
    let printed = story.shown()?;
    if copy.damage > 0 {
        return None;
    }
    let before = shelf.text(emission.text).unwrap_or_default();
    let (mine, theirs) = (Body::of(text, COMPARED), Body::of(&before, COMPARED));
    let damaged = printed.damage > 0
        || is_cut(&emission.title)
        || alike(&emission.title, &copy.title) == Some(Alike::Cut)
        || outvoted(emission, story, copy)
        // A read counter is no other wording.
        || (printed.gist != copy.gist && !mine.says_the_same(&theirs) && reworded(story, printed, copy, &mine, shelf))
        || !theirs.beside(&mine, &emission.title, date(copy) <= date(printed)).is_empty();
    if !damaged || !mine.beside(&theirs, &copy.title, date(printed) <= date(copy)).is_empty() {
        return None;
    }
    if copy.rank >= printed.rank {
        return Some(Mending::Shown);
    }
    // Its text obeys its own source's terms: where they allow less than is printed, it mends nothing.
    let terms = rules.source(&copy.source).map_or(Republish::Title, |source| source.republish);
    (terms >= emission.republish).then_some(Mending::Text)
}

/// Whether the text printed, which says something else than `mine`, was reworded on its way: two copies of other sources
/// agree in every word, and neither claims to be later.
fn reworded(story: &Story, printed: &Copy, copy: &Copy, mine: &Body<'_>, shelf: &dyn Shelf) -> bool {
    let first = |copy: &Copy| copy.source != printed.source && date(copy) <= date(printed);
    // Sentences in another order have the same sketch.
    let agrees = |other: &Copy| {
        other.length == copy.length
            && other.sketch == copy.sketch
            && Body::of(&shelf.text(other.wire).unwrap_or_default(), COMPARED).says_the_same(mine)
    };
    !copy.sketch.is_empty()
        && first(copy)
        && story.copies.iter().any(|other| other.source != copy.source && first(other) && agrees(other))
}

/// The headline or text printed, mended word by word where other copies agree ([`super::words`]).
#[derive(Debug, Default)]
pub struct Worded {
    /// The headline, and whose words stand in it.
    pub title: Option<(String, Vec<SourceId>)>,
    /// The summary, likewise.
    pub summary: Option<(String, Vec<SourceId>)>,
}

/// So many other copies are asked for their words.
const ASKED: usize = 8;
/// A text is compared with so many characters of others beyond its own.
const BEYOND: usize = 100;

/// Mends what is printed word by word. Words of a text come only from sources whose terms allow as much as is printed.
#[must_use]
pub fn worded(rules: &Rules, emission: &Emission, story: &Story, shelf: &dyn Shelf) -> Option<Worded> {
    // One copy of each other source: what a source says twice is one voice.
    let mut others: Vec<&Copy> = Vec::new();
    for copy in story.copies.iter().rev().filter(|copy| copy.source != emission.source) {
        if others.len() < ASKED && !others.iter().any(|other| other.source == copy.source) {
            others.push(copy);
        }
    }
    let names = |by: Vec<usize>, of: &[&Copy]| by.iter().map(|index| of[*index].source.clone()).collect::<Vec<_>>();
    let titles = others.iter().map(|copy| bare(&copy.title));
    let title = mended(&emission.title, titles, "").map(|mended| (mended.text, names(mended.by, &others)));
    let title = title.or_else(|| continued(&emission.title, &others));
    let terms = |copy: &&Copy| rules.source(&copy.source).map_or(Republish::Title, |source| source.republish);
    others.retain(|copy| terms(copy) >= emission.republish);
    let summary = if emission.summary.is_empty() || others.len() < AGREEING {
        None
    } else {
        let most = emission.summary.chars().count() + BEYOND;
        let texts =
            others.iter().map(|copy| shelf.text(copy.wire).unwrap_or_default().chars().take(most).collect::<String>());
        let headline = title.as_ref().map_or(emission.title.as_str(), |(title, _)| title);
        mended(&emission.summary, texts, headline).map(|mended| (mended.text, names(mended.by, &others)))
    };
    (title.is_some() || summary.is_some()).then_some(Worded { title, summary })
}

/// A headline that was cut, as others have it whole: one of them where it ends in an ellipsis, else two that agree.
fn continued(printed: &str, others: &[&Copy]) -> Option<(String, Vec<SourceId>)> {
    let whole = |copy: &&&Copy| alike(printed, &copy.title) == Some(Alike::Cut) && !is_cut(&copy.title);
    let whole: Vec<&&Copy> = others.iter().filter(whole).collect();
    let agree = |copy: &&Copy| whole.iter().filter(|other| fold(bare(&other.title)) == fold(bare(&copy.title))).count();
    let best = whole.iter().rev().max_by_key(|copy| agree(copy))?;
    (is_cut(printed) || agree(best) >= 2).then(|| (bare(&best.title).to_owned(), vec![best.source.clone()]))
}

/// Whether the headline printed stands alone: two copies of other sources agree in another one, a word or a character
/// apart, and this copy has it.
fn outvoted(emission: &Emission, story: &Story, copy: &Copy) -> bool {
    let near = |alike| matches!(alike, Some(Alike::Lost | Alike::Reworded));
    let agree = |title: &str| alike(title, &copy.title) == Some(Alike::Equal);
    near(alike(&emission.title, &copy.title))
        && story.copies.iter().any(|c| c.source != copy.source && c.source != emission.source && agree(&c.title))
        && !story
            .copies
            .iter()
            .any(|c| c.source != emission.source && alike(&c.title, &emission.title) == Some(Alike::Equal))
}
