//! The metric families in the order they are written. A test compares them with docs/exporter.md.

use compact_str::ToCompactString;

use super::encode::{FamilyMeta, Kind, Lines, Number, push_label};
use super::series::Series;
use crate::source::metrics::{self, label};
use crate::types::errno::{Errno, ErrnoCounts};

/// A metric family with samples of each map.
#[derive(Debug)]
pub struct MapFamily {
    /// Its `HELP` and `TYPE` lines.
    pub meta: FamilyMeta,
    /// The samples of a map.
    values: Values,
}

/// How the samples of a map are made.
#[derive(Debug)]
enum Values {
    /// One number, unless it is unknown.
    One(fn(&Series) -> Option<Number>),
    /// One number, with its unit as a label.
    InUnit(fn(&Series) -> Option<Number>),
    /// One number for each errno of failed updates.
    FailedUpdates,
    /// 1, with labels that describe the map.
    Info,
}

/// The labels that identify a map, with and without the type: the metrics of ebpf-map-metrics
/// have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels<'a> {
    /// Including the type.
    pub whole: &'a str,
    /// Without the type.
    pub without_type: &'a str,
}

const fn family_meta(name: &'static str, kind: Kind, help: &'static str) -> FamilyMeta {
    FamilyMeta { name, kind, help }
}

const fn single_value(
    name: &'static str,
    kind: Kind,
    number: fn(&Series) -> Option<Number>,
    help: &'static str,
) -> MapFamily {
    MapFamily {
        meta: family_meta(name, kind, help),
        values: Values::One(number),
    }
}

/// Families with samples of each map.
pub const MAP_FAMILIES: [MapFamily; 16] = [
    MapFamily {
        meta: family_meta(
            metrics::MAP_INFO,
            Kind::Info,
            "Facts about the map: kind is what happens when it is full, owner is a process name, a pin or a program.",
        ),
        values: Values::Info,
    },
    MapFamily {
        meta: family_meta(
            metrics::MAP_USED,
            Kind::Gauge,
            "Entries, bytes, slots or pages in use, as the label unit says.",
        ),
        values: Values::InUnit(|map| Some(map.used?.into())),
    },
    single_value(
        metrics::MAP_USED_ERROR,
        Kind::Gauge,
        |map| Some(map.used_error?.into()),
        "Error bound of bpf_map_used, three standard deviations; absent unless that is an estimate.",
    ),
    single_value(
        metrics::MAP_CAPACITY,
        Kind::Gauge,
        |map| Some(map.capacity?.into()),
        "How much fits in the map, in the unit of bpf_map_used.",
    ),
    single_value(
        metrics::MAP_MAX_ENTRIES,
        Kind::Gauge,
        |map| Some(map.max_entries.into()),
        "The max_entries that the map was created with.",
    ),
    single_value(
        metrics::MAP_PRESSURE,
        Kind::Gauge,
        |map| Some(map.pressure?.into()),
        "Used / capacity, where 1 is full; absent for maps that cannot fill up.",
    ),
    single_value(
        metrics::MAP_MEMORY,
        Kind::Gauge,
        |map| Some(map.memory?.into()),
        "Kernel memory of the map, in bytes.",
    ),
    single_value(
        metrics::MAP_GROWTH,
        Kind::Gauge,
        |map| Some(map.growth?.into()),
        "Growth per second over the last minute, or over the last six samples if that is longer.",
    ),
    single_value(
        metrics::MAP_FULL_IN,
        Kind::Gauge,
        |map| Some(map.full_in?.into()),
        "Seconds until the map is full at its current growth; 0 if it is full, absent if it is steady or not measured yet.",
    ),
    single_value(
        metrics::MAP_ENTRY_LIFETIME,
        Kind::Gauge,
        |map| Some(map.entry_lifetime?.into()),
        "Seconds that an entry stays in an LRU map at the evictions of the last minute; absent if none was evicted, or losses are not watched.",
    ),
    single_value(
        metrics::MAP_MARK,
        Kind::Gauge,
        |map| Some(map.mark?.number().into()),
        "Whether the map needs attention: 0 no, 1 warn, 2 crit; absent if its level is unknown.",
    ),
    single_value(
        metrics::MAP_PROGRAMS,
        Kind::Gauge,
        |map| Some(map.programs?.into()),
        "BPF programs that use the map.",
    ),
    single_value(
        metrics::MAP_HOLDERS,
        Kind::Gauge,
        |map| Some(map.holders?.into()),
        "Processes that hold the map.",
    ),
    MapFamily {
        meta: family_meta(
            metrics::MAP_FAILED_UPDATES,
            Kind::Counter,
            "Updates that the map refused, by error, since losses are watched.",
        ),
        values: Values::FailedUpdates,
    },
    single_value(
        metrics::MAP_EVICTIONS,
        Kind::Counter,
        |map| Some(map.loss.as_ref()?.evictions?.into()),
        "Entries that the map evicted, since losses are watched.",
    ),
    single_value(
        metrics::MAP_DROPS,
        Kind::Counter,
        |map| Some(map.loss.as_ref()?.drops?.into()),
        "Records or packets that were dropped, since losses are watched.",
    ),
];

/// Families under the names of ebpf-map-metrics, for its dashboards.
pub const COMPAT: [MapFamily; 2] = [
    single_value(
        metrics::COMPAT_USED,
        Kind::Untyped,
        |map| Some(map.used?.into()),
        "Same as bpf_map_used, under its name in ebpf-map-metrics.",
    ),
    single_value(
        metrics::COMPAT_PRESSURE,
        Kind::Untyped,
        |map| Some(map.pressure?.into()),
        "Same as bpf_map_pressure_ratio, under its name in ebpf-map-metrics.",
    ),
];

