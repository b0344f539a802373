//! The title line: the machine, how many maps need a look, and the state of the view.
//!
//! What does not fit is left out whole, the least important first; a state never is.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{margin, put, to_u16};
use crate::text::units;
use crate::text::width::{truncate_to_width, width};
use crate::tui::layout;
use crate::tui::state::{App, Screen, cannot};
use crate::tui::text::detail::clock;
use crate::types::loss_tracing::LossTracing;
use crate::types::mark::Mark;

/// A piece of the line.
struct TitleSegment {
    text: String,
    style: Style,
    /// The higher, the sooner it is left out; 0 never is.
    weight: u8,
    is_right: bool,
}

/// What a screen about one map says in place of what is about all.
pub struct Heading {
    /// Which map.
    pub text: String,
    /// The pages, and whether each is the one that is shown.
    pub pages: Vec<(String, bool)>,
}

/// Draws the line, about all maps or under a heading of its own.
pub fn draw(app: &App, heading: Option<Heading>, line: Rect, buffer: &mut Buffer) {
    // Where there is no line for messages, this one is for them.
    if let Some(message) = app.message().filter(|_| layout::bottom(app) == 0)
        && matches!(
            app.mode,
            Screen::Table | Screen::Columns(_) | Screen::Menu(_) | Screen::Groups(_)
        )
    {
        super::put_line(app, line, message, app.theme.strong, buffer);
        return;
    }
    let mut pieces = match heading {
        Some(heading) => {
            let mut pieces = vec![piece(heading.text, app.theme.strong, 0, false)];
            pieces.extend(heading.pages.into_iter().map(|(text, is_shown)| {
                // The one that is shown gives way last.
                let (style, weight) = if is_shown {
                    (app.theme.strong, 8)
                } else {
                    (app.theme.muted, 9)
                };
                piece(text, style, weight, false)
            }));
            pieces
        }
        None => about_all(app, line.width),
    };
    pieces.extend(state(app, line.width));
    let gap = 1 + margin(line.width);
    while needed(&pieces, gap) > usize::from(line.width) {
        let heaviest = (0..pieces.len()).rev().max_by_key(|n| pieces[*n].weight);
        match heaviest {
            Some(n) if pieces[n].weight > 0 => drop(pieces.remove(n)),
            _ => break,
        }
    }
    let edge = margin(line.width);
    let mut x = line.x + edge;
    for piece in pieces.iter().filter(|piece| !piece.is_right) {
        let room = line.right().saturating_sub(x);
        let text = truncate_to_width(&piece.text, room.into(), app.glyphs.ellipsis);
        x = put(buffer, (x, line.y), &text, room, piece.style) + gap;
    }
    let mut x = line.right();
    for piece in pieces.iter().rev().filter(|piece| piece.is_right) {
        let count = to_u16(width(&piece.text));
        x = x.saturating_sub(count);
        put(buffer, (x, line.y), &piece.text, count, piece.style);
        x = x.saturating_sub(gap);
    }
}

fn needed(pieces: &[TitleSegment], gap: u16) -> usize {
    pieces
        .iter()
        .map(|piece| width(&piece.text) + usize::from(gap))
        .sum::<usize>()
}

fn piece(text: impl Into<String>, style: Style, weight: u8, is_right: bool) -> TitleSegment {
    TitleSegment {
        text: text.into(),
        style,
        weight,
        is_right,
    }
}

/// From this width on there is room for more than what is needed.
const WIDE: u16 = 110;

/// The machine, or the recording, and how many maps need a look.
fn about_all(app: &App, width: u16) -> Vec<TitleSegment> {
    let plain = Style::new();
    let mut pieces = vec![piece("mapstop", plain, 6, false)];
    pieces.push(piece(app.host.name.as_str(), plain, 9, false));
    if width >= WIDE && !app.host.kernel.is_empty() {
        pieces.push(piece(
            format!("Linux {}", app.host.kernel),
            plain,
            11,
            false,
        ));
    }
    pieces.push(piece(how_many(app), plain, 5, false));
    if let Some(down) = nodes_down(app) {
        let style = app.theme.mark(Some(Mark::Crit));
        pieces.push(piece(down, style, 4, false));
    }
    if let Some(memory) = app.tally.memory() {
        pieces.push(piece(memory, plain, 10, false));
    }
    for (count, word, mark, weight) in [
        (app.tally.full, "full", Mark::Crit, 1),
        (app.tally.filling, "filling", Mark::Crit, 2),
        (app.tally.warn, "watch", Mark::Warn, 3),
    ] {
        if count > 0 {
            let style = app.theme.mark(Some(mark));
            pieces.push(piece(format!("{count} {word}"), style, weight, false));
        }
    }
    pieces
}

