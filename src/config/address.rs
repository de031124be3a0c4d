//! Addresses: of sources, of ourselves, of proxies and networks.

use std::net::SocketAddr;

use serde_json::json;
use url::Url;

use super::key::{Kind, Value};
use super::kind;
use super::reading::Reading;
use crate::model::setting::Network;

/// Longest address, in bytes.
const LONGEST: usize = 2_048;

/// An http or https address. `${NAME}` in it stands for the value of an environment variable and stays as written.
pub(super) struct Web;

impl Kind<String> for Web {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = kind::text(value, reading)?;
        match complaint(text) {
            None => Some(text.to_owned()),
            Some((message, hint)) => {
                reading.error(value.sheet, value.span, format!("`{}` {message}", value.key), hint);
                None
            }
        }
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^https?://" })
    }
}

fn complaint(text: &str) -> Option<(String, String)> {
    if text.is_empty() {
        return Some(("is empty".into(), "a complete address, https://…".into()));
    }
    if text.len() > LONGEST {
        return Some((format!("is longer than {LONGEST} bytes"), "give a shorter address".into()));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some(("has a space in it".into(), "write a space inside an address as %20".into()));
    }
    let filled = match filled(text) {
        Ok(filled) => filled,
        Err(name) => {
            let message = format!("has a `${{` that names no environment variable ({name})");
            return Some((message, "write ${NAME}, with letters, digits and _".into()));
        }
    };
    match Url::parse(&filled) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => None,
        Ok(url) if url.scheme() == "feed" => {
            let rest = text.trim_start_matches("feed:").trim_start_matches("//");
            let hint = if rest.starts_with("http") { rest.to_owned() } else { format!("https://{rest}") };
            Some(("is a feed: address".into(), format!("write \"{hint}\"")))
        }
        Ok(url) if url.scheme() == "file" => {
            Some(("is a file".into(), "read files from disk with `files = \"…\"`".into()))
        }
        Ok(_) | Err(_) if looks_bare(text) => {
            Some(("is no complete address".into(), format!("write \"https://{text}\"")))
        }
        Ok(url) => Some((format!("has the scheme {}", url.scheme()), "only http and https are fetched".into())),
        Err(error) => Some((format!("is no address: {error}"), "a complete address, https://…".into())),
    }
}

/// `www.example.cn/rss`, `example.cn:8080/rss`: an address without its scheme.
fn looks_bare(text: &str) -> bool {
    !text.contains("://")
        && Url::parse(&format!("https://{text}")).is_ok_and(|url| url.host_str().is_some_and(|host| host.contains('.')))
}

/// The address with every `${NAME}` replaced by `1` (which is good in a port, a path and a query), or the name that is
/// none.
pub(super) fn filled(text: &str) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let (name, after) = after.split_once('}').ok_or_else(|| "no closing }".to_owned())?;
        if !variable(name) {
            return Err(format!("\"{name}\""));
        }
        filled.push('1');
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Whether this is a name of an environment variable (POSIX.1-2017, 8.1).
pub(super) fn variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The address under which others reach us: no query, no slash at the end.
pub(super) struct Own;

impl Kind<String> for Own {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = Web.read(value, reading)?;
        let url = Url::parse(&text).ok();
        let plain = url.as_ref().is_some_and(|url| {
            url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
        });
        if !plain {
            let message = format!("`{}` must be scheme, host and at most a path", value.key);
            reading.error(
                value.sheet,
                value.span,
                message,
                "such as https://news.example.org or https://example.org/news",
            );
            return None;
        }
        Some(text.trim_end_matches('/').to_owned())
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^https?://[^?#]+$" })
    }
}

/// How people reach the operator: `mailto:…`, a mail address, or a page.
pub(super) struct Contact;

impl Kind<String> for Contact {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = kind::text(value, reading)?;
        let text = if text.contains('@') && !text.contains(':') { format!("mailto:{text}") } else { text.to_owned() };
        let mail = text.strip_prefix("mailto:").is_some_and(|mail| mail.contains('@'));
        let page = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        // It stands in a comment of the User-Agent (RFC 9110 section 5.6.5).
        let sendable = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"()\\".contains(&byte));
        if !(mail || page) || !sendable {
            reading.expected(value, "a mail or web address", "such as \"mailto:desk@example.org\"");
            return None;
        }
        Some(text)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 3 })
    }
}

/// Address and port to listen on.
pub(super) struct Listen;

impl Kind<SocketAddr> for Listen {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<SocketAddr> {
        let text = kind::text(value, reading)?;
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let hint = match text.rsplit_once(':') {
            Some(("", port)) => format!("write \"0.0.0.0:{port}\" for all addresses of this machine"),
            Some(("localhost", port)) => format!("write \"127.0.0.1:{port}\""),
            None if text.parse::<std::net::IpAddr>().is_ok() => format!("add the port: \"{text}:8080\""),
            _ => "such as \"127.0.0.1:8080\" or \"[::]:8080\"".to_owned(),
        };
        reading.expected(value, "an IP address and a port", hint);
        None
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "pattern": ":[0-9]+$" })
    }
}

/// A network: `10.0.0.0/8`, `::1/128`, or one address.
pub(super) struct Cidr;

impl Kind<Network> for Cidr {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<Network> {
        let network = value.text().and_then(Network::parse);
        if network.is_none() {
            reading.expected(
                value,
                "a network",
                "an address and how many of its bits count: \"127.0.0.0/8\", \"::1/128\"",
            );
        }
        network
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[0-9a-fA-F.:]+(/[0-9]{1,3})?$" })
    }
}

/// A proxy; an empty text is none.
pub(super) struct Proxy;

impl Kind<Option<String>> for Proxy {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<Option<String>> {
        let text = kind::text(value, reading)?;
        if text.is_empty() {
            return Some(None);
        }
        let good = filled(text).ok().and_then(|text| Url::parse(&text).ok()).is_some_and(|url| {
            matches!(url.scheme(), "http" | "socks5" | "socks5h")
                && url.has_host()
                && url.port_or_known_default().is_some()
        });
        if !good {
            let hint = "such as \"http://127.0.0.1:3128\" or \"socks5://127.0.0.1:1080\", port included";
            reading.expected(value, "the address of a proxy", hint);
            return None;
        }
        Some(Some(text.to_owned()))
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^$|^(http|socks5h?)://" })
    }
}

/// `builtin`, `none`, or the address of a hub.
pub(super) struct Hub;

impl Kind<String> for Hub {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = kind::text(value, reading)?;
        if matches!(text, "builtin" | "none") || complaint(text).is_none() {
            return Some(text.to_owned());
        }
        let message = format!("`{}` can't be {}", value.key, value.described());
        reading.error(value.sheet, value.span, message, "valid: builtin, none, or the address of another hub");
        None
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "anyOf": [{ "enum": ["builtin", "none"] }, { "type": "string", "pattern": "^https?://" }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_addresses_keep_their_names() {
        assert_eq!(filled("https://x/${KEY}?a=${B_2}").as_deref(), Ok("https://x/1?a=1"));
        assert!(filled("https://x/${}").is_err());
        assert!(filled("https://x/${KEY").is_err());
        assert!(filled("https://x/${1A}").is_err());
        assert!(complaint("https://x.example:${PORT}/").is_none());
        assert!(complaint("https://新闻.example/路?q=许昌").is_none());
    }
}
