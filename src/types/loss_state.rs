//! What is known of what a map loses.

use super::errno::Errno;
use super::loss::LossKind;

/// What is known of the last that a map lost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastLoss {
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
pub enum LossPending {
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
pub enum LossState {
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
