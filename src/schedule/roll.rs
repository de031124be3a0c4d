//! How many sources are in each state, kept as rounds end: nobody has to read every poll book to know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::model::book::State;
use crate::model::id::SourceId;

/// States as they are counted.
const STATES: [State; 6] = [State::New, State::Ok, State::Late, State::Silent, State::Broken, State::Gone];

#[derive(Debug, Default)]
struct Counted {
    counts: [usize; STATES.len()],
    /// Sources in trouble; those that are well are only counted.
    troubled: BTreeSet<SourceId>,
}

/// The states of all sources that are polled.
#[derive(Debug, Default)]
pub struct Roll(Mutex<Counted>);

const fn place(state: State) -> usize {
    match state {
        State::New => 0,
        State::Ok => 1,
        State::Late => 2,
        State::Silent => 3,
        State::Broken => 4,
        State::Gone => 5,
    }
}

impl Roll {
    /// How many sources are in each state, by its word.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, i64> {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = STATES.iter().map(|state| (state.word(), counted.counts[place(*state)] as i64));
        all.filter(|(_, count)| *count > 0).collect()
    }

    /// Sources in trouble, in order of id.
    #[must_use]
    pub fn troubled(&self) -> Vec<SourceId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).troubled.iter().cloned().collect()
    }

    /// Begins anew with these.
    pub(super) fn call<'a>(&self, sources: impl Iterator<Item = (&'a SourceId, State)>) {
        let mut counted = Counted::default();
        for (id, state) in sources {
            counted.enter(id, state);
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = counted;
    }

    /// A source changed its state.
    pub(super) fn change(&self, id: &SourceId, from: State, to: State) {
        if from == to {
            return;
        }
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = &mut counted.counts[place(from)];
        *before = before.saturating_sub(1);
        counted.troubled.remove(id);
        counted.enter(id, to);
    }
}

impl Counted {
    fn enter(&mut self, id: &SourceId, state: State) {
        self.counts[place(state)] += 1;
        if state > State::Ok {
            self.troubled.insert(id.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_counted_as_they_change() {
        let ids: Vec<SourceId> = ["a", "b", "c"].iter().map(|id| SourceId::new(id).unwrap()).collect();
        let roll = Roll::default();
        roll.call(ids.iter().map(|id| (id, State::New)));
        assert_eq!(roll.counts(), BTreeMap::from([("new", 3)]));
        roll.change(&ids[0], State::New, State::Ok);
        roll.change(&ids[1], State::New, State::Broken);
        roll.change(&ids[1], State::Broken, State::Broken);
        assert_eq!(roll.counts(), BTreeMap::from([("new", 1), ("ok", 1), ("broken", 1)]));
        assert_eq!(roll.troubled(), ids[1..2]);
        roll.change(&ids[1], State::Broken, State::Ok);
        assert_eq!((roll.counts(), roll.troubled()), (BTreeMap::from([("new", 1), ("ok", 2)]), Vec::new()));
    }
}
