//! Loads the tracers and attaches them one by one; what the kernel refuses is noted and left out.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};
use std::{fs, io};

use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::{Func, Typedef};
use libbpf_rs::{Error, Link, Object, ObjectBuilder, ProgramMut};
use rustix::io::Errno;

use super::counters::CounterMaps;
use super::registry::{Hook, MapTypeSet, Outcome, TRACERS, Tracer, next_wanted};
use crate::source::kernel::bpf::libbpf_log::take_log;
use crate::source::kernel::bpf::loss_skel::OBJECT;
use crate::source::kernel::host;

/// Why no function can be traced, where it is not for one of them.
pub const NO_TRAMPOLINES: &str = "this kernel refuses BPF trampolines";

/// The tracers that could be loaded, and those of them that count.
#[derive(Debug)]
pub struct Tracers {
    /// Those that count; they are detached when this is dropped, before what they hang on.
    links: Vec<Link>,
    /// What was loaded.
    objects: Vec<Object>,
    /// What came of each of [`TRACERS`].
    outcomes: Vec<Outcome>,
}

impl Tracers {
    /// Knows what there is to trace. Nothing is loaded yet.
    pub fn new() -> Self {
        Self {
            links: Vec::new(),
            objects: Vec::new(),
            outcomes: initial_outcomes(),
        }
    }

    /// Loads and attaches those that count for these types, into these slots.
    pub fn attach(&mut self, types: MapTypeSet, slots: &CounterMaps) {
        let is_first = self.objects.is_empty();
        let untried = (0..TRACERS.len()).filter(|at| {
            let tracer = &TRACERS[*at];
            self.outcomes[*at] == Outcome::Untried
                && self.program(tracer).is_none()
                // At first one at least, to know whether any can be.
                && (types.has_any(tracer.types) || (is_first && *at == 0))
        });
        let untried: Vec<_> = untried.collect();
        if !untried.is_empty() {
            self.load(&untried, slots);
        }
        // One at a time: what is refused may be wanted in another way.
        while let Some(at) = next_wanted(types, &self.outcomes) {
            self.outcomes[at] = match self.try_attach(&TRACERS[at]) {
                Ok(link) => {
                    self.links.push(link);
                    Outcome::Attached(host::now().uptime)
                }
                Err(error) => {
                    let target = TRACERS[at].target;
                    let why = format!("this kernel does not let {target} be traced");
                    Outcome::Refused((why + &errno_suffix(&error)).into())
                }
            };
        }
        // The reasons are for those who debug.
        take_log();
    }

    /// Loads these, all in one if that can be: it takes a search through the kernel's BTF.
    fn load(&mut self, tracers: &[usize], slots: &CounterMaps) {
        if let Ok(object) = try_load(slots, tracers) {
            self.objects.push(object);
            return;
        }
        for at in tracers {
            // Those before it may have shown that none can be.
            if self.outcomes[*at] != Outcome::Untried {
                continue;
            }
            let tracer = &TRACERS[*at];
            match try_load(slots, &[*at]) {
                Ok(object) => self.objects.push(object),
                // A policy, which does not look at what is traced.
                Err(error) if tracer.hook == Hook::Function && is_forbidden(&error) => {
                    self.refuse_functions();
                }
                Err(error) => {
                    let why = format!("this kernel does not load a tracer of {}", tracer.target);
                    self.outcomes[*at] = Outcome::Refused((why + &errno_suffix(&error)).into());
                }
            }
        }
    }

    fn refuse_functions(&mut self) {
        for (tracer, outcome) in TRACERS.iter().zip(&mut self.outcomes) {
            if tracer.hook == Hook::Function && *outcome == Outcome::Untried {
                *outcome = Outcome::Refused(NO_TRAMPOLINES.into());
            }
        }
    }

    fn try_attach(&self, tracer: &Tracer) -> libbpf_rs::Result<Link> {
        // Loaded or refused before.
        let program = self.program(tracer);
        program
            .ok_or_else(|| Error::from_raw_os_error(Errno::NOENT.raw_os_error()))?
            .attach()
    }

    /// The program of a tracer, if it is loaded.
    fn program(&self, tracer: &Tracer) -> Option<ProgramMut<'_>> {
        let mut programs = self.objects.iter().flat_map(Object::progs_mut);
        programs.find(|program| program.autoload() && program.name() == tracer.program)
    }

    /// What came of each of [`TRACERS`].
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Whether no function can be traced, and nothing else is.
    pub fn is_refused(&self) -> bool {
        refuses_functions(&self.outcomes) && self.links.is_empty()
    }

    /// Calls that went by unseen, since a tracer was interrupted by what it traces; 0 before 5.12,
    /// which does not count them.
    pub fn misses(&self) -> u64 {
        let programs = self.objects.iter().flat_map(Object::progs);
        let misses = programs.filter_map(|program| {
            // Of one that was not to be loaded there is none.
            let fd = program.autoload().then(|| program.as_fd().as_raw_fd())?;
            let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
            recursion_misses(&info)
        });
        misses.sum()
    }
}

/// Whether no function of this kernel can be traced.
pub fn refuses_functions(outcomes: &[Outcome]) -> bool {
    outcomes.contains(&Outcome::Refused(NO_TRAMPOLINES.into()))
}

