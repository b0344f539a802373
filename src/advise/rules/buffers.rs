//! Buffers that drop records, or whose reader is too slow.

use std::time::Duration;

use super::{Find, Finding, Measurement, Rule, count_noun, format_level, format_rate, format_time};
use crate::advise::observed::{MapObservation, unread_part};
use crate::analysis::thresholds::STREAM_WARN_PRESSURE;
use crate::text::units;
use crate::types::loss::Backlog;
use crate::types::mark::MarkReason;
use crate::types::row::Row;

pub(super) const DROPS: Rule = Rule {
    topic: "drops",
    find: Find::EachMap(judge_drops),
};
pub(super) const SLOW_READER: Rule = Rule {
    topic: "slow_reader",
    find: Find::EachMap(judge_slow_reader),
};

/// The backlog of all buffers is so much lower than that of the fullest one that one CPU writes, or one
/// buffer is not read.
const UNEVEN: f64 = 0.6;

/// Time without reading that is reported, or half of the measurement if that is less.
const LONG_STALL: Duration = Duration::from_secs(10);

/// Samples after which a buffer that was nearly full in all of them is reported.
const MIN_SAMPLES: usize = 3;

/// What is known of the reader of a buffer, and of its buffers.
struct Reader<'a> {
    row: &'a Row,
    observation: &'a MapObservation,
    observed: Duration,
}

impl<'a> Reader<'a> {
    fn of_row(row: &'a Row, measurement: &'a Measurement<'_>) -> Option<Self> {
        let observation = measurement.observations.get(row.key())?;
        Some(Self {
            row,
            observation,
            observed: measurement.observations.observed_for(observation),
        })
    }

    /// `None` for types with one buffer.
    fn backlog(&self) -> Option<Backlog> {
        let backlog = self.row.facts.loss.as_ref()?.backlog?;
        (backlog.room > 0).then_some(backlog)
    }

    /// How long the reader has not moved, unless that is short: it may only read now and then.
    fn stalled_for(&self) -> Option<Duration> {
        let is_long = |time: &Duration| *time >= LONG_STALL.min(self.observed / 2);
        self.row.stalled_for.filter(is_long)
    }

    fn is_behind(&self) -> bool {
        unread_part(self.row).is_some_and(|unread| unread >= STREAM_WARN_PRESSURE)
    }

    /// Whether it was behind in every sample.
    fn is_always_behind(&self) -> bool {
        self.observation.samples >= MIN_SAMPLES
            && self.observation.least_unread >= Some(STREAM_WARN_PRESSURE)
    }

    /// Whether one buffer is full beside others that are not.
    fn is_uneven(&self) -> bool {
        self.is_behind()
            && self
                .backlog()
                .is_some_and(|backlog| share(backlog) <= backlog.fullest * UNEVEN)
    }

    /// `; its reader has not moved for 5.0 s`.
    fn describe(&self) -> String {
        match (self.stalled_for(), self.observation.read) {
            (Some(time), _) => format!("; its reader has not moved for {}", format_time(time)),
            (None, Some(read)) if read > 0 => format!(
                "; its reader took {} in {}",
                count_noun(read, "byte", "bytes"),
                format_time(self.observed)
            ),
            _ => String::new(),
        }
    }

    /// `; 262,072 of 262,144 bytes unread`.
    fn describe_backlog(&self) -> String {
        if let Some(backlog) = self.backlog() {
            let unread = format!(
                "; {} of {} bytes unread in all buffers",
                units::with_thousands_separators(backlog.bytes),
                units::with_thousands_separators(backlog.room)
            );
            return if backlog.fullest > 0.0 {
                let fullest = units::percent(backlog.fullest);
                format!("{unread}, {fullest} % in the fullest one")
            } else {
                unread
            };
        }
        match (self.row.facts.used, self.row.facts.capacity) {
            (Some(used), Some(capacity)) => {
                format!("; {} unread", format_level(self.row, used, capacity))
            }
            _ => String::new(),
        }
    }

    fn remedy(&self) -> &'static str {
        let is_stalled = self.stalled_for().is_some();
        match (is_stalled, self.is_uneven(), self.is_behind()) {
            (true, true, _) => {
                "find out why its reader does not read the full buffer: it hangs, or reads the buffers of other \
                 CPUs only"
            }
            (true, false, _) if self.backlog().is_some() => {
                "find out why its reader does not read: it hangs, or there is none; a larger buffer does not help"
            }
            (true, false, _) => {
                "find out why its reader does not read: it hangs, there is none, or programs do not wake it up \
                 (BPF_RB_NO_WAKEUP); a larger buffer does not help"
            }
            (false, true, _) => {
                "find out whether the full buffer is read at all; if it is, one CPU writes most of the \
                 records: make the buffer of each CPU larger"
            }
            (false, false, true) => {
                "make the reader faster, or write fewer or smaller records; a larger buffer helps against \
                 bursts only"
            }
            (false, false, false) => "make the buffer larger: bursts fill it between two samples",
        }
    }
}

fn share(backlog: Backlog) -> f64 {
    Row::pressure_ratio(backlog.bytes, backlog.room)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn judge_drops(row: &Row, measurement: &Measurement<'_>) -> Option<Finding> {
    let losses = measurement.observations.losses(row.key())?;
    let dropped = losses.dropped;
    if dropped == 0 {
        return None;
    }
    let how_many = |noun, plural| {
        format!(
            "{} dropped in {}{}",
            count_noun(dropped, noun, plural),
            format_time(losses.time),
            format_rate(dropped, losses.time)
        )
    };
    let (measured, change) = if row.facts.map_type.is_buffer() {
        let reader = Reader::of_row(row, measurement)?;
        let dropped = how_many("record", "records");
        let measured = dropped + &reader.describe() + &reader.describe_backlog();
        (measured, reader.remedy())
    } else {
        let change = "find out why XDP cannot redirect them: no room in the queue, no device, or packets larger \
                      than the MTU";
        (how_many("packet", "packets"), change)
    };
    Some(Finding {
        urgency: dropped as f64,
        ..Finding::new(row, measured, change)
    })
}

/// A buffer that stays almost full, of which no drop is known: they may not be counted.
fn judge_slow_reader(row: &Row, measurement: &Measurement<'_>) -> Option<Finding> {
    let reader = Reader::of_row(row, measurement)?;
    let is_slow = reader.stalled_for().is_some()
        || row.mark_reason == Some(MarkReason::Backlog)
        || reader.is_always_behind();
    if !is_slow || judge_drops(row, measurement).is_some() {
        return None;
    }
    let state = reader.describe() + &reader.describe_backlog();
    let mut measured = state.trim_start_matches("; ").to_owned();
    if let Some(least) = reader
        .observation
        .least_unread
        .filter(|_| reader.stalled_for().is_none())
    {
        let least = units::percent(least);
        measured = format!(
            "{measured}; at least {least} % in every sample for {}",
            format_time(reader.observed)
        );
    }
    let before = row.facts.loss.as_ref().and_then(|loss| loss.drops_before);
    if let Some(before) = before.filter(|before| *before > 0) {
        let before = count_noun(before, "record", "records");
        measured = format!("{measured}; {before} dropped before the measurement");
    }
    Some(Finding {
        urgency: unread_part(row).unwrap_or_default(),
        ..Finding::new(row, measured, reader.remedy())
    })
}
