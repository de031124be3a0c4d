//! The index on disk: opened, made, written in batches, and read as it was last committed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::index::SegmentId;
use tantivy::indexer::{LogMergePolicy, NoMergePolicy, UserOperation};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, SegmentReader, TantivyDocument};

use crate::model::edition::Order;
use crate::model::id::{Guid, StoryNo};
use crate::model::position::Position;
use crate::model::time::Time;

use super::schema::{Fields, VERSION, number, schema, tokenizers};
use super::{Result, SearchError};

/// Documents of one block: what can be passed over at once.
pub(super) const BLOCK: u32 = 1_024;

/// Memory that writing takes, in bytes: nearly the least that tantivy works with. It is given back after each batch.
const BUDGET: usize = 20_000_000;

/// Of a segment's documents this part may be former versions of stories; then it is written anew.
const STALE: f32 = 0.2;

/// What the index says of itself with each commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// [`VERSION`] of its documents.
    version: u32,
    /// Which desk's.
    desk: String,
    /// Ledger record up to which it holds every story as it was, once it is whole.
    seq: u64,
    /// That record's checksum.
    sum: u32,
    /// While it is being made: the first story that is not in it yet.
    next: Option<u64>,
    #[serde(skip)]
    pub position: Position,
}

impl Stamp {
    pub fn new(desk: Guid, position: Position, next: Option<StoryNo>) -> Self {
        let Position { seq, sum } = position;
        Self { version: VERSION, desk: desk.to_string(), seq, sum, next: next.map(|no| no.0), position }
    }

    /// Where making it goes on; `None` once it is whole.
    pub fn next(&self) -> Option<StoryNo> {
        self.next.map(StoryNo)
    }

    /// Whether it is of this desk and made as we make it.
    pub fn is_ours(&self, desk: Guid) -> bool {
        self.version == VERSION && self.desk == desk.to_string()
    }
}

/// An open index.
pub(super) struct Shelf {
    index: Index,
    reader: IndexReader,
    pub fields: Fields,
    /// What is known of segments that are there already.
    blocks: BTreeMap<SegmentId, Arc<Vec<Block>>>,
}

/// The newest and the oldest order of a block's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub newest: Order,
    pub oldest: Order,
}

/// The index as it was committed.
pub(super) struct Snapshot {
    pub searcher: Searcher,
    pub fields: Fields,
    pub stamp: Stamp,
    /// Blocks of each segment, in the order of the searcher's.
    pub blocks: Vec<Arc<Vec<Block>>>,
}

impl Snapshot {
    /// Stories in it.
    pub fn stories(&self) -> u64 {
        self.searcher.num_docs()
    }
}

/// Orders of a segment's documents.
pub(super) struct Orders {
    at: tantivy::columnar::Column<i64>,
    no: tantivy::columnar::Column<u64>,
}

impl Orders {
    pub fn of(segment: &SegmentReader) -> Result<Self> {
        Ok(Self { at: segment.fast_fields().i64("at")?, no: segment.fast_fields().u64("no")? })
    }

    pub fn get(&self, document: u32) -> Order {
        let at = self.at.first(document).unwrap_or_default();
        Order { at: Time(at), story: self.no.first(document).unwrap_or_default() }
    }
}

impl Shelf {
    /// Opens the index in this folder; `None` if there is none, or not one of ours. Its stamp says how far it goes.
    ///
    /// # Errors
    /// [`SearchError::Index`] if it is broken.
    pub fn open(folder: &Path) -> Result<Option<(Self, Stamp)>> {
        if !folder.join("meta.json").exists() {
            return Ok(None);
        }
        let (expected, fields) = schema();
        let mut index = Index::open_in_dir(folder)?;
        if index.schema() != expected {
            return Ok(None);
        }
        index.set_tokenizers(tokenizers());
        let Some(stamp) = stamp(&index)? else { return Ok(None) };
        Ok(Some((Self::of(index, fields)?, stamp)))
    }

