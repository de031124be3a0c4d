//! Sanitises HTML whose tags nest as they are written, in one pass and without a tree.
//!
//! Nearly all texts of feeds are such: paragraphs, links, pictures, emphasis, each closed where it stands. For them the tree
//! that the standard builds (WHATWG HTML 13.2.6) is the one that the tags spell, and walking it again would write what this
//! pass writes. It goes by a list of what is certain, and gives up at the first thing that is not on it: tables, a paragraph
//! that something else ends, an end tag out of order, a character reference without its semicolon. Then the sanitiser proper
//! has the text from its beginning. In debug builds, and so in all tests and in fuzzing, every text takes both ways and both
//! must agree to the byte.

use crate::model::markup::{self, Attributes};

/// How an element behaves in the building of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Begins and ends where it is written: formatting and ordinary elements.
    Inline,
    /// The same, but ends an open link.
    Link,
    /// Ends an open paragraph.
    Block,
    /// Ends an open paragraph, and may end a heading that is open.
    Heading,
    /// Stands in a list, else it may end another item.
    Item,
    /// Has no content.
    Void,
    /// Has no content and ends an open paragraph.
    Rule,
}

/// The elements that are certain.
fn known(name: &str) -> Option<Kind> {
    Some(match name {
        "abbr" | "audio" | "b" | "bdi" | "bdo" | "cite" | "code" | "del" | "dfn" | "em" | "i" | "ins" | "kbd"
        | "mark" | "q" | "s" | "samp" | "small" | "strong" | "sub" | "sup" | "time" | "u" | "var" | "video" => {
            Kind::Inline
        }
        "a" => Kind::Link,
        "address" | "article" | "aside" | "blockquote" | "div" | "figcaption" | "figure" | "footer" | "header"
        | "ol" | "p" | "section" | "ul" => Kind::Block,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Kind::Heading,
        "li" => Kind::Item,
        "br" | "img" | "source" | "wbr" => Kind::Void,
        "hr" => Kind::Rule,
        _ => return None,
    })
}

/// What [`markup::bounded`] wrote of the elements and attributes that may stay, sanitised. `None`: a tree is needed.
pub(super) fn clean(html: &str) -> Option<String> {
    // The tokenizer of the standard changes these two wherever they stand.
    if html.bytes().fold(false, |any, byte| any | matches!(byte, b'\0' | b'\r')) {
        return None;
    }
    let mut out = String::with_capacity(html.len() + html.len() / 8);
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text(&rest[..at], false, &mut out)?;
        rest = &rest[at + 1..];
        let end = markup::tag_end(rest, 0)?;
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            // Out of order, or the end of nothing.
            open.pop().filter(|top| *top == name)?;
            end_tag(name, &mut out);
            continue;
        }
        let (name, attributes) = tag.split_at(tag.find(' ').unwrap_or(tag.len()));
        let kind = known(name)?;
        let within = |name: &str| open.contains(&name);
        let top = open.last().copied().unwrap_or_default();
        let certain = match kind {
            Kind::Inline | Kind::Void => true,
            Kind::Link => !within("a"),
            Kind::Block | Kind::Rule => !within("p"),
            Kind::Heading => !within("p") && !open.iter().any(|open| known(open) == Some(Kind::Heading)),
            Kind::Item => !within("p") && matches!(top, "ul" | "ol"),
        };
        if !certain {
            return None;
        }
        start(name, attributes, &mut out)?;
        if !matches!(kind, Kind::Void | Kind::Rule) {
            open.push(name);
        }
    }
    text(rest, false, &mut out)?;
    open.iter().rev().for_each(|name| end_tag(name, &mut out));
    Some(out)
}

fn end_tag(name: &str, out: &mut String) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Writes a start tag.
fn start(name: &str, attributes: &str, out: &mut String) -> Option<()> {
    out.push('<');
    out.push_str(name);
    for (key, value) in Attributes::new(attributes) {
        // Addresses were made absolute on the way here; of any other kind the sanitiser must be asked.
        if matches!(key.as_ref(), "href" | "src") && !(value.starts_with("http://") || value.starts_with("https://")) {
            return None;
        }
        out.push(' ');
        out.push_str(&key);
        out.push_str("=\"");
        text(&value, true, out)?;
        out.push('"');
    }
    if name == "a" {
        out.push_str(" rel=\"noopener noreferrer\"");
    }
    out.push('>');
    Some(())
}

