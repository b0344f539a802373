//! Whole answers over a few maps, in both formats.

use std::sync::Arc;

use super::families::{COMPAT, MAP_FAMILIES};
use super::*;
use crate::options::{ExportOptions, LabelBy};
use crate::test_util::{MapBuilder, key, map, owners_of_all_kinds, reading};
use crate::types::count::{CountNote, ScanUnit, UncountedReason};
use crate::types::errno::Errno;
use crate::types::loss::Loss;
use crate::types::ownership::Owners;

const OPTIONS: ExportOptions = ExportOptions {
    label_by: LabelBy::Id,
    is_compat: false,
    max_series: 1000,
};

fn write_reading(reading: &Reading, options: ExportOptions, format: Format) -> String {
    let indices: Vec<_> = (0..reading.rows.len()).collect();
    let totals = Totals::new();
    let scrape = Scrape {
        reading,
        indices: &indices,
        took: Duration::from_millis(2),
        totals: &totals,
    };
    let page = Writer::new(options, format).write(&scrape);
    str::from_utf8(&page).expect("UTF-8").to_owned()
}

fn write_maps(maps: impl IntoIterator<Item = MapBuilder>, options: ExportOptions) -> String {
    write_reading(&reading(maps), options, Format::Text)
}

fn samples(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

fn all_known() -> MapBuilder {
    let owners = owners_of_all_kinds();
    let ownership = owners.get(&key(3)).expect("a map").as_ref().clone();
    map("conns")
        .id(3)
        .used(90, 100)
        .flags(1)
        .owned(ownership)
        .with_layout()
}

#[test]
fn known_facts_of_a_map_are_exported() {
    let text = write_maps([all_known()], OPTIONS);
    let labels = "id=\"3\",name=\"conns\",type=\"hash\"";
    let version = env!("CARGO_PKG_VERSION");
    let memory = reading([all_known()]).rows[0].memory.expect("memory").bytes;
    assert_eq!(
        samples(&text),
        [
            "bpf_maps{type=\"hash\"} 1".to_owned(),
            "mapstop_sample_seconds 0.002".to_owned(),
            format!("mapstop_build_info{{version=\"{version}\"}} 1"),
            "mapstop_series_left_out 0".to_owned(),
            format!(
                "bpf_map_info{{{labels},kind=\"bounded\",key_bytes=\"16\",value_bytes=\"64\",\
                 flags=\"no_prealloc\",owner=\"flowd\",pin=\"/sys/fs/bpf/conns\"}} 1"
            ),
            format!("bpf_map_used{{{labels},unit=\"entries\"}} 90"),
            format!("bpf_map_capacity{{{labels}}} 100"),
            format!("bpf_map_max_entries{{{labels}}} 100"),
            format!("bpf_map_pressure_ratio{{{labels}}} 0.9"),
            format!("bpf_map_memory_bytes{{{labels}}} {memory}"),
            format!("bpf_map_mark{{{labels}}} 1"),
            format!("bpf_map_programs{{{labels}}} 1"),
            format!("bpf_map_holders{{{labels}}} 2"),
        ]
    );
}

#[test]
fn unknown_values_are_absent_and_have_a_reason() {
    let text = write_maps([map("quota").id(9).uncounted()], OPTIONS);
    let labels = "id=\"9\",name=\"quota\",type=\"hash\"";
    let of_map: Vec<_> = samples(&text)
        .into_iter()
        .filter(|line| line.starts_with("bpf_map_") || line.contains("unmeasured"))
        .collect();
    assert_eq!(
        of_map,
        [
            "mapstop_maps_unmeasured{type=\"hash\",reason=\"this kernel keeps no count of it\"} 1",
            &format!(
                "bpf_map_info{{{labels},kind=\"bounded\",key_bytes=\"16\",value_bytes=\"64\",\
                 flags=\"\"}} 1"
            ),
            &format!("bpf_map_capacity{{{labels}}} 1000"),
            &format!("bpf_map_max_entries{{{labels}}} 1000"),
        ]
    );
}

#[test]
fn reasons_are_the_same_at_every_scrape() {
    let mut reading = reading([map("slots").uncounted()]);
    let incomplete = CountNote::Incomplete {
        unit: ScanUnit::Slots,
        scanned: 5,
        total: 9,
        used: 2,
    };
    for (note, reason) in [
        (incomplete, "count not complete"),
        (
            CountNote::ListsTooLong { used: 17 },
            "its lists are too long to follow",
        ),
        (
            CountNote::ChainsCut { used: 17 },
            "some of its buckets changed during the count, or are too long",
        ),
        (
            CountNote::Uncounted(UncountedReason::InMotion),
            "it changed while it was read",
        ),
    ] {
        reading.rows[0].facts.count.note = Some(note);
        assert_eq!(uncounted_reason(&reading.rows[0]).as_deref(), Some(reason));
    }
}

#[test]
fn losses_are_counters_that_begin_at_zero() {
    let mut reading = reading([
        map("conns").id(3),
        map("events").id(4).named_type("ringbuf"),
    ]);
    reading.rows[0].facts.loss = Some(Arc::new(Loss {
        failed: Some([(Errno::ENOMEM, 2), (Errno(99), 1)].into()),
        evictions: Some(5),
        ..Loss::default()
    }));
    reading.rows[1].facts.loss = Some(Arc::new(Loss {
        drops: Some(6),
        ..Loss::default()
    }));
    let text = write_reading(&reading, OPTIONS, Format::OpenMetrics);
    let lost: Vec<_> = text
        .lines()
        .filter(|line| line.contains("failed") || line.contains("evict") || line.contains("drops"))
        .filter(|line| !line.starts_with("# HELP"))
        .collect();
    let labels = "id=\"3\",name=\"conns\",type=\"hash\"";
    assert_eq!(
        lost,
        [
            "# TYPE bpf_map_failed_updates counter",
            &format!("bpf_map_failed_updates_total{{{labels},errno=\"E2BIG\"}} 0"),
            &format!("bpf_map_failed_updates_total{{{labels},errno=\"ENOMEM\"}} 2"),
            &format!("bpf_map_failed_updates_total{{{labels},errno=\"99\"}} 1"),
            "# TYPE bpf_map_evictions counter",
            &format!("bpf_map_evictions_total{{{labels}}} 5"),
            "# TYPE bpf_map_drops counter",
            "bpf_map_drops_total{id=\"4\",name=\"events\",type=\"ringbuf\"} 6",
        ]
    );
}

#[test]
fn compat_names_need_the_flag_and_have_no_type() {
    let options = ExportOptions {
        is_compat: true,
        ..OPTIONS
    };
    let text = write_maps(
        [
            map("conns").id(3).used(90, 100),
            map("").id(4).named_type("array"),
        ],
        options,
    );
    let old: Vec<_> = text
        .lines()
        .filter(|line| line.contains(" ebpf_") || line.starts_with("ebpf_"))
        .collect();
    assert_eq!(
        old.iter()
            .filter(|line| !line.starts_with("# HELP"))
            .collect::<Vec<_>>(),
        [
            &"# TYPE ebpf_map_curr_elem_count untyped",
            &"ebpf_map_curr_elem_count{id=\"3\",name=\"conns\"} 90",
            &"ebpf_map_curr_elem_count{id=\"4\",name=\"\"} 7",
            &"# TYPE ebpf_map_pressure untyped",
            &"ebpf_map_pressure{id=\"3\",name=\"conns\"} 0.9",
        ]
    );
    assert!(!write_maps([map("conns")], OPTIONS).contains("ebpf_map"));
}

#[test]
fn series_by_name_have_no_id_and_are_unique() {
    let options = ExportOptions {
        label_by: LabelBy::Name,
        is_compat: true,
        ..OPTIONS
    };
    let maps = [
        map("conns").id(1).used(10, 100),
        map("conns").id(2).used(90, 100),
        map("conns").id(3).named_type("lru_hash"),
        map("").id(4),
        map("").id(5),
    ];
    let text = write_maps(maps, options);
    let samples = samples(&text);
    assert!(samples.contains(&"bpf_map_used{name=\"conns\",type=\"hash\",unit=\"entries\"} 100"));
    assert!(samples.contains(&"bpf_map_pressure_ratio{name=\"conns\",type=\"hash\"} 0.9"));
    assert!(samples.contains(&"bpf_map_used{name=\"\",type=\"hash\",unit=\"entries\"} 14"));
    assert!(!text.contains("id=\""));
    let mut series: Vec<_> = samples
        .iter()
        .map(|line| line.rsplit_once(' ').expect("a number").0)
        .collect();
    let count = series.len();
    series.sort_unstable();
    series.dedup();
    assert_eq!(series.len(), count, "{text}");
}

#[test]
fn too_many_series_leave_out_whole_maps_and_marked_ones_last() {
    let maps = [
        map("calm_1").id(1),
        map("calm_2").id(2),
        map("full").id(3).used(100, 100),
    ];
    let whole = write_maps(maps.clone(), OPTIONS);
    let all = samples(&whole)
        .iter()
        .filter(|line| line.starts_with("bpf_map_"))
        .count();
    let of_full = samples(&whole)
        .iter()
        .filter(|line| line.contains("id=\"3\""))
        .count();
    let of_calm = (all - of_full) / 2;
    let cut = write_maps(
        maps,
        ExportOptions {
            max_series: of_full + of_calm + 1,
            ..OPTIONS
        },
    );
    let kept: Vec<_> = samples(&cut)
        .into_iter()
        .filter(|line| line.starts_with("bpf_map_used"))
        .collect();
    assert_eq!(kept.len(), 2);
    assert!(
        kept[0].contains("calm_1") && kept[1].contains("full"),
        "{cut}"
    );
    assert!(
        cut.contains(&format!("\nmapstop_series_left_out {of_calm}\n")),
        "{cut}"
    );
    assert!(cut.contains("bpf_maps{type=\"hash\"} 3"), "all are counted");
}

#[test]
fn any_label_character_is_valid_in_both_formats() {
    let mut reading = reading([all_known()]);
    let name = "az_AZ.09 \\ \" \n {} , = é 接";
    reading.rows[0].facts.name = name.into();
    for format in [Format::Text, Format::OpenMetrics] {
        let text = write_reading(&reading, OPTIONS, format);
        let line = text
            .lines()
            .find(|line| line.starts_with("bpf_map_capacity"));
        assert_eq!(
            line,
            Some(
                "bpf_map_capacity{id=\"3\",name=\"az_AZ.09 \\\\ \\\" \\n {} , = é 接\",type=\"hash\"} 100"
            )
        );
    }
}

#[test]
fn names_follow_the_rules_of_prometheus() {
    let heads = MAP_FAMILIES
        .iter()
        .chain(&COMPAT)
        .map(|family| &family.meta)
        .chain(families::GLOBAL_FAMILIES);
    let mut names = std::collections::HashSet::new();
    for head in heads {
        let FamilyMeta { name, kind, help } = head;
        assert!(names.insert(name), "{name} twice");
        assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
        assert_eq!(name.ends_with("_info"), *kind == Kind::Info, "{name}");
        assert!(help.ends_with('.'), "{name}: {help}");
    }
}

#[test]
fn losses_watched_is_exported_if_requested() {
    let on = LossTracing::On {
        since: Duration::ZERO,
        sees_updates: true,
        note: None,
        deleted_map_losses: 7,
    };
    let in_part = LossTracing::On {
        since: Duration::ZERO,
        sees_updates: false,
        note: None,
        deleted_map_losses: 0,
    };
    let watched = "mapstop_losses_watched";
    for (watching, expected) in [
        (LossTracing::Off, vec![]),
        (LossTracing::Starting, vec![format!("{watched} 0")]),
        (in_part, vec![format!("{watched} 0")]),
        (
            LossTracing::Refused("no BTF".into()),
            vec![format!("{watched} 0")],
        ),
        (
            on,
            vec![
                format!("{watched} 1"),
                "mapstop_losses_of_gone_maps_total 7".to_owned(),
            ],
        ),
    ] {
        let reading = Reading {
            loss_tracing: watching,
            ..reading([map("conns")])
        };
        let text = write_reading(&reading, OPTIONS, Format::Text);
        let lines = text.lines();
        let of_losses: Vec<_> = lines
            .filter(|line| line.starts_with("mapstop_losses"))
            .collect();
        assert_eq!(of_losses, expected);
    }
}

#[test]
fn unknown_owners_have_a_reason() {
    let sample = |note: Option<&str>| {
        let note = note.map(Into::into);
        let owners = Owners::new(Duration::ZERO, note, []);
        let reading = Reading {
            owners: Some(Arc::new(owners)),
            ..reading([map("conns")])
        };
        let text = write_reading(&reading, OPTIONS, Format::Text);
        let mut lines = text.lines();
        lines
            .find(|line| line.starts_with("mapstop_owners"))
            .map(str::to_owned)
    };
    assert_eq!(sample(None), None);
    assert_eq!(
        sample(Some("pins: not all can be read")).as_deref(),
        Some("mapstop_owners_incomplete{reason=\"pins: not all can be read\"} 1")
    );
}

mod copies {
    //! What is copied from the page before is what would be written.

    use proptest::prelude::*;

    use super::*;

    /// A machine at one moment: some of these maps, each with so many of ten entries.
    fn moment() -> impl Strategy<Value = Vec<(u32, u64, bool)>> {
        let used = prop_oneof![4 => Just(3_u64), 1 => 0..=10_u64];
        let map = (prop::bool::weighted(0.8), used, prop::bool::weighted(0.9));
        let maps = prop::collection::vec(map, 0..12);
        maps.prop_map(|maps| {
            let ids = 1_u32..;
            let maps = ids.zip(maps).filter(|(_, (is_there, ..))| *is_there);
            maps.map(|(id, (_, used, is_known))| (id, used, is_known))
                .collect()
        })
    }

    fn built(maps: &[(u32, u64, bool)]) -> Reading {
        reading(maps.iter().map(|(id, used, is_known)| {
            let built = map(&format!("map_{}", id % 3)).id(*id).used(*used, 10);
            match is_known {
                true => built.with_layout(),
                false => built.uncounted().with_layout(),
            }
        }))
    }

    proptest! {
        #[test]
        fn pages_are_the_same_whatever_was_written_before(
            moments in prop::collection::vec(moment(), 2..6),
            is_by_name: bool,
            is_open: bool,
            max_series in prop_oneof![Just(1000_usize), 0..60_usize],
        ) {
            let format = if is_open { Format::OpenMetrics } else { Format::Text };
            let label_by = if is_by_name { LabelBy::Name } else { LabelBy::Id };
            let options = ExportOptions { label_by, is_compat: true, max_series };
            let mut writer = Writer::new(options, format);
            for moment in moments {
                let reading = built(&moment);
                let indices: Vec<_> = (0..reading.rows.len()).collect();
                let totals = Totals::new();
                let scrape = Scrape {
                    reading: &reading,
                    indices: &indices,
                    took: Duration::from_millis(2),
                    totals: &totals,
                };
                let page = writer.write(&scrape);
                let fresh = Writer::new(options, format).write(&scrape);
                prop_assert_eq!(str::from_utf8(&page), str::from_utf8(&fresh));
            }
        }
    }
}
