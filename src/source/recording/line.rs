//! Converts between snapshots and lines of a recording.
//!
//! The structs are separate from those of `types`, so that the format does not change with
//! them. Fields are only added, and unknown ones are ignored. What is 0, false, empty or
//! unknown is left out. Types and flags are the kernel's numbers, which stay valid whatever
//! mapstop knows of them.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};

use super::exporter::FleetLine;
use super::losses::LossTracingLine;
use super::map_line::MapLine;
use super::owners::OwnersLine;
use super::serde_skip::is_default;
use crate::text::sanitize::sanitize;
use crate::text::width::truncate_to_width;
use crate::types::host::Moment;
use crate::types::ownership::Owners;
use crate::types::snapshot::{MapFacts, Snapshot};

/// Terminal cells of a JSON error that are shown: it may quote the file.
const MAX_ERROR_LEN: usize = 120;

/// The line of a snapshot, with its end.
///
/// It contains the owners if `has_owners`.
pub(crate) fn snapshot_to_line(snapshot: &Snapshot, has_owners: bool) -> Result<Vec<u8>> {
    let owners = snapshot.owners.as_deref().filter(|_| has_owners);
    let uptime = snapshot.moment.uptime.as_nanos();
    to_line(&Line {
        time: snapshot.moment.wall.to_string().into(),
        // Enough for 584 years.
        uptime_ns: uptime.try_into().unwrap_or(u64::MAX),
        cpus: snapshot.cpus,
        loss_tracing: LossTracingLine::from_state(&snapshot.loss_tracing),
        fleet: snapshot.fleet.as_deref().map(FleetLine::from),
        owners: owners.map(OwnersLine::from),
        maps: Maps(&snapshot.maps),
    })
}

/// The moment of a line's snapshot, and whether it has owners. The rest of the line is only
/// checked to be JSON.
pub(crate) fn read_moment(line: &[u8]) -> Result<(Moment, bool)> {
    let line = read_line::<IgnoredAny, IgnoredAny>(line)?;
    Ok((line.moment()?, line.owners.is_some()))
}

/// The owners in a line.
pub(crate) fn read_owners(line: &[u8]) -> Result<Option<Owners>> {
    let line = read_line::<IgnoredAny, OwnersLine<'_>>(line)?;
    Ok(line.owners.map(Owners::from))
}

/// The snapshot in a line, without owners.
pub(crate) fn read_snapshot(line: &[u8]) -> Result<Snapshot> {
    let line = read_line::<Vec<MapLine>, IgnoredAny>(line)?;
    let moment = line.moment()?;
    let loss_tracing = line.loss_tracing.into();
    let fleet = line.fleet.map(FleetLine::fleet).transpose()?;
    let mut maps: Vec<_> = line.maps.into_iter().map(MapFacts::from).collect();
    if !maps.is_sorted_by(|a, b| a.key < b.key) {
        maps.sort_by(|a, b| a.key.cmp(&b.key));
        if let Some(pair) = maps.windows(2).find(|pair| pair[0].key == pair[1].key) {
            bail!("map {} is there twice", pair[0].key.id.0);
        }
    }
    Ok(Snapshot {
        moment,
        cpus: line.cpus,
        maps,
        owners: None,
        loss_tracing,
        fleet: fleet.map(Arc::new),
    })
}

pub(crate) fn to_line(shape: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(shape)?;
    line.push(b'\n');
    Ok(line)
}

fn read_line<'a, M: Deserialize<'a>, O: Deserialize<'a>>(line: &'a [u8]) -> Result<Line<'a, M, O>> {
    from_json(line)
}

/// Parses a JSON object. Errors are sanitized and short.
pub(crate) fn from_json<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T> {
    // serde would take a list for a struct, too.
    if line.trim_ascii_start().first() != Some(&b'{') {
        bail!("not a JSON object");
    }
    serde_json::from_slice(line).map_err(|error| {
        let text = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        let text = sanitize(text.strip_suffix(&position).unwrap_or(&text).as_bytes());
        let text = truncate_to_width(&text, MAX_ERROR_LEN, "...");
        anyhow!("column {}: {text}", error.column())
    })
}

/// A snapshot, with its maps still to be written or already parsed.
#[derive(Debug, Serialize, Deserialize)]
struct Line<'a, M, O> {
    /// RFC 3339, UTC, in full precision.
    #[serde(borrow)]
    time: Cow<'a, str>,
    /// Since boot, time asleep included.
    uptime_ns: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    cpus: u32,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "watching")]
    loss_tracing: Option<LossTracingLine<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    fleet: Option<FleetLine<'a>>,
    maps: M,
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    owners: Option<O>,
}

impl<M, O> Line<'_, M, O> {
    fn moment(&self) -> Result<Moment> {
        let wall: Timestamp = self.time.parse().map_err(|_| anyhow!("its time is none"))?;
        Ok(Moment {
            uptime: Duration::from_nanos(self.uptime_ns),
            wall,
        })
    }
}

/// Maps that are converted one by one while they are written.
struct Maps<'a>(&'a [MapFacts]);

impl Serialize for Maps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(MapLine::from))
    }
}
