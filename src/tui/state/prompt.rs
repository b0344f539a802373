//! A line of input: a filter or a search, which the screen follows while it is typed, an interval, or
//! a time to go to.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use super::{App, Screen, Search};
use crate::options::{MAX_DELAY, MIN_DELAY};
use crate::query::complete::complete;
use crate::query::filter::{Filter, FilterError};
use crate::text::units;
use crate::tui::action::{Action, Effect};
use crate::types::map_id::MapKey;

/// Characters in a prompt, at most: a text pasted by mistake may be large.
const MAX_LINE_LEN: usize = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "most variants need no more than their name")]
pub enum PromptKind {
    Filter,
    /// A search in the table.
    Search,
    /// A search in the help.
    HelpSearch,
    /// The time between two samples.
    Interval,
    /// The time of a sample to show.
    Time,
}

/// Earlier input, the latest last.
#[derive(Debug, Clone, Default)]
pub(super) struct PromptHistory {
    filters: Vec<String>,
    searches: Vec<String>,
}

impl PromptHistory {
    /// Intervals and times are not kept.
    fn entries(&self, kind: PromptKind) -> &[String] {
        match kind {
            PromptKind::Filter => &self.filters,
            PromptKind::Search | PromptKind::HelpSearch => &self.searches,
            PromptKind::Interval | PromptKind::Time => &[],
        }
    }

    fn add(&mut self, kind: PromptKind, text: &str) {
        let entries = match kind {
            PromptKind::Filter => &mut self.filters,
            PromptKind::Search | PromptKind::HelpSearch => &mut self.searches,
            PromptKind::Interval | PromptKind::Time => return,
        };
        if !text.is_empty() {
            entries.retain(|earlier| earlier != text);
            entries.push(text.to_owned());
        }
    }
}

/// What a cancelled prompt restores.
#[derive(Debug, Clone)]
struct PromptUndo {
    filter: Filter,
    search: Option<Search>,
    selected: Option<MapKey>,
    top: usize,
}

/// The line of input of an open prompt.
#[derive(Debug, Clone)]
pub struct Prompt {
    pub(crate) kind: PromptKind,
    /// The text and the cursor.
    pub input: Input,
    /// What is wrong with the input.
    pub error: Option<FilterError>,
    /// Completions of the word at the cursor.
    pub choices: Vec<&'static str>,
    /// Whether the filter matches nothing only because its last word is not complete.
    pub(crate) is_unfinished: bool,
    before: PromptUndo,
    /// The row that a search starts from.
    start: usize,
    /// The index of the shown entry of the history; one behind the last for the draft.
    history_index: usize,
    /// The input before the history was browsed.
    draft: String,
}

impl Prompt {
    pub(super) fn set_not_found(&mut self) {
        self.error = Some(FilterError {
            at: 0,
            message: "not found".to_owned(),
        });
    }

    fn set_expected(&mut self, expected: &str) {
        self.error = Some(FilterError {
            at: 0,
            message: format!("expected {expected}"),
        });
    }
}

impl App {
    /// A key without a binding: a prompt inserts it, other screens ignore it.
    pub(super) fn type_key(&mut self, event: KeyEvent) {
        let Some(Screen::Prompt(prompt)) = self.nav.screens.top_mut() else {
            return;
        };
        let has_room = prompt.input.value().chars().count() < MAX_LINE_LEN;
        let is_plain = KeyModifiers::SHIFT.contains(event.modifiers);
        if let (KeyCode::Char(c), true, true) = (event.code, is_plain, has_room) {
            prompt.input.handle(InputRequest::InsertChar(c));
            self.on_input_changed();
        }
    }

    /// Inserts pasted text into a prompt; other screens ignore it.
    pub fn paste(&mut self, text: &str) {
        if let Some(Screen::Prompt(prompt)) = self.nav.screens.top_mut() {
            let (before, after) = prompt
                .input
                .value()
                .split_at(cursor_in_bytes(&prompt.input));
            let pasted = text.chars().map(|c| if c.is_control() { ' ' } else { c });
            let room = MAX_LINE_LEN.saturating_sub(before.chars().count() + after.chars().count());
            let before: String = before.chars().chain(pasted.take(room)).collect();
            let cursor = before.chars().count();
            prompt.input = Input::new(before + after).with_cursor(cursor);
            self.on_input_changed();
        }
    }

    pub(super) fn open_prompt(&mut self, kind: PromptKind, text: String) {
        self.nav.toast = None;
        let before = PromptUndo {
            filter: self.table.filter.clone(),
            search: self.table.search.clone(),
            selected: self.table.selected.clone(),
            top: self.table.top,
        };
        let prompt = Prompt {
            kind,
            input: Input::new(text),
            error: None,
            choices: Vec::new(),
            is_unfinished: false,
            before,
            start: self.selected_at().unwrap_or(0),
            history_index: self.nav.prompt_history.entries(kind).len(),
            draft: String::new(),
        };
        self.nav.screens.push(Screen::Prompt(Box::new(prompt)));
        self.keep_in_view();
    }

    pub(super) fn apply_to_prompt(&mut self, action: Action) -> Option<Effect> {
        let Some(Screen::Prompt(prompt)) = self.nav.screens.top_mut() else {
            return None;
        };
        match action {
            Action::Edit(request) => drop(prompt.input.handle(request)),
            Action::Complete => {
                match prompt.kind {
                    PromptKind::Search => self.search_to_filter(),
                    PromptKind::Filter => self.complete_filter(),
                    PromptKind::HelpSearch | PromptKind::Interval | PromptKind::Time => {}
                }
                return Some(Effect::Draw);
            }
            Action::Up | Action::Down => {
                let entries = self.nav.prompt_history.entries(prompt.kind);
                let to = match action {
                    Action::Up => prompt.history_index.saturating_sub(1),
                    _ => (prompt.history_index + 1).min(entries.len()),
                };
                if to == prompt.history_index {
                    return Some(Effect::Draw);
                }
                if prompt.history_index == entries.len() {
                    prompt.input.value().clone_into(&mut prompt.draft);
                }
                prompt.history_index = to;
                let text = entries.get(to).unwrap_or(&prompt.draft);
                prompt.input = Input::new(text.clone());
            }
            Action::Accept => return Some(self.accept()),
            Action::Back => {
                self.cancel();
                return Some(Effect::Draw);
            }
            _ => return None,
        }
        self.on_input_changed();
        Some(Effect::Draw)
    }

