//! Feed text to well-formed XML: junk, declarations, bare `&`, unclosed tags, and what makes feed-rs panic.
//!
//! One linear pass that knows nothing of feeds but the names of their roots and fields, and enforces the bounds of
//! [`caps`](super::caps). What it writes is well-formed whatever came in, so a reader behind it refuses a document for its
//! meaning only. A document that breaks off loses its unfinished item and keeps the others; a second feed glued to the end of
//! the first is read on as if it were more of the same.

use super::caps::Gauge;
use crate::model::markup::{Attributes, lower, reference};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A document as well-formed XML.
#[derive(Debug)]
pub(super) struct Repaired {
    pub xml: String,
    /// Root element as written, without its prefix and in lower case.
    pub root: String,
    /// The prefix that was left out, in lower case.
    pub prefix: Option<String>,
    /// Its `version` as written.
    pub version: Option<String>,
    /// What was repaired, a sentence each.
    pub complaints: Vec<String>,
}

/// Roots of feeds, in lower case without prefix.
const ROOTS: [&str; 5] = ["rss", "feed", "rdf", "channel", "entry"];

/// Fields that hold no elements: a start tag inside one ends it.
const LEAVES: [&str; 11] = [
    "link",
    "guid",
    "id",
    "pubdate",
    "published",
    "updated",
    "category",
    "comments",
    "enclosure",
    "issued",
    "modified",
];

/// Fields that follow one another in an item: inside an open title they end it.
const FIELDS: [&str; 14] = [
    "title",
    "link",
    "guid",
    "id",
    "pubdate",
    "published",
    "updated",
    "description",
    "summary",
    "content",
    "encoded",
    "item",
    "entry",
    "enclosure",
];

/// Fields whose text feed-rs splits into name and address (`NAME (ADDRESS)` and the reverse). It panics if an address
/// touches a character of several bytes, as in `info@x.example（名）`: so a blank is put around addresses.
const BYLINES: [&str; 5] = ["author", "managingeditor", "webmaster", "creator", "contributor"];

/// Attributes that feed-rs reads as a time: more digits than a u64 holds make it panic.
const TIMES: [&str; 4] = ["duration", "start", "end", "time"];

/// More digits in a row than any time has.
const DIGITS: usize = 15;

/// Elements of feeds without a prefix that are neither [`ROOTS`], [`LEAVES`] nor [`FIELDS`].
const OTHERS: [&str; 9] = ["author", "creator", "contributor", "source", "image", "tags", "language", "date", "body"];

/// Elements of feeds without a prefix: a start tag with another name inside a field that holds no elements is text.
const ELEMENTS: [&[&str]; 4] = [&ROOTS, &LEAVES, &FIELDS, &OTHERS];

/// Most entities of a document type that are known.
const ENTITIES: usize = 100;

/// Longest text of an entity of a document type, in bytes, all entities inside it resolved.
const ENTITY: usize = 2_000;

/// Most bytes that entities of a document type may bring into a document.
const EXPANDED: usize = 200_000;

/// So many characters that would have to be escaped make a CDATA section cheaper to write and to read.
const ESCAPES: usize = 3;

/// How far behind a declaration the root of its document stands, in bytes.
const NEAR: usize = 500;

/// Most feeds glued to one another that are read.
const GLUED: usize = 50;

/// Most CDATA sections without an end that are repaired: each costs a look at the rest of the document.
const OPEN_SECTIONS: usize = 100;

/// Where the feed begins; what it looks like if it is none.
pub(super) fn root(text: &str) -> Result<usize, String> {
    let mut other: Option<String> = None;
    let mut at = 0;
    let mut ends = Ends::default();
    while let Some(found) = text[at..].find('<') {
        at += found;
        let name = name_at(text, at + 1);
        let local = local(name).to_ascii_lowercase();
        if ROOTS.contains(&local.as_str()) {
            return Ok(at);
        }
        if other.is_none() && !local.is_empty() {
            other = Some(local);
        }
        // A declared document type or comment may name anything.
        at += if text[at..].starts_with("<!--") { ends.comment(&text[at..]) } else { 1 };
    }
    let start = text.trim_start();
    if let Some(found) = binary(start) {
        return Err(found.to_owned());
    }
    Err(match other.as_deref() {
        Some("html" | "head" | "body" | "div" | "script" | "meta" | "title" | "p") => "it is an HTML page".to_owned(),
        Some("urlset" | "sitemapindex") => "it is a sitemap: write `sitemap =` instead of `feed =`".to_owned(),
        Some("opml") => "it is an OPML file, a list of feeds: `citydesk import` makes sources of them".to_owned(),
        Some(root) => format!("it is XML with the root `{root}`"),
        None if start.starts_with(['{', '[']) => "it is JSON, but no JSON Feed".to_owned(),
        None => "it is neither XML nor JSON".to_owned(),
    })
}

