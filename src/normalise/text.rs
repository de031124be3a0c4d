//! HTML to plain text: lines for blocks, one blank for many, nothing invisible.

use super::name::is_han;
use crate::model::fold::fold;
use crate::model::markup::{self, Token, Tokens, decode};
use unicode_segmentation::GraphemeCursor;

/// Elements that begin and end a line.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        markup::lower(name).as_ref(),
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "br"
            | "caption"
            | "dd"
            | "div"
            | "dl"
            | "dt"
            | "figcaption"
            | "figure"
            | "footer"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "table"
            | "tbody"
            | "tfoot"
            | "thead"
            | "tr"
            | "ul"
    )
}

/// Plain text of HTML: a line for each block, no empty lines.
pub(super) fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut line = String::new();
    let flush = |line: &mut String, out: &mut String| {
        let before = out.len();
        if before > 0 {
            out.push('\n');
        }
        if !single_into(line, out) {
            out.truncate(before);
        }
        line.clear();
    };
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => line.push_str(&decode(text)),
            Token::Open { name, .. } | Token::Close(name) => {
                if is_block(name) {
                    flush(&mut line, &mut out);
                } else if name.eq_ignore_ascii_case("td") || name.eq_ignore_ascii_case("th") {
                    line.push(' ');
                }
            }
        }
    }
    flush(&mut line, &mut out);
    out
}

/// Most often a headline's entities are decoded.
const ESCAPED: usize = 3;

/// Inline elements that a headline escaped once too often shows as text.
const INLINE: [&str; 12] = ["b", "i", "em", "strong", "u", "s", "font", "span", "sub", "sup", "mark", "small"];

/// Most pairs of each that are taken out.
const PAIRS: usize = 16;

/// A headline or other single line: markup out, entities decoded (again where they were escaped more than once).
pub(super) fn headline(raw: &str) -> String {
    if !raw.contains(['<', '&', ']']) {
        return single(raw);
    }
    let mut text = line(&plain(raw));
    for _ in 1..ESCAPED {
        // No headline means to show an entity: one that is left was escaped twice.
        if !has_reference(&text) {
            break;
        }
        let decoded = decode(&text).into_owned();
        // A `<` that was there before is no tag: it was meant to be read.
        text = line(&if text.contains('<') { decoded } else { plain(&decoded) });
    }
    if text.contains("</") { line(&without_inline(&text)) } else { text }
}

/// Whether a whole character reference stands in a text: `&amp;`, `&#8217;`, `&eacute;`.
fn has_reference(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| {
        let rest = &text[at..];
        let name = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '#').map(|end| &rest[..=end]);
        let whole = name.and_then(|name| rest.get(..=name.len())).filter(|whole| whole.ends_with(';'));
        whole.is_some_and(|whole| whole.len() > 3 && !decode(whole).starts_with('&') || whole == "&amp;")
    })
}

/// Without pairs of inline tags that were escaped as text: `<b>…</b>`. A single tag may be what the headline is about.
fn without_inline(text: &str) -> String {
    let mut text = text.to_owned();
    for name in INLINE {
        let close = format!("</{name}>");
        let opens = |rest: &str| {
            let inside = rest.strip_prefix('<')?.strip_prefix(name)?;
            let end = inside.find('>').filter(|_| inside.starts_with(['>', ' ']))?;
            Some(1 + name.len() + end + 1)
        };
        for _ in 0..PAIRS {
            let Some(end) = text.find(&close) else { break };
            let open = text[..end].rmatch_indices('<').find_map(|(at, _)| Some((at, opens(&text[at..end])?)));
            let Some((at, length)) = open else { break };
            text.replace_range(end..end + close.len(), "");
            text.replace_range(at..at + length, "");
        }
    }
    text
}

/// Lines as one line, with a blank between them unless the one before ends in Chinese punctuation.
pub(super) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let before = out.len();
        if before > 0 && !out.ends_with(['。', '！', '？', '；', '，', '：', '”', '…']) {
            out.push(' ');
        }
        if !single_into(line, &mut out) {
            out.truncate(before);
        }
    }
    out
}

