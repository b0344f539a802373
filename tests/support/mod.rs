//! Small maps for tests of the binary. They need root, as mapstop does.

#![allow(dead_code, reason = "each test uses what it needs")]

use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType};

/// A hash map of its own with so many of so many entries; gone when it is dropped.
pub fn hash(name: &str, used: u32, max: u32) -> MapHandle {
    let opts = libbpf_rs::libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_rs::libbpf_sys::bpf_map_create_opts>() as _,
        ..Default::default()
    };
    let map = MapHandle::create(MapType::Hash, Some(name), 4, 8, max, &opts).expect("a map; root?");
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
