//! The lines of a recording: a snapshot becomes a line of JSON, and a line a snapshot.
//!
//! A shape of its own, so that the files stay what they are when the model changes. Fields are only
//! ever added, and those that are not known are passed over. What is 0, false, empty or unknown is
//! left out. Types and flags are the kernel's numbers, which outlive what mapstop knows of them.

use super::serde_skip::is_default;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use compact_str::CompactString;
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};

use super::exporter::{FleetLine, ToldLine};
use super::losses::{LossLine, WatchingLine};
use super::owners::OwnersLine;
use crate::text::sanitize::harmless;
use crate::text::width::fit;
use crate::types::count::{Count, CountMethod};
use crate::types::host::{Host, Moment};
use crate::types::map_flags::MapFlags;
use crate::types::map_id::{MapId, MapKey};
use crate::types::map_type::MapType;
use crate::types::ownership::Owners;
use crate::types::snapshot::{Layout, MapFacts, Snapshot};

/// The version of this format.
pub const VERSION: u32 = 1;

/// Cells of a JSON error's text at the most: it may quote the file.
const LONGEST_ERROR: usize = 120;

/// The first line: what made the recording, and where.
#[derive(Debug, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    #[serde(rename = "mapstop_recording")]
    pub version: u32,
    #[serde(default)]
    mapstop: CompactString,
    #[serde(default)]
    host: CompactString,
    #[serde(default)]
    kernel: CompactString,
    #[serde(default)]
    boot_id: CompactString,
    /// The machine's name among several.
    #[serde(default)]
    node: Option<CompactString>,
}

impl Header {
    /// The header of a recording of this machine.
    pub fn new(host: &Host) -> Self {
        Self {
            version: VERSION,
            mapstop: env!("CARGO_PKG_VERSION").into(),
            host: host.name.clone(),
            kernel: host.kernel.clone(),
            boot_id: host.boot_id.clone(),
            node: None,
        }
    }

    /// Reads a line as a header; `None` if it is none.
    pub fn read(line: &[u8]) -> Option<Self> {
        let header: Self = from_json(line).ok()?;
        (header.version > 0).then_some(header)
    }

    /// The line, with its end.
    pub fn to_line(&self) -> Result<Vec<u8>> {
        to_line(self)
    }

    /// The machine, made harmless.
    pub fn host(&self) -> Host {
        Host {
            name: harmless(self.host.as_bytes()),
            kernel: harmless(self.kernel.as_bytes()),
            boot_id: harmless(self.boot_id.as_bytes()),
        }
    }

    /// Whether snapshots under both headers can stand in one series.
    pub fn is_of_same_boot(&self, other: &Self) -> bool {
        self.boot_id == other.boot_id && self.node == other.node
    }
}

/// Whether the line is a report of mapstop, which holds less than a recording.
pub fn is_report(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Report {
        #[serde(rename = "version")]
        _version: u32,
        #[serde(rename = "maps")]
        _maps: IgnoredAny,
    }
    from_json::<Report>(line).is_ok()
}

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

fn to_line(shape: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(shape)?;
    line.push(b'\n');
    Ok(line)
}

fn read_line<'a, M: Deserialize<'a>, O: Deserialize<'a>>(line: &'a [u8]) -> Result<Line<'a, M, O>> {
    from_json(line)
}

/// Reads a JSON object. The error is harmless, short and about this line.
fn from_json<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T> {
    // serde would take a list for a struct, too.
    if line.trim_ascii_start().first() != Some(&b'{') {
        bail!("it is no JSON object");
    }
    serde_json::from_slice(line).map_err(|error| {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let text = harmless(text.strip_suffix(&place).unwrap_or(&text).as_bytes());
        let text = fit(&text, LONGEST_ERROR, "...");
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

/// One map. The fields are those of [`MapFacts`], called as in a report.
#[derive(Debug, Serialize, Deserialize)]
struct MapLine<'a> {
    #[serde(borrow, default, skip_serializing_if = "is_default")]
    node: Option<Cow<'a, str>>,
    id: u32,
    #[serde(borrow, default, skip_serializing_if = "is_default")]
    name: Cow<'a, str>,
    #[serde(rename = "type")]
    map_type: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    key_bytes: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    value_bytes: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    max_entries: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    flags: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    frozen: Option<bool>,
    #[serde(default, skip_serializing_if = "is_default")]
    refs: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    user_refs: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    used: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    capacity: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    count_method: Method,
    #[serde(borrow, default, skip_serializing_if = "is_default")]
    count_note: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_default")]
    count_error: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    layout: LayoutLine,
    #[serde(default, skip_serializing_if = "is_default")]
    consumer: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "is_default")]
    loss: Option<LossLine<'a>>,
    /// Of a map with it, what is left out is not known.
    #[serde(borrow, default, skip_serializing_if = "is_default")]
    told: Option<ToldLine<'a>>,
}