/// The summary that a plain text makes: its beginning in one line of so many characters, without an end that says only
/// that there is more.
pub(super) fn summary(plain: &str, most: usize) -> String {
    // Of a long text only the beginning is looked at; no character has more than four bytes, and few need so many.
    let end = plain.floor_char_boundary(most * 8);
    let begin = if end < plain.len() { &plain[..end] } else { without_tail(plain) };
    cut(&line(begin), most)
}

/// [`single_into`] a text of its own.
pub(super) fn single(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    single_into(text, &mut out);
    out
}

/// Blanks of every kind to single ones, none between Chinese characters at a line break, invisible characters out. Whether
/// anything was left to be added.
fn single_into(text: &str, out: &mut String) -> bool {
    let begin = out.len();
    let mut gap = false;
    let mut broken = false;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let run = ink(&text.as_bytes()[at..]);
        at += if run > 0 { run } else { c.len_utf8() };
        if c.is_whitespace() {
            gap = true;
            broken |= c == '\n';
            continue;
        }
        if run == 0 && is_invisible(c) {
            continue;
        }
        if gap && let Some(before) = out[begin..].chars().next_back() {
            let chinese = |c: char| is_han(c) || "，。、；：？！“”（）《》".contains(c);
            if !(broken && chinese(before) && chinese(c)) {
                out.push(' ');
            }
        }
        gap = false;
        broken = false;
        if run > 0 {
            out.push_str(&text[at - run..at]);
        } else {
            out.push(c);
        }
    }
    out.len() > begin
}

/// How many bytes at the beginning are visible characters for certain, with single blanks between them: nearly all there
/// are. Told by the first bytes of UTF-8 sequences; what shares its first bytes with something invisible is left to the
/// careful way.
fn ink(bytes: &[u8]) -> usize {
    let visible = |at: usize| match bytes.get(at) {
        Some(0x21..=0x7e | 0x80..=0xbf | 0xc3..=0xe0 | 0xe4..=0xed | 0xf0..=0xf2) => true,
        Some(0xe1) => bytes.get(at + 1) != Some(&0x9a),
        Some(0xe2) => match (bytes.get(at + 1), bytes.get(at + 2)) {
            (Some(0x80), Some(third)) => matches!(third, 0x90..=0xa7 | 0xb0..=0xbf),
            (Some(0x81), Some(third)) => *third < 0x9f,
            _ => true,
        },
        Some(0xe3) => bytes.get(at + 1..at + 3) != Some(&[0x80, 0x80]),
        Some(0xef) => matches!(bytes.get(at + 1), Some(0xbc..=0xbe)),
        _ => false,
    };
    let mut at = 0;
    loop {
        while bytes.get(at).is_some_and(|byte| INK[usize::from(*byte)]) {
            at += 1;
        }
        if !(visible(at) || (at > 0 && bytes.get(at) == Some(&b' ') && visible(at + 1))) {
            return at;
        }
        at += 1;
    }
}

/// Bytes that are part of a visible character whatever stands behind them.
const INK: [bool; 256] = {
    let mut ink = [false; 256];
    let mut byte = 0x21;
    while byte <= 0xf2 {
        ink[byte] = !matches!(byte, 0x7f | 0xc0..=0xc2 | 0xe1..=0xe3 | 0xee | 0xef);
        byte += 1;
    }
    ink
};

/// Control characters, zero-width spaces, marks of direction (which can make a line read otherwise than it is), private use.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fff9}'..='\u{fffb}' | '\u{f0000}'..)
}

/// At most so many characters, cut on a grapheme boundary, with an ellipsis where something was cut.
pub(super) fn cut(text: &str, most: usize) -> String {
    // The ellipsis takes the place of the last character.
    let mut indices = text.char_indices().map(|(at, _)| at).skip(most.saturating_sub(1));
    let (Some(end), Some(_)) = (indices.next(), indices.next()) else { return text.to_owned() };
    let mut cursor = GraphemeCursor::new(end, text.len(), true);
    let whole = cursor.is_boundary(text, 0) == Ok(true);
    let end = if whole { end } else { cursor.prev_boundary(text, 0).ok().flatten().unwrap_or_default() };
    let mut out = text[..end].trim_end().to_owned();
    out.push('…');
    out
}

