//! Lines that are nothing but labels and what they name: `来源：莲城日报 作者：张三 浏览：12`, `Source: Xinhua | Editor: huaxia`.
//!
//! A line is read piece by piece, and every piece must be one of a few kinds: a label with its value, a date, a counter, a
//! button's word. One piece that is none of them, and the line is prose. Words that are also verbs (编辑, 来源于, 转载) count
//! only before a mark, or before what can be nothing but the name of a person or of a paper. The labels stand in `labels.txt`.

use super::name::is_han;
use crate::model::item::Role;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Longest line that is read, in characters: a head with all its labels.
const LINE: usize = 200;

/// Longest name of a source in Chinese, in characters.
const NAME: usize = 30;

/// Longest name of a source in Latin letters, in characters.
const LATIN_NAME: usize = 60;

/// Longest name of a person, in characters, where a mark says that there is one.
const PERSON: usize = 16;

/// Most names behind one label.
const NAMES: usize = 12;

/// Longest list of tags, in characters.
const TAGS: usize = 160;

/// Longest headline, in characters.
const HEADLINE: usize = 120;

/// Longest value of a counter or date, in characters.
const META: usize = 40;

/// Words of a byline in Latin letters: two to so many.
const LATIN_WORDS: usize = 5;

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Who it is from.
    Source,
    /// Who made it, and as what.
    Hand(Role),
    /// Tags.
    Tags,
    /// The headline that it had where it comes from.
    Headline,
    /// A moment or a counter that says what it is.
    Meta,
    /// A date alone, a button's word.
    Mark,
}

/// One thing that a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// What it is.
    pub kind: Kind,
    /// The name, the list, the headline; empty where nothing worth keeping is named.
    pub value: String,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// Above the text.
    Head,
    /// Under it.
    Foot,
    /// In brackets.
    Brackets,
}

/// What `labels.txt` says.
#[derive(Debug, Default)]
struct Words {
    /// Labels by their first character in lower case, longest first.
    labels: BTreeMap<char, Vec<(&'static str, Kind)>>,
    /// Labels of a moment: announcements have them too, so that only a date may follow.
    moments: BTreeSet<&'static str>,
    alone: Vec<&'static str>,
    nobody: BTreeSet<&'static str>,
    surnames: BTreeSet<&'static str>,
    media: Vec<&'static str>,
    nonames: BTreeSet<&'static str>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words::default();
    for line in include_str!("labels.txt").lines() {
        let Some((kind, list)) = line.split_once(": ").filter(|_| !line.starts_with('#')) else { continue };
        let list = list.split('|').map(str::trim);
        let kind = match kind {
            "source" => Kind::Source,
            "author" => Kind::Hand(Role::Author),
            "correspondent" => Kind::Hand(Role::Correspondent),
            "photographer" => Kind::Hand(Role::Photographer),
            "editor" => Kind::Hand(Role::Editor),
            "tags" => Kind::Tags,
            "headline" => Kind::Headline,
            "word" => {
                words.alone.extend(list);
                continue;
            }
            "nobody" => {
                words.nobody.extend(list);
                continue;
            }
            "surname" => {
                words.surnames.extend(list);
                continue;
            }
            "media" => {
                words.media.extend(list);
                continue;
            }
            "noname" => {
                words.nonames.extend(list);
                continue;
            }
            "moment" => {
                words.moments.extend(list.clone());
                Kind::Meta
            }
            _ => Kind::Meta,
        };
        for label in list {
            let Some(first) = label.chars().next() else { continue };
            words.labels.entry(first.to_ascii_lowercase()).or_default().push((label, kind));
        }
    }
    for labels in words.labels.values_mut() {
        labels.sort_by_key(|(label, _)| std::cmp::Reverse(label.len()));
    }
    words.alone.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words
});

/// Marks between a label and its value.
const MARKS: [char; 10] = [':', '：', '丨', '|', '｜', '∶', '︰', '/', '／', '⼁'];

/// Marks of enumeration before a line.
const BULLETS: &str = "□■◎●○▲△▼◆◇★☆※►▶▌▍▪•·-—–*＊>";

