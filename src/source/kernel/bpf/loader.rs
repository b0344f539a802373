//! Loads the iterators, in one object where the kernel has all of them.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;

use libbpf_rs::skel::{OpenSkel, Skel, SkelBuilder};
use libbpf_rs::{ErrorExt, Iter, Link, OpenObject};
use rustix::fs::{MemfdFlags, memfd_create};

use super::libbpf_log::{capture_log, take_log, with_verifier_reason};
use super::min_btf;
use super::skel::{IteratorsSkelBuilder, OpenIteratorsSkel, TYPE_NAMES};
use crate::source::kernel::host;
use crate::source::kernel::load_diagnosis::diagnose_load_error;
use crate::types::load_error::{BTF, LoadError};

/// The program in `map_iter.bpf.c`.
const MAPS: &str = "mapstop_maps";

/// Loaded iterators. Only their links are kept: the programs and the object live as long as those.
#[derive(Debug)]
pub struct Loaded {
    pub maps: Link,
    /// The other iterators that were requested, by name. `None` if this kernel lacks one of them: they are
    /// yet to be loaded then.
    pub others: Option<Vec<(&'static str, Link)>>,
    /// An excerpt of the kernel's BTF for all of them.
    pub btf: Option<File>,
}

/// Loads and attaches the iterator of maps, and the others if all of them can be loaded with it.
pub fn load(others: &[&'static str]) -> Result<Loaded, LoadError> {
    capture_log();
    // The excerpt only saves time: if loading fails with it, it is tried again with all of the BTF.
    let btf = btf_excerpt();
    let all = [&[MAPS], others].concat();
    if let Ok(mut links) = try_load(btf.as_ref(), &all) {
        let maps = links.remove(0);
        let others = others.iter().copied().zip(links).collect();
        return Ok(Loaded {
            maps,
            others: Some(others),
            btf,
        });
    }
    let maps = if let Ok(maps) = try_load_maps(btf.as_ref()) {
        maps
    } else {
        take_log();
        try_load_maps(None).map_err(|error| LoadError {
            kind: diagnose_load_error(error.kind()),
            release: host::release(),
            details: with_verifier_reason(&error, &take_log()),
        })?
    };
    Ok(Loaded {
        maps,
        others: None,
        btf,
    })
}

/// An in-memory file with the part of the kernel's BTF that the programs use.
pub(crate) fn btf_excerpt() -> Option<File> {
    let excerpt = min_btf::minimize(&fs::read(BTF).ok()?, TYPE_NAMES)?;
    let mut file = File::from(memfd_create("btf", MemfdFlags::CLOEXEC).ok()?);
    file.write_all(&excerpt).ok()?;
    Some(file)
}

/// Opens the object with these programs, to be relocated by this BTF, or else by all of the kernel's.
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

/// Loads and attaches these programs, and returns their links in this order.
pub(crate) fn try_load(btf: Option<&File>, names: &[&str]) -> libbpf_rs::Result<Vec<Link>> {
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
            // Some kernels check permissions only here.
            Iter::new(&link).context("cannot open an iterator")?;
            Ok((program.name().to_owned(), link))
        })
        .collect::<libbpf_rs::Result<_>>()?;
    Ok(names
        .iter()
        .filter_map(|name| links.remove(OsStr::new(name)))
        .collect())
}

fn try_load_maps(btf: Option<&File>) -> libbpf_rs::Result<Link> {
    Ok(try_load(btf, &[MAPS])?.remove(0))
}

#[cfg(test)]
mod tests {
    use libbpf_rs::libbpf_sys::bpf_map_create_opts;
    use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType};

    use super::*;
    use crate::source::Source;
    use crate::source::kernel::Kernel;
    use crate::types::count::CountNote;
    use crate::types::snapshot::MapFacts;

    #[test]
    fn programs_are_the_same_with_min_btf() {
        let program = |btf: Option<&File>| {
            let mut object = MaybeUninit::uninit();
            let open = open(&mut object, btf, &[MAPS]).expect("an object");
            let skeleton = open
                .load()
                .expect("permission to load programs: run as root");
            let instructions = skeleton.progs.mapstop_maps.insns();
            assert!(instructions.len() > 1000);
            format!("{instructions:?}")
        };
        let excerpt = btf_excerpt().expect("an excerpt");
        assert!(program(Some(&excerpt)) == program(None));
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
    fn records_are_the_same_with_min_btf() {
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
            let snapshot = Kernel::from_link(link).sample().expect("a sample");
            let snapshot = snapshot.expect("a kernel always has one more");
            let mut facts = snapshot.maps;
            facts.retain(|map| ids.contains(&map.key.id.0));
            // The age of a scan, if other processes have so many maps that these take turns.
            for map in &mut facts {
                let note = &mut map.count.note;
                note.take_if(|note| matches!(note, CountNote::Aged(_)));
            }
            facts
        };
        let excerpt = btf_excerpt().expect("an excerpt");
        let by_excerpt = facts(try_load_maps(Some(&excerpt)).expect("to load"));
        assert_eq!(by_excerpt, facts(try_load_maps(None).expect("to load")));
        assert_eq!(by_excerpt.len(), maps.len());
        assert_eq!(by_excerpt[0].used, Some(3));
        assert!(
            by_excerpt
                .iter()
                .filter_map(MapFacts::layout)
                .all(|layout| layout.container_size > 0)
        );
    }
}
