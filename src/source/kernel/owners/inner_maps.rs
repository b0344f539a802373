//! Maps of maps become pairs of an inner map and the one that holds it.

use libbpf_rs::{MapCore, MapFlags, MapHandle};

use super::decode::MemcgRecord;
use crate::types::map_type::MapType;

/// Elements that are read of one map, and of all maps in one collection.
const MAX_INNER_MAPS_OF_ONE: usize = 4096;
const MAX_INNER_MAPS: usize = 65_536;

/// Which map holds which.
#[derive(Debug, Default)]
pub struct Outer {
    /// An inner map and its outer map.
    pub pairs: Vec<(u32, u32)>,
    /// Some could not be read: that needs `CAP_SYS_ADMIN`.
    pub is_refused: bool,
    /// Some have more elements than are read.
    pub is_cut: bool,
}

/// Reads the maps of maps among these.
pub(crate) fn read_outer_maps(maps: &[MemcgRecord]) -> Outer {
    let mut outer = Outer::default();
    let mut rest = MAX_INNER_MAPS;
    let maps_of_maps = maps
        .iter()
        .filter(|map| MapType(map.map_type.0).holds_maps());
    for map in maps_of_maps {
        read(map, &mut outer, &mut rest);
    }
    outer.pairs.sort_unstable();
    outer.pairs.dedup();
    outer
}

fn read(map: &MemcgRecord, outer: &mut Outer, rest: &mut usize) {
    let handle = match MapHandle::from_map_id(map.map_id) {
        Ok(handle) => handle,
        Err(error) => {
            // Deleted meanwhile, or not permitted.
            outer.is_refused |= error.kind() != libbpf_rs::ErrorKind::NotFound;
            return;
        }
    };
    let max = MAX_INNER_MAPS_OF_ONE.min(*rest);
    let mut elements = 0;
    for key in handle.keys() {
        if elements == max {
            outer.is_cut = true;
            break;
        }
        elements += 1;
        match handle.lookup(&key, MapFlags::ANY) {
            Ok(Some(value)) => {
                let id = value.get(..4).and_then(|id| id.try_into().ok());
                let pair = id.map(|id| (u32::from_ne_bytes(id), map.map_id));
                outer.pairs.extend(pair);
            }
            // An empty slot.
            Ok(None) => {}
            Err(_) => {
                outer.is_refused = true;
                break;
            }
        }
    }
    *rest -= elements;
}
