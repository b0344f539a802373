//! `overfill.bpf.c`: loads parts of it, and runs its programs.

use std::time::Duration;

use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::Struct;
use libbpf_rs::libbpf_sys::BPF_FUNC_ringbuf_reserve_dynptr;
use libbpf_rs::{
    MapCore, MapHandle, Object, ObjectBuilder, OpenObject, ProgramInput, ProgramMut, ProgramType,
};

const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/overfill.bpf.o"));

/// The size of an Ethernet header, the minimum input of a packet program.
const PACKET: [u8; 14] = [0; 14];

/// Runs the program on frames that are then sent on (Linux 5.18).
const LIVE_FRAMES: u32 = 1 << 1;

/// Loaded maps and programs.
pub struct Overfill(Object);

impl Overfill {
    /// Creates these maps and loads these programs, except for those that this kernel lacks.
    pub fn load(maps: &[&str], programs: &[&str]) -> Self {
        let mut object = open();
        for mut map in object.maps_mut() {
            let is_wanted = maps.iter().any(|name| map.name() == *name);
            map.set_autocreate(is_wanted).expect("not loaded yet");
        }
        for mut program in object.progs_mut() {
            let is_wanted = programs.iter().any(|name| program.name() == *name);
            let needs_dynptr = program.name() == "fill_dynptr";
            program.set_autoload(is_wanted && (!needs_dynptr || has_dynptr()));
        }
        Self(object.load().expect("it loads"))
    }

    /// Whether this kernel accepts a tracing program.
    pub fn can_trace() -> bool {
        let mut object = open();
        for mut map in object.maps_mut() {
            map.set_autocreate(false).expect("not loaded yet");
        }
        for mut program in object.progs_mut() {
            program.set_autoload(program.name() == "tracer");
        }
        object.load().is_ok()
    }

    /// A map by its name.
    pub fn map(&self, name: &str) -> MapHandle {
        let map = self.0.maps().find(|map| map.name() == name);
        MapHandle::try_from(&map.expect("a map of ours")).expect("a descriptor")
    }

    fn program(&mut self, name: &str) -> Option<ProgramMut<'_>> {
        let program = self.0.progs_mut().find(|program| program.name() == name);
        Some(program.expect("a program of ours")).filter(|program| program.autoload())
    }

    /// Runs a packet program once and returns its result and duration; `None` if this kernel lacks a
    /// helper.
    pub fn run(&mut self, name: &str) -> Option<(u32, Duration)> {
        let input = ProgramInput {
            data_in: Some(&PACKET),
            ..ProgramInput::default()
        };
        let output = self.program(name)?.test_run(input).expect("it runs");
        Some((output.return_value, output.duration))
    }

    /// Runs a program on this many frames, which are really redirected; false if this kernel cannot do
    /// that.
    pub fn send(&mut self, name: &str, frames: u32) -> bool {
        // Older kernels ignore the flag.
        let types = Btf::from_vmlinux().expect("BTF");
        if types.type_by_name::<Struct>("xdp_test_data").is_none() {
            return false;
        }
        let input = ProgramInput {
            data_in: Some(&PACKET),
            repeat: frames,
            flags: LIVE_FRAMES,
            ..ProgramInput::default()
        };
        let program = self.program(name).expect("every kernel has it");
        program.test_run(input).expect("it runs");
        true
    }

    /// Stores the stack of a process without this many frames; returns its id, or an error.
    pub fn keep_stack(&mut self, frames_less: u64) -> i32 {
        let input = ProgramInput {
            context_in: Some(&mut frames_less.to_ne_bytes()),
            ..ProgramInput::default()
        };
        let program = self.program("keep_stack").expect("every kernel has it");
        let output = program.test_run(input).expect("it runs");
        output.return_value.cast_signed()
    }
}

fn open() -> OpenObject {
    let mut builder = ObjectBuilder::default();
    builder.open_memory(OBJECT).expect("an object")
}

fn has_dynptr() -> bool {
    let helper = BPF_FUNC_ringbuf_reserve_dynptr;
    let answer = ProgramType::SchedCls.is_helper_supported(helper);
    answer.expect("an answer")
}
