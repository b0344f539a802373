//! The owners' iterators, each that this kernel has.

use std::fs::File;

use libbpf_rs::Link;

use crate::source::kernel::bpf::loader::{self, Loaded, try_load};
use crate::types::load_error::LoadError;

/// The names of the programs in `holder_iter.bpf.c`.
const FDS: &str = "mapstop_fds";
const MMAPS: &str = "mapstop_mmaps";
const PROGS: &str = "mapstop_progs";
const MEMCGS: &str = "mapstop_memcgs";

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
    pub const PROGRAMS: [&str; 4] = [FDS, MMAPS, PROGS, MEMCGS];

    /// Loads the iterator of maps, and these with it where this kernel has all of them.
    pub fn load_with_maps() -> Result<(Link, Option<Self>, Option<File>), LoadError> {
        let Loaded { maps, others, btf } = loader::load(&Self::PROGRAMS)?;
        Ok((maps, others.map(Self::from_iter), btf))
    }

    /// Where the link to a program of this name is kept.
    fn place(&mut self, name: &str) -> Option<&mut Option<Link>> {
        Some(match name {
            FDS => &mut self.descriptors,
            MMAPS => &mut self.mappings,
            PROGS => &mut self.programs,
            MEMCGS => &mut self.payers,
            _ => return None,
        })
    }

    /// Loads and attaches what this kernel and this thread's capabilities allow, one by one, so that
    /// one that is missing does not fail the others. `excerpt` is one of the kernel's BTF; all of the
    /// BTF has the last word.
    pub fn load(excerpt: Option<&File>) -> Self {
        let load_one = |name| {
            let mut tries = [excerpt, None].into_iter();
            let link = tries.find_map(|btf| try_load(btf, &[name]).ok()?.pop())?;
            Some((name, link))
        };
        Self::PROGRAMS.into_iter().filter_map(load_one).collect()
    }
}

/// Of programs by their names.
impl<'a> FromIterator<(&'a str, Link)> for Iterators {
    fn from_iter<T: IntoIterator<Item = (&'a str, Link)>>(links: T) -> Self {
        let mut iterators = Self::default();
        for (name, link) in links {
            if let Some(place) = iterators.place(name) {
                *place = Some(link);
            }
        }
        iterators
    }
}
