use std::fs;
use std::path::{Path, PathBuf};

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
fn the_numbers_are_those_of_the_kernels_header() {
    let kernel = libbpf_rs::MapType::Arena as u32;
    assert_eq!(MapType::ARENA.0, kernel);
    for (map_type, name) in [
        (MapType::HASH, "hash"),
        (MapType::LRU_HASH, "lru_hash"),
        (MapType::RINGBUF, "ringbuf"),
        (MapType::INSN_ARRAY, "insn_array"),
    ] {
        assert_eq!(map_type.to_string(), name);
    }
}

/// Rust files below `dir`, but for those that hold only tests or test data.
fn source_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str());
        if path.is_dir() {
            let is_test = matches!(name, Some("test_util" | "tests"));
            let is_table = path.ends_with("types/map_type");
            if !is_test && !is_table {
                source_files(&path, files);
            }
        } else if path.extension().is_some_and(|end| end == "rs") && name != Some("tests.rs") {
            files.push(path);
        }
    }
}

#[test]
fn no_other_file_compares_a_type_with_a_literal() {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    source_files(&root, &mut files);
    assert!(files.len() > 100, "the sources");
    let mut found = Vec::new();
    for path in &files {
        let text = fs::read_to_string(path).expect("a source file");
        // Unit tests stand at the end of a file.
        let code = text.split("#[cfg(test)]\nmod tests {").next();
        for (at, line) in code.unwrap_or_default().lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            let has_name = |name: &str| line.contains(&format!("\"{name}\""));
            let by_name = MapType::all().any(|t| t.name().is_some_and(has_name));
            let mut after = line
                .match_indices("MapType(")
                .map(|(at, text)| at + text.len());
            let by_number =
                after.any(|at| line[at..].starts_with(|first: char| first.is_ascii_digit()));
            let by_field = ["map_type.0 == ", "matches!(map_type.0", "match map_type.0 "];
            if by_name || by_number || by_field.iter().any(|text| line.contains(text)) {
                found.push(format!("{}:{}: {line}", path.display(), at + 1));
            }
        }
    }
    assert!(
        found.is_empty(),
        "use a constant of MapType:\n{}",
        found.join("\n")
    );
}

#[test]
fn records_pass_through_buffers_only() {
    let buffers: Vec<_> = MapType::all()
        .filter(|map_type| map_type.is_buffer())
        .collect();
    let names: Vec<_> = buffers.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["perf_event_array", "ringbuf", "user_ringbuf"]);
}

#[test]
fn losses_of_preallocated_or_loaded_types_are_not_traceable() {
    let names = |is_meant: fn(&MapType) -> bool| -> Vec<_> {
        let all = MapType::all().filter(is_meant);
        all.map(|map_type| map_type.to_string()).collect()
    };
    let untraceable = [
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
    assert_eq!(names(|map_type| !map_type.is_loss_traceable()), untraceable);
    let packets = ["devmap", "cpumap", "xskmap", "devmap_hash"];
    assert_eq!(names(|map_type| map_type.is_redirect_map()), packets);
}

#[test]
fn a_type_of_a_newer_kernel_is_shown_by_its_number() {
    let t = MapType(99);
    assert_eq!(t.to_string(), "type_99");
    assert_eq!(t.kind(), Kind::Uncounted);
    assert!(!t.is_known());
}
