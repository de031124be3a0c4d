//! Finds the edition behind the names in an address, or what may have been meant.

use super::address::Wanted;
use super::directory::{Directory, configured_tags};
use super::words::Words;
use crate::model::edition::EditionId;
use crate::model::id::SourceId;
use crate::model::place::Code;
use crate::model::tag::Tag;
use crate::place::{Address, Gazetteer};
use crate::store::StoreError;
use crate::store::view::View;

/// So many suggestions.
const NEAR: usize = 5;
/// How like a name must be to be suggested, in per mille of the edit distance.
const LIKE: u32 = 400;

/// Names that lead nowhere, or to several places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// No city of this name; these are near.
    City(String, Vec<Code>),
    /// No province of this name; these are near.
    Province(String, Vec<Code>),
    /// Several cities of this name.
    Cities(String, Vec<Code>),
    /// Several provinces of this name.
    Provinces(String, Vec<Code>),
    /// No tag of this name (in this city, if one is named).
    Tag(String, Option<Code>),
    /// No source of this id.
    Source(String),
    /// No saved search of this id.
    Saved(String),
}

/// The edition wanted. A city or province is known when the gazetteer has it; a tag when a `[[tag]]` names it or a story
/// ever carried it; a source or a saved search when it is configured or was once: a feed that ever existed keeps
/// answering.
///
/// # Errors
/// [`StoreError`] if the store fails; inside, what is missing.
pub fn edition(
    view: &View<'_>,
    gazetteer: &Gazetteer,
    wanted: &Wanted,
) -> Result<Result<EditionId, Missing>, StoreError> {
    Ok(match wanted {
        Wanted::All => Ok(EditionId::All),
        Wanted::City(name) => city(gazetteer, name).map(EditionId::City),
        Wanted::Province(name) => match gazetteer.province_at(name) {
            Address::Found(code) => Ok(EditionId::Province(code)),
            Address::Ambiguous(codes) => Err(Missing::Provinces(name.clone(), codes)),
            Address::Unknown(near) => Err(Missing::Province(name.clone(), near)),
        },
        Wanted::Tag(name) => match tag(view, name)? {
            Some(id) => Ok(EditionId::Tag(id)),
            None => Err(Missing::Tag(name.clone(), None)),
        },
        Wanted::CityTag(place, name) => match city(gazetteer, place) {
            Ok(code) => match tag(view, name)? {
                Some(id) => Ok(EditionId::CityTag(code, id)),
                None => Err(Missing::Tag(name.clone(), Some(code))),
            },
            Err(missing) => Err(missing),
        },
        Wanted::Source(name) => match SourceId::new(&name.to_ascii_lowercase()) {
            Some(id) if source(view, &id)? => Ok(EditionId::Source(id)),
            _ => Err(Missing::Source(name.clone())),
        },
        Wanted::Saved(name) => {
            let id = EditionId::Saved(name.clone());
            let known = view.settings().contains_key(&format!("feed/{name}")) || view.edition(&id)?.is_some();
            if known { Ok(id) } else { Err(Missing::Saved(name.clone())) }
        }
    })
}

fn city(gazetteer: &Gazetteer, name: &str) -> Result<Code, Missing> {
    match gazetteer.city_at(name) {
        Address::Found(code) => Ok(code),
        Address::Ambiguous(codes) => Err(Missing::Cities(name.to_owned(), codes)),
        Address::Unknown(near) => Err(Missing::City(name.to_owned(), near)),
    }
}

fn tag(view: &View<'_>, name: &str) -> Result<Option<String>, StoreError> {
    let Some(tag) = Tag::new(name) else { return Ok(None) };
    let known = configured_tags(&view.settings()).any(|known| known.id == tag.id) || view.tag(&tag.id)?.is_some();
    Ok(known.then_some(tag.id))
}

fn source(view: &View<'_>, id: &SourceId) -> Result<bool, StoreError> {
    let known = view.settings().contains_key(&format!("source/{id}"))
        || view.source(id)?.is_some()
        || view.edition(&EditionId::Source(id.clone()))?.is_some();
    Ok(known)
}

impl Missing {
    /// What is wrong, in a sentence.
    #[must_use]
    pub fn sentence(&self, words: &Words) -> String {
        let words = &words.problem;
        match self {
            Self::City(name, _) => (words.no_city)(name),
            Self::Province(name, _) => (words.no_province)(name),
            Self::Cities(name, _) | Self::Provinces(name, _) => (words.several)(name),
            Self::Tag(name, _) => (words.no_tag)(name),
            Self::Source(name) => (words.no_source)(name),
            Self::Saved(name) => (words.no_saved)(name),
        }
    }

    /// What may have been meant.
    #[must_use]
    pub fn near(&self, directory: &Directory) -> Vec<EditionId> {
        match self {
            Self::City(_, codes) | Self::Cities(_, codes) => codes.iter().copied().map(EditionId::City).collect(),
            Self::Province(_, codes) | Self::Provinces(_, codes) => {
                codes.iter().copied().map(EditionId::Province).collect()
            }
            Self::Tag(name, city) => {
                let known = directory.tags.iter().map(|tag| (tag.id.as_str(), tag.id.as_str()));
                let id = |id: &str| match city {
                    Some(code) => EditionId::CityTag(*code, id.to_owned()),
                    None => EditionId::Tag(id.to_owned()),
                };
                alike(&crate::model::fold::fold(name), known).into_iter().map(id).collect()
            }
            Self::Source(name) => {
                let known = directory.sources.iter().flat_map(|source| {
                    [(source.id.as_str(), source.id.as_str()), (source.name.as_str(), source.id.as_str())]
                });
                alike(name, known).into_iter().filter_map(SourceId::new).map(EditionId::Source).collect()
            }
            Self::Saved(name) => {
                let known = directory.saved.iter().flat_map(|saved| {
                    [(saved.id.as_str(), saved.id.as_str()), (saved.name.as_str(), saved.id.as_str())]
                });
                alike(name, known).into_iter().map(|id| EditionId::Saved(id.to_owned())).collect()
            }
        }
    }
}

/// Ids of the names most like this one, best first. A name that contains the other is as like as can be.
fn alike<'k>(name: &str, known: impl Iterator<Item = (&'k str, &'k str)>) -> Vec<&'k str> {
    let name = name.to_lowercase();
    let mut found: Vec<(u32, &str)> = Vec::new();
    for (other, id) in known {
        let other = other.to_lowercase();
        let within = other.contains(&name) || (other.chars().count() > 1 && name.contains(&other));
        let likeness =
            if within { 1_000 } else { (strsim::normalized_damerau_levenshtein(&name, &other) * 1_000.0) as u32 };
        if likeness < LIKE {
            continue;
        }
        match found.iter_mut().find(|(_, known)| *known == id) {
            Some(best) => best.0 = best.0.max(likeness),
            None => found.push((likeness, id)),
        }
    }
    // Stable: of those equally like, the one with most stories comes first, as the directory has it.
    found.sort_by_key(|(likeness, _)| std::cmp::Reverse(*likeness));
    found.into_iter().take(NEAR).map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn what_may_have_been_meant() {
        let known =
            [("教育", "教育"), ("义务教育", "义务教育"), ("交通", "交通"), ("sports", "sports"), ("news", "news")];
        let of = |name| alike(name, known.into_iter());
        assert_eq!(of("教"), ["教育", "义务教育"]);
        assert_eq!(of("高等教育"), ["教育", "义务教育"]);
        assert_eq!(of("交能"), ["交通"]);
        assert_eq!(of("Sport"), ["sports"]);
        assert!(of("天气").is_empty());
    }
}
