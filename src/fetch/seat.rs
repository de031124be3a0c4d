//! Seats: at most so many at work with a document, however many wait for an answer.
//!
//! What waits for a stranger's server costs a connection; what is read, taken apart and filed costs memory. So whoever asks
//! gives its seat up until the head of the answer is there, and again while nothing comes of the body: those whose servers
//! hang keep nobody else waiting. What came of bodies that wait so is held in a room of bounded size; where that is full, the
//! seat is kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The room is counted in pieces of so many bytes.
const PIECE: usize = 1024;

/// All seats.
#[derive(Debug, Clone)]
pub struct Seats {
    seats: Arc<Semaphore>,
    room: Arc<Semaphore>,
}

impl Seats {
    /// So many, and room for so many bytes of those who paused.
    #[must_use]
    pub fn new(many: usize, room: usize) -> Self {
        Self { seats: Arc::new(Semaphore::new(many)), room: Arc::new(Semaphore::new(room / PIECE)) }
    }

    /// One of them, not taken yet.
    #[must_use]
    pub fn seat(&self) -> Seat {
        Seat { all: self.clone(), held: Mutex::default() }
    }

    /// How many are free.
    #[must_use]
    pub fn free(&self) -> usize {
        self.seats.available_permits()
    }
}

/// What one has of them.
#[derive(Debug, Default)]
struct Held {
    seat: Option<OwnedSemaphorePermit>,
    _room: Option<OwnedSemaphorePermit>,
}

/// A seat of one who works. Dropped, it is free again.
#[derive(Debug)]
pub struct Seat {
    all: Seats,
    held: Mutex<Held>,
}

impl Seat {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a seat; nothing, if it has one.
    pub async fn take(&self) {
        if self.held().seat.is_some() {
            return;
        }
        // The semaphore is never closed, so this is always a permit.
        let seat = Arc::clone(&self.all.seats).acquire_owned().await.ok();
        *self.held() = Held { seat, _room: None };
    }

    /// Gives it up for a while, with nothing in hand.
    pub fn leave(&self) {
        *self.held() = Held::default();
    }

    /// Gives it up for a while with so many bytes in hand, if there is room for them. Returns whether there was.
    pub fn pause(&self, bytes: usize) -> bool {
        let pieces = u32::try_from(bytes.div_ceil(PIECE)).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.all.room).try_acquire_many_owned(pieces) else { return false };
        *self.held() = Held { seat: None, _room: Some(room) };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_an_answer_has_no_seat() {
        let seats = Seats::new(1, 0);
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

    #[tokio::test]
    async fn who_pauses_with_more_than_there_is_room_for_keeps_its_seat() {
        let seats = Seats::new(3, 10 * PIECE);
        let [one, other, third] = [seats.seat(), seats.seat(), seats.seat()];
        for seat in [&one, &other, &third] {
            seat.take().await;
        }
        assert!(one.pause(7 * PIECE) && !other.pause(3 * PIECE + 1), "of ten pieces three are left");
        assert_eq!(seats.free(), 1);
        assert!(third.pause(0), "who has nothing in hand needs no room");
        assert_eq!(seats.free(), 2);
        one.take().await;
        assert!(other.pause(10 * PIECE), "the room is free again");
        drop(other);
        assert!(one.pause(10 * PIECE));
    }
}
