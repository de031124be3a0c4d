//! Runs foreign parsing code so that its panic is an answer and not the end of the thread.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// `Some` while this thread is inside [`guarded`]: the panic's message goes here and not to the log.
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Longest panic message kept, in characters.
const LONGEST: usize = 160;

/// Runs `work`; a panic inside becomes its message. The last net only: it stops no stack overflow and no endless loop,
/// which the bounds before it must.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let guarded = MESSAGE.with_borrow_mut(|message| match message {
                Some(message) => {
                    let payload = info.payload();
                    let text = payload.downcast_ref::<&str>().copied();
                    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
                    *message = text.unwrap_or("no message").chars().take(LONGEST).collect();
                    true
                }
                None => false,
            });
            if !guarded {
                before(info);
            }
        }));
    });
    MESSAGE.set(Some(String::new()));
    // Unwind safe: `work` builds its values from borrowed text alone, and all of them are dropped when it panics.
    let result = catch_unwind(AssertUnwindSafe(work));
    let message = MESSAGE.take().unwrap_or_default();
    result.map_err(|_| message)
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_is_an_answer() {
        assert_eq!(guarded(|| 1), Ok(1));
        let text = String::from("中");
        assert!(guarded(|| text[1..].len()).is_err_and(|message| message.contains("char boundary")));
        assert_eq!(guarded(|| 2), Ok(2));
    }
}
