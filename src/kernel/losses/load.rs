//! Loads the tracers and attaches them one by one; what the kernel refuses is noted and left out.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};

use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::{Func, Typedef};
use libbpf_rs::{ErrorKind, Link, Object, ObjectBuilder};

use super::skeleton::OBJECT;
use super::slots::Slots;
use super::tracers::{Hook, Outcome, TRACERS, Tracer, Types, next_wanted};
use crate::kernel::load::said;

/// Why no function can be traced, where it is not for one of them.
pub const NO_TRAMPOLINES: &str = "this kernel refuses BPF trampolines";

/// The tracers that could be loaded, and those of them that count.
#[derive(Debug)]
pub struct Tracers {
    /// Those that count; they are detached when this is dropped, before what they hang on.
    links: Vec<Link>,
    /// What was loaded, all in one if that was possible.
    objects: Vec<Object>,
    /// What came of each of [`TRACERS`].
    outcomes: Vec<Outcome>,
}

impl Tracers {
    /// Loads what this kernel lets itself be traced by. Nothing counts yet.
    pub fn load(slots: &Slots) -> Self {
        let mut tracers = Self {
            links: Vec::new(),
            objects: Vec::new(),
            outcomes: missing(),
        };
        let there: Vec<_> = tracers.untried().collect();
        match try_load(slots, &there) {
            Ok(object) => tracers.objects.push(object),
            Err(_) => tracers.load_one_by_one(slots),
        }
        // The reasons are for those who debug.
        said();
        tracers
    }

    /// So that one that is refused does not take the others with it.
    fn load_one_by_one(&mut self, slots: &Slots) {
        let there: Vec<_> = self.untried().collect();
        let mut are_functions_refused = false;
        for at in there {
            let tracer = &TRACERS[at];
            let is_function = tracer.hook == Hook::Function;
            if is_function && are_functions_refused {
                self.outcomes[at] = Outcome::Refused(NO_TRAMPOLINES.into());
                continue;
            }
            match try_load(slots, &[at]) {
                Ok(object) => self.objects.push(object),
                // A policy, which does not look at what is traced.
                Err(error) if is_function && error.kind() == ErrorKind::PermissionDenied => {
                    are_functions_refused = true;
                    self.outcomes[at] = Outcome::Refused(NO_TRAMPOLINES.into());
                }
                Err(_) => {
                    let why = format!("this kernel does not load a tracer of {}", tracer.target);
                    self.outcomes[at] = Outcome::Refused(why.into());
                }
            }
        }
    }

    /// Attaches those that count for these types.
    pub fn attach(&mut self, types: Types) {
        // One at a time: what is refused may be wanted in another way.
        while let Some(at) = next_wanted(types, &self.outcomes) {
            self.outcomes[at] = match self.try_attach(&TRACERS[at]) {
                Some(link) => {
                    self.links.push(link);
                    Outcome::Attached
                }
                None => {
                    let target = TRACERS[at].target;
                    let why = format!("this kernel does not let {target} be traced");
                    Outcome::Refused(why.into())
                }
            };
        }
        said();
    }

    fn try_attach(&self, tracer: &Tracer) -> Option<Link> {
        let mut programs = self.objects.iter().flat_map(Object::progs_mut);
        let program = programs.find(|program| program.name() == tracer.program)?;
        program.attach().ok()
    }

    /// What came of each of [`TRACERS`].
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Why nothing can be traced at all, if so.
    pub fn is_refused(&self) -> bool {
        let no_trampolines = Outcome::Refused(NO_TRAMPOLINES.into());
        self.outcomes.contains(&no_trampolines)
    }

    fn untried(&self) -> impl Iterator<Item = usize> {
        (0..TRACERS.len()).filter(|at| self.outcomes[*at] == Outcome::Untried)
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

/// The number of them in what the kernel says of a program's descriptor.
fn recursion_misses(info: &str) -> Option<u64> {
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("recursion_misses:"))?;
    line.trim().parse().ok()
}

/// What is known before anything was tried: whether there is something to trace.
fn missing() -> Vec<Outcome> {
    let Ok(btf) = Btf::from_vmlinux() else {
        return vec![Outcome::Missing; TRACERS.len()];
    };
    let is_there = |tracer: &Tracer| match tracer.hook {
        Hook::Function => btf.type_by_name::<Func<'_>>(tracer.target).is_some(),
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
fn try_load(slots: &Slots, tracers: &[usize]) -> libbpf_rs::Result<Object> {
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
