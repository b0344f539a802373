//! The doctor page, and counting a map exactly.

use mapstop::test_util::checkup;
use mapstop::types::count::CountMethod;
use mapstop::types::doctor_report::{DoctorReport, MapAccess};
use mapstop::types::map_type::MapType;
use mapstop::types::ownership_gap::OwnershipGap;

use super::*;

const SIZES: [(u16, u16); 3] = [(80, 24), (140, 40), (40, 12)];

/// The page, after these keys.
fn page(width: u16, height: u16, found: Option<DoctorReport>, keys: &str) -> String {
    let mut app = app(width, height);
    press(&mut app, "i");
    if let Some(found) = found {
        app.on_examined(found);
    }
    press(&mut app, keys);
    screen(&app)
}

/// An old kernel, and a user who may only see maps.
fn with_gaps() -> DoctorReport {
    let mut found = checkup();
    found.host.kernel = "6.1.0-56-cloud-amd64".into();
    found.privileges.uid = 1000;
    for capability in &mut found.privileges.capabilities {
        capability.is_effective = matches!(capability.name, "CAP_BPF" | "CAP_PERFMON");
    }
    found.privileges.first_mount_namespace = None;
    found.kernel_support.lockdown = Some("integrity".into());
    for check in &mut found.types {
        if check.count_method == Some(CountMethod::Counter) {
            check.counted = Some(false);
            check.count_method = Some(CountMethod::None);
            check.note = Some("this kernel keeps no count of it (Linux 6.6 and later do)".into());
        }
    }
    if let Some(losses) = &mut found.losses {
        for of in &mut losses.types {
            if of.map_type == MapType(11) {
                of.failed_updates = false;
                of.note =
                    Some("this kernel does not allow tracing trie_update_elem (EBUSY)".into());
            }
        }
    }
    found.ownership_gaps = Some(vec![OwnershipGap::Links, OwnershipGap::OtherPins]);
    found.privileges.uid = 1000;
    for capability in &mut found.privileges.capabilities[2..] {
        capability.is_effective = false;
    }
    found
}

#[test]
fn what_this_system_can_show() {
    for (width, height) in SIZES {
        let all = page(width, height, Some(checkup()), "");
        insta::assert_snapshot!(format!("system_{width}x{height}"), all);
        let gaps = page(width, height, Some(with_gaps()), "");
        insta::assert_snapshot!(format!("system_gaps_{width}x{height}"), gaps);
    }
    let end = page(80, 24, Some(with_gaps()), "G");
    insta::assert_snapshot!("system_gaps_end_80x24", end);
}

#[test]
fn before_it_is_known() {
    insta::assert_snapshot!("system_examining_80x24", page(80, 24, None, ""));
}

#[test]
fn remedies_come_first_where_maps_cannot_be_shown() {
    let mut found = checkup();
    found.map_access = MapAccess::NotPermitted("CAP_BPF and CAP_PERFMON are missing".to_owned());
    for capability in &mut found.privileges.capabilities {
        capability.is_effective = false;
    }
    found.privileges.uid = 1000;
    found.types.clear();
    (found.losses, found.cost, found.ownership_gaps) = (None, None, None);
    insta::assert_snapshot!("system_not_permitted_80x24", page(80, 24, Some(found), ""));
}

#[test]
fn the_doctor_page_of_a_recording() {
    let mut app = replay(80, 24);
    press(&mut app, "i");
    insta::assert_snapshot!("system_of_a_recording_80x24", screen(&app));
}

/// The view with a selected map whose count is unknown.
fn with_unknown(width: u16, height: u16) -> App {
    let mut app = app(width, height);
    let unknown = app.data.reading.as_ref().and_then(|reading| {
        let mut rows = reading.rows.iter();
        rows.find(|row| row.is_level_unknown() && row.facts.map_type.is_iterable())
    });
    app.table.selected = Some(unknown.expect("an unknown count").key().clone());
    app
}

#[test]
fn a_map_is_counted() {
    for (width, height) in SIZES {
        let mut app = with_unknown(width, height);
        press(&mut app, "C");
        insta::assert_snapshot!(format!("count_asked_{width}x{height}"), screen(&app));
        press(&mut app, "\n");
        let id = app.table.selected.clone().expect("a map");
        app.on_count_progress(&id, 1234);
        insta::assert_snapshot!(format!("count_going_on_{width}x{height}"), screen(&app));
        app.on_counted(&id, Duration::from_micros(870), Ok(Some(3210)));
        if width == 80 {
            insta::assert_snapshot!("count_done_80x24", screen(&app));
            press(&mut app, "\n");
            insta::assert_snapshot!("count_detail_80x24", screen(&app));
        }
    }
}