/// Writes a text or the value of an attribute: references resolved, and what must be escaped.
fn text(text: &str, quoted: bool, out: &mut String) -> Option<()> {
    // In a text that is not quoted the second `&` asks nothing more.
    let quote = if quoted { b'"' } else { b'&' };
    #[allow(clippy::needless_bitwise_bool, reason = "without a branch a piece is looked at as a whole")]
    let special = |byte: u8| matches!(byte, b'&' | b'<' | b'>' | 0xc2) | (byte == quote);
    let next = |rest: &str| {
        // All of a piece at once: most have none.
        let (pieces, _) = rest.as_bytes().as_chunks::<16>();
        let plain = |piece: &&[u8; 16]| !piece.iter().fold(false, |any, byte| any | special(*byte));
        let passed = pieces.iter().take_while(plain).count() * 16;
        rest.bytes().skip(passed).position(special).map(|at| passed + at)
    };
    let mut rest = text;
    while let Some(at) = next(rest) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            let (c, length) = reference(rest)?;
            escaped(c, quoted, out);
            rest = &rest[length..];
        } else {
            let mut chars = rest.chars();
            escaped(chars.next()?, quoted, out);
            rest = chars.as_str();
        }
    }
    out.push_str(rest);
    Some(())
}

/// WHATWG HTML 13.3, "escaping a string".
fn escaped(c: char, quoted: bool, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\u{a0}' => out.push_str("&nbsp;"),
        '"' if quoted => out.push_str("&quot;"),
        c => out.push(c),
    }
}

/// The character that a reference stands for, and its length, where everybody reads it alike: with its semicolon, and not one
/// of the numbers that the standard maps to others. A `&` before anything but a letter or `#` is itself.
fn reference(text: &str) -> Option<(char, usize)> {
    let inside = &text[1..];
    if !inside.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '#') {
        return Some(('&', 1));
    }
    let end = inside.bytes().take(40).position(|byte| byte == b';')?;
    let (found, length) = markup::reference(text)?;
    let mut chars = found.chars();
    let c = chars.next().filter(|_| length == end + 2 && chars.next().is_none())?;
    let plain = matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}');
    // The policy takes these out wherever they come from.
    let plain = plain && !matches!(c, '\u{202d}' | '\u{202e}' | '\u{feff}');
    // The name must be plain as well: a number that was mapped has a character of its own.
    let mapped = inside.starts_with('#') && number_of(&inside[1..end]).is_none_or(|number| number != u32::from(c));
    (plain && !mapped).then_some((c, length))
}

fn number_of(digits: &str) -> Option<u32> {
    match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nests_as_it_is_written_needs_no_tree() {
        for (html, expected) in [
            ("一 &amp; 二 > 三 & \u{a0}&nbsp;&#8212;&quot;", "一 &amp; 二 &gt; 三 &amp; &nbsp;&nbsp;—\""),
            ("<p lang=\"de\">1<br>2</p><hr><p>3", "<p lang=\"de\">1<br>2</p><hr><p>3</p>"),
            ("<i><b>1</b></i><div>2</div>", "<i><b>1</b></i><div>2</div>"),
            (
                "<ul><li>1</li><li><a href=\"http://x.example/?a=1&amp;b\">2</a></li></ul>",
                "<ul><li>1</li><li><a href=\"http://x.example/?a=1&amp;b\" rel=\"noopener noreferrer\">2</a></li></ul>",
            ),
            (
                "<img src=\"https://x.example/1.jpg\" alt=\"<&quot;>\">",
                "<img src=\"https://x.example/1.jpg\" alt=\"&lt;&quot;&gt;\">",
            ),
        ] {
            assert_eq!(clean(html).as_deref(), Some(expected), "{html}");
        }
    }

    #[test]
    fn what_is_not_certain_needs_a_tree() {
        for html in [
            "<p>1<p>2",
            "<p><div>1</div></p>",
            "<b><i>1</b></i>",
            "</p>",
            "<a href=\"http://x.example/\">1<a>2</a></a>",
            "<a href=\"/relative\">1</a>",
            "<li>1</li>",
            "<h1><h2>1</h2></h1>",
            "<table><tr><td>1</td></tr></table>",
            "<pre>\n1</pre>",
            "1 &copy 2",
            "&unknown;",
            "&#150;",
            "&#x0;",
            "1\r2",
        ] {
            assert_eq!(clean(html), None, "{html}");
        }
    }
}
