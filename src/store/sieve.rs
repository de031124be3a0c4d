//! Which volumes may hold a key, told without a look at the store.
//!
//! Every item is looked up by a dozen keys, of which nearly all are new: in a large store each is a page read from the disk to
//! learn that nothing is there. Bloom filters in memory (Bloom 1970; one cache line a key, Putze, Sanders and Singler 2007),
//! one for each [`Volume`], know most of that. They answer "maybe" for everything until a thread has read the keys of the
//! store once after it was opened, so nothing waits for them, and they may be lost at any time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use super::layout::{Tree, Trees, Volume};

/// Keys of a volume's first layer; the next ones are four times as large each. A whole volume has about a million.
const FEWEST: u64 = 1 << 16;
/// Bits for a key: some two in a thousand that are not there count as maybe there, in each volume.
const BITS: u64 = 16;
/// Words of one block: a cache line.
const LINE: usize = 8;
/// Bits set for a key in its block.
const PROBES: u32 = 8;

/// Trees whose keys stand in volumes.
pub(super) const KEPT: [Tree; 5] = [Tree::Items, Tree::Guids, Tree::Urls, Tree::Headlines, Tree::Texts];

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

/// The filters, with what fills them.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    /// The layers of each volume.
    volumes: RwLock<Vec<Vec<Layer>>>,
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
                        Ok(key) if !filling.stop.load(Ordering::Relaxed) => {
                            if let Some((volume, key)) = Volume::split(&key) {
                                filling.put(kind, volume, key);
                            }
                        }
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

    /// The volumes up to `last` that may hold the key, newest first; the others surely do not.
    pub fn volumes(&self, tree: Tree, key: &[u8], last: Volume) -> Vec<Volume> {
        let all = (0..=last.0).rev().map(Volume);
        if !self.ready.load(Ordering::Acquire) {
            return all.collect();
        }
        let hash = hash(tree, key);
        let volumes = self.volumes.read().unwrap_or_else(PoisonError::into_inner);
        let holds = |volume: &Volume| {
            volumes.get(usize::from(volume.0)).is_some_and(|layers| layers.iter().any(|layer| layer.holds(hash)))
        };
        all.filter(holds).collect()
    }

    /// Whether this volume may hold the key; false if it surely does not.
    pub fn may_hold(&self, tree: Tree, volume: Volume, key: &[u8]) -> bool {
        if !self.ready.load(Ordering::Acquire) {
            return true;
        }
        let hash = hash(tree, key);
        let volumes = self.volumes.read().unwrap_or_else(PoisonError::into_inner);
        volumes.get(usize::from(volume.0)).is_some_and(|layers| layers.iter().any(|layer| layer.holds(hash)))
    }

    /// A key comes into a volume of the tree: told before it does.
    pub fn put(&self, tree: Tree, volume: Volume, key: &[u8]) {
        let (hash, index) = (hash(tree, key), usize::from(volume.0));
        {
            let volumes = self.volumes.read().unwrap_or_else(PoisonError::into_inner);
            let layers = volumes.get(index).map(Vec::as_slice).unwrap_or_default();
            if layers.iter().any(|layer| layer.holds(hash)) {
                return;
            }
            if let Some(layer) = layers.last().filter(|layer| layer.keys.load(Ordering::Relaxed) < layer.most) {
                layer.put(hash);
                return;
            }
        }
        let mut volumes = self.volumes.write().unwrap_or_else(PoisonError::into_inner);
        while volumes.len() <= index {
            volumes.push(Vec::new());
        }
        if let Some(layers) = volumes.get_mut(index) {
            let layer = Layer::new(layers.last().map_or(FEWEST, |layer| layer.most * 4));
            layer.put(hash);
            layers.push(layer);
        }
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
        let volume = Volume(2);
        for number in 0..keys {
            sieve.put(Tree::Texts, volume, &number.to_be_bytes());
        }
        let may_hold = |tree, number: u64| sieve.may_hold(tree, volume, &number.to_be_bytes());
        assert!((0..keys).all(|number| may_hold(Tree::Texts, number)));
        let wrong = (keys..keys * 2).filter(|number| may_hold(Tree::Texts, *number)).count() as u64;
        assert!(wrong * 200 < keys, "{wrong} of {keys}");
        let other = (0..keys).filter(|number| may_hold(Tree::Urls, *number)).count() as u64;
        assert!(other * 200 < keys, "{other} of {keys}");
        sieve.put(Tree::Texts, Volume(0), &7_u64.to_be_bytes());
        let volumes = |number: u64| sieve.volumes(Tree::Texts, &number.to_be_bytes(), Volume(4));
        assert_eq!(volumes(7), [Volume(2), Volume(0)]);
        assert_eq!(volumes(8), [Volume(2)]);
    }

    #[test]
    fn a_store_opened_again_knows_its_keys_and_lets_go_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = super::super::Store::open(folder.path()).unwrap();
        store.sieve.wait();
        let volume = Volume(3);
        assert!(!store.sieve.may_hold(Tree::Urls, volume, b"12345678"));
        store.trees.urls.insert(volume.key(b"12345678"), b"").unwrap();
        drop(store);
        let store = super::super::Store::open(folder.path()).unwrap();
        store.sieve.wait();
        assert!(store.sieve.may_hold(Tree::Urls, volume, b"12345678"));
        assert!(!store.sieve.may_hold(Tree::Urls, volume, b"12345679"));
        assert!(!store.sieve.may_hold(Tree::Urls, Volume(2), b"12345678"));
    }
}
