//! feeds.toml to checked values, all problems at once.
