//! Lines of /proc about cgroups and mounts.
#![no_main]

use mapstop::test_util::inputs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| inputs::cgroup(bytes));
