//! Which volumes may hold a key, told without a look at the store.
//!
//! Every item is looked up by a dozen keys, of which nearly all are new: in a large store each is a page read from the disk to
//! learn that nothing is there. A Bloom filter in memory (Bloom 1970) knows most of that for each [`Volume`]. The filters of
//! many volumes lie side by side, bit by bit ("bit-sliced signatures", Faloutsos and Christodoulakis 1984; COBS, Bingmann
//! et al. 2019): one look at a few words tells for all of them at once. They answer "maybe" for everything until a thread
//! has read the keys of the store once after it was opened, so serving never waits for them, and they may be lost at any
//! time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use super::keys::Kind;
use super::layout::Volume;

/// How the keys of some trees stand in their sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mesh {
    /// Items, guids and links: looked for in every volume, and a volume that has them not is a page read in vain. Thirty-two
    /// rows for each of a usual volume's keys: some six in a million count as maybe there although they are not.
    Fine,
    /// Pieces of headlines and texts: three times as many, looked for in the near volumes, and further back where three of
    /// them may stand. Sixteen rows for each: one in a thousand.
    Wide,
}

impl Mesh {
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Headlines | Kind::Texts => Self::Wide,
            _ => Self::Fine,
        }
    }

    /// Rows of a sheet. A volume with more keys is less often told from one that has a key, and as right.
    const fn rows(self) -> usize {
        let rows = match self {
            Self::Fine => 3 << 19,
            Self::Wide => 5 << 19,
        };
        if cfg!(test) { rows >> 5 } else { rows }
    }

    /// Rows of a key, in each of which its volume's bit is set.
    const fn probes(self) -> u32 {
        match self {
            Self::Fine => 8,
            Self::Wide => 6,
        }
    }
}

/// The rows of a key stand in one block of so many: near each other in memory (Putze, Sanders and Singler 2007).
const BLOCK: usize = 512;
/// Volumes of the first sheets: a small store has but these, of 4 MB.
const FEW: u16 = 8;
/// Volumes of each further sheet: 33 MB for both meshes.
const MANY: u16 = 64;

/// The filters of volumes that follow each other: a row has one bit of each.
#[derive(Debug)]
struct Sheet {
    mesh: Mesh,
    /// Its first volume.
    first: u16,
    /// How many volumes it has room for: a part of a word, or a whole one.
    width: u16,
    words: Vec<AtomicU64>,
}

impl Sheet {
    /// The sheet of this number.
    fn new(mesh: Mesh, number: u16) -> Self {
        let (first, width) = number.checked_sub(1).map_or((0, FEW), |further| (FEW + MANY * further, MANY));
        let words = mesh.rows() * usize::from(width) / 64;
        Self { mesh, first, width, words: std::iter::repeat_with(AtomicU64::default).take(words).collect() }
    }

    /// Which sheet a volume stands on.
    fn number(volume: Volume) -> u16 {
        volume.0.checked_sub(FEW).map_or(0, |behind| behind / MANY + 1)
    }

    /// The rows of a hash: the word that each stands in, and where in it.
    fn rows(&self, hash: u64) -> impl Iterator<Item = (&AtomicU64, u32)> {
        let width = usize::from(self.width);
        let block = (hash >> 32) as usize % (self.mesh.rows() / BLOCK) * BLOCK;
        let mut rest = hash;
        (0..self.mesh.probes()).filter_map(move |_| {
            rest = rest.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let bit = (block + (rest >> 32) as usize % BLOCK) * width;
            Some((self.words.get(bit / 64)?, (bit % 64) as u32))
        })
    }

    /// A bit for each of its volumes that may hold a key, its first the lowest.
    fn hold(&self, hash: u64) -> u64 {
        let all = u64::MAX >> (64 - self.width);
        self.rows(hash).fold(all, |held, (word, at)| held & (word.load(Ordering::Relaxed) >> at))
    }

    fn put(&self, hash: u64, volume: Volume) {
        let bit = 1 << volume.0.saturating_sub(self.first).min(self.width - 1);
        self.rows(hash).for_each(|(word, at)| {
            word.fetch_or(bit << at, Ordering::Relaxed);
        });
    }
}

/// A key as the sheets know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sifted {
    mesh: Mesh,
    hash: u64,
}

impl Sifted {
    /// A key of this kind.
    pub fn of(kind: Kind, key: &[u8]) -> Self {
        Self { mesh: Mesh::of(kind), hash: xxhash_rust::xxh3::xxh3_64_with_seed(key, kind as u64) }
    }
}

/// The filters, with what fills them.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    /// By their numbers.
    sheets: RwLock<BTreeMap<(Mesh, u16), Sheet>>,
    /// All keys that stood in the store when it was opened are known.
    ready: AtomicBool,
}

