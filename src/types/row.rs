//! Rows: the facts of a snapshot and of those before it become what every output shows.

use std::sync::Arc;
use std::time::Duration;

use compact_str::{CompactString, ToCompactString};
use jiff::Timestamp;

use super::fleet::Fleet;
use super::loss::{Culprit, Errno, LossKind, LossRates, Watching};
use super::map_type::{Kind, Unit};
use super::ownership::{Owners, Ownership, Program};
use super::snapshot::{CountMethod, MapFacts, MapKey, Moment};
use crate::analysis::mark::Mark;
use crate::analysis::memory::{Memory, memory};
use crate::analysis::time_to_full::FullIn;
use crate::cgroup::workload::Place;

/// One map, with what follows from its facts. Every output is a pure function of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was read.
    pub facts: MapFacts,
    /// used / capacity, 1 being full; `None` where unknown or without meaning.
    pub pressure: Option<f64>,
    /// Entries more each second over the interval of the reading; `None` where unknown or without
    /// meaning.
    pub growth_per_s: Option<f64>,
    /// When it is full at that rate.
    pub full_in: FullIn,
    /// Whether to look at it; `None` if its level is not known.
    pub mark: Option<Mark>,
    /// What it lost each second since the report before, or live since the sample before; `None` if
    /// that is not counted, or there is nothing to compare with.
    pub loss_rates: Option<Box<LossRates>>,
    /// What is known of the last that it lost; `None` if nothing is.
    pub last_lost: Option<Box<LastLost>>,
    /// Why nothing is said of what it loses, where nothing is.
    pub untold: Untold,
    /// How long the reader of a buffer has not moved, although it is three quarters full; `None` if
    /// it moves, or is not known.
    pub stalled_for: Option<Duration>,
    /// What it costs; `None` where unknown.
    pub memory: Option<Memory>,
    /// Whose it is, as last looked up; `None` where unknown.
    pub ownership: Option<Arc<Ownership>>,
    /// The uptime at which it was seen to be new; `None` if it was there when reading began.
    pub made: Option<Duration>,
    /// The uptime at which it was first missed. Only the live view keeps a map that is gone, for a
    /// while.
    pub gone_since: Option<Duration>,
}

impl Row {
    /// Which map this is.
    #[must_use]
    pub fn key(&self) -> &MapKey {
        &self.facts.key
    }

    /// Who owns it, in one word; `None` if that is not known.
    #[must_use]
    pub fn owner(&self) -> Option<CompactString> {
        if let Some(told) = &self.facts.told {
            return told.owner.clone();
        }
        let owner = self.ownership.as_ref()?.owner()?;
        Some(owner.to_compact_string())
    }

    /// How many processes hold it; `None` if that is not known.
    #[must_use]
    pub fn holders(&self) -> Option<usize> {
        if let Some(told) = &self.facts.told {
            return told.holders?.try_into().ok();
        }
        Some(self.ownership.as_ref()?.holders.as_ref()?.len())
    }

    /// How many programs use it; `None` if that is not known.
    #[must_use]
    pub fn programs(&self) -> Option<usize> {
        if let Some(told) = &self.facts.told {
            return told.programs?.try_into().ok();
        }
        Some(self.ownership.as_ref()?.programs.as_ref()?.len())
    }

    /// The program that uses it, if that is known to be the only one.
    #[must_use]
    pub fn only_program(&self) -> Option<&Program> {
        match self.ownership.as_ref()?.programs.as_deref()? {
            [program] => Some(program),
            _ => None,
        }
    }

    /// The program that made the last loss happen, if that is known: the map had no other user
    /// before and after it.
    #[must_use]
    pub fn culprit_program(&self) -> Option<&Program> {
        let is_by_program = self.facts.loss.as_ref()?.culprit.as_ref()? == &Culprit::Program;
        let id = self.last_lost.as_ref()?.program?;
        let program = self.only_program()?;
        (is_by_program && program.id == id).then_some(program)
    }

    /// What was lost last, if that is known: all that it ever lost is of this kind, or what it lost
    /// last.
    #[must_use]
    pub fn last_lost_kind(&self) -> Option<LossKind> {
        let loss = self.facts.loss.as_ref()?;
        let is_lost = |kind: &LossKind| loss.total(*kind).is_some_and(|total| total > 0);
        let mut kinds = LossKind::ALL.into_iter().filter(is_lost);
        match (kinds.next(), kinds.next()) {
            (only, None) => only,
            _ => self.last_lost.as_ref()?.kind,
        }
    }

