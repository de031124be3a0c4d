//! The bytes of a segment: a header, then framed records; and how to tell a torn tail from damage.
//!
//! All numbers are little-endian.
//!
//! ```text
//! header, 20 bytes   "CITYLOG" · version u8 · first u64 · CRC-32 of these 16
//! frame, 20 bytes +  kind and length u32 · sum u32 · index u32 · behind u32 · check u32 · then `length` bytes
//! ```
//!
//! `kind` is the two highest bits: 1 zstd, 2 as it is, 3 taken down (no bytes; the number stays). `sum` is the CRC-32 of
//! the record as appended, `index` counts from the segment's first record, `check` is the CRC-32 of `first` and the
//! four words before it. `behind` says how many records before this one were not synced yet when it was written: so a
//! later frame bears witness to what had been durable, and a reader can tell a tail that a crash left in pieces (cut
//! it) from a disk that lost what it had promised (say so).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use zstd::bulk::{Compressor, Decompressor};

use super::RECORD_MOST;

/// Bytes before the first frame.
pub(super) const HEADER: usize = 20;
/// Bytes of a frame before those of its record.
pub(super) const HEAD: usize = 20;
const MAGIC: &[u8; 7] = b"CITYLOG";
/// Format of the segments written. Raised when an older binary would misread a newer file.
pub(super) const VERSION: u8 = 1;
/// zstd level: 3 is the knee of the curve for kilobytes of text.
const LEVEL: i32 = 3;
/// Compression contexts kept for reuse; making one costs more than compressing a record.
const CONTEXTS: usize = 4;
const LENGTH_BITS: u32 = 30;

/// The header of a segment.
pub(super) fn header(first: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..7].copy_from_slice(MAGIC);
    bytes[7] = VERSION;
    bytes[8..16].copy_from_slice(&first.to_le_bytes());
    let check = crc32fast::hash(&bytes[..16]);
    bytes[16..].copy_from_slice(&check.to_le_bytes());
    bytes
}

/// What the beginning of a file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// A segment of ours that begins with this number.
    Ours(u64),
    /// A segment of a later version.
    Later(u8),
    /// No whole header.
    Torn,
}

/// Reads a header.
pub(super) fn read_header(bytes: &[u8]) -> Header {
    let Some(bytes) = bytes.first_chunk::<HEADER>() else { return Header::Torn };
    if &bytes[..7] != MAGIC || word(bytes, 16) != crc32fast::hash(&bytes[..16]) {
        return Header::Torn;
    }
    if bytes[7] != VERSION {
        return Header::Later(bytes[7]);
    }
    Header::Ours(u64::from(word(bytes, 8)) | u64::from(word(bytes, 12)) << 32)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// How a record's bytes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Compressed.
    Zstd,
    /// As they are: compressing did not make them smaller.
    Raw,
    /// Taken down: no bytes are left.
    Gone,
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub kind: Kind,
    /// Bytes that follow.
    pub length: u32,
    /// CRC-32 of the record as appended.
    pub sum: u32,
    /// Which record of the segment, from 0.
    pub index: u32,
    /// Records before this one that were not synced when it was written.
    pub behind: u32,
}

impl Head {
    /// As bytes, in a segment that begins with `first`.
    pub fn bytes(&self, first: u64) -> [u8; HEAD] {
        let kind = match self.kind {
            Kind::Zstd => 1,
            Kind::Raw => 2,
            Kind::Gone => 3,
        };
        let mut bytes = [0; HEAD];
        for (at, value) in [kind << LENGTH_BITS | self.length, self.sum, self.index, self.behind].iter().enumerate() {
            bytes[at * 4..at * 4 + 4].copy_from_slice(&value.to_le_bytes());
        }
        let check = check(first, &bytes);
        bytes[16..].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    /// From bytes; `None` if they are no head of a segment that begins with `first`.
    pub fn read(bytes: &[u8], first: u64) -> Option<Self> {
        let bytes = bytes.first_chunk::<HEAD>()?;
        let kind = match word(bytes, 0) >> LENGTH_BITS {
            1 => Kind::Zstd,
            2 => Kind::Raw,
            3 => Kind::Gone,
            _ => return None,
        };
        if word(bytes, 16) != check(first, bytes) {
            return None;
        }
        let length = word(bytes, 0) & ((1 << LENGTH_BITS) - 1);
        Some(Self { kind, length, sum: word(bytes, 4), index: word(bytes, 8), behind: word(bytes, 12) })
    }
}

fn check(first: u64, head: &[u8; HEAD]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&first.to_le_bytes());
    hasher.update(&head[..16]);
    hasher.finalize()
}

