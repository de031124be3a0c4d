//! Tags that a source puts on everything: they say nothing of any one story.

use std::collections::{BTreeMap, BTreeSet};

/// Items of a source that must be counted before any of its tags is called noise.
pub const ITEMS: u32 = 12;
/// On so many of them a tag must stand, per mille: one item without it may be a slip.
pub const EVERYTHING: u32 = 950;
/// Counted items above which older ones count half, so that a source that changes its manners is known by the new ones.
const REMEMBERED: u32 = 200;
/// So many tags of a source are counted, the commonest.
const TAGS: usize = 24;

/// The tags of items, and how many carry each: most first, then by id.
#[must_use]
pub fn tally<'i>(items: impl Iterator<Item = &'i BTreeSet<String>>) -> Vec<(String, u32)> {
    let mut counts = BTreeMap::new();
    for tag in items.flatten() {
        *counts.entry(tag.clone()).or_insert(0) += 1;
    }
    commonest(counts)
}

/// Adds the counts of new items to those of former ones.
#[must_use]
pub fn count(
    (items, tags): (u32, &[(String, u32)]),
    (new_items, new_tags): (u32, &[(String, u32)]),
) -> (u32, Vec<(String, u32)>) {
    let mut total = items.saturating_add(new_items);
    let mut counts: BTreeMap<String, u32> = tags.iter().cloned().collect();
    for (tag, count) in new_tags {
        let known = counts.entry(tag.clone()).or_default();
        *known = known.saturating_add(*count);
    }
    while total > REMEMBERED {
        // Both rounded up: what stands on everything goes on standing on everything.
        total = total.div_ceil(2);
        for count in counts.values_mut() {
            *count = count.div_ceil(2);
        }
    }
    (total, commonest(counts))
}

/// Those that stand on everything.
#[must_use]
pub fn noise(items: u32, tags: &[(String, u32)]) -> BTreeSet<String> {
    let everywhere = |count: u32| u64::from(count) * 1000 >= u64::from(items) * u64::from(EVERYTHING);
    let noise = tags.iter().filter(|(_, count)| items >= ITEMS && everywhere(*count));
    noise.map(|(tag, _)| tag.clone()).collect()
}

fn commonest(counts: BTreeMap<String, u32>) -> Vec<(String, u32)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(a, one), (b, other)| other.cmp(one).then_with(|| a.cmp(b)));
    counts.truncate(TAGS);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_on_everything_is_noise_until_it_does_not() {
        let all = |count| vec![("本站".to_owned(), count), ("教育".to_owned(), count / 2)];
        assert!(noise(11, &all(11)).is_empty(), "too few to tell");
        assert_eq!(noise(12, &all(12)), BTreeSet::from(["本站".to_owned()]));
        assert!(noise(20, &all(18)).is_empty(), "two of twenty are without it");
        assert_eq!(noise(20, &all(19)).len(), 1, "one slip");
        let (items, tags) = count((150, &all(150)), (90, &all(90)));
        assert_eq!((items, &tags), (120, &all(120)));
        let (mut items, mut tags) = (items, tags);
        for _ in 0..10 {
            (items, tags) = count((items, &tags), (10, &[]));
        }
        assert!(noise(items, &tags).is_empty(), "it has stopped: {items} {tags:?}");
    }
}
