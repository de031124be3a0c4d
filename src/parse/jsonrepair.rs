//! JSON text as programs write it by hand to JSON that can be read: control characters in strings, comments, commas before
//! an end, and documents that break off, which keep every element that was finished.

/// Deepest nesting that is followed; serde_json reads no deeper.
const DEPTH: usize = 128;

/// Depth of the list of items: inside an object. An element deeper than this is part of an item, perhaps an unfinished one.
const LIST: usize = 2;

/// A text that may be read now; nothing that stood in it is lost but what was unfinished at its end.
pub(super) fn repair(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut open: Vec<char> = Vec::new();
    // Where the last finished element of an array ended, and what was open there.
    let mut finished: Option<(usize, Vec<char>)> = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut took = c.len_utf8();
        match c {
            '"' => {
                let Some(length) = string(rest, &mut out) else { break };
                took = length;
            }
            '/' if rest.starts_with("//") => took = rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => took = rest.find("*/").map_or(rest.len(), |end| end + 2),
            '{' | '[' => {
                if open.len() >= DEPTH {
                    return out;
                }
                out.push(c);
                open.push(if c == '{' { '}' } else { ']' });
                if c == '[' && open.len() <= LIST {
                    finished = Some((out.len(), open.clone()));
                }
            }
            '}' | ']' => {
                // A comma that nothing follows.
                let end = out.trim_end().len();
                if out[..end].ends_with(',') {
                    out.truncate(end - 1);
                }
                if open.pop() != Some(c) {
                    return out;
                }
                out.push(c);
                if open.is_empty() {
                    return out; // what follows is no part of it
                }
                if open.last() == Some(&']') && open.len() <= LIST {
                    finished = Some((out.len(), open.clone()));
                }
            }
            c if c.is_control() && !c.is_ascii_whitespace() => {}
            '\u{feff}' => {}
            c => out.push(c),
        }
        rest = &rest[took..];
    }
    if let Some((end, open)) = finished {
        out.truncate(end);
        out.extend(open.into_iter().rev());
    }
    out
}

/// Copies the string at the beginning of a text, control characters escaped, and answers its length; `None` if it has no end.
fn string(text: &str, out: &mut String) -> Option<usize> {
    let begin = out.len();
    out.push('"');
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => {
                out.push('"');
                return Some(at + 1);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii_control() => {}
            c => out.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    out.truncate(begin);
    None
}

#[cfg(test)]
mod tests {
    use super::repair;

    #[test]
    fn what_can_be_read_is_kept() {
        for (text, expected) in [
            (r#"{"a":[1,2,],}"#, r#"{"a":[1,2]}"#),
            ("{\"a\":\"1\n2\t\u{1}3\"}", r#"{"a":"1\n2\t3"}"#),
            ("// x\n{\"a\":/* y */1} tail", "\n{\"a\":1}"),
            (r#"{"items":[{"id":1},{"id":2},{"id":"3"#, r#"{"items":[{"id":1},{"id":2}]}"#),
            (r#"{"items":[{"id":1,"t":["a","b"],"u":{"v":1"#, r#"{"items":[]}"#),
            (r#"{"a":"x\"y\\"}"#, r#"{"a":"x\"y\\"}"#),
            (r#"{"a":1"#, r#"{"a":1"#),
            ("]", ""),
        ] {
            assert_eq!(repair(text), expected, "{text}");
        }
        assert_eq!(repair(&"[".repeat(100_000)).len(), 128);
    }
}
