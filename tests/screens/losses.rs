//! Losses, watched and not watchable.

use std::sync::Arc;

use mapstop::types::errno::Errno;
use mapstop::types::loss::{Loss, LossCause};
use mapstop::types::loss_tracing::LossTracing;

use super::*;

/// The losses of a map of the recording, `times` over: one refuses inserts, one evicts, some are not
/// fully observable.
fn loss(id: u32, times: u64) -> Option<Loss> {
    let quiet = Loss {
        is_traced: true,
        failed: Some([].into()),
        ..Loss::default()
    };
    Some(match id {
        2971 if times > 0 => Loss {
            failed: Some([(Errno(7), 60 * times), (Errno(12), 2 * times)].into()),
            cause: Some(LossCause::Process {
                pid: 1832,
                comm: "cilium-agent".into(),
            }),
            ..quiet
        },
        512 => Loss {
            evictions: Some(2400 * times),
            cause: Some(LossCause::Program),
            ..quiet
        },
        513 => Loss {
            evictions: Some(0),
            ..quiet
        },
        377 => Loss {
            is_traced: true,
            reason: Some("this kernel lets no ring buffer be traced".into()),
            ..Loss::default()
        },
        88 => Loss {
            reason: Some("what BPF programs insert cannot be traced".into()),
            ..quiet
        },
        2971 | 3187 | 4410 | 3021 | 700 | 3300 | 3301 | 3302 | 1203 => quiet,
        _ => return None,
    })
}

/// The live view of two samples in which maps lost something, the second `times` as much.
fn watched(width: u16, height: u16, times: u64) -> App {
    let mut app = App::new(host(), moment(0));
    app.resize(width, height);
    for (n, sample) in (0..).zip(&samples()[..2]) {
        let mut sample = sample.clone();
        sample.loss_tracing = LossTracing::On {
            since: moment(0).uptime,
            sees_updates: true,
            note: None,
            deleted_map_losses: 0,
        };
        for map in &mut sample.maps {
            map.loss = loss(map.key.id.0, n * times).map(Arc::new);
            // Its reader did not move.
            let position = (map.key.id.0 == 377).then_some(4096);
            let kernel = map.kernel_mut().expect("a map of the kernel");
            kernel.consumer_pos = position;
        }
        app.ingest(sample, Duration::from_micros(1400));
    }
    app
}

fn refused(width: u16, height: u16) -> App {
    let mut app = App::new(host(), moment(0));
    app.resize(width, height);
    let mut sample = samples()[0].clone();
    sample.loss_tracing = LossTracing::Refused("this kernel refuses BPF trampolines".into());
    app.ingest(sample, Duration::from_micros(1400));
    app
}

#[test]
fn refused_inserts_and_evictions() {
    for (width, height) in [(140, 40), (80, 24), (40, 12)] {
        let app = watched(width, height, 1);
        insta::assert_snapshot!(format!("losses_{width}x{height}"), screen(&app));
    }
}

#[test]
fn nothing_is_lost() {
    for (width, height) in [(140, 40), (80, 24)] {
        let app = watched(width, height, 0);
        insta::assert_snapshot!(format!("no_losses_{width}x{height}"), screen(&app));
    }
}

#[test]
fn untraced_updates_are_not_shown_as_watched() {
    let mut app = App::new(host(), moment(0));
    app.resize(140, 40);
    for (sees_updates, title) in [(true, "LOSSES watched"), (false, "LOSSES partly watched")] {
        let mut sample = samples()[0].clone();
        sample.loss_tracing = LossTracing::On {
            since: moment(0).uptime,
            sees_updates,
            note: None,
            deleted_map_losses: 0,
        };
        app.ingest(sample, Duration::from_micros(1400));
        assert!(screen(&app).contains(title), "{}", screen(&app));
    }
}

#[test]
fn losses_that_cannot_be_watched() {
    for (width, height) in [(140, 40), (80, 24)] {
        let app = refused(width, height);
        insta::assert_snapshot!(format!("losses_refused_{width}x{height}"), screen(&app));
    }
}

