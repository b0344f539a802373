//! Reads lines of a file, compressed or not, in order or from any position.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use compact_str::CompactString;

use super::zstd_frames::{MAGIC, ZstdReader};
use crate::text::sanitize::sanitize;

/// Longest line in bytes: a million maps take less.
const MAX_LEN: u64 = 256 << 20;

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// With a newline.
    Line,
    /// At the end of the file, without a newline.
    File,
    /// There was no line left.
    NoLine,
}

enum Input {
    Plain(BufReader<File>),
    Packed(BufReader<ZstdReader>),
}

/// The lines of a file.
pub struct Lines {
    input: Input,
    at: u64,
}

impl Lines {
    /// Reads from the start. The file's first bytes show whether it is compressed.
    pub fn new(mut file: File) -> io::Result<Self> {
        let mut start = Vec::new();
        (&file).take(MAGIC.len() as u64).read_to_end(&mut start)?;
        file.rewind()?;
        let input = if start == MAGIC {
            Input::Packed(BufReader::new(ZstdReader::new(file)?))
        } else {
            Input::Plain(BufReader::new(file))
        };
        Ok(Self { input, at: 0 })
    }

    /// Where the next line starts, in bytes of the text.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Whether the file is compressed.
    pub(crate) fn is_packed(&self) -> bool {
        matches!(self.input, Input::Packed(_))
    }

    /// Whether the file was found to be truncated.
    pub(crate) fn is_cut(&self) -> bool {
        match &self.input {
            Input::Plain(_) => false,
            Input::Packed(reader) => reader.get_ref().is_cut(),
        }
    }

    /// Replaces the contents of `line` with the next line, without its end. Damage is
    /// [`ErrorKind::InvalidData`].
    pub fn read(&mut self, line: &mut Vec<u8>) -> io::Result<LineEnd> {
        line.clear();
        let reader: &mut dyn BufRead = match &mut self.input {
            Input::Plain(reader) => reader,
            Input::Packed(reader) => reader,
        };
        let read = reader.take(MAX_LEN + 1).read_until(b'\n', line)? as u64;
        self.at += read;
        if read > MAX_LEN {
            let text = "a line longer than 256 MiB";
            return Err(io::Error::new(ErrorKind::InvalidData, text));
        }
        Ok(match line.pop() {
            None => LineEnd::NoLine,
            Some(b'\n') => LineEnd::Line,
            Some(byte) => {
                line.push(byte);
                LineEnd::File
            }
        })
    }

    /// Seeks to the start of a line; free if that is the next one.
    pub fn seek(&mut self, to: u64) -> io::Result<()> {
        if to == self.at {
            return Ok(());
        }
        match &mut self.input {
            Input::Plain(reader) => {
                reader.seek(SeekFrom::Start(to))?;
            }
            Input::Packed(reader) => {
                let start = reader.get_ref().frame_start(to);
                if !(start..=to).contains(&self.at) {
                    reader.consume(reader.buffer().len());
                    reader.get_mut().seek_frame(to)?;
                    self.at = start;
                }
                let between = to - self.at;
                io::copy(&mut reader.take(between), &mut io::sink())?;
            }
        }
        self.at = to;
        Ok(())
    }
}

/// The sanitized name of a file.
pub(crate) fn shown(path: &Path) -> CompactString {
    sanitize(path.as_os_str().as_bytes())
}
