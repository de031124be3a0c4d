//! An address as it is written in feeds.toml: secrets put in, path and query sent as they stand, secrets taken out again
//! of everything that is shown.

use std::fmt::Write as _;

use http::Uri;
use http::uri::PathAndQuery;
use url::Url;

use super::FetchError;
use super::secret;

/// Secrets that a request holds, and the names that stand for them in anything shown.
#[derive(Debug, Default, Clone)]
pub struct Mask(Vec<(String, String)>);

impl Mask {
    /// The text with every secret replaced by its name.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (value, name)| text.replace(value.as_str(), name))
    }
}

/// Puts the environment's secrets into an address: `${NAME}`.
pub fn expand(written: &str) -> Result<(String, Mask), FetchError> {
    let mut out = String::with_capacity(written.len());
    let mut mask = Mask::default();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else { break };
        out.push_str(before);
        let value = secret::environment(name)?;
        out.push_str(&value);
        if !value.is_empty() {
            let name = format!("${{{name}}}");
            let encoded = encode(&value);
            if encoded != value {
                mask.0.push((encoded, name.clone()));
            }
            mask.0.push((value, name));
        }
        rest = behind;
    }
    out.push_str(rest);
    // Longest first: a secret that is part of another must not tear it apart.
    mask.0.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    Ok((out, mask))
}

/// Where one request goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// As understood, without user and password.
    pub url: Url,
    /// As sent: path and query as written.
    pub uri: Uri,
    /// `user:password`, if the address holds any.
    pub login: Option<String>,
}

impl Target {
    /// Reads an absolute address.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(written: &str) -> Result<Self, String> {
        let written = written.trim();
        let mut url = Url::parse(written).map_err(|error| format!("{error}; write it as https://host/path"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("its scheme is {}; only http and https are asked", url.scheme()));
        }
        let login = (!url.username().is_empty() || url.password().is_some()).then(|| {
            let plain = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
            format!("{}:{}", plain(url.username()), plain(url.password().unwrap_or_default()))
        });
        // Neither can fail: a URL of http or https has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        let authority = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err("it has no host".to_owned()),
        };
        let uri = Uri::builder()
            .scheme(url.scheme())
            .authority(authority)
            .path_and_query(path_as_written(written).map_or_else(|| path_as_understood(&url), Ok)?)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { url, uri, login })
    }

    /// Where `Location` leads from here (RFC 9110 section 10.2.2).
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn follow(&self, location: &str) -> Result<Self, String> {
        let location = location.trim();
        let absolute = location.get(..8).is_some_and(|start| {
            let start = start.to_ascii_lowercase();
            start.starts_with("http://") || start == "https://"
        });
        if absolute {
            return Self::read(location);
        }
        let joined = self.url.join(location).map_err(|error| error.to_string())?;
        Self::read(joined.as_str())
    }

    /// The host, as the guard and the slots know it.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// Whether secrets meant for `self` may be sent to `next`: the same host, not less encrypted, and the same port
    /// unless both are the web's own.
    #[must_use]
    pub fn trusts(&self, next: &Self) -> bool {
        let (from, to) = (&self.url, &next.url);
        let upgraded = from.scheme() == "http" && to.scheme() == "https" && self.port() == 80 && next.port() == 443;
        from.host_str() == to.host_str() && ((from.scheme() == to.scheme() && self.port() == next.port()) || upgraded)
    }
}

/// Path and query exactly as written, bytes outside ASCII percent-encoded. `None` if that cannot stand in a request.
fn path_as_written(written: &str) -> Option<PathAndQuery> {
    if written.bytes().any(|byte| byte == b'\\' || byte < 0x20) {
        return None;
    }
    let (_, after) = written.split_once("://")?;
    let after = after.split('#').next()?;
    let path = after.find(['/', '?']).map_or("/", |at| &after[at..]);
    let slash = if path.starts_with('?') { "/" } else { "" };
    PathAndQuery::try_from(format!("{slash}{}", encode(path))).ok()
}

