//! "Which cities is this about?": the judgement on one item.

use std::sync::Arc;

use super::gazetteer::Gazetteer;
use crate::model::item::Credit;
use crate::model::place::{Code, Places};

/// What the placer looks at: one item.
#[derive(Debug, Default, Clone, Copy)]
pub struct Look<'a> {
    /// Headline.
    pub title: &'a str,
    /// Text, as far as there is any; its beginning counts.
    pub text: &'a str,
    /// The source's own tags.
    pub tags: &'a [String],
    /// Who is credited.
    pub credits: &'a [Credit],
    /// Cities (or provinces) that the source usually writes about: a prior, not a verdict.
    pub prior: &'a [Code],
    /// Address of the article.
    pub link: &'a str,
}

/// Finds the cities of an item. Made once; cheap to share.
#[derive(Debug)]
pub struct Placer {
    gazetteer: Arc<Gazetteer>,
}

impl Placer {
    /// A placer over this gazetteer.
    #[must_use]
    pub fn new(gazetteer: Arc<Gazetteer>) -> Self {
        Self { gazetteer }
    }

    /// The gazetteer it was made of.
    #[must_use]
    pub fn gazetteer(&self) -> &Arc<Gazetteer> {
        &self.gazetteer
    }

    /// The cities and provinces that the item is about, covered ones only, with the reasons.
    #[must_use]
    pub fn place(&self, look: &Look<'_>) -> Places {
        let _ = look;
        Places::default()
    }
}
