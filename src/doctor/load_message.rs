//! The error message when the map iterator cannot be loaded: what failed, why, and what to do.

use std::ffi::OsString;
use std::fmt::{self, Write};
use std::path::Path;

use super::text::{BTF_NEEDS_CONFIG, BTF_UNKNOWN};
use crate::text::memlock::memlock_message;
use crate::text::remedies::{CAP_ADD, DOCKER_ULIMIT_MEMLOCK, MOUNT_SYS, SETCAP, SUDO, UNLOCK};
use crate::types::load_error::{BTF, FIRST_WITH_ITERATORS, LoadError, LoadErrorKind};

/// Commands that start mapstop again as it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retry {
    /// As root.
    sudo: String,
    /// Grants the program what it needs.
    setcap: String,
}

/// Directories in which `sudo` finds programs.
const SUDO_PATH: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

impl Retry {
    /// From the path of the program, if it is known, and the arguments. Words that a shell would change are
    /// left out.
    pub(crate) fn new(program: Option<&Path>, arguments: &[OsString]) -> Self {
        let is_simple = |word: &str| {
            word.chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-+=:,./%@".contains(c))
        };
        let is_found = |path: &&Path| {
            let parent = path.parent().and_then(Path::to_str);
            parent.is_some_and(|parent| SUDO_PATH.contains(&parent))
        };
        let path = program
            .filter(|path| !is_found(path))
            .and_then(Path::to_str)
            .filter(|path| is_simple(path));
        let mut sudo = path.map_or_else(|| SUDO.to_owned(), |path| format!("sudo {path}"));
        let words: Option<Vec<_>> = arguments.iter().map(|word| word.to_str()).collect();
        for word in words
            .filter(|words| words.iter().all(|word| !word.is_empty() && is_simple(word)))
            .unwrap_or_default()
        {
            sudo.push(' ');
            sudo.push_str(word);
        }
        let setcap = match path {
            Some(path) => SETCAP.replace("$(command -v mapstop)", path),
            None => SETCAP.to_owned(),
        };
        Self { sudo, setcap }
    }
}

/// The whole message.
#[must_use]
pub(crate) fn explain(error: &LoadError, retry: &Retry) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(error, retry, &mut text);
    text
}

