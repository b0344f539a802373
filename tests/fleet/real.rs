//! The fleet view of a real Prometheus.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use crate::parts::{ask, count, exporter, failure, maps, report};
use crate::support::prometheus::{Prometheus, wait_until};

/// Maps of the recording of one machine.
const OF_ONE: usize = 20;

#[test]
fn equal_ids_of_two_nodes_are_two_maps() {
    let (a, b) = (exporter("node-17.mrec"), exporter("node-17.mrec"));
    let server = Prometheus::start(&[a.address, b.address]);
    let url = server.url();
    wait_until("both are there", || count(&url, &[]) == 2 * OF_ONE);
    // A forecast takes five samples over ten seconds.
    wait_until("both fill", || {
        count(&url, &["-f", "id:3187 mark:crit"]) == 2
    });
    let report = report(&url, &["-f", "id:3187"]);
    let mut nodes: Vec<_> = maps(&report)
        .iter()
        .map(|map| map["node"].as_str().expect("a node").to_owned())
        .collect();
    nodes.sort();
    let mut expected = [a, b].map(|one| one.address.to_string());
    expected.sort();
    assert_eq!(nodes, expected);
    assert_eq!(report["fleet_maps"], 40);
    // The report is not about a single machine.
    assert!(report["boot_id"].is_null() && report["kernel"].is_null());
    for map in maps(&report) {
        assert_eq!(
            (&map["name"], &map["type"]),
            (&"conn_track_v4".into(), &"hash".into())
        );
        assert_eq!(
            (&map["key_bytes"], &map["value_bytes"]),
            (&16.into(), &64.into())
        );
        assert_eq!(
            (&map["owner"], &map["mark"]),
            (&"flowd".into(), &"crit".into())
        );
        assert!(map["used"].as_u64() > Some(60_000), "{map}");
        assert_eq!(map["memory_bytes"], 9_437_840, "{map}");
        for unknown in [
            "frozen",
            "refs",
            "count_method",
            "memory_exact",
            "pins",
            "holders",
        ] {
            assert!(map[unknown].is_null(), "{unknown}: {map}");
        }
    }
}

#[test]
fn a_dead_node_is_listed_with_the_age_of_its_numbers() {
    let (stays, dies) = (exporter("node-17.mrec"), exporter("node-17.mrec"));
    let (a, b) = (stays.address, dies.address);
    let server = Prometheus::start(&[a, b]);
    let url = server.url();
    wait_until("both are there", || count(&url, &[]) == 2 * OF_ONE);
    // The last scrape of a node is queried in steps of 15 seconds.
    thread::sleep(Duration::from_secs(16));
    drop(dies);
    wait_until("one is left", || count(&url, &[]) == OF_ONE);
    let report = report(&url, &[]);
    let nodes = report["nodes"].as_array().expect("nodes");
    let has_name = |name: String| {
        nodes
            .iter()
            .find(|node| node["name"] == *name)
            .expect("a node")
    };
    let (alive, dead) = (has_name(a.to_string()), has_name(b.to_string()));
    assert_eq!((&alive["up"], &dead["up"]), (&true.into(), &false.into()));
    let age = dead["age_s"].as_f64().expect("an age");
    assert!((0.0..60.0).contains(&age), "{age}");
    let message = ask(&url, &["--once"]).stderr;
    let message = String::from_utf8(message).expect("UTF-8");
    assert!(
        message.starts_with(&format!("mapstop: {b} is down; last seen ")),
        "{message}"
    );
}

#[test]
fn a_silent_node_is_down_before_its_series_end() {
    let (stays, ends) = (exporter("node-17.mrec"), exporter("node-17.mrec"));
    let (a, b) = (stays.address, ends.address);
    let mut server = Prometheus::start(&[a, b]);
    let url = server.url();
    wait_until("both are there", || count(&url, &[]) == 2 * OF_ONE);
    // The scrape interval is known after two steps of 15 seconds.
    thread::sleep(Duration::from_secs(20));
    // A server restarted without the target writes no staleness marker.
    server.stop();
    server.scrape(&[("mapstop", &[a], "")]);
    server.run();
    let is_up = |address: SocketAddr| {
        let report = report(&url, &[]);
        assert_eq!(maps(&report).len(), 2 * OF_ONE, "its last numbers stay");
        let mut nodes = report["nodes"].as_array().expect("nodes").iter();
        let node = nodes.find(|node| node["name"] == address.to_string());
        node.expect("a node")["up"] == true
    };
    wait_until("the first is heard of", || is_up(a));
    assert!(is_up(b), "it may still come");
    wait_until("it is down", || !is_up(b));
    assert!(is_up(a));
}

