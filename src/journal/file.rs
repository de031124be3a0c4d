//! A log in a folder of this machine: append-only segments, synced in groups, a torn tail cut on open.
//!
//! A segment is named by its first record (`00000000000000000001.log`) and sealed when it is full: synced, then given
//! an index (`.idx`), then followed by the next. So only the last segment can have a torn tail and only it is read on
//! open; sealed ones cost one look at their index, however many gigabytes they hold.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::frame::{self, Frames, HEAD, HEADER, Head, Header, Kind, Packer, Step};
use super::index::{self, Index};
use super::{BATCH_MOST, Log, LogError, RECORD_MOST};
use crate::failpoint;
use crate::model::position::Position;

/// A segment is sealed before it would grow beyond this many bytes: small enough to be rewritten when a text must go,
/// large enough that a year is some hundred files.
pub const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// Sealed segments kept open for reading; two file descriptors each.
const OPEN_MOST: usize = 32;

/// How a log is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The log's name, for failpoints: `wire`, `ledger`.
    pub name: &'static str,
    /// Bytes of a segment; [`SEGMENT_BYTES`] but in tests.
    pub segment_bytes: u64,
    /// Bytes of the disk that the log leaves free: with less it is [`LogError::Full`]. What else writes there (the store
    /// cannot go on after a write that failed) is never the first to meet a full disk.
    pub reserve: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { name: "log", segment_bytes: SEGMENT_BYTES, reserve: 0 }
    }
}

/// What opening a log found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Bytes of a torn tail that were cut off: records that nobody had been told were safe.
    pub cut_bytes: u64,
    /// Indexes of sealed segments that were missing or wrong and were made anew.
    pub indexed: u64,
    /// Records kept.
    pub records: u64,
}

/// A log in a folder.
pub struct FileLog {
    folder: PathBuf,
    segment_bytes: u64,
    reserve: u64,
    /// Names of the two failpoints.
    points: [String; 2],
    packer: Packer,
    /// Taken before `flush` where both are needed.
    state: Mutex<State>,
    flush: Mutex<Flush>,
    /// Tells waiting callers of `sync` that a sync ended.
    ended: Condvar,
    open: Mutex<VecDeque<Arc<Open>>>,
    // Copies of what the locks protect, for those who only look.
    next: AtomicU64,
    synced: AtomicU64,
    #[cfg(test)]
    faults: tests::Faults,
}

struct State {
    sealed: Vec<Index>,
    /// The segment that is written: its file, first number, length, and the offset of each record.
    file: Arc<File>,
    first: u64,
    length: u64,
    offsets: Vec<u32>,
}

impl State {
    fn next(&self) -> u64 {
        self.first + self.offsets.len() as u64
    }

    /// Where record `seq` of the written segment begins; its end for one that is not there yet.
    fn offset(&self, seq: u64) -> u64 {
        let at = seq.saturating_sub(self.first) as usize;
        self.offsets.get(at).map_or(self.length, |offset| u64::from(*offset))
    }
}

struct Flush {
    /// Everything below is durable.
    synced: u64,
    /// Somebody is syncing: wait for them instead.
    running: bool,
    /// Why nothing is taken any more.
    broken: Option<String>,
}

/// A sealed segment, open for reading.
struct Open {
    first: u64,
    file: File,
    index: File,
}

/// Where a record stands.
enum Found {
    Active { file: Arc<File>, first: u64, offset: u64, end: u64, length: u64 },
    Sealed { open: Arc<Open>, segment: Index, offset: u64, end: u64, head: Head },
}

impl Found {
    fn file(&self) -> &File {
        match self {
            Self::Active { file, .. } => file,
            Self::Sealed { open, .. } => &open.file,
        }
    }

    /// First number of the segment, first byte of the record, byte behind it, byte behind the segment's last record.
    fn place(&self) -> (u64, u64, u64, u64) {
        match self {
            Self::Active { first, offset, end, length, .. } => (*first, *offset, *end, *length),
            Self::Sealed { segment, offset, end, .. } => (segment.first, *offset, *end, segment.bytes),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while a lock is held; if it did, the values would still be those of the last whole step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_owned();
    move |source| {
        if is_full(&source) {
            let folder = path.parent().unwrap_or(&path).to_owned();
            LogError::Full { folder }
        } else {
            LogError::Io { doing, path, source }
        }
    }
}

fn segment_path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.log"))
}

fn sync_folder(folder: &Path) -> Result<(), LogError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(failed("sync the folder", folder))
}

/// Makes an empty segment, durable under its name.
fn create(folder: &Path, first: u64) -> Result<File, LogError> {
    let path = segment_path(folder, first);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .map_err(failed("create", &path))?;
    file.write_all_at(&frame::header(first), 0).map_err(failed("write", &path))?;
    file.sync_all().map_err(failed("sync", &path))?;
    sync_folder(folder)?;
    Ok(file)
}

/// First numbers of the segments in a folder, in order.
fn segments(folder: &Path) -> Result<Vec<u64>, LogError> {
    let entries = fs::read_dir(folder).map_err(failed("read the folder", folder))?;
    let mut firsts = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed("read the folder", folder))?.path();
        let stem = path.file_stem().and_then(|s| s.to_str()).filter(|s| s.len() == 20);
        if path.extension().is_some_and(|e| e == "log")
            && let Some(first) = stem.and_then(|s| s.parse().ok())
        {
            firsts.push(first);
        }
    }
    firsts.sort_unstable();
    Ok(firsts)
}

