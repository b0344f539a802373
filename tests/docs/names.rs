//! Every name that users rely on is in the docs, and no other.

use std::collections::BTreeSet;

use mapstop::exit_code::Exit;
use mapstop::exporter::openmetrics::families::{COMPAT, GLOBAL_FAMILIES, MAP_FAMILIES};
use mapstop::query::fields::FieldType;
use mapstop::query::fields::table::FIELDS;
use mapstop::tui::keymap::{BINDINGS, KeyContext};

use crate::{Page, code_spans, listed, output, pages, rows};

type Names = BTreeSet<String>;

fn names<'a>(found: impl IntoIterator<Item = &'a str>) -> Names {
    found.into_iter().map(str::to_owned).collect()
}

/// The words in backticks in the first cells of tables.
fn first_cells(text: &str) -> Names {
    let rows = rows(text);
    names(rows.iter().flat_map(|row| code_spans(row[0])))
}

/// The last parts of paths such as `maps[].loss.drops`.
fn leaf_fields(list: &str) -> Names {
    let paths = listed(list);
    let leaf = |path: &String| path.rsplit('.').next().map(str::to_owned);
    paths.iter().filter_map(leaf).collect()
}

#[test]
fn keys() {
    let page = Page::read("docs/keys.md");
    for (heading, contexts) in [
        (
            "## In the table",
            &[KeyContext::Table, KeyContext::Everywhere][..],
        ),
        ("## Time", &[KeyContext::Time]),
        ("## In a recording", &[KeyContext::Replay]),
        ("## In the detail of a map", &[KeyContext::Detail]),
        (
            "## Elsewhere",
            &[
                KeyContext::Prompt,
                KeyContext::SortMenu,
                KeyContext::OwnerList,
                KeyContext::ColumnPicker,
                KeyContext::Help,
                KeyContext::Doctor,
                KeyContext::CountDialog,
            ],
        ),
    ] {
        let rows = rows(page.section(heading));
        let words = rows.iter().flat_map(|row| row[0].split(' '));
        // `Up Down, k j`; but a comma of its own is a key.
        let word = |word: &str| match word {
            "," => ",".to_owned(),
            word => word.trim_end_matches(',').to_owned(),
        };
        let documented: Names = words.map(word).collect();
        let keys = |contexts: &[KeyContext]| -> Names {
            let bindings = BINDINGS.iter().filter(|b| contexts.contains(&b.context));
            let keys = bindings.flat_map(|binding| binding.keys);
            keys.map(|key| key.name().to_string()).collect()
        };
        // Help, back and quitting, and moving in lists, are the same everywhere, and said once.
        let elsewhere = keys(&[KeyContext::Table, KeyContext::Everywhere]);
        let existing = keys(contexts);
        let missing: Vec<_> = match heading {
            "## In the table" | "## Time" | "## In a recording" => {
                existing.difference(&documented).collect()
            }
            _ => existing
                .difference(&documented)
                .filter(|key| !elsewhere.contains(*key))
                .collect(),
        };
        assert!(missing.is_empty(), "{heading}: {missing:?} are missing");
        let wrong: Vec<_> = documented.difference(&existing).collect();
        assert!(wrong.is_empty(), "{heading}: {wrong:?} are no keys there");
    }
}

#[test]
fn flags() {
    let pages = pages();
    let flags = listed("flags.txt");
    for (command, paths) in [
        ("mapstop", &["README.md", "docs/"][..]),
        ("mapstop advise", &["docs/advise-and-doctor.md"]),
        ("mapstop doctor", &["docs/advise-and-doctor.md"]),
        ("mapstop export", &["docs/exporter.md"]),
    ] {
        let text: String = pages
            .iter()
            .filter(|page| paths.iter().any(|path| page.path.starts_with(path)))
            .map(|page| &*page.text)
            .collect();
        let words: Names = names(code_spans(&text).flat_map(str::split_whitespace));
        let own = flags
            .iter()
            .filter_map(|flag| flag.rsplit_once(' '))
            .filter(|(of, _)| *of == command);
        for (_, flag) in own {
            // Each subcommand has a help, and nobody looks it up in the docs.
            let is_help = ["-h", "--help"].contains(&flag) && command != "mapstop";
            assert!(
                is_help || words.contains(flag),
                "{command} {flag} is not documented"
            );
        }
    }
    for page in &pages {
        let lines = page.blocks("sh").into_iter().map(|(_, line)| line);
        let of_mapstop =
            lines.filter(|line| line.contains("mapstop ") && !line.starts_with("podman"));
        let of_others = ["pid=host", "prlimit"];
        let inline = code_spans(&page.text)
            .filter(|span| !of_others.iter().any(|command| span.contains(command)));
        for word in inline.chain(of_mapstop).flat_map(str::split_whitespace) {
            let Some(name) = word.strip_prefix("--") else {
                continue;
            };
            let is_name = name.starts_with(char::is_alphabetic)
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            let exists = flags
                .iter()
                .any(|flag| flag.ends_with(&format!(" --{name}")));
            assert!(!is_name || exists, "{}: there is no --{name}", page.path);
        }
    }
}

#[test]
fn subcommands() {
    let help = output(&["--help"]);
    let (_, commands) = help.split_once("Commands:\n").expect("the subcommands");
    let names = commands.lines().take_while(|line| !line.is_empty());
    let text: String = pages().into_iter().map(|page| page.text).collect();
    for name in names.filter_map(|line| line.split_whitespace().next()) {
        assert!(text.contains(&format!("mapstop {name}")), "{name}");
    }
}

