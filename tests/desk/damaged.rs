//! Copies damaged by dice: does each find its story, do look-alikes stay apart, is an undamaged copy printed?
//!
//! The files of `tests/desk/damaged/` hold an invented story a line, headline and text. Of each, copies are made in every
//! way in which republishers damage them, and whole ones; beside them stand look-alikes: the same told of another city, the
//! same a month later, and bulletins that a source prints daily under one headline. All is dealt to sources and filed in an
//! order that the dice decide. The same seed makes the same set and order.
//!
//! The bounds are a little below what was measured over [`SEEDS`]: precision of pairs 1.000 in both languages, recall .996
//! in Chinese and .978 in English; of each kind at least .979 found their story; no look-alike merged; a whole copy printed
//! by .875 and .833. A story has up to fourteen damaged copies beside three whole ones, and two corrections: those left had
//! spent theirs. `LIKENESS=1 cargo test --test desk damaged -- --nocapture` tells the figures, and which copies went wrong.

#![allow(
    clippy::unnecessary_wraps,
    reason = "every damage has one form, though some find something to damage in any text"
)]

use std::collections::{BTreeMap, BTreeSet};

use citydesk::model::filing::{Filing, Wire};
use citydesk::model::id::StoryNo;

use super::splits::Dice;
use super::{Desk, item};

const SEEDS: std::ops::Range<u64> = 1..7;
/// Sources that the copies are dealt to: more than a story has copies, so that none lists one twice.
const SOURCES: usize = 31;
/// Stories are so old, in hours: none is news of the future.
const AGE: i64 = 24 * 200;

/// A text with more figures than this is a bulletin.
const FIGURES: usize = 5;

/// What is done to a headline and a text; nothing where there is nothing to damage.
type Damage = fn(&mut Dice, &str, &str) -> Option<(String, String)>;

/// Kinds of whole copies.
const WHOLE: &[(&str, Damage)] = &[("same", same), ("width", width), ("column", column)];
/// Kinds of damage.
const DAMAGES: &[(&str, Damage)] = &[
    ("lost", lost),
    ("point", point),
    ("cut", cut),
    ("readings", readings),
    ("advert", advert),
    ("unreadable", unreadable),
    ("script", script),
    ("ligature", ligature),
    ("headless", headless),
    ("moved", moved),
    ("furniture", furniture),
    ("several", several),
    ("bare", bare),
    ("bare cut", bare_cut),
];

fn chinese(text: &str) -> bool {
    text.contains('。')
}

fn sentences(text: &str) -> Vec<&str> {
    text.split_inclusive(if chinese(text) { "。" } else { ". " }).collect()
}

fn pick<'a, T>(dice: &mut Dice, from: &'a [T]) -> &'a T {
    &from[dice.roll(from.len() as u64) as usize]
}

fn han(letter: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&letter)
}

fn same(_: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    Some((title.into(), text.into()))
}

/// Marks of half the width, figures of twice the width.
fn width(_: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    let other = |letter: char| match letter {
        '，' | '、' => ',',
        '。' => '.',
        '：' => ':',
        '0'..='9' | '%' => char::from_u32(letter as u32 + 0xFEE0).unwrap(),
        _ => letter,
    };
    chinese(text).then(|| (title.chars().map(other).collect(), text.chars().map(other).collect()))
}

/// A column in front of the headline.
fn column(dice: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    let label = if chinese(text) {
        *pick(dice, &["关注｜", "（社会）", "【头条】", "图文："])
    } else {
        *pick(dice, &["[Region] ", "Photos: "])
    };
    Some((format!("{label}{title}"), text.into()))
}

/// A character is lost wherever it stands.
fn lost(dice: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    let often = |c: &char| han(*c) && text.matches(*c).count() >= 3;
    let letters: Vec<char> = text.chars().filter(often).collect::<BTreeSet<_>>().into_iter().collect();
    (!letters.is_empty()).then(|| (title.into(), text.replace(*pick(dice, &letters), "")))
}

/// Decimal points are lost.
fn point(_: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    let letters: Vec<char> = text.chars().collect();
    let inside = |at: usize| {
        let digit = |at: usize| letters.get(at).is_some_and(char::is_ascii_digit);
        letters[at] == '.' && at > 0 && digit(at - 1) && digit(at + 1)
    };
    let without = (0..letters.len()).map(|at| if inside(at) { ' ' } else { letters[at] }).collect::<String>();
    (without != text && chinese(text)).then(|| (title.into(), without))
}

fn part(text: &str, percent: u64) -> String {
    text.chars().take(text.chars().count() * percent as usize / 100).collect()
}

