//! HTML from outside: a linear scan, and a copy so bounded that building a tree of it is cheap and cannot overflow a stack.
//!
//! Tree builders of HTML nest as deep as a document asks for, and some steps of the standard's algorithm cost the depth of
//! the nesting for each element: 50,000 nested `div` cost a sanitiser seconds, 500,000 minutes, and a deep tree overflows
//! the stack of whoever walks it. So whatever becomes a tree goes through [`bounded`] first. It follows the parts of the
//! algorithm that decide how deep an element lands (WHATWG HTML 13.2.6: scopes, implied end tags, active formatting
//! elements), and never counts an element as closed that the standard keeps open. It writes canonical tags, drops comments,
//! scripts and foreign content, and so leaves nothing to be understood differently by the next reader.

use std::borrow::Cow;

/// How much of a piece of HTML may become a tree.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Deepest nesting kept. Deeper elements lose their tags and keep their text.
    pub depth: usize,
    /// Most elements kept; further ones lose their tags and keep their text.
    pub elements: usize,
    /// Most attributes kept of one element.
    pub attributes: usize,
    /// Most bytes of text and tags kept; the rest is cut.
    pub bytes: usize,
}

impl Bounds {
    /// For a whole page.
    pub const PAGE: Self = Self { depth: 256, elements: 100_000, attributes: 64, bytes: 16 << 20 };
    /// For one text of an item.
    pub const TEXT: Self = Self { depth: 256, elements: 20_000, attributes: 64, bytes: 2 << 20 };
}

/// Most formatting elements (`b`, `font`, …) left open at a time: each is built again in every later block.
const OPEN_FORMATTING: usize = 24;

/// An element about to be written, for changes on the way.
#[derive(Debug)]
pub struct Element<'a> {
    /// In lower case.
    pub name: Cow<'a, str>,
    /// Names in lower case, values as written (entities not decoded), in order. A picture that stood in a `noscript` has
    /// [`TWIN`].
    pub attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// HTML that is written in place of the element and all it holds. Only heeded for what holds nothing to be read:
    /// frames, embedded and void elements.
    pub instead: Option<String>,
}

/// Attribute given to a picture that stood in a `noscript`: the twin, for readers without scripts, of one before or behind.
pub const TWIN: &str = "data-twin";

impl Element<'_> {
    /// The value of an attribute, entities decoded.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| decode(value))
    }

    /// Sets an attribute to a value in plain text.
    pub fn set(&mut self, name: &'static str, value: &str) {
        let value = Cow::Owned(value.replace('&', "&amp;"));
        match self.attributes.iter_mut().find(|(n, _)| n == name) {
            Some(attribute) => attribute.1 = value,
            None => self.attributes.push((Cow::Borrowed(name), value)),
        }
    }
}

/// What [`bounded`] made.
#[derive(Debug, Default)]
pub struct Bounded {
    /// The copy.
    pub html: String,
    /// Which bounds were hit, in words; empty if none.
    pub hits: Vec<String>,
}

/// A bounded copy of HTML. `change` may alter an element, or drop its tag (not its text) by answering false.
pub fn bounded(html: &str, bounds: Bounds, change: &mut dyn FnMut(&mut Element<'_>) -> bool) -> Bounded {
    let mut writer = Writer { out: String::with_capacity(html.len().min(bounds.bytes)), ..Writer::default() };
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        if writer.out.len() > bounds.bytes {
            writer.cut = true;
            break;
        }
        match token {
            Token::Text(text) => writer.text(text),
            Token::Open { name, attributes } => {
                writer.twin = tokens.is_fallback();
                writer.open(name, attributes, bounds, change);
            }
            Token::Close(name) => writer.close(lower(name)),
        }
    }
    writer.finish(bounds)
}

#[derive(Debug, Default)]
struct Writer<'a> {
    out: String,
    /// Open elements, outermost first.
    stack: Vec<Cow<'a, str>>,
    /// Names of elements that lost their tags because they were too deep, so that their end tags go too.
    over: Vec<Cow<'a, str>>,
    /// The list of active formatting elements: name and attributes; an empty name is a marker (WHATWG HTML 13.2.4.3).
    formatting: Vec<(Cow<'a, str>, &'a str)>,
    /// Elements that are written under another name: as it was, and as it is.
    renamed: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The element at hand stands in a `noscript`.
    twin: bool,
    elements: usize,
    deep: usize,
    many: usize,
    crowded: usize,
    cut: bool,
}

