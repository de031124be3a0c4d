//! Mistakes in the TOML itself, in the words of someone who edits a file, with what they usually mean.

/// Message and hint for what the reader of TOML says about `found`, which stands in `line`.
pub(super) fn of(message: &str, found: &str, line: &str) -> (String, String) {
    let says = |part: &str| message.contains(part);
    if line.contains(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}', '\u{ff1d}', '\u{ff0c}', '\u{3010}', '\u{3011}'])
        && !says("duplicate")
    {
        return told(
            "typographic quotes or signs",
            "write plain \" or ' and = , [ ]; an input method may have changed them",
        );
    }
    if says("must be quoted") && found.trim().is_empty() {
        return told("the value is missing", "write it behind the =, or take the key out");
    }
    if says("must be quoted") {
        return told("a text without quotes", "write it in \"…\", or in '…' if it holds a backslash or quotes");
    }
    if says("duplicate key") {
        let hint = "a key or [table] stands once; blocks of which there are many have two brackets: [[source]]";
        return (format!("`{found}` stands twice"), hint.to_owned());
    }
    if says("unquoted key") {
        return told("a key that is not of a-z 0-9 - _ stands in quotes", "write \"许昌\" = …");
    }
    if says("escape") {
        let hint = "in \"…\" a backslash begins an escape: use '…' for patterns and queries";
        return told("an escape that does not exist", hint);
    }
    if says("invalid basic string") || says("invalid literal string") || says("unclosed") && says("string") {
        return told("this text is never closed", "close it on the same line with the quote it began with");
    }
    let hint = if says("unclosed array table") || says("unclosed table") {
        "headers are [site] or [[source]]: as many brackets behind as before"
    } else if says("array element") || says("unclosed array") {
        "a list ends with ]: is one above left open?"
    } else if says("inline table") {
        "an inline table is { key = value, key = value }"
    } else if says("key with no value") {
        "every line is `key = value`, a [header] or a # comment"
    } else {
        ""
    };
    (message.to_owned(), hint.to_owned())
}

fn told(message: &str, hint: &str) -> (String, String) {
    (message.to_owned(), hint.to_owned())
}
