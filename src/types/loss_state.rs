//! What is known of what a map loses.

use super::errno::Errno;
use super::loss::LossKind;

/// Details of the most recent loss of a map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastLoss {
    /// The errors of failed updates over the same time as the rates, the most frequent first.
    pub errors: Vec<(Errno, u64)>,
    /// What was lost last; `None` if that is not known, or was of more than one kind.
    pub kind: Option<LossKind>,
    /// The id of the only program that used the map then; `None` if there were others, or it no longer uses it.
    pub program: Option<u32>,
}

/// Why a row has no losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoLossReason {
    /// Losses are not traced, or its type has none.
    #[default]
    Untraced,
    /// The tracers of its type are being attached.
    Attaching,
    /// The counters could not be read.
    Unread,
}

/// What is known of the losses of a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LossState {
    /// Losses are not counted, or its type has none.
    Untraced,
    /// Losses cannot be observed here, or not all of them.
    Unknown,
    /// The next sample gives the first rate.
    Measuring,
    /// It lost nothing in the last interval.
    NoLoss,
    /// It loses something: the worst kind, and its rate per second.
    Losing(LossKind, f64),
}
