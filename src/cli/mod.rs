//! One file per command; what several share stands in [`exit`], [`log`], [`locate`], [`probe`] and [`say`].

pub mod check;
pub mod demo;
pub mod exit;
pub mod export;
pub mod health;
pub mod locate;
pub mod log;
pub mod once;
pub mod probe;
pub mod rebuild;
pub mod reload;
pub mod say;
pub mod schema;
pub mod serve;
pub mod stats;
pub mod tryout;
