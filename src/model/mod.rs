//! The nouns of the trade: what is polled, what comes in, what is decided, what is published.
//!
//! Values only: no IO, no clock. Everything that stands in the journal or the store is encoded by the one codec of
//! [`codec`] (numbered fields, so that a later binary reads what an earlier one wrote).
//!
//! In reading order: a [`source::Source`] is polled; one poll brings a [`filing::Filing`] of [`item::Item`]s; the desk
//! decides [`edit::Edit`]s; a [`story::Story`] is what we publish, in one or more editions ([`edition::EditionId`]).

pub mod book;
pub mod codec;
pub mod diff;
pub mod edit;
pub mod edition;
pub mod evidence;
pub mod filing;
pub mod fold;
pub mod headline;
pub mod id;
pub mod item;
pub mod markup;
pub mod noise;
pub mod place;
pub mod position;
pub mod push;
pub mod rhythm;
pub mod setting;
pub mod shingle;
pub mod source;
pub mod spread;
pub mod story;
pub mod tag;
pub mod time;
pub mod websub;
pub mod why;
