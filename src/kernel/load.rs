//! Loads the iterator, and turns what can go wrong into what to do about it.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use caps::{CapSet, Capability};
use compact_str::CompactString;
use libbpf_rs::skel::{OpenSkel, Skel, SkelBuilder};
use libbpf_rs::{ErrorExt, ErrorKind as BpfError, Iter, Link, OpenObject, PrintLevel};
use rustix::fs::{MemfdFlags, memfd_create};

use super::owners::Iterators;
use super::skeleton::{IteratorsSkelBuilder, OpenIteratorsSkel, TYPE_NAMES};
use super::{btf, host};

/// The first kernel with BPF iterators.
const FIRST_WITH_ITERATORS: (u32, u32) = (5, 8);

/// Where a kernel describes its own structures.
const BTF: &str = "/sys/kernel/btf/vmlinux";

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
    /// The kernel is older than BPF iterators, or does not describe its structures.
    Unable {
        /// `uname -r`.
        release: CompactString,
        /// Whether it has BTF.
        has_btf: bool,
    },
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
                writeln!(f, "  try     sudo mapstop")?;
                write!(
                    f,
                    "          sudo setcap cap_bpf,cap_perfmon=ep $(command -v mapstop)\n  or      mapstop --replay FILE    needs no privilege"
                )
            }
            Obstacle::Unable { release, has_btf } => {
                let (major, minor) = FIRST_WITH_ITERATORS;
                writeln!(f, "this kernel cannot show its maps")?;
                writeln!(
                    f,
                    "  kernel  {release}    first with BPF iterators: {major}.{minor}"
                )?;
                if *has_btf {
                    writeln!(f, "  BTF     {BTF}")?;
                } else {
                    writeln!(f, "  BTF     no {BTF}: it needs CONFIG_DEBUG_INFO_BTF=y")?;
                }
                write!(f, "  try     bpftool map show")
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

/// libbpf prints through a callback without an argument; what it says waits here for the error.
static SAID: Mutex<String> = Mutex::new(String::new());

#[expect(
    clippy::needless_pass_by_value,
    reason = "libbpf-rs asks for this type"
)]
fn listen(_level: PrintLevel, line: String) {
    SAID.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push_str(&line);
}

/// Keeps off the screen what libbpf says.
pub fn listen_to_libbpf() {
    libbpf_rs::set_print(Some((PrintLevel::Warn, listen)));
}

/// What libbpf said since it was last asked.
pub fn said() -> String {
    std::mem::take(&mut *SAID.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The program that gives the facts of maps, as in `maps.bpf.c`.
const MAPS: &str = "maps";

/// What was loaded. Only links are kept: programs and object go with them.
#[derive(Debug)]
pub struct Loaded {
    /// The iterator of maps.
    pub maps: Link,
    /// Those of owners, if this kernel has all of them; else they are yet to be loaded.
    pub owners: Option<Iterators>,
    /// An excerpt of the kernel's BTF that serves all of them.
    pub btf: Option<File>,
}

/// Loads and attaches the iterators, those of owners only if they come with that of maps.
pub fn load() -> Result<Loaded, CannotStart> {
    listen_to_libbpf();
    // The excerpt only saves time: whatever is wrong with it, all of the BTF has the last word.
    let btf = btf_excerpt();
    let all = [&[MAPS], &Iterators::PROGRAMS[..]].concat();
    if let Ok(mut links) = try_load(btf.as_ref(), &all) {
        let maps = links.remove(0);
        let owners = Iterators::PROGRAMS.into_iter().zip(links).collect();
        return Ok(Loaded {
            maps,
            owners: Some(owners),
            btf,
        });
    }
    let maps = match try_load_maps(btf.as_ref()) {
        Ok(maps) => maps,
        Err(_) => {
            said();
            try_load_maps(None).map_err(|error| CannotStart {
                obstacle: obstacle(error.kind()),
                details: in_one_line(&error, &said()),
            })?
        }
    };
    Ok(Loaded {
        maps,
        owners: None,
        btf,
    })
}

/// A file in memory with the part of the kernel's BTF that the programs ask for.
pub fn btf_excerpt() -> Option<File> {
    let excerpt = btf::excerpt(&fs::read(BTF).ok()?, TYPE_NAMES)?;
    let mut file = File::from(memfd_create("btf", MemfdFlags::CLOEXEC).ok()?);
    file.write_all(&excerpt).ok()?;
    Some(file)
}

/// Opens the object with the programs of these names, to be fitted to the kernel by this BTF or by
/// the kernel's own.
fn open<'a>(
    object: &'a mut MaybeUninit<OpenObject>,
    btf: Option<&File>,
    names: &[&str],
) -> libbpf_rs::Result<OpenIteratorsSkel<'a>> {
    let mut builder = IteratorsSkelBuilder::default();
    if let Some(file) = btf {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        builder.obj_builder.btf_custom_path(path)?;
    }
    let mut open = builder.open(object).context("cannot open the iterators")?;
    for mut program in open.open_object_mut().progs_mut() {
        program.set_autoload(names.iter().any(|name| program.name() == *name));
    }
    Ok(open)
}