impl<'a> Writer<'a> {
    fn text(&mut self, text: &str) {
        // A `<` that begins no tag.
        for (i, part) in text.split('<').enumerate() {
            if i > 0 {
                self.out.push_str("&lt;");
            }
            self.out.push_str(part);
        }
    }

    fn open(
        &mut self,
        name: &'a str,
        attributes: &'a str,
        bounds: Bounds,
        change: &mut dyn FnMut(&mut Element<'_>) -> bool,
    ) {
        let name = lower(name);
        if matches!(name.as_ref(), "frameset" | "frame" | "plaintext" | "image" | "isindex") {
            return;
        }
        let root = matches!(name.as_ref(), "html" | "head" | "body");
        if is_table_part(&name) && !self.stack.iter().any(|open| open == "table") {
            return;
        }
        self.imply_ends(&name);
        // A frame holds nothing that is shown.
        let leaf = matches!(name.as_ref(), "iframe" | "object");
        let void = is_void(&name) || leaf;
        if self.elements >= bounds.elements {
            self.many += 1;
            return;
        }
        if !void && !root {
            let crowded = is_formatting(&name) && self.open_formatting() >= OPEN_FORMATTING;
            if crowded || self.stack.len() >= bounds.depth {
                self.deep += 1;
                self.over.push(name);
                return;
            }
        }
        let mut element = Element { name, attributes: Vec::new(), instead: None };
        for attribute in Attributes::new(attributes) {
            if element.attributes.len() == bounds.attributes {
                self.crowded += 1;
                break;
            }
            if !element.attributes.iter().any(|(known, _)| *known == attribute.0) {
                element.attributes.push(attribute);
            }
        }
        if self.twin && element.name == "img" {
            element.attributes.push((Cow::Borrowed(TWIN), Cow::Borrowed("")));
        }
        let written = element.name.clone();
        if !change(&mut element) {
            if !void && !root {
                self.over.push(written);
            }
            return;
        }
        self.elements += 1;
        if let Some(instead) = element.instead.filter(|_| void) {
            self.out.push_str(&instead);
            return;
        }
        if element.name != written && !self.renamed.iter().any(|(was, _)| *was == written) {
            self.renamed.push((written, element.name.clone()));
        }
        self.out.push('<');
        self.out.push_str(&element.name);
        for (name, value) in &element.attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            for (i, part) in value.split('"').enumerate() {
                if i > 0 {
                    self.out.push_str("&quot;");
                }
                self.out.push_str(part);
            }
            self.out.push('"');
        }
        self.out.push('>');
        if leaf {
            return self.end(&element.name);
        }
        if void || root {
            return;
        }
        let name = element.name;
        if is_formatting(&name) {
            self.remember(&name, attributes);
        } else if is_marker(&name) {
            self.formatting.push((Cow::Borrowed(""), ""));
        }
        self.stack.push(name);
    }

    /// Ends that a start tag implies.
    fn imply_ends(&mut self, name: &str) {
        let found = match name {
            "li" => self.find(|open| (open == "li").then_some(true).or_else(|| closes_list_search(open))),
            "dd" | "dt" => {
                self.find(|open| matches!(open, "dd" | "dt").then_some(true).or_else(|| closes_list_search(open)))
            }
            "td" | "th" => self.find(|open| match open {
                "td" | "th" => Some(true),
                "tr" | "table" => Some(false),
                _ => None,
            }),
            "tr" => self.find(|open| match open {
                "tr" => Some(true),
                "table" => Some(false),
                _ => None,
            }),
            "tbody" | "thead" | "tfoot" => self.find(|open| match open {
                "tbody" | "thead" | "tfoot" => Some(true),
                "table" => Some(false),
                _ => None,
            }),
            "option" => self.stack.last().filter(|top| *top == "option").map(|_| self.stack.len() - 1),
            _ if is_special(name) => self.stack.last().filter(|top| *top == "p").map(|_| self.stack.len() - 1),
            _ => None,
        };
        if let Some(at) = found {
            self.pop_to(at);
        }
    }

