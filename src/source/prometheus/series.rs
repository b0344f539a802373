//! Converts samples of the series of `mapstop export` to facts of maps.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::response::{Labels, Sample};
use crate::source::metrics::{self, label};
use crate::text::sanitize::sanitize;
use crate::types::count::{Count, CountMethod, CountNote, UncountedReason};
use crate::types::errno::{Errno, ErrnoCounts};
use crate::types::fleet::ExportedFields;
use crate::types::loss::Loss;
use crate::types::map_flags::MapFlags;
use crate::types::map_id::{MapId, MapKey};
use crate::types::map_type::MapType;
use crate::types::mark::Mark;
use crate::types::snapshot::{MapFacts, Origin};

/// Metrics that change from sample to sample.
const LEVEL_METRICS: [&str; 10] = [
    metrics::MAP_MAX_ENTRIES,
    metrics::MAP_USED,
    metrics::MAP_CAPACITY,
    metrics::MAP_GROWTH,
    metrics::MAP_FULL_IN,
    metrics::MAP_ENTRY_LIFETIME,
    metrics::MAP_MARK,
    metrics::MAP_FAILED_UPDATES,
    metrics::MAP_EVICTIONS,
    metrics::MAP_DROPS,
];

/// Metrics that rarely change.
const INFO_METRICS: [&str; 4] = [
    metrics::MAP_INFO,
    metrics::MAP_MEMORY,
    metrics::MAP_PROGRAMS,
    metrics::MAP_HOLDERS,
];

/// A regular expression for the names of the metrics that change.
pub(crate) fn level_pattern() -> String {
    name_pattern(&LEVEL_METRICS)
}

/// A regular expression for the names of the metrics that rarely change.
pub(crate) fn info_pattern() -> String {
    name_pattern(&INFO_METRICS)
}

/// Their common prefix is written once, since a query may contain the pattern for each of many nodes.
fn name_pattern(names: &[&str]) -> String {
    const PREFIX: &str = "bpf_map_";
    let ends: Vec<_> = names
        .iter()
        .map(|name| name.strip_prefix(PREFIX).unwrap_or(name))
        .collect();
    format!("{PREFIX}({})", ends.join("|"))
}

/// The label that every target of Prometheus has.
pub const INSTANCE: &str = "instance";
/// The label that targets of one scrape configuration share.
pub(crate) const JOB: &str = "job";

/// Labels that mapstop adds to some of a map's metrics.
const MAPSTOP_LABELS: [&str; 9] = [
    "__name__",
    label::UNIT,
    label::ERRNO,
    label::KIND,
    label::KEY_BYTES,
    label::VALUE_BYTES,
    label::FLAGS,
    label::OWNER,
    label::PIN,
];

/// A type that this mapstop has no number for.
const UNKNOWN_TYPE: MapType = MapType(u32::MAX);

/// The fields of a map, collected from its series.
#[derive(Debug, Clone, Default)]
struct SeriesFields {
    name: String,
    map_type: Option<MapType>,
    max_entries: Option<u32>,
    used: Option<u64>,
    capacity: Option<u64>,
    key_size: Option<u32>,
    value_size: Option<u32>,
    flags: Option<MapFlags>,
    exported: ExportedFields,
    loss: Option<Loss>,
    /// The target that exports the map; `None` before the first sample.
    target: Option<TargetId>,
    /// The target's `instance` label.
    instance: Option<Arc<str>>,
}

/// Identifies the target and the map of a series, in a stable order. Series of several targets
/// are never merged: one may be of another machine, or older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetId {
    target: u64,
    map: u64,
}

impl TargetId {
    #[must_use]
    pub(crate) fn from_labels(labels: &Labels<'_>) -> Self {
        let [mut target, mut map] = [(); 2].map(|()| DefaultHasher::new());
        for (name, text) in labels.iter() {
            let own = name.strip_prefix("exported_").unwrap_or(name);
            match own {
                label::ID => {}
                label::NAME | label::TYPE => (own, text).hash(&mut map),
                _ if MAPSTOP_LABELS.contains(&own) => {}
                _ => (name, text).hash(&mut target),
            }
        }
        let [target, map] = [target, map].map(|hasher| hasher.finish());
        Self { target, map }
    }
}

/// When targets were last scraped, by node and instance: server time since the epoch.
#[derive(Debug, Default)]
pub struct ScrapeTimes {
    times: BTreeMap<(Arc<str>, Option<Arc<str>>), Duration>,
    names: NameInterner,
}