    /// The paths it is pinned at, joined by blanks; `None` if that is not known.
    #[must_use]
    pub fn pins(&self) -> Option<CompactString> {
        if let Some(told) = &self.facts.told {
            return told.pin.clone();
        }
        let pins = self.ownership.as_ref()?.pins.as_ref()?;
        Some(pins.join(" ").into())
    }

    /// The paths it is pinned at, one by one; `None` if that is not known.
    #[must_use]
    pub fn pin_list(&self) -> Option<Vec<&str>> {
        if let Some(told) = &self.facts.told {
            return Some(vec![told.pin.as_ref()?]);
        }
        let pins = self.ownership.as_ref()?.pins.as_ref()?;
        Some(pins.iter().map(CompactString::as_str).collect())
    }

    /// Where it belongs by its cgroup: that of whoever owns it; `None` if that is not known.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        Some(Place::of(self.ownership.as_ref()?.home()?))
    }

    /// Whether [`Self::memory`] is the kernel's own number; `None` if that is not known.
    #[must_use]
    pub fn is_memory_exact(&self) -> Option<bool> {
        let memory = self.memory.filter(|_| self.facts.told.is_none())?;
        Some(memory.is_exact)
    }

    /// Whether it is the map that a user means by this id, name or pinned path.
    #[must_use]
    pub fn is_called(&self, map: &str) -> bool {
        let pins = self.ownership.as_ref().and_then(|of| of.pins.as_ref());
        let told = self.facts.told.as_ref().and_then(|told| told.pin.as_ref());
        self.facts.name == map
            || map.parse() == Ok(self.key().id.0)
            || told.is_some_and(|pin| pin == map)
            || pins.is_some_and(|pins| pins.iter().any(|pin| pin == map))
    }

    /// What full means for it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.facts.map_type.kind()
    }

    /// What it is counted in.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.facts.map_type.unit()
    }

    /// Whether a number that this map should have could not be had.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.facts.used.is_none() && (self.kind().has_pressure() || !self.facts.map_type.is_known())
    }

    /// Whether it is not known what is in it although that can be counted, also where that is no level.
    #[must_use]
    pub fn lacks_count(&self) -> bool {
        let is_counted = self.facts.count.method != CountMethod::None;
        self.facts.used.is_none() && (is_counted || self.is_unread())
    }

    /// What is known of what it loses.
    #[must_use]
    pub fn losing(&self) -> Losing {
        let Some(loss) = &self.facts.loss else {
            return match self.untold {
                Untold::Unwatched => Losing::Unwatched,
                Untold::Attaching => Losing::Measuring,
                Untold::Unread => Losing::Unknown,
            };
        };
        let is_counted = LossKind::ALL.iter().any(|kind| loss.total(*kind).is_some());
        let worst = self.loss_rates.as_ref().and_then(|rates| rates.worst());
        match (worst, &self.loss_rates) {
            (Some((kind, per_s)), _) => Losing::Some(kind, per_s),
            // What is seen of it is quiet, and there is more.
            _ if loss.reason.is_some() => Losing::Unknown,
            _ if !is_counted => Losing::Unwatched,
            (None, Some(_)) => Losing::Nothing,
            (None, None) => Losing::Measuring,
        }
    }

    /// All that it loses each second; `None` if that is not known.
    #[must_use]
    pub fn loss_per_s(&self) -> Option<f64> {
        match self.losing() {
            Losing::Some(..) => self.loss_rates.as_ref().map(|rates| rates.sum()),
            Losing::Nothing => Some(0.0),
            Losing::Unwatched | Losing::Unknown | Losing::Measuring => None,
        }
    }

    /// Whether it is known to refuse updates, or to drop records, as it should never have to.
    #[must_use]
    pub fn refuses(&self) -> bool {
        let is_lost = |kind| {
            let rates = self.loss_rates.as_ref();
            rates.is_some_and(|rates| rates.of(kind).is_some_and(|per_s| per_s > 0.0))
        };
        (self.kind() == Kind::Bounded && is_lost(LossKind::Failed))
            || (self.facts.map_type.is_buffer() && is_lost(LossKind::Dropped))
    }

    /// Whether it refuses updates since there is no room, whatever its level says. One that refuses
    /// since its lock is taken may be empty.
    #[must_use]
    pub fn is_out_of_room(&self) -> bool {
        let of_room = |(errno, _): &(Errno, u64)| NO_ROOM.contains(errno);
        self.kind() == Kind::Bounded
            && self
                .last_lost
                .as_ref()
                .is_some_and(|last| last.errors.iter().any(of_room))
    }

    /// What follows from the facts alone.
    #[must_use]
    pub fn without_trend(facts: MapFacts, cpus: u32, made: Option<Duration>) -> Self {
        let memory = match &facts.told {
            // Only whoever read it knows how good the number is.
            Some(told) => told.memory.map(|bytes| Memory {
                bytes,
                is_exact: true,
            }),
            None => memory(&facts, cpus),
        };
        let pressure = pressure(facts.used, &facts);
        Self {
            facts,
            pressure,
            growth_per_s: None,
            full_in: FullIn::Never,
            mark: None,
            loss_rates: None,
            last_lost: None,
            untold: Untold::default(),
            stalled_for: None,
            memory,
            ownership: None,
            made,
            gone_since: None,
        }
    }

    /// [`Self::pressure`] by what is in it for sure: what alarms go by.
    #[must_use]
    pub fn sure_pressure(&self) -> Option<f64> {
        if self.facts.count.error == 0 {
            return self.pressure;
        }
        pressure(self.facts.sure_used(), &self.facts)
    }

    /// used / capacity. Counts are far below 2^53, where f64 begins to skip integers.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    pub fn pressure_of(used: u64, capacity: u64) -> f64 {
        used as f64 / capacity as f64
    }
}

