//! HTML to plain text: lines for blocks, one blank for many, nothing invisible.

use super::name::is_han;
use crate::model::markup::{Token, Tokens, decode};
use unicode_segmentation::UnicodeSegmentation;

/// Elements that begin and end a line.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
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
        let text = single(line);
        if !text.is_empty() {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&text);
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
            let open = text[..end].match_indices('<').filter_map(|(at, _)| Some((at, opens(&text[at..end])?))).last();
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
    for line in text.lines().map(single).filter(|line| !line.is_empty()) {
        if !out.is_empty() && !out.ends_with(['。', '！', '？', '；', '，', '：', '”', '…']) {
            out.push(' ');
        }
        out.push_str(&line);
    }
    out
}

/// Blanks of every kind to single ones, none between Chinese characters at a line break, invisible characters out.
pub(super) fn single(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    let mut broken = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = true;
            broken |= c == '\n';
            continue;
        }
        if is_invisible(c) {
            continue;
        }
        if gap && let Some(before) = out.chars().next_back() {
            let chinese = |c: char| is_han(c) || "，。、；：？！“”（）《》".contains(c);
            if !(broken && chinese(before) && chinese(c)) {
                out.push(' ');
            }
        }
        gap = false;
        broken = false;
        out.push(c);
    }
    out
}

/// Control characters, zero-width spaces, marks of direction (which can make a line read otherwise than it is), private use.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fff9}'..='\u{fffb}' | '\u{f0000}'..)
}

/// At most so many characters, cut on a grapheme boundary, with an ellipsis where something was cut.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut count = 0;
    for grapheme in text.graphemes(true) {
        count += grapheme.chars().count();
        if count >= most {
            break;
        }
        out.push_str(grapheme);
    }
    out.truncate(out.trim_end().len());
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
pub(super) fn without_tail(text: &str) -> String {
    let mut text = text.trim_end();
    while let Some(rest) = TAILS.iter().find_map(|tail| text.strip_suffix(tail)) {
        text = rest.trim_end_matches(|c: char| c.is_whitespace() || "[（(>»".contains(c));
    }
    text.to_owned()
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

    #[test]
    fn more_is_no_news() {
        assert_eq!(without_tail("许昌新闻…… [阅读全文"), "许昌新闻……");
        assert_eq!(without_tail("Text […] Continue reading →"), "Text");
    }
}
