//! A line that is typed under what it is for: a filter or a search, which the table follows, an
//! interval, or a time to go to.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use super::{App, Screen, Search};
use crate::options::{MAX_DELAY, MIN_DELAY};
use crate::query::complete::complete;
use crate::query::filter::{Filter, FilterError};
use crate::text::units;
use crate::tui::action::{Action, Effect};
use crate::types::map_id::MapKey;

/// Characters in a prompt, at most: what is pasted by mistake may be large.
const MAX_LINE_LEN: usize = 1000;

/// What a prompt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// A filter.
    Filter,
    /// What to jump to in the table.
    Search,
    /// What to jump to in the help.
    HelpSearch,
    /// The time between two samples.
    Interval,
    /// The sample to show.
    Time,
}

/// What was typed before, the latest last.
#[derive(Debug, Clone, Default)]
pub(super) struct PromptHistory {
    filters: Vec<String>,
    searches: Vec<String>,
    none: Vec<String>,
}

impl PromptHistory {
    fn of(&self, asked: PromptKind) -> &[String] {
        match asked {
            PromptKind::Filter => &self.filters,
            PromptKind::Search | PromptKind::HelpSearch => &self.searches,
            PromptKind::Interval | PromptKind::Time => &self.none,
        }
    }

    fn keep(&mut self, asked: PromptKind, text: &str) {
        let list = match asked {
            PromptKind::Filter => &mut self.filters,
            PromptKind::Search | PromptKind::HelpSearch => &mut self.searches,
            PromptKind::Interval | PromptKind::Time => return,
        };
        if !text.is_empty() {
            list.retain(|earlier| earlier != text);
            list.push(text.to_owned());
        }
    }
}

/// What was there before a line was typed.
#[derive(Debug, Clone)]
struct PromptUndo {
    filter: Filter,
    search: Option<Search>,
    selected: Option<MapKey>,
    top: usize,
}

/// A line that is being typed.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// What for.
    pub asked: PromptKind,
    /// What was typed so far.
    pub input: Input,
    /// What is wrong with it.
    pub error: Option<FilterError>,
    /// How it could go on.
    pub choices: Vec<&'static str>,
    /// What it is typed under, and goes back to.
    pub under: Screen,
    /// Whether what was typed would match nothing, but only because it is not whole yet.
    pub is_unfinished: bool,
    /// What to go back to.
    before: PromptUndo,
    /// The row that a search starts from.
    start: usize,
    /// The place in the earlier texts; their number for the draft.
    earlier: usize,
    /// What was being typed before an earlier text was looked up.
    draft: String,
}

impl Prompt {
    /// What is typed is nowhere to be found.
    pub(super) fn not_found(&mut self) {
        self.error = Some(FilterError {
            at: 0,
            message: "not found".to_owned(),
        });
    }

    fn wrong(&mut self, expected: &str) {
        self.error = Some(FilterError {
            at: 0,
            message: format!("expected {expected}"),
        });
    }
}

impl App {
    /// A key that is no command: in a prompt it is a character, elsewhere nothing.
    pub(super) fn type_key(&mut self, event: KeyEvent) {
        let Screen::Prompt(prompt) = &mut self.mode else {
            return;
        };
        let has_room = prompt.input.value().chars().count() < MAX_LINE_LEN;
        let is_plain = KeyModifiers::SHIFT.contains(event.modifiers);
        if let (KeyCode::Char(c), true, true) = (event.code, is_plain, has_room) {
            prompt.input.handle(InputRequest::InsertChar(c));
            self.typed_so_far();
        }
    }

    /// Text that was pasted: only a prompt takes it, and as text.
    pub fn paste(&mut self, text: &str) {
        if let Screen::Prompt(prompt) = &mut self.mode {
            let (before, after) = prompt.input.value().split_at(byte_of(&prompt.input));
            let pasted = text.chars().map(|c| if c.is_control() { ' ' } else { c });
            let room = MAX_LINE_LEN.saturating_sub(before.chars().count() + after.chars().count());
            let before: String = before.chars().chain(pasted.take(room)).collect();
            let cursor = before.chars().count();
            prompt.input = Input::new(before + after).with_cursor(cursor);
            self.typed_so_far();
        }
    }

    pub(super) fn ask(&mut self, asked: PromptKind, text: String) {
        self.message = None;
        let before = PromptUndo {
            filter: self.filter.clone(),
            search: self.search.clone(),
            selected: self.selected.clone(),
            top: self.top,
        };
        let under = std::mem::replace(&mut self.mode, Screen::Table);
        self.mode = Screen::Prompt(Box::new(Prompt {
            asked,
            input: Input::new(text),
            error: None,
            choices: Vec::new(),
            is_unfinished: false,
            under,
            before,
            start: self.selected_at().unwrap_or(0),
            earlier: self.typed.of(asked).len(),
            draft: String::new(),
        }));
        self.keep_in_view();
    }

