//! Creates a small map of each type, reads it as any other map is read, and closes it.

use std::borrow::Cow;

use libbpf_rs::{Error, ErrorKind, Map, MapCore, MapFlags, MapHandle, ObjectBuilder};

use crate::source::kernel::bpf::errno::{errno_suffix, root_cause};
use crate::source::kernel::bpf::libbpf_log::take_log;
use crate::source::kernel::bpf::wire::scan_limit;
use crate::source::kernel::{Kernel, own_maps};
use crate::text::count_note::count_note;
use crate::text::units;
use crate::types::count::CountMethod;
use crate::types::doctor_report::{TypeCheck, TypeLosses};
use crate::types::map_type::{MapType, ProbeEntry};
use crate::types::snapshot::MapFacts;

/// `src/bpf/probe_maps.bpf.c`, compiled.
const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe_maps.bpf.o"));

/// The name of a map is this and the name of its type.
const PREFIX: &str = "ms_";

/// Index of the loopback device.
const LOOPBACK: u32 = 1;

/// A map that was created.
struct Probe {
    map_type: MapType,
    id: u32,
    /// Entries that were put into it.
    entries: u64,
    /// Keeps the map alive, at the cost of one descriptor. Its object is closed: libbpf opens one for
    /// every map of an object, whether it creates it or not, and a limit of 1,024 would be reached.
    _map: MapHandle,
}

/// How a map of each known type is counted here, and the losses that the kernel counts without
/// tracers.
pub(crate) fn probe_map_types(kernel: &mut Kernel) -> (Vec<TypeCheck>, Vec<TypeLosses>) {
    let probes: Vec<_> = MapType::all()
        .map(|map_type| (map_type, create_probe(map_type)))
        .collect();
    // The errors say what did not work.
    take_log();
    let ids: Vec<_> = probes
        .iter()
        .filter_map(|(_, probe)| Some(probe.as_ref().ok()?.id))
        .collect();
    let facts = kernel.read_maps(&ids).unwrap_or_default();
    let checks = probes.iter().map(|(map_type, probe)| match probe {
        Err(why) => not_created(*map_type, why.clone()),
        Ok(probe) => match facts.iter().find(|facts| facts.key.id.0 == probe.id) {
            Some(facts) => check_probe(probe, facts),
            None => not_created(*map_type, "the test map was created, but not found".into()),
        },
    });
    let checks = checks.collect();
    let losses = facts.iter().filter_map(|facts| {
        let loss = facts.loss.as_ref()?;
        Some(TypeLosses {
            map_type: facts.map_type,
            failed_updates: false,
            evictions: false,
            drops: loss.drops.is_some(),
            note: loss.reason.clone(),
        })
    });
    (checks, losses.collect())
}

fn not_created(map_type: MapType, why: Cow<'static, str>) -> TypeCheck {
    TypeCheck {
        map_type,
        counted: None,
        count_method: None,
        note: Some(why),
    }
}

fn check_probe(probe: &Probe, facts: &MapFacts) -> TypeCheck {
    let is_right = facts.used == Some(probe.entries);
    let note = match facts.used {
        Some(used) if !is_right => Some(Cow::Owned(format!(
            "{used} counted, but {} put in",
            probe.entries
        ))),
        _ => count_note(&facts.count)
            .map(|note| Cow::Owned(note.into_owned()))
            .or_else(|| large_map_caveat(facts)),
    };
    TypeCheck {
        map_type: probe.map_type,
        counted: Some(is_right),
        count_method: Some(facts.count.method),
        note,
    }
}

/// Caveat: large maps of this type are counted differently.
fn large_map_caveat(facts: &MapFacts) -> Option<Cow<'static, str>> {
    let is_walked =
        facts.map_type.supports_batch_lookup() && facts.count.method == CountMethod::Walk;
    is_walked.then(|| {
        format!(
            "maps of more than {} entries are estimated, unless created with BPF_F_NO_PREALLOC",
            units::with_thousands_separators(scan_limit::MAX_WALKED_BUCKETS.0.into())
        )
        .into()
    })
}

/// Creates a map of this type, and puts an entry into it if that is simple. The error says why it cannot
/// be created.
fn create_probe(map_type: MapType) -> Result<Probe, Cow<'static, str>> {
    // Hides the inner maps and those that libbpf creates to try features as well: they are gone after that.
    let mut own = own_maps::lock();
    let map = create_map(map_type)?.map_err(|error| creation_failure(&error))?;
    let id = map
        .info()
        .map_err(|error| creation_failure(&error))?
        .info
        .id;
    own.hide(id);
    Ok(Probe {
        map_type,
        id,
        entries: put_entry(map_type, &map),
        _map: map,
    })
}

/// The outer error: mapstop has no probe of this type, or cannot open it. The inner one: the kernel
/// refused it.
fn create_map(map_type: MapType) -> Result<libbpf_rs::Result<MapHandle>, Cow<'static, str>> {
    let name = format!("{PREFIX}{map_type}");
    let mut object = ObjectBuilder::default()
        .open_memory(OBJECT)
        .map_err(|error| format!("cannot open the test maps: {error:#}"))?;
    let mut is_there = false;
    for mut map in object.maps_mut() {
        let is_it = map.name() == name.as_str();
        is_there |= is_it;
        // Fails only for maps that exist already.
        let _ = map.set_autocreate(is_it);
    }
    if !is_there {
        return Err("needs a BPF program of its own".into());
    }
    let object = match object.load() {
        Ok(object) => object,
        Err(error) => return Ok(Err(error)),
    };
    let map = object.maps().find(Map::autocreate);
    Ok(MapHandle::try_from(
        &map.ok_or("mapstop has no test map of this type")?,
    ))
}

/// Puts one entry into a map of a type that takes plain ones. Returns the number of entries.
fn put_entry(map_type: MapType, map: &MapHandle) -> u64 {
    let (key, any) = (0_u32.to_ne_bytes(), MapFlags::ANY);
    let done = match map_type.probe_entry() {
        ProbeEntry::Update => map.update(&key, &[0; 8], any),
        ProbeEntry::PercpuUpdate => {
            let cpus = libbpf_rs::num_possible_cpus().unwrap_or(1);
            map.update_percpu(&key, &vec![vec![0; 8]; cpus], any)
        }
        ProbeEntry::TrieUpdate => map.update(&[0; 8], &[0; 8], any),
        ProbeEntry::Push => map.update(&[], &[0; 8], any),
        ProbeEntry::Device => map.update(&key, &LOOPBACK.to_ne_bytes(), any),
        ProbeEntry::None => return 0,
    };
    u64::from(done.is_ok())
}

fn creation_failure(error: &Error) -> Cow<'static, str> {
    if error.kind() == ErrorKind::PermissionDenied {
        return "not permitted (maps of sockets and devices need CAP_NET_ADMIN)".into();
    }
    match errno_suffix(error) {
        unnamed if unnamed.is_empty() => {
            format!("not supported by this kernel: {}", root_cause(error)).into()
        }
        errno => format!("not supported by this kernel{errno}").into(),
    }
}