/// The number of maps.
pub const MAPS: FamilyMeta = family_meta(metrics::MAPS, Kind::Gauge, "Number of maps, by type.");
/// The duration of a sample.
pub const SAMPLE_SECONDS: FamilyMeta = family_meta(
    metrics::SAMPLE_SECONDS,
    Kind::Gauge,
    "Time that it took to read all maps, in seconds.",
);
/// The version of mapstop.
pub const BUILD_INFO: FamilyMeta =
    family_meta(metrics::BUILD_INFO, Kind::Info, "The version of mapstop.");
/// The number of maps without a count.
pub const UNMEASURED: FamilyMeta = family_meta(
    metrics::MAPS_UNMEASURED,
    Kind::Gauge,
    "Number of maps that could not be counted, by type and reason.",
);
/// The number of series that were left out.
pub const SERIES_LEFT_OUT: FamilyMeta = family_meta(
    metrics::SERIES_LEFT_OUT,
    Kind::Gauge,
    "Series about maps that were left out because of --max-series.",
);
/// The state of loss tracing.
pub const LOSSES_WATCHED: FamilyMeta = family_meta(
    metrics::LOSSES_WATCHED,
    Kind::Gauge,
    "1 if refused updates are watched, 0 if the kernel does not allow that; absent without --losses.",
);

/// Whether owners are known only in part.
pub const OWNERS_INCOMPLETE: FamilyMeta = family_meta(
    metrics::OWNERS_INCOMPLETE,
    Kind::Gauge,
    "1 if some owners are unknown, as the label reason says.",
);
/// The losses of deleted maps.
pub const LOSSES_OF_DELETED_MAPS: FamilyMeta = family_meta(
    metrics::LOSSES_OF_DELETED_MAPS,
    Kind::Counter,
    "Updates refused and records dropped by maps that are deleted by now, since losses are watched.",
);

/// Families about mapstop itself, and about the maps as a whole.
pub const GLOBAL_FAMILIES: [&FamilyMeta; 8] = [
    &MAPS,
    &SAMPLE_SECONDS,
    &BUILD_INFO,
    &UNMEASURED,
    &SERIES_LEFT_OUT,
    &OWNERS_INCOMPLETE,
    &LOSSES_WATCHED,
    &LOSSES_OF_DELETED_MAPS,
];

impl MapFamily {
    /// The number of samples that a map has in this family.
    #[must_use]
    pub fn count(&self, map: &Series) -> usize {
        match self.values {
            Values::One(number) | Values::InUnit(number) => number(map).iter().count(),
            Values::FailedUpdates => failed_updates(map).count(),
            Values::Info => 1,
        }
    }

    /// Writes a map's samples. `labels` identify the map; `scratch` is a buffer for further
    /// labels.
    pub fn write(
        &self,
        map: &Series,
        labels: Labels<'_>,
        scratch: &mut String,
        lines: &mut Lines<'_>,
    ) {
        let first = match self.meta.kind {
            Kind::Untyped => labels.without_type,
            Kind::Gauge | Kind::Counter | Kind::Info => labels.whole,
        };
        match self.values {
            Values::One(number) => {
                if let Some(number) = number(map) {
                    lines.write_sample([first, ""], number);
                }
            }
            Values::InUnit(number) => {
                if let Some(number) = number(map) {
                    scratch.clear();
                    push_label(scratch, label::UNIT, map.map_type.unit().name());
                    lines.write_sample([first, scratch], number);
                }
            }
            Values::FailedUpdates => {
                for (errno, count) in failed_updates(map) {
                    scratch.clear();
                    push_label(scratch, label::ERRNO, &errno.metric_label());
                    lines.write_sample([first, scratch], count.into());
                }
            }
            Values::Info => {
                scratch.clear();
                push_info_labels(map, scratch);
                lines.write_sample([first, scratch], 1.into());
            }
        }
    }
}

/// The failed updates by errno. Exports a zero for the errno of a full map up front, so that
/// `rate()` sees the first increment.
fn failed_updates(map: &Series) -> impl Iterator<Item = (Errno, u64)> {
    let counts = map.loss.as_ref().and_then(|loss| loss.failed.as_ref());
    let full_errno = map.map_type.full_errno();
    let is_missing = counts.is_some_and(|counts| !counts.contains(full_errno));
    let zero = is_missing.then_some((full_errno, 0));
    zero.into_iter()
        .chain(counts.into_iter().flat_map(ErrnoCounts::iter))
}

/// Appends the labels of `bpf_map_info`.
fn push_info_labels(map: &Series, labels: &mut String) {
    push_label(labels, label::KIND, map.map_type.kind().name());
    let mut push = |name, value: &str| {
        labels.push(',');
        push_label(labels, name, value);
    };
    let about = &map.info;
    let numbers = [
        (label::KEY_BYTES, about.key_bytes),
        (label::VALUE_BYTES, about.value_bytes),
    ];
    for (name, bytes) in numbers {
        if let Some(bytes) = bytes {
            push(name, itoa::Buffer::new().format(bytes));
        }
    }
    if let Some(flags) = about.flags {
        push(label::FLAGS, &flags.to_compact_string());
    }
    for (name, text) in [(label::OWNER, &about.owner), (label::PIN, &about.pin)] {
        if let Some(text) = text {
            push(name, text);
        }
    }
}
