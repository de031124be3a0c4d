//! Cuts lines, or parts of them, out of clean HTML: what is left of `<p>来源：莲城日报</p>` is nothing.
//!
//! Lines are those of [`super::text::plain`]: the same walk over the same tokens, so that the n-th line of the text is the n-th line
//! here. Inside a line characters are counted that are neither blank nor invisible, since blanks are collapsed there. Pictures
//! stay where they are; an element that held nothing but what was cut goes with it.

use super::text::{is_block, is_invisible, single};
use crate::model::markup::{Token, Tokens, decode, escape, is_void};
use std::collections::BTreeMap;
use std::ops::Range;

/// HTML without the parts of its lines that do not stay. `text` is its plain text, `kept` has the bytes that stay of the
/// lines that do not stay whole.
pub(super) fn lines(html: &str, text: &str, kept: &BTreeMap<usize, Range<usize>>) -> String {
    let solid = |text: &str| text.chars().filter(|c| is_solid(*c)).count();
    let mut ranges: BTreeMap<usize, Range<usize>> = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(range) = kept.get(&at) {
            let before = |end: usize| line.get(..end.min(line.len())).map_or(0, solid);
            ranges.insert(at, before(range.start)..before(range.end));
        }
    }
    let mut cut = Cut { out: String::with_capacity(html.len()), ..Cut::default() };
    for (line, token) in numbered(html) {
        cut.token(&token, line, ranges.get(&line));
    }
    cut.out
}

/// A character that counts.
fn is_solid(c: char) -> bool {
    !c.is_whitespace() && !is_invisible(c)
}

/// The tokens of a text, each with the number of its line.
fn numbered(html: &str) -> Vec<(usize, Token<'_>)> {
    let mut out: Vec<(usize, Token<'_>)> = Vec::new();
    let (mut line, mut text) = (0, String::new());
    for token in Tokens::new(html) {
        match token {
            Token::Text(piece) => text.push_str(&decode(piece)),
            Token::Open { name, .. } | Token::Close(name) => {
                if is_block(name) {
                    // The tag that ends a line still belongs to it, unless it opens the next.
                    let ended = !single(&text).is_empty();
                    let opens = matches!(token, Token::Open { .. }) && !is_void(&name.to_ascii_lowercase());
                    if ended && !opens {
                        out.push((line, token));
                    }
                    line += usize::from(ended);
                    text.clear();
                    if ended && !opens {
                        continue;
                    }
                } else if name.eq_ignore_ascii_case("td") || name.eq_ignore_ascii_case("th") {
                    text.push(' ');
                }
            }
        }
        out.push((line, token));
    }
    out
}

/// An element that is open.
#[derive(Debug, Default)]
struct Open {
    /// Where its tag begins in the output.
    begin: usize,
    /// Whether anything stands in it that a reader sees.
    full: bool,
    /// Whether anything was cut out of it.
    cut: bool,
}

#[derive(Debug, Default)]
struct Cut {
    out: String,
    stack: Vec<Open>,
    /// The line that is being cut, and how many of its characters were met.
    line: usize,
    met: usize,
}

impl Cut {
    fn token(&mut self, token: &Token<'_>, line: usize, range: Option<&Range<usize>>) {
        if line != self.line {
            (self.line, self.met) = (line, 0);
        }
        match *token {
            Token::Text(text) => {
                if let Some(range) = range {
                    self.part(&decode(text), range);
                } else {
                    self.out.push_str(text);
                    if text.chars().any(|c| !c.is_whitespace()) {
                        self.fill();
                    }
                }
            }
            Token::Open { name, attributes } => {
                let lower = name.to_ascii_lowercase();
                let gone = range.is_some_and(Range::is_empty);
                if lower == "br" && gone {
                    return;
                }
                let begin = self.out.len();
                let attributes = attributes.trim();
                let gap = if attributes.is_empty() { "" } else { " " };
                self.out.push_str(&format!("<{name}{gap}{attributes}>"));
                if is_void(&lower) {
                    if lower != "br" {
                        self.fill();
                    }
                } else {
                    let full = matches!(lower.as_str(), "video" | "audio");
                    self.stack.push(Open { begin, full, cut: false });
                }
            }
            Token::Close(name) => {
                self.out.push_str(&format!("</{name}>"));
                let Some(open) = self.stack.pop() else { return };
                if open.cut && !open.full {
                    self.out.truncate(open.begin);
                }
                if let Some(above) = self.stack.last_mut() {
                    above.cut |= open.cut;
                    above.full |= open.full;
                }
            }
        }
    }

    fn fill(&mut self) {
        if let Some(open) = self.stack.last_mut() {
            open.full = true;
        }
    }

    fn part(&mut self, text: &str, range: &Range<usize>) {
        let mut kept = String::new();
        let (mut solid, mut cut) = (false, false);
        for c in text.chars() {
            let here = if is_solid(c) {
                self.met += 1;
                range.contains(&(self.met - 1))
            } else {
                self.met > range.start && self.met < range.end
            };
            if here {
                kept.push(c);
                solid |= is_solid(c);
            }
            cut |= !here && is_solid(c);
        }
        self.out.push_str(&escape(&kept));
        if solid {
            self.fill();
        }
        if let Some(open) = self.stack.last_mut() {
            open.cut |= cut;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::text::plain;

    #[test]
    fn what_is_cut_takes_its_elements_with_it_and_leaves_pictures() {
        for (html, line, range, expected) in [
            ("<p>来源：莲城日报</p><p>正文。</p>", 0, 0..0, "<p>正文。</p>"),
            ("<div><p><strong>来源：</strong>莲城日报</p></div><p>正文。</p>", 0, 0..0, "<p>正文。</p>"),
            (
                "<p>来源：莲城日报<img src=\"a.jpg\"></p><p>正文。</p>",
                0,
                0..0,
                "<p><img src=\"a.jpg\"></p><p>正文。</p>",
            ),
            ("正文。<br>来源：莲城日报<br>第二段。", 1, 0..0, "正文。<br>第二段。"),
            ("<p>正文。<b>（来源：莲城日报）</b></p>", 0, 0..9, "<p>正文。</p>"),
            ("<p>新华社&nbsp; 郑州电 <b>正</b>文 &lt;一&gt;。</p>", 0, 20..60, "<p><b>正</b>文 &lt;一&gt;。</p>"),
            ("<table><tbody><tr><td>来源：</td><td>莲城</td></tr></tbody></table><p>正文</p>", 0, 0..0, "<p>正文</p>"),
            ("<ul><li>正文</li><li>编辑：李四</li></ul>", 1, 0..0, "<ul><li>正文</li></ul>"),
        ] {
            let text = plain(html);
            assert_eq!(lines(html, &text, &BTreeMap::from([(line, range)])), expected, "{text:?}");
        }
    }
}
