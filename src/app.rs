//! Wiring, reload, shutdown order.

pub mod folder;