/// How much of a document tells whether it is a text at all, in characters.
const HEAD: usize = 1_000;

/// What a document is that is no text: its first characters name it, or too many of them are no characters of any text.
fn binary(text: &str) -> Option<&'static str> {
    let named = [
        ("%PDF-", "it is a PDF document"),
        ("PK\u{3}\u{4}", "it is a ZIP archive"),
        ("GIF8", "it is a picture"),
        ("\u{fffd}PNG", "it is a picture"),
        ("‰PNG", "it is a picture"),
    ];
    if let Some((_, what)) = named.iter().find(|(begin, _)| text.starts_with(begin)) {
        return Some(what);
    }
    let (mut odd, mut all) = (0_usize, 0_usize);
    for c in text.chars().take(HEAD) {
        all += 1;
        odd += usize::from(c == char::REPLACEMENT_CHARACTER || (c.is_control() && !c.is_whitespace()));
    }
    (odd * 10 > all).then_some("it is no text: a picture, an archive, or an answer packed in an unknown way")
}

/// Repairs a document whose root begins at `start`.
pub(super) fn repair(text: &str, start: usize) -> Repaired {
    let mut pass = Pass { out: String::with_capacity(text.len() - start + 64), ..Pass::default() };
    let before = text[..start].trim_start_matches('\u{feff}');
    if junk(before) {
        pass.complain("there is text before the feed: passed over");
    }
    pass.entities = entities(before);
    pass.run(text, start);
    let mut complaints = pass.gauge.complaints();
    complaints.append(&mut pass.complaints);
    Repaired { xml: pass.out, root: pass.root, prefix: pass.prefix, version: pass.version, complaints }
}

/// Whether there is anything before the root but declarations, comments and blanks.
fn junk(before: &str) -> bool {
    let mut rest = before.trim_start();
    while !rest.is_empty() {
        let end = if rest.starts_with("<?") {
            rest.find("?>").map(|i| i + 2)
        } else if rest.starts_with("<!--") {
            rest.find("-->").map(|i| i + 3)
        } else if rest.starts_with("<!") {
            past_doctype(rest)
        } else {
            None
        };
        let Some(end) = end else { return true };
        rest = rest[end..].trim_start();
    }
    false
}

/// Past `<!DOCTYPE … [ … ]>`.
fn past_doctype(text: &str) -> Option<usize> {
    let close = text.find('>')?;
    let subset = text.find('[').filter(|open| *open < close).and_then(|open| {
        let inner = open + text[open..].find(']')?;
        Some(inner + text[inner..].find('>')? + 1)
    });
    subset.or(Some(close + 1))
}

/// The entities that a document type declares (XML 1.0 section 4.2, internal ones only), each with the ones inside it resolved.
/// None of them can hold itself or a later one, so nothing grows without bound.
fn entities(before: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for declared in before.split("<!ENTITY").skip(1).take(ENTITIES) {
        let declared = declared.trim_start();
        let Some((name, rest)) = declared.split_once(char::is_whitespace) else { continue };
        let rest = rest.trim_start();
        let Some(quote @ ('"' | '\'')) = rest.chars().next() else { continue };
        let Some((value, _)) = rest[1..].split_once(quote) else { continue };
        let value = resolved(value, &found);
        if value.len() <= ENTITY && !name.contains(['%', '<', '>', '"', '\'']) {
            found.entry(name.to_owned()).or_insert(value);
        }
    }
    found
}

/// A text with the entities of the document type put in.
fn resolved(text: &str, entities: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((value, length)) = entity(rest, entities) {
            out.push_str(value);
            rest = &rest[length..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
        if out.len() > ENTITY {
            return out;
        }
    }
    out.push_str(rest);
    out
}

/// The entity of the document type at the beginning of a text, and the length of its reference.
fn entity<'e>(text: &str, entities: &'e BTreeMap<String, String>) -> Option<(&'e str, usize)> {
    let name = &text[1..text.bytes().take(64).position(|b| b == b';')?];
    Some((entities.get(name)?, name.len() + 2))
}

