//! Raw item to item: text, links, times, attribution.
