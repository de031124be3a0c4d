//! A picture for each feed: a pattern of its own in a colour of its own, so that a list of feeds is told apart at a glance.

use std::io::Write;

use crate::model::id::hash64;

/// Cells in a row of the pattern; its right half mirrors the left.
const CELLS: usize = 5;
/// Pixels of a cell. The picture, with a cell's margin all round half as wide, is 144 pixels wide: the most that RSS 2.0
/// allows.
const CELL: usize = 24;
/// Pixels of the margin.
const MARGIN: usize = 12;
/// Pixels of a side.
pub const SIDE: usize = CELLS * CELL + 2 * MARGIN;
/// Media type.
pub const MEDIA_TYPE: &str = "image/png";

/// The picture of an edition, by its key: PNG (ISO/IEC 15948), two colours, some two hundred bytes. The same key always
/// gives the same bytes.
#[must_use]
pub fn png(key: &str) -> Vec<u8> {
    let hash = hash64(&[b"picture", key.as_bytes()]);
    let mut rows = Vec::with_capacity(SIDE * (1 + SIDE / 8));
    for y in 0..SIDE {
        // Filter type 0, then a bit a pixel.
        rows.push(0);
        for byte in 0..SIDE / 8 {
            let bits = (0..8).fold(0_u8, |bits, bit| bits << 1 | u8::from(inked(hash, byte * 8 + bit, y)));
            rows.push(bits);
        }
    }
    let side = (SIDE as u32).to_be_bytes();
    let mut header = Vec::with_capacity(13);
    header.extend_from_slice(&side);
    header.extend_from_slice(&side);
    // One bit a pixel, by palette; compression, filter and interlace as everybody has them.
    header.extend_from_slice(&[1, 3, 0, 0, 0]);
    let (red, green, blue) = colour(hash);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, *b"IHDR", &header);
    chunk(&mut out, *b"PLTE", &[0xfb, 0xfa, 0xf7, red, green, blue]);
    chunk(&mut out, *b"IDAT", &packed(&rows));
    chunk(&mut out, *b"IEND", &[]);
    out
}

/// Whether a pixel has the colour.
fn inked(hash: u64, x: usize, y: usize) -> bool {
    let cell = |at: usize| at.checked_sub(MARGIN).map(|at| at / CELL).filter(|cell| *cell < CELLS);
    let (Some(column), Some(row)) = (cell(x), cell(y)) else { return false };
    let column = column.min(CELLS - 1 - column);
    // The middle is always inked: no picture is empty.
    (column, row) == (CELLS / 2, CELLS / 2) || hash >> (row * 3 + column) & 1 == 1
}

/// Dark enough to stand on paper: one of 360 hues at one lightness.
fn colour(hash: u64) -> (u8, u8, u8) {
    let hue = (hash >> 32) as u32 % 360;
    let (low, high) = (0x28_u32, 0xa8);
    let rising = low + (high - low) * (hue % 60) / 60;
    let falling = high - (high - low) * (hue % 60) / 60;
    let (red, green, blue) = match hue / 60 {
        0 => (high, rising, low),
        1 => (falling, high, low),
        2 => (low, high, rising),
        3 => (low, falling, high),
        4 => (rising, low, high),
        _ => (high, low, falling),
    };
    (red as u8, green as u8, blue as u8)
}

fn packed(rows: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    match packer.write_all(rows).and_then(|()| packer.finish()) {
        Ok(bytes) => bytes,
        Err(error) => unreachable!("compressing to memory failed: {error}"),
    }
}

fn chunk(out: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let from = out.len();
    out.extend_from_slice(&kind);
    out.extend_from_slice(data);
    let sum = crc32fast::hash(&out[from..]);
    out.extend_from_slice(&sum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_small_whole_and_its_feeds_own() {
        let picture = png("city/411000");
        assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n") && picture.len() < 400, "{}", picture.len());
        assert_eq!((&picture[16..20], &picture[20..24]), (&144_u32.to_be_bytes()[..], &144_u32.to_be_bytes()[..]));
        assert_eq!(picture, png("city/411000"));
        let others: std::collections::BTreeSet<_> = (0..333).map(|code| png(&format!("city/{code}"))).collect();
        assert!(others.len() > 330, "{}", others.len());
        // Every chunk has its sum.
        let mut at = 8;
        while at < picture.len() {
            let length = u32::from_be_bytes(picture[at..at + 4].try_into().unwrap()) as usize;
            let sum = u32::from_be_bytes(picture[at + 8 + length..at + 12 + length].try_into().unwrap());
            assert_eq!(crc32fast::hash(&picture[at + 4..at + 8 + length]), sum);
            at += 12 + length;
        }
        assert_eq!(at, picture.len());
    }
}