    fn complete_filter(&mut self) {
        let Some(Screen::Prompt(prompt)) = self.nav.screens.top_mut() else {
            return;
        };
        let completion = complete(prompt.input.value(), cursor_in_bytes(&prompt.input));
        for c in completion.insert.chars() {
            prompt.input.handle(InputRequest::InsertChar(c));
        }
        self.on_input_changed();
        if let Some(Screen::Prompt(prompt)) = self.nav.screens.top_mut() {
            prompt.choices = completion.choices;
        }
    }

    /// Applies the input to the screen. With an error the last valid input stays in effect.
    fn on_input_changed(&mut self) {
        let Some(Screen::Prompt(prompt)) = self.nav.screens.top_mut() else {
            return;
        };
        prompt.error = None;
        prompt.choices.clear();
        let text = prompt.input.value().to_owned();
        match prompt.kind {
            PromptKind::Filter => match Filter::parse(&text) {
                Ok(filter) => self.filter_while_typing(filter, &text),
                Err(error) => prompt.error = Some(error),
            },
            PromptKind::Search => {
                let (start, selected) = (prompt.start, prompt.before.selected.clone());
                self.search_for(&text);
                self.table.selected = selected;
                self.jump_from(start);
            }
            PromptKind::HelpSearch => self.search_help(&text),
            PromptKind::Interval | PromptKind::Time => {}
        }
    }

    /// Filters the table, except by the beginning of a field name that matches no map.
    fn filter_while_typing(&mut self, filter: Filter, text: &str) {
        let before = self.table.filter.clone();
        self.filter_by(filter);
        let completion = complete(text, text.len());
        let has_completion = !completion.insert.is_empty() || !completion.choices.is_empty();
        let is_unfinished = self.table.visible.is_empty() && has_completion;
        if is_unfinished {
            self.filter_by(before);
        }
        if let Some(Screen::Prompt(prompt)) = self.nav.screens.top_mut() {
            prompt.is_unfinished = is_unfinished;
        }
    }

    fn search_to_filter(&mut self) {
        let Some(Screen::Prompt(prompt)) = self.nav.screens.top_mut() else {
            return;
        };
        let text = prompt.input.value().to_owned();
        self.cancel();
        self.open_prompt(PromptKind::Filter, text);
        self.on_input_changed();
    }

    /// Closes the prompt and returns it.
    fn close_prompt(&mut self) -> Option<Box<Prompt>> {
        if !matches!(self.screen(), Screen::Prompt(_)) {
            return None;
        }
        match self.nav.screens.pop() {
            Some(Screen::Prompt(prompt)) => Some(prompt),
            _ => None,
        }
    }

    fn cancel(&mut self) {
        let Some(prompt) = self.close_prompt() else {
            return;
        };
        let before = prompt.before;
        match prompt.kind {
            PromptKind::Filter => self.filter_by(before.filter),
            PromptKind::Search => {
                self.table.search = before.search;
                self.update_matches();
                self.table.selected = before.selected;
                self.table.top = before.top;
            }
            PromptKind::HelpSearch => self.search_help(""),
            PromptKind::Interval | PromptKind::Time => {}
        }
        self.keep_in_view();
    }

    fn accept(&mut self) -> Effect {
        let Some(Screen::Prompt(prompt)) = self.nav.screens.top_mut() else {
            return Effect::Draw;
        };
        let (kind, text) = (prompt.kind, prompt.input.value().trim().to_owned());
        match kind {
            PromptKind::Filter if prompt.error.is_some() => return Effect::Draw,
            PromptKind::Filter | PromptKind::Search | PromptKind::HelpSearch => {
                let is_unfinished = prompt.is_unfinished;
                self.close_prompt();
                self.nav.prompt_history.add(kind, &text);
                if let Ok(filter) = Filter::parse(&text)
                    && is_unfinished
                {
                    self.filter_by(filter);
                }
                if kind == PromptKind::Search {
                    self.toast_match();
                }
            }
            PromptKind::Interval => match units::parse_time(&text) {
                Ok(delay) if (MIN_DELAY..=MAX_DELAY).contains(&delay) => {
                    self.close_prompt();
                    self.set_delay(delay);
                }
                Ok(_) => prompt.set_expected("a time from 0.1 seconds to one day"),
                Err(_) => prompt.set_expected("a time such as 2, 0.5, 500ms or 1m"),
            },
            PromptKind::Time => match self.go_to_time(&text) {
                Ok(effect) => {
                    self.close_prompt();
                    self.keep_in_view();
                    return effect;
                }
                Err(expected) => {
                    if let Some(Screen::Prompt(prompt)) = self.nav.screens.top_mut() {
                        prompt.set_expected(expected);
                    }
                }
            },
        }
        self.keep_in_view();
        Effect::Draw
    }
}

/// The byte offset of the cursor.
fn cursor_in_bytes(input: &Input) -> usize {
    let text = input.value();
    let char_at_cursor = text.char_indices().nth(input.cursor());
    char_at_cursor.map_or(text.len(), |(offset, _)| offset)
}