#[test]
fn the_detail_shows_losses_and_gaps() {
    let mut all = String::new();
    for id in [2971, 512, 377, 88, 2211] {
        let mut app = watched(80, 36, 1);
        app.table.selected = Some(mapstop::test_util::key(id));
        press(&mut app, "\n");
        let is_about_losses = |line: &&str| {
            let names = ["mark", "loss", "reader"];
            names.iter().any(|name| line.trim_start().starts_with(name))
                || line.starts_with("         ")
        };
        let screen = screen(&app);
        let lines = screen.lines();
        let about = lines.clone().skip(2).filter(is_about_losses);
        for line in lines.take(1).chain(about) {
            all.extend([line, "\n"]);
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_preview_shows_refused_updates() {
    let mut app = watched(80, 24, 1);
    press(&mut app, "j");
    let line = "! 2971 pol_ep_02366 refuses updates: 31/s (E2BIG, ENOMEM), last";
    assert!(screen(&app).contains(line), "{}", screen(&app));
}

#[test]
fn a_stalled_reader_has_a_duration() {
    let mut app = watched(100, 24, 1);
    app.table.selected = Some(mapstop::test_util::key(377));
    let line = " 377 events  12,582,912 of 16,777,216 bytes  reader stalled for 2s  ringbuf";
    assert!(screen(&app).contains(line), "{}", screen(&app));
}

#[test]
fn the_events_have_the_first_loss() {
    let mut app = watched(80, 12, 1);
    press(&mut app, "j\n2");
    let began = "14:25:11  started to refuse updates, 31/s";
    assert!(screen(&app).contains(began), "{}", screen(&app));
}

#[test]
fn a_narrow_title_keeps_the_worst_marks() {
    let mut app = watched(26, 12, 1);
    app.data.is_recording = true;
    let screen = screen(&app);
    let title = screen.lines().next().expect("a title");
    assert_eq!(title, "1 crit 3 warn REC LOSSES");
    app.resize(19, 12);
    let screen = self::screen(&app);
    let title = screen.lines().next().expect("a title");
    assert_eq!(title, "1 crit REC LOSSES");
}

/// The losses in the detail of map 7.
fn detail(name: &str, loss: &Loss) -> String {
    let mut app = App::new(host(), moment(0));
    app.resize(100, 36);
    let map = mapstop::test_util::map("m").id(7).named_type(name);
    let sample = mapstop::test_util::watched(1, 0, [map.loss(loss.clone())]);
    app.ingest(sample, Duration::ZERO);
    press(&mut app, "\n");
    screen(&app)
}

#[test]
fn losses_are_named_after_their_kind() {
    let dropped = |is_watched, drops| Loss {
        is_traced: is_watched,
        drops: Some(drops),
        ..Loss::default()
    };
    for (name, is_watched, drops, text) in [
        ("devmap", true, 1, "1 packet dropped since"),
        ("cpumap", true, 31, "31 packets dropped since"),
        ("ringbuf", true, 31, "31 records dropped since"),
        (
            "perf_event_array",
            false,
            31,
            "31 records lost to a full buffer since",
        ),
    ] {
        let screen = detail(name, &dropped(is_watched, drops));
        assert!(screen.contains(text), "{screen}");
    }
}

#[test]
fn drops_from_before_mapstop_started_are_shown_as_such() {
    let loss = Loss {
        drops: Some(0),
        drops_before: Some(12_290),
        ..Loss::default()
    };
    let screen = detail("perf_event_array", &loss);
    assert!(screen.contains("12,290 before mapstop started"), "{screen}");
}

#[test]
fn the_detail_of_an_lru_map_has_the_lifetime_of_its_entries() {
    let mut app = App::new(host(), moment(0));
    app.resize(100, 36);
    for second in 1..40 {
        let map = mapstop::test_util::map("m").id(7).named_type("lru_hash");
        let map = map.used(7680, 8192).evicted(768 * u64::from(second));
        app.ingest(
            mapstop::test_util::watched(second, 0, [map]),
            Duration::ZERO,
        );
    }
    press(&mut app, "\n");
    let screen = screen(&app);
    let text = "an entry stays 10s before it is evicted";
    assert!(screen.contains(text), "{screen}");
}

#[test]
fn the_culprit_belongs_to_its_kind_of_loss() {
    let lost = |refused: Option<u64>| Loss {
        is_traced: true,
        failed: refused.map(|count| [(Errno(7), count)].into()),
        evictions: Some(5),
        cause: Some(LossCause::Program),
        ..Loss::default()
    };
    let screen = detail("lru_hash", &lost(None));
    assert!(
        screen.contains("last eviction caused by a BPF program"),
        "{screen}"
    );
    let screen = detail("lru_hash", &lost(Some(2)));
    assert!(
        screen.contains("last loss caused by a BPF program"),
        "{screen}"
    );
}

#[test]
fn the_detail_shows_starting_tracers() {
    let mut app = App::new(host(), moment(0));
    app.resize(100, 36);
    let map = || mapstop::test_util::map("m").id(7);
    app.ingest(mapstop::test_util::watched(1, 0, [map()]), Duration::ZERO);
    press(&mut app, "\n");
    let screen = screen(&app);
    assert!(screen.contains("?  attaching tracers"), "{screen}");
}
