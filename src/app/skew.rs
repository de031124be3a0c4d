//! Whether this machine's clock is right: by the median of what the clocks of sources say, each source once.
//!
//! A source may lie, and some do for years; half of them do not lie the same way.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::model::id::SourceId;
use crate::model::time::Time;

/// A clock off by more than this is said loudly, in milliseconds: dates and the order of entries hang on it.
const MOST: i64 = 10 * Time::MINUTE;
/// Sources that are remembered, those asked last.
const SOURCES: usize = 100;

/// What the clocks of sources said less ours, in milliseconds, and whether ours was wrong by it.
#[derive(Debug, Default)]
pub struct Skews(Mutex<(VecDeque<(SourceId, i64)>, bool)>);

/// What is to be told of our clock.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What is wrong with it, in a sentence.
    pub wrong: Option<String>,
    /// Whether it was wrong before.
    pub before: bool,
}

impl Skews {
    /// Notes what a source's clock said, and tells of ours.
    pub fn note(&self, source: &SourceId, skew: i64) -> Verdict {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, was) = &mut *noted;
        let before = *was;
        all.retain(|(other, _)| other != source);
        if all.len() >= SOURCES {
            all.pop_front();
        }
        all.push_back((source.clone(), skew));
        // One more clock that agrees makes no clock wrong: nearly every answer ends here.
        if !before && skew.abs() <= MOST {
            return Verdict::default();
        }
        let mut sorted: Vec<i64> = all.iter().map(|(_, skew)| *skew).collect();
        sorted.sort_unstable();
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        // Of two in the middle that which is kinder: one source alone cannot outvote another.
        let median = if low.abs() < high.abs() { low } else { high };
        let (side, off) = (if median > 0 { "behind" } else { "ahead of" }, median.unsigned_abs() / 1_000);
        let count = sorted.len();
        let wrong = (median.abs() > MOST).then(|| {
            format!("this machine is {off} s {side} the clocks of its sources (median of {count}); set the clock")
        });
        *was = wrong.is_some();
        Verdict { wrong, before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_with_a_wrong_clock_is_no_wrong_clock_of_ours() {
        const DAY: i64 = Time::DAY;
        for (said, wrong) in [
            (vec![0, 0, 3 * DAY], None),
            (vec![0, -3 * DAY], None),
            (vec![3 * DAY, 3 * DAY, 0], Some("behind")),
            (vec![-DAY, 40, -DAY, -DAY], Some("ahead of")),
            (vec![-DAY, -DAY, 0, 0, 0], None),
            (vec![DAY], Some("behind")),
            (vec![MOST, MOST], None),
        ] {
            let skews = Skews::default();
            let source = |n: usize| SourceId::new(&format!("s{n}")).unwrap();
            let last = said.iter().enumerate().map(|(n, skew)| skews.note(&source(n), *skew).wrong).last().flatten();
            assert_eq!(last.is_some(), wrong.is_some(), "{said:?}: {last:?}");
            assert!(last.is_none_or(|told| wrong.is_some_and(|side| told.contains(side))), "{said:?}");
            // Set right, it is forgotten with the next answers.
            let well = (0..said.len()).map(|n| skews.note(&source(n), 0).wrong).last().flatten();
            assert_eq!(well, None);
        }
        let skews = Skews::default();
        for n in 0..1_000 {
            let told = skews.note(&SourceId::new(&format!("s{n}")).unwrap(), if n < 900 { DAY } else { 0 }).wrong;
            assert_eq!(told.is_some(), n < 949, "{n}");
        }
    }
}
