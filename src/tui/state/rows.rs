//! Which rows are shown and in which order: the filter, the sort, what is kept on top, what came
//! and went lately, and the places that rows keep while the user moves among them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::App;
use crate::query::filter::Filter;
use crate::query::sort::Sort;
use crate::query::suggest;
use crate::tui::layout;
use crate::types::map_id::MapKey;
use crate::types::mark::Mark;
use crate::types::reading::Reading;
use crate::types::row::Row;

/// How long a map is shown as new, or as gone.
const CHANGE_HIGHLIGHT: Duration = Duration::from_secs(10);

/// How long rows keep their places after a key that moved among them.
const HOLD_TIME: Duration = Duration::from_secs(3);

/// Names that are close to one that nothing matches, at most.
const MAX_SUGGESTIONS: usize = 3;

/// Maps that are gone and have a row for a while, at most: when more go at once, their rows would
/// be all there is to see.
const MAX_DELETED: usize = 20;

/// Adds the maps that are gone for a short time only to a reading: those of the one before it
/// that are not there any more; where they are too many, only those that are needed.
pub(super) fn retain_deleted(
    reading: &mut Reading,
    before: &Reading,
    is_needed: impl Fn(&MapKey) -> bool,
) {
    // What is not among the first any more is not gone.
    if has_same_rows(reading, before) || reading.is_part() {
        return;
    }
    let now = reading.moment.uptime;
    let mut rest = &reading.rows[..];
    let mut gone = Vec::new();
    // Of a machine that is not heard of any more nothing is known.
    let nodes: HashSet<_> = reading.rows.iter().map(|row| &row.key().node).collect();
    let is_heard_of = |row: &&Row| row.key().node.is_none() || nodes.contains(&row.key().node);
    for row in before.rows.iter().filter(is_heard_of) {
        while rest.first().is_some_and(|there| there.key() < row.key()) {
            rest = &rest[1..];
        }
        if rest.first().is_some_and(|there| there.key() == row.key()) {
            continue;
        }
        let since = row.deleted_at.unwrap_or(now);
        if now.saturating_sub(since) < CHANGE_HIGHLIGHT {
            // Whatever alarm there was is over.
            gone.push(Row {
                deleted_at: Some(since),
                growth_per_s: None,
                loss_rates: None,
                last_lost: None,
                stalled_for: None,
                mark: Some(Mark::None),
                ..row.clone()
            });
        }
    }
    if gone.len() > MAX_DELETED {
        gone.retain(|row| is_needed(row.key()));
    }
    if !gone.is_empty() {
        reading.rows.append(&mut gone);
        reading.rows.sort_by(|a, b| a.key().cmp(b.key()));
    }
}

/// Whether a reading has the rows of the one before it: its maps, and none that is gone.
fn has_same_rows(reading: &Reading, before: &Reading) -> bool {
    reading.has_same_maps && reading.rows.len() == before.rows.len()
}

