//! JSON as servers really send it: wrapped in a call, with the liberties of JavaScript, or broken off.

use serde_json::{Map, Number, Value};

/// Deepest nesting that is read: what serde_json allows.
const DEPTH: usize = 128;

/// Reads the first value of a text, with a sentence if it took more than JSON.
///
/// # Errors
/// What it is instead, in words.
pub(super) fn read(text: &str) -> Result<(Value, Option<String>), String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\0'));
    let strict = match serde_json::from_str(text) {
        Ok(value) => return Ok((value, None)),
        Err(error) => error,
    };
    if text.starts_with('<') {
        return Err("it is HTML or XML".to_owned());
    }
    // callback({…}), var list = […];, )]}', before the value.
    let Some(begin) = text.find(['{', '[']) else {
        return Err("no list and no object stands in it".to_owned());
    };
    let inner = &text[begin..];
    if let Some(Ok(value)) = serde_json::Deserializer::from_str(inner).into_iter::<Value>().next() {
        return Ok((value, None));
    }
    let mut reader = Lenient { rest: inner, depth: 0 };
    match reader.value() {
        Some((value, cut)) if !matches!(cut, Cut::Leaf) => {
            let how = if cut == Cut::Not { "is read as JavaScript" } else { "breaks off" };
            Ok((value, Some(format!("it {how}: {strict}"))))
        }
        _ => Err(format!("it looks like JSON, but {strict}")),
    }
}

/// Whether a value is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// It is.
    Not,
    /// It broke off, and nothing of it is of use.
    Leaf,
    /// It broke off, after at least one whole element of a list in it.
    Held,
}

struct Lenient<'a> {
    rest: &'a str,
    depth: usize,
}