    pub(super) fn apply_to_prompt(&mut self, action: Action) -> Effect {
        let Screen::Prompt(prompt) = &mut self.mode else {
            return Effect::Draw;
        };
        match action {
            Action::Edit(request) => drop(prompt.input.handle(request)),
            Action::Complete if prompt.asked == PromptKind::Search => {
                self.search_to_filter();
                return Effect::Draw;
            }
            Action::Complete if prompt.asked == PromptKind::Filter => {
                let cursor = byte_of(&prompt.input);
                let completion = complete(prompt.input.value(), cursor);
                for c in completion.insert.chars() {
                    prompt.input.handle(InputRequest::InsertChar(c));
                }
                self.typed_so_far();
                if let Screen::Prompt(prompt) = &mut self.mode {
                    prompt.choices = completion.choices;
                }
                return Effect::Draw;
            }
            Action::Up | Action::Down => {
                let typed = self.typed.of(prompt.asked);
                let to = match action {
                    Action::Up => prompt.earlier.saturating_sub(1),
                    _ => (prompt.earlier + 1).min(typed.len()),
                };
                if to == prompt.earlier {
                    return Effect::Draw;
                }
                if prompt.earlier == typed.len() {
                    prompt.input.value().clone_into(&mut prompt.draft);
                }
                prompt.earlier = to;
                let text = typed.get(to).unwrap_or(&prompt.draft);
                prompt.input = Input::new(text.clone());
            }
            Action::Accept => return self.accept(),
            Action::Back => {
                self.cancel();
                return Effect::Draw;
            }
            _ => return Effect::Draw,
        }
        self.typed_so_far();
        Effect::Draw
    }

    /// The screen follows what is typed; while it is wrong the last good one stays.
    fn typed_so_far(&mut self) {
        let Screen::Prompt(prompt) = &mut self.mode else {
            return;
        };
        prompt.error = None;
        prompt.choices.clear();
        let text = prompt.input.value().to_owned();
        match prompt.asked {
            PromptKind::Filter => match Filter::parse(&text) {
                Ok(filter) => self.filter_as_typed(filter, &text),
                Err(error) => prompt.error = Some(error),
            },
            PromptKind::Search => {
                let (start, selected) = (prompt.start, prompt.before.selected.clone());
                self.search_for(&text);
                self.selected = selected;
                self.jump_from(start);
            }
            PromptKind::HelpSearch => self.search_help(&text),
            PromptKind::Interval | PromptKind::Time => {}
        }
    }

    /// While a field is typed that no map is called by, the table stays.
    fn filter_as_typed(&mut self, filter: Filter, text: &str) {
        let before = self.filter.clone();
        self.filter_by(filter);
        let completion = complete(text, text.len());
        let is_begun = !completion.insert.is_empty() || !completion.choices.is_empty();
        let is_unfinished = self.visible.is_empty() && is_begun;
        if is_unfinished {
            self.filter_by(before);
        }
        if let Screen::Prompt(prompt) = &mut self.mode {
            prompt.is_unfinished = is_unfinished;
        }
    }

    fn search_to_filter(&mut self) {
        let Screen::Prompt(prompt) = &mut self.mode else {
            return;
        };
        let text = prompt.input.value().to_owned();
        self.cancel();
        self.ask(PromptKind::Filter, text);
        self.typed_so_far();
    }

    /// Closes the prompt; gives what was typed.
    fn close(&mut self) -> Option<Box<Prompt>> {
        match std::mem::replace(&mut self.mode, Screen::Table) {
            Screen::Prompt(mut prompt) => {
                self.mode = std::mem::replace(&mut prompt.under, Screen::Table);
                Some(prompt)
            }
            other => {
                self.mode = other;
                None
            }
        }
    }

    fn cancel(&mut self) {
        let Some(prompt) = self.close() else {
            return;
        };
        let before = prompt.before;
        match prompt.asked {
            PromptKind::Filter => self.filter_by(before.filter),
            PromptKind::Search => {
                self.search = before.search;
                self.find_all();
                self.selected = before.selected;
                self.top = before.top;
            }
            PromptKind::HelpSearch => self.search_help(""),
            PromptKind::Interval | PromptKind::Time => {}
        }
        self.keep_in_view();
    }

    fn accept(&mut self) -> Effect {
        let Screen::Prompt(prompt) = &mut self.mode else {
            return Effect::Draw;
        };
        let (asked, text) = (prompt.asked, prompt.input.value().trim().to_owned());
        match asked {
            PromptKind::Filter if prompt.error.is_some() => return Effect::Draw,
            PromptKind::Filter | PromptKind::Search | PromptKind::HelpSearch => {
                let is_unfinished = prompt.is_unfinished;
                self.close();
                self.typed.keep(asked, &text);
                if let Ok(filter) = Filter::parse(&text)
                    && is_unfinished
                {
                    self.filter_by(filter);
                }
                if asked == PromptKind::Search {
                    self.say_found();
                }
            }
            PromptKind::Interval => match units::parse_time(&text) {
                Ok(delay) if (MIN_DELAY..=MAX_DELAY).contains(&delay) => {
                    self.close();
                    self.set_delay(delay);
                }
                Ok(_) => prompt.wrong("a time from 0.1 seconds to a day"),
                Err(_) => prompt.wrong("a time, as in 2, 0.5, 500ms or 1m"),
            },
            PromptKind::Time => match self.go_to_time(&text) {
                Ok(effect) => {
                    self.close();
                    self.keep_in_view();
                    return effect;
                }
                Err(expected) => {
                    if let Screen::Prompt(prompt) = &mut self.mode {
                        prompt.wrong(expected);
                    }
                }
            },
        }
        self.keep_in_view();
        Effect::Draw
    }
}

/// Where the cursor stands in the text, in bytes.
fn byte_of(input: &Input) -> usize {
    let text = input.value();
    let place = text.char_indices().nth(input.cursor());
    place.map_or(text.len(), |(at, _)| at)
}
