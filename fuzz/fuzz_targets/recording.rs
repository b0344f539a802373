//! A file to replay.
#![no_main]

use mapstop::test_util::inputs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| inputs::recording(bytes));
