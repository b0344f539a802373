//! The state of the live view: samples and actions go in, what is to be drawn stands in it.
//!
//! Knows no terminal and no clock: time comes with the data.

mod action;
mod prompt;
mod table;

use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::crossterm::event::KeyEvent;

use super::keys::{self, Place};
use super::layout;
use crate::batch::is_map;
use crate::model::history::History;
use crate::model::mark::Mark;
use crate::model::row::{Reading, Row};
use crate::model::snapshot::{Host, MapKey, Moment, Snapshot};
use crate::query::columns::ColumnId;
use crate::query::fill::{Glyphs, UTF8};
use crate::query::filter::Filter;
use crate::query::sort::Sort;

pub use action::{Action, Effect};
pub use prompt::{Asked, Prompt};

/// What is on the screen.
#[derive(Debug, Clone)]
pub enum Mode {
    /// The table.
    Table,
    /// The table, and a line that is being typed under it.
    Prompt(Box<Prompt>),
    /// The list of columns, and the place in it.
    Menu(usize),
    /// The help, and its first line on the screen.
    Help(usize),
}

/// A line for the user that goes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it says.
    pub text: String,
    /// When it goes, by the clock of [`Moment::uptime`].
    until: Duration,
}

/// The screen stands still.
#[derive(Debug, Clone)]
struct Pause {
    since: Moment,
    /// The last reading since, to be shown when it goes on.
    latest: Option<Reading>,
}

/// Reading fails, and the numbers shown are old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Why.
    pub error: String,
}

/// How long a message stays.
const MESSAGE_TIME: Duration = Duration::from_secs(4);

/// How many maps have which mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Marked `!`.
    pub crit: usize,
    /// Marked `^`.
    pub warn: usize,
    /// Whose level could not be read.
    pub unread: usize,
}

impl Tally {
    fn of(rows: &[Row]) -> Self {
        let mut tally = Self::default();
        for row in rows {
            match row.mark {
                Some(Mark::Crit) => tally.crit += 1,
                Some(Mark::Warn) => tally.warn += 1,
                Some(Mark::None) | None => {}
            }
            tally.unread += usize::from(row.is_unread());
        }
        tally
    }

    /// The most urgent mark there is.
    #[must_use]
    pub fn worst(self) -> Mark {
        match self {
            Self { crit: 1.., .. } => Mark::Crit,
            Self { warn: 1.., .. } => Mark::Warn,
            Self { .. } => Mark::None,
        }
    }
}

/// The state of the live view.
#[derive(Debug, Clone)]
pub struct App {
    /// The machine that is looked at.
    pub host: Host,
    /// What is on the screen.
    pub mode: Mode,
    /// What is shown; `None` before the first sample.
    pub reading: Option<Reading>,
    /// The places in the reading's rows of those that match, in order.
    pub places: Vec<usize>,
    /// Marks over all maps, whether they match or not.
    pub tally: Tally,
    /// Which maps are shown.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// The selected map.
    pub selected: Option<MapKey>,
    /// The first row on the screen.
    pub top: usize,
    /// The time between two samples.
    pub delay: Duration,
    /// What the last sample took.
    pub cost: Duration,
    /// The numbers shown are old.
    pub stale: Option<Stale>,
    /// Now.
    pub now: Moment,
    /// Columns instead of those that fit.
    pub columns: Option<Vec<ColumnId>>,
    /// What the screen is drawn with.
    pub glyphs: &'static Glyphs,
    /// Where the user's clock is.
    pub zone: TimeZone,
    message: Option<Message>,
    pause: Option<Pause>,
    history: History,
    /// Width and height of the screen.
    size: (u16, u16),
    /// Filters typed before.
    typed: Vec<String>,
    /// The map to select when it is first seen, by id or name.
    wanted: Option<String>,
}

