//! Loss rates and causes.

use super::*;

#[test]
fn loss_rates_use_the_previous_sample_or_report() {
    let lru = |count| map("lru").named_type("lru_hash").refused(0).evicted(count);
    let [mut live, mut reports] = [History::live(), History::default()];
    for history in [&mut live, &mut reports] {
        assert_eq!(rates(&history.read(watched(0, 0, [lru(100)]))), [None; 3]);
        history.push_unreported(watched(1, 0, [lru(100)]));
        history.push_unreported(watched(2, 0, [lru(130)]));
    }
    let per_s = |history: &mut History| rates(&history.read(watched(4, 0, [lru(140)])));
    assert_eq!(per_s(&mut live), [Some(0.0), None, Some(5.0)]);
    assert_eq!(per_s(&mut reports), [Some(0.0), None, Some(10.0)]);
}

#[test]
fn restarted_tracing_has_no_rate() {
    let mut history = History::live();
    let mut read = |second, since, count| {
        rates(&history.read(watched(second, since, [map("m").refused(count)])))[0]
    };
    assert_eq!(read(0, 0, 5), None);
    assert_eq!(read(1, 0, 6), Some(1.0));
    // The counter is higher, but it started at 0 in between.
    assert_eq!(read(2, 2, 9), None);
    assert_eq!(read(3, 2, 10), Some(1.0));
    assert_eq!(read(4, 2, 3), None, "a rate is never negative");
    assert_eq!(read(5, 2, 5), Some(2.0));
}

#[test]
fn interrupted_tracing_has_no_rate() {
    let mut history = History::live();
    history.read(watched(0, 0, [map("m").refused(5)]));
    let untraced = history.read(snapshot(1, [map("m")]));
    assert_eq!(untraced.rows[0].loss_state(), LossState::Untraced);
    let again = history.read(watched(2, 2, [map("m").refused(7)]));
    assert_eq!(again.rows[0].loss_state(), LossState::Measuring);
}

#[test]
fn a_map_created_while_tracing_has_a_rate_in_its_first_sample() {
    for mut history in [History::live(), History::default()] {
        history.read(watched(1, 0, []));
        let first = history.read(watched(3, 0, [map("new").used(10, 10).refused(8)]));
        assert_eq!(rates(&first)[0], Some(4.0));
        assert_eq!(first.rows[0].mark, Some(Mark::Crit));
        let began = EventKind::LossBegan(LossKind::Failed, 4.0);
        assert!(history.events(&key(1)).any(|event| event.kind == began));
        let second = history.read(watched(4, 0, [map("new").used(10, 10).refused(8)]));
        assert_eq!(rates(&second)[0], Some(0.0), "counted once");
    }
}

#[test]
fn losses_before_tracing_have_no_rate() {
    let mut history = History::live();
    history.read(snapshot(1, []));
    history.read(snapshot(2, [map("new")]));
    let first = history.read(watched(3, 2, [map("new").refused(8)]));
    assert_eq!(rates(&first)[0], None);
    // Nor after a sample in which the counters could not be read.
    let mut history = History::live();
    history.read(watched(1, 0, []));
    history.read(watched(2, 0, [map("new").refused(8)]));
    let unread = history.read(watched(3, 0, [map("new")]));
    assert_eq!(unread.rows[0].loss_state(), LossState::Unknown);
    let again = history.read(watched(4, 0, [map("new").refused(9)]));
    assert_eq!(rates(&again)[0], None);
}

#[test]
fn a_map_is_measuring_while_its_tracers_are_attached() {
    let mut history = History::live();
    let maps = [map("m"), map("array").id(2).named_type("array")];
    let rows = history.read(watched(1, 0, maps.clone())).rows;
    assert_eq!(rows[0].loss_state(), LossState::Measuring);
    assert_eq!(
        rows[1].loss_state(),
        LossState::Untraced,
        "it loses nothing"
    );
    let rows = history.read(snapshot(2, maps)).rows;
    assert_eq!(rows[0].loss_state(), LossState::Untraced);
}

