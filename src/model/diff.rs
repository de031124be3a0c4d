//! What one text has and another has not, in pieces that people can read: by character in Chinese, Japanese and Korean, by
//! word elsewhere.
//!
//! Sentences are compared first, and only what differs between them is looked at more closely: so a text with its
//! paragraphs turned around costs no more than one with a character lost. Width, case and script (traditional or
//! simplified) count as no difference: they say nothing about what was told.

use std::fmt::Write as _;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use super::fold::plain;

/// A stretch of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Both have it, as the second writes it.
    Same(String),
    /// Only the first has it.
    Cut(String),
    /// Only the second has it.
    Added(String),
}

/// The difference between two texts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Diff {
    /// Stretches in order; two beside each other are never of a kind.
    pub pieces: Vec<Piece>,
    /// Characters of the first text, without blanks.
    pub of: usize,
    /// Characters that only the first has, without blanks.
    pub cut: usize,
    /// Characters that only the second has, without blanks.
    pub added: usize,
}

/// A stretch of one text, and what another text has in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it stands, in bytes of the one; empty where the other has something more.
    pub at: Range<usize>,
    /// What the other has there; empty where it has nothing.
    pub words: String,
}

/// The changes that make `to` of `from`, in order, as far as both are compared.
#[must_use]
pub fn changes(from: &str, to: &str) -> Vec<Change> {
    let begun = beginning(from, to);
    let (from, to) = (tokens(from, begun), tokens(to, begun));
    let (mine, theirs): (Vec<&Plain>, Vec<&Plain>) =
        (from.iter().map(|token| &token.plain).collect(), to.iter().map(|token| &token.plain).collect());
    let place = |range: Range<usize>| match from.get(range.clone()).unwrap_or_default() {
        [] => {
            let before = from[..range.start].last().map_or(begun, |token| token.at.end);
            before..before
        }
        [only] => only.at.clone(),
        [first, .., last] => first.at.start..last.at.end,
    };
    let mut changes = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &mine, &theirs) {
        if !matches!(op, DiffOp::Equal { .. }) {
            let words = to[op.new_range()].iter().map(|token| token.text).collect();
            changes.push(Change { at: place(op.old_range()), words });
        }
    }
    changes
}

/// How many bytes two texts have alike up to a character that is a word of its own: nothing there depends on what follows.
fn beginning(one: &str, other: &str) -> usize {
    let alike = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let whole = (0..=alike).rev().find(|at| one.is_char_boundary(*at)).unwrap_or_default();
    let last = one[..whole].char_indices().rfind(|(_, c)| alone(*c));
    last.map_or(0, |(at, c)| at + c.len_utf8())
}

/// So many characters of each text are compared.
pub const COMPARED: usize = 12_000;
/// Sentences that differ are compared word by word up to so many words or characters on each side; beyond it they count
/// as replaced.
const CLOSELY: usize = 1_200;
/// A common stretch shorter than this, in words or characters, behind what was replaced only tears a difference apart.
const SCRAP: usize = 2;

/// Lines shown around a changed one.
const CONTEXT: usize = 3;

/// What has to be done to one file to get another, in the form that `patch` reads (POSIX diff -u). Empty if nothing.
#[must_use]
pub fn unified(name: &str, before: &str, after: &str) -> String {
    let lines = |text| -> Vec<&str> { str::split_inclusive(text, '\n').collect() };
    let (old, new) = (lines(before), lines(after));
    let mut out = String::new();
    let mut put = |mark: char, lines: &[&str]| {
        for line in lines {
            let end = if line.ends_with('\n') { "" } else { "\n\\ No newline at end of file\n" };
            // Writing to a String cannot fail.
            let _ = write!(out, "{mark}{line}{end}");
        }
    };
    let hunks = group_diff_ops(capture_diff_slices(Algorithm::Myers, &old, &new), CONTEXT);
    for hunk in hunks {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let (from, to) = (first.old_range().start..last.old_range().end, first.new_range().start..last.new_range().end);
        // A range without lines is named by the line before it.
        let place = |range: &std::ops::Range<usize>| match range.len() {
            0 => format!("{},0", range.start),
            count => format!("{},{count}", range.start + 1),
        };
        put('@', &[&format!("@ -{} +{} @@\n", place(&from), place(&to))]);
        for op in hunk {
            let (cut, added) = (&old[op.old_range()], &new[op.new_range()]);
            if matches!(op, DiffOp::Equal { .. }) {
                put(' ', cut);
            } else {
                put('-', cut);
                put('+', added);
            }
        }
    }
    if out.is_empty() { out } else { format!("--- {name}\n+++ {name}\n{out}") }
}

