use std::fs;

use libbpf_rs::btf::types::Composite;
use libbpf_rs::btf::{self, HasSize};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::source::kernel::bpf::skel::TYPE_NAMES;

const INT: u32 = 1 << 24;
const POINTER: u32 = 2 << 24;
const STRUCT: u32 = 4 << 24;
const FUNCTION: u32 = 12 << 24;
const PROTOTYPE: u32 = 13 << 24;

const STRINGS: &[u8] = b"\0int\0inner\0outer\0x\0call\0inner___old\0";
/// Where in [`STRINGS`] they are.
const NAMELESS: u32 = 0;
const AN_INT: u32 = 1;
const INNER: u32 = 5;
const OUTER: u32 = 11;
const X: u32 = 17;
const CALL: u32 = 19;
const OLD: u32 = 24;

fn bytes_of(types: &[u32], strings: &[u8]) -> Vec<u8> {
    let size = |bytes: usize| u32::try_from(bytes).expect("a size");
    let (types_end, strings_size) = (size(4 * types.len()), size(strings.len()));
    let mut bytes = MAGIC.to_ne_bytes().to_vec();
    bytes.extend([VERSION, 0]);
    let header = [HEADER_SIZE, 0, types_end, types_end, strings_size];
    bytes.extend(
        header
            .iter()
            .chain(types)
            .flat_map(|word| word.to_ne_bytes()),
    );
    bytes.extend(strings);
    bytes
}

/// A function, then two structures, one in the other, that know the function by a pointer.
fn small() -> Vec<u8> {
    #[rustfmt::skip]
    let types = [
        NAMELESS, PROTOTYPE | 1, 3, X, 5,       // 1
        CALL, FUNCTION, 1,                      // 2
        AN_INT, INT, 4, 32,                     // 3
        NAMELESS, POINTER, 1,                   // 4
        OUTER, STRUCT | 2, 16, X, 6, 0, X, 4, 64, // 5
        INNER, STRUCT | 1, 4, X, 3, 0,          // 6
        OLD, STRUCT, 0,                         // 7
    ];
    bytes_of(&types, STRINGS)
}

#[test]
fn an_excerpt_has_named_types_and_their_members() {
    #[rustfmt::skip]
    let types = [
        1, INT, 4, 32,                          // 1
        NAMELESS, POINTER, 0,                   // 2
        5, STRUCT | 2, 16, 11, 4, 0, 11, 2, 64, // 3
        13, STRUCT | 1, 4, 11, 1, 0,            // 4
    ];
    let expected = bytes_of(&types, b"\0int\0outer\0x\0inner\0");
    assert_eq!(minimize(&small(), &["outer", "call"]), Some(expected));
}

#[test]
fn flavours_are_ignored_in_names() {
    for name in ["inner", "inner___new"] {
        let bytes = minimize(&small(), &[name]).expect("an excerpt");
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            text.contains("\0inner\0") && text.contains("\0inner___old\0"),
            "{name}"
        );
    }
}
#[test]
fn unknown_btf_gives_no_excerpt() {
    let good = small();
    for len in 0..good.len() {
        assert_eq!(minimize(&good[..len], &["outer"]), None, "{len} bytes");
    }
    for (at, what) in [(0, "magic"), (2, "version"), (24 + 7, "a newer kind")] {
        let mut bytes = good.clone();
        bytes[at] = 0x7f;
        assert_eq!(minimize(&bytes, &["outer"]), None, "{what}");
    }
}

proptest! {
    #[test]
    fn any_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..200)) {
        minimize(&bytes, &["outer"]);
    }

    #[test]
    fn any_types_do_not_panic(types in vec(prop_oneof![0u32..40, any::<u32>()], 0..60)) {
        minimize(&bytes_of(&types, STRINGS), &["outer", "int"]);
    }

    #[test]
    fn damaged_btf_does_not_panic(at in 0..small().len(), byte: u8) {
        let mut bytes = small();
        bytes[at] = byte;
        minimize(&bytes, &["outer"]);
    }
}

/// What libbpf finds under a name: size and members.
fn found(btf: &btf::Btf, name: &str) -> Option<String> {
    let kind: Composite = btf.type_by_name(name)?;
    let members: Vec<_> = kind
        .iter()
        .map(|m| format!("{:?} {:?}", m.name, m.attr))
        .collect();
    Some(format!("{} {members:?}", kind.size()))
}

#[test]
fn libbpf_relocates_the_same_with_the_excerpt() {
    let excerpt = minimize(
        &fs::read("/sys/kernel/btf/vmlinux").expect("BTF"),
        TYPE_NAMES,
    )
    .expect("an excerpt");
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), &excerpt).expect("a file");
    let part = btf::Btf::from_path(file.path()).expect("libbpf to read it");
    let whole = btf::Btf::from_vmlinux().expect("BTF");
    assert!(part.len() < whole.len() / 10, "{} types", part.len());
    assert!(found(&part, "bpf_map").is_some());
    for name in TYPE_NAMES {
        assert_eq!(found(&part, name), found(&whole, name), "{name}");
    }
}

#[test]
fn an_excerpt_of_an_excerpt_is_itself() {
    for (bytes, names) in [
        (small(), &["outer"][..]),
        (
            fs::read("/sys/kernel/btf/vmlinux").expect("BTF"),
            TYPE_NAMES,
        ),
    ] {
        let once = minimize(&bytes, names).expect("an excerpt");
        assert_eq!(minimize(&once, names), Some(once));
    }
}
