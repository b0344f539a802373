//! Maps that are too large for one read.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};

use libbpf_rs::MapHandle;
use mapstop::source::Source;
use mapstop::source::kernel::Kernel;
use mapstop::text::count_note::count_note;
use rustix::fs::{Mode, OFlags, openat};

use crate::support::{id_of, kernel, mount, sample_map, zoo};
use crate::zoo::{Zoo, put, take};

/// More slots than one sample scans, and not a power of two.
const SLOTS: u32 = 50_000;

/// A zoo of this map, enlarged, and the one that its program needs.
fn large(name: &str) -> (Zoo, MapHandle) {
    let zoo = Zoo::load(|map| {
        let is_it = map.name() == name;
        (is_it && map.set_max_entries(SLOTS).is_ok()) || (!is_it && map.name() == "stack_traces")
    });
    let zoo = zoo.expect("the zoo loads");
    let map = zoo.map(name).expect("it was chosen");
    (zoo, map)
}

/// Samples until the map is counted, at most as often as its windows and those of other tests need.
/// Returns how often it was not.
fn samples_until_counted(kernel: &mut Kernel, map: &MapHandle, used: u64) -> usize {
    for unknown in 0..100 {
        let facts = sample_map(kernel, id_of(map));
        let note = count_note(&facts.count).expect("it is seen in parts");
        if facts.used.is_some() {
            assert_eq!(facts.used, Some(used), "{note}");
            assert!(note.starts_with("scanned"), "{note}");
            return unknown;
        }
        assert!(note.starts_with("count not complete: "), "{note}");
    }
    panic!("not counted after 100 samples");
}

#[test]
fn a_large_prog_array_is_unknown_until_fully_scanned() {
    let (mut zoo, map) = large("jmp_table");
    let program = zoo.program("keep_stack").expect("a program to put in");
    let program = program.as_fd().as_raw_fd();
    // The first and the last slot of the map and of windows, and some between.
    let slots = [
        0,
        1,
        63,
        16_383,
        16_384,
        16_385,
        32_767,
        32_768,
        49_151,
        49_152,
        SLOTS - 1,
    ];
    for slot in slots {
        put(&map, slot, program.cast_unsigned()).expect("a slot");
    }
    let mut kernel = kernel();
    assert!(samples_until_counted(&mut kernel, &map, slots.len() as u64) >= 2);
    // Later changes are found, too.
    take(&map, 16_384).expect("it was set");
    let is_seen = |kernel: &mut Kernel| sample_map(kernel, id_of(&map)).used == Some(10);
    assert!((0..100).any(|_| is_seen(&mut kernel)));
}

#[test]
fn a_large_stack_trace_is_counted_over_all_its_buckets() {
    let (mut zoo, map) = large("stack_traces");
    let stacks = zoo.fill("stack_traces", 9).expect("some stacks");
    let stacks = stacks.expect("a number");
    assert!(stacks > 0);
    let mut kernel = kernel();
    assert!(samples_until_counted(&mut kernel, &map, stacks) >= 2);
}

#[test]
fn counting_ends() {
    let (_zoo, _map) = large("jmp_table");
    let mut kernel = kernel();
    kernel.sample().expect("a sample");
    assert!(kernel.still_counting() > 0);
    for _ in 0..1000 {
        kernel.sample().expect("a sample");
        if kernel.still_counting() == 0 {
            return;
        }
    }
    panic!("still counting after a thousand samples");
}

/// An inode storage, and a file system whose files have an entry in it: they need no descriptors.
struct Files {
    map: MapHandle,
    mount: OwnedFd,
}

impl Files {
    /// `None` where the kernel has no inode storage: its BPF LSM is off.
    fn new() -> Option<Self> {
        let files = Self {
            map: zoo(&["inode_labels"])
                .map("inode_labels")
                .expect("a storage"),
            mount: mount("tmpfs"),
        };
        if files.add(1).is_err() {
            println!("skipped: this kernel keeps no storage with inodes");
            return None;
        }
        Some(files)
    }

    fn add(&self, count: u32) -> libbpf_rs::Result<()> {
        static NAME: AtomicU32 = AtomicU32::new(0);
        for _ in 0..count {
            let name = NAME.fetch_add(1, Ordering::Relaxed).to_string();
            let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC;
            let file = openat(&self.mount, name, flags, Mode::RUSR).expect("a file");
            put(&self.map, file.as_raw_fd().cast_unsigned(), 7)?;
        }
        Ok(())
    }
}

#[test]
fn a_large_storage_is_counted_exactly_or_not_at_all() {
    const MANY: u64 = 25_000;
    let Some(files) = Files::new() else { return };
    let id = id_of(&files.map);
    // The first list depends on the number of earlier samples.
    let mut kernels = [kernel(), kernel()];
    let [first, second] = &mut kernels;
    sample_map(first, id);
    sample_map(second, id);
    sample_map(second, id);
    files.add(24_999).expect("storages");
    for kernel in &mut kernels {
        let counts: Vec<_> = (0..40)
            .filter_map(|_| sample_map(kernel, id).used)
            .collect();
        // A part may have been scanned before the files were created.
        let mut new = counts.iter().skip_while(|used| **used < MANY);
        assert_eq!(new.next(), Some(&MANY), "{counts:?}");
        assert_eq!(new.find(|used| **used != MANY), None, "{counts:?}");
    }
}

#[test]
fn endless_lists_give_a_lower_bound() {
    // A storage has as many lists as there are CPUs, rounded up to a power of two.
    let lists = libbpf_rs::num_possible_cpus()
        .expect("CPUs")
        .next_power_of_two();
    let lists = u32::try_from(lists.max(2)).expect("not so many");
    if lists > 8 {
        println!("skipped: it takes too many files to make one of {lists} lists too long");
        return;
    }
    let Some(files) = Files::new() else { return };
    let many = lists * 20_000;
    files.add(many - 1).expect("storages");
    let mut kernel = kernel();
    let id = id_of(&files.map);
    let notes: Vec<_> = (0..40)
        .map(|_| {
            let facts = sample_map(&mut kernel, id);
            assert_eq!(facts.used, None, "{:?}", facts.count);
            count_note(&facts.count)
                .expect("why there is no number")
                .into_owned()
        })
        .collect();
    let bounds = notes.iter().filter(|note| note.starts_with("at least "));
    for note in bounds.clone() {
        let number: String = note.chars().filter(char::is_ascii_digit).collect();
        let least: u32 = number.parse().expect("a number");
        assert!((16_384..=many).contains(&least), "{note} of {many}");
    }
    assert!(bounds.count() > 0, "{notes:#?}");
    let ends = (0..1000).any(|_| {
        kernel.sample().expect("a sample");
        kernel.still_counting() == 0
    });
    assert!(ends, "still counting after a thousand samples");
}
