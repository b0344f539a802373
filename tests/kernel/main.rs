//! mapstop against the kernel that runs it. Needs root: the tests load BPF programs.
//!
//! Tests run at the same time and other processes create maps, so each test checks only its own maps,
//! by id.

#[path = "../../examples/zoo/mod.rs"]
mod zoo;

mod crowd;
mod doctor;
mod every_type;
mod facts;
mod ladder;
mod large;
#[path = "../support/limits.rs"]
mod limits;
mod losses;
mod memory;
mod owners;
mod process;
mod seeds;
mod support;
mod walk;

use libbpf_rs::MapType;
use mapstop::source::kernel::Kernel;

use support::{create, id_of, sample};

#[test]
fn this_machine_can_load_the_iterator_and_a_new_map_is_found() {
    let mut kernel = match Kernel::new() {
        Ok(kernel) => kernel,
        Err(error) => panic!("the kernel tests need root and a kernel with BTF:\n{error}"),
    };
    let before = sample(&mut kernel);
    let map = create(MapType::Hash, "just_made", (4, 8), 3);
    let after = sample(&mut kernel);
    let is_new = |facts: &&mapstop::types::snapshot::MapFacts| facts.key.id.0 == id_of(&map);
    assert_eq!(before.maps.iter().find(is_new), None);
    let found = after.maps.iter().find(is_new).expect("the new map");
    assert_eq!(found.name, "just_made");
    assert!(after.moment.uptime > before.moment.uptime);
}
