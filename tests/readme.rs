//! The README says what the program does: keys, flags, exit codes.

use std::process::Command;

use mapstop::tui::keymap::{BINDINGS, KeyContext};

const README: &str = include_str!("../README.md");

/// The part of the README under a heading.
fn section(heading: &str) -> &'static str {
    let start = README.find(heading).expect("the heading");
    let rest = &README[start + heading.len()..];
    &rest[..rest
        .find("\n## ")
        .or(rest.find("\n### "))
        .unwrap_or(rest.len())]
}

/// Files that the papers name exist.
#[test]
fn the_papers_name_what_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for (paper, text) in [
        ("ARCHITECTURE.md", include_str!("../ARCHITECTURE.md")),
        ("CONTRIBUTING.md", include_str!("../CONTRIBUTING.md")),
    ] {
        let words = text.split('`').skip(1).step_by(2);
        let paths = words.filter(|word| {
            let is_path = word.starts_with("src/") || word.starts_with("tests/");
            is_path && !word.contains(['*', ' '])
        });
        for path in paths {
            assert!(root.join(path).exists(), "{paper}: {path}");
            count += 1;
        }
    }
    assert!(count > 20, "they name {count} files");
}

#[test]
fn every_link_within_the_readme_leads_to_a_heading() {
    let headings = README.lines().filter(|line| line.starts_with('#'));
    let anchors: Vec<_> = headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.replace(' ', "-");
            kept.replace(|c: char| !c.is_alphanumeric() && c != '-', "")
        })
        .collect();
    let mut count = 0;
    for (start, link) in README.match_indices("](#") {
        let rest = &README[start + link.len()..];
        let anchor = &rest[..rest.find(')').expect("the end of a link")];
        assert!(anchors.iter().any(|known| known == anchor), "#{anchor}");
        count += 1;
    }
    assert!(count > 0, "the README has such links");
}

/// Until the project has an address, nobody is sent to two different ones.
#[test]
fn the_repository_has_one_address() {
    let address = env!("CARGO_PKG_REPOSITORY");
    assert!(README.contains(&format!("git clone {address} ")));
    for (file, text) in [
        ("README.md", README),
        ("CHANGELOG.md", include_str!("../CHANGELOG.md")),
        (
            "contrib/Containerfile",
            include_str!("../contrib/Containerfile"),
        ),
    ] {
        for (start, _) in text.match_indices("https://example.org") {
            assert!(
                text[start..].starts_with(address),
                "{file}: {}",
                &text[start..start + 60]
            );
        }
    }
}

#[test]
fn every_key_of_the_table_is_in_the_readme() {
    let keys = section("### Keys\n");
    let words: Vec<_> = keys.split([' ', ',', '|', '\n']).collect();
    for binding in BINDINGS.iter().filter(|binding| {
        use KeyContext::{Detail, Everywhere, Replay, Table, Time};
        matches!(binding.context, Table | Time | Replay | Detail | Everywhere)
    }) {
        for key in binding.keys {
            let name = key.name();
            assert!(
                words.contains(&name.as_str()) || name == ",",
                "{name}: {}",
                binding.help
            );
        }
    }
}

#[test]
fn every_option_the_readme_names_exists() {
    let help: String = [
        &["--help"][..],
        &["export", "--help"],
        &["doctor", "--help"],
    ]
    .into_iter()
    .map(|args| {
        let help = Command::new(env!("CARGO_BIN_EXE_mapstop"))
            .args(args)
            .output()
            .expect("help");
        String::from_utf8(help.stdout).expect("UTF-8")
    })
    .collect();
    let options = README
        .split(|c: char| c.is_whitespace() || c == '`')
        .filter_map(|word| word.strip_prefix("--"))
        .filter(|name| name.starts_with(char::is_alphabetic))
        .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .map(|name| format!("--{name}"));
    let mut count = 0;
    for option in options {
        assert!(help.contains(&option), "{option}");
        count += 1;
    }
    assert!(count > 5, "the README names some options");
}

#[test]
fn every_metric_is_in_the_readme_and_no_other() {
    use mapstop::exporter::openmetrics::families::{COMPAT, GLOBAL_FAMILIES, MAP_FAMILIES};
    let of_maps = MAP_FAMILIES
        .iter()
        .chain(&COMPAT)
        .map(|family| family.meta.name);
    let mut names: Vec<_> = of_maps
        .chain(GLOBAL_FAMILIES.map(|head| head.name))
        .collect();
    let mut told: Vec<_> = section("### Prometheus\n")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    names.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, names);
}

#[test]
fn the_examples_of_the_readme_are_understood() {
    let lines = README
        .lines()
        .filter(|line| line.starts_with("    sudo mapstop") || line.starts_with("    mapstop -"));
    let mut count = 0;
    for line in lines {
        // A shell cuts the line into words, as it does for the user; what it would run or write
        // to after that is none of ours.
        let words = Command::new("sh")
            .args([
                "-c",
                &format!(
                    "sudo() {{ printf '%s\\n' \"$@\" >&2; }}\nmapstop() {{ sudo mapstop \"$@\"; }}\n{line}"
                ),
            ])
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .output()
            .expect("sh");
        let words = String::from_utf8(words.stderr).expect("UTF-8");
        let words: Vec<_> = words
            .lines()
            .take_while(|word| !word.starts_with("sh:"))
            .map(|word| match word {
                "URL" => "http://prometheus:9090",
                word => word,
            })
            .collect();
        assert_eq!(words.first(), Some(&"mapstop"), "{line}");
        let parsed = mapstop::cli::parse_from(words, mapstop::env::Environment::terminal());
        assert!(parsed.is_ok(), "{line}: {parsed:?}");
        count += 1;
    }
    assert!(count > 5, "the README has examples");
}

#[test]
fn the_figures_of_the_readme_are_those_of_the_program() {
    let size = mapstop::source::kernel::Kernel::record_size();
    assert!(
        README.contains(&format!("one record of {size} bytes")),
        "{size}"
    );
    let is_placeholder =
        |line: &&str| !line.is_empty() && line.chars().all(|c| c.is_ascii_uppercase());
    assert_eq!(README.lines().find(is_placeholder), None);
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = Command::new(env!("CARGO_BIN_EXE_mapstop"))
        .arg("--help")
        .output()
        .expect("help");
    let help = String::from_utf8(help.stdout).expect("UTF-8");
    let help = &help[help.find("Exit status:").expect("the exit codes")..];
    let exit = section("### Exit status\n");
    for code in [
        "| 0 |",
        "| 1 |",
        "| 2 |",
        "| 3 |",
        "| 4 |",
        "| 5 |",
        "| 130, 143 |",
    ] {
        assert!(exit.contains(code), "{code}");
        for number in code
            .split(|c: char| !c.is_ascii_digit())
            .filter(|n| !n.is_empty())
        {
            let mut words = help.split(|c: char| !c.is_ascii_alphanumeric());
            assert!(words.any(|word| word == number), "{number}: {help}");
        }
    }
}

#[test]
fn the_kernels_that_every_change_is_tested_on_have_their_columns() {
    for table in ["counts", "losses"] {
        let begin = format!("<!-- {table} -->\n| type |");
        let (_, rest) = README.split_once(&begin).expect("the table");
        let head = rest.lines().next().expect("its head");
        for series in ["5.10", "6.1", "6.12"] {
            assert!(head.contains(&format!(" {series} |")), "{series}: {head}");
        }
    }
}
