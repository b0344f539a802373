//! Compiles the BPF programs with clang and generates Rust skeletons of those in `src/bpf` with
//! libbpf-cargo, together with a list of the types that they name.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use libbpf_cargo::SkeletonBuilder;
use libbpf_rs::Linker;
use libbpf_rs::btf::{Btf, BtfType, TypeId};

/// The arguments of clang, one a line, in the file that clangd reads them from. They make the result
/// depend on the compiler as little as possible:
///
/// - `-mcpu=v1`: clang 20 and later use newer instructions by default, of which Linux 5.10 lacks
///   some (atomic operations that fetch), and whose bounds its verifier follows less well.
/// - `-fno-jump-tables`: a jump table would be a `.rodata` section, and so a map in the list we show.
const CLANG_ARGS: &str = include_str!("src/bpf/compile_flags.txt");

/// Compiled to objects alone: their users look maps and programs up by name.
const PLAIN_OBJECTS: [&str; 4] = [
    "src/bpf/probe_maps.bpf.c",
    "examples/zoo/zoo.bpf.c",
    "tests/guests/overfill.bpf.c",
    "benches/mapstop/ancestor.bpf.c",
];

fn main() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo did not set OUT_DIR")?);
    println!("cargo:rerun-if-env-changed=CLANG");
    println!("cargo:rerun-if-changed=build.rs");
    for source in ["src/bpf"].into_iter().chain(PLAIN_OBJECTS) {
        println!("cargo:rerun-if-changed={source}");
    }
    let clang = Clang::find()?;
    generate_skeleton(&clang, "iterators", &["map_iter", "holder_iter"], &out)?;
    generate_skeleton(&clang, "losses", &["loss_trace"], &out)?;
    for source in PLAIN_OBJECTS {
        let object = Path::new(source).with_extension("o");
        let object = object.file_name().context("a source without a name")?;
        clang.compile(source, &out.join(object))?;
    }
    Ok(())
}

/// The compiler: `$CLANG`, or else `clang`.
struct Clang {
    program: OsString,
    /// The argument that makes paths in objects relative: the same source gives the same object in any
    /// folder.
    map_paths: String,
}

impl Clang {
    fn find() -> Result<Self> {
        let folder = env::current_dir().context("cannot find the package's folder")?;
        Ok(Self {
            program: env::var_os("CLANG")
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "clang".into()),
            map_paths: format!("-ffile-prefix-map={}=.", folder.display()),
        })
    }

    /// Compiles a BPF source to an object.
    fn compile(&self, source: &str, object: &Path) -> Result<()> {
        SkeletonBuilder::new()
            .source(source)
            .obj(object)
            .clang(&self.program)
            .clang_args(CLANG_ARGS.lines().chain([self.map_paths.as_str()]))
            .build()
            .with_context(|| format!("cannot compile {source} with {}", self.describe()))
    }

    /// Names the compiler and what else to try, for error messages.
    fn describe(&self) -> String {
        let program = self.program.to_string_lossy();
        let hint = "mapstop is tested with clang 14, 16, 19 and 23. To use one that is not called \
                    clang: CLANG=clang-19 cargo build";
        match Command::new(&self.program).arg("--version").output() {
            Ok(output) => {
                let version = String::from_utf8_lossy(&output.stdout);
                let version = version.lines().next().unwrap_or("unknown version");
                format!("{program} ({version}). {hint}")
            }
            Err(error) => format!(
                "{program}: {error}. Install clang: contrib/install-tools.sh does it, with the \
                 headers of libelf and zlib. {hint}"
            ),
        }
    }
}

/// Links sources of `src/bpf` to one object and generates its skeleton. Loading one object of several
/// programs takes half as long as loading several objects: libbpf reads all of the kernel's BTF for
/// each.
fn generate_skeleton(clang: &Clang, name: &str, sources: &[&str], out: &Path) -> Result<()> {
    let object = out.join(format!("{name}.bpf.o"));
    let mut linker = Linker::new(&object)?;
    for part in sources {
        let part_object = out.join(format!("{part}.part.o"));
        clang.compile(&format!("src/bpf/{part}.bpf.c"), &part_object)?;
        linker.add_file(part_object)?;
    }
    linker
        .link()
        .with_context(|| format!("cannot link {}", object.display()))?;
    SkeletonBuilder::new()
        .obj(&object)
        .generate(out.join(format!("{name}.skel.rs")))?;
    let names = type_names(&object)
        .with_context(|| format!("cannot read the BTF of {}", object.display()))?;
    fs::write(out.join(format!("{name}.types.rs")), format!("&{names:?}"))?;
    Ok(())
}

/// Returns the names of the types in an object: those that libbpf may look for in the kernel's BTF.
fn type_names(object: &Path) -> Result<Vec<String>> {
    let btf = Btf::from_path(object)?;
    let ids = 1..u32::try_from(btf.len())?;
    Ok(ids
        .filter_map(|id| btf.type_by_id::<BtfType>(TypeId::from(id)))
        .filter_map(|named| Some(named.name()?.to_str()?.to_owned()))
        .filter(|name| !name.is_empty())
        .collect())
}