/// Whether it is not permitted (EPERM). The verifier does not accept a program by EACCES, which
/// libbpf-rs calls by the same kind; so they are told apart by what they say.
fn is_forbidden(error: &Error) -> bool {
    let not_permitted = io::Error::from(Errno::PERM).to_string();
    format!("{error:#}").contains(&not_permitted)
}

/// The names of the errors by which a kernel refuses a tracer. Of 524 (`ENOTSUPP`), which is no error
/// of the system's, even the system has no name.
const NAMES: [(i32, &str); 9] = [
    (1, "EPERM"),
    (2, "ENOENT"),
    (7, "E2BIG"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (16, "EBUSY"),
    (22, "EINVAL"),
    (95, "EOPNOTSUPP"),
    (524, "ENOTSUPP"),
];

/// The error's name, or else its number, to be put behind what it came of; nothing if it is none of
/// the kernel's. libbpf-rs gives the number in words only.
fn errno_suffix(error: &Error) -> String {
    let said = format!("{error:#}");
    let number = said.rsplit_once("(os error ");
    let number = number.and_then(|(_, rest)| rest.split(')').next()?.parse::<i32>().ok());
    let Some(number) = number else {
        return String::new();
    };
    match NAMES.iter().find(|(errno, _)| *errno == number) {
        Some((_, name)) => format!(" ({name})"),
        None => format!(" (error {number})"),
    }
}

/// The number of them in what the kernel says of a program's descriptor.
fn recursion_misses(info: &str) -> Option<u64> {
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("recursion_misses:"))?;
    line.trim().parse().ok()
}

/// What is known before anything was tried: whether there is something to trace.
fn initial_outcomes() -> Vec<Outcome> {
    let Ok(btf) = Btf::from_vmlinux() else {
        return vec![Outcome::Missing; TRACERS.len()];
    };
    // One pass: to ask for each by its name takes one every time.
    let functions: HashSet<_> = btf
        .type_by_kind::<Func<'_>>()
        .filter_map(|function| function.name())
        .filter(|name| TRACERS.iter().any(|tracer| *name == tracer.target))
        .collect();
    let is_there = |tracer: &Tracer| match tracer.hook {
        Hook::Function => functions.contains(OsStr::new(tracer.target)),
        Hook::Tracepoint => {
            let name = format!("btf_trace_{}", tracer.target);
            btf.type_by_name::<Typedef<'_>>(&name).is_some()
        }
    };
    let outcomes = TRACERS.iter().map(|tracer| {
        if is_there(tracer) {
            Outcome::Untried
        } else {
            Outcome::Missing
        }
    });
    outcomes.collect()
}

/// Loads the programs of these tracers, to count in these slots.
fn try_load(slots: &CounterMaps, tracers: &[usize]) -> libbpf_rs::Result<Object> {
    let mut object = ObjectBuilder::default().open_memory(OBJECT)?;
    for mut map in object.maps_mut() {
        if let Some(fd) = map.name().to_str().and_then(|name| slots.map(name)) {
            map.reuse_fd(fd)?;
        }
    }
    for mut program in object.progs_mut() {
        let is_wanted = tracers
            .iter()
            .any(|at| program.name() == TRACERS[*at].program);
        program.set_autoload(is_wanted);
    }
    object.load()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_missed_stands_in_its_descriptor() {
        let info = "pos:\t0\nprog_type:\t26\nrun_cnt:\t0\nrecursion_misses:\t31\n";
        assert_eq!(recursion_misses(info), Some(31));
        // As before 5.12.
        assert_eq!(recursion_misses("pos:\t0\nprog_type:\t26\n"), None);
    }

    #[test]
    fn a_policy_is_not_the_verifier() {
        let of = |errno: Errno| Error::from_raw_os_error(errno.raw_os_error());
        assert!(is_forbidden(&of(Errno::PERM)));
        assert!(!is_forbidden(&of(Errno::ACCESS)));
        assert!(!is_forbidden(&of(Errno::INVAL)));
    }

    #[test]
    fn the_error_is_named() {
        let of = |errno| errno_suffix(&Error::from_raw_os_error(errno));
        assert_eq!(of(Errno::BUSY.raw_os_error()), " (EBUSY)");
        assert_eq!(of(524), " (ENOTSUPP)");
        assert_eq!(of(Errno::NOSYS.raw_os_error()), " (error 38)");
        assert_eq!(
            errno_suffix(&Error::from(io::Error::other("no such thing"))),
            ""
        );
    }

    #[test]
    fn every_program_of_the_object_is_a_tracer_and_it_makes_no_map_but_the_slots() {
        let mut object = ObjectBuilder::default()
            .open_memory(OBJECT)
            .expect("the object");
        let maps: Vec<_> = object.maps().map(|map| map.name().to_owned()).collect();
        assert_eq!(maps, ["ms_loss_slots", "ms_loss_records"]);
        let mut programs = 0;
        for program in object.progs_mut() {
            programs += 1;
            let name = program.name();
            let tracer = TRACERS.iter().find(|tracer| name == tracer.program);
            let tracer = tracer.unwrap_or_else(|| panic!("{} is no tracer", name.display()));
            let hook = match tracer.hook {
                Hook::Function => "fexit",
                Hook::Tracepoint => "tp_btf",
            };
            let section = format!("{hook}/{}", tracer.target);
            assert_eq!(program.section(), section.as_str());
        }
        assert_eq!(programs, TRACERS.len());
    }
}