/// What divides the pieces of a line.
const DIVIDERS: &str = "|｜丨⼁;；,，、/／•·–—-→>》~";

/// What no name has: ends of sentences, quotations.
const SENTENCE: [char; 10] = ['。', '！', '？', '!', '?', '；', '…', '，', '：', ':'];

/// Brackets, open and closed.
pub(super) const BRACKETS: [(char, char); 6] =
    [('（', '）'), ('(', ')'), ('【', '】'), ('[', ']'), ('［', '］'), ('〔', '〕')];

/// A date, a time of day, a day of the week, the page of a paper.
static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let month = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?";
    let clock = r"\d{1,2}[:：时]\d{1,2}(?:[:：分]\d{1,2}秒?|分)?(?:\s?[AaPp]\.?[Mm]\.?)?";
    let day = format!(
        r"(?:(?:19|20)\d{{2}}\s?[-/.年]\s?\d{{1,2}}\s?[-/.月]\s?\d{{1,2}}\s?日?|\d{{1,2}}[-/.月]\d{{1,2}}日?|{month} \d{{1,2}},? (?:19|20)\d{{2}}|\d{{1,2}} {month} (?:19|20)\d{{2}})"
    );
    let other = r"(?:星期|周)[一二三四五六日天]|第?[A-Za-z]?\d{1,3}版|GMT|UTC|CST|EST|EDT|BST|CET";
    Regex::new(&format!(r"^(?:{day}(?:[T\s]*{clock})?|{clock}|{other})(?:[\s|｜；;,，、）)\]】]|$)")).ok()
});

/// So far into a text, in bytes, the pattern of [`STAFF`] ends: its ranks may repeat, but not for so long.
const STAFF_LONGEST: usize = 400;

/// The organisation before its reporter: 新华社记者 张三.
static STAFF: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let rank = r"首席|见习|实习|全媒体|融媒体|融媒|特约|特派|驻[\p{Han}]{2,6}?|视频|摄影|文字";
    Regex::new(&format!(r"^([\p{{Han}}A-Za-z0-9·“”《》]{{2,24}}?)(?:{rank})*(?:记者|记者站|通讯员|评论员)")).ok()
});

/// What a line says, if it is nothing but labels and their values; in order.
pub(super) fn pieces(line: &str, spot: Spot) -> Option<Vec<Piece>> {
    let line = unwrapped(line.trim_start_matches(|c: char| c.is_whitespace() || BULLETS.contains(c)).trim());
    // Sentences are no labels: most lines go no further.
    let sentence = line.trim_end_matches(['。', '.']).contains('。');
    if line.is_empty() || sentence || line.chars().nth(LINE).is_some() {
        return None;
    }
    if spot != Spot::Foot
        && let Some(found) = byline(line)
    {
        return Some(found);
    }
    let mut found = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || DIVIDERS.contains(c));
        if rest.is_empty() || (rest == "." || rest == "。") {
            return Some(found);
        }
        rest = next(rest, &mut found, spot)?;
    }
}

/// Attribution before the first sentence of a line, where a text was flattened: `2026-11-23 来源：莲城网 正文…`. What it says,
/// and how many bytes it takes; only names of papers and of people count.
pub(super) fn opener(line: &str) -> Option<(usize, Vec<Piece>)> {
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    let mut taken = None;
    for _ in 0..NAMES {
        let start = rest.trim_start_matches(|c: char| c.is_whitespace() || "|｜".contains(c));
        if let Some(behind) = date(start) {
            rest = behind;
            continue;
        }
        let Some((kind, _, behind)) = labelled(start) else { break };
        let Some(value) = marked(behind) else { break };
        let end = value.find(|c: char| c.is_whitespace() || "|｜".contains(c)).unwrap_or(value.len());
        let name = value[..end].trim_matches(|c: char| "《》".contains(c));
        let fits = match kind {
            Kind::Source => is_media(name) && !name.contains(SENTENCE),
            Kind::Hand(_) => is_person(name),
            Kind::Meta => date(value).is_some(),
            _ => false,
        };
        if !fits || end == value.len() {
            break;
        }
        found.push(Piece { kind, value: if kind == Kind::Meta { String::new() } else { name.to_owned() } });
        rest = if kind == Kind::Meta { date(value).unwrap_or_default() } else { &value[end..] };
        taken = Some(line.len() - rest.trim_start().len());
    }
    taken.filter(|_| found.iter().any(|piece| piece.kind == Kind::Source)).map(|taken| (taken, found))
}

