//! The archive for other programs: JSON Lines, one story a line; CSV; OPML of what we read.

use std::io::{self, Write};

use serde_json::Value;

use crate::model::id::StoryNo;
use crate::model::place::Placed;
use crate::model::story::Story;
use crate::place::Gazetteer;
use crate::render::story::{self, about, first_seen, title, url};
pub(super) use crate::render::story::{offset, rfc3339};
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

/// A story as one JSON object.
#[must_use]
pub fn one(story: &Story, gazetteer: &Gazetteer) -> Value {
    story::exported(story, &|code| gazetteer.unit(code).map(|unit| unit.slug.clone()))
}

fn row(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    let names = |placed: &[Placed]| placed.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(" ");
    let offset = offset(story);
    let (cities, provinces, tags) = about(story);
    let first = first_seen(story);
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