/// Ends of summaries that say only that there is more.
const TAILS: [&str; 12] = [
    "阅读全文",
    "查看全文",
    "阅读更多",
    "查看更多",
    "更多>>",
    "[…]",
    "[...]",
    "Continue reading →",
    "Continue reading",
    "Read more…",
    "Read more",
    "Read More",
];

/// Without an end that says only that there is more.
fn without_tail(text: &str) -> &str {
    let mut text = text.trim_end();
    while let Some(rest) = TAILS.iter().find_map(|tail| text.strip_suffix(tail)) {
        text = rest.trim_end_matches(|c: char| c.is_whitespace() || "[（(>»".contains(c));
    }
    text
}

/// The folded beginning of a headline that was cut; `None` if it was not.
pub(super) fn stem(text: &str) -> Option<String> {
    let bare = text.trim_end().trim_end_matches(['.', '…', '．', '⋯']);
    (text.trim_end().len() - bare.len() >= 2).then(|| fold(bare))
}

/// Something to call an item without a headline by: its first sentence.
pub(super) fn first_sentence(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let end =
        first.find(['。', '！', '？', '!', '?']).map(|at| at + first[at..].chars().next().map_or(1, char::len_utf8));
    cut(&first[..end.unwrap_or(first.len())], 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_lines() {
        assert_eq!(plain("<p>一\n二</p><p>a\n b<br>c</p><ul><li>1<li>2</ul>&nbsp;<b>x</b>y"), "一二\na b\nc\n1\n2\nxy");
    }

    #[test]
    fn headlines_are_one_clean_line() {
        for (raw, expected) in [
            ("<b>许昌</b>  新闻\n", "许昌 新闻"),
            ("AT&amp;T", "AT&T"),
            ("AT&amp;amp;T &amp;ldquo;x&amp;rdquo;", "AT&T “x”"),
            ("a &lt; b &lt;c&gt;", "a < b <c>"),
            ("\u{202e}x\u{200b}y\u{7}", "xy"),
            ("许昌\u{3000}\u{3000}新闻", "许昌 新闻"),
            ("5 < 6", "5 < 6"),
            ("Caf&amp;eacute; &amp;#8217;26&amp;#x2019;", "Café ’26’"),
            ("A &amp;amp;amp; B", "A & B"),
            ("R&amp;D &amp; B&M; x&y", "R&D & B&M; x&y"),
            ("&lt;b&gt;许昌&lt;/b&gt;新闻 &lt;font color=red&gt;快讯&lt;/font&gt;", "许昌新闻 快讯"),
            ("&amp;lt;em&amp;gt;许昌&amp;lt;/em&amp;gt;新闻", "许昌新闻"),
            ("The &lt;b&gt; element", "The <b> element"),
            ("Use &lt;title&gt;, not &lt;/title&gt;", "Use <title>, not </title>"),
            ("a&nbsp;b &hellip;", "a b …"),
        ] {
            assert_eq!(headline(raw), expected);
        }
    }

    #[test]
    fn a_cut_respects_graphemes() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        let family = "👨‍👩‍👧‍👦";
        assert_eq!(cut(&format!("ab{family}cd"), 5), "ab…");
    }

    /// The quick way over most bytes must agree with what is known of each character.
    #[test]
    fn every_character_is_a_blank_invisible_or_itself() {
        for c in ('\0'..='\u{ffff}').chain('\u{1f000}'..='\u{1ffff}').chain(['\u{e0001}', '\u{f0000}', '\u{10fffd}']) {
            let expected = if c.is_whitespace() {
                "a b".to_owned()
            } else if is_invisible(c) {
                "ab".to_owned()
            } else {
                format!("a{c}b")
            };
            assert_eq!(single(&format!("a{c}b")), expected, "{c:?}");
            assert!(single(&format!("{c} a  b {c}")).contains("a b"), "{c:?}");
        }
    }

    #[test]
    fn a_summary_is_the_beginning() {
        assert_eq!(summary("一。\n二\n三 [阅读全文", 10), "一。二 三");
        let long = "许昌".repeat(500);
        assert_eq!(summary(&format!("{long}阅读全文"), 10), "许昌许昌许昌许昌许…");
    }

    #[test]
    fn more_is_no_news() {
        assert_eq!(without_tail("许昌新闻…… [阅读全文"), "许昌新闻……");
        assert_eq!(without_tail("Text […] Continue reading →"), "Text");
    }
}
