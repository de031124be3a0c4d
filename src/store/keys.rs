//! What stories are found by: guids, items, links, headlines and texts.
//!
//! A story has a dozen of these keys, and hashes fall anywhere. One by one in sled each costs a copy of its page and a part
//! of that page's next rewriting and splitting. So they stand in two steps
//! (a log-structured merge tree, O'Neil et al. 1996): a commit writes its keys as one *run*, which stands in memory too;
//! when enough have gathered they are merged into *buckets*, each with the keys of one kind and volume that begin alike,
//! where one look finds a key. What a run says is newer than what a bucket says, and a later run than an earlier one.
//!
//! Every item is compared with stories of late by a dozen keys: the shared keys of the near volumes stay in memory after they
//! were merged. After a start a thread reads them, and tells the [`Sieve`] of all keys.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use sled::IVec;

use super::layout::Volume;
use super::sieve::{Sieve, Sifted};
use super::{Result, Store};
use crate::model::spread::BySpread;

/// What a key is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Guids.
    Guids,
    /// Known items.
    Items,
    /// Canonical links.
    Urls,
    /// Beginnings and pieces of folded headlines.
    Headlines,
    /// Smallest hashes of texts.
    Texts,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Guids, Self::Items, Self::Urls, Self::Headlines, Self::Texts];

    /// Bytes of a key: one that several stories share is a hash of eight bytes, one that stands for one thing has sixteen.
    const fn width(self) -> usize {
        if self.is_shared() { 8 } else { 16 }
    }

    /// Whether several stories may have a key.
    const fn is_shared(self) -> bool {
        matches!(self, Self::Urls | Self::Headlines | Self::Texts)
    }

    /// By so many of its first bits a key's bucket is called: some fifty keys of a usual volume stand in each.
    const fn bits(self) -> u32 {
        match self {
            _ if cfg!(test) => 2,
            Self::Guids | Self::Items | Self::Urls => 8,
            Self::Headlines => 10,
            Self::Texts => 11,
        }
    }
}

/// A key and where it stands. The order is that of buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub kind: Kind,
    pub volume: Volume,
    /// Its bytes as a number, the first the highest.
    pub hash: u128,
}

impl Key {
    /// The key of its bucket in sled.
    fn bucket(&self) -> [u8; 5] {
        let [high, low] = self.volume.0.to_be_bytes();
        let bucket = (self.hash >> (self.kind.width() as u32 * 8 - self.kind.bits())) as u16;
        let [first, second] = bucket.to_be_bytes();
        [self.kind as u8, high, low, first, second]
    }

    /// As the sieve knows it.
    pub fn sifted(&self) -> Sifted {
        Sifted::of(self.kind, &self.hash.to_be_bytes()[16 - self.kind.width()..])
    }

    /// Of which kind and volume a bucket is, or a group of a run.
    fn head(bytes: &[u8]) -> Option<((Kind, Volume), &[u8])> {
        let ([kind, high, low], behind) = bytes.split_first_chunk()?;
        Some(((*Kind::ALL.get(usize::from(*kind))?, Volume(u16::from_be_bytes([*high, *low]))), behind))
    }
}

/// A key with what stands under it.
pub(super) type Entry = (Key, Vec<u8>);

/// Writes an entry as it stands in runs and buckets.
fn write(out: &mut Vec<u8>, kind: Kind, key: u128, value: &[u8]) {
    out.extend_from_slice(&key.to_be_bytes()[16 - kind.width()..]);
    // At most a few hundred bytes: the sharers of a key are bounded.
    out.extend_from_slice(&(value.len() as u16).to_be_bytes());
    out.extend_from_slice(value);
}

/// Entries as [`write()`] left them; what is behind the last whole one is passed over.
fn entries(kind: Kind, mut bytes: &[u8]) -> impl Iterator<Item = (u128, &[u8])> {
    std::iter::from_fn(move || {
        let (key, rest) = bytes.split_at_checked(kind.width())?;
        let (length, rest) = rest.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        bytes = rest;
        Some((key.iter().fold(0, |key, byte| key << 8 | u128::from(*byte)), value))
    })
}

