//! A mistake in the configuration, with its place, its line and what to do about it.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;

/// Whether the configuration can be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot be used.
    Error,
    /// It can.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A mistake, as shown to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// The file as named on the command line; an included file by its own path.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in Unicode characters.
    pub column: usize,
    /// Characters marked, at least 1.
    pub width: usize,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
    /// The whole line; empty if the file could not be read.
    pub source_line: String,
}

/// Widest source line shown whole in a block, in columns; a longer one is cut around the mark.
const BLOCK_WIDTH: usize = 140;

impl Problem {
    /// `feeds.toml:14:1: error: unknown key …`
    #[must_use]
    pub fn line(&self) -> String {
        let (file, message) = (printable(&self.file), printable(&self.message));
        format!("{file}:{}:{}: {}: {message}", self.line, self.column, self.severity.name())
    }

    /// The one-line form, the source line with the mark below it, and the hint; ends with a line break.
    #[must_use]
    pub fn block(&self) -> String {
        let mut text = self.line();
        text.push('\n');
        let start = byte_of(&self.source_line, self.column - 1);
        let end = byte_of(&self.source_line, self.column - 1 + self.width).max(start);
        if !self.source_line.trim().is_empty() {
            let level = match self.severity {
                Severity::Error => Level::ERROR,
                Severity::Warning => Level::WARNING,
            };
            let snippet = Snippet::source(self.source_line.as_str())
                .line_start(self.line)
                .annotation(AnnotationKind::Primary.span(start..end));
            let report = [level.no_name().primary_title("").element(snippet)];
            let drawn = Renderer::plain().term_width(BLOCK_WIDTH).render(&report);
            for line in drawn.lines().filter(|line| line.contains('|')) {
                text.push_str(line.trim_end());
                text.push('\n');
            }
        }
        if !self.hint.is_empty() {
            text.push_str("hint: ");
            text.push_str(&printable(&self.hint));
            text.push('\n');
        }
        text
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line())
    }
}

/// Messages quote what stands in a file: line breaks and control characters must not reach a terminal or a log.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn byte_of(text: &str, nth: usize) -> usize {
    text.char_indices().nth(nth).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem() -> Problem {
        Problem {
            severity: Severity::Error,
            file: "feeds.toml".into(),
            line: 14,
            column: 1,
            width: 4,
            message: "unknown key `evry`".into(),
            hint: "did you mean `every`?".into(),
            source_line: "evry = \"2m..12h\"".into(),
        }
    }

    #[test]
    fn a_block_shows_line_mark_and_hint() {
        assert_eq!(
            problem().block(),
            "feeds.toml:14:1: error: unknown key `evry`\n   |\n14 | evry = \"2m..12h\"\n   | ^^^^\nhint: did you mean `every`?\n"
        );
    }

    #[test]
    fn the_mark_stands_below_wide_characters_and_at_a_line_s_end() {
        let wide = Problem { source_line: "许昌 = 1".into(), column: 6, width: 9, ..problem() };
        assert!(wide.block().contains("14 | 许昌 = 1\n   |        ^\n"), "{}", wide.block());
        let end = Problem { source_line: "a = [".into(), column: 6, width: 1, ..problem() };
        assert!(end.block().contains("14 | a = [\n   |      ^\n"), "{}", end.block());
    }

    #[test]
    fn nothing_of_a_file_can_command_a_terminal() {
        let evil = Problem { message: "\u{1b}[2J\nx".into(), source_line: "a = \u{1b}[2J".into(), ..problem() };
        assert!(!evil.block().contains('\u{1b}'));
        assert_eq!(evil.line().lines().count(), 1);
    }
}