fn damaged(folder: &Path, first: u64, offset: u64, seq: u64, why: &str) -> LogError {
    LogError::Damaged { file: segment_path(folder, first), offset, seq, why: why.to_owned() }
}

/// Opens a segment's file and checks its header; `None` if the header is not whole.
fn open_segment(folder: &Path, first: u64, write: bool) -> Result<Option<(File, u64)>, LogError> {
    let path = segment_path(folder, first);
    let file = OpenOptions::new().read(true).write(write).open(&path).map_err(failed("open", &path))?;
    let length = file.metadata().map_err(failed("open", &path))?.len();
    let mut bytes = [0; HEADER];
    let have = length.min(HEADER as u64) as usize;
    file.read_exact_at(&mut bytes[..have], 0).map_err(failed("read", &path))?;
    match frame::read_header(&bytes[..have]) {
        Header::Ours(named) if named == first => Ok(Some((file, length))),
        Header::Ours(_) => Err(damaged(folder, first, 0, first, "the file has the name of another segment")),
        Header::Later(version) => Err(LogError::Version { file: path, version }),
        Header::Torn => Ok(None),
    }
}

/// Verifies a sealed segment from its first byte to its last, and writes its index.
fn make_index(folder: &Path, first: u64, packer: &Packer) -> Result<Index, LogError> {
    let path = segment_path(folder, first);
    let Some((file, length)) = open_segment(folder, first, false)? else {
        return Err(damaged(folder, first, 0, first, "the file's header is not whole"));
    };
    let scan = frame::scan(&file, first, length, packer).map_err(failed("read", &path))?;
    let seq = first + scan.offsets.len() as u64;
    if let Some(why) = scan.bad {
        return Err(damaged(folder, first, scan.end, seq, why));
    }
    if scan.offsets.is_empty() {
        return Err(damaged(folder, first, scan.end, seq, "the file holds no record, and is not the last"));
    }
    let index = Index { first, count: scan.offsets.len() as u64, bytes: length };
    // Without the file the log works, and the next start makes it again.
    if let Err(error) = index.write(&path.with_extension("idx"), &scan.offsets) {
        tracing::warn!("cannot keep the index of {}: {error}", path.display());
    }
    Ok(index)
}

impl FileLog {
    /// Opens the log in `folder`, making it if it is missing. A torn tail of the last segment is cut off; everything
    /// that remains is durable when this returns. Nobody else may have it open (the caller sees to that).
    ///
    /// # Errors
    /// [`LogError::Damaged`] if something is unreadable that had been durable, [`LogError::Version`],
    /// [`LogError::Full`], [`LogError::Io`].
    pub fn open(folder: &Path, options: Options) -> Result<(Self, Opened), LogError> {
        fs::create_dir_all(folder).map_err(failed("create the folder", folder))?;
        if let Some(parent) = folder.parent().filter(|p| !p.as_os_str().is_empty()) {
            sync_folder(parent)?;
        }
        let packer = Packer::default();
        let mut opened = Opened::default();
        let mut firsts = segments(folder)?;
        let last = firsts.pop();

        let mut sealed: Vec<Index> = Vec::with_capacity(firsts.len());
        let mut due = firsts.first().copied().or(last).unwrap_or(1);
        for first in firsts {
            if first != due {
                return Err(damaged(folder, due, 0, due, "the file is missing"));
            }
            let path = segment_path(folder, first);
            let length = fs::metadata(&path).map_err(failed("open", &path))?.len();
            let index = if let Some(index) = Index::open(&path.with_extension("idx"), first, length) {
                index
            } else {
                opened.indexed += 1;
                make_index(folder, first, &packer)?
            };
            due = first + index.count;
            sealed.push(index);
        }
        if let Some(last) = last
            && last != due
        {
            return Err(damaged(folder, due, 0, due, "the file is missing"));
        }
        let (file, length, offsets) = open_last(folder, due, last.is_some(), &packer, &mut opened)?;
        let state = State { sealed, file: Arc::new(file), first: due, length, offsets };
        let next = state.next();
        opened.records = next - state.sealed.first().map_or(state.first, |s| s.first);
        let log = Self {
            folder: folder.to_owned(),
            segment_bytes: options.segment_bytes,
            reserve: options.reserve,
            points: [format!("{}-appended", options.name), format!("{}-synced", options.name)],
            packer,
            state: Mutex::new(state),
            flush: Mutex::new(Flush { synced: next, running: false, broken: None }),
            ended: Condvar::new(),
            open: Mutex::default(),
            next: next.into(),
            synced: next.into(),
            #[cfg(test)]
            faults: tests::Faults::default(),
        };
        Ok((log, opened))
    }

    /// An error if the log takes nothing any more.
    fn sound(&self, flush: &Flush) -> Result<(), LogError> {
        match &flush.broken {
            Some(why) => Err(LogError::Broken { folder: self.folder.clone(), why: why.clone() }),
            None => Ok(()),
        }
    }

    /// Takes nothing more from now on, and drops what is not durable: after a failed sync the kernel may hold pages
    /// that it shows to readers and will never write, so the next opening must not take them for records.
    fn stop(&self, state: &State, why: String) -> LogError {
        let synced = {
            let mut flush = lock(&self.flush);
            flush.broken.get_or_insert_with(|| why.clone());
            flush.synced
        };
        // A failure here changes nothing: nobody was told that those records are safe.
        let _ = state.file.set_len(state.offset(synced));
        self.ended.notify_all();
        LogError::Broken { folder: self.folder.clone(), why }
    }

