//! Hashes of every kind, at every level, have the count that bpf(2) finds: by the kernel's own counter,
//! and by the methods for older kernels.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::process::Command;
use std::thread;

use libbpf_rs::libbpf_sys::bpf_map_create_opts;
use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType};
use mapstop::types::count::{Count, CountMethod};
use mapstop::types::snapshot::MapFacts;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::every_type::{COUNTER, release};
use crate::support::{counted, create, id_of, kernel};

const NO_PREALLOC: u32 = 1;
const NO_COMMON_LRU: u32 = 2;

/// Hash tables by type and flags.
#[rustfmt::skip]
const KINDS: [(MapType, u32); 10] = [
    (MapType::Hash,          0),
    (MapType::Hash,          NO_PREALLOC),
    (MapType::PercpuHash,    0),
    (MapType::PercpuHash,    NO_PREALLOC),
    (MapType::LruHash,       0),
    (MapType::LruHash,       NO_COMMON_LRU),
    (MapType::LruPercpuHash, 0),
    (MapType::LruPercpuHash, NO_COMMON_LRU),
    (MapType::HashOfMaps,    0),
    (MapType::HashOfMaps,    NO_PREALLOC),
];

/// Kinds that are also tested with many entries.
const MANY: [(MapType, u32); 3] = [
    (MapType::Hash, 0),
    (MapType::Hash, NO_PREALLOC),
    (MapType::LruHash, 0),
];

/// The kfunc that reads the kernel's element counter.
const KFUNC: &str = "bpf_map_sum_elem_count";

/// Set where that is hidden.
const IS_HIDDEN: &str = "MAPSTOP_TEST_WITHOUT_COUNTER";

/// Buckets of the largest table that is walked completely.
const MAX_CHAINS: u32 = 65_536;

fn has_counter() -> bool {
    release() >= COUNTER && std::env::var_os(IS_HIDDEN).is_none()
}

/// Whether the memory of each CPU can be read, on a kernel without a counter: the free lists of a
/// preallocated hash, which are empty if it is full, and the shares of the count of another one.
fn reaches_cpus() -> bool {
    has_counter() || release() < COUNTER
}

/// A hash of this kind, and what must not be dropped before it.
struct Table {
    map: MapHandle,
    inner: MapHandle,
    kind: (MapType, u32),
}

impl Table {
    fn new((map_type, flags): (MapType, u32), max_entries: u32) -> Self {
        let inner = create(MapType::Array, "inner", (4, 8), 1);
        let is_outer = map_type == MapType::HashOfMaps;
        let inner_fd = inner.as_fd().as_raw_fd().cast_unsigned();
        let options = bpf_map_create_opts {
            sz: size_of::<bpf_map_create_opts>() as u64,
            map_flags: flags,
            inner_map_fd: if is_outer { inner_fd } else { 0 },
            ..bpf_map_create_opts::default()
        };
        let map = MapHandle::create(map_type, Some("table"), 4, 4, max_entries, &options);
        let map = map.unwrap_or_else(|error| panic!("{map_type:?} {flags}: {error}"));
        Self {
            map,
            inner,
            kind: (map_type, flags),
        }
    }

    /// Inserts entries with these keys.
    fn fill(&self, keys: std::ops::Range<u32>) {
        let value = match self.kind.0 {
            MapType::HashOfMaps => self.inner.as_fd().as_raw_fd().cast_unsigned(),
            _ => 7,
        };
        let cpus = libbpf_rs::num_possible_cpus().expect("CPUs");
        let of_cpus = vec![vec![7; 4]; cpus];
        for key in keys {
            let key = key.to_ne_bytes();
            let done = if self.kind.0.is_percpu() {
                self.map.update_percpu(&key, &of_cpus, MapFlags::ANY)
            } else {
                self.map.update(&key, &value.to_ne_bytes(), MapFlags::ANY)
            };
            done.unwrap_or_else(|error| panic!("{:?}: {error}", self.kind));
        }
    }

    /// Whether it is preallocated, and the next new key is refused.
    fn is_full(&self) -> bool {
        let is_preallocated = self.kind.1 & NO_PREALLOC == 0;
        is_preallocated && !self.is_lru() && self.entries() == u64::from(self.map.max_entries())
    }

