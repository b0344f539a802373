//! Taking in samples.

use std::sync::Arc;
use std::time::Duration;

use super::{App, Stale, Summary, visible_rows};
use crate::analysis::backfill::Backfill;
use crate::types::host::Moment;
use crate::types::map_id::MapKey;
use crate::types::reading::Reading;
use crate::types::row::Row;
use crate::types::snapshot::Snapshot;

impl App {
    /// Opens a map, by id, name or pin, in the first sample that has it.
    pub fn open_when_seen(&mut self, map: Option<String>) {
        self.session.open_when_seen = map;
    }

    /// Adds levels of a map from before it was first sampled.
    pub fn backfill(&mut self, earlier: &Backfill) {
        self.data.history.backfill(earlier);
        if let (Some(began), Some(reading)) = (self.data.history.began(), &mut self.data.reading)
            && reading.began != began
        {
            Arc::make_mut(reading).began = began;
        }
    }

    /// Adds a sample that took `cost` to read, and shows it unless the view is paused.
    pub fn ingest(&mut self, snapshot: Snapshot, cost: Duration) {
        self.data.stale = None;
        self.data.sample_cost = cost;
        if self.session.player.is_none() {
            self.session.now = snapshot.moment;
        }
        self.on_tracing_changed(&snapshot.loss_tracing);
        let was_coarse = self.data.history.degraded_resolution().is_some();
        let mut reading = self.data.history.read(snapshot);
        if self.data.history.degraded_resolution().is_some() && !was_coarse {
            self.alert("many maps change, so the history gets coarser; Enter shows the details");
        }
        if let Some(latest) = self.data.samples.latest() {
            let is_needed = |key: &MapKey| {
                self.table.selected.as_ref() == Some(key) || self.table.pinned_rows.contains(key)
            };
            visible_rows::retain_deleted(&mut reading, latest, is_needed);
        }
        let reading = Arc::new(reading);
        let dropped = self
            .data
            .samples
            .push(Arc::clone(&reading), self.session.is_paused);
        if !self.session.is_paused {
            self.show(&reading);
        }
        // Unless it is still on the screen.
        if let Some(reading) = dropped.and_then(Arc::into_inner) {
            self.data.history.recycle(reading);
        }
    }

    /// A sample failed: the numbers on the screen are stale.
    pub fn on_sample_failed(&mut self, error: &anyhow::Error, now: Moment) {
        self.session.now = now;
        let cause = error.root_cause().to_string();
        self.data.stale = Some(Stale {
            // The number adds nothing to the words before it.
            error: match cause.split_once(" (os error") {
                Some((words, _)) => words.to_owned(),
                None => cause,
            },
        });
    }

    pub(super) fn show(&mut self, reading: &Arc<Reading>) {
        self.data.summary = Summary::of(&reading.rows);
        self.replace_rows(reading);
        // Pins are resolved after the first sample.
        let can_be_found = |map: &mut String| !map.starts_with('/') || reading.owners.is_some();
        if let Some(map) = self.session.open_when_seen.take_if(can_be_found) {
            self.select_and_open(&map);
        }
        self.toast_if_deleted();
        self.refresh_detail();
        self.drop_counts_of_deleted();
        if self.table.is_following {
            self.keep_in_view();
        } else {
            self.table.top = self.table.top.min(self.last_top());
        }
    }

    fn select_and_open(&mut self, map: &str) {
        let mut rows = self.all_rows().iter();
        let found = rows.find(|row| row.matches_selector(map));
        let Some(key) = found.map(|row| row.key().clone()) else {
            self.toast(format!("no map has the id, name or pin '{map}'"));
            return;
        };
        self.table.selected = Some(key);
        if self.selected_at().is_none() {
            self.toast(format!("'{map}' does not match the filter"));
        }
        self.open_detail();
    }

    /// The row of a map, visible or not.
    #[must_use]
    pub fn row(&self, key: &MapKey) -> Option<&Row> {
        self.index_of(key).map(|index| &self.all_rows()[index])
    }

    /// Tells the user when the selected map is deleted, and deselects it when its row disappears.
    fn toast_if_deleted(&mut self) {
        let (Some(key), Some(reading)) = (&self.table.selected, &self.data.reading) else {
            return;
        };
        match self.row(key) {
            Some(row) if row.deleted_at == Some(reading.moment.uptime) => {
                let text = format!("{} {} was deleted", key.id.0, row.facts.name);
                self.toast(text);
            }
            // A seek in a recording may bring it back.
            None if self.session.player.is_none() => {
                self.table.selected = None;
                self.table.is_following = false;
            }
            _ => {}
        }
    }
}