    #[cfg_attr(not(test), allow(clippy::unused_self, reason = "tests make it fail here"))]
    fn write(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        #[cfg(test)]
        self.faults.write(file, bytes, at)?;
        file.write_all_at(bytes, at)
    }

    #[cfg_attr(not(test), allow(clippy::unused_self, reason = "tests make it fail here"))]
    fn sync_data(&self, file: &File) -> io::Result<()> {
        #[cfg(test)]
        self.faults.sync()?;
        file.sync_data()
    }

    /// Seals the written segment and begins the next.
    fn roll(&self, state: &mut State) -> Result<(), LogError> {
        let path = segment_path(&self.folder, state.first);
        if let Err(error) = self.sync_data(&state.file) {
            return Err(self.stop(state, format!("syncing {} failed: {error}", path.display())));
        }
        let next = state.next();
        {
            let mut flush = lock(&self.flush);
            flush.synced = flush.synced.max(next);
            self.synced.store(flush.synced, Ordering::Release);
        }
        let file = match create(&self.folder, next) {
            Ok(file) => file,
            Err(error) => {
                // Nothing is in it yet; the next append tries again.
                let _ = fs::remove_file(segment_path(&self.folder, next));
                return Err(error);
            }
        };
        let index = Index { first: state.first, count: state.offsets.len() as u64, bytes: state.length };
        if let Err(error) = index.write(&path.with_extension("idx"), &state.offsets) {
            tracing::warn!("cannot keep the index of {}: {error}", path.display());
        }
        state.sealed.push(index);
        state.file = Arc::new(file);
        state.first = next;
        state.length = HEADER as u64;
        state.offsets = Vec::new();
        Ok(())
    }

    /// A sealed segment, open for reading.
    fn opened(&self, first: u64) -> Result<Arc<Open>, LogError> {
        let mut open = lock(&self.open);
        if let Some(at) = open.iter().position(|o| o.first == first)
            && let Some(found) = open.remove(at)
        {
            open.push_front(Arc::clone(&found));
            return Ok(found);
        }
        let path = segment_path(&self.folder, first);
        let file = File::open(&path).map_err(failed("open", &path))?;
        let index_path = path.with_extension("idx");
        let index = if let Ok(index) = File::open(&index_path) {
            index
        } else {
            make_index(&self.folder, first, &self.packer)?;
            File::open(&index_path).map_err(failed("open", &index_path))?
        };
        let found = Arc::new(Open { first, file, index });
        open.push_front(Arc::clone(&found));
        open.truncate(OPEN_MOST);
        Ok(found)
    }

    /// Where a durable record stands. The caller has checked that its number is kept.
    fn locate(&self, seq: u64) -> Result<Found, LogError> {
        let segment = {
            let state = lock(&self.state);
            if seq >= state.first {
                let length = state.offset(self.synced());
                let (offset, end) = (state.offset(seq), state.offset(seq + 1));
                return Ok(Found::Active { file: Arc::clone(&state.file), first: state.first, offset, end, length });
            }
            let at = state.sealed.partition_point(|s| s.first <= seq).saturating_sub(1);
            match state.sealed.get(at) {
                Some(segment) => *segment,
                None => return Err(LogError::Gone { from: seq, first: state.first }),
            }
        };
        let path = segment_path(&self.folder, segment.first);
        for again in [true, false] {
            let open = self.opened(segment.first)?;
            if let Ok((offset, end)) = index::span(&open.index, seq - segment.first) {
                let mut bytes = [0; HEAD];
                let within = offset + HEAD as u64 <= end
                    && end <= segment.bytes
                    && open.file.read_exact_at(&mut bytes, offset).is_ok();
                let head = Head::read(&bytes, segment.first).filter(|head| {
                    u64::from(head.index) == seq - segment.first && offset + HEAD as u64 + u64::from(head.length) == end
                });
                if let Some(head) = head.filter(|_| within) {
                    return Ok(Found::Sealed { open, segment, offset, end, head });
                }
            }
            if again {
                tracing::warn!("the index of {} is wrong: making it anew", path.display());
                make_index(&self.folder, segment.first, &self.packer)?;
                lock(&self.open).retain(|o| o.first != segment.first);
            }
        }
        Err(damaged(&self.folder, segment.first, 0, seq, "its index stays wrong"))
    }
}

/// Opens the last segment for writing, cutting off a torn tail: its file, length, and offsets.
fn open_last(
    folder: &Path,
    first: u64,
    exists: bool,
    packer: &Packer,
    opened: &mut Opened,
) -> Result<(File, u64, Vec<u32>), LogError> {
    let path = segment_path(folder, first);
    if !exists {
        return Ok((create(folder, first)?, HEADER as u64, Vec::new()));
    }
    let Some((file, length)) = open_segment(folder, first, true)? else {
        // The header is durable before the first record is written, so without one there was none.
        let length = fs::metadata(&path).map_err(failed("open", &path))?.len();
        if length > HEADER as u64 {
            return Err(damaged(folder, first, 0, first, "the file's header does not match its checksum"));
        }
        opened.cut_bytes += length;
        return Ok((create(folder, first)?, HEADER as u64, Vec::new()));
    };
    let scan = frame::scan(&file, first, length, packer).map_err(failed("read", &path))?;
    if let Some(why) = scan.bad {
        let index = scan.offsets.len() as u32;
        if frame::witnessed(&file, first, index, scan.end + 1, length, packer).map_err(failed("read", &path))? {
            return Err(damaged(folder, first, scan.end, first + u64::from(index), why));
        }
        file.set_len(scan.end).map_err(failed("cut", &path))?;
        opened.cut_bytes += length - scan.end;
    }
    // What a killed process left in the page cache counts from here on, so it must reach the disk.
    file.sync_all().map_err(failed("sync", &path))?;
    sync_folder(folder)?;
    Ok((file, scan.end, scan.offsets))
}