/// The ends of constructs. Looking again for one that does not come any more would make the scan quadratic, so that is
/// remembered; a document without such constructs costs nothing.
#[derive(Debug, Default)]
struct Ends {
    comment: bool,
    instruction: bool,
    section: bool,
}

impl Ends {
    /// Where `end` begins in `rest`; `gone` is whether it was looked for before and does not come again.
    fn find(gone: &mut bool, rest: &str, end: &str) -> Option<usize> {
        // By its first byte: quicker than looking for the whole where that is rare.
        let first = end.chars().next().unwrap_or_default();
        let whole = |at: &usize| rest.as_bytes()[*at..].starts_with(end.as_bytes());
        let found = if *gone { None } else { rest.match_indices(first).map(|(at, _)| at).find(whole) };
        *gone = found.is_none();
        found
    }

    /// Past a comment.
    fn comment(&mut self, rest: &str) -> usize {
        Self::find(&mut self.comment, rest, "-->").map_or(4, |at| at + 3)
    }

    /// Past a processing instruction.
    fn instruction(&mut self, rest: &str) -> usize {
        Self::find(&mut self.instruction, rest, "?>").map_or(2, |at| at + 2)
    }

    /// Where a CDATA section ends.
    fn section(&mut self, inside: &str) -> Option<usize> {
        Self::find(&mut self.section, inside, "]]>")
    }
}

/// Where the `>` of a start tag is; `None` if another `<` comes before it outside of quotes.
fn tag_end(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut value = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'>' => return Some(at),
            b'<' => return None,
            b'"' | b'\'' if value => {
                let length = text[at + 1..].find(byte as char)?;
                // A value that holds whole fields was never closed: it ends with its tag.
                if !holds_fields(&text[at + 1..=at + length]) {
                    at += 1 + length;
                }
                value = false;
            }
            b'=' => value = true,
            _ if byte.is_ascii_whitespace() => {}
            _ => value = false,
        }
        at += 1;
    }
    None
}

/// Whether an item or a CDATA section may begin or end with the tag that goes on so; a quick look.
fn begins_item(tag: &[u8]) -> bool {
    matches!(tag, [b'/', b'i' | b'e', b't' | b'n', ..] | [b'i' | b'e', b't' | b'n', ..] | [b'!', b'[', ..])
}

/// Whether a value of an attribute holds an item, or the title of one: no attribute does.
fn holds_fields(value: &str) -> bool {
    let field = |at: usize| {
        let tag = value[at..].trim_start_matches(['<', '/']);
        ["item", "entry", "channel", "title", "link"].iter().any(|name| {
            tag.strip_prefix(name).is_some_and(|rest| rest.starts_with(|c: char| c == '>' || c.is_ascii_whitespace()))
        })
    };
    value.contains('>') && value.match_indices('<').any(|(at, _)| field(at))
}

fn name_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    if !rest.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return "";
    }
    let plain = rest.bytes().position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b':' | b'_' | b'-' | b'.'));
    let plain = plain.unwrap_or(rest.len());
    let behind = |c: char| c.is_whitespace() || "/><=\"'&".contains(c);
    &rest[..rest[plain..].find(behind).map_or(rest.len(), |more| plain + more)]
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

#[derive(Debug, Default)]
struct Pass<'a> {
    out: String,
    root: String,
    prefix: Option<String>,
    version: Option<String>,
    /// Open elements as written, and in lower case without prefix.
    stack: Vec<(&'a str, Cow<'a, str>)>,
    /// Elements that were too deep: their end tags go too.
    over: Vec<&'a str>,
    /// Where in `out` the item being written began, and at which depth.
    item: Option<(usize, usize)>,
    /// Where in `out` its last finished field ended, and the names of its finished fields that make it worth keeping.
    finished: (usize, bool, bool),
    old_atom: bool,
    gauge: Gauge,
    complaints: Vec<String>,
    /// What the document type declares, and how many bytes of it were put in.
    entities: BTreeMap<String, String>,
    expanded: usize,
    control: usize,
    ampersands: usize,
    unclosed: usize,
    open_sections: usize,
    /// Feeds that begin after the end of the first.
    glued: usize,
}

impl<'a> Pass<'a> {
    fn complain(&mut self, text: &str) {
        self.complaints.push(text.to_owned());
    }

