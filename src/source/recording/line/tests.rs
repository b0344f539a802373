use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::source::recording::header::{Header, is_report};
use crate::test_util::{host, map, moment, snapshot, watched};
use crate::text::sanitize::sanitize;
use crate::types::count::{Count, CountMethod, CountNote};
use crate::types::errno::Errno;
use crate::types::loss::{Backlog, Loss, LossCause};
use crate::types::loss_tracing::LossTracing;
use crate::types::map_flags::MapFlags;
use crate::types::map_id::{MapId, MapKey};
use crate::types::map_type::MapType;
use crate::types::snapshot::{KernelFacts, Layout, Origin};

fn read(line: &str) -> Result<Snapshot> {
    read_snapshot(line.as_bytes())
}

fn text(line: Vec<u8>) -> String {
    String::from_utf8(line).expect("UTF-8")
}

/// A line with these maps.
fn with_maps(maps: &str) -> String {
    format!(r#"{{"time":"2026-11-22T14:25:09Z","uptime_ns":1,"maps":[{maps}]}}"#)
}

#[test]
fn a_snapshot_is_one_line_without_what_is_not_there() {
    let line = snapshot_to_line(
        &snapshot(7, [map("conns").id(3), map("").id(9).uncounted()]),
        true,
    );
    let maps = [
        r#"{"id":3,"name":"conns","type":1,"key_bytes":16,"value_bytes":64,"max_entries":1000,"#,
        r#""refs":4,"user_refs":2,"used":7,"capacity":1000,"count_method":"counter"},"#,
        r#"{"id":9,"type":1,"key_bytes":16,"value_bytes":64,"max_entries":1000,"refs":4,"#,
        r#""user_refs":2,"capacity":1000,"count_note":"this kernel keeps no count of it"}"#,
    ];
    assert_eq!(
        text(line.expect("a line")),
        format!(
            "{{\"time\":\"2026-11-22T14:25:16Z\",\"uptime_ns\":7000000000,\"cpus\":2,\"maps\":[{}]}}\n",
            maps.concat()
        )
    );
}

#[test]
fn what_was_lost_is_a_few_bytes_more() {
    let maps = [
        map("").id(3).refused(31).evicted(0),
        map("").id(9).refused(0),
    ];
    let line = snapshot_to_line(&watched(7, 5, maps), true).expect("a line");
    let line = text(line);
    for part in [
        r#""cpus":2,"watching":{"state":"on","since_ns":5000000000},"maps":["#,
        r#""loss":{"watched":true,"failed":[[7,31]],"evictions":0}}"#,
        r#""loss":{"watched":true,"failed":[]}}"#,
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn a_state_of_watching_that_is_not_known_is_none() {
    let line = with_maps(r#"{"id":3,"type":1}"#);
    let line = line.replace("\"maps\"", "\"watching\":{\"state\":\"dreaming\"},\"maps\"");
    assert_eq!(
        read(&line).expect("a snapshot").loss_tracing,
        LossTracing::Off
    );
}

#[test]
fn the_first_line_says_which_machine_and_which_boot() {
    let line = text(Header::new(&host()).to_line().expect("a line"));
    assert_eq!(
        line,
        concat!(
            r#"{"mapstop_recording":1,"mapstop":""#,
            env!("CARGO_PKG_VERSION"),
            r#"","host":"node-17","kernel":"6.18.44","#,
            r#""boot_id":"6f0c7a52-0000-4000-8000-000000000001","node":null}"#,
            "\n"
        )
    );
    let header = Header::read(line.as_bytes()).expect("a header");
    assert_eq!(header.host(), host());
}

#[test]
fn fields_of_a_later_mapstop_are_passed_over_and_its_types_stay() {
    let line = with_maps(
        r#"{"id":3,"type":99,"flags":2147483648,"owner":{"pid":7},"used":5,"count_method":"guess"}"#,
    );
    let snapshot = read(&line.replace("\"maps\"", "\"load\":[1],\"maps\"")).expect("a snapshot");
    let facts = &snapshot.maps[0];
    assert_eq!(facts.map_type, MapType(99));
    assert_eq!(facts.flags, Some(MapFlags(1 << 31)));
    assert_eq!(facts.used, Some(5));
    assert_eq!(facts.count.method, CountMethod::None);
}

#[test]
fn what_a_terminal_obeys_does_not_come_out_of_a_file() {
    let line =
        with_maps(r#"{"id":3,"type":1,"name":"\u001b[2Ja","count_note":"\u202eb","node":"c\nd"}"#);
    let snapshot = read(&line).expect("a snapshot");
    let facts = &snapshot.maps[0];
    assert_eq!(facts.name, "?[2Ja");
    assert_eq!(facts.count.note, Some(CountNote::Text("?b".into())));
    assert_eq!(facts.key.node.as_deref(), Some("c?d"));
    let header = r#"{"mapstop_recording":1,"host":"\u0007a","kernel":"\u009bb","boot_id":"\tc"}"#;
    let host = Header::read(header.as_bytes()).expect("a header").host();
    assert_eq!([host.name, host.kernel, host.boot_id], ["?a", "?b", "?c"]);
}

#[test]
fn maps_come_out_sorted_and_each_once() {
    let line = with_maps(r#"{"id":9,"type":1},{"id":3,"type":2}"#);
    let ids: Vec<_> = read(&line)
        .expect("a snapshot")
        .maps
        .into_iter()
        .map(|m| m.key.id.0)
        .collect();
    assert_eq!(ids, [3, 9]);
    let line = with_maps(r#"{"id":9,"type":1},{"id":3,"type":2},{"id":9,"type":1}"#);
    assert_eq!(
        read(&line).expect_err("twice").to_string(),
        "map 9 is there twice"
    );
}

#[test]
fn what_is_wrong_with_a_line_is_said_shortly_and_harmlessly() {
    let long = "x".repeat(5000);
    for (line, says) in [
        (with_maps(r#"{"type":1}"#), "column 63: missing field `id`"),
        (
            with_maps(r#"{"id":-1}"#),
            "column 61: invalid value: integer `-1`, expected u32",
        ),
        (
            r#"{"time":"noon","uptime_ns":1,"maps":[]}"#.into(),
            "its time is none",
        ),
        (
            "{\"a\u{1b}[2J".into(),
            "column 4: control character (\\u0000-\\u001F) found while parsing a string",
        ),
    ] {
        assert_eq!(read(&line).expect_err(says).to_string(), says);
    }
    let line = with_maps(&format!(r#"{{"id":"\u001b{long}"}}"#));
    let error = read(&line).expect_err("text for a number").to_string();
    assert!(error.len() < 200 && !error.contains('\u{1b}'), "{error}");
}

#[test]
fn a_report_is_told_from_a_recording() {
    assert!(is_report(br#"{"version":1,"time":"x","maps":[{"id":3}]}"#));
    assert!(!is_report(with_maps("").as_bytes()));
}

/// Text as the model holds it.
fn sanitized_text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| sanitize(text.as_bytes()).into_string())
}

fn any_loss() -> impl Strategy<Value = Loss> {
    let culprit = prop_oneof![
        Just(LossCause::Program),
        (any::<u32>(), sanitized_text()).prop_map(|(pid, comm)| LossCause::Process {
            pid,
            comm: comm.into(),
        }),
    ];
    (
        any::<bool>(),
        option::of(sanitized_text()),
        option::of(btree_map(any::<u16>().prop_map(Errno), any::<u64>(), 0..3)),
        any::<[Option<u64>; 4]>(),
        any::<Option<(u64, u64, u16)>>(),
        option::of(culprit),
    )
        .prop_map(
            |(
                is_traced,
                reason,
                failed,
                [evictions, drops, drops_before, attempts],
                backlog,
                cause,
            )| Loss {
                is_traced,
                reason: reason.map(Cow::Owned),
                failed: failed.map(|failed| failed.into_iter().collect()),
                evictions,
                drops,
                drops_before,
                attempts,
                backlog: backlog.map(|(bytes, room, thousandths)| Backlog {
                    bytes,
                    room,
                    fullest: f64::from(thousandths) / 1000.0,
                }),
                cause,
            },
        )
}

fn any_loss_tracing() -> impl Strategy<Value = LossTracing> {
    prop_oneof![
        Just(LossTracing::Off),
        Just(LossTracing::Starting),
        (
            any::<u64>(),
            any::<bool>(),
            option::of(sanitized_text()),
            any::<u64>()
        )
            .prop_map(|(since, sees_updates, note, gone)| LossTracing::On {
                since: Duration::from_nanos(since),
                sees_updates,
                note: note.map(Into::into),
                deleted_map_losses: gone,
            }),
        sanitized_text().prop_map(|why| LossTracing::Refused(why.into())),
    ]
}

fn any_facts() -> impl Strategy<Value = MapFacts> {
    let method = prop::sample::select(vec![
        CountMethod::Counter,
        CountMethod::Field,
        CountMethod::Scan,
        CountMethod::Estimate,
        CountMethod::Walk,
        CountMethod::None,
    ]);
    (
        (
            option::of(sanitized_text()),
            sanitized_text(),
            option::of(sanitized_text()),
        ),
        any::<[u32; 6]>(),
        any::<(bool, u64, u64, Option<u64>, Option<u64>)>(),
        method,
        any::<([u32; 6], u64)>(),
        (any::<Option<u64>>(), option::of(any_loss()), any::<u64>()),
    )
        .prop_map(
            |(texts, numbers, counts, method, (sizes, map_extra), (consumer, loss, error))| {
                MapFacts {
                    key: MapKey {
                        node: texts.0.map(Arc::from),
                        id: MapId(numbers[0]),
                    },
                    name: texts.1.into(),
                    map_type: MapType(numbers[1]),
                    key_size: Some(numbers[2]),
                    value_size: Some(numbers[3]),
                    max_entries: numbers[4],
                    flags: Some(MapFlags(numbers[5])),
                    used: counts.3,
                    capacity: counts.4,
                    count: Count {
                        method,
                        note: texts.2.map(|text| CountNote::Text(text.into())),
                        error,
                    },
                    loss: loss.map(Arc::new),
                    origin: Origin::Kernel(KernelFacts {
                        is_frozen: counts.0,
                        refs: counts.1,
                        user_refs: counts.2,
                        layout: Layout {
                            container_size: sizes[0],
                            elem_size: sizes[1],
                            bucket_count: sizes[2],
                            node_size: sizes[3],
                            data_size: sizes[4],
                            lock_size: sizes[5],
                            map_extra,
                        },
                        consumer_pos: consumer,
                    }),
                }
            },
        )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        mut maps in vec(any_facts(), 0..5),
        uptime in any::<u64>(),
        loss_tracing in any_loss_tracing(),
        nanoseconds in -1_000_000_000_000_000_000..4_000_000_000_000_000_000_i128,
    ) {
        maps.sort_by(|a, b| a.key.cmp(&b.key));
        maps.dedup_by(|a, b| a.key == b.key);
        let moment = Moment {
            uptime: Duration::from_nanos(uptime),
            wall: Timestamp::from_nanosecond(nanoseconds).expect("a time"),
        };
        let snapshot = Snapshot { moment, cpus: 0, maps, owners: None, loss_tracing, fleet: None };
        let line = snapshot_to_line(&snapshot, true).expect("a line");
        prop_assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
        prop_assert_eq!(read_moment(&line).expect("a moment"), (moment, false));
        prop_assert_eq!(read_snapshot(&line).expect("a snapshot"), snapshot);
    }

    #[test]
    fn any_line_is_read_or_refused(line in any::<Vec<u8>>()) {
        prop_assert!(read_snapshot(&line).is_err());
    }
}

#[test]
fn the_moment_is_read_without_the_maps() {
    let line = snapshot_to_line(&snapshot(7, [map("conns")]), true).expect("a line");
    assert_eq!(read_moment(&line).expect("a moment"), (moment(7), false));
}
