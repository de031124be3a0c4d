//! The chain of attribution: who is named as the source, in the feed, at the head and at the foot of a text.
//!
//! A line counts when it is nothing but attribution ([`label`]): labels with their values, dates, counters. Such lines leave
//! the text, and so do brackets of the same kind at its end; what they name is kept, with where it stood. The dateline of an
//! agency leaves only what is printed: where its reporter sits is evidence of the place, and the desk judges by it. The chain
//! runs from the one who publishes to the one it is from: what the feed states, the head, the foot, the dateline.

use super::label::{self, BRACKETS, Kind, Piece, Spot};
use crate::model::fold::fold;
use crate::model::item::{Credit, Hand, Raw, Role};
use regex::Regex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

/// How many lines that are no attribution are passed at the head (the headline again) and at the foot (a notice).
const OTHER_LINES: usize = 2;

/// Most lines of attribution that are taken at either end.
const MOST_LINES: usize = 12;

/// Most brackets that are taken off the end of one line: （记者 张三）（来源：莲城日报）.
const MOST_BRACKETS: usize = 3;

/// Longest bracket at the end of a line, in characters.
const BRACKET: usize = 80;

/// Longest name of an agency in a dateline in Latin letters, in characters.
const AGENCY: usize = 30;

/// Most links of a chain, and most hands: further ones are left out.
const MOST_NAMES: usize = 24;

/// Agencies, and sites that sign as agencies do.
const AGENCIES: &str = "中国新闻社|中国新闻网|新华社|新华网|中新社|中新网|中新经纬|人民网|央视网|央视新闻|央视财经|央广网|中国网|光明网|国际在线|海外网|环球网|澎湃新闻|财联社|法新社|路透社|路透|美联社|彭博社|共同社|塔斯社|俄新社|韩联社|德新社|中央社|法廣|法广";

/// What was found at the ends of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Of lines that are attribution in whole or in part: which bytes stay.
    kept: BTreeMap<usize, Range<usize>>,
    /// The line that begins with a dateline, and where its text begins.
    dateline: Option<(usize, usize)>,
    /// Links of the chain, outermost first.
    pub credits: Vec<Credit>,
    /// Who worked on it.
    pub hands: Vec<Hand>,
    /// Lists of tags, as written.
    pub tags: Vec<String>,
    /// The headline that it had where it comes from.
    pub headline: Option<String>,
}

impl Taken {
    /// Whether nothing has to leave what is printed.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.dateline.is_none()
    }

    /// Which bytes of its lines are printed, of the lines that are not printed whole.
    pub(super) fn printed(&self) -> BTreeMap<usize, Range<usize>> {
        let mut printed = self.kept.clone();
        if let Some((line, begin)) = self.dateline {
            let range = printed.entry(line).or_insert(begin..usize::MAX);
            range.start = begin.min(range.end);
        }
        printed
    }

    /// The text without its attribution, to judge by: datelines stay.
    pub(super) fn judged(&self, text: &str) -> String {
        without(text, &self.kept)
    }

    /// The text as it is printed.
    pub(super) fn print(&self, text: &str) -> String {
        without(text, &self.printed())
    }

    /// Keeps what pieces of a line name.
    fn keep(&mut self, pieces: Vec<Piece>, place: &str) {
        for piece in pieces {
            let value = piece.value.trim().to_owned();
            match piece.kind {
                _ if value.is_empty() => {}
                Kind::Source => link(&mut self.credits, &value, place),
                Kind::Hand(role) => {
                    let hand = Hand { name: value, role, place: place.to_owned() };
                    if !self.hands.contains(&hand) && self.hands.len() < MOST_NAMES {
                        self.hands.push(hand);
                    }
                }
                Kind::Tags => self.tags.push(value),
                Kind::Headline => self.headline = self.headline.take().or(Some(value)),
                Kind::Meta | Kind::Mark => {}
            }
        }
    }
}

