//! Shared by the tests of the binary: small maps (which need root), terminals, servers.

#![allow(dead_code, reason = "each test uses what it needs")]

pub mod client;
pub mod exporter;
pub mod limits;
pub mod prometheus;
pub mod terminal;

use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType};

/// A map with a key and a value of these sizes, and these flags; deleted when it is dropped.
pub fn map(
    map_type: MapType,
    name: &str,
    (key, value): (u32, u32),
    max: u32,
    map_flags: u32,
) -> MapHandle {
    let opts = libbpf_rs::libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_rs::libbpf_sys::bpf_map_create_opts>() as _,
        map_flags,
        ..Default::default()
    };
    MapHandle::create(map_type, Some(name), key, value, max, &opts).expect("a map; root?")
}

/// A hash map with `used` of `max` entries; deleted when it is dropped.
pub fn create_hash(name: &str, used: u32, max: u32) -> MapHandle {
    let map = map(MapType::Hash, name, (4, 8), max, 0);
    for key in 0..used {
        add(&map, key);
    }
    map
}

pub fn add(map: &MapHandle, key: u32) {
    map.update(&key.to_ne_bytes(), &[0; 8], MapFlags::ANY)
        .expect("room");
}

/// The map's id, as an argument.
pub fn id(map: &MapHandle) -> String {
    map.info().expect("info").info.id.to_string()
}
