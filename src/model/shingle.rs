//! Shingles: the overlapping pieces of a folded text by which two texts are compared.
//!
//! A shingle is three characters of Chinese, Japanese or Korean, nine of other scripts: three letters stand in any long
//! text. The *sketch* of a text is its few smallest shingle hashes (bottom-k, Broder 1997), of shingles twice as wide:
//! by a narrow one that half of all texts have (新华社), strangers would meet. A cut copy's shingles are a subset of the
//! whole's, so every small hash of the whole that lies in the part kept is also among the part's smallest: of a copy
//! that kept the share r, at least one of k is found with probability 1 - (1 - r)^k.

use std::cell::OnceCell;

/// So many hashes make a sketch: a copy cut to a third is found with a probability of nine in ten.
pub const SKETCH: usize = 6;

/// So many hashes make the sketch of a headline.
pub const HEADLINE: usize = 2;

/// A text of less weight has no sketch: too short to tell by itself.
pub const SHORTEST: usize = 40;

/// A text of less weight is not compared at all.
pub const LEAST: usize = 16;

/// Weight of a folded text: a Chinese, Japanese or Korean character says about as much as two and a half letters, so it
/// weighs one and a letter or digit two fifths, rounded down.
#[must_use]
pub fn weight<'c>(folded: impl IntoIterator<Item = &'c char>) -> usize {
    let fifths: usize = folded.into_iter().map(|c| 2 + 3 * usize::from(dense(*c))).sum();
    fifths / 5
}

