//! The whole process: what it leaves behind, and its privileges.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use libbpf_rs::MapType;
use libbpf_rs::query::{LinkInfoIter, ProgInfoIter, ProgInfoQueryOptions, ProgramInfo};
use mapstop::source::Source;
use tempfile::TempDir;

use crate::every_type::{FIRST, release};
use crate::owners::MAPPINGS;
use crate::support::{create, id_of, kernel};

pub const MAPSTOP: &str = env!("CARGO_BIN_EXE_mapstop");

/// A child process that is killed with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The names of the links, maps and programs in `/proc/PID/fd`.
fn bpf_descriptors(pid: u32) -> Vec<(String, PathBuf)> {
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors");
    let fds = fds.filter_map(|fd| {
        let fd = fd.ok()?;
        let target = fs::read_link(fd.path())
            .ok()?
            .to_string_lossy()
            .into_owned();
        let info = format!("/proc/{pid}/fdinfo/{}", fd.file_name().to_string_lossy());
        target.contains("bpf").then_some((target, info.into()))
    });
    fds.collect()
}

/// A number that fdinfo gives under this key.
fn fdinfo(info: &Path, key: &str) -> Option<u32> {
    let text = fs::read_to_string(info).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(name, _)| *name == key)?.1.trim().parse().ok()
}

fn program(id: u32) -> Option<ProgramInfo> {
    let options = ProgInfoQueryOptions::default().include_map_ids(true);
    ProgInfoIter::with_query_opts(options).find(|program| program.id == id)
}

fn has_link(id: u32) -> bool {
    LinkInfoIter::default().any(|link| link.id == id)
}

#[test]
fn no_map_is_created_and_no_program_outlives_the_process() {
    let child = Command::new(MAPSTOP)
        .args(["-b", "-d", "0.1"])
        .stdout(Stdio::piped())
        .spawn();
    let mut child = Running(child.expect("mapstop runs"));
    let stdout = child.0.stdout.take().expect("a pipe");
    // It runs while its stdout is read.
    let mut reader = BufReader::new(stdout);
    // The iterator of maps, and those of owners once they are loaded.
    let mut expected = vec![
        "mapstop_fds",
        "mapstop_maps",
        "mapstop_memcgs",
        "mapstop_mmaps",
        "mapstop_progs",
    ];
    expected.retain(|name| *name != "mapstop_mmaps" || release() >= MAPPINGS);
    let start = Instant::now();
    let count = |pid| {
        bpf_descriptors(pid)
            .iter()
            .filter(|(target, _)| target.contains("link"))
            .count()
    };
    while count(child.0.id()) < expected.len() {
        assert!(start.elapsed() < Duration::from_secs(30), "not loaded");
        reader.read_line(&mut String::new()).expect("a line");
    }

    let descriptors = bpf_descriptors(child.0.id());
    let maps: Vec<_> = descriptors
        .iter()
        .filter(|(target, _)| target.contains("bpf-map"))
        .collect();
    assert_eq!(maps, Vec::<&(String, PathBuf)>::new());
    let links: Vec<_> = descriptors
        .iter()
        .filter_map(|(_, info)| Some((fdinfo(info, "link_id")?, fdinfo(info, "prog_id")?)))
        .collect();
    let mut names = Vec::new();
    for (link, id) in &links {
        assert!(has_link(*link));
        let info = program(*id).expect("the program of an iterator");
        assert_eq!(info.map_ids, Vec::<u32>::new());
        names.push(info.name.to_string_lossy().into_owned());
    }
    names.sort_unstable();
    assert_eq!(names, expected);

    let ended = child.0.try_wait().expect("a child of ours");
    assert_eq!(ended, None, "it was to run until it is killed");
    child.0.kill().expect("SIGKILL");
    child.0.wait().expect("its end");
    let start = Instant::now();
    let is_left = |(link, id): &(u32, u32)| program(*id).is_some() || has_link(*link);
    while links.iter().any(is_left) {
        assert!(start.elapsed() < Duration::from_secs(10), "left behind");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_thousand_samples_leave_no_descriptor_open() {
    const ALONE: &str = "MAPSTOP_TEST_ALONE";
    let count = || {
        fs::read_dir("/proc/self/fd")
            .expect("our descriptors")
            .count()
    };
    if std::env::var_os(ALONE).is_none() {
        // The other tests open files, too: once more in a process without them.
        let this = std::env::current_exe().expect("this program");
        let name = "process::a_thousand_samples_leave_no_descriptor_open";
        let output = Command::new(this)
            .args(["--exact", name, "--test-threads=1"])
            .env(ALONE, "1")
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("1 passed"), "{text}");
        return;
    }
    let mut kernel = kernel();
    // Until the first collection of owners, which opens descriptors that stay open.
    kernel.sample_complete().expect("a sample");
    let before = count();
    for _ in 0..1000 {
        kernel.sample().expect("a sample");
    }
    assert_eq!(count(), before);
}

/// mapstop where everybody can run it.
pub fn for_everybody() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path(), all.clone()).expect("an open folder");
    let copy = folder.path().join("mapstop");
    // Copied by another process: a child forked by another test meanwhile would inherit the open file.
    let done = Command::new("cp").arg(MAPSTOP).arg(&copy).status();
    assert!(done.expect("cp runs").success(), "a copy");
    fs::set_permissions(&copy, all).expect("a program");
    (folder, copy)
}

