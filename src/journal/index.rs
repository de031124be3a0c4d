//! The offsets of a sealed segment's records, in a file beside it, so that opening a log does not read it.
//!
//! All numbers are little-endian: `"CITYIDX"` · version u8 · first u64 · count u64 · bytes of the segment u64 · CRC-32 of
//! these 32 · then `count + 1` offsets of 32 bits, the last being the segment's end. The offsets are not covered by a
//! checksum: whoever follows one finds a frame with the right number there, or makes the index anew.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt;
use std::path::Path;

const MAGIC: &[u8; 7] = b"CITYIDX";
const VERSION: u8 = 1;
const HEADER: usize = 36;

/// An index as its header describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Index {
    /// Number of the segment's first record.
    pub first: u64,
    /// How many records it has.
    pub count: u64,
    /// Bytes of the segment.
    pub bytes: u64,
}

impl Index {
    /// Bytes of the index on disk.
    pub fn size(&self) -> u64 {
        HEADER as u64 + 4 * (self.count + 1)
    }

    fn header(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..7].copy_from_slice(MAGIC);
        bytes[7] = VERSION;
        bytes[8..16].copy_from_slice(&self.first.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.count.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.bytes.to_le_bytes());
        let check = crc32fast::hash(&bytes[..32]);
        bytes[32..].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    /// Writes the index to `path` under a passing name, then moves it there. It need not be synced: it can be made
    /// again.
    pub fn write(&self, path: &Path, offsets: &[u32]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(HEADER + 4 * (offsets.len() + 1));
        bytes.extend_from_slice(&self.header());
        for offset in offsets {
            bytes.extend_from_slice(&offset.to_le_bytes());
        }
        bytes.extend_from_slice(&(self.bytes as u32).to_le_bytes());
        let passing = path.with_extension("tmp");
        let mut file = File::create(&passing)?;
        file.write_all(&bytes)?;
        drop(file);
        fs::rename(passing, path)
    }

    /// Reads the header of an index for a segment that begins with `first` and has `bytes`; `None` if it is missing or
    /// does not fit.
    pub fn open(path: &Path, first: u64, bytes: u64) -> Option<Self> {
        let file = File::open(path).ok()?;
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0).ok()?;
        let count = u64::from_le_bytes(header[16..24].try_into().ok()?);
        let index = Self { first, count, bytes };
        (index.header() == header && count > 0 && file.metadata().ok()?.len() == index.size()).then_some(index)
    }
}

/// Where record `at` of the segment (from 0) begins and ends, from the open index.
pub(super) fn span(file: &File, at: u64) -> io::Result<(u64, u64)> {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, HEADER as u64 + 4 * at)?;
    let both = u64::from_le_bytes(bytes);
    Ok((both & 0xffff_ffff, both >> 32))
}