impl Sieve {
    /// Whether the keys that stood in the store when it was opened are known.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// They are.
    pub fn complete(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// The volumes up to `last` that may hold the key, newest first; the others surely do not.
    pub fn volumes(&self, key: Sifted, last: Volume) -> Vec<Volume> {
        self.volumes_of(&[key], last).pop().unwrap_or_default()
    }

    /// The same for each of several keys. A look at a sheet waits for memory: these wait together.
    pub fn volumes_of(&self, keys: &[Sifted], last: Volume) -> Vec<Vec<Volume>> {
        if !self.is_ready() {
            return vec![(0..=last.0).rev().map(Volume).collect(); keys.len()];
        }
        let mut found = vec![Vec::new(); keys.len()];
        let sheets = self.sheets.read().unwrap_or_else(PoisonError::into_inner);
        for number in (0..=Sheet::number(last)).rev() {
            let of = [Mesh::Fine, Mesh::Wide].map(|mesh| sheets.get(&(mesh, number)));
            let hold = |key: &Sifted| of[key.mesh as usize].map_or(0, |sheet| sheet.hold(key.hash));
            let held: Vec<u64> = keys.iter().map(hold).collect();
            let first = of.into_iter().flatten().map(|sheet| sheet.first).next().unwrap_or_default();
            let reached = u64::MAX >> (63 - last.0.saturating_sub(first).min(63));
            for (found, held) in found.iter_mut().zip(held) {
                let mut held = held & reached;
                while held != 0 {
                    let newest = held.ilog2();
                    found.push(Volume(first + newest as u16));
                    held &= !(1 << newest);
                }
            }
        }
        found
    }

    /// Whether this volume may hold the key; false if it surely does not.
    pub fn may_hold(&self, volume: Volume, key: Sifted) -> bool {
        let sheets = self.sheets.read().unwrap_or_else(PoisonError::into_inner);
        let holds = |sheet: &Sheet| sheet.hold(key.hash) >> (volume.0 - sheet.first) & 1 == 1;
        !self.is_ready() || sheets.get(&(key.mesh, Sheet::number(volume))).is_some_and(holds)
    }

    /// A key comes into a volume: told before it does.
    pub fn put(&self, volume: Volume, key: Sifted) {
        let number = Sheet::number(volume);
        let at = (key.mesh, number);
        if let Some(sheet) = self.sheets.read().unwrap_or_else(PoisonError::into_inner).get(&at) {
            return sheet.put(key.hash, volume);
        }
        let mut sheets = self.sheets.write().unwrap_or_else(PoisonError::into_inner);
        sheets.entry(at).or_insert_with(|| Sheet::new(key.mesh, number)).put(key.hash, volume);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_found_and_most_else_is_not() {
        let sieve = Sieve::default();
        sieve.complete();
        let volume = Volume(2);
        // As full as they are made for; then: how many of a million may be there although they are not.
        let of = |kind, number: u64| Sifted::of(kind, &number.to_be_bytes());
        for (mesh, kinds, rows, most) in
            [(Mesh::Fine, [Kind::Urls, Kind::Items], 32, 60), (Mesh::Wide, [Kind::Texts, Kind::Headlines], 16, 3_000)]
        {
            let keys = (mesh.rows() / rows) as u64;
            let may_hold = |number: u64| sieve.may_hold(volume, of(kinds[0], number));
            (0..keys).for_each(|number| sieve.put(volume, of(kinds[0], number)));
            assert!((0..keys).all(may_hold), "{mesh:?}");
            let wrong = (keys..keys + 1_000_000).filter(|number| may_hold(*number)).count();
            assert!(wrong <= most, "{mesh:?}: {wrong}");
            let other = |number: &u64| sieve.may_hold(volume, of(kinds[1], *number));
            assert!((0..keys).filter(other).count() as u64 * 100 < keys, "{mesh:?}");
        }
        assert!(!sieve.may_hold(Volume(3), of(Kind::Texts, 0)));
        sieve.put(Volume(40), of(Kind::Texts, 7));
        let volumes = |number: u64, last| sieve.volumes(of(Kind::Texts, number), Volume(last));
        assert_eq!(volumes(7, 40), [Volume(40), Volume(2)]);
        assert_eq!((volumes(7, 39), volumes(8, 40)), (vec![Volume(2)], vec![Volume(2)]));
        assert_eq!(volumes(8, 1), []);
        // The last of one sheet, the first of the next, and the last there are.
        let edges = [0, FEW - 1, FEW, FEW + MANY - 1, FEW + MANY, FEW + 3 * MANY - 1].map(Volume);
        for volume in edges {
            sieve.put(volume, of(Kind::Guids, 9));
        }
        for (at, volume) in edges.iter().enumerate() {
            let newest: Vec<Volume> = edges[..=at].iter().rev().copied().collect();
            assert_eq!(sieve.volumes(of(Kind::Guids, 9), *volume), newest);
            assert!(sieve.may_hold(*volume, of(Kind::Guids, 9)));
        }
    }
}
