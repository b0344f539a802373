//! The files in `contrib` are accepted by the programs that read them.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use mapstop::exporter::openmetrics::Format;

use crate::contrib;
use crate::numbers;
use crate::support::create_hash;
use crate::support::exporter::Exporter;

fn run(command: &mut Command) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    command.output().unwrap_or_else(|error| {
        panic!("no {program} here ({error}): contrib/install-tools.sh tests installs it")
    })
}

fn assert_fine(output: &Output) {
    let output_text = [output.stdout.as_slice(), &output.stderr].concat();
    let output_text = String::from_utf8_lossy(&output_text);
    assert!(output.status.success(), "{output_text}");
}

/// The complaints of promtool about these lines.
fn linted(text: &[u8]) -> String {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("no promtool here: contrib/install-tools.sh tests installs it");
    let mut stdin = promtool.stdin.take().expect("a pipe");
    stdin.write_all(text).expect("to be read");
    drop(stdin);
    let output = promtool.wait_with_output().expect("an end");
    let output_text = [output.stdout.as_slice(), &output.stderr].concat();
    let output_text = String::from_utf8_lossy(&output_text).into_owned();
    assert_eq!(
        output.status.success(),
        output_text.is_empty(),
        "{output_text}"
    );
    output_text
}

#[test]
fn promtool_accepts_every_family() {
    assert_eq!(linted(&numbers::page(1, Format::Text)), "");
    let _map = create_hash("exp_linted", 3, 10);
    // Only its own map: promtool would take minutes for thousands of maps of other tests.
    let own = ["-f", "name:exp_linted"];
    let exporter = Exporter::start(&own);
    let page = exporter.scrape();
    assert!(page.contains("exp_linted"));
    assert_eq!(linted(page.as_bytes()), "");
    let named = Exporter::start(&[&own[..], &["--label-by", "name", "--compat"]].concat());
    assert_eq!(linted(named.scrape().as_bytes()), "");
}

#[test]
fn promtool_accepts_the_alert_tests() {
    for (what, file) in [
        (["check", "rules"], "prometheus/mapstop.rules.yml"),
        (["test", "rules"], "prometheus/mapstop.test.yml"),
        (["check", "config"], "prometheus/scrape.yml"),
    ] {
        assert_fine(&run(Command::new("promtool").args(what).arg(contrib(file))));
    }
    let rules = fs::read_to_string(contrib("prometheus/mapstop.rules.yml")).expect("the rules");
    let tests = fs::read_to_string(contrib("prometheus/mapstop.test.yml")).expect("their tests");
    for name in rules
        .lines()
        .filter_map(|line| line.split_once("- alert: "))
    {
        assert!(tests.contains(name.1), "{} has no test", name.1);
    }
}

#[test]
fn systemd_accepts_the_unit() {
    let unit = fs::read_to_string(contrib("systemd/mapstop-export.service")).expect("the unit");
    let installed = "/usr/local/bin/mapstop";
    assert!(unit.contains(&format!("ExecStart={installed} export\n")));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mapstop-export.service");
    // Where it is built, not where it would be installed.
    fs::write(
        &path,
        unit.replace(installed, env!("CARGO_BIN_EXE_mapstop")),
    )
    .expect("a file");
    let output = run(Command::new("systemd-analyze").arg("verify").arg(&path));
    assert_fine(&output);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    for hardened in [
        "DynamicUser=yes",
        "CapabilityBoundingSet=CAP_BPF CAP_PERFMON",
        "ProtectSystem=strict",
        "SystemCallFilter=@system-service bpf",
    ] {
        assert!(unit.lines().any(|line| line == hardened), "{hardened}");
    }
}

#[test]
fn container_command_lines_are_valid() {
    let recipe = fs::read_to_string(contrib("Containerfile")).expect("the recipe");
    let entry = recipe
        .lines()
        .find_map(|line| line.strip_prefix("ENTRYPOINT "));
    let entry: Vec<String> = serde_json::from_str(entry.expect("an entry point")).expect("JSON");
    let environment = mapstop::env::Environment::terminal();
    let parsed = mapstop::cli::parse_from(&entry, environment);
    let mapstop::options::Mode::Export(options) = parsed.expect("a command line").mode else {
        panic!("{entry:?}")
    };
    let port = options.listen.rsplit(':').next().expect("a port");
    let manifest = fs::read_to_string(contrib("kubernetes/daemonset.yaml")).expect("the manifest");
    assert!(manifest.contains(&format!("containerPort: {port}\n")));
    let scrape = fs::read_to_string(contrib("prometheus/scrape-kubernetes.yml")).expect("the job");
    // Debian's promtool is built without Kubernetes, so it cannot check that part.
    assert!(
        scrape.contains("- job_name: mapstop\n") && scrape.contains("regex: mapstop;metrics\n")
    );
    assert!(manifest.contains("app.kubernetes.io/name: mapstop\n"));
    assert!(manifest.contains("name: metrics\n") && manifest.contains("namespace: monitoring\n"));
    assert!(manifest.contains("hostPID: true\n") && manifest.contains("add: [BPF, PERFMON]\n"));
    assert!(recipe.contains("--cap-add=bpf --cap-add=perfmon") && recipe.contains("--pid=host"));
}
