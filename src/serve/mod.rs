//! HTTP in: accept, route, reply; pages for people.

pub mod address;
pub mod conditional;
pub mod encoding;
pub mod health;
pub mod listen;
pub mod metrics;
mod patience;
pub mod reply;
pub mod visitor;
