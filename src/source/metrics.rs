//! Names of the metrics and of the labels that `mapstop export` writes and `--prometheus` reads.

pub(crate) const MAP_INFO: &str = "bpf_map_info";
pub(crate) const MAP_USED: &str = "bpf_map_used";
pub(crate) const MAP_USED_ERROR: &str = "bpf_map_used_error";
pub(crate) const MAP_CAPACITY: &str = "bpf_map_capacity";
pub(crate) const MAP_MAX_ENTRIES: &str = "bpf_map_max_entries";
pub(crate) const MAP_PRESSURE: &str = "bpf_map_pressure_ratio";
pub(crate) const MAP_MEMORY: &str = "bpf_map_memory_bytes";
pub(crate) const MAP_GROWTH: &str = "bpf_map_growth_per_second";
pub(crate) const MAP_FULL_IN: &str = "bpf_map_full_in_seconds";
pub(crate) const MAP_ENTRY_LIFETIME: &str = "bpf_map_entry_lifetime_seconds";
pub(crate) const MAP_MARK: &str = "bpf_map_mark";
pub(crate) const MAP_PROGRAMS: &str = "bpf_map_programs";
pub(crate) const MAP_HOLDERS: &str = "bpf_map_holders";
pub(crate) const MAP_FAILED_UPDATES: &str = "bpf_map_failed_updates_total";
pub(crate) const MAP_EVICTIONS: &str = "bpf_map_evictions_total";
pub(crate) const MAP_DROPS: &str = "bpf_map_drops_total";

/// Names that ebpf-map-metrics gave these numbers, for its dashboards.
pub(crate) const COMPAT_USED: &str = "ebpf_map_curr_elem_count";
pub(crate) const COMPAT_PRESSURE: &str = "ebpf_map_pressure";

pub(crate) const MAPS: &str = "bpf_maps";
pub(crate) const SAMPLE_SECONDS: &str = "mapstop_sample_seconds";
pub(crate) const BUILD_INFO: &str = "mapstop_build_info";
pub(crate) const MAPS_UNMEASURED: &str = "mapstop_maps_unmeasured";
pub(crate) const SERIES_LEFT_OUT: &str = "mapstop_series_left_out";
pub(crate) const OWNERS_INCOMPLETE: &str = "mapstop_owners_incomplete";
pub(crate) const LOSSES_WATCHED: &str = "mapstop_losses_watched";
pub(crate) const LOSSES_OF_DELETED_MAPS: &str = "mapstop_losses_of_gone_maps_total";

/// The labels that mapstop writes. A scraped series also has those of its target.
pub(crate) mod label {
    pub(crate) const ID: &str = "id";
    pub(crate) const NAME: &str = "name";
    pub(crate) const TYPE: &str = "type";
    pub(crate) const UNIT: &str = "unit";
    pub(crate) const ERRNO: &str = "errno";
    pub(crate) const KIND: &str = "kind";
    pub(crate) const KEY_BYTES: &str = "key_bytes";
    pub(crate) const VALUE_BYTES: &str = "value_bytes";
    pub(crate) const FLAGS: &str = "flags";
    pub(crate) const OWNER: &str = "owner";
    pub(crate) const PIN: &str = "pin";
    pub(crate) const REASON: &str = "reason";
    pub(crate) const VERSION: &str = "version";
}
