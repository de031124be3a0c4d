//! What happened to a text on its way: signs that a copy shows by itself, and signs that show beside another copy.
//!
//! Republishers cut texts, lose a character wherever it stands, lose decimal points, convert the script by half, put the
//! reading behind a character, splice advertisements between sentences, and leave their page's furniture in the text. A
//! sign is a fact about one text; what follows from it is decided in [`super::shown`].
//!
//! **By itself** a copy shows:
//!
//! * that it was cut: `…` or `...更多` at the end of headline or text; or no text at all;
//! * replacement characters, or bytes read in the wrong character set, of any script;
//! * a common character that a long text does not hold once: it is so common that eight were to be expected, and a text
//!   without any is met once in three thousand. Or one that the headline has and the text lost: nowhere in it, while what
//!   stands around it there stands side by side here;
//! * a lost decimal point: `6 5%`, `146 9亿元`;
//! * readings in brackets behind characters, twice or more: 泉(quan)州;
//! * two scripts in one: a conversion to traditional characters that missed some;
//! * furniture of a page and calls to its readers: 字号, 上一篇, 扫码关注; a site's name at the headline.
//!
//! **Beside another copy** it shows:
//!
//! * a character that it lost: the other has it, it has it nowhere, and the characters around it stand side by side; or a
//!   ligature: the other's words have it, and the same words stand here without. One alone in brackets is a mark: （完）;
//! * that it is a part: its words stand in the other, which claims to be no later and has a twelfth more. A later one may
//!   have added something: beside it, a text is a part only if it ends amid a sentence and lacks three tenths;
//! * words put in front of the beginning of an earlier copy: 据悉; or in the place of its first sentences, which it lacks;
//! * a blank between figures where the other has a decimal point; a script converted by half, the other being of one;
//! * an insertion: a stretch between sentences that the other copy closes without a gap, and that stands in brackets as a
//!   whole, is marked as an advertisement, calls the reader, or says the headline again. Any other stretch may be one that
//!   the other copy lost.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use super::headline::{Alike, alike, is_cut};
use crate::model::fold::{fold, placed, traditional};
use crate::model::headline::{bare, signed};
use crate::model::shingle::{LEAST, weight};
use crate::model::spread::BySpread;

/// A sign of damage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// There is no text.
    Textless,
    /// Headline or text end in an ellipsis.
    Cut,
    /// Characters that stand for bytes nobody could read.
    Unreadable,
    /// A character is missing wherever it should stand.
    Lost(char),
    /// A number has lost its decimal point.
    Point,
    /// Readings stand in brackets behind characters.
    Readings,
    /// Traditional and simplified characters in one text.
    Scripts,
    /// A page's furniture or a call to its readers stands in the text.
    Furniture(&'static str),
    /// A site's name stands at the headline.
    Signed,
    /// It is a part of another copy.
    Part,
    /// Some words were put in front of the other copy's beginning, or in the place of its first ones.
    Opening,
    /// A stretch that the other copy does not have stands between its sentences.
    Insertion(String),
}

impl Sign {
    /// How bad it is: what a reader cannot do without weighs most.
    #[must_use]
    pub const fn weight(&self) -> u8 {
        match self {
            Self::Textless => 8,
            Self::Cut | Self::Unreadable => 4,
            Self::Part => 3,
            Self::Lost(_) | Self::Point | Self::Readings | Self::Scripts | Self::Insertion(_) => 2,
            Self::Furniture(_) | Self::Signed | Self::Opening => 1,
        }
    }
}

/// Damage from which on a copy is worth less than a whole one of any producer: nothing to read, or half of it.
pub const SEVERE: u8 = 4;

/// Characters of Chinese news, each with how many of 10,000 it is at least in texts of every kind (counted low: of the
/// frequency lists of modern Chinese the smaller figure, rounded down).
const COMMON: &[(char, usize)] = &[
    ('的', 300),
    ('一', 90),
    ('在', 90),
    ('人', 60),
    ('中', 60),
    ('有', 60),
    ('大', 50),
    ('国', 50),
    ('年', 50),
    ('会', 40),
];
/// So many of a common character were to be expected where its absence says something.
const EXPECTED: usize = 8;
/// A body so long, in Han characters, repeats the words of its headline.
const BODY: usize = 200;

/// What pages write around a text, and to their readers; each is furniture of many sites and no sentence of an article:
/// buttons (上一篇, 字号), notices (转载目的), calls to apps and accounts, captions of stock pictures.
const FURNITURE: &[&str] = &[
    "打印本页",
    "关闭窗口",
    "上一篇",
    "下一篇",
    "猜你喜欢",
    "相关阅读",
    "返回顶部",
    "转载目的",
    "侵权请联系",
    "下载客户端",
    "扫码关注",
    "扫描二维码",
    "扫一扫",
    "微信公众号",
    "点击进入",
    "点击查看",
    "图片来源",
    "资料图",
    "【广告】",
    "字号:",
    "字号：",
    "Click here to",
    "Download our app",
    "Subscribe to our",
    "Sign up for our",
    "Follow us on",
    "Advertisement",
];

/// What a caption and an advertisement begin with.
const LABELS: &[&str] = &["图为", "广告：", "广告:", "推广：", "推广:", "Advertisement:", "Sponsored:"];