/// Runs mapstop as an ordinary user with these capabilities (`+bpf,+perfmon`) alone.
pub fn as_user(capabilities: &str, arguments: &[&str]) -> Output {
    let (_folder, mapstop) = for_everybody();
    Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(format!("--inh-caps=-all{capabilities}"))
        .arg(format!("--ambient-caps=-all{capabilities}"))
        .arg(mapstop)
        .args(arguments)
        .output()
        .expect("setpriv of util-linux runs")
}

/// One report of such a user.
fn report_with(capabilities: &str) -> Output {
    as_user(capabilities, &["--once", "--csv"])
}

#[test]
fn cap_bpf_and_cap_perfmon_are_enough() {
    let map = create(MapType::Hash, "for_nobody", (4, 8), 3);
    let output = report_with(",+bpf,+perfmon");
    let report = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{complaint}");
    let mut lines = report.lines();
    let header = lines.next().expect("a header");
    let column = header
        .split(',')
        .position(|name| name == "id")
        .expect("an id");
    let id = id_of(&map).to_string();
    let line = lines.find(|line| line.split(',').nth(column) == Some(&id));
    assert!(
        line.is_some_and(|line| line.contains("for_nobody")),
        "{report}"
    );
    assert_eq!(complaint, "");
}

#[test]
fn without_capabilities_both_are_named() {
    let output = report_with("");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{complaint}");
    assert!(complaint.contains("CAP_BPF and CAP_PERFMON"), "{complaint}");
    assert!(complaint.contains("neither (uid 65534)"), "{complaint}");
    assert!(output.stdout.is_empty());
}

#[test]
fn with_one_capability_the_other_is_named() {
    let output = report_with(",+bpf");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{complaint}");
    assert!(
        complaint.contains("CAP_BPF, not CAP_PERFMON"),
        "{complaint}"
    );
}

#[test]
fn without_btf_this_kernel_cannot() {
    // In a mount namespace of its own.
    let hide = "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" --once";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", hide, MAPSTOP])
        .output()
        .expect("unshare of util-linux runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{complaint}");
    assert!(
        complaint.contains("no /sys/kernel/btf/vmlinux"),
        "{complaint}"
    );
}

#[test]
fn no_orphans_are_reported_from_another_mount_namespace() {
    let report = || {
        let output = Command::new("unshare")
            .args(["--mount", MAPSTOP, "--once", "-j"])
            .output()
            .expect("unshare of util-linux runs");
        String::from_utf8(output.stdout).expect("text")
    };
    // A report waits two seconds for owners, which may be too short in a busy guest.
    let has_owners = |report: &String| !report.contains("\"owners_uptime_s\":null");
    let report = std::iter::repeat_with(report).take(5).find(has_owners);
    let report = report.expect("owners");
    // It may not read the namespace of the first process.
    assert!(
        report.contains("in a mount namespace of its own"),
        "{report}"
    );
    assert!(!report.contains("\"orphan\":true"), "{report}");
}

/// The structures that a kernel lacks when it was built without sockets, cgroups or tracing; and the
/// first kernel that has them otherwise.
const OPTIONAL: [(&str, (u32, u32)); 20] = [
    ("bpf_arena", (6, 9)),
    ("bpf_bloom_filter", (5, 16)),
    ("bpf_cgroup_storage_map", FIRST),
    ("bpf_cpu_map", FIRST),
    ("bpf_dtab", FIRST),
    ("bpf_dtab_netdev", FIRST),
    ("bpf_local_storage_map", FIRST),
    ("bpf_local_storage_map_bucket", FIRST),
    ("bpf_queue_stack", FIRST),
    ("bpf_ringbuf", FIRST),
    ("bpf_ringbuf_map", FIRST),
    ("bpf_shtab", FIRST),
    ("bpf_shtab_bucket", FIRST),
    ("bpf_stab", FIRST),
    ("bpf_stack_map", FIRST),
    ("bucket", FIRST),
    ("lpm_trie", FIRST),
    ("lpm_trie_node", FIRST),
    ("reuseport_array", FIRST),
    ("xsk_map", FIRST),
];

#[test]
fn a_kernel_without_some_structure_shows_its_other_maps() {
    let btf = fs::read("/sys/kernel/btf/vmlinux").expect("BTF");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vmlinux");
    for (name, since) in OPTIONAL {
        if release() < since {
            continue;
        }
        // Renamed, so that it is not found.
        let mut renamed = btf.clone();
        let word = format!("\0{name}\0");
        let at = renamed
            .windows(word.len())
            .position(|bytes| bytes == word.as_bytes());
        let at = at.unwrap_or_else(|| panic!("this kernel has no {name} at all"));
        renamed[at + name.len()] = b'@';
        fs::write(&path, renamed).expect("a file");
        let output = Command::new("unshare")
            .args([
                "--mount",
                "sh",
                "-c",
                "mount --bind \"$1\" /sys/kernel/btf/vmlinux && exec \"$0\" --once",
            ])
            .args([MAPSTOP.as_ref(), path.as_os_str()])
            .output()
            .expect("unshare of util-linux runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "without {name}: {complaint}");
    }
}
