//! Sums losses by name and type in counters that never fall. A sum over the current maps would
//! fall when one is deleted, which Prometheus takes for a counter reset, so that the rest of
//! the sum would count as new losses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::openmetrics::{NameAndType, Totals};
use crate::types::loss::Loss;
use crate::types::map_id::MapKey;
use crate::types::row::Row;

/// The losses of maps by name and type since the first sample.
#[derive(Debug, Default)]
pub struct CumulativeLosses {
    last: BTreeMap<MapKey, Arc<Loss>>,
    totals: Totals,
}

impl CumulativeLosses {
    /// Adds what the exported ones among these maps lost since the previous sample.
    pub fn add<'a>(&mut self, rows: &'a [Row], is_exported: impl Fn(&'a Row) -> bool) {
        let mut last = BTreeMap::new();
        let mut names = BTreeSet::new();
        for row in rows {
            let name: NameAndType = (row.facts.name.clone(), row.facts.map_type.0);
            if let Some(loss) = &row.facts.loss {
                if is_exported(row) {
                    let before = self.last.get(row.key()).map(Arc::as_ref);
                    add(
                        self.totals.entry(name.clone()).or_default(),
                        before.unwrap_or(&Loss::default()),
                        loss,
                    );
                }
                last.insert(row.key().clone(), Arc::clone(loss));
            }
            names.insert(name);
        }
        self.last = last;
        self.totals.retain(|name, _| names.contains(name));
    }

    /// The sums so far.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }
}

/// Adds to a total what a map lost between two samples.
fn add(total: &mut Loss, before: &Loss, now: &Loss) {
    if let Some(failed) = &now.failed {
        let total = total.failed.get_or_insert_default();
        for (errno, more) in failed.since(before.failed.as_ref()) {
            total.add(errno, more);
        }
    }
    for (total, before, now) in [
        (&mut total.evictions, before.evictions, now.evictions),
        (&mut total.drops, before.drops, now.drops),
    ] {
        if let Some(now) = now {
            *total.get_or_insert(0) += now.saturating_sub(before.unwrap_or(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{map, reading};
    use crate::types::errno::Errno;

    /// Maps named `conns`, each with its id and its losses so far.
    fn rows(maps: &[(u32, u64)]) -> Vec<Row> {
        let made = maps.iter().map(|(id, _)| map("conns").id(*id));
        let mut rows = reading(made).rows;
        for (row, (_, lost)) in rows.iter_mut().zip(maps) {
            row.facts.loss = Some(Arc::new(Loss {
                failed: Some([(Errno::E2BIG, *lost), (Errno::ENOMEM, 1)].into()),
                evictions: Some(*lost * 10),
                ..Loss::default()
            }));
        }
        rows
    }

    fn lost(tally: &CumulativeLosses) -> Option<(u64, u64)> {
        let total = tally.totals().get(&("conns".into(), 1))?;
        assert_eq!(total.drops, None, "a hash drops nothing");
        Some((total.failed.as_ref()?.get(Errno::E2BIG), total.evictions?))
    }

    #[test]
    fn losses_of_a_deleted_map_stay_in_the_total() {
        let mut tally = CumulativeLosses::default();
        tally.add(&rows(&[(1, 5), (2, 7)]), |_| true);
        assert_eq!(lost(&tally), Some((12, 120)));
        tally.add(&rows(&[(2, 9)]), |_| true);
        assert_eq!(lost(&tally), Some((14, 140)));
        tally.add(&rows(&[(2, 9), (3, 1)]), |_| true);
        assert_eq!(lost(&tally), Some((15, 150)));
    }

    #[test]
    fn map_that_matches_now_and_then_counts_once() {
        let mut tally = CumulativeLosses::default();
        tally.add(&rows(&[(1, 5)]), |_| true);
        tally.add(&rows(&[(1, 6)]), |_| false);
        assert_eq!(lost(&tally), Some((5, 50)));
        tally.add(&rows(&[(1, 8)]), |_| true);
        assert_eq!(lost(&tally), Some((7, 70)));
    }

    #[test]
    fn a_name_without_maps_is_forgotten() {
        let mut tally = CumulativeLosses::default();
        tally.add(&rows(&[(1, 5)]), |_| true);
        tally.add(&[], |_| true);
        assert_eq!(lost(&tally), None);
        tally.add(&rows(&[(4, 2)]), |_| true);
        assert_eq!(lost(&tally), Some((2, 20)));
    }
}
