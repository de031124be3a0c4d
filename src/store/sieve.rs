//! Which keys are surely not in the store, told without a look at it.
//!
//! Every item is looked up by a dozen keys, of which nearly all are new: in a large store each is a page read from the disk to
//! learn that nothing is there. A Bloom filter in memory (Bloom 1970; one cache line a key, Putze, Sanders and Singler 2007)
//! knows most of that. It answers "maybe" for everything until a thread has read the keys of the store once after it was
//! opened, so nothing waits for it, and it may be lost at any time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use super::layout::{Tree, Trees};

/// Keys of the first layer; the next ones make it larger by half each.
const FEWEST: u64 = 1 << 16;
/// Bits for a key: one in a hundred that are not there counts as maybe there.
const BITS: u64 = 10;
/// Words of one block: a cache line.
const LINE: usize = 8;
/// Bits set for a key in its block.
const PROBES: u32 = 6;

/// Trees whose keys are kept.
const KEPT: [Tree; 5] = [Tree::Items, Tree::Guids, Tree::Urls, Tree::Headlines, Tree::Texts];

/// One filter of a fixed size.
#[derive(Debug)]
struct Layer {
    words: Vec<AtomicU64>,
    /// Keys that it is made for.
    most: u64,
    keys: AtomicU64,
}

impl Layer {
    fn new(most: u64) -> Self {
        let lines = (most * BITS).div_ceil(64 * LINE as u64) as usize;
        let words = (0..lines * LINE).map(|_| AtomicU64::new(0)).collect();
        Self { words, most, keys: AtomicU64::new(0) }
    }

    /// The words that a hash falls on, each with its bit.
    fn bits(&self, hash: u64) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let line = (hash >> 32) as usize % (self.words.len() / LINE).max(1) * LINE;
        let mut rest = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..PROBES).filter_map(move |_| {
            rest = rest.rotate_left(9).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let bit = (rest >> 55) as usize;
            Some((self.words.get(line + bit / 64)?, 1 << (bit % 64)))
        })
    }

    fn holds(&self, hash: u64) -> bool {
        self.bits(hash).all(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn put(&self, hash: u64) {
        self.bits(hash).for_each(|(word, bit)| {
            word.fetch_or(bit, Ordering::Relaxed);
        });
        self.keys.fetch_add(1, Ordering::Relaxed);
    }
}

/// The filter, with what fills it.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    layers: RwLock<Vec<Layer>>,
    /// All keys that stood in the store when it was opened are known.
    ready: AtomicBool,
    stop: AtomicBool,
    reader: Mutex<Option<JoinHandle<()>>>,
}

impl Sieve {
    /// Over the keys of these trees, which a thread reads now.
    pub fn over(trees: &Trees) -> Arc<Self> {
        let sieve = Arc::new(Self::default());
        let trees = KEPT.map(|tree| (tree, trees.get(tree).clone()));
        let filling = Arc::clone(&sieve);
        let read = move || {
            for (kind, tree) in trees {
                for key in tree.iter().keys() {
                    match key {
                        Ok(key) if !filling.stop.load(Ordering::Relaxed) => filling.put(kind, &key),
                        // What cannot be read here is told by whoever needs it.
                        _ => return,
                    }
                }
            }
            filling.ready.store(true, Ordering::Release);
        };
        // Without the thread everything is maybe there.
        let reader = std::thread::Builder::new().name("store-keys".to_owned()).spawn(read).ok();
        *sieve.reader.lock().unwrap_or_else(PoisonError::into_inner) = reader;
        sieve
    }

    /// Whether the key may be in the tree; false if it surely is not.
    pub fn may_hold(&self, tree: Tree, key: &[u8]) -> bool {
        if !self.ready.load(Ordering::Acquire) || !KEPT.contains(&tree) {
            return true;
        }
        let hash = hash(tree, key);
        self.layers.read().unwrap_or_else(PoisonError::into_inner).iter().any(|layer| layer.holds(hash))
    }

    /// A key comes into the tree: told before it does.
    pub fn put(&self, tree: Tree, key: &[u8]) {
        if !KEPT.contains(&tree) {
            return;
        }
        let hash = hash(tree, key);
        {
            let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
            if layers.iter().any(|layer| layer.holds(hash)) {
                return;
            }
            if let Some(layer) = layers.last().filter(|layer| layer.keys.load(Ordering::Relaxed) < layer.most) {
                layer.put(hash);
                return;
            }
        }
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        let all: u64 = layers.iter().map(|layer| layer.most).sum();
        let layer = Layer::new(FEWEST.max(all / 2));
        layer.put(hash);
        layers.push(layer);
    }

    /// Ends the thread, if it still reads: it holds the trees open.
    pub fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reader) = reader {
            // A panic inside sled while it read is no reason for another one here.
            let _ = reader.join();
        }
    }

    /// Waits until the keys are read.
    #[cfg(test)]
    pub fn wait(&self) {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reader) = reader {
            reader.join().unwrap();
        }
        assert!(self.ready.load(Ordering::Acquire));
    }
}

fn hash(tree: Tree, key: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(key, tree as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_found_and_most_else_is_not() {
        let sieve = Sieve::default();
        sieve.ready.store(true, Ordering::Release);
        let keys = FEWEST * 3;
        for number in 0..keys {
            sieve.put(Tree::Texts, &number.to_be_bytes());
        }
        assert!((0..keys).all(|number| sieve.may_hold(Tree::Texts, &number.to_be_bytes())));
        let wrong = (keys..keys * 2).filter(|number| sieve.may_hold(Tree::Texts, &number.to_be_bytes())).count() as u64;
        assert!(wrong * 20 < keys, "{wrong} of {keys}");
        let other = (0..keys).filter(|number| sieve.may_hold(Tree::Urls, &number.to_be_bytes())).count() as u64;
        assert!(other * 20 < keys, "{other} of {keys}");
        assert!(sieve.may_hold(Tree::Stories, &[1]), "of other trees nothing is known");
    }

    #[test]
    fn a_store_opened_again_knows_its_keys_and_lets_go_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = super::super::Store::open(folder.path()).unwrap();
        store.sieve.wait();
        assert!(!store.sieve.may_hold(Tree::Urls, b"12345678"));
        store.trees.urls.insert(b"12345678", b"").unwrap();
        drop(store);
        let store = super::super::Store::open(folder.path()).unwrap();
        store.sieve.wait();
        assert!(store.sieve.may_hold(Tree::Urls, b"12345678") && !store.sieve.may_hold(Tree::Urls, b"12345679"));
    }
}
