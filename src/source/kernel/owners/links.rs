//! Where each link attaches which program, in words.

use std::ffi::OsStr;
use std::fmt::Debug;

use compact_str::{CompactString, format_compact};
use libbpf_rs::query::{IterType, LinkInfo, LinkInfoIter, LinkTypeInfo, PerfEventType};
use libbpf_rs::{ProgramAttachType, ProgramType};
use rustix::net::netdevice::index_to_name_inlined;
use rustix::net::{AddressFamily, SocketType, socket};

use super::cgroup_index::Cgroups;
use super::mountinfo::Mount;
use crate::text::sanitize::sanitize;

/// The iterator of libbpf-rs also returns `None` for a link that it cannot read. This many in a row are taken
/// for the end of the list.
const MAX_CONSECUTIVE_NONE: u32 = 4;

/// A link, and where it attaches its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    pub link: u32,
    /// The id of its program; 0 if it has none.
    pub program: u32,
    /// Where it is attached, as `tcx ingress eth0`.
    pub text: CompactString,
}

/// Every link; `None` if they may not be listed. `cgroups` are those of version 2.
pub fn read_links(cgroups: &mut Cgroups, mount: Option<&Mount>) -> Option<Vec<Attached>> {
    let mut all = LinkInfoIter::default();
    let mut infos = Vec::new();
    let mut consecutive_none = 0;
    while consecutive_none < MAX_CONSECUTIVE_NONE {
        match all.next() {
            Some(info) => {
                infos.push(info);
                consecutive_none = 0;
            }
            None => consecutive_none += 1,
        }
    }
    // mapstop's own iterators have links: no link at all means no permission.
    if infos.is_empty() {
        return None;
    }
    let ids = infos.iter().filter_map(|info| match &info.info {
        LinkTypeInfo::Cgroup(link) => Some(link.cgroup_id).filter(|id| *id != 0),
        _ => None,
    });
    cgroups.find(ids, mount);
    Some(infos.iter().map(|info| attached(info, cgroups)).collect())
}

fn attached(info: &LinkInfo, cgroups: &Cgroups) -> Attached {
    Attached {
        link: info.id,
        program: info.prog_id,
        text: sanitize(text(&info.info, cgroups).as_bytes()),
    }
}

fn text(info: &LinkTypeInfo, cgroups: &Cgroups) -> String {
    match info {
        LinkTypeInfo::RawTracepoint(link) => format!("raw_tracepoint {}", link.name),
        LinkTypeInfo::Tracing(link) => {
            let how = attach_type(&link.attach_type);
            format!("tracing {}", how.trim_start_matches("trace_"))
        }
        LinkTypeInfo::Cgroup(link) => {
            let how = attach_type(&link.attach_type);
            let path = cgroups.path(link.cgroup_id);
            let path = path.map_or("(unknown)", |path| path);
            format!("cgroup {} {path}", how.trim_start_matches("cgroup_"))
        }
        LinkTypeInfo::Iter(link) => {
            let target = text_of(Some(&link.target_name));
            match link.iter_type {
                IterType::Map { map_id } => format!("iter {target} map {map_id}"),
                _ => format!("iter {target}"),
            }
        }
        LinkTypeInfo::NetNs(link) => format!("netns {}", attach_type(&link.attach_type)),
        LinkTypeInfo::Xdp(link) => format!("xdp {}", describe_interface(link.ifindex)),
        LinkTypeInfo::StructOps(link) => format!("struct_ops map {}", link.map_id),
        LinkTypeInfo::Netfilter(link) => {
            format!(
                "netfilter {}",
                netfilter_hook(link.protocol_family, link.hooknum)
            )
        }
        LinkTypeInfo::KprobeMulti(link) => format!("kprobe_multi {} functions", link.count),
        LinkTypeInfo::UprobeMulti(link) => {
            let path = link.path.as_ref().map(|path| path.as_os_str());
            format!("uprobe_multi {}", text_of(path))
        }
        LinkTypeInfo::Tcx(link) => {
            let how = attach_type(&link.attach_type).replace('_', " ");
            format!("{how} {}", describe_interface(link.ifindex))
        }
        LinkTypeInfo::Netkit(link) => {
            let how = attach_type(&link.attach_type).replace('_', " ");
            format!("{how} {}", describe_interface(link.ifindex))
        }
        LinkTypeInfo::SockMap(link) => {
            let how = attach_type(&link.attach_type);
            format!("sockmap {how} map {}", link.map_id)
        }
        LinkTypeInfo::PerfEvent(link) => perf_event(&link.event_type),
        LinkTypeInfo::Unknown => "unknown link type".to_owned(),
    }
}