impl Log for FileLog {
    fn append(&self, expected: Option<u64>, records: &[&[u8]]) -> Result<Vec<Position>, LogError> {
        let largest = records.iter().map(|r| r.len()).max().unwrap_or(0);
        if largest > RECORD_MOST {
            return Err(LogError::Large { bytes: largest, most: RECORD_MOST });
        }
        let all = records.iter().map(|r| r.len()).sum();
        if all > BATCH_MOST {
            return Err(LogError::Large { bytes: all, most: BATCH_MOST });
        }
        // The costly part, before the lock.
        let packed: Vec<_> = records.iter().map(|record| self.packer.pack(record)).collect();
        let bytes: usize = packed.iter().map(|p| HEAD + p.bytes.len()).sum();

        let mut state = lock(&self.state);
        self.sound(&lock(&self.flush))?;
        let next = state.next();
        if let Some(expected) = expected
            && expected != next
        {
            return Err(LogError::Expected { next });
        }
        if packed.is_empty() {
            return Ok(Vec::new());
        }
        if self.room().is_some_and(|room| room < self.reserve + bytes as u64) {
            return Err(LogError::Full { folder: self.folder.clone() });
        }
        if !state.offsets.is_empty() && state.length + bytes as u64 > self.segment_bytes {
            self.roll(&mut state)?;
        }
        let synced = self.synced();
        let mut buffer = Vec::with_capacity(bytes);
        let mut offsets = Vec::with_capacity(packed.len());
        let mut positions = Vec::with_capacity(packed.len());
        for (record, seq) in packed.iter().zip(next..) {
            offsets.push((state.length + buffer.len() as u64) as u32);
            let head = Head {
                kind: record.kind,
                length: record.bytes.len() as u32,
                sum: record.sum,
                index: (seq - state.first) as u32,
                behind: u32::try_from(seq - synced).unwrap_or(u32::MAX),
            };
            buffer.extend_from_slice(&head.bytes(state.first));
            buffer.extend_from_slice(&record.bytes);
            positions.push(Position { seq, sum: record.sum });
        }
        if let Err(error) = self.write(&state.file, &buffer, state.length) {
            let path = segment_path(&self.folder, state.first);
            // Part of it may stand there. With that gone again, a full disk is no reason to stop.
            if is_full(&error) && state.file.set_len(state.length).is_ok() {
                return Err(LogError::Full { folder: self.folder.clone() });
            }
            return Err(self.stop(&state, format!("writing {} failed: {error}", path.display())));
        }
        state.length += buffer.len() as u64;
        state.offsets.append(&mut offsets);
        self.next.store(state.next(), Ordering::Release);
        drop(state);
        failpoint::hit(&self.points[0]);
        Ok(positions)
    }

    fn sync(&self) -> Result<u64, LogError> {
        let target = self.next();
        let mut flush = lock(&self.flush);
        loop {
            self.sound(&flush)?;
            if flush.synced >= target {
                return Ok(flush.synced);
            }
            if !flush.running {
                break;
            }
            flush = self.ended.wait(flush).unwrap_or_else(PoisonError::into_inner);
        }
        flush.running = true;
        drop(flush);
        // Everything that was appended until now, by whomever, goes with this sync.
        let (file, first, next) = {
            let state = lock(&self.state);
            (Arc::clone(&state.file), state.first, state.next())
        };
        let result = self.sync_data(&file);
        if result.is_ok() {
            failpoint::hit(&self.points[1]);
        }
        let mut flush = lock(&self.flush);
        flush.running = false;
        match result {
            Ok(()) => {
                // Unless another thread was told meanwhile that the disk refuses: then nothing is certain.
                self.sound(&flush)?;
                flush.synced = flush.synced.max(next);
                self.synced.store(flush.synced, Ordering::Release);
                self.ended.notify_all();
                Ok(flush.synced)
            }
            Err(error) => {
                let why = format!("syncing {} failed: {error}", segment_path(&self.folder, first).display());
                flush.broken.get_or_insert_with(|| why.clone());
                drop(flush);
                Err(self.stop(&lock(&self.state), why))
            }
        }
    }

    fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    fn first(&self) -> u64 {
        let state = lock(&self.state);
        state.sealed.first().map_or(state.first, |s| s.first)
    }

