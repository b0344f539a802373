//! What keys do in the table: moving, sorting, pausing, and the way out.

use std::time::Duration;

use super::{Action, App, Asked, Effect, Mode, Pause};
use crate::model::units;
use crate::query::columns::ColumnId;
use crate::query::filter::Filter;
use crate::query::sort::Sort;
use crate::tui::layout;

/// The intervals that `+` and `-` step through.
const INTERVALS: [Duration; 10] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(5),
];

impl App {
    pub(super) fn apply_to_table(&mut self, action: Action) -> Effect {
        let page = self.page();
        match action {
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.step(-signed(page)),
            Action::PageDown => self.step(signed(page)),
            Action::HalfUp => self.step(-signed(page.div_ceil(2))),
            Action::HalfDown => self.step(signed(page.div_ceil(2))),
            Action::First => {
                self.selected = None;
                self.keep_in_view();
            }
            Action::Last => self.step(isize::MAX),
            Action::AskFilter => self.ask(Asked::Filter, self.filter.text().to_owned()),
            Action::AskInterval => self.ask(Asked::Interval, String::new()),
            Action::AskSort => {
                let at = ColumnId::all().position(|id| id == self.sort.column);
                self.mode = Mode::Menu(at.unwrap_or(0));
            }
            Action::SortLeft => self.sort_beside(false),
            Action::SortRight => self.sort_beside(true),
            Action::SortBy(column) => self.sort_by(Sort::by(column)),
            Action::Reverse => self.reverse(),
            Action::Pause => self.pause_or_resume(),
            Action::Longer => {
                let longer = INTERVALS.iter().find(|step| **step > self.delay);
                self.set_delay(longer.copied().unwrap_or(self.delay));
            }
            Action::Shorter => {
                let shorter = INTERVALS.iter().rfind(|step| **step < self.delay);
                self.set_delay(shorter.copied().unwrap_or(self.delay));
            }
            Action::Help => self.mode = Mode::Help(0),
            Action::SampleNow => return Effect::Sample,
            Action::Redraw => return Effect::Redraw,
            Action::Quit | Action::QuitNow => return Effect::Quit,
            Action::Back => self.back(),
            Action::Accept | Action::Edit(_) => {}
        }
        Effect::Draw
    }

    /// Selects the map so many rows further. From nowhere, down starts above the first row on the
    /// screen and up goes to the last.
    fn step(&mut self, by: isize) {
        let Some(last) = self.places.len().checked_sub(1) else {
            return;
        };
        let to = match self.selected_at() {
            Some(at) => at.saturating_add_signed(by),
            None if by > 0 => self.top.saturating_add_signed(by - 1),
            None => self.top + self.page() - 1,
        };
        let row = self.rows().nth(to.min(last));
        let key = row.map(|row| row.key().clone());
        self.selected = key;
        self.keep_in_view();
    }

    pub(super) fn reverse(&mut self) {
        self.sort_by(Sort {
            is_reversed: !self.sort.is_reversed,
            ..self.sort
        });
    }

    /// Sorts by the next column on the screen, to the left or right, round at the ends.
    fn sort_beside(&mut self, to_right: bool) {
        let shown = layout::sortable(self);
        let at = shown
            .iter()
            .position(|id| *id == self.sort.column)
            .unwrap_or(0);
        let step = if to_right { 1 } else { shown.len() - 1 };
        if let Some(column) = shown.get((at + step) % shown.len()) {
            self.sort_by(Sort::by(*column));
        }
    }

    fn pause_or_resume(&mut self) {
        match self.pause.take() {
            None => {
                self.pause = Some(Pause {
                    since: self.now,
                    latest: None,
                });
            }
            Some(Pause { latest, .. }) => {
                if let Some(reading) = latest {
                    self.show(reading);
                }
            }
        }
    }

    pub(super) fn set_delay(&mut self, delay: Duration) {
        self.delay = delay;
        self.say(format!("every {}", units::interval(delay)));
    }

    fn back(&mut self) {
        if self.message().is_some() {
            self.message = None;
        } else if !self.filter.is_everything() {
            self.filter_by(Filter::everything());
        } else {
            self.say("q quits");
        }
    }
}

fn signed(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX)
}
