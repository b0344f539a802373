//! Evaluates `--fail-on`.

use super::Report;
use crate::diag;
use crate::exit_code::Exit;
use crate::options::FailOn;
use crate::query::fields::table::full;
use crate::text::plural::count_noun;
use crate::types::errno::Errno;
use crate::types::loss::LossKind;
use crate::types::loss_state::NoLossReason;
use crate::types::loss_tracing::LossTracing;
use crate::types::map_type::Kind;
use crate::types::row::Row;

/// The result of the reports so far.
#[derive(Debug, Default)]
pub struct FailOnState {
    is_met: bool,
    /// The reason why the condition cannot be evaluated.
    unknown: Option<String>,
    /// The last warning about losses that cannot be seen.
    last_warning: Option<String>,
}

impl FailOnState {
    /// Warns, once for each text, if losses are not seen, or not all.
    pub(crate) fn warn_coverage(&mut self, report: &Report) {
        if self.last_warning.is_none() {
            self.last_warning = coverage_warning(&report.reading.loss_tracing);
            self.last_warning.iter().for_each(|text| diag::warn(text));
        }
    }

    /// Judges one more report.
    pub fn judge(&mut self, fail_on: FailOn, report: &Report) {
        match fail_on {
            FailOn::Mark(limit) => {
                let is_at_limit = |row: &Row| row.mark.is_some_and(|mark| mark >= limit);
                self.is_met |= report.rows().any(is_at_limit);
            }
            FailOn::Full => {
                self.is_met |= report.rows().any(|row| full(row) == Some("yes"));
            }
            FailOn::Loss => {
                let is_of_all = report.indices.len() == report.reading.rows.len();
                let gone = report.reading.loss_tracing.deleted_map_losses();
                self.is_met |= report.rows().any(has_lost) || (gone > 0 && is_of_all);
                if gone > 0 && !is_of_all && self.unknown.is_none() {
                    self.unknown = Some(format!(
                        "deleted maps lost {}, and it is unknown whether they matched the filter",
                        count_noun(gone, "update or record", "updates or records")
                    ));
                }
                // A later report does not show what an earlier one missed.
                if self.unknown.is_none() {
                    self.unknown = why_unknown(report);
                }
            }
        }
    }

    /// The exit code. If the condition could not be evaluated, it is not 0, and stderr has
    /// the reason.
    pub fn exit(self) -> Exit {
        match self.unknown {
            _ if self.is_met => Exit::FailOn,
            Some(why) => {
                if self.last_warning.as_ref() != Some(&why) {
                    diag::warn(&why);
                }
                Exit::Failed
            }
            None => Exit::Fine,
        }
    }
}

/// One line about losses that are not seen; `None` if all are.
#[must_use]
pub(crate) fn coverage_warning(watching: &LossTracing) -> Option<String> {
    let note = watching.note()?;
    Some(match watching {
        LossTracing::Refused(_) => unavailable_message(note),
        _ => format!("losses: {note}"),
    })
}

fn unavailable_message(why: &str) -> String {
    format!("losses cannot be watched: {why}")
}

/// Whether an update failed or a record was dropped since tracing began. Evictions do not
/// count: they are what an LRU map is for. Nor do collisions of stack traces, which are normal.
fn has_lost(row: &Row) -> bool {
    row.facts.loss.as_ref().is_some_and(|loss| {
        let total = |kind| loss.total(kind).unwrap_or(0);
        let collisions = match &loss.failed {
            Some(failed) if row.facts.map_type.collides() => failed.get(Errno::EEXIST),
            _ => 0,
        };
        total(LossKind::Failed) - collisions + total(LossKind::Dropped) > 0
    })
}

/// Maps listed for one reason.
const MAX_NAMED: usize = 3;

