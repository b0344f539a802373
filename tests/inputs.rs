//! Every parser of outside bytes accepts or rejects any input: the fuzz targets (`fuzz/`) with the
//! corpus, the damaged corpus, and random bytes.

use std::fs;
use std::path::Path;

use mapstop::test_util::inputs::{INPUTS, Input};
use proptest::prelude::*;
use proptest::sample::Index;

/// The seeds of an input, by name.
fn corpus(input: &Input) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(input.name);
    let entries = fs::read_dir(&folder).expect("a corpus");
    let mut seeds: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let bytes = fs::read(&path).expect("a seed");
            (path.display().to_string(), bytes)
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{}", folder.display());
    seeds
}

#[test]
fn every_seed_is_read() {
    for input in &INPUTS {
        for (name, seed) in corpus(input) {
            // A panic message does not name the seed.
            println!("{name}");
            (input.read)(&seed);
        }
    }
}

#[test]
fn every_input_has_a_target_and_every_target_a_corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).expect("a folder");
        let stem = |entry: fs::DirEntry| {
            let path = entry.path();
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
        };
        let mut names: Vec<_> = entries.filter_map(|entry| stem(entry.ok()?)).collect();
        names.sort();
        names
    };
    let mut inputs = INPUTS.map(|input| input.name);
    inputs.sort_unstable();
    assert_eq!(names("fuzz_targets"), inputs);
    assert_eq!(names("corpus"), inputs);
}

/// A change to the bytes at an offset.
#[derive(Debug, Clone)]
enum Damage {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index),
    Repeat(Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        2 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..9))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Damage::Repeat(a, b)),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let place = |at: &Index| at.index(bytes.len() + 1);
        match damage {
            Damage::Set(at, byte) => {
                let at = place(at);
                if let Some(there) = bytes.get_mut(at) {
                    *there = *byte;
                }
            }
            Damage::Insert(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more.iter().copied());
            }
            Damage::Cut(at) => bytes.truncate(place(at)),
            Damage::Repeat(a, b) => {
                let (a, b) = (place(a), place(b));
                let again = bytes[a.min(b)..a.max(b)].to_vec();
                bytes.extend(again);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        for input in &INPUTS {
            (input.read)(&bytes);
        }
    }

    #[test]
    fn damaged_seeds_are_read_or_refused(
        seed: Index,
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        for input in &INPUTS {
            let mut seeds = corpus(input);
            let (_, seed) = seeds.swap_remove(seed.index(seeds.len()));
            (input.read)(&damaged(seed, &damages));
        }
    }
}
