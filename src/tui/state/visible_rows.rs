//! Which rows are visible, and in which order: filter, sort, pinned rows, deleted maps, and the order
//! that is held while the user moves the selection.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::parts::Suggestions;
use crate::query::filter::Filter;
use crate::query::sort::Sort;
use crate::query::suggest;
use crate::tui::layout;
use crate::types::map_id::MapKey;
use crate::types::mark::Mark;
use crate::types::reading::Reading;
use crate::types::row::Row;

/// How long a map is shown as created or deleted.
const CHANGE_HIGHLIGHT: Duration = Duration::from_secs(10);

/// How long the order of the rows is held after the selection was moved.
const HOLD_TIME: Duration = Duration::from_secs(3);

/// Names suggested for a filter without a match, at most.
const MAX_SUGGESTIONS: usize = 3;

/// Deleted maps that still have a row, at most: the rows of more would hide all others.
const MAX_DELETED: usize = 20;

/// Adds the maps that were deleted lately to a reading, from the reading before it; of more than
/// [`MAX_DELETED`] only those that are needed.
pub(super) fn retain_deleted(
    reading: &mut Reading,
    before: &Reading,
    is_needed: impl Fn(&MapKey) -> bool,
) {
    // A map that is missing in a part of the maps need not be deleted.
    if has_same_rows(reading, before) || reading.is_part() {
        return;
    }
    let now = reading.moment.uptime;
    let mut rest = &reading.rows[..];
    let mut deleted = Vec::new();
    // Maps of a node that is down need not be deleted.
    let nodes: HashSet<_> = reading.rows.iter().map(|row| &row.key().node).collect();
    let is_node_up = |row: &&Row| row.key().node.is_none() || nodes.contains(&row.key().node);
    for row in before.rows.iter().filter(is_node_up) {
        while rest.first().is_some_and(|there| there.key() < row.key()) {
            rest = &rest[1..];
        }
        if rest.first().is_some_and(|there| there.key() == row.key()) {
            continue;
        }
        let since = row.deleted_at.unwrap_or(now);
        if now.saturating_sub(since) < CHANGE_HIGHLIGHT {
            deleted.push(Row {
                deleted_at: Some(since),
                growth_per_s: None,
                loss_rates: None,
                last_loss: None,
                stalled_for: None,
                mark: Some(Mark::None),
                ..row.clone()
            });
        }
    }
    if deleted.len() > MAX_DELETED {
        deleted.retain(|row| is_needed(row.key()));
    }
    if !deleted.is_empty() {
        reading.rows.append(&mut deleted);
        reading.rows.sort_by(|a, b| a.key().cmp(b.key()));
    }
}

/// Whether a reading has the same maps as the one before it, and neither has a deleted one.
fn has_same_rows(reading: &Reading, before: &Reading) -> bool {
    reading.has_same_maps && reading.rows.len() == before.rows.len()
}