    fn run(&mut self, text: &'a str, start: usize) {
        let mut at = start;
        let mut finished = false;
        let mut ends = Ends::default();
        let last_tag = text.rfind('>').unwrap_or_default();
        while at < text.len() && !self.gauge.full() {
            let rest = &text[at..];
            if !rest.starts_with('<') {
                let end = rest.find('<').map_or(text.len(), |i| at + i);
                self.text(&text[at..end]);
                at = end;
            } else if rest.starts_with("<!--") {
                at += ends.comment(rest);
            } else if let Some(inside) = rest.strip_prefix("<![CDATA[") {
                at += 9 + self.cdata(inside, ends.section(inside));
            } else if rest.starts_with("<?") {
                at += ends.instruction(rest);
                // A declaration inside a document begins another one: the first broke off before.
                if rest.starts_with("<?xml ")
                    && let Some(own) = self.stack.first().map(|(own, _)| *own)
                    && root(&text[at..text.floor_char_boundary(at + NEAR)]).is_ok()
                    && let Some(next) = self.glue(text, at, own)
                {
                    self.break_off();
                    self.pop_to(1);
                    at = next;
                }
            } else if at > last_tag {
                break; // no tag ends any more
            } else if rest.starts_with("<!") {
                at += past_doctype(rest).unwrap_or(2);
            } else if let Some(inside) = rest.strip_prefix("</") {
                let name = name_at(inside, 0);
                if name.is_empty() {
                    self.text("<");
                    at += 1;
                    continue;
                }
                let Some(end) = inside.find('>') else { break };
                at += 2 + end + 1;
                let last = self.stack.len() == 1
                    && self
                        .stack
                        .first()
                        .is_some_and(|(open, lower)| *open == name || *lower == local(name).to_ascii_lowercase());
                // The root stays open, and what follows stands in it.
                if last && let Some(next) = self.glue(text, at, name) {
                    at = next;
                    continue;
                }
                self.close(name);
                if self.stack.is_empty() {
                    finished = true;
                    break;
                }
            } else {
                let name = name_at(text, at + 1);
                let end = if name.is_empty() { None } else { tag_end(text, at + 1 + name.len()) };
                // A `<` in a text, or a tag that never ends before the next one begins.
                if let Some(end) = end.filter(|end| !self.is_text(name, &text[*end..])) {
                    let inside = &text[at + 1 + name.len()..end];
                    at = end + 1;
                    self.open(name, inside);
                } else {
                    self.text("<");
                    at += 1;
                }
            }
        }
        self.finish(finished);
    }

    fn open(&mut self, name: &'a str, inside: &str) {
        let lower = lower(local(name));
        self.imply(&lower, name);
        if matches!(&*lower, "item" | "entry") {
            // An item inside an item: the one before was not closed.
            if let Some((_, depth)) = self.item.filter(|(_, depth)| *depth < self.stack.len()) {
                self.unclosed += 1;
                self.pop_to(depth);
            }
            self.item = Some((self.out.len(), self.stack.len()));
            self.finished = (0, false, false);
        }
        let (inside, empty) = match inside.strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        if !self.gauge.element(self.stack.len()) {
            if !empty {
                self.over.push(name);
            }
            return;
        }
        let first = self.stack.is_empty();
        let written = if first && lower != name && ROOTS[..2].contains(&&*lower) { &lower } else { name };
        self.out.push('<');
        // A prefixed name that ends in a colon or begins with one is none.
        self.out.push_str(written.trim_matches(':'));
        let mut known: Vec<&str> = Vec::new();
        let mut version = None;
        for (key, value) in Attributes::of_xml(inside) {
            let std::borrow::Cow::Borrowed(key) = key else { continue };
            let usable = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !key.ends_with(':');
            if !usable || known.contains(&key) {
                continue;
            }
            if !self.gauge.attribute(known.len()) {
                break;
            }
            known.push(key);
            if first && key.eq_ignore_ascii_case("version") {
                version = Some(value.into_owned());
                continue;
            }
            if first && key == "xmlns" {
                // Feeds give their vocabulary many names (harvard.edu, userland, Netscape, Atom 0.3, https); feed-rs finds no
                // item under any but the ones it knows.
                let known = match &*lower {
                    "feed" | "entry" => " xmlns=\"http://www.w3.org/2005/Atom\"",
                    "rdf" => " xmlns=\"http://purl.org/rss/1.0/\"",
                    _ => "",
                };
                self.out.push_str(known);
                self.old_atom |= value.contains("purl.org/atom");
                continue;
            }
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            let time = TIMES.contains(&key);
            let value = self.unescaped(&value);
            let value = if time { Cow::Owned(few_digits(&value)) } else { value };
            self.write(&value, &PLAIN);
            self.out.push('"');
        }
        if first {
            if lower == "rss" {
                let version = version.as_deref().unwrap_or_default();
                // feed-rs knows these three; the others (0.90, 0.93, 0.94, 1.0, 2.01, none) are read like 2.0.
                let read = if matches!(version, "0.91" | "0.92") { version } else { "2.0" };
                self.out.push_str(&format!(" version=\"{read}\""));
            }
            self.version = version.or_else(|| self.old_atom.then(|| "0.3".to_owned()));
            (*lower).clone_into(&mut self.root);
            self.prefix = name.split_once(':').map(|(prefix, _)| prefix.to_ascii_lowercase());
        }
        if empty {
            self.out.push_str("/>");
            self.field(&lower);
            if self.item.is_some_and(|(_, depth)| depth == self.stack.len()) {
                self.item = None;
            }
        } else {
            self.out.push('>');
            // The end tag must be written as the start tag was.
            self.stack.push((name, lower));
        }
    }

