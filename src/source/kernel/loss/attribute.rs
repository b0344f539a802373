//! What was counted, and what could not be, becomes what each map lost. Knows no kernel.

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

const UNREADABLE: &str = "what was counted cannot be read";
const NO_SLOT: &str = "more maps lose something than can be counted";

/// What is said of maps of one type for which nothing was counted.
#[derive(Debug)]
pub struct LossDefaults {
    /// Of one that was counted for all the time.
    whole: Arc<Loss>,
    /// Of one that was there before its tracers were, and the uptime at which they came; `None` if
    /// they were there when watching began.
    late: Option<(Duration, Arc<Loss>)>,
    /// Of any, where what was not counted need not be nothing.
    unknown: Option<Arc<Loss>>,
}

impl LossDefaults {
    /// Of one that is not watched at all.
    pub fn unwatched(&self) -> Arc<Loss> {
        Arc::clone(&self.whole)
    }
}

/// What is said of each of these types, if it can lose something.
pub fn loss_defaults(
    types: MapTypeSet,
    progress: &Progress,
    lost: Option<&LossCounters>,
) -> Vec<(MapType, LossDefaults)> {
    if matches!(progress.phase, TracingPhase::Starting) {
        return Vec::new();
    }
    let said = types.iter().filter_map(|map_type| {
        let sight = coverage(map_type, &progress.outcomes)?;
        let whole = Loss {
            is_watched: sight.sees(),
            failed: sight.failed.then(ErrnoCounts::default),
            evictions: sight.evictions.then_some(0),
            drops: sight.drops.then_some(0),
            reason: sight.reason,
            ..Loss::default()
        };
        let why_unknown = match lost {
            None => Some(UNREADABLE),
            Some(lost) => (lost.elsewhere > 0).then_some(NO_SLOT),
        };
        let why_unknown = why_unknown.filter(|_| whole.is_watched);
        let late = sight.since.zip(progress.began()).filter(|(s, b)| s > b);
        Some((
            map_type,
            LossDefaults {
                late: late.map(|(since, began)| {
                    let after = since.saturating_sub(began).as_secs_f64();
                    let why = format!(
                        "counted only from {after:.1} s after watching began, as its type was new"
                    );
                    (since, Arc::new(with_reason(&whole, why.into())))
                }),
                unknown: why_unknown.map(|why| {
                    Arc::new(Loss {
                        failed: None,
                        evictions: None,
                        drops: None,
                        ..with_reason(&whole, why.into())
                    })
                }),
                whole: Arc::new(whole),
            },
        ))
    });
    said.collect()
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

/// What this map lost, with what the kernel tells by itself.
pub fn loss_of_map(
    map: &MapFacts,
    quiet: &LossDefaults,
    newcomers: &LateMaps,
    lost: Option<&LossCounters>,
    progress: &Progress,
) -> Arc<Loss> {
    let free = map.loss.as_deref();
    let id = map.key.id.0;
    let counted = lost.and_then(|lost| lost.by_map.get(&id));
    let late = quiet.late.as_ref();
    let late = late.filter(|(since, _)| newcomers.may_predate(id, *since));
    let known = late.map_or(&quiet.whole, |(_, late)| late);
    let base = match (counted, &quiet.unknown) {
        (None, Some(unknown)) => unknown,
        _ => known,
    };
    if counted.is_none() && free.is_none() {
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
        culprit: counted.culprit,
        backlog: free.and_then(|free| free.backlog),
        ..Loss::clone(base)
    })
}

/// What these lost, evictions left out, since tracers count.
pub fn failures(gone: &HashMap<u32, MapCounters>, phase: &TracingPhase) -> u64 {
    let TracingPhase::On { base, .. } = phase else {
        return 0;
    };
    let lost = gone.iter().map(|(id, counted)| {
        let before = base.get(id).map_or(0, MapCounters::failures);
        counted.failures().saturating_sub(before)
    });
    lost.sum()
}

/// Remembers maps of types that were met while watching went on: those may have lost something
/// before the tracers of their type came.
#[derive(Debug, Default)]
pub struct LateMaps {
    /// The uptime at which each was not there yet, by its id.
    absent: HashMap<u32, Duration>,
    /// The last look.
    looked: Duration,
}

