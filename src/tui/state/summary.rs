//! How many maps there are, and how many of them need a look.

use crate::text::units;
use crate::types::map_type::Unit;
use crate::types::mark::Mark;
use crate::types::row::Row;
use crate::types::time_to_full::TimeToFull;

/// Counts over all maps that are there, whether they match the filter or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many there are.
    pub total: usize,
    /// Marked `!` since they are full, or refuse what they should take.
    pub full: usize,
    /// Marked `!` since they will be soon.
    pub filling: usize,
    /// Marked `^`.
    pub warn: usize,
    /// Whose level could not be read.
    pub unread: usize,
    /// What all take, in bytes, as far as that is known.
    memory: u64,
    /// Whose memory is known.
    measured: usize,
    /// Whose memory is an estimate.
    estimated: usize,
}

impl Summary {
    /// Counts the maps that are there among these.
    #[must_use]
    pub fn of(rows: &[Row]) -> Self {
        let mut tally = Self::default();
        for row in rows.iter().filter(|row| row.deleted_at.is_none()) {
            tally.total += 1;
            match row.mark {
                Some(Mark::Crit) if row.full_in == TimeToFull::Now || row.is_losing() => {
                    tally.full += 1;
                }
                Some(Mark::Crit) => tally.filling += 1,
                Some(Mark::Warn) => tally.warn += 1,
                Some(Mark::None) | None => {}
            }
            tally.unread += usize::from(row.is_level_unknown());
            if let Some(memory) = row.memory {
                tally.memory = tally.memory.saturating_add(memory.bytes);
                tally.measured += 1;
                tally.estimated += usize::from(!memory.is_exact);
            }
        }
        tally
    }

    /// What all of them take: `214M`, `~214M` where some of it is an estimate, `>214M` where some is
    /// not known; `None` if nothing is.
    #[must_use]
    pub fn memory(self) -> Option<String> {
        let sign = match (self.measured, self.estimated) {
            (0, _) => return None,
            (measured, _) if measured < self.total => ">",
            (_, 0) => "",
            _ => "~",
        };
        Some(format!("{sign}{}", units::amount(self.memory, Unit::Bytes)))
    }

    /// The most urgent mark there is.
    #[must_use]
    pub fn worst(self) -> Mark {
        match self {
            Self { full: 1.., .. } | Self { filling: 1.., .. } => Mark::Crit,
            Self { warn: 1.., .. } => Mark::Warn,
            Self { .. } => Mark::None,
        }
    }
}
