//! The state of the live view: samples and actions change it, `render` draws it.
//!
//! No I/O and no clock: the time comes with the data.

pub(crate) mod column_picker;
pub(crate) mod detail;
pub(crate) mod doctor_page;
pub(crate) mod exact_count;
pub(crate) mod help;
pub(crate) mod loss_tracing;
pub(crate) mod owner_list;
pub(crate) mod parts;
pub(crate) mod prompt;
pub(crate) mod replay;
pub(crate) mod sample_buffer;
pub(crate) mod samples;
pub(crate) mod screen;
pub(crate) mod scroll;
pub(crate) mod search;
pub(crate) mod sort_menu;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod time_nav;
pub(crate) mod toast;
pub(crate) mod visible_rows;

use ratatui::crossterm::event::KeyEvent;

use super::action::{Action, Effect};
use super::keymap::{self, KeyContext};
use super::layout::Viewport;
use super::layout::columns::{ColumnRequest, Columns, columns};
use super::screen_kind::ScreenKind;
use super::text::TextContext;
use crate::analysis::history::History;
use crate::analysis::thresholds::Thresholds;
use crate::query::pushdown;
use crate::source::request::SourceQuery;
use crate::types::host::{Host, Moment};
use crate::types::map_id::MapKey;
use parts::Nav;
use screen::ScreenStack;

pub use column_picker::ColumnPicker;
pub use detail::Detail;
pub use doctor_page::DoctorPage;
pub use exact_count::CountDialog;
pub use help::Help;
pub use owner_list::OwnerList;
pub use parts::{Data, Display, Session, Stale, Table};
pub use prompt::{Prompt, PromptKind};
pub use replay::Player;
pub use screen::Screen;
pub use scroll::Scroll;
pub use search::Search;
pub use sort_menu::SortMenu;
pub use summary::Summary;

/// From this height on there is a preview by default.
const MIN_HEIGHT_FOR_PREVIEW: u16 = 36;

/// The state of the live view.
#[derive(Debug, Clone)]
pub struct App {
    /// What was sampled.
    pub data: Data,
    /// The table of maps.
    pub table: Table,
    /// What things look like.
    pub display: Display,
    /// The run of the view: its clock, and what the user has asked of the source.
    pub session: Session,
    nav: Nav,
}

impl App {
    /// A view of the maps of a machine, before the first sample.
    #[must_use]
    pub fn new(host: Host, now: Moment) -> Self {
        Self {
            data: Data::new(host),
            table: Table::default(),
            display: Display::default(),
            session: Session::new(now),
            nav: Nav::default(),
        }
    }

