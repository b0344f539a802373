//! Writes recordings: each snapshot is one write, and is in the file either completely or not
//! at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use zstd::stream::write::Encoder;

use super::header::Header;
use super::line;
use super::lines::shown;
use crate::types::host::Host;
use crate::types::ownership::Owners;
use crate::types::snapshot::Snapshot;

/// Bytes of text in a zstd frame, all of which a reader may have to decompress to reach a line.
const FRAME_TEXT: u64 = 1 << 20;

/// zstd's own default.
const LEVEL: i32 = 3;

/// A recording that is being written.
pub struct Writer {
    path: PathBuf,
    /// `None` once a write has failed.
    file: Option<File>,
    packer: Option<ZstdWriter>,
    /// Bytes of the file up to the end of the last snapshot.
    end: u64,
    snapshots: u64,
    /// Whether the file was created, and is not a device or an empty file that was there before.
    is_new: bool,
    /// The owners as last written.
    owners: Option<Arc<Owners>>,
}

impl Writer {
    /// Creates a recording, compressed if the name ends in `.zst`.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, or is not empty.
    pub fn create(path: &Path, host: &Host) -> Result<Self> {
        let cannot = || format!("cannot record to {}", shown(path));
        let is_new = !path.exists();
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(cannot)?;
        let metadata = file.metadata().with_context(cannot)?;
        if metadata.is_file() && metadata.len() > 0 {
            bail!(
                "{} already exists; mapstop does not overwrite files. Choose another name, or delete it",
                shown(path)
            );
        }
        let is_packed = path.extension().is_some_and(|end| end == "zst");
        let packer = is_packed.then(ZstdWriter::new).transpose();
        let mut writer = Self {
            path: path.to_owned(),
            file: Some(file),
            packer: packer.with_context(cannot)?,
            end: 0,
            snapshots: 0,
            is_new,
            owners: None,
        };
        let header = Header::new(host).to_line()?;
        writer.put(&header).with_context(cannot)?;
        Ok(writer)
    }

    /// Appends a snapshot; after return it is in the file.
    ///
    /// # Errors
    ///
    /// When it could not be written. The file is then as before, and nothing more is
    /// written to it.
    pub fn write(&mut self, snapshot: &Snapshot) -> Result<()> {
        let is_known = |owners: &Arc<Owners>| {
            let known = self.owners.as_ref();
            known.is_some_and(|known| Arc::ptr_eq(known, owners) || known.same_content(owners))
        };
        let owners = snapshot.owners.as_ref().filter(|owners| !is_known(owners));
        self.put(&line::snapshot_to_line(snapshot, owners.is_some())?)?;
        if let Some(owners) = owners {
            self.owners = Some(Arc::clone(owners));
        }
        self.snapshots += 1;
        Ok(())
    }

    /// For example `maps.zst contains 34 samples`.
    #[must_use]
    pub(crate) fn describe_contents(&self) -> String {
        let s = if self.snapshots == 1 { "" } else { "s" };
        format!(
            "{} contains {} sample{s}",
            shown(&self.path),
            self.snapshots
        )
    }

    fn put(&mut self, text: &[u8]) -> io::Result<()> {
        match &mut self.packer {
            None => append(&mut self.file, &mut self.end, text),
            Some(packer) => append(&mut self.file, &mut self.end, packer.pack(text)?),
        }
    }
}

impl Drop for Writer {
    /// Finishes the last compressed frame. The file can be read without that, too. Removes a file without
    /// a sample, so that the next attempt does not find it in its way.
    fn drop(&mut self) {
        if self.snapshots == 0 && self.is_new {
            let _ = std::fs::remove_file(&self.path);
            return;
        }
        if let Some(packer) = &mut self.packer
            && let Ok(bytes) = packer.finish()
        {
            let _ = append(&mut self.file, &mut self.end, bytes);
        }
    }
}

/// Writes at `end`; if that fails, truncates the file to it.
fn append(file: &mut Option<File>, end: &mut u64, bytes: &[u8]) -> io::Result<()> {
    let Some(open) = file else {
        return Err(io::Error::other("it was given up after an error"));
    };
    let written = open.write_all(bytes);
    if written.is_ok() {
        *end += bytes.len() as u64;
    } else {
        // A device or a pipe has no end to cut at.
        let _ = open.set_len(*end);
        *file = None;
    }
    written
}

/// Compresses lines, and flushes each, so that readers see it at once.
struct ZstdWriter {
    encoder: Encoder<'static, Vec<u8>>,
    /// Bytes of text in this frame.
    text: u64,
}

impl ZstdWriter {
    fn new() -> io::Result<Self> {
        Self::into(Vec::new())
    }

    fn into(bytes: Vec<u8>) -> io::Result<Self> {
        let mut encoder = Encoder::new(bytes, LEVEL)?;
        encoder.include_checksum(true)?;
        Ok(Self { encoder, text: 0 })
    }

    /// The bytes that a line adds to the file.
    fn pack(&mut self, line: &[u8]) -> io::Result<&[u8]> {
        let bytes = self.encoder.get_mut();
        bytes.clear();
        if self.text >= FRAME_TEXT {
            self.encoder.do_finish()?;
            *self = Self::into(std::mem::take(self.encoder.get_mut()))?;
        }
        self.encoder.write_all(line)?;
        self.encoder.flush()?;
        self.text += line.len() as u64;
        Ok(self.encoder.get_ref())
    }

