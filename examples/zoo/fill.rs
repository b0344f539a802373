//! Fills a map of any type: says what must be in it for a number of entries, by type.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapHandle, MapType, PerfBufferBuilder, UserRingBuffer};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};
use rustix::process::{Pid, PidfdFlags, getpid, getppid, pidfd_open};

use super::cgroups::Cgroups;
use super::{Zoo, put, request};

/// The loopback device, in every network namespace.
const LOOPBACK: u32 = 1;

/// Bytes of a record in a ring buffer: not a multiple of eight, so that rounding shows.
const RECORD: u32 = 20;

/// What it takes of the buffer: a header of eight bytes, and both rounded up to eight.
const RECORD_IN_BUFFER: u64 = 32;

impl Zoo {
    /// Puts `entries` into a map, or as many of them as its type takes here, and gives how much
    /// must be counted in it, in its unit; `None` if it has no count.
    pub fn fill(&mut self, name: &str, entries: u32) -> Result<Option<u64>> {
        let map = self.map(name)?;
        self.fill_map(&map, entries)
            .with_context(|| format!("cannot fill {name} ({:?})", map.map_type()))
    }

    fn fill_map(&mut self, map: &MapHandle, entries: u32) -> Result<Option<u64>> {
        let used = match map.map_type() {
            MapType::Array | MapType::PercpuArray | MapType::BloomFilter => {
                put_numbers(map, entries)?;
                return Ok(None);
            }
            MapType::StructOps => return Ok(None),
            MapType::Hash
            | MapType::PercpuHash
            | MapType::LruHash
            | MapType::LruPercpuHash
            | MapType::LpmTrie
            | MapType::Queue
            | MapType::Stack => put_numbers(map, entries)?,
            MapType::ProgArray => {
                let program = self.program("keep_stack").context("no program to put in")?;
                put_all(map, (0..entries).map(|_| program.as_fd().as_raw_fd()))?
            }
            MapType::PerfEventArray => {
                // One event for each CPU.
                let map = MapHandle::try_from(map)?;
                let buffer = PerfBufferBuilder::new(&map)
                    .pages(1)
                    .sample_cb(|_, _| ())
                    .build()?;
                let events = buffer.buffer_cnt() as u64;
                self.perf.push((buffer, map));
                events
            }
            MapType::ArrayOfMaps | MapType::HashOfMaps => {
                let inner = self.map("inner_00")?;
                put_all(map, (0..entries).map(|_| inner.as_fd().as_raw_fd()))?
            }
            MapType::Devmap | MapType::DevmapHash => {
                put_all(map, (0..entries).map(|_| LOOPBACK.cast_signed()))?
            }
            MapType::Cpumap => {
                // The slots are CPUs: only the first is on every machine.
                let queue_size = 64;
                put_all(map, [queue_size])?
            }
            MapType::Sockmap | MapType::Sockhash | MapType::ReuseportSockarray => {
                self.put_fds(map, entries, udp_socket)?
            }
            MapType::Xskmap => self.put_fds(map, entries, xdp_socket)?,
            MapType::SkStorage => self.put_storage(map, entries, udp_socket)?,
            MapType::InodeStorage => self.put_storage(map, entries, file)?,
            MapType::TaskStorage => put_task_storage(map)?,
            MapType::CgroupArray => {
                let cgroups = self.cgroups(entries)?;
                let fds: Vec<_> = cgroups.iter().map(AsRawFd::as_raw_fd).collect();
                put_all(map, fds)?
            }
            // The cgroup storage that libbpf-rs has no name for.
            MapType::Unknown => {
                let cgroups = self.cgroups(entries)?;
                for fd in &cgroups {
                    put(map, fd.as_raw_fd().cast_unsigned(), 7)?;
                }
                cgroups.len() as u64
            }
            MapType::CgroupStorage | MapType::PercpuCgroupStorage => {
                self.attach_to_cgroups(entries)?
            }
            MapType::StackTrace => self.keep_stacks(entries)?,
            MapType::RingBuf => u64::from(self.write_events(entries, RECORD)?) * RECORD_IN_BUFFER,
            MapType::UserRingBuf => self.send_commands(map, entries)?,
            MapType::Arena => match self.run("take_pages", &mut request(entries, 0))? {
                Some(1) => entries.into(),
                _ => 0,
            },
            other => anyhow::bail!("no way to fill a {other:?}"),
        };
        Ok(Some(used))
    }

