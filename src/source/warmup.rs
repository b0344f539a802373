//! Which samples of a recording are read before one that is jumped to.

use std::time::Duration;

use crate::analysis::trend::TEN_MINUTES;
use crate::types::host::Moment;

/// How far back a reading looks: whoever jumps into a recording has to begin so much earlier ...
const WARMUP_WINDOW: Duration = TEN_MINUTES;
/// ... and so many samples, however far apart they are.
const MIN_SAMPLES: usize = 8;

/// How much of that has to be whole: what came and went lately is shown.
const WHOLE_REACH: Duration = Duration::from_secs(12);

/// Maps of all samples together that are read before a jump: what a moment is enough for.
const MAX_MAPS: usize = 60_000;
/// Samples that are, at the least.
const MIN_READ: usize = 100;

/// The samples before sample `at` that are to be read first, so that what it says is complete: all
/// of the last seconds, and of the rest of ten minutes as many as can be read in a moment, where each
/// has so many maps.
#[must_use]
pub fn run_up(moments: &[Moment], at: usize, maps: usize) -> Vec<usize> {
    let now = moments[at].uptime;
    let since = |time: Duration| {
        let begin = now.saturating_sub(time);
        let first = moments.partition_point(|moment| moment.uptime < begin);
        first.min(at).saturating_sub(1)
    };
    let begin = since(WARMUP_WINDOW).min(at.saturating_sub(MIN_SAMPLES));
    let whole = since(WHOLE_REACH).max(begin);
    let most = (MAX_MAPS / maps.max(1)).max(MIN_READ);
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
        let samples = run_up(&moments, 4000, 10_000);
        assert_eq!(samples.first(), Some(&3399));
        assert!(samples.len() < 130, "{}", samples.len());
        assert!(samples.ends_with(&[3997, 3998, 3999]));
        assert!(samples.is_sorted());
        let last: Vec<_> = samples.iter().rev().take(12).collect();
        assert_eq!(last.last(), Some(&&3988), "every one of the last seconds");
        assert_eq!(run_up(&moments, 0, 5), [0; 0]);
        assert_eq!(run_up(&moments, 3, 5), [0, 1, 2]);
    }

    #[test]
    fn a_run_up_through_few_maps_leaves_nothing_out() {
        let moments: Vec<_> = (0..5000).map(moment).collect();
        let samples = run_up(&moments, 4000, 50);
        assert_eq!(samples, (3399..4000).collect::<Vec<_>>());
    }

    #[test]
    fn samples_that_are_far_apart_are_still_enough() {
        let moments: Vec<_> = (0..50).map(|n| moment(n * 300)).collect();
        assert_eq!(run_up(&moments, 40, 5), (32..40).collect::<Vec<_>>());
    }
}
