//! Unpacks a body while it arrives, and stops as soon as it is too large or unpacks too well.

use std::io::Write;

use brotli::{BrotliDecompressStream, BrotliResult, BrotliState, HeapAlloc, HuffmanCode};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder as Zstd, Operation};

/// Unpacked bytes may be so many times the packed ones. Feeds pack 3 to 30 times; deflate's limit is 1,032.
pub const RATIO: u64 = 200;
/// Below so many unpacked bytes the ratio does not matter: short repetitive documents pack well.
pub const RATIO_FLOOR: u64 = 1 << 20;
/// Largest zstd window, as its base-2 logarithm: 8 MiB, what RFC 8878 section 3.1.1.1.2 asks decoders to bear, and the
/// most RFC 9659 allows in HTTP.
const ZSTD_WINDOW_LOG: u32 = 23;
/// What an inflater takes, in bytes: the window of RFC 1951 section 2, and its tables.
const INFLATE: usize = 64 * 1024;
/// What a brotli decoder takes beside its window, in bytes.
const BROTLI: usize = 64 * 1024;
/// Bytes unpacked in one step.
const STEP: usize = 64 * 1024;
/// Bytes by which the room for a body grows at most.
const GROWTH: usize = 1 << 20;
/// Most gzip members (RFC 1952 section 2.2) or zstd frames (RFC 8878 section 3) of one body: log files packed piece by
/// piece have dozens; each costs us a new decoder.
pub const MEMBERS: usize = 1_000;
/// Bytes by which the beginning of another member is known.
const MAGIC: usize = 4;

/// Why a body was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Beyond the cap.
    TooLarge,
    /// Beyond [`RATIO`].
    Bomb,
    /// Not what its header says.
    Broken(String),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// A content encoding that we read (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// None.
    Identity,
    /// `gzip`, `x-gzip`.
    Gzip,
    /// `deflate`: zlib by the RFC, raw deflate in the wild.
    Deflate,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

