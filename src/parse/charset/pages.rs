//! Code pages that browsers do not read and encoding_rs does not have: of DOS, of old Macintoshes, of mainframes.

/// One line a page: name, other labels, and behind a tab its characters. `generate.py` beside it says from where.
const PAGES: &str = include_str!("pages.txt");

/// First byte of a page of mainframes that stands for a character; below are controls.
const FIRST_EBCDIC: u8 = 0x40;

/// A code page: one byte, one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// Its name, as `cp437`.
    pub name: &'static str,
    characters: &'static str,
}

impl Page {
    /// By its label in lower case, letters and digits only (`ibm437`).
    pub(super) fn of(label: &str) -> Option<Self> {
        PAGES.lines().find_map(|line| {
            let (labels, characters) = line.split_once('\t')?;
            labels.split(' ').skip(1).any(|known| known == label).then_some(())?;
            Some(Self { name: labels.split(' ').next()?, characters })
        })
    }

    /// Whether it is one of mainframes, in which no byte means what it means in ASCII.
    pub(super) fn is_ebcdic(self) -> bool {
        self.characters.chars().count() > 128
    }

    /// Text, and how many bytes stand for nothing.
    pub(super) fn decode(self, body: &[u8]) -> (String, usize) {
        let characters: Vec<char> = self.characters.chars().collect();
        let ebcdic = self.is_ebcdic();
        let first = if ebcdic { FIRST_EBCDIC } else { 0x80 };
        let mut damaged = 0;
        let text = body.iter().map(|byte| match byte.checked_sub(first) {
            Some(at) => {
                let c = characters.get(usize::from(at)).copied().unwrap_or(char::REPLACEMENT_CHARACTER);
                damaged += usize::from(c == char::REPLACEMENT_CHARACTER);
                c
            }
            None if !ebcdic => char::from(*byte),
            // Newline, line feed and tab of EBCDIC; the other controls mean nothing in a text.
            None => match byte {
                0x15 | 0x25 => '\n',
                0x05 => '\t',
                _ => ' ',
            },
        });
        (text.collect(), damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_found_by_any_of_their_labels() {
        for (label, byte, expected) in [
            ("cp437", 0x80, 'Ç'),
            ("ibm866", 0x80, '-'),
            ("1125", 0x80, 'А'),
            ("koi8t", 0x80, 'қ'),
            ("maccentraleurope", 0x81, 'Ā'),
            ("csibm037", 0x4c, '<'),
            ("ebcdiccpbe", 0x80, 'Ø'),
            ("viscii", 0x80, 'Ạ'),
        ] {
            let found = Page::of(label).and_then(|page| page.decode(&[byte]).0.chars().next()).unwrap_or('-');
            assert_eq!(found, expected, "{label}");
        }
        assert_eq!(Page::of("cp437").unwrap().decode(b"a\x81\xff").0, "aü\u{a0}");
        assert_eq!(Page::of("cp856").unwrap().decode(b"\x9b").1, 1);
    }

    #[test]
    fn every_page_is_whole() {
        for line in PAGES.lines() {
            let count = line.split_once('\t').unwrap().1.chars().count();
            assert!(count == 128 || count == 192, "{line}: {count}");
        }
    }
}