fn without(text: &str, kept: &BTreeMap<usize, Range<usize>>) -> String {
    if kept.is_empty() {
        return text.to_owned();
    }
    let lines = text.lines().enumerate().map(|(at, line)| match kept.get(&at) {
        Some(range) => line.get(range.start.min(line.len())..range.end.min(line.len())).unwrap_or(line).trim(),
        None => line,
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Adds a link, unless it is the one before it again.
fn link(credits: &mut Vec<Credit>, name: &str, place: &str) {
    let again = credits.last().is_some_and(|last| fold(&last.name) == fold(name));
    if !again && credits.len() < MOST_NAMES {
        credits.push(Credit { name: name.to_owned(), place: place.to_owned() });
    }
}

/// What lines beside the text of an article's page name.
pub(super) fn beside(lines: &[String], place: &str) -> Taken {
    let mut taken = Taken::default();
    let spot = if place == "foot" { Spot::Foot } else { Spot::Head };
    for line in lines {
        if let Some(pieces) = label::pieces(line, spot).filter(|pieces| tells(pieces)) {
            taken.keep(pieces, place);
        }
    }
    taken
}

/// What feed, list and page state, outermost first.
pub(super) fn stated(raw: &Raw, header: &Taken, place: &str) -> Vec<Credit> {
    let mut credits = Vec::new();
    let first = raw.credit.iter().map(|name| (name.as_str(), place));
    let others = raw.credits.iter().map(|credit| (credit.name.as_str(), credit.place.as_str()));
    for (text, place) in first.chain(others) {
        let text = super::text::headline(text);
        let named = label::pieces(&text, Spot::Brackets).unwrap_or_default();
        let mut named = named.into_iter().filter(|piece| piece.kind == Kind::Source).peekable();
        if named.peek().is_some() {
            named.filter(|piece| !piece.value.is_empty()).for_each(|piece| link(&mut credits, &piece.value, place));
        } else if let Some(name) = label::name(&text) {
            link(&mut credits, &name, place);
        }
    }
    for credit in &header.credits {
        if !credits.iter().any(|known| fold(&known.name) == fold(&credit.name)) {
            link(&mut credits, &credit.name, &credit.place);
        }
    }
    credits
}

/// The whole chain: what is stated, then what the text names, before it what only the other text of the item names.
pub(super) fn chain(mut stated: Vec<Credit>, other: &Taken, main: &Taken, footer: &Taken) -> Vec<Credit> {
    let known = |name: &str| main.credits.iter().chain(&stated).any(|credit| fold(&credit.name) == fold(name));
    let others: Vec<&Credit> = other.credits.iter().filter(|credit| !known(&credit.name)).collect();
    // The agency of the dateline is the innermost.
    let wired = main.credits.iter().filter(|credit| credit.place == "dateline");
    let text = main.credits.iter().filter(|credit| credit.place != "dateline");
    // A line at the very end may be taken for one of the text and for one under it.
    let twice = |name: &str| main.credits.iter().any(|credit| fold(&credit.name) == fold(name));
    let under = footer.credits.iter().filter(|credit| !twice(&credit.name));
    let all = others.into_iter().chain(text).chain(under).chain(wired);
    all.for_each(|credit| link(&mut stated, &credit.name, &credit.place));
    stated
}

/// Whether lines of attribution say more than when, how often and in which size: a line of these alone may be part of a text.
fn tells(pieces: &[Piece]) -> bool {
    pieces.iter().any(|piece| !matches!(piece.kind, Kind::Meta | Kind::Mark))
}

/// Finds the attribution at both ends of a text. `title` is its headline, which a text may repeat.
pub(super) fn take(text: &str, title: &str) -> Taken {
    let lines: Vec<&str> = text.lines().collect();
    let mut taken = Taken::default();
    head(&lines, title, &mut taken);
    let first = (0..lines.len()).find(|at| !taken.kept.contains_key(at));
    let opener = first.and_then(|at| Some((at, label::opener(lines.get(at)?)?)));
    let mut begin = 0;
    if let Some((_, (length, pieces))) = opener.clone() {
        begin = length;
        taken.keep(pieces, "head");
    }
    let mut foot = Taken { kept: std::mem::take(&mut taken.kept), ..Taken::default() };
    feet(&lines, &mut foot);
    taken.kept = foot.kept;
    foot.credits.iter().for_each(|credit| link(&mut taken.credits, &credit.name, &credit.place));
    taken.hands.extend(foot.hands);
    taken.tags.extend(foot.tags);
    taken.headline = taken.headline.or(foot.headline);
    if let Some((at, _)) = opener {
        let range = taken.kept.entry(at).or_insert(begin..usize::MAX);
        range.start = begin.min(range.end);
    }
    if let Some(at) = first
        && let Some(line) = lines.get(at).and_then(|line| line.get(begin..))
        && let Some((end, pieces)) = dateline(line)
    {
        taken.keep(pieces, "dateline");
        taken.dateline = Some((at, begin + end));
    }
    taken
}

/// Lines of attribution above the text, with dates and counters between them.
fn head(lines: &[&str], title: &str, taken: &mut Taken) {
    let mut others = 0;
    // Dates and counters wait for a line that says more.
    let mut waiting: Vec<usize> = Vec::new();
    let mut any = false;
    // The headline again, with its date under it, is no text either.
    let title_again = lines.first().is_some_and(|line| again(line, title)) && lines.len() > 2;
    for (at, line) in lines.iter().enumerate() {
        if others > OTHER_LINES || taken.kept.len() >= MOST_LINES {
            break;
        }
        match label::pieces(line, Spot::Head) {
            Some(pieces) if title_again && at == 1 && pieces.iter().any(|piece| piece.kind == Kind::Meta) => {
                taken.kept.extend([(0, 0..0), (1, 0..0)]);
                taken.keep(pieces, "head");
                any = true;
            }
            Some(pieces) if tells(&pieces) => {
                any = true;
                waiting.drain(..).chain([at]).for_each(|at| {
                    taken.kept.insert(at, 0..0);
                });
                taken.keep(pieces, "head");
            }
            Some(pieces) if pieces.iter().any(|piece| piece.kind == Kind::Meta) && any => {
                taken.kept.insert(at, 0..0);
            }
            Some(_) if at == 0 && lines.len() > 1 && label::is_moment(line) => {
                taken.kept.insert(at, 0..0);
            }
            Some(_) => waiting.push(at),
            // The headline may stand before it again; a sentence may not.
            None if !any && (again(line, title) || (others == 0 && lines.len() > 2 && !line.contains('。'))) => {
                others += 1;
            }
            None => break,
        }
    }
}

/// Whether a line is the headline again.
fn again(line: &str, title: &str) -> bool {
    !title.is_empty() && line.chars().count() <= 2 * title.chars().count() && fold(line) == fold(title)
}

/// Lines of attribution under the text, and brackets at the end of its last lines.
fn feet(lines: &[&str], taken: &mut Taken) {
    let mut others = 0;
    let mut count = 0;
    let mut found: Vec<Vec<Piece>> = Vec::new();
    let mut ended = false;
    for (at, line) in lines.iter().enumerate().rev() {
        if others > OTHER_LINES || count >= MOST_LINES || taken.kept.contains_key(&at) {
            break;
        }
        match label::pieces(line, Spot::Foot) {
            Some(pieces) if tells(&pieces) => {
                taken.kept.insert(at, 0..0);
                count += 1;
                found.push(pieces);
                continue;
            }
            Some(pieces) if pieces.iter().any(|piece| piece.kind == Kind::Meta) => {
                // A counter alone is cut only with a line that says more beside it.
                continue;
            }
            _ => {}
        }
        if let Some((end, pieces)) = brackets(line, !ended) {
            taken.kept.insert(at, 0..end);
            found.push(pieces);
        }
        ended = true;
        others += 1;
    }
    let reached = lines.len().saturating_sub(count + others + 1);
    if let Some(block) = blocks(lines, reached) {
        for (at, pieces) in block.into_iter().rev() {
            if taken.kept.insert(at, 0..0).is_none() {
                found.push(pieces);
            }
        }
    }
    found.into_iter().rev().for_each(|pieces| taken.keep(pieces, "foot"));
}

/// Lines under the text among which a block of attribution is looked for: what follows it tells readers of other things.
const NOTICES: usize = 16;

/// A block of attribution above notices and advertisements: lines of it in a row, one of which names a source.
fn blocks(lines: &[&str], until: usize) -> Option<Vec<(usize, Vec<Piece>)>> {
    let from = until.saturating_sub(NOTICES).max(lines.len() / 2);
    let mut run: Vec<(usize, Vec<Piece>)> = Vec::new();
    for (at, line) in lines.iter().enumerate().take(until).skip(from) {
        match label::pieces(line, Spot::Foot) {
            Some(pieces) if tells(&pieces) => run.push((at, pieces)),
            _ => {
                let source = run.iter().flat_map(|(_, pieces)| pieces).any(|piece| piece.kind == Kind::Source);
                if run.len() > 1 && source {
                    return Some(run);
                }
                run.clear();
            }
        }
    }
    None
}

/// Brackets of attribution at the end of a line: where the text before them ends, and what they say. `last` is whether it is
/// the end of the whole text, where an agency closes with （完）.
fn brackets(line: &str, last: bool) -> Option<(usize, Vec<Piece>)> {
    let mut end = line.trim_end().len();
    let mut found: Vec<Vec<Piece>> = Vec::new();
    for _ in 0..MOST_BRACKETS {
        let rest = line[..end].trim_end();
        let inner = rest.strip_suffix(['。', '.']).unwrap_or(rest);
        let full = inner.len() < rest.len();
        let Some((open, close)) = BRACKETS.iter().find(|(_, close)| inner.ends_with(*close)) else { break };
        let Some(at) = inner.rfind(*open) else { break };
        let inside = inner[at + open.len_utf8()..inner.len() - close.len_utf8()].trim();
        let before = line[..at].trim_end();
        if inside.chars().nth(BRACKET).is_some() || quoted(before) {
            break;
        }
        let closed = before.is_empty()
            || before.ends_with(['。', '！', '？', '”', '…', '」', '.', '!', '?', '）', ')', '】', '；']);
        let mark = matches!(inside, "完" | "全文完" | "END" | "End" | "end");
        let pieces = if mark {
            if !last || full {
                break;
            }
            Vec::new()
        } else if let Some(pieces) = label::pieces(inside, Spot::Brackets).filter(|pieces| tells(pieces)) {
            // Before the full stop it belongs to the sentence: 同比增长5%（来源：国家统计局）。
            let source = pieces.iter().any(|piece| piece.kind == Kind::Source && !label::is_media(&piece.value));
            if full && !closed && source {
                break;
            }
            pieces
        } else if let Some(name) = agency(inside, closed) {
            vec![Piece { kind: Kind::Source, value: name }]
        } else {
            break;
        };
        found.push(pieces);
        if full && !closed {
            // The full stop is the sentence's, which has none before the bracket: it stays as it is.
            break;
        }
        end = before.len();
    }
    if found.is_empty()
        && let Some((before, pieces)) = trailer(line)
    {
        return Some((before, pieces));
    }
    (!found.is_empty()).then(|| (end, gathered(found)))
}

/// So many bytes at the end of a line hold more characters than a line of attribution may have.
const TRAILER: usize = 1_000;

/// Attribution behind the last sentence of a line: …明天开放。来源：莲城日报 编辑：李四
fn trailer(line: &str) -> Option<(usize, Vec<Piece>)> {
    let ends = ["。", "！", "？", "”", "…", "）", ". ", "! ", "? "];
    // What is longer than a line of attribution is none: only the end of a long line is looked at.
    let begin = line.floor_char_boundary(line.len().saturating_sub(TRAILER));
    let tail = &line[begin..];
    if !tail.contains([':', '：', '丨', '|', '｜']) {
        return None;
    }
    let end = ends.iter().filter_map(|mark| tail.trim_end().rfind(mark).map(|at| begin + at + mark.len())).max()?;
    let (before, rest) = line.split_at(end);
    let labelled = rest.contains([':', '：', '丨', '|', '｜']);
    if !labelled || quoted(before) {
        return None;
    }
    let pieces = label::pieces(rest, Spot::Foot).filter(|pieces| tells(pieces))?;
    Some((before.trim_end().len(), pieces))
}

fn gathered(found: Vec<Vec<Piece>>) -> Vec<Piece> {
    found.into_iter().rev().flatten().collect()
}

/// Whether a quotation is open at the end of this.
fn quoted(before: &str) -> bool {
    let count = |mark: char| before.matches(mark).count();
    count('“') > count('”')
        || count('「') > count('」')
        || count('『') > count('』')
        || count('‘') > count('’') && !before.is_ascii()
}

/// 据新华社, 新华社供本报专稿: the name in a bracket without a label.
fn agency(inside: &str, closed: bool) -> Option<String> {
    let reported = inside.strip_prefix("据").or_else(|| inside.strip_prefix("综合"));
    let name = reported.unwrap_or(inside);
    let name = ["报道", "电", "消息", "供本报专稿", "供稿", "专稿"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name)
        .trim_matches(|c: char| "《》".contains(c));
    let known = AGENCIES.split('|').any(|agency| agency == name);
    let fits = known || (label::is_media(name) && name.chars().count() <= 14 && !name.contains(['的', '，', '、']));
    (fits && (closed || reported.is_some())).then(|| name.to_owned())
}

/// Datelines in Chinese: agency or paper, place, date, 电 or 讯.
static WIRED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let own = "本报|本网|本台|本刊|本站|本端";
    let media = r"[\p{Han}A-Za-z·]{1,16}(?:社|网|報|报|台|刊|端|频道|在线|新闻|发布|视频)";
    let day = r"(?:(?:\d{4}年)?\s?\d{1,2}月\s?\d{1,2}日)";
    Regex::new(&format!(
        r"^[\s【\[（(□■◎●]*(?P<prefix>据|综合)?(?:(?P<own>{own})|(?P<agency>{AGENCIES})|(?P<media>{media}))(?P<place>[\p{{Han}}/、·]{{0,12}}?)\s?(?P<day>{day})?\s?(?:综合|专|新媒体专|新媒体|快)?(?P<end>电|讯|消息)(?P<close>[】\]）)])?"
    ))
    .ok()
});

/// Datelines in Latin letters: `BERLIN (dpa) –`, `BEIJING, Nov. 23 (Xinhua) --`.
static CABLED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(
        r"^(?P<place>\p{{Lu}}[\p{{L}}0-9 .,'’/-]{{1,60}}?)\s?\((?P<agency>[^()]{{2,{AGENCY}}})\)\s*(?:--|[-–—―])\s*"
    ))
    .ok()
});

