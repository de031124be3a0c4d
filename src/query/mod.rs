//! The query language: parse, fold, match.
