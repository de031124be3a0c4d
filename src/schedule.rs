//! When to ask whom.
