//! Reads a recording: one pass indexes its snapshots, each of which is parsed when it is
//! sampled.

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};
use compact_str::CompactString;

use super::header;
use super::header::{Header, VERSION};
use super::line;
use super::lines::shown;
use super::lines::{LineEnd, Lines};
use crate::source::{RemoteQuery, Replay, Source, TraceLosses};
use crate::types::host::{Host, Moment};
use crate::types::ownership::Owners;
use crate::types::snapshot::Snapshot;

/// A sample this much too early counts as on time: samples a second apart are off by
/// milliseconds, and the shortest interval is twice this.
const SEEK_TOLERANCE: Duration = Duration::from_millis(50);

/// The position of a snapshot in the file.
#[derive(Debug, Clone, Copy)]
struct LineOffset {
    /// In bytes of the uncompressed text.
    at: u64,
    line: u64,
}

/// A recording as a source. At most one snapshot is in memory.
pub struct Recording {
    /// The sanitized name of the file.
    name: CompactString,
    lines: Lines,
    header: Header,
    host: Host,
    moments: Vec<Moment>,
    /// One for each moment.
    offsets: Vec<LineOffset>,
    /// The indices of snapshots with owners, in order.
    owned: Vec<usize>,
    /// The owners read last, and the index of their snapshot.
    owners: Option<(usize, Arc<Owners>)>,
    /// The index of the next sample.
    next: usize,
    notice: Option<String>,
    /// A buffer for lines.
    line: Vec<u8>,
}

impl Recording {
    /// Opens and indexes a recording. No privileges are needed.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no recording, or is damaged elsewhere than at its end.
    pub fn open(path: &Path) -> Result<Self> {
        let name = shown(path);
        let cannot = || format!("cannot open {name}");
        // Before it is opened, for a pipe would wait for a writer.
        let metadata = fs::metadata(path).with_context(cannot)?;
        if metadata.is_dir() {
            bail!("--replay: {name} is a directory; give a file written by --record");
        }
        if !metadata.is_file() {
            bail!(
                "--replay: {name} is not a regular file; a pipe can be read only once, a recording is read more often"
            );
        }
        let file = File::open(path).with_context(cannot)?;
        let mut lines = Lines::new(file).with_context(|| format!("cannot read {name}"))?;
        let mut line = Vec::new();
        let header = first_header(&name, &mut lines, &mut line)?;
        let mut recording = Self {
            host: header.host(),
            name,
            lines,
            header,
            moments: Vec::new(),
            offsets: Vec::new(),
            owned: Vec::new(),
            owners: None,
            next: 0,
            notice: None,
            line,
        };
        recording.index()?;
        Ok(recording)
    }

    /// Indexes the snapshots after the header.
    fn index(&mut self) -> Result<()> {
        let mut is_cut = false;
        for line in 2.. {
            let at = self.lines.position();
            let read = self.lines.read(&mut self.line);
            let ending = read.map_err(|e| self.unreadable(&e, line))?;
            if ending == LineEnd::NoLine {
                break;
            }
            if self.line.trim_ascii().is_empty() {
                continue;
            }
            match line::read_moment(&self.line) {
                Ok((moment, has_owners)) => {
                    self.add(moment, LineOffset { at, line })?;
                    if has_owners {
                        self.owned.push(self.moments.len() - 1);
                    }
                }
                Err(error) => match Header::read(&self.line) {
                    Some(header) => self.check(&header, line)?,
                    None if ending == LineEnd::File => is_cut = true,
                    None => return Err(self.damage_before_end(line, &error)),
                },
            }
        }
        let name = &self.name;
        if self.moments.is_empty() {
            if is_cut || self.lines.is_cut() {
                bail!("{name} contains no complete sample: the file is truncated");
            }
            bail!("{name} contains no sample");
        }
        if is_cut || self.lines.is_cut() {
            self.notice = Some(format!(
                "{name} is truncated: its last sample is incomplete and left out"
            ));
        }
        Ok(())
    }

    fn add(&mut self, moment: Moment, offset: LineOffset) -> Result<()> {
        if self
            .moments
            .last()
            .is_some_and(|last| moment.uptime <= last.uptime)
        {
            let error = anyhow!("it was taken no later than the one before it");
            return Err(self.damage_before_end(offset.line, &error));
        }
        self.moments.push(moment);
        self.offsets.push(offset);
        Ok(())
    }

    /// Whether the series continues after another header, as in concatenated files.
    fn check(&self, header: &Header, line: u64) -> Result<()> {
        let name = &self.name;
        check_version(name, header)?;
        if !header.is_of_same_boot(&self.header) {
            bail!("{name} holds recordings of two boots (line {line}): split it there");
        }
        Ok(())
    }