/// Whom a credit in brackets names, amid a text.
const CREDITS: &[&str] = &["来源", "稿源", "编辑", "责任编辑", "责编"];

/// Bytes read in the wrong set, as they look: UTF-8 read as GBK, memory never written, UTF-8 read as Latin-1.
const UNREADABLE: &[&str] = &[
    "\u{fffd}",
    "锟斤拷",
    "烫烫烫",
    "â€™",
    "â€œ",
    "â€“",
    "â€”",
    "â€¦",
    "ï¼Œ",
    "ã€‚",
    "Ã¤",
    "Ã¶",
    "Ã¼",
    "ÃŸ",
    "Ã©",
    "Ã¨",
    "Ã¡",
    "Ã³",
    "Ã±",
    "Ã§",
    "Â°",
    "Â£",
    "Â«",
    "Â»",
];
/// Letters that print as one sign: where that sign has no character, they are gone from every word, the longest first.
const LIGATURES: [(&str, char); 5] = [("ffi", 'ﬃ'), ("ffl", 'ﬄ'), ("fi", 'ﬁ'), ("fl", 'ﬂ'), ("ff", 'ﬀ')];

/// Whether the words hold bytes that nobody could read.
#[must_use]
pub fn is_unreadable(words: &str) -> bool {
    UNREADABLE.iter().any(|mark| words.contains(mark)) || words.chars().any(|c| ('\u{80}'..='\u{9f}').contains(&c))
}

/// Whether a stretch that other copies do not have is no part of the article below this headline.
#[must_use]
pub fn is_insertion(words: &str, title: &str) -> bool {
    foreign(words, title) || furniture(words).is_some()
}

/// Whether a character is a Chinese one.
#[must_use]
pub fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// Whether a character is one that gets lost wherever it stands: a Chinese one, a letter with a mark (ä, ß, é).
fn is_lost(c: char) -> bool {
    is_han(c) || (!c.is_ascii() && c.is_alphabetic())
}

/// What a copy shows by itself; `folded` is its text, folded.
#[must_use]
pub fn alone(title: &str, text: &str, folded: &[char]) -> Vec<Sign> {
    let mut signs = BTreeSet::new();
    if weight(folded) < LEAST {
        signs.insert(Sign::Textless);
    }
    if is_cut(title) || is_cut(text) {
        signs.insert(Sign::Cut);
    }
    let (above, seen) = (Seen::of(title), Seen::of(text));
    if above.unreadable || seen.unreadable {
        signs.insert(Sign::Unreadable);
    }
    signs.extend(lost(title, folded).map(Sign::Lost));
    if seen.point {
        signs.insert(Sign::Point);
    }
    if seen.readings >= 2 {
        signs.insert(Sign::Readings);
    }
    if mixed(&above.traditional, &seen.traditional, title, text) {
        signs.insert(Sign::Scripts);
    }
    signs.extend(seen.furniture.map(|index| Sign::Furniture(FURNITURE[index])));
    if signed(title) {
        signs.insert(Sign::Signed);
    }
    signs.into_iter().collect()
}

/// A character that the text lost, told by its length or by its headline.
fn lost(title: &str, letters: &[char]) -> Option<char> {
    let han = letters.iter().filter(|c| is_han(**c)).count();
    let expected = COMMON.iter().filter(|(_, of)| han * of >= EXPECTED * 10_000);
    if let Some((c, _)) = expected.into_iter().find(|(c, _)| !letters.contains(c)) {
        return Some(*c);
    }
    if han < BODY {
        return None;
    }
    let headline: Vec<char> = fold(title).chars().collect();
    let around = headline.windows(5).find(|five| {
        let around = [five[0], five[1], five[3], five[4]];
        five.iter().all(|c| is_han(*c))
            && !letters.contains(&five[2])
            && letters.windows(4).any(|piece| *piece == around)
    })?;
    Some(around[2])
}

/// What one pass over a text finds.
#[derive(Debug, Default)]
struct Seen {
    unreadable: bool,
    /// Index of the first of [`FURNITURE`] that stands in it.
    furniture: Option<usize>,
    /// Whether a number has lost its point.
    point: bool,
    /// How many characters have a reading in brackets behind them.
    readings: usize,
    /// Characters of the traditional script alone, each once, as many as make a text of it.
    traditional: Vec<char>,
}

/// What a character may be the beginning of.
struct Beginnings {
    /// A bit for each character of the common plane that may begin anything; others begin nothing.
    any: Vec<u64>,
    /// Indices into [`FURNITURE`].
    furniture: HashMap<char, Vec<usize>, BySpread>,
}

static BEGINNINGS: LazyLock<Beginnings> = LazyLock::new(|| {
    let mut furniture: HashMap<char, Vec<usize>, BySpread> = HashMap::default();
    for (index, word) in FURNITURE.iter().enumerate() {
        furniture.entry(word.chars().next().unwrap_or_default()).or_default().push(index);
    }
    let mut any = vec![0; 0x1_0000 / 64];
    for c in (0..0x1_0000_u32).filter_map(char::from_u32) {
        let begins = c.is_ascii_digit()
            || matches!(c, '(' | '（' | '\u{80}'..='\u{9f}')
            || traditional(c) == Some(true)
            || furniture.contains_key(&c)
            || UNREADABLE.iter().any(|mark| mark.starts_with(c));
        any[c as usize / 64] |= u64::from(begins) << (c as u32 % 64);
    }
    Beginnings { any, furniture }
});