fn path_as_understood(url: &Url) -> Result<PathAndQuery, String> {
    PathAndQuery::try_from(&url[url::Position::BeforePath..]).map_err(|error| error.to_string())
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_go_out_as_written() {
        for (written, sent) in [
            ("https://a.example/rss.xml?siteId=6787231", "https://a.example/rss.xml?siteId=6787231"),
            ("http://a.example", "http://a.example/"),
            ("http://a.example?x=1", "http://a.example/?x=1"),
            ("http://A.Example:80/%7euser/?b=2&a=1&&c#top", "http://a.example/%7euser/?b=2&a=1&&c"),
            ("http://a.example/a/../b/./c?q=it's|{x}", "http://a.example/a/../b/./c?q=it's|{x}"),
            ("http://a.example/新闻?类=要闻 a", "http://a.example/%E6%96%B0%E9%97%BB?%E7%B1%BB=%E8%A6%81%E9%97%BB%20a"),
            ("http://a.example\\b\\c", "http://a.example/b/c"),
            ("http://user:pw@a.example/x?u=http://b@c/", "http://a.example/x?u=http://b@c/"),
            ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
            ("http://例え.example/", "http://xn--r8jz45g.example/"),
        ] {
            assert_eq!(Target::read(written).unwrap().uri.to_string(), sent, "{written}");
        }
        for wrong in ["ftp://a.example/", "file:///etc/passwd", "a.example/feed", "http://", "javascript:1", ""] {
            assert!(Target::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn odd_forms_of_an_address_are_seen_through() {
        for odd in [
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://0177.0x0.0.01/",
            "http://127.1/",
            "http://127.0.1/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://１２７.０.０.１/",
            "http://①②⑦.⓪.⓪.①/",
            "http://127。0。0。1/",
            "http://127.0.0.1\t/",
        ] {
            assert_eq!(Target::read(odd).unwrap().host(), "127.0.0.1", "{odd}");
        }
        for (odd, host) in [
            ("http://[0:0:0:0:0:ffff:7f00:1]/", "[::ffff:7f00:1]"),
            ("http://[::127.0.0.1]/", "[::7f00:1]"),
            ("http://0/", "0.0.0.0"),
            ("http://LOCALHOST./", "localhost."),
        ] {
            assert_eq!(Target::read(odd).unwrap().host(), host, "{odd}");
        }
        // Zone ids, numbers too large, and what is no address at all.
        for wrong in [
            "http://[fe80::1%25eth0]/",
            "http://[fe80::1%eth0]/",
            "http://256.0.0.1/",
            "http://4294967296/",
            "http://1.2.3.4.5/",
            "http://127.0.0.1%00.example/",
            "http://[::1/",
            "http://a b.example/",
        ] {
            assert!(Target::read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Target::read("http://good.example\\@evil.example/").unwrap().host(), "good.example");
        assert_eq!(Target::read("http://good.example@evil.example/").unwrap().host(), "evil.example");
    }

    #[test]
    fn redirects_lead_where_location_says() {
        let here = Target::read("https://a.example/x/y?z=1").unwrap();
        for (location, there) in [
            ("/b", "https://a.example/b"),
            ("b?q=1", "https://a.example/x/b?q=1"),
            ("//b.example/c", "https://b.example/c"),
            ("HTTP://b.example/a/../c", "http://b.example/a/../c"),
            ("?p=2", "https://a.example/x/y?p=2"),
        ] {
            assert_eq!(here.follow(location).unwrap().uri.to_string(), there, "{location}");
        }
        assert!(here.follow("file:///etc/passwd").is_err());
    }

    #[test]
    fn secrets_stay_with_their_host() {
        let from = |text: &str| Target::read(text).unwrap();
        for (here, there, may) in [
            ("https://a.example/", "https://a.example/b", true),
            ("http://a.example/", "https://a.example/", true),
            ("https://a.example/", "http://a.example/", false),
            ("https://a.example/", "https://b.a.example/", false),
            ("http://a.example:8080/", "http://a.example:8080/b", true),
            ("http://a.example:8080/", "http://a.example/", false),
        ] {
            assert_eq!(from(here).trusts(&from(there)), may, "{here} to {there}");
        }
    }
}