/// The entries of a run.
fn run(mut bytes: &[u8]) -> impl Iterator<Item = (Key, &[u8])> {
    let groups = std::iter::from_fn(move || {
        let (head, rest) = Key::head(bytes)?;
        let (length, rest) = rest.split_first_chunk()?;
        let (group, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        bytes = rest;
        Some((head, group))
    });
    groups.flat_map(|((kind, volume), group)| {
        entries(kind, group).map(move |(hash, value)| (Key { kind, volume, hash }, value))
    })
}

/// A bucket with what is fresh, both in order: of a key that stands in both the fresh one counts.
fn merged(kind: Kind, known: &[u8], fresh: &[(Key, IVec)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(known.len() + fresh.len() * 40);
    let (mut known, mut fresh) = (entries(kind, known).peekable(), fresh.iter().peekable());
    loop {
        let next = fresh.peek().map(|(at, _)| at.hash);
        if let Some((hash, value)) = known.next_if(|(hash, _)| next.is_none_or(|next| *hash <= next)) {
            if next != Some(hash) {
                write(&mut out, kind, hash, value);
            }
        } else if let Some((at, value)) = fresh.next() {
            write(&mut out, kind, at.hash, value);
        } else {
            return out;
        }
    }
}

/// Values of one kind in one volume.
#[derive(Debug, Default)]
struct Values {
    narrow: HashMap<u64, IVec, BySpread>,
    wide: HashMap<u128, IVec, BySpread>,
}

impl Values {
    fn get(&self, kind: Kind, key: u128) -> Option<&IVec> {
        if kind.is_shared() { self.narrow.get(&(key as u64)) } else { self.wide.get(&key) }
    }

    fn put(&mut self, kind: Kind, key: u128, value: IVec) {
        if kind.is_shared() {
            self.narrow.insert(key as u64, value);
        } else {
            self.wide.insert(key, value);
        }
    }
}

/// What stands in memory: all that runs hold, and of the near volumes what is shared.
#[derive(Debug, Default)]
struct Hand {
    values: BTreeMap<(Kind, Volume), Values>,
    /// The newest volume.
    last: Volume,
    /// Number of the next run.
    next: u64,
    /// Entries in runs.
    gathered: usize,
    /// A volume has begun since runs were merged: one that was near may be so no more.
    turned: bool,
}

impl Hand {
    fn put(&mut self, at: &Key, value: IVec) {
        if at.volume > self.last {
            (self.last, self.turned) = (at.volume, true);
        }
        self.values.entry((at.kind, at.volume)).or_default().put(at.kind, at.hash, value);
    }
}

/// The keys of stories, and what stands under them.
#[derive(Debug)]
pub(super) struct Keys {
    runs: sled::Tree,
    buckets: sled::Tree,
    hand: RwLock<Hand>,
    /// What is shared in the near volumes is all in memory.
    near: AtomicBool,
    pub sieve: Sieve,
    stop: AtomicBool,
    reader: Mutex<Option<JoinHandle<()>>>,
}

impl Keys {
    /// So many entries are gathered in runs before they are merged, those of some ten thousand stories.
    const GATHERED: usize = if cfg!(test) { 150 } else { 1 << 17 };
    /// Entries in one part of a run.
    const PART: usize = 512;

    /// Opens them; `last` is the newest volume. What is gathered in runs is read now, the rest by a thread.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled cannot be read.
    pub fn open(db: &sled::Db, last: Volume) -> Result<Arc<Self>> {
        let (runs, buckets) = (db.open_tree("runs")?, db.open_tree("keys")?);
        let (mut hand, sieve) = (Hand { last, ..Hand::default() }, Sieve::default());
        for part in &runs {
            let (number, bytes) = part?;
            hand.next = number.as_ref().try_into().map_or(0, u64::from_be_bytes) + 1;
            for (at, value) in run(&bytes) {
                sieve.put(at.volume, at.sifted());
                hand.put(&at, IVec::from(value));
                hand.gathered += 1;
            }
        }
        let keys = Arc::new(Self {
            runs,
            buckets,
            hand: RwLock::new(hand),
            near: AtomicBool::new(false),
            sieve,
            stop: AtomicBool::new(false),
            reader: Mutex::default(),
        });
        let reading = Arc::clone(&keys);
        // What cannot be read here is told by whoever needs it. Without the thread everything is maybe there.
        let read = move || drop(reading.read(last));
        let reader = std::thread::Builder::new().name("store-keys".to_owned()).spawn(read).ok();
        *keys.reader.lock().unwrap_or_else(PoisonError::into_inner) = reader;
        Ok(keys)
    }

    /// Reads all keys once: first what is near the volume `last`, which stays in memory.
    fn read(&self, last: Volume) -> Result<()> {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.is_shared()) {
            for bucket in self.buckets_of(kind, last.near()) {
                let (volume, bucket) = bucket?;
                let mut hand = self.hand.write().unwrap_or_else(PoisonError::into_inner);
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                hand.last = hand.last.max(volume);
                // It may be near no more: then nobody looks for it here.
                if volume < hand.last.near() {
                    continue;
                }
                let values = hand.values.entry((kind, volume)).or_default();
                for (key, value) in entries(kind, &bucket) {
                    // What was written meanwhile, or gathered in a run, is newer.
                    values.narrow.entry(key as u64).or_insert_with(|| IVec::from(value));
                }
            }
        }
        self.near.store(true, Ordering::Release);
        for bucket in &self.buckets {
            let (head, bytes) = bucket?;
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let Some(((kind, volume), _)) = Key::head(&head) else { continue };
            for (hash, _) in entries(kind, &bytes) {
                self.sieve.put(volume, Key { kind, volume, hash }.sifted());
            }
        }
        self.sieve.complete();
        Ok(())
    }

    /// The buckets of a kind from a volume on, each with its own.
    fn buckets_of(&self, kind: Kind, from: Volume) -> impl Iterator<Item = Result<(Volume, IVec)>> {
        let [high, low] = from.0.to_be_bytes();
        let buckets = self.buckets.range([kind as u8, high, low].as_slice()..[kind as u8 + 1].as_slice());
        buckets.map(|bucket| {
            let (head, bytes) = bucket?;
            Ok((Key::head(&head).map(|((_, volume), _)| volume).unwrap_or_default(), bytes))
        })
    }

    /// What stands under a key.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled cannot be read.
    pub fn get(&self, at: &Key) -> Result<Option<IVec>> {
        {
            let hand = self.hand.read().unwrap_or_else(PoisonError::into_inner);
            let found = hand.values.get(&(at.kind, at.volume)).and_then(|values| values.get(at.kind, at.hash));
            let near = at.kind.is_shared() && at.volume >= hand.last.near() && self.near.load(Ordering::Acquire);
            if near || found.is_some() {
                return Ok(found.cloned());
            }
        }
        if !self.sieve.may_hold(at.volume, at.sifted()) {
            return Ok(None);
        }
        let Some(bucket) = self.buckets.get(at.bucket())? else { return Ok(None) };
        let found = entries(at.kind, &bucket).find(|(hash, _)| *hash == at.hash);
        Ok(found.map(|(_, value)| IVec::from(value)))
    }

    /// What stands under a key in the volumes up to `last`, newest first.
    pub fn in_volumes(
        &self,
        kind: Kind,
        hash: u128,
        last: Volume,
    ) -> impl Iterator<Item = Result<(Volume, IVec)>> + '_ {
        let volumes = self.sieve.volumes(Key { kind, volume: last, hash }.sifted(), last);
        volumes.into_iter().filter_map(move |volume| {
            let found = self.get(&Key { kind, volume, hash }).transpose()?;
            Some(found.map(|bytes| (volume, bytes)))
        })
    }

    /// The run that a commit writes, whole or not at all.
    pub fn run(&self, entries: &[Entry]) -> (&sled::Tree, Vec<sled::Batch>) {
        let mut hand = self.hand.write().unwrap_or_else(PoisonError::into_inner);
        let mut batch = sled::Batch::default();
        for part in entries.chunks(Self::PART) {
            let mut bytes = Vec::with_capacity(part.len() * 40);
            for group in part.chunk_by(|(one, _), (other, _)| (one.kind, one.volume) == (other.kind, other.volume)) {
                let Some((Key { kind, volume, .. }, _)) = group.first() else { continue };
                bytes.push(*kind as u8);
                bytes.extend_from_slice(&volume.0.to_be_bytes());
                let length = bytes.len();
                bytes.extend_from_slice(&[0; 4]);
                for (at, value) in group {
                    write(&mut bytes, *kind, at.hash, value);
                }
                let written = (bytes.len() - length - 4) as u32;
                bytes[length..length + 4].copy_from_slice(&written.to_be_bytes());
            }
            // Never a number that was there before: of a commit that a kill cut short some keys stand nowhere else.
            batch.insert(&hand.next.to_be_bytes(), bytes);
            hand.next += 1;
        }
        (&self.runs, if entries.is_empty() { Vec::new() } else { vec![batch] })
    }

    /// What a run says counts from here on.
    pub fn put(&self, entries: &[Entry]) {
        let mut hand = self.hand.write().unwrap_or_else(PoisonError::into_inner);
        for (at, value) in entries {
            self.sieve.put(at.volume, at.sifted());
            hand.put(at, IVec::from(value.as_slice()));
        }
        hand.gathered += entries.len();
    }

    /// Merges the runs, if enough are gathered or a volume has begun. Readers go on: until all is in its bucket it stands in memory.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled fails.
    pub fn tidy(&self) -> Result<()> {
        {
            let hand = self.hand.read().unwrap_or_else(PoisonError::into_inner);
            if hand.gathered < Self::GATHERED && !hand.turned {
                return Ok(());
            }
        }
        self.merge(Store::BATCH, |tree, batch| Ok(tree.apply_batch(batch)?))?;
        let mut hand = self.hand.write().unwrap_or_else(PoisonError::into_inner);
        let near = hand.last.near();
        hand.values.retain(|(kind, volume), _| kind.is_shared() && *volume >= near);
        (hand.gathered, hand.turned) = (0, false);
        Ok(())
    }

    /// Merges the runs into buckets, then takes them away, the oldest first: killed anywhere in between, what is left of
    /// them says what the buckets say or something newer. So many keys at most go into a batch.
    pub fn merge(&self, most: usize, mut apply: impl FnMut(&sled::Tree, sled::Batch) -> Result<()>) -> Result<()> {
        // Kind by kind, or for a moment all of them would stand in memory.
        for kind in Kind::ALL {
            let gathered = self.gathered(kind)?;
            let buckets: Vec<_> = gathered.chunk_by(|(one, _), (other, _)| one.bucket() == other.bucket()).collect();
            for buckets in buckets.chunks(most) {
                let mut batch = sled::Batch::default();
                for fresh in buckets {
                    let Some((first, _)) = fresh.first() else { continue };
                    let known = self.buckets.get(first.bucket())?.unwrap_or_default();
                    batch.insert(&first.bucket(), merged(kind, &known, fresh));
                }
                apply(&self.buckets, batch)?;
            }
        }
        let numbers: Vec<IVec> = self.runs.iter().keys().collect::<std::result::Result<_, _>>()?;
        for numbers in numbers.chunks(most) {
            let mut batch = sled::Batch::default();
            for number in numbers {
                batch.remove(number);
            }
            apply(&self.runs, batch)?;
        }
        Ok(())
    }

    /// What the runs hold of a kind, in order, of each key the newest.
    fn gathered(&self, of: Kind) -> Result<Vec<(Key, IVec)>> {
        let mut gathered = Vec::new();
        for part in self.runs.iter().values() {
            let part = part?;
            gathered.extend(run(&part).filter(|(at, _)| at.kind == of).map(|(at, value)| (at, IVec::from(value))));
        }
        // Stable: what was written last stands last.
        gathered.sort_by_key(|(at, _)| *at);
        gathered.dedup_by(|(later, value), (at, kept)| {
            let same = later == at;
            if same {
                std::mem::swap(value, kept);
            }
            same
        });
        Ok(gathered)
    }

    /// Every key with what stands under it, in order, wherever it stands.
    ///
    /// # Errors
    /// [`super::StoreError`] if sled cannot be read.
    pub fn each(&self, mut with: impl FnMut(Key, &[u8])) -> Result<()> {
        for kind in Kind::ALL {
            let gathered: BTreeMap<Key, IVec> = self.gathered(kind)?.into_iter().collect();
            let (mut from, of) = (Some(Volume(0)), |volume, hash| Key { kind, volume, hash });
            while let Some(volume) = from {
                let mut all: BTreeMap<u128, IVec> = BTreeMap::new();
                let mut buckets = self.buckets_of(kind, volume);
                // The first of the next volume, to go on with.
                from = loop {
                    match buckets.next().transpose()? {
                        Some((here, bucket)) if here == volume => {
                            all.extend(entries(kind, &bucket).map(|(key, value)| (key, IVec::from(value))));
                        }
                        next => break next.map(|(next, _)| next),
                    }
                };
                let here = gathered.range(of(volume, 0)..=of(volume, u128::MAX));
                all.extend(here.map(|(at, value)| (at.hash, value.clone())));
                for (hash, value) in &all {
                    with(of(volume, *hash), value);
                }
                let behind = gathered.range(of(volume, u128::MAX)..).map(|(at, _)| at.volume);
                let behind = behind.into_iter().find(|behind| *behind > volume);
                from = from.into_iter().chain(behind).min();
            }
        }
        Ok(())
    }

    /// Whether the keys that stood in the store when it was opened are being read now: where that failed, nobody may wait
    /// for it.
    pub fn is_reading(&self) -> bool {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.as_ref().is_some_and(|reader| !reader.is_finished())
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
        assert!(self.sieve.is_ready());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of two kinds in three volumes; what stands under them tells when it was written.
    fn at(kind: Kind, volume: u16, number: u64) -> Key {
        let spread = u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let hash = if kind.is_shared() { spread } else { spread << 64 | u128::from(number) };
        Key { kind, volume: Volume(volume), hash }
    }

    fn commit(keys: &Keys, mut entries: Vec<Entry>) {
        entries.sort_unstable_by_key(|(at, _)| *at);
        let (tree, batches) = keys.run(&entries);
        for batch in batches {
            tree.apply_batch(batch).unwrap();
        }
        keys.put(&entries);
    }

    #[test]
    fn what_was_written_last_is_found_in_runs_and_buckets_and_after_a_start() {
        let folder = tempfile::tempdir().unwrap();
        let db = sled::open(folder.path()).unwrap();
        let mut keys = Keys::open(&db, Volume(0)).unwrap();
        let mut expected = BTreeMap::new();
        let newest = Volume::NEAR + 2;
        for round in 0..40_u64 {
            let mut entries = BTreeMap::new();
            for number in 0..2 * Keys::PART as u64 / 40 {
                for (kind, volume) in [(Kind::Items, 0), (Kind::Texts, 0), (Kind::Texts, newest), (Kind::Guids, newest)]
                {
                    // Each round writes some for the first time, and some anew.
                    let at = at(kind, volume.min(round as u16), number * (round % 7 + 1));
                    entries.insert(at, format!("{round} {}", "long ".repeat(number as usize % 9)).into_bytes());
                }
            }
            expected.extend(entries.clone());
            commit(&keys, entries.into_iter().collect());
            if round % 5 == 0 {
                keys.tidy().unwrap();
            }
            if round % 4 == 1 {
                // Killed while runs are merged: anywhere, mostly while they are taken away.
                let merge = |through: usize| {
                    let mut written = 0;
                    let apply = |tree: &sled::Tree, batch| {
                        written += 1;
                        if written <= through { Ok(tree.apply_batch(batch)?) } else { Ok(()) }
                    };
                    keys.merge(1, apply).unwrap();
                    written
                };
                let whole = merge(0);
                merge(whole - [1, 2, 9][round as usize / 4 % 3].min(whole));
                keys.end();
                let last = keys.hand.read().unwrap().last;
                keys = Keys::open(&db, last).unwrap();
            }
            if round % 2 == 0 {
                keys.wait();
            }
            for (at, value) in &expected {
                assert_eq!(keys.get(at).unwrap().unwrap(), value.as_slice(), "round {round}: {at:?}");
                let found = keys.in_volumes(at.kind, at.hash, Volume(newest)).map(Result::unwrap);
                assert!(found.into_iter().any(|(volume, found)| (volume, &*found) == (at.volume, value.as_slice())));
            }
            assert_eq!(keys.get(&at(Kind::Texts, 0, 1_000_003)).unwrap(), None);
            assert_eq!(keys.get(&at(Kind::Items, newest, 1)).unwrap(), None);
        }
        let mut all = BTreeMap::new();
        keys.each(|at, value| {
            assert!(all.insert(at, value.to_vec()).is_none() && all.last_key_value().unwrap().0 == &at);
        })
        .unwrap();
        assert_eq!(all, expected);
        assert!(keys.buckets.len() > 8 && keys.hand.read().unwrap().gathered < expected.len(), "nothing was merged");
        let hand = keys.hand.read().unwrap();
        let far = hand.values.iter().filter(|((_, volume), _)| *volume < hand.last.near());
        assert!(far.map(|(_, values)| values.narrow.len() + values.wide.len()).sum::<usize>() <= hand.gathered);
    }

    #[test]
    fn a_start_lets_go_of_what_it_reads() {
        let folder = tempfile::tempdir().unwrap();
        let db = sled::open(folder.path()).unwrap();
        let keys = Keys::open(&db, Volume(3)).unwrap();
        keys.wait();
        let (there, missing) = (at(Kind::Urls, 3, 5), at(Kind::Urls, 3, 6));
        assert!(!keys.sieve.may_hold(Volume(3), there.sifted()));
        commit(&keys, vec![(there, b"x".to_vec())]);
        keys.merge(1, |tree, batch| Ok(tree.apply_batch(batch)?)).unwrap();
        keys.end();
        let keys = Keys::open(&db, Volume(3)).unwrap();
        keys.wait();
        assert!(keys.sieve.may_hold(Volume(3), there.sifted()));
        assert!(!keys.sieve.may_hold(Volume(3), missing.sifted()) && !keys.sieve.may_hold(Volume(2), there.sifted()));
        assert_eq!(keys.get(&there).unwrap().unwrap(), b"x");
        assert_eq!(Arc::strong_count(&keys), 1);
    }
}
