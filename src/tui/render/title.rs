//! The title line: the machine, how many maps are marked, and the state of the view.
//!
//! Segments that do not fit are dropped whole, the least important first; the state never is.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{margin, put, to_u16};
use crate::text::plural::count_noun;
use crate::text::units;
use crate::text::width::{truncate_to_width, width};
use crate::tui::layout::{self, WIDE};
use crate::tui::state::{App, Screen};
use crate::tui::text::clock;
use crate::tui::text::losses::describe_tracing_failure;
use crate::types::loss_tracing::LossTracing;
use crate::types::mark::Mark;

struct TitleSegment {
    text: String,
    style: Style,
    /// The heaviest segment is dropped first; one of weight 0 never is.
    weight: u8,
    is_right: bool,
}

/// The title of a screen about one map.
pub(crate) struct Heading {
    pub(crate) text: String,
    /// The pages, and whether each is the current one.
    pub(crate) pages: Vec<(String, bool)>,
}

/// Draws the line, about all maps unless there is a heading.
pub(crate) fn draw(app: &App, heading: Option<Heading>, line: Rect, buffer: &mut Buffer) {
    // On a low screen this is the only line for messages.
    if let Some(message) = app
        .message()
        .filter(|_| layout::bottom(app.viewport()) == 0)
        && matches!(
            app.screen(),
            Screen::Table | Screen::ColumnPicker(_) | Screen::SortMenu(_) | Screen::OwnerList(_)
        )
    {
        super::put_line(app, line, message, app.display.theme.strong, buffer);
        return;
    }
    let mut segments = match heading {
        Some(heading) => {
            let mut segments = vec![segment(heading.text, app.display.theme.strong, 0, false)];
            segments.extend(heading.pages.into_iter().map(|(text, is_shown)| {
                // The current page is dropped last.
                let (style, weight) = if is_shown {
                    (app.display.theme.strong, 8)
                } else {
                    (app.display.theme.muted, 9)
                };
                segment(text, style, weight, false)
            }));
            segments
        }
        None => map_segments(app, line.width),
    };
    segments.extend(state_segments(app, line.width));
    let gap = 1 + margin(line.width);
    while needed(&segments, gap) > usize::from(line.width) {
        let heaviest = (0..segments.len())
            .rev()
            .max_by_key(|n| segments[*n].weight);
        match heaviest {
            Some(n) if segments[n].weight > 0 => drop(segments.remove(n)),
            _ => break,
        }
    }
    let edge = margin(line.width);
    let mut x = line.x + edge;
    for segment in segments.iter().filter(|segment| !segment.is_right) {
        let room = line.right().saturating_sub(x);
        let text = truncate_to_width(&segment.text, room.into(), app.display.glyphs.ellipsis);
        x = put(buffer, (x, line.y), &text, room, segment.style) + gap;
    }
    let mut x = line.right();
    for segment in segments.iter().rev().filter(|segment| segment.is_right) {
        let count = to_u16(width(&segment.text));
        x = x.saturating_sub(count);
        put(buffer, (x, line.y), &segment.text, count, segment.style);
        x = x.saturating_sub(gap);
    }
}

fn needed(segments: &[TitleSegment], gap: u16) -> usize {
    segments
        .iter()
        .map(|segment| width(&segment.text) + usize::from(gap))
        .sum::<usize>()
}

fn segment(text: impl Into<String>, style: Style, weight: u8, is_right: bool) -> TitleSegment {
    TitleSegment {
        text: text.into(),
        style,
        weight,
        is_right,
    }
}

/// The machine, and how many maps there are and are marked.
fn map_segments(app: &App, width: u16) -> Vec<TitleSegment> {
    let plain = Style::new();
    let mut segments = vec![segment("mapstop", plain, 6, false)];
    segments.push(segment(app.data.host.name.as_str(), plain, 9, false));
    if width >= WIDE && !app.data.host.kernel.is_empty() {
        segments.push(segment(
            format!("Linux {}", app.data.host.kernel),
            plain,
            11,
            false,
        ));
    }
    segments.push(segment(describe_map_count(app), plain, 5, false));
    if let Some(down) = describe_nodes_down(app) {
        let style = app.display.theme.mark(Some(Mark::Crit));
        segments.push(segment(down, style, 4, false));
    }
    if let Some(memory) = app.data.summary.memory() {
        segments.push(segment(memory, plain, 10, false));
    }
    for (count, mark, weight) in [
        (app.data.summary.crit, Mark::Crit, 1),
        (app.data.summary.warn, Mark::Warn, 3),
    ] {
        if count > 0 {
            let style = app.display.theme.mark(Some(mark));
            let text = format!("{count} {}", mark.name());
            segments.push(segment(text, style, weight, false));
        }
    }
    segments
}