/// Why it is unknown whether some of the shown maps refused an update or dropped a record, and
/// which maps; `None` if it is known of all.
fn why_unknown(report: &Report) -> Option<String> {
    match &report.reading.loss_tracing {
        LossTracing::On { .. } => {}
        LossTracing::Refused(why) => return Some(unavailable_message(why)),
        LossTracing::Off | LossTracing::Starting => {
            return Some(unavailable_message("no tracer is attached"));
        }
    }
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for row in report.rows() {
        let Some(why) = why_unseen(row) else {
            continue;
        };
        let facts = &row.facts;
        let map = format!("{} {} ({})", facts.key.id.0, facts.name, facts.map_type);
        match reasons.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, maps)) => maps.push(map),
            None => reasons.push((why, vec![map])),
        }
    }
    let reasons: Vec<_> = reasons
        .iter()
        .map(|(why, maps)| {
            let more = match maps.len().saturating_sub(MAX_NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let named = maps[..maps.len().min(MAX_NAMED)].join(", ");
            format!("{named}{more}: {why}")
        })
        .collect();
    (!reasons.is_empty()).then(|| {
        let reasons = reasons.join("; ");
        format!("losses are unknown for {reasons} (use -f to leave maps out)")
    })
}

/// Why it is not known whether this map refused an update or dropped a record; `None` if it is, or
/// if there is nothing that it could lose.
fn why_unseen(row: &Row) -> Option<&str> {
    match (&row.facts.loss, row.no_loss_reason) {
        (None, NoLossReason::Untraced) => None,
        (None, NoLossReason::Attaching) => Some("tracers are still being attached"),
        (None, NoLossReason::Unread) => Some("the counters could not be read"),
        (Some(loss), _) => {
            // Where updates are traced, only evictions are unseen, and those are no failure.
            let is_of_evictions =
                row.kind() == Kind::Evicting && loss.failed.is_some() && loss.evictions.is_none();
            loss.reason.as_deref().filter(|_| !is_of_evictions)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{MapBuilder, host, map, snapshot, watched};
    use crate::types::errno::ErrnoCounts;
    use crate::types::loss::Loss;
    use crate::types::mark::Mark;
    use crate::types::snapshot::Snapshot;

    fn judge_all(fail_on: FailOn, snapshots: impl IntoIterator<Item = Snapshot>) -> FailOnState {
        let mut history = crate::analysis::history::History::default();
        let mut state = FailOnState::default();
        for snapshot in snapshots {
            let reading = history.read(snapshot);
            let indices: Vec<_> = (0..reading.rows.len()).collect();
            let report = Report {
                host: &host(),
                source: "kernel",
                reading: &reading,
                indices: &indices,
            };
            state.judge(fail_on, &report);
        }
        state
    }

    fn unseen(name: &str) -> MapBuilder {
        map(name).id(9).loss(Loss {
            is_traced: true,
            reason: Some("its type cannot be traced".into()),
            ..Loss::default()
        })
    }

    #[test]
    fn refusals_and_drops_fail_and_evictions_do_not() {
        for (map, exit) in [
            (map("m").refused(0), Exit::Fine),
            (map("m").refused(1), Exit::FailOn),
            (map("m").named_type("ringbuf").dropped(1), Exit::FailOn),
            (map("m").named_type("lru_hash").evicted(1), Exit::Fine),
            // Maps that cannot lose anything count as known.
            (map("m").named_type("array"), Exit::Fine),
        ] {
            let text = format!("{map:?}");
            let state = judge_all(FailOn::Loss, [watched(1, 1, [map])]);
            assert_eq!(state.exit(), exit, "{text}");
        }
    }

    #[test]
    fn loss_in_any_report_fails() {
        let gone = [
            watched(1, 1, [map("m").refused(3)]),
            watched(2, 1, [map("n").id(2).refused(0)]),
        ];
        assert_eq!(judge_all(FailOn::Loss, gone).exit(), Exit::FailOn);
    }

    #[test]
    fn loss_of_a_deleted_map_fails() {
        let gone = Snapshot {
            loss_tracing: LossTracing::On {
                since: std::time::Duration::ZERO,
                sees_updates: true,
                note: None,
                deleted_map_losses: 990,
            },
            ..snapshot(1, [map("m").refused(0)])
        };
        assert_eq!(judge_all(FailOn::Loss, [gone]).exit(), Exit::FailOn);
    }

    #[test]
    fn unknown_losses_fail() {
        let refused = Snapshot {
            loss_tracing: LossTracing::Refused("this kernel refuses BPF trampolines".into()),
            ..snapshot(1, [map("m")])
        };
        let state = judge_all(FailOn::Loss, [refused]);
        let expected = "losses cannot be watched: this kernel refuses BPF trampolines";
        assert_eq!(state.unknown.as_deref(), Some(expected));
        assert_eq!(state.exit(), Exit::Failed);

        let state = judge_all(FailOn::Loss, [watched(1, 1, [unseen("trie")])]);
        let expected = "losses are unknown for 9 trie (hash): its type cannot be traced \
                    (use -f to leave maps out)";
        assert_eq!(state.unknown.as_deref(), Some(expected));
    }

    #[test]
    fn one_map_with_unknown_losses_fails() {
        let beside = [watched(1, 1, [unseen("trie"), map("m").refused(0)])];
        assert_eq!(judge_all(FailOn::Loss, beside).exit(), Exit::Failed);
        // A known loss takes precedence.
        let lost = [watched(1, 1, [unseen("trie"), map("m").refused(1)])];
        assert_eq!(judge_all(FailOn::Loss, lost).exit(), Exit::FailOn);
        // A later report does not change that.
        let later = [
            watched(1, 1, [unseen("trie")]),
            watched(2, 1, [map("m").refused(0)]),
        ];
        assert_eq!(judge_all(FailOn::Loss, later).exit(), Exit::Failed);
    }

    #[test]
    fn map_whose_tracers_are_being_attached_fails() {
        let state = judge_all(FailOn::Loss, [watched(1, 1, [map("new")])]);
        let expected = "losses are unknown for 1 new (hash): tracers are still being attached \
                    (use -f to leave maps out)";
        assert_eq!(state.unknown.as_deref(), Some(expected));
    }

    #[test]
    fn unknown_evictions_do_not_fail() {
        let lru = |failed: Option<ErrnoCounts>| {
            map("lru").named_type("lru_hash").loss(Loss {
                is_traced: true,
                failed,
                reason: Some("evictions cannot be traced".into()),
                ..Loss::default()
            })
        };
        let exit = |map| judge_all(FailOn::Loss, [watched(1, 1, [map])]).exit();
        assert_eq!(exit(lru(Some([].into()))), Exit::Fine);
        assert_eq!(exit(lru(None)), Exit::Failed);
    }

    #[test]
    fn at_most_three_maps_are_named_for_a_reason() {
        let maps = (1..=5).map(|id| unseen("trie").id(id));
        let state = judge_all(FailOn::Loss, [watched(1, 1, maps)]);
        let expected = "losses are unknown for 1 trie (hash), 2 trie (hash), 3 trie (hash) and 2 more: \
                    its type cannot be traced (use -f to leave maps out)";
        assert_eq!(state.unknown.as_deref(), Some(expected));
    }

    #[test]
    fn collisions_of_stack_traces_are_no_failure() {
        let stacks = |failed: ErrnoCounts| {
            map("stacks").named_type("stack_trace").loss(Loss {
                is_traced: true,
                failed: Some(failed),
                ..Loss::default()
            })
        };
        let exit = |map| judge_all(FailOn::Loss, [watched(1, 1, [map])]).exit();
        assert_eq!(exit(stacks([(Errno::EEXIST, 9)].into())), Exit::Fine);
        assert_eq!(
            exit(stacks([(Errno::EEXIST, 9), (Errno::ENOMEM, 1)].into())),
            Exit::FailOn
        );
    }

    #[test]
    fn marks_fail_from_the_given_one_on() {
        let full = || [9, 10].map(|used| snapshot(used, [map("m").used(used.into(), 10)]));
        let exit = |mark| judge_all(FailOn::Mark(mark), full()).exit();
        assert_eq!([exit(Mark::Crit), exit(Mark::Warn)], [Exit::FailOn; 2]);
        let calm = judge_all(FailOn::Mark(Mark::Warn), [snapshot(1, [map("m")])]);
        assert_eq!(calm.exit(), Exit::Fine);
    }

    #[test]
    fn full_fails_for_certain_and_whatever_the_mark() {
        for (map, exit) in [
            (map("m").used(10, 10), Exit::FailOn),
            (map("m").used(9, 10), Exit::Fine),
            (map("m").used(1, 1), Exit::FailOn),
            (map("m").used(3, 3).frozen(), Exit::FailOn),
            (map("m").named_type("lru_hash").used(10, 10), Exit::FailOn),
            (map("m").used(10, 10).estimated(2), Exit::Fine),
            (map("m").uncounted(), Exit::Fine),
        ] {
            let text = format!("{map:?}");
            let state = judge_all(FailOn::Full, [snapshot(1, [map])]);
            assert_eq!(state.exit(), exit, "{text}");
        }
    }
}
