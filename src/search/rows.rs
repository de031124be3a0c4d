//! The documents that are wanted, in ascending order, from the postings of their terms.
//!
//! tantivy's own boolean scorers ask what they exclude about documents that lie behind it, which its phrases forbid. These
//! only go forward, and count their steps.

use tantivy::query::{EnableScoring, Scorer, Weight};
use tantivy::{DocId, DocSet as _, Searcher, SegmentReader, TERMINATED};

use super::Result;
use super::plan::Wanted;

/// What is wanted, ready to be read in any segment.
pub(super) enum Weighed {
    Everything,
    Nothing,
    Those(Box<dyn Weight>),
    All(Vec<Weighed>, Vec<Weighed>),
    Any(Vec<Weighed>),
}

impl Weighed {
    pub fn of(wanted: &Wanted, searcher: &Searcher) -> Result<Self> {
        let each = |parts: &[Wanted]| parts.iter().map(|part| Self::of(part, searcher)).collect::<Result<Vec<_>>>();
        Ok(match wanted {
            Wanted::Everything => Self::Everything,
            Wanted::Nothing => Self::Nothing,
            Wanted::Those(query) => Self::Those(query.weight(EnableScoring::disabled_from_searcher(searcher))?),
            Wanted::All(with, without) => Self::All(each(with)?, each(without)?),
            Wanted::Any(parts) => Self::Any(each(parts)?),
        })
    }

    /// The documents of one segment.
    pub fn rows(&self, segment: &SegmentReader) -> Result<Rows> {
        let each = |parts: &[Self]| parts.iter().map(|part| part.rows(segment)).collect::<Result<Vec<_>>>();
        let document = 0;
        Ok(match self {
            Self::Everything => Rows::Everything { document, end: segment.max_doc() },
            Self::Nothing => Rows::Everything { document, end: 0 },
            Self::Those(weight) => Rows::Those(weight.scorer(segment, 1.0)?),
            Self::All(with, without) => {
                let mut with = each(with)?;
                // The rarest leads.
                with.sort_by_key(Rows::most);
                if with.is_empty() {
                    with.push(Rows::Everything { document, end: segment.max_doc() });
                }
                Rows::All { document: None, with, without: each(without)? }
            }
            Self::Any(parts) => Rows::Any { parts: each(parts)? },
        })
    }
}

/// Documents of a segment, in ascending order.
pub(super) enum Rows {
    Everything { document: DocId, end: DocId },
    Those(Box<dyn Scorer>),
    All { document: Option<DocId>, with: Vec<Rows>, without: Vec<Rows> },
    Any { parts: Vec<Rows> },
}

impl Rows {
    /// How many documents there are, about.
    fn most(&self) -> u64 {
        match self {
            Self::Everything { end, .. } => u64::from(*end),
            Self::Those(scorer) => u64::from(scorer.size_hint()),
            Self::All { with, .. } => with.iter().map(Self::most).min().unwrap_or_default(),
            Self::Any { parts } => parts.iter().map(Self::most).sum(),
        }
    }

    /// The first document that is not before `target`; [`TERMINATED`] after the last. Targets never descend. Each step costs
    /// one `work`.
    pub fn seek(&mut self, target: DocId, work: &mut u64) -> DocId {
        match self {
            Self::Everything { document, end } => {
                *work += 1;
                *document = (*document).max(target);
                if *document < *end { *document } else { TERMINATED }
            }
            Self::Those(scorer) => {
                let document = scorer.doc();
                if document >= target {
                    return document;
                }
                *work += 1;
                scorer.seek(target)
            }
            Self::All { document, with, without } => {
                if let Some(document) = document.filter(|document| *document >= target) {
                    return document;
                }
                let mut candidate = target;
                let found = 'next: loop {
                    if candidate >= TERMINATED {
                        break TERMINATED;
                    }
                    for part in with.iter_mut() {
                        let met = part.seek(candidate, work);
                        if met > candidate {
                            candidate = met;
                            continue 'next;
                        }
                    }
                    if without.iter_mut().any(|part| part.seek(candidate, work) == candidate) {
                        candidate += 1;
                        continue;
                    }
                    break candidate;
                };
                *document = Some(found);
                found
            }
            Self::Any { parts } => parts.iter_mut().map(|part| part.seek(target, work)).min().unwrap_or(TERMINATED),
        }
    }
}