/// What the view is doing, and the time.
fn state_segments(app: &App, width: u16) -> Vec<TitleSegment> {
    let plain = Style::new();
    let reversed = app.display.theme.state;
    let mut segments = Vec::new();
    if let Some(player) = &app.session.player {
        let state = if player.is_playing {
            "REPLAY"
        } else {
            "REPLAY PAUSED"
        };
        segments.push(segment(state, reversed, 0, false));
        segments.push(segment(player.name.as_str(), plain, 8, false));
    }
    if app.data.is_recording {
        segments.push(segment("REC", app.display.theme.strong, 0, false));
    }
    segments.extend(tracing_segment(app, width));
    if let Some(stale) = &app.data.stale {
        let age = app.data.reading.as_ref().map_or(Duration::ZERO, |reading| {
            app.session.now.uptime.saturating_sub(reading.moment.uptime)
        });
        let text = format!("STALE {}: {}, retrying", units::time(age), stale.error);
        segments.push(segment(text, reversed, 0, false));
    }
    if let Some(at) = app.paused_at() {
        let ago = units::time(app.session.now.uptime.saturating_sub(at.uptime));
        let text = format!("PAUSED {} ({ago} ago)", clock(&app.display.zone, at.wall));
        segments.push(segment(text, reversed, 0, false));
        return segments;
    }
    if app.table.is_following {
        segments.push(segment("following", plain, 7, false));
    }
    let is_moving = app
        .session
        .player
        .as_ref()
        .is_none_or(|player| player.is_playing);
    if app.is_order_held() && is_moving && !matches!(app.screen(), Screen::Detail(_)) {
        segments.push(segment("order held", plain, 7, false));
    }
    if app.data.summary.unread > 0 && app.data.stale.is_none() {
        segments.push(segment("counts missing", plain, 7, false));
    }
    if let Some(player) = &app.session.player {
        segments.push(segment(
            clock(&app.display.zone, app.time().wall),
            plain,
            4,
            true,
        ));
        segments.push(segment(format!("x{}", player.speed), plain, 5, true));
        return segments;
    }
    let every = units::interval(app.session.delay);
    let text = if width >= WIDE && app.fleet().is_none() {
        let millis = app.data.sample_cost.as_secs_f64() * 1000.0;
        format!("every {every}, cost {millis:.1} ms")
    } else {
        every.into()
    };
    segments.push(segment(text, plain, 10, true));
    segments.push(segment(
        clock(&app.display.zone, app.session.now.wall),
        plain,
        8,
        true,
    ));
    segments
}

/// Tracing costs CPU time, so it is always indicated.
fn tracing_segment(app: &App, width: u16) -> Option<TitleSegment> {
    let plain = Style::new();
    Some(match &app.data.loss_tracing {
        LossTracing::Off => return None,
        LossTracing::Starting => segment("losses: starting", plain, 7, false),
        // Without room, or where the room is for the pages of a map.
        LossTracing::On { .. }
            if width < layout::WIDE_ENOUGH
                || (width < WIDE && matches!(app.screen(), Screen::Detail(_))) =>
        {
            segment("LOSSES", app.display.theme.strong, 0, false)
        }
        LossTracing::On {
            sees_updates: true, ..
        } => segment("LOSSES watched", app.display.theme.strong, 0, false),
        LossTracing::On { .. } => {
            segment("LOSSES partly watched", app.display.theme.strong, 0, false)
        }
        LossTracing::Refused(why) if width >= WIDE => {
            segment(describe_tracing_failure(why), plain, 7, false)
        }
        LossTracing::Refused(_) => segment("losses unavailable", plain, 7, false),
    })
}

/// How many nodes are down, if there are any.
fn describe_nodes_down(app: &App) -> Option<String> {
    let fleet = app.data.reading.as_ref()?.fleet.as_ref()?;
    let down = fleet.down().count() as u64;
    (down > 0).then(|| format!("{} down", count_noun(down, "node", "nodes")))
}

fn describe_map_count(app: &App) -> String {
    let (shown, total) = (app.matching(), app.total());
    let maps = count_noun(total as u64, "map", "maps");
    let fleet = app
        .data
        .reading
        .as_ref()
        .filter(|reading| reading.is_part());
    if let Some(fleet) = fleet.and_then(|reading| reading.fleet.as_ref()) {
        let shown = units::with_thousands_separators(shown as u64);
        return format!("{shown} of {}", count_noun(fleet.map_count, "map", "maps"));
    }
    if app.table.filter.is_everything() {
        maps.into()
    } else {
        let shown = units::with_thousands_separators(shown as u64);
        format!("{shown} of {maps}")
    }
}
