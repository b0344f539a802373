//! The state of the live view: samples and actions go in, what is to be drawn stands in it.
//!
//! Knows no terminal and no clock: time comes with the data.

pub(crate) mod column_picker;
pub(crate) mod detail;
pub(crate) mod doctor_page;
pub(crate) mod exact_count;
pub(crate) mod help;
pub(crate) mod losses;
pub(crate) mod owner_list;
pub(crate) mod prompt;
pub(crate) mod replay;
pub(crate) mod rows;
pub(crate) mod sample_buffer;
pub(crate) mod search;
pub(crate) mod sort_menu;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod time_nav;
pub(crate) mod toast;

use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::crossterm::event::KeyEvent;

use super::action::{Action, Effect};
use super::keymap::{self, KeyContext};
use crate::analysis::backfill::Backfill;
use crate::analysis::exact_count::ExactCount;
use crate::analysis::history::History;
use crate::analysis::thresholds::Thresholds;
use crate::columns::glyphs::{Glyphs, UTF8};
use crate::query::fields::ColumnId;
use crate::query::filter::Filter;
use crate::query::pushdown;
use crate::query::sort::Sort;
use crate::source::request::SourceQuery;
use crate::theme::{DEFAULT, Theme};
use crate::types::doctor_report::DoctorReport;
use crate::types::host::{Host, Moment};
use crate::types::loss_tracing::LossTracing;
use crate::types::map_id::MapKey;
use crate::types::reading::Reading;
use crate::types::row::Row;
use crate::types::snapshot::Snapshot;
use sample_buffer::SampleBuffer;
use toast::Message;

pub use column_picker::ColumnPicker;
pub use detail::{Detail, DetailPage};
pub use doctor_page::System;
pub use exact_count::CountDialog;
pub use help::{Help, Page};
pub use losses::cannot;
pub use owner_list::Groups;
pub use prompt::{Prompt, PromptKind};
pub use replay::Player;
pub use search::Search;
pub use sort_menu::Menu;
pub use summary::Summary;

/// What is on the screen.
#[derive(Debug, Clone)]
pub enum Screen {
    /// The table.
    Table,
    /// One map.
    Detail(Box<Detail>),
    /// A line that is being typed, under what it is typed for.
    Prompt(Box<Prompt>),
    /// The list of columns to sort by.
    Menu(Menu),
    /// The list of owners.
    Groups(Groups),
    /// The list of columns to show.
    Columns(Box<ColumnPicker>),
    /// The help.
    Help(Help),
    /// What can be shown here.
    System(System),
    /// A map that is to be counted, under what that was asked for.
    Count(Box<CountDialog>),
}

/// Reading fails, and the numbers shown are old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Why.
    pub error: String,
}

/// From this height on there is a preview, unless the user says otherwise.
const PREVIEW_HEIGHT: u16 = 36;

