//! `overfill.bpf.c`: loads parts of it, and runs its programs.

use std::time::Duration;

use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::Struct;
use libbpf_rs::libbpf_sys::BPF_FUNC_ringbuf_reserve_dynptr;
use libbpf_rs::{
    MapCore, MapHandle, Object, ObjectBuilder, OpenObject, ProgramInput, ProgramMut, ProgramType,
};

const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/overfill.bpf.o"));

/// As many bytes as the header of an Ethernet frame, which a program of packets wants at least.
const PACKET: [u8; 14] = [0; 14];

/// Runs the program on frames that are then sent on (Linux 5.18).
const LIVE_FRAMES: u32 = 1 << 1;

/// Loaded maps and programs.
pub struct Overfill(Object);

impl Overfill {
    /// Makes these maps and loads these programs, or those of them that this kernel has.
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

    /// Whether this kernel takes a program that ends every call of a function.
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

    /// Runs a program of packets once; gives what it says and how long that took, or `None` if this
    /// kernel does not have what it calls.
    pub fn run(&mut self, name: &str) -> Option<(u32, Duration)> {
        let input = ProgramInput {
            data_in: Some(&PACKET),
            ..ProgramInput::default()
        };
        let output = self.program(name)?.test_run(input).expect("it runs");
        Some((output.return_value, output.duration))
    }

    /// Runs a program on so many frames, which go where it sends them; false if this kernel has no
    /// such frames.
    pub fn send(&mut self, name: &str, frames: u32) -> bool {
        // Others take the flag for none.
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

    /// Keeps the stack of a process, less so many frames; gives its place, or an error.
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
