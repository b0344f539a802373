//! A file to replay.
#![no_main]

use mapstop::testing::inputs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| inputs::recording(bytes));
