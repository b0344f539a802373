//! What a server answers.
#![no_main]

use mapstop::test_util::inputs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| inputs::prometheus(bytes));
