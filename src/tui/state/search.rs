//! Searching: jumps from map to map, and hides nothing.

use super::App;
use crate::query::filter::has_word;

/// What is searched for, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// What was typed.
    pub text: String,
    /// The same in lower case.
    word: String,
    /// The places among the shown rows of those that have it.
    found: Vec<usize>,
}

impl Search {
    /// Whether the map's name, type or id has it.
    #[must_use]
    pub fn is_found(&self, row: &crate::types::row::Row) -> bool {
        has_word(row, &self.word)
    }

    /// Which of those found this place is, from 1 on (0: none of them), and how many there are:
    /// `3/7`.
    #[must_use]
    pub fn position(&self, at: Option<usize>) -> (usize, usize) {
        let nth = at.and_then(|at| self.found.iter().position(|found| *found == at));
        (nth.map_or(0, |nth| nth + 1), self.found.len())
    }
}

impl App {
    /// Searches for a text; an empty one ends it.
    pub(super) fn search_for(&mut self, text: &str) {
        let text = text.trim();
        self.search = (!text.is_empty()).then(|| Search {
            text: text.to_owned(),
            word: text.to_lowercase(),
            found: Vec::new(),
        });
        self.find_all();
    }

    /// Finds the rows again: they are others, or in another order.
    pub(super) fn find_all(&mut self) {
        let Some(mut search) = self.search.take() else {
            return;
        };
        search.found = self
            .rows()
            .enumerate()
            .filter(|(_, row)| search.is_found(row))
            .map(|(at, _)| at)
            .collect();
        self.search = Some(search);
    }

    /// Selects the first found at or after a place, round at the end.
    pub(super) fn jump_from(&mut self, at: usize) {
        let found = self.search.as_ref().map_or(&[][..], |search| &search.found);
        let next = found.partition_point(|found| *found < at);
        if let Some(to) = found.get(next).or(found.first()).copied() {
            self.select_at(to);
        }
    }

    /// Selects the next found, or the one before, round at the ends.
    pub(super) fn jump(&mut self, is_next: bool) {
        let Some(search) = &self.search else {
            self.toast("nothing is searched for: / searches");
            return;
        };
        let found = &search.found;
        let Some(last) = found.last() else {
            self.say_found();
            return;
        };
        let to = match (self.selected_at(), is_next) {
            (None, true) => found[0],
            (None, false) => *last,
            (Some(at), true) => {
                let next = found.partition_point(|found| *found <= at);
                *found.get(next).unwrap_or(&found[0])
            }
            (Some(at), false) => {
                let next = found.partition_point(|found| *found < at);
                next.checked_sub(1).map_or(*last, |n| found[n])
            }
        };
        self.select_at(to);
        self.say_found();
    }

    /// Says which of those found is selected, if any was found.
    pub(super) fn say_found(&mut self) {
        let at = self.selected_at();
        let Some(search) = &self.search else {
            return;
        };
        let text = &search.text;
        self.toast(match search.position(at) {
            (_, 0) => format!("no map has '{text}'"),
            (nth, count) => format!("{text}  {nth}/{count}  n next, N previous"),
        });
    }
}
