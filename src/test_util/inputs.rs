//! What mapstop is given from outside, as any bytes: each entry reads them as mapstop would, and
//! checks what has to hold of whatever becomes of them. Fuzzing (`fuzz/`) and property tests
//! (`tests/inputs.rs`) begin here.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};

use super::{host, map, moment, owners_of_all_kinds, snapshot};
use crate::analysis::history::History;
use crate::analysis::thresholds::Thresholds;
use crate::cgroup::workload::Workload;
use crate::exporter::openmetrics::{Format, Scrape, Totals, Writer};
use crate::options::{ExportOptions, LabelBy};
use crate::query::complete::complete;
use crate::query::filter::Filter;
use crate::query::pushdown::source_query;
use crate::query::sort::Sort;
use crate::report::csv::CsvWriter;
use crate::report::json::JsonWriter;
use crate::report::text::TextWriter;
use crate::report::{Report, ReportWriter};
use crate::source::kernel::{self, Maps};
use crate::source::recording::Recording;
use crate::source::{Replay, Source, prometheus};
use crate::types::host::Moment;
use crate::types::loss_tracing::LossTracing;
use crate::types::reading::Reading;
use crate::types::snapshot::Snapshot;

/// One way in from outside.
#[derive(Debug, Clone, Copy)]
pub struct Input {
    /// What it is called, as are its fuzzing target and the folder of its corpus.
    pub name: &'static str,
    /// Reads these bytes. Panics if something does not hold.
    pub read: fn(&[u8]),
}

/// Every way in.
pub const INPUTS: [Input; 5] = [
    Input {
        name: "records",
        read: records,
    },
    Input {
        name: "recording",
        read: recording,
    },
    Input {
        name: "filter",
        read: filter,
    },
    Input {
        name: "cgroup",
        read: cgroup,
    },
    Input {
        name: "prometheus",
        read: prometheus,
    },
];

/// Records of a read.
const MAX_RECORDS_IN_A_READ: usize = 4;

/// Read after read of the kernel's iterators, a second apart: first of maps, then of their owners.
///
/// # Panics
///
/// If something does not hold.
pub fn records(bytes: &[u8]) {
    let mut maps = Maps::new(4);
    let mut history = History::live();
    let mut last = None;
    let reads = bytes.chunks(MAX_RECORDS_IN_A_READ * kernel::Kernel::record_size());
    for (second, read) in (0..).zip(reads) {
        let Moment { uptime, wall } = moment(second);
        let _ = maps.request();
        let owners = kernel::owners::owners_of([read; 3], uptime);
        let facts = maps.apply_read(read, uptime, |id| id == u32::MAX);
        assert!(
            facts.is_sorted_by(|a, b| a.key < b.key),
            "in order, each once"
        );
        assert!(facts.iter().all(|map| map.key.id.0 != u32::MAX), "hidden");
        let _ = (maps.has_unseen(), maps.incomplete());
        let reading = history.read(Snapshot {
            moment: Moment { uptime, wall },
            cpus: 2,
            maps: facts,
            owners: Some(owners.into()),
            loss_tracing: LossTracing::Off,
            fleet: None,
        });
        check(&reading);
        last = Some(reading);
    }
    if let Some(last) = last {
        check_output(&last);
    }
}

/// A file to replay, compressed or not.
///
/// # Panics
///
/// If something does not hold, or there is no memory for the file.
pub fn recording(bytes: &[u8]) {
    let file = memfd_create("recording", MemfdFlags::CLOEXEC).expect("a file in memory");
    let mut file = File::from(file);
    file.write_all(bytes).expect("room");
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let mut recording = match Recording::open(Path::new(&path)) {
        Ok(recording) => recording,
        Err(error) => return one_line(&format!("{error:#}")),
    };
    let moments = recording.moments().to_vec();
    assert!(moments.is_sorted_by(|a, b| a.uptime < b.uptime), "in order");
    let mut history = History::live();
    let mut first = None;
    let mut last = None;
    for moment in &moments {
        match recording.sample() {
            Ok(sample) => {
                let snapshot = sample.expect("as many as there are moments");
                assert_eq!(snapshot.moment, *moment);
                first.get_or_insert_with(|| snapshot.clone());
                let reading = history.read(snapshot);
                check(&reading);
                last = Some(reading);
            }
            Err(error) => return one_line(&format!("{error:#}")),
        }
    }
    if let Some(last) = last {
        check_output(&last);
    }
    assert!(recording.sample().expect("an end").is_none());
    recording.seek(0);
    let again = recording.sample().expect("what could be read once");
    assert_eq!(again, first, "the same from anywhere");
    recording.wait(Duration::MAX);
    if let Some(notice) = recording.notice() {
        one_line(&notice);
    }
}