fn perf_event(event: &PerfEventType) -> String {
    match event {
        PerfEventType::Tracepoint { name, .. } => {
            format!("tracepoint {}", text_of(name.as_deref()))
        }
        PerfEventType::Kprobe {
            func_name,
            is_retprobe,
            ..
        } => {
            let kind = if *is_retprobe { "kretprobe" } else { "kprobe" };
            format!("{kind} {}", text_of(func_name.as_deref()))
        }
        PerfEventType::Uprobe {
            file_name,
            is_retprobe,
            offset,
            ..
        } => {
            let kind = if *is_retprobe { "uretprobe" } else { "uprobe" };
            format!("{kind} {}+{offset:#x}", text_of(file_name.as_deref()))
        }
        PerfEventType::Event { .. } | PerfEventType::Unknown(_) => "perf_event".to_owned(),
    }
}

fn text_of(name: Option<&OsStr>) -> String {
    name.map_or_else(
        || "?".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The index of an interface, and the name that the index has here: the kernel does not say in which
/// network namespace it is.
fn describe_interface(index: u32) -> String {
    if index == 0 {
        return "(gone)".to_owned();
    }
    let name = socket(AddressFamily::INET, SocketType::DGRAM, None)
        .ok()
        .and_then(|socket| index_to_name_inlined(socket, index).ok());
    name.map_or_else(
        || format!("if{index}"),
        |name| format!("if{index} ({} here)", name.as_str()),
    )
}

/// `inet ingress` for the numbers of a protocol family and a hook (`linux/netfilter.h`).
fn netfilter_hook(family: u32, hook: u32) -> String {
    let family = match family {
        2 => "ipv4".to_owned(),
        10 => "ipv6".to_owned(),
        other => format!("family {other}"),
    };
    let hooks = ["prerouting", "input", "forward", "output", "postrouting"];
    let hook = hooks.get(hook as usize).copied().unwrap_or("?");
    format!("{family} {hook}")
}

fn attach_type(attach_type: &ProgramAttachType) -> String {
    snake_case(attach_type)
}

/// The kernel's name of a program type, in lower case and without its prefix.
pub fn program_type(number: u32) -> CompactString {
    match ProgramType::from(number) {
        ProgramType::Unknown => format_compact!("type_{number}"),
        known => snake_case(known).into(),
    }
}

/// libbpf-rs names its variants as the kernel does its constants, but in another case:
/// `CgroupInet4Bind` is `cgroup_inet4_bind`.
fn snake_case(variant: impl Debug) -> String {
    let mut text = String::new();
    for c in format!("{variant:?}").chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_types_have_kernel_names() {
        let names: Vec<_> = (0..33).map(program_type).collect();
        let expected = "unspec socket_filter kprobe sched_cls sched_act tracepoint xdp perf_event \
            cgroup_skb cgroup_sock lwt_in lwt_out lwt_xmit sock_ops sk_skb cgroup_device sk_msg \
            raw_tracepoint cgroup_sock_addr lwt_seg6local lirc_mode2 sk_reuseport flow_dissector \
            cgroup_sysctl raw_tracepoint_writable cgroup_sockopt tracing struct_ops ext lsm \
            sk_lookup syscall netfilter";
        assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
        assert_eq!(program_type(99), "type_99");
    }

    #[test]
    fn attach_types_are_words() {
        let name = |number: u32| attach_type(&ProgramAttachType::from(number));
        assert_eq!(name(libbpf_rs::libbpf_sys::BPF_TCX_INGRESS), "tcx_ingress");
        assert_eq!(
            name(libbpf_rs::libbpf_sys::BPF_CGROUP_INET4_BIND),
            "cgroup_inet4_bind"
        );
    }

    #[test]
    fn an_interface_has_its_name_or_its_index() {
        assert_eq!(describe_interface(1), "if1 (lo here)");
        assert_eq!(describe_interface(0x7fff_fff0), "if2147483632");
        assert_eq!(describe_interface(0), "(gone)");
    }
}
