//! Loads the ownership iterators.

use std::fs::File;

use libbpf_rs::Link;

use crate::source::kernel::bpf::loader::{self, Loaded, try_load};
use crate::types::load_error::LoadError;

/// The names of the programs in `holder_iter.bpf.c`.
const FDS: &str = "mapstop_fds";
const MMAPS: &str = "mapstop_mmaps";
const PROGS: &str = "mapstop_progs";
const MEMCGS: &str = "mapstop_memcgs";

/// The ownership iterators that this kernel has.
#[derive(Debug, Default)]
pub struct Iterators {
    /// File descriptors of all processes.
    pub descriptors: Option<Link>,
    /// Mappings of all processes.
    pub mappings: Option<Link>,
    /// Maps that programs use.
    pub programs: Option<Link>,
    /// All maps and the cgroups that they are charged to.
    pub memcgs: Option<Link>,
}

impl Iterators {
    pub const PROGRAMS: [&str; 4] = [FDS, MMAPS, PROGS, MEMCGS];

    /// Loads the iterator of maps, together with these if this kernel has all of them.
    pub(crate) fn load_with_maps() -> Result<(Link, Option<Self>, Option<File>), LoadError> {
        let Loaded { maps, others, btf } = loader::load(&Self::PROGRAMS)?;
        Ok((maps, others.map(Self::from_iter), btf))
    }

    fn link_slot(&mut self, name: &str) -> Option<&mut Option<Link>> {
        Some(match name {
            FDS => &mut self.descriptors,
            MMAPS => &mut self.mappings,
            PROGS => &mut self.programs,
            MEMCGS => &mut self.memcgs,
            _ => return None,
        })
    }

    /// Loads and attaches what this kernel and the capabilities of this thread allow, one by one, so that
    /// a failure does not affect the others. Each is tried with the excerpt of the kernel's BTF first.
    pub fn load(excerpt: Option<&File>) -> Self {
        let load_one = |name| {
            let mut tries = [excerpt, None].into_iter();
            let link = tries.find_map(|btf| try_load(btf, &[name]).ok()?.pop())?;
            Some((name, link))
        };
        Self::PROGRAMS.into_iter().filter_map(load_one).collect()
    }
}

/// From the names of programs and their links.
impl<'a> FromIterator<(&'a str, Link)> for Iterators {
    fn from_iter<T: IntoIterator<Item = (&'a str, Link)>>(links: T) -> Self {
        let mut iterators = Self::default();
        for (name, link) in links {
            if let Some(place) = iterators.link_slot(name) {
                *place = Some(link);
            }
        }
        iterators
    }
}
