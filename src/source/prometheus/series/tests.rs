use super::*;
use crate::source::prometheus::response::samples;
use crate::source::prometheus::test_server::answer;

fn gathered(lines: &[&str]) -> MapSeries {
    gathered_by(INSTANCE, lines)
}

fn gathered_by(node_label: &str, lines: &[&str]) -> MapSeries {
    let body = answer(lines);
    let mut gathered = MapSeries::default();
    for sample in samples(200, body.as_bytes()).expect("samples") {
        gathered.add(&sample, node_label);
    }
    gathered
}

const CONNS: &str = r#"instance="web-3:2112",id="7",name="conns",type="hash""#;

fn of_conns(levels: &[(&str, &str)], about: &[(&str, &str)]) -> MapFacts {
    let lines = |list: &[(&str, &str)]| -> Vec<String> {
        let line = |(name, rest): &(&str, &str)| match rest.split_once(' ') {
            Some((more, value)) => format!("{name}{{{CONNS},{more}}} {value}"),
            None => format!("{name}{{{CONNS}}} {rest}"),
        };
        list.iter().map(line).collect()
    };
    let (levels, about) = (lines(levels), lines(about));
    let texts = |lines: &[String]| gathered(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let mut facts = texts(&levels).facts(&texts(&about), &ScrapeTimes::default());
    assert_eq!(facts.len(), 1);
    facts.remove(0)
}

#[test]
fn the_series_of_a_map_become_its_facts() {
    let facts = of_conns(
        &[
            ("bpf_map_max_entries", "1000"),
            ("bpf_map_used", r#"unit="entries" 950"#),
            ("bpf_map_capacity", "1001"),
            ("bpf_map_growth_per_second", "-0.5"),
            ("bpf_map_full_in_seconds", "90.5"),
            ("bpf_map_entry_lifetime_seconds", "10.5"),
            ("bpf_map_mark", "1"),
            ("bpf_map_failed_updates_total", r#"errno="E2BIG" 31"#),
            ("bpf_map_failed_updates_total", r#"errno="ENOMEM" 0"#),
        ],
        &[
            (
                "bpf_map_info",
                r#"kind="bounded",key_bytes="16",value_bytes="64",flags="no_prealloc,rdonly",owner="flowd",pin="/sys/fs/bpf/conns" 1"#,
            ),
            ("bpf_map_memory_bytes", "4096"),
            ("bpf_map_programs", "3"),
            ("bpf_map_holders", "2"),
        ],
    );
    assert_eq!(facts.key.node.as_deref(), Some("web-3:2112"));
    assert_eq!(
        (facts.key.id, &*facts.name, facts.map_type),
        (MapId(7), "conns", MapType::HASH)
    );
    assert_eq!(
        (facts.max_entries, facts.used, facts.capacity),
        (1000, Some(950), Some(1001))
    );
    assert_eq!((facts.key_size, facts.value_size), (Some(16), Some(64)));
    assert_eq!(
        facts.flags.map(|flags| flags.to_string()).as_deref(),
        Some("no_prealloc,rdonly")
    );
    let told = facts.exported().expect("told");
    assert_eq!(
        told,
        &ExportedFields {
            scraped_at: None,
            memory: Some(4096),
            growth_per_s: Some(-0.5),
            full_in_s: Some(90.5),
            entry_lifetime_s: Some(10.5),
            mark: Some(Mark::Warn),
            holder_count: Some(2),
            program_count: Some(3),
            owner: Some("flowd".into()),
            pin: Some("/sys/fs/bpf/conns".into()),
        }
    );
    let loss = facts.loss.as_deref().expect("a loss");
    assert_eq!(loss.failed, Some([(Errno::E2BIG, 31)].into()));
    assert_eq!(
        (loss.evictions, loss.drops, loss.is_traced),
        (None, None, true)
    );
}

#[test]
fn what_no_series_carries_is_unknown() {
    let facts = of_conns(&[("bpf_map_max_entries", "1000")], &[]);
    let sizes = (facts.key_size, facts.value_size, facts.flags);
    assert_eq!(sizes, (None, None, None));
    assert_eq!(facts.kernel(), None);
    assert_eq!(facts.exported(), Some(&ExportedFields::default()));
    assert_eq!((facts.used, facts.capacity, facts.loss), (None, None, None));
}

#[test]
fn what_is_no_number_is_unknown_and_not_zero() {
    for value in ["NaN", "+Inf", "-Inf", "-1", "1e300"] {
        let facts = of_conns(
            &[
                ("bpf_map_max_entries", "10"),
                ("bpf_map_used", value),
                ("bpf_map_full_in_seconds", value),
            ],
            &[("bpf_map_memory_bytes", value)],
        );
        let told = facts.exported().expect("told");
        assert_eq!((facts.used, told.memory), (None, None), "{value}");
        assert!(told.full_in_s.is_none_or(f64::is_finite), "{value}");
    }
    let none = gathered(&[r#"bpf_map_max_entries{instance="a",id="1",type="hash"} NaN"#]);
    assert_eq!(
        none.facts(&MapSeries::default(), &ScrapeTimes::default()),
        []
    );
}

#[test]
fn equal_ids_on_two_machines_are_two_maps() {
    let both = gathered(&[
        r#"bpf_map_max_entries{instance="a",id="7",name="x",type="hash"} 10"#,
        r#"bpf_map_max_entries{instance="b",id="7",name="y",type="array"} 20"#,
        r#"bpf_map_used{instance="b",id="7",name="y",type="array"} 5"#,
    ]);
    assert!(!both.is_mixed());
    let facts = both.facts(&MapSeries::default(), &ScrapeTimes::default());
    let seen: Vec<_> = facts
        .iter()
        .map(|map| {
            (
                map.key.node.as_deref().unwrap_or_default(),
                &*map.name,
                map.used,
            )
        })
        .collect();
    assert_eq!(seen, [("a", "x", None), ("b", "y", Some(5))]);
}

#[test]
fn a_label_that_is_the_same_for_two_targets_is_noticed() {
    let lines = [
        r#"bpf_map_max_entries{instance="a",dc="x",id="7",name="x",type="hash"} 10"#,
        r#"bpf_map_max_entries{instance="b",dc="x",id="7",name="y",type="hash"} 20"#,
    ];
    assert!(gathered_by("dc", &lines).is_mixed());
    let by_instance = gathered_by("missing", &lines);
    assert!(
        !by_instance.is_mixed(),
        "those without it are called by their instance"
    );
    assert_eq!(by_instance.keys().count(), 2);
}

#[test]
fn what_several_targets_tell_of_an_id_is_never_put_together() {
    let a = [
        r#"bpf_map_max_entries{instance="a",dc="x",id="7",name="x",type="hash"} 10"#,
        r#"bpf_map_used{instance="a",dc="x",id="7",name="x",type="hash",unit="entries"} 9"#,
        r#"bpf_map_capacity{instance="a",dc="x",id="7",name="x",type="hash"} 10"#,
    ];
    let b = [
        r#"bpf_map_max_entries{instance="b",dc="x",id="7",name="y",type="hash"} 900"#,
        r#"bpf_map_used{instance="b",dc="x",id="7",name="y",type="hash",unit="entries"} 5"#,
        r#"bpf_map_capacity{instance="b",dc="x",id="7",name="y",type="hash"} 900"#,
    ];
    let orders = [
        [a[0], a[1], a[2], b[0], b[1], b[2]],
        [b[0], a[0], a[1], b[1], b[2], a[2]],
        [a[0], b[0], b[1], b[2], a[1], a[2]],
    ];
    let seen = orders.map(|lines| {
        let facts = gathered_by("dc", &lines).facts(&MapSeries::default(), &ScrapeTimes::default());
        let [facts] = &facts[..] else {
            panic!("one map: {facts:?}");
        };
        (facts.name.to_string(), facts.used, facts.capacity)
    });
    let whole = [
        ("x".to_owned(), Some(9), Some(10)),
        ("y".to_owned(), Some(5), Some(900)),
    ];
    assert!(whole.contains(&seen[0]), "{seen:?}");
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

#[test]
fn what_was_known_of_another_map_of_the_id_is_not_said_of_this_one() {
    let about = [
        r#"bpf_map_memory_bytes{instance="a",id="7",name="old",type="hash"} 4096"#,
        r#"bpf_map_info{instance="a",id="7",name="old",type="hash",owner="flowd"} 1"#,
    ];
    let new = [r#"bpf_map_max_entries{instance="a",id="7",name="new",type="hash"} 10"#];
    let facts = gathered(&new).facts(&gathered(&about), &ScrapeTimes::default());
    let told = facts[0].exported().expect("told");
    assert_eq!((told.memory, told.owner.as_deref()), (None, None));
}

#[test]
fn a_label_of_the_target_is_not_what_its_exporter_told() {
    let lines =
        [r#"bpf_map_max_entries{instance="a",owner="team-a",id="7",name="x",type="hash"} 10"#];
    let about = [
        r#"bpf_map_info{instance="a",owner="team-a",exported_owner="flowd",id="7",name="x",type="hash"} 1"#,
    ];
    let facts = gathered(&lines).facts(&gathered(&about), &ScrapeTimes::default());
    let told = facts[0].exported().expect("told");
    assert_eq!(told.owner.as_deref(), Some("flowd"));
}

#[test]
fn maps_are_as_old_as_their_target() {
    let lines = [
        r#"bpf_map_max_entries{instance="a",id="7",name="x",type="hash"} 10"#,
        r#"bpf_map_max_entries{instance="b",id="7",name="x",type="hash"} 10"#,
    ];
    let body = answer(&[r#"{instance="a"} 1732744999.25"#]);
    let mut collected = ScrapeTimes::default();
    for sample in samples(200, body.as_bytes()).expect("samples") {
        collected.add(&sample, INSTANCE);
    }
    let facts = gathered(&lines).facts(&MapSeries::default(), &collected);
    let times: Vec<_> = facts
        .iter()
        .map(|facts| facts.exported().and_then(|told| told.scraped_at))
        .collect();
    assert_eq!(
        times,
        [Some(Duration::from_millis(1_732_744_999_250)), None]
    );
}

#[test]
fn series_of_names_and_of_others_are_no_maps() {
    let none = gathered(&[
        r#"bpf_map_max_entries{instance="a",name="x",type="hash"} 10"#,
        r#"bpf_map_max_entries{instance="a",id="-1",name="x",type="hash"} 10"#,
        r#"bpf_map_max_entries{id="5",name="x",type="hash"} 10"#,
        r#"bpf_map_max_entries{instance="a",id="9",name="x"} 10"#,
        r#"up{instance="a",id="3",type="hash"} 1"#,
    ]);
    assert_eq!(
        none.facts(&MapSeries::default(), &ScrapeTimes::default()),
        []
    );
}

#[test]
fn hostile_labels_are_harmless() {
    let line =
        r#"bpf_map_max_entries{instance="a\u001b[2J",id="7",name="x\u202e\n",type="type_99"} 10"#;
    let facts = gathered(&[line]).facts(&MapSeries::default(), &ScrapeTimes::default());
    assert_eq!(facts[0].key.node.as_deref(), Some("a?[2J"));
    assert_eq!((&*facts[0].name, facts[0].map_type), ("x??", MapType(99)));
}