    /// The screen that keys go to.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        self.nav.screens.top()
    }

    /// The screen that fills the terminal: the one that keys go to, or the one under a dialog.
    pub(crate) fn body(&self) -> &Screen {
        self.nav.screens.body()
    }

    /// The moment of what is shown, if the view is paused.
    #[must_use]
    pub fn paused_at(&self) -> Option<Moment> {
        let shown = self.data.reading.as_ref();
        Some(shown.filter(|_| self.session.is_paused)?.moment)
    }

    /// The time of what is shown: now, or in a recording the time of the sample.
    #[must_use]
    pub fn time(&self) -> Moment {
        match (&self.session.player, &self.data.reading) {
            (Some(_), Some(reading)) => reading.moment,
            _ => self.session.now,
        }
    }

    /// Whether the order of the rows is held.
    #[must_use]
    pub fn is_order_held(&self) -> bool {
        self.session.now.uptime < self.table.held_until
    }

    /// Whether a preview is shown if there is room for it.
    #[must_use]
    pub fn has_preview(&self) -> bool {
        let default = self.nav.size.1 >= MIN_HEIGHT_FOR_PREVIEW;
        self.display.preview.unwrap_or(default)
    }

    /// Whether the line about maps that could not be counted is shown.
    #[must_use]
    pub fn has_limit_line(&self) -> bool {
        self.data.summary.unread > 0 && !self.nav.is_limit_hidden
    }

    /// The pressures at which maps are marked.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        self.data.history.thresholds
    }

    /// The filter and the order, for a source that has more maps than it sends.
    #[must_use]
    pub(crate) fn source_query(&self) -> SourceQuery {
        pushdown::source_query(&self.table.filter, self.table.sort, self.thresholds())
    }

    /// The maps of a fleet that are on the screen.
    #[must_use]
    pub(crate) fn keys_on_screen(&self) -> Vec<MapKey> {
        if self.fleet().is_none() {
            return Vec::new();
        }
        let rows = self.rows().skip(self.table.top);
        let visible = rows.take(self.nav.size.1.into());
        let visible = visible.map(|row| row.key().clone());
        visible.chain(self.table.selected.clone()).collect()
    }

    /// Sets the pressures at which maps are marked.
    pub fn set_thresholds(&mut self, thresholds: Thresholds) {
        self.data.history.thresholds = thresholds;
    }

    /// The levels of all maps over time.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.data.history
    }

    /// Width and height of the screen.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        self.nav.size
    }

    /// Sets the size of the screen.
    pub fn resize(&mut self, width: u16, height: u16) {
        if self.nav.size != (width, height) {
            self.nav.size = (width, height);
            self.keep_in_view();
        }
    }

    /// Limits the scrolling of the page that was drawn.
    pub fn set_max_top(&mut self, max_top: usize) {
        self.nav.screens.set_max_top(max_top);
    }

    pub(crate) fn viewport(&self) -> Viewport {
        let (width, height) = self.nav.size;
        Viewport {
            width,
            height,
            screen: self.screen().kind(),
            has_timeline: self.session.player.is_some(),
            has_preview: self.has_preview(),
        }
    }

    pub(crate) fn column_request(&self) -> ColumnRequest<'_> {
        let rows = self.all_rows();
        let is_fleet = rows.first().is_some_and(|row| row.key().node.is_some());
        // Rows are sorted by node, then by id.
        let max_id = if is_fleet {
            rows.iter().map(|row| row.key().id.0).max()
        } else {
            rows.last().map(|row| row.key().id.0)
        };
        ColumnRequest {
            chosen: self.display.columns.as_deref(),
            scrolled: self.table.scrolled,
            is_exact: self.display.is_exact,
            max_id: max_id.unwrap_or(0),
            is_tracing_losses: self.is_tracing_losses(),
            is_fleet,
        }
    }

    /// The columns on the screen.
    #[must_use]
    pub fn visible_columns(&self) -> Columns {
        columns(self.nav.size.0, &self.column_request())
    }

    pub(crate) fn text_context(&self) -> TextContext<'_> {
        let player = self.session.player.as_ref();
        TextContext {
            host: &self.data.host,
            reading: self.data.reading.as_deref(),
            history: &self.data.history,
            exact_counts: &self.data.exact_counts,
            tracing: &self.data.loss_tracing,
            recording_start: player.and_then(|player| player.moments.first().copied()),
            is_paused: self.session.is_paused,
            zone: &self.display.zone,
            glyphs: self.display.glyphs,
        }
    }

    /// The contexts whose bindings are active, in the order in which they are searched.
    pub(crate) fn key_contexts(&self) -> Vec<KeyContext> {
        let time = if self.session.player.is_some() {
            KeyContext::Replay
        } else {
            KeyContext::Time
        };
        let context = match self.screen().kind() {
            ScreenKind::Table => return vec![KeyContext::Table, time, KeyContext::Everywhere],
            ScreenKind::Detail => return vec![KeyContext::Detail, time, KeyContext::Everywhere],
            ScreenKind::OwnerList => {
                return vec![KeyContext::OwnerList, time, KeyContext::Everywhere];
            }
            ScreenKind::Prompt => KeyContext::Prompt,
            ScreenKind::SortMenu => KeyContext::SortMenu,
            ScreenKind::ColumnPicker => KeyContext::ColumnPicker,
            ScreenKind::Help => KeyContext::Help,
            ScreenKind::Doctor => KeyContext::Doctor,
            ScreenKind::ExactCount => KeyContext::CountDialog,
        };
        vec![context, KeyContext::Everywhere]
    }

    /// Handles a key.
    pub fn press(&mut self, event: KeyEvent) -> Effect {
        if let Some(action) = keymap::action(&self.key_contexts(), event) {
            let effect = self.apply(action);
            debug_assert!(effect.is_some(), "{action:?} is bound but not handled");
            return effect.unwrap_or(Effect::Draw);
        }
        self.type_key(event);
        Effect::Draw
    }

    /// Applies an action to the screen on top; `None` if that screen does not know it.
    pub fn apply(&mut self, action: Action) -> Option<Effect> {
        let (screen, toast) = (self.screen().kind(), self.nav.toast.clone());
        let effect = self.dispatch(action);
        // The toast was about the screen before.
        if self.screen().kind() != screen && self.nav.toast == toast {
            self.nav.toast = None;
        }
        effect
    }

    fn dispatch(&mut self, action: Action) -> Option<Effect> {
        match action {
            Action::QuitNow => return Some(Effect::Quit),
            Action::QuitShowing => return Some(Effect::QuitShowing),
            Action::Suspend => return Some(Effect::Suspend),
            Action::Redraw => return Some(Effect::Redraw),
            Action::ToggleLosses => return Some(self.toggle_losses()),
            Action::OpenDoctor => return Some(self.open_doctor()),
            Action::OpenCountDialog => {
                self.open_count_dialog();
                return Some(Effect::Draw);
            }
            _ => {}
        }
        match self.screen().kind() {
            ScreenKind::Table => {
                let effect = self.apply_to_time(action);
                effect.or_else(|| self.apply_to_table(action))
            }
            ScreenKind::Detail => {
                let effect = self.apply_to_time(action);
                effect.or_else(|| self.apply_to_detail(action))
            }
            ScreenKind::OwnerList => {
                let effect = self.apply_to_time(action);
                effect.or_else(|| self.apply_to_owner_list(action))
            }
            ScreenKind::Prompt => self.apply_to_prompt(action),
            ScreenKind::SortMenu => self.apply_to_sort_menu(action),
            ScreenKind::ColumnPicker => self.apply_to_column_picker(action),
            ScreenKind::Help => self.apply_to_help(action),
            ScreenKind::Doctor => self.apply_to_doctor(action),
            ScreenKind::ExactCount => self.apply_to_count_dialog(action),
        }
    }
}
