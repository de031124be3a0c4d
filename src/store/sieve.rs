//! Which volumes may hold a key, told without a look at the store.
//!
//! Every item is looked up by a dozen keys, of which nearly all are new: in a large store each is a page read from the disk to
//! learn that nothing is there. Bloom filters in memory (Bloom 1970; one cache line a key, Putze, Sanders and Singler 2007),
//! one for each [`Volume`] and one for each shelf of them, know most of that. They answer "maybe" for everything until a thread has read the keys of the
//! store once after it was opened, so serving never waits for them, and they may be lost at any time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use super::layout::{Tree, Trees, Volume};

/// What a kind of filter is made of.
#[derive(Debug, Clone, Copy)]
struct Mesh {
    /// Bits for a key.
    bits: u64,
    /// Keys that the first layer of the first filter is made for; the next layers are four times as large each.
    fewest: u64,
    /// Keys of a whole one: whoever fills a second one has it made for so many at once.
    whole: u64,
}

/// Of a volume: some two in a thousand that are not there count as maybe there.
const VOLUME: Mesh = Mesh { bits: 16, fewest: 1 << 16, whole: 1 << 18 };
/// Of a shelf of volumes, which is looked at first: three in a hundred.
const SHELF: Mesh = Mesh { bits: 8, fewest: 1 << 16, whole: 1 << 22 };
/// Volumes on a shelf.
const SHELVED: u16 = 16;
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
    fn new(most: u64, mesh: Mesh) -> Self {
        let lines = (most * mesh.bits).div_ceil(64 * LINE as u64).next_power_of_two() as usize;
        let words = (0..lines * LINE).map(|_| AtomicU64::new(0)).collect();
        Self { words, most, keys: AtomicU64::new(0) }
    }

    /// The words that a hash falls on, each with its bit.
    fn bits(&self, hash: u64) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let line = ((hash >> 32) as usize * LINE) & (self.words.len() - 1);
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

/// Filters of one kind, each of one or more layers.
#[derive(Debug)]
struct Filters {
    mesh: Mesh,
    all: Vec<Vec<Layer>>,
}

impl Filters {
    fn hold(&self, index: usize, hash: u64) -> bool {
        self.all.get(index).is_some_and(|layers| layers.iter().any(|layer| layer.holds(hash)))
    }

    /// Puts a key into the layer that has room; false if there is none.
    fn put(&self, index: usize, hash: u64) -> bool {
        let layer = self.all.get(index).and_then(|layers| layers.last());
        let roomy = layer.filter(|layer| layer.keys.load(Ordering::Relaxed) < layer.most);
        roomy.map(|layer| layer.put(hash)).is_some()
    }

    /// Puts a key into a layer of its own.
    fn grow(&mut self, index: usize, hash: u64) {
        while self.all.len() <= index {
            self.all.push(Vec::new());
        }
        let Some(layers) = self.all.get_mut(index) else { return };
        let first = if index == 0 { self.mesh.fewest } else { self.mesh.whole };
        let layer = Layer::new(layers.last().map_or(first, |layer| layer.most * 4), self.mesh);
        layer.put(hash);
        layers.push(layer);
    }
}

/// The filters, with what fills them.
#[derive(Debug)]
pub(super) struct Sieve {
    /// Of each volume, and of each shelf of them.
    filters: RwLock<[Filters; 2]>,
    /// All keys that stood in the store when it was opened are known.
    ready: AtomicBool,
    stop: AtomicBool,
    reader: Mutex<Option<JoinHandle<()>>>,
}

impl Default for Sieve {
    fn default() -> Self {
        let filters = [VOLUME, SHELF].map(|mesh| Filters { mesh, all: Vec::new() });
        Self {
            filters: RwLock::new(filters),
            ready: AtomicBool::default(),
            stop: AtomicBool::default(),
            reader: Mutex::default(),
        }
    }
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

    /// Whether the keys that stood in the store when it was opened are read.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Whether they are being read now: where that failed, nobody may wait for it.
    pub fn is_reading(&self) -> bool {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.as_ref().is_some_and(|reader| !reader.is_finished())
    }

    /// The volumes up to `last` that may hold the key, newest first; the others surely do not.
    pub fn volumes(&self, tree: Tree, key: &[u8], last: Volume) -> Vec<Volume> {
        if !self.is_ready() {
            return (0..=last.0).rev().map(Volume).collect();
        }
        let hash = hash(tree, key);
        let filters = self.filters.read().unwrap_or_else(PoisonError::into_inner);
        let [volumes, shelves] = &*filters;
        let mut found = Vec::new();
        for shelf in (0..=last.0 / SHELVED).rev().filter(|shelf| shelves.hold(usize::from(*shelf), hash)) {
            let first = shelf * SHELVED;
            let on_it = (first..=last.0.min(first.saturating_add(SHELVED - 1))).rev();
            found.extend(on_it.filter(|volume| volumes.hold(usize::from(*volume), hash)).map(Volume));
        }
        found
    }

    /// Whether this volume may hold the key; false if it surely does not.
    pub fn may_hold(&self, tree: Tree, volume: Volume, key: &[u8]) -> bool {
        let filters = self.filters.read().unwrap_or_else(PoisonError::into_inner);
        !self.is_ready() || filters[0].hold(usize::from(volume.0), hash(tree, key))
    }

    /// A key comes into a volume of the tree: told before it does.
    pub fn put(&self, tree: Tree, volume: Volume, key: &[u8]) {
        let hash = hash(tree, key);
        for (kind, index) in [(0, volume.0), (1, volume.0 / SHELVED)] {
            let index = usize::from(index);
            let known = {
                let filters = self.filters.read().unwrap_or_else(PoisonError::into_inner);
                filters[kind].hold(index, hash) || filters[kind].put(index, hash)
            };
            if !known {
                self.filters.write().unwrap_or_else(PoisonError::into_inner)[kind].grow(index, hash);
            }
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
        assert!(self.is_ready());
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
        let keys = VOLUME.fewest * 3;
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
        sieve.put(Tree::Texts, Volume(40), &7_u64.to_be_bytes());
        let volumes = |number: u64, last| sieve.volumes(Tree::Texts, &number.to_be_bytes(), Volume(last));
        assert_eq!(volumes(7, 40), [Volume(40), Volume(2)]);
        assert_eq!((volumes(7, 39), volumes(8, 40)), (vec![Volume(2)], vec![Volume(2)]));
        assert_eq!(volumes(8, 1), []);
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
