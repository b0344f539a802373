//! The JSON schema of a map's losses.

use compact_str::CompactString;
use serde::{Serialize, Serializer};

use crate::types::errno::ErrnoCounts;
use crate::types::loss::{Loss, LossCause};
use crate::types::ownership::Program;
use crate::types::row::Row;

/// Losses since tracing began; those that the kernel counts itself, since the map was first
/// seen.
#[derive(Debug, Serialize)]
pub struct LossJson<'a> {
    /// Whether it is counted, by tracers or by the kernel itself.
    pub(crate) watched: bool,
    /// Why some losses cannot be seen.
    pub(crate) reason: Option<&'a str>,
    /// Updates that were refused.
    pub(crate) failed_updates: Option<u64>,
    /// Failed updates by the kernel's name of the error.
    pub(crate) by_errno: Option<ByErrno<'a>>,
    /// Evicted entries.
    pub(crate) evictions: Option<u64>,
    /// Records or packets that were dropped.
    pub(crate) drops: Option<u64>,
    /// Records that were dropped before mapstop first saw the map.
    pub(crate) drops_before: Option<u64>,
    /// Stacks that were stored or refused.
    pub(crate) attempts: Option<u64>,
    /// Unread bytes, of types with several buffers.
    pub(crate) backlog_bytes: Option<u64>,
    /// Unread part of the fullest buffer, of types with several.
    pub(crate) fullest_buffer: Option<f64>,
    /// Who caused the last loss.
    pub(crate) culprit: Option<CulpritJson<'a>>,
}

/// Who caused a loss.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum CulpritJson<'a> {
    /// A process, through bpf(2).
    Process { pid: u32, comm: &'a str },
    /// A BPF program; null if it is not known which.
    Program { program: Option<ProgramIdJson<'a>> },
}

#[derive(Debug, Serialize)]
pub(crate) struct ProgramIdJson<'a> {
    pub(crate) id: u32,
    pub(crate) name: &'a str,
}

/// Counts by error, as an object.
#[derive(Debug)]
pub(crate) struct ByErrno<'a>(&'a ErrnoCounts);

impl Serialize for ByErrno<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.counts())
    }
}

impl ByErrno<'_> {
    /// The kernel's names of the errors, or `errno_99`, and how often each occurred.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (CompactString, u64)> {
        self.0
            .iter()
            .map(|(errno, count)| (errno.json_key(), count))
    }
}

impl<'a> LossJson<'a> {
    /// The losses of the map in this row.
    pub(crate) fn from_row(row: &'a Row, loss: &'a Loss) -> Self {
        let culprit = loss.cause.as_ref().map(|culprit| match culprit {
            LossCause::Process { pid, comm } => CulpritJson::Process { pid: *pid, comm },
            LossCause::Program => CulpritJson::Program {
                program: row.causing_program().map(ProgramIdJson::from),
            },
        });
        Self {
            watched: loss.is_traced || loss.drops.is_some(),
            reason: loss.reason.as_deref(),
            failed_updates: loss.failed_updates(),
            by_errno: loss.failed.as_ref().map(ByErrno),
            evictions: loss.evictions,
            drops: loss.drops,
            drops_before: loss.drops_before,
            attempts: loss.attempts,
            backlog_bytes: loss.backlog.map(|backlog| backlog.bytes),
            fullest_buffer: loss.backlog.map(|backlog| backlog.fullest),
            culprit,
        }
    }
}

impl<'a> From<&'a Program> for ProgramIdJson<'a> {
    fn from(program: &'a Program) -> Self {
        Self {
            id: program.id,
            name: &program.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::analysis::history::History;
    use crate::test_util::{map, watched};
    use crate::types::errno::Errno;
    use crate::types::loss::Backlog;
    use crate::types::ownership::Ownership;

    fn used_by(count: u32) -> Ownership {
        let program = |id| {
            Arc::new(Program {
                id,
                name: "tc_ingress".into(),
                program_type: "sched_cls".into(),
                attached: None,
                pins: None,
            })
        };
        Ownership {
            programs: Some((812..812 + count).map(program).collect()),
            ..Ownership::default()
        }
    }

    /// The losses of a map that had lost nothing in the previous report.
    fn json(loss: Loss, ownership: Ownership) -> String {
        let mut history = History::default();
        let before = Loss {
            is_traced: loss.is_traced,
            failed: loss.failed.as_ref().map(|_| ErrnoCounts::default()),
            ..Loss::default()
        };
        history.read(watched(
            1,
            0,
            [map("m").loss(before).owned(ownership.clone())],
        ));
        let reading = history.read(watched(2, 0, [map("m").loss(loss).owned(ownership)]));
        let row = &reading.rows[0];
        let loss = row.facts.loss.as_deref().expect("a loss");
        serde_json::to_string(&LossJson::from_row(row, loss)).expect("JSON")
    }

    #[test]
    fn a_loss_has_the_promised_fields() {
        let loss = Loss {
            is_traced: true,
            reason: Some("programs are not seen".into()),
            failed: Some([(Errno::E2BIG, 29), (Errno::ENOMEM, 2), (Errno(99), 1)].into()),
            evictions: Some(5),
            drops: None,
            drops_before: Some(7),
            attempts: None,
            cause: Some(LossCause::Process {
                pid: 2214,
                comm: "flowd".into(),
            }),
            backlog: Some(Backlog {
                bytes: 3072,
                room: 8192,
                fullest: 0.75,
            }),
        };
        assert_eq!(
            json(loss, Ownership::default()),
            concat!(
                r#"{"watched":true,"reason":"programs are not seen","failed_updates":32,"#,
                r#""by_errno":{"E2BIG":29,"ENOMEM":2,"errno_99":1},"evictions":5,"drops":null,"#,
                r#""drops_before":7,"attempts":null,"backlog_bytes":3072,"#,
                r#""fullest_buffer":0.75,"culprit":{"pid":2214,"comm":"flowd"}}"#
            )
        );
    }

    #[test]
    fn culprit_program_is_named_only_if_it_is_the_only_one() {
        let by = |count| {
            let loss = Loss {
                is_traced: true,
                failed: Some([(Errno::E2BIG, 1)].into()),
                cause: Some(LossCause::Program),
                ..Loss::default()
            };
            let json = json(loss, used_by(count));
            let at = json.find(r#""culprit""#).expect("a culprit");
            json[at..].to_owned()
        };
        let named = r#""culprit":{"program":{"id":812,"name":"tc_ingress"}}}"#;
        let unnamed = r#""culprit":{"program":null}}"#;
        assert_eq!([by(1), by(2), by(0)], [named, unnamed, unnamed]);
    }
}
