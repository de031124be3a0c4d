//! WebSub (W3C Recommendation of 23 January 2018) in values: requests to a hub, verification of intent, signatures, discovery,
//! callbacks.
//!
//! Sections named here are those of the recommendation. Who asks whom, and when, is the business of the rooms `hub` and `poll`.

pub mod intent;
pub mod link;
pub mod mailbox;
pub mod request;
pub mod signature;

use std::sync::Arc;

use crate::model::websub::Topic;
use request::Asked;

/// A request to our hub, with what stands behind the topic that it names.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What was asked.
    pub asked: Asked,
    /// The feed, and its version now (its ledger record); or why there is none, in a sentence for the subscriber.
    pub topic: Result<(Topic, u64), String>,
}

/// Hands a request to the hub; false if it has too much to do.
pub type Door = Arc<dyn Fn(Wish) -> bool + Send + Sync>;
