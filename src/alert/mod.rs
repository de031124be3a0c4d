//! Saved searches to robots and mail. Accepted by the config, not in force yet.
