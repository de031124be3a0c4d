//! Integration tests: real parts against a real, misbehaving origin on loopback. One binary, since linking is slow.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod add;
mod article;
mod backup;
mod callback;
mod daemon;
mod doctor;
mod faithful;
mod fetch;
mod fleet;
mod frames;
mod full;
mod hand;
mod hostile;
mod hub;
mod kill;
mod manners;
mod operator;
mod origin;
mod poll;
mod readers;
mod rebuild;
mod search;
mod site;
mod start;
mod subscriber;
mod why;
mod world;
