//! The verifier of the running kernel accepts every BPF program, whichever compiler built it.
//!
//! `$MAPSTOP_OBJECTS` is a list of folders of objects, separated by colons, as
//! `contrib/compile-bpf.sh` makes them; without it, the objects are those of this build. `make
//! compilers` runs this test with the objects of several compilers in guests with several kernels.

use std::collections::HashSet;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::{Func, Typedef};
use libbpf_rs::libbpf_sys::{BPF_FUNC_ringbuf_reserve_dynptr, bpf_insn};
use libbpf_rs::{MapType, ObjectBuilder, OpenObject, PrintLevel, ProgramType, set_print};

/// The operation of an instruction: its class in the lowest three bits.
const CLASS: u8 = 0x07;
/// Jumps that compare 32 bits, which `-mcpu=v3` brings.
const CLASS_JMP32: u8 = 0x06;
/// Class, mode and size of an atomic operation on 64 or 32 bits.
const ATOMIC: [u8; 2] = [0xdb, 0xc3];
/// In the immediate of an atomic operation: it returns the old value, which Linux 5.12 brought.
const FETCH: i32 = 0x01;

/// libbpf's messages, the verifier's log among them, since they were last taken.
static LOG: Mutex<String> = Mutex::new(String::new());

#[expect(
    clippy::needless_pass_by_value,
    reason = "libbpf-rs asks for this signature"
)]
fn keep_message(_level: PrintLevel, message: String) {
    LOG.lock().expect("no panic in here").push_str(&message);
}

/// What the running kernel has for programs to attach to.
struct Kernel {
    /// Functions in its BTF. Not looked up by name: other kinds of types share some of the names.
    functions: HashSet<String>,
    typedefs: HashSet<String>,
    symbols: HashSet<String>,
}

impl Kernel {
    fn read() -> Self {
        let symbols = fs::read_to_string("/proc/kallsyms").expect("the kernel's symbols");
        let names = symbols
            .lines()
            .filter_map(|line| line.split_whitespace().nth(2));
        let btf = Btf::from_vmlinux().expect("the kernel's BTF");
        let to_text = |name: Option<&OsStr>| Some(name?.to_string_lossy().into_owned());
        Self {
            functions: btf
                .type_by_kind::<Func>()
                .filter_map(|function| to_text(function.name()))
                .collect(),
            typedefs: btf
                .type_by_kind::<Typedef>()
                .filter_map(|typedef| to_text(typedef.name()))
                .collect(),
            symbols: names.map(str::to_owned).collect(),
        }
    }

    /// Whether this kernel has what a program of this section and name is attached to and uses.
    fn has_target(&self, section: &str, name: &str) -> bool {
        let has_map_type = |map_type: MapType| map_type.is_supported().expect("an answer");
        let (kind, target) = section.split_once('/').unwrap_or((section, ""));
        let is_attachable = match kind {
            "fexit" => self.functions.contains(target) && self.symbols.contains(target),
            "iter" => self.functions.contains(&format!("bpf_iter_{target}")),
            "tp_btf" => self.typedefs.contains(&format!("btf_trace_{target}")),
            "syscall" => ProgramType::Syscall.is_supported().expect("an answer"),
            "cgroup_skb" | "raw_tp" | "tc" | "xdp" => true,
            _ => panic!("{name} is in section {section}, which this test does not know"),
        };
        is_attachable
            && match name {
                "lines" => self.functions.contains("bpf_map_sum_elem_count"),
                "take_pages" => has_map_type(MapType::Arena),
                "fill_dynptr" => ProgramType::SchedCls
                    .is_helper_supported(BPF_FUNC_ringbuf_reserve_dynptr)
                    .expect("an answer"),
                _ => true,
            }
    }
}

fn open(object: &Path) -> OpenObject {
    ObjectBuilder::default()
        .open_file(object)
        .unwrap_or_else(|error| panic!("{}: {error:#}", object.display()))
}

