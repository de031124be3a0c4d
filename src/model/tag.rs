//! Tags: what a publisher or a `[[tag]]` rule calls the subject.

use minicbor::{Decode, Encode};

/// A tag: its identity and the spelling shown. Variants that fold together are one tag.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Tag {
    /// Folded by [`super::fold::fold`]; the identity, and the key of the tag's edition.
    #[n(0)]
    pub id: String,
    /// As the first publisher (or the rule) spelt it.
    #[n(1)]
    pub name: String,
}

impl Tag {
    /// A tag of this spelling; `None` if nothing but punctuation is left of it, or it is longer than 64 characters.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let id = super::fold::fold(&name);
        (!id.is_empty() && id.chars().count() <= 64).then_some(Self { id, name })
    }
}