impl Seen {
    fn of(text: &str) -> Self {
        let beginnings = &*BEGINNINGS;
        let mut seen = Self::default();
        let mut before = '\0';
        for (at, c) in text.char_indices() {
            let previous = std::mem::replace(&mut before, c);
            if beginnings.any.get(c as usize / 64).is_none_or(|word| word >> (c as u32 % 64) & 1 == 0) {
                continue;
            }
            let rest = &text[at..];
            match c {
                '0'..='9' => seen.point = seen.point || lost_point(rest),
                '(' | '（' => seen.readings += usize::from(is_han(previous) && is_reading(&rest[c.len_utf8()..])),
                _ => {}
            }
            if !seen.unreadable && !c.is_ascii() && (!is_han(c) || matches!(c, '锟' | '烫')) {
                seen.unreadable =
                    ('\u{80}'..='\u{9f}').contains(&c) || UNREADABLE.iter().any(|mark| rest.starts_with(mark));
            }
            let found =
                beginnings.furniture.get(&c).into_iter().flatten().find(|index| rest.starts_with(FURNITURE[**index]));
            seen.furniture = seen.furniture.into_iter().chain(found.copied()).min();
            if seen.traditional.len() < OF_ONE && traditional(c) == Some(true) && !seen.traditional.contains(&c) {
                seen.traditional.push(c);
            }
        }
        seen
    }
}

/// Whether a text begins with a digit, one blank, a digit or two and a unit: 6 5%.
fn lost_point(rest: &str) -> bool {
    let unit = |c: char| matches!(c, '%' | '％' | '亿' | '万');
    let mut letters = rest.chars().skip(1);
    letters.next() == Some(' ')
        && letters.next().is_some_and(|tenth| tenth.is_ascii_digit())
        && letters
            .next()
            .is_some_and(|behind| unit(behind) || (behind.is_ascii_digit() && letters.next().is_some_and(unit)))
}

/// Whether a reading stands here and a bracket closes behind it: quan) of 泉(quan)州.
fn is_reading(rest: &str) -> bool {
    let vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'v') || "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü".contains(c);
    let inside = rest.chars().take_while(|c| c.is_alphabetic() && !is_han(*c)).take(7);
    let closes = rest.chars().nth(inside.clone().count()).is_some_and(|c| matches!(c, ')' | '）'));
    closes
        && (1..=6).contains(&inside.clone().count())
        && inside.clone().all(char::is_lowercase)
        && inside.clone().any(vowel)
}

/// Characters of one script alone that make a text of it, and such of the other that make it a mixture.
const OF_ONE: usize = 10;
const OF_OTHER: usize = 3;

/// Whether headline and text, which have these characters of the traditional script alone, are mixed of two.
fn mixed(above: &[char], below: &[char], title: &str, text: &str) -> bool {
    // Nearly all texts hold no character of the traditional script alone.
    let old = above.len() + below.iter().filter(|c| !above.contains(c)).count();
    if old < OF_ONE {
        return false;
    }
    let mut new: Vec<char> = Vec::with_capacity(OF_OTHER);
    for c in title.chars().chain(text.chars()).filter(|c| traditional(*c) == Some(false)) {
        if new.len() < OF_OTHER && !new.contains(&c) {
            new.push(c);
        }
    }
    new.len() >= OF_OTHER
}

/// A text made ready for comparing with others, character by character.
#[derive(Debug, Default)]
pub struct Body<'t> {
    text: &'t str,
    letters: Vec<char>,
    /// Where each character stands in the text as sent.
    at: Vec<u32>,
    held: Held,
    /// Where its pieces stand, made when first asked for.
    pieces: OnceCell<Pieces>,
}

/// Which characters a text has: a bit for each of the common plane.
#[derive(Debug, Default)]
struct Held {
    plane: Vec<u64>,
    rare: Vec<char>,
}

impl Held {
    fn of(letters: &[char]) -> Self {
        let mut held = Self { plane: vec![0; 0x1_0000 / 64], rare: Vec::new() };
        for letter in letters {
            match held.plane.get_mut(*letter as usize / 64) {
                Some(word) => *word |= 1 << (*letter as u32 % 64),
                None => held.rare.push(*letter),
            }
        }
        held
    }

    fn contains(&self, letter: char) -> bool {
        match self.plane.get(letter as usize / 64) {
            Some(word) => word >> (letter as u32 % 64) & 1 == 1,
            None => self.rare.contains(&letter),
        }
    }
}

/// A short piece as a number: up to six characters of twenty-one bits.
fn packed(piece: &[char]) -> u128 {
    piece.iter().fold(0, |key, letter| key << 21 | u128::from(u32::from(*letter)))
}

/// Where each piece of a text stands: a table twice as large, each piece at the first free slot from the one that its
/// product says.
#[derive(Debug, Default)]
struct Pieces {
    /// Where the piece that has a slot stands first; nowhere if none has it.
    slots: Vec<u32>,
    shift: u32,
    /// Where the piece that stands at each place stands next; nowhere if that was the last one.
    next: Vec<u32>,
}

