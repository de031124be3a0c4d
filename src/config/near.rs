//! The nearest known word to a misspelt one.

/// The word most like this one, if one is like it at all: at most a third of its characters differ.
pub(super) fn to<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let most = (lower.chars().count() / 3).max(1);
    known
        .map(|known| (strsim::damerau_levenshtein(&lower, known), known))
        .filter(|(distance, known)| *distance <= most && *distance < known.chars().count())
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["every", "expect", "id", "rank"];
        for (word, found) in [("evry", Some("every")), ("EVERY", Some("every")), ("ab", None), ("di", Some("id"))] {
            assert_eq!(super::to(word, known.into_iter()), found, "{word}");
        }
    }
}
