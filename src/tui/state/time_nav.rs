//! Pausing, intervals, and stepping through samples: past ones while the screen is paused, or those
//! of a recording.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, civil};

use super::{App, PromptKind};
use crate::analysis::history::History;
use crate::text::units;
use crate::tui::action::{Action, Effect};
use crate::tui::text::clock;
use crate::types::host::Moment;
use crate::types::snapshot::Snapshot;

/// The intervals that `+` and `-` step through.
const INTERVALS: [Duration; 10] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
];

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A time to go to, as entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeTarget {
    /// Relative to the sample shown.
    By(SignedDuration),
    /// A time of day, on the nearest day.
    Clock(civil::Time),
    DateTime(civil::DateTime),
}

impl TimeTarget {
    /// `14:20`, `14:20:31`, `2026-11-22 14:20`, `-5m`, `+30s`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix(['+', '-']) {
            let by = SignedDuration::try_from(units::parse_time(rest).ok()?).ok()?;
            return Some(Self::By(if text.starts_with('-') { -by } else { by }));
        }
        if !text.contains(':') {
            return None;
        }
        // `civil::Time` would parse the time of a date and time as well.
        if text.contains(['-', '/']) {
            return text.parse().ok().map(Self::DateTime);
        }
        text.parse().ok().map(Self::Clock)
    }

    /// The index of the first sample at or after that time, or else of the last. `shown` is the index
    /// of the sample on the screen.
    fn find(self, moments: &[Moment], shown: usize, zone: &TimeZone) -> Option<usize> {
        let last = moments.len().checked_sub(1)?;
        let shown = moments.get(shown)?;
        let wall = |to: civil::DateTime| to.to_zoned(zone.clone()).ok().map(|to| to.timestamp());
        let to = match self {
            Self::By(by) => {
                let (from, by_abs) = (shown.uptime, by.unsigned_abs());
                let to = if by.is_negative() {
                    from.saturating_sub(by_abs)
                } else {
                    from.saturating_add(by_abs)
                };
                return Some(moments.partition_point(|m| m.uptime < to).min(last));
            }
            Self::DateTime(to) => wall(to)?,
            Self::Clock(time) => {
                let day = shown.wall.to_zoned(zone.clone()).date();
                [day.yesterday().ok(), Some(day), day.tomorrow().ok()]
                    .into_iter()
                    .flatten()
                    .filter_map(|day| wall(day.to_datetime(time)))
                    .min_by_key(|to| {
                        let outside = [moments[0].wall, moments[last].wall]
                            .map(|end| to.duration_since(end).abs())
                            .into_iter()
                            .min();
                        let is_inside = (moments[0].wall..=moments[last].wall).contains(to);
                        (!is_inside, outside)
                    })?
            }
        };
        // The wall clock may have been set, so its times are not sorted.
        Some(moments.iter().position(|m| m.wall >= to).unwrap_or(last))
    }

    /// Whether that time is before the first sample.
    fn is_before(self, moments: &[Moment], shown: usize, zone: &TimeZone) -> bool {
        let (Some(first), Some(shown_moment)) = (moments.first(), moments.get(shown)) else {
            return false;
        };
        match self {
            Self::By(by) if by.is_negative() => {
                shown_moment.uptime.saturating_sub(first.uptime) < by.unsigned_abs()
            }
            Self::By(_) => false,
            Self::DateTime(to) => to
                .to_zoned(zone.clone())
                .is_ok_and(|to| to.timestamp() < first.wall),
            Self::Clock(time) => {
                self.find(moments, shown, zone) == Some(0)
                    && first.wall.to_zoned(zone.clone()).time() > time
            }
        }
    }
}