/// The end of the text is cut, sometimes that of the headline, too.
fn cut(dice: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    let (kept, end) = (30 + dice.roll(40), *pick(dice, &["...", "……", "...更多", ""]));
    let title = if dice.roll(2) == 0 { format!("{}...", part(title, 75)) } else { title.into() };
    Some((title, format!("{}{end}", part(text, kept))))
}

/// Readings stand behind some characters.
fn readings(_: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    const READ: [(char, &str); 8] = [
        ('的', "de"),
        ('长', "chang"),
        ('行', "xing"),
        ('不', "bu"),
        ('了', "le"),
        ('一', "yi"),
        ('人', "ren"),
        ('个', "ge"),
    ];
    let mut out = text.to_owned();
    for (letter, reading) in READ {
        out = out.replacen(letter, &format!("{letter}({reading})"), 2);
    }
    (out != text).then(|| (title.into(), out))
}

/// Advertisements and calls to readers stand between sentences.
fn advert(dice: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    const CHINESE: [&str; 6] = [
        "【扫码关注样城网】",
        "广告：样城家居周年大促",
        "《样城娱乐城》",
        "（来源：样城网）",
        "更多精彩内容请下载客户端",
        "▲图片来源：资料图",
    ];
    const ENGLISH: [&str; 3] =
        ["Download our app for more stories. ", "Sign up for our newsletter. ", "Advertisement: Sample Homes sale. "];
    let mut parts = sentences(text);
    for _ in 0..=dice.roll(3) {
        let at = 1 + dice.roll(parts.len() as u64 - 1) as usize;
        parts.insert(at, if chinese(text) { *pick(dice, &CHINESE) } else { *pick(dice, &ENGLISH) });
    }
    Some((title.into(), parts.concat()))
}

/// Bytes that nobody could read.
fn unreadable(dice: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    if !chinese(text) {
        let read = text.replace('\'', "â€™").replace('é', "Ã©");
        return (read != text).then(|| (title.into(), read));
    }
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(letters.len() as u64) as usize;
        letters[at] = '\u{fffd}';
    }
    Some((title.into(), letters.into_iter().collect()))
}

/// The script is converted, by half.
fn script(_: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    const PAIRS: &str = "长長两兩处處设設时時门門个個这這过過开開学學车車东東万萬发發边邊里裡来來为為进進现現间間还還点點条條头頭说說业業\
                         务務电電岁歲边邊预預计計块塊层層质質产產员員区區与與种種让讓图圖机機动動关關县縣只隻写寫对對";
    let pairs: BTreeMap<char, char> = {
        let letters: Vec<char> = PAIRS.chars().collect();
        letters.chunks(2).map(|pair| (pair[0], pair[1])).collect()
    };
    let half = text.chars().count() * 6 / 10;
    let convert = |(at, letter): (usize, char)| if at < half { *pairs.get(&letter).unwrap_or(&letter) } else { letter };
    chinese(text).then(|| {
        let whole = title.chars().map(|letter| *pairs.get(&letter).unwrap_or(&letter)).collect();
        (whole, text.chars().enumerate().map(convert).collect())
    })
}

/// Letters that print as one sign are lost.
fn ligature(_: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    let without = |text: &str| text.replace("ffi", "").replace("fi", "").replace("fl", "").replace("ff", "");
    (!chinese(text)).then(|| (title.into(), without(text)))
}

/// The first sentence is gone, and sometimes a word stands in its place.
fn headless(dice: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    let rest = sentences(text)[1..].concat();
    let instead = if chinese(text) && dice.roll(2) == 0 { "据报道，" } else { "" };
    Some((title.into(), format!("{instead}{rest}")))
}

/// A sentence is gone, and two have changed places.
fn moved(dice: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    let mut parts = sentences(text);
    let gone = 1 + dice.roll(parts.len() as u64 - 2) as usize;
    parts.remove(gone);
    let at = 1 + dice.roll(parts.len() as u64 - 2) as usize;
    parts.swap(at, at + 1);
    Some((title.into(), parts.concat()))
}

/// The page's furniture stands around the text, its name at the headline.
fn furniture(_: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    let around = if chinese(text) {
        format!("来源：样城网 字号：大 中 小 打印本页 {text} 责任编辑：样某 上一篇：无 下一篇：无")
    } else {
        format!("Follow us on every channel. {text} Subscribe to our newsletter")
    };
    Some((format!("{title}-{}", if chinese(text) { "样城网" } else { "Sample Gazette" }), around))
}

/// Several at once.
fn several(dice: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    let (title, text) = column(dice, title, text)?;
    let text = lost(dice, &title, &text).map_or_else(|| text.clone(), |(_, text)| text);
    let kept = 60 + dice.roll(20);
    Some((title, part(&text, kept)))
}

