//! Integration tests: real parts against a real, misbehaving origin on loopback. One binary, since linking is slow.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod fetch;
mod origin;
mod poll;