    /// Reads the line of a snapshot.
    fn read(&mut self, at: usize) -> Result<()> {
        let LineOffset { at, line } = self.offsets[at];
        let read = self.lines.seek(at);
        let read = read.and_then(|()| self.lines.read(&mut self.line));
        read.map(|_| ()).map_err(|e| self.unreadable(&e, line))
    }

    /// The owners at a snapshot: those recorded last before it.
    fn owners_at(&mut self, at: usize) -> Result<Option<Arc<Owners>>> {
        let before = self.owned.partition_point(|owned| *owned <= at);
        let Some(said) = before.checked_sub(1).map(|before| self.owned[before]) else {
            return Ok(None);
        };
        if let Some((from, owners)) = &self.owners
            && *from == said
        {
            return Ok(Some(Arc::clone(owners)));
        }
        self.read(said)?;
        let owners = line::read_owners(&self.line);
        let owners = owners.map_err(|e| self.damage(self.offsets[said].line, &e))?;
        self.owners = owners.map(|owners| (said, Arc::new(owners)));
        Ok(self.owners.as_ref().map(|(_, owners)| Arc::clone(owners)))
    }

    fn unreadable(&self, error: &io::Error, line: u64) -> Error {
        unreadable(&self.name, error, line)
    }

    fn damage(&self, line: u64, error: &Error) -> Error {
        let error = format!("{error:#}");
        // The column follows the line.
        let separator = if error.starts_with("column ") {
            ","
        } else {
            ":"
        };
        anyhow!("{} is damaged at line {line}{separator} {error}", self.name)
    }

    /// The same for a file that is therefore not opened, with a way to use the lines before.
    fn damage_before_end(&self, line: u64, error: &Error) -> Error {
        let error = self.damage(line, error);
        let before = line - 1;
        if self.moments.is_empty() {
            return error;
        }
        let command = if self.lines.is_packed() {
            format!("zstdcat FILE | head -n {before} > NEW")
        } else {
            format!("head -n {before} FILE > NEW")
        };
        anyhow!("{error}; to keep the lines before it: {command}")
    }
}

fn unreadable(name: &str, error: &io::Error, line: u64) -> Error {
    if error.kind() == ErrorKind::InvalidData {
        anyhow!("{name} is damaged at line {line}: {error}")
    } else {
        anyhow!("cannot read {name}: {error}")
    }
}

fn check_version(name: &str, header: &Header) -> Result<()> {
    if header.version > VERSION {
        bail!(
            "{name} was made by a newer mapstop (format {}; this one reads format {VERSION})",
            header.version
        );
    }
    Ok(())
}

/// Reads the line that makes a file a recording.
fn first_header(name: &str, lines: &mut Lines, line: &mut Vec<u8>) -> Result<Header> {
    match lines.read(line) {
        Ok(_) => {}
        // A file of another format may be one long line.
        Err(e) if e.kind() == ErrorKind::InvalidData && !lines.is_packed() => line.clear(),
        Err(e) => return Err(unreadable(name, &e, 1)),
    }
    let Some(header) = Header::read(line) else {
        if header::is_report(line) {
            bail!("{name} is a report, not a mapstop recording, which --record writes");
        }
        bail!("{name} is not a mapstop recording");
    };
    check_version(name, &header)?;
    Ok(header)
}

impl Source for Recording {
    fn name(&self) -> &'static str {
        "recording"
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn sample(&mut self) -> Result<Option<Snapshot>> {
        let at = self.next;
        if at >= self.offsets.len() {
            return Ok(None);
        }
        self.next += 1;
        let owners = self.owners_at(at)?;
        self.read(at)?;
        let snapshot = line::read_snapshot(&self.line);
        let snapshot = snapshot.map_err(|e| self.damage(self.offsets[at].line, &e))?;
        Ok(Some(Snapshot { owners, ..snapshot }))
    }

    fn wait(&mut self, due: Duration) -> Duration {
        let rest = &self.moments[self.next..];
        let early = rest.partition_point(|moment| moment.uptime + SEEK_TOLERANCE < due);
        // Waiting skips samples, but never the last one.
        self.next += early.min(rest.len().saturating_sub(1));
        let next = self.moments.get(self.next);
        next.map_or(due, |moment| moment.uptime)
    }

    fn notice(&mut self) -> Option<String> {
        self.notice.take()
    }

    fn sample_complete(&mut self) -> Result<Option<Snapshot>> {
        self.sample()
    }

    fn still_counting(&self) -> usize {
        0
    }

    fn is_recording(&self) -> bool {
        false
    }

    fn loss_tracer(&mut self) -> Option<&mut dyn TraceLosses> {
        None
    }

    fn replay(&mut self) -> Option<&mut dyn Replay> {
        Some(self)
    }

    fn remote(&mut self) -> Option<&mut dyn RemoteQuery> {
        None
    }
}

impl Replay for Recording {
    fn moments(&self) -> &[Moment] {
        &self.moments
    }

    fn seek(&mut self, index: usize) {
        self.next = index.min(self.moments.len());
    }
}