/// There is no text.
fn bare(_: &mut Dice, title: &str, _: &str) -> Option<(String, String)> {
    Some((title.into(), String::new()))
}

/// There is no text, and the headline is cut, but not beside a number: what is cut there may be any number.
fn bare_cut(_: &mut Dice, title: &str, _: &str) -> Option<(String, String)> {
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let mut kept = part(title, 80);
    while kept.ends_with(number) || title[kept.len()..].starts_with(number) {
        kept.pop();
    }
    (kept.chars().count() >= if chinese_title(title) { 12 } else { 36 }).then(|| (format!("{kept}..."), String::new()))
}

fn chinese_title(title: &str) -> bool {
    title.chars().any(han)
}

/// Other figures of the same length.
fn other_figures(dice: &mut Dice, text: &str) -> String {
    let other = |letter: char| match letter.to_digit(10) {
        Some(digit) => char::from_digit((digit + 1 + dice.roll(8) as u32) % 9 + 1, 10).unwrap(),
        None => letter,
    };
    text.chars().map(other).collect()
}

const CITIES: [&str; 16] = [
    "许昌",
    "焦作",
    "洛阳",
    "三门峡",
    "南阳",
    "开封",
    "新乡",
    "商丘",
    "信阳",
    "周口",
    "漯河",
    "安阳",
    "濮阳",
    "鹤壁",
    "驻马店",
    "平顶山",
];

/// The same told of another city, if the headline names one.
fn elsewhere(dice: &mut Dice, title: &str, text: &str) -> Option<(String, String)> {
    let here = CITIES.iter().find(|city| title.contains(*city))?;
    let there = CITIES.iter().cycle().skip_while(|city| *city != here).nth(1 + dice.roll(14) as usize)?;
    Some((other_figures(dice, &title.replace(here, there)), other_figures(dice, &text.replace(here, there))))
}

/// A copy or a look-alike.
struct Made {
    key: String,
    /// The story it was made of; a look-alike is one of its own.
    story: usize,
    kind: &'static str,
    /// An item of the tape, and its source.
    line: String,
    source: usize,
}

fn make(lines: &str, dice: &mut Dice) -> Vec<Made> {
    let mut made: Vec<Made> = Vec::new();
    let mut stories = 0;
    for line in lines.lines() {
        let (title, text) = line.split_once(" | ").unwrap();
        let story = stories;
        stories += 1;
        let first = dice.roll(SOURCES as u64) as usize;
        let mut nth = 0;
        let mut add = |kind: &'static str, story: usize, (title, text): (String, String), hours: i64| {
            nth += 1;
            let key = format!("{}-{kind}", made.len());
            let line = format!("{key} | {title} | {text} | pub=-{}h", AGE - hours);
            made.push(Made { key, story, kind, line, source: (first + nth * 3) % SOURCES });
        };
        for (kind, damage) in WHOLE.iter().chain(DAMAGES) {
            let later = dice.roll(30) as i64;
            // One reprint in eight is dated by its import. The text as it was written is nobody's reprint.
            let late = if dice.roll(8) == 0 { 24 * (20 + dice.roll(80) as i64) } else { 0 };
            let Some(copy) = damage(dice, title, text) else { continue };
            add(kind, story, copy, if *kind == "same" { 0 } else { later + late });
        }
        if let Some(copy) = elsewhere(dice, title, text) {
            add("elsewhere", stories, copy, dice.roll(24) as i64);
            stories += 1;
        }
        // Next month's bulletin has other figures; a text with few of them is no bulletin.
        let figures = text.split(|c: char| !(c.is_ascii_digit() || ".,".contains(c)));
        if figures.filter(|run| run.contains(|c: char| c.is_ascii_digit())).count() > FIGURES {
            let next = (other_figures(dice, title), other_figures(dice, text));
            add("next month", stories, next, 24 * 30);
            stories += 1;
        }
    }
    let (name, body) = if chinese(lines) {
        (
            "样城今日菜价",
            "样城主要蔬菜批发均价每公斤3.86元，黄瓜每公斤4.20元，番茄每公斤5.35元，土豆每公斤2.18元，交易量1260吨，供应充足。",
        )
    } else {
        (
            "Harbour prices today",
            "Cod fetched 4.86 pounds a kilo, haddock 3.75, mackerel 1.92 and brown crab 3.31, with 268 tonnes landed at the quay by noon.",
        )
    };
    for day in 0..6 {
        let key = format!("{}-series", made.len());
        let line = format!("{key} | {name} | {} | pub=-{}h", other_figures(dice, body), AGE - 24 * day);
        made.push(Made { key, story: stories, kind: "series", line, source: 7 });
        stories += 1;
    }
    made
}