    /// Makes an empty index in this folder, whatever stands there.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the disk refuses.
    pub fn make(folder: &Path) -> Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder)?;
        let (schema, fields) = schema();
        let directory = MmapDirectory::open(folder).map_err(|error| SearchError::Index(error.to_string()))?;
        let index = Index::builder().schema(schema).tokenizers(tokenizers()).open_or_create(directory)?;
        Self::of(index, fields)
    }

    fn of(index: Index, fields: Fields) -> Result<Self> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { index, reader, fields, blocks: BTreeMap::new() })
    }

    /// Writes a batch: each story's document in place of the former one, `None` to take it out. Committed with the stamp that
    /// `stamp` gives once all are written; `None` leaves the index as it was. `purge` writes anew every segment that holds what
    /// is gone, so that nothing of it is left on the disk. Whether it was committed.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the disk refuses; the index stays as it was committed before.
    pub fn write(
        &self,
        batch: impl Iterator<Item = (StoryNo, Option<TantivyDocument>)>,
        stamp: impl FnOnce() -> Option<Stamp>,
        purge: bool,
    ) -> Result<Option<Stamp>> {
        let mut writer: IndexWriter = self.index.writer_with_num_threads(1, BUDGET)?;
        if purge {
            // Nothing else may merge what is merged below.
            writer.set_merge_policy(Box::new(NoMergePolicy));
        } else {
            let mut policy = LogMergePolicy::default();
            policy.set_del_docs_ratio_before_merge(STALE);
            writer.set_merge_policy(Box::new(policy));
        }
        for (no, document) in batch {
            let mut operations = vec![UserOperation::Delete(number(&self.fields, no))];
            operations.extend(document.map(UserOperation::Add));
            writer.run(operations)?;
        }
        let Some(stamp) = stamp() else {
            writer.rollback()?;
            return Ok(None);
        };
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&serde_json::to_string(&stamp).unwrap_or_default());
        commit.commit()?;
        if purge {
            for segment in self.index.searchable_segment_metas()? {
                if segment.num_deleted_docs() > 0 {
                    writer.merge(&[segment.id()]).wait()?;
                }
            }
        }
        // Its threads and memory are given back until there is more to write.
        writer.wait_merging_threads()?;
        Ok(Some(stamp))
    }

    /// Stories in it.
    pub fn stories(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// What is committed now.
    ///
    /// # Errors
    /// [`SearchError::Index`] if it cannot be read.
    pub fn snapshot(&mut self, stamp: Stamp) -> Result<Snapshot> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        let mut known = BTreeMap::new();
        let mut blocks = Vec::new();
        for segment in searcher.segment_readers() {
            let id = segment.segment_id();
            let of = match self.blocks.get(&id) {
                Some(blocks) => Arc::clone(blocks),
                None => Arc::new(blocks_of(segment)?),
            };
            known.insert(id, Arc::clone(&of));
            blocks.push(of);
        }
        self.blocks = known;
        Ok(Snapshot { searcher, fields: self.fields, stamp, blocks })
    }
}

fn stamp(index: &Index) -> Result<Option<Stamp>> {
    let Some(payload) = index.load_metas()?.payload else { return Ok(None) };
    let stamp: Option<Stamp> = serde_json::from_str(&payload).ok();
    Ok(stamp.map(|stamp| Stamp { position: Position { seq: stamp.seq, sum: stamp.sum }, ..stamp }))
}

fn blocks_of(segment: &SegmentReader) -> Result<Vec<Block>> {
    let orders = Orders::of(segment)?;
    let mut blocks = Vec::with_capacity(segment.max_doc().div_ceil(BLOCK) as usize);
    for first in (0..segment.max_doc()).step_by(BLOCK as usize) {
        let one = orders.get(first);
        let mut block = Block { newest: one, oldest: one };
        for document in first..segment.max_doc().min(first + BLOCK) {
            let order = orders.get(document);
            block.newest = block.newest.max(order);
            block.oldest = block.oldest.min(order);
        }
        blocks.push(block);
    }
    Ok(blocks)
}

/// Bytes of the files in a folder.
pub(super) fn bytes(folder: &Path) -> u64 {
    let Ok(files) = std::fs::read_dir(folder) else { return 0 };
    files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len()).sum()
}
