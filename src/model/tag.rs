//! Tags: what a publisher or a `[[tag]]` rule calls the subject.

use minicbor::{Decode, Encode};

/// A tag: its identity and the spelling shown. Variants that fold together are one tag.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Tag {
    /// Folded by [`super::fold::fold`], an English plural made singular; the identity, and the key of the tag's edition.
    #[n(0)]
    pub id: String,
    /// As the first publisher (or the rule) spelt it.
    #[n(1)]
    pub name: String,
}

impl Tag {
    /// A tag of this spelling; `None` if nothing but punctuation is left of it, or it is longer than 64 characters.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let id = super::fold::fold(&singular(&name));
        (!id.is_empty() && id.chars().count() <= 64).then_some(Self { id, name })
    }
}

/// Words that end like plurals and are none, or are names as they stand (plural by form only), in lower case.
const WHOLE: &[&str] = &["aids", "news", "series", "species", "wales"];

/// Plurals in -ies of words in -ie.
const IN_IE: &[&str] = &["brownies", "calories", "cookies", "movies", "rookies", "selfies", "zombies"];

/// The name with its last word in the singular, where that is an English plural of the obvious kind: `Local Schools`,
/// `Cities`, `Taxes`. What only ends in s stays: -ss, -us, -is, -as (mostly names: Texas, Christmas), -ics, -aos.
fn singular(name: &str) -> String {
    let begin = name
        .rfind(|c: char| !c.is_ascii_alphabetic())
        .map_or(0, |at| at + name[at..].chars().next().map_or(0, char::len_utf8));
    let (head, last) = name.split_at(begin);
    let word = last.to_ascii_lowercase();
    let stays = ["ss", "us", "is", "as", "ics", "aos"].iter().any(|end| word.ends_with(end));
    if word.len() < 4 || stays || WHOLE.contains(&word.as_str()) || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return name.to_owned();
    }
    let Some(stem) = word.strip_suffix('s') else { return name.to_owned() };
    let ends = ["sse", "she", "che", "xe", "zze"].iter().any(|end| stem.ends_with(end));
    let vowel = |c: char| "aeiou".contains(c);
    let one = match stem.strip_suffix("ie") {
        Some(rest) if rest.len() > 1 && !rest.ends_with(vowel) && !IN_IE.contains(&word.as_str()) => format!("{rest}y"),
        _ if ends => stem[..stem.len() - 1].to_owned(),
        _ => stem.to_owned(),
    };
    format!("{head}{one}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_one_tag() {
        for same in [
            &["教育", "教 育", "「教育」", "教育。"][..],
            &["双减", "雙減"],
            &["ＧＤＰ", "gdp", "GDP"],
            &["Local School", "local schools", "LOCAL SCHOOLS", "Local-Schools"],
            &["City", "Cities", "cities"],
            &["Tax", "taxes"],
            &["Church", "churches"],
            &["movie", "Movies"],
            &["Photo", "photos"],
            &["class", "Classes"],
            &["day", "days"],
        ] {
            let ids: Vec<_> = same.iter().map(|name| Tag::new(name).map(|tag| tag.id)).collect();
            assert!(ids[0].is_some() && ids.iter().all(|id| *id == ids[0]), "{same:?}: {ids:?}");
        }
        for name in ["news", "Texas", "politics", "bus", "analysis", "Laos", "series", "GPS", "AIDS", "press", "Wales"]
        {
            assert_eq!(Tag::new(name).unwrap().id, name.to_ascii_lowercase());
        }
        // Folded again it is the same: an address holds the id.
        for name in ["Local Schools", "Cities", "classes", "buses", "教育", "Expenses"] {
            let id = Tag::new(name).unwrap().id;
            assert_eq!(Tag::new(&id).unwrap().id, id, "{name}");
        }
        assert_eq!(Tag::new("…"), None);
    }
}
