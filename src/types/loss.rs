//! What maps lose: updates that were refused, entries that were evicted, records that were dropped.

use std::borrow::Cow;
use std::time::Duration;

use compact_str::CompactString;

use super::errno::ErrnoCounts;

/// Who caused the last loss, if that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LossCause {
    /// A process, through bpf(2).
    Process {
        /// Of the thread group.
        pid: u32,
        /// Sanitized.
        comm: CompactString,
    },
    /// A BPF program; which one is known only if it is the only one that uses the map.
    Program,
}

/// The kinds of losses, the most serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossKind {
    /// An update was refused.
    Failed,
    /// A record did not fit.
    Dropped,
    /// An entry was evicted to make room for another.
    Evicted,
}

impl LossKind {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 3] = [Self::Failed, Self::Dropped, Self::Evicted];

    /// The word beside a rate on the screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Failed => "fail",
            Self::Dropped => "drop",
            Self::Evicted => "evict",
        }
    }
}

/// The losses of one map. Counters of tracers begin when the map is first traced, the kernel's own ones
/// when mapstop first sees the map. They never decrease.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Loss {
    /// Whether tracers count its losses.
    pub is_traced: bool,
    /// Why some or all losses cannot be observed here; `None` if all can.
    pub reason: Option<Cow<'static, str>>,
    /// Updates that were refused, by error; `None` if they are not counted.
    pub failed: Option<ErrnoCounts>,
    /// Entries that were evicted; `None` if the type does not evict, or evictions are not counted.
    pub evictions: Option<u64>,
    /// Records that did not fit; `None` if the type has none, or they are not counted.
    pub drops: Option<u64>,
    /// Records that the kernel counted as dropped before mapstop first saw the map; `None` if it does not count.
    pub drops_before: Option<u64>,
    /// Stacks that were stored or refused; `None` for other types, and if they are not counted.
    pub attempts: Option<u64>,
    /// Who caused the last loss.
    pub cause: Option<LossCause>,
    /// The unread data of a type with several buffers; `None` for other types.
    pub backlog: Option<Backlog>,
}

/// The unread data in all the buffers of one map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backlog {
    /// Unread bytes.
    pub bytes: u64,
    /// Size of the buffers in bytes.
    pub room: u64,
    /// Unread part of the fullest buffer, 1 being full; 0 in recordings from before it was read.
    pub fullest: f64,
}

impl Loss {
    /// Updates that were refused, with any error; `None` if they are not counted.
    #[must_use]
    pub fn failed_updates(&self) -> Option<u64> {
        Some(self.failed.as_ref()?.total())
    }

    /// The total of this kind; `None` if the type has no such losses, or they are not counted.
    #[must_use]
    pub fn total(&self, kind: LossKind) -> Option<u64> {
        match kind {
            LossKind::Failed => self.failed_updates(),
            LossKind::Dropped => self.drops,
            LossKind::Evicted => self.evictions,
        }
    }

    /// The losses since `before`, per second. If a counter went down, it was restarted, and no rate is known.
    #[must_use]
    pub(crate) fn rates_since(&self, before: &Self, interval: Duration) -> LossRates {
        let counts = LossKind::ALL.map(|kind| (before.total(kind), self.total(kind)));
        let is_restarted = counts
            .iter()
            .any(|(then, now)| then.zip(*now).is_some_and(|(then, now)| now < then));
        if is_restarted || interval.is_zero() {
            return LossRates::default();
        }
        let per_s = counts.map(|counts| match counts {
            (Some(then), Some(now)) => Some(per_second(now - then, interval)),
            _ => None,
        });
        LossRates {
            per_s,
            entry_lifetime: None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn per_second(count: u64, interval: Duration) -> f64 {
    count as f64 / interval.as_secs_f64()
}

/// Losses per second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LossRates {
    /// By kind, in the order of `LossKind::ALL`.
    per_s: [Option<f64>; 3],
    /// How long an entry stays in an LRU map at the evictions of the last minute; `None` if there were none, they
    /// are not counted, or not for long enough.
    pub entry_lifetime: Option<Duration>,
}

impl LossRates {
    /// The rate of this kind; `None` if it is unknown.
    #[must_use]
    pub fn get(&self, kind: LossKind) -> Option<f64> {
        self.per_s[kind as usize]
    }

    /// The sum of all known rates.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.per_s.iter().flatten().sum()
    }

    /// The most serious kind with a rate above 0, and its rate.
    #[must_use]
    pub(crate) fn worst(&self) -> Option<(LossKind, f64)> {
        let known = LossKind::ALL.into_iter().zip(self.per_s);
        known
            .filter_map(|(kind, rate)| Some((kind, rate?)))
            .find(|(_, rate)| *rate > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::errno::Errno;

    #[test]
    fn refused_updates_add_up_over_their_errors() {
        let mut loss = Loss::default();
        assert_eq!(loss.failed_updates(), None);
        loss.failed = Some([(Errno::E2BIG, 31), (Errno::ENOMEM, 2)].into());
        assert_eq!(loss.failed_updates(), Some(33));
    }

    fn lost(failed: Option<u64>, evictions: Option<u64>, drops: Option<u64>) -> Loss {
        Loss {
            is_traced: true,
            failed: failed.map(|count| [(Errno::E2BIG, count)].into()),
            evictions,
            drops,
            ..Loss::default()
        }
    }

    #[test]
    fn rates_are_differences_by_time_and_unknown_stays_unknown() {
        let before = lost(Some(10), None, Some(7));
        let now = lost(Some(20), Some(5), Some(7));
        let rates = now.rates_since(&before, Duration::from_secs(4));
        let all = LossKind::ALL.map(|kind| rates.get(kind));
        assert_eq!(all, [Some(2.5), Some(0.0), None]);
        assert_eq!(rates.worst(), Some((LossKind::Failed, 2.5)));
        assert!((rates.sum() - 2.5).abs() < 1e-9);
    }

    #[test]
    fn a_counter_that_decreased_has_no_rate() {
        let before = lost(Some(10), Some(5), None);
        let now = lost(Some(3), Some(9), None);
        let rates = now.rates_since(&before, Duration::from_secs(1));
        assert_eq!(rates, LossRates::default());
        assert_eq!(rates.worst(), None);
    }
}
