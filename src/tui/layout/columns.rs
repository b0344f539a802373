//! Which columns fit on a screen of some width, and where they stand. Pure.

use super::WIDE_ENOUGH;
use crate::query::fields::{ATTENTION, ColumnId, ID, LOSS, NAME, NODE, OWNER, PRESSURE};
use crate::tui::state::App;
use crate::types::loss_tracing::LossTracing;

/// A column on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnRect {
    /// Which.
    pub id: ColumnId,
    /// Its first cell.
    pub x: u16,
    /// Its cells.
    pub width: u16,
}

/// The columns of a table, left to right, and how wide a bar is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The columns.
    pub shown: Vec<ColumnRect>,
    /// Cells of a bar; 0 is no bar.
    pub bar: usize,
    /// Whether a cell is free between the mark and the first column.
    pub has_gap: bool,
}

/// The mark stands in the first cell, alone.
const MARK_WIDTH: u16 = 1;
/// A name is never shorter than this, but where the screen is: on a roomy one and on others.
const MIN_NAME_WIDTH: [u16; 2] = [12, 8];

fn bar_width(width: u16) -> usize {
    match width {
        ..36 => 0,
        36..132 => 8,
        132..160 => 10,
        160.. => 12,
    }
}

/// From this width on there is a column for losses where they are watched ...
const LOSS_FROM: u16 = 80;
/// ... which gives way after the types and the memory of maps.
const LOSS_WEIGHT: u16 = 71;

/// From this width on there is a column for the machine where there are several.
const NODE_FROM: u16 = 44;

/// What a table is to show.
#[derive(Debug, Clone, Copy, Default)]
pub struct ColumnRequest<'a> {
    /// Columns asked for by name, instead of those that fit.
    pub asked: Option<&'a [ColumnId]>,
    /// How many to leave out at the left; the name stays.
    pub scrolled: usize,
    /// Whether numbers are exact and names whole.
    pub is_exact: bool,
    /// The largest id there is.
    pub longest_id: u32,
    /// Whether losses are watched.
    pub is_watching: bool,
    /// Whether there are several machines.
    pub is_fleet: bool,
}

impl ColumnRequest<'_> {
    /// The columns from left to right, whether they fit or not.
    fn ids(&self, width: u16) -> Vec<ColumnId> {
        let mut ids: Vec<_> = match self.asked {
            Some(asked) => asked.to_vec(),
            None => ColumnId::all()
                .filter(|id| {
                    let from = match id.column().min_terminal_width {
                        Some(_) if *id == LOSS && self.is_watching => Some(LOSS_FROM),
                        None if *id == NODE && self.is_fleet => Some(NODE_FROM),
                        from => from,
                    };
                    from.is_some_and(|from| self.scrolled > 0 || from <= width)
                })
                .collect(),
        };
        let mut left = self.scrolled;
        ids.retain(|id| {
            let is_out = *id != NAME && left > 0;
            left -= usize::from(is_out);
            !is_out
        });
        ids
    }
}

/// The columns that fit into `width` cells. By themselves they give way by their weight; where they
/// are scrolled, from the right. Mark and name always stay.
#[must_use]
pub fn columns(width: u16, wanted: &ColumnRequest) -> Columns {
    let bar = bar_width(width);
    let ids = wanted.ids(width);
    let gap = u16::from(width >= WIDE_ENOUGH);
    let shortest = MIN_NAME_WIDTH[usize::from(width < WIDE_ENOUGH)];
    let cells = |id: ColumnId| {
        let own = if wanted.is_exact {
            id.column().exact_width
        } else {
            id.column().width
        };
        if id == PRESSURE {
            own + u16::try_from(bar).unwrap_or(0)
        } else if id == ID {
            own.max(digits(wanted.longest_id))
        } else {
            own
        }
    };
    let left = width.saturating_sub(MARK_WIDTH + gap);
    let mut widths: Vec<_> = ids.iter().map(|id| (*id, cells(*id))).collect();
    // Names give way first, then whole columns, the heaviest first.
    let needed = |widths: &[(ColumnId, u16)]| -> u16 {
        widths
            .iter()
            .map(|(_, width)| width + 1)
            .sum::<u16>()
            .saturating_sub(1)
    };
    while needed(&widths) > left {
        let over = needed(&widths) - left;
        let name = widths.iter_mut().find(|(id, _)| *id == NAME);
        if let Some((_, width)) = name
            && *width > shortest
        {
            *width = width.saturating_sub(over).max(shortest);
            continue;
        }
        let last = if wanted.scrolled > 0 {
            widths.iter().rposition(|(id, _)| *id != NAME)
        } else {
            first_to_drop(&widths, wanted.is_watching)
        };
        if let Some(at) = last {
            widths.remove(at);
            // What it leaves behind is the name's again, as far as it wants it.
            if let Some((id, width)) = widths.iter_mut().find(|(id, _)| *id == NAME) {
                *width = cells(*id);
            }
        } else {
            // Only the name is left, or nothing.
            for (_, width) in &mut widths {
                *width = left;
            }
            break;
        }
    }
    // What is left is the owner's, as far as it wants it.
    let rest = left.saturating_sub(needed(&widths));
    if let Some((id, width)) = widths.iter_mut().find(|(id, _)| *id == OWNER) {
        *width += rest.min(id.column().exact_width.saturating_sub(*width));
    }
    let mut x = MARK_WIDTH + gap;
    let mut shown = Vec::with_capacity(widths.len());
    for (id, width) in widths {
        shown.push(ColumnRect { id, x, width });
        x += width + 1;
    }
    Columns {
        shown,
        bar,
        has_gap: gap > 0,
    }
}

