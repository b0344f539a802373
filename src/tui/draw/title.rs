//! The title line: the machine, how many maps need a look, and the state of the view.
//!
//! What does not fit is left out whole, the least important first; a state never is.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{mark_style, put};
use crate::model::mark::Mark;
use crate::model::text::{fit, width};
use crate::model::units;
use crate::tui::app::App;

/// A piece of the line.
struct Piece {
    text: String,
    style: Style,
    /// The higher, the sooner it is left out; 0 never is.
    weight: u8,
    is_right: bool,
}

pub fn draw(app: &App, line: Rect, buffer: &mut Buffer) {
    let mut pieces = pieces(app, line.width);
    let gap = if line.width < 50 { 1 } else { 2 };
    while needed(&pieces, gap) > usize::from(line.width) {
        let heaviest = (0..pieces.len()).rev().max_by_key(|n| pieces[*n].weight);
        match heaviest {
            Some(n) if pieces[n].weight > 0 => drop(pieces.remove(n)),
            _ => break,
        }
    }
    let edge = u16::from(line.width >= 50);
    let mut x = line.x + edge;
    for piece in pieces.iter().filter(|piece| !piece.is_right) {
        let cells = line.right().saturating_sub(x);
        let text = fit(&piece.text, cells.into(), app.glyphs.ellipsis);
        x = put(buffer, (x, line.y), &text, cells, piece.style) + gap;
    }
    let mut x = line.right();
    for piece in pieces.iter().rev().filter(|piece| piece.is_right) {
        let cells = u16::try_from(width(&piece.text)).unwrap_or(line.width);
        x = x.saturating_sub(cells);
        put(buffer, (x, line.y), &piece.text, cells, piece.style);
        x = x.saturating_sub(gap);
    }
}

fn needed(pieces: &[Piece], gap: u16) -> usize {
    pieces
        .iter()
        .map(|piece| width(&piece.text) + usize::from(gap))
        .sum::<usize>()
}

fn pieces(app: &App, width: u16) -> Vec<Piece> {
    let piece = |text: String, style, weight, is_right| Piece {
        text,
        style,
        weight,
        is_right,
    };
    let plain = Style::new();
    let is_wide = width >= 110;
    let mut pieces = vec![piece("mapstop".to_owned(), plain, 3, false)];
    pieces.push(piece(app.host.name.to_string(), plain, 6, false));
    if is_wide {
        pieces.push(piece(format!("Linux {}", app.host.kernel), plain, 8, false));
    }
    pieces.push(piece(how_many(app), plain, 2, false));
    let tally = app.tally;
    for (count, word, mark) in [
        (tally.crit, "full", Mark::Crit),
        (tally.warn, "watch", Mark::Warn),
    ] {
        if count > 0 {
            pieces.push(piece(
                format!("{count} {word}"),
                mark_style(Some(mark)),
                1,
                false,
            ));
        }
    }
    let reversed = Style::new().add_modifier(Modifier::REVERSED);
    if let Some(stale) = &app.stale {
        let age = app.reading.as_ref().map_or(Duration::ZERO, |reading| {
            app.now.uptime.saturating_sub(reading.moment.uptime)
        });
        let text = format!("STALE {}: {}, retrying", units::time(age), stale.error);
        pieces.push(piece(text, reversed, 0, false));
    }
    if let Some(since) = app.paused_since() {
        let ago = units::time(app.now.uptime.saturating_sub(since.uptime));
        let text = format!("PAUSED {} ({ago} ago)", clock(app, since.wall));
        pieces.push(piece(text, reversed, 0, false));
    } else {
        if tally.unread > 0 && app.stale.is_none() {
            pieces.push(piece("counts limited".to_owned(), plain, 4, false));
        }
        let every = units::interval(app.delay);
        let text = if is_wide {
            let millis = app.cost.as_secs_f64() * 1000.0;
            format!("every {every}, cost {millis:.1} ms")
        } else {
            every.into()
        };
        pieces.push(piece(text, plain, 7, true));
        pieces.push(piece(clock(app, app.now.wall), plain, 5, true));
    }
    pieces
}

fn how_many(app: &App) -> String {
    let (shown, total) = (app.places.len(), app.total());
    let maps = if total == 1 { "map" } else { "maps" };
    if app.filter.is_everything() {
        format!("{total} {maps}")
    } else {
        format!("{shown} of {total} {maps}")
    }
}

/// The time of day where the user is.
fn clock(app: &App, time: Timestamp) -> String {
    time.to_zoned(app.zone.clone())
        .strftime("%H:%M:%S")
        .to_string()
}
