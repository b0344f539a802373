use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::source::recording::Writer;
use crate::test_util::{host, map, owners_of_all_kinds, snapshot};

/// How many bytes the file has after each snapshot, from none on.
fn record(path: &Path, seconds: &[u32]) -> Vec<u64> {
    let length = || fs::metadata(path).expect("a file").len();
    let mut writer = Writer::create(path, &host()).expect("a file");
    let mut lengths = vec![length()];
    for second in seconds {
        writer.write(&of(*second)).expect("room");
        lengths.push(length());
    }
    lengths
}

fn of(second: u32) -> Snapshot {
    let used = u64::from(second) % 100;
    snapshot(
        second,
        [
            map("conns").id(second + 1).used(used, 100),
            map("events").id(99_999),
        ],
    )
}

fn file(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    (folder, path)
}

fn open(path: &Path) -> Recording {
    Recording::open(path).expect("a recording")
}

fn refusal(path: &Path) -> String {
    let error = Recording::open(path).err().expect("a refusal");
    format!("{error:#}").replace(&path.display().to_string(), "FILE")
}

fn second(recording: &mut Recording) -> Option<u64> {
    let snapshot = recording.sample().expect("a snapshot")?;
    Some(snapshot.moment.uptime.as_secs())
}

#[test]
fn snapshots_come_in_order_and_from_any_place() {
    let seconds: Vec<u32> = (1..=9000).collect();
    for name in ["maps", "maps.zst"] {
        let (_folder, path) = file(name);
        record(&path, &seconds);
        let mut recording = open(&path);
        assert_eq!(recording.name(), "recording");
        assert_eq!(recording.host(), &host());
        assert_eq!(recording.moments().len(), 9000);
        assert!(recording.lines.position() > 2 << 20, "several frames");
        for second in &seconds {
            assert_eq!(recording.sample().expect("a snapshot"), Some(of(*second)));
        }
        assert_eq!(recording.sample().expect("an end"), None);
        for at in [8999, 0, 17, 18, 4000, 3999, 3990, 8000, 8002, 5] {
            recording.seek(at);
            assert_eq!(
                recording.sample().expect("a snapshot"),
                Some(of(seconds[at])),
                "{name}"
            );
        }
        recording.seek(usize::MAX);
        assert_eq!(recording.sample().expect("an end"), None);
    }
}

#[test]
fn waiting_skips_to_what_was_taken_then_but_never_past_the_last() {
    let (_folder, path) = file("maps");
    record(&path, &[10, 11, 12, 20, 30]);
    let mut recording = open(&path);
    let seconds = Duration::from_secs;
    assert_eq!(recording.wait(seconds(0)), seconds(10));
    assert_eq!(second(&mut recording), Some(10));
    assert_eq!(recording.wait(seconds(10)), seconds(11));
    assert_eq!(recording.wait(seconds(13)), seconds(20));
    assert_eq!(recording.wait(seconds(11)), seconds(20));
    assert_eq!(recording.wait(Duration::from_millis(20_040)), seconds(20));
    assert_eq!(recording.wait(seconds(999)), seconds(30));
    assert_eq!(second(&mut recording), Some(30));
    assert_eq!(recording.wait(seconds(999)), seconds(999));
    assert_eq!(second(&mut recording), None);
}

#[test]
fn a_file_cut_anywhere_loses_its_end_only() {
    for name in ["maps", "maps.zst"] {
        let (_folder, path) = file(name);
        let lengths = record(&path, &[1, 2, 3]);
        let bytes = fs::read(&path).expect("a file");
        let end = *lengths.last().expect("the end");
        for cut in 0..bytes.len() {
            fs::write(&path, &bytes[..cut]).expect("a file");
            let cut = cut as u64;
            // A line is whole without its end, too.
            let slack = u64::from(name == "maps");
            let whole = lengths[1..]
                .iter()
                .filter(|length| **length <= cut + slack)
                .count();
            match Recording::open(&path) {
                Ok(mut recording) => {
                    assert_eq!(recording.moments().len(), whole, "{name} {cut}");
                    for second in 1..=whole {
                        let second = u32::try_from(second).expect("few");
                        assert_eq!(recording.sample().expect("a snapshot"), Some(of(second)));
                    }
                    assert_eq!(recording.sample().expect("an end"), None);
                    let is_even = lengths.contains(&cut) || lengths.contains(&(cut + slack));
                    // The few bytes that finish a frame are like the first of a snapshot.
                    let notice = recording.notice();
                    if cut <= end {
                        assert_eq!(notice.is_none(), is_even, "{name} {cut}");
                    }
                }
                Err(error) => {
                    assert_eq!(whole, 0, "{name} {cut}: {error:#}");
                    assert_eq!(format!("{error:#}").lines().count(), 1);
                }
            }
        }
    }
}