impl Lenient<'_> {
    /// Blanks, comments and commas that nobody needs.
    fn skip(&mut self, commas: bool) {
        loop {
            self.rest =
                self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || (commas && c == ','));
            if let Some(comment) = self.rest.strip_prefix("//") {
                self.rest = comment.find('\n').map_or("", |end| &comment[end..]);
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                self.rest = comment.find("*/").map_or("", |end| &comment[end + 2..]);
            } else {
                return;
            }
        }
    }

    /// The next value; `None` where none begins.
    fn value(&mut self) -> Option<(Value, Cut)> {
        self.skip(false);
        match self.rest.chars().next()? {
            '{' => self.nested(Self::object),
            '[' => self.nested(Self::array),
            mark @ ('"' | '\'' | '`') => {
                let (text, whole) = self.quoted(mark);
                Some((Value::String(text), if whole { Cut::Not } else { Cut::Leaf }))
            }
            '}' | ']' | ',' | ':' | ')' | ';' => None,
            _ => Some(self.word()),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> (Value, Cut)) -> Option<(Value, Cut)> {
        if self.depth >= DEPTH {
            return None;
        }
        self.rest = &self.rest[1..];
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        Some(found)
    }

    fn object(&mut self) -> (Value, Cut) {
        let mut map = Map::new();
        loop {
            self.skip(true);
            let key = match self.rest.chars().next() {
                None => return (Value::Object(map), Cut::Leaf),
                Some('}') => {
                    self.rest = &self.rest[1..];
                    return (Value::Object(map), Cut::Not);
                }
                Some(mark @ ('"' | '\'' | '`')) => self.quoted(mark).0,
                Some(_) => {
                    let end = self.rest.find(|c: char| c.is_whitespace() || ":,{}[]".contains(c));
                    let (key, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                    self.rest = rest;
                    key.to_owned()
                }
            };
            self.skip(false);
            let Some(rest) = self.rest.strip_prefix(':') else {
                if self.rest.is_empty() {
                    return (Value::Object(map), Cut::Leaf);
                }
                // No value belongs to it: one character further, so that this ends.
                if key.is_empty() {
                    self.forward();
                }
                continue;
            };
            self.rest = rest;
            match self.value() {
                Some((value, Cut::Not)) => {
                    map.insert(key, value);
                }
                Some((value, Cut::Held)) => {
                    map.insert(key, value);
                    return (Value::Object(map), Cut::Held);
                }
                Some((_, Cut::Leaf)) => return (Value::Object(map), Cut::Leaf),
                None if self.rest.is_empty() => return (Value::Object(map), Cut::Leaf),
                None if self.rest.starts_with(['}', ',']) => {}
                None => self.forward(),
            }
        }
    }

    fn array(&mut self) -> (Value, Cut) {
        let mut list = Vec::new();
        loop {
            self.skip(true);
            if let Some(rest) = self.rest.strip_prefix(']') {
                self.rest = rest;
                return (Value::Array(list), Cut::Not);
            }
            match self.value() {
                Some((value, Cut::Not)) => list.push(value),
                Some((value, Cut::Held)) => {
                    // Beside whole elements it is one of them, unfinished; alone it holds the list that is looked for.
                    if list.is_empty() {
                        list.push(value);
                    }
                    return (Value::Array(list), Cut::Held);
                }
                None if !self.rest.is_empty() => self.forward(),
                Some((_, Cut::Leaf)) | None => {
                    let cut = if list.is_empty() { Cut::Leaf } else { Cut::Held };
                    return (Value::Array(list), cut);
                }
            }
        }
    }

    /// Past one character.
    fn forward(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str();
    }

    /// A text in quotation marks, and whether it ends. Line breaks and unknown escapes are allowed.
    fn quoted(&mut self, mark: char) -> (String, bool) {
        let mut out = String::new();
        let mut chars = self.rest[1..].chars();
        let whole = loop {
            match chars.next() {
                None => break false,
                Some(c) if c == mark => break true,
                Some('\\') => match chars.next() {
                    None => break false,
                    Some('n') => out.push('\n'),
                    Some('r') => out.push('\r'),
                    Some('t') => out.push('\t'),
                    Some('b' | 'f' | '\n') => {}
                    Some(kind @ ('u' | 'x')) => out.push_str(&unicode(&mut chars, kind)),
                    Some(c) => out.push(c),
                },
                Some(c) => out.push(c),
            }
        };
        self.rest = chars.as_str();
        (out, whole)
    }

    /// A number, `true`, `null`, `undefined`, or a word without quotation marks; of `new Date(…)` what is in the brackets.
    fn word(&mut self) -> (Value, Cut) {
        let end = self.rest.find(|c: char| ",{}[]:;\n\"'()".contains(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let word = word.trim();
        self.rest = rest;
        if let Some(inside) = rest.strip_prefix('(').filter(|_| self.depth < DEPTH) {
            self.rest = inside;
            self.depth += 1;
            let found = self.value();
            self.depth -= 1;
            self.rest = self.rest.find([')', '\n']).map_or("", |end| &self.rest[end + 1..]);
            return found.unwrap_or((Value::Null, Cut::Not));
        }
        let cut = if rest.is_empty() { Cut::Leaf } else { Cut::Not };
        let value = match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" | "undefined" | "NaN" | "" => Value::Null,
            word => word.parse::<Number>().map_or_else(|_| Value::String(word.to_owned()), Value::Number),
        };
        (value, cut)
    }
}

/// What stands behind `\u` or `\x`; a pair of surrogates is one character.
fn unicode(chars: &mut std::str::Chars<'_>, kind: char) -> String {
    let length = if kind == 'u' { 4 } else { 2 };
    let hex = |chars: &std::str::Chars<'_>| u32::from_str_radix(chars.as_str().get(..length)?, 16).ok();
    let Some(code) = hex(chars) else { return String::new() };
    chars.by_ref().take(length).for_each(drop);
    let mut code = code;
    if (0xd800..0xdc00).contains(&code)
        && chars.as_str().starts_with("\\u")
        && let Some(low) = chars.as_str().get(2..6).and_then(|low| u32::from_str_radix(low, 16).ok())
        && (0xdc00..0xe000).contains(&low)
    {
        chars.by_ref().take(6).for_each(drop);
        code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    char::from_u32(code).map(String::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_surrounds_and_bends_json_is_seen_through() {
        let wanted = json!({ "rows": [{ "t": "许昌", "n": 1 }, { "t": "焦作", "n": 2 }] });
        for (text, told) in [
            (r#"{"rows":[{"t":"许昌","n":1},{"t":"焦作","n":2}]}"#, false),
            (r#"/**/ cb_17({"rows":[{"t":"许昌","n":1},{"t":"焦作","n":2}]});"#, false),
            (r#"var data = {"rows":[{"t":"许昌","n":1},{"t":"焦作","n":2}]}; var x = 1;"#, false),
            (")]}',\n{\"rows\":[{\"t\":\"许昌\",\"n\":1},{\"t\":\"焦作\",\"n\":2}]}", false),
            ("\u{feff}{rows:[{t:'许昌',n:1,},{t:\"焦作\",n:2}],}", true),
            ("{\"rows\":[{\"t\":\"\\u8bb8\\u660c\",\"n\":1},{'t':\"\\x2f焦作\",\"n\":2}]}", true),
            ("{\"rows\":[{\"t\":\"许昌\",\"n\":1},{\"t\":\"焦作\",\"n\":2},{\"t\":\"开", true),
            ("{ // 列表\n \"rows\": [{\"t\":\"许昌\",\"n\":new Number(1)}, /* x */ {\"t\":\"焦作\",\"n\":2}]}", true),
        ] {
            let (value, complaint) = read(text).unwrap();
            assert_eq!(value.to_string().replace("/焦作", "焦作"), wanted.to_string(), "{text}");
            assert_eq!(complaint.is_some(), told, "{text}: {complaint:?}");
        }
    }

    #[test]
    fn what_is_no_json_is_told() {
        for (text, part) in [
            ("<html><body>x</body></html>", "HTML"),
            ("not found", "no list"),
            ("{\"a\":", "looks like JSON"),
            (&"[".repeat(100_000), "looks like JSON"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn hostile_repetition_ends() {
        for piece in ["{", "[", "{a:", "[{\"a\":[", "'", "\"\\", "/*", "a(", "{a b", ",", "{:", "[:"] {
            let _ = read(&piece.repeat(20_000));
        }
    }
}
