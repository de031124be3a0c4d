//! Verification of intent: what a hub asks a callback before it believes a request (section 5.3), and how it refuses one
//! (section 5.2).

use url::form_urlencoded;

/// Longest answer to a verification that is looked at, in bytes.
pub const ANSWER_BYTES: usize = 1_024;

/// A callback with further fields in its query. What stands there already stays as it was written.
#[must_use]
pub fn address(callback: &str, fields: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let join = match callback.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{callback}{join}{query}")
}

/// Whether an answer to a verification confirms it: a success whose body is the challenge. White space around it is
/// forgiven: it says nothing else.
#[must_use]
pub fn confirms(status: u16, body: &[u8], challenge: &str) -> bool {
    (200..300).contains(&status) && body.trim_ascii() == challenge.as_bytes()
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_a_callback_is_kept() {
        let fields = [("hub.mode", "subscribe"), ("hub.topic", "https://d.example/f?a=b&c")];
        let asked = "hub.mode=subscribe&hub.topic=https%3A%2F%2Fd.example%2Ff%3Fa%3Db%26c";
        for (callback, expected) in [
            ("https://r.example/cb", "https://r.example/cb?"),
            ("https://r.example/cb?", "https://r.example/cb?"),
            ("https://r.example/cb?x=%7e&hub.mode=y", "https://r.example/cb?x=%7e&hub.mode=y&"),
        ] {
            assert_eq!(address(callback, &fields), format!("{expected}{asked}"));
        }
    }

    #[test]
    fn only_the_challenge_confirms() {
        for (status, body, expected) in [
            (200, "abc", true),
            (204, "abc", true),
            (299, "abc\r\n", true),
            (200, "", false),
            (200, "abcd", false),
            (200, "ABC", false),
            (302, "abc", false),
            (404, "abc", false),
            (500, "abc", false),
        ] {
            assert_eq!(confirms(status, body.as_bytes(), "abc"), expected, "{status} {body}");
        }
        assert_eq!(hex(&[0, 171, 255]), "00abff");
    }
}