/// A record ready to be written.
pub(super) struct Packed {
    pub kind: Kind,
    pub sum: u32,
    pub bytes: Vec<u8>,
}

/// Compresses and expands records, with contexts kept for reuse.
#[derive(Default)]
pub(super) struct Packer {
    compressors: Mutex<Vec<Compressor<'static>>>,
    expanders: Mutex<Vec<Decompressor<'static>>>,
}

impl Packer {
    /// A record as it will stand on disk.
    pub fn pack(&self, record: &[u8]) -> Packed {
        let sum = crc32fast::hash(record);
        let spare = self.compressors.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let compressed = spare.map_or_else(|| Compressor::new(LEVEL), Ok).and_then(|mut compressor| {
            let bytes = compressor.compress(record);
            keep(&self.compressors, compressor);
            bytes
        });
        match compressed {
            Ok(bytes) if bytes.len() < record.len() => Packed { kind: Kind::Zstd, sum, bytes },
            // Not smaller, or no memory for a context: as it is will always do.
            _ => Packed { kind: Kind::Raw, sum, bytes: record.to_vec() },
        }
    }

    /// The record as appended; `None` if the bytes are not those that were written. Empty for one taken down.
    pub fn unpack(&self, head: &Head, bytes: &[u8]) -> Option<Vec<u8>> {
        let record = match head.kind {
            Kind::Gone => return bytes.is_empty().then(Vec::new),
            Kind::Raw => bytes.to_vec(),
            Kind::Zstd => {
                let spare = self.expanders.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut expander = spare.map_or_else(Decompressor::new, Ok).ok()?;
                let record = expander.decompress(bytes, RECORD_MOST);
                keep(&self.expanders, expander);
                record.ok()?
            }
        };
        (crc32fast::hash(&record) == head.sum).then_some(record)
    }
}

fn keep<T>(pool: &Mutex<Vec<T>>, context: T) {
    let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
    if pool.len() < CONTEXTS {
        pool.push(context);
    }
}

/// Reads frames one after the other.
pub(super) struct Frames<'f> {
    file: &'f File,
    first: u64,
    /// Where in the file `buffer[start]` stands.
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    start: usize,
    index: u32,
}

