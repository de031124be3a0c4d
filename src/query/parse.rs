//! Tokens to a tree.

use crate::model::fold::fold;
use crate::model::id::SourceId;
use crate::model::source::Rank;
use crate::model::tag::Tag;

use super::Query;
use super::date::Date;
use super::error::{QueryError, nearest};
use super::lex::{Field, Kind, Sign, Token, example, lex};
use super::term::{Column, Comparison, Needle, Node, Place, PlaceKind, Term, Test};

const LENGTH_HINT: &str = "cut it into several queries";

/// Parses a whole query.
pub(super) fn parse(text: &str) -> Result<Node, QueryError> {
    if text.chars().nth(Query::LONGEST).is_some() {
        let message = format!("a query has at most {} characters", Query::LONGEST);
        return Err(QueryError::new(Query::LONGEST + 1, message, LENGTH_HINT));
    }
    let tokens = lex(text)?;
    if tokens.is_empty() {
        return Err(QueryError::new(
            1,
            "the query is empty",
            "write a word, a \"phrase\" or a field such as city:许昌",
        ));
    }
    let end = text.chars().count() + 1;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, terms: 0, end };
    let node = parser.all()?;
    if let Some(token) = parser.peek() {
        // all() stops only at a closing parenthesis that it did not open.
        return Err(QueryError::new(
            token.column,
            "this parenthesis closes nothing",
            "take it out, or open one before it",
        ));
    }
    // What is stored and shown is the canonical form, which may be a little longer (`a"b"` becomes `a b`): it obeys too.
    if node.to_string().chars().nth(Query::LONGEST).is_some() {
        let message = format!("written out, the query has more than {} characters", Query::LONGEST);
        return Err(QueryError::new(end, message, LENGTH_HINT));
    }
    Ok(node)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    terms: usize,
    /// Column after the last character.
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// Choices side by side: all of them must match.
    fn all(&mut self) -> Result<Node, QueryError> {
        let mut parts = Vec::new();
        while let Some(token) = self.peek() {
            match token.kind {
                Kind::Or => return Err(dangling_or(token.column)),
                Kind::Close => break,
                _ => match self.choice()? {
                    Node::All(inner) => parts.extend(inner),
                    other => parts.push(other),
                },
            }
        }
        if parts.is_empty() {
            let column = self.peek().map_or(self.end, |token| token.column);
            return Err(if self.depth > 0 {
                QueryError::new(column, "there is nothing between the parentheses", "take them out, or write a word")
            } else {
                QueryError::new(column, "this parenthesis closes nothing", "take it out, or open one before it")
            });
        }
        Ok(one_or(parts, Node::All))
    }

    /// `term OR term OR …`: OR binds its two neighbours.
    fn choice(&mut self) -> Result<Node, QueryError> {
        let mut parts = Vec::new();
        loop {
            match self.one()? {
                Node::Any(inner) => parts.extend(inner),
                other => parts.push(other),
            }
            match self.peek() {
                Some(Token { kind: Kind::Or, column }) => {
                    self.at += 1;
                    if matches!(self.peek().map(|token| &token.kind), None | Some(Kind::Close | Kind::Or)) {
                        return Err(dangling_or(*column));
                    }
                }
                _ => break,
            }
        }
        Ok(one_or(parts, Node::Any))
    }

    /// A term, a group, or either with a minus.
    fn one(&mut self) -> Result<Node, QueryError> {
        let Some(token) = self.peek() else {
            return Err(QueryError::new(self.end, "a term is missing here", "write a word or a \"phrase\""));
        };
        self.at += 1;
        match &token.kind {
            Kind::Minus => self.not(token.column),
            Kind::Open => self.group(token.column),
            Kind::Word(word) => {
                match word.as_str() {
                    "AND" => {
                        let hint =
                            "leave it out: terms side by side must all match; to search for the word, write \"AND\"";
                        return Err(QueryError::new(token.column, "AND is not needed", hint));
                    }
                    "NOT" => {
                        let hint = "write -word; to search for the word NOT, write \"NOT\"";
                        return Err(QueryError::new(token.column, "NOT is written as a minus sign", hint));
                    }
                    _ => {}
                }
                self.term(token.column, Test::Text(needle(word, token.column)?))
            }
            Kind::Phrase(phrase) => self.term(token.column, Test::Text(needle(phrase, token.column)?)),
            Kind::Field { name, sign, value, at } => self.term(token.column, test(*name, *sign, value, *at)?),
            Kind::Close | Kind::Or => {
                Err(QueryError::new(token.column, "a term is missing here", "write a word or a \"phrase\""))
            }
        }
    }

    fn not(&mut self, column: usize) -> Result<Node, QueryError> {
        match self.peek() {
            Some(next) if next.column == column + 1 && !matches!(next.kind, Kind::Close | Kind::Or | Kind::Minus) => {
                Ok(Node::Not(Box::new(self.one()?)))
            }
            _ => Err(QueryError::new(
                column,
                "this minus sign excludes nothing",
                "write it right before what it excludes, as -广告 or -\"彩票开奖\"",
            )),
        }
    }

    fn group(&mut self, column: usize) -> Result<Node, QueryError> {
        if self.depth == Query::DEEPEST {
            let message = format!("parentheses are nested more than {} deep", Query::DEEPEST);
            return Err(QueryError::new(column, message, "take out those that group nothing"));
        }
        if self.peek().is_none() {
            return Err(unclosed(column));
        }
        self.depth += 1;
        let node = self.all()?;
        self.depth -= 1;
        match self.peek() {
            Some(Token { kind: Kind::Close, .. }) => {
                self.at += 1;
                Ok(node)
            }
            _ => Err(unclosed(column)),
        }
    }

    fn term(&mut self, column: usize, test: Test) -> Result<Node, QueryError> {
        self.terms += 1;
        if self.terms > Query::TERMS {
            let message = format!("a query has at most {} terms", Query::TERMS);
            return Err(QueryError::new(column, message, LENGTH_HINT));
        }
        Ok(Node::Term(Term { column: Column(column), test }))
    }
}

