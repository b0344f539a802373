//! The machine and its clocks.

pub(crate) mod btf;
pub(crate) mod capabilities;
pub(crate) mod lockdown;
pub(crate) mod memlock;
pub(crate) mod namespaces;

use std::time::Duration;

use compact_str::CompactString;
use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

use crate::text::sanitize::sanitize;
use crate::types::host::{Host, Moment};

/// The names of this machine. What cannot be read is empty.
pub fn host() -> Host {
    let uname = rustix::system::uname();
    let boot_id = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Host {
        name: sanitize(uname.nodename().to_bytes()),
        kernel: sanitize(uname.release().to_bytes()),
        boot_id: sanitize(boot_id.trim_ascii()),
    }
}

/// The release of the kernel (`uname -r`).
pub fn release() -> CompactString {
    sanitize(rustix::system::uname().release().to_bytes())
}

/// CPUs that this machine may have, running or not; 0 if that cannot be read.
pub fn cpus() -> u32 {
    let cpus = libbpf_rs::num_possible_cpus().unwrap_or(0);
    cpus.try_into().unwrap_or(u32::MAX)
}

/// Both clocks, read one after the other.
#[must_use]
pub fn now() -> Moment {
    let boot = clock_gettime(ClockId::Boottime);
    Moment {
        uptime: Duration::new(
            boot.tv_sec.try_into().unwrap_or(0),
            boot.tv_nsec.try_into().unwrap_or(0),
        ),
        wall: Timestamp::now(),
    }
}

pub(crate) fn is_before(release: &str, version: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < version,
        _ => false,
    }
}
