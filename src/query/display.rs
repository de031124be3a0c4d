//! The canonical form of a query: it parses to the same query again.

use std::fmt::{Display, Formatter, Result};

use super::Query;
use super::lex::{is_bare, is_bare_value};
use super::term::{Node, Term, Test, rank_word};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.root.fmt(f)
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Any(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" OR ")?;
                    }
                    match part {
                        Self::All(_) => write!(f, "({part})")?,
                        _ => part.fmt(f)?,
                    }
                }
                Ok(())
            }
            Self::All(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" ")?;
                    }
                    match part {
                        Self::Any(_) => write!(f, "({part})")?,
                        _ => part.fmt(f)?,
                    }
                }
                Ok(())
            }
            Self::Not(part) => match **part {
                Self::Term(_) => write!(f, "-{part}"),
                _ => write!(f, "-({part})"),
            },
            Self::Term(term) => term.fmt(f),
        }
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.test {
            Test::Text(needle) if is_bare(&needle.raw) && !matches!(needle.raw.as_str(), "AND" | "NOT") => {
                f.write_str(&needle.raw)
            }
            Test::Text(needle) => quoted(f, &needle.raw),
            Test::Title(needle) => field(f, "title", &needle.raw),
            Test::Place(place) => field(f, place.kind.word(), &place.name),
            Test::Tag(name, _) => field(f, "tag", name),
            Test::Source(id) => write!(f, "source:{id}"),
            Test::Rank(rank) => write!(f, "rank:{}", rank_word(*rank)),
            Test::Language(tag) => write!(f, "lang:{tag}"),
            Test::After(date) => write!(f, "after:{date}"),
            Test::Before(date) => write!(f, "before:{date}"),
            Test::Copies(comparison, number) => write!(f, "copies{}{number}", comparison.sign()),
        }
    }
}

fn field(f: &mut Formatter<'_>, name: &str, value: &str) -> Result {
    write!(f, "{name}:")?;
    if is_bare_value(value) { f.write_str(value) } else { quoted(f, value) }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> Result {
    // Only what would otherwise be read as an escape or as the end is escaped; a curly quote inside stays, and a
    // backslash before one must be doubled.
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