    /// Whether what looks like a start tag is part of the text of a field that holds no elements: `…/<<title>></id>`.
    fn is_text(&self, name: &str, rest: &str) -> bool {
        let Some((open, top)) = self.stack.last() else { return false };
        if !LEAVES.contains(&&**top) || name.contains(':') {
            return false;
        }
        let known = ELEMENTS.iter().copied().flatten().any(|known| known.eq_ignore_ascii_case(name));
        let ends = || rest.find("</").is_some_and(|at| rest[at + 2..].starts_with(open));
        !known && ends()
    }

    /// Ends that a start tag implies.
    fn imply(&mut self, lower: &str, name: &str) {
        let Some((open, top)) = self.stack.last() else { return };
        // Only fields of the feed itself: a link of XHTML or of an extension is something else.
        if open.contains(':') && !open.starts_with("atom:") {
            return;
        }
        let leaf = LEAVES.contains(&&**top);
        let title = top == "title" && FIELDS.contains(&lower) && !name.contains(':');
        if leaf || title {
            self.unclosed += 1;
            let at = self.stack.len() - 1;
            self.pop_to(at);
        }
    }

    fn close(&mut self, name: &str) {
        if self.over.last() == Some(&name) {
            self.over.pop();
            return;
        }
        let found = self.stack.iter().rposition(|(open, _)| *open == name).or_else(|| {
            let lower = local(name).to_ascii_lowercase();
            self.stack.iter().rposition(|(open, known)| *known == lower && open.eq_ignore_ascii_case(name))
        });
        match found {
            // The end of the feed inside an item is the end of a document glued or quoted in it, not of ours.
            Some(at) => {
                self.unclosed += self.stack.len() - 1 - at;
                self.pop_to(at);
            }
            None => self.unclosed += 1,
        }
    }

    /// Writes the end tags of all elements from this depth on.
    fn pop_to(&mut self, depth: usize) {
        while self.stack.len() > depth {
            let Some((name, lower)) = self.stack.pop() else { break };
            self.out.push_str("</");
            self.out.push_str(if self.stack.is_empty() && ROOTS[..2].contains(&&*lower) {
                &lower
            } else {
                name.trim_matches(':')
            });
            self.out.push('>');
            self.field(&lower);
        }
        if self.item.is_some_and(|(_, item)| item >= self.stack.len()) {
            self.item = None;
        }
    }

    /// Notes that an element ended: it may be a field of the item.
    fn field(&mut self, lower: &str) {
        if self.item.is_some_and(|(_, depth)| self.stack.len() == depth + 1) {
            self.finished.0 = self.out.len();
            self.finished.1 |= lower == "title";
            self.finished.2 |= matches!(lower, "link" | "guid" | "id");
        }
    }

    fn text(&mut self, text: &str) {
        let text = self.gauge.text(text);
        let Some((_, top)) = self.stack.last() else { return };
        let time = top == "duration";
        let byline = BYLINES.contains(&&**top);
        let text = self.unescaped(text);
        self.content(&text, byline, time);
    }

