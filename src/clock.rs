//! The one place that asks the time.

use crate::model::time::Time;

/// A clock that can be handed around: the system's, or a test's.
pub type Clock = std::sync::Arc<dyn Fn() -> Time + Send + Sync>;

/// The system's clock.
#[must_use]
pub fn system() -> Clock {
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the time")]
    std::sync::Arc::new(|| Time::from(chrono::Utc::now()))
}
