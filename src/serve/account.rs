//! All that is known of one story beside the story itself: what each copy changed, what speaks for its tags, where it
//! stands and since when, what became of others. For its page and for `citydesk why`.

use std::sync::Arc;

use crate::model::diff::Diff;
use crate::model::edition::EditionId;
use crate::model::evidence::{Likeness, Veto};
use crate::model::id::{Guid, StoryNo};
use crate::model::item::Item;
use crate::model::position::Texts;
use crate::model::setting::{self, InForce, Setting};
use crate::model::source::Republish;
use crate::model::story::{Copy, Story};
use crate::model::tag::Tag;
use crate::model::time::{Time, Trust};
use crate::store::StoreError;
use crate::store::view::View;

/// So many copies are compared with the one shown: the busiest story of an agency has some hundreds.
pub const COMPARED: usize = 24;

/// What a copy changed, measured by the copy shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// In the headline.
    pub headline: Diff,
    /// In the text; `None` where either has none, or it is not kept any more.
    pub text: Option<Diff>,
    /// How much of the texts may be passed on: the stricter terms of the two sources.
    pub terms: Republish,
}

impl Change {
    /// So many characters of a text may be shown where the terms allow a summary.
    pub const SUMMARY: usize = Item::SUMMARY;

    /// Characters of the texts that may be shown.
    #[must_use]
    pub const fn budget(&self) -> usize {
        match self.terms {
            Republish::Title => 0,
            Republish::Summary => Self::SUMMARY,
            Republish::Full => usize::MAX,
        }
    }
}

/// What speaks for a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The tag.
    pub tag: Tag,
    /// The query of a `[[tag]]` in force that bears its name.
    pub rule: Option<String>,
    /// Whether feeds.toml puts it on everything of the source.
    pub source: bool,
    /// Whether the publisher of the copy shown gave it.
    pub publisher: bool,
}

/// That the story stands in a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// Which one.
    pub edition: EditionId,
    /// Since when.
    pub since: Time,
    /// Whether it has left the live window.
    pub left: bool,
}

/// Another story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its guid.
    pub guid: Guid,
    /// Its headline.
    pub title: String,
}

impl Other {
    /// This story, in short.
    #[must_use]
    pub fn of(story: &Story) -> Self {
        Self { guid: story.guid, title: title(story).to_owned() }
    }
}

/// A story that came near: how sure the two are one, or what speaks against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// The other story.
    pub other: Other,
    /// The judgement of today, on the copies shown.
    pub judgement: Result<(u16, Likeness), Veto>,
}

/// Finds what came near a story. The judgement is the desk's; this room only shows it.
pub type Neighbours = Arc<dyn Fn(&Story) -> Vec<Near> + Send + Sync>;

/// Where a printed date comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dated {
    /// The publisher of this copy (by index) claims it.
    Claimed(usize),
    /// It is when we first saw the story: nobody claimed a date that can be believed.
    Seen,
    /// It was pinned at first emission, and the copy it came from claims another one since.
    Pinned,
}

/// All that is known.
#[derive(Debug, Clone)]
pub struct Account {
    /// Indexes of the copies in the order in which they were seen.
    pub order: Vec<usize>,
    /// The copy seen first.
    pub first: Option<usize>,
    /// The copy that claims the earliest believable date, if several claim one.
    pub earliest: Option<usize>,
    /// What each copy changed, by its index; `None` for the one shown, and beyond [`COMPARED`].
    pub changes: Vec<Option<Change>>,
    /// Where the date comes from.
    pub dated: Dated,
    /// Its tags.
    pub tags: Vec<Tagged>,
    /// Where it stands, or stood.
    pub stands: Vec<Stand>,
    /// The story it became part of.
    pub became: Option<Other>,
    /// Stories that became part of it.
    pub absorbed: Vec<Other>,
    /// Stories that an editor split from it.
    pub apart: Vec<Other>,
    /// Stories that came near.
    pub near: Vec<Near>,
}

