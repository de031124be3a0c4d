//! A few threads with large stacks on which documents are read: what a source sends may panic, hang or nest deeply, and
//! only that source is affected.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, Once, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// Stack of a reading thread. The default of 2 MiB was overrun by documents of 40 kB (1,500 nested elements).
pub const STACK: usize = 16 * 1024 * 1024;
/// Longest reading of one document. The largest allowed ones take a second or two.
pub const LIMIT: Duration = Duration::from_secs(30);
/// Longest wait for a free reading thread.
pub const QUEUE_LIMIT: Duration = Duration::from_mins(2);
/// Threads that may hang for ever before hanging ones are no longer replaced: a thread cannot be ended from outside.
pub const LOST_MOST: usize = 8;

/// Name of the threads, by which the panic hook knows them.
const NAME: &str = "citydesk-reader";

/// Why a document was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// The reading code panicked.
    #[error(
        "reading it panicked ({0}): this is a mistake in citydesk or in a library, please report it with the document"
    )]
    Panicked(String),
    /// It took too long and was left alone.
    #[error("reading it took longer than {} s and was given up: please report it with the document", LIMIT.as_secs())]
    Slow,
    /// No thread became free.
    #[error("no reading thread became free within {} s: other documents are being read, it is asked again later", QUEUE_LIMIT.as_secs())]
    Busy,
}

type Job = Box<dyn FnOnce() -> bool + Send>;

#[derive(Default)]
struct Queue {
    jobs: Mutex<(VecDeque<Job>, bool)>,
    ready: Condvar,
    lost: AtomicUsize,
}

/// The threads. They end when this is dropped.
pub struct Parsers {
    queue: Arc<Queue>,
}

impl std::fmt::Debug for Parsers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parsers").field("lost", &self.lost()).finish_non_exhaustive()
    }
}

const RUNNING: u8 = 0;
const DONE: u8 = 1;
const LOST: u8 = 2;

impl Parsers {
    /// So many threads, at least one.
    ///
    /// # Errors
    /// If the system gives us no thread.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        hush();
        let parsers = Self { queue: Arc::default() };
        for _ in 0..threads.max(1) {
            hire(&parsers.queue)?;
        }
        Ok(parsers)
    }

    /// As many threads as there are processors, 2 to 8.
    ///
    /// # Errors
    /// If the system gives us no thread.
    pub fn fitting() -> std::io::Result<Self> {
        Self::new(std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8)))
    }

    /// Threads that hang.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.queue.lost.load(Ordering::SeqCst)
    }

    /// Does the job on one of the threads, under a panic guard and a stopwatch.
    ///
    /// # Errors
    /// [`Unread`]. A job that was given up may still run: it must have no effect but its result.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Unread> {
        self.within(LIMIT, QUEUE_LIMIT, job).await
    }

    async fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        wait: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unread> {
        let (begin, begun) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let state = Arc::new(AtomicU8::new(RUNNING));
        let seen = Arc::clone(&state);
        let wrapped: Job = Box::new(move || {
            if begin.send(()).is_err() {
                return true; // Nobody waits any more.
            }
            let result = catch_unwind(AssertUnwindSafe(job)).map_err(|panic| Unread::Panicked(words(panic.as_ref())));
            let _ = answer.send(result);
            seen.swap(DONE, Ordering::SeqCst) != LOST
        });
        {
            let mut jobs = self.queue.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            jobs.0.push_back(wrapped);
        }
        self.queue.ready.notify_one();
        match tokio::time::timeout(wait, begun).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Err(Unread::Busy),
        }
        if let Ok(result) = tokio::time::timeout(limit, answered).await {
            return result.unwrap_or_else(|_| Err(Unread::Panicked("its result is gone".to_owned())));
        }
        if state.compare_exchange(RUNNING, LOST, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            let lost = self.queue.lost.fetch_add(1, Ordering::SeqCst) + 1;
            if lost > LOST_MOST {
                tracing::error!(lost, "reading threads hang and are no longer replaced; restart citydesk");
            } else if let Err(error) = hire(&self.queue) {
                tracing::error!(lost, "a reading thread hangs and cannot be replaced: {error}");
            }
        }
        Err(Unread::Slow)
    }
}

impl Drop for Parsers {
    fn drop(&mut self) {
        self.queue.jobs.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.queue.ready.notify_all();
    }
}

fn hire(queue: &Arc<Queue>) -> std::io::Result<()> {
    let queue = Arc::clone(queue);
    std::thread::Builder::new().name(NAME.to_owned()).stack_size(STACK).spawn(move || work(&queue))?;
    Ok(())
}

fn work(queue: &Queue) {
    loop {
        let job = {
            let mut jobs = queue.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if let Some(job) = jobs.0.pop_front() {
                    break job;
                }
                if jobs.1 {
                    return;
                }
                jobs = queue.ready.wait(jobs).unwrap_or_else(PoisonError::into_inner);
            }
        };
        if !job() {
            // It was given up and replaced: this thread is one too many now.
            queue.lost.fetch_sub(1, Ordering::SeqCst);
            return;
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no reason given".to_owned())
}

/// A panic on these threads is a complaint about one document, not a stack trace on the operator's terminal.
fn hush() {
    static HUSHED: Once = Once::new();
    HUSHED.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().name() == Some(NAME) {
                tracing::debug!("while reading a document: {info}");
            } else {
                usual(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_stays_with_its_document() {
        let parsers = Parsers::new(1).unwrap();
        for _ in 0..3 {
            let result = parsers.run(|| -> u8 { panic!("byte {} is in a character", 7) }).await;
            assert_eq!(result, Err(Unread::Panicked("byte 7 is in a character".to_owned())));
        }
        assert_eq!(parsers.run(|| 7).await, Ok(7));
        assert_eq!(parsers.lost(), 0);
    }

    #[tokio::test]
    async fn a_deep_document_finds_room() {
        fn deep(n: u32) -> u32 {
            let ballast = [n; 512];
            std::hint::black_box(&ballast);
            if n == 0 { 0 } else { deep(n - 1) + u32::from(ballast[7] == n) }
        }
        // 3,000 frames of 2 KiB and more: three times the usual stack.
        assert_eq!(Parsers::new(1).unwrap().run(|| deep(3_000)).await, Ok(3_000));
    }

    #[tokio::test]
    async fn a_hanging_thread_is_replaced_and_ends_when_it_wakes() {
        let parsers = Parsers::new(1).unwrap();
        let (wake, asleep) = std::sync::mpsc::channel::<()>();
        let long = Duration::from_mins(1);
        let result = parsers.within(Duration::from_millis(50), long, move || asleep.recv().unwrap_or_default()).await;
        assert_eq!((result, parsers.lost()), (Err(Unread::Slow), 1));
        assert_eq!(parsers.run(|| 7).await, Ok(7));
        drop(wake);
        while parsers.lost() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(parsers.run(|| 8).await, Ok(8));
    }

    #[tokio::test]
    async fn a_queue_that_does_not_move_is_told() {
        let parsers = Parsers::new(1).unwrap();
        let (wake, asleep) = std::sync::mpsc::channel::<()>();
        let long = Duration::from_mins(1);
        let hanging = parsers.within(long, long, move || asleep.recv().unwrap_or_default());
        let waiting = async {
            let result = parsers.within(long, Duration::from_millis(50), || 7).await;
            drop(wake);
            result
        };
        assert_eq!(tokio::join!(hanging, waiting), (Ok(()), Err(Unread::Busy)));
    }
}