#[test]
fn filter_fields_and_kinds() {
    let page = Page::read("docs/filters.md");
    let documented = names(
        rows(page.section("## Fields"))
            .iter()
            .filter_map(|row| code_spans(row[0]).next()),
    );
    assert_eq!(documented, names(mapstop::query::filter::field_names()));

    let kind = FIELDS.iter().find(|field| field.name == "kind");
    let FieldType::Words(kinds) = kind.expect("the field").field_type else {
        panic!("kinds are words");
    };
    assert_eq!(
        first_cells(page.section("## Kinds")),
        names(kinds.iter().copied())
    );
}

#[test]
fn fields_of_json_and_csv() {
    let reports = Page::read("docs/json-and-exit-codes.md");
    let others = Page::read("docs/advise-and-doctor.md");
    for (list, text) in [
        ("json.txt", reports.section("## JSON fields")),
        ("csv.txt", reports.section("## JSON fields")),
        (
            "advise.txt",
            others.section("## `mapstop advise`: what to change"),
        ),
        (
            "doctor.txt",
            others.section("## `mapstop doctor`: what can be shown here"),
        ),
    ] {
        let documented = names(code_spans(text));
        for name in leaf_fields(list) {
            let name = name.trim_end_matches("[]");
            assert!(
                documented.contains(name),
                "{list}: {name} is not documented"
            );
        }
    }
    let existing = leaf_fields("json.txt");
    let documented = first_cells(reports.section("## JSON fields"));
    let wrong: Vec<_> = documented.difference(&existing).collect();
    assert!(wrong.is_empty(), "no such fields: {wrong:?}");
}

#[test]
fn topics_of_advice() {
    let page = Page::read("docs/advise-and-doctor.md");
    let documented = first_cells(page.section("### Topics"));
    assert_eq!(documented, names(mapstop::advise::rules::topics()));
}

#[test]
fn exit_codes() {
    let codes = [
        Exit::Fine,
        Exit::Failed,
        Exit::Usage,
        Exit::FailOn,
        Exit::NotPermitted,
        Exit::Unable,
        Exit::Interrupted,
        Exit::Terminated,
    ];
    let existing: Names = codes.map(|code| (code as u8).to_string()).into();
    let page = Page::read("docs/json-and-exit-codes.md");
    let rows = rows(page.section("## Exit codes"));
    let documented = names(rows.iter().flat_map(|row| row[0].split(", ")));
    assert_eq!(documented, existing);
    let help = output(&["--help"]);
    let help = &help[help.find("Exit status:").expect("the exit codes")..];
    let in_help = names(help.split(|c: char| !c.is_ascii_alphanumeric()));
    assert!(existing.is_subset(&in_help), "{help}");
}

#[test]
fn metrics_and_labels() {
    let of_maps = MAP_FAMILIES
        .iter()
        .chain(&COMPAT)
        .map(|family| family.meta.name);
    let existing = names(of_maps.chain(GLOBAL_FAMILIES.map(|head| head.name)));
    let page = Page::read("docs/exporter.md");
    let section = page.section("## Metrics");
    assert_eq!(first_cells(section), existing);
    let rows = rows(section);
    for line in listed("labels.txt") {
        let (metric, label) = line.split_once(' ').expect("a metric and a label");
        let row = rows.iter().find(|row| row[0] == format!("`{metric}`"));
        let is_common = ["id", "name", "type"].contains(&label);
        let is_there = row.is_some_and(|row| row[1].contains(&format!("`{label}`")));
        assert!(is_common || is_there, "{metric}: {label}");
    }
}

#[test]
fn make_targets() {
    let makefile = Page::read("Makefile").text;
    let (_, phony) = makefile.split_once(".PHONY:").expect("the targets");
    let (phony, _) = phony.split_once("\n\n").expect("their end");
    let targets: Vec<_> = phony
        .split_whitespace()
        .filter(|word| *word != "\\")
        .collect();
    let contributing = Page::read("CONTRIBUTING.md");
    for page in pages().iter().chain([&contributing]) {
        let lines = page.blocks("sh").into_iter().map(|(_, line)| line);
        for text in lines.chain(code_spans(&page.text)) {
            let Some(rest) = text.strip_prefix("make ") else {
                continue;
            };
            let target = rest.split_whitespace().next().expect("a target");
            assert!(targets.contains(&target), "{}: make {target}", page.path);
        }
    }
    // Steps of others.
    let parts = ["build", "bpf", "tools", "test-tools", "clean", "install"];
    for target in targets.iter().filter(|target| !parts.contains(target)) {
        let name = format!("`make {target}`");
        assert!(
            contributing.text.contains(&name),
            "CONTRIBUTING.md lacks {name}"
        );
    }
}

/// Tables that `make kernels` and people write.
#[test]
fn figures() {
    let page = Page::read("docs/kernels.md");
    let size = mapstop::source::kernel::Kernel::record_size();
    assert!(
        page.text.contains(&format!("one record of {size} bytes")),
        "{size}"
    );
    for table in ["counts", "losses"] {
        let begin = format!("<!-- {table} -->\n| type |");
        let (_, rest) = page.text.split_once(&begin).expect("the table");
        let head = rest.lines().next().expect("its head");
        for series in ["5.10", "6.1", "6.12"] {
            assert!(head.contains(&format!(" {series} |")), "{series}: {head}");
        }
    }
}
