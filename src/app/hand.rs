//! An editor's corrections: `join`, `split`, `spike` and its undoing, from the words of a command to a request on the wire, and what
//! came of it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::find::{self, FindError, Found};
use super::folder::Folder;
use crate::editor::{Editor, EditorError, Standing};
use crate::journal::{Journal, LogError};
use crate::model::codec::encode;
use crate::model::filing::{Correction, Request, Wire};
use crate::model::id::{ItemKey, SourceId};
use crate::model::story::{Copy, Story};
use crate::model::time::Time;
use crate::normalise;
use crate::store::view::View;
use crate::store::{Store, StoreError};

/// A correction as it was asked for: stories and copies in the words of whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// These stories are one.
    Join(Vec<String>),
    /// These copies are another story than the rest.
    Split(String, Vec<String>),
    /// These stories are taken out of everything.
    Spike(Vec<String>),
    /// These were taken out by mistake.
    Reinstate(Vec<String>),
}

impl Wanted {
    /// As method-less target for a running daemon: `/join?story=…`.
    #[must_use]
    pub fn target(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let (path, stories, copies) = match self {
            Self::Join(stories) => ("join", stories.as_slice(), [].as_slice()),
            Self::Split(story, copies) => ("split", std::slice::from_ref(story), copies.as_slice()),
            Self::Spike(stories) => ("spike", stories.as_slice(), [].as_slice()),
            Self::Reinstate(stories) => ("reinstate", stories.as_slice(), [].as_slice()),
        };
        query.extend_pairs(stories.iter().map(|story| ("story", story)));
        query.extend_pairs(copies.iter().map(|copy| ("copy", copy)));
        format!("/{path}?{}", query.finish())
    }

    /// The inverse of [`Wanted::target`]; `None` if it is no correction.
    #[must_use]
    pub fn parse(path: &str, query: &str) -> Option<Self> {
        let (mut stories, mut copies) = (Vec::new(), Vec::new());
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "story" => stories.push(value.into_owned()),
                "copy" => copies.push(value.into_owned()),
                _ => {}
            }
        }
        match path {
            "/join" => Some(Self::Join(stories)),
            "/spike" => Some(Self::Spike(stories)),
            "/reinstate" => Some(Self::Reinstate(stories)),
            "/split" => stories.pop().map(|story| Self::Split(story, copies)),
            _ => None,
        }
    }
}

/// Why a correction was not made.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It does not fit what is there.
    #[error("{0}")]
    Wrong(String),
    /// The journal failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The editor gave up.
    #[error("the editor gave up: {0}")]
    Editor(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FindError> for Refused {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Store(error) => Self::Store(error),
            other => Self::Wrong(other.to_string()),
        }
    }
}

impl From<EditorError> for Refused {
    fn from(error: EditorError) -> Self {
        Self::Editor(error.to_string())
    }
}

/// Has a correction decided by the running editor, and tells what came of it. Blocks until it is visible.
///
/// # Errors
/// [`Refused`]; unless the editor gave up, nothing was changed.
pub fn correct(
    store: &Store,
    journal: &Journal,
    standing: &Standing,
    at: Time,
    wanted: &Wanted,
) -> Result<String, Refused> {
    // What stands on the wire is decided first: it may be about the same stories.
    standing.nudge();
    standing.wait(journal.wire.synced()).map_err(Refused::Editor)?;
    let (corrections, already) = resolve(&store.view(), wanted)?;
    let end = file(journal, at, &corrections)?;
    standing.nudge();
    standing.wait(end).map_err(Refused::Editor)?;
    Ok(already + &told(&store.view(), &corrections)?)
}

/// The same in a folder that no daemon holds.
///
/// # Errors
/// As [`correct`].
pub fn alone(folder: &Folder, at: Time, wanted: &Wanted) -> Result<String, Refused> {
    let (standing, full) = (Arc::new(Standing::default()), Arc::new(AtomicBool::new(false)));
    let (journal, store) = (folder.journal.clone(), Arc::clone(&folder.store));
    let mut editor = Editor::new(journal, store, standing, full, Box::new(|_| ()));
    while editor.step()? {}
    let (corrections, already) = resolve(&folder.store.view(), wanted)?;
    file(&folder.journal, at, &corrections)?;
    while editor.step()? {}
    let told = already + &told(&folder.store.view(), &corrections)?;
    folder.store.flush()?;
    Ok(told)
}

