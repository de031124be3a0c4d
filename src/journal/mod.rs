//! Append and replay the wire and the ledger: two logs of the same make, kept by a back-end behind one trait.
//!
//! [`file::FileLog`] keeps a log in a folder of this machine. A replicated back-end fills the same trait, and both
//! answer to the same suite (`conformance.rs`).

#[cfg(test)]
mod conformance;
pub mod file;
mod frame;
mod index;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::codec::decode;
use crate::model::filing::Wire;
use crate::model::item::Item;
use crate::model::position::{Position, Texts};

/// A log: records in order, numbered from 1 without a hole, kept until told otherwise.
///
/// # Durability
/// An appended record is not safe yet: it may be gone after a crash, and nobody may act on it. It is safe once
/// [`sync`](Log::sync) has answered with a number above its own; from then on it survives a crash of the process, of
/// the system and of the power, and only then do [`read`](Log::read) and [`get`](Log::get) show it. A record becomes
/// safe only together with all before it. What was not synced may or may not be there after a crash, but if a record
/// is there, so is every record before it.
///
/// # Concurrent callers
/// Any thread may call anything at any time; calls block (on the disk, or on the network), so asynchronous code calls
/// from threads that may block. The records of one append stand side by side, in the order given, whoever else appends.
/// Callers of `sync` at the same time share the work.
///
/// # After an error
/// [`Expected`](LogError::Expected), [`Large`](LogError::Large) and [`Full`](LogError::Full) mean that nothing of the
/// call was kept. After any other error of an append the records may stand there, or the first few of them: who must
/// know reads the tail. So what belongs together is closed by a last record, and ignored without it.
pub trait Log: Send + Sync {
    /// Appends `records` (each at most [`RECORD_MOST`] bytes, together at most [`BATCH_MOST`]) and returns their
    /// positions. With `expected`, only if the first of them gets that number: so a writer that has been deposed, or
    /// overlooked another, cannot write.
    ///
    /// # Errors
    /// [`LogError`]; see "After an error" above.
    fn append(&self, expected: Option<u64>, records: &[&[u8]]) -> Result<Vec<Position>, LogError>;

    /// Makes safe everything that was appended before the call. Every record below the returned number is durable.
    ///
    /// # Errors
    /// [`LogError::Broken`] when the disk refused: then nothing above [`synced`](Log::synced) counts.
    fn sync(&self) -> Result<u64, LogError>;

    /// The first number that is not durable yet: everything below is.
    fn synced(&self) -> u64;

    /// The number that the next record gets; 1 in an empty log.
    fn next(&self) -> u64;

    /// The oldest number kept; equal to [`next`](Log::next) while nothing is.
    fn first(&self) -> u64;

    /// Durable records from number `from` on, in order: as many as fit into `most_bytes`, and at least one if there is
    /// one. Empty: nothing (more) is durable from there. Numbers may be missing where a record was taken down.
    ///
    /// # Errors
    /// [`LogError::Gone`] if `from` is older than the oldest kept (0 counts as 1); [`LogError::Damaged`].
    fn read(&self, from: u64, most_bytes: usize) -> Result<Vec<(Position, Vec<u8>)>, LogError>;

    /// The durable record at this position; `None` if it is gone, not durable, or another record has that number now
    /// (its checksum differs).
    ///
    /// # Errors
    /// [`LogError::Damaged`], [`LogError::Io`].
    fn get(&self, at: Position) -> Result<Option<Vec<u8>>, LogError>;

    /// Whether the durable record at this position is there, as [`get`](Log::get) would find it; but its bytes need not be
    /// read for that, only what names them. It does not wait for more than a disk that is asked for a few bytes.
    ///
    /// # Errors
    /// [`LogError::Damaged`], [`LogError::Io`].
    fn holds(&self, at: Position) -> Result<bool, LogError> {
        Ok(self.get(at)?.is_some())
    }

    /// Bytes free where the log is kept, if that can be told.
    fn room(&self) -> Option<u64>;

    /// Bytes that the log takes on disk.
    fn bytes(&self) -> u64;
}

/// Largest record, in bytes: a message of the replicated back-end is at most 1 MiB, head included. Writers stay far
/// below it (256 KB).
pub const RECORD_MOST: usize = 1_000_000;

/// Most bytes in one append, so that a segment's offsets fit into 32 bits.
pub const BATCH_MOST: usize = 256_000_000;

/// Bytes of the disk that the wire leaves free: so polling stops first, and what came in can still be decided and kept.
pub const WIRE_RESERVE: u64 = 64 << 20;

/// Bytes of the disk that the ledger leaves free, for the store that follows it and whatever else runs there.
pub const LEDGER_RESERVE: u64 = 32 << 20;

