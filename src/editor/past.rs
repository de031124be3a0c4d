//! The past gone through by several threads at once, in bounded pieces, and answered in the order of the stories.
//!
//! What a changed rule makes of a story depends on no other story's answer ([`crate::desk::Rewind`]), so the costly part
//! of it, reading and asking, goes to as many threads as there are processors; whoever takes the answers meets them in the
//! order of the stories, as if it had asked for each itself. A thread is never more than [`AHEAD`] pieces ahead.

use std::sync::mpsc;
use std::thread;

/// Stories of one piece: between two of them one may look at whether to stop.
pub const PIECE: u64 = 64;
/// Pieces that a thread may have answered before they are taken: what waits in memory is bounded by it.
const AHEAD: usize = 4;
/// Most threads: with more, the one that takes the answers is the slower side.
const THREADS: usize = 8;

/// Asks about the stories of these numbers, both included. `ask` is given the first and the last number of a piece, on some
/// thread; `take` the first number and the answer, in order, and says whether to go on. What `take` changes must not reach
/// the stories of later pieces. Returns whether all were taken.
///
/// # Errors
/// As `ask` and `take` have them, the first in the order of the stories.
pub fn each<T: Send, E: Send>(
    [from, last]: [u64; 2],
    ask: impl Fn(u64, u64) -> Result<T, E> + Sync,
    mut take: impl FnMut(u64, T) -> Result<bool, E>,
) -> Result<bool, E> {
    if from > last {
        return Ok(true);
    }
    let pieces = (last - from) / PIECE + 1;
    let threads = thread::available_parallelism().map_or(1, usize::from).clamp(1, THREADS).min(pieces as usize);
    let ask = &ask;
    thread::scope(|scope| {
        let answers: Vec<mpsc::Receiver<Result<T, E>>> = (0..threads)
            .map(|thread| {
                let (send, receive) = mpsc::sync_channel(AHEAD);
                scope.spawn(move || {
                    for piece in (thread as u64..pieces).step_by(threads) {
                        let first = from + piece * PIECE;
                        // Nobody takes it any more: who asked stops, or failed.
                        if send.send(ask(first, last.min(first + PIECE - 1))).is_err() {
                            return;
                        }
                    }
                });
                receive
            })
            .collect();
        for piece in 0..pieces {
            // A thread that ends before its time panicked: leaving the scope passes that on.
            let Ok(answer) = answers[(piece % threads as u64) as usize].recv() else { return Ok(false) };
            if !take(from + piece * PIECE, answer?)? {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_order_and_none_is_left_out() {
        for [from, last] in [[1, 1], [1, 64], [1, 65], [7, 1_000], [5, 4]] {
            let mut told: Vec<u64> = Vec::new();
            let whole = each(
                [from, last],
                |first, last| Ok::<_, ()>((first..=last).collect::<Vec<_>>()),
                |first, numbers| {
                    assert_eq!(numbers[0], first);
                    told.extend(numbers);
                    Ok(true)
                },
            );
            assert_eq!((whole, told), (Ok(true), (from..=last).collect()));
        }
    }

    #[test]
    fn it_ends_where_it_is_told_to_and_with_the_first_error() {
        let ask = |first: u64, _| if first > 500 { Err(first) } else { Ok(first) };
        let mut taken = 0;
        let stop = |first: u64, _| {
            taken = first;
            Ok(first < 257)
        };
        assert_eq!(each([1, 10_000], ask, stop), Ok(false));
        assert_eq!(taken, 257);
        assert_eq!(each([1, 10_000], ask, |_, _| Ok(true)), Err(513));
    }
}
