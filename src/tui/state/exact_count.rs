//! Counting one map exactly: asking first, how far it is, and what came of it.

use std::time::Duration;

use anyhow::Result;

use super::{App, Screen};
use crate::analysis::exact_count::{ExactCount, not_countable_reason};
use crate::text::units;
use crate::tui::action::{Action, Effect};
use crate::types::map_id::MapKey;
use crate::types::map_type::MapType;

/// A map that is to be counted, or is.
#[derive(Debug, Clone)]
pub struct CountDialog {
    /// Which.
    pub key: MapKey,
    /// What it is called.
    pub name: String,
    /// Its type.
    pub map_type: MapType,
    /// How many entries it may have.
    pub most: u64,
    /// How far it is; `None` while the user is asked.
    pub walk: Option<Walk>,
    /// What it was asked for over, and goes back to.
    pub under: Box<Screen>,
}

/// How far a count is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Walk {
    /// Entries so far.
    pub so_far: u64,
}

impl App {
    /// Asks whether to count the selected map, or says why not.
    pub(super) fn ask_to_count(&mut self) {
        if self.player.is_some() {
            self.toast("a recording has what was counted when it was made");
            return;
        }
        if self.fleet().is_some() {
            self.toast("a map is counted where it is: mapstop, on that machine");
            return;
        }
        let row = match &self.mode {
            Screen::Detail(detail) => Some(&detail.row),
            _ => self.selected_row(),
        };
        let Some(row) = row else {
            self.toast("select a map first: Up Down");
            return;
        };
        if let Some(why) = not_countable_reason(row) {
            self.toast(why);
            return;
        }
        let facts = &row.facts;
        let (key, name, map_type) = (row.key().clone(), facts.name.to_string(), facts.map_type);
        let most = facts.capacity.unwrap_or(facts.max_entries.into());
        self.message = None;
        let under = std::mem::replace(&mut self.mode, Screen::Table);
        self.mode = Screen::Count(Box::new(CountDialog {
            key,
            name,
            map_type,
            most,
            walk: None,
            under: Box::new(under),
        }));
        self.keep_in_view();
    }

    pub(super) fn apply_to_count(&mut self, action: Action) -> Effect {
        let Screen::Count(counting) = &mut self.mode else {
            return Effect::Draw;
        };
        match (action, counting.walk) {
            (Action::Accept, None) => {
                counting.walk = Some(Walk { so_far: 0 });
                return Effect::Count(counting.key.id);
            }
            (Action::Back, None) => self.close_count(),
            (Action::Back, Some(_)) => {
                let text = format!("{} is not counted: stopped", counting.name);
                self.close_count();
                self.toast(text);
                return Effect::StopCounting;
            }
            _ => {}
        }
        Effect::Draw
    }

    fn close_count(&mut self) {
        if let Screen::Count(counting) = &mut self.mode {
            let under = std::mem::replace(&mut *counting.under, Screen::Table);
            self.mode = under;
            self.keep_in_view();
        }
    }

    /// The count of this map, if it goes on and was not stopped.
    fn count_of(&mut self, key: &MapKey) -> Option<(&mut Walk, String)> {
        match &mut self.mode {
            Screen::Count(counting) if counting.key == *key => {
                let name = counting.name.clone();
                Some((counting.walk.as_mut()?, name))
            }
            _ => None,
        }
    }

    /// So many entries were met so far.
    pub fn counting(&mut self, key: &MapKey, so_far: u64) {
        if let Some((walk, _)) = self.count_of(key) {
            walk.so_far = so_far;
        }
    }

    /// A map is counted in this time, or it failed. What was stopped is not told any more.
    pub fn counted(&mut self, key: &MapKey, took: Duration, counted: Result<Option<u64>>) {
        let at = self.now;
        let Some((_, name)) = self.count_of(key) else {
            return;
        };
        self.close_count();
        match counted {
            Ok(Some(entries)) => {
                let counted = ExactCount { entries, at, took };
                self.exact.insert(key.clone(), counted);
                let entries = units::with_thousands_separators(entries);
                self.toast(format!(
                    "{name} had {entries} entries just now; Enter keeps telling"
                ));
            }
            Ok(None) => {}
            Err(error) => self.alert(format!("{name} is not counted: {error:#}")),
        }
    }

    /// What this map came to when it was last counted exactly.
    #[must_use]
    pub fn exact(&self, key: &MapKey) -> Option<ExactCount> {
        self.exact.get(key).copied()
    }

    /// Forgets what was counted of maps that are gone: another may get their id.
    pub(super) fn forget_counted(&mut self) {
        let Some(reading) = &self.reading else {
            return;
        };
        let rows = &reading.rows;
        self.exact.retain(|key, _| {
            let at = rows.binary_search_by(|row| row.key().cmp(key));
            at.is_ok_and(|at| rows[at].deleted_at.is_none())
        });
    }
}
