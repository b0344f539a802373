use super::*;

const ATTACHED: Outcome = Outcome::Attached(Duration::from_secs(7));

fn types(list: &[MapType]) -> MapTypeSet {
    let mut types = MapTypeSet::default();
    for map_type in list {
        types.insert(*map_type);
    }
    types
}

/// The outcomes for these types, on a kernel where some targets have other outcomes.
fn attach(list: &[MapType], others: &[(&str, Outcome)]) -> Vec<Outcome> {
    let on_kernel = |target| {
        let other = others.iter().find(|(name, _)| *name == target);
        other.map_or(ATTACHED, |(_, outcome)| outcome.clone())
    };
    let mut outcomes: Vec<_> = TRACERS
        .iter()
        .map(|tracer| match on_kernel(tracer.target) {
            Outcome::Missing => Outcome::Missing,
            _ => Outcome::Untried,
        })
        .collect();
    while let Some(at) = next_wanted(types(list), &outcomes) {
        outcomes[at] = on_kernel(TRACERS[at].target);
    }
    outcomes
}

fn attached(outcomes: &[Outcome]) -> Vec<&'static str> {
    let both = TRACERS.iter().zip(outcomes);
    both.filter(|(_, outcome)| **outcome == ATTACHED)
        .map(|(tracer, _)| tracer.target)
        .collect()
}

fn refused(why: &'static str) -> Outcome {
    Outcome::Refused(RefusedReason::NoCounters(why.into()))
}

#[test]
fn tracers_have_unique_names_and_a_type() {
    for (at, tracer) in TRACERS.iter().enumerate() {
        assert!(!tracer.types.is_empty());
        let others = &TRACERS[at + 1..];
        assert!(others.iter().all(|other| other.program != tracer.program));
    }
}

#[test]
fn traceable_types_are_those_with_a_tracer() {
    for map_type in MapType::all() {
        assert_eq!(
            is_traced(map_type),
            map_type.is_loss_traceable(),
            "{map_type}"
        );
    }
}

#[test]
fn only_tracers_of_present_types_are_attached() {
    assert_eq!(attached(&attach(&[MapType::ARRAY], &[])), [""; 0]);
    assert_eq!(
        attached(&attach(&[MapType::ARRAY, MapType::HASH], &[])),
        ["htab_map_update_elem"]
    );
    assert_eq!(
        attached(&attach(&[MapType::LRU_HASH], &[])),
        ["htab_lru_map_update_elem", "htab_lru_map_delete_node"]
    );
    assert_eq!(
        attached(&attach(&[MapType::LPM_TRIE], &[])),
        ["trie_update_elem"]
    );
}

#[test]
fn a_substitute_tracer_covers_a_part() {
    let outcomes = attach(
        &[MapType::LPM_TRIE],
        &[("trie_update_elem", refused("it is busy"))],
    );
    assert_eq!(attached(&outcomes), ["bpf_map_update_value"]);
    let seen = coverage(MapType::LPM_TRIE, &outcomes).expect("tracers");
    assert!(seen.failed && seen.counts_any());
    assert_eq!(
        seen.reason.as_deref(),
        Some("updates by BPF programs are not counted: it is busy")
    );
    assert_eq!(
        coverage_note(types(&[MapType::LPM_TRIE]), &outcomes).as_deref(),
        Some("only partly observable: lpm_trie")
    );
}

#[test]
fn without_a_substitute_nothing_is_observed() {
    let others = [
        ("trie_update_elem", refused("it is busy")),
        ("bpf_map_update_value", Outcome::Missing),
    ];
    let outcomes = attach(&[MapType::LPM_TRIE, MapType::HASH], &others);
    let seen = coverage(MapType::LPM_TRIE, &outcomes).expect("tracers");
    assert!(!seen.counts_any());
    assert_eq!(seen.reason.as_deref(), Some("it is busy"));
    assert_eq!(
        coverage_note(types(&[MapType::LPM_TRIE, MapType::HASH]), &outcomes).as_deref(),
        Some("not observable here: lpm_trie")
    );
}

