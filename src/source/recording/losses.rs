//! Losses and the state of loss tracing in the lines of a recording.
//!
//! As in the rest of a recording, unknown values are left out. A count of 0 is known, and is kept.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::text::sanitize::sanitize;
use crate::types::errno::Errno;
use crate::types::loss::{Backlog, Loss, LossCause};
use crate::types::loss_tracing::LossTracing;

/// What a map lost.
#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct LossLine<'a> {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    watched: bool,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    /// How often each error occurred, by errno.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<Vec<(u16, u64)>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evictions: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drops: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drops_before: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempts: Option<u64>,
    /// Unread bytes, and the capacity in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backlog: Option<(u64, u64)>,
    /// Unread part of the fullest buffer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fullest: Option<f64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    culprit: Option<CulpritLine<'a>>,
}

/// The cause of a loss: a process, or else a BPF program.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct CulpritLine<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    comm: Cow<'a, str>,
}

impl<'a> From<&'a Loss> for LossLine<'a> {
    fn from(loss: &'a Loss) -> Self {
        let failed = loss.failed.as_ref();
        Self {
            watched: loss.is_traced,
            reason: loss.reason.as_deref().map(Cow::Borrowed),
            failed: failed.map(|failed| failed.iter().map(|(errno, n)| (errno.0, n)).collect()),
            evictions: loss.evictions,
            drops: loss.drops,
            drops_before: loss.drops_before,
            attempts: loss.attempts,
            fullest: loss.backlog.map(|backlog| backlog.fullest),
            backlog: loss.backlog.map(|backlog| (backlog.bytes, backlog.room)),
            culprit: loss.cause.as_ref().map(|culprit| match culprit {
                LossCause::Process { pid, comm } => CulpritLine {
                    pid: Some(*pid),
                    comm: Cow::Borrowed(comm),
                },
                LossCause::Program => CulpritLine {
                    pid: None,
                    comm: Cow::Borrowed(""),
                },
            }),
        }
    }
}

impl From<LossLine<'_>> for Loss {
    fn from(line: LossLine) -> Self {
        let failed = line.failed.map(|failed| {
            failed
                .into_iter()
                .map(|(n, count)| (Errno(n), count))
                .collect()
        });
        Self {
            is_traced: line.watched,
            reason: line
                .reason
                .map(|reason| sanitize(reason.as_bytes()).into_string().into()),
            failed,
            evictions: line.evictions,
            drops: line.drops,
            drops_before: line.drops_before,
            attempts: line.attempts,
            backlog: line.backlog.map(|(bytes, room)| Backlog {
                bytes,
                room,
                fullest: line.fullest.unwrap_or(0.0),
            }),
            cause: line.culprit.map(|culprit| match culprit.pid {
                Some(pid) => LossCause::Process {
                    pid,
                    comm: sanitize(culprit.comm.as_bytes()),
                },
                None => LossCause::Program,
            }),
        }
    }
}

/// The state of loss tracing. A state that only later versions know is read as off.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct LossTracingLine<'a> {
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since_ns: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,
    /// Losses of deleted maps; absent in recordings from before these were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gone: Option<u64>,
}

impl<'a> LossTracingLine<'a> {
    /// `None` if tracing was not requested.
    pub(crate) fn from_state(loss_tracing: &'a LossTracing) -> Option<Self> {
        if *loss_tracing == LossTracing::Off {
            return None;
        }
        let since = loss_tracing.since();
        Some(Self {
            state: Cow::Borrowed(loss_tracing.name()),
            // Enough for 584 years.
            since_ns: since.map(|since| since.as_nanos().try_into().unwrap_or(u64::MAX)),
            note: loss_tracing.note().map(Cow::Borrowed),
            gone: Some(loss_tracing.deleted_map_losses()).filter(|gone| *gone > 0),
        })
    }
}

impl From<Option<LossTracingLine<'_>>> for LossTracing {
    fn from(line: Option<LossTracingLine>) -> Self {
        let Some(line) = line else {
            return Self::Off;
        };
        let note = line.note.map(|note| sanitize(note.as_bytes()));
        match (&*line.state, line.since_ns) {
            ("starting", _) => Self::Starting,
            (state @ ("on" | "part"), Some(since)) => Self::On {
                since: Duration::from_nanos(since),
                sees_updates: state == "on",
                note,
                deleted_map_losses: line.gone.unwrap_or(0),
            },
            ("refused", _) => Self::Refused(note.unwrap_or_default()),
            _ => Self::Off,
        }
    }
}
