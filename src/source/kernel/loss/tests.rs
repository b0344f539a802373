//! The state of tracing, by what became of the tracers.

use super::*;
use registry::{Hook, Outcome, TRACERS};

const ATTACHED: Outcome = Outcome::Attached(Duration::from_secs(7));

fn types(names: &[&str]) -> MapTypeSet {
    let mut types = MapTypeSet::default();
    for name in names {
        types.insert(MapType::from_name(name).expect("a type"));
    }
    types
}

fn no_trampolines() -> Outcome {
    Outcome::Refused(RefusedReason::NoTrampolines)
}

fn cannot_attach(target: &'static str) -> Outcome {
    Outcome::Refused(RefusedReason::CannotAttach {
        target,
        errno: " (EBUSY)".to_owned(),
    })
}

/// The state with maps of these types, while the worker is on, and these outcomes by hook and target.
fn state(names: &[&str], outcome: impl Fn(Hook, &'static str) -> Outcome) -> LossTracing {
    let outcomes = TRACERS.iter().map(|t| outcome(t.hook, t.target)).collect();
    let progress = Progress {
        phase: TracingPhase::On {
            since: Duration::from_secs(7),
            base: Arc::default(),
        },
        outcomes,
        ..Progress::default()
    };
    let counters = LossCounters::default();
    tracing_state(types(names), Some(&counters), 0, &progress)
}

#[test]
fn no_tracer_attached_is_refused_whatever_the_reason() {
    // As on arm64 once: tracers of functions load, and none can be attached.
    let tracing = state(&["hash", "array"], |hook, _| match hook {
        Hook::Function => no_trampolines(),
        Hook::Tracepoint => Outcome::Untried,
    });
    let why = "this kernel refuses BPF trampolines";
    assert_eq!((tracing.name(), tracing.note()), ("refused", Some(why)));

    // Every function that is wanted has a reason of its own.
    let tracing = state(&["hash", "lru_hash"], |_, target| match target {
        "htab_map_update_elem" | "htab_lru_map_update_elem" | "htab_lru_map_delete_node" => {
            cannot_attach(target)
        }
        _ => Outcome::Untried,
    });
    let why = "this kernel does not allow tracing htab_map_update_elem (EBUSY)";
    assert_eq!((tracing.name(), tracing.note()), ("refused", Some(why)));
}

#[test]
fn only_tracepoints_attached_is_part() {
    for why in [no_trampolines(), cannot_attach("htab_map_update_elem")] {
        let tracing = state(&["hash", "devmap"], |hook, target| match (hook, target) {
            (Hook::Tracepoint, _) => ATTACHED,
            (Hook::Function, "htab_map_update_elem") => why.clone(),
            (Hook::Function, _) => Outcome::Untried,
        });
        assert_eq!(tracing.name(), "part");
        let note = tracing.note().expect("why");
        assert!(
            note.starts_with("only XDP redirects are counted; this kernel "),
            "{note}"
        );
    }
}

#[test]
fn a_type_that_is_refused_later_leaves_nothing_or_the_others() {
    // There was no map that could lose anything at first.
    let before = state(&["array"], |_, _| Outcome::Untried);
    assert_eq!((before.name(), before.note()), ("on", None));
    let after = state(&["array", "hash"], |hook, _| match hook {
        Hook::Function => no_trampolines(),
        Hook::Tracepoint => Outcome::Untried,
    });
    assert_eq!(after.name(), "refused");

    // One function has too many arguments; another is traced.
    let tracing = state(&["hash", "sk_storage"], |_, target| match target {
        "htab_map_update_elem" => ATTACHED,
        "bpf_local_storage_update" => cannot_attach(target),
        _ => Outcome::Untried,
    });
    let note = Some("not observable here: sk_storage");
    assert_eq!((tracing.name(), tracing.note()), ("on", note));

    // A policy came into force after the first tracer was attached.
    let tracing = state(&["hash", "lru_hash"], |_, target| match target {
        "htab_map_update_elem" => ATTACHED,
        _ => no_trampolines(),
    });
    assert_eq!(tracing.name(), "on");
    assert_eq!(tracing.note(), Some("not observable here: lru_hash"));
}

#[test]
fn what_a_kernel_lacks_is_named() {
    let tracing = state(&["hash", "ringbuf"], |_, target| match target {
        "htab_map_update_elem" => ATTACHED,
        _ => Outcome::Missing,
    });
    let note = Some("not observable here: ringbuf");
    assert_eq!((tracing.name(), tracing.note()), ("on", note));
}