/// Without brackets around the whole line: 【责任编辑：王五】.
fn unwrapped(line: &str) -> &str {
    BRACKETS
        .iter()
        .find_map(|(open, close)| {
            let inner = line.strip_prefix(*open)?.strip_suffix(*close)?;
            (!inner.contains([*open, *close])).then_some(inner.trim())
        })
        .unwrap_or(line)
}

/// Reads one piece off the front; what is behind it.
fn next<'a>(text: &'a str, found: &mut Vec<Piece>, spot: Spot) -> Option<&'a str> {
    if let Some(rest) = date(text) {
        found.push(Piece { kind: Kind::Mark, value: String::new() });
        return Some(rest);
    }
    // 字体：[大 中 小], 来源：莲城日报（记者 张三）
    if let Some((inner, rest)) = bracketed(text) {
        found.extend(pieces(inner, Spot::Brackets)?);
        return Some(rest);
    }
    label(text, found, spot)
        .or_else(|| staff(text, found))
        .or_else(|| signed(text, found))
        .or_else(|| word(text, found))
}

/// The inside of a bracket that begins here, and what is behind it.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let (open, close) = BRACKETS.iter().find(|(open, _)| text.starts_with(*open))?;
    text[open.len_utf8()..].split_once(*close)
}

/// What is behind a date, if one stands here.
fn date(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    if !first.is_ascii_alphanumeric() && !"星周第".contains(first) {
        return None;
    }
    let matched = DATE.as_ref()?.find(text)?.as_str();
    // The divider that ends it is the next piece's.
    let last = matched.chars().next_back().filter(|c| !(c.is_alphanumeric() || *c == '.'));
    Some(&text[matched.len() - last.map_or(0, char::len_utf8)..])
}

/// Whether a line is a date with its time of day and nothing else: no text begins so.
pub(super) fn is_moment(line: &str) -> bool {
    line.contains([':', '：']) && line.bytes().filter(u8::is_ascii_digit).count() >= 8 && date(line.trim()) == Some("")
}

/// The label that stands here, its kind, and what is behind it.
fn labelled(text: &str) -> Option<(Kind, &'static str, &str)> {
    let first = text.chars().next()?;
    let latin = first.is_ascii_alphabetic();
    WORDS.labels.get(&first.to_ascii_lowercase())?.iter().find_map(|(label, kind)| {
        let (head, behind) = text.split_at_checked(label.len())?;
        let fits = if latin {
            head.eq_ignore_ascii_case(label) && !behind.starts_with(|c: char| c.is_alphanumeric() || c == '\'')
        } else {
            head == *label
        };
        fits.then_some((*kind, *label, behind))
    })
}

/// Behind the mark that may follow a label.
fn marked(behind: &str) -> Option<&str> {
    let mark = behind.trim_start();
    let rest = mark.strip_prefix(MARKS)?;
    // `来源：：`, `作者:|`
    Some(rest.trim_start_matches(|c: char| c.is_whitespace() || MARKS.contains(&c)))
}

