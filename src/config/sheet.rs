//! One file of the configuration: its text, its name as the operator knows it, and where in it a byte stands.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::DeTable;

/// A stretch of bytes in a [`Sheet`]'s text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// Where a span stands, for people.
pub(super) struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in Unicode characters.
    pub column: usize,
    /// Characters of the span on that line, at least 1.
    pub width: usize,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Sheet {
    /// As named on the command line; an included file by its own path.
    pub name: String,
    /// Its place among the files read: problems are reported in this order.
    pub index: usize,
    /// The text, without a byte order mark.
    pub text: String,
    /// Lines with a mistake in the TOML itself; what else is found there is only a consequence.
    pub broken: BTreeSet<usize>,
    starts: Vec<usize>,
}

/// A mistake in the TOML itself.
pub(super) struct Broken {
    /// Where.
    pub span: Span,
    /// What, in words.
    pub message: String,
}

impl Sheet {
    /// Wraps a text.
    pub fn new(name: String, index: usize, text: String) -> Self {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self { name, index, text, broken: BTreeSet::new(), starts }
    }

    /// The document, as far as it could be read, and the mistakes in its TOML, at most one a line.
    pub fn parse(&self) -> (DeTable<'_>, Vec<Broken>) {
        let (document, errors) = DeTable::parse_recoverable(&self.text);
        let mut lines = BTreeSet::new();
        let mut broken: Vec<Broken> = errors
            .into_iter()
            .map(|error| Broken {
                span: error.span().map_or_else(Span::default, Span::from),
                message: error.message().to_owned(),
            })
            .collect();
        broken.sort_by_key(|error| error.span);
        broken.retain(|error| lines.insert(self.line(error.span.start)));
        (document.into_inner(), broken)
    }

    /// The line (from 1) that holds this byte.
    pub fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte).max(1)
    }

    /// Where a span stands. A span of several lines is cut to its first.
    pub fn place(&self, span: Span) -> Place {
        let start = self.boundary(span.start);
        let line = self.line(start);
        let from = self.starts.get(line - 1).copied().unwrap_or(0);
        let until = from + self.source(line).len();
        let start = start.clamp(from, until);
        let column = self.text[from..start].chars().count() + 1;
        let end = self.boundary(span.end).min(until);
        let width = self.text.get(start..end).map_or(0, |text| text.chars().count()).max(1);
        Place { line, column, width }
    }

    /// A line's text (from 1), without its end.
    pub fn source(&self, line: usize) -> &str {
        let from = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let until = self.starts.get(line).copied().unwrap_or(self.text.len());
        // A bare carriage return ends no line: it is a mistake, and has to stand where it is shown.
        let line = &self.text[from..until];
        line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n')).unwrap_or(line)
    }

    /// The span of a line (from 1).
    pub fn whole_line(&self, line: usize) -> Span {
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        Span { start, end: start + self.source(line).len() }
    }

    /// The bytes of a span as they stand.
    pub fn raw(&self, span: Span) -> &str {
        let (start, end) = (self.boundary(span.start), self.boundary(span.end));
        self.text.get(start..end).unwrap_or_default()
    }

    /// The span of the `nth` character (from 0) of the string whose quoted form stands at `span`. Beyond its end: the
    /// closing quote.
    pub fn inside(&self, span: Span, nth: usize) -> Span {
        let raw = self.raw(span);
        let at = offset(raw, nth);
        let width = raw.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        Span { start: span.start + at, end: span.start + at + width }
    }

    fn boundary(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

/// The byte in a quoted TOML string at which its `nth` character begins (TOML 1.1, section String).
fn offset(raw: &str, nth: usize) -> usize {
    let (quote, escapes) = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quote| raw.starts_with(quote))
        .map_or(("", false), |quote| (quote, quote.starts_with('"')));
    // A text that is never closed has no closing quote.
    let closed = raw.get(quote.len()..).is_some_and(|rest| rest.ends_with(quote));
    let end = if closed { raw.len() - quote.len() } else { raw.len() };
    let mut at = quote.len();
    if quote.len() == 3 {
        let first = &raw[at..];
        at += if first.starts_with("\r\n") { 2 } else { usize::from(first.starts_with('\n')) };
    }
    let mut left = nth;
    while at < end {
        let rest = &raw[at..end];
        let (taken, written) = if escapes { escaped(rest) } else { (plain(rest), true) };
        if written {
            if left == 0 {
                return at;
            }
            left -= 1;
        }
        at += taken;
    }
    end
}

fn plain(rest: &str) -> usize {
    rest.chars().next().map_or(1, char::len_utf8)
}

/// Bytes of the next character of a basic string, and whether it is one (a backslash at a line's end is none).
fn escaped(rest: &str) -> (usize, bool) {
    let mut characters = rest.chars();
    match (characters.next(), characters.next()) {
        (Some('\\'), Some('x')) => (4.min(rest.len()), true),
        (Some('\\'), Some('u')) => (6.min(rest.len()), true),
        (Some('\\'), Some('U')) => (10.min(rest.len()), true),
        (Some('\\'), Some(c)) if c.is_whitespace() => {
            let gap = rest[1..].find(|c: char| !c.is_whitespace()).unwrap_or(rest.len() - 1);
            (1 + gap, false)
        }
        (Some('\\'), Some(c)) => (1 + c.len_utf8(), true),
        _ => (plain(rest), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters_and_lines_end_with_either_break() {
        let sheet = Sheet::new("x".into(), 0, "\u{feff}a = 1\r\n许昌 = \"郑\"\n".into());
        let at = sheet.text.find('郑').unwrap();
        let place = sheet.place(Span { start: at, end: at + 3 });
        assert_eq!((place.line, place.column, place.width), (2, 7, 1));
        assert_eq!(sheet.source(1), "a = 1");
        assert_eq!(sheet.source(2), "许昌 = \"郑\"");
        assert_eq!(sheet.source(9), "");
        let end = sheet.place(Span { start: 999, end: 1200 });
        assert_eq!((end.line, end.column, end.width), (3, 1, 1));
        let sheet = Sheet::new("x".into(), 0, "a\r\r\nb\r".into());
        assert_eq!((sheet.source(1), sheet.source(2)), ("a\r", "b\r"));
        for at in 0..9 {
            let place = sheet.place(Span { start: at, end: at + 1 });
            assert!(place.column <= sheet.source(place.line).chars().count() + 1, "{at}");
        }
    }

    #[test]
    fn a_character_of_a_string_is_found_in_its_quoted_form() {
        for (raw, nth, byte) in [
            ("'abc'", 1, 2),
            ("'许昌x'", 2, 7),
            (r#""a\"b""#, 2, 4),
            (r#""\u8bb8b""#, 1, 7),
            ("'''\nab'''", 1, 5),
            ("\"\"\"\r\na\\\n   b\"\"\"", 1, 11),
            ("'abc'", 9, 4),
            ("\"", 3, 1),
            ("'许昌", 9, 7),
            ("", 3, 0),
            ("\"\\", 3, 2),
        ] {
            assert_eq!(offset(raw, nth), byte, "{raw} {nth}");
        }
    }
}
