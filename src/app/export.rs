//! The archive for other programs: JSON Lines, one story a line; CSV; OPML of what we read.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::model::id::StoryNo;
use crate::model::place::Placed;
use crate::model::story::{Copy, Story};
use crate::model::tag::Tag;
use crate::model::time::Time;
use crate::place::Gazetteer;
use crate::store::{Store, StoreError};

/// What can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON Lines.
    Jsonl,
    /// Comma-separated values (RFC 4180), one story a line.
    Csv,
}

impl Form {
    /// From its name on the command line.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "jsonl" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// Stories read under one lock: between them the editor may write.
const AT_ONCE: usize = 500;

/// Writes every story that goes on, held back ones included; retired and spiked ones are not stories any more.
///
/// # Errors
/// [`io::Error`] if `out` refuses or the store cannot be read.
pub fn write(store: &Store, gazetteer: &Gazetteer, form: Form, out: &mut dyn Write) -> io::Result<()> {
    let failed = |error: StoreError| io::Error::other(error.to_string());
    if form == Form::Csv {
        writeln!(out, "id,published,first_seen,title,url,cities,provinces,tags,sources")?;
    }
    let mut from = StoryNo(1);
    loop {
        // Collected first: whoever reads slowly must not hold the writer up.
        let stories: Vec<Story> = store.view().stories(from).take(AT_ONCE).collect::<Result<_, _>>().map_err(failed)?;
        let Some(last) = stories.last() else { return Ok(()) };
        from = StoryNo(last.no.0 + 1);
        for story in stories.iter().filter(|story| story.retired_into.is_none() && !story.spiked) {
            match form {
                Form::Jsonl => {
                    serde_json::to_writer(&mut *out, &one(story, gazetteer))?;
                    out.write_all(b"\n")?;
                }
                Form::Csv => row(story, out)?,
            }
        }
    }
}

pub(super) fn rfc3339(at: Time, offset: i16) -> String {
    at.at_offset(offset).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn places(placed: &[Placed], gazetteer: &Gazetteer) -> Vec<Value> {
    let one = |placed: &Placed| {
        let slug = gazetteer.unit(placed.code).map(|unit| unit.slug.clone());
        json!({
            "code": placed.code.to_string(),
            "name": placed.name,
            "slug": slug,
            "score": f64::from(placed.score) / 1000.0,
        })
    };
    placed.iter().map(one).collect()
}

fn title(story: &Story) -> &str {
    match (&story.emission, story.shown()) {
        (Some(emission), _) => &emission.title,
        (None, Some(copy)) => &copy.title,
        (None, None) => "",
    }
}

fn url(story: &Story) -> &str {
    match (&story.emission, story.shown()) {
        (Some(emission), _) => &emission.link,
        (None, Some(copy)) => &copy.link,
        (None, None) => "",
    }
}

pub(super) fn offset(story: &Story) -> i16 {
    match (&story.emission, story.shown()) {
        (Some(emission), _) => emission.offset,
        (None, Some(copy)) => copy.published.as_ref().map_or(0, |claim| claim.offset),
        (None, None) => 0,
    }
}

/// Where and about what, as judged today: what feeds print of it stands.
fn about(story: &Story) -> (&[Placed], &[Placed], &[Tag]) {
    (&story.places.cities, &story.places.provinces, &story.tags)
}

/// A story as one JSON object.
#[must_use]
pub fn one(story: &Story, gazetteer: &Gazetteer) -> Value {
    let offset = offset(story);
    let first = story.copies.iter().map(|copy| copy.seen).min().unwrap_or(story.opened);
    let copy = |(index, copy): (usize, &Copy)| {
        json!({
            "source": copy.source.as_str(),
            "guid": copy.key.0.split_once(':').map_or(copy.key.0.as_str(), |(_, key)| key),
            "url": copy.link,
            "title": copy.title,
            "published": copy.published.as_ref().map(|claim| rfc3339(claim.at, claim.offset)),
            "first_seen": rfc3339(copy.seen, offset),
            "shown": index == story.shown as usize,
        })
    };
    let (cities, provinces, tags) = about(story);
    json!({
        "id": story.guid.to_string(),
        "guid": story.guid.urn(),
        "title": title(story),
        "url": url(story),
        "published": rfc3339(story.published(), offset),
        "first_seen": rfc3339(first, offset),
        "cities": places(cities, gazetteer),
        "provinces": places(provinces, gazetteer),
        "tags": tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>(),
        "copies": story.copies.iter().enumerate().map(copy).collect::<Vec<_>>(),
    })
}

fn row(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    let names = |placed: &[Placed]| placed.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(" ");
    let offset = offset(story);
    let (cities, provinces, tags) = about(story);
    let first = story.copies.iter().map(|copy| copy.seen).min().unwrap_or(story.opened);
    let cells = [
        story.guid.to_string(),
        rfc3339(story.published(), offset),
        rfc3339(first, offset),
        title(story).to_owned(),
        url(story).to_owned(),
        names(cities),
        names(provinces),
        tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(" "),
        story.copies.iter().map(|copy| copy.source.as_str()).collect::<Vec<_>>().join(" "),
    ];
    let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
    writeln!(out, "{}", quoted.join(","))
}