/// A label with its value.
fn label<'a>(text: &'a str, found: &mut Vec<Piece>, spot: Spot) -> Option<&'a str> {
    let (kind, label, behind) = labelled(text)?;
    let by = label.ends_with(" by") || label.ends_with("from") || label.ends_with(" in") || label.ends_with(" on");
    let marked = marked(behind).or_else(|| behind.strip_prefix(' ').filter(|_| by || label.ends_with(" at")));
    let Some(value) = marked else { return bare(kind, label, behind, found, spot) };
    let end = end(value, kind);
    let (value, rest) =
        (value[..end].trim_end_matches(|c: char| c.is_whitespace() || DIVIDERS.contains(c)), &value[end..]);
    if value.is_empty() {
        found.push(Piece { kind: Kind::Mark, value: String::new() });
        return Some(rest);
    }
    match kind {
        Kind::Source => sources(value, found)?,
        Kind::Hand(role) => {
            // 图：黄河岸边 is a caption, 文：… a line of a text, 记者：… a question.
            let strict = matches!(
                label,
                "图" | "图片"
                    | "文"
                    | "视频"
                    | "记者"
                    | "記者"
                    | "文字"
                    | "Text"
                    | "Words"
                    | "Image"
                    | "Picture"
                    | "Photo"
            );
            hands(value, role, strict, found)?;
        }
        Kind::Tags => {
            if value.chars().nth(TAGS).is_some() || value.contains(['。', '！', '？']) {
                return None;
            }
            found.push(Piece { kind, value: value.to_owned() });
        }
        Kind::Headline => {
            if value.chars().nth(HEADLINE).is_some() {
                return None;
            }
            found.push(Piece { kind, value: value.trim_matches(['《', '》', '“', '”', '"']).to_owned() });
        }
        Kind::Meta | Kind::Mark => {
            let moment = WORDS.moments.contains(label);
            let fits = value.chars().nth(META).is_none() && !value.contains(['。', '！', '？', '；']);
            if !fits || (moment && date(value).is_none()) {
                return None;
            }
            let kind = if moment { Kind::Mark } else { Kind::Meta };
            found.push(Piece { kind, value: String::new() });
        }
    }
    Some(rest)
}

/// A label without a mark: 记者 张三, 来源于莲城日报. Only what can be nothing but a name may follow.
fn bare<'a>(kind: Kind, label: &str, behind: &'a str, found: &mut Vec<Piece>, spot: Spot) -> Option<&'a str> {
    match kind {
        Kind::Source => {
            let value = behind.trim_start();
            // 转载请注明…, 来源于黄河的水…: only a paper's name fits, and nothing may be said of it.
            let end = value.find(char::is_whitespace).unwrap_or(value.len());
            let (name, rest) = value.split_at(end);
            let quoted = name.starts_with('《') && name.ends_with('》');
            let latin = label.is_ascii();
            let fits = !latin && (quoted || (is_media(name) && name.chars().count() <= NAME / 2));
            let says = ["的", "了", "是", "在", "自", "请"].iter().any(|word| name.contains(word));
            if !fits || says || spot == Spot::Head && !quoted && label == "转载" {
                return None;
            }
            sources(name, found)?;
            Some(rest)
        }
        Kind::Hand(role) if !label.is_ascii() => {
            let glued = !behind.starts_with(char::is_whitespace);
            // 编辑成书, 文天祥, 图书: short words begin others.
            let word = label.chars().count() == 1;
            if behind.is_empty() || (glued && word) {
                return None;
            }
            // In brackets that hold nothing else any name of usual length is one.
            people(
                behind.trim_start(),
                role,
                spot == Spot::Brackets && (!glued || label.ends_with(['者', '员', '員'])),
                found,
            )
        }
        // A button: 打印, 分享.
        Kind::Meta | Kind::Mark => {
            let alone = behind.is_empty() || behind.starts_with(char::is_whitespace) || behind.starts_with(MARKS);
            if !alone || !WORDS.alone.contains(&label) {
                return None;
            }
            found.push(Piece { kind: Kind::Mark, value: String::new() });
            Some(behind)
        }
        _ => None,
    }
}

