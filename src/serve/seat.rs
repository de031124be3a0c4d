//! Who sits on a connection without asking: when all are taken, the longest idle one makes room.
//!
//! Without it, whoever opens as many connections as we take and says nothing keeps everybody else out for as long as a
//! silent connection is borne.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
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
    /// Milliseconds from its opening to its last answer, or to the last part of one that was taken.
    last: AtomicU64,
    /// Whether the socket takes nothing more for now.
    writing: AtomicBool,
    /// Whether it carries several requests at once.
    streams: AtomicBool,
    leave: Notify,
}

impl Seat {
    /// A request begins, one of several or the only one; it ends when the answer is dropped.
    pub fn ask(self: &Arc<Self>, streams: bool) -> Asking {
        self.streams.store(streams, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
        Asking(Arc::clone(self))
    }

    /// Waits until its time is over, and says why: no next request for `unused` (over HTTP/2) or `head` (over HTTP/1.1,
    /// where the head of a request may have begun), or nobody who takes an answer for `stall`. What comes before the first
    /// request is watched by [`super::patience`].
    pub async fn kept(&self, head: Duration, unused: Duration, stall: Duration) -> &'static str {
        loop {
            let since = self.opened.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)));
            let running = self.running.load(Ordering::Relaxed) > 0;
            let streams = self.streams.load(Ordering::Relaxed);
            let waits = self.writing.load(Ordering::Relaxed) || !self.has_asked();
            let (most, why) = match (waits, running, streams) {
                // The socket is watched over, or an answer is being made.
                (true, ..) | (false, true, false) => (Duration::MAX, ""),
                (false, true, true) => (stall, "the client does not read its answer"),
                (false, false, true) => (unused, "no request came"),
                (false, false, false) => (head, "no whole request came"),
            };
            if since >= most {
                return why;
            }
            tokio::time::sleep(most.saturating_sub(since).clamp(Duration::from_millis(20), head)).await;
        }
    }

    /// Whether there was a request.
    pub fn has_asked(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0 || self.answered.load(Ordering::Relaxed) > 0
    }

    /// The socket takes nothing more for now, or takes something again.
    pub fn writes(&self, waits: bool) {
        self.writing.store(waits, Ordering::Relaxed);
        self.moves();
    }

    fn moves(&self) {
        self.last.store(self.opened.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Waits until it must make room.
    pub async fn leave(&self) {
        self.leave.notified().await;
    }

    /// How dispensable it is now: one that never asked more than one that waits between requests. `None` for one that is
    /// being answered.
    fn idle(&self) -> Option<Idle> {
        if self.running.load(Ordering::Relaxed) > 0 || self.writing.load(Ordering::Relaxed) {
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

impl Asking {
    /// A part of the answer was taken.
    pub fn moves(&self) {
        self.0.moves();
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.moves();
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
            writing: AtomicBool::new(false),
            streams: AtomicBool::new(false),
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
        let asking = busy.ask(false);
        drop(known.ask(false));
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

    #[tokio::test]
    async fn a_connection_is_kept_for_a_time() {
        let (short, long) = (Duration::from_millis(50), Duration::from_mins(1));
        let soon = |seat: Arc<Seat>, head, unused| async move {
            tokio::time::timeout(Duration::from_secs(5), seat.kept(head, unused, short)).await
        };
        let seats = Seats::default();
        let seat = seats.take();
        drop(seat.ask(false));
        assert_eq!(soon(Arc::clone(&seat), short, long).await, Ok("no whole request came"));
        drop(seat.ask(true));
        assert_eq!(soon(Arc::clone(&seat), long, short).await, Ok("no request came"));
        let not = tokio::time::timeout(Duration::from_millis(200), seat.kept(short, long, short)).await;
        assert!(not.is_err(), "streams have their own time");
        let asking = seat.ask(false);
        let not = tokio::time::timeout(Duration::from_millis(200), seat.kept(short, short, short)).await;
        assert!(not.is_err(), "it is being answered");
        drop(asking);
    }
}