/// Whether a character belongs to a script in which one character is a word or a syllable.
#[must_use]
pub fn dense(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Characters in a shingle of this folded text.
#[must_use]
pub fn width(folded: &[char]) -> usize {
    let many = folded.iter().filter(|c| dense(**c)).count() * 2 > folded.len();
    if many { 3 } else { 9 }
}

/// Hash of one shingle: the same on every machine, for it is stored. FNV-1a over the characters, its bits mixed once more
/// so that the smallest are no special ones (the finisher of `SplitMix64`).
fn hash(shingle: &[char]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for c in shingle {
        hash = (hash ^ u64::from(u32::from(*c))).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// The smallest hashes of a folded text's shingles, ascending; none for a text too short to tell.
#[must_use]
pub fn sketch(folded: &[char]) -> Vec<u64> {
    if weight(folded) < SHORTEST {
        return Vec::new();
    }
    smallest(folded, width(folded) * 2, SKETCH)
}

/// The smallest hashes of a folded headline's shingles, ascending: by them headlines that differ in their beginning, or in
/// a word, find each other.
#[must_use]
pub fn headline(folded: &[char]) -> Vec<u64> {
    smallest(folded, width(folded) + 1, HEADLINE)
}

fn smallest(folded: &[char], width: usize, most: usize) -> Vec<u64> {
    let mut smallest: Vec<u64> = Vec::with_capacity(most + 1);
    for shingle in folded.windows(width) {
        let hash = hash(shingle);
        if smallest.len() == most && smallest.last().is_some_and(|largest| hash >= *largest) {
            continue;
        }
        if let Err(place) = smallest.binary_search(&hash) {
            smallest.insert(place, hash);
            smallest.truncate(most);
        }
    }
    smallest
}

/// A shingle as a number that is never nothing: its characters where they have room, else its hash.
fn key(shingle: &[char]) -> u64 {
    let number = match shingle {
        [one, two, three] => {
            u64::from(u32::from(*one)) << 42 | u64::from(u32::from(*two)) << 21 | u64::from(u32::from(*three))
        }
        _ => hash(shingle),
    };
    number | 1 << 63
}

/// Keys in a table twice as large, each at the first free slot from the one that its product says. Who writes texts of
/// which all shingles meet makes his own items dear by their bounded length, and no more.
#[derive(Debug, Clone, Default)]
struct Keys {
    slots: Vec<u64>,
    shift: u32,
}

impl Keys {
    fn of(keys: impl ExactSizeIterator<Item = u64>) -> Self {
        let size = (keys.len() * 2).next_power_of_two().max(2);
        let mut table = Self { slots: vec![0; size], shift: u64::BITS - size.trailing_zeros() };
        for key in keys {
            let slot = table.slot(key);
            table.slots[slot] = key;
        }
        table
    }

    /// Where a key stands, or may stand: half of the slots are free.
    fn slot(&self, key: u64) -> usize {
        let mut slot = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize;
        while self.slots[slot] != 0 && self.slots[slot] != key {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        slot
    }

    fn contains(&self, key: u64) -> bool {
        self.slots[self.slot(key)] == key
    }
}

/// A folded text made ready for comparing.
#[derive(Debug, Clone, Default)]
pub struct Shingled {
    /// Its characters.
    pub letters: Vec<char>,
    /// What it weighs.
    pub weight: usize,
    width: usize,
    /// Made when first asked for: of two texts only the longer one's are.
    keys: OnceCell<Keys>,
}

impl Shingled {
    /// Of a folded text.
    #[must_use]
    pub fn of(letters: Vec<char>) -> Self {
        Self { weight: weight(&letters), width: width(&letters), keys: OnceCell::new(), letters }
    }

    fn keys(&self) -> &Keys {
        self.keys.get_or_init(|| Keys::of(self.letters.windows(self.width).map(key)))
    }

    /// The shorter and the longer of two.
    #[must_use]
    pub fn ordered<'s>(&'s self, other: &'s Self) -> (&'s Self, &'s Self) {
        if self.letters.len() <= other.letters.len() { (self, other) } else { (other, self) }
    }

    /// Which of the shingles of `other` this text has, in order.
    pub fn marks<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = bool> + 's {
        // Texts of two scripts share nothing: their shingles are not of one width.
        let keys = (other.width == self.width).then(|| self.keys());
        other.letters.windows(other.width).map(move |shingle| keys.is_some_and(|keys| keys.contains(key(shingle))))
    }

    /// How much of the shorter text's shingles the longer one has, per mille; `None` if one is too short to be compared.
    #[must_use]
    pub fn containment(&self, other: &Self) -> Option<u32> {
        let (short, long) = self.ordered(other);
        if short.weight < LEAST {
            return None;
        }
        let (mut all, mut shared) = (0_usize, 0_usize);
        for mark in long.marks(short) {
            all += 1;
            shared += usize::from(mark);
        }
        Some((shared * 1000 / all.max(1)) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fold::fold;

    fn folded(text: &str) -> Vec<char> {
        fold(text).chars().collect()
    }

    #[test]
    fn a_cut_copy_shares_its_smallest_hashes() {
        let whole = folded(
            &"许昌市商务局发布稳外贸措施安排专项资金支持企业开拓市场"
                .chars()
                .enumerate()
                .map(|(n, c)| format!("{c}{}", char::from_u32(0x4e00 + n as u32 * 7).unwrap_or('一')))
                .collect::<String>(),
        );
        let sketched = sketch(&whole);
        assert_eq!(sketched.len(), SKETCH);
        assert!(sketched.is_sorted());
        let part = &whole[..whole.len() * 4 / 5];
        let shared = sketch(part).iter().filter(|hash| sketched.contains(hash)).count();
        assert!(shared >= 1);
        let (part, whole) = (Shingled::of(part.to_vec()), Shingled::of(whole));
        assert_eq!(part.containment(&whole), Some(1000));
        assert_eq!(whole.marks(&part).filter(|mark| !mark).count(), 0);
        assert!(part.marks(&whole).filter(|mark| !mark).count() > 5);
        assert_eq!(Shingled::of(folded("太短")).containment(&whole), None);
    }

    #[test]
    fn keys_are_those_of_the_shingles() {
        let texts = [
            "许昌市商务局发布稳外贸措施许昌市商务局",
            "许昌",
            "",
            "the city council approved a new footbridge the city",
        ];
        for text in texts {
            let text = Shingled::of(folded(text));
            let has = |shingle: &[char]| text.letters.windows(text.width).any(|own| own == shingle);
            for other in texts {
                let other = folded(other);
                for shingle in other.windows(text.width) {
                    assert_eq!(text.keys().contains(key(shingle)), has(shingle), "{shingle:?}");
                }
            }
        }
    }

    #[test]
    fn hashes_are_the_same_on_every_machine() {
        assert_eq!(hash(&['许', '昌', '市']), HASH, "stored keys depend on it: raise the layout's version");
    }

    const HASH: u64 = 15_233_000_308_550_621_978;

    #[test]
    fn texts_of_two_scripts_share_nothing() {
        let one = Shingled::of(folded("许昌市商务局发布稳外贸措施安排专项资金支持企业开拓市场"));
        let two = Shingled::of(folded("The city council approved a new footbridge over the Aller on Tuesday"));
        assert_eq!(one.containment(&two), Some(0));
    }
}
