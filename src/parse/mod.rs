//! Bytes to raw items: feeds, list pages; character sets, repair, dates.