impl Account {
    /// Of a story. Reads texts, but no store: nobody waits meanwhile.
    #[must_use]
    pub fn of(story: &Story, settings: &InForce, texts: &dyn Texts, near: Vec<Near>) -> Self {
        let mut order: Vec<usize> = (0..story.copies.len()).collect();
        order.sort_by_key(|index| (story.copies[*index].seen, *index));
        let shown = story.shown().and_then(|copy| texts.item(copy.wire));
        Self {
            first: order.first().copied(),
            earliest: earliest(story),
            changes: changes(story, &order, shown.as_ref(), settings, texts),
            order,
            dated: dated(story),
            tags: tags(story, shown.as_ref(), settings),
            stands: story
                .entries
                .iter()
                .map(|entered| Stand {
                    edition: entered.edition.clone(),
                    // In a desk's first hours an entry is put where its date belongs, before the story was known.
                    since: entered.at.max(story.opened),
                    left: entered.left,
                })
                .collect(),
            became: None,
            absorbed: Vec::new(),
            apart: Vec::new(),
            near,
        }
    }

    /// Names the other stories.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn named(mut self, story: &Story, view: &View<'_>) -> Result<Self, StoreError> {
        let other = |no: StoryNo| Ok::<_, StoreError>(view.story(no)?.as_ref().map(Other::of));
        self.became = story.retired_into.map(other).transpose()?.flatten();
        for (numbers, others) in [(&story.absorbed, &mut self.absorbed), (&story.apart, &mut self.apart)] {
            for no in numbers {
                others.extend(other(*no)?);
            }
        }
        Ok(self)
    }
}

/// The headline printed, or the one of the copy shown.
#[must_use]
pub fn title(story: &Story) -> &str {
    match (&story.emission, story.shown()) {
        (Some(emission), _) => &emission.title,
        (None, Some(copy)) => &copy.title,
        (None, None) => "",
    }
}

fn earliest(story: &Story) -> Option<usize> {
    let believed =
        |copy: &Copy| copy.published.as_ref().filter(|claim| claim.trust > Trust::None).map(|claim| claim.at);
    let claims: Vec<(Time, usize)> =
        story.copies.iter().enumerate().filter_map(|(index, copy)| Some((believed(copy)?, index))).collect();
    claims.iter().min().filter(|_| claims.len() > 1).map(|(_, index)| *index)
}

fn dated(story: &Story) -> Dated {
    let at = story.published();
    let claims = |copy: &Copy| copy.published.as_ref().is_some_and(|claim| claim.at == at);
    let shown = story.shown().filter(|copy| claims(copy)).map(|_| story.shown as usize);
    let claimed = shown.or_else(|| story.copies.iter().position(claims));
    match claimed {
        Some(index) => Dated::Claimed(index),
        None if story.copies.iter().any(|copy| copy.seen == at) => Dated::Seen,
        None => Dated::Pinned,
    }
}

fn changes(
    story: &Story,
    order: &[usize],
    shown: Option<&Item>,
    settings: &InForce,
    texts: &dyn Texts,
) -> Vec<Option<Change>> {
    let mut changes = vec![None; story.copies.len()];
    let Some(whole) = story.shown() else { return changes };
    let terms =
        |copy: &Copy| setting::source(settings, copy.source.as_str()).map_or(Republish::Title, |rules| rules.republish);
    for index in order.iter().copied().filter(|index| *index != story.shown as usize).take(COMPARED) {
        let copy = &story.copies[index];
        let item = texts.item(copy.wire);
        let text = shown.zip(item.as_ref()).filter(|(one, other)| !one.text.is_empty() && !other.text.is_empty());
        changes[index] = Some(Change {
            headline: Diff::between(&whole.title, &copy.title),
            text: text.map(|(one, other)| Diff::between(&one.text, &other.text)),
            terms: terms(whole).min(terms(copy)),
        });
    }
    changes
}

fn tags(story: &Story, shown: Option<&Item>, settings: &InForce) -> Vec<Tagged> {
    let own = story.shown().and_then(|copy| setting::source(settings, copy.source.as_str()));
    let among =
        |names: &[String], tag: &Tag| names.iter().filter_map(|name| Tag::new(name)).any(|own| own.id == tag.id);
    let rule = |tag: &Tag| match settings.get("tags") {
        Some(Setting::Tags(rules)) => rules
            .iter()
            .find(|rule| Tag::new(&rule.id).is_some_and(|own| own.id == tag.id))
            .map(|rule| rule.when.clone()),
        _ => None,
    };
    let tagged = |tag: &Tag| Tagged {
        tag: tag.clone(),
        rule: rule(tag),
        source: own.is_some_and(|rules| among(&rules.tags, tag)),
        publisher: shown.is_some_and(|item| among(&item.tags, tag)),
    };
    story.tags.iter().map(tagged).collect()
}