impl Encoding {
    /// Reads `Content-Encoding`; `None` if it names something we do not read, or several encodings.
    #[must_use]
    pub fn read(header: &str) -> Option<Self> {
        let mut named = header.split(',').map(str::trim).filter(|name| !name.is_empty());
        let one = named.next().unwrap_or("identity").to_ascii_lowercase();
        if named.any(|name| !name.eq_ignore_ascii_case("identity")) {
            return None;
        }
        match one.as_str() {
            "identity" | "none" | "utf-8" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Collects what is unpacked, up to a cap: a decoder may make a thousand times of one chunk before it comes back to us.
#[derive(Debug, Default)]
struct Sink {
    bytes: Vec<u8>,
    most: u64,
    /// Packed bytes handed to the decoder so far.
    packed: u64,
    over: Option<Trouble>,
}

impl Write for Sink {
    fn write(&mut self, some: &[u8]) -> std::io::Result<usize> {
        let length = self.bytes.len() as u64 + some.len() as u64;
        if length > RATIO_FLOOR && length > self.packed.saturating_mul(RATIO) {
            self.over = Some(Trouble::Bomb);
        } else if length > self.most {
            self.over = Some(Trouble::TooLarge);
        }
        if self.over.is_some() {
            return Err(std::io::Error::other("larger than the cap"));
        }
        if self.bytes.capacity() - self.bytes.len() < some.len() {
            // Doubling a large body for its last bytes would take twice its size.
            self.bytes.reserve_exact(some.len().max(self.bytes.len().min(GROWTH)));
        }
        self.bytes.extend_from_slice(some);
        Ok(some.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

type Brotli = BrotliState<HeapAlloc<u8>, HeapAlloc<u32>, HeapAlloc<HuffmanCode>>;

enum Machine {
    /// Waits for the first bytes, which tell what the body is whatever its header says.
    Undecided(Encoding, Vec<u8>, Sink),
    Plain(Sink),
    Gzip(flate2::write::GzDecoder<Sink>),
    Deflate(Box<Decompress>, Sink),
    Brotli(Box<Brotli>, Sink),
    Zstd(Zstd<'static>, Sink),
}

impl Machine {
    fn sink(&mut self) -> &mut Sink {
        match self {
            Self::Undecided(_, _, sink)
            | Self::Plain(sink)
            | Self::Deflate(_, sink)
            | Self::Brotli(_, sink)
            | Self::Zstd(_, sink) => sink,
            Self::Gzip(decoder) => decoder.get_mut(),
        }
    }
}

/// A body on its way in.
pub struct Unpacker {
    machine: Machine,
    taken: u64,
    most: u64,
    /// The packed stream is complete. Another member may follow; anything else is ignored, as browsers do.
    ended: bool,
    /// What follows a complete member, until it is known whether another one begins.
    behind: Vec<u8>,
    /// Nothing more is read: what followed the last member is none.
    closed: bool,
    members: usize,
}

impl Unpacker {
    /// For a body of this encoding, of at most `most` bytes before and after unpacking.
    #[must_use]
    pub fn new(encoding: Encoding, most: u64) -> Self {
        let sink = Sink { most, ..Sink::default() };
        let machine = Machine::Undecided(encoding, Vec::new(), sink);
        Self { machine, taken: 0, most, ended: false, behind: Vec::new(), closed: false, members: 1 }
    }

    /// Takes the next bytes off the wire.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Trouble> {
        self.taken += chunk.len() as u64;
        if self.taken > self.most {
            return Err(Trouble::TooLarge);
        }
        if let Machine::Undecided(encoding, first, _) = &mut self.machine {
            first.extend_from_slice(chunk);
            if first.len() < 3 {
                return Ok(());
            }
            let encoding = *encoding;
            return self.decide(encoding);
        }
        self.feed(chunk)
    }

    /// Bytes unpacked so far.
    #[must_use]
    pub fn unpacked(&mut self) -> usize {
        self.machine.sink().bytes.len()
    }

    /// Bytes that it takes in memory, about.
    #[must_use]
    pub fn weight(&mut self) -> usize {
        let machine = match &self.machine {
            Machine::Undecided(..) | Machine::Plain(_) => 0,
            Machine::Gzip(_) | Machine::Deflate(..) => INFLATE,
            Machine::Brotli(state, _) => BROTLI + usize::try_from(state.ringbuffer_size).unwrap_or(0),
            Machine::Zstd(..) => 1 << ZSTD_WINDOW_LOG,
        };
        machine + self.machine.sink().bytes.capacity()
    }

    /// What was unpacked until now; the rest is not wanted.
    #[must_use]
    pub fn so_far(mut self) -> Vec<u8> {
        std::mem::take(&mut self.machine.sink().bytes)
    }

    /// The end of the body: all of it, or what is wrong with it.
    pub fn finish(mut self) -> Result<Vec<u8>, Trouble> {
        if let Machine::Undecided(encoding, ..) = &self.machine {
            let encoding = *encoding;
            self.decide(encoding)?;
        }
        let cut = || Trouble::Broken("it ends too early".to_owned());
        match self.machine {
            Machine::Undecided(_, _, sink) | Machine::Plain(sink) => Ok(sink.bytes),
            Machine::Gzip(mut decoder) => {
                decoder.try_finish().map_err(|error| trouble(decoder.get_ref(), &error))?;
                Ok(std::mem::take(&mut decoder.get_mut().bytes))
            }
            Machine::Deflate(_, sink) | Machine::Brotli(_, sink) | Machine::Zstd(_, sink) => {
                if self.ended || self.taken == 0 { Ok(sink.bytes) } else { Err(cut()) }
            }
        }
    }

    /// Chooses the machine by the header and the first bytes: servers that announce gzip and send plain text, and
    /// `.xml.gz` files without any header, are both common.
    fn decide(&mut self, encoding: Encoding) -> Result<(), Trouble> {
        let Machine::Undecided(_, first, sink) = &mut self.machine else { return Ok(()) };
        let (first, sink) = (std::mem::take(first), std::mem::take(sink));
        let gzip = first.starts_with(&[0x1f, 0x8b, 0x08]);
        self.machine = match encoding {
            _ if first.is_empty() => Machine::Plain(sink),
            Encoding::Identity | Encoding::Gzip if gzip => Machine::Gzip(flate2::write::GzDecoder::new(sink)),
            Encoding::Identity | Encoding::Gzip => Machine::Plain(sink),
            Encoding::Deflate => {
                // RFC 1950 section 2.2: compression method 8, and the first two bytes are a multiple of 31.
                let zlib = first.len() >= 2
                    && first[0] & 0x0f == 8
                    && u16::from_be_bytes([first[0], first[1]]).is_multiple_of(31);
                Machine::Deflate(Box::new(Decompress::new(zlib)), sink)
            }
            Encoding::Brotli => {
                // Strict, since RFC 7932 knows windows of up to 16 MiB: the extension beyond it would have us set aside a
                // gigabyte.
                let codes = HeapAlloc::new(HuffmanCode::default());
                Machine::Brotli(Box::new(Brotli::new_strict(HeapAlloc::new(0), HeapAlloc::new(0), codes)), sink)
            }
            Encoding::Zstd => Machine::Zstd(zstd_decoder()?, sink),
        };
        self.feed(&first)
    }

    fn feed(&mut self, chunk: &[u8]) -> Result<(), Trouble> {
        self.machine.sink().packed = self.taken;
        if self.closed {
            return Ok(());
        }
        let mut rest = if self.ended { chunk.len() } else { self.unpack(chunk)? };
        self.behind.extend_from_slice(&chunk[chunk.len() - rest..]);
        while self.ended && self.behind.len() >= MAGIC {
            if !self.begin_another()? {
                self.closed = true;
                self.behind = Vec::new();
                return Ok(());
            }
            let member = std::mem::take(&mut self.behind);
            rest = self.unpack(&member)?;
            self.behind.extend_from_slice(&member[member.len() - rest..]);
        }
        Ok(())
    }

    /// Gets ready for another member, if that is what follows the last one.
    fn begin_another(&mut self) -> Result<bool, Trouble> {
        let zstd = |magic: &[u8]| {
            // RFC 8878 sections 3.1.1 and 3.1.2: a frame, or one to be skipped.
            magic == [0x28, 0xb5, 0x2f, 0xfd] || (magic[0] & 0xf0 == 0x50 && magic[1..] == [0x2a, 0x4d, 0x18])
        };
        match &mut self.machine {
            Machine::Gzip(decoder) if self.behind.starts_with(&[0x1f, 0x8b, 0x08]) => {
                decoder.try_finish().map_err(|error| trouble(decoder.get_ref(), &error))?;
                let sink = std::mem::take(decoder.get_mut());
                *decoder = flate2::write::GzDecoder::new(sink);
            }
            Machine::Zstd(decoder, _) if zstd(&self.behind[..MAGIC]) => *decoder = zstd_decoder()?,
            _ => return Ok(false),
        }
        self.members += 1;
        if self.members > MEMBERS {
            return Err(Trouble::Broken(format!("it is packed in more than {MEMBERS} pieces")));
        }
        self.ended = false;
        Ok(true)
    }

    /// Unpacks until the end of the chunk or of the member; how many bytes are left behind the latter.
    fn unpack(&mut self, chunk: &[u8]) -> Result<usize, Trouble> {
        let mut rest = chunk;
        match &mut self.machine {
            Machine::Undecided(..) => {}
            Machine::Plain(sink) => {
                sink.write_all(rest).map_err(|error| trouble(sink, &error))?;
                rest = &[];
            }
            Machine::Gzip(decoder) => {
                while !rest.is_empty() && !self.ended {
                    match decoder.write(rest) {
                        Ok(0) => self.ended = true,
                        Ok(taken) => rest = &rest[taken..],
                        Err(error) => return Err(trouble(decoder.get_ref(), &error)),
                    }
                }
            }
            Machine::Deflate(machine, sink) => {
                let mut out = Vec::with_capacity(STEP);
                while !self.ended {
                    let (before, room) = (machine.total_in(), out.capacity());
                    let status = machine
                        .decompress_vec(rest, &mut out, FlushDecompress::None)
                        .map_err(|error| Trouble::Broken(error.to_string()))?;
                    rest = &rest[(machine.total_in() - before) as usize..];
                    let full = out.len() == room;
                    sink.write_all(&out).map_err(|error| trouble(sink, &error))?;
                    out.clear();
                    self.ended = status == Status::StreamEnd;
                    if rest.is_empty() && !full {
                        break;
                    }
                }
            }
            Machine::Brotli(machine, sink) => {
                let mut out = vec![0; STEP];
                let (mut at, mut left, mut total) = (0, rest.len(), 0);
                while !self.ended {
                    let (mut room, mut made) = (out.len(), 0);
                    let result = BrotliDecompressStream(
                        &mut left, &mut at, rest, &mut room, &mut made, &mut out, &mut total, machine,
                    );
                    sink.write_all(&out[..made]).map_err(|error| trouble(sink, &error))?;
                    match result {
                        BrotliResult::ResultSuccess => self.ended = true,
                        BrotliResult::NeedsMoreOutput => {}
                        BrotliResult::NeedsMoreInput => break,
                        BrotliResult::ResultFailure => {
                            return Err(Trouble::Broken("it is no Brotli that browsers would read".to_owned()));
                        }
                    }
                }
                rest = &rest[at..];
            }
            Machine::Zstd(machine, sink) => {
                let mut out = vec![0; STEP];
                while !self.ended {
                    let step = machine.run_on_buffers(rest, &mut out)?;
                    rest = &rest[step.bytes_read..];
                    sink.write_all(&out[..step.bytes_written]).map_err(|error| trouble(sink, &error))?;
                    self.ended = step.remaining == 0;
                    if rest.is_empty() && step.bytes_written < out.len() {
                        break;
                    }
                }
            }
        }
        Ok(rest.len())
    }
}

fn zstd_decoder() -> std::io::Result<Zstd<'static>> {
    let mut decoder = Zstd::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
    Ok(decoder)
}

fn trouble(sink: &Sink, error: &std::io::Error) -> Trouble {
    sink.over.clone().unwrap_or_else(|| Trouble::Broken(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(encoding: Encoding, text: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::best();
        match encoding {
            Encoding::Identity => text.to_vec(),
            Encoding::Gzip => {
                let mut out = flate2::write::GzEncoder::new(Vec::new(), level);
                out.write_all(text).unwrap();
                out.finish().unwrap()
            }
            Encoding::Deflate => {
                let mut out = flate2::write::ZlibEncoder::new(Vec::new(), level);
                out.write_all(text).unwrap();
                out.finish().unwrap()
            }
            Encoding::Brotli => {
                let mut out = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
                out.write_all(text).unwrap();
                out.into_inner()
            }
            Encoding::Zstd => zstd::encode_all(text, 3).unwrap(),
        }
    }

    fn unpack(encoding: Encoding, body: &[u8], most: u64, step: usize) -> Result<Vec<u8>, Trouble> {
        let mut unpacker = Unpacker::new(encoding, most);
        for chunk in body.chunks(step) {
            unpacker.push(chunk)?;
        }
        unpacker.finish()
    }

    const ALL: [Encoding; 5] =
        [Encoding::Identity, Encoding::Gzip, Encoding::Deflate, Encoding::Brotli, Encoding::Zstd];

    fn sample() -> Vec<u8> {
        (0u32..40_000).flat_map(|n| format!("<item>{}</item>\n", n.wrapping_mul(2_654_435_761)).into_bytes()).collect()
    }

    #[test]
    fn every_encoding_comes_back_whole_in_any_pieces() {
        let text = sample();
        for encoding in ALL {
            for step in [1, 2, 7, 1000, usize::MAX] {
                let body = if step < 10 { &text[..2000] } else { &text[..] };
                let back = unpack(encoding, &packed(encoding, body), 10 << 20, step);
                assert!(back.as_deref() == Ok(body), "{encoding:?} in pieces of {step}");
            }
            assert_eq!(unpack(encoding, &[], 100, 1), Ok(Vec::new()), "{encoding:?}, empty");
        }
    }

    #[test]
    fn a_cut_body_is_not_a_whole_one() {
        let text = sample();
        for encoding in &ALL[1..] {
            let body = packed(*encoding, &text);
            for cut in [body.len() / 2, body.len() - 1] {
                let result = unpack(*encoding, &body[..cut], 10 << 20, 1000);
                assert!(matches!(result, Err(Trouble::Broken(_))), "{encoding:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn caps_hold_before_and_after_unpacking() {
        let text = sample();
        for encoding in ALL {
            assert_eq!(
                unpack(encoding, &packed(encoding, &text), 50_000, 1000),
                Err(Trouble::TooLarge),
                "{encoding:?}"
            );
        }
        let zeros = vec![b' '; 8 << 20];
        for encoding in &ALL[1..] {
            for step in [1000, usize::MAX] {
                let bomb = unpack(*encoding, &packed(*encoding, &zeros), 1 << 30, step);
                assert_eq!(bomb, Err(Trouble::Bomb), "{encoding:?} in pieces of {step}");
            }
        }
    }

    #[test]
    fn the_beginning_of_a_body_can_be_had() {
        let text = sample();
        for encoding in ALL {
            let mut unpacker = Unpacker::new(encoding, 50_000);
            let body = packed(encoding, &text);
            assert!(body.chunks(1000).any(|chunk| unpacker.push(chunk) == Err(Trouble::TooLarge)), "{encoding:?}");
            let length = unpacker.unpacked();
            let begin = unpacker.so_far();
            assert!(begin.len() == length && length <= 50_000 && text.starts_with(&begin), "{encoding:?}: {length}");
        }
    }

    #[test]
    fn a_body_of_several_members_is_all_of_them() {
        let text = sample();
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let many: Vec<u8> = text.chunks(100_000).flat_map(|part| packed(encoding, part)).collect();
            for step in [7, 1000, usize::MAX] {
                assert!(unpack(encoding, &many, 10 << 20, step).as_deref() == Ok(&text[..]), "{encoding:?} by {step}");
            }
            let mut behind = many.clone();
            behind.extend_from_slice(b"\r\n\r\n0");
            assert!(unpack(encoding, &behind, 10 << 20, 999).as_deref() == Ok(&text[..]), "bytes after the end");
            assert!(unpack(encoding, &many[..many.len() - 9], 10 << 20, 999).is_err(), "the last one is cut");
            let bomb = packed(encoding, &vec![b' '; 700 << 10]).repeat(8);
            assert_eq!(unpack(encoding, &bomb, 1 << 30, usize::MAX), Err(Trouble::Bomb), "many small bombs");
            let crumbs = packed(encoding, b"x").repeat(MEMBERS + 1);
            assert!(matches!(unpack(encoding, &crumbs, 10 << 20, 999), Err(Trouble::Broken(_))), "{encoding:?}");
        }
    }

    #[test]
    fn a_window_that_wants_a_gigabyte_is_refused() {
        let parameters = brotli::enc::BrotliEncoderParams {
            large_window: true,
            lgwin: 30,
            quality: 5,
            ..brotli::enc::BrotliEncoderParams::default()
        };
        let mut body = Vec::new();
        brotli::BrotliCompress(&mut &sample()[..], &mut body, &parameters).unwrap();
        assert!(matches!(unpack(Encoding::Brotli, &body, 10 << 20, 1000), Err(Trouble::Broken(_))));
        let mut wide = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
        wide.window_log(27).unwrap();
        wide.write_all(&sample()).unwrap();
        assert!(matches!(unpack(Encoding::Zstd, &wide.finish().unwrap(), 10 << 20, 1000), Err(Trouble::Broken(_))));
    }

    #[test]
    fn what_servers_get_wrong_is_read_all_the_same() {
        let text = sample();
        let gzip = packed(Encoding::Gzip, &text);
        assert!(unpack(Encoding::Gzip, &text, 10 << 20, 999).as_deref() == Ok(&text[..]), "gzip announced, text sent");
        assert!(unpack(Encoding::Identity, &gzip, 10 << 20, 999).as_deref() == Ok(&text[..]), "gzip without a word");
        let mut garbage = gzip.clone();
        garbage.extend_from_slice(b"\r\n\r\n0");
        assert!(unpack(Encoding::Gzip, &garbage, 10 << 20, 999).as_deref() == Ok(&text[..]), "bytes after the end");
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        raw.write_all(&text).unwrap();
        let raw = raw.finish().unwrap();
        assert!(unpack(Encoding::Deflate, &raw, 10 << 20, 999).as_deref() == Ok(&text[..]), "raw deflate");
    }

    #[test]
    fn nested_and_unknown_encodings_are_refused() {
        for (header, read) in [
            ("gzip", Some(Encoding::Gzip)),
            ("X-GZIP", Some(Encoding::Gzip)),
            ("", Some(Encoding::Identity)),
            ("identity, br", None),
            ("br, identity", Some(Encoding::Brotli)),
            ("gzip, gzip", None),
            ("gzip, br", None),
            ("compress", None),
        ] {
            assert_eq!(Encoding::read(header), read, "{header}");
        }
    }
}