    /// The bytes that finish the last frame.
    fn finish(&mut self) -> io::Result<&[u8]> {
        self.encoder.get_mut().clear();
        self.encoder.do_finish()?;
        Ok(self.encoder.get_ref())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::source::Source;
    use crate::source::recording::{Recorder, Recording};
    use crate::test_util::scripted::{Script, Scripted};
    use crate::test_util::{host, map, snapshot};

    fn maps(second: u32) -> Snapshot {
        let used = |id: u32| (second * 31 + id) % 100;
        snapshot(
            second,
            (1..=40).map(|id| map(&format!("map_{id}")).id(id).used(used(id).into(), 100)),
        )
    }

    fn all(path: &Path) -> Vec<Snapshot> {
        let mut recording = Recording::open(path).expect("a recording");
        assert_eq!(recording.notice(), None);
        std::iter::from_fn(|| recording.sample().expect("a snapshot")).collect()
    }

    #[test]
    fn each_snapshot_is_in_the_file_when_its_write_returns() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["plain", "packed.zst"] {
            let path = folder.path().join(name);
            let mut writer = Writer::create(&path, &host()).expect("a file");
            for second in 1..=5 {
                writer.write(&maps(second)).expect("room");
                let expected: Vec<_> = (1..=second).map(maps).collect();
                assert_eq!(all(&path), expected, "{name}");
            }
            assert!(writer.describe_contents().ends_with("contains 5 samples"));
            drop(writer);
            assert_eq!(all(&path).len(), 5);
        }
    }

    #[test]
    fn a_name_that_ends_in_zst_is_compressed_in_frames_that_are_places_to_begin() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("maps.zst");
        let mut writer = Writer::create(&path, &host()).expect("a file");
        let mut text = 0;
        for second in 1..=400 {
            writer.write(&maps(second)).expect("room");
            text += line::snapshot_to_line(&maps(second), true)
                .expect("a line")
                .len();
        }
        drop(writer);
        let bytes = fs::read(&path).expect("a file");
        assert!(
            text > 2 << 20 && bytes.len() < text / 5,
            "{text} to {}",
            bytes.len()
        );
        let frames = bytes
            .windows(4)
            .filter(|bytes| *bytes == [0x28, 0xb5, 0x2f, 0xfd]);
        assert_eq!(frames.count(), text.div_ceil(1 << 20));
        // How other programs read it.
        let whole = zstd::decode_all(&bytes[..]).expect("each frame is finished");
        let whole = String::from_utf8(whole).expect("UTF-8");
        assert_eq!(whole.lines().count(), 401);
    }

    #[test]
    fn a_file_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("shopping");
        fs::write(&path, "milk\n").expect("a file");
        let error = Writer::create(&path, &host()).err().expect("a refusal");
        let says = format!(
            "{} already exists; mapstop does not overwrite files. Choose another name, or delete it",
            path.display()
        );
        assert_eq!(error.to_string(), says);
        assert_eq!(fs::read(&path).expect("a file"), b"milk\n");
        fs::write(&path, "").expect("an empty file");
        assert!(Writer::create(&path, &host()).is_ok());
    }

    #[test]
    fn a_recording_without_a_sample_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["plain", "packed.zst"] {
            let path = folder.path().join(name);
            let writer = Writer::create(&path, &host()).expect("a file");
            assert!(path.exists());
            drop(writer);
            assert!(!path.exists());
            fs::write(&path, "").expect("an empty file");
            drop(Writer::create(&path, &host()).expect("a file"));
            assert!(path.exists(), "it was there before");
        }
    }

    /// Always has one more snapshot; every tenth is complete.
    struct Endless(u32);

    impl Script for Endless {
        fn sample(&mut self) -> Result<Option<Snapshot>> {
            self.0 += 1;
            Ok(Some(maps(self.0)))
        }

        fn still_counting(&self) -> usize {
            usize::from(!self.0.is_multiple_of(10))
        }
    }

    #[test]
    fn what_is_given_is_recorded_and_incomplete_passes_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("maps");
        let writer = Writer::create(&path, &host()).expect("a file");
        let mut recorder = Recorder::new(Scripted::new(Endless(0)), writer);
        assert_eq!(recorder.sample().expect("a snapshot"), Some(maps(1)));
        assert_eq!(
            recorder.sample_complete().expect("a snapshot"),
            Some(maps(10))
        );
        assert_eq!(recorder.name(), "scripted");
        assert!(recorder.is_recording());
        assert_eq!(all(&path), [maps(1), maps(10)]);
    }

    #[test]
    fn a_device_that_takes_nothing_is_said_at_once() {
        let error = Writer::create(Path::new("/dev/full"), &host())
            .err()
            .expect("a refusal");
        let says = "cannot record to /dev/full: No space left on device (os error 28)";
        assert_eq!(format!("{error:#}"), says);
        assert!(Writer::create(Path::new("/dev/null"), &host()).is_ok());
    }
}