/// Agencies that sign in Latin letters, whatever the case of the place before them.
const CABLES: [&str; 28] = [
    "ap", "afp", "upi", "reuters", "xinhua", "dpa", "ansa", "efe", "apa", "ats", "sda", "belga", "anp", "lusa", "pap",
    "ctk", "mti", "tass", "ria", "interfax", "kyodo", "yonhap", "bernama", "antara", "pti", "ians", "ani", "cns",
];

/// A dateline at the beginning of a line: where the text begins behind it, and what it names.
fn dateline(line: &str) -> Option<(usize, Vec<Piece>)> {
    wired(line).or_else(|| bylined(line)).or_else(|| cabled(line))
}

fn wired(line: &str) -> Option<(usize, Vec<Piece>)> {
    let captures = WIRED.as_ref()?.captures(line)?;
    let whole = captures.get(0)?;
    let part = |name: &str| captures.name(name).map(|part| part.as_str());
    let (dated, end) = (part("day").is_some(), part("end")?);
    let opened = line.trim_start().starts_with(['【', '[', '（', '(']);
    if opened != part("close").is_some() && (opened || part("close").is_some()) {
        return None;
    }
    let behind = &line[whole.end()..];
    let bracket = leading(behind);
    let boundary =
        opened || bracket.is_some() || behind.starts_with(|c: char| c.is_whitespace() || "：:，,—-".contains(c));
    let (own, known) = (part("own").is_some(), part("agency").is_some());
    // 新华社电影频道, 中新网消息显示: what stands behind must end the word.
    let ended =
        boundary || (dated && end == "电") || (own && end == "讯" && !behind.starts_with(['息', '问', '号', '飞']));
    // 据市气象台消息，… is a sentence; so is 市电视台电 …
    let signed = own || known || opened || (part("prefix").is_none() && end != "消息" && (dated || end == "讯"));
    // 据新华社消息，… tells who says what follows.
    let says = part("prefix").is_some() && (end == "消息" || behind.starts_with(['，', ',']));
    if !ended || !signed || says {
        return None;
    }
    let mut pieces = Vec::new();
    if !own {
        let name = part("agency").or_else(|| part("media"))?;
        // A verb or a particle in it, and it is a sentence.
        if part("media").is_some() && name.contains(['的', '在', '从', '对', '了', '是', '与', '和']) {
            return None;
        }
        pieces.push(Piece { kind: Kind::Source, value: name.to_owned() });
    }
    let mut at = whole.end();
    if let Some((length, found)) = bracket {
        at += length;
        pieces.extend(found);
    } else if let Some((length, found)) = reporters(behind) {
        at += length;
        pieces.extend(found);
    }
    let rest = line[at..].trim_start_matches(|c: char| c.is_whitespace() || "：:，,—-".contains(c));
    Some((line.len() - rest.len(), pieces))
}