impl LateMaps {
    /// Takes in a look that was begun at this uptime at all maps, which are in order.
    pub fn look(
        &mut self,
        at: Duration,
        types: MapTypeSet,
        maps: &[MapFacts],
        progress: &Progress,
    ) {
        let mut new = MapTypeSet::default();
        for map_type in types.iter().filter(|of| is_new(*of, progress)) {
            new.insert(map_type);
        }
        self.absent
            .retain(|id, _| maps.binary_search_by_key(id, |map| map.key.id.0).is_ok());
        for map in maps.iter().filter(|map| new.contains(map.map_type)) {
            self.absent.entry(map.key.id.0).or_insert(self.looked);
        }
        self.looked = at;
    }

    /// Whether this map may have been there before this uptime.
    fn may_predate(&self, id: u32, since: Duration) -> bool {
        self.absent.get(&id).is_some_and(|absent| *absent < since)
    }
}

/// Whether tracers of this type came, or are still to come, after watching began.
fn is_new(map_type: MapType, progress: &Progress) -> bool {
    let Some(began) = progress.began() else {
        return false;
    };
    let sight = coverage(map_type, &progress.outcomes);
    is_traced(map_type) && sight.is_none_or(|sight| sight.since > Some(began))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::kernel::loss::registry::{Outcome, TRACERS};
    use crate::test_util::{map, snapshot};

    /// Watching began at 10 s. The tracer of hashes came at this second, if it did.
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

    /// Looks at hashes of these ids, and gives how many updates were refused and the reason of each.
    fn look(
        newcomers: &mut LateMaps,
        second: u64,
        progress: &Progress,
        lost: Option<&LossCounters>,
        ids: &[u32],
    ) -> Vec<(Option<u64>, Option<String>)> {
        let mut types = MapTypeSet::default();
        types.insert(MapType::HASH);
        let maps = ids.iter().map(|id| map("m").id(*id));
        let maps = snapshot(1, maps).maps;
        newcomers.look(Duration::from_secs(second), types, &maps, progress);
        let quiet = loss_defaults(types, progress, lost);
        let Some((_, quiet)) = quiet.first() else {
            return Vec::new();
        };
        let of = |map| {
            let said = loss_of_map(map, quiet, newcomers, lost, progress);
            let reason = said.reason.as_ref().map(ToString::to_string);
            (said.failed_updates(), reason)
        };
        maps.iter().map(of).collect()
    }

    #[test]
    fn a_map_that_was_there_before_its_tracer_says_so_and_one_made_after_that_does_not() {
        let newcomers = &mut LateMaps::default();
        let none = LossCounters::default();
        assert_eq!(look(newcomers, 12, &progress(None), Some(&none), &[3]), []);
        let attached = progress(Some(13));
        let why = "counted only from 3.0 s after watching began, as its type was new";
        let late = (Some(0), Some(why.to_owned()));
        // The fourth may have been made before 13 s; the fifth was not there at 14 s.
        let second = look(newcomers, 14, &attached, Some(&none), &[3, 4]);
        assert_eq!(second, [late.clone(), late.clone()]);
        let third = look(newcomers, 16, &attached, Some(&none), &[3, 4, 5]);
        assert_eq!(third, [late.clone(), late, (Some(0), None)]);
    }

    #[test]
    fn a_map_of_a_type_that_there_was_when_watching_began_is_counted_whole() {
        let newcomers = &mut LateMaps::default();
        let none = LossCounters::default();
        let said = look(newcomers, 12, &progress(Some(10)), Some(&none), &[3]);
        assert_eq!(said, [(Some(0), None)]);
    }

    #[test]
    fn without_a_slot_or_a_look_at_the_slots_nothing_is_known() {
        let newcomers = &mut LateMaps::default();
        let attached = progress(Some(10));
        let mut lost = LossCounters::default();
        lost.by_map.insert(3, MapCounters::default());
        lost.elsewhere = 7;
        let said = look(newcomers, 12, &attached, Some(&lost), &[3, 4]);
        let no_slot = (None, Some(NO_SLOT.to_owned()));
        assert_eq!(said, [(Some(0), None), no_slot]);
        let said = look(newcomers, 13, &attached, None, &[3]);
        assert_eq!(said, [(None, Some(UNREADABLE.to_owned()))]);
    }
}
