//! What counting a map will cost, how far it is, and the keys; as much as fits.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{hints, put_line};
use crate::analysis::exact_count::estimated_duration;
use crate::columns::bar;
use crate::text::units;
use crate::tui::layout;
use crate::tui::state::{App, CountDialog};

pub fn draw(app: &App, counting: &CountDialog, area: Rect, buffer: &mut Buffer) {
    let line = |n: u16| Rect {
        y: area.y + n,
        height: 1,
        ..area
    };
    let name = format!("{} {}", counting.key.id.0, counting.name);
    let most = units::with_thousands_separators(counting.most);
    let (first, second) = match counting.walk {
        None => {
            let takes = units::short_time(estimated_duration(counting.map_type, counting.most));
            let what = if counting.map_type.supports_batch_lookup() {
                "It reads every key and value, and takes bucket locks of the live map."
            } else {
                "It reads every key of the live map, one by one."
            };
            let question = format!("Count {name} exactly?");
            let cost = format!("Up to {most} keys, about {takes}.");
            if area.width < layout::WIDE_ENOUGH {
                (question, cost)
            } else {
                (format!("{question} {cost}"), what.to_owned())
            }
        }
        Some(walk) => {
            let so_far = units::with_thousands_separators(walk.so_far);
            let first = format!("counting {name}: {so_far} of up to {most} keys");
            let width = usize::from(area.width.saturating_sub(2)).min(60);
            let bar = bar::progress(walk.so_far, counting.most, width, app.glyphs);
            (first, bar)
        }
    };
    put_line(app, line(0), &first, app.theme.strong, buffer);
    if area.height > 2 {
        put_line(app, line(1), &second, Style::new(), buffer);
    }
    if area.height > 1 {
        hints::draw(app, "", line(area.height - 1), buffer);
    }
}