    /// Text with every character reference resolved.
    fn unescaped<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        let Some(first) = text.find('&') else { return Cow::Borrowed(text) };
        let mut out = String::with_capacity(text.len());
        out.push_str(&text[..first]);
        let mut rest = &text[first..];
        while let Some(at) = rest.find('&') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some((found, length)) = reference(rest) {
                let before = out.len();
                out.extend(found.chars());
                self.control += usize::from(out.len() == before);
                rest = &rest[length..];
            } else if let Some((value, length)) =
                entity(rest, &self.entities).filter(|_| self.expanded < EXPANDED && !self.entities.is_empty())
            {
                self.expanded += value.len();
                out.push_str(&crate::model::markup::decode(value));
                rest = &rest[length..];
            } else {
                self.ampersands += 1;
                out.push('&');
                rest = &rest[1..];
            }
        }
        out.push_str(rest);
        Cow::Owned(out)
    }

    /// Writes text that is no markup.
    fn content(&mut self, text: &str, byline: bool, time: bool) {
        let padded = if byline && text.contains('@') { Cow::Owned(pad_addresses(text)) } else { Cow::Borrowed(text) };
        let bounded = if time { Cow::Owned(few_digits(&padded)) } else { padded };
        let text: &str = &bounded;
        let mut specials = 0;
        for piece in text.as_bytes().chunks(PIECE) {
            specials += piece.iter().filter(|byte| matches!(byte, b'<' | b'&' | b'>')).count();
            if specials >= ESCAPES {
                break;
            }
        }
        if specials >= ESCAPES && !text.contains("]]>") {
            self.out.push_str("<![CDATA[");
            self.write(text, &PLAIN_IN_CDATA);
            self.out.push_str("]]>");
        } else {
            self.write(text, &PLAIN);
        }
    }

    /// Writes a text in pieces of characters that may stand as they are.
    fn write(&mut self, text: &str, plain: &[bool; 256]) {
        let mut rest = text;
        while let Some(at) = unplain(rest.as_bytes(), plain) {
            self.out.push_str(&rest[..at]);
            let mut chars = rest[at..].chars();
            match chars.next() {
                Some('&') => self.out.push_str("&amp;"),
                Some('<') => self.out.push_str("&lt;"),
                Some('>') => self.out.push_str("&gt;"),
                Some('"') => self.out.push_str("&quot;"),
                // A line end is written as one character.
                Some('\r') if !chars.as_str().starts_with('\n') => self.out.push('\n'),
                Some(c) => self.control += usize::from(c != '\r'),
                None => {}
            }
            rest = chars.as_str();
        }
        self.out.push_str(rest);
    }

    /// Writes a CDATA section and answers how many bytes of `inside` it took.
    fn cdata(&mut self, inside: &'a str, end: Option<usize>) -> usize {
        let (mut content, mut took) = match end {
            Some(end) => (&inside[..end], end + 3),
            None => (inside, inside.len()),
        };
        // A section that was never closed runs into the next item or section: it ends with its field.
        if self.open_sections < OPEN_SECTIONS
            && content.match_indices('<').any(|(at, _)| begins_item(&content.as_bytes()[at + 1..]))
            && let Some((name, _)) = self.stack.last()
            && let Some(item) = ["<item>", "<item ", "<entry>", "<entry ", "</item>", "</entry>", "<![CDATA["]
                .iter()
                .filter_map(|tag| content.find(tag))
                .min()
            && let Some(end) = content[..item].find(&format!("</{name}>"))
        {
            self.open_sections += 1;
            content = &content[..end];
            took = end;
        }
        let content = self.gauge.text(content);
        if let Some((_, top)) = self.stack.last() {
            let byline = BYLINES.contains(&&**top);
            let time = top == "duration";
            self.content(content, byline, time);
        }
        took
    }

    /// Ends the document where it breaks off: an unfinished item stays if it has a title and something that identifies it,
    /// without the field that was being read.
    fn break_off(&mut self) {
        if let Some((begin, depth)) = self.item.take() {
            let (end, title, link) = self.finished;
            if title && link {
                self.complain("the document breaks off inside an item: of that item only its finished fields are read");
                self.out.truncate(end);
                self.stack.truncate(depth + 1);
            } else {
                self.complain("the document breaks off inside an item: that item is left out");
                self.out.truncate(begin);
                self.stack.truncate(depth);
            }
        } else {
            self.complain("the document breaks off");
        }
    }

    /// Where to read on after the declaration of another document inside this one: behind its root if that is as ours, so
    /// that its items stand beside the others. `None` if no feed begins there.
    fn glue(&mut self, text: &str, at: usize, own: &str) -> Option<usize> {
        if self.glued >= GLUED {
            return None;
        }
        let root = at + root(&text[at..]).ok()?;
        self.glued += 1;
        let other = name_at(text, root + 1);
        if !local(other).eq_ignore_ascii_case(local(own)) {
            return Some(root);
        }
        Some(tag_end(text, root + 1 + other.len()).map_or(text.len(), |end| end + 1))
    }

    fn finish(&mut self, finished: bool) {
        let finished = finished || (self.glued > 0 && self.stack.len() == 1);
        if !finished && !self.stack.is_empty() {
            self.break_off();
        }
        self.pop_to(0);
        for (count, what) in [
            (self.control, "characters that must not stand in XML were dropped"),
            (self.ampersands, "bare `&` were read as text"),
            (self.glued, "more feeds follow the end of the first: read as one"),
            (self.open_sections, "CDATA sections without an end were ended with their element"),
            (self.unclosed, "tags without their counterpart were closed or dropped"),
        ] {
            if count > 0 {
                self.complaints.push(format!("{count} {what}"));
            }
        }
    }
}

