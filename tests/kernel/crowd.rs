//! Many maps, and maps that are created and deleted meanwhile.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use libbpf_rs::MapType;
use mapstop::types::snapshot::Snapshot;

use crate::limits::may_open;
use crate::support::{create, id_of, kernel, sample};

/// The maps of the snapshot that are in `ours`, in its order.
fn seen(snapshot: &Snapshot, ours: &BTreeSet<u32>) -> Vec<u32> {
    let ids = snapshot.maps.iter().map(|facts| facts.key.id.0);
    ids.filter(|id| ours.contains(id)).collect()
}

fn is_sorted_without_doubles(snapshot: &Snapshot) -> bool {
    snapshot.maps.is_sorted_by(|a, b| a.key < b.key)
}

#[test]
fn five_thousand_maps_are_listed_once_and_sorted() {
    if !may_open(6000) {
        return;
    }
    let maps: Vec<_> = (0..5000)
        .map(|number| create(MapType::Hash, &format!("crowd_{number}"), (4, 8), 1))
        .collect();
    let ours: BTreeSet<u32> = maps.iter().map(id_of).collect();
    assert_eq!(ours.len(), 5000);
    let snapshot = sample(&mut kernel());
    assert_eq!(seen(&snapshot, &ours), Vec::from_iter(ours.clone()));
    assert!(is_sorted_without_doubles(&snapshot));
    let mut names = snapshot
        .maps
        .iter()
        .filter(|facts| ours.contains(&facts.key.id.0));
    assert!((0..5000).all(|number| {
        names
            .next()
            .is_some_and(|facts| facts.name == format!("crowd_{number}"))
    }));
}

#[test]
fn remaining_maps_are_listed_once_while_others_change() {
    if !may_open(6000) {
        return;
    }
    let new = |name: &str| create(MapType::Array, name, (4, 8), 1);
    let mut stable = Vec::new();
    let mut gone = Vec::new();
    // Maps between the remaining ones are deleted.
    for _ in 0..600 {
        stable.push(new("stays"));
        gone.push(new("goes"));
    }
    drop(gone);
    let ours: BTreeSet<u32> = stable.iter().map(id_of).collect();
    let expected = Vec::from_iter(ours.clone());
    let done = AtomicBool::new(false);
    let mut kernel = kernel();
    let mut passers_by = BTreeSet::new();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let maps: Vec<_> = (0..40).map(|_| new("passes_by")).collect();
                    drop(maps);
                }
            });
        }
        for _ in 0..200 {
            let snapshot = sample(&mut kernel);
            let is_right =
                seen(&snapshot, &ours) == expected && is_sorted_without_doubles(&snapshot);
            passers_by.extend(
                snapshot
                    .maps
                    .iter()
                    .filter(|facts| facts.name == "passes_by")
                    .map(|facts| facts.key.id),
            );
            if !is_right {
                done.store(true, Ordering::Relaxed);
            }
            assert!(
                is_right,
                "{} of {}",
                seen(&snapshot, &ours).len(),
                expected.len()
            );
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(
        passers_by.len() > 200,
        "only {} came and went",
        passers_by.len()
    );
}
