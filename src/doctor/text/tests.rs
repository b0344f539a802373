use super::*;
use crate::test_util::checkup;

fn text(doctor_report: &DoctorReport, width: usize) -> String {
    lines(doctor_report, width)
        .into_iter()
        .map(|line| line.text + "\n")
        .collect()
}

#[test]
fn lines_fit_the_width_except_commands() {
    let mut report = checkup();
    report.map_access = MapAccess::NotPermitted("CAP_BPF and CAP_PERFMON are missing".to_owned());
    for capability in &mut report.privileges.capabilities {
        capability.is_effective = false;
    }
    for width in [20, 40, 80, 140] {
        for line in text(&report, width)
            .lines()
            .filter(|line| !line.contains('$'))
        {
            assert!(line.len() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn notes_about_small_maps_are_listed() {
    let mut report = checkup();
    for check in &mut report.types {
        if check.map_type.supports_batch_lookup() {
            check.count_method = Some(CountMethod::Walk);
            check.note = Some("large ones are estimated".into());
        }
    }
    let text = text(&report, 100);
    let line =
        "  note       hash, percpu_hash, lru_hash, lru_percpu_hash, hash_of_maps: large ones are";
    assert!(text.contains(line), "{text}");
}

#[test]
fn every_type_is_listed_once() {
    let text = text(&checkup(), 80);
    let counted = text.split("Which losses are seen").next().expect("a part");
    for map_type in MapType::all() {
        let name = map_type.to_string();
        let words = counted.split([' ', ',', ':', '\n']);
        assert_eq!(
            words.filter(|word| *word == name).count(),
            1,
            "{name}: {counted}"
        );
    }
}

#[test]
fn why_updates_are_not_watched_stands_once() {
    let mut report = checkup();
    let losses = report.losses.as_mut().expect("they were tried");
    let why = "this kernel refuses BPF trampolines";
    losses.refused = Some(why.into());
    for check in &mut losses.types {
        check.failed_updates = false;
        check.evictions = false;
        check.drops = check.map_type == MapType::DEVMAP;
        check.note = Some(why.into());
    }
    let text = text(&report, 100);
    let (_, losses) = text.split_once("Which losses are seen").expect("a part");
    assert_eq!(losses.matches(why).count(), 1, "{losses}");
    assert!(losses.contains("updates    not watched: this"), "{losses}");
    assert!(losses.contains("partly     devmap: only drops"), "{losses}");
    assert!(losses.contains("not seen   hash, "), "{losses}");
}
