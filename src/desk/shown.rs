//! Whose copy is shown?
//!
//! Not the longest: in a study of damaged copies the longest was whole in half of the cases. First the rank of the
//! source; then whom the other copies name as theirs (来源); then fewest signs of damage; then length; then who was first.

use super::headline::{Alike, alike, is_cut};
use super::{Case, Rules};
use crate::model::fold::fold;
use crate::model::id::hash64;
use crate::model::place::Code;
use crate::model::shingle::sketch;
use crate::model::story::{Copy, Emission, Story};
use crate::place::Look;

/// Characters so common that a Chinese text of [`LONG`] characters without one of them has lost it on the way.
const COMMON: &[char] = &['的', '一', '在', '不', '平', '人', '工'];
/// So many Han characters make a text long enough to miss one.
const LONG: usize = 600;

/// The facts of an item that are kept for good.
#[must_use]
pub fn copy(rules: &Rules, case: &Case<'_>) -> Copy {
    let item = case.item;
    let essence = |text: &str| fold(text).chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect::<String>();
    Copy {
        source: item.source.clone(),
        key: item.key.clone(),
        hash: item.hash,
        gist: hash64(&[essence(&item.title).as_bytes(), essence(&item.text).as_bytes()]),
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
        damage: damage(&item.title, &item.text),
        named: named(rules, &item.title),
        sketch: sketch(&fold(&item.text).chars().take(super::same::COMPARED).collect::<Vec<_>>()),
    }
}

/// Cities that a headline names: look-alikes are told apart by them.
fn named(rules: &Rules, title: &str) -> Vec<Code> {
    let look = Look { title, ..Look::default() };
    rules.placer().place(&look).cities.iter().map(|placed| placed.code).collect()
}

/// Counts signs of damage.
fn damage(title: &str, text: &str) -> u8 {
    let han = text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    let lost = if han >= LONG { COMMON.iter().filter(|c| !text.contains(**c)).count() } else { 0 };
    let mojibake = title.contains('\u{fffd}') || text.contains('\u{fffd}');
    let cut = u8::from(is_cut(title)) + u8::from(is_cut(text));
    cut.saturating_add(u8::from(mojibake) * 2).saturating_add(lost.min(8) as u8)
}

/// Index of the copy to show.
#[must_use]
pub fn best(rules: &Rules, copies: &[Copy]) -> usize {
    let worth = |(index, copy): &(usize, &Copy)| {
        let name = rules.source(&copy.source).map(|source| fold(&source.name)).unwrap_or_default();
        let named = copies.iter().filter(|other| {
            other.source != copy.source
                && !name.is_empty()
                && other.credits.iter().any(|credit| fold(&credit.name) == name)
        });
        let first = std::cmp::Reverse(*index);
        (copy.rank, named.count(), std::cmp::Reverse(copy.damage), copy.length, first)
    };
    copies.iter().enumerate().max_by_key(worth).map_or(0, |(index, _)| index)
}

/// Whether a copy mends what was emitted: the headline or the text was cut or damaged, and this copy is whole.
#[must_use]
pub fn mends(emission: &Emission, story: &Story, copy: &Copy) -> bool {
    let Some(shown) = story.shown() else { return false };
    if copy.damage > 0 || copy.rank < shown.rank {
        return false;
    }
    let cut = is_cut(&emission.title) || alike(&emission.title, &copy.title) == Some(Alike::Cut);
    cut || shown.damage > 0
}
