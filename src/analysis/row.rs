//! What follows from one row, without its history.

use std::time::Duration;

use super::memory::map_memory;
use crate::types::errno::Errno;
use crate::types::loss::{LossCause, LossKind};
use crate::types::loss_state::{LossState, NoLossReason};
use crate::types::map_type::Kind;
use crate::types::memory::Memory;
use crate::types::ownership::Program;
use crate::types::row::Row;
use crate::types::snapshot::{MapFacts, Origin};
use crate::types::time_to_full::TimeToFull;

impl Row {
    /// The program that made the last loss happen, if that is known: the map had no other user
    /// before and after it.
    #[must_use]
    pub(crate) fn causing_program(&self) -> Option<&Program> {
        let is_by_program = self.facts.loss.as_ref()?.cause.as_ref()? == &LossCause::Program;
        let id = self.last_loss.as_ref()?.program?;
        let program = self.only_program()?;
        (is_by_program && program.id == id).then_some(program)
    }

    /// The kind of the last loss, if it is known: it is also known where all losses ever are of one kind.
    #[must_use]
    pub(crate) fn last_lost_kind(&self) -> Option<LossKind> {
        let loss = self.facts.loss.as_ref()?;
        let is_lost = |kind: &LossKind| loss.total(*kind).is_some_and(|total| total > 0);
        let mut kinds = LossKind::ALL.into_iter().filter(is_lost);
        match (kinds.next(), kinds.next()) {
            (only, None) => only,
            _ => self.last_loss.as_ref()?.kind,
        }
    }

    /// The state of its losses, for a cell of the table.
    #[must_use]
    pub(crate) fn loss_state(&self) -> LossState {
        let Some(loss) = &self.facts.loss else {
            return match self.no_loss_reason {
                NoLossReason::Untraced => LossState::Untraced,
                NoLossReason::Attaching => LossState::Measuring,
                NoLossReason::Unread => LossState::Unknown,
            };
        };
        let is_counted = LossKind::ALL.iter().any(|kind| loss.total(*kind).is_some());
        let worst = self.loss_rates.as_ref().and_then(|rates| rates.worst());
        match (worst, &self.loss_rates) {
            (Some((kind, per_s)), _) => LossState::Losing(kind, per_s),
            // Nothing was lost as far as can be seen, but not all can be seen.
            _ if loss.reason.is_some() => LossState::Unknown,
            _ if !is_counted => LossState::Untraced,
            (None, Some(_)) => LossState::NoLoss,
            (None, None) => LossState::Measuring,
        }
    }

    /// All that it loses each second; `None` if that is not known.
    #[must_use]
    pub fn loss_per_s(&self) -> Option<f64> {
        match self.loss_state() {
            LossState::Losing(..) => self.loss_rates.as_ref().map(|rates| rates.sum()),
            LossState::NoLoss => Some(0.0),
            LossState::Untraced | LossState::Unknown | LossState::Measuring => None,
        }
    }

    /// Whether it is known to refuse updates, or to drop records, as it should never have to.
    #[must_use]
    pub fn is_losing(&self) -> bool {
        self.faulty_loss().is_some()
    }

    /// What it is losing as it should never have to: updates that it refuses, or records that it drops.
    #[must_use]
    pub(crate) fn faulty_loss(&self) -> Option<LossKind> {
        let rates = self.loss_rates.as_ref()?;
        let is_lost = |kind| rates.get(kind).is_some_and(|per_s| per_s > 0.0);
        if self.kind() == Kind::Bounded && is_lost(LossKind::Failed) && !self.only_collides() {
            return Some(LossKind::Failed);
        }
        (self.facts.map_type.is_buffer() && is_lost(LossKind::Dropped)).then_some(LossKind::Dropped)
    }

    /// Whether the last refusals were all collisions, which are normal for its type.
    fn only_collides(&self) -> bool {
        let is_collision = |(errno, _): &(Errno, u64)| *errno == Errno::EEXIST;
        self.facts.map_type.collides()
            && self
                .last_loss
                .as_ref()
                .is_some_and(|last| last.errors.iter().all(is_collision))
    }

