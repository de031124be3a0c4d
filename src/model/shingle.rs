//! Shingles: the overlapping pieces of a folded text by which two texts are compared.
//!
//! A shingle is three characters of Chinese, Japanese or Korean, nine of other scripts: three letters stand in any long
//! text. The *sketch* of a text is its few smallest shingle hashes (bottom-k, Broder 1997). A cut copy's shingles are a
//! subset of the whole's, so every small hash of the whole that lies in the part kept is also among the part's smallest:
//! of a copy that kept the share r, at least one of k is found with probability 1 - (1 - r)^k.

use super::id::hash64;

/// So many hashes make a sketch: a copy cut to a third is found with a probability of nine in ten.
pub const SKETCH: usize = 6;

/// A text of less weight has no sketch: too short to tell.
pub const SHORTEST: usize = 40;

/// Weight of a folded text: a Chinese, Japanese or Korean character says about as much as two and a half letters, so it
/// weighs one and a letter or digit two fifths, rounded down.
#[must_use]
pub fn weight<'c>(folded: impl IntoIterator<Item = &'c char>) -> usize {
    let fifths: usize = folded.into_iter().map(|c| if dense(*c) { 5 } else { 2 }).sum();
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

/// The smallest hashes of a folded text's shingles, ascending; none for a text too short to tell.
#[must_use]
pub fn sketch(folded: &[char]) -> Vec<u64> {
    if weight(folded) < SHORTEST {
        return Vec::new();
    }
    let mut smallest: Vec<u64> = Vec::with_capacity(SKETCH + 1);
    let mut bytes = [0_u8; 4 * 9];
    for shingle in folded.windows(width(folded)) {
        let mut length = 0;
        for c in shingle {
            length += c.encode_utf8(&mut bytes[length..]).len();
        }
        let hash = hash64(&[&bytes[..length]]);
        if smallest.len() == SKETCH && smallest.last().is_some_and(|largest| hash >= *largest) {
            continue;
        }
        if let Err(place) = smallest.binary_search(&hash) {
            smallest.insert(place, hash);
            smallest.truncate(SKETCH);
        }
    }
    smallest
}

/// How much of the shorter text's shingles the longer one has, per mille; `None` if one is too short to tell.
#[must_use]
pub fn containment(one: &[char], other: &[char]) -> Option<u32> {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if weight(short) < SHORTEST {
        return None;
    }
    let width = width(short);
    let long: std::collections::HashSet<&[char]> = long.windows(width).collect();
    let all = short.windows(width).count();
    let shared = short.windows(width).filter(|shingle| long.contains(shingle)).count();
    Some((shared * 1000 / all.max(1)) as u32)
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
        assert_eq!(containment(part, &whole), Some(1000));
        assert_eq!(containment(&folded("太短"), &whole), None);
    }
}
