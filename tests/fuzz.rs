//! The fuzz targets over their seeds and over some hundreds of changed ones, the same on every run: what libFuzzer does for
//! hours (`tests/fuzz/README.md`), in seconds.

// A target fails by panicking, and a seed that cannot be read is a failed test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[path = "fuzz/hostile.rs"]
mod hostile;
#[path = "fuzz/target.rs"]
mod target;

/// Changed inputs that each target gets; `FUZZ_CHANGED=10000 cargo test --test fuzz` makes more.
const CHANGED: usize = 150;

/// Longest input that is made: large documents are the business of `hostile`.
const LONGEST: usize = 6_000;

/// Fixtures that are seeds too.
const FIXTURES: [(&str, &[&str]); 6] = [
    ("article", &["tests/wire/article"]),
    ("feed", &["tests/wire/rss", "tests/wire/atom", "tests/wire/rdf", "tests/wire/cdf", "tests/wire/broken"]),
    ("json", &["tests/wire/api", "tests/wire/json"]),
    ("page", &["tests/wire/page"]),
    ("settings", &["tests/config"]),
    ("sitemap", &["tests/wire/sitemap"]),
];

/// Pieces of what documents are made of, to be put in anywhere.
const PIECES: [&[u8]; 40] = [
    b"<",
    b">",
    b"</",
    b"/>",
    b"&",
    b"&amp;",
    b"&#0;",
    b"&#xd83d;",
    b"&lt;p&gt;",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"-->",
    b"<?xml",
    b"?>",
    b"<!DOCTYPE",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b"'",
    b"=",
    b",",
    b":",
    b"\\u",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xe8\xae",
    "许昌".as_bytes(),
    "（".as_bytes(),
    b"@",
    b"<item>",
    b"</title>",
    b"xmlns:",
    b"<table>",
    b"<svg>",
    b"9999999999999999999999",
    b"-1",
];

/// xorshift64* (Vigna 2016).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % sides.max(1)
    }

    /// A place in a text, and the end of a short piece from there.
    fn span(&mut self, length: usize) -> (usize, usize) {
        let begin = self.roll(length + 1);
        (begin, (begin + self.roll(40)).min(length))
    }
}

/// One to four changes at places that the dice choose.
fn changed(seed: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    if bytes.len() > LONGEST {
        let begin = dice.roll(bytes.len() - LONGEST);
        bytes = bytes[begin..begin + LONGEST].to_vec();
    }
    for _ in 0..=dice.roll(4) {
        let (begin, end) = dice.span(bytes.len());
        match dice.roll(8) {
            0 => drop(bytes.drain(begin..end)),
            1 => {
                let piece = bytes[begin..end].repeat(1 + dice.roll(20));
                bytes.splice(begin..begin, piece);
            }
            2 => bytes.truncate(end),
            3 => {
                let (from, to) = dice.span(other.len());
                bytes.splice(begin..end, other[from..to].iter().copied());
            }
            4 if begin < bytes.len() => bytes[begin] ^= 1 << dice.roll(8),
            5 if begin < bytes.len() => bytes[begin] = dice.roll(256) as u8,
            _ => {
                let piece = PIECES[dice.roll(PIECES.len())];
                bytes.splice(begin..begin, piece.iter().copied());
            }
        }
    }
    bytes
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.extension().is_some_and(|kind| kind != "expect") {
            found.insert(path);
        }
    }
    found
}

/// Runs a target over its seeds and what is made of them. Prints the input's origin when it fails.
fn run(name: &str) {
    let (_, target) = target::TARGETS.into_iter().find(|(known, _)| *known == name).unwrap();
    let mut paths = files(&Path::new("tests/fuzz/seeds").join(name));
    for (_, folders) in FIXTURES.iter().filter(|(of, _)| *of == name) {
        folders.iter().for_each(|folder| paths.extend(files(Path::new(folder))));
    }
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    for (path, seed) in paths.iter().zip(&seeds) {
        guarded(target, seed, &path.display().to_string());
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let changes = std::env::var("FUZZ_CHANGED").ok().and_then(|number| number.parse().ok()).unwrap_or(CHANGED);
    for round in 0..changes {
        let at = round % seeds.len();
        let input = changed(&seeds[at], &seeds[dice.roll(seeds.len())], &mut dice);
        guarded(target, &input, &format!("change {round}, of {}", paths.iter().nth(at).unwrap().display()));
    }
}

/// Says which input it was, and leaves it where it can be looked at.
fn guarded(target: target::Target, input: &[u8], origin: &str) {
    let result = std::panic::catch_unwind(|| target(input));
    if let Err(panic) = result {
        let kept = std::env::temp_dir().join(format!("citydesk-fuzz-{}", std::process::id()));
        std::fs::write(&kept, input).unwrap();
        eprintln!("the input was {origin}; it is in {}", kept.display());
        std::panic::resume_unwind(panic);
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_run() {
            let known: Vec<&str> = target::TARGETS.into_iter().map(|(name, _)| name).collect();
            assert_eq!(known, [$(stringify!($name)),*]);
        }
    };
}

targets!(article charset dates feed frames html json opml page query settings sitemap);

/// How large the hostile documents are here; `cargo bench --bench reading -- hostile` reads them in full size.
const HOSTILE: usize = 200_000;

/// Processor time that each may take, in milliseconds, unoptimised and checked both ways: what grows with the square of a
/// document takes many times this.
const PATIENCE: u64 = 12_000;

/// Processor time of this thread in milliseconds; where that is not told, none.
fn spent() -> u64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    spent.split(' ').next().and_then(|spent| spent.parse::<u64>().ok()).unwrap_or_default() / 1_000_000
}

/// On a stack as large as the threads have that read for the poll.
#[test]
fn hostile_documents_cost_little() {
    let run = || {
        for hostile::Hostile { name, kind, body } in hostile::documents(HOSTILE) {
            let begun = spent();
            target::document(kind, &body);
            let taken = spent() - begun;
            assert!(taken < PATIENCE, "{name}: {taken} ms");
        }
    };
    let thread = std::thread::Builder::new().stack_size(citydesk::poll::parsers::STACK).spawn(run).unwrap();
    assert!(thread.join().is_ok(), "see above");
}
