//! What can stand between mapstop and the maps becomes what to do about it.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use caps::{CapSet, Capability};
use compact_str::CompactString;
use libbpf_rs::ErrorKind as BpfError;
use rustix::process::{Resource, getrlimit};

use super::host;
use crate::doctor::remedies::{CAP_ADD, CONTAINER_THAT_LOCKS, MOUNT_SYS, SETCAP, SUDO, UNLOCK};
use crate::text::sanitize::harmless;

/// The first kernel with BPF iterators.
const FIRST_WITH_ITERATORS: (u32, u32) = (5, 8);

/// The first kernel in which programs are no part of the memory that a user may lock.
const FIRST_WITHOUT_LOCKING: (u32, u32) = (5, 11);
/// What programs and maps take of it, losses included, is less than this.
const ENOUGH_TO_LOCK: u64 = 16 << 20;

/// Where a kernel describes its own structures.
pub const BTF: &str = "/sys/kernel/btf/vmlinux";

/// What stands between mapstop and the maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Capabilities are missing: which ones, and who asked.
    NotPermitted {
        /// Those of the needed that the process does not have.
        missing: Vec<&'static str>,
        /// Those of the needed that it has.
        held: Vec<&'static str>,
        /// The effective user.
        uid: u32,
    },
    /// The process is in a user namespace: what it has of capabilities counts in there alone.
    InUserNamespace,
    /// Programs count to the memory that a user may lock, which is too little.
    LockedMemory {
        /// So many bytes.
        limit: u64,
        /// The effective user.
        uid: u32,
    },
    /// `lockdown=confidentiality`: no program may read the kernel's memory.
    LockedDown,
    /// The kernel, which calls itself so, is older than BPF iterators.
    TooOld(CompactString),
    /// It does not describe its structures.
    NoBtf(CompactString),
    /// Where it would describe them is not mounted.
    NoSys,
    /// Something else, in libbpf's words.
    Failed,
}

/// Why the iterator could not be loaded. Its text is whole: what, why, and what to do.
#[derive(Debug)]
pub struct CannotStart {
    /// What is in the way.
    pub obstacle: Obstacle,
    /// The error and what libbpf said before it.
    pub details: String,
}

impl std::error::Error for CannotStart {}

impl fmt::Display for CannotStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.obstacle {
            Obstacle::NotPermitted { missing, held, uid } => {
                let held = if held.is_empty() {
                    "none of them".to_owned()
                } else {
                    format!("{}, not {}", held.join(" and "), missing.join(" and "))
                };
                writeln!(f, "cannot list BPF maps: operation not permitted (EPERM)")?;
                writeln!(
                    f,
                    "  needs   CAP_BPF and CAP_PERFMON to run its map iterator"
                )?;
                if missing.is_empty() {
                    writeln!(
                        f,
                        "  has     both (uid {uid}), so something else forbids it: lockdown, seccomp or an LSM"
                    )?;
                    return write!(f, "  libbpf  {}", self.details);
                }
                writeln!(f, "  has     {held} (uid {uid})")?;
                if *uid == 0 {
                    // It may not have them, and neither would what it starts: sudo gives it nothing.
                    return write!(
                        f,
                        "  try     to start it with them: a container takes {CAP_ADD},\n          a unit of systemd CapabilityBoundingSet=CAP_BPF CAP_PERFMON\n  or      mapstop --replay FILE    needs no privilege"
                    );
                }
                write!(
                    f,
                    "  try     {SUDO}\n          {SETCAP}\n  or      mapstop --replay FILE    needs no privilege"
                )
            }
            Obstacle::InUserNamespace => {
                writeln!(f, "cannot list BPF maps: operation not permitted (EPERM)")?;
                writeln!(
                    f,
                    "  has     no capability that counts: mapstop is in a user namespace"
                )?;
                write!(
                    f,
                    "  try     {SUDO}, outside of it; a container needs --userns=host {CAP_ADD}\n  or      mapstop --replay FILE    needs no privilege"
                )
            }
            Obstacle::LockedMemory { limit, uid } => {
                writeln!(f, "cannot list BPF maps: operation not permitted (EPERM)")?;
                writeln!(
                    f,
                    "  has     CAP_BPF and CAP_PERFMON\n  but     {}",
                    too_little_to_lock(*limit)
                )?;
                if *uid == 0 {
                    return write!(f, "  try     {CONTAINER_THAT_LOCKS}");
                }
                write!(
                    f,
                    "  try     {UNLOCK}    and mapstop again, in that shell\n          {SUDO}"
                )
            }
            Obstacle::LockedDown => {
                writeln!(f, "this kernel shows its maps to nobody")?;
                writeln!(
                    f,
                    "  kernel  {}, lockdown=confidentiality: no program may read its memory",
                    host::release()
                )?;
                write!(
                    f,
                    "  try     to boot it without that; lockdown=integrity is no obstacle"
                )
            }
            Obstacle::TooOld(release) => {
                let (major, minor) = FIRST_WITH_ITERATORS;
                writeln!(f, "this kernel cannot show its maps")?;
                writeln!(
                    f,
                    "  kernel  {release}    first with BPF iterators: {major}.{minor}"
                )?;
                write!(f, "  try     bpftool map show")
            }
            Obstacle::NoBtf(release) => {
                writeln!(f, "this kernel cannot show its maps")?;
                writeln!(f, "  kernel  {release}")?;
                writeln!(f, "  BTF     no {BTF}: it needs CONFIG_DEBUG_INFO_BTF=y")?;
                write!(f, "  try     bpftool map show")
            }
            Obstacle::NoSys => {
                writeln!(
                    f,
                    "cannot list BPF maps: what this kernel says of itself cannot be read"
                )?;
                writeln!(f, "  BTF     not known: /sys is not mounted here")?;
                write!(f, "  try     {MOUNT_SYS}")
            }
            Obstacle::Failed => write!(
                f,
                "cannot load the map iterator on Linux {}: {}",
                host::release(),
                self.details
            ),
        }
    }
}

