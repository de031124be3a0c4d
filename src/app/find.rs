//! Which story is meant? By its guid, its page, the address or the guid of a copy.

use crate::model::id::{Guid, ItemKey, StoryNo};
use crate::model::story::{Copy, Story};
use crate::normalise;
use crate::store::StoreError;
use crate::store::view::View;

/// Why no story is meant.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Nothing fits.
    #[error(
        "no story is known by `{0}`: name its guid, the address of its page, or the address or guid of one of its copies \
         (`citydesk export` lists them)"
    )]
    Unknown(String),
    /// Several fit.
    #[error("several stories are known by `{0}`; name one by its guid:\n{1}")]
    Several(String, String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A story as it was asked for.
#[derive(Debug, Clone)]
pub struct Found {
    /// The story that goes on.
    pub story: Story,
    /// The story named, if it was retired into that one.
    pub retired: Option<Story>,
    /// Copies by which it was named; none if it was named by its guid or page.
    pub copies: Vec<Copy>,
}

/// The story that goes on for this one: the one it was retired into, or itself.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn going_on(view: &View<'_>, no: StoryNo) -> Result<Option<Story>, StoreError> {
    let mut story = view.story(no)?;
    // A chain is never longer than the number of merges; the bound keeps a damaged store from turning in a circle.
    for _ in 0..64 {
        match story.as_ref().and_then(|story| story.retired_into) {
            Some(into) => story = view.story(into)?,
            None => break,
        }
    }
    Ok(story)
}

/// The story meant by `text`: a guid (bare or `urn:uuid:…`), the address of a story's page, the address of a copy, or its
/// guid as the source sent it.
///
/// # Errors
/// [`FindError`].
pub fn story(view: &View<'_>, text: &str) -> Result<Found, FindError> {
    let text = text.trim();
    let last = text.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/').rsplit('/').next();
    let guid = Guid::parse(text).or_else(|| last.filter(|_| text.contains("/story/")).and_then(Guid::parse));
    if let Some(named) = guid.map(|guid| view.by_guid(guid)).transpose()?.flatten() {
        let story = going_on(view, named.no)?.unwrap_or_else(|| named.clone());
        let retired = (story.no != named.no).then_some(named);
        return Ok(Found { story, retired, copies: Vec::new() });
    }
    let mut found: Vec<Found> = Vec::new();
    let mut add = |story: Story, copies: Vec<Copy>| {
        if !copies.is_empty() && !found.iter().any(|known| known.story.no == story.no) {
            found.push(Found { story, retired: None, copies });
        }
    };
    let canonical = if text.contains("://") { normalise::canonical(text) } else { String::new() };
    for no in view.sharing_link(&canonical)? {
        let Some(story) = going_on(view, no)? else { continue };
        let copies = story.copies.iter().filter(|copy| copy.canonical == canonical).cloned().collect();
        add(story, copies);
    }
    // As sent: `guid`, or what stands for it.
    let keys = [ItemKey::guid(text), ItemKey::link(&canonical), ItemKey(text.to_owned())];
    for (source, _) in view.sources()? {
        for key in &keys {
            let Some(known) = view.known(&source, key)? else { continue };
            let Some(story) = going_on(view, known.story)? else { continue };
            let copies: Vec<Copy> =
                story.copies.iter().filter(|copy| copy.source == source && copy.key == *key).cloned().collect();
            // An item that was only seen is known by its story, and is no copy of its own.
            let first = story.copies.first().cloned();
            add(story, if copies.is_empty() { first.into_iter().collect() } else { copies });
        }
    }
    match found.len() {
        0 => Err(FindError::Unknown(text.to_owned())),
        1 => Ok(found.remove(0)),
        _ => {
            let lines: Vec<String> = found.iter().map(|found| format!("  {}", line(&found.story))).collect();
            Err(FindError::Several(text.to_owned(), lines.join("\n")))
        }
    }
}

/// A story in one line: guid and headline.
#[must_use]
pub fn line(story: &Story) -> String {
    format!("{}  {}", story.guid, title(story))
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
