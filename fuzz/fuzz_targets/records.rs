//! What the kernel's iterators write.
#![no_main]

use mapstop::testing::inputs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| inputs::records(bytes));