/// A bracket with the reporters at the beginning: its length in bytes, and what it says. 央视网消息（新闻联播） is one too.
fn leading(text: &str) -> Option<(usize, Vec<Piece>)> {
    let start = text.trim_start();
    let (open, close) = BRACKETS.iter().find(|(open, _)| start.starts_with(*open))?;
    let end = start.find(*close)?;
    let inside = &start[open.len_utf8()..end];
    if inside.chars().nth(BRACKET).is_some() {
        return None;
    }
    let length = text.len() - start.len() + end + close.len_utf8();
    let pieces = label::pieces(inside, Spot::Brackets).filter(|pieces| tells(pieces));
    let reporters =
        ["记者", "通讯员", "见习记者", "实习记者", "本报记者", "記者"].iter().any(|word| inside.starts_with(word));
    if reporters && pieces.is_none() && !inside.contains(['，', '。', '：']) {
        // 记者陈智 整合: who it is, as far as it can be told.
        let first = inside.split(char::is_whitespace).next().and_then(|first| label::pieces(first, Spot::Brackets));
        return Some((length, first.unwrap_or_default()));
    }
    let programme = text[length..].starts_with(['：', ':']) && inside.chars().count() <= 12;
    pieces.or_else(|| programme.then(Vec::new)).map(|pieces| (length, pieces))
}

