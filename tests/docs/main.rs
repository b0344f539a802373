//! README, docs and the program agree: names, command lines, links, and the choice of words.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

mod commands;
mod links;
mod names;
mod words;

const MAPSTOP: &str = env!("CARGO_BIN_EXE_mapstop");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A Markdown file.
struct Page {
    /// Its path from the root of the repository.
    path: String,
    text: String,
}

impl Page {
    fn read(path: &str) -> Self {
        let text = fs::read_to_string(Path::new(ROOT).join(path));
        Self {
            path: path.to_owned(),
            text: text.unwrap_or_else(|error| panic!("{path}: {error}")),
        }
    }

    /// The text from a heading to the next one of its level or above.
    fn section(&self, heading: &str) -> &str {
        let level = heading.split(' ').next().expect("a level");
        let start = self.text.find(&format!("\n{heading}\n"));
        let start = start.unwrap_or_else(|| panic!("{}: no heading {heading}", self.path));
        let rest = &self.text[start + heading.len() + 2..];
        let ends = (1..=level.len()).filter_map(|n| rest.find(&format!("\n{} ", "#".repeat(n))));
        &rest[..ends.min().unwrap_or(rest.len())]
    }

    /// The lines of all fenced blocks with this info string, each with its number.
    fn blocks(&self, info: &str) -> Vec<(usize, &str)> {
        let (mut found, mut inside) = (Vec::new(), None);
        for (index, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), inside) {
                (Some(begin), None) => inside = Some(begin),
                (Some(_), Some(_)) => inside = None,
                (None, Some(block)) if block == info && !line.trim().is_empty() => {
                    found.push((index + 1, line));
                }
                _ => {}
            }
        }
        assert_eq!(inside, None, "{}: a block that does not end", self.path);
        found
    }
}

/// README.md and the pages in docs/.
fn pages() -> Vec<Page> {
    let folder = fs::read_dir(Path::new(ROOT).join("docs")).expect("docs/");
    let names = folder.map(|entry| entry.expect("an entry").file_name());
    let mut paths: Vec<_> = names
        .map(|name| format!("docs/{}", name.to_string_lossy()))
        .filter(|path| Path::new(path).extension().is_some_and(|ext| ext == "md"))
        .collect();
    paths.push("README.md".to_owned());
    paths.sort();
    paths.iter().map(|path| Page::read(path)).collect()
}

/// The words in backticks.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The cells of the rows of Markdown tables, without heads and lines between.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let mut found = Vec::new();
    let lines: Vec<_> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let is_line = |line: &str| line.starts_with("|--");
        let is_head = lines.get(index + 1).is_some_and(|next| is_line(next));
        if line.starts_with('|') && !is_line(line) && !is_head {
            let inner = line.trim_matches('|');
            found.push(inner.split('|').map(str::trim).collect());
        }
    }
    found
}

/// Lines of a list in tests/compatibility, which another test compares with the program.
fn listed(list: &str) -> Vec<String> {
    let text = Page::read(&format!("tests/compatibility/{list}")).text;
    text.lines().map(str::to_owned).collect()
}

fn output(args: &[&str]) -> String {
    let output = Command::new(MAPSTOP)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("mapstop runs");
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