impl App {
    /// The visible rows, in order.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Row> {
        let rows = self.all_rows();
        self.table.visible.iter().map(|index| &rows[*index])
    }

    pub(super) fn all_rows(&self) -> &[Row] {
        self.data
            .reading
            .as_ref()
            .map_or(&[][..], |reading| &reading.rows)
    }

    /// How many maps there are, visible or not.
    #[must_use]
    pub fn total(&self) -> usize {
        self.data.summary.total
    }

    /// How many maps match the filter, without deleted ones.
    pub(crate) fn matching(&self) -> usize {
        if self.table.filter.is_everything() {
            return self.data.summary.total;
        }
        self.rows().filter(|row| row.deleted_at.is_none()).count()
    }

    /// The index of the selected map in [`Self::rows`].
    #[must_use]
    pub fn selected_at(&self) -> Option<usize> {
        let selected = self.selected_index()?;
        self.table
            .visible
            .iter()
            .position(|index| *index == selected)
    }

    /// The row of the selected map, if it is visible.
    #[must_use]
    pub fn selected_row(&self) -> Option<&Row> {
        let selected = self.selected_index()?;
        let is_shown = self.table.visible.contains(&selected);
        is_shown.then(|| &self.all_rows()[selected])
    }

    /// The index of the selected map in the reading, visible or not. Every frame needs it, so this
    /// is a binary search.
    fn selected_index(&self) -> Option<usize> {
        self.index_of(self.table.selected.as_ref()?)
    }

    /// The index of a map in the reading.
    pub(super) fn index_of(&self, key: &MapKey) -> Option<usize> {
        let rows = self.all_rows();
        rows.binary_search_by(|row| row.key().cmp(key)).ok()
    }

    /// Whether the map was created a short time ago.
    #[must_use]
    pub fn is_new(&self, row: &Row) -> bool {
        let (Some(reading), Some(created_at)) = (&self.data.reading, row.created_at) else {
            return false;
        };
        row.deleted_at.is_none()
            && reading.moment.uptime.saturating_sub(created_at) < CHANGE_HIGHLIGHT
    }

    /// Holds the order of the rows for some seconds, since the user moves the selection.
    pub(super) fn hold_order(&mut self) {
        self.table.held_until = self.session.now.uptime + HOLD_TIME;
    }

    /// Shows another reading. Keeps the order of the rows while it is held, else sorts them.
    pub(super) fn replace_rows(&mut self, reading: &Arc<Reading>) {
        let old = self.data.reading.replace(Arc::clone(reading));
        let is_same_maps = old.as_ref().is_some_and(|old| {
            // `has_same_maps` is about the sample before, which may not be the one on the screen.
            (self.data.samples.is_next(old, reading) && has_same_rows(reading, old))
                || (old.rows.len() == reading.rows.len()
                    && old
                        .rows
                        .iter()
                        .zip(&reading.rows)
                        .all(|(a, b)| a.key() == b.key()))
        });
        if self.is_order_held()
            && let Some(old) = old
        {
            if !is_same_maps {
                self.remap_indices(&old);
            }
            // Rows that did not match before are added at the end.
            self.apply_filter(true);
        } else {
            if !is_same_maps || !self.table.filter.is_everything() {
                self.apply_filter(is_same_maps);
            }
            self.sort_rows();
        }
        self.update_matches();
    }

    /// Maps the visible indices from the old reading to the new one.
    fn remap_indices(&mut self, old: &Reading) {
        let rows = self.data.reading.as_ref().map_or(&[][..], |new| &new.rows);
        self.table.visible = self
            .table
            .visible
            .iter()
            .filter_map(|index| {
                let key = old.rows[*index].key();
                rows.binary_search_by(|row| row.key().cmp(key)).ok()
            })
            .collect();
    }

    /// Applies the filter. If the visible indices are valid for this reading, rows that matched before
    /// keep their order, so that sorting has little to do.
    fn apply_filter(&mut self, are_indices_valid: bool) {
        let rows = self
            .data
            .reading
            .as_ref()
            .map_or(&[][..], |reading| &reading.rows);
        let mut is_match: Vec<_> = rows
            .iter()
            .map(|row| self.table.filter.matches(row))
            .collect();
        if are_indices_valid {
            self.table
                .visible
                .retain(|index| std::mem::take(&mut is_match[*index]));
        } else {
            self.table.visible.clear();
        }
        self.table
            .visible
            .extend((0..rows.len()).filter(|index| is_match[*index]));
        self.update_suggestions();
    }

    /// Finds names similar to the filter, if nothing matches it.
    fn update_suggestions(&mut self) {
        let rows = self.all_rows().len();
        let suggestions = &self.table.suggestions;
        let filter = self.table.filter.text();
        if !self.table.visible.is_empty()
            || (suggestions.filter == filter && suggestions.rows == rows)
        {
            return;
        }
        let names = suggest::suggest_names(filter, self.all_rows().iter(), MAX_SUGGESTIONS);
        self.table.suggestions = Suggestions {
            filter: filter.to_owned(),
            rows,
            names: names.into_iter().map(str::to_owned).collect(),
        };
    }

    /// Names similar to the filter, if nothing matches it.
    #[must_use]
    pub fn suggestions(&self) -> &[String] {
        &self.table.suggestions.names
    }

    /// Sorts the visible rows, pinned rows first.
    fn sort_rows(&mut self) {
        let Some(reading) = &self.data.reading else {
            return;
        };
        self.table
            .sort
            .apply(&reading.rows, &mut self.table.visible);
        if !self.table.pinned_rows.is_empty() {
            let pinned: HashSet<_> = self.table.pinned_rows.iter().collect();
            self.table
                .visible
                .sort_by_key(|index| !pinned.contains(reading.rows[*index].key()));
        }
    }

    /// Sorts by the request of the user, even while the order is held.
    pub(super) fn reorder(&mut self) {
        self.table.held_until = Duration::ZERO;
        self.sort_rows();
        self.update_matches();
        self.keep_in_view();
    }

    pub(super) fn sort_by(&mut self, sort: Sort) {
        self.table.sort = sort;
        self.reorder();
    }

    pub(super) fn reverse(&mut self) {
        self.sort_by(Sort {
            is_reversed: !self.table.sort.is_reversed,
            ..self.table.sort
        });
    }

    pub(super) fn filter_by(&mut self, filter: Filter) {
        self.table.filter = filter;
        self.apply_filter(true);
        self.reorder();
    }

    /// Scrolls so that the selected map is visible, and at most to the last row.
    pub(super) fn keep_in_view(&mut self) {
        let page = self.page();
        if let Some(index) = self.selected_at() {
            let first = (index + 1).saturating_sub(page);
            self.table.top = self.table.top.clamp(first, index);
        }
        self.table.top = self.table.top.min(self.last_top());
    }

    /// The first visible row when scrolled to the end.
    pub(super) fn last_top(&self) -> usize {
        self.table.visible.len().saturating_sub(self.page())
    }

    /// Rows that fit on the screen.
    #[must_use]
    pub fn page(&self) -> usize {
        layout::lines(self.viewport()).rows.max(1)
    }
}