/// 本报讯 记者张三 通讯员李四报道：…: its length, and what it says.
fn reporters(text: &str) -> Option<(usize, Vec<Piece>)> {
    let start = text.trim_start();
    if !(start.starts_with("记者")
        || start.starts_with("通讯员")
        || start.starts_with("见习记者")
        || start.starts_with("实习记者"))
    {
        return None;
    }
    let (report, mark) = start.char_indices().take(BRACKET).find_map(|(at, _)| {
        ["报道：", "报道:", "报道 ", "摄影报道 "]
            .iter()
            .find(|mark| start[at..].starts_with(**mark))
            .map(|mark| (at, mark))
    })?;
    let pieces = label::pieces(&start[..report], Spot::Brackets)?;
    Some((text.len() - start.len() + report + mark.len(), pieces))
}

/// （记者 张三） or 【莲城日报讯】 before the first sentence.
fn bylined(line: &str) -> Option<(usize, Vec<Piece>)> {
    let (length, pieces) = leading(line)?;
    let rest = line[length..].trim_start_matches(|c: char| c.is_whitespace() || "：:，,".contains(c));
    (tells(&pieces) && !rest.is_empty()).then_some((line.len() - rest.len(), pieces))
}

/// The first word of a name in lower case: dpa of `dpa/tmn`.
fn first_word(name: &str) -> String {
    name.trim().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase()
}

