//! Rows: the facts of a snapshot and of those before it become what every output shows.

use std::sync::Arc;
use std::time::Duration;

use compact_str::{CompactString, ToCompactString};

use super::count::CountMethod;
use super::fleet::ExportedFields;
use super::loss::LossRates;
use super::loss_state::{LastLoss, LossPending};
use super::map_id::MapKey;
use super::map_type::{Kind, Unit};
use super::mark::Mark;
use super::memory::Memory;
use super::ownership::{Ownership, Program};
use super::snapshot::MapFacts;
use super::time_to_full::TimeToFull;

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
    pub full_in: TimeToFull,
    /// Whether to look at it; `None` if its level is not known.
    pub mark: Option<Mark>,
    /// What it lost each second since the report before, or live since the sample before; `None` if
    /// that is not counted, or there is nothing to compare with.
    pub loss_rates: Option<Box<LossRates>>,
    /// What is known of the last that it lost; `None` if nothing is.
    pub last_lost: Option<Box<LastLoss>>,
    /// Why nothing is said of what it loses, where nothing is.
    pub loss_pending: LossPending,
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
    pub deleted_at: Option<Duration>,
}

/// Where the owner, holders, programs and pins of a map are known from.
enum OwnershipFacts<'a> {
    /// An exporter looked them up, and exported a part.
    Exported(&'a ExportedFields),
    /// They were looked up here.
    Resolved(&'a Ownership),
}

impl Row {
    /// Which map this is.
    #[must_use]
    pub fn key(&self) -> &MapKey {
        &self.facts.key
    }

    /// Where the owner, holders, programs and pins of this map are known from; `None` if they are not
    /// known.
    fn ownership_facts(&self) -> Option<OwnershipFacts<'_>> {
        match (&self.facts.exported, &self.ownership) {
            (Some(fields), _) => Some(OwnershipFacts::Exported(fields)),
            (None, Some(ownership)) => Some(OwnershipFacts::Resolved(ownership)),
            (None, None) => None,
        }
    }

    /// Who owns it, in one word; `None` if that is not known.
    #[must_use]
    pub fn owner(&self) -> Option<CompactString> {
        match self.ownership_facts()? {
            OwnershipFacts::Exported(fields) => fields.owner.clone(),
            OwnershipFacts::Resolved(ownership) => Some(ownership.owner()?.to_compact_string()),
        }
    }

    /// How many processes hold it; `None` if that is not known.
    #[must_use]
    pub fn holders(&self) -> Option<usize> {
        match self.ownership_facts()? {
            OwnershipFacts::Exported(fields) => fields.holders?.try_into().ok(),
            OwnershipFacts::Resolved(ownership) => Some(ownership.holders.as_ref()?.len()),
        }
    }

    /// How many programs use it; `None` if that is not known.
    #[must_use]
    pub fn programs(&self) -> Option<usize> {
        match self.ownership_facts()? {
            OwnershipFacts::Exported(fields) => fields.programs?.try_into().ok(),
            OwnershipFacts::Resolved(ownership) => Some(ownership.programs.as_ref()?.len()),
        }
    }

    /// The program that uses it, if that is known to be the only one.
    #[must_use]
    pub fn only_program(&self) -> Option<&Program> {
        match self.ownership.as_ref()?.programs.as_deref()? {
            [program] => Some(program),
            _ => None,
        }
    }

    /// The paths it is pinned at, joined by blanks; `None` if that is not known.
    #[must_use]
    pub fn pins(&self) -> Option<CompactString> {
        match self.ownership_facts()? {
            OwnershipFacts::Exported(fields) => fields.pin.clone(),
            OwnershipFacts::Resolved(ownership) => Some(ownership.pins.as_ref()?.join(" ").into()),
        }
    }

    /// The paths it is pinned at, one by one; `None` if that is not known.
    #[must_use]
    pub(crate) fn pin_list(&self) -> Option<Vec<&str>> {
        match self.ownership_facts()? {
            OwnershipFacts::Exported(fields) => Some(vec![fields.pin.as_ref()?]),
            OwnershipFacts::Resolved(ownership) => {
                let pins = ownership.pins.as_ref()?;
                Some(pins.iter().map(CompactString::as_str).collect())
            }
        }
    }

    /// Whether [`Self::memory`] is the kernel's own number; `None` if that is not known.
    #[must_use]
    pub(crate) fn is_memory_exact(&self) -> Option<bool> {
        let memory = self.memory.filter(|_| self.facts.exported.is_none())?;
        Some(memory.is_exact)
    }

    /// Whether it is the map that a user means by this id, name or pinned path.
    #[must_use]
    pub(crate) fn matches_selector(&self, map: &str) -> bool {
        self.facts.name == map
            || map.parse() == Ok(self.key().id.0)
            || self.pin_list().is_some_and(|pins| pins.contains(&map))
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
    pub fn is_level_unknown(&self) -> bool {
        self.facts.used.is_none() && (self.kind().has_pressure() || !self.facts.map_type.is_known())
    }

    /// Whether it is not known what is in it although that can be counted, also where that is no level.
    #[must_use]
    pub(crate) fn is_count_missing(&self) -> bool {
        let is_counted = self.facts.count.method != CountMethod::None;
        self.facts.used.is_none() && (is_counted || self.is_level_unknown())
    }
}
