//! The dependencies are those that DEPENDENCIES.md lists, and come from crates.io alone.

use std::collections::BTreeSet;

const DOCUMENTED: &str = include_str!("../DEPENDENCIES.md");
const MANIFEST: &str = include_str!("../Cargo.toml");
const FUZZ_MANIFEST: &str = include_str!("../fuzz/Cargo.toml");
const LOCKS: [&str; 2] = [
    include_str!("../Cargo.lock"),
    include_str!("../fuzz/Cargo.lock"),
];

/// The crates in this table of a manifest.
fn named(manifest: &'static str, table: &str) -> BTreeSet<&'static str> {
    let head = format!("\n[{table}]\n");
    let start = manifest.find(&head).expect("the table") + head.len();
    let rest = &manifest[start..];
    let lines = rest[..rest.find("\n[").unwrap_or(rest.len())].lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name).collect()
}

/// The crates in the table of DEPENDENCIES.md with this head, each with a reason.
fn documented(head: &str) -> BTreeSet<&'static str> {
    let head = format!("| {head} | |\n");
    let start = DOCUMENTED.find(&head).expect("the table") + head.len();
    let lines = DOCUMENTED[start..]
        .lines()
        .take_while(|line| line.starts_with('|'));
    let rows = lines.filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(name, reason)| {
        assert!(reason.len() > 15, "{name}: {reason}");
        name
    })
    .collect()
}

#[test]
fn direct_dependencies_have_a_reason() {
    assert_eq!(
        documented("in the program"),
        named(MANIFEST, "dependencies")
    );
    assert_eq!(
        documented("to build it"),
        named(MANIFEST, "build-dependencies")
    );
    let mut for_tests = named(MANIFEST, "dev-dependencies");
    for_tests.extend(named(FUZZ_MANIFEST, "dependencies"));
    for_tests.remove("mapstop");
    assert_eq!(documented("for tests and benches"), for_tests);
}

/// Major and minor number of a Rust version.
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map(|part| part.parse().expect("a number"));
    let major = numbers.next().expect("a major version");
    (major, numbers.next().unwrap_or(0))
}

/// For mapstop's own code clippy checks this (`incompatible_msrv`).
#[test]
fn no_crate_needs_a_newer_rust() {
    let cargo = std::env::var_os("CARGO").expect("cargo runs this test");
    // Crates for other platforms may never have been downloaded.
    let about = std::process::Command::new(&cargo).arg("-vV").output();
    let about = String::from_utf8(about.expect("cargo -vV").stdout).expect("UTF-8");
    let platform = about.lines().find_map(|line| line.strip_prefix("host: "));
    let output = std::process::Command::new(&cargo)
        // cargo asks rustc about the platform, and under sudo rustup's is not in the PATH.
        .env(
            "RUSTC",
            std::path::Path::new(&cargo).with_file_name("rustc"),
        )
        .args(["metadata", "--locked", "--offline", "--format-version=1"])
        .args(["--filter-platform", platform.expect("a host")])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .output()
        .expect("cargo metadata");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let ours = version(env!("CARGO_PKG_RUST_VERSION"));
    let packages = metadata["packages"].as_array().expect("packages");
    let newer: Vec<_> = packages
        .iter()
        .filter_map(|package| Some((package["name"].as_str()?, package["rust_version"].as_str()?)))
        .filter(|(_, needed)| version(needed) > ours)
        .collect();
    assert!(packages.len() > 100);
    assert_eq!(newer, []);
}

#[test]
fn locked_crates_come_from_crates_io_with_a_checksum() {
    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
    for lock in LOCKS {
        let mut ours = Vec::new();
        for package in lock.split("[[package]]").skip(1) {
            let field = |name: &str| {
                let mut lines = package.lines();
                lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))
            };
            let name = field("name").expect("a name").trim_matches('"');
            match field("source") {
                None => ours.push(name),
                Some(source) => {
                    assert_eq!(source.trim_matches('"'), CRATES_IO, "{name}");
                    assert!(field("checksum").is_some(), "{name}");
                }
            }
        }
        assert!(
            ours.iter().all(|name| name.starts_with("mapstop")),
            "{ours:?}"
        );
    }
}
