//! Prints an edition once per version and keeps the bytes.