/// A map that refused this many updates of programs, and the programs that use it.
fn lossy_map(count: u64, programs: &[u32]) -> MapBuilder {
    let program = |id: &u32| {
        Arc::new(Program {
            id: *id,
            name: "tc_ingress".into(),
            program_type: "sched_cls".into(),
            attached: None,
            pins: None,
        })
    };
    let loss = Loss {
        is_traced: true,
        failed: Some([(Errno::E2BIG, count)].into()),
        cause: Some(LossCause::Program),
        ..Loss::default()
    };
    map("m").loss(loss).owned(Ownership {
        programs: Some(programs.iter().map(program).collect()),
        ..Ownership::default()
    })
}

#[test]
fn the_cause_is_a_program_only_if_no_other_used_the_map_meanwhile() {
    let mut history = History::live();
    let mut read = |second, count, programs: &[u32]| {
        let reading = history.read(watched(second, 0, [lossy_map(count, programs)]));
        reading.rows[0].causing_program().map(|program| program.id)
    };
    assert_eq!(read(1, 5, &[812]), None, "lost before the first sample");
    assert_eq!(read(2, 6, &[812]), Some(812));
    assert_eq!(read(3, 6, &[812]), Some(812));
    // Another program attached: which of them the next loss came from is unknown.
    assert_eq!(read(4, 6, &[812, 813]), None);
    assert_eq!(read(5, 6, &[813]), None);
    assert_eq!(read(6, 6, &[813]), None);
    // 814 was not the only program for the whole interval.
    assert_eq!(read(7, 7, &[814]), None);
    assert_eq!(read(8, 8, &[814]), Some(814));
}

#[test]
fn the_cause_is_unknown_after_a_sample_without_counts() {
    let mut history = History::live();
    let unknown = Loss {
        is_traced: true,
        reason: Some("the counters cannot be read".into()),
        ..Loss::default()
    };
    history.read(watched(1, 0, [lossy_map(5, &[812]).loss(unknown)]));
    let reading = history.read(watched(2, 0, [lossy_map(6, &[812])]));
    assert_eq!(reading.rows[0].causing_program(), None);
}

#[test]
fn errors_are_those_of_the_last_sample() {
    let mut history = History::live();
    let mut read = |second, errors: &[(u16, u64)]| {
        let errors = errors.iter().map(|(errno, count)| (Errno(*errno), *count));
        let loss = Loss {
            is_traced: true,
            failed: Some(errors.collect()),
            ..Loss::default()
        };
        let row = history.read(watched(second, 0, [map("m").used(10, 100).loss(loss)]));
        let row = &row.rows[0];
        let errors = row.last_loss.as_ref().map(|last| last.errors.clone());
        let is_full_now = row.full_in == TimeToFull::Now;
        (errors.unwrap_or_default(), row.mark, is_full_now)
    };
    let crit = Some(Mark::Crit);
    read(1, &[(7, 900)]);
    let now = read(2, &[(7, 900), (16, 3)]);
    assert_eq!(now, (vec![(Errno::EBUSY, 3)], crit, false), "EBUSY");
    let now = read(3, &[(7, 901), (16, 5)]);
    assert_eq!(
        now,
        (vec![(Errno::EBUSY, 2), (Errno::E2BIG, 1)], crit, true)
    );
    assert_eq!(read(4, &[(7, 901), (16, 5)]).0, []);
}

#[test]
fn the_last_kind_of_loss_is_known_if_there_was_only_one() {
    let mut history = History::live();
    let mut read = |second, refused, evicted| {
        let lru = map("lru").named_type("lru_hash");
        let maps = [lru.refused(refused).evicted(evicted)];
        history.read(watched(second, 0, maps)).rows[0].last_lost_kind()
    };
    assert_eq!(
        read(1, 0, 5),
        Some(LossKind::Evicted),
        "the only kind so far"
    );
    assert_eq!(read(2, 1, 6), None);
    assert_eq!(read(3, 2, 6), Some(LossKind::Failed));
    assert_eq!(read(4, 2, 6), Some(LossKind::Failed));
    assert_eq!(read(5, 2, 7), Some(LossKind::Evicted));
}