fn write(error: &LoadError, retry: &Retry, f: &mut String) -> fmt::Result {
    let sudo = &retry.sudo;
    match &error.kind {
        LoadErrorKind::NotPermitted {
            missing,
            present,
            uid,
        } => write_not_permitted(f, retry, [missing, present], *uid, &error.details),
        LoadErrorKind::InUserNamespace => {
            writeln!(f, "cannot list BPF maps: operation not permitted (EPERM)")?;
            writeln!(
                f,
                "  has     no capability on the host: mapstop runs in a user namespace"
            )?;
            write!(
                f,
                "  try     {sudo} outside the namespace; in a container, --userns=host {CAP_ADD}\n  or      mapstop --replay FILE (needs no privileges)"
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
                "  try     {UNLOCK}, then mapstop in the same shell\n          {sudo}"
            )
        }
        LoadErrorKind::LockedDown => {
            writeln!(f, "cannot list BPF maps: this kernel is locked down")?;
            writeln!(
                f,
                "  kernel  {}, lockdown=confidentiality: BPF programs may not read its memory",
                error.release
            )?;
            write!(
                f,
                "  try     booting with lockdown=integrity, or without lockdown"
            )
        }
        LoadErrorKind::TooOld(release) => {
            let (major, minor) = FIRST_WITH_ITERATORS;
            writeln!(f, "cannot list BPF maps: this kernel is too old")?;
            writeln!(
                f,
                "  kernel  {release}; BPF iterators need Linux {major}.{minor} or later"
            )?;
            write!(f, "  try     bpftool map show")
        }
        LoadErrorKind::NoBtf(release) => {
            writeln!(f, "cannot list BPF maps: this kernel has no BTF")?;
            writeln!(f, "  kernel  {release}")?;
            writeln!(f, "  BTF     no {BTF}; {BTF_NEEDS_CONFIG}")?;
            write!(f, "  try     bpftool map show")
        }
        LoadErrorKind::NoSys => {
            writeln!(f, "cannot list BPF maps: cannot read the kernel's BTF")?;
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
    retry: &Retry,
    [missing, present]: [&[&str]; 2],
    uid: u32,
    details: &str,
) -> fmt::Result {
    let has = if present.is_empty() {
        "neither".to_owned()
    } else {
        format!("{}, not {}", present.join(" and "), missing.join(" and "))
    };
    writeln!(f, "cannot list BPF maps: operation not permitted (EPERM)")?;
    writeln!(f, "  needs   CAP_BPF and CAP_PERFMON to list maps")?;
    if missing.is_empty() {
        writeln!(
            f,
            "  has     both (uid {uid}); lockdown, seccomp or an LSM forbids it"
        )?;
        return write!(f, "  libbpf  {details}");
    }
    writeln!(f, "  has     {has} (uid {uid})")?;
    if uid == 0 {
        // The bounding set excludes them for this process and its children, so sudo does not help.
        return write!(
            f,
            "  try     in a container: {CAP_ADD}\n          in a systemd unit: CapabilityBoundingSet=CAP_BPF CAP_PERFMON\n  or      mapstop --replay FILE (needs no privileges)"
        );
    }
    let Retry { sudo, setcap } = retry;
    write!(
        f,
        "  try     {sudo}\n          {setcap}\n  or      mapstop --replay FILE (needs no privileges)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: LoadErrorKind) -> String {
        let error = LoadError {
            kind,
            release: "6.1.0".into(),
            details: "EINVAL (unknown helper)".to_owned(),
        };
        explain(&error, &Retry::new(None, &[]))
    }

    #[test]
    fn commands_repeat_what_was_run() {
        let retry = |program: &str, arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
            let Retry { sudo, setcap } = Retry::new(Some(Path::new(program)), &arguments);
            (sudo, setcap)
        };
        let (sudo, setcap) = retry("/usr/bin/mapstop", &["--once", "-d", "10"]);
        assert_eq!(sudo, "sudo mapstop --once -d 10");
        assert_eq!(setcap, SETCAP);
        // sudo does not look there, and setcap needs the file.
        let (sudo, setcap) = retry("/home/me/.cargo/bin/mapstop", &["advise"]);
        assert_eq!(sudo, "sudo /home/me/.cargo/bin/mapstop advise");
        assert!(
            setcap.ends_with("=ep /home/me/.cargo/bin/mapstop"),
            "{setcap}"
        );
        // Quotes are gone.
        let (sudo, _) = retry("/home/m e/mapstop", &["-f", "used>10 conn"]);
        assert_eq!(sudo, "sudo mapstop");
    }

    #[test]
    fn missing_capability_is_named_with_setcap() {
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
    fn root_without_capabilities_gets_no_sudo() {
        let text = message(LoadErrorKind::NotPermitted {
            missing: vec!["CAP_BPF", "CAP_PERFMON"],
            present: vec![],
            uid: 0,
        });
        assert!(text.contains("--cap-add=BPF"), "{text}");
        assert!(!text.contains("sudo"), "{text}");
    }

    #[test]
    fn refusal_in_spite_of_all_capabilities_gets_no_sudo() {
        let text = message(LoadErrorKind::NotPermitted {
            missing: vec![],
            present: vec!["CAP_BPF", "CAP_PERFMON"],
            uid: 0,
        });
        assert!(
            text.contains("lockdown, seccomp or an LSM forbids it"),
            "{text}"
        );
        assert!(!text.contains("sudo"), "{text}");
    }

    #[test]
    fn low_memlock_is_explained_with_prlimit() {
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
    fn kernel_without_support_is_explained() {
        let text = message(LoadErrorKind::TooOld("4.18.0-553.el8".into()));
        assert!(
            text.contains("kernel  4.18.0-553.el8; BPF iterators need Linux 5.8 or later"),
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
    fn other_obstacles_do_not_mention_capabilities() {
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
