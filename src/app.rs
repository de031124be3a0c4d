//! Wiring, reload, shutdown order.
