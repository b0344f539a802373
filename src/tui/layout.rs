//! What fits on a screen of some size: which lines, which columns, how wide. Pure.

use super::app::{App, Mode};
use super::keys::{self, Place, Topic};
use crate::model::text::width;
use crate::query::columns::{ATTENTION, ColumnId, ID, NAME, PRESSURE};

/// The lines of the main view, top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// Whether there is a title line.
    pub has_title: bool,
    /// Whether there is a header line.
    pub has_header: bool,
    /// How many rows of the table fit.
    pub rows: usize,
    /// How many lines are under the table.
    pub bottom: u16,
}

/// How many lines are wanted under the table: the selected map and the keys, or a prompt.
#[must_use]
pub fn bottom(app: &App) -> u16 {
    match (&app.mode, app.size().1) {
        (Mode::Prompt(_), 12..) => 3,
        (Mode::Prompt(_), 4..) => 2,
        (Mode::Prompt(_), _) => 1,
        (_, 12..) => 2,
        (_, 8..) => 1,
        (_, _) => 0,
    }
}

/// The lines that fit into so many, `bottom` of them under the table.
#[must_use]
pub fn lines(height: u16, bottom: u16) -> Lines {
    let bottom = bottom.min(height);
    let has_title = height >= 3 && height > bottom;
    let has_header = height >= 7;
    let rows = height - bottom - u16::from(has_title).min(height - bottom);
    let rows = rows - u16::from(has_header).min(rows);
    Lines {
        has_title,
        has_header,
        rows: rows.into(),
        bottom,
    }
}

/// A column on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
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
    pub shown: Vec<Shown>,
    /// Cells of a bar; 0 is no bar.
    pub bar: usize,
}

/// The mark stands in the first cell, alone.
const MARK_WIDTH: u16 = 1;
/// A name is never shorter than this, but where the screen is: on a roomy one and on others.
const SHORTEST_NAME: [u16; 2] = [12, 8];
/// Under this width the mark touches the name.
const ROOMY: u16 = 50;

fn bar_width(width: u16) -> usize {
    match width {
        ..36 => 0,
        36..132 => 8,
        132..160 => 10,
        160.. => 12,
    }
}