    /// Puts in new descriptors as values, which stay open.
    fn put_fds(
        &mut self,
        map: &MapHandle,
        count: u32,
        open: fn() -> rustix::io::Result<OwnedFd>,
    ) -> Result<u64> {
        for number in 0..count {
            let fd = open()?;
            put(map, number, fd.as_raw_fd().cast_unsigned())?;
            self.fds.push(fd);
        }
        Ok(count.into())
    }

    /// Gives new things that have a descriptor a storage in this map; they stay open.
    fn put_storage(
        &mut self,
        map: &MapHandle,
        count: u32,
        open: fn() -> rustix::io::Result<OwnedFd>,
    ) -> Result<u64> {
        for number in 0..count {
            let fd = open()?;
            put(map, fd.as_raw_fd().cast_unsigned(), number)?;
            self.fds.push(fd);
        }
        Ok(count.into())
    }

    fn cgroups(&mut self, count: u32) -> Result<Vec<OwnedFd>> {
        if self.cgroups.is_none() {
            self.cgroups = Some(Cgroups::new()?);
        }
        let cgroups = self.cgroups.as_mut().context("made above")?;
        let fds = cgroups.first(count as usize)?.map(OwnedFd::try_clone);
        Ok(fds.collect::<std::io::Result<_>>()?)
    }

    /// Attaches the program that counts to cgroups, which makes a storage for each.
    fn attach_to_cgroups(&mut self, count: u32) -> Result<u64> {
        let cgroups = self.cgroups(count)?;
        for cgroup in cgroups.iter().skip(self.links.len()) {
            let program = self.program("count_egress").context("no program")?;
            let link = program.attach_cgroup(cgroup.as_raw_fd())?;
            self.links.push(link);
        }
        Ok(self.links.len() as u64)
    }

    /// Keeps this many stacks; they are fewer if two share a bucket or the stack is too low.
    fn keep_stacks(&mut self, count: u32) -> Result<u64> {
        let mut buckets = BTreeSet::new();
        for frames_less in 0..u64::from(count) {
            let bucket = self.run("keep_stack", &mut frames_less.to_ne_bytes())?;
            buckets.extend(bucket.filter(|bucket| *bucket >= 0));
        }
        Ok(buckets.len() as u64)
    }

    fn send_commands(&mut self, map: &MapHandle, count: u32) -> Result<u64> {
        let ring = UserRingBuffer::new(map)?;
        for _ in 0..count {
            ring.submit(ring.reserve(RECORD as usize)?)?;
        }
        self.rings.push(ring);
        Ok(u64::from(count) * RECORD_IN_BUFFER)
    }
}

fn put_numbers(map: &MapHandle, count: u32) -> Result<u64> {
    for number in 0..count {
        put(map, number, number + 1)?;
    }
    Ok(count.into())
}

/// Puts in these values, from the first key on.
fn put_all(map: &MapHandle, values: impl IntoIterator<Item = i32>) -> Result<u64> {
    let mut count = 0;
    for (number, value) in (0..).zip(values) {
        put(map, number, value.cast_unsigned())?;
        count += 1;
    }
    Ok(count)
}

/// Gives this process and its parent a storage each.
fn put_task_storage(map: &MapHandle) -> Result<u64> {
    let tasks: Vec<Pid> = [Some(getpid()), getppid()].into_iter().flatten().collect();
    for pid in &tasks {
        let fd = pidfd_open(*pid, PidfdFlags::empty())?;
        put(map, fd.as_raw_fd().cast_unsigned(), 7)?;
    }
    Ok(tasks.len() as u64)
}

/// A UDP socket that has a port, and shares it: what a map of sockets takes.
fn udp_socket() -> rustix::io::Result<OwnedFd> {
    let socket = socket_with(
        AddressFamily::INET,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    sockopt::set_socket_reuseport(&socket, true)?;
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
    Ok(socket)
}

fn xdp_socket() -> rustix::io::Result<OwnedFd> {
    socket_with(
        AddressFamily::XDP,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        None,
    )
}

fn file() -> rustix::io::Result<OwnedFd> {
    memfd_create("zoo", MemfdFlags::CLOEXEC)
}