fn one_or(mut parts: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}

fn dangling_or(column: usize) -> QueryError {
    QueryError::new(column, "OR needs a term on either side", "complete it; to search for the word, write \"OR\"")
}

fn unclosed(column: usize) -> QueryError {
    QueryError::new(column, "this parenthesis is never closed", "close it, or take it out")
}

fn needle(text: &str, column: usize) -> Result<Needle, QueryError> {
    Needle::new(text).ok_or_else(|| {
        QueryError::new(
            column,
            format!("there is nothing to search for in \"{}\"", text.trim()),
            "punctuation, spaces and symbols are not searched: write letters, digits or characters",
        )
    })
}

fn test(field: Field, sign: Sign, value: &str, column: usize) -> Result<Test, QueryError> {
    let wrong = |message: String, hint: &str| QueryError::new(column, message, hint);
    let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    match field {
        Field::Title => Ok(Test::Title(needle(&value, column)?)),
        Field::City => place(PlaceKind::City, value, column),
        Field::Province => place(PlaceKind::Province, value, column),
        Field::Tag => {
            let Some(tag) = Tag::new(&value) else {
                return Err(wrong(
                    format!("\"{value}\" is no tag"),
                    "write letters, digits or characters, as tag:教育",
                ));
            };
            Ok(Test::Tag(value, tag.id))
        }
        Field::Source => SourceId::new(&value.to_ascii_lowercase()).map(Test::Source).ok_or_else(|| {
            wrong(
                format!("\"{value}\" cannot be the id of a source"),
                "ids have letters a-z, digits, - _ and . only, as source:dahe",
            )
        }),
        Field::Rank => rank(&value, column),
        Field::Lang => {
            let tag = value.to_ascii_lowercase().replace('_', "-");
            let subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
            if tag.split('-').all(subtag) {
                Ok(Test::Language(tag))
            } else {
                Err(wrong(format!("\"{value}\" is no language tag"), "write it as in BCP 47: lang:zh, lang:en-GB"))
            }
        }
        Field::After => date(field, &value, column).map(Test::After),
        Field::Before => date(field, &value, column).map(Test::Before),
        Field::Copies => {
            let comparison = match sign {
                Sign::AtLeast | Sign::Colon => Comparison::AtLeast,
                Sign::More => Comparison::More,
                Sign::Equal => Comparison::Equal,
                Sign::AtMost => Comparison::AtMost,
                Sign::Less => Comparison::Less,
            };
            let digits = value.bytes().all(|byte| byte.is_ascii_digit());
            match value.parse() {
                Ok(number) if digits => Ok(Test::Copies(comparison, number)),
                _ => Err(wrong(format!("\"{value}\" is no number of copies"), "write a whole number, as copies>=3")),
            }
        }
    }
}

fn place(kind: PlaceKind, name: String, column: usize) -> Result<Test, QueryError> {
    let folded = fold(&name);
    if folded.is_empty() {
        return Err(QueryError::new(
            column,
            format!("\"{name}\" is no {}", kind.word()),
            format!("write {}", kind.example()),
        ));
    }
    Ok(Test::Place(Place { kind, name, folded, code: None }))
}

fn rank(value: &str, column: usize) -> Result<Test, QueryError> {
    match value.to_ascii_lowercase().as_str() {
        "origin" => Ok(Test::Rank(Rank::Origin)),
        "media" => Ok(Test::Rank(Rank::Media)),
        "reprint" => Ok(Test::Rank(Rank::Reprint)),
        other => {
            let hint = nearest(other, &["origin", "media", "reprint"])
                .map_or_else(|| "origin, media or reprint".to_owned(), |near| format!("did you mean \"{near}\"?"));
            Err(QueryError::new(column, format!("there is no rank \"{value}\""), hint))
        }
    }
}

fn date(field: Field, value: &str, column: usize) -> Result<Date, QueryError> {
    Date::parse(value)
        .ok_or_else(|| QueryError::new(column, format!("\"{value}\" is no date"), format!("write {}", example(field))))
}