/// Where the value of a label ends: at a divider, or where the next piece begins.
fn end(value: &str, kind: Kind) -> usize {
    let list = matches!(kind, Kind::Tags | Kind::Headline);
    let mut before = None;
    // Brackets that were opened in the value are the value's.
    let mut depth = 0_usize;
    for (at, c) in value.char_indices() {
        if BRACKETS.iter().any(|(open, _)| *open == c) {
            depth += 1;
        } else if "】]］".contains(c) && depth == 0 || (!list && "|｜；;丨⼁".contains(c)) {
            return at;
        } else if BRACKETS.iter().any(|(_, close)| *close == c) {
            depth = depth.saturating_sub(1);
        }
        let gap = before.is_none_or(|c: char| c.is_whitespace() || ")）】]/／、，,|｜".contains(c));
        if at > 0 && (gap || !c.is_ascii_alphanumeric()) {
            let text = &value[at..];
            if let Some((next, label, behind)) = labelled(text) {
                // Glued to what stands before it only a label of two characters and more is one.
                let clear = gap || (label.chars().count() > 1 && !label.is_ascii());
                let other = !list || matches!(next, Kind::Source | Kind::Hand(_)) && label.chars().count() > 1;
                if clear && other && marked(behind).is_some() {
                    return at;
                }
                let person = gap && matches!(next, Kind::Hand(_)) && !label.is_ascii() && !list;
                if person && behind.starts_with(char::is_whitespace) {
                    return at;
                }
                if person && people(behind, Role::Author, false, &mut Vec::new()).is_some() && label.chars().count() > 1
                {
                    return at;
                }
            }
            if gap && depth == 0 && !list && (date(text).is_some() || word(text, &mut Vec::new()).is_some()) {
                return at;
            }
        }
        before = Some(c);
    }
    value.len()
}

/// The sources that a value names, divided by 、 or by blanks; in Chinese a person may follow.
fn sources(value: &str, found: &mut Vec<Piece>) -> Option<()> {
    let value = value.trim();
    let named = |name: &str| {
        let name = name.trim_matches(|c: char| c.is_whitespace() || "《》\"'“”：:，,。、".contains(c));
        let nobody = WORDS.nobody.contains(name) || WORDS.nobody.contains(&*name.to_ascii_lowercase());
        let value = if nobody || name.contains("://") || name.starts_with("www.") { "" } else { name };
        Piece { kind: Kind::Source, value: value.to_owned() }
    };
    if value.contains("://") {
        found.push(named(value));
        return (!value.contains(is_han)).then_some(());
    }
    if value.contains(SENTENCE) {
        return None;
    }
    if !value.contains(is_han) {
        let value = value.trim_end_matches('.');
        let words = value.split_whitespace().count();
        let begins = value.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()) || words == 1;
        let fits = begins && words <= 8 && value.chars().nth(LATIN_NAME).is_none();
        if !fits {
            return None;
        }
        found.extend(value.split([',', ';']).flat_map(|part| part.split(" / ")).map(named).take(NAMES));
        return Some(());
    }
    for part in value.split(['、', ',']).flat_map(|part| part.split('/')).take(NAMES) {
        let words: Vec<&str> = part.split_whitespace().collect();
        if let [first, rest @ ..] = words.as_slice()
            && !rest.is_empty()
            && words.iter().all(|word| word.contains(is_han))
        {
            found.push(named(first));
            for other in rest {
                let person = !is_media(other) && is_person(other);
                let kind = if person { Kind::Hand(Role::Author) } else { Kind::Source };
                found.push(Piece { kind, ..named(other) });
            }
        } else {
            found.push(named(part));
        }
    }
    found.iter().all(|piece| piece.kind != Kind::Source || piece.value.chars().nth(NAME).is_none()).then_some(())
}

