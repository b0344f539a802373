//! Rows: what every output shows of the maps.

use std::sync::Arc;
use std::time::Duration;

use compact_str::{CompactString, ToCompactString};

use super::count::CountMethod;
use super::fleet::ExportedFields;
use super::loss::LossRates;
use super::loss_state::{LastLoss, NoLossReason};
use super::map_id::MapKey;
use super::map_type::{Kind, Unit};
use super::mark::{Mark, MarkReason};
use super::memory::Memory;
use super::ownership::{Ownership, Program};
use super::snapshot::MapFacts;
use super::time_to_full::TimeToFull;

/// One map, with what follows from its facts. Every output is a pure function of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// As the source read them.
    pub facts: MapFacts,
    /// used / capacity, 1 being full; `None` where unknown or without meaning.
    pub pressure: Option<f64>,
    /// Entries per second over the interval of the reading; `None` where unknown or without meaning.
    pub growth_per_s: Option<f64>,
    /// When it is full at that rate.
    pub full_in: TimeToFull,
    /// How urgently it needs attention; `None` if its level is not known.
    pub mark: Option<Mark>,
    /// Why it is marked; `None` without a mark.
    pub mark_reason: Option<MarkReason>,
    /// Losses per second since the previous report, or live since the previous sample; `None` if losses are
    /// not counted, or there is nothing to compare with.
    pub loss_rates: Option<Box<LossRates>>,
    /// What is known of the last loss; `None` if nothing is.
    pub last_loss: Option<Box<LastLoss>>,
    /// Why no losses are known, where none are.
    pub no_loss_reason: NoLossReason,
    /// How long the reader of a buffer has not moved, although it is three quarters full; `None` if
    /// it moves, or is not known.
    pub stalled_for: Option<Duration>,
    /// Kernel memory; `None` where unknown.
    pub memory: Option<Memory>,
    /// Its ownership as last collected; `None` where unknown.
    pub ownership: Option<Arc<Ownership>>,
    /// The uptime of the first sample with it; `None` if it was there when reading began.
    pub created_at: Option<Duration>,
    /// The uptime of the first sample without it. Only the live view keeps the rows of deleted maps, for
    /// some seconds.
    pub deleted_at: Option<Duration>,
}

/// The source of the owner, holders, programs and pins of a map.
enum OwnershipFacts<'a> {
    /// They were collected by an exporter, which exports only a part of them.
    Exported(&'a ExportedFields),
    /// They were collected on this machine.
    Resolved(&'a Ownership),
}

impl Row {
    /// Which map this is.
    #[must_use]
    pub fn key(&self) -> &MapKey {
        &self.facts.key
    }

    /// `None` if they are unknown.
    fn ownership_facts(&self) -> Option<OwnershipFacts<'_>> {
        match (self.facts.exported(), &self.ownership) {
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
            OwnershipFacts::Exported(fields) => fields.holder_count?.try_into().ok(),
            OwnershipFacts::Resolved(ownership) => Some(ownership.holders.as_ref()?.len()),
        }
    }

    /// How many programs use it; `None` if that is not known.
    #[must_use]
    pub fn programs(&self) -> Option<usize> {
        match self.ownership_facts()? {
            OwnershipFacts::Exported(fields) => fields.program_count?.try_into().ok(),
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
        let memory = self.memory.filter(|_| !self.facts.is_exported())?;
        Some(memory.is_exact)
    }

    /// Whether this id, name or pinned path (`-m`) selects the map.
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

    /// Whether the map should have a level, but it is unknown.
    #[must_use]
    pub fn is_level_unknown(&self) -> bool {
        self.facts.used.is_none() && (self.kind().has_pressure() || !self.facts.map_type.is_known())
    }

    /// Whether the map should have a count, but it is unknown. Unlike a level, slots are counted, too.
    #[must_use]
    pub(crate) fn is_count_missing(&self) -> bool {
        let is_counted = self.facts.count.method != CountMethod::None;
        self.facts.used.is_none() && (is_counted || self.is_level_unknown())
    }
}
