//! A fast hasher for tables that live no longer than a judgement, or hold words of our own.
//!
//! The standard one withstands keys chosen to collide, and costs more than the rest of the look-up. Here who chooses them
//! makes his own items dear by their bounded length, and no more. Nothing depends on the order of such a table.

use std::hash::{BuildHasherDefault, Hasher};

/// Builds [`Spread`].
pub type BySpread = BuildHasherDefault<Spread>;

/// Multiplies by an odd constant (2^64 by the golden ratio) and folds the upper half down.
#[derive(Debug, Default, Clone)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn write_u128(&mut self, word: u128) {
        self.write_u64(word as u64);
        self.write_u64((word >> 64) as u64);
    }
}
