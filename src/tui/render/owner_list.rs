//! The list of owners, services or containers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list;
use crate::query::group::{Group, GroupBy};
use crate::text::units;
use crate::tui::state::{App, Groups};
use crate::types::map_type::Unit;
use crate::types::mark::Mark;

pub fn draw(app: &App, groups: &Groups, area: Rect, buffer: &mut Buffer) {
    let title = groups.by.field().to_uppercase();
    let title = format!("  {:>6} {:>8}  {title}", "MAPS", "MEM");
    let all = app.groups(groups.by);
    let at = groups.at(&all);
    list::draw(app, &title, (at, all.len()), area, buffer, |n| {
        let style = app.theme.mark(Some(all[n].worst));
        let mut line = line(&all[n], groups.by.field());
        let node = all[n]
            .name
            .as_deref()
            .filter(|_| groups.by == GroupBy::Node);
        if let Some(down) = node.and_then(|name| down(app, name)) {
            line.push_str("  ");
            line.push_str(&down);
            return (line, app.theme.mark(Some(Mark::Crit)));
        }
        (line, style)
    });
}

/// That a machine is not heard of, and since when.
fn down(app: &App, name: &str) -> Option<String> {
    let node = app.fleet()?.down().find(|node| *node.name == *name)?;
    Some(match node.age(app.now.wall) {
        Some(age) => format!("down: last heard of {} ago", units::time(age)),
        None => "down".to_owned(),
    })
}

/// A group: its mark, how many maps, their memory, its name.
fn line(group: &Group, field: &str) -> String {
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
        Some(name) if name.is_empty() => format!("(no {field})"),
        Some(name) => name.to_string(),
        None => format!("?  ({field} not known)"),
    };
    let sign = group.worst.sign();
    format!("{sign} {:>6} {memory:>8}  {name}", group.maps)
}
