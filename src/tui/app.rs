//! The state of the live view: samples and actions go in, what is to be drawn stands in it.
//!
//! Knows no terminal and no clock: time comes with the data.

use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use super::keys::{self, Place};
use super::layout;
use crate::batch::is_map;
use crate::cli::{LONGEST_DELAY, SHORTEST_DELAY};
use crate::model::history::History;
use crate::model::mark::Mark;
use crate::model::row::{Reading, Row};
use crate::model::snapshot::{Host, MapKey, Moment, Snapshot};
use crate::model::units;
use crate::query::columns::ColumnId;
use crate::query::fill::{Glyphs, UTF8};
use crate::query::filter::{Filter, FilterError};
use crate::query::sort::Sort;

/// What a key asks for. What it does depends on where it is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// One up: a map, a line, an earlier text.
    Up,
    /// One down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Half a page up.
    HalfUp,
    /// Half a page down.
    HalfDown,
    /// To the top; the table lets go of the selected map.
    First,
    /// To the end.
    Last,
    /// Opens the filter prompt.
    AskFilter,
    /// Opens the interval prompt.
    AskInterval,
    /// Opens the list of columns to sort by.
    AskSort,
    /// Sorts by the column to the left of the present one.
    SortLeft,
    /// Sorts by the column to the right.
    SortRight,
    /// Sorts by a column.
    SortBy(ColumnId),
    /// Turns the order round.
    Reverse,
    /// Stops the screen, or lets it go on.
    Pause,
    /// A longer interval.
    Longer,
    /// A shorter interval.
    Shorter,
    /// Takes a sample at once.
    SampleNow,
    /// Draws the whole screen anew.
    Redraw,
    /// Opens the help.
    Help,
    /// Changes what is typed, or moves in it.
    Edit(InputRequest),
    /// Keeps what was typed or chosen.
    Accept,
    /// One step back.
    Back,
    /// One step back; at the top, out.
    Quit,
    /// Out.
    QuitNow,
}

/// What the loop is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing but draw.
    Draw,
    /// End.
    Quit,
    /// Take a sample.
    Sample,
    /// Draw every cell, not only those that changed.
    Redraw,
}

/// What a prompt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A filter.
    Filter,
    /// The time between two samples.
    Interval,
}

/// A line that is being typed.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// What for.
    pub asked: Asked,
    /// What was typed so far.
    pub input: Input,
    /// What is wrong with it.
    pub error: Option<FilterError>,
    /// The filter to go back to.
    before: Filter,
    /// The place in the earlier texts; their number for the draft.
    earlier: usize,
    /// What was being typed before an earlier text was looked up.
    draft: String,
}

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

/// Characters in a prompt, at most: what is pasted by mistake may be large.
const LONGEST_LINE: usize = 1000;

