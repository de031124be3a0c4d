//! citydesk watches the news of a region and republishes it: one clean feed per city.
//!
//! The way of an item, in reading order: [`config`] says whom to ask; [`schedule`] when; [`poll`] asks ([`fetch`] ->
//! [`parse`] -> [`normalise`]) and files what came on the wire of the [`journal`]; the [`editor`] has the [`desk`] decide
//! ([`place`], [`query`]), writes the decisions to the ledger and applies them to the [`store`]; the [`press`] prints
//! editions ([`render`]); [`search`] finds stories; [`serve`] hands all of it out. ARCHITECTURE.md is the map.

pub mod alert;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod desk;
pub mod editor;
pub mod failpoint;
pub mod fetch;
pub mod hub;
pub mod journal;
pub mod model;
pub mod normalise;
pub mod parse;
pub mod place;
pub mod poll;
pub mod press;
pub mod query;
pub mod render;
pub mod schedule;
pub mod search;
pub mod serve;
pub mod store;
pub mod websub;
