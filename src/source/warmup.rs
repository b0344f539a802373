//! Selects the samples of a recording to read before a seek, so that trends are known.

use std::time::Duration;

use crate::analysis::trend::TEN_MINUTES;
use crate::types::host::Moment;

/// The time before a seek that trends are computed from.
const WARMUP_WINDOW: Duration = TEN_MINUTES;
/// Samples read before a seek, even if they span more than the window.
const MIN_SAMPLES: usize = 8;

/// The time before a seek of which every sample is read, since recent changes are highlighted.
const COMPLETE_WINDOW: Duration = Duration::from_secs(12);

/// Maps in all samples read before a seek, so that a seek takes only a moment.
const MAX_MAPS: usize = 60_000;
/// Samples read before a seek even if they exceed `MAX_MAPS`.
const MIN_SAMPLES_READ: usize = 100;

/// Returns the indices of the samples to read before sample `at`: all of the last seconds, and
/// of the ten minutes before as many as `MAX_MAPS` allows if each has `maps` maps.
#[must_use]
pub fn warmup_samples(moments: &[Moment], at: usize, maps: usize) -> Vec<usize> {
    let now = moments[at].uptime;
    let since = |time: Duration| {
        let begin = now.saturating_sub(time);
        let first = moments.partition_point(|moment| moment.uptime < begin);
        first.min(at).saturating_sub(1)
    };
    let begin = since(WARMUP_WINDOW).min(at.saturating_sub(MIN_SAMPLES));
    let whole = since(COMPLETE_WINDOW).max(begin);
    let most = (MAX_MAPS / maps.max(1)).max(MIN_SAMPLES_READ);
    let step = (whole - begin).div_ceil(most).max(1);
    (begin..whole).step_by(step).chain(whole..at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::moment;

    #[test]
    fn a_run_up_is_whole_at_its_end_and_has_enough_of_the_rest() {
        let moments: Vec<_> = (0..5000).map(moment).collect();
        let samples = warmup_samples(&moments, 4000, 10_000);
        assert_eq!(samples.first(), Some(&3399));
        assert!(samples.len() < 130, "{}", samples.len());
        assert!(samples.ends_with(&[3997, 3998, 3999]));
        assert!(samples.is_sorted());
        let last: Vec<_> = samples.iter().rev().take(12).collect();
        assert_eq!(last.last(), Some(&&3988), "every one of the last seconds");
        assert_eq!(warmup_samples(&moments, 0, 5), [0; 0]);
        assert_eq!(warmup_samples(&moments, 3, 5), [0, 1, 2]);
    }

    #[test]
    fn a_run_up_through_few_maps_leaves_nothing_out() {
        let moments: Vec<_> = (0..5000).map(moment).collect();
        let samples = warmup_samples(&moments, 4000, 50);
        assert_eq!(samples, (3399..4000).collect::<Vec<_>>());
    }

    #[test]
    fn samples_that_are_far_apart_are_still_enough() {
        let moments: Vec<_> = (0..50).map(|n| moment(n * 300)).collect();
        assert_eq!(
            warmup_samples(&moments, 40, 5),
            (32..40).collect::<Vec<_>>()
        );
    }
}