/// The people that a value names, where a mark says that it names some.
fn hands(value: &str, role: Role, strict: bool, found: &mut Vec<Piece>) -> Option<()> {
    if value.contains(SENTENCE) {
        return None;
    }
    let latin = !value.contains(is_han);
    let value = value.trim().trim_end_matches('.');
    let parts: Vec<String> = if latin {
        value.replace(" and ", ",").replace(" & ", ",").split([',', ';', '、']).map(str::to_owned).collect()
    } else {
        joined(value)
    };
    let mut names = Vec::new();
    for part in &parts {
        let name = part.trim().trim_matches(|c: char| "《》“”\"'".contains(c));
        // 观察者网专栏作者 王文: what he is, then who he is.
        let calling = ["作者", "记者", "評論員", "评论员", "研究员", "特约撰稿人", "通讯员"]
            .iter()
            .any(|end| name.ends_with(end));
        if name.is_empty() || (calling && !latin && parts.len() > 1) {
            continue;
        }
        // "in London", "of the Herald"
        let name =
            if latin { name.split(" in ").next().unwrap_or(name).split(" for ").next().unwrap_or(name) } else { name };
        let fits = if latin {
            let words = name.split_whitespace().count();
            words <= LATIN_WORDS && name.chars().nth(LATIN_NAME).is_none() && (!strict || is_latin_person(name))
        } else {
            name.chars().nth(PERSON).is_none() && (!strict || is_person(name) || is_media(name))
        };
        if !fits || names.len() >= NAMES {
            return None;
        }
        names.push(name.to_owned());
    }
    for name in names {
        let nobody = WORDS.nobody.contains(name.as_str());
        found.push(Piece { kind: Kind::Hand(role), value: if nobody { String::new() } else { name } });
    }
    Some(())
}

/// The words of a value, a name written with a blank (张 三) as one.
fn joined(value: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut surname = false;
    for word in value.split(|c: char| c.is_whitespace() || "、,/／&".contains(c)).filter(|word| !word.is_empty()) {
        let single = word.chars().count() == 1 && word.contains(is_han);
        match out.last_mut() {
            Some(last) if surname && single => {
                last.push_str(word);
                surname = false;
            }
            _ => {
                surname = single && WORDS.surnames.contains(word);
                out.push(word.to_owned());
            }
        }
    }
    out
}

/// People at the front of a text, at least one; what is behind them.
fn people<'a>(text: &'a str, role: Role, lenient: bool, found: &mut Vec<Piece>) -> Option<&'a str> {
    let mut rest = text;
    let mut count = 0;
    loop {
        let start = rest.trim_start_matches(|c: char| c.is_whitespace() || "、,，".contains(c));
        let end =
            start.find(|c: char| c.is_whitespace() || "、,，；;|｜（(）)】]/／：:".contains(c)).unwrap_or(start.len());
        let mut word = start[..end].to_owned();
        let mut behind = &start[end..];
        // 张 三
        if WORDS.surnames.contains(word.as_str()) && word.chars().count() == 1 {
            let second = behind.trim_start();
            let end = second.find(|c: char| !is_han(c)).unwrap_or(second.len());
            if second[..end].chars().count() == 1 {
                word.push_str(&second[..end]);
                behind = &second[end..];
            }
        }
        if WORDS.alone.contains(&word.as_str()) {
            break;
        }
        let usual = lenient && (2..=3).contains(&word.chars().count()) && word.chars().all(is_han) && !is_said(&word);
        if !(is_person(&word) || usual) || count >= NAMES || labelled(start).is_some_and(|(_, label, _)| label == word)
        {
            break;
        }
        found.push(Piece { kind: Kind::Hand(role), value: word });
        count += 1;
        rest = behind;
    }
    (count > 0).then_some(rest)
}

/// The organisation with its reporters: 新华社记者 张三, 莲城日报全媒体记者：李四.
fn staff<'a>(text: &'a str, found: &mut Vec<Piece>) -> Option<&'a str> {
    // The pattern is dear, and hardly any line has the word.
    let begin = &text[..text.floor_char_boundary(STAFF_LONGEST)];
    if !["记者", "通讯员", "评论员"].iter().any(|word| begin.contains(word)) {
        return None;
    }
    let captures = STAFF.as_ref()?.captures(text)?;
    let (whole, name) = (captures.get(0)?, captures.get(1)?.as_str());
    let own = ["本报", "本网", "本台", "本刊", "本站", "本端", "报", "网"].contains(&name);
    let says = ["的", "在", "对", "问", "称", "告诉", "向", "给", "与", "和", "位", "名"]
        .iter()
        .any(|word| name.contains(word));
    let gap = text[whole.end()..].starts_with(char::is_whitespace);
    if !own && !is_media(name) && (says || !gap || name.chars().nth(8).is_some()) {
        return None;
    }
    let role = if whole.as_str().ends_with("通讯员") { Role::Correspondent } else { Role::Author };
    let behind = &text[whole.end()..];
    let behind = marked(behind).unwrap_or(behind);
    let mut named = Vec::new();
    let rest = people(behind.trim_start(), role, false, &mut named)?;
    if !own {
        let name = name.trim_matches(|c: char| "《》“”·".contains(c));
        found.push(Piece { kind: Kind::Source, value: name.to_owned() });
    }
    found.extend(named);
    Some(rest)
}

