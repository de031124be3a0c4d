//! libFuzzer's way into the target `opml`.
#![no_main]
#![allow(missing_docs, reason = "the macro's own function")]

#[path = "../target.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::opml(data));