/// How long a message stays.
const MESSAGE_TIME: Duration = Duration::from_secs(4);

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
        match (keys::action(place, event), &mut self.mode) {
            (Some(action), _) => self.apply(action),
            (None, Mode::Prompt(prompt)) => {
                let shift_or_none = KeyModifiers::SHIFT.contains(event.modifiers);
                let has_room = prompt.input.value().chars().count() < LONGEST_LINE;
                if let (KeyCode::Char(c), true, true) = (event.code, shift_or_none, has_room) {
                    self.apply(Action::Edit(InputRequest::InsertChar(c)));
                }
                Effect::Draw
            }
            (None, _) => Effect::Draw,
        }
    }

    /// Text that was pasted: only a prompt takes it, and as text.
    pub fn paste(&mut self, text: &str) {
        if let Mode::Prompt(prompt) = &mut self.mode {
            let (before, after) = prompt.input.value().split_at(byte_of(&prompt.input));
            let pasted = text.chars().map(|c| if c.is_control() { ' ' } else { c });
            let room = LONGEST_LINE.saturating_sub(before.chars().count() + after.chars().count());
            let before: String = before.chars().chain(pasted.take(room)).collect();
            let cursor = before.chars().count();
            prompt.input = Input::new(before + after).with_cursor(cursor);
            self.typed_so_far();
        }
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

    fn apply_to_table(&mut self, action: Action) -> Effect {
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

    /// Selects the map so many rows further. From nowhere, down goes to the first row on the
    /// screen and up to the last.
    fn step(&mut self, by: isize) {
        let Some(last) = self.places.len().checked_sub(1) else {
            return;
        };
        let to = match self.selected_at() {
            Some(at) => at.saturating_add_signed(by),
            None if by == 1 => self.top,
            None if by > 0 => (self.top + self.page() - 1).max(usize::try_from(by).unwrap_or(0)),
            None => self.top,
        };
        let row = self.rows().nth(to.min(last));
        let key = row.map(|row| row.key().clone());
        self.selected = key;
        self.keep_in_view();
    }

    fn reverse(&mut self) {
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

    fn set_delay(&mut self, delay: Duration) {
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

    fn ask(&mut self, asked: Asked, text: String) {
        self.message = None;
        self.mode = Mode::Prompt(Box::new(Prompt {
            asked,
            input: Input::new(text),
            error: None,
            before: self.filter.clone(),
            earlier: self.typed.len(),
            draft: String::new(),
        }));
        self.keep_in_view();
    }

    fn apply_to_prompt(&mut self, action: Action) {
        let Mode::Prompt(prompt) = &mut self.mode else {
            return;
        };
        match action {
            Action::Edit(request) => drop(prompt.input.handle(request)),
            Action::Up | Action::Down if prompt.asked == Asked::Filter => {
                let to = match action {
                    Action::Up => prompt.earlier.saturating_sub(1),
                    _ => (prompt.earlier + 1).min(self.typed.len()),
                };
                if to == prompt.earlier {
                    return;
                }
                if prompt.earlier == self.typed.len() {
                    prompt.input.value().clone_into(&mut prompt.draft);
                }
                prompt.earlier = to;
                let text = self.typed.get(to).unwrap_or(&prompt.draft);
                prompt.input = Input::new(text.clone());
            }
            Action::Accept => return self.accept(),
            Action::Back => {
                let before = prompt.before.clone();
                let is_filter = prompt.asked == Asked::Filter;
                self.mode = Mode::Table;
                if is_filter {
                    self.filter_by(before);
                }
                return;
            }
            _ => return,
        }
        self.typed_so_far();
    }

    /// The table follows the filter as it is typed; while it is wrong the last good one stays.
    fn typed_so_far(&mut self) {
        let Mode::Prompt(prompt) = &mut self.mode else {
            return;
        };
        prompt.error = None;
        if prompt.asked == Asked::Filter {
            match Filter::parse(prompt.input.value()) {
                Ok(filter) => self.filter_by(filter),
                Err(error) => prompt.error = Some(error),
            }
        }
    }

    fn accept(&mut self) {
        let Mode::Prompt(prompt) = &mut self.mode else {
            return;
        };
        match prompt.asked {
            Asked::Filter if prompt.error.is_some() => {}
            Asked::Filter => {
                let text = prompt.input.value().trim().to_owned();
                self.mode = Mode::Table;
                if !text.is_empty() {
                    self.typed.retain(|earlier| *earlier != text);
                    self.typed.push(text);
                }
                self.keep_in_view();
            }
            Asked::Interval => match units::parse_time(prompt.input.value()) {
                Ok(delay) if (SHORTEST_DELAY..=LONGEST_DELAY).contains(&delay) => {
                    self.mode = Mode::Table;
                    self.set_delay(delay);
                    self.keep_in_view();
                }
                Ok(_) => prompt.error = Some(wrong_interval("a time from 0.1 seconds to a day")),
                Err(_) => prompt.error = Some(wrong_interval("a time, as in 2, 0.5, 500ms or 1m")),
            },
        }
    }
}

/// Where the cursor stands in the text, in bytes.
fn byte_of(input: &Input) -> usize {
    let text = input.value();
    let place = text.char_indices().nth(input.cursor());
    place.map_or(text.len(), |(at, _)| at)
}

fn wrong_interval(expected: &str) -> FilterError {
    FilterError {
        at: 0,
        message: format!("expected {expected}"),
    }
}

fn signed(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX)
}