/// Files everything in an order of the dice: some items of one source at a time.
fn file(desk: &mut Desk, made: &[Made], dice: &mut Dice) {
    let mut order: Vec<&Made> = made.iter().collect();
    for last in (1..order.len()).rev() {
        order.swap(last, dice.roll(last as u64 + 1) as usize);
    }
    desk.sources(SOURCES);
    for made in order {
        let item = item(&format!("s{}", made.source), &made.line, desk.now);
        let position = desk.wire(&Wire::Item(Box::new(item.clone())));
        desk.wire(&Wire::Filing(Filing {
            source: item.source,
            at: desk.now,
            listed: 1,
            items: vec![position],
            reading: 1,
            ..Filing::default()
        }));
    }
    desk.decide();
}

/// In thousandths.
#[derive(Debug, Default)]
struct Score {
    precision: usize,
    recall: usize,
    /// Copies that came to another copy of their story, by kind.
    found: BTreeMap<&'static str, usize>,
    /// Look-alikes that came to anything else.
    merged: usize,
    /// Stories that print a whole copy.
    whole: usize,
}

fn score(lines: &str) -> Score {
    let tell = std::env::var_os("LIKENESS").is_some();
    let (mut both, mut told, mut truly) = (0, 0, 0);
    let (mut found, mut merged, mut whole) = (BTreeMap::<_, (usize, usize)>::new(), (0, 0), (0, 0));
    for seed in SEEDS {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let made = make(lines, &mut dice);
        let mut desk = Desk::new();
        file(&mut desk, &made, &mut dice);
        let mut stories: BTreeMap<String, u64> = BTreeMap::new();
        let mut shown: BTreeSet<String> = BTreeSet::new();
        for story in desk.store.view().stories(StoryNo(1)).map(Result::unwrap) {
            if story.retired_into.is_none() {
                let key = |copy: &citydesk::model::story::Copy| copy.key.0.trim_start_matches("guid:").to_owned();
                shown.extend(story.shown().map(key));
                stories.extend(story.copies.iter().map(|copy| (key(copy), story.no.0)));
            }
        }
        let alike = |kind: &str| matches!(kind, "elsewhere" | "next month" | "series");
        for (index, one) in made.iter().enumerate() {
            let together = |other: &Made| stories.get(&one.key) == stories.get(&other.key);
            for other in &made[..index] {
                let (same, true_ones) = (together(other), one.story == other.story);
                told += usize::from(same);
                truly += usize::from(true_ones);
                both += usize::from(same && true_ones);
            }
            let mates: Vec<&Made> = made.iter().filter(|other| other.key != one.key && together(other)).collect();
            if alike(one.kind) {
                merged.0 += usize::from(!mates.is_empty());
                merged.1 += 1;
            } else {
                let right = mates.iter().any(|mate| mate.story == one.story);
                let count = found.entry(one.kind).or_default();
                count.0 += usize::from(right);
                count.1 += 1;
                if tell && !right {
                    println!("seed {seed} alone: {}", one.line);
                }
            }
            if tell && mates.iter().any(|mate| mate.story != one.story) {
                println!("seed {seed} with others: {} in {:?}", one.line, mates[0].line);
            }
            if one.kind == "same" {
                let whole_ones = |made: &&Made| WHOLE.iter().any(|(kind, _)| *kind == made.kind);
                let good = made.iter().filter(|other| other.story == one.story && shown.contains(&other.key));
                let good = good.clone().count() == 1 && good.clone().all(|other| whole_ones(&other));
                whole.0 += usize::from(good);
                whole.1 += 1;
                if tell && !good {
                    let shown = made.iter().filter(|other| other.story == one.story && shown.contains(&other.key));
                    println!("seed {seed} prints: {:?}", shown.map(|other| &other.key).collect::<Vec<_>>());
                }
            }
        }
    }
    Score {
        precision: both * 1000 / told,
        recall: both * 1000 / truly,
        found: found.into_iter().map(|(kind, (right, all))| (kind, right * 1000 / all)).collect(),
        merged: merged.0 * 1000 / merged.1,
        whole: whole.0 * 1000 / whole.1,
    }
}

#[test]
fn damaged_copies_find_their_story_and_a_whole_one_is_printed() {
    for (language, lines, least) in
        [("chinese", include_str!("damaged/chinese.txt"), 860), ("english", include_str!("damaged/english.txt"), 815)]
    {
        let score = score(lines);
        println!("{language}: {score:?}");
        if std::env::var_os("LIKENESS").is_none() {
            assert!(score.precision >= 990 && score.recall >= 970 && score.merged <= 5, "{language}: {score:?}");
            assert!(score.found.values().all(|found| *found >= 965), "{language}: {score:?}");
            assert!(score.whole >= least, "{language}: {score:?}");
        }
    }
}