/// What [`Frames`] found.
pub(super) enum Step<'b> {
    /// A frame whose head is right; its bytes are not verified yet.
    Frame { offset: u64, head: Head, bytes: &'b [u8] },
    /// No whole frame with the number that is due.
    Bad { offset: u64, why: &'static str },
    /// The end, right behind a frame.
    End,
}

impl<'f> Frames<'f> {
    /// Bytes read from the file at once.
    const CHUNK: usize = 256 * 1024;

    /// Frames of a segment that begins with record `first`, from that of record `first + index` at byte `at` to `end`.
    pub fn new(file: &'f File, first: u64, index: u32, at: u64, end: u64) -> Self {
        Self { file, first, at, end, buffer: Vec::new(), start: 0, index }
    }

    /// Has `need` bytes in the buffer, as far as the file goes.
    fn fill(&mut self, need: usize) -> io::Result<()> {
        let have = self.buffer.len() - self.start;
        if have >= need {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let from = self.at + have as u64;
        let more = need.max(Self::CHUNK).saturating_sub(have).min((self.end.saturating_sub(from)) as usize);
        self.buffer.resize(have + more, 0);
        self.file.read_exact_at(&mut self.buffer[have..], from)
    }

    /// The next frame. After anything but a frame the answer stays the same.
    pub fn step(&mut self) -> io::Result<Step<'_>> {
        let offset = self.at;
        let left = self.end.saturating_sub(offset);
        if left == 0 {
            return Ok(Step::End);
        }
        if left < HEAD as u64 {
            return Ok(Step::Bad { offset, why: "the file ends inside a record's head" });
        }
        self.fill(HEAD)?;
        let Some(head) = Head::read(&self.buffer[self.start..], self.first).filter(|h| h.index == self.index) else {
            return Ok(Step::Bad { offset, why: "the record's head does not match its checksum" });
        };
        let whole = HEAD + head.length as usize;
        if left < whole as u64 {
            return Ok(Step::Bad { offset, why: "the file ends inside a record" });
        }
        self.fill(whole)?;
        let begin = self.start + HEAD;
        let end = self.start + whole;
        self.start = end;
        self.at += whole as u64;
        self.index += 1;
        Ok(Step::Frame { offset, head, bytes: &self.buffer[begin..end] })
    }
}

/// What a walk through a segment found.
pub(super) struct Scan {
    /// Offset of each good record, in order.
    pub offsets: Vec<u32>,
    /// The byte behind the last good record.
    pub end: u64,
    /// What stopped the walk before the end of the file.
    pub bad: Option<&'static str>,
}

/// Walks through a segment of `length` bytes that begins with record `first`, verifying every record.
pub(super) fn scan(file: &File, first: u64, length: u64, packer: &Packer) -> io::Result<Scan> {
    let mut frames = Frames::new(file, first, 0, HEADER as u64, length);
    let mut offsets = Vec::new();
    loop {
        match frames.step()? {
            Step::Frame { offset, head, bytes } => {
                if packer.unpack(&head, bytes).is_some()
                    && let Ok(small) = u32::try_from(offset)
                {
                    offsets.push(small);
                } else {
                    let bad = Some("the record does not match its checksum");
                    return Ok(Scan { offsets, end: offset, bad });
                }
            }
            Step::Bad { offset, why } => return Ok(Scan { offsets, end: offset, bad: Some(why) }),
            Step::End => return Ok(Scan { offsets, end: length, bad: None }),
        }
    }
}

/// Whether any whole record behind byte `from` bears witness that record `index` had been durable.
pub(super) fn witnessed(
    file: &File,
    first: u64,
    index: u32,
    from: u64,
    length: u64,
    packer: &Packer,
) -> io::Result<bool> {
    let mut rest = vec![0; length.saturating_sub(from) as usize];
    file.read_exact_at(&mut rest, from)?;
    let mut at = 0;
    while at + HEAD <= rest.len() {
        let whole = Head::read(&rest[at..], first).and_then(|head| {
            let bytes = rest.get(at + HEAD..at + HEAD + head.length as usize)?;
            (head.index > index && packer.unpack(&head, bytes).is_some()).then_some(head)
        });
        match whole {
            Some(head) if head.index - head.behind.min(head.index) > index => return Ok(true),
            Some(head) => at += HEAD + head.length as usize,
            None => at += 1,
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_ours_from_later_and_torn() {
        let bytes = header(1 << 40);
        assert_eq!(read_header(&bytes), Header::Ours(1 << 40));
        for cut in 0..HEADER {
            assert_eq!(read_header(&bytes[..cut]), Header::Torn);
            let mut flipped = bytes;
            flipped[cut] ^= 1;
            assert_eq!(read_header(&flipped), Header::Torn, "byte {cut}");
        }
        let mut later = bytes;
        later[7] = VERSION + 1;
        let sum = crc32fast::hash(&later[..16]);
        later[16..].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(read_header(&later), Header::Later(VERSION + 1));
    }

    #[test]
    fn a_head_is_of_its_segment_alone() {
        let head = Head { kind: Kind::Raw, length: 7, sum: 9, index: 3, behind: 2 };
        let bytes = head.bytes(100);
        assert_eq!(Head::read(&bytes, 100), Some(head));
        assert_eq!(Head::read(&bytes, 101), None, "a frame of another segment");
        assert_eq!(Head::read(&[0; HEAD], 100), None, "zeros, as a power cut leaves them");
        for at in 0..HEAD {
            let mut flipped = bytes;
            flipped[at] ^= 0x10;
            assert_eq!(Head::read(&flipped, 100), None, "byte {at}");
        }
    }

    #[test]
    fn packing_gives_back_what_went_in() {
        let packer = Packer::default();
        let text = "许昌市今年新建学校十二所。".repeat(200);
        let noise: Vec<u8> = (0..999_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for (record, kind) in
            [(text.as_bytes(), Kind::Zstd), (b"" as &[u8], Kind::Raw), (b"x", Kind::Raw), (&noise[..64], Kind::Raw)]
        {
            let packed = packer.pack(record);
            assert_eq!(packed.kind, kind, "{} bytes", record.len());
            let head =
                Head { kind: packed.kind, length: packed.bytes.len() as u32, sum: packed.sum, index: 0, behind: 0 };
            assert_eq!(packer.unpack(&head, &packed.bytes).as_deref(), Some(record));
            let wrong = Head { sum: packed.sum ^ 1, ..head };
            assert_eq!(packer.unpack(&wrong, &packed.bytes), None);
        }
    }
}