/// How a map was counted. A way that a later mapstop may find is read as none: the number stays.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Method {
    Counter,
    Field,
    Scan,
    Estimate,
    Walk,
    #[default]
    #[serde(other)]
    None,
}

/// What a map's memory is made of.
#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct LayoutLine {
    #[serde(skip_serializing_if = "is_default")]
    container_size: u32,
    #[serde(skip_serializing_if = "is_default")]
    elem_size: u32,
    #[serde(skip_serializing_if = "is_default")]
    bucket_count: u32,
    #[serde(skip_serializing_if = "is_default")]
    node_size: u32,
    #[serde(skip_serializing_if = "is_default")]
    data_size: u32,
    #[serde(skip_serializing_if = "is_default")]
    lock_size: u32,
    #[serde(skip_serializing_if = "is_default")]
    map_extra: u64,
}

/// What is written of a fact: of a map that was read, all are known, and those that are 0 or false are
/// left out.
fn written<T: Default + PartialEq>(fact: Option<T>, is_told: bool) -> Option<T> {
    fact.filter(|fact| is_told || *fact != T::default())
}

/// The fact that was written so.
fn read<T: Default>(fact: Option<T>, is_told: bool) -> Option<T> {
    if is_told {
        fact
    } else {
        Some(fact.unwrap_or_default())
    }
}

impl<'a> From<&'a MapFacts> for MapLine<'a> {
    fn from(facts: &'a MapFacts) -> Self {
        let is_told = facts.told.is_some();
        Self {
            node: facts.key.node.as_deref().map(Cow::Borrowed),
            id: facts.key.id.0,
            name: Cow::Borrowed(&facts.name),
            map_type: facts.map_type.0,
            key_bytes: written(facts.key_size, is_told),
            value_bytes: written(facts.value_size, is_told),
            max_entries: facts.max_entries,
            flags: written(facts.flags.map(|flags| flags.0), is_told),
            frozen: written(facts.frozen, is_told),
            refs: written(facts.refs, is_told),
            user_refs: written(facts.user_refs, is_told),
            used: facts.used,
            capacity: facts.capacity,
            count_method: facts.count.method.into(),
            count_note: facts.count.note.as_deref().map(Cow::Borrowed),
            count_error: facts.count.error,
            layout: facts.layout.into(),
            consumer: facts.consumer,
            loss: facts.loss.as_deref().map(LossLine::from),
            told: facts.told.as_deref().map(ToldLine::from),
        }
    }
}

impl From<MapLine<'_>> for MapFacts {
    fn from(line: MapLine) -> Self {
        let harmless = |text: &str| harmless(text.as_bytes());
        let is_told = line.told.is_some();
        Self {
            key: MapKey {
                node: line.node.map(|node| Arc::from(harmless(&node).as_str())),
                id: MapId(line.id),
            },
            name: harmless(&line.name),
            map_type: MapType(line.map_type),
            key_size: read(line.key_bytes, is_told),
            value_size: read(line.value_bytes, is_told),
            max_entries: line.max_entries,
            flags: read(line.flags, is_told).map(MapFlags),
            frozen: read(line.frozen, is_told),
            refs: read(line.refs, is_told),
            user_refs: read(line.user_refs, is_told),
            used: line.used,
            capacity: line.capacity,
            count: Count {
                method: line.count_method.into(),
                note: line
                    .count_note
                    .map(|note| harmless(&note).into_string().into()),
                error: line.count_error,
            },
            layout: line.layout.into(),
            consumer: line.consumer,
            loss: line.loss.map(|loss| Arc::new(loss.into())),
            told: line.told.map(|told| Arc::new(told.into())),
        }
    }
}