/// A place where nothing stands.
const NOWHERE: u32 = u32::MAX;

impl Pieces {
    fn of(letters: &[char]) -> Self {
        let count = letters.len().saturating_sub(PIECE - 1);
        let size = (count * 2).next_power_of_two().max(2);
        let shift = u64::BITS - size.trailing_zeros();
        let mut pieces = Self { slots: vec![NOWHERE; size], shift, next: vec![NOWHERE; count] };
        for (at, piece) in letters.windows(PIECE).enumerate().rev() {
            let slot = pieces.slot(letters, piece);
            pieces.next[at] = std::mem::replace(&mut pieces.slots[slot], at as u32);
        }
        pieces
    }

    /// The slot that a piece has, or may have.
    fn slot(&self, letters: &[char], piece: &[char]) -> usize {
        let packed = packed(piece);
        let product = (packed as u64 ^ ((packed >> 64) as u64).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut slot = (product >> self.shift) as usize;
        while self.slots[slot] != NOWHERE && !letters[self.slots[slot] as usize..].starts_with(piece) {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        slot
    }

    /// Places of a piece in the text of these characters, in order.
    fn places(&self, letters: &[char], piece: &[char]) -> impl Iterator<Item = usize> + '_ {
        let there = |at: u32| (at != NOWHERE).then_some(at);
        let first = there(self.slots[self.slot(letters, piece)]);
        std::iter::successors(first, move |at| there(self.next[*at as usize])).map(|at| at as usize)
    }
}

/// A stretch of one text that another does not have.
#[derive(Debug, Clone, Copy)]
struct Run {
    begin: usize,
    end: usize,
    /// It is no part of the article.
    foreign: bool,
}

impl Run {
    const fn length(&self) -> usize {
        self.end - self.begin
    }
}

/// Characters of a piece by which two texts are laid side by side: so many stand nowhere twice by chance.
const PIECE: usize = 5;
/// An insertion is so long, in folded characters; a site's notice below its articles is longer than an advertisement.
const INSERTION: std::ops::RangeInclusive<usize> = 4..=200;
/// A gap in the other copy that is none.
const GAP: usize = 2;
/// A copy that has so much more, per mille of this one's length, has what this one lost: beside a later copy, and beside
/// one that claims to be no later.
const MORE: usize = 300;
const MORE_OF_EARLIER: usize = 80;
/// So many characters more are a sentence.
const SENTENCE: usize = 10;
/// An opening put in front of a text is so long: 据悉. A single character is one that the other lost.
const OPENING: std::ops::RangeInclusive<usize> = 2..=4;
/// So much of a part stands in the whole, per mille.
const WITHIN: usize = 600;

impl<'t> Body<'t> {
    /// Of a text as sent, `most` characters of it.
    #[must_use]
    pub fn of(text: &'t str, most: usize) -> Self {
        let (mut letters, mut at) = placed(text);
        letters.truncate(most);
        at.truncate(most);
        let held = Held::of(&letters);
        Self { text, letters, at, held, pieces: OnceCell::new() }
    }

    /// Places of a piece in this text, in order.
    fn places(&self, piece: &[char]) -> impl Iterator<Item = usize> + '_ {
        self.pieces.get_or_init(|| Pieces::of(&self.letters)).places(&self.letters, piece)
    }

    /// What this text shows beside another copy's, which claims to be no later than this one if it is `earlier`.
    #[must_use]
    pub fn beside(&self, other: &Self, title: &str, earlier: bool) -> Vec<Sign> {
        if self.letters.len() < PIECE * 2 || other.letters.len() < PIECE * 2 {
            return Vec::new();
        }
        let mut signs: Vec<Sign> = self.missing(other).into_iter().map(Sign::Lost).collect();
        let (mine, theirs) = (self.runs(other, title), other.runs(self, title));
        let more: usize = theirs.iter().filter(|run| !run.foreign).map(Run::length).sum();
        let own: usize = mine.iter().filter(|run| run.foreign).map(Run::length).sum();
        let enough = if earlier { MORE_OF_EARLIER } else { MORE };
        let less = (earlier || self.breaks_off())
            && more * 1000 >= (self.letters.len() - own) * enough
            && more >= SENTENCE
            && self.within(other);
        if less || (earlier && self.beheaded(other)) {
            signs.push(Sign::Part);
        }
        if self.lost_points(other) {
            signs.push(Sign::Point);
        }
        if self.half_converted(other) {
            signs.push(Sign::Scripts);
        }
        let opening = mine.first().filter(|run| run.begin == 0 && OPENING.contains(&run.length()));
        if earlier && opening.is_some_and(|run| self.letters[run.end..].starts_with(&other.letters[..PIECE])) {
            signs.push(Sign::Opening);
        }
        let inserted = mine.iter().find(|run| run.foreign).map(|run| self.words(run.begin, run.end));
        // Once is how many an article begins.
        let again = || (self.says(title) > other.says(title).max(1)).then_some(title);
        signs.extend(inserted.or_else(again).map(|words| Sign::Insertion(words.to_owned())));
        signs
    }

