//! The list of owners, in place of the table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::put;
use crate::model::map_type::Unit;
use crate::model::text::{fit, width};
use crate::model::units;
use crate::query::groups::Group;
use crate::tui::app::{App, Groups};

/// Cells before the name: mark, maps, memory.
const NUMBERS: usize = 18;

pub fn draw(app: &App, list: &Groups, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let page = usize::from(area.height.saturating_sub(1)).max(1);
    let has_title = area.height > 1;
    if has_title {
        let title = list.by.field().to_uppercase();
        let title = format!("  {:>6} {:>8}  {title}", "MAPS", "MEM");
        put(
            buffer,
            (area.x, area.y),
            &title,
            area.width,
            app.theme.strong,
        );
    }
    let groups = app.groups(list.by);
    let at = list.at(&groups);
    let first = (at + 1).saturating_sub(page);
    let lines = groups.iter().enumerate().skip(first).take(page);
    for (y, (n, group)) in (area.y + u16::from(has_title)..).zip(lines) {
        let text = line(group, list, usize::from(area.width), app.glyphs.ellipsis);
        let style = app.theme.mark(Some(group.worst));
        put(buffer, (area.x, y), &text, area.width, style);
        if n == at {
            let line = Rect {
                y,
                height: 1,
                ..area
            };
            buffer.set_style(line, app.theme.selected);
        }
    }
}

/// A group: its mark, how many maps, their memory, its name.
fn line(group: &Group, list: &Groups, cells: usize, ellipsis: &str) -> String {
    let memory = units::amount(group.memory, Unit::Bytes);
    let memory = match (
        group.unknown == group.maps,
        group.unknown > 0,
        group.is_exact,
    ) {
        (true, _, _) => "?".to_owned(),
        // More than that, by those that are not known.
        (_, true, _) => format!(">{memory}"),
        (_, _, true) => memory.to_string(),
        (_, _, false) => format!("~{memory}"),
    };
    let name = match &group.name {
        Some(name) if name.is_empty() => format!("(no {})", list.by.field()),
        Some(name) => name.to_string(),
        None => format!("?  ({} not known)", list.by.field()),
    };
    let name = fit(&name, cells.saturating_sub(NUMBERS), ellipsis);
    let sign = group.worst.sign();
    debug_assert!(width(&memory) <= 8, "{memory}");
    format!("{sign} {:>6} {memory:>8}  {name}", group.maps)
}
