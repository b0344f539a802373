use super::*;
use crate::types::mark::Mark;
use proptest::prelude::*;

/// A map that refuses updates, at this level.
fn bounded(pressure: f64, full_in: TimeToFull) -> Evidence {
    Evidence {
        kind: Kind::Bounded,
        pressure: Some(pressure),
        full_in,
        fullness: if full_in == TimeToFull::Now {
            Fullness::Became
        } else {
            Fullness::NotFull
        },
        losing: Losing::Nothing,
        lifetime: None,
    }
}

fn judge_once(evidence: &Evidence) -> Option<Verdict> {
    MarkHysteresis::default().judge(evidence, Thresholds::default())
}

fn judge_all(evidence: impl IntoIterator<Item = Evidence>) -> Vec<Option<Mark>> {
    let mut hysteresis = MarkHysteresis::default();
    let judge = |evidence| hysteresis.judge(&evidence, Thresholds::default());
    let verdicts = evidence.into_iter().map(judge);
    verdicts
        .map(|verdict| verdict.map(|verdict| verdict.mark))
        .collect()
}

#[test]
fn a_map_that_refuses_updates_is_marked_by_its_level_and_its_growth() {
    use MarkReason::{BecameFull, FullSoon, GrowingNearFull, HighPressure};
    for (pressure, full_in, expected) in [
        (0.799, TimeToFull::Steady, Verdict::NONE),
        (0.80, TimeToFull::Measuring, Verdict::warn(HighPressure)),
        (0.99, TimeToFull::Steady, Verdict::warn(HighPressure)),
        (0.95, TimeToFull::In(1e9), Verdict::crit(GrowingNearFull)),
        (0.949, TimeToFull::In(1e9), Verdict::warn(HighPressure)),
        (1.0, TimeToFull::Now, Verdict::crit(BecameFull)),
        (0.01, TimeToFull::In(600.0), Verdict::crit(FullSoon)),
        (0.51, TimeToFull::In(601.0), Verdict::warn(FullSoon)),
        (0.5, TimeToFull::In(601.0), Verdict::NONE),
        (0.7, TimeToFull::In(3601.0), Verdict::NONE),
        (0.7, TimeToFull::Hint(5.0), Verdict::NONE),
    ] {
        let verdict = judge_once(&bounded(pressure, full_in));
        assert_eq!(verdict, Some(expected), "{pressure} {full_in:?}");
    }
}

#[test]
fn a_full_map_is_marked_by_what_being_full_means_for_it() {
    for (fullness, expected) in [
        (Fullness::ByDesign, Verdict::NONE),
        (Fullness::SizedToFit, Verdict::NONE),
        (Fullness::Found, Verdict::warn(MarkReason::FoundFull)),
        (Fullness::Became, Verdict::crit(MarkReason::BecameFull)),
    ] {
        let full = Evidence {
            fullness,
            ..bounded(1.0, TimeToFull::Now)
        };
        assert_eq!(judge_once(&full), Some(expected), "{fullness:?}");
        let refusing = Evidence {
            losing: Losing::Refusals,
            ..full
        };
        let crit = Verdict::crit(MarkReason::Refusals);
        assert_eq!(judge_once(&refusing), Some(crit), "{fullness:?}");
    }
}

#[test]
fn a_map_that_is_full_by_its_kind_is_never_marked() {
    for kind in [Kind::Evicting, Kind::Slots, Kind::Fixed, Kind::Uncounted] {
        let full = Evidence {
            kind,
            ..bounded(1.0, TimeToFull::Never)
        };
        assert_eq!(judge_once(&full), Some(Verdict::NONE), "{kind:?}");
    }
}

#[test]
fn an_lru_map_is_marked_when_its_entries_live_less_than_a_minute() {
    let lru = |lifetime| Evidence {
        kind: Kind::Evicting,
        lifetime,
        ..bounded(1.0, TimeToFull::Never)
    };
    let verdict = |seconds| judge_once(&lru(Some(Duration::from_secs(seconds))));
    let short = Verdict::warn(MarkReason::ShortLifetime);
    assert_eq!(verdict(59), Some(short));
    assert_eq!(verdict(60), Some(Verdict::NONE));
    assert_eq!(judge_once(&lru(None)), Some(Verdict::NONE));
}

#[test]
fn collisions_are_marked_by_their_share() {
    let collisions = |part| {
        judge_once(&Evidence {
            losing: Losing::Collisions(part),
            ..bounded(0.1, TimeToFull::Never)
        })
    };
    assert_eq!(collisions(0.14), Some(Verdict::NONE));
    let warn = Verdict::warn(MarkReason::Collisions);
    assert_eq!(collisions(0.25), Some(warn));
    let crit = Verdict::crit(MarkReason::Collisions);
    assert_eq!(collisions(0.5), Some(crit));
}

#[test]
fn a_backlog_is_marked_when_it_stays() {
    let stream = |backlog| Evidence {
        kind: Kind::Stream,
        ..bounded(backlog, TimeToFull::Never)
    };
    let marks = judge_all([0.8, 0.8, 0.1, 0.8, 1.0, 0.75].map(stream));
    let quiet = Some(Mark::None);
    assert_eq!(marks, [quiet, quiet, quiet, quiet, quiet, Some(Mark::Warn)]);
}

#[test]
fn a_mark_is_lowered_to_the_highest_of_the_held_samples() {
    let mut samples = vec![bounded(1.0, TimeToFull::Now)];
    samples.extend([0.85, 0.85, 0.79, 0.81].map(|level| bounded(level, TimeToFull::Steady)));
    let marks = judge_all(samples);
    assert_eq!(marks[2], Some(Mark::Crit));
    assert_eq!(marks[3..], [Some(Mark::Warn), Some(Mark::Warn)]);
}

#[test]
fn an_unknown_level_has_no_mark() {
    let unknown = Evidence {
        pressure: None,
        ..bounded(0.0, TimeToFull::Unknown)
    };
    assert_eq!(judge_once(&unknown), None);
}

#[test]
fn a_refusal_is_marked_at_any_level_and_for_two_more_samples() {
    for (kind, pressure, after) in [
        (Kind::Bounded, Some(0.1), Some(Mark::None)),
        (Kind::Bounded, Some(0.85), Some(Mark::Warn)),
        (Kind::Bounded, None, None),
        (Kind::Stream, Some(0.1), Some(Mark::None)),
        // The slots of a perf_event_array have no level.
        (Kind::Slots, None, Some(Mark::None)),
    ] {
        let samples = [
            Losing::Refusals,
            Losing::Nothing,
            Losing::Nothing,
            Losing::Nothing,
        ];
        let marks = judge_all(samples.map(|losing| Evidence {
            kind,
            pressure,
            losing,
            ..bounded(0.0, TimeToFull::Unknown)
        }));
        let crit = Some(Mark::Crit);
        assert_eq!(marks, [crit, crit, crit, after], "{kind:?} {pressure:?}");
    }
}

proptest! {
    #[test]
    fn a_mark_goes_up_at_once_and_stays_for_three_samples(
        pressures in proptest::collection::vec(0.7f64..1.0, 3..100),
    ) {
        let steady = |pressure: &f64| bounded(*pressure, TimeToFull::Steady);
        let marks = judge_all(pressures.iter().map(steady));
        for (mark, pressure) in marks.iter().zip(&pressures) {
            prop_assert!(*pressure < 0.8 || *mark == Some(Mark::Warn), "up at once");
        }
        for window in marks.windows(3) {
            let blinks = window[0] < window[1] && window[1] > window[2];
            prop_assert!(!blinks, "{window:?}");
        }
    }
}
