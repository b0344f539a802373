//! The zoo: loads an object with a map of every kind that this kernel has, and fills them.

mod cgroups;
mod fill;

use std::ffi::OsStr;
use std::os::fd::OwnedFd;

use anyhow::{Context, Result};
use libbpf_rs::libbpf_sys::BPF_FUNC_cgrp_storage_get;
use libbpf_rs::{
    Link, Map, MapCore, MapFlags, MapHandle, MapType, Object, ObjectBuilder, OpenMap, OpenMapMut,
    OpenObject, PerfBuffer, ProgramInput, ProgramMut, ProgramType, UserRingBuffer,
};

use cgroups::Cgroups;

const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/zoo.bpf.o"));

/// The programs, and the maps that each needs.
const PROGRAMS: [(&str, &[&str]); 4] = [
    ("write_events", &["events"]),
    ("take_pages", &["heap"]),
    ("keep_stack", &["stack_traces"]),
    ("count_egress", &["egress_bytes", "egress_pcpu"]),
];

/// Loaded maps, and what has to live for their entries to stay.
pub struct Zoo {
    links: Vec<Link>,
    /// Each with its map: when a buffer goes, it takes its events out of whatever map has that
    /// descriptor, so that this must still be open then.
    perf: Vec<(PerfBuffer<'static>, MapHandle)>,
    rings: Vec<UserRingBuffer>,
    cgroups: Option<Cgroups>,
    fds: Vec<OwnedFd>,
    object: Object,
}

impl Zoo {
    /// Makes the maps that `choose` wants, as it changes them, if this kernel has their types.
    pub fn load(choose: impl Fn(&mut OpenMapMut<'_>) -> bool) -> Result<Self> {
        let mut object = ObjectBuilder::default().open_memory(OBJECT)?;
        for mut map in object.maps_mut() {
            if !choose(&mut map) || !is_supported(map.map_type())? {
                map.set_autocreate(false)?;
            }
        }
        leave_out_programs(&mut object)?;
        Ok(Self {
            links: Vec::new(),
            perf: Vec::new(),
            rings: Vec::new(),
            cgroups: None,
            fds: Vec::new(),
            object: object.load().context("cannot load the zoo")?,
        })
    }

    /// The names of the maps that were made.
    pub fn names(&self) -> Vec<String> {
        self.maps().map(|map| text(map.name())).collect()
    }

    fn maps(&self) -> impl Iterator<Item = Map<'_>> {
        self.object.maps().filter(Map::autocreate)
    }

    /// A map by its name.
    pub fn map(&self, name: &str) -> Result<MapHandle> {
        let map = self.maps().find(|map| map.name() == name);
        let map = map.with_context(|| format!("the zoo has no map {name}"))?;
        Ok(MapHandle::try_from(&map)?)
    }

    /// A program by its name, if this kernel can run it on the maps that were made.
    pub fn program(&mut self, name: &str) -> Option<ProgramMut<'_>> {
        self.object
            .progs_mut()
            .find(|program| program.name() == name && program.autoload())
    }

    /// Runs a program on this context; gives what it returned.
    fn run(&mut self, name: &str, context: &mut [u8]) -> Result<Option<i32>> {
        let Some(program) = self.program(name) else {
            return Ok(None);
        };
        let input = ProgramInput {
            context_in: Some(context),
            ..ProgramInput::default()
        };
        let output = program.test_run(input)?;
        Ok(Some(output.return_value.cast_signed()))
    }

    /// Writes `count` records of `size` bytes to the ring buffer; gives how many had room.
    pub fn write_events(&mut self, count: u32, size: u32) -> Result<u32> {
        let mut request = request(count, size);
        let written = self.run("write_events", &mut request)?;
        let written = written.context("this kernel runs no program by bpf(2)")?;
        Ok(written.cast_unsigned())
    }
}

/// `struct request` of the programs.
fn request(count: u32, size: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&count.to_ne_bytes());
    bytes[4..].copy_from_slice(&size.to_ne_bytes());
    bytes
}

/// A number as the first bytes of a key or value of this size.
pub fn bytes(number: u32, size: u32) -> Vec<u8> {
    let mut bytes = vec![0; size as usize];
    bytes[..4].copy_from_slice(&number.to_ne_bytes());
    bytes
}

/// The key of an entry, by its number.
pub fn key(map: &MapHandle, number: u32) -> Vec<u8> {
    match map.map_type() {
        MapType::Queue | MapType::Stack | MapType::BloomFilter => Vec::new(),
        // A whole address behind its length.
        MapType::LpmTrie => [32_u32.to_ne_bytes(), number.to_be_bytes()].concat(),
        _ => bytes(number, map.key_size()),
    }
}

/// Puts the entry with this number into a map, with a value that starts with `value`.
pub fn put(map: &MapHandle, number: u32, value: u32) -> libbpf_rs::Result<()> {
    let key = key(map, number);
    let value = bytes(value, map.value_size());
    if map.map_type().is_percpu() {
        let values = vec![value; libbpf_rs::num_possible_cpus()?];
        map.update_percpu(&key, &values, MapFlags::ANY)
    } else {
        map.update(&key, &value, MapFlags::ANY)
    }
}

/// Takes the entry with this number out of a map, or the next one out of a queue.
pub fn take(map: &MapHandle, number: u32) -> libbpf_rs::Result<()> {
    let key = key(map, number);
    if key.is_empty() {
        map.lookup_and_delete(&key).map(drop)
    } else {
        map.delete(&key)
    }
}

fn is_supported(map_type: MapType) -> Result<bool> {
    Ok(match map_type {
        // The one type of the zoo that libbpf-rs cannot name; it came together with its helper.
        MapType::Unknown => {
            ProgramType::SocketFilter.is_helper_supported(BPF_FUNC_cgrp_storage_get)?
        }
        _ => map_type.is_supported()?,
    })
}

/// A program is loaded only if all its maps are made and the kernel has its type.
fn leave_out_programs(object: &mut OpenObject) -> Result<()> {
    let made: Vec<_> = object
        .maps()
        .filter(OpenMap::autocreate)
        .map(|map| map.name().to_owned())
        .collect();
    for mut program in object.progs_mut() {
        let needs = PROGRAMS.iter().find(|(name, _)| program.name() == *name);
        let (_, maps) = needs.with_context(|| format!("{} is new", text(program.name())))?;
        let has_maps = maps.iter().all(|map| made.iter().any(|made| made == map));
        program.set_autoload(has_maps && program.prog_type().is_supported()?);
    }
    Ok(())
}

fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}