impl Diff {
    /// What `to` cut from `from` and added to it.
    #[must_use]
    pub fn between(from: &str, to: &str) -> Self {
        let (from, to) = (tokens(from, 0), tokens(to, 0));
        let (mine, theirs) = (sentences(&from), sentences(&to));
        let keys = |text: &[&[Token]]| text.iter().map(|sentence| key(sentence)).collect::<Vec<_>>();
        let mut marked: Vec<(Mark, &Token<'_>)> = Vec::new();
        for op in capture_diff_slices(Algorithm::Myers, &keys(&mine), &keys(&theirs)) {
            let (old, new) = (mine[op.old_range()].concat_ref(), theirs[op.new_range()].concat_ref());
            match op {
                DiffOp::Equal { .. } => marked.extend(new.into_iter().map(|token| (Mark::Same, token))),
                _ if old.len() <= CLOSELY && new.len() <= CLOSELY => closely(&old, &new, &mut marked),
                _ => {
                    marked.extend(old.into_iter().map(|token| (Mark::Cut, token)));
                    marked.extend(new.into_iter().map(|token| (Mark::Added, token)));
                }
            }
        }
        let of = from.iter().map(Token::weight).sum();
        Self::of(runs(marked), of)
    }

    fn of(runs: Vec<Run<'_, '_>>, of: usize) -> Self {
        let mut diff = Self { of, ..Self::default() };
        let text = |tokens: &[&Token<'_>]| tokens.iter().map(|token| token.text).collect::<String>();
        let weight = |tokens: &[&Token<'_>]| tokens.iter().map(|token| token.weight()).sum::<usize>();
        for run in runs {
            match run {
                Run::Same(tokens) if tokens.is_empty() => {}
                Run::Same(tokens) => diff.pieces.push(Piece::Same(text(&tokens))),
                Run::Changed(cut, added) => {
                    diff.cut += weight(&cut);
                    diff.added += weight(&added);
                    if weight(&cut) > 0 {
                        diff.pieces.push(Piece::Cut(text(&cut)));
                    }
                    if weight(&added) > 0 {
                        diff.pieces.push(Piece::Added(text(&added)));
                    }
                }
            }
        }
        diff
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cut == 0 && self.added == 0
    }

    /// Whether nearly nothing is left of the first text: less than a fifth.
    #[must_use]
    pub fn is_other(&self) -> bool {
        self.of > 0 && self.cut * 5 > self.of * 4
    }

    /// The pieces, with long common stretches shortened to `context` characters beside a difference, and no more than
    /// `budget` characters of the texts in all.
    #[must_use]
    pub fn excerpt(&self, context: usize, mut budget: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let last = self.pieces.len().saturating_sub(1);
        for (index, piece) in self.pieces.iter().enumerate() {
            let piece = match piece {
                Piece::Same(text) => Piece::Same(shortened(text, context, index > 0, index < last)),
                other => other.clone(),
            };
            let (Piece::Same(text) | Piece::Cut(text) | Piece::Added(text)) = &piece;
            let length = text.chars().count();
            if length <= budget {
                budget -= length;
                pieces.push(piece);
                continue;
            }
            let clipped = |text: &str| text.chars().take(budget).chain(['…']).collect::<String>();
            pieces.push(match &piece {
                Piece::Same(text) => Piece::Same(clipped(text)),
                Piece::Cut(text) => Piece::Cut(clipped(text)),
                Piece::Added(text) => Piece::Added(clipped(text)),
            });
            break;
        }
        pieces
    }
}

/// The stretch with its middle left out: `head` and `tail` say on which side a difference stands.
fn shortened(text: &str, context: usize, head: bool, tail: bool) -> String {
    let count = text.chars().count();
    let (before, after) = (if head { context } else { 0 }, if tail { context } else { 0 });
    if count <= before + after + 1 {
        return text.to_owned();
    }
    text.chars().take(before).chain(['…']).chain(text.chars().skip(count - after)).collect()
}

/// A word, a Chinese character, a mark, or blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token<'t> {
    /// As written; blanks of any kind and number are one.
    text: &'t str,
    /// By which it is compared.
    plain: Plain,
    /// Where it stands, in bytes.
    at: Range<usize>,
}

/// A token in its plain form. Most are one character, and need no string.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Plain {
    One(char),
    More(String),
}

impl Plain {
    const BLANK: Self = Self::One(' ');

