//! Losses on kernels that can be traced, with numbers that are known beforehand.
//!
//! These tests are meant for guests, where nothing else makes maps or loads programs: `make guests`
//! boots one for each of some kernels and runs them there, one at a time. Elsewhere only one of
//! them tests something: the message where the kernel refuses tracers.

use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::Func;
use serde_json::Value;

use mapstop::Mapstop;
use overfill::Overfill;
use traces::Everything;

#[path = "../support/mod.rs"]
mod support;

mod by_program;
mod by_system_call;
mod cost;
mod exit;
mod export;
mod free;
mod mapstop;
mod matrix;
mod overfill;
mod terminal;
mod traces;

/// Whether this is a guest started by `tests/guests/run`, clean of earlier tests; prints a note if not.
fn is_guest() -> bool {
    let is_guest = std::env::var_os("MAPSTOP_GUEST").is_some();
    if is_guest {
        Everything::default().is_all();
    } else {
        println!("not tested: meant for guests, see make guests");
    }
    is_guest
}

/// Whether each of these functions of the kernel can be traced: it is on its list of such, and its
/// arguments are known.
fn is_traceable(functions: &[&str]) -> bool {
    let list = "/sys/kernel/tracing/available_filter_functions";
    let list = std::fs::read_to_string(list).expect("tracefs");
    let types = Btf::from_vmlinux().expect("BTF");
    functions.iter().all(|function| {
        let is_listed = list.lines().any(|line| line == *function);
        is_listed && types.type_by_name::<Func>(function).is_some()
    })
}

/// Whether a tracer can read the system call of a process (Linux 5.15). Without that a loss by a
/// process cannot be distinguished from one by a program.
fn is_cause_known() -> bool {
    let types = Btf::from_vmlinux().expect("BTF");
    types.type_by_name::<Func>("bpf_task_pt_regs").is_some()
}

/// A map in a report.
fn find_map(report: &Value, id: u32) -> &Value {
    let maps = report["maps"].as_array().expect("maps");
    let map = maps.iter().find(|map| map["id"] == id);
    map.unwrap_or_else(|| panic!("no map {id}"))
}

/// The losses of a map in a report.
fn loss(report: &Value, id: u32) -> &Value {
    &find_map(report, id)["loss"]
}

const WORDS: &str = "mapstop: losses cannot be watched: this kernel refuses BPF trampolines; \
                     `mapstop doctor` lists what can be watched\n";

#[test]
fn reports_without_losses_where_tracers_are_refused() {
    if Overfill::can_trace() {
        println!("not tested: this kernel takes tracers");
        return;
    }
    let map = support::create_hash("not_watched", 3, 10);
    let (id, refused) = (support::id(&map), Some(1));
    let watch = ["--once", "-d", "0.2", "--losses", "-j", "-m", &id];
    let judge = [&watch[..], &["--fail-on", "loss"]].concat();
    for (arguments, code) in [(&watch[..], Some(0)), (&judge, refused)] {
        let output = Mapstop::run(arguments);
        assert_eq!(String::from_utf8_lossy(&output.stderr), WORDS);
        assert_eq!(output.status.code(), code);
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert_eq!(report["losses_state"], "refused");
        assert_eq!(report["maps"][0]["used"], 3);
        let loss = &report["maps"][0]["loss"];
        assert_eq!(loss["watched"], false);
        assert_eq!(loss["failed_updates"], Value::Null);
        assert!(loss["reason"].is_string(), "{loss}");
    }
}
