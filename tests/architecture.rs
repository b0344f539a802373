//! Modules import each other in one direction: every arrow between them is in a table here, and the
//! tables have no cycle. Code under `#[cfg(test)]` is ignored, and so are modules that only it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A module, and those that it may import.
type Arrows = &'static [(&'static str, &'static [&'static str])];

/// The top level, with the three kinds of source.
#[rustfmt::skip]
const TOP: Arrows = &[
    ("types", &[]),
    ("diag", &[]),
    ("env", &[]),
    ("exit_code", &[]),
    ("text", &["types"]),
    ("theme", &["types"]),
    ("cgroup", &["types"]),
    ("analysis", &["text", "types"]),
    ("source", &["analysis", "types"]),
    ("source::kernel", &["analysis", "source", "text", "types"]),
    ("source::recording", &["analysis", "source", "text", "types"]),
    ("source::prometheus", &["analysis", "source", "text", "types"]),
    ("query", &["analysis", "cgroup", "source", "text", "types"]),
    ("columns", &["cgroup", "query", "text", "types"]),
    ("options", &["analysis", "query", "source::prometheus", "theme", "types"]),
    ("cli", &["analysis", "columns", "env", "options", "query", "source::prometheus", "text", "theme", "types"]),
    ("doctor", &["exit_code", "text", "types"]),
    ("report", &["analysis", "columns", "diag", "exit_code", "options", "query", "source", "text", "types"]),
    ("advise", &["analysis", "diag", "exit_code", "options", "query", "report", "source", "text", "types"]),
    ("exporter", &["analysis", "diag", "exit_code", "options", "query", "source", "text", "types"]),
    ("tui", &["analysis", "cgroup", "columns", "diag", "doctor", "exit_code", "options", "query", "source", "text", "theme", "types"]),
    ("run", &["advise", "cli", "diag", "doctor", "exit_code", "exporter", "options", "query", "report", "source",
        "source::kernel", "source::prometheus", "source::recording", "theme", "tui", "types"]),
];

/// Inside `source/kernel`; `kernel` is its `mod.rs`.
#[rustfmt::skip]
const KERNEL: Arrows = &[
    ("host", &[]),
    ("own_maps", &[]),
    ("exact_count", &[]),
    ("load_diagnosis", &["host"]),
    ("bpf", &["host", "load_diagnosis"]),
    ("loss", &["bpf", "host"]),
    ("owners", &["bpf", "host"]),
    ("count", &["bpf", "loss"]),
    ("kernel", &["bpf", "count", "exact_count", "host", "loss", "own_maps", "owners"]),
    ("probe", &["bpf", "host", "kernel", "loss", "own_maps", "owners"]),
];

/// Inside `tui`; `tui` is its `mod.rs`.
#[rustfmt::skip]
const TUI: Arrows = &[
    ("action", &[]),
    ("screen_kind", &[]),
    ("job_control", &[]),
    ("keymap", &["action"]),
    ("layout", &["screen_kind"]),
    ("text", &["keymap", "screen_kind"]),
    ("state", &["action", "keymap", "layout", "screen_kind", "text"]),
    ("render", &["action", "keymap", "layout", "screen_kind", "state", "text"]),
    ("background", &["state"]),
    ("terminal", &["render", "state"]),
    ("signals", &["terminal"]),
    ("tui", &["action", "background", "job_control", "render", "signals", "state", "terminal"]),
];

/// The path of a module or of an item, without `crate`.
type Name = Vec<String>;

/// What the files of `src` import.
struct Imports {
    modules: BTreeSet<Name>,
    /// Modules that are compiled for tests only.
    tests: BTreeSet<Name>,
    /// Who imports what.
    found: Vec<(Name, Name)>,
}

impl Imports {
    fn read() -> Self {
        let mut files = Vec::new();
        list(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &[],
            &mut files,
        );
        let mut imports = Self {
            modules: files.iter().map(|(name, _)| name.clone()).collect(),
            tests: BTreeSet::new(),
            found: Vec::new(),
        };
        for (name, text) in files {
            let tokens = text.parse().unwrap_or_else(|e| panic!("{name:?}: {e}"));
            imports.scan(&name, &name, tokens);
        }
        imports
    }

