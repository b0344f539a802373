use super::*;

#[test]
fn no_name_or_abbreviation_stands_for_two_types() {
    let mut names: Vec<String> = Vec::new();
    for t in MapType::all() {
        let (name, short) = (t.to_string(), t.short().to_string());
        if name != short {
            names.push(short);
        }
        names.push(name);
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn every_abbreviation_fits_its_column() {
    for t in MapType::all() {
        assert!(t.short().len() <= 10, "{t}: {}", t.short());
    }
}

#[test]
fn names_lead_back_to_their_type() {
    for t in MapType::all().chain([MapType(99)]) {
        assert_eq!(MapType::from_name(&t.to_string()), Some(t));
        assert_eq!(MapType::from_name(&t.short()), Some(t));
    }
    assert_eq!(MapType::from_name("hsah"), None);
}

#[test]
fn the_table_is_indexed_by_the_kernels_numbers() {
    for (number, name) in [
        (1, "hash"),
        (9, "lru_hash"),
        (11, "lpm_trie"),
        (19, "cgroup_storage"),
        (27, "ringbuf"),
        (33, "arena"),
    ] {
        assert_eq!(MapType(number).to_string(), name);
    }
}

#[test]
fn records_pass_through_buffers_only() {
    let buffers: Vec<_> = MapType::all().filter(|of| of.is_buffer()).collect();
    let names: Vec<_> = buffers.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["perf_event_array", "ringbuf", "user_ringbuf"]);
}

#[test]
fn what_is_full_from_birth_or_only_loaded_cannot_be_watched() {
    let names = |is_meant: fn(&MapType) -> bool| -> Vec<_> {
        let all = MapType::all().filter(is_meant);
        all.map(|of| of.to_string()).collect()
    };
    let unwatched = [
        "array",
        "prog_array",
        "perf_event_array",
        "percpu_array",
        "cgroup_array",
        "array_of_maps",
        "sockmap",
        "cgroup_storage",
        "reuseport_sockarray",
        "percpu_cgroup_storage",
        "struct_ops",
        "bloom_filter",
        "user_ringbuf",
        "arena",
        "insn_array",
    ];
    assert_eq!(names(|of| !of.is_loss_traceable()), unwatched);
    let packets = ["devmap", "cpumap", "xskmap", "devmap_hash"];
    assert_eq!(names(|of| of.is_redirect_map()), packets);
}

#[test]
fn a_type_of_a_newer_kernel_is_shown_by_its_number() {
    let t = MapType(99);
    assert_eq!(t.to_string(), "type_99");
    assert_eq!(t.kind(), Kind::Uncounted);
    assert!(!t.is_known());
}
