use super::*;
use crate::cli::parse_from;
use crate::env::Environment;
use crate::options::Mode;
use crate::test_util::scripted::{Script, Scripted};
use crate::test_util::{MapBuilder, host, map, moment, snapshot};
use crate::types::snapshot::Snapshot;

/// A kernel whose tracers take half a minute to attach.
struct Slow {
    now: u32,
    is_attached: bool,
    dues: Vec<Duration>,
}

impl Script for Slow {
    fn sample(&mut self) -> Result<Option<Snapshot>> {
        if !self.is_attached {
            self.now += 30;
            self.is_attached = true;
        }
        Ok(Some(snapshot(self.now, [map("m")])))
    }

    fn wait(&mut self, due: Duration) -> Duration {
        let now = moment(self.now).uptime.max(due);
        self.now = now.as_secs().try_into().expect("a short time");
        self.dues.push(now);
        now
    }
}

#[test]
fn second_report_is_a_whole_interval_after_the_first() {
    let line = "mapstop -b -n 3 -d 5 --losses".split(' ');
    let options = parse_from(line, Environment::terminal()).expect("a options line");
    let Mode::Batch(batch) = &options.mode else {
        panic!("a report: {options:?}");
    };
    let mut source = Scripted::new(Slow {
        now: 1,
        is_attached: false,
        dues: Vec::new(),
    });
    let mut out = Vec::new();
    let exit = run_to(&mut out, &options, batch, &mut source).expect("reports");
    assert_eq!(exit, Exit::Fine);
    assert!(!out.is_empty());
    assert_eq!(source.script.dues, [1, 36, 41].map(Duration::from_secs));
}

#[test]
fn marks_of_one_sample_are_explained_if_growth_could_change_them() {
    let line = |seconds: u32, map: fn() -> MapBuilder| {
        let mut history = History::default();
        let readings = (0..seconds).map(|second| history.read(snapshot(second, [map()])));
        let report = Report {
            host: &host(),
            source: "kernel",
            reading: &readings.last().expect("a reading"),
            indices: &[0],
        };
        describe_single_sample(&report)
    };
    let text = "marks are from one sample; growth was not measured. Add -d 10 to measure it";
    assert_eq!(line(1, || map("m").used(3, 3)).as_deref(), Some(text));
    assert_eq!(line(1, || map("m").used(6, 10)).as_deref(), Some(text));
    assert_eq!(line(2, || map("m").used(3, 3)), None);
    assert_eq!(line(1, || map("m").used(1, 10)), None);
    let lru = || map("m").named_type("lru_hash").used(3, 3);
    assert_eq!(line(1, lru), None);
}

#[test]
fn only_reported_maps_that_are_not_counted_yet_are_mentioned() {
    let open = |id| map("m").id(id).uncounted().counted(CountMethod::Scan);
    let line = |maps: Vec<MapBuilder>, is_once| {
        let reading = History::default().read(snapshot(0, maps));
        let indices: Vec<_> = (0..reading.rows.len()).filter(|at| *at < 2).collect();
        let report = Report {
            host: &host(),
            source: "kernel",
            reading: &reading,
            indices: &indices,
        };
        describe_uncounted(&report, is_once)
    };
    assert_eq!(line(vec![map("m"), map("n").id(9).uncounted()], true), None);
    assert_eq!(
        line(vec![open(1), map("m").id(2), open(3)], true).as_deref(),
        Some("1 map is too large to count in one report; the live view and -b keep counting")
    );
    assert_eq!(
        line(vec![open(1), open(2)], false).as_deref(),
        Some("2 maps are too large to count in one report; later reports keep counting")
    );
}
