//! A line about the memory of a map: what it is allocated for, or what the kernel's own number leaves out.

use super::{is_hash_preallocated, map_memory, per_cpu_value};
use crate::text::units::with_thousands_separators;
use crate::types::map_flags::MapFlags;
use crate::types::map_type::{AllocKind, PerCpu};
use crate::types::snapshot::MapFacts;

/// A line for the detail page: `preallocated for 65,536 entries`; `None` if there is nothing to say,
/// or the memory is not known either.
#[must_use]
pub(crate) fn describe(facts: &MapFacts, cpus: u32) -> Option<String> {
    map_memory(facts, cpus)?;
    let max = format!(
        "{} {}",
        with_thousands_separators(facts.max_entries.into()),
        facts.map_type.unit().name()
    );
    let preallocated = || format!("preallocated for {max}");
    let value = per_cpu_value(facts)?;
    let per_cpu = || {
        let value = with_thousands_separators(value);
        format!("per CPU: {value} B x {cpus} CPUs")
    };
    let left_out = |what: &str| format!("the kernel's own number leaves out its {what}");
    Some(match facts.map_type.alloc_kind()? {
        AllocKind::Hash(PerCpu::Yes, _) if is_hash_preallocated(facts) => {
            format!("{} x {max}", per_cpu())
        }
        AllocKind::Hash(PerCpu::Yes, _) => format!("{} for each entry there is", per_cpu()),
        AllocKind::Hash(PerCpu::No, _) if is_hash_preallocated(facts) => preallocated(),
        AllocKind::PerCpuArray => format!("{} x {max}", per_cpu()),
        AllocKind::Array if facts.has_flag(MapFlags::MMAPABLE) => {
            "in whole pages, for processes to map".to_owned()
        }
        AllocKind::Hash(..) | AllocKind::SocketTable | AllocKind::DeviceTable => {
            format!("table for {max}, entries as they come")
        }
        AllocKind::CpuQueues => left_out("queues"),
        AllocKind::Array
        | AllocKind::Pointers
        | AllocKind::Devices
        | AllocKind::XdpSockets
        | AllocKind::Stacks
        | AllocKind::Queue
        | AllocKind::Bloom
        | AllocKind::Ring => preallocated(),
        AllocKind::Trie => left_out("inner nodes"),
        AllocKind::Storage | AllocKind::CgroupStorage(_) => left_out("entries"),
        AllocKind::Arena if facts.layout()?.elem_size == 0 => left_out("pages"),
        AllocKind::Arena | AllocKind::StructOps | AllocKind::Instructions => return None,
    })
}
