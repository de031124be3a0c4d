//! Folding: the form in which texts are compared. Width, case, traditional to simplified; punctuation and spaces out;
//! digits and decimal marks kept alike.

/// Folds a text for comparison. Implemented by the place room's author; see the module's first line for the rule.
#[must_use]
pub fn fold(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