/// Loads these programs of an object, with the maps that this kernel can create.
fn load(object: &Path, programs: &[String]) -> libbpf_rs::Result<()> {
    let mut open = open(object);
    for mut map in open.maps_mut() {
        // No program here uses one of struct_ops, or of a type that libbpf-rs does not know.
        let is_needed = !matches!(map.map_type(), MapType::StructOps | MapType::Unknown);
        if !is_needed || !map.map_type().is_supported()? {
            map.set_autocreate(false)?;
        }
    }
    for mut program in open.progs_mut() {
        let name = program.name().to_string_lossy().into_owned();
        program.set_autoload(programs.contains(&name));
    }
    open.load().map(drop)
}

/// The folders to look for objects in.
fn folders() -> Vec<PathBuf> {
    match env::var_os("MAPSTOP_OBJECTS") {
        Some(folders) => env::split_paths(&folders).collect(),
        None => vec![env!("OUT_DIR").into()],
    }
}

fn objects(folder: &Path) -> Vec<PathBuf> {
    let files =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = files.map(|file| file.expect("a file").path());
    let mut objects: Vec<_> = paths
        .filter(|path| path.to_string_lossy().ends_with(".bpf.o"))
        .collect();
    objects.sort();
    objects
}

/// Whether this machine lets functions be traced at all: some sandboxes forbid it with EPERM, whatever
/// the program. A guest does not.
fn can_trace_functions(folder: &Path) -> bool {
    let probe = folder.join("overfill.bpf.o");
    let not_permitted = "Operation not permitted";
    let is_forbidden = load(&probe, &["tracer".to_owned()])
        .is_err_and(|error| format!("{error:#}").contains(not_permitted));
    if is_forbidden {
        println!("tracing functions is not permitted here: no fexit program is tried");
        assert!(env::var_os("MAPSTOP_GUEST").is_none());
    }
    !is_forbidden
}

#[test]
fn the_verifier_accepts_every_program() {
    set_print(Some((PrintLevel::Warn, keep_message)));
    let kernel = Kernel::read();
    let mut refused = Vec::new();
    for folder in folders() {
        let can_trace = can_trace_functions(&folder);
        let (mut accepted, mut left_out) = (0, Vec::new());
        for object in objects(&folder) {
            let (programs, without_target): (Vec<_>, Vec<_>) = open(&object)
                .progs()
                .map(|program| {
                    let section = program.section().to_string_lossy().into_owned();
                    (program.name().to_string_lossy().into_owned(), section)
                })
                .partition(|(name, section)| {
                    (can_trace || !section.starts_with("fexit/"))
                        && kernel.has_target(section, name)
                });
            let programs: Vec<_> = programs.into_iter().map(|(name, _)| name).collect();
            accepted += programs.len();
            left_out.extend(without_target.into_iter().map(|(name, _)| name));
            LOG.lock().expect("no panic in here").clear();
            if load(&object, &programs).is_ok() {
                continue;
            }
            // Names the program.
            for program in programs {
                LOG.lock().expect("no panic in here").clear();
                if let Err(error) = load(&object, std::slice::from_ref(&program)) {
                    accepted -= 1;
                    let log = LOG.lock().expect("no panic in here");
                    refused.push(format!("{} {program}: {error:#}\n{log}", object.display()));
                }
            }
        }
        println!(
            "{}: {accepted} programs accepted; not tried, as this kernel lacks what they need: {left_out:?}",
            folder.display(),
        );
        assert!(accepted > 10, "hardly a program in {}", folder.display());
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// Clang 20 and later would use both by default.
#[test]
fn no_program_has_32_bit_jumps_or_atomic_operations_that_fetch() {
    let is_newer = |instruction: &bpf_insn| {
        instruction.code & CLASS == CLASS_JMP32
            || (ATOMIC.contains(&instruction.code) && instruction.imm & FETCH != 0)
    };
    let mut count = 0;
    for object in folders().iter().flat_map(|folder| objects(folder)) {
        let open = open(&object);
        for program in open.progs() {
            let instructions = program.insns();
            count += instructions.len();
            let newer = instructions.iter().position(is_newer);
            assert_eq!(newer, None, "{}: {:?}", object.display(), program.name());
        }
    }
    assert!(count > 1000, "{count} instructions");
}
