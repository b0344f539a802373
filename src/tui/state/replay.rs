//! What plays a recording: where it is, how fast it goes, and when the next sample is due.

use std::sync::Arc;
use std::time::Duration;

use crate::types::host::Moment;

/// Playing so late, it goes on from where it is instead of catching up.
const TOO_LATE: Duration = Duration::from_secs(1);

/// The fastest, in recorded seconds a second.
const FASTEST: u32 = 1024;

/// The samples of a recording, and the one on the screen.
#[derive(Debug, Clone)]
pub struct Player {
    /// What the recording is called.
    pub name: String,
    /// When each sample was taken; at least one.
    pub moments: Arc<[Moment]>,
    /// The sample on the screen.
    pub at: usize,
    /// Whether it goes on by itself.
    pub is_playing: bool,
    /// Recorded seconds a second.
    pub speed: u32,
    /// When the next sample is due, by the user's clock.
    due: Option<Duration>,
}

impl Player {
    /// Plays from the start, as fast as it was recorded.
    #[must_use]
    pub fn new(name: String, moments: Arc<[Moment]>) -> Self {
        Self {
            name,
            moments,
            at: 0,
            is_playing: true,
            speed: 1,
            due: None,
        }
    }

    /// The sample on the screen is this one from `now` on.
    pub fn arrive(&mut self, at: usize, now: Duration) {
        self.at = at;
        if at + 1 >= self.moments.len() {
            self.is_playing = false;
        }
        let base = match self.due {
            Some(due) if now.saturating_sub(due) < TOO_LATE => due.min(now),
            _ => now,
        };
        self.due = self.gap().map(|gap| base + gap);
    }

    /// The time to the next sample on the screen; `None` if there is no next.
    fn gap(&self) -> Option<Duration> {
        let next = self.moments.get(self.at + 1)?;
        let gap = next.uptime.saturating_sub(self.moments[self.at].uptime);
        Some(gap / self.speed)
    }

    /// When the next sample is to be shown; `None` while it stands still.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.due.filter(|_| self.is_playing)
    }

    /// Plays on from `now`, or stands still.
    pub fn set_playing(&mut self, is_playing: bool, now: Duration) {
        self.is_playing = is_playing;
        self.due = self.gap().map(|gap| now + gap);
    }

    /// Twice as fast, or half.
    pub fn change_speed(&mut self, is_faster: bool, now: Duration) {
        self.speed = if is_faster {
            (self.speed * 2).min(FASTEST)
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
    fn samples_come_as_far_apart_as_they_were_taken_by_speed() {
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
    fn it_stops_at_the_end() {
        let mut player = player();
        player.arrive(99, Duration::ZERO);
        assert!(!player.is_playing);
        assert_eq!(player.due(), None);
    }
}