impl ScrapeTimes {
    /// Adds the scrape time of a target.
    pub fn add(&mut self, sample: &Sample<'_>, node_label: &str) {
        let labels = &sample.labels;
        let time = sample.point.value.map(Duration::try_from_secs_f64);
        if let (Some(node), Some(Ok(time))) = (node(labels, node_label), time) {
            let node = self.names.intern(node);
            let instance = labels.get(INSTANCE).map(|text| self.names.intern(text));
            self.times.insert((node, instance), time);
        }
    }

    /// The latest scrape of a node.
    #[must_use]
    pub(crate) fn latest_of_node(&self, node: &Arc<str>) -> Option<Duration> {
        let of_node = self.times.range((Arc::clone(node), None)..);
        let times = of_node.take_while(|((name, _), _)| name == node);
        times.map(|(_, time)| *time).max()
    }

    fn time_of(&self, key: &MapKey, fields: &SeriesFields) -> Option<Duration> {
        let target = (key.node.clone()?, fields.instance.clone());
        self.times.get(&target).copied()
    }
}

/// The series of maps, collected from samples.
#[derive(Debug, Default)]
pub struct MapSeries {
    maps: BTreeMap<MapKey, SeriesFields>,
    names: NameInterner,
    /// Two instances export a map with the same node and id.
    is_mixed: bool,
}

/// Shares the memory of equal node names.
#[derive(Debug, Default)]
pub struct NameInterner(BTreeMap<String, Arc<str>>);

impl NameInterner {
    /// The sanitized name.
    pub(crate) fn intern(&mut self, text: &str) -> Arc<str> {
        if let Some(name) = self.0.get(text) {
            return Arc::clone(name);
        }
        let name: Arc<str> = sanitize(text.as_bytes()).as_str().into();
        self.0.insert(text.to_owned(), Arc::clone(&name));
        name
    }
}

/// The map of a series; `None` for other metrics, and for series by name.
pub fn key(labels: &Labels<'_>, node_label: &str, names: &mut NameInterner) -> Option<MapKey> {
    let id = labels.get(label::ID)?.parse().ok()?;
    Some(MapKey {
        node: Some(names.intern(node(labels, node_label)?)),
        id: MapId(id),
    })
}

/// The name of a node; the instance if the target lacks the node label.
pub fn node<'l>(labels: &'l Labels<'_>, node_label: &str) -> Option<&'l str> {
    labels.get(node_label).or_else(|| labels.get(INSTANCE))
}

impl MapSeries {
    /// Adds a sample, if it is about a map.
    pub fn add(&mut self, sample: &Sample<'_>, node_label: &str) {
        let labels = &sample.labels;
        let Some(key) = key(labels, node_label, &mut self.names) else {
            return;
        };
        let fields = self.maps.entry(key).or_default();
        let target = TargetId::from_labels(labels);
        if fields.target != Some(target) {
            let instance = labels.get(INSTANCE).map(|text| self.names.intern(text));
            self.is_mixed |= fields.target.is_some() && fields.instance != instance;
            if fields.target.is_some_and(|first| first < target) {
                return;
            }
            *fields = SeriesFields {
                target: Some(target),
                instance,
                ..SeriesFields::default()
            };
        }
        if fields.map_type.is_none()
            && let Some(name) = labels.exporter_label(label::TYPE)
        {
            fields.map_type = Some(MapType::from_name(name).unwrap_or(UNKNOWN_TYPE));
            labels
                .exporter_label(label::NAME)
                .unwrap_or_default()
                .clone_into(&mut fields.name);
        }
        let value = sample.point.value;
        let exported = &mut fields.exported;
        match labels.get("__name__").unwrap_or_default() {
            metrics::MAP_MAX_ENTRIES => {
                fields.max_entries = as_count(value).and_then(|n| n.try_into().ok());
            }
            metrics::MAP_USED => fields.used = as_count(value),
            metrics::MAP_CAPACITY => fields.capacity = as_count(value),
            metrics::MAP_GROWTH => exported.growth_per_s = value.filter(|n| n.is_finite()),
            metrics::MAP_FULL_IN => {
                exported.full_in_s = value.filter(|n| n.is_finite() && *n >= 0.0);
            }
            metrics::MAP_ENTRY_LIFETIME => {
                exported.entry_lifetime_s = value.filter(|n| n.is_finite() && *n >= 0.0);
            }
            metrics::MAP_MARK => exported.mark = as_count(value).and_then(Mark::from_number),
            metrics::MAP_MEMORY => exported.memory = as_count(value),
            metrics::MAP_PROGRAMS => exported.program_count = as_count(value),
            metrics::MAP_HOLDERS => exported.holder_count = as_count(value),
            metrics::MAP_INFO => {
                fields.key_size = number(labels, label::KEY_BYTES);
                fields.value_size = number(labels, label::VALUE_BYTES);
                fields.flags = flags(labels.get(label::FLAGS).unwrap_or_default());
                let text = |name| {
                    labels
                        .exporter_label(name)
                        .map(|text| sanitize(text.as_bytes()))
                };
                exported.owner = text(label::OWNER);
                exported.pin = text(label::PIN);
            }
            metrics::MAP_FAILED_UPDATES => {
                if let (Some(errno), Some(count)) = (labels.get(label::ERRNO), as_count(value)) {
                    let failed = loss_mut(fields).failed.get_or_insert_default();
                    set_errno(failed, errno, count);
                }
            }
            metrics::MAP_EVICTIONS => loss_mut(fields).evictions = as_count(value),
            metrics::MAP_DROPS => loss_mut(fields).drops = as_count(value),
            _ => {}
        }
    }