/// The state of the live view.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch that a key turns by itself"
)]
pub struct App {
    /// The machine that is looked at.
    pub host: Host,
    /// What is on the screen.
    pub mode: Screen,
    /// What is shown, maps that are gone included; `None` before the first sample.
    pub reading: Option<Arc<Reading>>,
    /// The places in the reading's rows of those that match, in order.
    pub visible: Vec<usize>,
    /// How many maps there are, and with which mark.
    pub tally: Summary,
    /// Which maps are shown.
    pub filter: Filter,
    /// What is searched for.
    pub search: Option<Search>,
    /// In which order.
    pub sort: Sort,
    /// The selected map.
    pub selected: Option<MapKey>,
    /// The maps that are kept at the top.
    pub pinned_rows: BTreeSet<MapKey>,
    /// Whether the selected map stays on the screen while it moves.
    pub is_following: bool,
    /// The first row on the screen.
    pub top: usize,
    /// How many columns have been scrolled away to the left.
    pub scrolled: usize,
    /// Whether numbers are exact and names whole.
    pub is_exact: bool,
    /// The time between two samples.
    pub delay: Duration,
    /// What the last sample took.
    pub cost: Duration,
    /// The numbers shown are old.
    pub stale: Option<Stale>,
    /// Now, by the user's clock.
    pub now: Moment,
    /// Columns instead of those that fit.
    pub columns: Option<Vec<ColumnId>>,
    /// What the screen is drawn with.
    pub glyphs: &'static Glyphs,
    /// What roles look like.
    pub theme: &'static Theme,
    /// Where the user's clock is.
    pub zone: TimeZone,
    /// The recording that is shown instead of a machine as it is now.
    pub player: Option<Player>,
    /// Whether samples are being recorded.
    pub is_recording: bool,
    /// Whether what maps lose is watched, or was when it was recorded.
    pub watching: LossTracing,
    /// Whether the user asked for that.
    pub asks_for_losses: bool,
    /// What was found out about this machine.
    pub checkup: Option<Arc<DoctorReport>>,
    is_examining: bool,
    /// What maps came to that were counted exactly.
    exact: BTreeMap<MapKey, ExactCount>,
    message: Option<Message>,
    /// What stays to be said until the user has seen it.
    alert: Option<String>,
    /// Whether the line about what could not be counted was sent away.
    is_limit_hidden: bool,
    is_paused: bool,
    /// Until when rows keep their places, by the clock of [`App::now`].
    held_until: Duration,
    preview: Option<bool>,
    /// A filter that nothing matched, among how many maps, and names that are close to what it says.
    suggestions: (String, usize, Vec<String>),
    past: SampleBuffer,
    history: History,
    /// Width and height of the screen.
    size: (u16, u16),
    typed: prompt::PromptHistory,
    /// The list of owners that the table was opened from, and the filter that was there.
    opened_from: Option<(Groups, Filter)>,
    /// The map to open when it is first seen, by id or name.
    open_when_seen: Option<String>,
}

impl App {
    /// A view of a machine's maps, before the first sample.
    #[must_use]
    pub fn new(host: Host, now: Moment) -> Self {
        Self {
            host,
            mode: Screen::Table,
            reading: None,
            visible: Vec::new(),
            tally: Summary::default(),
            filter: Filter::everything(),
            search: None,
            sort: Sort::default(),
            selected: None,
            pinned_rows: BTreeSet::new(),
            is_following: false,
            top: 0,
            scrolled: 0,
            is_exact: false,
            delay: crate::options::DELAY,
            cost: Duration::ZERO,
            stale: None,
            now,
            columns: None,
            glyphs: &UTF8,
            theme: &DEFAULT,
            zone: TimeZone::UTC,
            player: None,
            is_recording: false,
            watching: LossTracing::Off,
            asks_for_losses: false,
            checkup: None,
            is_examining: false,
            exact: BTreeMap::new(),
            message: None,
            alert: None,
            is_limit_hidden: false,
            is_paused: false,
            held_until: Duration::ZERO,
            preview: None,
            suggestions: (String::new(), 0, Vec::new()),
            past: SampleBuffer::default(),
            history: History::live(),
            size: (80, 24),
            typed: prompt::PromptHistory::default(),
            opened_from: None,
            open_when_seen: None,
        }
    }

    /// Opens a map, by id or name, as soon as there is one.
    pub fn open_when_seen(&mut self, map: Option<String>) {
        self.open_when_seen = map;
    }

    /// The moment of what is shown, if the screen stands still.
    #[must_use]
    pub fn paused_at(&self) -> Option<Moment> {
        let shown = self.reading.as_ref().filter(|_| self.is_paused)?;
        Some(shown.moment)
    }

    /// The time of what is shown: now, but for a recording.
    #[must_use]
    pub fn time(&self) -> Moment {
        match (&self.player, &self.reading) {
            (Some(_), Some(reading)) => reading.moment,
            _ => self.now,
        }
    }

