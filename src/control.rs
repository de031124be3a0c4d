//! The socket by which commands ask a running daemon.