    /// Whether the two have the same words in the same order.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.letters == other.letters
    }

    /// Whether this text begins where the first sentences of the other end, at once or behind a word like 据报道, and has
    /// them nowhere.
    fn beheaded(&self, other: &Self) -> bool {
        const ALIKE: usize = 2 * PIECE;
        let begins = |begin: usize| {
            let rest = self.letters.get(begin..begin + ALIKE)?;
            other.places(&rest[..PIECE]).find(|place| other.letters[*place..].starts_with(rest))
        };
        let Some(lost) = (0..=*OPENING.end()).find_map(begins).filter(|lost| *lost >= SENTENCE) else { return false };
        let words = other.words(0, lost);
        let count = lost - PIECE + 1;
        let kept = other.letters[..lost].windows(PIECE).filter(|piece| self.places(piece).next().is_some()).count();
        // A dateline ends with its reporter, and furniture with a line.
        let ends = words.trim_end().trim_end_matches(['”', '’', '"']).ends_with(['。', '！', '？', '.', '!', '?']);
        ends && furniture(words).is_none() && kept * 2 < count
    }

    /// Whether a blank stands between figures where the other has a decimal point.
    fn lost_points(&self, other: &Self) -> bool {
        const AROUND: usize = 4;
        let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let bytes = self.text.as_bytes();
        self.text.match_indices(' ').any(|(at, _)| {
            let lost = at > 0 && digit(bytes.get(at - 1)) && digit(bytes.get(at + 1));
            let from = (at.saturating_sub(AROUND)..at).find(|from| self.text.is_char_boundary(*from)).unwrap_or(at);
            let to = (at + 1..=at + 1 + AROUND).rev().find(|to| self.text.is_char_boundary(*to)).unwrap_or(at + 1);
            lost && match (self.text.get(from..at), self.text.get(at + 1..to)) {
                (Some(before), Some(behind)) => other.text.contains(&format!("{before}.{behind}")),
                _ => false,
            }
        })
    }

    /// Whether some characters are of the traditional script and others of the simplified one, and none of the other copy's
    /// are traditional.
    fn half_converted(&self, other: &Self) -> bool {
        let of = |body: &Self, script: bool| {
            body.text.chars().filter(|c| traditional(*c) == Some(script)).collect::<BTreeSet<char>>().len()
        };
        of(self, true) >= OF_OTHER && of(self, false) >= OF_OTHER && of(other, true) == 0
    }

    /// Whether a character stands alone in brackets: （完）, （图）.
    fn is_mark(&self, index: usize) -> bool {
        let at = self.at.get(index).map_or(self.text.len(), |at| *at as usize);
        let mut behind = self.text[at..].chars().skip(1);
        self.text[..at].ends_with(['（', '(', '【', '['])
            && behind.next().is_some_and(|c| matches!(c, '）' | ')' | '】' | ']'))
    }

    /// Whether the text ends amid a sentence.
    fn breaks_off(&self) -> bool {
        self.text.trim_end().ends_with(|c: char| c.is_alphanumeric() || matches!(c, '，' | '、' | '：' | ',' | ':'))
    }

    /// How often the text says its headline.
    fn says(&self, title: &str) -> usize {
        let headline: Vec<char> = fold(bare(title)).chars().collect();
        if headline.len() < PIECE {
            return 0;
        }
        self.letters.windows(headline.len()).filter(|piece| *piece == headline).count()
    }

    /// Whether most of this text stands in the other.
    fn within(&self, other: &Self) -> bool {
        let found = self.letters.windows(PIECE).filter(|piece| other.places(piece).next().is_some()).count();
        found * 1000 >= (self.letters.len() - PIECE + 1) * WITHIN
    }

    /// Characters that the other has and this one nowhere, though what stands around them there stands together here.
    fn missing(&self, other: &Self) -> BTreeSet<char> {
        // The edges of a text are neighbours, too.
        let edged = |letters: &[char]| -> Vec<char> { [&['\0', '\0'], letters, &['\0', '\0']].concat() };
        let (mine, theirs) = (edged(&self.letters), edged(&other.letters));
        // Most texts have every character that the other has.
        let pieces: OnceCell<HashSet<u128, BySpread>> = OnceCell::new();
        let lost = theirs.windows(5).enumerate().filter(|(index, five)| {
            let around = packed(&[five[0], five[1], five[3], five[4]]);
            is_lost(five[2])
                && !self.held.contains(five[2])
                && pieces.get_or_init(|| mine.windows(4).map(packed).collect()).contains(&around)
                && !other.is_mark(*index)
        });
        let lost: BTreeSet<char> = lost.map(|(_, five)| five[2]).collect();
        lost.into_iter().chain(self.ligatures(other)).collect()
    }

    /// Ligatures that words of the other hold, at least two of them, and that the same words lost here.
    fn ligatures(&self, other: &Self) -> Vec<char> {
        const WORDS: usize = 2;
        let words = |text: &str| -> BTreeSet<String> {
            let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.is_ascii() && word.len() > 2);
            words.map(str::to_ascii_lowercase).collect()
        };
        if !LIGATURES.iter().any(|(letters, _)| other.text.contains(letters)) {
            return Vec::new();
        }
        let (mine, theirs) = (words(self.text), words(other.text));
        let lost = |(letters, _): &&(&str, char)| {
            let words = theirs.iter().filter(|word| word.contains(letters) && !mine.contains(*word));
            words.filter(|word| mine.contains(&word.replacen(letters, "", 1))).count() >= WORDS
                && !mine.iter().any(|word| word.contains(letters))
        };
        LIGATURES.iter().filter(lost).map(|(_, sign)| *sign).collect()
    }

    /// Stretches that the other text does not have.
    fn runs(&self, other: &Self, title: &str) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut add = |begin: usize, end: usize, closed: bool| {
            if end <= begin {
                return;
            }
            let words = self.words(begin, end);
            let foreign =
                INSERTION.contains(&(end - begin)) && ((closed && foreign(words, title)) || furniture(words).is_some());
            runs.push(Run { begin, end, foreign });
        };
        // Where the stretch before ended, here and there.
        let (mut here, mut there, mut next) = (0, 0, 0);
        for (at, piece) in self.letters.windows(PIECE).enumerate() {
            // Of a piece that stands there twice, the one nearest to what was last found.
            let Some(place) = other.places(piece).min_by_key(|place| place.abs_diff(next)) else {
                continue;
            };
            if at >= here {
                add(here, at, place.abs_diff(there) <= GAP);
            }
            (here, there, next) = (at + PIECE, place + PIECE, place + 1);
        }
        add(here, self.letters.len(), other.letters.len().abs_diff(there) <= GAP);
        runs
    }

    /// A stretch as sent, with the brackets and marks that folding dropped around it.
    fn words(&self, begin: usize, end: usize) -> &'t str {
        let behind = |at: usize| self.at.get(at).map_or(self.text.len(), |byte| *byte as usize);
        let from = begin.checked_sub(1).map_or(0, |before| {
            let last = behind(before);
            last + self.text[last..].chars().next().map_or(0, char::len_utf8)
        });
        self.text.get(from..behind(end)).unwrap_or_default()
    }
}

