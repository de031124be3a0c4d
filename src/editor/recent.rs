//! The texts decided last, kept at hand: a copy mostly meets one that came in the same hour.

use std::collections::{BTreeMap, VecDeque};

use crate::model::position::Position;

/// Most bytes of texts that are kept; the oldest go first, and are read from the wire again when they are asked for.
const KEPT: usize = 8 << 20;

/// Texts by their position on the wire.
#[derive(Debug, Default)]
pub struct Recent {
    texts: BTreeMap<Position, String>,
    /// In the order they came.
    order: VecDeque<Position>,
    bytes: usize,
}

impl Recent {
    /// Keeps a text.
    pub fn put(&mut self, at: Position, text: String) {
        let bytes = text.len();
        if self.texts.insert(at, text).is_some() {
            // The same record has the same text.
            return;
        }
        self.bytes += bytes;
        self.order.push_back(at);
        while self.bytes > KEPT {
            let Some(oldest) = self.order.pop_front() else { break };
            self.bytes -= self.texts.remove(&oldest).map_or(0, |text| text.len());
        }
    }

    /// The text at this position, if it is at hand.
    #[must_use]
    pub fn get(&self, at: Position) -> Option<&str> {
        self.texts.get(&at).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_texts_go_first_and_a_record_replaced_is_another() {
        let at = |seq| Position { seq, sum: 7 };
        let mut recent = Recent::default();
        for seq in 1..=9 {
            recent.put(at(seq), "x".repeat(KEPT / 8));
            recent.put(at(seq), "x".repeat(KEPT / 8));
        }
        assert_eq!(recent.get(at(1)), None);
        assert_eq!(recent.get(at(2)).map(str::len), Some(KEPT / 8));
        assert_eq!(recent.get(Position { seq: 9, sum: 8 }), None);
        assert_eq!((recent.texts.len(), recent.order.len(), recent.bytes), (8, 8, KEPT));
    }
}
