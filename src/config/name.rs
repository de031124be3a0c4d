//! Names with a shape: ids, tags, zones, languages, character sets, headers of requests.

use serde_json::json;
use url::Url;

use super::address;
use super::key::{Kind, Value};
use super::kind;
use super::near;
use super::reading::Reading;
use crate::model::id::{SourceId, hash64};
use crate::model::tag::Tag;

/// The id of a source or a saved feed.
pub(super) struct Id;

impl Kind<SourceId> for Id {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<SourceId> {
        let text = kind::text(value, reading)?;
        let id = SourceId::new(text);
        if id.is_none() {
            let made = shaped(text);
            let hint = match made.as_str() {
                "" => "such as \"wuhu-gov\"".to_owned(),
                made => format!("write \"{made}\""),
            };
            let message = format!("`{}` is 1 to 64 of a-z 0-9 - _ . and begins with a letter or digit", value.key);
            reading.error(value.sheet, value.span, message, hint);
        }
        id
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$" })
    }
}

/// Longest id that [`made`] makes without a hash at its end.
const LONGEST: usize = 48;

/// The id of a source that has none: made from host and path of its address, or from its file pattern. Always the
/// same for the same address.
pub(super) fn made(address: &str) -> SourceId {
    let filled = address::filled(address).unwrap_or_else(|_| address.to_owned());
    let plain = match Url::parse(&filled) {
        Ok(url) => format!("{}{}", url.host_str().unwrap_or_default(), url.path()),
        Err(_) => filled,
    };
    let plain = plain.trim_end_matches('/');
    let mut id = shaped(plain.strip_prefix("www.").unwrap_or(plain));
    if id.is_empty() || id.len() > LONGEST {
        id.truncate(LONGEST);
        id = format!("{}-{:08x}", id.trim_end_matches(['-', '.']), hash64(&[plain.as_bytes()]) >> 32);
        id = id.trim_start_matches('-').to_owned();
    }
    SourceId::new(&id).unwrap_or_default()
}

/// A text forced into the shape of an id; empty if nothing is left.
fn shaped(text: &str) -> String {
    let mut id = String::new();
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_') {
            if c == '.' && id.ends_with('-') {
                id.pop();
            }
            id.push(c);
        } else if !id.is_empty() && !id.ends_with(['-', '.']) {
            id.push('-');
        }
    }
    id.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

/// A tag as spelt.
pub(super) struct TagName;

impl Kind<String> for TagName {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = kind::text(value, reading)?;
        let tag = Tag::new(text);
        if tag.is_none() || text.chars().any(char::is_control) {
            reading.expected(value, "a tag", "letters or digits, at most 64 characters");
            return None;
        }
        tag.map(|tag| tag.name)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// An IANA time zone.
pub(super) struct Zone;

impl Kind<String> for Zone {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = kind::text(value, reading)?;
        if text.parse::<chrono_tz::Tz>().is_ok() {
            return Some(text.to_owned());
        }
        let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let hint = match (text, near_zone(text, names)) {
            ("Asia/Beijing" | "Beijing" | "CST" | "UTC+8" | "GMT+8" | "+08:00" | "UTC+08:00", _) => {
                "write \"Asia/Shanghai\"".to_owned()
            }
            (_, Some(near)) => format!("did you mean \"{near}\"?"),
            _ => "an IANA name such as \"Asia/Shanghai\" or \"UTC\"".to_owned(),
        };
        reading.expected(value, "a time zone", hint);
        None
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

fn near_zone<'a>(text: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let same = names.clone().find(|name| name.eq_ignore_ascii_case(text));
    same.or_else(|| near::to(text, names))
}

/// A language of texts (BCP 47, shape only).
pub(super) struct Language;

impl Kind<String> for Language {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = kind::text(value, reading)?;
        let mut parts = text.split('-');
        let first = parts
            .next()
            .is_some_and(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic()));
        let rest = parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !(first && rest) {
            reading.expected(value, "a language", "such as \"zh-CN\" or \"en\"");
            return None;
        }
        Some(text.to_owned())
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" })
    }
}

/// A character set (a label of the WHATWG Encoding Standard).
pub(super) struct Charset;

impl Kind<String> for Charset {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = kind::text(value, reading)?;
        if encoding_rs::Encoding::for_label(text.as_bytes()).is_none() {
            let known = ["utf-8", "gb18030", "gbk", "gb2312", "big5", "shift_jis", "euc-jp", "euc-kr", "windows-1252"];
            let hint = match near::to(text, known.into_iter()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("such as {}", known.join(", ")),
            };
            reading.expected(value, "a character set", hint);
            return None;
        }
        Some(text.to_owned())
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// The last part of a city's address.
pub(super) fn slug(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(good) && !text.starts_with('-') && !text.ends_with('-')
}

/// A header's name (RFC 9110 section 5.6.2, token).
pub(super) fn header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_from_host_and_path() {
        for (address, id) in [
            ("https://www.wuhu.gov.cn/rss/rss.xml?siteId=6787231", "wuhu.gov.cn-rss-rss.xml"),
            ("https://news.dahe.cn/", "news.dahe.cn"),
            ("https://x.example/${KEY}/a", "x.example-1-a"),
            ("samples/*.xml", "samples.xml"),
        ] {
            assert_eq!(made(address).as_str(), id);
        }
        let long = format!("https://x.example/{}", "a/".repeat(100));
        assert_eq!(made(&long), made(&long));
        assert!(made(&long).as_str().len() <= 64);
        for odd in ["", "///", "样本/*.xml", "https://新闻.example/许昌/许昌/许昌/许昌/许昌/许昌", "-", "."]
        {
            assert!(!made(odd).as_str().is_empty(), "{odd}");
        }
    }
}
