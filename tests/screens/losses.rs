//! What maps lose, where it is watched and where it cannot be.

use std::sync::Arc;

use mapstop::types::errno::Errno;
use mapstop::types::loss::{Loss, LossCause};
use mapstop::types::loss_tracing::LossTracing;

use super::*;

/// What a map of the recording lost, `times` over: one refuses inserts, one evicts, of some not all
/// can be seen.
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
            // It has not moved in all that time.
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
fn updates_that_are_not_seen_are_not_said_to_be_watched() {
    let mut app = App::new(host(), moment(0));
    app.resize(140, 40);
    for (sees_updates, title) in [(true, "LOSSES watched"), (false, "LOSSES in part")] {
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
fn the_detail_says_what_was_lost_and_what_cannot_be_seen() {
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
fn a_selected_map_that_refuses_says_so_in_its_line() {
    let mut app = watched(80, 24, 1);
    press(&mut app, "j");
    let line = "! 2971 pol_ep_02366 refuses inserts: 31 failed updates/s (E2BIG, ENOMEM), last";
    assert!(screen(&app).contains(line), "{}", screen(&app));
}

#[test]
fn a_buffer_whose_reader_stands_still_says_since_when() {
    let mut app = watched(100, 24, 1);
    app.table.selected = Some(mapstop::test_util::key(377));
    let line = " 377 events  12,582,912 of 16,777,216 bytes  reader stalled for 2s  ringbuf";
    assert!(screen(&app).contains(line), "{}", screen(&app));
}

#[test]
fn the_events_say_when_it_began() {
    let mut app = watched(80, 12, 1);
    press(&mut app, "j\n2");
    let began = "14:25:11  began to refuse updates, 31/s";
    assert!(screen(&app).contains(began), "{}", screen(&app));
}

#[test]
fn a_narrow_title_keeps_what_needs_a_person_most() {
    let mut app = watched(26, 12, 1);
    app.data.is_recording = true;
    let screen = screen(&app);
    let title = screen.lines().next().expect("a title");
    assert_eq!(title, "1 full 3 watch REC LOSSES");
    app.resize(19, 12);
    let screen = self::screen(&app);
    let title = screen.lines().next().expect("a title");
    assert_eq!(title, "1 full REC LOSSES");
}

/// What the detail of map 7 says about losses.
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
fn what_xdp_drops_are_packets_and_what_perf_events_lose_found_no_room() {
    let dropped = |is_watched, drops| Loss {
        is_traced: is_watched,
        drops: Some(drops),
        ..Loss::default()
    };
    for (name, is_watched, drops, says) in [
        ("devmap", true, 1, "1 packet dropped since"),
        ("cpumap", true, 31, "31 packets dropped since"),
        ("ringbuf", true, 31, "31 records dropped since"),
        (
            "perf_event_array",
            false,
            31,
            "31 records found their buffer full since",
        ),
    ] {
        let screen = detail(name, &dropped(is_watched, drops));
        assert!(screen.contains(says), "{screen}");
    }
}

#[test]
fn who_made_the_last_loss_happen_is_said_of_what_it_is_about() {
    let lost = |refused: Option<u64>| Loss {
        is_traced: true,
        failed: refused.map(|count| [(Errno(7), count)].into()),
        evictions: Some(5),
        cause: Some(LossCause::Program),
        ..Loss::default()
    };
    let screen = detail("lru_hash", &lost(None));
    assert!(
        screen.contains("the last evicted by a BPF program"),
        "{screen}"
    );
    let screen = detail("lru_hash", &lost(Some(2)));
    assert!(
        screen.contains("the last of these by a BPF program"),
        "{screen}"
    );
}

#[test]
fn the_detail_says_that_tracers_are_being_attached() {
    let mut app = App::new(host(), moment(0));
    app.resize(100, 36);
    let map = || mapstop::test_util::map("m").id(7);
    app.ingest(mapstop::test_util::watched(1, 0, [map()]), Duration::ZERO);
    press(&mut app, "\n");
    let screen = screen(&app);
    assert!(screen.contains("?  tracers are being attached"), "{screen}");
}
