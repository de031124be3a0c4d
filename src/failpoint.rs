//! Named points at which a test makes the process die, as a power cut or `kill -9` would.
//!
//! `CITYDESK_FAILPOINT=ledger-synced:3` aborts the process when the point `ledger-synced` is reached for the third
//! time (`:1` may be left out). Compiled into debug builds only: in a release build a point is nothing at all.
//!
//! A point stands where a kill would leave the most awkward state: between two steps whose order is a promise.
//!
//! | point | reached |
//! | --- | --- |
//! | `wire-appended`, `ledger-appended` | records are written to the file, not yet synced |
//! | `wire-synced`, `ledger-synced` | they are synced, and nobody has been told |
//! | `store-half-applied` | one batch of an index is in the store, others of the same record are not |
//! | `store-tree-applied` | one index of the store has the record whole, others have not |
//! | `store-applied` | the position is written too, and no reader has seen it |

/// Passes the point, or aborts the process if the environment asks for it.
#[cfg(debug_assertions)]
pub(crate) fn hit(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ARMED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    let armed =
        ARMED.get_or_init(|| named(&std::env::var("CITYDESK_FAILPOINT").ok()?).map(|(name, n)| (name, n.into())));
    if let Some((point, left)) = armed
        && point == name
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}

/// Passes the point: release builds have none.
#[cfg(not(debug_assertions))]
pub(crate) fn hit(_name: &str) {}

/// `name` or `name:n`, n from 1.
#[cfg(debug_assertions)]
fn named(text: &str) -> Option<(String, u64)> {
    match text.split_once(':') {
        None if text.is_empty() => None,
        None => Some((text.to_owned(), 1)),
        Some((name, n)) => n.parse().ok().filter(|n| *n > 0).map(|n| (name.to_owned(), n)),
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::named;

    #[test]
    fn reads_the_name_and_the_count() {
        assert_eq!(named("ledger-synced"), Some(("ledger-synced".into(), 1)));
        assert_eq!(named("ledger-synced:3"), Some(("ledger-synced".into(), 3)));
        assert_eq!(named(""), None);
        assert_eq!(named("x:0"), None);
        assert_eq!(named("x:soon"), None);
    }
}