    fn push(&mut self, letter: char) {
        match self {
            Self::One(first) => *self = Self::More([*first, letter].iter().collect()),
            Self::More(word) => word.push(letter),
        }
    }
}

impl Token<'_> {
    fn weight(&self) -> usize {
        self.text.chars().filter(|c| !c.is_whitespace()).count()
    }
}

/// Whether a character is a word of its own.
const fn alone(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The tokens of a text from this byte on.
fn tokens(text: &str, begun: usize) -> Vec<Token<'_>> {
    let rest = &text[begun..];
    let mut tokens: Vec<Token<'_>> = Vec::with_capacity(rest.len().min(COMPARED) / 3);
    let mut open = false;
    for (at, c) in rest.char_indices().map(|(at, c)| (begun + at, c)).take(COMPARED) {
        let end = at + c.len_utf8();
        let blank = c.is_whitespace();
        let word = c.is_alphanumeric() && !alone(c) || matches!(c, '\u{300}'..='\u{36f}');
        let goes_on = open && (word || blank);
        match tokens.last_mut() {
            Some(token) if goes_on && blank == (token.plain == Plain::BLANK) => {
                token.at.end = end;
                if word {
                    token.text = &text[token.at.clone()];
                    token.plain.push(plain(c));
                }
            }
            _ if blank => tokens.push(Token { text: " ", plain: Plain::BLANK, at: at..end }),
            _ => tokens.push(Token { text: &text[at..end], plain: Plain::One(plain(c)), at: at..end }),
        }
        open = word || blank;
    }
    tokens
}

/// Whether a sentence ends here.
fn ends(token: &Token<'_>) -> bool {
    matches!(token.plain, Plain::One('。' | '!' | '?' | ';' | '.' | '！' | '？' | '；'))
}

fn sentences<'s, 't>(tokens: &'s [Token<'t>]) -> Vec<&'s [Token<'t>]> {
    tokens.split_inclusive(ends).collect()
}