fn cabled(line: &str) -> Option<(usize, Vec<Piece>)> {
    // (Reuters) - Text
    if let Some((name, rest)) = line.trim_start().strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        let text = rest.trim_start().trim_start_matches(['-', '–', '—', '―']);
        let dash = text.len() < rest.trim_start().len();
        let known = name.chars().count() <= AGENCY && CABLES.contains(&first_word(name).as_str());
        let piece = Piece { kind: Kind::Source, value: name.trim().to_owned() };
        return (dash && known).then(|| (line.len() - text.trim_start().len(), vec![piece]));
    }
    let captures = CABLED.as_ref()?.captures(line)?;
    let (place, name) = (captures.name("place")?.as_str(), captures.name("agency")?.as_str().trim());
    let first = first_word(name);
    let city = place.split([',', '/']).next().unwrap_or(place);
    let loud = city.chars().filter(|c| c.is_alphabetic()).count() >= 2 && !city.chars().any(char::is_lowercase);
    let named = name.starts_with(char::is_uppercase) && !name.chars().any(|c| c.is_ascii_digit());
    let known = CABLES.contains(&first.as_str());
    let fits = known || (loud && named && name.split_whitespace().count() <= 4);
    fits.then(|| (captures.get(0).map_or(0, |m| m.end()), vec![Piece { kind: Kind::Source, value: name.to_owned() }]))
}