impl App {
    /// A view of a machine's maps, before the first sample.
    #[must_use]
    pub fn new(host: Host, now: Moment) -> Self {
        Self {
            host,
            mode: Mode::Table,
            reading: None,
            places: Vec::new(),
            tally: Tally::default(),
            filter: Filter::everything(),
            sort: Sort::default(),
            selected: None,
            top: 0,
            delay: crate::cli::DELAY,
            cost: Duration::ZERO,
            stale: None,
            now,
            columns: None,
            glyphs: &UTF8,
            zone: TimeZone::UTC,
            message: None,
            pause: None,
            history: History::default(),
            size: (80, 24),
            typed: Vec::new(),
            wanted: None,
        }
    }

    /// Selects a map, by id or name, as soon as there is one.
    pub fn want(&mut self, map: Option<String>) {
        self.wanted = map;
    }

    /// Rows of the reading that are shown, in order.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Row> {
        let rows = self
            .reading
            .as_ref()
            .map_or(&[][..], |reading| &reading.rows);
        self.places.iter().map(|place| &rows[*place])
    }

    /// How many maps there are, shown or not.
    #[must_use]
    pub fn total(&self) -> usize {
        self.reading
            .as_ref()
            .map_or(0, |reading| reading.rows.len())
    }

    /// Where in [`Self::rows`] the selected map is.
    #[must_use]
    pub fn selected_at(&self) -> Option<usize> {
        let key = self.selected.as_ref()?;
        self.rows().position(|row| row.key() == key)
    }

    /// What there is to say, if it is not over.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message
            .as_ref()
            .filter(|message| self.now.uptime < message.until)
            .map(|message| message.text.as_str())
    }

    /// Since when the screen stands still.
    #[must_use]
    pub fn paused_since(&self) -> Option<Moment> {
        self.pause.as_ref().map(|pause| pause.since)
    }

    /// Width and height of the screen.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// The screen has this size from now on.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
        self.keep_in_view();
    }

    fn say(&mut self, text: impl Into<String>) {
        self.message = Some(Message {
            text: text.into(),
            until: self.now.uptime + MESSAGE_TIME,
        });
    }

    /// Takes in a snapshot that took `cost` to read.
    pub fn ingest(&mut self, snapshot: Snapshot, cost: Duration) {
        self.stale = None;
        self.cost = cost;
        self.now = snapshot.moment;
        let before = std::mem::take(&mut self.history);
        self.history.push(&snapshot);
        let reading = Reading::new(snapshot, &before);
        match &mut self.pause {
            Some(pause) => pause.latest = Some(reading),
            None => self.show(reading),
        }
    }

    /// A sample failed: what is shown is old from now on.
    pub fn fail(&mut self, error: &anyhow::Error, now: Moment) {
        self.now = now;
        let cause = error.root_cause().to_string();
        self.stale = Some(Stale {
            // The number says nothing that the words before it do not.
            error: match cause.split_once(" (os error") {
                Some((words, _)) => words.to_owned(),
                None => cause,
            },
        });
    }

    fn show(&mut self, reading: Reading) {
        let name_of_selected = self.selected.as_ref().and_then(|key| self.name_of(key));
        let is_same_maps = self.reading.as_ref().is_some_and(|old| {
            old.rows.len() == reading.rows.len()
                && old
                    .rows
                    .iter()
                    .zip(&reading.rows)
                    .all(|(a, b)| a.key() == b.key())
        });
        self.tally = Tally::of(&reading.rows);
        self.reading = Some(reading);
        if !is_same_maps || !self.filter.is_everything() {
            self.match_rows(is_same_maps);
        }
        self.order();
        if let Some(wanted) = self.wanted.take() {
            let rows = self
                .reading
                .as_ref()
                .map_or(&[][..], |reading| &reading.rows);
            let found = rows
                .iter()
                .find(|row| is_map(row, &wanted))
                .map(|row| row.key().clone());
            self.selected = found;
            if self.selected.is_none() {
                self.say(format!("no map has the id or name '{wanted}'"));
            } else if self.selected_at().is_none() {
                self.say(format!("'{wanted}' does not match the filter"));
            }
        }
        if let Some(key) = self.selected.clone()
            && self.name_of(&key).is_none()
        {
            self.selected = None;
            let name = name_of_selected.unwrap_or_default();
            self.say(format!("{} {name} is gone", key.id.0));
        }
        self.keep_in_view();
    }

    fn name_of(&self, key: &MapKey) -> Option<String> {
        let rows = &self.reading.as_ref()?.rows;
        let at = rows.binary_search_by(|row| row.key().cmp(key)).ok()?;
        Some(rows[at].facts.name.to_string())
    }

    /// Finds the rows that match. Those that did before keep their order if `is_same_maps`, so
    /// that sorting has little to do.
    fn match_rows(&mut self, is_same_maps: bool) {
        let rows = self
            .reading
            .as_ref()
            .map_or(&[][..], |reading| &reading.rows);
        let mut is_match: Vec<_> = rows.iter().map(|row| self.filter.matches(row)).collect();
        if is_same_maps {
            self.places
                .retain(|place| std::mem::take(&mut is_match[*place]));
        } else {
            self.places.clear();
        }
        self.places
            .extend((0..rows.len()).filter(|place| is_match[*place]));
    }

    fn order(&mut self) {
        if let Some(reading) = &self.reading {
            self.sort.apply(&reading.rows, &mut self.places);
        }
    }

    fn sort_by(&mut self, sort: Sort) {
        self.sort = sort;
        self.order();
        self.keep_in_view();
    }

    fn filter_by(&mut self, filter: Filter) {
        self.filter = filter;
        self.match_rows(true);
        self.order();
        self.keep_in_view();
    }

    /// Scrolls as far as needed for the selected map, and no further than there are rows.
    fn keep_in_view(&mut self) {
        let page = self.page();
        if let Some(at) = self.selected_at() {
            self.top = self.top.clamp((at + 1).saturating_sub(page), at);
        } else if self.selected.is_none() {
            self.top = 0;
        }
        self.top = self.top.min(self.places.len().saturating_sub(page));
    }

    /// How many rows fit.
    fn page(&self) -> usize {
        layout::lines(self.size.1, layout::bottom(self)).rows.max(1)
    }

    /// What a key does here and now.
    pub fn press(&mut self, event: KeyEvent) -> Effect {
        let place = match &self.mode {
            Mode::Table => Place::Table,
            Mode::Prompt(_) => Place::Prompt,
            Mode::Menu(_) => Place::Menu,
            Mode::Help(_) => Place::Help,
        };
        if let Some(action) = keys::action(place, event) {
            return self.apply(action);
        }
        self.type_key(event);
        Effect::Draw
    }

    /// Does what was asked for.
    pub fn apply(&mut self, action: Action) -> Effect {
        match &mut self.mode {
            Mode::Table => return self.apply_to_table(action),
            Mode::Prompt(_) => self.apply_to_prompt(action),
            Mode::Menu(at) => {
                let last = ColumnId::all().count() - 1;
                match action {
                    Action::Up => *at = at.saturating_sub(1),
                    Action::Down => *at = (*at + 1).min(last),
                    Action::First => *at = 0,
                    Action::Last => *at = last,
                    Action::Back => self.mode = Mode::Table,
                    Action::Reverse => self.reverse(),
                    Action::Accept => {
                        let column = ColumnId::all().nth(*at);
                        self.mode = Mode::Table;
                        if let Some(column) = column.filter(|id| *id != self.sort.column) {
                            self.sort_by(Sort::by(column));
                        }
                    }
                    _ => {}
                }
            }
            Mode::Help(top) => {
                let page = usize::from(self.size.1.saturating_sub(2)).max(1);
                let last = layout::help_lines(self.size.0).len().saturating_sub(page);
                *top = match action {
                    Action::Up => top.saturating_sub(1),
                    Action::Down => *top + 1,
                    Action::PageUp => top.saturating_sub(page),
                    Action::PageDown => *top + page,
                    Action::First => 0,
                    Action::Last => last,
                    _ => *top,
                }
                .min(last);
                if action == Action::Back {
                    self.mode = Mode::Table;
                }
            }
        }
        if action == Action::QuitNow {
            Effect::Quit
        } else {
            Effect::Draw
        }
    }
}
