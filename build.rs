//! Compiles the kernel side (`src/bpf`) and the zoo of the demo and the tests, and generates their
//! Rust skeletons with libbpf-cargo.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};
use libbpf_cargo::SkeletonBuilder;

fn main() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    for (folder, name) in [("src/bpf", "maps"), ("examples/zoo", "zoo")] {
        println!("cargo:rerun-if-changed={folder}");
        let source = format!("{folder}/{name}.bpf.c");
        SkeletonBuilder::new()
            .source(&source)
            // A jump table would be a .rodata section, and that a map in the list we show.
            .clang_args(["-Wall", "-Werror", "-fno-jump-tables"])
            .build_and_generate(out.join(format!("{name}.skel.rs")))
            .with_context(|| format!("{source} does not build; it needs clang 14 or later"))?;
    }
    Ok(())
}
