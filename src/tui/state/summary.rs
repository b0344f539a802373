//! How many maps there are, and how many of them are marked.

use crate::text::units;
use crate::types::map_type::Unit;
use crate::types::mark::Mark;
use crate::types::row::Row;

/// Counts over all maps that exist, whether they match the filter or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// All maps.
    pub total: usize,
    /// Marked crit.
    pub crit: usize,
    /// Marked warn.
    pub warn: usize,
    /// Maps whose level could not be read.
    pub(crate) unread: usize,
    /// The known memory of all maps, in bytes.
    memory: u64,
    /// Maps whose memory is known.
    measured: usize,
    /// Maps whose memory is an estimate.
    estimated: usize,
}

impl Summary {
    pub(crate) fn of(rows: &[Row]) -> Self {
        let mut summary = Self::default();
        for row in rows.iter().filter(|row| row.deleted_at.is_none()) {
            summary.total += 1;
            match row.mark {
                Some(Mark::Crit) => summary.crit += 1,
                Some(Mark::Warn) => summary.warn += 1,
                Some(Mark::None) | None => {}
            }
            summary.unread += usize::from(row.is_level_unknown());
            if let Some(memory) = row.memory {
                summary.memory = summary.memory.saturating_add(memory.bytes);
                summary.measured += 1;
                summary.estimated += usize::from(!memory.is_exact);
            }
        }
        summary
    }

    /// The memory of all maps: `214M`, `~214M` if some of it is an estimate, `>214M` if some is not
    /// known; `None` if none is known.
    pub(crate) fn memory(self) -> Option<String> {
        if self.measured == 0 {
            return None;
        }
        let sign = units::bound_sign(self.measured < self.total, self.estimated > 0);
        Some(format!("{sign}{}", units::amount(self.memory, Unit::Bytes)))
    }

    /// The most urgent mark.
    pub(crate) fn worst(self) -> Mark {
        match self {
            Self { crit: 1.., .. } => Mark::Crit,
            Self { warn: 1.., .. } => Mark::Warn,
            Self { .. } => Mark::None,
        }
    }
}
