//! The line of key hints. Hints that do not fit are dropped whole, from the right; help and the way
//! out are at the right and dropped last.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{margin, put, to_u16};
use crate::analysis::exact_count::not_countable_reason;
use crate::text::width::width;
use crate::tui::action::Action;
use crate::tui::keymap::{self, Binding, KeyContext, PINNED_RANK};
use crate::tui::state::{App, PromptKind, Screen};

pub(crate) fn draw(app: &App, remark: &str, line: Rect, buffer: &mut Buffer) {
    let mut bindings: Vec<_> = app
        .key_contexts()
        .into_iter()
        .flat_map(keymap::bindings_in)
        .filter(|binding| word(app, binding).is_some())
        .collect();
    // The keys of a recording come first.
    bindings.sort_by_key(|binding| {
        let rank = binding.hint.map_or(0, |hint| hint.rank);
        (
            rank >= PINNED_RANK,
            binding.context != KeyContext::Replay,
            rank,
        )
    });
    let (last, first): (Vec<_>, Vec<_>) = hints(app, &bindings)
        .into_iter()
        .partition(|(rank, _)| *rank >= PINNED_RANK);
    let mut right: Vec<_> = last.into_iter().map(|(_, text)| text).collect();
    if !remark.is_empty() {
        right.insert(0, remark.to_owned());
    }
    let right = right.join("  ");
    let edge = margin(line.width);
    let end = line.right().saturating_sub(to_u16(width(&right)) + edge);
    let style = app.display.theme.muted;
    put(buffer, (end.max(line.x), line.y), &right, line.width, style);
    let mut x = line.x + edge;
    for (_, text) in first {
        let behind = x.saturating_add(to_u16(width(&text)));
        if behind.saturating_add(2) > end {
            break;
        }
        put(buffer, (x, line.y), &text, line.width, style);
        x = behind + 2;
    }
}

/// Ranks and texts. Neighbours with the same word share a hint.
fn hints(app: &App, bindings: &[&'static Binding]) -> Vec<(u8, String)> {
    bindings
        .chunk_by(|a, b| a.context == b.context && word(app, a) == word(app, b))
        .map(|together| {
            let names: Vec<_> = together
                .iter()
                .map(|binding| binding.keys[0].name())
                .collect();
            let first = together[0];
            let word = word(app, first).unwrap_or_default();
            let rank = first.hint.map_or(0, |hint| hint.rank);
            (rank, format!("{} {word}", names.join(" ")))
        })
        .collect()
}

/// Whether an exact count of the map would be better than the count that it has.
fn can_be_counted(app: &App) -> bool {
    let row = match app.screen() {
        Screen::Detail(detail) => Some(&detail.row),
        _ => app.selected_row(),
    };
    app.is_this_machine() && row.is_some_and(|row| not_countable_reason(row).is_none())
}

/// The word for a key in the current state; `None` if it has no hint.
fn word(app: &App, binding: &Binding) -> Option<&'static str> {
    let word = binding.hint?.word;
    let prompt = match app.screen() {
        Screen::Prompt(prompt) => Some(prompt.kind),
        _ => None,
    };
    let is_counting =
        matches!(app.screen(), Screen::ExactCount(dialog) if dialog.progress.is_some());
    match (binding.action, prompt) {
        (Action::TogglePause, _) => Some(match &app.session.player {
            Some(player) if player.is_playing => "pause",
            Some(_) => "play",
            None if app.paused_at().is_some() => "resume",
            None => word,
        }),
        (Action::Complete, Some(PromptKind::Search)) => Some("as filter"),
        (Action::Complete, Some(PromptKind::Filter)) => Some(word),
        // Intervals and times have no history.
        (Action::Complete, Some(_))
        | (Action::Up, Some(PromptKind::Interval | PromptKind::Time)) => None,
        (Action::Accept, None) if is_counting => None,
        (Action::Back, None) if is_counting => Some("stop"),
        (Action::ExamineAgain | Action::ToggleLosses, _) if !app.is_this_machine() => None,
        (Action::OpenCountDialog, _) if !can_be_counted(app) => None,
        (Action::Accept, Some(PromptKind::Time)) => Some("go"),
        (Action::Accept, Some(PromptKind::Interval)) => Some("set"),
        _ => Some(word),
    }
}
