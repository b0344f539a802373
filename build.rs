//! Compiles the kernel side (`src/bpf`) and generates its Rust skeleton with libbpf-cargo and a list
//! of the types it names; compiles the probes of the doctor, the zoo of the demo and the tests, what
//! overfills maps for them, and what the benches compare with.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use libbpf_cargo::SkeletonBuilder;
use libbpf_rs::Linker;
use libbpf_rs::btf::{Btf, BtfType, TypeId};

fn main() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    // These choose their maps by name when they run, or have none, so a skeleton's fields would not
    // help them.
    let whole = [
        "src/bpf/probe_maps.bpf.c",
        "examples/zoo/zoo.bpf.c",
        "tests/guests/overfill.bpf.c",
        "benches/mapstop/ancestor.bpf.c",
    ];
    for source in ["src/bpf"].into_iter().chain(whole) {
        println!("cargo:rerun-if-changed={source}");
    }
    skeleton("iterators", &["map_iter", "holder_iter"], &out)?;
    skeleton("losses", &["loss_trace"], &out)?;
    for source in whole {
        let name = Path::new(source).with_extension("o");
        builder(source)
            .obj(out.join(name.file_name().context("a name")?))
            .build()
            .with_context(|| format!("{source} does not build; it needs clang 14 or later"))?;
    }
    Ok(())
}

/// Makes one object and its skeleton of these sources. Loading one object of several programs takes
/// half as long as loading several: libbpf reads all of the kernel's BTF for each object.
fn skeleton(name: &str, sources: &[&str], out: &Path) -> Result<()> {
    let object = out.join(format!("{name}.bpf.o"));
    let mut linker = Linker::new(&object)?;
    for part in sources {
        let source = format!("src/bpf/{part}.bpf.c");
        // Not as the whole is called, which may be made of one part.
        let part = out.join(format!("{part}.part.o"));
        builder(&source)
            .obj(&part)
            .build()
            .with_context(|| format!("{source} does not build; it needs clang 14 or later"))?;
        linker.add_file(part)?;
    }
    linker
        .link()
        .with_context(|| format!("the parts of {name} do not link"))?;
    let mut builder = SkeletonBuilder::new();
    builder
        .obj(&object)
        .generate(out.join(format!("{name}.skel.rs")))?;
    let names = type_names(&object).with_context(|| format!("{name} has no BTF"))?;
    fs::write(out.join(format!("{name}.types.rs")), format!("&{names:?}"))?;
    Ok(())
}

/// The names of the types in an object: what libbpf may look for in the kernel's BTF.
fn type_names(object: &Path) -> Result<Vec<String>> {
    let btf = Btf::from_path(object)?;
    let ids = 1..u32::try_from(btf.len())?;
    Ok(ids
        .filter_map(|id| btf.type_by_id::<BtfType>(TypeId::from(id)))
        .filter_map(|named| Some(named.name()?.to_str()?.to_owned()))
        .filter(|name| !name.is_empty())
        .collect())
}

fn builder(source: &str) -> SkeletonBuilder {
    let mut builder = SkeletonBuilder::new();
    builder
        .source(source)
        // A jump table would be a .rodata section, and that a map in the list we show.
        .clang_args(["-Wall", "-Werror", "-fno-jump-tables"]);
    builder
}