/// The columns that fit into `width` cells. Those that are not asked for by name give way by
/// their weight; mark and name always stay.
#[must_use]
pub fn columns(width: u16, asked: Option<&[ColumnId]>, longest_id: u32) -> Columns {
    let bar = bar_width(width);
    let default: Vec<_> = ColumnId::all()
        .filter(|id| id.column().from.is_some_and(|from| from <= width))
        .collect();
    let ids = asked.unwrap_or(&default);
    let gap = u16::from(width >= ROOMY);
    let shortest = SHORTEST_NAME[usize::from(width < ROOMY)];
    let cells = |id: ColumnId| {
        let own = id.column().width;
        if id == PRESSURE {
            own + u16::try_from(bar).unwrap_or(0)
        } else if id == ID {
            own.max(digits(longest_id))
        } else {
            own
        }
    };
    let left = width.saturating_sub(MARK_WIDTH + gap);
    let mut widths: Vec<_> = ids.iter().map(|id| (*id, cells(*id))).collect();
    // Names give way first, then whole columns, the heaviest first.
    let wanted = |widths: &[(ColumnId, u16)]| -> u16 {
        widths
            .iter()
            .map(|(_, width)| width + 1)
            .sum::<u16>()
            .saturating_sub(1)
    };
    while wanted(&widths) > left {
        let over = wanted(&widths) - left;
        let name = widths.iter_mut().find(|(id, _)| *id == NAME);
        if let Some((_, width)) = name
            && *width > shortest
        {
            *width = width.saturating_sub(over).max(shortest);
            continue;
        }
        if let Some(at) = heaviest(&widths) {
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
    let mut x = MARK_WIDTH + gap;
    let mut shown = Vec::with_capacity(widths.len());
    for (id, width) in widths {
        shown.push(Shown { id, x, width });
        x += width + 1;
    }
    Columns { shown, bar }
}

/// The column to leave out first: the one that only the widest screens show, then from the right.
/// Name and pressure go last; the name never does.
fn heaviest(widths: &[(ColumnId, u16)]) -> Option<usize> {
    let weight = |id: ColumnId| match id.column().from {
        _ if id == PRESSURE => 0,
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
    let longest = app.reading.as_ref().and_then(|reading| reading.rows.last());
    columns(
        app.size().0,
        app.columns.as_deref(),
        longest.map_or(0, |row| row.key().id.0),
    )
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

/// A line of the help: a title, or keys and what they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpLine {
    /// What it says.
    pub text: String,
    /// Whether it is a title.
    pub is_title: bool,
}

/// The help, from the key table.
#[must_use]
pub fn help_lines(width_of_screen: u16) -> Vec<HelpLine> {
    let mut lines = Vec::new();
    for topic in Topic::ALL {
        if !lines.is_empty() {
            lines.push(HelpLine {
                text: String::new(),
                is_title: false,
            });
        }
        lines.push(HelpLine {
            text: topic.name().to_owned(),
            is_title: true,
        });
        for binding in keys::at(Place::Table).filter(|binding| binding.topic == topic) {
            let names: Vec<_> = binding.keys.iter().map(|key| key.name()).collect();
            lines.push(HelpLine {
                text: format!("  {:<14} {}", names.join("  "), binding.help),
                is_title: false,
            });
        }
    }
    lines.push(HelpLine {
        text: String::new(),
        is_title: false,
    });
    for (is_title, text) in LEGEND {
        lines.push(HelpLine {
            text: (*text).to_owned(),
            is_title: *is_title,
        });
    }
    // Where room is short, no line is blank.
    lines.retain(|line| width_of_screen > 30 || width(&line.text) > 0);
    lines
}

/// What the signs of the table mean.
const LEGEND: &[(bool, &str)] = &[
    (true, "Marks"),
    (false, "  !  full: inserts are refused"),
    (false, "  ^  at or over 80 %; a buffer at or over 75 %"),
    (true, "Pressure"),
    (
        false,
        "  solid bar   can refuse inserts: hash, lpm_trie, queue, buffers ...",
    ),
    (
        false,
        "  hatched     evicts instead: lru_hash; full is normal",
    ),
    (
        false,
        "  slots       slots filled by a loader: prog_array, devmap ...",
    ),
    (
        false,
        "  fixed       full from birth: array, percpu_array, .data, .bss",
    ),
    (
        false,
        "  n/a         no limit to fill: storages, bloom filters",
    ),
    (true, "Blanks"),
    (false, "  blank  does not apply     -  nothing to report"),
    (
        false,
        "  ?      could not be read  ...  known from the next sample on",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn names(width: u16) -> Vec<&'static str> {
        columns(width, None, 3187)
            .shown
            .iter()
            .map(|shown| shown.id.column().name)
            .collect()
    }

    #[test]
    fn columns_give_way_by_width_and_the_name_stays() {
        assert_eq!(names(20), ["name", "pressure"]);
        assert_eq!(names(50), ["name", "used", "pressure"]);
        assert_eq!(
            names(80),
            ["id", "name", "type", "used", "pressure", "growth"]
        );
        assert!(names(140).ends_with(&["key", "value", "flags"]));
        for width in 0..300 {
            assert!(names(width).contains(&"name"), "{width}");
        }
    }

    #[test]
    fn no_column_stands_outside_the_screen_or_on_another() {
        for width in 0..300u16 {
            let mut end = 0;
            for shown in columns(width, None, u32::MAX).shown {
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
            let columns = columns(width, Some(&asked), 9);
            columns
                .shown
                .iter()
                .map(|shown| shown.id.column().name)
                .collect()
        };
        assert_eq!(names(100), ["id", "flags", "name", "key"]);
        assert_eq!(names(40), ["id", "name", "key"]);
        assert_eq!(names(10), ["name"]);
    }

    #[test]
    fn what_was_added_stays_when_room_is_short_and_so_does_pressure() {
        let default: Vec<_> = ColumnId::all()
            .filter(|id| id.column().from.is_some())
            .chain([ColumnId::named("max")])
            .collect();
        let columns = columns(80, Some(&default), 9);
        let names: Vec<_> = columns
            .shown
            .iter()
            .map(|shown| shown.id.column().name)
            .collect();
        assert_eq!(
            names,
            ["id", "name", "type", "used", "pressure", "growth", "max"]
        );
        let name = columns.shown.iter().find(|shown| shown.id == NAME);
        assert_eq!(name.map(|shown| shown.width), Some(16));
        let widest = [
            ColumnId::named("flags"),
            PRESSURE,
            NAME,
            ColumnId::named("kind"),
        ];
        let narrow = super::columns(24, Some(&widest), 9);
        let names: Vec<_> = narrow
            .shown
            .iter()
            .map(|shown| shown.id.column().name)
            .collect();
        assert_eq!(names, ["pressure", "name"]);
    }

    #[test]
    fn lines_give_way_by_height() {
        let all = |height, bottom| {
            let lines = lines(height, bottom);
            (lines.has_title, lines.has_header, lines.rows, lines.bottom)
        };
        assert_eq!(all(24, 2), (true, true, 20, 2));
        assert_eq!(all(7, 0), (true, true, 5, 0));
        assert_eq!(all(6, 0), (true, false, 5, 0));
        assert_eq!(all(2, 0), (false, false, 2, 0));
        assert_eq!(all(1, 0), (false, false, 1, 0));
        assert_eq!(all(1, 1), (false, false, 0, 1));
        assert_eq!(all(0, 0), (false, false, 0, 0));
    }
}