#[test]
fn a_cut_is_said_once() {
    let (_folder, path) = file("maps.zst");
    let lengths = record(&path, &[1, 2, 3]);
    fs::File::options()
        .write(true)
        .open(&path)
        .expect("a file")
        .set_len(lengths[3] - 1)
        .expect("a cut");
    let mut recording = open(&path);
    let says = recording.notice().expect("a notice");
    let expected = format!(
        "{} is truncated: its last sample is incomplete and left out",
        path.display()
    );
    assert_eq!(says, expected);
    assert_eq!(recording.notice(), None);
}

#[test]
fn a_flipped_byte_is_damage_or_another_snapshot_and_nothing_worse() {
    for name in ["maps", "maps.zst"] {
        let (_folder, path) = file(name);
        record(&path, &[1, 2, 3]);
        let bytes = fs::read(&path).expect("a file");
        for at in 0..bytes.len() {
            for flip in [0x01, 0x20, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                fs::write(&path, bytes).expect("a file");
                let read = || -> Result<()> {
                    let mut recording = Recording::open(&path)?;
                    while recording.sample()?.is_some() {}
                    Ok(())
                };
                if let Err(error) = read() {
                    let error = format!("{error:#}");
                    assert!(!error.contains(char::is_control), "{error:?}");
                }
            }
        }
    }
}

const HEADER: &str = r#"{"mapstop_recording":1,"boot_id":"one"}"#;

