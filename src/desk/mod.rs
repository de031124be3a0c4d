//! The judgement, pure: same story? whose copy wins? which tags? -> edits.
