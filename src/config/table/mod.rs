//! The tables of feeds.toml, one file each.

pub(super) mod alert;
pub(super) mod cities;
pub(super) mod defaults;
pub(super) mod expect;
pub(super) mod feed;
pub(super) mod fetch;
pub(super) mod publish;
pub(super) mod root;
pub(super) mod server;
pub(super) mod site;
pub(super) mod source;
pub(super) mod store;
pub(super) mod tag;

use super::key::Table;
use super::pattern;

/// Every table, in the order of the manual.
pub(super) const ALL: &[&Table] = &[
    &root::TABLE,
    &site::TABLE,
    &server::TABLE,
    &store::TABLE,
    &defaults::TABLE,
    &fetch::TABLE,
    &source::TABLE,
    &cities::TABLE,
    &tag::TABLE,
    &feed::TABLE,
    &alert::TABLE,
    &publish::TABLE,
    &expect::TABLE,
    &pattern::LIST,
    &pattern::JSON,
];