    /// How long an entry stays in an LRU map at the evictions of the last minute; `None` if that is not known, or
    /// none was evicted.
    #[must_use]
    pub fn entry_lifetime(&self) -> Option<Duration> {
        // The exporter saw every sample, the server only some of them.
        let exported = self
            .facts
            .exported()
            .and_then(|fields| fields.entry_lifetime_s);
        if let Some(seconds) = exported {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        self.loss_rates.as_ref()?.entry_lifetime
    }

    /// Whether it refuses updates for lack of room, whatever its level is. A map that refuses them because
    /// its lock is taken may be empty.
    #[must_use]
    pub(crate) fn is_out_of_room(&self) -> bool {
        let is_out_of_space = |(errno, _): &(Errno, u64)| OUT_OF_SPACE_ERRNOS.contains(errno);
        self.kind() == Kind::Bounded
            && self
                .last_loss
                .as_ref()
                .is_some_and(|last| last.errors.iter().any(is_out_of_space))
    }

    /// Whether a map that refuses updates is meant to be full: a variable in a map with room for one entry, or a
    /// table that was filled and then frozen.
    #[must_use]
    pub(crate) fn is_full_by_design(&self) -> bool {
        self.facts.max_entries == 1 || self.facts.kernel().is_some_and(|kernel| kernel.is_frozen)
    }

    /// Replaces the mark by that of the exporter, which knows whether the map was full from the start. Its reason
    /// is not exported, and is known only if the same mark follows from what is.
    pub(super) fn take_exported_mark(&mut self) {
        let Some(mark) = self.facts.exported().and_then(|fields| fields.mark) else {
            return;
        };
        if self.mark != Some(mark) {
            (self.mark, self.mark_reason) = (Some(mark), None);
        }
    }

    /// What follows from the facts alone.
    #[must_use]
    pub(crate) fn from_facts(facts: MapFacts, cpus: u32, created_at: Option<Duration>) -> Self {
        let memory = match &facts.origin {
            // The exporter does not say whether the number is exact.
            Origin::Exporter(fields) => fields.memory.map(|bytes| Memory {
                bytes,
                is_exact: true,
            }),
            Origin::Kernel(_) => map_memory(&facts, cpus),
        };
        let pressure = pressure(facts.used, &facts);
        Self {
            facts,
            pressure,
            growth_per_s: None,
            full_in: TimeToFull::Never,
            mark: None,
            mark_reason: None,
            loss_rates: None,
            last_loss: None,
            no_loss_reason: NoLossReason::default(),
            stalled_for: None,
            memory,
            ownership: None,
            created_at,
            deleted_at: None,
        }
    }

    /// The least that [`Self::pressure`] can be if the count is an estimate. Alarms go by it.
    #[must_use]
    pub(crate) fn pressure_lower_bound(&self) -> Option<f64> {
        if self.facts.count.error == 0 {
            return self.pressure;
        }
        pressure(self.facts.used_lower_bound(), &self.facts)
    }

    /// used / capacity. Counts are far below 2^53, where f64 begins to skip integers.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    pub(crate) fn pressure_ratio(used: u64, capacity: u64) -> f64 {
        used as f64 / capacity as f64
    }
}

/// What `used` entries are of a map's capacity; `None` where that has no meaning.
pub(crate) fn pressure(used: Option<u64>, facts: &MapFacts) -> Option<f64> {
    let capacity = facts.capacity.filter(|capacity| *capacity > 0)?;
    let has_pressure = facts.map_type.kind().has_pressure();
    Some(Row::pressure_ratio(
        used.filter(|_| has_pressure)?,
        capacity,
    ))
}

/// Errors of updates that found no room: `E2BIG`, `ENOMEM`, `ENOSPC`.
pub(crate) const OUT_OF_SPACE_ERRNOS: [Errno; 3] = [Errno::E2BIG, Errno::ENOMEM, Errno::ENOSPC];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{map, reading};
    use crate::types::mark::Mark;

    #[test]
    fn pressure_is_used_by_capacity_and_not_rounded() {
        let reading = reading([map("conns").used(62300, 65536)]);
        assert_eq!(reading.rows[0].pressure, Some(0.950_622_558_593_75));
    }

    #[test]
    fn an_overfull_map_is_not_clamped() {
        let reading = reading([map("conns").used(12, 10)]);
        assert_eq!(reading.rows[0].pressure, Some(1.2));
    }

    #[test]
    fn alarms_go_by_what_is_there_for_sure() {
        let row = |error| {
            let map = map("conns").used(999, 1000);
            let mut reading = reading([if error > 0 { map.estimated(error) } else { map }]);
            reading.rows.remove(0)
        };
        let (exact, near, far) = (row(0), row(60), row(250));
        for row in [&exact, &near, &far] {
            assert_eq!(row.pressure, Some(0.999));
            assert_eq!(row.full_in, TimeToFull::Measuring);
        }
        assert_eq!(near.pressure_lower_bound(), Some(0.939));
        assert_eq!(near.mark, Some(Mark::Warn));
        assert_eq!(far.pressure_lower_bound(), Some(0.749));
        assert_eq!(far.mark, Some(Mark::None));
    }

    #[test]
    fn an_unknown_count_is_unknown_all_the_way() {
        let reading = reading([map("quota").uncounted()]);
        let row = &reading.rows[0];
        assert_eq!(
            (row.pressure, row.growth_per_s, row.mark),
            (None, None, None)
        );
        assert_eq!(row.full_in, TimeToFull::Unknown);
        assert!(row.is_level_unknown());
    }
}