/// Puts the requests on the wire; returns the number behind the last one.
fn file(journal: &Journal, at: Time, corrections: &[Correction]) -> Result<u64, LogError> {
    let request =
        |correction: &Correction| encode(&Wire::Request(Request::Correct { at, correction: correction.clone() }));
    if corrections.is_empty() {
        return Ok(0);
    }
    let records: Vec<Vec<u8>> = corrections.iter().map(request).collect();
    let bytes: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    let positions = journal.wire.append(None, &bytes)?;
    journal.wire.sync()?;
    Ok(positions.last().map_or(0, |position| position.seq + 1))
}

/// What is to be asked of the editor; nothing where it is so already, with words that say so.
fn resolve(view: &View<'_>, wanted: &Wanted) -> Result<(Vec<Correction>, String), Refused> {
    let find = |text: &String| Ok::<_, Refused>(find::story(view, text)?);
    let living = |text: &String| {
        let found = find(text)?;
        if found.story.spiked {
            return Err(Refused::Wrong(format!("an editor took this story out: {}", find::line(&found.story))));
        }
        Ok(found)
    };
    match wanted {
        Wanted::Join(stories) if stories.len() < 2 => {
            Err(Refused::Wrong("name two stories or more that are one".to_owned()))
        }
        Wanted::Join(stories) => {
            let found = stories.iter().map(living).collect::<Result<Vec<_>, _>>()?;
            let first = &found[0].story;
            if found.iter().all(|found| found.story.no == first.no) {
                return Ok((Vec::new(), format!("one story already: {}\n", find::line(first))));
            }
            let stories = found.into_iter().map(|found| found.story.guid).collect();
            Ok((vec![Correction::Join { stories }], String::new()))
        }
        Wanted::Split(story, copies) => {
            let found = living(story)?;
            if let Some(other) = apart(view, &found.story, copies)? {
                let lines = [&found.story, &other].map(find::line).join("\n  ");
                return Ok((Vec::new(), format!("two stories already:\n  {lines}\n")));
            }
            let copies = part(&found, copies).map_err(Refused::Wrong)?;
            Ok((vec![Correction::Split { story: found.story.guid, copies }], String::new()))
        }
        Wanted::Spike(stories) => {
            let (mut corrections, mut told) = (Vec::new(), String::new());
            for found in stories.iter().map(find).collect::<Result<Vec<_>, _>>()? {
                if found.story.spiked {
                    told += &format!("taken out already: {}\n", find::line(&found.story));
                } else {
                    corrections.push(Correction::Spike { story: found.story.guid });
                }
            }
            Ok((corrections, told))
        }
        Wanted::Reinstate(stories) => {
            let (mut corrections, mut told) = (Vec::new(), String::new());
            for found in stories.iter().map(find).collect::<Result<Vec<_>, _>>()? {
                if found.story.spiked {
                    corrections.push(Correction::Reinstate { story: found.story.guid });
                } else {
                    told += &format!("not taken out: {}\n", find::line(&found.story));
                }
            }
            Ok((corrections, told))
        }
    }
}

