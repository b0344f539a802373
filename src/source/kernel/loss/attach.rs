//! Loads the tracers and attaches them one by one; those that the kernel refuses are left out.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, AsRawFd};

use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::{Func, Typedef};
use libbpf_rs::{Error, Link, Object, ObjectBuilder, ProgramMut};
use rustix::io::Errno;

use super::counters::CounterMaps;
use super::registry::{Hook, MapTypeSet, Outcome, RefusedReason, TRACERS, Tracer, next_wanted};
use crate::source::kernel::bpf::errno::{errno_suffix, raw_os_error};
use crate::source::kernel::bpf::libbpf_log::take_log;
use crate::source::kernel::bpf::loss_skel::OBJECT;
use crate::source::kernel::host;

/// The tracers that are loaded, and those of them that are attached.
#[derive(Debug)]
pub struct Tracers {
    /// Declared before the objects, so that the tracers are detached before they are unloaded.
    links: Vec<Link>,
    objects: Vec<Object>,
    /// The outcome of each of [`TRACERS`].
    outcomes: Vec<Outcome>,
}

impl Tracers {
    /// Looks up which targets this kernel has. Nothing is loaded yet.
    pub fn new() -> Self {
        Self {
            links: Vec::new(),
            objects: Vec::new(),
            outcomes: initial_outcomes(),
        }
    }

    /// Loads and attaches the tracers of these types, to count in these maps.
    pub fn attach(&mut self, types: MapTypeSet, counters: &CounterMaps) {
        let is_first = self.objects.is_empty();
        let untried = (0..TRACERS.len()).filter(|at| {
            let tracer = &TRACERS[*at];
            self.outcomes[*at] == Outcome::Untried
                && self.program(tracer).is_none()
                // At least one the first time, to learn whether any can be loaded.
                && (types.has_any(tracer.types) || (is_first && *at == 0))
        });
        let untried: Vec<_> = untried.collect();
        if !untried.is_empty() {
            self.load(&untried, counters);
        }
        // One at a time: a tracer that is refused may have a fallback.
        while let Some(at) = next_wanted(types, &self.outcomes) {
            let tracer = &TRACERS[at];
            self.outcomes[at] = match self.try_attach(tracer) {
                Ok(link) => {
                    self.links.push(link);
                    Outcome::Attached(host::now().uptime)
                }
                // With one attached, it is this function that cannot be traced: it has too many arguments.
                Err(error)
                    if tracer.hook == Hook::Function
                        && is_unsupported(&error)
                        && !has_function(&self.outcomes) =>
                {
                    self.refuse_functions();
                    Outcome::Refused(RefusedReason::NoTrampolines)
                }
                Err(error) => Outcome::Refused(RefusedReason::CannotAttach {
                    target: tracer.target,
                    errno: errno_suffix(&error),
                }),
            };
        }
        if is_first {
            self.probe_attaching();
        }
        // The reasons are for those who debug.
        take_log();
    }

    /// Attaches a tracer for a moment if none was wanted yet, to learn whether any can be: some kernels load
    /// them and attach none.
    fn probe_attaching(&mut self) {
        let tracer = &TRACERS[0];
        let is_tried =
            |outcome: &Outcome| matches!(outcome, Outcome::Attached(_) | Outcome::Refused(_));
        if self.outcomes.iter().any(is_tried) || self.program(tracer).is_none() {
            return;
        }
        let attached = self.try_attach(tracer);
        if attached.is_err_and(|error| is_unsupported(&error)) {
            self.refuse_functions();
        }
    }

    /// Loads all of these in one object if possible: each object takes a search through the kernel's BTF.
    fn load(&mut self, tracers: &[usize], counters: &CounterMaps) {
        if let Ok(object) = try_load(counters, tracers) {
            self.objects.push(object);
            return;
        }
        for at in tracers {
            // The one before may have shown that no function can be traced.
            if self.outcomes[*at] != Outcome::Untried {
                continue;
            }
            let tracer = &TRACERS[*at];
            match try_load(counters, &[*at]) {
                Ok(object) => self.objects.push(object),
                // A policy forbids tracing, whatever the function.
                Err(error) if tracer.hook == Hook::Function && is_forbidden(&error) => {
                    self.refuse_functions();
                }
                Err(error) => {
                    self.outcomes[*at] = Outcome::Refused(RefusedReason::CannotLoad {
                        target: tracer.target,
                        errno: errno_suffix(&error),
                    });
                }
            }
        }
    }

    fn refuse_functions(&mut self) {
        for (tracer, outcome) in TRACERS.iter().zip(&mut self.outcomes) {
            if tracer.hook == Hook::Function && *outcome == Outcome::Untried {
                *outcome = Outcome::Refused(RefusedReason::NoTrampolines);
            }
        }
    }

    fn try_attach(&self, tracer: &Tracer) -> libbpf_rs::Result<Link> {
        let program = self.program(tracer);
        program
            .ok_or_else(|| Error::from_raw_os_error(Errno::NOENT.raw_os_error()))?
            .attach()
    }