    /// From the innermost outwards: the index of the first element that answers true; none once one answers false.
    fn find(&self, mut test: impl FnMut(&str) -> Option<bool>) -> Option<usize> {
        for (i, open) in self.stack.iter().enumerate().rev() {
            match test(open) {
                Some(true) => return Some(i),
                Some(false) => return None,
                None => {}
            }
        }
        None
    }

    fn pop_to(&mut self, at: usize) {
        while self.stack.len() > at {
            if self.stack.pop().is_some_and(|name| is_marker(&name)) {
                let marker = self.formatting.iter().rposition(|(name, _)| name.is_empty());
                self.formatting.truncate(marker.unwrap_or_default());
            }
        }
    }

    fn open_formatting(&self) -> usize {
        self.formatting.iter().filter(|(name, _)| !name.is_empty()).count()
    }

    /// Adds to the active formatting elements; of three equal ones the first goes (the standard's "Noah's Ark clause"), and
    /// a link ends the link before it.
    fn remember(&mut self, name: &str, attributes: &'a str) {
        let start = self.formatting.iter().rposition(|(name, _)| name.is_empty()).map_or(0, |at| at + 1);
        if name == "a" {
            if let Some(at) = self.formatting[start..].iter().rposition(|(known, _)| known == "a") {
                self.formatting.remove(start + at);
            }
        } else {
            let same = |entry: &(Cow<'_, str>, &str)| entry.0 == name && entry.1 == attributes;
            if self.formatting[start..].iter().filter(|e| same(e)).count() >= 3
                && let Some(at) = self.formatting[start..].iter().position(same)
            {
                self.formatting.remove(start + at);
            }
        }
        self.formatting.push((Cow::Owned(name.to_owned()), attributes));
    }

    fn close(&mut self, name: Cow<'a, str>) {
        if self.over.last() == Some(&name) {
            self.over.pop();
            return;
        }
        let name = self.renamed.iter().find(|(was, _)| *was == name).map_or(name, |(_, now)| now.clone());
        let name = name.as_ref();
        if is_void(name) || matches!(name, "html" | "head" | "body") {
            return;
        }
        if is_formatting(name) {
            return self.close_formatting(name);
        }
        let found = if is_table_part(name) {
            self.find(|open| (open == name).then_some(true).or_else(|| (open == "table").then_some(false)))
        } else if is_special(name) {
            self.find(|open| {
                (open == name).then_some(true).or_else(|| {
                    let barrier = is_scope(open)
                        || (name == "li" && matches!(open, "ul" | "ol"))
                        || (name == "p" && open == "button");
                    barrier.then_some(false)
                })
            })
        } else {
            self.find(|open| (open == name).then_some(true).or_else(|| is_special(open).then_some(false)))
        };
        if let Some(at) = found {
            if name == "form" {
                self.stack.remove(at); // what was opened inside it stays open (WHATWG HTML 13.2.6.4.7)
            } else {
                self.pop_to(at);
            }
            self.end(name);
        }
    }

    /// The adoption agency: blocks opened inside a formatting element stay open when it ends.
    fn close_formatting(&mut self, name: &str) {
        let Some(listed) = self.formatting.iter().rposition(|(known, _)| known == name || known.is_empty()) else {
            return;
        };
        if self.formatting[listed].0.is_empty() {
            return;
        }
        self.formatting.remove(listed);
        if let Some(at) = self.find(|open| (open == name).then_some(true).or_else(|| is_scope(open).then_some(false))) {
            if self.stack[at..].iter().any(|open| is_special(open)) {
                self.stack.remove(at);
            } else {
                self.pop_to(at);
            }
        }
        self.end(name);
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn finish(self, bounds: Bounds) -> Bounded {
        let mut hits = Vec::new();
        let Bounds { depth, elements, attributes, bytes } = bounds;
        if self.deep > 0 {
            hits.push(format!("markup nested deeper than {depth}: {} elements were flattened", self.deep));
        }
        if self.many > 0 {
            hits.push(format!("more than {elements} elements: the tags of {} more were dropped", self.many));
        }
        if self.crowded > 0 {
            hits.push(format!(
                "{} elements with more than {attributes} attributes: the rest was dropped",
                self.crowded
            ));
        }
        if self.cut {
            hits.push(format!("more than {bytes} bytes of markup: the rest was cut"));
        }
        Bounded { html: self.out, hits }
    }
}

/// A piece of HTML as the scan sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// Text as written, entities not decoded. May hold a `<` that begins no tag.
    Text(&'a str),
    /// A start tag: its name and what stands behind it, both as written.
    Open {
        /// The name.
        name: &'a str,
        /// See [`Attributes`].
        attributes: &'a str,
    },
    /// An end tag.
    Close(&'a str),
}

/// The scan: linear, never failing. Comments, declarations, scripts, styles, SVG and MathML are passed over whole.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    html: &'a str,
    at: usize,
    /// The end tag of a raw element (`script`, …) that does not occur again, so that looking for it stays linear.
    missing: Vec<&'static str>,
    /// No comment ends any more, nor any other declaration.
    open_comment: bool,
    open_declaration: bool,
    /// Where the `noscript` ends that is being read for its pictures.
    fallback: usize,
    /// Where the object ends that is being read for what it holds: objects in it are not, so that this stays linear.
    entered: usize,
}

/// Elements that are passed over with what they hold. Of frames and objects the start tag is told; of a `noscript` the
/// pictures, and of an object that holds what is shown in its stead, what it holds.
const HIDDEN: [&str; 14] = [
    "script", "style", "svg", "math", "noscript", "template", "textarea", "iframe", "xmp", "noembed", "noframes",
    "select", "object", "datalist",
];

/// What an object holds for programs that cannot show it, and others can.
const SHOWN_INSTEAD: [&str; 4] = ["<embed", "<iframe", "<img", "<video"];

impl<'a> Tokens<'a> {
    /// Begins at the beginning.
    #[must_use]
    pub const fn new(html: &'a str) -> Self {
        Self { html, at: 0, missing: Vec::new(), open_comment: false, open_declaration: false, fallback: 0, entered: 0 }
    }

    /// Whether the token given last stood in a `noscript`.
    #[must_use]
    pub const fn is_fallback(&self) -> bool {
        self.at <= self.fallback && self.fallback > 0
    }

    /// The next byte position of a `<` that begins markup.
    fn markup(&self, from: usize) -> Option<usize> {
        let bytes = self.html.as_bytes();
        let mut at = from;
        while let Some(found) = self.html[at..].find('<') {
            at += found;
            match bytes.get(at + 1) {
                Some(b'!' | b'?') => return Some(at),
                Some(b'/') if bytes.get(at + 2).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'>') => {
                    return Some(at);
                }
                Some(b) if b.is_ascii_alphabetic() => return Some(at),
                _ => at += 1,
            }
        }
        None
    }

    /// Past a comment, declaration or processing instruction that begins at `at`.
    fn past_declaration(&mut self, at: usize) -> usize {
        let rest = &self.html[at..];
        let end = if let Some(inside) = rest.strip_prefix("<!--") {
            if inside.starts_with('>') {
                Some(5)
            } else if inside.starts_with("->") {
                Some(6)
            } else if self.open_comment {
                None
            } else {
                // Both forms of the end (WHATWG HTML 13.2.5.51 and 52).
                let plain = inside.find("-->").map(|i| i + 7);
                let bang = inside[..plain.map_or(inside.len(), |i| i - 7)].find("--!>").map(|i| i + 8);
                self.open_comment = bang.is_none() && plain.is_none();
                bang.or(plain)
            }
        } else if rest.starts_with("<![CDATA[") {
            // Only feeds have these in HTML, around text: the marks go, the text stays.
            Some("<![CDATA[".len())
        } else if self.open_declaration {
            None
        } else {
            let end = rest.find('>').map(|i| i + 1);
            self.open_declaration = end.is_none();
            end
        };
        // A comment without an end ends where a tag would, or hides nothing but its mark: a cut-off text keeps what follows.
        let mark = if rest.starts_with("<!--") { 4 } else { 2 };
        let tag = || {
            let end = rest[mark..].find(['<', '>']).map(|i| mark + i)?;
            (rest.as_bytes()[end] == b'>').then_some(end + 1)
        };
        at + end.or_else(tag).unwrap_or(mark)
    }

    /// Past the end of a hidden element whose start tag ended before `at`.
    fn past_hidden(&mut self, name: &'static str, at: usize) -> usize {
        // A script or style sheet without an end is one to the end, as in a browser; anything else hides nothing.
        let open = if matches!(name, "script" | "style") { self.html.len() } else { at };
        if self.missing.contains(&name) {
            return open;
        }
        let bytes = self.html.as_bytes();
        let mut depth = 1;
        let nests = matches!(name, "svg" | "math" | "template" | "object");
        let mut from = at;
        while let Some(found) = self.html[from..].find('<') {
            from += found + 1;
            let close = bytes.get(from) == Some(&b'/');
            let start = from + usize::from(close);
            let end = start + name.len();
            let same = bytes.get(start..end).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
                && bytes.get(end).is_none_or(|b| !b.is_ascii_alphanumeric());
            if !same {
                continue;
            }
            if close {
                depth -= 1;
                if depth == 0 {
                    return self.html[end..].find('>').map_or(self.html.len(), |i| end + i + 1);
                }
            } else if nests {
                depth += 1;
            }
        }
        self.missing.push(name);
        open
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.at >= self.html.len() {
                return None;
            }
            let start = self.markup(self.at);
            if start != Some(self.at) {
                let end = start.unwrap_or(self.html.len());
                let text = &self.html[self.at..end];
                let fallback = self.at < self.fallback;
                self.at = end;
                if fallback {
                    continue;
                }
                // The end of a CDATA section, whose beginning was passed over.
                return Some(Token::Text(text.strip_suffix("]]>").unwrap_or(text)));
            }
            let at = self.at;
            let bytes = self.html.as_bytes();
            match bytes[at + 1] {
                b'!' | b'?' => self.at = self.past_declaration(at),
                b'/' => {
                    let end = self.html[at..].find('>').map_or(self.html.len(), |i| at + i);
                    self.at = (end + 1).min(self.html.len());
                    let inside = &self.html[at + 2..end];
                    let name = inside.split(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
                    if !name.is_empty() && at >= self.fallback {
                        return Some(Token::Close(name));
                    }
                }
                _ => {
                    // Quotes and equals signs are part of a name (WHATWG HTML 13.2.5.8).
                    let rest = &bytes[at + 1..];
                    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
                    let behind = at + 1 + rest.iter().position(ends).unwrap_or(rest.len());
                    let Some(end) = tag_end(self.html, behind) else {
                        // Cut off inside a tag: nothing of it can be used.
                        self.at = self.html.len();
                        return None;
                    };
                    let (name, attributes) = (&self.html[at + 1..behind], &self.html[behind..end]);
                    self.at = end + 1;
                    let hidden = HIDDEN.into_iter().find(|hidden| name.eq_ignore_ascii_case(hidden));
                    if at < self.fallback && !name.eq_ignore_ascii_case("img") {
                        continue;
                    }
                    let Some(hidden) = hidden else {
                        return Some(Token::Open { name, attributes });
                    };
                    let begin = self.at;
                    if !(attributes.ends_with('/') && matches!(hidden, "svg" | "math")) {
                        self.at = self.past_hidden(hidden, begin);
                    }
                    match hidden {
                        "object" if at >= self.entered && holds(&self.html[begin..self.at], &SHOWN_INSTEAD) => {
                            self.entered = self.at;
                            self.at = begin;
                        }
                        "iframe" | "object" => return Some(Token::Open { name, attributes }),
                        "noscript" if self.at > begin && holds(&self.html[begin..self.at], &["<img"]) => {
                            self.fallback = self.at;
                            self.at = begin;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

/// Whether one of these begins of tags (in lower case) occurs.
fn holds(html: &str, begins: &[&str]) -> bool {
    let bytes = html.as_bytes();
    begins.iter().any(|begin| bytes.windows(begin.len()).any(|window| window.eq_ignore_ascii_case(begin.as_bytes())))
}

/// Where the `>` of a tag is, quoted values respected. Works for XML and HTML.
#[must_use]
pub fn tag_end(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    // A quote opens a value only behind an equals sign: elsewhere it is part of a name (WHATWG HTML 13.2.5.32).
    let mut value = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'>' => return Some(at),
            b'"' | b'\'' if value => {
                at += 1 + text[at + 1..].find(byte as char)?;
                value = false;
            }
            b'=' => value = true,
            b' ' | b'\t' | b'\n' | b'\r' | 0x0c => {}
            _ => value = false,
        }
        at += 1;
    }
    None
}

/// The attributes of a start tag: name and value as written; names in lower case where they are HTML's.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    rest: &'a str,
    xml: bool,
}

impl<'a> Attributes<'a> {
    /// Of what stands behind the name of a tag.
    #[must_use]
    pub const fn new(rest: &'a str) -> Self {
        Self { rest, xml: false }
    }

    /// The same of XML, where the case of a name counts.
    #[must_use]
    pub const fn of_xml(rest: &'a str) -> Self {
        Self { rest, xml: true }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let blank = |c: char| c.is_ascii_whitespace();
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| blank(c) || c == '/');
            if self.rest.is_empty() {
                return None;
            }
            // An equals sign at the start belongs to the name (WHATWG HTML 13.2.5.32).
            let first = self.rest.chars().next().map_or(0, char::len_utf8);
            let end = self.rest[first..].find(|c: char| blank(c) || c == '=' || c == '/');
            let (name, rest) = self.rest.split_at(end.map_or(self.rest.len(), |i| i + first));
            let rest = rest.trim_start_matches(blank);
            let value = if let Some(rest) = rest.strip_prefix('=') {
                let rest = rest.trim_start_matches(blank);
                let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
                let (value, rest) = if let Some(quote) = quote {
                    rest[1..].split_once(quote).unwrap_or((&rest[1..], ""))
                } else {
                    rest.split_at(rest.find(blank).unwrap_or(rest.len()))
                };
                self.rest = rest;
                value
            } else {
                self.rest = rest;
                ""
            };
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.'));
            if plain {
                let name = if self.xml { Cow::Borrowed(name) } else { lower(name) };
                return Some((name, Cow::Borrowed(value)));
            }
        }
    }
}

/// Plain text as HTML.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Decodes character references: numeric ones as WHATWG HTML 13.2.5.80 has them (Windows-1252 for 128 to 159), named ones by
/// the standard's table, the oldest ones also without their semicolon.
#[must_use]
pub fn decode(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find('&') else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((value, length)) = reference(rest) {
            out.extend(value.chars());
            rest = &rest[length..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What a character reference stands for: one character, by name also two; none if its number is no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference(Option<char>, Option<char>);

impl Reference {
    /// The characters.
    pub fn chars(self) -> impl Iterator<Item = char> {
        self.0.into_iter().chain(self.1)
    }
}

/// Longest name of a character reference in the standard's table, with its marks.
const LONGEST_REFERENCE: usize = 34;

/// Names that are also understood when letters follow them, as browsers do: `&quotIt`. Others of the old ones are words and
/// parameters of addresses as well (`&copyright`, `&section=1`).
const RUN_TOGETHER: [&str; 3] = ["quot", "nbsp", "amp"];

/// The character reference at the beginning of a text, and its length in bytes; `None` if there is a bare `&`.
#[must_use]
pub fn reference(text: &str) -> Option<(Reference, usize)> {
    let rest = text.strip_prefix('&')?;
    if rest.starts_with('#') {
        let (value, length) = number(text)?;
        // Half of a pair of UTF-16: programs that escape unit by unit write a character beyond FFFF as two numbers.
        if (0xd800..0xdc00).contains(&value)
            && let Some((low, second)) = number(&text[length..]).filter(|(low, _)| (0xdc00..0xe000).contains(low))
        {
            let whole = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
            return Some((Reference(char::from_u32(whole), None), length + second));
        }
        let value = match value {
            0x80..=0x9f => windows_1252(value as u8),
            _ => char::from_u32(value).filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')),
        };
        return Some((Reference(value, None), length));
    }
    let count = rest.bytes().take(LONGEST_REFERENCE).take_while(u8::is_ascii_alphanumeric).count();
    match rest.as_bytes().get(count) {
        Some(b';') if count > 0 => {
            if let Some(found) = named(&rest[..=count]) {
                return Some((found, count + 2));
            }
        }
        // A parameter of an address.
        Some(b'=') if !rest.starts_with("amp") => return None,
        _ => {
            if let Some(found) = named(&rest[..count]) {
                return Some((found, count + 1));
            }
        }
    }
    let prefix = RUN_TOGETHER.into_iter().find(|name| rest.starts_with(name) && rest.len() > name.len())?;
    Some((named(prefix)?, prefix.len() + 1))
}

/// The number of `&#8212;` or `&#x2014;`, perhaps without its semicolon, and its length.
fn number(text: &str) -> Option<(u32, usize)> {
    let number = text.strip_prefix("&#")?;
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16),
        None => (number, 10),
    };
    let count = digits.bytes().take_while(|b| (*b as char).is_digit(radix)).count();
    if count == 0 {
        return None;
    }
    let semicolon = usize::from(digits.as_bytes().get(count) == Some(&b';'));
    let value = u32::from_str_radix(digits.get(..count)?, radix).unwrap_or(u32::MAX);
    Some((value, text.len() - digits.len() + count + semicolon))
}

/// By its name with its semicolon, or, for the oldest, without (WHATWG HTML 13.5).
fn named(name: &str) -> Option<Reference> {
    let (first, second) = web_atoms::NAMED_ENTITIES.get(name)?;
    let first = char::from_u32(*first).filter(|c| *c != '\0')?;
    Some(Reference(Some(first), char::from_u32(*second).filter(|c| *c != '\0')))
}

fn windows_1252(byte: u8) -> Option<char> {
    let bytes = [byte];
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes);
    text.chars().next().filter(|c| !c.is_control())
}

/// A name in lower case; HTML's names are compared so.
#[must_use]
pub fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Elements without an end (WHATWG HTML 13.1.2).
#[must_use]
pub fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "bgsound"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "keygen"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong" | "tt" | "u"
    )
}

fn is_table_part(name: &str) -> bool {
    matches!(name, "tr" | "td" | "th" | "tbody" | "thead" | "tfoot" | "caption" | "colgroup" | "col")
}

/// Elements that put a marker into the list of active formatting elements.
fn is_marker(name: &str) -> bool {
    matches!(name, "td" | "th" | "caption" | "applet" | "marquee")
}

/// Elements that end a scope (WHATWG HTML 13.2.4.2).
fn is_scope(name: &str) -> bool {
    matches!(name, "table" | "td" | "th" | "caption" | "applet" | "marquee")
}

fn closes_list_search(name: &str) -> Option<bool> {
    (is_special(name) && !matches!(name, "address" | "div" | "p")).then_some(false)
}

/// The "special" elements of WHATWG HTML 13.2.4.2 that can stand here.
fn is_special(name: &str) -> bool {
    is_table_part(name)
        || matches!(
            name,
            "address"
                | "applet"
                | "article"
                | "aside"
                | "blockquote"
                | "button"
                | "center"
                | "dd"
                | "details"
                | "dir"
                | "div"
                | "dl"
                | "dt"
                | "fieldset"
                | "figcaption"
                | "figure"
                | "footer"
                | "form"
                | "h1"
                | "h2"
                | "h3"
                | "h4"
                | "h5"
                | "h6"
                | "header"
                | "hgroup"
                | "li"
                | "listing"
                | "main"
                | "marquee"
                | "menu"
                | "nav"
                | "ol"
                | "p"
                | "pre"
                | "search"
                | "section"
                | "summary"
                | "table"
                | "title"
                | "ul"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(html: &str) -> String {
        bounded(html, Bounds { depth: 8, elements: 50, attributes: 3, bytes: 10_000 }, &mut |_| true).html
    }

    #[test]
    fn ordinary_markup_is_copied_in_canonical_form() {
        for (html, expected) in [
            ("<P Class='a \"b\"'>x</P>", "<p class=\"a &quot;b&quot;\">x</p>"),
            ("<a href=/s/1>x</a>", "<a href=\"/s/1\">x</a>"),
            ("a < b & c", "a &lt; b & c"),
            ("<!-- <b> -->x<!-->y<!--->z", "xyz"),
            ("<script>if (a<b) '</p>'</script>x", "x"),
            ("x<script>never closed", "x"),
            ("x<textarea>never closed", "xnever closed"),
            ("<svg><path d='1'/><svg></svg></svg>x", "x"),
            ("<ul><li>1<li>2</ul>", "<ul><li>1<li>2</ul>"),
            ("<p>1<p>2</p></p>", "<p>1<p>2</p>"),
            ("</div></span>x", "x"),
            ("x<br/><img src=a.jpg />", "x<br><img src=\"a.jpg\">"),
            ("<td>1</td>", "1"),
            ("cut <a href=\"x", "cut "),
            ("x<!-- -- y >z", "xz"),
            ("x<!-- y <b>z</b>", "x y <b>z</b>"),
            ("<?\u{4e00}x", "\u{4e00}x"),
            ("<!\u{1f600}", "\u{1f600}"),
            ("<a x=1 x=2 \u{4e2d}=3 y>t</a>", "<a x=\"1\" y=\"\">t</a>"),
            ("<![CDATA[text]]>", "text"),
            ("<?x業", "x業"),
            ("<a[b='\"><img src=x>'>", "<a[b='\"><img src=\"x\">'>"),
            ("<!業", "業"),
            ("<!-", "-"),
        ] {
            assert_eq!(copy(html), expected, "{html}");
        }
    }

    #[test]
    fn what_is_too_deep_loses_its_tags_and_keeps_its_text() {
        let html = format!("{}text{}after", "<div>".repeat(50_000), "</div>".repeat(50_000));
        let bounded = bounded(&html, Bounds::TEXT, &mut |_| true);
        assert_eq!(bounded.html.matches("<div>").count(), 256);
        assert!(bounded.html.contains("text") && bounded.html.ends_with("after"));
        assert_eq!(bounded.hits, ["markup nested deeper than 256: 49744 elements were flattened"]);
    }

    /// Ways of nesting in which the end tags do not end what they seem to (scopes, adoption agency): the tree of what is
    /// left must not be deeper than the bound and a few.
    #[test]
    fn end_tags_that_the_standard_ignores_do_not_hide_depth() {
        for piece in [
            "<div><table><tr><td></div>",
            "<span><div></span>",
            "<b><div></b>",
            "<a href=1><div></a>",
            "<font color=1><p></font>",
            "<li><div><ul></li>",
            "<button><p></button>",
            "<x><div></x>",
            "<table><caption></table>",
            "<h1><h2></h1>",
            "<form><div></form>",
            "<applet><b></applet>",
        ] {
            let html = bounded(&piece.repeat(3_000), Bounds::PAGE, &mut |_| true).html;
            let document = dom_query::Document::from(html.as_str());
            let mut deepest = 0;
            let mut level = vec![document.root()];
            while !level.is_empty() {
                deepest += 1;
                level = level.iter().flat_map(dom_query::NodeRef::children).collect();
            }
            assert!(deepest < 600, "{piece}: {deepest}");
        }
    }

    #[test]
    fn many_open_formatting_elements_are_bounded() {
        let fonts: String = (0..5_000).map(|i| format!("<font size={i}>")).collect();
        let html = format!("{fonts}{}", "<p>x".repeat(5_000));
        let html = bounded(&html, Bounds::PAGE, &mut |_| true).html;
        assert_eq!(html.matches("<font").count(), OPEN_FORMATTING);
    }

    #[test]
    fn references_are_decoded_once() {
        for (text, expected) in [
            ("a &amp; b", "a & b"),
            ("&amp;amp;", "&amp;"),
            ("&nbsp;&#8212;&#x4e2d;&#150;", "\u{a0}\u{2014}\u{4e2d}\u{2013}"),
            ("AT&T &unknown; &amp", "AT&T &unknown; &"),
            ("&alpha;&Omega;&fnof;&oelig;", "αΩƒœ"),
            ("&NotEqualTilde;&ThickSpace;", "\u{2242}\u{338}\u{205f}\u{200a}"),
            ("&eacute &copy 2026 &quotIt&nbspis&quot", "é © 2026 \"It\u{a0}is\""),
            ("?a=1&copy=2&section=3&quota=4&amp;b&amp=5&lang=zh", "?a=1&copy=2&section=3&quota=4&b&=5&lang=zh"),
            ("&#55357;&#56832;&#xD83D;&#55357;", "\u{1f600}"),
            ("&#0;&#55555555555;x", "x"),
            ("&", "&"),
            ("&\u{4e2d};", "&\u{4e2d};"),
        ] {
            assert_eq!(decode(text), expected);
        }
    }

    #[test]
    fn an_element_can_be_changed_or_dropped_on_the_way() {
        let html = bounded("<img data-src='a&amp;b'><font>x</font>", Bounds::TEXT, &mut |element| {
            if let Some(source) = element.get("data-src").map(Cow::into_owned) {
                element.set("src", &source);
            }
            element.name != "font"
        });
        assert_eq!(html.html, "<img data-src=\"a&amp;b\" src=\"a&amp;b\">x");
    }
}
