//! What `citydesk stats` tells: sources by state, sizes, lag.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::journal::Journal;
use crate::model::book::State;
use crate::model::id::SourceId;
use crate::model::source::Source;
use crate::schedule::Roll;
use crate::search::Standing;
use crate::store::Store;

/// So many troubled sources are listed for people.
const TROUBLES: usize = 20;

/// Figures of a desk at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stats {
    /// Sources in feeds.toml, by state.
    pub sources: BTreeMap<String, usize>,
    /// Stories opened.
    pub stories: u64,
    /// Copies filed.
    pub copies: u64,
    /// Stories that the feeds show or showed.
    pub emitted: u64,
    /// Stories retired into others.
    pub retired: u64,
    /// Editions with at least one entry.
    pub editions: usize,
    /// Bytes of the wire on disk.
    pub wire_bytes: u64,
    /// Bytes of the ledger on disk.
    pub ledger_bytes: u64,
    /// Bytes of the store on disk.
    pub store_bytes: u64,
    /// Last ledger record applied.
    pub ledger_seq: u64,
    /// Wire records synced and not yet decided.
    pub lag: u64,
    /// Where the search index stands.
    #[serde(default)]
    pub search: Standing,
    /// What is wrong with a running daemon, by part, as `/readyz` says.
    #[serde(default)]
    pub complaints: Vec<(String, String)>,
    /// Troubles of sources, worst first: id, state, reason.
    pub troubles: Vec<(String, String, String)>,
}

/// Which sources are in which state.
#[derive(Debug, Default)]
pub struct States {
    counts: BTreeMap<String, usize>,
    troubled: Vec<SourceId>,
}

impl States {
    /// As a running daemon has them at hand.
    #[must_use]
    pub fn called(roll: &Roll) -> Self {
        let counts = roll.counts().into_iter();
        let counts = counts.map(|(word, count)| (word.to_owned(), usize::try_from(count).unwrap_or(0))).collect();
        Self { counts, troubled: roll.troubled() }
    }

    /// As the poll books have them, one by one.
    #[must_use]
    pub fn read(store: &Store, sources: &[Arc<Source>]) -> Self {
        let mut states = Self::default();
        for source in sources {
            let state = store.book(source.id()).unwrap_or_default().state;
            *states.counts.entry(state.word().to_owned()).or_default() += 1;
            if state > State::Ok {
                states.troubled.push(source.id().clone());
            }
        }
        states
    }
}

/// Collects the figures. `decided` is the first wire record not decided yet.
#[must_use]
pub fn collect(store: &Store, journal: &Journal, states: &States, decided: u64, search: Standing) -> Stats {
    let view = store.view();
    let meta = view.meta().clone();
    let editions = view.editions().map(|all| all.len()).unwrap_or_default();
    drop(view);
    let mut troubles = Vec::new();
    for source in &states.troubled {
        let book = store.book(source).unwrap_or_default();
        if book.state > State::Ok {
            troubles.push((book.state, source.to_string(), book.reason));
        }
    }
    troubles.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Stats {
        sources: states.counts.clone(),
        stories: meta.stories,
        copies: meta.copies,
        emitted: meta.emitted,
        retired: meta.retired,
        editions,
        wire_bytes: journal.wire.bytes(),
        ledger_bytes: journal.ledger.bytes(),
        store_bytes: store.bytes(),
        ledger_seq: meta.applied.seq,
        search,
        complaints: Vec::new(),
        lag: journal.wire.synced().saturating_sub(decided),
        troubles: troubles.into_iter().map(|(state, id, reason)| (id, state.word().to_owned(), reason)).collect(),
    }
}

impl std::fmt::Display for Stats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = |bytes: u64| match bytes {
            0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
            _ => format!("{:.1} MB", bytes as f64 / 1e6),
        };
        let states: Vec<_> = self.sources.iter().map(|(state, count)| format!("{count} {state}")).collect();
        writeln!(f, "sources   {}", if states.is_empty() { "none".to_owned() } else { states.join(", ") })?;
        writeln!(
            f,
            "stories   {} of {} copies, {} in the feeds",
            self.stories - self.retired,
            self.copies,
            self.emitted
        )?;
        writeln!(f, "editions  {}", self.editions)?;
        writeln!(
            f,
            "journal   wire {}, ledger {} ({} records)",
            size(self.wire_bytes),
            size(self.ledger_bytes),
            self.ledger_seq
        )?;
        writeln!(f, "store     {}", size(self.store_bytes))?;
        writeln!(f, "search    {}", self.search)?;
        writeln!(f, "lag       {} records", self.lag)?;
        for (part, sentence) in &self.complaints {
            writeln!(f, "{part:9} {sentence}")?;
        }
        for (id, state, reason) in self.troubles.iter().take(TROUBLES) {
            writeln!(f, "{state:9} {id}: {reason}")?;
        }
        if self.troubles.len() > TROUBLES {
            writeln!(
                f,
                "and {} more in trouble: `citydesk stats --json` lists them all",
                self.troubles.len() - TROUBLES
            )?;
        }
        Ok(())
    }
}
