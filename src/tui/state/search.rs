//! Searching in the table: jumps from match to match, and hides nothing.

use super::App;
use crate::query::filter::has_word;
use crate::types::row::Row;

/// A search, and where it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    pub(crate) text: String,
    /// The text in lower case.
    word: String,
    /// The indices of the matches among the visible rows.
    matches: Vec<usize>,
}

impl Search {
    /// Whether the name, type, owner or id of the map contains the text.
    pub(crate) fn is_match(&self, row: &Row) -> bool {
        has_word(row, &self.word)
    }

    /// The number of the match in this row, counted from 1 (0 if there is none), and how many there
    /// are: `3/7`.
    #[must_use]
    pub fn position(&self, row_index: Option<usize>) -> (usize, usize) {
        let nth = row_index.and_then(|index| self.matches.iter().position(|m| *m == index));
        (nth.map_or(0, |nth| nth + 1), self.matches.len())
    }
}

impl App {
    /// Searches for a text; an empty one ends the search.
    pub(super) fn search_for(&mut self, text: &str) {
        let text = text.trim();
        self.table.search = (!text.is_empty()).then(|| Search {
            text: text.to_owned(),
            word: text.to_lowercase(),
            matches: Vec::new(),
        });
        self.update_matches();
    }

    /// Finds the matches again, after the visible rows have changed.
    pub(super) fn update_matches(&mut self) {
        let Some(mut search) = self.table.search.take() else {
            return;
        };
        search.matches = self
            .rows()
            .enumerate()
            .filter(|(_, row)| search.is_match(row))
            .map(|(index, _)| index)
            .collect();
        self.table.search = Some(search);
    }

    /// Selects the first match at or after a row, wrapping around.
    pub(super) fn jump_from(&mut self, row_index: usize) {
        let matches = self
            .table
            .search
            .as_ref()
            .map_or(&[][..], |search| &search.matches);
        let next = matches.partition_point(|index| *index < row_index);
        if let Some(to) = matches.get(next).or(matches.first()).copied() {
            self.select_at(to);
        }
    }

    /// Selects the next or previous match, wrapping around.
    pub(super) fn jump(&mut self, is_next: bool) {
        let Some(search) = &self.table.search else {
            self.toast("no search yet; / starts one");
            return;
        };
        let matches = &search.matches;
        let Some(last) = matches.last() else {
            self.toast_match();
            return;
        };
        let to = match (self.selected_at(), is_next) {
            (None, true) => matches[0],
            (None, false) => *last,
            (Some(at), true) => {
                let next = matches.partition_point(|index| *index <= at);
                *matches.get(next).unwrap_or(&matches[0])
            }
            (Some(at), false) => {
                let next = matches.partition_point(|index| *index < at);
                next.checked_sub(1).map_or(*last, |n| matches[n])
            }
        };
        self.select_at(to);
        self.toast_match();
    }

    /// Shows the number of the selected match.
    pub(super) fn toast_match(&mut self) {
        let row_index = self.selected_at();
        let Some(search) = &self.table.search else {
            return;
        };
        let text = &search.text;
        self.toast(match search.position(row_index) {
            (_, 0) => format!("no map matches '{text}'"),
            (nth, count) => format!("{text}  {nth}/{count}  n next, N previous"),
        });
    }
}
