//! The rules of `rules.txt`: parameters that follow a reader, addresses that only lead on, pictures that only count.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use url::Url;

/// The file: one rule a line, each with its reason.
const TEXT: &str = include_str!("rules.txt");

/// Fewest characters of a session's id.
const SESSION: usize = 16;

/// Most addresses that only lead on, one inside the other.
const HOPS: usize = 4;

/// What a rule does with a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Neither printed nor counted.
    Drop,
    /// Printed, not counted.
    Same,
    /// [`Fate::Drop`] where the value looks like a session's id.
    Session,
    /// Counted, and on its host nothing else is.
    Only,
}

#[derive(Debug, Default)]
struct Rules {
    /// Parameters by name: what becomes of them on which host (empty: on all).
    exact: BTreeMap<&'static str, Vec<(Fate, &'static str)>>,
    /// Beginnings of names.
    families: Vec<(&'static str, Fate, &'static str)>,
    /// Hosts where only some parameters count.
    strict: Vec<&'static str>,
    /// Host and path, parameter.
    unwrap: Vec<(&'static str, &'static str)>,
    /// Host, beginning of the path.
    pixels: Vec<(&'static str, &'static str)>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let mut rules = Rules::default();
    for line in TEXT.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let (Some(verb), Some(what)) = (words.next(), words.next()) else { continue };
        let host = words.next().map_or("", |host| host.trim_start_matches('@'));
        let fate = match verb {
            "drop" => Fate::Drop,
            "same" => Fate::Same,
            "session" => Fate::Session,
            "only" => Fate::Only,
            "unwrap" => {
                rules.unwrap.extend(what.split_once('='));
                continue;
            }
            _ => {
                rules.pixels.push(what.find('/').map_or((what, ""), |slash| what.split_at(slash)));
                continue;
            }
        };
        if fate == Fate::Only && !rules.strict.contains(&host) {
            rules.strict.push(host);
        }
        match what.strip_suffix('*') {
            Some(begin) => rules.families.push((begin, fate, host)),
            None => rules.exact.entry(what).or_default().push((fate, host)),
        }
    }
    rules
});

/// Whether a host is another one, or below it.
fn is_at(host: &str, known: &str) -> bool {
    host.strip_suffix(known).is_some_and(|rest| known.is_empty() || rest.is_empty() || rest.ends_with('.'))
}

fn fate(host: &str, key: &str, value: &str) -> Option<Fate> {
    let key = key.to_ascii_lowercase();
    let exact = RULES.exact.get(key.as_str()).into_iter().flatten().find(|(_, known)| is_at(host, known));
    let fate = exact.map(|(fate, _)| *fate).or_else(|| {
        let family = RULES.families.iter().find(|(begin, _, known)| key.starts_with(begin) && is_at(host, known));
        family.map(|(_, fate, _)| *fate)
    })?;
    (fate != Fate::Session || is_session(value)).then_some(fate)
}

/// Letters and digits, both of them, and long: the id of a session, or what else no person wrote.
fn is_session(value: &str) -> bool {
    value.len() >= SESSION
        && value.bytes().all(|b| b.is_ascii_alphanumeric())
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Name and value of a pair of a query.
fn pair(pair: &str) -> (&str, &str) {
    pair.split_once('=').unwrap_or((pair, ""))
}

/// Whether a pair of a query is printed.
pub(super) fn is_printed(host: &str, written: &str) -> bool {
    let (key, value) = pair(written);
    !matches!(fate(host, key, value), Some(Fate::Drop | Fate::Session))
}

/// Whether a pair of a query tells articles of a host apart.
pub(super) fn is_counted(host: &str, written: &str) -> bool {
    let (key, value) = pair(written);
    let strict = RULES.strict.iter().any(|known| is_at(host, known));
    match fate(host, key, value) {
        Some(fate) => fate == Fate::Only,
        None => !strict,
    }
}

/// Where an address that only leads on leads to; the same address if it is an ordinary one.
pub(super) fn unwrapped(mut url: Url) -> Url {
    for _ in 0..HOPS {
        let Some(next) = led_to(&url) else { break };
        url = next;
    }
    url
}

fn led_to(url: &Url) -> Option<Url> {
    let host = url.host_str()?;
    let http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|h| h.contains('.'));
    // Caches of AMP pages (amp.dev: "AMP Cache URL format"): /c/s/ is a page over https, /c/ over http.
    let cached = if host.ends_with(".cdn.ampproject.org") {
        url.path().strip_prefix("/c/").or_else(|| url.path().strip_prefix("/v/"))
    } else if host.starts_with("www.google.") {
        url.path().strip_prefix("/amp/")
    } else {
        None
    };
    if let Some(rest) = cached {
        let (scheme, rest) = rest.strip_prefix("s/").map_or(("http", rest), |rest| ("https", rest));
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        return Url::parse(&format!("{scheme}://{rest}{query}")).ok().filter(http);
    }
    let path = url.path().trim_end_matches('/');
    let leads = |at: &str| {
        at.strip_prefix(host)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|way| way.trim_end_matches('/') == path.trim_start_matches('/'))
    };
    RULES.unwrap.iter().filter(|(at, _)| leads(at)).find_map(|(_, key)| {
        let value = url.query_pairs().find(|(name, _)| name == *key)?.1;
        Url::parse(value.trim()).ok().filter(http)
    })
}

/// Whether a picture only counts readers.
pub(super) fn counts(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else { return false };
    let (host, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |end| rest.split_at(end));
    let host = host.split(':').next().unwrap_or_default();
    RULES.pixels.iter().any(|(known, begin)| is_at(host, known) && path.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_is_understood_and_has_its_reason() {
        let mut seen = BTreeSet::new();
        for line in TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (rule, reason) = line.split_once('#').unwrap_or((line, ""));
            let words: Vec<&str> = rule.split_whitespace().collect();
            assert!(reason.trim().len() > 2, "no reason: {line}");
            assert!(seen.insert(words.clone()), "twice: {line}");
            let what = words.get(1).copied().unwrap_or_default();
            assert!(!what.trim_end_matches('*').contains('*'), "{line}");
            match words.as_slice() {
                ["drop" | "same" | "session", name] | ["drop" | "same" | "only", name, _] => {
                    assert_eq!(*name, name.to_ascii_lowercase(), "{line}");
                    assert!(words.get(2).is_none_or(|host| host.starts_with('@') && host.contains('.')), "{line}");
                }
                ["unwrap", way] => assert!(way.contains('/') && way.contains('='), "{line}"),
                ["pixel", way] => assert!(way.contains('.'), "{line}"),
                _ => panic!("not understood: {line}"),
            }
        }
        assert!(seen.len() > 200);
    }
}
