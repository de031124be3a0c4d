//! The one writer: journal -> desk -> store -> announce.