/// The column to leave out first: the one that only the widest screens show, then from the right.
/// Name and pressure go last; the name never does.
fn first_to_drop(widths: &[(ColumnId, u16)], is_watching: bool) -> Option<usize> {
    let weight = |id: ColumnId| match id.column().min_terminal_width {
        _ if id == PRESSURE => 0,
        Some(_) if id == LOSS && is_watching => LOSS_WEIGHT,
        // Asked for by name.
        None => 1,
        Some(from) => from.max(1),
    };
    (0..widths.len())
        .filter(|at| widths[*at].0 != NAME)
        .max_by_key(|at| (weight(widths[*at].0), *at))
}

fn digits(number: u32) -> u16 {
    u16::try_from(number.checked_ilog10().unwrap_or(0) + 1).unwrap_or(10)
}

/// The columns of the app's table.
#[must_use]
pub fn columns_of(app: &App) -> Columns {
    columns(app.size().0, &wanted(app, app.scrolled))
}

fn wanted(app: &App, scrolled: usize) -> ColumnRequest<'_> {
    let rows = app
        .reading
        .as_ref()
        .map_or(&[][..], |reading| &reading.rows[..]);
    let is_fleet = rows.first().is_some_and(|row| row.key().node.is_some());
    // Rows are in the order of machines, then of ids.
    let longest = if is_fleet {
        rows.iter().max_by_key(|row| row.key().id)
    } else {
        rows.last()
    };
    ColumnRequest {
        asked: app.columns.as_deref(),
        scrolled,
        is_exact: app.is_exact,
        longest_id: longest.map_or(0, |row| row.key().id.0),
        is_watching: matches!(app.watching, LossTracing::Starting | LossTracing::On { .. }),
        is_fleet,
    }
}

/// Whether there are columns to the right that scrolling would show.
#[must_use]
pub fn can_scroll(app: &App) -> bool {
    let width = app.size().0;
    let scrolled = wanted(app, app.scrolled + 1).ids(width);
    let last = columns_of(app).shown.last().map(|shown| shown.id);
    scrolled.len() > 1 && scrolled.last().copied() != last
}

