//! Detects a reader that does not move while its buffer fills up.

use std::time::Duration;

use super::thresholds::STREAM_WARN_PRESSURE;

/// A position of the reader, and when it was first seen there with the buffer that full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConsumerStall {
    position: u64,
    since: Duration,
}

/// Updates the stall for a sample; `None` unless the buffer is so full that the reader should move.
pub(super) fn update_stall(
    before: Option<ConsumerStall>,
    position: Option<u64>,
    backlog: Option<f64>,
    now: Duration,
) -> Option<ConsumerStall> {
    let position = position?;
    if backlog? < STREAM_WARN_PRESSURE {
        return None;
    }
    let still = before.filter(|before| before.position == position);
    Some(still.unwrap_or(ConsumerStall {
        position,
        since: now,
    }))
}

impl ConsumerStall {
    /// How long the reader has not moved; `None` if this is the first sample at its position.
    pub(crate) fn stalled_for(self, now: Duration) -> Option<Duration> {
        now.checked_sub(self.since).filter(|time| !time.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_has_stalled_since_its_last_move_with_a_high_backlog() {
        let mut stall = None;
        let stalled = |(second, position, backlog): (u64, Option<u64>, f64)| {
            let now = Duration::from_secs(second);
            stall = update_stall(stall, position, Some(backlog), now);
            stall
                .and_then(|stall| stall.stalled_for(now))
                .map(|time| time.as_secs())
        };
        let seen = [
            (0, Some(64), 0.5),
            (1, Some(64), 0.75),
            (2, Some(64), 0.8),
            (13, Some(64), 1.0),
            (14, Some(128), 0.9),
            (16, Some(128), 0.9),
            (17, Some(128), 0.2),
            (18, Some(128), 0.9),
            (19, None, 0.9),
        ]
        .map(stalled);
        let expected = [
            None,
            None,
            Some(1),
            Some(12),
            None,
            Some(2),
            None,
            None,
            None,
        ];
        assert_eq!(seen, expected);
    }
}