fn furniture(words: &str) -> Option<&'static str> {
    FURNITURE.iter().copied().find(|word| words.contains(word))
}

/// Whether a stretch between sentences is no part of the article: what [`is_foreign`] says, once or several times.
fn foreign(words: &str, title: &str) -> bool {
    let alone = |words: &str| is_foreign(words, title) || furniture(words).is_some();
    let titled = |words: &str| words.starts_with('《') && words.ends_with('》');
    let mut pieces =
        words.split_inclusive(['】', '》', '）', ')']).filter(|piece| piece.chars().any(char::is_alphanumeric));
    is_foreign(words, title) || pieces.next().is_some_and(alone) && pieces.all(|piece| alone(piece) || titled(piece))
}

/// In square brackets or, behind a sentence's end, in title marks; an address, a caption or a credit in brackets; marked as
/// an advertisement, as the law wants it; the headline once more.
fn is_foreign(words: &str, title: &str) -> bool {
    let ends =
        |c: char| c.is_whitespace() || matches!(c, '。' | '！' | '？' | '”' | '，' | '.' | '!' | '?' | ',' | '"');
    let inside = words.trim_matches(ends);
    let between = |open: char, close: char| {
        inside.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(|inside| !inside.contains(open))
    };
    between('【', '】')
        || (between('《', '》') && words.starts_with(ends))
        || words.contains("http")
        || inside.starts_with(['▲', '△'])
        || LABELS.iter().any(|label| inside.starts_with(label))
        || is_credit(inside)
        || matches!(alike(inside, title), Some(Alike::Equal | Alike::Cut | Alike::CutOther))
}