    /// Whether two instances export a map with the same node and id.
    #[must_use]
    pub(crate) fn is_mixed(&self) -> bool {
        self.is_mixed
    }

    /// The maps that any series was info.
    pub fn keys(&self) -> impl Iterator<Item = &MapKey> {
        self.maps.keys()
    }

    /// The facts of all maps, sorted, with what rarely changes from `info`. Maps without
    /// `max_entries` were not exported by mapstop, and are left out.
    #[must_use]
    pub fn facts(&self, info: &Self, scrape_times: &ScrapeTimes) -> Vec<MapFacts> {
        let maps = self.maps.iter();
        let facts = maps.filter_map(|(key, fields)| {
            let info = info.maps.get(key);
            // The info may be of an earlier map with this id.
            let info = info.filter(|info| info.target == fields.target);
            facts(key, fields, info, scrape_times.time_of(key, fields))
        });
        facts.collect()
    }
}

fn facts(
    key: &MapKey,
    fields: &SeriesFields,
    info: Option<&SeriesFields>,
    scraped_at: Option<Duration>,
) -> Option<MapFacts> {
    let rarely_changed = info.map(|info| info.exported.clone()).unwrap_or_default();
    Some(MapFacts {
        name: sanitize(fields.name.as_bytes()),
        map_type: fields.map_type?,
        max_entries: fields.max_entries?,
        key_size: info.and_then(|info| info.key_size),
        value_size: info.and_then(|info| info.value_size),
        flags: info.and_then(|info| info.flags),
        used: fields.used,
        capacity: fields.capacity,
        count: Count {
            note: fields
                .used
                .is_none()
                .then_some(CountNote::Uncounted(UncountedReason::NotExported)),
            ..Count::exact(CountMethod::None)
        },
        loss: fields.loss.clone().map(Arc::new),
        origin: Origin::Exporter(Arc::new(ExportedFields {
            scraped_at,
            growth_per_s: fields.exported.growth_per_s,
            full_in_s: fields.exported.full_in_s,
            entry_lifetime_s: fields.exported.entry_lifetime_s,
            mark: fields.exported.mark,
            ..rarely_changed
        })),
        key: key.clone(),
    })
}

fn loss_mut(fields: &mut SeriesFields) -> &mut Loss {
    let loss = fields.loss.get_or_insert_default();
    loss.is_traced = true;
    loss
}

/// Sets the count that one target exports of an error. Targets of the same map need not export the
/// same errors.
fn set_errno(failed: &mut ErrnoCounts, label: &str, count: u64) {
    // Errors that have not occurred yet are exported as 0.
    let errno = Errno::from_metric_label(label);
    if let Some(errno) = errno.filter(|errno| count > 0 || failed.contains(*errno)) {
        failed.set(errno, count);
    }
}

fn number(labels: &Labels<'_>, name: &str) -> Option<u32> {
    labels.get(name)?.parse().ok()
}

/// Parses names of flags; `None` if one is unknown.
fn flags(names: &str) -> Option<MapFlags> {
    let names = names.split(',').filter(|name| !name.is_empty());
    names
        .map(MapFlags::from_name)
        .try_fold(MapFlags(0), |all, one| Some(MapFlags(all.0 | one?.0)))
}

/// Rounds to an integer; `None` if the value is negative, not finite, or too large.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within the bounds of a u64"
)]
pub(super) fn as_count(value: Option<f64>) -> Option<u64> {
    const MAX_COUNT: f64 = 9e18;
    let value = value?;
    (value.is_finite() && (0.0..MAX_COUNT).contains(&value)).then(|| value.round() as u64)
}