/// Everybody who worked on it, each once in each role.
pub(super) fn hands(header: Vec<Hand>, text: Vec<Hand>, footer: Vec<Hand>) -> Vec<Hand> {
    let mut all: Vec<Hand> = Vec::new();
    for hand in header.into_iter().chain(text).chain(footer) {
        if !all.iter().any(|known| known.name == hand.name && known.role == hand.role) && all.len() < MOST_NAMES {
            all.push(hand);
        }
    }
    all
}

/// The bylines of an item: who is stated, unless only as its editor, and who wrote by what the text says.
pub(super) fn bylines(stated: &[String], hands: &[Hand], credits: &[Credit]) -> Vec<String> {
    let wrote = |role: Role| matches!(role, Role::Author | Role::Correspondent);
    let edited = |name: &str| {
        let same = |hand: &&Hand| fold(&hand.name) == fold(name);
        hands.iter().any(|hand| hand.role == Role::Editor && same(&hand))
            && !hands.iter().any(|hand| wrote(hand.role) && same(&hand))
    };
    let desk = |name: &str| credits.iter().any(|credit| credit.place == "page" && fold(&credit.name) == fold(name));
    let stated = stated.iter().filter(|name| !edited(name) && !desk(name)).cloned();
    stated.chain(hands.iter().filter(|hand| wrote(hand.role)).map(|hand| hand.name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = include_str!("../../tests/credit/lines.txt");

    /// What is made of a text, in the form of the file.
    fn shown(text: &str, title: &str) -> Vec<String> {
        let taken = take(text, title);
        let printed = taken.print(text);
        let mut out: Vec<String> = Vec::new();
        if printed != text {
            out.extend(printed.lines().map(|line| format!("= {line}")));
            if printed.is_empty() {
                out.push("= -".to_owned());
            }
        }
        let mut list = |key: &str, values: Vec<String>| {
            if !values.is_empty() {
                out.push(format!("{key}: {}", values.join(" | ")));
            }
        };
        list("chain", taken.credits.iter().map(|credit| format!("{}@{}", credit.name, credit.place)).collect());
        let hand = |hand: &Hand| format!("{} {}@{}", hand.role.word(), hand.name, hand.place);
        list("hands", taken.hands.iter().map(hand).collect());
        list("tags", taken.tags.clone());
        list("former", taken.headline.iter().cloned().collect());
        out
    }

    #[test]
    fn attribution_is_read_and_cut_out_and_prose_stays() {
        let mut wrong = Vec::new();
        let mut count = 0;
        for case in LINES.split("\n\n") {
            let lines: Vec<&str> = case.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
            let text: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("> ")).collect();
            if text.is_empty() {
                continue;
            }
            count += 1;
            let text = text.join("\n");
            let title = lines.iter().find_map(|line| line.strip_prefix("title: ")).unwrap_or_default();
            let rest = lines.into_iter().filter(|line| !line.starts_with("> ") && !line.starts_with("title: "));
            let expected: Vec<String> = rest.map(str::to_owned).collect();
            let found = shown(&text, title);
            if found != expected {
                wrong.push(format!("{text}\n  found    {}\n  expected {}", found.join(" "), expected.join(" ")));
            }
        }
        assert!(count >= 140, "{count} cases");
        assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn a_dateline_is_not_printed_but_judged_by() {
        let text = "新华社郑州11月23日电（记者 张三）正文。\n来源：莲城网";
        let taken = take(text, "");
        assert_eq!(taken.judged(text), "新华社郑州11月23日电（记者 张三）正文。");
        assert_eq!(taken.print(text), "正文。");
    }

    #[test]
    fn what_is_stated_loses_its_label() {
        let stated = |text: &str| {
            let raw = Raw { credit: Some(text.to_owned()), ..Raw::default() };
            stated(&raw, &Taken::default(), "feed")
                .into_iter()
                .map(|credit| credit.name)
                .collect::<Vec<_>>()
                .join(" | ")
        };
        for (text, expected) in [
            ("来源：莲城日报", "莲城日报"),
            (" 莲城日报 ", "莲城日报"),
            ("莲城日报、莲城网", "莲城日报、莲城网"),
            ("来源：莲城日报 2026-11-23", "莲城日报"),
            ("the morning post", "the morning post"),
            ("", ""),
            ("本站", ""),
            ("https://news.example/feed.xml", ""),
        ] {
            assert_eq!(stated(text), expected, "{text}");
        }
    }

    #[test]
    fn a_chain_runs_from_feed_to_text() {
        let raw = Raw {
            credit: Some("财报网".to_owned()),
            credits: vec![Credit { name: "莲城网".to_owned(), place: "page".to_owned() }],
            ..Raw::default()
        };
        let main = take("来源：莲城网\n正文。\n来源：莲城日报", "");
        let other = take("来源：莲城晚报\n正文。", "");
        let chain = chain(stated(&raw, &Taken::default(), "list"), &other, &main, &Taken::default());
        let chain: Vec<String> = chain.iter().map(|credit| format!("{}@{}", credit.name, credit.place)).collect();
        assert_eq!(chain, ["财报网@list", "莲城网@page", "莲城晚报@head", "莲城网@head", "莲城日报@foot"]);
    }

    /// Any piece of these texts, however it is cut, is read without a panic, and nothing comes into it that was not there.
    #[test]
    fn pieces_of_texts_are_read() {
        use super::super::{excise, text::plain};
        let lines: Vec<&str> = LINES.lines().filter_map(|line| line.strip_prefix("> ")).collect();
        for pair in lines.windows(2) {
            let text = pair.join("\n");
            let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            for (i, from) in ends.iter().enumerate().step_by(3) {
                let piece = &text[*from..ends[(2 * i + 7).min(ends.len() - 1)].max(*from)];
                let taken = take(piece, "");
                let printed = taken.print(piece);
                assert!(printed.lines().all(|line| piece.contains(line)), "{piece}");
                let html = format!("<p>{}</p>", crate::model::markup::escape(piece).replace('\n', "</p><p>"));
                let cut = excise::lines(&html, &plain(&html), &take(&plain(&html), "").printed());
                assert_eq!(plain(&cut), take(&plain(&html), "").print(&plain(&html)), "{html}");
            }
        }
    }

    /// Nothing that a text holds may make reading its ends slow or panic.
    #[test]
    fn hostile_ends_are_read_quickly() {
        for piece in [
            "来源：",
            "（来源：",
            "编辑",
            "记者 张三 ",
            "来源：莲城日报 ",
            "（",
            "）",
            "摄",
            "By A B, ",
            "【大】",
            "新华社",
            "2026-11-23 ",
        ] {
            let text = piece.repeat(40_000);
            let lines = format!("{piece}\n").repeat(40_000);
            take(&text, "");
            take(&lines, "");
            take(&format!("{text}\n正文。\n{text}"), "");
        }
    }
}
