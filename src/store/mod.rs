//! The view in sled: apply edits, read, retain. The only place that names sled.
