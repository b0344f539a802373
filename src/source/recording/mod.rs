//! Recordings: files of snapshots as lines of JSON, which are sources themselves.
//!
//! The first line describes the machine, and each further one is a snapshot of raw facts, so
//! that later versions derive new values from old recordings, too. `line.rs` has the format of
//! a line. A [`Recorder`] writes what another source returns; a [`Recording`] reads it, without
//! privileges, one snapshot at a time.

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