/// What the view is doing, and when.
fn state(app: &App, width: u16) -> Vec<TitleSegment> {
    let plain = Style::new();
    let reversed = app.theme.state;
    let mut pieces = Vec::new();
    if let Some(player) = &app.player {
        let state = if player.is_playing {
            "REPLAY"
        } else {
            "REPLAY PAUSED"
        };
        pieces.push(piece(state, reversed, 0, false));
        pieces.push(piece(player.name.as_str(), plain, 8, false));
    }
    if app.is_recording {
        pieces.push(piece("REC", app.theme.strong, 0, false));
    }
    pieces.extend(watching(app, width));
    if let Some(stale) = &app.stale {
        let age = app.reading.as_ref().map_or(Duration::ZERO, |reading| {
            app.now.uptime.saturating_sub(reading.moment.uptime)
        });
        let text = format!("STALE {}: {}, retrying", units::time(age), stale.error);
        pieces.push(piece(text, reversed, 0, false));
    }
    if let Some(at) = app.paused_at() {
        let ago = units::time(app.now.uptime.saturating_sub(at.uptime));
        let text = format!("PAUSED {} ({ago} ago)", clock(app, at.wall));
        pieces.push(piece(text, reversed, 0, false));
        return pieces;
    }
    if app.is_following {
        pieces.push(piece("following", plain, 7, false));
    }
    let is_moving = app.player.as_ref().is_none_or(|player| player.is_playing);
    if app.is_held() && is_moving && !matches!(app.mode, Screen::Detail(_)) {
        pieces.push(piece("order held", plain, 7, false));
    }
    if app.tally.unread > 0 && app.stale.is_none() {
        pieces.push(piece("counts limited", plain, 7, false));
    }
    if let Some(player) = &app.player {
        pieces.push(piece(clock(app, app.time().wall), plain, 4, true));
        pieces.push(piece(format!("x{}", player.speed), plain, 5, true));
        return pieces;
    }
    let every = units::interval(app.delay);
    let text = if width >= WIDE && app.fleet().is_none() {
        let millis = app.cost.as_secs_f64() * 1000.0;
        format!("every {every}, cost {millis:.1} ms")
    } else {
        every.into()
    };
    pieces.push(piece(text, plain, 10, true));
    pieces.push(piece(clock(app, app.now.wall), plain, 8, true));
    pieces
}

/// Whether losses are watched: that costs something, and is always said.
fn watching(app: &App, width: u16) -> Option<TitleSegment> {
    let plain = Style::new();
    Some(match &app.watching {
        LossTracing::Off => return None,
        LossTracing::Starting => piece("losses: starting", plain, 7, false),
        // Where there is no room, or where it is for the pages of a map.
        LossTracing::On { .. }
            if width < layout::WIDE_ENOUGH
                || (width < WIDE && matches!(app.mode, Screen::Detail(_))) =>
        {
            piece("LOSSES", app.theme.strong, 0, false)
        }
        LossTracing::On {
            sees_updates: true, ..
        } => piece("LOSSES watched", app.theme.strong, 0, false),
        LossTracing::On { .. } => piece("LOSSES in part", app.theme.strong, 0, false),
        LossTracing::Refused(why) if width >= WIDE => piece(cannot(why), plain, 7, false),
        LossTracing::Refused(_) => piece("no losses here", plain, 7, false),
    })
}

/// How many machines are not heard of, if there are any.
fn nodes_down(app: &App) -> Option<String> {
    let fleet = app.reading.as_ref()?.fleet.as_ref()?;
    match fleet.down().count() {
        0 => None,
        1 => Some("1 node down".to_owned()),
        count => Some(format!("{count} nodes down")),
    }
}

fn how_many(app: &App) -> String {
    let (shown, total) = (app.matching(), app.total());
    let maps = if total == 1 { "map" } else { "maps" };
    let fleet = app.reading.as_ref().filter(|reading| reading.is_part());
    if let Some(fleet) = fleet.and_then(|reading| reading.fleet.as_ref()) {
        let [shown, all] = [shown as u64, fleet.maps].map(units::with_thousands_separators);
        return format!("{shown} of {all} maps");
    }
    if app.filter.is_everything() {
        format!("{total} {maps}")
    } else {
        format!("{shown} of {total} {maps}")
    }
}