    /// Finds the paths in some tokens of `file`, which stand in the module `here`.
    fn scan(&mut self, file: &Name, here: &Name, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' && is_cfg_test(&tokens, at) => {
                    at = self.skip_item(here, &tokens, at + 2);
                    continue;
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                        (tokens.get(at + 1), tokens.get(at + 2))
                    {
                        let inner = [&here[..], &[name.to_string()]].concat();
                        self.scan(file, &inner, body.stream());
                        at += 3;
                        continue;
                    }
                }
                TokenTree::Ident(word) if !is_after_path(&tokens, at) => {
                    if let Some(start) = self.start(here, &word.to_string()) {
                        at = self.path(file, start, &tokens, at + 1);
                        continue;
                    }
                }
                TokenTree::Group(group) => self.scan(file, here, group.stream()),
                _ => {}
            }
            at += 1;
        }
    }

    /// The module that a path starting with this word is in; `None` if it is not one of this crate.
    fn start(&self, here: &Name, word: &str) -> Option<Name> {
        match word {
            "crate" => Some(Name::new()),
            "super" => Some(here[..here.len().saturating_sub(1)].to_vec()),
            _ => {
                let child = [&here[..], &[word.to_owned()]].concat();
                self.modules.contains(&child).then_some(child)
            }
        }
    }

    /// Follows a path and all branches of an import tree, and returns the position after it.
    fn path(&mut self, file: &Name, mut path: Name, tokens: &[TokenTree], mut at: usize) -> usize {
        let mut is_path = false;
        while is_colons(tokens, at) {
            is_path = true;
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(word)) if word == "super" => {
                    path.pop();
                    at += 3;
                }
                Some(TokenTree::Ident(word)) => {
                    path.push(word.to_string());
                    at += 3;
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let branches: Vec<_> = group.stream().into_iter().collect();
                    let is_comma =
                        |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == ',');
                    for branch in branches.split(is_comma) {
                        if let Some(TokenTree::Ident(word)) = branch.first() {
                            let inner = [&path[..], &[word.to_string()]].concat();
                            self.path(file, inner, branch, 1);
                            self.found
                                .push((file.clone(), [&path[..], &[word.to_string()]].concat()));
                        }
                    }
                    return at + 3;
                }
                _ => break,
            }
        }
        if is_path {
            self.found.push((file.clone(), path));
        }
        at
    }

    /// Skips an item that is for tests only.
    fn skip_item(&mut self, here: &Name, tokens: &[TokenTree], mut at: usize) -> usize {
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(word) if word == "mod" => {
                    let name = [&here[..], &[tokens[at + 1].to_string()]].concat();
                    self.tests.insert(name);
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return at + 1,
                TokenTree::Punct(punct) if punct.as_char() == ';' => return at + 1,
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// The arrows between those that `node` gives for two modules.
    fn arrows(
        &self,
        node: impl Fn(&[String]) -> Option<String>,
    ) -> BTreeMap<(String, String), Name> {
        let is_for_tests = |name: &Name| {
            name.first().is_some_and(|first| first == "test_util")
                || (0..=name.len()).any(|n| self.tests.contains(&name[..n]))
        };
        let mut arrows = BTreeMap::new();
        for (from, to) in self.found.iter().filter(|(from, _)| !is_for_tests(from)) {
            // The module of an item.
            let is_module = |n: &usize| self.modules.contains(&to[..*n]);
            let module = (0..=to.len()).rev().find(is_module).unwrap_or(0);
            if let (Some(a), Some(b)) = (node(from), node(&to[..module]))
                && a != b
            {
                arrows.insert((a, b), from.clone());
            }
        }
        arrows
    }
}

/// The modules and texts of all files in a folder.
fn list(folder: &Path, name: &[String], files: &mut Vec<(Name, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let stem = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            list(&path, &[name, &[stem]].concat(), files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && stem != "main" {
            let is_folder = stem == "mod" || stem == "lib";
            let name = if is_folder {
                name.to_vec()
            } else {
                [name, &[stem]].concat()
            };
            files.push((name, fs::read_to_string(&path).expect("a file")));
        }
    }
}

fn is_cfg_test(tokens: &[TokenTree], at: usize) -> bool {
    tokens
        .get(at + 1)
        .is_some_and(|group| group.to_string().replace(' ', "") == "[cfg(test)]")
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    is_colon(at) && is_colon(at + 1)
}

/// Whether the word at this place is a later part of a path, a field or a method.
fn is_after_path(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    let is_dot = matches!(before, Some(TokenTree::Punct(punct)) if punct.as_char() == '.');
    is_dot
        || at
            .checked_sub(2)
            .is_some_and(|colons| is_colons(tokens, colons))
}

fn check(arrows: &BTreeMap<(String, String), Name>, table: Arrows) {
    let allowed: BTreeSet<(&str, &str)> = table
        .iter()
        .flat_map(|(from, to)| to.iter().map(move |to| (*from, *to)))
        .collect();
    for ((from, to), file) in arrows {
        let file = file.join("/");
        assert!(
            allowed.contains(&(from.as_str(), to.as_str())),
            "src/{file}.rs: {from} must not import {to}"
        );
    }
    for (from, to) in &allowed {
        let arrow = ((*from).to_owned(), (*to).to_owned());
        assert!(
            arrows.contains_key(&arrow),
            "{from} does not import {to} any more"
        );
    }
    // Remove modules without remaining imports until none is left; a cycle would remain.
    let mut left: BTreeSet<&str> = table.iter().map(|(name, _)| *name).collect();
    while let Some(leaf) = left.iter().copied().find(|name| {
        let mut to = allowed.iter().filter(|(from, _)| from == name);
        to.all(|(_, to)| !left.contains(to))
    }) {
        left.remove(leaf);
    }
    assert!(left.is_empty(), "a cycle of {left:?}");
}

/// The part of a path below `folder`; the folder's own name for its `mod.rs`.
fn below(folder: &[&str], name: &[String]) -> Option<String> {
    let inner = name.len().checked_sub(folder.len())?;
    let is_in = name.iter().zip(folder).all(|(a, b)| a == b);
    is_in.then(|| match inner {
        0 => (*folder.last().expect("a folder")).to_owned(),
        _ => name[folder.len()].clone(),
    })
}

#[test]
fn the_top_level_has_no_cycle() {
    let arrows = Imports::read().arrows(|name| match name {
        [] => None,
        [first, second, ..]
            if first == "source"
                && ["kernel", "recording", "prometheus"].contains(&second.as_str()) =>
        {
            Some(format!("{first}::{second}"))
        }
        [first, ..] => Some(first.clone()),
    });
    // `source/mod.rs` declares them, which is not an import.
    check(&arrows, TOP);
}

#[test]
fn the_kernel_side_has_no_cycle() {
    let arrows = Imports::read().arrows(|name| below(&["source", "kernel"], name));
    check(&arrows, KERNEL);
}

#[test]
fn the_live_view_has_no_cycle() {
    let arrows = Imports::read().arrows(|name| below(&["tui"], name));
    check(&arrows, TUI);
}
