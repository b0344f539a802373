//! What a server answers.
#![no_main]

use mapstop::testing::inputs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| inputs::prometheus(bytes));