    /// Deletes an entry on one CPU, to whose list it goes.
    fn delete_on(&self, cpu: usize, key: u32) {
        on_cpu(cpu, || {
            self.map.delete(&key.to_ne_bytes()).expect("it was there");
        });
    }

    fn is_lru(&self) -> bool {
        matches!(self.kind.0, MapType::LruHash | MapType::LruPercpuHash)
    }

    /// The number of keys that bpf(2) finds.
    fn entries(&self) -> u64 {
        self.map.keys().count() as u64
    }
}

/// Runs this on one CPU.
fn on_cpu(cpu: usize, run: impl FnOnce() + Send) {
    let mut cpus = CpuSet::new();
    cpus.set(cpu);
    thread::scope(|scope| {
        scope.spawn(|| {
            sched_setaffinity(None, &cpus).expect("a CPU to run on");
            run();
        });
    });
}

/// The CPUs that this process may run on.
fn cpus() -> Vec<usize> {
    let cpus = sched_getaffinity(None).expect("CPUs");
    (0..CpuSet::MAX_CPU)
        .filter(|cpu| cpus.is_set(*cpu))
        .collect()
}

/// The expected method, by kernel.
fn assert_is_counted(table: &Table, facts: &MapFacts, entries: u64) {
    let what = format!(
        "{:?} of {}: {:?}",
        table.kind, facts.max_entries, facts.count
    );
    let buckets = facts.max_entries.next_power_of_two();
    let method = facts.count.method;
    let used = facts.used.unwrap_or_else(|| panic!("{what}"));
    if method == CountMethod::Estimate {
        let is_counted = table.kind.1 == NO_PREALLOC || table.is_full();
        assert!(!is_counted || !reaches_cpus(), "{what}");
        assert!(!has_counter() && buckets > MAX_CHAINS, "{what}");
        // Twice the error of an estimate; a per-CPU share is a hard limit.
        let is_chance = table.kind.1 != NO_PREALLOC;
        assert!(
            used.abs_diff(entries) <= (1 + u64::from(is_chance)) * facts.count.error,
            "{used} of {entries}, {what}"
        );
        assert!(used < u64::from(facts.max_entries), "{used}, {what}");
        let most = entries / 50 + 100;
        assert!(facts.count.error <= most, "{used} of {entries}, {what}");
        println!("{used} of {entries}, {what}");
        return;
    }
    assert_eq!(used, entries, "{what}");
    assert_eq!(facts.count.error, 0, "{what}");
    if has_counter() {
        assert_eq!(method, CountMethod::Counter, "{what}");
    } else if table.is_full() && reaches_cpus() {
        // By its free lists, whatever its size.
        assert_eq!(
            (method, &facts.count.note),
            (CountMethod::Walk, &None),
            "{what}"
        );
    } else if table.kind.1 == NO_PREALLOC {
        assert!(
            matches!(method, CountMethod::Field | CountMethod::Walk),
            "{what}"
        );
    } else {
        assert_eq!(method, CountMethod::Walk, "{what}");
        assert!(buckets <= MAX_CHAINS, "{what}");
    }
}

/// A count that is newer than `before`: on old kernels maps are scanned in turns.
fn assert_comes_to(kernel: &mut mapstop::source::kernel::Kernel, table: &Table, entries: u64) {
    let mut facts = counted(kernel, id_of(&table.map));
    for _ in 0..100 {
        let off = facts.used.map(|used| used.abs_diff(entries));
        if off.is_some_and(|off| off <= facts.count.error) {
            break;
        }
        facts = counted(kernel, id_of(&table.map));
    }
    assert_is_counted(table, &facts, entries);
}

#[test]
fn every_kind_of_hash_is_counted_at_every_level() {
    let mut kernel = kernel();
    for kind in KINDS {
        // The second takes more than one read, and has a per-CPU counter unless preallocated.
        for max in [10, 20_000] {
            let table = Table::new(kind, max);
            // After each change of a hash of maps the kernel waits for its readers.
            let most = match kind.0 {
                MapType::HashOfMaps => max.min(100),
                _ => max,
            };
            for level in [0, 3, most / 2, most] {
                let filled = u32::try_from(table.entries()).expect("few");
                table.fill(filled..level);
                let entries = table.entries();
                assert!(
                    table.is_lru() || entries == u64::from(level),
                    "{kind:?} {max} {level}"
                );
                assert_comes_to(&mut kernel, &table, entries);
            }
            if table.is_lru() {
                // Beyond the capacity: others are evicted.
                table.fill(max..max + max / 2);
                let entries = table.entries();
                assert_comes_to(&mut kernel, &table, entries);
            }
            let first = table.map.keys().next().expect("a key");
            table.map.delete(&first).expect("it goes");
            let entries = table.entries();
            assert_comes_to(&mut kernel, &table, entries);
        }
    }
}

