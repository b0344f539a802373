//! Recordings: snapshots become lines of JSON in a file, and the file is a source again.
//!
//! The first line says which machine it was, each further one is a snapshot: raw facts, so that
//! whatever a later mapstop derives from them, it derives from old recordings, too. `shape.rs` has
//! the format of a line. A [`Recorder`] writes what another source gives; a [`Recording`] reads it
//! again, with no privileges and without holding more than one snapshot.

pub(crate) mod exporter;
pub(crate) mod header;
pub(crate) mod line;
pub(crate) mod lines;
pub(crate) mod losses;
pub(crate) mod map_line;
pub(crate) mod owners;
pub(crate) mod reader;
pub(crate) mod realtime;
pub(crate) mod recorder;
pub(crate) mod serde_skip;
pub(crate) mod writer;
pub(crate) mod zstd_frames;

pub use reader::Recording;
pub use realtime::RealtimeReplay;
pub use recorder::Recorder;
pub use writer::Writer;
