//! A query cut into tokens, each with its column.

use super::error::{QueryError, nearest};

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    Minus,
    Or,
    /// A bare word.
    Word(String),
    /// A text in quotes.
    Phrase(String),
    /// `name:value`, the value perhaps quoted; also `copies>=3`, with the sign.
    Field {
        name: Field,
        sign: Sign,
        value: String,
        /// Column of the value.
        at: usize,
    },
}

/// What stands between a field and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Colon,
    AtLeast,
    More,
    Equal,
    AtMost,
    Less,
}

/// A token and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub column: usize,
    pub kind: Kind,
}

/// The fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Title,
    City,
    Province,
    Tag,
    Source,
    Rank,
    Lang,
    After,
    Before,
    Copies,
}

impl Field {
    const ALL: [(&'static str, Self); 10] = [
        ("title", Self::Title),
        ("city", Self::City),
        ("province", Self::Province),
        ("tag", Self::Tag),
        ("source", Self::Source),
        ("rank", Self::Rank),
        ("lang", Self::Lang),
        ("after", Self::After),
        ("before", Self::Before),
        ("copies", Self::Copies),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, field)| *field)
    }

    /// As written in a query.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| *name)
    }
}

/// Cuts `text` into tokens.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, QueryError> {
    let characters: Vec<char> = text.chars().collect();
    let mut lexer = Lexer { characters: &characters, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

/// Whether `text` stands for itself without quotes: it lexes to one bare word.
pub(super) fn is_bare(text: &str) -> bool {
    matches!(lex(text).as_deref(), Ok([Token { kind: Kind::Word(word), .. }]) if word == text)
}

/// Whether `text` can follow `field:` without quotes.
pub(super) fn is_bare_value(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(ends_word)
}

struct Lexer<'a> {
    characters: &'a [char],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn column(&self) -> usize {
        self.at + 1
    }

    fn token(&mut self) -> Result<Option<Token>, QueryError> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let column = self.column();
        let Some(first) = self.peek() else { return Ok(None) };
        let kind = match first {
            '(' | '（' => {
                self.at += 1;
                Kind::Open
            }
            ')' | '）' => {
                self.at += 1;
                Kind::Close
            }
            '-' | '－' | '−' => {
                self.at += 1;
                Kind::Minus
            }
            _ if is_quote(first) => Kind::Phrase(self.quoted()?),
            _ => self.word()?,
        };
        Ok(Some(Token { column, kind }))
    }

    /// A text in quotes; `\"` and `\\` stand for the character itself. Quotes opened in ASCII are closed in ASCII, so
    /// that a phrase may hold Chinese ones.
    fn quoted(&mut self) -> Result<String, QueryError> {
        let column = self.column();
        let open = self.peek();
        self.at += 1;
        let mut text = String::new();
        while let Some(character) = self.peek() {
            self.at += 1;
            match character {
                '\\' if self.peek().is_some_and(|next| next == '\\' || is_quote(next)) => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                '"' => return Ok(text),
                _ if is_quote(character) && open != Some('"') => return Ok(text),
                _ => text.push(character),
            }
        }
        Err(QueryError::new(column, "this quotation mark is never closed", "close it with \""))
    }

    fn bare(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|character| !ends_word(character)) {
            self.at += 1;
        }
        self.characters[start..self.at].iter().collect()
    }

    fn word(&mut self) -> Result<Kind, QueryError> {
        let start = self.at;
        while let Some(character) = self.peek() {
            let prefix = &self.characters[start..self.at];
            match character {
                ':' | '：' if !prefix.is_empty() => {
                    if let Some(field) = Field::named(&prefix.iter().collect::<String>()) {
                        return self.field(field);
                    }
                    if character == ':' && prefix.iter().all(|c| c.is_alphabetic()) {
                        return Err(unknown_field(prefix, start + 1));
                    }
                    break;
                }
                '<' | '>' | '=' | '≥' | '≤' if !prefix.is_empty() => {
                    let name: String = prefix.iter().collect();
                    if let Some(field) = Field::named(&name) {
                        return self.field(field);
                    }
                    let rest = &self.characters[self.at..];
                    let number = rest.iter().find(|c| !"<>=≥≤".contains(**c)).is_some_and(char::is_ascii_digit);
                    if number && nearest(&name, &["copies"]).is_some() {
                        return Err(unknown_field(prefix, start + 1));
                    }
                    break;
                }
                _ if ends_word(character) => break,
                _ => self.at += 1,
            }
        }
        self.at = start;
        let word = self.bare();
        Ok(match word.as_str() {
            "OR" => Kind::Or,
            _ => Kind::Word(word),
        })
    }

    fn field(&mut self, name: Field) -> Result<Kind, QueryError> {
        let sign_at = self.column();
        let sign = self.sign();
        let word = name.word();
        if (sign == Sign::Colon) == (name == Field::Copies) {
            return Err(if name == Field::Copies {
                QueryError::new(sign_at, "\"copies\" takes a comparison", "write copies>=3; > = < <= work too")
            } else {
                QueryError::new(sign_at, format!("\"{word}\" takes a colon"), format!("write {}", example(name)))
            });
        }
        let at = self.column();
        let value = match self.peek() {
            Some(quote) if is_quote(quote) => self.quoted()?,
            _ => self.bare(),
        };
        if value.trim().is_empty() {
            return Err(QueryError::new(
                at,
                format!("\"{word}\" has no value"),
                format!("write it without a space, as {}", example(name)),
            ));
        }
        Ok(Kind::Field { name, sign, value, at })
    }

    fn sign(&mut self) -> Sign {
        let first = self.peek();
        self.at += 1;
        let equal = self.peek() == Some('=');
        match (first, equal) {
            (Some('>'), true) => {
                self.at += 1;
                Sign::AtLeast
            }
            (Some('<'), true) => {
                self.at += 1;
                Sign::AtMost
            }
            (Some('='), true) => {
                self.at += 1;
                Sign::Equal
            }
            (Some('>'), false) => Sign::More,
            (Some('<'), false) => Sign::Less,
            (Some('='), false) => Sign::Equal,
            (Some('≥'), _) => Sign::AtLeast,
            (Some('≤'), _) => Sign::AtMost,
            _ => Sign::Colon,
        }
    }
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '“' | '”' | '＂')
}

fn ends_word(character: char) -> bool {
    character.is_whitespace() || is_quote(character) || matches!(character, '(' | ')' | '（' | '）')
}

fn unknown_field(name: &[char], column: usize) -> QueryError {
    let name: String = name.iter().collect();
    let known: Vec<&str> = Field::ALL.iter().map(|(known, _)| *known).collect();
    let hint = match nearest(&name, &known) {
        Some(known) => format!("did you mean \"{known}\"?"),
        None => format!("the fields are {}; to search for the text itself, put it in quotes", known.join(", ")),
    };
    QueryError::new(column, format!("there is no field \"{name}\""), hint)
}

/// How a field is written.
pub(super) const fn example(field: Field) -> &'static str {
    match field {
        Field::Title => "title:\"双减\"",
        Field::City => "city:许昌",
        Field::Province => "province:河南",
        Field::Tag => "tag:教育",
        Field::Source => "source:dahe",
        Field::Rank => "rank:origin",
        Field::Lang => "lang:zh",
        Field::After => "after:2026-11-01 or after:3d",
        Field::Before => "before:2026-11-01 or before:6h",
        Field::Copies => "copies>=3",
    }
}