/// The story that holds all the copies named, if it was split from this one before.
fn apart(view: &View<'_>, story: &Story, named: &[String]) -> Result<Option<Story>, StoreError> {
    let holds = |story: &Story, text: &String| story.copies.iter().any(|copy| is(copy, text));
    if named.is_empty() || named.iter().any(|text| holds(story, text)) {
        return Ok(None);
    }
    for no in &story.apart {
        let other = find::going_on(view, *no)?;
        if let Some(other) = other.filter(|other| named.iter().all(|text| holds(other, text))) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// The copies that are another story: those named, those that the story was named by, or the second of two.
fn part(found: &Found, named: &[String]) -> Result<Vec<(SourceId, ItemKey)>, String> {
    let copies = &found.story.copies;
    let key = |copy: &Copy| (copy.source.clone(), copy.key.clone());
    let list = || {
        let line = |(index, copy): (usize, &Copy)| format!("  {} {} {}", index + 1, copy.source, copy.link);
        copies.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
    };
    if copies.len() < 2 {
        return Err(format!("this story has one copy only: {}", find::line(&found.story)));
    }
    let mut moved: Vec<(SourceId, ItemKey)> = Vec::new();
    for text in named {
        let number = |index: usize| *text == (index + 1).to_string();
        let fitting = copies.iter().enumerate().filter(|(index, copy)| number(*index) || is(copy, text));
        let fitting: Vec<_> = fitting.map(|(_, copy)| key(copy)).collect();
        if fitting.is_empty() {
            return Err(format!("the story has no copy `{text}`; it has:\n{}", list()));
        }
        moved.extend(fitting.into_iter().filter(|copy| !moved.contains(copy)).collect::<Vec<_>>());
    }
    if named.is_empty() {
        moved = match (found.copies.as_slice(), copies.as_slice()) {
            ([], [_, second]) => vec![key(second)],
            ([], _) => {
                return Err(format!(
                    "name the copies that are another story, by number, source or address:\n{}",
                    list()
                ));
            }
            (own, _) => own.iter().map(key).collect(),
        };
    }
    if moved.len() >= copies.len() {
        return Err(format!(
            "that is the whole story; name some of its copies, by number, source or address:\n{}",
            list()
        ));
    }
    Ok(moved)
}

/// Whether a copy is meant: by its source, its address or its guid.
fn is(copy: &Copy, text: &str) -> bool {
    let both =
        text.split_once('/').is_some_and(|(source, key)| copy.source.as_str() == source && copy.key.is_meant(key));
    let address = || !copy.canonical.is_empty() && text.contains("://") && normalise::canonical(text) == copy.canonical;
    copy.source.as_str() == text || copy.key.is_meant(text) || both || address()
}

/// What came of it, in words.
fn told(view: &View<'_>, corrections: &[Correction]) -> Result<String, StoreError> {
    let mut told = String::new();
    for correction in corrections {
        match correction {
            Correction::Join { stories } => {
                let mut retired = Vec::new();
                let mut kept = None;
                for guid in stories {
                    let Some(story) = view.by_guid(*guid)? else { continue };
                    match story.retired_into {
                        Some(_) => retired.push(story),
                        None => kept = Some(story),
                    }
                }
                if let Some(kept) = kept {
                    told += &format!("{}\n  goes on, with {}\n", find::line(&kept), sources(&kept));
                }
                for story in retired {
                    told += &format!(
                        "{}\n  is retired: it stays where it stands and enters nothing more\n",
                        find::line(&story)
                    );
                }
            }
            Correction::Split { story, .. } => {
                // Whichever part was named: the story's guid stays with one of the two, and the other is the last split off.
                let mut parts: Vec<Story> = view.by_guid(*story)?.into_iter().collect();
                let others = parts.first().and_then(|first| first.apart.last().copied());
                if let Some(other) = others.map(|no| view.story(no)).transpose()?.flatten() {
                    parts.push(other);
                }
                parts.sort_by_key(|part| part.no);
                parts.dedup_by_key(|part| part.no);
                for part in parts {
                    let state = if part.emission.is_some() { "" } else { ", held back from the feeds" };
                    told += &format!("{}\n  with {}{state}\n", find::line(&part), sources(&part));
                }
            }
            Correction::Spike { story } => {
                let Some(story) = view.by_guid(*story)? else { continue };
                let also = match story.absorbed.len() {
                    0 => String::new(),
                    count => format!(", with {count} retired into it"),
                };
                told += &format!(
                    "{}\n  is taken out of everything{also}; copies that come later stay away\n",
                    find::line(&story)
                );
            }
            Correction::Reinstate { story } => {
                let Some(story) = view.by_guid(*story)? else { continue };
                told += &format!(
                    "{}\n  is back on pages and in archives, under its guid and date; feeds do not show it again, or it \
                     would be news twice\n",
                    find::line(&story)
                );
            }
        }
    }
    Ok(told)
}

fn sources(story: &Story) -> String {
    let copies: Vec<&str> = story.copies.iter().map(|copy| copy.source.as_str()).collect();
    format!("{} {} of {}", copies.len(), if copies.len() == 1 { "copy" } else { "copies" }, copies.join(", "))
}
