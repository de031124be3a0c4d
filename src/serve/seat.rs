//! Who sits on a connection without asking: when all are taken, the longest idle one makes room.
//!
//! Without it, whoever opens as many connections as we take and says nothing keeps everybody else out for as long as a
//! silent connection is borne.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// A connection that has asked before is idle so long after its last answer: until then it may still be reading it.
const READING: Duration = Duration::from_secs(1);

/// One connection.
#[derive(Debug)]
pub struct Seat {
    opened: Instant,
    /// Requests being answered.
    running: AtomicU32,
    /// Requests answered.
    answered: AtomicU32,
    /// Milliseconds from its opening to its last answer.
    last: AtomicU64,
    leave: Notify,
}

impl Seat {
    /// A request begins; it ends when the answer is dropped.
    pub fn ask(self: &Arc<Self>) -> Asking {
        self.running.fetch_add(1, Ordering::Relaxed);
        Asking(Arc::clone(self))
    }

    /// Waits until it must make room.
    pub async fn leave(&self) {
        self.leave.notified().await;
    }

    /// How dispensable it is now: one that never asked more than one that waits between requests. `None` for one that is
    /// being answered.
    fn idle(&self) -> Option<Idle> {
        if self.running.load(Ordering::Relaxed) > 0 {
            return None;
        }
        if self.answered.load(Ordering::Relaxed) == 0 {
            return Some(Idle::Silent);
        }
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        (self.opened.elapsed().saturating_sub(last) >= READING).then_some(Idle::Waiting)
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Asking(Arc<Seat>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.last.store(self.0.opened.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.0.answered.fetch_add(1, Ordering::Relaxed);
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Idle {
    /// Never asked anything.
    Silent,
    /// Asked before.
    Waiting,
}

/// All connections, the oldest first.
#[derive(Debug, Default)]
pub struct Seats {
    taken: Mutex<VecDeque<Weak<Seat>>>,
}

impl Seats {
    /// A connection takes a seat.
    pub fn take(&self) -> Arc<Seat> {
        let seat = Arc::new(Seat {
            opened: Instant::now(),
            running: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            last: AtomicU64::new(0),
            leave: Notify::new(),
        });
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that have left are forgotten when they are as many as those that have not.
        if taken.len() == taken.capacity() {
            taken.retain(|seat| seat.strong_count() > 0);
        }
        taken.push_back(Arc::downgrade(&seat));
        seat
    }

    /// Has the longest idle connection leave, one that never asked before one that did; false if none is idle.
    pub fn make_room(&self) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting = None;
        let mut chosen = None;
        for (at, seat) in taken.iter().enumerate() {
            match seat.upgrade().and_then(|seat| seat.idle()) {
                Some(Idle::Silent) => {
                    chosen = Some(at);
                    break;
                }
                Some(Idle::Waiting) => waiting = waiting.or(Some(at)),
                None => {}
            }
        }
        let Some(seat) = chosen.or(waiting).and_then(|at| taken.remove(at)) else { return false };
        if let Some(seat) = seat.upgrade() {
            seat.leave.notify_one();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_never_asked_leaves_first_and_who_is_answered_stays() {
        let seats = Seats::default();
        let (busy, known, silent) = (seats.take(), seats.take(), seats.take());
        let asking = busy.ask();
        drop(known.ask());
        assert!(seats.make_room());
        silent.leave().await;
        assert!(!seats.make_room(), "one is being answered, one may still be reading");
        tokio::time::sleep(READING).await;
        assert!(seats.make_room());
        known.leave().await;
        assert!(!seats.make_room());
        drop((asking, busy));
        assert!(!seats.make_room(), "who has left is no longer asked to");
    }
}
