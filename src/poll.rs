//! One source's round: fetch, parse, normalise, file.
