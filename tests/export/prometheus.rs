//! A real Prometheus that scrapes the exporter: values, series that end, and every expression of the
//! dashboard and the alerts.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::contrib;
use crate::numbers::{self, OWNER};
use crate::support::exporter::Exporter;
use crate::support::prometheus::{Prometheus, wait_until};
use crate::support::{add, create_hash, id};

/// Every expression of the dashboard, with its variables set to what shows all.
fn dashboard() -> Vec<String> {
    let text = fs::read_to_string(contrib("grafana/mapstop.json")).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().expect("targets"));
    targets
        .map(|target| {
            let expr = target["expr"].as_str().expect("an expression");
            let expr = expr
                .replace("$__rate_interval", "30s")
                .replace("$job", "mapstop")
                .replace("$instance", ".*")
                .replace("$name", ".*");
            assert!(!expr.contains('$'), "{expr}");
            expr
        })
        .collect()
}

/// Every expression of the alerts, as Prometheus reads them.
fn alerts(rules: &str) -> Vec<String> {
    let mut exprs = Vec::new();
    let mut lines = rules.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(expr) = line.trim_start().strip_prefix("expr: ") else {
            continue;
        };
        if expr != ">-" {
            exprs.push(expr.to_owned());
            continue;
        }
        let depth = |line: &str| line.len() - line.trim_start().len();
        let mut folded = String::new();
        while let Some(more) = lines.next_if(|next| depth(next) > depth(line)) {
            folded += more.trim();
            folded.push(' ');
        }
        exprs.push(folded);
    }
    exprs
}

/// No server listens on this port.
fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address")
}

#[test]
fn every_expression_of_dashboard_and_alerts_finds_data() {
    let exporter = Exporter::start(&[]);
    let full = create_hash("exp_near_full", 95, 100);
    let growing = create_hash("exp_growing", 600, 1000);
    let becomes_full = create_hash("exp_becomes_full", 4, 5);
    let server = Prometheus::start(&[exporter.address, numbers::serve(), closed_port()]);
    let rules = fs::read_to_string(contrib("prometheus/mapstop.rules.yml")).expect("the rules");
    let alerts = alerts(&rules);
    assert_eq!(alerts.len(), rules.matches("- alert:").count());
    let mut waiting: Vec<_> = dashboard().into_iter().chain(alerts).collect();
    assert!(waiting.len() > 20, "{waiting:?}");
    let start = Instant::now();
    // Ten seconds of growth until there is a forecast.
    for key in 1000..1390 {
        add(&growing, key);
        // It was scraped before.
        if key == 1100 {
            add(&becomes_full, key);
        }
        thread::sleep(Duration::from_millis(100));
        if key % 20 == 0 {
            waiting.retain(|expr| server.query(expr).is_empty());
            if waiting.is_empty() {
                break;
            }
        }
    }
    assert!(
        waiting.is_empty(),
        "after {:?}: {waiting:#?}",
        start.elapsed()
    );
    let near = "bpf_map_pressure_ratio >= 0.9 and on (id, instance) bpf_map_info{kind=\"bounded\"}";
    let found = server.query(near);
    assert!(found.iter().any(|(labels, value)| {
        labels["name"] == "exp_near_full" && labels["id"] == id(&full) && *value > 0.94
    }));
}

#[test]
fn prometheus_has_the_numbers_of_a_report() {
    let maps = [
        create_hash("exp_same_1", 40, 100),
        create_hash("exp_same_2", 0, 7),
        create_hash("", 3, 5),
    ];
    let exporter = Exporter::start(&[]);
    let server = Prometheus::start(&[exporter.address]);
    let ids = maps.each_ref().map(id);
    let count = |id: &String| server.query(&format!("bpf_map_used{{id=\"{id}\"}}")).len();
    wait_until("all are there", || ids.iter().all(|id| count(id) == 1));
    let report = Command::new(env!("CARGO_BIN_EXE_mapstop"))
        .args(["--once", "-j"])
        .output()
        .expect("a report");
    let report: Value = serde_json::from_slice(&report.stdout).expect("JSON");
    let reported = report["maps"].as_array().expect("maps");
    for id in &ids {
        let has_id = |map: &&Value| map["id"] == id.parse::<u64>().expect("a number");
        let map = reported.iter().find(has_id).expect("the map");
        for (series, field) in [
            ("bpf_map_used", "used"),
            ("bpf_map_capacity", "capacity"),
            ("bpf_map_max_entries", "max_entries"),
            ("bpf_map_pressure_ratio", "pressure"),
            ("bpf_map_memory_bytes", "memory_bytes"),
        ] {
            let found = server.query(&format!("{series}{{id=\"{id}\"}}"));
            let [(labels, value)] = found.as_slice() else {
                panic!("{series}: {found:?}")
            };
            assert_eq!(Some(*value), map[field].as_f64(), "{series}");
            assert_eq!(labels["type"], map["type"]);
            // An empty label is the same as a missing one.
            let name = labels["name"].as_str().unwrap_or_default();
            assert_eq!(name, map["name"]);
        }
        let info = server.query(&format!("bpf_map_info{{id=\"{id}\"}}"));
        for (label, field) in [
            ("kind", "kind"),
            ("key_bytes", "key_bytes"),
            ("value_bytes", "value_bytes"),
        ] {
            let label_value = info[0].0[label].as_str().expect("a label");
            assert_eq!(
                label_value,
                map[field].to_string().trim_matches('"'),
                "{label}"
            );
        }
    }
    let [first, second, third] = maps;
    drop(first);
    let gone = &ids[0];
    wait_until("it is gone", || count(gone) == 0);
    assert_eq!(count(&ids[1]), 1);
    drop((second, third));
}

#[test]
fn labels_survive_a_round_trip() {
    let server = Prometheus::start(&[numbers::serve()]);
    let owners = || server.query("bpf_map_info{name=\"lossy\"}");
    wait_until("it is scraped", || !owners().is_empty());
    // Both formats, one after the other.
    for _ in 0..3 {
        let found = owners();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0["owner"], OWNER);
        thread::sleep(Duration::from_secs(1));
    }
    let is_up = || {
        server
            .query("min_over_time(up[5s])")
            .iter()
            .all(|(_, up)| *up > 0.5)
    };
    assert!(is_up());
}
