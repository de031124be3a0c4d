//! Append and replay the wire and the ledger.
