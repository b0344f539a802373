//! Merges the counters of the tracers into the facts of the maps. No I/O.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::counters::{LossCounters, MapCounters};
use super::registry::{MapTypeSet, coverage, is_traced};
use super::worker::{Progress, TracingPhase};
use crate::types::errno::ErrnoCounts;
use crate::types::loss::Loss;
use crate::types::map_type::MapType;
use crate::types::snapshot::MapFacts;

pub(super) const UNREADABLE: &str = "the loss counters cannot be read";
pub(super) const NO_SLOT: &str = "more maps have losses than can be counted";

/// The `Loss` of maps of one type that have no counter.
#[derive(Debug)]
pub struct LossDefaults {
    /// For a map that was traced from its creation on.
    complete: Arc<Loss>,
    /// For a map that may be older than the tracers of its type, and the uptime from which on they count; `None`
    /// if they have counted since tracing began.
    late: Option<(Duration, Arc<Loss>)>,
    /// For every map, if a missing counter does not mean that nothing was lost.
    unknown: Option<Arc<Loss>>,
}

impl LossDefaults {
    /// For a map that is not traced.
    pub(crate) fn untraced(&self) -> Arc<Loss> {
        Arc::clone(&self.complete)
    }
}

/// The defaults of each of these types that can lose something.
pub(crate) fn loss_defaults(
    types: MapTypeSet,
    progress: &Progress,
    lost: Option<&LossCounters>,
) -> Vec<(MapType, LossDefaults)> {
    if matches!(progress.phase, TracingPhase::Starting) {
        return Vec::new();
    }
    let defaults = types.iter().filter_map(|map_type| {
        let coverage = coverage(map_type, &progress.outcomes)?;
        let complete = Loss {
            is_traced: coverage.counts_any(),
            failed: coverage.failed.then(ErrnoCounts::default),
            evictions: coverage.evictions.then_some(0),
            drops: coverage.drops.then_some(0),
            attempts: (coverage.failed && map_type.collides()).then_some(0),
            reason: coverage.reason,
            ..Loss::default()
        };
        let why_unknown = match lost {
            None => Some(UNREADABLE),
            Some(lost) => (lost.without_slot > 0).then_some(NO_SLOT),
        };
        let why_unknown = why_unknown.filter(|_| complete.is_traced);
        let late = coverage.since.zip(progress.began()).filter(|(s, b)| s > b);
        Some((
            map_type,
            LossDefaults {
                late: late.map(|(since, began)| {
                    let after = since.saturating_sub(began).as_secs_f64();
                    let why = format!(
                        "counted from {after:.1} s after watching began, when this type of map was new"
                    );
                    (since, Arc::new(with_reason(&complete, why.into())))
                }),
                unknown: why_unknown.map(|why| {
                    Arc::new(Loss {
                        failed: None,
                        evictions: None,
                        drops: None,
                        attempts: None,
                        ..with_reason(&complete, why.into())
                    })
                }),
                complete: Arc::new(complete),
            },
        ))
    });
    defaults.collect()
}

fn with_reason(loss: &Loss, why: Cow<'static, str>) -> Loss {
    let reason = match &loss.reason {
        Some(reason) => format!("{why}; {reason}").into(),
        None => why,
    };
    Loss {
        reason: Some(reason),
        ..loss.clone()
    }
}

/// What this map lost, including what the kernel counts without tracers.
pub(crate) fn loss_of_map(
    map: &MapFacts,
    defaults: &LossDefaults,
    late_maps: &LateMaps,
    lost: Option<&LossCounters>,
    progress: &Progress,
) -> Arc<Loss> {
    let untraced = map.loss.as_deref();
    let id = map.key.id.0;
    let counted = lost.and_then(|lost| lost.by_map.get(&id));
    let late = defaults.late.as_ref();
    let late = late.filter(|(since, _)| late_maps.may_predate(id, *since));
    let known = late.map_or(&defaults.complete, |(_, late)| late);
    let base = match (counted, &defaults.unknown) {
        (None, Some(unknown)) => unknown,
        _ => known,
    };
    if counted.is_none() && untraced.is_none() {
        return Arc::clone(base);
    }
    let mut counted = counted.cloned().unwrap_or_default();
    if let TracingPhase::On { base, .. } = &progress.phase
        && let Some(base) = base.get(&id)
    {
        counted = counted.since(base);
    }
    Arc::new(Loss {
        failed: base.failed.as_ref().map(|_| counted.failed()),
        evictions: base.evictions.map(|_| counted.evictions()),
        drops: base.drops.map(|_| counted.drops()),
        attempts: base.attempts.map(|_| counted.attempts()),
        cause: counted.cause,
        backlog: untraced.and_then(|loss| loss.backlog),
        ..Loss::clone(base)
    })
}

/// What deleted maps lost since tracing began, without evictions.
pub(crate) fn failures(deleted: &HashMap<u32, MapCounters>, phase: &TracingPhase) -> u64 {
    let TracingPhase::On { base, .. } = phase else {
        return 0;
    };
    let lost = deleted.iter().map(|(id, counted)| {
        let before = base.get(id).map_or(0, MapCounters::failures);
        counted.failures().saturating_sub(before)
    });
    lost.sum()
}

