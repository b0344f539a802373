use super::*;
use crate::test_util::checkup;
use crate::types::count::CountMethod;
use crate::types::map_type::MapType;

fn described(doctor_report: &DoctorReport) -> Vec<String> {
    let line = |gap: Gap| format!("{}: {} [{}]", gap.name, gap.why, gap.commands.join("] ["));
    find_gaps(doctor_report).into_iter().map(line).collect()
}

#[test]
fn machine_that_shows_everything_has_no_gap() {
    assert_eq!(described(&checkup()), [""; 0]);
}

fn without(capabilities: &[&str]) -> DoctorReport {
    let mut report = checkup();
    report.map_access = MapAccess::NotPermitted("CAP_BPF is missing".to_owned());
    report.privileges.uid = 1000;
    for capability in &mut report.privileges.capabilities {
        capability.is_effective = !capabilities.contains(&capability.name);
    }
    report
}

#[test]
fn missing_capabilities_get_sudo_and_setcap() {
    let line = format!("maps: CAP_BPF is missing [{SUDO}] [{SETCAP}]");
    assert_eq!(described(&without(&["CAP_BPF"])), [line]);
}

#[test]
fn root_without_capabilities_does_not_get_sudo() {
    let mut report = without(&["CAP_BPF"]);
    report.privileges.uid = 0;
    let [line] = &described(&report)[..] else {
        panic!("{report:?}");
    };
    assert!(line.contains("in a systemd unit"), "{line}");
    assert!(line.ends_with(&format!("[{CONTAINER}]")), "{line}");
}

#[test]
fn other_refusals_do_not_get_sudo() {
    assert_eq!(described(&without(&[])), ["maps: CAP_BPF is missing []"]);
}

#[test]
fn low_memlock_gets_prlimit() {
    let mut report = without(&[]);
    report.privileges.insufficient_memlock_limit = Some(64 << 10);
    assert!(described(&report)[0].ends_with(&format!("[{UNLOCK}] [{SUDO}]")));
}

#[test]
fn container_gets_docker_options() {
    let mut report = without(&["CAP_BPF"]);
    report.privileges.first_pid_namespace = Some(false);
    assert!(described(&report)[0].contains(CONTAINER));
    // All capabilities are held there, but none is effective.
    report.privileges.first_user_namespace = Some(false);
    assert!(described(&report)[0].contains("--userns=host"));
}

#[test]
fn types_are_grouped_by_reason() {
    let mut report = checkup();
    for (map_type, note) in [
        (MapType::HASH, "too old"),
        (MapType::LRU_HASH, "too old"),
        (MapType::BLOOM_FILTER, "never"),
        (MapType::ARENA, "a tree"),
    ] {
        let check = report
            .types
            .iter_mut()
            .find(|check| check.map_type == map_type);
        let check = check.expect("a type");
        check.counted = Some(false);
        check.count_method = Some(CountMethod::None);
        check.note = Some(note.into());
    }
    let lines = [
        "counts: hash, lru_hash: too old []",
        "counts: arena: a tree []",
    ];
    assert_eq!(described(&report), lines);
}

#[test]
fn untested_tracers_get_a_command_only_for_low_memlock() {
    let mut report = checkup();
    report.privileges.insufficient_memlock_limit = Some(64 << 10);
    let losses = report.losses.as_mut().expect("they were tried");
    losses.refused = Some("no".into());
    let line = "losses: no; nothing fixes that on this kernel []";
    assert_eq!(described(&report), [line]);
    report.kernel_support.lockdown = Some("integrity".into());
    assert_eq!(described(&report), ["losses: no []"]);
    report.kernel_support.lockdown = None;
    report.losses.as_mut().expect("they were tried").tracers = TracerProbe::Untried;
    assert_eq!(
        described(&report),
        [format!("losses: no [{DOCKER_ULIMIT_MEMLOCK}]")]
    );
    report.privileges.uid = 1000;
    assert_eq!(
        described(&report),
        [format!("losses: no [{UNLOCK}] [{SUDO}]")]
    );
}

#[test]
fn unknown_mounts_are_not_reported_as_missing() {
    let mut report = checkup();
    report.kernel_support.memory_cgroup = None;
    assert!(described(&report)[0].ends_with(&format!("[{MOUNT_CGROUPS}]")));
    report.kernel_support.memory_is_version_1 = true;
    assert!(described(&report)[0].ends_with(&format!("[{MOUNT_MEMORY_CGROUPS}]")));
    report.kernel_support.bpffs = None;
    assert!(described(&report)[0].ends_with(&format!("[{MOUNT_PROC}]")));
    report.map_access = MapAccess::Hidden("no /sys".to_owned());
    assert_eq!(
        described(&report)[0],
        format!("maps: no /sys [{MOUNT_SYS}]")
    );
    assert_eq!(described(&report).len(), 2);
    // The next obstacle is reported at once.
    report.privileges.capabilities[0].is_effective = false;
    report.privileges.uid = 1000;
    assert!(described(&report)[1].ends_with(&format!("[{SUDO}] [{SETCAP}]")));
}

#[test]
fn ownership_gaps_get_their_commands() {
    let mut report = checkup();
    let mut commands = |change: fn(&mut DoctorReport), unknown| {
        change(&mut report);
        report.ownership_gaps = Some(vec![unknown]);
        let [gap] = &find_gaps(&report)[..] else {
            panic!("{unknown}");
        };
        gap.commands.clone()
    };
    let as_it_is = |_: &mut DoctorReport| {};
    assert_eq!(commands(as_it_is, OwnershipGap::Links), [""; 0]);
    assert_eq!(commands(as_it_is, OwnershipGap::SomePins), [""; 0]);
    assert_eq!(commands(as_it_is, OwnershipGap::OtherPins), [ENTER_MOUNTS]);
    assert_eq!(
        commands(as_it_is, OwnershipGap::AllPins),
        [""; 0],
        "it asked as root already"
    );
    assert_eq!(commands(as_it_is, OwnershipGap::ManyPins), [""; 0]);
    assert_eq!(commands(as_it_is, OwnershipGap::AllProcesses), [MOUNT_PROC]);
    let without_any = |doctor_report: &mut DoctorReport| {
        for capability in &mut doctor_report.privileges.capabilities {
            capability.is_effective = false;
        }
    };
    assert_eq!(
        commands(without_any, OwnershipGap::Links),
        [DOCKER_CAP_SYS_ADMIN]
    );
    assert_eq!(
        commands(as_it_is, OwnershipGap::SomePins),
        [DOCKER_CAP_DAC_READ_SEARCH]
    );
    assert_eq!(
        commands(as_it_is, OwnershipGap::AllPins),
        [DOCKER_CAP_SYS_PTRACE]
    );
    let as_user = |doctor_report: &mut DoctorReport| doctor_report.privileges.uid = 1000;
    assert_eq!(commands(as_user, OwnershipGap::Links), [SUDO]);
    assert_eq!(commands(as_it_is, OwnershipGap::SomePins), [SUDO]);
    assert_eq!(commands(as_it_is, OwnershipGap::AllPins), [SUDO]);
    let in_container = |doctor_report: &mut DoctorReport| {
        doctor_report.privileges.first_pid_namespace = Some(false);
    };
    assert_eq!(
        commands(in_container, OwnershipGap::OtherProcesses),
        [CONTAINER_OF_HOST_PIDS]
    );
    assert_eq!(commands(as_it_is, OwnershipGap::OtherPins), [""; 0]);
}
