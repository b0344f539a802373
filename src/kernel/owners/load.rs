//! Loads the owners' iterators, each that this kernel has.

use std::fs::File;
use std::mem::MaybeUninit;

use libbpf_rs::skel::{OpenSkel, Skel, SkelBuilder};
use libbpf_rs::{Iter, Link, OpenObject};

use super::skeleton::{OwnersSkelBuilder, TYPE_NAMES};
use crate::kernel::load::{btf_excerpt, path_of};

/// The iterators that could be loaded.
#[derive(Debug, Default)]
pub struct Iterators {
    /// Of the descriptors of all processes.
    pub descriptors: Option<Link>,
    /// Of their mappings.
    pub mappings: Option<Link>,
    /// Of the maps that programs use.
    pub programs: Option<Link>,
    /// Of all maps and who pays for them.
    pub payers: Option<Link>,
}

impl Iterators {
    /// Where the link to a program of this name is kept.
    fn place(&mut self, name: &str) -> Option<&mut Option<Link>> {
        Some(match name {
            "descriptors" => &mut self.descriptors,
            "mappings" => &mut self.mappings,
            "programs" => &mut self.programs,
            "payers" => &mut self.payers,
            _ => return None,
        })
    }
}

/// The names of the programs, as in `owners.bpf.c`.
const PROGRAMS: [&str; 4] = ["descriptors", "mappings", "programs", "payers"];

/// Loads and attaches what this kernel and this thread's capabilities allow. `excerpt` is one of the
/// kernel's BTF that has [`TYPE_NAMES`], if there is one already.
pub fn load(excerpt: Option<File>) -> Iterators {
    let excerpt = excerpt.or_else(|| btf_excerpt(TYPE_NAMES));
    let mut iterators = Iterators::default();
    // One object for all, where all of them are there: from 5.12 on.
    if try_load(excerpt.as_ref(), &PROGRAMS, &mut iterators).is_ok() {
        return iterators;
    }
    // Else one by one, so that one that is missing does not fail the others; and by all of the
    // BTF, which has the last word over the excerpt.
    for name in &PROGRAMS {
        for btf in [excerpt.as_ref(), None] {
            if try_load(btf, &[name], &mut iterators).is_ok() {
                break;
            }
        }
    }
    iterators
}

/// Loads the programs of these names, fitted to the kernel by this BTF or by the kernel's own.
fn try_load(
    btf: Option<&File>,
    names: &[&str],
    iterators: &mut Iterators,
) -> libbpf_rs::Result<()> {
    let mut object: MaybeUninit<OpenObject> = MaybeUninit::uninit();
    let mut builder = OwnersSkelBuilder::default();
    if let Some(file) = btf {
        builder.obj_builder.btf_custom_path(path_of(file))?;
    }
    let mut open = builder.open(&mut object)?;
    for mut program in open.open_object_mut().progs_mut() {
        let is_wanted = names.iter().any(|name| program.name() == *name);
        program.set_autoload(is_wanted);
    }
    let mut skeleton = open.load()?;
    for program in skeleton.object_mut().progs_mut() {
        let name = program.name().to_string_lossy();
        let Some(place) = names
            .contains(&&*name)
            .then(|| iterators.place(&name))
            .flatten()
        else {
            continue;
        };
        let link = program.attach()?;
        // Some kernels ask for permission only here.
        Iter::new(&link)?;
        *place = Some(link);
    }
    Ok(())
}