/// Why a log did not do what it was asked, and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The head is elsewhere: somebody else wrote. Nothing was kept.
    #[error(
        "the log goes on at number {next}, not where this writer expected: somebody else wrote; read on from there"
    )]
    Expected {
        /// The number that the next record gets.
        next: u64,
    },
    /// More than a log takes at once. Nothing was kept.
    #[error("{bytes} bytes are more than the {most} that a log takes at once; nothing was kept")]
    Large {
        /// How many bytes came.
        bytes: usize,
        /// How many are allowed.
        most: usize,
    },
    /// No room on the disk. Nothing was kept; the log works on as soon as there is room.
    #[error("too little room left on the disk of {} (at least {} MB stay free): make room, and it goes on by itself",
        folder.display(),
        WIRE_RESERVE >> 20)]
    Full {
        /// The log's folder.
        folder: PathBuf,
    },
    /// A write or sync failed earlier: what the kernel holds can no longer be trusted to reach the disk, so the log
    /// takes nothing more until it is opened again.
    #[error("the log in {} stopped: {why}; look at the disk, then restart", folder.display())]
    Broken {
        /// The log's folder.
        folder: PathBuf,
        /// What failed.
        why: String,
    },
    /// Records that were durable cannot be read any more.
    #[error(
        "{} is damaged at byte {offset} (record {seq}): {why}; stop citydesk, keep a copy of the file, and put the \
         file from a backup in its place",
        file.display()
    )]
    Damaged {
        /// The segment.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// Which record is the first that cannot be read.
        seq: u64,
        /// What is wrong with it.
        why: String,
    },
    /// Asked for records that are no longer kept.
    #[error("records before number {first} are no longer kept (asked for {from}): begin at {first}, or from a base")]
    Gone {
        /// What was asked for.
        from: u64,
        /// The oldest kept.
        first: u64,
    },
    /// Written by a later citydesk.
    #[error("{} is of format {version}, which this citydesk does not know: use the newer one", file.display())]
    Version {
        /// The segment.
        file: PathBuf,
        /// Its format.
        version: u8,
    },
    /// The system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried: "open", "read".
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// The journal: what came in, and what was decided.
#[derive(Clone)]
pub struct Journal {
    /// What came in, with texts. Anyone appends.
    pub wire: Arc<dyn Log>,
    /// What was decided. The editor alone appends.
    pub ledger: Arc<dyn Log>,
}

impl Journal {
    /// Opens the logs in `dir/wire` and `dir/ledger`, making the folders if they are missing. A tail that a crash left
    /// half written is cut off and reported in the log. The caller holds the lock on the folder.
    ///
    /// # Errors
    /// [`LogError`], of whichever log could not be opened.
    pub fn open(dir: &Path) -> Result<Self, LogError> {
        Ok(Self { wire: open(dir, "wire", WIRE_RESERVE)?, ledger: open(dir, "ledger", LEDGER_RESERVE)? })
    }
}

impl Journal {
    /// Whether the disk has too little room for anything new.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.wire.room().is_some_and(|room| room < WIRE_RESERVE)
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("wire", &(self.wire.first()..self.wire.next()))
            .field("ledger", &(self.ledger.first()..self.ledger.next()))
            .finish()
    }
}

impl Texts for Journal {
    fn item(&self, at: Position) -> Option<Item> {
        let bytes = match self.wire.get(at) {
            Ok(bytes) => bytes?,
            Err(error) => {
                tracing::error!(seq = at.seq, "a text cannot be read: {error}");
                return None;
            }
        };
        match decode(&bytes) {
            Ok(Wire::Item(item)) => Some(*item),
            Ok(Wire::Filing(_) | Wire::Request(_)) => None,
            Err(error) => {
                tracing::error!(seq = at.seq, "a text cannot be read: {error}");
                None
            }
        }
    }
}

fn open(dir: &Path, name: &'static str, reserve: u64) -> Result<Arc<dyn Log>, LogError> {
    let folder = dir.join(name);
    let (log, opened) = file::FileLog::open(&folder, file::Options { name, reserve, ..file::Options::default() })?;
    if opened.cut_bytes > 0 {
        tracing::warn!(
            folder = %folder.display(),
            bytes = opened.cut_bytes,
            "cut off a tail that was still being written when the process or the machine stopped; nothing of it had \
             been acknowledged"
        );
    }
    Ok(Arc::new(log))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::codec::encode;
    use crate::model::filing::Filing;
    use crate::model::id::SourceId;

    #[test]
    fn texts_are_items_of_the_wire_and_nothing_else() {
        let dir = tempfile::TempDir::new().unwrap();
        let item = Item {
            source: SourceId::new("dahe").unwrap(),
            title: "许昌新建十二所学校".into(),
            text: "许昌市今年新建学校十二所。".repeat(90),
            ..Item::default()
        };
        let at = {
            let journal = Journal::open(dir.path()).unwrap();
            let records = [encode(&Wire::Item(Box::new(item.clone()))), encode(&Wire::Filing(Filing::default()))];
            let at = journal.wire.append(None, &[&records[0], &records[1], b"not a record"]).unwrap();
            assert_eq!(journal.item(at[0]), None, "not durable yet");
            journal.wire.sync().unwrap();
            at
        };
        let journal = Journal::open(dir.path()).unwrap();
        assert_eq!(journal.item(at[0]), Some(item));
        assert_eq!(journal.item(Position { sum: at[0].sum ^ 1, ..at[0] }), None, "another record");
        assert_eq!(journal.item(at[1]), None, "a filing");
        assert_eq!(journal.item(at[2]), None, "nothing we know");
        assert_eq!(journal.item(Position::default()), None);
        assert!(dir.path().join("wire").is_dir() && dir.path().join("ledger").is_dir());
        assert_eq!(journal.ledger.next(), 1);
    }
}
