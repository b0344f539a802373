//! Links lead somewhere, pages are found, files that are named exist.

use std::path::Path;

use crate::{Page, ROOT, code_spans, pages};

/// What GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    let dashed = title.replace(' ', "-");
    dashed.replace(|c: char| !c.is_alphanumeric() && c != '-' && c != '_', "")
}

fn anchors(page: &Page) -> Vec<String> {
    let headings = page.text.lines().filter(|line| line.starts_with('#'));
    headings.map(anchor).collect()
}

/// The targets of all links and pictures.
fn links(text: &str) -> Vec<&str> {
    let starts = text
        .match_indices("](")
        .map(|(start, _)| &text[start + 2..]);
    let ends = starts.filter_map(|rest| Some(&rest[..rest.find(')')?]));
    ends.collect()
}

fn papers() -> Vec<Page> {
    [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "DEPENDENCIES.md",
    ]
    .map(Page::read)
    .into()
}

#[test]
fn every_link_resolves() {
    let mut count = 0;
    for page in pages().iter().chain(&papers()) {
        let folder = Path::new(&page.path).parent().expect("a folder");
        for link in links(&page.text) {
            if link.starts_with("http") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.path.clone(),
                path => folder.join(path).to_string_lossy().into_owned(),
            };
            let at = format!("{}: {link}", page.path);
            assert!(Path::new(ROOT).join(&target).exists(), "{at}");
            if !anchor.is_empty() {
                assert!(
                    anchors(&Page::read(&target)).iter().any(|a| a == anchor),
                    "{at}"
                );
            }
            count += 1;
        }
    }
    assert!(count > 50, "there are {count} links");
}

#[test]
fn every_page_is_in_both_tables_of_contents() {
    let readme = Page::read("README.md").text;
    let index = Page::read("docs/README.md").text;
    for page in pages() {
        let Some(name) = page.path.strip_prefix("docs/") else {
            continue;
        };
        if name != "README.md" {
            assert!(
                readme.contains(&format!("(docs/{name})")),
                "README.md: {name}"
            );
            assert!(
                index.contains(&format!("({name})")),
                "docs/README.md: {name}"
            );
        }
    }
}

#[test]
fn the_readme_is_short() {
    let lines = Page::read("README.md").text.lines().count();
    assert!(lines <= 220, "{lines} lines");
}

/// Lines of capitals are places that somebody meant to fill in.
#[test]
fn no_placeholder_is_left() {
    for page in pages() {
        let is_placeholder =
            |line: &&str| !line.is_empty() && line.chars().all(|c| c.is_ascii_uppercase());
        assert_eq!(
            page.text.lines().find(is_placeholder),
            None,
            "{}",
            page.path
        );
    }
}

#[test]
fn files_that_are_named_exist() {
    let mut count = 0;
    for page in pages().iter().chain(&papers()) {
        let paths = code_spans(&page.text).filter(|word| {
            let folders = ["src/", "tests/", "contrib/", "docs/"];
            let is_path = folders.iter().any(|folder| word.starts_with(folder));
            is_path && !word.contains(['*', ' '])
        });
        for path in paths {
            assert!(Path::new(ROOT).join(path).exists(), "{}: {path}", page.path);
            count += 1;
        }
    }
    assert!(count > 20, "{count} files are named");
}

/// Until the project has an address, nobody is sent to two different ones.
#[test]
fn the_repository_has_one_address() {
    let address = env!("CARGO_PKG_REPOSITORY");
    let readme = Page::read("README.md");
    assert!(readme.text.contains(&format!("git clone {address} ")));
    let others = ["CHANGELOG.md", "contrib/Containerfile"].map(Page::read);
    for page in pages().iter().chain(&others) {
        for (start, _) in page.text.match_indices("https://example.org") {
            let rest = &page.text[start..];
            assert!(rest.starts_with(address), "{}: {rest:.60}", page.path);
        }
    }
}