    fn read(&self, from: u64, most_bytes: usize) -> Result<Vec<(Position, Vec<u8>)>, LogError> {
        let mut seq = from.max(1);
        let first = self.first();
        if seq < first {
            return Err(LogError::Gone { from, first });
        }
        let until = self.synced();
        let mut records = Vec::new();
        let mut bytes = 0;
        while seq < until {
            let found = self.locate(seq)?;
            let (first, offset, _, end) = found.place();
            let mut frames = Frames::new(found.file(), first, (seq - first) as u32, offset, end);
            while seq < until {
                match frames.step().map_err(failed("read", &segment_path(&self.folder, first)))? {
                    Step::Frame { offset, head, bytes: packed } => {
                        let Some(record) = self.packer.unpack(&head, packed) else {
                            let why = "the record does not match its checksum";
                            return Err(damaged(&self.folder, first, offset, seq, why));
                        };
                        if head.kind != Kind::Gone {
                            if !records.is_empty() && bytes + record.len() > most_bytes {
                                return Ok(records);
                            }
                            bytes += record.len();
                            records.push((Position { seq, sum: head.sum }, record));
                        }
                        seq += 1;
                    }
                    Step::Bad { offset, why } => return Err(damaged(&self.folder, first, offset, seq, why)),
                    Step::End => break,
                }
            }
        }
        Ok(records)
    }

    fn get(&self, at: Position) -> Result<Option<Vec<u8>>, LogError> {
        if at.seq < self.first() || at.seq >= self.synced() {
            return Ok(None);
        }
        let found = self.locate(at.seq)?;
        let (first, offset, end, _) = found.place();
        let mut frame = vec![0; (end - offset) as usize];
        let path = segment_path(&self.folder, first);
        found.file().read_exact_at(&mut frame, offset).map_err(failed("read", &path))?;
        let head = Head::read(&frame, first).filter(|head| u64::from(head.index) == at.seq - first);
        match head {
            None => Err(damaged(&self.folder, first, offset, at.seq, "the record's head does not match its checksum")),
            Some(head) if head.sum != at.sum || head.kind == Kind::Gone => Ok(None),
            Some(head) => match self.packer.unpack(&head, &frame[HEAD..]) {
                Some(record) => Ok(Some(record)),
                None => Err(damaged(&self.folder, first, offset, at.seq, "the record does not match its checksum")),
            },
        }
    }

    fn holds(&self, at: Position) -> Result<bool, LogError> {
        if at.seq < self.first() || at.seq >= self.synced() {
            return Ok(false);
        }
        let found = self.locate(at.seq)?;
        if let Found::Sealed { head, .. } = &found {
            return Ok(head.sum == at.sum && head.kind != Kind::Gone);
        }
        let (first, offset, end, _) = found.place();
        let mut head = [0; HEAD];
        let path = segment_path(&self.folder, first);
        found.file().read_exact_at(&mut head, offset).map_err(failed("read", &path))?;
        match Head::read(&head, first).filter(|head| u64::from(head.index) == at.seq - first) {
            None => Err(damaged(&self.folder, first, offset, at.seq, "the record's head does not match its checksum")),
            Some(head) => Ok(head.sum == at.sum
                && head.kind != Kind::Gone
                && offset + HEAD as u64 + u64::from(head.length) == end),
        }
    }