/// Who did what, the name first: 王五 摄, 李四/文 张三/图.
fn signed<'a>(text: &'a str, found: &mut Vec<Piece>) -> Option<&'a str> {
    let end = text.find(|c: char| !is_han(c) && c != '·').unwrap_or(text.len());
    let (mut name, mut behind) = text.split_at(end);
    let mut did = behind.trim_start_matches(|c: char| c.is_whitespace() || "/／|｜".contains(c));
    if let Some(bare) = name.strip_suffix("摄影").or_else(|| name.strip_suffix(['摄', '攝'])) {
        (name, did) = (bare, &text[bare.len()..]);
    }
    let verbs = [
        ("摄影报道", Role::Photographer),
        ("摄影", Role::Photographer),
        ("摄", Role::Photographer),
        ("攝", Role::Photographer),
        ("供图", Role::Photographer),
        ("制图", Role::Photographer),
        ("图", Role::Photographer),
        ("文/图", Role::Author),
        ("图/文", Role::Author),
        ("文", Role::Author),
        ("编辑", Role::Editor),
    ];
    let (verb, role) = verbs.into_iter().find(|(verb, _)| {
        did.strip_prefix(verb).is_some_and(|rest| !rest.starts_with(|c: char| is_han(c) || c.is_alphanumeric()))
    })?;
    if !(is_person(name) || role == Role::Photographer && is_media(name)) {
        return None;
    }
    behind = &did[verb.len()..];
    found.push(Piece { kind: Kind::Hand(role), value: name.to_owned() });
    Some(behind)
}

/// A word that stands alone. What the ones named before did (摄) makes them what they are.
fn word<'a>(text: &'a str, found: &mut Vec<Piece>) -> Option<&'a str> {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || is_han(c));
    if let Some(rest) = ["摄", "攝", "摄影"].iter().filter_map(|word| text.strip_prefix(word)).find(|rest| ends(rest))
    {
        let named = found.iter().rposition(|piece| !matches!(piece.kind, Kind::Hand(Role::Author)));
        let from = named.map_or(0, |at| at + 1);
        if from == found.len() {
            return None;
        }
        found[from..].iter_mut().for_each(|piece| piece.kind = Kind::Hand(Role::Photographer));
        return Some(rest);
    }
    let reported = || {
        let run = text.find(|c: char| !is_han(c)).unwrap_or(text.len());
        let place =
            ["报道", "報導", "報道"].iter().any(|end| text[..run].ends_with(end)) && text[..run].chars().count() <= 6;
        (place && !found.is_empty()).then_some(&text[run..])
    };
    let alone = WORDS.alone.iter().find_map(|word| text.strip_prefix(word).filter(|rest| ends(rest)));
    let rest = alone.or_else(reported)?;
    found.push(Piece { kind: Kind::Mark, value: String::new() });
    Some(rest)
}

/// Whether this can be the name of a person: a surname with a given name of one or two characters, or a transcribed name.
pub(super) fn is_person(word: &str) -> bool {
    let count = word.chars().count();
    if !word.chars().all(|c| is_han(c) || c == '·') {
        return false;
    }
    if word.contains('·') {
        return (4..=PERSON).contains(&count);
    }
    let begins = |length: usize| {
        let end = word.char_indices().nth(length).map_or(word.len(), |(at, _)| at);
        WORDS.surnames.contains(&word[..end])
    };
    !is_said(word) && ((2..=3).contains(&count) && begins(1) || (3..=4).contains(&count) && begins(2))
}

