//! The tape of the demo: invented stories, and which copy of each stands at a source at a given moment.

use serde::Deserialize;

use crate::model::time::Time;

/// The tape inside the binary.
const BUILTIN: &str = include_str!("../../../samples/demo/tape.json");
/// How far apart the stories are that stand at the start, in milliseconds.
const PAST_STEP: i64 = 73 * Time::MINUTE;
/// Age of the youngest of them.
const PAST_YOUNGEST: i64 = 38 * Time::MINUTE;

/// All stories, in the order in which they happen.
#[derive(Debug, Deserialize)]
pub struct Tape {
    /// So many stories stand at the start.
    first: usize,
    /// Seconds between the others.
    every: i64,
    stories: Vec<Story>,
}

#[derive(Debug, Deserialize)]
struct Story {
    id: String,
    title: String,
    author: Option<String>,
    tags: Vec<String>,
    text: Vec<String>,
    copies: Vec<Carried>,
    edit: Option<Edit>,
}

/// Who carries a story, and when.
#[derive(Debug, Deserialize)]
struct Carried {
    source: String,
    /// Seconds after the story happened; minutes for the stories that stand at the start.
    after: i64,
    /// A headline of its own.
    title: Option<String>,
}

/// The first source that carries the story rewrites it.
#[derive(Debug, Deserialize)]
struct Edit {
    after: i64,
    text: Vec<String>,
}

/// One copy as it stands at a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a> {
    /// Number of the story on the tape, from 1: stable, so addresses can be made from it.
    pub number: usize,
    /// Short name of the story, for addresses.
    pub id: &'a str,
    /// Headline at this source.
    pub title: &'a str,
    /// Who wrote it.
    pub author: Option<&'a str>,
    /// Keywords.
    pub tags: &'a [String],
    /// Paragraphs.
    pub text: &'a [String],
    /// The source that had it first.
    pub origin: &'a str,
    /// When it appeared at this source.
    pub at: Time,
    /// When this source rewrote it.
    pub edited: Option<Time>,
}

impl Tape {
    /// The bundled tape.
    pub fn builtin() -> Result<Self, serde_json::Error> {
        serde_json::from_str(BUILTIN)
    }

    /// How many stories there are.
    pub fn stories(&self) -> usize {
        self.stories.len()
    }

    /// Milliseconds from the start until the last copy has come.
    pub fn length(&self) -> i64 {
        let past = Time(0).plus(-(self.stories.len() as i64 * PAST_STEP));
        let last = self.stories.iter().enumerate().flat_map(|(index, story)| {
            story.copies.iter().map(move |copy| self.appears(index, copy.after, Time(0)).max(past))
        });
        last.map(|time| time.0).max().unwrap_or(0)
    }

    /// What stands at `source` at `now`, newest first, if the tape was started at `start`.
    pub fn shown(&self, source: &str, start: Time, now: Time) -> Vec<Shown<'_>> {
        let mut shown: Vec<Shown<'_>> = self
            .stories
            .iter()
            .enumerate()
            .filter_map(|(index, story)| {
                let carried = story.copies.iter().find(|copy| copy.source == source)?;
                let origin = story.copies.first()?.source.as_str();
                let at = self.appears(index, carried.after, start);
                let edit = story.edit.as_ref().filter(|_| origin == source);
                let edit = edit.map(|edit| (self.appears(index, edit.after, start), &edit.text));
                let edit = edit.filter(|(edited, _)| *edited <= now);
                (at <= now).then(|| Shown {
                    number: index + 1,
                    id: &story.id,
                    title: carried.title.as_deref().unwrap_or(&story.title),
                    author: story.author.as_deref(),
                    tags: &story.tags,
                    text: edit.map_or(&story.text, |(_, text)| text),
                    origin,
                    at,
                    edited: edit.map(|(edited, _)| edited),
                })
            })
            .collect();
        shown.sort_by_key(|shown| (std::cmp::Reverse(shown.at), shown.number));
        shown
    }

    /// When something that comes `after` the story of this index appears.
    fn appears(&self, index: usize, after: i64, start: Time) -> Time {
        if index < self.first {
            let age = PAST_YOUNGEST + (self.first - 1 - index) as i64 * PAST_STEP;
            return start.plus((after * Time::MINUTE - age).min(0));
        }
        start.plus(((index - self.first + 1) as i64 * self.every + after) * Time::SECOND)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::manner::SOURCES;
    use super::*;

    const START: Time = Time(1_790_000_000_000);

    #[test]
    fn every_copy_is_at_a_known_source_and_every_source_has_copies() {
        let tape = Tape::builtin().unwrap();
        assert!(tape.stories() >= 40, "{}", tape.stories());
        let known: BTreeSet<&str> = SOURCES.iter().map(|source| source.id).collect();
        let used: BTreeSet<&str> =
            tape.stories.iter().flat_map(|story| &story.copies).map(|copy| copy.source.as_str()).collect();
        assert_eq!(used, known);
        let ids: BTreeSet<&str> = tape.stories.iter().map(|story| story.id.as_str()).collect();
        assert_eq!(ids.len(), tape.stories(), "two stories share an id");
        for story in &tape.stories {
            assert_eq!(story.copies[0].after, 0, "{} starts late", story.id);
            assert!((2..=6).contains(&story.text.len()), "{}", story.id);
        }
    }

    #[test]
    fn a_third_stands_at_the_start_and_the_rest_arrives() {
        let tape = Tape::builtin().unwrap();
        let seen = |now: Time| -> BTreeSet<usize> {
            SOURCES.iter().flat_map(|source| tape.shown(source.id, START, now)).map(|shown| shown.number).collect()
        };
        assert_eq!(seen(START).len(), tape.first);
        assert_eq!(seen(START.plus(5_000)).len(), tape.first + 1);
        assert_eq!(seen(START.plus(tape.length())).len(), tape.stories());
        for source in SOURCES {
            for shown in tape.shown(source.id, START, START) {
                assert!(shown.at <= START, "{} is from the future", shown.id);
            }
        }
    }

    #[test]
    fn the_first_source_rewrites_and_the_copies_keep_what_they_took() {
        let tape = Tape::builtin().unwrap();
        let end = START.plus(tape.length() + Time::HOUR);
        let pool = |source: &str, now| tape.shown(source, START, now).into_iter().find(|shown| shown.edited.is_some());
        assert!(pool("xuchang", START.plus(60_000)).is_none());
        assert!(pool("xuchang", end).unwrap().text.last().unwrap().contains("更正"));
        assert!(pool("portal", end).is_none());
    }
}
