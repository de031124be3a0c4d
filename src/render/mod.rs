//! Stories to bytes: RSS, OPML.