fn line(uptime: u32) -> String {
    format!(r#"{{"time":"2026-11-22T14:25:09Z","uptime_ns":{uptime},"maps":[]}}"#)
}

#[test]
fn what_is_no_recording_is_refused_in_one_line() {
    let (folder, path) = file("maps");
    let newer = r#"{"mapstop_recording":2,"machine":{}}"#;
    let report = r#"{"version":1,"maps":[]}"#;
    let no = "FILE is not a mapstop recording";
    for (content, says) in [
        (&b""[..], no),
        (b"\x7fELF\x02\x01\x01\0\0\n\0", no),
        (b"\x1f\x8b\x08\0\0\0\0\0", no),
        (b"{}\n", no),
        (b"[1, 2]\n", no),
        (b"{\"mapstop_recording\":0}\n", no),
        (line(1).as_bytes(), no),
        (
            report.as_bytes(),
            "FILE is a report, not a mapstop recording, which --record writes",
        ),
        (
            newer.as_bytes(),
            "FILE was made by a newer mapstop (format 2; this one reads format 1)",
        ),
        (HEADER.as_bytes(), "FILE contains no sample"),
        (
            b"\x28\xb5\x2f\xfd\x08 and something else altogether",
            "FILE is damaged at line 1: Unsupported frame parameter",
        ),
    ] {
        fs::write(&path, content).expect("a file");
        assert_eq!(refusal(&path), says, "{content:?}");
    }
    assert_eq!(
        refusal(folder.path()),
        "--replay: FILE is a directory; give a file written by --record"
    );
    assert_eq!(
        refusal(Path::new("/dev/zero")),
        "--replay: FILE is not a regular file; a pipe can be read only once, a recording is read more often"
    );
    assert_eq!(
        refusal(&folder.path().join("none")),
        "cannot open FILE: No such file or directory (os error 2)"
    );
}

#[test]
fn damage_is_said_with_its_line() {
    let (_folder, path) = file("maps");
    let (one, two) = (line(1), line(2));
    let late = "it was taken no later than the one before it";
    let newer = r#"{"mapstop_recording":3}"#;
    let keep = "to keep the lines before it: head -n";
    for (lines, says) in [
        (
            [&*one, "\u{1b}[2J", &*two],
            "FILE is damaged at line 3: not a JSON object; to keep the lines before it: head -n 2 FILE > NEW"
                .to_owned(),
        ),
        (
            [&*two, &*one, &*one],
            format!("FILE is damaged at line 3: {late}; {keep} 2 FILE > NEW"),
        ),
        (
            [&*one, &*two, &*two],
            format!("FILE is damaged at line 4: {late}; {keep} 3 FILE > NEW"),
        ),
        (
            [&*one, newer, &*two],
            "FILE was made by a newer mapstop (format 3; this one reads format 1)".to_owned(),
        ),
    ] {
        fs::write(&path, format!("{HEADER}\n{}\n", lines.join("\n"))).expect("a file");
        assert_eq!(refusal(&path), says);
    }
    // Only that it is JSON is known before it is asked for.
    let maps = r#"[{"id":"\u001b[2J"}]"#;
    fs::write(
        &path,
        format!("{HEADER}\n\n{one}\n{}\n", two.replace("[]", maps)),
    )
    .expect("a file");
    let mut recording = open(&path);
    assert_eq!(second(&mut recording), Some(0));
    let error = recording.sample().expect_err("damage").to_string();
    assert!(
        error.contains("is damaged at line 4, column ") && error.contains(": invalid type: string"),
        "{error}"
    );
    assert!(!error.contains('\u{1b}'), "{error:?}");
    assert_eq!(second(&mut recording), None);
}

#[test]
fn recordings_of_one_boot_can_be_put_together() {
    let (_folder, path) = file("maps");
    let put = |between: &str| {
        let (one, two) = (line(1), line(2));
        fs::write(&path, format!("{HEADER}\n{one}\n{between}\n{two}\n")).expect("a file");
    };
    put(HEADER);
    assert_eq!(open(&path).moments().len(), 2);
    put(&HEADER.replace("one", "two"));
    assert_eq!(
        refusal(&path),
        "FILE holds recordings of two boots (line 3): split it there"
    );
    put(&HEADER.replace('}', r#","node":"b"}"#));
    assert_eq!(
        refusal(&path),
        "FILE holds recordings of two boots (line 3): split it there"
    );
}

#[test]
fn compressed_files_can_be_put_together_and_be_one_frame() {
    let (folder, path) = file("maps.zst");
    let other = folder.path().join("other.zst");
    record(&path, &[1, 2]);
    record(&other, &[3, 4]);
    let bytes = [
        fs::read(&path).expect("a file"),
        fs::read(&other).expect("a file"),
    ]
    .concat();
    fs::write(&path, &bytes).expect("a file");
    let seconds = |recording: &mut Recording| -> Vec<_> {
        recording.seek(0);
        std::iter::from_fn(|| second(recording)).collect()
    };
    assert_eq!(seconds(&mut open(&path)), [1, 2, 3, 4]);
    // By another program, under another name.
    let text = zstd::decode_all(&bytes[..]).expect("text");
    let packed = zstd::encode_all(&text[..], 19).expect("zstd");
    fs::write(&path, packed).expect("a file");
    let path = path.with_extension("packed");
    fs::rename(folder.path().join("maps.zst"), &path).expect("another name");
    let mut recording = open(&path);
    assert_eq!(seconds(&mut recording), [1, 2, 3, 4]);
    assert_eq!(seconds(&mut recording), [1, 2, 3, 4]);
    assert_eq!(recording.notice(), None);
}

#[test]
fn a_line_without_end_is_given_up() {
    let (_folder, path) = file("maps");
    fs::write(&path, format!("{HEADER}\n{}\n", line(1))).expect("a file");
    let file = fs::File::options().write(true).open(&path).expect("a file");
    file.set_len(300 << 20).expect("a hole");
    assert_eq!(
        refusal(&path),
        "FILE is damaged at line 3: a line longer than 256 MiB"
    );
}

#[test]
fn whose_maps_were_is_known_from_any_place() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("owned.mrec.zst");
    let mut writer = Writer::create(&path, &host()).expect("a file");
    let early = Arc::new(owners_of_all_kinds());
    let later = Arc::new(Owners::new(Duration::from_secs(9), None, []));
    let known = [None, Some(&early), Some(&early), Some(&later), Some(&later)];
    for (second, owners) in (0..).zip(known) {
        let owners = owners.cloned();
        let snapshot = Snapshot {
            owners,
            ..of(second)
        };
        writer.write(&snapshot).expect("room");
    }
    drop(writer);
    let mut recording = Recording::open(&path).expect("a recording");
    assert_eq!(recording.owned, [1, 3], "said once");
    for at in [4, 2, 0, 1, 3, 2] {
        recording.seek(at);
        let snapshot = recording.sample().expect("a line").expect("a snapshot");
        assert_eq!(snapshot.owners.as_ref(), known[at], "at {at}");
    }
}