impl App {
    /// Actions about time, the same in the table, the detail and the owner list.
    pub(super) fn apply_to_time(&mut self, action: Action) -> Option<Effect> {
        match action {
            Action::TogglePause => return Some(self.pause_or_resume()),
            Action::LongerInterval => {
                let longer = INTERVALS.iter().find(|step| **step > self.session.delay);
                self.set_delay(longer.copied().unwrap_or(self.session.delay));
            }
            Action::ShorterInterval => {
                let shorter = INTERVALS.iter().rfind(|step| **step < self.session.delay);
                self.set_delay(shorter.copied().unwrap_or(self.session.delay));
            }
            Action::Faster | Action::Slower => {
                if let Some(player) = &mut self.session.player {
                    player.change_speed(action == Action::Faster, self.session.now.uptime);
                    let text = format!("speed x{}", player.speed);
                    self.toast(text);
                }
            }
            Action::NextSample => return Some(self.step_samples(1)),
            Action::PreviousSample => return Some(self.step_samples(-1)),
            Action::MinuteForward => return Some(self.go_to(TimeTarget::By(MINUTE))),
            Action::MinuteBack => return Some(self.go_to(TimeTarget::By(-MINUTE))),
            Action::OpenInterval => self.open_prompt(PromptKind::Interval, String::new()),
            Action::SampleNow => {
                if self.session.is_paused {
                    self.toast("sampled; the view is still paused, Space resumes");
                }
                return Some(Effect::Sample);
            }
            Action::OpenTime if self.can_step() => {
                self.open_prompt(PromptKind::Time, String::new());
            }
            Action::OpenTime => {}
            _ => return None,
        }
        Some(Effect::Draw)
    }

    fn pause_or_resume(&mut self) -> Effect {
        // It may have asked for just this.
        self.nav.toast = None;
        if let Some(player) = &mut self.session.player {
            let is_at_end = player.index + 1 >= player.moments.len();
            player.set_playing(!player.is_playing, self.session.now.uptime);
            if player.is_playing && is_at_end {
                return Effect::Seek(0);
            }
            return Effect::Draw;
        }
        self.session.is_paused = !self.session.is_paused;
        if !self.session.is_paused
            && let Some(latest) = self.data.samples.latest().cloned()
        {
            self.show(&latest);
        }
        Effect::Draw
    }

    /// Whether there are samples to step through; tells the user if not.
    fn can_step(&mut self) -> bool {
        let can = self.session.player.is_some() || self.session.is_paused;
        if !can {
            self.toast("pause first (Space), then t and T step through the samples");
        }
        can
    }

    /// The times of the samples to step through, and the index of the one shown.
    fn sample_moments(&self) -> (Arc<[Moment]>, usize) {
        if let Some(player) = &self.session.player {
            return (Arc::clone(&player.moments), player.index);
        }
        let moments = self.data.samples.moments();
        let shown = self
            .data
            .reading
            .as_ref()
            .map(|reading| reading.moment.uptime);
        let index = moments.partition_point(|moment| Some(moment.uptime) < shown);
        (moments, index)
    }

    fn step_samples(&mut self, by: isize) -> Effect {
        if !self.can_step() {
            return Effect::Draw;
        }
        let (moments, shown) = self.sample_moments();
        match shown
            .checked_add_signed(by)
            .filter(|to| *to < moments.len())
        {
            Some(to) => self.show_sample(to),
            None => self.toast_end(&moments, by > 0),
        }
    }

    fn toast_end(&mut self, moments: &[Moment], is_last: bool) -> Effect {
        let (text, end) = if is_last {
            ("the last sample", moments.last())
        } else {
            ("the first sample", moments.first())
        };
        let end = end.map_or(String::new(), |end| clock(&self.display.zone, end.wall));
        self.toast(format!("{end} is {text}"));
        Effect::Draw
    }

    fn go_to(&mut self, target: TimeTarget) -> Effect {
        if !self.can_step() {
            return Effect::Draw;
        }
        let (moments, shown) = self.sample_moments();
        let Some(to) = target.find(&moments, shown, &self.display.zone) else {
            return Effect::Draw;
        };
        let is_before = target.is_before(&moments, shown, &self.display.zone);
        if to == shown && !is_before && shown + 1 < moments.len() {
            self.toast("already at this sample");
            return Effect::Draw;
        }
        let effect = if to == shown {
            Effect::Draw
        } else {
            self.show_sample(to)
        };
        // The wanted time is outside of what there is.
        if is_before {
            self.toast_end(&moments, false);
        } else if to + 1 == moments.len() {
            self.toast_end(&moments, true);
        }
        effect
    }

