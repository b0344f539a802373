//! The lines of a recording: a snapshot becomes a line of JSON, and a line a snapshot.
//!
//! A shape of its own, so that the files stay what they are when the model changes. Fields are only
//! ever added, and those that are not known are passed over. What is 0, false, empty or unknown is
//! left out. Types and flags are the kernel's numbers, which outlive what mapstop knows of them.

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
use super::losses::WatchingLine;
use super::map_line::MapLine;
use super::owners::OwnersLine;
use super::serde_skip::is_default;
use crate::text::sanitize::sanitize;
use crate::text::width::truncate_to_width;
use crate::types::host::Moment;
use crate::types::ownership::Owners;
use crate::types::snapshot::{MapFacts, Snapshot};

/// Cells of a JSON error's text at the most: it may quote the file.
const MAX_ERROR_LEN: usize = 120;

/// The line of a snapshot, with its end.
///
/// Whose maps are is in it if `has_owners`.
pub fn snapshot_to_line(snapshot: &Snapshot, has_owners: bool) -> Result<Vec<u8>> {
    let owners = snapshot.owners.as_deref().filter(|_| has_owners);
    let uptime = snapshot.moment.uptime.as_nanos();
    to_line(&Line {
        time: snapshot.moment.wall.to_string().into(),
        // Enough for 584 years.
        uptime_ns: uptime.try_into().unwrap_or(u64::MAX),
        cpus: snapshot.cpus,
        watching: WatchingLine::of(&snapshot.watching),
        fleet: snapshot.fleet.as_deref().map(FleetLine::from),
        owners: owners.map(OwnersLine::from),
        maps: Maps(&snapshot.maps),
    })
}

/// When the snapshot of this line was taken, and whether it says whose maps were. The rest of it is
/// only known to be JSON.
pub fn read_moment(line: &[u8]) -> Result<(Moment, bool)> {
    let line = read_line::<IgnoredAny, IgnoredAny>(line)?;
    Ok((line.moment()?, line.owners.is_some()))
}

/// What this line says of whose maps were.
pub fn read_owners(line: &[u8]) -> Result<Option<Owners>> {
    let line = read_line::<IgnoredAny, OwnersLine<'_>>(line)?;
    Ok(line.owners.map(Owners::from))
}

/// The snapshot of this line, but for whose maps were.
pub fn read_snapshot(line: &[u8]) -> Result<Snapshot> {
    let line = read_line::<Vec<MapLine>, IgnoredAny>(line)?;
    let moment = line.moment()?;
    let watching = line.watching.into();
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
        watching,
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

/// Reads a JSON object. The error is harmless, short and about this line.
pub(crate) fn from_json<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T> {
    // serde would take a list for a struct, too.
    if line.trim_ascii_start().first() != Some(&b'{') {
        bail!("it is no JSON object");
    }
    serde_json::from_slice(line).map_err(|error| {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let text = sanitize(text.strip_suffix(&place).unwrap_or(&text).as_bytes());
        let text = truncate_to_width(&text, MAX_ERROR_LEN, "...");
        anyhow!("{text} (column {})", error.column())
    })
}

/// A snapshot, its maps in one form or another.
#[derive(Debug, Serialize, Deserialize)]
struct Line<'a, M, O> {
    /// RFC 3339, UTC, as exact as it is known.
    #[serde(borrow)]
    time: Cow<'a, str>,
    /// Since boot, time asleep included.
    uptime_ns: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    cpus: u32,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    watching: Option<WatchingLine<'a>>,
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

/// Maps on their way into a line, one by one.
struct Maps<'a>(&'a [MapFacts]);

impl Serialize for Maps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(MapLine::from))
    }
}