/// So many bytes are looked at together.
const PIECE: usize = 32;

/// Where the first byte is that must not stand as it is.
fn unplain(bytes: &[u8], plain: &[bool; 256]) -> Option<usize> {
    let quoted = !plain[usize::from(b'&')];
    // Of nothing else can a table here say no: most pieces have none.
    #[allow(clippy::needless_bitwise_bool, reason = "without a branch a piece is looked at as a whole")]
    let suspect = |byte: u8| (byte < 0x20) | (byte == 0x7f) | (quoted & matches!(byte, b'&' | b'<' | b'>' | b'"'));
    bytes.chunks(PIECE).enumerate().find_map(|(number, piece)| {
        let any = piece.iter().fold(false, |any, byte| any | suspect(*byte));
        let found = if any { piece.iter().position(|byte| !plain[usize::from(*byte)]) } else { None };
        found.map(|at| number * PIECE + at)
    })
}

/// Bytes that may stand in the text of an element and in a quoted value.
const PLAIN: [bool; 256] = bytes(b"&<>\"\x7f");

/// Bytes that may stand in a CDATA section.
const PLAIN_IN_CDATA: [bool; 256] = bytes(b"\x7f");

/// All bytes but these and the control characters that are not allowed in XML or, as `\r`, written otherwise.
const fn bytes(but: &[u8]) -> [bool; 256] {
    let mut plain = [true; 256];
    let mut at = 0;
    while at < 0x20 {
        plain[at] = at == b'\t' as usize || at == b'\n' as usize;
        at += 1;
    }
    at = 0;
    while at < but.len() {
        plain[but[at] as usize] = false;
        at += 1;
    }
    plain
}

/// A text in which no number has more than [`DIGITS`] digits.
fn few_digits(text: &str) -> String {
    let mut digits = 0;
    let few = |c: &char| {
        digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
        digits <= DIGITS
    };
    text.chars().filter(few).collect()
}