fn key(sentence: &[Token<'_>]) -> String {
    let mut key = String::new();
    for token in sentence.iter().filter(|token| token.plain != Plain::BLANK) {
        match &token.plain {
            Plain::One(letter) => key.push(*letter),
            Plain::More(word) => key.push_str(word),
        }
    }
    key
}

trait Concat<'a, 't> {
    fn concat_ref(&self) -> Vec<&'a Token<'t>>;
}

impl<'a, 't> Concat<'a, 't> for [&'a [Token<'t>]] {
    fn concat_ref(&self) -> Vec<&'a Token<'t>> {
        self.iter().flat_map(|sentence| sentence.iter()).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Same,
    Cut,
    Added,
}

fn closely<'a, 't>(old: &[&'a Token<'t>], new: &[&'a Token<'t>], marked: &mut Vec<(Mark, &'a Token<'t>)>) {
    let (mine, theirs): (Vec<&Plain>, Vec<&Plain>) =
        (old.iter().map(|token| &token.plain).collect(), new.iter().map(|token| &token.plain).collect());
    for op in capture_diff_slices(Algorithm::Myers, &mine, &theirs) {
        if matches!(op, DiffOp::Equal { .. }) {
            marked.extend(new[op.new_range()].iter().map(|token| (Mark::Same, *token)));
        } else {
            marked.extend(old[op.old_range()].iter().map(|token| (Mark::Cut, *token)));
            marked.extend(new[op.new_range()].iter().map(|token| (Mark::Added, *token)));
        }
    }
}

/// Tokens of a kind beside each other.
enum Run<'a, 't> {
    Same(Vec<&'a Token<'t>>),
    /// Cut and added.
    Changed(Vec<&'a Token<'t>>, Vec<&'a Token<'t>>),
}

/// Gathers marked tokens into runs; scraps of common text between two differences join them.
fn runs<'a, 't>(marked: Vec<(Mark, &'a Token<'t>)>) -> Vec<Run<'a, 't>> {
    let mut runs: Vec<Run<'a, 't>> = Vec::new();
    for (mark, token) in marked {
        match (mark, runs.last_mut()) {
            (Mark::Same, Some(Run::Same(tokens))) => tokens.push(token),
            (Mark::Same, _) => runs.push(Run::Same(vec![token])),
            (Mark::Cut, Some(Run::Changed(cut, _))) => cut.push(token),
            (Mark::Added, Some(Run::Changed(_, added))) => added.push(token),
            (Mark::Cut, _) => runs.push(Run::Changed(vec![token], Vec::new())),
            (Mark::Added, _) => runs.push(Run::Changed(Vec::new(), vec![token])),
        }
    }
    let mut tidy: Vec<Run<'a, 't>> = Vec::new();
    let count = runs.len();
    for (index, run) in runs.into_iter().enumerate() {
        let scrap = |tokens: &[&Token<'_>]| tokens.iter().filter(|token| token.plain != Plain::BLANK).count() < SCRAP;
        match (run, tidy.last_mut()) {
            (Run::Same(tokens), Some(Run::Changed(cut, added)))
                if index + 1 < count && scrap(&tokens) && !cut.is_empty() && !added.is_empty() =>
            {
                cut.extend(&tokens);
                added.extend(&tokens);
            }
            (Run::Changed(more, further), Some(Run::Changed(cut, added))) => {
                cut.extend(more);
                added.extend(further);
            }
            (run, _) => tidy.push(run),
        }
    }
    whole_sentences(&mut tidy);
    tidy
}

/// Of a sentence that was cut or added as a whole, the mark at its end is its own, and not that of the sentence before.
fn whole_sentences(runs: &mut [Run<'_, '_>]) {
    for index in 1..runs.len().saturating_sub(1) {
        let [Run::Same(before), Run::Changed(cut, added), Run::Same(after)] = &mut runs[index - 1..=index + 1] else {
            continue;
        };
        let run = match (cut.is_empty(), added.is_empty()) {
            (false, true) => cut,
            (true, false) => added,
            _ => continue,
        };
        if !after.is_empty() && ends(run[0]) && run[0].plain == after[0].plain {
            before.push(run.remove(0));
            run.push(after.remove(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(from: &str, to: &str) -> String {
        let pieces = Diff::between(from, to).pieces.into_iter().map(|piece| match piece {
            Piece::Same(text) => text,
            Piece::Cut(text) => format!("[-{text}-]"),
            Piece::Added(text) => format!("{{+{text}+}}"),
        });
        pieces.collect()
    }

    /// (what, from, to, difference)
    const CASES: &[(&str, &str, &str, &str)] = &[
        ("nothing", "许昌出台十条措施。", "许昌出台十条措施。", "许昌出台十条措施。"),
        ("a character lost", "提高水平和平台能力。", "提高水和台能力。", "提高水[-平-]和[-平-]台能力。"),
        (
            "a number changed",
            "投资146.9亿元，增长6.5%。",
            "投资146.9亿元，增长65%。",
            "投资146.9亿元，增长[-6.5-]{+65+}%。",
        ),
        ("cut off", "首班五点半。末班十点。票价不变。", "首班五点半。", "首班五点半。[-末班十点。票价不变。-]"),
        (
            "a sentence less",
            "首班五点半，末班十点。票价不变。请准备零钱。",
            "首班五点，末班十点。请准备零钱。",
            "首班五点[-半-]，末班十点。[-票价不变。-]请准备零钱。",
        ),
        (
            "the end of a text, a character changed before",
            "首班五点半，末班十点。票价不变。",
            "首班五点，末班十点。",
            "首班五点[-半-]，末班十点。[-票价不变。-]",
        ),
        (
            "an advertisement in it",
            "首班五点半。末班十点。",
            "首班五点半。加微信领红包！末班十点。",
            "首班五点半。{+加微信领红包！+}末班十点。",
        ),
        ("width, case and script are no difference", "ABC公司，發展", "abc公司,发展", "abc公司,发展"),
        (
            "words",
            "The council meets on Monday at noon.",
            "The council meets on Tuesday at noon.",
            "The council meets on [-Monday-]{+Tuesday+} at noon.",
        ),
        ("blanks", "The  council\n meets.", "The council meets.", "The council meets."),
        ("a scrap between differences", "甲乙丙丁戊", "子乙寅卯戊", "[-甲乙丙丁-]{+子乙寅卯+}戊"),
        ("everything", "春风", "秋雨", "[-春风-]{+秋雨+}"),
        ("from nothing", "", "秋雨", "{+秋雨+}"),
        ("to nothing", "春风", "", "[-春风-]"),
    ];

    #[test]
    fn differences_are_readable() {
        for (what, from, to, expected) in CASES {
            assert_eq!(drawn(from, to), *expected, "{what}");
        }
        assert!(Diff::between("a b", "a  b").is_empty());
        assert!(Diff::between("春风又绿江南岸", "明月何时照我还").is_other());
    }

    #[test]
    fn only_blanks_are_blank_in_their_plain_form() {
        let all = (0..=u32::from(char::MAX)).filter_map(char::from_u32);
        assert!(all.filter(|c| !c.is_whitespace()).all(|c| plain(c) != ' '));
    }

    #[test]
    fn changes_have_their_place() {
        for (from, to) in [
            ("提高水和台能力。", "提高水平和平台能力。"),
            ("The re brigade's ofce, closed", "The fire brigade's office, closed"),
            ("增长6 5%，见图", "增长6.5%"),
            ("", "都是新的"),
            ("都没有了", ""),
            ("a  b\nc", "a b c"),
        ] {
            let mut made = from.to_owned();
            for change in changes(from, to).into_iter().rev() {
                made.replace_range(change.at, &change.words);
            }
            let blanks = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(blanks(&made), blanks(to), "{from}");
        }
    }

    #[test]
    fn figures_and_excerpts() {
        let (whole, cut) =
            ("首班五点半，沿途停靠九站。末班十点，全程四十分钟。票价不变。", "首班五点半，沿途停靠九站。");
        let diff = Diff::between(whole, cut);
        assert_eq!((diff.of, diff.cut, diff.added), (30, 17, 0));
        assert_eq!(
            diff.excerpt(3, 100),
            [Piece::Same("…九站。".into()), Piece::Cut("末班十点，全程四十分钟。票价不变。".into())]
        );
        assert_eq!(diff.excerpt(3, 8), [Piece::Same("…九站。".into()), Piece::Cut("末班十点…".into())]);
        assert_eq!(diff.excerpt(3, 0), [Piece::Same("…".into())]);
        assert_eq!(Diff::between("", "").excerpt(3, 9), []);
    }

    #[test]
    fn long_texts_with_nothing_in_common_are_compared_in_no_time() {
        let one: String = (0..COMPARED).map(|n| char::from_u32(0x4e00 + n as u32 * 7 % 9_000).unwrap()).collect();
        let other: String = (0..COMPARED).map(|n| char::from_u32(0x4e00 + n as u32 * 11 % 9_000).unwrap()).collect();
        let diff = Diff::between(&one, &other);
        assert_eq!((diff.cut, diff.added), (COMPARED, COMPARED));
        let marked: Vec<String> = (0..COMPARED / 2).map(|n| format!("{}。", one.chars().nth(n).unwrap())).collect();
        assert!(Diff::between(&marked.concat(), &other).cut > 0);
    }
}