impl App {
    /// Rows of the reading that are shown, in order.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Row> {
        let rows = self.all_rows();
        self.visible.iter().map(|place| &rows[*place])
    }

    pub(super) fn all_rows(&self) -> &[Row] {
        self.reading
            .as_ref()
            .map_or(&[][..], |reading| &reading.rows)
    }

    /// How many maps there are, shown or not.
    #[must_use]
    pub fn total(&self) -> usize {
        self.tally.total
    }

    /// How many maps match the filter, those that are gone left out.
    #[must_use]
    pub fn matching(&self) -> usize {
        if self.filter.is_everything() {
            return self.tally.total;
        }
        self.rows().filter(|row| row.deleted_at.is_none()).count()
    }

    /// Where in [`Self::rows`] the selected map is.
    #[must_use]
    pub fn selected_at(&self) -> Option<usize> {
        let selected = self.selected_place()?;
        self.visible.iter().position(|place| *place == selected)
    }

    /// The selected map's row, if it is shown.
    #[must_use]
    pub fn selected_row(&self) -> Option<&Row> {
        let selected = self.selected_place()?;
        let is_shown = self.visible.contains(&selected);
        is_shown.then(|| &self.all_rows()[selected])
    }

    /// Where in the reading the selected map is, shown or not. Every screen asks for it, so that not
    /// all rows are looked at.
    fn selected_place(&self) -> Option<usize> {
        self.place_of(self.selected.as_ref()?)
    }

    /// Where in the reading a map is.
    pub(super) fn place_of(&self, key: &MapKey) -> Option<usize> {
        let rows = self.all_rows();
        rows.binary_search_by(|row| row.key().cmp(key)).ok()
    }

    /// Whether the map was made a short time ago.
    #[must_use]
    pub fn is_new(&self, row: &Row) -> bool {
        let (Some(reading), Some(made)) = (&self.reading, row.made) else {
            return false;
        };
        row.deleted_at.is_none() && reading.moment.uptime.saturating_sub(made) < CHANGE_HIGHLIGHT
    }

    /// Rows keep their places for a while: the user moves among them.
    pub(super) fn hold(&mut self) {
        self.held_until = self.now.uptime + HOLD_TIME;
    }

    /// Shows another reading: with the same rows in the same order as far as they are held, else
    /// those that match in the order asked for.
    pub(super) fn replace_rows(&mut self, reading: &Arc<Reading>) {
        let old = self.reading.replace(Arc::clone(reading));
        let is_same_maps = old.as_ref().is_some_and(|old| {
            // Known without a look at them, but where samples were left out between the two.
            (self.past.is_next(old, reading) && has_same_rows(reading, old))
                || (old.rows.len() == reading.rows.len()
                    && old
                        .rows
                        .iter()
                        .zip(&reading.rows)
                        .all(|(a, b)| a.key() == b.key()))
        });
        if self.is_held()
            && let Some(old) = old
        {
            if !is_same_maps {
                self.remap_indices(&old);
            }
            // In their places; what is new, or matches anew, comes behind.
            self.match_rows(true);
        } else {
            if !is_same_maps || !self.filter.is_everything() {
                self.match_rows(is_same_maps);
            }
            self.order();
        }
        self.find_all();
    }

    /// Places in another reading's rows become the places of the same maps in this one's.
    fn remap_indices(&mut self, old: &Reading) {
        let rows = self.reading.as_ref().map_or(&[][..], |new| &new.rows);
        self.visible = self
            .visible
            .iter()
            .filter_map(|place| {
                let key = old.rows[*place].key();
                rows.binary_search_by(|row| row.key().cmp(key)).ok()
            })
            .collect();
    }

    /// Finds the rows that match. Those that did before keep their order if the places are of this
    /// reading, so that sorting has little to do.
    fn match_rows(&mut self, are_places_right: bool) {
        let rows = self
            .reading
            .as_ref()
            .map_or(&[][..], |reading| &reading.rows);
        let mut is_match: Vec<_> = rows.iter().map(|row| self.filter.matches(row)).collect();
        if are_places_right {
            self.visible
                .retain(|place| std::mem::take(&mut is_match[*place]));
        } else {
            self.visible.clear();
        }
        self.visible
            .extend((0..rows.len()).filter(|place| is_match[*place]));
        self.find_near();
    }

    /// Looks for names that are close, where nothing matches.
    fn find_near(&mut self) {
        let rows = self.all_rows().len();
        if !self.visible.is_empty()
            || (self.suggestions.0 == self.filter.text() && self.suggestions.1 == rows)
        {
            return;
        }
        let text = self.filter.text().to_owned();
        let names = suggest::names(&text, self.all_rows().iter(), MAX_SUGGESTIONS);
        let names = names.into_iter().map(str::to_owned).collect();
        self.suggestions = (text, rows, names);
    }

    /// Names that are close to what the filter says, where nothing matches.
    #[must_use]
    pub fn near(&self) -> &[String] {
        &self.suggestions.2
    }

    /// Puts the rows in order, those that are kept at the top first.
    pub(super) fn order(&mut self) {
        let Some(reading) = &self.reading else {
            return;
        };
        self.sort.apply(&reading.rows, &mut self.visible);
        if !self.pinned_rows.is_empty() {
            let kept: HashSet<_> = self.pinned_rows.iter().collect();
            self.visible
                .sort_by_key(|place| !kept.contains(reading.rows[*place].key()));
        }
    }

    /// The user asked for another order, or other rows: no place is held any longer.
    pub(super) fn reorder(&mut self) {
        self.held_until = Duration::ZERO;
        self.order();
        self.find_all();
        self.keep_in_view();
    }

    pub(super) fn sort_by(&mut self, sort: Sort) {
        self.sort = sort;
        self.reorder();
    }

    pub(super) fn reverse(&mut self) {
        self.sort_by(Sort {
            is_reversed: !self.sort.is_reversed,
            ..self.sort
        });
    }

    pub(super) fn filter_by(&mut self, filter: Filter) {
        self.filter = filter;
        self.match_rows(true);
        self.reorder();
    }

    /// Scrolls as far as needed for the selected map, and no further than there are rows.
    pub(super) fn keep_in_view(&mut self) {
        let page = self.page();
        if let Some(at) = self.selected_at() {
            self.top = self.top.clamp((at + 1).saturating_sub(page), at);
        }
        self.top = self.top.min(self.last_top());
    }

    /// The first row of the last screenful.
    pub(super) fn last_top(&self) -> usize {
        self.visible.len().saturating_sub(self.page())
    }

    /// How many rows fit.
    pub(super) fn page(&self) -> usize {
        layout::lines(self).rows.max(1)
    }
}