/// Whether these words are a credit in brackets: （来源：网络）.
fn is_credit(words: &str) -> bool {
    let inside = words.strip_prefix(['（', '(']).and_then(|words| words.strip_suffix(['）', ')']));
    let names = |inside: &str| {
        let mut rest = CREDITS.iter().filter_map(|credit| inside.strip_prefix(credit));
        rest.any(|rest| rest.starts_with(['：', ':']))
    };
    inside.is_some_and(|inside| !inside.contains('。') && names(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "市图书馆新馆周六起试开放，首批开放阅览座位一千二百个，自助借还机二十台。试开放期间每天限流三千人，读者可凭身份证\
                         入馆。少儿区同时开放，周末有讲故事的活动。馆方说，年底前还要开放地方文献室和报告厅，夜间延长到九点闭馆。";

    #[test]
    fn a_text_shows_by_itself_what_happened_to_it() {
        let long = |c: char| {
            let sentence = "全市发展平稳，群众在社区的大厅里有人陪同办事，国家今年会在中部一带推进平台建设。";
            sentence.repeat(12).chars().filter(|kept| *kept != c).collect::<String>()
        };
        for (title, text, expected) in [
            ("图书馆新馆试开放", WHOLE.to_owned(), vec![]),
            ("图书馆新馆试开放", String::new(), vec![Sign::Textless]),
            ("图书馆新馆…", WHOLE.to_owned(), vec![Sign::Cut]),
            ("图书馆新馆试开放", format!("{WHOLE}更多..."), vec![Sign::Cut]),
            ("图书馆新馆试开放", format!("{WHOLE}锟斤拷"), vec![Sign::Unreadable]),
            ("社区", long('的'), vec![Sign::Lost('的')]),
            ("社区", long('群'), vec![]),
            ("中部推进平台建设情况", long('平'), vec![Sign::Lost('平')]),
            ("全市发展向好", long('平'), vec![]),
            ("图书馆新馆试开放", format!("{WHOLE}借阅量增长6 5%。"), vec![Sign::Point]),
            ("图书馆新馆试开放", format!("{WHOLE}共有12 35万册。"), vec![Sign::Point]),
            ("图书馆新馆试开放", format!("{WHOLE}第3 5号馆。"), vec![]),
            ("图书馆新馆试开放", format!("{WHOLE}泉(quan)州、亳（bó）州"), vec![Sign::Readings]),
            ("图书馆新馆试开放", format!("{WHOLE}世卫(WHO)、世贸(WTO)"), vec![]),
            (
                "圖書館新館試開放",
                "圖書館新館週六起試開放，閱覽座位一千二百個，自助借還機二十台，讀者憑身份证入馆，还有讲座。".to_owned(),
                vec![Sign::Scripts],
            ),
            (
                "圖書館新館試開放",
                "圖書館新館週六起試開放，閱覽座位一千二百個，自助借還機二十台，讀者憑證入館。".to_owned(),
                vec![],
            ),
            ("图书馆新馆试开放", format!("{WHOLE}上一篇 下一篇"), vec![Sign::Furniture("上一篇")]),
            ("图书馆新馆试开放-样城网", WHOLE.to_owned(), vec![Sign::Signed]),
        ] {
            let folded: Vec<char> = fold(&text).chars().collect();
            assert_eq!(alone(title, &text, &folded), expected, "{title}: {text}");
        }
    }

    /// As one looks for each sign by itself.
    mod plainly {
        use super::*;

        pub fn lost_point(letters: &[char]) -> bool {
            let unit = |c: &char| matches!(c, '%' | '％' | '亿' | '万');
            letters.windows(4).enumerate().any(|(at, four)| {
                let [digit, ' ', tenth, behind] = four else { return false };
                let next = letters.get(at + 4);
                digit.is_ascii_digit()
                    && tenth.is_ascii_digit()
                    && (unit(behind) || (behind.is_ascii_digit() && next.is_some_and(unit)))
            })
        }

        pub fn readings(letters: &[char]) -> usize {
            let at = (1..letters.len()).filter(|at| is_han(letters[at - 1]) && matches!(letters[*at], '(' | '（'));
            at.filter(|at| is_reading(&letters[at + 1..].iter().collect::<String>())).count()
        }

        pub fn mixed(title: &str, text: &str) -> bool {
            let of = |script: bool| {
                let letters = title.chars().chain(text.chars());
                letters.filter(|c| traditional(*c) == Some(script)).collect::<BTreeSet<char>>().len()
            };
            of(true) >= OF_ONE && of(false) >= OF_OTHER
        }
    }

    #[test]
    fn one_pass_finds_what_many_find() {
        let parts = [
            "市图书馆",
            "圖書館新館週六閱覽座位臺灣",
            "台湾还有",
            "146 9亿元",
            "6 5%",
            "3 5号",
            "12 35万",
            "泉(quan)州",
            "亳（bó）州",
            "世卫(WHO)",
            "上一篇",
            "资料图",
            "字号：",
            "Advertisement",
            "扫码关",
            "锟斤拷",
            "烫烫",
            "烫烫烫",
            "Ã¤",
            "â€™",
            "\u{fffd}",
            "\u{85}",
            "Â",
            "。",
            " ",
            "(",
            ")",
            "a",
            "𠀀",
            "é",
        ];
        let mut dice = 7_u64;
        let mut roll = |most: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (dice >> 33) as usize % most
        };
        for _ in 0..4_000 {
            let mut words = || (0..roll(9)).map(|_| parts[roll(parts.len())]).collect::<String>();
            let (title, text) = (words(), words());
            let (above, seen) = (Seen::of(&title), Seen::of(&text));
            let letters: Vec<char> = text.chars().collect();
            assert_eq!(seen.unreadable, is_unreadable(&text), "{text}");
            assert_eq!(seen.furniture.map(|index| FURNITURE[index]), furniture(&text), "{text}");
            assert_eq!(seen.point, plainly::lost_point(&letters), "{text}");
            assert_eq!(seen.readings, plainly::readings(&letters), "{text}");
            let mixed = mixed(&above.traditional, &seen.traditional, &title, &text);
            assert_eq!(mixed, plainly::mixed(&title, &text), "{title} {text}");
        }
    }

    #[test]
    fn pieces_stand_where_they_stand() {
        let letters: Vec<char> = "甲乙丙甲乙丙甲乙丙甲乙丁丁丁丁丁丁丁".chars().collect();
        let pieces = Pieces::of(&letters);
        for piece in letters.windows(PIECE).chain(["丙丙丙丙丙".chars().collect::<Vec<_>>().as_slice()]) {
            let expected: Vec<usize> = (0..letters.len()).filter(|at| letters[*at..].starts_with(piece)).collect();
            assert_eq!(pieces.places(&letters, piece).collect::<Vec<_>>(), expected, "{piece:?}");
        }
        let few = ['甲'];
        assert_eq!(Pieces::of(&few).places(&few, &letters[..PIECE]).count(), 0);
    }

    #[test]
    fn a_point_is_lost_where_the_other_has_it() {
        let whole = "步道全长12.6公里，沿途新设九处驿站，补种乔木三千四百棵，保留了六十七棵老柳树。";
        let lost = whole.replace("12.6", "12 6");
        let (one, other) = (Body::of(&lost, 8_000), Body::of(whole, 8_000));
        assert_eq!(one.beside(&other, "", true), [Sign::Point]);
        assert_eq!(other.beside(&one, "", true), []);
    }

    #[test]
    fn a_text_without_its_first_sentence_is_a_part() {
        let lede = "样城社11月3日电（记者样某）样城市图书馆迎来搬迁后的第一批读者。";
        let rest = format!("{WHOLE}{}", WHOLE.chars().rev().collect::<String>()).repeat(2);
        let whole = format!("{lede}{rest}");
        let moved = format!("{rest}{lede}");
        let undated = whole.trim_start_matches("样城社11月3日电（记者样某）").to_owned();
        for (text, earlier, expected) in [
            (rest.clone(), true, vec![Sign::Part]),
            (format!("据报道，{rest}"), true, vec![Sign::Part]),
            // What the other has more may be its own, if it is the later one.
            (rest.clone(), false, vec![]),
            (moved, true, vec![]),
            (undated, true, vec![]),
        ] {
            let (one, other) = (Body::of(&text, 8_000), Body::of(&whole, 8_000));
            assert_eq!(one.beside(&other, "", earlier), expected, "{text}");
            assert_eq!(other.beside(&one, "", !earlier), [], "{text}");
        }
    }

    #[test]
    fn words_without_their_ligatures_have_lost_them() {
        let whole =
            "The fire brigade opened its new office on the first floor of the town hall, near the flower market.";
        let lost = whole.replace("fi", "");
        let (one, other) = (Body::of(&lost, 8_000), Body::of(whole, 8_000));
        assert_eq!(one.beside(&other, "", true), [Sign::Lost('ﬁ')]);
        assert_eq!(other.beside(&one, "", true), []);
        let folded: Vec<char> = fold(WHOLE).chars().collect();
        assert_eq!(alone("Brücke erÃ¶ffnet", WHOLE, &folded), [Sign::Unreadable]);
        assert_eq!(alone("Brücke eröffnet", WHOLE, &folded), []);
    }

    #[test]
    fn a_text_shows_beside_another_what_it_lost_or_gained() {
        let insert = |words: &str| WHOLE.replacen("二十台。", &format!("二十台。{words}"), 1);
        let title = "夜读从此有了一个新去处";
        for (text, expected, back) in [
            (WHOLE.to_owned(), vec![], vec![]),
            (WHOLE.replace('馆', ""), vec![Sign::Lost('馆')], vec![]),
            (WHOLE.replace('，', ","), vec![], vec![]),
            (format!("据悉，{WHOLE}"), vec![Sign::Opening], vec![]),
            (WHOLE.replacen("二十台。", "二十台（完）。", 1), vec![], vec![]),
            (WHOLE.replace("试", "試").replace("开", "開").replace("馆", "館"), vec![Sign::Scripts], vec![]),
            (
                format!("{WHOLE}责任编辑：某某 转载目的在于传递信息"),
                vec![Sign::Insertion("责任编辑：某某 转载目的在于传递信息".into())],
                vec![],
            ),
            (WHOLE.split_inclusive('。').take(2).collect(), vec![Sign::Part], vec![]),
            (insert("【扫码关注样城网】"), vec![Sign::Insertion("【扫码关注样城网】".into())], vec![]),
            (insert("《样城娱乐城app》"), vec![Sign::Insertion("《样城娱乐城app》".into())], vec![]),
            (insert("更多精彩内容请下载客户端"), vec![Sign::Insertion("更多精彩内容请下载客户端".into())], vec![]),
            (insert("广告：样城新楼盘开售"), vec![Sign::Insertion("广告：样城新楼盘开售".into())], vec![]),
            (
                insert("（来源：样城网）《样城娱乐城》"),
                vec![Sign::Insertion("（来源：样城网）《样城娱乐城》".into())],
                vec![],
            ),
            (insert("夜读从此有了一个新去处"), vec![Sign::Insertion("夜读从此有了一个新去处".into())], vec![]),
            ("市图书馆新馆周六起试开放，首批开放阅览座位一千二百个，自助".to_owned(), vec![Sign::Part], vec![]),
            (insert("馆内另设视障阅览室，配有盲文图书和听书机，志愿者全程陪同。"), vec![], vec![Sign::Part]),
        ] {
            let (one, other) = (Body::of(&text, 8_000), Body::of(WHOLE, 8_000));
            let strip = |signs: Vec<Sign>| -> Vec<Sign> {
                let plain = |sign| match sign {
                    Sign::Insertion(words) => Sign::Insertion(words.trim_start_matches(['。', '，']).to_owned()),
                    other => other,
                };
                signs.into_iter().map(plain).collect()
            };
            assert_eq!(strip(one.beside(&other, title, true)), expected, "{text}");
            assert_eq!(strip(other.beside(&one, title, true)), back, "{text}");
        }
    }
}
