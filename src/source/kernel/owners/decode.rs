//! Bytes from the owners' iterators become records. Knows no kernel.

use std::mem::{offset_of, size_of};

pub use crate::source::kernel::bpf::skel::types::{
    held_by, holder_record as Held, payer_record as Payer, use_record as Use,
};

/// What the kernel writes for a number it could not give: `UNKNOWN` in `wire.h`.
const UNKNOWN: u64 = u64::MAX;

/// Copies the bytes of one field out of a record.
macro_rules! field {
    ($bytes:expr, $record:ident.$name:ident: u32) => {
        u32::from_ne_bytes(field!($bytes, $record.$name, size_of::<u32>()))
    };
    ($bytes:expr, $record:ident.$name:ident: u64) => {
        u64::from_ne_bytes(field!($bytes, $record.$name, size_of::<u64>()))
    };
    ($bytes:expr, $record:ident.$name:ident, $size:expr) => {{
        let mut raw = [0; $size];
        let start = offset_of!($record, $name);
        raw.copy_from_slice(&$bytes[start..start + $size]);
        raw
    }};
}

/// Who holds what. A last piece shorter than a record is left out, here and below.
pub fn held(bytes: &[u8]) -> impl Iterator<Item = Held> {
    bytes.chunks_exact(size_of::<Held>()).map(|bytes| Held {
        tgid: field!(bytes, Held.tgid: u32),
        fd: field!(bytes, Held.fd: u32),
        id: field!(bytes, Held.id: u32),
        by: held_by(field!(bytes, Held.by: u32)),
        comm: field!(bytes, Held.comm, 16),
    })
}

/// Which program uses which map; 0 is one that could not be read.
pub fn uses(bytes: &[u8]) -> impl Iterator<Item = Use> {
    bytes.chunks_exact(size_of::<Use>()).map(|bytes| Use {
        prog_id: field!(bytes, Use.prog_id: u32),
        prog_type: field!(bytes, Use.prog_type: u32),
        map_id: field!(bytes, Use.map_id: u32),
        used_maps: field!(bytes, Use.used_maps: u32),
        name: field!(bytes, Use.name, 16),
    })
}

/// Who pays for which map.
pub fn payers(bytes: &[u8]) -> impl Iterator<Item = Payer> {
    bytes.chunks_exact(size_of::<Payer>()).map(|bytes| Payer {
        cgroup: field!(bytes, Payer.cgroup: u64),
        map_id: field!(bytes, Payer.map_id: u32),
        map_type: field!(bytes, Payer.map_type: u32),
        map_flags: field!(bytes, Payer.map_flags: u32),
        max_entries: field!(bytes, Payer.max_entries: u32),
    })
}

/// The inode of the cgroup that pays; `None` if none does, or it is not known.
pub fn cgroup_of(payer: &Payer) -> Option<u64> {
    (payer.cgroup != 0 && payer.cgroup != UNKNOWN).then_some(payer.cgroup)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte `n` of it is `n`: no two fields are alike.
    fn numbered(size: usize) -> Vec<u8> {
        (0..size).map(|n| u8::try_from(n).unwrap_or(0)).collect()
    }

    #[test]
    fn every_field_comes_from_its_own_place() {
        let bytes = numbered(size_of::<Held>());
        let r = held(&bytes).next().expect("a record");
        let words = [r.tgid, r.fd, r.id, r.by.0].map(u32::to_ne_bytes);
        assert_eq!([words.concat(), r.comm.to_vec()].concat(), bytes);

        let bytes = numbered(size_of::<Use>());
        let r = uses(&bytes).next().expect("a record");
        let words = [r.prog_id, r.prog_type, r.map_id, r.used_maps].map(u32::to_ne_bytes);
        assert_eq!([words.concat(), r.name.to_vec()].concat(), bytes);

        let bytes = numbered(size_of::<Payer>());
        let r = payers(&bytes).next().expect("a record");
        let words = [r.map_id, r.map_type, r.map_flags, r.max_entries].map(u32::to_ne_bytes);
        assert_eq!(
            [r.cgroup.to_ne_bytes().to_vec(), words.concat()].concat(),
            bytes
        );
    }

    #[test]
    fn a_record_cut_short_is_left_out() {
        let bytes = numbered(2 * size_of::<Held>() - 1);
        assert_eq!(held(&bytes).count(), 1);
        assert_eq!(uses(&bytes[..3]).count() + payers(&[]).count(), 0);
    }

    #[test]
    fn nobody_and_not_known_are_no_cgroup() {
        let payer = |cgroup| Payer {
            cgroup,
            ..Payer::default()
        };
        assert_eq!(cgroup_of(&payer(0)), None);
        assert_eq!(cgroup_of(&payer(u64::MAX)), None);
        assert_eq!(cgroup_of(&payer(42)), Some(42));
    }
}