#[test]
fn the_server_limits_twenty_nodes_to_the_top_maps() {
    let exporters: Vec<_> = (0..20).map(|_| exporter("node-17.mrec")).collect();
    let addresses: Vec<_> = exporters.iter().map(|one| one.address).collect();
    let server = Prometheus::start(&addresses);
    let url = server.url();
    wait_until("all are there", || count(&url, &[]) == 20 * OF_ONE);
    // A forecast takes five samples over ten seconds.
    wait_until("all fill", || count(&url, &["-f", "mark:crit"]) == 20);
    let first = report(&url, &["--top", "40"]);
    assert_eq!(first["fleet_maps"], 400);
    let marks: Vec<_> = maps(&first).iter().map(|map| &map["mark"]).collect();
    assert!(marks[..20].iter().all(|mark| *mark == "crit"), "{marks:?}");
    assert!(marks[20..].iter().all(|mark| *mark == "warn"), "{marks:?}");
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for map in maps(&first) {
        *names
            .entry(map["name"].as_str().expect("a name"))
            .or_default() += 1;
    }
    assert_eq!(
        names,
        BTreeMap::from([("conn_track_v4", 20), ("pol_ep_02366", 20)])
    );
    let large = report(&url, &["--top", "5", "-s", "mem"]);
    assert!(maps(&large).iter().all(|map| map["name"] == "snat_v4_ext"));
    let one = format!("node:{} kind:evicting pressure>50", addresses[7]);
    let one = report(&url, &["--top", "5", "-f", &one]);
    let found: Vec<_> = maps(&one)
        .iter()
        .map(|map| (&map["node"], &map["name"]))
        .collect();
    assert_eq!(
        found,
        [(&addresses[7].to_string().into(), &"ct4_global".into())]
    );
}

#[test]
fn reports_survive_a_prometheus_restart() {
    let exporter = exporter("node-17.mrec");
    let mut server = Prometheus::start(&[exporter.address]);
    let url = server.url();
    wait_until("it is there", || count(&url, &[]) == OF_ONE);
    server.stop();
    let why = failure(&ask(&url, &["--once"]));
    assert!(
        why.contains("cannot ask") && why.contains("refused"),
        "{why}"
    );
    server.run();
    wait_until("it is there again", || {
        let output = ask(&url, &["-j"]);
        output.status.success() && output.stdout.len() > 5000
    });
}

#[test]
fn a_fleet_recording_replays_the_same() {
    let exporter = exporter("node-17.mrec");
    let server = Prometheus::start(&[exporter.address]);
    let url = server.url();
    wait_until("it is there", || count(&url, &[]) == OF_ONE);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("fleet.mrec.zst");
    let file = file.to_str().expect("a path");
    let seen = report(&url, &["--record", file]);
    let output = crate::parts::mapstop()
        .args(["--replay", file, "-j"])
        .output()
        .expect("mapstop");
    let again: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(again["maps"], seen["maps"]);
    assert_eq!(again["nodes"], seen["nodes"]);
}

#[test]
fn duplicate_series_give_each_map_once() {
    let (a, b) = (exporter("node-17.mrec"), exporter("node-17.mrec"));
    let labels = "machine: m1, owner: team-a";
    let server = Prometheus::start_jobs(
        &[
            ("mapstop", &[a.address, b.address], ""),
            ("again", &[a.address], labels),
        ],
        Vec::new(),
    );
    let url = server.url();
    let targets = || {
        server
            .query("count by (job, instance) (bpf_map_max_entries)")
            .len()
    };
    wait_until("all are there", || targets() == 3);
    let both = report(&url, &[]);
    assert_eq!(
        (maps(&both).len(), &both["fleet_maps"]),
        (2 * OF_ONE, &40.into())
    );
    // Also with --top.
    let first = report(&url, &["--top", "30"]);
    assert_eq!((maps(&first).len(), &first["fleet_maps"]), (30, &40.into()));
    // The same exporter, by another name; the others are called by their instance.
    let named = report(&url, &["--node-label", "machine", "-f", "id:3187"]);
    let mut nodes: Vec<_> = maps(&named)
        .iter()
        .map(|map| map["node"].as_str())
        .collect();
    nodes.sort_unstable();
    let [a, b] = [a, b].map(|one| one.address.to_string());
    let mut expected = [Some(&*a), Some(&*b), Some("m1")];
    expected.sort_unstable();
    assert_eq!(nodes, expected);
    for map in maps(&named) {
        assert_eq!(map["owner"], "flowd", "{map}");
        assert_eq!(map["memory_bytes"], 9_437_840, "{map}");
    }
}

#[test]
fn label_values_are_escaped_in_queries() {
    let server = Prometheus::start(&[]);
    for value in [
        "a}b",
        "a{b",
        "a\"b",
        "a\\b",
        "a]b",
        "a\u{fffd}b",
        "a'b",
        "é",
    ] {
        let quote = if value.contains('"') { '\'' } else { '"' };
        let quoted = format!("{quote}{value}{quote}");
        for filter in [format!("name:{quoted}"), format!("node={quoted} used>5")] {
            let output = ask(&server.url(), &["--once", "-f", &filter]);
            assert!(output.status.success(), "{filter}: {output:?}");
        }
    }
}
