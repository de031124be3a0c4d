//! The recorded settings, made ready to judge by: sources, tag rules, saved feeds, the gazetteer.

use std::sync::Arc;

use crate::model::id::SourceId;
use crate::model::setting::{self, Cities, InForce, Setting};
use crate::model::source::SourceRules;
use crate::model::tag::Tag;
use crate::place::{Gazetteer, Placer};
use crate::query::{Needles, PlaceKind, Query, QueryError};

/// Everything of the settings that a judgement depends on.
#[derive(Debug)]
pub struct Rules {
    settings: Arc<InForce>,
    tags: Vec<(Tag, Query)>,
    feeds: Vec<(String, Query)>,
    /// Words of both.
    needles: Needles,
    cities: Cities,
    gazetteer: Arc<Gazetteer>,
    placer: Arc<Placer>,
}

/// A query, its places resolved by the gazetteer; and its terms that name no single place, which match nothing.
///
/// # Errors
/// [`QueryError`] with the column of the first mistake.
pub fn compile(text: &str, gazetteer: &Gazetteer) -> Result<(Query, Vec<QueryError>), QueryError> {
    let mut query = Query::parse(text)?;
    let unresolved = query.resolve(&mut |term| gazetteer.named(term.name, term.kind == PlaceKind::Province));
    Ok((query, unresolved))
}

impl Rules {
    /// Of the settings in force. The gazetteer and its automaton, the costly part, are taken over from `before` where
    /// `[cities]` did not change. What cannot be used (the config checked it, but a later binary may read it otherwise)
    /// is left out, with a sentence each.
    #[must_use]
    pub fn new(settings: &Arc<InForce>, before: Option<&Self>) -> (Self, Vec<String>) {
        let mut complaints = Vec::new();
        let cities = settings.values().find_map(|setting| match setting {
            Setting::Cities(cities) => Some(cities.clone()),
            _ => None,
        });
        let cities = cities.unwrap_or_default();
        let unchanged = before.filter(|before| before.cities == *cities);
        let (gazetteer, placer) = if let Some(before) = unchanged {
            (Arc::clone(&before.gazetteer), Arc::clone(&before.placer))
        } else {
            let gazetteer = Gazetteer::build(&cities).unwrap_or_else(|errors| {
                complaints.extend(errors.into_iter().map(|error| format!("gazetteer: {}", error.message)));
                Gazetteer::builtin()
            });
            (Arc::clone(&gazetteer), Arc::new(Placer::new(gazetteer)))
        };
        let mut compile = |what: &str, text: &str| match compile(text, &gazetteer) {
            Ok((query, unresolved)) => {
                complaints.extend(unresolved.into_iter().map(|error| format!("{what}: {}", error.message)));
                Some(query)
            }
            Err(error) => {
                complaints.push(format!("{what}: {}", error.message));
                None
            }
        };
        let (mut tags, mut feeds) = (Vec::new(), Vec::new());
        for setting in settings.values() {
            match setting {
                Setting::Tags(rules) => {
                    for rule in rules {
                        let query = compile(&format!("tag {}", rule.id), &rule.when);
                        tags.extend(Tag::new(&rule.id).zip(query));
                    }
                }
                Setting::Feed(feed) => {
                    feeds.extend(compile(&format!("feed {}", feed.id), &feed.when).map(|q| (feed.id.clone(), q)));
                }
                Setting::Source(_) | Setting::Site(_) | Setting::Publish(_) | Setting::Cities(_) => {}
            }
        }
        let queries = tags.iter().map(|(_, query)| query).chain(feeds.iter().map(|(_, query)| query));
        let needles = Needles::of(queries);
        let settings = Arc::clone(settings);
        (Self { settings, tags, feeds, needles, cities: *cities, gazetteer, placer }, complaints)
    }

    /// A source in force; `None` for a retired one.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<&SourceRules> {
        setting::source(&self.settings, id.as_str()).map(Arc::as_ref)
    }

    /// Sources in force, by id.
    pub fn sources(&self) -> impl Iterator<Item = &SourceRules> {
        self.settings.values().filter_map(|setting| match setting {
            Setting::Source(rules) => Some(rules.as_ref()),
            _ => None,
        })
    }

    /// `[[tag]]` rules in the order of the file.
    #[must_use]
    pub fn tags(&self) -> &[(Tag, Query)] {
        &self.tags
    }

    /// `[[feed]]` queries by id.
    #[must_use]
    pub fn feeds(&self) -> &[(String, Query)] {
        &self.feeds
    }

    /// The words that `[[tag]]` rules and `[[feed]]` queries look for, to be found at once.
    #[must_use]
    pub const fn needles(&self) -> &Needles {
        &self.needles
    }

    /// `[cities]` in force.
    #[must_use]
    pub const fn cities(&self) -> &Cities {
        &self.cities
    }

    /// The gazetteer in force.
    #[must_use]
    pub const fn gazetteer(&self) -> &Arc<Gazetteer> {
        &self.gazetteer
    }

    /// Finds places.
    #[must_use]
    pub fn placer(&self) -> &Placer {
        &self.placer
    }
}
