//! What the newest stories are found by, at hand.
//!
//! Every item is compared with stories of late by a dozen keys, and some of these many have: read from sled, each is a page
//! that its cache has long given away. The values of the near volumes stand in memory as well, as sled has them; nothing is
//! known here that is not in the store, and where nothing is known yet sled is asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use sled::IVec;

use super::Result;
use super::layout::{Tree, Volume};
use crate::model::spread::BySpread;

/// The values of one tree in one volume; most are so short that they need no memory of their own.
type Values = HashMap<u64, IVec, BySpread>;

/// Values of the near volumes.
#[derive(Debug, Default)]
pub(super) struct Near {
    values: RwLock<BTreeMap<(Volume, Tree), Values>>,
    /// What stood in the store when it was opened is known.
    ready: AtomicBool,
}

impl Near {
    /// Trees of which it knows the values: those of shared keys.
    const TREES: [Tree; 3] = [Tree::Urls, Tree::Headlines, Tree::Texts];

    /// Reads what stands in the volumes near `last`, unless `stop` says no.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled cannot be read: then it is asked for ever.
    pub fn fill(&self, trees: &[(Tree, sled::Tree)], last: Volume, stop: &AtomicBool) -> Result<()> {
        for (kind, tree) in trees.iter().filter(|(kind, _)| Self::TREES.contains(kind)) {
            for volume in (last.near().0..=last.0).map(Volume) {
                for pair in tree.scan_prefix(volume.0.to_be_bytes()) {
                    let (key, value) = pair?;
                    if stop.load(Ordering::Relaxed) {
                        return Ok(());
                    }
                    // What was written meanwhile is newer.
                    self.change(*kind, &key, |values, key| {
                        values.entry(key).or_insert(value);
                    });
                }
            }
        }
        self.ready.store(true, Ordering::Release);
        Ok(())
    }

    /// A value is written, or removed.
    pub fn put(&self, tree: Tree, key: &[u8], value: Option<&[u8]>) {
        if Self::TREES.contains(&tree) {
            self.change(tree, key, |values, key| {
                match value {
                    Some(value) => values.insert(key, IVec::from(value)),
                    None => values.remove(&key),
                };
            });
        }
    }

    fn change(&self, tree: Tree, key: &[u8], change: impl FnOnce(&mut Values, u64)) {
        let Some((volume, key)) = Volume::split(key).and_then(|(at, key)| Some((at, key.try_into().ok()?))) else {
            return;
        };
        let mut all = self.values.write().unwrap_or_else(PoisonError::into_inner);
        let newest = all.last_key_value().map_or(volume, |((newest, _), _)| *newest);
        if volume < newest.near() {
            return;
        }
        if volume > newest {
            all.retain(|(known, _), _| *known >= volume.near());
        }
        change(all.entry((volume, tree)).or_default(), u64::from_be_bytes(key));
    }

    /// What stands under a key of a volume; what is not known here is asked of sled.
    ///
    /// # Errors
    /// Those of asking.
    pub fn get(
        &self,
        tree: Tree,
        volume: Volume,
        key: u64,
        ask: impl FnOnce() -> Result<Option<IVec>>,
    ) -> Result<Option<IVec>> {
        if self.ready.load(Ordering::Acquire) {
            let all = self.values.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(values) = all.get(&(volume, tree)) {
                return Ok(values.get(&key).cloned());
            }
        }
        ask()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;

    #[test]
    fn what_is_near_is_known_as_the_store_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let last = Volume(Volume::NEAR + 3);
        {
            let store = Store::open(folder.path()).unwrap();
            for volume in 0..=last.0 {
                let value = volume.to_string();
                store.trees.texts.insert(Volume(volume).key(&7_u64.to_be_bytes()), value.as_str()).unwrap();
            }
        }
        let store = Store::open(folder.path()).unwrap();
        let (near, trees) = (Near::default(), [(Tree::Texts, store.trees.texts.clone())]);
        // Written while the store is read: the newer value stays.
        near.put(Tree::Texts, &last.key(&7_u64.to_be_bytes()), Some(b"new"));
        let get = |volume, key| {
            let asked = || Ok(Some(IVec::from(b"asked")));
            String::from_utf8_lossy(&near.get(Tree::Texts, volume, key, asked).unwrap().unwrap_or_default())
                .into_owned()
        };
        assert_eq!(get(last, 7), "asked", "not read yet");
        near.fill(&trees, last, &AtomicBool::new(false)).unwrap();
        assert_eq!(get(last, 7), "new");
        assert_eq!(get(last.near(), 7), last.near().0.to_string());
        assert_eq!(get(Volume(last.near().0 - 1), 7), "asked", "further back");
        assert_eq!(get(last, 8), "", "known to be nothing");
        near.put(Tree::Texts, &last.key(&7_u64.to_be_bytes()), None);
        assert_eq!(get(last, 7), "");
        // A volume begins: the oldest is forgotten.
        let next = Volume(last.0 + 1);
        near.put(Tree::Texts, &next.key(&9_u64.to_be_bytes()), Some(b"next"));
        assert_eq!([get(last.near(), 7), get(next, 7), get(next, 9)], ["asked", "", "next"]);
        near.put(Tree::Texts, &last.near().key(&7_u64.to_be_bytes()), Some(b"late"));
        assert_eq!(get(last.near(), 7), "asked");
    }
}
