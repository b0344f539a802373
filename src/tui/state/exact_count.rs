//! Counting one map exactly: confirmation, progress and result.

use std::time::Duration;

use anyhow::Result;

use super::{App, Screen};
use crate::analysis::exact_count::{ExactCount, not_countable_reason};
use crate::text::plural::count_noun;
use crate::tui::action::{Action, Effect};
use crate::types::map_id::MapKey;
use crate::types::map_type::MapType;

/// The dialog about an exact count: the question first, then the progress.
#[derive(Debug, Clone)]
pub struct CountDialog {
    pub(crate) key: MapKey,
    pub(crate) name: String,
    /// The type of the map.
    pub map_type: MapType,
    /// How many entries the map can have.
    pub max_entries: u64,
    /// `None` until the user has confirmed.
    pub progress: Option<CountProgress>,
}

/// The progress of a running count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CountProgress {
    /// Entries counted so far.
    pub entries: u64,
}

impl App {
    /// Asks for confirmation to count the selected map, or says why it cannot be counted.
    pub(super) fn open_count_dialog(&mut self) {
        if self.session.player.is_some() {
            self.toast("exact counts need a live map; this is a recording");
            return;
        }
        if self.fleet().is_some() {
            self.toast("exact counts need a live map; run mapstop on that machine");
            return;
        }
        let row = match self.screen() {
            Screen::Detail(detail) => Some(&detail.row),
            _ => self.selected_row(),
        };
        let Some(row) = row else {
            self.toast("select a map first (Up, Down)");
            return;
        };
        if let Some(reason) = not_countable_reason(row) {
            self.toast(reason);
            return;
        }
        let facts = &row.facts;
        let (key, name, map_type) = (row.key().clone(), facts.name.to_string(), facts.map_type);
        let max_entries = facts.capacity.unwrap_or(facts.max_entries.into());
        self.nav.toast = None;
        self.nav
            .screens
            .push(Screen::ExactCount(Box::new(CountDialog {
                key,
                name,
                map_type,
                max_entries,
                progress: None,
            })));
        self.keep_in_view();
    }

    pub(super) fn apply_to_count_dialog(&mut self, action: Action) -> Option<Effect> {
        let Some(Screen::ExactCount(dialog)) = self.nav.screens.top_mut() else {
            return None;
        };
        match (action, dialog.progress) {
            (Action::Accept, None) => {
                dialog.progress = Some(CountProgress::default());
                return Some(Effect::Count(dialog.key.id));
            }
            // The count is running already.
            (Action::Accept, Some(_)) => {}
            (Action::Back, None) => self.close_count_dialog(),
            (Action::Back, Some(_)) => {
                let text = format!("stopped counting {}", dialog.name);
                self.close_count_dialog();
                self.toast(text);
                return Some(Effect::StopCounting);
            }
            _ => return None,
        }
        Some(Effect::Draw)
    }

    fn close_count_dialog(&mut self) {
        if let Screen::ExactCount(_) = self.screen() {
            self.nav.screens.pop();
            self.keep_in_view();
        }
    }

    /// The dialog and progress of a running count of this map.
    fn running_count(&mut self, key: &MapKey) -> Option<(&mut CountProgress, String)> {
        match self.nav.screens.top_mut() {
            Some(Screen::ExactCount(dialog)) if dialog.key == *key => {
                let name = dialog.name.clone();
                Some((dialog.progress.as_mut()?, name))
            }
            _ => None,
        }
    }

    /// A count has reached this many entries.
    pub fn on_count_progress(&mut self, key: &MapKey, entries: u64) {
        if let Some((progress, _)) = self.running_count(key) {
            progress.entries = entries;
        }
    }

    /// A count has ended. The result of one that was stopped is dropped.
    pub fn on_counted(&mut self, key: &MapKey, took: Duration, counted: Result<Option<u64>>) {
        let at = self.session.now;
        let Some((_, name)) = self.running_count(key) else {
            return;
        };
        self.close_count_dialog();
        match counted {
            Ok(Some(entries)) => {
                let counted = ExactCount { entries, at, took };
                self.data.exact_counts.insert(key.clone(), counted);
                let entries = count_noun(entries, "entry", "entries");
                self.toast(format!(
                    "{name} has exactly {entries}; Enter shows the result again"
                ));
            }
            Ok(None) => {}
            Err(error) => self.alert(format!("cannot count {name}: {error:#}")),
        }
    }

    /// The last exact count of a map.
    #[must_use]
    pub fn exact_count(&self, key: &MapKey) -> Option<ExactCount> {
        self.data.exact_counts.get(key).copied()
    }

    /// Drops the exact counts of deleted maps: another map may get the id.
    pub(super) fn drop_counts_of_deleted(&mut self) {
        let Some(reading) = &self.data.reading else {
            return;
        };
        let rows = &reading.rows;
        self.data.exact_counts.retain(|key, _| {
            let index = rows.binary_search_by(|row| row.key().cmp(key));
            index.is_ok_and(|index| rows[index].deleted_at.is_none())
        });
    }
}
