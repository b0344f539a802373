//! Decompresses zstd frame by frame; reading can restart at any frame.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

/// The magic number of zstd.
pub const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes the decoder asks for between two blocks: the size of a block's header
/// (`ZSTD_blockHeaderSize`).
const BLOCK_HEADER_SIZE: usize = 3;

/// Where a frame starts, in bytes of the file and of the text.
#[derive(Debug, Clone, Copy)]
struct Frame {
    packed: u64,
    text: u64,
}

/// The text of a compressed file.
pub struct ZstdReader {
    file: BufReader<File>,
    decoder: Decoder<'static>,
    /// Frames found so far, in order.
    frames: Vec<Frame>,
    /// Bytes read from the file, and bytes of text returned.
    at: Frame,
    /// Bytes that the decoder asked for; 0 between frames.
    wanted: usize,
    is_cut: bool,
}

impl ZstdReader {
    /// Reads a file from its start.
    pub fn new(file: File) -> io::Result<Self> {
        Ok(Self {
            file: BufReader::new(file),
            decoder: Decoder::new()?,
            frames: Vec::new(),
            at: Frame { packed: 0, text: 0 },
            wanted: 0,
            is_cut: false,
        })
    }

    /// Whether the file ends inside a block, so that the last write is incomplete. A frame
    /// without its end is not cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The start of the last frame at or before a position in the text.
    pub(crate) fn frame_start(&self, to: u64) -> u64 {
        self.frame(to).text
    }

    /// Seeks to the start of that frame.
    pub(crate) fn seek_frame(&mut self, to: u64) -> io::Result<()> {
        self.at = self.frame(to);
        self.file.seek(SeekFrom::Start(self.at.packed))?;
        self.wanted = 0;
        self.decoder.reinit()
    }

    fn frame(&self, to: u64) -> Frame {
        let after = self.frames.partition_point(|frame| frame.text <= to);
        let start = Frame { packed: 0, text: 0 };
        after.checked_sub(1).map_or(start, |n| self.frames[n])
    }

    /// Records that a frame starts here. It replaces a frame that had no text.
    fn meet_frame(&mut self) {
        match self.frames.last_mut() {
            Some(last) if last.packed >= self.at.packed => {}
            Some(last) if last.text == self.at.text => *last = self.at,
            _ => self.frames.push(self.at),
        }
    }

    /// Called at the end of the file.
    fn end(&mut self) {
        let has_text = self.frames.last().is_some_and(|f| f.text < self.at.text);
        let is_between_blocks = self.wanted == BLOCK_HEADER_SIZE && has_text;
        self.is_cut = self.wanted > 0 && !is_between_blocks;
    }
}

impl Read for ZstdReader {
    fn read(&mut self, text: &mut [u8]) -> io::Result<usize> {
        loop {
            let bytes = self.file.fill_buf()?;
            let is_end = bytes.is_empty();
            if self.wanted == 0 {
                if is_end {
                    return Ok(0);
                }
                self.meet_frame();
            }
            // The decoder may have buffered text even without input.
            let mut input = InBuffer::around(self.file.buffer());
            let mut output = OutBuffer::around(text);
            let wanted = self.decoder.run(&mut input, &mut output);
            let (taken, given) = (input.pos(), output.pos());
            self.wanted = wanted.map_err(|e| io::Error::new(ErrorKind::InvalidData, e))?;
            self.file.consume(taken);
            self.at.packed += taken as u64;
            self.at.text += given as u64;
            if given > 0 {
                return Ok(given);
            }
            if is_end {
                self.end();
                return Ok(0);
            }
        }
    }
}
