//! Playing a recording: the current sample, the speed, and when the next sample is due.

use std::sync::Arc;
use std::time::Duration;

use crate::types::host::Moment;

/// With a delay of this much the player no longer catches up.
const MAX_LAG: Duration = Duration::from_secs(1);

const MAX_SPEED: u32 = 1024;

/// The samples of a recording, and the one on the screen.
#[derive(Debug, Clone)]
pub struct Player {
    /// The file name of the recording.
    pub(crate) name: String,
    /// When each sample was taken; at least one.
    pub moments: Arc<[Moment]>,
    /// The index of the sample on the screen.
    pub index: usize,
    /// Whether the next sample comes by itself.
    pub is_playing: bool,
    /// Recorded seconds per second.
    pub speed: u32,
    /// Uptime at which the next sample is due.
    due: Option<Duration>,
}

impl Player {
    /// Plays from the start, at the recorded speed.
    #[must_use]
    pub fn new(name: String, moments: Arc<[Moment]>) -> Self {
        Self {
            name,
            moments,
            index: 0,
            is_playing: true,
            speed: 1,
            due: None,
        }
    }

    /// Shows the sample of this index at `now`.
    pub(crate) fn arrive(&mut self, index: usize, now: Duration) {
        self.index = index;
        if index + 1 >= self.moments.len() {
            self.is_playing = false;
        }
        let base = match self.due {
            Some(due) if now.saturating_sub(due) < MAX_LAG => due.min(now),
            _ => now,
        };
        self.due = self.gap().map(|gap| base + gap);
    }

    /// The time to the next sample, at the current speed.
    fn gap(&self) -> Option<Duration> {
        let next = self.moments.get(self.index + 1)?;
        let gap = next.uptime.saturating_sub(self.moments[self.index].uptime);
        Some(gap / self.speed)
    }

    /// When the next sample is due; `None` while paused.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.due.filter(|_| self.is_playing)
    }

    /// Plays or pauses at `now`.
    pub(crate) fn set_playing(&mut self, is_playing: bool, now: Duration) {
        self.is_playing = is_playing;
        self.due = self.gap().map(|gap| now + gap);
    }

    /// Doubles the speed, or halves it.
    pub(crate) fn change_speed(&mut self, is_faster: bool, now: Duration) {
        self.speed = if is_faster {
            (self.speed * 2).min(MAX_SPEED)
        } else {
            (self.speed / 2).max(1)
        };
        self.due = self.gap().map(|gap| now + gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::moment;

    fn player() -> Player {
        Player::new("x".to_owned(), (0..100).map(moment).collect())
    }

    #[test]
    fn playback_keeps_the_recorded_intervals() {
        let second = Duration::from_secs(1);
        let mut player = player();
        player.arrive(0, 50 * second);
        assert_eq!(player.due(), Some(51 * second));
        player.arrive(1, 51 * second + second / 10);
        assert_eq!(
            player.due(),
            Some(52 * second),
            "being late does not add up"
        );
        player.change_speed(true, 51 * second);
        assert_eq!(player.due(), Some(51 * second + second / 2));
        player.set_playing(false, 51 * second);
        assert_eq!(player.due(), None);
    }

    #[test]
    fn playback_stops_at_the_end() {
        let mut player = player();
        player.arrive(99, Duration::ZERO);
        assert!(!player.is_playing);
        assert_eq!(player.due(), None);
    }
}