    /// `None` if it is not loaded.
    fn program(&self, tracer: &Tracer) -> Option<ProgramMut<'_>> {
        let mut programs = self.objects.iter().flat_map(Object::progs_mut);
        programs.find(|program| program.autoload() && program.name() == tracer.program)
    }

    /// The outcome of each of [`TRACERS`].
    pub(crate) fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Whether no function can be traced, and no tracepoint is.
    pub fn is_refused(&self) -> bool {
        counts_nothing(&self.outcomes)
    }

    /// Calls that a tracer missed, since they interrupted it; 0 before 5.12, which does not count them.
    pub fn misses(&self) -> u64 {
        let programs = self.objects.iter().flat_map(Object::progs);
        let misses = programs.filter_map(|program| {
            // A program that was not loaded has no descriptor.
            let fd = program.autoload().then(|| program.as_fd().as_raw_fd())?;
            let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
            recursion_misses(&info)
        });
        misses.sum()
    }
}

/// Whether no function of this kernel can be traced.
pub(crate) fn refuses_functions(outcomes: &[Outcome]) -> bool {
    outcomes.contains(&Outcome::Refused(RefusedReason::NoTrampolines))
}

/// Whether a function is traced.
fn has_function(outcomes: &[Outcome]) -> bool {
    TRACERS.iter().zip(outcomes).any(|(tracer, outcome)| {
        tracer.hook == Hook::Function && matches!(outcome, Outcome::Attached(_))
    })
}

/// Why no function is traced; `None` if one is, or if none was refused.
pub(crate) fn function_refusal(outcomes: &[Outcome]) -> Option<&RefusedReason> {
    if has_function(outcomes) {
        return None;
    }
    let refused = TRACERS
        .iter()
        .zip(outcomes)
        .filter_map(|(tracer, outcome)| match outcome {
            Outcome::Refused(why) if tracer.hook == Hook::Function => Some(why),
            _ => None,
        });
    // That of all of them rather than that of one.
    refused.min_by_key(|why| **why != RefusedReason::NoTrampolines)
}

/// Whether no function can be traced, and no tracepoint is.
pub fn counts_nothing(outcomes: &[Outcome]) -> bool {
    refuses_functions(outcomes) && !has_attached(outcomes)
}

/// Whether anything is traced.
pub(crate) fn has_attached(outcomes: &[Outcome]) -> bool {
    let is_attached = |outcome: &Outcome| matches!(outcome, Outcome::Attached(_));
    outcomes.iter().any(is_attached)
}

/// Whether a policy forbids it (EPERM). libbpf-rs has the same `ErrorKind` for EACCES, with which the
/// verifier refuses a program.
fn is_forbidden(error: &Error) -> bool {
    raw_os_error(error) == Some(Errno::PERM.raw_os_error())
}

/// Whether the kernel loads such programs and cannot attach any of them (ENOTSUPP): on arm64 before 6.2 it had no
/// trampolines yet.
fn is_unsupported(error: &Error) -> bool {
    raw_os_error(error) == Some(crate::types::errno::Errno::ENOTSUPP.0.into())
}

/// Reads the `fdinfo` of a program.
fn recursion_misses(info: &str) -> Option<u64> {
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("recursion_misses:"))?;
    line.trim().parse().ok()
}

/// Before anything was tried: whether the kernel has the target.
fn initial_outcomes() -> Vec<Outcome> {
    let Ok(btf) = Btf::from_vmlinux() else {
        return vec![Outcome::Missing; TRACERS.len()];
    };
    // Not `type_by_name`: it goes through the BTF once for each name, and finds nothing where the first
    // type of this name is of another kind.
    let functions: HashSet<_> = btf
        .type_by_kind::<Func<'_>>()
        .filter_map(|function| function.name())
        .filter(|name| TRACERS.iter().any(|tracer| *name == tracer.target))
        .collect();
    let tracepoints: HashSet<_> = btf
        .type_by_kind::<Typedef<'_>>()
        .filter_map(|typedef| typedef.name()?.to_str()?.strip_prefix("btf_trace_"))
        .filter(|name| TRACERS.iter().any(|tracer| *name == tracer.target))
        .collect();
    let is_there = |tracer: &Tracer| match tracer.hook {
        Hook::Function => functions.contains(OsStr::new(tracer.target)),
        Hook::Tracepoint => tracepoints.contains(tracer.target),
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

/// Loads the programs of these tracers, to count in these maps.
fn try_load(counters: &CounterMaps, tracers: &[usize]) -> libbpf_rs::Result<Object> {
    let mut object = ObjectBuilder::default().open_memory(OBJECT)?;
    for mut map in object.maps_mut() {
        if let Some(fd) = map.name().to_str().and_then(|name| counters.map(name)) {
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
    fn missed_runs_are_read_from_fdinfo() {
        let info = "pos:\t0\nprog_type:\t26\nrun_cnt:\t0\nrecursion_misses:\t31\n";
        assert_eq!(recursion_misses(info), Some(31));
        // As before 5.12.
        assert_eq!(recursion_misses("pos:\t0\nprog_type:\t26\n"), None);
    }

    #[test]
    fn a_policy_is_not_the_verifier() {
        let error = |errno: Errno| Error::from_raw_os_error(errno.raw_os_error());
        assert!(is_forbidden(&error(Errno::PERM)));
        assert!(!is_forbidden(&error(Errno::ACCESS)));
        assert!(!is_forbidden(&error(Errno::INVAL)));
    }

    #[test]
    fn no_trampolines_and_no_such_function_are_different_errors() {
        let is_unsupported = |errno| is_unsupported(&Error::from_raw_os_error(errno));
        assert!(is_unsupported(524));
        assert!(!is_unsupported(Errno::NOENT.raw_os_error()));
    }

    #[test]
    fn every_program_is_a_tracer_and_the_only_maps_are_slots() {
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