/// Maps of types that appeared while tracing went on: they may have lost something before the tracers of
/// their type were attached.
#[derive(Debug, Default)]
pub struct LateMaps {
    /// By id, the uptime of the last read that did not meet the map.
    last_absent: HashMap<u32, Duration>,
    /// When the last read began.
    last_read: Duration,
}

impl LateMaps {
    /// Takes all maps of a read that began at this uptime, in the order of their ids.
    pub fn update(
        &mut self,
        at: Duration,
        types: MapTypeSet,
        maps: &[MapFacts],
        progress: &Progress,
    ) {
        let mut new = MapTypeSet::default();
        for map_type in types.iter().filter(|map_type| is_new(*map_type, progress)) {
            new.insert(map_type);
        }
        self.last_absent
            .retain(|id, _| maps.binary_search_by_key(id, |map| map.key.id.0).is_ok());
        for map in maps.iter().filter(|map| new.contains(map.map_type)) {
            self.last_absent
                .entry(map.key.id.0)
                .or_insert(self.last_read);
        }
        self.last_read = at;
    }

    /// Whether this map may have been created before this uptime.
    fn may_predate(&self, id: u32, since: Duration) -> bool {
        self.last_absent
            .get(&id)
            .is_some_and(|absent| *absent < since)
    }
}

/// Whether the tracers of this type were attached after tracing began, or are still to be.
fn is_new(map_type: MapType, progress: &Progress) -> bool {
    let Some(began) = progress.began() else {
        return false;
    };
    let coverage = coverage(map_type, &progress.outcomes);
    is_traced(map_type) && coverage.is_none_or(|coverage| coverage.since > Some(began))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::kernel::loss::registry::{Outcome, TRACERS};
    use crate::test_util::{map, snapshot};

    /// Tracing began at 10 s. The tracer of hashes was attached at this second, if at all.
    fn progress(hash: Option<u64>) -> Progress {
        let outcomes = TRACERS.iter().map(|tracer| match hash {
            Some(second) if tracer.target == "htab_map_update_elem" => {
                Outcome::Attached(Duration::from_secs(second))
            }
            _ => Outcome::Untried,
        });
        Progress {
            phase: TracingPhase::On {
                since: Duration::from_secs(10),
                base: Arc::default(),
            },
            outcomes: outcomes.collect(),
            ..Progress::default()
        }
    }

    /// Reads hashes of these ids, and returns the failed updates and the reason of each.
    fn sample(
        late_maps: &mut LateMaps,
        second: u64,
        progress: &Progress,
        lost: Option<&LossCounters>,
        ids: &[u32],
    ) -> Vec<(Option<u64>, Option<String>)> {
        let mut types = MapTypeSet::default();
        types.insert(MapType::HASH);
        let maps = ids.iter().map(|id| map("m").id(*id));
        let maps = snapshot(1, maps).maps;
        late_maps.update(Duration::from_secs(second), types, &maps, progress);
        let defaults = loss_defaults(types, progress, lost);
        let Some((_, defaults)) = defaults.first() else {
            return Vec::new();
        };
        let summary = |map| {
            let found = loss_of_map(map, defaults, late_maps, lost, progress);
            let reason = found.reason.as_ref().map(ToString::to_string);
            (found.failed_updates(), reason)
        };
        maps.iter().map(summary).collect()
    }

    #[test]
    fn only_maps_older_than_their_tracer_are_counted_in_part() {
        let late_maps = &mut LateMaps::default();
        let none = LossCounters::default();
        assert_eq!(
            sample(late_maps, 12, &progress(None), Some(&none), &[3]),
            []
        );
        let attached = progress(Some(13));
        let why = "counted from 3.0 s after watching began, when this type of map was new";
        let late = (Some(0), Some(why.to_owned()));
        // The fourth may have been created before 13 s; the fifth did not exist at 14 s.
        let second = sample(late_maps, 14, &attached, Some(&none), &[3, 4]);
        assert_eq!(second, [late.clone(), late.clone()]);
        let third = sample(late_maps, 16, &attached, Some(&none), &[3, 4, 5]);
        assert_eq!(third, [late.clone(), late, (Some(0), None)]);
    }

    #[test]
    fn maps_of_types_traced_from_the_start_are_counted_whole() {
        let late_maps = &mut LateMaps::default();
        let none = LossCounters::default();
        let losses = sample(late_maps, 12, &progress(Some(10)), Some(&none), &[3]);
        assert_eq!(losses, [(Some(0), None)]);
    }

    #[test]
    fn losses_are_unknown_without_readable_slots() {
        let late_maps = &mut LateMaps::default();
        let attached = progress(Some(10));
        let mut lost = LossCounters::default();
        lost.by_map.insert(3, MapCounters::default());
        lost.without_slot = 7;
        let losses = sample(late_maps, 12, &attached, Some(&lost), &[3, 4]);
        let no_slot = (None, Some(NO_SLOT.to_owned()));
        assert_eq!(losses, [(Some(0), None), no_slot]);
        let losses = sample(late_maps, 13, &attached, None, &[3]);
        assert_eq!(losses, [(None, Some(UNREADABLE.to_owned()))]);
    }
}