/// What `used` entries are of a map's capacity; `None` where that has no meaning.
fn pressure(used: Option<u64>, of: &MapFacts) -> Option<f64> {
    let capacity = of.capacity.filter(|capacity| *capacity > 0)?;
    let has_pressure = of.map_type.kind().has_pressure();
    Some(Row::pressure_of(used.filter(|_| has_pressure)?, capacity))
}

/// Errors of updates that found no room: `E2BIG`, `ENOMEM`, `ENOSPC`.
const NO_ROOM: [Errno; 3] = [Errno(7), Errno(12), Errno(28)];

/// What is known of the last that a map lost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastLost {
    /// The errors that updates are refused with now, over the same time as the rates, the most
    /// frequent first.
    pub errors: Vec<(Errno, u64)>,
    /// What was lost last; `None` if that is not known, or was of more than one kind.
    pub kind: Option<LossKind>,
    /// The id of the program that alone used the map then; `None` if that is not known, or it no
    /// longer does.
    pub program: Option<u32>,
}

/// Why nothing is said of what a map loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Untold {
    /// Nobody watches, or there is nothing that it could lose.
    #[default]
    Unwatched,
    /// The tracers of its type are being attached.
    Attaching,
    /// What was counted could not be read.
    Unread,
}

/// What is known of what a map loses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Losing {
    /// Nobody counts it, or there is nothing that it could lose.
    Unwatched,
    /// It cannot be observed here, or not all of it can.
    Unknown,
    /// The next sample will tell.
    Measuring,
    /// Nothing.
    Nothing,
    /// This, so much each second.
    Some(LossKind, f64),
}

/// What one snapshot says in the light of those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// When it was taken.
    pub moment: Moment,
    /// The time that growth was measured over; `None` if there was nothing to compare with.
    pub interval: Option<Duration>,
    /// When the first snapshot was taken that this one is compared with, over however many.
    pub began: Moment,
    /// Whether it has the maps of the one before it, no more and no less.
    pub has_same_maps: bool,
    /// CPUs that the machine may have; 0 if that is not known.
    pub cpus: u32,
    /// Whose maps are, as last looked up.
    pub owners: Option<Arc<Owners>>,
    /// Whether what maps lose is being watched.
    pub watching: Watching,
    /// The machines that they are of, if there are several.
    pub fleet: Option<Arc<Fleet>>,
    /// A row for each map, sorted by key.
    pub rows: Vec<Row>,
}

impl Reading {
    /// Whether there are more maps than those that are in it.
    #[must_use]
    pub fn is_part(&self) -> bool {
        let fleet = self.fleet.as_ref();
        fleet.is_some_and(|fleet| fleet.maps > self.rows.len() as u64)
    }

    /// The time of day at an uptime not after this reading.
    #[must_use]
    pub fn wall_at(&self, uptime: Duration) -> Timestamp {
        let ago = self.moment.uptime.saturating_sub(uptime);
        self.moment
            .wall
            .checked_sub(ago)
            .unwrap_or(self.moment.wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{map, reading};

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
            assert_eq!(row.full_in, FullIn::Measuring);
        }
        assert_eq!(near.sure_pressure(), Some(0.939));
        assert_eq!(near.mark, Some(Mark::Warn));
        assert_eq!(far.sure_pressure(), Some(0.749));
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
        assert_eq!(row.full_in, FullIn::Unknown);
        assert!(row.is_unread());
    }
}
