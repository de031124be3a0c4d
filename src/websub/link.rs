//! Discovery: the hub of a document and its own address, from `Link` headers (RFC 8288) before the document itself
//! (section 4).

/// What a document says of how it is delivered.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its hub: the first one named.
    pub hub: Option<String>,
    /// Its own address: the topic.
    pub topic: Option<String>,
}

impl Offer {
    /// What headers say, and where they say nothing, the document.
    #[must_use]
    pub fn or(self, document: Self) -> Self {
        Self { hub: self.hub.or(document.hub), topic: self.topic.or(document.topic) }
    }
}

/// Reads the values of all `Link` headers of an answer.
#[must_use]
pub fn read<'a>(values: impl Iterator<Item = &'a str>) -> Offer {
    let mut offer = Offer::default();
    for link in values.flat_map(|value| cut(value, ',')) {
        let Some((target, parameters)) = link.trim().strip_prefix('<').and_then(|link| link.split_once('>')) else {
            continue;
        };
        // RFC 8288 section 3.3: the first `rel` counts.
        let rel = cut(parameters, ';').into_iter().find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        let rel = rel.unwrap_or_default();
        let target = target.trim();
        for word in rel.split_ascii_whitespace().filter(|_| !target.is_empty()) {
            match word {
                "hub" if offer.hub.is_none() => offer.hub = Some(target.to_owned()),
                "self" if offer.topic.is_none() => offer.topic = Some(target.to_owned()),
                _ => {}
            }
        }
    }
    offer
}

/// Cuts at a mark, but not inside `<…>` and `"…"`.
fn cut(text: &str, mark: char) -> Vec<&str> {
    let (mut parts, mut from) = (Vec::new(), 0);
    let (mut angle, mut quoted, mut escaped) = (false, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if !angle => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            c if c == mark && !angle && !quoted => {
                parts.push(&text[from..at]);
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(hub: Option<&str>, topic: Option<&str>) -> Offer {
        Offer { hub: hub.map(str::to_owned), topic: topic.map(str::to_owned) }
    }

    #[test]
    fn headers_that_offer_a_hub() {
        let (h, s) = ("https://hub.example/", "https://a.example/feed");
        let table: [(&[&str], Option<&str>, Option<&str>); 9] = [
            (&["<https://hub.example/>; rel=\"hub\"", "<https://a.example/feed>; rel=\"self\""], Some(h), Some(s)),
            (&["<https://hub.example/>; rel=hub, <https://a.example/feed>;rel=self"], Some(h), Some(s)),
            (&["<https://a.example/feed>; title=\"a, <b>; rel=hub\"; REL=\"SELF\""], None, Some(s)),
            (&["<https://hub.example/>; rel=\"preconnect hub\"; rel=self"], Some(h), None),
            (&["<https://hub.example/>; rel=hub, <https://other.example/>; rel=hub"], Some(h), None),
            (&["<https://a.example/?a=1,2;3>; rel=self"], None, Some("https://a.example/?a=1,2;3")),
            (&["<>; rel=hub", "https://hub.example/; rel=hub", "<https://hub.example/>"], None, None),
            (&["", "<", "<x", ";;;", "\"", ",,,<a>;rel=\"\\\"hub\""], None, None),
            (&[], None, None),
        ];
        for (values, hub, topic) in table {
            assert_eq!(read(values.iter().copied()), offer(hub, topic), "{values:?}");
        }
    }

    #[test]
    fn headers_go_before_the_document() {
        let document = offer(Some("https://document.example/"), Some("https://d.example/feed"));
        let table = [
            (offer(Some("https://head.example/"), None), Some("https://head.example/"), Some("https://d.example/feed")),
            (offer(None, None), Some("https://document.example/"), Some("https://d.example/feed")),
        ];
        for (head, hub, topic) in table {
            assert_eq!(head.or(document.clone()), offer(hub, topic));
        }
    }
}