/// Loads and attaches the programs of these names, and gives their links in this order.
pub fn try_load(btf: Option<&File>, names: &[&str]) -> libbpf_rs::Result<Vec<Link>> {
    let mut object = MaybeUninit::uninit();
    let mut skeleton = open(&mut object, btf, names)?
        .load()
        .context("cannot load the iterators")?;
    let mut links: HashMap<_, _> = skeleton
        .object_mut()
        .progs_mut()
        .filter(|program| program.autoload())
        .map(|program| {
            let link = program.attach().context("cannot attach an iterator")?;
            // Some kernels ask for permission only here.
            Iter::new(&link).context("cannot open an iterator")?;
            Ok((program.name().to_owned(), link))
        })
        .collect::<libbpf_rs::Result<_>>()?;
    Ok(names
        .iter()
        .filter_map(|name| links.remove(OsStr::new(name)))
        .collect())
}

/// The iterator of maps alone.
fn try_load_maps(btf: Option<&File>) -> libbpf_rs::Result<Link> {
    Ok(try_load(btf, &[MAPS])?.remove(0))
}

/// What the error means here and now: asks for capabilities, version and BTF.
fn obstacle(kind: BpfError) -> Obstacle {
    let release = host::release();
    let has_btf = Path::new(BTF).exists();
    if is_too_old(&release) || !has_btf {
        return Obstacle::Unable { release, has_btf };
    }
    if kind != BpfError::PermissionDenied {
        return Obstacle::Failed;
    }
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
    let names = |list: Vec<(Capability, &'static str)>| list.into_iter().map(|(_, n)| n).collect();
    Obstacle::NotPermitted {
        missing: names(missing),
        held: names(held),
        uid: rustix::process::geteuid().as_raw(),
    }
}

/// Whether a kernel that calls itself so is older than BPF iterators; one that does not say is
/// not.
fn is_too_old(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < FIRST_WITH_ITERATORS,
        _ => false,
    }
}