    /// Goes to a time as entered; the error is what was expected.
    pub(super) fn go_to_time(&mut self, text: &str) -> Result<Effect, &'static str> {
        let target =
            TimeTarget::parse(text).ok_or("a time such as 14:20, 14:20:31, -5m or +30s")?;
        Ok(self.go_to(target))
    }

    fn show_sample(&mut self, index: usize) -> Effect {
        if let Some(player) = &mut self.session.player {
            player.set_playing(false, self.session.now.uptime);
            return Effect::Seek(index);
        }
        if let Some(reading) = self.data.samples.get(index).cloned() {
            self.show(&reading);
        }
        Effect::Draw
    }

    pub(super) fn set_delay(&mut self, delay: Duration) {
        self.session.delay = delay;
        self.toast(format!("every {}", units::interval(delay)));
    }

    /// Drops all samples before a seek in a recording.
    pub fn rewind(&mut self) {
        let thresholds = self.data.history.thresholds;
        self.data.history = History::live();
        self.data.history.thresholds = thresholds;
        self.data.samples.clear();
    }

    /// Moves to a sample of the recording that cannot be read; the screen does not change.
    pub fn skip(&mut self, index: usize) {
        let now = self.session.now.uptime;
        if let Some(player) = &mut self.session.player {
            player.arrive(index, now);
        }
    }

    /// Shows a sample of the recording.
    pub fn play(&mut self, index: usize, snapshot: Snapshot) {
        self.ingest(snapshot, Duration::ZERO);
        self.skip(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::moment;

    #[test]
    fn parses_times_as_typed() {
        for (text, seconds) in [("-5m", -300), ("+30s", 30), ("-2", -2)] {
            let by = SignedDuration::from_secs(seconds);
            assert_eq!(TimeTarget::parse(text), Some(TimeTarget::By(by)), "{text}");
        }
        assert!(matches!(
            TimeTarget::parse(" 14:20 "),
            Some(TimeTarget::Clock(_))
        ));
        assert!(matches!(
            TimeTarget::parse("14:20:31"),
            Some(TimeTarget::Clock(_))
        ));
        assert!(matches!(
            TimeTarget::parse("2026-11-22 14:20"),
            Some(TimeTarget::DateTime(_))
        ));
        for text in ["", "5", "25:00", "noon", "-", "+x"] {
            assert_eq!(TimeTarget::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_finds_the_first_sample_at_or_after_it() {
        // From 14:25:09 on, every two seconds.
        let moments: Vec<_> = (0..100).map(|n| moment(n * 2)).collect();
        let find = |text: &str| {
            let target = TimeTarget::parse(text).expect(text);
            target.find(&moments, 50, &TimeZone::UTC)
        };
        assert_eq!(find("14:25:09"), Some(0));
        assert_eq!(find("14:25:10"), Some(1));
        assert_eq!(find("14:27"), Some(56));
        assert_eq!(find("2026-11-22 14:27"), Some(56));
        assert_eq!(find("-10s"), Some(45));
        assert_eq!(find("+3s"), Some(52));
        assert_eq!(find("14:00"), Some(0), "before the first is the first");
        assert_eq!(find("15:00"), Some(99), "after the last is the last");
        assert_eq!(find("-1h"), Some(0));
    }

    #[test]
    fn a_time_of_day_is_on_the_day_that_was_recorded() {
        // From 23:55:09 to 00:08:29 of the next day.
        let start = 9 * 3600 + 30 * 60;
        let moments: Vec<_> = (0..81).map(|n| moment(start + n * 10)).collect();
        let find = |text: &str, at| {
            let target = TimeTarget::parse(text).expect(text);
            target.find(&moments, at, &TimeZone::UTC)
        };
        assert_eq!(find("23:56", 80), Some(6));
        assert_eq!(find("00:05", 0), Some(60));
    }
}
