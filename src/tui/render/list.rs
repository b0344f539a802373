//! Lists in place of the table, with one item selected and always visible: the sort menu and the
//! owner list.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::put;
use crate::query::group::{Group, GroupBy};
use crate::text::units;
use crate::text::width::truncate_to_width;
use crate::tui::state::{App, OwnerList, SortMenu};
use crate::types::map_type::Unit;
use crate::types::mark::Mark;

pub(crate) fn draw_sort_menu(app: &App, menu: SortMenu, area: Rect, buffer: &mut Buffer) {
    let columns = app.columns_offered();
    let arrow = app.display.glyphs.sorted[usize::from(!app.table.sort.is_descending())];
    draw(
        app,
        " Sort by",
        (menu.selected, columns.len()),
        area,
        buffer,
        |n| {
            let (id, field) = (columns[n], columns[n].field());
            let sign = if id == app.table.sort.column {
                arrow
            } else {
                ' '
            };
            let text = format!(" {sign} {:<10} {}", field.name, field.help);
            (text, app.display.theme.mark(None))
        },
    );
}

pub(crate) fn draw_owners(app: &App, list: &OwnerList, area: Rect, buffer: &mut Buffer) {
    let title = list.by.field().to_uppercase();
    let title = format!("  {:>6} {:>8}  {title}", "MAPS", "MEM");
    let groups = app.groups(list.by);
    let selected = list.selected_index(&groups);
    draw(app, &title, (selected, groups.len()), area, buffer, |n| {
        let style = app.display.theme.mark(Some(groups[n].worst));
        let mut text = group_line(&groups[n], list.by.field());
        let node = groups[n]
            .name
            .as_deref()
            .filter(|_| list.by == GroupBy::Node);
        if let Some(down) = node.and_then(|name| down(app, name)) {
            text.push_str("  ");
            text.push_str(&down);
            return (text, app.display.theme.mark(Some(Mark::Crit)));
        }
        (text, style)
    });
}

/// Since when a node is down; `None` if it is up.
fn down(app: &App, name: &str) -> Option<String> {
    let node = app.fleet()?.down().find(|node| *node.name == *name)?;
    Some(match node.age(app.session.now.wall) {
        Some(age) => format!("down; last seen {} ago", units::time(age)),
        None => "down".to_owned(),
    })
}

/// Mark, number of maps, memory, name.
fn group_line(group: &Group, field: &str) -> String {
    let memory = if group.unknown == group.maps {
        "?".to_owned()
    } else {
        let sign = units::bound_sign(group.unknown > 0, !group.is_exact);
        format!("{sign}{}", units::amount(group.memory, Unit::Bytes))
    };
    let name = match &group.name {
        Some(name) if name.is_empty() => format!("(no {field})"),
        Some(name) => name.to_string(),
        None => format!("?  ({field} unknown)"),
    };
    let sign = group.worst.sign();
    format!("{sign} {:>6} {memory:>8}  {name}", group.maps)
}

/// Draws a title, and as many of `count` items as fit, the selected one among them.
fn draw(
    app: &App,
    title: &str,
    (selected, count): (usize, usize),
    area: Rect,
    buffer: &mut Buffer,
    item: impl Fn(usize) -> (String, Style),
) {
    if area.height == 0 {
        return;
    }
    let page = usize::from(area.height.saturating_sub(1)).max(1);
    let has_title = area.height > 1;
    if has_title {
        put(
            buffer,
            (area.x, area.y),
            title,
            area.width,
            app.display.theme.strong,
        );
    }
    let first = (selected + 1).saturating_sub(page);
    let shown = (first..count).take(page);
    for (line, n) in area.rows().skip(usize::from(has_title)).zip(shown) {
        let (text, style) = item(n);
        let text = truncate_to_width(&text, area.width.into(), app.display.glyphs.ellipsis);
        put(buffer, (line.x, line.y), &text, line.width, style);
        if n == selected {
            buffer.set_style(line, app.display.theme.selected);
        }
    }
}
