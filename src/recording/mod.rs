//! Recordings: snapshots become lines of JSON in a file, and the file is a source again.
//!
//! The first line says which machine it was, each further one is a snapshot: raw facts, so that
//! whatever a later mapstop derives from them, it derives from old recordings, too. `shape.rs` has
//! the format of a line. A [`Recorder`] writes what another source gives; a [`Recording`] reads it
//! again, with no privileges and without holding more than one snapshot.

mod lines;
mod losses;
mod owners;
mod read;
mod recorder;
mod shape;
mod unpack;
mod write;

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use compact_str::CompactString;

use crate::model::text::harmless;

pub use read::Recording;
pub use recorder::Recorder;
pub use write::Writer;

/// A file's name as it may stand in a message.
fn shown(path: &Path) -> CompactString {
    harmless(path.as_os_str().as_bytes())
}