/// What the error means here and now: asks for capabilities, version and BTF.
pub fn obstacle(kind: BpfError) -> Obstacle {
    let release = host::release();
    if is_too_old(&release) {
        return Obstacle::TooOld(release);
    }
    match has_btf() {
        Some(true) => {}
        Some(false) => return Obstacle::NoBtf(release),
        None => return Obstacle::NoSys,
    }
    if is_confidential() {
        return Obstacle::LockedDown;
    }
    if kind != BpfError::PermissionDenied {
        return Obstacle::Failed;
    }
    if is_in_user_namespace() == Some(true) {
        return Obstacle::InUserNamespace;
    }
    let uid = rustix::process::geteuid().as_raw();
    let effective = caps::read(None, CapSet::Effective).unwrap_or_default();
    let (held, missing) = [
        (Capability::CAP_BPF, "CAP_BPF"),
        (Capability::CAP_PERFMON, "CAP_PERFMON"),
    ]
    .into_iter()
    // Either is part of what CAP_SYS_ADMIN allows.
    .partition::<Vec<_>, _>(|(capability, _)| {
        effective.contains(capability) || effective.contains(&Capability::CAP_SYS_ADMIN)
    });
    if let Some(limit) = memory_to_lock().filter(|_| missing.is_empty()) {
        return Obstacle::LockedMemory { limit, uid };
    }
    let names = |list: Vec<(Capability, &'static str)>| list.into_iter().map(|(_, n)| n).collect();
    Obstacle::NotPermitted {
        missing: names(missing),
        held: names(held),
        uid,
    }
}

/// Whether the kernel describes its structures; `None` if that cannot be told.
pub fn has_btf() -> Option<bool> {
    // What every sysfs has.
    let is_mounted = Path::new("/sys/kernel").exists();
    is_mounted.then(|| Path::new(BTF).exists())
}

/// Why it does not help to be permitted, where so many bytes may be locked.
pub fn too_little_to_lock(limit: u64) -> String {
    let (major, minor) = FIRST_WITHOUT_LOCKING;
    format!(
        "before Linux {major}.{minor} programs and maps are part of the memory a user may lock: {} KiB here (ulimit -l)",
        limit >> 10
    )
}

/// How many bytes this process may lock, where programs and maps are part of that and it is little.
pub fn memory_to_lock() -> Option<u64> {
    let limit = getrlimit(Resource::Memlock).current?;
    (limit < ENOUGH_TO_LOCK && counts_locked_memory(&host::release())).then_some(limit)
}

fn counts_locked_memory(release: &str) -> bool {
    is_before(release, FIRST_WITHOUT_LOCKING)
}

/// The inode of the first user namespace (`PROC_USER_INIT_INO`).
const FIRST_USER_NAMESPACE: u64 = 0xefff_fffd;

/// Whether this process is in a user namespace other than the first; `None` if that cannot be told.
pub fn is_in_user_namespace() -> Option<bool> {
    let about = fs::metadata("/proc/self/ns/user").ok()?;
    Some(about.ino() != FIRST_USER_NAMESPACE)
}

/// Whether the kernel says that its memory is kept from everybody.
fn is_confidential() -> bool {
    lockdown().as_deref() == Some("confidentiality")
}

/// How much the kernel is locked down: `none`, `integrity` or `confidentiality`; `None` if it cannot
/// be, or does not tell here.
pub fn lockdown() -> Option<CompactString> {
    let text = fs::read("/sys/kernel/security/lockdown").ok()?;
    let chosen = chosen(str::from_utf8(&text).ok()?)?;
    Some(harmless(chosen.as_bytes()))
}

/// The word in brackets: `none [integrity] confidentiality`.
fn chosen(text: &str) -> Option<&str> {
    text.split_once('[')?
        .1
        .split_once(']')
        .map(|(word, _)| word)
}

/// Whether a kernel that calls itself so is older than BPF iterators; one that does not say is
/// not.
fn is_too_old(release: &str) -> bool {
    is_before(release, FIRST_WITH_ITERATORS)
}

fn is_before(release: &str, version: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < version,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(obstacle: Obstacle) -> String {
        CannotStart {
            obstacle,
            details: "EINVAL (unknown helper)".to_owned(),
        }
        .to_string()
    }

    #[test]
    fn kernels_before_5_8_are_too_old() {
        for release in ["4.18.0-553.el8", "5.7.19", "3.10.0"] {
            assert!(is_too_old(release), "{release}");
        }
        for release in [
            "5.8.0",
            "5.10.0-46-cloud-amd64",
            "6.18.44-fc",
            "10.0",
            "strange",
        ] {
            assert!(!is_too_old(release), "{release}");
        }
    }

    #[test]
    fn a_missing_capability_is_named_with_the_command_that_gives_it() {
        let text = message(Obstacle::NotPermitted {
            missing: vec!["CAP_PERFMON"],
            held: vec!["CAP_BPF"],
            uid: 1000,
        });
        assert!(
            text.contains("has     CAP_BPF, not CAP_PERFMON (uid 1000)"),
            "{text}"
        );
        assert!(
            text.contains("sudo setcap cap_bpf,cap_perfmon=ep"),
            "{text}"
        );
    }

    #[test]
    fn root_without_capabilities_is_not_sent_to_sudo() {
        let text = message(Obstacle::NotPermitted {
            missing: vec!["CAP_BPF", "CAP_PERFMON"],
            held: vec![],
            uid: 0,
        });
        assert!(text.contains("--cap-add=BPF"), "{text}");
        assert!(!text.contains("sudo"), "{text}");
    }

    #[test]
    fn refusal_in_spite_of_all_capabilities_is_not_answered_with_sudo() {
        let text = message(Obstacle::NotPermitted {
            missing: vec![],
            held: vec!["CAP_BPF", "CAP_PERFMON"],
            uid: 0,
        });
        assert!(text.contains("something else forbids it"), "{text}");
        assert!(!text.contains("sudo"), "{text}");
    }

    #[test]
    fn too_little_memory_to_lock_is_told_with_the_command_that_gives_more() {
        let of = |uid| {
            message(Obstacle::LockedMemory {
                limit: 64 << 10,
                uid,
            })
        };
        assert!(!of(0).contains("sudo"), "{}", of(0));
        let text = of(1000);
        assert!(text.contains("64 KiB here (ulimit -l)"), "{text}");
        assert!(text.contains(UNLOCK), "{text}");
        assert!(!text.contains("setcap"), "{text}");
        assert!(counts_locked_memory("5.10.0-46-cloud-amd64"));
        assert!(!counts_locked_memory("5.11.0") && !counts_locked_memory("6.1.0"));
    }

    #[test]
    fn a_kernel_that_cannot_is_told_why() {
        let text = message(Obstacle::TooOld("4.18.0-553.el8".into()));
        assert!(
            text.contains("kernel  4.18.0-553.el8    first with BPF iterators: 5.8"),
            "{text}"
        );
        assert!(!text.contains("BTF ") && !text.contains("mount"), "{text}");
        let text = message(Obstacle::NoBtf("6.1.0".into()));
        assert!(text.contains("no /sys/kernel/btf/vmlinux"), "{text}");
        let text = message(Obstacle::NoSys);
        assert!(
            text.contains(MOUNT_SYS) && !text.contains("CONFIG"),
            "{text}"
        );
    }

    #[test]
    fn the_lockdown_that_is_chosen_stands_in_brackets() {
        let of = |text| chosen(text);
        assert_eq!(of("none [integrity] confidentiality\n"), Some("integrity"));
        assert_eq!(of("[none] integrity confidentiality\n"), Some("none"));
        assert_eq!(of(""), None);
    }

    #[test]
    fn what_is_no_matter_of_capabilities_is_not_answered_with_one() {
        let text = message(Obstacle::InUserNamespace);
        assert!(
            text.contains("user namespace") && !text.contains("setcap"),
            "{text}"
        );
        let text = message(Obstacle::LockedDown);
        assert!(
            text.contains("lockdown=confidentiality") && !text.contains("sudo"),
            "{text}"
        );
    }

    #[test]
    fn libbpf_is_quoted_in_one_line() {
        let text = message(Obstacle::Failed);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("EINVAL (unknown helper)"), "{text}");
    }
}