#[test]
fn the_estimate_of_a_large_hash_is_within_its_error() {
    const MAX: u32 = 300_000;
    let mut kernel = kernel();
    for kind in MANY {
        let table = Table::new(kind, MAX);
        for (from, to) in [(0, 0), (0, 1000), (1000, MAX / 2), (MAX / 2, MAX)] {
            table.fill(from..to);
            let entries = if table.is_lru() {
                table.entries()
            } else {
                to.into()
            };
            assert_comes_to(&mut kernel, &table, entries);
        }
    }
}

#[test]
fn a_full_hash_is_exactly_full_whatever_its_size() {
    const MAX: u32 = 100_000;
    let (mut kernel, cpus) = (kernel(), cpus());
    let kinds = [
        (MapType::Hash, 0),
        (MapType::PercpuHash, 0),
        (MapType::Hash, NO_PREALLOC),
    ];
    for kind in kinds {
        let table = Table::new(kind, MAX);
        let mut judge = |what: &str, entries: u32| {
            let facts = counted(&mut kernel, id_of(&table.map));
            let (used, count) = (facts.used.expect("a number"), facts.count);
            let what = format!("{kind:?} {what}: {used} {count:?}");
            println!("{what}");
            let is_counted = kind.1 == NO_PREALLOC || entries == MAX;
            if has_counter() || reaches_cpus() && is_counted {
                assert_eq!(used, u64::from(entries), "{what}");
                assert_eq!(count, Count::exact(count.method), "{what}");
            } else {
                assert_ne!(used, u64::from(MAX), "{what}");
            }
        };
        judge("empty", 0);
        table.fill(0..MAX - 1);
        judge("all but one", MAX - 1);
        table.fill(MAX - 1..MAX);
        judge("full", MAX);
        let refused = table.map.update(&MAX.to_ne_bytes(), &[7; 4], MapFlags::ANY);
        assert!(kind.0.is_percpu() || refused.is_err(), "{kind:?}");
        judge("one more was refused", MAX);
        // In place, or into the spare element of the CPU.
        table.fill(0..1000);
        judge("replaced", MAX);
        for (at, cpu) in cpus.iter().enumerate() {
            table.delete_on(*cpu, 7);
            judge("one deleted", MAX - 1);
            // By another CPU where there is one.
            on_cpu(cpus[(at + 1) % cpus.len()], || table.fill(7..8));
            judge("refilled", MAX);
        }
        let keys = (0..1000_u32).flat_map(u32::to_ne_bytes).collect::<Vec<_>>();
        let deleted = table
            .map
            .delete_batch(&keys, 1000, MapFlags::ANY, MapFlags::ANY);
        deleted.expect("a batch");
        judge("a batch deleted", MAX - 1000);
        table.fill(0..1000);
        judge("refilled", MAX);
    }
}

#[test]
fn hashes_are_counted_without_the_kernels_counter() {
    if !has_counter() {
        println!("not tested: there is none, so that the other tests are about that");
        return;
    }
    let mut btf = fs::read("/sys/kernel/btf/vmlinux").expect("BTF");
    let word = format!("\0{KFUNC}\0");
    let is_it = |bytes: &[u8]| bytes == word.as_bytes();
    let at = btf.windows(word.len()).position(is_it);
    // Renamed, so that it is not found.
    btf[at.expect("its name") + KFUNC.len()] = b'@';
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), btf).expect("a file");
    let mount = "mount --bind \"$1\" /sys/kernel/btf/vmlinux && shift && exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", mount, "sh"])
        .arg(file.path())
        .arg(std::env::current_exe().expect("this test"))
        .args(["ladder::", "--test-threads=1", "--show-output"])
        .env(IS_HIDDEN, "1")
        .output()
        .expect("unshare of util-linux runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    println!("{stdout}");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(stdout.contains("4 passed"), "all of this file");
}