/// A filter as it is typed.
///
/// # Panics
///
/// If something does not hold.
pub fn filter(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let ends = text.char_indices().map(|(at, _)| at);
    for at in ends.chain([text.len()]).take(100) {
        let completion = complete(&text, at);
        assert!(completion.insert.is_ascii());
    }
    let filter = match Filter::parse(&text) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(text.is_char_boundary(error.at), "a place in it");
            let under = error.caret_line(&text);
            assert!(under.ends_with('^'));
            assert!(!error.message.is_empty());
            return;
        }
    };
    let again = Filter::parse(filter.text()).expect("what it says it is");
    let mut snapshot = snapshot(6, [map("conns").id(3), map("Ünï").id(4), map("").id(5)]);
    snapshot.owners = Some(owners_of_all_kinds().into());
    let reading = History::default().read(snapshot);
    for row in &reading.rows {
        assert_eq!(filter.matches(row), again.matches(row));
    }
    let query = source_query(&filter, Sort::default(), Thresholds::default());
    let query = prometheus::query_for(&query);
    assert!(!query.contains('\n'), "{query:?}");
}

/// Lines of `/proc/PID/cgroup`, of `/proc/self/mountinfo`, or a path of a cgroup.
///
/// # Panics
///
/// If something does not hold.
pub fn cgroup(bytes: &[u8]) {
    let path = kernel::owners::cgroup_of(bytes);
    let text = String::from_utf8_lossy(bytes);
    for path in path.as_deref().into_iter().chain([&*text]) {
        let place = Workload::from_path(path);
        for said in [place.service(), place.container()].into_iter().flatten() {
            assert!(!said.is_empty());
        }
        assert!(
            place
                .pod()
                .is_none_or(|pod| pod.is_ascii() && pod.len() >= 32)
        );
    }
    if let Some(path) = path {
        one_line(&path);
    }
    for (at, root) in kernel::owners::mounted_at(bytes) {
        assert!(at.as_os_str().len() + root.as_os_str().len() <= bytes.len());
    }
}

/// What a server answers: to instant queries, to range queries, to what time it is.
///
/// # Panics
///
/// If something does not hold.
pub fn prometheus(bytes: &[u8]) {
    let [moment, later] = [1_000_000, 1_000_015].map(moment);
    let mut history = History::live();
    match prometheus::snapshot_of(200, bytes, moment) {
        Ok(snapshot) => {
            assert!(snapshot.maps.is_sorted_by(|a, b| a.key < b.key));
            check_output(&history.read(snapshot));
        }
        Err(error) => one_line(&format!("{error:#}")),
    }
    match prometheus::backfill_of(200, bytes, moment) {
        Ok(pasts) => {
            for past in &pasts {
                history.backfill(past);
            }
            if let Ok(snapshot) = prometheus::snapshot_of(200, bytes, later) {
                check_output(&history.read(snapshot));
            }
        }
        Err(error) => one_line(&format!("{error:#}")),
    }
    if let Err(error) = prometheus::snapshot_of(503, bytes, moment) {
        one_line(&format!("{error:#}"));
    }
}

/// Checks that no number is nonsense.
fn check(reading: &Reading) {
    for row in &reading.rows {
        let is_level = |number: f64| number.is_finite() && number >= 0.0;
        assert!(row.pressure.is_none_or(is_level), "{row:?}");
        assert!(row.growth_per_s.is_none_or(f64::is_finite), "{row:?}");
        assert!(row.full_in.seconds().is_none_or(is_level), "{row:?}");
        assert!(row.loss_per_s().is_none_or(is_level), "{row:?}");
    }
}

/// Tells of a reading in every way, and checks that no number is nonsense and no text does harm.
fn check_output(reading: &Reading) {
    check(reading);
    let mut places: Vec<_> = (0..reading.rows.len()).collect();
    Sort::default().apply(&reading.rows, &mut places);
    let host = host();
    let report = Report {
        host: &host,
        source: "recording",
        reading,
        indices: &places,
    };
    let mut out = Vec::new();
    JsonWriter::default()
        .write(&report, &mut out)
        .expect("room");
    let read: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(read["maps"].as_array().map(Vec::len), Some(places.len()));
    harmless_lines(&out);
    out.clear();
    CsvWriter::default().write(&report, &mut out).expect("room");
    harmless_lines(&out);
    out.clear();
    let mut table = TextWriter {
        only_if_known: &[],
        columns: None,
        paint: |_, cell: &str| cell.to_owned(),
        has_written: false,
    };
    table.write(&report, &mut out).expect("room");
    assert_eq!(harmless_lines(&out), places.len() + 1);
    let telling = ExportOptions {
        label_by: LabelBy::Id,
        is_compat: true,
        max_series: usize::MAX,
    };
    let scrape = Scrape {
        reading,
        indices: &places,
        took: Duration::from_millis(1),
        totals: &Totals::default(),
    };
    harmless_lines(&Writer::new(telling, Format::OpenMetrics).write(&scrape));
}

/// Checks that a terminal would take no harm from these lines; gives how many there are.
fn harmless_lines(text: &[u8]) -> usize {
    let text = str::from_utf8(text).expect("UTF-8");
    text.lines().inspect(|line| one_line(line)).count()
}

/// Checks that a message is one line, and would do a terminal no harm.
fn one_line(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
}
