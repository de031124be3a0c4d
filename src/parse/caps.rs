//! How much of a feed is read: the bounds that stand before feed-rs, which recurses as deep as a document asks for.

/// Deepest nesting that is passed on. feed-rs overflows a stack of 2 MiB at some 1,500 nested `media:group` (40 kB).
pub(super) const DEPTH: usize = 256;

/// Most elements that are passed on; the document ends there.
pub(super) const ELEMENTS: usize = 400_000;

/// Most attributes of one element that are passed on: checking them for doubles costs the square of their number.
pub(super) const ATTRIBUTES: usize = 64;

/// Longest text between two tags that is passed on, in bytes.
pub(super) const TEXT: usize = 4 << 20;

/// Largest document that is read, decoded, in bytes. What fetching lets through (`body_max`) is smaller by default.
pub(super) const DOCUMENT: usize = 64 << 20;

/// Most items that are read of one document.
pub(super) const ITEMS: usize = 20_000;

/// What was counted, and how often each bound was hit.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    pub elements: usize,
    deep: usize,
    crowded: usize,
    long: usize,
    full: bool,
}

impl Gauge {
    /// Counts an element at a depth; `false`: its tags are to be dropped.
    pub(super) fn element(&mut self, depth: usize) -> bool {
        self.elements += 1;
        let fits = depth < DEPTH;
        self.deep += usize::from(!fits);
        fits
    }

    /// Whether the document ends here.
    pub(super) fn full(&mut self) -> bool {
        self.full |= self.elements >= ELEMENTS;
        self.full
    }

    /// Whether one more attribute fits beside so many.
    pub(super) fn attribute(&mut self, beside: usize) -> bool {
        let fits = beside < ATTRIBUTES;
        self.crowded += usize::from(!fits);
        fits
    }

    /// As much of a text as is passed on.
    pub(super) fn text<'a>(&mut self, text: &'a str) -> &'a str {
        if text.len() <= TEXT {
            return text;
        }
        self.long += 1;
        &text[..text.floor_char_boundary(TEXT)]
    }

    /// The bounds that were hit, a sentence each.
    pub(super) fn complaints(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.deep > 0 {
            found.push(format!("{} elements are nested deeper than {DEPTH}: their tags were passed over", self.deep));
        }
        if self.crowded > 0 {
            found.push(format!("{} attributes beyond the {ATTRIBUTES}th of an element were passed over", self.crowded));
        }
        if self.long > 0 {
            found.push(format!("{} texts are longer than {TEXT} bytes: cut", self.long));
        }
        if self.full {
            found.push(format!("the document has more than {ELEMENTS} elements: the rest was not read"));
        }
        found
    }
}
