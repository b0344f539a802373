//! What `--fail-on` was met by: reports become an exit code, and words where it cannot be told.

use crate::cli::FailOn;
use crate::exit::Exit;
use crate::model::loss::{LossKind, Watching};
use crate::model::row::{Losing, Row};
use crate::output::Report;
use crate::run::complain;

/// What the reports so far come to.
#[derive(Debug, Default)]
pub struct Failure {
    is_met: bool,
    /// Why what was asked about is not known.
    unknown: Option<String>,
    /// What was said of the losses that are not seen.
    told: Option<String>,
}

impl Failure {
    /// Says once what of the losses is not seen here, or that none is.
    pub fn tell_limits(&mut self, report: &Report) {
        let watching = &report.reading.watching;
        if let Some(note) = watching.note().filter(|_| self.told.is_none()) {
            let text = match watching {
                Watching::Refused(_) => cannot(note),
                _ => format!("losses: {note}"),
            };
            complain(&text);
            self.told = Some(text);
        }
    }

    /// Judges one more report.
    pub fn judge(&mut self, fail_on: FailOn, report: &Report) {
        match fail_on {
            FailOn::Mark(limit) => {
                let is_at_limit = |row: &Row| row.mark.is_some_and(|mark| mark >= limit);
                self.is_met |= report.rows().any(is_at_limit);
            }
            FailOn::Loss => {
                self.is_met |= report.rows().any(has_lost);
                self.unknown = why_unknown(report);
            }
        }
    }

    /// The exit code, and on stderr why it is not 0 where nothing else says so. What is not known is
    /// not fine.
    pub fn exit(self) -> Exit {
        match self.unknown {
            _ if self.is_met => Exit::FailOn,
            Some(why) => {
                if self.told.as_ref() != Some(&why) {
                    complain(&why);
                }
                Exit::Failed
            }
            None => Exit::Fine,
        }
    }
}

fn cannot(why: &str) -> String {
    format!("losses cannot be watched: {why}")
}

/// Whether an update was refused or a record dropped since the map was watched. That entries make
/// room for others is what an LRU map is for.
fn has_lost(row: &Row) -> bool {
    row.facts.loss.as_ref().is_some_and(|loss| {
        let total = |kind| loss.total(kind).unwrap_or(0);
        total(LossKind::Failed) + total(LossKind::Dropped) > 0
    })
}

/// Why it cannot be told whether one of the maps shown lost anything; `None` if it can of some, or
/// if there is none that could.
fn why_unknown(report: &Report) -> Option<String> {
    match &report.reading.watching {
        Watching::On { .. } => {}
        Watching::Refused(why) => return Some(cannot(why)),
        Watching::Off | Watching::Starting => return Some(cannot("no tracer is attached")),
    }
    let losing: Vec<_> = report.rows().map(Row::losing).collect();
    let is_seen = |losing: &Losing| {
        matches!(
            losing,
            Losing::Nothing | Losing::Measuring | Losing::Some(..)
        )
    };
    let is_any_unseen = losing.contains(&Losing::Unknown);
    (is_any_unseen && !losing.iter().any(is_seen)).then(|| {
        let mut reasons = report.rows().filter_map(|row| {
            let loss = row.facts.loss.as_ref()?;
            loss.reason.as_deref()
        });
        cannot(reasons.next().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::loss::Loss;
    use crate::model::mark::Mark;
    use crate::model::snapshot::Snapshot;
    use crate::testing::{MapBuilder, host, map, snapshot, watched};

    fn judged(fail_on: FailOn, snapshots: impl IntoIterator<Item = Snapshot>) -> Failure {
        let mut history = crate::model::history::History::default();
        let mut failure = Failure::default();
        for snapshot in snapshots {
            let reading = history.read(snapshot);
            let places: Vec<_> = (0..reading.rows.len()).collect();
            let report = Report {
                host: &host(),
                source: "kernel",
                reading: &reading,
                places: &places,
            };
            failure.judge(fail_on, &report);
        }
        failure
    }

    fn unseen(name: &str) -> MapBuilder {
        map(name).id(9).loss(Loss {
            is_watched: true,
            reason: Some("its type cannot be traced".into()),
            ..Loss::default()
        })
    }

    #[test]
    fn a_refused_update_and_a_dropped_record_are_failures_and_an_eviction_is_none() {
        for (map, exit) in [
            (map("m").refused(0), Exit::Fine),
            (map("m").refused(1), Exit::FailOn),
            (map("m").named_type("ringbuf").dropped(1), Exit::FailOn),
            (map("m").named_type("lru_hash").evicted(1), Exit::Fine),
            // What cannot lose anything did not.
            (map("m").named_type("array"), Exit::Fine),
        ] {
            let text = format!("{map:?}");
            let failure = judged(FailOn::Loss, [watched(1, 1, [map])]);
            assert_eq!(failure.exit(), exit, "{text}");
        }
    }

    #[test]
    fn a_loss_in_any_report_is_a_failure() {
        let gone = [
            watched(1, 1, [map("m").refused(3)]),
            watched(2, 1, [map("n").id(2).refused(0)]),
        ];
        assert_eq!(judged(FailOn::Loss, gone).exit(), Exit::FailOn);
    }

    #[test]
    fn what_cannot_be_told_is_not_fine() {
        let refused = Snapshot {
            watching: Watching::Refused("this kernel refuses BPF trampolines".into()),
            ..snapshot(1, [map("m")])
        };
        let failure = judged(FailOn::Loss, [refused]);
        let says = "losses cannot be watched: this kernel refuses BPF trampolines";
        assert_eq!(failure.unknown.as_deref(), Some(says));
        assert_eq!(failure.exit(), Exit::Failed);

        let failure = judged(FailOn::Loss, [watched(1, 1, [unseen("trie")])]);
        let says = "losses cannot be watched: its type cannot be traced";
        assert_eq!(failure.unknown.as_deref(), Some(says));

        let beside = [watched(1, 1, [unseen("trie"), map("m").refused(0)])];
        assert_eq!(judged(FailOn::Loss, beside).exit(), Exit::Fine);
    }

    #[test]
    fn a_mark_is_a_failure_from_its_limit_on() {
        let full = || [snapshot(1, [map("m").used(10, 10)])];
        let exit = |mark| judged(FailOn::Mark(mark), full()).exit();
        assert_eq!([exit(Mark::Crit), exit(Mark::Warn)], [Exit::FailOn; 2]);
        let calm = judged(FailOn::Mark(Mark::Warn), [snapshot(1, [map("m")])]);
        assert_eq!(calm.exit(), Exit::Fine);
    }
}