impl From<CountMethod> for Method {
    fn from(method: CountMethod) -> Self {
        match method {
            CountMethod::Counter => Self::Counter,
            CountMethod::Field => Self::Field,
            CountMethod::Scan => Self::Scan,
            CountMethod::Estimate => Self::Estimate,
            CountMethod::Walk => Self::Walk,
            CountMethod::None => Self::None,
        }
    }
}

impl From<Method> for CountMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Counter => Self::Counter,
            Method::Field => Self::Field,
            Method::Scan => Self::Scan,
            Method::Estimate => Self::Estimate,
            Method::Walk => Self::Walk,
            Method::None => Self::None,
        }
    }
}

impl From<Layout> for LayoutLine {
    fn from(layout: Layout) -> Self {
        Self {
            container_size: layout.container_size,
            elem_size: layout.elem_size,
            bucket_count: layout.bucket_count,
            node_size: layout.node_size,
            data_size: layout.data_size,
            lock_size: layout.lock_size,
            map_extra: layout.map_extra,
        }
    }
}

impl From<LayoutLine> for Layout {
    fn from(line: LayoutLine) -> Self {
        Self {
            container_size: line.container_size,
            elem_size: line.elem_size,
            bucket_count: line.bucket_count,
            node_size: line.node_size,
            data_size: line.data_size,
            lock_size: line.lock_size,
            map_extra: line.map_extra,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{host, map, moment, snapshot, watched};
    use crate::types::errno::Errno;
    use crate::types::loss::{Backlog, Culprit, Loss};
    use crate::types::loss_tracing::Watching;
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    fn read(line: &str) -> Result<Snapshot> {
        read_snapshot(line.as_bytes())
    }

    fn text(line: Vec<u8>) -> String {
        String::from_utf8(line).expect("UTF-8")
    }

    /// A line with these maps.
    fn with_maps(maps: &str) -> String {
        format!(r#"{{"time":"2026-11-22T14:25:09Z","uptime_ns":1,"maps":[{maps}]}}"#)
    }

    #[test]
    fn a_snapshot_is_one_line_without_what_is_not_there() {
        let line = snapshot_to_line(
            &snapshot(7, [map("conns").id(3), map("").id(9).uncounted()]),
            true,
        );
        let maps = [
            r#"{"id":3,"name":"conns","type":1,"key_bytes":16,"value_bytes":64,"max_entries":1000,"#,
            r#""refs":4,"user_refs":2,"used":7,"capacity":1000,"count_method":"counter"},"#,
            r#"{"id":9,"type":1,"key_bytes":16,"value_bytes":64,"max_entries":1000,"refs":4,"#,
            r#""user_refs":2,"capacity":1000,"count_note":"this kernel keeps no count of it"}"#,
        ];
        assert_eq!(
            text(line.expect("a line")),
            format!(
                "{{\"time\":\"2026-11-22T14:25:16Z\",\"uptime_ns\":7000000000,\"cpus\":2,\"maps\":[{}]}}\n",
                maps.concat()
            )
        );
    }

    #[test]
    fn what_was_lost_is_a_few_bytes_more() {
        let maps = [
            map("").id(3).refused(31).evicted(0),
            map("").id(9).refused(0),
        ];
        let line = snapshot_to_line(&watched(7, 5, maps), true).expect("a line");
        let line = text(line);
        for part in [
            r#""cpus":2,"watching":{"state":"on","since_ns":5000000000},"maps":["#,
            r#""loss":{"watched":true,"failed":[[7,31]],"evictions":0}}"#,
            r#""loss":{"watched":true,"failed":[]}}"#,
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }

    #[test]
    fn a_state_of_watching_that_is_not_known_is_none() {
        let line = with_maps(r#"{"id":3,"type":1}"#);
        let line = line.replace("\"maps\"", "\"watching\":{\"state\":\"dreaming\"},\"maps\"");
        assert_eq!(read(&line).expect("a snapshot").watching, Watching::Off);
    }

    #[test]
    fn the_first_line_says_which_machine_and_which_boot() {
        let line = text(Header::new(&host()).to_line().expect("a line"));
        assert_eq!(
            line,
            concat!(
                r#"{"mapstop_recording":1,"mapstop":""#,
                env!("CARGO_PKG_VERSION"),
                r#"","host":"node-17","kernel":"6.18.44","#,
                r#""boot_id":"6f0c7a52-0000-4000-8000-000000000001","node":null}"#,
                "\n"
            )
        );
        let header = Header::read(line.as_bytes()).expect("a header");
        assert_eq!(header.host(), host());
    }

    #[test]
    fn fields_of_a_later_mapstop_are_passed_over_and_its_types_stay() {
        let line = with_maps(
            r#"{"id":3,"type":99,"flags":2147483648,"owner":{"pid":7},"used":5,"count_method":"guess"}"#,
        );
        let snapshot =
            read(&line.replace("\"maps\"", "\"load\":[1],\"maps\"")).expect("a snapshot");
        let facts = &snapshot.maps[0];
        assert_eq!(facts.map_type, MapType(99));
        assert_eq!(facts.flags, Some(MapFlags(1 << 31)));
        assert_eq!(facts.used, Some(5));
        assert_eq!(facts.count.method, CountMethod::None);
    }

    #[test]
    fn what_a_terminal_obeys_does_not_come_out_of_a_file() {
        let line = with_maps(
            r#"{"id":3,"type":1,"name":"\u001b[2Ja","count_note":"\u202eb","node":"c\nd"}"#,
        );
        let snapshot = read(&line).expect("a snapshot");
        let facts = &snapshot.maps[0];
        assert_eq!(facts.name, "?[2Ja");
        assert_eq!(facts.count.note.as_deref(), Some("?b"));
        assert_eq!(facts.key.node.as_deref(), Some("c?d"));
        let header =
            r#"{"mapstop_recording":1,"host":"\u0007a","kernel":"\u009bb","boot_id":"\tc"}"#;
        let host = Header::read(header.as_bytes()).expect("a header").host();
        assert_eq!([host.name, host.kernel, host.boot_id], ["?a", "?b", "?c"]);
    }

    #[test]
    fn maps_come_out_sorted_and_each_once() {
        let line = with_maps(r#"{"id":9,"type":1},{"id":3,"type":2}"#);
        let ids: Vec<_> = read(&line)
            .expect("a snapshot")
            .maps
            .into_iter()
            .map(|m| m.key.id.0)
            .collect();
        assert_eq!(ids, [3, 9]);
        let line = with_maps(r#"{"id":9,"type":1},{"id":3,"type":2},{"id":9,"type":1}"#);
        assert_eq!(
            read(&line).expect_err("twice").to_string(),
            "map 9 is there twice"
        );
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_shortly_and_harmlessly() {
        let long = "x".repeat(5000);
        for (line, says) in [
            (with_maps(r#"{"type":1}"#), "missing field `id` (column 63)"),
            (
                with_maps(r#"{"id":-1}"#),
                "invalid value: integer `-1`, expected u32 (column 61)",
            ),
            (
                r#"{"time":"noon","uptime_ns":1,"maps":[]}"#.into(),
                "its time is none",
            ),
            (
                "{\"a\u{1b}[2J".into(),
                "control character (\\u0000-\\u001F) found while parsing a string (column 4)",
            ),
        ] {
            assert_eq!(read(&line).expect_err(says).to_string(), says);
        }
        let line = with_maps(&format!(r#"{{"id":"\u001b{long}"}}"#));
        let error = read(&line).expect_err("text for a number").to_string();
        assert!(error.len() < 200 && !error.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn a_report_is_told_from_a_recording() {
        assert!(is_report(br#"{"version":1,"time":"x","maps":[{"id":3}]}"#));
        assert!(!is_report(with_maps("").as_bytes()));
    }

    /// Text as the model holds it.
    fn harmless_text() -> impl Strategy<Value = String> {
        any::<String>().prop_map(|text| harmless(text.as_bytes()).into_string())
    }

    fn any_loss() -> impl Strategy<Value = Loss> {
        let culprit = prop_oneof![
            Just(Culprit::Program),
            (any::<u32>(), harmless_text()).prop_map(|(pid, comm)| Culprit::Process {
                pid,
                comm: comm.into(),
            }),
        ];
        (
            any::<bool>(),
            option::of(harmless_text()),
            option::of(btree_map(any::<u16>().prop_map(Errno), any::<u64>(), 0..3)),
            any::<(Option<u64>, Option<u64>)>(),
            any::<Option<(u64, u64)>>(),
            option::of(culprit),
        )
            .prop_map(
                |(is_watched, reason, failed, (evictions, drops), backlog, culprit)| Loss {
                    is_watched,
                    reason: reason.map(Cow::Owned),
                    failed: failed.map(|failed| failed.into_iter().collect()),
                    evictions,
                    drops,
                    backlog: backlog.map(|(bytes, room)| Backlog { bytes, room }),
                    culprit,
                },
            )
    }

    fn any_watching() -> impl Strategy<Value = Watching> {
        prop_oneof![
            Just(Watching::Off),
            Just(Watching::Starting),
            (
                any::<u64>(),
                any::<bool>(),
                option::of(harmless_text()),
                any::<u64>()
            )
                .prop_map(|(since, sees_updates, note, gone)| Watching::On {
                    since: Duration::from_nanos(since),
                    sees_updates,
                    note: note.map(Into::into),
                    gone,
                }),
            harmless_text().prop_map(|why| Watching::Refused(why.into())),
        ]
    }

    fn any_facts() -> impl Strategy<Value = MapFacts> {
        let method = prop::sample::select(vec![
            CountMethod::Counter,
            CountMethod::Field,
            CountMethod::Scan,
            CountMethod::Estimate,
            CountMethod::Walk,
            CountMethod::None,
        ]);
        (
            (
                option::of(harmless_text()),
                harmless_text(),
                option::of(harmless_text()),
            ),
            any::<[u32; 6]>(),
            any::<(bool, u64, u64, Option<u64>, Option<u64>)>(),
            method,
            any::<([u32; 6], u64)>(),
            (any::<Option<u64>>(), option::of(any_loss()), any::<u64>()),
        )
            .prop_map(
                |(texts, numbers, counts, method, (sizes, map_extra), (consumer, loss, error))| {
                    MapFacts {
                        key: MapKey {
                            node: texts.0.map(Arc::from),
                            id: MapId(numbers[0]),
                        },
                        name: texts.1.into(),
                        map_type: MapType(numbers[1]),
                        key_size: Some(numbers[2]),
                        value_size: Some(numbers[3]),
                        max_entries: numbers[4],
                        flags: Some(MapFlags(numbers[5])),
                        frozen: Some(counts.0),
                        refs: Some(counts.1),
                        user_refs: Some(counts.2),
                        used: counts.3,
                        capacity: counts.4,
                        count: Count {
                            method,
                            note: texts.2.map(Cow::Owned),
                            error,
                        },
                        layout: Layout {
                            container_size: sizes[0],
                            elem_size: sizes[1],
                            bucket_count: sizes[2],
                            node_size: sizes[3],
                            data_size: sizes[4],
                            lock_size: sizes[5],
                            map_extra,
                        },
                        consumer,
                        loss: loss.map(Arc::new),
                        told: None,
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            mut maps in vec(any_facts(), 0..5),
            uptime in any::<u64>(),
            watching in any_watching(),
            nanoseconds in -1_000_000_000_000_000_000..4_000_000_000_000_000_000_i128,
        ) {
            maps.sort_by(|a, b| a.key.cmp(&b.key));
            maps.dedup_by(|a, b| a.key == b.key);
            let moment = Moment {
                uptime: Duration::from_nanos(uptime),
                wall: Timestamp::from_nanosecond(nanoseconds).expect("a time"),
            };
            let snapshot = Snapshot { moment, cpus: 0, maps, owners: None, watching, fleet: None };
            let line = snapshot_to_line(&snapshot, true).expect("a line");
            prop_assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
            prop_assert_eq!(read_moment(&line).expect("a moment"), (moment, false));
            prop_assert_eq!(read_snapshot(&line).expect("a snapshot"), snapshot);
        }

        #[test]
        fn any_line_is_read_or_refused(line in any::<Vec<u8>>()) {
            prop_assert!(read_snapshot(&line).is_err());
        }
    }

    #[test]
    fn the_moment_is_read_without_the_maps() {
        let line = snapshot_to_line(&snapshot(7, [map("conns")]), true).expect("a line");
        assert_eq!(read_moment(&line).expect("a moment"), (moment(7), false));
    }
}
