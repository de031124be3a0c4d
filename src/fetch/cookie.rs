//! Cookies of one chain of redirects: some sites set one, redirect to themselves, and answer only who brings it back.
//!
//! A jar lives as long as one request with its redirects, so that nobody can recognise us from one poll to the next. A
//! cookie goes back to the host that set it and to no other, whatever its `Domain` says (RFC 6265 section 5.3 without
//! domains and lifetimes).

use hyper::header::{self, HeaderMap, HeaderValue};

use super::address::Target;

/// Cookies kept.
const COOKIES: usize = 20;
/// Longest name and value together, in bytes; longer ones are not kept.
const LONGEST: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cookie {
    host: String,
    path: String,
    secure: bool,
    name: String,
    value: String,
}

/// What was set on the way.
#[derive(Debug, Default)]
pub struct Jar(Vec<Cookie>);

impl Jar {
    /// Takes what an answer sets.
    pub fn take(&mut self, head: &HeaderMap, from: &Target) {
        for line in head.get_all(header::SET_COOKIE) {
            let Ok(line) = line.to_str() else { continue };
            let mut parts = line.split(';');
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let (name, value) = (name.trim(), value.trim());
            let mut cookie = Cookie {
                host: from.host().to_owned(),
                path: folder(from.url.path()).to_owned(),
                secure: false,
                name: name.to_owned(),
                value: value.to_owned(),
            };
            let mut gone = false;
            for attribute in parts {
                let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
                let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
                match key.as_str() {
                    "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                    "secure" => cookie.secure = true,
                    "max-age" => gone = value.starts_with('-') || value == "0",
                    _ => {}
                }
            }
            self.0.retain(|it| (&it.host, &it.path, &it.name) != (&cookie.host, &cookie.path, &cookie.name));
            if !name.is_empty() && !gone && self.0.len() < COOKIES && name.len() + value.len() <= LONGEST {
                self.0.push(cookie);
            }
        }
    }

    /// What to bring along, if there is anything.
    pub fn bring(&self, to: &Target) -> Option<HeaderValue> {
        let path = to.url.path();
        let fits = |cookie: &&Cookie| {
            let within = path.strip_prefix(cookie.path.as_str());
            cookie.host == to.host()
                && (!cookie.secure || to.url.scheme() == "https")
                && within.is_some_and(|rest| rest.is_empty() || cookie.path.ends_with('/') || rest.starts_with('/'))
        };
        let pairs: Vec<String> = self.0.iter().filter(fits).map(|it| format!("{}={}", it.name, it.value)).collect();
        if pairs.is_empty() { None } else { HeaderValue::from_str(&pairs.join("; ")).ok() }
    }
}

/// The folder of a path: where a cookie counts that does not say so itself (RFC 6265 section 5.1.4).
fn folder(path: &str) -> &str {
    match path.rfind('/') {
        Some(at) if at > 0 => &path[..at],
        _ => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_back_to_its_host_only() {
        let from = Target::read("https://a.example/news/list").unwrap();
        let table: &[(&[&str], &str, &str)] = &[
            (&["id=1"], "https://a.example/news/list", "id=1"),
            (&["id=1"], "https://a.example/news", "id=1"),
            (&["id=1"], "https://a.example/newspaper", ""),
            (&["id=1; path=/"], "http://a.example/", "id=1"),
            (&["id=1; Path=/; Secure; HttpOnly"], "http://a.example/", ""),
            (&["id=1; Path=/; Domain=.example"], "https://b.example/", ""),
            (&["id=1; path=/", "t=a=b; path=/"], "https://a.example/x", "id=1; t=a=b"),
            (&["id=1; path=/", "id=2; path=/"], "https://a.example/x", "id=2"),
            (&["id=1; path=/", "id=1; path=/; Max-Age=0"], "https://a.example/x", ""),
            (&["nonsense", "=x"], "https://a.example/news/list", ""),
        ];
        for (set, to, brought) in table {
            let mut jar = Jar::default();
            let mut head = HeaderMap::new();
            for line in *set {
                head.append(header::SET_COOKIE, HeaderValue::from_str(line).unwrap());
            }
            jar.take(&head, &from);
            let found = jar.bring(&Target::read(to).unwrap());
            assert_eq!(found.as_ref().map_or("", |it| it.to_str().unwrap()), *brought, "{set:?} to {to}");
        }
    }

    #[test]
    fn a_jar_has_a_bottom() {
        let from = Target::read("http://a.example/").unwrap();
        let mut jar = Jar::default();
        let mut head = HeaderMap::new();
        for n in 0..100 {
            head.append(header::SET_COOKIE, HeaderValue::from_str(&format!("c{n}=x")).unwrap());
        }
        head.append(header::SET_COOKIE, HeaderValue::from_str(&format!("long={}", "x".repeat(LONGEST))).unwrap());
        jar.take(&head, &from);
        assert_eq!(jar.0.len(), COOKIES);
    }
}
