//! Losses caused by BPF programs: every program of `overfill.bpf.c`.

use libbpf_rs::{MapCore, MapFlags, MapHandle};
use serde_json::{Value, json};

use crate::mapstop::Mapstop;
use crate::overfill::Overfill;
use crate::{is_cause_known, is_guest, is_traceable, loss, support};

/// The expected loss of a map.
#[derive(Clone, Copy)]
enum Loses {
    /// This many updates, with this errno.
    Updates(u32, &'static str),
    /// As many entries as were inserted and are missing.
    Entries(u32),
    /// This many records.
    Records(u32),
}
use Loses::{Entries, Records, Updates};

/// A map, the program that overfills it, the expected loss, and the kernel functions that have to be
/// traceable to observe it.
type Case = (&'static str, &'static str, Loses, &'static [&'static str]);

#[rustfmt::skip]
const CASES: [Case; 11] = [
    ("hash",         "fill_hash",       Updates(31, "E2BIG"),  &["htab_map_update_elem"]),
    ("hash_grown",   "fill_grown",      Updates(37, "E2BIG"),  &["htab_map_update_elem"]),
    ("percpu",       "fill_percpu",     Updates(41, "E2BIG"),  &["htab_percpu_map_update_elem", "bpf_percpu_hash_update"]),
    ("lru",          "fill_lru",        Entries(400),          &["htab_lru_map_update_elem", "htab_lru_map_delete_node"]),
    ("lru_percpu",   "fill_lru_percpu", Entries(450),          &["__htab_lru_percpu_map_update_elem", "htab_lru_map_delete_node"]),
    ("trie",         "fill_trie",       Updates(43, "ENOSPC"), &["trie_update_elem"]),
    ("queue",        "fill_queue",      Updates(47, "E2BIG"),  &["queue_stack_map_push_elem"]),
    ("stack",        "fill_stack",      Updates(53, "E2BIG"),  &["queue_stack_map_push_elem"]),
    ("ring_reserve", "fill_reserve",    Records(59),           &RING),
    ("ring_output",  "fill_output",     Records(61),           &RING),
    ("ring_dynptr",  "fill_dynptr",     Records(67),           &RING),
];

/// Writing to a ring buffer uses either of these.
const RING: [&str; 2] = ["bpf_ringbuf_reserve", "bpf_ringbuf_output"];

fn entries(map: &MapHandle) -> u32 {
    u32::try_from(map.keys().count()).expect("not so many")
}

/// The expected loss of a map in a report, with its program if that is known here.
fn expected(map: &MapHandle, case: &Case) -> Value {
    let (_, program, loses, functions) = case;
    let mut expected = json!({
        "watched": true, "reason": null, "failed_updates": null, "by_errno": null,
        "evictions": null, "drops": null, "culprit": {"program": {"name": program}},
    });
    if !is_traceable(functions) {
        expected["culprit"] = Value::Null;
        // For some types only updates by bpf(2) are traced, and there were none.
        let is_seen_in_part =
            matches!(loses, Updates(..)) && is_traceable(&["bpf_map_update_value"]);
        if is_seen_in_part {
            expected["failed_updates"] = 0.into();
            expected["by_errno"] = json!({});
            expected["reason"] = "updates by BPF programs are not seen".into();
        } else {
            expected["watched"] = false.into();
            expected["reason"] = "this kernel ".into();
        }
        return expected;
    }
    match *loses {
        Updates(count, errno) => {
            expected["failed_updates"] = count.into();
            expected["by_errno"] = json!({errno: count});
        }
        Entries(count) => {
            expected["failed_updates"] = 0.into();
            expected["by_errno"] = json!({});
            expected["evictions"] = (count - entries(map)).into();
        }
        Records(count) => {
            expected["drops"] = count.into();
            return expected;
        }
    }
    // It might have been a process as well.
    if !is_cause_known() {
        expected["culprit"] = Value::Null;
    }
    expected
}

