//! The register of keys that are accepted and checked although their feature is not in force yet. A feature that is
//! built deletes its line here.

use super::key::Value;

/// A key whose feature comes later.
struct Later {
    /// Its table; empty at the top of the file.
    table: &'static str,
    /// Its name.
    key: &'static str,
    /// Whether this value of it asks for something that is not there.
    asks: fn(Value<'_>) -> bool,
}

/// Every key whose feature is not built.
const LATER: &[Later] = &[
    Later { table: "", key: "alert", asks: always },
    Later { table: "defaults", key: "keep", asks: always },
    Later { table: "source", key: "keep", asks: always },
];

fn always(_: Value<'_>) -> bool {
    true
}

/// Whether this key, with this value, is not in force yet.
pub(super) fn is(table: &str, value: Value<'_>) -> bool {
    LATER.iter().any(|later| later.table == table && later.key == value.key && (later.asks)(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::table;

    #[test]
    fn the_register_names_only_keys_that_exist() {
        for later in LATER {
            let table = table::ALL.iter().find(|table| table.name == later.table);
            assert!(table.is_some_and(|table| table.has(later.key)), "{}.{}", later.table, later.key);
        }
    }
}
