//! HTTP out: one guarded, capped, conditional request.
