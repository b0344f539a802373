//! Map names of any bytes, and any number of maps.

use std::collections::HashSet;
use std::io::Read;
use std::thread;
use std::time::Duration;

use libbpf_rs::MapHandle;
use rustix::net::sockopt::set_socket_recv_buffer_size;

use crate::support::exporter::{Exporter, OPENMETRICS, is_fine, value};
use crate::support::limits::may_open;
use crate::support::{create_hash, id};

/// Every character that the kernel lets into a name, and none.
const NAMES: [&str; 6] = [
    "",
    "abcdefghijklmno",
    "pqrstuvwxyzABCD",
    "EFGHIJKLMNOPQRS",
    "TUVWXYZ01234567",
    "89_.",
];

#[test]
fn a_new_map_has_its_owner_at_its_first_scrape() {
    let exporter = Exporter::start(&[]);
    exporter.scrape();
    let is_owned_at_once = |_| {
        // Then owners are collected at once.
        thread::sleep(Duration::from_secs(2));
        let map = create_hash("exp_newly_owned", 2, 10);
        let text = exporter.scrape();
        let of_map = format!("bpf_map_info{{id=\"{}\",", id(&map));
        let about = text.lines().find(|line| line.starts_with(&of_map));
        about.expect("the map").contains(",owner=\"")
    };
    // On a busy machine collecting may take longer than a scrape waits.
    assert!((0..5).any(is_owned_at_once));
}

#[test]
fn any_map_name_is_exported_until_deletion() {
    let maps: Vec<_> = NAMES.iter().map(|name| create_hash(name, 2, 10)).collect();
    let exporter = Exporter::start(&["--compat"]);
    let mut client = exporter.client();
    for headers in ["", OPENMETRICS] {
        let text = client.get("/metrics", headers).body;
        for (map, name) in maps.iter().zip(NAMES) {
            let labels = format!("{{id=\"{}\",name=\"{name}\",type=\"hash\"", id(map));
            assert_eq!(value(&text, "bpf_map_used", &[&labels]), Some(2.0));
            assert_eq!(
                value(&text, "bpf_map_pressure_ratio", &[&labels]),
                Some(0.2)
            );
            let old = format!("{{id=\"{}\",name=\"{name}\"}}", id(map));
            assert_eq!(value(&text, "ebpf_map_curr_elem_count", &[&old]), Some(2.0));
            assert_eq!(value(&text, "ebpf_map_pressure", &[&old]), Some(0.2));
        }
    }
    let ids: Vec<_> = maps.iter().map(id).collect();
    drop(maps);
    let is_exported = |text: &str| {
        let has_id = |id: &String| text.contains(&format!("id=\"{id}\""));
        ids.iter().any(has_id)
    };
    // The kernel takes a moment to free a map.
    for _ in 0..50 {
        thread::sleep(Duration::from_millis(110));
        if !is_exported(&client.get("/metrics", "").body) {
            return;
        }
    }
    panic!("deleted maps are exported");
}

#[test]
fn maps_of_the_same_name_can_be_merged() {
    let maps = [
        create_hash("exp_twins", 3, 10),
        create_hash("exp_twins", 9, 10),
    ];
    let exporter = Exporter::start(&["--label-by", "name", "-f", "exp_twins"]);
    let text = exporter.scrape();
    assert_eq!(value(&text, "bpf_map_used", &["exp_twins"]), Some(12.0));
    assert_eq!(value(&text, "bpf_map_capacity", &["exp_twins"]), Some(20.0));
    assert_eq!(
        value(&text, "bpf_map_pressure_ratio", &["exp_twins"]),
        Some(0.9)
    );
    assert!(!text.contains("id=\""), "{text}");
    drop(maps);
}

#[test]
fn exports_ten_thousand_maps_and_finishes_a_running_scrape() {
    const MAPS: u32 = 10_000;
    if !may_open(u64::from(MAPS) + 100) {
        return;
    }
    let maps: Vec<MapHandle> = (0..MAPS)
        .map(|n| create_hash(&format!("exp_many_{n}"), 1, 2))
        .collect();
    let mut exporter = Exporter::start(&["-f", "exp_many_"]);
    let text = exporter.scrape();
    let listed: HashSet<_> = text
        .lines()
        .filter(|line| line.starts_with("bpf_map_used{"))
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert!(maps.iter().all(|map| listed.contains(id(map).as_str())));
    assert_eq!(listed.len(), maps.len());
    assert_eq!(
        value(&text, "bpf_maps", &["type=\"hash\""]),
        Some(f64::from(MAPS))
    );
    assert_eq!(value(&text, "mapstop_series_left_out", &[]), Some(0.0));

    let few = Exporter::start(&["-f", "exp_many_", "--max-series", "1000"]);
    let text = few.scrape();
    let series = text
        .lines()
        .filter(|line| line.starts_with("bpf_map_"))
        .count();
    assert!((900..=1000).contains(&series), "{series}");
    let left_out = value(&text, "mapstop_series_left_out", &[]).expect("a number");
    assert!(left_out > 50_000.0, "{left_out}");

    // A slow client that has read only a part when the signal arrives.
    let mut slow = exporter.client();
    set_socket_recv_buffer_size(slow.stream(), 64 << 10).expect("a small window");
    slow.send("GET", "/metrics", "");
    thread::sleep(Duration::from_millis(500));
    exporter.terminate();
    thread::sleep(Duration::from_millis(500));
    let mut begin = [0; 1000];
    slow.stream().read_exact(&mut begin).expect("the beginning");
    let mut rest = Vec::new();
    slow.stream().read_to_end(&mut rest).expect("the rest");
    let answer = [&begin[..], &rest].concat();
    let answer = String::from_utf8(answer).expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{head}"
    );
    assert!(body.contains(&format!("id=\"{}\"", id(&maps[9_999]))));
    assert!(is_fine(exporter.end_within(Duration::from_secs(5))));
}