    /// Whether rows keep their places for a while.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.now.uptime < self.held_until
    }

    /// Whether there is a preview under the table, if there is room.
    #[must_use]
    pub fn has_preview(&self) -> bool {
        self.preview.unwrap_or(self.size.1 >= PREVIEW_HEIGHT)
    }

    /// Whether the line about what could not be counted is to be shown.
    #[must_use]
    pub fn has_limit_line(&self) -> bool {
        self.tally.unread > 0 && !self.is_limit_hidden
    }

    /// When maps are marked.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        self.history.thresholds
    }

    /// What is wanted of a source that has more maps than are looked at.
    #[must_use]
    pub fn wish(&self) -> SourceQuery {
        pushdown::source_query(&self.filter, self.sort, self.thresholds())
    }

    /// The maps that are on the screen.
    #[must_use]
    pub fn keys_on_screen(&self) -> Vec<MapKey> {
        if self
            .reading
            .as_ref()
            .is_none_or(|reading| reading.fleet.is_none())
        {
            return Vec::new();
        }
        let rows = self.rows().skip(self.top).take(self.size.1.into());
        let shown = rows.map(|row| row.key().clone());
        shown.chain(self.selected.clone()).collect()
    }

    /// Learns what a map held before it was first seen.
    pub fn learn(&mut self, earlier: &Backfill) {
        self.history.backfill(earlier);
        if let (Some(began), Some(reading)) = (self.history.began(), &mut self.reading)
            && reading.began != began
        {
            Arc::make_mut(reading).began = began;
        }
    }

    /// Maps are marked from these pressures on.
    pub fn set_thresholds(&mut self, thresholds: Thresholds) {
        self.history.thresholds = thresholds;
    }

    /// The levels of every map through time.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Width and height of the screen.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// The screen has this size from now on.
    pub fn resize(&mut self, width: u16, height: u16) {
        if self.size != (width, height) {
            self.size = (width, height);
            self.keep_in_view();
        }
    }

    /// Takes in a snapshot that took `cost` to read.
    pub fn ingest(&mut self, snapshot: Snapshot, cost: Duration) {
        self.stale = None;
        self.cost = cost;
        if self.player.is_none() {
            self.now = snapshot.moment;
        }
        self.on_tracing_changed(&snapshot.watching);
        let was_coarse = self.history.degraded_resolution().is_some();
        let mut reading = self.history.read(snapshot);
        if self.history.degraded_resolution().is_some() && !was_coarse {
            self.alert("so many maps change that what is remembered gets coarser: Enter tells");
        }
        if let Some(latest) = self.past.latest() {
            let is_needed = |key: &MapKey| {
                self.selected.as_ref() == Some(key) || self.pinned_rows.contains(key)
            };
            rows::retain_deleted(&mut reading, latest, is_needed);
        }
        let reading = Arc::new(reading);
        let left_out = self.past.push(Arc::clone(&reading), self.is_paused);
        if !self.is_paused {
            self.show(&reading);
        }
        // The user may still look at it.
        if let Some(reading) = left_out.and_then(Arc::into_inner) {
            self.history.recycle(reading);
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

    fn show(&mut self, reading: &Arc<Reading>) {
        self.tally = Summary::of(&reading.rows);
        self.replace_rows(reading);
        // Where it is pinned is known a moment after the first screen.
        let is_known = |wanted: &mut String| !wanted.starts_with('/') || reading.owners.is_some();
        if let Some(wanted) = self.open_when_seen.take_if(is_known) {
            self.open_wanted(&wanted);
        }
        self.toast_if_gone();
        self.refresh_detail();
        self.forget_counted();
        if self.is_following {
            self.keep_in_view();
        } else {
            self.top = self.top.min(self.last_top());
        }
    }

    fn open_wanted(&mut self, wanted: &str) {
        let found = self.row_where(|row| row.matches_selector(wanted));
        let Some(key) = found.map(|row| row.key().clone()) else {
            self.toast(format!("no map has the id, name or pin '{wanted}'"));
            return;
        };
        self.selected = Some(key);
        if self.selected_at().is_none() {
            self.toast(format!("'{wanted}' does not match the filter"));
        }
        self.open_detail();
    }

    fn row_where(&self, is_it: impl Fn(&Row) -> bool) -> Option<&Row> {
        self.reading.as_ref()?.rows.iter().find(|row| is_it(row))
    }

    /// The map of this key, shown or not.
    #[must_use]
    pub fn row(&self, key: &MapKey) -> Option<&Row> {
        self.place_of(key).map(|place| &self.all_rows()[place])
    }

    /// Says when the selected map was missed for the first time, and lets go of it when its row goes.
    fn toast_if_gone(&mut self) {
        let (Some(key), Some(reading)) = (&self.selected, &self.reading) else {
            return;
        };
        match self.row(key) {
            Some(row) if row.deleted_at == Some(reading.moment.uptime) => {
                let text = format!("{} {} is gone", key.id.0, row.facts.name);
                self.toast(text);
            }
            // It may come back where time goes both ways.
            None if self.player.is_none() => {
                self.selected = None;
                self.is_following = false;
            }
            _ => {}
        }
    }

    /// Where keys go, the first that knows one taking it.
    #[must_use]
    pub fn key_contexts(&self) -> [KeyContext; 3] {
        let time = if self.player.is_some() {
            KeyContext::Replay
        } else {
            KeyContext::Time
        };
        match &self.mode {
            Screen::Table => [KeyContext::Table, time, KeyContext::Everywhere],
            Screen::Detail(_) => [KeyContext::Detail, time, KeyContext::Everywhere],
            Screen::Prompt(_) => [
                KeyContext::Prompt,
                KeyContext::Prompt,
                KeyContext::Everywhere,
            ],
            Screen::Menu(_) => [KeyContext::Menu, KeyContext::Menu, KeyContext::Everywhere],
            Screen::Groups(_) => [KeyContext::Groups, time, KeyContext::Everywhere],
            Screen::Columns(_) => [
                KeyContext::Columns,
                KeyContext::Columns,
                KeyContext::Everywhere,
            ],
            Screen::Help(_) => [KeyContext::Help, KeyContext::Help, KeyContext::Everywhere],
            Screen::System(_) => [
                KeyContext::System,
                KeyContext::System,
                KeyContext::Everywhere,
            ],
            Screen::Count(_) => [KeyContext::Count, KeyContext::Count, KeyContext::Everywhere],
        }
    }

    /// What a key does here and now.
    pub fn press(&mut self, event: KeyEvent) -> Effect {
        if let Some(action) = keymap::action(&self.key_contexts(), event) {
            return self.apply(action);
        }
        self.type_key(event);
        Effect::Draw
    }

    /// Does what was asked for.
    pub fn apply(&mut self, action: Action) -> Effect {
        let (screen, said) = (discriminant(&self.mode), self.message.clone());
        let effect = self.act(action);
        // What was said was about another screen.
        if discriminant(&self.mode) != screen && self.message == said {
            self.message = None;
        }
        effect
    }

    fn act(&mut self, action: Action) -> Effect {
        match action {
            Action::QuitNow => return Effect::Quit,
            Action::QuitShowing => return Effect::QuitShowing,
            Action::Suspend => return Effect::Suspend,
            Action::Redraw => return Effect::Redraw,
            Action::WatchLosses => return self.watch_losses(),
            Action::System => return self.open_system(),
            Action::CountExactly => {
                self.ask_to_count();
                return Effect::Draw;
            }
            Action::SampleNow => {
                if self.is_paused {
                    self.toast("sampled; the screen stands still until Space");
                }
                return Effect::Sample;
            }
            _ => {}
        }
        if matches!(
            self.mode,
            Screen::Table | Screen::Detail(_) | Screen::Groups(_)
        ) && let Some(effect) = self.apply_to_time(action)
        {
            return effect;
        }
        match &self.mode {
            Screen::Table => return self.apply_to_table(action),
            Screen::Detail(_) => self.apply_to_detail(action),
            Screen::Prompt(_) => return self.apply_to_prompt(action),
            Screen::Menu(_) => self.apply_to_menu(action),
            Screen::Groups(_) => return self.apply_to_groups(action),
            Screen::Columns(_) => self.apply_to_columns(action),
            Screen::Help(_) => self.apply_to_help(action),
            Screen::System(_) => return self.apply_to_system(action),
            Screen::Count(_) => return self.apply_to_count(action),
        }
        Effect::Draw
    }
}
