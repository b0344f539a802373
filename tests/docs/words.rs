//! The words of CONTRIBUTING.md, over what users read.

use std::fs;
use std::path::Path;

use regex::{Regex, RegexBuilder};

use crate::{Page, ROOT, output, pages, rows};

/// A word to avoid.
struct Rule {
    pattern: Regex,
    instead: String,
}

/// The rows with a pattern. The others are for people.
fn rules() -> Vec<Rule> {
    let page = Page::read("CONTRIBUTING.md");
    // In a table a bar is written `\|`.
    let section = page.section("### Words").replace("\\|", "\u{1}");
    let rules = rows(&section).into_iter().filter(|row| !row[2].is_empty());
    let rules = rules.map(|row| {
        let pattern = row[2].trim_matches('`').replace('\u{1}', "|");
        let pattern = RegexBuilder::new(&pattern).case_insensitive(true).build();
        Rule {
            pattern: pattern.unwrap_or_else(|error| panic!("{error}")),
            instead: row[1].to_owned(),
        }
    });
    let rules: Vec<_> = rules.collect();
    assert!(rules.len() > 10, "the table has {} patterns", rules.len());
    rules
}

/// Fails with every place where a text has a word to avoid.
fn check(texts: impl IntoIterator<Item = (String, String)>) {
    let rules = rules();
    let mut found = Vec::new();
    for (name, text) in texts {
        for (index, line) in text.lines().enumerate() {
            for rule in &rules {
                if let Some(word) = rule.pattern.find(line) {
                    found.push(format!(
                        "{name}:{}: \"{}\" -> {}\n    {}",
                        index + 1,
                        word.as_str(),
                        rule.instead,
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} places:\n{}",
        found.len(),
        found.join("\n")
    );
}

/// A page without its code: names are no words. Lines keep their numbers.
fn prose(page: &Page) -> String {
    let mut inside = false;
    let lines = page.text.lines().map(|line| {
        let is_fence = line.starts_with("```");
        inside ^= is_fence;
        if inside || is_fence {
            return String::new();
        }
        let parts = line.split('`').enumerate();
        let words = parts.map(|(n, part)| if n % 2 == 0 { part } else { " " });
        words.collect()
    });
    lines.collect::<Vec<String>>().join("\n")
}

#[test]
fn words_of_the_docs() {
    check(pages().iter().map(|page| (page.path.clone(), prose(page))));
}

#[test]
fn words_of_the_changelog() {
    let page = Page::read("CHANGELOG.md");
    check([(page.path.clone(), prose(&page))]);
}

#[test]
fn words_of_the_alerts() {
    let page = Page::read("contrib/prometheus/mapstop.rules.yml");
    // Comments become blank, so that lines keep their numbers.
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    let lines = page.text.lines();
    let lines = lines.map(|line| if is_comment(line) { "" } else { line });
    check([(page.path.clone(), lines.collect::<Vec<_>>().join("\n"))]);
}

#[test]
fn words_of_the_command_line_help() {
    let commands = [
        &["--help"][..],
        &["-h"],
        &["-s", "help"],
        &["advise", "--help"],
        &["doctor", "--help"],
        &["export", "--help"],
    ];
    check(commands.map(|args| (format!("mapstop {}", args.join(" ")), output(args))));
}

/// The screens that other tests compare with the program.
#[test]
fn words_of_the_screens() {
    let root = Path::new(ROOT);
    let folders = ["tests/snapshots", "tests/screens/snapshots"].map(|path| root.join(path));
    let entries = folders
        .iter()
        .flat_map(|path| fs::read_dir(path).expect("snapshots"));
    let texts = entries.map(|entry| {
        let entry = entry.expect("an entry");
        let text = fs::read_to_string(entry.path()).expect("a snapshot");
        // It begins with where it is from, between two lines `---`.
        let screen = text
            .splitn(3, "---\n")
            .nth(2)
            .unwrap_or_default()
            .to_owned();
        (entry.file_name().to_string_lossy().into_owned(), screen)
    });
    check(texts);
}

/// The strings in the source that have several words: most of them are messages.
#[test]
fn words_of_the_messages() {
    let literal = Regex::new(r#""(?:[^"\\]|\\.)*""#).expect("a pattern");
    let mut texts = Vec::new();
    let mut folders = vec![Path::new(ROOT).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                let is_for_tests = ["tests", "test_util"].contains(&&*name);
                folders.extend((!is_for_tests).then_some(path));
            } else if name.ends_with(".rs") && !name.contains("test") {
                let text = fs::read_to_string(&path).expect("a source file");
                // Lines keep their numbers. Unit tests are at the end of their files.
                let lines = text.lines().take_while(|line| *line != "#[cfg(test)]");
                let messages = lines.map(|line| {
                    if line.trim_start().starts_with("//") {
                        String::new()
                    } else {
                        let literals = literal.find_iter(line).map(|found| found.as_str());
                        let messages: Vec<_> = literals.filter(|text| text.contains(' ')).collect();
                        messages.join(" ")
                    }
                });
                texts.push((
                    path.display().to_string(),
                    messages.collect::<Vec<_>>().join("\n"),
                ));
            }
        }
    }
    assert!(texts.len() > 100, "{} files", texts.len());
    check(texts);
}
