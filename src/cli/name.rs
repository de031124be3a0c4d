//! The id that a block of feeds.toml gets which `add` or `import` writes.

/// Longest part of a host that stands in an id; with suffix and number it stays below the 64 characters of an id.
const LONGEST: usize = 40;

/// An id made of a host, and a suffix unless that is empty, with a number if it is taken.
pub fn free(host: &str, suffix: &str, taken: impl Fn(&str) -> bool) -> String {
    let host = host.trim_start_matches("www.").chars();
    let plain = host.map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let plain: String = plain.take(LONGEST).collect();
    let parts = [plain.trim_matches('-'), suffix];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let base = if parts.is_empty() { "source".to_owned() } else { parts.join("-") };
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.clone()).chain(numbered).find(|id| !taken(id)).unwrap_or(base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::SourceId;

    #[test]
    fn an_id_is_made_of_the_host_and_is_free() {
        let taken = ["wuhu-example", "wuhu-example-2"];
        let long = "a.".repeat(60);
        for (host, suffix, id) in [
            ("www.Wuhu.example", "", "wuhu-example-3"),
            ("wuhu.example", "page", "wuhu-example-page"),
            ("[2001:db8::1]", "", "2001-db8--1"),
            ("", "", "source"),
            ("", "page", "page"),
            (&*long, "sitemap", &format!("{}-sitemap", long.replace('.', "-")[..39].to_owned())),
        ] {
            let made = free(host, suffix, |id| taken.contains(&id));
            assert_eq!(made, id, "{host}");
            assert!(SourceId::new(&made).is_some(), "{made}");
        }
    }
}