/// Keeps the expected fields of a loss, and the expected beginning of its reason.
fn comparable(loss: &Value, expected: &Value) -> Value {
    let mut comparable = loss.clone();
    let fields = comparable.as_object_mut().expect("a loss");
    fields.retain(|name, _| expected.get(name).is_some());
    let program = comparable.pointer_mut("/culprit/program");
    if let Some(program) = program.and_then(Value::as_object_mut) {
        program.remove("id");
    }
    if let (Some(reason), Some(begin)) = (loss["reason"].as_str(), expected["reason"].as_str())
        && reason.starts_with(begin)
    {
        comparable["reason"] = begin.into();
    }
    comparable
}

#[test]
fn every_loss_by_a_program_is_counted() {
    if !is_guest() {
        return;
    }
    let names = CASES.map(|(map, ..)| map);
    let programs = CASES.map(|(_, program, ..)| program);
    let mut overfill = Overfill::load(&names, &programs);
    let mut mapstop = Mapstop::start(&["--losses"]);
    mapstop.until(|report| report["losses_state"] == "on");
    let mut run = Vec::new();
    for case in &CASES {
        let (map, program, loses, _) = case;
        let Some((refused, _)) = overfill.run(program) else {
            println!("{map}: this kernel does not have what {program} calls");
            continue;
        };
        // The program got the same number from the kernel.
        let refusals = match *loses {
            Updates(count, _) | Records(count) => count,
            Entries(_) => 0,
        };
        assert_eq!(refused, refusals, "{program}");
        run.push((overfill.map(map), case));
    }
    assert!(run.len() >= CASES.len() - 1);
    let report = mapstop.report_of_now();
    let mut wrong = Vec::new();
    for (map, case) in run {
        let expected = expected(&map, case);
        let loss = loss(&report, map.info().expect("info").info.id);
        if comparable(loss, &expected) != expected {
            wrong.push(format!("{}: {loss}, not {expected}", case.0));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_stack_id_collision_is_a_refused_update() {
    if !is_guest() {
        return;
    }
    let mut overfill = Overfill::load(&["stacks"], &["keep_stack"]);
    let mut mapstop = Mapstop::start(&["--losses"]);
    mapstop.until(|report| report["losses_state"] == "on");
    // The first stack is stored; the others collide with it.
    let stacks = (0..24).map(|n| overfill.keep_stack(n % 4));
    let collisions = stacks.filter(|place| *place == -17).count();
    assert_eq!(collisions, 18);
    let id = support::id(&overfill.map("stacks")).parse();
    let report = mapstop.report_of_now();
    let loss = loss(&report, id.expect("a number"));
    if is_traceable(&["bpf_get_stackid"]) {
        assert_eq!(loss["by_errno"], json!({"EEXIST": 18}), "{loss}");
        assert_eq!(loss["culprit"]["program"]["name"], "keep_stack", "{loss}");
    } else {
        assert_eq!(loss["failed_updates"], Value::Null, "{loss}");
        assert!(loss["reason"].is_string(), "{loss}");
    }
}

/// The loopback device, in every network namespace.
const LOOPBACK: u32 = 1;

#[test]
fn failed_redirects_are_drops() {
    if !is_guest() {
        return;
    }
    let mut overfill = Overfill::load(&["devices"], &["send_on"]);
    let devices = overfill.map("devices");
    let slot = devices.update(&[0; 4], &LOOPBACK.to_ne_bytes(), MapFlags::ANY);
    slot.expect("a slot");
    let mut mapstop = Mapstop::start(&["--losses"]);
    mapstop.until(|report| report["losses_state"] == "on");
    if !overfill.send("send_on", 29) {
        println!("not tested: this kernel runs no program on frames that are sent on");
        return;
    }
    let id = devices.info().expect("info").info.id;
    let report = mapstop.report_of_now();
    assert_eq!(loss(&report, id)["drops"], 29, "{}", loss(&report, id));
}