#[test]
fn a_missing_function_is_named() {
    let outcomes = attach(
        &[MapType::STACK_TRACE],
        &[("bpf_get_stackid", Outcome::Missing)],
    );
    let seen = coverage(MapType::STACK_TRACE, &outcomes).expect("tracers");
    assert_eq!(
        seen.reason.as_deref(),
        Some("this kernel has no bpf_get_stackid")
    );
}

#[test]
fn helpers_newer_than_the_kernel_are_not_missed() {
    let missing = [("bpf_ringbuf_reserve_dynptr", Outcome::Missing)];
    let seen = coverage(MapType::RINGBUF, &attach(&[MapType::RINGBUF], &missing)).expect("tracers");
    assert_eq!((seen.drops, seen.reason), (true, None));
}

#[test]
fn one_of_two_tracers_is_a_part() {
    let busy = [("bpf_percpu_hash_update", refused("it is busy"))];
    let seen = coverage(
        MapType::PERCPU_HASH,
        &attach(&[MapType::PERCPU_HASH], &busy),
    )
    .expect("tracers");
    assert_eq!(seen.reason.as_deref(), Some("it is busy"));
    assert!(seen.failed);
}

#[test]
fn each_type_has_its_own_loss_paths() {
    let seen = |map_type| {
        let seen = coverage(map_type, &attach(&[map_type], &[])).expect("tracers");
        (seen.failed, seen.evictions, seen.drops)
    };
    assert_eq!(seen(MapType::HASH), (true, false, false));
    assert_eq!(seen(MapType::LRU_HASH), (true, true, false));
    assert_eq!(seen(MapType::RINGBUF), (false, false, true));
    assert_eq!(seen(MapType::CPUMAP), (false, false, true));
    assert_eq!(seen(MapType::DEVMAP_HASH), (true, false, true));
    assert_eq!(
        coverage(MapType::ARRAY, &attach(&[MapType::ARRAY], &[])),
        None
    );
}

#[test]
fn losses_count_from_the_last_attached_tracer() {
    let later = Outcome::Attached(Duration::from_secs(9));
    let outcomes = attach(&[MapType::LRU_HASH], &[("htab_lru_map_delete_node", later)]);
    let seen = coverage(MapType::LRU_HASH, &outcomes).expect("tracers");
    assert_eq!(seen.since, Some(Duration::from_secs(9)));
}

#[test]
fn a_devmap_is_observed_by_its_redirects_only() {
    let reason = |map_type| {
        coverage(map_type, &attach(&[map_type], &[]))
            .expect("tracers")
            .reason
    };
    let after = "drops after the redirect are not counted";
    assert_eq!(reason(MapType::DEVMAP_HASH).as_deref(), Some(after));
    assert_eq!(reason(MapType::CPUMAP), None);
}

#[test]
fn losses_are_unknown_while_tracers_are_attached() {
    assert_eq!(
        coverage(MapType::LRU_HASH, &attach(&[MapType::HASH], &[])),
        None
    );
}

#[test]
fn unknown_types_are_not_in_the_set() {
    let set = types(&[MapType::HASH, MapType::RINGBUF, MapType(64), MapType(99)]);
    let list: Vec<_> = set.union(types(&[MapType::ARRAY])).iter().collect();
    assert_eq!(list, [MapType::HASH, MapType::ARRAY, MapType::RINGBUF]);
    assert!(
        set.has_any(&[BpfMapType::Stack, BpfMapType::RingBuf])
            && !set.has_any(&[BpfMapType::Stack])
    );
}

#[test]
fn types_that_can_be_watched_are_those_with_a_tracer() {
    for map_type in MapType::all() {
        assert_eq!(
            is_traced(map_type),
            map_type.is_loss_traceable(),
            "{map_type}"
        );
    }
}
