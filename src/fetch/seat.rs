//! Seats: at most so many at work with a document, however many wait for an answer.
//!
//! What waits for a stranger's server costs a connection; what is read, taken apart and filed costs memory. So whoever asks
//! gives its seat up until the head of the answer is there, and those whose servers hang keep nobody else waiting.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// All seats.
#[derive(Debug, Clone)]
pub struct Seats(Arc<Semaphore>);

impl Seats {
    /// So many.
    #[must_use]
    pub fn new(many: usize) -> Self {
        Self(Arc::new(Semaphore::new(many)))
    }

    /// One of them, not taken yet.
    #[must_use]
    pub fn seat(&self) -> Seat {
        Seat { seats: Arc::clone(&self.0), held: Mutex::new(None) }
    }

    /// How many are free.
    #[must_use]
    pub fn free(&self) -> usize {
        self.0.available_permits()
    }
}

/// A seat of one who works. Dropped, it is free again.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Semaphore>,
    held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Seat {
    /// Waits for a seat; nothing, if it has one.
    pub async fn take(&self) {
        if self.held.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return;
        }
        // The semaphore is never closed, so this is always a permit.
        let permit = Arc::clone(&self.seats).acquire_owned().await.ok();
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }

    /// Gives it up for a while.
    pub fn leave(&self) {
        drop(self.held.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_an_answer_has_no_seat() {
        let seats = Seats::new(1);
        let (one, other) = (seats.seat(), seats.seat());
        one.take().await;
        one.take().await;
        assert_eq!(seats.free(), 0);
        let late = tokio::time::timeout(std::time::Duration::from_millis(20), other.take()).await;
        assert!(late.is_err(), "there is one seat");
        one.leave();
        other.take().await;
        assert_eq!(seats.free(), 0);
        drop(other);
        assert_eq!(seats.free(), 1);
    }
}