    fn room(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.folder).ok()?;
        Some(disk.f_bavail * disk.f_frsize)
    }

    fn bytes(&self) -> u64 {
        let state = lock(&self.state);
        state.sealed.iter().map(|s| s.bytes + s.size()).sum::<u64>() + state.length
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;
    use crate::journal::conformance;

    /// Ways in which a disk refuses, for tests.
    #[derive(Default)]
    pub(super) struct Faults {
        /// Refuse writes after half of the bytes, with this kind.
        write: Mutex<Option<io::ErrorKind>>,
        /// Refuse to sync.
        sync: AtomicBool,
        /// Milliseconds that a sync takes longer.
        slow: AtomicU64,
        /// Syncs so far.
        syncs: AtomicU64,
    }

    impl Faults {
        pub(super) fn write(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
            if let Some(kind) = *lock(&self.write) {
                file.write_all_at(&bytes[..bytes.len() / 2], at)?;
                return Err(kind.into());
            }
            Ok(())
        }

        pub(super) fn sync(&self) -> io::Result<()> {
            self.syncs.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(self.slow.load(Ordering::SeqCst)));
            if self.sync.load(Ordering::SeqCst) { Err(io::Error::other("the disk is gone")) } else { Ok(()) }
        }
    }

    /// Small segments, so that tests cross from one to the next.
    const SMALL: Options = Options { name: "test", segment_bytes: 2_048, reserve: 0 };

    fn open(dir: &TempDir) -> (FileLog, Opened) {
        FileLog::open(&dir.path().join("log"), SMALL).unwrap()
    }

    fn fill(dir: &TempDir, records: u64) -> Vec<Position> {
        let (log, _) = open(dir);
        let mut positions = Vec::new();
        for n in 0..records {
            let record = format!("第{n}条：{}", "河".repeat(n as usize % 50));
            positions.extend(log.append(None, &[record.as_bytes()]).unwrap());
            log.sync().unwrap();
        }
        positions
    }

    fn files(dir: &TempDir, extension: &str) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(dir.path().join("log"))
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| e == extension))
            .collect();
        files.sort();
        files
    }

    fn numbers(log: &FileLog) -> Vec<u64> {
        log.read(1, usize::MAX).unwrap().iter().map(|(at, _)| at.seq).collect()
    }

    #[test]
    fn a_log_that_is_to_leave_more_free_than_there_is_takes_nothing_and_stays_sound() {
        let dir = tempfile::tempdir().unwrap();
        let (log, _) = FileLog::open(dir.path(), Options { reserve: u64::MAX / 2, ..SMALL }).unwrap();
        let error = log.append(None, &[b"one"]).unwrap_err();
        assert!(matches!(error, LogError::Full { .. }), "{error}");
        drop(log);
        let (log, opened) = FileLog::open(dir.path(), SMALL).unwrap();
        assert_eq!((opened.records, opened.cut_bytes), (0, 0));
        assert_eq!(log.append(None, &[b"one"]).unwrap().len(), 1);
    }

    #[test]
    fn does_what_every_log_must() {
        for segment_bytes in [512, 4_096, SEGMENT_BYTES] {
            let dir = TempDir::new().unwrap();
            conformance::suite(&|name| {
                let options = Options { name: "test", segment_bytes, reserve: 0 };
                Arc::new(FileLog::open(&dir.path().join(name), options).unwrap().0)
            });
        }
    }

    #[test]
    fn segments_are_named_by_their_first_record_and_indexed_when_sealed() {
        let dir = TempDir::new().unwrap();
        let positions = fill(&dir, 300);
        let logs = files(&dir, "log");
        assert!(logs.len() > 3, "{} segments", logs.len());
        assert_eq!(files(&dir, "idx").len(), logs.len() - 1);
        assert!(files(&dir, "tmp").is_empty());
        let (log, opened) = open(&dir);
        assert_eq!(opened, Opened { cut_bytes: 0, indexed: 0, records: 300 });
        let on_disk: u64 =
            [files(&dir, "log"), files(&dir, "idx")].concat().iter().map(|p| p.metadata().unwrap().len()).sum();
        assert_eq!(log.bytes(), on_disk);
        for at in positions {
            assert!(log.get(at).unwrap().is_some(), "{at:?}");
        }
        assert_eq!(numbers(&log), (1..=300).collect::<Vec<_>>());
    }

    #[test]
    fn an_index_that_is_missing_or_wrong_is_made_anew() {
        let dir = TempDir::new().unwrap();
        let positions = fill(&dir, 300);
        let indexes = files(&dir, "idx");
        let whole = fs::read(&indexes[1]).unwrap();
        // Missing, cut, a wrong header: seen on open. Offsets of zero, as a power cut leaves them: seen in use.
        fs::remove_file(&indexes[0]).unwrap();
        fs::write(&indexes[1], &whole[..whole.len() - 1]).unwrap();
        let mut header = fs::read(&indexes[2]).unwrap();
        header[20] ^= 1;
        fs::write(&indexes[2], header).unwrap();
        let mut zeros = fs::read(&indexes[3]).unwrap();
        zeros[36..].fill(0);
        fs::write(&indexes[3], zeros).unwrap();
        let (log, opened) = open(&dir);
        assert_eq!(opened.indexed, 3);
        for at in &positions {
            assert!(log.get(*at).unwrap().is_some(), "{at:?}");
        }
        assert_eq!(numbers(&log), (1..=300).collect::<Vec<_>>());
        assert_eq!(fs::read(&indexes[1]).unwrap(), whole);
        // And one that vanishes while the log is open.
        let (log, opened) = open(&dir);
        assert_eq!(opened.indexed, 0);
        fs::remove_file(&indexes[0]).unwrap();
        assert!(log.get(positions[0]).unwrap().is_some());
    }

    #[test]
    fn damage_in_a_sealed_segment_is_named_and_nothing_is_cut() {
        let dir = TempDir::new().unwrap();
        let positions = fill(&dir, 300);
        let victim = files(&dir, "log")[1].clone();
        let before = fs::read(&victim).unwrap();
        let mut after = before.clone();
        after[1_000] ^= 0x40;
        fs::write(&victim, &after).unwrap();
        // With its index the log opens, and says so when it comes to that record.
        let (log, _) = open(&dir);
        let error = log.read(1, usize::MAX).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, LogError::Damaged { .. }), "{text}");
        assert!(text.contains("00000000000000") && text.contains("backup"), "{text}");
        let unreadable = positions.iter().filter(|at| !matches!(log.get(**at), Ok(Some(_)))).count();
        assert_eq!(unreadable, 1, "one record is lost, the others are still there");
        drop(log);
        // Without it the segment is read, and the log does not open.
        fs::remove_file(victim.with_extension("idx")).unwrap();
        let error = FileLog::open(&dir.path().join("log"), SMALL).map(|_| ()).unwrap_err();
        assert!(matches!(&error, LogError::Damaged { file, .. } if *file == victim), "{error}");
        assert_eq!(fs::read(&victim).unwrap(), after);
        // A segment that is gone altogether is missed too.
        fs::remove_file(&victim).unwrap();
        let error = FileLog::open(&dir.path().join("log"), SMALL).map(|_| ()).unwrap_err();
        assert!(matches!(&error, LogError::Damaged { file, .. } if *file == victim), "{error}");
    }

    #[test]
    fn damage_before_records_known_to_be_durable_is_no_torn_tail() {
        let dir = TempDir::new().unwrap();
        let log = FileLog::open(&dir.path().join("log"), Options::default()).unwrap().0;
        for n in 0..4 {
            log.append(None, &[format!("durable {n}").as_bytes()]).unwrap();
            log.sync().unwrap();
        }
        drop(log);
        let file = &files(&dir, "log")[0];
        let mut bytes = fs::read(file).unwrap();
        bytes[HEADER + HEAD + 2] ^= 1;
        fs::write(file, &bytes).unwrap();
        let error = FileLog::open(&dir.path().join("log"), Options::default()).map(|_| ()).unwrap_err();
        assert!(matches!(error, LogError::Damaged { seq: 1, .. }), "{error}");
        assert_eq!(fs::read(file).unwrap(), bytes);
    }

    #[test]
    fn a_hole_among_records_that_were_not_synced_is_a_torn_tail() {
        // The kernel writes pages in any order: of three records that were never synced the middle one is missing.
        let dir = TempDir::new().unwrap();
        let log = FileLog::open(&dir.path().join("log"), Options::default()).unwrap().0;
        log.append(None, &[b"durable"]).unwrap();
        log.sync().unwrap();
        log.append(None, &[b"one", b"two"]).unwrap();
        log.append(None, &[b"three"]).unwrap();
        drop(log);
        let file = &files(&dir, "log")[0];
        let mut bytes = fs::read(file).unwrap();
        let two = bytes.windows(3).position(|w| w == b"two").unwrap();
        bytes[two - HEAD..two + 3].fill(0);
        fs::write(file, &bytes).unwrap();
        let (log, opened) = FileLog::open(&dir.path().join("log"), Options::default()).unwrap();
        assert_eq!(numbers(&log), [1, 2]);
        assert_eq!(opened.cut_bytes as usize, bytes.len() - (two - HEAD));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]
        #[test]
        fn a_tail_torn_at_any_byte_is_cut_and_nothing_else(
            records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 1..5),
            junk in any::<u8>(),
        ) {
            let dir = TempDir::new().unwrap();
            let folder = dir.path().join("log");
            let log = FileLog::open(&folder, Options::default()).unwrap().0;
            let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
            let positions = log.append(None, &slices).unwrap();
            let end = log.bytes() as usize;
            let begin = lock(&log.state).offsets[records.len() - 1] as usize;
            drop(log);
            let path = segment_path(&folder, 1);
            let whole = fs::read(&path).unwrap();
            prop_assert_eq!(whole.len(), end);
            for torn in begin..end {
                for manner in 0..4 {
                    let mut bytes = whole.clone();
                    match manner {
                        0 => bytes.truncate(torn),
                        // The file grew, the bytes never came.
                        1 => bytes[torn..].fill(0),
                        2 => bytes[torn..].fill(junk),
                        _ => bytes[torn] ^= junk | 1,
                    }
                    if bytes == whole {
                        continue;
                    }
                    fs::write(&path, &bytes).unwrap();
                    let (log, opened) = FileLog::open(&folder, Options::default()).unwrap();
                    let kept = records.len() as u64 - 1;
                    prop_assert_eq!(opened.records, kept, "torn at {} of {}, manner {}", torn, end, manner);
                    prop_assert_eq!(opened.cut_bytes as usize, bytes.len() - begin);
                    prop_assert_eq!(fs::read(&path).unwrap(), &whole[..begin]);
                    let read = log.read(1, usize::MAX).unwrap();
                    prop_assert!(read.iter().map(|(at, _)| at).eq(&positions[..kept as usize]));
                    prop_assert_eq!(log.append(Some(kept + 1), &slices[kept as usize..]).unwrap()[0].seq, kept + 1);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
        /// A power cut: of what was not synced, any blocks reached the disk, in any order; the file has any length.
        #[test]
        fn after_a_power_cut_all_that_was_synced_is_there_and_the_rest_is_a_prefix(
            batches in prop::collection::vec(
                (prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 1..4), any::<bool>()), 1..14),
            kept in prop::collection::vec(any::<bool>(), 64),
            block in 1_usize..90,
            cut in any::<prop::sample::Index>(),
        ) {
            let dir = TempDir::new().unwrap();
            let folder = dir.path().join("log");
            let log = FileLog::open(&folder, SMALL).unwrap().0;
            let mut appended: Vec<&[u8]> = Vec::new();
            for (batch, sync) in &batches {
                let slices: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
                log.append(None, &slices).unwrap();
                appended.extend(slices);
                if *sync {
                    log.sync().unwrap();
                }
            }
            let synced = log.synced();
            let (first, safe) = { let state = lock(&log.state); (state.first, state.offset(synced) as usize) };
            drop(log);
            let path = segment_path(&folder, first);
            let mut bytes = fs::read(&path).unwrap();
            for (n, block) in bytes[safe..].chunks_mut(block).enumerate() {
                if !kept[n % kept.len()] {
                    block.fill(0);
                }
            }
            let length = safe + cut.index(bytes.len() - safe + 1);
            bytes.truncate(length);
            fs::write(&path, &bytes).unwrap();
            let (log, _) = FileLog::open(&folder, SMALL).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let read = log.read(1, usize::MAX).unwrap();
            prop_assert!(read.len() as u64 + 1 >= synced, "{} of {} synced records", read.len(), synced - 1);
            prop_assert!(read.iter().map(|(_, record)| record.as_slice()).eq(appended[..read.len()].iter().copied()));
        }
    }

    #[test]
    fn a_header_torn_while_a_segment_was_begun_is_written_again() {
        let dir = TempDir::new().unwrap();
        fill(&dir, 300);
        let (next, cuts) = (301, 0..HEADER as u64);
        // Seal the last segment, as the next append would have done, and leave the new one half made.
        let last = segment_path(&dir.path().join("log"), next);
        for cut in cuts {
            fs::write(&last, &frame::header(next)[..cut as usize]).unwrap();
            let (log, opened) = open(&dir);
            assert_eq!((opened.cut_bytes, log.next()), (cut, next));
            assert_eq!(numbers(&log).len(), 300);
        }
        fs::write(&last, [0; 500]).unwrap();
        assert!(matches!(FileLog::open(&dir.path().join("log"), SMALL), Err(LogError::Damaged { .. })));
        let mut later = frame::header(next);
        later[7] = 9;
        let sum = crc32fast::hash(&later[..16]);
        later[16..].copy_from_slice(&sum.to_le_bytes());
        fs::write(&last, later).unwrap();
        assert!(matches!(FileLog::open(&dir.path().join("log"), SMALL), Err(LogError::Version { version: 9, .. })));
    }

    #[test]
    fn a_full_disk_keeps_nothing_of_the_call_and_is_forgotten_when_there_is_room() {
        let dir = TempDir::new().unwrap();
        let (log, _) = open(&dir);
        log.append(None, &[b"before"]).unwrap();
        log.sync().unwrap();
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            *lock(&log.faults.write) = Some(kind);
            let error = log.append(None, &[b"does not", b"fit"]).unwrap_err();
            assert!(matches!(error, LogError::Full { .. }), "{error}");
            assert_eq!((log.next(), log.bytes()), (2, files(&dir, "log")[0].metadata().unwrap().len()));
        }
        *lock(&log.faults.write) = None;
        assert_eq!(log.append(Some(2), &[b"after"]).unwrap()[0].seq, 2);
        assert_eq!(log.sync().unwrap(), 3);
        drop(log);
        assert_eq!(open(&dir).1, Opened { cut_bytes: 0, indexed: 0, records: 2 });
    }

    #[test]
    fn after_a_failed_write_or_sync_nothing_is_taken_until_it_is_opened_again() {
        for sync_fails in [false, true] {
            let dir = TempDir::new().unwrap();
            let (log, _) = open(&dir);
            let safe = log.append(None, &[b"safe"]).unwrap()[0];
            log.sync().unwrap();
            log.append(None, &[b"not yet"]).unwrap();
            if sync_fails {
                log.faults.sync.store(true, Ordering::SeqCst);
                assert!(matches!(log.sync(), Err(LogError::Broken { .. })));
            } else {
                *lock(&log.faults.write) = Some(io::ErrorKind::Other);
                assert!(matches!(log.append(None, &[b"fails"]), Err(LogError::Broken { .. })));
            }
            log.faults.sync.store(false, Ordering::SeqCst);
            *lock(&log.faults.write) = None;
            for error in [log.append(None, &[b"later"]).unwrap_err(), log.sync().unwrap_err()] {
                let text = error.to_string();
                assert!(matches!(error, LogError::Broken { .. }) && text.contains("restart"), "{text}");
            }
            assert_eq!(log.synced(), 2);
            assert_eq!(log.get(safe).unwrap().as_deref(), Some(b"safe" as &[u8]), "what was safe is still served");
            drop(log);
            // What the kernel may show but never wrote is not taken for a record.
            let (log, opened) = open(&dir);
            assert_eq!((opened.records, log.next()), (1, 2));
            assert_eq!(log.append(Some(2), &[b"again"]).unwrap()[0].seq, 2);
        }
    }

    #[test]
    fn callers_of_sync_share_the_work() {
        const CALLERS: usize = 16;
        let dir = TempDir::new().unwrap();
        let log = Arc::new(open(&dir).0);
        log.faults.slow.store(60, Ordering::SeqCst);
        let threads: Vec<_> = (0..CALLERS)
            .map(|n| {
                let log = Arc::clone(&log);
                std::thread::spawn(move || {
                    let at = log.append(None, &[format!("{n}").as_bytes()]).unwrap()[0];
                    assert!(log.sync().unwrap() > at.seq);
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let syncs = log.faults.syncs.load(Ordering::SeqCst);
        assert!(syncs < CALLERS as u64 / 2, "{syncs} syncs for {CALLERS} callers");
        let before = log.faults.syncs.load(Ordering::SeqCst);
        log.sync().unwrap();
        assert_eq!(log.faults.syncs.load(Ordering::SeqCst), before, "nothing new: nothing to do");
    }

    #[test]
    fn a_record_taken_down_leaves_its_number() {
        // Written by hand: the middle record of three has no bytes any more.
        let dir = TempDir::new().unwrap();
        let folder = dir.path().join("log");
        fs::create_dir_all(&folder).unwrap();
        let mut bytes = frame::header(1).to_vec();
        for (index, text) in ["one", "", "three"].iter().enumerate() {
            let kind = if text.is_empty() { Kind::Gone } else { Kind::Raw };
            let sum = crc32fast::hash(if text.is_empty() { b"two" } else { text.as_bytes() });
            let head = Head { kind, length: text.len() as u32, sum, index: index as u32, behind: 0 };
            bytes.extend_from_slice(&head.bytes(1));
            bytes.extend_from_slice(text.as_bytes());
        }
        fs::write(segment_path(&folder, 1), bytes).unwrap();
        let (log, opened) = open(&dir);
        assert_eq!(opened, Opened { cut_bytes: 0, indexed: 0, records: 3 });
        assert_eq!(numbers(&log), [1, 3]);
        assert_eq!(log.get(Position { seq: 2, sum: crc32fast::hash(b"two") }).unwrap(), None);
        assert_eq!(log.read(2, 0).unwrap()[0].0.seq, 3);
    }
}
