//! A line that is typed under the table: a filter, which the table follows, or an interval.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use super::{Action, App, Mode};
use crate::cli::{LONGEST_DELAY, SHORTEST_DELAY};
use crate::model::units;
use crate::query::filter::{Filter, FilterError};

/// Characters in a prompt, at most: what is pasted by mistake may be large.
const LONGEST_LINE: usize = 1000;

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

impl App {
    /// A key that is no command: in a prompt it is a character, elsewhere nothing.
    pub(super) fn type_key(&mut self, event: KeyEvent) {
        let Mode::Prompt(prompt) = &mut self.mode else {
            return;
        };
        let has_room = prompt.input.value().chars().count() < LONGEST_LINE;
        let is_plain = KeyModifiers::SHIFT.contains(event.modifiers);
        if let (KeyCode::Char(c), true, true) = (event.code, is_plain, has_room) {
            prompt.input.handle(InputRequest::InsertChar(c));
            self.typed_so_far();
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

    pub(super) fn ask(&mut self, asked: Asked, text: String) {
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

    pub(super) fn apply_to_prompt(&mut self, action: Action) {
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