/// Puts a blank around every e-mail address that touches a character beyond ASCII.
fn pad_addresses(text: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || "._%+-@".contains(c);
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let begin =
            rest[..at].rfind(|c: char| !part(c)).map_or(0, |i| i + rest[i..].chars().next().map_or(1, char::len_utf8));
        let end = rest[at..].find(|c: char| !part(c)).map_or(rest.len(), |i| at + i);
        out.push_str(&rest[..begin]);
        if out.ends_with(|c: char| !c.is_ascii()) {
            out.push(' ');
        }
        out.push_str(&rest[begin..end]);
        rest = &rest[end..];
        if rest.starts_with(|c: char| !c.is_ascii()) {
            out.push(' ');
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &str) -> String {
        repair(text, root(text).unwrap()).xml
    }

    #[test]
    fn what_is_written_is_well_formed() {
        for (text, expected) in [
            (
                "<rss version='2.0'><a>1 & 2 &nbsp;&amp;</a></rss>",
                "<rss version=\"2.0\"><a>1 &amp; 2 \u{a0}&amp;</a></rss>",
            ),
            ("\u{feff} junk <?xml version='1.0'?><RSS><a/></RSS> tail", "<rss version=\"2.0\"><a/></rss>"),
            (
                "<rss version=\"2.01\"><a b=1 b=2 c='x<y'/></rss>",
                "<rss version=\"2.0\"><a b=\"1\" c=\"x&lt;y\"/></rss>",
            ),
            ("<feed><title>a<b</title></feed>", "<feed><title>a&lt;b</title></feed>"),
            ("<feed><title>1 < 2</title></feed>", "<feed><title>1 &lt; 2</title></feed>"),
            ("<feed><t><![CDATA[a<b> & \u{1}]]></t></feed>", "<feed><t><![CDATA[a<b> & ]]></t></feed>"),
            ("<feed><t>x&#0;&#150;</t><!-- <x> --></feed>", "<feed><t>x\u{2013}</t></feed>"),
            (
                "<rss><item><title>1<link>2</link></item></rss>",
                "<rss version=\"2.0\"><item><title>1</title><link>2</link></item></rss>",
            ),
            (
                "<rss><item><a>1<item><a>2</a></item></rss>",
                "<rss version=\"2.0\"><item><a>1</a></item><item><a>2</a></item></rss>",
            ),
            (
                "<rss><item><title>1</title><link>2</link><a>3",
                "<rss version=\"2.0\"><item><title>1</title><link>2</link></item></rss>",
            ),
            ("<rss><item><a>1</a></item><item><a>2", "<rss version=\"2.0\"><item><a>1</a></item></rss>"),
            ("<rss><item><a>1</a></item><item><a href=\"", "<rss version=\"2.0\"><item><a>1</a></item></rss>"),
            (
                "<rss><channel><a b=\"1><title>2</title><item><c d=\"3\"/></item></channel></rss>",
                "<rss version=\"2.0\"><channel><a b=\"1\"><title>2</title><item><c d=\"3\"/></item></a></channel></rss>",
            ),
            (
                "<rss><title><![CDATA[1</title><item><title><![CDATA[2]]></title></item></rss>",
                "<rss version=\"2.0\"><title>1</title><item><title>2</title></item></rss>",
            ),
            (
                "<rss><title><![CDATA[</title><a><![CDATA[1]]></a><item><b>2</b></item></rss>",
                "<rss version=\"2.0\"><title></title><a>1</a><item><b>2</b></item></rss>",
            ),
            ("<rss></b><a>1</a></rss>", "<rss version=\"2.0\"><a>1</a></rss>"),
            (
                "<!DOCTYPE rss [<!ENTITY x 'y'><!ENTITY z \"&x;&x;\">]><rss>&x;&z;&w;</rss>",
                "<rss version=\"2.0\">yyy&amp;w;</rss>",
            ),
            (
                "<rss><duration>99999999999999999999</duration></rss>",
                "<rss version=\"2.0\"><duration>999999999999999</duration></rss>",
            ),
        ] {
            assert_eq!(repaired(text), expected, "{text}");
        }
    }

    #[test]
    fn addresses_in_bylines_get_room() {
        for (text, expected) in [
            ("info@x.example（名）", "info@x.example （名）"),
            ("记者：info@x.example", "记者： info@x.example"),
            ("news@x.example«»", "news@x.example «»"),
            ("a@b@c名", "a@b@c 名"),
            ("名 a@b.example (名)", "名 a@b.example (名)"),
        ] {
            assert_eq!(pad_addresses(text), expected);
        }
    }

    #[test]
    fn what_is_no_feed_is_named() {
        for (text, expected) in [
            ("<!DOCTYPE html><html><body></body></html>", "it is an HTML page"),
            ("<urlset></urlset>", "it is a sitemap: write `sitemap =` instead of `feed =`"),
            ("<x/>", "it is XML with the root `x`"),
            ("hello", "it is neither XML nor JSON"),
            ("<opml version='2.0'/>", "it is an OPML file, a list of feeds: `citydesk import` makes sources of them"),
            ("%PDF-1.7 <x>", "it is a PDF document"),
            (
                "\u{fffd}\u{1}k<Ñ\u{8}\u{fffd}",
                "it is no text: a picture, an archive, or an answer packed in an unknown way",
            ),
        ] {
            assert_eq!(root(text), Err(expected.to_owned()));
        }
    }
}
