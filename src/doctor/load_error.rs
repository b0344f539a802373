//! The error message when the map iterator cannot be loaded: what failed, why, and what to do.

use std::fmt::{self, Write};

use super::text::{BTF_NEEDS_CONFIG, BTF_UNKNOWN};
use crate::text::memlock::memlock_message;
use crate::text::remedies::{CAP_ADD, DOCKER_ULIMIT_MEMLOCK, MOUNT_SYS, SETCAP, SUDO, UNLOCK};
use crate::types::load_error::{BTF, FIRST_WITH_ITERATORS, LoadError, LoadErrorKind};

/// The whole message.
#[must_use]
pub fn explain(error: &LoadError) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(error, &mut text);
    text
}

fn write(error: &LoadError, f: &mut String) -> fmt::Result {
    match &error.kind {
        LoadErrorKind::NotPermitted {
            missing,
            present,
            uid,
        } => write_not_permitted(f, missing, present, *uid, &error.details),
        LoadErrorKind::InUserNamespace => {
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
        LoadErrorKind::LockedMemory { limit, uid } => {
            writeln!(f, "cannot list BPF maps: operation not permitted (EPERM)")?;
            writeln!(
                f,
                "  has     CAP_BPF and CAP_PERFMON\n  but     {}",
                memlock_message(*limit)
            )?;
            if *uid == 0 {
                return write!(f, "  try     {DOCKER_ULIMIT_MEMLOCK}");
            }
            write!(
                f,
                "  try     {UNLOCK}    and mapstop again, in that shell\n          {SUDO}"
            )
        }
        LoadErrorKind::LockedDown => {
            writeln!(f, "this kernel shows its maps to nobody")?;
            writeln!(
                f,
                "  kernel  {}, lockdown=confidentiality: no program may read its memory",
                error.release
            )?;
            write!(
                f,
                "  try     to boot it without that; lockdown=integrity is no obstacle"
            )
        }
        LoadErrorKind::TooOld(release) => {
            let (major, minor) = FIRST_WITH_ITERATORS;
            writeln!(f, "this kernel cannot show its maps")?;
            writeln!(
                f,
                "  kernel  {release}    first with BPF iterators: {major}.{minor}"
            )?;
            write!(f, "  try     bpftool map show")
        }
        LoadErrorKind::NoBtf(release) => {
            writeln!(f, "this kernel cannot show its maps")?;
            writeln!(f, "  kernel  {release}")?;
            writeln!(f, "  BTF     no {BTF}: {BTF_NEEDS_CONFIG}")?;
            write!(f, "  try     bpftool map show")
        }
        LoadErrorKind::NoSys => {
            writeln!(
                f,
                "cannot list BPF maps: what this kernel says of itself cannot be read"
            )?;
            writeln!(f, "  BTF     {BTF_UNKNOWN}")?;
            write!(f, "  try     {MOUNT_SYS}")
        }
        LoadErrorKind::Failed => write!(
            f,
            "cannot load the map iterator on Linux {}: {}",
            error.release, error.details
        ),
    }
}

fn write_not_permitted(
    f: &mut String,
    missing: &[&str],
    present: &[&str],
    uid: u32,
    details: &str,
) -> fmt::Result {
    let has = if present.is_empty() {
        "none of them".to_owned()
    } else {
        format!("{}, not {}", present.join(" and "), missing.join(" and "))
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
        return write!(f, "  libbpf  {details}");
    }
    writeln!(f, "  has     {has} (uid {uid})")?;
    if uid == 0 {
        // The bounding set excludes them for this process and its children, so sudo does not help.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: LoadErrorKind) -> String {
        explain(&LoadError {
            kind,
            release: "6.1.0".into(),
            details: "EINVAL (unknown helper)".to_owned(),
        })
    }

    #[test]
    fn a_missing_capability_is_named_with_the_command_that_gives_it() {
        let text = message(LoadErrorKind::NotPermitted {
            missing: vec!["CAP_PERFMON"],
            present: vec!["CAP_BPF"],
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
        let text = message(LoadErrorKind::NotPermitted {
            missing: vec!["CAP_BPF", "CAP_PERFMON"],
            present: vec![],
            uid: 0,
        });
        assert!(text.contains("--cap-add=BPF"), "{text}");
        assert!(!text.contains("sudo"), "{text}");
    }

    #[test]
    fn refusal_in_spite_of_all_capabilities_is_not_answered_with_sudo() {
        let text = message(LoadErrorKind::NotPermitted {
            missing: vec![],
            present: vec!["CAP_BPF", "CAP_PERFMON"],
            uid: 0,
        });
        assert!(text.contains("something else forbids it"), "{text}");
        assert!(!text.contains("sudo"), "{text}");
    }

    #[test]
    fn too_little_memory_to_lock_is_told_with_the_command_that_gives_more() {
        let of = |uid| {
            message(LoadErrorKind::LockedMemory {
                limit: 64 << 10,
                uid,
            })
        };
        assert!(!of(0).contains("sudo"), "{}", of(0));
        let text = of(1000);
        assert!(text.contains("64 KiB here (ulimit -l)"), "{text}");
        assert!(text.contains(UNLOCK), "{text}");
        assert!(!text.contains("setcap"), "{text}");
    }

    #[test]
    fn a_kernel_that_cannot_is_told_why() {
        let text = message(LoadErrorKind::TooOld("4.18.0-553.el8".into()));
        assert!(
            text.contains("kernel  4.18.0-553.el8    first with BPF iterators: 5.8"),
            "{text}"
        );
        assert!(!text.contains("BTF ") && !text.contains("mount"), "{text}");
        let text = message(LoadErrorKind::NoBtf("6.1.0".into()));
        assert!(text.contains("no /sys/kernel/btf/vmlinux"), "{text}");
        let text = message(LoadErrorKind::NoSys);
        assert!(
            text.contains(MOUNT_SYS) && !text.contains("CONFIG"),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_matter_of_capabilities_is_not_answered_with_one() {
        let text = message(LoadErrorKind::InUserNamespace);
        assert!(
            text.contains("user namespace") && !text.contains("setcap"),
            "{text}"
        );
        let text = message(LoadErrorKind::LockedDown);
        assert!(
            text.contains("lockdown=confidentiality") && !text.contains("sudo"),
            "{text}"
        );
    }

    #[test]
    fn libbpf_is_quoted_in_one_line() {
        let text = message(LoadErrorKind::Failed);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("EINVAL (unknown helper)"), "{text}");
    }
}