/// The error, then what libbpf or the verifier complained about, in one line.
fn in_one_line(error: &libbpf_rs::Error, said: &str) -> String {
    let lines = || {
        said.lines()
            .map(|line| line.trim().trim_start_matches("libbpf: "))
            .filter(|line| !line.is_empty() && !line.starts_with("--"))
    };
    // The verifier's last words come before its statistics; libbpf's own say only that it failed.
    let complaint = lines()
        .take_while(|line| !line.starts_with("processed "))
        .filter(|line| !line.starts_with("failed to load"))
        .last();
    match complaint.or_else(|| lines().next_back()) {
        Some(complaint) => format!("{error:#} ({complaint})"),
        None => format!("{error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use libbpf_rs::libbpf_sys::bpf_map_create_opts;
    use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType};

    use super::*;
    use crate::kernel::Kernel;
    use crate::model::snapshot::MapFacts;
    use crate::model::source::Source;

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
    fn an_old_kernel_is_told_the_first_that_can() {
        let text = message(Obstacle::Unable {
            release: "4.18.0-553.el8".into(),
            has_btf: false,
        });
        assert!(
            text.contains("kernel  4.18.0-553.el8    first with BPF iterators: 5.8"),
            "{text}"
        );
        assert!(text.contains("no /sys/kernel/btf/vmlinux"), "{text}");
    }

    #[test]
    fn the_excerpt_makes_the_same_program_as_all_of_the_btf() {
        let program = |btf: Option<&File>| {
            let mut object = MaybeUninit::uninit();
            let open = open(&mut object, btf, &[MAPS]).expect("an object");
            let skeleton = open
                .load()
                .expect("permission to load programs: run as root");
            let instructions = skeleton.progs.maps.insns();
            assert!(instructions.len() > 1000);
            format!("{instructions:?}")
        };
        let excerpt = btf_excerpt().expect("an excerpt");
        assert!(program(Some(&excerpt)) == program(None));
    }

    #[test]
    fn libbpf_is_quoted_in_one_line() {
        let text = message(Obstacle::Failed);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("EINVAL (unknown helper)"), "{text}");
    }
    fn map(map_type: MapType, key_size: u32, value_size: u32, max_entries: u32) -> MapHandle {
        let options = bpf_map_create_opts {
            sz: size_of::<bpf_map_create_opts>() as u64,
            ..Default::default()
        };
        let name = Some("excerpt");
        MapHandle::create(map_type, name, key_size, value_size, max_entries, &options)
            .unwrap_or_else(|error| panic!("{map_type:?}: {error}; this test needs root"))
    }

    #[test]
    fn records_are_the_same_by_the_excerpt_and_by_all_of_the_btf() {
        let maps = [
            map(MapType::Hash, 4, 8, 10),
            map(MapType::LruHash, 4, 16, 100),
            map(MapType::Array, 4, 8, 11),
            map(MapType::PerfEventArray, 4, 4, 12),
            map(MapType::StackTrace, 4, 80, 13),
            map(MapType::Queue, 0, 4, 14),
            map(MapType::RingBuf, 0, 0, 1 << 16),
            map(MapType::Devmap, 4, 4, 15),
            map(MapType::DevmapHash, 4, 4, 16),
            map(MapType::Sockmap, 4, 4, 17),
            map(MapType::Sockhash, 4, 4, 18),
            map(MapType::Cpumap, 4, 4, 2),
            map(MapType::Xskmap, 4, 4, 19),
            map(MapType::ReuseportSockarray, 4, 4, 20),
        ];
        for key in 0..3_u32 {
            maps[0]
                .update(&key.to_ne_bytes(), &[7; 8], MapFlags::ANY)
                .expect("an entry");
        }
        let ids = maps.each_ref().map(|map| map.info().expect("info").info.id);
        let facts = |link| -> Vec<MapFacts> {
            let snapshot = Kernel::over(link).sample().expect("a sample");
            let snapshot = snapshot.expect("a kernel always has one more");
            let ours = |map: &MapFacts| ids.contains(&map.key.id.0);
            snapshot.maps.into_iter().filter(ours).collect()
        };
        let excerpt = btf_excerpt().expect("an excerpt");
        let by_excerpt = facts(try_load_maps(Some(&excerpt)).expect("to load"));
        assert_eq!(by_excerpt, facts(try_load_maps(None).expect("to load")));
        assert_eq!(by_excerpt.len(), maps.len());
        assert_eq!(by_excerpt[0].used, Some(3));
        assert!(by_excerpt.iter().all(|map| map.layout.container_size > 0));
    }

    #[test]
    fn the_verifiers_reason_is_found_among_libbpfs_lines() {
        let said = "libbpf: prog 'maps': BPF program load failed: Invalid argument\n\
                    libbpf: prog 'maps': -- BEGIN PROG LOAD LOG --\n\
                    0: R1=ctx() R10=fp0\n\
                    invalid func unknown#195896080\n\
                    processed 265 insns (limit 1000000)\n\
                    -- END PROG LOAD LOG --\n\
                    libbpf: prog 'maps': failed to load: -22\n\
                    libbpf: failed to load object 'maps_bpf'\n";
        let error = libbpf_rs::Error::from_raw_os_error(22);
        let line = in_one_line(&error, said);
        assert!(line.ends_with("(invalid func unknown#195896080)"), "{line}");
        assert!(in_one_line(&error, "libbpf: failed to load object\n").contains("failed to load"));
    }
}
