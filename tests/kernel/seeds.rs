//! Seeds for fuzzing (`fuzz/corpus/records`): the records of a map of every type. To be written again
//! when a record changes: `cargo test --test kernel -- --ignored seeds`.

use std::fs;
use std::path::Path;

use mapstop::source::kernel::Kernel;

use crate::support::kernel;
use crate::zoo::Zoo;

/// Maps in a seed, and how often each was read.
const MAPS: usize = 4;
const READS: usize = 3;

#[test]
#[ignore = "writes files of the repository"]
fn seeds_are_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/records");
    let mut zoo = Zoo::load(|_| true).expect("the zoo loads");
    for name in zoo.names() {
        // Some types have no entries, or not on this kernel.
        let _ = zoo.fill(&name, 5);
    }
    let mut kernel = kernel();
    let reads: Vec<_> = (0..READS)
        .map(|_| kernel.read().expect("a read").to_vec())
        .collect();
    let size = MAPS * Kernel::record_size();
    for n in 0..reads[0].len().div_ceil(size) {
        let parts = reads.iter().filter_map(|read| read.chunks(size).nth(n));
        let seed = parts.collect::<Vec<_>>().concat();
        fs::write(folder.join(format!("maps_{n}")), seed).expect("a file");
    }
}
