//! The time line of a recording, with the sample on the screen.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{margin, put, to_u16};
use crate::text::plural::count_noun;
use crate::text::width::width;
use crate::tui::state::{App, Player};
use crate::types::host::Moment;

/// The ends of a recording shorter than this are shown with seconds.
const MIN_LENGTH_WITHOUT_SECONDS: Duration = Duration::from_secs(10 * 60);

pub(crate) fn draw(app: &App, player: &Player, line: Rect, buffer: &mut Buffer) {
    let (Some(first), Some(last)) = (player.moments.first(), player.moments.last()) else {
        return;
    };
    let total = last.uptime.saturating_sub(first.uptime);
    let form = if total < MIN_LENGTH_WITHOUT_SECONDS {
        "%H:%M:%S"
    } else {
        "%H:%M"
    };
    let time = |moment: &Moment| {
        let time = moment.wall.to_zoned(app.display.zone.clone());
        time.strftime(form).to_string()
    };
    let count = player.moments.len();
    let samples = count_noun(count as u64, "sample", "samples");
    let edge = margin(line.width);
    let end = format!("{}  {}/{samples}", time(last), player.index + 1);
    let x = put(
        buffer,
        (line.x + edge, line.y),
        &time(first),
        line.width,
        app.display.theme.muted,
    ) + 1;
    let end_x = line.right().saturating_sub(to_u16(width(&end)) + edge);
    let room = usize::from(end_x.saturating_sub(x + 1));
    if room < 4 {
        return;
    }
    put(
        buffer,
        (end_x, line.y),
        &end,
        line.width,
        app.display.theme.muted,
    );
    let passed = player.moments[player.index]
        .uptime
        .saturating_sub(first.uptime);
    let part = if total.is_zero() {
        1.0
    } else {
        passed.as_secs_f64() / total.as_secs_f64()
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a part of the cells of a line"
    )]
    let at = ((room - 1) as f64 * part) as usize;
    let [before, here, after] = app.display.glyphs.time_line;
    let bar: String = (0..room)
        .map(|n| match n.cmp(&at) {
            std::cmp::Ordering::Less => before,
            std::cmp::Ordering::Equal => here,
            std::cmp::Ordering::Greater => after,
        })
        .collect();
    put(
        buffer,
        (x, line.y),
        &bar,
        to_u16(room),
        app.display.theme.mark(None),
    );
}
