//! One file per command; what several share stands in [`account`], [`correct`], [`exit`], [`log`], [`locate`], [`name`], [`probe`] and [`say`].

pub mod account;
pub mod add;
pub mod check;
pub mod correct;
pub mod demo;
pub mod exit;
pub mod export;
pub mod health;
pub mod import;
pub mod join;
pub mod locate;
pub mod log;
pub mod name;
pub mod once;
pub mod probe;
pub mod rebuild;
pub mod reload;
pub mod say;
pub mod schema;
pub mod serve;
pub mod spike;
pub mod split;
pub mod stats;
pub mod tryout;
pub mod why;