/// The columns that `<` and `>` go through: attention, then those on the screen.
#[must_use]
pub fn sortable(app: &App) -> Vec<ColumnId> {
    let shown = columns_of(app).shown;
    std::iter::once(ATTENTION)
        .chain(
            shown
                .iter()
                .map(|shown| shown.id)
                .filter(|id| *id != ATTENTION),
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted_by(asked: &[ColumnId]) -> ColumnRequest<'_> {
        ColumnRequest {
            asked: Some(asked),
            longest_id: 9,
            ..ColumnRequest::default()
        }
    }

    fn names(width: u16) -> Vec<&'static str> {
        columns(
            width,
            &ColumnRequest {
                longest_id: 3187,
                ..ColumnRequest::default()
            },
        )
        .shown
        .iter()
        .map(|shown| shown.id.field().name)
        .collect()
    }

    #[test]
    fn columns_give_way_by_width_and_the_name_stays() {
        assert_eq!(names(20), ["name", "pressure"]);
        assert_eq!(names(24), ["name", "pressure", "eta"]);
        assert_eq!(names(50), ["name", "used", "pressure", "eta"]);
        assert_eq!(
            names(80),
            [
                "id", "name", "type", "used", "pressure", "growth", "eta", "mem"
            ]
        );
        assert_eq!(names(100)[7..], ["mem", "owner"]);
        assert!(names(160).ends_with(&["loss", "mem", "progs", "owner", "flags"]));
        for width in 0..300 {
            assert!(names(width).contains(&"name"), "{width}");
        }
    }

    #[test]
    fn losses_have_a_column_from_132_cells_on_and_from_80_where_they_are_watched() {
        let has_loss = |width, is_watching| {
            let wanted = ColumnRequest {
                longest_id: 3187,
                is_watching,
                ..ColumnRequest::default()
            };
            let shown = columns(width, &wanted).shown;
            shown.iter().any(|shown| shown.id == LOSS)
        };
        for width in 0..300 {
            assert_eq!(has_loss(width, false), width >= 132, "{width}");
            assert_eq!(has_loss(width, true), width >= 80, "{width}");
        }
    }

    #[test]
    fn no_column_stands_outside_the_screen_or_on_another() {
        for width in 0..300u16 {
            let mut end = 0;
            for shown in columns(
                width,
                &ColumnRequest {
                    longest_id: u32::MAX,
                    ..ColumnRequest::default()
                },
            )
            .shown
            {
                assert!(shown.x >= end, "{width}: {shown:?}");
                end = shown.x + shown.width;
                assert!(end <= width.max(1), "{width}: {shown:?}");
            }
        }
    }

    #[test]
    fn what_was_asked_for_is_shown_as_far_as_it_fits() {
        let asked = [ID, ColumnId::named("flags"), NAME, ColumnId::named("key")];
        let names = |width| -> Vec<_> {
            let columns = columns(width, &wanted_by(&asked));
            columns
                .shown
                .iter()
                .map(|shown| shown.id.field().name)
                .collect()
        };
        assert_eq!(names(100), ["id", "flags", "name", "key"]);
        assert_eq!(names(40), ["id", "name", "key"]);
        assert_eq!(names(10), ["name"]);
    }

    #[test]
    fn what_was_added_stays_when_room_is_short_and_so_does_pressure() {
        let default: Vec<_> = ColumnId::all()
            .filter(|id| id.column().min_terminal_width.is_some())
            .chain([ColumnId::named("max")])
            .collect();
        let columns = columns(80, &wanted_by(&default));
        let names: Vec<_> = columns
            .shown
            .iter()
            .map(|shown| shown.id.field().name)
            .collect();
        assert_eq!(
            names,
            [
                "id", "name", "type", "used", "pressure", "growth", "eta", "max"
            ]
        );
        let widest = [
            ColumnId::named("flags"),
            PRESSURE,
            NAME,
            ColumnId::named("kind"),
        ];
        let narrow = super::columns(24, &wanted_by(&widest));
        let names: Vec<_> = narrow
            .shown
            .iter()
            .map(|shown| shown.id.field().name)
            .collect();
        assert_eq!(names, ["pressure", "name"]);
    }

    #[test]
    fn scrolling_brings_in_from_the_right_what_did_not_fit_and_the_name_stays() {
        let names = |scrolled| -> Vec<_> {
            let wanted = ColumnRequest {
                scrolled,
                ..ColumnRequest::default()
            };
            let shown = columns(60, &wanted).shown;
            shown.iter().map(|shown| shown.id.field().name).collect()
        };
        assert_eq!(names(0), ["name", "used", "pressure", "eta"]);
        assert_eq!(names(1), ["name", "type", "used", "pressure"]);
        assert_eq!(names(3), ["name", "pressure", "last", "growth", "eta"]);
        assert_eq!(names(100), ["name"]);
    }

    #[test]
    fn exact_columns_are_as_wide_as_their_numbers_and_give_way_by_weight() {
        let wanted = ColumnRequest {
            is_exact: true,
            longest_id: 3187,
            ..ColumnRequest::default()
        };
        let shown = columns(80, &wanted).shown;
        let shown: Vec<_> = shown
            .iter()
            .map(|shown| (shown.id.field().name, shown.width))
            .collect();
        assert_eq!(
            shown,
            [
                ("id", 5),
                ("name", 16),
                ("used", 27),
                ("pressure", 13),
                ("eta", 7)
            ]
        );
    }
}