/// Whether this ends as what somebody does, or as an address: 记者了解到, 谢谢您.
fn is_said(word: &str) -> bool {
    WORDS.nonames.contains(word)
        || word.ends_with(['到', '说', '道', '称', '您', '们', '了', '的', '悉'])
        || word.starts_with(['在', '从', '对', '向', '到'])
}

/// Whether this ends as names of papers, agencies, sites and stations do.
pub(super) fn is_media(name: &str) -> bool {
    let name = name.trim_end_matches(['》', '”', '"']);
    let count = name.chars().count();
    (3..=NAME).contains(&count) && WORDS.media.iter().any(|end| name.ends_with(end))
}

/// Words that begin names of nobody in title case: `By Early Morning`.
const NO_NAMES: [&str; 24] = [
    "the",
    "a",
    "an",
    "this",
    "that",
    "then",
    "early",
    "late",
    "next",
    "last",
    "mid",
    "now",
    "noon",
    "midnight",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "all",
    "any",
    "far",
];

/// Whether this can be the name of a person in Latin letters: two words and more, each with a capital.
fn is_latin_person(name: &str) -> bool {
    let words: Vec<&str> = name.split_whitespace().collect();
    let particle = ["de", "da", "di", "du", "van", "von", "der", "den", "la", "le", "el", "al", "bin", "ten", "y"];
    let first = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    (2..=LATIN_WORDS).contains(&words.len())
        && !NO_NAMES.contains(&first.as_str())
        && words.iter().all(|word| {
            particle.contains(word)
                || word.starts_with(char::is_uppercase) && word.chars().all(|c| c.is_alphabetic() || ".'’-".contains(c))
        })
}

/// `By Jane Roe and John Doe, Staff Writers | Nov. 23, 2026`.
fn byline(line: &str) -> Option<Vec<Piece>> {
    let rest = ["By ", "BY ", "by "].iter().find_map(|by| line.strip_prefix(by))?;
    if line.chars().nth(LINE / 2).is_some() || rest.contains(['!', '?', ';']) {
        return None;
    }
    let mut pieces = Vec::new();
    let mut parts = rest.split(['|', '•', '·', '–', '—']);
    let people = parts.next()?.replace(" and ", ", ").replace(" AND ", ", ").replace(" & ", ", ");
    let mut words = people.split(',').map(str::trim).filter(|part| !part.is_empty());
    let first = words.next().filter(|name| is_latin_person(name))?;
    pieces.push(Piece { kind: Kind::Hand(Role::Author), value: first.to_owned() });
    for part in words {
        let lower = part.to_ascii_lowercase();
        let role = ["writer", "reporter", "correspondent", "editor", "staff", "for the", "special to"];
        if role.iter().any(|role| lower.contains(role)) || date(part).is_some() {
            continue;
        }
        let agency = ["press", "reuters", "news", "times", "herald", "post", "service", "media", "journal", "tribune"];
        if agency.iter().any(|agency| lower.ends_with(agency)) {
            pieces.push(Piece { kind: Kind::Source, value: part.to_owned() });
        } else if is_latin_person(part) {
            pieces.push(Piece { kind: Kind::Hand(Role::Author), value: part.to_owned() });
        } else {
            return None;
        }
    }
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        // What a newsroom calls itself, a date.
        let calm = part.split_whitespace().count() <= 6 && !part.contains(['.', '，', '。']) || date(part).is_some();
        if !calm {
            return None;
        }
    }
    Some(pieces)
}

/// A text as the name of a source: where it is stated to be one, anything of the length of a name is.
pub(super) fn name(text: &str) -> Option<String> {
    let name = unwrapped(text.trim()).trim_matches(|c: char| c.is_whitespace() || "《》\"'“”：:，,。|｜".contains(c));
    let most = if name.contains(is_han) { NAME } else { LATIN_NAME };
    let nobody = WORDS.nobody.contains(name);
    (!name.is_empty() && !nobody && !name.contains("://") && name.chars().nth(most).is_none()).then(|| name.to_owned())
}
